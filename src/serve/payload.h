/* What is said of a payload that is pointed at, not copied.  Nothing here is
 * compiled.
 */
#ifndef TN_SERVE_PAYLOAD_H
#define TN_SERVE_PAYLOAD_H

#include "core/frame.h"

/*@ // q is p + a
    predicate beyond{L}(uint8_t *p, uint8_t *q, integer a) =
        \forall integer i; q + i == p + (a + i);
    lemma carries_beyond: \forall uint8_t *p, uint8_t *q, integer framing, a, n;
        beyond(p, q, a) ==> tn_frame_carries(framing, p, a, n) ==>
        tn_frame_carries(framing, q, 0, n);
*/

#endif
