/* What is said of a lock in proofs, whatever it guards.  Nothing here is compiled.
 *
 * A monitor is a lock, what it guards, and the conditions that others sleep for.
 * To a proof, whoever takes the lock is alone with what it guards, of which nothing
 * is known but its invariant; and whoever lets go of it has kept the invariant, and
 * has told those who sleep for what he has made true.
 *
 * There is one order of locks, that none is taken while another is held: so no
 * circle of threads waits for each other's locks.
 */
#ifndef TN_DISPATCH_MONITOR_H
#define TN_DISPATCH_MONITOR_H

#include "core/base.h"

/* Of the calling thread: whether it holds a lock (1 or 0); whether a wait of its
 * call has lasted until the deadline (1 or 0); and of which conditions it has still
 * to tell, for it has made them true (each monitor numbers its own; 0: none). */
/*@ ghost
    int32_t m_held;
    int32_t m_late;
    int32_t m_owed;
*/

#endif
