/* Framing: where one message ends and the next begins.
 *
 * A decoder is a pure function of the bytes from the start of a frame.  It
 * never reads past n, consumes at least one byte of each frame it reports, and
 * its verdict on a prefix is either "need more" or the verdict on the whole:
 * how the network split the bytes cannot change what they mean.
 *
 *   raw        each receipt is a message, cut at the maximum; the one framing
 *              that shows how the bytes arrived
 *   line       bytes up to LF; the LF is not part of the payload, a CR before
 *              it is
 *   u32        four bytes of big-endian length, then the payload
 *   netstring  decimal length, ':', payload, ','  (D. J. Bernstein, 1997);
 *              no leading zero, no empty length
 *   varint     length in LEB128 as protocol buffers do, shortest form only,
 *              then the payload
 *
 * All but raw carry empty payloads.  u32 and varint are judged when their
 * length is complete, line and netstring at the first byte that cannot be.
 */
#ifndef TN_CORE_FRAME_H
#define TN_CORE_FRAME_H

#include "core/base.h"

#if TN_FRAME_MAX > 0x0fffffff
#error "TN_FRAME_MAX must be below 2^28"
#endif

enum tn_framing { TN_RAW, TN_LINE, TN_U32, TN_NETSTRING, TN_VARINT };

/* A decoded frame, as places in the bytes given to the decoder:
 * payload at offset, of length bytes; the next frame starts at consumed. */
struct tn_frame {
    uint32_t offset;
    uint32_t length;
    uint32_t consumed;
};

/*@ predicate tn_framing_known(integer f) = TN_RAW <= f <= TN_VARINT;
    // what the server relies on, whatever the framing
    predicate tn_frame_inside(struct tn_frame *f, integer n, integer max) =
        0 < f->consumed <= n && f->offset <= f->consumed &&
        f->length <= f->consumed - f->offset && f->length <= max;
*/

/* The formats, exactly.  Each is three predicates over the n bytes at p + at:
 * need (a beginning, not yet a frame), frame, and bad (no frame begins so).
 * They exclude one another and leave nothing out; proofs/clients/frames.c
 * proves it.  k counts the bytes of a header of variable length.
 */
/*@ predicate tn_no_lf(uint8_t *p, integer from, integer to) =
        \forall integer i; from <= i < to ==> p[i] != 10;
    predicate tn_line_need(uint8_t *p, integer at, integer n, integer max) =
        n <= max && tn_no_lf(p, at, at + n);
    predicate tn_line_frame(uint8_t *p, integer at, integer n, integer max, integer length) =
        0 <= length < n && length <= max && tn_no_lf(p, at, at + length) && p[at + length] == 10;
    predicate tn_line_bad(uint8_t *p, integer at, integer n, integer max) =
        n > max && tn_no_lf(p, at, at + max + 1);

    logic integer tn_be32(uint8_t *p, integer at) =
        p[at] * 16777216 + p[at + 1] * 65536 + p[at + 2] * 256 + p[at + 3];
    predicate tn_u32_need(uint8_t *p, integer at, integer n, integer max) =
        n < 4 || (tn_be32(p, at) <= max && n - 4 < tn_be32(p, at));
    predicate tn_u32_frame(uint8_t *p, integer at, integer n, integer max, integer length) =
        n - 4 >= length && length <= max && n >= 4 && tn_be32(p, at) == length;
    predicate tn_u32_bad(uint8_t *p, integer at, integer n, integer max) =
        n >= 4 && tn_be32(p, at) > max;

    predicate tn_digit(integer c) = 48 <= c <= 57;
    logic integer tn_decimal(uint8_t *p, integer at, integer k) =
        k <= 0 ? 0 : tn_decimal(p, at, k - 1) * 10 + (p[at + k - 1] - 48);
    // k digits that begin, or are, an acceptable length
    predicate tn_number(uint8_t *p, integer at, integer k, integer max) =
        (\forall integer i; at <= i < at + k ==> tn_digit(p[i])) &&
        (k >= 2 ==> p[at] != 48) &&
        (\forall integer i; 0 <= i <= k ==> 0 <= tn_decimal(p, at, i) <= max);
    predicate tn_netstring_head(uint8_t *p, integer at, integer n, integer max, integer k) =
        1 <= k < n && tn_number(p, at, k, max) && p[at + k] == 58;
    predicate tn_netstring_need(uint8_t *p, integer at, integer n, integer max, integer k) =
        (k == n && tn_number(p, at, n, max)) ||
        (tn_netstring_head(p, at, n, max, k) && n < k + tn_decimal(p, at, k) + 2);
    predicate tn_netstring_frame(uint8_t *p, integer at, integer n, integer max, integer k,
                                 integer length) =
        tn_netstring_head(p, at, n, max, k) && length == tn_decimal(p, at, k) &&
        n >= k + length + 2 && p[at + k + 1 + length] == 44;
    predicate tn_netstring_bad(uint8_t *p, integer at, integer n, integer max, integer k) =
        0 <= k < n && tn_number(p, at, k, max) &&
        ((tn_digit(p[at + k]) && !tn_number(p, at, k + 1, max)) ||
         (!tn_digit(p[at + k]) && (k == 0 || p[at + k] != 58)) ||
         (p[at + k] == 58 && n >= k + tn_decimal(p, at, k) + 2 &&
          p[at + k + 1 + tn_decimal(p, at, k)] != 44));

    // four bytes hold any length below 2^28, and no maximum is above that
    logic integer tn_leb128(uint8_t *p, integer at, integer k) =
        (k > 0 ? p[at] % 128 : 0) + (k > 1 ? p[at + 1] % 128 * 128 : 0) +
        (k > 2 ? p[at + 2] % 128 * 16384 : 0) + (k > 3 ? p[at + 3] % 128 * 2097152 : 0);
    predicate tn_continued(uint8_t *p, integer at, integer k) =
        \forall integer i; at <= i < at + k ==> p[i] >= 128;
    predicate tn_varint_head(uint8_t *p, integer at, integer n, integer k) =
        1 <= k <= n && k <= 4 && tn_continued(p, at, k - 1) && p[at + k - 1] < 128 &&
        (k == 1 || p[at + k - 1] != 0);
    predicate tn_varint_need(uint8_t *p, integer at, integer n, integer max, integer k) =
        (n < 4 && tn_continued(p, at, n)) ||
        (tn_varint_head(p, at, n, k) && tn_leb128(p, at, k) <= max &&
         n - k < tn_leb128(p, at, k));
    predicate tn_varint_frame(uint8_t *p, integer at, integer n, integer max, integer k,
                              integer length) =
        tn_varint_head(p, at, n, k) && length == tn_leb128(p, at, k) && length <= max &&
        n - k >= length;
    predicate tn_varint_bad(uint8_t *p, integer at, integer n, integer max, integer k) =
        (n >= 4 && tn_continued(p, at, 4)) ||
        (2 <= k <= n && k <= 4 && tn_continued(p, at, k - 1) && p[at + k - 1] == 0) ||
        (tn_varint_head(p, at, n, k) && tn_leb128(p, at, k) > max);
*/

