/* A bounded queue of numbers over memory of the caller's, first in first out.
 *
 * The i-th oldest is data[tn_queue_place(q, i)].  It neither waits nor locks:
 * whoever shares one between threads holds a lock around each call.
 */
#ifndef TN_CORE_QUEUE_H
#define TN_CORE_QUEUE_H

#include "core/base.h"

#define TN_QUEUE_MAX 0x40000000u

struct tn_queue {
    uint32_t *data;
    uint32_t capacity;
    uint32_t head;
    uint32_t length;
};

/*@ predicate tn_queue_ok(struct tn_queue *q) =
        \valid(q) && 0 < q->capacity <= TN_QUEUE_MAX && q->head < q->capacity &&
        q->length <= q->capacity && \valid(q->data + (0 .. q->capacity - 1)) &&
        \separated(q, q->data + (0 .. q->capacity - 1));
    logic integer tn_queue_place(struct tn_queue *q, integer i) =
        q->head + i < q->capacity ? q->head + i : q->head + i - q->capacity;
*/

/* Makes q an empty queue over memory[0 .. capacity - 1], which stays the caller's. */
/*@ requires \valid(q) && 0 < capacity <= TN_QUEUE_MAX;
    requires \valid(memory + (0 .. capacity - 1));
    requires \separated(q, memory + (0 .. capacity - 1));
    terminates \true; exits \false;
    assigns *q \from memory, capacity;
    ensures ok:    tn_queue_ok(q);
    ensures empty: q->length == 0;
    ensures over:  q->data == memory && q->capacity == capacity;
*/
void tn_queue_init(struct tn_queue *q, uint32_t *memory, uint32_t capacity);

/* Puts value last.  Returns 1, or 0 when the queue is full. */
/*@ requires ok: tn_queue_ok(q);
    terminates \true; exits \false;
    assigns q->length, q->data[0 .. q->capacity - 1];
    ensures ok:     tn_queue_ok(q);
    ensures answer: \result == (\old(q->length) < q->capacity ? 1 : 0);
    ensures length: q->length == \old(q->length) + \result;
    ensures kept:   \forall integer i; 0 <= i < \old(q->length) ==>
                        q->data[tn_queue_place(q, i)] == \old(q->data[tn_queue_place(q, i)]);
    ensures added:  \result == 1 ==> q->data[tn_queue_place(q, \old(q->length))] == value;
*/
uint32_t tn_queue_put(struct tn_queue *q, uint32_t value);

/* Takes the oldest into *value.  Returns 1, or 0 when the queue is empty. */
/*@ requires ok:  tn_queue_ok(q);
    requires out: \valid(value) && \separated(value, q, q->data + (0 .. q->capacity - 1));
    terminates \true; exits \false;
    assigns q->head, q->length, *value;
    ensures ok:     tn_queue_ok(q);
    ensures answer: \result == (\old(q->length) > 0 ? 1 : 0);
    ensures length: q->length == \old(q->length) - \result;
    ensures taken:  \result == 1 ==> *value == \old(q->data[tn_queue_place(q, 0)]);
    ensures idle:   \result == 0 ==> *value == \old(*value);
    ensures kept:   \forall integer i; 0 <= i < q->length ==>
                        tn_queue_place(q, i) == \old(tn_queue_place(q, \result + i));
*/
uint32_t tn_queue_take(struct tn_queue *q, uint32_t *value);

/* How many are waiting. */
/*@ requires ok: tn_queue_ok(q);
    terminates \true; exits \false;
    assigns \nothing;
    ensures \result == q->length;
*/
uint32_t tn_queue_length(const struct tn_queue *q);

#endif
