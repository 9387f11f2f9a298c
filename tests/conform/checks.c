#define _GNU_SOURCE
#include "checks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM_MAX (1u << 18)
#define BUFFER 8192u
#define MARGIN 64u
#define GUARD 0xa5u
#define NOTES 64u
#define CLAUSES_MAX 128u
#define MUTANTS_MAX 512u

struct stream {
    uint8_t in[STREAM_MAX];  /* rx_at: what the peer has written */
    uint8_t out[STREAM_MAX]; /* tx_at: what the server's kernel has taken */
    uint64_t written, sent, read;
    int finished, closed, reset; /* the peer */
    int our_finish, our_close;   /* the server */
};

/* What is reported of a connection that is registered by edge. */
struct reports {
    uint32_t owed; /* TN_READ, TN_WRITE: still to be reported if it is ready for them */
    int allowed;   /* something has changed since the last report */
    int short_of;  /* the last send fell short */
};

struct clause {
    const char *name;
    uint64_t checked;
};

static struct model k;
static uint64_t life[WINDOW];
static int32_t peer_at[WINDOW];      /* the peer of the connection at a number */
static uint32_t broken_left[WINDOW]; /* reports without interest that may still come */
static struct reports report_of[WINDOW];
static int32_t set;
static struct stream streams[PEERS];
static uint8_t buffer[MARGIN + BUFFER + MARGIN];
static int64_t last_ms;

static uint64_t calls;
static struct clause clauses[CLAUSES_MAX];
static uint32_t clause_count;
static int32_t mutant = -1;
static struct {
    const char *clause, *text;
} mutants[MUTANTS_MAX];
static const char *current;

static char notes[NOTES][160];
static uint64_t noted, episode;

/* --- trace and verdict --------------------------------------------------------------- */

void checks_note(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(notes[noted++ % NOTES], sizeof notes[0], format, ap);
    va_end(ap);
}

_Noreturn void checks_violated(const char *clause)
{
    if (mutant >= 0)
        _exit(1); /* caught */
    for (uint64_t i = noted > NOTES ? noted - NOTES : 0; i < noted; i++)
        fprintf(stderr, "  %s\n", notes[i % NOTES]);
    fprintf(stderr, "VIOLATION on %s: %s\nagain: --seed %" PRIu64 "\n", beneath_name, clause,
            episode);
    exit(1);
}

/* --- clauses and their mutants ------------------------------------------------------- */

static struct clause *clause_named(const char *name)
{
    for (uint32_t i = 0; i < clause_count; i++)
        if (strcmp(clauses[i].name, name) == 0)
            return &clauses[i];
    if (clause_count == CLAUSES_MAX)
        abort();
    clauses[clause_count].name = name;
    return &clauses[clause_count++];
}

/* Counts a check; each place of the program looks its clause up once. */
static void checking(struct clause **place, const char *name)
{
    if (*place == NULL)
        *place = clause_named(name);
    (*place)->checked++;
    current = name;
}

static int mutated(int32_t id, const char *text)
{
    if (mutants[id].clause == NULL) {
        mutants[id].clause = current;
        mutants[id].text = text;
    }
    return id == mutant;
}

enum { FIRST_MUTANT = __COUNTER__ + 1 };
#define MUTATED(text) mutated(__COUNTER__ - FIRST_MUTANT, text)

#define IS(e) (MUTATED("not " #e) ? !(e) : (e))
#define OR(e) (MUTATED("never " #e) ? 0 : (e))
#define WHEN(e) (MUTATED("always, not only when " #e) ? 1 : (e))
#define LE(a, b) (MUTATED(#a " < " #b) ? (a) < (b) : (a) <= (b))
#define BUT(f) (MUTATED("not even at " #f) ? -1 : (f))
#define MORE(n) (MUTATED("one more than " #n) ? (n) + 1 : (n))

#define CLAUSE(name, e) \
    do { \
        static struct clause *place; \
        checking(&place, name); \
        if (!(e)) \
            checks_violated(name); \
    } while (0)
#define REQUIRES(call, clause, e) CLAUSE(#call " requires " #clause, e)
#define ENSURES(call, clause, e) CLAUSE(#call " ensures " #clause, e)
#define SAYS_IF(call, clause, when, e) \
    do { \
        if (when) \
            SAYS(call, clause, e); \
    } while (0)
#define ASSIGNS(call, e) CLAUSE(#call " assigns", e)
#define SAYS(call, clause, e) CLAUSE(#call " says " #clause, e)

/* --- predicates of os/sys.h ---------------------------------------------------------- */

static int number(int64_t fd)
{
    return fd >= 0 && fd < TN_SYS_FDS;
}

/* An index for what may be an error. */
static int32_t at(int32_t fd)
{
    if (fd >= WINDOW) {
        fprintf(stderr, "descriptor %d is beyond the window\n", (int)fd);
        exit(2);
    }
    return fd >= 0 ? fd : 0;
}

static int ours(int32_t fd)
{
    return number(fd) && k.open[at(fd)] == 1;
}

static int alive(int32_t fd)
{
    return number(fd) && k.open[at(fd)] != 0;
}

