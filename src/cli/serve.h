/* `tenon serve`: the pull loop, with signals and standard input beside it. */
#ifndef TN_CLI_SERVE_H
#define TN_CLI_SERVE_H

#include "cli/arguments.h"

/* Exit statuses. */
#define TN_CLI_DONE 0
#define TN_CLI_FAILED 1
#define TN_CLI_MISUSED 2

/* Serves until it is told to end; returns the exit status. */
int tn_cli_serve(const struct tn_cli_arguments *a);

/* Prints `tenon: option value: why` to standard error, in one line whatever is
 * in the arguments. */
void tn_cli_complain(const struct tn_cli_complaint *c);

#endif
