/* What ends the program: SIGINT, SIGTERM and, unless it is ignored, SIGHUP; a line
 * `quit` on standard input; each as a descriptor to wait for. */
#ifndef TN_CLI_COMMANDS_H
#define TN_CLI_COMMANDS_H

#include "cli/arguments.h"

struct tn_cli_commands {
    int32_t signals;   /* the descriptor they come by */
    int32_t input;     /* standard input, or -1 while it is not read */
    uint32_t quit_len; /* characters of `quit` seen in this line */
    uint32_t asked;    /* how often the program was asked to end */
};

/* Starts to take signals and, if it is a terminal or asked for, standard input.
 * Returns 1, or TN_EFILES, TN_EMEMORY, TN_ESYSTEM. */
int32_t tn_cli_commands_open(struct tn_cli_commands *c, const struct tn_cli_arguments *a);

/* Takes what has come by fd, one of the two.  At the end of standard input,
 * c->input is -1 afterwards: wait for it no more. */
void tn_cli_commands_take(struct tn_cli_commands *c, int32_t fd);

#endif
