/* Waiting, by poll. */
#define _GNU_SOURCE
#include "os/wait.h"

#include <errno.h>
#include <poll.h>

_Static_assert(TN_READ == POLLIN && TN_WRITE == POLLOUT && TN_BROKEN == (POLLERR | POLLHUP),
               "masks are the kernel's");

static int until(int64_t deadline_ms)
{
    const int64_t left = deadline_ms - tn_sys_now_ms();

    return left <= 0 ? 0 : left < INT32_MAX ? (int)left : INT32_MAX;
}

/* What poll reports; a number that is no descriptor is as broken as can be. */
static uint32_t reported(const struct pollfd *p)
{
    return p->revents & POLLNVAL ? TN_BROKEN : (uint32_t)p->revents;
}

int32_t tn_wait(struct tn_wanted *w, uint32_t n, const int32_t *fd, uint32_t count,
                uint32_t *others, int64_t deadline_ms)
{
    struct pollfd p[TN_WAIT_MAX];
    int32_t own = 0;
    int r;

    *others = 0;
    if (n > TN_WAIT_MAX || count > TN_WAIT_MAX - n) {
        return TN_ESYSTEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        p[i].fd = w[i].fd;
        p[i].events = (short)w[i].mask;
        w[i].ready = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        p[n + i].fd = fd[i];
        p[n + i].events = POLLIN;
    }
    r = poll(p, n + count, deadline_ms == INT64_MAX ? -1 : until(deadline_ms));
    if (r <= 0) {
        return r == 0 || errno == EINTR ? 0 : TN_ESYSTEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        w[i].ready = reported(&p[i]);
        own += w[i].ready != 0;
    }
    for (uint32_t i = 0; i < count && r > own; i++) {
        *others |= p[n + i].revents != 0 ? 1u << i : 0;
    }
    return own;
}
