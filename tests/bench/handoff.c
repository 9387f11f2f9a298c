/* A job handed to a thread and its result back: a crew beside the same by hand,
 * with one mutex and two conditions: handoff PAIRS JOBS.  Prints the median ratio
 * of the times, and both median times in nanoseconds. */
#define _GNU_SOURCE
#include "dispatch/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MOST 101

static struct tn_crew crew;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t asked, answered;
    int has_job, has_result;
    int64_t value;
} hand = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0};

static int32_t add_one(void *data)
{
    ++*(int64_t *)data;
    return 0;
}

static void *work_by_hand(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&hand.lock);
    for (;;) {
        while (!hand.has_job)
            pthread_cond_wait(&hand.asked, &hand.lock);
        hand.has_job = 0;
        hand.value++;
        hand.has_result = 1;
        pthread_cond_signal(&hand.answered);
    }
    return NULL;
}

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double by_crew(int jobs)
{
    const double start = now_ns();

    for (int i = 0; i < jobs; i++) {
        int64_t x = i;
        struct tn_job job;
        uint32_t state;

        if (tn_crew_submit(&crew, add_one, &x, sizeof x, &job) != 1 ||
            tn_crew_wait(&crew, job, &x, sizeof x, &state, TN_NEVER) != 1 || x != i + 1)
            exit(1);
    }
    return (now_ns() - start) / jobs;
}

static double by_hand(int jobs)
{
    const double start = now_ns();

    for (int i = 0; i < jobs; i++) {
        pthread_mutex_lock(&hand.lock);
        hand.value = i;
        hand.has_job = 1;
        pthread_cond_signal(&hand.asked);
        while (!hand.has_result)
            pthread_cond_wait(&hand.answered, &hand.lock);
        hand.has_result = 0;
        if (hand.value != i + 1)
            exit(1);
        pthread_mutex_unlock(&hand.lock);
    }
    return (now_ns() - start) / jobs;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof v[0], by_size);
    return v[n / 2];
}

int main(int argc, char **argv)
{
    static double crew_ns[MOST], hand_ns[MOST], ratio[MOST];
    const int pairs = argc == 3 ? atoi(argv[1]) : 0, jobs = argc == 3 ? atoi(argv[2]) : 0;
    pthread_t id;

    if (pairs < 1 || pairs > MOST || jobs < 1)
        return 2;
    if (tn_crew_open(&crew, 1, 8) != 1 || pthread_create(&id, NULL, work_by_hand, NULL) != 0)
        return 1;
    for (int i = 0; i < pairs; i++) {
        crew_ns[i] = by_crew(jobs);
        hand_ns[i] = by_hand(jobs);
        ratio[i] = crew_ns[i] / hand_ns[i];
    }
    printf("%.2f %.0f %.0f\n", median(ratio, pairs), median(crew_ns, pairs),
           median(hand_ns, pairs));
    tn_crew_close(&crew, 0);
    return 0;
}
