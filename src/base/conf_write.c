/* Writing: what the reader reads, and as far as names allow, what libconfig reads too. */
#include <stdio.h>
#include <string.h>

#include "base/conf_impl.h"
#include "base/str.h"

static void write_quoted(struct buf *out, const char *text)
{
    buf_add_char(out, '"');
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        if (c == '"' || c == '\\') {
            buf_add_char(out, '\\');
            buf_add_char(out, (char)c);
        } else if (c == '\n') {
            buf_add_text(out, "\\n");
        } else if (c == '\r') {
            buf_add_text(out, "\\r");
        } else if (c == '\t') {
            buf_add_text(out, "\\t");
        } else if (c < 0x20 || c == 0x7F) {
            buf_addf(out, "\\x%02x", c);
        } else {
            buf_add_char(out, (char)c);
        }
    }
    buf_add_char(out, '"');
}

static void write_indent(struct buf *out, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++)
        buf_add_char(out, '\t');
}

/* libconfig takes a number without the L as 32 bits, and what doesn't fit is another number there. */
static void write_integer(struct buf *out, const char *value)
{
    size_t digits = strlen(value) - (value[0] == '-');
    buf_add_text(out, value);
    if (digits > 9)
        buf_add_char(out, 'L');
}

static void write_children(const struct conf_node *node, struct buf *out, uint32_t depth);

static void write_value(const struct conf_node *node, struct buf *out, uint32_t depth)
{
    switch (node->kind) {
    case CONF_STRING:
        write_quoted(out, node->value);
        break;
    case CONF_INTEGER:
        write_integer(out, node->value);
        break;
    case CONF_REAL:
    case CONF_BOOLEAN:
        buf_add_text(out, node->value);
        break;
    case CONF_GROUP:
    case CONF_LIST:
        buf_add_text(out, node->kind == CONF_GROUP ? "{\n" : "(\n");
        write_children(node, out, depth + 1);
        write_indent(out, depth);
        buf_add_char(out, node->kind == CONF_GROUP ? '}' : ')');
        break;
    }
}

static void write_children(const struct conf_node *node, struct buf *out, uint32_t depth)
{
    for (uint32_t i = 0; i < node->count && !out->failed; i++) {
        const struct conf_node *child = node->children[i];
        write_indent(out, depth);
        if (node->kind == CONF_GROUP) {
            if (conf_name_is_bare(str_of(child->name)))
                buf_add_text(out, child->name);
            else
                write_quoted(out, child->name);
            buf_add_text(out, child->kind == CONF_GROUP ? ": " : " = ");
        }
        write_value(child, out, depth);
        if (node->kind == CONF_LIST && i + 1 < node->count)
            buf_add_char(out, ',');
        else if (node->kind == CONF_GROUP && child->kind == CONF_STRING)
            buf_add_char(out, ';');         /* or a quoted name on the next line would be joined to the text */
        buf_add_char(out, '\n');
    }
}

void conf_write(const struct conf_node *root, struct buf *out)
{
    write_children(root, out, 0);
}
