/* client/synth.h - a publisher without a camera: packets that have the shape of VP8 or Opus and a content that can be
 * checked (verify.h). A synth is a `source` of the media graph, so its packets leave by the same way as a server's: sink,
 * port, retransmissions, simulcast and all. Pure. Owner: the program.
 *
 *   synth_video or synth_audio -> endpoint_send -> synth_timeout at synth_deadline -> synth_free
 *
 * A frame's packets: 6 bytes of VP8 descriptor (picture id of 15 bits, TL0PICIDX, TID), on the first one the frame header
 * (10 bytes for a keyframe, else 3), then the stamp and bytes that follow from it. Opus: one TOC byte, then the same.
 * VP9 with three spatial and three temporal layers in one stream: its descriptor, then the same, frame by frame. */
#pragma once

#include "client/rtc.h"

#define SYNTH_PACKET_BYTES  1100u       /* payload of a full packet: libwebrtc fills about as much */
#define SYNTH_SHAPED_BYTES  1250u       /* the most that a shaped one has */
#define SYNTH_STAMP_BYTES   22u
#define SYNTH_KEYFRAME_SIZE 3u          /* times an ordinary frame */
#define SYNTH_AUDIO_US      MSEC(20)

/* Where a packet's content comes from and goes to, on the wire after the codec's own header. */
struct synth_stamp {
    uint32_t stream;
    uint32_t counter;                   /* one up per packet of the stream */
    usec_t sent_at;                     /* the program's clock */
    uint16_t size;                      /* of the bytes that follow */
};

struct synth {
    struct rtc *rtc;
    struct source *source;
    struct endpoint *endpoint;          /* who sends it; NULL: nobody yet */
    bool video;
    bool svc;
    uint8_t picture;                    /* SVC: its place in the pattern of temporal layers */
    bool keyframe_wanted;
    uint32_t stream;
    uint32_t counter;
    uint16_t seq;
    uint32_t ts;
    uint32_t ts_step;
    uint16_t picture_id;
    uint8_t tl0picidx;
    uint32_t frame_bytes;
    uint32_t shape_packets;             /* 0: as frame_bytes says */
    uint32_t shape_bytes;
    usec_t shape_gap_us;
    uint32_t shape_at;                  /* packets of the frame that have gone */
    usec_t key_at;
    usec_t every_us;
    usec_t next_at;
    usec_t expire_at;
    uint64_t packets;
    uint64_t keyframes;
};

/* `stream` is the number that receivers find in the packets. NULL: at the limit. */
struct synth *synth_video(struct rtc *rtc, uint32_t stream, uint32_t bps, uint32_t fps, usec_t now);
struct synth *synth_svc(struct rtc *rtc, uint32_t stream, uint32_t bps, uint32_t fps, usec_t now);
struct synth *synth_audio(struct rtc *rtc, uint32_t stream, uint32_t packet_bytes, usec_t now);
void synth_free(struct synth *synth);
/* Video for measurements: every frame has so many packets with payloads of that many bytes, keyframes too (one a second at least,
 * where nobody can ask for one). They leave at once, or `gap_us` apart (all within a frame's time). */
void synth_shape(struct synth *synth, uint32_t packets, uint32_t bytes, usec_t gap_us);

void synth_timeout(struct synth *synth, usec_t now);    /* the frame that is due */
usec_t synth_deadline(const struct synth *synth);       /* USEC_NEVER while nobody sends it */
void synth_want_keyframe(struct synth *synth);          /* the next frame is one */

/* False: no stamp there, or the bytes are not what they should be. `body` begins after the codec's header. */
bool synth_read(struct synth_stamp *out, struct view body);
/* Where the stamp begins; 0: not a packet of ours. */
size_t synth_header_size(struct view payload, bool video, bool *first, bool *keyframe);
/* Which spatial layer's, of a synth_svc; false: it is none of those. */
bool synth_layer(struct view payload, uint8_t *spatial);
