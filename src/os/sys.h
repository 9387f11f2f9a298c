/* The operating system, as a contract.
 *
 * Every system call of the proved part is declared here, in our own types,
 * with what it does to a ghost model of the kernel: which descriptors are open,
 * how often each number was opened, what is registered for readiness, how many
 * bytes have passed.  The proofs stand on these contracts and on nothing else;
 * sys.c keeps them on Linux, the simulated kernel in fuzz/ keeps them in
 * tests.  Only here is something assumed, and of processes in process.h and
 * signals.h.
 *
 * The kernel's descriptor table, one entry per number f:
 *   k_open[f]  0 closed; 1 open and this server's to close; 2 open and foreign
 *   k_inc[f]   how often the number was opened: {f, k_inc[f]} is one life of it
 *   k_rx[f]    bytes received on this life
 *   k_tx[f]    bytes the kernel has taken for sending on this life
 *   k_log[f]   bytes the server has promised to send on this life
 *   k_reg[f]   1 if registered for readiness, with the cookie
 *              {k_reg_slot[f], k_reg_gen[f]} and the interest k_reg_mask[f]; where the
 *              kernel keeps no such register (poll, select), what it would say
 * and for the last batch of readiness reports, as witnesses:
 *   k_ev_fd[i], k_ev_inc[i]  the life of the descriptor the i-th report is for
 *
 * Simplifications: the counters of a stream are taken as never reaching 2^64.
 * There is one set at a time, and what is registered is taken out before the set
 * is closed: k_reg does not say in which set, nor does it end with one.
 *
 * Each clause is checked on Linux and on the simulated kernel by `make conform`.
 */
#ifndef TN_OS_SYS_H
#define TN_OS_SYS_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Descriptor numbers are below this: Linux's default fs.nr_open. */
#define TN_SYS_FDS 1048576

/* What a descriptor can be ready for, and what is asked of it. */
#define TN_READ 1u
#define TN_WRITE 4u
#define TN_BROKEN 24u /* error or hang-up: reported unasked, never asked for */

/* Asked of epoll alone: reports of changes, not of states; and with them
 * whether the peer has finished, or sent urgent data: then a receipt of less
 * than there was room for is no sign that nothing is left to receive. */
#define TN_EDGE 0x80000000u
#define TN_ENDED 0x2002u

/* select can be asked about descriptor numbers below this. */
#ifndef TN_SELECT_FDS
#define TN_SELECT_FDS 1024
#endif

/* The clock stays below this for the next hundred million years, so that no
 * deadline wraps. */
#define TN_CLOCK_MAX 0x3fffffffffffffff

/* One readiness report: the cookie of the registration, and what it is ready
 * for.  Laid out as the kernel lays it out where that is possible. */
struct tn_ready {
    uint32_t mask;
    uint32_t slot;
    uint32_t gen;
};

/* One descriptor asked about by poll or select, laid out as the kernel lays it
 * out. */
struct tn_asked {
    int32_t fd;
    int16_t events;  /* TN_READ, TN_WRITE or both */
    int16_t revents; /* the answer: which of them it is ready for, or TN_BROKEN's; 0: nothing */
};

/*@ ghost
    int32_t  k_open[TN_SYS_FDS];
    uint64_t k_inc[TN_SYS_FDS];
    uint64_t k_rx[TN_SYS_FDS];
    uint64_t k_tx[TN_SYS_FDS];
    uint64_t k_log[TN_SYS_FDS];
    int32_t  k_reg[TN_SYS_FDS];
    uint32_t k_reg_slot[TN_SYS_FDS];
    uint32_t k_reg_gen[TN_SYS_FDS];
    uint32_t k_reg_mask[TN_SYS_FDS];
    int32_t  k_ev_fd[TN_BATCH];
    uint64_t k_ev_inc[TN_BATCH];
*/

