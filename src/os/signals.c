/* Signals as a descriptor, by signalfd. */
#define _GNU_SOURCE
#include "os/signals.h"

#include "os/error.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int32_t tn_signals_open(void)
{
    sigset_t set;
    int fd;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return TN_ESYSTEM;
    }
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd >= 0 ? fd : tn_error_of(errno);
}

int32_t tn_signals_take(int32_t fd)
{
    struct signalfd_siginfo info;
    ssize_t got;

    do {
        got = read(fd, &info, sizeof info);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof info ? (int32_t)info.ssi_signo : 0;
}
