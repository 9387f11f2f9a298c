/* Processes of our own: start, reap, end; the lifeline between parent and
 * child; memory that both see.
 *
 * Not proved: system calls of a few lines each.  Tested by tests/unit and
 * end to end.
 */
#ifndef TN_OS_PROCESS_H
#define TN_OS_PROCESS_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Forks.  Returns the child's process id to the parent and 0 to the child;
 * TN_EMEMORY when there is no room for one more process now, TN_ESYSTEM.
 *
 * The child is killed when the thread that forked it ends, by whatever signal.
 * What the terminal or the service manager sends to the whole group is meant
 * for the parent: the child ignores SIGINT, SIGTERM and SIGHUP and is told by
 * its lifeline.  SIGCHLD is as in a new program.  It inherits every descriptor;
 * closing what is not meant for it is its first duty. */
int32_t tn_process_fork(void);

/* Takes the end of the child pid, if it has ended.  Returns pid, and in *crashed
 * 1 unless it exited with status 0; 0 when it has not. */
int32_t tn_process_reap(int32_t pid, uint32_t *crashed);

/* Waits for the end of the child pid, and takes it as tn_process_reap does. */
void tn_process_wait(int32_t pid, uint32_t *crashed);

/* Says which child has ended and is not reaped yet, ours or not; 0: none. */
int32_t tn_process_ended(void);

/* Opens a descriptor that can be read when the child pid has ended, reaped or
 * not; closed on exec.  No signal is involved.  Returns it, or TN_EFILES,
 * TN_EMEMORY; TN_ESYSTEM also from Linux before 5.3. */
int32_t tn_process_end_open(int32_t pid);

/* Closes every descriptor of the calling process but 0, 1, 2 and keep. */
void tn_process_keep_only(int32_t keep);

/* Ends the child pid at once. */
void tn_process_kill(int32_t pid);

/* Ends the calling process: 0 is a good end.  Nothing is flushed. */
void tn_process_exit(int32_t status);

/* Opens a pipe, closed on exec: reading end [0], writing end [1].  Returns 1, or
 * TN_EFILES, TN_EMEMORY, TN_ESYSTEM. */
int32_t tn_pipe_open(int32_t end[2]);

/* Closes *fd unless it is -1, which it is afterwards. */
void tn_close_if_open(int32_t *fd);

/* len zeroed bytes that children forked later share with this process, or
 * null.  Taken once, at the start; tn_shared_close gives them back. */
void *tn_shared_open(size_t len);
void tn_shared_close(void *memory, size_t len);

#ifdef __cplusplus
}
#endif

#endif
