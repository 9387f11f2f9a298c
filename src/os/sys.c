/* The kernel, on Linux: each function keeps its contract of os/sys.h by one
 * system call, and translates errno.  This file is trusted, not proved: it is
 * kept short enough to be checked by eye, and tests/conform checks each clause of
 * each contract on the real kernel.
 */
#define _GNU_SOURCE
#include "os/sys.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

_Static_assert(TN_READ == EPOLLIN && TN_WRITE == EPOLLOUT && TN_BROKEN == (EPOLLERR | EPOLLHUP),
               "masks are the kernel's");
_Static_assert(TN_EDGE == (uint32_t)EPOLLET && TN_ENDED == (EPOLLRDHUP | EPOLLPRI),
               "masks are the kernel's");
_Static_assert(sizeof(int) == sizeof(int32_t), "descriptors are 32-bit");

/* A new descriptor beyond the model's table is as good as none. */
static int32_t within_table(int fd)
{
    if (fd < TN_SYS_FDS) {
        return fd;
    }
    (void)close(fd);
    return TN_EFILES;
}

static int32_t no_descriptor(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
        return TN_EFILES;
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
        return TN_EMEMORY;
    default:
        return TN_ESYSTEM;
    }
}

/* Without interest the kernel still reports errors and hang-ups, and while
 * they last, without end; one-shot makes that one report. */
static struct epoll_event registration(uint32_t slot, uint32_t gen, uint32_t mask)
{
    struct epoll_event ev;

    ev.events = mask == 0 ? (uint32_t)EPOLLONESHOT : mask;
    ev.data.u64 = (uint64_t)gen << 32 | slot;
    return ev;
}

int32_t tn_sys_epoll_create(void)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    return fd >= 0 ? within_table(fd) : no_descriptor(errno);
}

int32_t tn_sys_epoll_add(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    struct epoll_event ev = registration(slot, gen, mask);

    return epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) == 0 ? 1 : no_descriptor(errno);
}

void tn_sys_epoll_modify(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    struct epoll_event ev = registration(slot, gen, mask);

    (void)epoll_ctl(epfd, EPOLL_CTL_MOD, fd, &ev);
}

void tn_sys_epoll_remove(int32_t epfd, int32_t fd)
{
    struct epoll_event unused = {0}; /* kernels before 2.6.9 want one */

    (void)epoll_ctl(epfd, EPOLL_CTL_DEL, fd, &unused);
}

#ifdef __x86_64__
/* Here the kernel's struct is packed: {events, low half of data, high half},
 * just as struct tn_ready, and reports need no conversion. */
_Static_assert(sizeof(struct epoll_event) == sizeof(struct tn_ready) &&
                   offsetof(struct epoll_event, events) == offsetof(struct tn_ready, mask) &&
                   offsetof(struct epoll_event, data) == offsetof(struct tn_ready, slot) &&
                   offsetof(struct tn_ready, gen) == offsetof(struct tn_ready, slot) + 4,
               "reports are laid out as the kernel's");

static int wait_for_reports(int epfd, struct tn_ready *ready, int max, int timeout_ms)
{
    return epoll_wait(epfd, (struct epoll_event *)(void *)ready, max, timeout_ms);
}
#else
static int wait_for_reports(int epfd, struct tn_ready *ready, int max, int timeout_ms)
{
    struct epoll_event events[TN_BATCH];
    int n = epoll_wait(epfd, events, max, timeout_ms);

    for (int i = 0; i < n; i++) {
        ready[i].mask = events[i].events;
        ready[i].slot = (uint32_t)events[i].data.u64;
        ready[i].gen = (uint32_t)(events[i].data.u64 >> 32);
    }
    return n;
}
#endif

int32_t tn_sys_epoll_wait(int32_t epfd, struct tn_ready *ready, uint32_t max, int32_t timeout_ms)
{
    int n = wait_for_reports(epfd, ready, (int)max, timeout_ms);

    return n >= 0 ? n : errno == EINTR ? 0 : TN_ESYSTEM;
}

_Static_assert(TN_READ == POLLIN && TN_WRITE == POLLOUT && TN_BROKEN == (POLLERR | POLLHUP),
               "masks are the kernel's");
