/* proto/sctp/packet.h - the bytes of SCTP packets: header, chunks, parameters (RFC 9260 3). Inside proto/sctp only. */
#pragma once

#include "base/bytes.h"

#define SCTP_HEADER        12u
#define SCTP_CHUNK_HEADER  4u
#define SCTP_DATA_HEADER   16u

enum {                               /* RFC 9260 3.2 */
    SCTP_DATA = 0,
    SCTP_INIT = 1,
    SCTP_INIT_ACK = 2,
    SCTP_SACK = 3,
    SCTP_HEARTBEAT = 4,
    SCTP_HEARTBEAT_ACK = 5,
    SCTP_ABORT = 6,
    SCTP_SHUTDOWN = 7,
    SCTP_SHUTDOWN_ACK = 8,
    SCTP_ERROR = 9,
    SCTP_COOKIE_ECHO = 10,
    SCTP_COOKIE_ACK = 11,
    SCTP_ECNE = 12,
    SCTP_CWR = 13,
    SCTP_SHUTDOWN_COMPLETE = 14,
    SCTP_RECONFIG = 130,             /* RFC 6525 3.1 */
    SCTP_FORWARD_TSN = 192,          /* RFC 3758 3.2 */
};

enum {                               /* flags */
    SCTP_FLAG_E = 1,                 /* DATA */
    SCTP_FLAG_B = 2,
    SCTP_FLAG_U = 4,
    SCTP_FLAG_I = 8,
    SCTP_FLAG_T = 1,                 /* ABORT, SHUTDOWN COMPLETE: the tag is the receiver's of ours */
};

enum {                               /* parameters: RFC 9260 3.3.2.1, 3758 3.1, 5061 4.2, 6525 4 */
    SCTP_PARAM_HEARTBEAT = 1,
    SCTP_PARAM_IPV4 = 5,
    SCTP_PARAM_IPV6 = 6,
    SCTP_PARAM_COOKIE = 7,
    SCTP_PARAM_UNKNOWN = 8,
    SCTP_PARAM_PRESERVATIVE = 9,
    SCTP_PARAM_HOST_NAME = 11,
    SCTP_PARAM_ADDRESS_TYPES = 12,
    SCTP_PARAM_RESET_OUT = 13,
    SCTP_PARAM_RESET_IN = 14,
    SCTP_PARAM_RESET_TSN = 15,
    SCTP_PARAM_RECONFIG_RESPONSE = 16,
    SCTP_PARAM_ADD_OUT = 17,
    SCTP_PARAM_ADD_IN = 18,
    SCTP_PARAM_EXTENSIONS = 0x8008,
    SCTP_PARAM_FORWARD_TSN = 0xC000,
    SCTP_PARAM_ADAPTATION = 0xC006,
};

enum {                               /* RFC 9260 3.3.10 */
    SCTP_CAUSE_STREAM = 1,
    SCTP_CAUSE_MISSING = 2,
    SCTP_CAUSE_STALE_COOKIE = 3,
    SCTP_CAUSE_UNKNOWN_CHUNK = 6,
    SCTP_CAUSE_INVALID = 7,
    SCTP_CAUSE_UNKNOWN_PARAM = 8,
    SCTP_CAUSE_NO_DATA = 9,
    SCTP_CAUSE_COOKIE_SHUTDOWN = 10,
    SCTP_CAUSE_USER = 12,
    SCTP_CAUSE_VIOLATION = 13,
};

/* What to do with a chunk (bits 7, 6) or parameter (bits 15, 14) of an unknown type (RFC 9260 3.2). */
static inline bool sctp_unknown_is_skipped(unsigned high_bits)
{
    return (high_bits & 2) != 0;
}

static inline bool sctp_unknown_is_reported(unsigned high_bits)
{
    return (high_bits & 1) != 0;
}

struct sctp_chunk {
    uint8_t type;
    uint8_t flags;
    struct view value;
    struct view whole;               /* with header, without padding */
};

struct sctp_param {
    uint16_t type;
    struct view value;
    struct view whole;
};

/* The next one; false at the end, and with a failed reader when what is left is none. */
bool sctp_chunk_next(struct reader *r, struct sctp_chunk *out);
bool sctp_param_next(struct reader *r, struct sctp_param *out);      /* error causes have the same shape */

struct sctp_packer {
    struct writer w;
    uint8_t *chunk;                  /* the open one */
    uint8_t *param;
};

void   sctp_pack_begin(struct sctp_packer *p, uint8_t *out, size_t room, uint16_t from, uint16_t to, uint32_t tag);
void   sctp_pack_chunk(struct sctp_packer *p, uint8_t type, uint8_t flags);
void   sctp_pack_chunk_end(struct sctp_packer *p);
void   sctp_pack_param(struct sctp_packer *p, uint16_t type);
void   sctp_pack_param_end(struct sctp_packer *p);
size_t sctp_pack_end(struct sctp_packer *p);                         /* sets the checksum; the size, or 0: had no room */

bool sctp_checksum_is_right(struct view packet);                     /* of at least a header */
