/* epoll, edge-triggered for connections: each is registered once, for all that
 * it may ever be watched for, and a report says what has changed, once.
 *
 * No edge is lost, for what a connection was said to be ready for is kept, and
 * nothing but tn_poller_spent ends it.  Reports are made from there: of what is
 * kept, that part which the connection is watched for, again at each wait until
 * it is used up.  So the owner sees what the level-triggered models show, and
 * may stop in the middle of anything.
 *
 * Those that may be reported stand in a queue, each once, and are reported in
 * turn; no wait looks at any other connection.  Listeners and foreign
 * descriptors are level-triggered: their owners take as much as they like.
 */
#include "poll/backends.h"

#ifndef TN_WITHOUT_EPOLL_ET

/* While some wait for their turn, this part of the batch is theirs. */
#define RESERVED (TN_BATCH / 2)

/* What slot is ready for and watched for: TN_READ, TN_WRITE, both or 0. */
/*@ requires lists: \valid_read(p) && tn_lists_room(l) && slot < l.cap;
    terminates \true; exits \false;
    assigns \nothing;
    ensures part: \result ==
        (p->edges.readable[slot] == 1 && l.interest[slot] % 2 == 1 ? TN_READ : 0) +
        (p->edges.writable[slot] == 1 && l.interest[slot] >= TN_WRITE ? TN_WRITE : 0);
*/
static uint32_t wanted(const struct tn_poller *p, struct tn_lists l, uint32_t slot)
{
    const int16_t interest = l.interest[slot];
    uint32_t mask = 0;

    if (p->edges.readable[slot] && interest % 2 == 1)
        mask = TN_READ;
    if (p->edges.writable[slot] && interest >= (int16_t)TN_WRITE)
        mask += TN_WRITE;
    return mask;
}

/* Says that something of slot may have to be reported. */
/*@ requires room: \valid(p) && slot < TN_EDGES;
    terminates \true; exits \false;
    assigns p->edges;
    ensures kept:  tn_edges_but{Pre, Post}(p, TN_EDGES);
    ensures noted: p->edges.any_changed == 1 && p->edges.changed[slot / TN_EDGE_GROUP] == 1;
*/
static void note_change(struct tn_poller *p, uint32_t slot)
{
    p->edges.changed[slot / TN_EDGE_GROUP] = true;
    p->edges.any_changed = true;
}

/* Puts slot at the end of the queue, unless it stands there. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires queue: p->turn < TN_WHO && p->waiting <= TN_WHO;
    requires slot:  slot < TN_EDGES;
    terminates \true; exits \false;
    assigns p->who[0 .. TN_WHO - 1], p->waiting, p->edges;
    ensures lists:  tn_lists_ok(p, l);
    ensures queue:  \old(p->waiting) <= p->waiting <= TN_WHO;
    ensures kept:   tn_edges_but{Pre, Post}(p, TN_EDGES);
    ensures queued: p->edges.queued[slot] == 1 || p->edges.any_changed == 1;
    ensures last:   \old(p->edges.queued[slot]) == 0 && \old(p->waiting) < TN_WHO ==>
                    p->waiting == \old(p->waiting) + 1 &&
                    p->who[(p->turn + \old(p->waiting)) % TN_WHO] == slot;
*/
static void enqueue(struct tn_poller *p, struct tn_lists l, uint32_t slot)
{
    const size_t at = p->turn + p->waiting;

    (void)l; /* the contract needs it, as below */
    if (p->edges.queued[slot])
        return;
    if (p->waiting == TN_WHO) { /* not so while each stands there once */
        note_change(p, slot);
        return;
    }
    p->who[at < TN_WHO ? at : at - TN_WHO] = slot;
    p->waiting++;
    p->edges.queued[slot] = true;
    //@ assert room: tn_lists_room(l);
    //@ assert told: tn_lists_true(l);
}

/* Takes the first of the queue out of it. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires queue: p->turn < TN_WHO && 0 < p->waiting <= TN_WHO;
    terminates \true; exits \false;
    assigns p->turn, p->waiting, p->edges;
    ensures lists: tn_lists_ok(p, l);
    ensures queue: p->turn < TN_WHO && p->waiting == \old(p->waiting) - 1;
    ensures first: \result == \old(p->who[p->turn]);
    ensures out:   \result < TN_EDGES ==> p->edges.queued[\result] == 0;
    ensures kept:  tn_edges_but{Pre, Post}(p, TN_EDGES);
*/
static uint32_t dequeue(struct tn_poller *p, struct tn_lists l)
{
    const uint32_t slot = p->who[p->turn];

    (void)l;
    p->turn = p->turn + 1 < TN_WHO ? p->turn + 1 : 0;
    p->waiting--;
    if (slot < TN_EDGES)
        p->edges.queued[slot] = false;
    return slot;
}

