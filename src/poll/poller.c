/* The choice of a model, made at run time. */
#include "poll/backends.h"

uint32_t tn_poller_has(uint32_t model)
{
#ifndef TN_WITHOUT_EPOLL
    if (model == TN_EPOLL)
        return 1;
#endif
#ifndef TN_WITHOUT_POLL
    if (model == TN_POLL)
        return 1;
#endif
#ifndef TN_WITHOUT_SELECT
    if (model == TN_SELECT)
        return 1;
#endif
#ifndef TN_WITHOUT_POLLING
    if (model == TN_POLLING)
        return 1;
#endif
    return 0;
}

int32_t tn_poller_open(struct tn_poller *p, uint32_t model)
{
    p->fd = -1;
    p->model = model;
    p->pos = 0;
    p->count = 0;
    p->turn = 0;
    p->vain = 0;
    p->moved = 0;
#ifndef TN_WITHOUT_EPOLL
    if (model == TN_EPOLL)
        return tn_epoll_open(p);
#endif
    return 1;
}

void tn_poller_close(struct tn_poller *p)
{
    if (p->fd != -1)
        tn_sys_close(p->fd);
    p->fd = -1;
    p->pos = 0;
    p->count = 0;
}

int32_t tn_poller_add(struct tn_poller *p, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    if (p->model == TN_SELECT && fd >= TN_SELECT_FDS)
        return TN_EFULL;
    if (p->fd != -1)
        return tn_sys_epoll_add(p->fd, fd, slot, gen, mask);
    //@ ghost k_reg[fd] = 1;
    //@ ghost k_reg_slot[fd] = slot;
    //@ ghost k_reg_gen[fd] = gen;
    //@ ghost k_reg_mask[fd] = mask;
    return 1;
}

void tn_poller_modify(struct tn_poller *p, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    if (p->fd != -1) {
        tn_sys_epoll_modify(p->fd, fd, slot, gen, mask);
        return;
    }
    //@ ghost k_reg_mask[fd] = mask;
}

void tn_poller_remove(struct tn_poller *p, int32_t fd)
{
    if (p->fd != -1) {
        tn_sys_epoll_remove(p->fd, fd);
        return;
    }
    //@ ghost k_reg[fd] = 0;
}

int32_t tn_poller_wait(struct tn_poller *p, struct tn_lists l, int32_t timeout_ms, int64_t moved)
{
#ifndef TN_WITHOUT_EPOLL
    if (p->fd != -1)
        return tn_epoll_wait(p, timeout_ms);
#endif
    (void)l; /* a build of few models may have no use for these */
    (void)timeout_ms;
    (void)moved;
    switch (p->model) {
#ifndef TN_WITHOUT_POLL
    case TN_POLL:
        return tn_poll_wait(p, l, timeout_ms);
#endif
#ifndef TN_WITHOUT_SELECT
    case TN_SELECT:
        return tn_select_wait(p, l, timeout_ms);
#endif
#ifndef TN_WITHOUT_POLLING
    case TN_POLLING:
        return tn_polling_wait(p, l, timeout_ms, moved);
#endif
    default:
        break;
    }
    p->pos = 0;
    p->count = 0;
    return TN_ESYSTEM;
}
