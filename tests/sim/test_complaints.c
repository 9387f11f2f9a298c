/* defines: -DTN_CONNECTIONS=6u -DTN_BLOCKS=2u -DTN_FRAME_MAX=24u -DTN_BATCH=8u -DTN_LISTENERS=3u -DTN_WATCHES=3u */
/* What users of other event loops complain of, each as a test on the simulated
 * kernel, where a batch, a clock and an exhausted table are exact. */
#include "tap.h"

#include "serve/server.h"
#include "simkernel.h"

#include <string.h>

#define ROOM 64u

/* test_complaints_epoll_et.c is the same over epoll-et, test_complaints_poll.c and
 * test_complaints_select.c over these, which list listeners before connections: a
 * number cannot be reused within their batches. */
#ifndef MODEL
#define MODEL TN_EPOLL
#define IN_KERNEL
#endif

static struct tn_server server;
static struct tn_event ev;
static int32_t listener;

static void start(uint32_t connections, uint32_t idle_ms)
{
    struct tn_options o = {
        .connections = connections, .framing = TN_U32, .idle_ms = idle_ms, .model = MODEL};

    sim_reset(NULL, 0, NULL);
    sim_serves(MODEL);
    REQUIRE(tn_init(&server, &o) == 1);
    listener = sim_listener();
    REQUIRE(tn_listen(&server, listener) == 1);
    sim_listener_given(listener);
}

static int32_t connected(uint32_t room_out)
{
    int32_t id = sim_peer_connect(listener, ROOM, room_out);

    REQUIRE(id >= 0);
    return id;
}

/* tn_next, of a caller that knows what it does when it does not wait. */
static int32_t next(int32_t timeout_ms)
{
    sim_clock_known();
    sim_progress();
    return tn_next(&server, &ev, timeout_ms);
}

/* Connects a peer and takes its TN_OPENED. */
static int32_t opened(struct tn_handle *h, uint32_t room_out)
{
    int32_t id = connected(room_out);

    REQUIRE(next(0) == 1);
    REQUIRE(ev.type == TN_OPENED);
    *h = ev.conn;
    return id;
}

static void say(int32_t id, uint8_t byte)
{
    const uint8_t frame[5] = {0, 0, 0, 1, byte};

    REQUIRE(sim_peer_write(id, frame, 5) == 5);
}

/* Two unfinished frames, of a and b, hold both buffers: c, who has said 1, is parked. */
static int32_t opened_without_buffer(struct tn_handle *a, struct tn_handle *b, struct tn_handle *c)
{
    int32_t parked;

    CHECK_EQ(sim_peer_write(opened(a, ROOM), (const uint8_t *)"\0\0", 2), 2);
    CHECK_EQ(sim_peer_write(opened(b, ROOM), (const uint8_t *)"\0\0", 2), 2);
    CHECK_EQ(next(0), 0);
    parked = opened(c, ROOM);
    say(parked, 1);
    CHECK_EQ(next(0), 0);
    CHECK_EQ(server.conn[c->slot].state, TN_CONN_PARKED);
    return parked;
}

static uint32_t is(const struct tn_event *e, uint32_t type, struct tn_handle h)
{
    return e->type == type && e->conn.slot == h.slot && e->conn.gen == h.gen;
}

static uint64_t waits_during(int32_t ms)
{
    uint64_t before = sim_stats()->waits;

    CHECK_EQ(next(ms), 0);
    return sim_stats()->waits - before;
}

static void no_more_descriptors(void)
{
    sim_descriptor_limit(sim_open_count(1) + sim_open_count(2));
}

static void stop(void)
{
    tn_fini(&server);
    CHECK_EQ(sim_open_count(1), 0);
}

#ifdef IN_KERNEL
static int32_t second_listener(void)
{
    int32_t fd = sim_listener();

    REQUIRE(tn_listen(&server, fd) == 1);
    sim_listener_given(fd);
    return fd;
}

/* libdill#129, libhv#754: A's handler closes B, the number is reused at once,
 * and B's event is still in the batch. */
