/* defines: -DTN_CONNECTIONS=24u -DTN_BLOCKS=24u -DTN_FRAME_MAX=24u -DTN_BATCH=48u -DTN_LISTENERS=2u -DTN_WATCHES=2u */
/* Every model is the same to the service: see fuzz/models.h. */
#include "tap.h"

#include "models.h"
#include "simkernel.h"

#include <stdio.h>

#define SCHEDULES 3000u

TEST_SLOW(the_service_is_told_the_same_under_every_model, 60)
{
    const struct models_totals *t = models_totals();
    char label[80];

    for (uint64_t seed = 0; seed < SCHEDULES; seed++) {
        snprintf(label, sizeof label, "seed %ju of " __FILE__, (uintmax_t)seed);
        sim_label(label);
        models_run_seed(seed);
    }
    /* schedules in which nothing happens would be the same, too */
    CHECK_EQ(t->schedules, SCHEDULES);
    CHECK(t->opened > 20 * SCHEDULES);
    CHECK(t->frames > 20 * SCHEDULES);
    CHECK(t->closed > 20 * SCHEDULES);
    CHECK(t->ready > 4 * SCHEDULES);
    CHECK(t->faults > 20 * SCHEDULES);
}
