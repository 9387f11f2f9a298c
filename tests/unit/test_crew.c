/* A crew of threads: results, order, limits, deadlines, ends. */
#define _GNU_SOURCE
#include "dispatch/crew.h"
#include "serve/server.h"
#include "tools.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tn_crew crew;
static struct tn_server server;

/* Waits until a byte can be read from the descriptor that it is given: tests
 * decide when it ends. */
static int32_t wait_for_byte(void *data)
{
    const int64_t *fd = data;
    char c;

    return read((int)*fd, &c, 1) == 1 ? 0 : -1;
}

struct entry {
    int64_t number;
    int64_t *list;
    int64_t *count;
};

static int32_t write_down(void *data)
{
    struct entry *e = data;

    e->list[*e->count] = e->number;
    ++*e->count;
    return 0;
}

/* A job that occupies a thread until its pipe is written to. */
struct gate {
    int end[2];
    struct tn_job job;
};

static void gate_close(struct gate *g)
{
    int64_t fd;

    REQUIRE(pipe(g->end) == 0);
    fd = g->end[0];
    REQUIRE(tn_crew_submit(&crew, wait_for_byte, &fd, sizeof fd, &g->job) == 1);
}

static void gate_open(const struct gate *g)
{
    REQUIRE(write(g->end[1], "x", 1) == 1);
}

static uint32_t state_of(struct tn_job job)
{
    uint32_t state = TN_JOB_FREE;
    int64_t unused;

    return tn_crew_wait(&crew, job, &unused, 0, &state, later(5000)) == 1 ? state : TN_JOB_FREE;
}

TEST(a_job_gives_back_what_it_made_of_its_data_and_only_once)
{
    struct tn_job job, other;
    int64_t x = 12, y = 0;
    uint32_t state = 0;

    REQUIRE(tn_crew_open(&crew, 2, 8) == 1);
    REQUIRE(tn_crew_submit(&crew, square, &x, sizeof x, &job) == 1);
    CHECK_EQ(tn_crew_wait(&crew, job, &y, sizeof y, &state, TN_NEVER), 1);
    CHECK_EQ(y, 144);
    CHECK_EQ(state, TN_JOB_DONE);
    CHECK_EQ(x, 12);
    CHECK_EQ(tn_crew_wait(&crew, job, &y, sizeof y, &state, 0), TN_ESTALE);
    CHECK_EQ(tn_crew_cancel(&crew, job), TN_ESTALE);
    REQUIRE(tn_crew_submit(&crew, refuse, &x, sizeof x, &other) == 1); /* in the same slot */
    CHECK_EQ(tn_crew_wait(&crew, job, &y, sizeof y, &state, 0), TN_ESTALE);
    CHECK_EQ(tn_crew_cancel(&crew, job), TN_ESTALE);
    CHECK_EQ(state_of(other), TN_JOB_FAILED);
    tn_crew_close(&crew, 0);
}

TEST(one_thread_does_jobs_in_the_order_they_came)
{
    enum { JOBS = 50 };
    struct tn_job job[JOBS];
    int64_t list[JOBS], count = 0;
    struct gate g;

    REQUIRE(tn_crew_open(&crew, 1, JOBS + 1) == 1);
    gate_close(&g);
    for (int64_t i = 0; i < JOBS; i++) {
        struct entry e = {i, list, &count};

        REQUIRE(tn_crew_submit(&crew, write_down, &e, sizeof e, &job[i]) == 1);
    }
    gate_open(&g);
    for (int i = 0; i < JOBS; i++)
        CHECK_EQ(state_of(job[i]), TN_JOB_DONE);
    for (int i = 0; i < JOBS; i++)
        CHECK_EQ(list[i], i);
    CHECK_EQ(state_of(g.job), TN_JOB_DONE);
    tn_crew_close(&crew, 0);
}

