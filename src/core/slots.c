/* Slots with generations: names for connections that cannot go stale unseen. */
#include "core/slots.h"

void tn_slots_init(struct tn_slots *t, uint32_t cap)
{
    uint32_t s;

    t->cap = cap;
    t->usable = cap;
    t->live = 0;
    tn_perm_init(&t->perm[0], &t->pos[0], cap);
    /*@ loop invariant reach: 0 <= s <= cap;
        loop invariant first: \forall integer k; 0 <= k < s ==> t->gen[k] == 1;
        loop assigns s, t->gen[0 .. cap - 1];
        loop variant cap - s;
    */
    for (s = 0; s < cap; s++)
        t->gen[s] = 1;
}

uint32_t tn_slots_take(struct tn_slots *t)
{
    uint32_t s;

    if (t->live == t->usable)
        return TN_NONE;
    s = t->perm[t->live];
    t->live++;
    return s;
}

/* Moves the live slot s to the free ones. */
/*@ requires ok:   tn_slots_ok(t);
    requires live: tn_slot_live(t, s);
    terminates \true; exits \false;
    assigns t->live, t->perm[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
    ensures ok:    tn_slots_ok(t);
    ensures count: t->live == \old(t->live) - 1;
    ensures freed: t->live <= t->pos[s] < t->usable;
    ensures others: tn_slots_same_but{Pre,Post}(t, s);
*/
static void slot_free(struct tn_slots *t, uint32_t s)
{
    uint32_t border = t->live - 1;

    t->live = border;
    tn_perm_swap(&t->perm[0], &t->pos[0], t->cap, t->pos[s], border);
}

/* Moves the free slot s to the retired ones. */
/*@ requires ok:   tn_slots_ok(t);
    requires free: s < t->cap && t->live <= t->pos[s] < t->usable;
    terminates \true; exits \false;
    assigns t->usable, t->perm[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
    ensures ok:    tn_slots_ok(t);
    ensures retired: tn_slot_retired(t, s);
    ensures others: tn_slots_same_but{Pre,Post}(t, s);
*/
static void slot_retire(struct tn_slots *t, uint32_t s)
{
    uint32_t border = t->usable - 1;

    t->usable = border;
    tn_perm_swap(&t->perm[0], &t->pos[0], t->cap, t->pos[s], border);
}

void tn_slots_release(struct tn_slots *t, uint32_t s)
{
    if (t->gen[s] < UINT32_MAX) {
        t->gen[s]++;
        slot_free(t, s);
        //@ assert others: tn_slots_same_but{Pre,Here}(t, s);
    } else {
        slot_free(t, s);
        //@ assert others_yet: tn_slots_same_but{Pre,Here}(t, s);
        slot_retire(t, s);
        //@ assert others_still: tn_slots_same_but{Pre,Here}(t, s);
    }
}

uint32_t tn_slots_has(const struct tn_slots *t, struct tn_handle h)
{
    return h.slot < t->cap && t->pos[h.slot] < t->live && t->gen[h.slot] == h.gen;
}
