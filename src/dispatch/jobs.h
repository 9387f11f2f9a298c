/* The job table: what was asked for, what is being done, what has come of it.
 *
 *                                 +--> DONE ------+
 *   FREE --submit--> QUEUED --take--> RUNNING     +--release--> FREE
 *                      |          +--> FAILED ----+
 *                      +--cancel--> CANCELLED ----+
 *
 * Jobs are taken in the order they were submitted, each by one worker and once.
 * A job that has begun is not cancelled.  A handle names one life of one slot; it
 * is refused once the slot was released.
 *
 * Pure: a table, to be used under a lock where several threads do.  Owned by the
 * caller.
 */
#ifndef TN_DISPATCH_JOBS_H
#define TN_DISPATCH_JOBS_H

#include "core/base.h"

/* Jobs of one table, at most. */
#ifndef TN_JOBS
#define TN_JOBS 256u
#endif

enum tn_job_state {
    TN_JOB_FREE,
    TN_JOB_QUEUED,    /* nobody has begun it */
    TN_JOB_RUNNING,   /* somebody does it */
    TN_JOB_DONE,      /* it has a result */
    TN_JOB_CANCELLED, /* it was never begun */
    TN_JOB_FAILED     /* it was begun and has no result */
};

struct tn_jobs {
    uint32_t cap;            /* 1 .. TN_JOBS */
    int64_t next;            /* the ticket of the next job submitted */
    uint16_t state[TN_JOBS]; /* enum tn_job_state */
    int64_t ticket[TN_JOBS]; /* of the queued: their order */
    uint32_t life[TN_JOBS];  /* how often the slot was released, modulo 2^32 */
};

/* One life of one slot. */
struct tn_job {
    uint32_t slot;
    uint32_t life;
};

/*@ predicate tn_job_is{L}(struct tn_jobs *j, integer s, integer state) =
        0 <= s < j->cap && j->state[s] == state;
    predicate tn_job_ended{L}(struct tn_jobs *j, integer s) =
        0 <= s < j->cap && TN_JOB_DONE <= j->state[s] <= TN_JOB_FAILED;
    // a handle names a life that is not over
    predicate tn_job_named{L}(struct tn_jobs *j, integer slot, integer life) =
        0 <= slot < j->cap && j->life[slot] == life && j->state[slot] != TN_JOB_FREE;
    predicate tn_jobs_shape{L}(struct tn_jobs *j) =
        \valid(j) && 1 <= j->cap <= TN_JOBS && 0 <= j->next &&
        (\forall integer s; 0 <= s < j->cap ==> j->state[s] <= TN_JOB_FAILED);
    // no two queued jobs have the same turn
    predicate tn_jobs_order{L}(struct tn_jobs *j) =
        (\forall integer s; tn_job_is(j, s, TN_JOB_QUEUED) ==> 0 <= j->ticket[s] < j->next) &&
        (\forall integer a, b; tn_job_is(j, a, TN_JOB_QUEUED) &&
             tn_job_is(j, b, TN_JOB_QUEUED) && a != b ==> j->ticket[a] != j->ticket[b]);
    predicate tn_jobs_ok{L}(struct tn_jobs *j) = tn_jobs_shape(j) && tn_jobs_order(j);
    // every job but x is in the state it was in
    predicate tn_jobs_same_but{A,B}(struct tn_jobs *j, integer x) =
        \forall integer s; 0 <= s < \at(j->cap,A) && s != x ==>
            \at(j->state[s],A) == \at(j->state[s],B);
*/

/* Makes a table of cap free slots. */
/*@ requires room: \valid(j) && 1 <= cap <= TN_JOBS;
    terminates \true; exits \false;
    assigns *j;
    ensures ok:    tn_jobs_ok(j);
    ensures empty: j->cap == cap && \forall integer s; 0 <= s < cap ==>
                   j->state[s] == TN_JOB_FREE;
*/
void tn_jobs_init(struct tn_jobs *j, uint32_t cap);

/* Queues a job, behind all that are queued.  Returns its slot, or TN_NONE when
 * the table is full (or 2^63 jobs were submitted). */
