#define _GNU_SOURCE
#include "cli/report.h"

#include "cli/services.h"
#include "core/result.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const reason_names[TN_REASONS] = {
    [TN_BY_PEER] = "peer",         [TN_BY_CALLER] = "caller",         [TN_BY_RESET] = "reset",
    [TN_BY_FRAME] = "frame",       [TN_BY_TRUNCATION] = "truncation", [TN_BY_IDLE] = "idle",
    [TN_BY_READ] = "read-timeout", [TN_BY_WRITE] = "write-timeout",   [TN_BY_DRAIN] = "drain",
};

const char *tn_cli_reason_name(uint32_t reason)
{
    return reason < TN_REASONS ? reason_names[reason] : "?";
}

/* Arguments are printed as they came but for what would break the line. */
static void put_word(const char *word, const char *end)
{
    if (word == NULL) {
        return;
    }
    for (; *word != '\0'; word++) {
        (void)fputc((unsigned char)*word < ' ' || *word == 127 ? '?' : *word, stderr);
    }
    (void)fputs(end, stderr);
}

void tn_cli_complain(const struct tn_cli_complaint *c)
{
    (void)fputs("tenon: ", stderr);
    put_word(c->option, c->value != NULL ? " " : ": ");
    put_word(c->value, ": ");
    (void)fprintf(stderr, "%s\n", c->why);
}

int tn_cli_fail(const char *option, const char *value, int32_t result)
{
    struct tn_cli_complaint c = {option, value, NULL};

    c.why = result == TN_ESYSTEM ? strerror(errno) : tn_strerror(result);
    tn_cli_complain(&c);
    return result == TN_EADDRESS ? TN_CLI_MISUSED : TN_CLI_FAILED;
}

void tn_cli_print_ready(const struct tn_cli_arguments *a, char bound[][TN_ADDRESS_LEN])
{
    uint32_t built;

    for (uint32_t i = 0; i < a->listeners; i++) {
        (void)printf("listening %s model %s service %s framing %s pid %ld\n", bound[i],
                     tn_cli_model_name(a->model, &built), tn_cli_service_name(a->service),
                     tn_cli_framing_name(a->framing), (long)getpid());
    }
    (void)fflush(stdout);
}

void tn_cli_print_totals(const struct tn_counters *c, int64_t dropped)
{
    (void)printf("totals accepted %" PRId64 " frames %" PRId64 " sent %" PRId64 " bytes-in %" PRId64
                 " bytes-out %" PRId64,
                 c->accepted, c->frames, c->sent, c->bytes_in, c->bytes_out);
    for (uint32_t r = 0; r < TN_REASONS; r++) {
        (void)printf(" by-%s %" PRId64, reason_names[r], c->closed[r]);
    }
    (void)printf(" wakeups %" PRId64 " spurious %" PRId64 " accept-pauses %" PRId64
                 " parked %" PRId64 " dropped %" PRId64 "\n",
                 c->wakeups, c->spurious, c->accept_pauses, c->parked, dropped);
    (void)fflush(stdout);
}
