/* Who is next: reports, deadlines, parked connections, a drain. */
#include "serve/engine.h"

#include "serve/kept.h"

/* What the table does leaves to the connections. */
/*@ // where x is live and not yet a connection
    lemma owned_fewer: \forall struct tn_server *s, integer x;
        s->table.slots.cap <= TN_CONNECTIONS ==> tn_owned(s, TN_NONE) ==> tn_owned(s, x);
    lemma promised_fewer: \forall struct tn_server *s, integer x;
        s->table.slots.cap <= TN_CONNECTIONS ==> tn_promised(s, TN_NONE) ==> tn_promised(s, x);
    lemma owned_but{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> tn_owned{A}(s, x) ==> tn_owned{B}(s, x);
    lemma promised_but{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> tn_promised{A}(s, x) ==> tn_promised{B}(s, x);
    // every slot but x is as it was
    predicate table_but{A, B}(struct tn_server *s, integer x) =
        \at(s->table.slots.cap, A) == \at(s->table.slots.cap, B) &&
        \forall integer i; 0 <= i < \at(s->table.slots.cap, A) && i != x ==>
            (tn_live{A}(s, i) <==> tn_live{B}(s, i)) &&
            \at(s->table.fd[i], A) == \at(s->table.fd[i], B) &&
            \at(s->table.interest[i], A) == \at(s->table.interest[i], B);
    lemma lives_but{A, B}: \forall struct tn_server *s, integer x;
        table_but{A, B}(s, x) ==>
        \forall integer i; i != x ==> (tn_live{A}(s, i) <==> tn_live{B}(s, i));
    lemma alike_but{A, B}: \forall struct tn_server *s, integer x;
        table_but{A, B}(s, x) ==> conns_same{A, B}(s) ==>
        \at(s->table.slots.cap, A) <= TN_CONNECTIONS ==>
        \forall integer i; tn_live{B}(s, i) && i != x ==> conn_same{A, B}(s, i);
    lemma blocks_beside{A, B}: \forall struct tn_server *s;
        owners_same{A, B}(s) ==> tn_pool_same{A, B}(s) ==> buffers_same{A, B}(s, TN_NONE) ==>
        \at(s->pool.free, A) == \at(s->pool.free, B) ==> blocks_same{A, B}(s);
    // x was not live: no buffer was its
    lemma no_buffer_leak_beside{A, B}: \forall struct tn_server *s, integer x;
        tn_pool_same{A, B}(s) ==> \at(s->pool.free, A) == \at(s->pool.free, B) ==>
        owners_same{A, B}(s) ==> conns_same{A, B}(s) ==> !tn_live{A}(s, x) ==>
        \at(s->table.slots.cap, A) <= TN_CONNECTIONS ==> table_but{A, B}(s, x) ==>
        tn_no_buffer_leak{A}(s, TN_NONE) ==> tn_no_buffer_leak{B}(s, x);
    lemma pending_but{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> tn_pending{A}(s) ==> tn_no_buffer_leak{B}(s, x) ==>
        tn_pending{B}(s);
    lemma arrived_but{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> tn_arrived{A}(s) ==> tn_no_buffer_leak{B}(s, x) ==>
        tn_arrived{B}(s);
*/

/* Takes the next report of the table. */
/*@ requires room: \valid(s);
    TN_TABLE_OK(requires, &s->table);
    terminates \true; exits \false;
    assigns s->table.poller.pos, s->table.mask;
    TN_TABLE_OK(ensures, &s->table);
    ensures result: \result == TN_NONE || \result < TN_COOKIES;
    ensures conn:   \result < TN_CONNECTIONS ==> tn_live(s, \result);
    ensures there:  \result != TN_NONE && \result >= TN_CONNECTIONS ==>
                    tn_table_there(&s->table, \result);
    TN_BESIDE(ensures, s, Pre, Post);
*/
static uint32_t take_report(struct tn_server *s)
{
    return tn_fd_table_next(&s->table);
}

