/* The service chat: what one says reaches all others, and those who do not read
 * are put out. */
#define _GNU_SOURCE
#include "peer.h"

#define MOST_MEMBERS 256

/* Only one process that is driven by events has members that hear each other. */
#define NEEDS_A_CHAT() NEEDS(model_under_test()->event &&model_under_test()->workers == NULL)

static struct server chat_with(const char *framing)
{
    return server_with("--service", "chat", "--framing", framing, NULL);
}

/* from says text; to[0 .. n - 1] but from hear it, and nothing before it. */
static void say(int framing, int from, const char *text, const int *to, int n)
{
    uint8_t frame[200];
    size_t len = peer_frame(framing, text, strlen(text), frame);

    peer_send(from, frame, len);
    for (int i = 0; i < n; i++)
        if (to[i] != from)
            peer_expect(to[i], frame, len);
}

/* Connects fd[0 .. n - 1]; when the others have heard the last one, whom the server
 * took last, all are members. */
static void join(const struct server *s, int framing, int *fd, int n)
{
    for (int i = 0; i < n; i++)
        fd[i] = peer_connect(s);
    say(framing, fd[n - 1], "hello", fd, n);
}

/* All leave; nothing is left for them to read. */
static void leave(const int *fd, int n)
{
    for (int i = 0; i < n; i++) {
        REQUIRE(shutdown(fd[i], SHUT_WR) == 0);
        peer_expect_end(fd[i]);
        close(fd[i]);
    }
}

/* --- what is said -------------------------------------------------------------------- */

/* Each of three says a message of each length, and the two others hear it. */
static void hear_each_other(int framing)
{
    static const size_t lengths[] = {0, 1, 2, 99, 100, 127, 128, 999, 16383, 16384, 65536};
    enum { LENGTHS = sizeof lengths / sizeof lengths[0] };
    static uint8_t payload[65536], frame[65600];
    struct server s = chat_with(framing_words[framing]);
    int64_t messages = 1;
    int fd[3];

    join(&s, framing, fd, 3);
    for (int i = 0; i < 3 * LENGTHS; i++) {
        size_t len = lengths[i / 3], n;

        if (framing == RAW && len == 0)
            continue;
        peer_fill(payload, len, (uint64_t)i);
        n = peer_frame(framing, payload, len, frame);
        peer_send(fd[i % 3], frame, n);
        peer_expect(fd[(i + 1) % 3], frame, n);
        peer_expect(fd[(i + 2) % 3], frame, n);
        messages++;
    }
    leave(fd, 3);
    server_stop(&s);
    CHECK_EQ(total(&s, "dropped"), 0);
    CHECK_EQ(total(&s, "by-peer"), 3);
    if (framing != RAW) {
        CHECK_EQ(total(&s, "frames"), messages);
        CHECK_EQ(total(&s, "sent"), 2 * messages);
    }
}

#define HEARD(name, framing) \
    TEST(name) \
    { \
        NEEDS_A_CHAT(); \
        hear_each_other(framing); \
    }

HEARD(raw_bytes_of_one_reach_the_two_others_and_not_itself, RAW)
HEARD(a_line_of_one_reaches_the_two_others_and_not_itself, LINE)
HEARD(a_u32_frame_of_one_reaches_the_two_others_and_not_itself, U32)
HEARD(a_netstring_of_one_reaches_the_two_others_and_not_itself, NETSTRING)
HEARD(a_varint_frame_of_one_reaches_the_two_others_and_not_itself, VARINT)

/* Reads lines `X 0`, `X 1`, ... of two who talk at a time, each in its order. */
static void expect_both(int fd, const char *names, int lines)
{
    int next[2] = {0, 0};
    char line[40], word[40];

    while (next[0] < lines || next[1] < lines) {
        int who;

        REQUIRE(read_line(fd, line, sizeof line));
        who = line[0] == names[1];
        snprintf(word, sizeof word, "%c %d", names[who], next[who]);
        CHECK_STR(line, word);
        next[who]++;
    }
}

TEST(those_who_talk_at_a_time_are_heard_in_the_order_of_each)
{
    NEEDS_A_CHAT();
    enum { LINES = 1000 };
    static const char *const others[3] = {"bc", "ac", "ab"};
    struct server s = chat_with("line");
    int fd[3];

    join(&s, LINE, fd, 3);
    for (int i = 0; i < LINES; i++)
        for (int who = 0; who < 3; who++) {
            char line[40];

            peer_send(fd[who], line, (size_t)snprintf(line, sizeof line, "%c %d\n", 'a' + who, i));
        }
    for (int who = 0; who < 3; who++)
        expect_both(fd[who], others[who], LINES);
    leave(fd, 3);
    server_stop(&s);
    CHECK_EQ(total(&s, "frames"), 3 * LINES + 1);
    CHECK_EQ(total(&s, "sent"), 2 * (3 * LINES + 1));
}

