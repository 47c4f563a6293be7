/* proto/sdp/sdp.c - looking at a description and changing it. */
#include "proto/sdp/sdp.h"

#include <stdarg.h>
#include <string.h>

#include "proto/sdp/sdp_internal.h"

const char *sdp_kind_name(enum sdp_kind kind)
{
    static const char *const names[] = {"audio", "video", "application"};
    return names[kind];
}

static const char *const direction_names[] = {"inactive", "sendonly", "recvonly", "sendrecv"};

const char *sdp_direction_name(enum sdp_direction direction)
{
    return direction_names[direction];
}

bool sdp_direction_parse(enum sdp_direction *out, struct view name)
{
    for (unsigned i = 0; i < ARRAY_COUNT(direction_names); i++) {
        if (str_equal(name, str_of(direction_names[i]))) {
            *out = (enum sdp_direction)i;
            return true;
        }
    }
    return false;
}

/* ---- m-lines ---- */

struct sdp_mline *sdp_mline_add(struct sdp *sdp, enum sdp_kind kind, struct view proto)
{
    if (sdp->mline_count == SDP_MLINES_MAX) {
        sdp->failed = true;
        return NULL;
    }
    struct sdp_mline *mline = sdp_get(sdp, sizeof(*mline));
    *mline = (struct sdp_mline){
        .kind = kind,
        .direction = SDP_SENDRECV,
        .port = 9,
        .index = sdp->mline_count,
        .proto = sdp_text(sdp, proto),
        .connection.address = STR("1.1.1.1"),
    };
    sdp->mlines[sdp->mline_count++] = mline;
    return mline;
}

static unsigned pt_place(const struct sdp_mline *mline, uint8_t pt)
{
    unsigned i = 0;
    while (i < mline->pt_count && mline->pts[i] != pt)
        i++;
    return i;
}

void sdp_mline_add_pt(struct sdp_mline *mline, uint8_t pt)
{
    if (pt < SDP_PTS_MAX && pt_place(mline, pt) == mline->pt_count)
        mline->pts[mline->pt_count++] = pt;
}

void sdp_mline_del_pt(struct sdp_mline *mline, uint8_t pt)
{
    unsigned place = pt_place(mline, pt);
    if (place == mline->pt_count)
        return;
    mline->pt_count--;
    memmove(mline->pts + place, mline->pts + place + 1, mline->pt_count - place);
}

static bool is_not_mid(const struct sdp_attr *attr, const void *context)
{
    (void)context;
    return !str_equal(attr->name, STR("mid"));
}

void sdp_mline_reject(struct sdp_mline *mline)
{
    mline->port = 0;
    mline->direction = SDP_INACTIVE;
    mline->bandwidth_type = STR("");
    sdp_attrs_filter(&mline->attrs, is_not_mid, NULL);
    if (mline->kind != SDP_APPLICATION) {
        mline->pt_count = 1;
        mline->pts[0] = 0;
    }
}

struct sdp_mline *sdp_mline_first(const struct sdp *sdp, enum sdp_kind kind)
{
    for (unsigned i = 0; i < sdp->mline_count; i++)
        if (sdp->mlines[i]->kind == kind)
            return sdp->mlines[i];
    return NULL;
}

/* ---- attributes ---- */

static struct sdp_attr *find_from(struct sdp_attr *attr, struct view name)
{
    while (attr != NULL && !str_equal(attr->name, name))
        attr = attr->next;
    return attr;
}

struct sdp_attr *sdp_attr_find(const struct sdp_attrs *attrs, struct view name)
{
    return find_from(attrs->first, name);
}

struct sdp_attr *sdp_attr_find_next(const struct sdp_attr *attr, struct view name)
{
    return find_from(attr->next, name);
}

struct view sdp_attr_value(const struct sdp_attrs *attrs, struct view name)
{
    const struct sdp_attr *attr = sdp_attr_find(attrs, name);
    return attr == NULL ? STR("") : attr->value;
}

/* Nothing that is added may start a line of its own. */
static struct view one_line(struct view text)
{
    text = str_split(&text, '\n');
    return str_split(&text, '\r');
}

bool sdp_attr_append(struct sdp *sdp, struct sdp_attrs *attrs, struct view name, struct view value)
{
    if (sdp->attr_count >= SDP_LINES_MAX) {
        sdp->failed = true;
        return false;
    }
    sdp->attr_count++;
    struct sdp_attr *attr = sdp_get(sdp, sizeof(*attr));
    *attr = (struct sdp_attr){.name = name, .value = value};
    if (attrs->last == NULL)
        attrs->first = attr;
    else
        attrs->last->next = attr;
    attrs->last = attr;
    return true;
}

void sdp_attr_add(struct sdp *sdp, struct sdp_attrs *attrs, struct view name, struct view value)
{
    sdp_attr_append(sdp, attrs, sdp_text(sdp, one_line(name)), sdp_text(sdp, one_line(value)));
}

void sdp_attr_addf(struct sdp *sdp, struct sdp_attrs *attrs, struct view name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sdp_attr_add(sdp, attrs, name, sdp_textv(sdp, format, args));
    va_end(args);
}

void sdp_attrs_filter(struct sdp_attrs *attrs, bool (*drop)(const struct sdp_attr *attr, const void *context), const void *context)
{
    struct sdp_attr **link = &attrs->first;
    attrs->last = NULL;
    while (*link != NULL) {
        if (drop(*link, context)) {
            *link = (*link)->next;
        } else {
            attrs->last = *link;
            link = &(*link)->next;
        }
    }
}

static bool has_name(const struct sdp_attr *attr, const void *name)
{
    return str_equal(attr->name, *(const struct view *)name);
}

void sdp_attrs_remove(struct sdp_attrs *attrs, struct view name)
{
    sdp_attrs_filter(attrs, has_name, &name);
}
