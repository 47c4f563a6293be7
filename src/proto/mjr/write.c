#include "proto/mjr/mjr.h"

#include <stdio.h>
#include <string.h>

#include "base/json_out.h"
#include "base/str.h"

#define HEADER_MAX 65535u

bool mjr_codec_is_known(enum mjr_kind kind, const char *codec)
{
    static const char *const known[3][9] = {
        [MJR_AUDIO] = {"opus", "multiopus", "g711", "pcmu", "pcma", "g722", "l16-48", "l16"},
        [MJR_VIDEO] = {"vp8", "vp9", "h264", "av1", "h265"},
        [MJR_DATA] = {"text", "binary"},
    };
    for (const char *const *name = known[kind]; *name != NULL; name++)
        if (str_equal_nocase(str_of(codec), str_of(*name)))
            return true;
    return false;
}

static void add_u16(struct buf *out, uint16_t v)
{
    const uint8_t bytes[] = {(uint8_t)(v >> 8), (uint8_t)v};
    buf_add(out, bytes, sizeof(bytes));
}

static void add_u32(struct buf *out, uint32_t v)
{
    add_u16(out, (uint16_t)(v >> 16));
    add_u16(out, (uint16_t)v);
}

void mjr_write_magic(struct buf *out)
{
    buf_add(out, "MJR00002", MJR_MAGIC_BYTES);
}

static void add_text(struct json_out *j, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        jout_string(j, key, text);
}

static void write_json(struct buf *out, const struct mjr_info *info)
{
    static const char *const kinds[] = {"a", "v", "d"};
    struct json_out j;
    char id[12];
    jout_begin(&j, out, LAYOUT_PLAIN);
    jout_object(&j, NULL);
    jout_string(&j, "t", kinds[info->kind]);
    jout_string(&j, "c", info->codec);
    add_text(&j, "f", info->fmtp);
    add_text(&j, "d", info->description);
    if (info->ext_count > 0) {
        jout_object(&j, "x");
        for (uint32_t i = 0; i < info->ext_count; i++) {
            snprintf(id, sizeof(id), "%u", info->exts[i].id);
            jout_string(&j, id, info->exts[i].uri);
        }
        jout_end(&j);
    }
    jout_uint(&j, "s", info->created_us);
    jout_uint(&j, "u", info->first_us);
    if (info->kind == MJR_AUDIO && info->red_pt > 0)
        jout_uint(&j, "or", info->red_pt);
    if (info->e2ee)
        jout_bool(&j, "e", true);
    jout_end(&j);
}

bool mjr_write_header(struct buf *out, const struct mjr_info *info)
{
    struct buf json;
    buf_init(&json, HEADER_MAX);
    write_json(&json, info);
    const bool fits = !json.failed;
    if (fits) {
        add_u16(out, (uint16_t)json.size);
        buf_add_view(out, buf_view(&json));
    }
    buf_fini(&json);
    return fits;
}

bool mjr_write_frame(struct buf *out, uint32_t ms, struct view head, struct view body)
{
    if (head.size > MJR_PAYLOAD_MAX || body.size > MJR_PAYLOAD_MAX - head.size)
        return false;
    buf_add(out, "MEET", 4);
    add_u32(out, ms);
    add_u16(out, (uint16_t)(head.size + body.size));
    buf_add_view(out, head);
    buf_add_view(out, body);
    return true;
}
