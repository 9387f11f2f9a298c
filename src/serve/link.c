#include "serve/link.h"

/* Lends the free buffer at hand to slot, empty. */
/*@ requires shape: \valid(s) && tn_pool_ok(&s->pool) && 0 < s->pool.free;
    requires slot:  slot < TN_CONNECTIONS;
    terminates \true; exits \false;
    assigns s->pool.free, s->buffer[s->pool.perm[s->pool.free - 1]].owner,
            s->buffer[s->pool.perm[s->pool.free - 1]].in_len,
            s->buffer[s->pool.perm[s->pool.free - 1]].out_head,
            s->buffer[s->pool.perm[s->pool.free - 1]].out_len;
    ensures ok:     tn_pool_ok(&s->pool);
    ensures lent:   tn_lent(s, \result) && !tn_lent{Pre}(s, \result);
    ensures others: \forall integer b; 0 <= b < TN_BLOCKS && b != \result ==>
                    (tn_lent(s, b) <==> tn_lent{Pre}(s, b)) && tn_buffer_same{Pre, Post}(s, b) &&
                    s->buffer[b].owner == \old(s->buffer[b].owner);
    ensures empty:  s->buffer[\result].owner == slot && s->buffer[\result].in_len == 0 &&
                    s->buffer[\result].out_head == 0 && s->buffer[\result].out_len == 0;
    ensures fds:    tn_fds_same{Pre, Post}(s);
*/
static uint32_t lend(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = tn_pool_take(&s->pool);

    tn_buffer_clear(&s->buffer[block], (int32_t)slot);
    return block;
}

uint32_t tn_link_borrow(struct tn_server *s, uint32_t slot)
{
    uint32_t block;

    if (s->conn[slot].block != TN_NO_BLOCK)
        return 1;
    if (s->pool.free == 0)
        return 0;
    block = lend(s, slot);
    /*@ assert free: \forall integer i; tn_live(s, i) ==>
            s->conn[i].block != block && tn_out(s, i) == \at(tn_out(s, i), Pre); */
    s->conn[slot].block = (uint16_t)block;
    /*@ assert outputs: \forall integer i; tn_live(s, i) ==> tn_out(s, i) == \at(tn_out(s, i), Pre); */
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
    ensures lengths: \forall integer b; 0 <= b < TN_BLOCKS ==> tn_buffer_same{Pre, Post}(s, b);
*/
static void take_back(struct tn_server *s, uint32_t block)
{
    tn_pool_give(&s->pool, block);
}

void tn_link_return(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = s->conn[slot].block;

    if (block == TN_NO_BLOCK)
        return;
    s->conn[slot].block = TN_NO_BLOCK;
    take_back(s, block);
    /*@ assert outputs: \forall integer i; tn_live(s, i) ==>
            tn_live{Pre}(s, i) && tn_out(s, i) == \at(tn_out(s, i), Pre) &&
            (i != slot ==> s->conn[i].block == \at(s->conn[i].block, Pre) && s->conn[i].block != block); */
}

int32_t tn_link_flush(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = s->conn[slot].block;
    struct tn_buffer *b = &s->buffer[block];
    int32_t n;

    //@ ghost Start: ;
    //@ assert before: tn_pending_at(s, block, s->table.fd[slot]);
    if (b->out_len == 0)
        return 0;
    n = tn_sys_send(s->table.fd[slot], b->out, (uint32_t)b->out_head, (uint32_t)b->out_len);
    if (n <= 0)
        return n;
    tn_buffer_sent(b, (size_t)n);
    /*@ assert others: \forall integer o; 0 <= o < TN_BLOCKS && o != block ==>
            tn_buffer_same{Pre, Here}(s, o); */
    /*@ assert owners: \forall integer i; tn_live(s, i) && i != slot ==>
            s->conn[i].block != block && s->table.fd[i] != s->table.fd[slot]; */
    /*@ assert outputs: \forall integer i; tn_live(s, i) && i != slot ==>
            tn_out(s, i) == \at(tn_out(s, i), Pre); */
    /*@ assert step: b->out_len > 0 ==> k_tx[s->table.fd[slot]] - b->out_head ==
            \at(k_tx[s->table.fd[slot]], Start) - \at(b->out_head, Start); */
    /*@ assert within: b->out_len > 0 ==> b->out_head >= \at(b->out_head, Start) &&
            b->out_head + b->out_len == \at(b->out_head + b->out_len, Start); */
    //@ assert bytes: tn_pending_at(s, block, s->table.fd[slot]);
    /*@ assert elsewhere: \forall integer o; tn_lent(s, o) && o != block ==>
            s->buffer[o].owner != slot && tn_live(s, s->buffer[o].owner) &&
            k_tx[s->table.fd[s->buffer[o].owner]] ==
                \at(k_tx[s->table.fd[s->buffer[o].owner]], Pre); */
    /*@ assert kept: \forall integer o; tn_lent(s, o) && o != block ==>
            tn_pending_at(s, o, s->table.fd[s->buffer[o].owner]); */
    //@ assert taken: tn_sent_at(s->table.fd[slot]);
    return n;
}

void tn_link_delivered(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = s->conn[slot].block;
    const size_t n = s->off;

    s->cur = TN_NONE;
    s->off = 0;
    tn_buffer_delivered(&s->buffer[block], n);
}

int32_t tn_link_fill(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = s->conn[slot].block;
    struct tn_buffer *b = &s->buffer[block];
    const uint32_t len = (uint32_t)b->in_len;
    const int32_t n = tn_sys_recv(s->table.fd[slot], b->in, len, TN_IN_CAP - len);

    //@ assert pending: tn_pending(s);
    if (n <= 0)
        return n;
    b->in_len += (size_t)n;
    /*@ assert outputs: \forall integer i; tn_live(s, i) ==> tn_out(s, i) == \at(tn_out(s, i), Pre); */
    return n;
}

int32_t tn_link_discard(struct tn_server *s, uint32_t slot)
{
    return tn_sys_recv(s->table.fd[slot], s->trash, 0, TN_TRASH);
}

void tn_link_watch(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = s->conn[slot].block;
    const size_t pending = block == TN_NO_BLOCK ? 0 : s->buffer[block].out_len;
    const uint32_t mask = tn_conn_wants(s->conn[slot].state, pending);

    if ((int16_t)mask != s->table.interest[slot])
        tn_fd_table_interest(&s->table, slot, mask);
}

/* Drops what is pending, and with it the promise to send it. */
/*@ TN_SERVER_OK(requires, s, slot);
    requires live: tn_live(s, slot) && s->cur != slot;
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].out_len, k_log[s->table.fd[slot]];
    TN_SERVER_OK(ensures, s, slot);
    ensures spent: tn_out(s, slot) == 0;
*/
static void drop_output(struct tn_server *s, uint32_t slot)
{
    const uint32_t block = s->conn[slot].block;

    if (block != TN_NO_BLOCK)
        s->buffer[block].out_len = 0;
    //@ ghost k_log[s->table.fd[slot]] = k_tx[s->table.fd[slot]];
}

void tn_link_close(struct tn_server *s, uint32_t slot)
{
    if (s->cur == slot) {
        s->cur = TN_NONE;
        s->off = 0;
    }
    drop_output(s, slot);
    tn_link_return(s, slot);
    tn_timers_cancel(&s->timers, slot);
    tn_fd_table_close(&s->table, slot);
    s->conn[slot].state = TN_CONN_CLOSED;
    s->retry_ms = 0;
}
