/* Threads, as the system has them. */
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

#ifdef __cplusplus
}
#endif

#endif
