#include "base/json_splice.h"

#include "base/str.h"

#define INDENT "   "      /* as in base/json_out.c */

static void line(struct buf *buf, uint32_t depth)
{
    buf_add_char(buf, '\n');
    for (uint32_t i = 0; i < depth; i++)
        buf_add_text(buf, INDENT);
}

/* Bytes of the string that begins at json.data[at], quotes included. */
static size_t string_size(struct view json, size_t at)
{
    size_t i = at + 1;
    while (i < json.size && json.data[i] != '"')
        i += json.data[i] == '\\' ? 2 : 1;
    return (i < json.size ? i + 1 : json.size) - at;
}

/* What stands between tokens in a layout; `next` is the byte after the token, to keep {} and [] together. */
static void punctuation(struct buf *buf, enum json_layout layout, uint8_t c, uint8_t next, uint32_t *depth)
{
    bool lines = layout == LAYOUT_INDENTED;
    switch (c) {
    case '{':
    case '[':
        buf_add_char(buf, (char)c);
        ++*depth;
        if (lines && next != '}' && next != ']')
            line(buf, *depth);
        break;
    case ',':
        buf_add_char(buf, ',');
        if (lines)
            line(buf, *depth);
        else
            buf_add_char(buf, ' ');
        break;
    case ':':
        buf_add_text(buf, ": ");
        break;
    default:
        buf_add_char(buf, (char)c);
        break;
    }
}

static void spread(struct json_out *j, struct view json)
{
    uint32_t depth = j->depth;
    uint8_t before = 0;
    for (size_t i = 0; i < json.size;) {
        uint8_t c = json.data[i];
        if (c == '"') {
            size_t size = string_size(json, i);
            buf_add(j->buf, json.data + i, size);
            i += size;
        } else {
            if (c == '}' || c == ']') {
                depth -= depth > 0 ? 1 : 0;
                if (j->layout == LAYOUT_INDENTED && before != '{' && before != '[')
                    line(j->buf, depth);
            }
            punctuation(j->buf, j->layout, c, i + 1 < json.size ? json.data[i + 1] : 0, &depth);
            i++;
        }
        before = c;
    }
}

void json_splice(struct json_out *j, const char *key, struct view json)
{
    if (j->layout == LAYOUT_COMPACT) {
        jout_raw(j, key, json);
        return;
    }
    jout_raw(j, key, VIEW(NULL, 0));
    spread(j, json);
}
