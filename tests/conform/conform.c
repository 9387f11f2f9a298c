/* Random sequences of calls, each checked against the contracts of os/sys.h.
 *
 *     conform                      for CONFORM_SECONDS (default 10)
 *     conform --seed N             one episode, as a violation names it
 *     conform --mutants            each mutant of each clause: is it caught?
 *
 * An episode begins with nothing open but the standard streams, opens a
 * listener or two and foreign descriptors, lets peers connect, write, read,
 * finish, reset and close, and has some hundred calls made, among them every
 * call on what it hardly fits, as far as os/sys.h requires nothing else.  It
 * keeps to what os/sys.h takes for granted: one set at a time, empty when it is
 * closed.
 */
#define _GNU_SOURCE
#include "checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEPS 160u
#define LISTENERS 2
#define FOREIGNERS 5
#define MUTANT_SECONDS 5

static uint64_t state;
static uint32_t next_gen;
static int32_t listeners[LISTENERS];
static int32_t foreigners[FOREIGNERS];
static uint8_t peer_open[PEERS]; /* 1 open, 2 finished */
static uint8_t waiting[PEERS];   /* for which listener, + 1; 0 when taken */
static uint8_t our_finish[WINDOW];

/* --- chance -------------------------------------------------------------------------- */

static uint64_t random64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1du;
}

static uint32_t choose(uint32_t n)
{
    return (uint32_t)(random64() >> 32) % n;
}

static void seeded(uint64_t seed)
{
    seed += 0x9e3779b97f4a7c15u;
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebu;
    state = (seed ^ (seed >> 31)) | 1u;
}

/* A descriptor of which holds() is true, at random; -1 when there is none. */
static int32_t any(int (*holds)(int32_t fd))
{
    uint32_t start = choose(WINDOW);

    for (uint32_t i = 0; i < WINDOW; i++) {
        int32_t fd = (int32_t)((start + i) % WINDOW);

        if (holds(fd))
            return fd;
    }
    return -1;
}

static int is_ours(int32_t fd)
{
    return checks_model()->open[fd] == 1;
}

static int is_connection(int32_t fd)
{
    return is_ours(fd) && checks_peer_of(fd) >= 0;
}

static int is_registered(int32_t fd)
{
    return checks_model()->reg[fd] == 1;
}

static int can_be_added(int32_t fd)
{
    return checks_model()->open[fd] != 0 && fd > 2 && fd != checks_set() && !is_registered(fd);
}

static int is_for_recv(int32_t fd)
{
    return is_connection(fd) || (!beneath_strict && is_ours(fd) && choose(4) == 0);
}

static int is_for_send(int32_t fd)
{
    return is_for_recv(fd) && !(beneath_strict && our_finish[fd]);
}

static uint32_t any_mask(void)
{
    static const uint32_t masks[] = {TN_READ, TN_READ, TN_WRITE, TN_READ | TN_WRITE, 0};

    return masks[choose(5)];
}

/* By edge only connections are registered, once and for everything. */
static uint32_t any_mask_to_add(int32_t fd)
{
    const uint32_t mask = TN_EDGE | TN_READ | TN_WRITE | TN_ENDED;

    return is_connection(fd) && choose(3) > 0 ? mask : any_mask();
}

static int can_be_modified(int32_t fd)
{
    return is_registered(fd) && !(checks_model()->mask[fd] & TN_EDGE);
}

static int32_t any_peer(int finished_too)
{
    uint32_t start = choose(PEERS);

    for (uint32_t i = 0; i < PEERS; i++) {
        uint32_t p = (start + i) % PEERS;

        if (peer_open[p] == 1 || (finished_too && peer_open[p] == 2))
            return (int32_t)p;
    }
    return -1;
}

/* --- the surroundings act ------------------------------------------------------------ */

static void peer_connects(void)
{
    uint32_t l = choose(LISTENERS), queued = 0;
    int32_t peer;

    for (int p = 0; p < PEERS; p++)
        queued += waiting[p] == l + 1;
    if (listeners[l] < 0 || queued >= 4)
        return;
    peer = beneath_connect(listeners[l]);
    if (peer < 0)
        return;
    peer_open[peer] = 1;
    waiting[peer] = (uint8_t)(l + 1);
    checks_peer_connected(peer);
}

