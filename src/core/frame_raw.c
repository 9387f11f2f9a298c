/* The framing `raw`: no header and no end, each receipt is a message. */
#include "core/frame_codecs.h"
#include "core/copy.h"

int32_t tn_raw_decode(const uint8_t *p, uint32_t at, uint32_t n, uint32_t max, struct tn_frame *f)
{
    (void)p;
    (void)at;
    f->offset = 0;
    f->length = 0;
    f->consumed = 0;
    if (n == 0) {
        return 0;
    }
    if (max == 0) {
        return TN_EFRAME; /* a frame of no bytes would never get on */
    }
    f->length = n < max ? n : max;
    f->consumed = f->length;
    return 1;
}

int32_t tn_raw_encode(uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t len)
{
    tn_copy(dst, to, src, 0, len);
    return (int32_t)len;
}
