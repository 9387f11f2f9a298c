/* Timers: one deadline for each of cap ids, the earliest at hand.
 *
 * Every change leaves the heap in order but for one place c, whose deadline
 * may be wrong for its parent and for its children; the parent of c and the
 * children of c are in order among themselves (the bridge over c).  From there
 * the deadline at c either rises or sinks, never both.
 */
#include "core/timers.h"

/*@ predicate order_but{L}(struct tn_timers *t, integer c) =
        \forall integer i, j; 0 <= i < j < t->armed && tn_heap_child(i, j) && i != c && j != c ==>
            tn_due_at(t, i) <= tn_due_at(t, j);
    predicate order_but_to{L}(struct tn_timers *t, integer c) =
        \forall integer i, j; 0 <= i < j < t->armed && tn_heap_child(i, j) && j != c ==>
            tn_due_at(t, i) <= tn_due_at(t, j);
    predicate order_but_from{L}(struct tn_timers *t, integer c) =
        \forall integer i, j; 0 <= i < j < t->armed && tn_heap_child(i, j) && i != c ==>
            tn_due_at(t, i) <= tn_due_at(t, j);
    predicate bridge{L}(struct tn_timers *t, integer c) =
        0 < c ==> \forall integer j; c < j < t->armed && tn_heap_child(c, j) ==>
            tn_due_at(t, (c - 1) / 2) <= tn_due_at(t, j);
    predicate same_armed_but{A,B}(struct tn_timers *t, integer id) =
        \forall integer o; 0 <= o < \at(t->cap,A) && o != id ==>
            (tn_timer_armed{A}(t, o) <==> tn_timer_armed{B}(t, o));
    lemma parent_of: \forall integer j; 0 < j ==>
        tn_heap_child((j - 1) / 2, j) && 0 <= (j - 1) / 2 < j;
*/

/* The deadline of the timer at the place i. */
/*@ requires base:  tn_timers_base(t);
    requires place: i < t->cap;
    terminates \true; exits \false;
    assigns \nothing;
    ensures due: \result == tn_due_at(t, i);
*/
static int64_t due_at(const struct tn_timers *t, uint32_t i)
{
    return t->due[t->heap[i]];
}

/* Swaps the timers at the places i and j. */
/*@ requires base:   tn_timers_base(t);
    requires places: i < t->cap && j < t->cap;
    terminates \true; exits \false;
    assigns t->heap[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
    ensures base:    tn_timers_base(t);
    ensures swapped: t->heap[i] == \old(t->heap[j]) && t->heap[j] == \old(t->heap[i]);
    ensures due:     tn_due_at(t, i) == \old(tn_due_at(t, j)) &&
                     tn_due_at(t, j) == \old(tn_due_at(t, i));
    ensures placed:  t->pos[t->heap[i]] == i && t->pos[t->heap[j]] == j;
    ensures due_others: \forall integer k; 0 <= k < t->cap && k != i && k != j ==>
                       tn_due_at(t, k) == \old(tn_due_at(t, k));
    ensures others: \forall integer o; 0 <= o < t->cap && o != t->heap[i] && o != t->heap[j] ==>
                       t->pos[o] == \old(t->pos[o]);
*/
static void heap_swap(struct tn_timers *t, uint32_t i, uint32_t j)
{
    tn_perm_swap(&t->heap[0], &t->pos[0], t->cap, i, j);
}

/* Puts the heap in order again when only the place c is too early for its
 * parent. */
