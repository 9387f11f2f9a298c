/* A supervisor of processes: it starts them, notices each end once, adds up
 * what they counted and ends them all.
 *
 * What runs and what may be started is in the children table.  Proved of the
 * whole: who stands in the table is a child that is not reaped, so that each is
 * reaped once and no stranger is ended; every child that was forked stands in the
 * table until it is reaped; and there are never more than cap.  The model of the
 * kernel for it is in os/process.h; it speaks of one supervisor in a process.
 *
 * Each child has a lifeline, the reading end of a pipe that nothing is written
 * to: it comes to its end when the supervisor drains or is gone.  Its counters
 * lie in memory that is shared with the supervisor, so that they outlive it.
 */
#ifndef TN_DISPATCH_SUPERVISOR_H
#define TN_DISPATCH_SUPERVISOR_H

#include "dispatch/children.h"
#include "dispatch/totals.h"
#include "os/process.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tn_supervisor {
    struct tn_children children;
    int32_t ended;                /* can be read when a child has ended; wait for it */
    int32_t lifeline[2];          /* [1] is -1 once a drain has begun, and in a child */
    uint32_t rests;               /* 1: the slot of a crashed child rests */
    uint32_t self;                /* in a child: its slot */
    int64_t started;              /* children started */
    int64_t crashed;              /* of these, ended by a signal or with a status but 0 */
    struct tn_counters *counters; /* shared, one for each slot */
    struct tn_counters totals;    /* of the children that have ended */
};

/*@ ghost
    // of the children a supervisor has forked: the slot each stands in
    uint32_t k_place[TN_PIDS];
*/

/*@ predicate tn_supervisor_shape{L}(struct tn_supervisor *s) =
        \valid(s) && tn_children_ok(&s->children) &&
        \valid(s->counters + (0 .. s->children.cap - 1));
    // the shared memory, which is the system's, is no part of s
    predicate tn_supervisor_apart{L}(struct tn_supervisor *s) =
        \separated(s, s->counters + (0 .. s->children.cap - 1));
    // who stands in the table is a child, not reaped
    predicate tn_supervisor_ours{L}(struct tn_supervisor *s) =
        \forall integer i; tn_child_live(&s->children, i) ==>
            k_child_ours(s->children.pid[i]) && k_place[s->children.pid[i]] == i;
    // and each child that was forked, while it is not reaped, stands there
    predicate tn_supervisor_all{L}(struct tn_supervisor *s) =
        \forall integer p; k_child_ours(p) && k_place[p] != TN_NONE ==>
            tn_child_live(&s->children, k_place[p]) && s->children.pid[k_place[p]] == p;
    predicate tn_supervisor_ok{L}(struct tn_supervisor *s) =
        tn_supervisor_shape(s) && tn_supervisor_ours(s) && tn_supervisor_all(s);
*/

/* What a start or an end of a child of the supervisor s may change. */
/* clang-format off */
#define TN_SUPERVISOR_STATE \
    s->children.live, s->children.perm[0 .. s->children.cap - 1], \
    s->children.pos[0 .. s->children.cap - 1], s->children.pid[0 .. s->children.cap - 1], \
    s->children.rest_ms[0 .. s->children.cap - 1], \
    s->children.since_ms[0 .. s->children.cap - 1], \
    s->children.due_ms[0 .. s->children.cap - 1], s->started, s->crashed, s->totals, \
    s->counters[0 .. s->children.cap - 1], k_child[0 .. TN_PIDS - 1], k_place[0 .. TN_PIDS - 1]
/* clang-format on */

/* Makes a supervisor of at most cap children (1 .. TN_CHILDREN).  rests: 1 if a
 * crash is to slow down the next start, as for workers that are replaced.
 * Returns 1, or TN_EINVAL, TN_EFILES, TN_EMEMORY, TN_ESYSTEM. */
/*@ requires room:  \valid(s);
    requires first: \forall integer p; 0 <= p < TN_PIDS ==> k_place[p] == TN_NONE;
    terminates \true; exits \false;
    assigns *s;
    ensures result: \result == 1 || \result == TN_EINVAL || \result == TN_EFILES ||
                    \result == TN_EMEMORY || \result == TN_ESYSTEM;
    ensures range:  \result == 1 ==> 1 <= cap <= TN_CHILDREN && s->children.cap == cap;
    ensures shape:  \result == 1 ==> tn_supervisor_shape(s);
    ensures ours:   \result == 1 ==> tn_supervisor_ours(s);
    ensures all:    \result == 1 ==> tn_supervisor_all(s);
    ensures empty:  \result == 1 ==> s->children.live == 0 && s->started == 0 && s->crashed == 0;
    ensures open:   \result == 1 ==> s->ended >= 0 && s->lifeline[0] >= 0 && s->lifeline[1] >= 0;
*/
int32_t tn_supervisor_open(struct tn_supervisor *s, uint32_t cap, uint32_t rests);

