#include "base/slots.h"

#include "base/check.h"
#include "base/mem.h"

#define SLOT_NONE  UINT32_MAX
#define SLOTS_FIRST 16u

void slots_init(struct slots *slots, uint32_t limit)
{
    *slots = (struct slots){.limit = limit, .first_free = SLOT_NONE};
}

void slots_fini(struct slots *slots)
{
    mem_put(slots->table);
    *slots = (struct slots){.first_free = SLOT_NONE};
}

static bool grow(struct slots *slots, uint32_t need)
{
    if (need <= slots->size)
        return true;
    if (need > slots->limit)
        return false;
    uint64_t size = slots->size == 0 ? SLOTS_FIRST : (uint64_t)slots->size * 2;
    while (size < need)
        size *= 2;
    if (size > slots->limit)
        size = slots->limit;
    slots->table = mem_resize(slots->table, (size_t)size * sizeof(*slots->table));
    /* The new slots go on the free list in ascending order, behind each other. */
    for (uint32_t i = (uint32_t)size; i-- > slots->size;) {
        slots->table[i] = (struct slot){.object = NULL, .generation = 1, .next_free = slots->first_free};
        slots->first_free = i;
    }
    slots->size = (uint32_t)size;
    return true;
}

struct ref slots_add(struct slots *slots, void *object)
{
    CHECK(object != NULL);
    if (slots->first_free == SLOT_NONE && !grow(slots, slots->size + 1))
        return REF_NONE;
    uint32_t index = slots->first_free;
    struct slot *slot = &slots->table[index];
    CHECK(slot->object == NULL);
    slots->first_free = slot->next_free;
    slot->object = object;
    slots->count++;
    return (struct ref){index, slot->generation};
}

void slots_del(struct slots *slots, struct ref ref)
{
    CHECK(ref.slot < slots->size);
    struct slot *slot = &slots->table[ref.slot];
    CHECK(slot->object != NULL);
    CHECK(slot->generation == ref.generation);
    slot->object = NULL;
    if (++slot->generation == 0)
        slot->generation = 1;
    slot->next_free = slots->first_free;
    slots->first_free = ref.slot;
    slots->count--;
}

void *slots_get(const struct slots *slots, struct ref ref)
{
    if (ref.slot >= slots->size)
        return NULL;
    const struct slot *slot = &slots->table[ref.slot];
    return slot->generation == ref.generation ? slot->object : NULL;
}

void *slots_at(const struct slots *slots, uint32_t slot)
{
    return slot < slots->size ? slots->table[slot].object : NULL;
}

bool slots_put(struct slots *slots, struct ref ref, void *object)
{
    CHECK(object != NULL);
    if (ref_is_none(ref) || ref.slot == UINT32_MAX || !grow(slots, ref.slot + 1))
        return false;
    struct slot *slot = &slots->table[ref.slot];
    if (slot->object != NULL)
        return false;
    slot->object = object;
    slot->generation = ref.generation;
    slots->count++;
    return true;
}

uint32_t slots_next(const struct slots *slots, uint32_t from)
{
    for (uint32_t i = from; i < slots->size; i++)
        if (slots->table[i].object != NULL)
            return i;
    return SLOT_NONE;
}
