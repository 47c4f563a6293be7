#include "client/synth.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "client/endpoint.h"
#include "proto/rtp/vp8.h"
#include "proto/rtp/vp9.h"

#define STAMP_MAGIC      0x43415244u    /* "CARD" */
#define DESCRIPTOR_BYTES 6u             /* X, I+L+T, 15 bits of picture id, TL0PICIDX, TID */
#define KEYFRAME_BYTES   10u            /* RFC 6386 9.1: frame tag, start code, dimensions */
#define FRAME_BYTES      3u
#define SVC_LAYERS       3u             /* spatial */
#define VP9_BYTES        18u            /* I, 15 bits of picture id, L, TL0PICIDX, and the structure: three sizes */
#define OPUS_TOC         0xFCu          /* RFC 6716 3.1: CELT, fullband, 20 ms, stereo, one frame */

/* Byte `i` of the endless text of which every body is a piece: where it begins follows from stream and counter. */
static inline uint8_t pattern_at(uint32_t i)
{
    return (uint8_t)(i * 0x9E3779B1u >> 24);
}

static uint32_t start_of(uint32_t stream, uint32_t counter)
{
    return counter * 1031u + stream * 65537u;
}

static struct synth *new_synth(struct rtc *rtc, uint32_t stream, const struct source_desc *desc, usec_t now)
{
    struct synth *synth = mem_get_zero(sizeof(*synth));
    struct ref name = slots_add(&rtc->names, synth);
    synth->rtc = rtc;
    synth->stream = stream;
    synth->video = desc->kind == MEDIA_VIDEO;
    synth->next_at = now;
    synth->expire_at = now;
    synth->seq = (uint16_t)rng_u32(&rtc->rng);
    synth->ts = rng_u32(&rtc->rng);
    synth->picture_id = (uint16_t)(rng_u32(&rtc->rng) & 0x7FFF);
    synth->keyframe_wanted = true;
    synth->source = source_new(&rtc->media, name, desc);
    if (synth->source == NULL) {
        slots_del(&rtc->names, name);
        mem_put(synth);
        return NULL;
    }
    return synth;
}

static struct synth *new_video(struct rtc *rtc, enum codec codec, uint32_t stream, uint32_t bps, uint32_t fps, usec_t now)
{
    const struct source_desc desc = {.kind = MEDIA_VIDEO, .codec = (uint8_t)codec, .layer_count = 1, .clock_hz = 90000};
    struct synth *synth = new_synth(rtc, stream, &desc, now);
    if (synth == NULL)
        return NULL;
    synth->every_us = SEC(1) / (fps > 0 ? fps : 1);
    synth->ts_step = desc.clock_hz / (fps > 0 ? fps : 1);
    synth->frame_bytes = bps / 8u / (fps > 0 ? fps : 1);
    return synth;
}

struct synth *synth_video(struct rtc *rtc, uint32_t stream, uint32_t bps, uint32_t fps, usec_t now)
{
    return new_video(rtc, CODEC_VP8, stream, bps, fps, now);
}

struct synth *synth_svc(struct rtc *rtc, uint32_t stream, uint32_t bps, uint32_t fps, usec_t now)
{
    struct synth *synth = new_video(rtc, CODEC_VP9, stream, bps, fps, now);
    if (synth != NULL)
        synth->svc = true;
    return synth;
}

struct synth *synth_audio(struct rtc *rtc, uint32_t stream, uint32_t packet_bytes, usec_t now)
{
    const struct source_desc desc = {.kind = MEDIA_AUDIO, .codec = CODEC_OPUS, .layer_count = 1, .clock_hz = 48000};
    struct synth *synth = new_synth(rtc, stream, &desc, now);
    if (synth == NULL)
        return NULL;
    synth->every_us = SYNTH_AUDIO_US;
    synth->ts_step = 960;
    synth->frame_bytes = packet_bytes;
    return synth;
}

void synth_free(struct synth *synth)
{
    if (synth == NULL)
        return;
    slots_del(&synth->rtc->names, synth->source->name);
    source_free(synth->source);
    mem_put(synth);
}

/* ---- one packet ---- */

static void write_descriptor(const struct synth *synth, struct writer *w, bool first)
{
    write_u8(w, first ? 0x90 : 0x80);           /* X; S on the frame's first packet, partition 0 */
    write_u8(w, 0xE0);                          /* I, L, T */
    write_u16(w, (uint16_t)(0x8000u | synth->picture_id));
    write_u8(w, synth->tl0picidx);
    write_u8(w, 0);                             /* TID 0 */
}

