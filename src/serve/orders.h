/* Orders to a flow of control: go on, drain, end.
 *
 * A flow that serves one client from top to bottom waits inside its calls, so
 * whatever is to reach it there must be a descriptor that it waits for beside
 * its own: the signals of the program, or the lifeline of a worker, a pipe that
 * comes to its end when its parent wants it to drain or is gone.
 *
 * Owned by the caller, used by one thread.  Not proved: it holds a callback.  What
 * stands here of tn_orders_wait_for is assumed where streams are proved.
 */
#ifndef TN_SERVE_ORDERS_H
#define TN_SERVE_ORDERS_H

#include "os/wait.h"

#ifdef __cplusplus
extern "C" {
#endif

enum tn_order {
    TN_SERVE, /* go on */
    TN_DRAIN, /* take nothing new, finish what has come, until until_ms */
    TN_END    /* end now */
};

struct tn_orders {
    uint32_t order;         /* enum tn_order; it only rises */
    uint32_t drain_ms;      /* how long a drain may take */
    int64_t until_ms;       /* when a drain ends by force; INT64_MAX before */
    uint32_t count;         /* descriptors below */
    int32_t fd[TN_WATCHES]; /* what brings orders: the caller's to open and close */
    int32_t end_fd;         /* without heed: what brings TN_END after a drain began, or -1 */
    void *context;          /* the caller's own */
    /* Called when fd[which] can be read.  It must read it or take it out
     * (tn_orders_ignore), or the wait never rests again.  Null: the first that
     * can be read means TN_DRAIN, then end_fd TN_END. */
    void (*heed)(struct tn_orders *o, uint32_t which);
};

/* No descriptor, TN_SERVE. */
void tn_orders_init(struct tn_orders *o, uint32_t drain_ms);

/* Waits for fd too from now on.  Returns its number, or TN_EFULL. */
int32_t tn_orders_watch(struct tn_orders *o, int32_t fd);

/* Waits for fd[which] no more; the others keep their numbers. */
void tn_orders_ignore(struct tn_orders *o, uint32_t which);

/* Orders a drain of drain_ms from now, once. */
void tn_orders_drain(struct tn_orders *o);

/* The kernel's state that heeding an order may change.  In ranges `..` stands
 * apart, or the constant behind it would not be expanded. */
/* clang-format off */
#define TN_OTHERS_STATE \
    k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1], k_rx[0 .. TN_SYS_FDS - 1], \
    k_tx[0 .. TN_SYS_FDS - 1], k_log[0 .. TN_SYS_FDS - 1], k_reg[0 .. TN_SYS_FDS - 1]
/* What heeding an order may change of orders at o, and of the kernel's state. */
#define TN_HEEDED(o) \
    (o)->order, (o)->drain_ms, (o)->until_ms, (o)->count, (o)->fd[0 .. TN_WATCHES - 1], \
    (o)->end_fd, TN_OTHERS_STATE
/* clang-format on */
/*@ // descriptor fd is the same in A and in B, and so are its streams
    predicate tn_untouched{A, B}(integer fd) =
        \at(k_open[fd], A) == \at(k_open[fd], B) && \at(k_inc[fd], A) == \at(k_inc[fd], B) &&
        \at(k_rx[fd], A) == \at(k_rx[fd], B) && \at(k_tx[fd], A) == \at(k_tx[fd], B) &&
        \at(k_log[fd], A) == \at(k_log[fd], B);
*/

/* Waits as tn_wait does for w[0 .. n - 1] (n <= TN_WAIT_MAX - TN_WATCHES) or an
 * order, which it heeds.  Returns how many of w are ready; 0 when the time is
 * over, a signal or an order came; TN_ESYSTEM. */
int32_t tn_orders_wait(struct tn_orders *o, struct tn_wanted *w, uint32_t n, int64_t deadline_ms);

/* The same for one descriptor, which heed must leave alone: waits until fd is ready
 * for mask.  Returns what it is ready for, TN_BROKEN unasked; 0; TN_ESYSTEM. */
/*@ requires room:  \valid(o);
    requires open:  k_ours(fd);
    requires model: k_inv;
    terminates \false; exits \false;
    assigns TN_HEEDED(o);
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_READ + TN_WRITE + TN_BROKEN;
    ensures mine:   tn_untouched{Pre, Post}(fd);
    ensures model:  k_inv;
*/
int32_t tn_orders_wait_for(struct tn_orders *o, int32_t fd, uint32_t mask, int64_t deadline_ms);

#ifdef __cplusplus
}
#endif

#endif
