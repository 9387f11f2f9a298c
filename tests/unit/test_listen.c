/* Listening descriptors from text, names of results. */
#define _GNU_SOURCE
#include "core/result.h"
#include "os/listen.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/tenon-listen-XXXXXX";

static const char *in_folder(const char *prefix, const char *name)
{
    static char text[4][200];
    static int turn;

    turn = (turn + 1) % 4;
    if (strcmp(folder + strlen(folder) - 6, "XXXXXX") == 0)
        REQUIRE(mkdtemp(folder) != NULL);
    snprintf(text[turn], sizeof text[turn], "%s%s/%s", prefix, folder, name);
    return text[turn];
}

static void clean(void)
{
    (void)unlink(in_folder("", "s"));
    (void)rmdir(folder);
}

static int option_of(int fd, int level, int option)
{
    int value = -1;
    socklen_t len = sizeof value;

    return getsockopt(fd, level, option, &value, &len) == 0 ? value : -1;
}

static int exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

TEST(what_is_no_address_is_refused)
{
    static const char *const bad[] = {
        "",
        ":",
        "9999",
        ":9999",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:a",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1: 1",
        "1.2.3:80",
        "1.2.3.4.5:6",
        "127.0.0.1:65536",
        "localhost:80",
        "127.0.0.1:80 ",
        "127.0.0.1:99999999999999999999",
        "::1:9999",
        "[::1]",
        "[::1]9999",
        "[::1:9999",
        "::1]:9999",
        "[]:9999",
        "[:9999",
        "[127.0.0.1]:80",
        "[::1]:",
        "[::g]:80",
        "]:80",
        "[]]:80",
        "[[::1]]:80",
        "unix:",
        "unix",
        "fd:",
        "fd:x",
        "fd:-1",
        "fd:1048576",
        "fd:99999999999999999999",
        "fd:987",
        " 127.0.0.1:0",
        "256.0.0.1:0",
        "11111111111111111111111111111111111111111111111111111111111111111111111111:1",
        "[11111111111111111111111111111111111111111111111111111111111111111111111]:1",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char bound[TN_ADDRESS_LEN] = "untouched";
        int32_t result = tn_listen_open(bad[i], 0, bound);

        CHECK_EQ(result, TN_EADDRESS);
        if (result != TN_EADDRESS)
            printf("    address: %s\n", bad[i]);
        CHECK_STR(bound, "untouched");
    }
}

TEST(a_path_too_long_for_a_socket_is_refused_and_the_longest_is_not)
{
    char address[200] = "unix:", bound[TN_ADDRESS_LEN];
    size_t room = sizeof((struct sockaddr_un *)NULL)->sun_path;
    const char *base = in_folder("unix:", "");

    memset(address, 'x', sizeof address);
    memcpy(address, base, strlen(base));
    address[5 + room] = '\0';
    CHECK_EQ(tn_listen_open(address, 0, bound), TN_EADDRESS);
    address[5 + room - 1] = '\0';
    CHECK(tn_listen_open(address, 0, bound) >= 0);
    CHECK_STR(bound, address);
    tn_listen_remove(address);
    CHECK(!exists(address + 5));
    clean();
}

