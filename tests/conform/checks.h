/* The contracts of os/sys.h, executable: each call between its clauses.
 *
 * The ghost state of os/sys.h has a copy here.  A call is made, the kernel is
 * looked at from outside (beneath.h), and each clause is evaluated over the
 * state before, the state after and the result.  Clauses are named as in
 * os/sys.h; tests/conform/run compares the two lists.
 *
 * A mutant is one atom of one clause, negated or strengthened.  With a mutant
 * chosen, a check is expected to fail: one that does not was of no use.
 */
#ifndef CHECKS_H
#define CHECKS_H

#include "beneath.h"
#include "os/sys.h"

/* The ghost state, for the numbers below WINDOW. */
struct model {
    int32_t open[WINDOW];
    uint64_t inc[WINDOW];
    uint64_t rx[WINDOW];
    uint64_t tx[WINDOW];
    int32_t reg[WINDOW];
    uint32_t slot[WINDOW];
    uint32_t gen[WINDOW];
    uint32_t mask[WINDOW];
};

void checks_start(uint64_t seed);
const struct model *checks_model(void);
/* The peer of a connection, -1 of anything else. */
int32_t checks_peer_of(int32_t fd);
int32_t checks_set(void); /* the set, -1 when there is none */

/* What came to be without the server: owner 1, given to it, or 2, foreign. */
void checks_appeared(int32_t fd, int32_t owner);
void checks_vanished(int32_t fd);

void checks_peer_connected(int32_t peer);
void checks_peer_writes(int32_t peer, uint32_t n, uint64_t random);
/* The peer reads up to n bytes; all that was sent, with `all` set. */
void checks_peer_reads(int32_t peer, uint32_t n, int all);
void checks_peer_ends(int32_t peer, int reset);
void checks_peer_finishes(int32_t peer);
/* Its listener is closed before it was accepted. */
void checks_peer_dropped(int32_t peer);

int32_t checked_epoll_create(void);
int32_t checked_epoll_add(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask);
void checked_epoll_modify(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask);
void checked_epoll_remove(int32_t epfd, int32_t fd);
int32_t checked_epoll_wait(int32_t epfd, uint32_t max, int32_t timeout_ms);
/* Asks about list[0 .. n - 1], n < ASKED_MAX; the answers stay there. */
#define ASKED_MAX 8u
int32_t checked_poll(struct tn_asked *list, uint32_t n, int32_t timeout_ms);
int32_t checked_select(struct tn_asked *list, uint32_t n, int32_t timeout_ms);
int32_t checked_accept(int32_t listener);
int32_t checked_recv(int32_t fd, uint32_t to, uint32_t n);
int32_t checked_send(int32_t fd, uint32_t from, uint32_t n, uint64_t random);
void checked_finish(int32_t fd);
void checked_close(int32_t fd);
int64_t checked_now_ms(void);
/* The state as it is seen, though nothing was called: nothing may have changed. */
void checked_nothing(const char *after);

uint64_t checks_calls(void);
/* Prints each clause with how often it was checked.  Returns how many there are. */
uint32_t checks_report(void);

/* Mutants: 0 .. checks_mutants() - 1; -1 for none. */
uint32_t checks_mutants(void);
void checks_mutate(int32_t mutant);
const char *checks_mutant_clause(int32_t mutant); /* null when it was never reached */
const char *checks_mutant_text(int32_t mutant);

/* A line of the trace that a violation prints. */
void checks_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void checks_violated(const char *clause);

#endif
