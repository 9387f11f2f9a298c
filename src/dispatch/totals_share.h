/* Counters in memory that processes share: what a child has counted outlives it. */
#ifndef TN_DISPATCH_TOTALS_SHARE_H
#define TN_DISPATCH_TOTALS_SHARE_H

#include "serve/state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* n zeroed counters that children forked later share with this process, or null.
 * tn_totals_unshare gives them back.  Assumed, not proved: the memory is the
 * system's (tn_shared_open of os/process.h). */
/*@ terminates \true; exits \false;
    assigns \result \from n;
    ensures room: \result != \null ==> \valid(\result + (0 .. n - 1));
*/
struct tn_counters *tn_totals_share(uint32_t n);

/*@ terminates \true; exits \false;
    assigns \nothing;
*/
void tn_totals_unshare(struct tn_counters *counters, uint32_t n);

#ifdef __cplusplus
}
#endif

#endif
