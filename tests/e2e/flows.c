/* Processes and threads: none is left, none is lost, none outlives its parent. */
#define _GNU_SOURCE
#include "peer.h"

#include <sys/prctl.h>

#define MOST_CHILDREN 100

/* The children of a process; returns their number. */
static int children_of(pid_t pid, pid_t *child)
{
    char path[60], text[2000] = "";
    int fd, count = 0, used;

    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0 && read(fd, text, sizeof text - 1) >= 0);
    close(fd);
    for (const char *at = text; sscanf(at, "%d%n", &child[count], &used) == 1; at += used) {
        count++;
        REQUIRE(count < MOST_CHILDREN);
    }
    return count;
}

/* Waits until the server has n children. */
static void expect_children(const struct server *s, int n)
{
    int64_t end = peer_ns() + (int64_t)PEER_DEADLINE_MS * 1000000;
    pid_t child[MOST_CHILDREN];

    while (children_of(s->pid, child) != n && peer_ns() < end)
        poll(NULL, 0, 1); /* nothing tells when; this asks again */
    CHECK_EQ(children_of(s->pid, child), n);
}

static int descriptors_of(pid_t pid)
{
    struct server s = {.pid = pid};

    return server_descriptors(&s);
}

TEST_SLOW(ten_thousand_connections_leave_no_child_and_no_descriptor, 60)
{
    NEEDS(model_under_test()->forks);
    enum { CONNECTIONS = MANY_CONNECTIONS };
    struct server s = server_with("--framing", "line", NULL);
    int before = server_descriptors(&s);

    for (int i = 0; i < CONNECTIONS; i++) {
        int fd = peer_connect(&s);

        peer_exchange(fd, "hi\n", 3, "hi\n", 3);
        if (i % 3 == 0)
            peer_reset(fd);
        else
            close(fd);
    }
    expect_children(&s, 0);
    CHECK_EQ(server_descriptors(&s), before);
    server_stop(&s);
    CHECK_EQ(total(&s, "accepted"), CONNECTIONS);
    CHECK_EQ(total_closed(&s), CONNECTIONS);
}

TEST(a_child_has_its_connection_its_lifeline_and_nothing_else)
{
    NEEDS(model_under_test()->forks);
    struct server s = server_with("--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", NULL);
    pid_t child[MOST_CHILDREN];
    int fd[5], before = server_descriptors(&s);

    for (int i = 0; i < 5; i++) {
        fd[i] = peer_connect(&s);
        peer_roundtrip(fd[i]);
    }
    CHECK_EQ(children_of(s.pid, child), 5);
    for (int i = 0; i < 5; i++) {
        /* its connection instead of the listeners, both descriptors for signals and its
         * parent's end of the lifeline */
        CHECK_EQ(descriptors_of(child[i]), before - s.address_count - 3 + 1);
        close(fd[i]);
    }
    server_stop(&s);
}

TEST(children_end_with_their_parent_even_when_it_is_killed)
{
    NEEDS(model_under_test()->forks);
    struct server s = server_with(NULL);
    pid_t child[MOST_CHILDREN];
    int fd[5], status;

    REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); /* who has no parent becomes ours */
    for (int i = 0; i < 5; i++) {
        fd[i] = peer_connect(&s);
        peer_roundtrip(fd[i]);
    }
    REQUIRE(children_of(s.pid, child) == 5);
    REQUIRE(kill(s.pid, SIGKILL) == 0);
    REQUIRE(waitpid(s.pid, &status, 0) == s.pid);
    for (int i = 0; i < 5; i++) {
        REQUIRE(waitpid(child[i], &status, 0) == child[i]);
        REQUIRE(peer_poll(fd[i], POLLIN, PEER_DEADLINE_MS)); /* the end, of whatever kind */
        close(fd[i]);
    }
}

TEST(a_child_that_is_killed_ends_its_connection_and_no_other)
{
    NEEDS(model_under_test()->forks);
    struct server s = server_with(NULL);
    pid_t first[MOST_CHILDREN];
    int killed = peer_connect(&s), other;

    peer_roundtrip(killed);
    REQUIRE(children_of(s.pid, first) == 1);
    other = peer_connect(&s);
    peer_roundtrip(other);
    REQUIRE(kill(first[0], SIGKILL) == 0);
    REQUIRE(peer_poll(killed, POLLIN, PEER_DEADLINE_MS));
    expect_children(&s, 1);
    peer_roundtrip(other);
    close(killed);
    close(other);
    server_stop(&s);
    CHECK_EQ(total(&s, "accepted"), 2);
    CHECK_EQ(total(&s, "by-reset"), 1);
    CHECK_EQ(total(&s, "by-peer"), 1);
}

