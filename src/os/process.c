/* Processes, on Linux. */
#define _GNU_SOURCE
#include "os/process.h"

#include "os/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(sizeof(pid_t) == sizeof(int32_t), "process ids are 32-bit");

/* What a child is born with that it must not keep. */
static void leave_parent(pid_t parent)
{
    sigset_t set;

    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1); /* it was gone before the line above */
    }
}

int32_t tn_process_fork(void)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();

    if (pid < 0) {
        return errno == EAGAIN ? TN_EMEMORY : tn_error_of(errno);
    }
    if (pid == 0) {
        leave_parent(parent);
    }
    return pid;
}

static uint32_t is_crash(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

/* waitpid, with *crashed. */
static int32_t take_end(pid_t pid, int flags, uint32_t *crashed)
{
    int status = 0;
    pid_t got;

    do {
        got = waitpid(pid, &status, flags);
    } while (got < 0 && errno == EINTR);
    *crashed = got > 0 ? is_crash(status) : 0;
    return got > 0 ? got : 0;
}

int32_t tn_process_reap(int32_t pid, uint32_t *crashed)
{
    return take_end(pid, WNOHANG, crashed);
}

void tn_process_wait(int32_t pid, uint32_t *crashed)
{
    (void)take_end(pid, 0, crashed);
}

int32_t tn_process_ended(void)
{
    siginfo_t info;
    int r;

    info.si_pid = 0;
    do {
        r = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
    } while (r != 0 && errno == EINTR);
    return r == 0 ? info.si_pid : 0;
}

int32_t tn_process_end_open(int32_t pid)
{
#ifdef SYS_pidfd_open
    const long fd = syscall(SYS_pidfd_open, pid, 0);

    return fd >= 0 ? (int32_t)fd : tn_error_of(errno);
#else
    (void)pid;
    return TN_ESYSTEM;
#endif
}

/* Closes the descriptors first .. last. */
static void close_range_of(uint32_t first, uint32_t last)
{
    long end;

#ifdef SYS_close_range
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0) {
        return;
    }
#endif
    end = sysconf(_SC_OPEN_MAX); /* Linux before 5.9: one by one, as far as there may be any */
    for (uint32_t fd = first; fd <= last && (long)fd < end; fd++) {
        (void)close((int)fd);
    }
}

void tn_process_keep_only(int32_t keep)
{
    const uint32_t kept = keep > 2 ? (uint32_t)keep : 2;

    close_range_of(3, kept - 1);
    close_range_of(kept + 1, UINT32_MAX);
}

void tn_process_kill(int32_t pid)
{
    (void)kill(pid, SIGKILL); /* ours and not reaped: the number is still its own */
}

void tn_process_exit(int32_t status)
{
    _exit(status);
}

int32_t tn_pipe_open(int32_t end[2])
{
    int fd[2];

    if (pipe2(fd, O_CLOEXEC) != 0) {
        return tn_error_of(errno);
    }
    end[0] = fd[0];
    end[1] = fd[1];
    return 1;
}

void tn_close_if_open(int32_t *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

void *tn_shared_open(size_t len)
{
    /* no file: mmap(2) wants -1 then */
    // cppcheck-suppress invalidFunctionArg
    void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    // cppcheck-suppress memleak ; it is the caller's
    return memory == MAP_FAILED ? NULL : memory;
}

void tn_shared_close(void *memory, size_t len)
{
    (void)munmap(memory, len);
}
