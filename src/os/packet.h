/* Packets between two processes, over a pair of Unix sockets: each arrives whole
 * or not at all, in order; the end of one process is an end for the other.
 *
 * Not proved: socketpair(2), send(2) and recv(2).
 */
#ifndef TN_OS_PACKET_H
#define TN_OS_PACKET_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens the pair, closed on exec.  Returns 1, or TN_EFILES, TN_EMEMORY,
 * TN_ESYSTEM. */
int32_t tn_packet_open(int32_t end[2]);

/* Puts one packet of len bytes on its way; does not wait.  Returns 1; TN_EAGAIN
 * when there is no room now; TN_ERESET when nobody can take it any more;
 * TN_ETOOBIG, TN_ESYSTEM. */
int32_t tn_packet_put(int32_t end, const void *data, uint32_t len);

/* Takes the next packet, which is of len bytes; wait 1: waits for it.  Returns
 * 1; TN_EAGAIN when there is none; TN_EFRAME when it is of another length, and
 * lost; TN_EOF when nobody can put one any more; TN_ERESET when the other end
 * was closed with packets unread; TN_ESYSTEM. */
int32_t tn_packet_take(int32_t end, void *data, uint32_t len, uint32_t wait);

#ifdef __cplusplus
}
#endif

#endif
