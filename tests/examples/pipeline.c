/* Producers and consumers: pipeline [N].
 *
 * Two threads put the numbers 1 .. N into a channel, three take them from there and
 * put their squares into another, and the first thread adds those up.  Each stage
 * closes the channel after it when all of its threads have ended. */
#include "tenon.h"

#include <stdio.h>
#include <stdlib.h>

enum { SOURCES = 2, WORKERS = 3, PLACES = 16 };

static struct tn_channel numbers, squares;
static int64_t number_memory[PLACES], square_memory[PLACES];

/* Every SOURCES-th number from first to last. */
struct range {
    int64_t first, last;
};

static void *count(void *argument)
{
    const struct range *r = argument;

    for (int64_t x = r->first; x <= r->last; x += SOURCES)
        tn_channel_put(&numbers, &x, TN_NEVER);
    return NULL;
}

static void *square(void *argument)
{
    int64_t x;

    while (tn_channel_take(&numbers, &x, TN_NEVER) == 1) {
        x *= x;
        tn_channel_put(&squares, &x, TN_NEVER);
    }
    return argument;
}

/* Sees each stage to its end. */
static void *close_in_turn(void *argument)
{
    pthread_t *thread = argument;

    for (int i = 0; i < SOURCES; i++)
        pthread_join(thread[i], NULL);
    tn_channel_close(&numbers);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(thread[SOURCES + i], NULL);
    tn_channel_close(&squares);
    return NULL;
}

int main(int argc, char **argv)
{
    const int64_t n = argc > 1 ? strtoll(argv[1], NULL, 10) : 100;
    struct range range[SOURCES];
    pthread_t thread[SOURCES + WORKERS], closer;
    int64_t x, sum = 0;
    int error = 0;

    if (tn_channel_open(&numbers, number_memory, sizeof x, PLACES) < 0 ||
        tn_channel_open(&squares, square_memory, sizeof x, PLACES) < 0)
        return 1;
    for (int i = 0; i < SOURCES; i++) {
        range[i] = (struct range){i + 1, n};
        error |= pthread_create(&thread[i], NULL, count, &range[i]);
    }
    for (int i = 0; i < WORKERS; i++)
        error |= pthread_create(&thread[SOURCES + i], NULL, square, NULL);
    if (error != 0 || pthread_create(&closer, NULL, close_in_turn, thread) != 0)
        return 1;
    while (tn_channel_take(&squares, &x, TN_NEVER) == 1)
        sum += x;
    pthread_join(closer, NULL);
    printf("the squares of 1 .. %lld add up to %lld\n", (long long)n, (long long)sum);
    return 0;
}