static void peer_acts(void)
{
    int32_t p = any_peer(1);
    uint32_t what = choose(32);

    if (p < 0)
        return;
    if (what < 14 && peer_open[p] == 1)
        checks_peer_writes(p, 1 + choose(choose(4) == 0 ? 3000 : 60), random64());
    else if (what < 24)
        checks_peer_reads(p, 1 + choose(choose(4) == 0 ? 8000 : 60), 0);
    else if (what < 27)
        checks_peer_reads(p, 8000, 1);
    else if (what < 29 && peer_open[p] == 1) {
        peer_open[p] = 2;
        checks_peer_finishes(p);
    } else if (what >= 30) {
        peer_open[p] = 0;
        checks_peer_ends(p, what == 31);
    }
}

static void foreigner_acts(void)
{
    uint32_t i = choose(FOREIGNERS);
    int32_t fd = foreigners[i];

    if (fd < 0)
        return;
    if (choose(2) == 0)
        beneath_foreign_fill(fd, 1 + choose(20));
    else
        beneath_foreign_drain(fd);
}

/* Foreign descriptors come and go, and their numbers with them. */
static void foreigner_moves(void)
{
    uint32_t i = choose(FOREIGNERS);

    if (foreigners[i] < 0) {
        foreigners[i] = beneath_foreign();
        checks_appeared(foreigners[i], 2);
    } else if (!is_registered(foreigners[i])) {
        beneath_foreign_close(foreigners[i]);
        checks_vanished(foreigners[i]);
        foreigners[i] = -1;
    }
}

/* --- the server calls ---------------------------------------------------------------- */

static void trouble(enum call call)
{
    if (choose(12) == 0)
        beneath_trouble(call, (uint32_t)random64() >> 8);
}

static void call_create(void)
{
    if (checks_set() >= 0)
        return;
    trouble(EPOLL_CREATE);
    (void)checked_epoll_create();
}

static void call_add(void)
{
    static const uint32_t extremes[] = {0, 1, 0x7fffffff, 0x80000000u, 0xffffffffu};
    int32_t fd = any(can_be_added);
    uint32_t slot = choose(4) == 0 ? extremes[choose(5)] : choose(1000);

    if (checks_set() < 0 || fd < 0)
        return;
    trouble(EPOLL_ADD);
    (void)checked_epoll_add(checks_set(), fd, slot, next_gen++, any_mask_to_add(fd));
}

static void call_modify(void)
{
    int32_t fd = any(can_be_modified);

    if (fd >= 0)
        checked_epoll_modify(checks_set(), fd, checks_model()->slot[fd], checks_model()->gen[fd],
                             any_mask());
}

static void call_remove(void)
{
    int32_t fd = any(is_registered);

    if (fd >= 0)
        checked_epoll_remove(checks_set(), fd);
}

static void call_wait(void)
{
    int32_t set = checks_set();
    int32_t wrong = choose(16) == 0 && !beneath_strict ? any(is_ours) : -1;
    uint32_t max = choose(3) == 0 ? 1 : 1 + choose(TN_BATCH);
    int endless = choose(64) == 0;

    if (wrong >= 0)
        (void)checked_epoll_wait(wrong, max, 0);
    if (set < 0)
        return;
    trouble(EPOLL_WAIT);
    if (endless)
        beneath_signals(1);
    (void)checked_epoll_wait(set, max, endless ? -1 : choose(64) == 0 ? 1 + (int32_t)choose(2) : 0);
    if (endless)
        beneath_signals(0);
}

static int can_be_asked(int32_t fd)
{
    return checks_model()->open[fd] != 0 && fd != checks_set();
}

