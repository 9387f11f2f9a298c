/* A supervisor of processes: it starts them, notices each end once, adds up
 * what they counted and ends them all.
 *
 * What runs and what may be started is in the children table, which is proved;
 * here are the system calls around it, which are not.
 *
 * Each child has a lifeline, the reading end of a pipe that nothing is written
 * to: it comes to its end when the supervisor drains or is gone.  Its counters
 * lie in memory that is shared with the supervisor, so that they outlive it.
 */
#ifndef TN_DISPATCH_SUPERVISOR_H
#define TN_DISPATCH_SUPERVISOR_H

#include "dispatch/children.h"
#include "os/process.h"
#include "serve/state.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tn_supervisor {
    struct tn_children children;
    int32_t ended;                /* can be read when a child has ended; wait for it */
    int32_t lifeline[2];          /* [1] is -1 once a drain has begun, and in a child */
    uint32_t rests;               /* 1: the slot of a crashed child rests */
    uint32_t self;                /* in a child: its slot */
    int64_t started;              /* children started */
    int64_t crashed;              /* of these, ended by a signal or with a status but 0 */
    struct tn_counters *counters; /* shared, one for each slot */
    struct tn_counters totals;    /* of the children that have ended */
};

/* Makes a supervisor of at most cap children (1 .. TN_CHILDREN).  rests: 1 if a
 * crash is to slow down the next start, as for workers that are replaced.
 * Returns 1, or TN_EINVAL, TN_EFILES, TN_EMEMORY, TN_ESYSTEM. */
int32_t tn_supervisor_open(struct tn_supervisor *s, uint32_t cap, uint32_t rests);

/* Forks a child.  Returns 1 to the parent and 0 to the child; TN_EFULL when cap
 * children run or their slots rest; TN_EMEMORY or TN_ESYSTEM when the system
 * refuses.  The child has its slot in self, its counters, zeroed, at
 * counters[self], and its lifeline; the rest is closed.  It ends by
 * tn_process_exit. */
int32_t tn_supervisor_fork(struct tn_supervisor *s);

/* Takes the ends of all children that have ended.  Children of the process that
 * are not the supervisor's are left alone. */
void tn_supervisor_reap(struct tn_supervisor *s);

/* When the next child may be started, as tn_children_next. */
int64_t tn_supervisor_next(const struct tn_supervisor *s);

/* Tells all children to drain: their lifelines end. */
void tn_supervisor_drain(struct tn_supervisor *s);

/* Ends all children at once and takes their ends. */
void tn_supervisor_kill(struct tn_supervisor *s);

/* Closes what the supervisor has open; no child runs any more. */
void tn_supervisor_close(struct tn_supervisor *s);

#ifdef __cplusplus
}
#endif

#endif
