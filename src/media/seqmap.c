#include "media/seqmap.h"

#include <string.h>

void seqmap_rebase(struct seqmap *map, uint16_t in, uint16_t out)
{
    *map = (struct seqmap){.count = 1, .in_last = (uint16_t)(in - 1), .out_last = (uint16_t)(out - 1)};
    map->steps[0] = (struct seqmap_step){in, (uint16_t)(out - in)};
}

static void remove_oldest(struct seqmap *map)
{
    map->count--;
    memmove(map->steps, map->steps + 1, map->count * sizeof(map->steps[0]));
}

static void push_step(struct seqmap *map, uint16_t from, uint16_t shift)
{
    if (map->count == SEQMAP_STEPS)
        remove_oldest(map);
    map->steps[map->count++] = (struct seqmap_step){from, shift};
}

/* How far a step's first number lies behind the one that comes next. At most SEQMAP_REACH before `in_last` moved, and that
 * by less than half the circle: so this is no number ahead. */
static unsigned behind(const struct seqmap *map, const struct seqmap_step *step)
{
    return (uint16_t)(map->in_last + 1u - step->from);
}

static void advance(struct seqmap *map, uint16_t in)
{
    map->in_last = in;
    while (map->count > 1 && behind(map, &map->steps[1]) > SEQMAP_REACH)
        remove_oldest(map);
    if (map->count > 0 && behind(map, &map->steps[0]) > SEQMAP_REACH)
        map->steps[0].from = (uint16_t)(in + 1u - SEQMAP_REACH);
}

/* A number whose output would be the next step's first one, or more, is one that the next step's drop took out. */
static bool is_dropped(const struct seqmap *map, unsigned index, uint16_t mapped)
{
    if (index + 1u >= map->count)
        return false;
    const struct seqmap_step *next = &map->steps[index + 1];
    return seq_distance(mapped, (uint16_t)(next->from + next->shift)) >= 0;
}

bool seqmap_get(struct seqmap *map, uint16_t in, uint16_t *out)
{
    unsigned i = map->count;
    if (i == 0)
        return false;
    const bool is_new = seq_distance(in, map->in_last) > 0;
    if (is_new) {
        advance(map, in);
        map->dropping = false;
        i = map->count - 1u;
    } else {
        if ((uint16_t)(map->in_last - in) >= SEQMAP_REACH)
            return false;
        while (i > 0 && seq_distance(in, map->steps[i - 1].from) < 0)
            i--;
        if (i-- == 0)
            return false;
    }
    uint16_t mapped = (uint16_t)(in + map->steps[i].shift);
    if (!is_new && is_dropped(map, i, mapped))
        return false;
    if (seq_distance(mapped, map->out_last) > 0)
        map->out_last = mapped;
    *out = mapped;
    return true;
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
    advance(map, in);
    map->dropping = true;
}
