/* The descriptor table: which descriptor is whose, and what it is watched for.
 *
 * Everything the server opens or is given stands here exactly once: one
 * descriptor for each live slot, one for each listener, the poller's own.
 * Watched descriptors are foreign: they are registered here, never closed.
 * The table is the only place that opens, closes and registers.
 *
 * It is also the register of what is watched, for the pollers that keep none.
 * Cookies (see poll/poller.h) are the results of tn_fd_table_next.
 *
 * Theorems (the clauses of the same names): `no_leak`, every descriptor that is
 * the server's is in the table; `live`, a live slot's descriptor is open, its
 * own, and registered with the slot's generation and interest; `batch`, a
 * pending report whose generation is the slot's present one is for the very
 * descriptor, in the very life, that the kernel reported.
 */
#ifndef TN_SERVE_FD_TABLE_H
#define TN_SERVE_FD_TABLE_H

#include "core/slots.h"
#include "poll/poller.h"

struct tn_fd_table {
    struct tn_poller poller;
    struct tn_slots slots;
    size_t mask;                      /* what the report taken last says */
    int32_t fd[TN_CONNECTIONS];       /* -1 unless the slot is live */
    int16_t interest[TN_CONNECTIONS]; /* what a live slot's fd is watched for */
    int32_t listener[TN_LISTENERS];   /* -1 where there is none */
    int16_t listening[TN_LISTENERS];  /* TN_READ, or 0 while paused */
    int32_t watch[TN_WATCHES];        /* -1 where there is none */
    uint16_t watch_gen[TN_WATCHES];   /* of its registration: tells reports of an earlier one */
};

/*@ ghost
    // the cookie a descriptor stands under; TN_COOKIES: the poller
    int32_t  k_own[TN_SYS_FDS];
    uint64_t k_slot_inc[TN_CONNECTIONS]; // the life of the descriptor a live slot holds
*/

/*@ predicate tn_table_shape{L}(struct tn_fd_table *t) =
        \valid(t) && tn_slots_ok(&t->slots) && tn_poller_range(&t->poller);
    predicate tn_table_conn{L}(struct tn_fd_table *t, integer s) =
        k_ours(t->fd[s]) && k_own[t->fd[s]] == s && k_slot_inc[s] == k_inc[t->fd[s]] &&
        k_reg[t->fd[s]] == 1 && k_reg_slot[t->fd[s]] == s &&
        k_reg_gen[t->fd[s]] == t->slots.gen[s] && k_reg_mask[t->fd[s]] == t->interest[s];
    predicate tn_table_live{L}(struct tn_fd_table *t) =
        \forall integer s; 0 <= s < t->slots.cap ==>
            (tn_slot_live(&t->slots, s) ? tn_table_conn(t, s) : t->fd[s] == -1);
    predicate tn_table_listening{L}(struct tn_fd_table *t) =
        \forall integer l; 0 <= l < TN_LISTENERS && t->listener[l] != -1 ==>
            k_ours(t->listener[l]) && k_own[t->listener[l]] == TN_LISTENER_COOKIE + l &&
            k_reg[t->listener[l]] == 1 &&
            k_reg_slot[t->listener[l]] == TN_LISTENER_COOKIE + l &&
            k_reg_gen[t->listener[l]] == 0 &&
            k_reg_mask[t->listener[l]] == t->listening[l];
    predicate tn_table_polling{L}(struct tn_fd_table *t) =
        t->poller.fd == -1 ||
        (k_ours(t->poller.fd) && k_own[t->poller.fd] == TN_COOKIES && k_reg[t->poller.fd] == 0);
    predicate tn_table_owned{L}(struct tn_fd_table *t, integer f) =
        (0 <= k_own[f] < t->slots.cap && tn_slot_live(&t->slots, k_own[f]) &&
         t->fd[k_own[f]] == f) ||
        (TN_LISTENER_COOKIE <= k_own[f] < TN_WATCH_COOKIE &&
         t->listener[k_own[f] - TN_LISTENER_COOKIE] == f) ||
        (k_own[f] == TN_COOKIES && t->poller.fd == f);
    predicate tn_table_no_leak{L}(struct tn_fd_table *t) =
        \forall integer f; 0 <= f < TN_SYS_FDS && k_open[f] == 1 ==> tn_table_owned(t, f);
    predicate tn_table_registered{L}(struct tn_fd_table *t) =
        \forall integer f; 0 <= f < TN_SYS_FDS && k_reg[f] == 1 ==>
            (k_open[f] == 1 && k_reg_slot[f] == k_own[f] && k_own[f] < TN_WATCH_COOKIE) ||
            (k_open[f] == 2 && TN_WATCH_COOKIE <= k_reg_slot[f] < TN_COOKIES &&
             k_own[f] == k_reg_slot[f] && t->watch[k_own[f] - TN_WATCH_COOKIE] == f);
    predicate tn_table_watching{L}(struct tn_fd_table *t) =
        \forall integer w; 0 <= w < TN_WATCHES && t->watch[w] != -1 ==>
            k_number(t->watch[w]) && k_open[t->watch[w]] == 2 &&
            k_own[t->watch[w]] == TN_WATCH_COOKIE + w && k_reg[t->watch[w]] == 1 &&
            k_reg_slot[t->watch[w]] == TN_WATCH_COOKIE + w &&
            k_reg_gen[t->watch[w]] == t->watch_gen[w];
    // the i-th report, if it is for a connection that is still the same, is for
    // the life of the descriptor that the connection holds
    predicate tn_report_ok{L}(struct tn_fd_table *t, integer i, integer s, integer gen) =
        s < TN_COOKIES &&
        (s < TN_CONNECTIONS ==>
            s < t->slots.cap && gen <= t->slots.gen[s] &&
            (tn_slot_live(&t->slots, s)
                ? (gen == t->slots.gen[s] ==>
                       t->fd[s] == k_ev_fd[i] && k_slot_inc[s] == k_ev_inc[i])
                : (gen < t->slots.gen[s] || tn_slot_retired(&t->slots, s))));
    predicate tn_table_batch{L}(struct tn_fd_table *t) =
        \forall integer i; t->poller.pos <= i < t->poller.count ==>
            tn_report_ok(t, i, t->poller.ready[i].slot, t->poller.ready[i].gen);
*/

