/* Signals by a descriptor: alone, and as events of the loop. */
#define _GNU_SOURCE
#include "os/signals.h"
#include "serve/server.h"
#include "tools.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOON_MS 5000

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2};
enum { SIGNALS = sizeof numbers / sizeof numbers[0] };

static struct tn_server server;

/* How often each was handled: by its number. */
static volatile sig_atomic_t handled[NSIG];

static void handle(int number)
{
    handled[number]++;
}

static void handle_all(void)
{
    for (int i = 0; i < SIGNALS; i++)
        REQUIRE(signal(numbers[i], handle) != SIG_ERR);
}

static void send_self(int number)
{
    REQUIRE(kill(getpid(), number) == 0);
}

/* Which of the six the calling thread blocks. */
static uint32_t blocked(void)
{
    uint32_t set = 0;
    sigset_t mask;

    REQUIRE(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
    for (int i = 0; i < SIGNALS; i++)
        set |= sigismember(&mask, numbers[i]) ? 1u << i : 0;
    return set;
}

/* --- the descriptor ------------------------------------------------------------------ */

TEST(each_signal_is_taken_once_and_kills_nobody)
{
    const int32_t fd = tn_signals_open(TN_SIGNALS_ALL);

    REQUIRE(fd >= 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK_EQ(blocked(), TN_SIGNALS_ALL);
    CHECK_EQ(tn_signals_take(fd), 0);
    for (int i = 0; i < SIGNALS; i++) {
        send_self(numbers[i]);
        send_self(numbers[i]);
        CHECK_EQ(tn_signals_take(fd), 1 << i);
        CHECK_EQ(tn_signals_take(fd), 0);
    }
}

TEST(a_signal_that_is_not_in_the_set_goes_its_usual_way)
{
    for (int i = 0; i < SIGNALS; i++) {
        const int32_t fd = tn_signals_open(1u << i);

        REQUIRE(fd >= 0);
        CHECK_EQ(blocked(), 1u << i);
        handle_all();
        for (int j = 0; j < SIGNALS; j++) {
            const int before = handled[numbers[j]];

            send_self(numbers[j]);
            CHECK_EQ(handled[numbers[j]] - before, i != j);
        }
        CHECK_EQ(tn_signals_take(fd), 1 << i);
        CHECK_EQ(tn_signals_take(fd), 0);
        tn_signals_close(fd, 1u << i);
    }
}

TEST(what_is_no_set_is_refused_and_blocks_nothing)
{
    CHECK_EQ(tn_signals_open(0), TN_EINVAL);
    CHECK_EQ(tn_signals_open(TN_SIGNALS_ALL + 1), TN_EINVAL);
    CHECK_EQ(tn_signals_open(UINT32_MAX), TN_EINVAL);
    CHECK_EQ(blocked(), 0);
}

TEST(without_a_descriptor_left_nothing_is_blocked_that_was_not)
{
    sigset_t hangup;
    rlim_t before;

    (void)sigemptyset(&hangup);
    (void)sigaddset(&hangup, SIGHUP);
    REQUIRE(sigprocmask(SIG_BLOCK, &hangup, NULL) == 0);
    before = allow_descriptors(0);
    CHECK_EQ(tn_signals_open(TN_SIGNALS_ALL), TN_EFILES);
    CHECK_EQ(blocked(), TN_SIGNAL_HUP);
    allow_descriptors(before);
}

TEST(closing_gives_signals_back_and_those_not_taken_act)
{
    const uint32_t set = TN_SIGNAL_USR1 | TN_SIGNAL_USR2 | TN_SIGNAL_TERM;
    const int32_t fd = tn_signals_open(set);
    const int before = descriptors();

    handle_all();
    send_self(SIGUSR1);
    send_self(SIGUSR2);
    CHECK_EQ(tn_signals_take(fd), TN_SIGNAL_USR1);
    CHECK_EQ(handled[SIGUSR1] + handled[SIGUSR2], 0);
    tn_signals_close(fd, TN_SIGNAL_USR1 | TN_SIGNAL_USR2);
    CHECK_EQ(descriptors(), before - 1);
    CHECK_EQ(blocked(), TN_SIGNAL_TERM);
    CHECK_EQ(handled[SIGUSR1], 0);
    CHECK_EQ(handled[SIGUSR2], 1);
}

TEST(an_ignored_signal_is_told_of_too)
{
    const int32_t fd = tn_signals_open(TN_SIGNAL_HUP);

    REQUIRE(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    send_self(SIGHUP);
    CHECK_EQ(tn_signals_take(fd), TN_SIGNAL_HUP);
}

/* --- as events ----------------------------------------------------------------------- */

/* Makes a server of this model that watches the signals of set: their descriptor. */
static int32_t watching(uint32_t model, uint32_t set)
{
    const struct tn_options options = {.model = model, .connections = 10};
    int32_t fd;

    REQUIRE(tn_init(&server, &options) == 1);
    fd = tn_signals_open(set);
    REQUIRE(fd >= 0 && tn_watch(&server, fd) == 0);
    return fd;
}

static void unwatch(int32_t fd, uint32_t set)
{
    REQUIRE(tn_unwatch(&server, 0) == 1);
    tn_signals_close(fd, set);
    tn_fini(&server);
}

/* The next event is that a signal has come. */
static void expect_ready(void)
{
    struct tn_event ev;

    REQUIRE(tn_next(&server, &ev, SOON_MS) == 1);
    CHECK(ev.type == TN_READY && ev.watch == 0);
}

static void expect_silence(void)
{
    struct tn_event ev;

    CHECK_EQ(tn_next(&server, &ev, 0), 0);
}

TEST(each_signal_is_an_event_of_the_loop_under_every_model)
{
    FOR_EACH_MODEL(model)
    {
        const int32_t fd = watching(model, TN_SIGNALS_ALL);

        expect_silence();
        for (int i = 0; i < SIGNALS; i++) {
            send_self(numbers[i]);
            expect_ready();
            CHECK_EQ(tn_signals_take(fd), 1 << i);
            expect_silence();
        }
        unwatch(fd, TN_SIGNALS_ALL);
    }
}

static pid_t child_with(int status)
{
    const pid_t pid = fork();

    REQUIRE(pid >= 0);
    if (pid == 0)
        _exit(status);
    return pid;
}

TEST(the_end_of_a_child_is_an_event_and_the_child_can_be_reaped)
{
    FOR_EACH_MODEL(model)
    {
        const int32_t fd = watching(model, TN_SIGNAL_CHLD);

        for (int i = 0; i < 20; i++) {
            const pid_t pid = child_with(i);
            int status = 0;

            expect_ready();
            CHECK_EQ(tn_signals_take(fd), TN_SIGNAL_CHLD);
            CHECK_EQ(waitpid(pid, &status, WNOHANG), pid);
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == i);
            expect_silence();
        }
        unwatch(fd, TN_SIGNAL_CHLD);
    }
}

TEST(the_ends_of_many_children_at_a_time_are_all_told)
{
    enum { CHILDREN = 50 };

    FOR_EACH_MODEL(model)
    {
        const int32_t fd = watching(model, TN_SIGNAL_CHLD);
        int left = CHILDREN;

        for (int i = 0; i < CHILDREN; i++)
            child_with(0);
        while (left > 0) {
            expect_ready();
            CHECK_EQ(tn_signals_take(fd), TN_SIGNAL_CHLD);
            while (waitpid(-1, NULL, WNOHANG) > 0)
                left--;
        }
        unwatch(fd, TN_SIGNAL_CHLD);
    }
}