/* Takes the next report of the batch. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns s->table.poller.pos, s->table.mask;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures result: \result == TN_NONE || \result < TN_COOKIES;
    ensures live:   \result < TN_CONNECTIONS ==> tn_live(s, \result);
    ensures there:  \result != TN_NONE && \result >= TN_CONNECTIONS ==>
                    tn_table_there(&s->table, \result);
*/
static uint32_t next_report(struct tn_server *s)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, TN_NONE, TN_NONE);
    const uint32_t who = take_report(s);

    //@ assert slots: tn_slots_same{Pre, Here}(s);
    //@ assert blocks: blocks_same{Pre, Here}(s);
    //@ assert others: others_same{Pre, Here}(s, TN_NONE);
    //@ assert lives: \forall integer i; tn_live{Pre}(s, i) <==> tn_live(s, i);
    return who;
}

/* Serves a connection that is ready for mask. */
/*@ requires ok: tn_server_ok(s);
    requires live: tn_live(s, slot) && s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE ||
                   \result.type == TN_STEP_READ;
    ensures read:  \result.type == TN_STEP_READ ==> tn_readable(s, \result.slot);
*/
static struct tn_step serve(struct tn_server *s, uint32_t slot, size_t mask)
{
    const struct tn_conn *c = &s->conn[slot];

    //@ assert rests: tn_rests_at(s, slot);
    if (c->state == TN_CONN_OPEN && (mask % 2u == 1u || mask >= 8u))
        return tn_step_of(TN_STEP_READ, slot, 0, 0);
    if (c->state == TN_CONN_LINGERING)
        return tn_delivery_discard(s, slot);
    /* It has output to send, and perhaps frames that waited for that. */
    if (c->block != TN_NO_BLOCK)
        tn_delivery_begin(s, slot, 0);
    return tn_step_of(TN_STEP_MORE, slot, 0, 0);
}

/* Watches listener l for mask, if there is one. */
/*@ requires ok: tn_server_ok(s);
    requires known: l < TN_LISTENERS && (mask == TN_READ || mask == 0);
    terminates \true; exits \false;
    assigns s->table.listening[l], s->table.poller.edges, k_reg_mask[0 .. TN_SYS_FDS - 1];
    TN_SERVER_OK(ensures, s, TN_NONE);
*/
static void listen_for(struct tn_server *s, uint32_t l, uint32_t mask)
{
    if (s->table.listener[l] != -1)
        tn_fd_table_listening(&s->table, l, mask);
}

/* Notes that accepting is paused (1), or not (0), and when to try again. */
/*@ requires ok: tn_server_ok(s);
    requires known: paused == 0 || paused == 1;
    terminates \true; exits \false;
    assigns s->paused, s->retry_ms;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures noted: s->paused == paused && s->retry_ms == retry_ms;
*/
static void note_paused(struct tn_server *s, int64_t paused, int64_t retry_ms)
{
    s->paused = paused;
    s->retry_ms = retry_ms;
}

/* Watches every listener (mask TN_READ), or none (0). */
/*@ requires ok: tn_server_ok(s);
    requires mask: mask == TN_READ || mask == 0;
    terminates \true; exits \false;
    assigns s->table.listening[0 .. TN_LISTENERS - 1], s->table.poller.edges,
            k_reg_mask[0 .. TN_SYS_FDS - 1];
    ensures ok: tn_server_ok(s);
*/
static void listening(struct tn_server *s, uint32_t mask)
{
    uint32_t l;

    /*@ loop invariant 0 <= l <= TN_LISTENERS;
        loop invariant ok: tn_server_ok(s);
        loop assigns l, s->table.listening[0 .. TN_LISTENERS - 1], s->table.poller.edges,
            k_reg_mask[0 .. TN_SYS_FDS - 1];
        loop variant TN_LISTENERS - l;
    */
    for (l = 0; l < TN_LISTENERS; l++)
        listen_for(s, l, mask);
}

