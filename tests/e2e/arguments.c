/* The command line: what is wrong is said in one line that names it. */
#define _GNU_SOURCE
#include "peer.h"

#define TWICE(a) a, a
#define EIGHT_TIMES(a) TWICE(TWICE(TWICE(a)))

/* Runs the program to its end with these arguments. */
static struct server run(const char *const *args)
{
    struct server s = {0};

    server_arg(&s, "tenon");
    for (; *args != NULL; args++)
        server_arg(&s, *args);
    server_spawn(&s, getenv("TENON"), 0);
    server_wait(&s);
    return s;
}

static int lines_in(const char *text)
{
    int n = 0;

    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

struct misuse {
    const char *args[26];
    const char *named; /* what the line begins with, after `tenon: ` */
};

static const struct misuse misuses[] = {
    {{NULL}, "no command"},
    {{"", NULL}, ": unknown command"},
    {{"frobnicate", NULL}, "frobnicate: unknown command"},
    {{"--serve", NULL}, "--serve: unknown command"},
    {{"models", "all", NULL}, "all: unexpected argument"},
    {{"--version", "--help", NULL}, "--help: unexpected argument"},
    {{"serve", "now", NULL}, "now: unexpected argument"},
    {{"serve", "", NULL}, ": unexpected argument"},
    {{"serve", "--frob", NULL}, "--frob: unknown option"},
    {{"serve", "--frob=1", NULL}, "--frob=1: unknown option"},
    {{"serve", "-v", NULL}, "-v: unknown option"},
    {{"serve", "--", NULL}, "--: unknown option"},
    {{"serve", "--lis", "127.0.0.1:0", NULL}, "--lis: unknown option"},
    {{"serve", "--listen", NULL}, "--listen: needs a value"},
    {{"serve", "--service", NULL}, "--service: needs a value"},
    {{"serve", "--verbose=1", NULL}, "--verbose=1: takes no value"},
    {{"serve", "--listen", "nowhere", NULL}, "--listen nowhere: not an address"},
    {{"serve", "--listen=", NULL}, "--listen : not an address"},
    {{"serve", "--listen", "127.0.0.1:65536", NULL}, "--listen 127.0.0.1:65536: not an address"},
    {{"serve", "--listen", "127.0.0.1:0", "--listen", "fd:0", NULL},
     "--listen fd:0: not an address"},
    {{"serve", EIGHT_TIMES("--listen=127.0.0.1:0"), "--listen", "127.0.0.1:1", NULL},
     "--listen 127.0.0.1:1: too many addresses"},
    {{"serve", "--model", "quick", NULL}, "--model quick: no such model"},
    {{"serve", "--model", "uring", NULL}, "--model uring: not available in this build"},
    {{"serve", "--model", "coroutine", NULL}, "--model coroutine: not available in this build"},
    {{"serve", "--service", "chat", "--model", "blocking", NULL}, "--service: chat needs an event"},
    {{"serve", "--service", "chat", "--model", "fork", NULL}, "--service: chat needs an event"},
    {{"serve", "--model", "prefork", "--service", "chat", NULL}, "--service: chat needs an event"},
    {{"serve", "--model", "thread-pool", "--service=chat", NULL}, "--service: chat needs an event"},
    {{"serve", "--service", "chat", "--workers", "1", NULL}, "--workers: --service chat is one"},
    {{"serve", "--service", "chat", "--max-connections", "257", NULL},
     "--max-connections: more than"},
    {{"serve", "--service", "Echo", NULL}, "--service Echo: not "},
    {{"serve", "--framing", "", NULL}, "--framing : not "},
    {{"serve", "--framing", "lines", NULL}, "--framing lines: not "},
    {{"serve", "--workers", "0", NULL}, "--workers 0: not a number of processes"},
    {{"serve", "--workers", "65", NULL}, "--workers 65: not a number of processes"},
    {{"serve", "--model", "thread", "--workers", "2", NULL}, "--workers: this model has no"},
    {{"serve", "--model", "prefork", "--max-connections", "2", NULL}, "--max-connections: is what"},
    {{"serve", "--model", "fork", "--max-connections", "1025", NULL},
     "--max-connections: more than"},
    {{"serve", "--max-connections", "0", NULL}, "--max-connections 0: not a number"},
    {{"serve", "--max-connections", "16385", NULL}, "--max-connections 16385: not a number"},
    {{"serve", "--max-connections", "-1", NULL}, "--max-connections -1: not a number"},
    {{"serve", "--max-connections", "1x", NULL}, "--max-connections 1x: not a number"},
    {{"serve", "--max-connections", "4294967297", NULL}, "--max-connections 4294967297: not a"},
    {{"serve", "--model", "select", "--max-connections", "1006", NULL},
     "--max-connections: more than this model"},
    {{"serve", "--frame-max", "65537", NULL}, "--frame-max 65537: not a number"},
    {{"serve", "--frame-max", "", NULL}, "--frame-max : not a number"},
    {{"serve", "--frame-max", "9", "--service", "thanks", NULL}, "--frame-max: too small"},
    {{"serve", "--idle-timeout", "5", NULL}, "--idle-timeout 5: not a duration"},
    {{"serve", "--idle-timeout", "s", NULL}, "--idle-timeout s: not a duration"},
    {{"serve", "--idle-timeout", "5 s", NULL}, "--idle-timeout 5 s: not a duration"},
    {{"serve", "--idle-timeout", "5days", NULL}, "--idle-timeout 5days: not a duration"},
    {{"serve", "--idle-timeout", "-5s", NULL}, "--idle-timeout -5s: not a duration"},
    {{"serve", "--idle-timeout", "1.5s", NULL}, "--idle-timeout 1.5s: not a duration"},
    {{"serve", "--drain-timeout", "2147483648ms", NULL}, "--drain-timeout 2147483648ms: not a"},
    {{"serve", "--drain-timeout", "2147484s", NULL}, "--drain-timeout 2147484s: not a"},
    {{"serve", "--drain-timeout", "597h", NULL}, "--drain-timeout 597h: not a"},
    {{"serve", "--listen", "two\nlines\033", NULL}, "--listen two?lines?: not an address"},
};

TEST_SLOW(each_bad_argument_is_named_in_one_line_and_ends_with_status_two, 30)
{
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
        struct server s = run(misuses[i].args);
        const char *said = s.errors + 7;

        CHECK_EQ(s.status, 2);
        CHECK_EQ(lines_in(s.errors), 1);
        CHECK_STR(s.text, "");
        CHECK(strncmp(s.errors, "tenon: ", 7) == 0);
        if (strncmp(said, misuses[i].named, strlen(misuses[i].named)) != 0)
            CHECK_STR(said, misuses[i].named);
    }
}

