/* A poller: tells which of the registered descriptors are ready.
 *
 * Each registration carries a cookie {slot, gen} that its reports bring back.
 * A back end is a file that implements these functions: poll/epoll.c.
 * The poller owns one descriptor of its own and none of those it watches.
 */
#ifndef TN_POLL_POLLER_H
#define TN_POLL_POLLER_H

#include "os/sys.h"

struct tn_poller {
    int32_t fd;   /* the set, -1 when closed */
    size_t pos;   /* reports of the last batch already taken */
    size_t count; /* reports in the last batch */
    struct tn_ready ready[TN_BATCH];
};

/*@ predicate tn_poller_open{L}(struct tn_poller *p) = \valid(p) && k_ours(p->fd);
    predicate tn_poller_range{L}(struct tn_poller *p) = p->pos <= p->count <= TN_BATCH;
*/

/* Opens an empty poller.  Returns 1, or TN_EFILES, TN_EMEMORY, TN_ESYSTEM; it
 * is closed then. */
/*@ requires room:  \valid(p);
    requires model: k_inv;
    terminates \true; exits \false;
    assigns p->fd, p->pos, p->count, k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1];
    ensures result: \result == 1 || \result == TN_EFILES || \result == TN_EMEMORY ||
                    \result == TN_ESYSTEM;
    ensures empty:  p->pos == 0 && p->count == 0;
    ensures open:   \result == 1 ==> k_number(p->fd) && \old(k_open[\at(p->fd, Post)]) == 0 &&
                    k_open == {\old(k_open) \with [p->fd] = (int32_t)1} &&
                    k_inc == {\old(k_inc) \with [p->fd] = k_inc[p->fd]};
    ensures failed: \result < 0 ==> p->fd == -1 && k_open == \old(k_open) && k_inc == \old(k_inc);
    ensures model:  k_inv;
*/
int32_t tn_poller_open(struct tn_poller *p);

/* Closes the poller; what was registered stays open and is not watched. */
/*@ requires open:  tn_poller_open(p);
    requires model: k_inv;
    terminates \true; exits \false;
    assigns p->fd, p->pos, p->count, k_open[p->fd], k_reg[p->fd];
    ensures closed: k_open[\old(p->fd)] == 0 && k_reg[\old(p->fd)] == 0 && p->fd == -1;
    ensures empty:  p->pos == 0 && p->count == 0;
    ensures model:  k_inv;
*/
void tn_poller_close(struct tn_poller *p);

/* Watches fd for mask (TN_READ, TN_WRITE, both or 0).  Returns 1, TN_EMEMORY
 * or TN_ESYSTEM. */
/*@ requires set:  tn_poller_open(p);
    requires open: k_alive(fd) && fd != p->fd;
    requires once: k_reg[fd] == 0;
    terminates \true; exits \false;
    assigns k_reg[fd], k_reg_slot[fd], k_reg_gen[fd], k_reg_mask[fd];
    ensures result: \result == 1 || \result == TN_EMEMORY || \result == TN_ESYSTEM;
    ensures registered: \result == 1 ==> k_reg[fd] == 1 && k_reg_slot[fd] == slot &&
                        k_reg_gen[fd] == gen && k_reg_mask[fd] == mask;
    ensures failed: \result < 0 ==> k_reg[fd] == 0;
*/
int32_t tn_poller_add(struct tn_poller *p, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask);

/* Changes what fd is watched for; with mask 0 it reports nothing but, at most
 * once, TN_BROKEN. */
/*@ requires set:  tn_poller_open(p);
    requires open: k_alive(fd) && k_reg[fd] == 1;
    requires same: k_reg_slot[fd] == slot && k_reg_gen[fd] == gen;
    terminates \true; exits \false;
    assigns k_reg_mask[fd];
    ensures changed: k_reg_mask[fd] == mask;
*/
void tn_poller_modify(struct tn_poller *p, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask);

/* Watches fd no more. */
/*@ requires set:  tn_poller_open(p);
    requires open: k_alive(fd) && k_reg[fd] == 1;
    terminates \true; exits \false;
    assigns k_reg[fd];
    ensures removed: k_reg[fd] == 0;
*/
void tn_poller_remove(struct tn_poller *p, int32_t fd);

/* Waits up to timeout_ms (-1: for ever) for reports and makes them the batch,
 * which must have been taken whole before.  Returns their number, 0 when the
 * time is over or a signal came, TN_ESYSTEM. */
/*@ requires set:   tn_poller_open(p);
    requires taken: p->pos == p->count;
    terminates \true; exits \false;
    assigns p->pos, p->count, p->ready[0 .. TN_BATCH - 1], k_ev_fd[0 .. TN_BATCH - 1],
            k_ev_inc[0 .. TN_BATCH - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    ensures batch:  p->pos == 0 && p->count == (\result > 0 ? \result : 0);
    ensures reports: \forall integer i; 0 <= i < p->count ==>
        k_number(k_ev_fd[i]) && k_reg[k_ev_fd[i]] == 1 &&
        p->ready[i].slot == k_reg_slot[k_ev_fd[i]] && p->ready[i].gen == k_reg_gen[k_ev_fd[i]] &&
        k_ev_inc[i] == k_inc[k_ev_fd[i]];
*/
int32_t tn_poller_wait(struct tn_poller *p, int32_t timeout_ms);

#endif
