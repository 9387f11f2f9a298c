/* One flow that serves clients by turns: accepts one, serves it to its end,
 * accepts the next.  Of these, a pool of threads has several.
 *
 * It has listeners of its own, descriptors that are nobody else's to close: when
 * a drain reaches it, wherever it waits, it takes who had connected if it is
 * free to, and closes them.
 */
#ifndef TN_DISPATCH_TURNS_H
#define TN_DISPATCH_TURNS_H

#include "serve/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Talks to one client.  s is closed by the dispatcher when it returns, in good
 * order.  It runs in a process or a thread of its own, or in the dispatcher's. */
typedef void (*tn_session)(void *context, struct tn_stream *s);

struct tn_turns {
    const struct tn_options *stream; /* framing and limits of each connection */
    tn_session session;
    void *context; /* given to session */
    struct tn_counters *counters;
    struct tn_orders orders;
    int32_t listener[TN_LISTENERS];
    uint32_t listeners; /* 0 once a drain has begun */
    uint32_t busy;      /* 1 while it talks to a client */
};

/* Serves one connection, in whatever flow of control this is; fd is closed in
 * the end. */
void tn_turns_serve(tn_session session, void *context, const struct tn_options *stream, int32_t fd,
                    struct tn_orders *orders, struct tn_counters *counters);

/* Makes listeners of its own of those given.  Returns 1, or TN_EFILES. */
int32_t tn_turns_open(struct tn_turns *u, const int32_t *listener, uint32_t count);

/* Serves until it was told to drain, by lifeline, and has; end_fd tells it to
 * end at once.  All but orders and busy are set. */
void tn_turns_run(struct tn_turns *u, int32_t lifeline, int32_t end_fd, uint32_t drain_ms);

/* Closes its listeners. */
void tn_turns_close(struct tn_turns *u);

#ifdef __cplusplus
}
#endif

#endif