/*@ requires base:   tn_timers_base(t);
    requires place:  c < t->armed;
    requires order:  order_but_to(t, c);
    requires bridge: bridge(t, c);
    terminates \true; exits \false;
    assigns t->heap[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
    ensures base:   tn_timers_base(t);
    ensures order:  tn_heap_order(t);
    ensures others: same_armed_but{Pre,Post}(t, -1);
*/
static void heap_rise(struct tn_timers *t, uint32_t c)
{
    /*@ loop invariant place:  0 <= c < t->armed;
        loop invariant base:   tn_timers_base(t);
        loop invariant order:  order_but_to(t, c);
        loop invariant bridge: bridge(t, c);
        loop invariant others: same_armed_but{Pre,Here}(t, -1);
        loop assigns c, t->heap[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
        loop variant c;
    */
    while (c > 0) {
        uint32_t parent = (c - 1) / 2;

        if (due_at(t, parent) <= due_at(t, c))
            break;
        /*@ assert child: 0 < parent ==>
                tn_heap_child((parent - 1) / 2, parent) && (parent - 1) / 2 < parent; */
        //@ assert above: 0 < parent ==> tn_due_at(t, (parent - 1) / 2) <= tn_due_at(t, parent);
        heap_swap(t, parent, c);
        c = parent;
    }
}

/* Puts the heap in order again when only the place c is too late for its
 * children. */
/*@ requires base:   tn_timers_base(t);
    requires place:  c < t->armed;
    requires order:  order_but_from(t, c);
    requires bridge: bridge(t, c);
    terminates \true; exits \false;
    assigns t->heap[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
    ensures base:   tn_timers_base(t);
    ensures order:  tn_heap_order(t);
    ensures others: same_armed_but{Pre,Post}(t, -1);
*/
static void heap_sink(struct tn_timers *t, uint32_t c)
{
    /*@ loop invariant place:  0 <= c < t->armed;
        loop invariant base:   tn_timers_base(t);
        loop invariant order:  order_but_from(t, c);
        loop invariant bridge: bridge(t, c);
        loop invariant others: same_armed_but{Pre,Here}(t, -1);
        loop assigns c, t->heap[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
        loop variant t->armed - c;
    */
    while (2 * c + 1 < t->armed) {
        uint32_t child = 2 * c + 1;

        if (child + 1 < t->armed && due_at(t, child + 1) < due_at(t, child))
            child++;
        /*@ assert least: \forall integer j; c < j < t->armed && tn_heap_child(c, j) ==>
                tn_due_at(t, child) <= tn_due_at(t, j); */
        if (due_at(t, c) <= due_at(t, child))
            break;
        //@ assert above: 0 < c ==> tn_due_at(t, (c - 1) / 2) <= tn_due_at(t, child);
        heap_swap(t, c, child);
        c = child;
    }
}

/* Puts the heap in order again when only the place c is out of it. */
/*@ requires base:   tn_timers_base(t);
    requires place:  c < t->armed;
    requires order:  order_but(t, c);
    requires bridge: bridge(t, c);
    terminates \true; exits \false;
    assigns t->heap[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
    ensures ok:     tn_timers_ok(t);
    ensures others: same_armed_but{Pre,Post}(t, -1);
*/
static void heap_settle(struct tn_timers *t, uint32_t c)
{
    if (c > 0 && due_at(t, c) < due_at(t, (c - 1) / 2))
        heap_rise(t, c);
    else
        heap_sink(t, c);
}

/* Gives the idle timer id the last place of the heap, its deadline unsettled. */
/*@ requires ok:   tn_timers_ok(t);
    requires idle: id < t->cap && !tn_timer_armed(t, id);
    terminates \true; exits \false;
    assigns t->armed, t->heap[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
    ensures base:   tn_timers_base(t);
    ensures armed:  tn_timer_armed(t, id);
    ensures order:  order_but(t, t->pos[id]);
    ensures bridge: bridge(t, t->pos[id]);
    ensures others: same_armed_but{Pre,Post}(t, id);
*/
static void heap_append(struct tn_timers *t, uint32_t id)
{
    uint32_t last = t->armed;

    t->armed = last + 1;
    heap_swap(t, t->pos[id], last);
}

/* Moves the timer at the place p out of the heap.  The one that stood last
 * takes its place, unsettled. */
