/* Layers in one stream: a run of packets of VP9 or AV1, each with a payload and a dependency descriptor as they come, and two receivers
 * that change their minds. Whatever a publisher says, they get ascending numbers, each once. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "media/sink.h"
#include "media/source.h"
#include "proto/rtp/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct ear {
    struct port port;
    uint32_t count;
    uint8_t heard[8192];            /* bits, by number */
};

static void on_send(struct port *port, usec_t now, const struct port_packet *packet)
{
    struct ear *ear = (void *)port;
    (void)now;
    CHECK((ear->heard[packet->seq / 8] >> packet->seq % 8 & 1) == 0);
    ear->heard[packet->seq / 8] |= (uint8_t)(1u << packet->seq % 8);
    ear->count++;
}

static bool on_is_ready(const struct port *port)
{
    (void)port;
    return true;
}

static const struct port_ops ops = {.send = on_send, .is_ready = on_is_ready};

/* One packet: how far its number and its time go on, what it has, then the bytes. */
static bool feed(struct reader *r, struct source *source, struct media_packet *packet)
{
    const uint8_t flags = read_u8(r), payload = read_u8(r), descriptor = (flags & 0x01) != 0 ? read_u8(r) : 0;
    const struct view bytes = read_view(r, payload), described = read_view(r, descriptor);
    if (reader_failed(r))
        return false;
    packet->seq = (uint16_t)(packet->seq + 1u + ((flags & 0x02) != 0 ? flags >> 5 : 0u));        /* twice the same is a replay, and does not come here */
    packet->ts += (flags & 0x04) != 0 ? 3000 : 0;
    packet->arrived += (flags & 0x04) != 0 ? 33000 : 100;
    packet->marker = (flags & 0x08) != 0;
    packet->payload = bytes.size == 0 ? (const uint8_t *)"" : bytes.data;
    packet->payload_size = (uint16_t)bytes.size;
    packet->ext = (struct rtp_ext_values){.has = descriptor > 0 ? RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR : 0, .dependency_descriptor = described};
    struct media_packet copy = *packet;
    source_input(source, &copy, (flags & 0x1F) == 0x10);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ear ears[2];
    struct media media;
    struct reader r = reader_of((struct view){data, size});
    const uint8_t first = read_u8(&r);
    const struct source_desc desc = {.kind = MEDIA_VIDEO, .codec = first & 1 ? CODEC_VP9 : CODEC_AV1, .layer_count = 1, .opaque = (first & 2) != 0, .clock_hz = 90000};
    struct sink *sinks[2];
    media_init(&media, &(struct media_limits){.sources = 1, .sinks = 2, .packets = 64});
    struct source *source = source_new(&media, (struct ref){1, 1}, &desc);
    for (unsigned i = 0; i < 2; i++) {
        const struct sink_options options = {.pt = 96, .svc = true, .substream_target = first >> 2 & 1, .temporal_target = first >> 3 & 1, .min_delay = -1, .max_delay = -1};
        memset(&ears[i], 0, sizeof(ears[i]));
        ears[i].port.ops = &ops;
        sinks[i] = sink_new(&media, (struct ref){2 + i, 1}, &options, SEC(1));
        sink_set_port(sinks[i], &ears[i].port, true, 90000);
        sink_set_source(sinks[i], source, SEC(1));
    }
    struct media_packet packet = {.arrived = SEC(2), .seq = 65000};
    for (unsigned n = 0; n < 4096 && feed(&r, source, &packet); n++) {
        struct sink_options options = sinks[n % 2]->options;
        options.substream_target = n >> 2 & 3;
        options.temporal_target = n >> 4 & 3;
        if (n % 4 < 2)
            sink_set_options(sinks[n % 2], &options, packet.arrived);
    }
    for (unsigned i = 0; i < 2; i++)
        sink_free(sinks[i]);
    source_free(source);
    media_fini(&media);
    return 0;
}
