/* defines: -DTN_CONNECTIONS=4u -DTN_BLOCKS=2u -DTN_FRAME_MAX=24u -DTN_BATCH=4u */
/* The simulated kernel against os/sys.h: what it must do, and what it must not
 * let its caller do. */
#define _GNU_SOURCE
#include "tap.h"

#include "simkernel.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int32_t set, listener, conn, peer;
static uint8_t buf[SIM_PIPE];
static struct tn_ready ready[TN_BATCH];

#define BY_EDGE (TN_EDGE | TN_READ | TN_WRITE | TN_ENDED)
#define FINISHED 0x2000u /* of TN_ENDED */

/* A set, a listener of ours, and one accepted connection, registered. */
static void start(void)
{
    sim_reset(NULL, 0, NULL);
    set = tn_sys_epoll_create();
    listener = sim_listener();
    sim_listener_given(listener);
    peer = sim_peer_connect(listener, 32, 32);
    conn = tn_sys_accept(listener);
    REQUIRE(set == 0 && listener == 1 && conn == 2);
    REQUIRE(tn_sys_epoll_add(set, conn, 7, 3, TN_READ) == 1);
}

/* The connection is registered by edge instead, and its first report taken. */
static void start_by_edge(void)
{
    start();
    tn_sys_epoll_remove(set, conn);
    REQUIRE(tn_sys_epoll_add(set, conn, 7, 3, BY_EDGE) == 1);
    REQUIRE(tn_sys_epoll_wait(set, ready, TN_BATCH, 0) == 1 && ready[0].mask == TN_WRITE);
}

/* The mask of the one report there is, 0 when there is none. */
static uint32_t reported(void)
{
    int32_t n = tn_sys_epoll_wait(set, ready, TN_BATCH, 0);

    REQUIRE(n == 0 || (n == 1 && ready[0].slot == 7 && ready[0].gen == 3));
    return n == 0 ? 0 : ready[0].mask;
}

static void close_twice(void)
{
    tn_sys_close(conn);
    tn_sys_close(conn);
}

static void close_foreign(void)
{
    tn_sys_close(sim_foreign());
}

static void receive_after_close(void)
{
    tn_sys_close(conn);
    tn_sys_recv(conn, buf, 0, 1);
}

static void receive_nothing(void)
{
    tn_sys_recv(conn, buf, 0, 0);
}

static void receive_from_a_listener(void)
{
    tn_sys_recv(listener, buf, 0, 1);
}

static void receive_unasked(void)
{
    tn_sys_recv(conn, buf, 0, 1);
}

static void send_after_finish(void)
{
    tn_sys_finish(conn);
    tn_sys_send(conn, buf, 0, 1);
}

static void register_twice(void)
{
    tn_sys_epoll_add(set, conn, 7, 3, TN_READ);
}

static void modify_for_another(void)
{
    tn_sys_epoll_modify(set, conn, 7, 4, TN_READ);
}

static void modify_unregistered(void)
{
    tn_sys_epoll_modify(set, listener, 0, 0, TN_READ);
}

static void remove_twice(void)
{
    tn_sys_epoll_remove(set, conn);
    tn_sys_epoll_remove(set, conn);
}

static void ask_for_a_hang_up(void)
{
    tn_sys_epoll_modify(set, conn, 7, 3, TN_BROKEN);
}

static void wait_for_too_many(void)
{
    tn_sys_epoll_wait(set, ready, TN_BATCH + 1, 0);
}

static void wait_on_a_closed_set(void)
{
    tn_sys_close(set);
    tn_sys_epoll_wait(set, ready, 1, 0);
}

static void wait_for_ever_for_nothing(void)
{
    tn_sys_epoll_wait(set, ready, 1, -1);
}

static void wait_again_and_again(void)
{
    sim_peer_write(peer, buf, 1);
    for (int i = 0; i < 10; i++)
        tn_sys_epoll_wait(set, ready, 1, 1000);
}

static void register_for_a_part_by_edge(void)
{
    tn_sys_epoll_remove(set, conn);
    tn_sys_epoll_add(set, conn, 7, 3, TN_EDGE | TN_READ | TN_ENDED);
}

static void register_a_listener_by_edge(void)
{
    tn_sys_epoll_add(set, listener, 7, 3, BY_EDGE);
}