/*@ requires ok:    tn_timers_ok(t);
    requires place: p < t->armed;
    terminates \true; exits \false;
    assigns t->armed, t->heap[0 .. t->cap - 1], t->pos[0 .. t->cap - 1];
    ensures base:   tn_timers_base(t);
    ensures count:  t->armed == \old(t->armed) - 1;
    ensures idle:   !tn_timer_armed(t, \old(t->heap[p]));
    ensures order:  order_but(t, p);
    ensures bridge: p < t->armed ==> bridge(t, p);
    ensures others: same_armed_but{Pre,Post}(t, \old(t->heap[p]));
*/
static void heap_remove(struct tn_timers *t, uint32_t p)
{
    uint32_t last = t->armed - 1;

    //@ assert child: 0 < p ==> tn_heap_child((p - 1) / 2, p) && (p - 1) / 2 < p;
    //@ assert parent: 0 < p ==> tn_due_at(t, (p - 1) / 2) <= tn_due_at(t, p);
    t->armed = last;
    heap_swap(t, p, last);
}

/* Changes the deadline of the armed timer id, unsettled. */
/*@ requires base:   tn_timers_base(t);
    requires armed:  tn_timer_armed(t, id);
    requires order:  order_but(t, t->pos[id]);
    requires bridge: bridge(t, t->pos[id]);
    terminates \true; exits \false;
    assigns t->due[id];
    ensures due:    t->due[id] == due;
    ensures order:  order_but(t, t->pos[id]);
    ensures bridge: bridge(t, t->pos[id]);
*/
static void due_change(struct tn_timers *t, uint32_t id, int64_t due)
{
    t->due[id] = due;
    /*@ assert others: \forall integer k; 0 <= k < t->cap && k != t->pos[id] ==>
            tn_due_at(t, k) == \at(tn_due_at(t, k),Pre); */
}

void tn_timers_init(struct tn_timers *t, uint32_t cap)
{
    t->cap = cap;
    t->armed = 0;
    tn_perm_init(&t->heap[0], &t->pos[0], cap);
}

void tn_timers_set(struct tn_timers *t, uint32_t id, int64_t due)
{
    uint32_t c = t->pos[id];

    //@ assert child: 0 < c ==> tn_heap_child((c - 1) / 2, c) && (c - 1) / 2 < c;
    //@ assert parent: 0 < c < t->armed ==> tn_due_at(t, (c - 1) / 2) <= tn_due_at(t, c);
    if (c >= t->armed)
        heap_append(t, id);
    due_change(t, id, due);
    heap_settle(t, t->pos[id]);
}

void tn_timers_cancel(struct tn_timers *t, uint32_t id)
{
    uint32_t p = t->pos[id];

    if (p >= t->armed)
        return;
    heap_remove(t, p);
    if (p < t->armed)
        heap_settle(t, p);
}

/* The earliest deadline; some timer is armed. */
/*@ requires ok:   tn_timers_ok(t);
    requires some: 0 < t->armed;
    terminates \true; exits \false;
    assigns \nothing;
    ensures root:  \result == tn_due_at(t, 0);
    ensures least: \forall integer id; tn_timer_armed(t, id) ==> \result <= t->due[id];
*/
static int64_t due_first(const struct tn_timers *t)
{
    /*@ ghost
        /@ loop invariant reach: 0 < i <= t->armed;
           loop invariant least: \forall integer j; 0 <= j < i ==>
               tn_due_at(t, 0) <= tn_due_at(t, j);
           loop assigns i;
           loop variant t->armed - i;
        @/
        for (uint32_t i = 1; i < t->armed; i++) {
            /@ assert child: tn_heap_child((i - 1) / 2, i) && 0 <= (i - 1) / 2 < i; @/
            /@ assert parent: tn_due_at(t, (i - 1) / 2) <= tn_due_at(t, i); @/
        }
    */
    return due_at(t, 0);
}

int64_t tn_timers_next(const struct tn_timers *t)
{
    return t->armed > 0 ? due_first(t) : TN_NEVER;
}

uint32_t tn_timers_expire(struct tn_timers *t, int64_t now)
{
    uint32_t id;

    if (t->armed == 0 || due_first(t) > now)
        return TN_NONE;
    id = t->heap[0];
    tn_timers_cancel(t, id);
    return id;
}
