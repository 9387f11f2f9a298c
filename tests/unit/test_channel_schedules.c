/* Every schedule of a few threads at a channel.
 *
 * The channel's protocol (src/dispatch/channel.c) as steps that each happen at once:
 * two producers put elements, two takers take them, another thread closes at any
 * time or never, under one mutex and two conditions.  The first of each side has a
 * deadline, which may come whenever it sleeps, or just when it is woken.  The ring is
 * the real one.  A search visits each state that any order of the steps can reach.
 * Found are, when nobody can go on: an element that nobody took, a thread asleep
 * though there is something for it to do; and at any time: an element taken twice,
 * or before an older one of its producer.  Nobody wakes without being told to, for
 * that would hide a wake-up that is missing.
 *
 * The same search must find six mistakes that are planted. */
#include "core/ring.h"
#include "tap.h"

enum mistake {
    NONE,
    NO_WAKE_UP,        /* a put tells nobody */
    LOST_NOTIFICATION, /* the lock is let go before the sleep begins */
    DOUBLE_TAKE,       /* a taker reads, and consumes under another lock */
    ONE_WOKEN_BY_CLOSE,
    GIVES_UP_UNSEEN, /* after the deadline, without looking again */
    CLOSE_DROPS      /* takers that see the close do not take what is left */
};

enum { FIRST_PRODUCER, SECOND_PRODUCER, FIRST_TAKER, SECOND_TAKER, CLOSER, THREADS };
enum { PRODUCERS = 2, EACH = 3, CAPACITY_MAX = 2, NOBODY = 9 };

enum place {
    LOCK,  /* before the lock */
    LOOK,  /* holding it, before looking */
    SLEEP, /* asleep until told, or until the deadline */
    WAKE,  /* told, before the lock */
    LATE,  /* woken by the deadline, before the lock */
    LAST,  /* ... holding it: the last look */
    UNLOCK,
    DOZE,   /* a mistake: has looked, let the lock go, and not slept yet */
    RELOCK, /* a mistake: has read, and not consumed yet */
    CONSUME,
    FINISHED
};

/* All that a schedule can change. */
struct world {
    uint8_t place[THREADS];
    uint8_t ends[THREADS]; /* 1: finished after the unlock */
    uint8_t put[PRODUCERS];
    uint8_t dropped[PRODUCERS]; /* elements that a deadline or the close kept out */
    uint8_t holder;
    uint8_t closed;
    uint8_t head, length;
    uint8_t data[CAPACITY_MAX];
    uint8_t read; /* a mistake: what the doubling taker saw */
    uint8_t taken[PRODUCERS][EACH];
};

#include "search.h"

struct search {
    enum mistake planted;
    uint32_t capacity;
    int closes;
    int undone, twice, reordered, stuck;
    long rests, states;
};

static int is_producer(int t)
{
    return t <= SECOND_PRODUCER;
}

static int has_deadline(int t)
{
    return t == FIRST_PRODUCER || t == FIRST_TAKER;
}

static uint8_t element(int producer, int number)
{
    return (uint8_t)(10 * producer + number);
}

static struct tn_ring ring_of(struct world *w, uint32_t capacity)
{
    struct tn_ring r;

    tn_ring_init(&r, w->data, capacity);
    r.head = w->head;
    r.length = w->length;
    return r;
}

static void keep_ring(struct world *w, const struct tn_ring *r)
{
    w->head = (uint8_t)r->head;
    w->length = (uint8_t)r->length;
    for (uint32_t i = 0; i < CAPACITY_MAX; i++) { /* what is free is all one state */
        const uint32_t at = (i + r->capacity - r->head) % r->capacity;

        if (i >= r->capacity || at >= r->length)
            w->data[i] = 0xff;
    }
}

/* Wakes one sleeper of a side, whichever: each is a schedule of its own. */
static void tell_one(const struct world *w, int producers)
{
    int sleepers = 0;

    for (int t = 0; t < CLOSER; t++) {
        struct world next = *w;

        if (w->place[t] != SLEEP || is_producer(t) != producers)
            continue;
        sleepers++;
        next.place[t] = WAKE;
        reach(&next);
        if (has_deadline(t)) { /* which came at the same moment */
            next.place[t] = LATE;
            reach(&next);
        }
    }
    if (sleepers == 0)
        reach(w);
}

