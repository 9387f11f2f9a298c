/* A poller: tells which of the watched descriptors are ready.
 *
 * The same contract, by whichever model the program names:
 *   TN_EPOLL     epoll, level-triggered; the kernel keeps the register
 *   TN_EPOLL_ET  epoll, edge-triggered for connections: each is registered once,
 *                and what it was said to be ready for is kept until it is used up
 *   TN_POLL      poll: the whole list is handed to the kernel at each wait
 *   TN_SELECT    select: the same, for descriptor numbers below TN_SELECT_FDS
 *   TN_POLLING   nobody is asked: whatever is watched is said to be ready, and
 *                its owner finds out by trying
 * A model is left out of a build by -DTN_WITHOUT_EPOLL, TN_WITHOUT_EPOLL_ET,
 * TN_WITHOUT_POLL, TN_WITHOUT_SELECT or TN_WITHOUT_POLLING.
 *
 * Each registration carries a cookie {slot, gen} that its reports bring back:
 *   0 .. TN_CONNECTIONS - 1   a connection's slot, with its generation
 *   TN_LISTENER_COOKIE + l    listener l
 *   TN_WATCH_COOKIE + w       foreign descriptor w
 * Only epoll is told of registrations.  The other models keep none: the
 * owner's tables are the register, and are lent to each wait (struct tn_lists).
 * Only epoll-et is told what was used up (tn_poller_spent).
 *
 * All but polling report what is ready, again and again until it is so no
 * more; a full batch goes on at the next wait where it ended, so that nobody
 * starves.  The poller owns at most one descriptor, and none of those it
 * watches.
 */
#ifndef TN_POLL_POLLER_H
#define TN_POLL_POLLER_H

#include "os/sys.h"

#include <stdbool.h>

enum tn_model { TN_EPOLL, TN_POLL, TN_SELECT, TN_POLLING, TN_EPOLL_ET };
#define TN_MODELS 5u

#define TN_LISTENER_COOKIE TN_CONNECTIONS
#define TN_WATCH_COOKIE (TN_CONNECTIONS + TN_LISTENERS)
#define TN_COOKIES (TN_CONNECTIONS + TN_LISTENERS + TN_WATCHES)

/* polling: when all that is watched was tried and nothing moved, it pauses so
 * long, or until a foreign descriptor can be read. */
#define TN_POLLING_PAUSE_MS 1

/* A list of questions is kept for the models that ask, at 12 bytes for each
 * connection. */
#if defined(TN_WITHOUT_POLL) && defined(TN_WITHOUT_SELECT) && defined(TN_WITHOUT_POLLING)
#define TN_ASKED 1u
#else
#define TN_POLLER_ASKS
#define TN_ASKED TN_COOKIES
#endif

/* What connections are ready for is kept for epoll-et, at 4 bytes for each, and
 * a queue of those that may be reported, at another 4 where no model asks. */
#ifdef TN_WITHOUT_EPOLL_ET
#define TN_EDGES 1u
#define TN_WHO TN_ASKED
#else
#define TN_EDGES TN_CONNECTIONS
#define TN_WHO TN_COOKIES
#endif
/* Slots whose interest has changed are looked for in groups of so many. */
#define TN_EDGE_GROUP 64u
#define TN_EDGE_GROUPS ((TN_EDGES + TN_EDGE_GROUP - 1) / TN_EDGE_GROUP)

struct tn_edges {
    bool readable[TN_EDGES];      /* said to be so; no receive has found it used up since */
    bool writable[TN_EDGES];      /* the same of sending */
    bool ended[TN_EDGES];         /* said to have ended, or to hold urgent data: receives may fall
                                short of what there is */
    bool queued[TN_EDGES];        /* stands in the poller's queue */
    bool changed[TN_EDGE_GROUPS]; /* one of the group may have to be queued: its interest changed */
    bool any_changed;             /* some group has */
};

struct tn_poller {
    int32_t fd;     /* of epoll: the set; otherwise, and when closed, -1 */
    uint32_t model; /* enum tn_model */
    size_t pos;     /* reports of the last batch already taken */
    size_t count;   /* reports in the last batch */
    struct tn_ready ready[TN_BATCH];

