#include "dispatch/threads.h"

#include "dispatch/totals.h"
#include "os/process.h"
#include "os/thread.h"
#include "os/wake.h"
#include "serve/stream.h"

#include <string.h>

static void close_lines(struct tn_threads *t)
{
    tn_close_if_open(&t->ended);
    tn_close_if_open(&t->lifeline[0]);
    tn_close_if_open(&t->lifeline[1]);
    tn_close_if_open(&t->endline[0]);
    tn_close_if_open(&t->endline[1]);
}

int32_t tn_threads_open(struct tn_threads *t, uint32_t cap, void (*serve)(struct tn_thread *),
                        void *context)
{
    int32_t r;

    if (cap == 0 || cap > TN_CHILDREN) {
        return TN_EINVAL;
    }
    tn_children_init(&t->slots, cap);
    t->serve = serve;
    t->context = context;
    memset(&t->totals, 0, sizeof t->totals);
    t->waiting = 0;
    t->awaited = 0;
    t->done = 0;
    t->lifeline[0] = t->lifeline[1] = t->endline[0] = t->endline[1] = -1;
    t->ended = tn_wake_open();
    r = t->ended < 0 ? t->ended : tn_pipe_open(t->lifeline);
    r = r < 0 ? r : tn_pipe_open(t->endline);
    if (r >= 0 && pthread_mutex_init(&t->lock, NULL) != 0) {
        r = TN_EMEMORY;
    }
    if (r < 0) {
        close_lines(t);
        return r;
    }
    return 1;
}

/* A thread, from its start to its end. */
static void *live(void *argument)
{
    struct tn_thread *self = argument;
    struct tn_threads *t = self->threads;
    uint32_t awaited;

    t->serve(self);
    (void)pthread_mutex_lock(&t->lock);
    t->done_slot[t->done] = self->slot;
    t->done++;
    awaited = t->awaited;
    t->awaited = 0;
    if (awaited == 1) {
        tn_wake(t->ended); /* before the unlock: once joined, `ended` may be closed */
    }
    (void)pthread_mutex_unlock(&t->lock);
    return NULL;
}

int32_t tn_threads_start(struct tn_threads *t, int32_t fd)
{
    const uint32_t slot = tn_children_vacant(&t->slots, 0);
    struct tn_thread *self;
    int32_t r;

    if (slot == TN_NONE) {
        return TN_EFULL;
    }
    self = &t->thread[slot];
    self->threads = t;
    self->slot = slot;
    self->fd = fd;
    memset(&self->counters, 0, sizeof self->counters);
    r = tn_thread_start(&self->id, sizeof(struct tn_stream) + TN_SESSION_STACK, live, self);
    if (r < 0) {
        return r;
    }
    tn_children_start(&t->slots, slot, (int32_t)slot + 1, 0);
    return 1;
}

static void join(struct tn_threads *t, uint32_t slot)
{
    (void)pthread_join(t->thread[slot].id, NULL);
    tn_totals_add(&t->totals, &t->thread[slot].counters);
    tn_children_end(&t->slots, slot, 0, 0);
}

/* Takes one of those that have ended; TN_NONE if there is none, and then awaits
 * the next if await is 1. */
static uint32_t take_done(struct tn_threads *t, uint32_t await)
{
    uint32_t slot = TN_NONE;

    (void)pthread_mutex_lock(&t->lock);
    if (t->done > 0) {
        t->done--;
        slot = t->done_slot[t->done];
    } else {
        t->awaited = await;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return slot;
}

static void join_done(struct tn_threads *t, uint32_t await)
{
    uint32_t slot;

    while (t->slots.live > 0 && (slot = take_done(t, await)) != TN_NONE) {
        join(t, slot);
    }
}

void tn_threads_join(struct tn_threads *t)
{
    if (t->waiting == 1) {
        tn_wake_clear(t->ended);
        t->waiting = 0;
    }
    join_done(t, 0);
}

void tn_threads_await(struct tn_threads *t)
{
    t->waiting = 1;
    join_done(t, 1);
}

void tn_threads_drain(struct tn_threads *t)
{
    tn_close_if_open(&t->lifeline[1]);
}

void tn_threads_end(struct tn_threads *t)
{
    tn_close_if_open(&t->lifeline[1]);
    tn_close_if_open(&t->endline[1]);
}

void tn_threads_close(struct tn_threads *t)
{
    while (t->slots.live > 0) {
        join(t, t->slots.perm[0]);
    }
    (void)pthread_mutex_destroy(&t->lock);
    close_lines(t);
}
