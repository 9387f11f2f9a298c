/* The server's state: options, events, totals, the object itself, and what is
 * true of it between any two calls.
 *
 * What may be done with it stands in serve/server.h; its parts work on it
 * through serve/link.h and serve/engine.h.
 */
#ifndef TN_SERVE_STATE_H
#define TN_SERVE_STATE_H

#include "core/buffer.h"
#include "core/conn.h"
#include "core/pool.h"
#include "core/timers.h"
#include "serve/fd_table.h"
#include "serve/user_timers.h"

/* Wait without a limit. */
#define TN_FOREVER (-1)

/* Options: 0 takes the default of each.  Without an idle timeout, peers that
 * leave TN_BLOCKS frames unfinished keep all buffers, and everyone else parked,
 * for as long as they like: set one where peers are not trusted. */
#if TN_CONNECTIONS < 1024u
#define TN_DEFAULT_CONNECTIONS TN_CONNECTIONS
#else
#define TN_DEFAULT_CONNECTIONS 1024u
#endif
#define TN_DEFAULT_LINGER_MS 2000u
/* Who had connected before a drain is accepted: at most so many, for who comes
 * all the time must not keep it. */
#define TN_DRAIN_BACKLOG 4096
/* How long accepting pauses after the system ran out of descriptors, if none
 * of ours is closed before. */
#define TN_ACCEPT_RETRY_MS 100

struct tn_options {
    uint32_t connections; /* at most this many, 1 .. TN_CONNECTIONS; default 1,024, or all */
    uint32_t framing;     /* enum tn_framing; default TN_RAW */
    uint32_t frame_max;   /* longest payload, 1 .. TN_FRAME_MAX; default TN_FRAME_MAX */
    uint32_t idle_ms;     /* close a connection on which no byte moved so long; 0: never.  With
                             read_ms, bytes that go on with a frame do not count */
    uint32_t read_ms;     /* close one whose frame is not whole so long after its first byte; a
                             frame delivered and the first bytes pending to be sent begin it
                             anew; 0: as idle */
    uint32_t write_ms;    /* close one that so long has taken nothing of its pending output and
                             sent nothing but the rest of a frame; 0: as idle */
    uint32_t linger_ms;   /* wait so long for a peer to finish after us; default 2,000 */
    uint32_t model;       /* enum tn_model (poll/poller.h); default TN_EPOLL */
};

/* Bytes dropped by one receive from a peer that goes on after we finished. */
#define TN_TRASH 4096u

enum tn_event_type {
    TN_OPENED = 1, /* conn was accepted */
    TN_FRAME,      /* conn sent data[0 .. len - 1] */
    TN_CLOSED,     /* conn has ended by itself, for the reason given; its handle is stale */
    TN_READY,      /* the watched descriptor number watch can be read */
    TN_TIMER       /* the caller's timer number timer is due */
};

struct tn_event {
    uint32_t type;         /* enum tn_event_type */
    struct tn_handle conn; /* OPENED, FRAME, CLOSED */
    const uint8_t *data;   /* FRAME: valid until the next call of tn_next, tn_close or tn_fini */
    uint32_t len;          /* FRAME */
    uint32_t reason;       /* CLOSED: enum tn_reason */
    uint32_t watch;        /* READY */
    uint32_t timer;        /* TIMER */
};

/* Totals since tn_init.  They stop at TN_COUNT_END. */
#define TN_COUNT_END 0x4000000000000000
struct tn_counters {
    int64_t accepted;           /* connections accepted */
    int64_t closed[TN_REASONS]; /* connections ended, by reason */
    int64_t frames;             /* frames delivered */
    int64_t sent;               /* frames accepted for sending */
    int64_t bytes_in;           /* bytes received */
    int64_t bytes_out;          /* bytes the kernel took */
    int64_t wakeups;            /* waits that returned */
    int64_t spurious;           /* of these, with nothing to report: the time was over, a signal
                                   came, polling has paused, what is ready is not watched for */
    int64_t accept_pauses;      /* times accepting had to pause */
    int64_t parked;             /* times a connection had to wait for a buffer */
};
/*@ // a counter after n were added to it: it stops at its end
    logic integer tn_counted(integer counter, integer n) =
        counter + (counter <= TN_COUNT_END ? n : 0);
*/

