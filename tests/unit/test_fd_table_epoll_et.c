/* The descriptor table over epoll-et, and what only a poller that keeps what it
 * was told can get wrong. */
#define MODEL TN_EPOLL_ET
#define IN_KERNEL
#include "unit/test_fd_table.c"

#include <poll.h>

#define MANY 200u /* more than a batch, and than a group of slots */

/* Whether s is in the next batch; the others are taken, too. */
static uint32_t is_reported(int32_t s, int32_t ms)
{
    uint32_t seen = 0, who;

    REQUIRE(tn_fd_table_wait(&table, ms, 0) >= 0);
    while ((who = tn_fd_table_next(&table)) != TN_NONE)
        seen |= who == (uint32_t)s;
    return seen;
}

static int readable_soon(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};

    return poll(&p, 1, SOON_MS) == 1;
}

static uint32_t is_reported_soon(int32_t s)
{
    for (int tries = 0; tries < SOON_MS; tries++)
        if (is_reported(s, 1))
            return 1;
    return 0;
}

static void take_byte(int32_t s)
{
    char bytes[2];

    REQUIRE(recv(table.fd[s], bytes, 2, 0) == 1);
    tn_fd_table_spent(&table, (uint32_t)s, TN_READ, 1);
}

/* MANY connections that nobody watches, and each has a byte that has come. */
static void serve_many(void)
{
    static int peer[MANY];

    serve(MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        int fd = client();
        int32_t s = accepted();

        REQUIRE(s >= 0 && (uint32_t)s < MANY);
        tn_fd_table_interest(&table, (uint32_t)s, 0);
        peer[s] = fd;
    }
    for (int32_t s = 0; s < (int32_t)MANY; s++) {
        write_to(peer[s]);
        for (int tries = 0; tries < SOON_MS && !table.poller.edges.readable[s]; tries++)
            CHECK_EQ(tn_fd_table_wait(&table, 1, 0), 0);
        REQUIRE(table.poller.edges.readable[s]);
    }
}

TEST(what_was_not_used_up_is_reported_again_and_what_was_is_not)
{
    int peer;
    const int32_t s = serve_one(&peer);

    write_to(peer);
    CHECK(is_reported_soon(s));
    CHECK(is_reported(s, 0));
    CHECK(is_reported(s, 0));
    take_byte(s);
    CHECK(!is_reported(s, 20));
    write_to(peer);
    CHECK(is_reported_soon(s));
}

TEST(what_came_while_nobody_watched_is_reported_to_who_watches_later)
{
    serve_many();
    for (int32_t s = (int32_t)MANY - 1; s >= 0; s--) {
        tn_fd_table_interest(&table, (uint32_t)s, TN_READ);
        CHECK(is_reported_soon(s));
        take_byte(s);
        CHECK(!is_reported(s, 0));
    }
}

TEST(after_its_end_a_connection_stays_ready_until_nothing_is_left)
{
    char byte;
    int peer;
    const int32_t s = serve_one(&peer);

    write_to(peer);
    REQUIRE(shutdown(peer, SHUT_WR) == 0);
    do
        REQUIRE(is_reported_soon(s));
    while (!table.poller.edges.ended[s]);
    take_byte(s);
    CHECK(is_reported(s, 0));
    CHECK_EQ(recv(table.fd[s], &byte, 1, 0), 0);
    tn_fd_table_spent(&table, (uint32_t)s, TN_READ, TN_EOF);
    CHECK(!is_reported(s, 20));
}

TEST(who_is_ready_all_the_time_starves_neither_the_others_nor_a_listener)
{
    static uint32_t reports[MANY];
    uint32_t newcomers = 0, who, least = UINT32_MAX, most = 0;

    serve_many();
    for (uint32_t s = 0; s < MANY; s++)
        tn_fd_table_interest(&table, s, TN_READ);
    client();
    REQUIRE(readable_soon(table.listener[0]));
    for (uint32_t i = 0; i < 100; i++) {
        REQUIRE(tn_fd_table_wait(&table, 0, 0) > 0);
        while ((who = tn_fd_table_next(&table)) != TN_NONE) {
            newcomers += who == TN_LISTENER_COOKIE;
            reports[who < MANY ? who : 0] += who < MANY;
        }
    }
    for (uint32_t s = 0; s < MANY; s++) {
        least = reports[s] < least ? reports[s] : least;
        most = reports[s] > most ? reports[s] : most;
    }
    CHECK_EQ(newcomers, 100);
    CHECK(most - least <= 1);
    CHECK(least * MANY > 100 * TN_BATCH / 3);
}
