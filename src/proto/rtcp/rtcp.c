/* proto/rtcp/rtcp.c - reading: RFC 3550 6.1 (the common header and its length in 32-bit words minus one), then the parts. */
#include "proto/rtcp/rtcp.h"

#define HEADER_SIZE   4u
#define VERSION_MASK  0xC0u
#define VERSION_2     0x80u
#define PADDING_BIT   0x20u
#define SENDER_INFO_SIZE 20u       /* RFC 3550 6.4.1: NTP, RTP timestamp, packets, octets */
#define BLOCK_SIZE    24u          /* RFC 3550 6.4.1: one report block */
#define FIR_SIZE      8u           /* RFC 5104 4.3.1.1 */
#define REMB_HEAD     8u           /* "REMB", count, exponent and mantissa: draft-alvestrand-rmcat-remb-03, 2.2 */

struct rtcp_iter rtcp_iter_of(struct view datagram)
{
    struct reader r = reader_of(datagram);
    return (struct rtcp_iter){r.at, r.end, false};
}

bool rtcp_next(struct rtcp_iter *iter, struct rtcp_packet *out)
{
    if (iter->failed || iter->at == iter->end)
        return false;
    const uint8_t *p = iter->at;
    size_t left = (size_t)(iter->end - p);
    iter->failed = true;           /* unless the packet proves itself */
    if (left < HEADER_SIZE || (p[0] & VERSION_MASK) != VERSION_2)
        return false;
    size_t size = 4u * (get_u16(p + 2) + 1u);
    if (size > left)
        return false;
    size_t padding = (p[0] & PADDING_BIT) != 0 ? p[size - 1] : 0;
    if (((p[0] & PADDING_BIT) != 0 && padding == 0) || padding > size - HEADER_SIZE)
        return false;
    iter->failed = false;
    iter->at += size;
    *out = (struct rtcp_packet){
        .pt = p[1],
        .count = p[0] & 0x1F,
        .body = {p + HEADER_SIZE, size - HEADER_SIZE - padding},
    };
    return true;
}

bool rtcp_sender_ssrc(struct view datagram, uint32_t *ssrc)
{
    if (datagram.size < HEADER_SIZE + 4)
        return false;
    *ssrc = get_u32(datagram.data + HEADER_SIZE);
    return true;
}

bool rtcp_sr_parse(struct rtcp_sr *out, const struct rtcp_packet *packet)
{
    struct reader r = reader_of(packet->body);
    struct rtcp_sr sr = {.ssrc = read_u32(&r)};
    sr.ntp = read_u64(&r);
    sr.rtp_ts = read_u32(&r);
    sr.packets = read_u32(&r);
    sr.octets = read_u32(&r);
    if (packet->pt != RTCP_SR || reader_failed(&r))
        return false;
    *out = sr;
    return true;
}

bool rtcp_rr_parse(uint32_t *sender_ssrc, const struct rtcp_packet *packet)
{
    if (packet->pt != RTCP_RR || packet->body.size < 4)
        return false;
    *sender_ssrc = get_u32(packet->body.data);
    return true;
}

/* 24 bits, two's complement. */
static int32_t sign_24(uint32_t v)
{
    return (int32_t)(v << 8) >> 8;
}

bool rtcp_block_at(struct rtcp_block *out, const struct rtcp_packet *packet, uint8_t index)
{
    if ((packet->pt != RTCP_SR && packet->pt != RTCP_RR) || index >= packet->count)
        return false;
    struct reader r = reader_of(packet->body);
    read_skip(&r, 4u + (packet->pt == RTCP_SR ? SENDER_INFO_SIZE : 0u) + BLOCK_SIZE * index);
    struct rtcp_block block = {.ssrc = read_u32(&r)};
    block.fraction_lost = read_u8(&r);
    block.lost = sign_24(read_u24(&r));
    block.highest_seq = read_u32(&r);
    block.jitter = read_u32(&r);
    block.lsr = read_u32(&r);
    block.dlsr = read_u32(&r);
    if (reader_failed(&r))
        return false;
    *out = block;
    return true;
}

bool rtcp_bye_parse(struct rtcp_bye *out, const struct rtcp_packet *packet)
{
    struct reader r = reader_of(packet->body);
    struct rtcp_bye bye = {.count = packet->count, .ssrcs = read_view(&r, 4u * packet->count)};
    if (packet->pt != RTCP_BYE || reader_failed(&r))
        return false;
    if (reader_left(&r) > 0) {
        uint8_t size = read_u8(&r);
        if (size <= reader_left(&r))
            bye.reason = read_view(&r, size);
    }
    *out = bye;
    return true;
}

bool rtcp_feedback_parse(struct rtcp_feedback *out, const struct rtcp_packet *packet)
{
    struct reader r = reader_of(packet->body);
    struct rtcp_feedback feedback = {.sender_ssrc = read_u32(&r)};
    feedback.media_ssrc = read_u32(&r);
    if ((packet->pt != RTCP_RTPFB && packet->pt != RTCP_PSFB) || reader_failed(&r))
        return false;
    feedback.fci = read_view(&r, reader_left(&r));
    *out = feedback;
    return true;
}

bool rtcp_fir_at(struct rtcp_fir *out, const struct rtcp_feedback *feedback, size_t index)
{
    if (index >= feedback->fci.size / FIR_SIZE)
        return false;
    const uint8_t *p = feedback->fci.data + FIR_SIZE * index;
    *out = (struct rtcp_fir){.ssrc = get_u32(p), .seq = p[4]};
    return true;
}

struct rtcp_nack_iter rtcp_nack_iter_of(const struct rtcp_feedback *feedback)
{
    return (struct rtcp_nack_iter){.reader = reader_of(feedback->fci)};
}

bool rtcp_nack_next(struct rtcp_nack_iter *iter, uint16_t *seq)
{
    if (iter->left == 0) {
        uint16_t pid = read_u16(&iter->reader);
        uint16_t blp = read_u16(&iter->reader);
        if (reader_failed(&iter->reader))
            return false;
        iter->pid = pid;
        iter->left = (uint32_t)blp << 1 | 1u;
    }
    unsigned bit = (unsigned)__builtin_ctz(iter->left);
    iter->left &= iter->left - 1;
    *seq = (uint16_t)(iter->pid + bit);
    return true;
}

static uint64_t shift_saturated(uint64_t mantissa, unsigned exponent)
{
    if (mantissa == 0)
        return 0;
    return exponent > (unsigned)__builtin_clzll(mantissa) ? UINT64_MAX : mantissa << exponent;
}

bool rtcp_remb_parse(struct rtcp_remb *out, const struct rtcp_packet *packet)
{
    struct rtcp_feedback feedback;
    if (packet->pt != RTCP_PSFB || packet->count != RTCP_FMT_AFB || !rtcp_feedback_parse(&feedback, packet))
        return false;
    if (feedback.fci.size < REMB_HEAD || memcmp(feedback.fci.data, "REMB", 4) != 0)
        return false;
    struct reader r = reader_of(feedback.fci);
    read_skip(&r, 4);
    struct rtcp_remb remb = {.sender_ssrc = feedback.sender_ssrc, .ssrc_count = read_u8(&r)};
    uint32_t rate = read_u24(&r);
    remb.bitrate_bps = shift_saturated(rate & 0x3FFFFu, rate >> 18);
    remb.ssrcs = read_view(&r, 4u * remb.ssrc_count);
    if (reader_failed(&r))
        return false;
    *out = remb;
    return true;
}
