/* The calls of os/sys.h on the real kernel, situation by situation.  Their
 * contracts, clause by clause, are checked by `make conform`.
 */
#define _GNU_SOURCE
#include "os/sys.h"
#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct ends {
    int ours;
    int peers;
};

static struct sockaddr_in bound;

/* A listener on a free port of the loopback interface; its place is in bound. */
static int listener(int type)
{
    int fd = socket(AF_INET, SOCK_STREAM | type, 0);
    socklen_t len = sizeof bound;

    memset(&bound, 0, sizeof bound);
    bound.sin_family = AF_INET;
    bound.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(fd >= 0);
    REQUIRE(bind(fd, (struct sockaddr *)&bound, len) == 0 && listen(fd, 64) == 0);
    REQUIRE(getsockname(fd, (struct sockaddr *)&bound, &len) == 0);
    return fd;
}

static int connected(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    REQUIRE(fd >= 0 && connect(fd, (struct sockaddr *)&bound, sizeof bound) == 0);
    return fd;
}

static int readable_within(int fd, int ms)
{
    struct pollfd p = {fd, POLLIN, 0};

    return poll(&p, 1, ms) == 1;
}

/* A TCP connection, blocking at both ends: the calls under test must not rely
 * on the descriptor's mode. */
static struct ends tcp(void)
{
    int from = listener(0);
    struct ends e;

    e.peers = connected();
    e.ours = accept(from, NULL, NULL);
    REQUIRE(e.ours >= 0);
    close(from);
    return e;
}

static void reset(int fd)
{
    struct linger now = {1, 0};

    REQUIRE(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    close(fd);
}

static void limit_descriptors(rlim_t n)
{
    struct rlimit limit;

    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = n;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* The lowest number that is free: the next open gets it. */
static int next_free(void)
{
    int fd = dup(0);

    if (fd >= 0)
        close(fd);
    return fd;
}

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- the set ------------------------------------------------------------------------- */

TEST(a_new_set_gets_a_free_number_and_is_closed_on_exec)
{
    int expected = next_free();
    int32_t set = tn_sys_epoll_create();

    CHECK_EQ(set, expected);
    CHECK(fcntl(set, F_GETFD) & FD_CLOEXEC);
}

TEST(without_a_free_descriptor_there_is_no_set)
{
    limit_descriptors((rlim_t)next_free());
    CHECK_EQ(tn_sys_epoll_create(), TN_EFILES);
    limit_descriptors(256); /* what checks for leaks at the end opens some */
}

TEST(a_report_carries_the_cookie_of_its_registration)
{
    static const uint32_t words[] = {0, 1, 0x7fffffff, 0x80000000, 0x12345678, 0xffffffff};
    struct tn_ready *ready = (struct tn_ready *)(void *)tn_guarded(sizeof *ready);
    int32_t set = tn_sys_epoll_create();
    struct ends e = tcp();

    REQUIRE(write(e.peers, "x", 1) == 1 && readable_within(e.ours, 2000));
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            CHECK_EQ(tn_sys_epoll_add(set, e.ours, words[i], words[j], TN_READ), 1);
            CHECK_EQ(tn_sys_epoll_wait(set, ready, 1, 0), 1);
            CHECK_EQ(ready->slot, words[i]);
            CHECK_EQ(ready->gen, words[j]);
            CHECK_EQ(ready->mask, TN_READ);
            tn_sys_epoll_modify(set, e.ours, words[i], words[j], TN_WRITE);
            CHECK_EQ(tn_sys_epoll_wait(set, ready, 1, 0), 1);
            CHECK(ready->slot == words[i] && ready->gen == words[j] && ready->mask == TN_WRITE);
            tn_sys_epoll_remove(set, e.ours);
        }
}

TEST(a_regular_file_cannot_be_waited_for)
{
    int32_t set = tn_sys_epoll_create();
    int file = open("/proc/self/exe", O_RDONLY);

    REQUIRE(file >= 0);
    CHECK_EQ(tn_sys_epoll_add(set, file, 1, 2, TN_READ), TN_ESYSTEM);
}

TEST(reports_repeat_until_the_bytes_are_taken)
{
    int32_t set = tn_sys_epoll_create();
    struct ends e = tcp();
    struct tn_ready ready;
    uint8_t buf[8];

    CHECK_EQ(tn_sys_epoll_add(set, e.ours, 7, 8, TN_READ), 1);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 0);
    REQUIRE(write(e.peers, "abc", 3) == 3);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 2000), 1);
    CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 2), 2);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 1);
    CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 2), 1);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 0);
}

