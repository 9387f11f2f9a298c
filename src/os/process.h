/* Processes of our own: start, reap, end; the lifeline between parent and
 * child; memory that both see.
 *
 * The contracts are a model of the kernel, as those of sys.h are, and assumed
 * like them; for each process id p
 *   k_child[p]  0 no child of ours, or its end is taken; 1 our child; 2 our child,
 *               of which the kernel has said that it has ended
 * Ours are those of tn_process_fork; the ones that other code of the program
 * forks are strangers: 0.
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

/* Process ids are below this: Linux's PID_MAX_LIMIT. */
#define TN_PIDS 4194304

/*@ ghost
    int32_t k_child[TN_PIDS];
*/

/*@ predicate k_child_ours{L}(integer pid) = 0 < pid < TN_PIDS && k_child[pid] != 0;
*/

/* Forks.  Returns the child's process id to the parent and 0 to the child;
 * TN_EMEMORY when there is no room for one more process now, TN_ESYSTEM.
 *
 * The child is killed when the thread that forked it ends, by whatever signal.
 * What the terminal or the service manager sends to the whole group is meant
 * for the parent: the child ignores SIGINT, SIGTERM and SIGHUP and is told by
 * its lifeline.  SIGCHLD is as in a new program.  It inherits every descriptor;
 * closing what is not meant for it is its first duty. */
/*@ terminates \true; exits \false;
    assigns k_child[0 .. TN_PIDS - 1];
    ensures result: \result == TN_EMEMORY || \result == TN_ESYSTEM || 0 <= \result < TN_PIDS;
    ensures parent: \result > 0 ==> \old(k_child[\at(\result, Post)]) == 0 &&
                    k_child == {\old(k_child) \with [\result] = (int32_t)1};
    ensures child:  \result == 0 ==> \forall integer p; 0 <= p < TN_PIDS ==> k_child[p] == 0;
    ensures failed: \result < 0 ==> k_child == \old(k_child);
*/
int32_t tn_process_fork(void);

/* Takes the end of the child pid, if it has ended.  Returns pid, and in *crashed
 * 1 unless it exited with status 0; 0 when it has not. */
/*@ requires ours:    k_child_ours(pid);
    requires room:    \valid(crashed);
    terminates \true; exits \false;
    assigns k_child[pid], *crashed;
    ensures result:   \result == 0 || \result == pid;
    ensures known:    \old(k_child[pid]) == 2 ==> \result == pid;
    ensures reaped:   k_child[pid] == (\result == pid ? 0 : \old(k_child[pid]));
    ensures crashed:  *crashed == 0 || *crashed == 1;
*/
int32_t tn_process_reap(int32_t pid, uint32_t *crashed);

/* Waits for the end of the child pid, and takes it as tn_process_reap does. */
/*@ requires ours:   k_child_ours(pid);
    requires room:   \valid(crashed);
    terminates \true; exits \false;
    assigns k_child[pid], *crashed;
    ensures reaped:  k_child[pid] == 0;
    ensures crashed: *crashed == 0 || *crashed == 1;
*/
void tn_process_wait(int32_t pid, uint32_t *crashed);

/* Says which child has ended and is not reaped yet, ours or not; 0: none. */
/*@ terminates \true; exits \false;
    assigns k_child[0 .. TN_PIDS - 1];
    ensures result: 0 <= \result < TN_PIDS;
    ensures ended:  \result > 0 && \old(k_child[\at(\result, Post)]) != 0 ==>
                    k_child == {\old(k_child) \with [\result] = (int32_t)2};
    ensures other:  \result == 0 || \old(k_child[\at(\result, Post)]) == 0 ==>
                    k_child == \old(k_child);
*/
int32_t tn_process_ended(void);

/* Opens a descriptor that can be read when the child pid has ended, reaped or
 * not; closed on exec.  No signal is involved.  Returns it, or TN_EFILES,
 * TN_EMEMORY; TN_ESYSTEM also from Linux before 5.3. */
int32_t tn_process_end_open(int32_t pid);

/* Closes every descriptor of the calling process but 0, 1, 2 and keep. */
void tn_process_keep_only(int32_t keep);

/* Ends the child pid at once; its end is still to be taken. */
/*@ requires ours: k_child_ours(pid);
    terminates \true; exits \false;
    assigns \nothing;
*/
void tn_process_kill(int32_t pid);

/* Ends the calling process: 0 is a good end.  Nothing is flushed. */
void tn_process_exit(int32_t status);

/* Opens a pipe, closed on exec: reading end [0], writing end [1].  Returns 1, or
 * TN_EFILES, TN_EMEMORY, TN_ESYSTEM: then neither is open nor changed. */
/*@ requires room: \valid(end + (0 .. 1));
    terminates \true; exits \false;
    assigns end[0], end[1];
    ensures result: \result == 1 || \result == TN_EFILES || \result == TN_EMEMORY ||
                    \result == TN_ESYSTEM;
    ensures open:   \result == 1 ==> end[0] >= 0 && end[1] >= 0;
    ensures failed: \result < 0 ==> end[0] == \old(end[0]) && end[1] == \old(end[1]);
*/
int32_t tn_pipe_open(int32_t end[2]);

/* Closes *fd unless it is -1, which it is afterwards. */
/*@ requires room: \valid(fd);
    terminates \true; exits \false;
    assigns *fd;
    ensures closed: *fd == -1;
*/
void tn_close_if_open(int32_t *fd);

/* len zeroed bytes that children forked later share with this process, or
 * null.  Taken once, at the start; tn_shared_close gives them back. */
void *tn_shared_open(size_t len);
void tn_shared_close(void *memory, size_t len);

#ifdef __cplusplus
}
#endif

#endif
