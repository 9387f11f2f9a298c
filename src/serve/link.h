/* One connection of the server: its buffer, its bytes, its end. */
#ifndef TN_SERVE_LINK_H
#define TN_SERVE_LINK_H

#include "serve/state.h"

/* Sees to it that the connection owns a buffer.  Returns 1, or 0 when all are
 * lent. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot);
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->pool.free,
            s->buffer[s->pool.perm[s->pool.free > 0 ? s->pool.free - 1 : 0]].owner,
            s->buffer[s->pool.perm[s->pool.free > 0 ? s->pool.free - 1 : 0]].in_len,
            s->buffer[s->pool.perm[s->pool.free > 0 ? s->pool.free - 1 : 0]].out_head,
            s->buffer[s->pool.perm[s->pool.free > 0 ? s->pool.free - 1 : 0]].out_len;
    TN_SERVER_OK(ensures, s, slot);
    ensures result: \result == 0 || \result == 1;
    ensures owns:   \result == 1 <==> s->conn[slot].block != TN_NO_BLOCK;
    ensures kept:   \old(s->conn[slot].block) != TN_NO_BLOCK ==>
                    s->conn[slot].block == \old(s->conn[slot].block) &&
                    s->buffer[s->conn[slot].block].in_len ==
                        \old(s->buffer[s->conn[slot].block].in_len);
    ensures empty:  \old(s->conn[slot].block) == TN_NO_BLOCK && \result == 1 ==>
                    s->buffer[s->conn[slot].block].in_len == 0;
    ensures output: tn_out(s, slot) == \old(tn_out(s, slot));
    ensures free:   \result == 0 ==> s->pool.free == 0;
*/
uint32_t tn_link_borrow(struct tn_server *s, uint32_t slot);

/* Gives the connection's buffer back to the pool, if it owns one.  No output
 * may be pending in it; input is dropped. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot) && s->cur != slot;
    requires spent: tn_out(s, slot) == 0;
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->pool.free, s->pool.perm[0 .. TN_BLOCKS - 1],
            s->pool.pos[0 .. TN_BLOCKS - 1];
    TN_SERVER_OK(ensures, s, slot);
    ensures returned: s->conn[slot].block == TN_NO_BLOCK;
*/
void tn_link_return(struct tn_server *s, uint32_t slot);

/* Sends what is pending, in one call.  Returns the bytes taken, 0, or
 * TN_ERESET. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot) && s->cur != slot && s->conn[slot].block != TN_NO_BLOCK;
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].out_head, s->buffer[s->conn[slot].block].out_len,
            s->table.poller.edges, k_tx[s->table.fd[slot]];
    TN_SERVER_OK(ensures, s, slot);
    ensures result: \result == TN_ERESET || 0 <= \result <= \old(tn_out(s, slot));
    ensures output: tn_out(s, slot) == \old(tn_out(s, slot)) - (\result > 0 ? \result : 0);
*/
int32_t tn_link_flush(struct tn_server *s, uint32_t slot);

/* Drops what has been delivered of the connection's input, and ends the
 * delivery. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot) && (s->cur == TN_NONE || s->cur == slot) &&
                   s->conn[slot].block != TN_NO_BLOCK;
    terminates \true; exits \false;
    assigns s->cur, s->off, s->buffer[s->conn[slot].block].in_len,
            s->buffer[s->conn[slot].block].in[0 .. TN_IN_CAP - 1];
    TN_SERVER_OK(ensures, s, slot);
    ensures ended:  s->cur == TN_NONE && s->off == 0;
    ensures length: s->buffer[s->conn[slot].block].in_len ==
                    \old(s->buffer[s->conn[slot].block].in_len) - \old(s->off);
    ensures scanned: \old(tn_scanned_at(s, s->conn[slot].block, s->off,
                          s->buffer[s->conn[slot].block].in_len - s->off)) ==>
                    tn_scanned_at(s, s->conn[slot].block, 0,
                                  s->buffer[s->conn[slot].block].in_len);
*/
void tn_link_delivered(struct tn_server *s, uint32_t slot);