TEST(interest_says_what_is_reported)
{
    int32_t set = tn_sys_epoll_create();
    struct ends e = tcp();
    struct tn_ready ready;

    REQUIRE(write(e.peers, "x", 1) == 1 && readable_within(e.ours, 2000));
    CHECK_EQ(tn_sys_epoll_add(set, e.ours, 1, 1, TN_READ | TN_WRITE), 1);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 1);
    CHECK_EQ(ready.mask, TN_READ | TN_WRITE);
    tn_sys_epoll_modify(set, e.ours, 1, 1, 0);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 0);
    tn_sys_epoll_modify(set, e.ours, 1, 1, TN_READ);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 1);
    CHECK_EQ(ready.mask, TN_READ);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 1);
}

TEST(without_interest_a_dead_peer_is_reported_at_most_once)
{
    int32_t set = tn_sys_epoll_create();
    struct ends e = tcp();
    struct tn_ready ready;
    int reports = 0;

    CHECK_EQ(tn_sys_epoll_add(set, e.ours, 3, 4, TN_READ), 1);
    tn_sys_epoll_modify(set, e.ours, 3, 4, 0);
    reset(e.peers);
    REQUIRE(readable_within(e.ours, 2000));
    for (int i = 0; i < 5; i++)
        if (tn_sys_epoll_wait(set, &ready, 1, 0) == 1) {
            CHECK(ready.mask != 0 && (ready.mask & ~TN_BROKEN) == 0);
            CHECK(ready.slot == 3 && ready.gen == 4);
            reports++;
        }
    CHECK(reports <= 1);
    tn_sys_epoll_modify(set, e.ours, 3, 4, TN_READ);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 1);
    CHECK(ready.mask & TN_READ);
}

TEST(added_without_interest_a_dead_peer_is_reported_at_most_once)
{
    int32_t set = tn_sys_epoll_create();
    struct ends e = tcp();
    struct tn_ready ready;

    CHECK_EQ(tn_sys_epoll_add(set, e.ours, 3, 4, 0), 1);
    reset(e.peers);
    REQUIRE(readable_within(e.ours, 2000));
    (void)tn_sys_epoll_wait(set, &ready, 1, 0);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 0);
}

TEST(what_is_removed_is_not_reported_and_can_be_added_again)
{
    int32_t set = tn_sys_epoll_create();
    struct ends e = tcp();
    struct tn_ready ready;

    REQUIRE(write(e.peers, "x", 1) == 1 && readable_within(e.ours, 2000));
    CHECK_EQ(tn_sys_epoll_add(set, e.ours, 1, 1, TN_READ), 1);
    tn_sys_epoll_remove(set, e.ours);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 0);
    CHECK(is_open(e.ours));
    CHECK_EQ(tn_sys_epoll_add(set, e.ours, 2, 2, TN_READ), 1);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 1);
    CHECK_EQ(ready.slot, 2);
}

