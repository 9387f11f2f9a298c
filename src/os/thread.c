/* Threads, by pthreads. */
#define _GNU_SOURCE
#include "os/thread.h"

#include <signal.h>

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
