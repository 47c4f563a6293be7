/* Reading heads. The block is held until its empty line, then parsed in one go: no state survives between lines, so none
 * can be confused. Every refusal is one that has let requests be smuggled past some proxy. */
#include <string.h>

#include "base/str.h"
#include "proto/http/http.h"

static const char *const method_names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

const char *http_method_name(enum http_method method)
{
    return method_names[method];
}

enum http_result http_scan(struct http_scan *scan, struct view bytes, size_t *used)
{
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        *used = i + 1;
        if (scan->size >= HTTP_HEAD_BYTES_MAX)
            return HTTP_TOO_LARGE;
        scan->size++;
        if (c == 0 || scan->after_cr != (c == '\n'))
            return HTTP_BAD;
        scan->after_cr = c == '\r';
        if (c == '\r')
            continue;
        if (c != '\n') {
            scan->line_size++;
            scan->started = true;
            continue;
        }
        /* One empty line before the first may be there (RFC 9112 2.2), and isn't the end. */
        if (scan->line_size == 0 && (scan->started || scan->size > 2))
            return HTTP_DONE;
        scan->line_size = 0;
    }
    *used = bytes.size;
    return HTTP_MORE;
}

/* The next line without its CRLF; the scan has shown that every LF follows a CR and none stands alone, but a caller's head
 * may come from elsewhere, so it is checked again here. */
static bool next_line(struct view *rest, struct view *line)
{
    const uint8_t *lf = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
    if (lf == NULL || lf == rest->data || lf[-1] != '\r')
        return false;
    *line = VIEW(rest->data, lf - rest->data - 1);
    *rest = VIEW(lf + 1, rest->data + rest->size - lf - 1);
    return line->size == 0 || (memchr(line->data, '\r', line->size) == NULL && memchr(line->data, 0, line->size) == NULL);
}

/* RFC 9110 5.6.2 */
static bool is_tchar(uint8_t c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

/* RFC 9110 5.5: visible characters, blanks, tabs and bytes above 0x7F; no other control character. */
static bool is_field_char(uint8_t c)
{
    return c == '\t' || (c >= ' ' && c != 0x7F);
}

static struct view trim_blanks(struct view v)
{
    while (v.size > 0 && (v.data[0] == ' ' || v.data[0] == '\t'))
        v = VIEW(v.data + 1, v.size - 1);
    while (v.size > 0 && (v.data[v.size - 1] == ' ' || v.data[v.size - 1] == '\t'))
        v.size--;
    return v;
}

/* `name: value`. A name made of tokens only also refuses obs-fold, a blank before the colon and an empty name. */
static bool parse_field(struct http_field *out, struct view line)
{
    struct view rest = line;
    out->name = str_split(&rest, ':');
    if (out->name.size == 0 || out->name.size == line.size)
        return false;
    for (size_t i = 0; i < out->name.size; i++)
        if (!is_tchar(out->name.data[i]))
            return false;
    for (size_t i = 0; i < rest.size; i++)
        if (!is_field_char(rest.data[i]))
            return false;
    out->value = trim_blanks(rest);
    return true;
}

/* All lines up to the empty one, which must be the last thing in the head. */
static unsigned parse_fields(struct http_fields *out, struct view rest)
{
    struct view line;
    out->count = 0;
    for (;;) {
        if (!next_line(&rest, &line))
            return 400;
        if (line.size == 0)
            return rest.size == 0 ? 0 : 400;
        if (out->count == HTTP_FIELDS_MAX)
            return 431;
        if (!parse_field(&out->list[out->count], line))
            return 400;
        out->count++;
    }
}

static bool is_named(const struct http_field *field, const char *name)
{
    return str_equal_nocase(field->name, str_of(name));
}

struct view http_field(const struct http_fields *fields, const char *name)
{
    for (uint32_t i = 0; i < fields->count; i++)
        if (is_named(&fields->list[i], name))
            return fields->list[i].value;
    return VIEW(NULL, 0);
}

uint32_t http_field_count(const struct http_fields *fields, const char *name)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < fields->count; i++)
        count += is_named(&fields->list[i], name);
    return count;
}

bool http_field_has_token(const struct http_fields *fields, const char *name, const char *token)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        if (!is_named(&fields->list[i], name))
            continue;
        struct view list = fields->list[i].value;
        while (list.size > 0)
            if (str_equal_nocase(trim_blanks(str_split(&list, ',')), str_of(token)))
                return true;
    }
    return false;
}

static bool parse_method(enum http_method *out, struct view text)
{
    for (size_t i = 0; i < ARRAY_COUNT(method_names); i++)
        if (str_equal(text, str_of(method_names[i]))) {
            *out = (enum http_method)i;
            return true;
        }
    return false;       /* CONNECT, TRACE and HTTP/2's PRI among them */
}

