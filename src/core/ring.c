#include "core/ring.h"
#include "core/copy.h"

/* Where the byte after the first n lies: wrapped by comparison, so that the sum
 * is never formed when it would pass the end. */
/*@ requires tn_ring_ok(r) && n <= r->capacity;
    terminates \true; exits \false;
    assigns \nothing;
    ensures place: \result == tn_ring_place(r, n);
    ensures range: \result < r->capacity;
*/
static uint32_t place_after(const struct tn_ring *r, uint32_t n)
{
    uint32_t before_end = r->capacity - r->head;

    return n < before_end ? r->head + n : n - before_end;
}

void tn_ring_init(struct tn_ring *r, uint8_t *memory, uint32_t capacity)
{
    r->data = memory;
    r->capacity = capacity;
    r->head = 0;
    r->length = 0;
}

uint32_t tn_ring_put(struct tn_ring *r, const uint8_t *src, uint32_t n)
{
    uint32_t room = r->capacity - r->length;
    uint32_t count = n < room ? n : room;
    uint32_t tail = place_after(r, r->length);
    uint32_t first = count < r->capacity - tail ? count : r->capacity - tail;

    tn_copy(r->data, tail, src, 0, first);
    tn_copy(r->data, 0, src, first, count - first);
    r->length += count;
    return count;
}

uint32_t tn_ring_get(struct tn_ring *r, uint8_t *dst, uint32_t n)
{
    uint32_t count = n < r->length ? n : r->length;
    uint32_t first = count < r->capacity - r->head ? count : r->capacity - r->head;

    tn_copy(dst, 0, r->data, r->head, first);
    tn_copy(dst, first, r->data, 0, count - first);
    tn_ring_consume(r, count);
    return count;
}

void tn_ring_readable(const struct tn_ring *r, struct tn_span *s)
{
    uint32_t before_end = r->capacity - r->head;
    uint32_t first = r->length < before_end ? r->length : before_end;

    s[0].data = r->data + r->head;
    s[0].length = first;
    s[1].data = r->data;
    s[1].length = r->length - first;
}

void tn_ring_writable(const struct tn_ring *r, struct tn_span *s)
{
    uint32_t room = r->capacity - r->length;
    uint32_t tail = place_after(r, r->length);
    uint32_t first = room < r->capacity - tail ? room : r->capacity - tail;

    s[0].data = r->data + tail;
    s[0].length = first;
    s[1].data = r->data;
    s[1].length = room - first;
}

void tn_ring_commit(struct tn_ring *r, uint32_t n)
{
    r->length += n;
}

void tn_ring_consume(struct tn_ring *r, uint32_t n)
{
    r->head = place_after(r, n);
    r->length -= n;
}
