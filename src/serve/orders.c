#include "serve/orders.h"

void tn_orders_init(struct tn_orders *o, uint32_t drain_ms)
{
    o->order = TN_SERVE;
    o->drain_ms = drain_ms;
    o->until_ms = INT64_MAX;
    o->count = 0;
    o->end_fd = -1;
    o->context = NULL;
    o->heed = NULL;
}

int32_t tn_orders_watch(struct tn_orders *o, int32_t fd)
{
    if (o->count == TN_WATCHES) {
        return TN_EFULL;
    }
    o->fd[o->count] = fd;
    o->count++;
    return (int32_t)o->count - 1;
}

void tn_orders_ignore(struct tn_orders *o, uint32_t which)
{
    o->fd[which] = -1; /* poll passes over it */
}

void tn_orders_drain(struct tn_orders *o)
{
    if (o->order == TN_SERVE) {
        o->order = TN_DRAIN;
        o->until_ms = tn_sys_now_ms() + o->drain_ms;
    }
}

static void heed_lifeline(struct tn_orders *o, uint32_t which)
{
    if (o->order == TN_SERVE) {
        tn_orders_drain(o);
        o->fd[which] = o->end_fd;
    } else {
        o->order = TN_END;
        o->fd[which] = -1;
    }
}

static void heed(struct tn_orders *o, uint32_t which)
{
    if (o->heed != NULL) {
        o->heed(o, which);
    } else {
        heed_lifeline(o, which);
    }
}

/* Heeds what each bit of others says has come. */
static void heed_each(struct tn_orders *o, uint32_t others)
{
    for (uint32_t i = 0; others != 0; i++, others /= 2) {
        if (others % 2 == 1) {
            heed(o, i);
        }
    }
}

int32_t tn_orders_wait(struct tn_orders *o, struct tn_wanted *w, uint32_t n, int64_t deadline_ms)
{
    uint32_t others;
    const int32_t r = tn_wait(w, n, o->fd, o->count, &others, deadline_ms);

    heed_each(o, others);
    return r;
}

int32_t tn_orders_wait_for(struct tn_orders *o, int32_t fd, uint32_t mask, int64_t deadline_ms)
{
    uint32_t others;
    const int32_t r = tn_wait_for(fd, mask, o->fd, o->count, &others, deadline_ms);

    heed_each(o, others);
    return r;
}
