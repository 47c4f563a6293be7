/* MESSAGE-INTEGRITY by libcrypto's HMAC-SHA1, and FINGERPRINT's CRC (RFC 8489 14.5, 14.7). */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

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

/* The table of the reflected polynomial 0xEDB88320 is linear in its index: eight entries make the other 248. */
#define E(i)                                                                                                       \
    (((i) & 1 ? 0x77073096u : 0u) ^ ((i) & 2 ? 0xEE0E612Cu : 0u) ^ ((i) & 4 ? 0x076DC419u : 0u) ^                  \
     ((i) & 8 ? 0x0EDB8832u : 0u) ^ ((i) & 16 ? 0x1DB71064u : 0u) ^ ((i) & 32 ? 0x3B6E20C8u : 0u) ^                \
     ((i) & 64 ? 0x76DC4190u : 0u) ^ ((i) & 128 ? 0xEDB88320u : 0u))
#define E4(i)  E(i), E((i) + 1), E((i) + 2), E((i) + 3)
#define E16(i) E4(i), E4((i) + 4), E4((i) + 8), E4((i) + 12)
#define E64(i) E16(i), E16((i) + 16), E16((i) + 32), E16((i) + 48)

static const uint32_t crc_table[256] = {E64(0), E64(64), E64(128), E64(192)};

uint32_t stun_crc32(struct view bytes)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < bytes.size; i++)
        crc = crc >> 8 ^ crc_table[(crc ^ bytes.data[i]) & 0xFF];
    return ~crc;
}
