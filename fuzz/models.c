#include "models.h"

#include "serve/server.h"
#include "simkernel.h"

#include <inttypes.h>
#include <string.h>

#define ROUNDS_MAX 48u
#define ACTIONS_MAX 4u
#define OUT_MAX 160u /* bytes a peer has composed and not yet written */
#define FOREIGN_MAX 2u
#define QUIET 2u            /* calls of tn_next in a row that find nothing: nothing is left to do */
#define CALLS_MAX 4000u     /* of tn_next in one round */
#define WATCHED SIM_STREAMS /* foreign descriptors share a place behind the connections */

struct peer {
    uint8_t out[OUT_MAX];
    uint32_t out_len, composed, frames;
    struct tn_handle handle;
};

/* What one round came to, for each connection and for all foreign descriptors. */
struct round {
    uint64_t about[SIM_STREAMS + 1];
};

static struct {
    const uint8_t *bytes; /* the schedule; null: of the seed */
    size_t len, at;
    uint64_t seed, salt;
} schedule;

static struct {
    struct tn_server server;
    struct tn_options options;
    struct peer peer[SIM_STREAMS];
    uint32_t peers, peers_max, listeners, drained;
    int32_t listener[2], foreign[FOREIGN_MAX], watch[FOREIGN_MAX];
    uint32_t id_of[TN_CONNECTIONS];
    struct round now;
    int32_t result;
} w;

static struct round first[ROUNDS_MAX + 1]; /* of the first model */
static struct models_totals totals;

static const char *const names[TN_MODELS] = {[TN_EPOLL] = "epoll",
                                             [TN_POLL] = "poll",
                                             [TN_SELECT] = "select",
                                             [TN_POLLING] = "polling",
                                             [TN_EPOLL_ET] = "epoll-et"};

const struct models_totals *models_totals(void)
{
    return &totals;
}

/* --- the schedule -------------------------------------------------------------------- */

static uint32_t choose(uint32_t n)
{
    if (schedule.bytes == NULL)
        return (uint32_t)(sim_hash(schedule.seed, ++schedule.at, 7) % n);
    return schedule.at < schedule.len ? schedule.bytes[schedule.at++] % n : 0;
}

static int exhausted(void)
{
    return schedule.bytes != NULL && schedule.at >= schedule.len;
}

/* --- what is told -------------------------------------------------------------------- */

/* what is a letter: the traces of two models can be laid side by side. */
static void tell(uint32_t id, uint64_t what, uint64_t value)
{
    sim_note("told about %" PRId64 ": %" PRIx64 " %" PRId64, id, (int64_t)what, (int64_t)value, 0);
    w.now.about[id] = sim_hash(w.now.about[id] + 1, what, value + 1);
}

static void tell_bytes(uint32_t id, const uint8_t *bytes, uint32_t n)
{
    tell(id, 'n', n);
    for (uint32_t i = 0; i < n; i++)
        w.now.about[id] = (w.now.about[id] ^ bytes[i]) * 0x100000001b3u;
}

/* --- the service --------------------------------------------------------------------- */

static void service_sends(uint32_t id, const uint8_t *data, uint32_t len)
{
    tell(id, 's', (uint64_t)(16 + tn_send(&w.server, w.peer[id].handle, data, len)));
}

/* Mostly an echo; what else it does depends on the connection alone. */
static void on_frame(uint32_t id, const struct tn_event *ev)
{
    uint64_t what = sim_hash(schedule.salt, id + 1, ++w.peer[id].frames) % 24;

    tell_bytes(id, ev->data, ev->len);
    totals.frames++;
    if (what != 3)
        service_sends(id, ev->data, ev->len);
    if (what == 2)
        service_sends(id, ev->data, ev->len / 2);
    if (what == 0)
        tell(id, 'f', (uint64_t)(16 + tn_finish(&w.server, ev->conn)));
    if (what == 1)
        tell(id, 'x', (uint64_t)(16 + tn_close(&w.server, ev->conn)));
}

static void on_opened(const struct tn_event *ev)
{
    int32_t id = sim_stream_of(w.server.table.fd[ev->conn.slot]);

    if (id < 0)
        sim_violation("TN_OPENED for slot %u, which is no connection", ev->conn.slot);
    w.id_of[ev->conn.slot] = (uint32_t)id;
    w.peer[id].handle = ev->conn;
    tell((uint32_t)id, 'o', 0);
    totals.opened++;
}

/* Counted without regard to order, and only if there was something to read. */
static void on_ready(const struct tn_event *ev)
{
    for (uint32_t i = 0; i < FOREIGN_MAX; i++)
        if (w.watch[i] == (int32_t)ev->watch && sim_foreign_drain(w.foreign[i]) > 0) {
            w.now.about[WATCHED] += sim_hash(i + 1, 'r', 1);
            totals.ready++;
        }
}

