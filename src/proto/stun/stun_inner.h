/* proto/stun/stun_inner.h - what reading and writing of STUN share. Inside this folder only. */
#pragma once

#include "base/types.h"

#define STUN_HMAC_BYTES      20u
#define STUN_FINGERPRINT_XOR 0x5354554Eu    /* RFC 8489 14.7: "STUN" */

struct stun_mac;
struct stun_key;

uint32_t stun_crc32(struct view bytes);     /* ITU V.42; of 4 * n bytes, as every message and part of it is */

/* HMAC-SHA1 over `head`, then `rest`. False: libcrypto refused. */
bool stun_hmac(struct stun_mac *mac, const struct stun_key *key, struct view head, struct view rest,
               uint8_t out[STUN_HMAC_BYTES]);