TEST(who_is_alone_talks_to_nobody)
{
    NEEDS_A_CHAT();
    struct server s = chat_with("line");
    int fd = peer_connect(&s);

    peer_send(fd, "is anybody there?\n", 18);
    leave(&fd, 1);
    server_stop(&s);
    CHECK_EQ(total(&s, "frames"), 1);
    CHECK_EQ(total(&s, "sent"), 0);
}

/* --- who comes and goes -------------------------------------------------------------- */

TEST(who_has_left_is_not_missed_and_whoever_comes_is_a_member)
{
    NEEDS_A_CHAT();
    enum { MEMBERS = 7, ROUNDS = 40 };
    struct server s = chat_with("line");
    int fd[MEMBERS];
    char text[40];

    join(&s, LINE, fd, MEMBERS);
    for (int round = 0; round < ROUNDS; round++) {
        int i = round * 5 % MEMBERS;

        if (round % 3 == 0) {
            REQUIRE(shutdown(fd[i], SHUT_WR) == 0);
            peer_expect_end(fd[i]);
        }
        if (round % 3 == 1)
            peer_reset(fd[i]);
        else
            close(fd[i]);
        fd[i] = peer_connect(&s);
        snprintf(text, sizeof text, "I am in round %d", round);
        say(LINE, fd[i], text, fd, MEMBERS);
        say(LINE, fd[(i + 1) % MEMBERS], "welcome", fd, MEMBERS);
    }
    leave(fd, MEMBERS);
    server_stop(&s);
    CHECK_EQ(total(&s, "accepted"), MEMBERS + ROUNDS);
    CHECK_EQ(total_closed(&s), MEMBERS + ROUNDS);
    CHECK_EQ(total(&s, "dropped"), 0);
}

TEST(all_members_there_can_be_hear_each_word_and_one_more_has_to_wait)
{
    NEEDS_A_CHAT();
    struct server s = chat_with("line");
    static int fd[MOST_MEMBERS];
    int waiting;

    join(&s, LINE, fd, MOST_MEMBERS);
    waiting = peer_connect(&s);
    peer_send(waiting, "at last\n", 8);
    say(LINE, fd[0], "we are many", fd, MOST_MEMBERS);
    say(LINE, fd[100], "we are", fd, MOST_MEMBERS);
    CHECK(!peer_poll(waiting, POLLIN, 0));
    leave(fd, 1);
    for (int i = 1; i < MOST_MEMBERS; i++)
        peer_expect(fd[i], "at last\n", 8);
    fd[0] = waiting;
    say(LINE, fd[1], "hello", fd, MOST_MEMBERS);
    for (int i = 0; i < MOST_MEMBERS; i++)
        close(fd[i]);
    server_stop(&s);
    CHECK_EQ(total(&s, "dropped"), 0);
    CHECK_EQ(total(&s, "accepted"), MOST_MEMBERS + 1);
}

/* --- who disturbs -------------------------------------------------------------------- */

#define CHUNK 30000u

/* fd[0] talks and the others read, but one who does not; until the server has `left`
 * descriptors.  Returns how many frames it took. */
static int flood_until(const struct server *s, const int *fd, int n, int left)
{
    static uint8_t payload[CHUNK], frame[CHUNK + 4];
    int frames = 0;

    while (server_descriptors(s) > left) {
        REQUIRE(frames < 4000); /* 120 MB: more than any kernel keeps for one */
        peer_fill(payload, CHUNK, (uint64_t)frames);
        peer_send(fd[0], frame, peer_frame(U32, payload, CHUNK, frame));
        for (int i = 1; i < n; i++)
            peer_expect(fd[i], frame, CHUNK + 4);
        frames++;
    }
    return frames;
}

/* What a connection that the server has closed still gets: whole frames at first,
 * those that were said. */
static void expect_beginning(int fd)
{
    static uint8_t payload[CHUNK], frame[CHUNK + 4], got[CHUNK + 4];

    for (int i = 0;; i++) {
        size_t have = 0;
        ssize_t n = 1;

        while (have < sizeof got && n > 0) {
            REQUIRE(peer_poll(fd, POLLIN, PEER_DEADLINE_MS));
            n = recv(fd, got + have, sizeof got - have, MSG_DONTWAIT);
            have += n > 0 ? (size_t)n : 0;
        }
        peer_fill(payload, CHUNK, (uint64_t)i);
        peer_frame(U32, payload, CHUNK, frame);
        REQUIRE(memcmp(got, frame, have) == 0);
        if (n <= 0)
            return;
    }
}

TEST_SLOW(who_does_not_read_is_put_out_and_counted_and_the_rest_get_every_byte, 60)
{
    NEEDS_A_CHAT();
    struct server s = chat_with("u32");
    int fd[4], slow, frames, before;

    slow = peer_try(s.address[0], 4096);
    REQUIRE(slow >= 0);
    before = server_descriptors(&s);
    join(&s, U32, fd, 4);
    before = server_descriptors(&s);
    peer_expect(slow, "\0\0\0\5hello", 9);
    frames = flood_until(&s, fd, 4, before - 1);
    say(U32, fd[1], "better now", fd, 4);
    expect_beginning(slow);
    close(slow);
    leave(fd, 4);
    server_stop(&s);
    CHECK_EQ(total(&s, "dropped"), 1);
    CHECK_EQ(total(&s, "by-caller"), 1);
    CHECK_EQ(total(&s, "by-peer"), 4);
    CHECK_EQ(total(&s, "frames"), frames + 2);
}

