/* A team of processes: results, order, limits, deadlines, crashes, ends. */
#define _GNU_SOURCE
#include "dispatch/team.h"
#include "serve/server.h"
#include "tools.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tn_team team;
static struct tn_server server;

/* What the test and the workers both see. */
static struct shared {
    _Atomic int open;  /* the gate */
    _Atomic int count; /* entries of list */
    _Atomic int64_t list[64];
    _Atomic int pid; /* of who works now */
} * shared;

/* Opens the team; what is shared must be there before. */
static void open_team(uint32_t processes, uint32_t jobs)
{
    shared = tn_shared_open(sizeof *shared);
    REQUIRE(shared != NULL);
    REQUIRE(tn_team_open(&team, processes, jobs) == 1);
}

/* --- the work ------------------------------------------------------------------------------ */

/* Ends when the test opens the gate. */
static int32_t wait_at_gate(void *data)
{
    (void)data;
    atomic_store(&shared->pid, getpid());
    while (!atomic_load(&shared->open))
        rest(1);
    return 0;
}

static int32_t write_down(void *data)
{
    const int64_t *number = data;

    atomic_store(&shared->list[atomic_fetch_add(&shared->count, 1)], *number);
    return 0;
}

static int32_t write_time_and_crash(void *data)
{
    int64_t now = tn_sys_now_ms();

    (void)data;
    (void)write_down(&now);
    _exit(0);
}

enum { ABORT, KILL, SEGV, EXIT_0, EXIT_1, WAYS };

static int32_t crash(void *data)
{
    switch (*(const int64_t *)data) {
    case ABORT:
        abort();
    case KILL:
        raise(SIGKILL);
        break;
    case SEGV:
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
        break;
    case EXIT_0:
        _exit(0);
    default:
        _exit(1);
    }
    return 0;
}

/* --- helpers ------------------------------------------------------------------------------- */

static struct tn_job submit(tn_job_work work, int64_t x)
{
    struct tn_job job;

    REQUIRE(tn_team_submit(&team, work, &x, sizeof x, &job) == 1);
    return job;
}

static uint32_t state_of(struct tn_job job)
{
    uint32_t state = TN_JOB_FREE;
    int64_t unused;

    return tn_team_wait(&team, job, &unused, 0, &state, later(5000)) == 1 ? state : TN_JOB_FREE;
}

/* A job that occupies a worker until the gate is opened, and is begun. */
static struct tn_job close_gate(void)
{
    struct tn_job job;

    atomic_store(&shared->open, 0);
    atomic_store(&shared->pid, 0);
    job = submit(wait_at_gate, 0);
    while (atomic_load(&shared->pid) == 0)
        rest(1);
    return job;
}

static void open_gate(void)
{
    atomic_store(&shared->open, 1);
}

static void expect_no_child(void)
{
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
}

/* Whether the descriptor can be read within so many milliseconds. */
static int readable(int fd, int ms)
{
    struct pollfd p = {fd, POLLIN, 0};

    return poll(&p, 1, ms) == 1;
}

/* --- as the crew --------------------------------------------------------------------------- */

TEST(a_job_gives_back_what_it_made_of_its_data_and_only_once)
{
    struct tn_job job, other;
    int64_t x = 12, y = 0;
    uint32_t state = 0;

    open_team(2, 8);
    job = submit(square, x);
    CHECK_EQ(tn_team_wait(&team, job, &y, TN_JOB_BYTES + 1, &state, 0), TN_ETOOBIG);
    CHECK_EQ(tn_team_wait(&team, job, &y, sizeof y, &state, TN_NEVER), 1);
    CHECK_EQ(y, 144);
    CHECK_EQ(state, TN_JOB_DONE);
    CHECK_EQ(tn_team_wait(&team, job, &y, sizeof y, &state, 0), TN_ESTALE);
    CHECK_EQ(tn_team_cancel(&team, job), TN_ESTALE);
    CHECK_EQ(tn_team_kill(&team, job), TN_ESTALE);
    CHECK_EQ(tn_team_forget(&team, job), TN_ESTALE);
    other = submit(refuse, 0); /* in the same slot */
    CHECK_EQ(tn_team_wait(&team, job, &y, sizeof y, &state, 0), TN_ESTALE);
    CHECK_EQ(tn_team_cancel(&team, job), TN_ESTALE);
    CHECK_EQ(state_of(other), TN_JOB_FAILED);
    tn_team_close(&team, 0);
    expect_no_child();
}

