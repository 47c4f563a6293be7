/* proto/sdp/write.c - struct sdp into text. */
#include "base/str.h"
#include "proto/sdp/sdp.h"

static void write_address(struct buf *out, char letter, const struct sdp_connection *connection)
{
    buf_add_char(out, letter);
    buf_add_text(out, connection->is_ip6 ? "=IN IP6 " : "=IN IP4 ");
    buf_add_view(out, connection->address);
    buf_add_text(out, "\r\n");
}

void sdp_attr_write(const struct sdp_attr *attr, struct buf *out)
{
    buf_add_text(out, "a=");
    buf_add_view(out, attr->name);
    if (attr->value.size > 0) {
        buf_add_char(out, ':');
        buf_add_view(out, attr->value);
    }
    buf_add_text(out, "\r\n");
}

static void write_attrs(struct buf *out, const struct sdp_attrs *attrs)
{
    for (const struct sdp_attr *attr = attrs->first; attr != NULL; attr = attr->next)
        sdp_attr_write(attr, out);
}

static void write_session(struct buf *out, const struct sdp *sdp)
{
    buf_add_text(out, "v=0\r\no=");
    buf_add_view(out, sdp->origin_name);
    buf_addf(out, " %llu %llu %s ", (unsigned long long)sdp->origin_id, (unsigned long long)sdp->origin_version,
             sdp->origin.is_ip6 ? "IN IP6" : "IN IP4");
    buf_add_view(out, sdp->origin.address);
    buf_add_text(out, "\r\ns=");
    buf_add_view(out, sdp->session_name);
    buf_addf(out, "\r\nt=%llu %llu\r\n", (unsigned long long)sdp->time_start, (unsigned long long)sdp->time_stop);
    if (sdp->connection.address.size > 0)
        write_address(out, 'c', &sdp->connection);
    write_attrs(out, &sdp->attrs);
}

static void write_formats(struct buf *out, const struct sdp_mline *mline)
{
    if (mline->kind == SDP_APPLICATION) {
        buf_add_char(out, ' ');
        buf_add_view(out, mline->formats);
        return;
    }
    for (unsigned i = 0; i < mline->pt_count; i++)
        buf_addf(out, " %u", mline->pts[i]);
    if (mline->pt_count == 0)
        buf_add_text(out, " 0");               /* a line without formats is no line */
}

static void write_mline(struct buf *out, const struct sdp_mline *mline)
{
    buf_addf(out, "m=%s %u ", sdp_kind_name(mline->kind), mline->port);
    buf_add_view(out, mline->proto);
    write_formats(out, mline);
    buf_add_text(out, "\r\n");
    if (mline->connection.address.size > 0)
        write_address(out, 'c', &mline->connection);
    if (mline->bandwidth_type.size > 0) {
        buf_add_text(out, "b=");
        buf_add_view(out, mline->bandwidth_type);
        buf_addf(out, ":%u\r\n", mline->bandwidth);
    }
    buf_addf(out, "a=%s\r\n", sdp_direction_name(mline->direction));
    write_attrs(out, &mline->attrs);
}

bool sdp_write(const struct sdp *sdp, struct buf *out)
{
    write_session(out, sdp);
    for (unsigned i = 0; i < sdp->mline_count; i++)
        write_mline(out, sdp->mlines[i]);
    return !sdp->failed && !out->failed;
}
