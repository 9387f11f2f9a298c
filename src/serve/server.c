#include "serve/server.h"

#include "serve/engine.h"
#include "serve/kept.h"

/* An event that tells of a frame; a server that has no connection yet. */
/*@ lemma frame_at: \forall struct tn_server *s, struct tn_event ev, integer o;
        ev.len <= s->frame_max ==> 0 <= o <= TN_IN_CAP - ev.len ==>
        ev.data == &s->buffer[s->conn[ev.conn.slot].block].in[0] + o ==>
        s->conn[ev.conn.slot].state < TN_CONN_FLUSHING ==>
        tn_frame_carries(s->framing, ev.data, 0, ev.len) ==>
        tn_out(s, ev.conn.slot) <= TN_OUTPUT_HIGH ==> tn_frame_ok(s, ev);
    lemma nothing_lent: \forall struct tn_server *s;
        tn_pool_ok(&s->pool) ==> s->pool.free == TN_BLOCKS ==> \forall integer b; !tn_lent(s, b);
    // the buffer of slot has room for what comes, and no line to be delivered first
    predicate room_at{L}(struct tn_server *s, integer slot) =
        s->buffer[s->conn[slot].block].in_len < TN_IN_CAP &&
        tn_scanned_at(s, s->conn[slot].block, 0, s->buffer[s->conn[slot].block].in_len);
    // everything but the table is as it begins
    predicate set_up_ok{L}(struct tn_server *s) =
        tn_framing_known(s->framing) && 1 <= s->frame_max <= TN_FRAME_MAX && s->paused == 0 &&
        s->parked == 0 && s->draining == 0 && s->park_cursor == 0 && s->drain_cursor == 0 &&
        0 <= s->now_ms <= TN_CLOCK_MAX && 0 <= s->waited_ms <= TN_CLOCK_MAX &&
        s->cur == TN_NONE && s->off == 0;
    predicate laid_out{L}(struct tn_server *s, integer cap) =
        set_up_ok(s) && tn_pool_ok(&s->pool) && s->pool.free == TN_BLOCKS &&
        tn_timers_ok(&s->timers) && s->timers.cap == cap;
    predicate new_server{L}(struct tn_server *s) =
        (\forall integer i; !tn_live(s, i)) && (\forall integer b; !tn_lent(s, b)) &&
        s->cur == TN_NONE && s->off == 0;
    // p is one of the totals
    predicate is_total(struct tn_server *s, int64_t *p) =
        p == &s->counters.accepted || p == &s->counters.frames || p == &s->counters.sent ||
        p == &s->counters.wakeups || p == &s->counters.spurious ||
        p == &s->counters.accept_pauses || p == &s->counters.parked ||
        \exists integer r; 0 <= r < TN_REASONS && p == &s->counters.closed[r];
    lemma new_shape: \forall struct tn_server *s, integer cap;
        \valid(s) ==> laid_out(s, cap) ==> tn_slots_ok(&s->table.slots) ==>
        s->table.slots.cap == cap ==> tn_server_shape(s);
    lemma new_empty: \forall struct tn_server *s, integer cap;
        laid_out(s, cap) ==> (\forall integer i; !tn_live(s, i)) ==> new_server(s);
    lemma new_connections: \forall struct tn_server *s; new_server(s) ==>
        tn_owned(s, TN_NONE) && tn_rests(s, TN_NONE) && tn_watched(s, TN_NONE) && tn_window(s);
    lemma new_streams: \forall struct tn_server *s; new_server(s) ==>
        tn_no_buffer_leak(s, TN_NONE) && tn_promised(s, TN_NONE) && tn_pending(s) && tn_sent(s) &&
        tn_arrived(s);
*/

/* Says whether every option is in its range: 1 or 0. */
/*@ requires room: \valid_read(o);
    terminates \true; exits \false;
    assigns \nothing;
    ensures verdict: \result == 1 <==> o->connections <= TN_CONNECTIONS &&
                     o->framing <= TN_VARINT && o->frame_max <= TN_FRAME_MAX &&
                     o->model < TN_MODELS;
    ensures range: \result == 0 || \result == 1;
*/
static uint32_t options_ok(const struct tn_options *o)
{
    return o->connections <= TN_CONNECTIONS && o->framing <= TN_VARINT &&
           o->frame_max <= TN_FRAME_MAX && tn_poller_has(o->model) == 1;
}

/* Makes every buffer an empty one. */
/*@ requires room: \valid(s);
    terminates \true; exits \false;
    assigns s->buffer[0 .. TN_BLOCKS - 1].owner, s->buffer[0 .. TN_BLOCKS - 1].in_len,
            s->buffer[0 .. TN_BLOCKS - 1].out_head, s->buffer[0 .. TN_BLOCKS - 1].out_len;
    ensures buffers: tn_buffers(s);
    ensures free:    s->pool.free == \old(s->pool.free);
*/
static void clear_buffers(struct tn_server *s)
{
    uint32_t b;

    /*@ loop invariant 0 <= b <= TN_BLOCKS;
        loop invariant \forall integer o; 0 <= o < b ==> tn_buffer_ok(&s->buffer[o]);
        loop invariant s->pool.free == \at(s->pool.free, Pre);
        loop assigns b, s->buffer[0 .. TN_BLOCKS - 1].owner, s->buffer[0 .. TN_BLOCKS - 1].in_len,
                     s->buffer[0 .. TN_BLOCKS - 1].out_head, s->buffer[0 .. TN_BLOCKS - 1].out_len;
        loop variant TN_BLOCKS - b;
    */
    for (b = 0; b < TN_BLOCKS; b++)
        tn_buffer_clear(&s->buffer[b], 0);
}

/* Makes all buffers free. */
/*@ requires room:  \valid(s);
    requires ready: set_up_ok(s);
    terminates \true; exits \false;
    assigns s->pool, s->buffer[0 .. TN_BLOCKS - 1].owner, s->buffer[0 .. TN_BLOCKS - 1].in_len,
            s->buffer[0 .. TN_BLOCKS - 1].out_head, s->buffer[0 .. TN_BLOCKS - 1].out_len;
    ensures ready:   set_up_ok(s);
    ensures pool:    tn_pool_ok(&s->pool) && s->pool.free == TN_BLOCKS;
    ensures buffers: tn_buffers(s);
*/
static void free_buffers(struct tn_server *s)
{
    tn_pool_init(&s->pool);
    clear_buffers(s);
}

