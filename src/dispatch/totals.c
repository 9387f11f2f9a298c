#include "dispatch/totals.h"

static void add(int64_t *sum, int64_t n)
{
    *sum = n <= INT64_MAX - *sum ? *sum + n : INT64_MAX;
}

void tn_totals_add(struct tn_counters *sum, const struct tn_counters *part)
{
    add(&sum->accepted, part->accepted);
    for (uint32_t r = 0; r < TN_REASONS; r++) {
        add(&sum->closed[r], part->closed[r]);
    }
    add(&sum->frames, part->frames);
    add(&sum->sent, part->sent);
    add(&sum->bytes_in, part->bytes_in);
    add(&sum->bytes_out, part->bytes_out);
    add(&sum->wakeups, part->wakeups);
    add(&sum->spurious, part->spurious);
    add(&sum->accept_pauses, part->accept_pauses);
    add(&sum->parked, part->parked);
}

void tn_totals_close(struct tn_counters *c)
{
    int64_t closed = 0;

    for (uint32_t r = 0; r < TN_REASONS; r++) {
        closed += c->closed[r];
    }
    if (closed < c->accepted) {
        add(&c->closed[TN_BY_RESET], c->accepted - closed);
    }
}
