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
 * Of fixed size (about 80 KB), owned by the caller, not to be moved.
 *
 * Proved (crew.c): each call takes the lock once and lets go of it; the job table
 * and what goes with it are sound whenever it is let go of, and nothing that was
 * known of them before is relied on after; who made true what others sleep for has
 * told them by then; a job is taken by one thread, the oldest first, and is that
 * thread's until it ends it; nobody else ends or gives back a job that runs; a
 * result is given back once; a slot whose job nobody wants is free when that has
 * ended.  What a lock is, is assumed (dispatch/crew_lock.h).  Not proved: starting
 * and joining threads, and calling the callers' functions (crew_threads.c).  That
 * nobody sleeps on is checked over all schedules of a few threads in
 * tests/unit/test_schedules.c, and the whole under ThreadSanitizer.
 */
#ifndef TN_DISPATCH_CREW_H
#define TN_DISPATCH_CREW_H

#include "core/timers.h"
#include "dispatch/bytes.h"
#include "dispatch/monitor.h"
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

struct tn_crew {
    int32_t done; /* can be read when a job has ended since tn_crew_clear */
    uint32_t threads;
    pthread_t thread[TN_CREW_THREADS];
    pthread_mutex_t lock;  /* guards the rest, but for the work of a job that runs */
    pthread_cond_t queued; /* a job was queued, or the crew closes */
    pthread_cond_t ended;  /* a job has ended */
    uint32_t closing;
    uint32_t unwanted[TN_JOBS]; /* 1: nobody will ask for the result */
    tn_job_work work[TN_JOBS];
    struct tn_jobs jobs;
    uint8_t data[TN_JOBS * TN_JOB_BYTES]; /* aligned as the table before it */
};

/* Ghost, of the calling thread and this crew: the job that it does (TN_NONE: none);
 * how many jobs its call has queued, cancelled or given back; the slot and the life
 * of the one it has queued, whether it found the table full (1 or 0), and its job not
 * in the table (1 or 0), when it last looked; whether it knows that the crew closes
 * (1 or 0).  Conditions: 1 queued, 2 ended, 3 closing. */
/*@ ghost
    uint32_t m_mine;
    uint32_t m_done;
    uint32_t m_slot;
    uint32_t m_life;
    int32_t  m_full;
    int32_t  m_stale;
    int32_t  m_closing;
*/

/* What the lock guards.  In ranges `..` stands apart, or the constant behind it would
 * not be expanded. */
/* clang-format off */
#define TN_CREW_GUARDED(c) \
    (c)->closing, (c)->unwanted[0 .. TN_JOBS - 1], (c)->work[0 .. TN_JOBS - 1], \
    (c)->jobs.next, (c)->jobs.state[0 .. TN_JOBS - 1], (c)->jobs.ticket[0 .. TN_JOBS - 1], \
    (c)->jobs.life[0 .. TN_JOBS - 1], (c)->data[0 .. TN_JOBS * TN_JOB_BYTES - 1]
/* clang-format on */
/*@ // constant while the crew is open
    predicate tn_crew_made{L}(struct tn_crew *c) = \valid(c) && 1 <= c->jobs.cap <= TN_JOBS;
    // what the lock guards
    predicate tn_crew_ok{L}(struct tn_crew *c) =
        tn_crew_made(c) && tn_jobs_ok(&c->jobs) && c->closing <= 1 &&
        (m_closing == 1 ==> c->closing == 1) &&
        (m_mine != TN_NONE ==> tn_job_is(&c->jobs, m_mine, TN_JOB_RUNNING)) &&
        (\forall integer s; 0 <= s < c->jobs.cap && c->unwanted[s] == 1 ==>
            c->jobs.state[s] == TN_JOB_FREE || c->jobs.state[s] == TN_JOB_RUNNING);
    // nothing of any job but x has changed
    predicate tn_crew_others{A, B}(struct tn_crew *c, integer x) =
        (\forall integer s; 0 <= s < \at(c->jobs.cap, A) && s != x ==>
            \at(c->jobs.state[s], A) == \at(c->jobs.state[s], B) &&
            \at(c->jobs.life[s], A) == \at(c->jobs.life[s], B) &&
            \at(c->work[s], A) == \at(c->work[s], B) &&
            \at(c->unwanted[s], A) == \at(c->unwanted[s], B));
*/

/* Starts a crew of threads (1 .. TN_CREW_THREADS), for at most jobs (1 ..
 * TN_JOBS) that are not yet given back.  All signals are blocked in them.
 * Returns 1, or TN_EINVAL, TN_EFILES, TN_EMEMORY, TN_ESYSTEM. */
int32_t tn_crew_open(struct tn_crew *c, uint32_t threads, uint32_t jobs);

