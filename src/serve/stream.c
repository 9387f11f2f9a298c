#include "serve/stream.h"

#include "serve/delivery.h"
#include "serve/payload.h"

/* What a wait came to when it was not for the descriptor. */
#define ORDERED TN_EAGAIN

/*@ // what any call leaves as it is
    predicate call_same{A, B}(struct tn_stream *s) =
        tn_stream_same{A, B}(s) && tn_read_to{A}(s) == tn_read_to{B}(s) &&
        \at(k_log[s->fd], A) == \at(k_log[s->fd], B);
    // and where the stream stands
    predicate place_same{A, B}(struct tn_stream *s) =
        \at(s->state, A) == \at(s->state, B) && \at(s->reason, A) == \at(s->reason, B) &&
        \at(s->peer_finished, A) == \at(s->peer_finished, B);
*/

/* What is waited for begins anew. */
/*@ requires room: \valid(s);
    terminates \true; exits \false;
    assigns s->active_ms;
    ensures range: s->active_ms == \old(s->active_ms) || 0 <= s->active_ms <= TN_CLOCK_MAX;
    ensures now:   s->idle_ms > 0 || s->read_ms > 0 || s->write_ms > 0 ?
                   0 <= s->active_ms <= TN_CLOCK_MAX : s->active_ms == \old(s->active_ms);
*/
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
/*@ requires room:   \valid(s) && reason < TN_REASONS && reason != TN_BY_FRAME;
    terminates \true; exits \false;
    assigns s->state, s->reason;
    ensures ended:  s->state == TN_STREAM_BROKEN && s->reason == reason;
    ensures result: \result == (reason == TN_BY_RESET ? TN_ERESET : TN_EOF);
*/
static int32_t broken(struct tn_stream *s, uint32_t reason)
{
    s->state = TN_STREAM_BROKEN;
    s->reason = reason;
    return reason == TN_BY_RESET ? TN_ERESET : TN_EOF;
}

/* Ends the reading. */
/*@ requires ok:    tn_stream_ok(s) && reason < TN_REASONS;
    terminates \true; exits \false;
    assigns s->state, s->reason;
    ensures ok:    tn_stream_ok(s);
    ensures ended: s->state == TN_STREAM_SPENT && s->reason == reason;
*/
static void spent(struct tn_stream *s, uint32_t reason)
{
    s->state = TN_STREAM_SPENT;
    s->reason = reason;
}

/* What a call on a stream that has nothing more for it returns. */
/*@ requires room:   \valid_read(s);
    terminates \true; exits \false;
    assigns \nothing;
    ensures result: \result == (s->reason == TN_BY_RESET ? TN_ERESET :
                                s->reason == TN_BY_FRAME ? TN_EFRAME : TN_EOF);
*/
static int32_t past_end(const struct tn_stream *s)
{
    if (s->reason == TN_BY_RESET)
        return TN_ERESET;
    return s->reason == TN_BY_FRAME ? TN_EFRAME : TN_EOF;
}

/* Which timeout the connection stands under: the reason it would end for. */
/*@ requires room:   \valid_read(s);
    terminates \true; exits \false;
    assigns \nothing;
    ensures write:  \result == TN_BY_WRITE <==> s->write_ms > 0 && s->buffer.out_len > 0;
    ensures read:   \result == TN_BY_READ <==>
                    s->read_ms > 0 && s->buffer.out_len == 0 && s->buffer.in_len > 0;
    ensures result: \result == TN_BY_WRITE || \result == TN_BY_READ || \result == TN_BY_IDLE;
*/
static uint32_t stream_awaits(const struct tn_stream *s)
{
    if (s->write_ms > 0 && s->buffer.out_len > 0) {
        return TN_BY_WRITE;
    }
    return s->read_ms > 0 && s->buffer.out_len == 0 && s->buffer.in_len > 0 ? TN_BY_READ
                                                                            : TN_BY_IDLE;
}

/* When that timeout passes. */
/*@ requires room:  \valid_read(s) && 0 <= s->active_ms <= TN_CLOCK_MAX;
    terminates \true; exits \false;
    assigns \nothing;
    ensures limit: \let ms =
        s->write_ms > 0 && s->buffer.out_len > 0 ? s->write_ms :
        s->read_ms > 0 && s->buffer.out_len == 0 && s->buffer.in_len > 0 ? s->read_ms :
        s->idle_ms;
        \result == (ms > 0 ? s->active_ms + ms : TN_NEVER);
*/
static int64_t time_limit(const struct tn_stream *s)
{
    const uint32_t reason = stream_awaits(s);
    int64_t ms = s->idle_ms;

    if (reason != TN_BY_IDLE) {
        ms = reason == TN_BY_READ ? s->read_ms : s->write_ms;
    }
    return ms > 0 ? s->active_ms + ms : TN_NEVER;
}

/* The earlier of two times. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures least: \result <= a && \result <= b && (\result == a || \result == b);
*/
static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Waits once.  Returns as tn_orders_wait_for does. */
/*@ requires ok: tn_stream_ok(s);
    terminates \false; exits \false;
    assigns s->counters->wakeups, s->counters->spurious, TN_HEEDED(s->orders);
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures mine:   tn_untouched{Pre, Post}(s->fd);
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_READ + TN_WRITE + TN_BROKEN;
    ensures wakeup: s->counters->wakeups == tn_counted(\old(s->counters->wakeups), 1);
    ensures spurious: s->counters->spurious ==
                    tn_counted(\old(s->counters->spurious), \result == 0 ? 1 : 0);
*/
static int32_t wait_once(struct tn_stream *s, uint32_t mask, int64_t limit)
{
    const int32_t r = tn_orders_wait_for(s->orders, s->fd, mask, limit);

    //@ assert mine: tn_untouched{Pre, Here}(s->fd);
    //@ assert shape: tn_stream_shape(s);
    //@ assert bytes: tn_stream_bytes(s);
    tn_count(&s->counters->wakeups, 1);
    if (r == 0) {
        tn_count(&s->counters->spurious, 1);
    }
    return r;
}

/* Judges a wait up to limit that was in vain: who ended it.  Returns ORDERED when
 * nobody has; 0 when it is the caller's deadline; TN_EOF or TN_ERESET when the
 * stream has ended. */
