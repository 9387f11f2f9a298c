/* The sequential face: one client, in code that runs from top to bottom.
 *
 *     struct tn_message m;
 *     while (tn_stream_read(&stream, &m, TN_NEVER) == 1)
 *         tn_stream_send(&stream, m.data, m.len, TN_NEVER);
 *
 * The same framings, limits and ends as the engine of serve/server.h, one
 * connection at a time; the calls wait.  What is sent is gathered until the next
 * read has to wait, so that the answers to frames that came together leave
 * together.  Each call takes an absolute deadline of the monotonic clock in
 * milliseconds (tn_sys_now_ms() + n), or TN_NEVER.
 *
 * One object of fixed size, about 200 KB of which only what is used is touched;
 * owned by the caller, used by one thread.  Once a stream has ended every call
 * says so and `reason` tells why.
 */
#ifndef TN_SERVE_STREAM_H
#define TN_SERVE_STREAM_H

#include "serve/orders.h"
#include "serve/state.h"

#ifdef __cplusplus
extern "C" {
#endif

enum tn_stream_state {
    TN_STREAM_OPEN,  /* receiving */
    TN_STREAM_HEARD, /* nothing more will be received, something may be left to read */
    TN_STREAM_SPENT, /* all is read; sending goes on */
    TN_STREAM_BROKEN /* neither */
};

struct tn_stream {
    int32_t fd; /* the stream's to close; -1 afterwards */
    uint32_t framing;
    uint32_t frame_max;
    uint32_t idle_ms;
    uint32_t read_ms;
    uint32_t write_ms;
    uint32_t linger_ms;
    uint32_t state;         /* enum tn_stream_state */
    uint32_t reason;        /* enum tn_reason; valid from SPENT on */
    uint32_t peer_finished; /* 1: it will send no more */
    size_t off;             /* bytes of the input read so far */
    size_t scanned;         /* bytes after off that are known to hold no whole frame */
    int64_t active_ms;      /* since when it is waited for, while there is a timeout */
    struct tn_orders *orders;
    struct tn_counters *counters;
    struct tn_buffer buffer;
};

struct tn_message {
    const uint8_t *data; /* valid until the next call for this stream */
    uint32_t len;
};

/* What moving bytes may change of the counters at c. */
#define TN_MOVED(c) (c)->wakeups, (c)->spurious, (c)->bytes_in, (c)->bytes_out
/*@ // constant while the stream is open
    predicate tn_stream_made{L}(struct tn_stream *s) =
        \valid(s) && \valid(s->orders) && \valid(s->counters) &&
        \separated(s, s->orders, s->counters) && tn_framing_known(s->framing) &&
        1 <= s->frame_max <= TN_FRAME_MAX && k_ours(s->fd);
    predicate tn_stream_shape{L}(struct tn_stream *s) =
        tn_stream_made(s) && s->state <= TN_STREAM_BROKEN && s->reason < TN_REASONS &&
        (s->state == TN_STREAM_BROKEN ==> s->reason != TN_BY_FRAME) &&
        s->peer_finished <= 1 && 0 <= s->active_ms <= TN_CLOCK_MAX &&
        tn_buffer_ok(&s->buffer) && s->off + s->scanned <= s->buffer.in_len &&
        tn_frame_scanned(s->framing, &s->buffer.in[0], s->off, s->scanned);
    // every byte promised was taken by the kernel or is pending, in order; what is
    // buffered is what was received last, in order
    predicate tn_stream_bytes{L}(struct tn_stream *s) =
        k_log[s->fd] == k_tx[s->fd] + s->buffer.out_len && tn_sent_at(s->fd) &&
        (\forall integer k;
            s->buffer.out_head <= k < s->buffer.out_head + s->buffer.out_len ==>
                s->buffer.out[k] == log_at(s->fd, k_inc[s->fd],
                                           k_tx[s->fd] + k - s->buffer.out_head)) &&
        (\forall integer k; 0 <= k < s->buffer.in_len ==>
            s->buffer.in[k] == rx_at(s->fd, k_inc[s->fd],
                                     k_rx[s->fd] - s->buffer.in_len + k));
    predicate tn_stream_ok{L}(struct tn_stream *s) =
        tn_stream_shape(s) && tn_stream_bytes(s) && k_inv;
    // how many bytes of what has come were read, from the first on
    logic integer tn_read_to{L}(struct tn_stream *s) =
        k_rx[s->fd] - s->buffer.in_len + s->off;
    // whose it is, and what it speaks
    predicate tn_stream_same{A, B}(struct tn_stream *s) =
        \at(s->fd, A) == \at(s->fd, B) && \at(k_inc[s->fd], A) == \at(k_inc[s->fd], B) &&
        \at(s->framing, A) == \at(s->framing, B) &&
        \at(s->frame_max, A) == \at(s->frame_max, B) &&
        \at(s->orders, A) == \at(s->orders, B) && \at(s->counters, A) == \at(s->counters, B);
    // a message lies in the buffer, and the framing could send it back as it is
    predicate tn_message_ok{L}(struct tn_stream *s, struct tn_message *m) =
        m->len <= s->frame_max && tn_frame_carries(s->framing, m->data, 0, m->len) &&
        \exists integer o; 0 <= o <= TN_IN_CAP - m->len && m->data == &s->buffer.in[0] + o;
*/

/* Makes a stream of the connected stream socket fd, which is the stream's from
 * now on, blocking or not.  Of the options, `connections` is not looked at.
 * orders may interrupt its calls; counters count what passes; both stay the
 * caller's and must outlive the stream.  Returns 1, or TN_EINVAL if an option
 * is out of range: fd stays the caller's then. */
/*@ requires room:  \valid(s) && \valid_read(o) && \valid(orders) && \valid(counters) &&
                    \separated(s, orders, counters) && \separated(s, o);
    requires fresh: k_ours(fd) && k_log[fd] == k_tx[fd] && tn_sent_at(fd) && k_inv;
    terminates \true; exits \false;
    assigns *s;
    ensures result:  \result == 1 || \result == TN_EINVAL;
    ensures refused: \result == TN_EINVAL <==>
                     \old(o->framing) > TN_VARINT || \old(o->frame_max) > TN_FRAME_MAX;
    ensures ok:      \result == 1 ==> tn_stream_ok(s) && s->state == TN_STREAM_OPEN &&
                     s->fd == fd && s->peer_finished == 0;
    ensures options: \result == 1 ==> s->framing == \old(o->framing) &&
                     s->frame_max == (\old(o->frame_max) == 0 ? TN_FRAME_MAX :
                                      \old(o->frame_max)) &&
                     s->idle_ms == \old(o->idle_ms) && s->read_ms == \old(o->read_ms) &&
                     s->write_ms == \old(o->write_ms) &&
                     s->linger_ms == (\old(o->linger_ms) == 0 ? TN_DEFAULT_LINGER_MS :
                                      \old(o->linger_ms));
    ensures empty:   \result == 1 ==> tn_read_to(s) == k_rx[fd] && s->buffer.out_len == 0;
*/
int32_t tn_stream_open(struct tn_stream *s, int32_t fd, const struct tn_options *o,
                       struct tn_orders *orders, struct tn_counters *counters);

/* Reads the next frame.  Returns 1 and fills *m; 0 at the deadline; TN_EOF when
 * no frame will come any more (the peer has finished, was idle too long, or we
 * are draining); TN_EFRAME after bytes that are no frame; TN_ERESET when the
 * connection broke. */
/*@ requires ok:   tn_stream_ok(s);
    requires room: \valid(m) && \separated(m, s, s->orders, s->counters);
    terminates \false; exits \false;
    assigns s->state, s->reason, s->peer_finished, s->off, s->scanned, s->active_ms, s->buffer,
            *m, TN_MOVED(s->counters), s->counters->frames, TN_HEEDED(s->orders);
    ensures ok:     tn_stream_ok(s);
    ensures same:   tn_stream_same{Pre, Post}(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_EOF ||
                    \result == TN_EFRAME || \result == TN_ERESET;
    ensures late:   \result == 0 ==> deadline_ms <= TN_CLOCK_MAX;
    ensures frame:  \result == 1 ==> tn_message_ok(s, m);
    ensures next:   \result == 1 ==>
                    \old(tn_read_to(s)) + m->len + tn_frame_after(s->framing) <= tn_read_to(s);
    ensures in_order: \result == 1 ==> \forall integer i; 0 <= i < m->len ==>
                    m->data[i] == rx_at(s->fd, k_inc[s->fd], tn_read_to(s) -
                                        tn_frame_after(s->framing) - m->len + i);
    ensures kept:   \result != 1 ==> tn_read_to(s) == \old(tn_read_to(s));
    ensures ended:  \result < 0 ==> s->state >= TN_STREAM_SPENT &&
                    (\result == TN_ERESET <==> s->reason == TN_BY_RESET) &&
                    (\result == TN_EFRAME <==> s->reason == TN_BY_FRAME);
    ensures promised: k_log[s->fd] == \old(k_log[s->fd]);
*/
int32_t tn_stream_read(struct tn_stream *s, struct tn_message *m, int64_t deadline_ms);

/* Accepts the frame that carries data[0 .. len - 1] for sending; data may be
 * that of the last message.  Waits only for room: tn_stream_read and
 * tn_stream_close send what is left.  Returns 1; 0 at the deadline, nothing is
 * accepted then; TN_ETOOBIG beyond the frame maximum; TN_EFRAME when the framing
 * cannot carry it; TN_EOF or TN_ERESET when the stream has ended. */
/*@ requires ok:    tn_stream_ok(s);
    requires bytes: \valid_read(data + (0 .. len - 1));
    requires apart: \separated(data + (0 .. len - 1), &s->buffer.out[0 .. TN_OUT_CAP - 1]);
    terminates \false; exits \false;
    assigns s->state, s->reason, s->active_ms, s->buffer.out_head, s->buffer.out_len,
            s->buffer.out[0 .. TN_OUT_CAP - 1], TN_MOVED(s->counters),
            s->counters->sent, TN_HEEDED(s->orders);
    ensures ok:     tn_stream_ok(s);
    ensures same:   tn_stream_same{Pre, Post}(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_ETOOBIG ||
                    \result == TN_EFRAME || \result == TN_EOF || \result == TN_ERESET;
    ensures late:   \result == 0 ==> deadline_ms <= TN_CLOCK_MAX;
    ensures refused: \result != 1 ==> k_log[s->fd] == \old(k_log[s->fd]);
    ensures accepted: \result == 1 && (0 < len || s->framing != TN_RAW) ==>
                    k_log[s->fd] == \old(k_log[s->fd]) + tn_frame_before(s->framing, len) +
                                    len + tn_frame_after(s->framing);
    ensures carried: \result == 1 ==> \forall integer i; 0 <= i < len ==>
                    log_at(s->fd, k_inc[s->fd], \old(k_log[s->fd]) +
                           tn_frame_before(s->framing, len) + i) == \old(data[i]);
    ensures bad_payload: \result == TN_EFRAME ==>
                    !\old(tn_frame_carries(s->framing, data, 0, len));
    ensures too_big: \result == TN_ETOOBIG ==> len > s->frame_max;
    ensures ended:  \result == TN_EOF || \result == TN_ERESET ==> s->state == TN_STREAM_BROKEN;
    ensures read:   tn_read_to(s) == \old(tn_read_to(s));
*/
int32_t tn_stream_send(struct tn_stream *s, const uint8_t *data, uint32_t len, int64_t deadline_ms);

/* Waits until the kernel has taken all that was accepted.  Returns 1; 0 at the
 * deadline; TN_EOF or TN_ERESET when the stream has ended. */
/*@ requires ok: tn_stream_ok(s);
    terminates \false; exits \false;
    assigns s->state, s->reason, s->active_ms, s->buffer.out_head, s->buffer.out_len,
            TN_MOVED(s->counters), TN_HEEDED(s->orders);
    ensures ok:     tn_stream_ok(s);
    ensures same:   tn_stream_same{Pre, Post}(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_EOF || \result == TN_ERESET;
    ensures late:   \result == 0 ==> deadline_ms <= TN_CLOCK_MAX;
    ensures taken:  \result == 1 ==> k_tx[s->fd] == k_log[s->fd];
    ensures ended:  \result < 0 ==> s->state == TN_STREAM_BROKEN;
    ensures read:   tn_read_to(s) == \old(tn_read_to(s));
    ensures promised: k_log[s->fd] == \old(k_log[s->fd]);
*/
int32_t tn_stream_flush(struct tn_stream *s, int64_t deadline_ms);

/* Sends what is left, then says to the peer that no more will come and drops
 * what it sends until it finishes too, linger_ms at the longest; then closes.
 * The idle timeout and a drain bound the waits. */
/*@ requires ok: tn_stream_ok(s);
    terminates \false; exits \false;
    assigns s->fd, s->state, s->reason, s->peer_finished, s->off, s->scanned, s->active_ms,
            s->idle_ms, s->buffer, TN_MOVED(s->counters),
            s->counters->closed[0 .. TN_REASONS - 1], TN_HEEDED(s->orders);
    ensures closed: k_open[\old(s->fd)] == 0 && s->fd == -1;
    ensures count:  s->reason < TN_REASONS && s->counters->closed[s->reason] ==
                    tn_counted(\at(s->counters->closed[\at(s->reason, Post)], Pre), 1);
    ensures whole:  s->state == TN_STREAM_BROKEN ||
                    k_tx[\old(s->fd)] == \old(k_log[s->fd]);
    ensures model:  k_inv;
*/
void tn_stream_close(struct tn_stream *s);

#ifdef __cplusplus
}
#endif

#endif
