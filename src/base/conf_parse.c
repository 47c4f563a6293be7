/* Reading. One pass, by recursion: bounded by CONF_DEPTH_MAX and CONF_INCLUDE_MAX.
 *
 *      members = { [ "@include" string ] | name ( "=" | ":" ) value [ ";" | "," ] }
 *      value   = string { string } | word | "{" members "}" | "[" values "]" | "(" values ")"
 *
 * A name is bare, or a string (ours). A word is a number or a boolean. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_impl.h"
#include "base/str.h"

/* What all files of one parse share. */
struct budget {
    uint32_t nodes;
    size_t bytes;
    const struct conf_includes *includes;
    struct conf_error *error;
};

struct parser {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t line;
    const char *file;
    uint32_t depth;             /* of groups and lists */
    uint32_t include_depth;
    bool failed;
    struct budget *budget;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct parser *p, const char *format, ...)
{
    if (p->failed)
        return false;           /* the first one tells the cause */
    p->failed = true;
    struct conf_error *error = p->budget->error;
    *error = (struct conf_error){.line = p->line};
    snprintf(error->file, sizeof(error->file), "%s", p->file);
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return false;
}

/* ---- characters */

static int peek(const struct parser *p)
{
    return p->at < p->end ? *p->at : -1;
}

static int take(struct parser *p)
{
    int c = peek(p);
    if (c < 0)
        return c;
    p->at++;
    if (c == '\n')
        p->line++;
    return c;
}

static void skip_line(struct parser *p)
{
    while (p->at < p->end && *p->at != '\n')
        p->at++;
}

static bool skip_comment_block(struct parser *p)
{
    uint32_t line = p->line;
    p->at += 2;
    while (p->end - p->at >= 2) {
        if (p->at[0] == '*' && p->at[1] == '/') {
            p->at += 2;
            return true;
        }
        take(p);
    }
    p->line = line;
    return fail(p, "a comment without its end");
}

/* Blanks and comments. */
static bool skip(struct parser *p)
{
    for (;;) {
        int c = peek(p);
        int next = p->end - p->at >= 2 ? p->at[1] : -1;
        if (c == ' ' || (c >= '\t' && c <= '\r'))
            take(p);
        else if (c == '#' || (c == '/' && next == '/'))
            skip_line(p);
        else if (c == '/' && next == '*') {
            if (!skip_comment_block(p))
                return false;
        } else
            return true;
    }
}

static bool fail_unexpected(struct parser *p, const char *wanted)
{
    int c = peek(p);
    if (c < 0)
        return fail(p, "the text ends where %s is expected", wanted);
    if (c < 0x20 || c >= 0x7F)
        return fail(p, "byte 0x%02x where %s is expected", (unsigned)c, wanted);
    return fail(p, "'%c' where %s is expected", c, wanted);
}

/* ---- strings */

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex_escape(struct parser *p, struct buf *out)
{
    int high = hex_digit(take(p));
    int low = high < 0 ? -1 : hex_digit(take(p));
    if (low < 0)
        return fail(p, "\\x needs two hex digits");
    if (high * 16 + low == 0)
        return fail(p, "a zero byte inside a string");
    buf_add_char(out, (char)(high * 16 + low));
    return true;
}

static bool read_escape(struct parser *p, struct buf *out)
{
    static const char from[] = "\\\"nrtfabv";
    static const char to[] = "\\\"\n\r\t\f\a\b\v";
    int c = take(p);
    if (c == 'x')
        return read_hex_escape(p, out);
    const char *hit = c > 0 ? strchr(from, c) : NULL;
    if (hit != NULL) {
        buf_add_char(out, to[hit - from]);
        return true;
    }
    if (c <= 0)
        return fail(p, "a string without its end");
    buf_add_char(out, '\\');            /* no escape: a backslash like any other */
    buf_add_char(out, (char)c);
    return true;
}

/* One quoted string, appended to `out`. */
static bool read_quoted(struct parser *p, struct buf *out)
{
    uint32_t line = p->line;
    take(p);
    for (;;) {
        int c = take(p);
        if (c == '"')
            return true;
        if (c < 0) {
            p->line = line;             /* where it begins helps more than the last line */
            return fail(p, "a string without its end");
        }
        if (c == 0)
            return fail(p, "a zero byte inside a string");
        if (c != '\\')
            buf_add_char(out, (char)c);
        else if (!read_escape(p, out))
            return false;
    }
}

