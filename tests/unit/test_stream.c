/* One client in code from top to bottom: deadlines, ends, orders. */
#define _GNU_SOURCE
#include "serve/stream.h"
#include "tap.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tn_stream s;
static struct tn_orders orders;
static struct tn_counters counters;

/* Opens the stream on one end of a connection and returns the other. */
static int open_stream(uint32_t framing, uint32_t idle_ms)
{
    struct tn_options o = {0};
    int end[2];

    o.framing = framing;
    o.frame_max = 100;
    o.idle_ms = idle_ms;
    o.linger_ms = 200;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end) == 0);
    memset(&counters, 0, sizeof counters);
    tn_orders_init(&orders, 100);
    REQUIRE(tn_stream_open(&s, end[0], &o, &orders, &counters) == 1);
    return end[1];
}

static void say(int peer, const char *text)
{
    REQUIRE(write(peer, text, strlen(text)) == (ssize_t)strlen(text));
}

TEST(a_read_returns_at_its_deadline_and_not_before_and_goes_on_later)
{
    int peer = open_stream(TN_LINE, 0);
    int64_t start = tn_sys_now_ms();
    struct tn_message m;

    say(peer, "on");
    CHECK_EQ(tn_stream_read(&s, &m, start + 100), 0);
    CHECK(tn_sys_now_ms() >= start + 100);
    CHECK_EQ(tn_stream_read(&s, &m, 0), 0);
    say(peer, "e\ntwo\n");
    REQUIRE(tn_stream_read(&s, &m, TN_NEVER) == 1);
    CHECK_EQ(m.len, 3);
    CHECK_BYTES(m.data, "one", 3);
    REQUIRE(tn_stream_read(&s, &m, 0) == 1);
    CHECK_BYTES(m.data, "two", 3);
    close(peer);
    CHECK_EQ(tn_stream_read(&s, &m, TN_NEVER), TN_EOF);
    CHECK_EQ(tn_stream_read(&s, &m, TN_NEVER), TN_EOF);
    tn_stream_close(&s);
    CHECK_EQ(counters.closed[TN_BY_PEER], 1);
}

TEST(a_send_waits_for_room_up_to_its_deadline)
{
    int peer = open_stream(TN_U32, 0);
    uint8_t payload[100] = {0};
    int64_t start;
    int32_t r;

    while ((r = tn_stream_send(&s, payload, 100, 0)) == 1)
        ;
    CHECK_EQ(r, 0);
    start = tn_sys_now_ms();
    CHECK_EQ(tn_stream_send(&s, payload, 100, start + 100), 0);
    CHECK(tn_sys_now_ms() >= start + 100);
    CHECK_EQ(tn_stream_flush(&s, 0), 0);
    close(peer);
    CHECK_EQ(tn_stream_flush(&s, TN_NEVER), TN_ERESET);
    CHECK_EQ(tn_stream_send(&s, payload, 100, TN_NEVER), TN_ERESET);
    tn_stream_close(&s);
    CHECK_EQ(counters.closed[TN_BY_RESET], 1);
}

TEST(what_cannot_be_sent_is_refused_and_what_is_no_frame_ends_the_reading)
{
    int peer = open_stream(TN_LINE, 0);
    uint8_t payload[101];
    struct tn_message m;

    memset(payload, '\n', sizeof payload);
    CHECK_EQ(tn_stream_send(&s, payload, 101, 0), TN_ETOOBIG);
    CHECK_EQ(tn_stream_send(&s, payload, 1, 0), TN_EFRAME);
    memset(payload, 'x', sizeof payload);
    REQUIRE(write(peer, payload, 101) == 101);
    CHECK_EQ(tn_stream_read(&s, &m, TN_NEVER), TN_EFRAME);
    CHECK_EQ(tn_stream_read(&s, &m, TN_NEVER), TN_EFRAME);
    CHECK_EQ(tn_stream_send(&s, payload, 3, 0), 1); /* it may say why */
    CHECK_EQ(tn_stream_flush(&s, 0), 1);
    CHECK_EQ(read(peer, payload, sizeof payload), 4);
    close(peer);
    tn_stream_close(&s);
    CHECK_EQ(counters.closed[TN_BY_FRAME], 1);
}

TEST(after_closing_it_waits_for_the_peer_no_longer_than_it_may)
{
    int peer = open_stream(TN_LINE, 0);
    int64_t start = tn_sys_now_ms();
    char byte;

    tn_stream_close(&s);
    CHECK(tn_sys_now_ms() >= start + 200);
    CHECK_EQ(s.fd, -1);
    CHECK_EQ(read(peer, &byte, 1), 0);
    CHECK_EQ(counters.closed[TN_BY_CALLER], 1);
    close(peer);
}

TEST(silence_ends_a_stream_with_an_idle_timeout)
{
    int peer = open_stream(TN_LINE, 100);
    int64_t start = tn_sys_now_ms();
    struct tn_message m;

    CHECK_EQ(tn_stream_read(&s, &m, TN_NEVER), TN_EOF);
    CHECK(tn_sys_now_ms() >= start + 100);
    tn_stream_close(&s);
    CHECK_EQ(counters.closed[TN_BY_IDLE], 1);
    close(peer);
}

TEST(an_order_to_drain_reads_what_has_come_and_then_ends)
{
    int peer = open_stream(TN_LINE, 0), line[2];
    struct tn_message m;

    REQUIRE(pipe(line) == 0);
    REQUIRE(tn_orders_watch(&orders, line[0]) == 0);
    say(peer, "one\ntwo\nthr");
    close(line[1]); /* the lifeline ends */
    REQUIRE(tn_stream_read(&s, &m, TN_NEVER) == 1);
    CHECK_BYTES(m.data, "one", 3);
    REQUIRE(tn_stream_read(&s, &m, TN_NEVER) == 1);
    CHECK_BYTES(m.data, "two", 3);
    CHECK_EQ(tn_stream_read(&s, &m, TN_NEVER), TN_EOF);
    tn_stream_close(&s);
    CHECK_EQ(counters.closed[TN_BY_DRAIN], 1);
    close(peer);
}
