/* poll: no limit but the kernel's, and each wait costs as much as is watched. */
#include "poll/backends.h"

#ifndef TN_WITHOUT_POLL

int32_t tn_poll_wait(struct tn_poller *p, struct tn_lists l, int32_t timeout_ms)
{
    const uint32_t n = tn_list_make(p, l, TN_SYS_FDS);
    const int32_t r = tn_sys_poll(&p->asked[0], n, timeout_ms);

    //@ assert room: tn_lists_room(l);
    //@ assert told: tn_lists_true(l);
    if (r <= 0) {
        p->pos = 0;
        p->count = 0;
        return r;
    }
    return tn_list_take(p, l, n);
}

#endif
