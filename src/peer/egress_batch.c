#include "peer/egress_batch.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define ALIGN 16u

void egress_batch_init(struct egress_batch *batch)
{
    *batch = (struct egress_batch){
        .items = mem_get(EGRESS_ITEMS * sizeof(struct egress_item)),
        .bytes = mem_get(EGRESS_BYTES),
    };
}

void egress_batch_fini(struct egress_batch *batch)
{
    mem_put(batch->items);
    mem_put(batch->bytes);
    *batch = (struct egress_batch){0};
}

uint8_t *egress_reserve(struct egress_batch *batch)
{
    if (batch->count >= EGRESS_DRAIN_AT && batch->drain != NULL)
        batch->drain(batch->owner);
    if (batch->count == EGRESS_ITEMS || EGRESS_BYTES - batch->used < EGRESS_PACKET + SEAL_RTCP_ROOM) {
        batch->dropped++;
        return NULL;
    }
    return batch->bytes + batch->used;
}

void egress_commit(struct egress_batch *batch, const struct egress_item *item)
{
    CHECK(item->size <= EGRESS_PACKET);
    CHECK(batch->count < EGRESS_ITEMS);
    struct egress_item *slot = &batch->items[batch->count++];
    *slot = *item;
    slot->offset = batch->used;
    batch->used += (item->size + SEAL_ROOM + ALIGN - 1u) / ALIGN * ALIGN;
}

void egress_raw(struct egress_batch *batch, const struct net_tuple *to, struct view datagram)
{
    if (datagram.size > EGRESS_PACKET)
        return;
    uint8_t *room = egress_reserve(batch);
    if (room == NULL)
        return;
    memcpy(room, datagram.data, datagram.size);
    egress_commit(batch, &(struct egress_item){.to = *to, .size = (uint16_t)datagram.size});
}

static uint32_t seal_some(struct egress_item *const *items, struct seal_job *jobs, size_t count, struct seal_shared *seal)
{
    uint32_t failed = 0;
    seal_protect(seal, jobs, count);
    for (size_t i = 0; i < count; i++) {
        items[i]->size = jobs[i].ok ? jobs[i].size : 0;
        failed += !jobs[i].ok;
    }
    return failed;
}

uint32_t egress_seal(struct egress_batch *batch, struct seal_shared *seal)
{
    struct egress_item *items[SEAL_BATCH];
    struct seal_job jobs[SEAL_BATCH];
    size_t count = 0;
    uint32_t failed = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        struct egress_item *item = &batch->items[i];
        if (item->keys == NULL)
            continue;
        items[count] = item;
        jobs[count++] = (struct seal_job){
            .keys = item->keys,
            .index = item->index,
            .packet = batch->bytes + item->offset,
            .header_size = item->header_size,
            .size = item->size,
        };
        if (count == SEAL_BATCH) {
            failed += seal_some(items, jobs, count, seal);
            count = 0;
        }
    }
    return count > 0 ? failed + seal_some(items, jobs, count, seal) : failed;
}
