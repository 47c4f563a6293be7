/* The answer to a publisher (videoroom.md 13.2), and what its m-lines become: streams that others can subscribe to. */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

static uint32_t exts_of(const struct vr_room *room, enum sdp_kind kind)
{
    uint32_t exts = SDP_EXT_BIT(SDP_EXT_MID) | SDP_EXT_BIT(SDP_EXT_RID) | SDP_EXT_BIT(SDP_EXT_REPAIRED_RID);
    if (room->twcc_ext)
        exts |= SDP_EXT_BIT(SDP_EXT_TRANSPORT_CC);
    if (kind == SDP_AUDIO && room->audiolevel_ext)
        exts |= SDP_EXT_BIT(SDP_EXT_AUDIO_LEVEL);
    if (kind == SDP_VIDEO) {
        exts |= SDP_EXT_BIT(SDP_EXT_DEPENDENCY_DESCRIPTOR);
        if (room->videoorient_ext)
            exts |= SDP_EXT_BIT(SDP_EXT_VIDEO_ORIENTATION);
        if (room->playoutdelay_ext)
            exts |= SDP_EXT_BIT(SDP_EXT_PLAYOUT_DELAY);
    }
    return exts;
}

/* The request's codec, else the first of the room's that is offered; a stream that has one keeps it. */
static enum codec choose_codec(const struct vr_participant *p, const struct vr_pub_stream *stream, const struct sdp_mline *mline)
{
    const bool video = mline->kind == SDP_VIDEO;
    const enum codec forced = (enum codec)(video ? p->video_codec : p->audio_codec);
    const uint8_t *codecs = video ? p->room->video_codecs : p->room->audio_codecs;
    const struct view any = {NULL, 0};
    if (stream->codec != CODEC_NONE)
        return sdp_codec_find(mline, (enum codec)stream->codec, any) != SDP_PT_NONE ? (enum codec)stream->codec : CODEC_NONE;
    if (forced != CODEC_NONE)
        return sdp_codec_find(mline, forced, any) != SDP_PT_NONE ? forced : CODEC_NONE;
    for (unsigned i = 0; i < VR_CODECS_MAX; i++)
        if (codecs[i] != CODEC_NONE && sdp_codec_find(mline, (enum codec)codecs[i], any) != SDP_PT_NONE)
            return (enum codec)codecs[i];
    return CODEC_NONE;
}

static bool any_fmtp_has(const struct sdp_mline *mline, const char *text)
{
    for (struct sdp_attr *a = sdp_attr_find(&mline->attrs, STR("fmtp")); a != NULL; a = sdp_attr_find_next(a, STR("fmtp")))
        if (str_contains(a->value, str_of(text)))
            return true;
    return false;
}

static struct view opus_fmtp(struct sdp *answer, const struct vr_pub_stream *stream)
{
    char text[64];
    int size = snprintf(text, sizeof(text), "%s%s%s", stream->fec ? ";useinbandfec=1" : "", stream->dtx ? ";usedtx=1" : "",
                        stream->stereo ? ";stereo=1" : "");
    return size > 0 ? sdp_text(answer, VIEW(text + 1, (size_t)size - 1)) : (struct view){NULL, 0};
}

/* Only a room with opus_fec looks into the offer's fmtp at all (videoroom.md 13.2: copied, since the SDP shows it). */
static void read_opus(const struct vr_room *room, struct vr_pub_stream *stream, const struct sdp_mline *mline)
{
    stream->fec = stream->dtx = stream->stereo = false;
    if ((stream->codec != CODEC_OPUS && stream->codec != CODEC_RED) || !room->opus_fec)
        return;
    stream->fec = any_fmtp_has(mline, "useinbandfec=1");
    stream->dtx = room->opus_dtx && any_fmtp_has(mline, "usedtx=1");
    stream->stereo = any_fmtp_has(mline, "stereo=1");
}

static struct view room_profile(const struct vr_room *room, enum codec codec, const struct sdp_mline *mline)
{
    const char *profile = codec == CODEC_VP9 ? room->vp9_profile : codec == CODEC_H264 ? room->h264_profile : NULL;
    struct view none = {NULL, 0};
    if (profile == NULL)
        return none;
    /* sdp_codec_find falls back to any payload of the codec: the profile is only asked for when one has it. */
    return sdp_codec_find(mline, codec, str_of(profile)) != SDP_PT_NONE ? str_of(profile) : none;
}

