/* Memory of any type, which is bytes to the provers: their model of memory follows
 * no conversion from void.
 */
#ifndef TN_DISPATCH_BYTES_H
#define TN_DISPATCH_BYTES_H

#include "core/base.h"

#ifdef __FRAMAC__
typedef uint8_t tn_bytes;
#else
typedef void tn_bytes;
#endif

#endif
