/* proto/rtp/dd.c - AV1 RTP specification 1.0, A.8.3. Names in comments are the specification's. A descriptor is at most
 * 255 bytes, so bit positions fit an unsigned. */
#include "proto/rtp/dd.h"

#define DESCRIPTOR_MANDATORY 3u
#define NEXT_TEMPORAL 1u           /* next_layer_idc, table A.2 */
#define NEXT_SPATIAL  2u
#define NEXT_NONE     3u
#define FDIFFS_MAX    16u          /* per template; the specification has no number, streams have up to 3 */

struct bits {
    struct view data;
    size_t at;                     /* in bits */
    bool failed;
};

static uint32_t f(struct bits *b, unsigned count)
{
    if (b->failed || count > b->data.size * 8 - b->at) {
        b->failed = true;
        return 0;
    }
    uint32_t v = 0;
    for (unsigned i = 0; i < count; i++, b->at++)
        v = v << 1 | (b->data.data[b->at / 8] >> (7 - b->at % 8) & 1u);
    return v;
}

/* ns(n), AV1 specification 4.10.7: a value below n in as few bits as it takes. */
static uint32_t ns(struct bits *b, uint32_t n)
{
    unsigned w = 0;
    for (uint32_t x = n; x != 0; x >>= 1)
        w++;
    uint32_t m = (1u << w) - n;
    uint32_t v = f(b, w - 1);
    if (v < m)
        return v;
    return (v << 1) - m + f(b, 1);
}

/* template_layers() */
static bool read_layers(struct bits *b, struct dd_structure *s)
{
    uint8_t spatial = 0;
    uint8_t temporal = 0;
    for (;;) {
        if (s->template_count == DD_TEMPLATES_MAX || spatial >= DD_SPATIAL_MAX || temporal >= DD_TEMPORAL_MAX)
            return false;
        s->layer[s->template_count++] = (uint8_t)(spatial << 4 | temporal);
        if (temporal >= s->temporal_count)
            s->temporal_count = (uint8_t)(temporal + 1);
        uint32_t next = f(b, 2);
        if (b->failed)
            return false;
        if (next == NEXT_NONE)
            break;
        if (next == NEXT_TEMPORAL) {
            temporal++;
        } else if (next == NEXT_SPATIAL) {
            temporal = 0;
            spatial++;
        }
    }
    s->spatial_count = (uint8_t)(spatial + 1);
    return true;
}

/* template_fdiffs() */
static bool skip_fdiffs(struct bits *b, uint8_t templates)
{
    for (unsigned i = 0; i < templates; i++) {
        unsigned count = 0;
        while (f(b, 1) == 1) {
            (void)f(b, 4);
            if (++count > FDIFFS_MAX)
                return false;
        }
    }
    return !b->failed;
}

/* template_chains() */
static void skip_chains(struct bits *b, const struct dd_structure *s)
{
    uint32_t chains = ns(b, s->target_count + 1u);
    if (chains == 0)
        return;
    for (unsigned i = 0; i < s->target_count; i++)
        (void)ns(b, chains);
    for (unsigned i = 0; i < s->template_count * chains && !b->failed; i++)
        (void)f(b, 4);
}

/* template_dependency_structure() */
static bool read_structure(struct bits *b, struct dd_structure *s)
{
    *s = (struct dd_structure){.known = true};
    s->template_offset = (uint8_t)f(b, 6);
    s->target_count = (uint8_t)(f(b, 5) + 1);
    if (!read_layers(b, s))
        return false;
    for (unsigned i = 0; i < (unsigned)s->template_count * s->target_count && !b->failed; i++)
        (void)f(b, 2);             /* template_dti */
    if (!skip_fdiffs(b, s->template_count))
        return false;
    skip_chains(b, s);
    s->has_resolutions = f(b, 1) == 1;
    for (unsigned i = 0; s->has_resolutions && i < s->spatial_count; i++) {
        uint32_t width = f(b, 16) + 1;
        uint32_t height = f(b, 16) + 1;
        s->width[i] = (uint16_t)(width > UINT16_MAX ? UINT16_MAX : width);
        s->height[i] = (uint16_t)(height > UINT16_MAX ? UINT16_MAX : height);
    }
    return !b->failed;
}

static void find_layer(struct dd *d, const struct dd_structure *s)
{
    if (!s->known)
        return;
    uint8_t index = (uint8_t)((d->template_id + DD_TEMPLATES_MAX - s->template_offset) % DD_TEMPLATES_MAX);
    if (index >= s->template_count)
        return;
    d->has_layer = true;
    d->spatial = s->layer[index] >> 4;
    d->temporal = s->layer[index] & 0x0F;
}

bool dd_parse(struct dd *out, struct dd_structure *structure, struct view descriptor)
{
    if (descriptor.size < DESCRIPTOR_MANDATORY)
        return false;
    struct bits b = {.data = descriptor};
    struct dd d = {.start_of_frame = f(&b, 1) == 1};
    d.end_of_frame = f(&b, 1) == 1;
    d.template_id = (uint8_t)f(&b, 6);
    d.frame_number = (uint16_t)f(&b, 16);

    struct dd_structure fresh;
    if (descriptor.size > DESCRIPTOR_MANDATORY) {      /* extended_descriptor_fields() */
        d.has_structure = f(&b, 1) == 1;
        d.has_active_targets = f(&b, 1) == 1;
        (void)f(&b, 3);            /* custom dtis, fdiffs, chains: they come last and nobody here needs them */
        if (d.has_structure) {
            if (!read_structure(&b, &fresh))
                return false;
            d.active_targets = (uint32_t)((1ull << fresh.target_count) - 1);
        }
        if (d.has_active_targets) {
            uint8_t targets = d.has_structure ? fresh.target_count : structure->target_count;
            d.has_active_targets = d.has_structure || structure->known;
            d.active_targets = d.has_active_targets ? f(&b, targets) : 0;
        }
        if (b.failed)
            return false;
    }
    if (d.has_structure)
        *structure = fresh;
    find_layer(&d, structure);
    *out = d;
    return true;
}