    struct tn_edges edges; /* epoll-et */
    size_t waiting;        /* epoll-et: the length of the queue: who, in a circle from turn on */

    /* else without meaning between two waits but for the first three */
    size_t turn;                     /* where in the list the next batch starts */
    size_t vain;                     /* polling: tried since something moved */
    int64_t moved;                   /* polling: the measure of that at the last wait */
    struct tn_asked asked[TN_ASKED]; /* the questions of the last wait ... */
    uint32_t who[TN_WHO];            /* ... and the cookies they are about */
};

/* What is watched, as its owner's tables have it.  -1 stands where there is no
 * descriptor.  Foreign ones are watched for reading, listeners under the
 * generation 0. */
struct tn_lists {
    uint32_t cap;              /* slots */
    uint32_t live;             /* of these, to look at ... */
    const uint32_t *perm;      /* ... perm[0 .. live - 1] */
    const int32_t *fd;         /* [cap] */
    const int16_t *interest;   /* [cap] */
    const uint32_t *gen;       /* [cap] */
    const int32_t *listener;   /* [TN_LISTENERS] */
    const int16_t *listening;  /* [TN_LISTENERS] their interest */
    const int32_t *watch;      /* [TN_WATCHES] */
    const uint16_t *watch_gen; /* [TN_WATCHES] */
};

/*@ predicate tn_poller_open{L}(struct tn_poller *p) =
        \valid(p) && (p->fd == -1 || k_ours(p->fd));
    predicate tn_poller_range{L}(struct tn_poller *p) = p->pos <= p->count <= TN_BATCH;

    // what all connections but s are ready for is the same in A and in B
    predicate tn_edges_but{A, B}(struct tn_poller *p, integer s) =
        \forall integer i; 0 <= i < TN_EDGES && i != s ==>
            \at(p->edges.readable[i], A) == \at(p->edges.readable[i], B) &&
            \at(p->edges.writable[i], A) == \at(p->edges.writable[i], B);
    // whatever was ready in A is so in B
    predicate tn_edges_kept{A, B}(struct tn_poller *p) =
        \forall integer i; 0 <= i < TN_EDGES ==>
            (\at(p->edges.readable[i], A) == 1 ==> \at(p->edges.readable[i], B) == 1) &&
            (\at(p->edges.writable[i], A) == 1 ==> \at(p->edges.writable[i], B) == 1);

    predicate tn_registered{L}(integer fd, integer slot, integer gen) =
        k_alive(fd) && k_reg[fd] == 1 && k_reg_slot[fd] == slot && k_reg_gen[fd] == gen;
    predicate tn_lists_room{L}(struct tn_lists l) =
        l.live <= l.cap <= TN_CONNECTIONS && \valid_read(l.perm + (0 .. l.live - 1)) &&
        \valid_read(l.fd + (0 .. l.cap - 1)) && \valid_read(l.interest + (0 .. l.cap - 1)) &&
        \valid_read(l.gen + (0 .. l.cap - 1)) &&
        \valid_read(l.listener + (0 .. TN_LISTENERS - 1)) &&
        \valid_read(l.listening + (0 .. TN_LISTENERS - 1)) &&
        \valid_read(l.watch + (0 .. TN_WATCHES - 1)) &&
        \valid_read(l.watch_gen + (0 .. TN_WATCHES - 1)) &&
        \forall integer i; 0 <= i < l.live ==> l.perm[i] < l.cap;
    predicate tn_lists_apart{L}(struct tn_poller *p, struct tn_lists l) =
        \separated(p, l.perm + (0 .. l.live - 1)) && \separated(p, l.fd + (0 .. l.cap - 1)) &&
        \separated(p, l.interest + (0 .. l.cap - 1)) && \separated(p, l.gen + (0 .. l.cap - 1)) &&
        \separated(p, l.listener + (0 .. TN_LISTENERS - 1)) &&
        \separated(p, l.listening + (0 .. TN_LISTENERS - 1)) &&
        \separated(p, l.watch + (0 .. TN_WATCHES - 1)) &&
        \separated(p, l.watch_gen + (0 .. TN_WATCHES - 1));
    // what the lists say is what is registered
    predicate tn_lists_true{L}(struct tn_lists l) =
        (\forall integer s; 0 <= s < l.cap && l.fd[s] != -1 ==>
            tn_registered(l.fd[s], s, l.gen[s])) &&
        (\forall integer n; 0 <= n < TN_LISTENERS && l.listener[n] != -1 ==>
            tn_registered(l.listener[n], TN_LISTENER_COOKIE + n, 0)) &&
        (\forall integer w; 0 <= w < TN_WATCHES && l.watch[w] != -1 ==>
            tn_registered(l.watch[w], TN_WATCH_COOKIE + w, l.watch_gen[w]));
    predicate tn_lists_ok{L}(struct tn_poller *p, struct tn_lists l) =
        tn_lists_room(l) && tn_lists_apart(p, l) && tn_lists_true(l);

    // each report of the batch is for a registration as it is now
    predicate tn_reports_true{L}(struct tn_poller *p) =
        \forall integer i; 0 <= i < p->count ==>
            k_number(k_ev_fd[i]) && k_reg[k_ev_fd[i]] == 1 &&
            p->ready[i].slot == k_reg_slot[k_ev_fd[i]] &&
            p->ready[i].gen == k_reg_gen[k_ev_fd[i]] && k_ev_inc[i] == k_inc[k_ev_fd[i]];
*/

