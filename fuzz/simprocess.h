/* Simulated processes: os/process.h in memory, on the schedule of the simulated
 * kernel, with every outcome of fork and wait.
 *
 * One parent lives in this file's static state; sim_processes_reset starts it
 * anew.  Process ids are few, and used again at once.  Besides the children of
 * tn_process_fork there are strangers, which the kit knows nothing of.
 *
 * Each call checks what os/process.h requires of its caller: who is reaped,
 * waited for or ended must be a child whose end is not taken yet.
 */
#ifndef SIMPROCESS_H
#define SIMPROCESS_H

#include "os/process.h"

#define SIM_PIDS 24 /* ids are 1 .. SIM_PIDS */

/* Starts anew: no process, no descriptor, no memory that is shared. */
void sim_processes_reset(void);

/* How the next forks go: refused about rate times of 256, otherwise the caller
 * is the child as often, so that both sides are seen. */
void sim_fork_rates(uint32_t refused, uint32_t child);

/* A process of somebody else in the program; its id, or 0 when there is no room. */
int32_t sim_stranger(void);
/* The stranger pid, which has ended, is reaped by whoever started it. */
void sim_stranger_reaped(int32_t pid);

/* One of those that run, ours or not, drawn by the schedule; 0: none runs. */
int32_t sim_running(void);
/* The process pid ends. */
void sim_ends(int32_t pid, uint32_t crashed);

/* What the kernel knows of pid. */
int sim_is_ours(int32_t pid);     /* a child, and its end is not taken */
int sim_is_stranger(int32_t pid); /* the same of a stranger */
int sim_has_ended(int32_t pid);
uint32_t sim_crashed(int32_t pid); /* 1 if it has ended, and not well */

/* Ours whose end is not taken, and of these, those that have ended. */
uint32_t sim_children(void);
uint32_t sim_zombies(void);

/* Whether a SIGCHLD waits to be taken. */
int sim_told_of_an_end(void);
/* Descriptors and shared memory that are open. */
uint32_t sim_process_things(void);

#endif
