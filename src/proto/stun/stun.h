/* proto/stun/stun.h - STUN messages (RFC 8489): quick looks for the demultiplexer, parse, write, integrity.
 * Pure functions over the caller's bytes. What the bytes of a parsed message point to is the datagram: it must stay.
 * Order when reading: stun_is_message (any datagram), stun_parse (bounds, fingerprint), stun_is_authentic (integrity).
 * Order when writing: stun_begin, stun_add_*, stun_end; one check of its result covers every step before it. */
#pragma once

#include "base/bytes.h"
#include "base/net.h"

#define STUN_HEADER_BYTES  20u
#define STUN_TXID_BYTES    12u
#define STUN_MESSAGE_MAX   1500u        /* browsers send about 1,000 bytes today (DTLS in STUN trials) */
#define STUN_COOKIE        0x2112A442u  /* RFC 8489 5 */
#define STUN_UNKNOWN_MAX   8u           /* unknown attributes that a 420 answer names */
#define STUN_ATTRIBUTES_MAX 64u         /* more attributes than this make a message invalid */

enum stun_class { STUN_REQUEST = 0, STUN_INDICATION = 1, STUN_SUCCESS = 2, STUN_ERROR = 3 };

enum stun_method { STUN_BINDING = 0x001 };     /* TURN's methods are turn's */

/* RFC 8489 18.3, RFC 8445 16.1. The upper half (0x8000 on) may be skipped by who does not know it. */
enum stun_attribute {
    STUN_ATTR_MAPPED_ADDRESS = 0x0001,
    STUN_ATTR_USERNAME = 0x0006,
    STUN_ATTR_MESSAGE_INTEGRITY = 0x0008,
    STUN_ATTR_ERROR_CODE = 0x0009,
    STUN_ATTR_UNKNOWN_ATTRIBUTES = 0x000A,
    STUN_ATTR_REALM = 0x0014,
    STUN_ATTR_NONCE = 0x0015,
    STUN_ATTR_MESSAGE_INTEGRITY_SHA256 = 0x001C,
    STUN_ATTR_XOR_MAPPED_ADDRESS = 0x0020,
    STUN_ATTR_PRIORITY = 0x0024,
    STUN_ATTR_USE_CANDIDATE = 0x0025,
    STUN_ATTR_SOFTWARE = 0x8022,
    STUN_ATTR_FINGERPRINT = 0x8028,
    STUN_ATTR_ICE_CONTROLLED = 0x8029,
    STUN_ATTR_ICE_CONTROLLING = 0x802A,
};

/* RFC 8489 14.8, RFC 8445 7.3.1.1 */
enum stun_error_code {
    STUN_ERROR_BAD_REQUEST = 400,
    STUN_ERROR_UNAUTHENTICATED = 401,
    STUN_ERROR_UNKNOWN_ATTRIBUTE = 420,
    STUN_ERROR_ROLE_CONFLICT = 487,
};

/* ---- quick looks, for every datagram that may be STUN -------------------------------------------------------------- */

/* First two bits zero, magic cookie, and a length that is the datagram's own (RFC 8489 6.3, RFC 7983). */
bool stun_is_message(struct view datagram);

/* These need a datagram for which stun_is_message said yes. */
enum stun_class stun_class_of(struct view datagram);
uint16_t        stun_method_of(struct view datagram);
const uint8_t  *stun_txid_of(struct view datagram);          /* STUN_TXID_BYTES bytes */

/* The part of USERNAME before its first ':', which is the receiver's ufrag; nothing is verified. False: no USERNAME,
 * no ':' in it, or attributes that overrun the message. */
bool stun_peek_local_ufrag(struct view datagram, struct view *ufrag);

/* ---- reading ------------------------------------------------------------------------------------------------------- */