_Static_assert(sizeof(struct pollfd) == sizeof(struct tn_asked) &&
                   offsetof(struct pollfd, fd) == offsetof(struct tn_asked, fd) &&
                   offsetof(struct pollfd, events) == offsetof(struct tn_asked, events) &&
                   offsetof(struct pollfd, revents) == offsetof(struct tn_asked, revents),
               "questions are laid out as the kernel's");

/* A failed call has written nothing, or anything: no answer is left of it. */
static int32_t unanswered(struct tn_asked *list, uint32_t n, int error)
{
    for (uint32_t i = 0; i < n; i++) {
        list[i].revents = 0;
    }
    return error == EINTR ? 0 : TN_ESYSTEM;
}

int32_t tn_sys_poll(struct tn_asked *list, uint32_t n, int32_t timeout_ms)
{
    int ready = poll((struct pollfd *)(void *)list, n, timeout_ms);

    return ready >= 0 ? ready : unanswered(list, n, errno);
}

_Static_assert(TN_SELECT_FDS <= FD_SETSIZE, "numbers above are beyond the set");

int32_t tn_sys_select(struct tn_asked *list, uint32_t n, int32_t timeout_ms)
{
    struct timeval time = {timeout_ms / 1000, timeout_ms % 1000 * 1000L};
    fd_set readable, writable;
    int32_t ready = 0;
    int top = -1;

    FD_ZERO(&readable);
    FD_ZERO(&writable);
    for (uint32_t i = 0; i < n; i++) {
        if (list[i].events & (int16_t)TN_READ) {
            FD_SET(list[i].fd, &readable);
        }
        if (list[i].events & (int16_t)TN_WRITE) {
            FD_SET(list[i].fd, &writable);
        }
        top = list[i].fd > top ? list[i].fd : top;
    }
    if (select(top + 1, &readable, &writable, NULL, timeout_ms < 0 ? NULL : &time) < 0) {
        return unanswered(list, n, errno);
    }
    for (uint32_t i = 0; i < n; i++) {
        list[i].revents = (int16_t)((FD_ISSET(list[i].fd, &readable) ? TN_READ : 0) |
                                    (FD_ISSET(list[i].fd, &writable) ? TN_WRITE : 0));
        ready += list[i].revents != 0;
    }
    return ready;
}

int32_t tn_sys_accept(int32_t listener)
{
    int fd;

    do {
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    if (fd >= 0) {
        return within_table(fd);
    }
    switch (errno) {
    case EAGAIN:
    /* The connection broke, or was forbidden, while it was waiting: it is gone,
     * and the next one will be reported.  See accept(2), "Error handling". */
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ETIMEDOUT:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
        return TN_EAGAIN;
    default:
        return no_descriptor(errno);
    }
}

/* What recv or send come to that have failed. */
static int32_t not_moved(int error)
{
    switch (error) {
    case EAGAIN:
        return 0;
    case EINTR: /* not of a call that does not wait, on Linux */
    case ENOBUFS:
    case ENOMEM:
        return TN_EMEMORY;
    default:
        return TN_ERESET;
    }
}

int32_t tn_sys_recv(int32_t fd, uint8_t *buf, uint32_t to, uint32_t n)
{
    ssize_t got = recv(fd, buf + to, n, MSG_DONTWAIT);

    if (got > 0) {
        return (int32_t)got;
    }
    return got == 0 ? TN_EOF : not_moved(errno);
}

int32_t tn_sys_send(int32_t fd, const uint8_t *buf, uint32_t from, uint32_t n)
{
    ssize_t sent = send(fd, buf + from, n, MSG_DONTWAIT | MSG_NOSIGNAL);

    return sent >= 0 ? (int32_t)sent : not_moved(errno);
}

void tn_sys_finish(int32_t fd)
{
    (void)shutdown(fd, SHUT_WR); /* fails only on a connection that is gone */
}

void tn_sys_close(int32_t fd)
{
    (void)close(fd); /* never again: after EINTR the number is free already */
}

int64_t tn_sys_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: see clock_gettime(2) */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
