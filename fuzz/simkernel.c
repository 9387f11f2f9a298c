#include "simkernel.h"

#include "poll/poller.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Waits in a row that report something and change nothing, at most. */
#define SPINS_ALLOWED 4u
/* The same, when all that changes is what is watched for: all may be parked. */
#define TOGGLES_ALLOWED (8u + 2u * TN_CONNECTIONS)

/* The pauses of polling are so much longer than asked for, at most, in ms. */
#define LATE_MAX 64

/* polling tries everything before it pauses, a batch at a time. */
#define ROUND_MAX ((SIM_FDS + TN_BATCH - 1) / TN_BATCH)

/* After so many waits that ended by time alone the waking descriptor is filled. */
#define LONELY_WAITS 64u

#define SIM_ERROR 8u
#define SIM_HANGUP 16u
#define SIM_PEER_ENDED 0x2000u /* of TN_ENDED; there is no urgent data */

enum kind { FREE, EPOLL, LISTENER, STREAM, FOREIGN, REGULAR };

struct descriptor {
    int kind;
    int owner; /* 0 closed, 1 the server's, 2 foreign */
    int32_t stream;
    uint32_t level; /* FOREIGN: bytes to read */
    int32_t queue[SIM_QUEUE];
    uint32_t queued;
    int registered;
    int broken_left; /* mask 0: a hang-up may still be reported */
    uint32_t slot, gen, mask;
};

struct pipe {
    uint8_t bytes[SIM_PIPE];
    uint32_t start, len, room;
};

struct stream {
    struct pipe in, out; /* as the server sees them */
    int peer_finished, peer_closed, peer_local, peer_deaf;
    int finished, closed, broken, error_told, end_told, accepted;
    int peer_reset; /* the peer sees a reset */
    int changed;    /* by edge: since the last report */
    int fell_short; /* a send found too little room, and there has been none since */
    int readable;   /* by edge: was reported, and no receipt has found less than it had room for */
    int ended;      /* by edge: the peer's end was reported: a short receipt is no sign */
    int64_t finished_ms, moved_ms, moved_known_ms;
    uint64_t received, sent, receives, reports;
};

struct note {
    const char *format;
    int64_t now, a, b, c, d;
};

static struct {
    const uint8_t *bytes;
    size_t len, at;
    uint64_t seed;
    int seeded;
    struct sim_hooks hooks;
    struct sim_stats stats;
    uint32_t rate[SIM_FAULTS];
    int64_t now, known, waited;
    uint32_t limit, open_total, open_ours;
    int32_t accept_trouble;
    int64_t accept_failed_ms;
    int32_t wake, epfd;
    uint64_t fail_at;
    uint32_t fail_variant;
    uint64_t unasked;
    uint32_t turn, streams, lonely;
    uint32_t model;
    int same_network;
    uint64_t salt;
    int64_t late; /* polling: its pauses get longer while nothing happens */
    int rested;
    int inside; /* the driver acts inside a call */
    uint64_t progress, toggles, seen_progress, seen_toggles;
    int64_t seen_now;
    uint32_t spins, idles;
    struct descriptor fd[SIM_FDS];
    struct stream stream[SIM_STREAMS];
} sim;

/* Outside sim: a violation must be able to print it whatever happened. */
static struct note notes[SIM_TRACE];
static uint64_t noted;
static int live;
static char label[256];

/* --- trace --------------------------------------------------------------------------- */

static void note_print(const struct note *n)
{
    fprintf(stderr, "%8" PRId64 "  ", n->now);
    fprintf(stderr, n->format, n->a, n->b, n->c, n->d);
    fputc('\n', stderr);
}

void sim_note(const char *format, int64_t a, int64_t b, int64_t c, int64_t d)
{
    struct note *n = &notes[noted % SIM_TRACE];

    n->format = format;
    n->now = sim.now;
    n->a = a;
    n->b = b;
    n->c = c;
    n->d = d;
    noted++;
    if (live)
        note_print(n);
}

#define NOTE(format, a, b, c, d) \
    sim_note(format, (int64_t)(a), (int64_t)(b), (int64_t)(c), (int64_t)(d))

void sim_label(const char *text)
{
    snprintf(label, sizeof label, "%s", text);
}

void sim_trace_live(int on)
{
    live = on;
}

_Noreturn void sim_violation(const char *format, ...)
{
    va_list ap;

    if (!live) {
        uint64_t first = noted > 60 ? noted - 60 : 0;

        fprintf(stderr, "--- the last %" PRIu64 " of %" PRIu64 " notes\n", noted - first, noted);
        for (uint64_t i = first; i < noted; i++)
            note_print(&notes[i % SIM_TRACE]);
    }
    fprintf(stderr, "VIOLATION: ");
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, "\n%s\n", label);
    fflush(stderr);
    abort();
}

/* --- schedule ------------------------------------------------------------------------ */

static void start(const struct sim_hooks *hooks)
{
    memset(&sim, 0, sizeof sim);
    if (hooks != NULL)
        sim.hooks = *hooks;
    sim.limit = SIM_FDS;
    sim.wake = -1;
    sim.epfd = -1;
    sim.accept_failed_ms = -1;
    sim.fail_at = UINT64_MAX;
    sim.seen_now = -1;
    noted = 0;
}

void sim_reset(const uint8_t *bytes, size_t n, const struct sim_hooks *hooks)
{
    start(hooks);
    sim.bytes = bytes;
    sim.len = n;
}

