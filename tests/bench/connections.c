/* Connections per second: connections PORT PORT PAIRS MILLISECONDS.
 *
 * Connects, sends a line, reads it back, closes, again and again, by turns to
 * the first and to the second server for so many milliseconds each; prints the
 * ratio of the first one's rate to the second one's, the median over the pairs,
 * and both median rates.  Two clients at a time, so that a model which serves
 * more than one has something to do. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 101

static void stop(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int connected(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        stop("connect");
    return fd;
}

/* The client closes first, with a reset: so no port waits in TIME_WAIT. */
static void converse(uint16_t port)
{
    const struct linger at_once = {1, 0};
    char line[6];
    int fd = connected(port);

    if (send(fd, "hello\n", 6, MSG_NOSIGNAL) != 6)
        stop("send");
    if (recv(fd, line, 6, MSG_WAITALL) != 6 || memcmp(line, "hello\n", 6) != 0)
        stop("recv");
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

static double rate(uint16_t port, int ms)
{
    const int64_t start = now_ns(), end = start + (int64_t)ms * 1000000;
    int64_t count = 0, now;

    do {
        converse(port);
        count++;
        now = now_ns();
    } while (now < end);
    return (double)count * 1e9 / (double)(now - start);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof v[0], by_size);
    return v[n / 2];
}

int main(int argc, char **argv)
{
    static double first[MOST], second[MOST], ratio[MOST];
    uint16_t port[2];
    int pairs, ms;

    if (argc != 5)
        return 2;
    port[0] = (uint16_t)atoi(argv[1]);
    port[1] = (uint16_t)atoi(argv[2]);
    pairs = atoi(argv[3]);
    ms = atoi(argv[4]);
    if (pairs < 1 || pairs > MOST)
        return 2;
    (void)rate(port[0], ms);
    (void)rate(port[1], ms);
    for (int i = 0; i < pairs; i++) {
        /* who goes first changes, so that neither always follows the other */
        if (i % 2 == 0)
            first[i] = rate(port[0], ms);
        second[i] = rate(port[1], ms);
        if (i % 2 == 1)
            first[i] = rate(port[0], ms);
        ratio[i] = first[i] / second[i];
    }
    printf("%.2f %.0f %.0f\n", median(ratio, pairs), median(first, pairs), median(second, pairs));
    return 0;
}
