/* The yardsticks: servers of one model each, as short as they can be, with no
 * frame, no limit, no time-out and no drain: flows MODEL.  They answer until
 * they are killed. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 4

static int listener;

static void converse(int fd)
{
    char buf[65536];
    ssize_t n;

    while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
        send(fd, buf, (size_t)n, MSG_NOSIGNAL);
    close(fd);
}

static void blocking(void)
{
    for (;;)
        converse(accept(listener, NULL, NULL));
}

static void forking(void)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fork() == 0) {
            close(listener);
            converse(fd);
            _exit(0);
        }
        close(fd);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
}

static void *thread(void *fd)
{
    converse((int)(intptr_t)fd);
    return NULL;
}

static void threading(void)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t id;

        if (pthread_create(&id, NULL, thread, (void *)(intptr_t)fd) == 0)
            pthread_detach(id);
    }
}

static void preforking(void)
{
    for (int i = 1; i < WORKERS; i++)
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            break;
        }
    blocking();
}

static void *serve(void *unused)
{
    (void)unused;
    blocking();
    return NULL;
}

static void thread_pool(void)
{
    pthread_t id;

    for (int i = 1; i < WORKERS; i++)
        if (pthread_create(&id, NULL, serve, NULL) != 0)
            _exit(1);
    blocking();
}

int main(int argc, char **argv)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;

    listener = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (argc != 2 || bind(listener, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(listener, 4096) != 0 || getsockname(listener, (struct sockaddr *)&a, &len) != 0)
        return 1;
    printf("listening 127.0.0.1:%d\n", ntohs(a.sin_port));
    fflush(stdout);
    if (strcmp(argv[1], "blocking") == 0)
        blocking();
    else if (strcmp(argv[1], "fork") == 0)
        forking();
    else if (strcmp(argv[1], "thread") == 0)
        threading();
    else if (strcmp(argv[1], "prefork") == 0)
        preforking();
    else if (strcmp(argv[1], "thread-pool") == 0)
        thread_pool();
    return 1;
}
