/* The steps of the engine: each does one thing that needs no waiting. */
#ifndef TN_SERVE_ENGINE_H
#define TN_SERVE_ENGINE_H

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
             tn_out(s, step.slot) <= TN_OUTPUT_HIGH) &&
        (step.type == TN_CLOSED ==> step.a < TN_REASONS &&
             !(tn_live(s, step.slot) && s->table.slots.gen[step.slot] == step.b)) &&
        (step.type == TN_READY ==> step.a < TN_WATCHES && s->table.watch[step.a] != -1);
*/

/* Adds n to a counter, which stops at its greatest value. */
/*@ requires room: \valid(counter);
    terminates \true; exits \false;
    assigns *counter;
    ensures sum: *counter == (\old(*counter) + n <= UINT64_MAX ? \old(*counter) + n : UINT64_MAX);
*/
void tn_count(uint64_t *counter, uint64_t n);

/* Does the next thing there is to do without waiting. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures event: tn_step_ok(s, \result);
    ensures idle:  \result.type == TN_STEP_IDLE ==>
                   s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    ensures end:   \result.type == TN_STEP_END ==> s->table.slots.live == 0;
*/
struct tn_step tn_step(struct tn_server *s);

/* Leaves a connection that is not being delivered until its next event: an
 * empty buffer goes back, and the descriptor is watched for what is wanted. */
/*@ TN_SERVER_OK(requires, s, slot);
    requires live:  tn_live(s, slot) && s->cur != slot;
    requires rests: tn_rests_at(s, slot);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
*/
void tn_step_rest(struct tn_server *s, uint32_t slot);

/* Finishes a connection that is not being delivered: drops its input, and
 * either waits for its output to leave or says that we have finished. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires live:   tn_live(s, slot) && s->cur != slot;
    requires reason: reason < TN_REASONS;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
*/
void tn_step_finish(struct tn_server *s, uint32_t slot, uint32_t reason);

/* Stops delivering from a connection, because its bytes are no frame or because
 * the peer has finished: what is left in its buffer will not be looked at. */
/*@ requires room:  \valid(c) && (c->state == TN_CONN_OPEN || c->state == TN_CONN_HALF);
    requires known: reason < TN_REASONS;
    terminates \true; exits \false;
    assigns c->state, c->reason;
    ensures stopped: c->state == (\old(c->state) == TN_CONN_HALF ? TN_CONN_FLUSHING
                                                                 : TN_CONN_DRAINING);
    ensures why: c->reason == reason;
*/
void tn_step_stop(struct tn_conn *c, uint32_t reason);

/* Waits for readiness until the deadline (milliseconds of the clock, TN_NEVER:
 * none) or until a time of the server's own.  Returns the number of reports, 0,
 * or TN_ESYSTEM. */
/*@ TN_SERVER_OK(requires, s, TN_NONE);
    requires idle: s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
*/
int32_t tn_step_wait(struct tn_server *s, int64_t deadline);

#endif
