/* One connection's delivery: from what was received, over the frames in it, to
 * what is sent in answer; and the ends it may come to.
 *
 * A connection is either being delivered (it is s->cur, and only one is) or at
 * rest.  Each step here takes it from the one to the other, or on to its next
 * frame.
 */
#ifndef TN_SERVE_DELIVERY_H
#define TN_SERVE_DELIVERY_H

#include "serve/link.h"

/* What a step came to, beside the events of enum tn_event_type. */
#define TN_STEP_IDLE 0u    /* nothing is left to do without waiting */
#define TN_STEP_MORE 16u   /* something was done; ask again */
#define TN_STEP_PAUSED 17u /* the same: accepting was paused */
#define TN_STEP_PARKED 18u /* the same: a connection was parked */
#define TN_STEP_END 19u    /* a drain has ended */
#define TN_STEP_READ 20u   /* inside a step: the connection is to be received for */

/* Small enough to be returned in registers. */
struct tn_step {
    uint32_t type; /* enum tn_event_type, or one of the above */
    uint32_t slot; /* OPENED, FRAME, CLOSED: the connection's */
    uint32_t a;    /* FRAME: where the payload starts in the input buffer; CLOSED: the reason;
                      READY: the number watched */
    uint32_t b;    /* FRAME: the payload's length; CLOSED: the generation that has ended */
};

/*@ // what a step says is so, at the moment it says it
    predicate tn_step_ok{L}(struct tn_server *s, struct tn_step step) =
        (step.type == TN_OPENED ==> tn_live(s, step.slot)) &&
        (step.type == TN_FRAME ==> tn_live(s, step.slot) && s->cur == step.slot &&
             step.b <= s->frame_max && step.a <= TN_IN_CAP - step.b &&
             s->conn[step.slot].state < TN_CONN_FLUSHING &&
             tn_frame_carries(s->framing, &s->buffer[s->conn[step.slot].block].in[0], step.a,
                              step.b) &&
             tn_out(s, step.slot) <= TN_OUTPUT_HIGH) &&
        (step.type == TN_CLOSED ==> step.a < TN_REASONS &&
             !(tn_live(s, step.slot) && s->table.slots.gen[step.slot] == step.b)) &&
        (step.type == TN_READY ==> step.a < TN_WATCHES && s->table.watch[step.a] != -1);
*/

/* Adds n to a counter, unless that is at its end. */
/*@ requires room: \valid(counter);
    requires n:    0 <= n <= UINT32_MAX;
    terminates \true; exits \false;
    assigns *counter;
    ensures sum: *counter == tn_counted(\old(*counter), n);
*/
void tn_count(int64_t *counter, int64_t n);

/* A step of this type, for the connection in slot. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures same: \result.type == type && \result.slot == slot && \result.a == a &&
                  \result.b == b;
*/
struct tn_step tn_step_of(uint32_t type, uint32_t slot, uint32_t a, uint32_t b);

/* Reads the clock.  slot may be between two states (TN_NONE: no connection is). */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    terminates \true; exits \false;
    assigns s->now_ms;
    TN_SERVER_OK(ensures, s, slot);
*/
void tn_delivery_clock(struct tn_server *s, uint32_t slot);

/* Ends a connection by itself, and tells the caller why. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:   tn_live(s, slot);
    requires reason: 0 <= reason < TN_REASONS;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures closed: \result.type == TN_CLOSED && tn_step_ok(s, \result);
    ensures cur:    \old(s->cur) == TN_NONE || \old(s->cur) == slot ==> s->cur == TN_NONE;
*/
struct tn_step tn_delivery_ended(struct tn_server *s, uint32_t slot, int32_t reason);

/*@ predicate tn_readable{L}(struct tn_server *s, integer slot) =
        tn_live(s, slot) && s->cur == TN_NONE &&
        (s->conn[slot].state == TN_CONN_OPEN || s->conn[slot].state == TN_CONN_PARKED);
*/

/* Receives for a connection that is open, or parked, and begins to deliver what
 * is there; parks it when no buffer is free. */
/*@ requires ok: tn_server_ok(s);
    requires readable: tn_readable(s, slot);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE ||
                   \result.type == TN_STEP_PARKED;
    ensures begun: \result.type == TN_STEP_MORE ==> s->cur == slot;
*/
struct tn_step tn_delivery_receive(struct tn_server *s, uint32_t slot);

