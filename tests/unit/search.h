/* A search over all states that some order of steps can reach.
 *
 * A state is any struct without padding, small enough to be kept for each; two of
 * the same bytes are one.  Who includes this defines struct world first.  Keep the
 * start with reach(), then go through the states from the first on and reach() all
 * that one step of anybody makes of each, until there is none left. */
#ifndef SEARCH_H
#define SEARCH_H

#include "tap.h"

#include <string.h>

#define MOST_STATES 400000
#define BUCKETS 1048576u

static struct world world[MOST_STATES];
static long worlds;              /* how many were reached */
static uint32_t bucket[BUCKETS]; /* index + 1 of a state, or 0 */

/* Forgets all states. */
static void search_anew(void)
{
    memset(bucket, 0, sizeof bucket);
    worlds = 0;
}

/* Keeps w among the states to visit, unless it is there. */
static void reach(const struct world *w)
{
    const uint8_t *bytes = (const uint8_t *)w;
    uint64_t hash = 1469598103934665603u;

    for (size_t i = 0; i < sizeof *w; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    for (uint32_t b = (uint32_t)(hash % BUCKETS);; b = (b + 1) % BUCKETS) {
        if (bucket[b] == 0) {
            REQUIRE(worlds < MOST_STATES);
            world[worlds] = *w;
            worlds++;
            bucket[b] = (uint32_t)worlds;
            return;
        }
        if (memcmp(&world[bucket[b] - 1], w, sizeof *w) == 0)
            return;
    }
}

#endif
