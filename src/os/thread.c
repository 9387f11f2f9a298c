/* Threads, by pthreads. */
#define _GNU_SOURCE
#include "os/thread.h"

#include "os/sys.h"

#include <signal.h>
#include <time.h>

int32_t tn_thread_start(pthread_t *id, size_t stack, void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int error = pthread_attr_init(&attributes);

    if (error != 0) {
        return TN_EMEMORY;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* a thread inherits the mask */
    error = pthread_attr_setstacksize(&attributes, stack);
    error = error != 0 ? error : pthread_create(id, &attributes, run, argument);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return error == 0 ? 1 : TN_EMEMORY;
}

int32_t tn_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;
    int error = pthread_condattr_init(&monotonic);

    if (error != 0) {
        return TN_ESYSTEM; /* on Linux none of them fails */
    }
    error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    error = error != 0 ? error : pthread_cond_init(condition, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    return error == 0 ? 1 : TN_ESYSTEM;
}

int32_t tn_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ms)
{
    struct timespec until;

    if (deadline_ms == INT64_MAX) {
        (void)pthread_cond_wait(condition, lock);
        return 1;
    }
    if (deadline_ms <= tn_sys_now_ms()) {
        return 0;
    }
    until.tv_sec = (time_t)(deadline_ms / 1000);
    until.tv_nsec = (long)(deadline_ms % 1000) * 1000000;
    (void)pthread_cond_timedwait(condition, lock, &until);
    return 1;
}