/* Accepts at the table. */
/*@ requires room: \valid(s);
    TN_TABLE_OK(requires, &s->table);
    requires before: tn_no_buffer_leak(s, TN_NONE);
    requires open: l < TN_LISTENERS && s->table.listener[l] != -1;
    terminates \true; exits \false;
    assigns s->table.slots.live, s->table.slots.usable,
            s->table.slots.perm[0 .. s->table.slots.cap - 1],
            s->table.slots.pos[0 .. s->table.slots.cap - 1],
            s->table.slots.gen[0 .. s->table.slots.cap - 1],
            s->table.fd[0 .. s->table.slots.cap - 1],
            s->table.interest[0 .. s->table.slots.cap - 1], s->table.poller.edges, TN_KERNEL_STATE;
    TN_TABLE_OK(ensures, &s->table);
    ensures result: \result == TN_EAGAIN || \result == TN_EFULL || \result == TN_EFILES ||
                    \result == TN_EMEMORY || \result == TN_ESYSTEM ||
                    0 <= \result < s->table.slots.cap;
    ensures opened: \result >= 0 ==> tn_live(s, \result) && !tn_live{Pre}(s, \result) &&
                    s->table.interest[\result] == TN_READ;
    ensures fresh:  \result >= 0 ==> k_rx[s->table.fd[\result]] == 0 &&
                    k_tx[s->table.fd[\result]] == 0 && k_log[s->table.fd[\result]] == 0;
    ensures table:  table_but{Pre, Post}(s, \result);
    ensures streams: \forall integer f; 0 <= f < TN_SYS_FDS && \old(k_open[f]) == 1 ==>
                    stream_same{Pre, Post}(f);
    TN_BESIDE(ensures, s, Pre, Post);
    ensures leak:   tn_no_buffer_leak(s, \result >= 0 ? \result : TN_NONE);
    ensures cap:    s->table.slots.cap == \old(s->table.slots.cap);
*/
static int32_t take_descriptor(struct tn_server *s, uint32_t l)
{
    int32_t r;

    //@ assert cap: 0 < s->table.slots.cap <= TN_CONNECTIONS;
    r = tn_fd_table_accept(&s->table, l);
    /*@ assert alike: \forall integer i; 0 <= i < s->table.slots.cap && i != r ==>
            tn_table_same{Pre, Here}(&s->table, i) && (tn_live(s, i) <==> tn_live{Pre}(s, i)) &&
            s->table.fd[i] == \at(s->table.fd[i], Pre) &&
            s->table.interest[i] == \at(s->table.interest[i], Pre); */
    //@ assert absent: !tn_live{Pre}(s, r >= 0 ? r : TN_NONE);
    //@ assert same: table_but{Pre, Here}(s, r >= 0 ? r : TN_NONE);
    //@ assert pool: tn_pool_same{Pre, Here}(s) && s->pool.free == \at(s->pool.free, Pre);
    //@ assert owners: owners_same{Pre, Here}(s) && conns_same{Pre, Here}(s);
    //@ assert capped: \at(s->table.slots.cap, Pre) <= TN_CONNECTIONS;
    //@ assert leak: tn_no_buffer_leak(s, r >= 0 ? r : TN_NONE);
    /*@ assert heap: \forall integer i; 0 <= i < TN_CONNECTIONS ==>
            s->timers.heap[i] == \at(s->timers.heap[i], Pre); */
    /*@ assert places: \forall integer i; 0 <= i < TN_CONNECTIONS ==>
            s->timers.pos[i] == \at(s->timers.pos[i], Pre); */
    return r;
}

/* Accepts a connection from listener l into a free slot, of which nothing is
 * set but its place in the table.  Returns the slot, or as tn_fd_table_accept
 * does. */
/*@ requires ok: tn_server_ok(s);
    requires open: l < TN_LISTENERS && s->table.listener[l] != -1;
    requires idle: s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns s->table, TN_KERNEL_STATE;
    TN_SERVER_BUT(ensures, s, \result >= 0 ? \result : TN_NONE, \result >= 0 ? \result : TN_NONE);
    ensures result: \result == TN_EAGAIN || \result == TN_EFULL || \result == TN_EFILES ||
                    \result == TN_EMEMORY || \result == TN_ESYSTEM ||
                    0 <= \result < s->table.slots.cap;
    ensures listener: s->table.listener[l] == \old(s->table.listener[l]);
    ensures opened: \result >= 0 ==> tn_live(s, \result) && s->table.interest[\result] == TN_READ;
    ensures fresh:  \result >= 0 ==> k_rx[s->table.fd[\result]] == 0 &&
                    k_tx[s->table.fd[\result]] == 0 && k_log[s->table.fd[\result]] == 0;
*/
static int32_t accept_into_slot(struct tn_server *s, uint32_t l)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, TN_NONE, TN_NONE);
    const int32_t r = take_descriptor(s, l);

    //@ assert capped: \at(s->table.slots.cap, Pre) <= TN_CONNECTIONS;
    //@ assert timers: tn_timers_ok(&s->timers);
    //@ assert blocks: blocks_same{Pre, Here}(s);
    /*@ assert table: \forall integer i; i != r ==> (tn_live(s, i) <==> tn_live{Pre}(s, i)); */
    /*@ assert stay: \forall integer i; tn_live{Pre}(s, i) ==> tn_live(s, i); */
    /*@ assert alike: \forall integer i; tn_live(s, i) && i != r ==> conn_same{Pre, Here}(s, i); */
    /*@ assert streams: \forall integer i; tn_live(s, i) && i != r ==>
            stream_same{Pre, Here}(\at(s->table.fd[i], Pre)); */
    //@ assert others: others_same{Pre, Here}(s, r >= 0 ? r : TN_NONE);
    //@ assert none: r >= 0 ==> tn_sent_at(s->table.fd[r]);
    return r;
}

