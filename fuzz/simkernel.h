/* A simulated kernel: os/sys.h in memory, deterministic, with every fault.
 *
 * One kernel lives in this file's static state; sim_reset starts it anew.  Its
 * descriptors get the lowest free number and so are reused at once.  Whatever a
 * real kernel is free to do is taken from a schedule: the bytes of a fuzzer, or
 * a seeded generator.  The same schedule gives the same run.
 *
 * Every call checks what os/sys.h requires of its caller.  A violation prints
 * what led to it and aborts.
 *
 * What is beyond the server's descriptors is driven through sim_peer_*: the
 * other ends of connections, foreign descriptors, the clock.  Two hooks let the
 * driver act while the server is inside a call, as real peers do.
 *
 * Simplifications: connections are streams with a fixed buffer each way, no
 * segments; a peer's reset takes effect at once.
 */
#ifndef SIMKERNEL_H
#define SIMKERNEL_H

#include "os/sys.h"

#define SIM_FDS 48       /* descriptor numbers, all kinds */
#define SIM_STREAMS 24   /* connections in the life of one kernel */
#define SIM_PIPE 96u     /* bytes in flight each way, at most */
#define SIM_QUEUE 6      /* connections waiting at one listener */
#define SIM_TRACE 8192u  /* calls remembered for a violation's report */
#define SIM_WAITS 20000u /* waits in the life of one kernel */

/* Faults a schedule may bring in, each with its own rate. */
enum sim_fault {
    SIM_SHORT,    /* receive or send less than there is room for */
    SIM_AGAIN,    /* receive, send and accept find nothing after all */
    SIM_RESET,    /* the connection breaks during the call */
    SIM_FINISH,   /* the peer finishes during the call */
    SIM_ACCEPT,   /* accept fails: descriptors, memory, anything else */
    SIM_ADD,      /* registering fails */
    SIM_SIGNAL,   /* a wait ends early */
    SIM_SPURIOUS, /* a report for what is not ready */
    SIM_ORDER,    /* reports in any order, not all of them at once */
    SIM_LATE,     /* a wait ends late, time passes during calls */
    SIM_MOVES,    /* the driver acts during a call */
    SIM_FAULTS
};

struct sim_stats {
    uint64_t calls;     /* calls that can fail, since the reset */
    uint64_t waits;     /* waits that returned */
    uint64_t accepted;  /* connections handed out */
    uint64_t gone;      /* connections that broke before they were */
    uint64_t bytes_in;  /* bytes received on connections */
    uint64_t bytes_out; /* bytes taken for sending */
    uint64_t closes;    /* descriptors closed */
    uint64_t modifies;  /* changes of interest */
    uint64_t faults;    /* injected */
};

struct sim_hooks {
    /* Something beyond the server acts; 0 when it has nothing to do any more. */
    int (*moves)(void);
    /* The server is about to wait. */
    void (*waits)(int32_t timeout_ms);
};

/* Starts anew with a schedule of n bytes, or of a seed without end. */
void sim_reset(const uint8_t *bytes, size_t n, const struct sim_hooks *hooks);
void sim_reset_seeded(uint64_t seed, const struct sim_hooks *hooks);

/* The schedule's next decision: 0 .. n - 1, and 0 after its end. */
uint32_t sim_choose(uint32_t n);
/* A number that follows from three. */
uint64_t sim_hash(uint64_t a, uint64_t b, uint64_t c);
/* 1 about rate times of 256; never at a schedule's end. */
int sim_chance(uint32_t rate);
int sim_exhausted(void);

/* From now on what the network does to a connection (how much is received or
 * sent at a time, what a reset destroys) follows from the salt, the connection
 * and its bytes so far, not from the schedule: servers that call in another
 * order meet the same network. */
void sim_same_network(uint64_t salt);

void sim_fault_rate(enum sim_fault fault, uint32_t rate);
/* All rates to 0, and all lasting troubles end. */
void sim_calm(void);
/* Descriptors open at once, at most (foreign ones count). */
void sim_descriptor_limit(uint32_t limit);
/* The model of the server to come (enum tn_model); after each reset it is
 * TN_EPOLL.  What it may do follows from it: polling receives unasked. */
