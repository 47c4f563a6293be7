/* What a test and another implementation in a process of its own say to each other; each command is answered by any number
 * of frames, and then by FOREIGN_DONE. */
#pragma once

#include <stdint.h>

#define FOREIGN_FRAME_MAX 2000000u

struct frame {
    uint64_t now_us;                 /* commands */
    uint32_t size;                   /* of what follows */
    uint8_t type;
};

enum {                               /* commands */
    FOREIGN_START = 1,               /* foreign_start */
    FOREIGN_CONNECT,
    FOREIGN_PACKET,                  /* both ways: an SCTP packet */
    FOREIGN_SEND,                    /* foreign_send, data; answered by FOREIGN_RESULT */
    FOREIGN_RESET,                   /* stream, 16 bits, little endian; the same */
    FOREIGN_ADD,                     /* streams, 16 bits; the same */
    FOREIGN_SHUTDOWN,
    FOREIGN_TICK,                    /* time goes by */
    FOREIGN_MESSAGE,                 /* foreign_message, data */
    FOREIGN_NOTE,                    /* foreign_note */
    FOREIGN_RESULT,                  /* one byte: 1 fine */
    FOREIGN_DONE,
};

struct foreign_start {
    uint32_t buffer_bytes, window_bytes;
    uint16_t streams;
    uint16_t mtu;
};

struct foreign_send {
    uint32_t ppid, limit;
    uint16_t stream;
    uint8_t unordered;
    uint8_t policy;                  /* 0 reliable, 1 retransmissions, 2 lifetime */
};

struct foreign_message {
    uint32_t ppid;
    uint16_t stream;
    uint8_t is_whole;                /* its last part */
};

enum { FOREIGN_UP = 1, FOREIGN_DOWN, FOREIGN_RESTART, FOREIGN_RESET_IN, FOREIGN_RESET_OUT, FOREIGN_STREAMS };

struct foreign_note {
    uint16_t type, what, kind, stream, streams_in, streams_out;
};
