#include "serve/link.h"

#include "serve/kept.h"

/* Lends the free buffer at hand to slot, empty. */
/*@ requires shape: \valid(s) && tn_pool_ok(&s->pool) && 0 < s->pool.free &&
                    tn_table_shape(&s->table);
    requires slot:  tn_live(s, slot) && s->conn[slot].block == TN_NO_BLOCK;
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    requires batch: tn_table_batch(&s->table);
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->pool.free, s->buffer[s->pool.perm[s->pool.free - 1]].owner,
            s->buffer[s->pool.perm[s->pool.free - 1]].in_len,
            s->buffer[s->pool.perm[s->pool.free - 1]].out_head,
            s->buffer[s->pool.perm[s->pool.free - 1]].out_len;
    ensures ok:     tn_pool_ok(&s->pool);
    ensures mine:   s->conn[slot].block != TN_NO_BLOCK && tn_owned_at(s, slot) &&
                    !tn_lent{Pre}(s, s->conn[slot].block);
    ensures fits:   tn_buffer_ok(&s->buffer[s->conn[slot].block]);
    ensures empty:  s->buffer[s->conn[slot].block].in_len == 0 && tn_out(s, slot) == 0 &&
                    tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]) &&
                    tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures shape:  tn_table_shape(&s->table);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures batch:  tn_table_batch(&s->table);
    ensures window: window_same{Pre, Post}(s);
    ensures others: others_same{Pre, Post}(s, slot);
    ensures rest:   buffers_same{Pre, Post}(s, s->conn[slot].block);
    ensures fds:    tn_fds_same{Pre, Post}(s);
    ensures gens:   \forall integer w; 0 <= w < TN_WATCHES ==>
                    s->table.watch_gen[w] == \old(s->table.watch_gen[w]);
*/
static void lend(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = tn_pool_take(&s->pool);

    //@ assert known: block < TN_BLOCKS && !tn_lent{Pre}(s, block);
    /*@ assert taken: \forall integer b; 0 <= b < TN_BLOCKS && b != block ==>
            (tn_lent(s, b) <==> tn_lent{Pre}(s, b)); */
    tn_buffer_clear(&s->buffer[block], (int32_t)slot);
    //@ assert fds: tn_fds_same{Pre, Here}(s);
    //@ assert rest: buffers_same{Pre, Here}(s, block);
    /*@ assert blocks: \forall integer b; 0 <= b < TN_BLOCKS && b != block ==>
            block_same{Pre, Here}(s, b) && in_same{Pre, Here}(s, b) && out_same{Pre, Here}(s, b); */
    //@ assert apart: \forall integer i; tn_live(s, i) && i != slot ==> s->conn[i].block != block;
    s->conn[slot].block = (uint16_t)block;
}

uint32_t tn_link_borrow(struct tn_server *s, uint32_t slot)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, slot, TN_NONE);
    if (s->conn[slot].block != TN_NO_BLOCK)
        return 1;
    if (s->pool.free == 0)
        return 0;
    //@ assert elsewhere: s->cur != slot;
    //@ assert bare: k_log[s->table.fd[slot]] == k_tx[s->table.fd[slot]] && tn_out(s, slot) == 0;
    lend(s, slot);
    return 1;
}

/* Takes the lent buffer block back. */
/*@ requires shape: \valid(s) && tn_pool_ok(&s->pool) && tn_lent(s, block);
    terminates \true; exits \false;
    assigns s->pool.free, s->pool.perm[0 .. TN_BLOCKS - 1], s->pool.pos[0 .. TN_BLOCKS - 1];
    ensures ok:      tn_pool_ok(&s->pool);
    ensures back:    !tn_lent(s, block);
    ensures others:  \forall integer b; 0 <= b < TN_BLOCKS && b != block ==>
                     (tn_lent(s, b) <==> tn_lent{Pre}(s, b));
    ensures slots:   tn_slots_same{Pre, Post}(s);
    ensures timers:  tn_timers_same{Pre, Post}(s);
    ensures reports: tn_reports_same{Pre, Post}(s);
    ensures due:     due_same{Pre, Post}(s);
    ensures window:  window_same{Pre, Post}(s);
    ensures config:  s->framing == \old(s->framing) && s->frame_max == \old(s->frame_max);
    ensures lengths: \forall integer b; 0 <= b < TN_BLOCKS ==> tn_buffer_same{Pre, Post}(s, b);
    ensures user:    user_same{Pre, Post}(s);
*/
static void take_back(struct tn_server *s, uint32_t block)
{
    tn_pool_give(&s->pool, block);
}

/* Takes the buffer of slot back. */
/*@ requires shape: \valid(s) && tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                    tn_slots_ok(&s->table.slots);
    requires slot:  tn_live(s, slot) && s->conn[slot].block != TN_NO_BLOCK;
    requires owned: tn_owned(s, TN_NONE);
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->pool.free, s->pool.perm[0 .. TN_BLOCKS - 1],
            s->pool.pos[0 .. TN_BLOCKS - 1];
    ensures shape:   tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                     tn_slots_ok(&s->table.slots);
    ensures mine:    s->conn[slot].block == TN_NO_BLOCK && tn_owned_at(s, slot);
    ensures back:    \forall integer b; tn_lent(s, b) ==>
                     tn_lent{Pre}(s, b) && b != \old(s->conn[slot].block);
    ensures others:  others_same{Pre, Post}(s, slot);
    ensures rest:    buffers_same{Pre, Post}(s, TN_NONE);
    ensures slots:   tn_slots_same{Pre, Post}(s);
    ensures reports: tn_reports_same{Pre, Post}(s);
    ensures window:  window_same{Pre, Post}(s);
    ensures config:  s->timers.cap == \old(s->timers.cap) &&
                     s->framing == \old(s->framing) && s->frame_max == \old(s->frame_max);
    ensures user:    user_same{Pre, Post}(s);
*/
static void unlend(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = s->conn[slot].block;

    s->conn[slot].block = TN_NO_BLOCK;
    take_back(s, block);
}

