/* Times as descriptors, by timerfd. */
#define _GNU_SOURCE
#include "os/alarm.h"

#include "os/error.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>

int32_t tn_alarm_open(void)
{
    const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    return fd >= 0 ? fd : tn_error_of(errno);
}

void tn_alarm_set(int32_t fd, int64_t due_ms)
{
    struct itimerspec when = {{0, 0}, {0, 0}}; /* all zero is never */

    if (due_ms != INT64_MAX) {
        when.it_value.tv_sec = (time_t)(due_ms / 1000);
        when.it_value.tv_nsec = (long)(due_ms % 1000) * 1000000;
    }
    if (due_ms == 0) {
        when.it_value.tv_nsec = 1;
    }
    (void)timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL);
}
