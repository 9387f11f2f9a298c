/* Beneath os/sys.h on Linux: TCP over the loopback interface, Unix sockets and
 * pipes.  Peers live in this process, at descriptor numbers above the window.
 *
 * The linker puts the __wrap functions below between src/os/sys.c and the
 * kernel (--wrap), so that each error can be counted, and those that no machine
 * in good health shows can be put in the call's place: the kernel is then not
 * asked, and what is checked is how sys.c takes it.
 */
#define _GNU_SOURCE
#include "beneath.h"
#include "core/base.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HIGH 200     /* descriptors of this file are from here on */
#define REPEATED 100 /* the call is made again */
#define IGNORED 101  /* the call says nothing */
#define SETTLE_MS 5000

const char beneath_name[] = "Linux";
const int beneath_strict = 0;

struct peer {
    int fd;
    int local;    /* a Unix socket */
    int accepted; /* its other end is known */
    uint64_t written, read;
    struct sockaddr_storage address, server;
    socklen_t len;
};

static struct peer peers[PEERS];
static int peer_count;
static int pipe_end[WINDOW]; /* the writing end of a pipe, by its reading end; 0 for none */
static int set_info = -1, set_number = -1; /* where the registrations of a set are told */
static rlim_t scarce_limit;                /* 0: plenty */

/* --- errors -------------------------------------------------------------------------- */

struct branch {
    enum call call;
    int error;
    const char *name;
    int32_t gives;
    int can_inject;
    uint64_t met, injected;
};

#define BRANCH(call, error, gives, can_inject) \
    { \
        call, error, #error, gives, can_inject, 0, 0 \
    }

static struct branch branches[] = {
    BRANCH(EPOLL_CREATE, EMFILE, TN_EFILES, 0),
    BRANCH(EPOLL_CREATE, ENFILE, TN_EFILES, 1),
    BRANCH(EPOLL_CREATE, ENOMEM, TN_EMEMORY, 1),
    BRANCH(EPOLL_CREATE, ENOSYS, TN_ESYSTEM, 1),
    BRANCH(EPOLL_ADD, EPERM, TN_ESYSTEM, 0),
    BRANCH(EPOLL_ADD, ENOSPC, TN_EMEMORY, 1),
    BRANCH(EPOLL_ADD, ENOMEM, TN_EMEMORY, 1),
    BRANCH(EPOLL_WAIT, EINTR, 0, 1),
    BRANCH(EPOLL_WAIT, EINVAL, TN_ESYSTEM, 0),
    BRANCH(ACCEPT, EAGAIN, TN_EAGAIN, 0),
    BRANCH(ACCEPT, EINTR, REPEATED, 1),
    BRANCH(ACCEPT, EMFILE, TN_EFILES, 0),
    BRANCH(ACCEPT, ENFILE, TN_EFILES, 1),
    BRANCH(ACCEPT, ENOBUFS, TN_EMEMORY, 1),
    BRANCH(ACCEPT, ENOMEM, TN_EMEMORY, 1),
    BRANCH(ACCEPT, EINVAL, TN_ESYSTEM, 0),
    BRANCH(ACCEPT, ENOTSOCK, TN_ESYSTEM, 0),
    BRANCH(ACCEPT, ECONNABORTED, TN_EAGAIN, 1),
    BRANCH(ACCEPT, EPROTO, TN_EAGAIN, 1),
    BRANCH(ACCEPT, EPERM, TN_EAGAIN, 1),
    BRANCH(ACCEPT, ETIMEDOUT, TN_EAGAIN, 1),
    BRANCH(ACCEPT, ENETDOWN, TN_EAGAIN, 1),
    BRANCH(ACCEPT, ENETUNREACH, TN_EAGAIN, 1),
    BRANCH(ACCEPT, ENONET, TN_EAGAIN, 1),
    BRANCH(ACCEPT, ENOPROTOOPT, TN_EAGAIN, 1),
    BRANCH(ACCEPT, EHOSTDOWN, TN_EAGAIN, 1),
    BRANCH(ACCEPT, EHOSTUNREACH, TN_EAGAIN, 1),
    BRANCH(RECV, EAGAIN, 0, 0),
    BRANCH(RECV, EINTR, TN_EMEMORY, 1),
    BRANCH(RECV, ENOBUFS, TN_EMEMORY, 1),
    BRANCH(RECV, ENOMEM, TN_EMEMORY, 1),
    BRANCH(RECV, ECONNRESET, TN_ERESET, 0),
    BRANCH(RECV, EINVAL, TN_ERESET, 0),
    BRANCH(RECV, ENOTCONN, TN_ERESET, 0),
    BRANCH(RECV, ENOTSOCK, TN_ERESET, 0),
    BRANCH(SEND, EAGAIN, 0, 0),
    BRANCH(SEND, EINTR, TN_EMEMORY, 1),
    BRANCH(SEND, ENOBUFS, TN_EMEMORY, 1),
    BRANCH(SEND, ENOMEM, TN_EMEMORY, 1),
    BRANCH(SEND, EPIPE, TN_ERESET, 0),
    BRANCH(SEND, ECONNRESET, TN_ERESET, 0),
    BRANCH(SEND, ENOTCONN, TN_ERESET, 0),
    BRANCH(SEND, ENOTSOCK, TN_ERESET, 0),
    BRANCH(FINISH, ENOTCONN, IGNORED, 0),
    BRANCH(FINISH, ENOTSOCK, IGNORED, 0),
    BRANCH(CLOSE, EINTR, IGNORED, 1),
    BRANCH(CLOSE, EIO, IGNORED, 1),
    BRANCH(POLL, EINTR, 0, 1),
    BRANCH(POLL, EINVAL, TN_ESYSTEM, 1),
    BRANCH(POLL, ENOMEM, TN_ESYSTEM, 1),
    BRANCH(SELECT, EINTR, 0, 1),
    BRANCH(SELECT, ENOMEM, TN_ESYSTEM, 1),
};
#define BRANCHES (sizeof branches / sizeof branches[0])

