/* tenon: the program. */
#define _POSIX_C_SOURCE 200809L
#include "cli/arguments.h"
#include "cli/serve.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define TENON_VERSION "0.1.0"

static const char HELP[] =
    "tenon serve [OPTION]...   serve until SIGTERM, SIGINT or SIGHUP\n"
    "  --listen ADDR           127.0.0.1:9999 (default), [::1]:9999, unix:PATH or fd:N;\n"
    "                          port 0 picks one; may be repeated\n"
    "  --model M               epoll (default); see tenon models\n"
    "  --service S             echo (default), upper, thanks, discard; chat (to all others;\n"
    "                          one process of an event model)\n"
    "  --framing F             raw (default), line, u32, netstring, varint\n"
    "  --frame-max N           longest payload in bytes (65536)\n"
    "  --max-connections N     connections at a time (1024; 64 for a process or thread each;\n"
    "                          256 in a chat)\n"
    "  --workers N             as many of prefork, process-pool and thread-pool (4); of an\n"
    "                          event model, processes with their own listeners\n"
    "  --idle-timeout DUR      close what is idle so long: 500ms, 5s, 2m (0: never)\n"
    "  --read-timeout DUR      close who takes longer to send a frame (0: as idle)\n"
    "  --write-timeout DUR     close who takes nothing so long of what is pending (0: as idle)\n"
    "  --drain-timeout DUR     finish so long before closing by force (5s)\n"
    "  --stdin                 end at a line `quit` on standard input, terminal or not\n"
    "  --verbose               tell about each connection on standard error\n"
    "tenon models              the concurrency models and whether this build has them\n"
    "tenon --help, --version\n";

static int print_models(void)
{
    const char *name;
    uint32_t built;

    for (uint32_t m = 0; (name = tn_cli_model_name(m, &built)) != NULL; m++) {
        (void)printf("%-13s %s\n", name, built ? "available" : "not available in this build");
    }
    return fflush(stdout) == 0 ? TN_CLI_DONE : TN_CLI_FAILED;
}

static int print(const char *text)
{
    return fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? TN_CLI_DONE : TN_CLI_FAILED;
}

/* A connection must never get the number of standard output: what is printed
 * would go to its peer. */
static void occupy_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        (void)close(fd);
    }
}

int main(int argc, char **argv)
{
    struct tn_cli_arguments a;
    struct tn_cli_complaint c;

    occupy_standard_descriptors();
    (void)signal(SIGPIPE, SIG_IGN); /* whoever reads our output may be gone */
    if (tn_cli_parse(&a, argc, (const char *const *)argv, &c) != 1) {
        tn_cli_complain(&c);
        return TN_CLI_MISUSED;
    }
    switch (a.command) {
    case TN_CLI_MODELS:
        return print_models();
    case TN_CLI_HELP:
        return print(HELP);
    case TN_CLI_VERSION:
        return print("tenon " TENON_VERSION "\n");
    default:
        return tn_cli_serve(&a);
    }
}