/* Begins to deliver from a connection at rest that owns a buffer, of whose input
 * the first `scanned` bytes are known to hold no whole frame. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot) && s->cur == TN_NONE && s->conn[slot].block != TN_NO_BLOCK;
    requires state: s->conn[slot].state != TN_CONN_PARKED &&
                    s->conn[slot].state != TN_CONN_LINGERING;
    requires scanned: 0 <= scanned <= s->buffer[s->conn[slot].block].in_len &&
                    tn_scanned_at(s, s->conn[slot].block, 0, scanned);
    terminates \true; exits \false;
    assigns s->cur, s->scanned;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures begun: s->cur == slot;
*/
void tn_delivery_begin(struct tn_server *s, uint32_t slot, int64_t scanned);

/* Delivers the next frame of the connection being served, or ends the
 * delivery. */
/*@ requires ok: tn_server_ok(s);
    requires cur: s->cur != TN_NONE;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE ||
                   \result.type == TN_FRAME;
*/
struct tn_step tn_delivery_next(struct tn_server *s);

/* Receives and drops for a connection that we have finished. */
/*@ requires ok: tn_server_ok(s);
    requires live: tn_live(s, slot) && s->cur == TN_NONE &&
                   s->conn[slot].state == TN_CONN_LINGERING;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures type:  \result.type == TN_CLOSED || \result.type == TN_STEP_MORE;
    ensures cur:   s->cur == TN_NONE;
*/
struct tn_step tn_delivery_discard(struct tn_server *s, uint32_t slot);

/* Sends what is pending to a connection that is not being delivered, as far as
 * the kernel takes it.  That the peer is gone is told by the next report. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot) && s->cur != slot && s->conn[slot].block != TN_NO_BLOCK;
    terminates \true; exits \false;
    assigns s->buffer[s->conn[slot].block].out_head, s->buffer[s->conn[slot].block].out_len,
            s->table.poller.edges, k_tx[s->table.fd[slot]], s->active_ms[slot],
            s->counters.bytes_out;
    ensures ok: tn_server_but(s, slot, TN_NONE);
    ensures less: tn_out(s, slot) <= \old(tn_out(s, slot));
*/
void tn_delivery_push(struct tn_server *s, uint32_t slot);

/* Leaves a connection that is not being delivered until its next event: an
 * empty buffer goes back, and the descriptor is watched for what is wanted. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot) && s->cur != slot;
    requires rests: tn_rests_at(s, slot);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
*/
void tn_delivery_rest(struct tn_server *s, uint32_t slot);

/* Finishes a connection that is not being delivered: drops its input, and
 * either waits for its output to leave or says that we have finished. */
/*@ requires ok: tn_server_ok(s);
    requires live:   tn_live(s, slot) && s->cur != slot;
    requires reason: 0 <= reason < TN_REASONS;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
*/
void tn_delivery_finish(struct tn_server *s, uint32_t slot, int32_t reason);

/* A parked connection has a buffer again: it is open. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live: tn_live(s, slot) && s->cur != slot;
    terminates \true; exits \false;
    assigns s->conn[slot].state;
    TN_SERVER_OK(ensures, s, slot);
    ensures state: s->conn[slot].state == (\old(s->conn[slot].state) == TN_CONN_PARKED
                                               ? TN_CONN_OPEN : \old(s->conn[slot].state));
*/
void tn_delivery_unpark(struct tn_server *s, uint32_t slot);

/* Stops delivering from a connection, because its bytes are no frame, or the
 * peer or we have finished: what is left in its buffer will not be looked at. */
/*@ requires ok: tn_server_but(s, slot, TN_NONE);
    requires live:  tn_live(s, slot) && s->conn[slot].state < TN_CONN_FLUSHING;
    requires known: 0 <= reason < TN_REASONS;
    terminates \true; exits \false;
    assigns s->conn[slot].state, s->conn[slot].reason;
    TN_SERVER_OK(ensures, s, slot);
    ensures stopped: s->conn[slot].state == (\old(s->conn[slot].state) == TN_CONN_HALF
                                                 ? TN_CONN_FLUSHING : TN_CONN_DRAINING);
    ensures why: s->conn[slot].reason == reason;
*/
void tn_delivery_stop(struct tn_server *s, uint32_t slot, int32_t reason);

#endif