/* splitmix64 */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t sim_hash(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t x = mix(a);

    x = b == 0 && c == 0 ? x : mix(x ^ b);
    return c == 0 ? x : mix(x ^ c);
}

void sim_reset_seeded(uint64_t seed, const struct sim_hooks *hooks)
{
    start(hooks);
    sim.seeded = 1;
    /* neighbouring seeds must not give neighbouring schedules */
    sim.seed = sim_hash(seed, 0, 0) | 1u;
}

static uint32_t next_byte(void)
{
    if (sim.seeded) {
        sim.seed ^= sim.seed << 13;
        sim.seed ^= sim.seed >> 7;
        sim.seed ^= sim.seed << 17;
        return (uint32_t)(sim.seed * 0x2545f4914f6cdd1du >> 56);
    }
    return sim.at < sim.len ? sim.bytes[sim.at++] : 0;
}

int sim_exhausted(void)
{
    return !sim.seeded && sim.at >= sim.len;
}

uint32_t sim_choose(uint32_t n)
{
    if (n <= 1)
        return 0;
    if (n <= 256)
        return next_byte() % n;
    return (next_byte() * 256 + next_byte()) % n;
}

int sim_chance(uint32_t rate)
{
    return rate > 0 && next_byte() >= 256 - rate;
}

void sim_same_network(uint64_t salt)
{
    sim.same_network = 1;
    sim.salt = salt;
}

/* A decision about a connection: 0 .. n - 1. */
static uint32_t decide(const struct stream *s, uint32_t n)
{
    if (!sim.same_network)
        return sim_choose(n);
    return (
        uint32_t)(sim_hash(sim.salt, (uint64_t)(s - sim.stream) + 1, s->received + s->sent + 1) %
                  n);
}

void sim_fault_rate(enum sim_fault fault, uint32_t rate)
{
    sim.rate[fault] = rate;
}

void sim_calm(void)
{
    memset(sim.rate, 0, sizeof sim.rate);
    sim.accept_trouble = 0;
    sim.limit = SIM_FDS;
    sim_progress();
}

void sim_descriptor_limit(uint32_t limit)
{
    sim.limit = limit < SIM_FDS ? limit : SIM_FDS;
    NOTE("descriptor limit %" PRId64, sim.limit, 0, 0, 0);
}

void sim_serves(uint32_t model)
{
    sim.model = model;
}

void sim_unasked_receive(void)
{
    sim.unasked++;
}

void sim_first_ready(int32_t fd)
{
    sim.turn = (uint32_t)fd + SIM_FDS - 1;
}

void sim_accept_trouble(int32_t error)
{
    sim.accept_trouble = error;
    NOTE("accept trouble %" PRId64, error, 0, 0, 0);
}

void sim_fail_call(uint64_t k, uint32_t variant)
{
    sim.fail_at = sim.stats.calls + k;
    sim.fail_variant = variant;
}

static int fault(enum sim_fault f)
{
    if (!sim_chance(sim.rate[f]))
        return 0;
    sim.stats.faults++;
    sim.progress++;
    return 1;
}

/* The variant in which this call has to fail, or -1. */
static int32_t forced(uint32_t variants)
{
    sim.stats.calls++;
    if (sim.stats.calls - 1 != sim.fail_at || sim.fail_variant >= variants)
        return -1;
    sim.stats.faults++;
    sim.progress++;
    return (int32_t)sim.fail_variant;
}

static void moves_inside(void)
{
    if (sim.inside)
        return;
    if (fault(SIM_LATE))
        sim.now += sim_choose(20);
    if (sim.hooks.moves != NULL && fault(SIM_MOVES)) {
        sim.inside = 1;
        sim.hooks.moves();
        sim.inside = 0;
    }
}

/* --- clock and statistics ------------------------------------------------------------ */

int64_t sim_now(void)
{
    return sim.now;
}

void sim_advance(int64_t ms)
{
    NOTE("clock +%" PRId64, ms, 0, 0, 0);
    sim.now += ms;
}

void sim_clock_known(void)
{
    sim.known = sim.now;
}

int64_t sim_known_ms(void)
{
    return sim.known;
}

int64_t sim_waited_ms(void)
{
    return sim.waited;
}

void sim_progress(void)
{
    sim.progress++;
}

const struct sim_stats *sim_stats(void)
{
    return &sim.stats;
}

int64_t tn_sys_now_ms(void)
{
    return sim.now;
}

/* --- descriptors --------------------------------------------------------------------- */

static struct descriptor *descriptor(int32_t fd, const char *call)
{
    if (fd < 0 || fd >= SIM_FDS || sim.fd[fd].owner == 0)
        sim_violation("%s of descriptor %d, which is not open", call, (int)fd);
    return &sim.fd[fd];
}

static struct descriptor *ours(int32_t fd, int kind, const char *call)
{
    struct descriptor *d = descriptor(fd, call);

    if (d->owner != 1)
        sim_violation("%s of descriptor %d, which is foreign", call, (int)fd);
    if (d->kind != kind)
        sim_violation("%s of descriptor %d, which is of another kind", call, (int)fd);
    return d;
}

static int32_t open_number(int kind, int owner)
{
    for (int32_t f = 0; f < SIM_FDS; f++)
        if (sim.fd[f].owner == 0) {
            memset(&sim.fd[f], 0, sizeof sim.fd[f]);
            sim.fd[f].kind = kind;
            sim.fd[f].owner = owner;
            sim.fd[f].stream = -1;
            sim.open_total++;
            sim.open_ours += owner == 1;
            return f;
        }
    sim_violation("the simulation has no number left");
}