struct tn_server {
    /* configuration, constant after tn_init */
    uint32_t framing;
    uint32_t frame_max;
    uint32_t idle_ms;
    uint32_t read_ms;
    uint32_t write_ms;
    uint32_t tick_ms; /* the shortest of the three, of those there are; 0: none */
    uint32_t linger_ms;

    /* delivery in progress */
    int64_t cur;     /* slot whose buffer is being delivered, or TN_NONE */
    int64_t off;     /* bytes of its input delivered so far */
    int64_t scanned; /* bytes after off that are known to hold no whole frame */

    /* waiting */
    int64_t paused;       /* 1 while listeners are not watched */
    int64_t parked;       /* 1 while some connection may be parked */
    int64_t park_cursor;  /* where the search for the next parked one starts */
    int64_t draining;     /* 1 after tn_drain */
    int64_t backlog;      /* how many a drain may still accept before it closes the listeners */
    int64_t drain_cursor; /* slots below it have been read for the last time */
    int64_t now_ms;       /* the clock, as of this call of tn_next or its last wait */
    int64_t waited_ms;    /* the clock when the last wait returned: what had come by then is read
                             before any deadline is judged */
    int64_t retry_ms;     /* when a pause of accepting ends at the latest; TN_NEVER: no limit */
    int64_t drain_ms;     /* when draining ends by force; TN_NEVER: no limit */

    struct tn_counters counters;
    uint8_t trash[TN_TRASH]; /* what peers send after we have finished */
    struct tn_pool pool;
    struct tn_timers timers; /* one for each slot */
    struct tn_fd_table table;
    struct tn_conn conn[TN_CONNECTIONS];
    int64_t active_ms[TN_CONNECTIONS]; /* since when a connection is waited for: when bytes last
                                          moved, or its unfinished frame began (read_ms) */
    struct tn_buffer buffer[TN_BLOCKS];
    struct tn_user_timers user_timers;
};

/* What is true of a server between any two calls.  x is a slot exempt from
 * `rests` and `watched` while its event is handled (TN_NONE: none); so is the
 * slot that is being delivered.  y is a slot that is live in the table and not
 * yet a connection (TN_NONE: none). */
