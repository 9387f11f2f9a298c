#define _GNU_SOURCE
#include "cli/serve.h"

#include <sys/resource.h>

/* Descriptors beside the connections, listeners and watches: standard ones,
 * the poller, and a few that were inherited. */
#define OTHER_DESCRIPTORS 16u

static struct tn_cli_start the_start;

/* Each connection is a descriptor.  Where the hard limit is too low, accepting
 * pauses when it is reached; so it does where select cannot be asked about more,
 * and nobody is accepted only to be closed. */
static void set_limit(uint32_t connections, uint32_t model)
{
    rlim_t needed = (rlim_t)connections + TN_LISTENERS + TN_WATCHES + OTHER_DESCRIPTORS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    if (limit.rlim_cur < needed) {
        limit.rlim_cur = limit.rlim_max;
    }
    if (model == TN_CLI_SELECT && limit.rlim_cur > TN_SELECT_FDS) {
        limit.rlim_cur = TN_SELECT_FDS;
    }
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void remove_first(const struct tn_cli_arguments *a, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        tn_listen_remove(a->listen[i]);
    }
}

void tn_cli_remove_socket_files(const struct tn_cli_arguments *a)
{
    remove_first(a, a->listeners);
}

/* Engines in processes of their own: each has its own listeners. */
static uint32_t has_engines(const struct tn_cli_arguments *a)
{
    return a->workers > 0 && !tn_cli_model_is_flow(a->model);
}

void tn_cli_close_listeners(struct tn_cli_start *start, uint32_t but)
{
    const uint32_t each = has_engines(start->a) ? start->a->workers : 1;

    for (uint32_t i = 0; i < start->a->listeners; i++) {
        for (uint32_t w = 0; w < each; w++) {
            if (w != but) {
                tn_sys_close(start->listener[i][w]);
            }
        }
    }
}

/* Opens all listeners.  Returns 1, or an exit status as a negative number. */
static int listen_everywhere(struct tn_cli_start *start)
{
    const struct tn_cli_arguments *a = start->a;

    for (uint32_t i = 0; i < a->listeners; i++) {
        int32_t result;

        if (has_engines(a)) {
            result = tn_listen_open_many(a->listen[i], 0, start->bound[i], start->listener[i],
                                         a->workers);
        } else {
            result = tn_listen_open(a->listen[i], 0, start->bound[i]);
            start->listener[i][0] = result;
        }
        if (result < 0) {
            remove_first(a, i);
            return -tn_cli_fail("--listen", a->listen[i], result);
        }
    }
    return 1;
}

int tn_cli_serve(const struct tn_cli_arguments *a)
{
    int32_t result;
    int status;

    the_start.a = a;
    set_limit(a->max_connections + a->listeners * a->workers, a->model);
    result = tn_cli_commands_open(&the_start.commands, a);
    if (result < 0) {
        return tn_cli_fail("signals", NULL, result);
    }
    status = listen_everywhere(&the_start);
    if (status < 0) {
        return -status;
    }
    return a->workers > 0 || tn_cli_model_is_flow(a->model) ? tn_cli_serve_flows(&the_start)
                                                            : tn_cli_serve_events(&the_start);
}
