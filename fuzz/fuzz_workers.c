/* The supervisor and its table under a fuzzer: the input's bytes are the schedule
 * of a parent, its children, strangers and the clock.  What must hold, or the
 * program aborts:
 *
 *   there are never more children than the cap, and the table names each of them
 *   after a reap no child of ours that has ended is left, and none is reaped twice
 *   strangers are neither ended nor reaped
 *   a start is refused just when all run, or the vacant slots rest
 *   in a child nothing is left of the others, and its counters are zero
 *   the totals are the sums of what the children counted, whatever they hold
 *   at the end nothing is open
 */
#define _GNU_SOURCE
#include "dispatch/supervisor.h"
#include "harness.h"
#include "simkernel.h"
#include "simprocess.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 6 };

static struct tn_supervisor s;
static int64_t frames, started, crashed; /* as they must be counted */

void harness_start(void)
{
    sim_trace_live(getenv("SIM_TRACE") != NULL);
}

static int64_t sum(int64_t a, int64_t n)
{
    if (n <= 0)
        return a;
    return a > INT64_MAX - n ? INT64_MAX : a + n;
}

static void expect(int holds, const char *what)
{
    if (!holds)
        sim_violation("%s", what);
}

static void check_table(void)
{
    uint32_t n = 0;

    for (int32_t pid = 1; pid <= SIM_PIDS; pid++) {
        const uint32_t slot = tn_children_find(&s.children, pid);

        expect((slot != TN_NONE) == sim_is_ours(pid), "the table names its children and no other");
        n += slot != TN_NONE;
    }
    expect(n == s.children.live && n == sim_children() && n <= s.children.cap,
           "there are as many as the table says, and no more than the cap");
    expect(s.started == started && s.crashed == crashed, "starts and crashes are counted");
    expect(s.totals.frames == frames, "the totals are the sums");
}

/* A child, seen by itself: a copy of all that its parent has. */
static void be_child(struct tn_supervisor *child, const struct tn_supervisor *parent)
{
    const struct tn_counters *c = &child->counters[child->self];
    static const struct tn_counters zero;

    expect(child->self < child->children.cap, "a child has a slot");
    expect(child->children.live == 0, "a child has no children");
    expect(child->ended == -1 && child->lifeline[1] == -1, "a child keeps nothing of its parent's");
    expect(child->lifeline[0] == parent->lifeline[0], "a child has its lifeline");
    expect(memcmp(c, &zero, sizeof zero) == 0, "a child's counters are zero");
}

static void start_one(void)
{
    const struct tn_supervisor before = s;
    const int resting = sim_children() < s.children.cap && tn_supervisor_next(&s) > sim_now();
    const int full = sim_children() == s.children.cap;
    int32_t r;

    sim_fork_rates(30, 60);
    r = tn_supervisor_fork(&s);
    expect((r == TN_EFULL) == (full || resting), "a start is refused when it must be");
    if (r == 0) {
        be_child(&s, &before);
        s = before; /* the parent goes on without it */
        sim_fork_rates(30, 60);
    }
    started += r == 1;
}

/* What a child leaves behind may be anything. */
static int64_t amount(void)
{
    static const int64_t strange[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX - 3};
    const uint32_t n = sim_choose(16);

    return n < 4 ? strange[n] : (int64_t)n;
}

static void end_one(void)
{
    const int32_t pid = sim_running();
    const uint32_t crash = sim_choose(2);

    if (pid == 0)
        return;
    if (sim_is_ours(pid)) {
        frames = sum(frames, s.counters[tn_children_find(&s.children, pid)].frames);
        crashed += crash;
    }
    sim_ends(pid, crash);
}

/* A child counts, and a stranger does something else. */
static void work(void)
{
    const int32_t pid = sim_running();
    struct tn_counters *c;

    if (!sim_is_ours(pid))
        return;
    c = &s.counters[tn_children_find(&s.children, pid)];
    c->frames = amount();
    c->accepted = amount();
    c->closed[sim_choose(TN_REASONS)] = amount();
}

/* The slot of a worker that crashed rests, if it is to; every other may be used. */
static void check_rest(uint32_t slot, uint32_t crash)
{
    const int64_t rest = s.children.due_ms[slot] - sim_now();

    if (crash == 1 && s.rests == 1)
        expect(rest >= TN_REST_MIN_MS && rest <= TN_REST_MAX_MS, "after a crash a slot rests");
    else
        expect(s.children.due_ms[slot] == 0, "after a good end a slot does not rest");
}

static void reap(void)
{
    uint32_t slot[SIM_PIDS], crash[SIM_PIDS], n = 0;

    for (int32_t pid = 1; pid <= SIM_PIDS; pid++) {
        if (sim_is_ours(pid) && sim_has_ended(pid)) {
            slot[n] = tn_children_find(&s.children, pid);
            crash[n++] = sim_crashed(pid);
        }
    }
    tn_supervisor_reap(&s);
    expect(sim_zombies() == 0, "no child that has ended is left");
    expect(!sim_told_of_an_end(), "what told of an end is taken");
    while (n-- > 0)
        check_rest(slot[n], crash[n]);
}

static void strangers_move(void)
{
    const int32_t pid = (int32_t)sim_choose(SIM_PIDS) + 1;

    if (sim_is_stranger(pid) && sim_has_ended(pid))
        sim_stranger_reaped(pid);
    else if (sim_choose(4) == 0)
        (void)sim_stranger();
}

static void move(void)
{
    switch (sim_choose(9)) {
    case 0:
    case 1:
        start_one();
        break;
    case 2:
    case 3:
        end_one();
        break;
    case 4:
    case 5:
        reap();
        break;
    case 6:
        strangers_move();
        break;
    case 7:
        work();
        break;
    default:
        sim_advance(sim_choose(4) == 0 ? TN_STEADY_MS : (int64_t)sim_choose(256));
        break;
    }
}

/* All at once: who still runs is ended, what it counted is not lost. */
static void end_all(void)
{
    for (uint32_t i = 0; i < s.children.live; i++) {
        const uint32_t slot = s.children.perm[i];

        if (!sim_has_ended(s.children.pid[slot])) /* otherwise it is added already */
            frames = sum(frames, s.counters[slot].frames);
    }
}

void harness_run(const uint8_t *bytes, size_t n)
{
    uint32_t cap;
    int32_t r;

    sim_reset(bytes, n, NULL);
    sim_processes_reset();
    frames = started = crashed = 0;
    cap = sim_choose(MOST + 2);
    sim_fork_rates(sim_choose(4) == 0 ? 80 : 0, 0);
    r = tn_supervisor_open(&s, cap, sim_choose(2));
    expect((r == TN_EINVAL) == (cap == 0), "a cap is at least 1");
    if (r == 1) {
        while (!sim_exhausted()) {
            move();
            if (!sim_told_of_an_end())
                check_table();
        }
        end_all();
        tn_supervisor_drain(&s);
        tn_supervisor_kill(&s);
        expect(sim_children() == 0 && s.children.live == 0, "all are ended and reaped");
        expect(s.totals.frames == frames, "the totals are the sums at the end");
        tn_supervisor_close(&s);
    }
    expect(sim_process_things() == 0, "nothing is left open");
}
