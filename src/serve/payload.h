/* What is said of a payload: of one that is pointed at, not copied, and of one that
 * is promised to a connection.  Nothing here is compiled.
 */
#ifndef TN_SERVE_PAYLOAD_H
#define TN_SERVE_PAYLOAD_H

#include "core/frame.h"
#include "os/sys.h"

/*@ // q is p + a
    predicate beyond{L}(uint8_t *p, uint8_t *q, integer a) =
        \forall integer i; q + i == p + (a + i);
    lemma carries_beyond: \forall uint8_t *p, uint8_t *q, integer framing, a, n;
        beyond(p, q, a) ==> tn_frame_carries(framing, p, a, n) ==>
        tn_frame_carries(framing, q, 0, n);
    // from place at on, what is promised to the descriptor is data[0 .. len - 1]
    predicate tn_carried{L}(uint8_t *data, integer len, integer fd, integer inc, integer at) =
        \forall integer i; 0 <= i < len ==> log_at(fd, inc, at + i) == data[i];
*/

#endif
