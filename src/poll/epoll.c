/* epoll, level-triggered: what was not read is reported again, so a loop may
 * stop in the middle of anything. */
#include "poll/backends.h"

#if !defined(TN_WITHOUT_EPOLL) || !defined(TN_WITHOUT_EPOLL_ET)

int32_t tn_epoll_open(struct tn_poller *p)
{
    int32_t fd = tn_sys_epoll_create();

    p->fd = fd < 0 ? -1 : fd;
    return fd < 0 ? fd : 1;
}

#endif
#ifndef TN_WITHOUT_EPOLL

int32_t tn_epoll_wait(struct tn_poller *p, int32_t timeout_ms)
{
    int32_t n = tn_sys_epoll_wait(p->fd, &p->ready[0], TN_BATCH, timeout_ms);

    p->pos = 0;
    p->count = 0;
    if (n > 0) {
        //@ assert sign: 0 <= n;
        p->count = (size_t)n;
    }
    return n;
}

#endif
