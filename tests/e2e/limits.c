/* Too many clients, too few descriptors, too much silence. */
#define _GNU_SOURCE
#include "peer.h"

/* Waits that a server which has nothing to do may make meanwhile; one that
 * spins makes thousands. */
#define FEW_WAKEUPS 400

/* The server's clock counts whole milliseconds. */
#define GRAIN_NS 1000000

/* Sends a byte on each connection and waits for silence; answered[i] tells who
 * got it back.  Returns how many. */
static int ask_all(const int *fd, uint8_t *answered, int n, int silence_ms)
{
    struct pollfd p[100];
    int count = 0;

    REQUIRE(n <= 100);
    for (int i = 0; i < n; i++) {
        p[i].fd = answered[i] || fd[i] < 0 ? -1 : fd[i];
        p[i].events = POLLIN;
    }
    while (poll(p, (nfds_t)n, silence_ms) > 0)
        for (int i = 0; i < n; i++) {
            char c = 0;

            if (p[i].revents == 0)
                continue;
            REQUIRE(recv(fd[i], &c, 1, MSG_DONTWAIT) == 1 && c == 'a');
            answered[i] = 1;
            p[i].fd = -1;
            p[i].revents = 0;
            count++;
        }
    return count;
}

/* Connects n clients to a server that can take fewer; each sends one byte.
 * Those beyond the limit are answered when others leave, and none is lost. */
static void crowd(struct server *s, int n, int at_most)
{
    int fd[100], served, waiting = n;
    uint8_t answered[100] = {0};
    int64_t cpu, end;

    for (int i = 0; i < n; i++) {
        fd[i] = peer_try(s->address[i % s->address_count], 0);
        REQUIRE(fd[i] >= 0);
        peer_send(fd[i], "a", 1);
    }
    served = ask_all(fd, answered, n, 500);
    CHECK(served >= 1 && served <= at_most);
    cpu = server_cpu_ns(s);
    CHECK_EQ(ask_all(fd, answered, n, 500), 0); /* silence: nothing to do */
    CHECK(server_cpu_ns(s) - cpu < 50000000);
    waiting -= served;
    end = peer_ns() + 2 * (int64_t)PEER_DEADLINE_MS * 1000000;
    while (waiting > 0) {
        int i = 0;

        while (i < n && !answered[i])
            i++;
        if (i < n) { /* somebody leaves, and somebody new may be served */
            close(fd[i]);
            fd[i] = -1;
            answered[i] = 0;
        }
        served = ask_all(fd, answered, n, 20);
        waiting -= served;
        REQUIRE(peer_ns() < end);
    }
    CHECK_EQ(waiting, 0);
    for (int i = 0; i < n; i++)
        if (fd[i] >= 0)
            close(fd[i]);
    server_stop(s);
    CHECK_EQ(total(s, "accepted"), n);
    CHECK_EQ(total_closed(s), n);
    CHECK_EQ(total(s, "frames"), n);
    CHECK(total(s, "accept-pauses") >= 1);
    few_wakeups(s, FEW_WAKEUPS);
}

TEST_SLOW(without_descriptors_accepting_pauses_without_spinning_and_resumes, 30)
{
    NEEDS_AT_ONCE(2);
    NEEDS(!model_under_test()->forks && model_under_test()->workers == NULL);
    struct server s = {0};

    s.descriptors = 20;
    server_start(&s, 0);
    crowd(&s, 40, 20);
}

TEST_SLOW(beyond_the_most_connections_accepting_pauses_and_resumes, 30)
{
    NEEDS(model_under_test()->workers == NULL);
    NEEDS_AT_ONCE(2);
    struct server s = server_with("--max-connections", "5", NULL);

    crowd(&s, 25, 5);
}

TEST_SLOW(a_crowd_on_many_listeners_is_served_by_turns, 30)
{
    NEEDS(model_under_test()->workers == NULL);
    NEEDS_AT_ONCE(2);
    struct server s = server_with("--max-connections", "3", "--listen", "127.0.0.1:0", "--listen",
                                  "127.0.0.1:0", NULL);

    crowd(&s, 12, 3);
}

TEST(one_connection_at_a_time_is_a_limit_too)
{
    NEEDS(model_under_test()->workers == NULL);
    struct server s = server_with("--max-connections", "1", NULL);

    for (int i = 0; i < 30; i++) {
        int fd = peer_connect(&s);

        peer_roundtrip(fd);
        close(fd);
    }
    server_stop(&s);
    CHECK_EQ(total(&s, "accepted"), 30);
}

/* Waits until the server has n descriptors open. */
static void expect_descriptors(const struct server *s, int n)
{
    int64_t end = peer_ns() + (int64_t)PEER_DEADLINE_MS * 1000000;

    while (server_descriptors(s) != n && peer_ns() < end)
        poll(NULL, 0, 1); /* nothing tells when; this asks again */
    CHECK_EQ(server_descriptors(s), n);
}