/* Says whether this build has the model: 1 or 0. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures known: \result == 1 <==> model < TN_MODELS;
    ensures verdict: \result == 0 || \result == 1;
*/
uint32_t tn_poller_has(uint32_t model);

/* Opens a poller that watches nothing yet, of a model that this build has.
 * Returns 1, or TN_EFILES, TN_EMEMORY, TN_ESYSTEM; it is closed then. */
/*@ requires room:  \valid(p) && model < TN_MODELS;
    requires model: k_inv;
    terminates \true; exits \false;
    assigns p->fd, p->model, p->pos, p->count, p->turn, p->vain, p->moved, p->waiting, p->edges,
            k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1];
    ensures result: \result == 1 || \result == TN_EFILES || \result == TN_EMEMORY ||
                    \result == TN_ESYSTEM;
    ensures empty:  p->pos == 0 && p->count == 0 && p->model == model;
    ensures open:   p->fd != -1 ==> \result == 1 && k_number(p->fd) &&
                    \old(k_open[\at(p->fd, Post)]) == 0 &&
                    k_open == {\old(k_open) \with [p->fd] = (int32_t)1} &&
                    k_inc == {\old(k_inc) \with [p->fd] = k_inc[p->fd]};
    ensures none:   p->fd == -1 ==> k_open == \old(k_open) && k_inc == \old(k_inc);
    ensures set:    \result == 1 ==>
                    (p->fd != -1 <==> model == TN_EPOLL || model == TN_EPOLL_ET);
    ensures failed: \result < 0 ==> p->fd == -1;
    ensures model:  k_inv;
*/
int32_t tn_poller_open(struct tn_poller *p, uint32_t model);

/* Closes the poller; what was registered stays open and is not watched. */
/*@ requires open:  tn_poller_open(p);
    requires model: k_inv;
    terminates \true; exits \false;
    assigns p->fd, p->pos, p->count, k_open[0 .. TN_SYS_FDS - 1], k_reg[0 .. TN_SYS_FDS - 1];
    ensures closed: p->fd == -1;
    ensures set:    \old(p->fd) != -1 ==>
                    k_open == {\old(k_open) \with [\old(p->fd)] = (int32_t)0} &&
                    k_reg == {\old(k_reg) \with [\old(p->fd)] = (int32_t)0};
    ensures none:   \old(p->fd) == -1 ==> k_open == \old(k_open) && k_reg == \old(k_reg);
    ensures empty:  p->pos == 0 && p->count == 0;
    ensures model:  k_inv;
*/
void tn_poller_close(struct tn_poller *p);

/* Watches fd for mask (TN_READ, TN_WRITE, both or 0).  Returns 1, TN_EMEMORY
 * or TN_ESYSTEM (the kernel cannot wait for it); TN_EFULL if select cannot be
 * asked about this number. */