static void close_number(int32_t fd)
{
    sim.open_total--;
    sim.open_ours -= sim.fd[fd].owner == 1;
    sim.fd[fd].owner = 0;
    sim.fd[fd].kind = FREE;
    sim.fd[fd].registered = 0;
}

static int by_edge(const struct descriptor *d)
{
    return d->registered && (d->mask & TN_EDGE);
}

int sim_open(int32_t fd)
{
    return fd < 0 || fd >= SIM_FDS ? 0 : sim.fd[fd].owner;
}

int sim_registered(int32_t fd, uint32_t *slot, uint32_t *gen, uint32_t *mask)
{
    struct descriptor *d = descriptor(fd, "inspection");

    *slot = d->slot;
    *gen = d->gen;
    *mask = d->mask;
    return d->registered;
}

int32_t sim_stream_of(int32_t fd)
{
    return fd < 0 || fd >= SIM_FDS || sim.fd[fd].kind != STREAM ? -1 : sim.fd[fd].stream;
}

uint32_t sim_open_count(int owner)
{
    return owner == 1 ? sim.open_ours : sim.open_total - sim.open_ours;
}

uint32_t sim_queued(int32_t listener)
{
    return descriptor(listener, "inspection")->queued;
}

int64_t sim_accept_failed_ms(void)
{
    return sim.accept_failed_ms;
}

int32_t sim_listener(void)
{
    return open_number(LISTENER, 2);
}

void sim_listener_given(int32_t fd)
{
    descriptor(fd, "gift")->owner = 1;
    sim.open_ours++;
}

int32_t sim_foreign(void)
{
    return open_number(FOREIGN, 2);
}

int32_t sim_regular_file(void)
{
    return open_number(REGULAR, 2);
}

void sim_foreign_fill(int32_t fd, uint32_t n)
{
    descriptor(fd, "fill")->level += n;
    NOTE("foreign %" PRId64 " filled by %" PRId64, fd, n, 0, 0);
}

uint32_t sim_foreign_drain(int32_t fd)
{
    struct descriptor *d = descriptor(fd, "drain");
    uint32_t n = d->level;

    d->level = 0;
    sim.progress++;
    return n;
}

uint32_t sim_foreign_level(int32_t fd)
{
    return descriptor(fd, "inspection")->level;
}

void sim_wake_descriptor(int32_t fd)
{
    sim.wake = fd;
}

int sim_rested(void)
{
    int rested = sim.rested;

    sim.rested = 0;
    return rested;
}

void sim_foreign_close(int32_t fd)
{
    if (descriptor(fd, "close")->registered)
        sim_violation("descriptor %d is still registered when its owner closes it", (int)fd);
    close_number(fd);
}

/* --- pipes and peers ----------------------------------------------------------------- */

static uint32_t pipe_put(struct pipe *p, const uint8_t *bytes, uint32_t n)
{
    if (n > p->room - p->len)
        n = p->room - p->len;
    for (uint32_t i = 0; i < n; i++)
        p->bytes[(p->start + p->len + i) % SIM_PIPE] = bytes[i];
    p->len += n;
    return n;
}

static uint32_t pipe_get(struct pipe *p, uint8_t *bytes, uint32_t n)
{
    if (n > p->len)
        n = p->len;
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = p->bytes[(p->start + i) % SIM_PIPE];
    p->start = (p->start + n) % SIM_PIPE;
    p->len -= n;
    return n;
}

static struct stream *peer(int32_t id)
{
    if (id < 0 || (uint32_t)id >= sim.streams)
        sim_violation("the driver names connection %d", (int)id);
    return &sim.stream[id];
}

int32_t sim_peer_connect(int32_t listener, uint32_t room_in, uint32_t room_out)
{
    struct descriptor *d = &sim.fd[listener];
    struct stream *s;

    if (d->kind != LISTENER || d->queued == SIM_QUEUE || sim.streams == SIM_STREAMS)
        return -1;
    s = &sim.stream[sim.streams];
    s->in.room = room_in < SIM_PIPE ? room_in : SIM_PIPE;
    s->out.room = room_out < SIM_PIPE ? room_out : SIM_PIPE;
    d->queue[d->queued++] = (int32_t)sim.streams;
    NOTE("peer %" PRId64 " connects to %" PRId64 ", room %" PRId64 " in, %" PRId64 " out",
         sim.streams, listener, s->in.room, s->out.room);
    return (int32_t)sim.streams++;
}

/* The peer learns that its connection is gone, and loses what it has not read. */
static void reset_peer(struct stream *s)
{
    s->peer_reset = 1;
    s->out.len = 0;
}

static uint32_t stream_level(const struct stream *s)
{
    uint32_t level = 0;
    uint32_t space = s->out.room - s->out.len;

    if (s->in.len > 0 || s->peer_finished || s->broken)
        level |= TN_READ;
    /* as stacks do: writable when a third is free, not at the first byte; but who
     * tries unasked finds the first byte, so the same network goes by that */
    if ((space > 0 && (sim.same_network || space >= s->out.room / 3)) || s->finished || s->broken ||
        s->peer_local)
        level |= TN_WRITE;
    if (s->peer_finished || s->broken || s->peer_local)
        level |= SIM_PEER_ENDED;
    if (s->broken)
        level |= SIM_HANGUP + (s->error_told ? 0 : SIM_ERROR);
    if (s->peer_local || (s->peer_finished && s->finished))
        level |= SIM_HANGUP;
    return level;
}

