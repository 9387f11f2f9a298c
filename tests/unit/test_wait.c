/* Waiting for a few descriptors: the general call, and that for one. */
#define _GNU_SOURCE
#include "os/wait.h"

#include "core/timers.h"
#include "tools.h"

#include <sys/socket.h>
#include <unistd.h>

/* The ends of two connections; what is written to [i][1] can be read from [i][0]. */
static int32_t pair[2][2];

static void begin(void)
{
    for (int i = 0; i < 2; i++)
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]) == 0);
}

static void end(void)
{
    for (int i = 0; i < 2; i++) {
        close(pair[i][0]);
        close(pair[i][1]);
    }
}

static void tell(int i)
{
    REQUIRE(write(pair[i][1], "x", 1) == 1);
}

/* Waits by the general call as tn_wait_for does. */
static int32_t general(int32_t own, uint32_t mask, const int32_t *fd, uint32_t count,
                       uint32_t *others, int64_t deadline_ms)
{
    struct tn_wanted w = {own, mask, 99};
    const int32_t r = tn_wait(&w, 1, fd, count, others, deadline_ms);

    CHECK(r <= 0 || w.ready != 0);
    return r <= 0 ? r : (int32_t)w.ready;
}

typedef int32_t (*wait_call)(int32_t own, uint32_t mask, const int32_t *fd, uint32_t count,
                             uint32_t *others, int64_t deadline_ms);

static const wait_call calls[] = {general, tn_wait_for};

enum { CALLS = sizeof calls / sizeof calls[0] };

TEST(who_is_ready_is_told_and_nobody_else)
{
    begin();
    for (int c = 0; c < CALLS; c++) {
        const int32_t fd[3] = {-1, pair[1][0], pair[0][0]};
        uint32_t others = 99;
        char byte;

        CHECK_EQ(calls[c](pair[0][0], TN_READ, fd, 2, &others, 0), 0);
        CHECK_EQ(others, 0);
        CHECK_EQ(calls[c](pair[0][0], TN_READ + TN_WRITE, fd, 2, &others, TN_NEVER), TN_WRITE);
        CHECK_EQ(others, 0);
        tell(1);
        CHECK_EQ(calls[c](pair[0][0], TN_READ, fd, 2, &others, TN_NEVER), 0);
        CHECK_EQ(others, 2);
        tell(0);
        CHECK_EQ(calls[c](pair[0][0], TN_READ, fd, 3, &others, TN_NEVER), TN_READ);
        CHECK_EQ(others, 2 + 4);
        CHECK_EQ(calls[c](-1, TN_READ, fd, 3, &others, TN_NEVER), 0);
        CHECK_EQ(others, 2 + 4);
        CHECK_EQ(read(pair[1][0], &byte, 1), 1);
        CHECK_EQ(calls[c](pair[0][0], TN_READ, fd, 2, &others, TN_NEVER), TN_READ);
        CHECK_EQ(others, 0);
        CHECK_EQ(read(pair[0][0], &byte, 1), 1);
    }
    end();
}

TEST(no_wait_ends_before_its_deadline)
{
    begin();
    for (int c = 0; c < CALLS; c++) {
        uint32_t others;

        CHECK_SHORT_WAITS(calls[c](pair[0][0], TN_READ, &pair[1][0], 1, &others, soon));
        CHECK_EQ(calls[c](pair[0][0], TN_READ, NULL, 0, &others, later(-5)), 0);
    }
    end();
}

TEST(what_is_broken_or_closed_is_told_unasked)
{
    begin();
    REQUIRE(shutdown(pair[0][1], SHUT_RDWR) == 0);
    for (int c = 0; c < CALLS; c++) {
        const int32_t closed = 1000000; /* no descriptor */
        uint32_t others;

        CHECK((calls[c](pair[0][0], 0, NULL, 0, &others, TN_NEVER) & (int32_t)TN_BROKEN) != 0);
        CHECK_EQ(calls[c](closed, TN_READ, NULL, 0, &others, TN_NEVER), TN_BROKEN);
        CHECK_EQ(calls[c](pair[1][0], TN_READ, &closed, 1, &others, TN_NEVER), 0);
        CHECK_EQ(others, 1);
    }
    end();
}

TEST(more_than_fit_are_refused)
{
    int32_t fd[TN_WAIT_MAX + 1];
    struct tn_wanted w = {-1, TN_READ, 0};
    uint32_t others;

    for (uint32_t i = 0; i <= TN_WAIT_MAX; i++)
        fd[i] = -1;
    CHECK_EQ(tn_wait(&w, 1, fd, TN_WAIT_MAX - 1, &others, 0), 0);
    CHECK_EQ(tn_wait(&w, 1, fd, TN_WAIT_MAX, &others, 0), TN_ESYSTEM);
    CHECK_EQ(tn_wait_for(-1, TN_READ, fd, TN_WATCHES, &others, 0), 0);
    CHECK_EQ(tn_wait_for(-1, TN_READ, fd, TN_WATCHES + 1, &others, 0), TN_ESYSTEM);
}
