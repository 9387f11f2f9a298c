/* Mutex, semaphore, event flag: deadlines, misuse, wake-ups, and who is killed. */
#define _GNU_SOURCE
#include "os/lock.h"
#include "tools.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 5000, TURNS = 1000, COUNTS = 100000 };

static const uint32_t kinds[] = {0, TN_RECURSIVE, TN_SHARED, TN_SHARED | TN_RECURSIVE};

/* What the processes of a test share. */
struct common {
    struct tn_mutex mutex;
    struct tn_semaphore semaphore, other;
    struct tn_flag flag, told;
    int64_t count;
};

static struct common *open_common(void)
{
    struct common *c = tn_shared_open(sizeof *c);

    REQUIRE(c != NULL);
    REQUIRE(tn_mutex_init(&c->mutex, TN_SHARED) == 1);
    REQUIRE(tn_semaphore_init(&c->semaphore, 0, TN_SHARED) == 1);
    REQUIRE(tn_semaphore_init(&c->other, 0, TN_SHARED) == 1);
    REQUIRE(tn_flag_init(&c->flag, TN_SHARED) == 1);
    REQUIRE(tn_flag_init(&c->told, TN_SHARED) == 1);
    return c;
}

static int32_t start_child(void)
{
    const int32_t pid = tn_process_fork();

    REQUIRE(pid >= 0);
    return pid;
}

static void kill_child(int32_t pid)
{
    uint32_t crashed = 0;

    tn_process_kill(pid);
    tn_process_wait(pid, &crashed);
    CHECK_EQ(crashed, 1);
}

/* --- mutex --------------------------------------------------------------------------- */

struct attempt {
    struct tn_mutex *mutex;
    int64_t deadline;
    int32_t result;
};

/* Locks, and unlocks again if it could. */
static void *try_lock(void *argument)
{
    struct attempt *a = argument;

    a->result = tn_mutex_lock(a->mutex, a->deadline);
    if (a->result > 0)
        CHECK_EQ(tn_mutex_unlock(a->mutex), 1);
    return NULL;
}

/* What another thread gets of a lock. */
static int32_t other_gets(struct tn_mutex *m, int64_t deadline)
{
    struct attempt a = {m, deadline, -99};

    join(start(try_lock, &a));
    return a.result;
}

TEST(a_held_mutex_is_refused_to_others_up_to_their_deadline_and_not_before)
{
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const int64_t end = later(60);
        struct tn_mutex m;

        REQUIRE(tn_mutex_init(&m, kinds[k]) == 1);
        CHECK_EQ(tn_mutex_lock(&m, TN_NEVER), 1);
        CHECK_EQ(other_gets(&m, 0), 0);
        CHECK_EQ(other_gets(&m, 1), 0); /* long ago */
        CHECK_EQ(other_gets(&m, end), 0);
        CHECK_OVER_SINCE(end);
        CHECK_SHORT_WAITS(other_gets(&m, soon));
        CHECK_EQ(tn_mutex_unlock(&m), 1);
        CHECK_EQ(other_gets(&m, 0), 1);
        CHECK_EQ(other_gets(&m, 1), 1);
        CHECK_EQ(other_gets(&m, later(5000)), 1);
        CHECK_EQ(other_gets(&m, TN_NEVER), 1);
        tn_mutex_fini(&m);
    }
}

TEST(a_waiting_lock_gets_the_mutex_when_it_is_let_go)
{
    const int64_t deadlines[] = {later(5000), TN_NEVER};

    for (int i = 0; i < 2; i++) {
        struct tn_mutex m;
        struct attempt a = {&m, deadlines[i], -99};
        pthread_t id;

        REQUIRE(tn_mutex_init(&m, 0) == 1);
        REQUIRE(tn_mutex_lock(&m, TN_NEVER) == 1);
        id = start(try_lock, &a);
        rest(20);
        CHECK_EQ(tn_mutex_unlock(&m), 1);
        join(id);
        CHECK_EQ(a.result, 1);
        tn_mutex_fini(&m);
    }
}

TEST(a_plain_mutex_refuses_its_holder_a_second_lock)
{
    const int64_t deadlines[] = {0, 1, later(5000), TN_NEVER};
    struct tn_mutex m;

    for (uint32_t kind = 0; kind <= TN_SHARED; kind += TN_SHARED) {
        REQUIRE(tn_mutex_init(&m, kind) == 1);
        REQUIRE(tn_mutex_lock(&m, TN_NEVER) == 1);
        for (int i = 0; i < 4; i++)
            CHECK_EQ(tn_mutex_lock(&m, deadlines[i]), TN_EINVAL);
        CHECK_EQ(other_gets(&m, 0), 0);
        CHECK_EQ(tn_mutex_unlock(&m), 1);
        CHECK_EQ(other_gets(&m, 0), 1);
        tn_mutex_fini(&m);
    }
    CHECK_EQ(tn_mutex_init(&m, 4), TN_EINVAL);
}

