/* What a user of frames and of rings can conclude from their contracts alone.
 *
 * No function here is part of the library: each is a theorem, written as a
 * program whose contract is proved without a look at any other body.
 *
 *   whole         the three verdicts leave nothing out, and exclude one another
 *   split         the verdict on a prefix is "need more", or is the verdict on
 *                 the whole, frame for frame; a decoder may resume where it stopped
 *   round_trip    decoding what was encoded gives it back
 *   through_ring  bytes the kernel fills in come out as they went in, in order
 */
#include "core/copy.h"
#include "core/frame.h"
#include "core/ring.h"

/* One format at a time: what its predicates say of m and of n >= m bytes. */
/*@ lemma line_one: \forall uint8_t *p, integer at, m, n, max, a, b;
        tn_line_frame(p, at, m, max, a) && tn_line_frame(p, at, n, max, b) ==> a == b;
    lemma line_found: \forall uint8_t *p, integer at, m, n, max, a;
        tn_line_frame(p, at, m, max, a) ==>
        !tn_line_bad(p, at, n, max) && (m <= n ==> !tn_line_need(p, at, n, max));

    lemma number_begins: \forall uint8_t *p, integer at, j, k, max;
        0 <= j <= k && tn_number(p, at, k, max) ==> tn_number(p, at, j, max);
    lemma number_wider: \forall uint8_t *p, integer at, k, max, wide;
        max <= wide && tn_number(p, at, k, max) ==> tn_number(p, at, k, wide);
    lemma number_stops: \forall uint8_t *p, integer at, j, k, max;
        0 <= j && 0 <= k && tn_number(p, at, j, max) && tn_number(p, at, k, max) &&
        !tn_digit(p[at + j]) && !tn_digit(p[at + k]) ==> j == k;
    lemma netstring_one: \forall uint8_t *p, integer at, m, n, max, j, k, a, b;
        tn_netstring_frame(p, at, m, max, j, a) && tn_netstring_frame(p, at, n, max, k, b) ==>
        j == k && a == b;
    lemma netstring_found: \forall uint8_t *p, integer at, m, n, max, j, k, a;
        0 <= m <= n && tn_netstring_frame(p, at, m, max, j, a) ==>
        !tn_netstring_need(p, at, n, max, k);
    lemma netstring_bad_head: \forall uint8_t *p, integer at, m, n, max, j, k;
        tn_netstring_bad(p, at, m, max, j) && tn_netstring_head(p, at, n, max, k) ==>
        j == k;
    lemma netstring_bad_end: \forall uint8_t *p, integer at, m, n, max, k;
        tn_netstring_bad(p, at, m, max, k) && tn_netstring_head(p, at, n, max, k) ==>
        p[at + k + 1 + tn_decimal(p, at, k)] != 44;
    lemma netstring_bad_same: \forall uint8_t *p, integer at, m, n, max, k, a;
        tn_netstring_bad(p, at, m, max, k) ==> !tn_netstring_frame(p, at, n, max, k, a);
    lemma netstring_bad_need: \forall uint8_t *p, integer at, m, n, max, j, k;
        0 <= m <= n && tn_netstring_bad(p, at, m, max, j) ==>
        !tn_netstring_need(p, at, n, max, k);
    lemma netstring_bad_found: \forall uint8_t *p, integer at, m, n, max, j, k, a;
        0 <= m && tn_netstring_bad(p, at, m, max, j) ==>
        !tn_netstring_frame(p, at, n, max, k, a);

    lemma varint_one: \forall uint8_t *p, integer at, m, n, j, k;
        tn_varint_head(p, at, m, j) && tn_varint_head(p, at, n, k) ==> j == k;
    lemma varint_found: \forall uint8_t *p, integer at, m, n, max, j, k, a;
        0 <= m <= n && tn_varint_frame(p, at, m, max, j, a) ==>
        !tn_varint_need(p, at, n, max, k);
    lemma varint_bad_need: \forall uint8_t *p, integer at, m, n, max, j, k;
        0 <= m <= n && tn_varint_bad(p, at, m, max, j) ==>
        !tn_varint_need(p, at, n, max, k);
    lemma varint_bad_found: \forall uint8_t *p, integer at, m, n, max, j, k, a;
        0 <= m && 0 <= n && tn_varint_bad(p, at, m, max, j) ==>
        !tn_varint_frame(p, at, n, max, k, a);
*/