TEST(limits_are_accepted_and_one_beyond_is_not)
{
    struct server s =
        server_with("--max-connections", "16384", "--frame-max=65536", "--idle-timeout", "596h",
                    "--drain-timeout=2147483647ms", "--idle-timeout", "0", "--framing", "u32",
                    "--framing=raw", "--model", "epoll", NULL);
    int fd = peer_connect(&s);

    peer_roundtrip(fd);
    close(fd);
    server_stop(&s);
}

TEST(the_last_of_two_values_is_taken)
{
    struct server s =
        server_with("--service", "upper", "--service=discard", "--service", "echo", NULL);
    int fd = peer_connect(&s);

    peer_exchange(fd, "a", 1, "a", 1);
    close(fd);
    server_stop(&s);
}

TEST(a_port_in_use_is_one_line_and_status_one)
{
    struct server s = server_with(NULL), other;
    char expected[300];

    other = run((const char *const[]){"serve", "--listen", s.address[0], NULL});
    CHECK_EQ(other.status, 1);
    CHECK_STR(other.text, "");
    snprintf(expected, sizeof expected, "tenon: --listen %s: address in use\n", s.address[0]);
    CHECK_STR(other.errors, expected);
    server_stop(&s);
}

TEST(a_socket_file_in_use_is_one_line_and_status_one_and_stays)
{
    char address[60];
    struct server s, other;
    int fd;

    snprintf(address, sizeof address, "unix:/tmp/tenon-arguments-%ld", (long)getpid());
    s = server_with("--listen", address, NULL);
    other =
        run((const char *const[]){"serve", "--listen", "127.0.0.1:0", "--listen", address, NULL});
    CHECK_EQ(other.status, 1);
    CHECK_EQ(lines_in(other.errors), 1);
    CHECK(strstr(other.errors, "address in use") != NULL);
    CHECK_STR(other.text, "");
    fd = peer_connect(&s);
    peer_roundtrip(fd);
    close(fd);
    server_stop(&s);
    CHECK(access(address + 5, F_OK) != 0);
}

TEST(a_server_that_fails_to_start_takes_its_socket_files_along)
{
    char address[60];
    struct server s;

    snprintf(address, sizeof address, "unix:/tmp/tenon-arguments-%ld", (long)getpid());
    s = run((const char *const[]){"serve", "--listen", address, "--listen", "bad", NULL});
    CHECK_EQ(s.status, 2);
    CHECK(access(address + 5, F_OK) != 0);
}

TEST(an_address_that_is_not_ours_is_status_one)
{
    struct server s = run((const char *const[]){"serve", "--listen", "192.0.2.1:0", NULL});

    CHECK_EQ(s.status, 1);
    CHECK_EQ(lines_in(s.errors), 1);
    CHECK(strncmp(s.errors, "tenon: --listen 192.0.2.1:0: ", 29) == 0);
}

