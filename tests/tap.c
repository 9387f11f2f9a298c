/* The harness behind tap.h. */
#define _GNU_SOURCE
#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A loop that fails a million times must not drown the first failure. */
#define FAILURES_PRINTED 20u

/* The exit status of a test that does not apply. */
#define SKIPPED 77

static struct tap_test *tests;
static struct tap_test **last_test = &tests;
static unsigned failures;

void tap_register(struct tap_test *test)
{
    *last_test = test;
    last_test = &test->next;
}

static int failure_is_printed(const char *file, int line)
{
    failures++;
    if (failures == FAILURES_PRINTED + 1)
        printf("    ... and more failures\n");
    if (failures > FAILURES_PRINTED)
        return 0;
    printf("    %s:%d: ", file, line);
    return 1;
}

void tap_fail(const char *file, int line, const char *what)
{
    if (failure_is_printed(file, line))
        printf("failed: %s\n", what);
    fflush(stdout);
}

void tap_fail_values(const char *file, int line, const char *a, const char *b, intmax_t va,
                     intmax_t vb)
{
    if (failure_is_printed(file, line))
        printf("failed: %s == %s: %jd != %jd\n", a, b, va, vb);
    fflush(stdout);
}

void tap_fail_strings(const char *file, int line, const char *a, const char *b, const char *va,
                      const char *vb)
{
    if (failure_is_printed(file, line))
        printf("failed: %s == %s: \"%s\" != \"%s\"\n", a, b, va != NULL ? va : "(null)",
               vb != NULL ? vb : "(null)");
    fflush(stdout);
}

void tap_fail_bytes(const char *file, int line, const char *a, const char *b, const void *va,
                    const void *vb, size_t n)
{
    const uint8_t *x = va, *y = vb;
    size_t i = 0;

    while (i < n && x[i] == y[i])
        i++;
    if (i == n)
        return;
    if (failure_is_printed(file, line))
        printf("failed: %s == %s at byte %zu of %zu: 0x%02x != 0x%02x\n", a, b, i, n, x[i], y[i]);
    fflush(stdout);
}

int tap_same_string(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

_Noreturn void tap_stop(void)
{
    exit(1);
}

_Noreturn void tap_skip(void)
{
    exit(failures > 0 ? 1 : SKIPPED);
}

static uint8_t *map_with_guards(size_t n, size_t *page, size_t *body)
{
    uint8_t *p;

    *page = (size_t)sysconf(_SC_PAGESIZE);
    *body = (n + *page - 1) / *page * *page;
    p = mmap(NULL, *body + 2 * *page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || (*body > 0 && mprotect(p + *page, *body, PROT_READ | PROT_WRITE) != 0)) {
        perror("guarded memory");
        exit(1);
    }
    return p;
}

uint8_t *tn_guarded(size_t n)
{
    size_t page, body;
    uint8_t *p = map_with_guards(n, &page, &body);

    return p + page + body - n;
}

uint8_t *tn_guarded_front(size_t n)
{
    size_t page, body;
    uint8_t *p = map_with_guards(n, &page, &body);

    return p + page;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for the leader of the test's group; 0 when the deadline came first.
 * The leader stays a zombie, so that its number still names the group. */
static int wait_until(pid_t pid, int64_t deadline_ms)
{
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        siginfo_t info = {0};
        int64_t left = deadline_ms - now_ms();
        struct timespec t = {left / 1000, left % 1000 * 1000000};

        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid)
            return 1;
        if (left <= 0)
            return 0;
        sigtimedwait(&child, NULL, &t);
    }
}

static void run_in_child(const struct tap_test *test, const sigset_t *mask)
{
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, mask, NULL);
    test->run();
    exit(failures > 0);
}

enum verdict { FAILED, PASSED, NOT_APPLIED };

/* Prints the verdict, too. */
static enum verdict run_test(const struct tap_test *test, const sigset_t *mask)
{
    int64_t start = now_ms();
    int in_time, status = 0;
    char name[256];
    pid_t pid;

    snprintf(name, sizeof name, "%s", test->name);
    for (char *c = name; *c != '\0'; c++)
        if (*c == '_')
            *c = ' ';
    fflush(stdout);
    pid = fork();
    if (pid < 0) {
        printf("FAIL %s: fork: %s\n", name, strerror(errno));
        return FAILED;
    }
    if (pid == 0)
        run_in_child(test, mask);
    setpgid(pid, pid);
    in_time = wait_until(pid, start + (int64_t)test->deadline_s * 1000);
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        printf("ok   %s (%jd ms)\n", name, (intmax_t)(now_ms() - start));
        return PASSED;
    }
    if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
        printf("skip %s\n", name);
        return NOT_APPLIED;
    }
    if (!in_time)
        printf("FAIL %s: not finished after %u s\n", name, test->deadline_s);
    else if (WIFSIGNALED(status))
        printf("FAIL %s: signal %d (%s)\n", name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        printf("FAIL %s: exit status %d\n", name, WEXITSTATUS(status));
    return FAILED;
}

static int is_asked_for(const struct tap_test *test, char **names)
{
    if (*names == NULL)
        return 1;
    for (; *names != NULL; names++)
        if (strstr(test->name, *names) != NULL)
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    unsigned count[] = {[FAILED] = 0, [PASSED] = 0, [NOT_APPLIED] = 0};
    sigset_t block, before;

    (void)argc;
    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    sigprocmask(SIG_BLOCK, &block, &before);
    for (const struct tap_test *t = tests; t != NULL; t = t->next) {
        if (!is_asked_for(t, argv + 1))
            continue;
        count[run_test(t, &before)]++;
    }
    printf("%u passed, %u failed\n", count[PASSED], count[FAILED]);
    return count[FAILED] > 0 || count[PASSED] + count[NOT_APPLIED] == 0;
}
