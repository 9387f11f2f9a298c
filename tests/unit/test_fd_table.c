/* The descriptor table on the real kernel, over epoll; test_fd_table_epoll_et.c is
 * the same over epoll-et, test_fd_table_poll.c and test_fd_table_select.c over the
 * models that ask.  What only a register in the kernel can do is left out there. */
#define _GNU_SOURCE
#include "serve/fd_table.h"
#include "tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOON_MS 2000

#ifndef MODEL
#define MODEL TN_EPOLL
#define IN_KERNEL
#endif

static const uint32_t model = MODEL;
static struct tn_fd_table table;
static struct sockaddr_in bound;

static int descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    REQUIRE(dir != NULL);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

/* A listener on a free port of the loopback interface; its place is in bound. */
static int listener(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    socklen_t len = sizeof bound;

    memset(&bound, 0, sizeof bound);
    bound.sin_family = AF_INET;
    bound.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&bound, len) == 0 && listen(fd, 64) == 0);
    REQUIRE(getsockname(fd, (struct sockaddr *)&bound, &len) == 0);
    return fd;
}

static int client(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    REQUIRE(fd >= 0 && connect(fd, (struct sockaddr *)&bound, sizeof bound) == 0);
    return fd;
}

/* A table for cap connections whose listener 0 listens at bound. */
static void serve(uint32_t cap)
{
    REQUIRE(tn_fd_table_init(&table, cap, model) == 1);
    REQUIRE(tn_fd_table_listen(&table, listener()) == 0);
}

/* Accepts from listener 0 the connection that is on its way. */
static int32_t accepted(void)
{
    int32_t n = 0;

    /* epoll-et also wakes for what nobody watches for */
    for (int tries = 0; tries < 10 && n == 0; tries++)
        n = tn_fd_table_wait(&table, SOON_MS, 0);
    REQUIRE(n > 0);
    REQUIRE(tn_fd_table_next(&table) == TN_LISTENER_COOKIE);
    REQUIRE(tn_fd_table_next(&table) == TN_NONE);
    return tn_fd_table_accept(&table, 0);
}

/* A table with one connection, and its peer.  Returns its slot. */
static int32_t serve_one(int *peer)
{
    int32_t s;

    serve(1);
    *peer = client();
    s = accepted();
    REQUIRE(s >= 0);
    return s;
}

static void write_to(int fd)
{
    REQUIRE(write(fd, "x", 1) == 1);
}

/* Waits until n reports are there at once: those of one peer may come before
 * those of another.  Level-triggered, so looking costs nothing. */
static void wait_for_batch(int32_t n)
{
    for (int tries = 0; tries < SOON_MS; tries++) {
        int32_t got = tn_fd_table_wait(&table, 1, 0);

        if (got == n)
            return;
        while (tn_fd_table_next(&table) != TN_NONE)
            ;
    }
    REQUIRE(!"the reports came");
}

TEST(opening_and_ending_a_table_leaks_no_descriptor)
{
    int before = descriptors();
    int pipes[2];

    for (int round = 0; round < 3; round++) {
        serve(4);
        REQUIRE(pipe(pipes) == 0);
        CHECK_EQ(tn_fd_table_watch(&table, pipes[0]), 0);
        CHECK_EQ(tn_fd_table_listen(&table, listener()), 1);
        tn_fd_table_fini(&table);
        CHECK_EQ(fcntl(pipes[0], F_GETFD), 0);
        close(pipes[0]);
        close(pipes[1]);
    }
    CHECK_EQ(descriptors(), before);
}

#ifdef IN_KERNEL
TEST(without_a_free_descriptor_no_table_is_opened)
{
    struct rlimit none = {0, 0}, all;

    REQUIRE(getrlimit(RLIMIT_NOFILE, &all) == 0);
    none.rlim_max = all.rlim_max;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK_EQ(tn_fd_table_init(&table, 4, model), TN_EFILES);
    CHECK_EQ(table.poller.fd, -1);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &all) == 0);
}
#endif