/* The same, where the table's invariant holds. */
/*@ requires shape: \valid(s) && tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                    tn_table_shape(&s->table);
    requires slot:  tn_live(s, slot) && s->conn[slot].block != TN_NO_BLOCK;
    requires live:  tn_table_live(&s->table);
    requires no_leak: tn_table_no_leak(&s->table);
    requires batch: tn_table_batch(&s->table);
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->pool.free, s->pool.perm[0 .. TN_BLOCKS - 1],
            s->pool.pos[0 .. TN_BLOCKS - 1];
    ensures shape:   tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                     tn_table_shape(&s->table);
    ensures mine:    s->conn[slot].block == TN_NO_BLOCK && tn_owned_at(s, slot);
    ensures live:    tn_table_live(&s->table);
    ensures no_leak: tn_table_no_leak(&s->table);
    ensures batch:   tn_table_batch(&s->table);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures others:  others_same{Pre, Post}(s, slot);
    ensures rest:    buffers_same{Pre, Post}(s, TN_NONE);
    ensures slots:   tn_slots_same{Pre, Post}(s);
    ensures timers:  s->timers.cap == \old(s->timers.cap);
    ensures window:  window_same{Pre, Post}(s);
    ensures config:  s->framing == \old(s->framing) && s->frame_max == \old(s->frame_max);
    ensures user:    user_same{Pre, Post}(s);
*/
static void give_back(struct tn_server *s, uint32_t slot)
{
    unlend(s, slot);
}

void tn_link_return(struct tn_server *s, uint32_t slot)
{
    if (s->conn[slot].block != TN_NO_BLOCK)
        give_back(s, slot);
}

/* Drops the first n bytes of the output of slot: the kernel has just taken them. */
/*@ requires shape: \valid(s) && tn_table_shape(&s->table);
    requires slot:  tn_live(s, slot) && s->conn[slot].block != TN_NO_BLOCK;
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    requires ok:    tn_buffers(s) && n <= tn_out(s, slot);
    requires arrived: tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    requires taken: \forall integer k; s->buffer[s->conn[slot].block].out_head + n <= k <
                        s->buffer[s->conn[slot].block].out_head + tn_out(s, slot) ==>
                    s->buffer[s->conn[slot].block].out[k] ==
                        log_at(s->table.fd[slot], k_inc[s->table.fd[slot]],
                               k_tx[s->table.fd[slot]] + k - n -
                                   s->buffer[s->conn[slot].block].out_head);
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].out_head, s->buffer[s->conn[slot].block].out_len;
    ensures output: tn_out(s, slot) == \old(tn_out(s, slot)) - n;
    ensures shape:  tn_table_shape(&s->table);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures fits:   tn_buffer_ok(&s->buffer[s->conn[slot].block]);
    ensures mine:   tn_owned_at(s, slot);
    ensures pending: tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures arrived: tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures others: others_same{Pre, Post}(s, slot);
    ensures rest:   buffers_same{Pre, Post}(s, s->conn[slot].block);
*/
static void drop_output(struct tn_server *s, uint32_t slot, size_t n)
{
    tn_buffer_sent(&s->buffer[s->conn[slot].block], n);
}

/* Sends what is pending of slot. */
/*@ requires shape: \valid(s) && tn_table_shape(&s->table);
    requires slot:  tn_live(s, slot) && s->conn[slot].block != TN_NO_BLOCK;
    requires live:  tn_table_live(&s->table);
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    requires bytes: tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]) &&
                    tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    requires sent:  tn_sent_at(s->table.fd[slot]);
    requires ok:    tn_buffers(s) && tn_out(s, slot) > 0;
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].out_head, s->buffer[s->conn[slot].block].out_len,
            k_tx[s->table.fd[slot]];
    ensures result: \result == TN_ERESET || \result == TN_EMEMORY ||
                    0 <= \result <= \old(tn_out(s, slot));
    ensures output: tn_out(s, slot) == \old(tn_out(s, slot)) - (\result > 0 ? \result : 0);
    ensures count:  k_tx[s->table.fd[slot]] ==
                    \old(k_tx[s->table.fd[slot]]) + (\result > 0 ? \result : 0);
    ensures shape:  tn_table_shape(&s->table);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures fits:   tn_buffer_ok(&s->buffer[s->conn[slot].block]);
    ensures mine:   tn_owned_at(s, slot);
    ensures pending: tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures arrived: tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures sent:   tn_sent_at(s->table.fd[slot]);
    ensures others: others_same{Pre, Post}(s, slot);
    ensures rest:   buffers_same{Pre, Post}(s, s->conn[slot].block);
*/
static int32_t transmit(struct tn_server *s, uint32_t slot)
{
    const struct tn_buffer *b = &s->buffer[s->conn[slot].block];
    const uint32_t len = (uint32_t)b->out_len;
    const int32_t n = tn_sys_send(s->table.fd[slot], b->out, (uint32_t)b->out_head, len);

    //@ assert taken: tn_sent_at(s->table.fd[slot]);
    /*@ assert streams: \forall integer i; tn_live(s, i) && i != slot ==>
            stream_same{Pre, Here}(s->table.fd[i]); */
    //@ assert others: others_same{Pre, Here}(s, slot);
    if (n <= 0)
        return n;
    //@ assert sign: 0 <= n;
    drop_output(s, slot, (size_t)n);
    return n;
}

