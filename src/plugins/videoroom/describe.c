/* What clients are told about streams and publishers (videoroom.md 8 and 11). Publishers' descriptions are cached, since a
 * full room is described to everybody who joins. */
#include <stdio.h>

#include "base/fmt.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

static const char *kind_name(uint8_t kind)
{
    return kind == MEDIA_AUDIO ? "audio" : kind == MEDIA_VIDEO ? "video" : "data";
}

void vr_write_name(struct json_out *j, const struct vr_participant *p)
{
    if (p->display != NULL)
        jout_string(j, "display", p->display);
    if (p->metadata != NULL)
        jout_raw(j, "metadata", str_of(p->metadata));
}

static void write_codec_details(struct json_out *j, const struct vr_pub_stream *stream)
{
    jout_string(j, "codec", codec_info((enum codec)stream->codec)->name);
    if (stream->stereo)
        jout_bool(j, "stereo", true);
    if (stream->fec)
        jout_bool(j, "fec", true);
    if (stream->dtx)
        jout_bool(j, "dtx", true);
    if (stream->profile[0] != '\0')
        jout_string(j, stream->codec == CODEC_VP9 ? "vp9_profile" : "h264_profile", stream->profile);
    if (stream->simulcast)
        jout_bool(j, "simulcast", true);
    if (stream->svc)
        jout_bool(j, "svc", true);
}

void vr_write_stream(struct json_out *j, const struct vr_pub_stream *stream, enum vr_form form)
{
    jout_object(j, NULL);
    jout_string(j, "type", kind_name(stream->kind));
    jout_uint(j, "mindex", stream->mindex);
    jout_string(j, "mid", stream->mid);
    if (stream->disabled) {
        jout_bool(j, "disabled", true);
        jout_end(j);
        return;
    }
    if (stream->description != NULL)
        jout_string(j, "description", stream->description);
    if (stream->kind != MEDIA_DATA)
        write_codec_details(j, stream);
    if (stream->moderated && form != VR_FORM_OWN && (form == VR_FORM_JOINED || stream->kind == MEDIA_VIDEO))
        jout_bool(j, "moderated", true);
    if (form == VR_FORM_JOINED && stream->audiolevel_id > 0)
        jout_bool(j, "talking", stream->talking);
    if (form == VR_FORM_OWN) {
        if (stream->audiolevel_id > 0)
            jout_uint(j, "audiolevel_ext_id", stream->audiolevel_id);
        if (stream->videoorient_id > 0)
            jout_uint(j, "videoorient_ext_id", stream->videoorient_id);
        if (stream->playoutdelay_id > 0)
            jout_uint(j, "playoutdelay_ext_id", stream->playoutdelay_id);
    }
    jout_end(j);
}

void vr_write_streams(struct json_out *j, const struct vr_participant *p, enum vr_form form)
{
    jout_array(j, "streams");
    for (uint16_t i = 0; i < p->stream_count; i++)
        vr_write_stream(j, p->streams[i], form);
    jout_end(j);
}

static void write_delays(struct json_out *j, int16_t min_delay, int16_t max_delay)
{
    if (min_delay < 0 || max_delay < 0)
        return;
    jout_object(j, "playout-delay");
    jout_int(j, "min-delay", min_delay);
    jout_int(j, "max-delay", max_delay);
    jout_end(j);
}

static void write_session_stream(struct json_out *j, const struct vr_pub_stream *stream)
{
    uint32_t subscribers = 0;
    LIST_EACH(it, &stream->subs)
        subscribers++;
    jout_object(j, NULL);
    jout_string(j, "type", kind_name(stream->kind));
    jout_uint(j, "mindex", stream->mindex);
    jout_string(j, "mid", stream->mid);
    if (stream->description != NULL)
        jout_string(j, "description", stream->description);
    if (stream->kind != MEDIA_DATA)
        jout_string(j, "codec", codec_info((enum codec)stream->codec)->name);
    if (stream->profile[0] != '\0')
        jout_string(j, stream->codec == CODEC_VP9 ? "vp9-profile" : "h264-profile", stream->profile);
    write_delays(j, stream->min_delay, stream->max_delay);
    if (stream->simulcast)
        jout_bool(j, "simulcast", true);
    if (stream->svc)
        jout_bool(j, "svc", true);
    if (stream->level_known) {
        jout_real(j, "audio-level-dBov", stream->level);
        jout_bool(j, "talking", stream->talking);
    }
    jout_uint(j, "subscribers", subscribers);
    jout_end(j);
}

void vr_write_session_streams(struct json_out *j, const struct vr_participant *p)
{
    jout_array(j, "streams");
    for (uint16_t i = 0; i < p->stream_count; i++)
        write_session_stream(j, p->streams[i]);
    jout_end(j);
}

