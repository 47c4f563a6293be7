/* Demultiplexing, the RTP header, its extensions and every payload peek, on one datagram. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "proto/rtp/codec.h"
#include "proto/rtp/red.h"
#include "proto/rtp/dd.h"
#include "proto/rtp/demux.h"
#include "proto/rtp/ext.h"
#include "proto/rtp/vp8.h"
#include "proto/rtp/vp9.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void peek(struct view payload)
{
    for (int codec = CODEC_NONE; codec <= CODEC_COUNT; codec++)
        (void)codec_is_keyframe((enum codec)codec, payload);
    struct view primary;
    CHECK(!red_primary(payload, &primary) || (primary.size > 0 && primary.data + primary.size == payload.data + payload.size));
    struct vp9_descriptor vp9;
    CHECK(!vp9_parse(&vp9, payload) || vp9.size <= payload.size);
    struct vp8_descriptor vp8;
    if (vp8_parse(&vp8, payload)) {
        CHECK(vp8.size <= payload.size);
        vp8_rewrite((uint8_t *)(uintptr_t)payload.data, &vp8, 1, 2);
    }
}

/* What was read is written, and reads the same again. */
static void rewrite(const struct rtp_ext_values *values, const struct rtp_ext_ids *ids)
{
    uint8_t out[RTP_HEADER_SIZE + RTP_EXT_ROOM] = {0x90};
    struct rtp_ext_patch patch;
    size_t size = rtp_ext_write(out + RTP_HEADER_SIZE, RTP_EXT_ROOM, ids, &(struct rtp_ext_out){.values = values}, &patch);
    if (size == 0)
        return;
    struct rtp_packet packet;
    CHECK(rtp_parse(&packet, VIEW(out, RTP_HEADER_SIZE + size)));
    struct rtp_ext_values back;
    rtp_ext_read(&back, &packet, ids);
    CHECK(back.has == (values->has & ~(unsigned)(RTP_EXT_HAS_TWCC | RTP_EXT_HAS_ABS_SEND_TIME)));
    CHECK(back.dependency_descriptor.size == values->dependency_descriptor.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rtp_ext_ids ids = {.mid = 4, .rid = 5, .repaired_rid = 6, .audio_level = 1, .abs_send_time = 2, .twcc = 3,
                                    .orientation = 13, .playout_delay = 12, .dependency_descriptor = 8, .abs_capture_time = 7};
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        return 0;
    if (size > 0)
        memcpy(copy, data, size);
    (void)rtp_classify(VIEW(copy, size));
    peek(VIEW(copy, size));
    struct rtp_packet packet;
    if (rtp_parse_header(&packet, VIEW(copy, size)) && rtp_finish(&packet, size)) {
        struct rtp_ext_values values;
        rtp_ext_read(&values, &packet, &ids);
        rewrite(&values, &ids);
        static struct dd_structure structure;
        structure = (struct dd_structure){0};
        struct dd dd;
        if ((values.has & RTP_EXT_HAS_DEPENDENCY_DESCRIPTOR) != 0)
            (void)dd_parse(&dd, &structure, values.dependency_descriptor);
        (void)rtp_ext_change_id(&packet, ids.repaired_rid, ids.rid);
        peek(rtp_payload(&packet));
    }
    free(copy);
    return 0;
}