/* Judges what a receive (mask TN_READ) or a send (TN_WRITE) of slot that could
 * have moved room bytes came to: less means that nothing more can be moved now,
 * but for a want of memory, which is no answer at all, and for a connection that
 * is broken, which has that to tell at every call.  Returns n, or 0 for want of
 * memory. */
/*@ requires room: \valid(s);
    requires mask: mask == TN_READ || mask == TN_WRITE;
    terminates \true; exits \false;
    assigns s->table.poller.edges;
    ensures result: \result == (n == TN_EMEMORY ? 0 : n);
    ensures kept:   n == TN_EMEMORY || n == TN_ERESET || (n > 0 && n >= room) ==>
                    tn_edges_but{Pre, Post}(&s->table.poller, TN_EDGES);
*/
static int32_t judge(struct tn_server *s, uint32_t slot, uint32_t mask, int32_t n, size_t room)
{
    if (n == TN_EMEMORY)
        return 0;
    if (n == TN_ERESET)
        return n;
    if (n > 0) {
        //@ assert sign: 0 <= n;
        if ((size_t)n >= room)
            return n;
    }
    tn_fd_table_spent(&s->table, slot, mask, n);
    return n;
}

int32_t tn_link_flush(struct tn_server *s, uint32_t slot)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, slot, TN_NONE);
    const size_t len = s->buffer[s->conn[slot].block].out_len;
    int32_t n;

    if (len == 0)
        return 0;
    n = transmit(s, slot);
    return judge(s, slot, TN_WRITE, n, len);
}

/* Drops the first n bytes of the input of slot. */
/*@ requires shape: \valid(s) && tn_table_shape(&s->table);
    requires slot:  tn_live(s, slot) && s->conn[slot].block != TN_NO_BLOCK;
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    requires bytes: tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]) &&
                    tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    requires ok:    tn_buffers(s) && n <= s->buffer[s->conn[slot].block].in_len;
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].in_len,
            s->buffer[s->conn[slot].block].in[0 .. TN_IN_CAP - 1];
    ensures length: s->buffer[s->conn[slot].block].in_len ==
                    \old(s->buffer[s->conn[slot].block].in_len) - n;
    ensures scanned: \old(tn_scanned_at(s, s->conn[slot].block, n,
                          s->buffer[s->conn[slot].block].in_len - n)) ==>
                    tn_scanned_at(s, s->conn[slot].block, 0,
                                  s->buffer[s->conn[slot].block].in_len);
    ensures shape:  tn_table_shape(&s->table);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures fits:   tn_buffer_ok(&s->buffer[s->conn[slot].block]);
    ensures mine:   tn_owned_at(s, slot) && tn_out(s, slot) == \old(tn_out(s, slot));
    ensures bytes:  tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]) &&
                    tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures others: others_same{Pre, Post}(s, slot);
    ensures rest:   buffers_same{Pre, Post}(s, s->conn[slot].block);
*/
static void drop_input(struct tn_server *s, uint32_t slot, size_t n)
{
    tn_buffer_delivered(&s->buffer[s->conn[slot].block], n);
}

void tn_link_delivered(struct tn_server *s, uint32_t slot)
{
    const size_t n = (size_t)s->off;

    s->cur = TN_NONE;
    s->off = 0;
    //@ assert due: due_same{Pre, Here}(s) && tn_timers_ok(&s->timers);
    drop_input(s, slot, n);
}

void tn_link_drop(struct tn_server *s, uint32_t slot)
{
    drop_input(s, slot, s->buffer[s->conn[slot].block].in_len);
}

