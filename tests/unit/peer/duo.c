#include "proto/dtls/dtls_internal.h"

#include "duo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "proto/rtp/codec.h"
#include "proto/rtp/demux.h"

#define EPOCH_S 1700000000u

usec_t virtual_now;

/* libssl's retransmission timers read this one and nothing else. */
__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    (void)zone;
    tv->tv_sec = (time_t)(EPOCH_S + virtual_now / SEC(1));
    tv->tv_usec = (suseconds_t)(virtual_now % SEC(1));
    return 0;
}

static void fill(void *source, uint8_t *out, size_t size)
{
    uint64_t *x = source;
    for (size_t i = 0; i < size; i++) {
        *x = *x * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(*x >> 40);
    }
}

uint32_t duo_dice(struct duo *duo, uint32_t sides)
{
    duo->random = duo->random * 1664525u + 1013904223u;
    return (duo->random >> 8) % sides;
}

uint32_t duo_ssrc(int side, uint16_t line, uint8_t layer)
{
    return (side == A ? 0xA0000000u : 0xB0000000u) + line * 16u + layer;
}

uint32_t duo_rtx_ssrc(int side, uint16_t line, uint8_t layer)
{
    return duo_ssrc(side, line, layer) + 0x01000000u;
}

/* ---- life ---- */

static struct dtls_identity *identities[2];

static const struct dtls_identity *identity(int side)
{
    char error[DTLS_ERROR_TEXT];
    if (identities[side] == NULL)
        identities[side] = dtls_identity_new(&(struct dtls_identity_config){0}, error);
    assert_non_null(identities[side]);
    return identities[side];
}

static const char *profile_text(uint16_t profile)
{
    switch (profile) {
    case DTLS_SRTP_AES128_CM_SHA1_80: return "SRTP_AES128_CM_SHA1_80";
    case DTLS_SRTP_AES128_CM_SHA1_32: return "SRTP_AES128_CM_SHA1_32";
    case DTLS_SRTP_AEAD_AES_128_GCM: return "SRTP_AEAD_AES_128_GCM";
    default: return "SRTP_AEAD_AES_256_GCM";
    }
}

static void open_side(struct duo *duo, int index, const struct duo_options *options)
{
    struct side *side = &duo->side[index];
    struct dtls_shared_config config = {.identity = identity(index), .accept_selfsigned = true};
    char error[DTLS_ERROR_TEXT];
    side->seed = (uint64_t)index + 1;
    rng_init(&side->rng, fill, &side->seed);
    media_init(&side->media, &(struct media_limits){.sources = 64, .sinks = 64, .packets = 8192});
    slots_init(&side->sources, 1024);
    slots_init(&side->sinks, 1024);
    slots_init(&side->data_sources, 1024);
    slots_init(&side->data_sinks, 1024);
    side->base = (struct net_addr){.ip = {10, 0, 0, (uint8_t)(1 + index)}, .port = 5000, .family = NET_IP4};
    side->env.media = &side->media;
    side->env.sources = &side->sources;
    side->env.sinks = &side->sinks;
    side->env.data_sources = &side->data_sources;
    side->env.data_sinks = &side->data_sinks;
    side->env.rng = &side->rng;
    side->env.bases = &side->base;
    side->env.base_count = 1;
    side->env.settings = options->settings;
    if (side->env.settings.twcc_period_us == 0)
        side->env.settings.twcc_period_us = MSEC(200);
    if (side->env.settings.no_media_us == 0)
        side->env.settings.no_media_us = SEC(1);
    side->env.seal = seal_shared_new(SEAL_BACKEND_AUTO, 16);
    config.seal = side->env.seal;
    side->env.dtls = dtls_shared_open(&config, error);
    assert_non_null(side->env.dtls);
    if (index == A && options->profile != 0)
        assert_int_equal(SSL_CTX_set_tlsext_use_srtp(side->env.dtls->ctx, profile_text(options->profile)), 0);
    assert_true(peer_env_init(&side->env, &(struct peer_limits){.peers = 4, .mlines = 16,
                                                                .sealed = options->sealed_limit != 0 ? options->sealed_limit : 1024}));
}

