/* What the models are made of; poll/poller.h is what they come to together.
 *
 * epoll.c has a set in the kernel, and so has edge.c.  poll.c, select.c and polling.c have none:
 * each lists what is watched (list.c), asks about the list in its own way, and
 * takes the answers as reports.
 */
#ifndef TN_POLL_BACKENDS_H
#define TN_POLL_BACKENDS_H

#include "poll/poller.h"

/* --- epoll.c ------------------------------------------------------------------------- */

/* The contract of tn_poller_open, for TN_EPOLL. */
/*@ requires room:  \valid(p);
    requires model: k_inv;
    terminates \true; exits \false;
    assigns p->fd, k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1];
    ensures result: \result == 1 || \result == TN_EFILES || \result == TN_EMEMORY ||
                    \result == TN_ESYSTEM;
    ensures open:   \result == 1 ==> k_number(p->fd) && \old(k_open[\at(p->fd, Post)]) == 0 &&
                    k_open == {\old(k_open) \with [p->fd] = (int32_t)1} &&
                    k_inc == {\old(k_inc) \with [p->fd] = k_inc[p->fd]};
    ensures failed: \result < 0 ==> p->fd == -1 && k_open == \old(k_open) && k_inc == \old(k_inc);
    ensures model:  k_inv;
*/
int32_t tn_epoll_open(struct tn_poller *p);

/* The contract of tn_poller_wait, for an open set. */
/*@ requires set:   \valid(p) && k_ours(p->fd);
    terminates \true; exits \false;
    assigns p->pos, p->count, p->ready[0 .. TN_BATCH - 1], k_ev_fd[0 .. TN_BATCH - 1],
            k_ev_inc[0 .. TN_BATCH - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    ensures batch:  p->pos == 0 && p->count == (\result > 0 ? \result : 0);
    ensures reports: tn_reports_true(p);
*/
int32_t tn_epoll_wait(struct tn_poller *p, int32_t timeout_ms);

/* --- edge.c -------------------------------------------------------------------------- */

/* Nobody is ready for anything, and the queue is empty. */
/*@ requires room:  \valid(p);
    terminates \true; exits \false;
    assigns p->waiting, p->edges;
    ensures empty:  p->waiting == 0 && p->edges.any_changed == 0;
    ensures none:   \forall integer i; 0 <= i < TN_EDGES ==>
                    p->edges.readable[i] == 0 && p->edges.writable[i] == 0 &&
                    p->edges.queued[i] == 0;
*/
void tn_edge_open(struct tn_poller *p);

/* The connection in slot is another from now on, of which nothing is known. */
/*@ requires room:  \valid(p) && slot < TN_EDGES;
    terminates \true; exits \false;
    assigns p->edges.readable[slot], p->edges.writable[slot], p->edges.ended[slot];
    ensures none:   p->edges.readable[slot] == 0 && p->edges.writable[slot] == 0 &&
                    p->edges.ended[slot] == 0;
*/
void tn_edge_begin(struct tn_poller *p, uint32_t slot);

/* The connection in slot is watched for mask from now on. */
/*@ requires room:  \valid(p) && slot < TN_EDGES;
    terminates \true; exits \false;
    assigns p->edges;
    ensures kept:   tn_edges_but{Pre, Post}(p, TN_EDGES);
    ensures noted:  (p->edges.readable[slot] == 1 && mask % 2 == 1) ||
                    (p->edges.writable[slot] == 1 && mask >= TN_WRITE) ==>
                    p->edges.any_changed == 1 &&
                    p->edges.changed[slot / TN_EDGE_GROUP] == 1;
*/
void tn_edge_interest(struct tn_poller *p, uint32_t slot, uint32_t mask);

/* The contract of tn_poller_spent. */
/*@ requires room:  \valid(p) && slot < TN_EDGES;
    requires mask:  mask == TN_READ || mask == TN_WRITE;
    terminates \true; exits \false;
    assigns p->edges.readable[slot], p->edges.writable[slot];
    ensures other:  mask == TN_READ ? p->edges.writable[slot] == \old(p->edges.writable[slot])
                                    : p->edges.readable[slot] == \old(p->edges.readable[slot]);
    ensures spent:  mask == TN_READ
                        ? (p->edges.readable[slot] == 1 <==> \old(p->edges.readable[slot]) == 1 &&
                               n > 0 && p->edges.ended[slot] == 1)
                        : p->edges.writable[slot] == 0;
*/
void tn_edge_spent(struct tn_poller *p, uint32_t slot, uint32_t mask, int32_t n);

/* The contract of tn_poller_wait, for an open set of edges. */
/*@ requires set:   k_ours(p->fd);
    requires lists: \valid(p) && tn_lists_ok(p, l);
    terminates \true; exits \false;
    assigns p->pos, p->count, p->ready[0 .. TN_BATCH - 1], p->turn, p->waiting, p->edges,
            p->who[0 .. TN_WHO - 1], k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    ensures batch:  p->pos == 0 && p->count == (\result > 0 ? \result : 0);
    ensures reports: tn_reports_true(p);
    ensures no_lost_edge: tn_edges_kept{Pre, Post}(p);
*/
int32_t tn_edge_wait(struct tn_poller *p, struct tn_lists l, int32_t timeout_ms);

