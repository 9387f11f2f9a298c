/* The channel: order, bounds, deadlines, ends, many to many. */
#define _GNU_SOURCE
#include "dispatch/channel.h"
#include "tools.h"

#include <string.h>

static struct tn_channel channel;

static void open_numbers(uint32_t capacity)
{
    static int64_t memory[64];

    REQUIRE(capacity <= 64);
    REQUIRE(tn_channel_open(&channel, memory, sizeof memory[0], capacity) == 1);
}

static int32_t put(int64_t x, int64_t deadline)
{
    return tn_channel_put(&channel, &x, deadline);
}

/* The number taken, or the result below 1, which no test puts. */
static int64_t take(int64_t deadline)
{
    int64_t x = 0;
    const int32_t r = tn_channel_take(&channel, &x, deadline);

    return r == 1 ? x : r;
}

TEST(elements_of_any_size_come_out_as_they_went_in_and_in_order)
{
    for (uint32_t size = 1; size <= 70; size += size < 10 ? 1 : 13)
        for (uint32_t capacity = 1; capacity <= 5; capacity++) {
            uint8_t *memory = tn_guarded((size_t)size * capacity);
            uint8_t *in = tn_guarded(size), *out = tn_guarded(size);

            REQUIRE(tn_channel_open(&channel, memory, size, capacity) == 1);
            for (uint32_t i = 0; i < 3 * capacity; i++) {
                for (uint32_t k = 0; k < capacity; k++) {
                    memset(in, (int)(10 * i + k), size);
                    CHECK_EQ(tn_channel_put(&channel, in, 0), 1);
                }
                CHECK_EQ(tn_channel_put(&channel, in, 0), 0);
                for (uint32_t k = 0; k < capacity; k++) {
                    memset(in, (int)(10 * i + k), size);
                    CHECK_EQ(tn_channel_take(&channel, out, 0), 1);
                    CHECK_BYTES(out, in, size);
                }
                CHECK_EQ(tn_channel_take(&channel, out, 0), 0);
            }
            tn_channel_fini(&channel);
        }
}

TEST(a_size_or_a_capacity_out_of_range_is_refused)
{
    uint8_t memory[1];

    CHECK_EQ(tn_channel_open(&channel, memory, 0, 1), TN_EINVAL);
    CHECK_EQ(tn_channel_open(&channel, memory, 1, 0), TN_EINVAL);
    CHECK_EQ(tn_channel_open(&channel, memory, 2, TN_RING_MAX / 2 + 1), TN_EINVAL);
    CHECK_EQ(tn_channel_open(&channel, memory, 0x10000, 0x10001), TN_EINVAL);
}

TEST(a_full_channel_refuses_up_to_the_deadline_and_loses_nothing)
{
    int64_t end;

    open_numbers(2);
    CHECK_EQ(put(1, 0), 1);
    CHECK_EQ(put(2, TN_NEVER), 1);
    CHECK_EQ(put(3, 0), 0);
    CHECK_EQ(put(3, 1), 0);
    end = later(60);
    CHECK_EQ(put(3, end), 0);
    CHECK_OVER_SINCE(end);
    CHECK_SHORT_WAITS(put(3, soon));
    CHECK_EQ(take(0), 1);
    CHECK_EQ(put(4, 1), 1);
    CHECK_EQ(take(TN_NEVER), 2);
    CHECK_EQ(take(0), 4);
    tn_channel_fini(&channel);
}

TEST(an_empty_channel_is_waited_at_up_to_the_deadline)
{
    int64_t end;

    open_numbers(2);
    CHECK_EQ(take(0), 0);
    CHECK_EQ(take(1), 0);
    end = later(60);
    CHECK_EQ(take(end), 0);
    CHECK_OVER_SINCE(end);
    CHECK_SHORT_WAITS(take(soon));
    tn_channel_fini(&channel);
}

TEST(what_is_left_at_the_close_is_taken_before_the_end_is_told)
{
    open_numbers(3);
    CHECK_EQ(put(1, 0), 1);
    CHECK_EQ(put(2, 0), 1);
    tn_channel_close(&channel);
    tn_channel_close(&channel);
    CHECK_EQ(put(3, 0), TN_EOF);
    CHECK_EQ(put(3, TN_NEVER), TN_EOF);
    CHECK_EQ(take(0), 1);
    CHECK_EQ(take(TN_NEVER), 2);
    CHECK_EQ(take(0), TN_EOF);
    CHECK_EQ(take(TN_NEVER), TN_EOF);
    tn_channel_fini(&channel);
}

struct waiter {
    int puts;
    int64_t deadline;
    int64_t result;
};

static void *wait_at_channel(void *argument)
{
    struct waiter *w = argument;

    w->result = w->puts ? put(9, w->deadline) : take(w->deadline);
    return NULL;
}

