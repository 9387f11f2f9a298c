/* defines: -DTN_CONNECTIONS=8u -DTN_BLOCKS=1u -DTN_FRAME_MAX=16u -DTN_BATCH=2u -DTN_LISTENERS=2u -DTN_WATCHES=3u */
/* More connections than buffers: parking is the rule.  See fuzz/world.h. */
#include "tap.h"

#include "simkernel.h"
#include "world.h"

#include <stdio.h>

#define SCHEDULES 2000u

TEST_SLOW(random_schedules_hold_the_model_with_one_buffer_for_all, 60)
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
