/* What the tests of locks, channels, records, crews, teams, signals and wake-ups share. */
#ifndef TOOLS_H
#define TOOLS_H

#include "os/process.h"
#include "os/sys.h"
#include "poll/poller.h"
#include "tap.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>

/* How much later than its deadline a wait may end, on a busy machine. */
#define LATE_MS 2000

static inline int64_t later(int64_t ms)
{
    return tn_sys_now_ms() + ms;
}

/* Checks that a wait that was to end at deadline_ms has ended then. */
#define CHECK_OVER_SINCE(deadline_ms) \
    do { \
        CHECK(tn_sys_now_ms() >= (deadline_ms)); \
        CHECK(tn_sys_now_ms() - (deadline_ms) < LATE_MS); \
    } while (0)

/* Checks that wait, an expression of the deadline `soon`, is 0 at each of some that
 * are near, and none ends early. */
#define CHECK_SHORT_WAITS(wait) \
    do { \
        for (int64_t ms = 1; ms < 12; ms++) { \
            const int64_t soon = later(ms); \
\
            CHECK_EQ((wait), 0); \
            CHECK_OVER_SINCE(soon); \
        } \
    } while (0)

static inline void rest(int ms)
{
    (void)poll(NULL, 0, ms);
}

static inline pthread_t start(void *(*run)(void *), void *argument)
{
    pthread_t id;

    REQUIRE(pthread_create(&id, NULL, run, argument) == 0);
    return id;
}

static inline void join(pthread_t id)
{
    REQUIRE(pthread_join(id, NULL) == 0);
}

/* How many descriptors this process has open. */
static inline int descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* Every model of events that this build has. */
#define FOR_EACH_MODEL(m) \
    for (uint32_t m = 0; m < TN_MODELS; m++) \
        if (tn_poller_has(m) == 1)

/* Lets this process have n descriptors from now on; returns how many it could. */
static inline rlim_t allow_descriptors(rlim_t n)
{
    struct rlimit limit;
    rlim_t before;

    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    before = limit.rlim_cur;
    limit.rlim_cur = n;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    return before;
}

/* Waits for the child, which must end well. */
static inline void expect_good_end(int32_t pid)
{
    uint32_t crashed = 1;

    tn_process_wait(pid, &crashed);
    CHECK_EQ(crashed, 0);
}

/* Jobs: one that makes something of its data, one that fails. */
static inline int32_t square(void *data)
{
    int64_t *x = data;

    *x *= *x;
    return 0;
}

static inline int32_t refuse(void *data)
{
    (void)data;
    return -1;
}

#endif