/*@ predicate tn_live{L}(struct tn_server *s, integer i) = tn_slot_live(&s->table.slots, i);
    logic integer tn_out{L}(struct tn_server *s, integer i) =
        s->conn[i].block == TN_NO_BLOCK ? 0 : s->buffer[s->conn[i].block].out_len;
    predicate tn_lent{L}(struct tn_server *s, integer b) = tn_pool_lent(&s->pool, b);

    predicate tn_server_shape{L}(struct tn_server *s) =
        \valid(s) && tn_pool_ok(&s->pool) && tn_timers_ok(&s->timers) &&
        s->timers.cap == s->table.slots.cap && tn_framing_known(s->framing) &&
        1 <= s->frame_max <= TN_FRAME_MAX && 0 <= s->paused <= 1 && 0 <= s->parked <= 1 &&
        0 <= s->draining <= 1 && 0 <= s->park_cursor <= s->table.slots.cap &&
        0 <= s->drain_cursor <= s->table.slots.cap && 0 <= s->now_ms <= TN_CLOCK_MAX &&
        0 <= s->waited_ms <= TN_CLOCK_MAX;

    // a connection's state is one of the machine's, its buffer lent to it alone
    predicate tn_owned_at{L}(struct tn_server *s, integer i) =
        TN_CONN_OPEN <= s->conn[i].state <= TN_CONN_LINGERING &&
        0 <= s->conn[i].reason < TN_REASONS && 0 <= s->active_ms[i] <= TN_CLOCK_MAX &&
        (s->conn[i].block == TN_NO_BLOCK ||
         (tn_lent(s, s->conn[i].block) && s->buffer[s->conn[i].block].owner == i));
    predicate tn_owned{L}(struct tn_server *s, integer x) =
        \forall integer i; tn_live(s, i) && i != x ==> tn_owned_at(s, i);
    // no buffer leaks: whoever it is lent to is live and knows it
    predicate tn_no_buffer_leak{L}(struct tn_server *s, integer x) =
        \forall integer b; tn_lent(s, b) ==> s->buffer[b].owner != x &&
            tn_live(s, s->buffer[b].owner) && s->conn[s->buffer[b].owner].block == b;
    // buffer b's places are the same in A and in B
    predicate tn_buffer_same{A, B}(struct tn_server *s, integer b) =
        \at(s->buffer[b].in_len, A) == \at(s->buffer[b].in_len, B) &&
        \at(s->buffer[b].out_head, A) == \at(s->buffer[b].out_head, B) &&
        \at(s->buffer[b].out_len, A) == \at(s->buffer[b].out_len, B);
    predicate tn_pool_same{A, B}(struct tn_server *s) =
        \forall integer b; 0 <= b < TN_BLOCKS ==>
            \at(s->pool.perm[b], A) == \at(s->pool.perm[b], B) &&
            \at(s->pool.pos[b], A) == \at(s->pool.pos[b], B);
    predicate tn_slots_same{A, B}(struct tn_server *s) =
        \at(s->table.slots.cap, A) == \at(s->table.slots.cap, B) &&
        \at(s->table.slots.live, A) == \at(s->table.slots.live, B) &&
        \at(s->table.slots.usable, A) == \at(s->table.slots.usable, B) &&
        (\forall integer i; 0 <= i < TN_CONNECTIONS ==>
            \at(s->table.slots.perm[i], A) == \at(s->table.slots.perm[i], B) &&
            \at(s->table.slots.pos[i], A) == \at(s->table.slots.pos[i], B) &&
            \at(s->table.slots.gen[i], A) == \at(s->table.slots.gen[i], B));
    predicate tn_timers_same{A, B}(struct tn_server *s) =
        \at(s->timers.cap, A) == \at(s->timers.cap, B) &&
        \at(s->timers.armed, A) == \at(s->timers.armed, B) &&
        (\forall integer i; 0 <= i < TN_CONNECTIONS ==>
            \at(s->timers.heap[i], A) == \at(s->timers.heap[i], B) &&
            \at(s->timers.pos[i], A) == \at(s->timers.pos[i], B));
    predicate tn_fds_same{A, B}(struct tn_server *s) =
        (\forall integer i; 0 <= i < TN_CONNECTIONS ==>
            \at(s->table.fd[i], A) == \at(s->table.fd[i], B)) &&
        (\forall integer l; 0 <= l < TN_LISTENERS ==>
            \at(s->table.listener[l], A) == \at(s->table.listener[l], B)) &&
        (\forall integer w; 0 <= w < TN_WATCHES ==>
            \at(s->table.watch[w], A) == \at(s->table.watch[w], B)) &&
        \at(s->table.poller.fd, A) == \at(s->table.poller.fd, B);
    predicate tn_reports_same{A, B}(struct tn_server *s) =
        \forall integer i; 0 <= i < TN_BATCH ==>
            \at(s->table.poller.ready[i].slot, A) == \at(s->table.poller.ready[i].slot, B) &&
            \at(s->table.poller.ready[i].gen, A) == \at(s->table.poller.ready[i].gen, B);
    predicate tn_buffers{L}(struct tn_server *s) =
        \forall integer b; 0 <= b < TN_BLOCKS ==> tn_buffer_ok(&s->buffer[b]);

    // n bytes of buffer b's input, from place at on, hold no end of a line where
    // lines are served
    predicate tn_scanned_at{L}(struct tn_server *s, integer b, integer at, integer n) =
        s->framing == TN_LINE ==>
            \forall integer k; at <= k < at + n ==> s->buffer[b].in[k] != 10;
    // the states a connection may be left in until its next event: one that is
    // to be read has room for what comes, and no line to be delivered first
    predicate tn_rests_at{L}(struct tn_server *s, integer i) =
        tn_conn_rests(s->conn[i].state, tn_out(s, i)) &&
        (s->conn[i].block == TN_NO_BLOCK ||
         (s->conn[i].state != TN_CONN_PARKED && s->conn[i].state != TN_CONN_LINGERING &&
          (s->conn[i].state == TN_CONN_OPEN ==>
               s->buffer[s->conn[i].block].in_len < TN_IN_CAP &&
               tn_scanned_at(s, s->conn[i].block, 0, s->buffer[s->conn[i].block].in_len))));
    predicate tn_rests{L}(struct tn_server *s, integer x) =
        \forall integer i; tn_live(s, i) && i != x && i != s->cur ==> tn_rests_at(s, i);
    // watched for reading exactly if input is wanted, for writing exactly if
    // output is pending
    predicate tn_watched{L}(struct tn_server *s, integer x) =
        \forall integer i; tn_live(s, i) && i != x && i != s->cur ==>
            s->table.interest[i] == tn_wants(s->conn[i].state, tn_out(s, i));

    // the delivery in progress
    predicate tn_window{L}(struct tn_server *s) =
        s->cur == TN_NONE ? s->off == 0 :
        tn_live(s, s->cur) && s->conn[s->cur].block != TN_NO_BLOCK &&
        s->conn[s->cur].state != TN_CONN_PARKED && s->conn[s->cur].state != TN_CONN_LINGERING &&
        0 <= s->off && 0 <= s->scanned &&
        s->off + s->scanned <= s->buffer[s->conn[s->cur].block].in_len &&
        tn_scanned_at(s, s->conn[s->cur].block, s->off, s->scanned);

    // every byte promised was taken by the kernel or is pending ...
    predicate tn_promised{L}(struct tn_server *s, integer x) =
        \forall integer i; tn_live(s, i) && i != x ==>
            k_log[s->table.fd[i]] == k_tx[s->table.fd[i]] + tn_out(s, i);
    // ... what is pending are the promised bytes that follow those, in order ...
    predicate tn_pending_at{L}(struct tn_server *s, integer b, integer fd) =
        \forall integer k;
            s->buffer[b].out_head <= k < s->buffer[b].out_head + s->buffer[b].out_len ==>
                s->buffer[b].out[k] == log_at(fd, k_inc[fd], k_tx[fd] + k - s->buffer[b].out_head);
    predicate tn_pending{L}(struct tn_server *s) =
        \forall integer b; tn_lent(s, b) ==>
            tn_pending_at(s, b, s->table.fd[s->buffer[b].owner]);
    // ... and what was taken are the promised bytes up to there
    predicate tn_sent_at{L}(integer fd) =
        \forall integer j; 0 <= j < k_tx[fd] ==>
            tx_at(fd, k_inc[fd], j) == log_at(fd, k_inc[fd], j);
    predicate tn_sent{L}(struct tn_server *s) =
        \forall integer i; tn_live(s, i) ==> tn_sent_at(s->table.fd[i]);
    // buffered input is what was received last, in order
    predicate tn_arrived_at{L}(struct tn_server *s, integer b, integer fd) =
        \forall integer k; 0 <= k < s->buffer[b].in_len ==>
            s->buffer[b].in[k] == rx_at(fd, k_inc[fd], k_rx[fd] - s->buffer[b].in_len + k);
    predicate tn_arrived{L}(struct tn_server *s) =
        \forall integer b; tn_lent(s, b) ==>
            tn_arrived_at(s, b, s->table.fd[s->buffer[b].owner]);
*/
#define TN_SERVER_BUT(K, s, x, y) \
    K server : tn_server_shape(s); \
    K user : tn_user_timers_ok(&(s)->user_timers); \
    TN_TABLE_OK(K, &(s)->table); \
    K owned : tn_owned(s, y); \
    K no_buffer_leak : tn_no_buffer_leak(s, y); \
    K buffers : tn_buffers(s); \
    K rests : tn_rests(s, x); \
    K watched : tn_watched(s, x); \
    K window : tn_window(s); \
    K promised : tn_promised(s, y); \
    K pending : tn_pending(s); \
    K sent : tn_sent(s); \
    K arrived : tn_arrived(s)
