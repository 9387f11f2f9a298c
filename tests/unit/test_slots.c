/* Slots and their handles against a list of every life there ever was. */
#include "core/slots.h"
#include "random.h"
#include "tap.h"

static struct tn_slots *new_slots(uint32_t cap)
{
    struct tn_slots *t = (void *)tn_guarded(sizeof *t);

    tn_slots_init(t, cap);
    return t;
}

static struct tn_handle take(struct tn_slots *t)
{
    struct tn_handle h = {tn_slots_take(t), 0};

    REQUIRE(h.slot < t->cap);
    h.gen = t->gen[h.slot];
    return h;
}

TEST(a_table_gives_each_slot_once_and_is_then_full)
{
    static const uint32_t caps[] = {1, 2, 7, TN_CONNECTIONS};

    for (size_t c = 0; c < sizeof caps / sizeof caps[0]; c++) {
        struct tn_slots *t = new_slots(caps[c]);
        static uint8_t given[TN_CONNECTIONS];

        for (uint32_t i = 0; i < caps[c]; i++)
            given[i] = 0;
        for (uint32_t i = 0; i < caps[c]; i++) {
            struct tn_handle h = take(t);

            CHECK_EQ(given[h.slot], 0);
            CHECK_EQ(tn_slots_has(t, h), 1);
            given[h.slot] = 1;
        }
        CHECK_EQ(t->live, caps[c]);
        CHECK_EQ(tn_slots_take(t), TN_NONE);
    }
}

TEST(a_zeroed_handle_and_a_slot_out_of_range_are_refused)
{
    struct tn_slots *t = new_slots(TN_CONNECTIONS);
    struct tn_handle h = {0, 0};

    CHECK_EQ(tn_slots_has(t, h), 0);
    for (uint32_t i = 0; i < TN_CONNECTIONS; i++)
        tn_slots_take(t);
    CHECK_EQ(tn_slots_has(t, h), 0);
    for (h.gen = 0; h.gen < 3; h.gen++) {
        h.slot = TN_CONNECTIONS;
        CHECK_EQ(tn_slots_has(t, h), 0);
        h.slot = TN_NONE;
        CHECK_EQ(tn_slots_has(t, h), 0);
    }
}

TEST(a_handle_of_a_free_slot_is_refused_even_in_its_next_generation)
{
    struct tn_slots *t = new_slots(3);
    struct tn_handle h = {0, 1};

    CHECK_EQ(t->gen[0], 1);
    CHECK_EQ(tn_slots_has(t, h), 0);
    h = take(t);
    CHECK_EQ(tn_slots_has(t, h), 1);
    tn_slots_release(t, h.slot);
    CHECK_EQ(tn_slots_has(t, h), 0);
    h.gen++;
    CHECK_EQ(tn_slots_has(t, h), 0);
}

TEST(a_slot_without_a_generation_left_retires_and_the_others_go_on)
{
    enum { CAP = 5 };
    struct tn_slots *t = new_slots(CAP);
    uint32_t retired[CAP] = {0}, seed = 7;

    for (uint32_t left = CAP; left > 0; left--) {
        struct tn_handle h, first;
        uint32_t s;

        first = take(t);
        s = first.slot;
        CHECK_EQ(retired[s], 0);
        t->gen[s] = UINT32_MAX;
        h.slot = s;
        h.gen = UINT32_MAX;
        CHECK_EQ(tn_slots_has(t, h), 1);
        CHECK_EQ(tn_slots_has(t, first), 0);
        for (uint32_t i = random_below(&seed, left); i > 0; i--)
            tn_slots_take(t);
        tn_slots_release(t, s);
        retired[s] = 1;
        CHECK_EQ(t->usable, left - 1);
        CHECK_EQ(tn_slots_has(t, h), 0);
        while (t->live < t->usable)
            CHECK_EQ(retired[take(t).slot], 0);
        CHECK_EQ(tn_slots_take(t), TN_NONE);
        for (uint32_t i = 0; i < CAP; i++)
            if (!retired[i])
                tn_slots_release(t, i);
        CHECK_EQ(t->live, 0);
        CHECK_EQ(tn_slots_has(t, h), 0);
    }
    CHECK_EQ(tn_slots_take(t), TN_NONE);
}

TEST(the_generation_before_the_last_is_followed_by_the_last)
{
    struct tn_slots *t = new_slots(1);

    tn_slots_take(t);
    t->gen[0] = UINT32_MAX - 1;
    tn_slots_release(t, 0);
    CHECK_EQ(t->usable, 1);
    CHECK_EQ(take(t).gen, UINT32_MAX);
}

enum { LIVES = 4000, CAP = 12 };

/* All handles ever given; a slot's present life is the last of its lives. */
struct lives {
    struct tn_handle all[LIVES];
    uint8_t ended[LIVES];
    uint32_t n;
};

static void check_lives(const struct tn_slots *t, const struct lives *m, uint32_t live)
{
    for (uint32_t i = 0; i < m->n; i++)
        CHECK_EQ(tn_slots_has(t, m->all[i]), !m->ended[i]);
    CHECK_EQ(t->live, live);
}

TEST(random_lives_never_share_a_handle_and_ended_ones_stay_refused)
{
    static struct lives m;
    struct tn_slots *t = new_slots(CAP);
    uint32_t seed = 123456789u, live = 0, retired = 0;

    while (m.n < LIVES && retired < CAP) {
        if (random_below(&seed, 2) == 0) {
            uint32_t s = tn_slots_take(t);

            if (live == CAP - retired) {
                CHECK_EQ(s, TN_NONE);
                continue;
            }
            REQUIRE(s < CAP);
            /* Now and then a slot is made old, as years of use would. */
            if (random_below(&seed, 200) == 0)
                t->gen[s] = UINT32_MAX - random_below(&seed, 2);
            for (uint32_t i = 0; i < m.n; i++)
                CHECK(m.all[i].slot != s || (m.ended[i] && m.all[i].gen != t->gen[s]));
            m.all[m.n].slot = s;
            m.all[m.n++].gen = t->gen[s];
            live++;
        } else if (live > 0) {
            uint32_t i = random_below(&seed, m.n);

            while (m.ended[i])
                i = (i + 1) % m.n;
            retired += m.all[i].gen == UINT32_MAX;
            tn_slots_release(t, m.all[i].slot);
            m.ended[i] = 1;
            live--;
        }
        if (m.n % 50 == 0)
            check_lives(t, &m, live);
    }
    check_lives(t, &m, live);
    CHECK(retired > 0);
}
