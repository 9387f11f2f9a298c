/* The connection state machine.
 *
 *   OPEN       receiving; frames are delivered
 *   PAUSED     not receiving: too much output is pending
 *   PARKED     not receiving: waits for a buffer
 *   HALF       the peer has finished; some of its frames are still undelivered,
 *              held back because too much output is pending
 *   FLUSHING   the peer has finished, all is delivered; output is pending
 *   DRAINING   we are finishing; output is pending, input is not looked at
 *   LINGERING  we have finished and said so; input is received and dropped
 *              until the peer finishes too, so that its stack does not answer
 *              unread bytes with a reset that would destroy our last output
 *   CLOSED     nothing is left
 *
 *             +-------> PAUSED <------+
 *             |          |            |
 *   (accept) OPEN <------+ --eof--> HALF --> FLUSHING --> CLOSED
 *             |  \--> PARKED                               ^
 *             +--finish, bad frame--> DRAINING -> LINGERING-+
 *
 * Pure functions over the state and the length of the pending output; whoever
 * owns the descriptor performs what they say.
 */
#ifndef TN_CORE_CONN_H
#define TN_CORE_CONN_H

#include "core/buffer.h"

enum tn_conn_state {
    TN_CONN_CLOSED,
    TN_CONN_OPEN,
    TN_CONN_PAUSED,
    TN_CONN_PARKED,
    TN_CONN_HALF,
    TN_CONN_FLUSHING,
    TN_CONN_DRAINING,
    TN_CONN_LINGERING
};

/* Why a connection ended. */
enum tn_reason {
    TN_BY_PEER,       /* the peer finished, all was answered */
    TN_BY_CALLER,     /* tn_close or tn_finish */
    TN_BY_RESET,      /* the connection broke */
    TN_BY_FRAME,      /* malformed or oversized frame */
    TN_BY_TRUNCATION, /* the peer finished in the middle of a frame */
    TN_BY_IDLE,       /* the idle timeout passed */
    TN_BY_READ,       /* the read timeout passed: a frame did not come whole */
    TN_BY_WRITE,      /* the write timeout passed: the peer took nothing of what is pending */
    TN_BY_DRAIN,      /* the server is draining */
    TN_REASONS
};

/* No buffer.  There are fewer than this many. */
#define TN_NO_BLOCK 0xffffu

struct tn_conn {
    uint16_t block; /* the buffer it owns, or TN_NO_BLOCK */
    int8_t state;   /* enum tn_conn_state */
    int8_t reason;  /* enum tn_reason; valid from DRAINING on */
};

/*@ predicate tn_wants_read(integer state) =
        state == TN_CONN_OPEN || state == TN_CONN_LINGERING;
    predicate tn_wants_write(integer state, integer out_len) =
        state != TN_CONN_LINGERING && out_len > 0;
    logic integer tn_wants(integer state, integer out_len) =
        state == TN_CONN_LINGERING ? 1 :
        (state == TN_CONN_OPEN ? 1 : 0) + (out_len > 0 ? 4 : 0);
    // the states a connection can rest in between two events
    predicate tn_conn_rests(integer state, integer out_len) =
        state == TN_CONN_OPEN || state == TN_CONN_LINGERING ||
        (state == TN_CONN_PARKED && out_len == 0) ||
        (state == TN_CONN_PAUSED && out_len > TN_OUTPUT_LOW) ||
        (state == TN_CONN_HALF && out_len > TN_OUTPUT_LOW) ||
        (state == TN_CONN_FLUSHING && out_len > 0) ||
        (state == TN_CONN_DRAINING && out_len > 0);
*/

/* What the descriptor is to be watched for: reading exactly if input is
 * wanted, writing exactly if output is pending (TN_READ, TN_WRITE of os/sys.h,
 * their sum, or 0). */
/*@ requires state: 0 <= state <= TN_CONN_LINGERING;
    terminates \true; exits \false;
    assigns \nothing;
    ensures wants: \result == tn_wants(state, out_len);
    ensures read:  tn_wants_read(state) <==> \result == 1 || \result == 5;
    ensures write: tn_wants_write(state, out_len) <==> \result == 4 || \result == 5;
*/
uint32_t tn_conn_wants(int32_t state, size_t out_len);

/* The state after an attempt to deliver and to send.  more: undelivered frames
 * may be left in the buffer (delivery stopped for lack of room). */
/*@ requires state: TN_CONN_OPEN <= state <= TN_CONN_LINGERING;
    requires known: more == 0 || more == 1;
    terminates \true; exits \false;
    assigns \nothing;
    ensures open: state == TN_CONN_OPEN || state == TN_CONN_PAUSED ==>
        \result == (more == 1 && out_len > TN_OUTPUT_LOW ? TN_CONN_PAUSED : TN_CONN_OPEN);
    ensures half: state == TN_CONN_HALF || state == TN_CONN_FLUSHING ==>
        \result == (more == 1 ? TN_CONN_HALF : out_len > 0 ? TN_CONN_FLUSHING : TN_CONN_CLOSED);
    ensures draining: state == TN_CONN_DRAINING ==>
        \result == (out_len > 0 ? TN_CONN_DRAINING : TN_CONN_LINGERING);
    ensures other: state == TN_CONN_PARKED || state == TN_CONN_LINGERING ==> \result == state;
*/
int32_t tn_conn_next(int32_t state, size_t out_len, int32_t more);

#endif
