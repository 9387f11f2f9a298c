#include "core/conn.h"

uint32_t tn_conn_wants(int32_t state, size_t out_len)
{
    if (state == TN_CONN_LINGERING)
        return 1;
    return (state == TN_CONN_OPEN ? 1u : 0u) + (out_len > 0 ? 4u : 0u);
}

int32_t tn_conn_next(int32_t state, size_t out_len, int32_t more)
{
    switch (state) {
    case TN_CONN_OPEN:
    case TN_CONN_PAUSED:
        return more == 1 && out_len > TN_OUTPUT_LOW ? TN_CONN_PAUSED : TN_CONN_OPEN;
    case TN_CONN_HALF:
    case TN_CONN_FLUSHING:
        if (more == 1)
            return TN_CONN_HALF;
        return out_len > 0 ? TN_CONN_FLUSHING : TN_CONN_CLOSED;
    case TN_CONN_DRAINING:
        return out_len > 0 ? TN_CONN_DRAINING : TN_CONN_LINGERING;
    default:
        return state;
    }
}
