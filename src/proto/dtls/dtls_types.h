/* proto/dtls/dtls_types.h - the plain values that DTLS speaks in: roles, fingerprints, SRTP keys, events. No OpenSSL in
 * here, so control and peer may include it for the values alone. */
#pragma once

#include "base/types.h"

/* Who says ClientHello (a=setup, RFC 8842): active is the client. */
enum dtls_role { DTLS_ROLE_CLIENT, DTLS_ROLE_SERVER };

/* The hash functions of a=fingerprint (RFC 8122 5) that we compare with. */
enum dtls_hash { DTLS_HASH_NONE, DTLS_HASH_SHA1, DTLS_HASH_SHA256, DTLS_HASH_SHA384, DTLS_HASH_SHA512 };

#define DTLS_FINGERPRINT_BYTES_MAX 64u

struct dtls_fingerprint {
    uint8_t hash;                       /* enum dtls_hash; NONE: not known yet */
    uint8_t size;
    uint8_t bytes[DTLS_FINGERPRINT_BYTES_MAX];
};

/* "sha-256" and "AB:CD:..", both in any case. False, and nothing written, when hash, grammar or length is wrong. */
bool dtls_fingerprint_parse(struct dtls_fingerprint *out, struct view hash, struct view hex);

#define DTLS_FINGERPRINT_TEXT (DTLS_FINGERPRINT_BYTES_MAX * 3u)     /* longest text and NUL */
/* Upper-case, colon separated; "" for a fingerprint that is not known. */
const char *dtls_fingerprint_text(const struct dtls_fingerprint *fingerprint, char out[DTLS_FINGERPRINT_TEXT]);
const char *dtls_hash_name(enum dtls_hash hash);                    /* "sha-256"; "" for NONE */

/* Numbers of the IANA registry "DTLS-SRTP Protection Profiles" (RFC 5764 4.1.2, RFC 7714 14.2). */
enum dtls_srtp_profile {
    DTLS_SRTP_NONE = 0,
    DTLS_SRTP_AES128_CM_SHA1_80 = 0x0001,
    DTLS_SRTP_AES128_CM_SHA1_32 = 0x0002,
    DTLS_SRTP_AEAD_AES_128_GCM = 0x0007,
    DTLS_SRTP_AEAD_AES_256_GCM = 0x0008,
};

const char *dtls_srtp_profile_name(enum dtls_srtp_profile profile); /* "SRTP_AEAD_AES_128_GCM"; "" for NONE */

/* Exporter output (RFC 5764 4.2), already split: `local` protects what we send, `remote` opens what we receive. */
struct dtls_srtp_keys {
    uint16_t profile;                   /* enum dtls_srtp_profile */
    uint8_t key_size;                   /* 16, or 32 with AES-256 */
    uint8_t salt_size;                  /* 14 (CM, RFC 3711), 12 (GCM, RFC 7714 12) */
    uint8_t local_key[32];
    uint8_t local_salt[14];
    uint8_t remote_key[32];
    uint8_t remote_salt[14];
};

enum dtls_state {
    DTLS_CREATED,                       /* nothing sent or received yet */
    DTLS_TRYING,                        /* handshake under way, or done and the fingerprint not known yet */
    DTLS_CONNECTED,
    DTLS_CLOSED,                        /* either side said so */
    DTLS_FAILED,
};

enum dtls_event_kind {
    DTLS_EVENT_CONNECTED,               /* once; before any DATA */
    DTLS_EVENT_DATA,
    DTLS_EVENT_CLOSED,                  /* an alert came after CONNECTED; the last event */
    DTLS_EVENT_FAILED,                  /* never connected; the last event */
};

/* Hang-up reasons as clients know them (janus-api.md, hangup reasons). */
#define DTLS_REASON_ALERT   "DTLS alert"               /* any alert, close_notify, a failed handshake or fingerprint */
#define DTLS_REASON_TIMEOUT "DTLS timeout"             /* not connected DTLS_GIVE_UP_US after dtls_new */
#define DTLS_REASON_ERROR   "DTLS error"               /* the library's retransmission timer failed for good */
#define DTLS_REASON_STACK   "DTLS-SRTP stack error"    /* the library refused to make or to hand over something */

struct dtls_event {
    enum dtls_event_kind kind;
    struct dtls_srtp_keys keys;         /* CONNECTED: wipe when used (dtls_srtp_keys_wipe) */
    struct view data;                   /* DATA: one record's content, valid until the next dtls_input on this worker */
    const char *reason;                 /* CLOSED, FAILED: one of DTLS_REASON_*; a static text */
    const char *detail;                 /* CLOSED, FAILED: for the log; a static text, "" if there is no more to say */
};

struct dtls_tx {
    struct view datagram;               /* valid until the next call on the same struct dtls */
};

/* What handle_info and event handlers show. */
struct dtls_info {
    uint8_t role;                       /* enum dtls_role */
    uint8_t state;                      /* enum dtls_state */
    uint16_t profile;                   /* enum dtls_srtp_profile; NONE before CONNECTED */
    struct dtls_fingerprint remote;
    uint32_t retransmissions;           /* time-outs of ours that sent a flight again */
    uint32_t dropped;                   /* records and datagrams that were not worth an answer, all causes */
};

/* What a worker's DTLS dropped or refused, by cause (admin API). */
struct dtls_counters {
    uint64_t connected;
    uint64_t failed;                    /* handshakes that ended in an alert or an error */
    uint64_t timed_out;
    uint64_t held_dropped;              /* more than may wait for the proof of an address */
    uint64_t handshakes_deferred;       /* met the cap on handshakes in progress; tried again later */
    uint64_t tx_full;                   /* no datagram buffer left: the datagram is lost, as on any network */
    uint64_t drop_size;                 /* datagram too short or too long */
    uint64_t drop_malformed;            /* not a DTLS 1.2 record, or a length beyond the datagram */
    uint64_t drop_epoch;                /* an epoch that is not in use, before, during or after the handshake */
    uint64_t drop_clear;                /* unprotected alert or data after the handshake */
    uint64_t drop_auth;                 /* did not authenticate */
    uint64_t drop_replay;
    uint64_t drop_content;              /* authentic, but of no use: renegotiation, empty or broken alert */
    uint64_t drop_flood;                /* beyond DTLS_HANDSHAKE_*_MAX in one handshake */
    uint64_t drop_state;                /* after the end, or data before CONNECTED */
    uint64_t flights_repeated;          /* the server's last flight, sent again on request */
};
