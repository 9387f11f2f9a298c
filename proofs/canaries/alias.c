/* canary: memory-model
 * Proved only under the unstated hypothesis that p does not point to the
 * variable; a caller that passes its address makes the postcondition false. */
#include <stdint.h>

uint32_t tn_canary_shared;

/* Claims that *p stays 1 whatever p is. */
/*@ requires room: \valid(p);
    terminates \true; exits \false;
    assigns *p, tn_canary_shared;
    ensures wrong: *p == 1;
*/
void tn_canary_alias(uint32_t *p);

void tn_canary_alias(uint32_t *p)
{
    *p = 1;
    tn_canary_shared = 2;
}