/* Queues those of a group, which starts at from, that have something to report. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires queue: p->turn < TN_WHO && p->waiting <= TN_WHO;
    requires group: from < TN_EDGES;
    terminates \true; exits \false;
    assigns p->who[0 .. TN_WHO - 1], p->waiting, p->edges;
    ensures lists: tn_lists_ok(p, l);
    ensures queue: p->waiting <= TN_WHO;
    ensures kept:  tn_edges_but{Pre, Post}(p, TN_EDGES);
*/
static void queue_group(struct tn_poller *p, struct tn_lists l, uint32_t from)
{
    uint32_t s;

    /*@ loop invariant reach: from <= s <= from + TN_EDGE_GROUP;
        loop invariant lists: tn_lists_ok(p, l);
        loop invariant queue: p->waiting <= TN_WHO;
        loop invariant kept:  tn_edges_but{Pre, Here}(p, TN_EDGES);
        loop assigns s, p->who[0 .. TN_WHO - 1], p->waiting, p->edges;
        loop variant from + TN_EDGE_GROUP - s;
    */
    for (s = from; s < from + TN_EDGE_GROUP && s < l.cap; s++)
        if (l.fd[s] != -1 && wanted(p, l, s) != 0)
            enqueue(p, l, s);
}

/* Queues those that have something to report since their interest changed. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires queue: p->turn < TN_WHO && p->waiting <= TN_WHO;
    terminates \true; exits \false;
    assigns p->who[0 .. TN_WHO - 1], p->waiting, p->edges;
    ensures lists: tn_lists_ok(p, l);
    ensures queue: p->waiting <= TN_WHO;
    ensures kept:  tn_edges_but{Pre, Post}(p, TN_EDGES);
*/
static void look_again(struct tn_poller *p, struct tn_lists l)
{
    uint32_t g;

    if (!p->edges.any_changed)
        return;
    p->edges.any_changed = false;
    /*@ loop invariant reach: 0 <= g <= TN_EDGE_GROUPS;
        loop invariant lists: tn_lists_ok(p, l);
        loop invariant queue: p->waiting <= TN_WHO;
        loop invariant kept:  tn_edges_but{Pre, Here}(p, TN_EDGES);
        loop assigns g, p->who[0 .. TN_WHO - 1], p->waiting, p->edges;
        loop variant TN_EDGE_GROUPS - g;
    */
    for (g = 0; g < TN_EDGE_GROUPS; g++)
        if (p->edges.changed[g]) {
            p->edges.changed[g] = false;
            queue_group(p, l, g * TN_EDGE_GROUP);
        }
}

/* Says whether slot has something to report. */
/*@ requires lists: \valid_read(p) && tn_lists_room(l);
    terminates \true; exits \false;
    assigns \nothing;
    ensures mask: \result == TN_READ || \result == TN_WRITE || \result == TN_READ + TN_WRITE ||
                  \result == 0;
    ensures some: \result != 0 ==> slot < l.cap && l.fd[slot] != -1;
    ensures all:  slot < l.cap && l.fd[slot] != -1 && p->edges.readable[slot] == 1 &&
                  l.interest[slot] % 2 == 1 ==> \result != 0;
*/
static uint32_t to_report(const struct tn_poller *p, struct tn_lists l, uint32_t slot)
{
    return slot < l.cap && l.fd[slot] != -1 ? wanted(p, l, slot) : 0;
}