static void open_peer(struct duo *duo, int index, const struct duo_options *options)
{
    struct side *side = &duo->side[index];
    side->name = (struct ref){(uint32_t)(3 + index), 7};
    side->open = (struct peer_open_order){
        .peer = side->name,
        .controlling = (index == A) == options->a_controlling,
        .nomination_regular = options->regular,
        .lite = index == B && options->lite_b,
    };
    snprintf(side->open.local.ufrag, sizeof(side->open.local.ufrag), "ufragufrag%02d", index);
    snprintf(side->open.local.pwd, sizeof(side->open.local.pwd), "passwordpasswordpassword%d", index);
    side->peer = peer_new(&side->env, &side->open, duo->now);
    assert_non_null(side->peer);
}

void duo_init(struct duo *duo, const struct duo_options *options)
{
    *duo = (struct duo){.now = SEC(1000), .delay_us = MSEC(10), .random = 1};
    virtual_now = duo->now;
    (void)identity(A);
    (void)identity(B);
    duo->outstanding = seam_mem_outstanding();              /* the identities, which every test uses */
    for (int i = 0; i < 2; i++)
        open_side(duo, i, options);
    for (int i = 0; i < 2; i++)
        open_peer(duo, i, options);
    duo->a_is_dtls_server = options->a_is_dtls_server;
}

static void close_side(struct side *side)
{
    for (uint16_t i = 0; i < DUO_LINES; i++)
        if (side->ear[i] != NULL)
            sink_free(side->ear[i]);
    if (side->peer != NULL)
        peer_free(side->peer);
    for (uint16_t i = 0; i < DUO_LINES; i++) {
        if (side->feed_source[i] != NULL)
            source_free(side->feed_source[i]);
        fake_port_fini(&side->port[i]);
    }
    for (struct list *it; (it = list_pop(&side->media.orphans)) != NULL;)
        source_free(CONTAINER_OF(it, struct source, wanting));
    for (struct list *it; (it = list_pop(&side->media.data_orphans)) != NULL;)
        data_source_free(CONTAINER_OF(it, struct data_source, freed));
    mem_put(side->data_last);
    assert_int_equal(side->data_sources.count + side->data_sinks.count, 0);
    assert_int_equal(side->sources.count, 0);
    assert_int_equal(side->sinks.count, 0);
    peer_env_fini(&side->env);
    media_fini(&side->media);
    dtls_shared_close(side->env.dtls);
    seal_shared_free(side->env.seal);
    slots_fini(&side->sources);
    slots_fini(&side->sinks);
    slots_fini(&side->data_sources);
    slots_fini(&side->data_sinks);
}

void duo_fini(struct duo *duo)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(duo->side[i].after_end, 0);
        close_side(&duo->side[i]);
        for (uint32_t k = 0; k < duo->tape_count[i]; k++)
            free(duo->tape[i][k].data);
        free(duo->tape[i]);
        free(duo->side[i].rtcp);
    }
    for (uint32_t i = 0; i < duo->flight_count; i++)
        free(duo->flights[i].data);
    free(duo->flights);
    free(duo->jobs);
    assert_int_equal(seam_mem_outstanding(), duo->outstanding);
}

/* ---- what negotiation would have said ---- */

static void describe_sender(struct mline_desc *desc, int side, uint16_t index, const struct duo_line *line)
{
    desc->send = side == A ? line->a_sends : line->b_sends;
    desc->ssrc = duo_ssrc(side, index, 0);
    desc->rtx_ssrc = line->rtx ? duo_rtx_ssrc(side, index, 0) : 0;
}

