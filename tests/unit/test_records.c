/* Records between processes: sizes, bounds, deadlines, ends, many to many. */
#define _GNU_SOURCE
#include "os/records.h"
#include "serve/server.h"
#include "tools.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct tn_records queue;
static struct tn_server server;

static void open_queue(uint32_t max, uint32_t capacity)
{
    REQUIRE(tn_records_open(&queue, max, capacity) == 1);
}

static int32_t start_child(void)
{
    const int32_t pid = tn_process_fork();

    REQUIRE(pid >= 0);
    return pid;
}

static int32_t put(int64_t x, int64_t deadline)
{
    return tn_records_put(&queue, &x, sizeof x, deadline);
}

/* The number taken, or the result below 1, which no test puts. */
static int64_t take(int64_t deadline)
{
    int64_t x = 0;
    const int32_t r = tn_records_take(&queue, &x, deadline);

    return r == (int32_t)sizeof x ? x : r;
}

TEST(records_of_one_byte_and_of_the_most_come_out_whole_and_in_order)
{
    static const uint32_t sizes[] = {1, 2, 7, 100, 4095, 4096};
    uint8_t *in = tn_guarded(TN_RECORD_MAX), *out = tn_guarded(TN_RECORD_MAX);

    CHECK_EQ(TN_RECORD_MAX, PIPE_BUF);
    open_queue(TN_RECORD_MAX, 16);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 6; i++) {
            memset(in, 'a' + i, sizes[i]);
            CHECK_EQ(tn_records_put(&queue, in, sizes[i], 0), 1);
        }
        for (int i = 0; i < 6; i++) {
            memset(in, 'a' + i, sizes[i]);
            CHECK_EQ(tn_records_take(&queue, out, 0), sizes[i]);
            CHECK_BYTES(out, in, sizes[i]);
        }
    }
    tn_records_close(&queue);
}

TEST(a_record_that_is_empty_or_too_long_is_refused_and_nothing_is_put)
{
    uint8_t record[TN_RECORD_MAX + 1] = {0};

    open_queue(TN_RECORD_MAX, 4);
    CHECK_EQ(tn_records_put(&queue, record, 0, TN_NEVER), TN_EINVAL);
    CHECK_EQ(tn_records_put(&queue, record, TN_RECORD_MAX + 1, TN_NEVER), TN_ETOOBIG);
    CHECK_EQ(tn_records_take(&queue, record, 0), 0);
    tn_records_close(&queue);
    open_queue(10, 4);
    CHECK_EQ(tn_records_put(&queue, record, 11, 0), TN_ETOOBIG);
    CHECK_EQ(tn_records_put(&queue, record, 10, 0), 1);
    CHECK_EQ(tn_records_take(&queue, tn_guarded(10), 0), 10);
    CHECK_EQ(tn_records_take(&queue, record, 0), 0);
    tn_records_close(&queue);
    CHECK_EQ(tn_records_open(&queue, 0, 1), TN_EINVAL);
    CHECK_EQ(tn_records_open(&queue, TN_RECORD_MAX + 1, 1), TN_EINVAL);
    CHECK_EQ(tn_records_open(&queue, 1, 0), TN_EINVAL);
    CHECK_EQ(tn_records_open(&queue, 1, TN_RECORDS + 1), TN_EINVAL);
}

TEST(it_holds_the_next_power_of_two_of_records_whatever_their_size)
{
    static const uint32_t wanted[] = {1, 2, 3, 8, 9, 64}, held[] = {1, 2, 4, 8, 16, 64};
    uint8_t record[TN_RECORD_MAX] = {0};

    for (int i = 0; i < 6; i++) {
        uint32_t n = 0;

        open_queue(TN_RECORD_MAX, wanted[i]);
        while (tn_records_put(&queue, record, n % 2 ? TN_RECORD_MAX : 1, 0) == 1)
            n++;
        CHECK_EQ(n, held[i]);
        for (uint32_t k = 0; k < n; k++)
            CHECK_EQ(tn_records_take(&queue, record, 0), k % 2 ? TN_RECORD_MAX : 1);
        CHECK_EQ(tn_records_take(&queue, record, 0), 0);
        tn_records_close(&queue);
    }
}