static void stale_event(int reset)
{
    struct tn_handle b, a, c;
    int32_t peer_b, peer_a, newcomer, second, number;

    start(3, 0);
    peer_b = opened(&b, ROOM);
    peer_a = opened(&a, ROOM);
    second = second_listener();
    number = server.table.fd[b.slot];
    say(peer_a, 1);
    say(peer_b, 2);
    if (reset)
        sim_peer_reset(peer_b);
    newcomer = sim_peer_connect(second, ROOM, ROOM);
    sim_first_ready(server.table.fd[a.slot]);
    CHECK_EQ(next(0), 1);
    CHECK(is(&ev, TN_FRAME, a));
    CHECK_EQ(server.table.poller.count, 3);
    CHECK_EQ(tn_close(&server, b), 1);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(ev.type, TN_OPENED);
    c = ev.conn;
    CHECK_EQ(server.table.fd[c.slot], number);
    CHECK_EQ(next(0), 0);
    CHECK_EQ(sim_facts(newcomer).receives, 0);
    CHECK_EQ(tn_send(&server, b, ev.data, 0), TN_ESTALE);
    CHECK_EQ(tn_send(&server, c, NULL, 0), 1);
    stop();
}

TEST(a_stale_event_never_reaches_the_newcomer_with_its_number)
{
    stale_event(0);
}

TEST(a_stale_hang_up_never_reaches_the_newcomer_with_its_number)
{
    stale_event(1);
}
#endif

/* The same for watched descriptors. */
TEST(a_stale_readiness_never_reaches_the_next_watched_descriptor)
{
    int32_t old_one, new_one, first, w, w2;

    start(1, 0);
    first = sim_foreign();
    old_one = sim_foreign();
    new_one = sim_foreign();
    CHECK_EQ(tn_watch(&server, first), 0);
    w = tn_watch(&server, old_one);
    CHECK_EQ(w, 1);
    sim_foreign_fill(first, 1);
    sim_foreign_fill(old_one, 1);
    sim_first_ready(first);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(ev.type, TN_READY);
    CHECK_EQ(ev.watch, 0);
    sim_foreign_drain(first);
    CHECK_EQ(tn_unwatch(&server, 1), 1);
    w2 = tn_watch(&server, new_one);
    CHECK(w2 >= 0);
    CHECK_EQ(next(0), 0);
    sim_foreign_fill(new_one, 1);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(ev.watch, w2);
    stop();
}

TEST(a_connection_closed_within_a_batch_has_no_more_events)
{
    struct tn_handle a, b;
    int32_t peer_a, peer_b;

    start(3, 0);
    peer_a = opened(&a, ROOM);
    peer_b = opened(&b, ROOM);
    say(peer_a, 1);
    say(peer_a, 2);
    say(peer_b, 3);
    sim_first_ready(server.table.fd[a.slot]);
    CHECK_EQ(next(0), 1);
    CHECK(is(&ev, TN_FRAME, a));
    CHECK_EQ(tn_close(&server, a), 1);
    CHECK_EQ(tn_close(&server, b), 1);
    CHECK_EQ(next(0), 0);
    CHECK_EQ(tn_finish(&server, a), TN_ESTALE);
    CHECK_EQ(tn_close(&server, b), TN_ESTALE);
    stop();
}

/* A delivery that is broken off leaves nothing behind for the next one. */
TEST(closing_in_the_middle_of_a_delivery_harms_no_other_connection)
{
    struct tn_handle a, b;
    int32_t peer_a, peer_b;
    uint8_t bytes[ROOM];

    start(3, 0);
    peer_b = opened(&b, 4);
    peer_a = opened(&a, ROOM);
    say(peer_b, 9);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(tn_send(&server, b, ev.data, ev.len), 1);
    CHECK_EQ(next(0), 0);
    say(peer_a, 1);
    say(peer_a, 2);
    CHECK_EQ(next(0), 1);
    CHECK(is(&ev, TN_FRAME, a));
    CHECK_EQ(sim_peer_read(peer_b, bytes, ROOM), 4);
    CHECK_EQ(tn_close(&server, a), 1);
    CHECK_EQ(next(0), 0);
    CHECK_EQ(sim_peer_read(peer_b, bytes, ROOM), 1);
    CHECK_EQ(bytes[0], 9);
    say(peer_b, 10);
    CHECK_EQ(next(0), 1);
    CHECK(is(&ev, TN_FRAME, b));
    CHECK_EQ(ev.data[0], 10);
    stop();
}

