#include "dispatch/dispatch.h"

#include "dispatch/totals.h"
#include "serve/delivery.h"

#include <string.h>

/* Serves one connection, in whatever flow of control this is. */
static void converse(const struct tn_dispatch_options *o, int32_t fd, struct tn_orders *orders,
                     struct tn_counters *counters)
{
    tn_turns_serve(o->session, o->context, &o->stream, fd, orders, counters);
}

/* Whether the flows are processes. */
static uint32_t forks(const struct tn_dispatch *d)
{
    return d->options.flow == TN_FORK || d->options.flow == TN_PREFORK ||
           d->options.flow == TN_PROCESS_POOL;
}

/* Whether they are threads. */
static uint32_t has_threads(const struct tn_dispatch *d)
{
    return d->options.flow == TN_THREAD || d->options.flow == TN_THREAD_POOL;
}

/* Whether their number is fixed. */
static uint32_t is_pool(const struct tn_dispatch *d)
{
    return d->options.flow >= TN_THREAD_POOL;
}

/* Whether each of them accepts for itself. */
static uint32_t accept_themselves(const struct tn_dispatch *d)
{
    return d->options.flow == TN_PREFORK || d->options.flow == TN_THREAD_POOL;
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

static void in_pool(struct tn_thread *t)
{
    struct tn_dispatch *d = t->threads->context;
    struct tn_turns *u = &d->turns[t->slot];

    u->counters = &t->counters;
    tn_turns_run(u, t->threads->lifeline[0], t->threads->endline[0], d->options.drain_ms);
}

static int32_t open_model(struct tn_dispatch *d)
{
    int32_t r = 1;

    if (d->options.flow == TN_PROCESS_POOL) {
        r = tn_pass_open(d->queue);
    }
    if (r == 1 && forks(d)) {
        r = tn_supervisor_open(&d->supervisor, is_pool(d) ? d->options.workers : d->options.at_once,
                               is_pool(d));
    }
    if (r == 1 && d->options.flow == TN_THREAD) {
        r = tn_threads_open(&d->threads, d->options.at_once, in_thread, d);
    }
    if (r == 1 && d->options.flow == TN_THREAD_POOL) {
        r = tn_threads_open(&d->threads, d->options.workers, in_pool, d);
    }
    return r;
}

int32_t tn_dispatch_open(struct tn_dispatch *d, const struct tn_dispatch_options *o)
{
    if (o->flow > TN_PROCESS_POOL || o->at_once > TN_CHILDREN || o->workers > TN_CHILDREN ||
        o->stream.framing > TN_VARINT || o->stream.frame_max > TN_FRAME_MAX) {
        return TN_EINVAL;
    }
    d->options = *o;
    if (o->at_once == 0) {
        d->options.at_once = TN_DEFAULT_AT_ONCE;
    }
    if (o->workers == 0) {
        d->options.workers = TN_DEFAULT_WORKERS;
    }
    tn_orders_init(&d->orders, o->drain_ms);
    d->listeners = 0;
    d->pending = -1;
    d->paused = 0;
    d->retry_ms = TN_NEVER;
    d->draining = 0;
    d->kept = 0;
    d->served = 0;
    d->queue[0] = -1;
    d->queue[1] = -1;
    d->count = &d->counters;
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

/* Whether listener l is the queue of a process pool, out of which a worker is
 * passed connections. */
static uint32_t is_queue(const struct tn_dispatch *d, uint32_t l)
{
    return d->listener[l] == d->queue[0];
}

static void close_listeners(struct tn_dispatch *d)
{
    for (uint32_t l = 0; l < d->listeners; l++) {
        if (!is_queue(d, l)) {
            tn_sys_close(d->listener[l]);
        }
    }
    d->listeners = 0;
}

void tn_dispatch_end(struct tn_dispatch *d)
{
    close_listeners(d);
    d->orders.order = TN_END;
}

/* --- one connection -------------------------------------------------------------------- */

static void close_kept(struct tn_dispatch *d)
{
    for (; d->served < d->kept; d->served++) {
        tn_sys_close(d->kept_fd[d->served]);
    }
}

/* In a child: closes what its parent waits for and keeps, and waits for its
 * lifeline. */
static void become_child(struct tn_dispatch *d)
{
    close_kept(d);
    for (uint32_t i = 0; i < d->orders.count; i++) {
        if (d->orders.fd[i] > 2) {
            tn_sys_close(d->orders.fd[i]); /* the standard ones keep their numbers */
        }
    }
    tn_orders_init(&d->orders, d->options.drain_ms);
    (void)tn_orders_watch(&d->orders, d->supervisor.lifeline[0]);
    d->count = &d->supervisor.counters[d->supervisor.self];
}

/* fork: a child for one connection. */
static int32_t begin_process(struct tn_dispatch *d, int32_t fd)
{
    const int32_t r = tn_supervisor_fork(&d->supervisor);

    if (r == 0) {
        close_listeners(d);
        become_child(d);
        converse(&d->options, fd, &d->orders, d->count);
        tn_process_exit(0);
    }
    if (r == 1) {
        tn_sys_close(fd); /* the child's alone from now on */
    }
    return r;
}

/* process-pool: the connection goes to whichever worker takes it first. */
static int32_t begin_elsewhere(struct tn_dispatch *d, int32_t fd)
{
    const int32_t r = tn_pass_put(d->queue[1], fd);

    if (r == 1) {
        tn_sys_close(fd);
    }
    return r;
}

static void begin_here(struct tn_dispatch *d, int32_t fd)
{
    converse(&d->options, fd, &d->orders, d->count);
}

/* Starts to serve fd.  Returns 1, or why nobody could be started. */
static int32_t begin(struct tn_dispatch *d, int32_t fd)
{
    switch ((enum tn_flow)d->options.flow) {
    case TN_BLOCKING:
        begin_here(d, fd);
        return 1;
    case TN_FORK:
        return begin_process(d, fd);
    case TN_THREAD:
        return tn_threads_start(&d->threads, fd);
    case TN_PROCESS_POOL:
        return begin_elsewhere(d, fd);
    case TN_PREFORK:
    case TN_THREAD_POOL:
        break; /* it accepts nothing itself */
    }
    return TN_EINVAL;
}

/* Children or threads at work. */
static uint32_t at_work(const struct tn_dispatch *d)
{
    if (has_threads(d)) {
        return d->threads.slots.live;
    }
    return forks(d) ? d->supervisor.children.live : 0;
}

/* Whether one more connection may be accepted. */
static uint32_t has_room(const struct tn_dispatch *d)
{
    if (accept_themselves(d)) {
        return 0;
    }
    return d->pending < 0 && (is_pool(d) || at_work(d) < d->options.at_once);
}

static void try_again_later(struct tn_dispatch *d)
{
    d->retry_ms = tn_sys_now_ms() + TN_ACCEPT_RETRY_MS;
}

/* Starts to serve fd, or keeps it for later. */
static void begin_or_keep(struct tn_dispatch *d, int32_t fd)
{
    int32_t r;

    d->pending = -1;
    r = begin(d, fd);
    if (r == 1) {
        return;
    }
    d->pending = fd;
    if (r != TN_EAGAIN) {
        try_again_later(d); /* otherwise the queue tells when it has room */
    }
}

/* The next connection of listener l: accepted, or passed by our parent. */
static int32_t next_connection(const struct tn_dispatch *d, uint32_t l)
{
    return is_queue(d, l) ? tn_pass_take(d->queue[0]) : tn_sys_accept(d->listener[l]);
}

static void accept_on(struct tn_dispatch *d, uint32_t l)
{
    const int32_t fd = next_connection(d, l);

    if (fd >= 0) {
        begin_or_keep(d, fd);
    } else if (fd != TN_EAGAIN) {
        try_again_later(d);
    }
}

/* Takes who had connected before the drain: closing the listeners would break
 * what they were told is a connection.  The queue stays, and in it who is there:
 * for whoever has time for them first, which this worker may not have. */
static void take_backlog(struct tn_dispatch *d)
{
    for (uint32_t l = 0; l < d->listeners; l++) {
        int32_t fd = is_queue(d, l) ? -1 : 0;

        while (fd >= 0 && d->kept < TN_KEPT) {
            fd = next_connection(d, l);
            if (fd >= 0) {
                d->kept_fd[d->kept] = fd;
                d->kept++;
            }
        }
    }
}

/* Starts to serve those who were taken, as far as there is room. */
static void begin_kept(struct tn_dispatch *d)
{
    while (d->served < d->kept && has_room(d)) {
        const int32_t fd = d->kept_fd[d->served];

        d->served++; /* before a child is born that closes the others */
        if (begin(d, fd) != 1) {
            d->served--;
            return;
        }
    }
}

void tn_dispatch_drain(struct tn_dispatch *d)
{
    if (d->orders.order != TN_SERVE) {
        return;
    }
    tn_orders_drain(&d->orders);
    if (d->pending >= 0) {
        d->kept_fd[d->kept] = d->pending;
        d->kept++;
        d->pending = -1;
    }
    take_backlog(d);
    close_listeners(d);
    if (d->options.flow != TN_BLOCKING) { /* which may be talking to somebody */
        begin_kept(d);
    }
}

/* --- workers of a fixed number ------------------------------------------------------------ */

static void heed_lifeline_of(struct tn_orders *o, uint32_t which)
{
    tn_orders_ignore(o, which);
    tn_dispatch_drain(o->context);
}

/* In a worker: serves one client at a time, of whoever connects or is passed.
 * Returns its exit status. */
static int serve_by_turns(struct tn_dispatch *d)
{
    if (d->options.flow == TN_PROCESS_POOL) {
        close_listeners(d);
        (void)tn_dispatch_listen(d, d->queue[0]);
        tn_sys_close(d->queue[1]);
    }
    d->options.flow = TN_BLOCKING;
    d->orders.context = d;
    d->orders.heed = heed_lifeline_of;
    return tn_dispatch_run(d) == TN_EOF ? 0 : 1;
}

static int work(struct tn_dispatch *d)
{
    const struct tn_supervisor *s = &d->supervisor;
    const struct tn_worker w = {s->self, s->lifeline[0], &s->counters[s->self]};

    become_child(d);
    return d->options.work != NULL ? d->options.work(d->options.context, &w) : serve_by_turns(d);
}

/* Starts one more thread of the pool, with listeners of its own. */
static int32_t start_thread(struct tn_dispatch *d)
{
    const uint32_t slot = tn_children_vacant(&d->threads.slots, 0); /* the one it will get */
    struct tn_turns *u;
    int32_t r;

    if (slot == TN_NONE) {
        return TN_EFULL;
    }
    u = &d->turns[slot];
    u->stream = &d->options.stream;
    u->session = d->options.session;
    u->context = d->options.context;
    r = tn_turns_open(u, d->listener, d->listeners);
    if (r < 0) {
        return r;
    }
    r = tn_threads_start(&d->threads, -1);
    if (r < 0) {
        tn_turns_close(u);
    }
    return r;
}

/* Starts one more worker.  Returns 1, or why not. */
static int32_t start_worker(struct tn_dispatch *d)
{
    int32_t r;

    if (d->options.flow == TN_THREAD_POOL) {
        return start_thread(d);
    }
    r = tn_supervisor_fork(&d->supervisor);
    if (r == 0) {
        tn_process_exit(work(d));
    }
    return r;
}

/* Starts the workers that are missing and not resting. */
static void fill_up(struct tn_dispatch *d)
{
    int32_t r = 1;

    while (r == 1 && d->orders.order == TN_SERVE && is_pool(d) && d->retry_ms == TN_NEVER) {
        r = start_worker(d);
        if (r < 0 && r != TN_EFULL) {
            try_again_later(d);
        }
    }
}

/* --- the loop ---------------------------------------------------------------------------- */

/* Takes the ends of children or threads: what they leave is room to try
 * again. */
static void collect(struct tn_dispatch *d)
{
    const uint32_t before = at_work(d);

    if (forks(d)) {
        tn_supervisor_reap(&d->supervisor);
    } else if (has_threads(d)) {
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
    const uint32_t pause = has_room(d) == 0 || d->retry_ms != TN_NEVER;

    if (accept_themselves(d)) {
        return 0;
    }
    if (pause == 1 && d->paused == 0) {
        tn_count(&d->count->accept_pauses, 1);
    }
    d->paused = pause;
    return d->orders.order == TN_SERVE && pause == 0;
}

/* The descriptor that tells of an end; -1: there is none.  A thread's end is
 * only told when something waits for it. */
static int32_t ends_at(struct tn_dispatch *d)
{
    if (!has_threads(d)) {
        return forks(d) ? d->supervisor.ended : -1;
    }
    if (has_room(d) == 0 || d->retry_ms != TN_NEVER || d->orders.order != TN_SERVE) {
        tn_threads_await(&d->threads);
    }
    return d->threads.ended;
}

/* Tells the children to drain, once. */
static void hand_over(struct tn_dispatch *d)
{
    if (d->orders.order == TN_SERVE || d->draining == 1) {
        return;
    }
    d->draining = 1;
    if (forks(d)) {
        tn_supervisor_drain(&d->supervisor);
    } else if (has_threads(d)) {
        tn_threads_drain(&d->threads);
    }
}

/* When the wait ends at the latest. */
static int64_t limit(const struct tn_dispatch *d)
{
    int64_t restart;

    if (d->orders.order == TN_SERVE) {
        restart = is_pool(d) && forks(d) ? tn_supervisor_next(&d->supervisor) : TN_NEVER;
        return restart < d->retry_ms ? restart : d->retry_ms;
    }
    return forks(d) ? d->orders.until_ms + TN_KILL_GRACE_MS : TN_NEVER;
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

/* What the next wait is for: the listeners, then an end, then room in the
 * queue.  Returns how many of w are listeners. */
static uint32_t wanted_now(struct tn_dispatch *d, struct tn_wanted *w)
{
    const int32_t ended = ends_at(d);
    const uint32_t n = accepting(d) == 1 ? d->listeners : 0;

    for (uint32_t l = 0; l < n; l++) {
        w[l].fd = d->listener[l];
        w[l].mask = TN_READ;
    }
    w[n].fd = ended;
    w[n].mask = TN_READ;
    w[n + 1].fd = d->options.flow == TN_PROCESS_POOL && d->pending >= 0 ? d->queue[1] : -1;
    w[n + 1].mask = TN_WRITE;
    return n;
}

/* Waits once and does what it was for.  Returns 1, or TN_ESYSTEM. */
static int32_t turn(struct tn_dispatch *d)
{
    struct tn_wanted w[TN_LISTENERS + 2];
    const uint32_t n = wanted_now(d, w);
    int32_t r;

    if (at_work(d) == 0 && d->orders.order != TN_SERVE) {
        return 1; /* the last has ended meanwhile */
    }
    r = tn_orders_wait(&d->orders, w, n + 2, limit(d));
    tn_count(&d->count->wakeups, 1);
    tn_count(&d->count->spurious, r == 0 ? 1 : 0);
    if (w[n].ready != 0 || has_threads(d)) {
        collect(d);
    }
    if (w[n + 1].ready != 0 && d->pending >= 0) {
        begin_or_keep(d, d->pending);
    }
    for (uint32_t l = 0; l < n && d->orders.order == TN_SERVE; l++) {
        if (w[l].ready != 0 && has_room(d)) {
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

    if (over == 1 && forks(d)) {
        tn_supervisor_kill(&d->supervisor);
    } else if (over == 1 && has_threads(d)) {
        tn_threads_end(&d->threads);
    }
}

/* Whom nobody has taken is served here, as the drain has it. */
static void serve_kept(struct tn_dispatch *d)
{
    int32_t fd;

    while (d->queue[0] >= 0 && (fd = tn_pass_take(d->queue[0])) >= 0) {
        begin_here(d, fd);
    }
    while (d->served < d->kept) {
        fd = d->kept_fd[d->served];
        d->served++;
        begin_here(d, fd);
    }
}

int32_t tn_dispatch_run(struct tn_dispatch *d)
{
    int32_t r = 1;

    while (r > 0 && (d->orders.order == TN_SERVE || at_work(d) > 0)) {
        fill_up(d);
        r = turn(d);
        retry(d);
        if (d->orders.order != TN_SERVE) {
            hand_over(d);
            if (is_pool(d)) {
                serve_kept(d); /* every worker may be at work to the end of the drain */
            }
            force(d);
        }
    }
    hand_over(d);
    serve_kept(d);
    if (forks(d)) {
        tn_totals_add(&d->counters, &d->supervisor.totals);
    } else if (has_threads(d)) {
        tn_totals_add(&d->counters, &d->threads.totals);
    }
    return r < 0 ? r : TN_EOF;
}

void tn_dispatch_close(struct tn_dispatch *d)
{
    close_listeners(d);
    tn_close_if_open(&d->pending);
    close_kept(d);
    if (forks(d)) {
        tn_supervisor_kill(&d->supervisor);
        tn_supervisor_close(&d->supervisor);
    } else if (has_threads(d)) {
        tn_threads_end(&d->threads);
        tn_threads_close(&d->threads);
    }
    tn_close_if_open(&d->queue[0]);
    tn_close_if_open(&d->queue[1]);
}