TEST(a_full_or_empty_queue_is_waited_at_up_to_the_deadline)
{
    int64_t end;

    open_queue(8, 2);
    CHECK_EQ(take(1), 0);
    end = later(60);
    CHECK_EQ(take(end), 0);
    CHECK_OVER_SINCE(end);
    CHECK_SHORT_WAITS(take(soon));
    CHECK_EQ(put(1, TN_NEVER), 1);
    CHECK_EQ(put(2, 1), 1);
    CHECK_EQ(put(3, 0), 0);
    CHECK_EQ(put(3, 1), 0);
    end = later(60);
    CHECK_EQ(put(3, end), 0);
    CHECK_OVER_SINCE(end);
    CHECK_SHORT_WAITS(put(3, soon));
    CHECK_EQ(take(0), 1);
    CHECK_EQ(put(4, 0), 1); /* one place is enough */
    CHECK_EQ(take(TN_NEVER), 2);
    CHECK_EQ(take(1), 4);
    CHECK_EQ(take(0), 0);
    tn_records_close(&queue);
}

static void ignore_signal(int number)
{
    (void)number;
}

static void *take_in_time(void *argument)
{
    const int64_t *deadline = argument;

    CHECK_EQ(take(*deadline), 0);
    return NULL;
}

TEST(a_signal_ends_no_wait)
{
    struct sigaction act = {.sa_handler = ignore_signal};
    int64_t end = later(100);
    pthread_t id;

    open_queue(8, 1);
    REQUIRE(sigaction(SIGUSR1, &act, NULL) == 0);
    id = start(take_in_time, &end);
    for (int i = 0; i < 5; i++) {
        rest(10);
        (void)pthread_kill(id, SIGUSR1);
    }
    join(id);
    CHECK_OVER_SINCE(end);
    tn_records_close(&queue);
}

TEST(the_end_of_all_writers_is_told_after_what_they_put)
{
    int32_t pid[2];

    open_queue(8, 8);
    for (int p = 0; p < 2; p++) {
        pid[p] = start_child();
        if (pid[p] == 0) {
            tn_close_if_open(&queue.take);
            rest(20);
            tn_process_exit(put(p + 1, TN_NEVER) == 1 ? 0 : 2);
        }
    }
    tn_close_if_open(&queue.put);
    CHECK_EQ(take(TN_NEVER) + take(later(8000)), 3);
    CHECK_EQ(take(later(8000)), TN_EOF);
    CHECK_EQ(take(0), TN_EOF);
    CHECK_EQ(take(TN_NEVER), TN_EOF);
    CHECK_EQ(put(1, TN_NEVER), TN_ESYSTEM);
    expect_good_end(pid[0]);
    expect_good_end(pid[1]);
    tn_records_close(&queue);
    CHECK_EQ(take(TN_NEVER), TN_ESYSTEM);
}

TEST(the_end_of_all_readers_is_told_and_raises_no_signal)
{
    sigset_t pipe_only, waiting;

    open_queue(8, 1);
    tn_close_if_open(&queue.take);
    CHECK_EQ(put(1, TN_NEVER), TN_ERESET); /* a signal would have ended the test */
    CHECK_EQ(sigpending(&waiting), 0);
    CHECK(!sigismember(&waiting, SIGPIPE));
    CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &waiting), 0); /* and it is blocked no more */
    CHECK(!sigismember(&waiting, SIGPIPE));
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    REQUIRE(sigprocmask(SIG_BLOCK, &pipe_only, NULL) == 0);
    CHECK_EQ(put(1, TN_NEVER), TN_ERESET);
    CHECK_EQ(sigpending(&waiting), 0);
    CHECK(!sigismember(&waiting, SIGPIPE));
    REQUIRE(pthread_kill(pthread_self(), SIGPIPE) == 0); /* one of the caller's own stays */
    CHECK_EQ(put(1, TN_NEVER), TN_ERESET);
    CHECK_EQ(sigpending(&waiting), 0);
    CHECK(sigismember(&waiting, SIGPIPE));
    CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &waiting), 0);
    CHECK(sigismember(&waiting, SIGPIPE));
    tn_records_close(&queue);
}

