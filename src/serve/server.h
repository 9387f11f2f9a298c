/* The pull engine: one event at a time, and nobody is called back.
 *
 *     struct tn_event ev;
 *     while (tn_next(&server, &ev, TN_FOREVER) > 0)
 *         if (ev.type == TN_FRAME)
 *             tn_send(&server, ev.conn, ev.data, ev.len);
 *
 * The server is one object of fixed size (see core/base.h for what sizes it),
 * owned by the caller, used by one thread.  It allocates nothing.  An idle
 * connection costs a slot in its tables and no buffer.
 *
 * One receive serves each readiness: every frame of it is delivered, one per
 * tn_next, and all that was sent to that connection meanwhile leaves in one
 * send.  What the kernel does not take waits in the connection's buffer, and
 * while too much waits, no more is received: the peer is slowed down, nothing
 * is dropped.  When all buffers are lent, connections that need one are parked
 * and resume in turn.
 *
 * The caller's timers come as events too.  None is early.  They are looked at
 * when all is served that the last wait reported, and what they are due by is
 * the clock at the end of that wait: so each rings at most once between two
 * waits, and neither timers nor connections can keep the other from their turn.
 */
#ifndef TN_SERVE_SERVER_H
#define TN_SERVE_SERVER_H

#include "serve/payload.h"
#include "serve/state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a server.  No descriptor may be the server's yet.  Returns 1;
 * TN_EINVAL if an option is out of range or this build lacks the model;
 * TN_EFILES, TN_EMEMORY or TN_ESYSTEM if the kernel refuses. */
/*@ requires room:  \valid(s) && \valid_read(o) && \separated(s, o);
    requires model: k_inv;
    requires none:  \forall integer f; 0 <= f < TN_SYS_FDS ==> k_open[f] != 1 && k_reg[f] == 0;
    terminates \true; exits \false;
    assigns *s, k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1], k_own[0 .. TN_SYS_FDS - 1];
    ensures result: \result == 1 || \result == TN_EINVAL || \result == TN_EFILES ||
                    \result == TN_EMEMORY || \result == TN_ESYSTEM;
    ensures refused: \result == TN_EINVAL <==> o->connections > TN_CONNECTIONS ||
                    o->framing > TN_VARINT || o->frame_max > TN_FRAME_MAX ||
                    o->model >= TN_MODELS;
    ensures ok:     \result == 1 ==> tn_server_ok(s);
    ensures empty:  \result == 1 ==> s->table.slots.live == 0 && s->cur == TN_NONE &&
                    s->framing == o->framing;
    ensures kept:   \forall integer f; 0 <= f < TN_SYS_FDS && \old(k_open[f]) == 2 ==>
                    k_open[f] == 2;
    ensures failed: \result < 0 ==> k_open == \old(k_open);
*/
int32_t tn_init(struct tn_server *s, const struct tn_options *o);

/* Gives the server a listening, non-blocking stream descriptor; it is the
 * server's to close from now on.  Returns 1, or TN_EFULL (TN_LISTENERS are
 * there), TN_EMEMORY, TN_ESYSTEM: fd stays the caller's then.  TN_EOF once
 * tn_drain was called. */
/*@ requires ok: tn_server_ok(s);
    requires foreign: k_number(fd) && k_open[fd] == 2 && k_reg[fd] == 0;
    terminates \true; exits \false;
    assigns s->table.listener[0 .. TN_LISTENERS - 1], s->table.listening[0 .. TN_LISTENERS - 1],
            s->table.poller.edges, k_open[fd], k_own[fd], k_reg[fd], k_reg_slot[fd], k_reg_gen[fd],
            k_reg_mask[fd];
    ensures ok: tn_server_ok(s);
    ensures result:  \result == 1 || \result == TN_EOF || \result == TN_EFULL ||
                     \result == TN_EMEMORY || \result == TN_ESYSTEM;
    ensures drained: \result == TN_EOF <==> s->draining == 1;
    ensures adopted: \result == 1 ==> k_open[fd] == 1;
    ensures failed:  \result < 0 ==> k_open[fd] == 2 && k_reg[fd] == 0;
*/
int32_t tn_listen(struct tn_server *s, int32_t fd);

/* Watches a foreign descriptor for reading and reports TN_READY with its
 * number, again and again until it is read empty.  It stays the caller's, who
 * must call tn_unwatch before closing it.  Returns its number >= 0, or
 * TN_EFULL, TN_EMEMORY, TN_ESYSTEM (not a descriptor that can be waited for). */