/* Takes out of the queue those that have nothing to report any more. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires queue: p->turn < TN_WHO && p->waiting <= TN_WHO;
    terminates \true; exits \false;
    assigns p->who[0 .. TN_WHO - 1], p->turn, p->waiting, p->edges;
    ensures lists: tn_lists_ok(p, l);
    ensures queue: p->turn < TN_WHO && p->waiting <= TN_WHO;
    ensures kept:  tn_edges_but{Pre, Post}(p, TN_EDGES);
*/
static void prune(struct tn_poller *p, struct tn_lists l)
{
    size_t n;
    uint32_t slot;

    /*@ loop invariant reach: n <= p->waiting <= TN_WHO && p->turn < TN_WHO;
        loop invariant lists: tn_lists_ok(p, l);
        loop invariant kept:  tn_edges_but{Pre, Here}(p, TN_EDGES);
        loop assigns n, slot, p->who[0 .. TN_WHO - 1], p->turn, p->waiting, p->edges;
        loop variant n;
    */
    for (n = p->waiting; n > 0; n--) {
        slot = dequeue(p, l);
        if (to_report(p, l, slot) != 0)
            enqueue(p, l, slot);
    }
}

/* Keeps what slot was said to be ready for.  What is broken can be received
 * from and sent to: the calls say how. */
/*@ requires room: \valid(p) && slot < TN_EDGES;
    terminates \true; exits \false;
    assigns p->edges;
    ensures kept:  tn_edges_kept{Pre, Post}(p);
    ensures read:  mask % 2 == 1 || mask >= 8 ==> p->edges.readable[slot] == 1;
    ensures write: mask / 4 % 2 == 1 || mask / 8 % 4 != 0 ==> p->edges.writable[slot] == 1;
    ensures ended: mask / 2 % 2 == 1 || mask >= 8 ==> p->edges.ended[slot] == 1;
*/
static void keep(struct tn_poller *p, uint32_t slot, uint32_t mask)
{
    if (mask % 2 == 1 || mask >= 8)
        p->edges.readable[slot] = true;
    if (mask / 4 % 2 == 1 || mask / 8 % 4 != 0)
        p->edges.writable[slot] = true;
    if (mask / 2 % 2 == 1 || mask >= 8)
        p->edges.ended[slot] = true;
}

/*@ // the i-th of the fresh reports is for a registration as it is now
    predicate fresh_true{L}(struct tn_poller *p, integer i) =
        k_number(k_ev_fd[i]) && k_reg[k_ev_fd[i]] == 1 &&
        p->ready[i].slot == k_reg_slot[k_ev_fd[i]] &&
        p->ready[i].gen == k_reg_gen[k_ev_fd[i]] && k_ev_inc[i] == k_inc[k_ev_fd[i]];
*/

/* Makes the i-th of the fresh reports the next of the batch. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires place: p->count <= i < TN_BATCH;
    requires fresh: fresh_true(p, i);
    requires reports: tn_reports_true(p);
    terminates \true; exits \false;
    assigns p->count, p->ready[p->count], k_ev_fd[p->count], k_ev_inc[p->count];
    ensures lists:   tn_lists_ok(p, l);
    ensures count:   p->count == \old(p->count) + 1;
    ensures said:    p->ready[\old(p->count)].mask == mask &&
                     p->ready[\old(p->count)].slot == \old(p->ready[i].slot);
    ensures reports: tn_reports_true(p);
    ensures rest:    \forall integer j; i < j < TN_BATCH && fresh_true{Pre}(p, j) ==>
                     fresh_true(p, j);
*/
static void pass_report(struct tn_poller *p, struct tn_lists l, uint32_t i, uint32_t mask)
{
    const uint32_t slot = p->ready[i].slot;
    const uint32_t gen = p->ready[i].gen;
    struct tn_ready *r = &p->ready[p->count];

    (void)l;
    r->mask = mask;
    r->slot = slot;
    r->gen = gen;
    //@ ghost k_ev_fd[p->count] = k_ev_fd[i];
    //@ ghost k_ev_inc[p->count] = k_ev_inc[i];
    p->count++;
    //@ assert room: tn_lists_room(l);
    //@ assert told: tn_lists_true(l);
}

