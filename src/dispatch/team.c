#include "dispatch/team.h"

#include "os/alarm.h"
#include "os/packet.h"
#include "os/process.h"
#include "os/wait.h"
#include "os/wake.h"

#include <string.h>

/* Readiness is reported by a worker's number: {number, 0} its socket, {number, 1}
 * its end; this number is the alarm. */
#define ALARM TN_TEAM_PROCESSES

/* A start that the system refused is tried again after so long. */
#define START_RETRY_MS 100

_Static_assert(TN_TEAM_PROCESSES <= TN_CHILDREN, "each worker has a place among the children");

/* --- the ends of jobs and workers ------------------------------------------------------- */

/* Tells of an end. */
static void tell_of_end(struct tn_team *t, uint32_t slot)
{
    if (t->task[slot].unwanted == 1) {
        tn_jobs_release(&t->jobs, slot);
    }
    tn_wake(t->ended);
}

static void stop_watching(struct tn_team *t, int32_t *fd)
{
    if (*fd >= 0) {
        tn_sys_epoll_remove(t->events, *fd); /* a fork of the program may hold it, too */
    }
    tn_close_if_open(fd);
}

/* Ends worker w, if it has not ended by itself, and reaps it; its job fails.
 * rests: 1 if its place is to rest before the next start. */
static void end_worker(struct tn_team *t, uint32_t w, uint32_t rests)
{
    struct tn_team_worker *k = &t->worker[w];
    const uint32_t slot = k->slot;
    uint32_t unused;

    tn_process_kill(t->children.pid[w]);
    tn_process_wait(t->children.pid[w], &unused);
    stop_watching(t, &k->end);
    stop_watching(t, &k->end_fd);
    k->slot = TN_NONE;
    tn_children_end(&t->children, w, rests, tn_sys_now_ms());
    if (slot != TN_NONE) {
        tn_jobs_end(&t->jobs, slot, 1);
        tell_of_end(t, slot);
    }
}

/* A worker that was of use may be replaced at once. */
static uint32_t must_rest(const struct tn_team *t, uint32_t w)
{
    return t->worker[w].useful == 1 ? 0 : 1;
}

/* Whether this is the answer to the job that worker w has. */
static int32_t is_answer(const struct tn_team *t, uint32_t w, const struct tn_team_packet *p)
{
    const uint32_t slot = t->worker[w].slot;

    return slot != TN_NONE && p->ticket == t->task[slot].packet.ticket;
}

static void take_answer(struct tn_team *t, uint32_t w, const struct tn_team_packet *answer)
{
    struct tn_team_worker *k = &t->worker[w];
    const uint32_t slot = k->slot;

    memcpy(t->task[slot].packet.data, answer->data, TN_JOB_BYTES);
    k->slot = TN_NONE;
    k->useful = 1;
    tn_jobs_end(&t->jobs, slot, answer->result < 0);
    tell_of_end(t, slot);
}

/* Takes what worker w has sent, or its end; has_ended 1: its process is gone.  The
 * answer comes before the end: who has answered has not failed. */
static void hear_worker(struct tn_team *t, uint32_t w, uint32_t has_ended)
{
    const struct tn_team_worker *k = &t->worker[w];
    struct tn_team_packet answer;
    int32_t r;

    if (k->end < 0) {
        return; /* an earlier report of the batch told of its end */
    }
    r = tn_packet_take(k->end, &answer, sizeof answer, 0);
    if (r == 1 && is_answer(t, w, &answer)) {
        take_answer(t, w, &answer);
    } else if (r != TN_EAGAIN || has_ended == 1) {
        end_worker(t, w, must_rest(t, w)); /* it has ended, or talks nonsense */
    }
}

static void set_alarm(struct tn_team *t, int64_t due_ms)
{
    if (due_ms != t->alarm_ms) {
        tn_alarm_set(t->alarm, due_ms);
        t->alarm_ms = due_ms;
    }
}

