/* defines: -DTN_CONNECTIONS=6u -DTN_BLOCKS=6u -DTN_FRAME_MAX=24u -DTN_BATCH=8u -DTN_LISTENERS=1u -DTN_WATCHES=1u -DTN_USER_TIMERS=5u */
/* The caller's timers on the simulated kernel, where the clock is exact, under
 * every model of events.  Its clock has whole milliseconds: what lies between
 * is met in tests/unit/test_user_timers.c. */
#include "tap.h"

#include "serve/server.h"
#include "simkernel.h"

#define PEERS 3
#define ROOM 64u
/* Pauses of polling grow on this kernel: a timer is late by so much, at most. */
#define PAUSE_MAX 130

static struct tn_server server;
static struct tn_event ev;
static uint32_t model;
static int32_t listener;
static int32_t peer[PEERS];

#define TIMER_TEST(name) \
    static void name(void); \
    TEST(name##_under_epoll) \
    { \
        model = TN_EPOLL; \
        name(); \
    } \
    TEST(name##_under_epoll_et) \
    { \
        model = TN_EPOLL_ET; \
        name(); \
    } \
    TEST(name##_under_poll) \
    { \
        model = TN_POLL; \
        name(); \
    } \
    TEST(name##_under_select) \
    { \
        model = TN_SELECT; \
        name(); \
    } \
    TEST(name##_under_polling) \
    { \
        model = TN_POLLING; \
        name(); \
    } \
    static void name(void)

static void start(uint64_t seed)
{
    struct tn_options o = {.framing = TN_U32, .model = model};

    sim_reset_seeded(seed, NULL);
    sim_serves(model);
    REQUIRE(tn_init(&server, &o) == 1);
    listener = sim_listener();
    REQUIRE(tn_listen(&server, listener) == 1);
    sim_listener_given(listener);
}

static void stop(void)
{
    tn_fini(&server);
    CHECK_EQ(sim_open_count(1), 0);
}

static int32_t next(int32_t timeout_ms)
{
    sim_clock_known();
    sim_progress();
    return tn_next(&server, &ev, timeout_ms);
}

static void connect_peers(void)
{
    for (uint32_t i = 0; i < PEERS; i++) {
        peer[i] = sim_peer_connect(listener, ROOM, ROOM);
        REQUIRE(peer[i] >= 0);
        REQUIRE(next(0) == 1);
        REQUIRE(ev.type == TN_OPENED);
    }
}

static void say(int32_t id)
{
    static const uint8_t frame[5] = {0, 0, 0, 1, 'x'};

    REQUIRE(sim_peer_write(id, frame, 5) == 5);
}

/* The next event is of this timer, and comes so long after the moment given:
 * at the first look at the clock from then on. */
static void rings(uint32_t timer, int64_t since, int64_t ms)
{
    CHECK_EQ(next(TN_FOREVER), 1);
    CHECK_EQ(ev.type, TN_TIMER);
    CHECK_EQ(ev.timer, timer);
    CHECK(sim_now() - since >= ms);
    CHECK(sim_now() - since <= ms + (model == TN_POLLING ? PAUSE_MAX : 0));
}

TIMER_TEST(a_timer_rings_once_more_than_its_time_after_it_was_set)
{
    static const int64_t times[] = {0, 1, 2, 50, 999, 100000};

    start(1);
    for (uint32_t i = 0; i < sizeof times / sizeof *times; i++) {
        const int64_t set = sim_now();

        CHECK_EQ(tn_timer_set(&server, i % 5, times[i], 0), 1);
        rings(i % 5, set, times[i] + 1);
        CHECK_EQ(next(10000), 0);
    }
    stop();
}

/* Waits that end early and late, and a caller that is slow. */
TIMER_TEST(no_timer_is_early_whatever_the_kernel_does)
{
    int64_t set[TN_USER_TIMERS], after[TN_USER_TIMERS];
    uint32_t rung = 0;

    start(2);
    sim_fault_rate(SIM_LATE, 60);
    sim_fault_rate(SIM_SIGNAL, 60);
    for (uint32_t i = 0; i < TN_USER_TIMERS; i++)
        set[i] = -1;
    while (rung < 400) {
        const uint32_t i = sim_choose(TN_USER_TIMERS);

        if (set[i] < 0) {
            set[i] = sim_now();
            after[i] = sim_choose(60);
            CHECK_EQ(tn_timer_set(&server, i, after[i], 0), 1);
        }
        if (next(sim_choose(2) == 0 ? 0 : 7) == 1) {
            REQUIRE(ev.type == TN_TIMER);
            REQUIRE(set[ev.timer] >= 0);
            CHECK(sim_now() - set[ev.timer] > after[ev.timer]);
            set[ev.timer] = -1;
            rung++;
        }
        sim_advance(sim_choose(3));
    }
    stop();
}

TIMER_TEST(a_timer_counts_from_when_it_is_set_not_from_the_last_wait)
{
    int64_t set;

    start(1);
    CHECK_EQ(next(0), 0);
    sim_advance(500); /* the caller thinks */
    set = sim_now();
    CHECK_EQ(tn_timer_set(&server, 0, 100, 0), 1);
    rings(0, set, 101);
    stop();
}

TIMER_TEST(a_period_does_not_drift)
{
    int64_t set;

    start(1);
    set = sim_now();
    CHECK_EQ(tn_timer_set(&server, 2, 30, 300), 1);
    for (int64_t k = 0; k < 100; k++) {
        rings(2, set, 31 + 300 * k);
        sim_advance(k * 2); /* the caller is slow, but not a whole period */
    }
    stop();
}

/* A clock that jumps, or a caller that is busy. */
TIMER_TEST(a_period_rings_once_for_all_the_times_that_were_missed)
{
    int64_t set;

    start(1);
    set = sim_now();
    CHECK_EQ(tn_timer_set(&server, 2, 0, 1000), 1);
    rings(2, set, 1);
    sim_advance(86400000);
    rings(2, set, 86400001);
    rings(2, set, 86401001);
    sim_advance(2500);
    rings(2, set, 86403501);
    rings(2, set, 86404001);
    stop();
}

TIMER_TEST(a_clock_that_jumps_rings_a_timer_once)
{
    start(1);
    CHECK_EQ(tn_timer_set(&server, 0, 1000, 0), 1);
    sim_advance(86400000);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(ev.type, TN_TIMER);
    CHECK_EQ(next(100), 0);
    stop();
}

/* libuv#4245.  The clock stands still while timers are handled, and so a zero
 * timer is over as soon as it is set. */
TIMER_TEST(a_zero_timer_that_is_set_again_and_again_starves_nobody)
{
    start(1);
    connect_peers();
    CHECK_EQ(tn_timer_set(&server, 0, 0, 0), 1);
    for (int round = 0; round < 50; round++) {
        uint32_t frames = 0;

        for (uint32_t i = 0; i < PEERS; i++)
            say(peer[i]);
        for (;;) {
            REQUIRE(next(TN_FOREVER) == 1);
            if (ev.type != TN_FRAME)
                break;
            frames++;
        }
        CHECK_EQ(ev.type, TN_TIMER);
        if (round > 0)
            CHECK_EQ(frames, PEERS);
        CHECK_EQ(tn_timer_set(&server, 0, 0, 0), 1);
    }
    stop();
}

/* A time limit of the caller's must not be over while what it waits for is there. */
TIMER_TEST(what_was_ready_is_served_before_a_timer_rings)
{
    start(1);
    connect_peers();
    CHECK_EQ(tn_timer_set(&server, 0, 10, 0), 1);
    CHECK_EQ(tn_timer_set(&server, 1, 10, 0), 1);
    sim_advance(100);
    for (uint32_t i = 0; i < PEERS; i++)
        say(peer[i]);
    for (uint32_t i = 0; i < PEERS; i++) {
        CHECK_EQ(next(TN_FOREVER), 1);
        CHECK_EQ(ev.type, TN_FRAME);
    }
    CHECK_EQ(next(TN_FOREVER), 1);
    CHECK_EQ(ev.type, TN_TIMER);
    say(peer[0]); /* since then, and so it waits for the next turn */
    CHECK_EQ(next(TN_FOREVER), 1);
    CHECK_EQ(ev.type, TN_TIMER);
    stop();
}

/* Each is over again before it is handled. */
TIMER_TEST(timers_that_are_always_due_starve_nobody)
{
    uint32_t frames = 0;

    start(1);
    connect_peers();
    for (uint32_t i = 0; i < TN_USER_TIMERS; i++)
        CHECK_EQ(tn_timer_set(&server, i, 0, 1), 1);
    for (int calls = 0; calls < 50 * (int)(TN_USER_TIMERS + PEERS); calls++) {
        for (uint32_t i = 0; i < PEERS; i++)
            if (sim_facts(peer[i]).unread == 0)
                say(peer[i]);
        REQUIRE(next(TN_FOREVER) == 1);
        frames += ev.type == TN_FRAME;
        sim_advance(5);
    }
    CHECK(frames >= 45 * PEERS);
    stop();
}

TIMER_TEST(a_timer_of_the_round_rings_once_between_two_waits)
{
    uint64_t waits = 0;

    start(1);
    CHECK_EQ(tn_timer_set(&server, 0, 0, 1), 1);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(next(TN_FOREVER), 1);
        CHECK(sim_stats()->waits > waits);
        waits = sim_stats()->waits;
        sim_advance(100);
    }
    stop();
}

/* Each call finds more to read, and the clock goes on. */
TIMER_TEST(peers_that_never_stop_do_not_keep_a_timer_waiting)
{
    int64_t due;

    start(1);
    connect_peers();
    CHECK_EQ(tn_timer_set(&server, 0, 9, 10), 1);
    due = sim_now() + 10;
    for (int rung = 0; rung < 20;) {
        for (uint32_t i = 0; i < PEERS; i++)
            if (sim_facts(peer[i]).unread == 0)
                say(peer[i]);
        REQUIRE(next(TN_FOREVER) == 1);
        if (ev.type == TN_TIMER) {
            CHECK(sim_now() >= due);
            CHECK(sim_now() <= due + 2 * PEERS); /* a batch was on its way */
            due += 10;
            rung++;
        }
        sim_advance(1);
    }
    stop();
}

TIMER_TEST(timers_ring_in_the_order_of_their_times)
{
    int64_t set;

    start(1);
    set = sim_now();
    CHECK_EQ(tn_timer_set(&server, 0, 30, 0), 1);
    CHECK_EQ(tn_timer_set(&server, 1, 10, 0), 1);
    CHECK_EQ(tn_timer_set(&server, 4, 20, 0), 1);
    CHECK_EQ(tn_timer_set(&server, 2, 40, 0), 1);
    sim_advance(35);
    rings(1, set, 35);
    rings(4, set, 35);
    rings(0, set, 35);
    rings(2, set, 41);
    stop();
}

TIMER_TEST(a_timer_cancelled_while_another_is_handled_does_not_ring)
{
    start(1);
    CHECK_EQ(tn_timer_set(&server, 0, 10, 0), 1);
    CHECK_EQ(tn_timer_set(&server, 1, 10, 10), 1);
    CHECK_EQ(next(TN_FOREVER), 1);
    CHECK_EQ(ev.timer, 0);
    CHECK_EQ(tn_timer_cancel(&server, 1), 1);
    CHECK_EQ(tn_timer_cancel(&server, 1), 1);
    CHECK_EQ(next(1000), 0);
    stop();
}

TIMER_TEST(a_timer_set_again_while_another_is_handled_rings_at_its_new_time_only)
{
    int64_t set;

    start(1);
    CHECK_EQ(tn_timer_set(&server, 0, 10, 0), 1);
    CHECK_EQ(tn_timer_set(&server, 1, 10, 0), 1);
    CHECK_EQ(next(TN_FOREVER), 1);
    CHECK_EQ(ev.timer, 0);
    set = sim_now();
    CHECK_EQ(tn_timer_set(&server, 1, 50, 0), 1);
    rings(1, set, 51);
    CHECK_EQ(next(1000), 0);
    stop();
}

TIMER_TEST(a_period_ends_when_its_timer_is_cancelled_or_set_to_ring_once)
{
    start(1);
    CHECK_EQ(tn_timer_set(&server, 0, 10, 10), 1);
    CHECK_EQ(next(TN_FOREVER), 1);
    CHECK_EQ(tn_timer_cancel(&server, 0), 1);
    CHECK_EQ(next(1000), 0);
    CHECK_EQ(tn_timer_set(&server, 0, 10, 10), 1);
    CHECK_EQ(next(TN_FOREVER), 1);
    CHECK_EQ(tn_timer_set(&server, 0, 10, 0), 1);
    CHECK_EQ(next(TN_FOREVER), 1);
    CHECK_EQ(next(1000), 0);
    stop();
}

TIMER_TEST(a_call_that_ends_with_a_timer_tells_of_the_timer)
{
    start(1);
    CHECK_EQ(tn_timer_set(&server, 0, 99, 0), 1);
    CHECK_EQ(next(50), 0);
    CHECK_EQ(next(50), 1);
    CHECK_EQ(ev.type, TN_TIMER);
    CHECK_EQ(tn_timer_set(&server, 0, 5, 0), 1);
    sim_advance(6);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(ev.type, TN_TIMER);
    stop();
}

TIMER_TEST(what_is_out_of_range_is_refused_and_changes_nothing)
{
    int64_t set;

    start(1);
    set = sim_now();
    CHECK_EQ(tn_timer_set(&server, 0, 10, 0), 1);
    CHECK_EQ(tn_timer_set(&server, TN_USER_TIMERS, 1, 0), TN_EINVAL);
    CHECK_EQ(tn_timer_set(&server, TN_NONE, 1, 0), TN_EINVAL);
    CHECK_EQ(tn_timer_set(&server, 0, -1, 0), TN_EINVAL);
    CHECK_EQ(tn_timer_set(&server, 0, 1, -1), TN_EINVAL);
    CHECK_EQ(tn_timer_set(&server, 0, TN_TIMER_MAX_MS + 1, 0), TN_EINVAL);
    CHECK_EQ(tn_timer_set(&server, 0, 1, TN_TIMER_MAX_MS + 1), TN_EINVAL);
    CHECK_EQ(tn_timer_cancel(&server, TN_USER_TIMERS), TN_EINVAL);
    CHECK_EQ(tn_timer_set(&server, 1, TN_TIMER_MAX_MS, TN_TIMER_MAX_MS), 1);
    rings(0, set, 11);
    stop();
}

TIMER_TEST(timers_go_on_during_a_drain_and_do_not_keep_it)
{
    int rung = 0;

    start(1);
    connect_peers();
    CHECK_EQ(tn_timer_set(&server, 0, 10, 10), 1);
    CHECK_EQ(tn_timer_set(&server, 1, 86400000, 0), 1);
    tn_drain(&server, 1000);
    sim_unasked_receive();
    while (next(TN_FOREVER) == 1)
        rung += ev.type == TN_TIMER;
    CHECK(rung >= (model == TN_POLLING ? 5 : 95));
    CHECK(rung <= 101);
    CHECK_EQ(next(TN_FOREVER), TN_EOF);
    stop();
}

TIMER_TEST(a_timer_far_ahead_wakes_nobody)
{
    uint64_t waits;

    start(1);
    CHECK_EQ(tn_timer_set(&server, 0, 86400000, 0), 1);
    waits = sim_stats()->waits;
    CHECK_EQ(next(1000), 0);
    CHECK(model == TN_POLLING || sim_stats()->waits - waits <= 2);
    stop();
}
