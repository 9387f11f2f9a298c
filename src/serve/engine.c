#include "serve/engine.h"

void tn_count(uint64_t *counter, uint64_t n)
{
    if (*counter < TN_COUNT_END)
        *counter += n;
}

/* A step of this type, for the connection in slot. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures same: \result.type == type && \result.slot == slot && \result.a == a &&
                  \result.b == b;
*/
static struct tn_step step_of(uint32_t type, uint32_t slot, uint32_t a, uint32_t b)
{
    const struct tn_step step = {type, slot, a, b};

    return step;
}

/* Ends a connection by itself, and tells the caller why. */
/*@ TN_SERVER_OK(requires, s, slot);
    requires live:   tn_live(s, slot);
    requires reason: reason < TN_REASONS;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures closed: \result.type == TN_CLOSED && tn_step_ok(s, \result);
*/
static struct tn_step ended(struct tn_server *s, uint32_t slot, uint32_t reason)
{
    const uint32_t gen = s->table.slots.gen[slot];

    tn_link_close(s, slot);
    return step_of(TN_CLOSED, slot, reason, gen);
}

/* Says to the peer that we have finished, and waits for it to finish too. */
/*@ TN_SERVER_OK(requires, s, slot);
    requires live:  tn_live(s, slot) && s->cur != slot;
    requires spent: tn_out(s, slot) == 0;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
*/
static void linger(struct tn_server *s, uint32_t slot)
{
    tn_link_return(s, slot);
    s->conn[slot].state = TN_CONN_LINGERING;
    tn_sys_finish(s->table.fd[slot]);
    s->now_ms = tn_sys_now_ms();
    tn_timers_set(&s->timers, slot, s->now_ms + s->linger_ms);
    tn_link_watch(s, slot);
}

void tn_step_rest(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = s->conn[slot].block;

    if (block != TN_NO_BLOCK && s->buffer[block].in_len == 0 && s->buffer[block].out_len == 0)
        tn_link_return(s, slot);
    tn_link_watch(s, slot);
}

void tn_step_finish(struct tn_server *s, uint32_t slot, uint32_t reason)
{
    struct tn_conn *c = &s->conn[slot];

    if (c->state >= TN_CONN_FLUSHING)
        return;
    c->reason = (uint16_t)reason;
    if (c->block == TN_NO_BLOCK || s->buffer[c->block].out_len == 0) {
        linger(s, slot);
        return;
    }
    s->buffer[c->block].in_len = 0;
    c->state = c->state == TN_CONN_HALF ? TN_CONN_FLUSHING : TN_CONN_DRAINING;
    tn_link_watch(s, slot);
}

/* Makes the connection wait for a buffer. */
/*@ TN_SERVER_OK(requires, s, slot);
    requires live: tn_live(s, slot) && s->cur != slot;
    requires none: s->conn[slot].block == TN_NO_BLOCK;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures parked: \result.type == TN_STEP_PARKED;
*/
static struct tn_step park(struct tn_server *s, uint32_t slot)
{
    s->conn[slot].state = TN_CONN_PARKED;
    s->parked = 1;
    tn_link_watch(s, slot);
    return step_of(TN_STEP_PARKED, slot, 0, 0);
}

/* Moves a connection on after an attempt to deliver and to send.  Returns 1, or
 * 0 when nothing is left of it but to close it. */
/*@ TN_SERVER_OK(requires, s, slot);
    requires live:  tn_live(s, slot) && s->cur == TN_NONE &&
                    s->conn[slot].block != TN_NO_BLOCK;
    requires state: s->conn[slot].state != TN_CONN_PARKED &&
                    s->conn[slot].state != TN_CONN_LINGERING;
    requires known: more == 0 || more == 1;
    requires room:  s->conn[slot].state == TN_CONN_OPEN && more == 0 ==>
                    s->buffer[s->conn[slot].block].in_len < TN_IN_CAP;
    requires held:  s->conn[slot].state == TN_CONN_PAUSED ==> more == 1;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, slot);
    ensures result: \result == 0 || \result == 1;
    ensures live:   tn_live(s, slot);
    ensures left:   \result == 1 ==> tn_rests(s, TN_NONE) && tn_watched(s, TN_NONE);
*/
static uint32_t advance(struct tn_server *s, uint32_t slot, size_t more)
{
    struct tn_conn *c = &s->conn[slot];
    struct tn_buffer *b = &s->buffer[c->block];
    uint32_t next;

    if (s->draining == 1 && more == 0 && c->state == TN_CONN_OPEN) {
        c->reason = TN_BY_DRAIN;
        c->state = TN_CONN_DRAINING;
    }
    if (c->state >= TN_CONN_FLUSHING)
        b->in_len = 0;
    next = tn_conn_next(c->state, b->out_len, more);
    if (next == TN_CONN_CLOSED)
        return 0;
    c->state = (uint16_t)next;
    if (c->state == TN_CONN_LINGERING)
        linger(s, slot);
    else if (more == 1 && b->out_len <= TN_OUTPUT_LOW) {
        s->cur = slot;
        s->scanned = 0;
    } else
        tn_step_rest(s, slot);
    return 1;
}