static void check_listener(int32_t fd)
{
    CHECK(fd >= 0);
    CHECK_EQ(option_of(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_EQ(option_of(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

TEST(port_zero_takes_a_free_one_and_says_which)
{
    char bound[TN_ADDRESS_LEN], again[TN_ADDRESS_LEN];
    int32_t fd = tn_listen_open("127.0.0.1:0", 0, bound);

    check_listener(fd);
    CHECK_EQ(option_of(fd, SOL_SOCKET, SO_REUSEADDR), 1);
    CHECK_EQ(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK(strncmp(bound, "127.0.0.1:", 10) == 0 && atoi(bound + 10) > 0);
    CHECK_EQ(tn_listen_open(bound, 0, again), TN_EINUSE);
    close(fd);
    check_listener(tn_listen_open(bound, 7, again));
    CHECK_STR(again, bound);
}

TEST(version_six_is_in_brackets_and_leaves_version_four_alone)
{
    char bound[TN_ADDRESS_LEN], four[TN_ADDRESS_LEN], text[TN_ADDRESS_LEN + 10];
    int32_t fd = tn_listen_open("[::]:0", 0, bound);

    if (fd == TN_ESYSTEM)
        return; /* no IPv6 on this machine */
    check_listener(fd);
    CHECK(strncmp(bound, "[::]:", 5) == 0);
    snprintf(text, sizeof text, "0.0.0.0:%s", bound + 5);
    check_listener(tn_listen_open(text, 0, four));
    CHECK_STR(four, text);
}

TEST(an_address_of_another_machine_is_the_systems_refusal)
{
    char bound[TN_ADDRESS_LEN];

    CHECK_EQ(tn_listen_open("192.0.2.1:0", 0, bound), TN_ESYSTEM);
    CHECK_EQ(errno, EADDRNOTAVAIL);
}

TEST(a_unix_path_in_use_is_refused_and_left_alone)
{
    char bound[TN_ADDRESS_LEN], other[TN_ADDRESS_LEN];
    const char *address = in_folder("unix:", "s");
    int32_t fd = tn_listen_open(address, 0, bound);

    check_listener(fd);
    CHECK_STR(bound, address);
    CHECK_EQ(tn_listen_open(address, 0, other), TN_EINUSE);
    CHECK(exists(in_folder("", "s")));
    close(fd);
    CHECK(exists(in_folder("", "s")));
    check_listener(tn_listen_open(address, 0, other));
    tn_listen_remove(address);
    CHECK(!exists(in_folder("", "s")));
    clean();
}

TEST(a_file_that_is_no_socket_is_never_replaced)
{
    char bound[TN_ADDRESS_LEN];
    const char *path = in_folder("", "s");
    int file = open(path, O_CREAT | O_WRONLY, 0600);

    REQUIRE(file >= 0 && write(file, "precious", 8) == 8);
    CHECK_EQ(tn_listen_open(in_folder("unix:", "s"), 0, bound), TN_EINUSE);
    CHECK(exists(path));
    CHECK_EQ(lseek(file, 0, SEEK_END), 8);
    (void)unlink(path);
    REQUIRE(symlink("/tmp", path) == 0);
    CHECK_EQ(tn_listen_open(in_folder("unix:", "s"), 0, bound), TN_EINUSE);
    CHECK(exists(path));
    clean();
}

TEST(a_folder_that_is_not_there_is_the_systems_refusal)
{
    char bound[TN_ADDRESS_LEN];

    CHECK_EQ(tn_listen_open(in_folder("unix:", "none/s"), 0, bound), TN_ESYSTEM);
    CHECK_EQ(errno, ENOENT);
    clean();
}

TEST(a_given_descriptor_must_listen)
{
    char bound[TN_ADDRESS_LEN], given[TN_ADDRESS_LEN], text[20];
    int32_t fd = tn_listen_open("127.0.0.1:0", 0, bound);
    int pair[2], idle = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    const int bad[] = {0, idle, datagrams};

    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    for (int i = 0; i < 4; i++) {
        snprintf(text, sizeof text, "fd:%d", i < 3 ? bad[i] : pair[0]);
        CHECK_EQ(tn_listen_open(text, 0, given), TN_EADDRESS);
    }
    CHECK(fcntl(idle, F_GETFD) >= 0); /* not ours to close */
    REQUIRE(fcntl(fd, F_SETFL, 0) == 0 && fcntl(fd, F_SETFD, 0) == 0);
    snprintf(text, sizeof text, "fd:%d", (int)fd);
    CHECK_EQ(tn_listen_open(text, 0, given), fd);
    check_listener(fd);
    CHECK_STR(given, bound);
}

TEST(without_a_free_descriptor_no_address_opens)
{
    char bound[TN_ADDRESS_LEN];

    while (dup(0) >= 0)
        ;
    CHECK_EQ(tn_listen_open("127.0.0.1:0", 0, bound), TN_EFILES);
    close(3);
    close(4);
    close(5);
}

TEST(a_refused_address_leaves_no_descriptor_open)
{
    char bound[TN_ADDRESS_LEN], other[TN_ADDRESS_LEN];
    int before, after;

    REQUIRE(tn_listen_open("127.0.0.1:0", 0, bound) >= 0);
    before = dup(0);
    close(before);
    CHECK_EQ(tn_listen_open(bound, 0, other), TN_EINUSE);
    CHECK_EQ(tn_listen_open("192.0.2.1:0", 0, other), TN_ESYSTEM);
    after = dup(0);
    CHECK_EQ(after, before);
}

TEST(each_result_has_a_name_of_its_own)
{
    for (int32_t i = 0; i >= -15; i--) {
        const char *name = tn_strerror(i);

        CHECK(name != NULL && name[0] != '\0' && strlen(name) < TN_RESULT_LEN);
        for (int32_t j = 0; j > i; j--)
            CHECK(strcmp(name, tn_strerror(j)) != 0);
    }
    CHECK_STR(tn_strerror(TN_EADDRESS), "not an address to listen on");
    CHECK_STR(tn_strerror(TN_EINUSE), "address in use");
    CHECK_STR(tn_strerror(TN_EOF), "finished");
    CHECK_STR(tn_strerror(INT32_MAX), tn_strerror(0));
    CHECK_STR(tn_strerror(INT32_MIN), tn_strerror(-1000));
}
