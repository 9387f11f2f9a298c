/* canary: assigns
 * Without an assigns clause nobody says what the function may change. */
#include <stdint.h>

/* Sets the first and, unsaid, the second. */
/*@ requires room: \valid(p + (0 .. 1));
    terminates \true; exits \false;
    ensures set: p[0] == 1;
*/
void tn_canary_assigns(uint32_t *p);

void tn_canary_assigns(uint32_t *p)
{
    p[0] = 1;
    p[1] = 2;
}
