#include "client/endpoint.h"

#include "base/check.h"
#include "base/mem.h"
#include "client/synth.h"

#define UFRAG_CHARS_SENT 16u
#define PWD_CHARS_SENT   24u

struct endpoint *endpoint_new(struct rtc *rtc, const struct net_addr *base, bool offers, usec_t now)
{
    struct endpoint *endpoint = pool_get(&rtc->pool);
    if (endpoint == NULL)
        return NULL;
    *endpoint = (struct endpoint){.rtc = rtc, .base = *base, .controlling = offers, .layers = 1};
    rng_text(&rtc->rng, endpoint->local.ufrag, UFRAG_CHARS_SENT);
    rng_text(&rtc->rng, endpoint->local.pwd, PWD_CHARS_SENT);
    negotiation_init(&endpoint->negotiation);
    endpoint->name = slots_add(&rtc->endpoints, endpoint);
    /* The agent keeps these pointers: its bases are this endpoint's one address. */
    rtc->env.bases = &endpoint->base;
    rtc->env.base_count = 1;
    const struct peer_open_order order = {.peer = endpoint->name, .local = endpoint->local, .controlling = offers};
    if (!ref_is_none(endpoint->name))
        endpoint->peer = peer_new(&rtc->env, &order, now);
    if (endpoint->peer == NULL) {
        slots_del(&rtc->endpoints, endpoint->name);
        pool_put(&rtc->pool, endpoint);
        return NULL;
    }
    return endpoint;
}

void endpoint_close(struct endpoint *endpoint, usec_t now)
{
    peer_close(endpoint->peer, now, true);
    rtc_settle(endpoint->rtc, endpoint);
}

static void free_line(struct endpoint *endpoint, struct endpoint_line *line)
{
    struct rtc *rtc = endpoint->rtc;
    if (line->receiver != NULL)
        sink_free(line->receiver);
    if (!ref_is_none(line->sending))
        slots_del(&rtc->names, line->sending);
    pool_put(&rtc->lines, line);
}

void endpoint_free(struct endpoint *endpoint, usec_t now)
{
    if (endpoint == NULL)
        return;
    struct rtc *rtc = endpoint->rtc;
    rtc_settle(rtc, endpoint);
    rtc_seal(rtc, now);                     /* what waits needs its keys */
    peer_free(endpoint->peer);
    for (uint16_t i = 0; i < ENDPOINT_LINES_MAX; i++)
        if (endpoint->lines[i] != NULL)
            free_line(endpoint, endpoint->lines[i]);
    rtc_settle(rtc, endpoint);
    negotiation_fini(&endpoint->negotiation);
    slots_del(&rtc->endpoints, endpoint->name);
    pool_put(&rtc->pool, endpoint);
}

/* ---- what both sides have said becomes the peer's state ---- */

static bool make_lines(struct endpoint *endpoint, uint16_t count)
{
    if (count > ENDPOINT_LINES_MAX)
        return false;
    for (uint16_t i = 0; i < count; i++) {
        if (endpoint->lines[i] != NULL)
            continue;
        endpoint->lines[i] = pool_get(&endpoint->rtc->lines);
        if (endpoint->lines[i] == NULL)
            return false;
    }
    endpoint->line_count = count;
    return true;
}

static void name_sources(struct endpoint *endpoint)
{
    for (uint16_t i = 0; i < endpoint_described(endpoint); i++) {
        struct negotiated_line agreed;
        struct endpoint_line *line = endpoint->lines[i];
        bool receives = negotiation_line(&endpoint->negotiation, i, &agreed) && agreed.recv && agreed.kind != SDP_APPLICATION;
        if (!receives)
            line->source = REF_NONE;
        else if (ref_is_none(line->source))
            line->source = slots_add(&endpoint->rtc->names, endpoint);
    }
}

