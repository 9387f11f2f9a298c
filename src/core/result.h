/* The names of results. */
#ifndef TN_CORE_RESULT_H
#define TN_CORE_RESULT_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* No name is longer than this, with its terminating zero. */
#define TN_RESULT_LEN 32u

/* What a result means, in a short phrase: a constant string, never null, never
 * empty; "success" for every result that is not negative. */
/*@ terminates \true; exits \false;
    assigns \result \from result;
    ensures readable:   \valid_read(\result + (0 .. TN_RESULT_LEN - 1));
    ensures terminated: \result[TN_RESULT_LEN - 1] == 0;
    ensures a_phrase:   \result[0] != 0;
*/
const char *tn_strerror(int32_t result);

#ifdef __cplusplus
}
#endif

#endif