static void modify_by_edge(void)
{
    start_by_edge();
    tn_sys_epoll_modify(set, conn, 7, 3, TN_READ);
}

static void modify_to_edge(void)
{
    tn_sys_epoll_modify(set, conn, 7, 3, BY_EDGE);
}

static void receive_after_a_short_receipt_by_edge(void)
{
    start_by_edge();
    sim_peer_write(peer, buf, 3);
    if (reported() == (TN_READ | TN_WRITE) && tn_sys_recv(conn, buf, 0, 8) == 3)
        tn_sys_recv(conn, buf, 0, 8);
}

static int is_caught(void (*misuse)(void))
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);

        dup2(null, 2);
        start();
        misuse();
        _exit(0);
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

TEST(every_misuse_of_the_kernel_is_caught)
{
    CHECK(is_caught(close_twice));
    CHECK(is_caught(close_foreign));
    CHECK(is_caught(receive_after_close));
    CHECK(is_caught(receive_nothing));
    CHECK(is_caught(receive_from_a_listener));
    CHECK(is_caught(receive_unasked));
    CHECK(is_caught(send_after_finish));
    CHECK(is_caught(register_twice));
    CHECK(is_caught(modify_for_another));
    CHECK(is_caught(modify_unregistered));
    CHECK(is_caught(remove_twice));
    CHECK(is_caught(ask_for_a_hang_up));
    CHECK(is_caught(wait_for_too_many));
    CHECK(is_caught(wait_on_a_closed_set));
    CHECK(is_caught(wait_for_ever_for_nothing));
    CHECK(is_caught(wait_again_and_again));
    CHECK(is_caught(register_for_a_part_by_edge));
    CHECK(is_caught(register_a_listener_by_edge));
    CHECK(is_caught(modify_by_edge));
    CHECK(is_caught(modify_to_edge));
    CHECK(is_caught(receive_after_a_short_receipt_by_edge));
}

TEST(the_lowest_free_number_is_given_out_first)
{
    start();
    tn_sys_close(listener);
    CHECK_EQ(sim_foreign(), 1);
    CHECK_EQ(sim_foreign(), 3);
    tn_sys_close(set);
    CHECK_EQ(tn_sys_epoll_create(), 0);
}

TEST(readiness_is_reported_by_level_with_the_cookie)
{
    start();
    CHECK_EQ(tn_sys_epoll_wait(set, ready, TN_BATCH, 5), 0);
    CHECK_EQ(sim_now(), 5);
    CHECK_EQ(sim_peer_write(peer, (const uint8_t *)"ab", 2), 2);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(tn_sys_epoll_wait(set, ready, TN_BATCH, -1), 1);
        CHECK_EQ(ready[0].slot, 7);
        CHECK_EQ(ready[0].gen, 3);
        CHECK_EQ(ready[0].mask, TN_READ);
    }
    CHECK_EQ(tn_sys_recv(conn, buf, 3, 8), 2);
    CHECK_BYTES(buf + 3, "ab", 2);
    CHECK_EQ(tn_sys_epoll_wait(set, ready, TN_BATCH, 0), 0);
    tn_sys_epoll_modify(set, conn, 7, 3, TN_READ + TN_WRITE);
    CHECK_EQ(tn_sys_epoll_wait(set, ready, TN_BATCH, 0), 1);
    CHECK_EQ(ready[0].mask, TN_WRITE);
}

TEST(without_interest_a_hang_up_is_reported_once)
{
    start();
    tn_sys_epoll_modify(set, conn, 7, 3, 0);
    sim_peer_write(peer, buf, 1);
    CHECK_EQ(tn_sys_epoll_wait(set, ready, TN_BATCH, 0), 0);
    sim_peer_reset(peer);
    CHECK_EQ(tn_sys_epoll_wait(set, ready, TN_BATCH, 0), 1);
    CHECK_EQ(ready[0].mask, TN_BROKEN);
    CHECK_EQ(tn_sys_epoll_wait(set, ready, TN_BATCH, 0), 0);
}

TEST(a_close_over_unread_bytes_resets_the_peer)
{
    start();
    CHECK_EQ(tn_sys_send(conn, (const uint8_t *)"last words", 0, 10), 10);
    sim_peer_write(peer, buf, 1);
    tn_sys_close(conn);
    CHECK(sim_peer_sees_reset(peer));
    CHECK_EQ(sim_peer_read(peer, buf, 10), 0);
}

