/* proto/rtp/h265.c - RFC 7798 4.4: a two-byte NAL header, the type in bits 1..6 of its first byte. */
#include "proto/rtp/h265.h"

#include "base/bytes.h"

#define NAL_IRAP_FIRST 16u         /* BLA_W_LP .. CRA_NUT: H.265 table 7-1 */
#define NAL_IRAP_LAST  21u
#define NAL_VPS        32u
#define NAL_PPS        34u
#define NAL_AP         48u         /* RFC 7798 4.4.2 */
#define NAL_FU         49u         /* RFC 7798 4.4.3 */
#define FU_START       0x80u

static bool starts_keyframe(unsigned type)
{
    return (type >= NAL_IRAP_FIRST && type <= NAL_IRAP_LAST) || (type >= NAL_VPS && type <= NAL_PPS);
}

static bool aggregation_has_keyframe(struct reader r)
{
    for (;;) {
        struct view nal = read_view(&r, read_u16(&r));
        if (reader_failed(&r))
            return false;
        if (nal.size > 0 && starts_keyframe(nal.data[0] >> 1 & 0x3F))
            return true;
    }
}

bool h265_is_keyframe(struct view payload)
{
    struct reader r = reader_of(payload);
    unsigned type = read_u8(&r) >> 1 & 0x3F;
    read_skip(&r, 1);
    if (reader_failed(&r))
        return false;
    if (type == NAL_AP)
        return aggregation_has_keyframe(r);
    if (type == NAL_FU) {
        uint8_t header = read_u8(&r);
        return !reader_failed(&r) && (header & FU_START) != 0 && starts_keyframe(header & 0x3F);
    }
    return starts_keyframe(type);
}
