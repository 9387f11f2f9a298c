/* The bench's client: client PORT CONNECTIONS ROUNDS PIPELINE.
 *
 * $IDLE connections are opened first and never used.
 *
 * In each round every connection sends PIPELINE messages of 64 bytes, in one
 * segment, then all answers are read.  The messages end in LF, so they are
 * frames under `line` too. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE 64
#define MOST 1024

static void stop(const char *what)
{
    perror(what);
    exit(1);
}

static int connected(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        stop("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int main(int argc, char **argv)
{
    static char out[MESSAGE * 64], in[MESSAGE * 64];
    static int fds[MOST];
    int connections, rounds, pipeline, idle;
    size_t n;

    if (argc != 5)
        return 2;
    idle = getenv("IDLE") != NULL ? atoi(getenv("IDLE")) : 0;
    connections = atoi(argv[2]);
    rounds = atoi(argv[3]);
    pipeline = atoi(argv[4]);
    if (connections < 1 || connections > MOST || pipeline < 1 || pipeline > 64)
        return 2;
    n = MESSAGE * (size_t)pipeline;
    for (size_t i = 0; i < n; i++)
        out[i] = i % MESSAGE == MESSAGE - 1 ? '\n' : (char)('a' + i % 26);
    for (int i = 0; i < idle; i++)
        (void)connected((uint16_t)atoi(argv[1]));
    for (int c = 0; c < connections; c++)
        fds[c] = connected((uint16_t)atoi(argv[1]));
    for (int r = 0; r < rounds; r++) {
        for (int c = 0; c < connections; c++)
            if (send(fds[c], out, n, 0) != (ssize_t)n)
                stop("send");
        for (int c = 0; c < connections; c++) {
            if (recv(fds[c], in, n, MSG_WAITALL) != (ssize_t)n)
                stop("recv");
            if (memcmp(in, out, n) != 0)
                return 1;
        }
    }
    return 0;
}
