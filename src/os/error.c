/* The system's refusals, as results. */
#include "os/error.h"

#include <errno.h>

int32_t tn_error_of(int error)
{
    switch (error) {
    case EADDRINUSE:
        return TN_EINUSE;
    case EACCES:
    case EPERM:
        return TN_EACCESS;
    case EMFILE:
    case ENFILE:
        return TN_EFILES;
    case ENOBUFS:
    case ENOMEM:
        return TN_EMEMORY;
    default:
        return TN_ESYSTEM;
    }
}