/* Makes the connection just accepted into slot an open one. */
/*@ requires ok: tn_server_but(s, slot, slot);
    requires live: tn_live(s, slot) && s->cur != slot && s->table.interest[slot] == TN_READ;
    requires empty: k_rx[s->table.fd[slot]] == 0 && k_tx[s->table.fd[slot]] == 0 &&
                    k_log[s->table.fd[slot]] == 0;
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->conn[slot].state, s->conn[slot].reason,
            s->active_ms[slot];
    TN_SERVER_OK(ensures, s, TN_NONE);
*/
static void open_slot(struct tn_server *s, uint32_t slot)
{
    s->conn[slot].block = TN_NO_BLOCK;
    s->conn[slot].state = TN_CONN_OPEN;
    s->conn[slot].reason = TN_BY_PEER;
    s->active_ms[slot] = s->now_ms;
}

/* Pauses accepting for the reason given: until a slot is free, or for a while
 * where the kernel has run out of something. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns s->now_ms, s->paused, s->retry_ms, s->table.listening[0 .. TN_LISTENERS - 1],
            s->table.poller.edges, k_reg_mask[0 .. TN_SYS_FDS - 1];
    ensures ok: tn_server_ok(s);
    ensures paused: s->paused == 1;
*/
static void pause_accepting(struct tn_server *s, int32_t reason)
{
    tn_delivery_clock(s, TN_NONE);
    note_paused(s, 1, reason == TN_EFULL ? TN_NEVER : s->now_ms + TN_ACCEPT_RETRY_MS);
    listening(s, 0);
}

/* Makes the connection just accepted into slot an open one, and says so. */
/*@ requires ok: tn_server_but(s, slot, slot);
    requires live: tn_live(s, slot) && s->cur == TN_NONE && s->table.interest[slot] == TN_READ;
    requires empty: k_rx[s->table.fd[slot]] == 0 && k_tx[s->table.fd[slot]] == 0 &&
                    k_log[s->table.fd[slot]] == 0;
    terminates \true; exits \false;
    assigns *s;
    ensures ok:    tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_OPENED;
    ensures idle:  s->cur == TN_NONE;
*/
static struct tn_step opened(struct tn_server *s, uint32_t slot)
{
    open_slot(s, slot);
    if (s->tick_ms > 0)
        tn_link_time(s, slot, s->now_ms + s->tick_ms);
    //@ assert live: tn_live(s, slot);
    return tn_step_of(TN_OPENED, slot, 0, 0);
}

/* Accepts one connection from listener l, or pauses accepting. */
/*@ requires ok: tn_server_ok(s);
    requires listener: l < TN_LISTENERS && s->table.listener[l] != -1;
    requires idle: s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_OPENED || \result.type == TN_STEP_MORE ||
                   \result.type == TN_STEP_PAUSED;
*/
static struct tn_step take_connection(struct tn_server *s, uint32_t l)
{
    int32_t r;

    if (s->paused == 1)
        return tn_step_of(TN_STEP_MORE, 0, 0, 0);
    r = accept_into_slot(s, l);
    if (r == TN_EAGAIN)
        return tn_step_of(TN_STEP_MORE, 0, 0, 0);
    if (r < 0) {
        pause_accepting(s, r);
        return tn_step_of(TN_STEP_PAUSED, 0, 0, 0);
    }
    return opened(s, (uint32_t)r);
}

/* Takes the next readiness report and serves it. */
/*@ requires ok: tn_server_ok(s);
    requires idle: s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type != TN_FRAME && \result.type != TN_STEP_IDLE &&
                   \result.type != TN_STEP_END;
    ensures read:  \result.type == TN_STEP_READ ==> tn_readable(s, \result.slot);
*/
static struct tn_step report(struct tn_server *s)
{
    const uint32_t who = next_report(s);

