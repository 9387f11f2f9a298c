/* many IDLE ACTIVE ROUNDS [IDLE_MS]: the engine with that many idle connections
 * beside the active ones, over a kernel of arrays that does its part in the same
 * few instructions whatever their number.  In each round every active connection
 * has a message and gets its echo.  Prints the events it took.
 *
 * The bench counts the instructions of serve_rounds() and divides. */
#include "serve/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE 64u
#define FIRST 8 /* descriptors below belong to the set, the listener and others */
#define SET 3
#define LISTENER 4

static struct {
    uint32_t total, active, stride;
    uint32_t waiting;                /* connections to be accepted */
    uint32_t next, left;             /* active ones still to be reported */
    uint8_t message[TN_CONNECTIONS]; /* 1: a message has come, by connection */
    uint32_t slot[TN_CONNECTIONS], gen[TN_CONNECTIONS];
    uint32_t listener_slot, listener_gen;
    int64_t now;
    uint64_t echoed;
} kernel;

int32_t tn_sys_epoll_create(void)
{
    return SET;
}

int32_t tn_sys_epoll_add(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    (void)epfd;
    (void)mask;
    if (fd == LISTENER) {
        kernel.listener_slot = slot;
        kernel.listener_gen = gen;
    } else {
        kernel.slot[fd - FIRST] = slot;
        kernel.gen[fd - FIRST] = gen;
    }
    return 1;
}

void tn_sys_epoll_modify(int32_t epfd, int32_t fd, uint32_t slot, uint32_t gen, uint32_t mask)
{
    (void)epfd;
    (void)fd;
    (void)slot;
    (void)gen;
    (void)mask;
}

void tn_sys_epoll_remove(int32_t epfd, int32_t fd)
{
    (void)epfd;
    (void)fd;
}

int32_t tn_sys_epoll_wait(int32_t epfd, struct tn_ready *ready, uint32_t max, int32_t timeout_ms)
{
    uint32_t n = 0;

    (void)epfd;
    (void)timeout_ms;
    if (kernel.waiting > 0) {
        ready[n].mask = TN_READ;
        ready[n].slot = kernel.listener_slot;
        ready[n++].gen = kernel.listener_gen;
    }
    while (n < max && kernel.left > 0) {
        uint32_t c = kernel.next++ * kernel.stride;

        kernel.left--;
        kernel.message[c] = 1;
        ready[n].mask = TN_READ;
        ready[n].slot = kernel.slot[c];
        ready[n++].gen = kernel.gen[c];
    }
    return (int32_t)n;
}

int32_t tn_sys_accept(int32_t listener)
{
    (void)listener;
    if (kernel.waiting == 0)
        return TN_EAGAIN;
    return FIRST + (int32_t)(kernel.total - kernel.waiting--);
}

int32_t tn_sys_recv(int32_t fd, uint8_t *buf, uint32_t to, uint32_t n)
{
    if (kernel.message[fd - FIRST] == 0 || n < MESSAGE)
        return 0;
    kernel.message[fd - FIRST] = 0;
    memset(buf + to, 'x', MESSAGE);
    return (int32_t)MESSAGE;
}

int32_t tn_sys_send(int32_t fd, const uint8_t *buf, uint32_t from, uint32_t n)
{
    (void)fd;
    (void)buf;
    (void)from;
    kernel.echoed += n;
    return (int32_t)n;
}

void tn_sys_finish(int32_t fd)
{
    (void)fd;
}

void tn_sys_close(int32_t fd)
{
    (void)fd;
}

int64_t tn_sys_now_ms(void)
{
    return kernel.now;
}

static struct tn_server server;

static void serve(uint64_t until)
{
    struct tn_event ev;

    while (kernel.echoed < until && tn_next(&server, &ev, 0) >= 0)
        if (ev.type == TN_FRAME)
            (void)tn_send(&server, ev.conn, ev.data, ev.len);
}

__attribute__((noinline)) static void serve_rounds(uint32_t rounds)
{
    for (uint32_t r = 0; r < rounds; r++) {
        kernel.now++;
        kernel.next = 0;
        kernel.left = kernel.active;
        serve(kernel.echoed + (uint64_t)kernel.active * MESSAGE);
    }
}

static void accept_all(void)
{
    struct tn_event ev;

    kernel.waiting = kernel.total;
    while ((kernel.waiting > 0 || server.table.slots.live < kernel.total) &&
           tn_next(&server, &ev, 0) >= 0)
        ;
}

int main(int argc, char **argv)
{
    struct tn_options options = {.framing = TN_RAW};
    uint32_t idle, rounds;

    if (argc < 4)
        return 2;
    idle = (uint32_t)strtoul(argv[1], NULL, 10);
    kernel.active = (uint32_t)strtoul(argv[2], NULL, 10);
    rounds = (uint32_t)strtoul(argv[3], NULL, 10);
    options.idle_ms = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0;
    kernel.total = idle + kernel.active;
    kernel.stride = kernel.total / kernel.active; /* the active ones lie among the idle */
    options.connections = kernel.total;
    if (tn_init(&server, &options) != 1 || tn_listen(&server, LISTENER) != 1)
        return 1;
    accept_all();
    serve_rounds(rounds);
    printf("%u\n", rounds * kernel.active);
    return 0;
}
