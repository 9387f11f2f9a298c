/* defines: -DTN_CONNECTIONS=16u -DTN_BLOCKS=16u -DTN_FRAME_MAX=300u -DTN_BATCH=32u -DTN_LISTENERS=4u -DTN_WATCHES=8u */
/* Limits that are rarely met, and frames longer than what is in flight at once.
 * See fuzz/world.h. */
#include "tap.h"

#include "simkernel.h"
#include "world.h"

#include <stdio.h>

#define SCHEDULES 2000u

TEST_SLOW(random_schedules_hold_the_model_with_ample_limits, 60)
{
    char label[80];

    for (uint64_t seed = 0; seed < SCHEDULES; seed++) {
        snprintf(label, sizeof label, "seed %ju of " __FILE__, (uintmax_t)seed);
        sim_label(label);
        world_run_seed(seed);
    }
    CHECK(world_totals()->frames > SCHEDULES);
    CHECK(world_totals()->faults > SCHEDULES);
}
