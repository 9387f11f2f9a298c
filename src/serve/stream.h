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

/* Makes a stream of the connected stream socket fd, which is the stream's from
 * now on, blocking or not.  Of the options, `connections` is not looked at.
 * orders may interrupt its calls; counters count what passes; both stay the
 * caller's and must outlive the stream.  Returns 1, or TN_EINVAL if an option
 * is out of range: fd stays the caller's then. */
int32_t tn_stream_open(struct tn_stream *s, int32_t fd, const struct tn_options *o,
                       struct tn_orders *orders, struct tn_counters *counters);

/* Reads the next frame.  Returns 1 and fills *m; 0 at the deadline; TN_EOF when
 * no frame will come any more (the peer has finished, was idle too long, or we
 * are draining); TN_EFRAME after bytes that are no frame; TN_ERESET when the
 * connection broke. */
int32_t tn_stream_read(struct tn_stream *s, struct tn_message *m, int64_t deadline_ms);

/* Accepts the frame that carries data[0 .. len - 1] for sending; data may be
 * that of the last message.  Waits only for room: tn_stream_read and
 * tn_stream_close send what is left.  Returns 1; 0 at the deadline, nothing is
 * accepted then; TN_ETOOBIG beyond the frame maximum; TN_EFRAME when the framing
 * cannot carry it; TN_EOF or TN_ERESET when the stream has ended. */
int32_t tn_stream_send(struct tn_stream *s, const uint8_t *data, uint32_t len, int64_t deadline_ms);

/* Waits until the kernel has taken all that was accepted.  Returns 1; 0 at the
 * deadline; TN_EOF or TN_ERESET when the stream has ended. */
int32_t tn_stream_flush(struct tn_stream *s, int64_t deadline_ms);

/* Sends what is left, then says to the peer that no more will come and drops
 * what it sends until it finishes too, linger_ms at the longest; then closes.
 * The idle timeout and a drain bound the waits. */
void tn_stream_close(struct tn_stream *s);

#ifdef __cplusplus
}
#endif

#endif
