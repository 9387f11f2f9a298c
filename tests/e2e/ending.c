/* How a server ends: signals, `quit`, what is in flight, what it leaves. */
#define _GNU_SOURCE
#include "peer.h"

/* No one listens there any more: draining has begun. */
static void expect_refusal(const struct server *s)
{
    int64_t end = peer_ns() + (int64_t)PEER_DEADLINE_MS * 1000000;
    int fd;

    while ((fd = peer_try(s->address[0], 0)) >= 0) {
        REQUIRE(peer_ns() < end);
        close(fd);
    }
    CHECK(errno == ECONNREFUSED || errno == ENOENT || errno == ECONNRESET);
}

TEST(a_server_that_did_nothing_ends_at_once_and_counts_nothing)
{
    struct server s = server_with(NULL);

    server_stop(&s);
    CHECK_EQ(total(&s, "accepted"), 0);
    CHECK_EQ(total(&s, "bytes-in"), 0);
    CHECK_EQ(total_closed(&s), 0);
}

TEST(an_interrupt_drains_like_a_termination)
{
    struct server s = server_with(NULL);
    int fd = peer_connect(&s);

    peer_roundtrip(fd);
    REQUIRE(kill(s.pid, SIGINT) == 0);
    peer_expect_end(fd);
    close(fd);
    server_ended(&s);
    CHECK_EQ(total(&s, "by-drain"), 1);
}

/* Reads to the end and checks that it is a row of whole answers, the first of
 * those asked for.  Returns their number. */
static int whole_answers(int fd, const uint8_t *answers, size_t n, size_t each)
{
    static uint8_t got[1 << 16];
    size_t have = 0;

    for (;;) {
        ssize_t k;

        REQUIRE(peer_poll(fd, POLLIN, PEER_DEADLINE_MS));
        k = recv(fd, got, sizeof got, MSG_DONTWAIT);
        REQUIRE(k >= 0);
        if (k == 0)
            break;
        REQUIRE((size_t)k <= n - have && memcmp(got, answers + have, (size_t)k) == 0);
        have += (size_t)k;
    }
    CHECK_EQ(have % each, 0); /* the stream ends between two frames */
    return (int)(have / each);
}

TEST_SLOW(at_a_termination_each_answer_arrives_whole_or_not_at_all, 30)
{
    NEEDS_AT_ONCE(20);
    enum { CLIENTS = 20, LEN = 5000, FRAMES = 30 };
    static uint8_t payload[LEN], bytes[(LEN + 4) * FRAMES];
    struct server s = server_with("--framing", "u32", NULL);
    int fd[CLIENTS];
    int64_t answers = 0;
    size_t n = 0;

    for (int i = 0; i < FRAMES; i++) {
        peer_fill(payload, LEN, (uint64_t)i);
        n += peer_frame(U32, payload, LEN, bytes + n);
    }
    for (int c = 0; c < CLIENTS; c++) {
        fd[c] = peer_try(s.address[0], c % 2 == 0 ? 4096 : 0);
        REQUIRE(fd[c] >= 0);
        REQUIRE(send(fd[c], bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) > LEN + 4);
        REQUIRE(peer_poll(fd[c], POLLIN, PEER_DEADLINE_MS)); /* the first was heard */
    }
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    for (int c = 0; c < CLIENTS; c++) {
        int count = whole_answers(fd[c], bytes, n, LEN + 4);

        CHECK(count >= 1);
        answers += count;
        close(fd[c]);
    }
    server_ended(&s);
    CHECK_EQ(total(&s, "sent"), answers);
    CHECK_EQ(total(&s, "frames"), answers);
    CHECK_EQ(total_closed(&s), CLIENTS);
}