#define TN_SERVER_OK(K, s, x) TN_SERVER_BUT(K, s, x, TN_NONE)
/* The same in one clause, for who relies on it or hands it on.  It is taken apart
 * by asserting it clause by clause. */
#define TN_SERVER_CLAUSES(s, x, y) \
    tn_server_shape(s) && tn_user_timers_ok(&(s)->user_timers) && TN_TABLE_CLAUSES(&(s)->table) && \
        tn_owned(s, y) && tn_no_buffer_leak(s, y) && tn_buffers(s) && tn_rests(s, x) && \
        tn_watched(s, x) && tn_window(s) && tn_promised(s, y) && tn_pending(s) && tn_sent(s) && \
        tn_arrived(s)
/*@ predicate tn_server_but{L}(struct tn_server *s, integer x, integer y) =
        TN_SERVER_CLAUSES(s, x, y);
    predicate tn_server_ok{L}(struct tn_server *s) = tn_server_but(s, TN_NONE, TN_NONE);
*/
/* The kernel's state that a call may change.  In ranges `..` stands apart, or
 * the constant behind it would not be expanded. */
/* clang-format off */
#define TN_KERNEL_STATE \
    k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1], k_rx[0 .. TN_SYS_FDS - 1], \
    k_tx[0 .. TN_SYS_FDS - 1], k_log[0 .. TN_SYS_FDS - 1], k_reg[0 .. TN_SYS_FDS - 1], \
    k_reg_slot[0 .. TN_SYS_FDS - 1], k_reg_gen[0 .. TN_SYS_FDS - 1], \
    k_reg_mask[0 .. TN_SYS_FDS - 1], k_own[0 .. TN_SYS_FDS - 1], \
    k_slot_inc[0 .. TN_CONNECTIONS - 1], k_ev_fd[0 .. TN_BATCH - 1], \
    k_ev_inc[0 .. TN_BATCH - 1]