TEST(a_wait_fills_no_more_than_it_is_given)
{
    const uint32_t room = TN_BATCH;
    struct tn_ready *ready = (struct tn_ready *)(void *)tn_guarded(sizeof *ready * room);
    int32_t set = tn_sys_epoll_create();
    uint8_t seen[TN_BATCH + 20] = {0};
    int32_t got, total = 0;
    struct ends e = tcp();

    for (uint32_t i = 0; i < TN_BATCH + 20; i++)
        REQUIRE(tn_sys_epoll_add(set, dup(e.ours), i, ~i, TN_WRITE) == 1);
    for (uint32_t max = 1; max <= room; max += 42) {
        memset(ready, 0xee, sizeof *ready * room);
        CHECK_EQ(tn_sys_epoll_wait(set, ready, max, 0), max);
        for (uint32_t i = max; i < room; i++)
            CHECK(ready[i].mask == 0xeeeeeeee && ready[i].slot == 0xeeeeeeee);
    }
    /* Two batches reach everybody: nobody starves behind those before him. */
    for (int batch = 0; batch < 2; batch++) {
        got = tn_sys_epoll_wait(set, ready, room, 0);
        CHECK_EQ(got, room);
        for (int32_t i = 0; i < got; i++) {
            REQUIRE(ready[i].slot < TN_BATCH + 20 && ready[i].gen == ~ready[i].slot);
            total += !seen[ready[i].slot];
            seen[ready[i].slot] = 1;
        }
    }
    CHECK_EQ(total, TN_BATCH + 20);
}

TEST(a_wait_ends_in_time_and_not_before)
{
    int32_t set = tn_sys_epoll_create();
    struct tn_ready ready;
    int64_t start = clock_ns();

    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 0);
    CHECK(clock_ns() - start < 1000000000);
    start = clock_ns();
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 50), 0);
    CHECK(clock_ns() - start >= 50000000);
}

static volatile sig_atomic_t ticks;

static void tick(int signal_number)
{
    (void)signal_number;
    ticks++;
}

/* The second signal connects somebody, so that what was interrupted by the
 * first has something to return. */
static void tick_and_connect(int signal_number)
{
    int fd;

    (void)signal_number;
    ticks++;
    if (ticks == 2) {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        (void)connect(fd, (struct sockaddr *)&bound, sizeof bound);
    }
}

static void every_20_ms(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    struct itimerval interval = {{0, 20000}, {0, 20000}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &interval, NULL);
}

TEST(a_signal_ends_a_wait_without_a_report)
{
    int32_t set = tn_sys_epoll_create();
    struct tn_ready ready;

    every_20_ms(tick);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, -1), 0);
    CHECK(ticks > 0);
}

TEST(a_set_that_is_none_is_refused)
{
    struct ends e = tcp();
    struct tn_ready ready;

    CHECK_EQ(tn_sys_epoll_wait(e.ours, &ready, 1, 0), TN_ESYSTEM);
}

/* --- accept -------------------------------------------------------------------------- */

TEST(connections_are_accepted_in_the_order_they_came)
{
    int from = listener(SOCK_NONBLOCK);
    int client[20];

    for (int i = 0; i < 20; i++)
        client[i] = connected();
    for (int i = 0; i < 20; i++) {
        struct sockaddr_in peer, self;
        socklen_t len = sizeof peer;
        int expected = next_free();
        int32_t fd = tn_sys_accept(from);

        CHECK_EQ(fd, expected);
        CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        CHECK(getpeername(fd, (struct sockaddr *)&peer, &len) == 0);
        len = sizeof self;
        CHECK(getsockname(client[i], (struct sockaddr *)&self, &len) == 0);
        CHECK_EQ(peer.sin_port, self.sin_port);
    }
    CHECK_EQ(tn_sys_accept(from), TN_EAGAIN);
}

TEST(without_a_free_descriptor_a_connection_waits_to_be_accepted)
{
    int from = listener(SOCK_NONBLOCK);
    int client = connected();

    (void)client;
    limit_descriptors((rlim_t)next_free());
    CHECK_EQ(tn_sys_accept(from), TN_EFILES);
    CHECK_EQ(tn_sys_accept(from), TN_EFILES);
    limit_descriptors(256);
    CHECK(tn_sys_accept(from) >= 0);
    CHECK_EQ(tn_sys_accept(from), TN_EAGAIN);
}

TEST(a_connection_reset_before_it_is_accepted_is_no_error)
{
    int from = listener(SOCK_NONBLOCK);
    uint8_t buf[4];
    int32_t fd;

    reset(connected());
    fd = tn_sys_accept(from);
    CHECK(fd >= 0 || fd == TN_EAGAIN);
    if (fd >= 0)
        CHECK_EQ(tn_sys_recv(fd, buf, 0, 4), TN_ERESET);
}

