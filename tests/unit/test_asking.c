/* poll and select, clause by clause, on the real kernel: what os/sys.h says of
 * them and the proofs assume. */
#define _GNU_SOURCE
#include "os/sys.h"
#include "tap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SOON_MS 2000

typedef int32_t asking(struct tn_asked *list, uint32_t n, int32_t timeout_ms);
static asking *const calls[] = {tn_sys_poll, tn_sys_select};
enum { CALLS = sizeof calls / sizeof calls[0] };

static struct tn_asked about(int fd, uint32_t events)
{
    struct tn_asked a = {fd, (int16_t)events, 77};

    return a;
}

/* A connected pair: [0] is ours. */
static void pair(int ends[2])
{
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
}

static void fill(int fd)
{
    static const uint8_t bytes[65536];

    while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

static int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

TEST(only_what_is_ready_and_asked_about_is_answered)
{
    for (int c = 0; c < CALLS; c++) {
        int quiet[2], heard[2], full[2];
        struct tn_asked list[4];

        pair(quiet);
        pair(heard);
        pair(full);
        REQUIRE(write(heard[1], "x", 1) == 1);
        fill(full[0]);
        list[0] = about(quiet[0], TN_READ);
        list[1] = about(heard[0], TN_READ | TN_WRITE);
        list[2] = about(full[0], TN_WRITE);
        list[3] = about(dup(heard[0]), TN_WRITE);
        CHECK_EQ(calls[c](list, 4, 0), 2);
        CHECK_EQ(list[0].revents, 0);
        CHECK_EQ(list[1].revents, TN_READ | TN_WRITE);
        CHECK_EQ(list[2].revents, 0);
        CHECK_EQ(list[3].revents, TN_WRITE);
        CHECK_EQ(list[1].fd, heard[0]);
        CHECK_EQ(list[1].events, TN_READ | TN_WRITE);
        CHECK_EQ(calls[c](list, 1, 0), 0);
        CHECK_EQ(list[0].revents, 0);
    }
}

TEST(an_answer_repeats_until_the_bytes_are_taken)
{
    for (int c = 0; c < CALLS; c++) {
        int ends[2];
        struct tn_asked a;
        uint8_t buf[4];

        pair(ends);
        a = about(ends[0], TN_READ);
        REQUIRE(write(ends[1], "ab", 2) == 2);
        CHECK_EQ(calls[c](&a, 1, SOON_MS), 1);
        CHECK_EQ(tn_sys_recv(ends[0], buf, 0, 1), 1);
        CHECK_EQ(calls[c](&a, 1, 0), 1);
        CHECK_EQ(tn_sys_recv(ends[0], buf, 0, 1), 1);
        CHECK_EQ(calls[c](&a, 1, 0), 0);
    }
}

/* select answers that it can be read and written; poll says so besides. */
TEST(a_peer_that_is_gone_is_an_answer)
{
    for (int c = 0; c < CALLS; c++) {
        int ends[2];
        struct tn_asked a;

        pair(ends);
        close(ends[1]);
        a = about(ends[0], TN_READ | TN_WRITE);
        CHECK_EQ(calls[c](&a, 1, SOON_MS), 1);
        CHECK_EQ(a.revents & 7, TN_READ | TN_WRITE);
        CHECK_EQ((uint32_t)a.revents & TN_BROKEN, c == 0 ? 16u : 0u);
        a = about(ends[0], TN_WRITE);
        CHECK_EQ(calls[c](&a, 1, SOON_MS), 1);
        CHECK_EQ(a.revents & 7, TN_WRITE);
    }
}

TEST(nothing_to_ask_about_is_a_pause)
{
    for (int c = 0; c < CALLS; c++) {
        int64_t start = clock_ns();

        CHECK_EQ(calls[c](NULL, 0, 30), 0);
        CHECK(clock_ns() - start >= 30000000);
    }
}

TEST(an_answer_ends_in_time_and_not_before)
{
    for (int c = 0; c < CALLS; c++) {
        int ends[2];
        struct tn_asked a;
        int64_t start = clock_ns();

        pair(ends);
        a = about(ends[0], TN_READ);
        CHECK_EQ(calls[c](&a, 1, 0), 0);
        CHECK(clock_ns() - start < 1000000000);
        start = clock_ns();
        CHECK_EQ(calls[c](&a, 1, 1040), 0);
        CHECK(clock_ns() - start >= 1040000000);
    }
}

static void tick(int number)
{
    (void)number;
}

TEST(a_signal_ends_a_question_without_an_answer)
{
    struct sigaction action = {.sa_handler = tick};
    struct itimerval interval = {{0, 20000}, {0, 20000}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &interval, NULL);
    for (int c = 0; c < CALLS; c++) {
        int ends[2];
        struct tn_asked a;

        pair(ends);
        a = about(ends[0], TN_READ);
        CHECK_EQ(calls[c](&a, 1, -1), 0);
        CHECK_EQ(a.revents, 0);
    }
}

TEST(poll_refuses_more_questions_than_there_may_be_descriptors_and_select_does_not)
{
    static struct tn_asked list[40];
    struct rlimit limit;
    int ends[2];

    pair(ends);
    for (int i = 0; i < 40; i++)
        list[i] = about(ends[0], TN_WRITE);
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 39;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_EQ(tn_sys_poll(list, 39, 0), 39);
    CHECK_EQ(tn_sys_poll(list, 40, 0), TN_ESYSTEM);
    CHECK_EQ(list[0].revents, 0);
    CHECK_EQ(tn_sys_select(list, 40, 0), 40);
}

TEST(select_takes_the_highest_number_it_may)
{
    int ends[2];
    struct tn_asked a;

    pair(ends);
    REQUIRE(write(ends[1], "x", 1) == 1);
    REQUIRE(dup2(ends[0], TN_SELECT_FDS - 1) == TN_SELECT_FDS - 1);
    a = about(TN_SELECT_FDS - 1, TN_READ);
    CHECK_EQ(tn_sys_select(&a, 1, 0), 1);
    CHECK_EQ(a.revents, TN_READ);
}
