/* The five framings, one file each; frame.c chooses among them.
 *
 * The arguments, results and bounds are those of tn_frame_decode and
 * tn_frame_encode; the contracts here say the same for one format.
 */
#ifndef TN_CORE_FRAME_CODECS_H
#define TN_CORE_FRAME_CODECS_H

#include "core/frame.h"

/* All the bytes, up to max of them, are one message; none are not yet one. */
/*@ requires bytes: \valid_read(p + (at .. at + n - 1));
    requires place: at <= TN_FRAME_AT_MAX && n <= TN_ENCODED_MAX;
    requires limit: max <= TN_FRAME_MAX;
    requires out:   \valid(f) && \separated(f, p + (at .. at + n - 1));
    terminates \true; exits \false;
    assigns *f \from n, max, p[at .. at + n - 1];
    ensures answer: \result == 1 || \result == 0 || \result == TN_EFRAME;
    ensures inside: \result == 1 ==> tn_frame_inside(f, n, max);
    ensures none:   \result != 1 ==> f->offset == 0 && f->length == 0 && f->consumed == 0;
    ensures small:  \result == 0 ==> n < max + TN_FRAME_OVERHEAD;
    ensures need:   \result == 0 ==> n == 0;
    ensures found:  \result == 1 ==>
                        f->offset == 0 && f->length == f->consumed == (n < max ? n : max);
    ensures bad:    \result == TN_EFRAME ==> n > 0 && max == 0;
*/
int32_t tn_raw_decode(const uint8_t *p, uint32_t at, uint32_t n, uint32_t max, struct tn_frame *f);

/* The payload as it is. */
/*@ requires room:  \valid(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1));
    requires bytes: \valid_read(src + (0 .. len - 1));
    requires apart: \separated(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1),
                               src + (0 .. len - 1));
    requires place: to <= TN_FRAME_AT_MAX && len <= TN_FRAME_MAX;
    terminates \true; exits \false;
    assigns dst[to .. to + len + TN_FRAME_OVERHEAD - 1] \from len, src[0 .. len - 1];
    ensures size:    \result == len;
    ensures payload: \forall integer i; to <= i < to + len ==> dst[i] == \old(src[i - to]);
*/
int32_t tn_raw_encode(uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t len);

/* Finds the first LF, which must come after at most max bytes. */
/*@ requires bytes: \valid_read(p + (at .. at + n - 1));
    requires place: at <= TN_FRAME_AT_MAX && n <= TN_ENCODED_MAX;
    requires seen:  scanned <= n;
    requires limit: max <= TN_FRAME_MAX;
    requires out:   \valid(f) && \separated(f, p + (at .. at + n - 1));
    terminates \true; exits \false;
    assigns *f \from n, scanned, max, p[at .. at + n - 1];
    ensures answer: \result == 1 || \result == 0 || \result == TN_EFRAME;
    ensures inside: \result == 1 ==> tn_frame_inside(f, n, max);
    ensures none:   \result != 1 ==> f->offset == 0 && f->length == 0 && f->consumed == 0;
    ensures small:  \result == 0 ==> n < max + TN_FRAME_OVERHEAD;
    ensures need:   \result == 0 && tn_no_lf(p, at, at + scanned) ==>
                        tn_line_need(p, at, n, max);
    ensures found:  \result == 1 && tn_no_lf(p, at, at + scanned) ==>
                        f->offset == 0 && f->consumed == f->length + 1 &&
                        tn_line_frame(p, at, n, max, f->length);
    ensures bad:    \result == TN_EFRAME && tn_no_lf(p, at, at + scanned) ==>
                        tn_line_bad(p, at, n, max);
*/
int32_t tn_line_decode(const uint8_t *p, uint32_t at, uint32_t n, uint32_t scanned, uint32_t max,
                       struct tn_frame *f);

/* The payload and an LF; refuses a payload that holds one. */
/*@ requires room:  \valid(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1));
    requires bytes: \valid_read(src + (0 .. len - 1));
    requires apart: \separated(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1),
                               src + (0 .. len - 1));
    requires place: to <= TN_FRAME_AT_MAX && len <= TN_FRAME_MAX;
    terminates \true; exits \false;
    assigns dst[to .. to + len + TN_FRAME_OVERHEAD - 1] \from len, src[0 .. len - 1];
    ensures refused: \result == TN_EFRAME <==> !\old(tn_no_lf(src, 0, len));
    ensures size:    \result != TN_EFRAME ==> \result == len + 1;
    ensures frame:   \result != TN_EFRAME ==> tn_line_frame(dst, to, \result, len, len);
    ensures payload: \result != TN_EFRAME ==>
                         \forall integer i; to <= i < to + len ==> dst[i] == \old(src[i - to]);
*/
int32_t tn_line_encode(uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t len);

/* Reads four bytes of big-endian length, then finds that many bytes. */
/*@ requires bytes: \valid_read(p + (at .. at + n - 1));
    requires place: at <= TN_FRAME_AT_MAX && n <= TN_ENCODED_MAX;
    requires limit: max <= TN_FRAME_MAX;
    requires out:   \valid(f) && \separated(f, p + (at .. at + n - 1));
    terminates \true; exits \false;
    assigns *f \from n, max, p[at .. at + n - 1];
    ensures answer: \result == 1 || \result == 0 || \result == TN_EFRAME;
    ensures inside: \result == 1 ==> tn_frame_inside(f, n, max);
    ensures none:   \result != 1 ==> f->offset == 0 && f->length == 0 && f->consumed == 0;
    ensures small:  \result == 0 ==> n < max + TN_FRAME_OVERHEAD;
    ensures need:   \result == 0 ==> tn_u32_need(p, at, n, max);
    ensures found:  \result == 1 ==>
                        f->offset == 4 && f->consumed == 4 + f->length &&
                        tn_u32_frame(p, at, n, max, f->length);
    ensures bad:    \result == TN_EFRAME ==> tn_u32_bad(p, at, n, max);
*/
int32_t tn_u32_decode(const uint8_t *p, uint32_t at, uint32_t n, uint32_t max, struct tn_frame *f);

