/* Waiting for a few descriptors at once, up to an absolute deadline.
 *
 * For flows of control that serve one client each; the event loop waits through
 * src/poll.  Not proved: one system call, poll(2).
 */
#ifndef TN_OS_WAIT_H
#define TN_OS_WAIT_H

#include "os/sys.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Descriptors of one wait, at most. */
#define TN_WAIT_MAX 32u

struct tn_wanted {
    int32_t fd;
    uint32_t mask;  /* wait for this: TN_READ, TN_WRITE, their sum */
    uint32_t ready; /* after the wait: what it is ready for; TN_BROKEN unasked */
};

/* Waits until one of w[0 .. n - 1] is ready, one of fd[0 .. count - 1] can be
 * read, or the monotonic clock shows deadline_ms (INT64_MAX: no limit); never
 * ends before.  n + count is at most TN_WAIT_MAX; numbers below 0 are passed
 * over.  Returns how many of w are ready, and in *others a bit for each of fd
 * (bit i for fd[i]); 0 and no bit when the time is over or a signal came;
 * TN_ESYSTEM when the system refuses. */
int32_t tn_wait(struct tn_wanted *w, uint32_t n, const int32_t *fd, uint32_t count,
                uint32_t *others, int64_t deadline_ms);

/* The same for one descriptor, own, beside count <= TN_WATCHES others.  Returns
 * what own is ready for, TN_BROKEN unasked; 0; TN_ESYSTEM. */
int32_t tn_wait_for(int32_t own, uint32_t mask, const int32_t *fd, uint32_t count, uint32_t *others,
                    int64_t deadline_ms);

#ifdef __cplusplus
}
#endif

#endif