/* Queues work on a copy of data[0 .. len - 1].  Returns 1 and names the job;
 * TN_EFULL when the table is full; TN_ETOOBIG beyond TN_JOB_BYTES; TN_EOF when
 * the crew closes. */
/*@ requires made:  tn_crew_made(c) && m_held == 0 && m_owed == 0;
    requires bytes: \valid_read(data + (0 .. len - 1)) && \valid(job);
    requires apart: \separated(data + (0 .. len - 1), c) && \separated(job, c);
    terminates \true; exits \false;
    assigns m_held, m_owed, m_done, m_slot, m_life, m_full, *job, TN_CREW_GUARDED(c);
    ensures free:    m_held == 0;
    ensures told:    m_owed == 0;
    ensures result:  \result == 1 || \result == TN_EFULL || \result == TN_ETOOBIG ||
                     \result == TN_EOF;
    ensures too_big: \result == TN_ETOOBIG <==> len > TN_JOB_BYTES;
    ensures closing: m_closing == 1 && len <= TN_JOB_BYTES ==> \result == TN_EOF;
    ensures once:    m_done == (\result == 1 ? 1 : 0);
    ensures full:    \result == TN_EFULL ==> m_full == 1;
    ensures named:   \result == 1 ==> job->slot < c->jobs.cap && job->slot == m_slot &&
                     job->life == m_life;
*/
int32_t tn_crew_submit(struct tn_crew *c, tn_job_work work, const tn_bytes *data, uint32_t len,
                       struct tn_job *job);

/* Waits for the end of a job up to deadline_ms of the monotonic clock (0: does
 * not wait; TN_NEVER: no limit), copies the first len bytes of what it left to
 * data and its state (TN_JOB_DONE, TN_JOB_CANCELLED, TN_JOB_FAILED) to *state.
 * Returns 1, and the handle is stale; 0 at the deadline, never before it;
 * TN_ESTALE; TN_ETOOBIG. */
/*@ requires made:  tn_crew_made(c) && m_held == 0 && m_owed == 0;
    requires room:  \valid(data + (0 .. len - 1)) && \valid(state);
    requires apart: \separated(data + (0 .. len - 1), c, state) && \separated(state, c);
    terminates \false; exits \false;
    assigns m_held, m_owed, m_late, m_done, m_stale, *state, data[0 .. len - 1], TN_CREW_GUARDED(c);
    ensures free:    m_held == 0;
    ensures told:    m_owed == 0;
    ensures result:  \result == 1 || \result == 0 || \result == TN_ESTALE ||
                     \result == TN_ETOOBIG;
    ensures late:    \result == 0 ==> m_late == 1;
    ensures stale:   \result != TN_ETOOBIG ==> (\result == TN_ESTALE <==> m_stale == 1);
    ensures too_big: \result == TN_ETOOBIG <==> len > TN_JOB_BYTES;
    ensures once:    m_done == (\result == 1 ? 1 : 0);
    ensures ended:   \result == 1 ==> TN_JOB_DONE <= *state <= TN_JOB_FAILED;
    ensures kept:    \result != 1 ==> *state == \old(*state) &&
                     \forall integer i; 0 <= i < len ==> data[i] == \old(data[i]);
*/
int32_t tn_crew_wait(struct tn_crew *c, struct tn_job job, tn_bytes *data, uint32_t len,
                     uint32_t *state, int64_t deadline_ms);

/* Cancels a job that nobody has begun; tn_crew_wait tells of it then.  Returns
 * 1; 0 when it has begun; TN_ESTALE. */
/*@ requires made: tn_crew_made(c) && m_held == 0 && m_owed == 0;
    terminates \true; exits \false;
    assigns m_held, m_owed, m_done, m_stale, TN_CREW_GUARDED(c);
    ensures free:   m_held == 0;
    ensures told:   m_owed == 0;
    ensures result: \result == 1 || \result == 0 || \result == TN_ESTALE;
    ensures stale:  \result == TN_ESTALE <==> m_stale == 1;
    ensures once:   m_done == (\result == 1 ? 1 : 0);
*/
int32_t tn_crew_cancel(struct tn_crew *c, struct tn_job job);

/* Gives up a job: it is cancelled if nobody has begun it, and its slot is free
 * as soon as it has ended.  Returns 1, and the handle must not be used any more;
 * or TN_ESTALE. */
/*@ requires made: tn_crew_made(c) && m_held == 0 && m_owed == 0;
    terminates \true; exits \false;
    assigns m_held, m_owed, m_done, m_stale, TN_CREW_GUARDED(c);
    ensures free:   m_held == 0;
    ensures told:   m_owed == 0;
    ensures result: \result == 1 || \result == TN_ESTALE;
    ensures stale:  \result == TN_ESTALE <==> m_stale == 1;
    ensures once:   m_done == (\result == 1 ? 1 : 0);
*/
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
