#define _GNU_SOURCE
#include "cli/commands.h"

#include "os/signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* How far a line of standard input agrees with `quit`. */
#define QUIT "quit"
#define NOT_QUIT 0xffu

/* Under nohup, a hang-up is nothing to end at. */
static uint32_t ending_signals(void)
{
    const uint32_t asked = TN_SIGNAL_INT | TN_SIGNAL_TERM;
    struct sigaction hangup;

    return sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN
               ? asked
               : asked | TN_SIGNAL_HUP;
}

int32_t tn_cli_commands_open(struct tn_cli_commands *c, const struct tn_cli_arguments *a)
{
    c->signals = tn_signals_open(ending_signals());
    c->input = a->from_stdin || isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
    c->quit_len = 0;
    c->asked = 0;
    if (c->input >= 0) {
        /* Reading in the background then fails instead of stopping the server. */
        (void)signal(SIGTTIN, SIG_IGN);
    }
    return c->signals < 0 ? c->signals : 1;
}

/* Follows the line; returns 1 at the end of one that says quit. */
static uint32_t feed_quit(struct tn_cli_commands *c, char byte)
{
    if (byte == '\n') {
        const uint32_t said = c->quit_len == sizeof QUIT - 1;

        c->quit_len = 0;
        return said;
    }
    if (c->quit_len < sizeof QUIT - 1 && byte == QUIT[c->quit_len]) {
        c->quit_len++;
    } else if (!(byte == '\r' && c->quit_len == sizeof QUIT - 1)) {
        c->quit_len = NOT_QUIT;
    }
    return 0;
}

static void read_input(struct tn_cli_commands *c)
{
    char text[256];
    const ssize_t n = read(STDIN_FILENO, text, sizeof text);

    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
        c->input = -1; /* it will not say quit any more */
    }
    for (ssize_t i = 0; i < n; i++) {
        c->asked += feed_quit(c, text[i]);
    }
}

/* A terminal that goes away may hang up twice, by its shell and by itself: that
 * asks once. */
static void take_signals(struct tn_cli_commands *c)
{
    int32_t signal;

    while ((signal = tn_signals_take(c->signals)) != 0) {
        if (signal != TN_SIGNAL_HUP || c->asked == 0) {
            c->asked++;
        }
    }
}

void tn_cli_commands_take(struct tn_cli_commands *c, int32_t fd)
{
    if (fd != c->signals) {
        read_input(c);
    } else {
        take_signals(c);
    }
}