uint32_t sim_told_by_edge(int32_t fd)
{
    const struct descriptor *d = descriptor(fd, "inspection");
    const struct stream *s = &sim.stream[d->stream];

    if (!by_edge(d) || s->changed || s->end_told || s->error_told)
        return 0;
    return stream_level(s) & (s->finished ? TN_READ : TN_READ | TN_WRITE);
}

/* By edge, room is reported to whom a send fell short, and when there is enough. */
static void room_again(struct stream *s)
{
    if (!s->fell_short || !(stream_level(s) & TN_WRITE))
        return;
    s->fell_short = 0;
    s->changed = 1;
}

uint32_t sim_peer_write(int32_t id, const uint8_t *bytes, uint32_t n)
{
    struct stream *s = peer(id);

    if (s->peer_finished || s->peer_closed || s->broken || s->peer_reset)
        return 0;
    if (s->closed) {
        if (n > 0)
            reset_peer(s);
        return 0;
    }
    n = pipe_put(&s->in, bytes, n);
    NOTE("peer %" PRId64 " writes %" PRId64, id, n, 0, 0);
    s->changed |= n > 0;
    sim.progress += n > 0;
    return n;
}

uint32_t sim_peer_read(int32_t id, uint8_t *bytes, uint32_t n)
{
    struct stream *s = peer(id);

    n = pipe_get(&s->out, bytes, n);
    room_again(s);
    sim.progress += n > 0;
    if (n > 0)
        NOTE("peer %" PRId64 " reads %" PRId64, id, n, 0, 0);
    return n;
}

void sim_peer_finish(int32_t id)
{
    struct stream *s = peer(id);

    NOTE("peer %" PRId64 " finishes", id, 0, 0, 0);
    sim.progress++;
    s->changed |= !s->peer_finished;
    s->peer_finished = 1;
}

void sim_peer_reset(int32_t id)
{
    struct stream *s = peer(id);

    NOTE("peer %" PRId64 " resets", id, 0, 0, 0);
    sim.progress++;
    s->changed |= !s->broken;
    s->broken = 1;
    s->peer_closed = 1;
    s->out.len = 0;
    if (decide(s, 2) == 1)
        s->in.len = 0;
}

void sim_peer_close(int32_t id)
{
    struct stream *s = peer(id);

    /* a stack answers a close over unread bytes with a reset */
    if (s->out.len > 0) {
        sim_peer_reset(id);
        return;
    }
    sim.progress++;
    s->changed = 1;
    s->peer_finished = 1;
    s->peer_closed = 1;
    s->peer_local = decide(s, 2) == 1;
    s->peer_deaf = !s->peer_local;
    NOTE("peer %" PRId64 " closes, %" PRId64 " locally", id, s->peer_local, 0, 0);
}

int sim_peer_sees_end(int32_t id)
{
    struct stream *s = peer(id);

    return s->out.len == 0 && !s->peer_reset && (s->finished || s->closed);
}

int sim_peer_sees_reset(int32_t id)
{
    return peer(id)->peer_reset;
}

struct sim_stream_facts sim_facts(int32_t id)
{
    const struct stream *s = peer(id);
    struct sim_stream_facts f = {
        .accepted = s->accepted,
        .closed = s->closed,
        .finished = s->finished,
        .peer_finished = s->peer_finished,
        .broken = s->broken,
        .gone = s->broken || s->peer_local,
        .told_end = s->end_told || s->error_told,
        .finished_ms = s->finished_ms,
        .moved_ms = s->moved_ms,
        .moved_known_ms = s->moved_known_ms,
        .received = s->received,
        .sent = s->sent,
        .receives = s->receives,
        .unread = s->in.len,
    };

    return f;
}

/* --- accept, receive, send, close ---------------------------------------------------- */

static void moved(struct stream *s)
{
    s->moved_ms = sim.now;
    s->moved_known_ms = sim.known;
}

static int32_t accept_error(void)
{
    static const int32_t variants[] = {TN_EAGAIN, TN_EFILES, TN_EMEMORY, TN_ESYSTEM};
    int32_t variant = forced(4);

    if (variant >= 0)
        return variants[variant];
    if (sim.accept_trouble != 0)
        return sim.accept_trouble;
    if (sim.open_total >= sim.limit)
        return TN_EFILES;
    if (fault(SIM_AGAIN))
        return TN_EAGAIN;
    return fault(SIM_ACCEPT) ? variants[1 + sim_choose(3)] : 0;
}

int32_t tn_sys_accept(int32_t listener)
{
    struct descriptor *d = ours(listener, LISTENER, "accept");
    int32_t id, fd, error;

    moves_inside();
    error = accept_error();
    if (error == 0 && d->queued == 0)
        error = TN_EAGAIN;
    if (error != 0) {
        NOTE("accept %" PRId64 " -> %" PRId64, listener, error, 0, 0);
        if (error != TN_EAGAIN)
            sim.accept_failed_ms = sim.now;
        return error;
    }
    id = d->queue[0];
    d->queued--;
    memmove(d->queue, d->queue + 1, d->queued * sizeof d->queue[0]);
    sim.progress++;
    sim.accept_failed_ms = -1;
    if (sim.stream[id].broken && decide(&sim.stream[id], 2) == 1) {
        NOTE("accept %" PRId64 ": connection %" PRId64 " is gone already", listener, id, 0, 0);
        sim.stats.gone++;
        return TN_EAGAIN;
    }
    fd = open_number(STREAM, 1);
    sim.fd[fd].stream = id;
    sim.stream[id].accepted = 1;
    moved(&sim.stream[id]);
    sim.stats.accepted++;
    NOTE("accept %" PRId64 " -> %" PRId64 ", connection %" PRId64, listener, fd, id, 0);
    return fd;
}