TEST(a_connection_is_accepted_reported_and_closed_once)
{
    int before = descriptors();
    int peer;
    int32_t s;
    char byte;

    serve(4);
    peer = client();
    s = accepted();
    REQUIRE(s >= 0);
    CHECK_EQ(table.interest[s], TN_READ);
    CHECK_EQ(tn_fd_table_accept(&table, 0), TN_EAGAIN);
    CHECK_EQ(tn_fd_table_wait(&table, 0, 0), 0);
    CHECK_EQ(tn_fd_table_next(&table), TN_NONE);
    write_to(peer);
    CHECK_EQ(tn_fd_table_wait(&table, SOON_MS, 0), 1);
    CHECK_EQ(tn_fd_table_next(&table), s);
    CHECK_EQ(table.mask, TN_READ);
    CHECK_EQ(tn_fd_table_next(&table), TN_NONE);
    CHECK_EQ(recv(table.fd[s], &byte, 1, 0), 1);
    tn_fd_table_close(&table, (uint32_t)s);
    CHECK_EQ(table.fd[s], -1);
    CHECK_EQ(table.slots.live, 0);
    CHECK_EQ(read(peer, &byte, 1), 0);
    close(peer);
    tn_fd_table_fini(&table);
    CHECK_EQ(descriptors(), before);
}

TEST(a_stale_report_is_not_delivered_to_the_next_owner_of_the_slot_and_number)
{
    int peer[2], newcomer;
    int32_t s[2], last, fd, again;

    serve(2);
    for (int i = 0; i < 2; i++) {
        peer[i] = client();
        s[i] = accepted();
        REQUIRE(s[i] >= 0);
    }
    write_to(peer[0]);
    write_to(peer[1]);
    wait_for_batch(2);
    last = tn_fd_table_next(&table) == (uint32_t)s[0] ? s[1] : s[0];
    fd = table.fd[last];
    tn_fd_table_close(&table, (uint32_t)last);
    newcomer = socket(AF_INET, SOCK_STREAM, 0);
    /* The number just freed is the lowest; the peer must not get it. */
    REQUIRE(newcomer == fd && dup2(newcomer, 200) == 200 && close(newcomer) == 0);
    REQUIRE(connect(200, (struct sockaddr *)&bound, sizeof bound) == 0);
    again = tn_fd_table_accept(&table, 0);
    REQUIRE(again == last && table.fd[again] == fd);
    CHECK_EQ(tn_fd_table_next(&table), TN_NONE);
    CHECK_EQ(table.poller.pos, table.poller.count);
}

TEST(reports_for_a_closed_connection_are_passed_over_and_later_ones_delivered)
{
    int peer[3];
    int32_t s[3];
    uint32_t first, seen = 0;

    serve(3);
    for (int i = 0; i < 3; i++) {
        peer[i] = client();
        s[i] = accepted();
        REQUIRE(s[i] >= 0);
    }
    for (int i = 0; i < 3; i++)
        write_to(peer[i]);
    wait_for_batch(3);
    first = tn_fd_table_next(&table);
    tn_fd_table_close(&table, table.poller.ready[1].slot);
    CHECK_EQ(tn_fd_table_next(&table), table.poller.ready[2].slot);
    CHECK(first != table.poller.ready[2].slot);
    CHECK_EQ(tn_fd_table_next(&table), TN_NONE);
    for (uint32_t i = 0; i < 3; i++)
        seen += table.fd[i] != -1;
    CHECK_EQ(seen, 2);
}

TEST(a_full_table_leaves_the_connection_in_the_backlog)
{
    int peer[2];
    int32_t s;

    serve(1);
    peer[0] = client();
    s = accepted();
    REQUIRE(s >= 0);
    peer[1] = client();
    CHECK_EQ(accepted(), TN_EFULL);
    CHECK_EQ(table.slots.live, 1);
    tn_fd_table_close(&table, (uint32_t)s);
    CHECK_EQ(accepted(), s);
    write_to(peer[1]);
    CHECK_EQ(tn_fd_table_wait(&table, SOON_MS, 0), 1);
    CHECK_EQ(tn_fd_table_next(&table), s);
}

TEST(without_a_free_descriptor_a_connection_waits_and_no_slot_is_lost)
{
    struct rlimit all, few;
    int peer;

    serve(1);
    peer = client();
    REQUIRE(getrlimit(RLIMIT_NOFILE, &all) == 0);
    few = all;
    few.rlim_cur = (rlim_t)peer + 1;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK_EQ(accepted(), TN_EFILES);
    CHECK_EQ(table.slots.live, 0);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &all) == 0);
    CHECK_EQ(accepted(), 0);
}

