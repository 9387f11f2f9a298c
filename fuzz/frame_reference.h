/* A second opinion on frames, written from the formats and not from src/core:
 * lengths are parsed by the C library and accepted only if writing them out
 * again gives the same bytes.  Slow, and free of cleverness. */
#ifndef FRAME_REFERENCE_H
#define FRAME_REFERENCE_H

#include "core/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline int32_t reference_found(struct tn_frame *f, size_t offset, size_t length,
                                      size_t trailer)
{
    f->offset = (uint32_t)offset;
    f->length = (uint32_t)length;
    f->consumed = (uint32_t)(offset + length + trailer);
    return 1;
}

static inline int32_t reference_line(const uint8_t *p, size_t n, size_t max, struct tn_frame *f)
{
    const uint8_t *end = n > 0 ? memchr(p, '\n', n) : NULL;
    size_t length = end != NULL ? (size_t)(end - p) : n;

    if (length > max)
        return TN_EFRAME;
    return end != NULL ? reference_found(f, 0, length, 1) : 0;
}

static inline int32_t reference_u32(const uint8_t *p, size_t n, size_t max, struct tn_frame *f)
{
    size_t length = 0;

    if (n < 4)
        return 0;
    for (int i = 0; i < 4; i++)
        length = length << 8 | p[i];
    if (length > max)
        return TN_EFRAME;
    return 4 + length <= n ? reference_found(f, 4, length, 0) : 0;
}

static inline int32_t reference_netstring(const uint8_t *p, size_t n, size_t max,
                                          struct tn_frame *f)
{
    char digits[24] = "", again[24] = "";
    size_t k = 0;

    while (k < n && k < 20 && p[k] >= '0' && p[k] <= '9') {
        digits[k] = (char)p[k];
        k++;
    }
    unsigned long long length = strtoull(digits, NULL, 10);
    snprintf(again, sizeof again, "%llu", length);
    if (k > 0 && (length > max || strcmp(digits, again) != 0))
        return TN_EFRAME;
    if (k == n)
        return 0;
    if (k == 0 || p[k] != ':')
        return TN_EFRAME;
    if (k + 1 + length + 1 > n)
        return 0;
    return p[k + 1 + length] == ',' ? reference_found(f, k + 1, length, 1) : TN_EFRAME;
}

static inline int32_t reference_varint(const uint8_t *p, size_t n, size_t max, struct tn_frame *f)
{
    uint8_t again[4];
    size_t k = 0, length = 0, size = 0;

    while (k < n && k < 4 && (p[k] & 0x80) != 0)
        k++;
    if (k == 4)
        return TN_EFRAME;
    if (k == n)
        return 0;
    k++;
    for (size_t i = k; i > 0; i--)
        length = length << 7 | (p[i - 1] & 0x7f);
    for (size_t rest = length; size == 0 || rest > 0; rest >>= 7)
        again[size++] = (uint8_t)((rest & 0x7f) | (rest >> 7 > 0 ? 0x80 : 0));
    if (length > max || size != k || memcmp(p, again, k) != 0)
        return TN_EFRAME;
    return k + length <= n ? reference_found(f, k, length, 0) : 0;
}

/* The verdict on the n bytes at p, and the frame if there is one. */
static inline int32_t reference_decode(enum tn_framing framing, const uint8_t *p, size_t n,
                                       size_t max, struct tn_frame *f)
{
    switch (framing) {
    case TN_RAW:
        if (n == 0)
            return 0;
        return max == 0 ? TN_EFRAME : reference_found(f, 0, n < max ? n : max, 0);
    case TN_LINE:
        return reference_line(p, n, max, f);
    case TN_U32:
        return reference_u32(p, n, max, f);
    case TN_NETSTRING:
        return reference_netstring(p, n, max, f);
    case TN_VARINT:
        return reference_varint(p, n, max, f);
    }
    return TN_EFRAME;
}

#endif