/* Ends a delivery: drops what was delivered, sends what is pending, and moves
 * the connection on.  more: frames may be left, held back for lack of room for
 * their replies. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires live:  tn_live(s, slot) && s->cur == slot;
    requires known: more == 0 || more == 1;
    requires room:  s->conn[slot].state == TN_CONN_OPEN && more == 0 ==>
                    s->buffer[s->conn[slot].block].in_len - s->off < TN_IN_CAP;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE;
*/
static struct tn_step settle(struct tn_server *s, uint32_t slot, size_t more)
{
    const struct tn_conn *c = &s->conn[slot];
    const struct tn_buffer *b = &s->buffer[c->block];
    int32_t n;

    tn_link_delivered(s, slot);
    n = tn_link_flush(s, slot);
    if (n < 0)
        return ended(s, slot, TN_BY_RESET);
    if (n > 0) {
        s->conn[slot].active_ms = s->now_ms;
        tn_count(&s->counters.bytes_out, (uint64_t)n);
    }
    /* The usual end: all that came was delivered, all that was to go has gone. */
    if (c->state == TN_CONN_OPEN && b->in_len == 0 && b->out_len == 0 && s->draining == 0) {
        tn_link_idle(s, slot);
    } else if (advance(s, slot, more) == 0)
        return ended(s, slot, c->reason);
    return step_of(TN_STEP_MORE, slot, 0, 0);
}

void tn_step_stop(struct tn_conn *c, uint32_t reason)
{
    c->state = c->state == TN_CONN_HALF ? TN_CONN_FLUSHING : TN_CONN_DRAINING;
    c->reason = (uint16_t)reason;
}

/* What next_frame returns when frames are held back for lack of room for their
 * replies. */
#define HELD 2

/* Finds the next frame of the connection being served and moves past it.
 * Returns 1 and leaves its place in *f, counted from the start of the input; 0:
 * there is no whole one, or no more are wanted; HELD; TN_EFRAME. */
static int32_t next_frame(struct tn_server *s, struct tn_frame *f)
{
    const struct tn_conn *c = &s->conn[s->cur];
    const struct tn_buffer *b = &s->buffer[c->block];
    const uint32_t off = (uint32_t)s->off;
    int32_t r;

    if (s->off == b->in_len || c->state >= TN_CONN_FLUSHING)
        return 0;
    if (b->out_len > (c->state == TN_CONN_PAUSED ? TN_OUTPUT_LOW : TN_OUTPUT_HIGH))
        return HELD;
    r = tn_frame_decode(s->framing, b->in, off, (uint32_t)b->in_len - off, (uint32_t)s->scanned,
                        s->frame_max, f);
    if (r == 1) {
        s->off += f->consumed;
        s->scanned = 0;
        f->offset += off;
    }
    return r;
}

/* Delivers the next frame of the connection being served, or ends the
 * delivery. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires cur: s->cur != TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE ||
                   \result.type == TN_FRAME;
*/
static struct tn_step deliver(struct tn_server *s)
{
    const uint32_t slot = (uint32_t)s->cur;
    struct tn_conn *c = &s->conn[slot];
    struct tn_frame f;
    const int32_t r = next_frame(s, &f);

    if (r == 1)
        return step_of(TN_FRAME, slot, f.offset, f.length);
    if (r < 0)
        tn_step_stop(c, TN_BY_FRAME);
    else if (r == 0 && c->state == TN_CONN_HALF)
        tn_step_stop(c, s->off < s->buffer[c->block].in_len ? TN_BY_TRUNCATION : TN_BY_PEER);
    return settle(s, slot, r == HELD ? 1 : 0);
}

