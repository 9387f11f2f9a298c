/* The connection machine under a fuzzer: three bytes an event, which give the
 * pending output, whether frames are left, and what happens besides.  What must
 * hold, or the program aborts:
 *
 *   the next state and the interest are those of core/conn.h, said once more
 *   a state the machine has come to rest in is its own next state
 *   reading is wanted exactly where input is used, writing where output is due
 */
#include "core/conn.h"
#include "harness.h"

enum { CLOSED = TN_CONN_CLOSED };

void harness_start(void)
{
}

static int32_t expected_next(int32_t state, size_t out, int32_t more)
{
    static const int32_t empty[] = {
        [TN_CONN_OPEN] = TN_CONN_OPEN,          [TN_CONN_PAUSED] = TN_CONN_OPEN,
        [TN_CONN_PARKED] = TN_CONN_PARKED,      [TN_CONN_HALF] = TN_CONN_CLOSED,
        [TN_CONN_FLUSHING] = TN_CONN_CLOSED,    [TN_CONN_DRAINING] = TN_CONN_LINGERING,
        [TN_CONN_LINGERING] = TN_CONN_LINGERING};
    static const int32_t pending[] = {
        [TN_CONN_OPEN] = TN_CONN_OPEN,          [TN_CONN_PAUSED] = TN_CONN_OPEN,
        [TN_CONN_PARKED] = TN_CONN_PARKED,      [TN_CONN_HALF] = TN_CONN_FLUSHING,
        [TN_CONN_FLUSHING] = TN_CONN_FLUSHING,  [TN_CONN_DRAINING] = TN_CONN_DRAINING,
        [TN_CONN_LINGERING] = TN_CONN_LINGERING};

    if (more == 1 && (state == TN_CONN_HALF || state == TN_CONN_FLUSHING))
        return TN_CONN_HALF;
    if (more == 1 && out > TN_OUTPUT_LOW && (state == TN_CONN_OPEN || state == TN_CONN_PAUSED))
        return TN_CONN_PAUSED;
    return out > 0 ? pending[state] : empty[state];
}

static int32_t check_step(int32_t state, size_t out, int32_t more)
{
    int32_t next = tn_conn_next(state, out, more);
    uint32_t wants = tn_conn_wants(next, out);

    harness_expect(next == expected_next(state, out, more), "the next state");
    harness_expect(next == CLOSED || tn_conn_next(next, out, more) == next, "it is at rest");
    harness_expect((wants & ~5u) == 0, "reading, writing, both or neither");
    harness_expect((wants & 1u) == (next == TN_CONN_OPEN || next == TN_CONN_LINGERING),
                   "reading is wanted where input is used");
    harness_expect((wants / 4u) == (out > 0 && next != TN_CONN_LINGERING),
                   "writing is wanted where output is due");
    return next;
}

/* What comes from outside between two steps. */
static int32_t moved(int32_t state, uint8_t event)
{
    switch (event % 8) {
    case 0: /* the peer has finished */
        return state == TN_CONN_OPEN || state == TN_CONN_PAUSED ? TN_CONN_HALF : state;
    case 1: /* we finish */
        return state <= TN_CONN_FLUSHING ? TN_CONN_DRAINING : state;
    case 2: /* no buffer */
        return state == TN_CONN_OPEN ? TN_CONN_PARKED : state;
    case 3: /* a buffer */
        return state == TN_CONN_PARKED ? TN_CONN_OPEN : state;
    default:
        return state;
    }
}

void harness_run(const uint8_t *bytes, size_t n)
{
    static const size_t amounts[] = {0, 1, TN_OUTPUT_LOW, TN_OUTPUT_LOW + 1, SIZE_MAX};
    int32_t state = TN_CONN_OPEN;

    for (size_t i = 0; i + 3 <= n && state != CLOSED; i += 3) {
        state = moved(state, bytes[i]);
        state = check_step(state, amounts[bytes[i + 1] % 5], bytes[i + 2] % 2);
    }
}