/*@ requires ok: tn_stream_ok(s);
    requires failed: r == TN_ESYSTEM || r == 0;
    requires limit: limit <= deadline;
    terminates \true; exits \false;
    assigns s->state, s->reason;
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures result: \result == 0 || \result == ORDERED || \result == TN_EOF ||
                    \result == TN_ERESET;
    ensures late:   \result == 0 ==> deadline <= TN_CLOCK_MAX;
    ensures ended:  \result == TN_EOF || \result == TN_ERESET ==>
                    s->state == TN_STREAM_BROKEN &&
                    (\result == TN_ERESET <==> s->reason == TN_BY_RESET);
    ensures reset:  \result == TN_ERESET <==> r == TN_ESYSTEM;
    ensures same:   \result == 0 || \result == ORDERED ==> place_same{Pre, Post}(s);
*/
static int32_t in_vain(struct tn_stream *s, int32_t r, int64_t limit, int64_t deadline)
{
    const int64_t now = limit != TN_NEVER ? tn_sys_now_ms() : 0;

    if (r < 0) {
        return broken(s, TN_BY_RESET);
    }
    if (s->orders->order == TN_END || s->orders->until_ms <= now) {
        return broken(s, TN_BY_DRAIN);
    }
    if (time_limit(s) <= now) {
        return broken(s, stream_awaits(s));
    }
    return deadline <= now ? 0 : ORDERED;
}

/* Waits until the descriptor is ready for mask and returns what it is ready
 * for.  0 at the deadline, ORDERED when an order came, < 0 when it ended. */
/*@ requires ok: tn_stream_ok(s);
    terminates \false; exits \false;
    assigns s->state, s->reason, s->counters->wakeups, s->counters->spurious,
            TN_HEEDED(s->orders);
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures result: 0 <= \result <= TN_READ + TN_WRITE + TN_BROKEN || \result == ORDERED ||
                    \result == TN_EOF || \result == TN_ERESET;
    ensures late:   \result == 0 ==> deadline <= TN_CLOCK_MAX;
    ensures ended:  \result == TN_EOF || \result == TN_ERESET ==>
                    s->state == TN_STREAM_BROKEN &&
                    (\result == TN_ERESET <==> s->reason == TN_BY_RESET);
    ensures same:   \result >= 0 || \result == ORDERED ==> place_same{Pre, Post}(s);
*/
static int32_t wait_for(struct tn_stream *s, uint32_t mask, int64_t deadline)
{
    const uint32_t order = s->orders->order;
    int32_t r = ORDERED;

    if (order == TN_END) {
        return broken(s, TN_BY_DRAIN);
    }
    /*@ loop invariant ok: tn_stream_ok(s);
        loop invariant kept: call_same{Pre, Here}(s);
        loop invariant result: 0 <= r <= TN_READ + TN_WRITE + TN_BROKEN || r == ORDERED ||
            r == TN_EOF || r == TN_ERESET;
        loop invariant late: r == 0 ==> deadline <= TN_CLOCK_MAX;
        loop invariant ended: r == TN_EOF || r == TN_ERESET ==>
            s->state == TN_STREAM_BROKEN && (r == TN_ERESET <==> s->reason == TN_BY_RESET);
        loop invariant same: r >= 0 || r == ORDERED ==> place_same{Pre, Here}(s);
        loop assigns r, s->state, s->reason, s->counters->wakeups,
                     s->counters->spurious, TN_HEEDED(s->orders);
    */
    while (r == ORDERED && s->orders->order == order) {
        const int64_t limit = earlier(earlier(deadline, time_limit(s)), s->orders->until_ms);

        r = wait_once(s, mask, limit);
        if (r <= 0) {
            r = in_vain(s, r, limit, deadline);
        }
    }
    return r;
}

/* Drops the first n bytes of the output, which the kernel has just taken. */
/*@ requires shape: tn_stream_shape(s) && k_inv;
    requires n:     n <= s->buffer.out_len;
    requires sent:  tn_sent_at(s->fd) && k_log[s->fd] == k_tx[s->fd] + s->buffer.out_len - n;
    requires input: \forall integer k; 0 <= k < s->buffer.in_len ==>
                    s->buffer.in[k] == rx_at(s->fd, k_inc[s->fd],
                                             k_rx[s->fd] - s->buffer.in_len + k);
    requires taken: \forall integer k;
                    s->buffer.out_head + n <= k < s->buffer.out_head + s->buffer.out_len ==>
                        s->buffer.out[k] == log_at(s->fd, k_inc[s->fd],
                                                   k_tx[s->fd] + k - n - s->buffer.out_head);
    terminates \true; exits \false;
    assigns s->buffer.out_head, s->buffer.out_len, s->active_ms, s->counters->bytes_out;
    ensures ok:     tn_stream_ok(s);
    ensures length: s->buffer.out_len == \old(s->buffer.out_len) - n;
    ensures count:  s->counters->bytes_out == tn_counted(\old(s->counters->bytes_out), n);
*/
static void drop_sent(struct tn_stream *s, size_t n)
{
    tn_buffer_sent(&s->buffer, n);
    tn_count(&s->counters->bytes_out, (int64_t)n);
    moved(s);
}

/* Sends what the kernel takes without waiting.  Returns 1, or TN_ERESET. */
/*@ requires ok: tn_stream_ok(s);
    terminates \true; exits \false;
    assigns s->buffer.out_head, s->buffer.out_len, s->state, s->reason, s->active_ms,
            s->counters->bytes_out, k_tx[s->fd];
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures result: \result == 1 || \result == TN_ERESET;
    ensures broken: \result == TN_ERESET ==> s->state == TN_STREAM_BROKEN &&
                    s->reason == TN_BY_RESET;
    ensures same:   \result == 1 ==> place_same{Pre, Post}(s);
    ensures less:   s->buffer.out_len <= \old(s->buffer.out_len);
*/
static int32_t push(struct tn_stream *s)
{
    const struct tn_buffer *b = &s->buffer;
    int32_t n;

    if (b->out_len == 0) {
        return 1;
    }
    n = tn_sys_send(s->fd, b->out, (uint32_t)b->out_head, (uint32_t)b->out_len);
    //@ assert taken: tn_sent_at(s->fd);
    if (n == TN_ERESET) {
        return broken(s, TN_BY_RESET);
    }
    if (n > 0) {
        //@ assert sign: 0 <= n;
        drop_sent(s, (size_t)n);
    }
    return 1;
}