/* Receives behind the buffered input, in one call.  Returns the bytes received,
 * 0, TN_EOF or TN_ERESET. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot) && s->cur != slot && s->conn[slot].block != TN_NO_BLOCK;
    requires room: s->buffer[s->conn[slot].block].in_len < TN_IN_CAP;
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].in_len,
            s->buffer[s->conn[slot].block].in[0 .. TN_IN_CAP - 1], s->table.poller.edges,
            k_rx[s->table.fd[slot]];
    TN_SERVER_OK(ensures, s, slot);
    ensures result: \result == TN_EOF || \result == TN_ERESET || 0 <= \result <= TN_IN_CAP;
    ensures length: s->buffer[s->conn[slot].block].in_len ==
        \old(s->buffer[s->conn[slot].block].in_len) + (\result > 0 ? \result : 0);
    ensures kept:   \forall integer k; 0 <= k < \old(s->buffer[s->conn[slot].block].in_len) ==>
        s->buffer[s->conn[slot].block].in[k] == \old(s->buffer[s->conn[slot].block].in[k]);
    ensures arrived: \let b = s->conn[slot].block; \let fd = s->table.fd[slot];
        \forall integer k;
        \old(s->buffer[s->conn[slot].block].in_len) <= k < s->buffer[b].in_len ==>
            s->buffer[b].in[k] ==
                rx_at(fd, k_inc[fd], k_rx[fd] + k - s->buffer[b].in_len);
*/
int32_t tn_link_fill(struct tn_server *s, uint32_t slot);

/* Receives and drops.  Returns as tn_link_fill does. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot) && s->conn[slot].block == TN_NO_BLOCK;
    terminates \true; exits \false;
    assigns s->trash[0 .. TN_TRASH - 1], s->table.poller.edges, k_rx[s->table.fd[slot]];
    TN_SERVER_OK(ensures, s, slot);
    ensures result: \result == TN_EOF || \result == TN_ERESET || 0 <= \result <= TN_TRASH;
*/
int32_t tn_link_discard(struct tn_server *s, uint32_t slot);

/* Leaves the connection until its next event: its descriptor is watched for
 * what its state wants. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot) && s->cur != slot;
    requires rests: tn_rests_at(s, slot);
    terminates \true; exits \false;
    assigns s->table.interest[slot], s->table.poller.edges, k_reg_mask[s->table.fd[slot]];
    TN_SERVER_OK(ensures, s, TN_NONE);
*/
void tn_link_watch(struct tn_server *s, uint32_t slot);

/* The usual end of a delivery: gives the buffer back, which is empty, and
 * watches for reading. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot) && s->cur == TN_NONE &&
                    s->conn[slot].state == TN_CONN_OPEN && s->conn[slot].block != TN_NO_BLOCK;
    requires empty: s->buffer[s->conn[slot].block].out_len == 0;
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->pool.free, s->pool.perm[0 .. TN_BLOCKS - 1],
            s->pool.pos[0 .. TN_BLOCKS - 1], s->table.interest[slot],
            s->table.poller.edges, k_reg_mask[s->table.fd[slot]];
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures returned: s->conn[slot].block == TN_NO_BLOCK && s->table.interest[slot] == TN_READ;
*/
void tn_link_idle(struct tn_server *s, uint32_t slot);

