/* Waking a loop, by eventfd. */
#define _GNU_SOURCE
#include "os/wake.h"

#include "os/error.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int32_t tn_wake_open(void)
{
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    return fd >= 0 ? fd : tn_error_of(errno);
}

void tn_wake(int32_t fd)
{
    const uint64_t one = 1;
    const int saved = errno; /* a signal handler must leave it alone */
    ssize_t n;

    do {
        n = write(fd, &one, sizeof one);
    } while (n < 0 && errno == EINTR);
    errno = saved;
}

void tn_wake_clear(int32_t fd)
{
    uint64_t count;
    ssize_t n;

    do {
        n = read(fd, &count, sizeof count);
    } while (n < 0 && errno == EINTR);
}
