/* The system's refusals, as results. */
#ifndef TN_OS_ERROR_H
#define TN_OS_ERROR_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The result that an errno value stands for: TN_EINUSE, TN_EACCESS, TN_EFILES,
 * TN_EMEMORY; TN_ESYSTEM for any other. */
int32_t tn_error_of(int error);

#ifdef __cplusplus
}
#endif

#endif
