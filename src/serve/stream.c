#include "serve/stream.h"

#include "serve/delivery.h"

/* What a wait came to when it was not for the descriptor. */
#define ORDERED TN_EAGAIN

/* What is waited for begins anew. */
static void moved(struct tn_stream *s)
{
    if (s->idle_ms > 0 || s->read_ms > 0 || s->write_ms > 0) {
        s->active_ms = tn_sys_now_ms();
    }
}

int32_t tn_stream_open(struct tn_stream *s, int32_t fd, const struct tn_options *o,
                       struct tn_orders *orders, struct tn_counters *counters)
{
    if (o->framing > TN_VARINT || o->frame_max > TN_FRAME_MAX) {
        return TN_EINVAL;
    }
    s->fd = fd;
    s->framing = o->framing;
    s->frame_max = o->frame_max == 0 ? TN_FRAME_MAX : o->frame_max;
    s->idle_ms = o->idle_ms;
    s->read_ms = o->read_ms;
    s->write_ms = o->write_ms;
    s->linger_ms = o->linger_ms == 0 ? TN_DEFAULT_LINGER_MS : o->linger_ms;
    s->state = TN_STREAM_OPEN;
    s->reason = TN_BY_CALLER;
    s->peer_finished = 0;
    s->off = 0;
    s->scanned = 0;
    s->active_ms = 0;
    s->orders = orders;
    s->counters = counters;
    tn_buffer_clear(&s->buffer, 0);
    moved(s);
    return 1;
}

/* Ends both directions; says what the calls return from now on. */
static int32_t broken(struct tn_stream *s, uint32_t reason)
{
    s->state = TN_STREAM_BROKEN;
    s->reason = reason;
    return reason == TN_BY_RESET ? TN_ERESET : TN_EOF;
}

/* Ends the reading. */
static void spent(struct tn_stream *s, uint32_t reason)
{
    s->state = TN_STREAM_SPENT;
    s->reason = reason;
}

/* What a call on a stream that has nothing more for it returns. */
static int32_t past_end(const struct tn_stream *s)
{
    switch ((enum tn_reason)s->reason) {
    case TN_BY_RESET:
        return TN_ERESET;
    case TN_BY_FRAME:
        return TN_EFRAME;
    case TN_BY_PEER:
    case TN_BY_CALLER:
    case TN_BY_TRUNCATION:
    case TN_BY_IDLE:
    case TN_BY_READ:
    case TN_BY_WRITE:
    case TN_BY_DRAIN:
    case TN_REASONS:
        break;
    }
    return TN_EOF;
}

/* Which timeout the connection stands under: the reason it would end for. */
static uint32_t stream_awaits(const struct tn_stream *s)
{
    if (s->write_ms > 0 && s->buffer.out_len > 0) {
        return TN_BY_WRITE;
    }
    return s->read_ms > 0 && s->buffer.out_len == 0 && s->buffer.in_len > 0 ? TN_BY_READ
                                                                            : TN_BY_IDLE;
}

