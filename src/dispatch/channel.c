/* A ring of whole elements, under one lock, with a condition for each side. */
#define _GNU_SOURCE
#include "dispatch/channel.h"

#include "os/thread.h"

static uint32_t holds_one(const struct tn_channel *c)
{
    return c->ring.length >= c->size;
}

static uint32_t fits_one(const struct tn_channel *c)
{
    return c->ring.capacity - c->ring.length >= c->size;
}

int32_t tn_channel_open(struct tn_channel *c, void *memory, uint32_t size, uint32_t capacity)
{
    if (size == 0 || capacity == 0 || capacity > TN_RING_MAX / size) {
        return TN_EINVAL;
    }
    c->size = size;
    c->closed = 0;
    tn_ring_init(&c->ring, memory, size * capacity);
    if (pthread_mutex_init(&c->lock, NULL) == 0 && tn_condition_init(&c->filled) == 1 &&
        tn_condition_init(&c->vacant) == 1) {
        return 1;
    }
    return TN_ESYSTEM; /* on Linux none of them fails */
}

int32_t tn_channel_put(struct tn_channel *c, const void *element, int64_t deadline_ms)
{
    int32_t r = 1;

    (void)pthread_mutex_lock(&c->lock);
    while (r == 1 && c->closed == 0 && !fits_one(c)) {
        r = tn_condition_wait(&c->vacant, &c->lock, deadline_ms);
    }
    if (c->closed == 1) {
        r = TN_EOF;
    } else if (r == 1) {
        (void)tn_ring_put(&c->ring, element, c->size);
        (void)pthread_cond_signal(&c->filled);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return r;
}

int32_t tn_channel_take(struct tn_channel *c, void *element, int64_t deadline_ms)
{
    int32_t r = 1;

    (void)pthread_mutex_lock(&c->lock);
    while (r == 1 && c->closed == 0 && !holds_one(c)) {
        r = tn_condition_wait(&c->filled, &c->lock, deadline_ms);
    }
    if (holds_one(c)) {
        (void)tn_ring_get(&c->ring, element, c->size);
        (void)pthread_cond_signal(&c->vacant);
        r = 1;
    } else if (c->closed == 1) {
        r = TN_EOF;
    }
    (void)pthread_mutex_unlock(&c->lock);
    return r;
}

void tn_channel_close(struct tn_channel *c)
{
    (void)pthread_mutex_lock(&c->lock);
    c->closed = 1;
    (void)pthread_cond_broadcast(&c->filled);
    (void)pthread_cond_broadcast(&c->vacant);
    (void)pthread_mutex_unlock(&c->lock);
}

void tn_channel_fini(struct tn_channel *c)
{
    (void)pthread_cond_destroy(&c->filled);
    (void)pthread_cond_destroy(&c->vacant);
    (void)pthread_mutex_destroy(&c->lock);
}