/* Receives for a connection that wants input, and begins to deliver what is
 * there. */
/*@ TN_SERVER_OK(requires, s, slot);
    requires live: tn_live(s, slot) && s->cur == TN_NONE && s->conn[slot].state == TN_CONN_OPEN;
    requires rests: tn_rests_at(s, slot);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE ||
                   \result.type == TN_STEP_PARKED;
*/
static struct tn_step take_input(struct tn_server *s, uint32_t slot)
{
    struct tn_conn *c = &s->conn[slot];
    int32_t n;

    if (tn_link_borrow(s, slot) == 0)
        return park(s, slot);
    s->scanned = s->buffer[c->block].in_len;
    n = tn_link_fill(s, slot);
    if (n == TN_ERESET)
        return ended(s, slot, TN_BY_RESET);
    s->cur = slot;
    if (n == TN_EOF)
        c->state = TN_CONN_HALF;
    if (n > 0) {
        c->active_ms = s->now_ms;
        tn_count(&s->counters.bytes_in, (uint64_t)n);
    }
    return step_of(TN_STEP_MORE, slot, 0, 0);
}

/* Receives and drops for a connection that we have finished. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires live: tn_live(s, slot) && s->cur == TN_NONE &&
                   s->conn[slot].state == TN_CONN_LINGERING;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE;
*/
static struct tn_step discard(struct tn_server *s, uint32_t slot)
{
    const int32_t n = tn_link_discard(s, slot);

    if (n < 0)
        return ended(s, slot, s->conn[slot].reason);
    tn_count(&s->counters.bytes_in, (uint64_t)n);
    return step_of(TN_STEP_MORE, slot, 0, 0);
}

/* Serves a connection that is ready for mask. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires live: tn_live(s, slot) && s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE ||
                   \result.type == TN_STEP_READ;
*/
static struct tn_step serve(struct tn_server *s, uint32_t slot, size_t mask)
{
    const uint32_t state = s->conn[slot].state;

    if (state == TN_CONN_OPEN && (mask % 2u == 1u || mask >= 8u))
        return step_of(TN_STEP_READ, slot, 0, 0);
    if (state == TN_CONN_LINGERING)
        return discard(s, slot);
    if (s->conn[slot].block != TN_NO_BLOCK) {
        s->cur = slot; /* has output to send, and perhaps frames that waited for that */
        s->scanned = 0;
    }
    return step_of(TN_STEP_MORE, slot, 0, 0);
}

/* Watches every listener (mask TN_READ), or none (0). */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires mask: mask == TN_READ || mask == 0;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures paused: s->paused == (mask == 0 ? 1 : 0);
*/
static void listening(struct tn_server *s, uint32_t mask)
{
    uint32_t l;

    s->paused = mask == 0 ? 1 : 0;
    /*@ loop invariant 0 <= l <= TN_LISTENERS;
        loop invariant s->paused == (mask == 0 ? 1 : 0);
        TN_SERVER_OK(loop invariant, s, TN_NONE);
        loop assigns l, s->table.listening[0 .. TN_LISTENERS - 1], k_reg_mask[0 .. TN_SYS_FDS - 1];
        loop variant TN_LISTENERS - l;
    */
    for (l = 0; l < TN_LISTENERS; l++)
        if (s->table.listener[l] != -1)
            tn_fd_table_listening(&s->table, l, mask);
}

/* Makes the connection just accepted into slot an open one. */
/*@ requires slot: slot < s->table.slots.cap;
    TN_SERVER_BUT(requires, s, slot);
    requires live: tn_live(s, slot) && s->cur != slot && s->table.interest[slot] == TN_READ;
    requires empty: k_rx[s->table.fd[slot]] == 0 && k_tx[s->table.fd[slot]] == 0 &&
                    k_log[s->table.fd[slot]] == 0;
    terminates \true; exits \false;
    assigns s->conn[slot], s->timers.armed, s->timers.heap[0 .. s->timers.cap - 1],
            s->timers.pos[0 .. s->timers.cap - 1], s->timers.due[slot];
    TN_SERVER_OK(ensures, s, TN_NONE);
*/
static void open_slot(struct tn_server *s, uint32_t slot)
{
    s->conn[slot].block = TN_NO_BLOCK;
    s->conn[slot].state = TN_CONN_OPEN;
    s->conn[slot].reason = TN_BY_PEER;
    s->conn[slot].active_ms = s->now_ms;
    if (s->idle_ms > 0)
        tn_timers_set(&s->timers, slot, s->now_ms + s->idle_ms);
}