static int inv(const struct model *m)
{
    for (int f = 0; f < WINDOW; f++)
        if (m->open[f] == 0 && m->reg[f] != 0)
            return 0;
    return 1;
}

/* Whole arrays are equal, but at one index; -1 for none. */
static int same_i32(const int32_t *a, const int32_t *b, int32_t but)
{
    for (int f = 0; f < WINDOW; f++)
        if (f != but && a[f] != b[f])
            return 0;
    return 1;
}

static int same_u32(const uint32_t *a, const uint32_t *b, int32_t but)
{
    for (int f = 0; f < WINDOW; f++)
        if (f != but && a[f] != b[f])
            return 0;
    return 1;
}

static int same_u64(const uint64_t *a, const uint64_t *b, int32_t but)
{
    for (int f = 0; f < WINDOW; f++)
        if (f != but && a[f] != b[f])
            return 0;
    return 1;
}

static int same_cookies(const struct model *a, const struct model *b, int32_t but)
{
    return same_u32(a->slot, b->slot, but) && same_u32(a->gen, b->gen, but);
}

/* Outside buf[to .. to + n - 1] nothing was written. */
static int untouched_but(uint32_t to, uint32_t n)
{
    for (uint32_t i = 0; i < sizeof buffer; i++)
        if (!(i >= MARGIN + to && i - MARGIN - to < n) && buffer[i] != GUARD)
            return 0;
    return 1;
}

/* --- what is seen -------------------------------------------------------------------- */

static void see_numbers(struct model *now)
{
    for (int32_t f = 0; f < WINDOW; f++) {
        uint64_t who = beneath_life(f);

        if (who == life[f])
            continue;
        now->open[f] = who != 0;
        now->inc[f] += who != 0;
        life[f] = who;
    }
}

static void see_registrations(struct model *now)
{
    static struct registration r[WINDOW];
    uint32_t n = set >= 0 ? beneath_registrations(set, r, WINDOW) : 0;

    memset(now->reg, 0, sizeof now->reg);
    for (uint32_t i = 0; i < n; i++) {
        int32_t f = at(r[i].fd);

        now->reg[f] = 1;
        now->slot[f] = r[i].slot;
        now->gen[f] = r[i].gen;
        now->mask[f] = r[i].mask;
    }
}

/* Where nothing can be seen, the expected is taken: what comes later will show. */
static void see_stream(struct model *now, int32_t f)
{
    const struct stream *s = &streams[peer_at[f]];
    uint8_t next[16];
    uint32_t known = beneath_passed(f, peer_at[f], &now->rx[f], &now->tx[f]);
    uint32_t n = known & 1u ? 0 : beneath_peek(f, next, sizeof next);

    if (n > 0 && (now->rx[f] + n > s->written || memcmp(s->in + now->rx[f], next, n) != 0))
        now->rx[f] = UINT64_MAX;
}

/* The state after a call on fd, which is expected to have moved so many bytes. */
static void see(struct model *now, int32_t fd, int32_t rx, int32_t tx)
{
    *now = k;
    see_numbers(now);
    see_registrations(now);
    if (rx > 0)
        now->rx[fd] += (uint32_t)rx;
    if (tx > 0)
        now->tx[fd] += (uint32_t)tx;
    for (int32_t f = 0; f < WINDOW; f++)
        if (now->open[f] == 1 && peer_at[f] >= 0)
            see_stream(now, f);
    calls++;
}

void checks_start(uint64_t seed)
{
    memset(&k, 0, sizeof k);
    memset(life, 0, sizeof life);
    memset(broken_left, 0, sizeof broken_left);
    memset(report_of, 0, sizeof report_of);
    for (int p = 0; p < PEERS; p++) {
        struct stream *s = &streams[p];

        s->written = s->sent = s->read = 0;
        s->finished = s->closed = s->reset = s->our_finish = s->our_close = 0;
    }
    for (int f = 0; f < WINDOW; f++)
        peer_at[f] = -1;
    set = -1;
    noted = 0;
    last_ms = 0;
    episode = seed;
    for (int32_t f = 0; f < WINDOW; f++)
        if (beneath_life(f) != 0)
            checks_appeared(f, 2);
}

const struct model *checks_model(void)
{
    return &k;
}

int32_t checks_peer_of(int32_t fd)
{
    return peer_at[at(fd)];
}

int32_t checks_set(void)
{
    return set;
}

void checks_appeared(int32_t fd, int32_t owner)
{
    k.open[at(fd)] = owner;
    k.inc[fd]++;
    life[fd] = beneath_life(fd);
    checks_note("%s descriptor %d", owner == 1 ? "given" : "foreign", (int)fd);
}

void checks_vanished(int32_t fd)
{
    k.open[at(fd)] = 0;
    life[fd] = 0;
    checks_note("foreign descriptor %d is closed", (int)fd);
}

void checked_nothing(const char *after)
{
    struct model now;

    see(&now, -1, 0, 0);
    checks_note("%s", after);
    if (memcmp(&now, &k, sizeof k) != 0)
        checks_violated("nothing was called, and something changed");
}

/* --- changes ------------------------------------------------------------------------- */