/* RFC 9628 4.2, not in flexible mode. Temporal layers 0 2 1 2; the second 2 refers to the 1, so nobody may begin with it. */
static void write_vp9(const struct synth *synth, struct writer *w, uint8_t spatial, bool first, bool last, bool keyframe)
{
    static const uint8_t temporal[] = {0x00, 0x50, 0x30, 0x40};        /* TID, U */
    const bool structure = keyframe && spatial == 0 && first;
    write_u8(w, (uint8_t)(0xA0 | (keyframe ? 0 : 0x40) | (first ? 0x08 : 0) | (last ? 0x04 : 0) | (structure ? 0x02 : 0)));
    write_u16(w, (uint16_t)(0x8000u | synth->picture_id));
    write_u8(w, (uint8_t)(temporal[synth->picture % 4] | spatial << 1 | (spatial > 0)));
    write_u8(w, synth->tl0picidx);
    if (!structure)
        return;
    write_u8(w, (SVC_LAYERS - 1) << 5 | 0x10);
    for (unsigned i = 0; i < SVC_LAYERS; i++) {
        write_u16(w, (uint16_t)(160u << i));
        write_u16(w, (uint16_t)(120u << i));
    }
}

static void write_frame_header(struct writer *w, bool keyframe)
{
    static const uint8_t start[] = {0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01};     /* start code, 640 x 480 */
    write_u8(w, keyframe ? 0x10 : 0x11);        /* RFC 6386 9.1: bit 0 is clear in a keyframe; shown */
    write_u16(w, 0);
    if (keyframe)
        write_bytes(w, start, sizeof(start));
}

static void write_body(struct synth *synth, struct writer *w, usec_t now, size_t size)
{
    uint16_t filling = size > SYNTH_STAMP_BYTES ? (uint16_t)(size - SYNTH_STAMP_BYTES) : 0;
    write_u32(w, STAMP_MAGIC);
    write_u32(w, synth->stream);
    write_u32(w, synth->counter);
    write_u64(w, now);
    write_u16(w, filling);
    uint8_t *bytes = write_room(w, filling);
    const uint32_t start = start_of(synth->stream, synth->counter);
    for (uint32_t i = 0; bytes != NULL && i < filling; i++)
        bytes[i] = pattern_at(start + i);
}

/* `size` is that of the whole payload; what the headers need at least is always written. */
static void send_packet(struct synth *synth, usec_t now, size_t size, uint8_t spatial, bool first, bool last, bool keyframe)
{
    uint8_t payload[SYNTH_SHAPED_BYTES + VP9_BYTES + KEYFRAME_BYTES + SYNTH_STAMP_BYTES];
    struct writer w = writer_of(payload, sizeof(payload));
    if (synth->svc) {
        write_vp9(synth, &w, spatial, first, last, keyframe);
    } else if (synth->video) {
        write_descriptor(synth, &w, first);
        if (first)
            write_frame_header(&w, keyframe);
    } else {
        write_u8(&w, OPUS_TOC);
    }
    write_body(synth, &w, now, size > writer_size(&w) ? size - writer_size(&w) : 0);
    struct media_packet packet = {
        .arrived = now,
        .ts = synth->ts,
        .seq = synth->seq++,
        .marker = last && synth->video && (!synth->svc || spatial + 1u == SVC_LAYERS),
        .payload = payload,
        .payload_size = (uint16_t)writer_size(&w),
    };
    if (!synth->video) {
        packet.ext.has = RTP_EXT_HAS_AUDIO_LEVEL;
        packet.ext.audio_level = 30;
        packet.ext.voice = true;
    }
    synth->counter++;
    synth->packets++;
    source_input(synth->source, &packet, false);
}

static bool take_keyframe(struct synth *synth)
{
    const bool keyframe = synth->video && synth->keyframe_wanted;
    synth->keyframe_wanted = false;
    synth->keyframes += keyframe;
    return keyframe;
}

static void end_frame(struct synth *synth)
{
    synth->picture_id = (synth->picture_id + 1) & 0x7FFF;
    synth->picture++;
    if (!synth->svc || synth->picture % 4 == 0)
        synth->tl0picidx++;
    synth->ts += synth->ts_step;
}

static void send_layer(struct synth *synth, usec_t now, size_t left, uint8_t spatial, bool keyframe)
{
    for (bool first = true; first || left > 0; first = false) {
        /* Frames are cut into packets of about one size, as libwebrtc cuts them. */
        size_t count = (left + SYNTH_PACKET_BYTES - 1) / SYNTH_PACKET_BYTES;
        size_t size = count == 0 ? 0 : (left + count - 1) / count;
        left -= size;
        send_packet(synth, now, size, spatial, first, left == 0, keyframe);
    }
}

