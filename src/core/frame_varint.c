/* The framing `varint`: a LEB128 length before each message, as streams of
 * protocol buffers have it. */
#include "core/frame_codecs.h"
#include "core/copy.h"

int32_t tn_varint_decode(const uint8_t *p, uint32_t at, uint32_t n, uint32_t max,
                         struct tn_frame *f)
{
    uint32_t len = 0;
    uint32_t unit = 1;
    uint32_t k = 0;

    f->offset = 0;
    f->length = 0;
    f->consumed = 0;
    /*@ loop invariant k <= 4 && k <= n;
        loop invariant unit == (k == 0 ? 1 : k == 1 ? 128 : k == 2 ? 16384 :
                                k == 3 ? 2097152 : 268435456);
        loop invariant tn_continued(p, at, k);
        loop invariant len == tn_leb128(p, at, k) && len < unit;
        loop assigns k, len, unit;
        loop variant 4 - k;
    */
    while (k < 4 && k < n && p[at + k] >= 128) {
        len += p[at + k] % 128u * unit;
        unit *= 128;
        k++;
    }
    if (k == 4) {
        return TN_EFRAME; /* at least 2^28 */
    }
    if (k == n) {
        return 0;
    }
    f->offset = k + 1;
    len += p[at + k] * unit;
    if ((k > 0 && p[at + k] == 0) || len > max) {
        return TN_EFRAME;
    }
    if (n - k - 1 < len) {
        return 0;
    }
    f->length = len;
    f->consumed = k + 1 + len;
    return 1;
}

/* Writes v in k bytes: the shortest form. */
/*@ requires v < 0x10000000 && k == tn_septets(v);
    requires to <= TN_FRAME_AT_MAX && \valid(dst + (to .. to + k - 1));
    terminates \true; exits \false;
    assigns dst[to .. to + k - 1] \from v;
    ensures head:  tn_varint_head(dst, to, k, k);
    ensures value: tn_leb128(dst, to, k) == v;
*/
static void put_leb128(uint8_t *dst, uint32_t to, uint32_t v, uint32_t k)
{
    if (k == 1) {
        dst[to] = (uint8_t)v;
        return;
    }
    dst[to] = (uint8_t)(v % 128u + 128u);
    if (k == 2) {
        dst[to + 1] = (uint8_t)(v / 128u);
        return;
    }
    dst[to + 1] = (uint8_t)(v / 128u % 128u + 128u);
    if (k == 3) {
        dst[to + 2] = (uint8_t)(v / 16384u);
        return;
    }
    dst[to + 2] = (uint8_t)(v / 16384u % 128u + 128u);
    dst[to + 3] = (uint8_t)(v / 2097152u);
    /*@ assert v == v % 128 + v / 128 % 128 * 128 + v / 16384 % 128 * 16384 +
                    v / 2097152 * 2097152;
    */
    /*@ assert dst[to] % 128 == v % 128 && dst[to + 1] % 128 == v / 128 % 128 &&
               dst[to + 2] % 128 == v / 16384 % 128 && dst[to + 3] % 128 == v / 2097152;
    */
}

/*@ requires v < 0x10000000;
    terminates \true; exits \false;
    assigns \nothing;
    ensures \result == tn_septets(v);
*/
static uint32_t septets_of(uint32_t v)
{
    return v < 128 ? 1 : v < 16384 ? 2 : v < 2097152 ? 3 : 4;
}

int32_t tn_varint_encode(uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t len)
{
    uint32_t k = septets_of(len);

    tn_copy(dst, to + k, src, 0, len);
    put_leb128(dst, to, len, k);
    return (int32_t)(k + len);
}