struct stun_message {
    enum stun_class class;
    uint16_t method;
    const uint8_t *txid;
    struct view datagram;
    uint32_t integrity_at;           /* offset of MESSAGE-INTEGRITY's attribute header; 0: there is none */
    struct view username;            /* empty: absent */
    bool has_fingerprint;            /* and it was right: a wrong one fails the parse */
    bool has_priority;
    bool use_candidate;
    bool has_controlling;
    bool has_controlled;
    bool has_mapped;                 /* XOR-MAPPED-ADDRESS, else MAPPED-ADDRESS */
    uint16_t error_code;             /* 300..699; 0: absent */
    uint16_t unknown_count;          /* comprehension-required ones; the first STUN_UNKNOWN_MAX are in `unknown` */
    uint16_t unknown[STUN_UNKNOWN_MAX];
    uint32_t priority;
    uint64_t tie_breaker;            /* of has_controlling or has_controlled */
    struct net_addr mapped;
};

/* False when the datagram is no well-formed STUN message. Attributes behind MESSAGE-INTEGRITY are ignored, but for
 * FINGERPRINT (RFC 8489 14.5); of an attribute that comes twice the first counts (14). */
bool stun_parse(struct stun_message *out, struct view datagram);

/* Splits "local:remote". False: no ':' */
bool stun_split_username(struct view username, struct view *local, struct view *remote);

/* Walks all attributes, for users (TURN) with attributes of their own. */
struct stun_attr {
    uint16_t type;
    uint32_t at;                     /* offset of the attribute's header in the datagram */
    struct view value;
};

struct reader stun_attrs(struct view datagram);              /* a message for which stun_is_message said yes */
bool stun_next_attr(struct reader *attrs, struct view datagram, struct stun_attr *out);   /* false: end, or malformed */
/* XOR-MAPPED-ADDRESS and its like (XOR-RELAYED-ADDRESS, XOR-PEER-ADDRESS). */
bool stun_read_xor_address(struct net_addr *out, struct view value, const uint8_t txid[STUN_TXID_BYTES]);

/* ---- integrity ----------------------------------------------------------------------------------------------------- */

/* The HMAC engine: libcrypto's objects, fetched once. Owner: one actor; hand it to all that it makes (0.4 us a message
 * instead of 1.2 with the one-shot call, measured on OpenSSL 3.0). */
struct stun_mac;

struct stun_mac *stun_mac_new(void);                         /* NULL: libcrypto has no HMAC-SHA1, or no memory */
void             stun_mac_free(struct stun_mac *mac);        /* NULL is fine */

/* A short-term key (RFC 8489 9.1.1): the password, or its SHA-1 where HMAC would hash it anyway. */
#define STUN_KEY_MAX 64u
struct stun_key {
    uint8_t size;                    /* 0: no key */
    uint8_t bytes[STUN_KEY_MAX];
};

void stun_key_set(struct stun_key *key, struct view password);

/* MESSAGE-INTEGRITY is there and right. */
bool stun_is_authentic(const struct stun_message *message, struct stun_mac *mac, const struct stun_key *key);

/* ---- writing ------------------------------------------------------------------------------------------------------- */

struct stun_out {
    struct writer w;
};

void stun_begin(struct stun_out *out, uint8_t *bytes, size_t room, enum stun_class class, uint16_t method,
                const uint8_t txid[STUN_TXID_BYTES]);
void stun_add(struct stun_out *out, uint16_t type, struct view value);            /* padded with zeros */
void stun_add_u32(struct stun_out *out, uint16_t type, uint32_t value);
void stun_add_u64(struct stun_out *out, uint16_t type, uint64_t value);
void stun_add_xor_address(struct stun_out *out, uint16_t type, const struct net_addr *addr);
void stun_add_error(struct stun_out *out, uint16_t code, const char *reason);
void stun_add_unknown(struct stun_out *out, const uint16_t *types, size_t count);

/* Integrity (when there is a key) and FINGERPRINT; returns the size of the message, 0 if it did not fit. */
size_t stun_end(struct stun_out *out, struct stun_mac *mac, const struct stun_key *key);
