/* A mutex, a counting semaphore and an event flag, for threads; between processes
 * too, when made TN_SHARED in memory that all of them see (tn_shared_open).
 *
 * Every deadline_ms is an absolute time of the monotonic clock (tn_sys_now_ms):
 * 0 does not wait, TN_NEVER waits without limit.  No wait ends before it.
 * Signals interrupt none of them.
 *
 *     tn_mutex_init(&m, 0);
 *     if (tn_mutex_lock(&m, TN_NEVER) == TN_ORPHANED)
 *         ...                          what m guards may be half done: repair it
 *     tn_mutex_unlock(&m);
 *
 * All are of fixed size, owned by the caller, in place before others use them,
 * and not to be moved or copied.  Who is killed while it waits, or while it holds a
 * mutex, keeps nobody else from going on; a mutex says that its holder is gone.
 * Who is killed inside a put or a set may leave its waiters asleep until the next
 * one; and what it took from a semaphore is gone with it.
 *
 * The mutex and the semaphore are those of pthreads, robust and with their errors
 * checked (glibc 2.30 or later).  The flag is a word and futex(2), since glibc's
 * conditions do not survive a process that is killed while it waits.  Not proved:
 * system calls of a few lines each.
 */
#ifndef TN_OS_LOCK_H
#define TN_OS_LOCK_H

#include "core/timers.h"

#include <pthread.h>
#include <semaphore.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of each init: sums of these, or 0. */
#define TN_SHARED 1u    /* used between processes */
#define TN_RECURSIVE 2u /* a mutex that its holder may lock again */

/* Of tn_mutex_lock: held, as with 1, but whoever held it ended without unlocking
 * it.  Said once; unlocking makes it a mutex like any other. */
#define TN_ORPHANED 2

/* The highest count of a semaphore. */
#define TN_SEMAPHORE_MAX 0x7fffffffu

struct tn_mutex {
    pthread_mutex_t mutex;
};

struct tn_semaphore {
    sem_t semaphore;
};

struct tn_flag {
    uint32_t word;   /* bit 0: set; above it, how often it became so */
    uint32_t shared; /* 1: between processes */
};

/* --- mutex --------------------------------------------------------------------------- */

/* Makes m a mutex that nobody holds; kind is a sum of TN_SHARED, TN_RECURSIVE.
 * Returns 1; TN_EINVAL for another kind; TN_ESYSTEM. */
int32_t tn_mutex_init(struct tn_mutex *m, uint32_t kind);

/* Locks m for the calling thread.  Returns 1 or TN_ORPHANED when it holds m then;
 * 0 at the deadline; TN_EINVAL when it holds m already and m is not recursive;
 * TN_EFULL when it holds it 2^32 - 1 times; TN_ESYSTEM. */
int32_t tn_mutex_lock(struct tn_mutex *m, int64_t deadline_ms);

/* Takes one lock of the calling thread back; with the last, m is free.  Returns
 * 1; TN_EACCESS when the calling thread does not hold m: nothing has changed. */
int32_t tn_mutex_unlock(struct tn_mutex *m);

/* Ends m, which nobody holds or waits for. */
void tn_mutex_fini(struct tn_mutex *m);

/* --- semaphore ----------------------------------------------------------------------- */

/* Makes s a semaphore with this count, at most TN_SEMAPHORE_MAX; kind is 0 or
 * TN_SHARED.  Returns 1; TN_EINVAL; TN_ESYSTEM. */
int32_t tn_semaphore_init(struct tn_semaphore *s, uint32_t count, uint32_t kind);

/* Takes one from the count as soon as there is one.  Returns 1; 0 at the deadline;
 * TN_ESYSTEM. */
int32_t tn_semaphore_take(struct tn_semaphore *s, int64_t deadline_ms);

/* Adds one to the count; also from signal handlers.  Returns 1; TN_EFULL when it
 * is TN_SEMAPHORE_MAX. */
int32_t tn_semaphore_put(struct tn_semaphore *s);

/* Ends s, for which nobody waits. */
void tn_semaphore_fini(struct tn_semaphore *s);

/* --- event flag ---------------------------------------------------------------------- */

/* Makes f a flag that is not set; kind is 0 or TN_SHARED.  Returns 1; TN_EINVAL.
 * There is nothing to end. */
int32_t tn_flag_init(struct tn_flag *f, uint32_t kind);

/* Sets f: all who wait for it go on, even if it is cleared at once; those who come
 * later do not wait until it is cleared.  Also from signal handlers. */
void tn_flag_set(struct tn_flag *f);

/* Clears f.  Also from signal handlers. */
void tn_flag_clear(struct tn_flag *f);

/* Waits until f is set, or was set meanwhile.  Returns 1; 0 at the deadline.  What
 * was written before tn_flag_set can be read then. */
int32_t tn_flag_wait(struct tn_flag *f, int64_t deadline_ms);

#ifdef __cplusplus
}
#endif

#endif