/* The invariant of the table, clause by clause; K is `requires` or `ensures`. */
#define TN_TABLE_OK(K, t) \
    K shape : tn_table_shape(t); \
    K model : k_inv; \
    K live : tn_table_live(t); \
    K listening : tn_table_listening(t); \
    K polling : tn_table_polling(t); \
    K no_leak : tn_table_no_leak(t); \
    K registered : tn_table_registered(t); \
    K watching : tn_table_watching(t); \
    K batch : tn_table_batch(t)

/* The same in one clause. */
#define TN_TABLE_CLAUSES(t) \
    tn_table_shape(t) && tn_table_live(t) && tn_table_listening(t) && tn_table_polling(t) && \
        tn_table_no_leak(t) && tn_table_registered(t) && tn_table_watching(t) && \
        tn_table_batch(t) && k_inv
/*@ predicate tn_table_ok{L}(struct tn_fd_table *t) = TN_TABLE_CLAUSES(t);
    // the listener or the watched descriptor under cookie is there
    predicate tn_table_there{L}(struct tn_fd_table *t, integer cookie) =
        (TN_LISTENER_COOKIE <= cookie < TN_WATCH_COOKIE &&
         t->listener[cookie - TN_LISTENER_COOKIE] != -1) ||
        (TN_WATCH_COOKIE <= cookie < TN_COOKIES && t->watch[cookie - TN_WATCH_COOKIE] != -1);
    // slot s of the table is the same connection before and after, watched alike
    predicate tn_table_same{A, B}(struct tn_fd_table *t, integer s) =
        (\at(tn_slot_live(&t->slots, s), A) <==> \at(tn_slot_live(&t->slots, s), B)) &&
        \at(t->fd[s], A) == \at(t->fd[s], B) && \at(t->interest[s], A) == \at(t->interest[s], B);
*/

/* Makes an empty table for cap connections (1 .. TN_CONNECTIONS) and opens its
 * poller, of a model that this build has.  No descriptor may be the server's
 * yet.  Returns 1, or TN_EFILES, TN_EMEMORY, TN_ESYSTEM; nothing is open then. */
