#include "dispatch/turns.h"

#include "os/listen.h"
#include "serve/delivery.h"

void tn_turns_serve(tn_session session, void *context, const struct tn_options *stream, int32_t fd,
                    struct tn_orders *orders, struct tn_counters *counters)
{
    struct tn_stream s;

    tn_count(&counters->accepted, 1);
    (void)tn_stream_open(&s, fd, stream, orders, counters); /* the options were checked */
    session(context, &s);
    tn_stream_close(&s);
}

int32_t tn_turns_open(struct tn_turns *u, const int32_t *listener, uint32_t count)
{
    for (u->listeners = 0; u->listeners < count; u->listeners++) {
        const int32_t fd = tn_listen_again(listener[u->listeners]);

        if (fd < 0) {
            tn_turns_close(u);
            return TN_EFILES;
        }
        u->listener[u->listeners] = fd;
    }
    return 1;
}

void tn_turns_close(struct tn_turns *u)
{
    for (uint32_t l = 0; l < u->listeners; l++) {
        tn_sys_close(u->listener[l]);
    }
    u->listeners = 0;
}

/* Accepts from listener l and serves.  Returns 1; TN_EAGAIN when nobody is
 * there; another error when the system has no room. */
static int32_t serve_next(struct tn_turns *u, uint32_t l)
{
    const int32_t fd = tn_sys_accept(u->listener[l]);

    if (fd < 0) {
        return fd;
    }
    u->busy = 1;
    tn_turns_serve(u->session, u->context, u->stream, fd, &u->orders, u->counters);
    u->busy = 0;
    return 1;
}

static void heed_lines(struct tn_orders *o, uint32_t which)
{
    struct tn_turns *u = o->context;

    if (o->order != TN_SERVE) {
        o->order = TN_END;
        tn_orders_ignore(o, which);
        return;
    }
    tn_orders_drain(o);
    o->fd[which] = o->end_fd;
    for (uint32_t l = 0; l < u->listeners && u->busy == 0; l++) {
        uint32_t left = TN_DEFAULT_BACKLOG; /* who comes all the time must not keep us */

        while (left > 0 && serve_next(u, l) == 1) {
            left--;
        }
    }
    tn_turns_close(u);
}

void tn_turns_run(struct tn_turns *u, int32_t lifeline, int32_t end_fd, uint32_t drain_ms)
{
    struct tn_wanted w[TN_LISTENERS];
    int64_t retry_ms = TN_NEVER;

    tn_orders_init(&u->orders, drain_ms);
    u->orders.context = u;
    u->orders.heed = heed_lines;
    u->orders.end_fd = end_fd;
    u->busy = 0;
    (void)tn_orders_watch(&u->orders, lifeline);
    while (u->orders.order == TN_SERVE) {
        const uint32_t n = retry_ms == TN_NEVER ? u->listeners : 0;

        for (uint32_t l = 0; l < n; l++) {
            w[l].fd = u->listener[l];
            w[l].mask = TN_READ;
        }
        if (tn_orders_wait(&u->orders, w, n, retry_ms) == 0) {
            tn_count(&u->counters->spurious, 1);
        }
        tn_count(&u->counters->wakeups, 1);
        retry_ms = TN_NEVER;
        for (uint32_t l = 0; l < n && u->orders.order == TN_SERVE; l++) {
            const int32_t r = w[l].ready != 0 ? serve_next(u, l) : TN_EAGAIN;

            if (r < 0 && r != TN_EAGAIN && retry_ms == TN_NEVER) {
                tn_count(&u->counters->accept_pauses, 1);
                retry_ms = tn_sys_now_ms() + TN_ACCEPT_RETRY_MS;
            }
        }
    }
    tn_turns_close(u);
}
