/* The addresses of os/listen.h under a fuzzer: an input is the text of one.
 * Nothing is opened.  What must hold, or the program aborts:
 *
 *   an IPv4 address is taken exactly if a plain reader of the grammar takes it
 *   what is taken, written down again, is taken and means the same
 *   a number is what its digits say
 *   no byte behind the text is read: memory ends there
 */
#define _GNU_SOURCE
#include "os/listen.c" /* its parser is its own */

#include "harness.h"

#define LONGEST 256u

static char *text_end;

void harness_start(void)
{
    text_end = (char *)harness_guarded_end(LONGEST);
}

/* Decimal digits of at most max, as C's own library reads them; -1 otherwise. */
static int64_t plain_number(const char *text, size_t digits, int64_t max)
{
    int64_t value = 0;

    if (digits == 0 || text[strspn(text, "0123456789")] != text[digits])
        return -1;
    for (size_t i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        if (value <= max)
            value = value * 10 + text[i] - '0';
    }
    return value <= max ? value : -1;
}

/* Four numbers with a dot between them, without leading zeros, and a port. */
static int plain_v4(const char *text)
{
    for (int part = 0; part < 4; part++) {
        size_t digits = strspn(text, "0123456789");

        if (digits > 3 || (digits > 1 && text[0] == '0') || plain_number(text, digits, 255) < 0)
            return 0;
        if (text[digits] != (part < 3 ? '.' : ':'))
            return 0;
        text += digits + 1;
    }
    return plain_number(text, strlen(text), 65535) >= 0;
}

/* As write_bound() does it, but of an address that nothing is bound to. */
static void write_down(const struct place *p, char *text, size_t n)
{
    char host[INET6_ADDRSTRLEN];

    if (p->at.any.sa_family == AF_INET) {
        harness_expect(inet_ntop(AF_INET, &p->at.v4.sin_addr, host, sizeof host) != NULL, "a host");
        snprintf(text, n, "%s:%u", host, (unsigned)ntohs(p->at.v4.sin_port));
    } else {
        harness_expect(inet_ntop(AF_INET6, &p->at.v6.sin6_addr, host, sizeof host) != NULL,
                       "a host");
        snprintf(text, n, "[%s]:%u", host, (unsigned)ntohs(p->at.v6.sin6_port));
    }
}

static void check_inet(const char *text)
{
    struct place p, again;
    char written[TN_ADDRESS_LEN];
    int taken;

    memset(&p, 0, sizeof p);
    memset(&again, 0, sizeof again);
    taken = parse_inet(text, &p);
    if (text[0] != '[')
        harness_expect(taken == plain_v4(text), "IPv4 is what its grammar says");
    if (!taken)
        return;
    write_down(&p, written, sizeof written);
    harness_expect(parse_inet(written, &again) == 1 && again.len == p.len &&
                       memcmp(&p.at, &again.at, sizeof p.at) == 0,
                   "what is written down means the same");
}

static void check_local(const char *text)
{
    const char *path = after(text, UNIX_PREFIX);
    struct place p;
    int taken;

    if (path == NULL)
        return;
    memset(&p, 0, sizeof p);
    taken = parse_unix(path, &p);
    harness_expect(taken == (path[0] != '\0' && strlen(path) < sizeof p.at.local.sun_path),
                   "a path is taken if it fits");
    harness_expect(!taken || strcmp(p.at.local.sun_path, path) == 0, "it is the path");
}

static void check_given(const char *text)
{
    const char *number = after(text, FD_PREFIX);

    if (number != NULL)
        harness_expect(parse_number(number, 1048575) ==
                           plain_number(number, strlen(number), 1048575),
                       "a number is what its digits say");
}

void harness_run(const uint8_t *bytes, size_t n)
{
    char *text = text_end - n - 1;

    if (n >= LONGEST)
        return;
    memcpy(text, bytes, n);
    text_end[-1] = '\0';
    check_inet(text);
    check_local(text);
    check_given(text);
}
