/* A bounded queue of records between processes, over a pipe: any number of
 * processes and threads put, any number take.
 *
 * A record is 1 .. max bytes.  It is put whole and taken whole, by one taker,
 * however many wait; records come out in the order they went in.  The pipe is in
 * packet mode (O_DIRECT, pipe2(2)): one write is one packet, one read takes one,
 * and at most TN_RECORD_MAX bytes are written at once or not at all.  So no process,
 * killed wherever it is, leaves half a record or a lock behind.
 *
 * A socket of packets (SOCK_SEQPACKET) would do that too, but is bounded in bytes
 * of the kernel's own, and tells a waiting writer of room only when three quarters
 * are empty; a pipe holds a number of records, and tells at once.
 *
 *     tn_records_open(&r, sizeof(struct order), 64);
 *     if (tn_process_fork() == 0) {
 *         tn_close_if_open(&r.put);               or it would wait for itself
 *         while (tn_records_take(&r, &order, TN_NEVER) > 0)
 *             ...
 *     }
 *
 * An event loop watches `take` (tn_watch): it can be read when there is a record,
 * or nobody is left to put one; another may have taken it first, so take with the
 * deadline 0.  Every deadline_ms is an absolute time of the monotonic clock
 * (tn_sys_now_ms): 0 does not wait, TN_NEVER waits without limit.  No wait ends
 * before it.  Not proved: system calls of a few lines each.
 */
#ifndef TN_OS_RECORDS_H
#define TN_OS_RECORDS_H

#include "core/timers.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The longest record, in bytes: PIPE_BUF. */
#define TN_RECORD_MAX 4096u

/* Records of one queue, at most. */
#define TN_RECORDS 256u

/* Children forked later have it too.  Each process closes the end that it does not
 * use (tn_close_if_open): the end of all writers is seen when no process has put
 * open any more, and that of all readers likewise. */
struct tn_records {
    int32_t take; /* the reading end, or -1 */
    int32_t put;  /* the writing end, or -1 */
    uint32_t max; /* of a record, in bytes */
};

/* Opens a queue of at least capacity records (1 .. TN_RECORDS; the next power of
 * two) of up to max bytes (1 .. TN_RECORD_MAX), closed on exec.  The kernel keeps
 * a page for each.  Returns 1; TN_EINVAL; TN_EFILES; TN_EMEMORY; TN_EACCESS when
 * this user has too many pages in pipes, or wants too many in one
 * (/proc/sys/fs/pipe-max-size); TN_ESYSTEM, also where pipes have no packet mode
 * (Linux before 3.4). */
int32_t tn_records_open(struct tn_records *r, uint32_t max, uint32_t capacity);

/* Puts record[0 .. len - 1] last as soon as there is room.  Returns 1; 0 when the
 * queue was full up to the deadline; TN_EINVAL when len is 0; TN_ETOOBIG beyond
 * r->max; TN_ERESET when nobody can take it any more (SIGPIPE is not raised);
 * TN_EMEMORY; TN_ESYSTEM, also when this end is closed.  Unless it returns 1,
 * nothing was put. */
int32_t tn_records_put(const struct tn_records *r, const void *record, uint32_t len,
                       int64_t deadline_ms);

/* Takes the oldest record into record[0 .. r->max - 1] as soon as there is one.
 * Returns its length; 0 when the queue was empty up to the deadline; TN_EOF when
 * it is empty and nobody can put any more; TN_ESYSTEM, also when this end is
 * closed. */
int32_t tn_records_take(const struct tn_records *r, void *record, int64_t deadline_ms);

/* Closes both ends, if they are open, in this process. */
void tn_records_close(struct tn_records *r);

#ifdef __cplusplus
}
#endif

#endif
