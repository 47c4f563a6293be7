/* proto/seal/seal.h - SRTP and SRTCP (RFC 3711, RFC 7714): protect and open, in batches over many keys.
 *
 * `struct seal_shared`: one per worker, made at start, holds the crypto library's state and the pool of keys.
 * `struct seal_keys`: one per direction of a peer, from seal_keys_new; constant after that. The contexts of the streams
 * (roll-over counters, replay windows) are small plain structs that the caller keeps: one per SSRC and direction.
 *
 * Sending:   seal_tx_index gives each packet its index or refuses it, jobs are collected over a turn, seal_protect.
 * Receiving: seal_rx_guess gives the index or refuses a replay, seal_open, seal_rx_commit for what came out `ok`.
 * A refused index is final: **a (key, SSRC, index) is never sealed twice** (with AES-GCM that would give the key away).
 * Pure but for the crypto libraries' own memory; no clock, no randomness. Owner: one worker.
 *
 * Measured (bench/seal.c; AMD EPYC with AVX-512, copy into place included), ns per packet of 1,200 bytes, and of 160:
 *                        AES-CM, 64 keys at once    AES-CM, one packet    GCM-128, any number
 *   ipsec-mb avx512        328    113                 836    228            160     70
 *   ipsec-mb avx2          552    148                 899    237            310     87
 *   openssl                974    304                1032    303            525    280
 * Bytes per seal_keys: ipsec-mb 460 (CM), 1,290 (GCM); openssl 850 (CM), 1,360 (GCM). A seal_shared is about 240 KB. */
#pragma once

#include "base/pool.h"
#include "base/types.h"

/* The numbers are the DTLS-SRTP protection profiles of RFC 5764 4.1.2 and RFC 7714 14.2. */
enum seal_profile {
    SEAL_NONE = 0,
    SEAL_AES128_CM_SHA1_80 = 1,
    SEAL_AES128_CM_SHA1_32 = 2,    /* SRTCP keeps the 80-bit tag (RFC 5764 4.1.2) */
    SEAL_AEAD_AES_128_GCM = 7,
    SEAL_AEAD_AES_256_GCM = 8,
};

#define SEAL_KEY_MAX   32u
#define SEAL_SALT_MAX  14u
#define SEAL_MATERIAL_MAX (2u * (SEAL_KEY_MAX + SEAL_SALT_MAX))
#define SEAL_ROOM      16u         /* a packet's buffer must go on for this much past its size: tag, and scratch for the hash */
#define SEAL_RTCP_ROOM 20u         /* the same for RTCP: index word and tag */
#define SEAL_BATCH     64u         /* jobs sealed together; longer lists are cut inside */

size_t seal_key_size(enum seal_profile profile);               /* 16 or 32; 0 for SEAL_NONE or an unknown one */
size_t seal_salt_size(enum seal_profile profile);              /* 14 or 12 */
size_t seal_tag_size(enum seal_profile profile);               /* RTP: 10, 4 or 16 */
size_t seal_rtcp_overhead(enum seal_profile profile);          /* index word and tag: 14 or 20 */
const char *seal_profile_name(enum seal_profile profile);      /* as in admin's handle_info: "AES128_CM_SHA1_80" */

/* A master key and salt, as the DTLS exporter gives them. */
struct seal_master {
    enum seal_profile profile;
    uint8_t key[SEAL_KEY_MAX];
    uint8_t salt[SEAL_SALT_MAX];
};

/* RFC 5764 4.2: client key, server key, client salt, server salt. False: `material` is shorter than the profile needs, or
 * there is no such profile. seal_material_size says how much to ask the exporter for. */
size_t seal_material_size(enum seal_profile profile);
bool seal_split(enum seal_profile profile, struct view material, struct seal_master *client, struct seal_master *server);

/* ---- shared state ---- */

enum seal_backend {
    SEAL_BACKEND_AUTO,             /* libipsec-mb where it was built in and the CPU has AES-NI and AVX2; else OpenSSL */
    SEAL_BACKEND_OPENSSL,
    SEAL_BACKEND_IPSEC_MB,
    SEAL_BACKEND_IPSEC_MB_AVX2,    /* the same as if the CPU had no AVX-512: for tests and benchmarks */
};

struct seal_shared;

/* NULL: the backend asked for can't be had on this machine or in this build (AUTO and OPENSSL always can).
 * keys_max: named limit of live seal_keys, two per peer. */
struct seal_shared *seal_shared_new(enum seal_backend backend, uint32_t keys_max);
void seal_shared_free(struct seal_shared *shared);             /* every seal_keys must be freed before; NULL is fine */
const char *seal_backend_name(const struct seal_shared *shared);   /* "openssl", "ipsec-mb avx512" ... */

struct seal_keys;