/* Whatever the framing.  Of raw, only that it does not contradict itself: there
 * more bytes do change the verdict. */
/*@ predicate longer(integer framing, integer m, integer n) =
        0 <= m <= n && (framing == TN_RAW ==> m == n);
    lemma found_one: \forall integer framing, uint8_t *p, integer at, m, n, max,
                     o, l, c, o2, l2, c2;
        longer(framing, m, n) && tn_frame_found(framing, p, at, m, max, o, l, c) &&
        tn_frame_found(framing, p, at, n, max, o2, l2, c2) ==> o == o2 && l == l2 && c == c2;
    lemma found_need: \forall integer framing, uint8_t *p, integer at, m, n, max, o, l, c, k;
        longer(framing, m, n) && tn_frame_found(framing, p, at, m, max, o, l, c) ==>
        !tn_frame_need(framing, p, at, n, max, k);
    lemma bad_need: \forall integer framing, uint8_t *p, integer at, m, n, max, j, k;
        longer(framing, m, n) && tn_frame_bad(framing, p, at, m, max, j) ==>
        !tn_frame_need(framing, p, at, n, max, k);
    lemma bad_found: \forall integer framing, uint8_t *p, integer at, m, n, max, j, o, l, c;
        0 <= m && 0 <= n && tn_frame_bad(framing, p, at, m, max, j) ==>
        !tn_frame_found(framing, p, at, n, max, o, l, c);
    lemma found_wider: \forall integer framing, uint8_t *p, integer at, n, len, max, o;
        0 <= len <= max &&
        tn_frame_found(framing, p, at, n, len, o, len, n) ==>
        tn_frame_found(framing, p, at, n, max, o, len, n);
*/

/* Exactly one of the three verdicts holds, and the decoder gives it. */
/*@ requires \valid_read(p + (at .. at + n - 1)) && n <= TN_ENCODED_MAX;
    requires at <= TN_FRAME_AT_MAX && max <= TN_FRAME_MAX;
    requires \valid(f) && \separated(f, p + (at .. at + n - 1));
    terminates \true; exits \false;
    assigns *f;
    ensures total:      \result == 0 || \result == 1 || \result == TN_EFRAME;
    ensures need:       \result == 0 ==> tn_frame_need(framing, p, at, n, max, f->offset);
    ensures found:      \result == 1 ==> tn_frame_found(framing, p, at, n, max, f->offset,
                                                        f->length, f->consumed);
    ensures bad:        \result == TN_EFRAME ==>
                            tn_frame_bad(framing, p, at, n, max, f->offset);
    ensures only_need:  \result != 0 ==> \forall integer k;
                            !tn_frame_need(framing, p, at, n, max, k);
    ensures only_found: \result != 1 ==> \forall integer o, l, c;
                            !tn_frame_found(framing, p, at, n, max, o, l, c);
    ensures only_bad:   \result != TN_EFRAME ==> \forall integer k;
                            !tn_frame_bad(framing, p, at, n, max, k);
*/
int32_t whole(uint32_t framing, const uint8_t *p, uint32_t at, uint32_t n, uint32_t max,
              struct tn_frame *f)
{
    return tn_frame_decode(framing, p, at, n, 0, max, f);
}

/* The verdict on m bytes is "need more", or is the verdict on all n, frame for
 * frame; the second call resumes where the first stopped. */