static void read_profile(struct vr_pub_stream *stream, const struct sdp_mline *answered, uint8_t pt)
{
    struct sdp_payload_table *table = mem_get(sizeof(*table));
    stream->profile[0] = '\0';
    sdp_payloads(answered, table);
    if (stream->codec == CODEC_H264)
        (void)str_copy(stream->profile, sizeof(stream->profile), sdp_fmtp_param(table->of[pt].fmtp, STR("profile-level-id")));
    else if (stream->codec == CODEC_VP9)
        (void)str_copy(stream->profile, sizeof(stream->profile), sdp_fmtp_param(table->of[pt].fmtp, STR("profile-id")));
    mem_put(table);
}

static void disable(struct vr_pub_stream *stream)
{
    stream->disabled = true;
    stream->audiolevel_id = stream->videoorient_id = stream->playoutdelay_id = 0;
    stream->described = false;
}

static void answer_media(const struct vr_participant *p, struct vr_pub_stream *stream, struct sdp *answer, const struct sdp *offer,
                         uint16_t index)
{
    const struct sdp_mline *mline = offer->mlines[index];
    struct sdp_accepted accepted;
    const enum codec codec = choose_codec(p, stream, mline);
    if (codec == CODEC_NONE || (codec == CODEC_RED && sdp_codec_find(mline, CODEC_OPUS, (struct view){NULL, 0}) == SDP_PT_NONE)) {
        disable(stream);
        return;
    }
    stream->codec = (uint8_t)codec;
    read_opus(p->room, stream, mline);
    struct sdp_answer_line how = {
        .direction = SDP_RECVONLY,
        .codec = codec == CODEC_RED ? CODEC_OPUS : codec,       /* RED is nothing without what it wraps (RFC 2198) */
        .red = codec == CODEC_RED,
        .profile = room_profile(p->room, codec, mline),
        .exts = exts_of(p->room, mline->kind),
        .fmtp = mline->kind == SDP_AUDIO ? opus_fmtp(answer, stream) : (struct view){NULL, 0},
    };
    if (!sdp_answer_accept(answer, offer, index, &how, &accepted)) {
        disable(stream);
        return;
    }
    const struct sdp_mline *answered = answer->mlines[index];
    stream->disabled = !sdp_direction_sends(mline->direction);
    read_profile(stream, answered, accepted.pt);
    stream->audiolevel_id = sdp_ext_find(answered, SDP_EXT_AUDIO_LEVEL);
    stream->videoorient_id = sdp_ext_find(answered, SDP_EXT_VIDEO_ORIENTATION);
    stream->playoutdelay_id = sdp_ext_find(answered, SDP_EXT_PLAYOUT_DELAY);
    stream->described = sdp_ext_find(answered, SDP_EXT_DEPENDENCY_DESCRIPTOR) > 0;
}

/* Directions mean nothing on it (RFC 8841 5.2); its codec is none. */
static void answer_data(struct vr_pub_stream *stream, struct sdp *answer, const struct sdp *offer, uint16_t index)
{
    const struct sdp_answer_line how = {.direction = SDP_SENDRECV};
    stream->codec = CODEC_NONE;
    stream->disabled = !sdp_answer_accept(answer, offer, index, &how, NULL);
}

static void name_stream(struct vr_pub_stream *stream, const struct sdp_mline *mline)
{
    struct view mid = sdp_attr_value(&mline->attrs, STR("mid"));
    const uint8_t kind = mline->kind == SDP_AUDIO ? MEDIA_AUDIO : mline->kind == SDP_VIDEO ? MEDIA_VIDEO : MEDIA_DATA;
    if (kind != stream->kind)
        stream->codec = CODEC_NONE;         /* a line that was rejected may come back as one of another kind (RFC 8829 5.2.2) */
    stream->kind = kind;
    /* Data streams go by their index (videoroom.md 8.1), and so does a line that has no mid. */
    if (stream->kind == MEDIA_DATA || mid.size == 0 || !str_copy(stream->mid, sizeof(stream->mid), mid))
        snprintf(stream->mid, sizeof(stream->mid), "%u", stream->mindex);
}

