/* One connection's delivery. */
#include "serve/delivery.h"

void tn_count(int64_t *counter, int64_t n)
{
    if (*counter <= TN_COUNT_END)
        *counter += n;
}

struct tn_step tn_step_of(uint32_t type, uint32_t slot, uint32_t a, uint32_t b)
{
    const struct tn_step step = {type, slot, a, b};

    return step;
}

struct tn_step tn_delivery_ended(struct tn_server *s, uint32_t slot, int32_t reason)
{
    const uint32_t gen = s->table.slots.gen[slot];

    /*@ assert within: s->timers.cap <= TN_CONNECTIONS && s->table.slots.cap <= TN_CONNECTIONS &&
            0 <= s->table.fd[slot] < TN_SYS_FDS; */
    tn_link_close(s, slot);
    return tn_step_of(TN_CLOSED, slot, (uint32_t)reason, gen);
}

/* The connection in slot is in this state from now on. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot);
    requires state: TN_CONN_OPEN <= state <= TN_CONN_LINGERING;
    requires cur:   s->cur == slot ==> state != TN_CONN_PARKED && state != TN_CONN_LINGERING;
    terminates \true; exits \false;
    assigns s->conn[slot].state;
    TN_SERVER_OK(ensures, s, slot);
    ensures state: s->conn[slot].state == state;
*/
static void enter(struct tn_server *s, uint32_t slot, int32_t state)
{
    s->conn[slot].state = (int8_t)state;
}

/* n bytes came from the connection just now, behind `before` bytes of a frame:
 * those that go on with one give it no more time. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot);
    requires n:    0 <= n;
    terminates \true; exits \false;
    assigns s->active_ms[slot], s->counters.bytes_in;
    TN_SERVER_OK(ensures, s, slot);
    ensures active: s->active_ms[slot] ==
                    (before == 0 || s->read_ms == 0 ? s->now_ms : \old(s->active_ms[slot]));
    ensures kept:   s->cur == \old(s->cur) && s->now_ms == \old(s->now_ms);
*/
static void moved_in(struct tn_server *s, uint32_t slot, int64_t before, int32_t n)
{
    if (before == 0 || s->read_ms == 0)
        s->active_ms[slot] = s->now_ms;
    tn_count(&s->counters.bytes_in, n);
}

/* The kernel took n bytes to the connection just now. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot);
    requires n:    0 <= n;
    terminates \true; exits \false;
    assigns s->active_ms[slot], s->counters.bytes_out;
    TN_SERVER_OK(ensures, s, slot);
    ensures active: s->active_ms[slot] == s->now_ms;
    ensures kept:   s->cur == \old(s->cur) && s->now_ms == \old(s->now_ms);
*/
static void moved_out(struct tn_server *s, uint32_t slot, int32_t n)
{
    s->active_ms[slot] = s->now_ms;
    tn_count(&s->counters.bytes_out, n);
}

/* Says whether what is waited for begins anew now that frames were delivered. */
/*@ requires room: \valid_read(s);
    terminates \true; exits \false;
    assigns \nothing;
    ensures anew:  \result == 1 <==> s->off > 0 && s->read_ms > 0;
    ensures range: \result == 0 || \result == 1;
*/
static uint32_t begins_anew(const struct tn_server *s)
{
    return s->off > 0 && s->read_ms > 0 ? 1 : 0;
}

/* Notes what came of an attempt to send: n bytes, maybe none. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot);
    requires n:    0 <= n;
    terminates \true; exits \false;
    assigns s->active_ms[slot], s->counters.bytes_out;
    ensures ok: tn_server_but(s, slot, TN_NONE);
    ensures active: n > 0 || anew == 1 ==> s->active_ms[slot] == s->now_ms;
    ensures kept:   s->cur == \old(s->cur) && s->now_ms == \old(s->now_ms);
*/
static void note_sent(struct tn_server *s, uint32_t slot, int32_t n, uint32_t anew)
{
    if (n > 0 || anew == 1)
        moved_out(s, slot, n);
}

void tn_delivery_push(struct tn_server *s, uint32_t slot)
{
    const int32_t n = tn_link_flush(s, slot);

    if (n > 0)
        moved_out(s, slot, n);
}