TEST(who_waits_goes_on_when_the_other_side_comes)
{
    const int64_t deadlines[] = {later(8000), TN_NEVER};

    for (int i = 0; i < 2; i++) {
        struct waiter taker = {0, deadlines[i], -99}, putter = {1, deadlines[i], -99};
        pthread_t id;

        open_numbers(1);
        id = start(wait_at_channel, &taker);
        rest(20);
        CHECK_EQ(put(5, 0), 1);
        join(id);
        CHECK_EQ(taker.result, 5);
        CHECK_EQ(put(6, 0), 1);
        id = start(wait_at_channel, &putter);
        rest(20);
        CHECK_EQ(take(0), 6);
        join(id);
        CHECK_EQ(putter.result, 1);
        CHECK_EQ(take(0), 9);
        tn_channel_fini(&channel);
    }
}

TEST(closing_wakes_all_who_wait_on_either_side)
{
    enum { WAITERS = 6 };

    for (int puts = 0; puts < 2; puts++) {
        struct waiter w[WAITERS];
        pthread_t id[WAITERS];

        open_numbers(1);
        if (puts)
            CHECK_EQ(put(1, 0), 1);
        for (int i = 0; i < WAITERS; i++) {
            w[i] = (struct waiter){puts, i % 2 ? TN_NEVER : later(9000), -99};
            id[i] = start(wait_at_channel, &w[i]);
        }
        rest(50);
        tn_channel_close(&channel);
        for (int i = 0; i < WAITERS; i++) {
            join(id[i]);
            CHECK_EQ(w[i].result, TN_EOF);
        }
        CHECK_EQ(take(0), puts ? 1 : TN_EOF);
        tn_channel_fini(&channel);
    }
}

enum { PRODUCERS = 3, CONSUMERS = 3, EACH = 5000 };

/* Long enough to be torn, if two could be at it at once. */
struct element {
    uint32_t producer;
    uint32_t number;
    uint8_t filler[504];
};

/* Each consumer's own account. */
struct account {
    uint8_t seen[PRODUCERS][EACH];
    int64_t last[PRODUCERS];
    int32_t end;
};

static struct account account[CONSUMERS];

/* Every way to wait, in turn. */
static int64_t some_deadline(uint32_t i)
{
    return i % 3 == 0 ? TN_NEVER : i % 3 == 1 ? later(1) : 0;
}

static void *produce(void *argument)
{
    const uint32_t *producer = argument;
    struct element e = {.producer = *producer};
    uint32_t tries = 0;

    for (uint32_t i = 0; i < EACH; i++) {
        e.number = i;
        memset(e.filler, (int)(i + e.producer), sizeof e.filler);
        while (tn_channel_put(&channel, &e, some_deadline(tries)) == 0)
            tries++;
        tries++;
    }
    return NULL;
}

static int is_whole(const struct element *e)
{
    const uint8_t filler = (uint8_t)(e->number + e->producer);

    for (size_t i = 0; i < sizeof e->filler; i++)
        if (e->filler[i] != filler)
            return 0;
    return 1;
}

static void *consume(void *argument)
{
    struct account *a = argument;
    struct element e = {.producer = 0};
    uint32_t tries = 0;
    int32_t r;

    while ((r = tn_channel_take(&channel, &e, some_deadline(tries))) >= 0) {
        tries++;
        if (r == 0)
            continue;
        if (e.producer >= PRODUCERS || e.number >= EACH)
            break;
        CHECK(is_whole(&e));
        CHECK(a->last[e.producer] < (int64_t)e.number);
        a->last[e.producer] = e.number;
        a->seen[e.producer][e.number]++;
    }
    a->end = r;
    return NULL;
}

TEST(many_to_many_lose_nothing_double_nothing_and_keep_each_producers_order)
{
    for (uint32_t capacity = 1; capacity <= 7; capacity += 3) {
        static struct element memory[7];
        uint32_t name[PRODUCERS];
        pthread_t producer[PRODUCERS], consumer[CONSUMERS];

        memset(account, 0, sizeof account);
        REQUIRE(tn_channel_open(&channel, memory, sizeof memory[0], capacity) == 1);
        for (int c = 0; c < CONSUMERS; c++) {
            memset(account[c].last, 0xff, sizeof account[c].last); /* -1 */
            consumer[c] = start(consume, &account[c]);
        }
        for (uint32_t p = 0; p < PRODUCERS; p++) {
            name[p] = p;
            producer[p] = start(produce, &name[p]);
        }
        for (int p = 0; p < PRODUCERS; p++)
            join(producer[p]);
        tn_channel_close(&channel);
        for (int c = 0; c < CONSUMERS; c++) {
            join(consumer[c]);
            CHECK_EQ(account[c].end, TN_EOF);
        }
        for (int p = 0; p < PRODUCERS; p++)
            for (int i = 0; i < EACH; i++) {
                int times = 0;

                for (int c = 0; c < CONSUMERS; c++)
                    times += account[c].seen[p][i];
                CHECK_EQ(times, 1);
            }
        tn_channel_fini(&channel);
    }
}

TEST(a_channel_opens_no_descriptor)
{
    const int before = descriptors();

    open_numbers(1);
    CHECK_EQ(descriptors(), before);
    tn_channel_fini(&channel);
}