TEST(a_recursive_mutex_is_free_after_as_many_unlocks_as_locks)
{
    enum { DEPTH = 1000 };
    const int64_t deadlines[] = {0, later(5000), TN_NEVER};
    struct tn_mutex m;

    REQUIRE(tn_mutex_init(&m, TN_RECURSIVE) == 1);
    for (int i = 0; i < DEPTH; i++)
        CHECK_EQ(tn_mutex_lock(&m, deadlines[i % 3]), 1);
    for (int i = 0; i < DEPTH; i++) {
        if (i % 100 == 99)
            CHECK_EQ(other_gets(&m, 0), 0);
        CHECK_EQ(tn_mutex_unlock(&m), 1);
    }
    CHECK_EQ(other_gets(&m, 0), 1);
    tn_mutex_fini(&m);
}

static void *unlock_anothers(void *argument)
{
    CHECK_EQ(tn_mutex_unlock(argument), TN_EACCESS);
    return NULL;
}

TEST(unlocking_what_one_does_not_hold_is_refused_and_changes_nothing)
{
    struct tn_mutex m;

#ifdef __SANITIZE_THREAD__
    tap_skip(); /* it complains of just that */
#endif
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        REQUIRE(tn_mutex_init(&m, kinds[k]) == 1);
        CHECK_EQ(tn_mutex_unlock(&m), TN_EACCESS);
        REQUIRE(tn_mutex_lock(&m, 0) == 1);
        join(start(unlock_anothers, &m));
        CHECK_EQ(other_gets(&m, 0), 0);
        CHECK_EQ(tn_mutex_unlock(&m), 1);
        CHECK_EQ(tn_mutex_unlock(&m), TN_EACCESS);
        tn_mutex_fini(&m);
    }
}

struct counter {
    struct tn_mutex mutex;
    int64_t count;
};

static void *count_up(void *argument)
{
    struct counter *c = argument;

    for (int i = 0; i < COUNTS; i++) {
        if (tn_mutex_lock(&c->mutex, i % 2 ? TN_NEVER : later(9000)) != 1)
            break;
        c->count++;
        (void)tn_mutex_unlock(&c->mutex);
    }
    return NULL;
}

TEST(what_a_mutex_guards_is_changed_by_one_thread_at_a_time)
{
    struct counter c = {.count = 0};
    pthread_t id[THREADS];

    REQUIRE(tn_mutex_init(&c.mutex, 0) == 1);
    for (int i = 0; i < THREADS; i++)
        id[i] = start(count_up, &c);
    for (int i = 0; i < THREADS; i++)
        join(id[i]);
    CHECK_EQ(c.count, THREADS * COUNTS);
    tn_mutex_fini(&c.mutex);
}

static void *lock_and_leave(void *argument)
{
    CHECK_EQ(tn_mutex_lock(argument, TN_NEVER), 1);
    return NULL;
}

TEST(a_thread_that_ends_with_a_mutex_leaves_an_orphan_once)
{
    const int64_t deadlines[] = {0, later(5000), TN_NEVER};

    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int i = 0; i < 3; i++) {
            struct tn_mutex m;

            REQUIRE(tn_mutex_init(&m, kinds[k]) == 1);
            join(start(lock_and_leave, &m));
            CHECK_EQ(tn_mutex_lock(&m, deadlines[i]), TN_ORPHANED);
            CHECK_EQ(other_gets(&m, 0), 0);
            CHECK_EQ(tn_mutex_unlock(&m), 1);
            CHECK_EQ(tn_mutex_lock(&m, deadlines[i]), 1);
            CHECK_EQ(tn_mutex_unlock(&m), 1);
            tn_mutex_fini(&m);
        }
}

