/* Names of rooms and participants: numbers, or with `string_ids` texts (videoroom.md 0). */
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

/* They stand in descriptions (`s=`, `msid`): what would end a line there is no name. */
bool vr_id_text_is_fine(struct view text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7F)
            return false;
    return text.size <= VR_ID_TEXT_MAX;
}

enum vr_error vr_id_read(struct vr_call *call, const json_t *object, const char *name, bool required, struct vr_id *out)
{
    const struct schema_field field = {name, call->vr->string_ids ? SCHEMA_STRING : SCHEMA_POSINT, required};
    *out = (struct vr_id){0};
    enum vr_error error = vr_check_fields(call, &field, 1, object);
    if (error != VR_OK)
        return error;
    const json_t *value = json_object_get(object, name);
    if (value == NULL)
        return VR_OK;
    if (!call->vr->string_ids) {
        out->number = (uint64_t)json_integer_value(value);
        return VR_OK;
    }
    if (!vr_id_text_is_fine(str_of(json_string_value(value))))
        return vr_fail(call, VR_INVALID_ELEMENT, "Invalid element type (%s should be at most %u characters, all of them visible)", name,
                       VR_ID_TEXT_MAX);
    out->text = (char *)json_string_value(value);
    return VR_OK;
}

bool vr_id_is_unset(const struct vr_id *id)
{
    return id->text == NULL ? id->number == 0 : id->text[0] == '\0';
}

struct vr_id vr_id_copy(const struct vr_id *id)
{
    return (struct vr_id){id->number, vr_strdup(id->text)};
}

struct vr_id vr_id_random(struct videoroom *vr)
{
    if (!vr->string_ids)
        return (struct vr_id){.number = rng_id53(host_rng(vr->host))};
    char *text = mem_get(RNG_UUID_TEXT);
    rng_uuid(host_rng(vr->host), text);
    return (struct vr_id){.text = text};
}

void vr_id_free(struct vr_id *id)
{
    mem_put(id->text);
    *id = (struct vr_id){0};
}

bool vr_id_equal(const struct vr_id *a, const struct vr_id *b)
{
    if (a->text != NULL || b->text != NULL)
        return a->text != NULL && b->text != NULL && strcmp(a->text, b->text) == 0;
    return a->number == b->number;
}

uint64_t vr_id_hash(const struct videoroom *vr, const struct vr_id *id)
{
    const struct hash_key *key = host_hash_key(vr->host);
    return id->text != NULL ? hash_bytes(key, str_of(id->text)) : hash_u64(key, id->number);
}

void vr_id_write(struct json_out *j, const char *key, const struct vr_id *id)
{
    if (id->text != NULL)
        jout_string(j, key, id->text);
    else
        jout_uint(j, key, id->number);
}

const char *vr_id_show(const struct vr_id *id, char out[VR_ID_SHOWN])
{
    if (id->text != NULL)
        snprintf(out, VR_ID_SHOWN, "%s", id->text);
    else
        (void)fmt_uint(out, id->number);
    return out;
}
