/* A ring of whole elements, under one lock, with a condition for each side. */
#include "dispatch/channel.h"

#include "dispatch/channel_lock.h"

/* Says whether there is an element: 1 or 0. */
/*@ requires held: m_held == 1 && tn_channel_ok(c);
    terminates \true; exits \false;
    assigns \nothing;
    ensures some:  \result == 1 <==> m_elements > 0;
    ensures whole: \result == 1 <==> c->ring.length >= c->size;
    ensures range: \result == 0 || \result == 1;
*/
static uint32_t holds_one(const struct tn_channel *c)
{
    //@ assert none: m_elements == 0 ==> c->ring.length == 0;
    //@ assert one: m_elements > 0 ==> c->size <= m_elements * c->size;
    return c->ring.length >= c->size;
}

/* Says whether there is room for one more: 1 or 0. */
/*@ requires held: m_held == 1 && tn_channel_ok(c);
    terminates \true; exits \false;
    assigns \nothing;
    ensures room:  \result == 1 <==> c->ring.length + c->size <= c->ring.capacity;
    ensures range: \result == 0 || \result == 1;
*/
static uint32_t fits_one(const struct tn_channel *c)
{
    return c->ring.capacity - c->ring.length >= c->size;
}

/* Puts the element last, for which there is room. */
/*@ requires held:  m_held == 1 && tn_channel_ok(c) && m_moved == 0 && m_owed == 0;
    requires open:  c->closed == 0;
    requires room:  c->ring.length + c->size <= c->ring.capacity;
    requires bytes: \valid_read(element + (0 .. c->size - 1));
    requires apart: \separated(element + (0 .. c->size - 1), c,
                               c->ring.data + (0 .. c->ring.capacity - 1));
    terminates \true; exits \false;
    assigns c->ring.length, c->ring.data[0 .. c->ring.capacity - 1], m_elements, m_moved, m_owed;
    ensures ok:    tn_channel_ok(c);
    ensures more:  m_elements == \old(m_elements) + 1 && m_moved == 1;
    ensures told:  m_owed == 0;
    ensures last:  \forall integer i; 0 <= i < c->size ==>
        c->ring.data[tn_ring_place(&c->ring, \old(c->ring.length) + i)] == \old(element[i]);
    ensures kept:  \forall integer i; 0 <= i < \old(c->ring.length) ==>
        c->ring.data[tn_ring_place(&c->ring, i)] == \old(c->ring.data[tn_ring_place(&c->ring, i)]);
*/
static void put_last(struct tn_channel *c, const uint8_t *element)
{
    (void)tn_ring_put(&c->ring, element, c->size);
    /*@ ghost m_elements = m_elements + 1;
        m_moved = 1;
        m_owed = 1; */
    tn_channel_tell(c, &c->filled);
}

/* Takes the first element; there is one. */
/*@ requires held:  m_held == 1 && tn_channel_ok(c) && m_moved == 0 && m_owed == 0;
    requires some:  m_elements > 0 && c->ring.length >= c->size;
    requires room:  \valid(element + (0 .. c->size - 1));
    requires apart: \separated(element + (0 .. c->size - 1), c,
                               c->ring.data + (0 .. c->ring.capacity - 1));
    terminates \true; exits \false;
    assigns c->ring.head, c->ring.length, element[0 .. c->size - 1], m_elements, m_moved, m_owed;
    ensures ok:    tn_channel_ok(c);
    ensures fewer: m_elements == \old(m_elements) - 1 && m_moved == 1;
    ensures told:  m_owed == 0;
    ensures first: \forall integer i; 0 <= i < c->size ==>
        element[i] == \old(c->ring.data[tn_ring_place(&c->ring, i)]);
    ensures kept:  \forall integer i; 0 <= i < c->ring.length ==>
        tn_ring_place(&c->ring, i) == \old(tn_ring_place(&c->ring, c->size + i));
*/
static void take_first(struct tn_channel *c, uint8_t *element)
{
    (void)tn_ring_get(&c->ring, element, c->size);
    /*@ ghost m_elements = m_elements - 1;
        m_moved = 1;
        m_owed = 2; */
    tn_channel_tell(c, &c->vacant);
}

int32_t tn_channel_open(struct tn_channel *c, tn_bytes *memory, uint32_t size, uint32_t capacity)
{
    /*@ ghost m_held = 0;
        m_owed = 0;
        m_closed = 0; */
    if (size == 0 || capacity == 0 || capacity > TN_RING_MAX / size)
        return TN_EINVAL;
    c->size = size;
    c->closed = 0;
    tn_ring_init(&c->ring, memory, size * capacity);
    return tn_channel_lock_init(c);
}

int32_t tn_channel_put(struct tn_channel *c, const tn_bytes *element, int64_t deadline_ms)
{
    int32_t r = 1;

    /*@ ghost m_moved = 0;
        m_late = 0; */
    tn_channel_lock(c);
    /*@ loop invariant held: m_held == 1 && tn_channel_ok(c) && m_moved == 0;
        loop invariant r: r == 1 || (r == 0 && m_late == 1);
        loop invariant told: m_owed == 0;
        loop assigns r, m_elements, m_late, c->closed, c->ring.head, c->ring.length,
                     c->ring.data[0 .. c->ring.capacity - 1];
    */
    while (r == 1 && c->closed == 0 && fits_one(c) == 0)
        r = tn_channel_wait(c, &c->vacant, deadline_ms);
    if (c->closed == 1)
        r = TN_EOF;
    else if (r == 1)
        put_last(c, element);
    tn_channel_unlock(c);
    return r;
}

int32_t tn_channel_take(struct tn_channel *c, tn_bytes *element, int64_t deadline_ms)
{
    int32_t r = 1;

    /*@ ghost m_moved = 0;
        m_late = 0; */
    tn_channel_lock(c);
    /*@ loop invariant held: m_held == 1 && tn_channel_ok(c) && m_moved == 0;
        loop invariant r: r == 1 || (r == 0 && m_late == 1);
        loop invariant told: m_owed == 0;
        loop assigns r, m_elements, m_late, c->closed, c->ring.head, c->ring.length,
                     c->ring.data[0 .. c->ring.capacity - 1];
    */
    while (r == 1 && c->closed == 0 && holds_one(c) == 0)
        r = tn_channel_wait(c, &c->filled, deadline_ms);
    if (holds_one(c) == 1) {
        take_first(c, element);
        r = 1;
    } else if (c->closed == 1) {
        r = TN_EOF;
    }
    tn_channel_unlock(c);
    return r;
}

void tn_channel_close(struct tn_channel *c)
{
    tn_channel_lock(c);
    c->closed = 1;
    /*@ ghost m_closed = 1;
        m_owed = 3; */
    tn_channel_tell_all(c);
    tn_channel_unlock(c);
}

void tn_channel_fini(struct tn_channel *c)
{
    tn_channel_lock_fini(c);
}
