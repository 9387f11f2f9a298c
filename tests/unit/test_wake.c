/* Waking the loop, from another thread and from a signal handler. */
#define _GNU_SOURCE
#include "os/wake.h"
#include "serve/server.h"
#include "tools.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define SOON_MS 5000

static struct tn_server server;
static int32_t wake_fd;

/* What whoever wakes wants to be seen, and what the loop has seen of it. */
static atomic_int said, seen;

static void begin(uint32_t model)
{
    const struct tn_options options = {.model = model, .connections = 10};

    said = 0;
    seen = 0;
    wake_fd = tn_wake_open();
    REQUIRE(wake_fd >= 0 && tn_init(&server, &options) == 1);
    REQUIRE(tn_watch(&server, wake_fd) == 0);
}

static void end(void)
{
    REQUIRE(tn_unwatch(&server, 0) == 1);
    tn_fini(&server);
    close(wake_fd);
}

/* Runs the loop until it has seen `all`.  A wake-up that is lost ends the test.
 * Returns how many there were. */
static int serve_until(int all)
{
    struct tn_event ev;
    int wakeups = 0;

    while (seen < all) {
        REQUIRE(tn_next(&server, &ev, SOON_MS) == 1);
        REQUIRE(ev.type == TN_READY && ev.watch == 0);
        wakeups++;
        tn_wake_clear(wake_fd);
        seen = said;
    }
    return wakeups;
}

static void expect_silence(void)
{
    struct tn_event ev;

    CHECK_EQ(tn_next(&server, &ev, 0), 0);
}

TEST(a_wake_up_is_one_event_however_often_it_is_called_and_then_silence)
{
    FOR_EACH_MODEL(model)
    {
        begin(model);
        CHECK(fcntl(wake_fd, F_GETFD) & FD_CLOEXEC);
        for (int round = 0; round < 10; round++) {
            struct tn_event ev;

            expect_silence();
            for (int i = 0; i <= round; i++)
                tn_wake(wake_fd);
            CHECK_EQ(tn_next(&server, &ev, SOON_MS), 1);
            CHECK_EQ(tn_next(&server, &ev, SOON_MS), 1); /* until it is cleared */
            CHECK_EQ(ev.type, TN_READY);
            tn_wake_clear(wake_fd);
        }
        expect_silence();
        tn_wake_clear(wake_fd); /* does not wait */
        end();
    }
}

/* --- from another thread ------------------------------------------------------------- */

enum { TURNS = 1000, CROWD = 4, CALLS = 20000 };

/* Says one thing, and the next when it was seen: each wake-up is the only one. */
static void *wake_by_turns(void *unused)
{
    for (int i = 1; i <= TURNS; i++) {
        said = i;
        tn_wake(wake_fd);
        while (seen < i)
            rest(0);
    }
    return unused;
}

TEST(each_wake_up_from_a_thread_ends_the_wait)
{
    FOR_EACH_MODEL(model)
    {
        pthread_t id;

        begin(model);
        id = start(wake_by_turns, NULL);
        CHECK_EQ(serve_until(TURNS), TURNS);
        join(id);
        expect_silence();
        end();
    }
}

static void *wake_all_the_time(void *unused)
{
    for (int i = 0; i < CALLS; i++) {
        said++;
        tn_wake(wake_fd);
    }
    return unused;
}

TEST(of_many_wake_ups_from_many_threads_the_last_is_not_lost)
{
    FOR_EACH_MODEL(model)
    {
        pthread_t id[CROWD];
        int wakeups;

        begin(model);
        for (int i = 0; i < CROWD; i++)
            id[i] = start(wake_all_the_time, NULL);
        wakeups = serve_until(CROWD * CALLS);
        CHECK(wakeups >= 1 && wakeups <= CROWD * CALLS);
        for (int i = 0; i < CROWD; i++)
            join(id[i]);
        tn_wake_clear(wake_fd); /* for what was seen before its wake-up */
        expect_silence();
        end();
    }
}

/* --- from a signal handler ----------------------------------------------------------- */

static void wake_in_handler(int number)
{
    (void)number;
    said++;
    tn_wake(wake_fd);
}

/* Sends the thread it is given a signal, and the next when that was seen. */
static void *signal_by_turns(void *target)
{
    for (int i = 1; i <= TURNS; i++) {
        REQUIRE(pthread_kill(*(pthread_t *)target, SIGUSR1) == 0);
        while (seen < i)
            rest(0);
    }
    return NULL;
}

TEST(each_wake_up_from_a_signal_handler_ends_the_wait_it_interrupts)
{
    pthread_t self = pthread_self();

    REQUIRE(signal(SIGUSR1, wake_in_handler) != SIG_ERR);
    FOR_EACH_MODEL(model)
    {
        pthread_t id;

        begin(model);
        id = start(signal_by_turns, &self);
        CHECK_EQ(serve_until(TURNS), TURNS);
        join(id);
        expect_silence();
        end();
    }
}

TEST(a_wake_up_never_waits_and_leaves_errno_to_whom_it_interrupts)
{
    const uint64_t most = UINT64_MAX - 1; /* what the kernel can count to */

    wake_fd = tn_wake_open();
    REQUIRE(signal(SIGUSR1, wake_in_handler) != SIG_ERR);
    REQUIRE(write(wake_fd, &most, sizeof most) == sizeof most);
    errno = ENOTTY;
    REQUIRE(raise(SIGUSR1) == 0);
    CHECK_EQ(errno, ENOTTY);
    CHECK_EQ(said, 1);
    tn_wake_clear(wake_fd);
    CHECK(poll(&(struct pollfd){wake_fd, POLLIN, 0}, 1, 0) == 0);
    tn_wake(wake_fd);
    CHECK(poll(&(struct pollfd){wake_fd, POLLIN, 0}, 1, 0) == 1);
}

TEST(without_a_descriptor_left_it_says_so)
{
    const rlim_t before = allow_descriptors(0);

    CHECK_EQ(tn_wake_open(), TN_EFILES);
    allow_descriptors(before); /* what looks for leaks at the end wants some */
}
