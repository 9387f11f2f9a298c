/* canary: smoke
 * A contract that is assumed contradicts itself, of a function that is called last
 * in a branch: only the smoke test behind the call sees it. */
#include "core/base.h"

/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures more: \result > n;
    ensures less: \result < n;
*/
uint32_t tn_canary_unknown(uint32_t n);

/* Returns n. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures same: \result == n;
*/
uint32_t tn_canary_assumed(uint32_t n);

uint32_t tn_canary_assumed(uint32_t n)
{
    if (n > 5) {
        (void)tn_canary_unknown(n);
    }
    return n;
}