TEST(children_leave_signals_of_the_whole_group_to_their_parent)
{
    NEEDS(model_under_test()->forks);
    struct server s = server_with(NULL);
    pid_t child[MOST_CHILDREN];
    int fd = peer_connect(&s);

    peer_roundtrip(fd);
    REQUIRE(children_of(s.pid, child) == 1);
    REQUIRE(kill(child[0], SIGINT) == 0 && kill(child[0], SIGTERM) == 0);
    peer_roundtrip(fd);
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    peer_expect_end(fd);
    close(fd);
    server_ended(&s);
    CHECK_EQ(total(&s, "by-drain"), 1);
}

TEST(a_stopped_child_does_not_outlast_a_drain)
{
    NEEDS(model_under_test()->forks);
    struct server s = server_with("--drain-timeout", "300ms", NULL);
    pid_t child[MOST_CHILDREN];
    int fd = peer_connect(&s);

    peer_roundtrip(fd);
    REQUIRE(children_of(s.pid, child) == 1);
    REQUIRE(kill(child[0], SIGSTOP) == 0); /* as good as a service that never returns */
    server_stop(&s);
    CHECK_EQ(total_closed(&s), 1);
    close(fd);
}

/* A process of the user that the server runs as, so that its limit is reached:
 * when it ends there is room for one. */
static pid_t occupier(uid_t user)
{
    int ready[2];
    char c;
    pid_t pid;

    REQUIRE(pipe2(ready, O_CLOEXEC) == 0);
    pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        if (setresuid(user, user, user) != 0)
            _exit(1);
        close(ready[0]);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    REQUIRE(read(ready[0], &c, 1) == 1);
    close(ready[0]);
    return pid;
}

/* At first the server may start no process and no thread; then it may.  Nobody
 * was turned away meanwhile, and nothing spun. */
TEST(without_room_for_one_more_process_or_thread_connections_wait)
{
    NEEDS(!model_under_test()->event && geteuid() == 0);
    NEEDS(model_under_test()->workers == NULL);
    NEEDS_AT_ONCE(3);
    struct server s = {.user = 61000u + (uid_t)getpid() % 4000u, .processes = 2};
    pid_t other = occupier(s.user);
    int64_t cpu;
    int fd[3], status;

    server_start(&s, 0);
    for (int i = 0; i < 3; i++) {
        fd[i] = peer_connect(&s);
        peer_send(fd[i], "a", 1);
    }
    cpu = server_cpu_ns(&s);
    CHECK(!peer_poll(fd[0], POLLIN, 400));
    CHECK(server_cpu_ns(&s) - cpu < 50000000);
    REQUIRE(kill(other, SIGKILL) == 0 && waitpid(other, &status, 0) == other);
    for (int i = 0; i < 3; i++) {
        peer_expect(fd[i], "a", 1);
        close(fd[i]);
    }
    server_stop(&s);
    CHECK_EQ(total(&s, "accepted"), 3);
    CHECK_EQ(total(&s, "by-peer"), 3);
    CHECK(total(&s, "accept-pauses") >= 1);
}

/* --- workers of a fixed number --------------------------------------------------------- */

TEST(workers_that_are_killed_are_replaced_and_the_rest_go_on)
{
    NEEDS(model_under_test()->workers != NULL && !is_model("thread-pool"));
    struct server s = server_with(NULL);
    const int count = atoi(model_under_test()->workers);
    pid_t before[MOST_CHILDREN], after[MOST_CHILDREN];
    int64_t end = peer_ns() + (int64_t)PEER_DEADLINE_MS * 1000000;
    int fd, replaced = 0;

    expect_children(&s, count);
    REQUIRE(children_of(s.pid, before) == count);
    for (int i = 0; i < count; i++)
        REQUIRE(kill(before[i], SIGKILL) == 0);
    while (replaced < count && peer_ns() < end) {
        int n = children_of(s.pid, after);

        replaced = 0;
        for (int i = 0; i < n; i++)
            replaced += after[i] > 0 && kill(after[i], 0) == 0;
        for (int i = 0; i < n; i++)
            for (int k = 0; k < count; k++)
                replaced -= after[i] == before[k];
        poll(NULL, 0, 1); /* nothing tells when; this asks again */
    }
    CHECK_EQ(replaced, count);
    fd = peer_connect(&s);
    peer_roundtrip(fd);
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-peer"), 1);
}