static void on_event(const struct tn_event *ev)
{
    switch (ev->type) {
    case TN_OPENED:
        on_opened(ev);
        break;
    case TN_FRAME:
        on_frame(w.id_of[ev->conn.slot], ev);
        break;
    case TN_CLOSED:
        tell(w.id_of[ev->conn.slot], 'c', ev->reason);
        totals.closed++;
        break;
    default:
        on_ready(ev);
        break;
    }
}

/* --- a round ------------------------------------------------------------------------- */

static uint64_t moved(void)
{
    const struct sim_stats *k = sim_stats();

    return k->accepted + k->gone + k->bytes_in + k->bytes_out + k->closes;
}

/* Lets the server run until it has nothing left to do. */
static void settle(void)
{
    uint32_t quiet = 0;

    for (uint32_t calls = 0; quiet < QUIET && w.result >= 0; calls++) {
        uint64_t before = moved();
        struct tn_event ev;

        if (calls == CALLS_MAX)
            sim_violation("a round of model %s does not end", names[w.options.model]);
        sim_clock_known();
        sim_progress();
        w.result = tn_next(&w.server, &ev, 0);
        if (w.result == 1)
            on_event(&ev);
        quiet = w.result == 0 && moved() == before ? quiet + 1 : 0;
    }
}

static void look_at_peers(void)
{
    uint8_t bytes[SIM_PIPE];

    for (uint32_t id = 0; id < w.peers; id++) {
        struct sim_stream_facts f = sim_facts((int32_t)id);
        uint32_t n = w.drained || choose(2) == 1 ? sim_peer_read((int32_t)id, bytes, SIM_PIPE) : 0;

        tell_bytes(id, bytes, n);
        tell(id, 'i', f.received);
        tell(id, 'u', f.sent);
        tell(id, 'e',
             (uint64_t)(sim_peer_sees_end((int32_t)id) * 8 + sim_peer_sees_reset((int32_t)id) * 4 +
                        f.closed * 2 + f.finished));
    }
    tell(WATCHED, 't', (uint64_t)(16 + w.result));
}

/* --- between two rounds -------------------------------------------------------------- */

static void peer_connects(void)
{
    uint32_t l = choose(w.listeners), in = 1 + choose(SIM_PIPE), out = 1 + choose(SIM_PIPE);

    if (w.peers == w.peers_max || w.drained)
        return;
    if (sim_peer_connect(w.listener[l], in, out) >= 0)
        w.peers++;
}

/* A frame or, rarely, bytes that are none. */
static void compose(struct peer *p, uint32_t id)
{
    uint8_t data[TN_FRAME_MAX];
    uint32_t len = choose(w.options.frame_max + 1);
    int32_t n;

    if (OUT_MAX - p->out_len < TN_ENCODED_MAX)
        return;
    for (uint32_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(id * 37 + p->composed * 11 + i);
        if (data[i] == '\n')
            data[i]++;
    }
    p->composed++;
    n = tn_frame_encode(w.options.framing, p->out, p->out_len, data, len);
    if (n > 0)
        p->out_len += (uint32_t)n;
    if (choose(16) == 1)
        p->out[p->out_len++] = (uint8_t)choose(256);
}

static void peer_writes(uint32_t id)
{
    struct peer *p = &w.peer[id];
    uint32_t n;

    compose(p, id);
    n = 1 + choose(OUT_MAX);
    n = sim_peer_write((int32_t)id, p->out, n < p->out_len ? n : p->out_len);
    p->out_len -= n;
    memmove(p->out, p->out + n, p->out_len);
}

static void peer_ends(uint32_t id)
{
    switch (choose(4)) {
    case 0:
        sim_peer_reset((int32_t)id);
        break;
    case 1:
        sim_peer_close((int32_t)id);
        break;
    default:
        sim_peer_finish((int32_t)id);
        break;
    }
}

static void toggle_watch(uint32_t i)
{
    if (w.watch[i] >= 0) {
        tn_unwatch(&w.server, (uint32_t)w.watch[i]);
        w.watch[i] = -1;
    } else
        w.watch[i] = tn_watch(&w.server, w.foreign[i]);
}

/* Whether what waits for the peer stays below the high mark with a word more. */
static int has_room(uint32_t id)
{
    const struct tn_handle h = w.peer[id].handle;
    uint32_t block;

    if (tn_slots_has(&w.server.table.slots, h) == 0)
        return 1;
    block = w.server.conn[h.slot].block;
    return block == TN_NO_BLOCK ||
           w.server.buffer[block].out_len + 4 + TN_FRAME_OVERHEAD <= TN_OUTPUT_HIGH;
}

static void service_acts(uint32_t id)
{
    static const uint8_t word[] = "word";

    switch (choose(4)) {
    case 0:
        tell(id, 'F', (uint64_t)(16 + tn_finish(&w.server, w.peer[id].handle)));
        break;
    case 1:
        tell(id, 'X', (uint64_t)(16 + tn_close(&w.server, w.peer[id].handle)));
        break;
    default:
        if (has_room(id))
            service_sends(id, word, choose(5));
        break;
    }
}

