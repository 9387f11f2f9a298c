/* The examples that users copy from: tests/examples. */
#define _GNU_SOURCE
#include "peer.h"

static struct server start_example(const char *port)
{
    struct server s = {0};
    char program[300];

    REQUIRE(getenv("EXAMPLES") != NULL);
    snprintf(program, sizeof program, "%s/echo", getenv("EXAMPLES"));
    server_args(&s, "echo", port, NULL);
    server_spawn(&s, program, 0);
    if (!read_line(s.out, s.address[0], sizeof s.address[0]))
        s.address[0][0] = '\0';
    return s;
}

TEST(the_example_echoes_lines_and_drains_on_termination)
{
    struct server s = start_example("0");
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
    struct server s = start_example("0"), other;

    other = start_example(strchr(s.address[0], ':') + 1);
    CHECK_STR(other.address[0], "");
    server_wait(&other);
    CHECK_EQ(other.status, 1);
    CHECK(strstr(other.errors, "address in use") != NULL);
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    server_wait(&s);
    CHECK_EQ(s.status, 0);
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