/* Takes n bytes behind the input into it: the kernel has just put them there. */
/*@ requires shape: tn_stream_shape(s) && k_inv;
    requires n:     n <= TN_IN_CAP - s->buffer.in_len;
    requires output: k_log[s->fd] == k_tx[s->fd] + s->buffer.out_len && tn_sent_at(s->fd) &&
        (\forall integer k;
            s->buffer.out_head <= k < s->buffer.out_head + s->buffer.out_len ==>
                s->buffer.out[k] == log_at(s->fd, k_inc[s->fd],
                                           k_tx[s->fd] + k - s->buffer.out_head));
    requires came:  \forall integer k; 0 <= k < s->buffer.in_len + n ==>
                    s->buffer.in[k] == rx_at(s->fd, k_inc[s->fd],
                                             k_rx[s->fd] - n - s->buffer.in_len + k);
    terminates \true; exits \false;
    assigns s->buffer.in_len, s->active_ms, s->counters->bytes_in;
    ensures ok:     tn_stream_ok(s);
    ensures length: s->buffer.in_len == \old(s->buffer.in_len) + n;
    ensures count:  s->counters->bytes_in == tn_counted(\old(s->counters->bytes_in), n);
    ensures slow:   \old(s->buffer.in_len) > 0 && s->read_ms > 0 ==>
                    s->active_ms == \old(s->active_ms);
*/
static void add_received(struct tn_stream *s, size_t n)
{
    if (s->buffer.in_len == 0 || s->read_ms == 0) {
        moved(s); /* what goes on with a frame gives it no more time */
    }
    s->buffer.in_len += n;
    tn_count(&s->counters->bytes_in, (int64_t)n);
}

/* Receives behind the input, once.  Returns as tn_sys_recv does. */
/*@ requires ok:   tn_stream_ok(s);
    requires room: s->buffer.in_len < TN_IN_CAP;
    terminates \true; exits \false;
    assigns s->buffer.in_len, s->buffer.in[0 .. TN_IN_CAP - 1], s->active_ms,
            s->counters->bytes_in, k_rx[s->fd];
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures result: \result == TN_EOF || \result == TN_ERESET || \result == TN_EMEMORY ||
                    0 <= \result <= TN_IN_CAP;
    ensures length: s->buffer.in_len == \old(s->buffer.in_len) + (\result > 0 ? \result : 0);
*/
static int32_t receive_more(struct tn_stream *s)
{
    struct tn_buffer *b = &s->buffer;
    const int32_t n =
        tn_sys_recv(s->fd, b->in, (uint32_t)b->in_len, (uint32_t)(TN_IN_CAP - b->in_len));

    /*@ assert input: \forall integer k; 0 <= k < \at(s->buffer.in_len, Pre) ==>
            s->buffer.in[k] == \at(s->buffer.in[k], Pre); */
    //@ assert scanned: tn_frame_scanned(s->framing, &s->buffer.in[0], s->off, s->scanned);
    //@ assert shape: tn_stream_shape(s);
    //@ assert bytes: n <= 0 ==> tn_stream_bytes(s);
    if (n > 0) {
        //@ assert sign: 0 <= n;
        add_received(s, (size_t)n);
    }
    return n;
}

/* Receives once what has come.  Returns 1, 0 when that is nothing, TN_ERESET. */
/*@ requires ok:   tn_stream_ok(s);
    requires room: s->buffer.in_len < TN_IN_CAP;
    terminates \true; exits \false;
    assigns s->buffer.in_len, s->buffer.in[0 .. TN_IN_CAP - 1], s->state, s->reason,
            s->peer_finished, s->active_ms, s->counters->bytes_in, k_rx[s->fd];
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_ERESET;
    ensures none:   \result == 0 ==> s->buffer.in_len == \old(s->buffer.in_len) &&
                    place_same{Pre, Post}(s);
    ensures broken: \result == TN_ERESET ==> s->state == TN_STREAM_BROKEN &&
                    s->reason == TN_BY_RESET && s->buffer.in_len == \old(s->buffer.in_len);
    ensures some:   \result == 1 ==>
                    s->buffer.in_len > \old(s->buffer.in_len) || s->peer_finished == 1;
    ensures heard:  \result == 1 ==> s->reason == \old(s->reason) &&
                    (s->state == \old(s->state) ||
                     (s->state == TN_STREAM_HEARD && s->peer_finished == 1));
*/
static int32_t take_bytes(struct tn_stream *s)
{
    const int32_t n = receive_more(s);

    if (n == TN_ERESET) {
        return broken(s, TN_BY_RESET);
    }
    if (n == TN_EOF) {
        s->state = TN_STREAM_HEARD;
        s->peer_finished = 1;
        return 1;
    }
    return n > 0 ? 1 : 0;
}

/* Moves what the descriptor is ready for.  Returns 1 when input came or ended, 0
 * when none did, TN_ERESET. */
/*@ requires ok:    tn_stream_ok(s);
    requires room:  s->buffer.in_len < TN_IN_CAP;
    terminates \true; exits \false;
    assigns s->buffer, s->state, s->reason, s->peer_finished, s->active_ms,
            s->counters->bytes_in, s->counters->bytes_out, k_rx[s->fd], k_tx[s->fd];
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_ERESET;
    ensures none:   \result == 0 ==> s->buffer.in_len == \old(s->buffer.in_len) &&
                    place_same{Pre, Post}(s);
    ensures broken: \result == TN_ERESET ==> s->state == TN_STREAM_BROKEN &&
                    s->reason == TN_BY_RESET;
    ensures some:   \result == 1 ==>
                    s->buffer.in_len > \old(s->buffer.in_len) || s->peer_finished == 1;
    ensures heard:  \result == 1 ==> s->reason == \old(s->reason) &&
                    (s->state == \old(s->state) ||
                     (s->state == TN_STREAM_HEARD && s->peer_finished == 1));
    ensures write:  (ready & TN_WRITE) == 0 ==> k_tx[s->fd] == \old(k_tx[s->fd]);
    ensures input:  (ready & (TN_READ + TN_BROKEN)) == 0 ==> \result != 1 &&
                    k_rx[s->fd] == \old(k_rx[s->fd]);
*/
static int32_t move_ready(struct tn_stream *s, uint32_t ready)
{
    if ((ready & TN_WRITE) != 0 && push(s) < 0) {
        return TN_ERESET;
    }
    return (ready & (TN_READ + TN_BROKEN)) != 0 ? take_bytes(s) : 0;
}