/*@ requires ok: tn_server_ok(s);
    requires foreign: k_number(fd) && k_open[fd] == 2 && k_reg[fd] == 0;
    terminates \true; exits \false;
    assigns s->table.watch[0 .. TN_WATCHES - 1], s->table.poller.edges, k_own[fd], k_reg[fd],
            k_reg_slot[fd], k_reg_gen[fd], k_reg_mask[fd];
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures result:  \result == TN_EFULL || \result == TN_EMEMORY || \result == TN_ESYSTEM ||
                     0 <= \result < TN_WATCHES;
    ensures watched: \result >= 0 ==> s->table.watch[\result] == fd;
    ensures failed:  \result < 0 ==> k_reg[fd] == 0;
*/
int32_t tn_watch(struct tn_server *s, int32_t fd);

/* Watches it no more.  TN_EINVAL if w is no such number, otherwise 1. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns s->table.watch[0 .. TN_WATCHES - 1], s->table.watch_gen[0 .. TN_WATCHES - 1],
            k_reg[0 .. TN_SYS_FDS - 1];
    TN_SERVER_OK(ensures, s, TN_NONE);
    ensures result: \result == 1 || \result == TN_EINVAL;
    ensures known:  \result == 1 <==> w < TN_WATCHES && \old(s->table.watch[w]) != -1;
    ensures gone:   \result == 1 ==> s->table.watch[w] == -1 && k_reg[\old(s->table.watch[w])] == 0;
*/
int32_t tn_unwatch(struct tn_server *s, uint32_t w);

/* Sets the caller's timer of this number, whether or not it was set: TN_TIMER
 * comes when after_ms have passed (0 .. TN_TIMER_MAX_MS; never sooner, and 0 is
 * within a millisecond, as soon as what is ready has been served), and then
 * every every_ms (at most TN_TIMER_MAX_MS; 0: not again).  The times of a period
 * are counted from the first, so that it does not drift; when several have
 * passed, because the caller was busy or the clock has jumped, it comes once
 * for all of them.  Timers go on during a drain, and neither keep it nor are
 * left after it.
 * Returns 1, or TN_EINVAL: timer is not below TN_USER_TIMERS (core/base.h), or
 * a time is out of its range. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns s->user_timers;
    ensures ok: tn_server_ok(s);
    ensures result: \result == 1 || \result == TN_EINVAL;
    ensures refused: \result == TN_EINVAL <==> timer >= TN_USER_TIMERS ||
                    after_ms < 0 || after_ms > TN_TIMER_MAX_MS ||
                    every_ms < 0 || every_ms > TN_TIMER_MAX_MS;
    ensures every:  \result == 1 ==> s->user_timers.every[timer] == every_ms;
*/
int32_t tn_timer_set(struct tn_server *s, uint32_t timer, int64_t after_ms, int64_t every_ms);

/* Sets it no more: no TN_TIMER of it comes until it is set again.  Returns 1,
 * also when it was not set, or TN_EINVAL: it is not below TN_USER_TIMERS. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns s->user_timers;
    ensures ok: tn_server_ok(s);
    ensures result: \result == 1 || \result == TN_EINVAL;
    ensures refused: \result == TN_EINVAL <==> timer >= TN_USER_TIMERS;
    ensures unset:  \result == 1 ==> s->user_timers.due[timer] == TN_NEVER;
*/
int32_t tn_timer_cancel(struct tn_server *s, uint32_t timer);

/* Waits up to timeout_ms (TN_FOREVER: without limit; 0: not at all) for the
 * next event and fills *ev.  Returns 1; 0 when the time is over; TN_EOF when a
 * drain has ended and every connection is closed; TN_ESYSTEM when the kernel
 * refuses to wait.  It does not end before one of these: that is the world's
 * doing, not a theorem's. */
/*@ requires ok: tn_server_ok(s);
    requires room: \valid(ev) && \separated(ev, s);
    terminates \false; exits \false;
    assigns *s, *ev, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_EOF || \result == TN_ESYSTEM;
    ensures type:   \result == 1 ==> TN_OPENED <= ev->type <= TN_TIMER;
    ensures event:  \result == 1 ==> tn_event_ok(s, *ev);
    ensures frame:  \result == 1 ==> tn_frame_ok(s, *ev);
    ensures end:    \result == TN_EOF ==> s->table.slots.live == 0;
*/
int32_t tn_next(struct tn_server *s, struct tn_event *ev, int32_t timeout_ms);