/* ---- words: numbers and booleans */

static bool is_word(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '+' || c == '-' || c == '_';
}

static bool digits_to_u64(struct view digits, uint32_t base, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.size; i++) {
        int digit = hex_digit(digits.data[i]);
        if (digit < 0 || (uint32_t)digit >= base)
            return false;
        if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *out = value;
    return digits.size > 0;
}

/* Sign, 0x 0b 0o, L or LL. From -2^63 to 2^64-1. */
static bool word_to_integer(struct view word, char text[24])
{
    bool negative = word.size > 0 && word.data[0] == '-';
    if (negative || (word.size > 0 && word.data[0] == '+'))
        word = VIEW(word.data + 1, word.size - 1);
    for (int i = 0; i < 2 && word.size > 1 && word.data[word.size - 1] == 'L'; i++)
        word.size--;
    uint32_t base = 10;
    if (word.size > 2 && word.data[0] == '0') {
        uint8_t mark = word.data[1] | 0x20;
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : mark == 'o' ? 8 : 10;
    }
    if (base != 10)
        word = VIEW(word.data + 2, word.size - 2);
    uint64_t value;
    if (!digits_to_u64(word, base, &value) || (negative && value > (uint64_t)INT64_MAX + 1))
        return false;
    snprintf(text, 24, "%s%llu", negative && value != 0 ? "-" : "", (unsigned long long)value);
    return true;
}

#define REAL_TEXT 340           /* the largest double has 309 digits before the point */

static bool word_to_real(struct view word, char text[REAL_TEXT])
{
    char copy[REAL_TEXT];
    if (!str_copy(copy, sizeof(copy), word) || strspn(copy, "0123456789+-.eE") != word.size || strpbrk(copy, "0123456789") == NULL)
        return false;
    if (strpbrk(copy, ".eE") == NULL)
        return false;           /* an integer, then: one that is out of range must not pass as a real */
    char *end;
    double value = strtod(copy, &end);
    if (*end != '\0' || value > 1.7e308 || value < -1.7e308)
        return false;
    snprintf(text, REAL_TEXT, "%f", value);
    return true;
}

static bool count_node(struct parser *p)
{
    if (p->budget->nodes >= CONF_NODES_MAX)
        return fail(p, "more than %u settings", CONF_NODES_MAX);
    p->budget->nodes++;
    return true;
}

static struct conf_node *read_word(struct parser *p, struct view name)
{
    const uint8_t *start = p->at;
    while (is_word(peek(p)))
        take(p);
    struct view word = VIEW(start, p->at - start);
    char text[REAL_TEXT];
    if (word.size == 0) {
        fail_unexpected(p, "a value");
        return NULL;
    }
    if (str_equal_nocase(word, STR("true")))
        return conf_node_new(CONF_BOOLEAN, name, STR("true"), p->line);
    if (str_equal_nocase(word, STR("false")))
        return conf_node_new(CONF_BOOLEAN, name, STR("false"), p->line);
    if (word_to_integer(word, text))
        return conf_node_new(CONF_INTEGER, name, str_of(text), p->line);
    if (word_to_real(word, text))
        return conf_node_new(CONF_REAL, name, str_of(text), p->line);
    /* The word itself is not told: it may be a secret without its quotes. */
    fail(p, "the value of %.*s is no number and no boolean: text needs quotes", name.size > 0 ? (int)(name.size < 40 ? name.size : 40) : 7,
        name.size > 0 ? (const char *)name.data : "an item");
    return NULL;
}

/* ---- values */

static struct conf_node *read_value(struct parser *p, struct view name);
static bool read_members(struct parser *p, struct conf_node *group, int close);

static struct conf_node *read_string(struct parser *p, struct view name)
{
    struct buf text;
    buf_init(&text, CONF_TEXT_MAX);
    uint32_t line = p->line;
    bool fine = true;
    while (fine && peek(p) == '"')
        fine = read_quoted(p, &text) && skip(p);
    if (fine && text.failed)
        fine = fail(p, "a string that is too long");
    struct conf_node *node = fine ? conf_node_new(CONF_STRING, name, buf_view(&text), line) : NULL;
    buf_fini(&text);
    return node;
}