/* A drain has begun: takes what has come as the last.  Returns 1, or TN_ERESET. */
/*@ requires ok:   tn_stream_ok(s);
    requires room: s->buffer.in_len < TN_IN_CAP;
    terminates \true; exits \false;
    assigns s->buffer.in_len, s->buffer.in[0 .. TN_IN_CAP - 1], s->state, s->reason,
            s->peer_finished, s->active_ms, s->counters->bytes_in, k_rx[s->fd];
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures result: \result == 1 || \result == TN_ERESET;
    ensures broken: \result == TN_ERESET ==> s->state == TN_STREAM_BROKEN &&
                    s->reason == TN_BY_RESET;
    ensures heard:  \result == 1 ==> s->state == TN_STREAM_HEARD;
*/
static int32_t take_last(struct tn_stream *s)
{
    const int32_t r = take_bytes(s);

    if (r < 0) {
        return r;
    }
    s->state = TN_STREAM_HEARD;
    return 1;
}

/* What is waited for: more input, and room for the output that is pending. */
/*@ requires room: \valid_read(s);
    terminates \true; exits \false;
    assigns \nothing;
    ensures mask: \result == (s->buffer.out_len > 0 ? TN_READ + TN_WRITE : TN_READ);
*/
static uint32_t stream_wants(const struct tn_stream *s)
{
    return s->buffer.out_len > 0 ? TN_READ + TN_WRITE : TN_READ;
}

/* Waits once for input or room, and moves what there is.  Returns 1 when input came
 * or ended; ORDERED when none did; 0 at the deadline; < 0 when the stream ended. */
/*@ requires ok:    tn_stream_ok(s);
    requires room:  s->buffer.in_len < TN_IN_CAP;
    requires state: s->state == TN_STREAM_OPEN;
    terminates \false; exits \false;
    assigns s->buffer, s->state, s->reason, s->peer_finished, s->active_ms, TN_MOVED(s->counters),
            TN_HEEDED(s->orders);
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures result: \result == 1 || \result == 0 || \result == ORDERED || \result == TN_EOF ||
                    \result == TN_ERESET;
    ensures late:   \result == 0 ==> deadline <= TN_CLOCK_MAX;
    ensures none:   \result == 0 || \result == ORDERED ==>
                    s->state == TN_STREAM_OPEN && s->buffer.in_len == \old(s->buffer.in_len);
    ensures heard:  \result == 1 ==> s->state == TN_STREAM_OPEN ||
                    (s->state == TN_STREAM_HEARD && s->peer_finished == 1);
    ensures ended:  \result == TN_EOF || \result == TN_ERESET ==>
                    s->state == TN_STREAM_BROKEN &&
                    (\result == TN_ERESET <==> s->reason == TN_BY_RESET);
*/
static int32_t await_input(struct tn_stream *s, int64_t deadline)
{
    int32_t r = wait_for(s, stream_wants(s), deadline);

    if (r <= 0) {
        return r;
    }
    //@ assert sign: 0 <= r;
    r = move_ready(s, (uint32_t)r);
    return r == 0 ? ORDERED : r;
}

/* Waits for more input, sending meanwhile; when a drain has begun, takes what
 * has come as the last.  Returns 1; 0 at the deadline; < 0 when it ended. */
/*@ requires ok:    tn_stream_ok(s);
    requires room:  s->buffer.in_len < TN_IN_CAP;
    requires state: s->state == TN_STREAM_OPEN;
    terminates \false; exits \false;
    assigns s->buffer, s->state, s->reason, s->peer_finished, s->active_ms, TN_MOVED(s->counters),
            TN_HEEDED(s->orders);
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_EOF || \result == TN_ERESET;
    ensures late:   \result == 0 ==> deadline <= TN_CLOCK_MAX;
    ensures more:   \result >= 0 ==> s->state <= TN_STREAM_HEARD;
    ensures heard:  \result == 1 && s->state == TN_STREAM_HEARD ==>
                    s->peer_finished == 1 || s->orders->order != TN_SERVE;
    ensures ended:  \result < 0 ==> s->state == TN_STREAM_BROKEN &&
                    (\result == TN_ERESET <==> s->reason == TN_BY_RESET);
*/
static int32_t fill(struct tn_stream *s, int64_t deadline)
{
    int32_t r = push(s);

    if (r < 0) {
        return r;
    }
    r = ORDERED;
    /*@ loop invariant ok: tn_stream_ok(s);
        loop invariant kept: call_same{Pre, Here}(s);
        loop invariant result: r == 1 || r == 0 || r == ORDERED || r == TN_EOF || r == TN_ERESET;
        loop invariant late: r == 0 ==> deadline <= TN_CLOCK_MAX;
        loop invariant none: r == 0 || r == ORDERED ==> s->state == TN_STREAM_OPEN &&
            s->buffer.in_len == \at(s->buffer.in_len, Pre);
        loop invariant heard: r == 1 ==> s->state == TN_STREAM_OPEN ||
            (s->state == TN_STREAM_HEARD && s->peer_finished == 1);
        loop invariant ended: r == TN_EOF || r == TN_ERESET ==>
            s->state == TN_STREAM_BROKEN && (r == TN_ERESET <==> s->reason == TN_BY_RESET);
        loop assigns r, s->buffer, s->state, s->reason, s->peer_finished, s->active_ms,
                     TN_MOVED(s->counters), TN_HEEDED(s->orders);
    */
    while (r == ORDERED && s->orders->order == TN_SERVE) {
        r = await_input(s, deadline);
    }
    return r == ORDERED ? take_last(s) : r;
}

/* Looks for the next frame in what has come.  Returns 1 and fills *f; 0 when there
 * is no whole one; TN_EFRAME. */
/*@ requires ok:   tn_stream_ok(s);
    requires room: \valid(f) && \separated(f, s, s->orders, s->counters);
    terminates \true; exits \false;
    assigns *f;
    ensures ok:     tn_stream_ok(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_EFRAME;
    ensures inside: \result == 1 ==>
                    s->off + f->offset + f->length + tn_frame_after(s->framing) ==
                        s->off + f->consumed <= s->buffer.in_len &&
                    f->length <= s->frame_max;
    ensures carries: \result == 1 ==>
                    tn_frame_carries(s->framing, &s->buffer.in[0], s->off + f->offset, f->length);
    ensures small:  \result == 0 ==> s->buffer.in_len - s->off < TN_IN_CAP &&
                    tn_frame_scanned(s->framing, &s->buffer.in[0], s->off,
                                     s->buffer.in_len - s->off);
*/
static int32_t look_ahead(const struct tn_stream *s, struct tn_frame *f)
{
    const size_t left = s->buffer.in_len - s->off;
    int32_t r = 0;

    if (left > 0) {
        r = tn_frame_decode(s->framing, s->buffer.in, (uint32_t)s->off, (uint32_t)left,
                            (uint32_t)s->scanned, s->frame_max, f);
    }
    //@ assert shape: tn_stream_shape(s);
    //@ assert bytes: tn_stream_bytes(s);
    return r;
}