TEST(what_was_sent_before_a_close_is_read_after_it)
{
    start();
    CHECK_EQ(tn_sys_send(conn, (const uint8_t *)"last words", 0, 10), 10);
    tn_sys_close(conn);
    CHECK(!sim_peer_sees_end(peer));
    CHECK_EQ(sim_peer_read(peer, buf, SIM_PIPE), 10);
    CHECK_BYTES(buf, "last words", 10);
    CHECK(sim_peer_sees_end(peer));
}

TEST(a_full_buffer_takes_no_more_and_is_not_writable)
{
    start();
    CHECK_EQ(tn_sys_send(conn, buf, 0, 40), 32);
    CHECK_EQ(tn_sys_send(conn, buf, 0, 1), 0);
    tn_sys_epoll_modify(set, conn, 7, 3, TN_WRITE);
    CHECK_EQ(tn_sys_epoll_wait(set, ready, TN_BATCH, 0), 0);
    CHECK_EQ(sim_peer_read(peer, buf, 20), 20);
    CHECK_EQ(tn_sys_epoll_wait(set, ready, TN_BATCH, 0), 1);
}

TEST(after_a_reset_the_error_comes_once_and_then_the_end)
{
    start();
    sim_unasked_receive();
    sim_peer_reset(peer);
    CHECK_EQ(tn_sys_epoll_wait(set, ready, TN_BATCH, 0), 1);
    CHECK_EQ(tn_sys_recv(conn, buf, 0, 8), TN_ERESET);
    CHECK_EQ(tn_sys_recv(conn, buf, 0, 8), TN_EOF);
    CHECK_EQ(tn_sys_send(conn, buf, 0, 8), TN_ERESET);
}

TEST(a_descriptor_limit_lasts_until_one_is_closed)
{
    start();
    sim_descriptor_limit(3);
    CHECK(sim_peer_connect(listener, 1, 1) >= 0);
    CHECK_EQ(tn_sys_accept(listener), TN_EFILES);
    CHECK_EQ(tn_sys_accept(listener), TN_EFILES);
    CHECK_EQ(sim_queued(listener), 1);
    tn_sys_close(conn);
    CHECK_EQ(tn_sys_accept(listener), conn);
}

TEST(by_edge_what_is_ready_when_it_is_registered_is_reported)
{
    start();
    tn_sys_epoll_remove(set, conn);
    sim_peer_write(peer, buf, 1);
    REQUIRE(tn_sys_epoll_add(set, conn, 7, 3, BY_EDGE) == 1);
    CHECK_EQ(reported(), TN_READ | TN_WRITE);
    CHECK_EQ(reported(), 0);
}

TEST(by_edge_each_arrival_is_reported_once_with_all_that_is_ready)
{
    start_by_edge();
    CHECK_EQ(reported(), 0);
    sim_peer_write(peer, buf, 3);
    CHECK_EQ(reported(), TN_READ | TN_WRITE);
    CHECK_EQ(reported(), 0);
    sim_peer_write(peer, buf, 1);
    CHECK_EQ(reported(), TN_READ | TN_WRITE);
    CHECK_EQ(tn_sys_recv(conn, buf, 0, 2), 2);
    CHECK_EQ(reported(), 0); /* though two are left */
    CHECK_EQ(tn_sys_recv(conn, buf, 0, 2), 2);
    sim_peer_write(peer, buf, 1);
    CHECK_EQ(tn_sys_recv(conn, buf, 0, 2), 1);
    CHECK_EQ(reported(), TN_WRITE); /* the change is one, though nothing is left of it */
}

TEST(by_edge_a_report_that_no_batch_had_room_for_comes_later)
{
    int32_t other;

    start_by_edge();
    REQUIRE(sim_peer_connect(listener, 32, 32) >= 0);
    other = tn_sys_accept(listener);
    REQUIRE(tn_sys_epoll_add(set, other, 8, 4, BY_EDGE) == 1);
    sim_peer_write(peer, buf, 1);
    CHECK_EQ(tn_sys_epoll_wait(set, ready, 1, 0), 1);
    CHECK_EQ(tn_sys_epoll_wait(set, ready + 1, 1, 0), 1);
    CHECK_EQ(ready[0].slot + ready[1].slot, 15);
    CHECK_EQ(tn_sys_epoll_wait(set, ready, 1, 0), 0);
}

