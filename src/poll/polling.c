/* polling: everything watched is said to be ready for what it is watched for,
 * in turn, a batch at a time.  When as much was tried as there is, and nothing
 * has moved, the next wait pauses for at most TN_POLLING_PAUSE_MS.
 *
 * Foreign descriptors cannot be tried: only their owner knows how, and reading
 * one that is not ready may block.  The kernel is asked about them, by poll;
 * asking is the pause, too, so a signal or a command ends it at once. */
#include "poll/backends.h"

/* The milliseconds to pause for. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures bound: 0 <= \result <= TN_POLLING_PAUSE_MS;
    ensures asked: timeout_ms >= 0 ==> \result <= timeout_ms;
*/
static int32_t pause_ms(int32_t timeout_ms)
{
    return timeout_ms < 0 || timeout_ms > TN_POLLING_PAUSE_MS ? TN_POLLING_PAUSE_MS : timeout_ms;
}

/* Says where in a list of n questions those about foreign descriptors start. */
/*@ requires room: \valid_read(p) && n <= TN_ASKED;
    terminates \true; exits \false;
    assigns \nothing;
    ensures part: \result <= n;
    ensures foreign: \forall integer i; \result <= i < n ==> p->who[i] >= TN_WATCH_COOKIE;
*/
static uint32_t foreign(const struct tn_poller *p, uint32_t n)
{
    uint32_t i;

    /*@ loop invariant reach: i <= n;
        loop invariant foreign: \forall integer k; i <= k < n ==> p->who[k] >= TN_WATCH_COOKIE;
        loop assigns i;
        loop variant i;
    */
    for (i = n; i > 0 && p->who[i - 1] >= TN_WATCH_COOKIE; i--)
        ;
    return i;
}

/* Answers the first n questions: it is ready for all that was asked. */
/*@ requires room: \valid(p) && n <= TN_ASKED;
    terminates \true; exits \false;
    assigns p->asked[0 .. n - 1];
    ensures same:  \forall integer i; 0 <= i < n ==>
        p->asked[i].fd == \old(p->asked[i].fd) && p->asked[i].events == \old(p->asked[i].events);
    ensures ready: \forall integer i; 0 <= i < n ==> p->asked[i].revents == p->asked[i].events;
*/
static void assume_ready(struct tn_poller *p, uint32_t n)
{
    uint32_t i;

    /*@ loop invariant reach: 0 <= i <= n;
        loop invariant same: \forall integer k; 0 <= k < n ==>
            p->asked[k].fd == \at(p->asked[k].fd, Pre) &&
            p->asked[k].events == \at(p->asked[k].events, Pre);
        loop invariant ready: \forall integer k; 0 <= k < i ==>
            p->asked[k].revents == p->asked[k].events;
        loop assigns i, p->asked[0 .. n - 1];
        loop variant n - i;
    */
    for (i = 0; i < n; i++)
        p->asked[i].revents = p->asked[i].events;
}

int32_t tn_polling_wait(struct tn_poller *p, struct tn_lists l, int32_t timeout_ms, int64_t moved)
{
    const uint32_t n = tn_list_make(p, l, TN_SYS_FDS);
    const uint32_t tries = foreign(p, n);
    int32_t pause = 0;
    int32_t r;

    if (moved != p->moved)
        p->vain = 0;
    p->moved = moved;
    if (p->vain >= tries) {
        pause = pause_ms(timeout_ms);
        p->vain = 0;
    }
    r = tn_sys_poll(&p->asked[tries], n - tries, pause);
    if (r < 0) {
        p->pos = 0;
        p->count = 0;
        return r;
    }
    assume_ready(p, tries);
    r = tn_list_take(p, l, n);
    //@ assert sign: 0 <= r;
    p->vain += (size_t)r;
    return r;
}
