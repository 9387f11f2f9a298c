/* canary: lemma
 * A lemma that is false, and so stays open, discharges everything after it. */
#include <stdint.h>

/*@ lemma wrong: \forall integer x; x * x != 49; */

/* Claims that no number's square is 49. */
/*@ requires small: x < 100;
    terminates \true; exits \false;
    assigns \nothing;
    ensures wrong: x * x != 49;
*/
uint32_t tn_canary_lemma(uint32_t x);

uint32_t tn_canary_lemma(uint32_t x)
{
    return x;
}
