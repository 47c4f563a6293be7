/* proto/rtp/dd.c - AV1 RTP specification 1.0, A.8.3. Names in comments are the specification's. A descriptor is at most
 * 255 bytes, so bit positions fit an unsigned. */
#include "proto/rtp/dd.h"

#define DESCRIPTOR_MANDATORY 3u
#define NEXT_TEMPORAL 1u           /* next_layer_idc, table A.2 */
#define NEXT_SPATIAL  2u
#define NEXT_NONE     3u
#define DTI_ABSENT    0u           /* decode target indications, table A.3 */
#define DTI_SWITCH    2u
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

/* template_dtis(): two bits for each decode target, the first target in the lowest. */
static void read_dtis(struct bits *b, const struct dd_structure *s, uint64_t dtis[DD_TEMPLATES_MAX])
{
    for (unsigned i = 0; i < s->template_count && !b->failed; i++) {
        dtis[i] = 0;
        for (unsigned k = 0; k < s->target_count; k++)
            dtis[i] |= (uint64_t)f(b, 2) << 2 * k;
    }
}

static unsigned dti_of(uint64_t dtis, unsigned target)
{
    return dtis >> 2 * target & 3u;
}

/* A decode target has the highest layers of the frames that belong to it. */
static void find_targets(struct dd_structure *s, const uint64_t dtis[DD_TEMPLATES_MAX])
{
    for (unsigned k = 0; k < s->target_count; k++) {
        uint8_t spatial = 0, temporal = 0;
        for (unsigned i = 0; i < s->template_count; i++) {
            if (dti_of(dtis[i], k) == DTI_ABSENT)
                continue;
            if (s->layer[i] >> 4 > spatial)
                spatial = s->layer[i] >> 4;
            if ((s->layer[i] & 0x0F) > temporal)
                temporal = s->layer[i] & 0x0F;
        }
        s->target[k] = (uint8_t)(spatial << 4 | temporal);
    }
}

static uint8_t switches(const struct dd_structure *s, uint8_t spatial, uint64_t dtis)
{
    uint8_t to = 0;
    for (unsigned k = 0; k < s->target_count; k++)
        if (s->target[k] >> 4 == spatial && dti_of(dtis, k) == DTI_SWITCH)
            to |= (uint8_t)(1u << (s->target[k] & 0x0F));
    return to;
}

static void set_active(struct dd_structure *s, uint32_t active)
{
    s->active_spatial_count = 0;
    for (unsigned k = 0; k < s->target_count; k++)
        if ((active >> k & 1) != 0 && s->target[k] >> 4 >= s->active_spatial_count)
            s->active_spatial_count = (uint8_t)((s->target[k] >> 4) + 1);
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
    uint64_t dtis[DD_TEMPLATES_MAX];
    *s = (struct dd_structure){.known = true};
    s->template_offset = (uint8_t)f(b, 6);
    s->target_count = (uint8_t)(f(b, 5) + 1);
    if (!read_layers(b, s))
        return false;
    read_dtis(b, s, dtis);
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
    if (b->failed)
        return false;
    find_targets(s, dtis);
    for (unsigned i = 0; i < s->template_count; i++)
        s->switch_to[i] = switches(s, s->layer[i] >> 4, dtis[i]);
    return true;
}

static bool find_layer(struct dd *d, const struct dd_structure *s)
{
    uint8_t index = (uint8_t)((d->template_id + DD_TEMPLATES_MAX - s->template_offset) % DD_TEMPLATES_MAX);
    if (!s->known || index >= s->template_count)
        return false;
    d->has_layer = true;
    d->spatial = s->layer[index] >> 4;
    d->temporal = s->layer[index] & 0x0F;
    d->switch_to = s->switch_to[index];
    return true;
}

/* frame_dtis(): this frame's own, instead of its template's. What follows them is for those who decode. */
static void read_own_dtis(struct bits *b, struct dd *d, const struct dd_structure *s)
{
    uint64_t dtis = 0;
    for (unsigned k = 0; k < s->target_count; k++)
        dtis |= (uint64_t)f(b, 2) << 2 * k;
    d->switch_to = switches(s, d->spatial, dtis);
}

/* extended_descriptor_fields(), and of frame_dependency_definition() what is of use here. `structure`: the one that was known
 * before; `fresh` takes a new one. */
static bool read_extended(struct bits *b, struct dd *d, const struct dd_structure *structure, struct dd_structure *fresh)
{
    d->has_structure = f(b, 1) == 1;
    d->has_active_targets = f(b, 1) == 1;
    const bool own_dtis = f(b, 1) == 1;
    (void)f(b, 2);                 /* custom_fdiffs_flag, custom_chains_flag */
    if (d->has_structure && !read_structure(b, fresh))
        return false;
    const struct dd_structure *s = d->has_structure ? fresh : structure;
    d->active_targets = d->has_structure ? (uint32_t)((1ull << s->target_count) - 1) : 0;
    if (d->has_active_targets)
        d->active_targets = f(b, s->target_count);     /* of none, while no structure is known */
    d->has_active_targets = d->has_active_targets && s->known;
    if (find_layer(d, s) && own_dtis)
        read_own_dtis(b, d, s);
    return !b->failed;
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
    if (descriptor.size == DESCRIPTOR_MANDATORY)
        (void)find_layer(&d, structure);
    else if (!read_extended(&b, &d, structure, &fresh))
        return false;
    if (d.has_structure)
        *structure = fresh;
    if (d.has_structure || d.has_active_targets)
        set_active(structure, d.active_targets);
    *out = d;
    return true;
}
