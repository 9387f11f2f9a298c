/* Seeded numbers for tests: the same run each time (G. Marsaglia, 2003). */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

static inline uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* 0 .. n - 1 */
static inline uint32_t random_below(uint32_t *state, uint32_t n)
{
    return next_random(state) % n;
}

#endif
