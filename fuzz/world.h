/* A world for the server: peers, a service, and a model of what must come of it.
 *
 * A schedule decides the server's options, which faults there are, what the
 * peers do and what the service does beside its job, which is to echo.  Phases:
 *
 *   random   everything at once
 *   frozen   the peers stop moving: the server must come to rest
 *   benign   no faults, the peers read and finish: all must be answered
 *   drain    tn_drain: the server must end
 *   fini     tn_fini: nothing may be left open
 *
 * A schedule may skip some of them.  Meanwhile the model checks
 *   - frames arrive as sent, in order, none lost, doubled or cut;
 *   - peers read what was accepted for sending, in order, none lost or doubled;
 *   - no event comes for a connection that has ended; a stale handle is refused;
 *   - at each wait: descriptors, registrations, interest and buffers are what the
 *     connections' states call for, and nothing that can be done is left undone;
 *   - no deadline is early, and no wait sleeps past one;
 *   - who ends for a timeout stood under that one, and its time was over;
 *   - by edge, what was reported once and not used up is kept, and not slept over;
 *   - nor is a timer of the service's early, or left out at a wait, or heard of
 *     twice between two waits;
 *   - the reason given for an end is true, and the counters add up.
 * A violation prints the trace and aborts.
 *
 * The model encodes frames itself and looks into struct tn_server; it calls
 * nothing of the server's but tn_ functions of serve/server.h.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stddef.h>
#include <stdint.h>

/* What schedules have met, summed over runs: a schedule source that reaches
 * nothing would find nothing. */
struct world_totals {
    uint64_t schedules, waits, faults, accepted, frames, echoed, finished, closed, reset, idle,
        slow_frames, slow_readers, bad_frames, truncated, drained, parked, pauses, watched, stale,
        rests, rung;
};

/* Runs one schedule: of n bytes, or of a seed. */
void world_run_bytes(const uint8_t *bytes, size_t n);
void world_run_seed(uint64_t seed);

/* The same short, faultless run of a model (enum tn_model), but that the kth
 * call that can fail does so in its variant-th way.  Returns 0 when there is no
 * kth call. */
int world_run_failing(uint64_t k, uint32_t variant, uint32_t model);

const struct world_totals *world_totals(void);

#endif
