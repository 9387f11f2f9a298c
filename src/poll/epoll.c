/* The poller over epoll, level-triggered: what was not read is reported again,
 * so a loop may stop in the middle of anything. */
#include "poll/poller.h"

int32_t tn_poller_open(struct tn_poller *p)
{
    int32_t fd = tn_sys_epoll_create();

    p->pos = 0;
    p->count = 0;
    if (fd < 0) {
        p->fd = -1;
        return fd;
    }
    p->fd = fd;
    return 1;
}

void tn_poller_close(struct tn_poller *p)
{
    tn_sys_close(p->fd);
    p->fd = -1;
    p->pos = 0;
    p->count = 0;
}

int32_t tn_poller_add(struct tn_poller *p, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    return tn_sys_epoll_add(p->fd, fd, slot, gen, mask);
}

void tn_poller_modify(struct tn_poller *p, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    tn_sys_epoll_modify(p->fd, fd, slot, gen, mask);
}

void tn_poller_remove(struct tn_poller *p, int32_t fd)
{
    tn_sys_epoll_remove(p->fd, fd);
}

int32_t tn_poller_wait(struct tn_poller *p, int32_t timeout_ms)
{
    int32_t n = tn_sys_epoll_wait(p->fd, &p->ready[0], TN_BATCH, timeout_ms);

    p->pos = 0;
    p->count = n > 0 ? (size_t)n : 0;
    return n;
}
