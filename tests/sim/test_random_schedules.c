/* defines: -DTN_CONNECTIONS=6u -DTN_BLOCKS=3u -DTN_FRAME_MAX=24u -DTN_BATCH=4u -DTN_LISTENERS=2u -DTN_WATCHES=2u -DTN_SELECT_FDS=10 */
/* The server in the simulated world of fuzz/world.h: seeded schedules, and every
 * single failure of a short one.  Limits are small, so that each is met often.
 *
 * A violation aborts the test and prints the seed: fuzz/replay --seed N. */
#include "tap.h"

#include "poll/poller.h"
#include "simkernel.h"
#include "world.h"

#include <stdio.h>

#define SCHEDULES 4000u
#define CALLS_MAX 2000u

static void run_seeds(uint64_t from, uint64_t n)
{
    char label[80];

    for (uint64_t seed = from; seed - from < n; seed++) {
        snprintf(label, sizeof label, "seed %ju; again: fuzz/replay --seed %ju", (uintmax_t)seed,
                 (uintmax_t)seed);
        sim_label(label);
        world_run_seed(seed);
    }
}

/* Seeds in several tests, so that they are as many processes. */
TEST_SLOW(random_schedules_hold_the_model, 60)
{
    const struct world_totals *t = world_totals();

    run_seeds(0, SCHEDULES);
    /* a world in which nothing happens would hold any model */
    CHECK_EQ(t->schedules, SCHEDULES);
    CHECK(t->faults > 10 * SCHEDULES);
    CHECK(t->frames > 5 * SCHEDULES);
    CHECK(t->echoed > 5 * SCHEDULES);
    CHECK(t->closed > SCHEDULES / 4);
    CHECK(t->finished > SCHEDULES / 4);
    CHECK(t->reset > SCHEDULES / 4);
    CHECK(t->idle > SCHEDULES / 4);
    CHECK(t->slow_frames > SCHEDULES / 16);
    CHECK(t->slow_readers > SCHEDULES / 16);
    CHECK(t->bad_frames > SCHEDULES / 8);
    CHECK(t->truncated > SCHEDULES / 8);
    CHECK(t->parked > SCHEDULES / 8);
    CHECK(t->pauses > SCHEDULES / 4);
    CHECK(t->stale > SCHEDULES / 4);
    CHECK(t->rests > SCHEDULES / 4);
    CHECK(t->drained > SCHEDULES / 4);
    CHECK(t->rung > SCHEDULES / 4);
}

TEST_SLOW(more_random_schedules_hold_the_model, 60)
{
    run_seeds(1000000, SCHEDULES);
}

TEST_SLOW(the_same_seed_gives_the_same_run, 60)
{
    struct world_totals first, second;

    run_seeds(77, 200);
    first = *world_totals();
    run_seeds(77, 200);
    second = *world_totals();
    CHECK_EQ(second.waits, 2 * first.waits);
    CHECK_EQ(second.faults, 2 * first.faults);
    CHECK_EQ(second.frames, 2 * first.frames);
    CHECK_EQ(second.accepted, 2 * first.accepted);
}

/* Returns how many calls could fail. */
static uint64_t fail_each_call(uint32_t model, uint32_t variant)
{
    char label[80];
    uint64_t k = 0;

    do {
        snprintf(label, sizeof label, "model %u: call %ju fails in way %u", model, (uintmax_t)k,
                 variant);
        sim_label(label);
    } while (world_run_failing(k++, variant, model) && k < CALLS_MAX);
    return k;
}

TEST_SLOW(any_single_call_may_fail_in_any_of_its_ways_under_every_model, 60)
{
    for (uint32_t model = 0; model < TN_MODELS; model++)
        for (uint32_t variant = 0; variant < 4; variant++) {
            uint64_t k = fail_each_call(model, variant);

            CHECK(k > 30);
            CHECK(k < CALLS_MAX);
        }
}
