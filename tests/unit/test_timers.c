/* Timers against an unordered list that is searched from end to end. */
#include "core/timers.h"
#include "random.h"
#include "tap.h"

static struct tn_timers *new_timers(uint32_t cap)
{
    struct tn_timers *t = (void *)tn_guarded(sizeof *t);

    tn_timers_init(t, cap);
    return t;
}

TEST(nothing_fires_while_nothing_is_set)
{
    struct tn_timers *t = new_timers(4);

    CHECK_EQ(tn_timers_next(t), TN_NEVER);
    CHECK_EQ(tn_timers_expire(t, INT64_MAX), TN_NONE);
    tn_timers_cancel(t, 3);
    CHECK_EQ(tn_timers_next(t), TN_NEVER);
}

TEST(a_timer_fires_at_its_time_not_before_and_once)
{
    struct tn_timers *t = new_timers(1);

    tn_timers_set(t, 0, 1000);
    CHECK_EQ(tn_timers_next(t), 1000);
    CHECK_EQ(tn_timers_expire(t, INT64_MIN), TN_NONE);
    CHECK_EQ(tn_timers_expire(t, 999), TN_NONE);
    CHECK_EQ(tn_timers_expire(t, 1000), 0);
    CHECK_EQ(tn_timers_expire(t, 1000), TN_NONE);
    tn_timers_set(t, 0, -5);
    CHECK_EQ(tn_timers_expire(t, -6), TN_NONE);
    CHECK_EQ(tn_timers_expire(t, 1000), 0);
    CHECK_EQ(tn_timers_next(t), TN_NEVER);
}

TEST(a_timer_set_again_fires_only_at_its_new_time)
{
    struct tn_timers *t = new_timers(3);

    tn_timers_set(t, 0, 10);
    tn_timers_set(t, 1, 20);
    tn_timers_set(t, 0, 30);
    CHECK_EQ(tn_timers_next(t), 20);
    CHECK_EQ(tn_timers_expire(t, 29), 1);
    CHECK_EQ(tn_timers_expire(t, 29), TN_NONE);
    tn_timers_set(t, 0, 5);
    CHECK_EQ(tn_timers_expire(t, 5), 0);
    CHECK_EQ(tn_timers_expire(t, INT64_MAX), TN_NONE);
}

TEST(a_full_heap_fires_in_order_of_time)
{
    struct tn_timers *t = new_timers(TN_CONNECTIONS);
    uint32_t seed = 4101842887u;
    int64_t before = INT64_MIN;

    for (uint32_t id = 0; id < TN_CONNECTIONS; id++)
        tn_timers_set(t, id, (int64_t)random_below(&seed, 1000000) - 500000);
    for (uint32_t i = 0; i < TN_CONNECTIONS; i++) {
        int64_t next = tn_timers_next(t);
        uint32_t id = tn_timers_expire(t, next);

        REQUIRE(id < TN_CONNECTIONS);
        CHECK_EQ(t->due[id], next);
        CHECK(before <= next);
        before = next;
    }
    CHECK_EQ(t->armed, 0);
}

enum { CAP = 37 };

struct model {
    int64_t due[CAP];
    uint8_t armed[CAP];
};

static int64_t model_next(const struct model *m)
{
    int64_t next = TN_NEVER;

    for (uint32_t id = 0; id < CAP; id++)
        if (m->armed[id] && m->due[id] < next)
            next = m->due[id];
    return next;
}

static void expire_all(struct tn_timers *t, struct model *m, int64_t now)
{
    for (;;) {
        int64_t next = model_next(m);
        uint32_t id = tn_timers_expire(t, now);

        if (id == TN_NONE) {
            CHECK(next > now);
            return;
        }
        REQUIRE(id < CAP);
        CHECK_EQ(m->armed[id], 1);
        CHECK_EQ(m->due[id], next);
        CHECK(next <= now);
        m->armed[id] = 0;
    }
}

TEST(random_setting_and_cancelling_matches_the_list)
{
    static struct model m;
    struct tn_timers *t = new_timers(CAP);
    uint32_t seed = 521288629u;
    int64_t now = -100000;

    for (int step = 0; step < 200000; step++) {
        uint32_t id = random_below(&seed, CAP);

        switch (random_below(&seed, 8)) {
        case 0:
            tn_timers_cancel(t, id);
            m.armed[id] = 0;
            break;
        case 1:
            now += random_below(&seed, 20);
            expire_all(t, &m, now);
            break;
        default:
            /* A narrow span, so that equal times are common. */
            m.due[id] = now - 3 + random_below(&seed, 60);
            m.armed[id] = 1;
            tn_timers_set(t, id, m.due[id]);
        }
        CHECK_EQ(tn_timers_next(t), model_next(&m));
    }
    expire_all(t, &m, INT64_MAX - 1);
    CHECK_EQ(t->armed, 0);
}