/*@ axiomatic tn_streams {
        // the streams of the life inc of the number fd, past and future:
        // what arrives, what is sent, and what was promised to be sent
        logic integer rx_at(integer fd, integer inc, integer i);
        logic integer tx_at(integer fd, integer inc, integer i);
        logic integer log_at(integer fd, integer inc, integer i);
    }
    predicate k_number(integer fd) = 0 <= fd < TN_SYS_FDS;
    predicate k_ours{L}(integer fd) = k_number(fd) && k_open[fd] == 1;
    predicate k_alive{L}(integer fd) = k_number(fd) && k_open[fd] != 0;
    // a closed descriptor is registered nowhere
    predicate k_inv{L} =
        \forall integer f; 0 <= f < TN_SYS_FDS && k_open[f] == 0 ==> k_reg[f] == 0;
*/

/* Ghost: promises the bytes buf[from .. from + n - 1] to the stream of fd, as
 * its next ones.  Each position of a stream is promised once. */
/*@ ghost
    /@ requires open:  k_ours(fd);
       requires bytes: \valid_read(buf + (from .. from + n - 1));
       terminates \true; exits \false;
       assigns k_log[fd];
       ensures count: k_log[fd] == \old(k_log[fd]) + n;
       ensures bytes: \forall integer k; from <= k < from + n ==>
           buf[k] == log_at(fd, k_inc[fd], \old(k_log[fd]) + k - from);
     @/
    void k_promise(int32_t fd, const uint8_t *buf, uint32_t from, uint32_t n);
*/

/* Opens a set of descriptors to be told about readiness of; returns its
 * descriptor, TN_EFILES, TN_EMEMORY or TN_ESYSTEM.  See epoll_create1(2). */
/*@ requires model: k_inv;
    terminates \true; exits \false;
    assigns k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1];
    ensures result: \result == TN_EFILES || \result == TN_EMEMORY || \result == TN_ESYSTEM ||
                    k_number(\result);
    ensures fresh:  \result >= 0 ==> \old(k_open[\at(\result, Post)]) == 0 &&
                    k_open == {\old(k_open) \with [\result] = (int32_t)1} &&
                    k_inc[\result] > \old(k_inc[\at(\result, Post)]) &&
                    k_inc == {\old(k_inc) \with [\result] = k_inc[\result]};
    ensures failed: \result < 0 ==> k_open == \old(k_open) && k_inc == \old(k_inc);
    ensures model:  k_inv;
*/
int32_t tn_sys_epoll_create(void);

/* Registers fd with the set; reports carry {slot, gen}.  Level-triggered, unless
 * mask has TN_EDGE: then what fd is ready for is reported once, and again only
 * when more has come, or when there is room again after a send fell short.
 * Returns 1, TN_EMEMORY (also: the user's limit of registrations) or
 * TN_ESYSTEM (fd cannot be waited for: a regular file). */
/*@ requires set:   k_ours(epfd);
    requires open:  k_alive(fd) && fd != epfd;
    requires once:  k_reg[fd] == 0;
    terminates \true; exits \false;
    assigns k_reg[fd], k_reg_slot[fd], k_reg_gen[fd], k_reg_mask[fd];
    ensures result: \result == 1 || \result == TN_EMEMORY || \result == TN_ESYSTEM;
    ensures registered: \result == 1 ==> k_reg[fd] == 1 && k_reg_slot[fd] == slot &&
                        k_reg_gen[fd] == gen && k_reg_mask[fd] == mask;
    ensures failed: \result < 0 ==> k_reg[fd] == 0;
*/
int32_t tn_sys_epoll_add(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask);

/* Changes what is asked of fd.  With mask 0 nothing is reported any more but
 * at most one TN_BROKEN, so that a dead peer cannot keep the loop awake.  A
 * registered descriptor's interest can always be changed. */
/*@ requires set:  k_ours(epfd);
    requires open: k_alive(fd) && k_reg[fd] == 1;
    requires same: k_reg_slot[fd] == slot && k_reg_gen[fd] == gen;
    terminates \true; exits \false;
    assigns k_reg_mask[fd];
    ensures changed: k_reg_mask[fd] == mask;
*/
void tn_sys_epoll_modify(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask);

/* Takes fd out of the set. */
/*@ requires set:  k_ours(epfd);
    requires open: k_alive(fd) && k_reg[fd] == 1;
    terminates \true; exits \false;
    assigns k_reg[fd];
    ensures removed: k_reg[fd] == 0;
*/
void tn_sys_epoll_remove(int32_t epfd, int32_t fd);