static void hang_receivers(struct endpoint *endpoint, usec_t now)
{
    static const struct sink_options options = {.substream_target = 2, .temporal_target = 2, .min_delay = -1, .max_delay = -1};
    struct rtc *rtc = endpoint->rtc;
    for (uint16_t i = 0; i < endpoint_described(endpoint); i++) {
        struct endpoint_line *line = endpoint->lines[i];
        struct source *source = slots_get(&rtc->sources, line->source);
        if (source == NULL)
            continue;
        if (line->receiver == NULL) {
            line->receiver = sink_new(&rtc->media, REF_NONE, &options, now);
            if (line->receiver == NULL)
                continue;
            verify_init(&line->verify, source->desc.kind == MEDIA_VIDEO);
            sink_set_port(line->receiver, &line->verify.port, false, source->desc.clock_hz);
        }
        sink_set_source(line->receiver, source, now);
    }
}

static void apply(struct endpoint *endpoint, usec_t now)
{
    uint16_t count = (uint16_t)(endpoint_described(endpoint) + endpoint->layers - 1u);
    const struct remote_description *remote = endpoint->negotiation.remote;
    name_sources(endpoint);
    struct peer_apply_order *order = mem_get_zero(sizeof(*order) + count * sizeof(order->mlines[0]));
    order->mline_count = count;
    endpoint_write_order(endpoint, order);
    peer_apply(endpoint->peer, now, order);
    mem_put(order);
    for (uint16_t i = 0; i < remote->candidate_count; i++)
        if (remote->candidates[i].name[0] == '\0')
            peer_add_candidate(endpoint->peer, now, &remote->candidates[i].candidate);
    if (remote->end_of_candidates)
        peer_end_of_candidates(endpoint->peer, now);
    hang_receivers(endpoint, now);
    rtc_turn_data(endpoint->rtc, now, endpoint);
}

static bool complete(struct endpoint *endpoint, usec_t now)
{
    if (!make_lines(endpoint, (uint16_t)(endpoint_described(endpoint) + endpoint->layers - 1u)))
        return false;
    apply(endpoint, now);
    return true;
}

bool endpoint_take_answer(struct endpoint *endpoint, usec_t now, struct view text)
{
    char reason[SDP_REASON_ROOM];
    const struct negotiate_remote_options options = {.encrypted = true};
    struct sdp *sdp = sdp_parse(text, reason);
    if (sdp == NULL)
        return false;
    bool fine = negotiate_remote(&endpoint->negotiation, NEGOTIATE_ANSWER, sdp, &options, NULL) == NEGOTIATE_OK;
    sdp_free(sdp);
    return fine && complete(endpoint, now);
}

bool endpoint_answer(struct endpoint *endpoint, usec_t now, struct view offer, enum sdp_direction direction, struct buf *out)
{
    char reason[SDP_REASON_ROOM];
    const struct negotiate_remote_options options = {.encrypted = true};
    struct sdp *sdp = sdp_parse(offer, reason);
    if (sdp == NULL)
        return false;
    bool fine = negotiate_remote(&endpoint->negotiation, NEGOTIATE_OFFER, sdp, &options, NULL) == NEGOTIATE_OK;
    if (fine) {
        anonymise(sdp);
        fine = endpoint_write_answer(endpoint, sdp, direction, out);
    }
    sdp_free(sdp);
    return fine && complete(endpoint, now);
}

/* ---- datagrams and time ---- */

void endpoint_input(struct endpoint *endpoint, usec_t now, const struct net_addr *from, uint8_t *datagram, size_t size)
{
    const struct net_tuple tuple = {.remote = *from};
    if (size == 0)
        return;
    peer_input(endpoint->peer, now, &tuple, datagram, size);
}

void endpoint_received(struct endpoint *endpoint, usec_t now)
{
    while (peer_receive_flush(&endpoint->rtc->env, now))
        ;                           /* what comes in is looked at and not sent on: this fills no batch */
    rtc_turn_data(endpoint->rtc, now, endpoint);
}

