/* A mutex and two conditions of pthreads. */
#define _GNU_SOURCE
#include "dispatch/crew_lock.h"

#include "os/thread.h"
#include "os/wake.h"

int32_t tn_crew_lock_init(struct tn_crew *c)
{
    if (pthread_mutex_init(&c->lock, NULL) == 0 && tn_condition_init(&c->queued) == 1 &&
        tn_condition_init(&c->ended) == 1) {
        return 1;
    }
    return TN_ESYSTEM; /* on Linux none of them fails */
}

void tn_crew_lock_fini(struct tn_crew *c)
{
    (void)pthread_cond_destroy(&c->queued);
    (void)pthread_cond_destroy(&c->ended);
    (void)pthread_mutex_destroy(&c->lock);
}

void tn_crew_lock(struct tn_crew *c)
{
    (void)pthread_mutex_lock(&c->lock);
}

void tn_crew_unlock(struct tn_crew *c)
{
    (void)pthread_mutex_unlock(&c->lock);
}

void tn_crew_await_job(struct tn_crew *c)
{
    (void)pthread_cond_wait(&c->queued, &c->lock);
}

int32_t tn_crew_await_end(struct tn_crew *c, int64_t deadline_ms)
{
    return tn_condition_wait(&c->ended, &c->lock, deadline_ms);
}

void tn_crew_tell_queued(struct tn_crew *c)
{
    (void)pthread_cond_signal(&c->queued);
}

void tn_crew_tell_ended(struct tn_crew *c)
{
    (void)pthread_cond_broadcast(&c->ended);
    tn_wake(c->done);
}

void tn_crew_tell_closing(struct tn_crew *c)
{
    (void)pthread_cond_broadcast(&c->queued);
}
