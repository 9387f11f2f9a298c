/* A time of the clock as a descriptor. */
#ifndef TN_OS_ALARM_H
#define TN_OS_ALARM_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens it, closed on exec; it is not set.  Returns it, or TN_EFILES,
 * TN_EMEMORY, TN_ESYSTEM. */
int32_t tn_alarm_open(void);

/* Sets it anew: it can be read from due_ms of the monotonic clock on (0 or a
 * time that has passed: at once; INT64_MAX: never) and not before. */
void tn_alarm_set(int32_t fd, int64_t due_ms);

#ifdef __cplusplus
}
#endif

#endif
