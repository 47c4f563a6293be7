/* The data line of a subscription: one m-line for all sources, and a channel for each (videoroom.md 14.10). Adding or removing a
 * source is no change of the description: the channel comes with the first message. */
#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

static struct vr_sub_stream *data_line(const struct vr_subscriber *s)
{
    for (uint16_t i = 0; i < s->stream_count; i++)
        if (s->streams[i]->kind == MEDIA_DATA)
            return s->streams[i];
    return NULL;
}

static bool is_paused(const struct vr_sub_stream *line)
{
    const struct vr_subscriber *s = line->owner;
    return !line->ready || !line->send || s->paused || s->kicked;
}

static void apply_feed(struct videoroom *vr, struct vr_data_feed *feed)
{
    const struct vr_sub_stream *line = feed->line;
    const struct sink_options options = {.paused = is_paused(line)};
    char shown[VR_ID_SHOWN];
    if (!ref_is_none(feed->sink))
        host_sink_set(vr->host, feed->sink, &options);
    else if (line->ready)
        feed->sink = host_data_sink_add(vr->host, feed->source->source, line->owner->session->handle,
                                        str_of(vr_id_show(&feed->source->owner->id, shown)), options.paused);
}

bool vr_data_add(struct videoroom *vr, struct vr_subscriber *s, struct vr_pub_stream *source, bool *line_changed)
{
    struct vr_sub_stream *line = data_line(s);
    *line_changed = line == NULL || !line->ready;
    if (line == NULL)
        line = vr_sub_add(s, source, false);
    if (line == NULL)
        return false;
    LIST_EACH(it, &line->data_feeds)
        if (CONTAINER_OF(it, struct vr_data_feed, of_line)->source == source)
            return false;
    struct vr_data_feed *feed = mem_get_zero(sizeof(*feed));
    feed->line = line;
    feed->source = source;
    list_add_tail(&line->data_feeds, &feed->of_line);
    list_add_tail(&source->data_feeds, &feed->of_source);
    apply_feed(vr, feed);
    return true;
}

void vr_data_apply(struct videoroom *vr, struct vr_sub_stream *line)
{
    LIST_EACH(it, &line->data_feeds)
        apply_feed(vr, CONTAINER_OF(it, struct vr_data_feed, of_line));
}

void vr_data_del(struct videoroom *vr, struct vr_data_feed *feed)
{
    host_sink_del(vr->host, feed->sink);
    list_del(&feed->of_line);
    list_del(&feed->of_source);
    mem_put(feed);
}

void vr_data_clear(struct videoroom *vr, struct vr_sub_stream *line)
{
    LIST_EACH(it, &line->data_feeds)
        vr_data_del(vr, CONTAINER_OF(it, struct vr_data_feed, of_line));
}

void vr_data_hangup(struct vr_sub_stream *line)
{
    LIST_EACH(it, &line->data_feeds)
        CONTAINER_OF(it, struct vr_data_feed, of_line)->sink = REF_NONE;
}

void vr_data_rewire(struct videoroom *vr, struct vr_pub_stream *source)
{
    LIST_EACH(it, &source->data_feeds) {
        const struct vr_data_feed *feed = CONTAINER_OF(it, struct vr_data_feed, of_source);
        if (!ref_is_none(feed->sink))
            host_sink_switch(vr->host, feed->sink, source->source);     /* harmless when it is the same */
    }
}

void vr_data_drop_source(struct videoroom *vr, struct vr_pub_stream *source)
{
    LIST_EACH(it, &source->data_feeds)
        vr_data_del(vr, CONTAINER_OF(it, struct vr_data_feed, of_source));
}

void vr_data_write(struct json_out *j, const struct vr_sub_stream *line)
{
    uint32_t count = 0;
    LIST_EACH(it, &line->data_feeds)
        count++;
    if (count == 0)
        return;
    jout_uint(j, "sources", count);
    jout_array(j, "source_ids");
    LIST_EACH(it, &line->data_feeds)
        vr_id_write(j, NULL, &CONTAINER_OF(it, struct vr_data_feed, of_line)->source->owner->id);
    jout_end(j);
}