/* Makes all timers disarmed: those of cap slots, and the caller's. */
/*@ requires room:  \valid(s) && 0 < cap <= TN_CONNECTIONS;
    requires ready: set_up_ok(s);
    requires pool:  tn_pool_ok(&s->pool) && s->pool.free == TN_BLOCKS;
    requires buffers: tn_buffers(s);
    terminates \true; exits \false;
    assigns s->timers, s->user_timers;
    ensures ready:   laid_out(s, cap);
    ensures user:    tn_user_timers_ok(&s->user_timers);
    ensures buffers: tn_buffers(s);
*/
static void disarm_timers(struct tn_server *s, uint32_t cap)
{
    tn_timers_init(&s->timers, cap);
    //@ ghost Disarmed: ;
    //@ assert pool: tn_pool_same{Pre, Here}(s) && s->pool.free == \at(s->pool.free, Pre);
    tn_user_timers_init(&s->user_timers);
    //@ assert timers: tn_timers_same{Disarmed, Here}(s) && due_same{Disarmed, Here}(s);
    //@ assert pool: tn_pool_same{Disarmed, Here}(s);
}

/* The shorter of two timeouts, of which 0 is none. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures shorter: \result == (a == 0 || (0 < b < a) ? b : a);
*/
static uint32_t shorter(uint32_t a, uint32_t b)
{
    return a == 0 || (0 < b && b < a) ? b : a;
}

/* Sets what changes while the server runs, and what was asked for. */
/*@ requires room: \valid(s) && \valid_read(o) && \separated(s, o);
    requires known: o->framing <= TN_VARINT && o->frame_max <= TN_FRAME_MAX;
    terminates \true; exits \false;
    assigns s->framing, s->frame_max, s->idle_ms, s->read_ms, s->write_ms, s->tick_ms,
            s->linger_ms, s->cur, s->off, s->scanned,
            s->paused, s->parked, s->park_cursor, s->draining, s->backlog, s->drain_cursor,
            s->now_ms, s->waited_ms, s->retry_ms, s->drain_ms, s->counters;
    ensures framing: s->framing == o->framing;
    ensures ready:   set_up_ok(s);
*/
static void set_up(struct tn_server *s, const struct tn_options *o)
{
    s->counters = (struct tn_counters){0};
    s->framing = o->framing;
    s->frame_max = o->frame_max == 0 ? TN_FRAME_MAX : o->frame_max;
    s->idle_ms = o->idle_ms;
    s->read_ms = o->read_ms;
    s->write_ms = o->write_ms;
    s->tick_ms = shorter(shorter(o->idle_ms, o->read_ms), o->write_ms);
    s->linger_ms = o->linger_ms == 0 ? TN_DEFAULT_LINGER_MS : o->linger_ms;
    s->cur = TN_NONE;
    s->off = 0;
    s->scanned = 0;
    s->paused = 0;
    s->parked = 0;
    s->park_cursor = 0;
    s->draining = 0;
    s->backlog = 0;
    s->drain_cursor = 0;
    s->now_ms = tn_sys_now_ms();
    s->waited_ms = s->now_ms;
    s->retry_ms = TN_NEVER;
    s->drain_ms = TN_NEVER;
}

/* Makes everything but the table, for cap connections. */
/*@ requires room: \valid(s) && \valid_read(o) && \separated(s, o) && 0 < cap <= TN_CONNECTIONS;
    requires known: o->framing <= TN_VARINT && o->frame_max <= TN_FRAME_MAX;
    terminates \true; exits \false;
    assigns *s;
    ensures ready:   laid_out(s, cap);
    ensures user:    tn_user_timers_ok(&s->user_timers);
    ensures buffers: tn_buffers(s);
    ensures framing: s->framing == o->framing;
*/
static void prepare(struct tn_server *s, const struct tn_options *o, uint32_t cap)
{
    set_up(s, o);
    free_buffers(s);
    disarm_timers(s, cap);
}

/* Makes the table. */
/*@ requires room:  \valid(s) && 0 < cap <= TN_CONNECTIONS && model < TN_MODELS;
    requires model: k_inv;
    requires none:  \forall integer f; 0 <= f < TN_SYS_FDS ==> k_open[f] != 1 && k_reg[f] == 0;
    requires ready: laid_out(s, cap);
    requires user:  tn_user_timers_ok(&s->user_timers);
    requires buffers: tn_buffers(s);
    terminates \true; exits \false;
    assigns s->table, k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1],
            k_own[0 .. TN_SYS_FDS - 1];
    ensures result: \result == 1 || \result == TN_EFILES || \result == TN_EMEMORY ||
                    \result == TN_ESYSTEM;
    ensures ready:  laid_out(s, cap);
    ensures user:   tn_user_timers_ok(&s->user_timers);
    ensures buffers: tn_buffers(s);
    ensures framing: s->framing == \old(s->framing);
    ensures ok:     \result == 1 ==> tn_table_ok(&s->table) && tn_slots_ok(&s->table.slots);
    ensures empty:  \result == 1 ==> s->table.slots.cap == cap && s->table.slots.live == 0;
    ensures none:   \result == 1 ==> \forall integer i; !tn_live(s, i);
    ensures kept:   \forall integer f; 0 <= f < TN_SYS_FDS && \old(k_open[f]) == 2 ==>
                    k_open[f] == 2;
    ensures failed: \result < 0 ==> k_open == \old(k_open);
*/
static int32_t open_table(struct tn_server *s, uint32_t cap, uint32_t model)
{
    const int32_t r = tn_fd_table_init(&s->table, cap, model);

    //@ assert pool: tn_pool_same{Pre, Here}(s);
    //@ assert timers: tn_timers_same{Pre, Here}(s) && due_same{Pre, Here}(s);
    //@ assert user: user_same{Pre, Here}(s);
    //@ assert buffers: buffers_same{Pre, Here}(s, TN_NONE);
    return r;
}