void tn_delivery_clock(struct tn_server *s, uint32_t slot)
{
    (void)slot; /* stands in the contract only */
    s->now_ms = tn_sys_now_ms();
}

/* Says to the peer that we have finished, and waits for it to finish too. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot) && s->cur != slot;
    requires spent: tn_out(s, slot) == 0;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures cur: s->cur == \old(s->cur);
*/
static void linger(struct tn_server *s, uint32_t slot)
{
    tn_link_return(s, slot);
    enter(s, slot, TN_CONN_LINGERING);
    tn_sys_finish(s->table.fd[slot]);
    tn_delivery_clock(s, slot);
    tn_link_time(s, slot, s->now_ms + s->linger_ms);
    tn_link_watch(s, slot);
}

void tn_delivery_rest(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = s->conn[slot].block;

    if (block != TN_NO_BLOCK && s->buffer[block].in_len == 0 && s->buffer[block].out_len == 0)
        tn_link_return(s, slot);
    tn_link_watch(s, slot);
}

void tn_delivery_stop(struct tn_server *s, uint32_t slot, int32_t reason)
{
    s->conn[slot].state = s->conn[slot].state == TN_CONN_HALF ? TN_CONN_FLUSHING : TN_CONN_DRAINING;
    s->conn[slot].reason = (int8_t)reason;
}

void tn_delivery_finish(struct tn_server *s, uint32_t slot, int32_t reason)
{
    struct tn_conn *c = &s->conn[slot];

    if (c->state >= TN_CONN_FLUSHING)
        return;
    tn_delivery_stop(s, slot, reason);
    if (c->block == TN_NO_BLOCK || s->buffer[c->block].out_len == 0) {
        linger(s, slot);
        return;
    }
    tn_link_drop(s, slot);
    tn_link_watch(s, slot);
}

/* Notes that some connection is parked. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    terminates \true; exits \false;
    assigns s->parked;
    TN_SERVER_OK(ensures, s, slot);
    ensures parked: s->parked == 1;
*/
static void note_parked(struct tn_server *s, uint32_t slot)
{
    (void)slot;
    s->parked = 1;
}

/* Makes the connection wait for a buffer. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot) && s->cur == TN_NONE;
    requires none: s->conn[slot].block == TN_NO_BLOCK;
    terminates \true; exits \false;
    assigns s->conn[slot].state, s->parked, s->table.interest[slot],
            s->table.poller.edges, k_reg_mask[s->table.fd[slot]];
    ensures ok: tn_server_ok(s);
    ensures parked: s->parked == 1 && s->conn[slot].state == TN_CONN_PARKED;
*/
static void park(struct tn_server *s, uint32_t slot)
{
    enter(s, slot, TN_CONN_PARKED);
    note_parked(s, slot);
    tn_link_watch(s, slot);
}

void tn_delivery_unpark(struct tn_server *s, uint32_t slot)
{
    if (s->conn[slot].state == TN_CONN_PARKED)
        s->conn[slot].state = TN_CONN_OPEN;
}

void tn_delivery_begin(struct tn_server *s, uint32_t slot, int64_t scanned)
{
    s->cur = slot;
    s->scanned = scanned;
}

