/* The caller's timers: each rings once, or again and again. */
#include "serve/user_timers.h"

/* Finds the earliest. */
/*@ requires kept: tn_user_timers_kept(t);
    terminates \true; exits \false;
    assigns t->first;
    ensures ok: tn_user_timers_ok(t);
*/
static void find_first(struct tn_user_timers *t)
{
    uint32_t first = 0;
    uint32_t i;

    /*@ loop invariant 1 <= i <= TN_USER_TIMERS && first < TN_USER_TIMERS;
        loop invariant \forall integer o; 0 <= o < i ==> t->due[first] <= t->due[o];
        loop assigns i, first;
        loop variant TN_USER_TIMERS - i;
    */
    for (i = 1; i < TN_USER_TIMERS; i++)
        if (t->due[i] < t->due[first])
            first = i;
    t->first = first;
}

void tn_user_timers_init(struct tn_user_timers *t)
{
    uint32_t i;

    /*@ loop invariant 0 <= i <= TN_USER_TIMERS;
        loop invariant \forall integer o; 0 <= o < i ==>
            t->due[o] == TN_NEVER && t->every[o] == 0;
        loop assigns i, t->due[0 .. TN_USER_TIMERS - 1], t->every[0 .. TN_USER_TIMERS - 1];
        loop variant TN_USER_TIMERS - i;
    */
    for (i = 0; i < TN_USER_TIMERS; i++) {
        t->due[i] = TN_NEVER;
        t->every[i] = 0;
    }
    t->first = 0;
}

void tn_user_timers_set(struct tn_user_timers *t, uint32_t timer, int64_t now, int64_t after_ms,
                        int64_t every_ms)
{
    t->due[timer] = now + after_ms + 1;
    t->every[timer] = every_ms;
    find_first(t);
}

void tn_user_timers_cancel(struct tn_user_timers *t, uint32_t timer)
{
    t->due[timer] = TN_NEVER;
    find_first(t);
}

int64_t tn_user_timers_next(const struct tn_user_timers *t)
{
    return t->due[t->first];
}

/* The first time after now that is a whole number of periods after due. */
/*@ requires past:  0 < due <= now <= TN_CLOCK_MAX;
    requires every: 0 < every <= TN_TIMER_MAX_MS;
    terminates \true; exits \false;
    assigns \nothing;
    ensures later: now < \result <= now + every;
    ensures row:   (\result - due) % every == 0;
*/
static int64_t time_after(int64_t due, int64_t every, int64_t now)
{
    const int64_t part = (now - due) % every;
    //@ ghost int64_t missed = (now - due) / every;

    //@ assert parts: now - due == missed * every + part;
    //@ assert whole: now + (every - part) - due == (missed + 1) * every;
    //@ assert row: ((missed + 1) * every) % every == 0;
    return now + (every - part);
}

uint32_t tn_user_timers_take(struct tn_user_timers *t, int64_t now)
{
    const uint32_t timer = t->first;

    if (now < t->due[timer])
        return TN_NONE;
    if (t->every[timer] > 0)
        t->due[timer] = time_after(t->due[timer], t->every[timer], now);
    else
        t->due[timer] = TN_NEVER;
    find_first(t);
    return timer;
}
