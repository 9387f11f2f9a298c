#include "world.h"

#include "serve/server.h"
#include "simkernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OUT_MAX (256u + 4u * TN_ENCODED_MAX)   /* bytes a peer sends in its life */
#define WANT_MAX (512u + 16u * TN_ENCODED_MAX) /* bytes the service sends to one peer */
#define FRAMES_MAX 64u                         /* frames a peer sends */
#define FOREIGN_MAX 3u
#define LISTENERS_MAX 3u
#define TIMERS_MAX 3u
#define NEVER INT64_MAX

#define NOTE(format, a, b, c, d) \
    sim_note(format, (int64_t)(a), (int64_t)(b), (int64_t)(c), (int64_t)(d))

enum life { UNSEEN, OPEN, FINISHING, ENDED };
enum phase { RANDOM, FROZEN, BENIGN };

struct peer {
    uint8_t out[OUT_MAX];
    uint32_t out_len, written;
    uint32_t start[FRAMES_MAX], len[FRAMES_MAX], end[FRAMES_MAX];
    uint32_t frames, delivered;
    uint32_t bad_at, bad_end; /* where malformed bytes start and end in out, or NONE */
    uint32_t raw_delivered;
    uint8_t want[WANT_MAX];
    uint32_t want_len, got;
    uint32_t reads;   /* 0: the peer has stopped reading */
    uint32_t patient; /* 1: waits for all answers before it finishes; 2: for a draining server */
    int stopped;      /* reset or closed by itself */
    enum life life;
    struct tn_handle handle;
    uint32_t reason;            /* TN_REASONS: closed by tn_close, or not ended */
    int clean;                  /* ended in good order: all that was wanted must arrive */
    int64_t since_known, since; /* what it is waited for began then: not before since_known, as
                                   far as a server can know, and not after since */
    uint32_t stands;            /* the timeout it stands under, its reason ... */
    int64_t stands_ms;          /* ... and since when, at the latest */
    uint64_t seen_received, seen_sent, seen_consumed;
};

static struct {
    struct tn_server server;
    struct peer peer[SIM_STREAMS];
    struct tn_options options;
    uint32_t peers, peers_max;
    uint32_t encoded_max;
    enum phase phase;
    uint32_t moves_left;
    uint32_t mischief, rude; /* rates of the service's and the peers' bad habits */
    int spurious, started, drained;
    int worn; /* slots whose generations are soon used up */
    uint32_t listeners;
    int32_t listener[LISTENERS_MAX];
    int32_t foreign[FOREIGN_MAX];
    int32_t watch_of[FOREIGN_MAX]; /* -1 while it is not watched */
    int32_t wake, wake_watch;
    int64_t drain_due, next_started;
    int32_t next_timeout;
    uint32_t overtime; /* waits of a tn_next whose time was over */
    struct {
        int64_t due, every; /* NEVER: not set */
        uint64_t rung;      /* how many waits there had been when it rang last */
    } timer[TIMERS_MAX];
    uint64_t frames, sent, opened, ended[TN_REASONS];
} w;

static struct world_totals totals;

const struct world_totals *world_totals(void)
{
    return &totals;
}

/* --- frames, written here once more -------------------------------------------------- */

static uint32_t encode_head(uint8_t *dst, uint32_t len)
{
    uint32_t n = 0;

    switch (w.options.framing) {
    case TN_U32:
        for (uint32_t i = 0; i < 4; i++)
            dst[n++] = (uint8_t)(len >> (24u - 8u * i));
        return n;
    case TN_NETSTRING:
        return (uint32_t)sprintf((char *)dst, "%u:", len);
    case TN_VARINT:
        for (; len >= 128; len /= 128)
            dst[n++] = (uint8_t)(len % 128 + 128);
        dst[n++] = (uint8_t)len;
        return n;
    default:
        return 0;
    }
}

static uint32_t encode(uint8_t *dst, const uint8_t *data, uint32_t len)
{
    uint32_t n = encode_head(dst, len);

    memcpy(dst + n, data, len);
    n += len;
    if (w.options.framing == TN_LINE)
        dst[n++] = '\n';
    if (w.options.framing == TN_NETSTRING)
        dst[n++] = ',';
    return n;
}

/* Bytes that tell connection and place, so that no mix-up goes unnoticed. */
static uint8_t pattern(uint32_t id, uint32_t i)
{
    uint32_t b = (id * 37u + i * 11u + i / 7u) % 256u;

    return (uint8_t)(w.options.framing == TN_LINE && b == '\n' ? '\v' : b);
}

static uint32_t payload_len(void)
{
    uint32_t max = w.options.frame_max;

    switch (sim_choose(6)) {
    case 0:
        return sim_choose(4) % (max + 1);
    case 1:
        return max;
    case 2:
        return max - 1;
    case 3:
        return 0;
    default:
        return sim_choose(max + 1);
    }
}

/* --- peers --------------------------------------------------------------------------- */

static void compose_frame(uint32_t id)
{
    struct peer *p = &w.peer[id];
    uint8_t data[TN_FRAME_MAX];
    uint32_t len = payload_len();

    if (p->bad_at != TN_NONE || p->frames == FRAMES_MAX || OUT_MAX - p->out_len < w.encoded_max)
        return;
    if (len == 0 && w.options.framing == TN_RAW)
        len = 1;
    for (uint32_t i = 0; i < len; i++)
        data[i] = pattern(id, p->out_len + i);
    p->start[p->frames] = p->out_len + encode_head(&p->out[p->out_len], len);
    p->len[p->frames] = len;
    p->out_len += encode(&p->out[p->out_len], data, len);
    p->end[p->frames] = p->out_len;
    p->frames++;
}

static uint32_t malform_netstring(uint8_t *b)
{
    switch (sim_choose(5)) {
    case 0:
        b[0] = ':';
        return 1;
    case 1:
        memcpy(b, "01:", 3);
        return 3;
    case 2:
        memcpy(b, "1x", 2);
        return 2;
    case 3:
        memcpy(b, "1:a!", 4);
        return 4;
    default:
        return (uint32_t)sprintf((char *)b, "%u", w.options.frame_max + 1);
    }
}

static uint32_t malform_varint(uint8_t *b)
{
    switch (sim_choose(3)) {
    case 0:
        memcpy(b, "\x80\x00", 2);
        return 2;
    case 1:
        memcpy(b, "\xff\xff\xff\xff", 4);
        return 4;
    default:
        return encode_head(b, w.options.frame_max + 1);
    }
}

static uint32_t malform(uint8_t *b)
{
    switch (w.options.framing) {
    case TN_LINE:
        memset(b, 'x', w.options.frame_max + 1);
        return w.options.frame_max + 1;
    case TN_U32:
        return encode_head(b, w.options.frame_max + 1);
    case TN_NETSTRING:
        return malform_netstring(b);
    case TN_VARINT:
        return malform_varint(b);
    default:
        return 0;
    }
}

static void compose_bad(uint32_t id)
{
    struct peer *p = &w.peer[id];

    if (w.options.framing == TN_RAW || p->bad_at != TN_NONE || OUT_MAX - p->out_len < w.encoded_max)
        return;
    p->bad_at = p->out_len;
    p->out_len += malform(&p->out[p->out_len]);
    p->bad_end = p->out_len;
    while (OUT_MAX - p->out_len > 0 && sim_choose(4) != 0)
        p->out[p->out_len++] = (uint8_t)sim_choose(256);
    NOTE("peer %" PRId64 " composes a malformed frame at %" PRId64, id, p->bad_at, 0, 0);
}