TEST(what_does_not_listen_is_refused_and_not_taken_for_empty)
{
    struct ends e = tcp();

    CHECK_EQ(tn_sys_accept(e.ours), TN_ESYSTEM);
}

TEST(an_interrupted_accept_is_repeated)
{
    int from = listener(0);

    every_20_ms(tick_and_connect);
    CHECK(tn_sys_accept(from) >= 0);
    CHECK(ticks >= 2);
}

/* --- receive ------------------------------------------------------------------------- */

TEST(nothing_received_is_zero_and_does_not_block)
{
    struct ends e = tcp();
    uint8_t buf[4];

    CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 4), 0);
}

TEST(bytes_are_received_in_order_to_their_place_and_nowhere_else)
{
    uint8_t *buf = tn_guarded(10);
    struct ends e = tcp();

    memset(buf, '.', 10);
    REQUIRE(write(e.peers, "abcdefgh", 8) == 8 && readable_within(e.ours, 2000));
    CHECK_EQ(tn_sys_recv(e.ours, buf, 2, 3), 3);
    CHECK_BYTES(buf, "..abc.....", 10);
    CHECK_EQ(tn_sys_recv(e.ours, buf, 6, 4), 4);
    CHECK_BYTES(buf, "..abc.defg", 10);
    CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 10), 1);
    CHECK_BYTES(buf, "h.abc.defg", 10);
    CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 10), 0);
}

TEST(the_end_comes_after_the_last_byte_and_again_and_again)
{
    struct ends e = tcp();
    uint8_t buf[4];

    REQUIRE(write(e.peers, "z", 1) == 1);
    close(e.peers);
    REQUIRE(readable_within(e.ours, 2000));
    CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 4), 1);
    REQUIRE(readable_within(e.ours, 2000));
    CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 4), TN_EOF);
    CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 4), TN_EOF);
}

TEST(a_reset_is_told_from_an_end)
{
    struct ends e = tcp();
    uint8_t buf[4];

    reset(e.peers);
    REQUIRE(readable_within(e.ours, 2000));
    CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 4), TN_ERESET);
}

/* --- send ---------------------------------------------------------------------------- */

TEST(bytes_are_sent_from_their_place_in_order)
{
    uint8_t *buf = tn_guarded(6);
    struct ends e = tcp();
    char got[8] = {0};

    memcpy(buf, "uvwxyz", 6);
    CHECK_EQ(tn_sys_send(e.ours, buf, 3, 3), 3);
    CHECK_EQ(tn_sys_send(e.ours, buf, 0, 2), 2);
    CHECK_EQ(recv(e.peers, got, 5, MSG_WAITALL), 5);
    CHECK_STR(got, "xyzuv");
}

TEST(a_full_stream_takes_nothing_does_not_block_and_loses_no_byte)
{
    enum { N = 1 << 16 };
    static uint8_t out[N], in[N];
    struct ends e = tcp();
    int64_t sent = 0, got = 0;
    int32_t taken;
    ssize_t n;

    do {
        for (int i = 0; i < N; i++)
            out[i] = (uint8_t)((sent + i) % 251);
        taken = tn_sys_send(e.ours, out, 0, N);
        sent += taken > 0 ? taken : 0;
        REQUIRE(taken >= 0 && taken <= N);
    } while (taken > 0);
    CHECK(sent > 0);
    close(e.ours);
    while ((n = read(e.peers, in, N)) > 0)
        for (ssize_t i = 0; i < n; i++, got++)
            REQUIRE(in[i] == got % 251);
    CHECK_EQ(got, sent);
}

TEST(room_is_reported_when_the_peer_has_read)
{
    static uint8_t bytes[1 << 16];
    int32_t set = tn_sys_epoll_create();
    struct ends e = tcp();
    struct tn_ready ready;

    while (tn_sys_send(e.ours, bytes, 0, sizeof bytes) > 0)
        ;
    CHECK_EQ(tn_sys_epoll_add(set, e.ours, 1, 1, TN_WRITE), 1);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 0);
    while (recv(e.peers, bytes, sizeof bytes, readable_within(e.peers, 100) ? 0 : MSG_DONTWAIT) > 0)
        ;
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 2000), 1);
    CHECK_EQ(ready.mask, TN_WRITE);
    CHECK(tn_sys_send(e.ours, bytes, 0, 1) == 1);
}

