/* canary: smoke
 * What contradicts the precondition lies in a clause of the server's invariant:
 * a smoke test with too few steps never gets there. */
#include "serve/state.h"

/* Claims that a free slot is a taken one. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires slot: slot < s->table.slots.cap && tn_live(s, slot);
    requires gone: s->table.fd[slot] < 0;
    terminates \true; exits \false;
    assigns \nothing;
    ensures wrong: \result == s->table.slots.cap;
*/
uint32_t tn_canary_deep(const struct tn_server *s, uint32_t slot);

uint32_t tn_canary_deep(const struct tn_server *s, uint32_t slot)
{
    return slot < s->table.slots.cap ? slot : TN_NONE;
}
