#include "dispatch/supervisor.h"

#include "dispatch/totals.h"
#include "os/signals.h"
#include "serve/delivery.h"

#include <string.h>

int32_t tn_supervisor_open(struct tn_supervisor *s, uint32_t cap, uint32_t rests)
{
    int32_t r;

    if (cap == 0 || cap > TN_CHILDREN) {
        return TN_EINVAL;
    }
    tn_children_init(&s->children, cap);
    s->rests = rests;
    s->self = TN_NONE;
    s->started = 0;
    s->crashed = 0;
    memset(&s->totals, 0, sizeof s->totals);
    s->ended = tn_signals_open(TN_SIGNAL_CHLD);
    if (s->ended < 0) {
        return s->ended;
    }
    r = tn_pipe_open(s->lifeline);
    if (r < 0) {
        tn_close_if_open(&s->ended);
        return r;
    }
    s->counters = tn_shared_open(cap * sizeof *s->counters);
    if (s->counters == NULL) {
        tn_close_if_open(&s->ended);
        tn_close_if_open(&s->lifeline[0]);
        tn_close_if_open(&s->lifeline[1]);
        return TN_EMEMORY;
    }
    return 1;
}

int32_t tn_supervisor_fork(struct tn_supervisor *s)
{
    const int64_t now = tn_sys_now_ms();
    const uint32_t slot = tn_children_vacant(&s->children, now);
    int32_t pid;

    if (slot == TN_NONE) {
        return TN_EFULL;
    }
    memset(&s->counters[slot], 0, sizeof *s->counters);
    pid = tn_process_fork();
    if (pid < 0) {
        return pid;
    }
    if (pid == 0) {
        s->self = slot;
        s->children.live = 0; /* the others are not its own */
        tn_close_if_open(&s->ended);
        tn_close_if_open(&s->lifeline[1]);
        return 0;
    }
    tn_children_start(&s->children, slot, pid, now);
    tn_count(&s->started, 1);
    return 1;
}

/* Notes the end of the child in slot, which has been reaped. */
static void note_end(struct tn_supervisor *s, uint32_t slot, uint32_t crashed)
{
    tn_totals_close(&s->counters[slot]);
    tn_totals_add(&s->totals, &s->counters[slot]);
    tn_count(&s->crashed, crashed);
    tn_children_end(&s->children, slot, s->rests == 1 ? crashed : 0, tn_sys_now_ms());
}

/* Asks for each child by itself: a stranger that has ended and that nobody
 * reaps stands before ours. */
static void reap_each(struct tn_supervisor *s)
{
    uint32_t i = 0, crashed;

    while (i < s->children.live) {
        const uint32_t slot = s->children.perm[i];

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
    uint32_t crashed;

    for (uint32_t i = 0; i < s->children.live; i++) {
        tn_process_kill(s->children.pid[s->children.perm[i]]);
    }
    while (s->children.live > 0) {
        const uint32_t slot = s->children.perm[0];

        tn_process_wait(s->children.pid[slot], &crashed);
        note_end(s, slot, 0); /* it did not crash: we ended it */
    }
}

void tn_supervisor_close(struct tn_supervisor *s)
{
    tn_close_if_open(&s->ended);
    tn_close_if_open(&s->lifeline[0]);
    tn_close_if_open(&s->lifeline[1]);
    tn_shared_close(s->counters, s->children.cap * sizeof *s->counters);
    s->counters = NULL;
}