TEST(sending_to_one_who_is_gone_raises_no_signal)
{
    struct ends e = tcp();
    int32_t result = 0;

    CHECK(signal(SIGPIPE, SIG_DFL) == SIG_DFL); /* it would end this process */
    reset(e.peers);
    REQUIRE(readable_within(e.ours, 2000));
    for (int i = 0; i < 3 && result != TN_ERESET; i++)
        result = tn_sys_send(e.ours, (const uint8_t *)"x", 0, 1);
    CHECK_EQ(result, TN_ERESET);
    CHECK_EQ(tn_sys_send(e.ours, (const uint8_t *)"x", 0, 1), TN_ERESET);
}

/* --- reports by edge ----------------------------------------------------------------- */

#define BY_EDGE (TN_EDGE | TN_READ | TN_WRITE | TN_ENDED)
#define FINISHED ((uint32_t)POLLRDHUP) /* of TN_ENDED */

/* Both kinds of connections there are. */
static struct ends connection(int local)
{
    int pair[2];

    if (!local)
        return tcp();
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    return (struct ends){pair[0], pair[1]};
}

/* The mask of the one report that comes in time, 0 for none. */
static uint32_t reported(int32_t set, int32_t ms)
{
    struct tn_ready ready[2];
    int32_t n = tn_sys_epoll_wait(set, ready, 2, ms);

    REQUIRE(n == 0 || (n == 1 && ready[0].slot == 5 && ready[0].gen == 6));
    return n == 0 ? 0 : ready[0].mask;
}

/* A set with our end, whose first report was taken. */
static int32_t watched_by_edge(struct ends e)
{
    int32_t set = tn_sys_epoll_create();

    REQUIRE(tn_sys_epoll_add(set, e.ours, 5, 6, BY_EDGE) == 1);
    REQUIRE(reported(set, 0) == TN_WRITE);
    return set;
}

TEST(by_edge_bytes_are_reported_once_and_again_when_more_have_come)
{
    for (int local = 0; local < 2; local++) {
        struct ends e = connection(local);
        int32_t set = watched_by_edge(e);
        uint8_t buf[8];

        CHECK_EQ(reported(set, 0), 0);
        REQUIRE(write(e.peers, "abcd", 4) == 4);
        CHECK_EQ(reported(set, 2000), TN_READ | TN_WRITE);
        CHECK_EQ(reported(set, 20), 0);
        CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 2), 2);
        CHECK_EQ(reported(set, 20), 0); /* though two are left */
        REQUIRE(write(e.peers, "e", 1) == 1);
        CHECK_EQ(reported(set, 2000), TN_READ | TN_WRITE);
        CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 8), 3);
        CHECK_EQ(reported(set, 20), 0);
    }
}

TEST(by_edge_what_is_there_already_is_reported_and_by_level_beside_it_ever_again)
{
    for (int local = 0; local < 2; local++) {
        struct ends e = connection(local);
        int32_t set = tn_sys_epoll_create();
        struct tn_ready ready[2];
        int pipes[2];

        REQUIRE(pipe(pipes) == 0 && write(pipes[1], "x", 1) == 1);
        REQUIRE(write(e.peers, "x", 1) == 1 && readable_within(e.ours, 2000));
        CHECK_EQ(tn_sys_epoll_add(set, e.ours, 5, 6, BY_EDGE), 1);
        CHECK_EQ(reported(set, 0), TN_READ | TN_WRITE);
        CHECK_EQ(tn_sys_epoll_add(set, pipes[0], 7, 8, TN_READ), 1);
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(tn_sys_epoll_wait(set, ready, 2, 0), 1);
            CHECK(ready[0].slot == 7 && ready[0].mask == TN_READ);
        }
    }
}