TEST(a_full_table_says_so_and_loses_nothing)
{
    struct tn_job job[3], more;
    struct gate g;
    int64_t x = 3;

    REQUIRE(tn_crew_open(&crew, 1, 4) == 1);
    gate_close(&g);
    for (int i = 0; i < 3; i++)
        REQUIRE(tn_crew_submit(&crew, square, &x, sizeof x, &job[i]) == 1);
    CHECK_EQ(tn_crew_submit(&crew, square, &x, sizeof x, &more), TN_EFULL);
    CHECK_EQ(tn_crew_submit(&crew, square, &x, TN_JOB_BYTES + 1, &more), TN_ETOOBIG);
    gate_open(&g);
    CHECK_EQ(state_of(g.job), TN_JOB_DONE);
    CHECK_EQ(tn_crew_submit(&crew, square, &x, sizeof x, &more), 1);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(state_of(job[i]), TN_JOB_DONE);
    CHECK_EQ(state_of(more), TN_JOB_DONE);
    tn_crew_close(&crew, 0);
}

TEST(a_wait_for_a_job_that_never_ends_is_over_in_time_and_not_before)
{
    uint32_t state;
    int64_t unused, start;
    struct gate g;

    REQUIRE(tn_crew_open(&crew, 1, 4) == 1);
    gate_close(&g);
    start = tn_sys_now_ms();
    CHECK_EQ(tn_crew_wait(&crew, g.job, &unused, 0, &state, start + 120), 0);
    CHECK(tn_sys_now_ms() - start >= 120);
    CHECK_EQ(tn_crew_wait(&crew, g.job, &unused, 0, &state, 0), 0);
    gate_open(&g);
    CHECK_EQ(state_of(g.job), TN_JOB_DONE);
    tn_crew_close(&crew, 0);
}

TEST(what_nobody_has_begun_is_cancelled_and_what_has_begun_is_not)
{
    struct tn_job job, forgotten;
    int64_t x = 3;
    struct gate g;

    REQUIRE(tn_crew_open(&crew, 1, 3) == 1);
    gate_close(&g);
    REQUIRE(tn_crew_submit(&crew, square, &x, sizeof x, &job) == 1);
    REQUIRE(tn_crew_submit(&crew, square, &x, sizeof x, &forgotten) == 1);
    CHECK_EQ(tn_crew_cancel(&crew, job), 1);
    CHECK_EQ(tn_crew_cancel(&crew, job), 0);
    CHECK_EQ(state_of(job), TN_JOB_CANCELLED);
    CHECK_EQ(tn_crew_forget(&crew, forgotten), 1);
    CHECK_EQ(tn_crew_cancel(&crew, forgotten), TN_ESTALE);
    for (int i = 0; i < 2; i++) /* both slots are free again */
        CHECK_EQ(tn_crew_submit(&crew, square, &x, sizeof x, &job), 1);
    gate_open(&g);
    CHECK_EQ(state_of(g.job), TN_JOB_DONE);
    tn_crew_close(&crew, 0);
}

TEST(a_running_job_that_is_given_up_frees_its_slot_when_it_ends)
{
    struct tn_job job;
    int64_t x = 3, end = later(5000);
    struct gate g;

    REQUIRE(tn_crew_open(&crew, 1, 1) == 1);
    gate_close(&g);
    while (tn_crew_cancel(&crew, g.job) == 1) { /* until a thread has begun it */
        CHECK_EQ(state_of(g.job), TN_JOB_CANCELLED);
        close(g.end[0]);
        close(g.end[1]);
        gate_close(&g);
    }
    CHECK_EQ(tn_crew_forget(&crew, g.job), 1);
    CHECK_EQ(tn_crew_submit(&crew, square, &x, sizeof x, &job), TN_EFULL);
    gate_open(&g);
    while (tn_crew_submit(&crew, square, &x, sizeof x, &job) == TN_EFULL)
        REQUIRE(tn_sys_now_ms() < end);
    CHECK_EQ(state_of(job), TN_JOB_DONE);
    tn_crew_close(&crew, 0);
}

TEST(closing_does_what_is_queued_first_or_cancels_it)
{
    struct tn_job job;
    int64_t list[10], count = 0;
    struct entry e = {7, list, &count};
    struct gate g;

    for (uint32_t cancel = 0; cancel < 2; cancel++) {
        count = 0;
        REQUIRE(tn_crew_open(&crew, 1, 4) == 1);
        gate_close(&g);
        while (tn_crew_cancel(&crew, g.job) == 1) { /* until a thread has begun it */
            CHECK_EQ(state_of(g.job), TN_JOB_CANCELLED);
            gate_close(&g);
        }
        REQUIRE(tn_crew_submit(&crew, write_down, &e, sizeof e, &job) == 1);
        gate_open(&g);
        tn_crew_close(&crew, cancel);
        CHECK(count == 1 || cancel == 1);
        CHECK_EQ(tn_jobs_take(&crew.jobs), TN_NONE);
    }
}

