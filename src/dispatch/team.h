/* A team of processes for work that takes long or may crash: the sibling of the
 * crew of threads (dispatch/crew.h), with the same calls.
 *
 * A job is a function and up to TN_JOB_BYTES of data, copied in; what the
 * function leaves there is copied out to whoever waits for the job.  Jobs are
 * begun in the order they were submitted.  There are never more than the table
 * holds: beyond that, submitting says so.  A job whose process ends, by a signal
 * or by exit with whatever status, has failed, and no other job with it; so has
 * one that the system could not carry to its process.
 *
 *     tn_team_open(&team, 4, 64);
 *     tn_team_submit(&team, sum, &range, sizeof range, &job);
 *     tn_team_wait(&team, job, &range, sizeof range, &state, TN_NEVER);
 *     tn_team_close(&team, 0);
 *
 * There is no hidden thread and no signal handler: a call of the team takes what
 * its workers have sent, replaces those that have ended and hands out the jobs
 * that are queued.  An event loop does not wait: it watches `done` (tn_watch),
 * which can be read when a job has ended or the team wants a call of
 * tn_team_clear to go on.
 *
 * Only the thread that opened the team may call it, and must not end before it
 * is closed: workers are killed when that thread ends, be it by SIGKILL, also in
 * the middle of a job.  In a worker the team is there, but empty: submitting says
 * TN_EOF.
 *
 * A worker is a fork of the program, made by tn_team_open or, to replace one, by
 * a later call.  It has
 * - a copy of the memory as it was at the fork; pointers in a job's data lead
 *   there, and what it changes nobody else sees, unless it is tn_shared_open's;
 * - the descriptors 0, 1, 2 and one of the team's own: all others are closed;
 * - signals as tn_process_fork says; the program's handlers stay;
 * - one thread, so the work must not need a lock that another thread of the
 *   program may have held at the fork.
 * It lives for many jobs: what one job leaves in its memory the next one finds.
 *
 * One that ended before it had done a job is replaced after a rest that grows
 * (dispatch/children.h); any other at once.  The program must leave the ends of
 * its workers to the team: SIGCHLD is not ignored, nobody waits for any child.
 *
 * Of fixed size (about 105 KB), owned by the caller, not to be moved.  The table
 * of jobs and the table of children are proved; the rest is tested.
 */
#ifndef TN_DISPATCH_TEAM_H
#define TN_DISPATCH_TEAM_H

#include "core/timers.h"
#include "dispatch/children.h"
#include "dispatch/work.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Processes of a team, at most. */
#define TN_TEAM_PROCESSES 64u

/* What goes to a worker and comes back. */
struct tn_team_packet {
    int64_t ticket; /* of the job: no two have the same */
    tn_job_work work;
    int64_t result;
    int64_t data[TN_JOB_BYTES / sizeof(int64_t)];
};

struct tn_team_task {
    uint32_t worker;   /* of a running job: who has it */
    uint32_t unwanted; /* 1: nobody will ask for the result */
    struct tn_team_packet packet;
};

struct tn_team_worker {
    int32_t end;     /* of the socket to it; -1: no process */
    int32_t end_fd;  /* can be read when it has ended; -1: only the socket tells */
    uint32_t slot;   /* the job it has; TN_NONE: it is idle */
    uint32_t useful; /* 1: it has done a job */
};

struct tn_team {
    int32_t done;     /* can be read: call tn_team_clear and look at the jobs */
    int32_t events;   /* ... because of a worker or the alarm */
    int32_t ended;    /* ... because a job has ended since tn_team_clear */
    int32_t alarm;    /* can be read when a worker may be replaced */
    int64_t alarm_ms; /* what it is set to */
    int64_t retry_ms; /* no worker is started before: the system had no room */
    uint32_t inside;  /* 1: this is the copy in a worker */
    struct tn_jobs jobs;
    struct tn_children children; /* its slots are places in worker */
    struct tn_team_worker worker[TN_TEAM_PROCESSES];
    struct tn_team_task task[TN_JOBS];
};

/* Starts a team of processes (1 .. TN_TEAM_PROCESSES), for at most jobs (1 ..
 * TN_JOBS) that are not yet given back.  It takes four descriptors, and two for
 * each process.  Returns 1, or TN_EINVAL, TN_EFILES, TN_EMEMORY, TN_ESYSTEM. */
int32_t tn_team_open(struct tn_team *t, uint32_t processes, uint32_t jobs);

/* Queues work on a copy of data[0 .. len - 1]; the rest of its TN_JOB_BYTES is
 * zero.  Returns 1 and names the job; TN_EFULL when the table is full; TN_ETOOBIG
 * beyond TN_JOB_BYTES; TN_EOF in a worker. */
int32_t tn_team_submit(struct tn_team *t, tn_job_work work, const void *data, uint32_t len,
                       struct tn_job *job);

/* Waits for the end of a job up to deadline_ms of the monotonic clock (0: does
 * not wait; TN_NEVER: no limit), copies the first len bytes of what it left to
 * data, of a job that crashed what was submitted, and its state (TN_JOB_DONE,
 * TN_JOB_CANCELLED, TN_JOB_FAILED) to *state.  Returns 1, and the handle is
 * stale; 0 at the deadline, never before it; TN_ESTALE; TN_ETOOBIG. */
int32_t tn_team_wait(struct tn_team *t, struct tn_job job, void *data, uint32_t len,
                     uint32_t *state, int64_t deadline_ms);

/* Cancels a job that nobody has begun; tn_team_wait tells of it then.  Returns
 * 1; 0 when it has begun; TN_ESTALE. */
int32_t tn_team_cancel(struct tn_team *t, struct tn_job job);

/* Ends a job, begun or not: it is cancelled if nobody has begun it, otherwise its
 * worker is killed, and replaced at once, and it has failed; tn_team_wait tells of
 * it then.  What it was doing is left half done.  The call waits for the process's
 * end, as the system brings it about.  Returns 1; 0 when it has ended
 * before; TN_ESTALE. */
int32_t tn_team_kill(struct tn_team *t, struct tn_job job);

/* Gives up a job: it is cancelled if nobody has begun it, and its slot is free
 * as soon as it has ended.  One that may never end is to be killed first.
 * Returns 1, and the handle must not be used any more; or TN_ESTALE. */
int32_t tn_team_forget(struct tn_team *t, struct tn_job job);

/* Does work on each of the count elements of size bytes at array, in place,
 * several at a time.  Returns 1; 0 at the deadline: the elements from some place
 * on are as they were, and those that were being worked on are killed; TN_EFULL,
 * TN_ETOOBIG, TN_EOF as tn_team_submit; TN_ERESET when the work failed on an
 * element: those after it may be as they were, and their work is killed. */
int32_t tn_team_map(struct tn_team *t, tn_job_work work, void *array, uint32_t size, uint32_t count,
                    int64_t deadline_ms);

/* Lets the team go on, and makes `done` unreadable until there is news.  Call it
 * when `done` can be read, before looking at the jobs. */
void tn_team_clear(struct tn_team *t);

/* Ends the team: what is queued is done first, or, cancel 1 or 2, cancelled; what
 * has begun is waited for, or, cancel 2, killed.  Every worker is reaped, and
 * every descriptor of the team closed. */
void tn_team_close(struct tn_team *t, uint32_t cancel);

#ifdef __cplusplus
}
#endif

#endif
