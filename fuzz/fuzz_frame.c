/* One decoder under a fuzzer: -DFRAMING=TN_LINE, or another of enum tn_framing.
 *
 * Byte 0 and 1 of an input choose the maximum, byte 2 the places to split at;
 * the rest are bytes from a peer, and then a payload to be sent to one.  Two
 * bytes 255 and a single one to follow ask for a payload of a greater length.
 * What must hold, or the program aborts:
 *
 *   verdict, frame and encoding are those of frame_reference.h
 *   a prefix gives "need more" or what the whole gives, resumed or not
 *   decoding what was encoded gives it back, and one byte less room refuses it
 *   a framing that is none is refused
 *   no byte outside is read or written: memory ends right behind each buffer
 */
#include "core/frame.h"
#include "frame_reference.h"
#include "harness.h"

#include <string.h>

#ifndef FRAMING
#error "choose a decoder: -DFRAMING=TN_RAW, TN_LINE, TN_U32, TN_NETSTRING or TN_VARINT"
#endif

#define HEAD 3u
#define LONGEST 1024u
#define FRAMES 12u
#define SPLIT_ALL 24u

/* Unreadable memory begins here. */
static uint8_t *in_end, *out_end, *long_in_end, *long_out_end;

static int same_frame(const struct tn_frame *a, const struct tn_frame *b)
{
    return a->offset == b->offset && a->length == b->length && a->consumed == b->consumed;
}

/* m bytes are seen first, then all n. */
static void check_split(const uint8_t *p, uint32_t at, uint32_t m, uint32_t n, uint32_t max,
                        int32_t verdict, const struct tn_frame *want)
{
    struct tn_frame f;
    int32_t first = tn_frame_decode(FRAMING, p, at, m, 0, max, &f);

    if (first == 0) {
        harness_expect(m < max + TN_FRAME_OVERHEAD,
                       "an unfinished frame fits in the maximum and overhead");
        first = tn_frame_decode(FRAMING, p, at, n, m, max, &f);
    }
    harness_expect(first == verdict, "the verdict does not depend on the split");
    harness_expect(verdict != 1 || same_frame(&f, want), "the frame does not depend on the split");
}

static void check_splits(const uint8_t *p, uint32_t at, uint32_t n, uint32_t max, uint8_t choice,
                         int32_t verdict, const struct tn_frame *want)
{
    if (FRAMING == TN_RAW)
        return; /* raw shows how the bytes arrived */
    for (uint32_t m = 0; m < n && m < SPLIT_ALL; m++)
        check_split(p, at, m, n, max, verdict, want);
    if (n > SPLIT_ALL) {
        uint32_t end = verdict == 1 ? want->consumed : n;

        check_split(p, at, choice * n / 256u, n, max, verdict, want);
        check_split(p, at, end - 1, n, max, verdict, want);
        check_split(p, at, end < n ? end : n, n, max, verdict, want);
    }
}

/* Frame after frame of what a peer sent, as the server takes them. */
static void check_stream(const uint8_t *p, uint32_t n, uint32_t max, uint8_t choice)
{
    uint32_t at = 0;

    for (uint32_t frames = 0; frames < FRAMES; frames++) {
        struct tn_frame f, want = {0, 0, 0};
        int32_t verdict = reference_decode(FRAMING, p + at, n - at, max, &want);

        harness_expect(tn_frame_decode(FRAMING, p, at, n - at, 0, max, &f) == verdict,
                       "the verdict is the reference's");
        check_splits(p, at, n - at, max, choice, verdict, &want);
        if (verdict != 1)
            return;
        harness_expect(same_frame(&f, &want), "the frame is the reference's");
        harness_expect(f.length <= max && f.consumed > 0 && f.consumed <= n - at,
                       "a frame is inside its bytes and gets on");
        at += f.consumed;
    }
}