static int is_connection(int32_t fd)
{
    return k.open[fd] == 1 && peer_at[fd] >= 0;
}

/* Something happened to the connection at fd that a report is owed for. */
static void changed(int32_t fd, uint32_t owed)
{
    report_of[fd].allowed = 1;
    report_of[fd].owed |= owed;
}

static void peer_changed(int32_t peer, uint32_t owed)
{
    for (int32_t f = 0; f < WINDOW; f++)
        if (is_connection(f) && peer_at[f] == peer)
            changed(f, owed);
}

/* All that was sent was read: there must be room again. */
static void peer_has_read(int32_t peer)
{
    const struct stream *s = &streams[peer];

    peer_changed(peer, 0);
    for (int32_t f = 0; f < WINDOW; f++)
        if (is_connection(f) && peer_at[f] == peer && report_of[f].short_of && s->read == s->sent)
            report_of[f].owed |= TN_WRITE;
}

static void changed_by_recv(int32_t fd, uint32_t n, int32_t result)
{
    /* what a receipt left though it had room has come since */
    if (result > 0 && (uint32_t)result < n && k.rx[fd] < streams[peer_at[fd]].written)
        changed(fd, TN_READ);
}

static void changed_by_send(int32_t fd, uint32_t n, int32_t result)
{
    struct reports *r = &report_of[fd];

    if (result == TN_EMEMORY)
        return;
    r->owed &= ~TN_WRITE;
    r->short_of = result >= 0 && (uint32_t)result < n;
    r->allowed |= r->short_of || streams[peer_at[fd]].closed;
}

/* --- peers --------------------------------------------------------------------------- */

void checks_peer_connected(int32_t peer)
{
    checks_note("peer %d connects", (int)peer);
}

void checks_peer_writes(int32_t peer, uint32_t n, uint64_t random)
{
    struct stream *s = &streams[peer];
    uint8_t *next = s->in + s->written;

    if (n > STREAM_MAX - s->written)
        return;
    for (uint32_t i = 0; i < n; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        next[i] = (uint8_t)(random >> 56);
    }
    n = beneath_peer_write(peer, next, n);
    s->written += n;
    if (n > 0)
        peer_changed(peer, TN_READ);
    checks_note("peer %d writes %u", (int)peer, n);
}

static void peer_got(struct stream *s, const uint8_t *bytes, uint32_t n)
{
    ENSURES(send, bytes,
            LE(s->read + n, s->sent) && IS(memcmp(s->out + s->read, bytes, MORE(n)) == 0));
    s->read += n;
}

void checks_peer_reads(int32_t peer, uint32_t n, int all)
{
    static uint8_t bytes[BUFFER + 1];
    struct stream *s = &streams[peer];
    int32_t got;

    do {
        /* what stands behind the bytes is none of the stream */
        memset(bytes, GUARD, sizeof bytes);
        got = beneath_peer_read(peer, bytes, n < BUFFER ? n : BUFFER, all && s->read < s->sent);
        checks_note("peer %d reads %d", (int)peer, (int)got);
        if (got > 0) {
            peer_got(s, bytes, (uint32_t)got);
            peer_has_read(peer);
        }
        if (got < 0)
            SAYS(finish, end, IS(s->our_finish || s->our_close || s->reset || s->closed));
    } while (got > 0 && all);
    if (all && got <= 0 && !s->reset && !s->closed && !s->our_close)
        ENSURES(send, bytes, IS(s->read == s->sent));
}

void checks_peer_dropped(int32_t peer)
{
    streams[peer].our_close = 1;
}

void checks_peer_finishes(int32_t peer)
{
    checks_note("peer %d finishes", (int)peer);
    streams[peer].finished = 1;
    peer_changed(peer, TN_READ);
    beneath_peer_finish(peer);
}

void checks_peer_ends(int32_t peer, int reset)
{
    checks_note("peer %d %s", (int)peer, reset ? "resets" : "closes");
    streams[peer].closed = 1;
    streams[peer].reset |= reset;
    peer_changed(peer, TN_READ);
    if (reset)
        beneath_peer_reset(peer);
    else
        beneath_peer_close(peer);
}

/* --- the set ------------------------------------------------------------------------- */

#define SAME_NUMBERS (IS(same_i32(k.open, now.open, -1)) && IS(same_u64(k.inc, now.inc, -1)))
#define SAME_SET \
    (IS(same_i32(k.reg, now.reg, -1)) && IS(same_cookies(&k, &now, -1)) && \
     IS(same_u32(k.mask, now.mask, -1)))
#define SAME_STREAMS (IS(same_u64(k.rx, now.rx, -1)) && IS(same_u64(k.tx, now.tx, -1)))
#define FRESH \
    (IS(k.open[at(result)] == 0) && IS(now.open[at(result)] == 1) && \
     IS(same_i32(k.open, now.open, BUT(result))) && IS(now.inc[at(result)] > k.inc[at(result)]) && \
     IS(same_u64(k.inc, now.inc, BUT(result))))