/*@ requires \valid_read(p + (at .. at + n - 1)) && m <= n <= TN_ENCODED_MAX;
    requires at <= TN_FRAME_AT_MAX && max <= TN_FRAME_MAX && framing != TN_RAW;
    requires \valid(f) && \valid(g) && \valid(first) && \separated(f, g);
    requires \separated(first, f, p + (at .. at + n - 1)) &&
             \separated(first, g, p + (at .. at + n - 1));
    terminates \true; exits \false;
    assigns *f, *g, *first;
    ensures verdict: *first == 0 || *first == \result;
    ensures frame:   *first != 1 || (f->offset == g->offset && f->length == g->length &&
                                     f->consumed == g->consumed);
*/
int32_t split(uint32_t framing, const uint8_t *p, uint32_t at, uint32_t m, uint32_t n, uint32_t max,
              struct tn_frame *f, struct tn_frame *g, int32_t *first)
{
    int32_t a = tn_frame_decode(framing, p, at, m, 0, max, f);
    //@ assert seen: a == 0 ==> tn_frame_scanned(framing, p, at, m);
    int32_t b = tn_frame_decode(framing, p, at, n, a == 0 ? m : 0, max, g);

    //@ assert longer(framing, m, n);
    *first = a;
    return b;
}

/* What is encoded decodes to itself, under any maximum that admits it. */
/*@ requires \valid(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1));
    requires \valid_read(src + (0 .. len - 1));
    requires \valid(f) && \separated(f, dst + (to .. to + len + TN_FRAME_OVERHEAD - 1));
    requires \separated(dst + (to .. to + len + TN_FRAME_OVERHEAD - 1), src + (0 .. len - 1));
    requires to <= TN_FRAME_AT_MAX && len <= max <= TN_FRAME_MAX && tn_framing_known(framing);
    requires framing == TN_RAW ==> len > 0;
    requires framing == TN_LINE ==> tn_no_lf(src, 0, len);
    terminates \true; exits \false;
    assigns *f, dst[to .. to + len + TN_FRAME_OVERHEAD - 1];
    ensures frame:   \result == 1;
    ensures length:  f->length == len;
    ensures payload: \let o = to + f->offset; \forall integer i; o <= i < o + len ==>
                         dst[i] == \old(src[i - o]);
*/
int32_t round_trip(uint32_t framing, uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t len,
                   uint32_t max, struct tn_frame *f)
{
    int32_t n = tn_frame_encode(framing, dst, to, src, len);
    //@ assert n > 0;
    //@ assert tn_frame_found(framing, dst, to, n, max, tn_frame_before(framing, len), len, n);
    int32_t r = tn_frame_decode(framing, dst, to, (uint32_t)n, 0, max, f);

    //@ assert longer(framing, n, n);
    //@ assert place: f->offset == tn_frame_before(framing, len);
    //@ assert all: f->consumed == n;
    return r;
}

/* The bytes x in two stretches of memory, and the same in a ring. */
/*@ predicate in_stretches(uint8_t *x, uint8_t *front, uint8_t *back, integer first, integer n) =
        (\forall integer i; 0 <= i < first ==> front[i] == x[i]) &&
        (\forall integer i; first <= i < n ==> back[i - first] == x[i]);
    predicate in_ring(uint8_t *x, uint8_t *data, integer capacity, integer head, integer n) =
        \forall integer i; 0 <= i < n ==> data[tn_ring_wrap(capacity, head + i)] == x[i];
    lemma stretches_are_the_ring: \forall uint8_t *x, uint8_t *data, uint8_t *front,
                                  integer capacity, head, first, n;
        0 <= head < capacity && 0 <= first <= n <= capacity && first <= capacity - head &&
        (first < n ==> first == capacity - head) && front == data + head &&
        in_stretches(x, front, data, first, n) ==>
        in_ring(x, data, capacity, head, n);
*/

/* What readv does: it fills the first stretch before the second. */
/*@ requires \valid(front + (0 .. a - 1)) && \valid(back + (0 .. b - 1));
    requires \valid_read(src + (0 .. a + b - 1)) && a + b <= TN_RING_MAX;
    requires \separated(front + (0 .. a - 1), back + (0 .. b - 1), src + (0 .. a + b - 1));
    terminates \true; exits \false;
    assigns front[0 .. a - 1], back[0 .. b - 1];
    ensures spread: in_stretches(src, front, back, a, a + b);
*/
static void scatter(uint8_t *front, uint32_t a, uint8_t *back, uint32_t b, const uint8_t *src)
{
    tn_copy(front, 0, src, 0, a);
    tn_copy(back, 0, src, a, b);
}