/* Moves past a frame. */
/*@ requires ok:     tn_stream_ok(s);
    requires inside: consumed <= s->buffer.in_len - s->off;
    terminates \true; exits \false;
    assigns s->off, s->scanned, s->counters->frames;
    ensures ok:  tn_stream_ok(s);
    ensures off: s->off == \old(s->off) + consumed;
    ensures count: s->counters->frames == tn_counted(\old(s->counters->frames), 1);
*/
static void pass_frame(struct tn_stream *s, uint32_t consumed)
{
    s->off += consumed;
    s->scanned = 0;
    tn_count(&s->counters->frames, 1);
}

/* The message of len bytes that lies at this place of the input. */
/*@ requires ok:     tn_stream_ok(s);
    requires inside: at + len <= s->buffer.in_len && len <= s->frame_max;
    requires carries: tn_frame_carries(s->framing, &s->buffer.in[0], at, len);
    requires room:   \valid(m) && \separated(m, s, s->orders, s->counters);
    terminates \true; exits \false;
    assigns *m;
    ensures ok:      tn_stream_ok(s);
    ensures frame:   tn_message_ok(s, m) && m->len == len;
    ensures in_order: \forall integer i; 0 <= i < len ==>
                     m->data[i] == rx_at(s->fd, k_inc[s->fd],
                                         k_rx[s->fd] - s->buffer.in_len + at + i);
*/
static void point_at(const struct tn_stream *s, size_t at, uint32_t len, struct tn_message *m)
{
    m->data = s->buffer.in + at;
    m->len = len;
    //@ assert place: m->data == &s->buffer.in[0] + at;
    //@ assert beyond: beyond(&s->buffer.in[0], m->data, at);
    //@ assert carries: tn_frame_carries(s->framing, m->data, 0, m->len);
    /*@ assert witness: \exists integer o; o == at && 0 <= o <= TN_IN_CAP - m->len &&
            m->data == &s->buffer.in[0] + o; */
    /*@ assert bytes: \forall integer k; at <= k < at + len ==>
            s->buffer.in[k] == rx_at(s->fd, k_inc[s->fd], k_rx[s->fd] - s->buffer.in_len + k); */
}

/* Decodes the next frame of what has come.  Returns 1; 0 when there is no whole
 * one; TN_EFRAME. */
/*@ requires ok:   tn_stream_ok(s);
    requires room: \valid(m) && \separated(m, s, s->orders, s->counters);
    terminates \true; exits \false;
    assigns s->off, s->scanned, *m, s->counters->frames;
    ensures ok:     tn_stream_ok(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_EFRAME;
    ensures frame:  \result == 1 ==> tn_message_ok(s, m);
    ensures next:   \result == 1 ==>
                    \old(s->off) + m->len + tn_frame_after(s->framing) <= s->off;
    ensures in_order: \result == 1 ==> \forall integer i; 0 <= i < m->len ==>
                    m->data[i] == rx_at(s->fd, k_inc[s->fd], tn_read_to(s) -
                                        tn_frame_after(s->framing) - m->len + i);
    ensures same:   tn_stream_same{Pre, Post}(s);
    ensures kept:   \result != 1 ==> call_same{Pre, Post}(s);
    ensures count:  s->counters->frames ==
                    tn_counted(\old(s->counters->frames), \result == 1 ? 1 : 0);
    ensures small:  \result == 0 ==> s->buffer.in_len - s->off < TN_IN_CAP &&
                    tn_frame_scanned(s->framing, &s->buffer.in[0], s->off,
                                     s->buffer.in_len - s->off);
*/
static int32_t decode(struct tn_stream *s, struct tn_message *m)
{
    struct tn_frame f;
    const int32_t r = look_ahead(s, &f);

    if (r == 1) {
        point_at(s, s->off + f.offset, f.length, m);
        pass_frame(s, f.consumed);
    }
    return r;
}

/* Drops what was read of the input; the rest holds no whole frame. */
/*@ requires ok:   tn_stream_ok(s);
    requires rest: tn_frame_scanned(s->framing, &s->buffer.in[0], s->off,
                                    s->buffer.in_len - s->off);
    terminates \true; exits \false;
    assigns s->off, s->scanned, s->active_ms, s->buffer.in_len,
            s->buffer.in[0 .. TN_IN_CAP - 1];
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures begun:  s->read_ms == 0 || \old(s->off) == 0 ==>
                    s->active_ms == \old(s->active_ms);
    ensures length: s->buffer.in_len == \old(s->buffer.in_len - s->off) && s->off == 0 &&
                    s->scanned == s->buffer.in_len;
*/
static void drop_read(struct tn_stream *s)
{
    if (s->off > 0 && s->read_ms > 0) {
        moved(s);
    }
    tn_buffer_delivered(&s->buffer, s->off);
    //@ assert rest: tn_frame_scanned(s->framing, &s->buffer.in[0], 0, s->buffer.in_len);
    /*@ assert input: \forall integer k; 0 <= k < s->buffer.in_len ==>
            s->buffer.in[k] == rx_at(s->fd, k_inc[s->fd], k_rx[s->fd] - s->buffer.in_len + k); */
    //@ assert held: tn_stream_bytes(s);
    s->off = 0;
    s->scanned = s->buffer.in_len;
    //@ assert shape: tn_stream_shape(s);
    //@ assert bytes: tn_stream_bytes(s);
}

/* After the last whole frame of what has come: why it was the last. */
/*@ requires room:   \valid_read(s);
    terminates \true; exits \false;
    assigns \nothing;
    ensures reason: \result == (s->peer_finished == 0 ? TN_BY_DRAIN :
                                s->off < s->buffer.in_len ? TN_BY_TRUNCATION : TN_BY_PEER);
*/
static uint32_t last_reason(const struct tn_stream *s)
{
    if (s->peer_finished == 0) {
        return TN_BY_DRAIN;
    }
    return s->off < s->buffer.in_len ? TN_BY_TRUNCATION : TN_BY_PEER;
}

