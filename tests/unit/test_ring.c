/* The ring against a plain list of bytes, in memory that ends where the ring's does. */
#include "core/ring.h"
#include "random.h"
#include "tap.h"

#include <string.h>

#define MOST 4096u

struct model {
    uint8_t bytes[MOST];
    uint32_t length;
};

static void model_drop(struct model *m, uint32_t n)
{
    m->length -= n;
    memmove(m->bytes, m->bytes + n, m->length);
}

/* Writes up to n new bytes into the spans, as readv would. */
static uint32_t fill_spans(const struct tn_span *s, uint32_t n, uint8_t *next, struct model *m)
{
    uint32_t done = 0;

    for (int k = 0; k < 2; k++) {
        for (uint32_t i = 0; i < s[k].length && done < n; i++, done++) {
            s[k].data[i] = *next;
            m->bytes[m->length++] = (*next)++;
        }
    }
    return done;
}

static int spans_hold(const struct tn_span *s, const struct model *m)
{
    return s[0].length + s[1].length == m->length &&
           memcmp(s[0].data, m->bytes, s[0].length) == 0 &&
           memcmp(s[1].data, m->bytes + s[0].length, s[1].length) == 0;
}

static void random_steps(uint32_t capacity, uint32_t steps)
{
    struct tn_ring r;
    struct tn_span s[2];
    struct model m = {.length = 0};
    uint32_t seed = 88172645u + capacity;
    uint8_t next = 0;

    tn_ring_init(&r, tn_guarded(capacity), capacity);
    for (uint32_t step = 0; step < steps; step++) {
        uint32_t n = random_below(&seed, capacity + 3), done;
        uint8_t *b = tn_guarded(n);

        switch (random_below(&seed, 4)) {
        case 0:
            for (uint32_t i = 0; i < n; i++)
                b[i] = (uint8_t)(next + i);
            done = tn_ring_put(&r, b, n);
            CHECK_EQ(done, n < capacity - m.length ? n : capacity - m.length);
            memcpy(m.bytes + m.length, b, done);
            m.length += done;
            next = (uint8_t)(next + done);
            break;
        case 1:
            done = tn_ring_get(&r, b, n);
            CHECK_EQ(done, n < m.length ? n : m.length);
            CHECK(memcmp(b, m.bytes, done) == 0);
            model_drop(&m, done);
            break;
        case 2:
            tn_ring_writable(&r, s);
            CHECK_EQ(s[0].length + s[1].length, capacity - m.length);
            tn_ring_commit(&r, fill_spans(s, n, &next, &m));
            break;
        default:
            done = n < m.length ? n : m.length;
            tn_ring_consume(&r, done);
            model_drop(&m, done);
            break;
        }
        CHECK_EQ(r.length, m.length);
        CHECK(r.head < capacity);
        tn_ring_readable(&r, s);
        CHECK(spans_hold(s, &m));
    }
}

TEST(a_small_ring_keeps_bytes_in_order)
{
    for (uint32_t capacity = 1; capacity <= 9; capacity++)
        random_steps(capacity, 2000);
}

TEST(a_large_ring_keeps_bytes_in_order)
{
    random_steps(1000, 2000);
    random_steps(1024, 2000);
}

TEST(a_full_ring_takes_no_byte_and_an_empty_one_gives_none)
{
    struct tn_ring r;
    struct tn_span s[2];
    uint8_t b[4] = {1, 2, 3, 4};

    tn_ring_init(&r, tn_guarded(3), 3);
    CHECK_EQ(tn_ring_get(&r, b, 4), 0);
    CHECK_EQ(tn_ring_put(&r, b, 4), 3);
    CHECK_EQ(tn_ring_put(&r, b, 1), 0);
    tn_ring_writable(&r, s);
    CHECK_EQ(s[0].length + s[1].length, 0);
    CHECK_EQ(tn_ring_put(&r, b, 0), 0);
    tn_ring_consume(&r, 3);
    tn_ring_readable(&r, s);
    CHECK_EQ(s[0].length + s[1].length, 0);
}