/* Gives each byte up to 24 at most: 1 .. n. */
static uint32_t shorter(const struct stream *s, uint32_t n)
{
    if (sim.same_network)
        return n > 1 && decide(s, 4) == 1 ? 1 + decide(s, n - 1) : n;
    return n > 1 && fault(SIM_SHORT) ? 1 + sim_choose(n - 1) : n;
}

static int32_t recv_end(struct stream *s)
{
    int told = s->error_told || s->end_told;

    if (s->broken && !s->error_told) {
        s->error_told = 1;
        sim.progress++;
        return TN_ERESET;
    }
    if (s->broken || s->peer_finished) {
        s->end_told = 1;
        sim.progress += !told;
        return TN_EOF;
    }
    return 0;
}

static int32_t recv_stream(int32_t id, uint8_t *buf, uint32_t room)
{
    struct stream *s = &sim.stream[id];
    int32_t variant = forced(4);
    uint32_t n;

    s->reports += s->readable != 0;
    if (++s->receives > s->reports + sim.unasked && sim.model != TN_POLLING)
        sim_violation("connection %d is received from without a report for it", (int)id);
    if (variant == 0 || fault(SIM_AGAIN))
        return TN_EMEMORY;
    if (variant == 1 || fault(SIM_RESET))
        sim_peer_reset(id);
    if (variant == 2 || fault(SIM_FINISH))
        sim_peer_finish(id);
    if (s->in.len == 0)
        return recv_end(s);
    n = pipe_get(&s->in, buf, variant == 3 ? 1 : shorter(s, room));
    s->changed |= n < room && s->in.len > 0; /* as if the rest had come just now */
    moved(s);
    s->received += n;
    sim.stats.bytes_in += n;
    sim.progress++;
    return (int32_t)n;
}

int32_t tn_sys_recv(int32_t fd, uint8_t *buf, uint32_t to, uint32_t n)
{
    struct descriptor *d = ours(fd, STREAM, "recv");
    int32_t result;

    if (n < 1 || n > 0x40000000u || to > 0x40000000u - n)
        sim_violation("recv of %u bytes to %u", n, to);
    moves_inside();
    memset(buf + to, 0xee, n); /* the contract lets a kernel do this */
    result = recv_stream(d->stream, buf + to, n);
    if (result == 0 || (result > 0 && (uint32_t)result < n && !sim.stream[d->stream].ended))
        sim.stream[d->stream].readable = 0;
    NOTE("recv %" PRId64 " (connection %" PRId64 ") room %" PRId64 " -> %" PRId64, fd, d->stream, n,
         result);
    return result;
}

static int32_t send_stream(int32_t id, const uint8_t *buf, uint32_t asked)
{
    struct stream *s = &sim.stream[id];
    int32_t variant = forced(3);
    uint32_t n;

    if (variant == 0 || fault(SIM_AGAIN))
        return TN_EMEMORY;
    if (variant == 1 || fault(SIM_RESET))
        sim_peer_reset(id);
    if (s->broken || s->peer_local) {
        sim.progress += !s->error_told;
        s->error_told = 1;
        return TN_ERESET;
    }
    n = variant == 2 ? 1 : shorter(s, asked);
    if (s->peer_deaf) {
        s->broken = 1;
        s->changed = 1;
    } else {
        n = pipe_put(&s->out, buf, n);
        s->fell_short |= n < asked;
        room_again(s); /* as if it had come just now */
    }
    if (n > 0) {
        moved(s);
        s->sent += n;
        sim.stats.bytes_out += n;
        sim.progress++;
    }
    return (int32_t)n;
}

int32_t tn_sys_send(int32_t fd, const uint8_t *buf, uint32_t from, uint32_t n)
{
    struct descriptor *d = ours(fd, STREAM, "send");
    int32_t result;

    if (n < 1 || n > 0x40000000u || from > 0x40000000u - n)
        sim_violation("send of %u bytes from %u", n, from);
    if (sim.stream[d->stream].finished)
        sim_violation("send on descriptor %d after it was finished", (int)fd);
    moves_inside();
    result = send_stream(d->stream, buf + from, n);
    NOTE("send %" PRId64 " (connection %" PRId64 ") %" PRId64 " -> %" PRId64, fd, d->stream, n,
         result);
    return result;
}

void tn_sys_finish(int32_t fd)
{
    struct descriptor *d = ours(fd, STREAM, "finish");
    struct stream *s = &sim.stream[d->stream];

    NOTE("finish %" PRId64 " (connection %" PRId64 ")", fd, d->stream, 0, 0);
    sim.progress += !s->finished;
    if (!s->finished)
        s->finished_ms = sim.now;
    s->finished = 1;
    /* TCP wakes who waits, a local socket does not */
    if (by_edge(d))
        s->changed |= decide(s, 2) == 1;
}

static void close_stream(struct stream *s)
{
    s->closed = 1;
    if (s->in.len > 0)
        reset_peer(s);
}