static bool has_layers(const struct jsep_in *jsep, uint16_t mindex)
{
    for (size_t i = 0; i < jsep->simulcast_count; i++)
        if (jsep->simulcast[i].mindex == mindex)
            return jsep->simulcast[i].layer_count > 1;
    return false;
}

/* Only by its place (videoroom.md 14.6). A renegotiation that says nothing leaves it as it is. */
static bool is_svc(const struct vr_pub_stream *stream, const struct jsep_in *jsep)
{
    size_t index;
    const json_t *entry;
    if (stream->disabled || stream->simulcast || jsep->simulcast_count > 0 || (stream->codec != CODEC_VP9 && stream->codec != CODEC_AV1))
        return false;
    json_array_foreach(jsep->svc, index, entry)
        if (vr_int(entry, "mindex", 0) == stream->mindex)
            return true;
    return jsep->svc == NULL && jsep->update && stream->svc;
}

static struct sdp *answer_offer(struct vr_participant *p, const struct sdp *offer, const struct jsep_in *jsep)
{
    char name[VR_ID_SHOWN + 16], shown[VR_ID_SHOWN];
    snprintf(name, sizeof(name), "VideoRoom %s", vr_id_show(&p->room->id, shown));
    struct sdp *answer = sdp_answer_new(offer, str_of(name));
    for (uint16_t i = 0; i < offer->mline_count; i++) {
        struct vr_pub_stream *stream = vr_stream_add(p, i);
        name_stream(stream, offer->mlines[i]);
        if (offer->mlines[i]->port == 0)
            disable(stream);
        else if (stream->kind == MEDIA_DATA)
            answer_data(stream, answer, offer, i);
        else
            answer_media(p, stream, answer, offer, i);
        stream->simulcast = stream->kind == MEDIA_VIDEO && !stream->disabled && has_layers(jsep, i);
        stream->svc = stream->kind == MEDIA_VIDEO && is_svc(stream, jsep);
    }
    return answer;
}

static void apply_descriptions(struct vr_participant *p, const json_t *descriptions)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(descriptions, index, entry) {
        const char *mid = vr_text(entry, "mid"), *text = vr_text(entry, "description");
        struct vr_pub_stream *stream = mid == NULL || text == NULL ? NULL : vr_stream_by_mid(p, mid);
        if (stream == NULL)
            continue;
        mem_put(stream->description);
        stream->description = vr_strdup(text);
    }
}

/* "none" when the first line of a kind was rejected; nothing when there is no such line (videoroom.md 9.2). */
static void write_answer_codec(struct json_out *j, const char *key, const struct vr_participant *p, const struct sdp *answer, uint8_t kind)
{
    for (uint16_t i = 0; i < p->stream_count; i++) {
        const struct vr_pub_stream *stream = p->streams[i];
        if (stream->kind != kind)
            continue;
        jout_string(j, key, codec_info(answer->mlines[i]->port == 0 ? CODEC_NONE : (enum codec)stream->codec)->name);
        return;
    }
}

/* A line that has become another one can't feed who watched the old one: they have to subscribe again. */
static void cut_misfits(struct videoroom *vr, struct vr_pub_stream *stream)
{
    if (stream->kind != MEDIA_DATA)
        vr_data_drop_source(vr, stream);
    LIST_EACH(it, &stream->subs) {
        struct vr_sub_stream *sub = CONTAINER_OF(it, struct vr_sub_stream, of_source);
        if (sub->kind == stream->kind && (sub->codec == stream->codec || stream->codec == CODEC_NONE))
            continue;
        vr_sub_set_source(vr, sub, NULL);
        sub->owner->skipped_autoupdate = true;
    }
}

static void wire_streams(struct videoroom *vr, struct vr_participant *p, bool update)
{
    for (uint16_t i = 0; i < p->stream_count; i++) {
        struct vr_pub_stream *stream = p->streams[i];
        const struct ref before = stream->source;
        stream->source = host_source(vr->host, p->session->handle, i);
        vr_stream_apply(vr, stream);
        if (!ref_equal(before, stream->source))
            vr_forwards_go_on(vr, stream);
        cut_misfits(vr, stream);
        vr_data_rewire(vr, stream);
        LIST_EACH(it, &stream->subs) {
            struct vr_sub_stream *sub = CONTAINER_OF(it, struct vr_sub_stream, of_source);
            if (ref_is_none(sub->sink))
                continue;
            host_sink_switch(vr->host, sub->sink, stream->source);          /* harmless when it is the same */
            vr_sub_apply(vr, sub);                                          /* SVC may have come or gone */
        }
    }
    vr_remotizations_extend(vr, p);
    vr_talk_apply(vr, p);
    vr_record_apply(vr, p);
    vr_participant_caps(vr, p, !update, false);
}

