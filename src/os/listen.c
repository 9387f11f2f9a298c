/* Listening descriptors from text addresses, on Linux.
 *
 * Three steps: parse the text, open a socket for it, write down what it is
 * bound to.  Casts between the kinds of struct sockaddr stay in this file.
 */
#define _GNU_SOURCE
#include "os/listen.h"

#include "os/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char UNIX_PREFIX[] = "unix:";
static const char FD_PREFIX[] = "fd:";

/* An address of any family.  All its bytes are zero before one is put in. */
struct place {
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } at;
};

static const char *after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

/* Decimal, at least one digit and nothing else; -1 if it is not or is beyond
 * max, which is at most a million or so. */
static int32_t parse_number(const char *text, int32_t max)
{
    int32_t value = 0;

    if (*text == '\0') {
        return -1;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return -1;
        }
        value = value * 10 + (*text - '0');
        if (value > max) {
            return -1;
        }
    }
    return value;
}

static int parse_unix(const char *path, struct place *p)
{
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof p->at.local.sun_path) {
        return 0;
    }
    p->at.local.sun_family = AF_UNIX;
    memcpy(p->at.local.sun_path, path, n + 1);
    p->len = (socklen_t)sizeof p->at.local;
    return 1;
}

static int parse_inet(const char *text, struct place *p)
{
    char host[INET6_ADDRSTRLEN];
    const char *colon = strrchr(text, ':');
    const char *end = colon;
    int32_t port = colon != NULL ? parse_number(colon + 1, 65535) : -1;
    int v6 = text[0] == '[';

    if (port < 0) {
        return 0;
    }
    if (v6) {
        text++;
        end--;
        if (end <= text || *end != ']') {
            return 0;
        }
    }
    if ((size_t)(end - text) >= sizeof host) {
        return 0;
    }
    memcpy(host, text, (size_t)(end - text));
    host[end - text] = '\0';
    if (v6) {
        p->at.v6.sin6_family = AF_INET6;
        p->at.v6.sin6_port = htons((uint16_t)port);
        p->len = (socklen_t)sizeof p->at.v6;
        return inet_pton(AF_INET6, host, &p->at.v6.sin6_addr) == 1;
    }
    p->at.v4.sin_family = AF_INET;
    p->at.v4.sin_port = htons((uint16_t)port);
    p->len = (socklen_t)sizeof p->at.v4;
    return inet_pton(AF_INET, host, &p->at.v4.sin_addr) == 1;
}

/* Closes fd after a failure and names the failure, leaving it in errno. */
static int32_t give_up(int fd, int error)
{
    (void)close(fd);
    errno = error;
    return tn_error_of(error);
}

/* Nobody answers at the socket file: its server is gone.  A socket only, for
 * connecting to any other file is refused as well. */
static int is_stale(const struct place *p)
{
    struct stat st;
    int fd, refused;

    if (lstat(p->at.local.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        return 0;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return 0;
    }
    refused = connect(fd, &p->at.any, p->len) != 0 && errno == ECONNREFUSED;
    (void)close(fd);
    return refused;
}

static int bind_place(int fd, const struct place *p)
{
    if (bind(fd, &p->at.any, p->len) == 0) {
        return 0;
    }
    if (errno != EADDRINUSE || p->at.any.sa_family != AF_UNIX) {
        return errno;
    }
    if (!is_stale(p)) {
        return EADDRINUSE;
    }
    if (unlink(p->at.local.sun_path) != 0 || bind(fd, &p->at.any, p->len) != 0) {
        return errno;
    }
    return 0;
}

static int set_option(int fd, int level, int option)
{
    int on = 1;

    return setsockopt(fd, level, option, &on, sizeof on) == 0 ? 0 : errno;
}

/* share: 1 if other listeners of this user may have the same port. */
static int32_t open_place(const struct place *p, uint32_t backlog, int share)
{
    int family = p->at.any.sa_family;
    uint32_t wanted = backlog == 0 ? TN_DEFAULT_BACKLOG : backlog;
    int queue = wanted < INT32_MAX ? (int)wanted : INT32_MAX;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;

    if (fd < 0) {
        return tn_error_of(errno);
    }
    if (family != AF_UNIX) {
        error = set_option(fd, SOL_SOCKET, SO_REUSEADDR);
        error = error != 0 ? error : set_option(fd, IPPROTO_TCP, TCP_NODELAY);
    }
    if (share && error == 0) {
        error = set_option(fd, SOL_SOCKET, SO_REUSEPORT);
    }
    if (family == AF_INET6 && error == 0) {
        error = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    }
    error = error != 0 ? error : bind_place(fd, p);
    if (error == 0 && listen(fd, queue) != 0) {
        error = errno;
    }
    return error == 0 ? fd : give_up(fd, error);
}

static int has_option(int fd, int option, int wanted)
{
    int value = 0;
    socklen_t len = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == wanted;
}

/* The descriptor was opened by another program: only what this server relies
 * on is set, and it is not closed when something is wrong with it. */
static int32_t open_given(const char *number)
{
    int fd = parse_number(number, 1048575);
    int flags;

    if (fd < 0 || !has_option(fd, SO_TYPE, SOCK_STREAM) || !has_option(fd, SO_ACCEPTCONN, 1)) {
        return TN_EADDRESS;
    }
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return TN_ESYSTEM;
    }
    (void)set_option(fd, IPPROTO_TCP, TCP_NODELAY); /* a Unix socket has no use for it */
    return fd;
}

