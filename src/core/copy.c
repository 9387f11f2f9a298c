#include "core/copy.h"

void tn_copy(uint8_t *restrict dst, size_t to, const uint8_t *restrict src, size_t from, size_t n)
{
    /*@ loop invariant 0 <= i <= n;
        loop invariant \forall integer k; to <= k < to + i ==>
                           dst[k] == \at(src[k - to + from], Pre);
        loop invariant \forall integer k; from <= k < from + n ==> src[k] == \at(src[k], Pre);
        loop assigns i, dst[to .. to + n - 1];
        loop variant n - i;
    */
    for (size_t i = 0; i < n; i++) {
        (dst + to)[i] = (src + from)[i];
    }
}

void tn_move_down(uint8_t *buf, size_t from, size_t n)
{
    if (n > 0 && n <= from) {
        tn_copy(buf, 0, buf + from, 0, n); /* apart, so the quicker copy will do */
        return;
    }
    /*@ loop invariant 0 <= i <= n;
        loop invariant \forall integer k; 0 <= k < i ==> buf[k] == \at(buf[k + from], Pre);
        loop invariant \forall integer k; i <= k < from + n && from <= k ==>
                           buf[k] == \at(buf[k], Pre);
        loop assigns i, buf[0 .. n - 1];
        loop variant n - i;
    */
    for (size_t i = 0; i < n; i++) {
        buf[i] = buf[i + from];
    }
}
