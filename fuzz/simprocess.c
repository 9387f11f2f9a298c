#include "simprocess.h"

#include "os/signals.h"
#include "simkernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_FD 100 /* no number of the simulated kernel's */
#define FDS 16

enum kind { NOBODY, OURS, STRANGER };

struct process {
    enum kind kind;
    int ended, killed;
    uint32_t crashed;
};

static struct {
    struct process process[SIM_PIDS + 1];
    int told;         /* SIGCHLD has come and was not taken */
    int is_open[FDS]; /* descriptors of the parent */
    uint32_t things;  /* of these, and of shared memory, how many there are */
    int child;        /* the caller is a child: what it closes is its own */
    uint32_t refused, to_child;
    void *shared;
} world;

void sim_processes_reset(void)
{
    free(world.shared);
    memset(&world, 0, sizeof world);
}

void sim_fork_rates(uint32_t refused, uint32_t child)
{
    world.refused = refused;
    world.to_child = child;
    world.child = 0;
}

static struct process *process(int32_t pid)
{
    static struct process nobody;

    return pid > 0 && pid <= SIM_PIDS ? &world.process[pid] : &nobody;
}

int sim_is_ours(int32_t pid)
{
    return process(pid)->kind == OURS;
}

int sim_is_stranger(int32_t pid)
{
    return process(pid)->kind == STRANGER;
}

int sim_has_ended(int32_t pid)
{
    return process(pid)->kind != NOBODY && process(pid)->ended;
}

uint32_t sim_crashed(int32_t pid)
{
    return sim_has_ended(pid) ? process(pid)->crashed : 0;
}

/* One of the ids for which it holds, drawn; 0: there is none. */
static int32_t draw(int (*holds)(int32_t pid))
{
    int32_t found[SIM_PIDS];
    uint32_t n = 0;

    for (int32_t pid = 1; pid <= SIM_PIDS; pid++)
        if (holds(pid))
            found[n++] = pid;
    return n == 0 ? 0 : found[sim_choose(n)];
}

static int is_free(int32_t pid)
{
    return process(pid)->kind == NOBODY;
}

static int runs(int32_t pid)
{
    return process(pid)->kind != NOBODY && !process(pid)->ended;
}

static int32_t begin(enum kind kind)
{
    const int32_t pid = draw(is_free);

    if (pid > 0)
        world.process[pid] = (struct process){.kind = kind};
    return pid;
}

int32_t sim_stranger(void)
{
    const int32_t pid = begin(STRANGER);

    sim_note("stranger %" PRId64 " starts", pid, 0, 0, 0);
    return pid;
}

void sim_stranger_reaped(int32_t pid)
{
    sim_note("stranger %" PRId64 " is reaped", pid, 0, 0, 0);
    process(pid)->kind = NOBODY;
}

int32_t sim_running(void)
{
    return draw(runs);
}

void sim_ends(int32_t pid, uint32_t crashed)
{
    struct process *p = process(pid);

    sim_note("process %" PRId64 " ends, crashed %" PRId64, pid, crashed, 0, 0);
    p->ended = 1;
    p->crashed = crashed;
    world.told = 1;
}

static uint32_t count(int ended)
{
    uint32_t n = 0;

    for (int32_t pid = 1; pid <= SIM_PIDS; pid++)
        n += sim_is_ours(pid) && (!ended || sim_has_ended(pid));
    return n;
}

uint32_t sim_children(void)
{
    return count(0);
}

uint32_t sim_zombies(void)
{
    return count(1);
}

int sim_told_of_an_end(void)
{
    return world.told;
}

uint32_t sim_process_things(void)
{
    return world.things;
}

/* --- os/process.h -------------------------------------------------------------------- */