void sim_serves(uint32_t model);
/* From now on each connection may be received from once without a report. */
void sim_unasked_receive(void);
/* The next batch lists this descriptor first, then those above it. */
void sim_first_ready(int32_t fd);
/* From now on each accept fails so; 0 ends it. */
void sim_accept_trouble(int32_t error);
/* The kth call from now that can fail does so, in its variant-th way. */
void sim_fail_call(uint64_t k, uint32_t variant);

int64_t sim_now(void);
void sim_advance(int64_t ms);
/* From this moment on a server that reads the clock knows the time: called
 * when it is entered, and by the kernel itself when a wait returns. */
void sim_clock_known(void);
int64_t sim_known_ms(void);
/* When the last wait returned: what came later the server cannot have seen. */
int64_t sim_waited_ms(void);
/* Says that something has happened: the wake-ups around it are no spin. */
void sim_progress(void);
const struct sim_stats *sim_stats(void);

/* Descriptors of the driver.  The server may be given a listener. */
int32_t sim_listener(void);
void sim_listener_given(int32_t fd);
int32_t sim_foreign(void);
int32_t sim_regular_file(void);
void sim_foreign_fill(int32_t fd, uint32_t n);
uint32_t sim_foreign_drain(int32_t fd);
uint32_t sim_foreign_level(int32_t fd);
/* The foreign descriptor that is filled when a wait without limit has nothing
 * to wait for; -1: that is a violation.  Also when a server has long tried the
 * same thing in vain, so that it lets its driver in. */
void sim_wake_descriptor(int32_t fd);
/* Whether a wait had nothing to wait for since this was asked last. */
int sim_rested(void);
void sim_foreign_close(int32_t fd);

/* A descriptor as the kernel sees it.  Of a model without a register, during a
 * wait: it is registered if it is asked about, and has no cookie. */
int sim_open(int32_t fd); /* 0, or 1 ours, 2 foreign */
int sim_registered(int32_t fd, uint32_t *slot, uint32_t *gen, uint32_t *mask);
int32_t sim_stream_of(int32_t fd); /* -1 when it is no connection */
/* What a connection by edge is ready for that no report will say again: TN_READ,
 * until its end was received; TN_WRITE, until it was finished. */
uint32_t sim_told_by_edge(int32_t fd);
uint32_t sim_open_count(int owner);
uint32_t sim_queued(int32_t listener);
int64_t sim_accept_failed_ms(void); /* when accept last failed; -1: closed or accepted since */

/* The peer's end of connection id. */
int32_t sim_peer_connect(int32_t listener, uint32_t room_in, uint32_t room_out); /* id, or -1 */
uint32_t sim_peer_write(int32_t id, const uint8_t *bytes, uint32_t n);
uint32_t sim_peer_read(int32_t id, uint8_t *bytes, uint32_t n);
void sim_peer_finish(int32_t id);
void sim_peer_reset(int32_t id);
void sim_peer_close(int32_t id);   /* both ways, as a local socket's close: input stays readable */
int sim_peer_sees_end(int32_t id); /* all read, and the server has finished */
int sim_peer_sees_reset(int32_t id); /* the server's end closed over unread bytes, or was reset */

/* What the kernel knows of connection id. */
struct sim_stream_facts {
    int accepted, closed; /* by the server */
    int finished;         /* the server has said so */
    int peer_finished;    /* finish, close */
    int broken;           /* reset, from whichever side */
    int gone;             /* what is sent finds nobody */
    int told_end;         /* the server was told EOF or reset */
    int64_t finished_ms, moved_ms;
    int64_t moved_known_ms;  /* the last bytes moved then, as far as a server can know */
    uint64_t received, sent; /* by the server */
    uint64_t receives;       /* calls */
    uint32_t unread;         /* bytes the server has not received */
};
struct sim_stream_facts sim_facts(int32_t id);

/* The trace: printf's format with at most four integers. */
void sim_note(const char *format, int64_t a, int64_t b, int64_t c, int64_t d);
_Noreturn void sim_violation(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Printed with a violation: how to run the schedule again. */
void sim_label(const char *label);
void sim_trace_live(int on);

#endif