static bool read_items(struct parser *p, struct conf_node *list, int close)
{
    for (;;) {
        if (!skip(p))
            return false;
        if (peek(p) == close) {
            take(p);
            return true;
        }
        struct conf_node *item = read_value(p, VIEW(NULL, 0));
        if (item == NULL)
            return false;
        if (close == ']' && !conf_is_scalar(item)) {
            conf_free(item);
            return fail(p, "an array [] holds plain values only; lists are ()");
        }
        conf_node_put(list, item);
        if (!skip(p))
            return false;
        if (peek(p) == ',')
            take(p);
        else if (peek(p) != close)
            return fail_unexpected(p, close == ']' ? "',' or ']'" : "',' or ')'");
    }
}

static struct conf_node *read_container(struct parser *p, struct view name)
{
    uint32_t line = p->line;
    int open = take(p);
    if (p->depth >= CONF_DEPTH_MAX) {
        fail(p, "more than %u groups inside each other", CONF_DEPTH_MAX);
        return NULL;
    }
    p->depth++;
    struct conf_node *node = conf_node_new(open == '{' ? CONF_GROUP : CONF_LIST, name, VIEW(NULL, 0), line);
    bool fine = open == '{' ? read_members(p, node, '}') : read_items(p, node, open == '[' ? ']' : ')');
    p->depth--;
    if (fine)
        return node;
    conf_free(node);
    return NULL;
}

static struct conf_node *read_value(struct parser *p, struct view name)
{
    if (!count_node(p) || !skip(p))
        return NULL;
    int c = peek(p);
    if (c == '"')
        return read_string(p, name);
    return c == '{' || c == '[' || c == '(' ? read_container(p, name) : read_word(p, name);
}

/* ---- settings */

static bool read_name(struct parser *p, struct buf *name)
{
    if (peek(p) == '"') {
        if (!read_quoted(p, name))
            return false;
    } else {
        const uint8_t *start = p->at;
        while (is_word(peek(p)) || peek(p) == '*')
            take(p);
        buf_add(name, start, (size_t)(p->at - start));
        if (name->size == 0)
            return fail_unexpected(p, "a name");
        if (!conf_name_is_bare(buf_view(name)))
            return fail(p, "a name that needs quotes: %.40s", buf_text(name));
    }
    if (name->failed || name->size == 0)
        return fail(p, name->failed ? "a name that is too long" : "an empty name");
    return true;
}

static bool read_setting(struct parser *p, struct conf_node *group)
{
    struct buf name;
    buf_init(&name, CONF_NAME_MAX);
    struct conf_node *node = NULL;
    if (read_name(p, &name) && skip(p)) {
        if (peek(p) == '=' || peek(p) == ':') {
            take(p);
            node = read_value(p, buf_view(&name));
        } else {
            fail_unexpected(p, "'=' or ':'");
        }
    }
    buf_fini(&name);
    if (node == NULL)
        return false;
    conf_node_put(group, node);
    if (!skip(p))
        return false;
    if (peek(p) == ';' || peek(p) == ',')
        take(p);
    return true;
}

static bool parse_text(struct parser *p, struct view text, struct conf_node *group);

static bool include_file(struct parser *p, struct conf_node *group, const char *path)
{
    const struct conf_includes *includes = p->budget->includes;
    if (includes == NULL)
        return fail(p, "@include can't be used here");
    if (p->include_depth >= CONF_INCLUDE_MAX)
        return fail(p, "more than %u files inside each other", CONF_INCLUDE_MAX);
    struct buf text;
    buf_init(&text, CONF_TEXT_MAX);
    bool fine = includes->read(includes->owner, path, &text) && !text.failed;
    if (!fine) {
        fail(p, "the file to include can't be read: %s", path);
    } else {
        struct parser inner = {.file = path, .depth = p->depth, .include_depth = p->include_depth + 1, .budget = p->budget};
        fine = parse_text(&inner, buf_view(&text), group);
        p->failed = !fine;
    }
    buf_fini(&text);
    return fine;
}

