/* The event models: the pull loop, with signals and standard input beside it. */
#define _GNU_SOURCE
#include "cli/chat.h"
#include "cli/serve.h"
#include "cli/services.h"
#include "serve/server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* Before it drains a worker takes what is ready, at most so many events: who has
 * reset or ended by then is counted as that, not as drained. */
#define LAST_EVENTS 4096u

struct program {
    struct tn_cli_start *start;
    uint32_t worker;            /* which of them this is; 0 when there is one */
    uint32_t lifeline_watch;    /* TN_NONE when this is no worker */
    struct tn_counters *report; /* a worker's: shared with its parent; or null */
    uint32_t signals_watch;     /* its number at the server */
    uint32_t input_watch;       /* TN_NONE while standard input is not watched */
    uint32_t draining;          /* 1 once the server knows */
    uint32_t last;              /* events a worker still takes before it drains, or 0 */
    struct tn_cli_scratch scratch;
    struct tn_cli_chat chat; /* of the service chat */
};

/* Of fixed size and large: too large for a stack. */
static struct tn_server the_server;
static struct program the_program;

static void tell(const struct program *p, const struct tn_event *ev)
{
    if (!p->start->a->verbose) {
        return;
    }
    if (ev->type == TN_OPENED) {
        (void)fprintf(stderr, "opened %" PRIu32 ".%" PRIu32 "\n", ev->conn.slot, ev->conn.gen);
    } else if (ev->type == TN_CLOSED) {
        (void)fprintf(stderr, "closed %" PRIu32 ".%" PRIu32 " by %s\n", ev->conn.slot, ev->conn.gen,
                      tn_cli_reason_name(ev->reason));
    }
}

static void answer(struct program *p, struct tn_server *s, const struct tn_event *ev)
{
    const struct tn_cli_answer a =
        tn_cli_answer(p->start->a->service, ev->data, ev->len, &p->scratch);

    if (a.data != NULL && tn_send(s, ev->conn, a.data, a.len) != 1) {
        (void)tn_close(s, ev->conn); /* an answer that cannot be sent must not go unnoticed */
    }
}

/* A frame of a chat goes to all others; who has fallen behind is closed, after
 * everybody was told: closing ends what the event points at. */
static void pass_on(struct program *p, struct tn_server *s, const struct tn_event *ev)
{
    struct tn_event end = {.type = TN_CLOSED, .reason = TN_BY_CALLER};

    tn_cli_chat_say(&p->chat, s, ev->conn, ev->data, ev->len);
    while (tn_cli_chat_put_out(&p->chat, &end.conn) == 1) {
        (void)tn_close(s, end.conn);
        tell(p, &end); /* the server does not */
    }
}

/* Who comes and goes. */
static void keep_members(struct program *p, const struct tn_event *ev)
{
    if (ev->type == TN_OPENED) {
        tn_cli_chat_join(&p->chat, ev->conn);
    } else {
        tn_cli_chat_leave(&p->chat, ev->conn);
    }
}

static void drain(struct program *p, struct tn_server *s)
{
    if (p->draining == 0) {
        p->draining = 1;
        tn_drain(s, (int32_t)p->start->a->drain_ms);
    }
}

/* Takes the commands that came by the descriptor watched as w. */
static void take_commands(struct program *p, struct tn_server *s, uint32_t w)
{
    struct tn_cli_commands *c = &p->start->commands;

    if (w == p->lifeline_watch) {
        (void)tn_unwatch(s, w);
        p->last = LAST_EVENTS;
        return;
    }
    tn_cli_commands_take(c, w == p->signals_watch ? c->signals : c->input);
    if (c->input < 0 && p->input_watch != TN_NONE) {
        (void)tn_unwatch(s, p->input_watch);
        p->input_watch = TN_NONE;
    }
    if (c->asked > 0 && p->draining == 0) {
        tn_cli_remove_socket_files(p->start->a);
        drain(p, s);
    }
}

/* What this worker has counted so far is known to its parent, should it crash. */
static void keep_count(const struct program *p, const struct tn_server *s)
{
    if (p->report != NULL) {
        *p->report = s->counters;
    }
}

static void handle(struct program *p, struct tn_server *s, const struct tn_event *ev)
{
    const uint32_t chat = p->start->a->service == TN_CLI_CHAT;

    if (ev->type == TN_READY) {
        take_commands(p, s, ev->watch);
    } else if (ev->type != TN_FRAME) {
        tell(p, ev);
        keep_count(p, s);
        if (chat) {
            keep_members(p, ev);
        }
    } else if (chat) {
        pass_on(p, s, ev);
    } else {
        answer(p, s, ev);
    }
}