static const struct vr_pub_stream *first_enabled(const struct vr_participant *p, uint8_t kind)
{
    for (uint16_t i = 0; i < p->stream_count; i++)
        if (p->streams[i]->kind == kind && !p->streams[i]->disabled)
            return p->streams[i];
    return NULL;
}

void vr_write_codecs(struct json_out *j, const struct vr_participant *p)
{
    const struct vr_pub_stream *audio = first_enabled(p, MEDIA_AUDIO), *video = first_enabled(p, MEDIA_VIDEO);
    if (audio != NULL)
        jout_string(j, "audio_codec", codec_info((enum codec)audio->codec)->name);
    if (video != NULL)
        jout_string(j, "video_codec", codec_info((enum codec)video->codec)->name);
}

void vr_write_publisher(struct json_out *j, const struct vr_participant *p, enum vr_form form)
{
    jout_object(j, NULL);
    vr_id_write(j, "id", &p->id);
    vr_write_name(j, p);
    if (p->dummy && form == VR_FORM_JOINED)
        jout_bool(j, "dummy", true);
    vr_write_codecs(j, p);
    vr_write_streams(j, p, form);
    if (form == VR_FORM_JOINED && vr_has_levels(p))
        jout_bool(j, "talking", vr_is_talking(p));
    jout_end(j);
}

const char *vr_joined_text(struct vr_participant *p)
{
    if (p->joined == NULL) {
        struct buf text;
        struct json_out j;
        buf_init(&text, VR_EVENT_BYTES);
        jout_begin(&j, &text, LAYOUT_COMPACT);
        vr_write_publisher(&j, p, VR_FORM_JOINED);
        p->joined = vr_strdup(buf_text(&text));
        buf_fini(&text);
    }
    return p->joined;
}

static void write_layers(struct json_out *j, const struct vr_sub_stream *sub)
{
    if (sub->source->simulcast) {
        jout_object(j, "simulcast");
        jout_int(j, "substream", sub->substream);
        jout_int(j, "substream-target", sub->substream_target);
        jout_int(j, "temporal-layer", sub->temporal);
        jout_int(j, "temporal-layer-target", sub->temporal_target);
        if (sub->fallback_us > 0)
            jout_uint(j, "fallback", sub->fallback_us);
        jout_end(j);
    }
    if (sub->source->svc) {
        jout_object(j, "svc");
        jout_int(j, "spatial-layer", sub->substream);
        jout_int(j, "target-spatial-layer", sub->spatial_target);
        jout_int(j, "temporal-layer", sub->temporal);
        jout_int(j, "target-temporal-layer", sub->temporal_layer_target);
        jout_end(j);
    }
}

static void write_source(struct json_out *j, const struct vr_sub_stream *sub)
{
    const struct vr_pub_stream *source = sub->source;
    const struct vr_participant *p = source->owner;
    vr_id_write(j, "feed_id", &p->id);
    if (p->display != NULL)
        jout_string(j, "feed_display", p->display);
    if (p->metadata != NULL)
        jout_raw(j, "feed_metadata", str_of(p->metadata));
    jout_string(j, "feed_mid", source->mid);
    if (source->description != NULL)
        jout_string(j, "feed_description", source->description);
    jout_string(j, "codec", codec_info((enum codec)sub->codec)->name);
    if (source->profile[0] != '\0')
        jout_string(j, source->codec == CODEC_VP9 ? "vp9-profile" : "h264-profile", source->profile);
    if (sub->kind == MEDIA_VIDEO)
        write_delays(j, sub->min_delay, sub->max_delay);
    write_layers(j, sub);
}

static void write_sub_stream(struct json_out *j, const struct vr_sub_stream *sub)
{
    char mid[FMT_UINT_TEXT];
    jout_object(j, NULL);
    jout_string(j, "type", kind_name(sub->kind));
    jout_bool(j, "active", sub->source != NULL || sub->kind == MEDIA_DATA);
    jout_uint(j, "mindex", sub->mindex);
    jout_string(j, "mid", fmt_uint(mid, sub->mindex));
    if (sub->crossrefid != NULL)
        jout_string(j, "crossrefid", sub->crossrefid);
    jout_bool(j, "ready", sub->ready);
    jout_bool(j, "send", sub->send);
    if (sub->source != NULL)
        write_source(j, sub);
    vr_data_write(j, sub);
    jout_end(j);
}

void vr_write_sub_streams(struct json_out *j, const struct vr_subscriber *s)
{
    jout_array(j, "streams");
    for (uint16_t i = 0; i < s->stream_count; i++)
        write_sub_stream(j, s->streams[i]);
    jout_end(j);
}