/* Accepts one message for sending: the frame that carries data[0 .. len - 1].
 * It is copied; whole frames are accepted or nothing.  data may be the data of
 * a TN_FRAME event.  Replies to the connection that is being delivered leave
 * together, when its delivery ends; to another it leaves at once, if nothing is
 * pending before it.
 * Returns 1; 0 when there is no room now (it will fit when the peer has read:
 * a reply to the frame just delivered always fits, and that frame itself is
 * never refused as a reply); TN_ETOOBIG beyond the frame
 * maximum; TN_EFRAME when the framing cannot carry it; TN_ESTALE when the
 * connection is gone; TN_EOF when it is finishing. */
/*@ requires ok: tn_server_ok(s);
    requires bytes: \valid_read(data + (0 .. len - 1));
    requires apart: \forall integer b; 0 <= b < TN_BLOCKS ==>
                    \separated(data + (0 .. len - 1), &s->buffer[b].out[0 .. TN_OUT_CAP - 1]);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures result: \result == 1 || \result == 0 || \result == TN_ETOOBIG ||
                    \result == TN_EFRAME || \result == TN_ESTALE || \result == TN_EOF;
    ensures stale_refused: \result == TN_ESTALE <==> !\old(tn_handle_live(s, conn));
    ensures refused: \result != 1 && \result != TN_ESTALE ==>
                    k_log[\old(s->table.fd[conn.slot])] ==
                        \old(k_log[s->table.fd[conn.slot]]);
    ensures accepted: \result == 1 ==>
                    k_log[\old(s->table.fd[conn.slot])] ==
                        \old(k_log[s->table.fd[conn.slot]]) +
                            tn_frame_before(s->framing, len) + len + tn_frame_after(s->framing);
    ensures carried: \result == 1 ==> \old(
                    tn_carried(data, len, s->table.fd[conn.slot], k_inc[s->table.fd[conn.slot]],
                               k_log[s->table.fd[conn.slot]] + tn_frame_before(s->framing, len)));
    ensures reply_fits: \old(tn_handle_live(s, conn) && s->cur == conn.slot &&
                    tn_out(s, conn.slot) <= TN_OUTPUT_HIGH) ==> \result != 0;
    ensures bad_payload: \result == TN_EFRAME ==> !\old(tn_frame_carries(s->framing, data, 0, len));
    ensures too_big: \result == TN_ETOOBIG ==> len > \old(s->frame_max);
    ensures finishing: \result == TN_EOF ==> \old(s->conn[conn.slot].state) >= TN_CONN_FLUSHING;
*/
int32_t tn_send(struct tn_server *s, struct tn_handle conn, const uint8_t *data, uint32_t len);

/* Ends a connection in good order: nothing more is delivered from it, what was
 * accepted for sending is sent, then it is closed and TN_CLOSED reported.
 * Returns 1, or TN_ESTALE. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures result: \result == 1 || \result == TN_ESTALE;
    ensures stale_refused: \result == TN_ESTALE <==> !\old(tn_handle_live(s, conn));
*/
int32_t tn_finish(struct tn_server *s, struct tn_handle conn);

/* Closes a connection at once; what is unsent is dropped.  No event follows.
 * Returns 1, or TN_ESTALE. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures ok: tn_server_ok(s);
    ensures result: \result == 1 || \result == TN_ESTALE;
    ensures stale_refused: \result == TN_ESTALE <==> !\old(tn_handle_live(s, conn));
    ensures closed: !tn_handle_live(s, conn);
    ensures counted: \result == 1 ==> s->counters.closed[TN_BY_CALLER] ==
                    tn_counted(\old(s->counters.closed[TN_BY_CALLER]), 1);
*/
int32_t tn_close(struct tn_server *s, struct tn_handle conn);

/* Ends the server in good order: who had connected is accepted, the listeners
 * are closed, connections finished as by tn_finish once what has come from them
 * is answered, and those that are left after timeout_ms (TN_FOREVER: no limit)
 * closed.  Go on calling tn_next, which does all that: it returns TN_EOF at the
 * end. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns s->draining, s->backlog, s->drain_cursor, s->now_ms, s->drain_ms;
    ensures ok: tn_server_ok(s);
    ensures draining: s->draining == 1;
    ensures once: \old(s->draining) == 1 ==> s->drain_ms == \old(s->drain_ms);
*/
void tn_drain(struct tn_server *s, int32_t timeout_ms);

/* Closes everything the server has open, at once.  Afterwards only tn_init may
 * be called on it. */
/*@ requires ok: tn_server_ok(s);
    terminates \true; exits \false;
    assigns *s, TN_KERNEL_STATE;
    ensures all_closed: \forall integer f; 0 <= f < TN_SYS_FDS ==> k_open[f] != 1;
*/
void tn_fini(struct tn_server *s);

#ifdef __cplusplus
}
#endif

#endif
