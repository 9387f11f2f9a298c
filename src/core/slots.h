/* Slots with generations: names for connections that cannot go stale unseen.
 *
 * A slot is an index that is live or free.  Each time it is freed its
 * generation rises, so a handle {slot, generation} names one life of the slot
 * and is refused for ever after.  A slot whose generations are used up retires
 * instead of starting again.
 *
 *   perm:  [ live ........ | free ............ | retired ... ]
 *          0               live                usable        cap
 */
#ifndef TN_CORE_SLOTS_H
#define TN_CORE_SLOTS_H

#include "core/base.h"
#include "core/perm.h"

/* One life of one slot.  Generation 0 is never given out: a zeroed handle is
 * stale. */
struct tn_handle {
    uint32_t slot;
    uint32_t gen;
};

struct tn_slots {
    uint32_t cap;    /* slots in this table, 1 .. TN_CONNECTIONS */
    uint32_t usable; /* of these, not retired */
    uint32_t live;   /* of these, live */
    uint32_t perm[TN_CONNECTIONS];
    uint32_t pos[TN_CONNECTIONS];
    uint32_t gen[TN_CONNECTIONS]; /* of the present life, or of the next one */
};

/*@ predicate tn_slots_ok{L}(struct tn_slots *t) =
        \valid(t) && 0 < t->cap <= TN_CONNECTIONS && t->live <= t->usable <= t->cap &&
        tn_perm_ok(&t->perm[0], &t->pos[0], t->cap) &&
        (\forall integer s; 0 <= s < t->cap ==> 0 < t->gen[s]);
    predicate tn_slot_live{L}(struct tn_slots *t, integer s) =
        0 <= s < t->cap && t->pos[s] < t->live;
    predicate tn_slot_retired{L}(struct tn_slots *t, integer s) =
        0 <= s < t->cap && t->usable <= t->pos[s];
    // every slot but s stands where it stood: live, free or retired
    predicate tn_slots_same_but{A,B}(struct tn_slots *t, integer s) =
        \forall integer o; 0 <= o < \at(t->cap,A) && o != s ==>
            (tn_slot_live{A}(t, o) <==> tn_slot_live{B}(t, o)) &&
            (tn_slot_retired{A}(t, o) <==> tn_slot_retired{B}(t, o));
*/

/* Makes a table of cap free slots (1 .. TN_CONNECTIONS). */
/*@ requires room: \valid(t) && 0 < cap <= TN_CONNECTIONS;
    terminates \true; exits \false;
    assigns *t;
    ensures ok:   tn_slots_ok(t);
    ensures free: t->cap == cap && t->usable == cap && t->live == 0;
    ensures first: \forall integer s; 0 <= s < cap ==> t->gen[s] == 1;
*/
void tn_slots_init(struct tn_slots *t, uint32_t cap);

/* Makes a free slot live and returns it, or TN_NONE when all are taken. */
/*@ requires ok: tn_slots_ok(t);
    terminates \true; exits \false;
    assigns t->live;
    ensures ok:    tn_slots_ok(t);
    ensures full:  \result == TN_NONE <==> \old(t->live) == t->usable;
    ensures count: t->live == \old(t->live) + (\result == TN_NONE ? 0 : 1);
    ensures fresh: \result != TN_NONE ==>
                       tn_slot_live(t, \result) && !tn_slot_live{Pre}(t, \result) &&
                       !tn_slot_retired{Pre}(t, \result);
    ensures others: tn_slots_same_but{Pre,Post}(t, \result);
*/
uint32_t tn_slots_take(struct tn_slots *t);

/* Frees the live slot s and ends its generation: handles to it are stale from
 * now on.  The slot retires when no generation is left for it. */
/*@ requires ok:   tn_slots_ok(t);
    requires live: tn_slot_live(t, s);
    terminates \true; exits \false;
    assigns t->live, t->usable, t->perm[0 .. t->cap - 1], t->pos[0 .. t->cap - 1], t->gen[s];
    ensures ok:    tn_slots_ok(t);
    ensures count: t->live == \old(t->live) - 1;
    ensures freed: !tn_slot_live(t, s);
    ensures ended: tn_slot_retired(t, s) ? t->gen[s] == \old(t->gen[s])
                                         : t->gen[s] == \old(t->gen[s]) + 1;
    ensures retires: tn_slot_retired(t, s) <==> \old(t->gen[s]) == UINT32_MAX;
    ensures others: tn_slots_same_but{Pre,Post}(t, s);
*/
void tn_slots_release(struct tn_slots *t, uint32_t s);

/* Says whether h names a slot that is live in that very generation: 1 or 0.
 * A stale handle is refused. */
/*@ requires ok: tn_slots_ok(t);
    terminates \true; exits \false;
    assigns \nothing;
    ensures stale_refused: \result == 1 <==> tn_slot_live(t, h.slot) && t->gen[h.slot] == h.gen;
    ensures verdict: \result == 0 || \result == 1;
*/
uint32_t tn_slots_has(const struct tn_slots *t, struct tn_handle h);

#endif