/* libuv#690, libevent#1089: the listener stays readable and accept fails. */
TEST(without_descriptors_accepting_pauses_and_does_not_spin)
{
    start(4, 0);
    no_more_descriptors();
    connected(ROOM);
    CHECK(waits_during(1000) <= 22);
    CHECK(server.counters.accept_pauses > 0);
    sim_descriptor_limit(SIM_FDS);
    CHECK_EQ(next(2 * TN_ACCEPT_RETRY_MS), 1);
    CHECK_EQ(ev.type, TN_OPENED);
    stop();
}

TEST(accepting_resumes_at_once_when_a_connection_of_ours_is_closed)
{
    struct tn_handle a;

    start(4, 0);
    opened(&a, ROOM);
    no_more_descriptors();
    connected(ROOM);
    CHECK_EQ(next(0), 0);
    CHECK_EQ(tn_close(&server, a), 1);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(ev.type, TN_OPENED);
    stop();
}

TEST(a_full_table_leaves_newcomers_in_the_backlog_and_does_not_spin)
{
    struct tn_handle a;
    int32_t waiting;

    start(1, 0);
    opened(&a, ROOM);
    waiting = connected(ROOM);
    CHECK(waits_during(60000) <= 3);
    CHECK_EQ(sim_queued(listener), 1);
    CHECK(!sim_peer_sees_reset(waiting));
    CHECK_EQ(tn_close(&server, a), 1);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(ev.type, TN_OPENED);
    stop();
}

/* A hang-up is reported without being asked for, again and again. */
TEST(a_hang_up_while_nothing_is_wanted_does_not_spin)
{
    struct tn_handle a, b, c;
    int32_t parked;

    start(3, 0);
    parked = opened_without_buffer(&a, &b, &c);
    sim_peer_reset(parked);
    CHECK(waits_during(60000) <= 4);
    CHECK_EQ(tn_close(&server, a), 1);
    do {
        REQUIRE(next(0) == 1);
    } while (ev.type == TN_FRAME);
    CHECK(is(&ev, TN_CLOSED, c));
    CHECK_EQ(ev.reason, TN_BY_RESET);
    stop();
}

/* A message to a connection leaves at once, and may be what meets a break of it
 * that was reported already; whatever fails next, the caller is told. */
TEST(a_break_that_a_message_meets_is_told)
{
    for (uint32_t k = 0; k < 6; k++) {
        struct tn_handle a;
        int32_t broken;

        start(3, 0);
        broken = opened(&a, ROOM);
        CHECK_EQ(sim_peer_write(broken, (const uint8_t *)"\0\0", 2), 2);
        sim_peer_reset(broken);
        connected(ROOM);
        connected(ROOM);
        sim_first_ready(listener);
        CHECK_EQ(next(0), 1);
        CHECK_EQ(ev.type, TN_OPENED);
        CHECK_EQ(next(0), 1); /* by level, the break may be told first */
        CHECK(ev.type == TN_OPENED || MODEL == TN_EPOLL);
        if (ev.type == TN_OPENED) {
            CHECK_EQ(tn_send(&server, a, (const uint8_t *)"x", 1), 1);
            sim_fail_call(k, 0);
            for (uint32_t i = 0; i < 8 && next(0) == 0; i++)
                ;
        }
        CHECK(is(&ev, TN_CLOSED, a));
        CHECK_EQ(ev.reason, TN_BY_RESET);
        stop();
    }
}