static void tell_all(struct world *w, int most)
{
    for (int t = 0; t < CLOSER && most > 0; t++)
        if (w->place[t] == SLEEP) {
            w->place[t] = WAKE;
            most--;
        }
}

static void count_taken(struct search *s, struct world *w, uint8_t x)
{
    const int p = x / 10, n = x % 10;

    REQUIRE(p < PRODUCERS && n < EACH);
    for (int later = n + 1; later < EACH; later++)
        s->reordered += w->taken[p][later] > 0;
    w->taken[p][n]++;
    s->twice += w->taken[p][n] > 1;
}

/* Nothing to do for t, which holds the lock: it sleeps, and lets it go in the same
 * step, or leaves. */
static void wait_or_leave(const struct search *s, struct world *w, int t, int last)
{
    if (last) { /* its deadline is over */
        if (is_producer(t)) {
            w->dropped[t]++;
            w->put[t]++;
        }
        w->ends[t] = !is_producer(t) || w->put[t] == EACH;
        w->place[t] = UNLOCK;
        return;
    }
    w->holder = NOBODY;
    w->place[t] = s->planted == LOST_NOTIFICATION ? DOZE : SLEEP;
}

/* tn_channel_put, holding the lock. */
static void look_to_put(struct search *s, struct world *w, int t, int last)
{
    struct tn_ring r = ring_of(w, s->capacity);
    const uint8_t x = element(t, w->put[t]);

    if (w->closed) {
        w->dropped[t] = (uint8_t)(w->dropped[t] + EACH - w->put[t]);
        w->put[t] = EACH;
        w->ends[t] = 1;
        w->place[t] = UNLOCK;
    } else if (tn_ring_put(&r, &x, 1) == 0) {
        wait_or_leave(s, w, t, last);
    } else {
        keep_ring(w, &r);
        w->put[t]++;
        w->ends[t] = w->put[t] == EACH;
        w->place[t] = UNLOCK;
        if (s->planted != NO_WAKE_UP) {
            tell_one(w, 0);
            return;
        }
    }
    reach(w);
}

/* tn_channel_take, holding the lock. */
static void look_to_take(struct search *s, struct world *w, int t, int last)
{
    struct tn_ring r = ring_of(w, s->capacity);
    uint8_t x;

    if (s->planted == DOUBLE_TAKE && r.length > 0 && t == SECOND_TAKER) {
        w->read = r.data[r.head];
        w->holder = NOBODY;
        w->place[t] = RELOCK;
    } else if (s->planted == CLOSE_DROPS && w->closed) {
        w->ends[t] = 1;
        w->place[t] = UNLOCK;
    } else if (tn_ring_get(&r, &x, 1) == 1) {
        keep_ring(w, &r);
        count_taken(s, w, x);
        w->place[t] = UNLOCK;
        tell_one(w, 1);
        return;
    } else if (w->closed) {
        w->ends[t] = 1;
        w->place[t] = UNLOCK;
    } else {
        wait_or_leave(s, w, t, last);
    }
    reach(w);
}

static void look(struct search *s, struct world *w, int t, int last)
{
    if (t == CLOSER) {
        w->closed = 1;
        w->ends[t] = 1;
        w->place[t] = UNLOCK;
        tell_all(w, s->planted == ONE_WOKEN_BY_CLOSE ? 1 : THREADS);
        reach(w);
    } else if (last && s->planted == GIVES_UP_UNSEEN) {
        wait_or_leave(s, w, t, last);
        reach(w);
    } else if (is_producer(t)) {
        look_to_put(s, w, t, last);
    } else {
        look_to_take(s, w, t, last);
    }
}

static int hold(struct world *w, int t, enum place next)
{
    if (w->holder != NOBODY)
        return 0;
    w->holder = (uint8_t)t;
    w->place[t] = (uint8_t)next;
    reach(w);
    return 1;
}