/* Makes a server with options that are in their ranges. */
/*@ requires room:  \valid(s) && \valid_read(o) && \separated(s, o);
    requires known: o->connections <= TN_CONNECTIONS && o->framing <= TN_VARINT &&
                    o->frame_max <= TN_FRAME_MAX && o->model < TN_MODELS;
    requires model: k_inv;
    requires none:  \forall integer f; 0 <= f < TN_SYS_FDS ==> k_open[f] != 1 && k_reg[f] == 0;
    terminates \true; exits \false;
    assigns *s, k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1], k_own[0 .. TN_SYS_FDS - 1];
    ensures result: \result == 1 || \result == TN_EFILES || \result == TN_EMEMORY ||
                    \result == TN_ESYSTEM;
    ensures ok:     \result == 1 ==> tn_server_ok(s);
    ensures empty:  \result == 1 ==> s->table.slots.live == 0 && s->cur == TN_NONE &&
                    s->framing == o->framing;
    ensures kept:   \forall integer f; 0 <= f < TN_SYS_FDS && \old(k_open[f]) == 2 ==>
                    k_open[f] == 2;
    ensures failed: \result < 0 ==> k_open == \old(k_open);
*/
static int32_t start(struct tn_server *s, const struct tn_options *o)
{
    const uint32_t cap = o->connections == 0 ? TN_DEFAULT_CONNECTIONS : o->connections;
    int32_t r;

    prepare(s, o, cap);
    //@ assert options: s->framing == o->framing;
    r = open_table(s, cap, o->model);
    if (r < 0)
        return r;
    //@ assert slots: tn_slots_ok(&s->table.slots) && s->table.slots.cap == cap;
    //@ assert ready: laid_out(s, cap) && \valid(s);
    //@ assert set_up: set_up_ok(s);
    //@ assert pool: tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) && s->timers.cap == cap;
    //@ assert shape: tn_server_shape(s);
    //@ assert new: new_server(s);
    //@ assert framing: o->framing == \at(o->framing, Pre) && s->framing == o->framing;
    return 1;
}

int32_t tn_init(struct tn_server *s, const struct tn_options *o)
{
    if (options_ok(o) == 0)
        return TN_EINVAL;
    return start(s, o);
}

/* Adopts a listening descriptor.  Returns its number, or a code of tn_fd_table_listen. */
/*@ requires ok: tn_server_ok(s);
    requires foreign: k_number(fd) && k_open[fd] == 2 && k_reg[fd] == 0;
    terminates \true; exits \false;
    assigns s->table.listener[0 .. TN_LISTENERS - 1], s->table.listening[0 .. TN_LISTENERS - 1],
            s->table.poller.edges, k_open[fd], k_own[fd], k_reg[fd], k_reg_slot[fd], k_reg_gen[fd],
            k_reg_mask[fd];
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures result:  \result == TN_EFULL || \result == TN_EMEMORY || \result == TN_ESYSTEM ||
                     0 <= \result < TN_LISTENERS;
    ensures adopted: \result >= 0 ==> s->table.listener[\result] == fd && k_open[fd] == 1;
    ensures failed:  \result < 0 ==> k_open[fd] == 2 && k_reg[fd] == 0;
*/
static int32_t adopt_listener(struct tn_server *s, int32_t fd)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, TN_NONE, TN_NONE);
    const int32_t r = tn_fd_table_listen(&s->table, fd);

    //@ assert pool: tn_pool_same{Pre, Here}(s);
    //@ assert slots: tn_slots_same{Pre, Here}(s);
    //@ assert timers: tn_timers_same{Pre, Here}(s) && due_same{Pre, Here}(s);
    //@ assert owners: owners_same{Pre, Here}(s) && blocks_same{Pre, Here}(s);
    //@ assert others: others_same{Pre, Here}(s, TN_NONE);
    //@ assert leak: tn_no_buffer_leak(s, TN_NONE);
    //@ assert lives: \forall integer i; tn_live{Pre}(s, i) <==> tn_live(s, i);
    return r;
}

/* Lets listener l rest until accepting goes on. */
/*@ requires ok: tn_server_ok(s);
    requires open: l < TN_LISTENERS && s->table.listener[l] != -1;
    terminates \true; exits \false;
    assigns s->table.listening[l], s->table.poller.edges, k_reg_mask[s->table.listener[l]];
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures rests: s->table.listening[l] == 0;
*/
static void rest_listener(struct tn_server *s, uint32_t l)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, TN_NONE, TN_NONE);
    tn_fd_table_listening(&s->table, l, 0);
    //@ assert pool: tn_pool_same{Pre, Here}(s);
    //@ assert slots: tn_slots_same{Pre, Here}(s);
    //@ assert timers: tn_timers_same{Pre, Here}(s) && due_same{Pre, Here}(s);
    //@ assert owners: owners_same{Pre, Here}(s) && blocks_same{Pre, Here}(s);
    //@ assert others: others_same{Pre, Here}(s, TN_NONE);
    //@ assert leak: tn_no_buffer_leak(s, TN_NONE);
    //@ assert lives: \forall integer i; tn_live{Pre}(s, i) <==> tn_live(s, i);
}

int32_t tn_listen(struct tn_server *s, int32_t fd)
{
    int32_t r;

    if (s->draining == 1)
        return TN_EOF;
    r = adopt_listener(s, fd);
    if (r < 0)
        return r;
    if (s->paused == 1)
        rest_listener(s, (uint32_t)r);
    return 1;
}

int32_t tn_watch(struct tn_server *s, int32_t fd)
{
    return tn_fd_table_watch(&s->table, fd);
}

int32_t tn_unwatch(struct tn_server *s, uint32_t w)
{
    if (w >= TN_WATCHES || s->table.watch[w] == -1)
        return TN_EINVAL;
    tn_fd_table_unwatch(&s->table, w);
    return 1;
}

/* Sets a timer of the caller's, from now on. */
/*@ requires ok: tn_server_ok(s);
    requires range: timer < TN_USER_TIMERS && 0 <= after_ms <= TN_TIMER_MAX_MS &&
                    0 <= every_ms <= TN_TIMER_MAX_MS;
    terminates \true; exits \false;
    assigns s->user_timers;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures every: s->user_timers.every[timer] == every_ms;
*/
static void set_timer(struct tn_server *s, uint32_t timer, int64_t after_ms, int64_t every_ms)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, TN_NONE, TN_NONE);
    tn_user_timers_set(&s->user_timers, timer, tn_sys_now_ms(), after_ms, every_ms);
    //@ assert pool: tn_pool_same{Pre, Here}(s);
    //@ assert slots: tn_slots_same{Pre, Here}(s);
    //@ assert timers: tn_timers_same{Pre, Here}(s) && due_same{Pre, Here}(s);
    //@ assert reports: tn_reports_same{Pre, Here}(s);
    //@ assert fds: tn_fds_same{Pre, Here}(s);
    //@ assert owners: owners_same{Pre, Here}(s) && blocks_same{Pre, Here}(s);
    //@ assert others: others_same{Pre, Here}(s, TN_NONE);
    //@ assert leak: tn_no_buffer_leak(s, TN_NONE);
    //@ assert lives: \forall integer i; tn_live{Pre}(s, i) <==> tn_live(s, i);
}