/* The loop.  Returns TN_EOF in the end, or TN_ESYSTEM. */
static int32_t run(struct program *p, struct tn_server *s)
{
    struct tn_event ev;
    int32_t result = 1;

    while (p->start->commands.asked < 2 &&
           (result = tn_next(s, &ev, p->last > 0 ? 0 : TN_FOREVER)) >= 0) {
        if (result == 1) {
            handle(p, s, &ev);
        }
        if (p->last > 0 && (result == 0 || --p->last == 0)) {
            p->last = 0;
            drain(p, s);
        }
    }
    return p->start->commands.asked < 2 ? result : TN_EOF;
}

/* Gives the server what it is to watch.  Returns 1 or an exit status as a
 * negative number. */
static int watch_commands(struct program *p, struct tn_server *s)
{
    const struct tn_cli_commands *c = &p->start->commands;
    int32_t w = tn_watch(s, c->signals);

    if (w < 0) {
        return -tn_cli_fail("signals", NULL, w);
    }
    p->signals_watch = (uint32_t)w;
    p->input_watch = TN_NONE;
    if (c->input < 0) {
        return 1;
    }
    w = tn_watch(s, c->input);
    if (w == TN_ESYSTEM) {
        errno = ENOTSUP; /* a file, which is always ready, cannot be waited for */
    }
    if (w < 0) {
        return -tn_cli_fail("--stdin", NULL, w);
    }
    p->input_watch = (uint32_t)w;
    return 1;
}

/* There is room for each listener of a command line, so only select can be full. */
static int refused(const char *address, int32_t result)
{
    const struct tn_cli_complaint beyond = {
        "--listen", address, "its descriptor number is beyond those that --model select can watch"};

    if (result != TN_EFULL) {
        return tn_cli_fail("--listen", address, result);
    }
    tn_cli_complain(&beyond);
    return TN_CLI_FAILED;
}

/* Gives the server its listeners.  Returns as watch_commands does. */
static int listen_everywhere(const struct program *p, struct tn_server *s)
{
    for (uint32_t i = 0; i < p->start->a->listeners; i++) {
        const int32_t result = tn_listen(s, p->start->listener[i][p->worker]);

        if (result < 0) {
            return -refused(p->start->a->listen[i], result);
        }
    }
    return 1;
}

static int32_t init(struct tn_server *s, const struct tn_cli_arguments *a)
{
    struct tn_options options = {0};

    options.model = tn_cli_event_model(a->model);
    options.connections = a->max_connections;
    options.framing = a->framing;
    options.frame_max = a->frame_max;
    options.idle_ms = a->idle_ms;
    options.read_ms = a->read_ms;
    options.write_ms = a->write_ms;
    return tn_init(s, &options);
}

int tn_cli_serve_events(struct tn_cli_start *start)
{
    int32_t result = init(&the_server, start->a);
    int status;

    the_program.start = start;
    the_program.worker = 0;
    the_program.lifeline_watch = TN_NONE;
    the_program.report = NULL;
    if (result < 0) {
        tn_cli_remove_socket_files(start->a);
        return tn_cli_fail("serve", NULL, result);
    }
    status = watch_commands(&the_program, &the_server);
    status = status > 0 ? listen_everywhere(&the_program, &the_server) : status;
    if (status < 0) {
        tn_cli_remove_socket_files(start->a);
        tn_fini(&the_server);
        return -status;
    }
    tn_cli_print_ready(start->a, start->bound);
    result = run(&the_program, &the_server);
    tn_fini(&the_server);
    if (result != TN_EOF) {
        if (the_program.draining == 0) {
            tn_cli_remove_socket_files(start->a);
        }
        return tn_cli_fail("serve", NULL, result);
    }
    tn_cli_print_totals(&the_server.counters, the_program.chat.dropped);
    return TN_CLI_DONE;
}

int tn_cli_work_events(void *context, const struct tn_worker *w)
{
    struct program *p = &the_program;
    int32_t result;

    p->start = context;
    p->worker = w->number;
    p->report = w->counters;
    p->signals_watch = TN_NONE;
    p->input_watch = TN_NONE;
    tn_cli_close_listeners(p->start, w->number);
    result = init(&the_server, p->start->a);
    if (result < 0) {
        return TN_CLI_FAILED;
    }
    result = tn_watch(&the_server, w->lifeline);
    p->lifeline_watch = (uint32_t)result;
    if (result < 0 || listen_everywhere(p, &the_server) < 0) {
        return TN_CLI_FAILED;
    }
    result = run(p, &the_server);
    tn_fini(&the_server);
    keep_count(p, &the_server);
    return result == TN_EOF ? TN_CLI_DONE : TN_CLI_FAILED;
}
