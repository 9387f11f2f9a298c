/* defines: -DTN_CONNECTIONS=6u -DTN_BLOCKS=3u -DTN_FRAME_MAX=24u -DTN_BATCH=4u -DTN_LISTENERS=2u -DTN_WATCHES=2u -DTN_SELECT_FDS=10 */
/* The event loop under a fuzzer: the input's bytes are the schedule.
 *
 * With -DEVERY_MODEL it is the differential harness: each schedule goes through
 * every model, see models.h; otherwise the model is one of the schedule's
 * choices, see world.h.
 *
 * Built by afl-cc it is a persistent harness over shared memory.  Built by any
 * other compiler it runs the files named, or seeds:
 *
 *     fuzz_dispatch FILE...            each file's bytes as one schedule
 *     fuzz_dispatch --seed N           one seed
 *     fuzz_dispatch --seeds FROM N     N seeds in a row
 *
 * With SIM_TRACE set in the environment all of the trace is printed, otherwise
 * what led to a violation.
 */
#define _GNU_SOURCE
#include "models.h"
#include "simkernel.h"
#include "world.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __AFL_FUZZ_TESTCASE_LEN
#include <unistd.h>
__AFL_FUZZ_INIT();
#endif

#define INPUT_MAX 65536u

#ifdef EVERY_MODEL
#define HARNESS "models"
#define RUN_BYTES models_run_bytes
#define RUN_SEED models_run_seed
#else
#define HARNESS "dispatch"
#define RUN_BYTES world_run_bytes
#define RUN_SEED world_run_seed
#endif

/* Sanitizers report a crash better; without them it is a violation like others. */
#ifdef __SANITIZE_ADDRESS__
#define CATCHES_CRASHES 0
#else
#define CATCHES_CRASHES 1
#endif

static void crashed(int number)
{
    signal(number, SIG_DFL);
    sim_violation("signal %d", number);
}

static int run_file(const char *name)
{
    static uint8_t bytes[INPUT_MAX];
    char label[256];
    FILE *f = fopen(name, "rb");
    size_t n;

    if (f == NULL) {
        perror(name);
        return 1;
    }
    n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    snprintf(label, sizeof label, "again: fuzz/replay " HARNESS " %.200s", name);
    sim_label(label);
    RUN_BYTES(bytes, n);
    return 0;
}

static void run_seeds(uint64_t from, uint64_t n)
{
    char label[96];

    for (uint64_t seed = from; seed - from < n; seed++) {
        snprintf(label, sizeof label,
                 "seed %" PRIu64 "; again: fuzz/replay " HARNESS " --seed %" PRIu64, seed, seed);
        sim_label(label);
        RUN_SEED(seed);
    }
}

#ifdef EVERY_MODEL
static void print_totals(void)
{
    const struct models_totals *t = models_totals();

    printf("schedules %" PRIu64 ", rounds %" PRIu64 ", faults %" PRIu64 "\n", t->schedules,
           t->rounds, t->faults);
    printf("connections %" PRIu64 ", frames %" PRIu64 ", closed %" PRIu64 ", watch events %" PRIu64
           "\n",
           t->opened, t->frames, t->closed, t->ready);
}
#else
static void print_totals(void)
{
    const struct world_totals *t = world_totals();

    printf("schedules %" PRIu64 ", waits %" PRIu64 ", faults %" PRIu64 "\n", t->schedules, t->waits,
           t->faults);
    printf("connections %" PRIu64 ", frames %" PRIu64 ", echoed %" PRIu64 ", parked %" PRIu64
           ", accept pauses %" PRIu64 ", watch events %" PRIu64 "\n",
           t->accepted, t->frames, t->echoed, t->parked, t->pauses, t->watched);
    printf("closed %" PRIu64 ", finished %" PRIu64 ", reset %" PRIu64 ", idle %" PRIu64
           ", slow frames %" PRIu64 ", slow readers %" PRIu64 ", bad frames %" PRIu64
           ", truncated %" PRIu64 ", stale handles tried %" PRIu64 ", drains %" PRIu64
           ", rests %" PRIu64 ", timers rung %" PRIu64 "\n",
           t->closed, t->finished, t->reset, t->idle, t->slow_frames, t->slow_readers,
           t->bad_frames, t->truncated, t->stale, t->drained, t->rests, t->rung);
}
#endif

int main(int argc, char **argv)
{
    int failed = 0;

#ifdef __AFL_FUZZ_TESTCASE_LEN
    __AFL_INIT();
    if (argc < 2) {
        const unsigned char *bytes = __AFL_FUZZ_TESTCASE_BUF;

        while (__AFL_LOOP(10000))
            RUN_BYTES(bytes, (size_t)__AFL_FUZZ_TESTCASE_LEN);
        return 0;
    }
#endif
    if (CATCHES_CRASHES)
        signal(SIGSEGV, crashed);
    sim_trace_live(getenv("SIM_TRACE") != NULL);
    if (argc == 3 && strcmp(argv[1], "--seed") == 0)
        run_seeds(strtoull(argv[2], NULL, 0), 1);
    else if (argc == 4 && strcmp(argv[1], "--seeds") == 0)
        run_seeds(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
    else
        for (int i = 1; i < argc; i++)
            failed += run_file(argv[i]);
    print_totals();
    return failed > 0;
}
