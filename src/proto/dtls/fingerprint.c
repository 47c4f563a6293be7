/* Names and texts of the plain values; no OpenSSL. */
#include "base/bytes.h"
#include "base/str.h"
#include "proto/dtls/dtls_types.h"

static const struct {
    const char *name;       /* RFC 8122 5 */
    uint8_t size;
} hashes[] = {
    [DTLS_HASH_NONE] = {"", 0},
    [DTLS_HASH_SHA1] = {"sha-1", 20},
    [DTLS_HASH_SHA256] = {"sha-256", 32},
    [DTLS_HASH_SHA384] = {"sha-384", 48},
    [DTLS_HASH_SHA512] = {"sha-512", 64},
};

static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static bool parse_bytes(struct dtls_fingerprint *out, struct view hex)
{
    struct reader r = reader_of(hex);
    for (size_t i = 0; i < out->size; i++) {
        if (i > 0 && read_u8(&r) != ':')
            return false;
        const int high = nibble(read_u8(&r)), low = nibble(read_u8(&r));
        if (high < 0 || low < 0)
            return false;
        out->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return !reader_failed(&r) && reader_left(&r) == 0;
}

bool dtls_fingerprint_parse(struct dtls_fingerprint *out, struct view hash, struct view hex)
{
    for (uint8_t i = DTLS_HASH_NONE + 1; i < ARRAY_COUNT(hashes); i++) {
        if (!str_equal_nocase(hash, str_of(hashes[i].name)))
            continue;
        struct dtls_fingerprint f = {.hash = i, .size = hashes[i].size};
        if (!parse_bytes(&f, hex))
            return false;
        *out = f;
        return true;
    }
    return false;
}

const char *dtls_fingerprint_text(const struct dtls_fingerprint *fingerprint, char out[DTLS_FINGERPRINT_TEXT])
{
    static const char digits[] = "0123456789ABCDEF";
    char *at = out;
    for (size_t i = 0; i < fingerprint->size && i < DTLS_FINGERPRINT_BYTES_MAX; i++) {
        if (i > 0)
            *at++ = ':';
        *at++ = digits[fingerprint->bytes[i] >> 4];
        *at++ = digits[fingerprint->bytes[i] & 15];
    }
    *at = '\0';
    return out;
}

const char *dtls_hash_name(enum dtls_hash hash)
{
    return (size_t)hash < ARRAY_COUNT(hashes) ? hashes[hash].name : "";
}

const char *dtls_srtp_profile_name(enum dtls_srtp_profile profile)
{
    switch (profile) {
    case DTLS_SRTP_AES128_CM_SHA1_80: return "SRTP_AES128_CM_SHA1_80";
    case DTLS_SRTP_AES128_CM_SHA1_32: return "SRTP_AES128_CM_SHA1_32";
    case DTLS_SRTP_AEAD_AES_128_GCM: return "SRTP_AEAD_AES_128_GCM";
    case DTLS_SRTP_AEAD_AES_256_GCM: return "SRTP_AEAD_AES_256_GCM";
    case DTLS_SRTP_NONE: break;
    }
    return "";
}
