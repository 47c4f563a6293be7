/* The answer to an offer (echotest.md 3): one m-line per offered one, everything that can be echoed is accepted. */
#include "base/str.h"
#include "plugins/echotest/echotest.h"

static const uint32_t echo_exts =
    SDP_EXT_BIT(SDP_EXT_MID) | SDP_EXT_BIT(SDP_EXT_RID) | SDP_EXT_BIT(SDP_EXT_REPAIRED_RID) | SDP_EXT_BIT(SDP_EXT_AUDIO_LEVEL) |
    SDP_EXT_BIT(SDP_EXT_VIDEO_ORIENTATION) | SDP_EXT_BIT(SDP_EXT_PLAYOUT_DELAY) | SDP_EXT_BIT(SDP_EXT_TRANSPORT_CC) |
    SDP_EXT_BIT(SDP_EXT_DEPENDENCY_DESCRIPTOR) | SDP_EXT_BIT(SDP_EXT_ABS_SEND_TIME) | SDP_EXT_BIT(SDP_EXT_ABS_CAPTURE_TIME) |
    SDP_EXT_BIT(SDP_EXT_VIDEO_LAYERS);

/* For each offered fmtp line what of it Opus shall keep; duplicates are the reference's too. */
static struct view audio_fmtp(struct sdp *answer, const struct sdp_mline *mline)
{
    static const char *const wanted[] = {"useinbandfec=1", "usedtx=1", "stereo=1"};
    struct buf text;
    buf_init(&text, 4096);
    for (struct sdp_attr *a = sdp_attr_find(&mline->attrs, STR("fmtp")); a != NULL; a = sdp_attr_find_next(a, STR("fmtp")))
        for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
            if (!str_contains(a->value, str_of(wanted[i])))
                continue;
            if (text.size > 0)
                buf_add_char(&text, ';');
            buf_add_text(&text, wanted[i]);
        }
    struct view fmtp = text.failed ? (struct view){NULL, 0} : sdp_text(answer, buf_view(&text));
    buf_fini(&text);
    return fmtp;
}

static struct view text_of(const json_t *body, const char *name)
{
    return str_of(json_string_value(json_object_get(body, name)));
}

/* A codec that was asked for but is unknown to us is asked for all the same: nothing offers it, so the line is rejected. */
static enum codec codec_asked(const json_t *body, const char *name, bool *unknown)
{
    struct view text = text_of(body, name);
    enum codec codec = text.size == 0 ? CODEC_NONE : codec_by_name(text);
    *unknown = text.size > 0 && codec == CODEC_NONE;
    return codec;
}

/* Recvonly clients get nothing of the first audio and the first video line: there is nothing to echo on them. */
static void mute_first_sendonly(struct sdp *answer, const struct sdp *offer)
{
    bool muted[2] = {false, false};
    for (uint16_t i = 0; i < answer->mline_count; i++) {
        struct sdp_mline *mline = answer->mlines[i];
        if (mline->kind == SDP_APPLICATION || offer->mlines[i]->direction != SDP_RECVONLY || muted[mline->kind])
            continue;
        muted[mline->kind] = true;
        mline->direction = SDP_INACTIVE;
    }
}

struct sdp *echo_answer(const struct plugin_request *request, struct sdp_accepted accepted[SDP_MLINES_MAX], char reason[SDP_REASON_ROOM])
{
    struct sdp *offer = sdp_parse(request->jsep->sdp, reason);
    if (offer == NULL)
        return NULL;
    bool unknown_audio, unknown_video;
    const enum codec audio = codec_asked(request->body, "audiocodec", &unknown_audio);
    const enum codec video = codec_asked(request->body, "videocodec", &unknown_video);
    struct sdp *answer = sdp_answer_new(offer, (struct view){NULL, 0});
    for (uint16_t i = 0; i < offer->mline_count; i++) {
        const struct sdp_mline *mline = offer->mlines[i];
        struct sdp_answer_line how = {.direction = SDP_SENDRECV, .exts = echo_exts};
        accepted[i] = (struct sdp_accepted){.pt = SDP_PT_NONE, .red_pt = SDP_PT_NONE, .dtmf_pt = SDP_PT_NONE};
        if ((mline->kind == SDP_AUDIO && unknown_audio) || (mline->kind == SDP_VIDEO && unknown_video))
            continue;
        if (mline->kind == SDP_AUDIO) {
            how.codec = audio;
            how.fmtp = audio_fmtp(answer, mline);
            how.red = json_is_true(json_object_get(request->body, "opusred"));
        } else if (mline->kind == SDP_VIDEO) {
            how.codec = video;
            how.profile = text_of(request->body, "videoprofile");
        }
        (void)sdp_answer_accept(answer, offer, i, &how, &accepted[i]);
    }
    mute_first_sendonly(answer, offer);
    sdp_free(offer);
    return answer;
}
