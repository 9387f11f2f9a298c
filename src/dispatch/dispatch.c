#include "dispatch/dispatch.h"

#include "dispatch/totals.h"
#include "serve/delivery.h"

#include <string.h>

/* Serves one connection, in whatever flow of control this is. */
static void converse(const struct tn_dispatch_options *o, int32_t fd, struct tn_orders *orders,
                     struct tn_counters *counters)
{
    struct tn_stream s;

    tn_count(&counters->accepted, 1);
    (void)tn_stream_open(&s, fd, &o->stream, orders, counters); /* the options were checked */
    o->session(o->context, &s);
    tn_stream_close(&s);
}

static void in_thread(struct tn_thread *t)
{
    const struct tn_dispatch *d = t->threads->context;
    struct tn_orders orders;

    tn_orders_init(&orders, d->options.drain_ms);
    (void)tn_orders_watch(&orders, t->threads->lifeline[0]);
    orders.end_fd = t->threads->endline[0];
    converse(&d->options, t->fd, &orders, &t->counters);
}

static int32_t open_model(struct tn_dispatch *d)
{
    switch ((enum tn_flow)d->options.flow) {
    case TN_BLOCKING:
        return 1;
    case TN_FORK:
        return tn_supervisor_open(&d->supervisor, d->options.at_once, 0);
    case TN_THREAD:
        return tn_threads_open(&d->threads, d->options.at_once, in_thread, d);
    }
    return TN_EINVAL;
}

int32_t tn_dispatch_open(struct tn_dispatch *d, const struct tn_dispatch_options *o)
{
    if (o->at_once > TN_CHILDREN || o->stream.framing > TN_VARINT ||
        o->stream.frame_max > TN_FRAME_MAX) {
        return TN_EINVAL;
    }
    d->options = *o;
    if (o->at_once == 0) {
        d->options.at_once = TN_DEFAULT_AT_ONCE;
    }
    tn_orders_init(&d->orders, o->drain_ms);
    d->listeners = 0;
    d->pending = -1;
    d->paused = 0;
    d->retry_ms = TN_NEVER;
    d->draining = 0;
    memset(&d->counters, 0, sizeof d->counters);
    return open_model(d);
}

int32_t tn_dispatch_listen(struct tn_dispatch *d, int32_t fd)
{
    if (d->listeners == TN_LISTENERS) {
        return TN_EFULL;
    }
    d->listener[d->listeners] = fd;
    d->listeners++;
    return 1;
}

static void close_listeners(struct tn_dispatch *d)
{
    for (uint32_t l = 0; l < d->listeners; l++) {
        tn_sys_close(d->listener[l]);
    }
    d->listeners = 0;
}

void tn_dispatch_end(struct tn_dispatch *d)
{
    close_listeners(d);
    d->orders.order = TN_END;
}

/* --- one connection -------------------------------------------------------------------- */

/* In a child: keeps the connection, the lifeline and the standard descriptors
 * and closes what else the dispatcher has open. */
static void become_child(struct tn_dispatch *d)
{
    close_listeners(d);
    for (uint32_t i = 0; i < d->orders.count; i++) {
        if (d->orders.fd[i] > 2) {
            tn_sys_close(d->orders.fd[i]);
        }
    }
    tn_orders_init(&d->orders, d->options.drain_ms);
    (void)tn_orders_watch(&d->orders, d->supervisor.lifeline[0]);
}

static int32_t begin_process(struct tn_dispatch *d, int32_t fd)
{
    struct tn_supervisor *s = &d->supervisor;
    const int32_t r = tn_supervisor_fork(s);

    if (r == 0) {
        become_child(d);
        converse(&d->options, fd, &d->orders, &s->counters[s->self]);
        tn_process_exit(0);
    }
    if (r == 1) {
        tn_sys_close(fd); /* the child's alone from now on */
    }
    return r;
}

