/* proto/rtp/demux.c - RFC 7983 section 7, by the first byte; RFC 5761 section 4 for the rest. */
#include "proto/rtp/demux.h"

#include "proto/rtp/rtp.h"

#define RTCP_SIZE_MIN 8u           /* an empty RR: RFC 3550 6.4.2 */

enum rtp_kind rtp_classify(struct view datagram)
{
    if (datagram.size == 0)
        return RTP_KIND_OTHER;
    uint8_t first = datagram.data[0];
    if (first <= 3)
        return RTP_KIND_STUN;
    if (first >= 20 && first <= 63)
        return RTP_KIND_DTLS;
    if (first < 128 || first > 191 || datagram.size < RTCP_SIZE_MIN)
        return RTP_KIND_OTHER;
    if (rtp_is_rtcp(datagram.data))
        return RTP_KIND_RTCP;
    return datagram.size >= RTP_HEADER_SIZE ? RTP_KIND_RTP : RTP_KIND_OTHER;
}