/* The same, for the framing chosen. */
/*@ predicate tn_frame_scanned(integer framing, uint8_t *p, integer at, integer scanned) =
        framing == TN_LINE ==> tn_no_lf(p, at, at + scanned);
    // the framing has frames for this payload
    predicate tn_frame_carries(integer framing, uint8_t *p, integer at, integer length) =
        (framing == TN_LINE ==> tn_no_lf(p, at, at + length)) &&
        (framing == TN_RAW ==> 0 < length);
    predicate tn_frame_need(integer framing, uint8_t *p, integer at, integer n, integer max,
                            integer k) =
        (framing == TN_RAW && n == 0) ||
        (framing == TN_LINE && tn_line_need(p, at, n, max)) ||
        (framing == TN_U32 && tn_u32_need(p, at, n, max)) ||
        (framing == TN_NETSTRING && tn_netstring_need(p, at, n, max, k)) ||
        (framing == TN_VARINT && tn_varint_need(p, at, n, max, k));
    predicate tn_frame_found(integer framing, uint8_t *p, integer at, integer n, integer max,
                             integer offset, integer length, integer consumed) =
        (framing == TN_RAW && offset == 0 && length == consumed &&
         1 <= length == (n < max ? n : max)) ||
        (framing == TN_LINE && offset == 0 && consumed == length + 1 &&
         tn_line_frame(p, at, n, max, length)) ||
        (framing == TN_U32 && offset == 4 && consumed == 4 + length &&
         tn_u32_frame(p, at, n, max, length)) ||
        (framing == TN_NETSTRING && consumed == offset + length + 1 &&
         tn_netstring_frame(p, at, n, max, offset - 1, length)) ||
        (framing == TN_VARINT && consumed == offset + length &&
         tn_varint_frame(p, at, n, max, offset, length));
    predicate tn_frame_bad(integer framing, uint8_t *p, integer at, integer n, integer max,
                           integer k) =
        !tn_framing_known(framing) ||
        (framing == TN_RAW && n > 0 && max == 0) ||
        (framing == TN_LINE && tn_line_bad(p, at, n, max)) ||
        (framing == TN_U32 && tn_u32_bad(p, at, n, max)) ||
        (framing == TN_NETSTRING && tn_netstring_bad(p, at, n, max, k)) ||
        (framing == TN_VARINT && tn_varint_bad(p, at, n, max, k));

    logic integer tn_digits(integer v) =
        v < 10 ? 1 : v < 100 ? 2 : v < 1000 ? 3 : v < 10000 ? 4 : v < 100000 ? 5 :
        v < 1000000 ? 6 : v < 10000000 ? 7 : v < 100000000 ? 8 : 9;
    logic integer tn_septets(integer v) =
        v < 128 ? 1 : v < 16384 ? 2 : v < 2097152 ? 3 : 4;
    // bytes before and after a payload of len bytes
    logic integer tn_frame_before(integer framing, integer len) =
        framing == TN_U32 ? 4 : framing == TN_NETSTRING ? tn_digits(len) + 1 :
        framing == TN_VARINT ? tn_septets(len) : 0;
    logic integer tn_frame_after(integer framing) =
        framing == TN_LINE || framing == TN_NETSTRING ? 1 : 0;
*/

