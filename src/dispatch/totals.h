/* Totals of several flows of control, added up. */
#ifndef TN_DISPATCH_TOTALS_H
#define TN_DISPATCH_TOTALS_H

#include "serve/state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Adds each of part's counters to sum's; none wraps. */
void tn_totals_add(struct tn_counters *sum, const struct tn_counters *part);

/* Counts connections that were accepted and never said how they ended, because
 * what served them crashed, as broken. */
void tn_totals_close(struct tn_counters *c);

#ifdef __cplusplus
}
#endif

#endif
