/* The other end: starts the program under test, talks to it over real sockets
 * and checks how it ends.
 *
 * Each wait has a deadline and is for an event, never for a time to pass.  All
 * functions end the test when something is not as required.  Everything is in
 * this header, so that each test is one file and one program.
 *
 * $TENON is the program, $EXAMPLES the folder of the built examples.
 */
#ifndef TN_TESTS_PEER_H
#define TN_TESTS_PEER_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first #include"
#endif

#include "tap.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PEER_DEADLINE_MS 8000
#define PEER_ARGS 40
#define PEER_ADDRESSES 8

/* A fork copies what AddressSanitizer keeps of all memory: it takes its time. */
#ifdef __SANITIZE_ADDRESS__
#define MANY_CONNECTIONS 1000
#else
#define MANY_CONNECTIONS 10000
#endif

/* --- the model under test ------------------------------------------------------------ */

/* Every model that is built, and what a test may expect of it.  tests/run runs
 * each end-to-end test once for each: $MODEL is its name here, and the first one's
 * when there is none. */
struct model {
    const char *name;
    const char *word;    /* what --model says */
    const char *workers; /* what --workers says, or null */
    int event;           /* driven by readiness: buffers from a pool */
    int forks;           /* a process for each connection */
    int at_once;         /* connections it serves at a time, unless told otherwise */
};

static const struct model models[] = {
    {"epoll", "epoll", NULL, 1, 0, 16384},
    {"epoll-et", "epoll-et", NULL, 1, 0, 16384},
    {"poll", "poll", NULL, 1, 0, 16384},
    {"select", "select", NULL, 1, 0, 1005},
    {"polling", "polling", NULL, 1, 0, 16384},
    {"blocking", "blocking", NULL, 0, 0, 1},
    {"fork", "fork", NULL, 0, 1, 64},
    {"thread", "thread", NULL, 0, 0, 64},
    {"thread-pool", "thread-pool", "20", 0, 0, 20},
    {"prefork", "prefork", "20", 0, 0, 20},
    {"process-pool", "process-pool", "20", 0, 0, 20},
    {"epoll-workers", "epoll", "3", 1, 0, 16384},
};

