/* Bytes in, bytes out: however the network cuts them, whatever the peer does
 * with its half of the connection. */
#define _GNU_SOURCE
#include "peer.h"

#define MEGABYTE (1u << 20)

/* Framings whose frames have ends; and some of them in a row, with an empty
 * payload among them. */
static size_t three_frames(int framing, uint8_t *out)
{
    size_t n = peer_frame(framing, "abc", 3, out);

    n += peer_frame(framing, "", 0, out + n);
    return n + peer_frame(framing, "defghijklmno", 12, out + n);
}

/* --- splits -------------------------------------------------------------------------- */

/* Cuts the bytes in two at every place.  The round trip of a second connection
 * in between makes the server take the first part alone. */
static void split_everywhere(int framing)
{
    NEEDS_AT_ONCE(2);
    struct server s = server_with("--framing", framing_words[framing], NULL);
    int fd = peer_connect(&s), other = peer_connect(&s);
    uint8_t frames[60];
    size_t n = three_frames(framing, frames);

    for (size_t cut = 0; cut <= n; cut++) {
        peer_send(fd, frames, cut);
        peer_roundtrip_framed(other, framing);
        peer_exchange(fd, frames + cut, n - cut, frames, n);
    }
    for (size_t i = 0; i < n; i++) {
        peer_send(fd, frames + i, 1);
        peer_roundtrip_framed(other, framing);
    }
    peer_expect(fd, frames, n);
    close(fd);
    close(other);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-peer"), 2);
}

TEST(lines_cut_at_every_byte_are_the_same_lines)
{
    split_everywhere(LINE);
}

TEST(u32_frames_cut_at_every_byte_are_the_same_frames)
{
    split_everywhere(U32);
}

TEST(netstrings_cut_at_every_byte_are_the_same_netstrings)
{
    split_everywhere(NETSTRING);
}

TEST(varint_frames_cut_at_every_byte_are_the_same_frames)
{
    split_everywhere(VARINT);
}

/* --- many at once -------------------------------------------------------------------- */

static void pipeline(int framing, size_t len, int count)
{
    struct server s = server_with("--framing", framing_words[framing], NULL);
    int fd = peer_connect(&s);
    uint8_t *frames = malloc((len + 20) * (size_t)count), *payload = malloc(len + 1);
    size_t n = 0;

    REQUIRE(frames != NULL && payload != NULL);
    for (int i = 0; i < count; i++) {
        size_t this = len > 0 ? len - (size_t)i % len : 0;

        peer_fill(payload, this, (uint64_t)i);
        n += peer_frame(framing, payload, this, frames + n);
    }
    peer_exchange(fd, frames, n, frames, n);
    REQUIRE(shutdown(fd, SHUT_WR) == 0);
    peer_expect_end(fd);
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "frames"), count);
    CHECK_EQ(total(&s, "sent"), count);
    CHECK_EQ(total(&s, "bytes-in"), n);
    CHECK_EQ(total(&s, "bytes-out"), n);
    free(frames);
    free(payload);
}

TEST(a_thousand_lines_sent_at_once_are_answered_in_order)
{
    pipeline(LINE, 100, 1000);
}

TEST(a_thousand_u32_frames_sent_at_once_are_answered_in_order)
{
    pipeline(U32, 100, 1000);
}

TEST(a_thousand_netstrings_sent_at_once_are_answered_in_order)
{
    pipeline(NETSTRING, 100, 1000);
}

TEST(a_thousand_varint_frames_sent_at_once_are_answered_in_order)
{
    pipeline(VARINT, 200, 1000);
}

TEST(ten_thousand_empty_frames_are_each_answered)
{
    pipeline(VARINT, 0, 10000);
}

TEST_SLOW(hundreds_of_the_longest_frames_are_answered_in_order, 30)
{
    pipeline(U32, 65536, 200);
}

/* Answers longer than their questions fill the output before the input is
 * empty: the rest is held back and must go on without another byte coming. */