    if (who < TN_CONNECTIONS)
        return serve(s, who, s->table.mask);
    if (who < TN_WATCH_COOKIE)
        return take_connection(s, who - TN_LISTENER_COOKIE);
    if (who >= TN_COOKIES)
        return tn_step_of(TN_STEP_MORE, 0, 0, 0);
    //@ assert watched: s->table.watch[who - TN_WATCH_COOKIE] != -1;
    return tn_step_of(TN_READY, 0, who - TN_WATCH_COOKIE, 0);
}

/* Which timeout the connection stands under: the reason it would end for. */
/*@ requires room: \valid_read(s) && tn_pool_ok(&s->pool) && slot < TN_CONNECTIONS;
    requires mine: tn_owned_at(s, slot);
    terminates \true; exits \false;
    assigns \nothing;
    ensures reason: \result == TN_BY_IDLE || \result == TN_BY_READ || \result == TN_BY_WRITE;
    ensures write:  \result == TN_BY_WRITE <==> s->write_ms > 0 && tn_out(s, slot) > 0;
    ensures read:   \result == TN_BY_READ <==> s->read_ms > 0 && tn_out(s, slot) == 0 &&
                    s->conn[slot].block != TN_NO_BLOCK &&
                    s->buffer[s->conn[slot].block].in_len > 0;
*/
static int32_t awaited(const struct tn_server *s, uint32_t slot)
{
    const uint32_t block = s->conn[slot].block;

    if (block == TN_NO_BLOCK)
        return TN_BY_IDLE;
    //@ assert lent: block < TN_BLOCKS;
    if (s->buffer[block].out_len > 0)
        return s->write_ms > 0 ? TN_BY_WRITE : TN_BY_IDLE;
    return s->read_ms > 0 && s->buffer[block].in_len > 0 ? TN_BY_READ : TN_BY_IDLE;
}

/* When the connection ends for the reason, one of the timeouts; TN_NEVER when it
 * has none. */
/*@ requires room: \valid_read(s) && slot < TN_CONNECTIONS;
    requires time: 0 <= s->active_ms[slot] <= TN_CLOCK_MAX;
    terminates \true; exits \false;
    assigns \nothing;
    ensures due: \let ms = reason == TN_BY_WRITE ? s->write_ms :
                           reason == TN_BY_READ ? s->read_ms : s->idle_ms;
                 \result == (ms == 0 ? TN_NEVER : s->active_ms[slot] + ms);
*/
static int64_t due_for(const struct tn_server *s, uint32_t slot, int32_t reason)
{
    int64_t ms = s->idle_ms;

    if (reason == TN_BY_WRITE)
        ms = s->write_ms;
    else if (reason == TN_BY_READ)
        ms = s->read_ms;
    return ms == 0 ? TN_NEVER : s->active_ms[slot] + ms;
}

/* Looks at a connection whose timer has fired.  What it is waited for may have
 * changed since the timer was set, so the timer fires after the shortest of the
 * timeouts, and is set again while none has passed. */
/*@ requires ok: tn_server_ok(s);
    requires slot: slot < s->table.slots.cap;
    requires idle: s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok:    tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE;
*/
static struct tn_step expired(struct tn_server *s, uint32_t slot)
{
    const struct tn_conn *c = &s->conn[slot];
    int32_t reason;
    int64_t due, next;

    if (s->table.fd[slot] == -1)
        return tn_step_of(TN_STEP_MORE, slot, 0, 0);
    //@ assert mine: tn_live(s, slot) && tn_owned_at(s, slot);
    if (c->state == TN_CONN_LINGERING)
        return tn_delivery_ended(s, slot, c->reason);
    if (s->tick_ms == 0)
        return tn_step_of(TN_STEP_MORE, slot, 0, 0);
    reason = awaited(s, slot);
    due = due_for(s, slot, reason);
    if (due <= s->waited_ms)
        return tn_delivery_ended(s, slot, reason);
    next = s->now_ms + s->tick_ms;
    //@ assert within: s->timers.cap <= TN_CONNECTIONS && slot < TN_CONNECTIONS;
    //@ assert before: tn_rests_at(s, slot);
    tn_link_time(s, slot, due < next ? due : next);
    //@ assert rests: tn_rests_at(s, slot);
    return tn_step_of(TN_STEP_MORE, slot, 0, 0);
}

