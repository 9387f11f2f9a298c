/* defines: -DTN_CONNECTIONS=2u -DTN_BLOCKS=1u -DTN_FRAME_MAX=1u -DTN_BATCH=1u -DTN_LISTENERS=1u -DTN_WATCHES=1u */
/* Every limit at its least.  See fuzz/world.h. */
#include "tap.h"

#include "serve/server.h"
#include "simkernel.h"
#include "world.h"

#include <stdio.h>

#define SCHEDULES 2000u

TEST_SLOW(random_schedules_hold_the_model_with_least_limits, 60)
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

TEST(default_options_stay_within_a_small_table)
{
    static const struct tn_options defaults;
    static struct tn_server server;

    sim_reset_seeded(1, NULL);
    REQUIRE(tn_init(&server, &defaults) == 1);
    CHECK(server.table.slots.cap <= TN_CONNECTIONS);
    tn_fini(&server);
    CHECK_EQ(sim_open_count(1), 0);
}
