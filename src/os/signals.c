/* Signals as a descriptor, by signalfd. */
#define _GNU_SOURCE
#include "os/signals.h"

#include "os/error.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* The system's number of the signal 1 << i of enum tn_signal. */
static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2};
#define NUMBERS (sizeof numbers / sizeof numbers[0])

_Static_assert(TN_SIGNALS_ALL == (1u << NUMBERS) - 1, "a number for each signal");

static sigset_t set_of(uint32_t set)
{
    sigset_t signals;

    (void)sigemptyset(&signals);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        if (set & 1u << i) {
            (void)sigaddset(&signals, numbers[i]);
        }
    }
    return signals;
}

int32_t tn_signals_open(uint32_t set)
{
    const sigset_t signals = set_of(set);
    sigset_t before;
    int fd, error;

    if (set == 0 || set > TN_SIGNALS_ALL) {
        return TN_EINVAL;
    }
    if (pthread_sigmask(SIG_BLOCK, &signals, &before) != 0) {
        return TN_ESYSTEM;
    }
    fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) {
        error = errno;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        return tn_error_of(error);
    }
    return fd;
}

int32_t tn_signals_take(int32_t fd)
{
    struct signalfd_siginfo info;
    ssize_t got;

    do {
        got = read(fd, &info, sizeof info);
    } while (got < 0 && errno == EINTR);
    for (uint32_t i = 0; i < NUMBERS && got == (ssize_t)sizeof info; i++) {
        if (info.ssi_signo == (uint32_t)numbers[i]) {
            return (int32_t)(1u << i);
        }
    }
    return 0;
}

void tn_signals_close(int32_t fd, uint32_t set)
{
    const sigset_t signals = set_of(set);

    (void)close(fd);
    (void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}
