/* Descriptors handed from one process to others, over a Unix socket.
 *
 * A queue with one writing end and one reading end that any number of processes
 * may share: each descriptor is taken by one of them.  It holds a few; beyond
 * that the writer waits.  Not proved: sendmsg(2) and recvmsg(2).
 */
#ifndef TN_OS_PASS_H
#define TN_OS_PASS_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens the queue, non-blocking and closed on exec: reading end [0], writing
 * end [1].  Returns 1, or TN_EFILES, TN_EMEMORY, TN_ESYSTEM. */
int32_t tn_pass_open(int32_t end[2]);

/* Puts fd into the queue; the caller's copy stays the caller's to close.
 * Returns 1; TN_EAGAIN when it is full: wait until end can be written to;
 * TN_ERESET when nobody can read it any more; TN_ESYSTEM. */
int32_t tn_pass_put(int32_t end, int32_t fd);

/* Takes the next, which is the caller's to close.  Returns it; TN_EAGAIN when
 * there is none; TN_EFILES when this process has no room for it, which is lost
 * then; TN_EOF when nobody can put one any more; TN_ESYSTEM. */
int32_t tn_pass_take(int32_t end);

#ifdef __cplusplus
}
#endif

#endif
