#include "dispatch/totals_share.h"

#include "os/process.h"

struct tn_counters *tn_totals_share(uint32_t n)
{
    return tn_shared_open(n * sizeof(struct tn_counters));
}

void tn_totals_unshare(struct tn_counters *counters, uint32_t n)
{
    tn_shared_close(counters, n * sizeof *counters);
}