/* Waits until something registered is ready or timeout_ms have passed (-1: for
 * ever; 0: not at all) and fills ready[0 .. result - 1].  Returns their number;
 * 0 also when a signal came; TN_ESYSTEM when the set is unusable. */
/*@ requires set:  k_ours(epfd);
    requires room: 1 <= max <= TN_BATCH && \valid(ready + (0 .. max - 1));
    terminates \true; exits \false;
    assigns ready[0 .. max - 1], k_ev_fd[0 .. TN_BATCH - 1], k_ev_inc[0 .. TN_BATCH - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= max;
    ensures reports: \forall integer i; 0 <= i < \result ==>
        k_number(k_ev_fd[i]) && k_reg[k_ev_fd[i]] == 1 &&
        ready[i].slot == k_reg_slot[k_ev_fd[i]] && ready[i].gen == k_reg_gen[k_ev_fd[i]] &&
        k_ev_inc[i] == k_inc[k_ev_fd[i]];
*/
int32_t tn_sys_epoll_wait(int32_t epfd, struct tn_ready *ready, uint32_t max, int32_t timeout_ms);

/* Asks about list[0 .. n - 1] until one of them is ready or timeout_ms have
 * passed (-1: for ever; 0: not at all), and fills in the answers.  Returns the
 * number of those that are ready; 0 also when a signal came; TN_ESYSTEM when
 * the kernel refuses: it takes no list longer than the limit of open
 * descriptors.  The kernel remembers nothing of it.  See poll(2). */
/*@ requires room: n <= TN_SYS_FDS && \valid(list + (0 .. n - 1));
    requires open: \forall integer i; 0 <= i < n ==> k_alive(list[i].fd);
    terminates \true; exits \false;
    assigns list[0 .. n - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= n;
    ensures same:   \forall integer i; 0 <= i < n ==>
        list[i].fd == \old(list[i].fd) && list[i].events == \old(list[i].events);
    ensures answer: \forall integer i; 0 <= i < n ==>
        0 <= list[i].revents <= TN_READ + TN_WRITE + TN_BROKEN;
    ensures none:   \result <= 0 ==> \forall integer i; 0 <= i < n ==> list[i].revents == 0;
*/
int32_t tn_sys_poll(struct tn_asked *list, uint32_t n, int32_t timeout_ms);

/* The same by select, which never answers TN_BROKEN: what is broken can be
 * read and written.  It cannot be asked about a number of TN_SELECT_FDS or
 * above, but takes any number of open descriptors.  See select(2). */
/*@ requires room: n <= TN_SYS_FDS && \valid(list + (0 .. n - 1));
    requires open: \forall integer i; 0 <= i < n ==> k_alive(list[i].fd);
    requires numbers: \forall integer i; 0 <= i < n ==> list[i].fd < TN_SELECT_FDS;
    terminates \true; exits \false;
    assigns list[0 .. n - 1];
    ensures result: \result == TN_ESYSTEM || 0 <= \result <= n;
    ensures same:   \forall integer i; 0 <= i < n ==>
        list[i].fd == \old(list[i].fd) && list[i].events == \old(list[i].events);
    ensures answer: \forall integer i; 0 <= i < n ==>
        0 <= list[i].revents <= TN_READ + TN_WRITE;
    ensures none:   \result <= 0 ==> \forall integer i; 0 <= i < n ==> list[i].revents == 0;
*/
int32_t tn_sys_select(struct tn_asked *list, uint32_t n, int32_t timeout_ms);

/* Takes one connection from a listener, which is non-blocking (or this waits for
 * one): the connection is non-blocking too, and closed on exec.  Returns its
 * descriptor; TN_EAGAIN when there is none (or it is gone already);
 * TN_EFILES, TN_EMEMORY when it must wait; TN_ESYSTEM. */