static void describe_receiver(struct mline_desc *desc, int side, uint16_t index, const struct duo_line *line)
{
    const struct codec_info *info = codec_info(line->codec);
    static const char *const rids[] = {"l", "m", "h"};
    desc->recv = side == A ? line->b_sends : line->a_sends;
    desc->layer_count = line->layers > 0 ? line->layers : 1;
    if (!desc->recv)
        return;
    for (uint8_t i = 0; i < desc->layer_count; i++) {
        if (line->by_rid)
            (void)str_copy(desc->rid[i], sizeof(desc->rid[i]), str_of(rids[i]));
        if (line->by_rid || line->by_mid)
            continue;
        desc->remote_ssrc[i] = duo_ssrc(1 - side, index, i);
        desc->remote_rtx_ssrc[i] = line->rtx ? duo_rtx_ssrc(1 - side, index, i) : 0;
    }
    desc->source = (struct ref){index, 1};
    desc->source_desc = (struct source_desc){.kind = desc->kind, .codec = (uint8_t)line->codec, .layer_count = desc->layer_count,
                                             .clock_hz = info->clock_hz};
}

uint16_t duo_line(struct duo *duo, const struct duo_line *line)
{
    const struct codec_info *info = codec_info(line->codec);
    const bool video = info->kind == CODEC_KIND_VIDEO;
    uint16_t index = duo->line_count++;
    assert_in_range(index, 0, DUO_LINES - 1);
    for (int side = 0; side < 2; side++) {
        struct mline_desc *desc = &duo->side[side].lines[index];
        *desc = (struct mline_desc){.mindex = index, .kind = video ? MEDIA_VIDEO : MEDIA_AUDIO, .nack = line->nack, .pt_count = 1};
        snprintf(desc->mid, sizeof(desc->mid), "%u", index);
        desc->pts[0] = (struct mline_pt){.pt = video ? 96 : 111, .rtx_pt = line->rtx ? 97 : 0, .codec = (uint8_t)line->codec,
                                         .clock_hz = info->clock_hz};
        describe_sender(desc, side, index, line);
        describe_receiver(desc, side, index, line);
    }
    return index;
}

static bool is_dtls_client(const struct duo *duo, int side)
{
    return (side == A) != duo->a_is_dtls_server;
}

void duo_apply(struct duo *duo, int index, bool start, bool restart)
{
    struct side *side = &duo->side[index], *other = &duo->side[1 - index];
    size_t size = sizeof(struct peer_apply_order) + duo->line_count * sizeof(struct mline_desc);
    struct peer_apply_order *order = calloc(1, size);       /* exactly as long as it says: a sanitizer sees whoever reads on */
    *order = (struct peer_apply_order){
        .peer = side->name,
        .remote_known = true,
        .dtls_client = is_dtls_client(duo, index),
        .remote = other->open.local,
        .fingerprint = *dtls_identity_fingerprint(identity(1 - index)),
        .start = start,
        .restart = restart,
        .local = side->open.local,
        .ext = {.mid = 4, .rid = 10, .repaired_rid = 11, .twcc = 3, .abs_send_time = 2, .audio_level = 1, .playout_delay = 12, .orientation = 13},
        .data = side->data,
        .mline_count = duo->line_count,
    };
    for (uint16_t i = 0; i < duo->line_count; i++)
        order->mlines[i] = side->lines[i];
    peer_apply(side->peer, duo->now, order);
    free(order);
    duo_turn(duo, index);
}

void duo_introduce(struct duo *duo, int index)
{
    struct ice_candidate candidate = {.foundation = "1", .type = ICE_HOST, .addr = duo->side[1 - index].base};
    candidate.priority = ice_candidate_priority(ICE_HOST, ice_local_preference(0), 1);
    peer_add_candidate(duo->side[index].peer, duo->now, &candidate);
    duo_turn(duo, index);
}

void duo_end_candidates(struct duo *duo, int index)
{
    peer_end_of_candidates(duo->side[index].peer, duo->now);
    duo_turn(duo, index);
}

void duo_start(struct duo *duo)
{
    for (int i = 0; i < 2; i++)
        duo_apply(duo, i, true, false);
    for (int i = 0; i < 2; i++) {
        duo_introduce(duo, i);
        duo_end_candidates(duo, i);
    }
}

static bool both_up(struct duo *duo)
{
    return duo->side[A].up && duo->side[B].up;
}

void duo_connect(struct duo *duo)
{
    duo_start(duo);
    assert_true(duo_run_until(duo, both_up, duo->now + SEC(5)));
}

/* ---- the network ---- */