TEST(a_killed_process_leaves_its_mutex_to_one_that_is_told_so)
{
    struct common *c = open_common();

    for (int round = 0; round < 3; round++) {
        const int32_t pid = start_child();

        if (pid == 0) {
            if (tn_mutex_lock(&c->mutex, TN_NEVER) != 1)
                tn_process_exit(2);
            tn_flag_set(&c->told);
            for (;;)
                pause();
        }
        REQUIRE(tn_flag_wait(&c->told, later(5000)) == 1);
        tn_flag_clear(&c->told);
        CHECK_EQ(tn_mutex_lock(&c->mutex, 0), 0);
        kill_child(pid);
        CHECK_EQ(tn_mutex_lock(&c->mutex, round == 0 ? 0 : later(5000)), TN_ORPHANED);
        CHECK_EQ(tn_mutex_unlock(&c->mutex), 1);
        CHECK_EQ(tn_mutex_lock(&c->mutex, TN_NEVER), 1);
        CHECK_EQ(tn_mutex_unlock(&c->mutex), 1);
    }
    tn_shared_close(c, sizeof *c);
}

TEST(who_waits_already_is_told_when_the_holder_is_killed)
{
    struct common *c = open_common();
    const int32_t holder = start_child();
    int32_t waiter;

    if (holder == 0) {
        (void)tn_mutex_lock(&c->mutex, TN_NEVER);
        tn_flag_set(&c->told);
        for (;;)
            pause();
    }
    REQUIRE(tn_flag_wait(&c->told, later(5000)) == 1);
    waiter = start_child();
    if (waiter == 0) {
        tn_flag_set(&c->flag);
        tn_process_exit(tn_mutex_lock(&c->mutex, later(8000)) == TN_ORPHANED ? 0 : 2);
    }
    REQUIRE(tn_flag_wait(&c->flag, later(5000)) == 1);
    rest(20);
    kill_child(holder);
    expect_good_end(waiter); /* which ended holding it */
    CHECK_EQ(tn_mutex_lock(&c->mutex, later(5000)), TN_ORPHANED);
    tn_shared_close(c, sizeof *c);
}

TEST(processes_count_in_shared_memory_under_one_mutex)
{
    struct common *c = open_common();
    int32_t pid[THREADS];

    for (int p = 0; p < THREADS; p++) {
        pid[p] = start_child();
        if (pid[p] == 0) {
            for (int i = 0; i < COUNTS; i++) {
                if (tn_mutex_lock(&c->mutex, TN_NEVER) != 1)
                    tn_process_exit(2);
                c->count++;
                (void)tn_mutex_unlock(&c->mutex);
            }
            tn_process_exit(0);
        }
    }
    for (int p = 0; p < THREADS; p++)
        expect_good_end(pid[p]);
    CHECK_EQ(c->count, THREADS * COUNTS);
    tn_shared_close(c, sizeof *c);
}

/* --- semaphore ----------------------------------------------------------------------- */

TEST(a_semaphore_gives_its_count_and_then_refuses_up_to_the_deadline)
{
    struct tn_semaphore s;
    int64_t end;

    REQUIRE(tn_semaphore_init(&s, 3, 0) == 1);
    CHECK_EQ(tn_semaphore_take(&s, 0), 1);
    CHECK_EQ(tn_semaphore_take(&s, 1), 1);
    CHECK_EQ(tn_semaphore_take(&s, TN_NEVER), 1);
    CHECK_EQ(tn_semaphore_take(&s, 0), 0);
    CHECK_EQ(tn_semaphore_take(&s, 1), 0);
    end = later(60);
    CHECK_EQ(tn_semaphore_take(&s, end), 0);
    CHECK_OVER_SINCE(end);
    CHECK_SHORT_WAITS(tn_semaphore_take(&s, soon));
    CHECK_EQ(tn_semaphore_put(&s), 1);
    CHECK_EQ(tn_semaphore_take(&s, later(5000)), 1);
    CHECK_EQ(tn_semaphore_take(&s, 0), 0);
    tn_semaphore_fini(&s);
}

TEST(a_count_beyond_the_highest_is_refused)
{
    struct tn_semaphore s;

    CHECK_EQ(tn_semaphore_init(&s, TN_SEMAPHORE_MAX + 1, 0), TN_EINVAL);
    CHECK_EQ(tn_semaphore_init(&s, 0, TN_RECURSIVE), TN_EINVAL);
    REQUIRE(tn_semaphore_init(&s, TN_SEMAPHORE_MAX, 0) == 1);
    errno = 0;
    CHECK_EQ(tn_semaphore_put(&s), TN_EFULL);
    CHECK_EQ(errno, 0);
    CHECK_EQ(tn_semaphore_take(&s, 0), 1);
    CHECK_EQ(tn_semaphore_put(&s), 1);
    tn_semaphore_fini(&s);
}

