/* What lies beneath os/sys.h: the acts of everybody but the server, and what can
 * be seen of the kernel without the calls under check.
 *
 * Two files implement it, and each is linked with one kernel: beneath_linux.c
 * with src/os/sys.c, beneath_sim.c with fuzz/simkernel.c.  The checks and the
 * sequences of calls are the same for both.
 */
#ifndef BENEATH_H
#define BENEATH_H

#include <stdint.h>

#define WINDOW 64 /* the server's descriptor numbers are below this */
#define PEERS 24  /* connections in an episode */

/* The calls that can meet with errors. */
enum call {
    EPOLL_CREATE,
    EPOLL_ADD,
    EPOLL_WAIT,
    ACCEPT,
    RECV,
    SEND,
    FINISH,
    CLOSE,
    POLL,
    SELECT,
    CALLS
};

struct registration {
    int32_t fd;
    uint32_t slot, gen, mask;
};

extern const char beneath_name[];
/* 1: the kernel refuses to be asked what no server asks: receiving from what is
 * no connection, sending after finishing. */
extern const int beneath_strict;

/* An episode: nothing of an earlier one is left. */
void beneath_start(uint64_t seed);
void beneath_end(void);

/* --- seen ---------------------------------------------------------------------------- */

/* 0 when the number is closed, or who lives there: another number for another
 * socket or pipe, and 1 where lives cannot be told apart. */
uint64_t beneath_life(int32_t fd);
/* The registrations of a set; returns how many. */
uint32_t beneath_registrations(int32_t set, struct registration *r, uint32_t max);
/* The bytes that have passed on a connection: bit 0 of the result when *rx is
 * known, bit 1 when *tx is. */
uint32_t beneath_passed(int32_t fd, int32_t peer, uint64_t *rx, uint64_t *tx);
/* The bytes that would be received next, where they can be looked at. */
uint32_t beneath_peek(int32_t fd, uint8_t *bytes, uint32_t n);
/* 1 if it is closed on exec and, for a connection, non-blocking. */
int beneath_well_opened(int32_t fd, int connection);
/* Whether a foreign descriptor has bytes to read: -1 when it cannot be said. */
int beneath_readable(int32_t fd);
/* 1 if what happens to the peer's connection is reported at once, and nothing
 * else of it; and a batch that has room left holds all there is to report. */
int beneath_at_once(int32_t peer);
/* Microseconds of the clock that waits go by. */
int64_t beneath_clock_us(void);
/* 1 if a signal came since this was asked last, or anything may have. */
int beneath_interrupted(void);
/* 1 if result is what the last call's error stands for. */
int beneath_translated(int32_t result);

/* --- done ---------------------------------------------------------------------------- */

int32_t beneath_listener(void); /* given to the server */
int32_t beneath_foreign(void);  /* a pipe's end to read from */
int32_t beneath_file(void);     /* a regular file, foreign */
void beneath_foreign_fill(int32_t fd, uint32_t n);
void beneath_foreign_drain(int32_t fd);
void beneath_foreign_close(int32_t fd);

/* A peer connects: its number, 0 .. PEERS - 1, or -1. */
int32_t beneath_connect(int32_t listener);
/* The peer at the other end of an accepted connection. */
int32_t beneath_peer_of(int32_t fd);
uint32_t beneath_peer_write(int32_t peer, const uint8_t *bytes, uint32_t n);
/* Returns -1 at the end, 0 when there is nothing yet. */
int32_t beneath_peer_read(int32_t peer, uint8_t *bytes, uint32_t n, int wait);
void beneath_peer_finish(int32_t peer);
void beneath_peer_reset(int32_t peer);
void beneath_peer_close(int32_t peer);

/* No descriptor is left until this is called with 0. */
void beneath_scarce(int on);
/* Signals come until this is called with 0. */
void beneath_signals(int on);
/* The next call, which is this one, meets an error of the random number's choice. */
void beneath_trouble(enum call call, uint32_t random);
/* Before a wait, before receiving on fd: the simulation keeps account. */
void beneath_before_wait(void);
void beneath_before_recv(void);
/* Another process starts, with the same descriptors, closes some and ends. */
void beneath_process(int32_t fd);

/* What errors were met, how, and which are assumed. */
void beneath_report(void);

#endif