static uint32_t peer_write(uint32_t id, uint32_t n)
{
    struct peer *p = &w.peer[id];

    if (n > p->out_len - p->written)
        n = p->out_len - p->written;
    n = sim_peer_write((int32_t)id, &p->out[p->written], n);
    p->written += n;
    return n;
}

static uint32_t peer_read(uint32_t id, uint32_t n)
{
    struct peer *p = &w.peer[id];
    uint8_t bytes[SIM_PIPE];

    n = sim_peer_read((int32_t)id, bytes, n < SIM_PIPE ? n : SIM_PIPE);
    if (n > p->want_len - p->got)
        sim_violation("peer %u reads %u bytes, but only %u more were ever sent to it", id, n,
                      p->want_len - p->got);
    for (uint32_t i = 0; i < n; i++)
        if (bytes[i] != p->want[p->got + i])
            sim_violation("peer %u reads %u as its byte %u, but %u was sent", id, bytes[i],
                          p->got + i, p->want[p->got + i]);
    p->got += n;
    return n;
}

static int connect_peer(void)
{
    uint32_t id = w.peers;
    uint32_t l = sim_choose(w.listeners);
    uint32_t room_in = 1 + sim_choose(SIM_PIPE), room_out = 1 + sim_choose(SIM_PIPE);

    if (w.peers == w.peers_max || w.listeners == 0 || w.drained)
        return 0;
    if (sim_peer_connect(w.listener[l], room_in, room_out) < 0)
        return 0;
    w.peer[id].bad_at = TN_NONE;
    w.peer[id].reason = TN_REASONS;
    w.peer[id].reads = 1;
    w.peer[id].patient = sim_choose(3);
    w.peers++;
    return 1;
}

static void peer_ends(uint32_t id)
{
    switch (sim_choose(4)) {
    case 0:
        w.peer[id].stopped = 1;
        sim_peer_reset((int32_t)id);
        break;
    case 1:
        w.peer[id].stopped = 1;
        sim_peer_close((int32_t)id);
        break;
    default:
        sim_peer_finish((int32_t)id);
        break;
    }
}

static void peer_moves(uint32_t id)
{
    struct peer *p = &w.peer[id];

    if (p->stopped)
        return;
    switch (sim_choose(8)) {
    case 0:
        if (sim_chance(w.rude))
            peer_ends(id);
        break;
    case 1:
        if (sim_chance(w.rude))
            compose_bad(id);
        break;
    case 2:
        if (sim_chance(w.rude))
            p->reads = 1 - p->reads;
        break;
    case 3:
    case 4:
        if (p->reads)
            peer_read(id, 1 + sim_choose(SIM_PIPE));
        break;
    default:
        if (p->written == p->out_len || sim_choose(2) == 0)
            compose_frame(id);
        peer_write(id, 1 + sim_choose(w.encoded_max + 8));
        break;
    }
}

static void circumstances_move(void)
{
    static const int32_t troubles[] = {0, 0, TN_EFILES, TN_EMEMORY, TN_ESYSTEM};

    switch (sim_choose(6)) {
    case 0:
        sim_advance(1 + sim_choose(30));
        break;
    case 1:
        sim_advance(sim_choose(16) == 1 ? 1000000 : sim_choose(1500));
        break;
    case 2:
        if (sim_chance(w.rude))
            sim_accept_trouble(troubles[sim_choose(5)]);
        break;
    case 3:
        if (sim_chance(w.rude))
            sim_descriptor_limit(4 + sim_choose(TN_CONNECTIONS + 8));
        break;
    default:
        sim_foreign_fill(w.foreign[sim_choose(FOREIGN_MAX)], 1);
        break;
    }
}

static int random_move(void)
{
    uint32_t what = sim_choose(16);

    if (w.moves_left == 0 || sim_exhausted())
        return 0;
    w.moves_left--;
    if (what < 3 || w.peers == 0)
        connect_peer();
    else if (what == 3)
        circumstances_move();
    else
        peer_moves(sim_choose(w.peers));
    return 1;
}

/* Each peer does all that it can; 0 when none could do anything. */
static int benign_moves(void)
{
    uint32_t moved = 0;

    for (uint32_t id = 0; id < w.peers; id++) {
        struct peer *p = &w.peer[id];
        struct sim_stream_facts f = sim_facts((int32_t)id);

        if (p->stopped || f.broken)
            continue;
        moved += peer_write(id, OUT_MAX);
        moved += peer_read(id, SIM_PIPE);
        if (f.peer_finished || p->written < p->out_len || f.gone)
            continue;
        if (p->patient > 0 && p->got < p->want_len)
            continue;
        if (p->patient == 2 && w.drained && f.accepted && !f.closed && !f.finished)
            continue;
        sim_peer_finish((int32_t)id);
        moved++;
    }
    return moved > 0;
}

static int moves(void)
{
    if (w.phase == FROZEN)
        return 0;
    return w.phase == RANDOM ? random_move() : benign_moves();
}

/* --- timeouts ------------------------------------------------------------------------ */

static const struct tn_server *server(void)
{
    return &w.server;
}

static uint32_t id_of(const struct peer *p)
{
    return (uint32_t)(p - w.peer);
}

/* Says whether the server wakes up for its timeouts although none is near. */
static int ticks(void)
{
    return w.options.read_ms > 0 || w.options.write_ms > 0;
}

/* How much of what the peer sent was delivered. */
static uint32_t consumed_of(const struct peer *p)
{
    if (w.options.framing == TN_RAW)
        return p->raw_delivered;
    return p->delivered == 0 ? 0 : p->end[p->delivered - 1];
}

/* Which timeout the peer stands under: the reason it would end for. */
static uint32_t timeout_over(const struct peer *p)
{
    struct sim_stream_facts f = sim_facts((int32_t)id_of(p));

    if (f.sent < p->want_len)
        return w.options.write_ms > 0 ? TN_BY_WRITE : TN_BY_IDLE;
    return w.options.read_ms > 0 && f.received > consumed_of(p) ? TN_BY_READ : TN_BY_IDLE;
}

static int64_t limit_of(uint32_t reason)
{
    switch (reason) {
    case TN_BY_READ:
        return w.options.read_ms;
    case TN_BY_WRITE:
        return w.options.write_ms;
    default:
        return w.options.idle_ms;
    }
}

/* Notes since when the peer is waited for.  That begins anew when the kernel has
 * taken bytes to it, and when bytes came from it: with a read timeout only the
 * first of a frame, but also once a delivery of frames has ended.
 *
 * Called before each moment from which on the server knows another time, so that
 * what is new since the last call was done at the time known now, or later. */
static void note_time(struct peer *p)
{
    struct sim_stream_facts f = sim_facts((int32_t)id_of(p));
    int served = server()->cur == (int64_t)p->handle.slot;
    int whole = w.options.read_ms > 0 && !served && consumed_of(p) > p->seen_consumed;
    int first = w.options.read_ms == 0 || p->seen_received == p->seen_consumed;

    if (whole || f.sent > p->seen_sent || (first && f.received > p->seen_received)) {
        p->since_known = sim_known_ms();
        p->since = whole ? sim_now() : f.moved_ms;
    }
    p->seen_sent = f.sent;
    p->seen_received = f.received;
    if (served)
        return;
    p->seen_consumed = consumed_of(p);
    if (p->stands != timeout_over(p))
        p->stands_ms = sim_now();
    p->stands = timeout_over(p);
}

static void note_times(void)
{
    for (uint32_t id = 0; id < w.peers; id++)
        if (w.peer[id].life == OPEN || w.peer[id].life == FINISHING)
            note_time(&w.peer[id]);
}