int32_t checked_epoll_create(void)
{
    struct model now;
    int32_t result;

    REQUIRES(epoll_create, model, inv(&k));
    result = tn_sys_epoll_create();
    checks_note("epoll_create() = %d", (int)result);
    if (result >= 0) {
        set = result;
        peer_at[at(result)] = -1;
    }
    see(&now, -1, 0, 0);
    ENSURES(epoll_create, result,
            OR(result == TN_EFILES) || OR(result == TN_EMEMORY) || OR(result == TN_ESYSTEM) ||
                OR(number(result)));
    ENSURES(epoll_create, fresh, !WHEN(result >= 0) || FRESH);
    ENSURES(epoll_create, failed, !WHEN(result < 0) || SAME_NUMBERS);
    ENSURES(epoll_create, model, IS(inv(&now)));
    ASSIGNS(epoll_create, SAME_SET && SAME_STREAMS);
    SAYS(epoll_create, exec, IS(result < 0 || beneath_well_opened(result, 0)));
    SAYS(epoll_create, error, IS(result >= 0 || beneath_translated(result)));
    k = now;
    return result;
}

int32_t checked_epoll_add(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    struct model now;
    int32_t result;

    REQUIRES(epoll_add, set, ours(epfd));
    REQUIRES(epoll_add, open, alive(fd) && fd != epfd);
    REQUIRES(epoll_add, once, k.reg[fd] == 0);
    result = tn_sys_epoll_add(epfd, fd, slot, gen, mask);
    checks_note("epoll_add(%d, %d, {%u, %u}, %u) = %d", (int)epfd, (int)fd, slot, gen, mask,
                (int)result);
    see(&now, -1, 0, 0);
    ENSURES(epoll_add, result,
            OR(result == 1) || OR(result == TN_EMEMORY) || OR(result == TN_ESYSTEM));
    ENSURES(epoll_add, registered,
            !WHEN(result == 1) || (IS(now.reg[fd] == 1) && IS(now.slot[fd] == slot) &&
                                   IS(now.gen[fd] == gen) && IS(now.mask[fd] == mask)));
    ENSURES(epoll_add, failed, !WHEN(result < 0) || IS(now.reg[fd] == 0));
    ASSIGNS(epoll_add, IS(same_i32(k.reg, now.reg, BUT(fd))) &&
                           IS(same_cookies(&k, &now, BUT(fd))) &&
                           IS(same_u32(k.mask, now.mask, BUT(fd))) && SAME_NUMBERS && SAME_STREAMS);
    SAYS(epoll_add, error, IS(result >= 0 || beneath_translated(result)));
    broken_left[fd] = 1;
    report_of[fd] = (struct reports){.owed = TN_READ, .allowed = 1};
    k = now;
    return result;
}

void checked_epoll_modify(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    struct model now;

    REQUIRES(epoll_modify, set, ours(epfd));
    REQUIRES(epoll_modify, open, alive(fd) && k.reg[fd] == 1);
    REQUIRES(epoll_modify, same, k.slot[fd] == slot && k.gen[fd] == gen);
    tn_sys_epoll_modify(epfd, fd, slot, gen, mask);
    checks_note("epoll_modify(%d, %d, {%u, %u}, %u)", (int)epfd, (int)fd, slot, gen, mask);
    see(&now, -1, 0, 0);
    ENSURES(epoll_modify, changed, IS(now.mask[fd] == mask));
    ASSIGNS(epoll_modify, IS(same_i32(k.reg, now.reg, -1)) && IS(same_cookies(&k, &now, -1)) &&
                              IS(same_u32(k.mask, now.mask, BUT(fd))) && SAME_NUMBERS &&
                              SAME_STREAMS);
    broken_left[fd] = 1;
    report_of[fd] = (struct reports){.owed = TN_READ, .allowed = 1};
    k = now;
}

void checked_epoll_remove(int32_t epfd, int32_t fd)
{
    struct model now;

    REQUIRES(epoll_remove, set, ours(epfd));
    REQUIRES(epoll_remove, open, alive(fd) && k.reg[fd] == 1);
    tn_sys_epoll_remove(epfd, fd);
    checks_note("epoll_remove(%d, %d)", (int)epfd, (int)fd);
    see(&now, -1, 0, 0);
    ENSURES(epoll_remove, removed, IS(now.reg[fd] == 0));
    ASSIGNS(epoll_remove, IS(same_i32(k.reg, now.reg, BUT(fd))) && IS(same_cookies(&k, &now, -1)) &&
                              IS(same_u32(k.mask, now.mask, -1)) && SAME_NUMBERS && SAME_STREAMS);
    k = now;
}

/* --- waiting ------------------------------------------------------------------------- */

/* k_ev_fd: the registration that a report is for, -1 if there is none. */
static int32_t reported(const struct model *now, const struct tn_ready *r)
{
    for (int32_t f = 0; f < WINDOW; f++)
        if (now->reg[f] == 1 && now->slot[f] == r->slot && now->gen[f] == r->gen)
            return f;
    return -1;
}

/* The peer has finished, or its connection broke. */
static int has_ended(int32_t fd)
{
    const struct stream *s = &streams[peer_at[fd]];

    return s->finished || s->closed || s->reset;
}

/* What the next batch must say of a registration, if what happens to the
 * connection is reported at once. */
