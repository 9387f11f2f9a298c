/* polling: everything watched is said to be ready for what it is watched for,
 * in turn, a batch at a time.  When as much was tried as there is, and nothing
 * has moved, the next wait pauses for at most TN_POLLING_PAUSE_MS.
 *
 * Foreign descriptors cannot be tried: only their owner knows how, and reading
 * one that is not ready may block.  The kernel is asked about them, by poll;
 * asking is the pause, too, so a signal or a command ends it at once. */
#include "poll/backends.h"

#ifndef TN_WITHOUT_POLLING

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
    ensures part: \result <= n && n - \result <= TN_WATCHES;
*/
static uint32_t foreign(const struct tn_poller *p, uint32_t n)
{
    uint32_t i;

    /*@ loop invariant reach: i <= n && n - i <= TN_WATCHES;
        loop assigns i;
        loop variant i;
    */
    for (i = n; i > 0 && n - i < TN_WATCHES && p->who[i - 1] >= TN_WATCH_COOKIE; i--)
        ;
    return i;
}

/* Asks the kernel about the questions first .. n - 1, for up to ms.  Returns as
 * tn_sys_poll does. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires asked: n <= TN_ASKED && tn_list_ok(p, l, n, TN_SYS_FDS);
    requires part:  first <= n && n - first <= TN_WATCHES;
    terminates \true; exits \false;
    assigns p->asked[0 .. TN_ASKED - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_WATCHES;
    ensures lists:  tn_lists_ok(p, l);
    ensures asked:  tn_list_ok(p, l, n, TN_SYS_FDS);
    ensures answers: \forall integer i; first <= i < n ==> 0 <= p->asked[i].revents;
*/
static int32_t ask_foreign(struct tn_poller *p, struct tn_lists l, uint32_t first, uint32_t n,
                           int32_t ms)
{
    struct tn_asked list[TN_WATCHES];
    uint32_t i;
    int32_t r;

    (void)l; /* the contract needs it */
    /*@ loop invariant reach: first <= i <= n;
        loop invariant alive: \forall integer k; 0 <= k < i - first ==> k_alive(list[k].fd);
        loop assigns i, list[0 .. TN_WATCHES - 1];
        loop variant n - i;
    */
    for (i = first; i < n; i++) {
        list[i - first].fd = p->asked[i].fd;
        list[i - first].events = p->asked[i].events;
    }
    r = tn_sys_poll(&list[0], n - first, ms);
    /*@ loop invariant reach: first <= i <= n;
        loop invariant lists: tn_lists_ok(p, l);
        loop invariant asked: tn_list_ok(p, l, n, TN_SYS_FDS);
        loop invariant answers: \forall integer k; first <= k < i ==> 0 <= p->asked[k].revents;
        loop assigns i, p->asked[0 .. TN_ASKED - 1];
        loop variant n - i;
    */
    for (i = first; i < n; i++)
        p->asked[i].revents = list[i - first].revents;
    return r;
}

/* Answers the first questions, up to end: it is ready for all that was asked. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires asked: n <= TN_ASKED && tn_list_ok(p, l, n, TN_SYS_FDS);
    requires answers: end <= n && \forall integer i; end <= i < n ==> 0 <= p->asked[i].revents;
    terminates \true; exits \false;
    assigns p->asked[0 .. TN_ASKED - 1];
    ensures lists:  tn_lists_ok(p, l);
    ensures asked:  tn_list_ok(p, l, n, TN_SYS_FDS);
    ensures ready:  \forall integer i; 0 <= i < end ==>
                    p->asked[i].revents == p->asked[i].events;
    ensures answers: \forall integer i; 0 <= i < n ==> 0 <= p->asked[i].revents;
*/
static void assume_ready(struct tn_poller *p, struct tn_lists l, uint32_t end, uint32_t n)
{
    uint32_t i;

    (void)l; /* the contract needs them */
    (void)n;
    /*@ loop invariant reach: 0 <= i <= end;
        loop invariant lists: tn_lists_ok(p, l);
        loop invariant asked: tn_list_ok(p, l, n, TN_SYS_FDS);
        loop invariant ready: \forall integer k; 0 <= k < i ==>
            p->asked[k].revents == p->asked[k].events;
        loop invariant answers: \forall integer k; 0 <= k < i || end <= k < n ==>
            0 <= p->asked[k].revents;
        loop assigns i, p->asked[0 .. TN_ASKED - 1];
        loop variant end - i;
    */
    for (i = 0; i < end; i++)
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
    r = ask_foreign(p, l, tries, n, pause);
    if (r < 0) {
        p->pos = 0;
        p->count = 0;
        return r;
    }
    assume_ready(p, l, tries, n);
    r = tn_list_take(p, l, n);
    //@ assert sign: 0 <= r;
    p->vain += (size_t)r;
    return r;
}

#endif