int32_t tn_timer_set(struct tn_server *s, uint32_t timer, int64_t after_ms, int64_t every_ms)
{
    if (timer >= TN_USER_TIMERS || after_ms < 0 || after_ms > TN_TIMER_MAX_MS || every_ms < 0 ||
        every_ms > TN_TIMER_MAX_MS)
        return TN_EINVAL;
    set_timer(s, timer, after_ms, every_ms);
    return 1;
}

/* Sets a timer of the caller's no more. */
/*@ requires ok: tn_server_ok(s);
    requires range: timer < TN_USER_TIMERS;
    terminates \true; exits \false;
    assigns s->user_timers;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures unset: s->user_timers.due[timer] == TN_NEVER;
*/
static void cancel_timer(struct tn_server *s, uint32_t timer)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, TN_NONE, TN_NONE);
    tn_user_timers_cancel(&s->user_timers, timer);
    //@ assert pool: tn_pool_same{Pre, Here}(s);
    //@ assert slots: tn_slots_same{Pre, Here}(s);
    //@ assert timers: tn_timers_same{Pre, Here}(s) && due_same{Pre, Here}(s);
    //@ assert reports: tn_reports_same{Pre, Here}(s);
    //@ assert fds: tn_fds_same{Pre, Here}(s);
    //@ assert owners: owners_same{Pre, Here}(s) && blocks_same{Pre, Here}(s);
    //@ assert others: others_same{Pre, Here}(s, TN_NONE);
    //@ assert leak: tn_no_buffer_leak(s, TN_NONE);
    //@ assert lives: \forall integer i; tn_live{Pre}(s, i) <==> tn_live(s, i);
}

int32_t tn_timer_cancel(struct tn_server *s, uint32_t timer)
{
    if (timer >= TN_USER_TIMERS)
        return TN_EINVAL;
    cancel_timer(s, timer);
    return 1;
}

/* Adds n to one of the totals. */
/*@ requires ok:    tn_server_ok(s);
    requires total: is_total(s, total);
    requires n:     0 <= n <= UINT32_MAX;
    terminates \true; exits \false;
    assigns *total;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures sum:    *total == tn_counted(\old(*total), n);
*/
static void count(struct tn_server *s, int64_t *total, int64_t n)
{
    (void)s; /* stands in the contract only */
    tn_count(total, n);
}

/* The total that counts what a step did, or NULL: there is none. */
/*@ requires room: \valid(s);
    requires step: step.type == TN_CLOSED ==> step.a < TN_REASONS;
    terminates \true; exits \false;
    assigns \result \from s, step;
    ensures total:  \result == \null || is_total(s, \result);
    ensures frame:  step.type == TN_FRAME ==> \result == &s->counters.frames;
    ensures opened: step.type == TN_OPENED ==> \result == &s->counters.accepted;
    ensures closed: step.type == TN_CLOSED ==> \result == &s->counters.closed[step.a];
    ensures paused: step.type == TN_STEP_PAUSED ==> \result == &s->counters.accept_pauses;
    ensures parked: step.type == TN_STEP_PARKED ==> \result == &s->counters.parked;
    ensures none:   step.type != TN_FRAME && step.type != TN_OPENED && step.type != TN_CLOSED &&
                    step.type != TN_STEP_PAUSED && step.type != TN_STEP_PARKED ==>
                    \result == \null;
*/
static int64_t *total_of(struct tn_server *s, struct tn_step step)
{
    struct tn_counters *c = &s->counters;

    switch (step.type) {
    case TN_FRAME:
        return &c->frames;
    case TN_OPENED:
        return &c->accepted;
    case TN_CLOSED:
        return &c->closed[step.a];
    case TN_STEP_PAUSED:
        return &c->accept_pauses;
    case TN_STEP_PARKED:
        return &c->parked;
    default:
        return NULL;
    }
}

/* Adds what a step did to the totals. */
/*@ requires ok:  tn_server_ok(s);
    requires event: tn_step_ok(s, step);
    terminates \true; exits \false;
    assigns s->counters;
    ensures ok:  tn_server_ok(s);
    ensures event: tn_step_ok(s, step);
    ensures frames: s->counters.frames ==
                    tn_counted(\old(s->counters.frames), step.type == TN_FRAME ? 1 : 0);
    ensures accepted: s->counters.accepted ==
                    tn_counted(\old(s->counters.accepted), step.type == TN_OPENED ? 1 : 0);
    ensures closed: \forall integer r; 0 <= r < TN_REASONS ==> s->counters.closed[r] ==
                    tn_counted(\old(s->counters.closed[r]),
                               step.type == TN_CLOSED && step.a == r ? 1 : 0);
    ensures pauses: s->counters.accept_pauses ==
                    tn_counted(\old(s->counters.accept_pauses),
                               step.type == TN_STEP_PAUSED ? 1 : 0);
    ensures parked: s->counters.parked ==
                    tn_counted(\old(s->counters.parked), step.type == TN_STEP_PARKED ? 1 : 0);
*/
static void account(struct tn_server *s, struct tn_step step)
{
    int64_t *total = total_of(s, step);

    if (total != NULL)
        count(s, total, 1);
}

/* Takes a step, and counts what it did. */
/*@ requires ok:  tn_server_ok(s);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok:  tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures idle:  \result.type == TN_STEP_IDLE ==>
                   s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    ensures end:   \result.type == TN_STEP_END ==> s->table.slots.live == 0;
    ensures cap:   s->table.slots.cap <= TN_CONNECTIONS;
    ensures block: \result.type == TN_FRAME ==> s->conn[\result.slot].block < TN_BLOCKS;
*/
static struct tn_step step_counted(struct tn_server *s)
{
    const struct tn_step step = tn_step(s);

