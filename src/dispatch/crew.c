#define _GNU_SOURCE
#include "dispatch/crew.h"

#include "os/sys.h"
#include "os/thread.h"
#include "os/wake.h"

#include <string.h>

static void lock(struct tn_crew *c)
{
    (void)pthread_mutex_lock(&c->lock);
}

static void unlock(struct tn_crew *c)
{
    (void)pthread_mutex_unlock(&c->lock);
}

/* Tells of an end.  Locked. */
static void tell_end(struct tn_crew *c, uint32_t slot)
{
    if (c->task[slot].unwanted == 1) {
        tn_jobs_release(&c->jobs, slot);
    }
    (void)pthread_cond_broadcast(&c->ended);
    tn_wake(c->done);
}

/* Does one job; locked before and after it. */
static void do_job(struct tn_crew *c, uint32_t slot)
{
    struct tn_crew_task *t = &c->task[slot];
    int32_t result;

    unlock(c);
    result = t->work(t->data); /* the slot is this thread's while the job runs */
    lock(c);
    tn_jobs_end(&c->jobs, slot, result < 0);
    tell_end(c, slot);
}

/* A thread, from its start to its end. */
static void *worker(void *argument)
{
    struct tn_crew *c = argument;
    uint32_t slot;

    lock(c);
    while ((slot = tn_jobs_take(&c->jobs)) != TN_NONE || c->closing == 0) {
        if (slot != TN_NONE) {
            do_job(c, slot);
        } else {
            (void)pthread_cond_wait(&c->queued, &c->lock);
        }
    }
    unlock(c);
    return NULL;
}

/* Ends the threads that there are. */
static void dismiss(struct tn_crew *c)
{
    lock(c);
    c->closing = 1;
    (void)pthread_cond_broadcast(&c->queued);
    unlock(c);
    for (uint32_t i = 0; i < c->threads; i++) {
        (void)pthread_join(c->thread[i], NULL);
    }
    c->threads = 0;
}

static void close_tools(struct tn_crew *c)
{
    (void)pthread_cond_destroy(&c->queued);
    (void)pthread_cond_destroy(&c->ended);
    (void)pthread_mutex_destroy(&c->lock);
    tn_sys_close(c->done);
}

static int32_t open_tools(struct tn_crew *c)
{
    c->done = tn_wake_open();
    if (c->done < 0) {
        return c->done;
    }
    if (pthread_mutex_init(&c->lock, NULL) == 0 && tn_condition_init(&c->queued) == 1 &&
        tn_condition_init(&c->ended) == 1) {
        return 1;
    }
    tn_sys_close(c->done); /* on Linux none of them fails */
    return TN_ESYSTEM;
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
    c->closing = 0;
    tn_jobs_init(&c->jobs, jobs);
    r = open_tools(c);
    if (r < 0) {
        return r;
    }
    r = start_threads(c, threads);
    if (r < 0) {
        dismiss(c);
        close_tools(c);
    }
    return r;
}

int32_t tn_crew_submit(struct tn_crew *c, tn_job_work work, const void *data, uint32_t len,
                       struct tn_job *job)
{
    int32_t r = 1;

    if (len > TN_JOB_BYTES) {
        return TN_ETOOBIG;
    }
    lock(c);
    job->slot = c->closing == 1 ? TN_NONE : tn_jobs_submit(&c->jobs);
    if (job->slot == TN_NONE) {
        r = c->closing == 1 ? TN_EOF : TN_EFULL;
    } else {
        job->life = c->jobs.life[job->slot];
        c->task[job->slot].work = work;
        c->task[job->slot].unwanted = 0;
        memcpy(c->task[job->slot].data, data, len);
        (void)pthread_cond_signal(&c->queued);
    }
    unlock(c);
    return r;
}

int32_t tn_crew_wait(struct tn_crew *c, struct tn_job job, void *data, uint32_t len,
                     uint32_t *state, int64_t deadline_ms)
{
    int32_t r = 1;

    if (len > TN_JOB_BYTES) {
        return TN_ETOOBIG;
    }
    lock(c);
    while (r == 1 && tn_job_known(&c->jobs, job) && !tn_job_over(&c->jobs, job.slot)) {
        r = tn_condition_wait(&c->ended, &c->lock, deadline_ms);
    }
    if (!tn_job_known(&c->jobs, job)) {
        r = TN_ESTALE;
    } else if (tn_job_over(&c->jobs, job.slot)) {
        *state = c->jobs.state[job.slot];
        memcpy(data, c->task[job.slot].data, len);
        tn_jobs_release(&c->jobs, job.slot);
        r = 1;
    }
    unlock(c);
    return r;
}

int32_t tn_crew_cancel(struct tn_crew *c, struct tn_job job)
{
    int32_t r = TN_ESTALE;

    lock(c);
    if (tn_job_known(&c->jobs, job)) {
        r = (int32_t)tn_jobs_cancel(&c->jobs, job.slot);
        if (r == 1) {
            tell_end(c, job.slot);
        }
    }
    unlock(c);
    return r;
}

int32_t tn_crew_forget(struct tn_crew *c, struct tn_job job)
{
    int32_t r = TN_ESTALE;

    lock(c);
    if (tn_job_known(&c->jobs, job)) {
        r = 1;
        c->task[job.slot].unwanted = 1;
        if (tn_jobs_cancel(&c->jobs, job.slot) == 1 || tn_job_over(&c->jobs, job.slot)) {
            tn_jobs_release(&c->jobs, job.slot);
        }
    }
    unlock(c);
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
    lock(c);
    c->closing = 1;
    for (uint32_t s = 0; s < c->jobs.cap && cancel == 1; s++) {
        if (c->jobs.state[s] == TN_JOB_QUEUED) {
            (void)tn_jobs_cancel(&c->jobs, s);
            tell_end(c, s);
        }
    }
    unlock(c);
    dismiss(c);
    close_tools(c);
}
