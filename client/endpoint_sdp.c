/* An endpoint's descriptions. They are made as a server's are (control/negotiate), with a client's m-lines; and what both
 * sides agree on is written as the order that a worker would get (control/order.c is the server's side of this). */
#include "base/mem.h"
#include "base/str.h"
#include "client/endpoint.h"
#include "proto/sdp/offer_answer.h"

#define AUDIO_PT     111u           /* as Chromium numbers them */
#define VIDEO_PT     96u
#define VP9_PT       98u
#define SESSION_NAME "-"

static const enum sdp_ext audio_exts[] = {SDP_EXT_AUDIO_LEVEL, SDP_EXT_TRANSPORT_CC, SDP_EXT_MID, SDP_EXT_ABS_SEND_TIME};
static const enum sdp_ext video_exts[] = {SDP_EXT_ABS_SEND_TIME, SDP_EXT_TRANSPORT_CC, SDP_EXT_MID, SDP_EXT_VIDEO_ORIENTATION,
                                          SDP_EXT_PLAYOUT_DELAY};

uint16_t endpoint_described(const struct endpoint *endpoint)
{
    return endpoint->negotiation.local == NULL ? 0 : endpoint->negotiation.local->mline_count;
}

static bool add_line(struct sdp *sdp, enum sdp_kind kind, enum sdp_direction direction, const char *mid, bool vp9)
{
    struct sdp_offer_line line = sdp_offer_line_of(kind, direction);
    const bool audio = kind == SDP_AUDIO;
    const enum sdp_ext *exts = audio ? audio_exts : video_exts;
    const size_t count = audio ? ARRAY_COUNT(audio_exts) : ARRAY_COUNT(video_exts);
    line.codec = audio ? CODEC_OPUS : vp9 ? CODEC_VP9 : CODEC_VP8;
    line.pt = audio ? AUDIO_PT : vp9 ? VP9_PT : VIDEO_PT;
    line.mid = str_of(mid);
    line.fmtp = audio ? STR("minptime=10;useinbandfec=1") : STR("");
    line.msid = audio ? STR("stream audio") : STR("stream video");
    for (size_t i = 0; i < count; i++)
        line.ext_ids[exts[i]] = sdp_ext_default_id(exts[i]);
    return sdp_offer_add(sdp, &line) != NULL;
}

static bool add_data(struct sdp *sdp)
{
    struct sdp_offer_line line = sdp_offer_line_of(SDP_APPLICATION, SDP_SENDRECV);
    line.mid = STR("data");
    return sdp_offer_add(sdp, &line) != NULL;
}

static enum err write_local(struct endpoint *endpoint, enum negotiate_type type, const struct sdp *sdp, struct buf *out)
{
    struct rtc *rtc = endpoint->rtc;
    struct ice_candidate host = {.foundation = "1", .type = ICE_HOST, .addr = endpoint->base};
    host.priority = ice_candidate_priority(ICE_HOST, ice_local_preference(0), 1);
    const struct negotiate_local_input in = {
        .ufrag = endpoint->local.ufrag,
        .pwd = endpoint->local.pwd,
        .fingerprint = rtc->fingerprint,
        .address = &endpoint->base,
        .candidates = &host,
        .candidate_count = 1,
        .half_trickle = true,
        .max_message_bytes = DATA_MESSAGE_DEFAULT,
        .session_id = rng_id53(&rtc->rng),
    };
    return negotiate_local(&endpoint->negotiation, type, sdp, &in, &rtc->rng, out);
}

/* Behind the last line, which is the video: the SSRCs of the layers above its own, the lowest first. */
static void write_layers(struct endpoint *endpoint, struct buf *out)
{
    const struct local_description *local = endpoint->negotiation.local;
    const struct local_mline *video = &local->mlines[local->mline_count - 1];
    endpoint->video_line = (uint16_t)(local->mline_count - 1);
    buf_addf(out, "a=ssrc-group:SIM %u", video->ssrc);
    for (unsigned i = 1; i < endpoint->layers; i++) {
        endpoint->sim_ssrc[i] = rng_u32(&endpoint->rtc->rng) | 1u;
        endpoint->sim_rtx[i] = rng_u32(&endpoint->rtc->rng) & ~1u;
        buf_addf(out, " %u", endpoint->sim_ssrc[i]);
    }
    buf_add_text(out, "\r\n");
    for (unsigned i = 1; i < endpoint->layers; i++)
        buf_addf(out, "a=ssrc-group:FID %u %u\r\na=ssrc:%u cname:client\r\na=ssrc:%u cname:client\r\n", endpoint->sim_ssrc[i],
                 endpoint->sim_rtx[i], endpoint->sim_ssrc[i], endpoint->sim_rtx[i]);
}

bool endpoint_offer(struct endpoint *endpoint, const struct endpoint_offer *what, struct buf *out)
{
    struct sdp *sdp = sdp_offer_new(STR(SESSION_NAME), rng_id53(&endpoint->rtc->rng), 1);
    bool fine = what->audio == SDP_INACTIVE || add_line(sdp, SDP_AUDIO, what->audio, "0", false);
    fine = fine && (what->video == SDP_INACTIVE || add_line(sdp, SDP_VIDEO, what->video, what->audio == SDP_INACTIVE ? "0" : "1", what->svc));
    fine = fine && (!what->data || add_data(sdp));
    fine = fine && write_local(endpoint, NEGOTIATE_OFFER, sdp, out) == ERR_NONE;
    sdp_free(sdp);
    if (fine && what->video != SDP_INACTIVE && what->layers > 1) {
        endpoint->layers = what->layers < ENDPOINT_LAYERS_MAX ? what->layers : ENDPOINT_LAYERS_MAX;
        write_layers(endpoint, out);
    }
    return fine && !out->failed;
}

