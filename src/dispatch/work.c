#include "dispatch/work.h"

/* Waits for the job of the element at data.  Returns as tn_map. */
static int32_t finish_element(const struct tn_map_calls *m, struct tn_job job, void *data,
                              uint32_t size, int64_t deadline_ms)
{
    uint32_t state = TN_JOB_DONE;
    const int32_t r = m->wait(m->pool, job, data, size, &state, deadline_ms);

    if (r == 1 && state != TN_JOB_DONE) {
        return state == TN_JOB_FAILED ? TN_ERESET : TN_EOF;
    }
    return r;
}

int32_t tn_map(const struct tn_map_calls *m, tn_job_work work, void *array, uint32_t size,
               uint32_t count, int64_t deadline_ms)
{
    struct tn_job job[TN_MAP_AT_ONCE];
    char *bytes = array;
    uint32_t begun = 0, ended = 0;
    int32_t r = size > TN_JOB_BYTES ? TN_ETOOBIG : 1;

    while (r == 1 && ended < count) {
        int32_t s = TN_EFULL;

        if (begun < count && begun - ended < TN_MAP_AT_ONCE) {
            s = m->submit(m->pool, work, bytes + (size_t)begun * size, size,
                          &job[begun % TN_MAP_AT_ONCE]);
            begun += s == 1;
        }
        if (s != 1 && begun == ended) {
            r = s; /* the table is full of others' jobs */
        } else if (s != 1) {
            r = finish_element(m, job[ended % TN_MAP_AT_ONCE], bytes + (size_t)ended * size, size,
                               deadline_ms);
            ended += r == 1 || r == TN_ERESET;
        }
    }
    for (; ended < begun; ended++) {
        m->give_up(m->pool, job[ended % TN_MAP_AT_ONCE]);
    }
    return r;
}