static uint32_t due(int32_t fd)
{
    uint32_t ready = 0;

    if (k.reg[fd] != 1 || !is_connection(fd) || !beneath_at_once(peer_at[fd]))
        return 0;
    if (k.rx[fd] < streams[peer_at[fd]].written || has_ended(fd))
        ready |= TN_READ;
    if (!(k.mask[fd] & TN_EDGE))
        return ready & k.mask[fd];
    return report_of[fd].owed & (ready | TN_WRITE);
}

/* A report of a connection, made by a kernel that reports at once. */
static void check_change(int32_t fd, uint32_t asked, uint32_t told)
{
    SAYS(epoll_wait, all, IS((due(fd) & ~told) == 0));
    SAYS_IF(epoll_wait, change, asked & TN_EDGE, IS(report_of[fd].allowed));
    SAYS_IF(epoll_wait, ended, asked & TN_ENDED, IS(((told & TN_ENDED) != 0) == has_ended(fd)));
    report_of[fd].allowed = 0;
    report_of[fd].owed &= ~told;
    if (told & TN_WRITE)
        report_of[fd].short_of = 0;
}

static int32_t check_report(const struct model *now, const struct tn_ready *r)
{
    int32_t f = reported(now, r);
    uint32_t asked;

    ENSURES(epoll_wait, reports,
            IS(number(f)) && IS(now->reg[at(f)] == 1) && IS(r->slot == now->slot[at(f)]) &&
                IS(r->gen == now->gen[at(f)]) && IS(now->inc[at(f)] == k.inc[at(f)]));
    asked = now->mask[f];
    if (is_connection(f) && beneath_at_once(peer_at[f]))
        check_change(f, asked, r->mask);
    SAYS(epoll_wait, interest, IS(r->mask != 0) && IS((r->mask & ~(asked | TN_BROKEN)) == 0));
    SAYS(epoll_wait, once, IS(asked != 0 || broken_left[f]-- > 0));
    SAYS(epoll_wait, truth, IS(!(r->mask & TN_READ) || beneath_readable(f) != 0));
    checks_note("    descriptor %d, mask %x", (int)f, r->mask);
    return f;
}

/* A foreign descriptor that is waited for has bytes. */
static int something_is_ready(void)
{
    for (int32_t f = 0; f < WINDOW; f++)
        if (k.reg[f] == 1 && k.open[f] == 2 && (k.mask[f] & TN_READ) && beneath_readable(f) == 1)
            return 1;
    return 0;
}

static int beyond_untouched(const struct tn_ready *ready, uint32_t max)
{
    const uint8_t *bytes = (const uint8_t *)(ready + max);

    for (uint32_t i = 0; i < (TN_BATCH + 1 - max) * sizeof *ready; i++)
        if (bytes[i] != GUARD)
            return 0;
    return 1;
}

int32_t checked_epoll_wait(int32_t epfd, uint32_t max, int32_t timeout_ms)
{
    static struct tn_ready ready[TN_BATCH + 1];
    uint32_t due_before[WINDOW];
    struct model now;
    int64_t start;
    int32_t result;
    int waiting = something_is_ready(), interrupted;

    REQUIRES(epoll_wait, set, ours(epfd));
    REQUIRES(epoll_wait, room, max >= 1 && max <= TN_BATCH);
    memset(ready, GUARD, sizeof ready);
    beneath_before_wait();
    start = beneath_clock_us();
    result = tn_sys_epoll_wait(epfd, ready, max, timeout_ms);
    start = beneath_clock_us() - start;
    interrupted = beneath_interrupted();
    checks_note("epoll_wait(%d, max %u, %d ms) = %d", (int)epfd, max, (int)timeout_ms, (int)result);
    see(&now, -1, 0, 0);
    ENSURES(epoll_wait, result,
            OR(result == TN_ESYSTEM) || (LE(0, result) && LE(result, (int32_t)max)));
    for (int32_t f = 0; f < WINDOW; f++)
        due_before[f] = due(f);
    for (int32_t i = 0; i < result; i++)
        due_before[check_report(&now, &ready[i])] = 0;
    if (result >= 0 && result < (int32_t)max && !interrupted)
        for (int32_t f = 0; f < WINDOW; f++)
            SAYS(epoll_wait, due, IS(due_before[f] == 0));
    ASSIGNS(epoll_wait,
            IS(beyond_untouched(ready, max)) && SAME_NUMBERS && SAME_SET && SAME_STREAMS);
    SAYS(
        epoll_wait, time,
        IS(result != 0 || interrupted || (timeout_ms >= 0 && start >= 1000 * (int64_t)timeout_ms)));
    SAYS(epoll_wait, ready, IS(result != 0 || interrupted || !waiting));
    SAYS(epoll_wait, error, IS(result >= 0 || beneath_translated(result)));
    k = now;
    return result;
}

/* --- asking -------------------------------------------------------------------------- */

/* What was asked, and what can be said of the answers. */
struct question {
    struct tn_asked before[ASKED_MAX];
    uint32_t n, ready, answered;
    int waiting; /* somebody who is asked about has bytes */
    int same_fds, same_events, asked_for, truth, beyond_untouched, interrupted;
    int64_t took_us;
};