TEST_SLOW(several_who_do_not_read_are_put_out_each, 60)
{
    NEEDS_A_CHAT();
    enum { SLOW = 6 };
    struct server s = chat_with("u32");
    int slow[SLOW], fd[3], before;

    for (int i = 0; i < SLOW; i++)
        REQUIRE((slow[i] = peer_try(s.address[0], 4096)) >= 0);
    join(&s, U32, fd, 3);
    before = server_descriptors(&s);
    flood_until(&s, fd, 3, before - SLOW);
    say(U32, fd[1], "better now", fd, 3);
    for (int i = 0; i < SLOW; i++)
        close(slow[i]);
    leave(fd, 3);
    server_stop(&s);
    CHECK_EQ(total(&s, "dropped"), SLOW);
    CHECK_EQ(total(&s, "by-caller"), SLOW);
    CHECK_EQ(total(&s, "by-peer"), 3);
}

/* One of three sends what is no frame: it is put out, and the others hear nothing of
 * it. */
static void disturb(int framing, const void *bytes, size_t n)
{
    struct server s = server_with("--service", "chat", "--framing", framing_words[framing],
                                  "--frame-max", "100", NULL);
    int fd[3], others[2];

    join(&s, framing, fd, 3);
    others[0] = fd[0];
    others[1] = fd[2];
    say(framing, fd[1], "listen", fd, 3);
    peer_send(fd[1], bytes, n);
    peer_expect_end(fd[1]);
    say(framing, fd[0], "what was that?", others, 2);
    say(framing, fd[2], "what?", others, 2);
    close(fd[1]);
    leave(others, 2);
    server_stop(&s);
    CHECK_EQ(total(&s, "by-frame"), 1);
    CHECK_EQ(total(&s, "by-peer"), 2);
    CHECK_EQ(total(&s, "dropped"), 0);
}

TEST(malformed_frames_of_one_disturb_nobody)
{
    NEEDS_A_CHAT();
    uint8_t line[200];

    memset(line, 'x', sizeof line);
    disturb(LINE, line, sizeof line);
    disturb(U32, "\377\377\377\377x", 5);
    disturb(NETSTRING, "5;hello,", 8);
    disturb(VARINT, "\377\377\377\377\377\377\377\377\377\377\377", 11);
}

/* --- the end ------------------------------------------------------------------------- */

TEST(a_drain_ends_a_chat_in_good_order)
{
    NEEDS_A_CHAT();
    struct server s = chat_with("line");
    int fd[3];

    join(&s, LINE, fd, 3);
    say(LINE, fd[0], "good night", fd, 3);
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    for (int i = 0; i < 3; i++) {
        peer_expect_end(fd[i]);
        close(fd[i]);
    }
    server_ended(&s);
    CHECK_EQ(total(&s, "by-drain"), 3);
    CHECK_EQ(total(&s, "dropped"), 0);
}

TEST(at_a_termination_what_one_says_arrives_whole_or_not_at_all)
{
    NEEDS_A_CHAT();
    enum { LEN = 5000, FRAMES = 20, ALL = (LEN + 4) * FRAMES }; /* not enough to be slow */
    static uint8_t payload[LEN], frames[ALL], got[ALL + 1];
    struct server s = chat_with("u32");
    int64_t heard = 0;
    size_t n = 0;
    int fd[3];

    for (int i = 0; i < FRAMES; i++) {
        peer_fill(payload, LEN, (uint64_t)i);
        n += peer_frame(U32, payload, LEN, frames + n);
    }
    join(&s, U32, fd, 3);
    peer_send(fd[0], frames, n);
    REQUIRE(peer_poll(fd[2], POLLIN, PEER_DEADLINE_MS)); /* the first was heard */
    REQUIRE(kill(s.pid, SIGTERM) == 0);
    peer_expect_end(fd[0]);
    for (int i = 1; i < 3; i++) {
        size_t have = 0;
        ssize_t k;

        do {
            REQUIRE(peer_poll(fd[i], POLLIN, PEER_DEADLINE_MS));
            k = recv(fd[i], got + have, sizeof got - have, MSG_DONTWAIT);
            REQUIRE(k >= 0);
            have += (size_t)k;
        } while (k > 0);
        REQUIRE(have >= LEN + 4 && have <= n && memcmp(got, frames, have) == 0);
        CHECK_EQ(have % (LEN + 4), 0);
        heard += (int64_t)(have / (LEN + 4));
        close(fd[i]);
    }
    close(fd[0]);
    server_ended(&s);
    CHECK_EQ(total(&s, "sent"), heard + 2);
    CHECK_EQ(total_closed(&s), 3);
    CHECK_EQ(total(&s, "dropped"), 0);
}
