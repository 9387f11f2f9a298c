/* The framing `u32`: four bytes of big-endian length before each message. */
#include "core/frame_codecs.h"
#include "core/copy.h"

int32_t tn_u32_decode(const uint8_t *p, uint32_t at, uint32_t n, uint32_t max, struct tn_frame *f)
{
    f->offset = 0;
    f->length = 0;
    f->consumed = 0;
    if (n < 4) {
        return 0;
    }
    uint32_t len = p[at] * 16777216u + p[at + 1] * 65536u + p[at + 2] * 256u + p[at + 3];
    //@ assert len == tn_be32(p, at);
    if (len > max) {
        return TN_EFRAME;
    }
    if (n - 4 < len) {
        return 0;
    }
    f->offset = 4;
    f->length = len;
    f->consumed = 4 + len;
    return 1;
}

int32_t tn_u32_encode(uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t len)
{
    tn_copy(dst, to + 4, src, 0, len);
    dst[to] = (uint8_t)(len / 16777216u);
    dst[to + 1] = (uint8_t)(len / 65536u % 256u);
    dst[to + 2] = (uint8_t)(len / 256u % 256u);
    dst[to + 3] = (uint8_t)(len % 256u);
    return (int32_t)(len + 4);
}
