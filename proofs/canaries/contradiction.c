/* canary: smoke
 * No caller can meet the precondition, so the false postcondition is proved. */
#include <stdint.h>

/* Claims that one and one make three. */
/*@ requires low: x < 10;
    requires high: x > 20;
    terminates \true; exits \false;
    assigns \nothing;
    ensures wrong: \result == 3;
*/
uint32_t tn_canary_contradiction(uint32_t x);

uint32_t tn_canary_contradiction(uint32_t x)
{
    return x < 15 ? 2 : 1;
}