/* Who was sent something while the server kept nothing of it is waited for anew,
 * with a write timeout.  taken: it was accepted. */
static void note_pending(struct peer *p, int taken)
{
    if (w.options.write_ms == 0)
        return;
    p->since = sim_now();
    if (taken)
        p->since_known = sim_known_ms();
}

/* At the last wait already: otherwise what has come since was not looked at. */
static int time_passed(const struct peer *p, uint32_t reason)
{
    int64_t ms = limit_of(reason);

    return ms > 0 && sim_waited_ms() - p->since_known >= ms;
}

/* --- what must hold whenever the server waits ---------------------------------------- */

static int live(uint32_t slot)
{
    return server()->table.slots.pos[slot] < server()->table.slots.live;
}

static uint32_t block_of(uint32_t slot)
{
    uint32_t block = server()->conn[slot].block;

    return block == TN_NO_BLOCK ? TN_NONE : block;
}

static uint32_t pending_of(uint32_t slot)
{
    uint32_t block = block_of(slot);

    return block == TN_NONE ? 0 : (uint32_t)server()->buffer[block].out_len;
}

/* What the state wants, stated once more. */
static uint32_t wanted(uint32_t state, uint32_t pending)
{
    uint32_t mask = state == TN_CONN_OPEN || state == TN_CONN_LINGERING ? TN_READ : 0;

    return state != TN_CONN_LINGERING && pending > 0 ? mask + TN_WRITE : mask;
}

/* Says whether the poller has a set in the kernel. */
static uint32_t has_set(void)
{
    return w.options.model == TN_EPOLL || w.options.model == TN_EPOLL_ET;
}

/* What a descriptor is watched for, as the kernel knows it; polling tells no
 * kernel, nor does epoll-et of connections, and their own tables have to do. */
static uint32_t watched_for(int32_t fd, uint32_t cookie, uint32_t cookie_gen, int16_t interest)
{
    uint32_t at, gen, mask;
    int registered = sim_registered(fd, &at, &gen, &mask);

    if (w.options.model == TN_POLLING)
        return (uint32_t)interest;
    if (!has_set())
        return registered ? mask : 0;
    if (!registered)
        sim_violation("descriptor %d is not registered", (int)fd);
    if (at != cookie || gen != cookie_gen)
        sim_violation("descriptor %d is registered under {%u, %u}", (int)fd, at, gen);
    return mask >= TN_EDGE ? (uint32_t)interest : mask;
}

static void check_descriptor(uint32_t slot, uint32_t id)
{
    uint32_t mask;
    int32_t state = server()->conn[slot].state;
    int32_t fd = server()->table.fd[slot];

    if (sim_open(fd) != 1)
        sim_violation("slot %u holds descriptor %d, which is not open", slot, (int)fd);
    mask = watched_for(fd, slot, server()->table.slots.gen[slot], server()->table.interest[slot]);
    if (mask != wanted((uint32_t)state, pending_of(slot)))
        sim_violation("peer %u, slot %u: state %u with %u pending is watched for %u", id, slot,
                      state, pending_of(slot), mask);
}

static void check_rest(uint32_t slot, uint32_t id)
{
    int32_t state = server()->conn[slot].state;
    uint32_t pending = pending_of(slot);
    int rests;

    switch (state) {
    case TN_CONN_OPEN:
    case TN_CONN_LINGERING:
        rests = 1;
        break;
    case TN_CONN_PARKED:
        rests = pending == 0 && server()->pool.free == 0;
        break;
    case TN_CONN_PAUSED:
    case TN_CONN_HALF:
        rests = pending > TN_OUTPUT_LOW;
        break;
    case TN_CONN_FLUSHING:
    case TN_CONN_DRAINING:
        rests = pending > 0;
        break;
    default:
        rests = 0;
        break;
    }
    if (!rests)
        sim_violation("peer %u, slot %u: state %u does not rest with %u pending", id, slot, state,
                      pending);
}

static uint32_t check_buffer(uint32_t slot, uint32_t id)
{
    uint32_t block = block_of(slot);
    struct sim_stream_facts f = sim_facts((int32_t)id);

    if (block == TN_NONE)
        return 0;
    if (block >= TN_BLOCKS || (uint32_t)server()->buffer[block].owner != slot ||
        server()->pool.pos[block] < server()->pool.free)
        sim_violation("slot %u holds buffer %u, which is not lent to it", slot, block);
    /* one that was parked may hold an empty one until it is served */
    if (server()->buffer[block].in_len + server()->buffer[block].out_len == 0 && f.unread == 0 &&
        !f.peer_finished && !f.broken)
        sim_violation("peer %u, slot %u holds an empty buffer", id, slot);
    return 1;
}

