/* What a fuzzer needs of a harness.  harness.c holds the rest: its main. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stddef.h>
#include <stdint.h>

#define HARNESS_INPUT_MAX 65536u

/* Once, before any input. */
void harness_start(void);
/* Runs one input; aborts when something that must hold does not. */
void harness_run(const uint8_t *bytes, size_t n);

void harness_expect(int holds, const char *what);
/* The end of n bytes behind which unreadable memory begins. */
uint8_t *harness_guarded_end(size_t n);

#endif
