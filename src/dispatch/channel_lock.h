/* The lock of a channel, as a monitor: who holds it has what it guards to itself.
 *
 * What the contracts say is assumed; it is what a lock means to a proof.  While it
 * is held by others, they may do anything with what it guards, but for breaking
 * its invariant: so that holds when the lock is taken, and must hold when it is let
 * go of, to wait or for good.  Nobody takes a lock that he holds, or lets go of one
 * that he does not hold.
 *
 * The lock guards closed, the bytes in the ring and their number.  The size of an
 * element, the ring's memory and its capacity stay as tn_channel_open made them.
 */
#ifndef TN_DISPATCH_CHANNEL_LOCK_H
#define TN_DISPATCH_CHANNEL_LOCK_H

#include "dispatch/channel.h"

/* Makes the lock of c, which nobody holds.  Returns 1 or TN_ESYSTEM. */
/*@ requires room: \valid(c);
    terminates \true; exits \false;
    assigns c->lock, c->filled, c->vacant;
    ensures result: \result == 1 || \result == TN_ESYSTEM;
*/
int32_t tn_channel_lock_init(struct tn_channel *c);

/* Ends it. */
/*@ requires made: \valid(c) && m_held == 0;
    terminates \true; exits \false;
    assigns c->lock, c->filled, c->vacant;
*/
void tn_channel_lock_fini(struct tn_channel *c);

/* Takes the lock. */
/*@ requires made:  tn_channel_made(c);
    requires apart: m_held == 0;
    terminates \true; exits \false;
    assigns m_held, m_elements, c->closed, c->ring.head, c->ring.length,
            c->ring.data[0 .. c->ring.capacity - 1];
    ensures held: m_held == 1;
    ensures ok:   tn_channel_ok(c);
*/
void tn_channel_lock(struct tn_channel *c);

/* Lets go of it.  Who has made true what others sleep for has told them. */
/*@ requires held: m_held == 1;
    requires ok:   tn_channel_ok(c);
    requires told: m_owed == 0;
    terminates \true; exits \false;
    assigns m_held, m_elements, c->closed, c->ring.head, c->ring.length,
            c->ring.data[0 .. c->ring.capacity - 1];
    ensures apart: m_held == 0;
    ensures made:  tn_channel_made(c);
*/
void tn_channel_unlock(struct tn_channel *c);

/* Lets go of the lock, sleeps until the condition is told of or the monotonic clock
 * shows deadline_ms (TN_NEVER: no limit), and holds it again.  It may wake without
 * a reason.  Returns 1; 0 when the time was over before it could sleep. */
/*@ requires held: m_held == 1;
    requires ok:   tn_channel_ok(c);
    requires told: m_owed == 0;
    requires its:  condition == &c->filled || condition == &c->vacant;
    terminates \true; exits \false;
    assigns m_elements, m_late, c->closed, c->ring.head, c->ring.length,
            c->ring.data[0 .. c->ring.capacity - 1];
    ensures held:   m_held == 1;
    ensures ok:     tn_channel_ok(c);
    ensures result: \result == 0 || \result == 1;
    ensures late:   \result == 0 ==> m_late == 1;
*/
int32_t tn_channel_wait(struct tn_channel *c, pthread_cond_t *condition, int64_t deadline_ms);

/* Tells one of those who sleep of the condition. */
/*@ requires held: m_held == 1;
    requires its:  condition == &c->filled || condition == &c->vacant;
    terminates \true; exits \false;
    assigns m_owed;
    ensures told: \old(m_owed) == (condition == &c->filled ? 1 : 2) ==> m_owed == 0;
*/
void tn_channel_tell(struct tn_channel *c, pthread_cond_t *condition);

/* Tells all who sleep, of both. */
/*@ requires held: m_held == 1;
    terminates \true; exits \false;
    assigns m_owed;
    ensures told: m_owed == 0;
*/
void tn_channel_tell_all(struct tn_channel *c);

#endif
