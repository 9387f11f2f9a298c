/* Waking a loop: a descriptor to watch (tn_watch) that another thread, or a signal
 * handler, makes readable.
 *
 * No wake-up is lost if whoever wakes first leaves its message, in whatever way the
 * two share it, then calls tn_wake; and the loop, at TN_READY, first calls
 * tn_wake_clear, then looks for messages: all that there are, for several wake-ups
 * may have come as one.
 */
#ifndef TN_OS_WAKE_H
#define TN_OS_WAKE_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens it, closed on exec: the caller's to close, when nobody will call tn_wake any
 * more.  Returns it, or TN_EFILES, TN_EMEMORY, TN_ESYSTEM. */
int32_t tn_wake_open(void);

/* Makes it readable, however often it is called.  It never waits; it may be called
 * by any thread and by signal handlers, whose errno it leaves as it is. */
void tn_wake(int32_t fd);

/* Makes it unreadable until the next tn_wake. */
void tn_wake_clear(int32_t fd);

#ifdef __cplusplus
}
#endif

#endif