/* Forks a child.  Returns 1 to the parent and 0 to the child; TN_EFULL when cap
 * children run or their slots rest; TN_EMEMORY or TN_ESYSTEM when the system
 * refuses.  The child has its slot in self, its counters, zeroed, at
 * counters[self], and its lifeline; the rest is closed.  It ends by
 * tn_process_exit. */
/*@ requires ok:     tn_supervisor_ok(s);
    requires apart: tn_supervisor_apart(s);
    terminates \true; exits \false;
    assigns TN_SUPERVISOR_STATE, s->self, s->ended, s->lifeline[1];
    ensures result:  \result == 0 || \result == 1 || \result == TN_EFULL ||
                     \result == TN_EMEMORY || \result == TN_ESYSTEM;
    ensures shape:   tn_supervisor_shape(s);
    ensures ours:    tn_supervisor_ours(s);
    ensures all:     tn_supervisor_all(s);
    ensures one:     \result == 1 ==> s->children.live == \old(s->children.live) + 1;
    ensures capped:  \old(s->children.live) == s->children.cap ==> \result == TN_EFULL;
    ensures failed:  \result < 0 ==> s->children.live == \old(s->children.live) &&
                     k_child == \old(k_child);
    ensures child:   \result == 0 ==> s->children.live == 0 && s->self < s->children.cap &&
                     s->ended == -1 && s->lifeline[1] == -1 &&
                     s->lifeline[0] == \old(s->lifeline[0]);
    ensures zeroed:  \result == 0 ==> tn_totals_zero(s->counters + s->self);
*/
int32_t tn_supervisor_fork(struct tn_supervisor *s);

/* Takes the ends of all children that have ended.  Children of the process that
 * are not the supervisor's are left alone. */
/*@ requires ok:    tn_supervisor_ok(s);
    requires apart: tn_supervisor_apart(s);
    terminates \true; exits \false;
    assigns TN_SUPERVISOR_STATE;
    ensures shape:  tn_supervisor_shape(s);
    ensures ours:   tn_supervisor_ours(s);
    ensures all:    tn_supervisor_all(s);
    ensures fewer:  s->children.live <= \old(s->children.live);
    ensures alone:  \forall integer p; 0 <= p < TN_PIDS && \old(k_place[p]) == TN_NONE ==>
                    (\old(k_child[p]) == 0 ? k_child[p] == 0 : k_child[p] != 0);
*/
void tn_supervisor_reap(struct tn_supervisor *s);

/* When the next child may be started, as tn_children_next. */
/*@ requires ok: tn_supervisor_ok(s);
    terminates \true; exits \false;
    assigns \nothing;
    ensures bound: \forall integer i; tn_child_vacant(&s->children, i) ==>
                   \result <= s->children.due_ms[i];
    ensures exact: s->children.live < s->children.cap ==>
                   \exists integer i; tn_child_vacant(&s->children, i) &&
                   \result == s->children.due_ms[i];
    ensures never: s->children.live == s->children.cap ==> \result == TN_NEVER;
*/
int64_t tn_supervisor_next(const struct tn_supervisor *s);

/* Tells all children to drain: their lifelines end. */
/*@ requires ok: tn_supervisor_ok(s);
    terminates \true; exits \false;
    assigns s->lifeline[1];
    ensures told: s->lifeline[1] == -1;
    ensures ok:   tn_supervisor_ok(s);
*/
void tn_supervisor_drain(struct tn_supervisor *s);

/* Ends all children at once and takes their ends. */
/*@ requires ok:    tn_supervisor_ok(s);
    requires apart: tn_supervisor_apart(s);
    terminates \true; exits \false;
    assigns TN_SUPERVISOR_STATE;
    ensures shape:  tn_supervisor_shape(s);
    ensures none:   s->children.live == 0 &&
                    \forall integer p; k_child_ours(p) ==> k_place[p] == TN_NONE;
    ensures alone:  \forall integer p; 0 <= p < TN_PIDS && \old(k_place[p]) == TN_NONE ==>
                    k_child[p] == \old(k_child[p]);
*/
void tn_supervisor_kill(struct tn_supervisor *s);

/* Closes what the supervisor has open; no child runs any more. */
/*@ requires ok:    tn_supervisor_ok(s);
    requires none:  s->children.live == 0;
    terminates \true; exits \false;
    assigns s->ended, s->lifeline[0 .. 1], s->counters \from \nothing;
    ensures closed: s->ended == -1 && s->lifeline[0] == -1 && s->lifeline[1] == -1;
    ensures gone:   s->counters == \null;
*/
void tn_supervisor_close(struct tn_supervisor *s);

#ifdef __cplusplus
}
#endif

#endif