/* The system calls by name, in the order of enum call. */
static const char *const call_names[CALLS] = {"epoll_create1", "epoll_ctl", "epoll_wait", "accept4",
                                              "recv",          "send",      "shutdown",   "close",
                                              "poll",          "select"};

static struct branch *trouble; /* what the next call meets instead of the kernel */
static int trouble_times;
static const struct branch *last; /* what the last call met; null for nothing */
static int last_unknown;
static volatile sig_atomic_t signals_seen;

static struct branch *branch_of(enum call call, int error)
{
    for (size_t i = 0; i < BRANCHES; i++)
        if (branches[i].call == call && branches[i].error == error)
            return &branches[i];
    return NULL;
}

/* 1 if the call meets an error that was put in its place; errno is set. */
static int in_trouble(enum call call)
{
    last = NULL;
    last_unknown = 0;
    if (trouble == NULL || trouble->call != call)
        return 0;
    trouble->injected++;
    errno = trouble->error;
    last = trouble;
    signals_seen |= trouble->error == EINTR;
    if (--trouble_times == 0)
        trouble = NULL;
    return 1;
}

static void met(enum call call, int failed)
{
    struct branch *b = failed ? branch_of(call, errno) : NULL;

    if (b != NULL)
        b->met++;
    last = b;
    last_unknown = failed && b == NULL ? errno : 0;
}

void beneath_trouble(enum call call, uint32_t random)
{
    struct branch *fitting[BRANCHES];
    uint32_t n = 0;

    for (size_t i = 0; i < BRANCHES; i++)
        if (branches[i].call == call && branches[i].can_inject)
            fitting[n++] = &branches[i];
    trouble = fitting[random % n];
    trouble_times = trouble->gives == REPEATED ? 1 + (int)(random / 64 % 3) : 1;
}

int beneath_translated(int32_t result)
{
    if (last_unknown != 0) {
        fprintf(stderr, "an error that is not in the table: %s\n", strerror(last_unknown));
        return 0;
    }
    return last == NULL ? result == 0 : last->gives == result;
}

int __real_epoll_create1(int flags);
int __real_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int __real_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout);
int __real_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
ssize_t __real_recv(int fd, void *buf, size_t n, int flags);
ssize_t __real_send(int fd, const void *buf, size_t n, int flags);
int __real_shutdown(int fd, int how);
int __real_close(int fd);
int __real_poll(struct pollfd *list, nfds_t n, int timeout);
int __real_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout);
int __wrap_epoll_create1(int flags);
int __wrap_poll(struct pollfd *list, nfds_t n, int timeout);
int __wrap_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout);
int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int __wrap_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t n, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_close(int fd);

int __wrap_epoll_create1(int flags)
{
    int fd = in_trouble(EPOLL_CREATE) ? -1 : __real_epoll_create1(flags);

    if (last == NULL)
        met(EPOLL_CREATE, fd < 0);
    return fd;
}