/* A connection whose answers are pending and who does not read. */
static int stubborn(const struct server *s)
{
    static uint8_t bytes[1 << 20];
    int fd = peer_try(s->address[0], 4096);

    REQUIRE(fd >= 0);
    while (peer_poll(fd, POLLOUT, 200) &&
           send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
    return fd;
}

TEST(a_drain_waits_as_long_as_it_may_and_no_longer)
{
    struct server s = server_with("--drain-timeout", "400ms", NULL);
    int fd = stubborn(&s);
    int64_t start = peer_ns();

    server_stop(&s);
    CHECK(peer_ns() - start >= 399000000); /* less the grain of its clock */
    CHECK(peer_ns() - start < 3000000000);
    CHECK_EQ(total(&s, "by-drain"), 1);
    close(fd);
}

TEST(a_drain_without_time_ends_at_once)
{
    struct server s = server_with("--drain-timeout", "0", NULL);
    int fd = stubborn(&s);
    int64_t start = peer_ns();

    server_stop(&s);
    CHECK(peer_ns() - start < 2000000000);
    close(fd);
}

TEST(while_draining_nobody_is_accepted_and_the_rest_is_sent)
{
    NEEDS_AT_ONCE(2);
    struct server s = server_with("--drain-timeout", "1m", NULL);
    int fd = stubborn(&s), idle = peer_connect(&s);
    static uint8_t buf[1 << 16];
    int64_t got = 0;
    ssize_t n;

    REQUIRE(kill(s.pid, SIGTERM) == 0);
    peer_expect_end(idle); /* nothing was pending there */
    close(idle);
    expect_refusal(&s);
    do {
        REQUIRE(peer_poll(fd, POLLIN, PEER_DEADLINE_MS));
        n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
        REQUIRE(n >= 0);
        got += n;
    } while (n > 0);
    close(fd);
    server_ended(&s);
    CHECK_EQ(total(&s, "bytes-out"), got);
    CHECK(total(&s, "by-drain") >= 2); /* and who asks before the signal is looked at */
}

TEST(who_waits_for_a_worker_does_not_wait_for_the_end_of_a_drain)
{
    NEEDS(model_under_test()->workers != NULL);
    struct server s = server_with("--drain-timeout", "1m", "--workers", "1", NULL);
    int fd = stubborn(&s), waiting = peer_connect(&s);

    peer_send(waiting, "a", 1);
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    peer_expect(waiting, "a", 1);
    peer_expect_end(waiting);
    close(waiting);
    close(fd);
    server_ended(&s);
}

TEST(a_second_signal_ends_at_once)
{
    struct server s = server_with("--drain-timeout", "1m", NULL);
    int fd = stubborn(&s);
    int64_t start;

    REQUIRE(kill(s.pid, SIGTERM) == 0);
    expect_refusal(&s);
    start = peer_ns();
    server_stop(&s);
    CHECK(peer_ns() - start < 2000000000);
    close(fd);
}

TEST(an_idle_timeout_goes_on_while_draining)
{
    struct server s = server_with("--drain-timeout", "1m", "--idle-timeout", "300ms", NULL);
    int fd = stubborn(&s);

    server_stop(&s);
    CHECK_EQ(total_closed(&s), 1);
    close(fd);
}

TEST(a_peer_that_resets_does_not_hold_up_a_drain)
{
    struct server s = server_with("--drain-timeout", "1m", NULL);
    int fd = stubborn(&s);

    REQUIRE(kill(s.pid, SIGTERM) == 0);
    expect_refusal(&s);
    peer_reset(fd);
    server_ended(&s);
    CHECK_EQ(total_closed(&s), total(&s, "accepted"));
}

/* --- the terminal goes --------------------------------------------------------------- */

/* A server, which takes a hang-up as this process does. */
static struct server with_hangups(void (*taken)(int))
{
    REQUIRE(signal(SIGHUP, taken) != SIG_ERR);
    return server_with("--drain-timeout", "1m", NULL);
}

TEST(a_hang_up_drains_like_a_termination)
{
    struct server s = with_hangups(SIG_DFL);
    int fd = peer_connect(&s);

    peer_roundtrip(fd);
    REQUIRE(kill(s.pid, SIGHUP) == 0);
    peer_expect_end(fd);
    close(fd);
    server_ended(&s);
    CHECK_EQ(total(&s, "by-drain"), 1);
}

TEST(a_second_hang_up_changes_nothing_and_a_termination_ends_at_once)
{
    struct server s = with_hangups(SIG_DFL);
    int fd = stubborn(&s);
    int64_t start;

    REQUIRE(kill(s.pid, SIGHUP) == 0);
    expect_refusal(&s);
    REQUIRE(kill(s.pid, SIGHUP) == 0);
    CHECK(!peer_poll(s.out, POLLIN, 300)); /* no totals yet */
    start = peer_ns();
    server_stop(&s);
    CHECK(peer_ns() - start < 2000000000);
    close(fd);
}

TEST(a_hang_up_of_everybody_reaches_the_server_alone)
{
    struct server s = with_hangups(SIG_DFL);
    int fd = peer_connect(&s);

    peer_roundtrip(fd);
    REQUIRE(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    REQUIRE(kill(0, SIGHUP) == 0); /* the group: this test, the server and its processes */
    peer_expect_end(fd);
    close(fd);
    server_ended(&s);
    CHECK_EQ(total(&s, "by-drain"), 1);
}

TEST(a_hang_up_that_was_ignored_before_does_not_end_the_server)
{
    struct server s = with_hangups(SIG_IGN); /* nohup */
    int fd = peer_connect(&s);

    peer_roundtrip(fd);
    REQUIRE(kill(s.pid, SIGHUP) == 0);
    peer_roundtrip(fd);
    CHECK(!peer_poll(fd, POLLIN, 200));
    peer_roundtrip(fd);
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-peer"), 1);
}

/* --- standard input ------------------------------------------------------------------ */

static void say(const struct server *s, const char *text)
{
    REQUIRE(write(s->in, text, strlen(text)) == (ssize_t)strlen(text));
}

static struct server listening_to_stdin(void)
{
    struct server s = {0};

    server_args(&s, "--stdin", NULL);
    server_start(&s, 1);
    return s;
}

TEST(a_line_quit_on_standard_input_ends_the_server)
{
    struct server s = listening_to_stdin();

    say(&s, "quit\n");
    server_ended(&s);
}

TEST(a_line_quit_is_found_after_others)
{
    struct server s = listening_to_stdin();

    say(&s, "quiet\n\nhelp\nquit\n");
    server_ended(&s);
}

TEST(quit_is_found_however_it_arrives)
{
    static const char *const pieces[] = {"q", "ui", "t", "\r", "\n", NULL};
    struct server s = listening_to_stdin();
    int fd = peer_connect(&s);

    for (int i = 0; pieces[i] != NULL; i++) {
        peer_roundtrip(fd);
        say(&s, pieces[i]);
    }
    peer_expect_end(fd);
    close(fd);
    server_ended(&s);
}

TEST(what_is_not_quit_does_not_end_the_server)
{
    static const char *const lines[] = {"\n",          "quit now\n", " quit\n", "qui\n",
                                        "quitt\n",     "q\nuit\n",   "QUIT\n",  "\rquit\n",
                                        "quit\r\rx\n", NULL};
    struct server s = listening_to_stdin();
    int fd = peer_connect(&s);

    for (int i = 0; lines[i] != NULL; i++) {
        say(&s, lines[i]);
        peer_roundtrip(fd);
        peer_roundtrip(fd);
    }
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-peer"), 1);
}

TEST(the_end_of_standard_input_ends_nothing_and_is_not_looked_at_again)
{
    struct server s = listening_to_stdin();
    int fd = peer_connect(&s);

    say(&s, "quit"); /* no LF: no line */
    close(s.in);
    s.in = -1;
    peer_roundtrip(fd);
    CHECK(!peer_poll(fd, POLLIN, 300));
    peer_roundtrip(fd);
    close(fd);
    server_stop(&s);
    few_wakeups(&s, 50);
}

TEST(standard_input_is_not_read_unasked)
{
    struct server s = {0};
    int fd;

    server_start(&s, 1);
    fd = peer_connect(&s);
    say(&s, "quit\n");
    peer_roundtrip(fd);
    peer_roundtrip(fd);
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-peer"), 1);
}

TEST(a_line_quit_on_a_terminal_ends_the_server_unasked)
{
    struct server s = {0};
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    REQUIRE(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    s.stdin_fd = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    REQUIRE(s.stdin_fd >= 0);
    server_start(&s, 0);
    REQUIRE(write(terminal, "quit\n", 5) == 5);
    server_ended(&s);
}

/* --- what is left -------------------------------------------------------------------- */

TEST(a_socket_file_goes_with_its_server_and_a_stale_one_is_replaced)
{
    char address[60];
    struct server s;
    int fd;

    snprintf(address, sizeof address, "unix:/tmp/tenon-ending-%ld", (long)getpid());
    s = server_with("--listen", address, NULL);
    REQUIRE(kill(s.pid, SIGKILL) == 0);
    server_wait(&s);
    CHECK_EQ(s.status, -SIGKILL);
    CHECK(access(address + 5, F_OK) == 0);
    s = server_with("--listen", address, NULL);
    fd = peer_connect(&s);
    peer_roundtrip(fd);
    close(fd);
    server_stop(&s);
    CHECK(access(address + 5, F_OK) != 0);
}

TEST(a_port_can_be_taken_again_as_soon_as_its_server_has_ended)
{
    struct server s = server_with(NULL), next;
    int fd = peer_connect(&s);

    peer_roundtrip(fd);
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    peer_expect_end(fd); /* the server finishes first: its side waits in TIME_WAIT */
    close(fd);
    server_ended(&s);
    next = server_with("--listen", s.address[0], NULL);
    CHECK_STR(next.address[0], s.address[0]);
    server_stop(&next);
}

TEST(a_reader_of_its_output_that_is_gone_does_not_end_it)
{
    struct server s = server_with(NULL);
    int fd = peer_connect(&s), status = 0;

    close(s.out);
    peer_roundtrip(fd);
    close(fd);
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    REQUIRE(waitpid(s.pid, &status, 0) == s.pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
