/* A server that computes off its loop: offload [PORT].  It answers each line N
 * with `N P`, where P counts the primes up to N.  A team of processes counts while
 * the loop serves on.  For a negative N they crash, and that line alone fails. */
#include "tenon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS 64
static struct tn_server server; /* of fixed size, and large: not on the stack */
static struct tn_team team;
static struct tn_job asked[JOBS]; /* by its slot */
static struct tn_handle client[JOBS];

/* In a worker: makes the answer of the line. */
static int32_t count_primes(void *line)
{
    const long last = strtol(line, NULL, 10);
    long primes = 0;

    if (last < 0)
        abort();
    for (long n = 2, d; n <= last; n++) {
        for (d = 2; d * d <= n && n % d != 0; d++)
            ;
        primes += d * d > n;
    }
    snprintf(line, TN_JOB_BYTES, "%ld %ld", last, primes);
    return 0;
}

static void ask(const struct tn_event *ev)
{
    const uint32_t len = ev->len < TN_JOB_BYTES ? ev->len : TN_JOB_BYTES - 1; /* and a zero */
    struct tn_job job;

    if (tn_team_submit(&team, count_primes, ev->data, len, &job) == 1) {
        asked[job.slot] = job;
        client[job.slot] = ev->conn;
    } else {
        tn_send(&server, ev->conn, (const uint8_t *)"busy", 4);
    }
}

/* Answers those whose jobs have ended. */
static void answer(void)
{
    char line[TN_JOB_BYTES];
    uint32_t state;

    tn_team_clear(&team);
    for (int i = 0; i < JOBS; i++)
        if (tn_team_wait(&team, asked[i], line, sizeof line, &state, 0) == 1) {
            const char *text = state == TN_JOB_DONE ? line : "failed";
            tn_send(&server, client[i], (const uint8_t *)text, (uint32_t)strlen(text));
        }
}

int main(int argc, char **argv)
{
    struct tn_options options = {.framing = TN_LINE};
    struct tn_event ev;
    char address[32], bound[TN_ADDRESS_LEN];
    int32_t fd;

    snprintf(address, sizeof address, "127.0.0.1:%s", argc > 1 ? argv[1] : "0");
    if (tn_team_open(&team, 2, JOBS) < 0 || tn_init(&server, &options) < 0 ||
        tn_watch(&server, team.done) < 0 || (fd = tn_listen_open(address, 0, bound)) < 0 ||
        tn_listen(&server, fd) < 0)
        return 1; /* echo.c says why */
    printf("%s\n", bound);
    fflush(stdout);
    while (tn_next(&server, &ev, TN_FOREVER) > 0) /* until it is killed, its workers with it */
        if (ev.type == TN_FRAME)
            ask(&ev);
        else if (ev.type == TN_READY)
            answer();
    return 1;
}
