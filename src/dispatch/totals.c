#include "dispatch/totals.h"

void tn_totals_clear(struct tn_counters *c)
{
    uint32_t r;

    /*@ loop invariant range: 0 <= r <= TN_REASONS;
        loop invariant done:  \forall integer k; 0 <= k < r ==> c->closed[k] == 0;
        loop assigns r, c->closed[0 .. TN_REASONS - 1];
        loop variant TN_REASONS - r;
    */
    for (r = 0; r < TN_REASONS; r++) {
        c->closed[r] = 0;
    }
    c->accepted = 0;
    c->frames = 0;
    c->sent = 0;
    c->bytes_in = 0;
    c->bytes_out = 0;
    c->wakeups = 0;
    c->spurious = 0;
    c->accept_pauses = 0;
    c->parked = 0;
}

/* Adds n to *sum, as tn_sum. */
/*@ requires room: \valid(sum);
    terminates \true; exits \false;
    assigns *sum;
    ensures sum: *sum == tn_sum(\old(*sum), n);
*/
static void add(int64_t *sum, int64_t n)
{
    if (n > 0) {
        *sum = *sum > INT64_MAX - n ? INT64_MAX : *sum + n;
    }
}

void tn_totals_add(struct tn_counters *sum, const struct tn_counters *part)
{
    uint32_t r;

    /*@ loop invariant range: 0 <= r <= TN_REASONS;
        loop invariant done:  \forall integer k; 0 <= k < r ==>
            sum->closed[k] == tn_sum(\at(sum->closed[k], Pre), part->closed[k]);
        loop invariant rest:  \forall integer k; r <= k < TN_REASONS ==>
            sum->closed[k] == \at(sum->closed[k], Pre);
        loop assigns r, sum->closed[0 .. TN_REASONS - 1];
        loop variant TN_REASONS - r;
    */
    for (r = 0; r < TN_REASONS; r++) {
        add(&sum->closed[r], part->closed[r]);
    }
    add(&sum->accepted, part->accepted);
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
    int64_t ended = 0;
    uint32_t r;

    /*@ loop invariant range: 0 <= r <= TN_REASONS;
        loop invariant sum:   ended == tn_ended(c, r) && ended >= 0;
        loop assigns r, ended;
        loop variant TN_REASONS - r;
    */
    for (r = 0; r < TN_REASONS; r++) {
        add(&ended, c->closed[r]);
    }
    if (ended < c->accepted) {
        add(&c->closed[TN_BY_RESET], c->accepted - ended);
    }
}