bool endpoint_write_answer(struct endpoint *endpoint, const struct sdp *offer, enum sdp_direction direction, struct buf *out)
{
    struct sdp *answer = sdp_answer_new(offer, STR(SESSION_NAME));
    for (uint16_t i = 0; i < offer->mline_count; i++) {
        const struct sdp_answer_line how = {.direction = direction, .exts = SDP_EXTS_ALL};
        (void)sdp_answer_accept(answer, offer, i, &how, NULL);      /* what we can't take stays rejected */
    }
    bool fine = write_local(endpoint, NEGOTIATE_ANSWER, answer, out) == ERR_NONE;
    sdp_free(answer);
    return fine;
}

/* ---- the order ---- */

static void set_pts(struct mline_desc *out, const struct negotiated_line *agreed)
{
    for (unsigned i = 0; i < agreed->pt_count && i < MLINE_PTS_MAX; i++)
        out->pts[out->pt_count++] = (struct mline_pt){
            .pt = agreed->pts[i].pt, .rtx_pt = agreed->pts[i].rtx_pt, .codec = agreed->pts[i].codec, .clock_hz = agreed->pts[i].clock_hz};
}

static void set_source(struct mline_desc *out, struct ref source)
{
    out->source = source;
    out->source_desc = (struct source_desc){.kind = out->kind, .layer_count = out->layer_count};
    if (out->pt_count == 0)
        return;
    out->source_desc.codec = out->pts[0].codec;
    out->source_desc.clock_hz = out->pts[0].clock_hz;
}

static void set_line(const struct endpoint *endpoint, uint16_t index, struct mline_desc *out)
{
    struct negotiated_line agreed;
    const struct local_mline *local = &endpoint->negotiation.local->mlines[index];
    *out = (struct mline_desc){.mindex = index, .kind = MEDIA_DATA, .layer_count = 1};
    if (local->kind != SDP_APPLICATION)
        out->kind = local->kind == SDP_AUDIO ? MEDIA_AUDIO : MEDIA_VIDEO;
    str_copy(out->mid, sizeof(out->mid), str_of(local->mid));
    if (local->kind == SDP_APPLICATION || !negotiation_line(&endpoint->negotiation, index, &agreed))
        return;
    out->send = agreed.send;
    out->recv = agreed.recv;
    out->nack = agreed.nack;
    out->ssrc = agreed.ssrc;
    out->rtx_ssrc = agreed.ssrc_rtx;
    out->layer_count = agreed.layer_count > 0 ? agreed.layer_count : 1;
    for (unsigned i = 0; i < LAYERS_MAX; i++) {
        out->remote_ssrc[i] = agreed.remote_ssrc[i];
        out->remote_rtx_ssrc[i] = agreed.remote_ssrc_rtx[i];
    }
    set_pts(out, &agreed);
    if (!ref_is_none(endpoint->lines[index]->source))
        set_source(out, endpoint->lines[index]->source);
}

static void set_data(const struct endpoint *endpoint, struct peer_data_desc *out)
{
    const uint16_t index = endpoint_line_of(endpoint, SDP_APPLICATION, true);
    struct negotiated_line agreed;
    if (!negotiation_line(&endpoint->negotiation, index, &agreed))
        return;
    *out = (struct peer_data_desc){.state = DATA_AGREED, .to_control = true, .mindex = index, .remote_port = agreed.sctp_port,
                                   .receive_max = DATA_MESSAGE_DEFAULT, .send_max = agreed.max_message_bytes};
}

/* A layer above the first: a line of its own for the peer, which receives nothing and is in no description. */
static void set_layer(const struct endpoint *endpoint, uint8_t layer, const struct mline_desc *video, struct mline_desc *out)
{
    *out = *video;
    out->mindex = (uint16_t)(endpoint_described(endpoint) + layer - 1u);
    out->recv = false;
    out->ssrc = endpoint->sim_ssrc[layer];
    out->rtx_ssrc = video->rtx_ssrc == 0 ? 0 : endpoint->sim_rtx[layer];
    out->layer_count = 1;
    out->source = REF_NONE;
    for (unsigned i = 0; i < LAYERS_MAX; i++)
        out->remote_ssrc[i] = out->remote_rtx_ssrc[i] = 0;
}

void endpoint_write_order(const struct endpoint *endpoint, struct peer_apply_order *order)
{
    const struct negotiation *n = &endpoint->negotiation;
    const uint16_t described = endpoint_described(endpoint);
    order->peer = endpoint->name;
    order->remote_known = true;
    order->dtls_client = n->has_role && n->role == DTLS_ROLE_CLIENT;
    order->start = true;
    str_copy(order->remote.ufrag, sizeof(order->remote.ufrag), str_of(n->remote->ufrag));
    str_copy(order->remote.pwd, sizeof(order->remote.pwd), str_of(n->remote->pwd));
    order->fingerprint = n->remote->fingerprint;
    negotiation_exts(n, &order->ext);
    set_data(endpoint, &order->data);
    for (uint16_t i = 0; i < described; i++)
        set_line(endpoint, i, &order->mlines[i]);
    for (uint8_t layer = 1; layer < endpoint->layers; layer++)
        set_layer(endpoint, layer, &order->mlines[endpoint->video_line], &order->mlines[described + layer - 1u]);
}