/* Appends to the output of slot. */
/*@ requires shape: \valid(s) && tn_table_shape(&s->table) && tn_framing_known(s->framing);
    requires slot:  tn_live(s, slot) && s->conn[slot].block != TN_NO_BLOCK;
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    requires bytes: tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]) &&
                    tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    requires ok:    tn_buffers(s);
    requires open:  k_ours(s->table.fd[slot]) &&
                    k_log[s->table.fd[slot]] == k_tx[s->table.fd[slot]] + tn_out(s, slot);
    requires data:  len <= TN_FRAME_MAX && \valid_read(data + (0 .. len - 1));
    requires apart: \separated(data + (0 .. len - 1),
                               &s->buffer[s->conn[slot].block].out[0 .. TN_OUT_CAP - 1]);
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].out_head, s->buffer[s->conn[slot].block].out_len,
            s->buffer[s->conn[slot].block].out[0 .. TN_OUT_CAP - 1], k_log[s->table.fd[slot]];
    ensures result:  \result == TN_EFRAME || 0 <= \result <= len + TN_FRAME_OVERHEAD;
    ensures refused: \result == TN_EFRAME ==> !\old(tn_frame_carries(s->framing, data, 0, len));
    ensures input:   in_same{Pre, Post}(s, s->conn[slot].block);
    ensures output:  tn_out(s, slot) == \old(tn_out(s, slot)) + (\result > 0 ? \result : 0);
    ensures size:    \result > 0 ==> \result == tn_frame_before(s->framing, len) + len +
                                               tn_frame_after(s->framing);
    ensures appended: k_log[s->table.fd[slot]] ==
                     \old(k_log[s->table.fd[slot]]) + (\result > 0 ? \result : 0);
    ensures carried: \result > 0 ==> \forall integer i; 0 <= i < len ==>
                     log_at(s->table.fd[slot], k_inc[s->table.fd[slot]],
                            \old(k_log[s->table.fd[slot]]) + tn_frame_before(s->framing, len) +
                                i) == \old(data[i]);
    ensures fits:    \old(tn_out(s, slot)) <= TN_OUTPUT_HIGH &&
                     (0 < len || s->framing != TN_RAW) ==> \result != 0;
    ensures fits_in: tn_buffer_ok(&s->buffer[s->conn[slot].block]);
    ensures length:  s->buffer[s->conn[slot].block].in_len ==
                     \old(s->buffer[s->conn[slot].block].in_len);
    ensures shape:   tn_table_shape(&s->table);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures mine:    tn_owned_at(s, slot);
    ensures promised: k_log[s->table.fd[slot]] == k_tx[s->table.fd[slot]] + tn_out(s, slot);
    ensures pending: tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures arrived: tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures rest:    buffers_same{Pre, Post}(s, s->conn[slot].block);
    ensures outputs: \forall integer b; 0 <= b < TN_BLOCKS && b != s->conn[slot].block ==>
                     out_same{Pre, Post}(s, b);
    ensures inputs:  \forall integer b; 0 <= b < TN_BLOCKS && b != s->conn[slot].block ==>
                     in_same{Pre, Post}(s, b);
*/
static int32_t queue_bytes(struct tn_server *s, uint32_t slot, const uint8_t *data, uint32_t len)
{
    struct tn_buffer *b = &s->buffer[s->conn[slot].block];
    const int32_t n = tn_buffer_queue(b, s->framing, data, len);

    /*@ assert bytes: n > 0 ==>
            \let o = b->out_head + b->out_len - n + tn_frame_before(s->framing, len);
            \forall integer k; o <= k < o + len ==> b->out[k] == \at(data[k - o], Pre); */
    /*@ assert kept: \forall integer k;
            b->out_head <= k < b->out_head + \at(s->buffer[s->conn[slot].block].out_len, Pre) ==>
            b->out[k] == log_at(s->table.fd[slot], k_inc[s->table.fd[slot]],
                                k_tx[s->table.fd[slot]] + k - b->out_head); */
    /*@ assert from: n > 0 ==> b->out_len - n == \at(s->buffer[s->conn[slot].block].out_len, Pre) &&
            k_log[s->table.fd[slot]] == k_tx[s->table.fd[slot]] + b->out_len - n; */
    /*@ ghost if (n > 0)
            k_promise(s->table.fd[slot], b->out,
                      (uint32_t)(b->out_head + b->out_len - (size_t)n), (uint32_t)n); */
    /*@ assert promised: n > 0 ==> \forall integer k;
            b->out_head + b->out_len - n <= k < b->out_head + b->out_len ==>
            b->out[k] == log_at(s->table.fd[slot], k_inc[s->table.fd[slot]],
                                k_tx[s->table.fd[slot]] + k - b->out_head); */
    /*@ assert fresh: \forall integer k;
            b->out_head + \at(s->buffer[s->conn[slot].block].out_len, Pre) <= k <
                b->out_head + b->out_len ==>
            b->out[k] == log_at(s->table.fd[slot], k_inc[s->table.fd[slot]],
                                k_tx[s->table.fd[slot]] + k - b->out_head); */
    //@ assert around: 0 <= tn_frame_before(s->framing, len) && 0 <= tn_frame_after(s->framing);
    /*@ assert payload: n > 0 ==>
            \let o = b->out_head + b->out_len - n + tn_frame_before(s->framing, len);
            \forall integer i; 0 <= i < len ==>
                b->out[o + i] == \at(data[i], Pre) &&
                b->out[o + i] == log_at(s->table.fd[slot], k_inc[s->table.fd[slot]],
                                        k_tx[s->table.fd[slot]] + o - b->out_head + i); */
    return n;
}

int32_t tn_link_queue(struct tn_server *s, uint32_t slot, const uint8_t *data, uint32_t len)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, slot, TN_NONE);
    //@ assert mine: tn_owned_at(s, slot);
    const int32_t n = queue_bytes(s, slot, data, len);

    /*@ assert apart: \forall integer i; tn_live(s, i) && i != slot ==>
            s->conn[i].block != s->conn[slot].block && s->table.fd[i] != s->table.fd[slot]; */
    //@ assert others: others_same{Pre, Here}(s, slot);
    return n;
}

/* Takes n bytes behind the input of slot into it: the kernel has just put them
 * there. */
/*@ requires shape: \valid(s) && tn_table_shape(&s->table);
    requires slot:  tn_live(s, slot) && s->conn[slot].block != TN_NO_BLOCK;
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    requires ok:    tn_buffers(s) && n <= TN_IN_CAP - s->buffer[s->conn[slot].block].in_len;
    requires pending: tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]);
    requires came:  \forall integer k; 0 <= k < s->buffer[s->conn[slot].block].in_len + n ==>
                    s->buffer[s->conn[slot].block].in[k] ==
                        rx_at(s->table.fd[slot], k_inc[s->table.fd[slot]],
                              k_rx[s->table.fd[slot]] + k - n -
                                  s->buffer[s->conn[slot].block].in_len);
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].in_len;
    ensures length: s->buffer[s->conn[slot].block].in_len ==
                    \old(s->buffer[s->conn[slot].block].in_len) + n;
    ensures shape:  tn_table_shape(&s->table);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures fits:   tn_buffer_ok(&s->buffer[s->conn[slot].block]);
    ensures mine:   tn_owned_at(s, slot) && tn_out(s, slot) == \old(tn_out(s, slot));
    ensures pending: tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures arrived: tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures others: others_same{Pre, Post}(s, slot);
    ensures rest:   buffers_same{Pre, Post}(s, s->conn[slot].block);
*/
static void add_input(struct tn_server *s, uint32_t slot, size_t n)
{
    s->buffer[s->conn[slot].block].in_len += n;
}

