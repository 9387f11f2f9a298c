/* A table of jobs, with their functions and their data, under one lock. */
#include "dispatch/crew.h"

#include "core/copy.h"
#include "dispatch/crew_lock.h"
#include "dispatch/crew_worker.h"

/*@ // the data of any job but x is the same in A and in B
    predicate data_same_but{A, B}(struct tn_crew *c, integer x) =
        \forall integer k; 0 <= k < TN_JOBS * TN_JOB_BYTES &&
            !(x * TN_JOB_BYTES <= k < x * TN_JOB_BYTES + TN_JOB_BYTES) ==>
            \at(c->data[k], A) == \at(c->data[k], B);
*/

void tn_crew_init(struct tn_crew *c, uint32_t jobs)
{
    /*@ ghost m_held = 0;
        m_owed = 0;
        m_mine = TN_NONE;
        m_closing = 0; */
    c->closing = 0;
    tn_jobs_init(&c->jobs, jobs);
    /*@ assert free: \forall integer s; 0 <= s < c->jobs.cap ==>
            c->jobs.state[s] == TN_JOB_FREE; */
}

/* --- with the lock held ---------------------------------------------------------------- */

/* Queues a job behind all others, if there is room.  Returns its slot, or TN_NONE. */
/*@ requires held:  m_held == 1 && tn_crew_ok(c) && m_owed == 0 && m_done == 0;
    requires open:  c->closing == 0;
    requires fits:  len <= TN_JOB_BYTES;
    requires bytes: \valid_read(data + (0 .. len - 1)) && \separated(data + (0 .. len - 1), c);
    terminates \true; exits \false;
    assigns m_owed, m_done, m_slot, m_life, m_full, c->unwanted[0 .. TN_JOBS - 1],
            c->work[0 .. TN_JOBS - 1], c->jobs.next, c->jobs.state[0 .. TN_JOBS - 1],
            c->jobs.ticket[0 .. TN_JOBS - 1], c->data[0 .. TN_JOBS * TN_JOB_BYTES - 1];
    ensures ok:      tn_crew_ok(c);
    ensures told:    m_owed == 0;
    ensures named:   \result != TN_NONE ==> m_slot == \result &&
                     m_life == c->jobs.life[\result];
    ensures full:    \result == TN_NONE ==> m_full == 1 && m_done == 0 &&
                     (\old(c->jobs.next) == INT64_MAX || \forall integer s; 0 <= s < c->jobs.cap ==>
                         \old(c->jobs.state[s]) != TN_JOB_FREE);
    ensures queued:  \result != TN_NONE ==> m_done == 1 &&
                     tn_job_is{Pre}(&c->jobs, \result, TN_JOB_FREE) &&
                     tn_job_is(&c->jobs, \result, TN_JOB_QUEUED);
    ensures last:    \result != TN_NONE ==> \forall integer s;
                     tn_job_is(&c->jobs, s, TN_JOB_QUEUED) ==>
                         c->jobs.ticket[s] <= c->jobs.ticket[\result];
    ensures job:     \result != TN_NONE ==> c->work[\result] == work &&
                     c->unwanted[\result] == 0 &&
                     \forall integer i; 0 <= i < len ==>
                         c->data[\result * TN_JOB_BYTES + i] == \old(data[i]);
    ensures others:  tn_crew_others{Pre, Post}(c, \result);
    ensures data:    data_same_but{Pre, Post}(c, \result);
*/
static uint32_t add_job(struct tn_crew *c, tn_job_work work, const uint8_t *data, uint32_t len)
{
    const uint32_t slot = tn_jobs_submit(&c->jobs);

    if (slot != TN_NONE) {
        c->work[slot] = work;
        c->unwanted[slot] = 0;
        tn_copy(c->data, (size_t)slot * TN_JOB_BYTES, data, 0, len);
        /*@ ghost m_done = 1;
            m_owed = 1; */
        tn_crew_tell_queued(c);
    }
    /*@ ghost if (slot != TN_NONE) {
            m_slot = slot;
            m_life = c->jobs.life[slot];
        } else
            m_full = 1; */
    return slot;
}

