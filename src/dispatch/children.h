/* The children table: which workers run, and when the next may be started.
 *
 * A worker is a process or a thread; its identity is a positive number that no
 * other live one has.  Each has a slot.  There are never more than cap; a worker
 * that has ended is found once and then never again; the slot of one that
 * crashed rests before the next start, twice as long each time, so that a
 * program that cannot run does not take the machine with it.
 *
 *   perm:  [ live ........ | vacant, some of them resting ]
 *          0               live                           cap
 *
 * Pure: the clock is passed in, nothing is forked here.  Owned by the caller.
 */
#ifndef TN_DISPATCH_CHILDREN_H
#define TN_DISPATCH_CHILDREN_H

#include "core/perm.h"
#include "core/timers.h"
#include "os/sys.h"

/* Workers of one table, at most. */
#ifndef TN_CHILDREN
#define TN_CHILDREN 1024u
#endif

/* The rest after a crash: the first, and the longest. */
#define TN_REST_MIN_MS 100u
#define TN_REST_MAX_MS 10000u
/* A worker that lived so long is not held to account for earlier crashes. */
#define TN_STEADY_MS 10000

struct tn_children {
    uint32_t cap;  /* 1 .. TN_CHILDREN */
    uint32_t live; /* of these, running */
    uint32_t perm[TN_CHILDREN];
    uint32_t pos[TN_CHILDREN];
    int32_t pid[TN_CHILDREN];      /* of the live: the identity */
    uint16_t rest_ms[TN_CHILDREN]; /* the last rest; 0 after a good end */
    int64_t since_ms[TN_CHILDREN]; /* of the live: when it was started */
    int64_t due_ms[TN_CHILDREN];   /* of the vacant: not to be started before */
};

/*@ predicate tn_child_live{L}(struct tn_children *c, integer s) =
        0 <= s < c->cap && c->pos[s] < c->live;
    predicate tn_child_vacant{L}(struct tn_children *c, integer s) =
        0 <= s < c->cap && c->live <= c->pos[s];
    predicate tn_children_shape{L}(struct tn_children *c) =
        \valid(c) && 1 <= c->cap <= TN_CHILDREN && c->live <= c->cap &&
        tn_perm_ok(&c->perm[0], &c->pos[0], c->cap);
    // no two live workers are the same
    predicate tn_children_told_apart{L}(struct tn_children *c) =
        \forall integer i, j; tn_child_live(c, i) && tn_child_live(c, j) && i != j ==>
            c->pid[i] != c->pid[j];
    predicate tn_children_times{L}(struct tn_children *c) =
        \forall integer s; 0 <= s < c->cap ==>
            c->rest_ms[s] <= TN_REST_MAX_MS && 0 <= c->since_ms[s] <= TN_CLOCK_MAX &&
            0 <= c->due_ms[s] <= TN_CLOCK_MAX + TN_REST_MAX_MS &&
            (tn_child_live(c, s) ==> c->pid[s] > 0);
    predicate tn_children_ok{L}(struct tn_children *c) =
        tn_children_shape(c) && tn_children_told_apart(c) && tn_children_times(c);
    // every slot but x is live or vacant as it was, with the same worker
    predicate tn_children_same_but{A,B}(struct tn_children *c, integer x) =
        \forall integer s; 0 <= s < \at(c->cap,A) && s != x ==>
            (tn_child_live{A}(c, s) <==> tn_child_live{B}(c, s)) &&
            \at(c->pid[s],A) == \at(c->pid[s],B) && \at(c->due_ms[s],A) == \at(c->due_ms[s],B);
    // the rest after a crash, when the last one was rest and the worker lived so long
    logic integer tn_rest_after(integer rest, integer lived) =
        rest == 0 || lived >= TN_STEADY_MS ? TN_REST_MIN_MS :
        2 * rest <= TN_REST_MAX_MS ? 2 * rest : TN_REST_MAX_MS;
*/

/* Makes a table of cap vacant slots. */
/*@ requires room: \valid(c) && 1 <= cap <= TN_CHILDREN;
    terminates \true; exits \false;
    assigns *c;
    ensures ok:    tn_children_ok(c);
    ensures empty: c->cap == cap && c->live == 0;
    ensures ready: \forall integer s; 0 <= s < cap ==> c->due_ms[s] == 0 && c->rest_ms[s] == 0;
*/
void tn_children_init(struct tn_children *c, uint32_t cap);

/* Finds a slot in which a worker may be started at now_ms; TN_NONE when all are
 * live or resting. */