/* Receives behind the input of slot. */
/*@ requires shape: \valid(s) && tn_table_shape(&s->table);
    requires slot:  tn_live(s, slot) && s->conn[slot].block != TN_NO_BLOCK;
    requires live:  tn_table_live(&s->table);
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    requires bytes: tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]) &&
                    tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    requires ok:    tn_buffers(s) && s->buffer[s->conn[slot].block].in_len < TN_IN_CAP;
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].in_len,
            s->buffer[s->conn[slot].block].in[0 .. TN_IN_CAP - 1], k_rx[s->table.fd[slot]];
    ensures result: \result == TN_EOF || \result == TN_ERESET || \result == TN_EMEMORY ||
                    0 <= \result <= TN_IN_CAP;
    ensures length: s->buffer[s->conn[slot].block].in_len ==
        \old(s->buffer[s->conn[slot].block].in_len) + (\result > 0 ? \result : 0);
    ensures kept:   in_same{Pre, Post}(s, s->conn[slot].block);
    ensures shape:  tn_table_shape(&s->table);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures fits:   tn_buffer_ok(&s->buffer[s->conn[slot].block]);
    ensures mine:   tn_owned_at(s, slot) && tn_out(s, slot) == \old(tn_out(s, slot));
    ensures pending: tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures arrived: tn_arrived_at(s, s->conn[slot].block, s->table.fd[slot]);
    ensures others: others_same{Pre, Post}(s, slot);
    ensures rest:   buffers_same{Pre, Post}(s, s->conn[slot].block);
*/
static int32_t receive(struct tn_server *s, uint32_t slot)
{
    struct tn_buffer *b = &s->buffer[s->conn[slot].block];
    const uint32_t len = (uint32_t)b->in_len;
    const int32_t n = tn_sys_recv(s->table.fd[slot], b->in, len, TN_IN_CAP - len);

    //@ assert kept: in_same{Pre, Here}(s, s->conn[slot].block);
    //@ assert pending: tn_pending_at(s, s->conn[slot].block, s->table.fd[slot]);
    /*@ assert apart: \forall integer i; tn_live(s, i) && i != slot ==>
            s->conn[i].block != s->conn[slot].block && s->table.fd[i] != s->table.fd[slot]; */
    //@ assert others: others_same{Pre, Here}(s, slot);
    if (n <= 0)
        return n;
    //@ assert sign: 0 <= n;
    add_input(s, slot, (size_t)n);
    return n;
}

int32_t tn_link_fill(struct tn_server *s, uint32_t slot)
{
    const size_t len = s->buffer[s->conn[slot].block].in_len;
    const int32_t n = receive(s, slot);

    return judge(s, slot, TN_READ, n, TN_IN_CAP - len);
}

int32_t tn_link_discard(struct tn_server *s, uint32_t slot)
{
    const int32_t n = tn_sys_recv(s->table.fd[slot], s->trash, 0, TN_TRASH);

    /*@ assert bytes: \forall integer b; 0 <= b < TN_BLOCKS ==>
            in_same{Pre, Here}(s, b) && out_same{Pre, Here}(s, b); */
    /*@ assert streams: \forall integer i; tn_live(s, i) && i != slot ==>
            stream_same{Pre, Here}(s->table.fd[i]); */
    /*@ assert blocks: \forall integer i; tn_live(s, i) && s->conn[i].block != TN_NO_BLOCK ==>
            s->conn[i].block < TN_BLOCKS; */
    //@ assert others: others_same{Pre, Here}(s, slot);
    //@ assert arrived: tn_arrived(s);
    return judge(s, slot, TN_READ, n, TN_TRASH);
}

void tn_link_watch(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = s->conn[slot].block;
    const size_t pending = block == TN_NO_BLOCK ? 0 : s->buffer[block].out_len;
    const uint32_t mask = tn_conn_wants(s->conn[slot].state, pending);

    if ((int16_t)mask != s->table.interest[slot])
        tn_fd_table_interest(&s->table, slot, mask);
}

void tn_link_idle(struct tn_server *s, uint32_t slot)
{
    tn_link_return(s, slot);
    //@ assert none: tn_out(s, slot) == 0 && tn_wants(s->conn[slot].state, 0) == TN_READ;
    if (s->table.interest[slot] != TN_READ)
        tn_fd_table_interest(&s->table, slot, TN_READ);
    /*@ assert watched: \forall integer i; tn_live(s, i) && i != slot && i != s->cur ==>
            s->table.interest[i] == tn_wants(s->conn[i].state, tn_out(s, i)); */
}

/* Disarms the timer of slot. */
/*@ requires shape: \valid(s) && tn_timers_ok(&s->timers) && slot < s->timers.cap;
    terminates \true; exits \false;
    assigns s->timers.armed, s->timers.heap[0 .. s->timers.cap - 1],
            s->timers.pos[0 .. s->timers.cap - 1];
    ensures ok:      tn_timers_ok(&s->timers);
    ensures slots:   tn_slots_same{Pre, Post}(s);
    ensures pool:    tn_pool_same{Pre, Post}(s);
    ensures reports: tn_reports_same{Pre, Post}(s);
    ensures blocks:  blocks_same{Pre, Post}(s);
    ensures config:  s->timers.cap == \old(s->timers.cap) &&
                     s->framing == \old(s->framing) && s->frame_max == \old(s->frame_max);
    ensures user:    user_same{Pre, Post}(s);
*/
static void cancel(struct tn_server *s, uint32_t slot)
{
    tn_timers_cancel(&s->timers, slot);
}

