/* A connection's buffer: bytes received and not yet delivered, bytes accepted
 * for sending and not yet taken by the kernel.
 *
 *   in:   [ received ........ | room ]      out: [ gone | pending ..... | room ]
 *         0                in_len                 0    out_head          out_head + out_len
 *
 * Input always starts at 0: what has been delivered is dropped by moving the
 * rest down, once for each receipt.  Output is a queue of bytes: they leave in
 * the order they came, and when the room behind them is short the pending
 * bytes move to the front.
 *
 * A buffer is lent by the pool while it holds a byte of either kind.
 */
#ifndef TN_CORE_BUFFER_H
#define TN_CORE_BUFFER_H

#include "core/base.h"
#include "core/frame.h"

/* Above this much pending output no more frames are delivered: the peer must
 * read first.  A reply to a delivered frame always fits. */
#define TN_OUTPUT_HIGH TN_ENCODED_MAX
/* Delivery goes on when no more than this is pending. */
#define TN_OUTPUT_LOW (TN_OUTPUT_HIGH / 4u)

#define TN_IN_CAP TN_ENCODED_MAX
#define TN_OUT_CAP (TN_OUTPUT_HIGH + TN_ENCODED_MAX)

struct tn_buffer {
    int32_t owner;   /* slot of the connection it is lent to */
    size_t in_len;   /* bytes received, <= TN_IN_CAP */
    size_t out_head; /* where pending output starts */
    size_t out_len;  /* bytes pending, <= TN_OUT_CAP - out_head */
    uint8_t in[TN_IN_CAP];
    uint8_t out[TN_OUT_CAP];
};

/*@ predicate tn_buffer_ok{L}(struct tn_buffer *b) =
        b->in_len <= TN_IN_CAP && b->out_head <= TN_OUT_CAP &&
        b->out_len <= TN_OUT_CAP - b->out_head;
*/

/* Empties the buffer and notes its owner. */
/*@ requires room: \valid(b);
    terminates \true; exits \false;
    assigns b->owner, b->in_len, b->out_head, b->out_len;
    ensures ok:    tn_buffer_ok(b);
    ensures empty: b->in_len == 0 && b->out_head == 0 && b->out_len == 0 && b->owner == owner;
*/
void tn_buffer_clear(struct tn_buffer *b, int32_t owner);

/* Appends the frame that carries data[0 .. len - 1] to the pending output.
 * len is at most TN_FRAME_MAX; data must not lie in b->out.
 * Returns the bytes appended (0: there is no room for a frame of this length
 * now, or an empty message under `raw`), or TN_EFRAME when this framing cannot
 * carry the payload; nothing has changed unless it is positive. */
/*@ requires ok:    \valid(b) && tn_buffer_ok(b);
    requires known: tn_framing_known(framing);
    requires bytes: len <= TN_FRAME_MAX && \valid_read(data + (0 .. len - 1));
    requires apart: \separated(data + (0 .. len - 1), &b->out[0 .. TN_OUT_CAP - 1]);
    terminates \true; exits \false;
    assigns b->out_head, b->out_len, b->out[0 .. TN_OUT_CAP - 1];
    ensures ok:     tn_buffer_ok(b);
    ensures result: \result == TN_EFRAME || 0 <= \result <= len + TN_FRAME_OVERHEAD;
    ensures length: b->out_len == \old(b->out_len) + (\result > 0 ? \result : 0);
    ensures fits:   \old(TN_OUT_CAP - b->out_len) >= len + TN_FRAME_OVERHEAD &&
                    (0 < len || framing != TN_RAW) ==> \result != 0;
    ensures refused: \result == TN_EFRAME ==> !\old(tn_frame_carries(framing, data, 0, len));
    ensures size:   \result > 0 ==>
                    \result == tn_frame_before(framing, len) + len + tn_frame_after(framing);
    ensures payload: \result > 0 ==>
                    \let o = b->out_head + \old(b->out_len) + tn_frame_before(framing, len);
                    \forall integer k; o <= k < o + len ==> b->out[k] == \old(data[k - o]);
    ensures kept_in_order: \forall integer k;
        b->out_head <= k < b->out_head + \old(b->out_len) ==>
            b->out[k] == \old(b->out[k - \at(b->out_head, Post) + b->out_head]);
*/
int32_t tn_buffer_queue(struct tn_buffer *b, uint32_t framing, const uint8_t *data, uint32_t len);

/* Drops the first n pending bytes: the kernel has taken them. */
/*@ requires ok: \valid(b) && tn_buffer_ok(b);
    requires n:  n <= b->out_len;
    terminates \true; exits \false;
    assigns b->out_head, b->out_len;
    ensures ok:     tn_buffer_ok(b);
    ensures length: b->out_len == \old(b->out_len) - n;
    ensures place:  b->out_head == (b->out_len > 0 ? \old(b->out_head) + n : 0);
*/
void tn_buffer_sent(struct tn_buffer *b, size_t n);

/* Drops the first n bytes of input: they have been delivered. */
/*@ requires ok: \valid(b) && tn_buffer_ok(b);
    requires n:  n <= b->in_len;
    terminates \true; exits \false;
    assigns b->in_len, b->in[0 .. b->in_len - n - 1];
    ensures ok:     tn_buffer_ok(b);
    ensures length: b->in_len == \old(b->in_len) - n;
    ensures kept_in_order: \forall integer k; 0 <= k < b->in_len ==>
                           b->in[k] == \old(b->in[k + n]);
*/
void tn_buffer_delivered(struct tn_buffer *b, size_t n);

#endif