/* Origin form only: absolute and authority forms are for proxies, and 8-bit bytes and fragments never belong there. */
static bool parse_target(struct http_request *out, struct view target)
{
    if (target.size == 0)
        return false;
    if (str_equal(target, STR("*"))) {
        out->path = target;
        return out->method == HTTP_OPTIONS;
    }
    if (target.data[0] != '/')
        return false;
    for (size_t i = 0; i < target.size; i++)
        if (target.data[i] <= ' ' || target.data[i] >= 0x7F || target.data[i] == '#')
            return false;
    out->query = target;
    out->path = str_split(&out->query, '?');
    return true;
}

/* method SP target SP version: str_split at single spaces makes a second space part of what follows, where it is refused. */
static bool parse_request_line(struct http_request *out, struct view line)
{
    struct view version = line;
    struct view method = str_split(&version, ' ');
    struct view target = str_split(&version, ' ');
    if (str_equal(version, STR("HTTP/1.1")))
        out->minor = 1;
    else if (!str_equal(version, STR("HTTP/1.0")))
        return false;
    return parse_method(&out->method, method) && parse_target(out, target);
}

/* RFC 3986 3.2.2 and a port. Empty is allowed (RFC 9112 3.2). */
static bool is_host(struct view v)
{
    for (size_t i = 0; i < v.size; i++) {
        uint8_t c = v.data[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && (c == 0 || strchr("-._~%!$&'()*+;=:[]", c) == NULL))
            return false;
    }
    return true;
}

/* How long the body is must be said once and plainly (RFC 9112 6.3). */
static bool parse_framing(struct http_request *out)
{
    const struct http_fields *fields = &out->fields;
    uint32_t codings = http_field_count(fields, "Transfer-Encoding");
    uint32_t lengths = http_field_count(fields, "Content-Length");
    if (codings + lengths > 1)
        return false;
    if (codings == 1) {
        out->chunked = true;
        return out->minor == 1 && str_equal(http_field(fields, "Transfer-Encoding"), STR("chunked"));
    }
    return lengths == 0 || str_u64(http_field(fields, "Content-Length"), &out->content_length);
}

static unsigned parse_expectation(struct http_request *out)
{
    uint32_t count = http_field_count(&out->fields, "Expect");
    if (count == 0 || out->minor == 0)        /* RFC 9110 10.1.1: from an HTTP/1.0 client it means nothing */
        return 0;
    if (count > 1 || !str_equal_nocase(http_field(&out->fields, "Expect"), STR("100-continue")))
        return 417;
    out->expect_continue = out->chunked || out->content_length > 0;
    return 0;
}

unsigned http_request_parse(struct http_request *out, struct view head)
{
    struct view rest = head, line;
    *out = (struct http_request){.method = HTTP_GET};
    if (str_starts(rest, STR("\r\n")))
        rest = VIEW(rest.data + 2, rest.size - 2);
    if (!next_line(&rest, &line) || !parse_request_line(out, line))
        return 400;
    unsigned refusal = parse_fields(&out->fields, rest);
    if (refusal != 0)
        return refusal;
    if (http_field_count(&out->fields, "Host") != 1 || !is_host(http_field(&out->fields, "Host")))
        return 400;
    if (!parse_framing(out))
        return 400;
    if (http_field_has_token(&out->fields, "Connection", "close"))
        out->keep_alive = false;
    else
        out->keep_alive = out->minor == 1 || http_field_has_token(&out->fields, "Connection", "keep-alive");
    return parse_expectation(out);
}

bool http_response_parse(struct http_response *out, struct view head)
{
    struct view rest = head, line;
    *out = (struct http_response){0};
    if (!next_line(&rest, &line) || !str_starts(line, STR("HTTP/1.1 ")))
        return false;
    str_split(&line, ' ');
    struct view code = str_split(&line, ' ');
    uint32_t status;
    if (code.size != 3 || !str_u32(code, &status) || status < 100)
        return false;
    out->status = status;
    return parse_fields(&out->fields, rest) == 0;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool http_path_decode(struct view path, char *out, size_t room, size_t *size)
{
    size_t n = 0;
    for (size_t i = 0; i < path.size; i++) {
        uint8_t c = path.data[i];
        if (c == '%') {
            int hi = i + 1 < path.size ? hex_digit(path.data[i + 1]) : -1;
            int lo = i + 2 < path.size ? hex_digit(path.data[i + 2]) : -1;
            if (hi < 0 || lo < 0)
                return false;
            c = (uint8_t)(hi << 4 | lo);
            if (c < ' ' || c == 0x7F || c == '/')
                return false;
            i += 2;
        }
        if (n + 1 >= room)
            return false;
        out[n++] = (char)c;
    }
    if (room == 0)
        return false;
    out[n] = '\0';
    *size = n;
    return true;
}