static int all_alive(const struct tn_asked *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!alive(list[i].fd))
            return 0;
    return 1;
}

static int all_below(const struct tn_asked *list, uint32_t n, int32_t limit)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i].fd >= limit)
            return 0;
    return 1;
}

static struct question question(struct tn_asked *list, uint32_t n)
{
    struct question q = {.n = n};

    memset(&list[n], GUARD, (ASKED_MAX - n) * sizeof *list);
    memcpy(q.before, list, sizeof q.before);
    for (uint32_t i = 0; i < n; i++)
        q.waiting |= k.open[list[i].fd] == 2 && (list[i].events & (int16_t)TN_READ) != 0 &&
                     beneath_readable(list[i].fd) == 1;
    return q;
}

static void question_ends(struct question *q, const struct tn_asked *list, const char *call,
                          int32_t timeout_ms, int32_t result)
{
    q->took_us = beneath_clock_us() - q->took_us;
    q->interrupted = beneath_interrupted();
    q->same_fds = q->same_events = q->asked_for = q->truth = 1;
    q->beyond_untouched =
        memcmp(&list[q->n], &q->before[q->n], (ASKED_MAX - q->n) * sizeof *list) == 0;
    checks_note("%s(%u, %d ms) = %d", call, q->n, (int)timeout_ms, (int)result);
    for (uint32_t i = 0; i < q->n; i++) {
        const struct tn_asked *a = &list[i];
        uint32_t answer = (uint32_t)a->revents;

        checks_note("    descriptor %d, asked %d, answer %d", (int)a->fd, (int)a->events,
                    (int)a->revents);
        q->same_fds &= a->fd == q->before[i].fd;
        q->same_events &= a->events == q->before[i].events;
        q->ready += answer != 0;
        q->answered |= answer;
        q->asked_for &= (answer & ~((uint32_t)q->before[i].events | TN_BROKEN)) == 0;
        q->truth &=
            (answer & TN_READ) == 0 || k.open[at(a->fd)] != 2 || beneath_readable(a->fd) != 0;
    }
}

int32_t checked_poll(struct tn_asked *list, uint32_t n, int32_t timeout_ms)
{
    struct question q = question(list, n);
    struct model now;
    int32_t result;

    REQUIRES(poll, room, n <= TN_SYS_FDS);
    REQUIRES(poll, open, all_alive(list, n));
    beneath_before_wait();
    q.took_us = beneath_clock_us();
    result = tn_sys_poll(list, n, timeout_ms);
    question_ends(&q, list, "poll", timeout_ms, result);
    see(&now, -1, 0, 0);
    ENSURES(poll, result, OR(result == TN_ESYSTEM) || (LE(0, result) && LE(result, (int32_t)n)));
    ENSURES(poll, same, IS(q.same_fds) && IS(q.same_events));
    ENSURES(poll, answer, IS((q.answered & ~(TN_READ | TN_WRITE | TN_BROKEN)) == 0));
    ENSURES(poll, none, !WHEN(result <= 0) || IS(q.ready == 0));
    ASSIGNS(poll, IS(q.beyond_untouched) && SAME_NUMBERS && SAME_SET && SAME_STREAMS);
    SAYS(poll, number, IS(result < 0 || (uint32_t)result == q.ready));
    SAYS(poll, interest, IS(q.asked_for));
    SAYS(poll, truth, IS(q.truth));
    SAYS(poll, time,
         IS(result != 0 || q.interrupted ||
            (timeout_ms >= 0 && q.took_us >= 1000 * (int64_t)timeout_ms)));
    SAYS(poll, ready, IS(result != 0 || q.interrupted || !q.waiting));
    SAYS(poll, error, IS(result >= 0 || beneath_translated(result)));
    k = now;
    return result;
}

int32_t checked_select(struct tn_asked *list, uint32_t n, int32_t timeout_ms)
{
    struct question q = question(list, n);
    struct model now;
    int32_t result;

    REQUIRES(select, room, n <= TN_SYS_FDS);
    REQUIRES(select, open, all_alive(list, n));
    REQUIRES(select, numbers, all_below(list, n, TN_SELECT_FDS));
    beneath_before_wait();
    q.took_us = beneath_clock_us();
    result = tn_sys_select(list, n, timeout_ms);
    question_ends(&q, list, "select", timeout_ms, result);
    see(&now, -1, 0, 0);
    ENSURES(select, result, OR(result == TN_ESYSTEM) || (LE(0, result) && LE(result, (int32_t)n)));
    ENSURES(select, same, IS(q.same_fds) && IS(q.same_events));
    ENSURES(select, answer, IS((q.answered & ~(TN_READ | TN_WRITE)) == 0));
    ENSURES(select, none, !WHEN(result <= 0) || IS(q.ready == 0));
    ASSIGNS(select, IS(q.beyond_untouched) && SAME_NUMBERS && SAME_SET && SAME_STREAMS);
    SAYS(select, number, IS(result < 0 || (uint32_t)result == q.ready));
    SAYS(select, interest, IS(q.asked_for));
    SAYS(select, truth, IS(q.truth));
    SAYS(select, time,
         IS(result != 0 || q.interrupted ||
            (timeout_ms >= 0 && q.took_us >= 1000 * (int64_t)timeout_ms)));
    SAYS(select, ready, IS(result != 0 || q.interrupted || !q.waiting));
    SAYS(select, error, IS(result >= 0 || beneath_translated(result)));
    k = now;
    return result;
}

