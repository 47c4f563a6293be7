/* proto/rtp/h264.c - RFC 6184 5.2: NAL types in the payload's first byte. */
#include "proto/rtp/h264.h"

#include "base/bytes.h"

#define NAL_SPS    7u              /* H.264 table 7-1 */
#define NAL_STAP_A 24u             /* RFC 6184 5.7.1 */
#define NAL_FU_A   28u             /* RFC 6184 5.8 */
#define FU_START   0x80u

static unsigned nal_type(uint8_t byte)
{
    return byte & 0x1Fu;
}

/* A 16-bit size before each NAL unit. */
static bool stap_has_sps(struct reader r)
{
    for (;;) {
        struct view nal = read_view(&r, read_u16(&r));
        if (reader_failed(&r))
            return false;
        if (nal.size > 0 && nal_type(nal.data[0]) == NAL_SPS)
            return true;
    }
}

bool h264_is_keyframe(struct view payload)
{
    struct reader r = reader_of(payload);
    unsigned type = nal_type(read_u8(&r));
    if (reader_failed(&r))
        return false;
    if (type == NAL_SPS)
        return true;
    if (type == NAL_STAP_A)
        return stap_has_sps(r);
    if (type == NAL_FU_A) {
        uint8_t header = read_u8(&r);
        return !reader_failed(&r) && (header & FU_START) != 0 && nal_type(header) == NAL_SPS;
    }
    return false;
}
