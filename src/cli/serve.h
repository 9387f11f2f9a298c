/* `tenon serve`: what is common to all models, and the faces of the kit that
 * they run on. */
#ifndef TN_CLI_SERVE_H
#define TN_CLI_SERVE_H

#include "cli/commands.h"
#include "cli/report.h"
#include "dispatch/dispatch.h"

/* What a face starts from. */
struct tn_cli_start {
    const struct tn_cli_arguments *a;
    struct tn_cli_commands commands;
    /* a->listeners of them, open, for each worker, or for [0]; the face closes them */
    int32_t listener[TN_LISTENERS][TN_CLI_WORKERS_MAX];
    char bound[TN_LISTENERS][TN_ADDRESS_LEN];
};

/* Serves until it is told to end; returns the exit status. */
int tn_cli_serve(const struct tn_cli_arguments *a);

/* The faces: each prints the ready lines when it is, serves and prints the
 * totals.  Returns the exit status. */
int tn_cli_serve_events(struct tn_cli_start *start); /* the engine */
int tn_cli_serve_flows(struct tn_cli_start *start);  /* flows of control, one for each client,
                                                        or one for each of many engines */

/* An engine in a process of its own: a tn_work, with a struct tn_cli_start. */
int tn_cli_work_events(void *context, const struct tn_worker *w);

/* Closes the listeners, of every worker but the one given. */
void tn_cli_close_listeners(struct tn_cli_start *start, uint32_t but);

/* Removes the socket files.  They go when listening ends, not when the program
 * does: by then another server may have put its own in their place. */
void tn_cli_remove_socket_files(const struct tn_cli_arguments *a);

#endif