/* Where a frame may start: low enough that no sum of places wraps. */
#define TN_FRAME_AT_MAX 0x10000000u

/* Decodes the first frame of the n bytes at p + at.
 * scanned: of these bytes, how many an earlier call has already seen and
 *   answered "need more" to (0 is always right; more makes `line` faster).
 *   A wrong number may hide a line's end; it cannot do worse.
 * max: the longest payload accepted, up to TN_FRAME_MAX.
 * Returns 1 and fills *f (its offsets count from p + at); 0 when the frame is
 * not complete, which implies n < max + TN_FRAME_OVERHEAD; TN_EFRAME when the
 * bytes are the beginning of no frame of at most max bytes, or the framing is
 * none of the five.  Unless it returns 1, *f is no frame; f->offset may then
 * count the bytes of a header of variable length, as the contract says. */
/*@ requires bytes: \valid_read(p + (at .. at + n - 1));
    requires place: at <= TN_FRAME_AT_MAX && n <= TN_ENCODED_MAX;
    requires seen:  scanned <= n;
    requires limit: max <= TN_FRAME_MAX;
    requires out:   \valid(f) && \separated(f, p + (at .. at + n - 1));
    terminates \true; exits \false;
    assigns *f \from framing, n, scanned, max, p[at .. at + n - 1];
    ensures answer: \result == 1 || \result == 0 || \result == TN_EFRAME;
    ensures inside: \result == 1 ==> tn_frame_inside(f, n, max);
    ensures small:  \result == 0 ==> n < max + TN_FRAME_OVERHEAD;
    ensures need:   \result == 0 && tn_frame_scanned(framing, p, at, scanned) ==>
                        tn_frame_need(framing, p, at, n, max, f->offset);
    ensures found:  \result == 1 && tn_frame_scanned(framing, p, at, scanned) ==>
                        tn_frame_found(framing, p, at, n, max,
                                       f->offset, f->length, f->consumed);
    ensures bad:    \result == TN_EFRAME && tn_frame_scanned(framing, p, at, scanned) ==>
                        tn_frame_bad(framing, p, at, n, max, f->offset);
*/
int32_t tn_frame_decode(uint32_t framing, const uint8_t *p, uint32_t at, uint32_t n,
                        uint32_t scanned, uint32_t max, struct tn_frame *f);

/* Writes the frame that carries src[0 .. len - 1] to dst + to, which must have
 * room for len + TN_FRAME_OVERHEAD bytes; all of that room may be written.
 * len is at most TN_FRAME_MAX.
 * Returns the bytes written (0 only for an empty payload under `raw`), or
 * TN_EFRAME when the payload cannot be carried: an LF under `line`, or a
 * framing that is none of the five. */
/*@ requires room:  \valid(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1));
    requires bytes: \valid_read(src + (0 .. len - 1));
    requires apart: \separated(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1),
                               src + (0 .. len - 1));
    requires place: to <= TN_FRAME_AT_MAX && len <= TN_FRAME_MAX;
    terminates \true; exits \false;
    assigns dst[to .. to + len + TN_FRAME_OVERHEAD - 1] \from framing, len, src[0 .. len - 1];
    ensures answer:  \result == TN_EFRAME || 0 <= \result <= len + TN_FRAME_OVERHEAD;
    ensures refused: \result == TN_EFRAME <==>
                         !tn_framing_known(framing) ||
                         (framing == TN_LINE && !\old(tn_no_lf(src, 0, len)));
    ensures size:    \result != TN_EFRAME ==>
                         \result == tn_frame_before(framing, len) + len + tn_frame_after(framing);
    ensures frame:   \result > 0 ==>
                         tn_frame_found(framing, dst, to, \result, len,
                                        tn_frame_before(framing, len), len, \result);
    ensures payload: \result != TN_EFRAME ==>
                         \let o = to + tn_frame_before(framing, len);
                         \forall integer i; o <= i < o + len ==> dst[i] == \old(src[i - o]);
*/
int32_t tn_frame_encode(uint32_t framing, uint8_t *dst, uint32_t to, const uint8_t *src,
                        uint32_t len);

#endif