/* Moves a connection on after an attempt to deliver and to send.  Returns 1, or
 * 0 when nothing is left of it but to close it. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot) && s->cur == TN_NONE &&
                    s->conn[slot].block != TN_NO_BLOCK;
    requires state: s->conn[slot].state != TN_CONN_PARKED &&
                    s->conn[slot].state != TN_CONN_LINGERING;
    requires known: more == 0 || more == 1;
    requires room:  more == 0 && s->conn[slot].state < TN_CONN_FLUSHING ==>
                    s->buffer[s->conn[slot].block].in_len < TN_IN_CAP &&
                    tn_scanned_at(s, s->conn[slot].block, 0,
                                  s->buffer[s->conn[slot].block].in_len);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_but(s, \result == 1 ? TN_NONE : slot, TN_NONE);
    ensures result: \result == 0 || \result == 1;
    ensures live:   \result == 0 ==> tn_live(s, slot) && s->cur == TN_NONE;
*/
static uint32_t advance(struct tn_server *s, uint32_t slot, int32_t more)
{
    const size_t pending = s->buffer[s->conn[slot].block].out_len;
    int32_t next;

    if (s->draining == 1 && more == 0 && s->conn[slot].state == TN_CONN_OPEN)
        tn_delivery_stop(s, slot, TN_BY_DRAIN);
    if (s->conn[slot].state >= TN_CONN_FLUSHING)
        tn_link_drop(s, slot);
    next = tn_conn_next(s->conn[slot].state, pending, more);
    if (next == TN_CONN_CLOSED)
        return 0;
    if (next == TN_CONN_LINGERING) {
        linger(s, slot);
        return 1;
    }
    enter(s, slot, next);
    if (more == 1 && pending <= TN_OUTPUT_LOW)
        tn_delivery_begin(s, slot, 0);
    else
        tn_delivery_rest(s, slot);
    return 1;
}

/* Says whether the connection has come to the usual end of a delivery: all that
 * came was delivered, all that was to go has gone.  1 or 0. */
/*@ requires shape: tn_server_shape(s);
    requires slot:  slot < TN_CONNECTIONS && s->conn[slot].block < TN_BLOCKS;
    terminates \true; exits \false;
    assigns \nothing;
    ensures quiet: \result == 1 <==> s->conn[slot].state == TN_CONN_OPEN && s->draining == 0 &&
                   s->buffer[s->conn[slot].block].in_len == 0 &&
                   s->buffer[s->conn[slot].block].out_len == 0;
    ensures range: \result == 0 || \result == 1;
*/
static uint32_t quiet(const struct tn_server *s, uint32_t slot)
{
    const struct tn_buffer *b = &s->buffer[s->conn[slot].block];

    return s->conn[slot].state == TN_CONN_OPEN && s->draining == 0 && b->in_len == 0 &&
           b->out_len == 0;
}

/* Why the connection ends. */
/*@ requires shape: tn_server_shape(s) && tn_slots_ok(&s->table.slots);
    requires live:  tn_live(s, slot) && tn_owned(s, TN_NONE);
    terminates \true; exits \false;
    assigns \nothing;
    ensures reason: \result == s->conn[slot].reason && 0 <= \result < TN_REASONS;
*/
static int32_t reason_of(const struct tn_server *s, uint32_t slot)
{
    //@ assert mine: slot < TN_CONNECTIONS && tn_owned_at(s, slot);
    return s->conn[slot].reason;
}

/* Ends a delivery: drops what was delivered, sends what is pending, and moves
 * the connection on.  more: frames may be left, held back for lack of room for
 * their replies. */
/*@ requires ok: tn_server_ok(s);
    requires live:  tn_live(s, slot) && s->cur == slot;
    requires known: more == 0 || more == 1;
    requires room:  more == 0 && s->conn[slot].state < TN_CONN_FLUSHING ==>
                    s->buffer[s->conn[slot].block].in_len - s->off < TN_IN_CAP &&
                    tn_scanned_at(s, s->conn[slot].block, s->off,
                                  s->buffer[s->conn[slot].block].in_len - s->off);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE;
*/
static struct tn_step settle(struct tn_server *s, uint32_t slot, int32_t more)
{
    const uint32_t anew = begins_anew(s);
    int32_t n;

    tn_link_delivered(s, slot);
    n = tn_link_flush(s, slot);
    if (n < 0)
        return tn_delivery_ended(s, slot, TN_BY_RESET);
    note_sent(s, slot, n, anew);
    if (quiet(s, slot) == 1)
        tn_link_idle(s, slot);
    else if (advance(s, slot, more) == 0)
        return tn_delivery_ended(s, slot, reason_of(s, slot));
    return tn_step_of(TN_STEP_MORE, slot, 0, 0);
}

/* What was found in the input of a connection. */
struct found {
    int32_t result; /* 1: a frame; 0: no whole one; HELD; TN_EFRAME */
    uint32_t offset;
    uint32_t length;
    uint32_t consumed;
};