void endpoint_timeout(struct endpoint *endpoint, usec_t now)
{
    peer_timeout(endpoint->peer, now);
    rtc_turn_data(endpoint->rtc, now, endpoint);
}

usec_t endpoint_deadline(const struct endpoint *endpoint, usec_t now)
{
    return peer_deadline(endpoint->peer, now);
}

bool endpoint_is_up(const struct endpoint *endpoint)
{
    return peer_is_up(endpoint->peer);
}

/* ---- data ---- */

enum err endpoint_send_data(struct endpoint *endpoint, usec_t now, struct view label, bool binary, struct view bytes)
{
    const uint32_t cost = data_cost(bytes.size);
    if (endpoint_line_of(endpoint, SDP_APPLICATION, true) == UINT16_MAX)
        return ERR_STATE;
    if (label.size > DATA_LABEL_MAX || bytes.size > DATA_MESSAGE_LIMIT)
        return ERR_INVALID;
    if (endpoint->data_queued >= DATA_TAKEN_STEP && endpoint->data_queued + cost > ENDPOINT_DATA_QUEUE)
        return ERR_FULL;
    struct data_packet *packet = mem_get(sizeof(*packet) + label.size + bytes.size);
    *packet = (struct data_packet){.cost = cost, .size = (uint32_t)bytes.size, .label_size = (uint8_t)label.size, .binary = binary};
    if (label.size > 0)
        memcpy(packet->bytes, label.data, label.size);
    if (bytes.size > 0)
        memcpy(packet->bytes + label.size, bytes.data, bytes.size);
    endpoint->data_queued += cost;
    peer_data_send(endpoint->peer, now, packet);
    mem_put(packet);
    rtc_turn_data(endpoint->rtc, now, endpoint);
    return ERR_NONE;
}

/* ---- media ---- */

uint16_t endpoint_line_of(const struct endpoint *endpoint, enum sdp_kind kind, bool sends)
{
    for (uint16_t i = 0; i < endpoint_described(endpoint); i++) {
        struct negotiated_line agreed;
        if (negotiation_line(&endpoint->negotiation, i, &agreed) && agreed.kind == kind && (sends ? agreed.send : agreed.recv))
            return i;
    }
    return UINT16_MAX;
}

const struct verify *endpoint_verify(const struct endpoint *endpoint, uint16_t line)
{
    return line < endpoint->line_count && endpoint->lines[line]->receiver != NULL ? &endpoint->lines[line]->verify : NULL;
}

bool endpoint_send(struct endpoint *endpoint, usec_t now, uint16_t index, uint8_t layer, struct synth *synth)
{
    struct rtc *rtc = endpoint->rtc;
    struct negotiated_line agreed;
    if (layer >= (index == endpoint->video_line ? endpoint->layers : 1) || !negotiation_line(&endpoint->negotiation, index, &agreed) ||
        !agreed.send || agreed.pt_count == 0)
        return false;
    uint16_t mindex = layer == 0 ? index : (uint16_t)(endpoint_described(endpoint) + layer - 1u);
    struct endpoint_line *line = endpoint->lines[mindex];
    const struct sink_options options = {
        .pt = agreed.pts[0].pt, .substream_target = 2, .temporal_target = 2, .min_delay = -1, .max_delay = -1};
    if (!ref_is_none(line->sending))
        return false;
    line->sending = slots_add(&rtc->names, endpoint);
    struct sink *sink = sink_new(&rtc->media, line->sending, &options, now);
    if (sink == NULL || !slots_put(&rtc->sinks, line->sending, sink) || !peer_attach_sink(endpoint->peer, now, mindex, sink)) {
        sink_free(sink);
        return false;
    }
    sink_set_source(sink, synth->source, now);
    synth->endpoint = endpoint;
    synth->next_at = now;
    rtc_settle(rtc, endpoint);
    return true;
}