/* All whole frames received were delivered, unless their replies lack room. */
static void check_delivered(uint32_t slot, uint32_t id)
{
    const struct peer *p = &w.peer[id];
    struct sim_stream_facts f = sim_facts((int32_t)id);

    if (server()->conn[slot].state != TN_CONN_OPEN)
        return;
    if (w.options.framing == TN_RAW && p->raw_delivered != f.received)
        sim_violation("peer %u: %u of %" PRIu64 " bytes received were delivered", id,
                      p->raw_delivered, f.received);
    if (w.options.framing != TN_RAW && p->delivered < p->frames &&
        p->end[p->delivered] <= f.received)
        sim_violation("peer %u: frame %u was received and is not delivered", id, p->delivered);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Who comes under another timeout meanwhile is looked at again before that is
 * over. */
static int64_t deadline_of(uint32_t slot, uint32_t id)
{
    const struct peer *p = &w.peer[id];
    int64_t ms = limit_of(p->stands);

    if (server()->conn[slot].state == TN_CONN_LINGERING)
        return sim_facts((int32_t)id).finished_ms + w.server.linger_ms;
    if (ms == 0)
        return NEVER;
    return ms + (p->since < p->stands_ms ? p->stands_ms : p->since);
}

static int64_t check_connections(void)
{
    uint32_t lent = 0, n = 0;
    int64_t due = NEVER;

    for (uint32_t slot = 0; slot < server()->table.slots.cap; slot++) {
        int32_t stream = live(slot) ? sim_stream_of(server()->table.fd[slot]) : 0;
        uint32_t id = (uint32_t)stream;

        if (!live(slot))
            continue;
        if (stream < 0 || (w.peer[id].life != OPEN && w.peer[id].life != FINISHING))
            sim_violation("slot %u is live without an open connection", slot);
        check_descriptor(slot, id);
        check_rest(slot, id);
        check_delivered(slot, id);
        if (w.drained && server()->conn[slot].state == TN_CONN_OPEN && pending_of(slot) == 0)
            sim_violation("peer %u, slot %u is open, and nothing ends it in a drain", id, slot);
        lent += check_buffer(slot, id);
        note_time(&w.peer[id]);
        due = earlier(due, deadline_of(slot, id));
        n++;
    }
    if (server()->pool.free != TN_BLOCKS - lent)
        sim_violation("%u of %u buffers are held, %u are free", lent, TN_BLOCKS,
                      (uint32_t)server()->pool.free);
    if (sim_open_count(1) != n + has_set() + (w.drained ? 0 : w.listeners))
        sim_violation("%u descriptors are open for %u connections", sim_open_count(1), n);
    return due;
}

/* Listeners are watched, or there is a reason and an end to it. */
static int64_t check_listeners(void)
{
    const struct tn_slots *slots = &server()->table.slots;
    int64_t failed = sim_accept_failed_ms();

    for (uint32_t l = 0; l < w.listeners && !w.drained; l++) {
        uint32_t mask =
            watched_for(w.listener[l], TN_LISTENER_COOKIE + l, 0, server()->table.listening[l]);

        if (mask == TN_READ || slots->live == slots->usable)
            continue;
        if (failed < 0)
            sim_violation("accepting is paused: %u of %u slots are live, and it did not fail",
                          (uint32_t)slots->live, (uint32_t)slots->usable);
        return failed + TN_ACCEPT_RETRY_MS;
    }
    return NEVER;
}

/* By edge, what the kernel will not say again is kept; and nobody sleeps while
 * what is kept is watched for. */
static void check_edges(int32_t timeout_ms)
{
    const struct tn_edges *edges = &server()->table.poller.edges;

    for (uint32_t slot = 0; slot < server()->table.slots.cap; slot++) {
        uint32_t readable = edges->readable[slot] ? TN_READ : 0;
        uint32_t kept = edges->writable[slot] ? readable + TN_WRITE : readable;
        uint32_t interest = (uint32_t)server()->table.interest[slot];
        uint32_t told = live(slot) ? sim_told_by_edge(server()->table.fd[slot]) : 0;

        if ((told & ~kept) != 0)
            sim_violation("slot %u: the edges told come to %u, those kept to %u", slot, told, kept);
        if (live(slot) && timeout_ms != 0 && (kept & interest) != 0)
            sim_violation("the server sleeps for %d ms, and slot %u is ready", (int)timeout_ms,
                          slot);
    }
}

/* No timer was due at the last wait already. */
static int64_t check_timers(void)
{
    int64_t due = NEVER;

    for (uint32_t i = 0; i < TIMERS_MAX; i++) {
        if (w.timer[i].due <= sim_waited_ms())
            sim_violation("the server waits, and timer %u was due at %" PRId64, i, w.timer[i].due);
        due = earlier(due, w.timer[i].due);
    }
    return due;
}

static void waits(int32_t timeout_ms)
{
    int64_t due;
    int64_t known = sim_known_ms();

    if (server()->cur != TN_NONE)
        sim_violation("the server waits in the middle of a delivery");
    if (w.next_timeout >= 0 && known >= w.next_started + w.next_timeout && w.overtime++ > 0)
        sim_violation("tn_next(%d) waits again after its time is over", (int)w.next_timeout);
    if (w.options.model == TN_EPOLL_ET)
        check_edges(timeout_ms);
    due = earlier(check_connections(), check_listeners());
    due = earlier(due, w.drain_due);
    due = earlier(due, check_timers());
    if (w.next_timeout >= 0)
        due = earlier(due, w.next_started + w.next_timeout);
    if (timeout_ms < 0 ? due != NEVER : timeout_ms > 0 && known + timeout_ms > due)
        sim_violation("the server sleeps for %d ms at %" PRId64 ", past the deadline %" PRId64,
                      (int)timeout_ms, known, due);
}

/* --- the service --------------------------------------------------------------------- */

static struct peer *peer_of(struct tn_handle h, const char *event)
{
    for (uint32_t id = 0; id < w.peers; id++)
        if ((w.peer[id].life == OPEN || w.peer[id].life == FINISHING) &&
            w.peer[id].handle.slot == h.slot && w.peer[id].handle.gen == h.gen)
            return &w.peer[id];
    sim_violation("%s for {%u, %u}, which names no open connection", event, h.slot, h.gen);
}

static uint32_t malformed_came(const struct peer *p)
{
    return p->bad_at != TN_NONE && sim_facts((int32_t)id_of(p)).received > p->bad_at;
}

static void check_refused(const struct peer *p, const uint8_t *data, uint32_t len, int32_t r)
{
    uint32_t block = block_of(p->handle.slot);

    switch (r) {
    case 0:
        if (block == TN_NONE
                ? server()->pool.free == 0
                : TN_OUT_CAP - server()->buffer[block].out_len < len + TN_FRAME_OVERHEAD)
            return;
        break;
    case TN_ETOOBIG:
        if (len > w.options.frame_max)
            return;
        break;
    case TN_EFRAME:
        if (w.options.framing == TN_LINE && memchr(data, '\n', len) != NULL)
            return;
        break;
    case TN_EOF:
        if (p->life == FINISHING || malformed_came(p) || w.drained ||
            sim_facts((int32_t)id_of(p)).told_end)
            return;
        break;
    default:
        break;
    }
    sim_violation("tn_send of %u bytes to peer %u: %d", len, id_of(p), (int)r);
}

/* Sends to a connection the model knows to be open. */
static int32_t send_to(struct peer *p, const uint8_t *data, uint32_t len)
{
    int bare = block_of(p->handle.slot) == TN_NONE;
    int32_t r;

    if (WANT_MAX - p->want_len < w.encoded_max)
        return 0;
    r = tn_send(&w.server, p->handle, data, len);
    if (bare)
        note_pending(p, r == 1 && pending_of(p->handle.slot) > 0);
    NOTE("tn_send to peer %" PRId64 ", %" PRId64 " bytes -> %" PRId64, id_of(p), len, r, 0);
    if (r != 1) {
        check_refused(p, data, len, r);
        return r;
    }
    if (p->life == FINISHING)
        sim_violation("tn_send takes a message for peer %u, which is finishing", id_of(p));
    if (len > w.options.frame_max)
        sim_violation("tn_send takes %u bytes, beyond the maximum", len);
    w.sent += len > 0 || w.options.framing != TN_RAW;
    p->want_len += encode(&p->want[p->want_len], data, len);
    return r;
}

static struct peer *some_peer(enum life life)
{
    uint32_t start;

    if (w.peers == 0)
        return NULL;
    start = sim_choose(w.peers);
    for (uint32_t i = 0; i < w.peers; i++)
        if (w.peer[(start + i) % w.peers].life == life)
            return &w.peer[(start + i) % w.peers];
    return NULL;
}

static void close_peer(struct peer *p)
{
    int32_t r = tn_close(&w.server, p->handle);

    NOTE("tn_close of peer %" PRId64 " -> %" PRId64, id_of(p), r, 0, 0);
    if (r != 1 || !sim_facts((int32_t)id_of(p)).closed)
        sim_violation("tn_close of peer %u: %d", id_of(p), (int)r);
    p->life = ENDED;
    p->reason = TN_REASONS;
    w.ended[TN_BY_CALLER]++;
    totals.closed++;
}

static void finish_peer(struct peer *p)
{
    int32_t r = tn_finish(&w.server, p->handle);

    NOTE("tn_finish of peer %" PRId64 " -> %" PRId64, id_of(p), r, 0, 0);
    if (r != 1)
        sim_violation("tn_finish of peer %u: %d", id_of(p), (int)r);
    p->life = FINISHING;
    totals.finished++;
}

static void check_stale(struct tn_handle h)
{
    uint8_t byte = 0;

    totals.stale++;
    if (tn_send(&w.server, h, &byte, 1) != TN_ESTALE || tn_finish(&w.server, h) != TN_ESTALE ||
        tn_close(&w.server, h) != TN_ESTALE)
        sim_violation("the stale handle {%u, %u} is not refused", h.slot, h.gen);
}

static void check_forged(void)
{
    struct tn_handle h = {sim_choose(TN_CONNECTIONS + 2), 0};

    if (sim_choose(4) == 1)
        h.slot = TN_NONE;
    if (sim_choose(2) == 1 && h.slot >= w.options.connections)
        h.gen = 1;
    check_stale(h);
}

static void toggle_watch(uint32_t i)
{
    int32_t r;

    if (w.watch_of[i] >= 0) {
        r = tn_unwatch(&w.server, (uint32_t)w.watch_of[i]);
        if (r != 1)
            sim_violation("tn_unwatch of %d: %d", (int)w.watch_of[i], (int)r);
        if (tn_unwatch(&w.server, (uint32_t)w.watch_of[i]) != TN_EINVAL)
            sim_violation("tn_unwatch of %d twice is not refused", (int)w.watch_of[i]);
        if (tn_unwatch(&w.server, TN_WATCHES) != TN_EINVAL)
            sim_violation("tn_unwatch beyond the last is not refused");
        w.watch_of[i] = -1;
        return;
    }
    r = tn_watch(&w.server, w.foreign[i]);
    if (r < 0 && r != TN_EFULL && r != TN_EMEMORY && r != TN_ESYSTEM)
        sim_violation("tn_watch: %d", (int)r);
    w.watch_of[i] = r;
}

static void watch_regular_file(void)
{
    int32_t fd = sim_regular_file();
    int32_t r = tn_watch(&w.server, fd);

    /* for the others it can always be read */
    if (r >= 0 && !has_set())
        tn_unwatch(&w.server, (uint32_t)r);
    else if (r != TN_ESYSTEM && r != TN_EFULL)
        sim_violation("tn_watch of what cannot be waited for: %d", (int)r);
    sim_foreign_close(fd);
}

static void set_timer(uint32_t i, int64_t after, int64_t every)
{
    if (tn_timer_set(&w.server, i, after, every) != 1)
        sim_violation("tn_timer_set of timer %u", i);
    NOTE("tn_timer_set %" PRId64 ": %" PRId64 ", every %" PRId64, i, after, every, 0);
    w.timer[i].due = sim_now() + after + 1;
    w.timer[i].every = every;
}

static void cancel_timer(uint32_t i)
{
    if (tn_timer_cancel(&w.server, i) != 1)
        sim_violation("tn_timer_cancel of timer %u", i);
    NOTE("tn_timer_cancel %" PRId64, i, 0, 0, 0);
    w.timer[i].due = NEVER;
}

/* Timers and times beyond their limits are refused, and nothing is set. */
static void check_timers_refused(void)
{
    struct tn_server *s = &w.server;

    if (tn_timer_set(s, TN_USER_TIMERS, 0, 0) != TN_EINVAL ||
        tn_timer_set(s, 0, -1, 0) != TN_EINVAL || tn_timer_set(s, 0, 0, -1) != TN_EINVAL ||
        tn_timer_set(s, 0, TN_TIMER_MAX_MS + 1, 0) != TN_EINVAL ||
        tn_timer_set(s, 0, 0, TN_TIMER_MAX_MS + 1) != TN_EINVAL ||
        tn_timer_cancel(s, TN_USER_TIMERS) != TN_EINVAL)
        sim_violation("timers beyond their limits are not refused");
}

static void change_timer(void)
{
    uint32_t i = sim_choose(TIMERS_MAX);

    check_timers_refused();
    switch (sim_choose(4)) {
    case 0:
        cancel_timer(i);
        break;
    case 1:
        set_timer(i, 0, 0);
        break;
    case 2:
        set_timer(i, sim_choose(200), 20 + sim_choose(1000));
        break;
    default:
        set_timer(i, sim_choose(1000), 0);
        break;
    }
}

/* A server with a period never comes to rest. */
static void end_periods(void)
{
    for (uint32_t i = 0; i < TIMERS_MAX; i++)
        if (w.timer[i].due != NEVER && w.timer[i].every > 0)
            cancel_timer(i);
}

static void add_listener(void)
{
    int32_t fd, r;

    if (w.listeners == LISTENERS_MAX)
        return;
    fd = sim_listener();
    r = tn_listen(&w.server, fd);
    NOTE("tn_listen %" PRId64 " -> %" PRId64, fd, r, 0, 0);
    if (r == 1) {
        sim_listener_given(fd);
        w.listener[w.listeners++] = fd;
        return;
    }
    if (r != TN_EFULL && r != TN_EMEMORY && r != TN_ESYSTEM && !(r == TN_EOF && w.drained))
        sim_violation("tn_listen: %d", (int)r);
    sim_foreign_close(fd);
}

static void send_something(struct peer *p)
{
    uint8_t data[TN_FRAME_MAX + 1];
    uint32_t len = payload_len();

    for (uint32_t i = 0; i < TN_FRAME_MAX + 1; i++)
        data[i] = pattern(id_of(p) + 100, p->want_len + i);
    if (sim_choose(8) == 1)
        len = w.options.frame_max + 1;
    if (len > 0 && sim_choose(8) == 1)
        data[sim_choose(len)] = '\n';
    send_to(p, data, len);
}

static void do_mischief(struct peer *self)
{
    struct peer *p;

    switch (sim_choose(12)) {
    case 0:
        if (self != NULL && self->life == OPEN)
            close_peer(self);
        break;
    case 1:
        if (self != NULL && self->life == OPEN)
            finish_peer(self);
        break;
    case 2:
        if ((p = some_peer(sim_choose(4) == 1 ? FINISHING : OPEN)) != NULL)
            close_peer(p);
        break;
    case 3:
        if ((p = some_peer(sim_choose(4) == 1 ? FINISHING : OPEN)) != NULL)
            finish_peer(p);
        break;
    case 4:
        if ((p = some_peer(ENDED)) != NULL && p->handle.gen != 0)
            check_stale(p->handle);
        break;
    case 5:
        check_forged();
        break;
    case 6:
        toggle_watch(sim_choose(FOREIGN_MAX));
        if (sim_choose(2) == 1)
            toggle_watch(sim_choose(FOREIGN_MAX));
        break;
    case 7:
        add_listener();
        break;
    case 8:
        sim_advance(sim_choose(700));
        if (sim_choose(8) == 1)
            watch_regular_file();
        break;
    case 9:
        change_timer();
        break;
    default:
        if ((p = some_peer(sim_choose(8) == 1 ? FINISHING : OPEN)) != NULL)
            send_something(p);
        break;
    }
}

static void maybe_mischief(struct peer *self)
{
    while (w.phase == RANDOM && sim_chance(w.mischief))
        do_mischief(self);
}

/* --- events -------------------------------------------------------------------------- */

static void on_opened(const struct tn_event *ev)
{
    int32_t id = -1;

    if (ev->conn.slot < server()->table.slots.cap && live(ev->conn.slot))
        id = sim_stream_of(server()->table.fd[ev->conn.slot]);
    if (id < 0 || w.peer[id].life != UNSEEN || ev->conn.gen == 0 ||
        ev->conn.gen != server()->table.slots.gen[ev->conn.slot])
        sim_violation("TN_OPENED for {%u, %u}, connection %d", ev->conn.slot, ev->conn.gen,
                      (int)id);
    NOTE("event OPENED: peer %" PRId64 ", slot %" PRId64 " gen %" PRId64, id, ev->conn.slot,
         ev->conn.gen, 0);
    w.peer[id].life = OPEN;
    w.peer[id].handle = ev->conn;
    w.peer[id].since_known = sim_facts(id).moved_known_ms;
    w.peer[id].since = sim_facts(id).moved_ms;
    w.opened++;
    maybe_mischief(&w.peer[id]);
}

static void check_frame(struct peer *p, const struct tn_event *ev)
{
    uint32_t id = id_of(p);
    uint32_t at = p->raw_delivered;

    if (ev->len > w.options.frame_max)
        sim_violation("a frame of %u bytes is delivered", ev->len);
    if (w.options.framing == TN_RAW) {
        if (ev->len == 0 || ev->len > p->written - p->raw_delivered)
            sim_violation("peer %u: %u bytes are delivered of %u", id, ev->len,
                          p->written - p->raw_delivered);
    } else if (p->delivered == p->frames || p->end[p->delivered] > p->written) {
        sim_violation("peer %u: a frame is delivered that was not sent", id);
    } else if (ev->len != p->len[p->delivered]) {
        sim_violation("peer %u: frame %u has %u bytes, %u were sent", id, p->delivered, ev->len,
                      p->len[p->delivered]);
    } else {
        at = p->start[p->delivered];
    }
    if (memcmp(ev->data, &p->out[at], ev->len) != 0)
        sim_violation("peer %u: frame %u is not what was sent", id, p->delivered);
}

static void on_frame(const struct tn_event *ev)
{
    struct peer *p = peer_of(ev->conn, "TN_FRAME");
    uint32_t before = p->want_len;

    NOTE("event FRAME: peer %" PRId64 ", %" PRId64 " bytes", id_of(p), ev->len, 0, 0);
    if (p->life == FINISHING)
        sim_violation("a frame of peer %u is delivered after tn_finish", id_of(p));
    check_frame(p, ev);
    maybe_mischief(p);
    if (p->life == OPEN && !(w.phase == RANDOM && sim_chance(w.mischief))) {
        int32_t r;

        check_frame(p, ev); /* still valid */
        r = send_to(p, ev->data, ev->len);
        if (r == 1)
            totals.echoed++;
        else if (r != 0 || (before == p->want_len && WANT_MAX - before >= w.encoded_max))
            sim_violation("peer %u: no room for the reply to a frame: %d", id_of(p), (int)r);
    }
    w.frames++;
    p->raw_delivered += ev->len;
    p->delivered++;
    maybe_mischief(p);
}

static int drain_is_over(void)
{
    return sim_now() >= w.drain_due;
}

static int linger_passed(const struct sim_stream_facts *f)
{
    return f->finished && sim_now() - f->finished_ms >= w.server.linger_ms;
}

static int is_timeout(uint32_t reason)
{
    return reason == TN_BY_IDLE || reason == TN_BY_READ || reason == TN_BY_WRITE;
}

/* The peer has finished, and every frame it sent was delivered. */
static void check_all_delivered(const struct peer *p, const struct sim_stream_facts *f)
{
    uint32_t id = id_of(p);
    uint32_t whole = 0;

    if (!f->peer_finished || f->received != p->written)
        sim_violation("peer %u has not finished, or %" PRIu64 " of %u bytes were received", id,
                      f->received, p->written);
    while (whole < p->frames && p->end[whole] <= p->written)
        whole++;
    if (w.options.framing == TN_RAW ? p->raw_delivered != p->written : p->delivered != whole)
        sim_violation("peer %u: %u of %u frames were delivered", id, p->delivered, whole);
}

/* Says whether the peer's next frame has not come whole. */
static int frame_unfinished(const struct peer *p, const struct sim_stream_facts *f)
{
    return p->delivered == p->frames || p->end[p->delivered] > f->received;
}

static void check_reason(const struct peer *p, uint32_t reason, const struct sim_stream_facts *f)
{
    uint32_t id = id_of(p);
    uint32_t boundary = consumed_of(p);
    int whole = w.options.framing == TN_RAW || boundary == p->written;
    int true_reason = 0;

    switch (reason) {
    case TN_BY_PEER:
    case TN_BY_TRUNCATION:
        check_all_delivered(p, f);
        true_reason =
            whole == (reason == TN_BY_PEER) && (p->bad_at == TN_NONE || p->bad_end > p->written);
        break;
    case TN_BY_CALLER:
        true_reason = p->life == FINISHING;
        break;
    case TN_BY_RESET:
        true_reason = f->gone;
        break;
    case TN_BY_FRAME:
        true_reason = malformed_came(p) && boundary == p->bad_at;
        break;
    case TN_BY_READ:
    case TN_BY_WRITE:
    case TN_BY_IDLE:
        true_reason = timeout_over(p) == reason && time_passed(p, reason) && !f->finished &&
                      (reason != TN_BY_READ || frame_unfinished(p, f));
        break;
    case TN_BY_DRAIN:
        true_reason = w.drained;
        break;
    default:
        break;
    }
    if (!true_reason)
        sim_violation("peer %u: it is not true that it ended for reason %u", id, reason);
}

/* An end in good order leaves nothing unsent, and nothing unread whose reset
 * could destroy what was sent. */
static void check_end(struct peer *p, uint32_t reason, const struct sim_stream_facts *f)
{
    p->clean = reason != TN_BY_RESET && !is_timeout(reason) && !f->gone &&
               !(reason == TN_BY_DRAIN && drain_is_over());
    if (!p->clean)
        return;
    if (f->sent != p->want_len)
        sim_violation("peer %u ends with %" PRIu64 " of %u bytes sent", id_of(p), f->sent,
                      p->want_len);
    if (linger_passed(f))
        p->clean = 0;
    else if (f->unread > 0 || !f->peer_finished)
        sim_violation("peer %u: closed before it has finished", id_of(p));
}

static void on_closed(const struct tn_event *ev)
{
    struct peer *p = peer_of(ev->conn, "TN_CLOSED");
    struct sim_stream_facts f = sim_facts((int32_t)id_of(p));
    uint32_t reason = ev->reason;

    NOTE("event CLOSED: peer %" PRId64 ", reason %" PRId64, id_of(p), reason, 0, 0);
    if (reason >= TN_REASONS || !f.closed)
        sim_violation("TN_CLOSED for peer %u with reason %u", id_of(p), reason);
    note_time(p);
    check_reason(p, reason, &f);
    check_end(p, reason, &f);
    p->life = ENDED;
    p->reason = reason;
    w.ended[reason]++;
    totals.reset += reason == TN_BY_RESET;
    totals.idle += reason == TN_BY_IDLE;
    totals.slow_frames += reason == TN_BY_READ;
    totals.slow_readers += reason == TN_BY_WRITE;
    totals.bad_frames += reason == TN_BY_FRAME;
    totals.truncated += reason == TN_BY_TRUNCATION;
    maybe_mischief(p);
}

static void on_ready(const struct tn_event *ev)
{
    NOTE("event READY: watch %" PRId64, ev->watch, 0, 0, 0);
    totals.watched++;
    if ((int32_t)ev->watch == w.wake_watch) {
        sim_foreign_drain(w.wake);
        return;
    }
    for (uint32_t i = 0; i < FOREIGN_MAX; i++)
        if ((int32_t)ev->watch == w.watch_of[i]) {
            if (sim_foreign_drain(w.foreign[i]) == 0 && !w.spurious)
                sim_violation("TN_READY for foreign descriptor %d, which has nothing to read",
                              (int)w.foreign[i]);
            maybe_mischief(NULL);
            return;
        }
    sim_violation("TN_READY for %u, which is not watched", ev->watch);
}

static void on_timer(const struct tn_event *ev)
{
    uint32_t i = ev->timer;

    NOTE("event TIMER: %" PRId64, i, 0, 0, 0);
    if (i >= TIMERS_MAX || w.timer[i].due == NEVER)
        sim_violation("TN_TIMER for %u, which is not set", i);
    if (w.timer[i].due > sim_waited_ms())
        sim_violation("timer %u, due at %" PRId64 ", is early", i, w.timer[i].due);
    if (server()->cur != TN_NONE || server()->table.poller.pos < server()->table.poller.count)
        sim_violation("timer %u rings before all is served that is ready", i);
    if (w.timer[i].rung == sim_stats()->waits)
        sim_violation("timer %u rings twice, and nobody was served between", i);
    for (uint32_t o = 0; o < TIMERS_MAX; o++)
        if (w.timer[o].due < w.timer[i].due)
            sim_violation("timer %u rings before timer %u", i, o);
    w.timer[i].rung = sim_stats()->waits;
    if (w.timer[i].every == 0)
        w.timer[i].due = NEVER;
    else
        while (w.timer[i].due <= sim_waited_ms())
            w.timer[i].due += w.timer[i].every;
    totals.rung++;
    maybe_mischief(NULL);
}

/* One call of tn_next and what the service does then.  Returns its result. */
static int32_t step(int32_t timeout_ms)
{
    struct tn_event ev;
    int32_t r;

    memset(&ev, 0xee, sizeof ev);
    note_times();
    sim_clock_known();
    w.next_started = sim_now();
    w.next_timeout = timeout_ms;
    w.overtime = 0;
    if (timeout_ms == 0)
        sim_progress();
    r = tn_next(&w.server, &ev, timeout_ms);
    if (r == 0 && (timeout_ms < 0 || sim_now() - w.next_started < timeout_ms))
        sim_violation("tn_next(%d) ends after %" PRId64 " ms", (int)timeout_ms,
                      sim_now() - w.next_started);
    if (r != 1) {
        NOTE("tn_next -> %" PRId64, r, 0, 0, 0);
        return r;
    }
    switch (ev.type) {
    case TN_OPENED:
        on_opened(&ev);
        break;
    case TN_FRAME:
        on_frame(&ev);
        break;
    case TN_CLOSED:
        on_closed(&ev);
        break;
    case TN_READY:
        on_ready(&ev);
        break;
    case TN_TIMER:
        on_timer(&ev);
        break;
    default:
        sim_violation("an event of type %u", ev.type);
    }
    return 1;
}

/* --- phases -------------------------------------------------------------------------- */

/* Few schedules have a read or a write timeout: those have that a byte says so
 * whose value is of no use otherwise. */
static void choose_timeouts(uint32_t byte)
{
    static const uint32_t read[] = {50, 0, 50, 1000, 50, 1000, 0, 20};
    static const uint32_t write[] = {0, 50, 50, 50, 1000, 0, 1000, 200};

    if (byte < 192)
        return;
    w.options.read_ms = read[byte / 8 % 8];
    w.options.write_ms = write[byte / 8 % 8];
}

static void choose_options(void)
{
    static const uint32_t idle[] = {0, 0, 50, 1000};
    static const uint32_t linger[] = {0, 1, 200, 3000};
    uint32_t max = sim_choose(4), rare;

    w.options.framing = sim_choose(5);
    w.options.frame_max = max == 0 ? TN_FRAME_MAX : max == 1 ? 1 : 1 + sim_choose(TN_FRAME_MAX);
    w.options.connections = 1 + sim_choose(TN_CONNECTIONS);
    w.options.idle_ms = idle[sim_choose(4)];
    w.options.linger_ms = linger[sim_choose(4)];
    w.encoded_max = w.options.frame_max + TN_FRAME_OVERHEAD;
    rare = sim_choose(256);
    w.worn = rare % 8 == 1;
    choose_timeouts(rare);
    w.options.model = sim_choose(2) == 0 ? TN_EPOLL : sim_choose(TN_MODELS);
    sim_serves(w.options.model);
}

/* Each fault is frequent in some schedules and absent in others: rare ones
 * would otherwise hide behind frequent ones. */
static void choose_faults(void)
{
    static const uint32_t rates[] = {0, 0, 6, 40};

    for (uint32_t f = 0; f < SIM_FAULTS; f++) {
        uint32_t rate = rates[sim_choose(4)];

        sim_fault_rate((enum sim_fault)f, rate);
        if (f == SIM_SPURIOUS)
            w.spurious = rate > 0;
    }
    w.mischief = rates[sim_choose(4)] * 2;
    w.rude = rates[sim_choose(4)] * 4;
}

static void begin(void)
{
    memset(&w.options, 0, sizeof w.options);
    w.peers = 0;
    w.peers_max = SIM_STREAMS;
    w.phase = RANDOM;
    w.moves_left = 3000;
    w.spurious = w.started = w.drained = w.worn = 0;
    w.mischief = w.rude = 0;
    w.listeners = 0;
    w.wake_watch = -1;
    w.drain_due = NEVER;
    w.next_timeout = -1;
    w.frames = w.sent = w.opened = 0;
    memset(w.ended, 0, sizeof w.ended);
    memset(w.peer, 0, sizeof w.peer);
    memset(w.timer, 0, sizeof w.timer);
    for (uint32_t i = 0; i < TIMERS_MAX; i++)
        w.timer[i].due = NEVER;
}

/* Options beyond their limits are refused, and nothing is opened. */
static void check_options_refused(void)
{
    struct tn_options many = w.options, framing = w.options, longer = w.options, model = w.options;

    many.connections = TN_CONNECTIONS + 1;
    framing.framing = TN_VARINT + 1;
    longer.frame_max = TN_FRAME_MAX + 1;
    model.model = UINT32_MAX;
    if (tn_init(&w.server, &many) != TN_EINVAL || tn_init(&w.server, &framing) != TN_EINVAL ||
        tn_init(&w.server, &longer) != TN_EINVAL || tn_init(&w.server, &model) != TN_EINVAL ||
        sim_open_count(1) != 0)
        sim_violation("options beyond their limits are not refused");
}

/* What was chosen, said by 0 where it is the default. */
static struct tn_options given_options(void)
{
    struct tn_options o = w.options;

    if (o.connections == TN_DEFAULT_CONNECTIONS)
        o.connections = 0;
    if (o.frame_max == TN_FRAME_MAX)
        o.frame_max = 0;
    return o;
}

/* Makes server, listener and watches; 0 when the kernel refused. */
static int start(void)
{
    static const struct tn_server blank;
    struct tn_options given = given_options();
    int32_t r;

    w.server = blank;
    check_options_refused();
    r = tn_init(&w.server, &given);
    if (r < 0) {
        if (sim_stats()->faults == 0 || sim_open_count(1) != 0)
            sim_violation("tn_init: %d", (int)r);
        return 0;
    }
    w.started = 1;
    if (w.worn)
        for (uint32_t s = 0; s < w.options.connections; s++)
            w.server.table.slots.gen[s] = UINT32_MAX - sim_choose(4);
    w.wake = sim_foreign();
    sim_wake_descriptor(w.wake);
    for (uint32_t i = 0; i < FOREIGN_MAX; i++) {
        w.foreign[i] = sim_foreign();
        w.watch_of[i] = -1;
    }
    w.wake_watch = tn_watch(&w.server, w.wake);
    add_listener();
    return 1;
}

static int32_t some_timeout(void)
{
    switch (sim_choose(4)) {
    case 0:
        return w.wake_watch >= 0 ? TN_FOREVER : 5000;
    case 1:
        return 0;
    case 2:
        return (int32_t)sim_choose(300);
    default:
        return 5000;
    }
}

static int32_t random_phase(uint32_t steps)
{
    int32_t r = 1;

    w.phase = RANDOM;
    /* one that ticks would wait for ever for peers that have no moves left */
    for (uint32_t i = 0; i < steps && r >= 0 && !sim_exhausted(); i++) {
        if (ticks() && w.moves_left == 0)
            break;
        if (sim_choose(2) == 0)
            random_move();
        r = step(some_timeout());
        maybe_mischief(NULL);
    }
    return r;
}

/* Without new input the server must come to rest soon. */
static int32_t frozen_phase(void)
{
    uint64_t waits_before = sim_stats()->waits;
    int32_t r = 1;

    sim_calm();
    end_periods();
    w.phase = FROZEN;
    sim_rested();
    /* polling tries for ever: that it does not spin has been looked at elsewhere */
    for (uint32_t i = 0; i < 40 && r >= 0 && w.options.model == TN_POLLING; i++)
        r = step(20);
    while (r > 0 && !sim_rested() && w.options.model != TN_POLLING) {
        r = step(ticks() ? 100 : 5000);
        if (sim_stats()->waits - waits_before > 400)
            sim_violation("nobody moves, and the server does not rest");
    }
    totals.rests++;
    return r;
}

static int all_done(void)
{
    if (server()->table.slots.live > 0)
        return 0;
    for (uint32_t l = 0; l < w.listeners && !w.drained; l++)
        if (sim_queued(w.listener[l]) > 0 && server()->table.slots.usable > 0)
            return 0;
    return 1;
}

/* With peers that read and finish everything comes to its end. */
static int32_t benign_phase(void)
{
    int32_t r = 1;

    sim_calm();
    end_periods();
    w.phase = BENIGN;
    sim_rested();
    for (uint32_t i = 0; r >= 0 && !all_done(); i++) {
        r = step(w.wake_watch >= 0 && sim_choose(2) == 0 ? TN_FOREVER : 100000);
        if (i > 3000 || ((sim_rested() || r == 0) && !all_done() && !benign_moves()))
            sim_violation("the peers have done all they can, and connections are left open");
    }
    return r;
}

static int32_t drain_phase(void)
{
    int32_t timeout_ms = sim_choose(2) == 0 ? TN_FOREVER : (int32_t)sim_choose(200);
    int32_t r = 1;

    NOTE("tn_drain %" PRId64, timeout_ms, 0, 0, 0);
    w.drained = 1;
    sim_unasked_receive(); /* a drain looks once more */
    w.drain_due = timeout_ms < 0 ? NEVER : sim_now() + timeout_ms;
    tn_drain(&w.server, timeout_ms);
    if (sim_choose(4) == 1)
        tn_drain(&w.server, 0); /* the first one counts */
    totals.drained++;
    if (sim_choose(2) == 1)
        r = random_phase(sim_choose(60));
    if (r >= 0)
        r = benign_phase();
    /* who had connected meanwhile is still served */
    for (uint32_t i = 0; i < SIM_STREAMS * (OUT_MAX + 2) && r >= 0; i++)
        r = step(1000);
    if (r != TN_EOF)
        sim_violation("a drain does not end: %d", (int)r);
    if (step(0) != TN_EOF)
        sim_violation("the end of a drain is not lasting");
    return r;
}

static void check_answers(void)
{
    for (uint32_t id = 0; id < w.peers; id++) {
        struct peer *p = &w.peer[id];

        while (peer_read(id, SIM_PIPE) > 0)
            ;
        if (!p->clean || p->stopped)
            continue;
        if (p->got != p->want_len || !sim_peer_sees_end((int32_t)id))
            sim_violation("peer %u ended in good order with %u of %u bytes", id, p->got,
                          p->want_len);
    }
}

static void check_counters(void)
{
    const struct tn_counters *c = &server()->counters;
    const struct sim_stats *k = sim_stats();
    uint64_t ended = 0;

    for (uint32_t r = 0; r < TN_REASONS; r++) {
        if ((uint64_t)c->closed[r] != w.ended[r])
            sim_violation("counter closed[%u]: %" PRIu64 ", not %" PRIu64, r,
                          (uint64_t)c->closed[r], w.ended[r]);
        ended += (uint64_t)c->closed[r];
    }
    if ((uint64_t)c->accepted != w.opened ||
        (uint64_t)c->accepted != ended + server()->table.slots.live)
        sim_violation("counter accepted: %" PRIu64 " of %" PRIu64, (uint64_t)c->accepted, w.opened);
    if ((uint64_t)c->frames != w.frames || (uint64_t)c->sent != w.sent)
        sim_violation("counters frames, sent: %" PRIu64 ", %" PRIu64 ", not %" PRIu64 ", %" PRIu64,
                      (uint64_t)c->frames, (uint64_t)c->sent, w.frames, w.sent);
    if ((uint64_t)c->bytes_in != k->bytes_in || (uint64_t)c->bytes_out != k->bytes_out)
        sim_violation("counters bytes: %" PRIu64 ", %" PRIu64 ", not %" PRIu64 ", %" PRIu64,
                      (uint64_t)c->bytes_in, (uint64_t)c->bytes_out, k->bytes_in, k->bytes_out);
    if (c->spurious < 0 || c->spurious > c->wakeups)
        sim_violation("%" PRId64 " of %" PRId64 " waits were in vain", c->spurious, c->wakeups);
    if ((uint64_t)c->wakeups != k->waits)
        sim_violation("counter wakeups: %" PRIu64 ", not %" PRIu64, (uint64_t)c->wakeups, k->waits);
    totals.parked += (uint64_t)c->parked;
    totals.pauses += (uint64_t)c->accept_pauses;
}

static void finish(void)
{
    if (!w.started)
        return;
    check_counters();
    tn_fini(&w.server);
    if (sim_open_count(1) != 0)
        sim_violation("%u descriptors are left open", sim_open_count(1));
    if (sim_open_count(2) != FOREIGN_MAX + 1)
        sim_violation("%u foreign descriptors are open", sim_open_count(2));
    for (uint32_t i = 0; i < FOREIGN_MAX; i++)
        sim_foreign_close(w.foreign[i]);
    sim_foreign_close(w.wake);
    check_answers();
}

static void add_totals(void)
{
    totals.schedules++;
    totals.waits += sim_stats()->waits;
    totals.faults += sim_stats()->faults;
    totals.accepted += w.opened;
    totals.frames += w.frames;
}

static void run(uint32_t steps)
{
    uint32_t course;

    begin();
    choose_options();
    choose_faults();
    course = sim_choose(8);
    if (start()) {
        int32_t r = random_phase(steps);

        if (r >= 0 && course >= 2)
            r = frozen_phase();
        if (r >= 0 && course >= 4)
            r = benign_phase();
        if (r >= 0 && course >= 1)
            drain_phase();
    }
    finish();
    add_totals();
}

static const struct sim_hooks hooks = {moves, waits};

void world_run_bytes(const uint8_t *bytes, size_t n)
{
    sim_reset(bytes, n, &hooks);
    run(1000);
}

void world_run_seed(uint64_t seed)
{
    sim_reset_seeded(seed, &hooks);
    run(10 + sim_choose(120));
}

int world_run_failing(uint64_t k, uint32_t variant, uint32_t model)
{
    int32_t r;

    sim_reset_seeded(variant, &hooks);
    sim_fail_call(k, variant);
    begin();
    w.options.model = model;
    sim_serves(model);
    w.options.framing = TN_U32;
    w.options.frame_max = TN_FRAME_MAX;
    w.options.connections = 2;
    w.encoded_max = TN_ENCODED_MAX;
    w.peers_max = 5;
    if (start()) {
        while (connect_peer()) {
            w.peer[w.peers - 1].patient = w.peers % 2;
            for (uint32_t i = 0; i < 4; i++)
                compose_frame(w.peers - 1);
        }
        r = w.wake_watch >= 0 && w.listeners > 0 ? benign_phase() : 1;
        if (r >= 0)
            drain_phase();
        else if (sim_stats()->faults == 0)
            sim_violation("tn_next: %d", (int)r);
    }
    finish();
    add_totals();
    return k < sim_stats()->calls;
}