/* The first connection in slot `from` or above that is in this state; the
 * number of slots when there is none. */
/*@ requires shape: tn_table_shape(&s->table) && \valid(s);
    requires live:  tn_table_live(&s->table);
    requires from:  0 <= from <= s->table.slots.cap;
    terminates \true; exits \false;
    assigns \nothing;
    ensures range: from <= \result <= s->table.slots.cap;
    ensures found: \result < s->table.slots.cap ==>
                   tn_live(s, \result) && s->conn[\result].state == state;
    ensures first: \forall integer i; from <= i < \result && tn_live(s, i) ==>
                   s->conn[i].state != state;
*/
static uint32_t find(const struct tn_server *s, uint32_t from, int32_t state)
{
    uint32_t slot;

    /*@ loop invariant from <= slot <= s->table.slots.cap;
        loop invariant \forall integer i; from <= i < slot && tn_live(s, i) ==>
            s->conn[i].state != state;
        loop assigns slot;
        loop variant s->table.slots.cap - slot;
    */
    for (slot = from; slot < s->table.slots.cap; slot++)
        if (s->table.fd[slot] != -1 && s->conn[slot].state == state)
            break;
    return slot;
}

/* Notes where the search for parked connections goes on, and whether there may
 * be one. */
/*@ requires ok: tn_server_ok(s);
    requires known: 0 <= cursor <= s->table.slots.cap && 0 <= parked <= 1;
    terminates \true; exits \false;
    assigns s->park_cursor, s->parked;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures noted: s->park_cursor == cursor && s->parked == parked;
*/
static void note_search(struct tn_server *s, int64_t cursor, int64_t parked)
{
    s->park_cursor = cursor;
    s->parked = parked;
}

/* Turns to the next parked connection, now that a buffer is free. */
/*@ requires ok: tn_server_ok(s);
    requires idle: s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns s->park_cursor, s->parked;
    ensures ok: tn_server_ok(s);
    ensures type:  \result.type == TN_STEP_MORE || \result.type == TN_STEP_READ;
    ensures read:  \result.type == TN_STEP_READ ==> tn_readable(s, \result.slot);
    ensures none:  \result.type == TN_STEP_MORE ==> s->parked == 0 &&
                   \forall integer i; tn_live(s, i) ==> s->conn[i].state != TN_CONN_PARKED;
*/
static struct tn_step unpark(struct tn_server *s)
{
    const uint32_t cap = s->table.slots.cap;
    uint32_t slot = find(s, (uint32_t)s->park_cursor, TN_CONN_PARKED);

    if (slot == cap)
        slot = find(s, 0, TN_CONN_PARKED);
    if (slot == cap) {
        note_search(s, 0, 0);
        return tn_step_of(TN_STEP_MORE, 0, 0, 0);
    }
    note_search(s, slot + 1, 1);
    return tn_step_of(TN_STEP_READ, slot, 0, 0);
}

/* The first listener that is there; TN_LISTENERS when none is. */
/*@ requires room: \valid_read(s);
    terminates \true; exits \false;
    assigns \nothing;
    ensures there: \result < TN_LISTENERS ==> s->table.listener[\result] != -1;
    ensures none:  \result == TN_LISTENERS ==>
                   \forall integer l; 0 <= l < TN_LISTENERS ==> s->table.listener[l] == -1;
    ensures range: \result <= TN_LISTENERS;
*/
static uint32_t first_listener(const struct tn_server *s)
{
    uint32_t l;

    /*@ loop invariant 0 <= l <= TN_LISTENERS;
        loop invariant \forall integer o; 0 <= o < l ==> s->table.listener[o] == -1;
        loop assigns l;
        loop variant TN_LISTENERS - l;
    */
    for (l = 0; l < TN_LISTENERS; l++)
        if (s->table.listener[l] != -1)
            break;
    return l;
}