/* The same bytes as a payload. */
static void check_round_trip(uint8_t *end, const uint8_t *p, uint32_t n)
{
    uint8_t *dst = end - n - TN_FRAME_OVERHEAD;
    struct tn_frame f;
    int32_t r;

    dst[-1] = 0xa5;
    r = tn_frame_encode(FRAMING, dst - 1, 1, p, n);
    harness_expect(dst[-1] == 0xa5, "nothing is written before the frame");
    if (FRAMING == TN_LINE && n > 0 && memchr(p, '\n', n) != NULL) {
        harness_expect(r == TN_EFRAME, "a payload with a line end is refused");
        return;
    }
    harness_expect(r >= 0 && (uint32_t)r <= n + TN_FRAME_OVERHEAD, "a frame fits in its room");
    if (FRAMING == TN_RAW && n == 0) {
        harness_expect(r == 0, "raw writes nothing for nothing");
        return;
    }
    harness_expect(tn_frame_decode(FRAMING, dst, 0, (uint32_t)r, 0, n, &f) == 1,
                   "what is encoded decodes");
    harness_expect(f.length == n && f.consumed == (uint32_t)r, "to a payload as long");
    harness_expect(n == 0 || memcmp(dst + f.offset, p, n) == 0, "of the same bytes");
    if (n > 0 && FRAMING != TN_RAW)
        harness_expect(tn_frame_decode(FRAMING, dst, 0, (uint32_t)r, 0, n - 1, &f) == TN_EFRAME,
                       "a maximum one byte lower refuses it");
}

/* A payload at a length where its encoding grows.  One of them takes as long as
 * many others, so an input has to ask for it. */
static void check_long(uint8_t choice)
{
    static const uint32_t lengths[] = {9999, 10000, 16383, 16384, 65535, 65536};
    uint32_t n = lengths[choice % 6];

    memset(long_in_end - n, 'x', n);
    check_round_trip(long_out_end, long_in_end - n, n);
}

/* What is none of the five framings. */
static void check_no_framing(const uint8_t *p, uint32_t n)
{
    uint8_t out[TN_FRAME_OVERHEAD];
    struct tn_frame f;

    harness_expect(tn_frame_decode(TN_VARINT + 1, p, 0, n, 0, n, &f) == TN_EFRAME &&
                       tn_frame_encode(TN_VARINT + 1, out, 0, p, 0) == TN_EFRAME,
                   "what is no framing has no frames");
}

/* The limits at which a decoder goes wrong are those next to the frame's own. */
static uint32_t choose_max(const uint8_t *input, const uint8_t *p, uint32_t n)
{
    struct tn_frame f;
    uint32_t max = input[0];

    if (input[1] % 8 < 4)
        return max % 32;
    if (input[1] % 8 == 7)
        return TN_FRAME_MAX - max % 2;
    if (reference_decode(FRAMING, p, n, TN_FRAME_MAX, &f) == 1)
        max = f.length;
    return input[1] % 8 == 4 ? max : input[1] % 8 == 5 ? max + 1 : max > 0 ? max - 1 : 0;
}

void harness_start(void)
{
    in_end = harness_guarded_end(LONGEST);
    out_end = harness_guarded_end(LONGEST + TN_FRAME_OVERHEAD + 1);
    long_in_end = harness_guarded_end(TN_FRAME_MAX);
    long_out_end = harness_guarded_end(TN_FRAME_MAX + TN_FRAME_OVERHEAD + 1);
}

void harness_run(const uint8_t *input, size_t size)
{
    if (size < HEAD)
        return;
    uint32_t n = size - HEAD < LONGEST ? (uint32_t)(size - HEAD) : LONGEST;
    uint8_t *p = in_end - n;

    memcpy(p, input + HEAD, n);
    check_stream(p, n, choose_max(input, p, n), input[2]);
    check_round_trip(out_end, p, n);
    check_no_framing(p, n);
    if (n == 1 && input[0] == 255 && input[1] == 255)
        check_long(p[0]);
}