/* Says whether the job is in the table: 1 or 0. */
/*@ requires held: m_held == 1 && tn_crew_ok(c);
    terminates \true; exits \false;
    assigns m_stale;
    ensures known: \result == 1 <==> tn_job_named(&c->jobs, job.slot, job.life);
    ensures range: \result == 0 || \result == 1;
    ensures stale: m_stale == 1 - \result;
*/
static uint32_t has_job(const struct tn_crew *c, struct tn_job job)
{
    const uint32_t known = tn_job_known(&c->jobs, job);

    //@ ghost m_stale = known == 1 ? 0 : 1;
    return known;
}

/* Gives the result of a job that has ended back, and its slot. */
/*@ requires held:  m_held == 1 && tn_crew_ok(c) && m_owed == 0 && m_done == 0;
    requires ended: tn_job_ended(&c->jobs, slot);
    requires fits:  len <= TN_JOB_BYTES;
    requires room:  \valid(data + (0 .. len - 1)) && \valid(state);
    requires apart: \separated(data + (0 .. len - 1), c, state) && \separated(state, c);
    terminates \true; exits \false;
    assigns m_done, c->jobs.state[slot], c->jobs.life[slot], *state, data[0 .. len - 1];
    ensures ok:      tn_crew_ok(c);
    ensures once:    m_done == 1 && tn_job_is(&c->jobs, slot, TN_JOB_FREE) &&
                     c->jobs.life[slot] != \old(c->jobs.life[slot]);
    ensures result:  *state == \old(c->jobs.state[slot]) &&
                     \forall integer i; 0 <= i < len ==>
                         data[i] == \old(c->data[slot * TN_JOB_BYTES + i]);
    ensures others:  tn_crew_others{Pre, Post}(c, slot);
*/
static void give_result(struct tn_crew *c, uint32_t slot, uint8_t *data, uint32_t len,
                        uint32_t *state)
{
    *state = c->jobs.state[slot];
    tn_copy(data, 0, c->data, (size_t)slot * TN_JOB_BYTES, len);
    tn_jobs_release(&c->jobs, slot);
    //@ ghost m_done = 1;
}

/* Cancels a job that nobody has begun.  Returns 1, or 0 when it has begun. */
/*@ requires held:  m_held == 1 && tn_crew_ok(c) && m_owed == 0 && m_done == 0;
    requires slot:  slot < c->jobs.cap && c->jobs.state[slot] != TN_JOB_FREE;
    terminates \true; exits \false;
    assigns m_owed, m_done, c->jobs.state[slot];
    ensures ok:        tn_crew_ok(c);
    ensures told:      m_owed == 0;
    ensures verdict:   \result == m_done && (\result == 0 || \result == 1);
    ensures begun:     \result == 0 <==> \old(c->jobs.state[slot]) != TN_JOB_QUEUED;
    ensures cancelled: \result == 1 ==> c->jobs.state[slot] == TN_JOB_CANCELLED;
    ensures kept:      \result == 0 ==> c->jobs.state[slot] == \old(c->jobs.state[slot]);
    ensures others:    tn_crew_others{Pre, Post}(c, slot);
*/
static int32_t cancel_job(struct tn_crew *c, uint32_t slot)
{
    if (tn_jobs_cancel(&c->jobs, slot) == 0)
        return 0;
    /*@ ghost m_done = 1;
        m_owed = 2; */
    tn_crew_tell_ended(c);
    return 1;
}

/* Gives a job up: what nobody has begun, or has ended, is free at once; what runs,
 * when it has ended. */
/*@ requires held:  m_held == 1 && tn_crew_ok(c) && m_owed == 0 && m_done == 0;
    requires slot:  slot < c->jobs.cap && c->jobs.state[slot] != TN_JOB_FREE;
    terminates \true; exits \false;
    assigns m_done, c->unwanted[slot], c->jobs.state[slot], c->jobs.life[slot];
    ensures ok:      tn_crew_ok(c);
    ensures once:    m_done == 1;
    ensures free:    \old(c->jobs.state[slot]) != TN_JOB_RUNNING ==>
                     tn_job_is(&c->jobs, slot, TN_JOB_FREE) &&
                     c->jobs.life[slot] != \old(c->jobs.life[slot]);
    ensures running: \old(c->jobs.state[slot]) == TN_JOB_RUNNING ==>
                     c->unwanted[slot] == 1 && tn_job_is(&c->jobs, slot, TN_JOB_RUNNING) &&
                     c->jobs.life[slot] == \old(c->jobs.life[slot]);
    ensures others:  tn_crew_others{Pre, Post}(c, slot);
*/
static void forget_job(struct tn_crew *c, uint32_t slot)
{
    c->unwanted[slot] = 1;
    if (tn_jobs_cancel(&c->jobs, slot) == 1 || tn_job_over(&c->jobs, slot) == 1)
        tn_jobs_release(&c->jobs, slot);
    //@ ghost m_done = 1;
}

