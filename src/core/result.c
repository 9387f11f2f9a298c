/* The names of results, each in a row that is filled up with zeros. */
#include "core/result.h"

#define TN_RESULTS 15u

static const char tn_names[TN_RESULTS][TN_RESULT_LEN] = {
    "success",
    "finished",
    "would block",
    "argument out of its range",
    "connection is gone",
    "longer than the frame maximum",
    "not a frame",
    "connection broke",
    "no descriptor left",
    "out of memory or buffers",
    "table is full",
    "refused by the system",
    "not an address to listen on",
    "address in use",
    "permission denied",
};

static const char tn_unknown[TN_RESULT_LEN] = "unknown result";

/* The row of a result. */
/*@ terminates \true; exits \false;
    assigns \result \from result;
    ensures success: result >= 0 ==> \result == &tn_names[0][0];
    ensures named:   -TN_RESULTS < result < 0 ==> \result == &tn_names[-result][0];
    ensures other:   result <= -TN_RESULTS ==> \result == &tn_unknown[0];
    ensures readable:   \valid_read(\result + (0 .. TN_RESULT_LEN - 1));
    ensures terminated: \result[TN_RESULT_LEN - 1] == 0;
    ensures a_phrase:   \result[0] != 0;
*/
static const char *row_of(int32_t result)
{
    if (result >= 0) {
        return tn_names[0];
    }
    switch (result) {
    case TN_EOF:
        return tn_names[-TN_EOF];
    case TN_EAGAIN:
        return tn_names[-TN_EAGAIN];
    case TN_EINVAL:
        return tn_names[-TN_EINVAL];
    case TN_ESTALE:
        return tn_names[-TN_ESTALE];
    case TN_ETOOBIG:
        return tn_names[-TN_ETOOBIG];
    case TN_EFRAME:
        return tn_names[-TN_EFRAME];
    case TN_ERESET:
        return tn_names[-TN_ERESET];
    case TN_EFILES:
        return tn_names[-TN_EFILES];
    case TN_EMEMORY:
        return tn_names[-TN_EMEMORY];
    case TN_EFULL:
        return tn_names[-TN_EFULL];
    case TN_ESYSTEM:
        return tn_names[-TN_ESYSTEM];
    case TN_EADDRESS:
        return tn_names[-TN_EADDRESS];
    case TN_EINUSE:
        return tn_names[-TN_EINUSE];
    case TN_EACCESS:
        return tn_names[-TN_EACCESS];
    default:
        return tn_unknown;
    }
}

const char *tn_strerror(int32_t result)
{
    return row_of(result);
}