static void grow(struct flight **list, uint32_t count, uint32_t *room)
{
    if (count < *room)
        return;
    *room = *room == 0 ? 256 : *room * 2;
    *list = realloc(*list, *room * sizeof(**list));
}

static void launch(struct duo *duo, int to, usec_t at, const uint8_t *data, size_t size)
{
    grow(&duo->flights, duo->flight_count, &duo->flight_room);
    struct flight *flight = &duo->flights[duo->flight_count++];
    *flight = (struct flight){.at = at, .to = to, .size = size, .data = malloc(size + SEAL_ROOM)};
    memcpy(flight->data, data, size);
}

static void send_datagram(struct duo *duo, int from, const uint8_t *data, size_t size)
{
    uint8_t copy[2048];
    enum fate fate = FATE_DELIVER;
    duo->side[from].kinds[rtp_classify(VIEW(data, size))]++;
    if (duo->taped) {
        grow(&duo->tape[from], duo->tape_count[from], &duo->tape_room[from]);
        struct flight *kept = &duo->tape[from][duo->tape_count[from]++];
        *kept = (struct flight){.at = duo->now, .to = 1 - from, .size = size, .data = malloc(size + SEAL_ROOM)};
        memcpy(kept->data, data, size);
    }
    memcpy(copy, data, size);
    if (duo->fate != NULL)
        fate = duo->fate(duo, from, copy, &size);
    if (duo->cut[from] || fate == FATE_DROP)
        return;
    launch(duo, 1 - from, duo->now + duo->delay_us + (fate == FATE_LATE ? MSEC(30) : 0), copy, size);
    if (fate == FATE_TWICE)
        launch(duo, 1 - from, duo->now + duo->delay_us + 1, copy, size);
}

/* security.md and design section 5: the same key, SSRC and index never seal other bytes. Here: they never seal twice. */
static void note_job(struct duo *duo, const struct seal_keys *keys, const uint8_t *packet, uint64_t index)
{
    const struct sealed_job job = {keys, get_u32(packet + 8), index};
    if (duo->job_count == duo->job_room) {
        duo->job_room = duo->job_room == 0 ? 1024 : duo->job_room * 2;
        duo->jobs = realloc(duo->jobs, duo->job_room * sizeof(*duo->jobs));
    }
    for (uint32_t i = duo->job_count; i > 0 && duo->job_count - i < 4096; i--) {
        const struct sealed_job *other = &duo->jobs[i - 1];
        if (other->keys == job.keys && other->ssrc == job.ssrc && other->index == job.index)
            fail_msg("sealed twice: SSRC %x, index %llu", job.ssrc, (unsigned long long)job.index);
    }
    duo->jobs[duo->job_count++] = job;
}

static void flush(struct duo *duo, int index)
{
    struct egress_batch *batch = &duo->side[index].env.egress;
    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->items[i].keys != NULL)
            note_job(duo, batch->items[i].keys, batch->bytes + batch->items[i].offset, batch->items[i].index);
    assert_int_equal(egress_seal(batch, duo->side[index].env.seal), 0);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct egress_item *item = &batch->items[i];
        assert_true(net_addr_equal(&item->to.remote, &duo->side[1 - index].base));
        if (item->keep != NULL)
            mline_keep_sealed(item->keep, duo->now, VIEW(batch->bytes + item->offset, item->size));
        send_datagram(duo, index, batch->bytes + item->offset, item->size);
    }
    egress_clear(batch);
}

static void note_data(struct side *side, struct data_packet *packet)
{
    side->data_count++;
    side->data_bytes += packet->size;
    if (side->hoards)
        side->data_cost += packet->cost;
    else
        peer_data_credit(side->peer, packet->cost);
    mem_put(side->data_last);
    side->data_last = packet;
}