/* Begins the job that was queued first, which is the calling thread's from now on.
 * Returns its slot, or TN_NONE. */
/*@ requires held: m_held == 1 && tn_crew_ok(c) && m_mine == TN_NONE;
    terminates \true; exits \false;
    assigns m_mine, c->jobs.state[0 .. TN_JOBS - 1];
    ensures ok:     tn_crew_ok(c);
    ensures mine:   m_mine == \result;
    ensures none:   \result == TN_NONE <==> \forall integer s; 0 <= s < c->jobs.cap ==>
                    \old(c->jobs.state[s]) != TN_JOB_QUEUED;
    ensures once:   \result != TN_NONE ==> \result < c->jobs.cap &&
                    tn_job_is{Pre}(&c->jobs, \result, TN_JOB_QUEUED) &&
                    tn_job_is(&c->jobs, \result, TN_JOB_RUNNING);
    ensures first:  \result != TN_NONE ==> \forall integer s;
                    tn_job_is{Pre}(&c->jobs, s, TN_JOB_QUEUED) ==>
                        c->jobs.ticket[\result] <= c->jobs.ticket[s];
    ensures others: tn_crew_others{Pre, Post}(c, \result);
*/
static uint32_t take_job(struct tn_crew *c)
{
    const uint32_t slot = tn_jobs_take(&c->jobs);

    //@ ghost m_mine = slot;
    return slot;
}

/* Ends the job that the calling thread does. */
/*@ requires held:  m_held == 1 && tn_crew_ok(c) && m_owed == 0;
    requires mine:  m_mine == slot && slot != TN_NONE;
    requires known: failed == 0 || failed == 1;
    terminates \true; exits \false;
    assigns m_owed, m_mine, c->jobs.state[slot], c->jobs.life[slot];
    ensures ok:       tn_crew_ok(c);
    ensures told:     m_owed == 0;
    ensures idle:     m_mine == TN_NONE;
    ensures wanted:   c->unwanted[slot] != 1 ==> c->jobs.life[slot] == \old(c->jobs.life[slot]) &&
                      c->jobs.state[slot] == (failed == 1 ? TN_JOB_FAILED : TN_JOB_DONE);
    ensures unwanted: c->unwanted[slot] == 1 ==> tn_job_is(&c->jobs, slot, TN_JOB_FREE) &&
                      c->jobs.life[slot] != \old(c->jobs.life[slot]);
    ensures others:   tn_crew_others{Pre, Post}(c, slot);
*/
static void end_job(struct tn_crew *c, uint32_t slot, uint32_t failed)
{
    tn_jobs_end(&c->jobs, slot, failed);
    if (c->unwanted[slot] == 1)
        tn_jobs_release(&c->jobs, slot);
    /*@ ghost m_mine = TN_NONE;
        m_owed = 2; */
    tn_crew_tell_ended(c);
}

/* Cancels every job that nobody has begun. */
/*@ requires held: m_held == 1 && tn_crew_ok(c) && m_owed == 0;
    terminates \true; exits \false;
    assigns m_owed, m_done, c->jobs.state[0 .. TN_JOBS - 1];
    ensures ok:     tn_crew_ok(c);
    ensures told:   m_owed == 0;
    ensures once:   m_done == 1;
    ensures none:   \forall integer s; 0 <= s < c->jobs.cap ==>
                    c->jobs.state[s] == (\old(c->jobs.state[s]) == TN_JOB_QUEUED ?
                                         TN_JOB_CANCELLED : \old(c->jobs.state[s]));
*/
static void cancel_queued(struct tn_crew *c)
{
    uint32_t s;

    /*@ loop invariant range: 0 <= s <= c->jobs.cap;
        loop invariant ok: tn_crew_ok(c);
        loop invariant none: \forall integer k; 0 <= k < s ==>
            c->jobs.state[k] == (\at(c->jobs.state[k], Pre) == TN_JOB_QUEUED ?
                                 TN_JOB_CANCELLED : \at(c->jobs.state[k], Pre));
        loop invariant rest: \forall integer k; s <= k < c->jobs.cap ==>
            c->jobs.state[k] == \at(c->jobs.state[k], Pre);
        loop assigns s, c->jobs.state[0 .. TN_JOBS - 1];
        loop variant c->jobs.cap - s;
    */
    for (s = 0; s < c->jobs.cap; s++) {
        if (c->jobs.state[s] == TN_JOB_QUEUED)
            (void)tn_jobs_cancel(&c->jobs, s);
    }
    /*@ ghost m_done = 1;
        m_owed = 2; */
    tn_crew_tell_ended(c);
}