void tn_sys_close(int32_t fd)
{
    struct descriptor *d = descriptor(fd, "close");

    if (d->owner != 1)
        sim_violation("close of descriptor %d, which is foreign", (int)fd);
    NOTE("close %" PRId64 " (connection %" PRId64 ")", fd, d->stream, 0, 0);
    if (d->kind == STREAM)
        close_stream(&sim.stream[d->stream]);
    for (uint32_t i = 0; i < d->queued; i++) {
        sim.stream[d->queue[i]].closed = 1;
        reset_peer(&sim.stream[d->queue[i]]);
    }
    if (d->kind == EPOLL) {
        for (int32_t f = 0; f < SIM_FDS; f++)
            sim.fd[f].registered = 0;
        sim.epfd = -1;
    }
    /* one that could not be registered does not end the trouble */
    if (sim.model == TN_EPOLL || sim.model == TN_EPOLL_ET
            ? d->registered
            : sim.model != TN_SELECT || fd < TN_SELECT_FDS)
        sim.accept_failed_ms = -1;
    else if (d->kind == STREAM)
        sim.accept_failed_ms = sim.now;
    close_number(fd);
    sim.stats.closes++;
    sim.progress++;
}

/* --- epoll --------------------------------------------------------------------------- */

int32_t tn_sys_epoll_create(void)
{
    static const int32_t variants[] = {TN_EFILES, TN_EMEMORY, TN_ESYSTEM};
    int32_t variant = forced(3);

    if (sim.epfd != -1)
        sim_violation("a second set is opened");
    if (variant >= 0)
        return variants[variant];
    if (sim.open_total >= sim.limit)
        return TN_EFILES;
    if (fault(SIM_ADD))
        return variants[sim_choose(3)];
    sim.epfd = open_number(EPOLL, 1);
    NOTE("epoll_create -> %" PRId64, sim.epfd, 0, 0, 0);
    return sim.epfd;
}

/* By edge, a connection is registered for everything and once. */
static void check_edge(const struct descriptor *d, uint32_t mask)
{
    if (d->kind != STREAM)
        sim_violation("what is no connection is registered by edge");
    if (mask != (TN_EDGE | TN_READ | TN_WRITE) && mask != (TN_EDGE | TN_READ | TN_WRITE | TN_ENDED))
        sim_violation("mask %x is asked for by edge", mask);
}

static void set_mask(struct descriptor *d, uint32_t mask)
{
    if (mask & TN_EDGE)
        check_edge(d, mask);
    else if (mask != 0 && mask != TN_READ && mask != TN_WRITE && mask != (TN_READ | TN_WRITE))
        sim_violation("mask %u is asked for", mask);
    d->mask = mask;
    /* a kernel may also report a hang-up never */
    d->broken_left = mask == 0 && !fault(SIM_ORDER);
}

int32_t tn_sys_epoll_add(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    static const int32_t variants[] = {TN_EMEMORY, TN_ESYSTEM};
    struct descriptor *d;
    int32_t variant = forced(2);

    ours(epfd, EPOLL, "epoll_add");
    d = descriptor(fd, "epoll_add");
    if (fd == epfd || d->registered)
        sim_violation("descriptor %d is registered twice", (int)fd);
    if (d->kind == REGULAR)
        variant = 1;
    if (variant < 0 && fault(SIM_ADD))
        variant = (int32_t)sim_choose(2);
    NOTE("epoll_add %" PRId64 " slot %" PRId64 " gen %" PRId64 " mask %" PRId64, fd, slot, gen,
         variant < 0 ? (int64_t)mask : -1);
    if (variant >= 0) {
        if (d->kind == STREAM)
            sim.accept_failed_ms = sim.now;
        return variants[variant];
    }
    d->registered = 1;
    d->slot = slot;
    d->gen = gen;
    set_mask(d, mask);
    if (d->kind == STREAM) {
        sim.stream[d->stream].changed = 1;
        sim.stream[d->stream].readable = 0;
        sim.stream[d->stream].ended = 0;
    }
    sim.toggles++;
    return 1;
}

static struct descriptor *registered(int32_t epfd, int32_t fd, const char *call)
{
    struct descriptor *d;

    ours(epfd, EPOLL, call);
    d = descriptor(fd, call);
    if (!d->registered)
        sim_violation("%s of descriptor %d, which is not registered", call, (int)fd);
    return d;
}

void tn_sys_epoll_modify(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    struct descriptor *d = registered(epfd, fd, "epoll_modify");

    if (d->slot != slot || d->gen != gen)
        sim_violation("descriptor %d is registered for {%u, %u}, but modified for {%u, %u}",
                      (int)fd, d->slot, d->gen, slot, gen);
    if ((d->mask | mask) & TN_EDGE)
        sim_violation("descriptor %d is registered by edge, and modified", (int)fd);
    NOTE("epoll_modify %" PRId64 " mask %" PRId64 " -> %" PRId64, fd, d->mask, mask, 0);
    sim.stats.modifies++;
    sim.toggles += d->mask != mask;
    set_mask(d, mask);
}

void tn_sys_epoll_remove(int32_t epfd, int32_t fd)
{
    struct descriptor *d = registered(epfd, fd, "epoll_remove");

    NOTE("epoll_remove %" PRId64, fd, 0, 0, 0);
    d->registered = 0;
    sim.toggles++;
}

static uint32_t level_of(const struct descriptor *d)
{
    if (d->kind == LISTENER)
        return d->queued > 0 ? TN_READ : 0;
    if (d->kind == FOREIGN)
        return d->level > 0 ? TN_READ : 0;
    if (d->kind == REGULAR)
        return TN_READ;
    return d->kind == STREAM ? stream_level(&sim.stream[d->stream]) : 0;
}

