/* tests/unit/io/rig.h - one client connection with a peer made of bytes: what the peer says is fed, what the client writes is
 * collected, and time is a number. */
#pragma once

#include "io/client.h"

#define RIG_TEXTS_MAX 20000u
#define PROTOCOL      "janus-protocol"
#define UPGRADE                                                                                              \
    "GET /any?x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                        \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"                           \
    "Sec-WebSocket-Protocol: janus-protocol\r\n"

struct rig {
    struct clients env;
    struct client_rules rules;
    struct client_origin origin;
    struct net_addr addr;
    struct client c;
    usec_t now;
    size_t step;                 /* bytes per feed; 0: all at once */
    struct buf heard;            /* what was written to the peer, in clear or as TLS records */
    struct buf texts;            /* what went to control, each ended by '\n' */
    uint32_t text_count;
    bool reads;                  /* the peer takes output */
};

void rig_init(struct rig *r);                            /* sensible rules; change r->rules, origin, addr before rig_open */
void rig_open(struct rig *r, const struct site *site);
void rig_fini(struct rig *r);                            /* also asserts that nothing is left */

void rig_say(struct rig *r, struct view bytes);          /* feeds, delivers, settles */
void rig_say_text(struct rig *r, const char *text);      /* bytes as they are */
void rig_settle(struct rig *r);                          /* writes what the peer takes, resumes what was held, until quiet */
void rig_run_to(struct rig *r, usec_t when);             /* time goes on, every deadline is kept */

void rig_upgrade(struct rig *r);                         /* handshake done, `heard` is empty again */
void frame_of_client(struct buf *out, uint8_t first_byte, struct view payload);
void rig_message(struct rig *r, const char *text);       /* one masked text frame */

/* What was heard since the last call, read as frames: "T:text", "C:code", "P:" and "p:" (ping, pong), joined by '|'. */
const char *rig_frames(struct rig *r);
const char *rig_texts(struct rig *r);                    /* the texts so far, and forgets them */
const char *rig_heard(struct rig *r);                    /* raw, and forgets it */
