/* proto/rtp/rtp.h - the RTP header (RFC 3550 5.1): parse, write, change in place.
 * Pure functions over the caller's bytes; no state, no owner.
 *
 * Receiving: rtp_parse_header on the packet as it came (still sealed), open the seal, then rtp_finish with the size that
 * is left: only then is the padding count, the last byte, readable. A packet that was never sealed: rtp_parse does both.
 * Sending: rtp_write_header, rtp_ext_write right behind it (rtp/ext.h), payload, seal. */
#pragma once

#include "base/bytes.h"
#include "base/types.h"

#define RTP_HEADER_SIZE 12u        /* RFC 3550 5.1, without CSRCs and extension */
#define RTP_CSRC_MAX    15u        /* 4-bit count */
#define RTP_PACKET_MAX  1500u      /* larger datagrams are dropped (webrtc.md 9) */

/* `data` points into the datagram that was parsed and lives as long as it does. Sizes and offsets are proven: offset + size
 * never passes `size`. */
struct rtp_packet {
    uint8_t *data;
    uint16_t size;                 /* of the whole packet, padding (and a seal's tag, while it is on) included */
    bool marker;
    uint8_t pt;
    uint16_t seq;
    uint32_t ts;
    uint32_t ssrc;
    uint8_t csrc_count;
    uint16_t ext_profile;          /* RFC 3550 5.3.1 "defined by profile"; meaningless when ext_offset is 0 */
    uint16_t ext_offset;           /* first byte after the extension's own 4-byte header; 0: the packet has none */
    uint16_t ext_size;
    uint16_t payload_offset;       /* = size of the header with CSRCs and extension: what a seal authenticates only */
    uint16_t payload_size;         /* without padding, once padding has been read */
    uint8_t padding_size;
};

/* For a clear packet: header and padding. False: not RTP version 2, truncated, over RTP_PACKET_MAX, or its padding is
 * longer than its payload. The bytes behind `datagram` must be the caller's to change (the setters below do). */
bool rtp_parse(struct rtp_packet *out, struct view datagram);

/* For a packet whose payload is still encrypted: padding is not looked at, payload_size is all that follows the header. */
bool rtp_parse_header(struct rtp_packet *out, struct view datagram);

/* After the seal is off: the packet now has `size` bytes. Reads the padding; false when it is nonsense. */
bool rtp_finish(struct rtp_packet *packet, size_t size);

static inline struct view rtp_payload(const struct rtp_packet *packet)
{
    return (struct view){packet->data + packet->payload_offset, packet->payload_size};
}

static inline uint32_t rtp_csrc(const struct rtp_packet *packet, uint8_t index)   /* index < csrc_count */
{
    return get_u32(packet->data + RTP_HEADER_SIZE + 4u * index);
}

/* What rtp_write_header writes. */
struct rtp_header {
    bool padding;                  /* the P bit: rtp_write_padding has written, or will write, the bytes */
    bool extension;                /* the X bit: an extension block follows */
    bool marker;
    uint8_t pt;
    uint16_t seq;
    uint32_t ts;
    uint32_t ssrc;
    struct view csrcs;             /* 4 bytes each, in network order, at most RTP_CSRC_MAX of them; else empty */
};

/* The size written (12 + CSRCs), or 0 when `room` is less. */
size_t rtp_write_header(uint8_t *out, size_t room, const struct rtp_header *header);

/* `count` (1..255) bytes of padding at `out` (RFC 3550 5.1: the last one is the count). */
void rtp_write_padding(uint8_t *out, uint8_t count);

/* Change a written header in place. */
static inline void rtp_set_marker(uint8_t *packet, bool marker)
{
    packet[1] = (uint8_t)((packet[1] & 0x7F) | (marker ? 0x80 : 0));
}

static inline void rtp_set_pt(uint8_t *packet, uint8_t pt)
{
    packet[1] = (uint8_t)((packet[1] & 0x80) | (pt & 0x7F));
}

static inline void rtp_set_seq(uint8_t *packet, uint16_t seq)
{
    put_u16(packet + 2, seq);
}

static inline void rtp_set_ts(uint8_t *packet, uint32_t ts)
{
    put_u32(packet + 4, ts);
}

static inline void rtp_set_ssrc(uint8_t *packet, uint32_t ssrc)
{
    put_u32(packet + 8, ssrc);
}

static inline void rtp_set_padding(uint8_t *packet, bool padding)
{
    packet[0] = (uint8_t)((packet[0] & 0xDF) | (padding ? 0x20 : 0));
}
