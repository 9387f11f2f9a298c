/* Every schedule of a few threads around the job table.
 *
 * The crew's protocol (src/dispatch/crew.c) as steps that each happen at once: a
 * producer submits jobs and closes, workers take and do them, under one mutex
 * and one condition.  The table is the real one.  A search visits each state
 * that any order of the steps can reach, and at each: a thread that cannot go on
 * while nobody else can either, a job done twice, or one never done, is found.
 * Nobody wakes without being told to, for that would hide a wake-up that is
 * missing.
 *
 * The same search must find three mistakes that are planted. */
#include "dispatch/jobs.h"
#include "tap.h"

enum mistake { NONE, NO_WAKE_UP, LOST_NOTIFICATION, DOUBLE_TAKE };

enum { PRODUCER, FIRST_WORKER, SECOND_WORKER, THREADS, JOBS = 4, NOBODY = 9 };

/* Where a thread stands. */
enum place {
    P_LOCK,   /* producer: before the lock */
    P_SUBMIT, /* ... holding it */
    P_UNLOCK, /* ... before letting it go */
    W_LOCK,   /* worker: before the lock */
    W_TAKE,   /* ... holding it, before looking */
    W_SLEEP,  /* ... asleep until told */
    W_UNLOCK, /* ... holding it and a job */
    W_DO,     /* ... with a job, outside the lock */
    W_RELOCK, /* ... with a job done, before the lock */
    W_END,    /* ... holding it, with a job done */
    W_LEAVE,  /* ... holding it, with nothing left to do */
    W_DOZE,   /* a mistake: has looked, let the lock go, and not slept yet */
    W_MARK,   /* a mistake: has looked without the lock, and not taken yet */
    FINISHED
};

/* All that a schedule can change, small enough to be kept for each. */
struct world {
    uint8_t place[THREADS];
    uint8_t job[THREADS]; /* of a worker: what it does */
    uint8_t holder;       /* who holds the lock */
    uint8_t submitted;    /* jobs the producer has submitted */
    uint8_t closing;
    uint8_t done[JOBS];  /* how often each slot's job was done */
    uint8_t state[JOBS]; /* the table */
    uint8_t ticket[JOBS];
};

/* A search. */
struct search {
    enum mistake planted;
    int jobs;   /* how many the producer submits */
    int closes; /* 1 if it closes then; otherwise it just ends */
    int stuck, twice, undone;
    long rests; /* states in which nobody can go on */
    long states;
};

#include "search.h"

static void table_of(const struct world *w, struct tn_jobs *j)
{
    tn_jobs_init(j, JOBS);
    j->next = w->submitted;
    for (int i = 0; i < JOBS; i++) {
        j->state[i] = w->state[i];
        j->ticket[i] = w->ticket[i];
    }
}

static void keep_table(struct world *w, const struct tn_jobs *j)
{
    for (int i = 0; i < JOBS; i++) {
        w->state[i] = (uint8_t)j->state[i];
        w->ticket[i] = (uint8_t)j->ticket[i];
    }
}

/* Wakes one sleeper, whichever: each is a schedule of its own. */
static void wake_one(const struct world *w)
{
    int sleepers = 0;

    for (int t = FIRST_WORKER; t < THREADS; t++) {
        struct world next = *w;

        if (w->place[t] != W_SLEEP)
            continue;
        sleepers++;
        next.place[t] = W_LOCK;
        reach(&next);
    }
    if (sleepers == 0)
        reach(w);
}

static void wake_all(struct world *w)
{
    for (int t = FIRST_WORKER; t < THREADS; t++)
        if (w->place[t] == W_SLEEP)
            w->place[t] = W_LOCK;
}

/* The producer's next step; 0 if it cannot take one. */
static int produce(struct search *s, struct world w)
{
    struct tn_jobs j;

    switch (w.place[PRODUCER]) {
    case P_LOCK:
        if (w.holder != NOBODY)
            return 0;
        w.holder = PRODUCER;
        w.place[PRODUCER] = P_SUBMIT;
        break;
    case P_SUBMIT:
        w.place[PRODUCER] = P_UNLOCK;
        if (w.submitted == s->jobs) {
            w.closing = (uint8_t)s->closes;
            if (s->closes)
                wake_all(&w);
            w.submitted++; /* its last step is next */
            break;
        }
        table_of(&w, &j);
        REQUIRE(tn_jobs_submit(&j) != TN_NONE);
        keep_table(&w, &j);
        w.submitted++;
        if (s->planted != NO_WAKE_UP) {
            wake_one(&w);
            return 1;
        }
        break;
    case P_UNLOCK:
        w.holder = NOBODY;
        w.place[PRODUCER] = w.submitted > s->jobs ? FINISHED : P_LOCK;
        break;
    default:
        return 0;
    }
    reach(&w);
    return 1;
}

