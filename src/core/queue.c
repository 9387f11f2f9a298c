#include "core/queue.h"

void tn_queue_init(struct tn_queue *q, uint32_t *memory, uint32_t capacity)
{
    q->data = memory;
    q->capacity = capacity;
    q->head = 0;
    q->length = 0;
}

uint32_t tn_queue_put(struct tn_queue *q, uint32_t value)
{
    uint32_t before_end = q->capacity - q->head;

    if (q->length == q->capacity) {
        return 0;
    }
    q->data[q->length < before_end ? q->head + q->length : q->length - before_end] = value;
    q->length++;
    return 1;
}

uint32_t tn_queue_take(struct tn_queue *q, uint32_t *value)
{
    if (q->length == 0) {
        return 0;
    }
    *value = q->data[q->head];
    q->head = q->head + 1 < q->capacity ? q->head + 1 : 0;
    q->length--;
    return 1;
}

uint32_t tn_queue_length(const struct tn_queue *q)
{
    return q->length;
}