/*@ requires ok: tn_jobs_ok(j);
    terminates \true; exits \false;
    assigns j->next, j->state[0 .. j->cap - 1], j->ticket[0 .. j->cap - 1];
    ensures ok:     tn_jobs_ok(j);
    ensures full:   \result == TN_NONE ==> \old(j->next) == INT64_MAX ||
                    \forall integer s; 0 <= s < j->cap ==> \old(j->state[s]) != TN_JOB_FREE;
    ensures queued: \result != TN_NONE ==> tn_job_is(j, \result, TN_JOB_QUEUED) &&
                    tn_job_is{Pre}(j, \result, TN_JOB_FREE);
    ensures last:   \result != TN_NONE ==> \forall integer s;
                    tn_job_is(j, s, TN_JOB_QUEUED) ==> j->ticket[s] <= j->ticket[\result];
    ensures others: tn_jobs_same_but{Pre,Post}(j, \result);
    ensures turns:  \forall integer s; 0 <= s < j->cap && s != \result ==>
                    j->ticket[s] == \old(j->ticket[s]);
*/
uint32_t tn_jobs_submit(struct tn_jobs *j);

/* Begins the job that was queued first.  Returns its slot, or TN_NONE when none
 * is queued. */
/*@ requires ok: tn_jobs_ok(j);
    terminates \true; exits \false;
    assigns j->state[0 .. j->cap - 1];
    ensures ok:      tn_jobs_ok(j);
    ensures none:    \result == TN_NONE <==>
                     \forall integer s; 0 <= s < j->cap ==> \old(j->state[s]) != TN_JOB_QUEUED;
    ensures running: \result != TN_NONE ==> tn_job_is(j, \result, TN_JOB_RUNNING) &&
                     tn_job_is{Pre}(j, \result, TN_JOB_QUEUED);
    ensures first:   \result != TN_NONE ==> \forall integer s;
                     tn_job_is{Pre}(j, s, TN_JOB_QUEUED) ==> j->ticket[\result] <= j->ticket[s];
    ensures others:  tn_jobs_same_but{Pre,Post}(j, \result);
*/
uint32_t tn_jobs_take(struct tn_jobs *j);

/* Ends a running job: with a result, or, failed 1, without. */
/*@ requires ok:      tn_jobs_ok(j);
    requires running: tn_job_is(j, slot, TN_JOB_RUNNING);
    requires known:   failed == 0 || failed == 1;
    terminates \true; exits \false;
    assigns j->state[slot];
    ensures ok:     tn_jobs_ok(j);
    ensures ended:  j->state[slot] == (failed == 1 ? TN_JOB_FAILED : TN_JOB_DONE);
    ensures others: tn_jobs_same_but{Pre,Post}(j, slot);
*/
void tn_jobs_end(struct tn_jobs *j, uint32_t slot, uint32_t failed);

/* Cancels a job that nobody has begun.  Returns 1, or 0 when it has begun or
 * ended. */
/*@ requires ok:   tn_jobs_ok(j);
    requires slot: slot < j->cap && j->state[slot] != TN_JOB_FREE;
    terminates \true; exits \false;
    assigns j->state[slot];
    ensures ok:        tn_jobs_ok(j);
    ensures begun:     \result == 0 <==> \old(j->state[slot]) != TN_JOB_QUEUED;
    ensures cancelled: \result == 1 ==> j->state[slot] == TN_JOB_CANCELLED;
    ensures kept:      \result == 0 ==> j->state[slot] == \old(j->state[slot]);
    ensures verdict:   \result == 0 || \result == 1;
    ensures others:    tn_jobs_same_but{Pre,Post}(j, slot);
*/
uint32_t tn_jobs_cancel(struct tn_jobs *j, uint32_t slot);

/* Frees the slot of a job that has ended, and ends its life. */
/*@ requires ok:    tn_jobs_ok(j);
    requires ended: tn_job_ended(j, slot);
    terminates \true; exits \false;
    assigns j->state[slot], j->life[slot];
    ensures ok:     tn_jobs_ok(j);
    ensures free:   tn_job_is(j, slot, TN_JOB_FREE);
    ensures stale:  j->life[slot] != \old(j->life[slot]);
    ensures others: tn_jobs_same_but{Pre,Post}(j, slot);
*/
void tn_jobs_release(struct tn_jobs *j, uint32_t slot);

/* Whether the handle names a job that is not given back: 1 or 0. */
/*@ requires ok: tn_jobs_ok(j);
    terminates \true; exits \false;
    assigns \nothing;
    ensures verdict: \result == 0 || \result == 1;
    ensures named:   \result == 1 <==> tn_job_named(j, job.slot, job.life);
*/
uint32_t tn_job_known(const struct tn_jobs *j, struct tn_job job);

/* Whether the job in slot is done, cancelled or failed: 1 or 0. */
/*@ requires ok:   tn_jobs_ok(j);
    requires slot: slot < j->cap;
    terminates \true; exits \false;
    assigns \nothing;
    ensures verdict: \result == 0 || \result == 1;
    ensures ended:   \result == 1 <==> tn_job_ended(j, slot);
*/
uint32_t tn_job_over(const struct tn_jobs *j, uint32_t slot);

#endif
