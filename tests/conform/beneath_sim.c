/* Beneath os/sys.h in the simulated kernel.
 *
 * It asks more of its caller than os/sys.h does, for it looks for servers'
 * mistakes: no receiving without a report (it is told to bear with that), one
 * set at a time, nothing sent after finishing.
 */
#include "beneath.h"
#include "simkernel.h"

#include <string.h>

const char beneath_name[] = "the simulated kernel";
const int beneath_strict = 1;

static int is_foreign[WINDOW];
static uint32_t signal_rate, spurious_rate, order_rate;
static int troubled;

void beneath_start(uint64_t seed)
{
    static const enum sim_fault faults[] = {SIM_SHORT,  SIM_AGAIN,  SIM_RESET,
                                            SIM_FINISH, SIM_ACCEPT, SIM_ADD,
                                            SIM_SIGNAL, SIM_ORDER,  SIM_SPURIOUS};

    sim_reset_seeded(seed, NULL);
    memset(is_foreign, 0, sizeof is_foreign);
    signal_rate = spurious_rate = order_rate = 0;
    troubled = 0;
    for (uint32_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint32_t rate = sim_choose(2) * sim_choose(64);

        /* what would change a peer behind its driver's back is left out */
        if (faults[i] == SIM_RESET || faults[i] == SIM_FINISH)
            continue;
        if (faults[i] == SIM_SIGNAL)
            signal_rate = rate;
        if (faults[i] == SIM_SPURIOUS)
            spurious_rate = rate;
        if (faults[i] == SIM_ORDER)
            order_rate = rate;
        sim_fault_rate(faults[i], rate);
    }
}

void beneath_end(void)
{
}

/* --- seen ---------------------------------------------------------------------------- */

uint64_t beneath_life(int32_t fd)
{
    if (fd >= SIM_FDS || sim_open(fd) == 0)
        return 0;
    return sim_stream_of(fd) >= 0 ? 2u + (uint32_t)sim_stream_of(fd) : 1;
}

uint32_t beneath_registrations(int32_t set, struct registration *r, uint32_t max)
{
    uint32_t n = 0;

    (void)set;
    for (int32_t f = 0; f < SIM_FDS && n < max; f++)
        if (sim_open(f) != 0 && sim_registered(f, &r[n].slot, &r[n].gen, &r[n].mask))
            r[n++].fd = f;
    return n;
}

uint32_t beneath_passed(int32_t fd, int32_t peer, uint64_t *rx, uint64_t *tx)
{
    struct sim_stream_facts facts = sim_facts(peer);

    (void)fd;
    *rx = facts.received;
    *tx = facts.sent;
    return 3;
}

uint32_t beneath_peek(int32_t fd, uint8_t *bytes, uint32_t n)
{
    (void)fd;
    (void)bytes;
    (void)n;
    return 0;
}

int beneath_well_opened(int32_t fd, int connection)
{
    (void)fd;
    (void)connection;
    return 1;
}

int beneath_readable(int32_t fd)
{
    if (!is_foreign[fd] || spurious_rate > 0)
        return -1;
    return sim_foreign_level(fd) > 0;
}

int beneath_at_once(int32_t peer)
{
    (void)peer;
    return spurious_rate == 0 && order_rate == 0;
}

int64_t beneath_clock_us(void)
{
    return sim_now() * 1000;
}

int beneath_interrupted(void)
{
    int may_have = signal_rate > 0 || troubled;

    troubled = 0;
    return may_have;
}

int beneath_translated(int32_t result)
{
    (void)result;
    return 1;
}

/* --- done ---------------------------------------------------------------------------- */

int32_t beneath_listener(void)
{
    int32_t fd = sim_listener();

    sim_listener_given(fd);
    return fd;
}

int32_t beneath_foreign(void)
{
    int32_t fd = sim_foreign();

    is_foreign[fd] = 1;
    return fd;
}

int32_t beneath_file(void)
{
    return sim_regular_file();
}

void beneath_foreign_fill(int32_t fd, uint32_t n)
{
    sim_foreign_fill(fd, n);
}

void beneath_foreign_drain(int32_t fd)
{
    sim_foreign_drain(fd);
}

void beneath_foreign_close(int32_t fd)
{
    is_foreign[fd] = 0;
    sim_foreign_close(fd);
}

int32_t beneath_connect(int32_t listener)
{
    return sim_peer_connect(listener, 1 + sim_choose(SIM_PIPE), 1 + sim_choose(SIM_PIPE));
}

int32_t beneath_peer_of(int32_t fd)
{
    return sim_stream_of(fd);
}

uint32_t beneath_peer_write(int32_t peer, const uint8_t *bytes, uint32_t n)
{
    return sim_peer_write(peer, bytes, n);
}

int32_t beneath_peer_read(int32_t peer, uint8_t *bytes, uint32_t n, int wait)
{
    uint32_t got = sim_peer_read(peer, bytes, n);

    (void)wait;
    return got > 0 ? (int32_t)got : sim_peer_sees_end(peer) || sim_peer_sees_reset(peer) ? -1 : 0;
}

void beneath_peer_finish(int32_t peer)
{
    sim_peer_finish(peer);
}

void beneath_peer_reset(int32_t peer)
{
    sim_peer_reset(peer);
}

void beneath_peer_close(int32_t peer)
{
    sim_peer_close(peer);
}

void beneath_scarce(int on)
{
    sim_descriptor_limit(on ? sim_open_count(1) + sim_open_count(2) : SIM_FDS);
}

void beneath_signals(int on)
{
    sim_fault_rate(SIM_SIGNAL, on ? 256 : signal_rate);
    troubled |= on;
}

void beneath_trouble(enum call call, uint32_t random)
{
    static const uint32_t variants[CALLS] = {[EPOLL_CREATE] = 3, [EPOLL_ADD] = 2, [EPOLL_WAIT] = 2,
                                             [ACCEPT] = 4,       [POLL] = 2,      [SELECT] = 2};
    uint32_t variant = call == RECV ? random % 2 * 3 : call == SEND ? random % 2 * 2 : 0;

    troubled = 1;
    if (variants[call] > 0)
        variant = random % variants[call];
    sim_fail_call(0, variant); /* it is tried in vain, takes one byte, or fails in its own way */
}

void beneath_before_wait(void)
{
    sim_progress();
}

void beneath_before_recv(void)
{
    sim_unasked_receive();
}

void beneath_process(int32_t fd)
{
    (void)fd;
}

void beneath_report(void)
{
}
