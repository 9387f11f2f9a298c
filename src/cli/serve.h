/* `tenon serve`: what is common to all models, and the faces of the kit that
 * they run on. */
#ifndef TN_CLI_SERVE_H
#define TN_CLI_SERVE_H

#include "cli/commands.h"
#include "cli/report.h"

/* What a face starts from. */
struct tn_cli_start {
    const struct tn_cli_arguments *a;
    struct tn_cli_commands commands;
    int32_t listener[TN_LISTENERS]; /* a->listeners of them, open; the face closes them */
    char bound[TN_LISTENERS][TN_ADDRESS_LEN];
};

/* Serves until it is told to end; returns the exit status. */
int tn_cli_serve(const struct tn_cli_arguments *a);

/* The faces: each prints the ready lines when it is, serves and prints the
 * totals.  Returns the exit status. */
int tn_cli_serve_events(struct tn_cli_start *start); /* the engine */
int tn_cli_serve_flows(struct tn_cli_start *start);  /* a flow of control for each client */

/* Removes the socket files.  They go when listening ends, not when the program
 * does: by then another server may have put its own in their place. */
void tn_cli_remove_socket_files(const struct tn_cli_arguments *a);

#endif