/* The same, where the table's invariant holds. */
/*@ requires shape: \valid(s) && tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                    tn_table_shape(&s->table);
    requires slot:  tn_live(s, slot) && slot < s->timers.cap &&
                    s->conn[slot].block == TN_NO_BLOCK;
    requires live:  tn_table_live(&s->table);
    requires no_leak: tn_table_no_leak(&s->table);
    requires batch: tn_table_batch(&s->table);
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    terminates \true; exits \false;
    assigns s->timers.armed, s->timers.heap[0 .. s->timers.cap - 1],
            s->timers.pos[0 .. s->timers.cap - 1];
    ensures shape:   tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                     tn_table_shape(&s->table);
    ensures live:    tn_table_live(&s->table);
    ensures no_leak: tn_table_no_leak(&s->table);
    ensures batch:   tn_table_batch(&s->table);
    ensures mine:    tn_owned_at(s, slot);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures others:  others_same{Pre, Post}(s, slot);
    ensures slots:   tn_slots_same{Pre, Post}(s);
    ensures config:  s->timers.cap == \old(s->timers.cap) &&
                     s->framing == \old(s->framing) && s->frame_max == \old(s->frame_max);
    ensures user:    user_same{Pre, Post}(s);
*/
static void disarm(struct tn_server *s, uint32_t slot)
{
    cancel(s, slot);
    //@ assert capped: s->table.slots.cap <= TN_CONNECTIONS;
    /*@ assert lent: \forall integer i; tn_live(s, i) && s->conn[i].block != TN_NO_BLOCK ==>
            s->conn[i].block < TN_BLOCKS; */
    //@ assert alike: \forall integer i; tn_live(s, i) ==> conn_same{Pre, Here}(s, i);
}

/* Arms the timer of slot for the time due. */
/*@ requires shape: \valid(s) && tn_timers_ok(&s->timers) && slot < s->timers.cap;
    terminates \true; exits \false;
    assigns s->timers.armed, s->timers.heap[0 .. s->timers.cap - 1],
            s->timers.pos[0 .. s->timers.cap - 1], s->timers.due[slot];
    ensures ok:      tn_timers_ok(&s->timers);
    ensures due:     tn_timer_armed(&s->timers, slot) && s->timers.due[slot] == due;
    ensures slots:   tn_slots_same{Pre, Post}(s);
    ensures pool:    tn_pool_same{Pre, Post}(s);
    ensures reports: tn_reports_same{Pre, Post}(s);
    ensures times:   \forall integer i; 0 <= i < TN_CONNECTIONS ==>
                     s->active_ms[i] == \old(s->active_ms[i]);
    ensures control: window_same{Pre, Post}(s) && control_same{Pre, Post}(s);
    ensures config:  s->timers.cap == \old(s->timers.cap) &&
                     s->framing == \old(s->framing) && s->frame_max == \old(s->frame_max);
    ensures user:    user_same{Pre, Post}(s);
*/
static void arm(struct tn_server *s, uint32_t slot, int64_t due)
{
    tn_timers_set(&s->timers, slot, due);
}

/* The same, where the table's invariant holds. */
/*@ requires shape: \valid(s) && tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                    tn_table_shape(&s->table);
    requires slot:  tn_live(s, slot) && slot < s->timers.cap;
    requires server: tn_server_shape(s);
    requires live:  tn_table_live(&s->table);
    requires no_leak: tn_table_no_leak(&s->table);
    requires batch: tn_table_batch(&s->table);
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    terminates \true; exits \false;
    assigns s->timers.armed, s->timers.heap[0 .. s->timers.cap - 1],
            s->timers.pos[0 .. s->timers.cap - 1], s->timers.due[slot];
    ensures shape:   tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                     tn_table_shape(&s->table);
    ensures server:  tn_server_shape(s);
    ensures live:    tn_table_live(&s->table);
    ensures no_leak: tn_table_no_leak(&s->table);
    ensures batch:   tn_table_batch(&s->table);
    ensures due:     tn_timer_armed(&s->timers, slot) && s->timers.due[slot] == due;
    ensures mine:    tn_owned_at(s, slot) && conn_same{Pre, Post}(s, slot);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures others:  others_same{Pre, Post}(s, slot);
    ensures slots:   tn_slots_same{Pre, Post}(s);
    ensures window:  window_same{Pre, Post}(s);
    ensures config:  s->framing == \old(s->framing);
    ensures user:    user_same{Pre, Post}(s);
*/
static void set_time(struct tn_server *s, uint32_t slot, int64_t due)
{
    arm(s, slot, due);
}

void tn_link_time(struct tn_server *s, uint32_t slot, int64_t due)
{
    set_time(s, slot, due);
}

/* Disarms the earliest timer that is due. */
/*@ requires shape: \valid(s) && tn_timers_ok(&s->timers);
    terminates \true; exits \false;
    assigns s->timers.armed, s->timers.heap[0 .. s->timers.cap - 1],
            s->timers.pos[0 .. s->timers.cap - 1];
    ensures ok:      tn_timers_ok(&s->timers);
    ensures result:  \result == TN_NONE || \result < s->timers.cap;
    ensures early:   \result != TN_NONE ==> s->timers.due[\result] <= now;
    ensures slots:   tn_slots_same{Pre, Post}(s);
    ensures pool:    tn_pool_same{Pre, Post}(s);
    ensures reports: tn_reports_same{Pre, Post}(s);
    ensures config:  s->timers.cap == \old(s->timers.cap) &&
                     s->framing == \old(s->framing) && s->frame_max == \old(s->frame_max);
    ensures user:    user_same{Pre, Post}(s);
*/
static uint32_t next_due(struct tn_server *s, int64_t now)
{
    return tn_timers_expire(&s->timers, now);
}

/* The same, where the table's invariant holds. */
/*@ requires shape: \valid(s) && tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                    tn_table_shape(&s->table);
    requires server: tn_server_shape(s);
    requires live:  tn_table_live(&s->table);
    requires no_leak: tn_table_no_leak(&s->table);
    requires batch: tn_table_batch(&s->table);
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    terminates \true; exits \false;
    assigns s->timers.armed, s->timers.heap[0 .. s->timers.cap - 1],
            s->timers.pos[0 .. s->timers.cap - 1];
    ensures result:  \result == TN_NONE || \result < s->table.slots.cap;
    ensures early:   \result != TN_NONE ==> s->timers.due[\result] <= now;
    ensures shape:   tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                     tn_table_shape(&s->table);
    ensures server:  tn_server_shape(s);
    ensures live:    tn_table_live(&s->table);
    ensures no_leak: tn_table_no_leak(&s->table);
    ensures batch:   tn_table_batch(&s->table);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures others:  others_same{Pre, Post}(s, TN_NONE);
    ensures slots:   tn_slots_same{Pre, Post}(s);
    ensures config:  s->framing == \old(s->framing);
    ensures user:    user_same{Pre, Post}(s);
*/
static uint32_t take_due(struct tn_server *s, int64_t now)
{
    return next_due(s, now);
}