TEST(standard_input_that_cannot_be_waited_for_is_status_one)
{
    struct server s =
        run((const char *const[]){"serve", "--stdin", "--listen", "127.0.0.1:0", NULL});

    CHECK_EQ(s.status, 1);
    CHECK_EQ(lines_in(s.errors), 1);
    CHECK(strncmp(s.errors, "tenon: --stdin: ", 16) == 0);
    CHECK_STR(s.text, "");
}

TEST(without_listen_it_is_port_9999_of_this_machine)
{
    struct server s = {0};
    char line[200];

    server_args(&s, "tenon", "serve", NULL);
    server_spawn(&s, getenv("TENON"), 0);
    if (!read_line(s.out, line, sizeof line)) {
        server_wait(&s); /* somebody else has it */
        CHECK_STR(s.errors, "tenon: --listen 127.0.0.1:9999: address in use\n");
        return;
    }
    line[66] = '\0';
    CHECK_STR(line, "listening 127.0.0.1:9999 model epoll service echo framing raw pid ");
    server_stop(&s);
}

TEST(models_are_listed_with_what_this_build_has)
{
    struct server s = run((const char *const[]){"models", NULL});

    CHECK_EQ(s.status, 0);
    CHECK_EQ(lines_in(s.text), 13);
    CHECK_STR(s.errors, "");
    CHECK(strstr(s.text, "\nepoll         available\n") != NULL);
    CHECK(strstr(s.text, "\nselect        available\n") != NULL);
    CHECK(strstr(s.text, "\ncoroutine     not available in this build\n") != NULL);
}

TEST(help_and_version_are_printed)
{
    struct server s = run((const char *const[]){"--help", NULL});
    struct server same = run((const char *const[]){"serve", "--listen", "x", "--help", NULL});

    CHECK_EQ(s.status, 0);
    CHECK(strstr(s.text, "--drain-timeout DUR") != NULL);
    CHECK_STR(s.errors, "");
    CHECK_EQ(same.status, 0);
    CHECK_STR(same.text, s.text);
    s = run((const char *const[]){"--version", NULL});
    CHECK_EQ(s.status, 0);
    CHECK(strncmp(s.text, "tenon ", 6) == 0 && lines_in(s.text) == 1);
}

TEST(nothing_is_told_about_connections_unless_asked)
{
    struct server s = server_with("--verbose", NULL);
    int fd = peer_connect(&s);

    peer_roundtrip(fd);
    close(fd);
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    server_wait(&s);
    CHECK_EQ(s.status, 0);
    CHECK_EQ(lines_in(s.errors), 2);
    CHECK(strncmp(s.errors, "opened ", 7) == 0 && strstr(s.errors, "\nclosed ") != NULL);
    s = server_with(NULL);
    fd = peer_connect(&s);
    peer_roundtrip(fd);
    close(fd);
    server_stop(&s); /* checks that standard error is empty */
}

TEST(a_listener_beyond_what_select_can_watch_is_one_line_and_status_one)
{
    struct place p = place_of("127.0.0.1:0");
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct rlimit limit;
    struct server s;

    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    REQUIRE(limit.rlim_max > 1024 && setrlimit(RLIMIT_NOFILE, &limit) == 0);
    REQUIRE(bind(listener, &p.at.any, p.len) == 0 && listen(listener, 10) == 0);
    REQUIRE(dup2(listener, 1024) == 1024);
    s = run((const char *const[]){"serve", "--model", "select", "--listen", "fd:1024", NULL});
    CHECK_EQ(s.status, 1);
    CHECK_STR(s.text, "");
    CHECK_STR(s.errors, "tenon: --listen fd:1024: its descriptor number is beyond those that "
                        "--model select can watch\n");
}

/* The three lowest numbers are free and the listener has one already: without
 * care, a connection would become standard error. */
TEST(without_standard_descriptors_no_peer_reads_what_is_printed)
{
    struct place p = place_of("127.0.0.1:0");
    int listener = socket(AF_INET, SOCK_STREAM, 0), status = 0, fd;
    char address[40], text[100] = "";
    pid_t pid;

    REQUIRE(bind(listener, &p.at.any, p.len) == 0 && listen(listener, 10) == 0);
    REQUIRE(getsockname(listener, &p.at.any, &p.len) == 0);
    pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        dup2(listener, 9);
        for (int i = 0; i < 9; i++)
            close(i);
        execl(getenv("TENON"), "tenon", "serve", "--listen", "fd:9", "--verbose", (char *)NULL);
        _exit(127);
    }
    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)ntohs(p.at.v4.sin_port));
    fd = peer_try(address, 0);
    REQUIRE(fd >= 0);
    peer_roundtrip(fd);
    REQUIRE(kill(pid, SIGTERM) == 0);
    REQUIRE(peer_poll(fd, POLLIN, PEER_DEADLINE_MS));
    CHECK_EQ(recv(fd, text, sizeof text - 1, MSG_DONTWAIT), 0);
    CHECK_STR(text, "");
    close(fd);
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
