/* Threads that each serve one connection: started, told to drain or to end, and
 * joined, every one.
 *
 * The slots are those of the children table; the number of a thread is its
 * slot's, plus one.  What has ended waits for tn_threads_join, which costs no
 * system call while nobody waits for it: the descriptor `ended` is written to
 * only after tn_threads_await.
 *
 * Not proved: threads are outside the proofs.  Owned by the caller; all
 * functions are called by the one thread that opened it.
 */
#ifndef TN_DISPATCH_THREADS_H
#define TN_DISPATCH_THREADS_H

#include "dispatch/children.h"
#include "serve/state.h"

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The stack of a thread, beyond what the kit itself keeps there. */
#ifndef TN_SESSION_STACK
#define TN_SESSION_STACK 524288u
#endif

struct tn_threads;

/* What one thread works on. */
struct tn_thread {
    struct tn_threads *threads;
    uint32_t slot;
    int32_t fd; /* the connection it serves: the thread's to close */
    pthread_t id;
    struct tn_counters counters; /* its own until it is joined */
};

struct tn_threads {
    struct tn_children slots;
    int32_t ended;       /* can be read when one has ended that is awaited */
    int32_t lifeline[2]; /* comes to its end when threads are to drain: wait for [0] */
    int32_t endline[2];  /* the same, when they are to end */
    uint32_t waiting;    /* 1: `ended` may have been written to */
    void (*serve)(struct tn_thread *t);
    void *context;             /* the caller's */
    struct tn_counters totals; /* of those that were joined */
    pthread_mutex_t lock;      /* guards the rest */
    uint32_t awaited;          /* 1: the next to end writes to `ended` */
    uint32_t done;             /* entries of: */
    uint32_t done_slot[TN_CHILDREN];
    struct tn_thread thread[TN_CHILDREN];
};

/* Makes a table of at most cap threads (1 .. TN_CHILDREN), each of which calls
 * serve.  Returns 1, or TN_EINVAL, TN_EFILES, TN_EMEMORY, TN_ESYSTEM. */
int32_t tn_threads_open(struct tn_threads *t, uint32_t cap, void (*serve)(struct tn_thread *),
                        void *context);

/* Starts a thread for fd; all signals are blocked in it.  Returns 1; TN_EFULL
 * when cap threads are not joined yet; TN_EMEMORY when the system has no room
 * for one more. */
int32_t tn_threads_start(struct tn_threads *t, int32_t fd);

/* Joins the threads that have ended. */
void tn_threads_join(struct tn_threads *t);

/* Makes `ended` readable as soon as one has ended that is not joined. */
void tn_threads_await(struct tn_threads *t);

/* Tells all threads to drain, or to end. */
void tn_threads_drain(struct tn_threads *t);
void tn_threads_end(struct tn_threads *t);

/* Joins all threads, waiting for them, and closes what is open. */
void tn_threads_close(struct tn_threads *t);

#ifdef __cplusplus
}
#endif

#endif