/* Accepts one connection from listener l, or pauses accepting. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires listener: l < TN_LISTENERS;
    requires idle: s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_OPENED || \result.type == TN_STEP_MORE ||
                   \result.type == TN_STEP_PAUSED;
*/
static struct tn_step take_connection(struct tn_server *s, uint32_t l)
{
    int32_t r;

    if (s->table.listener[l] == -1 || s->paused == 1)
        return step_of(TN_STEP_MORE, 0, 0, 0);
    r = tn_fd_table_accept(&s->table, l);
    if (r == TN_EAGAIN)
        return step_of(TN_STEP_MORE, 0, 0, 0);
    if (r < 0) {
        s->now_ms = tn_sys_now_ms();
        s->retry_ms = r == TN_EFULL ? TN_NEVER : s->now_ms + TN_ACCEPT_RETRY_MS;
        listening(s, 0);
        return step_of(TN_STEP_PAUSED, 0, 0, 0);
    }
    open_slot(s, (uint32_t)r);
    return step_of(TN_OPENED, (uint32_t)r, 0, 0);
}

/* Takes the next readiness report and serves it. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires idle: s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type != TN_FRAME && \result.type != TN_STEP_IDLE &&
                   \result.type != TN_STEP_END;
*/
static struct tn_step report(struct tn_server *s)
{
    const uint32_t who = tn_fd_table_next(&s->table);

    if (who < TN_CONNECTIONS)
        return serve(s, who, s->table.mask);
    if (who < TN_WATCH_COOKIE)
        return take_connection(s, who - TN_LISTENER_COOKIE);
    if (who >= TN_COOKIES || s->table.watch[who - TN_WATCH_COOKIE] == -1)
        return step_of(TN_STEP_MORE, 0, 0, 0);
    return step_of(TN_READY, 0, who - TN_WATCH_COOKIE, 0);
}

/* Looks at a connection whose timer has fired. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires slot: slot < s->table.slots.cap;
    requires idle: s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE;
*/
static struct tn_step expired(struct tn_server *s, uint32_t slot)
{
    const struct tn_conn *c = &s->conn[slot];
    int64_t due;

    if (s->table.fd[slot] == -1)
        return step_of(TN_STEP_MORE, slot, 0, 0);
    if (c->state == TN_CONN_LINGERING)
        return ended(s, slot, c->reason);
    if (s->idle_ms == 0)
        return step_of(TN_STEP_MORE, slot, 0, 0);
    due = c->active_ms + s->idle_ms;
    if (due <= s->waited_ms)
        return ended(s, slot, TN_BY_IDLE);
    tn_timers_set(&s->timers, slot, due);
    return step_of(TN_STEP_MORE, slot, 0, 0);
}

/* Receives for the next parked connection, in turn, now that a buffer is
 * free. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires idle: s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE ||
                   \result.type == TN_STEP_PARKED;
*/
static struct tn_step unpark(struct tn_server *s)
{
    const uint32_t cap = s->table.slots.cap;
    uint32_t i, slot;

    /*@ loop invariant 0 <= i <= cap;
        loop invariant s->park_cursor <= cap;
        TN_SERVER_OK(loop invariant, s, TN_NONE);
        loop assigns i, slot, s->park_cursor;
        loop variant cap - i;
    */
    for (i = 0; i < cap; i++) {
        slot = s->park_cursor < cap ? (uint32_t)s->park_cursor : 0;
        s->park_cursor = slot + 1u;
        if (s->table.fd[slot] != -1 && s->conn[slot].state == TN_CONN_PARKED) {
            s->conn[slot].state = TN_CONN_OPEN;
            return step_of(TN_STEP_READ, slot, 0, 0);
        }
    }
    s->parked = 0;
    return step_of(TN_STEP_MORE, 0, 0, 0);
}

