/* What a crew of threads and a team of processes have in common: the function
 * that does a job, what it carries, the handle of a job, the map over an array.
 *
 * Not proved: it calls functions of the caller's.  The table of jobs below it is
 * (dispatch/jobs.h).
 */
#ifndef TN_DISPATCH_WORK_H
#define TN_DISPATCH_WORK_H

#include "dispatch/jobs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of data that a job carries, and gives back, at most. */
#define TN_JOB_BYTES 256u

/* Elements of one map that are submitted and not yet given back, at most. */
#define TN_MAP_AT_ONCE 64u

/* Does the work; data is the job's own copy, TN_JOB_BYTES long and aligned for
 * int64_t.  A negative result makes the job a failed one.  What is proved hands it
 * on and never calls it: to the provers it is a number. */
#ifdef __FRAMAC__
typedef uintptr_t tn_job_work;
#else
typedef int32_t (*tn_job_work)(void *data);
#endif

/* The calls of a pool that a map is made of; pool is passed to each. */
struct tn_map_calls {
    void *pool;
    int32_t (*submit)(void *pool, tn_job_work work, const void *data, uint32_t len,
                      struct tn_job *job);
    int32_t (*wait)(void *pool, struct tn_job job, void *data, uint32_t len, uint32_t *state,
                    int64_t deadline_ms);
    void (*give_up)(void *pool, struct tn_job job);
};

/* Does work on each of the count elements of size bytes at array, in place;
 * results as those of tn_crew_map.  What it leaves undone is given up. */
int32_t tn_map(const struct tn_map_calls *m, tn_job_work work, void *array, uint32_t size,
               uint32_t count, int64_t deadline_ms);

#ifdef __cplusplus
}
#endif

#endif
