/* The examples that users copy from: tests/examples. */
#define _GNU_SOURCE
#include "peer.h"

/* Starts an example with its arguments; the second may be null. */
static struct server start_with(const char *name, const char *first, const char *second)
{
    struct server s = {0};
    char program[300];

    REQUIRE(getenv("EXAMPLES") != NULL);
    snprintf(program, sizeof program, "%s/%s", getenv("EXAMPLES"), name);
    server_args(&s, name, first, second, NULL);
    server_spawn(&s, program, 0);
    if (!read_line(s.out, s.address[0], sizeof s.address[0]))
        s.address[0][0] = '\0';
    return s;
}

static struct server start_example(const char *name, const char *port)
{
    return start_with(name, port, NULL);
}

TEST(the_example_echoes_lines_and_drains_on_termination)
{
    struct server s = start_example("echo", "0");
    int fd = peer_connect(&s), other = peer_connect(&s);

    peer_exchange(fd, "one\ntwo\nth", 10, "one\ntwo\n", 8);
    peer_roundtrip(other);
    peer_exchange(fd, "ree\n", 4, "three\n", 6);
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    peer_expect_end(fd);
    peer_expect_end(other);
    close(fd);
    close(other);
    server_wait(&s);
    CHECK_EQ(s.status, 0);
    CHECK_STR(s.errors, "");
    CHECK_STR(s.text, "");
}

TEST(the_example_says_why_it_cannot_listen)
{
    struct server s = start_example("echo", "0"), other;

    other = start_example("echo", strchr(s.address[0], ':') + 1);
    CHECK_STR(other.address[0], "");
    server_wait(&other);
    CHECK_EQ(other.status, 1);
    CHECK(strstr(other.errors, "address in use") != NULL);
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    server_wait(&s);
    CHECK_EQ(s.status, 0);
}

TEST(the_example_of_a_session_runs_under_every_sequential_model)
{
    static const char *const words[] = {"blocking",    "fork",    "thread",
                                        "thread-pool", "prefork", "process-pool"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct server s = start_with("sessions", words[i], "0");
        int fd = peer_connect(&s), other;

        peer_exchange(fd, "one\n\nth", 7, "one\n\n", 5);
        peer_exchange(fd, "ree\n", 4, "three\n", 6);
        close(fd);
        other = peer_connect(&s);
        peer_roundtrip(other);
        REQUIRE(kill(s.pid, SIGTERM) == 0);
        peer_expect_end(other);
        close(other);
        server_wait(&s);
        CHECK_EQ(s.status, 0);
        CHECK_STR(s.errors, "");
    }
}

TEST(the_example_of_a_session_refuses_a_model_that_there_is_not)
{
    struct server s = start_with("sessions", "threads", "0");

    CHECK_STR(s.address[0], "");
    server_wait(&s);
    CHECK_EQ(s.status, 1);
    CHECK_STR(s.errors, "sessions: threads: argument out of its range\n");
}

TEST(the_pipeline_counts_every_number_once)
{
    char line[100], command[300];
    int status;
    FILE *out;

    REQUIRE(getenv("EXAMPLES") != NULL);
    for (int round = 0; round < 5; round++) {
        snprintf(command, sizeof command, "%s/pipeline 1000 2>&1", getenv("EXAMPLES"));
        REQUIRE((out = popen(command, "r")) != NULL);
        CHECK(fgets(line, sizeof line, out) != NULL);
        CHECK_STR(line, "the squares of 1 .. 1000 add up to 333833500\n");
        CHECK(fgets(line, sizeof line, out) == NULL);
        status = pclose(out);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

TEST(the_example_with_a_team_answers_each_line_and_survives_its_crashes)
{
    struct server s = start_example("offload", "0");
    int fd = peer_connect(&s), other = peer_connect(&s);

    peer_exchange(fd, "100\n", 4, "100 25\n", 7);
    peer_send(fd, "3000000\n", 8); /* takes a while */
    peer_exchange(other, "10\n", 3, "10 4\n", 5);
    peer_exchange(other, "-1\n", 3, "failed\n", 7);
    peer_exchange(other, "20\n", 3, "20 8\n", 5);
    peer_expect(fd, "3000000 216816\n", 15);
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    peer_expect_end(fd);
    peer_expect_end(other);
    close(fd);
    close(other);
    server_wait(&s);              /* to the end of what it prints: its workers, too, have ended */
    CHECK_EQ(s.status, -SIGTERM); /* it handles none */
}
