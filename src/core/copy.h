/* Copying bytes: the only loops over them outside the decoders.
 *
 * Places are given as base and offset, so that the contract can speak of the
 * byte at a position of the base: that is the form the provers use.
 */
#ifndef TN_CORE_COPY_H
#define TN_CORE_COPY_H

#include "core/base.h"

/* Copies n bytes from src + from to dst + to.  The two stretches must not
 * overlap. */
/*@ requires room:  \valid(dst + (to .. to + n - 1));
    requires bytes: \valid_read(src + (from .. from + n - 1));
    requires apart: \separated(dst + (to .. to + n - 1), src + (from .. from + n - 1));
    terminates \true; exits \false;
    assigns dst[to .. to + n - 1] \from src[from .. from + n - 1];
    ensures copied: \forall integer k; to <= k < to + n ==> dst[k] == \old(src[k - to + from]);
*/
void tn_copy(uint8_t *restrict dst, size_t to, const uint8_t *restrict src, size_t from, size_t n);

/* Moves the n bytes at buf + from down to buf + 0; they may overlap. */
/*@ requires bytes: \valid(buf + (0 .. from + n - 1));
    requires small: from + n <= 0x40000000;
    terminates \true; exits \false;
    assigns buf[0 .. n - 1] \from buf[from .. from + n - 1];
    ensures moved: \forall integer k; 0 <= k < n ==> buf[k] == \old(buf[k + from]);
*/
void tn_move_down(uint8_t *buf, size_t from, size_t n);

#endif
