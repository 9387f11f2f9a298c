/* Timers: one deadline for each of cap ids, the earliest at hand.
 *
 * A binary heap of ids with a back-index (J. W. J. Williams, 1964): set,
 * cancel and expire in O(log n), the earliest in O(1).  Times are milliseconds
 * on whatever clock the caller reads; no timer fires before its time.
 *
 *   heap:  [ armed, in heap order ... | idle ......... ]
 *          0                          armed            cap
 */
#ifndef TN_CORE_TIMERS_H
#define TN_CORE_TIMERS_H

#include "core/base.h"
#include "core/perm.h"

/* Later than every deadline. */
#define TN_NEVER INT64_MAX

struct tn_timers {
    uint32_t cap;   /* ids, 1 .. TN_CONNECTIONS */
    uint32_t armed; /* of these, armed */
    uint32_t heap[TN_CONNECTIONS];
    uint32_t pos[TN_CONNECTIONS];
    int64_t due[TN_CONNECTIONS]; /* valid while armed */
};

/*@ logic integer tn_due_at{L}(struct tn_timers *t, integer i) = t->due[t->heap[i]];
    predicate tn_heap_child(integer i, integer j) = j == 2 * i + 1 || j == 2 * i + 2;
    predicate tn_heap_order{L}(struct tn_timers *t) =
        \forall integer i, j; 0 <= i < j < t->armed && tn_heap_child(i, j) ==>
            tn_due_at(t, i) <= tn_due_at(t, j);
    predicate tn_timers_base{L}(struct tn_timers *t) =
        \valid(t) && 0 < t->cap <= TN_CONNECTIONS && t->armed <= t->cap &&
        tn_perm_ok(&t->heap[0], &t->pos[0], t->cap);
    predicate tn_timers_ok{L}(struct tn_timers *t) = tn_timers_base(t) && tn_heap_order(t);
    predicate tn_timer_armed{L}(struct tn_timers *t, integer id) =
        0 <= id < t->cap && t->pos[id] < t->armed;
*/

/* Makes cap idle timers (1 .. TN_CONNECTIONS). */
/*@ requires room: \valid(t) && 0 < cap <= TN_CONNECTIONS;
    terminates \true; exits \false;
    assigns *t;
    ensures ok:   tn_timers_ok(t);
    ensures idle: t->cap == cap && t->armed == 0;
*/
void tn_timers_init(struct tn_timers *t, uint32_t cap);

/* Arms the timer id for the time due, whether or not it was armed. */
/*@ requires ok: tn_timers_ok(t);
    requires id: id < t->cap;
    terminates \true; exits \false;
    assigns t->armed, t->heap[0 .. t->cap - 1], t->pos[0 .. t->cap - 1], t->due[id];
    ensures ok:    tn_timers_ok(t);
    ensures armed: tn_timer_armed(t, id) && t->due[id] == due;
    ensures others: \forall integer o; 0 <= o < t->cap && o != id ==>
                       (tn_timer_armed(t, o) <==> tn_timer_armed{Pre}(t, o));
*/
void tn_timers_set(struct tn_timers *t, uint32_t id, int64_t due);

/* Disarms the timer id; nothing happens when it is idle. */
/*@ requires ok: tn_timers_ok(t);
    requires id: id < t->cap;
    terminates \true; exits \false;
    assigns t->armed, t->heap[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
    ensures ok:   tn_timers_ok(t);
    ensures idle: !tn_timer_armed(t, id);
    ensures others: \forall integer o; 0 <= o < t->cap && o != id ==>
                       (tn_timer_armed(t, o) <==> tn_timer_armed{Pre}(t, o));
*/
void tn_timers_cancel(struct tn_timers *t, uint32_t id);

/* Returns the earliest deadline, TN_NEVER when no timer is armed. */
/*@ requires ok: tn_timers_ok(t);
    terminates \true; exits \false;
    assigns \nothing;
    ensures earliest: \forall integer id; tn_timer_armed(t, id) ==> \result <= t->due[id];
    ensures exact: t->armed == 0 ? \result == TN_NEVER : \result == t->due[t->heap[0]];
*/
int64_t tn_timers_next(const struct tn_timers *t);

/* Disarms the earliest timer that is due at the time now and returns its id;
 * TN_NONE when none is due yet: nothing fires early. */
/*@ requires ok: tn_timers_ok(t);
    terminates \true; exits \false;
    assigns t->armed, t->heap[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
    ensures ok: tn_timers_ok(t);
    ensures none_due: \result == TN_NONE <==>
                       (\forall integer id; tn_timer_armed{Pre}(t, id) ==> now < \old(t->due[id]));
    ensures fired: \result != TN_NONE ==>
                       tn_timer_armed{Pre}(t, \result) && !tn_timer_armed(t, \result) &&
                       t->due[\result] <= now;
    ensures first: \result != TN_NONE ==>
                       \forall integer id; tn_timer_armed{Pre}(t, id) ==>
                           t->due[\result] <= t->due[id];
    ensures others: \forall integer o; 0 <= o < t->cap && o != \result ==>
                       (tn_timer_armed(t, o) <==> tn_timer_armed{Pre}(t, o));
*/
uint32_t tn_timers_expire(struct tn_timers *t, int64_t now);

#endif
