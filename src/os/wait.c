/* Waiting, by poll. */
#define _GNU_SOURCE
#include "os/wait.h"

#include <errno.h>
#include <poll.h>

_Static_assert(TN_READ == POLLIN && TN_WRITE == POLLOUT && TN_BROKEN == (POLLERR | POLLHUP),
               "masks are the kernel's");

/* How long poll may wait. */
static int timeout(int64_t deadline_ms)
{
    int64_t left;

    if (deadline_ms == INT64_MAX) {
        return -1;
    }
    left = deadline_ms - tn_sys_now_ms();
    return left <= 0 ? 0 : left < INT32_MAX ? (int)left : INT32_MAX;
}

/* What poll reports; a number that is no descriptor is as broken as can be. */
static uint32_t reported(const struct pollfd *p)
{
    return p->revents & POLLNVAL ? TN_BROKEN : (uint32_t)p->revents;
}

/* Asks whether each of fd[0 .. count - 1] can be read. */
static void ask_others(struct pollfd *p, const int32_t *fd, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        p[i].fd = fd[i];
        p[i].events = POLLIN;
    }
}

/* A bit for each of p[0 .. count - 1] that poll reports. */
static uint32_t told(const struct pollfd *p, uint32_t count)
{
    uint32_t bits = 0;

    for (uint32_t i = 0; i < count; i++) {
        bits |= p[i].revents != 0 ? 1u << i : 0;
    }
    return bits;
}

/* What a wait returns for which poll reported nothing. */
static int32_t nothing_told(int r)
{
    return r == 0 || errno == EINTR ? 0 : TN_ESYSTEM;
}

int32_t tn_wait(struct tn_wanted *w, uint32_t n, const int32_t *fd, uint32_t count,
                uint32_t *others, int64_t deadline_ms)
{
    struct pollfd p[TN_WAIT_MAX];
    int32_t own = 0;
    int r;

    *others = 0;
    if (n > TN_WAIT_MAX || count > TN_WAIT_MAX - n) {
        return TN_ESYSTEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        p[i].fd = w[i].fd;
        p[i].events = (short)w[i].mask;
        w[i].ready = 0;
    }
    ask_others(p + n, fd, count);
    r = poll(p, n + count, timeout(deadline_ms));
    if (r <= 0) {
        return nothing_told(r);
    }
    for (uint32_t i = 0; i < n; i++) {
        w[i].ready = reported(&p[i]);
        own += w[i].ready != 0;
    }
    *others = told(p + n, count);
    return own;
}

int32_t tn_wait_for(int32_t own, uint32_t mask, const int32_t *fd, uint32_t count, uint32_t *others,
                    int64_t deadline_ms)
{
    struct pollfd p[1 + TN_WATCHES];
    uint32_t ready;
    int r;

    *others = 0;
    if (count > TN_WATCHES) {
        return TN_ESYSTEM;
    }
    p[0].fd = own;
    p[0].events = (short)mask;
    ask_others(p + 1, fd, count);
    r = poll(p, 1 + count, timeout(deadline_ms));
    if (r <= 0) {
        return nothing_told(r);
    }
    ready = reported(&p[0]);
    *others = r > (ready != 0) ? told(p + 1, count) : 0;
    return (int32_t)ready;
}