/* Whoever connects is answered or sees its connection end: with workers dying
 * all the time, nobody waits for ever and the server itself lives on. */
TEST_SLOW(with_workers_dying_under_load_every_client_gets_an_answer_or_an_end, 60)
{
    NEEDS(model_under_test()->workers != NULL && !is_model("thread-pool"));
    struct server s = server_with("--framing", "line", NULL);
    int64_t stop = peer_ns() + 3000000000, answered = 0, next_kill = 0;
    pid_t child[MOST_CHILDREN];
    uint32_t turn = 0;

    while (peer_ns() < stop) {
        int fd = peer_connect(&s);
        char line[3];
        ssize_t n;

        if (peer_ns() >= next_kill) {
            int count = children_of(s.pid, child);

            if (count > 0)
                kill(child[turn++ % (uint32_t)count], SIGKILL);
            next_kill = peer_ns() + 1000000000 / atoi(model_under_test()->workers);
        }
        (void)send(fd, "hi\n", 3, MSG_NOSIGNAL);
        REQUIRE(peer_poll(fd, POLLIN, PEER_DEADLINE_MS));
        n = recv(fd, line, 3, 0);
        answered += n == 3;
        close(fd);
    }
    CHECK(answered > 100);
    CHECK(turn >= 5);
    server_stop(&s);
    CHECK_EQ(total_closed(&s), total(&s, "accepted"));
    if (!model_under_test()->event) /* an engine tells its parent at openings and closings */
        CHECK(total(&s, "frames") >= answered);
}

TEST(workers_end_with_their_parent_even_when_it_is_killed)
{
    NEEDS(model_under_test()->workers != NULL && !is_model("thread-pool"));
    REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    struct server s = server_with(NULL);
    const int count = atoi(model_under_test()->workers);
    pid_t child[MOST_CHILDREN];
    int status;

    expect_children(&s, count);
    REQUIRE(children_of(s.pid, child) == count);
    REQUIRE(kill(s.pid, SIGKILL) == 0 && waitpid(s.pid, &status, 0) == s.pid);
    for (int i = 0; i < count; i++)
        REQUIRE(waitpid(child[i], &status, 0) == child[i]);
    CHECK(peer_try(s.address[0], 0) < 0);
}

TEST(a_second_server_on_the_port_of_workers_is_refused)
{
    NEEDS(model_under_test()->workers != NULL);
    struct server s = server_with(NULL), other = {0};

    server_args(&other, "tenon", "serve", "--model", model_under_test()->word, "--workers", "2",
                "--listen", s.address[0], NULL);
    server_spawn(&other, getenv("TENON"), 0);
    server_wait(&other);
    CHECK_EQ(other.status, 1);
    CHECK(strstr(other.errors, "address in use") != NULL);
    server_stop(&s);
}

/* Everybody is talked to and more wait when the drain begins: a connection is a
 * connection, and each of those who wait is answered. */
TEST(who_had_connected_before_a_drain_is_answered)
{
    enum { MOST_HELD = 64, WAITING = 100 };
    struct server s = server_with("--framing", "line", NULL);
    int held = model_under_test()->at_once < MOST_HELD ? model_under_test()->at_once : MOST_HELD;
    int held_fd[MOST_HELD], waiting_fd[WAITING];

    for (int i = 0; i < held; i++) {
        held_fd[i] = peer_connect(&s);
        peer_exchange(held_fd[i], "hi\n", 3, "hi\n", 3);
    }
    for (int i = 0; i < WAITING; i++) {
        waiting_fd[i] = peer_connect(&s);
        peer_send(waiting_fd[i], "hello\n", 6);
    }
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    for (int i = 0; i < held; i++) {
        peer_expect_end(held_fd[i]);
        close(held_fd[i]);
    }
    for (int i = 0; i < WAITING; i++) {
        peer_expect(waiting_fd[i], "hello\n", 6);
        close(waiting_fd[i]);
    }
    server_ended(&s);
    CHECK_EQ(total(&s, "accepted"), held + WAITING);
    CHECK_EQ(total_closed(&s), held + WAITING);
}
