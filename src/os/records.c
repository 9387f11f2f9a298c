/* Records over a pipe in packet mode. */
#define _GNU_SOURCE
#include "os/records.h"

#include "os/error.h"
#include "os/process.h"
#include "os/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

_Static_assert(TN_RECORD_MAX <= PIPE_BUF, "a record is one packet");

int32_t tn_records_open(struct tn_records *r, uint32_t max, uint32_t capacity)
{
    const long page = sysconf(_SC_PAGESIZE);
    int fd[2];
    int32_t refused;

    if (max == 0 || max > TN_RECORD_MAX || capacity == 0 || capacity > TN_RECORDS) {
        return TN_EINVAL;
    }
    if (pipe2(fd, O_CLOEXEC | O_NONBLOCK | O_DIRECT) != 0) {
        return tn_error_of(errno);
    }
    if (fcntl(fd[1], F_SETPIPE_SZ, (int)((long)capacity * page)) < 0) {
        refused = tn_error_of(errno);
        (void)close(fd[0]);
        (void)close(fd[1]);
        return refused;
    }
    r->take = fd[0];
    r->put = fd[1];
    r->max = max;
    return 1;
}

/* Takes back the SIGPIPE that this thread has just been sent, which it blocks,
 * unless one was waiting before. */
static void take_signal_back(const sigset_t *pipe_only, int was_waiting)
{
    const struct timespec now = {0, 0};

    while (!was_waiting && sigtimedwait(pipe_only, NULL, &now) < 0 && errno == EINTR) {
    }
}

/* write, without SIGPIPE: a pipe has no flag that says so.  Returns 0, or errno. */
static int write_quietly(int fd, const void *data, size_t len)
{
    sigset_t pipe_only, before, waiting;
    ssize_t n;
    int error;

    (void)sigemptyset(&waiting);
    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    if (sigismember(&before, SIGPIPE)) {
        (void)sigpending(&waiting); /* only what was blocked before can be waiting */
    }
    do {
        n = write(fd, data, len);
    } while (n < 0 && errno == EINTR);
    error = n < 0 ? errno : 0;
    if (error == EPIPE) {
        take_signal_back(&pipe_only, sigismember(&waiting, SIGPIPE));
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* Waits until fd is ready, or broken.  Returns 1, even if it is not; 0 when the
 * time is over; TN_ESYSTEM. */
static int32_t await_pipe(int32_t fd, uint32_t mask, int64_t deadline_ms)
{
    uint32_t others;

    if (deadline_ms <= 0 || (deadline_ms != TN_NEVER && deadline_ms <= tn_sys_now_ms())) {
        return 0;
    }
    return tn_wait_for(fd, mask, NULL, 0, &others, deadline_ms) < 0 ? TN_ESYSTEM : 1;
}

int32_t tn_records_put(const struct tn_records *r, const void *record, uint32_t len,
                       int64_t deadline_ms)
{
    int32_t waited = 1;
    int error = EAGAIN;

    if (len == 0) {
        return TN_EINVAL;
    }
    if (len > r->max) {
        return TN_ETOOBIG;
    }
    while (waited == 1) {
        error = write_quietly(r->put, record, len);
        if (error != EAGAIN) {
            break;
        }
        waited = await_pipe(r->put, TN_WRITE, deadline_ms);
    }
    if (error == EAGAIN) {
        return waited;
    }
    return error == 0 ? 1 : error == EPIPE ? TN_ERESET : tn_error_of(error);
}

int32_t tn_records_take(const struct tn_records *r, void *record, int64_t deadline_ms)
{
    int32_t waited = 1;

    while (waited == 1) {
        const ssize_t n = read(r->take, record, r->max);

        if (n >= 0) {
            return n > 0 ? (int32_t)n : TN_EOF;
        }
        if (errno != EINTR && errno != EAGAIN) {
            return TN_ESYSTEM;
        }
        if (errno == EAGAIN) {
            waited = await_pipe(r->take, TN_READ, deadline_ms);
        }
    }
    return waited;
}

void tn_records_close(struct tn_records *r)
{
    tn_close_if_open(&r->take);
    tn_close_if_open(&r->put);
}
