/* One service under any sequential model: sessions [MODEL [PORT]].
 *
 * It echoes lines on PORT of 127.0.0.1 (0 or none: a free one), each client in a flow
 * of control of its own, as MODEL says: blocking, fork, thread (by default),
 * thread-pool, prefork or process-pool.  SIGTERM and SIGINT drain it.
 *
 * The session is proved, as code on top of the kit can be: it makes no call that its
 * contract forbids, and answers every frame once, in order, unless the connection
 * breaks. */
#include "tenon.h"

/* Answers a message with itself: behind all that was promised before, whole, and in
 * one piece. */
/*@ requires ok:      tn_stream_ok(s);
    requires message: \valid_read(m) && tn_message_ok(s, m);
    requires apart:   \separated(m, s, s->orders, s->counters);
    terminates \false; exits \false;
    assigns s->state, s->reason, s->active_ms, s->buffer.out_head, s->buffer.out_len,
            s->buffer.out[0 .. TN_OUT_CAP - 1], *s->counters, TN_HEEDED(s->orders);
    ensures ok:       tn_stream_ok(s) && tn_stream_same{Pre, Post}(s);
    ensures answered: \result == 1 || s->state == TN_STREAM_BROKEN;
    ensures once:     \result == 1 ==> k_log[s->fd] == \old(k_log[s->fd]) +
                      tn_frame_before(s->framing, m->len) + m->len + tn_frame_after(s->framing);
    ensures in_order: \result == 1 ==> \forall integer i; 0 <= i < m->len ==>
                      log_at(s->fd, k_inc[s->fd], \old(k_log[s->fd]) +
                             tn_frame_before(s->framing, m->len) + i) == m->data[i];
*/
static int32_t reply_with(struct tn_stream *s, const struct tn_message *m)
{
    return tn_stream_send(s, m->data, m->len, TN_NEVER);
}

/* Reads message after message into *m and answers each.  None is owed an answer when
 * it asks for the next, nor in the end. */
/*@ requires ok:      tn_stream_ok(s);
    requires room:    \valid(m) && \separated(m, s, s->orders, s->counters);
    terminates \false; exits \false;
    assigns *m, s->state, s->reason, s->peer_finished, s->off, s->scanned, s->active_ms,
            s->buffer, *s->counters, TN_HEEDED(s->orders);
    ensures ok:       tn_stream_ok(s) && tn_stream_same{Pre, Post}(s);
    ensures ended:    s->state >= TN_STREAM_SPENT;
*/
static void answer_all(struct tn_stream *s, struct tn_message *m)
{
    //@ ghost int32_t owed = 0;

    /*@ loop invariant ok:       tn_stream_ok(s);
        loop invariant same:     tn_stream_same{Pre, Here}(s);
        loop invariant answered: owed == 0 || s->state == TN_STREAM_BROKEN;
        loop assigns *m, owed, s->state, s->reason, s->peer_finished, s->off, s->scanned,
                     s->active_ms, s->buffer, *s->counters, TN_HEEDED(s->orders);
    */
    while (tn_stream_read(s, m, TN_NEVER) == 1) {
        //@ ghost owed = 1;
        const int32_t r = reply_with(s, m);
        //@ ghost owed = r == 1 ? 0 : 1;
        (void)r; /* the next read says why there is none */
    }
}

/* Talks to one client to the end. */
/*@ requires ok:      tn_stream_ok(s);
    terminates \false; exits \false;
    assigns s->state, s->reason, s->peer_finished, s->off, s->scanned, s->active_ms,
            s->buffer, *s->counters, TN_HEEDED(s->orders);
    ensures ok:       tn_stream_ok(s);
    ensures ended:    s->state >= TN_STREAM_SPENT;
*/
static void talk(void *context, struct tn_stream *s)
{
    struct tn_message m;

    (void)context;
    answer_all(s, &m);
}

/* The rest sets things up and prints; the provers do not read it. */
#ifndef __FRAMAC__
#include <stdio.h>
#include <string.h>

static struct tn_dispatch dispatch; /* of fixed size, and large: not on the stack */

/* A signal came. */
static void heed(struct tn_orders *o, uint32_t which)
{
    if (tn_signals_take(o->fd[which]) != 0)
        tn_dispatch_drain(&dispatch);
}

static uint32_t flow_named(const char *word)
{
    static const char *const words[] = {"blocking",    "fork",    "thread",
                                        "thread-pool", "prefork", "process-pool"};
    uint32_t flow = TN_BLOCKING;

    while (flow <= TN_PROCESS_POOL && strcmp(word, words[flow]) != 0)
        flow++;
    return flow; /* one too large is refused */
}

static int failed(const char *what, int32_t result)
{
    fprintf(stderr, "sessions: %s: %s\n", what, tn_strerror(result));
    return 1;
}

int main(int argc, char **argv)
{
    const char *model = argc > 1 ? argv[1] : "thread";
    const struct tn_dispatch_options options = {.flow = flow_named(model),
                                                .drain_ms = 5000,
                                                .stream = {.framing = TN_LINE},
                                                .session = talk};
    char address[32], bound[TN_ADDRESS_LEN];
    int32_t result, signals, listener;

    snprintf(address, sizeof address, "127.0.0.1:%s", argc > 2 ? argv[2] : "0");
    if ((signals = tn_signals_open(TN_SIGNAL_INT | TN_SIGNAL_TERM)) < 0)
        return failed("signals", signals);
    if ((result = tn_dispatch_open(&dispatch, &options)) < 0)
        return failed(model, result);
    dispatch.orders.heed = heed;
    tn_orders_watch(&dispatch.orders, signals);
    if ((listener = tn_listen_open(address, 0, bound)) < 0)
        return failed(address, listener);
    tn_dispatch_listen(&dispatch, listener);
    printf("%s\n", bound);
    fflush(stdout);
    result = tn_dispatch_run(&dispatch);
    tn_dispatch_close(&dispatch);
    return result == TN_EOF ? 0 : failed("serve", result);
}
#endif
