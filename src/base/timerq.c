#include "base/timerq.h"

#include "base/check.h"
#include "base/mem.h"

#define TIMERQ_FIRST 64u

void timerq_init(struct timerq *q)
{
    *q = (struct timerq){0};
}

void timerq_fini(struct timerq *q)
{
    CHECK(q->count == 0);
    mem_put(q->heap);
    timerq_init(q);
}

static void place(struct timerq *q, uint32_t i, struct timer *timer)
{
    q->heap[i] = timer;
    timer->place = i + 1;
}

static void sift_up(struct timerq *q, uint32_t i, struct timer *timer)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / 2;
        if (q->heap[parent]->at <= timer->at)
            break;
        place(q, i, q->heap[parent]);
        i = parent;
    }
    place(q, i, timer);
}

static void sift_down(struct timerq *q, uint32_t i, struct timer *timer)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= q->count)
            break;
        if (child + 1 < q->count && q->heap[child + 1]->at < q->heap[child]->at)
            child++;
        if (timer->at <= q->heap[child]->at)
            break;
        place(q, i, q->heap[child]);
        i = child;
    }
    place(q, i, timer);
}

void timerq_set(struct timerq *q, struct timer *timer, usec_t at)
{
    if (at == USEC_NEVER) {
        timerq_stop(q, timer);
        return;
    }
    if (timer->place == 0) {
        if (q->count == q->size) {
            q->size = q->size == 0 ? TIMERQ_FIRST : q->size * 2;
            q->heap = mem_resize(q->heap, q->size * sizeof(struct timer *));
        }
        timer->at = at;
        sift_up(q, q->count++, timer);
        return;
    }
    usec_t before = timer->at;
    timer->at = at;
    if (at < before)
        sift_up(q, timer->place - 1, timer);
    else if (at > before)
        sift_down(q, timer->place - 1, timer);
}

void timerq_stop(struct timerq *q, struct timer *timer)
{
    if (timer->place == 0)
        return;
    uint32_t i = timer->place - 1;
    CHECK(i < q->count && q->heap[i] == timer);
    timer->place = 0;
    struct timer *last = q->heap[--q->count];
    if (last == timer)
        return;
    if (i > 0 && q->heap[(i - 1) / 2]->at > last->at)
        sift_up(q, i, last);
    else
        sift_down(q, i, last);
}

usec_t timerq_next(const struct timerq *q)
{
    return q->count == 0 ? USEC_NEVER : q->heap[0]->at;
}

struct timer *timerq_pop(struct timerq *q, usec_t now)
{
    if (q->count == 0 || q->heap[0]->at > now)
        return NULL;
    struct timer *first = q->heap[0];
    timerq_stop(q, first);
    return first;
}
