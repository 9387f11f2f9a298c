/* A complete echo server with the pull API: echo [PORT].
 *
 * It listens on PORT of 127.0.0.1 (0 or none: a free one), prints the address,
 * answers every line, and drains on SIGTERM or SIGINT. */
#include "tenon.h"

#include <stdio.h>

static struct tn_server server; /* of fixed size, and large: not on the stack */

static int failed(const char *what, int32_t result)
{
    fprintf(stderr, "echo: %s: %s\n", what, tn_strerror(result));
    return 1;
}

int main(int argc, char **argv)
{
    struct tn_options options = {.framing = TN_LINE}; /* the rest by default */
    struct tn_event ev;
    char address[32], bound[TN_ADDRESS_LEN];
    int32_t result, signals, fd;

    snprintf(address, sizeof address, "127.0.0.1:%s", argc > 1 ? argv[1] : "0");
    if ((result = tn_init(&server, &options)) < 0)
        return failed("init", result);
    if ((signals = tn_signals_open(TN_SIGNAL_INT | TN_SIGNAL_TERM)) < 0 ||
        (result = tn_watch(&server, signals)) < 0)
        return failed("signals", signals < 0 ? signals : result);
    if ((fd = tn_listen_open(address, 0, bound)) < 0 || (result = tn_listen(&server, fd)) < 0)
        return failed(address, fd < 0 ? fd : result);
    printf("%s\n", bound);
    fflush(stdout);

    while ((result = tn_next(&server, &ev, TN_FOREVER)) >= 0) {
        if (result > 0 && ev.type == TN_FRAME)
            tn_send(&server, ev.conn, ev.data, ev.len);
        else if (result > 0 && ev.type == TN_READY && tn_signals_take(signals) != 0)
            tn_drain(&server, 5000);
    }
    tn_fini(&server);
    return result == TN_EOF ? 0 : failed("serve", result);
}
