/* Totals of several flows of control, added up.  Counters may come from a process
 * that has crashed: whatever they hold, no sum overflows. */
#ifndef TN_DISPATCH_TOTALS_H
#define TN_DISPATCH_TOTALS_H

#include "serve/state.h"

#ifdef __cplusplus
extern "C" {
#endif

/*@ // a sum with n counted: it never shrinks, and stays at the end
    logic integer tn_sum(integer sum, integer n) =
        n <= 0 ? sum : sum > INT64_MAX - n ? INT64_MAX : sum + n;
*/

/*@ predicate tn_totals_zero{L}(struct tn_counters *c) =
        c->accepted == 0 && c->frames == 0 && c->sent == 0 && c->bytes_in == 0 &&
        c->bytes_out == 0 && c->wakeups == 0 && c->spurious == 0 && c->accept_pauses == 0 &&
        c->parked == 0 && \forall integer r; 0 <= r < TN_REASONS ==> c->closed[r] == 0;
*/

/* Nothing counted yet. */
/*@ requires room: \valid(c);
    terminates \true; exits \false;
    assigns *c;
    ensures zero: tn_totals_zero(c);
*/
void tn_totals_clear(struct tn_counters *c);

/* Adds each of part's counters to sum's; none wraps, none shrinks. */
/*@ requires room:     \valid(sum) && \valid_read(part) && \separated(sum, part);
    terminates \true; exits \false;
    assigns *sum;
    ensures accepted:  sum->accepted == tn_sum(\old(sum->accepted), part->accepted);
    ensures closed:    \forall integer r; 0 <= r < TN_REASONS ==>
                       sum->closed[r] == tn_sum(\old(sum->closed[r]), part->closed[r]);
    ensures frames:    sum->frames == tn_sum(\old(sum->frames), part->frames);
    ensures sent:      sum->sent == tn_sum(\old(sum->sent), part->sent);
    ensures bytes_in:  sum->bytes_in == tn_sum(\old(sum->bytes_in), part->bytes_in);
    ensures bytes_out: sum->bytes_out == tn_sum(\old(sum->bytes_out), part->bytes_out);
    ensures wakeups:   sum->wakeups == tn_sum(\old(sum->wakeups), part->wakeups);
    ensures spurious:  sum->spurious == tn_sum(\old(sum->spurious), part->spurious);
    ensures pauses:    sum->accept_pauses == tn_sum(\old(sum->accept_pauses), part->accept_pauses);
    ensures parked:    sum->parked == tn_sum(\old(sum->parked), part->parked);
*/
void tn_totals_add(struct tn_counters *sum, const struct tn_counters *part);

/*@ // how many of the first n reasons' connections have ended, as tn_sum counts
    logic integer tn_ended{L}(struct tn_counters *c, integer n) =
        n <= 0 ? 0 : tn_sum(tn_ended(c, n - 1), c->closed[n - 1]);
*/

/* Counts connections that were accepted and never said how they ended, because
 * what served them crashed, as broken. */
/*@ requires room:   \valid(c);
    terminates \true; exits \false;
    assigns c->closed[TN_BY_RESET];
    ensures broken:  \let ended = \old(tn_ended(c, TN_REASONS));
                     \let rest = ended < c->accepted ? c->accepted - ended : 0;
                     c->closed[TN_BY_RESET] == tn_sum(\old(c->closed[TN_BY_RESET]), rest);
*/
void tn_totals_close(struct tn_counters *c);

#ifdef __cplusplus
}
#endif

#endif
