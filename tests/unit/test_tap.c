/* The harness itself: a test that cannot fail would make all others worthless. */
#define _GNU_SOURCE
#include "tap.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int faults_at(const volatile uint8_t *p)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        (void)*p;
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status);
}

TEST(guarded_bytes_are_zeroed_and_writable)
{
    uint8_t *p = tn_guarded(100), *q = tn_guarded_front(100);

    for (int i = 0; i < 100; i++)
        CHECK(p[i] == 0 && q[i] == 0);
    memset(p, 1, 100);
    memset(q, 1, 100);
}

TEST(one_byte_past_a_guarded_block_faults)
{
    uint8_t *p = tn_guarded(100);

    CHECK(!faults_at(p + 99));
    CHECK(faults_at(p + 100));
}

TEST(one_byte_before_a_front_guarded_block_faults)
{
    uint8_t *p = tn_guarded_front(100);

    CHECK(!faults_at(p));
    CHECK(faults_at(p - 1));
}

TEST(a_guarded_block_of_no_bytes_has_none)
{
    CHECK(faults_at(tn_guarded(0)));
}

TEST(bytes_are_compared_up_to_their_length)
{
    CHECK_BYTES("abcd", "abcx", 3);
    CHECK_STR("same", "same");
    CHECK_EQ(-1, (int64_t)-1);
}

/* The exit status of a process that skips, after a failed check if asked to. */
static int skipped(int failed)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (failed) {
            printf("    the next failure is meant\n");
            tap_fail(__FILE__, __LINE__, "a check before the skip");
        }
        tap_skip();
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

TEST(a_skip_is_no_success_and_hides_no_failure)
{
    CHECK(skipped(0) > 1);
    CHECK_EQ(skipped(1), 1);
}
