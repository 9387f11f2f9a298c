/* Frames against a naive decoder: every short string, every way to split it,
 * at the edge of readable memory; then the limits. */
#include "core/frame.h"
#include "frame_reference.h"
#include "tap.h"

#define LONGEST 7u

static int same_frame(const struct tn_frame *a, const struct tn_frame *b)
{
    return a->offset == b->offset && a->length == b->length && a->consumed == b->consumed;
}

/* One string, whole and cut at each place, with the decoder resuming there. */
static int verdicts_agree(enum tn_framing framing, const uint8_t *p, uint32_t at, uint32_t n,
                          uint32_t max)
{
    struct tn_frame want = {0, 0, 0}, whole, part;
    int32_t verdict = reference_decode(framing, p + at, n, max, &want);

    if (tn_frame_decode(framing, p, at, n, 0, max, &whole) != verdict)
        return 0;
    if (verdict == 1 && !same_frame(&whole, &want))
        return 0;
    if (verdict == 0 && n >= max + TN_FRAME_OVERHEAD)
        return 0;
    for (uint32_t m = 0; m < n && framing != TN_RAW; m++) {
        int32_t first = tn_frame_decode(framing, p, at, m, 0, max, &part);

        if (first == 0)
            first = tn_frame_decode(framing, p, at, n, m, max, &part);
        if (first != verdict || (verdict == 1 && !same_frame(&part, &want)))
            return 0;
    }
    return 1;
}

/* All strings over the alphabet of up to LONGEST bytes, ending where memory does. */
static void check_all_strings(enum tn_framing framing, const uint8_t *alphabet, uint32_t letters,
                              uint32_t longest)
{
    uint8_t *end = tn_guarded(LONGEST) + LONGEST;
    uint32_t strings = 1;

    for (uint32_t n = 0; n <= longest; n++, strings *= letters) {
        uint8_t *p = end - n;

        for (uint32_t s = 0; s < strings; s++) {
            for (uint32_t i = 0, rest = s; i < n; i++, rest /= letters)
                p[i] = alphabet[rest % letters];
            for (uint32_t max = 0; max < 5; max++) {
                if (!verdicts_agree(framing, end - LONGEST, LONGEST - n, n, max)) {
                    CHECK_BYTES(p, (const uint8_t *)"not as the reference", n);
                    CHECK_EQ(max, -1);
                    return;
                }
            }
        }
    }
}

TEST(raw_decodes_every_short_string_as_the_reference)
{
    check_all_strings(TN_RAW, (const uint8_t *)"a\n", 2, LONGEST);
}

TEST(line_decodes_every_short_string_as_the_reference)
{
    check_all_strings(TN_LINE, (const uint8_t *)"a\n\r", 3, LONGEST);
}

TEST(u32_decodes_every_short_string_as_the_reference)
{
    check_all_strings(TN_U32, (const uint8_t *)"\0\1\3\377", 4, LONGEST);
}

TEST(netstring_decodes_every_short_string_as_the_reference)
{
    check_all_strings(TN_NETSTRING, (const uint8_t *)"012:,x", 6, 6);
}

TEST(varint_decodes_every_short_string_as_the_reference)
{
    check_all_strings(TN_VARINT, (const uint8_t *)"\0\1\4\200\201\377", 6, 6);
}

static const enum tn_framing framings[] = {TN_RAW, TN_LINE, TN_U32, TN_NETSTRING, TN_VARINT};

/* A frame of len bytes, in memory that ends with the frame; *size is its size. */
static uint8_t *frame_of(enum tn_framing framing, uint32_t len, uint32_t *size)
{
    uint8_t *src = tn_guarded(len), *dst = tn_guarded(len + TN_FRAME_OVERHEAD), *exact;
    int32_t n;

    memset(src, 'x', len);
    n = tn_frame_encode(framing, dst, 0, src, len);
    REQUIRE(n >= 0);
    *size = (uint32_t)n;
    exact = tn_guarded(*size);
    memcpy(exact, dst, *size);
    return exact;
}

TEST(a_payload_one_byte_over_the_maximum_is_refused)
{
    static const uint32_t limits[] = {0,   1,   9,   10,   99,    100,   127,   128,
                                      255, 256, 999, 1000, 16383, 16384, 65535, 65536};

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        for (size_t j = 1; j < sizeof framings / sizeof framings[0]; j++) {
            uint32_t max = limits[i], low = max > 0 ? max - 1 : 0;

            for (uint32_t len = low; len <= max + 1 && len <= TN_FRAME_MAX; len++) {
                struct tn_frame f;
                uint32_t n;
                const uint8_t *p = frame_of(framings[j], len, &n);

                CHECK_EQ(tn_frame_decode(framings[j], p, 0, n, 0, max, &f),
                         len <= max ? 1 : TN_EFRAME);
                if (len > max)
                    continue;
                CHECK_EQ(f.length, len);
                CHECK_EQ(f.consumed, n);
                /* the last byte is still missing: memory ends with what there is */
                const uint8_t *cut = memcpy(tn_guarded(n - 1), p, n - 1);
                CHECK_EQ(tn_frame_decode(framings[j], cut, 0, n - 1, 0, max, &f), 0);
                CHECK_EQ(tn_frame_decode(framings[j], cut, 0, n - 1, n / 2, max, &f), 0);
            }
        }
    }
}

