/* What an operation on one connection leaves to all others, and that this
 * suffices for them: each clause of the server's invariant carries over from a
 * state A to a state B on its own.  Nothing here is compiled.
 */
#ifndef TN_SERVE_KEPT_H
#define TN_SERVE_KEPT_H

#include "serve/state.h"

/*@ // connection i, its descriptor and what it is watched for are the same
    predicate conn_same{A, B}(struct tn_server *s, integer i) =
        tn_live{A}(s, i) && \at(s->conn[i].state, A) == \at(s->conn[i].state, B) &&
        \at(s->conn[i].reason, A) == \at(s->conn[i].reason, B) &&
        \at(s->active_ms[i], A) == \at(s->active_ms[i], B) &&
        \at(s->conn[i].block, A) == \at(s->conn[i].block, B) &&
        \at(s->table.fd[i], A) == \at(s->table.fd[i], B) &&
        \at(s->table.interest[i], A) == \at(s->table.interest[i], B);
    // so are the counters of its streams
    predicate stream_same{A, B}(integer fd) =
        \at(k_inc[fd], A) == \at(k_inc[fd], B) && \at(k_rx[fd], A) == \at(k_rx[fd], B) &&
        \at(k_tx[fd], A) == \at(k_tx[fd], B) && \at(k_log[fd], A) == \at(k_log[fd], B);
    // and the buffer lent to it
    predicate block_same{A, B}(struct tn_server *s, integer b) =
        (tn_lent{A}(s, b) <==> tn_lent{B}(s, b)) && tn_buffer_same{A, B}(s, b) &&
        \at(s->buffer[b].owner, A) == \at(s->buffer[b].owner, B);
    predicate in_same{A, B}(struct tn_server *s, integer b) =
        \forall integer k; 0 <= k < \at(s->buffer[b].in_len, A) ==>
            \at(s->buffer[b].in[k], A) == \at(s->buffer[b].in[k], B);
    predicate out_same{A, B}(struct tn_server *s, integer b) =
        \forall integer k; \at(s->buffer[b].out_head, A) <= k <
                \at(s->buffer[b].out_head, A) + \at(s->buffer[b].out_len, A) ==>
            \at(s->buffer[b].out[k], A) == \at(s->buffer[b].out[k], B);
    predicate others_same{A, B}(struct tn_server *s, integer x) =
        \forall integer i; tn_live{B}(s, i) && i != x ==>
            conn_same{A, B}(s, i) && stream_same{A, B}(\at(s->table.fd[i], A)) &&
            (\at(s->conn[i].block, A) != TN_NO_BLOCK ==>
                block_same{A, B}(s, \at(s->conn[i].block, A)) &&
                in_same{A, B}(s, \at(s->conn[i].block, A)) &&
                out_same{A, B}(s, \at(s->conn[i].block, A)));
    predicate cur_same{A, B}(struct tn_server *s, integer x) =
        \at(s->cur, A) == \at(s->cur, B) || \at(s->cur, A) == x;
    predicate window_same{A, B}(struct tn_server *s) =
        \at(s->cur, A) == \at(s->cur, B) && \at(s->off, A) == \at(s->off, B) &&
        \at(s->scanned, A) == \at(s->scanned, B);

    predicate framing_same{A, B}(struct tn_server *s) =
        \at(s->framing, A) == \at(s->framing, B);

    predicate control_same{A, B}(struct tn_server *s) =
        \at(s->now_ms, A) == \at(s->now_ms, B) && \at(s->paused, A) == \at(s->paused, B) &&
        \at(s->parked, A) == \at(s->parked, B) && \at(s->draining, A) == \at(s->draining, B) &&
        \at(s->park_cursor, A) == \at(s->park_cursor, B) &&
        \at(s->drain_cursor, A) == \at(s->drain_cursor, B);

    predicate buffers_same{A, B}(struct tn_server *s, integer x) =
        \forall integer b; 0 <= b < TN_BLOCKS && b != x ==>
            \at(s->buffer[b].in_len, A) == \at(s->buffer[b].in_len, B) &&
            \at(s->buffer[b].out_head, A) == \at(s->buffer[b].out_head, B) &&
            \at(s->buffer[b].out_len, A) == \at(s->buffer[b].out_len, B);

    predicate due_same{A, B}(struct tn_server *s) =
        \forall integer i; 0 <= i < TN_CONNECTIONS ==>
            \at(s->timers.due[i], A) == \at(s->timers.due[i], B);

    // the framing and the caller's timers, which are no connection's
    predicate user_same{A, B}(struct tn_server *s) =
        framing_same{A, B}(s) && \at(s->user_timers.first, A) == \at(s->user_timers.first, B) &&
        \forall integer i; 0 <= i < TN_USER_TIMERS ==>
            \at(s->user_timers.due[i], A) == \at(s->user_timers.due[i], B) &&
            \at(s->user_timers.every[i], A) == \at(s->user_timers.every[i], B);
    // what lies beside the table of descriptors
    predicate conns_same{A, B}(struct tn_server *s) =
        \forall integer i; 0 <= i < TN_CONNECTIONS ==>
            \at(s->conn[i].block, A) == \at(s->conn[i].block, B) &&
            \at(s->conn[i].state, A) == \at(s->conn[i].state, B) &&
            \at(s->conn[i].reason, A) == \at(s->conn[i].reason, B) &&
            \at(s->active_ms[i], A) == \at(s->active_ms[i], B);
    predicate blocks_same{A, B}(struct tn_server *s) =
        \forall integer b; 0 <= b < TN_BLOCKS ==> block_same{A, B}(s, b);
    predicate owners_same{A, B}(struct tn_server *s) =
        \forall integer b; 0 <= b < TN_BLOCKS ==>
            \at(s->buffer[b].owner, A) == \at(s->buffer[b].owner, B);
    lemma pending_byte_kept{A, B}: \forall struct tn_server *s, integer b, fd, k;
        tn_pending_at{A}(s, b, fd) ==> out_same{A, B}(s, b) ==>
        \at(s->buffer[b].out_head, A) <= k <
            \at(s->buffer[b].out_head, A) + \at(s->buffer[b].out_len, A) ==>
        \at(s->buffer[b].out[k], B) ==
            log_at(fd, \at(k_inc[fd], A), \at(k_tx[fd] + k - s->buffer[b].out_head, A));
    lemma pending_at_kept{A, B}: \forall struct tn_server *s, integer b, fd;
        block_same{A, B}(s, b) ==> out_same{A, B}(s, b) ==> stream_same{A, B}(fd) ==>
        tn_pending_at{A}(s, b, fd) ==> tn_pending_at{B}(s, b, fd);
    lemma arrived_byte_kept{A, B}: \forall struct tn_server *s, integer b, fd, k;
        tn_arrived_at{A}(s, b, fd) ==> in_same{A, B}(s, b) ==>
        0 <= k < \at(s->buffer[b].in_len, A) ==>
        \at(s->buffer[b].in[k], B) ==
            rx_at(fd, \at(k_inc[fd], A), \at(k_rx[fd] - s->buffer[b].in_len + k, A));
    lemma arrived_at_kept{A, B}: \forall struct tn_server *s, integer b, fd;
        block_same{A, B}(s, b) ==> in_same{A, B}(s, b) ==> stream_same{A, B}(fd) ==>
        tn_arrived_at{A}(s, b, fd) ==> tn_arrived_at{B}(s, b, fd);
    lemma conn_twice{A, B, C}: \forall struct tn_server *s, integer i;
        conn_same{A, B}(s, i) ==> conn_same{B, C}(s, i) ==> conn_same{A, C}(s, i);
    lemma stream_twice{A, B, C}: \forall integer fd;
        stream_same{A, B}(fd) ==> stream_same{B, C}(fd) ==> stream_same{A, C}(fd);
    lemma block_twice{A, B, C}: \forall struct tn_server *s, integer b;
        block_same{A, B}(s, b) ==> block_same{B, C}(s, b) ==> block_same{A, C}(s, b);
    lemma in_twice{A, B, C}: \forall struct tn_server *s, integer b;
        block_same{A, B}(s, b) ==> in_same{A, B}(s, b) ==> in_same{B, C}(s, b) ==>
        in_same{A, C}(s, b);
    lemma out_twice{A, B, C}: \forall struct tn_server *s, integer b;
        block_same{A, B}(s, b) ==> out_same{A, B}(s, b) ==> out_same{B, C}(s, b) ==>
        out_same{A, C}(s, b);
    lemma others_twice{A, B, C}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> others_same{B, C}(s, x) ==> others_same{A, C}(s, x);
    lemma lives_kept{A, B}: \forall struct tn_server *s;
        tn_slots_same{A, B}(s) ==> \at(s->table.slots.cap, A) <= TN_CONNECTIONS ==>
        \forall integer i; tn_live{A}(s, i) <==> tn_live{B}(s, i);
    lemma slots_kept{A, B}: \forall struct tn_server *s;
        tn_slots_same{A, B}(s) ==> \at(tn_slots_ok(&s->table.slots), A) ==>
        \at(\valid(&s->table.slots), B) ==> \at(tn_slots_ok(&s->table.slots), B);
    lemma pool_kept{A, B}: \forall struct tn_server *s;
        tn_pool_same{A, B}(s) ==> \at(s->pool.free, A) == \at(s->pool.free, B) ==>
        \at(tn_pool_ok(&s->pool), A) ==> \at(\valid(&s->pool), B) ==>
        \at(tn_pool_ok(&s->pool), B);
    lemma timers_kept{A, B}: \forall struct tn_server *s;
        tn_timers_same{A, B}(s) ==> due_same{A, B}(s) ==> \at(tn_timers_ok(&s->timers), A) ==>
        \at(\valid(&s->timers), B) ==> \at(tn_timers_ok(&s->timers), B);
    lemma user_kept{A, B}: \forall struct tn_server *s;
        user_same{A, B}(s) ==> \at(tn_user_timers_ok(&s->user_timers), A) ==>
        \at(\valid(&s->user_timers), B) ==> \at(tn_user_timers_ok(&s->user_timers), B);
    lemma user_twice{A, B, C}: \forall struct tn_server *s;
        user_same{A, B}(s) ==> user_same{B, C}(s) ==> user_same{A, C}(s);
    lemma buffers_kept{A, B}: \forall struct tn_server *s, integer x;
        buffers_same{A, B}(s, x) ==> tn_buffers{A}(s) ==>
        (0 <= x < TN_BLOCKS ==> \at(tn_buffer_ok(&s->buffer[x]), B)) ==> tn_buffers{B}(s);
    lemma owned_kept{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> tn_owned{A}(s, TN_NONE) ==>
        (tn_live{B}(s, x) ==> tn_owned_at{B}(s, x)) ==> tn_owned{B}(s, TN_NONE);
    lemma scanned_kept{A, B}: \forall struct tn_server *s, integer b, at, n;
        framing_same{A, B}(s) ==> in_same{A, B}(s, b) ==> 0 <= at ==>
        at + n <= \at(s->buffer[b].in_len, A) ==> tn_scanned_at{A}(s, b, at, n) ==>
        tn_scanned_at{B}(s, b, at, n);
    lemma rest_kept{A, B}: \forall struct tn_server *s, integer i;
        framing_same{A, B}(s) ==> conn_same{A, B}(s, i) ==>
        (\at(s->conn[i].block, A) != TN_NO_BLOCK ==>
            block_same{A, B}(s, \at(s->conn[i].block, A)) &&
            in_same{A, B}(s, \at(s->conn[i].block, A))) ==>
        tn_rests_at{A}(s, i) ==> tn_rests_at{B}(s, i);
    lemma rests_kept{A, B}: \forall struct tn_server *s, integer x;
        framing_same{A, B}(s) ==>
        others_same{A, B}(s, x) ==> tn_rests{A}(s, x) ==> cur_same{A, B}(s, x) ==>
        tn_rests{B}(s, x);
    lemma watched_kept{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> tn_watched{A}(s, x) ==> cur_same{A, B}(s, x) ==>
        tn_watched{B}(s, x);
    lemma window_kept{A, B}: \forall struct tn_server *s, integer x;
        framing_same{A, B}(s) ==>
        others_same{A, B}(s, x) ==> tn_window{A}(s) ==> window_same{A, B}(s) ==>
        \at(s->cur, A) != x ==>
        (\at(s->cur, A) != TN_NONE ==> tn_live{B}(s, \at(s->cur, A))) ==> tn_window{B}(s);
    lemma promised_kept{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> tn_promised{A}(s, TN_NONE) ==>
        (tn_live{B}(s, x) ==>
            \at(k_log[s->table.fd[x]], B) == \at(k_tx[s->table.fd[x]], B) + tn_out{B}(s, x)) ==>
        tn_promised{B}(s, TN_NONE);
    lemma owner_kept{A, B}: \forall struct tn_server *s, integer x, b;
        others_same{A, B}(s, x) ==> tn_no_buffer_leak{B}(s, TN_NONE) ==> tn_lent{B}(s, b) ==>
        \at(s->buffer[b].owner, B) != x ==>
        block_same{A, B}(s, b) && in_same{A, B}(s, b) && out_same{A, B}(s, b) &&
        tn_lent{A}(s, b) && \at(s->buffer[b].owner, A) == \at(s->buffer[b].owner, B) &&
        \at(s->table.fd[s->buffer[b].owner], A) == \at(s->table.fd[s->buffer[b].owner], B) &&
        stream_same{A, B}(\at(s->table.fd[s->buffer[b].owner], A));
    lemma pending_other_kept{A, B}: \forall struct tn_server *s, integer b;
        tn_pending{A}(s) ==> tn_lent{A}(s, b) ==> block_same{A, B}(s, b) ==>
        out_same{A, B}(s, b) ==> stream_same{A, B}(\at(s->table.fd[s->buffer[b].owner], A)) ==>
        tn_pending_at{B}(s, b, \at(s->table.fd[s->buffer[b].owner], A));
    lemma pending_beside_kept{A, B}: \forall struct tn_server *s, integer x, b;
        others_same{A, B}(s, x) ==> tn_no_buffer_leak{B}(s, TN_NONE) ==> tn_lent{B}(s, b) ==>
        \at(s->buffer[b].owner, B) != x ==> tn_pending{A}(s) ==>
        tn_pending_at{B}(s, b, \at(s->table.fd[s->buffer[b].owner], B));
    lemma pending_kept{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> tn_pending{A}(s) ==>
        tn_no_buffer_leak{B}(s, TN_NONE) ==>
        (tn_live{B}(s, x) && \at(s->conn[x].block, B) != TN_NO_BLOCK ==>
            tn_pending_at{B}(s, \at(s->conn[x].block, B), \at(s->table.fd[x], B))) ==>
        tn_pending{B}(s);
    lemma pending_gone{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> !tn_live{B}(s, x) ==> tn_no_buffer_leak{B}(s, TN_NONE) ==>
        tn_pending{A}(s) ==> tn_pending{B}(s);
    lemma sent_kept{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> tn_sent{A}(s) ==>
        (tn_live{B}(s, x) ==> tn_sent_at{B}(\at(s->table.fd[x], B))) ==> tn_sent{B}(s);
    lemma arrived_other_kept{A, B}: \forall struct tn_server *s, integer b;
        tn_arrived{A}(s) ==> tn_lent{A}(s, b) ==> block_same{A, B}(s, b) ==>
        in_same{A, B}(s, b) ==> stream_same{A, B}(\at(s->table.fd[s->buffer[b].owner], A)) ==>
        tn_arrived_at{B}(s, b, \at(s->table.fd[s->buffer[b].owner], A));
    lemma arrived_beside_kept{A, B}: \forall struct tn_server *s, integer x, b;
        others_same{A, B}(s, x) ==> tn_no_buffer_leak{B}(s, TN_NONE) ==> tn_lent{B}(s, b) ==>
        \at(s->buffer[b].owner, B) != x ==> tn_arrived{A}(s) ==>
        tn_arrived_at{B}(s, b, \at(s->table.fd[s->buffer[b].owner], B));
    lemma arrived_kept{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> tn_arrived{A}(s) ==>
        tn_no_buffer_leak{B}(s, TN_NONE) ==>
        (tn_live{B}(s, x) && \at(s->conn[x].block, B) != TN_NO_BLOCK ==>
            tn_arrived_at{B}(s, \at(s->conn[x].block, B), \at(s->table.fd[x], B))) ==>
        tn_arrived{B}(s);
    lemma arrived_gone{A, B}: \forall struct tn_server *s, integer x;
        others_same{A, B}(s, x) ==> !tn_live{B}(s, x) ==> tn_no_buffer_leak{B}(s, TN_NONE) ==>
        tn_arrived{A}(s) ==> tn_arrived{B}(s);
*/

/* Nothing beside the table of descriptors has changed. */
#define TN_BESIDE(K, s, A, B) \
    K conns : conns_same{A, B}(s); \
    K owners : owners_same{A, B}(s); \
    K window : window_same{A, B}(s); \
    K control : control_same{A, B}(s); \
    K pool : tn_pool_same{A, B}(s); \
    K timers : tn_timers_same{A, B}(s); \
    K due : due_same{A, B}(s); \
    K buffers : buffers_same{A, B}(s, TN_NONE); \
    K user : user_same{A, B}(s); \
    K framing : framing_same{A, B}(s); \
    K config : \at((s)->pool.free, A) == \at((s)->pool.free, B) && \
               \at((s)->frame_max, A) == \at((s)->frame_max, B)

#endif