TEST(a_waiting_writer_is_told_when_the_last_reader_ends)
{
    int32_t reader;

    open_queue(8, 1);
    reader = start_child();
    if (reader == 0) {
        tn_close_if_open(&queue.put);
        rest(50);
        tn_process_exit(0);
    }
    tn_close_if_open(&queue.take);
    CHECK_EQ(put(1, 0), 1);
    CHECK_EQ(put(2, later(8000)), TN_ERESET);
    expect_good_end(reader);
    tn_records_close(&queue);
}

/* Who is killed while it waits, or between two records, leaves whole ones. */
TEST(killed_writers_leave_whole_records)
{
    uint8_t record[3000];

    for (int round = 0; round < 10; round++) {
        int32_t pid, got;

        open_queue(sizeof record, 4);
        pid = start_child();
        if (pid == 0) {
            tn_close_if_open(&queue.take);
            for (uint32_t i = 0;; i++) {
                memset(record, (int)i, sizeof record);
                if (tn_records_put(&queue, record, 1 + i * 37 % sizeof record, TN_NEVER) != 1)
                    tn_process_exit(2);
            }
        }
        tn_close_if_open(&queue.put);
        for (uint32_t i = 0; (got = tn_records_take(&queue, record, later(8000))) > 0; i++) {
            CHECK_EQ(got, 1 + i * 37 % sizeof record);
            CHECK(record[0] == (uint8_t)i && record[got - 1] == (uint8_t)i);
            if (i == 500)
                tn_process_kill(pid);
        }
        CHECK_EQ(got, TN_EOF);
        tn_records_close(&queue);
        tn_process_wait(pid, &(uint32_t){0});
    }
}

enum { PRODUCERS = 3, CONSUMERS = 3, EACH = 3000 };

/* What the consumers saw, in memory that the test sees too. */
struct account {
    uint32_t seen[PRODUCERS][EACH];
};

/* A record as long as its number says, all of it of one value. */
struct element {
    uint32_t producer;
    uint32_t number;
    uint8_t filler[600];
};

static uint32_t length_of(uint32_t producer, uint32_t number)
{
    return 8 + (number * 7 + producer) % 600;
}

static int64_t some_deadline(uint32_t i)
{
    return i % 3 == 0 ? TN_NEVER : i % 3 == 1 ? later(1) : 0;
}

static int produce(uint32_t producer)
{
    struct element e;
    uint32_t tries = 0;
    int32_t r = 1;

    for (uint32_t i = 0; i < EACH && r == 1; i++) {
        e.producer = producer;
        e.number = i;
        memset(e.filler, (int)(i + producer), sizeof e.filler);
        do {
            r = tn_records_put(&queue, &e, length_of(producer, i), some_deadline(tries++));
        } while (r == 0);
    }
    return r == 1 ? 0 : 2;
}

static int consume(struct account *a)
{
    int64_t last[PRODUCERS] = {-1, -1, -1};
    struct element e;
    uint32_t tries = 0;
    int32_t r;

    while ((r = tn_records_take(&queue, &e, some_deadline(tries++))) >= 0) {
        if (r == 0)
            continue;
        if (e.producer >= PRODUCERS || e.number >= EACH || last[e.producer] >= e.number ||
            (uint32_t)r != length_of(e.producer, e.number))
            return 3;
        for (int32_t i = 0; i < r - 8; i++)
            if (e.filler[i] != (uint8_t)(e.number + e.producer))
                return 4;
        last[e.producer] = e.number;
        (void)__atomic_fetch_add(&a->seen[e.producer][e.number], 1u, __ATOMIC_SEQ_CST);
    }
    return r == TN_EOF ? 0 : 5;
}