/* Takes what all workers have sent, and their ends. */
static void hear_all(struct tn_team *t)
{
    struct tn_ready ready[TN_BATCH];
    int32_t n;

    while (t->inside == 0 && (n = tn_sys_epoll_wait(t->events, ready, TN_BATCH, 0)) > 0) {
        for (int32_t i = 0; i < n; i++) {
            if (ready[i].slot == ALARM) {
                set_alarm(t, TN_NEVER);
            } else {
                hear_worker(t, ready[i].slot, ready[i].gen);
            }
        }
    }
}

/* --- workers -------------------------------------------------------------------------------- */

/* Makes a team of nobody, with nothing open. */
static void make_empty(struct tn_team *t, uint32_t processes, uint32_t jobs)
{
    t->done = -1;
    t->events = -1;
    t->ended = -1;
    t->alarm = -1;
    t->alarm_ms = TN_NEVER;
    t->retry_ms = 0;
    t->inside = 0;
    tn_jobs_init(&t->jobs, jobs);
    tn_children_init(&t->children, processes);
    for (uint32_t w = 0; w < TN_TEAM_PROCESSES; w++) {
        t->worker[w].end = -1;
        t->worker[w].end_fd = -1;
        t->worker[w].slot = TN_NONE;
        t->worker[w].useful = 0;
    }
}

/* A worker, from its birth to its end: that of its parent, or of the socket. */
static void work_for_parent(struct tn_team *t, int32_t end)
{
    struct tn_team_packet p;
    int32_t r = 1;

    make_empty(t, 1, 1);
    t->inside = 1;
    tn_process_keep_only(end);
    while (r == 1 && tn_packet_take(end, &p, sizeof p, 1) == 1) {
        p.result = p.work(p.data);
        r = tn_packet_put(end, &p, sizeof p);
    }
    tn_process_exit(r == 1 ? 0 : 1);
}

static int32_t watch_worker(struct tn_team *t, uint32_t w)
{
    const struct tn_team_worker *k = &t->worker[w];
    const int32_t r = tn_sys_epoll_add(t->events, k->end, w, 0, TN_READ);

    return r < 0 || k->end_fd < 0 ? r : tn_sys_epoll_add(t->events, k->end_fd, w, 1, TN_READ);
}

/* Starts worker w.  Returns 1, or why not. */
static int32_t start_worker_of(struct tn_team *t, uint32_t w)
{
    struct tn_team_worker *k = &t->worker[w];
    int32_t end[2], pid, r;

    r = tn_packet_open(end);
    if (r < 0) {
        return r;
    }
    pid = tn_process_fork();
    if (pid == 0) {
        work_for_parent(t, end[1]);
    }
    tn_close_if_open(&end[1]);
    if (pid < 0) {
        tn_close_if_open(&end[0]);
        return pid;
    }
    k->end = end[0];
    k->end_fd = tn_process_end_open(pid);
    k->slot = TN_NONE;
    k->useful = 0;
    tn_children_start(&t->children, w, pid, tn_sys_now_ms());
    r = watch_worker(t, w);
    if (r < 0) {
        end_worker(t, w, 0);
    }
    return r;
}

/* Starts the workers that are missing and not resting.  Returns 1, or why one
 * could not be started; the alarm is set for it then. */
static int32_t start_missing(struct tn_team *t)
{
    const int64_t now = tn_sys_now_ms();
    uint32_t w;
    int32_t r = 1;

    while (r == 1 && t->inside == 0 && now >= t->retry_ms &&
           (w = tn_children_vacant(&t->children, now)) != TN_NONE) {
        r = start_worker_of(t, w);
    }
    if (r < 0) {
        t->retry_ms = now + START_RETRY_MS;
    }
    return r;
}

static uint32_t find_idle(const struct tn_team *t)
{
    for (uint32_t w = 0; w < t->children.cap; w++) {
        if (t->worker[w].end >= 0 && t->worker[w].slot == TN_NONE) {
            return w;
        }
    }
    return TN_NONE;
}