static void send_frame(struct synth *synth, usec_t now)
{
    const bool keyframe = take_keyframe(synth);
    const size_t bytes = synth->frame_bytes * (keyframe ? SYNTH_KEYFRAME_SIZE : 1u);
    const uint8_t layers = synth->svc ? SVC_LAYERS : 1;
    if (keyframe)
        synth->picture = 0;
    for (uint8_t spatial = 0; spatial < layers; spatial++)
        send_layer(synth, now, bytes / layers, spatial, keyframe);
    end_frame(synth);
    synth->next_at += synth->every_us;
}

void synth_shape(struct synth *synth, uint32_t packets, uint32_t bytes, usec_t gap_us)
{
    synth->shape_packets = packets;
    synth->shape_bytes = bytes < SYNTH_SHAPED_BYTES ? bytes : SYNTH_SHAPED_BYTES;
    synth->shape_gap_us = gap_us * packets < synth->every_us ? gap_us : 0;
}

static void send_shaped(struct synth *synth, usec_t now)
{
    do {
        const bool first = synth->shape_at == 0;
        if (first && now >= synth->key_at) {
            synth->keyframe_wanted = true;
            synth->key_at = now + SEC(1);
        }
        const bool keyframe = first && take_keyframe(synth);
        synth->shape_at++;
        send_packet(synth, now, synth->shape_bytes, 0, first, synth->shape_at == synth->shape_packets, keyframe);
    } while (synth->shape_gap_us == 0 && synth->shape_at < synth->shape_packets);
    synth->next_at += synth->shape_gap_us;
    if (synth->shape_at < synth->shape_packets)
        return;
    synth->shape_at = 0;
    end_frame(synth);
    synth->next_at += synth->every_us - synth->shape_gap_us * synth->shape_packets;
}

void synth_timeout(struct synth *synth, usec_t now)
{
    if (now < synth_deadline(synth))
        return;
    if (synth->shape_packets > 0)
        send_shaped(synth, now);
    else
        send_frame(synth, now);
    if (synth->next_at + SEC(1) < now)
        synth->next_at = now + synth->every_us;         /* the program stood still: no burst for the time lost */
    if (now >= synth->expire_at) {
        source_expire(synth->source, now);
        synth->expire_at = now + SEC(1);
    }
    rtc_settle(synth->rtc, synth->endpoint);
}

usec_t synth_deadline(const struct synth *synth)
{
    return synth->endpoint == NULL ? USEC_NEVER : synth->next_at;
}

void synth_want_keyframe(struct synth *synth)
{
    synth->keyframe_wanted = true;
}

/* ---- reading ---- */

/* A bit that is set in every VP9 packet of ours (L), and in no VP8 packet (N). */
static bool is_vp9(struct view payload)
{
    return payload.size > 0 && (payload.data[0] & 0x20) != 0;
}

bool synth_layer(struct view payload, uint8_t *spatial)
{
    struct vp9_descriptor vp9;
    if (!is_vp9(payload) || !vp9_parse(&vp9, payload))
        return false;
    *spatial = vp9.sid;
    return true;
}

static size_t vp9_header_size(struct view payload, bool *first, bool *keyframe)
{
    struct vp9_descriptor vp9;
    if (!vp9_parse(&vp9, payload))
        return 0;
    *first = vp9.start_of_frame && vp9.sid == 0;
    *keyframe = vp9.keyframe;
    return vp9.size < payload.size ? vp9.size : 0;
}

size_t synth_header_size(struct view payload, bool video, bool *first, bool *keyframe)
{
    struct vp8_descriptor vp8;
    *first = true;
    *keyframe = false;
    if (!video)
        return payload.size > 1 ? 1 : 0;
    if (is_vp9(payload))
        return vp9_header_size(payload, first, keyframe);
    if (!vp8_parse(&vp8, payload))
        return 0;
    *first = vp8.start;
    *keyframe = vp8.keyframe;
    size_t size = vp8.size + (vp8.start ? vp8.keyframe ? KEYFRAME_BYTES : FRAME_BYTES : 0u);
    return size < payload.size ? size : 0;
}

static bool is_pattern(struct view bytes, uint32_t start)
{
    uint8_t differs = 0;
    for (uint32_t i = 0; i < bytes.size; i++)
        differs |= bytes.data[i] ^ pattern_at(start + i);
    return differs == 0;
}

bool synth_read(struct synth_stamp *out, struct view body)
{
    struct reader r = reader_of(body);
    uint32_t magic = read_u32(&r);
    out->stream = read_u32(&r);
    out->counter = read_u32(&r);
    out->sent_at = read_u64(&r);
    out->size = read_u16(&r);
    struct view filling = read_view(&r, out->size);
    return !reader_failed(&r) && magic == STAMP_MAGIC && reader_left(&r) == 0 && is_pattern(filling, start_of(out->stream, out->counter));
}