/* No whole frame is left of what has come: ends the reading, or waits for more.
 * Returns 1; 0 at the deadline; < 0 when the stream ended. */
/*@ requires ok:    tn_stream_ok(s) && s->state <= TN_STREAM_HEARD;
    requires small: s->buffer.in_len - s->off < TN_IN_CAP &&
                    tn_frame_scanned(s->framing, &s->buffer.in[0], s->off,
                                     s->buffer.in_len - s->off);
    terminates \false; exits \false;
    assigns s->state, s->reason, s->peer_finished, s->off, s->scanned, s->active_ms, s->buffer,
            TN_MOVED(s->counters), TN_HEEDED(s->orders);
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_EOF || \result == TN_ERESET;
    ensures late:   \result == 0 ==> deadline <= TN_CLOCK_MAX;
    ensures ended:  \result < 0 ==> s->state == TN_STREAM_BROKEN &&
                    (\result == TN_ERESET <==> s->reason == TN_BY_RESET);
*/
static int32_t get_more(struct tn_stream *s, int64_t deadline)
{
    if (s->state == TN_STREAM_HEARD) {
        spent(s, last_reason(s));
        return 1;
    }
    drop_read(s);
    return fill(s, deadline);
}

int32_t tn_stream_read(struct tn_stream *s, struct tn_message *m, int64_t deadline_ms)
{
    /*@ loop invariant ok: tn_stream_ok(s);
        loop invariant kept: call_same{Pre, Here}(s);
        loop assigns s->state, s->reason, s->peer_finished, s->off, s->scanned, s->active_ms,
                     s->buffer, *m, TN_MOVED(s->counters), s->counters->frames,
                     TN_HEEDED(s->orders);
    */
    while (s->state <= TN_STREAM_HEARD) {
        int32_t r = decode(s, m);

        //@ assert same: tn_stream_same{Pre, Here}(s);
        //@ assert sound: tn_stream_ok(s);
        if (r == 1) {
            return 1;
        }
        if (r < 0) {
            spent(s, TN_BY_FRAME);
            //@ assert bad: tn_stream_same{Pre, Here}(s);
            return TN_EFRAME;
        }
        r = get_more(s, deadline_ms);
        //@ assert kept: tn_stream_same{Pre, Here}(s);
        /*@ assert broke: r < 0 ==> s->state == TN_STREAM_BROKEN && r != TN_EFRAME &&
                s->reason != TN_BY_FRAME && (r == TN_ERESET <==> s->reason == TN_BY_RESET); */
        if (r <= 0) {
            return r;
        }
    }
    //@ assert end: tn_stream_same{Pre, Here}(s) && s->state >= TN_STREAM_SPENT;
    return past_end(s);
}

/* Waits until no more than most bytes are pending.  Returns 1; 0 at the
 * deadline; < 0 when the stream ended. */
/*@ requires ok: tn_stream_ok(s);
    terminates \false; exits \false;
    assigns s->buffer.out_head, s->buffer.out_len, s->state, s->reason, s->active_ms,
            TN_MOVED(s->counters), TN_HEEDED(s->orders);
    ensures ok:     tn_stream_ok(s);
    ensures kept:   call_same{Pre, Post}(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_EOF || \result == TN_ERESET;
    ensures late:   \result == 0 ==> deadline <= TN_CLOCK_MAX;
    ensures room:   \result == 1 ==> s->buffer.out_len <= most;
    ensures same:   \result >= 0 ==> place_same{Pre, Post}(s);
    ensures ended:  \result < 0 ==> s->state == TN_STREAM_BROKEN;
*/
static int32_t drain_to(struct tn_stream *s, size_t most, int64_t deadline)
{
    int32_t r = 1;

    /*@ loop invariant ok: tn_stream_ok(s);
        loop invariant kept: call_same{Pre, Here}(s);
        loop invariant result: 0 <= r <= TN_READ + TN_WRITE + TN_BROKEN || r == TN_EOF ||
            r == TN_ERESET;
        loop invariant late: r == 0 ==> deadline <= TN_CLOCK_MAX;
        loop invariant same: r >= 0 ==> place_same{Pre, Here}(s);
        loop invariant ended: r < 0 ==> s->state == TN_STREAM_BROKEN;
        loop assigns r, s->buffer.out_head, s->buffer.out_len, s->state, s->reason,
                     s->active_ms, TN_MOVED(s->counters), TN_HEEDED(s->orders);
    */
    while (r > 0 && s->buffer.out_len > most) {
        r = push(s);
        if (r > 0 && s->buffer.out_len > most) {
            r = wait_for(s, TN_WRITE, deadline);
            r = r == ORDERED ? 1 : r;
        }
    }
    return r > 0 ? 1 : r;
}

/* Appends a frame to the output, where there is room for it.  Returns its bytes, 0
 * for no bytes under raw, or TN_EFRAME when the framing cannot carry it. */
