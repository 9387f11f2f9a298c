/* Signals as a descriptor: watch it (tn_watch) beside the connections.
 *
 * A signal taken this way interrupts nothing and runs no handler: it waits until
 * the loop comes to it.  SIGPIPE needs no care: the server never raises it.
 */
#ifndef TN_OS_SIGNALS_H
#define TN_OS_SIGNALS_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The signals that can be taken.  A set of them is their sum. */
enum tn_signal {
    TN_SIGNAL_INT = 1,  /* SIGINT: the user at the terminal interrupts */
    TN_SIGNAL_TERM = 2, /* SIGTERM: asks to end */
    TN_SIGNAL_HUP = 4,  /* SIGHUP: the terminal is gone; by custom, to read settings anew */
    TN_SIGNAL_CHLD = 8, /* SIGCHLD: a child has ended, stopped or goes on */
    TN_SIGNAL_USR1 = 16,
    TN_SIGNAL_USR2 = 32
};
#define TN_SIGNALS_ALL 63u

/* Opens a descriptor that can be read when a signal of set has come; closed on
 * exec.  Returns it; TN_EINVAL when set is empty or holds what is no signal
 * above; TN_EFILES, TN_EMEMORY or TN_ESYSTEM.  Unless it returns a descriptor,
 * nothing has changed.
 *
 * The signals are blocked in the calling thread, and so in the threads it starts
 * and the children it forks later, even if these run another program: unblock
 * them there where they are to act.  A thread that does not block a signal is
 * given it in place of the descriptor, so call this before others are started
 * (those of the kit block all signals).
 *
 * A signal goes to one descriptor: have no two for the same.  A process that
 * ignores one (SIG_IGN, as nohup makes it with SIGHUP) is told of it all the same;
 * but not of SIGCHLD, for then nobody has to wait for its children. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures result: \result >= 0 || \result == TN_EINVAL || \result == TN_EFILES ||
                    \result == TN_EMEMORY || \result == TN_ESYSTEM;
*/
int32_t tn_signals_open(uint32_t set);

/* Takes the next signal.  Returns it, one of enum tn_signal, or 0 when there is
 * none.  Equal ones that come before the first is taken are one: after
 * TN_SIGNAL_CHLD, wait for every child that has ended. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures result: 0 <= \result <= TN_SIGNALS_ALL;
*/
int32_t tn_signals_take(int32_t fd);

/* Closes fd and unblocks the signals of set in the calling thread: those it was
 * opened for, but for any that were blocked before.  One that has come and was not
 * taken acts now, as it would have without a descriptor.  0 leaves them blocked, as
 * does closing fd in any other way. */
void tn_signals_close(int32_t fd, uint32_t set);

#ifdef __cplusplus
}
#endif

#endif