/* Takes the i-th of the fresh reports: keeps what it says of a connection, and
 * passes on what is watched for, unless the connection has its turn below. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires place: p->count <= i < TN_BATCH;
    requires queue: p->turn < TN_WHO && p->waiting <= TN_WHO;
    requires fresh: fresh_true(p, i);
    requires reports: tn_reports_true(p);
    terminates \true; exits \false;
    assigns p->count, p->ready[p->count], p->who[0 .. TN_WHO - 1], p->waiting, p->edges,
            k_ev_fd[p->count], k_ev_inc[p->count];
    ensures lists:   tn_lists_ok(p, l);
    ensures count:   \old(p->count) <= p->count <= \old(p->count) + 1;
    ensures queue:   \old(p->waiting) <= p->waiting <= TN_WHO;
    ensures kept:    tn_edges_kept{Pre, Post}(p);
    ensures noted:   \let s = \old(p->ready[i].slot);
                     s < l.cap && l.fd[s] != -1 && l.gen[s] == \old(p->ready[i].gen) &&
                     \old(p->ready[i].mask) % 2 == 1 ==> p->edges.readable[s] == 1;
    ensures passed:  \old(p->ready[i].slot) >= TN_CONNECTIONS ==>
                     p->count == \old(p->count) + 1;
    ensures reports: tn_reports_true(p);
    ensures rest:    \forall integer j; i < j < TN_BATCH && fresh_true{Pre}(p, j) ==>
                     fresh_true(p, j);
*/
static void take_fresh(struct tn_poller *p, struct tn_lists l, uint32_t i)
{
    const uint32_t slot = p->ready[i].slot;
    uint32_t mask = p->ready[i].mask;

    if (slot < TN_CONNECTIONS) {
        if (slot >= l.cap || l.fd[slot] == -1 || l.gen[slot] != p->ready[i].gen)
            return;
        keep(p, slot, mask);
        mask = wanted(p, l, slot);
        if (mask == 0 || p->edges.queued[slot])
            return;
        enqueue(p, l, slot);
    }
    pass_report(p, l, i, mask);
}

/* Makes a report of slot the next of the batch. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires place: p->count < TN_BATCH;
    requires slot:  slot < l.cap && l.fd[slot] != -1;
    requires reports: tn_reports_true(p);
    terminates \true; exits \false;
    assigns p->count, p->ready[p->count], k_ev_fd[p->count], k_ev_inc[p->count];
    ensures lists:   tn_lists_ok(p, l);
    ensures count:   p->count == \old(p->count) + 1;
    ensures said:    p->ready[\old(p->count)].mask == mask &&
                     p->ready[\old(p->count)].slot == slot;
    ensures reports: tn_reports_true(p);
*/
static void put_waiting(struct tn_poller *p, struct tn_lists l, uint32_t slot, uint32_t mask)
{
    struct tn_ready *r = &p->ready[p->count];

    r->mask = mask;
    r->slot = slot;
    r->gen = l.gen[slot];
    //@ ghost k_ev_fd[p->count] = l.fd[slot];
    //@ ghost k_ev_inc[p->count] = k_inc[l.fd[slot]];
    p->count++;
    //@ assert room: tn_lists_room(l);
    //@ assert told: tn_lists_true(l);
}

/* Reports the first n of the queue, as far as the batch has room; they go to
 * its end. */
/*@ requires lists: \valid(p) && tn_lists_ok(p, l);
    requires queue: p->turn < TN_WHO && n <= p->waiting <= TN_WHO;
    requires place: p->count <= TN_BATCH;
    requires reports: tn_reports_true(p);
    terminates \true; exits \false;
    assigns p->count, p->ready[0 .. TN_BATCH - 1], p->who[0 .. TN_WHO - 1], p->turn, p->waiting,
            p->edges, k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    ensures lists:   tn_lists_ok(p, l);
    ensures count:   \old(p->count) <= p->count <= TN_BATCH;
    ensures queue:   p->turn < TN_WHO && p->waiting <= TN_WHO;
    ensures kept:    tn_edges_but{Pre, Post}(p, TN_EDGES);
    ensures reports: tn_reports_true(p);
*/
static void report_waiting(struct tn_poller *p, struct tn_lists l, size_t n)
{
    uint32_t slot, mask;

    /*@ loop invariant queue: p->turn < TN_WHO && n <= p->waiting <= TN_WHO;
        loop invariant count: \at(p->count, Pre) <= p->count <= TN_BATCH;
        loop invariant lists: tn_lists_ok(p, l);
        loop invariant kept:  tn_edges_but{Pre, Here}(p, TN_EDGES);
        loop invariant reports: tn_reports_true(p);
        loop assigns n, slot, mask, p->count, p->ready[0 .. TN_BATCH - 1],
            p->who[0 .. TN_WHO - 1], p->turn, p->waiting, p->edges, k_ev_fd[0 .. TN_BATCH - 1],
            k_ev_inc[0 .. TN_BATCH - 1];
        loop variant n;
    */
    for (; n > 0 && p->count < TN_BATCH; n--) {
        slot = dequeue(p, l);
        mask = to_report(p, l, slot);
        if (mask != 0) {
            enqueue(p, l, slot);
            put_waiting(p, l, slot, mask);
        }
    }
}