static int32_t reverse(void *data)
{
    uint8_t *b = data;

    for (uint32_t i = 0; i < TN_JOB_BYTES / 2; i++) {
        uint8_t c = b[i];

        b[i] = b[TN_JOB_BYTES - 1 - i];
        b[TN_JOB_BYTES - 1 - i] = c;
    }
    return 0;
}

TEST(every_byte_of_the_data_goes_there_and_comes_back_and_what_was_not_given_is_zero)
{
    uint8_t bytes[TN_JOB_BYTES], back[TN_JOB_BYTES];
    struct tn_job job;
    uint32_t state;

    open_team(1, 2);
    for (uint32_t len = 0; len <= TN_JOB_BYTES; len += 16) {
        for (uint32_t i = 0; i < TN_JOB_BYTES; i++)
            bytes[i] = (uint8_t)(i < len ? 255 - i % 255 : 0);
        REQUIRE(tn_team_submit(&team, reverse, bytes, len, &job) == 1);
        REQUIRE(tn_team_wait(&team, job, back, TN_JOB_BYTES, &state, later(5000)) == 1);
        (void)reverse(back);
        CHECK_BYTES(bytes, back, TN_JOB_BYTES);
    }
    tn_team_close(&team, 0);
}

TEST(one_process_does_jobs_in_the_order_they_came)
{
    enum { JOBS = 50 };
    struct tn_job job[JOBS], gate;

    open_team(1, JOBS + 1);
    gate = close_gate();
    for (int64_t i = 0; i < JOBS; i++)
        job[i] = submit(write_down, i);
    open_gate();
    for (int i = JOBS - 1; i >= 0; i--) /* the last first: the order is the team's */
        CHECK_EQ(state_of(job[i]), TN_JOB_DONE);
    for (int i = 0; i < JOBS; i++)
        CHECK_EQ(atomic_load(&shared->list[i]), i);
    CHECK_EQ(state_of(gate), TN_JOB_DONE);
    tn_team_close(&team, 0);
}

