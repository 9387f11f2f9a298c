/* The children table, against a plain list. */
#include "dispatch/children.h"
#include "random.h"
#include "tap.h"

static struct tn_children table;

TEST(a_new_table_is_empty_and_each_slot_may_be_used_at_once)
{
    tn_children_init(&table, 3);
    CHECK_EQ(table.live, 0);
    CHECK_EQ(tn_children_next(&table), 0);
    CHECK(tn_children_vacant(&table, 0) < 3);
    CHECK_EQ(tn_children_find(&table, 1), TN_NONE);
}

TEST(beyond_the_cap_there_is_no_slot)
{
    tn_children_init(&table, 2);
    for (int32_t pid = 100; pid < 102; pid++)
        tn_children_start(&table, tn_children_vacant(&table, 5), pid, 5);
    CHECK_EQ(table.live, 2);
    CHECK_EQ(tn_children_vacant(&table, 5), TN_NONE);
    CHECK_EQ(tn_children_next(&table), TN_NEVER);
    tn_children_end(&table, tn_children_find(&table, 100), 0, 6);
    CHECK_EQ(tn_children_find(&table, 100), TN_NONE);
    CHECK(tn_children_vacant(&table, 6) != TN_NONE);
}

/* Crashes one worker again and again, each time after it lived so long; returns
 * the last rest. */
static int64_t crash(int times, int64_t lived_ms, int64_t *now)
{
    int64_t rest = 0;

    for (int i = 0; i < times; i++) {
        uint32_t slot = tn_children_vacant(&table, *now);

        REQUIRE(slot != TN_NONE);
        tn_children_start(&table, slot, 7, *now);
        *now += lived_ms;
        tn_children_end(&table, slot, 1, *now);
        rest = tn_children_next(&table) - *now;
        CHECK_EQ(tn_children_vacant(&table, *now + rest - 1), TN_NONE);
        *now += rest;
    }
    return rest;
}

TEST(rests_double_up_to_the_longest_and_start_anew_after_a_long_life)
{
    int64_t now = 1000;

    tn_children_init(&table, 1);
    CHECK_EQ(crash(1, 0, &now), TN_REST_MIN_MS);
    CHECK_EQ(crash(1, 0, &now), 2 * TN_REST_MIN_MS);
    CHECK_EQ(crash(1, TN_STEADY_MS - 1, &now), 4 * TN_REST_MIN_MS);
    CHECK_EQ(crash(20, 0, &now), TN_REST_MAX_MS);
    CHECK_EQ(crash(1, TN_STEADY_MS, &now), TN_REST_MIN_MS);
}

TEST(a_good_end_needs_no_rest)
{
    tn_children_init(&table, 1);
    tn_children_start(&table, 0, 7, 10);
    tn_children_end(&table, 0, 0, 20);
    CHECK_EQ(tn_children_next(&table), 0);
    CHECK_EQ(tn_children_vacant(&table, 20), 0);
}

TEST(random_starts_and_ends_agree_with_a_list)
{
    enum { CAP = 9, STEPS = 100000 };
    int32_t list[CAP] = {0}; /* by slot: the pid, 0 when vacant */
    int32_t next_pid = 1;
    uint32_t live = 0;
    uint32_t seed = 42;

    tn_children_init(&table, CAP);
    for (int step = 0; step < STEPS; step++) {
        uint32_t slot = random_below(&seed, CAP);

        if (random_below(&seed, 2) == 0) {
            slot = tn_children_vacant(&table, 0);
            CHECK_EQ(slot == TN_NONE, live == CAP);
            if (slot == TN_NONE)
                continue;
            REQUIRE(slot < CAP && list[slot] == 0);
            list[slot] = next_pid;
            live++;
            tn_children_start(&table, slot, next_pid++, 0);
        } else if (list[slot] != 0) {
            REQUIRE(tn_children_find(&table, list[slot]) == slot);
            tn_children_end(&table, slot, 0, 0);
            REQUIRE(tn_children_find(&table, list[slot]) == TN_NONE);
            list[slot] = 0;
            live--;
        }
        REQUIRE(table.live == live && live <= CAP);
    }
}