/*@ requires set:  tn_poller_open(p);
    requires open: k_alive(fd) && fd != p->fd;
    requires once: k_reg[fd] == 0;
    terminates \true; exits \false;
    assigns p->edges, k_reg[fd], k_reg_slot[fd], k_reg_gen[fd], k_reg_mask[fd];
    ensures result: \result == 1 || \result == TN_EMEMORY || \result == TN_ESYSTEM ||
                    \result == TN_EFULL;
    ensures beyond: \result == TN_EFULL <==> p->model == TN_SELECT && fd >= TN_SELECT_FDS;
    ensures registered: \result == 1 ==> k_reg[fd] == 1 && k_reg_slot[fd] == slot &&
                        k_reg_gen[fd] == gen && k_reg_mask[fd] == mask;
    ensures failed: \result < 0 ==> k_reg[fd] == 0;
*/
int32_t tn_poller_add(struct tn_poller *p, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask);

/* Changes what fd is watched for; with mask 0 it reports nothing but, at most
 * once, TN_BROKEN. */
/*@ requires set:  tn_poller_open(p);
    requires open: k_alive(fd) && k_reg[fd] == 1;
    requires same: k_reg_slot[fd] == slot && k_reg_gen[fd] == gen;
    terminates \true; exits \false;
    assigns p->edges, k_reg_mask[fd];
    ensures changed: k_reg_mask[fd] == mask;
*/
void tn_poller_modify(struct tn_poller *p, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask);

/* Says that a receive (mask TN_READ) or a send (TN_WRITE) of the connection in
 * slot has used up what it was ready for: it moved n bytes, fewer than there was
 * room or need for.  Readiness that is not said to be used up is reported again.
 * Only epoll-et wants to know. */
/*@ requires room: \valid(p);
    requires mask: mask == TN_READ || mask == TN_WRITE;
    terminates \true; exits \false;
    assigns p->edges;
    ensures kept:  tn_edges_but{Pre, Post}(p, slot);
    ensures other: p->model == TN_EPOLL_ET && slot < TN_EDGES ==>
                   (mask == TN_READ ? p->edges.writable[slot] == \old(p->edges.writable[slot])
                                    : p->edges.readable[slot] == \old(p->edges.readable[slot]));
    ensures spent: p->model == TN_EPOLL_ET && slot < TN_EDGES ==>
                   (mask == TN_READ
                        ? (p->edges.readable[slot] == 1 <==> \old(p->edges.readable[slot]) == 1 &&
                               n > 0 && p->edges.ended[slot] == 1)
                        : p->edges.writable[slot] == 0);
*/
void tn_poller_spent(struct tn_poller *p, uint32_t slot, uint32_t mask, int32_t n);

/* Watches fd no more. */
/*@ requires set:  tn_poller_open(p);
    requires open: k_alive(fd) && k_reg[fd] == 1;
    terminates \true; exits \false;
    assigns k_reg[fd];
    ensures removed: k_reg[fd] == 0;
*/
void tn_poller_remove(struct tn_poller *p, int32_t fd);

/* Waits up to timeout_ms (-1: for ever) for reports and makes them the batch,
 * which must have been taken whole before.  l is what is watched; moved is any
 * measure of what has moved so far, and tells polling whether its last reports
 * were of use.  Returns their number, 0 when the time is over, a signal came or
 * polling has paused, TN_ESYSTEM. */
/*@ requires set:   tn_poller_open(p);
    requires taken: p->pos == p->count;
    requires lists: tn_lists_ok(p, l);
    terminates \true; exits \false;
    assigns p->pos, p->count, p->ready[0 .. TN_BATCH - 1], p->turn, p->vain, p->moved, p->waiting,
            p->edges, p->asked[0 .. TN_ASKED - 1], p->who[0 .. TN_WHO - 1],
            k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= TN_BATCH;
    ensures batch:  p->pos == 0 && p->count == (\result > 0 ? \result : 0);
    ensures reports: tn_reports_true(p);
    ensures no_lost_edge: tn_edges_kept{Pre, Post}(p);
*/
int32_t tn_poller_wait(struct tn_poller *p, struct tn_lists l, int32_t timeout_ms, int64_t moved);

#endif
