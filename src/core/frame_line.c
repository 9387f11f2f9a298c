/* The framing `line`: a message ends at LF. */
#include "core/frame_codecs.h"
#include "core/copy.h"

#define LF 10u

/* Bytes looked at together: a loop of fixed length without an exit, which
 * compilers turn into a few wide instructions. */
#define STRIDE 16u

/* How many of the STRIDE bytes at p + from are LF. */
/*@ requires \valid_read(p + (from .. from + STRIDE - 1)) && from + STRIDE <= UINT32_MAX;
    terminates \true; exits \false;
    assigns \nothing;
    ensures none: \result == 0 <==> tn_no_lf(p, from, from + STRIDE);
*/
static uint8_t count_lf(const uint8_t *p, uint32_t from)
{
    uint8_t count = 0;

    /*@ loop invariant 0 <= k <= STRIDE && count <= k;
        loop invariant count == 0 <==> tn_no_lf(p, from, from + k);
        loop assigns k, count;
        loop variant STRIDE - k;
    */
    for (size_t k = 0; k < STRIDE; k++) {
        count = (uint8_t)(count + ((p + from)[k] == LF ? 1 : 0));
    }
    return count;
}

/* The first LF in p[from .. end - 1], or end. */
/*@ requires \valid_read(p + (from .. end - 1)) && from <= end;
    terminates \true; exits \false;
    assigns \nothing;
    ensures range:   from <= \result <= end;
    ensures without: tn_no_lf(p, from, \result);
    ensures stopped: \result < end ==> p[\result] == LF;
*/
static uint32_t find_lf(const uint8_t *p, uint32_t from, uint32_t end)
{
    uint32_t i = from;

    /*@ loop invariant from <= i <= end && tn_no_lf(p, from, i);
        loop assigns i;
        loop variant end - i;
    */
    while (end - i >= STRIDE && count_lf(p, i) == 0) {
        i += STRIDE;
    }
    /*@ loop invariant from <= i <= end && tn_no_lf(p, from, i);
        loop assigns i;
        loop variant end - i;
    */
    while (i < end && p[i] != LF) {
        i++;
    }
    return i;
}

int32_t tn_line_decode(const uint8_t *p, uint32_t at, uint32_t n, uint32_t scanned, uint32_t max,
                       struct tn_frame *f)
{
    /* the LF of an acceptable line is among the first max + 1 bytes */
    uint32_t window = n <= max ? n : max + 1;
    uint32_t seen = scanned < window ? scanned : window;
    uint32_t end = at + window;
    uint32_t i = find_lf(p, at + seen, end);

    f->offset = 0;
    f->length = 0;
    f->consumed = 0;
    if (i < end) {
        f->length = i - at;
        f->consumed = i - at + 1;
        return 1;
    }
    return n > max ? TN_EFRAME : 0;
}

int32_t tn_line_encode(uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t len)
{
    if (find_lf(src, 0, len) < len) {
        return TN_EFRAME;
    }
    tn_copy(dst, to, src, 0, len);
    dst[to + len] = LF;
    return (int32_t)(len + 1);
}
