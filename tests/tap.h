/* A tiny test harness.
 *
 *     TEST(a_full_ring_takes_no_byte) { CHECK_EQ(tn_ring_put(...), 0); }
 *
 * A test's name is a sentence that can be false.  Each test runs in a process
 * and a process group of its own, with a deadline after which the group is
 * killed; so a crash, an endless loop or a forgotten child is one failed test
 * and harms no other.  Failed checks are printed and the test goes on; REQUIRE
 * ends it.  main() is in tap.c: it runs all tests, or those named as arguments
 * (a part of the name will do), and prints "N passed, N failed" last.
 *
 * Linux and the GNU compilers' constructor attribute are all it needs.  A test
 * that wants more than ISO C defines _GNU_SOURCE before its first #include.
 */
#ifndef TAP_H
#define TAP_H

#include <stddef.h>
#include <stdint.h>

#define TAP_DEADLINE_S 10

struct tap_test {
    const char *name;
    void (*run)(void);
    unsigned deadline_s;
    struct tap_test *next;
};

void tap_register(struct tap_test *test);
void tap_fail(const char *file, int line, const char *what);
void tap_fail_values(const char *file, int line, const char *a, const char *b, intmax_t va,
                     intmax_t vb);
void tap_fail_strings(const char *file, int line, const char *a, const char *b, const char *va,
                      const char *vb);
void tap_fail_bytes(const char *file, int line, const char *a, const char *b, const void *va,
                    const void *vb, size_t n);
int tap_same_string(const char *a, const char *b);
_Noreturn void tap_stop(void);

/* Ends a test that does not apply here: it counts as neither passed nor failed,
 * unless a check of it has failed already. */
_Noreturn void tap_skip(void);

/* n zeroed bytes that end right before an unreadable page: one byte too far
 * faults.  Given back when the test's process ends. */
uint8_t *tn_guarded(size_t n);

/* n zeroed bytes that start right after an unreadable page. */
uint8_t *tn_guarded_front(size_t n);

#define TEST(name) TEST_SLOW(name, TAP_DEADLINE_S)

#define TEST_SLOW(name, seconds) \
    static void tap_run_##name(void); \
    __attribute__((constructor)) static void tap_add_##name(void) \
    { \
        static struct tap_test test = {#name, tap_run_##name, (seconds), NULL}; \
        tap_register(&test); \
    } \
    static void tap_run_##name(void)

#define CHECK(expr) \
    do { \
        if (!(expr)) \
            tap_fail(__FILE__, __LINE__, #expr); \
    } while (0)

/* Integers and pointers of any type; both values are printed. */
#define CHECK_EQ(a, b) \
    do { \
        intmax_t tap_a = (intmax_t)(a), tap_b = (intmax_t)(b); \
        if (tap_a != tap_b) \
            tap_fail_values(__FILE__, __LINE__, #a, #b, tap_a, tap_b); \
    } while (0)

#define CHECK_STR(a, b) \
    do { \
        const char *tap_a = (a), *tap_b = (b); \
        if (!tap_same_string(tap_a, tap_b)) \
            tap_fail_strings(__FILE__, __LINE__, #a, #b, tap_a, tap_b); \
    } while (0)

#define CHECK_BYTES(a, b, n) tap_fail_bytes(__FILE__, __LINE__, #a, #b, (a), (b), (n))

/* Like CHECK, but the test ends here when it fails. */
#define REQUIRE(expr) \
    do { \
        if (!(expr)) { \
            tap_fail(__FILE__, __LINE__, #expr); \
            tap_stop(); \
        } \
    } while (0)

#endif