/* When that timeout passes. */
static int64_t time_limit(const struct tn_stream *s)
{
    const uint32_t reason = stream_awaits(s);
    int64_t ms = s->idle_ms;

    if (reason != TN_BY_IDLE) {
        ms = reason == TN_BY_READ ? s->read_ms : s->write_ms;
    }
    return ms > 0 ? s->active_ms + ms : TN_NEVER;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Waits until the descriptor is ready for mask and returns what it is ready
 * for.  0 at the deadline, ORDERED when an order came, < 0 when it ended. */
static int32_t wait_for(struct tn_stream *s, uint32_t mask, int64_t deadline)
{
    const uint32_t order = s->orders->order;
    struct tn_wanted w = {s->fd, mask, 0};

    if (order == TN_END) {
        return broken(s, TN_BY_DRAIN);
    }
    while (s->orders->order == order) {
        const int64_t limit = earlier(earlier(deadline, time_limit(s)), s->orders->until_ms);
        const int32_t r = tn_orders_wait(s->orders, &w, 1, limit);
        int64_t now;

        tn_count(&s->counters->wakeups, 1);
        tn_count(&s->counters->spurious, r == 0 ? 1 : 0);
        if (r > 0) {
            return (int32_t)w.ready;
        }
        now = limit != TN_NEVER ? tn_sys_now_ms() : 0;
        if (r < 0) {
            return broken(s, TN_BY_RESET);
        }
        if (s->orders->order == TN_END || s->orders->until_ms <= now) {
            return broken(s, TN_BY_DRAIN);
        }
        if (time_limit(s) <= now) {
            return broken(s, stream_awaits(s));
        }
        if (deadline <= now) {
            return 0;
        }
    }
    return ORDERED;
}

/* Sends what the kernel takes without waiting.  Returns 1, or TN_ERESET. */
static int32_t push(struct tn_stream *s)
{
    struct tn_buffer *b = &s->buffer;
    int32_t n;

    if (b->out_len == 0) {
        return 1;
    }
    n = tn_sys_send(s->fd, b->out, (uint32_t)b->out_head, (uint32_t)b->out_len);
    if (n == TN_ERESET) {
        return broken(s, TN_BY_RESET);
    }
    if (n > 0) {
        tn_buffer_sent(b, (size_t)n);
        tn_count(&s->counters->bytes_out, n);
        moved(s);
    }
    return 1;
}

/* Receives once what has come.  Returns 1, 0 when that is nothing, TN_ERESET. */
static int32_t take_bytes(struct tn_stream *s)
{
    struct tn_buffer *b = &s->buffer;
    const int32_t n =
        tn_sys_recv(s->fd, b->in, (uint32_t)b->in_len, (uint32_t)(TN_IN_CAP - b->in_len));

    if (n == TN_ERESET) {
        return broken(s, TN_BY_RESET);
    }
    if (n == TN_EOF) {
        s->state = TN_STREAM_HEARD;
        s->peer_finished = 1;
        return 1;
    }
    if (n > 0) {
        if (b->in_len == 0 || s->read_ms == 0) {
            moved(s); /* what goes on with a frame gives it no more time */
        }
        b->in_len += (size_t)n;
        tn_count(&s->counters->bytes_in, n);
    }
    return n > 0 ? 1 : 0;
}

/* Waits for more input, sending meanwhile; when a drain has begun, takes what
 * has come as the last.  Returns 1; 0 at the deadline; < 0 when it ended. */
static int32_t fill(struct tn_stream *s, int64_t deadline)
{
    int32_t r = push(s);

    while (r > 0 && s->orders->order == TN_SERVE) {
        const uint32_t mask = TN_READ + (s->buffer.out_len > 0 ? TN_WRITE : 0);

        r = wait_for(s, mask, deadline);
        if (r == ORDERED) {
            r = 1;
            break;
        }
        if (r > 0 && ((uint32_t)r & TN_WRITE) != 0) {
            int32_t sent = push(s);

            r = sent > 0 ? r : sent;
        }
        if (r > 0 && ((uint32_t)r & (TN_READ + TN_BROKEN)) != 0) {
            int32_t got = take_bytes(s);

            if (got != 0) {
                return got;
            }
        }
    }
    if (r > 0) {
        r = take_bytes(s);
        if (r >= 0) {
            s->state = TN_STREAM_HEARD;
            r = 1;
        }
    }
    return r;
}

/* Decodes the next frame of what has come.  Returns 1; 0 when there is no whole
 * one; TN_EFRAME. */
static int32_t decode(struct tn_stream *s, struct tn_message *m)
{
    struct tn_buffer *b = &s->buffer;
    const size_t left = b->in_len - s->off;
    struct tn_frame f;
    int32_t r = left == 0 ? 0
                          : tn_frame_decode(s->framing, b->in, (uint32_t)s->off, (uint32_t)left,
                                            (uint32_t)s->scanned, s->frame_max, &f);

    if (r == 1) {
        m->data = b->in + s->off + f.offset;
        m->len = f.length;
        s->off += f.consumed;
        s->scanned = 0;
        tn_count(&s->counters->frames, 1);
    }
    return r;
}

/* After the last whole frame of what has come: why it was the last. */
static uint32_t last_reason(const struct tn_stream *s)
{
    if (s->peer_finished == 0) {
        return TN_BY_DRAIN;
    }
    return s->off < s->buffer.in_len ? TN_BY_TRUNCATION : TN_BY_PEER;
}

int32_t tn_stream_read(struct tn_stream *s, struct tn_message *m, int64_t deadline_ms)
{
    while (s->state <= TN_STREAM_HEARD) {
        int32_t r = decode(s, m);

        if (r == 1) {
            return 1;
        }
        if (r < 0) {
            spent(s, TN_BY_FRAME);
        } else if (s->state == TN_STREAM_HEARD) {
            spent(s, last_reason(s));
        } else {
            if (s->off > 0 && s->read_ms > 0) {
                moved(s);
            }
            tn_buffer_delivered(&s->buffer, s->off);
            s->off = 0;
            s->scanned = s->buffer.in_len;
            r = fill(s, deadline_ms);
            if (r <= 0) {
                return r;
            }
        }
    }
    return past_end(s);
}

/* Waits until no more than most bytes are pending.  Returns 1; 0 at the
 * deadline; < 0 when the stream ended. */
static int32_t drain_to(struct tn_stream *s, size_t most, int64_t deadline)
{
    int32_t r = 1;

    while (r > 0 && s->buffer.out_len > most) {
        r = push(s);
        if (r > 0 && s->buffer.out_len > most) {
            r = wait_for(s, TN_WRITE, deadline);
            r = r == ORDERED ? 1 : r;
        }
    }
    return r;
}

int32_t tn_stream_send(struct tn_stream *s, const uint8_t *data, uint32_t len, int64_t deadline_ms)
{
    int32_t r;

    if (len > s->frame_max) {
        return TN_ETOOBIG;
    }
    if (s->state == TN_STREAM_BROKEN) {
        return past_end(s);
    }
    r = drain_to(s, TN_OUT_CAP - TN_FRAME_OVERHEAD - len, deadline_ms);
    if (r <= 0) {
        return r;
    }
    r = tn_buffer_queue(&s->buffer, s->framing, data, len);
    if (r < 0) {
        return r;
    }
    tn_count(&s->counters->sent, 1);
    return 1;
}

int32_t tn_stream_flush(struct tn_stream *s, int64_t deadline_ms)
{
    return s->state == TN_STREAM_BROKEN ? past_end(s) : drain_to(s, 0, deadline_ms);
}

/* Drops what comes until the peer has finished too, so that its stack does not
 * answer unread bytes with a reset that would destroy our last output. */
static void await_peer(struct tn_stream *s)
{
    const int64_t limit = tn_sys_now_ms() + s->linger_ms;
    const uint32_t reason = s->reason;
    int32_t r = 1;

    s->idle_ms = 0;
    tn_sys_finish(s->fd);
    while (r != 0 && s->peer_finished == 0 && s->state != TN_STREAM_BROKEN) {
        r = wait_for(s, TN_READ, limit);
        if (r > 0) {
            s->buffer.in_len = 0;
            (void)take_bytes(s);
        }
    }
    s->reason = reason;
}

void tn_stream_close(struct tn_stream *s)
{
    if (s->state <= TN_STREAM_HEARD) {
        spent(s, TN_BY_CALLER);
    }
    if (s->state == TN_STREAM_SPENT && drain_to(s, 0, TN_NEVER) > 0 && s->peer_finished == 0) {
        await_peer(s);
    }
    tn_sys_close(s->fd);
    s->fd = -1;
    tn_count(&s->counters->closed[s->reason], 1);
}