static void note_event(struct duo *duo, struct side *side, const struct peer_event *event)
{
    assert_true(ref_equal(event->peer, side->name));
    if (side->ended && event->kind != PEER_EVENT_BIND && event->kind != PEER_EVENT_CLAIM && event->kind != PEER_EVENT_UNBIND)
        side->after_end++;
    switch ((enum peer_event_kind)event->kind) {
    case PEER_EVENT_BIND:
        side->bound++;
        break;
    case PEER_EVENT_CLAIM:
        side->claimed++;
        break;
    case PEER_EVENT_UNBIND:
        side->unbound++;
        break;
    case PEER_EVENT_UP:
        assert_false(side->up);
        side->up = true;
        side->up_at = duo->now;
        break;
    case PEER_EVENT_HANGUP:
        side->ended = true;
        side->ended_at = duo->now;
        side->reason = (enum hangup_reason)event->reason;
        break;
    case PEER_EVENT_ICE_FAILED:
        side->ice_failed++;
        side->ice_failed_at = duo->now;
        break;
    case PEER_EVENT_MEDIA:
        assert_in_range(side->media_count, 0, ARRAY_COUNT(side->media_events) - 1);
        side->media_events[side->media_count++] = *event;
        break;
    case PEER_EVENT_SLOWLINK:
        assert_in_range(side->slowlink_count, 0, ARRAY_COUNT(side->slowlink) - 1);
        side->slowlink[side->slowlink_count++] = *event;
        break;
    case PEER_EVENT_STATS:
    case PEER_EVENT_ICE_STATE:
    case PEER_EVENT_PAIR:
    case PEER_EVENT_DTLS:
        side->told++;
        break;
    case PEER_EVENT_DATA_UP:
        side->data_up = true;
        break;
    case PEER_EVENT_DATA:
        note_data(side, event->packet);
        break;
    case PEER_EVENT_DATA_TAKEN:
        side->data_taken += event->count;
        break;
    }
}

static void ask_keyframes(struct duo *duo, struct side *side)
{
    LIST_EACH(it, &side->media.keyframes) {
        struct source *source = CONTAINER_OF(it, struct source, wanting);
        if (!source_keyframe_due(source, duo->now))
            continue;
        side->keyframes_asked++;
        if (source->origin != NULL)
            peer_ask_keyframe(source, duo->now);
    }
}

static void note_events(struct duo *duo, struct side *side)
{
    for (uint32_t i = 0; i < side->env.events.count; i++)
        note_event(duo, side, &side->env.events.items[i]);
    side->env.events.count = 0;
}

/* As a worker does it: what has been freed goes on, until there is nothing more. */
static void flush_data(struct duo *duo, int index)
{
    struct side *side = &duo->side[index];
    bool more = true;
    while (more) {
        while (peer_data_flush(&side->env, duo->now))
            flush(duo, index);
        flush(duo, index);
        note_events(duo, side);
        more = !list_is_empty(&side->env.data_dirty);
        for (struct list *it; (it = list_pop(&side->media.data_freed)) != NULL; more = true) {
            struct data_source *source = CONTAINER_OF(it, struct data_source, freed);
            if (source->origin != NULL && !data_source_waits(source))
                peer_data_go_on(source);
        }
    }
}

void duo_turn(struct duo *duo, int index)
{
    struct side *side = &duo->side[index];
    note_events(duo, side);
    for (struct list *it; (it = list_pop(&side->media.orphans)) != NULL;)
        source_free(CONTAINER_OF(it, struct source, wanting));
    while (list_pop(&side->media.layers) != NULL)
        ;
    ask_keyframes(duo, side);
    flush(duo, index);
    flush_data(duo, index);
}

void duo_say(struct duo *duo, int index, const char *label, const char *protocol, bool binary, const void *bytes, size_t size)
{
    const size_t label_size = strlen(label), protocol_size = strlen(protocol);
    struct data_packet *packet = malloc(sizeof(*packet) + label_size + protocol_size + size);
    *packet = (struct data_packet){.cost = (uint32_t)size + DATA_COST_EXTRA, .size = (uint32_t)size, .label_size = (uint8_t)label_size,
                                   .protocol_size = (uint8_t)protocol_size, .binary = binary};
    memcpy(packet->bytes, label, label_size);
    memcpy(packet->bytes + label_size, protocol, protocol_size);
    if (size > 0)
        memcpy(packet->bytes + label_size + protocol_size, bytes, size);
    peer_data_send(duo->side[index].peer, duo->now, packet);
    free(packet);
    duo_turn(duo, index);
}