/* Asks the kernel for fresh reports, at most max, and takes them. */
/*@ requires set:   k_ours(p->fd);
    requires lists: \valid(p) && tn_lists_ok(p, l);
    requires queue: p->turn < TN_WHO && p->waiting <= TN_WHO;
    requires max:   1 <= max <= TN_BATCH && p->count == 0;
    terminates \true; exits \false;
    assigns p->count, p->ready[0 .. TN_BATCH - 1], p->who[0 .. TN_WHO - 1], p->waiting, p->edges,
            k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    ensures result:  \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    ensures lists:   tn_lists_ok(p, l);
    ensures count:   p->count <= TN_BATCH && (\result <= 0 ==> p->count == 0);
    ensures queue:   \old(p->waiting) <= p->waiting <= TN_WHO;
    ensures kept:    tn_edges_kept{Pre, Post}(p);
    ensures reports: tn_reports_true(p);
*/
static int32_t ask_kernel(struct tn_poller *p, struct tn_lists l, uint32_t max, int32_t timeout_ms)
{
    const int32_t n = tn_sys_epoll_wait(p->fd, &p->ready[0], max, timeout_ms);
    int32_t i;

    //@ assert room: tn_lists_room(l);
    //@ assert told: tn_lists_true(l);
    /*@ loop invariant reach: 0 <= i && (i <= n || i == 0) && p->count <= i;
        loop invariant queue: \at(p->waiting, Pre) <= p->waiting <= TN_WHO;
        loop invariant lists: tn_lists_ok(p, l);
        loop invariant kept:  tn_edges_kept{Pre, Here}(p);
        loop invariant reports: tn_reports_true(p);
        loop invariant fresh: \forall integer j; i <= j < n ==> fresh_true(p, j);
        loop assigns i, p->count, p->ready[0 .. TN_BATCH - 1], p->who[0 .. TN_WHO - 1],
            p->waiting, p->edges, k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
        loop variant n - i;
    */
    for (i = 0; i < n; i++)
        take_fresh(p, l, (uint32_t)i);
    return n;
}

int32_t tn_edge_wait(struct tn_poller *p, struct tn_lists l, int32_t timeout_ms)
{
    size_t before;
    int32_t n;

    p->pos = 0;
    p->count = 0;
    if (p->turn >= TN_WHO || p->waiting > TN_WHO)
        return TN_ESYSTEM; /* it is no open one */
    look_again(p, l);
    prune(p, l);
    before = p->waiting;
    n = ask_kernel(p, l, before > 0 ? TN_BATCH - RESERVED : TN_BATCH, before > 0 ? 0 : timeout_ms);
    if (n < 0)
        return n;
    report_waiting(p, l, before);
    return (int32_t)p->count;
}

void tn_edge_open(struct tn_poller *p)
{
    uint32_t i;

    p->waiting = 0;
    /*@ loop invariant reach: 0 <= i <= TN_EDGES;
        loop invariant none: \forall integer k; 0 <= k < i ==>
            p->edges.readable[k] == 0 && p->edges.writable[k] == 0 && p->edges.queued[k] == 0;
        loop assigns i, p->edges;
        loop variant TN_EDGES - i;
    */
    for (i = 0; i < TN_EDGES; i++) {
        tn_edge_begin(p, i);
        p->edges.queued[i] = false;
        p->edges.changed[i / TN_EDGE_GROUP] = false;
    }
    p->edges.any_changed = false;
}

void tn_edge_begin(struct tn_poller *p, uint32_t slot)
{
    p->edges.readable[slot] = false;
    p->edges.writable[slot] = false;
    p->edges.ended[slot] = false;
}

void tn_edge_interest(struct tn_poller *p, uint32_t slot, uint32_t mask)
{
    if ((p->edges.readable[slot] && mask % 2 == 1) || (p->edges.writable[slot] && mask >= TN_WRITE))
        note_change(p, slot);
}

void tn_edge_spent(struct tn_poller *p, uint32_t slot, uint32_t mask, int32_t n)
{
    if (mask == TN_WRITE)
        p->edges.writable[slot] = false;
    else if (n <= 0 || !p->edges.ended[slot])
        p->edges.readable[slot] = false;
}

#endif