static inline const struct model *model_under_test(void)
{
    const char *name = getenv("MODEL");

    for (size_t i = 0; name != NULL && i < sizeof models / sizeof models[0]; i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    REQUIRE(name == NULL || name[0] == '\0');
    return &models[0];
}

/* Ends a test that the model under test is not made for; it says so. */
#define NEEDS(what) \
    do { \
        if (!(what)) { \
            printf("    not for %s: needs %s\n", model_under_test()->name, #what); \
            tap_skip(); \
        } \
    } while (0)
#define NEEDS_AT_ONCE(n) NEEDS(model_under_test()->at_once >= (n))

static inline int is_model(const char *word)
{
    return strcmp(model_under_test()->word, word) == 0;
}

/* --- time ---------------------------------------------------------------------------- */

static inline int64_t peer_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* 1 when events came within ms, 0 when not. */
static inline int peer_poll(int fd, short events, int ms)
{
    struct pollfd p = {fd, events, 0};

    return poll(&p, 1, ms) == 1;
}

/* --- starting a program -------------------------------------------------------------- */

struct server {
    pid_t pid;
    int out;                 /* its standard output */
    int err;                 /* its standard error */
    int in;                  /* its standard input, or -1: /dev/null */
    int stdin_fd;            /* before the start: what it gets instead, or 0 */
    rlim_t descriptors;      /* before the start: its limit, or 0 */
    rlim_t soft_descriptors; /* likewise, but it may raise this one */
    uid_t user;              /* before the start: who it is to run as, or 0 */
    rlim_t processes;        /* before the start: how many that user may have, or 0 */
    const char *args[PEER_ARGS];
    int arg_count;
    char address[PEER_ADDRESSES][160]; /* where it listens, in the order of --listen */
    int address_count;
    char ready[200];   /* the first line it printed */
    char text[4000];   /* its last standard output */
    char errors[4000]; /* its standard error */
    int status;        /* its exit status, or minus the signal */
};

static inline void server_arg(struct server *s, const char *word)
{
    REQUIRE(s->arg_count < PEER_ARGS - 1);
    s->args[s->arg_count] = word;
    s->arg_count++;
}

/* Appends words up to a null. */
static inline void server_args(struct server *s, const char *word, ...)
{
    va_list list;

    va_start(list, word);
    for (; word != NULL; word = va_arg(list, const char *))
        server_arg(s, word);
    va_end(list);
}

/* Before the program: the user's limit and the user. */
static inline void server_become(const struct server *s)
{
    struct rlimit limit = {s->processes, s->processes};

    if (s->processes != 0)
        setrlimit(RLIMIT_NPROC, &limit);
    if (s->user != 0 && setresuid(s->user, s->user, s->user) != 0)
        _exit(127);
}

static inline void server_child(const struct server *s, const char *program, int in, int out,
                                int err)
{
    const int image = open(program, O_RDONLY | O_CLOEXEC); /* somebody else may not find it */
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    if (s->descriptors != 0)
        limit.rlim_max = limit.rlim_cur = s->descriptors;
    if (s->soft_descriptors != 0)
        limit.rlim_cur = s->soft_descriptors;
    setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGPIPE, SIG_DFL);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    server_become(s);
    fexecve(image, (char *const *)(uintptr_t)s->args, environ);
    _exit(127);
}

/* Starts program with s->args (the first is its own name).  A pipe is its
 * standard input if with_input. */
static inline void server_spawn(struct server *s, const char *program, int with_input)
{
    int in[2] = {-1, -1}, out[2], err[2];

    REQUIRE(program != NULL);
    REQUIRE(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
    if (with_input) {
        REQUIRE(pipe2(in, O_CLOEXEC) == 0);
    } else if (s->stdin_fd != 0) {
        in[0] = s->stdin_fd;
    } else {
        in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    s->pid = fork();
    REQUIRE(s->pid >= 0);
    if (s->pid == 0)
        server_child(s, program, in[0], out[1], err[1]);
    close(out[1]);
    close(err[1]);
    if (in[0] != s->stdin_fd)
        close(in[0]);
    s->out = out[0];
    s->err = err[0];
    s->in = in[1];
}

/* Reads one line, without its LF, within the deadline; 0 at the end. */
static inline int read_line(int fd, char *line, size_t room)
{
    size_t n = 0;

    for (;;) {
        char c;

        REQUIRE(peer_poll(fd, POLLIN, PEER_DEADLINE_MS));
        if (read(fd, &c, 1) != 1)
            return 0;
        if (c == '\n')
            break;
        REQUIRE(n + 1 < room);
        line[n++] = c;
    }
    line[n] = '\0';
    return 1;
}

/* Starts `tenon serve` with the arguments in s and waits for its ready lines,
 * one per --listen.  Without --listen it gets a free port of 127.0.0.1. */
static inline void server_start(struct server *s, int with_input)
{
    int listeners = 0, workers = 0;

    for (int i = 0; i < s->arg_count; i++) {
        listeners += strcmp(s->args[i], "--listen") == 0;
        workers += strcmp(s->args[i], "--workers") == 0;
    }
    memmove(s->args + 2, s->args, sizeof s->args[0] * (size_t)s->arg_count);
    s->args[0] = "tenon";
    s->args[1] = "serve";
    s->arg_count += 2;
    if (getenv("MODEL") != NULL)
        server_args(s, "--model", model_under_test()->word, NULL);
    if (model_under_test()->workers != NULL && workers == 0)
        server_args(s, "--workers", model_under_test()->workers, NULL);
    if (listeners == 0) {
        server_args(s, "--listen", "127.0.0.1:0", NULL);
        listeners = 1;
    }
    server_spawn(s, getenv("TENON"), with_input);
    for (int i = 0; i < listeners; i++) {
        char line[200];

        if (!read_line(s->out, line, sizeof line)) {
            ssize_t n = read(s->err, s->errors, sizeof s->errors - 1);

            tap_fail(__FILE__, __LINE__, "the server is ready");
            printf("    %.*s\n", (int)(n > 0 ? n : 0), s->errors);
            tap_stop();
        }
        REQUIRE(sscanf(line, "listening %159s ", s->address[i]) == 1);
        if (i == 0)
            snprintf(s->ready, sizeof s->ready, "%s", line);
    }
    s->address_count = listeners;
}

/* The usual case: one line.  The list ends with a null. */
static inline struct server server_with(const char *word, ...)
{
    struct server s = {0};
    va_list list;

    va_start(list, word);
    for (; word != NULL; word = va_arg(list, const char *))
        server_arg(&s, word);
    va_end(list);
    server_start(&s, 0);
    return s;
}

/* --- and ending it ------------------------------------------------------------------- */

/* Reads fd up to its end. */
static inline void read_all(int fd, char *text, size_t room)
{
    size_t n = 0;
    ssize_t got;

    do {
        REQUIRE(peer_poll(fd, POLLIN, PEER_DEADLINE_MS));
        REQUIRE(n + 1 < room);
        got = read(fd, text + n, room - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    text[n] = '\0';
}

/* Waits for the end of the program; what it printed is in s->text, s->errors. */
static inline void server_wait(struct server *s)
{
    int status = 0;

    read_all(s->out, s->text, sizeof s->text);
    read_all(s->err, s->errors, sizeof s->errors);
    REQUIRE(waitpid(s->pid, &status, 0) == s->pid);
    s->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    close(s->out);
    close(s->err);
    if (s->in >= 0)
        close(s->in);
}

/* Waits for an end in good order: status 0, nothing on standard error, one line
 * of totals and nothing else. */
static inline void server_ended(struct server *s)
{
    server_wait(s);
    CHECK_EQ(s->status, 0);
    CHECK_STR(s->errors, "");
    CHECK(strncmp(s->text, "totals ", 7) == 0);
    CHECK(strchr(s->text, '\n') == s->text + strlen(s->text) - 1);
}

static inline void server_stop(struct server *s)
{
    REQUIRE(kill(s->pid, SIGTERM) == 0);
    server_ended(s);
}

/* A number of the totals line, by its word. */
static inline int64_t total(const struct server *s, const char *word)
{
    char pattern[60];
    const char *at;

    snprintf(pattern, sizeof pattern, " %s ", word);
    at = strstr(s->text, pattern);
    if (at == NULL) {
        printf("    no %s in: %s\n", word, s->text);
        return -1;
    }
    return strtoll(at + strlen(pattern), NULL, 10);
}

/* Connections that ended, for whatever reason. */
static inline int64_t total_closed(const struct server *s)
{
    int64_t sum = 0;

    for (const char *at = s->text; (at = strstr(at, " by-")) != NULL; at++)
        sum += strtoll(strchr(at + 1, ' '), NULL, 10);
    return sum;
}

/* polling wakes up for nothing, at every pause; nobody else does. */
static inline void few_wakeups(const struct server *s, int64_t most)
{
    CHECK(is_model("polling") || total(s, "wakeups") < most);
}

/* Descriptors the server has open. */
static inline int server_descriptors(const struct server *s)
{
    char path[40];
    int n = 0;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%ld/fd", (long)s->pid);
    folder = opendir(path);
    REQUIRE(folder != NULL);
    while (readdir(folder) != NULL)
        n++;
    closedir(folder);
    return n - 2;
}

/* Nanoseconds of processor time the server has used. */
static inline int64_t server_cpu_ns(const struct server *s)
{
    char path[40], text[100] = "";
    long long ns = -1;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/schedstat", (long)s->pid);
    fd = open(path, O_RDONLY);
    REQUIRE(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    REQUIRE(sscanf(text, "%lld", &ns) == 1);
    return ns;
}

/* --- connections --------------------------------------------------------------------- */

struct place {
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } at;
};

static inline struct place place_of(const char *address)
{
    struct place p;
    const char *colon = strrchr(address, ':');

    memset(&p, 0, sizeof p);
    REQUIRE(colon != NULL);
    if (strncmp(address, "unix:", 5) == 0) {
        p.at.local.sun_family = AF_UNIX;
        REQUIRE(strlen(address + 5) < sizeof p.at.local.sun_path);
        memcpy(p.at.local.sun_path, address + 5, strlen(address + 5));
        p.len = sizeof p.at.local;
    } else if (address[0] == '[') {
        p.at.v6.sin6_family = AF_INET6;
        p.at.v6.sin6_addr = in6addr_loopback;
        p.at.v6.sin6_port = htons((uint16_t)atoi(colon + 1));
        p.len = sizeof p.at.v6;
    } else {
        p.at.v4.sin_family = AF_INET;
        p.at.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        p.at.v4.sin_port = htons((uint16_t)atoi(colon + 1));
        p.len = sizeof p.at.v4;
    }
    return p;
}

/* Connects to an address; receive_room > 0 sets the size of the receive buffer.
 * Returns the descriptor, or -1 with errno. */
static inline int peer_try(const char *address, int receive_room)
{
    struct place p = place_of(address);
    int fd = socket(p.at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    REQUIRE(fd >= 0);
    if (receive_room > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_room, sizeof receive_room);
    if (p.at.any.sa_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, &p.at.any, p.len) != 0) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static inline int peer_connect(const struct server *s)
{
    int fd = peer_try(s->address[0], 0);

    REQUIRE(fd >= 0);
    return fd;
}

/* Sends out[0 .. n - 1] and receives at the same time until expected[0 .. m - 1]
 * has come, byte by byte the same. */
static inline void peer_exchange(int fd, const void *out, size_t n, const void *expected, size_t m)
{
    const uint8_t *to = out, *from = expected;
    size_t sent = 0, got = 0;
    static uint8_t buf[65536];

    while (sent < n || got < m) {
        short events = (short)((sent < n ? POLLOUT : 0) | (got < m ? POLLIN : 0));

        REQUIRE(peer_poll(fd, events, PEER_DEADLINE_MS));
        if (sent < n) {
            ssize_t k = send(fd, to + sent, n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

            REQUIRE(k >= 0 || errno == EAGAIN);
            sent += k > 0 ? (size_t)k : 0;
        }
        if (got < m) {
            size_t room = m - got < sizeof buf ? m - got : sizeof buf;
            ssize_t k = recv(fd, buf, room, MSG_DONTWAIT);

            REQUIRE(k > 0 || (k < 0 && errno == EAGAIN));
            if (k > 0)
                REQUIRE(memcmp(buf, from + got, (size_t)k) == 0);
            got += k > 0 ? (size_t)k : 0;
        }
    }
}

static inline void peer_send(int fd, const void *out, size_t n)
{
    peer_exchange(fd, out, n, NULL, 0);
}

static inline void peer_expect(int fd, const void *expected, size_t m)
{
    peer_exchange(fd, NULL, 0, expected, m);
}

/* The stream ends here, in good order. */
static inline void peer_expect_end(int fd)
{
    char c;

    REQUIRE(peer_poll(fd, POLLIN, PEER_DEADLINE_MS));
    CHECK_EQ(recv(fd, &c, 1, MSG_DONTWAIT), 0);
}

static inline void peer_reset(int fd)
{
    struct linger now = {1, 0};

    REQUIRE(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    close(fd);
}

/* Sends one byte under framing raw, or one line, and waits for its echo.  When
 * it is back, the server has taken what others had sent before. */
static inline void peer_roundtrip(int fd)
{
    peer_exchange(fd, "\n", 1, "\n", 1);
}

/* --- frames, encoded on our own ------------------------------------------------------ */

enum peer_framing { RAW, LINE, U32, NETSTRING, VARINT, FRAMINGS };

static const char *const framing_words[FRAMINGS] = {"raw", "line", "u32", "netstring", "varint"};

/* Appends a frame to out, which has room; returns its length. */
static inline size_t peer_frame(int framing, const void *payload, size_t len, uint8_t *out)
{
    size_t head = 0, tail = 0;
    size_t rest = len;

    switch (framing) {
    case U32:
        for (; head < 4; head++)
            out[head] = (uint8_t)(len >> (24 - 8 * head));
        break;
    case NETSTRING:
        head = (size_t)sprintf((char *)out, "%zu:", len);
        break;
    case VARINT:
        do {
            out[head] = (uint8_t)((rest & 127) | (rest > 127 ? 128 : 0));
            head++;
            rest >>= 7;
        } while (rest > 0);
        break;
    default:
        break;
    }
    memcpy(out + head, payload, len);
    if (framing == LINE || framing == NETSTRING) {
        out[head + len] = framing == LINE ? '\n' : ',';
        tail = 1;
    }
    return head + len + tail;
}

/* Like peer_roundtrip, for any framing. */
static inline void peer_roundtrip_framed(int fd, int framing)
{
    uint8_t frame[20];
    size_t n = peer_frame(framing, "ping", 4, frame);

    peer_exchange(fd, frame, n, frame, n);
}

/* Bytes that are the same each time, not periodic in any power of two, and hold
 * no LF: byte i of stream key. */
static inline uint8_t peer_byte(uint64_t key, uint64_t i)
{
    uint64_t x = (key * 1000003u + i + 1) * 0x9e3779b97f4a7c15u;
    uint8_t c = (uint8_t)(x >> 56);

    return c == '\n' ? 'n' : c;
}

static inline void peer_fill(uint8_t *to, size_t n, uint64_t key)
{
    for (size_t i = 0; i < n; i++)
        to[i] = peer_byte(key, i);
}

#endif