static void look_at_rtcp(struct duo *duo, struct side *side, const uint8_t *data, size_t size)
{
    uint8_t copy[1600];
    bool replay;
    struct rtcp_packet packet;
    if (rtp_classify(VIEW(data, size)) != RTP_KIND_RTCP || side->peer == NULL || side->peer->keys_in == NULL || size > 1500)
        return;
    memcpy(copy, data, size);
    size = seal_rtcp_open(side->peer->keys_in, &side->rtcp_rx, copy, size, &replay);
    struct rtcp_iter it = rtcp_iter_of(VIEW(copy, size));
    while (size > 0 && rtcp_next(&it, &packet)) {
        if (side->rtcp_count == side->rtcp_room) {
            side->rtcp_room = side->rtcp_room == 0 ? 64 : side->rtcp_room * 2;
            side->rtcp = realloc(side->rtcp, side->rtcp_room * sizeof(*side->rtcp));
        }
        struct rtcp_seen *seen = &side->rtcp[side->rtcp_count++];
        *seen = (struct rtcp_seen){.at = duo->now, .pt = packet.pt, .count = packet.count, .size = (uint16_t)packet.body.size};
        memcpy(seen->body, packet.body.data, packet.body.size);
    }
}

const struct rtcp_seen *duo_rtcp(const struct duo *duo, int index, uint8_t pt, uint8_t format, uint32_t n, struct rtcp_packet *parsed)
{
    const struct side *side = &duo->side[index];
    for (uint32_t i = 0; i < side->rtcp_count; i++) {
        const struct rtcp_seen *seen = &side->rtcp[i];
        if (seen->pt != pt || (format != ANY_FORMAT && seen->count != format) || n-- > 0)
            continue;
        if (parsed != NULL)
            *parsed = (struct rtcp_packet){.pt = seen->pt, .count = seen->count, .body = VIEW(seen->body, seen->size)};
        return seen;
    }
    return NULL;
}

uint32_t duo_rtcp_count(const struct duo *duo, int index, uint8_t pt, uint8_t format)
{
    uint32_t n = 0;
    while (duo_rtcp(duo, index, pt, format, n, NULL) != NULL)
        n++;
    return n;
}

static void receive(struct duo *duo, int to, uint8_t *data, size_t size)
{
    struct side *side = &duo->side[to];
    look_at_rtcp(duo, side, data, size);
    const struct net_tuple from = {0, duo->side[1 - to].base};
    side->env.wall_us = (uint64_t)EPOCH_S * 1000000u + duo->now;
    if (side->peer == NULL)
        return;
    peer_input(side->peer, duo->now, &from, data, size);
    (void)peer_receive_flush(&side->env, duo->now);
    duo_turn(duo, to);
}

void duo_inject(struct duo *duo, int to, const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + SEAL_RTCP_ROOM);          /* its own block: a sanitizer sees whoever reads past it */
    if (size > 0)
        memcpy(copy, data, size);
    receive(duo, to, copy, size);
    free(copy);
}

/* ---- time ---- */

static usec_t side_deadline(const struct duo *duo, int index)
{
    const struct side *side = &duo->side[index];
    usec_t first = side->peer == NULL ? USEC_NEVER : peer_deadline(side->peer, duo->now);
    LIST_EACH(it, &side->media.keyframes)
        first = usec_min(first, source_keyframe_deadline(CONTAINER_OF(it, struct source, wanting)));
    return first;
}

static usec_t next_event(const struct duo *duo, uint32_t *flight)
{
    usec_t first = usec_min(side_deadline(duo, A), side_deadline(duo, B));
    *flight = UINT32_MAX;
    for (uint32_t i = 0; i < duo->flight_count; i++)
        if (duo->flights[i].at <= first && (*flight == UINT32_MAX || duo->flights[i].at < duo->flights[*flight].at))
            *flight = i;
    return *flight == UINT32_MAX ? first : duo->flights[*flight].at;
}