/* Starts to serve fd.  Returns 1, or why nobody could be started. */
static int32_t begin(struct tn_dispatch *d, int32_t fd)
{
    switch ((enum tn_flow)d->options.flow) {
    case TN_BLOCKING:
        converse(&d->options, fd, &d->orders, &d->counters);
        return 1;
    case TN_FORK:
        return begin_process(d, fd);
    case TN_THREAD:
        return tn_threads_start(&d->threads, fd);
    }
    return TN_EINVAL;
}

/* Children or threads at work. */
static uint32_t at_work(const struct tn_dispatch *d)
{
    switch ((enum tn_flow)d->options.flow) {
    case TN_BLOCKING:
        break;
    case TN_FORK:
        return d->supervisor.children.live;
    case TN_THREAD:
        return d->threads.slots.live;
    }
    return 0;
}

static void try_again_later(struct tn_dispatch *d)
{
    d->retry_ms = tn_sys_now_ms() + TN_ACCEPT_RETRY_MS;
}

/* Starts to serve fd, or keeps it for later. */
static void begin_or_keep(struct tn_dispatch *d, int32_t fd)
{
    d->pending = -1;
    if (begin(d, fd) != 1) {
        d->pending = fd;
        try_again_later(d);
    }
}

static void accept_on(struct tn_dispatch *d, uint32_t l)
{
    const int32_t fd = tn_sys_accept(d->listener[l]);

    if (fd >= 0) {
        begin_or_keep(d, fd);
    } else if (fd != TN_EAGAIN) {
        try_again_later(d);
    }
}

/* Takes who had connected before the drain, as far as there is room: closing
 * the listener would break what they were told is a connection. */
static void take_backlog(struct tn_dispatch *d)
{
    for (uint32_t l = 0; l < d->listeners; l++) {
        int32_t fd = 0;

        while (fd >= 0 && d->pending < 0 && at_work(d) < d->options.at_once) {
            fd = tn_sys_accept(d->listener[l]);
            if (fd >= 0) {
                begin_or_keep(d, fd);
            }
        }
    }
}

void tn_dispatch_drain(struct tn_dispatch *d)
{
    if (d->options.flow != TN_BLOCKING && d->orders.order == TN_SERVE) {
        take_backlog(d);
    }
    close_listeners(d);
    tn_orders_drain(&d->orders);
}

/* --- the loop ---------------------------------------------------------------------------- */

/* Takes the ends of children or threads: what they leave is room to try
 * again. */
static void collect(struct tn_dispatch *d)
{
    const uint32_t before = at_work(d);

    if (d->options.flow == TN_FORK) {
        tn_supervisor_reap(&d->supervisor);
    } else if (d->options.flow == TN_THREAD) {
        tn_threads_join(&d->threads);
    }
    if (at_work(d) < before && d->retry_ms != TN_NEVER) {
        d->retry_ms = 0;
    }
}

/* Whether a connection may be accepted: not at the cap, and not while the
 * system has no room.  Counts each pause once. */
static uint32_t accepting(struct tn_dispatch *d)
{
    const uint32_t pause = at_work(d) >= d->options.at_once || d->retry_ms != TN_NEVER;

    if (pause == 1 && d->paused == 0) {
        tn_count(&d->counters.accept_pauses, 1);
    }
    d->paused = pause;
    return d->orders.order == TN_SERVE && pause == 0;
}

/* The descriptor that tells of an end; -1: there is none.  A thread's end is
 * only told when something waits for it. */
static int32_t ends_at(struct tn_dispatch *d)
{
    switch ((enum tn_flow)d->options.flow) {
    case TN_BLOCKING:
        break;
    case TN_FORK:
        return d->supervisor.ended;
    case TN_THREAD:
        if (at_work(d) >= d->options.at_once || d->retry_ms != TN_NEVER ||
            d->orders.order != TN_SERVE) {
            tn_threads_await(&d->threads);
        }
        return d->threads.ended;
    }
    return -1;
}

