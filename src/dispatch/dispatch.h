/* The sequential models: a flow of control for each client.
 *
 *   blocking      one flow: one client at a time
 *   fork          a process for each connection
 *   thread        a thread for each connection
 *   thread-pool   a fixed number of threads, each of which accepts for itself
 *   prefork       a fixed number of processes, each of which accepts for itself
 *   process-pool  a fixed number of processes, to which one that accepts passes
 *                 connections
 *
 * The service is a function that talks to one client from its first byte to its
 * last, through serve/stream.h.  It is written once and runs under each:
 *
 *     static void echo(void *context, struct tn_stream *s)
 *     {
 *         struct tn_message m;
 *         while (tn_stream_read(s, &m, TN_NEVER) == 1)
 *             tn_stream_send(s, m.data, m.len, TN_NEVER);
 *     }
 *
 * Connections at a time are capped; at the cap nothing is accepted, and nothing
 * spins: who comes waits in the listener's backlog.  Where the system has no
 * room for one more process or thread, the connection that was just accepted is
 * kept and tried again.  Every child is reaped, every thread joined.  Of the
 * fixed numbers, those that crash are replaced, after a rest that grows.
 *
 * Not proved: it holds a callback, forks and starts threads.  The table of
 * children (dispatch/children.h) is.
 */
#ifndef TN_DISPATCH_DISPATCH_H
#define TN_DISPATCH_DISPATCH_H

#include "dispatch/supervisor.h"
#include "dispatch/threads.h"
#include "os/pass.h"
#include "dispatch/turns.h"

#ifdef __cplusplus
extern "C" {
#endif

enum tn_flow { TN_BLOCKING, TN_FORK, TN_THREAD, TN_THREAD_POOL, TN_PREFORK, TN_PROCESS_POOL };

/* Connections at a time unless more or fewer are asked for: each is a process
 * or a thread, and a burst of clients must not become one of those. */
#define TN_DEFAULT_AT_ONCE 64u

/* Processes or threads of a fixed number, unless more or fewer are asked for. */
#define TN_DEFAULT_WORKERS 4u

/* How long a drain may go on beyond its end before what still runs is killed:
 * it ends by itself, and its counters are whole then. */
#define TN_KILL_GRACE_MS 200

/* Connections of the backlog that a drain takes before it closes the listeners;
 * those beyond are reset by the system. */
#define TN_KEPT 1024u

/* What a worker gets that serves in its own way. */
struct tn_worker {
    uint32_t number;              /* 0 .. workers - 1; that of the one it replaces */
    int32_t lifeline;             /* can be read when it is to drain and end */
    struct tn_counters *counters; /* what it counts; its parent adds them up at its end */
};

/* Works, in a process of its own, until it has drained.  Returns its exit
 * status: 0, or it counts as crashed and is replaced. */
typedef int (*tn_work)(void *context, const struct tn_worker *w);

struct tn_dispatch_options {
    uint32_t flow;            /* enum tn_flow */
    uint32_t at_once;         /* connections at a time, 1 .. TN_CHILDREN; 0: the default */
    uint32_t drain_ms;        /* how long a drain may take */
    struct tn_options stream; /* framing and limits of each connection */
    uint32_t workers;         /* the last three: how many, 1 .. TN_CHILDREN; 0: the default;
                                 they are the connections at a time */
    tn_session session;
    tn_work work;  /* prefork, instead of session: the listeners are the caller's then */
    void *context; /* given to session or work; in threads, to all at a time */
};

struct tn_dispatch {
    struct tn_dispatch_options options;
    struct tn_orders orders; /* the caller adds what is to reach the dispatcher */
    int32_t listener[TN_LISTENERS];
    uint32_t listeners;              /* 0 once a drain has begun */
    int32_t pending;                 /* a connection that nobody could be started for, or -1 */
    int32_t kept_fd[TN_KEPT];        /* who had connected when the drain began */
    uint32_t kept;                   /* how many */
    uint32_t served;                 /* of them: the rest waits for room, or for the end of all */
    uint32_t paused;                 /* 1 while nothing is accepted */
    int64_t retry_ms;                /* when the system is asked again; TN_NEVER: no need */
    uint32_t draining;               /* 1 once the children know */
    int32_t queue[2];                /* process-pool: what connections are passed by; or -1 */
    struct tn_counters *count;       /* where this flow counts: below, or shared with its parent */
    struct tn_counters counters;     /* complete when tn_dispatch_run has returned */
    struct tn_supervisor supervisor; /* where flows are processes */
    struct tn_threads threads;       /* where they are threads */
    struct tn_turns turns[TN_CHILDREN]; /* thread-pool: one for each */
};

/* Makes a dispatcher.  Set orders.heed and orders.context and watch descriptors
 * (tn_orders_watch) before tn_dispatch_run; heed calls tn_dispatch_drain and
 * tn_dispatch_end.  Returns 1, or TN_EINVAL, TN_EFILES, TN_EMEMORY,
 * TN_ESYSTEM. */
int32_t tn_dispatch_open(struct tn_dispatch *d, const struct tn_dispatch_options *o);

/* Gives the dispatcher a listening, non-blocking stream descriptor; it is the
 * dispatcher's to close from now on.  Returns 1, or TN_EFULL; fd stays the
 * caller's then. */
int32_t tn_dispatch_listen(struct tn_dispatch *d, int32_t fd);

/* Serves until a drain has ended and every process and thread with it.  Returns
 * TN_EOF, or TN_ESYSTEM when the system refuses to wait. */
int32_t tn_dispatch_run(struct tn_dispatch *d);

/* Ends the service in good order: listeners are closed, connections finish what
 * has come, and are closed by force after options.drain_ms. */
void tn_dispatch_drain(struct tn_dispatch *d);

/* Ends it now: connections are closed by force. */
void tn_dispatch_end(struct tn_dispatch *d);

/* Closes what is open, children and threads first. */
void tn_dispatch_close(struct tn_dispatch *d);

#ifdef __cplusplus
}
#endif

#endif
