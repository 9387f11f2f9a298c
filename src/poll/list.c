/* The list of questions: made of the owner's tables before a wait, turned into
 * reports after it. */
#include "poll/backends.h"

#ifdef TN_POLLER_ASKS

/* Adds the question whether who, whose descriptor is fd, is ready for events to
 * a list of n, if there is one to ask.  Returns the length of the list. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires asked: n < TN_ASKED && tn_list_ok(p, l, n, limit);
    requires fd:    who < TN_COOKIES && fd == tn_list_fd(l, who);
    requires alive: fd != -1 ==> k_alive(fd);
    terminates \true; exits \false;
    assigns p->asked[n], p->who[n];
    ensures length: \result == (fd != -1 && events > 0 && fd < limit ? n + 1 : n);
    ensures added:  \result == n + 1 ==> p->who[n] == who && p->asked[n].events == events;
    ensures lists:  tn_lists_ok(p, l);
    ensures asked:  tn_list_ok(p, l, \result, limit);
*/
static uint32_t ask(struct tn_poller *p, struct tn_lists l, uint32_t n, uint32_t who, int32_t fd,
                    int16_t events, int32_t limit)
{
    (void)l; /* what fd and events come from: the contract needs it */
    if (fd == -1 || events <= 0 || fd >= limit)
        return n;
    p->who[n] = who;
    p->asked[n].fd = fd;
    p->asked[n].events = events;
    p->asked[n].revents = 0;
    /*@ assert before: \forall integer i; 0 <= i < n ==>
            p->who[i] == \at(p->who[i], Pre) && p->asked[i].fd == \at(p->asked[i].fd, Pre) &&
            p->asked[i].events == \at(p->asked[i].events, Pre); */
    //@ assert room: tn_lists_room(l);
    /*@ assert slots: \forall integer s; 0 <= s < l.cap ==>
            l.fd[s] == \at(l.fd[s], Pre) && l.gen[s] == \at(l.gen[s], Pre); */
    /*@ assert listeners: \forall integer i; 0 <= i < TN_LISTENERS ==>
            l.listener[i] == \at(l.listener[i], Pre); */
    /*@ assert watches: \forall integer w; 0 <= w < TN_WATCHES ==>
            l.watch[w] == \at(l.watch[w], Pre) && l.watch_gen[w] == \at(l.watch_gen[w], Pre); */
    //@ assert told: tn_lists_true(l);
    return n + 1;
}

/* Lists the listeners. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    terminates \true; exits \false;
    assigns p->asked[0 .. TN_ASKED - 1], p->who[0 .. TN_WHO - 1];
    ensures lists:  tn_lists_ok(p, l);
    ensures asked:  tn_list_ok(p, l, \result, limit);
    ensures length: \result <= TN_LISTENERS;
*/
static uint32_t ask_listeners(struct tn_poller *p, struct tn_lists l, int32_t limit)
{
    uint32_t n = 0;
    uint32_t i;

    /*@ loop invariant reach: n <= i <= TN_LISTENERS;
        loop invariant lists: tn_lists_ok(p, l);
        loop invariant asked: tn_list_ok(p, l, n, limit);
        loop assigns n, i, p->asked[0 .. TN_ASKED - 1], p->who[0 .. TN_WHO - 1];
        loop variant TN_LISTENERS - i;
    */
    for (i = 0; i < TN_LISTENERS; i++)
        n = ask(p, l, n, TN_LISTENER_COOKIE + i, l.listener[i], l.listening[i], limit);
    return n;
}

/* Lists the connections behind n questions. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires asked: n <= TN_LISTENERS && tn_list_ok(p, l, n, limit);
    terminates \true; exits \false;
    assigns p->asked[0 .. TN_ASKED - 1], p->who[0 .. TN_WHO - 1];
    ensures lists:  tn_lists_ok(p, l);
    ensures asked:  tn_list_ok(p, l, \result, limit);
    ensures length: \result <= TN_LISTENERS + TN_CONNECTIONS;
*/
static uint32_t ask_connections(struct tn_poller *p, struct tn_lists l, uint32_t n, int32_t limit)
{
    uint32_t i, s;

    /*@ loop invariant reach: i <= l.live && n <= TN_LISTENERS + i;
        loop invariant lists: tn_lists_ok(p, l);
        loop invariant asked: tn_list_ok(p, l, n, limit);
        loop assigns n, i, s, p->asked[0 .. TN_ASKED - 1], p->who[0 .. TN_WHO - 1];
        loop variant l.live - i;
    */
    for (i = 0; i < l.live; i++) {
        s = l.perm[i];
        n = ask(p, l, n, s, l.fd[s], l.interest[s], limit);
    }
    return n;
}