/* Four bytes of big-endian length and the payload. */
/*@ requires room:  \valid(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1));
    requires bytes: \valid_read(src + (0 .. len - 1));
    requires apart: \separated(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1),
                               src + (0 .. len - 1));
    requires place: to <= TN_FRAME_AT_MAX && len <= TN_FRAME_MAX;
    terminates \true; exits \false;
    assigns dst[to .. to + len + TN_FRAME_OVERHEAD - 1] \from len, src[0 .. len - 1];
    ensures size:    \result == 4 + len;
    ensures frame:   tn_u32_frame(dst, to, \result, len, len);
    ensures payload: \let o = to + 4;
                         \forall integer i; o <= i < o + len ==> dst[i] == \old(src[i - o]);
*/
int32_t tn_u32_encode(uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t len);

/* Reads a decimal length and a colon, then finds that many bytes and a comma. */
/*@ requires bytes: \valid_read(p + (at .. at + n - 1));
    requires place: at <= TN_FRAME_AT_MAX && n <= TN_ENCODED_MAX;
    requires limit: max <= TN_FRAME_MAX;
    requires out:   \valid(f) && \separated(f, p + (at .. at + n - 1));
    terminates \true; exits \false;
    assigns *f \from n, max, p[at .. at + n - 1];
    ensures answer: \result == 1 || \result == 0 || \result == TN_EFRAME;
    ensures inside: \result == 1 ==> tn_frame_inside(f, n, max);
    ensures none:   \result != 1 ==> f->length == 0 && f->consumed == 0;
    ensures small:  \result == 0 ==> n < max + TN_FRAME_OVERHEAD;
    ensures need:   \result == 0 ==> tn_netstring_need(p, at, n, max, f->offset);
    ensures found:  \result == 1 ==>
                        f->consumed == f->offset + f->length + 1 &&
                        tn_netstring_frame(p, at, n, max, f->offset - 1, f->length);
    ensures bad:    \result == TN_EFRAME ==> tn_netstring_bad(p, at, n, max, f->offset);
*/
int32_t tn_netstring_decode(const uint8_t *p, uint32_t at, uint32_t n, uint32_t max,
                            struct tn_frame *f);

/* The decimal length, a colon, the payload and a comma. */
/*@ requires room:  \valid(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1));
    requires bytes: \valid_read(src + (0 .. len - 1));
    requires apart: \separated(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1),
                               src + (0 .. len - 1));
    requires place: to <= TN_FRAME_AT_MAX && len <= TN_FRAME_MAX;
    terminates \true; exits \false;
    assigns dst[to .. to + len + TN_FRAME_OVERHEAD - 1] \from len, src[0 .. len - 1];
    ensures size:    \result == tn_digits(len) + 1 + len + 1;
    ensures frame:
                         tn_netstring_frame(dst, to, \result, len, tn_digits(len), len);
    ensures payload: \let o = to + tn_digits(len) + 1;
                         \forall integer i; o <= i < o + len ==> dst[i] == \old(src[i - o]);
*/
int32_t tn_netstring_encode(uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t len);

/* Reads a length in LEB128, then finds that many bytes; takes the shortest form only. */
/*@ requires bytes: \valid_read(p + (at .. at + n - 1));
    requires place: at <= TN_FRAME_AT_MAX && n <= TN_ENCODED_MAX;
    requires limit: max <= TN_FRAME_MAX;
    requires out:   \valid(f) && \separated(f, p + (at .. at + n - 1));
    terminates \true; exits \false;
    assigns *f \from n, max, p[at .. at + n - 1];
    ensures answer: \result == 1 || \result == 0 || \result == TN_EFRAME;
    ensures inside: \result == 1 ==> tn_frame_inside(f, n, max);
    ensures none:   \result != 1 ==> f->length == 0 && f->consumed == 0;
    ensures small:  \result == 0 ==> n < max + TN_FRAME_OVERHEAD;
    ensures need:   \result == 0 ==> tn_varint_need(p, at, n, max, f->offset);
    ensures found:  \result == 1 ==>
                        f->consumed == f->offset + f->length &&
                        tn_varint_frame(p, at, n, max, f->offset, f->length);
    ensures bad:    \result == TN_EFRAME ==> tn_varint_bad(p, at, n, max, f->offset);
*/
int32_t tn_varint_decode(const uint8_t *p, uint32_t at, uint32_t n, uint32_t max,
                         struct tn_frame *f);

/* The length in LEB128, shortest form, and the payload. */
/*@ requires room:  \valid(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1));
    requires bytes: \valid_read(src + (0 .. len - 1));
    requires apart: \separated(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1),
                               src + (0 .. len - 1));
    requires place: to <= TN_FRAME_AT_MAX && len <= TN_FRAME_MAX;
    terminates \true; exits \false;
    assigns dst[to .. to + len + TN_FRAME_OVERHEAD - 1] \from len, src[0 .. len - 1];
    ensures size:    \result == tn_septets(len) + len;
    ensures frame:
                         tn_varint_frame(dst, to, \result, len, tn_septets(len), len);
    ensures payload: \let o = to + tn_septets(len);
                         \forall integer i; o <= i < o + len ==> dst[i] == \old(src[i - o]);
*/
int32_t tn_varint_encode(uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t len);

#endif