/*@ requires room:  \valid(t) && 0 < cap <= TN_CONNECTIONS && model < TN_MODELS;
    requires model: k_inv;
    requires none:  \forall integer f; 0 <= f < TN_SYS_FDS ==> k_open[f] != 1 && k_reg[f] == 0;
    terminates \true; exits \false;
    assigns *t, k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1],
            k_own[0 .. TN_SYS_FDS - 1];
    ensures result: \result == 1 || \result == TN_EFILES || \result == TN_EMEMORY ||
                    \result == TN_ESYSTEM;
    ensures ok:     \result == 1 ==> tn_table_ok(t);
    ensures empty:  \result == 1 ==> t->slots.cap == cap && t->slots.live == 0 &&
                    t->poller.pos == t->poller.count;
    ensures kept:   \forall integer f; 0 <= f < TN_SYS_FDS && \old(k_open[f]) == 2 ==>
                    k_open[f] == 2;
    ensures failed: \result < 0 ==> k_open == \old(k_open);
*/
int32_t tn_fd_table_init(struct tn_fd_table *t, uint32_t cap, uint32_t model);

/* Adopts the listening descriptor fd: it is the table's to close from now on.
 * Returns its number l in 0 .. TN_LISTENERS - 1, or TN_EFULL, TN_EMEMORY,
 * TN_ESYSTEM; fd stays the caller's then. */
/*@ TN_TABLE_OK(requires, t);
    requires foreign: k_number(fd) && k_open[fd] == 2 && k_reg[fd] == 0;
    terminates \true; exits \false;
    assigns t->listener[0 .. TN_LISTENERS - 1], t->listening[0 .. TN_LISTENERS - 1],
            t->poller.edges, k_open[fd], k_own[fd], k_reg[fd], k_reg_slot[fd], k_reg_gen[fd],
            k_reg_mask[fd];
    TN_TABLE_OK(ensures, t);
    ensures result:  \result == TN_EFULL || \result == TN_EMEMORY || \result == TN_ESYSTEM ||
                     0 <= \result < TN_LISTENERS;
    ensures adopted: \result >= 0 ==> t->listener[\result] == fd && k_open[fd] == 1;
    ensures failed:  \result < 0 ==> k_open[fd] == 2 && k_reg[fd] == 0;
*/
int32_t tn_fd_table_listen(struct tn_fd_table *t, int32_t fd);

/* Watches listener l for connections (mask TN_READ), or not for now (0). */
/*@ TN_TABLE_OK(requires, t);
    requires open: l < TN_LISTENERS && t->listener[l] != -1;
    requires mask: mask == TN_READ || mask == 0;
    terminates \true; exits \false;
    assigns t->listening[l], t->poller.edges, k_reg_mask[t->listener[l]];
    TN_TABLE_OK(ensures, t);
    ensures set: t->listening[l] == mask;
*/
void tn_fd_table_listening(struct tn_fd_table *t, uint32_t l, uint32_t mask);

/* Closes listener l. */
/*@ TN_TABLE_OK(requires, t);
    requires open: l < TN_LISTENERS && t->listener[l] != -1;
    terminates \true; exits \false;
    assigns t->listener[l], t->listening[l], k_open[t->listener[l]], k_reg[t->listener[l]];
    TN_TABLE_OK(ensures, t);
    ensures closed: t->listener[l] == -1 && k_open[\old(t->listener[l])] == 0;
*/
void tn_fd_table_unlisten(struct tn_fd_table *t, uint32_t l);

/* Watches the foreign descriptor fd for reading; it stays its owner's, who must
 * not close it before tn_fd_table_unwatch.  Returns its number w in
 * 0 .. TN_WATCHES - 1, or TN_EFULL, TN_EMEMORY, TN_ESYSTEM. */
/*@ TN_TABLE_OK(requires, t);
    requires foreign: k_number(fd) && k_open[fd] == 2 && k_reg[fd] == 0;
    terminates \true; exits \false;
    assigns t->watch[0 .. TN_WATCHES - 1], t->poller.edges, k_own[fd], k_reg[fd], k_reg_slot[fd],
            k_reg_gen[fd], k_reg_mask[fd];
    TN_TABLE_OK(ensures, t);
    ensures result:  \result == TN_EFULL || \result == TN_EMEMORY || \result == TN_ESYSTEM ||
                     0 <= \result < TN_WATCHES;
    ensures watched: \result >= 0 ==> t->watch[\result] == fd;
    ensures failed:  \result < 0 ==> k_reg[fd] == 0;
*/
int32_t tn_fd_table_watch(struct tn_fd_table *t, int32_t fd);