/* Closes listener l. */
/*@ requires ok: tn_server_ok(s);
    requires open: l < TN_LISTENERS && s->table.listener[l] != -1;
    terminates \true; exits \false;
    assigns s->table.listener[l], s->table.listening[l], k_open[0 .. TN_SYS_FDS - 1],
            k_reg[0 .. TN_SYS_FDS - 1];
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures closed: s->table.listener[l] == -1;
*/
static void close_listener(struct tn_server *s, uint32_t l)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, TN_NONE, TN_NONE);
    tn_fd_table_unlisten(&s->table, l);
    //@ assert pool: tn_pool_same{Pre, Here}(s);
    //@ assert slots: tn_slots_same{Pre, Here}(s);
    //@ assert timers: tn_timers_same{Pre, Here}(s) && due_same{Pre, Here}(s);
    //@ assert owners: owners_same{Pre, Here}(s) && blocks_same{Pre, Here}(s);
    //@ assert leak: tn_no_buffer_leak(s, TN_NONE);
    //@ assert others: others_same{Pre, Here}(s, TN_NONE);
    //@ assert lives: \forall integer i; tn_live{Pre}(s, i) <==> tn_live(s, i);
}

/* Notes that a drain accepts one connection less. */
/*@ requires ok: tn_server_ok(s);
    requires some: s->backlog > 0;
    terminates \true; exits \false;
    assigns s->backlog;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures fewer: s->backlog == \old(s->backlog) - 1;
*/
static void note_accepted(struct tn_server *s)
{
    s->backlog--;
}

/* In a drain: accepts one who had connected to listener l, or closes it. */
/*@ requires ok: tn_server_ok(s);
    requires listener: l < TN_LISTENERS && s->table.listener[l] != -1;
    requires idle: s->cur == TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_OPENED || \result.type == TN_STEP_MORE;
    ensures idle:  s->cur == TN_NONE;
*/
static struct tn_step empty_listener(struct tn_server *s, uint32_t l)
{
    int32_t r = TN_EAGAIN;

    if (s->backlog > 0) {
        note_accepted(s);
        r = accept_into_slot(s, l);
    }
    //@ assert idle: s->cur == TN_NONE;
    if (r >= 0)
        return opened(s, (uint32_t)r);
    close_listener(s, l);
    //@ assert still: s->cur == TN_NONE;
    return tn_step_of(TN_STEP_MORE, 0, 0, 0);
}

/* Notes up to where a drain has read. */
/*@ requires ok: tn_server_ok(s);
    requires known: 0 <= cursor <= s->table.slots.cap;
    terminates \true; exits \false;
    assigns s->drain_cursor;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures noted: s->drain_cursor == cursor;
*/
static void note_drained(struct tn_server *s, int64_t cursor)
{
    s->drain_cursor = cursor;
}

/* Goes on with a drain: the listeners are emptied and closed, each open
 * connection is read once more, then finishes when all that came was
 * delivered. */
/*@ requires ok: tn_server_ok(s);
    requires idle: s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_OPENED || \result.type == TN_CLOSED ||
                   \result.type == TN_STEP_READ || \result.type == TN_STEP_MORE ||
                   \result.type == TN_STEP_IDLE || \result.type == TN_STEP_END;
    ensures read:  \result.type == TN_STEP_READ ==> tn_readable(s, \result.slot);
    ensures idle:  \result.type == TN_STEP_IDLE ==>
                   s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    ensures end:   \result.type == TN_STEP_END ==> s->table.slots.live == 0;
*/
static struct tn_step drain(struct tn_server *s)
{
    const uint32_t listener = first_listener(s);
    uint32_t slot;

    if (listener < TN_LISTENERS)
        return empty_listener(s, listener);
    if (s->table.slots.live == 0)
        return tn_step_of(TN_STEP_END, 0, 0, 0);
    slot = find(s, (uint32_t)s->drain_cursor, TN_CONN_OPEN);
    if (slot < s->table.slots.cap) {
        note_drained(s, slot + 1);
        return tn_step_of(TN_STEP_READ, slot, 0, 0);
    }
    note_drained(s, slot);
    //@ assert last: tn_live(s, s->table.slots.perm[0]);
    if (s->drain_ms <= s->waited_ms)
        return tn_delivery_ended(s, s->table.slots.perm[0], TN_BY_DRAIN);
    return tn_step_of(TN_STEP_IDLE, 0, 0, 0);
}

/* Does the next thing that is due when no report is left. */
/*@ requires ok: tn_server_ok(s);
    requires idle: s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_OPENED || \result.type == TN_CLOSED ||
                   \result.type == TN_STEP_READ || \result.type == TN_STEP_MORE ||
                   \result.type == TN_STEP_IDLE || \result.type == TN_STEP_END;
    ensures read:  \result.type == TN_STEP_READ ==> tn_readable(s, \result.slot);
    ensures idle:  \result.type == TN_STEP_IDLE ==>
                   s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    ensures end:   \result.type == TN_STEP_END ==> s->table.slots.live == 0;
*/
static struct tn_step chore(struct tn_server *s)
{
    const uint32_t id = tn_link_expire(s, s->waited_ms);