static void write_bound(int fd, char bound[TN_ADDRESS_LEN])
{
    char host[INET6_ADDRSTRLEN];
    struct place p;
    const char *path = p.at.local.sun_path;

    memset(&p, 0, sizeof p);
    p.len = (socklen_t)sizeof p.at;
    if (getsockname(fd, &p.at.any, &p.len) != 0) {
        p.at.any.sa_family = AF_UNSPEC;
    }
    if (p.at.any.sa_family == AF_INET &&
        inet_ntop(AF_INET, &p.at.v4.sin_addr, host, sizeof host) != NULL) {
        (void)snprintf(bound, TN_ADDRESS_LEN, "%s:%u", host, (unsigned)ntohs(p.at.v4.sin_port));
    } else if (p.at.any.sa_family == AF_INET6 &&
               inet_ntop(AF_INET6, &p.at.v6.sin6_addr, host, sizeof host) != NULL) {
        (void)snprintf(bound, TN_ADDRESS_LEN, "[%s]:%u", host, (unsigned)ntohs(p.at.v6.sin6_port));
    } else if (p.at.any.sa_family == AF_UNIX && path[0] != '\0') {
        (void)snprintf(bound, TN_ADDRESS_LEN, "%s%.*s", UNIX_PREFIX,
                       (int)sizeof p.at.local.sun_path, path);
    } else {
        (void)snprintf(bound, TN_ADDRESS_LEN, "%s%d", FD_PREFIX, fd); /* it has no name */
    }
}

int32_t tn_listen_open(const char *address, uint32_t backlog, char bound[TN_ADDRESS_LEN])
{
    const char *number = after(address, FD_PREFIX);
    const char *path = after(address, UNIX_PREFIX);
    struct place p;
    int32_t fd;

    memset(&p, 0, sizeof p);
    if (number != NULL) {
        fd = open_given(number);
    } else if (path != NULL ? parse_unix(path, &p) : parse_inet(address, &p)) {
        fd = open_place(&p, backlog, 0);
    } else {
        fd = TN_EADDRESS;
    }
    if (fd >= 0) {
        write_bound(fd, bound);
    }
    return fd;
}

static void close_all(const int32_t *fd, uint32_t count)
{
    const int error = errno;

    for (uint32_t i = 0; i < count; i++) {
        (void)close(fd[i]);
    }
    errno = error;
}

int32_t tn_listen_again(int32_t fd)
{
    const int another = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    return another >= 0 ? another : tn_error_of(errno);
}

int32_t tn_listen_open_many(const char *address, uint32_t backlog, char bound[TN_ADDRESS_LEN],
                            int32_t *fd, uint32_t count)
{
    /* Not shared: so a server that has the address already is noticed. */
    const int32_t first = tn_listen_open(address, backlog, bound);
    const int shares = after(address, UNIX_PREFIX) == NULL && after(address, FD_PREFIX) == NULL;
    struct place p;

    if (first < 0) {
        return first;
    }
    memset(&p, 0, sizeof p);
    (void)(shares && parse_inet(bound, &p)); /* it is what we wrote */
    if (shares) {
        (void)close(first); /* and none that is not shared may have it */
    }
    for (uint32_t i = 0; i < count; i++) {
        fd[i] = shares ? open_place(&p, backlog, 1) : i == 0 ? first : tn_listen_again(first);
        if (fd[i] < 0) {
            const int32_t why = fd[i];

            close_all(fd, i);
            return why;
        }
    }
    return 1;
}

void tn_listen_remove(const char *address)
{
    const char *path = after(address, UNIX_PREFIX);

    if (path != NULL) {
        (void)unlink(path);
    }
}