TEST(a_paused_listener_is_not_reported_until_it_is_resumed)
{
    serve(1);
    client();
    REQUIRE(tn_fd_table_wait(&table, SOON_MS, 0) == 1);
    CHECK_EQ(tn_fd_table_next(&table), TN_LISTENER_COOKIE);
    tn_fd_table_listening(&table, 0, 0);
    CHECK_EQ(table.listening[0], 0);
    CHECK_EQ(tn_fd_table_wait(&table, 20, 0), 0);
    tn_fd_table_listening(&table, 0, TN_READ);
    CHECK_EQ(table.listening[0], TN_READ);
    CHECK_EQ(tn_fd_table_wait(&table, SOON_MS, 0), 1);
    CHECK_EQ(tn_fd_table_next(&table), TN_LISTENER_COOKIE);
    CHECK(tn_fd_table_accept(&table, 0) >= 0);
}

TEST(a_listener_closed_within_a_batch_is_not_reported)
{
    serve(1);
    client();
    REQUIRE(tn_fd_table_wait(&table, SOON_MS, 0) == 1);
    tn_fd_table_unlisten(&table, 0);
    CHECK_EQ(table.listener[0], -1);
    CHECK_EQ(tn_fd_table_next(&table), TN_NONE);
    CHECK_EQ(tn_fd_table_wait(&table, 0, 0), 0);
}

TEST(a_closed_listener_that_others_still_hold_wakes_nobody)
{
    int shared;

    serve(1);
    shared = dup(table.listener[0]);
    REQUIRE(shared >= 0);
    tn_fd_table_unlisten(&table, 0);
    client();
    CHECK_EQ(tn_fd_table_wait(&table, 20, 0), 0);
}