/* It has nothing to hold the buffer for, and still waits for one to be read into. */
TEST(a_message_to_a_connection_that_waits_for_a_buffer_does_not_end_its_wait)
{
    struct tn_handle a, b, c;
    uint8_t bytes[ROOM];
    int32_t parked;

    start(3, 0);
    parked = opened_without_buffer(&a, &b, &c);
    CHECK_EQ(tn_send(&server, c, (const uint8_t *)"x", 1), 0); /* no buffer for it either */
    CHECK_EQ(tn_close(&server, a), 1);
    CHECK_EQ(tn_send(&server, c, (const uint8_t *)"x", 1), 1);
    CHECK_EQ(sim_peer_read(parked, bytes, ROOM), 5);
    CHECK_EQ(server.conn[c.slot].state, TN_CONN_PARKED);
    CHECK_EQ(server.pool.free, 1);
    sim_unasked_receive();
    CHECK_EQ(next(0), 1);
    CHECK(is(&ev, TN_FRAME, c));
    stop();
}

/* 730,000 polls a second in one peer: bytes wait on either side, and nobody
 * can take them. */
TEST(a_peer_that_does_not_read_is_neither_served_nor_polled)
{
    struct tn_handle a;
    uint8_t frame[4 + TN_FRAME_MAX] = {0, 0, 0, TN_FRAME_MAX};
    uint32_t written = 0, taken;
    uint64_t receives;
    int32_t id;

    start(1, 0);
    id = opened(&a, 8);
    do {
        taken = sim_peer_write(id, frame + written % sizeof frame,
                               (uint32_t)sizeof frame - written % (uint32_t)sizeof frame);
        written += taken;
        while (next(0) == 1)
            CHECK_EQ(tn_send(&server, a, ev.data, ev.len), 1);
    } while (taken > 0);
    CHECK(written < 400); /* the peer is slowed down */
    receives = sim_facts(id).receives;
    CHECK(waits_during(60000) <= 2);
    CHECK_EQ(sim_facts(id).receives, receives);
    stop();
}

TEST(a_clock_that_jumps_closes_no_connection_whose_bytes_have_come)
{
    struct tn_handle a, b;
    int32_t id;

    start(2, 1000);
    id = opened(&a, ROOM);
    opened(&b, ROOM);
    say(id, 1);
    sim_advance(86400000);
    sim_first_ready(server.table.fd[a.slot]);
    CHECK_EQ(next(5000), 1);
    CHECK(is(&ev, TN_FRAME, a));
    CHECK_EQ(next(500), 1);
    CHECK(is(&ev, TN_CLOSED, b));
    CHECK_EQ(ev.reason, TN_BY_IDLE);
    CHECK(waits_during(999) <= 3);
    CHECK_EQ(next(2), 1);
    CHECK(is(&ev, TN_CLOSED, a));
    stop();
}

TEST(a_deadline_counts_from_when_bytes_moved_however_slow_the_caller_is)
{
    struct tn_handle a;
    int32_t id;

    start(1, 1000);
    id = opened(&a, ROOM);
    say(id, 1);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(tn_send(&server, a, ev.data, ev.len), 1);
    sim_advance(900); /* the caller thinks */
    CHECK_EQ(next(0), 0);
    CHECK_EQ(next(999), 0);
    CHECK_EQ(next(2), 1);
    CHECK(is(&ev, TN_CLOSED, a));
    stop();
}

/* A caller that never waits (libuv#4245) still gets every event. */
TEST(a_timeout_of_zero_starves_nobody)
{
    struct tn_handle a, b;
    int32_t peer_a, peer_b;
    uint32_t frames_a = 0, frames_b = 0;

    start(2, 0);
    peer_a = opened(&a, ROOM);
    peer_b = opened(&b, ROOM);
    for (uint32_t i = 0; i < 100; i++) {
        uint8_t bytes[ROOM];

        if (sim_facts(peer_a).unread < 40)
            say(peer_a, 1);
        if (sim_facts(peer_b).unread < 40)
            say(peer_b, 2);
        if (next(0) != 1)
            continue;
        frames_a += is(&ev, TN_FRAME, a);
        frames_b += is(&ev, TN_FRAME, b);
        CHECK_EQ(tn_send(&server, ev.conn, ev.data, ev.len), 1);
        sim_peer_read(peer_a, bytes, ROOM);
        sim_peer_read(peer_b, bytes, ROOM);
    }
    CHECK(frames_a > 40);
    CHECK(frames_b > 40);
    stop();
}