static void step(struct duo *duo, uint32_t flight)
{
    virtual_now = duo->now;
    if (flight != UINT32_MAX) {
        struct flight landed = duo->flights[flight];
        memmove(&duo->flights[flight], &duo->flights[flight + 1], (--duo->flight_count - flight) * sizeof(landed));
        receive(duo, landed.to, landed.data, landed.size);
        free(landed.data);
        return;
    }
    for (int i = 0; i < 2; i++) {
        if (side_deadline(duo, i) > duo->now)
            continue;
        duo->side[i].env.wall_us = (uint64_t)EPOCH_S * 1000000u + duo->now;
        if (duo->side[i].peer != NULL)
            peer_timeout(duo->side[i].peer, duo->now);
        duo_turn(duo, i);
    }
}

bool duo_run_until(struct duo *duo, bool (*done)(struct duo *duo), usec_t limit)
{
    uint32_t flight, at_once = 0;
    while (done == NULL || !done(duo)) {
        usec_t next = next_event(duo, &flight);
        if (next > limit) {
            duo->now = virtual_now = limit;
            return false;
        }
        at_once = next > duo->now ? 0 : at_once + 1;
        assert_in_range(at_once, 0, 10000);                 /* a deadline that does not move is a busy loop */
        if (next > duo->now)
            duo->now = next;
        step(duo, flight);
    }
    return true;
}

void duo_run(struct duo *duo, usec_t until)
{
    (void)duo_run_until(duo, NULL, until);
}

void duo_run_for(struct duo *duo, usec_t us)
{
    duo_run(duo, duo->now + us);
}

/* ---- media ---- */

void duo_feed(struct duo *duo, int index, uint16_t line, uint8_t layer, struct feed *feed)
{
    struct side *side = &duo->side[index];
    const struct mline_desc *desc = &side->lines[line];
    if (side->feed_source[line] == NULL) {
        const struct source_desc what = {.kind = desc->kind, .codec = desc->pts[0].codec, .layer_count = 1, .clock_hz = desc->pts[0].clock_hz};
        const struct sink_options options = {.pt = desc->pts[0].pt, .substream_target = 2, .temporal_target = 2, .min_delay = -1, .max_delay = -1};
        const struct ref name = {100u + line, 1};
        side->feed_source[line] = source_new(&side->media, name, &what);
        struct sink *sink = sink_new(&side->media, name, &options, duo->now);
        assert_true(slots_put(&side->sinks, name, sink));
        sink_set_source(sink, side->feed_source[line], duo->now);
        assert_true(peer_attach_sink(side->peer, duo->now, line, sink));
    }
    feed_init(feed, side->feed_source[line], layer, duo->now);
    feed->codec = (enum codec)desc->pts[0].codec;
}

struct fake_port *duo_ear(struct duo *duo, int index, uint16_t line)
{
    struct side *side = &duo->side[index];
    if (side->ear[line] != NULL)
        return &side->port[line];
    struct source *source = slots_get(&side->sources, side->lines[line].source);
    assert_non_null(source);
    fake_port_init(&side->port[line]);
    side->ear[line] = sink_new(&side->media, (struct ref){200u + line, 1}, &rig_options, duo->now);
    sink_set_port(side->ear[line], &side->port[line].port, false, source->desc.clock_hz);
    sink_set_source(side->ear[line], source, duo->now);
    return &side->port[line];
}

size_t duo_seal_rtp(struct duo *duo, int from, uint8_t *packet, size_t header_size, size_t size, uint64_t index)
{
    struct side *side = &duo->side[from];
    struct seal_job job = {.keys = side->peer->keys_out, .index = index, .packet = packet, .header_size = (uint16_t)header_size,
                           .size = (uint16_t)size};
    seal_protect(side->env.seal, &job, 1);
    assert_true(job.ok);
    return job.size;
}

size_t duo_seal_rtcp(struct duo *duo, int from, uint8_t *compound, size_t size)
{
    struct peer *peer = duo->side[from].peer;
    return seal_rtcp_protect(peer->keys_out, &peer->rtcp_index, compound, size, size + SEAL_RTCP_ROOM);
}