/*@ requires ok: tn_children_ok(c);
    terminates \true; exits \false;
    assigns \nothing;
    ensures vacant: \result != TN_NONE ==> tn_child_vacant(c, \result) &&
                    c->due_ms[\result] <= now_ms;
    ensures none:   \result == TN_NONE ==>
                    \forall integer s; tn_child_vacant(c, s) ==> now_ms < c->due_ms[s];
    ensures full:   c->live == c->cap ==> \result == TN_NONE;
*/
uint32_t tn_children_vacant(const struct tn_children *c, int64_t now_ms);

/* Notes that the worker pid runs in the vacant slot from now_ms on. */
/*@ requires ok:     tn_children_ok(c);
    requires vacant: tn_child_vacant(c, slot);
    requires new:    pid > 0 && \forall integer s; tn_child_live(c, s) ==> c->pid[s] != pid;
    requires clock:  0 <= now_ms <= TN_CLOCK_MAX;
    terminates \true; exits \false;
    assigns c->live, c->perm[0 .. c->cap - 1], c->pos[0 .. c->cap - 1], c->pid[slot],
            c->since_ms[slot];
    ensures shape:  tn_children_shape(c);
    ensures apart:  tn_children_told_apart(c);
    ensures times:  tn_children_times(c);
    ensures count:  c->live == \old(c->live) + 1;
    ensures capped: c->live <= c->cap;
    ensures live:   tn_child_live(c, slot) && c->pid[slot] == pid && c->since_ms[slot] == now_ms;
    ensures others: tn_children_same_but{Pre,Post}(c, slot);
*/
void tn_children_start(struct tn_children *c, uint32_t slot, int32_t pid, int64_t now_ms);

/* Finds the live worker pid; returns its slot, TN_NONE when there is none. */
/*@ requires ok: tn_children_ok(c);
    terminates \true; exits \false;
    assigns \nothing;
    ensures found: \result != TN_NONE ==> tn_child_live(c, \result) && c->pid[\result] == pid;
    ensures none:  \result == TN_NONE ==>
                   \forall integer s; tn_child_live(c, s) ==> c->pid[s] != pid;
*/
uint32_t tn_children_find(const struct tn_children *c, int32_t pid);

/* Notes that the live worker in slot has ended, at now_ms; crashed: 1 if its
 * slot is to rest for that.  It is found no more. */
/*@ requires ok:    tn_children_ok(c);
    requires live:  tn_child_live(c, slot);
    requires known: crashed == 0 || crashed == 1;
    requires clock: 0 <= now_ms <= TN_CLOCK_MAX;
    terminates \true; exits \false;
    assigns c->live, c->perm[0 .. c->cap - 1], c->pos[0 .. c->cap - 1], c->rest_ms[slot],
            c->due_ms[slot];
    ensures shape:  tn_children_shape(c);
    ensures apart:  tn_children_told_apart(c);
    ensures times:  tn_children_times(c);
    ensures count:  c->live == \old(c->live) - 1;
    ensures vacant: tn_child_vacant(c, slot);
    ensures gone:   \forall integer s; tn_child_live(c, s) ==> c->pid[s] != \old(c->pid[slot]);
    ensures rest:   c->rest_ms[slot] == (crashed == 0 ? 0 :
                        tn_rest_after(\old(c->rest_ms[slot]), now_ms - c->since_ms[slot]));
    ensures due:    c->due_ms[slot] == (crashed == 0 ? 0 : now_ms + c->rest_ms[slot]);
    ensures others: tn_children_same_but{Pre,Post}(c, slot);
*/
void tn_children_end(struct tn_children *c, uint32_t slot, uint32_t crashed, int64_t now_ms);

/* Forgets every worker: what a forked child does with its parent's table.  Their
 * slots are vacant. */
/*@ requires ok: tn_children_ok(c);
    terminates \true; exits \false;
    assigns c->live;
    ensures ok:    tn_children_ok(c);
    ensures empty: c->live == 0;
*/
void tn_children_forget(struct tn_children *c);

/* When the first of the vacant slots may be started; TN_NEVER when all live. */
/*@ requires ok: tn_children_ok(c);
    terminates \true; exits \false;
    assigns \nothing;
    ensures bound: \forall integer s; tn_child_vacant(c, s) ==> \result <= c->due_ms[s];
    ensures exact: c->live < c->cap ==>
                   \exists integer s; tn_child_vacant(c, s) && \result == c->due_ms[s];
    ensures never: c->live == c->cap ==> \result == TN_NEVER;
*/
int64_t tn_children_next(const struct tn_children *c);

#endif