TEST_SLOW(after_ten_thousand_connections_no_descriptor_is_left, 60)
{
    NEEDS(model_under_test()->workers == NULL);
    NEEDS_AT_ONCE(2);
    enum { AT_A_TIME = 500, TIMES = MANY_CONNECTIONS / AT_A_TIME };
    static int fd[AT_A_TIME];
    struct server s = server_with("--framing", "line", NULL);
    int before = server_descriptors(&s), other = peer_connect(&s);

    peer_roundtrip(other);
    for (int t = 0; t < TIMES; t++) {
        for (int i = 0; i < AT_A_TIME; i++) {
            fd[i] = peer_connect(&s);
            peer_send(fd[i], "hi\n", i % 3 == 0 ? 2 : 3);
        }
        for (int i = 0; i < AT_A_TIME; i++) {
            if (i % 3 != 0)
                peer_expect(fd[i], "hi\n", 3);
            if (i % 5 == 0)
                peer_reset(fd[i]);
            else
                close(fd[i]);
        }
    }
    close(other);
    expect_descriptors(&s, before);
    server_stop(&s);
    CHECK_EQ(total(&s, "accepted"), AT_A_TIME * TIMES + 1);
    CHECK_EQ(total_closed(&s), AT_A_TIME * TIMES + 1);
}

TEST_SLOW(thousands_of_connections_can_be_open_at_a_time, 60)
{
    NEEDS(model_under_test()->workers == NULL);
    NEEDS_AT_ONCE(4000);
    enum { MANY = 4000 };
    static int fd[MANY];
    struct rlimit limit;
    struct server s = {0};
    int count = model_under_test()->at_once < MANY ? model_under_test()->at_once : MANY;
    char most[12];

    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max < (rlim_t)count + 100)
        count = (int)limit.rlim_max - 100;
    snprintf(most, sizeof most, "%d", count);
    s.soft_descriptors = 256; /* it has to raise that by itself */
    server_args(&s, "--max-connections", most, NULL);
    server_start(&s, 0);
    for (int i = 0; i < count; i++)
        fd[i] = peer_connect(&s);
    for (int i = 0; i < count; i++)
        peer_roundtrip(fd[i]);
    for (int i = 0; i < count; i++)
        close(fd[i]);
    server_stop(&s);
    CHECK_EQ(total(&s, "accepted"), count);
    /* polling tries the listener of a full table, which is a pause */
    CHECK_EQ(total(&s, "accept-pauses"), is_model("polling") ? 1 : 0);
}

/* --- idle ---------------------------------------------------------------------------- */

TEST(a_silent_connection_is_closed_in_time_and_not_before)
{
    NEEDS_AT_ONCE(2);
    struct server s = server_with("--idle-timeout", "300ms", NULL);
    int64_t start = peer_ns();
    int silent = peer_connect(&s), busy = peer_connect(&s);

    while (!peer_poll(silent, POLLIN, 50))
        peer_roundtrip(busy);
    CHECK(peer_ns() - start >= 300000000 - GRAIN_NS);
    peer_expect_end(silent);
    peer_roundtrip(busy);
    close(silent);
    close(busy);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-idle"), 1);
    CHECK_EQ(total(&s, "by-peer"), 1);
}

TEST(each_byte_starts_the_idle_time_anew)
{
    struct server s = server_with("--idle-timeout", "200ms", "--framing", "u32", NULL);
    int fd = peer_connect(&s);
    int64_t last = peer_ns();

    for (int i = 0; i < 6; i++) {
        CHECK(!peer_poll(fd, POLLIN, 100));
        last = peer_ns();
        peer_send(fd, &"\0\0\0\144ab"[i], 1); /* bytes count, not frames */
    }
    REQUIRE(peer_poll(fd, POLLIN, PEER_DEADLINE_MS));
    CHECK(peer_ns() - last >= 200000000 - GRAIN_NS);
    peer_expect_end(fd);
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-idle"), 1);
    CHECK_EQ(total(&s, "bytes-in"), 6);
}

TEST(a_byte_soon_after_the_first_counts_in_full)
{
    struct server s = server_with("--idle-timeout", "300ms", NULL);
    int fd = peer_connect(&s);
    int64_t last;

    CHECK(!peer_poll(fd, POLLIN, 15));
    last = peer_ns();
    peer_roundtrip(fd);
    REQUIRE(peer_poll(fd, POLLIN, PEER_DEADLINE_MS));
    CHECK(peer_ns() - last >= 300000000 - GRAIN_NS);
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-idle"), 1);
}

