#include "cli/arguments.h"

#include "cli/chat.h"
#include "cli/services.h"
#include "dispatch/dispatch.h"

#include <string.h>

static const char *const framing_names[] = {"raw", "line", "u32", "netstring", "varint", NULL};

/* In the order of enum tn_cli_model. */
static const char *const model_names[] = {
    "blocking", "polling", "select", "poll",        "epoll",        "epoll-et",  "uring",
    "fork",     "prefork", "thread", "thread-pool", "process-pool", "coroutine", NULL};

/* Those that this build has, beside the event models. */
static const uint8_t model_built[TN_CLI_MODELS_KNOWN] = {
    [TN_CLI_BLOCKING] = 1, [TN_CLI_FORK] = 1,        [TN_CLI_THREAD] = 1,
    [TN_CLI_PREFORK] = 1,  [TN_CLI_THREAD_POOL] = 1, [TN_CLI_PROCESS_POOL] = 1,
};

/* What select is asked about beside connections: listeners, signals, standard
 * input; and the standard descriptors, which take numbers. */
#define SELECT_OTHERS (TN_LISTENERS + TN_WATCHES + 3u)
#define SELECT_CONNECTIONS (TN_SELECT_FDS - SELECT_OTHERS)

static const char NOT_BUILT[] = "not available in this build";
static const char NOT_A_DURATION[] = "not a duration such as 500ms, 5s or 2m";

enum option {
    OPTION_MODEL,
    OPTION_LISTEN,
    OPTION_SERVICE,
    OPTION_FRAMING,
    OPTION_WORKERS,
    OPTION_MAX_CONNECTIONS,
    OPTION_IDLE_TIMEOUT,
    OPTION_READ_TIMEOUT,
    OPTION_WRITE_TIMEOUT,
    OPTION_DRAIN_TIMEOUT,
    OPTION_FRAME_MAX,
    OPTION_LAST_WITH_VALUE = OPTION_FRAME_MAX,
    OPTION_STDIN,
    OPTION_VERBOSE,
    OPTION_HELP
};

static const char *const option_names[] = {
    "--model",           "--listen",       "--service",      "--framing",       "--workers",
    "--max-connections", "--idle-timeout", "--read-timeout", "--write-timeout", "--drain-timeout",
    "--frame-max",       "--stdin",        "--verbose",      "--help",          NULL};

const char *tn_cli_framing_name(uint32_t f)
{
    return f <= TN_VARINT ? framing_names[f] : NULL;
}

uint32_t tn_cli_event_model(uint32_t m)
{
    switch (m) {
    case TN_CLI_POLLING:
        return TN_POLLING;
    case TN_CLI_SELECT:
        return TN_SELECT;
    case TN_CLI_POLL:
        return TN_POLL;
    case TN_CLI_EPOLL:
        return TN_EPOLL;
    case TN_CLI_EPOLL_ET:
        return TN_EPOLL_ET;
    default:
        return TN_NONE;
    }
}

static uint32_t is_built(uint32_t m)
{
    uint32_t event = tn_cli_event_model(m);

    return event != TN_NONE ? tn_poller_has(event) : model_built[m];
}

const char *tn_cli_model_name(uint32_t m, uint32_t *built)
{
    if (m >= TN_CLI_MODELS_KNOWN) {
        return NULL;
    }
    *built = is_built(m);
    return model_names[m];
}

uint32_t tn_cli_model_is_flow(uint32_t m)
{
    return m == TN_CLI_BLOCKING || (m >= TN_CLI_FORK && m <= TN_CLI_PROCESS_POOL);
}

/* The index of the first len bytes of word in a list that ends with null;
 * TN_NONE if they are not in it. */
static uint32_t find(const char *const *list, const char *word, size_t len)
{
    for (uint32_t i = 0; list[i] != NULL; i++) {
        if (strlen(list[i]) == len && memcmp(list[i], word, len) == 0) {
            return i;
        }
    }
    return TN_NONE;
}

/* The digits that text begins with, as a number of at most max; *end is where
 * they end.  Returns 0 if there are none or they say more. */
static int take_number(const char *text, uint32_t max, uint32_t *value, const char **end)
{
    uint64_t v = 0;

    *end = text;
    while (**end >= '0' && **end <= '9') {
        v = v * 10 + (uint64_t)(**end - '0');
        if (v > max) {
            return 0;
        }
        ++*end;
    }
    *value = (uint32_t)v;
    return *end != text;
}

/* 1 .. max. */
static int parse_count(const char *text, uint32_t max, uint32_t *value)
{
    const char *end;

    return take_number(text, max, value, &end) && *end == '\0' && *value > 0;
}