/*@ requires ok:    tn_stream_ok(s);
    requires fits:  len <= TN_FRAME_MAX &&
                    s->buffer.out_len + len + TN_FRAME_OVERHEAD <= TN_OUT_CAP;
    requires bytes: \valid_read(data + (0 .. len - 1));
    requires apart: \separated(data + (0 .. len - 1), &s->buffer.out[0 .. TN_OUT_CAP - 1]);
    terminates \true; exits \false;
    assigns s->buffer.out_head, s->buffer.out_len, s->buffer.out[0 .. TN_OUT_CAP - 1],
            k_log[s->fd];
    ensures result: \result == TN_EFRAME || 0 <= \result;
    ensures none:   \result == 0 ==> len == 0 && s->framing == TN_RAW;
    ensures refused: \result < 0 ==> !\old(tn_frame_carries(s->framing, data, 0, len));
    ensures size:   \result > 0 ==> \result == tn_frame_before(s->framing, len) + len +
                                              tn_frame_after(s->framing);
    ensures appended: k_log[s->fd] == \old(k_log[s->fd]) + (\result > 0 ? \result : 0);
    ensures carried: \result > 0 ==> \forall integer i; 0 <= i < len ==>
                    log_at(s->fd, k_inc[s->fd], \old(k_log[s->fd]) +
                           tn_frame_before(s->framing, len) + i) == \old(data[i]);
    ensures room:   tn_buffer_ok(&s->buffer);
    ensures length: s->buffer.out_len == \old(s->buffer.out_len) + (\result > 0 ? \result : 0);
    ensures input:  \forall integer k; 0 <= k < s->buffer.in_len ==>
                    s->buffer.in[k] == \old(s->buffer.in[k]);
    ensures output: \forall integer k;
                    s->buffer.out_head <= k < s->buffer.out_head + s->buffer.out_len ==>
                        s->buffer.out[k] == log_at(s->fd, k_inc[s->fd],
                                                   k_tx[s->fd] + k - s->buffer.out_head);
*/
static int32_t append_frame(struct tn_stream *s, const uint8_t *data, uint32_t len)
{
    struct tn_buffer *b = &s->buffer;
    const int32_t n = tn_buffer_queue(b, s->framing, data, len);

    /*@ assert bytes: n > 0 ==>
            \let o = b->out_head + b->out_len - n + tn_frame_before(s->framing, len);
            \forall integer k; o <= k < o + len ==> b->out[k] == \at(data[k - o], Pre); */
    /*@ assert kept: \forall integer k;
            b->out_head <= k < b->out_head + \at(s->buffer.out_len, Pre) ==>
            b->out[k] == log_at(s->fd, k_inc[s->fd], k_tx[s->fd] + k - b->out_head); */
    /*@ assert from: n > 0 ==> b->out_len - n == \at(s->buffer.out_len, Pre) &&
            k_log[s->fd] == k_tx[s->fd] + b->out_len - n; */
    /*@ ghost if (n > 0)
            k_promise(s->fd, b->out, (uint32_t)(b->out_head + b->out_len - (size_t)n),
                      (uint32_t)n); */
    /*@ assert promised: n > 0 ==> \forall integer k;
            b->out_head + b->out_len - n <= k < b->out_head + b->out_len ==>
            b->out[k] == log_at(s->fd, k_inc[s->fd], k_tx[s->fd] + k - b->out_head); */
    /*@ assert fresh: \forall integer k;
            b->out_head + \at(s->buffer.out_len, Pre) <= k < b->out_head + b->out_len ==>
            b->out[k] == log_at(s->fd, k_inc[s->fd], k_tx[s->fd] + k - b->out_head); */
    //@ assert around: 0 <= tn_frame_before(s->framing, len) && 0 <= tn_frame_after(s->framing);
    /*@ assert payload: n > 0 ==>
            \let o = b->out_head + b->out_len - n + tn_frame_before(s->framing, len);
            \forall integer i; 0 <= i < len ==>
                b->out[o + i] == \at(data[i], Pre) &&
                b->out[o + i] == log_at(s->fd, k_inc[s->fd], k_tx[s->fd] + o - b->out_head + i); */
    return n;
}

/* Accepts a frame for which there is room.  Returns 1, or TN_EFRAME. */
/*@ requires ok:    tn_stream_ok(s);
    requires fits:  len <= TN_FRAME_MAX &&
                    s->buffer.out_len + len + TN_FRAME_OVERHEAD <= TN_OUT_CAP;
    requires bytes: \valid_read(data + (0 .. len - 1));
    requires apart: \separated(data + (0 .. len - 1), &s->buffer.out[0 .. TN_OUT_CAP - 1]);
    terminates \true; exits \false;
    assigns s->buffer.out_head, s->buffer.out_len, s->buffer.out[0 .. TN_OUT_CAP - 1],
            s->counters->sent, k_log[s->fd];
    ensures ok:     tn_stream_ok(s);
    ensures result: \result == 1 || \result == TN_EFRAME;
    ensures refused: \result != 1 ==> k_log[s->fd] == \old(k_log[s->fd]) &&
                    !\old(tn_frame_carries(s->framing, data, 0, len));
    ensures accepted: \result == 1 && (0 < len || s->framing != TN_RAW) ==>
                    k_log[s->fd] == \old(k_log[s->fd]) + tn_frame_before(s->framing, len) +
                                    len + tn_frame_after(s->framing);
    ensures carried: \result == 1 ==> \forall integer i; 0 <= i < len ==>
                    log_at(s->fd, k_inc[s->fd], \old(k_log[s->fd]) +
                           tn_frame_before(s->framing, len) + i) == \old(data[i]);
    ensures count:  s->counters->sent ==
                    tn_counted(\old(s->counters->sent), \result == 1 ? 1 : 0);
*/
static int32_t accept_frame(struct tn_stream *s, const uint8_t *data, uint32_t len)
{
    const int32_t n = append_frame(s, data, len);

    //@ assert scanned: tn_frame_scanned(s->framing, &s->buffer.in[0], s->off, s->scanned);
    //@ assert shape: tn_stream_shape(s);
    //@ assert bytes: tn_stream_bytes(s);
    if (n < 0) {
        return n;
    }
    tn_count(&s->counters->sent, 1);
    return 1;
}

/* Waits for room for a frame, and accepts it.  Returns 1; 0 at the deadline;
 * TN_EFRAME; TN_EOF or TN_ERESET when the stream has ended. */
/*@ requires ok:    tn_stream_ok(s);
    requires fits:  len <= TN_FRAME_MAX;
    requires bytes: \valid_read(data + (0 .. len - 1));
    requires apart: \separated(data + (0 .. len - 1), &s->buffer.out[0 .. TN_OUT_CAP - 1]);
    terminates \false; exits \false;
    assigns s->state, s->reason, s->active_ms, s->buffer.out_head, s->buffer.out_len,
            s->buffer.out[0 .. TN_OUT_CAP - 1], TN_MOVED(s->counters),
            s->counters->sent, TN_HEEDED(s->orders);
    ensures ok:     tn_stream_ok(s);
    ensures same:   tn_stream_same{Pre, Post}(s) && tn_read_to{Pre}(s) == tn_read_to{Post}(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_EFRAME || \result == TN_EOF ||
                    \result == TN_ERESET;
    ensures late:   \result == 0 ==> deadline <= TN_CLOCK_MAX;
    ensures refused: \result != 1 ==> k_log[s->fd] == \old(k_log[s->fd]);
    ensures accepted: \result == 1 && (0 < len || s->framing != TN_RAW) ==>
                    k_log[s->fd] == \old(k_log[s->fd]) + tn_frame_before(s->framing, len) +
                                    len + tn_frame_after(s->framing);
    ensures carried: \result == 1 ==> \old(
                    tn_carried(data, len, s->fd, k_inc[s->fd],
                               k_log[s->fd] + tn_frame_before(s->framing, len)));
    ensures bad_payload: \result == TN_EFRAME ==>
                    !\old(tn_frame_carries(s->framing, data, 0, len));
    ensures ended:  \result == TN_EOF || \result == TN_ERESET ==> s->state == TN_STREAM_BROKEN;
*/
static int32_t send_frame(struct tn_stream *s, const uint8_t *data, uint32_t len, int64_t deadline)
{
    int32_t r = drain_to(s, TN_OUT_CAP - TN_FRAME_OVERHEAD - len, deadline);

    if (r <= 0) {
        return r;
    }
    //@ assert kept: call_same{Pre, Here}(s);
    r = accept_frame(s, data, len);
    //@ assert mine: tn_stream_same{Pre, Here}(s);
    /*@ assert there: r == 1 ==> \at(tn_carried(data, len, s->fd, k_inc[s->fd],
            k_log[s->fd] + tn_frame_before(s->framing, len)), Pre); */
    return r;
}