int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    int result;

    if (op != EPOLL_CTL_ADD)
        return __real_epoll_ctl(epfd, op, fd, event);
    result = in_trouble(EPOLL_ADD) ? -1 : __real_epoll_ctl(epfd, op, fd, event);
    if (last == NULL)
        met(EPOLL_ADD, result < 0);
    return result;
}

int __wrap_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout)
{
    int n = in_trouble(EPOLL_WAIT) ? -1 : __real_epoll_wait(epfd, events, max, timeout);

    if (last == NULL)
        met(EPOLL_WAIT, n < 0);
    return n;
}

int __wrap_poll(struct pollfd *list, nfds_t n, int timeout)
{
    int result = in_trouble(POLL) ? -1 : __real_poll(list, n, timeout);

    if (last == NULL)
        met(POLL, result < 0);
    return result;
}

int __wrap_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
    int result = in_trouble(SELECT) ? -1 : __real_select(n, r, w, e, timeout);

    if (last == NULL)
        met(SELECT, result < 0);
    return result;
}

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    int result = in_trouble(ACCEPT) ? -1 : __real_accept4(fd, address, len, flags);

    if (last == NULL)
        met(ACCEPT, result < 0);
    return result;
}

ssize_t __wrap_recv(int fd, void *buf, size_t n, int flags)
{
    ssize_t result = in_trouble(RECV) ? -1 : __real_recv(fd, buf, n, flags);

    if (last == NULL)
        met(RECV, result < 0);
    return result;
}

ssize_t __wrap_send(int fd, const void *buf, size_t n, int flags)
{
    ssize_t result = in_trouble(SEND) ? -1 : __real_send(fd, buf, n, flags);

    if (last == NULL)
        met(SEND, result < 0);
    return result;
}

int __wrap_shutdown(int fd, int how)
{
    int result = __real_shutdown(fd, how);

    met(FINISH, result < 0);
    return result;
}

/* Linux closes first and complains then. */
int __wrap_close(int fd)
{
    int result = __real_close(fd);

    if (in_trouble(CLOSE))
        return -1;
    met(CLOSE, result < 0);
    return result;
}

/* --- numbers ------------------------------------------------------------------------- */

static void must(int holds, const char *what)
{
    if (!holds) {
        perror(what);
        exit(2);
    }
}

static void limit_descriptors(rlim_t n)
{
    struct rlimit limit;

    must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = n < limit.rlim_max ? n : limit.rlim_max;
    must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

/* What this file opens meanwhile is not the server's. */
static void plenty(void)
{
    if (scarce_limit > 0)
        limit_descriptors(1024);
}

static void scarce_again(void)
{
    if (scarce_limit > 0)
        limit_descriptors(scarce_limit);
}

void beneath_scarce(int on)
{
    int next = on ? fcntl(0, F_DUPFD, 0) : -1;

    if (next >= 0)
        __real_close(next);
    scarce_limit = on ? (rlim_t)next : 0;
    limit_descriptors(on ? (rlim_t)next : 1024);
}

/* Moves a descriptor out of the window. */
static int high(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

    must(fd >= 0 && moved >= 0, "a descriptor above the window");
    __real_close(fd);
    return moved;
}

uint64_t beneath_life(int32_t fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? ((uint64_t)st.st_dev << 40 ^ (uint64_t)st.st_ino) + 1 : 0;
}

int beneath_well_opened(int32_t fd, int connection)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) && (!connection || (fcntl(fd, F_GETFL) & O_NONBLOCK));
}

uint32_t beneath_registrations(int32_t set, struct registration *r, uint32_t max)
{
    static char text[16384];
    char name[64];
    uint32_t n = 0;
    ssize_t len;

    if (set != set_number) {
        snprintf(name, sizeof name, "/proc/self/fdinfo/%d", (int)set);
        plenty();
        if (set_info >= 0)
            __real_close(set_info);
        set_info = high(open(name, O_RDONLY | O_CLOEXEC));
        set_number = set;
        scarce_again();
    }
    must(lseek(set_info, 0, SEEK_SET) == 0, "fdinfo");
    len = read(set_info, text, sizeof text - 1);
    must(len > 0 && (size_t)len < sizeof text - 1, "fdinfo");
    text[len] = '\0';
    for (const char *at = strstr(text, "tfd:"); at != NULL; at = strstr(at + 1, "tfd:")) {
        unsigned events = 0;
        uint64_t data = 0;

        must(n < max &&
                 sscanf(at, "tfd: %d events: %x data: %" SCNx64, &r[n].fd, &events, &data) == 3,
             "a line of fdinfo");
        r[n].mask = events & (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | (unsigned)EPOLLET);
        r[n].slot = (uint32_t)data;
        r[n].gen = (uint32_t)(data >> 32);
        n++;
    }
    return n;
}

