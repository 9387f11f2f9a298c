#define _GNU_SOURCE
#include "cli/serve.h"

#include "cli/services.h"
#include "core/result.h"
#include "os/listen.h"
#include "os/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors beside the connections, listeners and watches: standard ones,
 * the poller, and a few that were inherited. */
#define OTHER_DESCRIPTORS 16u

/* How far a line of standard input agrees with `quit`. */
#define QUIT "quit"
#define NOT_QUIT 0xffu

struct program {
    const struct tn_cli_arguments *a;
    int32_t signals;        /* the descriptor they come by */
    uint32_t signals_watch; /* its number at the server */
    uint32_t stdin_watch;   /* TN_NONE while standard input is not watched */
    uint32_t quit_len;      /* characters of QUIT seen in this line, or NOT_QUIT */
    uint32_t asked;         /* how often it was asked to end */
    struct tn_cli_scratch scratch;
};

/* Of fixed size and large: too large for a stack. */
static struct tn_server the_server;
static struct program the_program;

static const char *const reason_names[TN_REASONS] = {
    [TN_BY_PEER] = "peer",   [TN_BY_CALLER] = "caller",         [TN_BY_RESET] = "reset",
    [TN_BY_FRAME] = "frame", [TN_BY_TRUNCATION] = "truncation", [TN_BY_IDLE] = "idle",
    [TN_BY_DRAIN] = "drain",
};

/* Arguments are printed as they came but for what would break the line. */
static void put_word(const char *word, const char *end)
{
    if (word == NULL) {
        return;
    }
    for (; *word != '\0'; word++) {
        (void)fputc((unsigned char)*word < ' ' || *word == 127 ? '?' : *word, stderr);
    }
    (void)fputs(end, stderr);
}

void tn_cli_complain(const struct tn_cli_complaint *c)
{
    (void)fputs("tenon: ", stderr);
    put_word(c->option, c->value != NULL ? " " : ": ");
    put_word(c->value, ": ");
    (void)fprintf(stderr, "%s\n", c->why);
}

static int fail(const char *option, const char *value, int32_t result)
{
    struct tn_cli_complaint c = {option, value, NULL};

    c.why = result == TN_ESYSTEM ? strerror(errno) : tn_strerror(result);
    tn_cli_complain(&c);
    return result == TN_EADDRESS ? TN_CLI_MISUSED : TN_CLI_FAILED;
}

/* Each connection is a descriptor.  Where the hard limit is too low, accepting
 * pauses when it is reached. */
static void raise_limit(uint32_t connections)
{
    rlim_t needed = (rlim_t)connections + TN_LISTENERS + TN_WATCHES + OTHER_DESCRIPTORS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < needed) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Socket files go when listening ends, not when the program does: by then
 * another server may have put its own in their place. */
static void remove_socket_files(const struct tn_cli_arguments *a, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        tn_listen_remove(a->listen[i]);
    }
}

static void drain(struct program *p, struct tn_server *s)
{
    if (p->asked == 0) {
        remove_socket_files(p->a, p->a->listeners);
        tn_drain(s, (int32_t)p->a->drain_ms);
    }
    p->asked++;
}

static void take_signals(struct program *p, struct tn_server *s)
{
    while (tn_signals_take(p->signals) != 0) {
        drain(p, s);
    }
}

/* Follows the line; returns 1 at the end of one that says quit. */
static int feed_quit(struct program *p, char c)
{
    if (c == '\n') {
        int said = p->quit_len == sizeof QUIT - 1;

        p->quit_len = 0;
        return said;
    }
    if (p->quit_len < sizeof QUIT - 1 && c == QUIT[p->quit_len]) {
        p->quit_len++;
    } else if (!(c == '\r' && p->quit_len == sizeof QUIT - 1)) {
        p->quit_len = NOT_QUIT;
    }
    return 0;
}

static void read_stdin(struct program *p, struct tn_server *s)
{
    char text[256];
    ssize_t n = read(STDIN_FILENO, text, sizeof text);

    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
        (void)tn_unwatch(s, p->stdin_watch); /* it will not say quit any more */
        p->stdin_watch = TN_NONE;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (feed_quit(p, text[i])) {
            drain(p, s);
        }
    }
}

static void tell(const struct program *p, const struct tn_event *ev)
{
    if (!p->a->verbose) {
        return;
    }
    if (ev->type == TN_OPENED) {
        (void)fprintf(stderr, "opened %" PRIu32 ".%" PRIu32 "\n", ev->conn.slot, ev->conn.gen);
    } else if (ev->type == TN_CLOSED) {
        (void)fprintf(stderr, "closed %" PRIu32 ".%" PRIu32 " by %s\n", ev->conn.slot, ev->conn.gen,
                      ev->reason < TN_REASONS ? reason_names[ev->reason] : "?");
    }
}

