/* Signals as a descriptor: watch it (tn_watch) beside the connections.
 *
 * SIGPIPE needs no care: the server never raises it.
 */
#ifndef TN_OS_SIGNALS_H
#define TN_OS_SIGNALS_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks SIGINT and SIGTERM in the calling thread, so call it before others
 * are started, and opens a descriptor that can be read when one has come.
 * Returns it, or TN_EFILES, TN_EMEMORY or TN_ESYSTEM. */
int32_t tn_signals_open(void);

/* Takes the next signal.  Returns its number, or 0 when there is none. */
int32_t tn_signals_take(int32_t fd);

#ifdef __cplusplus
}
#endif

#endif