static int queued(int fd)
{
    int n = 0;

    return ioctl(fd, SIOCINQ, &n) == 0 ? n : 0;
}

uint32_t beneath_passed(int32_t fd, int32_t peer, uint64_t *rx, uint64_t *tx)
{
    const struct peer *p = &peers[peer];

    if (!p->local)
        return 0;
    *rx = p->written - (uint64_t)queued(fd);
    if (p->fd < 0)
        return 1;
    *tx = p->read + (uint64_t)queued(p->fd);
    return 3;
}

/* With nothing queued a look would take a pending error away. */
uint32_t beneath_peek(int32_t fd, uint8_t *bytes, uint32_t n)
{
    ssize_t got = queued(fd) > 0 ? __real_recv(fd, bytes, n, MSG_PEEK | MSG_DONTWAIT) : 0;

    return got > 0 ? (uint32_t)got : 0;
}

int beneath_readable(int32_t fd)
{
    int n = 0;

    if (pipe_end[fd] == 0)
        return -1;
    must(ioctl(fd, FIONREAD, &n) == 0, "FIONREAD");
    return n > 0;
}

/* What TCP was given may still be on its way. */
int beneath_at_once(int32_t peer)
{
    return peers[peer].local;
}

int64_t beneath_clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int beneath_interrupted(void)
{
    int seen = signals_seen != 0;

    signals_seen = 0;
    return seen;
}

/* --- the server's surroundings ------------------------------------------------------- */

static void set_buffers(int fd, int local)
{
    int send_room = 4608, receive_room = 4608, segment = 512, on = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_room, sizeof send_room);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_room, sizeof receive_room);
    if (local)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int32_t beneath_listener(void)
{
    static uint32_t turn;
    int local = turn++ % 2 == 0;
    int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sa_family_t unnamed = AF_UNIX; /* the system finds a name */

    must(fd >= 0, "socket");
    set_buffers(fd, local);
    if (local)
        must(bind(fd, (struct sockaddr *)(void *)&unnamed, sizeof unnamed) == 0, "bind");
    else
        must(bind(fd, (struct sockaddr *)(void *)&in, sizeof in) == 0, "bind");
    must(listen(fd, PEERS) == 0, "listen");
    return fd;
}

int32_t beneath_foreign(void)
{
    int ends[2];

    must(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0, "pipe");
    pipe_end[ends[0]] = high(ends[1]);
    return ends[0];
}

int32_t beneath_file(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    must(fd >= 0, "a regular file");
    return fd;
}

void beneath_foreign_fill(int32_t fd, uint32_t n)
{
    char bytes[64] = {0};

    if (pipe_end[fd] == 0)
        return; /* a regular file */
    must(write(pipe_end[fd], bytes, n < sizeof bytes ? n : sizeof bytes) > 0 || errno == EAGAIN,
         "write to a pipe");
}

void beneath_foreign_drain(int32_t fd)
{
    char bytes[4096];

    while (pipe_end[fd] != 0 && read(fd, bytes, sizeof bytes) > 0)
        ;
}

void beneath_foreign_close(int32_t fd)
{
    if (pipe_end[fd] != 0)
        __real_close(pipe_end[fd]);
    pipe_end[fd] = 0;
    __real_close(fd);
}

/* --- peers --------------------------------------------------------------------------- */

static void bind_unnamed(int fd)
{
    sa_family_t unnamed = AF_UNIX;

    must(bind(fd, (struct sockaddr *)(void *)&unnamed, sizeof unnamed) == 0, "bind");
}

int32_t beneath_connect(int32_t listener)
{
    struct sockaddr_storage to;
    socklen_t len = sizeof to;
    struct peer *p = &peers[peer_count];

    memset(&to, 0, sizeof to);
    if (peer_count == PEERS)
        return -1;
    must(getsockname(listener, (struct sockaddr *)&to, &len) == 0, "getsockname");
    plenty();
    memset(p, 0, sizeof *p);
    p->local = to.ss_family == AF_UNIX;
    p->fd = high(socket(to.ss_family, SOCK_STREAM, 0));
    scarce_again();
    set_buffers(p->fd, p->local);
    if (p->local)
        bind_unnamed(p->fd);
    must(connect(p->fd, (struct sockaddr *)&to, len) == 0, "connect");
    p->len = sizeof p->address;
    must(getsockname(p->fd, (struct sockaddr *)&p->address, &p->len) == 0, "getsockname");
    p->server = to;
    return peer_count++;
}