/* Parts of frames make no event, but each makes the descriptor ready. */
TEST(a_peer_that_dribbles_does_not_hold_the_caller_past_its_time)
{
    struct tn_handle a;
    int32_t id;

    start(1, 0);
    id = opened(&a, ROOM);
    CHECK_EQ(sim_peer_write(id, (const uint8_t *)"\0\0\0", 3), 3);
    sim_fault_rate(SIM_SHORT, 256);
    for (uint32_t i = 1; i <= 3; i++) {
        CHECK_EQ(next(0), 0);
        CHECK_EQ(sim_facts(id).received, i);
    }
    stop();
}

/* What the peer still sends must not turn our last bytes into a reset. */
TEST(an_answer_survives_the_bytes_that_come_after_tn_finish)
{
    struct tn_handle a;
    uint8_t bytes[ROOM];
    int32_t id;

    start(1, 0);
    id = opened(&a, ROOM);
    say(id, 1);
    CHECK_EQ(next(0), 1);
    CHECK_EQ(tn_send(&server, a, ev.data, ev.len), 1);
    CHECK_EQ(tn_finish(&server, a), 1);
    CHECK_EQ(next(0), 0);
    say(id, 2);
    say(id, 3);
    CHECK_EQ(next(10), 0);
    CHECK(!sim_peer_sees_reset(id));
    CHECK_EQ(sim_peer_read(id, bytes, ROOM), 5);
    CHECK(sim_peer_sees_end(id));
    sim_peer_finish(id);
    CHECK_EQ(next(0), 1);
    CHECK(is(&ev, TN_CLOSED, a));
    CHECK_EQ(ev.reason, TN_BY_CALLER);
    stop();
}

TEST(a_drain_ends_connections_that_wait_for_a_buffer)
{
    struct tn_handle a, b, c;
    int32_t peer_a, parked;

    start(3, 0);
    peer_a = opened(&a, ROOM);
    CHECK_EQ(sim_peer_write(peer_a, (const uint8_t *)"\0\0", 2), 2);
    CHECK_EQ(sim_peer_write(opened(&b, ROOM), (const uint8_t *)"\0\0", 2), 2);
    CHECK_EQ(next(0), 0);
    parked = opened(&c, ROOM);
    say(parked, 1);
    CHECK_EQ(next(0), 0);
    CHECK_EQ(server.conn[c.slot].state, TN_CONN_PARKED);
    tn_drain(&server, TN_FOREVER);
    sim_unasked_receive();
    for (uint32_t i = 0; i < 10 && next(0) == 1; i++)
        ;
    CHECK(sim_facts(parked).finished);
    CHECK_EQ(sim_facts(parked).unread, 0);
    CHECK_EQ(next(TN_DEFAULT_LINGER_MS + 1), 1);
    for (uint32_t i = 0; i < 10 && next(0) == 1; i++)
        ;
    CHECK_EQ(next(0), TN_EOF);
    stop();
}

/* A connection is one for its peer before it is accepted: a drain does not reset
 * those who had connected, and turns away who connects afterwards. */
TEST(a_drain_accepts_who_had_connected_and_nobody_else)
{
    int32_t first, second;
    uint8_t bytes[ROOM];

    start(3, 0);
    first = connected(ROOM);
    second = connected(ROOM);
    say(first, 1);
    say(second, 2);
    tn_drain(&server, TN_FOREVER);
    sim_unasked_receive();
    for (int i = 0; i < 10 && next(0) == 1; i++)
        if (ev.type == TN_FRAME)
            CHECK_EQ(tn_send(&server, ev.conn, ev.data, ev.len), 1);
    CHECK_EQ(sim_peer_read(first, bytes, ROOM), 5);
    CHECK_EQ(sim_peer_read(second, bytes, ROOM), 5);
    CHECK_EQ(server.counters.accepted, 2);
    CHECK_EQ(sim_peer_connect(listener, ROOM, ROOM), -1);
    sim_peer_finish(first);
    sim_peer_finish(second);
    for (int i = 0; i < 10 && next(0) == 1; i++)
        ;
    CHECK_EQ(next(0), TN_EOF);
    stop();
}