static void call_ask(void)
{
    struct tn_asked list[ASKED_MAX];
    uint32_t n = 0, wanted = choose(ASKED_MAX);
    int endless = choose(64) == 0, by_poll = (int)choose(2);
    int32_t timeout_ms = endless ? -1 : choose(64) == 0 ? 1 + (int32_t)choose(2) : 0;

    for (uint32_t i = 0; i < wanted; i++) {
        int32_t fd = any(can_be_asked);
        uint32_t twice = 0;

        for (uint32_t j = 0; j < n; j++)
            twice |= list[j].fd == fd;
        if (fd < 0 || twice)
            continue;
        list[n].fd = fd;
        list[n].events = (int16_t)(choose(3) == 0   ? TN_READ | TN_WRITE
                                   : choose(2) == 0 ? TN_READ
                                                    : TN_WRITE);
        list[n++].revents = (int16_t)choose(100);
    }
    trouble(by_poll ? POLL : SELECT);
    if (endless)
        beneath_signals(1);
    (void)(by_poll ? checked_poll : checked_select)(list, n, timeout_ms);
    if (endless)
        beneath_signals(0);
}

static void call_accept(void)
{
    int32_t wrong = choose(16) == 0 && !beneath_strict ? any(is_ours) : -1;
    int32_t from = listeners[choose(LISTENERS)], fd;

    if (wrong >= 0 && wrong != listeners[0] && wrong != listeners[1])
        (void)checked_accept(wrong);
    if (from < 0)
        return;
    trouble(ACCEPT);
    fd = checked_accept(from);
    if (fd < 0)
        return;
    waiting[checks_peer_of(fd)] = 0;
    our_finish[fd] = 0;
}

static void call_recv(void)
{
    int32_t fd = any(is_for_recv);

    if (fd < 0)
        return;
    trouble(RECV);
    (void)checked_recv(fd, choose(2) * choose(100), 1 + choose(choose(4) == 0 ? 8000 : 60));
}

static void call_send(void)
{
    int32_t fd = any(is_for_send);

    if (fd < 0)
        return;
    trouble(SEND);
    (void)checked_send(fd, choose(2) * choose(100), 1 + choose(choose(4) == 0 ? 8000 : 60),
                       random64());
}

/* Everything that was sent and can still be read is read first, mostly. */
static void settle(int32_t fd)
{
    int32_t peer = checks_peer_of(fd);

    if (peer >= 0 && peer_open[peer] != 0 && choose(4) != 0)
        checks_peer_reads(peer, 8000, 1);
}

static void call_finish(void)
{
    int32_t fd = any(is_for_send);

    if (fd < 0)
        return;
    settle(fd);
    our_finish[fd] = 1;
    checked_finish(fd);
}

static void listener_goes(int i)
{
    listeners[i] = -1;
    for (int32_t p = 0; p < PEERS; p++)
        if (waiting[p] == i + 1) {
            waiting[p] = 0;
            checks_peer_dropped(p);
        }
}

static void close_one(int32_t fd)
{
    for (int i = 0; i < LISTENERS; i++)
        if (listeners[i] == fd)
            listener_goes(i);
    if (fd == checks_set())
        for (int32_t f = 0; f < WINDOW; f++)
            if (is_registered(f))
                checked_epoll_remove(fd, f);
    settle(fd);
    if (choose(8) == 0)
        beneath_trouble(CLOSE, choose(64));
    checked_close(fd);
}

static void call_close(void)
{
    int32_t fd = any(is_ours);

    if (fd >= 0 && (is_connection(fd) || choose(8) == 0))
        close_one(fd);
}

static int is_by_edge(int32_t fd)
{
    return is_registered(fd) && (checks_model()->mask[fd] & TN_EDGE) != 0;
}

/* Something happens at one or the other end of a connection. */
static void something_moves(int32_t fd)
{
    int32_t peer = checks_peer_of(fd);
    uint32_t n = 1 + choose(choose(2) == 0 ? 8000 : 60), what = choose(4);

    if (what == 0)
        (void)checked_recv(fd, 0, n);
    else if (what == 1 && !(beneath_strict && our_finish[fd]))
        (void)checked_send(fd, 0, n, random64());
    else if (what == 2 && peer_open[peer] == 1)
        checks_peer_writes(peer, n, random64());
    else if (what == 3 && peer_open[peer] != 0)
        checks_peer_reads(peer, n, (int)choose(2));
}

/* One connection moves, and what is reported of it is seen each time. */
static void watch_one_by_edge(void)
{
    int32_t fd = any(is_by_edge);

    for (uint32_t i = 0; fd >= 0 && i < 6; i++) {
        something_moves(fd);
        (void)checked_epoll_wait(checks_set(), TN_BATCH, 0);
    }
}