TEST(listeners_have_a_table_of_their_own_size)
{
    int before = descriptors();
    int one_more;

    serve(1);
    for (int32_t l = 1; l < (int32_t)TN_LISTENERS; l++)
        CHECK_EQ(tn_fd_table_listen(&table, listener()), l);
    one_more = listener();
    CHECK_EQ(tn_fd_table_listen(&table, one_more), TN_EFULL);
    CHECK_EQ(fcntl(one_more, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    tn_fd_table_unlisten(&table, 3);
    CHECK_EQ(tn_fd_table_listen(&table, one_more), 3);
    client();
    CHECK_EQ(tn_fd_table_wait(&table, SOON_MS, 0), 1);
    CHECK_EQ(tn_fd_table_next(&table), TN_LISTENER_COOKIE + 3);
    tn_fd_table_fini(&table);
    CHECK_EQ(descriptors(), before + 1);
}

#ifdef IN_KERNEL
TEST(what_cannot_be_waited_for_stays_its_owners)
{
    int file = open("/proc/self/exe", O_RDONLY);

    REQUIRE(file >= 0 && tn_fd_table_init(&table, 1, model) == 1);
    CHECK_EQ(tn_fd_table_watch(&table, file), TN_ESYSTEM);
    CHECK_EQ(tn_fd_table_listen(&table, file), TN_ESYSTEM);
    CHECK_EQ(table.watch[0], -1);
    CHECK_EQ(table.listener[0], -1);
    tn_fd_table_fini(&table);
    CHECK_EQ(fcntl(file, F_GETFD), 0);
}
#endif

TEST(a_watched_descriptor_is_reported_until_it_is_unwatched)
{
    int pipes[2];

    REQUIRE(pipe(pipes) == 0 && tn_fd_table_init(&table, 1, model) == 1);
    CHECK_EQ(tn_fd_table_watch(&table, pipes[0]), 0);
    write_to(pipes[1]);
    CHECK_EQ(tn_fd_table_wait(&table, SOON_MS, 0), 1);
    CHECK_EQ(tn_fd_table_next(&table), TN_WATCH_COOKIE);
    CHECK_EQ(table.mask, TN_READ);
    CHECK_EQ(tn_fd_table_next(&table), TN_NONE);
    REQUIRE(tn_fd_table_wait(&table, SOON_MS, 0) == 1);
    tn_fd_table_unwatch(&table, 0);
    CHECK_EQ(tn_fd_table_next(&table), TN_NONE);
    CHECK_EQ(tn_fd_table_wait(&table, 0, 0), 0);
    CHECK_EQ(tn_fd_table_watch(&table, pipes[0]), 0);
    CHECK_EQ(tn_fd_table_wait(&table, SOON_MS, 0), 1);
}

TEST(watches_have_a_table_of_their_own_size)
{
    int pipes[TN_WATCHES + 1][2];

    REQUIRE(tn_fd_table_init(&table, 1, model) == 1);
    for (uint32_t w = 0; w <= TN_WATCHES; w++) {
        REQUIRE(pipe(pipes[w]) == 0);
        CHECK_EQ(tn_fd_table_watch(&table, pipes[w][0]), w < TN_WATCHES ? (int32_t)w : TN_EFULL);
    }
    write_to(pipes[TN_WATCHES][1]);
    CHECK_EQ(tn_fd_table_wait(&table, 0, 0), 0);
    tn_fd_table_unwatch(&table, 5);
    CHECK_EQ(tn_fd_table_watch(&table, pipes[TN_WATCHES][0]), 5);
    CHECK_EQ(tn_fd_table_wait(&table, SOON_MS, 0), 1);
    CHECK_EQ(tn_fd_table_next(&table), TN_WATCH_COOKIE + 5);
}

TEST(interest_says_what_a_connection_is_reported_for)
{
    int peer;
    const int32_t s = serve_one(&peer);

    tn_fd_table_interest(&table, (uint32_t)s, TN_WRITE);
    CHECK_EQ(tn_fd_table_wait(&table, SOON_MS, 0), 1);
    CHECK_EQ(tn_fd_table_next(&table), s);
    CHECK_EQ(table.mask, TN_WRITE);
    write_to(peer);
    tn_fd_table_interest(&table, (uint32_t)s, 0);
    CHECK_EQ(tn_fd_table_next(&table), TN_NONE);
    CHECK_EQ(tn_fd_table_wait(&table, 20, 0), 0);
    tn_fd_table_interest(&table, (uint32_t)s, TN_READ + TN_WRITE);
    CHECK_EQ(tn_fd_table_wait(&table, SOON_MS, 0), 1);
    CHECK_EQ(tn_fd_table_next(&table), s);
    CHECK_EQ(table.mask, TN_READ + TN_WRITE);
}

TEST(a_dead_peer_without_interest_is_reported_at_most_once)
{
    struct linger reset = {1, 0};
    uint32_t reports = 0;
    int peer;
    const int32_t s = serve_one(&peer);

    tn_fd_table_interest(&table, (uint32_t)s, 0);
    REQUIRE(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    close(peer);
    for (int i = 0; i < 5; i++) {
        if (tn_fd_table_wait(&table, 10, 0) > 0)
            reports += tn_fd_table_next(&table) == (uint32_t)s;
        tn_fd_table_interest(&table, (uint32_t)s, 0);
        CHECK_EQ(tn_fd_table_next(&table), TN_NONE);
    }
    CHECK(reports <= 1);
}

TEST(a_slot_is_reused_under_a_new_generation_each_time)
{
    int before;
    uint32_t gen = 0;

    serve(1);
    before = descriptors();
    for (int i = 0; i < 50; i++) {
        int peer = client();
        int32_t s = accepted();

        REQUIRE(s == 0);
        CHECK(table.slots.gen[0] > gen);
        gen = table.slots.gen[0];
        tn_fd_table_close(&table, 0);
        close(peer);
    }
    CHECK_EQ(descriptors(), before);
}

TEST(a_slot_after_its_last_generation_is_neither_reported_nor_used_again)
{
    int32_t s;
    int peer;

    serve(1);
    table.slots.gen[0] = UINT32_MAX;
    peer = client();
    s = accepted();
    REQUIRE(s == 0);
    write_to(peer);
    REQUIRE(tn_fd_table_wait(&table, SOON_MS, 0) == 1);
    tn_fd_table_close(&table, 0);
    CHECK_EQ(tn_fd_table_next(&table), TN_NONE);
    client();
    CHECK_EQ(accepted(), TN_EFULL);
}