/* Watches the foreign descriptor number w no more. */
/*@ TN_TABLE_OK(requires, t);
    requires known: w < TN_WATCHES && t->watch[w] != -1;
    terminates \true; exits \false;
    assigns t->watch[w], t->watch_gen[w], k_reg[t->watch[w]];
    TN_TABLE_OK(ensures, t);
    ensures gone: t->watch[w] == -1 && k_reg[\old(t->watch[w])] == 0;
*/
void tn_fd_table_unwatch(struct tn_fd_table *t, uint32_t w);

/* Takes one connection from listener l into a free slot, watched for reading.
 * Returns the slot; TN_EAGAIN when there is none to take; TN_EFULL when the
 * table is full; TN_EFILES, TN_EMEMORY, TN_ESYSTEM when the kernel cannot now.
 * A connection that cannot be watched is closed again: TN_EFILES also if it got
 * a number that select cannot be asked about. */
/*@ TN_TABLE_OK(requires, t);
    requires open: l < TN_LISTENERS && t->listener[l] != -1;
    terminates \true; exits \false;
    assigns t->slots.live, t->slots.usable, t->slots.perm[0 .. t->slots.cap - 1],
            t->slots.pos[0 .. t->slots.cap - 1], t->slots.gen[0 .. t->slots.cap - 1],
            t->fd[0 .. t->slots.cap - 1], t->interest[0 .. t->slots.cap - 1], t->poller.edges,
            k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1], k_rx[0 .. TN_SYS_FDS - 1],
            k_tx[0 .. TN_SYS_FDS - 1], k_log[0 .. TN_SYS_FDS - 1], k_reg[0 .. TN_SYS_FDS - 1],
            k_reg_slot[0 .. TN_SYS_FDS - 1], k_reg_gen[0 .. TN_SYS_FDS - 1],
            k_reg_mask[0 .. TN_SYS_FDS - 1], k_own[0 .. TN_SYS_FDS - 1],
            k_slot_inc[0 .. TN_CONNECTIONS - 1];
    TN_TABLE_OK(ensures, t);
    ensures result: \result == TN_EAGAIN || \result == TN_EFULL || \result == TN_EFILES ||
                    \result == TN_EMEMORY || \result == TN_ESYSTEM || 0 <= \result < t->slots.cap;
    ensures opened: \result >= 0 ==> tn_slot_live(&t->slots, \result) &&
                    !tn_slot_live{Pre}(&t->slots, \result) && t->interest[\result] == TN_READ;
    ensures fresh:  \result >= 0 ==> k_rx[t->fd[\result]] == 0 && k_tx[t->fd[\result]] == 0 &&
                    k_log[t->fd[\result]] == 0;
    ensures others: \forall integer s; 0 <= s < t->slots.cap && s != \result ==>
                    tn_table_same{Pre, Post}(t, s);
    ensures streams: \forall integer f; 0 <= f < TN_SYS_FDS && \old(k_open[f]) == 1 ==>
                    k_open[f] == 1 && k_inc[f] == \old(k_inc[f]) && k_rx[f] == \old(k_rx[f]) &&
                    k_tx[f] == \old(k_tx[f]) && k_log[f] == \old(k_log[f]);
    ensures foreign: \forall integer f; 0 <= f < TN_SYS_FDS && \old(k_open[f]) == 2 ==>
                    k_open[f] == 2 && k_reg[f] == \old(k_reg[f]);
*/
int32_t tn_fd_table_accept(struct tn_fd_table *t, uint32_t l);

/* Closes the connection in slot s: its descriptor is closed once, its handles
 * are stale, its pending reports will reach nobody. */
/*@ TN_TABLE_OK(requires, t);
    requires live: tn_slot_live(&t->slots, s);
    terminates \true; exits \false;
    assigns t->slots.live, t->slots.usable, t->slots.perm[0 .. t->slots.cap - 1],
            t->slots.pos[0 .. t->slots.cap - 1], t->slots.gen[s], t->fd[s],
            k_open[t->fd[s]], k_reg[t->fd[s]];
    TN_TABLE_OK(ensures, t);
    ensures closed: !tn_slot_live(&t->slots, s) && k_open[\old(t->fd[s])] == 0;
    ensures fewer:  t->slots.live == \old(t->slots.live) - 1;
    ensures others: \forall integer o; 0 <= o < t->slots.cap && o != s ==>
                    tn_table_same{Pre, Post}(t, o);
*/
void tn_fd_table_close(struct tn_fd_table *t, uint32_t s);

