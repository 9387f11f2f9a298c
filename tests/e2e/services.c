/* Every service under every framing, over every kind of address. */
#define _GNU_SOURCE
#include "peer.h"

#include <ctype.h>

enum service { ECHO, UPPER, THANKS, DISCARD, SERVICES };

static const char *const service_words[SERVICES] = {"echo", "upper", "thanks", "discard"};

/* Lengths around everything that has a limit: digits of a netstring, septets
 * of a varint, the frame maximum. */
static const size_t lengths[] = {0, 1, 2, 9, 10, 99, 100, 127, 128, 999, 16383, 16384, 65536};
enum { LENGTHS = sizeof lengths / sizeof lengths[0] };

static int listening_descriptor(void)
{
    struct place p = place_of("127.0.0.1:0");
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* inherited: not closed on exec */

    REQUIRE(fd >= 0 && bind(fd, &p.at.any, p.len) == 0 && listen(fd, 100) == 0);
    return fd;
}

static int has_version_six(void)
{
    struct place p = place_of("[::1]:0");
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    int result = fd >= 0 && bind(fd, &p.at.any, p.len) == 0;

    if (fd >= 0)
        close(fd);
    return result;
}

/* What the service is to answer to a payload. */
static size_t answer(int service, const uint8_t *payload, size_t len, uint8_t *to)
{
    if (service == DISCARD)
        return 0;
    if (service == THANKS) {
        memcpy(to, "thank you!", 10);
        return 10;
    }
    for (size_t i = 0; i < len; i++)
        to[i] = service == UPPER && payload[i] < 128 ? (uint8_t)toupper(payload[i]) : payload[i];
    return len;
}

/* One connection: a message of each length, then the end.  Raw has no empty
 * message, and only what the server receives at once is one: so under thanks
 * messages are kept short enough to arrive whole. */
static int64_t converse(const char *address, int service, int framing)
{
    static uint8_t payload[65536], reply[65536], out[65600], expected[65600];
    int fd = peer_try(address, 0);
    int64_t messages = 0;

    REQUIRE(fd >= 0);
    for (int i = 0; i < LENGTHS; i++) {
        size_t len = lengths[i], n, m;

        if (framing == RAW && (len == 0 || (service == THANKS && len > 1000)))
            continue;
        peer_fill(payload, len, (uint64_t)i);
        n = peer_frame(framing, payload, len, out);
        m = answer(service, payload, len, reply);
        m = service == DISCARD ? 0 : peer_frame(framing, reply, m, expected);
        peer_exchange(fd, out, n, expected, m);
        messages++;
    }
    REQUIRE(shutdown(fd, SHUT_WR) == 0);
    peer_expect_end(fd);
    close(fd);
    return messages;
}

static void serve_everywhere(int service, int framing)
{
    struct server s = {0};
    char path[60], given[20], word[300];
    int64_t messages = 0;
    int fd = listening_descriptor();

    snprintf(path, sizeof path, "unix:/tmp/tenon-e2e-%ld-%d-%d", (long)getpid(), service, framing);
    snprintf(given, sizeof given, "fd:%d", fd);
    server_args(&s, "--service", service_words[service], "--framing", framing_words[framing],
                "--listen", "127.0.0.1:0", "--listen", path, "--listen", given, NULL);
    if (has_version_six())
        server_args(&s, "--listen", "[::1]:0", NULL);
    server_start(&s, 0);
    close(fd);
    snprintf(word, sizeof word, "listening %s model %s service %s framing %s pid %ld", s.address[0],
             model_under_test()->word, service_words[service], framing_words[framing], (long)s.pid);
    CHECK_STR(s.ready, word);
    CHECK_STR(s.address[1], path);
    for (int i = 0; i < s.address_count; i++)
        messages += converse(s.address[i], service, framing);
    server_stop(&s);
    CHECK_EQ(total(&s, "accepted"), s.address_count);
    CHECK_EQ(total(&s, "by-peer"), s.address_count);
    if (framing != RAW) {
        CHECK_EQ(total(&s, "frames"), messages);
        CHECK_EQ(total(&s, "sent"), service == DISCARD ? 0 : messages);
    }
    CHECK(access(path + 5, F_OK) != 0);
}

