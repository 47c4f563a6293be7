#include "base/json_out.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

#define INDENT "   "      /* three blanks a level (transports.md 1.2) */

void jout_begin(struct json_out *j, struct buf *buf, enum json_layout layout)
{
    *j = (struct json_out){.buf = buf, .layout = layout, .empty = true};
}

void jout_resume(struct json_out *j, struct buf *buf, enum json_layout layout, uint8_t depth, bool empty)
{
    CHECK(depth < JSON_DEPTH_MAX);
    *j = (struct json_out){.buf = buf, .layout = layout, .depth = depth, .empty = empty};
}

static void new_line(struct json_out *j)
{
    buf_add_char(j->buf, '\n');
    for (uint8_t i = 0; i < j->depth; i++)
        buf_add_text(j->buf, INDENT);
}

/* How many bytes from there on need no escape. Eight at a time: a byte below 0x20, a quote or a backslash sets the top bit of its place;
 * a false alarm behind a true one does no harm, since the loop below looks closely. */
static size_t plain_run(struct view text, size_t from)
{
    static const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    size_t i = from;
    for (; i + 8 <= text.size; i += 8) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof(word));
        const uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
        if ((((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & tops)
            break;
    }
    while (i < text.size && text.data[i] >= 0x20 && text.data[i] != '"' && text.data[i] != '\\')
        i++;
    return i;
}

static void write_escaped(struct buf *buf, struct view text)
{
    static const char hex[] = "0123456789abcdef";
    size_t from = 0, run = plain_run(text, 0);
    if (run == text.size && buf_grow(buf, text.size + 2)) {     /* most of them, keys above all */
        buf->data[buf->size] = '"';
        if (run > 0)
            memcpy(buf->data + buf->size + 1, text.data, run);
        buf->data[buf->size + 1 + run] = '"';
        buf->size += run + 2;
        return;
    }
    buf_add_char(buf, '"');
    for (size_t i = run; i < text.size; i = plain_run(text, i + 1)) {
        uint8_t c = text.data[i];
        buf_add(buf, text.data + from, i - from);
        from = i + 1;
        if (c == '\r' && from < text.size && text.data[from] == '\n') {      /* each line of an SDP */
            buf_add(buf, "\\r\\n", 4);
            from = ++i + 1;
            continue;
        }
        char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        switch (c) {
        case '"': buf_add_text(buf, "\\\""); break;
        case '\\': buf_add_text(buf, "\\\\"); break;
        case '\n': buf_add_text(buf, "\\n"); break;
        case '\r': buf_add_text(buf, "\\r"); break;
        case '\t': buf_add_text(buf, "\\t"); break;
        case '\b': buf_add_text(buf, "\\b"); break;
        case '\f': buf_add_text(buf, "\\f"); break;
        default: buf_add(buf, escape, sizeof(escape)); break;
        }
    }
    if (text.size > from)
        buf_add(buf, text.data + from, text.size - from);
    buf_add_char(buf, '"');
}

/* Everything that stands before a value: comma, line, key. */
static void lead(struct json_out *j, const char *key)
{
    if (j->depth > 0) {
        if (!j->empty)
            buf_add_text(j->buf, j->layout == LAYOUT_PLAIN ? ", " : ",");
        if (j->layout == LAYOUT_INDENTED)
            new_line(j);
    }
    j->empty = false;
    if (key == NULL)
        return;
    write_escaped(j->buf, str_of(key));
    buf_add_text(j->buf, j->layout == LAYOUT_COMPACT ? ":" : ": ");
}

static void open_container(struct json_out *j, const char *key, bool array)
{
    lead(j, key);
    CHECK(j->depth + 1 < JSON_DEPTH_MAX);
    buf_add_char(j->buf, array ? '[' : '{');
    j->array[++j->depth] = array;
    j->empty = true;
}

void jout_object(struct json_out *j, const char *key)
{
    open_container(j, key, false);
}

void jout_array(struct json_out *j, const char *key)
{
    open_container(j, key, true);
}

void jout_end(struct json_out *j)
{
    CHECK(j->depth > 0);
    bool array = j->array[j->depth--];
    if (j->layout == LAYOUT_INDENTED && !j->empty)
        new_line(j);
    buf_add_char(j->buf, array ? ']' : '}');
    j->empty = false;
}

void jout_string_view(struct json_out *j, const char *key, struct view text)
{
    lead(j, key);
    write_escaped(j->buf, text);
}

void jout_string(struct json_out *j, const char *key, const char *text)
{
    if (text == NULL)
        jout_null(j, key);
    else
        jout_string_view(j, key, str_of(text));
}

void jout_int(struct json_out *j, const char *key, int64_t v)
{
    lead(j, key);
    if (v < 0) {
        buf_add_char(j->buf, '-');
        buf_add_u64(j->buf, (uint64_t)0 - (uint64_t)v);
    } else {
        buf_add_u64(j->buf, (uint64_t)v);
    }
}

void jout_uint(struct json_out *j, const char *key, uint64_t v)
{
    lead(j, key);
    buf_add_u64(j->buf, v);
}

void jout_bool(struct json_out *j, const char *key, bool v)
{
    lead(j, key);
    buf_add_text(j->buf, v ? "true" : "false");
}

void jout_real(struct json_out *j, const char *key, double v)
{
    char text[40];
    lead(j, key);
    if (!isfinite(v))
        v = 0;                       /* JSON has no word for it */
    snprintf(text, sizeof(text), "%.17g", v);
    if (strpbrk(text, ".eE") == NULL)
        strncat(text, ".0", sizeof(text) - strlen(text) - 1);
    buf_add_text(j->buf, text);
}

void jout_null(struct json_out *j, const char *key)
{
    lead(j, key);
    buf_add_text(j->buf, "null");
}

void jout_raw(struct json_out *j, const char *key, struct view json)
{
    lead(j, key);
    buf_add_view(j->buf, json);
}

bool jout_layout_parse(enum json_layout *out, struct view text)
{
    if (str_equal_nocase(text, STR("compact")))
        *out = LAYOUT_COMPACT;
    else if (str_equal_nocase(text, STR("plain")))
        *out = LAYOUT_PLAIN;
    else if (str_equal_nocase(text, STR("indented")))
        *out = LAYOUT_INDENTED;
    else
        return false;
    return true;
}