static void ignore_signal(int number)
{
    (void)number;
}

struct sleeper {
    struct tn_semaphore semaphore;
    int64_t deadline;
    int32_t result;
};

static void *sleep_for_semaphore(void *argument)
{
    struct sleeper *s = argument;

    s->result = tn_semaphore_take(&s->semaphore, s->deadline);
    return NULL;
}

TEST(a_signal_ends_no_wait)
{
    struct sigaction act = {.sa_handler = ignore_signal}; /* and no SA_RESTART */
    struct sleeper s = {.deadline = later(100)};
    pthread_t id;

    REQUIRE(sigaction(SIGUSR1, &act, NULL) == 0);
    REQUIRE(tn_semaphore_init(&s.semaphore, 0, 0) == 1);
    id = start(sleep_for_semaphore, &s);
    for (int i = 0; i < 5; i++) {
        rest(10);
        (void)pthread_kill(id, SIGUSR1);
    }
    join(id);
    CHECK_EQ(s.result, 0);
    CHECK_OVER_SINCE(s.deadline);
    s.deadline = TN_NEVER;
    id = start(sleep_for_semaphore, &s);
    rest(10);
    (void)pthread_kill(id, SIGUSR1);
    rest(10);
    CHECK_EQ(tn_semaphore_put(&s.semaphore), 1);
    join(id);
    CHECK_EQ(s.result, 1);
    tn_semaphore_fini(&s.semaphore);
}

/* Two semaphores that hand a turn to and fro. */
struct table {
    struct tn_semaphore yours, mine;
    int64_t ball; /* of whoever has the turn */
};

static void *play(void *argument)
{
    struct table *t = argument;

    for (int i = 0; i < TURNS; i++) {
        if (tn_semaphore_take(&t->yours, i % 2 ? TN_NEVER : later(9000)) != 1)
            break;
        t->ball++;
        (void)tn_semaphore_put(&t->mine);
    }
    return NULL;
}

TEST(what_was_written_before_a_put_is_read_after_the_take)
{
    static struct table t;
    pthread_t id;

    REQUIRE(tn_semaphore_init(&t.yours, 0, 0) == 1);
    REQUIRE(tn_semaphore_init(&t.mine, 0, 0) == 1);
    id = start(play, &t);
    for (int i = 0; i < TURNS; i++) {
        REQUIRE(t.ball == i);
        CHECK_EQ(tn_semaphore_put(&t.yours), 1);
        REQUIRE(tn_semaphore_take(&t.mine, later(9000)) == 1);
    }
    join(id);
    CHECK_EQ(t.ball, TURNS);
}

TEST(processes_take_exactly_what_was_put)
{
    struct common *c = open_common();
    int32_t pid[THREADS];

    for (int p = 0; p < THREADS; p++) {
        pid[p] = start_child();
        if (pid[p] == 0) {
            while (tn_semaphore_take(&c->semaphore, TN_NEVER) == 1 &&
                   tn_flag_wait(&c->told, 0) == 0)
                (void)tn_semaphore_put(&c->other);
            tn_process_exit(0);
        }
    }
    for (int i = 0; i < ROUNDS; i++)
        CHECK_EQ(tn_semaphore_put(&c->semaphore), 1);
    for (int i = 0; i < ROUNDS; i++)
        REQUIRE(tn_semaphore_take(&c->other, later(8000)) == 1);
    CHECK_EQ(tn_semaphore_take(&c->other, later(20)), 0);
    tn_flag_set(&c->told);
    for (int p = 0; p < THREADS; p++)
        CHECK_EQ(tn_semaphore_put(&c->semaphore), 1);
    for (int p = 0; p < THREADS; p++)
        expect_good_end(pid[p]);
    tn_shared_close(c, sizeof *c);
}

TEST(a_waiter_that_is_killed_takes_nothing_and_stops_nobody)
{
    struct common *c = open_common();

    for (int round = 0; round < 20; round++) {
        int32_t waiter[2];

        for (int i = 0; i < 2; i++) {
            waiter[i] = start_child();
            if (waiter[i] == 0) {
                (void)tn_semaphore_put(&c->other);
                if (i == 0)
                    (void)tn_semaphore_take(&c->semaphore, TN_NEVER);
                else
                    (void)tn_flag_wait(&c->flag, TN_NEVER);
                tn_process_exit(0);
            }
        }
        for (int i = 0; i < 2; i++)
            REQUIRE(tn_semaphore_take(&c->other, later(5000)) == 1);
        rest(1);
        kill_child(waiter[0]);
        kill_child(waiter[1]);
        CHECK_EQ(tn_semaphore_put(&c->semaphore), 1);
        CHECK_EQ(tn_semaphore_take(&c->semaphore, 0), 1);
        tn_flag_set(&c->flag);
        CHECK_EQ(tn_flag_wait(&c->flag, 0), 1);
        tn_flag_clear(&c->flag);
    }
    tn_shared_close(c, sizeof *c);
}

