/* MESSAGE-INTEGRITY by libcrypto's HMAC-SHA1, and FINGERPRINT's CRC (RFC 8489 14.5, 14.7). */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "proto/stun/stun.h"
#include "proto/stun/stun_inner.h"

struct stun_mac {
    EVP_MAC_CTX *ctx;
};

struct stun_mac *stun_mac_new(void)
{
    char digest[] = "SHA1";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);             /* the context holds it */
    if (ctx == NULL || EVP_MAC_CTX_set_params(ctx, params) != 1) {
        EVP_MAC_CTX_free(ctx);
        return NULL;
    }
    struct stun_mac *mac = mem_get(sizeof(*mac));
    mac->ctx = ctx;
    return mac;
}

void stun_mac_free(struct stun_mac *mac)
{
    if (mac == NULL)
        return;
    EVP_MAC_CTX_free(mac->ctx);
    mem_put(mac);
}

/* HMAC hashes a key that is longer than its block (RFC 2104 2), so keeping the hash changes nothing but the size. */
void stun_key_set(struct stun_key *key, struct view password)
{
    if (password.size > STUN_KEY_MAX) {
        key->size = SHA_DIGEST_LENGTH;
        SHA1(password.data, password.size, key->bytes);
        return;
    }
    key->size = (uint8_t)password.size;
    if (password.size > 0)
        memcpy(key->bytes, password.data, password.size);
}

bool stun_hmac(struct stun_mac *mac, const struct stun_key *key, struct view head, struct view rest,
               uint8_t out[STUN_HMAC_BYTES])
{
    size_t size = 0;
    return key->size > 0 && EVP_MAC_init(mac->ctx, key->bytes, key->size, NULL) == 1 &&
           EVP_MAC_update(mac->ctx, head.data, head.size) == 1 && EVP_MAC_update(mac->ctx, rest.data, rest.size) == 1 &&
           EVP_MAC_final(mac->ctx, out, &size, STUN_HMAC_BYTES) == 1 && size == STUN_HMAC_BYTES;
}

bool stun_is_authentic(const struct stun_message *message, struct stun_mac *mac, const struct stun_key *key)
{
    if (message->integrity_at == 0)
        return false;
    /* The header's length counts up to the end of MESSAGE-INTEGRITY here, whatever follows it (RFC 8489 14.5). */
    const uint8_t *bytes = message->datagram.data;
    uint8_t head[4];
    memcpy(head, bytes, 2);
    put_u16(head + 2, (uint16_t)(message->integrity_at + 4 + STUN_HMAC_BYTES - STUN_HEADER_BYTES));
    uint8_t want[STUN_HMAC_BYTES];
    if (!stun_hmac(mac, key, VIEW(head, sizeof(head)), VIEW(bytes + 4, message->integrity_at - 4), want))
        return false;
    return str_equal_secret(VIEW(want, sizeof(want)), VIEW(bytes + message->integrity_at + 4, STUN_HMAC_BYTES));
}

/* Four bytes a step: table k holds what a byte does to the CRC k bytes later. A table of the reflected polynomial
 * 0xEDB88320 is linear in its index, so its entries at the powers of two make the other 248. */
#define E(i, a, b, c, d, e, f, g, h)                                                                       \
    (((i) & 1 ? a : 0u) ^ ((i) & 2 ? b : 0u) ^ ((i) & 4 ? c : 0u) ^ ((i) & 8 ? d : 0u) ^                   \
     ((i) & 16 ? e : 0u) ^ ((i) & 32 ? f : 0u) ^ ((i) & 64 ? g : 0u) ^ ((i) & 128 ? h : 0u))
#define E4(i, ...)  E(i, __VA_ARGS__), E((i) + 1, __VA_ARGS__), E((i) + 2, __VA_ARGS__), E((i) + 3, __VA_ARGS__)
#define E16(i, ...) E4(i, __VA_ARGS__), E4((i) + 4, __VA_ARGS__), E4((i) + 8, __VA_ARGS__), E4((i) + 12, __VA_ARGS__)
#define E64(i, ...) E16(i, __VA_ARGS__), E16((i) + 16, __VA_ARGS__), E16((i) + 32, __VA_ARGS__), E16((i) + 48, __VA_ARGS__)
#define E256(...)   {E64(0, __VA_ARGS__), E64(64, __VA_ARGS__), E64(128, __VA_ARGS__), E64(192, __VA_ARGS__)}

static const uint32_t crc_tables[4][256] = {
    E256(0x77073096u, 0xEE0E612Cu, 0x076DC419u, 0x0EDB8832u, 0x1DB71064u, 0x3B6E20C8u, 0x76DC4190u, 0xEDB88320u),
    E256(0x191B3141u, 0x32366282u, 0x646CC504u, 0xC8D98A08u, 0x4AC21251u, 0x958424A2u, 0xF0794F05u, 0x3B83984Bu),
    E256(0x01C26A37u, 0x0384D46Eu, 0x0709A8DCu, 0x0E1351B8u, 0x1C26A370u, 0x384D46E0u, 0x709A8DC0u, 0xE1351B80u),
    E256(0xB8BC6765u, 0xAA09C88Bu, 0x8F629757u, 0xC5B428EFu, 0x5019579Fu, 0xA032AF3Eu, 0x9B14583Du, 0xED59B63Bu),
};

uint32_t stun_crc32(struct view bytes)
{
    CHECK(bytes.size % 4 == 0);
    const uint8_t *at = bytes.data;
    const uint8_t *end = at + bytes.size;
    uint32_t crc = 0xFFFFFFFFu;
    for (; at < end; at += 4) {
        crc ^= (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        crc = crc_tables[3][crc & 0xFF] ^ crc_tables[2][crc >> 8 & 0xFF] ^ crc_tables[1][crc >> 16 & 0xFF] ^ crc_tables[0][crc >> 24];
    }
    return ~crc;
}
