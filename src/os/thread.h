/* Threads and conditions, as the system has them. */
#ifndef TN_OS_THREAD_H
#define TN_OS_THREAD_H

#include "core/base.h"

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Starts run(argument) in a thread with a stack of this many bytes (at least
 * PTHREAD_STACK_MIN), to be joined by its id.  Signals stay with the threads
 * that there were: all are blocked in the new one before it begins.  Returns 1,
 * or TN_EMEMORY when the system has no room for it. */
int32_t tn_thread_start(pthread_t *id, size_t stack, void *(*run)(void *), void *argument);

/* Makes a condition for the threads of this process, whose deadlines are of the
 * monotonic clock; pthread_cond_destroy ends it.  Returns 1, or TN_ESYSTEM. */
int32_t tn_condition_init(pthread_cond_t *condition);

/* Lets go of lock and sleeps until the condition is told of, or the monotonic
 * clock shows deadline_ms (INT64_MAX: no limit), and holds lock again; or without
 * a reason, so look again at what is waited for, whatever this returns.  Returns
 * 1; 0 when the time was over before it could sleep: lock was held throughout. */
int32_t tn_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ms);

#ifdef __cplusplus
}
#endif

#endif
