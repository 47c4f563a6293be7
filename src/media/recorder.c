#include "media/recorder.h"

#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "proto/rtp/ext.h"
#include "proto/rtp/rtp.h"

#define FRAME_ROOM (MJR_OVERHEAD + RTP_HEADER_SIZE + RTP_EXT_ROOM + MJR_PAYLOAD_MAX)

static void note_bytes(struct recorder *r, usec_t now)
{
    if (r->oldest_at == USEC_NEVER)
        r->oldest_at = now;
}

/* The header goes with the first frame, whose time is zero. */
static void begin(struct recorder *r, usec_t now)
{
    r->begun = true;
    r->first_at = now;
    r->info.first_us = r->info.created_us + now - r->created_at;       /* a replayed keyframe may be older than the file */
    (void)mjr_write_header(&r->chunk, &r->info);
}

static uint32_t ms_of(const struct recorder *r, usec_t now)
{
    return now <= r->first_at ? 0 : (uint32_t)((now - r->first_at) / 1000u);
}

static size_t write_head(const struct recorder *r, const struct port_packet *packet, uint8_t out[RTP_HEADER_SIZE + RTP_EXT_ROOM + PORT_PATCH_MAX])
{
    static const struct rtp_ext_ids kept = {.orientation = RECORDER_ORIENTATION_ID};
    const struct rtp_ext_out values = {.values = packet->ext};
    struct rtp_ext_patch unused;
    const size_t ext_size = r->info.ext_count == 0 ? 0 : rtp_ext_write(out + RTP_HEADER_SIZE, RTP_EXT_ROOM, &kept, &values, &unused);
    const struct rtp_header header = {
        .extension = ext_size > 0,
        .marker = packet->marker,
        .pt = packet->pt,
        .seq = packet->seq,
        .ts = packet->ts,
        .ssrc = r->ssrc,
    };
    (void)rtp_write_header(out, RTP_HEADER_SIZE, &header);
    memcpy(out + RTP_HEADER_SIZE + ext_size, packet->patch, packet->patch_size);
    return RTP_HEADER_SIZE + ext_size + packet->patch_size;
}

static void recorder_send(struct port *port, usec_t now, const struct port_packet *packet)
{
    struct recorder *r = (void *)port;
    uint8_t head[RTP_HEADER_SIZE + RTP_EXT_ROOM + PORT_PATCH_MAX];
    const size_t head_size = write_head(r, packet, head);
    if (!r->begun)
        begin(r, now);
    const struct view body = {packet->payload.data + packet->patch_size, packet->payload.size - packet->patch_size};
    if (mjr_write_frame(&r->chunk, ms_of(r, now), VIEW(head, head_size), body))
        r->frames++;
    else
        r->dropped++;
    CHECK(!r->chunk.failed);                /* is_ready has seen to it */
    note_bytes(r, now);
}

/* Never full: a recording doesn't make a sender wait, it has a gap. */
static bool recorder_send_data(struct data_port *port, usec_t now, struct view label, bool binary, struct view bytes)
{
    struct recorder *r = CONTAINER_OF(port, struct recorder, data_port);
    uint8_t head[MJR_DATA_HEAD];
    (void)label;
    (void)binary;
    if (recorder_is_full(r) || bytes.size > MJR_PAYLOAD_MAX - sizeof(head)) {
        r->dropped++;
        return false;
    }
    if (!r->begun)
        begin(r, now);
    struct writer w = writer_of(head, sizeof(head));
    write_u64(&w, r->info.created_us + now - r->created_at);
    (void)mjr_write_frame(&r->chunk, ms_of(r, now), VIEW(head, sizeof(head)), bytes);
    CHECK(!r->chunk.failed);
    r->frames++;
    note_bytes(r, now);
    return false;
}

static bool recorder_is_ready(const struct port *port)
{
    return !recorder_is_full((const void *)port);
}

static const struct data_port_ops recorder_data_ops = {.send = recorder_send_data};
static const struct port_ops recorder_ops = {.send = recorder_send, .is_ready = recorder_is_ready};

void recorder_init(struct recorder *recorder, const struct mjr_info *info, uint32_t ssrc, usec_t now)
{
    *recorder = (struct recorder){.port = {&recorder_ops}, .info = *info, .ssrc = ssrc, .created_at = now, .oldest_at = now};
    data_port_init(&recorder->data_port, &recorder_data_ops);
    buf_init(&recorder->chunk, RECORDER_CHUNK_MAX);
    mjr_write_magic(&recorder->chunk);
}

void recorder_fini(struct recorder *recorder)
{
    buf_fini(&recorder->chunk);
}

usec_t recorder_deadline(const struct recorder *recorder)
{
    return usec_add(recorder->oldest_at, RECORDER_EVERY_US);
}

bool recorder_is_due(const struct recorder *recorder, usec_t now)
{
    return recorder->chunk.size >= RECORDER_CHUNK_DUE || now >= recorder_deadline(recorder);
}

/* Room for a header and the longest frame is kept. */
bool recorder_is_full(const struct recorder *recorder)
{
    return recorder->chunk.size > RECORDER_CHUNK_MAX - FRAME_ROOM - MJR_PAYLOAD_MAX - 2u;
}

void recorder_taken(struct recorder *recorder)
{
    if (recorder->chunk.room > 2u * RECORDER_CHUNK_DUE)     /* a rare one: its memory is not kept */
        buf_fini(&recorder->chunk);
    buf_clear(&recorder->chunk);
    recorder->oldest_at = USEC_NEVER;
}