/* --- event flag ---------------------------------------------------------------------- */

struct party {
    struct tn_flag flag;
    struct tn_semaphore arrived;
    int64_t deadline;
    int64_t news; /* written before the flag is set */
    uint32_t woken;
};

static void *await_flag(void *argument)
{
    struct party *p = argument;

    (void)tn_semaphore_put(&p->arrived);
    if (tn_flag_wait(&p->flag, p->deadline) == 1 && p->news == 7)
        (void)__atomic_fetch_add(&p->woken, 1u, __ATOMIC_SEQ_CST);
    return NULL;
}

TEST(a_flag_that_is_not_set_is_waited_for_up_to_the_deadline)
{
    for (uint32_t kind = 0; kind <= TN_SHARED; kind += TN_SHARED) {
        const int64_t end = later(60);
        struct tn_flag f;

        REQUIRE(tn_flag_init(&f, kind) == 1);
        CHECK_EQ(tn_flag_wait(&f, 0), 0);
        CHECK_EQ(tn_flag_wait(&f, 1), 0);
        CHECK_EQ(tn_flag_wait(&f, end), 0);
        CHECK_OVER_SINCE(end);
        CHECK_SHORT_WAITS(tn_flag_wait(&f, soon));
        tn_flag_set(&f);
        tn_flag_set(&f);
        CHECK_EQ(tn_flag_wait(&f, 0), 1);
        CHECK_EQ(tn_flag_wait(&f, TN_NEVER), 1);
        tn_flag_clear(&f);
        tn_flag_clear(&f);
        CHECK_EQ(tn_flag_wait(&f, 0), 0);
        CHECK_EQ(tn_flag_init(&f, TN_RECURSIVE), TN_EINVAL);
    }
}

TEST(setting_wakes_all_who_wait_even_if_it_is_cleared_at_once)
{
    const int64_t deadlines[] = {later(8000), TN_NEVER};

    for (int i = 0; i < 2; i++) {
        struct party p = {.deadline = deadlines[i]};
        pthread_t id[THREADS];

        REQUIRE(tn_flag_init(&p.flag, 0) == 1);
        REQUIRE(tn_semaphore_init(&p.arrived, 0, 0) == 1);
        for (int t = 0; t < THREADS; t++)
            id[t] = start(await_flag, &p);
        for (int t = 0; t < THREADS; t++)
            REQUIRE(tn_semaphore_take(&p.arrived, later(5000)) == 1);
        rest(50); /* they have begun to wait */
        p.news = 7;
        tn_flag_set(&p.flag);
        tn_flag_clear(&p.flag);
        for (int t = 0; t < THREADS; t++)
            join(id[t]);
        CHECK_EQ(p.woken, THREADS);
        CHECK_EQ(tn_flag_wait(&p.flag, 0), 0);
    }
}

TEST(a_flag_wakes_processes)
{
    struct common *c = open_common();
    int32_t pid[THREADS];

    for (int p = 0; p < THREADS; p++) {
        pid[p] = start_child();
        if (pid[p] == 0) {
            (void)tn_semaphore_put(&c->semaphore);
            tn_process_exit(tn_flag_wait(&c->flag, TN_NEVER) == 1 && c->count == 7 ? 0 : 2);
        }
    }
    for (int p = 0; p < THREADS; p++)
        REQUIRE(tn_semaphore_take(&c->semaphore, later(5000)) == 1);
    rest(20);
    c->count = 7;
    tn_flag_set(&c->flag);
    for (int p = 0; p < THREADS; p++)
        expect_good_end(pid[p]);
    tn_shared_close(c, sizeof *c);
}

TEST(no_tool_opens_a_descriptor)
{
    const int before = descriptors();
    struct common *c = open_common();

    CHECK_EQ(descriptors(), before);
    tn_mutex_fini(&c->mutex);
    tn_semaphore_fini(&c->semaphore);
    tn_semaphore_fini(&c->other);
    tn_shared_close(c, sizeof *c);
    CHECK_EQ(descriptors(), before);
}
