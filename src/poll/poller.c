/* The choice of a model, made at run time. */
#include "poll/backends.h"

#ifndef TN_WITHOUT_EPOLL_ET
/* Says whether what slot is ready for is kept: 1 or 0. */
/*@ requires room: \valid_read(p);
    terminates \true; exits \false;
    assigns \nothing;
    ensures edges: \result == 1 <==> p->model == TN_EPOLL_ET && slot < TN_CONNECTIONS;
    ensures verdict: \result == 0 || \result == 1;
*/
static uint32_t by_edges(const struct tn_poller *p, uint32_t slot)
{
    return p->model == TN_EPOLL_ET && slot < TN_CONNECTIONS ? 1 : 0;
}
#endif

uint32_t tn_poller_has(uint32_t model)
{
#ifndef TN_WITHOUT_EPOLL
    if (model == TN_EPOLL)
        return 1;
#endif
#ifndef TN_WITHOUT_EPOLL_ET
    if (model == TN_EPOLL_ET)
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
#ifndef TN_WITHOUT_EPOLL_ET
    if (model == TN_EPOLL_ET) {
        tn_edge_open(p);
        return tn_epoll_open(p);
    }
#endif
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

/* The same for a set in the kernel. */
/*@ requires set:  \valid(p) && k_ours(p->fd);
    requires open: k_alive(fd) && fd != p->fd;
    requires once: k_reg[fd] == 0;
    terminates \true; exits \false;
    assigns p->edges, k_reg[fd], k_reg_slot[fd], k_reg_gen[fd], k_reg_mask[fd];
    ensures result: \result == 1 || \result == TN_EMEMORY || \result == TN_ESYSTEM;
    ensures registered: \result == 1 ==> k_reg[fd] == 1 && k_reg_slot[fd] == slot &&
                        k_reg_gen[fd] == gen && k_reg_mask[fd] == mask;
    ensures failed: \result < 0 ==> k_reg[fd] == 0;
*/
static int32_t add_to_set(struct tn_poller *p, int32_t fd, uint32_t slot, uint32_t gen,
                          uint32_t mask)
{
#ifndef TN_WITHOUT_EPOLL_ET
    if (by_edges(p, slot)) {
        const uint32_t all = TN_EDGE + TN_ENDED + TN_READ + TN_WRITE;
        const int32_t added = tn_sys_epoll_add(p->fd, fd, slot, gen, all);

        tn_edge_begin(p, slot);
        //@ ghost k_reg_mask[fd] = mask;
        return added;
    }
#endif
    return tn_sys_epoll_add(p->fd, fd, slot, gen, mask);
}

int32_t tn_poller_add(struct tn_poller *p, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    if (p->model == TN_SELECT && fd >= TN_SELECT_FDS)
        return TN_EFULL;
    if (p->fd != -1)
        return add_to_set(p, fd, slot, gen, mask);
    //@ ghost k_reg[fd] = 1;
    //@ ghost k_reg_slot[fd] = slot;
    //@ ghost k_reg_gen[fd] = gen;
    //@ ghost k_reg_mask[fd] = mask;
    return 1;
}

void tn_poller_modify(struct tn_poller *p, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
#ifndef TN_WITHOUT_EPOLL_ET
    if (by_edges(p, slot)) {
        tn_edge_interest(p, slot, mask);
        //@ ghost k_reg_mask[fd] = mask;
        return;
    }
#endif
    if (p->fd != -1) {
        tn_sys_epoll_modify(p->fd, fd, slot, gen, mask);
        return;
    }
    //@ ghost k_reg_mask[fd] = mask;
}

void tn_poller_spent(struct tn_poller *p, uint32_t slot, uint32_t mask, int32_t n)
{
#ifndef TN_WITHOUT_EPOLL_ET
    if (by_edges(p, slot))
        tn_edge_spent(p, slot, mask, n);
#else
    (void)p; /* nobody wants to know */
    (void)slot;
    (void)mask;
    (void)n;
#endif
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
#ifndef TN_WITHOUT_EPOLL_ET
    if (p->fd != -1 && p->model == TN_EPOLL_ET)
        return tn_edge_wait(p, l, timeout_ms);
#endif
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