    if (id != TN_NONE)
        return expired(s, id);
    if (s->parked == 1 && s->pool.free > 0)
        return unpark(s);
    if (s->draining == 1)
        return drain(s);
    if (s->paused == 0 || s->retry_ms > s->waited_ms)
        return tn_step_of(TN_STEP_IDLE, 0, 0, 0);
    note_paused(s, 0, s->retry_ms);
    listening(s, TN_READ);
    return tn_step_of(TN_STEP_MORE, 0, 0, 0);
}

struct tn_step tn_step(struct tn_server *s)
{
    struct tn_step step;

    if (s->cur == TN_NONE) {
        step = s->table.poller.pos < s->table.poller.count ? report(s) : chore(s);
        if (step.type == TN_STEP_READ)
            step = tn_delivery_receive(s, step.slot);
        if (s->cur == TN_NONE || step.type != TN_STEP_MORE)
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

/* Waits up to ms for a batch of reports, at the table. */
/*@ requires room: \valid(s);
    TN_TABLE_OK(requires, &s->table);
    requires taken: s->table.poller.pos == s->table.poller.count;
    terminates \true; exits \false;
    assigns s->table.poller.pos, s->table.poller.count, s->table.poller.ready[0 .. TN_BATCH - 1],
            s->table.poller.turn, s->table.poller.vain, s->table.poller.moved,
            s->table.poller.waiting, s->table.poller.edges,
            s->table.poller.asked[0 .. TN_ASKED - 1], s->table.poller.who[0 .. TN_WHO - 1],
            k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    TN_TABLE_OK(ensures, &s->table);
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    TN_BESIDE(ensures, s, Pre, Post);
    ensures slots:  tn_slots_same{Pre, Post}(s);
    ensures fds:    \forall integer i; 0 <= i < TN_CONNECTIONS ==>
                    s->table.fd[i] == \old(s->table.fd[i]) &&
                    s->table.interest[i] == \old(s->table.interest[i]);
*/
static int32_t take_batch(struct tn_server *s, int32_t ms)
{
    return tn_fd_table_wait(&s->table, ms, moved_so_far(s));
}

/* Waits up to ms for a batch of reports. */
/*@ requires ok: tn_server_ok(s);
    requires taken: s->table.poller.pos == s->table.poller.count;
    terminates \true; exits \false;
    assigns s->table.poller.pos, s->table.poller.count, s->table.poller.ready[0 .. TN_BATCH - 1],
            s->table.poller.turn, s->table.poller.vain, s->table.poller.moved,
            s->table.poller.waiting, s->table.poller.edges,
            s->table.poller.asked[0 .. TN_ASKED - 1], s->table.poller.who[0 .. TN_WHO - 1],
            k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
*/
static int32_t wait_batch(struct tn_server *s, int32_t ms)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, TN_NONE, TN_NONE);
    const int32_t n = take_batch(s, ms);

    //@ assert timers: tn_timers_ok(&s->timers);
    //@ assert lives: \forall integer i; tn_live(s, i) <==> tn_live{Pre}(s, i);
    //@ assert alike: \forall integer i; tn_live(s, i) ==> conn_same{Pre, Here}(s, i);
    //@ assert blocks: blocks_same{Pre, Here}(s);
    //@ assert others: others_same{Pre, Here}(s, TN_NONE);
    //@ assert leak: tn_no_buffer_leak(s, TN_NONE);
    return n;
}

/* Notes that all reports up to now have been asked for. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns s->now_ms, s->waited_ms;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures now: s->waited_ms == s->now_ms;
*/
static void note_waited(struct tn_server *s)
{
    tn_delivery_clock(s, TN_NONE);
    s->waited_ms = s->now_ms;
}

int32_t tn_step_wait(struct tn_server *s, int64_t deadline)
{
    const int64_t limit = wait_limit(s, deadline);
    int32_t r;

    if (limit != TN_NEVER)
        tn_delivery_clock(s, TN_NONE);
    r = wait_batch(s, wait_ms(limit, s->now_ms));
    if (limit != TN_NEVER || s->tick_ms > 0)
        note_waited(s);
    return r;
}