TEST(what_is_encoded_decodes_to_itself_at_every_length)
{
    static uint8_t dst[3 + 700 + TN_FRAME_OVERHEAD + 1];
    uint8_t *src = tn_guarded_front(700);

    for (uint32_t i = 0; i < 700; i++)
        src[i] = (uint8_t)(i % 251 == '\n' ? 'x' : i % 251);
    for (size_t j = 0; j < sizeof framings / sizeof framings[0]; j++) {
        for (uint32_t len = framings[j] == TN_RAW ? 1 : 0; len <= 700; len++) {
            struct tn_frame f;

            memset(dst, 0xee, sizeof dst);
            int32_t n = tn_frame_encode(framings[j], dst, 3, src, len);
            REQUIRE(n > 0 && (uint32_t)n <= len + TN_FRAME_OVERHEAD);
            CHECK(dst[2] == 0xee && dst[3 + len + TN_FRAME_OVERHEAD] == 0xee);
            REQUIRE(tn_frame_decode(framings[j], dst, 3, (uint32_t)n, 0, 700, &f) == 1);
            CHECK_EQ(f.length, len);
            CHECK_EQ(f.consumed, n);
            CHECK(memcmp(dst + 3 + f.offset, src, len) == 0);
        }
    }
}

static void check_encoding(enum tn_framing framing, const char *payload, const char *frame,
                           uint32_t n)
{
    uint8_t dst[64];
    uint32_t len = (uint32_t)strlen(payload);

    CHECK_EQ(tn_frame_encode(framing, dst, 0, (const uint8_t *)payload, len), n);
    CHECK_BYTES(dst, frame, n);
}

TEST(the_formats_are_those_other_programs_speak)
{
    static uint8_t big[300 + TN_FRAME_OVERHEAD];
    static const uint8_t zeros[300];

    check_encoding(TN_RAW, "hello", "hello", 5);
    check_encoding(TN_RAW, "", "", 0);
    check_encoding(TN_LINE, "hello", "hello\n", 6);
    check_encoding(TN_LINE, "hello\r", "hello\r\n", 7);
    check_encoding(TN_U32, "hello", "\0\0\0\5hello", 9);
    check_encoding(TN_NETSTRING, "hello world!", "12:hello world!,", 16);
    check_encoding(TN_NETSTRING, "", "0:,", 3);
    check_encoding(TN_VARINT, "hello", "\5hello", 6);
    CHECK_EQ(tn_frame_encode(TN_VARINT, big, 0, zeros, 300), 302);
    CHECK_BYTES(big, "\254\2", 2); /* 300, as in the description of protocol buffers */
    CHECK_EQ(tn_frame_encode(TN_U32, big, 0, zeros, 258), 262);
    CHECK_BYTES(big, "\0\0\1\2", 4);
}

TEST(a_payload_with_a_line_end_is_no_line)
{
    uint8_t dst[16];

    CHECK_EQ(tn_frame_encode(TN_LINE, dst, 0, (const uint8_t *)"a\nb", 3), TN_EFRAME);
    CHECK_EQ(tn_frame_encode(TN_LINE, dst, 0, (const uint8_t *)"\n", 1), TN_EFRAME);
    CHECK_EQ(tn_frame_encode(TN_LINE, dst, 0, (const uint8_t *)"ab\n", 2), 3);
}

TEST(a_carriage_return_is_part_of_the_line)
{
    struct tn_frame f;

    CHECK_EQ(tn_frame_decode(TN_LINE, (const uint8_t *)"hi\r\nyo", 0, 6, 0, 100, &f), 1);
    CHECK_EQ(f.length, 3);
    CHECK_EQ(f.consumed, 4);
}

TEST(a_wrong_count_of_scanned_bytes_stays_inside)
{
    const uint8_t *p = memcpy(tn_guarded(8), "ab\ncdefg", 8);
    struct tn_frame f;

    for (uint32_t scanned = 0; scanned <= 8; scanned++) {
        for (uint32_t max = 0; max < 10; max++) {
            int32_t r = tn_frame_decode(TN_LINE, p, 0, 8, scanned, max, &f);

            CHECK(r != 1 || (f.length <= max && f.consumed <= 8));
            if (scanned <= 2)
                CHECK_EQ(r, max >= 2 ? 1 : TN_EFRAME);
        }
    }
}

TEST(an_unknown_framing_frames_nothing)
{
    struct tn_frame f = {9, 9, 9};
    uint8_t dst[16];

    CHECK_EQ(tn_frame_decode(5, (const uint8_t *)"1:a,", 0, 4, 0, 100, &f), TN_EFRAME);
    CHECK_EQ(tn_frame_decode(UINT32_MAX, NULL, 0, 0, 0, 100, &f), TN_EFRAME);
    CHECK_EQ(tn_frame_encode(5, dst, 0, (const uint8_t *)"a", 1), TN_EFRAME);
}

TEST(an_overlong_length_is_refused)
{
    struct tn_frame f;

    CHECK_EQ(tn_frame_decode(TN_NETSTRING, (const uint8_t *)"01:a,", 0, 5, 0, 9, &f), TN_EFRAME);
    CHECK_EQ(tn_frame_decode(TN_NETSTRING, (const uint8_t *)":,", 0, 2, 0, 9, &f), TN_EFRAME);
    CHECK_EQ(tn_frame_decode(TN_NETSTRING, (const uint8_t *)"99999999999", 0, 11, 0, 65536, &f),
             TN_EFRAME);
    CHECK_EQ(tn_frame_decode(TN_VARINT, (const uint8_t *)"\201\0a", 0, 3, 0, 9, &f), TN_EFRAME);
    CHECK_EQ(tn_frame_decode(TN_VARINT, (const uint8_t *)"\200\200\200\200", 0, 4, 0, 9, &f),
             TN_EFRAME);
    CHECK_EQ(tn_frame_decode(TN_U32, (const uint8_t *)"\377\377\377\377", 0, 4, 0, 65536, &f),
             TN_EFRAME);
}