/* Appends the frame that carries data[0 .. len - 1] to the connection's pending
 * output, and promises it.  Returns the bytes appended; 0 when there is no room
 * now, or nothing to append; TN_EFRAME when the framing cannot carry it. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot) && s->conn[slot].block != TN_NO_BLOCK;
    requires bytes: len <= TN_FRAME_MAX && \valid_read(data + (0 .. len - 1));
    requires apart: \forall integer b; 0 <= b < TN_BLOCKS ==>
                    \separated(data + (0 .. len - 1), &s->buffer[b].out[0 .. TN_OUT_CAP - 1]);
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].out_head, s->buffer[s->conn[slot].block].out_len,
            s->buffer[s->conn[slot].block].out[0 .. TN_OUT_CAP - 1], k_log[s->table.fd[slot]];
    TN_SERVER_OK(ensures, s, slot);
    ensures result: \result == TN_EFRAME || 0 <= \result <= len + TN_FRAME_OVERHEAD;
    ensures refused: \result == TN_EFRAME ==> !\old(tn_frame_carries(s->framing, data, 0, len));
    ensures length: s->buffer[s->conn[slot].block].in_len ==
        \old(s->buffer[s->conn[slot].block].in_len);
    ensures kept:   \forall integer k; 0 <= k < s->buffer[s->conn[slot].block].in_len ==>
        s->buffer[s->conn[slot].block].in[k] == \old(s->buffer[s->conn[slot].block].in[k]);
    ensures output: tn_out(s, slot) == \old(tn_out(s, slot)) + (\result > 0 ? \result : 0);
    ensures size:   \result > 0 ==> \result == tn_frame_before(s->framing, len) + len +
                                              tn_frame_after(s->framing);
    ensures appended: k_log[s->table.fd[slot]] ==
                    \old(k_log[s->table.fd[slot]]) + (\result > 0 ? \result : 0);
    ensures carried: \result > 0 ==> \forall integer i; 0 <= i < len ==>
                    log_at(s->table.fd[slot], k_inc[s->table.fd[slot]],
                           \old(k_log[s->table.fd[slot]]) + tn_frame_before(s->framing, len) +
                               i) == \old(data[i]);
    ensures fits:   \old(tn_out(s, slot)) <= TN_OUTPUT_HIGH &&
                    (0 < len || s->framing != TN_RAW) ==> \result != 0;
*/
int32_t tn_link_queue(struct tn_server *s, uint32_t slot, const uint8_t *data, uint32_t len);

/* Drops the connection's input: it will not be looked at. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot) && s->cur != slot && s->conn[slot].block != TN_NO_BLOCK;
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].in_len,
            s->buffer[s->conn[slot].block].in[0 .. TN_IN_CAP - 1];
    TN_SERVER_OK(ensures, s, slot);
    ensures dropped: s->buffer[s->conn[slot].block].in_len == 0;
*/
void tn_link_drop(struct tn_server *s, uint32_t slot);

/* Looks at the connection again at the time due. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot);
    terminates \true; exits \false;
    assigns s->timers.armed, s->timers.heap[0 .. s->timers.cap - 1],
            s->timers.pos[0 .. s->timers.cap - 1], s->timers.due[slot];
    TN_SERVER_OK(ensures, s, slot);
    ensures due: tn_timer_armed(&s->timers, slot) && s->timers.due[slot] == due;
    ensures live: tn_live(s, slot);
    ensures framing: s->framing == \old(s->framing);
*/
void tn_link_time(struct tn_server *s, uint32_t slot, int64_t due);

/* The next connection whose time has come, its timer disarmed; TN_NONE when
 * there is none at the time now. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns s->timers.armed, s->timers.heap[0 .. s->timers.cap - 1],
            s->timers.pos[0 .. s->timers.cap - 1];
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures result: \result == TN_NONE || \result < s->table.slots.cap;
    ensures never_early: \result != TN_NONE ==> s->timers.due[\result] <= now;
*/
uint32_t tn_link_expire(struct tn_server *s, int64_t now);

/* Closes the connection at once: buffer, timer, descriptor and slot are free
 * afterwards, what was unsent is dropped, and a pause of accepting ends. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot);
    terminates \true; exits \false;
    assigns s->conn[slot].block, s->conn[slot].state, s->cur, s->off, s->retry_ms, s->pool.free,
            s->pool.perm[0 .. TN_BLOCKS - 1], s->pool.pos[0 .. TN_BLOCKS - 1],
            s->timers.armed, s->timers.heap[0 .. s->timers.cap - 1],
            s->timers.pos[0 .. s->timers.cap - 1], s->table.slots.live, s->table.slots.usable,
            s->table.slots.perm[0 .. s->table.slots.cap - 1],
            s->table.slots.pos[0 .. s->table.slots.cap - 1], s->table.slots.gen[slot],
            s->table.fd[slot], k_open[s->table.fd[slot]], k_reg[s->table.fd[slot]];
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures closed: !tn_live(s, slot) && k_open[\old(s->table.fd[slot])] == 0;
    ensures cur:    s->cur == (\old(s->cur) == slot ? TN_NONE : \old(s->cur));
    ensures others: \forall integer i; i != slot ==> (tn_live(s, i) <==> tn_live{Pre}(s, i));
    ensures fewer:  s->table.slots.live == \old(s->table.slots.live) - 1;
*/
void tn_link_close(struct tn_server *s, uint32_t slot);

#endif