    //@ assert table: tn_table_shape(&s->table);
    //@ assert slots: tn_slots_ok(&s->table.slots);
    //@ assert cap: s->table.slots.cap <= TN_CONNECTIONS;
    account(s, step);
    /*@ assert frame: step.type == TN_FRAME ==> tn_live(s, step.slot) && s->cur == step.slot &&
            s->cur != TN_NONE; */
    //@ assert mine: step.type == TN_FRAME ==> tn_owned_at(s, step.slot);
    //@ assert lent: step.type == TN_FRAME ==> s->conn[step.slot].block != TN_NO_BLOCK;
    return step;
}

/* What a step tells the caller. */
/*@ requires room: \valid_read(s);
    requires step: tn_step_ok(s, step) && TN_OPENED <= step.type <= TN_READY;
    requires cap:  s->table.slots.cap <= TN_CONNECTIONS;
    requires block: step.type == TN_FRAME ==> s->conn[step.slot].block < TN_BLOCKS;
    terminates \true; exits \false;
    assigns \nothing;
    ensures type:  \result.type == step.type;
    ensures event: tn_event_ok(s, \result);
    ensures frame: tn_frame_ok(s, \result);
*/
static struct tn_event event_of(const struct tn_server *s, struct tn_step step)
{
    struct tn_event ev = {.type = step.type, .conn = {.slot = step.slot}};

    if (step.type == TN_READY) {
        ev.watch = step.a;
        return ev;
    }
    if (step.type == TN_CLOSED) {
        ev.conn.gen = step.b;
        ev.reason = step.a;
        return ev;
    }
    ev.conn.gen = s->table.slots.gen[step.slot];
    if (step.type == TN_FRAME) {
        ev.data = s->buffer[s->conn[step.slot].block].in + step.a;
        ev.len = step.b;
        //@ assert place: ev.data == &s->buffer[s->conn[step.slot].block].in[0] + step.a;
        //@ assert within: 0 <= step.a <= TN_IN_CAP - ev.len && ev.len <= s->frame_max;
        //@ assert room: tn_out(s, ev.conn.slot) <= TN_OUTPUT_HIGH;
        //@ assert open: s->conn[ev.conn.slot].state < TN_CONN_FLUSHING;
        //@ assert beyond: beyond(&s->buffer[s->conn[step.slot].block].in[0], ev.data, step.a);
        //@ assert carries: tn_frame_carries(s->framing, ev.data, 0, ev.len);
        /*@ assert witness: \exists integer o; o == step.a && 0 <= o <= TN_IN_CAP - ev.len &&
                ev.data == &s->buffer[s->conn[ev.conn.slot].block].in[0] + o; */
        //@ assert frame: tn_frame_ok(s, ev);
    }
    return ev;
}

/* Gives an event to the caller. */
/*@ requires ok:  tn_server_ok(s);
    requires room: \valid(ev) && \separated(ev, s);
    requires event: tn_event_ok(s, e) && tn_frame_ok(s, e);
    terminates \true; exits \false;
    assigns *ev;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures given: *ev == e;
    ensures event: tn_event_ok(s, *ev) && tn_frame_ok(s, *ev);
*/
static void give(const struct tn_server *s, struct tn_event e, struct tn_event *ev)
{
    (void)s; /* stands in the contract only */
    *ev = e;
    //@ assert pool: tn_pool_same{Pre, Here}(s);
    //@ assert slots: tn_slots_same{Pre, Here}(s);
    //@ assert reports: tn_reports_same{Pre, Here}(s) && tn_fds_same{Pre, Here}(s);
    //@ assert timers: tn_timers_same{Pre, Here}(s) && due_same{Pre, Here}(s);
    //@ assert others: others_same{Pre, Here}(s, TN_NONE) && cur_same{Pre, Here}(s, TN_NONE);
    //@ assert lives: \forall integer i; tn_live{Pre}(s, i) <==> tn_live(s, i);
}

/* Takes the earliest timer of the caller's that was due when the last wait returned,
 * or TN_NONE. */
/*@ requires ok:  tn_server_ok(s);
    terminates \true; exits \false;
    assigns s->user_timers.first, s->user_timers.due[0 .. TN_USER_TIMERS - 1];
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures result: \result == TN_NONE || \result < TN_USER_TIMERS;
    ensures never_early: \result != TN_NONE ==>
                    tn_user_timer_due{Pre}(&s->user_timers, \result) <= s->waited_ms;
*/
static uint32_t take_timer(struct tn_server *s)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, TN_NONE, TN_NONE);
    const uint32_t timer = tn_user_timers_take(&s->user_timers, s->waited_ms);

    //@ assert pool: tn_pool_same{Pre, Here}(s);
    //@ assert slots: tn_slots_same{Pre, Here}(s);
    //@ assert timers: tn_timers_same{Pre, Here}(s) && due_same{Pre, Here}(s);
    //@ assert reports: tn_reports_same{Pre, Here}(s);
    //@ assert fds: tn_fds_same{Pre, Here}(s);
    //@ assert owners: owners_same{Pre, Here}(s) && blocks_same{Pre, Here}(s);
    //@ assert others: others_same{Pre, Here}(s, TN_NONE);
    //@ assert leak: tn_no_buffer_leak(s, TN_NONE);
    //@ assert lives: \forall integer i; tn_live{Pre}(s, i) <==> tn_live(s, i);
    return timer;
}

/* Tells the caller of a timer that was due when the last wait returned, if there
 * is one: 1, or 0.  One that is set since then is not: the next wait comes first. */
/*@ requires ok:  tn_server_ok(s);
    requires room: \valid(ev) && \separated(ev, s);
    terminates \true; exits \false;
    assigns s->user_timers, *ev;
    ensures ok:  tn_server_ok(s);
    ensures result: \result == 0 || \result == 1;
    ensures type:   \result == 1 ==> ev->type == TN_TIMER && ev->timer < TN_USER_TIMERS;
    ensures never_early: \result == 1 ==>
                    tn_user_timer_due{Pre}(&s->user_timers, ev->timer) <= s->waited_ms;
*/
static int32_t ring(struct tn_server *s, struct tn_event *ev)
{
    const uint32_t timer = take_timer(s);

    if (timer == TN_NONE)
        return 0;
    give(s, (struct tn_event){.type = TN_TIMER, .timer = timer}, ev);
    return 1;
}