/* Lists the foreign descriptors behind n questions. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires asked: n <= TN_LISTENERS + TN_CONNECTIONS && tn_list_ok(p, l, n, limit);
    terminates \true; exits \false;
    assigns p->asked[0 .. TN_ASKED - 1], p->who[0 .. TN_WHO - 1];
    ensures lists:  tn_lists_ok(p, l);
    ensures asked:  tn_list_ok(p, l, \result, limit);
    ensures length: \result <= TN_ASKED;
*/
static uint32_t ask_watches(struct tn_poller *p, struct tn_lists l, uint32_t n, int32_t limit)
{
    uint32_t w;

    /*@ loop invariant reach: w <= TN_WATCHES && n <= TN_LISTENERS + TN_CONNECTIONS + w;
        loop invariant lists: tn_lists_ok(p, l);
        loop invariant asked: tn_list_ok(p, l, n, limit);
        loop assigns n, w, p->asked[0 .. TN_ASKED - 1], p->who[0 .. TN_WHO - 1];
        loop variant TN_WATCHES - w;
    */
    for (w = 0; w < TN_WATCHES; w++)
        n = ask(p, l, n, TN_WATCH_COOKIE + w, l.watch[w], TN_READ, limit);
    return n;
}

uint32_t tn_list_make(struct tn_poller *p, struct tn_lists l, int32_t limit)
{
    uint32_t n = ask_listeners(p, l, limit);

    n = ask_connections(p, l, n, limit);
    return ask_watches(p, l, n, limit);
}

/* Makes the answer to question i the next report. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires room:  i < TN_ASKED && p->count < TN_BATCH;
    requires asked: tn_list_asked(p, l, i) && 0 <= p->asked[i].revents;
    requires reports: tn_reports_true(p);
    terminates \true; exits \false;
    assigns p->count, p->ready[p->count], k_ev_fd[p->count], k_ev_inc[p->count];
    ensures count: p->count == \old(p->count) + 1;
    ensures said:  p->ready[\old(p->count)].mask == p->asked[i].revents &&
                   p->ready[\old(p->count)].slot == p->who[i];
    ensures reports: tn_reports_true(p);
*/
static void put_report(struct tn_poller *p, struct tn_lists l, uint32_t i)
{
    const uint32_t who = p->who[i];
    struct tn_ready *r = &p->ready[p->count];

    //@ assert sign: 0 <= p->asked[i].revents;
    r->mask = (uint32_t)p->asked[i].revents;
    r->slot = who;
    if (who < TN_CONNECTIONS)
        r->gen = l.gen[who];
    else if (who < TN_WATCH_COOKIE)
        r->gen = 0;
    else
        r->gen = l.watch_gen[who - TN_WATCH_COOKIE];
    //@ ghost k_ev_fd[p->count] = p->asked[i].fd;
    //@ ghost k_ev_inc[p->count] = k_inc[p->asked[i].fd];
    p->count++;
}

int32_t tn_list_take(struct tn_poller *p, struct tn_lists l, uint32_t n)
{
    uint32_t at = p->turn < n ? (uint32_t)p->turn : 0;
    uint32_t i;

    p->pos = 0;
    p->count = 0;
    /*@ loop invariant reach: i <= n && (at < n || n == 0);
        loop invariant count: p->count <= i && p->count <= TN_BATCH;
        loop invariant turn: \let first = p->turn < n ? p->turn : 0;
            at == (first + i < n ? first + i : first + i - n) || n == 0;
        loop invariant reports: tn_reports_true(p);
        loop assigns i, at, p->count, p->ready[0 .. TN_BATCH - 1], k_ev_fd[0 .. TN_BATCH - 1],
            k_ev_inc[0 .. TN_BATCH - 1];
        loop variant n - i;
    */
    for (i = 0; i < n && p->count < TN_BATCH; i++) {
        if (p->asked[at].revents != 0)
            put_report(p, l, at);
        at = at + 1 < n ? at + 1 : 0;
    }
    p->turn = at;
    return (int32_t)p->count;
}

#endif
