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
 * Proved: each call takes the lock once and lets go of it; what the lock guards is
 * whole elements whenever it is let go of, and nothing that was known of it before
 * is relied on after; who made true what others sleep for has told them by then; a
 * put that answers 1 has put its element last, once, and any other none; a take
 * that answers 1 has taken the first, once; 0 comes at the deadline alone.  What a
 * lock is, is assumed (dispatch/channel_lock.h).  That nobody sleeps on is checked
 * over all schedules of a few threads in tests/unit/test_channel_schedules.c, and
 * the whole under ThreadSanitizer.  Between processes: os/records.h.
 */
#ifndef TN_DISPATCH_CHANNEL_H
#define TN_DISPATCH_CHANNEL_H

#include "core/ring.h"
#include "core/timers.h"
#include "dispatch/bytes.h"
#include "dispatch/monitor.h"

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

/* Ghost, of the calling thread and this channel: how many elements there are while
 * it holds the lock; whether its call has moved one, and whether it has closed the
 * channel (1 or 0).  Conditions: 1 filled, 2 vacant, 3 both. */
/*@ ghost
    uint32_t m_elements;
    int32_t  m_moved;
    int32_t  m_closed;
*/

/*@ // constant while the channel is open
    predicate tn_channel_made{L}(struct tn_channel *c) =
        \valid(c) && 0 < c->size <= c->ring.capacity <= TN_RING_MAX &&
        \valid(c->ring.data + (0 .. c->ring.capacity - 1)) &&
        \separated(c, c->ring.data + (0 .. c->ring.capacity - 1));
    // what the lock guards: whole elements
    predicate tn_channel_ok{L}(struct tn_channel *c) =
        tn_channel_made(c) && tn_ring_ok(&c->ring) && 0 <= c->closed <= 1 &&
        (m_closed == 1 ==> c->closed == 1) && c->ring.length == m_elements * c->size;
*/

/* Makes c an empty channel for at most capacity elements of size bytes, over
 * memory[0 .. size * capacity - 1], which stays the caller's and needs no alignment.
 * Returns 1; TN_EINVAL unless both are at least 1 and their product at most
 * TN_RING_MAX; TN_ESYSTEM. */
/*@ requires room:  \valid(c);
    requires bytes: size * capacity <= TN_RING_MAX ==>
                    \valid(memory + (0 .. size * capacity - 1)) &&
                    \separated(c, memory + (0 .. size * capacity - 1));
    terminates \true; exits \false;
    assigns *c, m_held, m_owed, m_closed;
    ensures result:  \result == 1 || \result == TN_EINVAL || \result == TN_ESYSTEM;
    ensures refused: \result == TN_EINVAL <==>
                     size == 0 || capacity == 0 || size * capacity > TN_RING_MAX;
    ensures made:    \result == 1 ==> tn_channel_made(c) && c->size == size &&
                     c->ring.capacity == size * capacity;
    ensures empty:   \result == 1 ==> c->ring.length == 0 && c->closed == 0;
    ensures free:    m_held == 0 && m_owed == 0 && m_closed == 0;
*/
int32_t tn_channel_open(struct tn_channel *c, tn_bytes *memory, uint32_t size, uint32_t capacity);

/* Puts the element last as soon as there is room.  Returns 1; 0 when the channel
 * was full up to the deadline; TN_EOF when it is closed. */
/*@ requires made:  tn_channel_made(c) && m_held == 0 && m_owed == 0;
    requires bytes: \valid_read(element + (0 .. c->size - 1));
    requires apart: \separated(element + (0 .. c->size - 1), c,
                               c->ring.data + (0 .. c->ring.capacity - 1));
    terminates \false; exits \false;
    assigns m_held, m_elements, m_moved, m_late, m_owed, c->closed, c->ring.head, c->ring.length,
            c->ring.data[0 .. c->ring.capacity - 1];
    ensures free:   m_held == 0;
    ensures told:   m_owed == 0;
    ensures late:   \result == 0 ==> m_late == 1;
    ensures result: \result == 1 || \result == 0 || \result == TN_EOF;
    ensures once:   \result == 1 ? m_moved == 1 : m_moved == 0;
*/
int32_t tn_channel_put(struct tn_channel *c, const tn_bytes *element, int64_t deadline_ms);

/* Takes the oldest element as soon as there is one.  Returns 1; 0 when the channel
 * was empty up to the deadline; TN_EOF when it is closed and all is taken. */
/*@ requires made:  tn_channel_made(c) && m_held == 0 && m_owed == 0;
    requires room:  \valid(element + (0 .. c->size - 1));
    requires apart: \separated(element + (0 .. c->size - 1), c,
                               c->ring.data + (0 .. c->ring.capacity - 1));
    terminates \false; exits \false;
    assigns m_held, m_elements, m_moved, m_late, m_owed, c->closed, c->ring.head, c->ring.length,
            c->ring.data[0 .. c->ring.capacity - 1], element[0 .. c->size - 1];
    ensures free:   m_held == 0;
    ensures told:   m_owed == 0;
    ensures late:   \result == 0 ==> m_late == 1;
    ensures result: \result == 1 || \result == 0 || \result == TN_EOF;
    ensures once:   \result == 1 ? m_moved == 1 : m_moved == 0;
*/
int32_t tn_channel_take(struct tn_channel *c, tn_bytes *element, int64_t deadline_ms);

/* Closes the channel, from any thread, as often as you like: nothing more is put,
 * what is there can be taken, and nobody waits any more. */
/*@ requires made: tn_channel_made(c) && m_held == 0 && m_owed == 0;
    terminates \true; exits \false;
    assigns m_held, m_elements, m_closed, m_owed, c->closed, c->ring.head, c->ring.length,
            c->ring.data[0 .. c->ring.capacity - 1];
    ensures free:   m_held == 0;
    ensures told:   m_owed == 0;
    ensures closed: m_closed == 1;
*/
void tn_channel_close(struct tn_channel *c);

/* Ends the channel, which no thread uses any more.  The memory is the caller's
 * again. */
/*@ requires made: tn_channel_made(c) && m_held == 0;
    terminates \true; exits \false;
    assigns c->lock, c->filled, c->vacant;
*/
void tn_channel_fini(struct tn_channel *c);

#ifdef __cplusplus
}
#endif

#endif
