/* proto/sdp/parse.c - text into struct sdp: RFC 8866 as the field reads it, with the error texts of webrtc.md 1.1.
 * Stricter than the grammar in nothing that browsers or phones send, more lenient where they are (blanks, unknown lines). */
#include "proto/sdp/sdp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/sdp/sdp_internal.h"

#define NAME_CHARS_MAX 255u        /* webrtc.md 1.1: names and addresses of o=, addresses of c= */

struct parser {
    struct sdp *sdp;
    struct sdp_mline *mline;       /* NULL: still at session level */
    struct view line;
    bool has_origin;
    bool has_name;
    bool has_connection;           /* of the level that we are in */
    char *reason;
};

/* An error text may be cut anywhere, but it must stay UTF-8: it goes into JSON. */
static void cut_at_character(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && !utf8_is_valid(VIEW(text, size)))
        size--;
    text[size] = '\0';
}

static bool fail(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct parser *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(p->reason, SDP_REASON_ROOM, format, args);
    va_end(args);
    cut_at_character(p->reason);
    return false;
}

/* `why` stands before the line as it came: "Invalid o= line". */
static bool fail_line(struct parser *p, const char *why)
{
    return fail(p, "%s: %.*s", why, (int)p->line.size, (const char *)p->line.data);
}

static struct view body_of(struct view line)
{
    return VIEW(line.data + 2, line.size - 2);
}

/* "IN IP4 192.0.2.1", the tail of o= and the whole of c=. */
static bool parse_address(struct parser *p, struct sdp_connection *out, struct view *rest)
{
    const char letter = (char)p->line.data[0];
    struct view net = sdp_field(rest);
    struct view family = sdp_field(rest);
    struct view address = sdp_field(rest);
    if (net.size == 0 || address.size == 0 || address.size > NAME_CHARS_MAX)
        return fail_line(p, letter == 'o' ? "Invalid o= line" : "Invalid c= line");
    out->is_ip6 = str_equal_nocase(family, STR("IP6"));
    if (!out->is_ip6 && !str_equal_nocase(family, STR("IP4")))
        return fail(p, "Invalid %c= line (unsupported protocol %.*s): %.*s", letter, (int)family.size,
                    (const char *)family.data, (int)p->line.size, (const char *)p->line.data);
    out->address = address;
    return true;
}

static bool parse_version(struct parser *p)
{
    uint64_t version;
    return str_u64(str_trim(body_of(p->line)), &version) || fail_line(p, "Invalid v= line");
}

static bool parse_origin(struct parser *p)
{
    struct sdp *sdp = p->sdp;
    struct view rest = body_of(p->line);
    struct view name = sdp_field(&rest);
    if (p->has_origin)
        return fail_line(p, "Multiple o= lines");
    if (name.size == 0 || name.size > NAME_CHARS_MAX || !str_u64(sdp_field(&rest), &sdp->origin_id) ||
        !str_u64(sdp_field(&rest), &sdp->origin_version))
        return fail_line(p, "Invalid o= line");
    sdp->origin_name = name;
    p->has_origin = true;
    return parse_address(p, &sdp->origin, &rest);
}

static bool parse_name(struct parser *p)
{
    if (p->has_name)
        return fail_line(p, "Multiple s= lines");
    p->sdp->session_name = body_of(p->line);
    p->has_name = true;
    return true;
}

static bool parse_time(struct parser *p)
{
    struct view rest = body_of(p->line);
    if (!str_u64(sdp_field(&rest), &p->sdp->time_start) || !str_u64(sdp_field(&rest), &p->sdp->time_stop))
        return fail_line(p, "Invalid t= line");
    return true;
}

static bool parse_connection(struct parser *p)
{
    struct view rest = body_of(p->line);
    if (p->has_connection)
        return fail_line(p, p->mline == NULL ? "Multiple global c= lines" : "Multiple m-line c= lines");
    p->has_connection = true;
    return parse_address(p, p->mline == NULL ? &p->sdp->connection : &p->mline->connection, &rest);
}

/* Only what a media level says counts, and only the first of the modifiers that we know. */
static bool parse_bandwidth(struct parser *p)
{
    struct view rest = body_of(p->line);
    struct view type = str_split(&rest, ':');
    uint32_t value;
    if (p->mline == NULL)
        return true;
    if (type.size == 0 || !str_u32(str_trim(rest), &value))
        return fail_line(p, "Invalid b= line");
    if (p->mline->bandwidth_type.size > 0 || !(str_equal(type, STR("AS")) || str_equal(type, STR("TIAS"))))
        return true;
    p->mline->bandwidth_type = type;
    p->mline->bandwidth = value;
    return true;
}

