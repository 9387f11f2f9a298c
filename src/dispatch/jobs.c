#include "dispatch/jobs.h"

void tn_jobs_init(struct tn_jobs *j, uint32_t cap)
{
    uint32_t i;

    j->cap = cap;
    j->next = 0;
    /*@ loop invariant range: 0 <= i <= cap;
        loop invariant done: \forall integer s; 0 <= s < i ==>
            j->state[s] == TN_JOB_FREE && j->ticket[s] == 0 && j->life[s] == 0;
        loop assigns i, j->state[0 .. cap - 1], j->ticket[0 .. cap - 1], j->life[0 .. cap - 1];
        loop variant cap - i;
    */
    for (i = 0; i < cap; i++) {
        j->state[i] = TN_JOB_FREE;
        j->ticket[i] = 0;
        j->life[i] = 0;
    }
}

uint32_t tn_jobs_submit(struct tn_jobs *j)
{
    uint32_t i;

    if (j->next == INT64_MAX) {
        return TN_NONE; /* not in the next thousand years */
    }
    /*@ loop invariant range: 0 <= i <= j->cap;
        loop invariant used: \forall integer s; 0 <= s < i ==> j->state[s] != TN_JOB_FREE;
        loop assigns i;
        loop variant j->cap - i;
    */
    for (i = 0; i < j->cap; i++) {
        if (j->state[i] == TN_JOB_FREE) {
            j->ticket[i] = j->next;
            j->next++;
            j->state[i] = TN_JOB_QUEUED;
            return i;
        }
    }
    return TN_NONE;
}

uint32_t tn_jobs_take(struct tn_jobs *j)
{
    uint32_t first = TN_NONE;
    uint32_t i;

    /*@ loop invariant range: 0 <= i <= j->cap;
        loop invariant none: first == TN_NONE <==>
            (\forall integer s; 0 <= s < i ==> j->state[s] != TN_JOB_QUEUED);
        loop invariant found: first != TN_NONE ==> first < i && j->state[first] == TN_JOB_QUEUED;
        loop invariant least: first != TN_NONE ==> \forall integer s; 0 <= s < i &&
            j->state[s] == TN_JOB_QUEUED ==> j->ticket[first] <= j->ticket[s];
        loop assigns i, first;
        loop variant j->cap - i;
    */
    for (i = 0; i < j->cap; i++) {
        if (j->state[i] == TN_JOB_QUEUED && (first == TN_NONE || j->ticket[i] < j->ticket[first])) {
            first = i;
        }
    }
    if (first != TN_NONE) {
        j->state[first] = TN_JOB_RUNNING;
    }
    return first;
}

void tn_jobs_end(struct tn_jobs *j, uint32_t slot, uint32_t failed)
{
    j->state[slot] = failed == 1 ? TN_JOB_FAILED : TN_JOB_DONE;
}

uint32_t tn_jobs_cancel(struct tn_jobs *j, uint32_t slot)
{
    if (j->state[slot] != TN_JOB_QUEUED) {
        return 0;
    }
    j->state[slot] = TN_JOB_CANCELLED;
    return 1;
}

void tn_jobs_release(struct tn_jobs *j, uint32_t slot)
{
    j->state[slot] = TN_JOB_FREE;
    j->life[slot] = j->life[slot] < UINT32_MAX ? j->life[slot] + 1u : 0u;
}

uint32_t tn_job_known(const struct tn_jobs *j, struct tn_job job)
{
    if (job.slot >= j->cap)
        return 0;
    return j->life[job.slot] == job.life && j->state[job.slot] != TN_JOB_FREE ? 1 : 0;
}

uint32_t tn_job_over(const struct tn_jobs *j, uint32_t slot)
{
    return j->state[slot] >= TN_JOB_DONE ? 1 : 0;
}
