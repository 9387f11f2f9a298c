/* The sequential models, and engines in processes: the dispatcher, with signals
 * and standard input beside it. */
#define _GNU_SOURCE
#include "cli/serve.h"
#include "cli/services.h"
#include "dispatch/dispatch.h"

#include <stdio.h>

/* Of fixed size and large: too large for a stack. */
static struct tn_dispatch the_dispatch;

/* Talks to one client. */
static void converse(void *context, struct tn_stream *s)
{
    const struct tn_cli_start *start = context;
    const struct tn_cli_arguments *a = start->a;
    struct tn_cli_scratch scratch;
    struct tn_message m;

    if (a->verbose) {
        (void)fprintf(stderr, "opened %d\n", s->fd);
    }
    while (tn_stream_read(s, &m, TN_NEVER) == 1) {
        const struct tn_cli_answer answer = tn_cli_answer(a->service, m.data, m.len, &scratch);

        if (answer.data != NULL && tn_stream_send(s, answer.data, answer.len, TN_NEVER) != 1) {
            break;
        }
    }
    if (a->verbose) {
        (void)fprintf(stderr, "closed %d by %s\n", s->fd, tn_cli_reason_name(s->reason));
    }
}

/* Takes the commands that came. */
static void heed(struct tn_orders *o, uint32_t which)
{
    struct tn_cli_start *start = o->context;
    struct tn_cli_commands *c = &start->commands;

    tn_cli_commands_take(c, o->fd[which]);
    if (c->input < 0 && o->fd[which] != c->signals) {
        tn_orders_ignore(o, which);
    }
    if (c->asked > 0 && o->order == TN_SERVE) {
        tn_cli_remove_socket_files(start->a);
        if (the_dispatch.options.work != NULL) {
            tn_cli_close_listeners(start, TN_NONE);
        }
        tn_dispatch_drain(&the_dispatch);
    }
    if (c->asked > 1) {
        tn_dispatch_end(&the_dispatch);
    }
}

static uint32_t flow_of(uint32_t model)
{
    switch (model) {
    case TN_CLI_FORK:
        return TN_FORK;
    case TN_CLI_THREAD:
        return TN_THREAD;
    case TN_CLI_THREAD_POOL:
        return TN_THREAD_POOL;
    case TN_CLI_PROCESS_POOL:
        return TN_PROCESS_POOL;
    case TN_CLI_BLOCKING:
        return TN_BLOCKING;
    default:
        return TN_PREFORK; /* of sequential flows, or of engines */
    }
}

static int32_t init(struct tn_dispatch *d, struct tn_cli_start *start)
{
    const struct tn_cli_arguments *a = start->a;
    struct tn_dispatch_options options = {0};
    int32_t r;

    options.flow = flow_of(a->model);
    options.at_once = options.flow == TN_PREFORK ? 0 : a->max_connections;
    options.drain_ms = a->drain_ms;
    options.stream.framing = a->framing;
    options.stream.frame_max = a->frame_max;
    options.stream.idle_ms = a->idle_ms;
    options.stream.read_ms = a->read_ms;
    options.stream.write_ms = a->write_ms;
    options.workers = a->workers;
    options.session = converse;
    options.work = tn_cli_model_is_flow(a->model) ? NULL : tn_cli_work_events;
    options.context = start;
    r = tn_dispatch_open(d, &options);
    if (r < 0) {
        return r;
    }
    d->orders.context = start;
    d->orders.heed = heed;
    (void)tn_orders_watch(&d->orders, start->commands.signals);
    if (start->commands.input >= 0) {
        (void)tn_orders_watch(&d->orders, start->commands.input);
    }
    for (uint32_t i = 0; i < a->listeners && options.work == NULL; i++) {
        (void)tn_dispatch_listen(d, start->listener[i][0]);
    }
    return 1;
}

int tn_cli_serve_flows(struct tn_cli_start *start)
{
    int32_t result = init(&the_dispatch, start);

    if (result < 0) {
        tn_cli_remove_socket_files(start->a);
        return tn_cli_fail("serve", NULL, result);
    }
    tn_cli_print_ready(start->a, start->bound);
    result = tn_dispatch_run(&the_dispatch);
    tn_dispatch_close(&the_dispatch);
    if (result != TN_EOF) {
        if (start->commands.asked == 0) {
            tn_cli_remove_socket_files(start->a);
        }
        return tn_cli_fail("serve", NULL, result);
    }
    tn_cli_print_totals(&the_dispatch.counters, 0);
    return TN_CLI_DONE;
}