TEST(by_edge_the_peers_end_is_reported_with_the_last_bytes)
{
    for (int local = 0; local < 2; local++) {
        struct ends e = connection(local);
        int32_t set = watched_by_edge(e);
        struct pollfd ended = {e.ours, POLLRDHUP, 0};
        uint8_t buf[8];

        REQUIRE(write(e.peers, "abc", 3) == 3);
        CHECK_EQ(reported(set, 2000), TN_READ | TN_WRITE);
        REQUIRE(shutdown(e.peers, SHUT_WR) == 0 && poll(&ended, 1, 2000) == 1);
        CHECK_EQ(reported(set, 0), TN_READ | TN_WRITE | FINISHED);
        CHECK_EQ(reported(set, 20), 0);
        CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 8), 3);
        CHECK_EQ(reported(set, 20), 0); /* the end is there, and was reported */
        CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 8), TN_EOF);
    }
}

TEST(by_edge_one_who_is_gone_is_reported)
{
    for (int local = 0; local < 2; local++) {
        struct ends e = connection(local);
        int32_t set = watched_by_edge(e);

        reset(e.peers);
        REQUIRE(readable_within(e.ours, 2000));
        CHECK_EQ(reported(set, 0) & (TN_READ | FINISHED | 16u), TN_READ | FINISHED | 16u);
        CHECK_EQ(reported(set, 20), 0);
    }
}

TEST(by_edge_room_is_reported_once_after_a_send_fell_short)
{
    static uint8_t bytes[1 << 16];

    for (int local = 0; local < 2; local++) {
        struct ends e = connection(local);
        int32_t set = watched_by_edge(e);

        while (tn_sys_send(e.ours, bytes, 0, sizeof bytes) > 0)
            ;
        CHECK_EQ(reported(set, 20), 0);
        while (recv(e.peers, bytes, sizeof bytes,
                    readable_within(e.peers, 100) ? 0 : MSG_DONTWAIT) > 0)
            ;
        CHECK_EQ(reported(set, 2000), TN_WRITE);
        CHECK_EQ(reported(set, 20), 0);
        CHECK_EQ(tn_sys_send(e.ours, bytes, 0, 1), 1);
    }
}

/* Writes n bytes in pieces of 1 to 7, as fast as it can. */
static void write_pieces(int fd, int64_t n)
{
    for (int64_t i = 0; i < n;) {
        ssize_t piece = 1 + i % 7 < n - i ? 1 + i % 7 : n - i;

        piece = write(fd, "1234567", (size_t)piece);
        if (piece < 0)
            _exit(1);
        i += piece;
    }
    _exit(0);
}

/* The poller's rule: who has received less than there was room for has received
 * all there was, and is told of what comes after. */
TEST_SLOW(by_edge_nothing_that_comes_between_a_short_receipt_and_a_wait_is_lost, 60)
{
    enum { N = 100000 };

    for (int local = 0; local < 2; local++) {
        struct ends e = connection(local);
        int32_t set = watched_by_edge(e), got;
        uint8_t buf[16];
        int64_t total = 0;
        pid_t writer = fork();

        if (writer == 0)
            write_pieces(e.peers, N);
        while (total < N) {
            uint32_t mask = reported(set, 5000);

            REQUIRE(mask != 0); /* or one was lost */
            if (!(mask & TN_READ))
                continue; /* what had come was received before the wait */
            do {
                got = tn_sys_recv(e.ours, buf, 0, sizeof buf);
                REQUIRE(got >= 0);
                total += got;
            } while (got == sizeof buf);
        }
        CHECK_EQ(total, N);
        CHECK_EQ(waitpid(writer, NULL, 0), writer);
    }
}

/* --- finish, close, clock ------------------------------------------------------------ */