/* A connection that was reset while it waited has no peer's name any more: it is
 * the oldest of those. */
static int32_t peer_reset_at(int32_t fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;

    memset(&at, 0, sizeof at);
    must(getsockname(fd, (struct sockaddr *)&at, &len) == 0, "getsockname");
    for (int32_t i = 0; i < peer_count; i++)
        if (!peers[i].accepted && peers[i].fd < 0 && memcmp(&peers[i].server, &at, len) == 0)
            return i;
    return -1;
}

static int32_t peer_named(const struct sockaddr_storage *name, socklen_t len)
{
    for (int32_t i = peer_count - 1; i >= 0; i--)
        if (peers[i].len == len && memcmp(&peers[i].address, name, len) == 0)
            return i;
    return -1;
}

int32_t beneath_peer_of(int32_t fd)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    int32_t peer;

    memset(&from, 0, sizeof from);
    peer = getpeername(fd, (struct sockaddr *)&from, &len) == 0 ? peer_named(&from, len)
                                                                : peer_reset_at(fd);
    if (peer < 0)
        return -1;
    peers[peer].accepted = 1;
    if (peers[peer].local)
        set_buffers(fd, 1);
    return peer;
}

uint32_t beneath_peer_write(int32_t peer, const uint8_t *bytes, uint32_t n)
{
    struct peer *p = &peers[peer];
    ssize_t done = n > 0 ? __real_send(p->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

    if (done < 0)
        return 0;
    p->written += (uint64_t)done;
    return (uint32_t)done;
}

int32_t beneath_peer_read(int32_t peer, uint8_t *bytes, uint32_t n, int wait)
{
    struct peer *p = &peers[peer];
    struct pollfd readable = {p->fd, POLLIN, 0};
    ssize_t got = __real_recv(p->fd, bytes, n, MSG_DONTWAIT);

    /* What TCP was given may still be on its way. */
    if (got < 0 && errno == EAGAIN && wait && __real_poll(&readable, 1, SETTLE_MS) == 1)
        got = __real_recv(p->fd, bytes, n, MSG_DONTWAIT);
    if (got > 0)
        p->read += (uint64_t)got;
    return got > 0 ? (int32_t)got : got == 0 ? -1 : 0;
}

void beneath_peer_finish(int32_t peer)
{
    (void)__real_shutdown(peers[peer].fd, SHUT_WR);
}

void beneath_peer_close(int32_t peer)
{
    __real_close(peers[peer].fd);
    peers[peer].fd = -1;
}

void beneath_peer_reset(int32_t peer)
{
    struct linger now = {1, 0};

    (void)setsockopt(peers[peer].fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    beneath_peer_close(peer);
}

/* --- troubles ------------------------------------------------------------------------ */

static void tick(int number)
{
    (void)number;
    signals_seen = 1;
}

void beneath_signals(int on)
{
    struct sigaction action = {.sa_handler = tick};
    struct itimerval interval = {{0, on ? 500 : 0}, {0, on ? 500 : 0}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &interval, NULL);
}

void beneath_before_wait(void)
{
}

void beneath_before_recv(void)
{
}

void beneath_process(int32_t fd)
{
    int status = 0;
    pid_t child = fork();

    must(child >= 0, "fork");
    if (child == 0) {
        __real_close(fd);
        _exit(0);
    }
    must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
}

void beneath_start(uint64_t seed)
{
    (void)seed;
    scarce_limit = 0;
    limit_descriptors(1024);
    peer_count = 0;
    trouble = NULL;
}

void beneath_end(void)
{
    beneath_scarce(0);
    if (set_info >= 0)
        __real_close(set_info);
    set_info = set_number = -1;
    for (int i = 0; i < peer_count; i++)
        if (peers[i].fd >= 0)
            beneath_peer_reset(i);
    for (int f = 3; f < WINDOW; f++)
        if (pipe_end[f] != 0)
            beneath_foreign_close(f);
        else
            __real_close(f);
}

void beneath_report(void)
{
    printf("  errors: met on this kernel, and put in its place; those never met are assumed to\n"
           "  leave its state as it was\n");
    for (size_t i = 0; i < BRANCHES; i++)
        printf("    %-14s %-14s %10" PRIu64 " %10" PRIu64 "%s\n", call_names[branches[i].call],
               branches[i].name, branches[i].met, branches[i].injected,
               branches[i].met > 0        ? ""
               : branches[i].injected > 0 ? "  assumed"
                                          : "  NEVER");
}
