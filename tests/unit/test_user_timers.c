/* The caller's timers, against a list of what must come, and on the real clock. */
#define _GNU_SOURCE
#include "random.h"
#include "tap.h"

#include "serve/server.h"

#include <time.h>

static struct tn_user_timers timers;

TEST(nothing_rings_while_nothing_is_set)
{
    tn_user_timers_init(&timers);
    CHECK_EQ(tn_user_timers_next(&timers), TN_NEVER);
    CHECK_EQ(tn_user_timers_take(&timers, TN_CLOCK_MAX), TN_NONE);
    tn_user_timers_cancel(&timers, TN_USER_TIMERS - 1);
    CHECK_EQ(tn_user_timers_take(&timers, TN_CLOCK_MAX), TN_NONE);
}

TEST(the_longest_times_neither_wrap_nor_ring)
{
    tn_user_timers_init(&timers);
    tn_user_timers_set(&timers, 0, TN_CLOCK_MAX, TN_TIMER_MAX_MS, TN_TIMER_MAX_MS);
    tn_user_timers_set(&timers, 1, 0, 0, TN_TIMER_MAX_MS);
    CHECK_EQ(tn_user_timers_next(&timers), 1);
    CHECK_EQ(tn_user_timers_take(&timers, TN_CLOCK_MAX), 1);
    CHECK(tn_user_timers_next(&timers) > TN_CLOCK_MAX);
    CHECK_EQ(tn_user_timers_take(&timers, TN_CLOCK_MAX), TN_NONE);
}

/* What is due: first by time, then by number. */
static uint32_t expected(const int64_t *due, int64_t now)
{
    uint32_t who = TN_NONE;

    for (uint32_t i = 0; i < TN_USER_TIMERS; i++)
        if (due[i] <= now && (who == TN_NONE || due[i] < due[who]))
            who = i;
    return who;
}

TEST(random_setting_and_cancelling_matches_the_list)
{
    static int64_t due[TN_USER_TIMERS], every[TN_USER_TIMERS];
    uint32_t seed = 362436069u, taken = 0;
    int64_t now = 0;

    tn_user_timers_init(&timers);
    for (uint32_t i = 0; i < TN_USER_TIMERS; i++)
        due[i] = TN_NEVER;
    for (int step = 0; step < 100000; step++) {
        const uint32_t i = random_below(&seed, TN_USER_TIMERS);
        const uint32_t what = random_below(&seed, 8);

        if (what < 3) {
            const int64_t after = random_below(&seed, 200);

            every[i] = what == 0 ? 0 : 1 + random_below(&seed, 300);
            due[i] = now + after + 1;
            tn_user_timers_set(&timers, i, now, after, every[i]);
        } else if (what == 3) {
            due[i] = TN_NEVER;
            tn_user_timers_cancel(&timers, i);
        } else {
            const uint32_t who = expected(due, now);

            REQUIRE(tn_user_timers_take(&timers, now) == who);
            if (who == TN_NONE) {
                now += random_below(&seed, 30);
                continue;
            }
            taken++;
            while (every[who] > 0 && due[who] <= now)
                due[who] += every[who];
            if (every[who] == 0)
                due[who] = TN_NEVER;
        }
    }
    CHECK(taken > 5000);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct tn_server server;
static int64_t set_ns[TN_USER_TIMERS], after_ms[TN_USER_TIMERS];

static void set(uint32_t timer, int64_t after, int64_t every)
{
    after_ms[timer] = after;
    set_ns[timer] = now_ns();
    REQUIRE(tn_timer_set(&server, timer, after, every) == 1);
}

static uint32_t next_timer(void)
{
    struct tn_event ev;

    REQUIRE(tn_next(&server, &ev, TN_FOREVER) == 1);
    REQUIRE(ev.type == TN_TIMER && ev.timer < TN_USER_TIMERS);
    return ev.timer;
}

/* It is between two milliseconds whenever a timer is set: here in every part of
 * one, for the first are set a few microseconds apart. */
static void two_hundred_timers(uint32_t model)
{
    const struct tn_options o = {.connections = 4, .model = model};

    REQUIRE(tn_init(&server, &o) == 1);
    for (uint32_t i = 0; i < TN_USER_TIMERS; i++) {
        const int64_t later = now_ns() + 16000;

        while (now_ns() < later)
            ;
        set(i, i % 23, 0);
    }
    for (uint32_t rung = 0; rung < 200; rung++) {
        const uint32_t i = next_timer();

        CHECK(now_ns() - set_ns[i] >= after_ms[i] * 1000000);
        set(i, rung % 7, 0);
    }
    tn_fini(&server);
}

TEST(no_timer_is_early_on_the_real_clock)
{
    for (uint32_t model = 0; model < TN_MODELS; model++)
        if (tn_poller_has(model) == 1)
            two_hundred_timers(model);
}

TEST(no_time_of_a_period_is_early_on_the_real_clock)
{
    const struct tn_options o = {.connections = 4};

    REQUIRE(tn_init(&server, &o) == 1);
    set(0, 5, 3);
    for (int64_t k = 0; k < 30; k++) {
        CHECK_EQ(next_timer(), 0);
        CHECK(now_ns() - set_ns[0] >= (5 + 3 * k) * 1000000);
    }
    tn_fini(&server);
}