TEST(after_finishing_the_peer_sees_the_end_and_is_still_heard)
{
    struct ends e = tcp();
    uint8_t buf[4];

    CHECK_EQ(tn_sys_send(e.ours, (const uint8_t *)"q", 0, 1), 1);
    tn_sys_finish(e.ours);
    tn_sys_finish(e.ours);
    CHECK_EQ(read(e.peers, buf, 4), 1);
    CHECK_EQ(read(e.peers, buf, 4), 0);
    REQUIRE(write(e.peers, "r", 1) == 1 && readable_within(e.ours, 2000));
    CHECK_EQ(tn_sys_recv(e.ours, buf, 0, 4), 1);
    CHECK_EQ(tn_sys_send(e.ours, (const uint8_t *)"q", 0, 1), TN_ERESET);
}

TEST(a_closed_number_is_free_and_registered_nowhere)
{
    int32_t set = tn_sys_epoll_create();
    struct ends e = tcp(), other = tcp();
    struct tn_ready ready;

    REQUIRE(write(e.peers, "x", 1) == 1 && readable_within(e.ours, 2000));
    CHECK_EQ(tn_sys_epoll_add(set, e.ours, 5, 6, TN_READ), 1);
    tn_sys_close(e.ours);
    CHECK(!is_open(e.ours));
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 0);
    REQUIRE(dup2(other.ours, e.ours) == e.ours);
    CHECK_EQ(tn_sys_epoll_add(set, e.ours, 5, 7, TN_READ), 1);
    REQUIRE(write(other.peers, "y", 1) == 1);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 2000), 1);
    CHECK_EQ(ready.gen, 7);
}

/* Why os/sys.h speaks of descriptors that nobody shares: the limits of its
 * contracts, as they show when a file is open twice. */
TEST(a_registration_outlives_close_while_a_duplicate_is_open)
{
    int32_t set = tn_sys_epoll_create();
    struct ends e = tcp();
    int duplicate = dup(e.ours);
    struct tn_ready ready;

    REQUIRE(write(e.peers, "x", 1) == 1 && readable_within(e.ours, 2000));
    CHECK_EQ(tn_sys_epoll_add(set, e.ours, 5, 6, TN_READ), 1);
    tn_sys_close(e.ours);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 1);
    CHECK(ready.slot == 5 && ready.gen == 6);
    tn_sys_close(duplicate);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 0);
}

TEST(a_registration_outlives_close_while_another_process_has_the_file)
{
    int32_t set = tn_sys_epoll_create();
    struct ends e = tcp();
    struct tn_ready ready;
    int release[2];
    char c;
    pid_t child;

    REQUIRE(write(e.peers, "x", 1) == 1 && readable_within(e.ours, 2000));
    CHECK_EQ(tn_sys_epoll_add(set, e.ours, 5, 6, TN_READ), 1);
    REQUIRE(pipe(release) == 0 && (child = fork()) >= 0);
    if (child == 0) {
        close(release[1]);
        _exit(read(release[0], &c, 1) != 0);
    }
    tn_sys_close(e.ours);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 1);
    close(release[1]);
    REQUIRE(waitpid(child, NULL, 0) == child);
    CHECK_EQ(tn_sys_epoll_wait(set, &ready, 1, 0), 0);
}

TEST(what_was_registered_is_forgotten_with_its_set)
{
    int32_t first = tn_sys_epoll_create(), second;
    struct ends e = tcp();

    CHECK_EQ(tn_sys_epoll_add(first, e.ours, 5, 6, TN_READ), 1);
    tn_sys_close(first);
    second = tn_sys_epoll_create();
    CHECK_EQ(tn_sys_epoll_add(second, e.ours, 5, 6, TN_READ), 1);
}

TEST(a_peer_sees_the_end_of_what_is_closed)
{
    struct ends e = tcp();
    char c;

    tn_sys_close(e.ours);
    REQUIRE(readable_within(e.peers, 2000));
    CHECK_EQ(read(e.peers, &c, 1), 0);
}

TEST(the_clock_is_monotonic_in_milliseconds_and_never_ahead)
{
    int64_t before = clock_ns() / 1000000, last = 0;

    for (int i = 0; i < 100000; i++) {
        int64_t now = tn_sys_now_ms();

        REQUIRE(now >= last && now >= before && now <= 0x3fffffffffffffff);
        last = now;
    }
    CHECK(last <= clock_ns() / 1000000);
}