int32_t tn_process_fork(void)
{
    int32_t pid;

    if (sim_chance(world.refused)) {
        sim_note("fork is refused", 0, 0, 0, 0);
        return sim_choose(2) == 0 ? TN_EMEMORY : TN_ESYSTEM;
    }
    if (sim_chance(world.to_child)) {
        sim_note("fork: in the child", 0, 0, 0, 0);
        world.child = 1;
        return 0;
    }
    pid = begin(OURS);
    sim_note("fork: %" PRId64, pid, 0, 0, 0);
    return pid > 0 ? pid : TN_EMEMORY;
}

static struct process *own(int32_t pid, const char *call)
{
    if (!sim_is_ours(pid))
        sim_violation("%s of %d, which is %s", call, (int)pid,
                      sim_is_stranger(pid) ? "a stranger" : "nobody");
    return process(pid);
}

static void take_end(struct process *p, uint32_t *crashed)
{
    *crashed = p->crashed;
    p->kind = NOBODY;
}

int32_t tn_process_reap(int32_t pid, uint32_t *crashed)
{
    struct process *p = own(pid, "reap");

    sim_note("reap %" PRId64 ": ended %" PRId64, pid, p->ended, 0, 0);
    *crashed = 0;
    if (!p->ended)
        return 0;
    take_end(p, crashed);
    return pid;
}

void tn_process_wait(int32_t pid, uint32_t *crashed)
{
    struct process *p = own(pid, "wait");

    sim_note("wait for %" PRId64, pid, 0, 0, 0);
    if (!p->ended && !p->killed)
        sim_violation("wait for %d, which nobody has told to end", (int)pid);
    take_end(p, crashed);
}

int32_t tn_process_ended(void)
{
    const int32_t pid = draw(sim_has_ended);

    sim_note("ended: %" PRId64, pid, 0, 0, 0);
    return pid;
}

void tn_process_kill(int32_t pid)
{
    struct process *p = own(pid, "kill");

    sim_note("kill %" PRId64, pid, 0, 0, 0);
    p->killed = 1;
    p->crashed = p->ended ? p->crashed : 1;
}

static int32_t open_one(void)
{
    for (int32_t i = 0; i < FDS; i++) {
        if (!world.is_open[i]) {
            world.is_open[i] = 1;
            world.things++;
            return FIRST_FD + i;
        }
    }
    return TN_EFILES;
}

int32_t tn_pipe_open(int32_t end[2])
{
    if (sim_chance(world.refused))
        return TN_EFILES;
    end[0] = open_one();
    end[1] = open_one();
    return 1;
}

void tn_close_if_open(int32_t *fd)
{
    if (*fd != -1 && !world.child) {
        if (*fd < FIRST_FD || *fd >= FIRST_FD + FDS || !world.is_open[*fd - FIRST_FD])
            sim_violation("close of %d, which is not open", (int)*fd);
        world.is_open[*fd - FIRST_FD] = 0;
        world.things--;
    }
    *fd = -1;
}

void *tn_shared_open(size_t len)
{
    if (sim_chance(world.refused))
        return NULL;
    if (world.shared != NULL)
        sim_violation("memory is shared a second time");
    world.shared = calloc(1, len);
    world.things++;
    return world.shared;
}

void tn_shared_close(void *memory, size_t len)
{
    (void)len;
    if (memory == NULL || memory != world.shared)
        sim_violation("memory that is not shared is given back");
    free(world.shared);
    world.shared = NULL;
    world.things--;
}

/* --- os/signals.h -------------------------------------------------------------------- */

int32_t tn_signals_open(uint32_t set)
{
    if (set != TN_SIGNAL_CHLD)
        sim_violation("signals %u are opened", (unsigned)set);
    return sim_chance(world.refused) ? TN_EFILES : open_one();
}

int32_t tn_signals_take(int32_t fd)
{
    const int told = world.told;

    if (fd < FIRST_FD || fd >= FIRST_FD + FDS || !world.is_open[fd - FIRST_FD])
        sim_violation("signals are taken from %d, which is not open", (int)fd);
    world.told = 0;
    return told ? TN_SIGNAL_CHLD : 0;
}
