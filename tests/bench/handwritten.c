/* The yardstick: an epoll loop that does nothing but echo, with no frame, no
 * limit, no timeout and no place for what the kernel does not take. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static char buf[65536];

int main(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    struct epoll_event ev = {.events = EPOLLIN}, evs[128];
    socklen_t len = sizeof a;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), ep = epoll_create1(0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(s, (struct sockaddr *)&a, sizeof a) != 0 || listen(s, 128) != 0 ||
        getsockname(s, (struct sockaddr *)&a, &len) != 0)
        return 1;
    printf("listening 127.0.0.1:%d\n", ntohs(a.sin_port));
    fflush(stdout);
    ev.data.fd = s;
    epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev);
    for (;;) {
        int n = epoll_wait(ep, evs, 128, -1);

        for (int i = 0; i < n; i++) {
            int fd = evs[i].data.fd;

            if (fd == s) {
                ev.data.fd = accept4(s, NULL, NULL, SOCK_NONBLOCK);
                epoll_ctl(ep, EPOLL_CTL_ADD, ev.data.fd, &ev);
            } else {
                ssize_t got = recv(fd, buf, sizeof buf, 0);

                if (got > 0)
                    send(fd, buf, (size_t)got, MSG_NOSIGNAL);
                else if (got == 0)
                    close(fd);
            }
        }
    }
}
