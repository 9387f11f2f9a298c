/* What the program prints: one line each, and nothing else. */
#ifndef TN_CLI_REPORT_H
#define TN_CLI_REPORT_H

#include "cli/arguments.h"
#include "os/listen.h"

/* Exit statuses. */
#define TN_CLI_DONE 0
#define TN_CLI_FAILED 1
#define TN_CLI_MISUSED 2

/* Prints `tenon: option value: why` to standard error, in one line whatever is
 * in the arguments. */
void tn_cli_complain(const struct tn_cli_complaint *c);

/* Complains of a result; TN_ESYSTEM is explained by errno.  Returns the exit
 * status. */
int tn_cli_fail(const char *option, const char *value, int32_t result);

/* Prints the ready line of each listener. */
void tn_cli_print_ready(const struct tn_cli_arguments *a, char bound[][TN_ADDRESS_LEN]);

/* Prints the line of totals; dropped: members of a chat who had fallen behind. */
void tn_cli_print_totals(const struct tn_counters *c, int64_t dropped);

/* The word of an enum tn_reason. */
const char *tn_cli_reason_name(uint32_t reason);

#endif
