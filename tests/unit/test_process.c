/* Processes: what os/process.h says of them to the proofs, around real calls. */
#define _GNU_SOURCE
#include "random.h"
#include "tools.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int gate[2];

/* A child that ends with this status once the gate is closed; 0: at once. */
static int32_t child(int waits, int status)
{
    const int32_t pid = tn_process_fork();
    char byte;

    REQUIRE(pid >= 0);
    if (pid == 0) {
        if (waits == 1) {
            close(gate[1]);
            while (read(gate[0], &byte, 1) < 0 && errno == EINTR)
                ;
        }
        tn_process_exit(status);
    }
    return pid;
}

/* Waits until pid has ended, and leaves its end to be taken. */
static void see_end(int32_t pid)
{
    siginfo_t info;

    REQUIRE(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
}

TEST(process_ids_are_in_the_range_of_the_model)
{
    FILE *f = fopen("/proc/sys/kernel/pid_max", "r");
    long most = 0;

    REQUIRE(f != NULL && fscanf(f, "%ld", &most) == 1);
    fclose(f);
    CHECK(most > 0 && most <= TN_PIDS);
}

TEST(an_end_is_told_until_it_is_taken_and_taken_once)
{
    uint32_t crashed = 7;
    const int32_t pid = child(0, 0);

    CHECK(pid > 0 && pid < TN_PIDS);
    see_end(pid);
    CHECK_EQ(tn_process_ended(), pid);
    CHECK_EQ(tn_process_ended(), pid);
    CHECK_EQ(tn_process_reap(pid, &crashed), pid);
    CHECK_EQ(crashed, 0);
    CHECK_EQ(tn_process_ended(), 0);
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
    CHECK_EQ(errno, ECHILD);
}

TEST(who_runs_has_no_end_to_take)
{
    uint32_t crashed = 7;
    int32_t pid;

    REQUIRE(pipe(gate) == 0);
    pid = child(1, 3);
    CHECK_EQ(tn_process_ended(), 0);
    CHECK_EQ(tn_process_reap(pid, &crashed), 0);
    CHECK_EQ(crashed, 0);
    close(gate[1]);
    tn_process_wait(pid, &crashed);
    CHECK_EQ(crashed, 1);
    CHECK_EQ(kill(pid, 0), -1);
    close(gate[0]);
}

TEST(who_is_killed_is_a_child_until_its_end_is_taken)
{
    uint32_t crashed = 7;
    int32_t pid;

    REQUIRE(pipe(gate) == 0);
    pid = child(1, 0);
    tn_process_kill(pid);
    see_end(pid);
    CHECK_EQ(tn_process_ended(), pid);
    tn_process_kill(pid); /* hits nobody else: the id is not free yet */
    CHECK_EQ(tn_process_reap(pid, &crashed), pid);
    CHECK_EQ(crashed, 1);
    close(gate[0]);
    close(gate[1]);
}

/* What the model says of each process that there is. */
static struct {
    int32_t pid;
    int ours, ended;
    int gate; /* the child ends when it is closed */
    uint32_t crashed;
} model[8];

static int models_place(int32_t pid)
{
    for (int i = 0; i < 8; i++)
        if (model[i].pid == pid)
            return i;
    return -1;
}

static void begin_at(int i, uint32_t crashed, int ours)
{
    int end[2];

    REQUIRE(pipe(end) == 0);
    model[i].pid = ours ? tn_process_fork() : fork();
    REQUIRE(model[i].pid >= 0);
    if (model[i].pid == 0) {
        char byte;

        for (int k = 0; k < 8; k++)
            if (k != i && model[k].pid > 0 && !model[k].ended)
                close(model[k].gate);
        close(end[1]);
        while (read(end[0], &byte, 1) < 0 && errno == EINTR)
            ;
        tn_process_exit(crashed == 1 ? 5 : 0);
    }
    close(end[0]);
    model[i].ours = ours;
    model[i].ended = 0;
    model[i].gate = end[1];
    model[i].crashed = crashed;
}

static void end_at(int i, uint32_t by_signal)
{
    if (by_signal)
        tn_process_kill(model[i].pid);
    close(model[i].gate);
    see_end(model[i].pid);
    model[i].ended = 1;
    model[i].crashed |= by_signal;
}

static void take_at(int i, int wait)
{
    uint32_t crashed = 7;

    if (wait && model[i].ended)
        tn_process_wait(model[i].pid, &crashed);
    else
        CHECK_EQ(tn_process_reap(model[i].pid, &crashed), model[i].ended ? model[i].pid : 0);
    if (model[i].ended) {
        CHECK_EQ(crashed, model[i].crashed);
        model[i].pid = 0;
    }
}

static void check_ended(void)
{
    const int32_t pid = tn_process_ended();
    int some = 0;

    for (int i = 0; i < 8; i++)
        some |= model[i].pid > 0 && model[i].ended;
    CHECK_EQ(pid > 0, some);
    if (pid > 0) {
        const int i = models_place(pid);

        REQUIRE(i >= 0);
        CHECK(model[i].ended);
    }
}

TEST(random_calls_do_what_the_model_says)
{
    uint32_t seed = 20;

    for (int call = 0; call < 2000; call++) {
        const int i = (int)random_below(&seed, 8);
        const uint32_t what = random_below(&seed, 4);

        if (model[i].pid == 0)
            begin_at(i, random_below(&seed, 2), what > 0);
        else if (what < 2 && !model[i].ended)
            end_at(i, model[i].ours && what == 0);
        else if (model[i].ours)
            take_at(i, what == 2);
        else if (model[i].ended && waitpid(model[i].pid, NULL, 0) == model[i].pid)
            model[i].pid = 0;
        check_ended();
    }
    for (int i = 0; i < 8; i++)
        if (model[i].pid > 0 && !model[i].ended)
            end_at(i, 0);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

TEST(a_child_has_no_children)
{
    const int32_t elder = child(0, 0);
    int32_t pid;

    see_end(elder);
    pid = tn_process_fork();
    REQUIRE(pid >= 0);
    if (pid == 0)
        tn_process_exit(tn_process_ended() == 0 && waitpid(-1, NULL, WNOHANG) == -1 ? 0 : 1);
    CHECK(pid != elder);
    expect_good_end(pid);
    expect_good_end(elder);
}

TEST(a_pipe_that_cannot_be_opened_changes_nothing)
{
    int32_t end[2] = {-7, -8};
    const rlim_t before = allow_descriptors(0);

    CHECK_EQ(tn_pipe_open(end), TN_EFILES);
    (void)allow_descriptors(before);
    CHECK_EQ(end[0], -7);
    CHECK_EQ(end[1], -8);
}
