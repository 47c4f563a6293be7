#include "io/eventq.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "io/limits.h"
#include "msg/io.h"

struct queued_event {
    struct list node;
    size_t size;
    uint8_t text[];
};

void eventqs_init(struct eventqs *all, const struct hash_key *key, uint32_t limit)
{
    *all = (struct eventqs){.key = *key, .bytes_max = IO_QUEUED_BYTES_MAX};
    pool_init(&all->pool, "event queues", sizeof(struct eventq), limit);
    slots_init(&all->slots, limit);
    map_init(&all->by_session);
}

void eventqs_fini(struct eventqs *all)
{
    for (uint32_t i = slots_next(&all->slots, 0); i != UINT32_MAX; i = slots_next(&all->slots, i + 1))
        eventq_free(all, all->slots.table[i].object);
    map_fini(&all->by_session);
    slots_fini(&all->slots);
    pool_fini(&all->pool);
}

static struct ref outside(struct ref slot)
{
    return (struct ref){slot.slot | IO_QUEUE_BIT, slot.generation};
}

static struct ref inside(struct ref name)
{
    return (struct ref){name.slot & ~IO_QUEUE_BIT, name.generation};
}

struct eventq *eventq_new(struct eventqs *all)
{
    struct eventq *q = pool_get(&all->pool);
    if (q == NULL)
        return NULL;
    struct ref slot = slots_add(&all->slots, q);
    CHECK(!ref_is_none(slot));
    q->ref = outside(slot);
    list_init(&q->texts);
    list_init(&q->held);
    return q;
}

static void drop_first(struct eventqs *all, struct eventq *q)
{
    struct queued_event *event = CONTAINER_OF(list_pop(&q->texts), struct queued_event, node);
    q->count--;
    q->bytes -= event->size;
    all->bytes -= event->size;
    mem_put(event);
}

void eventq_free(struct eventqs *all, struct eventq *q)
{
    CHECK(list_is_empty(&q->held));
    while (!list_is_empty(&q->texts))
        drop_first(all, q);
    if (q->session_id != 0)
        map_del(&all->by_session, &q->by_session);
    slots_del(&all->slots, inside(q->ref));
    pool_put(&all->pool, q);
}

struct eventq *eventq_get(const struct eventqs *all, struct ref ref)
{
    return (ref.slot & IO_QUEUE_BIT) == 0 ? NULL : slots_get(&all->slots, inside(ref));
}

struct eventq *eventq_of_session(const struct eventqs *all, int64_t session_id)
{
    for (struct map_node *node = map_first(&all->by_session, hash_u64(&all->key, (uint64_t)session_id)); node != NULL; node = map_next_same(node)) {
        struct eventq *q = CONTAINER_OF(node, struct eventq, by_session);
        if (q->session_id == session_id)
            return q;
    }
    return NULL;
}

void eventq_bind(struct eventqs *all, struct eventq *q, int64_t session_id)
{
    CHECK(q->session_id == 0);
    q->session_id = session_id;
    map_add(&all->by_session, &q->by_session, hash_u64(&all->key, (uint64_t)session_id));
}

static bool is_full(const struct eventqs *all, const struct eventq *q, size_t size)
{
    if (q->count > 0 && (q->count >= IO_EVENTS_MAX || q->bytes + size > IO_EVENT_BYTES_MAX))
        return true;
    return q->bytes + size > IO_QUEUED_BYTES_FREE && all->bytes + size > all->bytes_max;
}

bool eventq_add(struct eventqs *all, struct eventq *q, struct view text)
{
    if (is_full(all, q, text.size))
        return false;
    struct queued_event *event = mem_get(sizeof(*event) + text.size);
    event->size = text.size;
    memcpy(event->text, text.data, text.size);
    list_init(&event->node);
    list_add_tail(&q->texts, &event->node);
    q->count++;
    q->bytes += text.size;
    all->bytes += text.size;
    return true;
}

void eventq_take(struct eventqs *all, struct eventq *q, uint32_t most, enum json_layout layout, struct buf *out)
{
    struct json_out j;
    jout_begin(&j, out, layout);
    if (most > 1)
        jout_array(&j, NULL);
    for (uint32_t i = 0; i < most && !list_is_empty(&q->texts); i++) {
        const struct queued_event *event = CONTAINER_OF(q->texts.next, struct queued_event, node);
        struct view text = VIEW(event->text, event->size);
        if (most > 1)
            jout_raw(&j, NULL, text);
        else
            buf_add_view(out, text);
        drop_first(all, q);
    }
    if (most > 1)
        jout_end(&j);
}