/* clang-format on */

/*@ predicate tn_handle_live{L}(struct tn_server *s, struct tn_handle h) =
        tn_live(s, h.slot) && s->table.slots.gen[h.slot] == h.gen;
    // what an event says is so, at the moment it is given out
    predicate tn_event_ok{L}(struct tn_server *s, struct tn_event ev) =
        (ev.type == TN_OPENED ==> tn_handle_live(s, ev.conn)) &&
        (ev.type == TN_FRAME ==> tn_handle_live(s, ev.conn) && s->cur == ev.conn.slot) &&
        (ev.type == TN_CLOSED ==> ev.reason < TN_REASONS && !tn_handle_live(s, ev.conn)) &&
        (ev.type == TN_READY ==> ev.watch < TN_WATCHES && s->table.watch[ev.watch] != -1) &&
        (ev.type == TN_TIMER ==> ev.timer < TN_USER_TIMERS);
    // a frame lies in the buffer of its connection, which may be sent to: it could
    // be sent back as it is, and there is room for that
    predicate tn_frame_ok{L}(struct tn_server *s, struct tn_event ev) =
        ev.type == TN_FRAME ==>
            ev.len <= s->frame_max && s->conn[ev.conn.slot].state < TN_CONN_FLUSHING &&
            tn_frame_carries(s->framing, ev.data, 0, ev.len) &&
            (\exists integer o; 0 <= o <= TN_IN_CAP - ev.len &&
             ev.data == &s->buffer[s->conn[ev.conn.slot].block].in[0] + o) &&
            tn_out(s, ev.conn.slot) <= TN_OUTPUT_HIGH;
*/

#endif
