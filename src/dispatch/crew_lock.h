/* The lock of a crew, as a monitor (dispatch/monitor.h).
 *
 * What the contracts say is assumed.  While the lock is held by others, they may do
 * anything that keeps the invariant; of which it is a part that the job which the
 * calling thread does goes on running: crew.c ends and gives back none that another
 * thread does.
 *
 * The lock guards what TN_CREW_GUARDED names.  The capacity of the job table stays
 * as tn_crew_init made it.
 */
#ifndef TN_DISPATCH_CREW_LOCK_H
#define TN_DISPATCH_CREW_LOCK_H

#include "dispatch/crew.h"

/* Makes the lock of c, which nobody holds.  Returns 1 or TN_ESYSTEM. */
int32_t tn_crew_lock_init(struct tn_crew *c);

/* Ends it. */
void tn_crew_lock_fini(struct tn_crew *c);

/* Takes the lock. */
/*@ requires made:  tn_crew_made(c);
    requires apart: m_held == 0;
    terminates \true; exits \false;
    assigns m_held, TN_CREW_GUARDED(c);
    ensures held: m_held == 1;
    ensures ok:   tn_crew_ok(c);
*/
void tn_crew_lock(struct tn_crew *c);

/* Lets go of it.  Who has made true what others sleep for has told them. */
/*@ requires held: m_held == 1;
    requires ok:   tn_crew_ok(c);
    requires told: m_owed == 0;
    terminates \true; exits \false;
    assigns m_held, TN_CREW_GUARDED(c);
    ensures apart: m_held == 0;
    ensures made:  tn_crew_made(c);
*/
void tn_crew_unlock(struct tn_crew *c);

/* Lets go of the lock, sleeps until a job is queued or the crew closes, and holds it
 * again.  It may wake without a reason. */
/*@ requires held: m_held == 1;
    requires ok:   tn_crew_ok(c);
    requires told: m_owed == 0;
    terminates \true; exits \false;
    assigns TN_CREW_GUARDED(c);
    ensures ok:    tn_crew_ok(c);
*/
void tn_crew_await_job(struct tn_crew *c);

/* Lets go of the lock, sleeps until a job has ended or the monotonic clock shows
 * deadline_ms (TN_NEVER: no limit), and holds it again.  It may wake without a
 * reason.  Returns 1; 0 when the time was over before it could sleep. */
/*@ requires held: m_held == 1;
    requires ok:   tn_crew_ok(c);
    requires told: m_owed == 0;
    terminates \true; exits \false;
    assigns m_late, TN_CREW_GUARDED(c);
    ensures ok:     tn_crew_ok(c);
    ensures result: \result == 0 || \result == 1;
    ensures late:   \result == 0 ==> m_late == 1;
*/
int32_t tn_crew_await_end(struct tn_crew *c, int64_t deadline_ms);

/* Tells one thread of the crew that a job is queued. */
/*@ requires held: m_held == 1;
    terminates \true; exits \false;
    assigns m_owed;
    ensures told: \old(m_owed) == 1 ==> m_owed == 0;
*/
void tn_crew_tell_queued(struct tn_crew *c);

/* Tells all who wait for jobs, and who watches `done`, that one has ended. */
/*@ requires held: m_held == 1;
    terminates \true; exits \false;
    assigns m_owed;
    ensures told: \old(m_owed) == 2 ==> m_owed == 0;
*/
void tn_crew_tell_ended(struct tn_crew *c);

/* Tells all threads of the crew that it closes. */
/*@ requires held: m_held == 1;
    terminates \true; exits \false;
    assigns m_owed;
    ensures told: \old(m_owed) == 3 ==> m_owed == 0;
*/
void tn_crew_tell_closing(struct tn_crew *c);

#endif