/* Hands what is queued to whoever is idle. */
static void hand_out(struct tn_team *t)
{
    uint32_t w, slot;

    while ((w = find_idle(t)) != TN_NONE && (slot = tn_jobs_take(&t->jobs)) != TN_NONE) {
        t->worker[w].slot = slot;
        t->task[slot].worker = w;
        if (tn_packet_put(t->worker[w].end, &t->task[slot].packet, sizeof t->task[slot].packet) !=
            1) {
            end_worker(t, w, must_rest(t, w)); /* it has just ended */
        }
    }
}

/* When a worker that is missing may be started. */
static int64_t next_start(const struct tn_team *t)
{
    const int64_t due = tn_children_next(&t->children); /* TN_NEVER when none is missing */

    return due < t->retry_ms ? t->retry_ms : due;
}

/* Lets the team go on as far as it can without waiting. */
static void keep_going(struct tn_team *t)
{
    hear_all(t);
    (void)start_missing(t);
    hand_out(t);
    if (t->inside == 0) {
        set_alarm(t, next_start(t));
    }
}

/* Waits for news of the workers, or until the time is over. */
static void await_news(struct tn_team *t, int64_t deadline_ms)
{
    uint32_t none;

    (void)tn_wait_for(t->events, TN_READ, NULL, 0, &none, deadline_ms);
}

/* --- the calls ----------------------------------------------------------------------------- */

