/* The caller's timers: each rings once, or again and again.
 *
 * A timer is never early.  The clock is cut to whole milliseconds, so that up
 * to one of the first had passed before it was set: it is due one later than
 * the sum says.  By that, too, it is due after the time at which it is set,
 * whatever it is set to.
 *
 * They are few, and set far less often than looked at: an array, and which of
 * them is the earliest.  A second heap like that of the connections
 * (core/timers.h) would be as large as theirs.
 */
#ifndef TN_SERVE_USER_TIMERS_H
#define TN_SERVE_USER_TIMERS_H

#include "core/timers.h"
#include "os/sys.h"

/* The longest time of a timer, in milliseconds: no sum of two wraps. */
#define TN_TIMER_MAX_MS 0x1fffffffffffffff

struct tn_user_timers {
    uint32_t first;                /* none is due before it */
    int64_t due[TN_USER_TIMERS];   /* TN_NEVER: it is not set */
    int64_t every[TN_USER_TIMERS]; /* its period; 0: it rings once */
};

/*@ predicate tn_user_timers_kept{L}(struct tn_user_timers *t) =
        \valid(t) && \forall integer i; 0 <= i < TN_USER_TIMERS ==>
            0 < t->due[i] && 0 <= t->every[i] <= TN_TIMER_MAX_MS;
    predicate tn_user_timers_ok{L}(struct tn_user_timers *t) =
        tn_user_timers_kept(t) && t->first < TN_USER_TIMERS &&
        \forall integer i; 0 <= i < TN_USER_TIMERS ==> t->due[t->first] <= t->due[i];
    logic integer tn_user_timer_due{L}(struct tn_user_timers *t, integer i) = t->due[i];
*/

/* Makes timers of which none is set. */
/*@ requires room: \valid(t);
    terminates \true; exits \false;
    assigns *t;
    ensures ok:    tn_user_timers_ok(t);
    ensures unset: \forall integer i; 0 <= i < TN_USER_TIMERS ==> t->due[i] == TN_NEVER;
*/
void tn_user_timers_init(struct tn_user_timers *t);

/* Sets a timer at the time now, whether or not it was set: it rings when
 * after_ms have passed, and then every every_ms (0: not again). */
/*@ requires ok:    tn_user_timers_ok(t);
    requires timer: timer < TN_USER_TIMERS;
    requires clock: 0 <= now <= TN_CLOCK_MAX;
    requires times: 0 <= after_ms <= TN_TIMER_MAX_MS && 0 <= every_ms <= TN_TIMER_MAX_MS;
    terminates \true; exits \false;
    assigns t->first, t->due[timer], t->every[timer];
    ensures ok:    tn_user_timers_ok(t);
    ensures never_early: t->due[timer] - now > after_ms;
    ensures soon:  t->due[timer] - now <= after_ms + 1;
    ensures every: t->every[timer] == every_ms;
*/
void tn_user_timers_set(struct tn_user_timers *t, uint32_t timer, int64_t now, int64_t after_ms,
                        int64_t every_ms);

/* Sets a timer no more; nothing happens when it was not set. */
/*@ requires ok:    tn_user_timers_ok(t);
    requires timer: timer < TN_USER_TIMERS;
    terminates \true; exits \false;
    assigns t->first, t->due[timer];
    ensures ok:    tn_user_timers_ok(t);
    ensures unset: t->due[timer] == TN_NEVER;
*/
void tn_user_timers_cancel(struct tn_user_timers *t, uint32_t timer);

/* Returns when the earliest is due, TN_NEVER when none is set. */
/*@ requires ok: tn_user_timers_ok(t);
    terminates \true; exits \false;
    assigns \nothing;
    ensures earliest: \forall integer i; 0 <= i < TN_USER_TIMERS ==> \result <= t->due[i];
    ensures exact:    \result == t->due[t->first];
*/
int64_t tn_user_timers_next(const struct tn_user_timers *t);

/* Takes the earliest timer that is due at the time now and returns its number,
 * or TN_NONE.  What it is taken for has passed then: a timer of a period is set
 * to the next time of its row that is still to come, so that it does not drift,
 * and rings once for all the times that were missed; the others are set no
 * more.  So none can be taken twice at one time. */
/*@ requires ok:    tn_user_timers_ok(t);
    requires clock: now <= TN_CLOCK_MAX;
    terminates \true; exits \false;
    assigns t->first, t->due[0 .. TN_USER_TIMERS - 1];
    ensures ok:       tn_user_timers_ok(t);
    ensures none_due: \result == TN_NONE <==> (\forall integer i; 0 <= i < TN_USER_TIMERS ==>
                          now < \old(t->due[i]));
    ensures known:    \result != TN_NONE ==> \result < TN_USER_TIMERS;
    ensures never_early: \result != TN_NONE ==> tn_user_timer_due{Pre}(t, \result) <= now;
    ensures earliest: \result != TN_NONE ==> \forall integer i; 0 <= i < TN_USER_TIMERS ==>
                          tn_user_timer_due{Pre}(t, \result) <= \old(t->due[i]);
    ensures not_twice: \result != TN_NONE ==> now < t->due[\result];
    ensures once:     \result != TN_NONE && t->every[\result] == 0 ==>
                          t->due[\result] == TN_NEVER;
    ensures again:    \result != TN_NONE && t->every[\result] > 0 ==>
                          t->due[\result] <= now + t->every[\result];
    ensures no_drift: \result != TN_NONE && t->every[\result] > 0 ==>
                          (t->due[\result] - tn_user_timer_due{Pre}(t, \result)) %
                              t->every[\result] == 0;
    ensures others:   \forall integer i; 0 <= i < TN_USER_TIMERS && i != \result ==>
                          t->due[i] == \old(t->due[i]);
*/
uint32_t tn_user_timers_take(struct tn_user_timers *t, int64_t now);

#endif