/* Waits until the deadline or a timer of the caller's, and counts that. */
/*@ requires ok:  tn_server_ok(s);
    requires idle: s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok:  tn_server_ok(s);
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
*/
static int32_t wait_counted(struct tn_server *s, int64_t deadline)
{
    const int64_t timer = tn_user_timers_next(&s->user_timers);
    const int32_t r = tn_step_wait(s, timer < deadline ? timer : deadline);

    count(s, &s->counters.wakeups, 1);
    if (r == 0)
        count(s, &s->counters.spurious, 1);
    return r;
}

/* Goes on as long as there is something to do without waiting, or until there is
 * an event.  Returns 1 with the event, TN_EOF at the end of a drain, otherwise 0. */
/*@ requires ok:  tn_server_ok(s);
    requires room: \valid(ev) && \separated(ev, s);
    terminates \false; exits \false;
    assigns *s, *ev, TN_KERNEL_STATE;
    ensures ok:  tn_server_ok(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_EOF;
    ensures type:  \result == 1 ==> TN_OPENED <= ev->type <= TN_TIMER;
    ensures event: \result == 1 ==> tn_event_ok(s, *ev);
    ensures frame: \result == 1 ==> tn_frame_ok(s, *ev);
    ensures idle:  \result == 0 ==>
                   s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    ensures end:   \result == TN_EOF ==> s->table.slots.live == 0;
*/
static int32_t go_on(struct tn_server *s, struct tn_event *ev)
{
    struct tn_step step;

    /*@ loop invariant ok: tn_server_ok(s);
        loop assigns step, *s, TN_KERNEL_STATE;
    */
    for (;;) {
        step = step_counted(s);
        if (step.type == TN_STEP_END)
            return TN_EOF;
        if (step.type >= TN_OPENED && step.type <= TN_READY)
            break;
        if (step.type == TN_STEP_IDLE)
            return ring(s, ev);
    }
    give(s, event_of(s, step), ev);
    return 1;
}

int32_t tn_next(struct tn_server *s, struct tn_event *ev, int32_t timeout_ms)
{
    int64_t deadline = TN_NEVER;
    uint32_t over = 0;
    int32_t r;

    if (timeout_ms >= 0 || s->tick_ms > 0)
        tn_delivery_clock(s, TN_NONE);
    if (timeout_ms >= 0)
        deadline = s->now_ms + timeout_ms;
    /*@ loop invariant ok: tn_server_ok(s);
        loop assigns r, over, *s, *ev, TN_KERNEL_STATE;
    */
    for (;;) {
        r = go_on(s, ev);
        if (r != 0)
            return r;
        if (over == 1)
            return 0;
        r = wait_counted(s, deadline);
        if (r < 0)
            return r;
        /* What the last wait reported is still served: a peer that dribbles
         * cannot hold the caller past its time, nor be forgotten. */
        over = deadline <= s->now_ms ? 1 : 0;
        if (r == 0 && over == 1)
            return ring(s, ev);
    }
}

/* Leaves a connection that was sent to until its next event.  One that waited for
 * a buffer has got one while something is pending; otherwise it goes on waiting. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot) && s->cur != slot && s->conn[slot].block != TN_NO_BLOCK;
    requires rests: s->conn[slot].state != TN_CONN_PARKED ==> tn_rests_at(s, slot);
    requires waits: s->conn[slot].state == TN_CONN_PARKED ==>
                    s->buffer[s->conn[slot].block].in_len == 0;
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->conn[slot].state, s->pool.free,
            s->pool.perm[0 .. TN_BLOCKS - 1], s->pool.pos[0 .. TN_BLOCKS - 1],
            s->table.interest[slot], s->table.poller.edges, k_reg_mask[s->table.fd[slot]];
    ensures ok:      tn_server_ok(s);
    ensures framing: s->framing == \old(s->framing);
*/
static void rest_apart(struct tn_server *s, uint32_t slot)
{
    const struct tn_buffer *b = &s->buffer[s->conn[slot].block];

    //@ assert before: s->conn[slot].state == TN_CONN_OPEN ==> room_at(s, slot);
    if (b->out_len > 0) {
        tn_delivery_unpark(s, slot);
        //@ assert open: s->conn[slot].state == TN_CONN_OPEN ==> room_at(s, slot);
    } else if (b->in_len == 0) {
        tn_link_return(s, slot);
    }
    //@ assert slots: tn_slots_same{Pre, Here}(s);
    //@ assert state: tn_conn_rests(s->conn[slot].state, tn_out(s, slot));
    //@ assert waits: s->conn[slot].state == TN_CONN_PARKED ==> s->conn[slot].block == TN_NO_BLOCK;
    /*@ assert room: s->conn[slot].block != TN_NO_BLOCK && s->conn[slot].state == TN_CONN_OPEN ==>
            room_at(s, slot); */
    tn_link_watch(s, slot);
}

/* Output begins to be pending: the write timeout counts from now on. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot);
    terminates \true; exits \false;
    assigns s->active_ms[slot];
    TN_SERVER_OK(ensures, s, slot);
    ensures cur: s->cur == \old(s->cur);
*/
static void note_pending(struct tn_server *s, uint32_t slot)
{
    s->active_ms[slot] = s->now_ms;
}

/* Sees to it that a connection that is not being delivered owns a buffer.  Returns
 * 1, or 0 when all are lent. */
/*@ requires ok:     tn_server_ok(s);
    requires live:   tn_live(s, slot) && s->cur != slot &&
                     s->conn[slot].state < TN_CONN_FLUSHING;
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->pool.free,
            s->buffer[s->pool.perm[s->pool.free > 0 ? s->pool.free - 1 : 0]].owner,
            s->buffer[s->pool.perm[s->pool.free > 0 ? s->pool.free - 1 : 0]].in_len,
            s->buffer[s->pool.perm[s->pool.free > 0 ? s->pool.free - 1 : 0]].out_head,
            s->buffer[s->pool.perm[s->pool.free > 0 ? s->pool.free - 1 : 0]].out_len;
    ensures ok: tn_server_but(s, slot, TN_NONE);
    ensures result:  \result == 0 || \result == 1;
    ensures none:    \result == 0 ==> tn_server_ok(s);
    ensures same:    s->table.fd[slot] == \old(s->table.fd[slot]) &&
                     s->framing == \old(s->framing);
    ensures number:  0 <= s->table.fd[slot] < TN_SYS_FDS;
    ensures live:    tn_live(s, slot) && s->cur != slot;
    ensures rests:   s->conn[slot].state < TN_CONN_FLUSHING &&
                     tn_conn_rests(s->conn[slot].state, tn_out(s, slot));
    ensures block:   \result == 1 ==> s->conn[slot].block != TN_NO_BLOCK;
    ensures room:    \result == 1 && s->conn[slot].state == TN_CONN_OPEN ==> room_at(s, slot);
    ensures empty:   \result == 1 && s->conn[slot].state == TN_CONN_PARKED ==>
                     s->buffer[s->conn[slot].block].in_len == 0;
*/
static uint32_t borrow_apart(struct tn_server *s, uint32_t slot)
{
    uint32_t r;

    //@ assert number: 0 <= s->table.fd[slot] < TN_SYS_FDS;
    //@ assert rests: tn_rests_at(s, slot);
    //@ assert within: 0 <= s->pool.perm[s->pool.free > 0 ? s->pool.free - 1 : 0] < TN_BLOCKS;
    r = tn_link_borrow(s, slot);
    //@ assert fd: s->table.fd[slot] == \at(s->table.fd[slot], Pre);
    return r;
}

