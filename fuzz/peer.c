/* A PeerConnection whose other side is authentic and hostile: two peers connect (real ICE, real DTLS), then the bytes are a
 * program of what A sends to B: RTP and RTCP that it has sealed, datagrams as they are, media, time. B never ends before A says so,
 * and what is left is nothing. */
#include "duo.h"

#include <string.h>

#include "base/bytes.h"

#define STEPS_MAX   64u
#define PACKET_ROOM 1400u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct duo duo;
static struct reader r;

static struct view piece(void)
{
    const size_t want = read_u16(&r) % PACKET_ROOM, left = reader_left(&r);
    return read_view(&r, want < left ? want : left);
}

/* A header that B knows the stream of, with the input's payload, or all of it the input's. */
static void send_rtp(bool known)
{
    uint8_t packet[2048];
    const uint8_t dice = read_u8(&r);
    const uint16_t seq = read_u16(&r);
    const struct view content = piece();
    const struct rtp_header header = {.marker = (dice & 1) != 0, .pt = dice & 2 ? 97 : dice & 4 ? 111 : 96, .seq = seq, .ts = seq * 3000u,
                                      .ssrc = dice & 2 ? duo_rtx_ssrc(A, 1, 0) : duo_ssrc(A, dice & 4 ? 0 : 1, dice >> 7)};
    size_t size = known ? rtp_write_header(packet, sizeof(packet), &header) : 0;
    if (content.size > 0)
        memcpy(packet + size, content.data, content.size);
    struct rtp_packet parsed;
    size += content.size;
    if (size < RTP_HEADER_SIZE || !rtp_parse_header(&parsed, VIEW(packet, size)))
        return;
    size = duo_seal_rtp(&duo, A, packet, parsed.payload_offset, size, seq);
    duo_inject(&duo, B, packet, size);
}

static void send_rtcp(void)
{
    uint8_t compound[2048];
    const struct view content = piece();
    if (content.size < 8)
        return;
    memcpy(compound, content.data, content.size);
    size_t size = duo_seal_rtcp(&duo, A, compound, content.size);
    duo_inject(&duo, B, compound, size);
}

static void step(uint8_t op)
{
    const struct view content = op % 8 == 4 ? piece() : VIEW(NULL, 0);
    switch (op % 8) {
    case 0: case 1: send_rtp(true); break;
    case 2: send_rtp(false); break;
    case 3: send_rtcp(); break;
    case 4: duo_inject(&duo, B, content.data, content.size); break;
    case 5: duo_run_for(&duo, MSEC(read_u8(&r))); break;
    case 6: duo_run_for(&duo, MSEC(10) * read_u8(&r)); break;
    default: duo_turn(&duo, B); break;
    }
    duo_run_for(&duo, MSEC(1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    r = reader_of(VIEW(data, size));
    const uint8_t mode = read_u8(&r);
    duo_init(&duo, &(struct duo_options){.profile = mode & 1 ? DTLS_SRTP_AES128_CM_SHA1_80 : 0});
    duo_line(&duo, &(struct duo_line){.codec = CODEC_OPUS, .a_sends = true, .by_mid = (mode & 2) != 0});
    duo_line(&duo, &(struct duo_line){.codec = mode & 4 ? CODEC_VP9 : CODEC_VP8, .a_sends = true, .nack = true, .rtx = true, .layers = mode & 8 ? 2 : 1});
    duo_line(&duo, &(struct duo_line){.codec = CODEC_VP8, .b_sends = true, .nack = true, .rtx = true});
    duo_connect(&duo);
    duo_ear(&duo, B, 0);
    duo_ear(&duo, B, 1);
    for (uint32_t i = 0; i < STEPS_MAX && reader_left(&r) > 0 && !reader_failed(&r); i++)
        step(read_u8(&r));
    duo_fini(&duo);
    return 0;
}
