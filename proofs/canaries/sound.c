/* canary: none
 * The control: what a canary looks like without a defect must pass every gate,
 * or the others would be caught for a wrong reason. */
#include <stdint.h>

/* The larger of two numbers. */
/*@ requires small: x < 1000 && y < 1000;
    terminates \true; exits \false;
    assigns \nothing;
    ensures bound: \result >= x && \result >= y;
    ensures one: \result == x || \result == y;
*/
uint32_t tn_canary_sound(uint32_t x, uint32_t y);

uint32_t tn_canary_sound(uint32_t x, uint32_t y)
{
    return x < y ? y : x;
}