/* --- the calls --------------------------------------------------------------------------- */

int32_t tn_crew_submit(struct tn_crew *c, tn_job_work work, const tn_bytes *data, uint32_t len,
                       struct tn_job *job)
{
    uint32_t slot = TN_NONE;
    uint32_t life = 0;
    int32_t r = TN_EOF;

    /*@ ghost m_done = 0;
        m_full = 0; */
    if (len > TN_JOB_BYTES)
        return TN_ETOOBIG;
    tn_crew_lock(c);
    if (c->closing == 0) {
        slot = add_job(c, work, data, len);
        r = TN_EFULL;
    }
    if (slot != TN_NONE)
        life = c->jobs.life[slot];
    tn_crew_unlock(c);
    if (slot == TN_NONE)
        return r;
    job->slot = slot;
    job->life = life;
    return 1;
}

int32_t tn_crew_wait(struct tn_crew *c, struct tn_job job, tn_bytes *data, uint32_t len,
                     uint32_t *state, int64_t deadline_ms)
{
    int32_t r = 1;

    /*@ ghost m_done = 0;
        m_late = 0; */
    if (len > TN_JOB_BYTES)
        return TN_ETOOBIG;
    tn_crew_lock(c);
    /*@ loop invariant held: m_held == 1 && tn_crew_ok(c);
        loop invariant r: r == 1 || (r == 0 && m_late == 1);
        loop invariant told: m_owed == 0;
        loop assigns r, m_late, m_stale, TN_CREW_GUARDED(c);
    */
    while (r == 1 && has_job(c, job) == 1 && tn_job_over(&c->jobs, job.slot) == 0)
        r = tn_crew_await_end(c, deadline_ms);
    if (has_job(c, job) == 0) {
        r = TN_ESTALE;
    } else if (tn_job_over(&c->jobs, job.slot) == 1) {
        give_result(c, job.slot, data, len, state);
        r = 1;
    }
    tn_crew_unlock(c);
    return r;
}

int32_t tn_crew_cancel(struct tn_crew *c, struct tn_job job)
{
    int32_t r = TN_ESTALE;

    //@ ghost m_done = 0;
    tn_crew_lock(c);
    if (has_job(c, job) == 1)
        r = cancel_job(c, job.slot);
    tn_crew_unlock(c);
    return r;
}

int32_t tn_crew_forget(struct tn_crew *c, struct tn_job job)
{
    int32_t r = TN_ESTALE;

    //@ ghost m_done = 0;
    tn_crew_lock(c);
    if (has_job(c, job) == 1) {
        forget_job(c, job.slot);
        r = 1;
    }
    tn_crew_unlock(c);
    return r;
}

uint32_t tn_crew_next(struct tn_crew *c, uint32_t mine, uint32_t failed)
{
    uint32_t slot;

    tn_crew_lock(c);
    if (mine != TN_NONE)
        end_job(c, mine, failed);
    slot = take_job(c);
    /*@ loop invariant held: m_held == 1 && tn_crew_ok(c);
        loop invariant told: m_owed == 0;
        loop invariant mine: m_mine == slot && (slot != TN_NONE ==> slot < c->jobs.cap);
        loop assigns slot, m_mine, TN_CREW_GUARDED(c);
    */
    while (slot == TN_NONE && c->closing == 0) {
        tn_crew_await_job(c);
        slot = take_job(c);
    }
    /*@ ghost if (slot == TN_NONE)
            m_closing = 1; */
    tn_crew_unlock(c);
    return slot;
}

void tn_crew_stop(struct tn_crew *c, uint32_t cancel)
{
    //@ ghost m_done = 0;
    tn_crew_lock(c);
    c->closing = 1;
    /*@ ghost m_closing = 1;
        m_owed = 3; */
    tn_crew_tell_closing(c);
    if (cancel == 1)
        cancel_queued(c);
    tn_crew_unlock(c);
}