/* --- connections --------------------------------------------------------------------- */

int32_t checked_accept(int32_t listener)
{
    struct model now;
    int32_t result;

    REQUIRES(accept, open, ours(listener));
    REQUIRES(accept, model, inv(&k));
    result = tn_sys_accept(listener);
    checks_note("accept(%d) = %d", (int)listener, (int)result);
    if (result >= 0) {
        peer_at[at(result)] = beneath_peer_of(result);
        k.rx[result] = 0; /* expected where it cannot be seen */
        k.tx[result] = 0;
    }
    see(&now, -1, 0, 0);
    ENSURES(accept, result,
            OR(result == TN_EAGAIN) || OR(result == TN_EFILES) || OR(result == TN_EMEMORY) ||
                OR(result == TN_ESYSTEM) || OR(number(result)));
    ENSURES(accept, fresh, !WHEN(result >= 0) || FRESH);
    ENSURES(accept, empty,
            !WHEN(result >= 0) || (IS(result >= 0) && IS(same_u64(k.rx, now.rx, result)) &&
                                   IS(same_u64(k.tx, now.tx, result)) &&
                                   IS(now.rx[at(result)] == 0) && IS(now.tx[at(result)] == 0)));
    ENSURES(accept, failed, !WHEN(result < 0) || (SAME_NUMBERS && SAME_STREAMS));
    ENSURES(accept, model, IS(inv(&now)));
    ASSIGNS(accept, SAME_SET);
    SAYS(accept, opened, IS(result < 0 || beneath_well_opened(result, 1)));
    SAYS(accept, somebody, IS(result < 0 || peer_at[at(result)] >= 0));
    SAYS(accept, error, IS(result >= 0 || beneath_translated(result)));
    k = now;
    return result;
}

/* The peer has finished and nothing of it is left, or the connection broke. */
static int at_the_end(const struct model *now, int32_t fd)
{
    const struct stream *s = &streams[peer_at[fd]];

    return s->closed || s->reset || (s->finished && now->rx[fd] == s->written);
}

static int all_received(const struct model *now, int32_t fd)
{
    const struct stream *s = &streams[peer_at[fd]];

    return s->reset || now->rx[fd] == s->written;
}

/* Closed over bytes it had not read, a stream is broken as by a reset. */
static int may_be_broken(int32_t fd)
{
    const struct stream *s = peer_at[fd] >= 0 ? &streams[peer_at[fd]] : NULL;

    return s == NULL || s->reset || s->closed;
}

/* forall i; 0 <= i < n: the i-th byte received is the stream's next. */
static int received_bytes(int32_t fd, uint32_t to, int32_t n)
{
    const struct stream *s = peer_at[fd] >= 0 ? &streams[peer_at[fd]] : NULL;

    if (n <= 0)
        return 1;
    return s != NULL && k.rx[fd] + (uint32_t)n <= STREAM_MAX &&
           memcmp(buffer + MARGIN + to, s->in + k.rx[fd], (uint32_t)n) == 0;
}

int32_t checked_recv(int32_t fd, uint32_t to, uint32_t n)
{
    struct model now;
    int32_t result;

    REQUIRES(recv, open, ours(fd));
    REQUIRES(recv, room, n >= 1 && to <= BUFFER && n <= BUFFER - to);
    memset(buffer, GUARD, sizeof buffer);
    beneath_before_recv();
    result = tn_sys_recv(fd, buffer + MARGIN, to, n);
    checks_note("recv(%d, buf + %u, %u) = %d", (int)fd, to, n, (int)result);
    see(&now, fd, result, 0);
    ENSURES(recv, result,
            OR(result == TN_EOF) || OR(result == TN_ERESET) || OR(result == TN_EMEMORY) ||
                (LE(0, result) && LE(result, (int32_t)n)));
    ENSURES(recv, count, IS(now.rx[fd] == k.rx[fd] + (uint64_t)(WHEN(result > 0) ? result : 0)));
    ENSURES(recv, bytes, IS(received_bytes(fd, to, result)));
    ENSURES(recv, bytes, result <= 0 || IS(received_bytes(fd, to, MORE(result))));
    ASSIGNS(recv, IS(untouched_but(to, n)) && IS(same_u64(k.rx, now.rx, BUT(fd))) &&
                      IS(same_u64(k.tx, now.tx, -1)) && SAME_NUMBERS && SAME_SET);
    SAYS(recv, end,
         IS(result != TN_EOF ||
            (at_the_end(&now, fd) && (may_be_broken(fd) || all_received(&now, fd)))));
    SAYS(recv, broken, IS(result != TN_ERESET || may_be_broken(fd)));
    SAYS(recv, error, IS(result > 0 || result == TN_EOF || beneath_translated(result)));
    k = now;
    if (is_connection(fd))
        changed_by_recv(fd, n, result);
    return result;
}

