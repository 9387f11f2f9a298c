/* A complete echo server with the pull API: echo [PORT].
 *
 * It listens on PORT of 127.0.0.1 (0 or none: a free one), prints the address,
 * answers every line, and drains on SIGTERM or SIGINT.
 *
 * The functions above main are proved, as code on top of the kit can be: they make
 * no call that its contract forbids, and answer every frame once, in order. */
#include "tenon.h"

/* Makes a server that listens at listener and watches signals. */
/*@ requires room:  \valid(s);
    requires model: k_inv;
    requires none:  \forall integer f; 0 <= f < TN_SYS_FDS ==> k_open[f] != 1 && k_reg[f] == 0;
    requires given: k_number(listener) && k_open[listener] == 2 && k_number(signals) &&
                    k_open[signals] == 2 && listener != signals;
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok:     \result >= 0 ==> tn_server_ok(s) && s->framing == TN_LINE;
*/
static int32_t open_server(struct tn_server *s, int32_t listener, int32_t signals)
{
    const struct tn_options options = {.framing = TN_LINE}; /* the rest by default */
    int32_t result = tn_init(s, &options);

    if (result < 0)
        return result;
    result = tn_watch(s, signals);
    return result < 0 ? result : tn_listen(s, listener);
}

/* Answers a frame with itself: behind all that was promised to its sender before,
 * whole, and in one piece. */
/*@ requires ok:    tn_server_ok(s);
    requires room:  \valid_read(ev) && \separated(ev, s);
    requires frame: ev->type == TN_FRAME && tn_event_ok(s, *ev) && tn_frame_ok(s, *ev);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok:       tn_server_ok(s);
    ensures answered: \result == 1;
    ensures once:     k_log[\old(s->table.fd[ev->conn.slot])] ==
                      \old(k_log[s->table.fd[ev->conn.slot]]) +
                          tn_frame_before(s->framing, ev->len) + ev->len +
                          tn_frame_after(s->framing);
    ensures in_order: \old(tn_carried(ev->data, ev->len, s->table.fd[ev->conn.slot],
                                      k_inc[s->table.fd[ev->conn.slot]],
                                      k_log[s->table.fd[ev->conn.slot]] +
                                          tn_frame_before(s->framing, ev->len)));
*/
static int32_t answer(struct tn_server *s, const struct tn_event *ev)
{
    return tn_send(s, ev->conn, ev->data, ev->len);
}

/* Serves until a drain has ended: TN_EOF, or TN_ESYSTEM.  No frame is owed an
 * answer when it asks for the next event. */
/*@ requires ok:   tn_server_ok(s);
    terminates \false; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok:    tn_server_ok(s);
    ensures ended: \result == TN_EOF || \result == TN_ESYSTEM;
    ensures end:   \result == TN_EOF ==> s->table.slots.live == 0;
*/
static int32_t serve_lines(struct tn_server *s, int32_t signals)
{
    struct tn_event ev;
    int32_t result;
    //@ ghost int32_t owed = 0;

    /*@ loop invariant ok:       tn_server_ok(s);
        loop invariant answered: owed == 0;
        loop assigns ev, result, owed, *s, TN_KERNEL_STATE;
    */
    while ((result = tn_next(s, &ev, TN_FOREVER)) >= 0) {
        //@ ghost owed = owed + (result == 1 && ev.type == TN_FRAME ? 1 : 0);
        if (result == 1 && ev.type == TN_FRAME) {
            result = answer(s, &ev);
            //@ ghost owed = owed - result;
        } else if (result == 1 && ev.type == TN_READY && tn_signals_take(signals) != 0) {
            tn_drain(s, 5000);
        }
    }
    return result;
}

/* The rest sets things up and prints; the provers do not read it. */
#ifndef __FRAMAC__
#include <stdio.h>

static struct tn_server server; /* of fixed size, and large: not on the stack */

static int failed(const char *what, int32_t result)
{
    fprintf(stderr, "echo: %s: %s\n", what, tn_strerror(result));
    return 1;
}

int main(int argc, char **argv)
{
    char address[32], bound[TN_ADDRESS_LEN];
    int32_t result, signals, listener;

    snprintf(address, sizeof address, "127.0.0.1:%s", argc > 1 ? argv[1] : "0");
    if ((signals = tn_signals_open(TN_SIGNAL_INT | TN_SIGNAL_TERM)) < 0)
        return failed("signals", signals);
    if ((listener = tn_listen_open(address, 0, bound)) < 0)
        return failed(address, listener);
    if ((result = open_server(&server, listener, signals)) < 0)
        return failed("start", result);
    printf("%s\n", bound);
    fflush(stdout);
    result = serve_lines(&server, signals);
    tn_fini(&server);
    return result == TN_EOF ? 0 : failed("serve", result);
}
#endif