/* --- list.c -------------------------------------------------------------------------- */

/*@ // the descriptor under a cookie; -1 where there is none
    logic integer tn_list_fd{L}(struct tn_lists l, integer who) =
        who < TN_CONNECTIONS ? (who < l.cap ? l.fd[who] : -1) :
        who < TN_WATCH_COOKIE ? l.listener[who - TN_LISTENER_COOKIE] :
        who < TN_COOKIES ? l.watch[who - TN_WATCH_COOKIE] : -1;
    // the i-th question is about somebody who is watched
    predicate tn_list_asked{L}(struct tn_poller *p, struct tn_lists l, integer i) =
        tn_list_fd(l, p->who[i]) != -1 && p->asked[i].fd == tn_list_fd(l, p->who[i]) &&
        k_alive(p->asked[i].fd) && 0 < p->asked[i].events;
    predicate tn_list_ok{L}(struct tn_poller *p, struct tn_lists l, integer n, integer limit) =
        \forall integer i; 0 <= i < n ==> tn_list_asked(p, l, i) && p->asked[i].fd < limit;
*/

/* Lists whatever is watched for something, but for numbers from limit on, which
 * tn_poller_add has refused.  Foreign descriptors come last: what peers sent
 * before a signal is served before it.  Returns the length of the list. */
/*@ requires poller: \valid(p);
    requires lists: tn_lists_ok(p, l);
    terminates \true; exits \false;
    assigns p->asked[0 .. TN_ASKED - 1], p->who[0 .. TN_WHO - 1];
    ensures length: \result <= TN_ASKED;
    ensures lists:  tn_lists_ok(p, l);
    ensures asked:  tn_list_ok(p, l, \result, limit);
*/
uint32_t tn_list_make(struct tn_poller *p, struct tn_lists l, int32_t limit);

/* Makes the answers to the list's n questions the batch, up to TN_BATCH of
 * them, starting where the last batch ended.  Returns their number. */
/*@ requires poller: \valid(p);
    requires lists: tn_lists_ok(p, l);
    requires length: n <= TN_ASKED;
    requires asked: tn_list_ok(p, l, n, TN_SYS_FDS);
    requires answers: \forall integer i; 0 <= i < n ==> 0 <= p->asked[i].revents;
    terminates \true; exits \false;
    assigns p->pos, p->count, p->turn, p->ready[0 .. TN_BATCH - 1], k_ev_fd[0 .. TN_BATCH - 1],
            k_ev_inc[0 .. TN_BATCH - 1];
    ensures result: 0 <= \result <= TN_BATCH;
    ensures batch:  p->pos == 0 && p->count == \result;
    ensures all:    \result < TN_BATCH && n > 0 ==>
                    p->turn == (\old(p->turn) < n ? \old(p->turn) : 0);
    ensures reports: tn_reports_true(p);
*/
int32_t tn_list_take(struct tn_poller *p, struct tn_lists l, uint32_t n);

/* --- poll.c, select.c, polling.c ------------------------------------------------------- */

/* The contract of tn_poller_wait, for a poller without a set. */
/*@ requires poller: \valid(p);
    requires lists: tn_lists_ok(p, l);
    terminates \true; exits \false;
    assigns p->pos, p->count, p->ready[0 .. TN_BATCH - 1], p->turn, p->asked[0 .. TN_ASKED - 1],
            p->who[0 .. TN_WHO - 1], k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    ensures batch:  p->pos == 0 && p->count == (\result > 0 ? \result : 0);
    ensures reports: tn_reports_true(p);
*/
int32_t tn_poll_wait(struct tn_poller *p, struct tn_lists l, int32_t timeout_ms);

/* The same by select. */
/*@ requires poller: \valid(p);
    requires lists: tn_lists_ok(p, l);
    terminates \true; exits \false;
    assigns p->pos, p->count, p->ready[0 .. TN_BATCH - 1], p->turn, p->asked[0 .. TN_ASKED - 1],
            p->who[0 .. TN_WHO - 1], k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    ensures batch:  p->pos == 0 && p->count == (\result > 0 ? \result : 0);
    ensures reports: tn_reports_true(p);
*/
int32_t tn_select_wait(struct tn_poller *p, struct tn_lists l, int32_t timeout_ms);

/* The same by trying, and never longer than TN_POLLING_PAUSE_MS. */
/*@ requires poller: \valid(p);
    requires lists: tn_lists_ok(p, l);
    terminates \true; exits \false;
    assigns p->pos, p->count, p->ready[0 .. TN_BATCH - 1], p->turn, p->vain, p->moved,
            p->asked[0 .. TN_ASKED - 1], p->who[0 .. TN_WHO - 1], k_ev_fd[0 .. TN_BATCH - 1],
            k_ev_inc[0 .. TN_BATCH - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    ensures batch:  p->pos == 0 && p->count == (\result > 0 ? \result : 0);
    ensures reports: tn_reports_true(p);
*/
int32_t tn_polling_wait(struct tn_poller *p, struct tn_lists l, int32_t timeout_ms, int64_t moved);

#endif