/* 500ms, 5s, 2m, 1h; 0 needs no unit. */
static int parse_duration(const char *text, uint32_t *ms)
{
    static const char *const units[] = {"ms", "s", "m", "h", NULL};
    static const uint32_t unit_ms[] = {1, 1000, 60000, 3600000};
    const char *end;
    uint32_t value, unit;

    if (!take_number(text, TN_CLI_DURATION_MAX, &value, &end)) {
        return 0;
    }
    if (value == 0 && *end == '\0') {
        *ms = 0;
        return 1;
    }
    unit = find(units, end, strlen(end));
    if (unit == TN_NONE || value > TN_CLI_DURATION_MAX / unit_ms[unit]) {
        return 0;
    }
    *ms = value * unit_ms[unit];
    return 1;
}

/* Puts the value of a word option where it belongs; null, or why not. */
static const char *set_model(struct tn_cli_arguments *a, const char *value)
{
    a->model = find(model_names, value, strlen(value));
    if (a->model == TN_NONE) {
        return "no such model: try tenon models";
    }
    return is_built(a->model) ? NULL : NOT_BUILT;
}

static const char *set_service(struct tn_cli_arguments *a, const char *value)
{
    for (a->service = 0; tn_cli_service_name(a->service) != NULL; a->service++) {
        if (strcmp(tn_cli_service_name(a->service), value) == 0) {
            return NULL;
        }
    }
    return "not echo, upper, thanks, discard or chat";
}

static const char *set_framing(struct tn_cli_arguments *a, const char *value)
{
    a->framing = find(framing_names, value, strlen(value));
    return a->framing != TN_NONE ? NULL : "not raw, line, u32, netstring or varint";
}

static const char *add_listener(struct tn_cli_arguments *a, const char *value)
{
    if (a->listeners == TN_LISTENERS) {
        return "too many addresses";
    }
    a->listen[a->listeners] = value;
    a->listeners++;
    return NULL;
}

static const char *set_value(struct tn_cli_arguments *a, uint32_t option, const char *value)
{
    switch (option) {
    case OPTION_MODEL:
        return set_model(a, value);
    case OPTION_LISTEN:
        return add_listener(a, value);
    case OPTION_SERVICE:
        return set_service(a, value);
    case OPTION_FRAMING:
        return set_framing(a, value);
    case OPTION_WORKERS:
        return parse_count(value, TN_CLI_WORKERS_MAX, &a->workers)
                   ? NULL
                   : "not a number of processes from 1 to 64";
    case OPTION_MAX_CONNECTIONS:
        return parse_count(value, TN_CONNECTIONS, &a->max_connections)
                   ? NULL
                   : "not a number of connections, or too many for this build";
    case OPTION_IDLE_TIMEOUT:
        return parse_duration(value, &a->idle_ms) ? NULL : NOT_A_DURATION;
    case OPTION_READ_TIMEOUT:
        return parse_duration(value, &a->read_ms) ? NULL : NOT_A_DURATION;
    case OPTION_WRITE_TIMEOUT:
        return parse_duration(value, &a->write_ms) ? NULL : NOT_A_DURATION;
    case OPTION_DRAIN_TIMEOUT:
        return parse_duration(value, &a->drain_ms) ? NULL : NOT_A_DURATION;
    case OPTION_FRAME_MAX:
        return parse_count(value, TN_FRAME_MAX, &a->frame_max)
                   ? NULL
                   : "not a number of bytes, or too many for this build";
    default:
        return NOT_BUILT;
    }
}

static void set_flag(struct tn_cli_arguments *a, uint32_t option)
{
    switch (option) {
    case OPTION_STDIN:
        a->from_stdin = 1;
        break;
    case OPTION_VERBOSE:
        a->verbose = 1;
        break;
    default:
        a->command = TN_CLI_HELP;
        break;
    }
}

static int32_t complain(struct tn_cli_complaint *c, const char *option, const char *value,
                        const char *why)
{
    c->option = option;
    c->value = value;
    c->why = why;
    return TN_EINVAL;
}

/* One option, as `--name value`, `--name=value` or `--name`; *i stands at it
 * and is moved to its last word. */
static int32_t parse_option(struct tn_cli_arguments *a, int argc, const char *const *argv, int *i,
                            struct tn_cli_complaint *c)
{
    const char *word = argv[*i];
    const char *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    uint32_t option = find(option_names, word, len);
    const char *value, *why;