TEST(many_to_many_processes_lose_nothing_double_nothing_and_keep_each_producers_order)
{
    struct account *a = tn_shared_open(sizeof *a);
    int32_t pid[PRODUCERS + CONSUMERS];

    REQUIRE(a != NULL);
    open_queue(sizeof(struct element), 8);
    for (uint32_t p = 0; p < PRODUCERS + CONSUMERS; p++) {
        pid[p] = start_child();
        if (pid[p] == 0) {
            tn_close_if_open(p < PRODUCERS ? &queue.take : &queue.put);
            tn_process_exit(p < PRODUCERS ? produce(p) : consume(a));
        }
    }
    tn_records_close(&queue);
    for (int p = 0; p < PRODUCERS + CONSUMERS; p++)
        expect_good_end(pid[p]);
    for (int p = 0; p < PRODUCERS; p++)
        for (int i = 0; i < EACH; i++)
            CHECK_EQ(a->seen[p][i], 1);
    tn_shared_close(a, sizeof *a);
}

static void *consume_in_thread(void *argument)
{
    CHECK_EQ(consume(argument), 0);
    return NULL;
}

static void *produce_in_thread(void *argument)
{
    const uint32_t *p = argument;

    CHECK_EQ(produce(*p), 0);
    return NULL;
}

TEST(threads_may_share_an_end)
{
    static struct account a;
    uint32_t name[PRODUCERS] = {0, 1, 2};
    pthread_t producer[PRODUCERS], consumer[CONSUMERS];

    open_queue(sizeof(struct element), 2);
    for (int c = 0; c < CONSUMERS; c++)
        consumer[c] = start(consume_in_thread, &a);
    for (int p = 0; p < PRODUCERS; p++)
        producer[p] = start(produce_in_thread, &name[p]);
    for (int p = 0; p < PRODUCERS; p++)
        join(producer[p]);
    close(queue.put);
    for (int c = 0; c < CONSUMERS; c++)
        join(consumer[c]);
    for (int p = 0; p < PRODUCERS; p++)
        for (int i = 0; i < EACH; i++)
            CHECK_EQ(a.seen[p][i], 1);
    close(queue.take);
}

TEST(a_record_is_an_event_of_the_loop_and_so_is_the_end)
{
    const struct tn_options options = {0};
    struct tn_event ev;
    int32_t watch;

    open_queue(8, 4);
    REQUIRE(tn_init(&server, &options) == 1);
    watch = tn_watch(&server, queue.take);
    REQUIRE(watch >= 0);
    CHECK_EQ(tn_next(&server, &ev, 0), 0);
    CHECK_EQ(put(1, 0), 1);
    CHECK_EQ(put(2, 0), 1);
    for (int64_t x = 1; x <= 2; x++) {
        CHECK_EQ(tn_next(&server, &ev, 5000), 1);
        CHECK(ev.type == TN_READY && ev.watch == (uint32_t)watch);
        CHECK_EQ(take(0), x);
    }
    CHECK_EQ(tn_next(&server, &ev, 0), 0);
    tn_close_if_open(&queue.put);
    CHECK_EQ(tn_next(&server, &ev, 5000), 1);
    CHECK_EQ(take(0), TN_EOF);
    REQUIRE(tn_unwatch(&server, (uint32_t)watch) == 1);
    tn_fini(&server);
    tn_records_close(&queue);
}

TEST(no_descriptor_is_left)
{
    const int before = descriptors();

    open_queue(8, 1);
    CHECK_EQ(descriptors(), before + 2);
    tn_records_close(&queue);
    CHECK(queue.take == -1 && queue.put == -1);
    tn_records_close(&queue);
    CHECK_EQ(tn_records_open(&queue, 0, 1), TN_EINVAL);
    CHECK_EQ(descriptors(), before);
}

/* Each user may have so many pages in pipes. */
TEST(a_pipe_that_is_not_granted_is_closed_again)
{
    const int before = descriptors();
    int32_t r = 1, opened = 0;

    if (getuid() == 0 && setuid(65534) != 0)
        tap_skip();
    while (opened < 400 && (r = tn_records_open(&queue, 8, TN_RECORDS)) == 1)
        opened++;
    CHECK(r == 1 || r == TN_EACCESS || r == TN_EFILES);
    CHECK_EQ(descriptors(), before + 2 * opened);
}