/* A worker that holds the lock looks for a job. */
static void look(struct search *s, struct world *w, int t)
{
    struct tn_jobs j;
    uint32_t slot;

    table_of(w, &j);
    slot = tn_jobs_take(&j);
    if (slot != TN_NONE) {
        keep_table(w, &j);
        w->job[t] = (uint8_t)slot;
        w->place[t] = W_UNLOCK;
    } else if (w->closing) {
        w->place[t] = W_LEAVE;
    } else {
        w->holder = NOBODY; /* waiting lets it go, in the same step */
        w->place[t] = s->planted == LOST_NOTIFICATION ? W_DOZE : W_SLEEP;
    }
}

/* A worker that looks without the lock: what it found may be gone when it takes
 * it. */
static void peek(struct world *w, int t)
{
    struct tn_jobs j;
    uint32_t slot;

    table_of(w, &j);
    slot = tn_jobs_take(&j);
    w->place[t] = slot != TN_NONE ? W_MARK : W_LOCK;
    w->job[t] = slot != TN_NONE ? (uint8_t)slot : 0;
}

static int can_lock(struct world *w, int t, enum place next)
{
    if (w->holder != NOBODY)
        return 0;
    w->holder = (uint8_t)t;
    w->place[t] = (uint8_t)next;
    return 1;
}

static void let_go(struct world *w, int t, enum place next)
{
    w->holder = NOBODY;
    w->place[t] = (uint8_t)next;
}

/* A worker's next step; 0 if it cannot take one. */
static int labour(struct search *s, struct world w, int t)
{
    switch (w.place[t]) {
    case W_LOCK:
        if (!can_lock(&w, t, W_TAKE))
            return 0;
        break;
    case W_TAKE:
        look(s, &w, t);
        break;
    case W_DOZE:
        w.place[t] = W_SLEEP;
        break;
    case W_MARK:
        w.state[w.job[t]] = TN_JOB_RUNNING;
        w.place[t] = W_DO;
        break;
    case W_UNLOCK:
        let_go(&w, t, W_DO);
        break;
    case W_DO:
        w.done[w.job[t]]++;
        s->twice += w.done[w.job[t]] > 1;
        w.place[t] = W_RELOCK;
        break;
    case W_RELOCK:
        if (!can_lock(&w, t, W_END))
            return 0;
        break;
    case W_END:
        w.state[w.job[t]] = TN_JOB_DONE; /* kept, so that its slot is not used again */
        let_go(&w, t, W_LOCK);
        if (s->planted == DOUBLE_TAKE)
            peek(&w, t);
        break;
    case W_LEAVE:
        let_go(&w, t, FINISHED);
        break;
    default:
        return 0;
    }
    reach(&w);
    return 1;
}

/* Looks at a state in which nobody can go on. */
static void judge(struct search *s, const struct world *w)
{
    s->rests++;
    for (int t = 0; t < THREADS; t++)
        s->stuck += s->closes && w->place[t] != FINISHED;
    for (int i = 0; i < s->jobs; i++)
        s->undone += w->done[i] == 0;
}

static struct search explore(enum mistake planted, int jobs, int closes)
{
    struct search s = {.planted = planted, .jobs = jobs, .closes = closes};
    struct world start;

    search_anew();
    memset(&start, 0, sizeof start);
    start.place[PRODUCER] = P_LOCK;
    start.place[FIRST_WORKER] = W_LOCK;
    start.place[SECOND_WORKER] = W_LOCK;
    start.holder = NOBODY;
    reach(&start);
    for (long i = 0; i < worlds; i++) {
        int went_on = produce(&s, world[i]);

        for (int t = FIRST_WORKER; t < THREADS; t++)
            went_on |= labour(&s, world[i], t);
        if (!went_on)
            judge(&s, &world[i]);
    }
    s.states = worlds;
    return s;
}

TEST(in_every_schedule_each_job_is_done_once_and_everybody_finishes)
{
    for (int jobs = 0; jobs <= JOBS; jobs++)
        for (int closes = 0; closes < 2; closes++) {
            struct search s = explore(NONE, jobs, closes);

            CHECK_EQ(s.stuck, 0);
            CHECK_EQ(s.twice, 0);
            CHECK_EQ(s.undone, 0);
            CHECK(s.rests >= 1);
            CHECK(s.states > 20 * (jobs + 1)); /* it did look */
        }
}

TEST(a_missing_wake_up_is_found)
{
    struct search s = explore(NO_WAKE_UP, 2, 0);

    CHECK(s.undone > 0);
}

TEST(a_lost_notification_is_found)
{
    struct search s = explore(LOST_NOTIFICATION, 2, 0), closing = explore(LOST_NOTIFICATION, 2, 1);

    CHECK(s.undone > 0);
    CHECK(closing.stuck > 0);
}

TEST(a_double_take_is_found)
{
    struct search s = explore(DOUBLE_TAKE, 3, 1);

    CHECK(s.twice > 0);
}
