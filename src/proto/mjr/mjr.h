/* proto/mjr/mjr.h - the recording format (recording.md 1): a magic, a JSON header, frames until the end of the file. Pure: bytes in,
 * bytes out. Integers are big-endian.
 *
 *   magic (8)  size (2)  JSON header          | "MEET" (4)  ms (4)  size (2)  payload | ...
 *
 * Writing: mjr_write_magic when the file is made; mjr_write_header and mjr_write_frame with the first frame. A file of the magic alone
 * is a recording without frames.
 * Reading: mjr_open takes the whole file (or its beginning), mjr_next a frame at a time; older layouts are read too (1.2). The JSON
 * is the caller's to parse. */
#pragma once

#include "base/buf.h"
#include "base/types.h"

#define MJR_MAGIC_BYTES   8u
#define MJR_PAYLOAD_MAX   65535u        /* the size has 16 bits */
#define MJR_EXTS_MAX      4u
#define MJR_OVERHEAD      10u           /* of a frame, before its payload */
#define MJR_DATA_HEAD     8u            /* a data payload begins with the wall clock in microseconds (1, table) */

enum mjr_kind { MJR_AUDIO, MJR_VIDEO, MJR_DATA };

struct mjr_ext {
    uint8_t id;                         /* 1..15 */
    const char *uri;
};

/* What the header says. Texts are UTF-8 and the caller's; NULL or empty: left out. */
struct mjr_info {
    enum mjr_kind kind;
    const char *codec;
    const char *fmtp;
    const char *description;
    struct mjr_ext exts[MJR_EXTS_MAX];
    uint32_t ext_count;
    uint64_t created_us;                /* since the epoch */
    uint64_t first_us;
    uint8_t red_pt;                     /* 0: no RED */
    bool e2ee;
};

/* The codecs that a recording can have, in any case of letters (recording.md 1.1). */
bool mjr_codec_is_known(enum mjr_kind kind, const char *codec);

void mjr_write_magic(struct buf *out);
/* False: longer than its 16 bits of size (nothing was written). */
bool mjr_write_header(struct buf *out, const struct mjr_info *info);
/* The payload in two parts. False: too long together (nothing was written). */
bool mjr_write_frame(struct buf *out, uint32_t ms, struct view head, struct view body);

struct mjr_reader {
    struct view left;
    bool timed;                         /* frames have a time (MJR00002) */
    struct view json;                   /* empty in the oldest layout, and without any frame */
    char kind;                          /* 'a', 'v' or 'd' in the oldest layout; else 0: the JSON says it */
};

struct mjr_frame {
    uint32_t ms;                        /* since the first frame; 0 where the layout has no times */
    struct view payload;
};

/* False: no recording. `file` stays the caller's, and must outlive the reader. */
bool mjr_open(struct mjr_reader *reader, struct view file);
/* False: the end, or bytes that are no frame (recording.md 1.2: anything else ends parsing). */
bool mjr_next(struct mjr_reader *reader, struct mjr_frame *out);
