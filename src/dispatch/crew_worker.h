/* What the threads of a crew, and who starts and ends them, ask of its table. */
#ifndef TN_DISPATCH_CREW_WORKER_H
#define TN_DISPATCH_CREW_WORKER_H

#include "dispatch/crew.h"

/* Makes the table of c empty, for at most jobs. */
/*@ requires room: \valid(c) && 1 <= jobs <= TN_JOBS;
    terminates \true; exits \false;
    assigns c->closing, c->jobs, m_held, m_owed, m_mine, m_closing;
    ensures ok:    tn_crew_ok(c) && c->closing == 0;
    ensures empty: c->jobs.cap == jobs && \forall integer s; 0 <= s < jobs ==>
                   c->jobs.state[s] == TN_JOB_FREE;
    ensures free:  m_held == 0 && m_owed == 0 && m_mine == TN_NONE && m_closing == 0;
*/
void tn_crew_init(struct tn_crew *c, uint32_t jobs);

/* Ends the job that the calling thread does (mine; TN_NONE: none), with a result or,
 * failed 1, without; then waits for a job and begins it: the one that was queued
 * first, which is the calling thread's until it ends it.  Returns its slot, or
 * TN_NONE when the crew closes and none is queued any more. */
/*@ requires made:  tn_crew_made(c) && m_held == 0 && m_owed == 0;
    requires mine:  m_mine == mine;
    requires known: failed == 0 || failed == 1;
    terminates \false; exits \false;
    assigns m_held, m_owed, m_mine, m_closing, TN_CREW_GUARDED(c);
    ensures free:    m_held == 0;
    ensures told:    m_owed == 0;
    ensures mine:    m_mine == \result && (\result != TN_NONE ==> \result < c->jobs.cap);
    ensures closing: \result == TN_NONE ==> m_closing == 1;
*/
uint32_t tn_crew_next(struct tn_crew *c, uint32_t mine, uint32_t failed);

/* Lets the crew close: nothing more is accepted; cancel 1: what is queued is
 * cancelled. */
/*@ requires made: tn_crew_made(c) && m_held == 0 && m_owed == 0;
    terminates \true; exits \false;
    assigns m_held, m_owed, m_done, m_closing, TN_CREW_GUARDED(c);
    ensures free:      m_held == 0;
    ensures told:      m_owed == 0;
    ensures closing:   m_closing == 1;
    ensures cancelled: m_done == (cancel == 1 ? 1 : 0);
*/
void tn_crew_stop(struct tn_crew *c, uint32_t cancel);

#endif
