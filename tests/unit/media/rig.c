#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/rtp/codec.h"

const struct sink_options rig_options = {.pt = 96, .substream_target = 2, .temporal_target = 2, .min_delay = -1, .max_delay = -1};

/* ---- ports ---- */

static void on_send(struct port *port, usec_t now, const struct port_packet *packet)
{
    struct fake_port *fake = (void *)port;
    if (fake->count == fake->room) {
        fake->room = fake->room == 0 ? 64 : fake->room * 2;
        fake->sent = realloc(fake->sent, fake->room * sizeof(*fake->sent));
    }
    struct sent *sent = &fake->sent[fake->count++];
    *sent = (struct sent){.seq = packet->seq, .ts = packet->ts, .pt = packet->pt, .marker = packet->marker, .again = packet->again, .padding = packet->padding, .at = now,
                          .size = (uint16_t)packet->payload.size, .ext = *packet->ext};
    assert_in_range(packet->payload.size, 1, sizeof(sent->payload));
    assert_true(packet->patch_size <= packet->payload.size);
    memcpy(sent->payload, packet->payload.data, packet->payload.size);
    memcpy(sent->payload, packet->patch, packet->patch_size);
    if (sent->size >= 4)
        sent->content = get_u32(sent->payload + sent->size - 4);
}

static bool on_is_ready(const struct port *port)
{
    return ((const struct fake_port *)(const void *)port)->ready;
}

static const struct port_ops fake_ops = {.send = on_send, .is_ready = on_is_ready};

void fake_port_init(struct fake_port *port)
{
    *port = (struct fake_port){.port = {&fake_ops}, .ready = true};
}

void fake_port_fini(struct fake_port *port)
{
    free(port->sent);
    *port = (struct fake_port){0};
}

void fake_port_forget(struct fake_port *port)
{
    port->count = 0;
}

const struct sent *fake_port_last(const struct fake_port *port)
{
    assert_true(port->count > 0);
    return &port->sent[port->count - 1];
}

/* ---- publishers ---- */

static uint32_t contents;

void feed_init(struct feed *feed, struct source *source, uint8_t layer, usec_t now)
{
    *feed = (struct feed){.source = source, .layer = layer, .codec = CODEC_VP8, .now = now, .seq = (uint16_t)(1000 + 100 * layer),
                          .ts = 90000, .bits = 15, .picture_id = 200, .tl0picidx = 30, .tid = -1};
}

static size_t write_vp8(const struct feed *feed, uint8_t *p, bool key, bool first)
{
    size_t at = 0;
    bool extended = feed->bits > 0 || feed->tid >= 0;
    p[at++] = (uint8_t)((extended ? 0x80 : 0) | (first ? 0x10 : 0));
    if (extended) {
        p[at++] = (uint8_t)((feed->bits > 0 ? 0x80 : 0) | (feed->tid >= 0 ? 0x60 : 0));
        if (feed->bits == 15)
            p[at++] = (uint8_t)(0x80 | (feed->picture_id >> 8 & 0x7F));
        if (feed->bits > 0)
            p[at++] = feed->bits == 15 ? (uint8_t)feed->picture_id : feed->picture_id & 0x7F;
        if (feed->tid >= 0) {
            p[at++] = feed->tl0picidx;
            p[at++] = (uint8_t)(feed->tid << 6);
        }
    }
    p[at] = key ? 0 : 1;                    /* P of the frame tag */
    return at;
}

static size_t write_other(const struct feed *feed, uint8_t *p, bool key, bool first)
{
    if (feed->codec == CODEC_H264)
        p[0] = key && first ? 0x67 : 0x61;
    return 0;
}

static void hand_in(struct feed *feed, struct media_packet *packet)
{
    bool renumbered = feed->renumbered;
    feed->renumbered = false;
    packet->arrived = feed->now;
    packet->ts = feed->ts;
    packet->seq = feed->seq++;
    packet->layer = feed->layer;
    source_input(feed->source, packet, renumbered);
}

uint32_t feed_packet(struct feed *feed, bool key, bool first, bool marker)
{
    uint8_t payload[PAYLOAD_SIZE] = {0};
    if (feed->codec == CODEC_VP8)
        (void)write_vp8(feed, payload, key, first);
    else
        (void)write_other(feed, payload, key, first);
    feed->content = ++contents;
    const uint16_t size = (uint16_t)(PAYLOAD_SIZE - feed->shorter);
    put_u32(payload + size - 4, feed->content);
    struct media_packet packet = {.marker = marker, .payload = payload, .payload_size = size};
    hand_in(feed, &packet);
    return feed->content;
}

void feed_probe(struct feed *feed)
{
    struct media_packet packet = {.payload = (const uint8_t *)"", .payload_size = 0};
    hand_in(feed, &packet);
}

void feed_lose(struct feed *feed)
{
    feed->seq++;
}

void feed_next_frame(struct feed *feed, int tid)
{
    feed->now += FRAME_US;
    feed->ts += FRAME_TICKS;
    feed->picture_id++;
    feed->tid = tid;
    if (tid == 0)
        feed->tl0picidx++;
}

void feed_frame(struct feed *feed, bool key, unsigned packets)
{
    for (unsigned i = 0; i < packets; i++)
        feed_packet(feed, key, i == 0, i + 1 == packets);
    feed_next_frame(feed, feed->tid);
}

/* ---- the graph ---- */

void rig_init(struct rig *rig)
{
    *rig = (struct rig){0};
    media_init(&rig->media, &(struct media_limits){.sources = 64, .sinks = 256, .packets = 8192});
}

void rig_fini(struct rig *rig)
{
    media_fini(&rig->media);
    assert_int_equal(seam_mem_outstanding(), 0);
}

struct source *rig_source(struct rig *rig, enum codec codec, uint8_t layers)
{
    const struct codec_info *info = codec_info(codec);
    const struct source_desc desc = {.kind = info->kind == CODEC_KIND_VIDEO ? MEDIA_VIDEO : MEDIA_AUDIO, .codec = (uint8_t)codec,
                                     .layer_count = layers, .clock_hz = info->clock_hz};
    return source_new(&rig->media, (struct ref){rig->names++, 1}, &desc);
}

struct sink *rig_sink(struct rig *rig, struct source *source, struct fake_port *port, usec_t now)
{
    struct sink *sink = sink_new(&rig->media, (struct ref){rig->names++, 1}, &rig_options, now);
    if (sink == NULL)
        return NULL;
    sink_set_port(sink, &port->port, true, 90000);
    sink_set_source(sink, source, now);
    return sink;
}
