/* Waiting, by poll. */
#define _GNU_SOURCE
#include "os/wait.h"

#include <errno.h>
#include <poll.h>

_Static_assert(TN_READ == POLLIN && TN_WRITE == POLLOUT && TN_BROKEN == (POLLERR | POLLHUP),
               "masks are the kernel's");

static int until(int64_t deadline_ms)
{
    int64_t left;

    if (deadline_ms == INT64_MAX) {
        return -1;
    }
    left = deadline_ms - tn_sys_now_ms();
    return left <= 0 ? 0 : left < INT32_MAX ? (int)left : INT32_MAX;
}

int32_t tn_wait(struct tn_wanted *w, uint32_t n, int64_t deadline_ms)
{
    struct pollfd p[TN_WAIT_MAX];
    int count;

    if (n > TN_WAIT_MAX) {
        return TN_ESYSTEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        p[i].fd = w[i].fd;
        p[i].events = (short)w[i].mask;
        p[i].revents = 0;
    }
    count = poll(p, n, until(deadline_ms));
    if (count < 0 && errno != EINTR) {
        return TN_ESYSTEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        /* a number that is no descriptor is as broken as can be */
        w[i].ready = p[i].revents & POLLNVAL ? TN_BROKEN : (uint32_t)p[i].revents;
    }
    return count > 0 ? count : 0;
}
