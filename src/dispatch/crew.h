/* A crew of threads for work that takes long: computing, or calls that wait.
 *
 * A job is a function and up to TN_JOB_BYTES of data, copied in; what the
 * function leaves there is copied out to whoever waits for the job.  Jobs are
 * begun in the order they were submitted.  There are never more than the table
 * holds: beyond that, submitting says so.
 *
 * Each call may come from any thread; a job may submit others, and must not wait
 * for them if the crew could be waiting altogether.  An event loop does not wait:
 * it watches `done` (tn_watch), which can be read when a job has ended.
 *
 *     tn_crew_open(&crew, 4, 64);
 *     tn_crew_submit(&crew, sum, &range, sizeof range, &job);
 *     tn_crew_wait(&crew, job, &range, sizeof range, &state, TN_NEVER);
 *     tn_crew_close(&crew, 0);
 *
 * Of fixed size (about 80 KB), owned by the caller, not to be moved.  The job
 * table is proved (dispatch/jobs.h); that it is used under the lock, and that no
 * wake-up is lost, is checked over all schedules of a few threads in
 * tests/unit/test_schedules.c, and under ThreadSanitizer.
 */
#ifndef TN_DISPATCH_CREW_H
#define TN_DISPATCH_CREW_H

#include "core/timers.h"
#include "dispatch/work.h"

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Threads of a crew, at most. */
#define TN_CREW_THREADS 64u

/* The stack of each. */
#ifndef TN_CREW_STACK
#define TN_CREW_STACK 1048576u
#endif

struct tn_crew_task {
    tn_job_work work;
    uint32_t unwanted; /* 1: nobody will ask for the result */
    int64_t data[TN_JOB_BYTES / sizeof(int64_t)];
};

struct tn_crew {
    int32_t done; /* can be read when a job has ended since tn_crew_clear */
    uint32_t threads;
    pthread_t thread[TN_CREW_THREADS];
    pthread_mutex_t lock;  /* guards the rest */
    pthread_cond_t queued; /* a job was queued, or the crew closes */
    pthread_cond_t ended;  /* a job has ended */
    uint32_t closing;
    struct tn_jobs jobs;
    struct tn_crew_task task[TN_JOBS];
};

/* Starts a crew of threads (1 .. TN_CREW_THREADS), for at most jobs (1 ..
 * TN_JOBS) that are not yet given back.  All signals are blocked in them.
 * Returns 1, or TN_EINVAL, TN_EFILES, TN_EMEMORY, TN_ESYSTEM. */
int32_t tn_crew_open(struct tn_crew *c, uint32_t threads, uint32_t jobs);

/* Queues work on a copy of data[0 .. len - 1].  Returns 1 and names the job;
 * TN_EFULL when the table is full; TN_ETOOBIG beyond TN_JOB_BYTES; TN_EOF when
 * the crew closes. */
int32_t tn_crew_submit(struct tn_crew *c, tn_job_work work, const void *data, uint32_t len,
                       struct tn_job *job);

/* Waits for the end of a job up to deadline_ms of the monotonic clock (0: does
 * not wait; TN_NEVER: no limit), copies the first len bytes of what it left to
 * data and its state (TN_JOB_DONE, TN_JOB_CANCELLED, TN_JOB_FAILED) to *state.
 * Returns 1, and the handle is stale; 0 at the deadline, never before it;
 * TN_ESTALE; TN_ETOOBIG. */
int32_t tn_crew_wait(struct tn_crew *c, struct tn_job job, void *data, uint32_t len,
                     uint32_t *state, int64_t deadline_ms);

/* Cancels a job that nobody has begun; tn_crew_wait tells of it then.  Returns
 * 1; 0 when it has begun; TN_ESTALE. */
int32_t tn_crew_cancel(struct tn_crew *c, struct tn_job job);

/* Gives up a job: it is cancelled if nobody has begun it, and its slot is free
 * as soon as it has ended.  Returns 1, and the handle must not be used any more;
 * or TN_ESTALE. */
int32_t tn_crew_forget(struct tn_crew *c, struct tn_job job);

/* Does work on each of the count elements of size bytes at array, in place,
 * several at a time.  Returns 1; 0 at the deadline: the elements from some place
 * on are as they were; TN_EFULL, TN_ETOOBIG, TN_EOF as tn_crew_submit;
 * TN_ERESET when the work failed on an element: those after it may be as they
 * were. */
int32_t tn_crew_map(struct tn_crew *c, tn_job_work work, void *array, uint32_t size, uint32_t count,
                    int64_t deadline_ms);

/* Makes `done` unreadable until the next job ends.  Call it before looking at
 * the jobs. */
void tn_crew_clear(struct tn_crew *c);

/* Ends the crew: nothing more is accepted; what is queued is done first, or,
 * cancel 1, cancelled; what has begun is waited for.  Every thread is joined. */
void tn_crew_close(struct tn_crew *c, uint32_t cancel);

#ifdef __cplusplus
}
#endif

#endif
