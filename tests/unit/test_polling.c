/* The poller that asks nobody: it says that all is ready, and pauses when
 * trying was in vain. */
#define _GNU_SOURCE
#include "serve/fd_table.h"
#include "tap.h"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct tn_fd_table table;

static int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The milliseconds a wait took; its reports are taken. */
static double waited_ms(int32_t timeout_ms, int64_t moved, int32_t reports)
{
    int64_t start = clock_ns();

    CHECK_EQ(tn_fd_table_wait(&table, timeout_ms, moved), reports);
    while (tn_fd_table_next(&table) != TN_NONE)
        ;
    return (double)(clock_ns() - start) / 1e6;
}

static void serve_two_listeners(void)
{
    REQUIRE(tn_fd_table_init(&table, 4, TN_POLLING) == 1);
    for (int i = 0; i < 2; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        REQUIRE(fd >= 0 && tn_fd_table_listen(&table, fd) == i);
    }
}

TEST(after_a_round_in_vain_the_next_wait_pauses)
{
    serve_two_listeners();
    (void)waited_ms(-1, 0, 2);
    for (int round = 0; round < 5; round++)
        CHECK(waited_ms(-1, 0, 2) >= TN_POLLING_PAUSE_MS);
}

TEST(while_something_moves_no_wait_pauses)
{
    double most = 0;

    serve_two_listeners();
    for (int64_t moved = 1; moved < 3000; moved++)
        most += waited_ms(-1, moved, 2);
    CHECK(most < 3000 * TN_POLLING_PAUSE_MS / 2);
}

TEST(a_pause_is_no_longer_than_asked_for)
{
    double most = 0;

    serve_two_listeners();
    for (int i = 0; i < 3000; i++)
        most += waited_ms(0, 0, 2);
    CHECK(most < 3000 * TN_POLLING_PAUSE_MS / 2);
}

TEST(a_foreign_descriptor_is_reported_only_when_it_can_be_read)
{
    int pipes[2];

    REQUIRE(tn_fd_table_init(&table, 4, TN_POLLING) == 1 && pipe(pipes) == 0);
    CHECK_EQ(tn_fd_table_watch(&table, pipes[0]), 0);
    for (int i = 0; i < 5; i++)
        CHECK(waited_ms(-1, 0, 0) >= TN_POLLING_PAUSE_MS);
    REQUIRE(write(pipes[1], "x", 1) == 1);
    CHECK_EQ(tn_fd_table_wait(&table, -1, 0), 1);
    CHECK_EQ(tn_fd_table_next(&table), TN_WATCH_COOKIE);
}

TEST(what_is_not_wanted_is_not_reported)
{
    serve_two_listeners();
    tn_fd_table_listening(&table, 0, 0);
    CHECK_EQ(tn_fd_table_wait(&table, -1, 0), 1);
    CHECK_EQ(tn_fd_table_next(&table), TN_LISTENER_COOKIE + 1);
    CHECK_EQ(table.mask, TN_READ);
}