/* Watches the connection in slot s for mask from now on. */
/*@ TN_TABLE_OK(requires, t);
    requires live: tn_slot_live(&t->slots, s);
    requires mask: mask <= TN_READ + TN_WRITE;
    terminates \true; exits \false;
    assigns t->interest[s], t->poller.edges, k_reg_mask[t->fd[s]];
    TN_TABLE_OK(ensures, t);
    ensures set: t->interest[s] == mask;
*/
void tn_fd_table_interest(struct tn_fd_table *t, uint32_t s, uint32_t mask);

/* Says that a receive (mask TN_READ) or a send (TN_WRITE) of the connection in
 * slot s moved n bytes, fewer than there was room or need for: it is not ready
 * any more.  Only epoll-et wants to know. */
/*@ requires room: \valid(t);
    requires mask: mask == TN_READ || mask == TN_WRITE;
    terminates \true; exits \false;
    assigns t->poller.edges;
    ensures kept: tn_edges_but{Pre, Post}(&t->poller, s);
*/
void tn_fd_table_spent(struct tn_fd_table *t, uint32_t s, uint32_t mask, int32_t n);

/* Waits up to timeout_ms (-1: for ever) for a new batch of reports; the last
 * one must have been taken whole.  moved is any measure of the bytes and
 * connections moved so far; only polling looks at it.  Returns their number, 0,
 * or TN_ESYSTEM. */
/*@ TN_TABLE_OK(requires, t);
    requires taken: t->poller.pos == t->poller.count;
    terminates \true; exits \false;
    assigns t->poller.pos, t->poller.count, t->poller.ready[0 .. TN_BATCH - 1], t->poller.turn,
            t->poller.vain, t->poller.moved, t->poller.waiting, t->poller.edges,
            t->poller.asked[0 .. TN_ASKED - 1], t->poller.who[0 .. TN_WHO - 1],
            k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    TN_TABLE_OK(ensures, t);
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    ensures batch:  t->poller.pos == 0 && t->poller.count == (\result > 0 ? \result : 0);
*/
int32_t tn_fd_table_wait(struct tn_fd_table *t, int32_t timeout_ms, int64_t moved);

/* Takes the next report of the batch that still has an owner; stale ones are
 * passed over.  Returns whom it is for (see above) and leaves in t->mask what
 * it is ready for; TN_NONE when the batch is done. */
/*@ TN_TABLE_OK(requires, t);
    terminates \true; exits \false;
    assigns t->poller.pos, t->mask;
    TN_TABLE_OK(ensures, t);
    ensures result: \result == TN_NONE || \result < TN_COOKIES;
    ensures done:   \result == TN_NONE ==> t->poller.pos == t->poller.count;
    ensures taken:  \result != TN_NONE ==>
                    \old(t->poller.pos) < t->poller.pos <= t->poller.count;
    ensures no_stale_event: \result < TN_CONNECTIONS ==>
                    tn_slot_live(&t->slots, \result) &&
                    t->fd[\result] == k_ev_fd[t->poller.pos - 1] &&
                    k_inc[t->fd[\result]] == k_ev_inc[t->poller.pos - 1];
    ensures there: \result != TN_NONE && \result >= TN_CONNECTIONS ==> tn_table_there(t, \result);
*/
uint32_t tn_fd_table_next(struct tn_fd_table *t);

/* Closes listeners and poller, and forgets what is watched.  No connection may
 * be live.  Afterwards no descriptor is the server's. */
/*@ TN_TABLE_OK(requires, t);
    requires none: t->slots.live == 0;
    terminates \true; exits \false;
    assigns t->listener[0 .. TN_LISTENERS - 1], t->listening[0 .. TN_LISTENERS - 1],
            t->watch[0 .. TN_WATCHES - 1], t->watch_gen[0 .. TN_WATCHES - 1],
            t->poller.fd, t->poller.pos, t->poller.count,
            k_open[0 .. TN_SYS_FDS - 1], k_reg[0 .. TN_SYS_FDS - 1];
    ensures all_closed: \forall integer f; 0 <= f < TN_SYS_FDS ==> k_open[f] != 1;
    ensures foreign_kept: \forall integer f; 0 <= f < TN_SYS_FDS && \old(k_open[f]) == 2 ==>
                    k_open[f] == 2;
    ensures unregistered: \forall integer f; 0 <= f < TN_SYS_FDS ==> k_reg[f] != 1;
*/
void tn_fd_table_fini(struct tn_fd_table *t);

#endif
