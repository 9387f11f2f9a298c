/* Chooses the framing; the five are in files of their own. */
#include "core/frame.h"
#include "core/frame_codecs.h"

int32_t tn_frame_decode(uint32_t framing, const uint8_t *p, uint32_t at, uint32_t n,
                        uint32_t scanned, uint32_t max, struct tn_frame *f)
{
    switch ((enum tn_framing)framing) {
    case TN_RAW:
        return tn_raw_decode(p, at, n, max, f);
    case TN_LINE:
        return tn_line_decode(p, at, n, scanned, max, f);
    case TN_U32:
        return tn_u32_decode(p, at, n, max, f);
    case TN_NETSTRING:
        return tn_netstring_decode(p, at, n, max, f);
    case TN_VARINT:
        return tn_varint_decode(p, at, n, max, f);
    }
    return TN_EFRAME;
}

int32_t tn_frame_encode(uint32_t framing, uint8_t *dst, uint32_t to, const uint8_t *src,
                        uint32_t len)
{
    switch ((enum tn_framing)framing) {
    case TN_RAW:
        //@ assert tn_frame_before(framing, len) == 0;
        return tn_raw_encode(dst, to, src, len);
    case TN_LINE:
        //@ assert tn_frame_before(framing, len) == 0;
        return tn_line_encode(dst, to, src, len);
    case TN_U32:
        //@ assert tn_frame_before(framing, len) == 4;
        return tn_u32_encode(dst, to, src, len);
    case TN_NETSTRING:
        //@ assert tn_frame_before(framing, len) == tn_digits(len) + 1;
        return tn_netstring_encode(dst, to, src, len);
    case TN_VARINT:
        //@ assert tn_frame_before(framing, len) == tn_septets(len);
        return tn_varint_encode(dst, to, src, len);
    }
    return TN_EFRAME;
}