/* Frames are held back for lack of room for their replies. */
#define HELD 2

/* Looks for a frame in in[off .. off + n - 1], of which `scanned` bytes are known
 * to hold none. */
/*@ requires bytes: \valid_read(in + (off .. off + n - 1));
    requires place: off <= TN_IN_CAP && n <= TN_IN_CAP - off && scanned <= n;
    requires limit: max <= TN_FRAME_MAX;
    terminates \true; exits \false;
    assigns \nothing;
    ensures answer: \result.result == 1 || \result.result == 0 || \result.result == TN_EFRAME;
    ensures inside: \result.result == 1 ==> 1 <= \result.consumed <= n &&
                    \result.offset + \result.length <= \result.consumed &&
                    \result.length <= max;
    ensures small:  \result.result == 0 ==> n < TN_IN_CAP;
    ensures seen:   \result.result == 0 && tn_frame_scanned(framing, in, off, scanned) ==>
                    tn_frame_scanned(framing, in, off, n);
    ensures carries: \result.result == 1 && tn_frame_scanned(framing, in, off, scanned) ==>
                    tn_frame_carries(framing, in, off + \result.offset, \result.length);
    ensures found:  \result.result == 1 && tn_frame_scanned(framing, in, off, scanned) ==>
                    tn_frame_found(framing, in, off, n, max, \result.offset, \result.length,
                                   \result.consumed);
*/
static struct found look(uint32_t framing, const uint8_t *in, uint32_t off, uint32_t n,
                         uint32_t scanned, uint32_t max)
{
    struct tn_frame f;
    struct found found = {0, 0, 0, 0};

    found.result = tn_frame_decode(framing, in, off, n, scanned, max, &f);
    if (found.result == 1) {
        found.offset = f.offset;
        found.length = f.length;
        found.consumed = f.consumed;
    }
    return found;
}

/* Looks for the next frame of the connection being served: there is none where
 * no more are wanted. */
/*@ requires shape:  tn_server_shape(s) && tn_slots_ok(&s->table.slots);
    requires window: tn_window(s) && s->cur != TN_NONE;
    requires owned:  tn_owned_at(s, s->cur);
    requires buffers: tn_buffers(s);
    terminates \true; exits \false;
    assigns \nothing;
    ensures answer: \result.result == 1 || \result.result == 0 || \result.result == HELD ||
                    \result.result == TN_EFRAME;
    ensures inside: \result.result == 1 ==>
                    1 <= \result.consumed <= s->buffer[s->conn[s->cur].block].in_len - s->off &&
                    \result.offset + \result.length <= \result.consumed &&
                    \result.length <= s->frame_max && tn_out(s, s->cur) <= TN_OUTPUT_HIGH;
    ensures carries: \result.result == 1 ==>
                    tn_frame_carries(s->framing, &s->buffer[s->conn[s->cur].block].in[0],
                                     s->off + \result.offset, \result.length);
    ensures wanted: \result.result != 0 ==> s->conn[s->cur].state < TN_CONN_FLUSHING;
    ensures small:  \result.result == 0 && s->conn[s->cur].state < TN_CONN_FLUSHING ==>
                    s->buffer[s->conn[s->cur].block].in_len - s->off < TN_IN_CAP &&
                    tn_scanned_at(s, s->conn[s->cur].block, s->off,
                                  s->buffer[s->conn[s->cur].block].in_len - s->off);
    ensures held:   \result.result == HELD ==> tn_out(s, s->cur) > TN_OUTPUT_LOW;
*/
static struct found next_frame(const struct tn_server *s)
{
    const struct tn_conn *c = &s->conn[s->cur];
    const struct tn_buffer *b = &s->buffer[c->block];
    const uint32_t off = (uint32_t)s->off;
    struct found found = {0, 0, 0, 0};

