/* The main of a harness, for each of its drivers:
 *
 *   afl-cc                      a persistent harness over shared memory
 *   clang -fsanitize=fuzzer     in one process with the fuzzer (-DIN_PROCESS)
 *   any compiler                runs the files named on the command line
 */
#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void harness_expect(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "violated: %s\n", what);
        abort();
    }
}

uint8_t *harness_guarded_end(size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (n + page - 1) / page * page;
    uint8_t *area =
        mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED || mprotect(area + size, page, PROT_NONE) != 0) {
        perror("a guarded area");
        exit(1);
    }
    return area + size;
}

#if defined(IN_PROCESS)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    harness_start();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    harness_run(bytes, n);
    return 0;
}

#elif defined(__AFL_FUZZ_TESTCASE_LEN)

__AFL_FUZZ_INIT();

int main(void)
{
    harness_start();
    __AFL_INIT();
    unsigned char *input = __AFL_FUZZ_TESTCASE_BUF;
    while (__AFL_LOOP(100000)) {
        int size = __AFL_FUZZ_TESTCASE_LEN;

        if (size > 0)
            harness_run(input, (size_t)size);
    }
    return 0;
}

#else

int main(int argc, char **argv)
{
    static uint8_t input[HARNESS_INPUT_MAX];

    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
        return 2;
    }
    harness_start();
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");

        if (file == NULL) {
            perror(argv[i]);
            return 1;
        }
        harness_run(input, fread(input, 1, sizeof input, file));
        fclose(file);
    }
    return 0;
}

#endif