TEST(a_map_changes_every_element_in_its_place)
{
    enum { COUNT = 1000 };
    static int64_t array[COUNT];

    REQUIRE(tn_crew_open(&crew, 4, 16) == 1);
    for (int64_t i = 0; i < COUNT; i++)
        array[i] = i;
    CHECK_EQ(tn_crew_map(&crew, square, array, sizeof array[0], COUNT, TN_NEVER), 1);
    for (int64_t i = 0; i < COUNT; i++)
        CHECK_EQ(array[i], i * i);
    CHECK_EQ(tn_crew_map(&crew, refuse, array, sizeof array[0], COUNT, TN_NEVER), TN_ERESET);
    CHECK_EQ(tn_crew_map(&crew, square, array, sizeof array[0], 3, TN_NEVER), 1);
    tn_crew_close(&crew, 0);
}

/* Every end of a job is an event of the pull engine: work off the loop. */
TEST(the_end_of_a_job_is_an_event_of_the_loop)
{
    const struct tn_options options = {0};
    struct tn_event ev;
    struct tn_job job;
    int64_t x = 5, y = 0;
    uint32_t state;
    int32_t watch;
    struct gate g;

    REQUIRE(tn_init(&server, &options) == 1);
    REQUIRE(tn_crew_open(&crew, 2, 4) == 1);
    watch = tn_watch(&server, crew.done);
    REQUIRE(watch >= 0);
    gate_close(&g);
    CHECK_EQ(tn_next(&server, &ev, 0), 0);
    REQUIRE(tn_crew_submit(&crew, square, &x, sizeof x, &job) == 1);
    CHECK_EQ(tn_next(&server, &ev, 5000), 1);
    CHECK(ev.type == TN_READY && ev.watch == (uint32_t)watch);
    tn_crew_clear(&crew);
    CHECK_EQ(tn_crew_wait(&crew, job, &y, sizeof y, &state, 0), 1);
    CHECK_EQ(y, 25);
    CHECK_EQ(tn_next(&server, &ev, 0), 0);
    gate_open(&g);
    CHECK_EQ(tn_next(&server, &ev, 5000), 1);
    REQUIRE(tn_unwatch(&server, (uint32_t)watch) == 1);
    tn_fini(&server);
    tn_crew_close(&crew, 1);
}

struct burst {
    int64_t jobs;
    int64_t sum;
};

/* Submits jobs of its own and adds up what they give. */
static void *submit_many(void *argument)
{
    struct burst *b = argument;

    for (int64_t i = 0; i < b->jobs; i++) {
        int64_t x = i;
        struct tn_job job;
        uint32_t state;

        while (tn_crew_submit(&crew, square, &x, sizeof x, &job) == TN_EFULL)
            (void)poll(NULL, 0, 0);
        if (tn_crew_wait(&crew, job, &x, sizeof x, &state, TN_NEVER) == 1)
            b->sum += x;
    }
    return NULL;
}

TEST(many_producers_and_many_workers_lose_no_job_and_do_none_twice)
{
    enum { PRODUCERS = 4, EACH = 2000 };
    struct burst burst[PRODUCERS];
    pthread_t id[PRODUCERS];
    int64_t expected = 0;

    for (int64_t i = 0; i < EACH; i++)
        expected += i * i;
    REQUIRE(tn_crew_open(&crew, 3, 5) == 1);
    for (int p = 0; p < PRODUCERS; p++) {
        burst[p].jobs = EACH;
        burst[p].sum = 0;
        REQUIRE(pthread_create(&id[p], NULL, submit_many, &burst[p]) == 0);
    }
    for (int p = 0; p < PRODUCERS; p++) {
        REQUIRE(pthread_join(id[p], NULL) == 0);
        CHECK_EQ(burst[p].sum, expected);
    }
    tn_crew_close(&crew, 0);
}