/* Goes on with a drain: each open connection is read once more, then finishes
 * when all that came was delivered. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires idle: s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures event: tn_step_ok(s, \result) && \result.type != TN_FRAME;
    ensures idle:  \result.type == TN_STEP_IDLE ==>
                   s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    ensures end:   \result.type == TN_STEP_END ==> s->table.slots.live == 0;
*/
static struct tn_step drain(struct tn_server *s)
{
    uint32_t slot;

    if (s->table.slots.live == 0)
        return step_of(TN_STEP_END, 0, 0, 0);
    /*@ TN_SERVER_OK(loop invariant, s, TN_NONE);
        loop assigns slot, s->drain_cursor;
        loop variant s->table.slots.cap - s->drain_cursor;
    */
    while (s->drain_cursor < s->table.slots.cap) {
        slot = (uint32_t)s->drain_cursor;
        s->drain_cursor = slot + 1u;
        if (s->table.fd[slot] != -1 && s->conn[slot].state == TN_CONN_OPEN)
            return step_of(TN_STEP_READ, slot, 0, 0);
    }
    if (s->drain_ms <= s->waited_ms)
        return ended(s, s->table.slots.perm[0], TN_BY_DRAIN);
    return step_of(TN_STEP_IDLE, 0, 0, 0);
}

/* Does the next thing that is due when no report is left. */
static struct tn_step chore(struct tn_server *s)
{
    const uint32_t id = tn_timers_expire(&s->timers, s->waited_ms);

    if (id != TN_NONE)
        return expired(s, id);
    if (s->parked == 1 && s->pool.free > 0)
        return unpark(s);
    if (s->draining == 1)
        return drain(s);
    if (s->paused == 1 && s->retry_ms <= s->waited_ms) {
        listening(s, TN_READ);
        return step_of(TN_STEP_MORE, 0, 0, 0);
    }
    return step_of(TN_STEP_IDLE, 0, 0, 0);
}

struct tn_step tn_step(struct tn_server *s)
{
    struct tn_step step;

    if (s->cur == TN_NONE) {
        step = s->table.poller.pos < s->table.poller.count ? report(s) : chore(s);
        if (step.type == TN_STEP_READ)
            step = take_input(s, step.slot);
        if (s->cur == TN_NONE)
            return step;
    }
    return deliver(s);
}

/* The milliseconds from now to the limit, as a wait takes them: never fewer. */
/*@ requires clock: 0 <= now <= TN_CLOCK_MAX;
    terminates \true; exits \false;
    assigns \nothing;
    ensures never: limit == TN_NEVER ==> \result == -1;
    ensures past:  limit <= now ==> \result == 0;
    ensures wait:  now < limit < TN_NEVER ==>
                   \result == (limit - now <= INT32_MAX ? limit - now : INT32_MAX);
*/
static int32_t wait_ms(int64_t limit, int64_t now)
{
    if (limit == TN_NEVER)
        return -1;
    if (limit <= now)
        return 0;
    return limit - now < INT32_MAX ? (int32_t)(limit - now) : INT32_MAX;
}

/* When the next wait ends at the latest. */
/*@ requires ok: tn_server_shape(s);
    terminates \true; exits \false;
    assigns \nothing;
    ensures early: \result <= deadline;
    ensures timers: \forall integer id; tn_timer_armed(&s->timers, id) ==>
                    \result <= s->timers.due[id];
    ensures drain: s->draining == 1 ==> \result <= s->drain_ms;
    ensures retry: s->draining == 0 && s->paused == 1 ==> \result <= s->retry_ms;
*/
static int64_t wait_limit(const struct tn_server *s, int64_t deadline)
{
    int64_t limit = tn_timers_next(&s->timers);

    if (deadline < limit)
        limit = deadline;
    if (s->draining == 1)
        return s->drain_ms < limit ? s->drain_ms : limit;
    if (s->paused == 1 && s->retry_ms < limit)
        return s->retry_ms;
    return limit;
}

int32_t tn_step_wait(struct tn_server *s, int64_t deadline)
{
    const int64_t limit = wait_limit(s, deadline);
    int32_t r;

    if (limit != TN_NEVER)
        s->now_ms = tn_sys_now_ms();
    r = tn_fd_table_wait(&s->table, wait_ms(limit, s->now_ms));
    if (limit != TN_NEVER || s->idle_ms > 0) {
        s->now_ms = tn_sys_now_ms();
        s->waited_ms = s->now_ms;
    }
    return r;
}
