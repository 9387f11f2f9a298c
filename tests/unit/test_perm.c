/* The permutation against a plain list of numbers, at the edge of its memory. */
#include "core/perm.h"
#include "random.h"
#include "tap.h"

static uint32_t *guarded_numbers(uint32_t n)
{
    return (void *)tn_guarded(n * sizeof(uint32_t));
}

TEST(every_number_starts_at_its_own_place)
{
    for (uint32_t n = 0; n < 50; n++) {
        uint32_t *perm = guarded_numbers(n), *pos = guarded_numbers(n);

        tn_perm_init(perm, pos, n);
        for (uint32_t i = 0; i < n; i++) {
            CHECK_EQ(perm[i], i);
            CHECK_EQ(pos[i], i);
        }
    }
}

TEST(random_swaps_do_what_they_do_to_a_list)
{
    uint32_t seed = 2463534242u;

    for (uint32_t n = 1; n < 20; n++) {
        uint32_t *perm = guarded_numbers(n), *pos = guarded_numbers(n), list[20];

        tn_perm_init(perm, pos, n);
        for (uint32_t i = 0; i < n; i++)
            list[i] = i;
        for (int step = 0; step < 300; step++) {
            uint32_t i = random_below(&seed, n), j = random_below(&seed, n), number = list[i];

            tn_perm_swap(perm, pos, n, i, j);
            list[i] = list[j];
            list[j] = number;
            for (uint32_t k = 0; k < n; k++) {
                CHECK_EQ(perm[k], list[k]);
                CHECK_EQ(pos[list[k]], k);
            }
        }
    }
}

TEST(a_place_swapped_with_itself_stays)
{
    uint32_t *perm = guarded_numbers(3), *pos = guarded_numbers(3);

    tn_perm_init(perm, pos, 3);
    tn_perm_swap(perm, pos, 3, 0, 2);
    tn_perm_swap(perm, pos, 3, 2, 2);
    CHECK_EQ(perm[2], 0);
    CHECK_EQ(pos[0], 2);
}
