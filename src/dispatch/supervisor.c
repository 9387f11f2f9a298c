#include "dispatch/supervisor.h"

#include "dispatch/totals_share.h"
#include "os/signals.h"
#include "serve/delivery.h"

int32_t tn_supervisor_open(struct tn_supervisor *s, uint32_t cap, uint32_t rests)
{
    int32_t r;

    if (cap == 0 || cap > TN_CHILDREN) {
        return TN_EINVAL;
    }
    tn_totals_clear(&s->totals);
    s->rests = rests;
    s->self = TN_NONE;
    s->started = 0;
    s->crashed = 0;
    tn_children_init(&s->children, cap);
    s->ended = tn_signals_open(TN_SIGNAL_CHLD);
    if (s->ended < 0) {
        return s->ended;
    }
    r = tn_pipe_open(s->lifeline);
    if (r < 0) {
        tn_close_if_open(&s->ended);
        return r;
    }
    s->counters = tn_totals_share(cap);
    if (s->counters == NULL) {
        tn_close_if_open(&s->ended);
        tn_close_if_open(&s->lifeline[0]);
        tn_close_if_open(&s->lifeline[1]);
        return TN_EMEMORY;
    }
    //@ assert none: \forall integer i; !tn_child_live(&s->children, i);
    //@ assert made: tn_supervisor_shape(s);
    return 1;
}

/* Notes the start of the child pid, in the vacant slot. */
/*@ requires shape:   tn_supervisor_shape(s);
    requires ours:    tn_supervisor_ours(s);
    requires vacant:  tn_child_vacant(&s->children, slot);
    requires child:   k_child_ours(pid);
    requires new:     \forall integer i; tn_child_live(&s->children, i) ==>
                      s->children.pid[i] != pid;
    requires others:  \forall integer p; k_child_ours(p) && k_place[p] != TN_NONE && p != pid ==>
                      tn_child_live(&s->children, k_place[p]) &&
                      s->children.pid[k_place[p]] == p;
    requires clock:   0 <= now_ms <= TN_CLOCK_MAX;
    terminates \true; exits \false;
    assigns s->children.live, s->children.perm[0 .. s->children.cap - 1],
            s->children.pos[0 .. s->children.cap - 1], s->children.pid[slot],
            s->children.since_ms[slot], s->started, k_place[pid];
    ensures shape:    tn_supervisor_shape(s);
    ensures ours:     tn_supervisor_ours(s);
    ensures all:      tn_supervisor_all(s);
    ensures count:    s->children.live == \old(s->children.live) + 1;
*/
static void note_start(struct tn_supervisor *s, uint32_t slot, int32_t pid, int64_t now_ms)
{
    tn_count(&s->started, 1);
    //@ assert times: tn_children_times(&s->children);
    //@ ghost k_place[pid] = slot;
    tn_children_start(&s->children, slot, pid, now_ms);
}

/* In a new child, the one in slot: what is the parent's alone is let go. */
/*@ requires shape:   tn_supervisor_shape(s);
    requires alone:   \forall integer p; 0 <= p < TN_PIDS ==> k_child[p] == 0;
    terminates \true; exits \false;
    assigns s->children.live, s->self, s->ended, s->lifeline[1];
    ensures table:    tn_children_ok(&s->children);
    ensures counters: \valid(s->counters + (0 .. s->children.cap - 1));
    ensures none:     s->children.live == 0 && \forall integer i; !tn_child_live(&s->children, i);
    ensures self:     s->self == slot;
    ensures closed:   s->ended == -1 && s->lifeline[1] == -1;
*/
static void enter_child(struct tn_supervisor *s, uint32_t slot)
{
    s->self = slot;
    tn_close_if_open(&s->ended);
    tn_close_if_open(&s->lifeline[1]);
    //@ assert table: tn_children_shape(&s->children);
    //@ assert times: tn_children_times(&s->children);
    tn_children_forget(&s->children);
}

int32_t tn_supervisor_fork(struct tn_supervisor *s)
{
    const int64_t now = tn_sys_now_ms();
    const uint32_t slot = tn_children_vacant(&s->children, now);
    int32_t pid;

    if (slot == TN_NONE) {
        return TN_EFULL;
    }
    tn_totals_clear(&s->counters[slot]);
    //@ assert told_apart: tn_children_told_apart(&s->children);
    //@ assert times: tn_children_times(&s->children);
    pid = tn_process_fork();
    if (pid < 0) {
        return pid;
    }
    if (pid == 0) {
        enter_child(s, slot);
        return 0;
    }
    note_start(s, slot, pid, now);
    return 1;
}

/* Notes the end of the child in slot, which has been reaped. */
/*@ requires shape:   tn_supervisor_shape(s);
    requires apart:   tn_supervisor_apart(s);
    requires live:    tn_child_live(&s->children, slot);
    requires known:   crashed == 0 || crashed == 1;
    requires reaped:  0 < s->children.pid[slot] < TN_PIDS && k_child[s->children.pid[slot]] == 0;
    requires placed:  k_place[s->children.pid[slot]] == slot;
    requires others:  \forall integer i; tn_child_live(&s->children, i) && i != slot ==>
                      k_child_ours(s->children.pid[i]) && k_place[s->children.pid[i]] == i;
    requires all:     tn_supervisor_all(s);
    terminates \true; exits \false;
    assigns s->children.live, s->children.perm[0 .. s->children.cap - 1],
            s->children.pos[0 .. s->children.cap - 1], s->children.rest_ms[slot],
            s->children.due_ms[slot], s->totals, s->crashed, s->counters[slot],
            k_place[s->children.pid[slot]];
    ensures shape:    tn_supervisor_shape(s);
    ensures ours:     tn_supervisor_ours(s);
    ensures all:      tn_supervisor_all(s);
    ensures count:    s->children.live == \old(s->children.live) - 1;
    ensures unplaced: k_place[s->children.pid[slot]] == TN_NONE;
*/
static void note_end(struct tn_supervisor *s, uint32_t slot, uint32_t crashed)
{
    tn_totals_close(&s->counters[slot]);
    tn_totals_add(&s->totals, &s->counters[slot]);
    tn_count(&s->crashed, crashed);
    //@ ghost k_place[s->children.pid[slot]] = TN_NONE;
    tn_children_end(&s->children, slot, s->rests == 1 ? crashed : 0, tn_sys_now_ms());
}

