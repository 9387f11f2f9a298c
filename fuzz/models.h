/* One world for every model: a schedule is run through each of them, and what
 * the service is told must be the same.
 *
 * A schedule is a row of rounds.  Between two rounds peers, clock and service
 * act; in a round nobody does, and the server is let run until it has nothing
 * left to do.  Then, for every connection by itself, there must be equal under
 * all models: the events of the round in their order, with frames, reasons and
 * the results of what the service called meanwhile; what the server received
 * and sent; and what the peer has read and sees of the end.  For each foreign
 * descriptor: how often it was ready.
 *
 * The order of different connections in one round is free: it is that of the
 * reports, which no model promises.  So is all that follows from it alone, and
 * schedules avoid it: each connection has a buffer of its own, a full table has
 * one listener, and a batch holds every report (who is not in a batch has not
 * been looked at when deadlines are).  Outside of a delivery nobody is sent more
 * than stays below its high mark: the next report, be it in vain, would stop
 * receiving from it.  Nor do descriptors run out: whoever tries to accept then,
 * even in vain, pauses for a while, and models try at different times.
 *
 * Beneath, the kernel differs from model to model at random: the order of
 * reports, and reports of what is not ready.
 */
#ifndef MODELS_H
#define MODELS_H

#include <stddef.h>
#include <stdint.h>

struct models_totals {
    uint64_t schedules, rounds, opened, frames, closed, ready, faults;
};

/* Runs one schedule through every model: of n bytes, or of a seed.  A
 * difference is a violation (see simkernel.h). */
void models_run_bytes(const uint8_t *bytes, size_t n);
void models_run_seed(uint64_t seed);

const struct models_totals *models_totals(void);

#endif