/* Queues a frame for a connection that is not being delivered and owns a buffer,
 * and sends it at once if nothing was pending before. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot) && s->cur != slot && s->conn[slot].block != TN_NO_BLOCK;
    requires rests: s->conn[slot].state < TN_CONN_FLUSHING &&
                    tn_conn_rests(s->conn[slot].state, tn_out(s, slot));
    requires room:  (s->conn[slot].state == TN_CONN_OPEN ==> room_at(s, slot)) &&
                    (s->conn[slot].state == TN_CONN_PARKED ==>
                     s->buffer[s->conn[slot].block].in_len == 0);
    requires bytes: len <= TN_FRAME_MAX && \valid_read(data + (0 .. len - 1));
    requires apart: \forall integer b; 0 <= b < TN_BLOCKS ==>
                    \separated(data + (0 .. len - 1), &s->buffer[b].out[0 .. TN_OUT_CAP - 1]);
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].out_head, s->buffer[s->conn[slot].block].out_len,
            s->buffer[s->conn[slot].block].out[0 .. TN_OUT_CAP - 1], s->table.poller.edges,
            s->active_ms[slot], s->counters.bytes_out, k_log[s->table.fd[slot]],
            k_tx[s->table.fd[slot]];
    ensures ok: tn_server_but(s, slot, TN_NONE);
    ensures result: \result == TN_EFRAME || 0 <= \result;
    ensures refused: \result == TN_EFRAME ==> !\old(tn_frame_carries(s->framing, data, 0, len));
    ensures rests:  s->conn[slot].state != TN_CONN_PARKED ==> tn_rests_at(s, slot);
    ensures waits:  s->conn[slot].state == TN_CONN_PARKED ==>
                    s->buffer[s->conn[slot].block].in_len == 0;
    ensures appended: k_log[s->table.fd[slot]] ==
                    \old(k_log[s->table.fd[slot]]) + (\result > 0 ? \result : 0);
    ensures size:   \result > 0 ==> \result == tn_frame_before(s->framing, len) + len +
                                              tn_frame_after(s->framing);
    ensures carried: \result > 0 ==> \old(
                    tn_carried(data, len, s->table.fd[slot], k_inc[s->table.fd[slot]],
                               k_log[s->table.fd[slot]] + tn_frame_before(s->framing, len)));
*/
static int32_t pass_on(struct tn_server *s, uint32_t slot, const uint8_t *data, uint32_t len)
{
    const uint32_t first = s->buffer[s->conn[slot].block].out_len == 0 ? 1 : 0;
    const int32_t n = tn_link_queue(s, slot, data, len);

    //@ assert room: s->conn[slot].state == TN_CONN_OPEN ==> room_at(s, slot);
    if (n <= 0 || first == 0)
        return n;
    if (s->write_ms > 0)
        note_pending(s, slot);
    tn_delivery_push(s, slot);
    //@ assert still: s->conn[slot].state == TN_CONN_OPEN ==> room_at(s, slot);
    return n;
}

/* Sends to a connection that is not being delivered: at once if nothing is
 * pending before; otherwise the bytes wait until it is reported writable. */
/*@ requires ok:  tn_server_ok(s);
    requires live:  tn_live(s, slot) && s->cur != slot && s->conn[slot].state < TN_CONN_FLUSHING;
    requires bytes: len <= TN_FRAME_MAX && \valid_read(data + (0 .. len - 1));
    requires apart: \forall integer b; 0 <= b < TN_BLOCKS ==>
                    \separated(data + (0 .. len - 1), &s->buffer[b].out[0 .. TN_OUT_CAP - 1]);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok:  tn_server_ok(s);
    ensures result: \result == TN_EFRAME || 0 <= \result;
    ensures refused: \result == TN_EFRAME ==> !\old(tn_frame_carries(s->framing, data, 0, len));
    ensures same:   s->framing == \old(s->framing);
    ensures appended: k_log[\old(s->table.fd[slot])] ==
                    \old(k_log[s->table.fd[slot]]) + (\result > 0 ? \result : 0);
    ensures size:   \result > 0 ==> \result == tn_frame_before(s->framing, len) + len +
                                              tn_frame_after(s->framing);
    ensures carried: \result > 0 ==> \old(
                    tn_carried(data, len, s->table.fd[slot], k_inc[s->table.fd[slot]],
                               k_log[s->table.fd[slot]] + tn_frame_before(s->framing, len)));
*/
static int32_t send_apart(struct tn_server *s, uint32_t slot, const uint8_t *data, uint32_t len)
{
    int32_t n;

    //@ assert number: 0 <= s->table.fd[slot] < TN_SYS_FDS;
    //@ assert within: 0 <= s->pool.perm[s->pool.free > 0 ? s->pool.free - 1 : 0] < TN_BLOCKS;
    if (borrow_apart(s, slot) == 0)
        return 0;
    n = pass_on(s, slot, data, len);
    rest_apart(s, slot);
    return n;
}

