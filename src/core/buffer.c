#include "core/buffer.h"

#include "core/copy.h"

void tn_buffer_clear(struct tn_buffer *b, int32_t owner)
{
    b->owner = owner;
    b->in_len = 0;
    b->out_head = 0;
    b->out_len = 0;
}

/* Makes room for need bytes behind the pending output, by moving it to the
 * front if it must; there is enough room in all. */
/*@ requires ok:   \valid(b) && tn_buffer_ok(b);
    requires need: need <= TN_OUT_CAP - b->out_len;
    terminates \true; exits \false;
    assigns b->out_head, b->out[0 .. TN_OUT_CAP - 1];
    ensures ok:   tn_buffer_ok(b);
    ensures room: need <= TN_OUT_CAP - b->out_head - b->out_len;
    ensures lazy: \old(need <= TN_OUT_CAP - b->out_head - b->out_len) ==>
        b->out_head == \old(b->out_head);
    ensures kept_in_order: \forall integer k; b->out_head <= k < b->out_head + b->out_len ==>
        b->out[k] == \old(b->out[k - \at(b->out_head, Post) + b->out_head]);
*/
static void make_room(struct tn_buffer *b, size_t need)
{
    if (need <= TN_OUT_CAP - b->out_head - b->out_len)
        return;
    tn_move_down(b->out, b->out_head, b->out_len);
    b->out_head = 0;
}

/* Encodes behind the pending output, where there is room for any frame of this
 * length. */
/*@ requires ok:    \valid(b) && tn_buffer_ok(b);
    requires known: tn_framing_known(framing);
    requires bytes: len <= TN_FRAME_MAX && \valid_read(data + (0 .. len - 1));
    requires apart: \separated(data + (0 .. len - 1), &b->out[0 .. TN_OUT_CAP - 1]);
    requires room:  len + TN_FRAME_OVERHEAD <= TN_OUT_CAP - b->out_head - b->out_len;
    terminates \true; exits \false;
    assigns b->out_len, b->out[0 .. TN_OUT_CAP - 1];
    ensures ok:     tn_buffer_ok(b);
    ensures result: \result == TN_EFRAME || 0 <= \result <= len + TN_FRAME_OVERHEAD;
    ensures length: b->out_len == \old(b->out_len) + (\result > 0 ? \result : 0);
    ensures some:   0 < len || framing != TN_RAW ==> \result != 0;
    ensures refused: \result == TN_EFRAME ==> !\old(tn_frame_carries(framing, data, 0, len));
    ensures size:   \result > 0 ==>
                    \result == tn_frame_before(framing, len) + len + tn_frame_after(framing);
    ensures payload: \result > 0 ==>
                    \let o = b->out_head + \old(b->out_len) + tn_frame_before(framing, len);
                    \forall integer k; o <= k < o + len ==> b->out[k] == \old(data[k - o]);
    ensures kept:   \forall integer k; b->out_head <= k < b->out_head + \old(b->out_len) ==>
                    b->out[k] == \old(b->out[k]);
*/
static int32_t append(struct tn_buffer *b, uint32_t framing, const uint8_t *data, uint32_t len)
{
    const uint32_t end = (uint32_t)(b->out_head + b->out_len);
    const int32_t n = tn_frame_encode(framing, b->out, end, data, len);

    if (n > 0) {
        //@ assert sign: 0 <= n;
        b->out_len += (uint32_t)n;
    }
    return n;
}

int32_t tn_buffer_queue(struct tn_buffer *b, uint32_t framing, const uint8_t *data, uint32_t len)
{
    const uint32_t need = len + TN_FRAME_OVERHEAD;

    if (need > TN_OUT_CAP - b->out_len)
        return 0;
    make_room(b, need);
    //@ assert data: \forall integer i; 0 <= i < len ==> data[i] == \at(data[i], Pre);
    return append(b, framing, data, len);
}

void tn_buffer_sent(struct tn_buffer *b, size_t n)
{
    b->out_len -= n;
    b->out_head = b->out_len == 0 ? 0 : b->out_head + n;
}

void tn_buffer_delivered(struct tn_buffer *b, size_t n)
{
    if (n == 0)
        return;
    if (n < b->in_len)
        tn_move_down(b->in, n, b->in_len - n);
    b->in_len -= n;
}