/* Derives and expands the session keys (RFC 3711 4.3, key derivation rate 0). NULL: unknown profile or at the limit. */
struct seal_keys *seal_keys_new(struct seal_shared *shared, const struct seal_master *master);
void seal_keys_free(struct seal_keys *keys);                   /* wiped; NULL is fine */
enum seal_profile seal_keys_profile(const struct seal_keys *keys);

/* ---- RTP ---- */

/* One packet, sealed or opened in place. The SSRC and sequence number are read from the packet; `index` is 48 bits,
 * ROC << 16 | seq, from seal_tx_index or seal_rx_guess. */
struct seal_job {
    const struct seal_keys *keys;  /* of this `shared` */
    uint64_t index;
    uint8_t *packet;               /* with SEAL_ROOM writable bytes behind `size` */
    uint16_t header_size;          /* rtp_packet.payload_offset: header, CSRCs and extension stay readable */
    uint16_t size;                 /* grows by the tag, or shrinks by it */
    bool ok;                       /* out. False: bytes are undefined, drop the packet; size is as it was */
};

void seal_protect(struct seal_shared *shared, struct seal_job *jobs, size_t count);
void seal_open(struct seal_shared *shared, struct seal_job *jobs, size_t count);

/* Per sent SSRC. Zeroed but for ssrc is initialised. Indexes may come a little out of order (a late packet is forwarded
 * late), so the last SEAL_TX_WINDOW are remembered one by one; everything older counts as used. */
#define SEAL_TX_WINDOW 512u

struct seal_tx_stream {
    uint32_t ssrc;
    bool started;
    uint64_t highest;
    uint64_t used[SEAL_TX_WINDOW / 64];    /* bit (index % SEAL_TX_WINDOW) */
};

/* The index for `seq`, marked as used. False: it was used before, or is too old to tell, or the 2^48 are spent. */
bool seal_tx_index(struct seal_tx_stream *stream, uint16_t seq, uint64_t *index);

/* Per received SSRC. Zeroed but for ssrc is initialised. */
#define SEAL_RX_WINDOW 128u        /* webrtc.md 9 */

struct seal_rx_stream {
    uint32_t ssrc;
    bool started;
    uint64_t highest;
    uint64_t seen[SEAL_RX_WINDOW / 64];    /* bit (index % SEAL_RX_WINDOW) */
};

/* RFC 3711 3.3.1 and 3.3.2: the index that `seq` most likely has. False: replayed or too old. Changes nothing. */
bool seal_rx_guess(const struct seal_rx_stream *stream, uint16_t seq, uint64_t *index);
/* After authentication. False: the same index was committed since the guess (twice in one batch): drop the packet. */
bool seal_rx_commit(struct seal_rx_stream *stream, uint64_t index);

/* ---- AES-GCM for records that are not SRTP (proto/dtls): by libipsec-mb, or not at all ----
 * Keys are not kept here: one that is not the last call's is expanded anew, 130 ns instead of 1 KB for each direction of a peer.
 * A record of 240 bytes takes 60 ns, OpenSSL with a new key 700. */
struct seal_gcm {
    const uint8_t *key;
    uint32_t key_size;             /* 16 or 32 */
    const uint8_t *iv;             /* 12 bytes */
    struct view aad;
    struct view in;
    uint8_t *out;                  /* in.size bytes; may be where `in` is */
    uint8_t *tag;                  /* 16 bytes. When decrypting: what it should be, for the caller to compare */
    bool decrypts;
};

bool seal_gcm_run(struct seal_shared *shared, const struct seal_gcm *gcm);     /* false: there is no libipsec-mb */

/* ---- RTCP: rare, so one packet at a time and by OpenSSL with the raw session keys ---- */

/* The sender's counter is per peer (one key for all its SSRCs): *index starts at 0 and is raised by each call.
 * Returns the new size, or 0: under 8 bytes, no room (SEAL_RTCP_ROOM less needed: seal_rtcp_overhead), or the 2^31 are spent. */
size_t seal_rtcp_protect(const struct seal_keys *keys, uint32_t *index, uint8_t *packet, size_t size, size_t room);

/* Replay windows, one per sender SSRC (RFC 3711 3.2.3: some senders count per SSRC). One of these per peer; zeroed is
 * initialised. Past SEAL_RTCP_SENDERS the one that was silent longest is forgotten. */
#define SEAL_RTCP_SENDERS 12u

struct seal_rtcp_window {
    uint32_t ssrc;
    uint32_t highest;
    uint64_t seen[SEAL_RX_WINDOW / 64];
};

struct seal_rtcp_rx {
    uint32_t count;
    struct seal_rtcp_window windows[SEAL_RTCP_SENDERS];    /* the most recent first */
};

/* Opens in place; returns the size without index and tag. 0: short, replayed (*replay set) or not authentic. */
size_t seal_rtcp_open(const struct seal_keys *keys, struct seal_rtcp_rx *rx, uint8_t *packet, size_t size,
                      bool *replay);