/* The loop.  Returns TN_EOF in the end, or TN_ESYSTEM. */
static int32_t run(struct program *p, struct tn_server *s)
{
    struct tn_event ev;
    int32_t result = 1;

    while (p->asked < 2 && (result = tn_next(s, &ev, TN_FOREVER)) >= 0) {
        if (result == 0) {
            continue;
        }
        if (ev.type == TN_FRAME) {
            tn_cli_answer(p->a->service, s, &ev, &p->scratch);
        } else if (ev.type != TN_READY) {
            tell(p, &ev);
        } else if (ev.watch == p->signals_watch) {
            take_signals(p, s);
        } else {
            read_stdin(p, s);
        }
    }
    return p->asked < 2 ? result : TN_EOF;
}

static void print_totals(const struct tn_counters *c)
{
    (void)printf("totals accepted %" PRId64 " frames %" PRId64 " sent %" PRId64 " bytes-in %" PRId64
                 " bytes-out %" PRId64,
                 c->accepted, c->frames, c->sent, c->bytes_in, c->bytes_out);
    for (uint32_t r = 0; r < TN_REASONS; r++) {
        (void)printf(" by-%s %" PRId64, reason_names[r], c->closed[r]);
    }
    (void)printf(" wakeups %" PRId64 " accept-pauses %" PRId64 " parked %" PRId64 "\n", c->wakeups,
                 c->accept_pauses, c->parked);
    (void)fflush(stdout);
}

/* Starts to watch signals and, if it is a terminal or asked for, standard
 * input.  Returns 1 or an exit status as a negative number. */
static int watch_commands(struct program *p, struct tn_server *s)
{
    int32_t w;

    p->signals = tn_signals_open();
    w = p->signals >= 0 ? tn_watch(s, p->signals) : p->signals;
    if (w < 0) {
        return -fail("signals", NULL, w);
    }
    p->signals_watch = (uint32_t)w;
    p->stdin_watch = TN_NONE;
    if (!p->a->from_stdin && !isatty(STDIN_FILENO)) {
        return 1;
    }
    /* Reading in the background then fails instead of stopping the server. */
    (void)signal(SIGTTIN, SIG_IGN);
    w = tn_watch(s, STDIN_FILENO);
    if (w == TN_ESYSTEM) {
        errno = ENOTSUP; /* a file, which is always ready, cannot be waited for */
    }
    if (w < 0) {
        return -fail("--stdin", NULL, w);
    }
    p->stdin_watch = (uint32_t)w;
    return 1;
}

/* Opens all listeners and prints their lines when all are ready.  Returns 1 or
 * an exit status as a negative number. */
static int listen_everywhere(const struct tn_cli_arguments *a, struct tn_server *s)
{
    static char bound[TN_LISTENERS][TN_ADDRESS_LEN];
    uint32_t built;

    for (uint32_t i = 0; i < a->listeners; i++) {
        int32_t fd = tn_listen_open(a->listen[i], 0, bound[i]);
        int32_t result = fd >= 0 ? tn_listen(s, fd) : fd;

        if (result < 0) {
            remove_socket_files(a, fd >= 0 ? i + 1 : i);
            return -fail("--listen", a->listen[i], result);
        }
    }
    for (uint32_t i = 0; i < a->listeners; i++) {
        (void)printf("listening %s model %s service %s framing %s pid %ld\n", bound[i],
                     tn_cli_model_name(a->model, &built), tn_cli_service_name(a->service),
                     tn_cli_framing_name(a->framing), (long)getpid());
    }
    (void)fflush(stdout);
    return 1;
}

int tn_cli_serve(const struct tn_cli_arguments *a)
{
    struct tn_options options = {0};
    int32_t result;
    int status;

    the_program.a = a;
    raise_limit(a->max_connections);
    options.connections = a->max_connections;
    options.framing = a->framing;
    options.frame_max = a->frame_max;
    options.idle_ms = a->idle_ms;
    result = tn_init(&the_server, &options);
    if (result < 0) {
        return fail("serve", NULL, result);
    }
    status = watch_commands(&the_program, &the_server);
    status = status > 0 ? listen_everywhere(a, &the_server) : status;
    if (status < 0) {
        tn_fini(&the_server);
        return -status;
    }
    result = run(&the_program, &the_server);
    tn_fini(&the_server);
    if (result != TN_EOF) {
        remove_socket_files(a, the_program.asked == 0 ? a->listeners : 0);
        return fail("serve", NULL, result);
    }
    print_totals(&the_server.counters);
    return TN_CLI_DONE;
}
