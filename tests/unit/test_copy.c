/* Copies at the edge of readable memory, every size and every overlap. */
#include "core/copy.h"
#include "tap.h"

#include <string.h>

#define MOST 70u

TEST(a_copy_takes_its_bytes_and_no_other)
{
    for (uint32_t n = 0; n <= MOST; n++) {
        for (uint32_t from = 0; from <= MOST - n; from += 7) {
            uint8_t *src = tn_guarded(from + n), *dst = tn_guarded(3 + n);

            for (uint32_t i = 0; i < n; i++)
                src[from + i] = (uint8_t)(i + 1);
            memset(dst, 0xee, 3);
            tn_copy(dst, 3, src, from, n);
            CHECK(dst[0] == 0xee && dst[1] == 0xee && dst[2] == 0xee);
            for (uint32_t i = 0; i < n; i++)
                CHECK_EQ(dst[3 + i], i + 1);
        }
    }
}

TEST(bytes_move_down_over_themselves)
{
    for (uint32_t n = 0; n <= MOST; n++) {
        for (uint32_t from = 0; from <= MOST; from++) {
            uint8_t *buf = tn_guarded(from + n);

            for (uint32_t i = 0; i < from + n; i++)
                buf[i] = (uint8_t)i;
            tn_move_down(buf, from, n);
            for (uint32_t i = 0; i < from + n; i++)
                CHECK_EQ(buf[i], i < n ? from + i : i);
        }
    }
}
