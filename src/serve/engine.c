/* Who is next: reports, deadlines, parked connections, a drain. */
#include "serve/engine.h"

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
    const int32_t state = s->conn[slot].state;

    if (state == TN_CONN_OPEN && (mask % 2u == 1u || mask >= 8u))
        return tn_step_of(TN_STEP_READ, slot, 0, 0);
    if (state == TN_CONN_LINGERING)
        return tn_delivery_discard(s, slot);
    /* It has output to send, and perhaps frames that waited for that. */
    if (s->conn[slot].block != TN_NO_BLOCK)
        tn_delivery_begin(s, slot, 0);
    return tn_step_of(TN_STEP_MORE, slot, 0, 0);
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
    TN_SERVER_BUT(requires, s, slot, slot);
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
        return tn_step_of(TN_STEP_MORE, 0, 0, 0);
    r = tn_fd_table_accept(&s->table, l);
    if (r == TN_EAGAIN)
        return tn_step_of(TN_STEP_MORE, 0, 0, 0);
    if (r < 0) {
        s->now_ms = tn_sys_now_ms();
        s->retry_ms = r == TN_EFULL ? TN_NEVER : s->now_ms + TN_ACCEPT_RETRY_MS;
        listening(s, 0);
        return tn_step_of(TN_STEP_PAUSED, 0, 0, 0);
    }
    open_slot(s, (uint32_t)r);
    return tn_step_of(TN_OPENED, (uint32_t)r, 0, 0);
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
        return tn_step_of(TN_STEP_MORE, 0, 0, 0);
    return tn_step_of(TN_READY, 0, who - TN_WATCH_COOKIE, 0);
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
        return tn_step_of(TN_STEP_MORE, slot, 0, 0);
    if (c->state == TN_CONN_LINGERING)
        return tn_delivery_ended(s, slot, c->reason);
    if (s->idle_ms == 0)
        return tn_step_of(TN_STEP_MORE, slot, 0, 0);
    due = c->active_ms + s->idle_ms;
    if (due <= s->waited_ms)
        return tn_delivery_ended(s, slot, TN_BY_IDLE);
    tn_timers_set(&s->timers, slot, due);
    return tn_step_of(TN_STEP_MORE, slot, 0, 0);
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
            return tn_step_of(TN_STEP_READ, slot, 0, 0);
        }
    }
    s->parked = 0;
    return tn_step_of(TN_STEP_MORE, 0, 0, 0);
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
        return tn_step_of(TN_STEP_END, 0, 0, 0);
    /*@ TN_SERVER_OK(loop invariant, s, TN_NONE);
        loop assigns slot, s->drain_cursor;
        loop variant s->table.slots.cap - s->drain_cursor;
    */
    while (s->drain_cursor < s->table.slots.cap) {
        slot = (uint32_t)s->drain_cursor;
        s->drain_cursor = slot + 1u;
        if (s->table.fd[slot] != -1 && s->conn[slot].state == TN_CONN_OPEN)
            return tn_step_of(TN_STEP_READ, slot, 0, 0);
    }
    if (s->drain_ms <= s->waited_ms)
        return tn_delivery_ended(s, s->table.slots.perm[0], TN_BY_DRAIN);
    return tn_step_of(TN_STEP_IDLE, 0, 0, 0);
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
        return tn_step_of(TN_STEP_MORE, 0, 0, 0);
    }
    return tn_step_of(TN_STEP_IDLE, 0, 0, 0);
}

struct tn_step tn_step(struct tn_server *s)
{
    struct tn_step step;

    if (s->cur == TN_NONE) {
        step = s->table.poller.pos < s->table.poller.count ? report(s) : chore(s);
        if (step.type == TN_STEP_READ)
            step = tn_delivery_receive(s, step.slot);
        if (s->cur == TN_NONE)
            return step;
    }
    return tn_delivery_next(s);
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

/* a + b, or a where that would not do. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures sum: \result == (b >= 0 && a + b <= INT64_MAX ? a + b : a);
*/
static int64_t plus(int64_t a, int64_t b)
{
    return b >= 0 && a <= INT64_MAX - b ? a + b : a;
}

/* A measure of what has moved so far, for a poller without a set: polling wants
 * it. */
/*@ requires room: \valid_read(s);
    terminates \true; exits \false;
    assigns \nothing;
    ensures set: s->table.poller.fd != -1 ==> \result == 0;
*/
static int64_t moved_so_far(const struct tn_server *s)
{
    if (s->table.poller.fd != -1)
        return 0;
    return plus(plus(s->counters.bytes_in, s->counters.bytes_out), s->counters.accepted);
}

int32_t tn_step_wait(struct tn_server *s, int64_t deadline)
{
    const int64_t limit = wait_limit(s, deadline);
    int32_t r;

    if (limit != TN_NEVER)
        s->now_ms = tn_sys_now_ms();
    r = tn_fd_table_wait(&s->table, wait_ms(limit, s->now_ms), moved_so_far(s));
    if (limit != TN_NEVER || s->idle_ms > 0) {
        s->now_ms = tn_sys_now_ms();
        s->waited_ms = s->now_ms;
    }
    return r;
}