/* What was agreed before: an answer that does not reach the client was never given. */
struct agreed {
    uint16_t count;
    bool e2ee;
    struct vr_pub_stream *streams;      /* copies */
};

static struct agreed remember(const struct vr_participant *p)
{
    struct agreed before = {p->stream_count, p->e2ee, NULL};
    if (before.count > 0)
        before.streams = mem_get(before.count * sizeof(*before.streams));
    for (uint16_t i = 0; i < before.count; i++)
        before.streams[i] = *p->streams[i];
    return before;
}

static void go_back(struct videoroom *vr, struct vr_participant *p, const struct agreed *before)
{
    vr_streams_cut(vr, p, before->count);
    for (uint16_t i = 0; i < before->count; i++) {
        char *description = p->streams[i]->description;     /* a label, and no part of what is agreed */
        *p->streams[i] = before->streams[i];
        p->streams[i]->description = description;
    }
    p->e2ee = before->e2ee;
}

static enum err send_answer(struct vr_call *call, const struct vr_participant *p, const struct sdp *answer)
{
    struct buf wire;
    enum err sent = ERR_INVALID;
    buf_init(&wire, SDP_TEXT_BYTES_MAX);
    if (sdp_write(answer, &wire)) {
        const struct jsep_out out = {.type = "answer", .sdp = buf_view(&wire), .e2ee = p->e2ee};
        vr_reply(call, &out, &sent);
    }
    buf_fini(&wire);
    return sent;
}

static enum vr_error check_publishing(struct vr_call *call, const struct vr_participant *p)
{
    const struct jsep_in *jsep = call->request->jsep;
    if (!jsep->update && !p->started && vr_room_started(p->room) >= p->room->publishers_max)
        return vr_fail(call, VR_PUBLISHERS_FULL, "Maximum number of publishers (%u) already reached", p->room->publishers_max);
    if (p->room->require_e2ee && !jsep->e2ee && !p->e2ee)
        return vr_fail(call, VR_UNAUTHORIZED, "Room requires end-to-end encrypted media");
    return VR_OK;
}

enum vr_error vr_answer_publisher(struct vr_call *call, struct vr_participant *p)
{
    const struct jsep_in *jsep = call->request->jsep;
    char reason[SDP_REASON_ROOM];
    enum vr_error error = check_publishing(call, p);
    if (error != VR_OK)
        return error;
    struct sdp *offer = sdp_parse(jsep->sdp, reason);
    if (offer == NULL)
        return vr_fail(call, VR_INVALID_SDP, "Error parsing offer: %s", reason);
    struct agreed before = remember(p);
    p->e2ee = p->e2ee || jsep->e2ee;
    struct sdp *answer = answer_offer(p, offer, jsep);
    apply_descriptions(p, json_object_get(call->body, "descriptions"));
    vr_participant_changed(p);
    write_answer_codec(&call->j, "audio_codec", p, answer, MEDIA_AUDIO);
    write_answer_codec(&call->j, "video_codec", p, answer, MEDIA_VIDEO);
    vr_write_streams(&call->j, p, VR_FORM_OWN);
    enum err sent = send_answer(call, p, answer);
    sdp_free(answer);
    sdp_free(offer);
    if (sent != ERR_NONE)
        go_back(call->vr, p, &before);
    mem_put(before.streams);
    if (vr_was_refused(sent)) {
        call->replied = false;
        return vr_fail(call, VR_INVALID_SDP, "Error parsing offer: it can't be answered");
    }
    if (sent != ERR_NONE)
        return VR_OK;                       /* nobody is there to hear of it */
    wire_streams(call->vr, p, jsep->update);
    if (jsep->update && p->started)
        vr_notify_publishers(call->vr, p);
    return VR_OK;
}
