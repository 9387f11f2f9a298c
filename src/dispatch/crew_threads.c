/* The threads of a crew, and the callers' functions that they run. */
#define _GNU_SOURCE
#include "dispatch/crew_lock.h"
#include "dispatch/crew_worker.h"
#include "os/sys.h"
#include "os/thread.h"
#include "os/wake.h"

#include <stddef.h>

_Static_assert(offsetof(struct tn_crew, data) % sizeof(int64_t) == 0 &&
                   TN_JOB_BYTES % sizeof(int64_t) == 0,
               "the data of a job is aligned for int64_t");

/* A thread, from its start to its end. */
static void *worker(void *argument)
{
    struct tn_crew *c = argument;
    uint32_t slot = tn_crew_next(c, TN_NONE, 0);

    while (slot != TN_NONE) {
        const int32_t result = c->work[slot](c->data + (size_t)slot * TN_JOB_BYTES);

        slot = tn_crew_next(c, slot, result < 0);
    }
    return NULL;
}

/* Ends the threads that there are. */
static void dismiss(struct tn_crew *c, uint32_t cancel)
{
    tn_crew_stop(c, cancel);
    for (uint32_t i = 0; i < c->threads; i++) {
        (void)pthread_join(c->thread[i], NULL);
    }
    c->threads = 0;
    tn_crew_lock_fini(c);
    tn_sys_close(c->done);
}

static int32_t open_tools(struct tn_crew *c)
{
    int32_t r;

    c->done = tn_wake_open();
    if (c->done < 0) {
        return c->done;
    }
    r = tn_crew_lock_init(c);
    if (r < 0) {
        tn_sys_close(c->done);
    }
    return r;
}

static int32_t start_threads(struct tn_crew *c, uint32_t threads)
{
    int32_t r = 1;

    while (r == 1 && c->threads < threads) {
        r = tn_thread_start(&c->thread[c->threads], TN_CREW_STACK, worker, c);
        c->threads += r == 1;
    }
    return r;
}

int32_t tn_crew_open(struct tn_crew *c, uint32_t threads, uint32_t jobs)
{
    int32_t r;

    if (threads == 0 || threads > TN_CREW_THREADS || jobs == 0 || jobs > TN_JOBS) {
        return TN_EINVAL;
    }
    c->threads = 0;
    tn_crew_init(c, jobs);
    r = open_tools(c);
    if (r < 0) {
        return r;
    }
    r = start_threads(c, threads);
    if (r < 0) {
        dismiss(c, 0);
    }
    return r;
}

static int32_t submit_to_crew(void *crew, tn_job_work work, const void *data, uint32_t len,
                              struct tn_job *job)
{
    return tn_crew_submit(crew, work, data, len, job);
}

static int32_t wait_for_crew(void *crew, struct tn_job job, void *data, uint32_t len,
                             uint32_t *state, int64_t deadline_ms)
{
    return tn_crew_wait(crew, job, data, len, state, deadline_ms);
}

static void forget_in_crew(void *crew, struct tn_job job)
{
    (void)tn_crew_forget(crew, job);
}

int32_t tn_crew_map(struct tn_crew *c, tn_job_work work, void *array, uint32_t size, uint32_t count,
                    int64_t deadline_ms)
{
    const struct tn_map_calls calls = {c, submit_to_crew, wait_for_crew, forget_in_crew};

    return tn_map(&calls, work, array, size, count, deadline_ms);
}

void tn_crew_clear(struct tn_crew *c)
{
    tn_wake_clear(c->done);
}

void tn_crew_close(struct tn_crew *c, uint32_t cancel)
{
    dismiss(c, cancel);
}
