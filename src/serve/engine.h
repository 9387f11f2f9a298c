/* The steps of the engine: each does one thing that needs no waiting. */
#ifndef TN_SERVE_ENGINE_H
#define TN_SERVE_ENGINE_H

#include "serve/delivery.h"

/* Does the next thing there is to do without waiting. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures event: tn_step_ok(s, \result);
    ensures idle:  \result.type == TN_STEP_IDLE ==>
                   s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    ensures end:   \result.type == TN_STEP_END ==> s->table.slots.live == 0;
*/
struct tn_step tn_step(struct tn_server *s);

/* Waits for readiness until the deadline (milliseconds of the clock, TN_NEVER:
 * none) or until a time of the server's own.  Returns the number of reports, 0,
 * or TN_ESYSTEM. */
/*@ requires ok: tn_server_ok(s);
    requires idle: s->cur == TN_NONE && s->table.poller.pos == s->table.poller.count;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
*/
int32_t tn_step_wait(struct tn_server *s, int64_t deadline);

#endif
