/* proto/rtp/av1.c - AV1 RTP specification 4.4, aggregation header: |Z|Y| W |N|-|-|-| */
#include "proto/rtp/av1.h"

bool av1_is_keyframe(struct view payload)
{
    return payload.size > 0 && (payload.data[0] & 0x80) == 0 && (payload.data[0] & 0x08) != 0;
}
