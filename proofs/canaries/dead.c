/* canary: smoke
 * The precondition is sound, but one branch can never be taken: whatever is
 * claimed of it is proved. */
#include <stdint.h>

/* Claims an impossible value on a path that does not exist. */
/*@ requires small: x < 10;
    terminates \true; exits \false;
    assigns \nothing;
    ensures bound: \result <= 10;
*/
uint32_t tn_canary_dead(uint32_t x);

uint32_t tn_canary_dead(uint32_t x)
{
    uint32_t y = x + 1u;

    if (y > 10u)
        y = 4000000000u;
    return y;
}
