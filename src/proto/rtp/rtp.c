/* proto/rtp/rtp.c - RFC 3550 5.1. */
#include "proto/rtp/rtp.h"

#include "base/check.h"

#define VERSION_MASK 0xC0u
#define VERSION_2    0x80u
#define PADDING_BIT  0x20u
#define EXTENSION_BIT 0x10u

bool rtp_parse_header(struct rtp_packet *out, struct view datagram)
{
    if (datagram.size < RTP_HEADER_SIZE || datagram.size > RTP_PACKET_MAX)
        return false;
    const uint8_t *p = datagram.data;
    if ((p[0] & VERSION_MASK) != VERSION_2)
        return false;

    struct rtp_packet packet = {
        .data = (uint8_t *)(uintptr_t)p,     /* the caller's own bytes, see the header */
        .size = (uint16_t)datagram.size,
        .marker = (p[1] & 0x80) != 0,
        .pt = p[1] & 0x7F,
        .seq = get_u16(p + 2),
        .ts = get_u32(p + 4),
        .ssrc = get_u32(p + 8),
        .csrc_count = p[0] & 0x0F,
    };
    size_t offset = RTP_HEADER_SIZE + 4u * packet.csrc_count;
    if ((p[0] & EXTENSION_BIT) != 0) {
        if (offset + 4 > datagram.size)
            return false;
        uint16_t words = get_u16(p + offset + 2);
        if (words > RTP_PACKET_MAX / 4)
            return false;
        packet.ext_profile = get_u16(p + offset);
        packet.ext_size = (uint16_t)(4u * words);
        packet.ext_offset = (uint16_t)(offset + 4);
        offset += 4u + packet.ext_size;
    }
    if (offset > datagram.size)
        return false;
    packet.payload_offset = (uint16_t)offset;
    packet.payload_size = (uint16_t)(datagram.size - offset);
    *out = packet;
    return true;
}

bool rtp_finish(struct rtp_packet *packet, size_t size)
{
    if (size < packet->payload_offset || size > RTP_PACKET_MAX)
        return false;
    size_t payload = size - packet->payload_offset;
    size_t padding = 0;
    if ((packet->data[0] & PADDING_BIT) != 0) {
        if (payload == 0)
            return false;
        padding = packet->data[size - 1];
        if (padding == 0 || padding > payload)
            return false;
    }
    packet->size = (uint16_t)size;
    packet->payload_size = (uint16_t)(payload - padding);
    packet->padding_size = (uint8_t)padding;
    return true;
}

bool rtp_parse(struct rtp_packet *out, struct view datagram)
{
    struct rtp_packet packet;
    if (!rtp_parse_header(&packet, datagram) || !rtp_finish(&packet, datagram.size))
        return false;
    *out = packet;
    return true;
}

size_t rtp_write_header(uint8_t *out, size_t room, const struct rtp_header *header)
{
    size_t csrcs = header->csrcs.size / 4;
    CHECK(csrcs <= RTP_CSRC_MAX);
    CHECK(header->csrcs.size % 4 == 0);
    size_t size = RTP_HEADER_SIZE + header->csrcs.size;
    if (room < size)
        return 0;
    out[0] = (uint8_t)(VERSION_2 | (header->padding ? PADDING_BIT : 0) | (header->extension ? EXTENSION_BIT : 0) | csrcs);
    out[1] = (uint8_t)((header->marker ? 0x80 : 0) | (header->pt & 0x7F));
    put_u16(out + 2, header->seq);
    put_u32(out + 4, header->ts);
    put_u32(out + 8, header->ssrc);
    if (csrcs > 0)
        memcpy(out + RTP_HEADER_SIZE, header->csrcs.data, header->csrcs.size);
    return size;
}

void rtp_write_padding(uint8_t *out, uint8_t count)
{
    CHECK(count > 0);
    memset(out, 0, count - 1u);
    out[count - 1] = count;
}
