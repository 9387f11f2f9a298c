/* A descriptor that another thread can make readable. */
#ifndef TN_OS_WAKE_H
#define TN_OS_WAKE_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens it, closed on exec.  Returns it, or TN_EFILES, TN_EMEMORY, TN_ESYSTEM. */
int32_t tn_wake_open(void);

/* Makes it readable, however often it is called; from any thread and from
 * signal handlers. */
void tn_wake(int32_t fd);

/* Makes it unreadable until the next tn_wake. */
void tn_wake_clear(int32_t fd);

#ifdef __cplusplus
}
#endif

#endif