int32_t tn_stream_send(struct tn_stream *s, const uint8_t *data, uint32_t len, int64_t deadline_ms)
{
    if (len > s->frame_max) {
        return TN_ETOOBIG;
    }
    if (s->state == TN_STREAM_BROKEN) {
        return past_end(s);
    }
    return send_frame(s, data, len, deadline_ms);
}

int32_t tn_stream_flush(struct tn_stream *s, int64_t deadline_ms)
{
    return s->state == TN_STREAM_BROKEN ? past_end(s) : drain_to(s, 0, deadline_ms);
}

/* Drops all input. */
/*@ requires ok: tn_stream_ok(s);
    terminates \true; exits \false;
    assigns s->off, s->scanned, s->buffer.in_len;
    ensures ok:    tn_stream_ok(s);
    ensures empty: s->buffer.in_len == 0;
*/
static void drop_all(struct tn_stream *s)
{
    s->off = 0;
    s->scanned = 0;
    s->buffer.in_len = 0;
}

/* Waits up to limit and drops what comes.  Returns as wait_for does. */
/*@ requires ok: tn_stream_ok(s);
    terminates \false; exits \false;
    assigns s->state, s->reason, s->peer_finished, s->off, s->scanned, s->active_ms,
            s->buffer.in_len, s->buffer.in[0 .. TN_IN_CAP - 1], TN_MOVED(s->counters),
            TN_HEEDED(s->orders);
    ensures ok:   tn_stream_ok(s);
    ensures same: tn_stream_same{Pre, Post}(s) && k_log[s->fd] == \old(k_log[s->fd]);
    ensures result: 0 <= \result <= TN_READ + TN_WRITE + TN_BROKEN || \result == ORDERED ||
                  \result == TN_EOF || \result == TN_ERESET;
    ensures ended: \result == TN_EOF || \result == TN_ERESET ==> s->state == TN_STREAM_BROKEN;
*/
static int32_t drop_more(struct tn_stream *s, int64_t limit)
{
    const int32_t r = wait_for(s, TN_READ, limit);

    if (r > 0) {
        drop_all(s);
        (void)take_bytes(s);
    }
    return r;
}

/* Drops what comes until the peer has finished too, so that its stack does not
 * answer unread bytes with a reset that would destroy our last output. */
/*@ requires ok:    tn_stream_ok(s);
    requires spent: s->buffer.out_len == 0;
    terminates \false; exits \false;
    assigns s->state, s->reason, s->peer_finished, s->off, s->scanned, s->active_ms,
            s->idle_ms, s->buffer.in_len, s->buffer.in[0 .. TN_IN_CAP - 1], TN_MOVED(s->counters),
            TN_HEEDED(s->orders);
    ensures made:   tn_stream_made(s) && tn_stream_bytes(s) && k_inv;
    ensures same:   tn_stream_same{Pre, Post}(s) && k_log[s->fd] == \old(k_log[s->fd]);
    ensures reason: s->reason == \old(s->reason);
    ensures sent:   s->buffer.out_len == 0;
    ensures unhurried: s->idle_ms == 0;
*/
static void await_peer(struct tn_stream *s)
{
    const int64_t limit = tn_sys_now_ms() + s->linger_ms;
    const uint32_t reason = s->reason;
    int32_t r = 1;

    s->idle_ms = 0;
    tn_sys_finish(s->fd);
    /*@ loop invariant ok: tn_stream_ok(s);
        loop invariant same: tn_stream_same{Pre, Here}(s) &&
            k_log[s->fd] == \at(k_log[s->fd], Pre);
        loop assigns r, s->state, s->reason, s->peer_finished, s->off, s->scanned, s->active_ms,
                     s->buffer.in_len, s->buffer.in[0 .. TN_IN_CAP - 1], TN_MOVED(s->counters),
                     TN_HEEDED(s->orders);
    */
    while (r != 0 && s->peer_finished == 0 && s->state != TN_STREAM_BROKEN) {
        r = drop_more(s, limit);
    }
    s->reason = reason;
}

/* Sends what is left and waits for the peer to finish too. */
/*@ requires ok: tn_stream_ok(s);
    terminates \false; exits \false;
    assigns s->state, s->reason, s->peer_finished, s->off, s->scanned, s->active_ms,
            s->idle_ms, s->buffer, TN_MOVED(s->counters), TN_HEEDED(s->orders);
    ensures made:  tn_stream_made(s) && tn_stream_bytes(s) && k_inv && s->reason < TN_REASONS;
    ensures same:  tn_stream_same{Pre, Post}(s) && k_log[s->fd] == \old(k_log[s->fd]);
    ensures whole: s->state == TN_STREAM_BROKEN || s->buffer.out_len == 0;
    ensures reason: s->state != TN_STREAM_BROKEN ==>
                   s->reason == (\old(s->state) <= TN_STREAM_HEARD ? TN_BY_CALLER :
                                 \old(s->reason));
    ensures heard: \old(s->peer_finished) == 1 ==>
                   s->buffer.in_len == \old(s->buffer.in_len);
*/
static void finish_sending(struct tn_stream *s)
{
    if (s->state <= TN_STREAM_HEARD) {
        spent(s, TN_BY_CALLER);
    }
    if (s->state == TN_STREAM_BROKEN || drain_to(s, 0, TN_NEVER) < 0) {
        return;
    }
    if (s->peer_finished == 0) {
        await_peer(s);
    }
}

void tn_stream_close(struct tn_stream *s)
{
    finish_sending(s);
    tn_sys_close(s->fd);
    s->fd = -1;
    tn_count(&s->counters->closed[s->reason], 1);
}
