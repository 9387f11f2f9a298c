/* A ring of bytes over memory of the caller's: what was put first is got first.
 *
 * head is where the oldest byte lies, length how many follow it; the end of
 * the memory continues at its start.  Any capacity from 1 to 2^30 will do: no
 * mask, so no power of two, and no slot is kept empty to tell full from empty.
 * The i-th oldest byte is data[tn_ring_place(r, i)].
 *
 * The spans give the same bytes, or the same room, as at most two stretches of
 * memory for the kernel to fill or drain; commit and consume say how much of
 * them it did.  Nothing here waits or locks: one owner at a time.
 */
#ifndef TN_CORE_RING_H
#define TN_CORE_RING_H

#include "core/base.h"

#define TN_RING_MAX 0x40000000u

struct tn_ring {
    uint8_t *data;
    uint32_t capacity;
    uint32_t head;
    uint32_t length;
};

struct tn_span {
    uint8_t *data;
    uint32_t length;
};

/*@ predicate tn_ring_ok(struct tn_ring *r) =
        \valid(r) && 0 < r->capacity <= TN_RING_MAX && r->head < r->capacity &&
        r->length <= r->capacity && \valid(r->data + (0 .. r->capacity - 1)) &&
        \separated(r, r->data + (0 .. r->capacity - 1));
    logic integer tn_ring_wrap(integer capacity, integer i) = i < capacity ? i : i - capacity;
    logic integer tn_ring_place(struct tn_ring *r, integer i) =
        tn_ring_wrap(r->capacity, r->head + i);
*/

/* Makes r an empty ring over memory[0 .. capacity - 1], which stays the caller's. */
/*@ requires \valid(r) && 0 < capacity <= TN_RING_MAX;
    requires \valid(memory + (0 .. capacity - 1));
    requires \separated(r, memory + (0 .. capacity - 1));
    terminates \true; exits \false;
    assigns *r \from memory, capacity;
    ensures ok:    tn_ring_ok(r);
    ensures empty: r->length == 0;
    ensures over:  r->data == memory && r->capacity == capacity;
*/
void tn_ring_init(struct tn_ring *r, uint8_t *memory, uint32_t capacity);

/* Puts as many of the n bytes at src as there is room for, after those already
 * there.  Returns how many. */
/*@ requires ok:    tn_ring_ok(r);
    requires bytes: \valid_read(src + (0 .. n - 1));
    requires apart: \separated(src + (0 .. n - 1), r, r->data + (0 .. r->capacity - 1));
    terminates \true; exits \false;
    assigns r->length, r->data[0 .. r->capacity - 1];
    ensures ok:     tn_ring_ok(r);
    ensures count:  \result == \min(n, \old(r->capacity - r->length));
    ensures length: r->length == \old(r->length) + \result;
    ensures kept:   \forall integer i; 0 <= i < \old(r->length) ==>
                        r->data[tn_ring_place(r, i)] == \old(r->data[tn_ring_place(r, i)]);
    ensures added:  \forall integer i; 0 <= i < \result ==>
                        r->data[tn_ring_place(r, \old(r->length) + i)] == \old(src[i]);
*/
uint32_t tn_ring_put(struct tn_ring *r, const uint8_t *src, uint32_t n);

/* Gets the oldest bytes, at most n, and forgets them.  Returns how many. */
/*@ requires ok:    tn_ring_ok(r);
    requires room:  \valid(dst + (0 .. n - 1));
    requires apart: \separated(dst + (0 .. n - 1), r, r->data + (0 .. r->capacity - 1));
    terminates \true; exits \false;
    assigns r->head, r->length, dst[0 .. n - 1];
    ensures ok:     tn_ring_ok(r);
    ensures count:  \result == \min(n, \old(r->length));
    ensures length: r->length == \old(r->length) - \result;
    ensures taken:  \forall integer i; 0 <= i < \result ==>
                        dst[i] == \old(r->data[tn_ring_place(r, i)]);
    ensures kept:   \forall integer i; 0 <= i < r->length ==>
                        tn_ring_place(r, i) == \old(tn_ring_place(r, \result + i));
*/
uint32_t tn_ring_get(struct tn_ring *r, uint8_t *dst, uint32_t n);

/* The bytes held, oldest first: s[0] then s[1].  Either may be empty. */
/*@ requires ok:  tn_ring_ok(r);
    requires out: \valid(s + (0 .. 1)) && \separated(s + (0 .. 1), r);
    terminates \true; exits \false;
    assigns s[0 .. 1] \from *r;
    ensures all:   s[0].length + s[1].length == r->length;
    ensures first: s[0].data == r->data + r->head &&
                   s[0].length == \min(r->length, r->capacity - r->head);
    ensures rest:  s[1].data == r->data;
*/
void tn_ring_readable(const struct tn_ring *r, struct tn_span *s);

/* The room left, in the order to fill it: s[0] then s[1].  Either may be empty. */
/*@ requires ok:  tn_ring_ok(r);
    requires out: \valid(s + (0 .. 1)) && \separated(s + (0 .. 1), r);
    terminates \true; exits \false;
    assigns s[0 .. 1] \from *r;
    ensures all:   s[0].length + s[1].length == r->capacity - r->length;
    ensures first: s[0].data == r->data + tn_ring_place(r, r->length) &&
                   s[0].length == \min(r->capacity - r->length,
                                       r->capacity - tn_ring_place(r, r->length));
    ensures rest:  s[1].data == r->data;
*/
void tn_ring_writable(const struct tn_ring *r, struct tn_span *s);

/* Says that the first n bytes of the writable spans were filled. */
/*@ requires ok:    tn_ring_ok(r);
    requires fits:  n <= r->capacity - r->length;
    terminates \true; exits \false;
    assigns r->length;
    ensures ok:     tn_ring_ok(r);
    ensures length: r->length == \old(r->length) + n;
*/
void tn_ring_commit(struct tn_ring *r, uint32_t n);

/* Forgets the n oldest bytes. */
/*@ requires ok:    tn_ring_ok(r);
    requires held:  n <= r->length;
    terminates \true; exits \false;
    assigns r->head, r->length;
    ensures ok:     tn_ring_ok(r);
    ensures length: r->length == \old(r->length) - n;
    ensures kept:   \forall integer i; 0 <= i < r->length ==>
                        tn_ring_place(r, i) == \old(tn_ring_place(r, n + i));
*/
void tn_ring_consume(struct tn_ring *r, uint32_t n);

#endif