TEST(a_full_table_says_so_and_loses_nothing)
{
    struct tn_job job[3], gate, more;
    int64_t x[TN_JOB_BYTES / 8 + 1] = {3};

    open_team(1, 4);
    gate = close_gate();
    for (int i = 0; i < 3; i++)
        job[i] = submit(square, 3);
    CHECK_EQ(tn_team_submit(&team, square, x, sizeof x[0], &more), TN_EFULL);
    CHECK_EQ(tn_team_submit(&team, square, x, TN_JOB_BYTES + 1, &more), TN_ETOOBIG);
    open_gate();
    CHECK_EQ(state_of(gate), TN_JOB_DONE);
    more = submit(square, 3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(state_of(job[i]), TN_JOB_DONE);
    CHECK_EQ(state_of(more), TN_JOB_DONE);
    tn_team_close(&team, 0);
}

TEST(a_wait_for_a_job_that_never_ends_is_over_in_time_and_not_before)
{
    uint32_t state;
    int64_t unused, start;
    struct tn_job gate;

    open_team(1, 4);
    gate = close_gate();
    for (int64_t ms = 0; ms < 160; ms += ms < 28 ? 7 : 37) {
        start = tn_sys_now_ms();
        CHECK_EQ(tn_team_wait(&team, gate, &unused, 0, &state, start + ms), 0);
        CHECK(tn_sys_now_ms() - start >= ms);
        CHECK(tn_sys_now_ms() - start < ms + 2000);
    }
    CHECK_EQ(tn_team_wait(&team, gate, &unused, 0, &state, 0), 0);
    open_gate();
    CHECK_EQ(state_of(gate), TN_JOB_DONE);
    tn_team_close(&team, 0);
}

TEST(what_nobody_has_begun_is_cancelled_and_what_has_begun_is_not)
{
    struct tn_job job, forgotten, gate;

    open_team(1, 3);
    gate = close_gate();
    job = submit(square, 3);
    forgotten = submit(square, 3);
    CHECK_EQ(tn_team_cancel(&team, gate), 0);
    CHECK_EQ(tn_team_cancel(&team, job), 1);
    CHECK_EQ(tn_team_cancel(&team, job), 0);
    CHECK_EQ(state_of(job), TN_JOB_CANCELLED);
    CHECK_EQ(tn_team_forget(&team, forgotten), 1);
    CHECK_EQ(tn_team_cancel(&team, forgotten), TN_ESTALE);
    for (int i = 0; i < 2; i++) /* both slots are free again */
        (void)submit(square, 3);
    open_gate();
    CHECK_EQ(state_of(gate), TN_JOB_DONE);
    tn_team_close(&team, 0);
}

TEST(a_running_job_that_is_given_up_frees_its_slot_when_it_ends)
{
    struct tn_job job;
    int64_t x = 3, end = later(5000);

    open_team(1, 1);
    CHECK_EQ(tn_team_forget(&team, close_gate()), 1);
    CHECK_EQ(tn_team_submit(&team, square, &x, sizeof x, &job), TN_EFULL);
    open_gate();
    while (tn_team_submit(&team, square, &x, sizeof x, &job) == TN_EFULL)
        REQUIRE(tn_sys_now_ms() < end);
    CHECK_EQ(state_of(job), TN_JOB_DONE);
    tn_team_close(&team, 0);
}

TEST(a_map_changes_every_element_in_its_place)
{
    enum { COUNT = 1000 };
    static int64_t array[COUNT];

    open_team(3, 16);
    for (int64_t i = 0; i < COUNT; i++)
        array[i] = i;
    CHECK_EQ(tn_team_map(&team, square, array, sizeof array[0], COUNT, TN_NEVER), 1);
    for (int64_t i = 0; i < COUNT; i++)
        CHECK_EQ(array[i], i * i);
    CHECK_EQ(tn_team_map(&team, refuse, array, sizeof array[0], COUNT, TN_NEVER), TN_ERESET);
    CHECK_EQ(tn_team_map(&team, square, array, TN_JOB_BYTES + 1, 1, TN_NEVER), TN_ETOOBIG);
    CHECK_EQ(tn_team_map(&team, square, array, sizeof array[0], 3, TN_NEVER), 1);
    CHECK_EQ(array[2], 16);
    tn_team_close(&team, 0);
}

TEST(a_map_that_never_ends_is_over_at_its_deadline_and_leaves_nobody_at_it)
{
    int64_t array[10] = {0}, start;

    open_team(2, 16);
    start = tn_sys_now_ms();
    CHECK_EQ(tn_team_map(&team, wait_at_gate, array, sizeof array[0], 10, start + 60), 0);
    CHECK(tn_sys_now_ms() - start >= 60);
    CHECK_EQ(state_of(submit(square, 3)), TN_JOB_DONE); /* the gate is still closed */
    for (int i = 0; i < 16; i++)                        /* no slot is taken */
        (void)submit(square, 3);
    tn_team_close(&team, 0);
    expect_no_child();
}

TEST(the_end_of_a_job_is_an_event_of_the_loop)
{
    const struct tn_options options = {0};
    struct tn_event ev;
    struct tn_job job, gate;
    int64_t y = 0;
    uint32_t state;
    int32_t watch;

    REQUIRE(tn_init(&server, &options) == 1);
    open_team(2, 4);
    watch = tn_watch(&server, team.done);
    REQUIRE(watch >= 0);
    gate = close_gate();
    CHECK_EQ(tn_next(&server, &ev, 0), 0);
    job = submit(square, 5);
    CHECK_EQ(tn_next(&server, &ev, 5000), 1);
    CHECK(ev.type == TN_READY && ev.watch == (uint32_t)watch);
    tn_team_clear(&team);
    CHECK_EQ(tn_team_wait(&team, job, &y, sizeof y, &state, 0), 1);
    CHECK_EQ(y, 25);
    CHECK_EQ(tn_next(&server, &ev, 0), 0);
    open_gate();
    CHECK_EQ(tn_next(&server, &ev, 5000), 1);
    tn_team_clear(&team);
    CHECK_EQ(tn_team_wait(&team, gate, &y, 0, &state, 0), 1);
    REQUIRE(tn_unwatch(&server, (uint32_t)watch) == 1);
    tn_fini(&server);
    tn_team_close(&team, 1);
}

TEST(an_end_that_another_wait_has_seen_is_an_event_all_the_same)
{
    struct tn_job first, second;
    uint32_t state;
    int64_t unused;

    open_team(1, 4);
    first = submit(square, 3);
    second = submit(square, 3);
    CHECK_EQ(state_of(second), TN_JOB_DONE);
    CHECK(readable(team.done, 0));
    tn_team_clear(&team);
    CHECK(!readable(team.done, 0));
    CHECK_EQ(tn_team_wait(&team, first, &unused, 0, &state, 0), 1);
    first = submit(square, 3);
    CHECK_EQ(state_of(first), TN_JOB_DONE);
    tn_team_clear(&team);
    first = close_gate();
    second = submit(square, 3);
    CHECK(!readable(team.done, 20));
    CHECK_EQ(tn_team_cancel(&team, second), 1);
    CHECK(readable(team.done, 0));
    open_gate();
    tn_team_close(&team, 0);
}

TEST(closing_does_what_is_queued_first_or_cancels_it_or_kills_what_has_begun)
{
    for (uint32_t cancel = 0; cancel < 3; cancel++) {
        int before = descriptors();
        int64_t start;

        open_team(1, 4);
        (void)close_gate();
        (void)submit(write_down, 7);
        if (cancel < 2) {
            pid_t opener = fork(); /* the caller is inside the close when it opens */

            REQUIRE(opener >= 0);
            if (opener == 0) {
                rest(50);
                open_gate();
                _exit(0);
            }
            start = tn_sys_now_ms();
            tn_team_close(&team, cancel);
            CHECK(atomic_load(&shared->open) && tn_sys_now_ms() - start < 5000);
            REQUIRE(waitpid(opener, NULL, 0) == opener);
        } else {
            tn_team_close(&team, cancel);
        }
        CHECK_EQ(atomic_load(&shared->count), cancel == 0);
        CHECK_EQ(descriptors(), before);
        expect_no_child();
    }
}

/* --- what only processes do ---------------------------------------------------------------- */

static int32_t tell_pid(void *data)
{
    *(int64_t *)data = getpid();
    return 0;
}

TEST(work_is_done_by_another_process_and_by_several_at_once)
{
    int64_t pid[2];
    uint32_t state;
    struct tn_job job[2], gate;

    open_team(2, 8);
    gate = close_gate();
    for (int i = 0; i < 2; i++)
        job[i] = submit(tell_pid, 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(tn_team_wait(&team, job[i], &pid[i], sizeof pid[i], &state, later(5000)), 1);
    CHECK(pid[0] != getpid() && pid[0] != atomic_load(&shared->pid));
    CHECK_EQ(pid[0], pid[1]); /* it lives for many jobs */
    open_gate();
    CHECK_EQ(state_of(gate), TN_JOB_DONE);
    tn_team_close(&team, 0);
}

TEST(a_job_that_crashes_in_whatever_way_has_failed_and_no_other)
{
    struct tn_job good[WAYS], bad[WAYS];
    int64_t y;
    uint32_t state;

    open_team(2, 2 * WAYS);
    for (int64_t i = 0; i < WAYS; i++) {
        good[i] = submit(square, i);
        bad[i] = submit(crash, i);
    }
    for (int64_t i = 0; i < WAYS; i++) {
        CHECK_EQ(tn_team_wait(&team, good[i], &y, sizeof y, &state, later(5000)), 1);
        CHECK(state == TN_JOB_DONE && y == i * i);
        CHECK_EQ(tn_team_wait(&team, bad[i], &y, sizeof y, &state, later(5000)), 1);
        CHECK(state == TN_JOB_FAILED && y == i); /* the data is as it was */
    }
    tn_team_close(&team, 0);
    expect_no_child();
}

TEST(a_worker_that_is_killed_from_outside_fails_the_job_it_has)
{
    struct tn_job gate, other;

    open_team(2, 4);
    gate = close_gate();
    other = submit(square, 3);
    REQUIRE(kill(atomic_load(&shared->pid), SIGKILL) == 0);
    CHECK(readable(team.done, 5000));
    CHECK_EQ(state_of(gate), TN_JOB_FAILED);
    CHECK_EQ(state_of(other), TN_JOB_DONE);
    tn_team_close(&team, 0);
    expect_no_child();
}

TEST(a_job_that_never_ends_is_killed_alone_and_its_worker_replaced)
{
    struct tn_job gate, queued, other;
    uint32_t state;
    int64_t unused;

    open_team(1, 4);
    gate = close_gate();
    queued = submit(square, 3);
    other = submit(square, 3);
    CHECK_EQ(tn_team_wait(&team, gate, &unused, 0, &state, later(20)), 0);
    CHECK_EQ(tn_team_kill(&team, queued), 1);
    CHECK_EQ(state_of(queued), TN_JOB_CANCELLED);
    tn_team_clear(&team);
    CHECK_EQ(tn_team_kill(&team, gate), 1);
    CHECK_EQ(team.children.live, 1); /* it does not rest */
    CHECK(readable(team.done, 0));
    CHECK_EQ(tn_team_kill(&team, gate), 0);
    CHECK_EQ(state_of(gate), TN_JOB_FAILED);
    CHECK_EQ(state_of(other), TN_JOB_DONE);
    tn_team_close(&team, 0);
    expect_no_child();
}

TEST(a_job_that_has_answered_is_not_killed)
{
    struct tn_job job;
    int64_t y = 0;
    uint32_t state;

    open_team(1, 4);
    job = submit(square, 5);
    CHECK(readable(team.done, 5000));
    CHECK_EQ(tn_team_kill(&team, job), 0);
    CHECK_EQ(tn_team_wait(&team, job, &y, sizeof y, &state, 0), 1);
    CHECK(state == TN_JOB_DONE && y == 25);
    tn_team_close(&team, 0);
}

TEST(a_child_of_the_program_that_holds_its_descriptors_delays_nothing)
{
    pid_t child;

    open_team(1, 4);
    child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        rest(10000);
        _exit(0);
    }
    CHECK_EQ(state_of(submit(crash, ABORT)), TN_JOB_FAILED);
    CHECK_EQ(state_of(submit(square, 3)), TN_JOB_DONE);
    tn_team_clear(&team);
    CHECK(!readable(team.done, 20));
    tn_team_close(&team, 0);
    REQUIRE(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    expect_no_child();
}

TEST(a_worker_that_dies_idle_costs_no_job)
{
    siginfo_t info;
    int64_t pid;
    uint32_t state;

    open_team(1, 4);
    for (int i = 0; i < 20; i++) {
        REQUIRE(tn_team_wait(&team, submit(tell_pid, 0), &pid, sizeof pid, &state, later(5000)) ==
                1);
        REQUIRE(kill((pid_t)pid, SIGKILL) == 0);
        REQUIRE(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
        CHECK_EQ(state_of(submit(square, 3)), TN_JOB_DONE);
    }
    tn_team_close(&team, 0);
    expect_no_child();
}

TEST(a_program_that_cannot_run_rests_longer_each_time_and_one_that_can_does_not)
{
    struct tn_job job[3];

    open_team(1, 4);
    for (int i = 0; i < 3; i++)
        job[i] = submit(write_time_and_crash, 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(state_of(job[i]), TN_JOB_FAILED);
    CHECK(shared->list[1] - shared->list[0] >= TN_REST_MIN_MS);
    CHECK(shared->list[2] - shared->list[1] >= 2 * TN_REST_MIN_MS);
    CHECK_EQ(state_of(submit(square, 3)), TN_JOB_DONE);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(state_of(submit(crash, i % WAYS)), TN_JOB_FAILED);
        CHECK_EQ(team.children.live, 1); /* at once */
        CHECK_EQ(state_of(submit(square, 3)), TN_JOB_DONE);
    }
    tn_team_close(&team, 0);
}

/* A loop that never waits for a job: it calls when `done` can be read. */
TEST(a_loop_that_only_heeds_done_gets_through_jobs_and_crashes)
{
    enum { JOBS = 40 };
    struct tn_job job[JOBS];
    uint32_t over[JOBS] = {0}, state;
    int64_t unused, end = later(8000);
    int left = JOBS;

    open_team(2, JOBS);
    for (int i = 0; i < JOBS; i++)
        job[i] = submit(i % 8 == 0 ? crash : square, i % WAYS);
    while (left > 0) {
        REQUIRE(readable(team.done, (int)(end - tn_sys_now_ms())));
        tn_team_clear(&team);
        for (int i = 0; i < JOBS; i++) {
            if (over[i] || tn_team_wait(&team, job[i], &unused, 0, &state, 0) != 1)
                continue;
            CHECK_EQ(state, i % 8 == 0 ? TN_JOB_FAILED : TN_JOB_DONE);
            over[i] = 1;
            left--;
        }
    }
    tn_team_close(&team, 0);
}

/* Sets its process a time to be killed at, in this job, a later one or between. */
static int32_t square_under_threat(void *data)
{
    const int64_t *x = data;
    const struct itimerval when = {{0, 0}, {0, 1 + *x % 1000}};

    if (*x % 7 == 0)
        (void)setitimer(ITIMER_REAL, &when, NULL); /* SIGALRM kills */
    for (volatile int i = 0; i < *x % 100 * 1000; i++)
        ;
    return square(data);
}

TEST_SLOW(no_job_is_lost_while_workers_are_killed_at_any_point, 30)
{
    enum { ROUNDS = 4000, AT_ONCE = 12 };
    struct tn_job job[AT_ONCE];
    int before = descriptors(), done = 0, failed = 0;

    open_team(3, AT_ONCE);
    for (int i = 0; i < ROUNDS + AT_ONCE; i++) {
        const int place = i % AT_ONCE;
        const uint32_t w = (uint32_t)i % 3;
        int64_t y = 0, x = i - AT_ONCE;
        uint32_t state = TN_JOB_FREE;

        if (i >= AT_ONCE) {
            REQUIRE(tn_team_wait(&team, job[place], &y, sizeof y, &state, later(20000)) == 1);
            CHECK(state == TN_JOB_DONE || state == TN_JOB_FAILED);
            CHECK(y == (state == TN_JOB_DONE ? x * x : x));
            done += state == TN_JOB_DONE;
            failed += state == TN_JOB_FAILED;
        }
        if (i < ROUNDS)
            job[place] = submit(square_under_threat, i);
        if (i % 50 == 0 && team.worker[w].end >= 0 && team.worker[w].useful == 1)
            REQUIRE(kill(team.children.pid[w], SIGKILL) == 0);
    }
    CHECK_EQ(done + failed, ROUNDS);
    CHECK(done > ROUNDS / 4 && failed > 20);
    tn_team_close(&team, 0);
    CHECK_EQ(descriptors(), before);
    expect_no_child();
}

static int32_t leave_child_and_crash(void *data)
{
    (void)data;
    if (fork() == 0) {
        wait_at_gate(NULL); /* it holds the worker's socket */
        _exit(0);
    }
    _exit(1);
}

TEST(a_crash_is_noticed_though_a_child_of_the_job_lives_on)
{
    open_team(1, 2);
    CHECK_EQ(state_of(submit(leave_child_and_crash, 0)), TN_JOB_FAILED);
    CHECK_EQ(state_of(submit(square, 3)), TN_JOB_DONE);
    open_gate();
    tn_team_close(&team, 0);
    expect_no_child();
}

static int32_t talk_nonsense(void *data)
{
    char page[1000] = {0};

    for (int fd = 3; fd < 1024; fd++)
        (void)send(fd, page, *(const size_t *)data, MSG_NOSIGNAL | MSG_DONTWAIT);
    return 0;
}

static int32_t talk_later(void *data)
{
    if (fork() == 0) {
        rest(200);
        (void)talk_nonsense(data);
        _exit(0);
    }
    return 0;
}

TEST(a_worker_that_sends_what_is_no_answer_fails_its_job)
{
    open_team(1, 2);
    CHECK_EQ(state_of(submit(talk_nonsense, 1)), TN_JOB_FAILED);
    CHECK_EQ(state_of(submit(talk_nonsense, 1000)), TN_JOB_FAILED);
    CHECK_EQ(state_of(submit(square, 3)), TN_JOB_DONE);
    /* As long as an answer, but to no job of this worker. */
    CHECK_EQ(state_of(submit(talk_nonsense, sizeof(struct tn_team_packet))), TN_JOB_FAILED);
    CHECK_EQ(state_of(submit(square, 3)), TN_JOB_DONE);
    /* ... and while it has none. */
    CHECK_EQ(state_of(submit(talk_later, sizeof(struct tn_team_packet))), TN_JOB_DONE);
    tn_team_clear(&team);
    CHECK(readable(team.done, 5000));
    tn_team_clear(&team);
    CHECK_EQ(state_of(submit(square, 3)), TN_JOB_DONE);
    tn_team_close(&team, 0);
    expect_no_child();
}

static int32_t count_descriptors(void *data)
{
    int64_t *n = data;

    *n = descriptors();
    return 0;
}

TEST(a_worker_has_the_standard_descriptors_and_one_more)
{
    int more[2], high;
    int64_t n = 0;
    uint32_t state;
    struct tn_job first;

    REQUIRE(pipe(more) == 0 && (high = dup2(more[0], 900)) == 900);
    open_team(2, 4);
    for (int i = 0; i < 4; i++) { /* those that replaced others, too */
        first = submit(count_descriptors, 0);
        REQUIRE(tn_team_wait(&team, first, &n, sizeof n, &state, later(5000)) == 1);
        CHECK_EQ(n, 4);
        CHECK_EQ(state_of(submit(crash, ABORT)), TN_JOB_FAILED);
    }
    tn_team_close(&team, 0);
}

static int32_t use_team(void *data)
{
    struct tn_job job = {0, 0};
    int64_t x = 0;
    uint32_t state;

    *(int64_t *)data = tn_team_submit(&team, square, &x, sizeof x, &job) == TN_EOF &&
                       tn_team_wait(&team, job, &x, 0, &state, TN_NEVER) == TN_ESTALE &&
                       tn_team_kill(&team, job) == TN_ESTALE &&
                       tn_team_map(&team, square, &x, sizeof x, 1, TN_NEVER) == TN_EOF;
    tn_team_clear(&team);
    tn_team_close(&team, 0);
    return 0;
}

TEST(in_a_worker_the_team_is_empty)
{
    int64_t right = 0;
    uint32_t state;

    open_team(2, 4);
    for (int i = 0; i < 3; i++) {
        REQUIRE(tn_team_wait(&team, submit(use_team, 0), &right, sizeof right, &state,
                             later(5000)) == 1);
        CHECK(right == 1 && state == TN_JOB_DONE);
    }
    tn_team_close(&team, 0);
    expect_no_child();
}

/* A program with a team of which one works without end, to be killed. */
static pid_t start_parent(void)
{
    const pid_t parent = fork();

    REQUIRE(parent >= 0);
    if (parent == 0) {
        (void)tn_team_open(&team, 3, 4);
        (void)close_gate();
        atomic_store(&shared->count, 1);
        rest(10000);
        _exit(1);
    }
    return parent;
}

TEST(workers_end_with_their_parent_even_when_it_is_killed)
{
    int status, orphans = 0;
    pid_t parent, pid;

    shared = tn_shared_open(sizeof *shared);
    REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); /* orphans come to us */
    parent = start_parent();
    while (atomic_load(&shared->count) == 0)
        rest(1);
    REQUIRE(kill(parent, SIGKILL) == 0);
    while ((pid = waitpid(-1, &status, 0)) > 0) {
        CHECK(pid != atomic_load(&shared->pid) || WTERMSIG(status) == SIGKILL);
        orphans += pid != parent;
    }
    CHECK_EQ(orphans, 3);
}

TEST(two_teams_and_a_stranger_do_not_disturb_each_other)
{
    static struct tn_team second;
    struct tn_job job;
    int64_t x = 3, y = 0;
    uint32_t state;
    int status;
    pid_t stranger;

    open_team(1, 4);
    REQUIRE(tn_team_open(&second, 1, 4) == 1);
    stranger = fork();
    REQUIRE(stranger >= 0);
    if (stranger == 0)
        _exit(7);
    REQUIRE(tn_team_submit(&second, crash, &x, sizeof x, &job) == 1);
    CHECK_EQ(state_of(submit(crash, ABORT)), TN_JOB_FAILED);
    CHECK_EQ(tn_team_wait(&second, job, &y, sizeof y, &state, later(5000)), 1);
    CHECK_EQ(state, TN_JOB_FAILED);
    tn_team_close(&team, 0);
    REQUIRE(tn_team_submit(&second, square, &x, sizeof x, &job) == 1);
    CHECK_EQ(tn_team_wait(&second, job, &y, sizeof y, &state, later(5000)), 1);
    CHECK_EQ(y, 9);
    tn_team_close(&second, 0);
    REQUIRE(waitpid(stranger, &status, 0) == stranger);
    CHECK_EQ(WEXITSTATUS(status), 7);
    expect_no_child();
}

TEST(a_team_out_of_range_or_without_descriptors_is_not_opened_and_leaves_nothing)
{
    const int before = descriptors();
    int opened = 0, refused = 0;

    CHECK_EQ(tn_team_open(&team, 0, 1), TN_EINVAL);
    CHECK_EQ(tn_team_open(&team, TN_TEAM_PROCESSES + 1, 1), TN_EINVAL);
    CHECK_EQ(tn_team_open(&team, 1, 0), TN_EINVAL);
    CHECK_EQ(tn_team_open(&team, 1, TN_JOBS + 1), TN_EINVAL);
    for (rlim_t more = 0; more < 12; more++) {
        const rlim_t allowed = allow_descriptors((rlim_t)before + more);
        const int32_t r = tn_team_open(&team, 2, 2);

        CHECK(r == 1 || r == TN_EFILES);
        if (r == 1) {
            CHECK_EQ(state_of(submit(square, 3)), TN_JOB_DONE);
            tn_team_close(&team, 0);
        }
        opened += r == 1;
        refused += r != 1;
        allow_descriptors(allowed);
        CHECK_EQ(descriptors(), before);
        expect_no_child();
    }
    CHECK(opened > 0 && refused > 0);
}

TEST(without_descriptors_for_a_new_worker_the_team_waits_and_goes_on)
{
    const int before = descriptors();
    struct tn_job job;
    uint32_t state;
    int64_t unused, end;
    rlim_t allowed;
    int wakes;

    open_team(1, 4);
    allowed = allow_descriptors((rlim_t)before);
    CHECK_EQ(state_of(submit(crash, ABORT)), TN_JOB_FAILED);
    job = submit(square, 3);
    end = later(300);
    for (wakes = 0; tn_sys_now_ms() < end; wakes++) {
        (void)readable(team.done, 50);
        tn_team_clear(&team);
    }
    CHECK(wakes < 30); /* it does not spin */
    CHECK_EQ(tn_team_wait(&team, job, &unused, 0, &state, 0), 0);
    allow_descriptors(allowed);
    CHECK_EQ(state_of(job), TN_JOB_DONE);
    tn_team_close(&team, 0);
    CHECK_EQ(descriptors(), before);
}
