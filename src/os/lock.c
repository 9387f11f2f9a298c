/* Mutex and semaphore by pthreads, the flag by futex. */
#define _GNU_SOURCE
#include "os/lock.h"

#include "os/sys.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FLAG_IS_SET 1u
#define FLAG_TIMES 2u /* one more time that it became set */

static struct timespec moment_of(int64_t deadline_ms)
{
    struct timespec t;

    t.tv_sec = (time_t)(deadline_ms / 1000);
    t.tv_nsec = (long)(deadline_ms % 1000) * 1000000;
    return t;
}

/* --- mutex --------------------------------------------------------------------------- */

int32_t tn_mutex_init(struct tn_mutex *m, uint32_t kind)
{
    pthread_mutexattr_t a;
    int error;

    if (kind > (TN_SHARED | TN_RECURSIVE)) {
        return TN_EINVAL;
    }
    error = pthread_mutexattr_init(&a);
    if (error != 0) {
        return TN_ESYSTEM; /* on Linux none of them fails */
    }
    error = pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    if (error == 0) {
        error = pthread_mutexattr_settype(&a, kind & TN_RECURSIVE ? PTHREAD_MUTEX_RECURSIVE
                                                                  : PTHREAD_MUTEX_ERRORCHECK);
    }
    if (error == 0 && (kind & TN_SHARED) != 0) {
        error = pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    }
    error = error != 0 ? error : pthread_mutex_init(&m->mutex, &a);
    (void)pthread_mutexattr_destroy(&a);
    return error == 0 ? 1 : TN_ESYSTEM;
}

static int lock_by(pthread_mutex_t *mutex, int64_t deadline_ms)
{
    struct timespec t;

    if (deadline_ms <= 0) {
        return pthread_mutex_trylock(mutex);
    }
    if (deadline_ms == TN_NEVER) {
        return pthread_mutex_lock(mutex);
    }
    t = moment_of(deadline_ms);
    return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &t);
}

int32_t tn_mutex_lock(struct tn_mutex *m, int64_t deadline_ms)
{
    switch (lock_by(&m->mutex, deadline_ms)) {
    case 0:
        return 1;
    case EOWNERDEAD:
        (void)pthread_mutex_consistent(&m->mutex); /* or unlocking would end it for all */
        return TN_ORPHANED;
    case EBUSY:
    case ETIMEDOUT:
        return 0;
    case EDEADLK:
        return TN_EINVAL;
    case EAGAIN:
        return TN_EFULL;
    default:
        return TN_ESYSTEM;
    }
}

int32_t tn_mutex_unlock(struct tn_mutex *m)
{
    return pthread_mutex_unlock(&m->mutex) == 0 ? 1 : TN_EACCESS;
}

void tn_mutex_fini(struct tn_mutex *m)
{
    (void)pthread_mutex_destroy(&m->mutex);
}

/* --- semaphore ----------------------------------------------------------------------- */

int32_t tn_semaphore_init(struct tn_semaphore *s, uint32_t count, uint32_t kind)
{
    if (count > TN_SEMAPHORE_MAX || kind > TN_SHARED) {
        return TN_EINVAL;
    }
    return sem_init(&s->semaphore, kind == TN_SHARED, count) == 0 ? 1 : TN_ESYSTEM;
}

static int take_by(sem_t *semaphore, int64_t deadline_ms)
{
    struct timespec t;

    if (deadline_ms <= 0) {
        return sem_trywait(semaphore);
    }
    if (deadline_ms == TN_NEVER) {
        return sem_wait(semaphore);
    }
    t = moment_of(deadline_ms);
    return sem_clockwait(semaphore, CLOCK_MONOTONIC, &t);
}

int32_t tn_semaphore_take(struct tn_semaphore *s, int64_t deadline_ms)
{
    int r;

    do {
        r = take_by(&s->semaphore, deadline_ms);
    } while (r != 0 && errno == EINTR);
    if (r == 0) {
        return 1;
    }
    return errno == EAGAIN || errno == ETIMEDOUT ? 0 : TN_ESYSTEM;
}

int32_t tn_semaphore_put(struct tn_semaphore *s)
{
    const int saved = errno; /* a signal handler must leave it alone */
    const int r = sem_post(&s->semaphore);

    errno = saved;
    return r == 0 ? 1 : TN_EFULL;
}

void tn_semaphore_fini(struct tn_semaphore *s)
{
    (void)sem_destroy(&s->semaphore);
}

/* --- event flag ---------------------------------------------------------------------- */

int32_t tn_flag_init(struct tn_flag *f, uint32_t kind)
{
    if (kind > TN_SHARED) {
        return TN_EINVAL;
    }
    f->shared = kind == TN_SHARED;
    __atomic_store_n(&f->word, 0u, __ATOMIC_SEQ_CST);
    return 1;
}

static int futex_operation(const struct tn_flag *f, int operation)
{
    return f->shared == 1 ? operation : operation | FUTEX_PRIVATE_FLAG;
}

void tn_flag_set(struct tn_flag *f)
{
    const int saved = errno; /* a signal handler must leave it alone */
    uint32_t word = __atomic_load_n(&f->word, __ATOMIC_SEQ_CST);
    uint32_t next;

    do {
        next = (word & FLAG_IS_SET) != 0 ? word : word + FLAG_TIMES + FLAG_IS_SET;
    } while (
        !__atomic_compare_exchange_n(&f->word, &word, next, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    /* Even if it was set: whoever did it may have been killed before this line. */
    (void)syscall(SYS_futex, &f->word, futex_operation(f, FUTEX_WAKE), INT32_MAX, NULL, NULL, 0);
    errno = saved;
}

void tn_flag_clear(struct tn_flag *f)
{
    (void)__atomic_fetch_and(&f->word, ~FLAG_IS_SET, __ATOMIC_SEQ_CST);
}

/* Sleeps while the word is as it was seen, or until the deadline, or less. */
static void sleep_on(struct tn_flag *f, uint32_t seen, int64_t deadline_ms)
{
    const struct timespec t = moment_of(deadline_ms);

    (void)syscall(SYS_futex, &f->word, futex_operation(f, FUTEX_WAIT_BITSET), seen,
                  deadline_ms == TN_NEVER ? NULL : &t, NULL, FUTEX_BITSET_MATCH_ANY);
}

int32_t tn_flag_wait(struct tn_flag *f, int64_t deadline_ms)
{
    const uint32_t first = __atomic_load_n(&f->word, __ATOMIC_SEQ_CST);
    uint32_t word = first;

    while ((word & FLAG_IS_SET) == 0 && word == first) {
        if (deadline_ms <= 0 || (deadline_ms != TN_NEVER && deadline_ms <= tn_sys_now_ms())) {
            return 0;
        }
        sleep_on(f, word, deadline_ms);
        word = __atomic_load_n(&f->word, __ATOMIC_SEQ_CST);
    }
    return 1;
}
