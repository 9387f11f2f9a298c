/* The job table under a fuzzer: two bytes a call.  What must hold, or the program
 * aborts, said once more by a plain list:
 *
 *   jobs are taken in the order they were submitted, each once
 *   a job that has begun is not cancelled, one that has ended is released once
 *   a handle is known until its job is released, and never again
 *   the table is full when all its slots are used, and not before
 */
#include "dispatch/work.h"
#include "harness.h"

#include <string.h>

enum { MOST = 5, LIVES = 4096 };

static struct tn_jobs table;
static uint32_t cap;

/* What the list says: the state of each slot, and the queue. */
static uint32_t state[MOST], queue[MOST], queued;
/* Every handle there was, and whether its job is released. */
static struct tn_job handle[LIVES];
static int released[LIVES];
static uint32_t handles, newest[MOST];

void harness_start(void)
{
}

static void leave_queue(uint32_t slot)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < queued; i++)
        if (queue[i] != slot)
            queue[kept++] = queue[i];
    queued = kept;
}

static void submit(void)
{
    const uint32_t slot = tn_jobs_submit(&table);
    uint32_t used = 0;

    for (uint32_t s = 0; s < cap; s++)
        used += state[s] != TN_JOB_FREE;
    harness_expect((slot == TN_NONE) == (used == cap), "full when all slots are used");
    if (slot == TN_NONE)
        return;
    harness_expect(slot < cap && state[slot] == TN_JOB_FREE, "a free slot is taken");
    state[slot] = TN_JOB_QUEUED;
    queue[queued++] = slot;
    newest[slot] = handles;
    handle[handles] = (struct tn_job){.slot = slot, .life = table.life[slot]};
    released[handles++] = 0;
}

static void take(void)
{
    const uint32_t slot = tn_jobs_take(&table);

    harness_expect(slot == (queued == 0 ? TN_NONE : queue[0]), "the first that was queued");
    if (slot == TN_NONE)
        return;
    leave_queue(slot);
    state[slot] = TN_JOB_RUNNING;
}

static void end(uint32_t slot, uint32_t failed)
{
    if (state[slot] != TN_JOB_RUNNING)
        return;
    tn_jobs_end(&table, slot, failed);
    state[slot] = failed == 1 ? TN_JOB_FAILED : TN_JOB_DONE;
}

static void cancel(uint32_t slot)
{
    if (state[slot] == TN_JOB_FREE)
        return;
    harness_expect(tn_jobs_cancel(&table, slot) == (state[slot] == TN_JOB_QUEUED),
                   "just what is queued is cancelled");
    if (state[slot] == TN_JOB_QUEUED) {
        leave_queue(slot);
        state[slot] = TN_JOB_CANCELLED;
    }
}

static void release(uint32_t slot)
{
    if (state[slot] < TN_JOB_DONE)
        return;
    tn_jobs_release(&table, slot);
    state[slot] = TN_JOB_FREE;
    released[newest[slot]] = 1;
}

static void check(void)
{
    for (uint32_t s = 0; s < cap; s++) {
        harness_expect(table.state[s] == state[s], "the state of each slot");
        if (state[s] != TN_JOB_FREE)
            harness_expect(tn_job_over(&table, s) == (state[s] >= TN_JOB_DONE), "what is over");
    }
    for (uint32_t i = 0; i < handles; i++)
        harness_expect(tn_job_known(&table, handle[i]) == !released[i], "which handles are known");
}

void harness_run(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return;
    cap = 1 + bytes[0] % MOST;
    memset(state, 0, sizeof state);
    queued = handles = 0;
    tn_jobs_init(&table, cap);
    for (size_t i = 1; i + 2 <= n && handles < LIVES; i += 2) {
        const uint32_t slot = bytes[i + 1] % cap;

        switch (bytes[i] % 6) {
        case 0:
            submit();
            break;
        case 1:
            take();
            break;
        case 2:
        case 3:
            end(slot, bytes[i] % 6 - 2u);
            break;
        case 4:
            cancel(slot);
            break;
        default:
            release(slot);
            break;
        }
        check();
    }
}
