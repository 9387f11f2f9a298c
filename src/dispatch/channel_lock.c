/* A mutex and two conditions of pthreads. */
#define _GNU_SOURCE
#include "dispatch/channel_lock.h"

#include "os/thread.h"

int32_t tn_channel_lock_init(struct tn_channel *c)
{
    if (pthread_mutex_init(&c->lock, NULL) == 0 && tn_condition_init(&c->filled) == 1 &&
        tn_condition_init(&c->vacant) == 1) {
        return 1;
    }
    return TN_ESYSTEM; /* on Linux none of them fails */
}

void tn_channel_lock_fini(struct tn_channel *c)
{
    (void)pthread_cond_destroy(&c->filled);
    (void)pthread_cond_destroy(&c->vacant);
    (void)pthread_mutex_destroy(&c->lock);
}

void tn_channel_lock(struct tn_channel *c)
{
    (void)pthread_mutex_lock(&c->lock);
}

void tn_channel_unlock(struct tn_channel *c)
{
    (void)pthread_mutex_unlock(&c->lock);
}

int32_t tn_channel_wait(struct tn_channel *c, pthread_cond_t *condition, int64_t deadline_ms)
{
    return tn_condition_wait(condition, &c->lock, deadline_ms);
}

void tn_channel_tell(struct tn_channel *c, pthread_cond_t *condition)
{
    (void)c; /* stands in the contract only */
    (void)pthread_cond_signal(condition);
}

void tn_channel_tell_all(struct tn_channel *c)
{
    (void)pthread_cond_broadcast(&c->filled);
    (void)pthread_cond_broadcast(&c->vacant);
}