static bool parse_kind(enum sdp_kind *out, struct view media)
{
    for (int kind = SDP_AUDIO; kind <= SDP_APPLICATION; kind++) {
        if (str_equal_nocase(media, str_of(sdp_kind_name((enum sdp_kind)kind)))) {
            *out = (enum sdp_kind)kind;
            return true;
        }
    }
    return false;
}

static void parse_pts(struct sdp_mline *mline, struct view formats)
{
    for (struct view field; (field = sdp_field(&formats)).size > 0;) {
        uint16_t pt;
        if (str_u16(field, &pt) && pt < SDP_PTS_MAX)
            sdp_mline_add_pt(mline, (uint8_t)pt);
    }
}

static bool parse_media(struct parser *p)
{
    struct view rest = body_of(p->line);
    enum sdp_kind kind;
    uint16_t port;
    if (p->line.size > SDP_MLINE_CHARS_MAX)
        return fail(p, "Invalid m= line (too long): %zu", p->line.size);
    struct view media = sdp_field(&rest);
    struct view port_text = sdp_field(&rest);
    struct view proto = sdp_field(&rest);
    struct view formats = str_trim(rest);
    if (!parse_kind(&kind, media) || !str_u16(port_text, &port) || proto.size == 0 || formats.size == 0)
        return fail_line(p, "Invalid m= line");
    if (p->sdp->mline_count == SDP_MLINES_MAX)
        return fail(p, "Too many m= lines (at most %u)", SDP_MLINES_MAX);
    struct sdp_mline *mline = sdp_mline_add(p->sdp, kind, proto);
    mline->port = port;
    mline->connection = (struct sdp_connection){0};
    if (kind == SDP_APPLICATION)
        mline->formats = formats;
    else
        parse_pts(mline, formats);
    if (kind != SDP_APPLICATION && mline->pt_count == 0)
        return fail_line(p, "Invalid m= line (no payload types/formats)");
    p->mline = mline;
    p->has_connection = false;
    return true;
}

static bool parse_attribute(struct parser *p)
{
    struct view value = body_of(p->line);
    bool has_colon = memchr(value.data, ':', value.size) != NULL;
    struct view whole = value;
    struct view name = str_split(&value, ':');
    if (name.size == 0 || (has_colon && value.size == 0))
        return fail(p, "Invalid a= line: %.*s", (int)whole.size, (const char *)whole.data);
    if (p->mline != NULL && !has_colon && sdp_direction_parse(&p->mline->direction, name))
        return true;
    return sdp_attr_append(p->sdp, p->mline == NULL ? &p->sdp->attrs : &p->mline->attrs, name, value) ||
           fail(p, "Too many attributes (at most %u)", SDP_LINES_MAX);
}

static bool parse_line(struct parser *p)
{
    if (p->line.size < 3)
        return fail(p, "Invalid line (%zu bytes): %.*s", p->line.size, (int)p->line.size, (const char *)p->line.data);
    if (p->line.data[1] != '=')
        return fail_line(p, "Invalid line (2nd char is not '=')");
    switch (p->line.data[0]) {
    case 'v': return parse_version(p);
    case 'o': return parse_origin(p);
    case 's': return parse_name(p);
    case 't': return parse_time(p);
    case 'c': return parse_connection(p);
    case 'b': return parse_bandwidth(p);
    case 'm': return parse_media(p);
    case 'a': return parse_attribute(p);
    default:  return true;             /* i= u= e= p= r= z= k= and whatever comes later */
    }
}

static bool parse_lines(struct parser *p, struct view rest)
{
    unsigned lines = 0;
    if (!str_starts(rest, STR("v=")))
        return fail(p, "Invalid SDP (doesn't start with v=)");
    while (rest.size > 0) {
        struct view line = str_split(&rest, '\n');
        p->line = str_split(&line, '\r');
        if (p->line.size == 0)
            continue;
        if (++lines > SDP_LINES_MAX)
            return fail(p, "Too many lines (at most %u)", SDP_LINES_MAX);
        if (!parse_line(p))
            return false;
    }
    if (!p->has_origin || !p->has_name || p->sdp->mline_count == 0)
        return fail(p, "Missing mandatory lines (o=, s= or m=)");
    return true;
}

struct sdp *sdp_parse(struct view text, char reason[SDP_REASON_ROOM])
{
    reason[0] = '\0';
    if (text.size > SDP_TEXT_BYTES_MAX) {
        snprintf(reason, SDP_REASON_ROOM, "Invalid SDP (too long): %zu", text.size);
        return NULL;
    }
    struct parser p = {.sdp = sdp_new(), .reason = reason};
    p.sdp->origin = (struct sdp_connection){0};
    if (!parse_lines(&p, sdp_text(p.sdp, text))) {
        sdp_free(p.sdp);
        return NULL;
    }
    return p.sdp;
}