static bool read_include(struct parser *p, struct conf_node *group)
{
    static const char word[] = "@include";
    if ((size_t)(p->end - p->at) < sizeof(word) - 1 || memcmp(p->at, word, sizeof(word) - 1) != 0)
        return fail(p, "'@' where a name is expected");
    p->at += sizeof(word) - 1;
    if (!skip(p))
        return false;
    if (peek(p) != '"')
        return fail_unexpected(p, "the quoted name of a file");
    struct buf path;
    buf_init(&path, CONF_NAME_MAX);
    bool fine = read_quoted(p, &path);
    if (fine && path.failed)
        fine = fail(p, "the name of a file that is too long");
    fine = fine && include_file(p, group, buf_text(&path));
    buf_fini(&path);
    return fine;
}

/* Up to `close`, or to the end of the text when that is -1. */
static bool read_members(struct parser *p, struct conf_node *group, int close)
{
    for (;;) {
        if (!skip(p))
            return false;
        int c = peek(p);
        if (c == close) {
            take(p);
            return true;
        }
        if (c < 0)
            return fail(p, "the text ends inside a group");
        if (!(c == '@' ? read_include(p, group) : read_setting(p, group)))
            return false;
    }
}

static bool parse_text(struct parser *p, struct view text, struct conf_node *group)
{
    p->line = 1;
    if (text.size > CONF_TEXT_MAX - p->budget->bytes)
        return fail(p, "more than %u bytes of configuration", CONF_TEXT_MAX);
    p->budget->bytes += text.size;
    if (str_starts(text, STR("\xEF\xBB\xBF")))      /* a byte order mark, from some editors */
        text = VIEW(text.data + 3, text.size - 3);
    p->at = text.data;
    p->end = text.size > 0 ? text.data + text.size : text.data;
    return read_members(p, group, -1);
}

/* ---- INI */

/* Ends the line at the first `;` that has no backslash before it, and takes the backslash away from the others. */
static bool unescape_ini(struct parser *p, struct view line, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < line.size; i++) {
        bool escaped = line.data[i] == '\\' && i + 1 < line.size && line.data[i + 1] == ';';
        if (line.data[i] == ';')
            break;
        if (line.data[i] == 0)
            return fail(p, "a zero byte");
        buf_add_char(out, (char)line.data[escaped ? ++i : i]);
    }
    return !out->failed || fail(p, "a line that is too long");
}

static bool read_ini_line(struct parser *p, struct conf_node *root, struct conf_node **group, struct view line)
{
    if (line.size == 0)
        return true;
    if (line.data[0] == '[') {
        bool closed = line.size >= 3 && line.data[line.size - 1] == ']';
        struct view name = str_trim(VIEW(line.data + 1, closed ? line.size - 2 : 0));
        if (name.size == 0)
            return fail(p, "a category needs a name between [ and ]");
        char text[CONF_NAME_MAX];
        if (!str_copy(text, sizeof(text), name))
            return fail(p, "a name that is too long");
        *group = conf_set_group(root, text);
        return count_node(p);
    }
    struct view value = line;
    struct view name = str_trim(str_split(&value, '='));
    if (name.size == line.size || name.size == 0 || name.size >= CONF_NAME_MAX)
        return fail(p, "a line that is no name = value");
    if (value.size > 0 && value.data[0] == '>')
        value = VIEW(value.data + 1, value.size - 1);
    if (!count_node(p))
        return false;
    conf_node_put(*group, conf_node_new(CONF_STRING, name, str_trim(value), p->line));
    return true;
}

static bool parse_ini(struct parser *p, struct view text, struct conf_node *root)
{
    p->line = 1;
    if (text.size > CONF_TEXT_MAX)
        return fail(p, "more than %u bytes of configuration", CONF_TEXT_MAX);
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = VIEW(text.data + 3, text.size - 3);
    struct conf_node *group = root;
    struct buf line;
    buf_init(&line, CONF_TEXT_MAX);
    bool fine = true;
    for (; fine && text.size > 0; p->line += fine)
        fine = unescape_ini(p, str_split(&text, '\n'), &line) && read_ini_line(p, root, &group, str_trim(buf_view(&line)));
    buf_fini(&line);
    return fine;
}

struct conf_node *conf_parse(struct view text, enum conf_format format, const struct conf_includes *includes, struct conf_error *error)
{
    struct budget budget = {.includes = includes, .error = error};
    struct parser p = {.file = "", .budget = &budget};
    struct conf_node *root = conf_new();
    *error = (struct conf_error){0};
    if (format == CONF_INI ? parse_ini(&p, text, root) : parse_text(&p, text, root))
        return root;
    conf_free(root);
    return NULL;
}