    if (option == TN_NONE) {
        return complain(c, word, NULL, word[0] == '-' ? "unknown option" : "unexpected argument");
    }
    if (option > OPTION_LAST_WITH_VALUE) {
        if (equals != NULL) {
            return complain(c, word, NULL, "takes no value");
        }
        set_flag(a, option);
        return 1;
    }
    value = equals != NULL ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
    if (value == NULL) {
        return complain(c, option_names[option], NULL, "needs a value");
    }
    why = set_value(a, option, value);
    return why == NULL ? 1 : complain(c, option_names[option], value, why);
}

static void set_defaults(struct tn_cli_arguments *a)
{
    memset(a, 0, sizeof *a);
    a->command = TN_CLI_SERVE;
    a->model = TN_CLI_EPOLL;
    a->service = TN_CLI_ECHO;
    a->framing = TN_RAW;
    a->frame_max = TN_FRAME_MAX;
    a->drain_ms = TN_CLI_DRAIN_MS;
}

/* The most connections that there can be at a time. */
static uint32_t most_connections(const struct tn_cli_arguments *a)
{
    if (tn_cli_model_is_flow(a->model)) {
        return TN_CHILDREN;
    }
    if (a->service == TN_CLI_CHAT) {
        return TN_CLI_CHAT_MEMBERS; /* fewer than select can have */
    }
    return a->model == TN_CLI_SELECT ? SELECT_CONNECTIONS : TN_CONNECTIONS;
}

/* The most connections at a time: the default, or as many as the model can
 * have. */
static int32_t settle_connections(struct tn_cli_arguments *a, struct tn_cli_complaint *c)
{
    const uint32_t most = most_connections(a);
    const uint32_t flow = tn_cli_model_is_flow(a->model);
    const uint32_t pool = a->model == TN_CLI_PREFORK || a->model == TN_CLI_PROCESS_POOL ||
                          a->model == TN_CLI_THREAD_POOL;

    if (pool && a->max_connections != 0) {
        return complain(c, "--max-connections", NULL, "is what --workers says in this model");
    }
    if (pool) {
        a->workers = a->workers == 0 ? TN_DEFAULT_WORKERS : a->workers;
        a->max_connections = a->workers;
    } else if (flow && a->workers != 0) {
        return complain(c, "--workers", NULL,
                        "this model has no fixed number of processes or threads");
    }
    if (a->max_connections == 0) {
        a->max_connections = flow ? TN_DEFAULT_AT_ONCE : TN_DEFAULT_CONNECTIONS;
        if (a->max_connections > most) {
            a->max_connections = most;
        }
    }
    if (a->max_connections > most) {
        return complain(c, "--max-connections", NULL,
                        "more than this model or service can have at a time");
    }
    return 1;
}

/* Whether the service can do with what else was asked for. */
static int32_t settle_service(const struct tn_cli_arguments *a, struct tn_cli_complaint *c)
{
    if (a->service == TN_CLI_THANKS && a->frame_max < TN_CLI_THANKS_LEN) {
        return complain(c, "--frame-max", NULL, "too small for the answer of --service thanks");
    }
    if (a->service == TN_CLI_CHAT && tn_cli_model_is_flow(a->model)) {
        return complain(c, "--service", NULL, "chat needs an event model: epoll, poll, ...");
    }
    if (a->service == TN_CLI_CHAT && a->workers != 0) {
        return complain(c, "--workers", NULL,
                        "--service chat is one process: its members hear each other");
    }
    return 1;
}

static int32_t parse_serve(struct tn_cli_arguments *a, int argc, const char *const *argv,
                           struct tn_cli_complaint *c)
{
    for (int i = 2; i < argc; i++) {
        int32_t result = parse_option(a, argc, argv, &i, c);

        if (result != 1) {
            return result;
        }
    }
    if (a->listeners == 0) {
        (void)add_listener(a, "127.0.0.1:9999");
    }
    return settle_service(a, c) == 1 ? settle_connections(a, c) : TN_EINVAL;
}

int32_t tn_cli_parse(struct tn_cli_arguments *a, int argc, const char *const *argv,
                     struct tn_cli_complaint *c)
{
    static const char *const commands[] = {"serve", "models", "--help", "--version", NULL};

    set_defaults(a);
    if (argc < 2) {
        return complain(c, NULL, NULL, "no command: try tenon --help");
    }
    a->command = find(commands, argv[1], strlen(argv[1]));
    if (a->command == TN_NONE) {
        return complain(c, argv[1], NULL, "unknown command: try tenon --help");
    }
    if (a->command == TN_CLI_SERVE) {
        return parse_serve(a, argc, argv, c);
    }
    return argc == 2 ? 1 : complain(c, argv[2], NULL, "unexpected argument");
}
