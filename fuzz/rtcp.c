/* A whole compound: every parser over every packet, and the totals that must hold. */
#include "base/check.h"
#include "proto/rtcp/rtcp.h"
#include "proto/rtcp/twcc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_feedback(const struct rtcp_packet *packet)
{
    struct rtcp_feedback feedback;
    if (!rtcp_feedback_parse(&feedback, packet))
        return;
    size_t count = 0;
    struct rtcp_nack_iter nacks = rtcp_nack_iter_of(&feedback);
    for (uint16_t seq; rtcp_nack_next(&nacks, &seq);)
        count++;
    CHECK(count <= feedback.fci.size / 4 * 17);
    struct rtcp_fir fir;
    for (size_t i = 0; rtcp_fir_at(&fir, &feedback, i); i++)
        CHECK(i < feedback.fci.size / 8);
}

static void read_twcc(const struct rtcp_packet *packet)
{
    struct twcc twcc;
    if (!twcc_parse(&twcc, packet))
        return;
    unsigned count = 0;
    unsigned received = 0;
    struct twcc_iter it = twcc_iter_of(&twcc);
    for (struct twcc_status status; twcc_next(&it, &status); count++)
        received += status.received;
    CHECK(count == twcc.count);
    CHECK(received == twcc.received);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtcp_iter it = rtcp_iter_of(VIEW(data, size));
    for (struct rtcp_packet packet; rtcp_next(&it, &packet);) {
        struct rtcp_sr sr;
        struct rtcp_bye bye;
        struct rtcp_remb remb;
        struct rtcp_block block;
        uint32_t ssrc;
        (void)rtcp_sr_parse(&sr, &packet);
        (void)rtcp_rr_parse(&ssrc, &packet);
        for (uint8_t i = 0; rtcp_block_at(&block, &packet, i); i++)
            CHECK(i < RTCP_BLOCKS_MAX);
        if (rtcp_bye_parse(&bye, &packet))
            CHECK(bye.reason.size <= packet.body.size);
        if (rtcp_remb_parse(&remb, &packet))
            CHECK(remb.ssrcs.size == 4u * remb.ssrc_count);
        read_feedback(&packet);
        read_twcc(&packet);
    }
    return 0;
}