#define EVERYWHERE(name, service, framing) \
    TEST(name) \
    { \
        serve_everywhere(service, framing); \
    }

EVERYWHERE(echo_answers_raw_bytes_everywhere, ECHO, RAW)
EVERYWHERE(echo_answers_lines_everywhere, ECHO, LINE)
EVERYWHERE(echo_answers_u32_frames_everywhere, ECHO, U32)
EVERYWHERE(echo_answers_netstrings_everywhere, ECHO, NETSTRING)
EVERYWHERE(echo_answers_varint_frames_everywhere, ECHO, VARINT)
EVERYWHERE(upper_answers_raw_bytes_everywhere, UPPER, RAW)
EVERYWHERE(upper_answers_lines_everywhere, UPPER, LINE)
EVERYWHERE(upper_answers_u32_frames_everywhere, UPPER, U32)
EVERYWHERE(upper_answers_netstrings_everywhere, UPPER, NETSTRING)
EVERYWHERE(upper_answers_varint_frames_everywhere, UPPER, VARINT)
EVERYWHERE(thanks_answers_raw_bytes_everywhere, THANKS, RAW)
EVERYWHERE(thanks_answers_lines_everywhere, THANKS, LINE)
EVERYWHERE(thanks_answers_u32_frames_everywhere, THANKS, U32)
EVERYWHERE(thanks_answers_netstrings_everywhere, THANKS, NETSTRING)
EVERYWHERE(thanks_answers_varint_frames_everywhere, THANKS, VARINT)
EVERYWHERE(discard_takes_raw_bytes_everywhere, DISCARD, RAW)
EVERYWHERE(discard_takes_lines_everywhere, DISCARD, LINE)
EVERYWHERE(discard_takes_u32_frames_everywhere, DISCARD, U32)
EVERYWHERE(discard_takes_netstrings_everywhere, DISCARD, NETSTRING)
EVERYWHERE(discard_takes_varint_frames_everywhere, DISCARD, VARINT)

TEST(the_carriage_return_of_a_line_is_part_of_it)
{
    struct server s = server_with("--framing", "line", "--service", "upper", NULL);
    int fd = peer_connect(&s);

    peer_exchange(fd, "a\r\nb\n\r\n", 7, "A\r\nB\n\r\n", 7);
    close(fd);
    server_stop(&s);
}

TEST(upper_changes_ascii_letters_only)
{
    struct server s = server_with("--service", "upper", NULL);
    int fd = peer_connect(&s);
    uint8_t all[256], upper[256];

    for (int i = 0; i < 256; i++) {
        all[i] = (uint8_t)i;
        upper[i] = (uint8_t)(i >= 'a' && i <= 'z' ? i - 32 : i);
    }
    peer_exchange(fd, all, 256, upper, 256);
    close(fd);
    server_stop(&s);
}

TEST(many_clients_at_a_time_each_get_their_own_answers)
{
    NEEDS_AT_ONCE(50);
    enum { CLIENTS = 50, ROUNDS = 20 };
    struct server s = server_with("--framing", "u32", NULL);
    int fd[CLIENTS];
    uint8_t payload[300], frame[310];

    for (int c = 0; c < CLIENTS; c++)
        fd[c] = peer_connect(&s);
    for (int round = 0; round < ROUNDS; round++) {
        for (int c = 0; c < CLIENTS; c++) {
            peer_fill(payload, 200u + (size_t)c, (uint64_t)(c * ROUNDS + round));
            peer_send(fd[c], frame, peer_frame(U32, payload, 200u + (size_t)c, frame));
        }
        for (int c = CLIENTS - 1; c >= 0; c--) {
            peer_fill(payload, 200u + (size_t)c, (uint64_t)(c * ROUNDS + round));
            peer_expect(fd[c], frame, peer_frame(U32, payload, 200u + (size_t)c, frame));
        }
    }
    for (int c = 0; c < CLIENTS; c++)
        close(fd[c]);
    server_stop(&s);
    CHECK_EQ(total(&s, "frames"), CLIENTS * ROUNDS);
}
