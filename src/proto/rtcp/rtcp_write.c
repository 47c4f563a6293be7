/* proto/rtcp/rtcp_write.c - writing. Each packet's size is known before its first byte is written. */
#include "proto/rtcp/rtcp.h"

#include "base/check.h"

#define SDES_CNAME 1u              /* RFC 3550 6.5.1 */
#define BLP_BITS   16u             /* RFC 4585 6.2.1 */

static bool begin(struct writer *w, uint8_t count, enum rtcp_type type, size_t size)
{
    if (writer_failed(w) || size > writer_left(w))
        return false;
    write_u8(w, (uint8_t)(0x80u | count));
    write_u8(w, (uint8_t)type);
    write_u16(w, (uint16_t)(size / 4 - 1));
    return true;
}

static void write_blocks(struct writer *w, const struct rtcp_block *blocks, uint8_t count)
{
    for (unsigned i = 0; i < count; i++) {
        int32_t lost = blocks[i].lost;
        lost = lost > 0x7FFFFF ? 0x7FFFFF : lost < -0x800000 ? -0x800000 : lost;    /* RFC 3550 A.3 */
        write_u32(w, blocks[i].ssrc);
        write_u8(w, blocks[i].fraction_lost);
        write_u24(w, (uint32_t)lost & 0xFFFFFFu);
        write_u32(w, blocks[i].highest_seq);
        write_u32(w, blocks[i].jitter);
        write_u32(w, blocks[i].lsr);
        write_u32(w, blocks[i].dlsr);
    }
}

bool rtcp_write_sr(struct writer *w, const struct rtcp_sr *sr, const struct rtcp_block *blocks, uint8_t count)
{
    CHECK(count <= RTCP_BLOCKS_MAX);
    if (!begin(w, count, RTCP_SR, 28u + 24u * count))
        return false;
    write_u32(w, sr->ssrc);
    write_u64(w, sr->ntp);
    write_u32(w, sr->rtp_ts);
    write_u32(w, sr->packets);
    write_u32(w, sr->octets);
    write_blocks(w, blocks, count);
    return true;
}

bool rtcp_write_rr(struct writer *w, uint32_t sender_ssrc, const struct rtcp_block *blocks, uint8_t count)
{
    CHECK(count <= RTCP_BLOCKS_MAX);
    if (!begin(w, count, RTCP_RR, 8u + 24u * count))
        return false;
    write_u32(w, sender_ssrc);
    write_blocks(w, blocks, count);
    return true;
}

bool rtcp_write_sdes(struct writer *w, uint32_t ssrc, struct view cname)
{
    CHECK(cname.size <= UINT8_MAX);
    size_t item = 2 + cname.size;
    size_t padded = (item + 1 + 3) / 4 * 4;    /* RFC 3550 6.5: at least one null octet ends the chunk */
    if (!begin(w, 1, RTCP_SDES, 8 + padded))
        return false;
    write_u32(w, ssrc);
    write_u8(w, SDES_CNAME);
    write_u8(w, (uint8_t)cname.size);
    write_bytes(w, cname.data, cname.size);
    write_zeros(w, padded - item);
    return true;
}

bool rtcp_write_pli(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc)
{
    if (!begin(w, RTCP_FMT_PLI, RTCP_PSFB, 12))
        return false;
    write_u32(w, sender_ssrc);
    write_u32(w, media_ssrc);
    return true;
}

bool rtcp_write_fir(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t seq)
{
    if (!begin(w, RTCP_FMT_FIR, RTCP_PSFB, 20))
        return false;
    write_u32(w, sender_ssrc);
    write_u32(w, 0);               /* RFC 5104 4.3.1.2: not used, the entries name the sources */
    write_u32(w, media_ssrc);
    write_u8(w, seq);
    write_u24(w, 0);
    return true;
}

/* One PID+BLP pair from the front of `seqs`; returns how many it takes. */
static size_t take_pair(const uint16_t *seqs, size_t count, uint16_t *blp)
{
    *blp = 0;
    size_t taken = 1;
    while (taken < count) {
        uint16_t ahead = (uint16_t)(seqs[taken] - seqs[0]);
        if (ahead == 0 || ahead > BLP_BITS)
            break;
        *blp = (uint16_t)(*blp | 1u << (ahead - 1));
        taken++;
    }
    return taken;
}

size_t rtcp_write_nack(struct writer *w, uint32_t sender_ssrc, uint32_t media_ssrc, const uint16_t *seqs, size_t count)
{
    struct { uint16_t pid, blp; } pairs[RTCP_NACK_PAIRS];
    size_t room = writer_failed(w) || writer_left(w) < 12 ? 0 : (writer_left(w) - 12) / 4;
    if (room > RTCP_NACK_PAIRS)
        room = RTCP_NACK_PAIRS;
    size_t used = 0;
    size_t taken = 0;
    while (taken < count && used < room) {
        pairs[used].pid = seqs[taken];
        taken += take_pair(seqs + taken, count - taken, &pairs[used].blp);
        used++;
    }
    if (used == 0 || !begin(w, RTCP_FMT_NACK, RTCP_RTPFB, 12 + 4 * used))
        return 0;
    write_u32(w, sender_ssrc);
    write_u32(w, media_ssrc);
    for (size_t i = 0; i < used; i++) {
        write_u16(w, pairs[i].pid);
        write_u16(w, pairs[i].blp);
    }
    return taken;
}

bool rtcp_write_remb(struct writer *w, uint32_t sender_ssrc, uint64_t bitrate_bps, const uint32_t *ssrcs, uint8_t count)
{
    if (!begin(w, RTCP_FMT_AFB, RTCP_PSFB, 20u + 4u * count))
        return false;
    unsigned exponent = 0;
    while (bitrate_bps >> exponent > 0x3FFFFu)     /* 18-bit mantissa, 6-bit exponent */
        exponent++;
    write_u32(w, sender_ssrc);
    write_u32(w, 0);               /* media SSRC is unused: draft-alvestrand-rmcat-remb-03, 2.2 */
    write_bytes(w, "REMB", 4);
    write_u8(w, count);
    write_u24(w, exponent << 18 | (uint32_t)(bitrate_bps >> exponent));
    for (unsigned i = 0; i < count; i++)
        write_u32(w, ssrcs[i]);
    return true;
}

bool rtcp_write_rr_remb(struct writer *w, uint32_t sender_ssrc, uint64_t bitrate_bps, const uint32_t *ssrcs, uint8_t count)
{
    if (writer_failed(w) || writer_left(w) < 8u + 20u + 4u * count)
        return false;
    bool written = rtcp_write_rr(w, 0, NULL, 0) && rtcp_write_remb(w, sender_ssrc, bitrate_bps, ssrcs, count);
    CHECK(written);
    return written;
}