/*@ requires open:  k_ours(listener);
    requires model: k_inv;
    terminates \true; exits \false;
    assigns k_open[0 .. TN_SYS_FDS - 1], k_inc[0 .. TN_SYS_FDS - 1], k_rx[0 .. TN_SYS_FDS - 1],
            k_tx[0 .. TN_SYS_FDS - 1], k_log[0 .. TN_SYS_FDS - 1];
    ensures result: \result == TN_EAGAIN || \result == TN_EFILES || \result == TN_EMEMORY ||
                    \result == TN_ESYSTEM || k_number(\result);
    ensures fresh:  \result >= 0 ==> \old(k_open[\at(\result, Post)]) == 0 &&
                    k_open == {\old(k_open) \with [\result] = (int32_t)1} &&
                    k_inc[\result] > \old(k_inc[\at(\result, Post)]) &&
                    k_inc == {\old(k_inc) \with [\result] = k_inc[\result]};
    ensures empty:  \result >= 0 ==>
                    k_rx == {\old(k_rx) \with [\result] = (uint64_t)0} &&
                    k_tx == {\old(k_tx) \with [\result] = (uint64_t)0} &&
                    k_log == {\old(k_log) \with [\result] = (uint64_t)0};
    ensures failed: \result < 0 ==> k_open == \old(k_open) && k_inc == \old(k_inc) &&
                    k_rx == \old(k_rx) && k_tx == \old(k_tx) && k_log == \old(k_log);
    ensures model:  k_inv;
*/
int32_t tn_sys_accept(int32_t listener);

/* Receives up to n bytes to buf + to.  Returns their number; 0 when none has
 * arrived yet; TN_EMEMORY when the kernel had no memory for it, or the call was
 * interrupted: try again; TN_EOF when the peer has finished; TN_ERESET when the
 * connection broke. */
/*@ requires open: k_ours(fd);
    requires room: 1 <= n && to + n <= 0x40000000 && \valid(buf + (to .. to + n - 1));
    terminates \true; exits \false;
    assigns buf[to .. to + n - 1], k_rx[fd];
    ensures result: \result == TN_EOF || \result == TN_ERESET || \result == TN_EMEMORY ||
                    0 <= \result <= n;
    ensures count:  k_rx[fd] == \old(k_rx[fd]) + (\result > 0 ? \result : 0);
    ensures bytes:  \forall integer k; to <= k < to + \result ==>
                    buf[k] == rx_at(fd, k_inc[fd], \old(k_rx[fd]) + k - to);
*/
int32_t tn_sys_recv(int32_t fd, uint8_t *buf, uint32_t to, uint32_t n);

/* Sends up to n bytes from buf + from.  Returns how many were taken; 0 when
 * there is no room now; TN_EMEMORY as tn_sys_recv does; TN_ERESET when the
 * connection broke.  Never raises SIGPIPE. */
/*@ requires open:  k_ours(fd);
    requires bytes: 1 <= n && from + n <= 0x40000000 && \valid_read(buf + (from .. from + n - 1));
    terminates \true; exits \false;
    assigns k_tx[fd];
    ensures result: \result == TN_ERESET || \result == TN_EMEMORY || 0 <= \result <= n;
    ensures count:  k_tx[fd] == \old(k_tx[fd]) + (\result > 0 ? \result : 0);
    ensures bytes:  \forall integer i; \old(k_tx[fd]) <= i < k_tx[fd] ==>
                    tx_at(fd, k_inc[fd], i) == buf[from + i - \old(k_tx[fd])];
*/
int32_t tn_sys_send(int32_t fd, const uint8_t *buf, uint32_t from, uint32_t n);

/* Says to the peer that no more bytes will come; receiving goes on. */
/*@ requires open: k_ours(fd);
    terminates \true; exits \false;
    assigns \nothing;
*/
void tn_sys_finish(int32_t fd);

/* Closes fd; its registration goes with it.  Always succeeds: the number is
 * free afterwards whatever the kernel had to say.  (True of descriptors that no
 * other process shares: a registration lives as long as the open file does.) */
/*@ requires open:  k_ours(fd);
    requires model: k_inv;
    terminates \true; exits \false;
    assigns k_open[fd], k_reg[fd];
    ensures closed: k_open[fd] == 0 && k_reg[fd] == 0;
    ensures model:  k_inv;
*/
void tn_sys_close(int32_t fd);

/* The monotonic clock, in milliseconds, at most TN_CLOCK_MAX. */
/*@ terminates \true; exits \false;
    assigns \nothing;
    ensures range: 0 <= \result <= TN_CLOCK_MAX;
*/
int64_t tn_sys_now_ms(void);

#ifdef __cplusplus
}
#endif

#endif