uint32_t tn_link_expire(struct tn_server *s, int64_t now)
{
    return take_due(s, now);
}

/* Closes the descriptor of slot and frees the slot. */
/*@ TN_TABLE_OK(requires, &s->table);
    requires room:  \valid(s);
    requires slot:  tn_live(s, slot);
    terminates \true; exits \false;
    assigns s->table.slots.live, s->table.slots.usable,
            s->table.slots.perm[0 .. s->table.slots.cap - 1],
            s->table.slots.pos[0 .. s->table.slots.cap - 1], s->table.slots.gen[slot],
            s->table.fd[slot], k_open[s->table.fd[slot]], k_reg[s->table.fd[slot]];
    TN_TABLE_OK(ensures, &s->table);
    ensures pool:   tn_pool_same{Pre, Post}(s);
    ensures timers: tn_timers_same{Pre, Post}(s);
    ensures config: s->framing == \old(s->framing) && s->frame_max == \old(s->frame_max);
    ensures closed: !tn_live(s, slot) && k_open[\old(s->table.fd[slot])] == 0;
    ensures fewer:  s->table.slots.live == \old(s->table.slots.live) - 1;
    ensures lives:  \forall integer i; i != slot ==> (tn_live(s, i) <==> tn_live{Pre}(s, i));
    ensures conns:  \forall integer i; tn_live(s, i) && i != slot ==> conn_same{Pre, Post}(s, i);
    ensures owners: \forall integer b; 0 <= b < TN_BLOCKS ==>
                    s->buffer[b].owner == \old(s->buffer[b].owner);
    ensures user:    user_same{Pre, Post}(s);
*/
static void shut(struct tn_server *s, uint32_t slot)
{
    tn_fd_table_close(&s->table, slot);
    /*@ assert alike: \forall integer i; tn_live(s, i) && i != slot ==>
            tn_table_same{Pre, Here}(&s->table, i); */
}

/* The same for a connection that owns no buffer. */
/*@ TN_TABLE_OK(requires, &s->table);
    requires room:  \valid(s) && tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers);
    requires slot:  tn_live(s, slot) && s->conn[slot].block == TN_NO_BLOCK;
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    terminates \true; exits \false;
    assigns s->table.slots.live, s->table.slots.usable,
            s->table.slots.perm[0 .. s->table.slots.cap - 1],
            s->table.slots.pos[0 .. s->table.slots.cap - 1], s->table.slots.gen[slot],
            s->table.fd[slot], k_open[s->table.fd[slot]], k_reg[s->table.fd[slot]];
    TN_TABLE_OK(ensures, &s->table);
    ensures pool:   tn_pool_ok(&s->pool);
    ensures timers: tn_timers_ok(&s->timers);
    ensures config: s->timers.cap == \old(s->timers.cap) &&
                    s->table.slots.cap == \old(s->table.slots.cap) &&
                    s->framing == \old(s->framing) && s->frame_max == \old(s->frame_max);
    ensures closed: !tn_live(s, slot) && k_open[\old(s->table.fd[slot])] == 0;
    ensures fewer:  s->table.slots.live == \old(s->table.slots.live) - 1;
    ensures lives:  \forall integer i; i != slot ==> (tn_live(s, i) <==> tn_live{Pre}(s, i));
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures others: others_same{Pre, Post}(s, slot);
    ensures user:    user_same{Pre, Post}(s);
*/
static void release(struct tn_server *s, uint32_t slot)
{
    shut(s, slot);
    /*@ assert lent: \forall integer b; 0 <= b < TN_BLOCKS ==> block_same{Pre, Here}(s, b); */
}

/* Gives back all that slot has. */
/*@ TN_TABLE_OK(requires, &s->table);
    requires room:  \valid(s) && tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                    s->timers.cap == s->table.slots.cap;
    requires slot:  tn_live(s, slot);
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    requires server: tn_server_shape(s);
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->pool.free, s->pool.perm[0 .. TN_BLOCKS - 1],
            s->pool.pos[0 .. TN_BLOCKS - 1], s->timers.armed,
            s->timers.heap[0 .. s->timers.cap - 1], s->timers.pos[0 .. s->timers.cap - 1],
            s->table.slots.live, s->table.slots.usable,
            s->table.slots.perm[0 .. s->table.slots.cap - 1],
            s->table.slots.pos[0 .. s->table.slots.cap - 1], s->table.slots.gen[slot],
            s->table.fd[slot], k_open[s->table.fd[slot]], k_reg[s->table.fd[slot]];
    TN_TABLE_OK(ensures, &s->table);
    ensures room:   tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers);
    ensures config: s->timers.cap == s->table.slots.cap &&
                    s->table.slots.cap == \old(s->table.slots.cap) &&
                    s->framing == \old(s->framing) && s->frame_max == \old(s->frame_max);
    ensures closed: !tn_live(s, slot) && k_open[\old(s->table.fd[slot])] == 0;
    ensures fewer:  s->table.slots.live == \old(s->table.slots.live) - 1;
    ensures lives:  \forall integer i; i != slot ==> (tn_live(s, i) <==> tn_live{Pre}(s, i));
    ensures owned:  tn_owned(s, TN_NONE);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures server: tn_server_shape(s);
    ensures others: others_same{Pre, Post}(s, slot);
    ensures rest:   buffers_same{Pre, Post}(s, TN_NONE);
    ensures window: window_same{Pre, Post}(s);
    ensures user:    user_same{Pre, Post}(s);
*/
static void vacate(struct tn_server *s, uint32_t slot)
{
    if (s->conn[slot].block != TN_NO_BLOCK)
        give_back(s, slot);
    //@ assert given: others_same{Pre, Here}(s, slot) && tn_owned_at(s, slot);
    /*@ assert live: tn_slots_same{Pre, Here}(s) && s->timers.cap == \at(s->timers.cap, Pre) &&
            s->framing == \at(s->framing, Pre) && s->frame_max == \at(s->frame_max, Pre); */
    //@ assert rest: buffers_same{Pre, Here}(s, TN_NONE) && window_same{Pre, Here}(s);
    disarm(s, slot);
    /*@ assert live: tn_slots_same{Pre, Here}(s) && s->timers.cap == \at(s->timers.cap, Pre) &&
            s->framing == \at(s->framing, Pre) && s->frame_max == \at(s->frame_max, Pre); */
    //@ assert count: s->table.slots.live == \at(s->table.slots.live, Pre);
    //@ assert capped: s->table.slots.cap <= TN_CONNECTIONS;
    //@ assert lives: \forall integer i; tn_live(s, i) <==> tn_live{Pre}(s, i);
    release(s, slot);
}