static void close_team(struct tn_team *t)
{
    for (uint32_t w = 0; w < t->children.cap; w++) {
        if (t->worker[w].end >= 0) {
            end_worker(t, w, 0);
        }
    }
    tn_close_if_open(&t->done);
    tn_close_if_open(&t->events);
    tn_close_if_open(&t->ended);
    tn_close_if_open(&t->alarm);
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Opens the descriptors of the team.  Returns 1, or why not. */
static int32_t open_events(struct tn_team *t)
{
    int32_t r;

    t->done = tn_sys_epoll_create();
    t->events = tn_sys_epoll_create();
    t->ended = tn_wake_open();
    t->alarm = tn_alarm_open();
    r = smaller(smaller(t->done, t->events), smaller(t->ended, t->alarm));
    if (r >= 0) {
        r = smaller(tn_sys_epoll_add(t->done, t->events, 0, 0, TN_READ),
                    tn_sys_epoll_add(t->done, t->ended, 0, 0, TN_READ));
    }
    return r < 0 ? r : tn_sys_epoll_add(t->events, t->alarm, ALARM, 0, TN_READ);
}

int32_t tn_team_open(struct tn_team *t, uint32_t processes, uint32_t jobs)
{
    int32_t r;

    if (processes == 0 || processes > TN_TEAM_PROCESSES || jobs == 0 || jobs > TN_JOBS) {
        return TN_EINVAL;
    }
    make_empty(t, processes, jobs);
    r = open_events(t);
    if (r == 1) {
        r = start_missing(t);
    }
    if (r < 0) {
        close_team(t);
    }
    return r;
}

int32_t tn_team_submit(struct tn_team *t, tn_job_work work, const void *data, uint32_t len,
                       struct tn_job *job)
{
    struct tn_team_task *task;

    if (len > TN_JOB_BYTES) {
        return TN_ETOOBIG;
    }
    if (t->inside == 1) {
        return TN_EOF;
    }
    hear_all(t); /* it may free a slot */
    job->slot = tn_jobs_submit(&t->jobs);
    if (job->slot == TN_NONE) {
        return TN_EFULL;
    }
    job->life = t->jobs.life[job->slot];
    task = &t->task[job->slot];
    memset(task, 0, sizeof *task);
    task->packet.ticket = t->jobs.ticket[job->slot];
    task->packet.work = work;
    memcpy(task->packet.data, data, len);
    keep_going(t);
    return 1;
}

int32_t tn_team_wait(struct tn_team *t, struct tn_job job, void *data, uint32_t len,
                     uint32_t *state, int64_t deadline_ms)
{
    if (len > TN_JOB_BYTES) {
        return TN_ETOOBIG;
    }
    keep_going(t);
    while (tn_job_known(&t->jobs, job) == 1 && tn_job_over(&t->jobs, job.slot) == 0) {
        if (deadline_ms <= tn_sys_now_ms()) {
            return 0;
        }
        await_news(t, deadline_ms);
        keep_going(t);
    }
    if (tn_job_known(&t->jobs, job) == 0) {
        return TN_ESTALE;
    }
    *state = t->jobs.state[job.slot];
    memcpy(data, t->task[job.slot].packet.data, len);
    tn_jobs_release(&t->jobs, job.slot);
    return 1;
}

int32_t tn_team_cancel(struct tn_team *t, struct tn_job job)
{
    if (tn_job_known(&t->jobs, job) == 0) {
        return TN_ESTALE;
    }
    if (tn_jobs_cancel(&t->jobs, job.slot) == 0) {
        return 0;
    }
    tn_wake(t->ended);
    return 1;
}

int32_t tn_team_kill(struct tn_team *t, struct tn_job job)
{
    if (tn_job_known(&t->jobs, job) == 0) {
        return TN_ESTALE;
    }
    hear_all(t);
    if (tn_job_over(&t->jobs, job.slot) == 1) {
        return 0;
    }
    if (tn_team_cancel(t, job) == 0) {
        end_worker(t, t->task[job.slot].worker, 0);
    }
    keep_going(t);
    return 1;
}

int32_t tn_team_forget(struct tn_team *t, struct tn_job job)
{
    if (tn_job_known(&t->jobs, job) == 0) {
        return TN_ESTALE;
    }
    t->task[job.slot].unwanted = 1;
    if (tn_jobs_cancel(&t->jobs, job.slot) == 1 || tn_job_over(&t->jobs, job.slot) == 1) {
        tn_jobs_release(&t->jobs, job.slot);
    }
    return 1;
}

static int32_t submit_to_team(void *team, tn_job_work work, const void *data, uint32_t len,
                              struct tn_job *job)
{
    return tn_team_submit(team, work, data, len, job);
}

static int32_t wait_for_team(void *team, struct tn_job job, void *data, uint32_t len,
                             uint32_t *state, int64_t deadline_ms)
{
    return tn_team_wait(team, job, data, len, state, deadline_ms);
}

static void kill_and_forget(void *team, struct tn_job job)
{
    (void)tn_team_kill(team, job);
    (void)tn_team_forget(team, job);
}

int32_t tn_team_map(struct tn_team *t, tn_job_work work, void *array, uint32_t size, uint32_t count,
                    int64_t deadline_ms)
{
    const struct tn_map_calls calls = {t, submit_to_team, wait_for_team, kill_and_forget};

    return tn_map(&calls, work, array, size, count, deadline_ms);
}

void tn_team_clear(struct tn_team *t)
{
    keep_going(t);
    tn_wake_clear(t->ended); /* all that has ended can be seen */
}

/* Whether a job is queued or running. */
static int32_t has_work(const struct tn_team *t)
{
    for (uint32_t s = 0; s < t->jobs.cap; s++) {
        if (t->jobs.state[s] == TN_JOB_QUEUED || t->jobs.state[s] == TN_JOB_RUNNING) {
            return 1;
        }
    }
    return 0;
}

void tn_team_close(struct tn_team *t, uint32_t cancel)
{
    for (uint32_t s = 0; s < t->jobs.cap && cancel > 0; s++) {
        if (t->jobs.state[s] == TN_JOB_QUEUED) {
            (void)tn_jobs_cancel(&t->jobs, s);
        }
    }
    while (cancel < 2 && has_work(t)) {
        keep_going(t);
        if (has_work(t)) {
            await_news(t, TN_NEVER);
        }
    }
    close_team(t);
}