/* Tells the children to drain, once. */
static void pass_on(struct tn_dispatch *d)
{
    if (d->orders.order == TN_SERVE || d->draining == 1) {
        return;
    }
    d->draining = 1;
    if (d->pending >= 0) {
        tn_count(&d->counters.accepted, 1);
        tn_count(&d->counters.closed[TN_BY_DRAIN], 1);
        tn_sys_close(d->pending);
        d->pending = -1;
    }
    if (d->options.flow == TN_FORK) {
        tn_supervisor_drain(&d->supervisor);
    } else if (d->options.flow == TN_THREAD) {
        tn_threads_drain(&d->threads);
    }
}

/* When the wait ends at the latest. */
static int64_t limit(const struct tn_dispatch *d)
{
    if (d->orders.order == TN_SERVE) {
        return d->retry_ms;
    }
    return d->options.flow == TN_FORK ? d->orders.until_ms + TN_KILL_GRACE_MS : TN_NEVER;
}

/* Tries what the system refused before. */
static void retry(struct tn_dispatch *d)
{
    if (d->retry_ms == TN_NEVER || d->retry_ms > tn_sys_now_ms()) {
        return;
    }
    d->retry_ms = TN_NEVER;
    if (d->pending >= 0 && d->orders.order == TN_SERVE) {
        begin_or_keep(d, d->pending);
    }
}

/* Waits once and does what it was for.  Returns 1, or TN_ESYSTEM. */
static int32_t turn(struct tn_dispatch *d)
{
    struct tn_wanted w[TN_LISTENERS + 1];
    const int32_t ended = ends_at(d);
    const uint32_t n = accepting(d) == 1 ? d->listeners : 0;
    int32_t r;

    for (uint32_t l = 0; l < n; l++) {
        w[l].fd = d->listener[l];
        w[l].mask = TN_READ;
    }
    w[n].fd = ended;
    w[n].mask = TN_READ;
    if (at_work(d) == 0 && d->orders.order != TN_SERVE) {
        return 1; /* the last has ended meanwhile */
    }
    r = tn_orders_wait(&d->orders, w, n + 1, limit(d));
    tn_count(&d->counters.wakeups, 1);
    if (w[n].ready != 0 || d->options.flow == TN_THREAD) {
        collect(d);
    }
    for (uint32_t l = 0; l < n && d->orders.order == TN_SERVE; l++) {
        if (w[l].ready != 0 && d->pending < 0 && at_work(d) < d->options.at_once) {
            accept_on(d, l);
        }
    }
    return r < 0 ? r : 1;
}

/* Ends by force what goes on beyond its time. */
static void force(struct tn_dispatch *d)
{
    const uint32_t over =
        d->orders.order == TN_END || d->orders.until_ms + TN_KILL_GRACE_MS <= tn_sys_now_ms();

    if (over == 1 && d->options.flow == TN_FORK) {
        tn_supervisor_kill(&d->supervisor);
    } else if (over == 1 && d->options.flow == TN_THREAD) {
        tn_threads_end(&d->threads);
    }
}

int32_t tn_dispatch_run(struct tn_dispatch *d)
{
    int32_t r = 1;

    while (r > 0 && (d->orders.order == TN_SERVE || at_work(d) > 0)) {
        r = turn(d);
        retry(d);
        if (d->orders.order != TN_SERVE) {
            pass_on(d);
            force(d);
        }
    }
    pass_on(d);
    if (d->options.flow == TN_FORK) {
        tn_totals_add(&d->counters, &d->supervisor.totals);
    } else if (d->options.flow == TN_THREAD) {
        tn_totals_add(&d->counters, &d->threads.totals);
    }
    return r < 0 ? r : TN_EOF;
}

void tn_dispatch_close(struct tn_dispatch *d)
{
    close_listeners(d);
    if (d->pending >= 0) {
        tn_sys_close(d->pending);
    }
    switch ((enum tn_flow)d->options.flow) {
    case TN_BLOCKING:
        break;
    case TN_FORK:
        tn_supervisor_kill(&d->supervisor);
        tn_supervisor_close(&d->supervisor);
        break;
    case TN_THREAD:
        tn_threads_end(&d->threads);
        tn_threads_close(&d->threads);
        break;
    }
}