    //@ assert scanned: tn_frame_scanned(s->framing, &b->in[0], off, s->scanned);
    /* Usual after the last frame of a receipt: nothing is left to decode. */
    if (off == b->in_len || c->state >= TN_CONN_FLUSHING)
        return found;
    if (b->out_len > (c->state == TN_CONN_PAUSED ? TN_OUTPUT_LOW : TN_OUTPUT_HIGH)) {
        found.result = HELD;
        return found;
    }
    found =
        look(s->framing, b->in, off, (uint32_t)b->in_len - off, (uint32_t)s->scanned, s->frame_max);
    //@ assert seen: found.result == 0 ==> tn_scanned_at(s, c->block, off, b->in_len - off);
    return found;
}

/* Moves past a frame of the connection being served. */
/*@ requires ok: tn_server_ok(s);
    requires cur:   s->cur != TN_NONE;
    requires frame: consumed <= s->buffer[s->conn[s->cur].block].in_len - s->off;
    terminates \true; exits \false;
    assigns s->off, s->scanned;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures off: s->off == \old(s->off) + consumed;
*/
static void pass(struct tn_server *s, uint32_t consumed)
{
    s->off += consumed;
    s->scanned = 0;
}

struct tn_step tn_delivery_next(struct tn_server *s)
{
    const uint32_t slot = (uint32_t)s->cur;
    const uint32_t off = (uint32_t)s->off;
    const struct found f = next_frame(s);

    if (f.result == 1) {
        pass(s, f.consumed);
        //@ assert mine: tn_live(s, slot) && s->cur == slot;
        /*@ assert carries: tn_frame_carries(s->framing, &s->buffer[s->conn[slot].block].in[0],
                                             off + f.offset, f.length); */
        return tn_step_of(TN_FRAME, slot, off + f.offset, f.length);
    }
    if (f.result < 0)
        tn_delivery_stop(s, slot, TN_BY_FRAME);
    else if (f.result == 0 && s->conn[slot].state == TN_CONN_HALF)
        tn_delivery_stop(
            s, slot, off < s->buffer[s->conn[slot].block].in_len ? TN_BY_TRUNCATION : TN_BY_PEER);
    return settle(s, slot, f.result == HELD ? 1 : 0);
}

/* The bytes of input that the connection's buffer holds. */
/*@ requires room:  \valid_read(s) && slot < TN_CONNECTIONS;
    requires block: s->conn[slot].block < TN_BLOCKS;
    requires ok:    tn_buffers(s);
    terminates \true; exits \false;
    assigns \nothing;
    ensures length: \result == s->buffer[s->conn[slot].block].in_len;
*/
static int64_t received(const struct tn_server *s, uint32_t slot)
{
    return (int64_t)s->buffer[s->conn[slot].block].in_len;
}

struct tn_step tn_delivery_receive(struct tn_server *s, uint32_t slot)
{
    int64_t before;
    int32_t n;

    //@ assert rests: tn_rests_at(s, slot);
    //@ assert within: 0 <= s->pool.perm[s->pool.free > 0 ? s->pool.free - 1 : 0] < TN_BLOCKS;
    if (tn_link_borrow(s, slot) == 0) {
        park(s, slot);
        return tn_step_of(TN_STEP_PARKED, slot, 0, 0);
    }
    //@ assert mine: slot < TN_CONNECTIONS && tn_owned_at(s, slot);
    tn_delivery_unpark(s, slot);
    before = received(s, slot);
    //@ assert scanned: tn_scanned_at(s, s->conn[slot].block, 0, before);
    n = tn_link_fill(s, slot);
    //@ assert still: tn_scanned_at(s, s->conn[slot].block, 0, before);
    if (n == TN_ERESET)
        return tn_delivery_ended(s, slot, TN_BY_RESET);
    if (n == TN_EOF)
        enter(s, slot, TN_CONN_HALF);
    else if (n > 0)
        moved_in(s, slot, before, n);
    tn_delivery_begin(s, slot, before);
    return tn_step_of(TN_STEP_MORE, slot, 0, 0);
}

struct tn_step tn_delivery_discard(struct tn_server *s, uint32_t slot)
{
    const int32_t n = tn_link_discard(s, slot);

    if (n < 0)
        return tn_delivery_ended(s, slot, s->conn[slot].reason);
    moved_in(s, slot, 0, n);
    return tn_step_of(TN_STEP_MORE, slot, 0, 0);
}