/* Who finds no room when a drain begins does not keep it. */
TEST(a_drain_of_a_full_table_still_ends)
{
    struct tn_handle a;

    start(1, 0);
    (void)opened(&a, ROOM);
    (void)connected(ROOM);
    tn_drain(&server, 0);
    sim_unasked_receive();
    for (int i = 0; i < 10 && next(1) == 1; i++)
        ;
    CHECK_EQ(next(0), TN_EOF);
    CHECK_EQ(server.counters.accepted, 1);
    stop();
}

/* The price of an echo, in calls of the kernel. */
TEST(an_echo_costs_three_calls_and_no_change_of_interest)
{
    struct tn_handle a;
    uint8_t bytes[SIM_PIPE];
    struct sim_stats before;
    int32_t id;

    start(1, 0);
    id = opened(&a, SIM_PIPE);
    CHECK_EQ(next(0), 0);
    before = *sim_stats();
    for (uint32_t i = 0; i < 100; i++) {
        say(id, (uint8_t)i);
        CHECK_EQ(tn_next(&server, &ev, 1000), 1);
        CHECK_EQ(tn_send(&server, a, ev.data, ev.len), 1);
        if (i > 0)
            CHECK_EQ(sim_peer_read(id, bytes, SIM_PIPE), 5);
    }
    CHECK_EQ(sim_stats()->calls - before.calls, 3 * 100 - 1); /* the last answer is not sent yet */
    CHECK_EQ(sim_stats()->modifies, before.modifies);
    stop();
}

TEST(frames_that_came_together_cost_three_calls_together)
{
    struct tn_handle a;
    uint8_t bytes[SIM_PIPE];
    struct sim_stats before;
    int32_t id;

    start(1, 0);
    id = opened(&a, SIM_PIPE);
    CHECK_EQ(next(0), 0);
    before = *sim_stats();
    for (uint8_t i = 0; i < 6; i++)
        say(id, i);
    for (uint32_t i = 0; i < 6; i++) {
        CHECK_EQ(next(0), 1);
        CHECK_EQ(tn_send(&server, a, ev.data, ev.len), 1);
    }
    CHECK_EQ(next(0), 0);
    CHECK_EQ(sim_stats()->calls - before.calls, 3 + 1); /* and the wait that found nothing more */
    CHECK_EQ(sim_peer_read(id, bytes, SIM_PIPE), 30);
    stop();
}

/* Fan-out: whoever speaks to many pays a call for each, and a change of interest
 * only for those who do not read. */
TEST(a_message_to_another_connection_leaves_at_once_and_costs_one_call)
{
    struct tn_handle a, b;
    uint8_t bytes[SIM_PIPE];
    struct sim_stats before;
    int32_t slow, reads;

    start(2, 0);
    slow = opened(&b, 7);
    reads = opened(&a, SIM_PIPE);
    CHECK_EQ(next(0), 0);
    before = *sim_stats();
    for (uint8_t i = 0; i < 10; i++) {
        CHECK_EQ(tn_send(&server, a, &i, 1), 1);
        CHECK_EQ(sim_peer_read(reads, bytes, SIM_PIPE), 5);
        CHECK_EQ(bytes[4], i);
    }
    CHECK_EQ(sim_stats()->calls - before.calls, 10);
    CHECK_EQ(sim_stats()->modifies, before.modifies);
    CHECK_EQ(server.pool.free, TN_BLOCKS); /* nothing is pending: no buffer is kept */
    for (uint8_t i = 0; i < 2; i++)
        CHECK_EQ(tn_send(&server, b, &i, 1), 1);
    CHECK_EQ(sim_peer_read(slow, bytes, SIM_PIPE), 7);
    CHECK_EQ(next(0), 0);
    CHECK_EQ(sim_peer_read(slow, bytes, SIM_PIPE), 3);
    CHECK_EQ(bytes[2], 1);
    stop();
}