static void log_sent(int32_t fd, uint32_t from, int32_t result)
{
    struct stream *s = peer_at[fd] >= 0 ? &streams[peer_at[fd]] : NULL;

    if (result <= 0 || s == NULL)
        return;
    memcpy(s->out + s->sent, buffer + MARGIN + from, (uint32_t)result);
    s->sent += (uint32_t)result;
}

int32_t checked_send(int32_t fd, uint32_t from, uint32_t n, uint64_t random)
{
    static uint8_t before[sizeof buffer];
    struct stream *s = peer_at[at(fd)] >= 0 ? &streams[peer_at[fd]] : NULL;
    struct model now;
    int32_t result;

    REQUIRES(send, open, ours(fd));
    REQUIRES(send, bytes, n >= 1 && from <= BUFFER && n <= BUFFER - from);
    if (s != NULL && n > STREAM_MAX - s->sent)
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        buffer[MARGIN + from + i] = (uint8_t)(random >> 56);
    }
    memcpy(before, buffer, sizeof buffer);
    result = tn_sys_send(fd, buffer + MARGIN, from, n);
    checks_note("send(%d, buf + %u, %u) = %d", (int)fd, from, n, (int)result);
    log_sent(fd, from, result);
    see(&now, fd, 0, result);
    ENSURES(send, result,
            OR(result == TN_ERESET) || OR(result == TN_EMEMORY) ||
                (LE(0, result) && LE(result, (int32_t)n)));
    ENSURES(send, count, IS(now.tx[fd] == k.tx[fd] + (uint64_t)(WHEN(result > 0) ? result : 0)));
    ASSIGNS(send, IS(memcmp(before, buffer, sizeof buffer) == 0) &&
                      IS(same_u64(k.tx, now.tx, BUT(fd))) && IS(same_u64(k.rx, now.rx, -1)) &&
                      SAME_NUMBERS && SAME_SET);
    SAYS(send, broken,
         IS(result != TN_ERESET || may_be_broken(fd) || (s != NULL && s->our_finish)));
    SAYS(send, error, IS(result > 0 || beneath_translated(result)));
    if (s != NULL)
        changed_by_send(fd, n, result);
    k = now;
    return result;
}

void checked_finish(int32_t fd)
{
    struct model now;

    REQUIRES(finish, open, ours(fd));
    tn_sys_finish(fd);
    checks_note("finish(%d)", (int)fd);
    if (peer_at[at(fd)] >= 0) {
        streams[peer_at[fd]].our_finish = 1;
        changed(fd, 0);
    }
    see(&now, -1, 0, 0);
    ASSIGNS(finish, SAME_NUMBERS && SAME_SET && SAME_STREAMS);
    k = now;
}

void checked_close(int32_t fd)
{
    struct model now;

    REQUIRES(close, open, ours(fd));
    REQUIRES(close, model, inv(&k));
    tn_sys_close(fd);
    checks_note("close(%d)", (int)fd);
    if (peer_at[at(fd)] >= 0)
        streams[peer_at[fd]].our_close = 1;
    if (fd == set)
        set = -1;
    peer_at[fd] = -1;
    see(&now, -1, 0, 0);
    ENSURES(close, closed, IS(now.open[fd] == 0) && IS(now.reg[fd] == 0));
    ENSURES(close, model, IS(inv(&now)));
    ASSIGNS(close, IS(same_i32(k.open, now.open, BUT(fd))) && IS(same_u64(k.inc, now.inc, -1)) &&
                       IS(same_i32(k.reg, now.reg, BUT(fd))) && IS(same_cookies(&k, &now, -1)) &&
                       IS(same_u32(k.mask, now.mask, -1)) && SAME_STREAMS);
    k = now;
}

int64_t checked_now_ms(void)
{
    struct model now;
    int64_t result = tn_sys_now_ms();

    see(&now, -1, 0, 0);
    ENSURES(now_ms, range, LE(0, result) && LE(result, TN_CLOCK_MAX));
    ASSIGNS(now_ms, SAME_NUMBERS && SAME_SET && SAME_STREAMS);
    SAYS(now_ms, monotonic, LE(last_ms, result));
    last_ms = result;
    k = now;
    return result;
}

/* --- figures ------------------------------------------------------------------------- */

enum { MUTANTS = __COUNTER__ - FIRST_MUTANT };
_Static_assert((uint32_t)MUTANTS <= MUTANTS_MAX, "all mutants have a place");

uint64_t checks_calls(void)
{
    return calls;
}

uint32_t checks_mutants(void)
{
    return MUTANTS;
}

void checks_mutate(int32_t id)
{
    mutant = id;
}

const char *checks_mutant_clause(int32_t id)
{
    return mutants[id].clause;
}

const char *checks_mutant_text(int32_t id)
{
    return mutants[id].text;
}

uint32_t checks_report(void)
{
    for (uint32_t i = 0; i < clause_count; i++)
        printf("    %-30s %" PRIu64 "\n", clauses[i].name, clauses[i].checked);
    return clause_count;
}