/* By edge, a wait looks at what has changed: what it finds unready it forgets,
 * and where it finds no room it asks to be told of some. */
static void looked_at(struct stream *s, uint32_t level)
{
    s->fell_short |= s->changed && !(level & TN_WRITE);
    if (level == 0)
        s->changed = 0;
}

static uint32_t report_of(const struct descriptor *d)
{
    uint32_t level = level_of(d);

    if (d->mask == 0)
        return d->broken_left ? level & TN_BROKEN : 0;
    level &= d->mask | TN_BROKEN;
    if (by_edge(d))
        looked_at(&sim.stream[d->stream], level);
    if (level == 0 && fault(SIM_SPURIOUS))
        return (d->mask & TN_READ) && (d->mask & TN_WRITE)
                   ? (sim_choose(2) == 0 ? TN_READ : TN_WRITE)
                   : d->mask;
    return by_edge(d) && !sim.stream[d->stream].changed ? 0 : level;
}

/* Lists what is ready, starting with another number each time, so that a full
 * batch starves nobody. */
static uint32_t collect(int32_t *fds, uint32_t *masks)
{
    uint32_t n = 0;

    sim.turn++;
    for (uint32_t i = 0; i < SIM_FDS; i++) {
        uint32_t f = (sim.turn + i) % SIM_FDS;
        uint32_t mask = sim.fd[f].registered ? report_of(&sim.fd[f]) : 0;

        if (mask == 0)
            continue;
        fds[n] = (int32_t)f;
        masks[n] = mask;
        n++;
    }
    return n;
}

static void told_by_edge(struct stream *s, uint32_t mask)
{
    sim.progress += s->changed ? 1u : 0u; /* it is not told again */
    s->changed = 0;
    s->readable |= mask != TN_WRITE;
    s->ended |= (mask & ~(TN_READ | TN_WRITE)) != 0;
}

static uint32_t deliver(struct tn_ready *ready, uint32_t max, int32_t *fds, uint32_t *masks,
                        uint32_t n)
{
    uint32_t count = n < max ? n : max;

    if (n > 1 && fault(SIM_ORDER)) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t j = sim_choose(n);
            int32_t fd = fds[i];
            uint32_t mask = masks[i];

            fds[i] = fds[j];
            masks[i] = masks[j];
            fds[j] = fd;
            masks[j] = mask;
        }
        /* who is left out may time out meanwhile, which is not the same network */
        if (!sim.same_network && sim_choose(2) == 1)
            count = 1 + sim_choose(count);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct descriptor *d = &sim.fd[fds[i]];

        ready[i].slot = d->slot;
        ready[i].gen = d->gen;
        ready[i].mask = masks[i];
        if (d->mask == 0)
            d->broken_left = 0;
        if (by_edge(d))
            told_by_edge(&sim.stream[d->stream], masks[i]);
        else if (d->kind == STREAM && masks[i] != TN_WRITE)
            sim.stream[d->stream].reports++;
        NOTE("  ready: descriptor %" PRId64 " mask %" PRId64 " slot %" PRId64 " gen %" PRId64,
             fds[i], masks[i], d->slot, d->gen);
    }
    return count;
}

/* Nothing is ready: something happens or time passes.  0 when the time is over. */
static int pass_time(int64_t deadline)
{
    int moved;

    sim.inside = 1;
    moved = sim.hooks.moves != NULL && sim.hooks.moves();
    sim.inside = 0;
    if (moved)
        sim.late = 0;
    if (moved)
        return deadline < 0 || sim.now < deadline;
    if (deadline < 0) {
        if (sim.wake < 0 || !sim.fd[sim.wake].registered)
            sim_violation("the server waits for ever and nothing can wake it");
        NOTE("at rest", 0, 0, 0, 0);
        sim.rested = 1;
        sim.fd[sim.wake].level++;
        return 1;
    }
    if (sim.now < deadline)
        sim.now = deadline;
    if (sim.model == TN_POLLING) {
        sim.now += sim.late;
        sim.late += sim.late < LATE_MAX;
    }
    /* a server may try something again and again for ever; its driver may not */
    if (++sim.lonely % LONELY_WAITS == 0 && sim.wake >= 0 && sim.fd[sim.wake].registered)
        sim.fd[sim.wake].level++;
    return 0;
}

/* Lists what is ready when something is; 0 when the time is over. */
static uint32_t wait_for(int32_t *fds, uint32_t *masks, int32_t timeout_ms)
{
    int64_t deadline = timeout_ms < 0 ? -1 : sim.now + timeout_ms;
    uint32_t n;

    for (uint32_t i = 0; i < 1000; i++) {
        n = collect(fds, masks);
        if (n > 0)
            return n;
        if (timeout_ms == 0)
            return 0;
        if (fault(SIM_SIGNAL))
            return 0;
        if (!pass_time(deadline)) {
            if (fault(SIM_LATE))
                sim.now += sim_choose(50);
            return 0;
        }
    }
    NOTE("interrupted", 0, 0, 0, 0);
    sim.progress++;
    return 0;
}

