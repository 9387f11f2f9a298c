/* Calls with a clock that gcc's ThreadSanitizer (12) does not know: without these
 * it sees a lock let go that nobody took.  They try again and again, by calls that
 * it knows. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
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