/* The doubling taker consumes what it has read, if anything is left to consume. */
static void consume(struct search *s, struct world *w, int t)
{
    struct tn_ring r = ring_of(w, s->capacity);

    if (r.length > 0)
        tn_ring_consume(&r, 1);
    keep_ring(w, &r);
    count_taken(s, w, w->read);
    w->read = 0;
    w->place[t] = UNLOCK;
    tell_one(w, 1);
}

/* The next step of a thread; 0 if it cannot take one. */
static int step(struct search *s, struct world w, int t)
{
    switch ((enum place)w.place[t]) {
    case LOCK:
    case WAKE:
        return hold(&w, t, LOOK);
    case LATE:
        return hold(&w, t, LAST);
    case RELOCK:
        return hold(&w, t, CONSUME);
    case LOOK:
    case LAST:
        look(s, &w, t, w.place[t] == LAST);
        return 1;
    case CONSUME:
        consume(s, &w, t);
        return 1;
    case UNLOCK:
        w.holder = NOBODY;
        w.place[t] = w.ends[t] ? FINISHED : LOCK;
        break;
    case DOZE:
        w.place[t] = SLEEP;
        break;
    case SLEEP:
        if (!has_deadline(t))
            return 0;
        w.place[t] = LATE;
        break;
    case FINISHED:
        return 0;
    }
    reach(&w);
    return 1;
}

/* Looks at a state in which nobody can go on. */
static void judge(struct search *s, const struct world *w)
{
    int taken = 0, dropped = 0;

    s->rests++;
    for (int t = 0; t < THREADS; t++) /* without the close it waits for more */
        s->stuck += w->place[t] != FINISHED && (s->closes || t != SECOND_TAKER);
    for (int p = 0; p < PRODUCERS; p++) {
        dropped += w->dropped[p];
        for (int i = 0; i < EACH; i++)
            taken += w->taken[p][i];
    }
    s->undone += taken + dropped < PRODUCERS * EACH;
}

static struct search explore(enum mistake planted, uint32_t capacity, int closes)
{
    struct search s = {.planted = planted, .capacity = capacity, .closes = closes};
    struct world first;

    search_anew();
    memset(&first, 0, sizeof first);
    memset(first.data, 0xff, sizeof first.data);
    first.holder = NOBODY;
    first.place[CLOSER] = closes ? LOCK : FINISHED;
    reach(&first);
    for (long i = 0; i < worlds; i++) {
        int went_on = 0;

        for (int t = 0; t < THREADS; t++)
            went_on |= step(&s, world[i], t);
        if (!went_on)
            judge(&s, &world[i]);
    }
    s.states = worlds;
    return s;
}

TEST_SLOW(in_every_schedule_what_is_put_is_taken_once_in_order_and_nobody_sleeps_on, 60)
{
    for (uint32_t capacity = 1; capacity <= CAPACITY_MAX; capacity++)
        for (int closes = 0; closes < 2; closes++) {
            struct search s = explore(NONE, capacity, closes);

            CHECK_EQ(s.stuck, 0);
            CHECK_EQ(s.undone, 0);
            CHECK_EQ(s.twice, 0);
            CHECK_EQ(s.reordered, 0);
            CHECK(s.rests >= 1);
            CHECK(s.states > 20000); /* it did look */
        }
}

TEST(a_missing_wake_up_is_found)
{
    CHECK(explore(NO_WAKE_UP, 1, 0).undone > 0);
}

TEST(a_lost_notification_is_found)
{
    CHECK(explore(LOST_NOTIFICATION, 1, 0).undone > 0);
    CHECK(explore(LOST_NOTIFICATION, 1, 1).stuck > 0);
}

TEST(a_double_take_is_found)
{
    CHECK(explore(DOUBLE_TAKE, 2, 0).twice > 0);
}

TEST(a_close_that_leaves_sleepers_is_found)
{
    CHECK(explore(ONE_WOKEN_BY_CLOSE, 1, 1).stuck > 0);
}

TEST(a_wake_up_swallowed_by_a_deadline_is_found)
{
    CHECK(explore(GIVES_UP_UNSEEN, 1, 0).undone > 0);
}

TEST(what_a_close_drops_is_found)
{
    CHECK(explore(CLOSE_DROPS, 2, 1).undone > 0);
}