static void call_without_descriptors(void)
{
    beneath_scarce(1);
    call_create();
    call_accept();
    call_wait();
    beneath_scarce(0);
}

static void another_process(void)
{
    int32_t fd = any(is_ours);

    if (fd < 0)
        return;
    beneath_process(fd);
    checked_nothing("another process closed what it had in common with this one");
}

/* --- episodes ------------------------------------------------------------------------ */

static void step(void)
{
    uint32_t what = choose(1000);

    if (what < 110)
        peer_connects();
    else if (what < 330)
        peer_acts();
    else if (what < 370)
        foreigner_acts();
    else if (what < 380)
        foreigner_moves();
    else if (what < 480)
        call_accept();
    else if (what < 500)
        call_ask();
    else if (what < 620)
        call_recv();
    else if (what < 740)
        call_send();
    else if (what < 760)
        call_create();
    else if (what < 820)
        call_add();
    else if (what < 860)
        call_modify();
    else if (what < 880)
        call_remove();
    else if (what < 940)
        call_wait();
    else if (what < 950)
        call_finish();
    else if (what < 974)
        call_close();
    else if (what < 982)
        call_without_descriptors();
    else if (what < 983)
        another_process();
    else if (what < 995)
        watch_one_by_edge();
    else
        (void)checked_now_ms();
}

static void run_episode(uint64_t seed)
{
    seeded(seed);
    memset(peer_open, 0, sizeof peer_open);
    memset(waiting, 0, sizeof waiting);
    memset(our_finish, 0, sizeof our_finish);
    beneath_start(seed);
    checks_start(seed);
    for (int i = 0; i < LISTENERS; i++) {
        listeners[i] = beneath_listener();
        checks_appeared(listeners[i], 1);
    }
    for (int i = 0; i < FOREIGNERS; i++) {
        foreigners[i] = i == 0 ? beneath_file() : i < 3 ? beneath_foreign() : -1;
        if (foreigners[i] >= 0)
            checks_appeared(foreigners[i], 2);
    }
    call_create();
    for (uint32_t i = 0; i < STEPS; i++)
        step();
    for (int32_t fd = any(is_ours); fd >= 0; fd = any(is_ours))
        close_one(fd);
    beneath_end();
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_for(double limit, uint64_t from)
{
    double end = seconds() + limit;

    for (uint64_t seed = from; seconds() < end; seed++)
        run_episode(seed);
}

/* --- mutants ------------------------------------------------------------------------- */

/* 1 if a check fails under this mutant. */
static int is_caught(int32_t mutant)
{
    int status = 0;
    pid_t child = fork();

    if (child < 0) {
        perror("fork");
        exit(2);
    }
    if (child == 0) {
        checks_mutate(mutant);
        alarm(MUTANT_SECONDS + 10);
        run_for(MUTANT_SECONDS, 1);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static int try_mutants(void)
{
    uint32_t n = checks_mutants(), caught = 0;
    double share;

    run_for(3, 1); /* so that each is known by name */
    for (int32_t m = 0; m < (int32_t)n; m++) {
        if (checks_mutant_clause(m) == NULL) {
            printf("  never reached: mutant %d\n", (int)m);
        } else if (is_caught(m)) {
            caught++;
        } else {
            printf("  not caught: %s: %s\n", checks_mutant_clause(m), checks_mutant_text(m));
        }
    }
    share = 100.0 * caught / n;
    printf("%s: %u of %u mutants of the clauses are caught, %.1f %%\n", beneath_name, caught, n,
           share);
    return share >= 95.0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *limit = getenv("CONFORM_SECONDS");
    double start = seconds(), spent;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && strcmp(argv[1], "--mutants") == 0)
        return try_mutants();
    if (argc == 3 && strcmp(argv[1], "--seed") == 0)
        run_episode(strtoull(argv[2], NULL, 0));
    else
        run_for(limit != NULL ? strtod(limit, NULL) : 10, 1);
    spent = seconds() - start;
    printf("%s\n  clauses, and how often each was checked\n", beneath_name);
    (void)checks_report();
    beneath_report();
    printf("%s: %" PRIu64 " calls in %.0f s, no violation\n", beneath_name, checks_calls(), spent);
    return 0;
}