static void answers_outgrow_questions(int with_end)
{
    enum { COUNT = 65536, LEN = 11 };
    struct server s = server_with("--service", "thanks", "--framing", "line", NULL);
    static uint8_t questions[COUNT], answers[COUNT * LEN];
    int fd = peer_try(s.address[0], 4096);

    REQUIRE(fd >= 0);
    memset(questions, '\n', COUNT);
    for (int i = 0; i < COUNT; i++)
        memcpy(answers + i * LEN, "thank you!\n", LEN);
    peer_send(fd, questions, COUNT);
    if (with_end)
        REQUIRE(shutdown(fd, SHUT_WR) == 0);
    peer_expect(fd, answers, sizeof answers);
    if (!with_end)
        REQUIRE(shutdown(fd, SHUT_WR) == 0);
    peer_expect_end(fd);
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "frames"), COUNT);
    CHECK_EQ(total(&s, "by-peer"), 1);
}

TEST(questions_held_back_for_their_answers_are_all_answered)
{
    answers_outgrow_questions(0);
}

TEST(questions_held_back_are_answered_after_the_peer_has_finished)
{
    answers_outgrow_questions(1);
}

/* --- readers that are slow ----------------------------------------------------------- */

/* Sends without reading until the server takes no more; returns the bytes sent. */
static size_t stuff(int fd, const uint8_t *bytes, size_t n)
{
    size_t sent = 0;

    while (sent < n && peer_poll(fd, POLLOUT, 300)) {
        ssize_t k = send(fd, bytes + sent, n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        REQUIRE(k > 0 || errno == EAGAIN);
        sent += k > 0 ? (size_t)k : 0;
    }
    return sent;
}

static void slow_reader(int framing)
{
    NEEDS_AT_ONCE(2);
    const size_t room = 24 * MEGABYTE, len = 30000;
    struct server s = server_with("--framing", framing_words[framing], NULL);
    int other = peer_connect(&s), fd = peer_try(s.address[0], 4096);
    uint8_t *bytes = malloc(room), *payload = malloc(len);
    size_t n = 0, sent;
    int64_t cpu;

    REQUIRE(fd >= 0 && bytes != NULL && payload != NULL);
    for (uint64_t i = 0; n + len + 20 <= room; i++) {
        peer_fill(payload, len - i % 1000, i);
        n += peer_frame(framing, payload, len - i % 1000, bytes + n);
    }
    sent = stuff(fd, bytes, n);
    CHECK(sent < n); /* it stopped reading: memory is bounded */
    peer_roundtrip_framed(other, framing);
    cpu = server_cpu_ns(&s);
    CHECK(!peer_poll(fd, POLLOUT, 300)); /* silence, in which it has nothing to do */
    CHECK(server_cpu_ns(&s) - cpu < 50000000);
    peer_exchange(fd, bytes + sent, n - sent, bytes, n);
    REQUIRE(shutdown(fd, SHUT_WR) == 0);
    peer_expect_end(fd);
    close(fd);
    close(other);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-peer"), 2);
    CHECK_EQ(total(&s, "bytes-out"), total(&s, "bytes-in"));
    free(bytes);
    free(payload);
}

TEST_SLOW(a_slow_reader_of_raw_bytes_slows_nobody_and_loses_nothing, 30)
{
    slow_reader(RAW);
}

TEST_SLOW(a_slow_reader_of_u32_frames_slows_nobody_and_loses_nothing, 30)
{
    slow_reader(U32);
}

TEST_SLOW(a_slow_reader_that_has_finished_sending_gets_every_answer, 30)
{
    const size_t len = 60000;
    struct server s = server_with("--framing", "u32", NULL);
    int fd = peer_try(s.address[0], 4096);
    uint8_t *frame = malloc(len + 4), *payload = malloc(len);
    int count = 12;
    size_t n;

    REQUIRE(fd >= 0 && frame != NULL && payload != NULL);
    /* What the kernel holds in both directions bounds what can be sent before
     * anything is read; so send what is surely taken, finish, then read. */
    for (int i = 0; i < count; i++) {
        peer_fill(payload, len, (uint64_t)i);
        n = peer_frame(U32, payload, len, frame);
        peer_send(fd, frame, n);
    }
    REQUIRE(shutdown(fd, SHUT_WR) == 0);
    for (int i = 0; i < count; i++) {
        peer_fill(payload, len, (uint64_t)i);
        n = peer_frame(U32, payload, len, frame);
        peer_expect(fd, frame, n);
    }
    peer_expect_end(fd);
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-peer"), 1);
    CHECK_EQ(total(&s, "frames"), count);
    free(frame);
    free(payload);
}

/* Sends to all until none takes more; sent[c] counts. */
static void stuff_all(const int *fd, size_t *sent, int count, const uint8_t *bytes, size_t n)
{
    static struct pollfd p[300];

    for (;;) {
        for (int c = 0; c < count; c++) {
            ssize_t k = send(fd[c], bytes + sent[c], n - sent[c], MSG_DONTWAIT | MSG_NOSIGNAL);

            REQUIRE(k >= 0 || errno == EAGAIN);
            sent[c] += k > 0 ? (size_t)k : 0;
            p[c].fd = sent[c] < n ? fd[c] : -1;
            p[c].events = POLLOUT;
        }
        if (poll(p, (nfds_t)count, 300) == 0)
            return;
    }
}

/* More slow readers than buffers: they take turns, and each gets its bytes.
 * Unix sockets, for their small fixed buffers. */
TEST_SLOW(more_slow_readers_than_buffers_all_get_their_answers, 60)
{
    NEEDS(model_under_test()->workers == NULL);
    NEEDS(model_under_test()->event);
    enum { CLIENTS = 300, LEN = 60000, FRAMES = 12 };
    char address[60];
    struct server s;
    static int fd[CLIENTS];
    static size_t sent[CLIENTS];
    static uint8_t payload[LEN], bytes[(LEN + 4) * FRAMES];
    size_t n = 0;

    snprintf(address, sizeof address, "unix:/tmp/tenon-streams-%ld", (long)getpid());
    s = server_with("--framing", "u32", "--listen", address, NULL);
    for (int i = 0; i < FRAMES; i++) {
        peer_fill(payload, LEN, (uint64_t)i);
        n += peer_frame(U32, payload, LEN, bytes + n);
    }
    for (int c = 0; c < CLIENTS; c++)
        fd[c] = peer_connect(&s);
    stuff_all(fd, sent, CLIENTS, bytes, n);
    for (int c = 0; c < CLIENTS; c++)
        peer_exchange(fd[c], bytes + sent[c], n - sent[c], bytes, n);
    for (int c = 0; c < CLIENTS; c++)
        close(fd[c]);
    server_stop(&s);
    CHECK_EQ(total(&s, "frames"), CLIENTS * FRAMES);
    CHECK_EQ(total(&s, "bytes-out"), (int64_t)n * CLIENTS);
    CHECK(total(&s, "parked") > 0);
}

/* --- ends ---------------------------------------------------------------------------- */

TEST(a_peer_that_has_finished_gets_all_answers_then_the_end)
{
    for (int framing = 0; framing < FRAMINGS; framing++) {
        struct server s = server_with("--framing", framing_words[framing], NULL);
        int fd = peer_connect(&s);
        uint8_t frames[60];
        size_t n = framing == RAW ? 4 : three_frames(framing, frames);

        if (framing == RAW)
            memcpy(frames, "last", 4);
        peer_send(fd, frames, n);
        REQUIRE(shutdown(fd, SHUT_WR) == 0);
        peer_expect(fd, frames, n);
        peer_expect_end(fd);
        close(fd);
        server_stop(&s);
        CHECK_EQ(total(&s, "by-peer"), 1);
    }
}

TEST(a_peer_that_finishes_at_once_gets_the_end_at_once)
{
    struct server s = server_with(NULL);
    int fd = peer_connect(&s);

    REQUIRE(shutdown(fd, SHUT_WR) == 0);
    peer_expect_end(fd);
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-peer"), 1);
    CHECK_EQ(total(&s, "frames"), 0);
}

/* The peer ends inside a frame: by finishing, or with a reset. */
static void vanish_everywhere(int framing, int with_reset)
{
    NEEDS_AT_ONCE(2);
    struct server s = server_with("--framing", framing_words[framing], NULL);
    int other = peer_connect(&s);
    uint8_t frame[30];
    size_t n = peer_frame(framing, "hello, you", 10, frame);
    int64_t whole;

    for (size_t cut = 0; cut < n; cut++) {
        int fd = peer_connect(&s);

        peer_send(fd, frame, cut);
        if (with_reset) {
            peer_roundtrip_framed(other, framing);
            peer_reset(fd);
        } else {
            REQUIRE(shutdown(fd, SHUT_WR) == 0);
            peer_expect_end(fd);
            close(fd);
        }
        peer_roundtrip_framed(other, framing);
    }
    whole = (int64_t)n + 1; /* round trips */
    close(other);
    server_stop(&s);
    CHECK_EQ(total(&s, "accepted"), (int64_t)n + 1);
    CHECK_EQ(total_closed(&s), (int64_t)n + 1);
    /* where others accept than serve, the drain may meet a reset before it is seen */
    CHECK_EQ(total(&s, "by-reset") + (model_under_test()->event ? 0 : total(&s, "by-drain")),
             with_reset ? (int64_t)n : 0);
    CHECK_EQ(total(&s, "by-truncation"), with_reset ? 0 : (int64_t)n - 1);
    CHECK_EQ(total(&s, "by-peer"), with_reset ? 1 : 2);
    CHECK(total(&s, "frames") >= whole - 1);
}

TEST(a_reset_at_any_byte_of_a_frame_ends_that_connection_only)
{
    for (int framing = LINE; framing < FRAMINGS; framing++)
        vanish_everywhere(framing, 1);
}

TEST(an_end_at_any_byte_of_a_frame_is_counted_as_a_truncation)
{
    for (int framing = LINE; framing < FRAMINGS; framing++)
        vanish_everywhere(framing, 0);
}

TEST(a_peer_that_resets_instead_of_reading_harms_nobody)
{
    NEEDS_AT_ONCE(2);
    struct server s = server_with(NULL);
    int other = peer_connect(&s);
    static uint8_t bytes[MEGABYTE];

    for (int i = 0; i < 20; i++) {
        int fd = peer_try(s.address[0], 4096);

        REQUIRE(fd >= 0);
        (void)send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        peer_reset(fd);
        peer_roundtrip(other);
    }
    close(other);
    server_stop(&s);
    CHECK_EQ(total(&s, "accepted"), 21);
    CHECK_EQ(total_closed(&s), 21);
}

/* --- bytes that are no frame --------------------------------------------------------- */

struct bad {
    int framing;
    const char *bytes;
    size_t len;
};

#define BAD(framing, text) \
    { \
        framing, text, sizeof text - 1 \
    }

/* All with --frame-max 16. */
static const struct bad bad_frames[] = {
    BAD(LINE, "12345678901234567"),
    BAD(LINE, "12345678901234567\n"),
    BAD(U32, "\0\0\0\21"),
    BAD(U32, "\377\377\377\377"),
    BAD(U32, "\200\0\0\0"),
    BAD(U32, "\1\0\0\0x"),
    BAD(NETSTRING, ":,"),
    BAD(NETSTRING, "17:"),
    BAD(NETSTRING, "17"),
    BAD(NETSTRING, "00:,"),
    BAD(NETSTRING, "01:a,"),
    BAD(NETSTRING, "1:ab"),
    BAD(NETSTRING, "x"),
    BAD(NETSTRING, "-1:a,"),
    BAD(NETSTRING, " 1:a,"),
    BAD(NETSTRING, "1 :a,"),
    BAD(NETSTRING, "99999999999999999999:"),
    BAD(NETSTRING, "4294967297:a,"),
    BAD(VARINT, "\21"),
    BAD(VARINT, "\200\0"),
    BAD(VARINT, "\201\200\0"),
    BAD(VARINT, "\200\200\200\200"),
    BAD(VARINT, "\377\377\377\377\377\377\377\377\377\1"),
};
enum { BAD_FRAMES = sizeof bad_frames / sizeof bad_frames[0] };

/* Two good frames, a bad one, then junk: two answers, then the end in good
 * order, although unread bytes were on their way. */
static int64_t send_bad(const struct server *s, const struct bad *b, size_t junk)
{
    static const uint8_t rubbish[MEGABYTE];
    int fd = peer_connect(s);
    uint8_t frames[100];
    size_t n = peer_frame(b->framing, "good", 4, frames);

    n += peer_frame(b->framing, "1234567890123456", 16, frames + n);
    memcpy(frames + n, b->bytes, b->len);
    peer_exchange(fd, frames, n + b->len, frames, n);
    (void)send(fd, rubbish, junk, MSG_DONTWAIT | MSG_NOSIGNAL);
    peer_expect_end(fd);
    close(fd);
    return 1;
}

TEST_SLOW(a_bad_frame_ends_its_connection_after_the_answers_and_no_other, 30)
{
    NEEDS_AT_ONCE(2);
    for (int framing = LINE; framing < FRAMINGS; framing++) {
        struct server s =
            server_with("--frame-max", "16", "--framing", framing_words[framing], NULL);
        int other = peer_connect(&s);
        int64_t bad = 0;

        for (int i = 0; i < BAD_FRAMES; i++) {
            if (bad_frames[i].framing != framing)
                continue;
            bad += send_bad(&s, &bad_frames[i], 0);
            bad += send_bad(&s, &bad_frames[i], 100);
            bad += send_bad(&s, &bad_frames[i], 300000);
            peer_roundtrip_framed(other, framing);
        }
        close(other);
        server_stop(&s);
        CHECK_EQ(total(&s, "by-frame"), bad);
        CHECK_EQ(total(&s, "by-peer"), 1);
        CHECK_EQ(total(&s, "accepted"), bad + 1);
    }
}

/* What stands before a bad frame is answered even when the answers are slow to
 * leave and the sender goes on. */
TEST_SLOW(answers_pending_at_a_bad_frame_all_arrive, 30)
{
    const size_t len = 60000;
    const int count = 20;
    struct server s = server_with("--framing", "u32", NULL);
    int fd = peer_try(s.address[0], 4096);
    uint8_t *bytes = malloc((len + 4) * (size_t)count + 4), *payload = malloc(len);
    size_t n = 0;

    REQUIRE(fd >= 0 && bytes != NULL && payload != NULL);
    for (int i = 0; i < count; i++) {
        peer_fill(payload, len, (uint64_t)i);
        n += peer_frame(U32, payload, len, bytes + n);
    }
    memset(bytes + n, 255, 4);
    peer_exchange(fd, bytes, n + 4, bytes, n);
    peer_expect_end(fd);
    close(fd);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-frame"), 1);
    CHECK_EQ(total(&s, "frames"), count);
    free(bytes);
    free(payload);
}

TEST(the_longest_frame_is_answered_and_one_byte_more_is_not)
{
    for (int framing = LINE; framing < FRAMINGS; framing++) {
        struct server s =
            server_with("--framing", framing_words[framing], "--frame-max", "1000", NULL);
        static uint8_t payload[1001], frame[1020];
        int fd = peer_connect(&s);
        size_t n;

        peer_fill(payload, 1001, 5);
        n = peer_frame(framing, payload, 1000, frame);
        peer_exchange(fd, frame, n, frame, n);
        n = peer_frame(framing, payload, 1001, frame);
        peer_send(fd, frame, n);
        peer_expect_end(fd);
        close(fd);
        server_stop(&s);
        CHECK_EQ(total(&s, "by-frame"), 1);
        CHECK_EQ(total(&s, "frames"), 1);
    }
}
