/* The command line, parsed.  Pure: no system call, nothing printed. */
#ifndef TN_CLI_ARGUMENTS_H
#define TN_CLI_ARGUMENTS_H

#include "serve/server.h"

enum tn_cli_command { TN_CLI_SERVE, TN_CLI_MODELS, TN_CLI_HELP, TN_CLI_VERSION };

/* The concurrency models, in the order of `tenon models`. */
enum tn_cli_model {
    TN_CLI_BLOCKING,
    TN_CLI_POLLING,
    TN_CLI_SELECT,
    TN_CLI_POLL,
    TN_CLI_EPOLL,
    TN_CLI_EPOLL_ET,
    TN_CLI_URING,
    TN_CLI_FORK,
    TN_CLI_PREFORK,
    TN_CLI_THREAD,
    TN_CLI_THREAD_POOL,
    TN_CLI_PROCESS_POOL,
    TN_CLI_COROUTINE,
    TN_CLI_MODELS_KNOWN
};

/* Drain so long on request before the rest is closed by force. */
#define TN_CLI_DRAIN_MS 5000u

/* Processes that --workers may ask for. */
#define TN_CLI_WORKERS_MAX 64u

/* Durations end here, at 24 days: they are passed on as int32_t. */
#define TN_CLI_DURATION_MAX 2147483647u

struct tn_cli_arguments {
    uint32_t command;                 /* enum tn_cli_command */
    const char *listen[TN_LISTENERS]; /* addresses, not yet looked at */
    uint32_t listeners;               /* 1 .. TN_LISTENERS */
    uint32_t model;                   /* enum tn_cli_model, one that is built */
    uint32_t service;                 /* enum tn_cli_service */
    uint32_t framing;                 /* enum tn_framing */
    uint32_t workers;                 /* processes of a fixed number; 0: none of these */
    uint32_t max_connections;         /* 1 .. TN_CONNECTIONS */
    uint32_t frame_max;               /* 1 .. TN_FRAME_MAX */
    uint32_t idle_ms;                 /* 0: never */
    uint32_t read_ms;                 /* 0: as idle */
    uint32_t write_ms;                /* 0: as idle */
    uint32_t drain_ms;
    uint32_t from_stdin; /* 1: a line `quit` on standard input ends the server */
    uint32_t verbose;
};

/* What is wrong with a command line: `option value: why`.  option and value
 * may be null; they point into argv or at constants. */
struct tn_cli_complaint {
    const char *option;
    const char *value;
    const char *why;
};

/* Parses argv[1 .. argc - 1].  Returns 1, or TN_EINVAL and fills *c. */
int32_t tn_cli_parse(struct tn_cli_arguments *a, int argc, const char *const *argv,
                     struct tn_cli_complaint *c);

/* The word of framing f; null beyond the last. */
const char *tn_cli_framing_name(uint32_t f);

/* The event model (enum tn_model) that m is; TN_NONE if it is none. */
uint32_t tn_cli_event_model(uint32_t m);

/* The word of model m of all that there are, and 1 in *built if this build has it; null beyond the
 * last. */
const char *tn_cli_model_name(uint32_t m, uint32_t *built);

/* Whether model m has a flow of control for each client: 1, or 0 if it is driven
 * by events. */
uint32_t tn_cli_model_is_flow(uint32_t m);

#endif