/* A server either makes progress or sleeps. */
static void check_spin(int32_t timeout_ms)
{
    if (++sim.stats.waits > SIM_WAITS)
        sim_violation("%d waits: the schedule does not end", (int)SIM_WAITS);
    if (sim.progress != sim.seen_progress || sim.now != sim.seen_now) {
        sim.spins = 0;
        sim.idles = 0;
    } else if (sim.toggles != sim.seen_toggles) {
        sim.spins = 0;
    }
    sim.seen_progress = sim.progress;
    sim.seen_toggles = sim.toggles;
    sim.seen_now = sim.now;
    if (++sim.spins > SPINS_ALLOWED + (sim.model == TN_POLLING ? ROUND_MAX : 0) ||
        ++sim.idles > TOGGLES_ALLOWED)
        sim_violation("the server spins: %u waits without progress, the next for %d ms", sim.idles,
                      (int)timeout_ms);
}

static void wait_starts(int32_t timeout_ms)
{
    if (timeout_ms < -1)
        sim_violation("a wait for %d ms", (int)timeout_ms);
    NOTE("wait %" PRId64 " ms", timeout_ms, 0, 0, 0);
    if (sim.hooks.waits != NULL)
        sim.hooks.waits(timeout_ms);
    check_spin(timeout_ms);
    moves_inside();
}

static int32_t wait_ends(int32_t result)
{
    sim_clock_known();
    sim.waited = sim.now;
    NOTE("wait -> %" PRId64, result, 0, 0, 0);
    return result;
}

int32_t tn_sys_epoll_wait(int32_t epfd, struct tn_ready *ready, uint32_t max, int32_t timeout_ms)
{
    int32_t fds[SIM_FDS];
    uint32_t masks[SIM_FDS];
    int32_t variant = forced(2);
    uint32_t n;

    ours(epfd, EPOLL, "epoll_wait");
    if (max < 1 || max > TN_BATCH)
        sim_violation("epoll_wait for %u reports", max);
    wait_starts(timeout_ms);
    memset(ready, 0xee, max * sizeof ready[0]);
    if (variant >= 0)
        return wait_ends(variant == 1 ? TN_ESYSTEM : 0);
    n = wait_for(fds, masks, timeout_ms);
    return wait_ends(n == 0 ? 0 : (int32_t)deliver(ready, max, fds, masks, n));
}

/* --- poll and select ----------------------------------------------------------------- */

/* What is asked about, and nothing else, is registered as long as the call
 * lasts.  kept: what was before. */
static void register_list(const struct tn_asked *list, uint32_t n, const char *call,
                          struct descriptor *kept)
{
    uint32_t mask[SIM_FDS] = {0};

    memcpy(kept, sim.fd, sizeof sim.fd);
    for (int32_t f = 0; f < SIM_FDS; f++)
        sim.fd[f].registered = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct descriptor *d = descriptor(list[i].fd, call);
        uint32_t events = (uint32_t)list[i].events;

        if (d->registered)
            sim_violation("%s is asked about descriptor %d twice", call, (int)list[i].fd);
        if (events != TN_READ && events != TN_WRITE && events != (TN_READ | TN_WRITE))
            sim_violation("%s is asked for %u", call, events);
        d->registered = 1;
        mask[list[i].fd] = events;
    }
    for (int32_t f = 0; f < SIM_FDS; f++) {
        sim.toggles += sim.fd[f].mask != mask[f];
        sim.fd[f].mask = mask[f];
    }
}

static void answer(struct tn_asked *a, uint32_t mask, uint32_t answers)
{
    struct descriptor *d = &sim.fd[a->fd];

    a->revents = (int16_t)(mask & answers);
    if (d->kind == STREAM && a->revents != 0 && a->revents != (int16_t)TN_WRITE)
        sim.stream[d->stream].reports++;
    if (a->revents != 0)
        NOTE("  ready: descriptor %" PRId64 " mask %" PRId64, a->fd, a->revents, 0, 0);
}

static void unregister_list(const struct descriptor *kept)
{
    for (int32_t f = 0; f < SIM_FDS; f++) {
        sim.fd[f].registered = kept[f].registered;
        if (kept[f].registered)
            sim.fd[f].mask = kept[f].mask;
    }
}

/* answers: the bits this call can answer with. */
static int32_t wait_asking(struct tn_asked *list, uint32_t n, int32_t timeout_ms, uint32_t answers,
                           const char *call)
{
    static struct descriptor kept[SIM_FDS];
    int32_t fds[SIM_FDS];
    uint32_t masks[SIM_FDS];
    int32_t variant = forced(2);
    int32_t result = 0;
    uint32_t ready;

    register_list(list, n, call, kept);
    wait_starts(timeout_ms);
    ready = variant >= 0 ? 0 : wait_for(fds, masks, timeout_ms);
    for (uint32_t i = 0; i < n; i++) {
        list[i].revents = 0;
        for (uint32_t j = 0; j < ready; j++)
            if (fds[j] == list[i].fd)
                answer(&list[i], masks[j], answers);
        result += list[i].revents != 0;
    }
    unregister_list(kept);
    return wait_ends(variant == 1 ? TN_ESYSTEM : result);
}

int32_t tn_sys_poll(struct tn_asked *list, uint32_t n, int32_t timeout_ms)
{
    return wait_asking(list, n, timeout_ms, TN_READ | TN_WRITE | TN_BROKEN, "poll");
}

int32_t tn_sys_select(struct tn_asked *list, uint32_t n, int32_t timeout_ms)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i].fd >= TN_SELECT_FDS)
            sim_violation("select is asked about descriptor %d", (int)list[i].fd);
    return wait_asking(list, n, timeout_ms, TN_READ | TN_WRITE, "select");
}