/* Queues a frame for the connection that is being delivered. */
/*@ requires ok:  tn_server_ok(s);
    requires live:  tn_live(s, slot) && s->cur == slot;
    requires bytes: len <= TN_FRAME_MAX && \valid_read(data + (0 .. len - 1));
    requires apart: \forall integer b; 0 <= b < TN_BLOCKS ==>
                    \separated(data + (0 .. len - 1), &s->buffer[b].out[0 .. TN_OUT_CAP - 1]);
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].out_head, s->buffer[s->conn[slot].block].out_len,
            s->buffer[s->conn[slot].block].out[0 .. TN_OUT_CAP - 1], k_log[s->table.fd[slot]];
    ensures ok:  tn_server_ok(s);
    ensures result: \result == TN_EFRAME || 0 <= \result;
    ensures refused: \result == TN_EFRAME ==> !\old(tn_frame_carries(s->framing, data, 0, len));
    ensures fits:   \old(tn_out(s, slot)) <= TN_OUTPUT_HIGH &&
                    (0 < len || s->framing != TN_RAW) ==> \result != 0;
    ensures appended: k_log[s->table.fd[slot]] ==
                    \old(k_log[s->table.fd[slot]]) + (\result > 0 ? \result : 0);
    ensures size:   \result > 0 ==> \result == tn_frame_before(s->framing, len) + len +
                                              tn_frame_after(s->framing);
    ensures carried: \result > 0 ==> \old(
                    tn_carried(data, len, s->table.fd[slot], k_inc[s->table.fd[slot]],
                               k_log[s->table.fd[slot]] + tn_frame_before(s->framing, len)));
*/
static int32_t reply(struct tn_server *s, uint32_t slot, const uint8_t *data, uint32_t len)
{
    //@ assert mine: slot < TN_CONNECTIONS && tn_owned_at(s, slot);
    return tn_link_queue(s, slot, data, len);
}

/* Queues a frame for a connection: the one that is delivered, or another. */
/*@ requires ok:  tn_server_ok(s);
    requires live:  tn_live(s, slot) && s->conn[slot].state < TN_CONN_FLUSHING;
    requires bytes: len <= TN_FRAME_MAX && \valid_read(data + (0 .. len - 1));
    requires apart: \forall integer b; 0 <= b < TN_BLOCKS ==>
                    \separated(data + (0 .. len - 1), &s->buffer[b].out[0 .. TN_OUT_CAP - 1]);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok:  tn_server_ok(s);
    ensures result: \result == TN_EFRAME || 0 <= \result;
    ensures refused: \result == TN_EFRAME ==> !\old(tn_frame_carries(s->framing, data, 0, len));
    ensures fits:   \old(s->cur == slot && tn_out(s, slot) <= TN_OUTPUT_HIGH) &&
                    (0 < len || s->framing != TN_RAW) ==> \result != 0;
    ensures same:   s->framing == \old(s->framing);
    ensures appended: k_log[\old(s->table.fd[slot])] ==
                    \old(k_log[s->table.fd[slot]]) + (\result > 0 ? \result : 0);
    ensures size:   \result > 0 ==> \result == tn_frame_before(s->framing, len) + len +
                                              tn_frame_after(s->framing);
    ensures carried: \result > 0 ==> \old(
                    tn_carried(data, len, s->table.fd[slot], k_inc[s->table.fd[slot]],
                               k_log[s->table.fd[slot]] + tn_frame_before(s->framing, len)));
*/
static int32_t queue(struct tn_server *s, uint32_t slot, const uint8_t *data, uint32_t len)
{
    return slot == s->cur ? reply(s, slot, data, len) : send_apart(s, slot, data, len);
}

int32_t tn_send(struct tn_server *s, struct tn_handle conn, const uint8_t *data, uint32_t len)
{
    int32_t n;

    if (tn_slots_has(&s->table.slots, conn) == 0)
        return TN_ESTALE;
    if (len > s->frame_max)
        return TN_ETOOBIG;
    if (s->conn[conn.slot].state >= TN_CONN_FLUSHING)
        return TN_EOF;
    n = queue(s, conn.slot, data, len);
    if (n == 0 && len == 0 && s->framing == TN_RAW)
        return 1; /* no bytes are a message of that framing, and already sent */
    if (n <= 0)
        return n;
    count(s, &s->counters.sent, 1);
    return 1;
}

int32_t tn_finish(struct tn_server *s, struct tn_handle conn)
{
    if (tn_slots_has(&s->table.slots, conn) == 0)
        return TN_ESTALE;
    if (conn.slot != s->cur)
        tn_delivery_finish(s, conn.slot, TN_BY_CALLER);
    else if (s->conn[conn.slot].state < TN_CONN_FLUSHING)
        tn_delivery_stop(s, conn.slot, TN_BY_CALLER);
    return 1;
}

int32_t tn_close(struct tn_server *s, struct tn_handle conn)
{
    if (tn_slots_has(&s->table.slots, conn) == 0)
        return TN_ESTALE;
    count(s, &s->counters.closed[TN_BY_CALLER], 1);
    //@ assert live: tn_live(s, conn.slot);
    //@ assert rests: tn_rests(s, conn.slot) && tn_watched(s, conn.slot);
    tn_link_close(s, conn.slot);
    /*@ assert counted: s->counters.closed[TN_BY_CALLER] ==
            tn_counted(\at(s->counters.closed[TN_BY_CALLER], Pre), 1); */
    return 1;
}

void tn_drain(struct tn_server *s, int32_t timeout_ms)
{
    if (s->draining == 1)
        return;
    s->now_ms = tn_sys_now_ms();
    s->draining = 1;
    s->backlog = TN_DRAIN_BACKLOG;
    s->drain_cursor = 0;
    s->drain_ms = timeout_ms < 0 ? TN_NEVER : s->now_ms + timeout_ms;
}

/* Closes one connection; there is one. */
/*@ requires ok:  tn_server_ok(s);
    requires some: s->table.slots.live > 0;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok:  tn_server_ok(s);
    ensures fewer: s->table.slots.live == \old(s->table.slots.live) - 1;
*/
static void close_one(struct tn_server *s)
{
    count(s, &s->counters.closed[TN_BY_CALLER], 1);
    //@ assert first: tn_live(s, s->table.slots.perm[0]);
    tn_link_close(s, s->table.slots.perm[0]);
}

void tn_fini(struct tn_server *s)
{
    /*@ loop invariant ok: tn_server_ok(s);
        loop assigns *s, TN_KERNEL_STATE;
        loop variant s->table.slots.live;
    */
    while (s->table.slots.live > 0)
        close_one(s);
    tn_fd_table_fini(&s->table);
}
