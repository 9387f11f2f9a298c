/* A bounded queue between threads, which wait at it: any number put, any number
 * take.
 *
 * Elements have one size and are copied in and out of memory of the caller's.
 * They are taken in the order they were put, each by one taker.  Nothing is lost
 * without a word: what a put did not answer with 1 is still the caller's.
 *
 *     static struct order memory[64];
 *     tn_channel_open(&c, memory, sizeof memory[0], 64);
 *     tn_channel_put(&c, &order, TN_NEVER);          in some threads
 *     while (tn_channel_take(&c, &order, TN_NEVER) == 1)        in others
 *         ...
 *     tn_channel_close(&c);                          the takers see the end
 *     tn_channel_fini(&c);                           once all are joined
 *
 * Every deadline_ms is an absolute time of the monotonic clock (tn_sys_now_ms):
 * 0 does not wait, TN_NEVER waits without limit.  No wait ends before it.
 *
 * The bytes lie in a ring that is proved (core/ring.h); that it is used under the
 * lock, and that no wake-up is lost, is checked over all schedules of a few threads
 * in tests/unit/test_channel_schedules.c, and under ThreadSanitizer.  Between
 * processes: os/records.h.
 */
#ifndef TN_DISPATCH_CHANNEL_H
#define TN_DISPATCH_CHANNEL_H

#include "core/ring.h"
#include "core/timers.h"

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of fixed size, owned by the caller, not to be moved. */
struct tn_channel {
    pthread_mutex_t lock;  /* guards the rest */
    pthread_cond_t filled; /* an element was put, or the channel closed */
    pthread_cond_t vacant; /* an element was taken, or the channel closed */
    uint32_t size;         /* of an element, in bytes */
    uint32_t closed;
    struct tn_ring ring; /* whole elements */
};

/* Makes c an empty channel for at most capacity elements of size bytes, over
 * memory[0 .. size * capacity - 1], which stays the caller's and needs no alignment.
 * Returns 1; TN_EINVAL unless both are at least 1 and their product at most
 * TN_RING_MAX; TN_ESYSTEM. */
int32_t tn_channel_open(struct tn_channel *c, void *memory, uint32_t size, uint32_t capacity);

/* Puts the element last as soon as there is room.  Returns 1; 0 when the channel
 * was full up to the deadline; TN_EOF when it is closed. */
int32_t tn_channel_put(struct tn_channel *c, const void *element, int64_t deadline_ms);

/* Takes the oldest element as soon as there is one.  Returns 1; 0 when the channel
 * was empty up to the deadline; TN_EOF when it is closed and all is taken. */
int32_t tn_channel_take(struct tn_channel *c, void *element, int64_t deadline_ms);

/* Closes the channel, from any thread, as often as you like: nothing more is put,
 * what is there can be taken, and nobody waits any more. */
void tn_channel_close(struct tn_channel *c);

/* Ends the channel, which no thread uses any more.  The memory is the caller's
 * again. */
void tn_channel_fini(struct tn_channel *c);

#ifdef __cplusplus
}
#endif

#endif