TEST(by_edge_the_peers_end_is_reported_with_the_last_bytes)
{
    start_by_edge();
    sim_peer_write(peer, buf, 2);
    CHECK_EQ(reported(), TN_READ | TN_WRITE);
    sim_peer_finish(peer);
    CHECK_EQ(reported(), TN_READ | TN_WRITE | FINISHED);
    CHECK_EQ(tn_sys_recv(conn, buf, 0, 8), 2);
    sim_peer_finish(peer);
    CHECK_EQ(reported(), 0);
    CHECK_EQ(tn_sys_recv(conn, buf, 0, 8), TN_EOF);
    sim_peer_reset(peer);
    CHECK_EQ(reported(), TN_READ | TN_WRITE | TN_BROKEN | FINISHED);
    CHECK_EQ(reported(), 0);
}

TEST(by_edge_a_close_is_reported_once)
{
    start_by_edge();
    sim_peer_close(peer);
    CHECK_EQ(reported() & (TN_READ | FINISHED), TN_READ | FINISHED);
    CHECK_EQ(reported(), 0);
}

TEST(by_edge_room_is_reported_to_whom_a_send_fell_short)
{
    start_by_edge();
    CHECK_EQ(tn_sys_send(conn, buf, 0, 32), 32);
    CHECK_EQ(sim_peer_read(peer, buf, 32), 32);
    CHECK_EQ(reported(), 0); /* none did */
    CHECK_EQ(tn_sys_send(conn, buf, 0, 33), 32);
    CHECK_EQ(reported(), 0);
    CHECK_EQ(sim_peer_read(peer, buf, 9), 9);
    CHECK_EQ(reported(), 0); /* less than a third is free */
    CHECK_EQ(sim_peer_read(peer, buf, 1), 1);
    CHECK_EQ(reported(), TN_WRITE);
    CHECK_EQ(sim_peer_read(peer, buf, 1), 1);
    CHECK_EQ(reported(), 0);
}

TEST(by_edge_what_is_ready_no_more_is_forgotten_and_room_asked_for_by_the_wait)
{
    start_by_edge();
    sim_unasked_receive();
    CHECK_EQ(tn_sys_send(conn, buf, 0, 32), 32);
    sim_peer_write(peer, buf, 1);
    CHECK_EQ(tn_sys_recv(conn, buf, 0, 2), 1);
    CHECK_EQ(reported(), 0);
    CHECK_EQ(sim_peer_read(peer, buf, 32), 32);
    CHECK_EQ(reported(), TN_WRITE);
    CHECK_EQ(reported(), 0);
}

TEST(by_edge_what_the_simulation_holds_back_is_reported_as_if_it_had_come_just_now)
{
    start_by_edge();
    sim_peer_write(peer, buf, 3);
    CHECK_EQ(reported(), TN_READ | TN_WRITE);
    sim_fail_call(0, 3);
    CHECK_EQ(tn_sys_recv(conn, buf, 0, 8), 1);
    CHECK_EQ(reported(), TN_READ | TN_WRITE);
    sim_fail_call(0, 2);
    CHECK_EQ(tn_sys_send(conn, buf, 0, 8), 1);
    CHECK_EQ(reported(), TN_READ | TN_WRITE);
    CHECK_EQ(reported(), 0);
}

TEST(by_edge_a_failure_that_passes_is_no_change)
{
    start_by_edge();
    sim_peer_write(peer, buf, 3);
    CHECK_EQ(reported(), TN_READ | TN_WRITE);
    sim_fail_call(0, 0);
    CHECK_EQ(tn_sys_recv(conn, buf, 0, 8), TN_EMEMORY);
    sim_fail_call(0, 0);
    CHECK_EQ(tn_sys_send(conn, buf, 0, 8), TN_EMEMORY);
    CHECK_EQ(reported(), 0);
    CHECK_EQ(tn_sys_recv(conn, buf, 0, 8), 3);
    CHECK_EQ(tn_sys_send(conn, buf, 0, 8), 8);
}
