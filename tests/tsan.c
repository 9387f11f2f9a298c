/* Calls that gcc's ThreadSanitizer (12) does not know, made of calls that it knows.
 * Those with a clock try again and again; without these it sees a lock let go that
 * nobody took. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/select.h>
#include <time.h>

/* Whether it is so late; if not, a moment passes. */
static int is_over(clockid_t clock, const struct timespec *until)
{
    struct timespec now;

    clock_gettime(clock, &now);
    if (now.tv_sec > until->tv_sec ||
        (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec))
        return 1;
    (void)poll(NULL, 0, 1);
    return 0;
}

int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
    int r;

    while ((r = pthread_mutex_trylock(mutex)) == EBUSY)
        if (is_over(clock, until))
            return ETIMEDOUT;
    return r;
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    while (sem_trywait(semaphore) != 0) {
        if (errno != EAGAIN)
            return -1;
        if (is_over(clock, until)) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
    return 0;
}

/* A signal that comes before a wait it does not know is kept back until that wait
 * is over; poll it knows. */
int select(int n, fd_set *readable, fd_set *writable, fd_set *unused, struct timeval *time)
{
    struct pollfd list[FD_SETSIZE];
    nfds_t asked = 0;
    int ready = 0, r;

    (void)unused;
    for (int fd = 0; fd < n; fd++) {
        const int in = FD_ISSET(fd, readable) ? POLLIN : 0,
                  out = FD_ISSET(fd, writable) ? POLLOUT : 0;

        if (in + out > 0)
            list[asked++] = (struct pollfd){fd, (short)(in + out), 0};
    }
    r = poll(list, asked, time == NULL ? -1 : (int)(time->tv_sec * 1000 + time->tv_usec / 1000));
    if (r < 0)
        return r;
    for (nfds_t i = 0; i < asked; i++) {
        if (!(list[i].revents & (POLLIN | POLLHUP | POLLERR)))
            FD_CLR(list[i].fd, readable);
        if (!(list[i].revents & (POLLOUT | POLLERR)))
            FD_CLR(list[i].fd, writable);
        ready += FD_ISSET(list[i].fd, readable) + FD_ISSET(list[i].fd, writable);
    }
    return ready;
}
