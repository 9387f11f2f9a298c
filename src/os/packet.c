/* Packets, on Linux: SOCK_SEQPACKET. */
#define _GNU_SOURCE
#include "os/packet.h"

#include "os/error.h"

#include <errno.h>
#include <sys/socket.h>

int32_t tn_packet_open(int32_t end[2])
{
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0) {
        return tn_error_of(errno);
    }
    end[0] = fd[0];
    end[1] = fd[1];
    return 1;
}

int32_t tn_packet_put(int32_t end, const void *data, uint32_t len)
{
    ssize_t sent;

    do {
        sent = send(end, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)len) {
        return 1;
    }
    switch (errno) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
        return TN_EAGAIN;
    case EPIPE:
    case ECONNRESET:
        return TN_ERESET;
    case EMSGSIZE:
        return TN_ETOOBIG;
    default:
        return TN_ESYSTEM;
    }
}

int32_t tn_packet_take(int32_t end, void *data, uint32_t len, uint32_t wait)
{
    ssize_t got;

    do {
        got = recv(end, data, len, MSG_TRUNC | (wait == 1 ? 0 : MSG_DONTWAIT));
    } while (got < 0 && errno == EINTR);
    if (got == (ssize_t)len) {
        return 1;
    }
    if (got >= 0) {
        return got == 0 ? TN_EOF : TN_EFRAME;
    }
    switch (errno) {
    case EAGAIN:
        return TN_EAGAIN;
    case ECONNRESET:
        return TN_ERESET;
    default:
        return TN_ESYSTEM;
    }
}
