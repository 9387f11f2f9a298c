/* The framing `netstring`: a decimal length and a colon before each message, a
 * comma after it (D. J. Bernstein, 1997). */
#include "core/frame_codecs.h"
#include "core/copy.h"

#define COLON 58u
#define COMMA 44u

/*@ lemma decimal_step: \forall uint8_t *p, integer at, k; k >= 0 ==>
        tn_decimal(p, at, k + 1) == tn_decimal(p, at, k) * 10 + (p[at + k] - 48);
*/

int32_t tn_netstring_decode(const uint8_t *p, uint32_t at, uint32_t n, uint32_t max,
                            struct tn_frame *f)
{
    uint32_t len = 0;
    uint32_t k = 0;

    f->offset = 0;
    f->length = 0;
    f->consumed = 0;
    /*@ loop invariant 0 <= k <= n && tn_number(p, at, k, max) && len == tn_decimal(p, at, k);
        loop invariant k <= len + 1 && k <= 9;
        loop invariant (k < 2 || len >= 10) && (k < 3 || len >= 100) && (k < 4 || len >= 1000);
        loop invariant (k < 5 || len >= 10000) && (k < 6 || len >= 100000);
        loop invariant (k < 7 || len >= 1000000) && (k < 8 || len >= 10000000);
        loop invariant k < 9 || len >= 100000000;
        loop assigns k, len, f->offset;
        loop variant n - k;
    */
    while (k < n && p[at + k] >= 48 && p[at + k] <= 57) {
        uint32_t digit = p[at + k] - 48u;

        f->offset = k;
        //@ assert tn_decimal(p, at, k + 1) == len * 10 + digit;
        if ((k == 1 && len == 0) || len * 10 + digit > max) {
            return TN_EFRAME;
        }
        len = len * 10 + digit;
        k++;
    }
    f->offset = k;
    if (k == n) {
        return 0;
    }
    if (k == 0 || p[at + k] != COLON) {
        return TN_EFRAME;
    }
    if (n - k - 1 <= len) {
        return 0;
    }
    if (p[at + k + 1 + len] != COMMA) {
        return TN_EFRAME;
    }
    f->offset = k + 1;
    f->length = len;
    f->consumed = k + len + 2;
    return 1;
}

/*@ requires v <= 999999999;
    terminates \true; exits \false;
    assigns \nothing;
    ensures \result == tn_digits(v);
*/
static uint32_t digits_of(uint32_t v)
{
    return v < 10          ? 1
           : v < 100       ? 2
           : v < 1000      ? 3
           : v < 10000     ? 4
           : v < 100000    ? 5
           : v < 1000000   ? 6
           : v < 10000000  ? 7
           : v < 100000000 ? 8
                           : 9;
}

/*@ // written out: a power defined by recursion would call for induction
    logic integer tn_power10(integer k) =
        k <= 0 ? 1 : k == 1 ? 10 : k == 2 ? 100 : k == 3 ? 1000 : k == 4 ? 10000 :
        k == 5 ? 100000 : k == 6 ? 1000000 : k == 7 ? 10000000 : k == 8 ? 100000000 :
        1000000000;
*/

/* Writes v in its k decimal digits, the last one first.  The ghost array holds
 * v without its last j digits at [j]; the loop after reads it backwards, which
 * is how tn_decimal builds the number up. */
/*@ requires v <= 999999999 && k == tn_digits(v);
    requires to <= TN_FRAME_AT_MAX && \valid(dst + (to .. to + k - 1));
    terminates \true; exits \false;
    assigns dst[to .. to + k - 1] \from v;
    ensures number: tn_number(dst, to, k, v);
    ensures value:  tn_decimal(dst, to, k) == v;
*/
static void put_decimal(uint8_t *dst, uint32_t to, uint32_t v, uint32_t k)
{
    //@ ghost uint32_t cut[10];
    //@ ghost cut[0] = v;
    uint32_t rest = v;
    uint32_t i = k;

    /*@ loop invariant 0 <= i <= k && rest == cut[k - i] && cut[0] == v;
        loop invariant rest < tn_power10(i) && (k >= 2 && i >= 1 ==> rest >= tn_power10(i - 1));
        loop invariant \forall integer j; 0 <= j < k - i ==> cut[j + 1] == cut[j] / 10;
        loop invariant \forall integer j; 0 <= j <= k - i ==> cut[j] <= v;
        loop invariant \forall integer j; to + i <= j < to + k ==>
                           dst[j] == 48 + cut[to + k - 1 - j] % 10;
        loop invariant i == 0 && k >= 2 ==> 1 <= cut[k - 1] < 10;
        loop assigns rest, i, dst[to .. to + k - 1], cut[0 .. 9];
        loop variant i;
    */
    while (i > 0) {
        i--;
        dst[to + i] = (uint8_t)(48u + rest % 10u);
        rest /= 10u;
        //@ ghost cut[k - i] = rest;
    }
    //@ assert k >= 2 ==> dst[to] == 48 + cut[k - 1] % 10;
    /*@ ghost
        /@ loop invariant 0 <= m <= k;
           loop invariant \forall integer j; 0 <= j <= m ==> tn_decimal(dst, to, j) == cut[k - j];
           loop assigns m;
           loop variant k - m;
        @/
        for (uint32_t m = 0; m < k; m++) {
            /@ assert cut[k - 1 - m + 1] == cut[k - 1 - m] / 10; @/
            /@ assert dst[to + m] == 48 + cut[k - 1 - m] % 10; @/
            /@ assert tn_decimal(dst, to, m + 1) ==
                          tn_decimal(dst, to, m) * 10 + (dst[to + m] - 48);
            @/
            /@ assert tn_decimal(dst, to, m + 1) == cut[k - 1 - m]; @/
        }
    */
}

int32_t tn_netstring_encode(uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t len)
{
    uint32_t k = digits_of(len);

    dst[to + k] = COLON;
    tn_copy(dst, to + k + 1, src, 0, len);
    dst[to + k + 1 + len] = COMMA;
    put_decimal(dst, to, len, k);
    return (int32_t)(k + len + 2);
}