/* Notes that slot is closed. */
/*@ requires shape: \valid(s) && tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                    tn_table_shape(&s->table);
    requires slot:  slot < TN_CONNECTIONS && !tn_live(s, slot);
    requires batch: tn_table_batch(&s->table);
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    requires server: tn_server_shape(s);
    terminates \true; exits \false;
    assigns s->conn[slot].state, s->cur, s->off, s->retry_ms;
    ensures shape:  tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) && tn_table_shape(&s->table);
    ensures batch:  tn_table_batch(&s->table);
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures server: tn_server_shape(s);
    ensures others: others_same{Pre, Post}(s, slot);
    ensures rest:   buffers_same{Pre, Post}(s, TN_NONE);
    ensures ended:  \old(s->cur) == slot ==> s->cur == TN_NONE && s->off == 0;
    ensures window: \old(s->cur) != slot ==> window_same{Pre, Post}(s);
    ensures user:    user_same{Pre, Post}(s);
*/
static void forget(struct tn_server *s, uint32_t slot)
{
    s->conn[slot].state = TN_CONN_CLOSED;
    s->retry_ms = 0;
    if (s->cur == slot) {
        s->cur = TN_NONE;
        s->off = 0;
    }
}

/* Gives back all that slot has, and notes that it is closed. */
/*@ TN_TABLE_OK(requires, &s->table);
    requires room:  \valid(s) && tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
                    s->timers.cap == s->table.slots.cap;
    requires slot:  tn_live(s, slot);
    requires owned: tn_owned(s, TN_NONE);
    requires no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    requires server: tn_server_shape(s);
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->conn[slot].state, s->cur, s->off, s->retry_ms, s->pool.free,
            s->pool.perm[0 .. TN_BLOCKS - 1],
            s->pool.pos[0 .. TN_BLOCKS - 1], s->timers.armed,
            s->timers.heap[0 .. s->timers.cap - 1], s->timers.pos[0 .. s->timers.cap - 1],
            s->table.slots.live, s->table.slots.usable,
            s->table.slots.perm[0 .. s->table.slots.cap - 1],
            s->table.slots.pos[0 .. s->table.slots.cap - 1], s->table.slots.gen[slot],
            s->table.fd[slot], k_open[s->table.fd[slot]], k_reg[s->table.fd[slot]];
    TN_TABLE_OK(ensures, &s->table);
    ensures room:   tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers);
    ensures config: s->timers.cap == s->table.slots.cap &&
                    s->table.slots.cap == \old(s->table.slots.cap) &&
                    s->framing == \old(s->framing) && s->frame_max == \old(s->frame_max);
    ensures closed: !tn_live(s, slot) && k_open[\old(s->table.fd[slot])] == 0;
    ensures fewer:  s->table.slots.live == \old(s->table.slots.live) - 1;
    ensures lives:  \forall integer i; i != slot ==> (tn_live(s, i) <==> tn_live{Pre}(s, i));
    ensures no_buffer_leak: tn_no_buffer_leak(s, TN_NONE);
    ensures server: tn_server_shape(s);
    ensures others: others_same{Pre, Post}(s, slot);
    ensures rest:   buffers_same{Pre, Post}(s, TN_NONE);
    ensures ended:  \old(s->cur) == slot ==> s->cur == TN_NONE && s->off == 0;
    ensures window: \old(s->cur) != slot ==> window_same{Pre, Post}(s);
    ensures user:    user_same{Pre, Post}(s);
*/
static void leave(struct tn_server *s, uint32_t slot)
{
    vacate(s, slot);
    forget(s, slot);
}

void tn_link_close(struct tn_server *s, uint32_t slot)
{
    //@ assert clauses: TN_SERVER_CLAUSES(s, slot, TN_NONE);
    //@ assert capped: s->timers.cap <= TN_CONNECTIONS && s->table.slots.cap <= TN_CONNECTIONS;
    leave(s, slot);
    //@ assert closed: !tn_live(s, slot) && others_same{Pre, Here}(s, slot);
    //@ assert pending: tn_pending(s);
    //@ assert arrived: tn_arrived(s);
    //@ assert cur: cur_same{Pre, Here}(s, slot);
    //@ assert rests: tn_rests(s, slot);
    //@ assert window: tn_window(s);
}