static void circumstances_act(void)
{
    static const int64_t steps[] = {1, 30, 100, 1500};

    switch (choose(4)) {
    case 0:
    case 1:
        sim_advance(steps[choose(4)]);
        break;
    case 2:
        sim_foreign_fill(w.foreign[choose(FOREIGN_MAX)], 1);
        break;
    default:
        toggle_watch(choose(FOREIGN_MAX));
        break;
    }
}

static void act(void)
{
    uint32_t what = choose(16);
    uint32_t id = w.peers == 0 ? 0 : choose(w.peers);

    if (what < 4 || w.peers == 0)
        peer_connects();
    else if (what < 11)
        peer_writes(id);
    else if (what == 11)
        peer_ends(id);
    else if (what == 12)
        service_acts(id);
    else
        circumstances_act();
}

static void drain(void)
{
    sim_calm();
    sim_unasked_receive();
    tn_drain(&w.server, TN_FOREVER);
    w.drained = 1;
    for (uint32_t id = 0; id < w.peers; id++)
        sim_peer_finish((int32_t)id);
}

/* --- one model, and all of them ------------------------------------------------------ */

static void choose_options(uint32_t model)
{
    static const uint32_t idle[] = {0, 0, 50, 1000};

    memset(&w, 0, sizeof w);
    w.options.model = model;
    w.options.framing = choose(5);
    w.options.frame_max = 1 + choose(TN_FRAME_MAX);
    w.options.idle_ms = idle[choose(4)];
    w.options.linger_ms = 1 + 20 * choose(100);
    w.listeners = 1 + choose(2);
    w.options.connections = w.listeners == 1 ? 1 + choose(SIM_STREAMS) : SIM_STREAMS;
    w.peers_max = 1 + choose(SIM_STREAMS);
}

static void start(void)
{
    if (tn_init(&w.server, &w.options) != 1)
        sim_violation("tn_init of model %s", names[w.options.model]);
    for (uint32_t l = 0; l < w.listeners; l++) {
        w.listener[l] = sim_listener();
        if (tn_listen(&w.server, w.listener[l]) != 1)
            sim_violation("tn_listen of model %s", names[w.options.model]);
        sim_listener_given(w.listener[l]);
    }
    for (uint32_t i = 0; i < FOREIGN_MAX; i++) {
        w.foreign[i] = sim_foreign();
        w.watch[i] = tn_watch(&w.server, w.foreign[i]);
    }
    sim_fault_rate(SIM_SPURIOUS, choose(3) * 12);
    sim_fault_rate(SIM_ORDER, 128);
}

static void compare(uint32_t round)
{
    if (w.options.model == 0) {
        first[round] = w.now;
        return;
    }
    for (uint32_t id = 0; id <= SIM_STREAMS; id++)
        if (first[round].about[id] != w.now.about[id])
            sim_violation("round %u: %s and %s differ about %s %u", round, names[0],
                          names[w.options.model], id == WATCHED ? "what is watched," : "connection",
                          id);
}

static uint32_t run_rounds(void)
{
    uint32_t round;

    for (round = 0; round < ROUNDS_MAX && !exhausted() && w.result >= 0; round++) {
        uint32_t actions = choose(ACTIONS_MAX);

        memset(&w.now, 0, sizeof w.now);
        for (uint32_t i = 0; i <= actions; i++)
            act();
        if (round == ROUNDS_MAX - 3 || choose(40) == 39)
            drain();
        settle();
        look_at_peers();
        compare(round);
    }
    return round;
}

static void run_model(uint32_t model)
{
    schedule.at = 0;
    sim_reset_seeded(sim_hash(schedule.salt, model + 1, 99), NULL);
    sim_same_network(schedule.salt);
    sim_serves(model);
    choose_options(model);
    start();
    totals.rounds += run_rounds();
    totals.faults += sim_stats()->faults;
    tn_fini(&w.server);
    if (sim_open_count(1) != 0)
        sim_violation("%u descriptors are left open", sim_open_count(1));
}

static void run(void)
{
    if (TN_BATCH < SIM_FDS || TN_BLOCKS < SIM_STREAMS || TN_CONNECTIONS < SIM_STREAMS)
        sim_violation("with these limits the order of reports makes a difference");
    for (uint32_t model = 0; model < TN_MODELS; model++)
        run_model(model);
    totals.schedules++;
}

void models_run_bytes(const uint8_t *bytes, size_t n)
{
    static const uint8_t none[1];

    schedule.bytes = n == 0 ? none : bytes;
    schedule.len = n;
    schedule.salt = n == 0 ? 0 : bytes[0];
    run();
}

void models_run_seed(uint64_t seed)
{
    schedule.bytes = NULL;
    schedule.seed = seed;
    schedule.salt = sim_hash(seed, 3, 5);
    run();
}
