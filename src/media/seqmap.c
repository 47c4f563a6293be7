#include "media/seqmap.h"

#include <string.h>

void seqmap_rebase(struct seqmap *map, uint16_t in, uint16_t out)
{
    *map = (struct seqmap){.count = 1, .in_last = (uint16_t)(in - 1), .out_last = (uint16_t)(out - 1)};
    map->steps[0] = (struct seqmap_step){in, (uint16_t)(out - in)};
}

static void push_step(struct seqmap *map, uint16_t from, uint16_t shift)
{
    if (map->count == SEQMAP_STEPS) {
        memmove(map->steps, map->steps + 1, sizeof(map->steps) - sizeof(map->steps[0]));
        map->count--;
    }
    map->steps[map->count++] = (struct seqmap_step){from, shift};
}

bool seqmap_get(struct seqmap *map, uint16_t in, uint16_t *out)
{
    for (uint8_t i = map->count; i-- > 0;) {
        const struct seqmap_step *step = &map->steps[i];
        if (seq_distance(in, step->from) < 0)
            continue;
        /* A number whose output would be the next step's first one is a number that this step's drop took out. */
        uint16_t mapped = (uint16_t)(in + step->shift);
        if (i + 1 < map->count) {
            const struct seqmap_step *next = &map->steps[i + 1];
            if (seq_distance(mapped, (uint16_t)(next->from + next->shift)) >= 0)
                return false;
        }
        if (seq_distance(in, map->in_last) > 0) {
            map->in_last = in;
            map->dropping = false;
        }
        if (seq_distance(mapped, map->out_last) > 0)
            map->out_last = mapped;
        *out = mapped;
        return true;
    }
    return false;
}

void seqmap_drop(struct seqmap *map, uint16_t in)
{
    if (map->count == 0 || seq_distance(in, map->in_last) <= 0)
        return;
    struct seqmap_step *newest = &map->steps[map->count - 1];
    uint16_t after = (uint16_t)(in + 1);
    if (map->dropping && newest->from == in)
        *newest = (struct seqmap_step){after, (uint16_t)(newest->shift - 1)};
    else
        push_step(map, after, (uint16_t)(newest->shift - 1));
    map->in_last = in;
    map->dropping = true;
}
