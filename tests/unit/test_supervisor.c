/* The supervisor: every child is reaped once, strangers are left alone. */
#define _GNU_SOURCE
#include "dispatch/supervisor.h"
#include "os/wait.h"
#include "tap.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tn_supervisor s;

/* A child that waits for its lifeline and then ends in this way. */
static void start(int32_t status)
{
    const int32_t r = tn_supervisor_fork(&s);

    REQUIRE(r >= 0);
    if (r == 0) {
        uint32_t none;

        s.counters[s.self].accepted = 2;
        s.counters[s.self].closed[TN_BY_PEER] = 1;
        (void)tn_wait_for(s.lifeline[0], TN_READ, NULL, 0, &none, INT64_MAX);
        tn_process_exit(status);
    }
}

/* Waits until an end is reported, then reaps; until no more than n run. */
static void reap_down_to(uint32_t n)
{
    uint32_t none;

    while (s.children.live > n) {
        REQUIRE(tn_wait_for(s.ended, TN_READ, NULL, 0, &none, tn_sys_now_ms() + 5000) > 0);
        tn_supervisor_reap(&s);
    }
}

TEST(children_end_by_their_lifeline_and_are_each_reaped_once)
{
    REQUIRE(tn_supervisor_open(&s, 5, 0) == 1);
    for (int i = 0; i < 5; i++)
        start(0);
    CHECK_EQ(tn_supervisor_fork(&s), TN_EFULL);
    tn_supervisor_drain(&s);
    reap_down_to(0);
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
    CHECK_EQ(s.started, 5);
    CHECK_EQ(s.crashed, 0);
    CHECK_EQ(s.totals.accepted, 10);
    CHECK_EQ(s.totals.closed[TN_BY_PEER], 5);
    CHECK_EQ(s.totals.closed[TN_BY_RESET], 5); /* those that nobody told the end of */
    tn_supervisor_close(&s);
}

TEST(a_stranger_that_has_ended_hides_nobody_and_is_left_alone)
{
    siginfo_t info;
    pid_t stranger;
    int status;

    REQUIRE(tn_supervisor_open(&s, 3, 0) == 1);
    stranger = fork();
    REQUIRE(stranger >= 0);
    if (stranger == 0)
        _exit(7);
    REQUIRE(waitid(P_PID, (id_t)stranger, &info, WEXITED | WNOWAIT) == 0);
    for (int i = 0; i < 3; i++)
        start(0);
    tn_supervisor_drain(&s);
    reap_down_to(0);
    REQUIRE(waitpid(stranger, &status, 0) == stranger);
    CHECK_EQ(WEXITSTATUS(status), 7);
    tn_supervisor_close(&s);
}

TEST(after_a_crash_a_slot_rests_and_is_used_again)
{
    int64_t due;
    uint32_t none;

    REQUIRE(tn_supervisor_open(&s, 1, 1) == 1);
    start(0);
    REQUIRE(kill(s.children.pid[0], SIGKILL) == 0);
    reap_down_to(0);
    due = tn_supervisor_next(&s);
    CHECK_EQ(s.crashed, 1);
    CHECK(due > 0 && due <= tn_sys_now_ms() + (int64_t)TN_REST_MIN_MS);
    CHECK(tn_supervisor_fork(&s) == TN_EFULL || tn_sys_now_ms() >= due);
    (void)tn_wait(NULL, 0, NULL, 0, &none, due);
    start(0);
    CHECK_EQ(s.children.live, 1);
    tn_supervisor_kill(&s);
    CHECK_EQ(s.children.live, 0);
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
    tn_supervisor_close(&s);
}

TEST(a_child_gets_back_its_signals)
{
    sigset_t set;

    REQUIRE(tn_supervisor_open(&s, 1, 0) == 1);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    REQUIRE(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    if (tn_supervisor_fork(&s) == 0) {
        struct sigaction action;
        int bad;

        (void)sigprocmask(SIG_BLOCK, NULL, &set);
        bad = sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) ||
              sigismember(&set, SIGHUP) || sigismember(&set, SIGCHLD);
        (void)sigaction(SIGHUP, NULL, &action);
        bad |= action.sa_handler != SIG_IGN;
        (void)sigaction(SIGTERM, NULL, &action);
        bad |= action.sa_handler != SIG_IGN;
        (void)sigaction(SIGCHLD, NULL, &action);
        bad |= action.sa_handler != SIG_DFL;
        bad |= s.ended != -1 || s.lifeline[1] != -1;
        tn_process_exit(bad);
    }
    reap_down_to(0);
    CHECK_EQ(s.crashed, 0);
    tn_supervisor_close(&s);
}
