/* The queue against a counter: what comes out is what went in next. */
#include "core/queue.h"
#include "random.h"
#include "tap.h"

TEST(numbers_leave_in_the_order_they_came)
{
    for (uint32_t capacity = 1; capacity <= 9; capacity++) {
        uint32_t *memory = (void *)tn_guarded(capacity * sizeof(uint32_t));
        uint32_t seed = 2463534242u + capacity, in = 0, out = 0;
        struct tn_queue q;

        tn_queue_init(&q, memory, capacity);
        for (uint32_t step = 0; step < 3000; step++) {
            uint32_t value = 77;

            if (random_below(&seed, 2) == 0) {
                uint32_t fits = in - out < capacity;

                CHECK_EQ(tn_queue_put(&q, in), fits);
                in += fits;
            } else if (tn_queue_take(&q, &value) == 1) {
                CHECK(out < in);
                CHECK_EQ(value, out);
                out++;
            } else {
                CHECK_EQ(in, out);
                CHECK_EQ(value, 77);
            }
            CHECK_EQ(tn_queue_length(&q), in - out);
        }
    }
}

TEST(a_full_queue_refuses_and_keeps_what_it_has)
{
    uint32_t value = 0;
    struct tn_queue q;

    tn_queue_init(&q, (void *)tn_guarded(2 * sizeof(uint32_t)), 2);
    CHECK_EQ(tn_queue_put(&q, UINT32_MAX), 1);
    CHECK_EQ(tn_queue_put(&q, 7), 1);
    CHECK_EQ(tn_queue_put(&q, 8), 0);
    CHECK_EQ(tn_queue_take(&q, &value), 1);
    CHECK_EQ(value, UINT32_MAX);
    CHECK_EQ(tn_queue_take(&q, &value), 1);
    CHECK_EQ(value, 7);
    CHECK_EQ(tn_queue_take(&q, &value), 0);
}
