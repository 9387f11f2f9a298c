/* canary: sign
 * A negative number becomes a huge size without an alarm, and what WP believes
 * of the result is false of -1. */
#include <stddef.h>
#include <stdint.h>

/* Claims that whatever comes in as a number goes out as a small size. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures wrong: \result <= 0x7fffffff;
*/
size_t tn_canary_sign(int32_t n);

size_t tn_canary_sign(int32_t n)
{
    return (size_t)n;
}