/* Asks for each child by itself: a stranger that has ended and that nobody
 * reaps stands before ours. */
/*@ requires ok:    tn_supervisor_ok(s);
    requires apart: tn_supervisor_apart(s);
    terminates \true; exits \false;
    assigns TN_SUPERVISOR_STATE;
    ensures shape:  tn_supervisor_shape(s);
    ensures ours:   tn_supervisor_ours(s);
    ensures all:    tn_supervisor_all(s);
    ensures fewer:  s->children.live <= \old(s->children.live);
    ensures alone:  \forall integer p; 0 <= p < TN_PIDS && \old(k_place[p]) == TN_NONE ==>
                    k_child[p] == \old(k_child[p]);
*/
static void reap_each(struct tn_supervisor *s)
{
    uint32_t i = 0, crashed;

    /*@ loop invariant range: 0 <= i <= s->children.live <= \at(s->children.live, Pre);
        loop invariant shape: tn_supervisor_shape(s);
        loop invariant ours:  tn_supervisor_ours(s);
        loop invariant all:   tn_supervisor_all(s);
        loop invariant alone: \forall integer p; 0 <= p < TN_PIDS &&
            \at(k_place[p], Pre) == TN_NONE ==>
                k_child[p] == \at(k_child[p], Pre) && k_place[p] == TN_NONE;
        loop assigns i, crashed, TN_SUPERVISOR_STATE;
        loop variant s->children.live - i;
    */
    while (i < s->children.live) {
        const uint32_t slot = s->children.perm[i];

        //@ assert there: tn_child_live(&s->children, slot);
        if (tn_process_reap(s->children.pid[slot], &crashed) != 0) {
            note_end(s, slot, crashed); /* another stands at place i now */
        } else {
            i++;
        }
    }
}

void tn_supervisor_reap(struct tn_supervisor *s)
{
    int32_t pid;
    uint32_t crashed;

    (void)tn_signals_take(s->ended); /* one stands for all: the next end makes it readable */
    /*@ loop invariant fewer: s->children.live <= \at(s->children.live, Pre);
        loop invariant shape: tn_supervisor_shape(s);
        loop invariant ours:  tn_supervisor_ours(s);
        loop invariant all:   tn_supervisor_all(s);
        loop invariant alone: \forall integer p; 0 <= p < TN_PIDS &&
            \at(k_place[p], Pre) == TN_NONE ==> k_place[p] == TN_NONE &&
                (\at(k_child[p], Pre) == 0 ? k_child[p] == 0 : k_child[p] != 0);
        loop assigns pid, crashed, TN_SUPERVISOR_STATE;
        loop variant s->children.live;
    */
    while ((pid = tn_process_ended()) > 0) {
        const uint32_t slot = tn_children_find(&s->children, pid);

        if (slot == TN_NONE) {
            reap_each(s);
            return;
        }
        (void)tn_process_reap(pid, &crashed);
        note_end(s, slot, crashed);
    }
}

int64_t tn_supervisor_next(const struct tn_supervisor *s)
{
    return tn_children_next(&s->children);
}

void tn_supervisor_drain(struct tn_supervisor *s)
{
    tn_close_if_open(&s->lifeline[1]);
}

void tn_supervisor_kill(struct tn_supervisor *s)
{
    uint32_t i, crashed;

    /*@ loop invariant range: 0 <= i <= s->children.live;
        loop assigns i;
        loop variant s->children.live - i;
    */
    for (i = 0; i < s->children.live; i++) {
        tn_process_kill(s->children.pid[s->children.perm[i]]);
    }
    /*@ loop invariant shape: tn_supervisor_shape(s);
        loop invariant ours:  tn_supervisor_ours(s);
        loop invariant all:   tn_supervisor_all(s);
        loop invariant alone: \forall integer p; 0 <= p < TN_PIDS &&
            \at(k_place[p], Pre) == TN_NONE ==>
                k_child[p] == \at(k_child[p], Pre) && k_place[p] == TN_NONE;
        loop assigns crashed, TN_SUPERVISOR_STATE;
        loop variant s->children.live;
    */
    while (s->children.live > 0) {
        const uint32_t slot = s->children.perm[0];

        //@ assert there: tn_child_live(&s->children, slot);
        tn_process_wait(s->children.pid[slot], &crashed);
        note_end(s, slot, 0); /* it did not crash: we ended it */
    }
}

void tn_supervisor_close(struct tn_supervisor *s)
{
    tn_close_if_open(&s->ended);
    tn_close_if_open(&s->lifeline[0]);
    tn_close_if_open(&s->lifeline[1]);
    tn_totals_unshare(s->counters, s->children.cap);
    s->counters = NULL;
}