/* What writev does: it drains the first stretch before the second. */
/*@ requires \valid_read(front + (0 .. a - 1)) && \valid_read(back + (0 .. b - 1));
    requires \valid(dst + (0 .. a + b - 1)) && a + b <= TN_RING_MAX;
    requires \separated(front + (0 .. a - 1), dst + (0 .. a + b - 1));
    requires \separated(back + (0 .. b - 1), dst + (0 .. a + b - 1));
    terminates \true; exits \false;
    assigns dst[0 .. a + b - 1];
    ensures spread: in_stretches(dst, front, back, a, a + b);
*/
static void gather(const uint8_t *front, uint32_t a, const uint8_t *back, uint32_t b, uint8_t *dst)
{
    tn_copy(dst, 0, front, 0, a);
    tn_copy(dst, a, back, 0, b);
}

/* Bytes put into the writable spans are in the ring. */
/*@ requires tn_ring_ok(r) && r->length == 0 && n <= r->capacity;
    requires \valid_read(src + (0 .. n - 1));
    requires \separated(r, r->data + (0 .. r->capacity - 1), src + (0 .. n - 1));
    terminates \true; exits \false;
    assigns r->length, r->data[0 .. r->capacity - 1];
    ensures ok:    tn_ring_ok(r);
    ensures count: r->length == n;
    ensures held:  in_ring(src, r->data, r->capacity, r->head, n);
*/
static void fill(struct tn_ring *r, const uint8_t *src, uint32_t n)
{
    struct tn_span s[2];

    tn_ring_writable(r, s);
    uint32_t first = n < s[0].length ? n : s[0].length;
    uint8_t *front = r->data + r->head;
    uint8_t *back = r->data;
    //@ assert s[0].data == front && s[1].data == back;
    //@ assert n > first ==> first == r->capacity - r->head;
    scatter(front, first, back, n - first, src);
    //@ assert in_ring(src, r->data, r->capacity, r->head, n);
    tn_ring_commit(r, n);
}

/* The readable spans give the bytes of the ring, oldest first. */
/*@ requires tn_ring_ok(r) && \valid(dst + (0 .. r->length - 1));
    requires \separated(r, r->data + (0 .. r->capacity - 1), dst + (0 .. r->length - 1));
    terminates \true; exits \false;
    assigns r->head, r->length, dst[0 .. r->length - 1];
    ensures empty: r->length == 0;
    ensures taken: in_ring(dst, r->data, r->capacity, \old(r->head), \old(r->length));
*/
static void drain(struct tn_ring *r, uint8_t *dst)
{
    struct tn_span s[2];

    tn_ring_readable(r, s);
    uint32_t first = s[0].length;
    uint8_t *front = r->data + r->head;
    uint8_t *back = r->data;
    //@ assert s[0].data == front && s[1].data == back;
    //@ assert r->length > first ==> first == r->capacity - r->head;
    gather(front, first, back, s[1].length, dst);
    //@ assert in_ring(dst, r->data, r->capacity, r->head, r->length);
    tn_ring_consume(r, r->length);
}

/* Bytes that enter through the spans leave through the spans, in order. */
/*@ requires tn_ring_ok(r) && r->length == 0 && n <= r->capacity;
    requires \valid_read(src + (0 .. n - 1)) && \valid(dst + (0 .. n - 1));
    requires \separated(r, r->data + (0 .. r->capacity - 1), src + (0 .. n - 1),
                        dst + (0 .. n - 1));
    terminates \true; exits \false;
    assigns r->head, r->length, r->data[0 .. r->capacity - 1], dst[0 .. n - 1];
    ensures same:  \forall integer i; 0 <= i < n ==> dst[i] == \old(src[i]);
    ensures empty: r->length == 0;
*/
void through_ring(struct tn_ring *r, const uint8_t *src, uint8_t *dst, uint32_t n)
{
    fill(r, src, n);
    drain(r, dst);
}
