/* Passing descriptors, on Linux: packets of one byte, each with one. */
#define _GNU_SOURCE
#include "os/pass.h"

#include "os/error.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* The smallest buffer there is: room for about six. */
#define SMALLEST 1

/* Aligned as the kernel wants the header of control data. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int32_t tn_pass_open(int32_t end[2])
{
    const int size = SMALLEST;
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) != 0) {
        return tn_error_of(errno);
    }
    (void)setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    end[0] = fd[0];
    end[1] = fd[1];
    return 1;
}

int32_t tn_pass_put(int32_t end, int32_t fd)
{
    char byte = 0;
    struct iovec data = {&byte, 1};
    union control control;
    struct msghdr m;
    struct cmsghdr *c;
    ssize_t sent;

    memset(&control, 0, sizeof control);
    memset(&m, 0, sizeof m);
    m.msg_iov = &data;
    m.msg_iovlen = 1;
    m.msg_control = control.bytes;
    m.msg_controllen = sizeof control.bytes;
    c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
    do {
        sent = sendmsg(end, &m, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent == 1) {
        return 1;
    }
    switch (errno) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
    case ETOOMANYREFS: /* too many are on their way */
        return TN_EAGAIN;
    case EPIPE:
    case ECONNRESET:
        return TN_ERESET;
    default:
        return TN_ESYSTEM;
    }
}

int32_t tn_pass_take(int32_t end)
{
    char byte;
    struct iovec data = {&byte, 1};
    union control control;
    struct msghdr m;
    struct cmsghdr *c;
    ssize_t got;
    int fd;

    memset(&m, 0, sizeof m);
    m.msg_iov = &data;
    m.msg_iovlen = 1;
    m.msg_control = control.bytes;
    m.msg_controllen = sizeof control.bytes;
    do {
        got = recvmsg(end, &m, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno == EAGAIN ? TN_EAGAIN : TN_ESYSTEM;
    }
    if (got == 0) {
        return TN_EOF;
    }
    c = CMSG_FIRSTHDR(&m);
    if (c == NULL || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int))) {
        return TN_EFILES;
    }
    memcpy(&fd, CMSG_DATA(c), sizeof(int));
    return fd;
}