TEST(without_an_idle_timeout_silence_is_free)
{
    NEEDS_AT_ONCE(50);
    struct server s = server_with(NULL);
    int fd[50];

    for (int i = 0; i < 50; i++)
        fd[i] = peer_connect(&s);
    peer_roundtrip(fd[49]);
    CHECK(!peer_poll(fd[0], POLLIN, 500));
    for (int i = 0; i < 50; i++)
        peer_roundtrip(fd[i]);
    for (int i = 0; i < 50; i++)
        close(fd[i]);
    server_stop(&s);
    few_wakeups(&s, FEW_WAKEUPS);
}

/* A peer that never reads is cut off under this timeout, and for this reason. */
static void cut_off(const char *timeout, const char *reason)
{
    struct server s = server_with(timeout, "300ms", NULL);
    static uint8_t bytes[1 << 20];
    int fd = peer_try(s.address[0], 4096);

    REQUIRE(fd >= 0);
    while (peer_poll(fd, POLLOUT, 100) &&
           send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
    CHECK(peer_poll(fd, 0, PEER_DEADLINE_MS)); /* broken: it was cut off */
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, reason), 1);
}

TEST(a_peer_that_never_reads_is_idle_too)
{
    cut_off("--idle-timeout", "by-idle");
}

TEST(a_frame_that_comes_byte_by_byte_must_be_whole_in_time)
{
    NEEDS_AT_ONCE(2);
    struct server s = server_with("--read-timeout", "300ms", "--framing", "line", NULL);
    int slow = peer_connect(&s), silent = peer_connect(&s);
    int64_t first = peer_ns();
    char byte;

    do /* never a silence of the time that is allowed */
        peer_send(slow, "a", 1);
    while (!peer_poll(slow, POLLIN, 60));
    CHECK(peer_ns() - first >= 300000000 - GRAIN_NS);
    CHECK(recv(slow, &byte, 1, MSG_DONTWAIT) <= 0); /* a byte that came too late resets it */
    peer_exchange(silent, "b\n", 2, "b\n", 2);      /* a frame not begun has all the time */
    close(slow);
    close(silent);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-read-timeout"), 1);
    CHECK_EQ(total(&s, "by-peer"), 1);
}

TEST(each_frame_has_the_read_time_to_itself)
{
    struct server s = server_with("--read-timeout", "1s", "--framing", "line", NULL);
    int fd = peer_connect(&s);

    peer_send(fd, "a", 1);
    CHECK(!peer_poll(fd, POLLIN, 600));
    peer_exchange(fd, "b\nc", 3, "ab\n", 3);
    CHECK(!peer_poll(fd, POLLIN, 600));
    peer_exchange(fd, "d\n", 2, "cd\n", 3);
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-read-timeout"), 0);
}

TEST(a_peer_that_never_reads_stands_under_the_write_timeout)
{
    cut_off("--write-timeout", "by-write-timeout");
}

/* --- buffers ------------------------------------------------------------------------- */

/* More clients than there are buffers, each with half a frame: they hold all. */
#define HOLDERS 300

static void hold_all_buffers(const struct server *s, int *fd)
{
    for (int i = 0; i < HOLDERS; i++) {
        fd[i] = peer_connect(s);
        peer_send(fd[i], "\0\0", 2);
    }
}

TEST(those_who_hold_all_buffers_are_idle_and_the_next_is_served)
{
    NEEDS(model_under_test()->workers == NULL);
    NEEDS(model_under_test()->event);
    struct server s = server_with("--idle-timeout", "400ms", "--framing", "u32", NULL);
    int holder[HOLDERS], fd;

    hold_all_buffers(&s, holder);
    CHECK(!peer_poll(holder[0], POLLIN, 150));
    fd = peer_connect(&s);
    peer_roundtrip_framed(fd, U32);
    close(fd);
    for (int i = 0; i < HOLDERS; i++)
        close(holder[i]);
    server_stop(&s);
    CHECK(total(&s, "by-idle") >= 1);
    CHECK(total(&s, "parked") >= 1);
    CHECK_EQ(total(&s, "frames"), 1);
}

TEST(without_a_free_buffer_a_drain_still_ends)
{
    NEEDS(model_under_test()->workers == NULL);
    NEEDS(model_under_test()->event);
    struct server s = server_with("--drain-timeout", "1m", "--framing", "u32", NULL);
    int holder[HOLDERS], idle = peer_connect(&s), before;

    peer_roundtrip_framed(idle, U32);
    before = server_descriptors(&s);
    hold_all_buffers(&s, holder);
    expect_descriptors(&s, before + HOLDERS);
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    peer_expect_end(idle);
    for (int i = 0; i < HOLDERS; i++)
        close(holder[i]);
    close(idle);
    server_ended(&s);
    CHECK_EQ(total_closed(&s), HOLDERS + 1);
}
