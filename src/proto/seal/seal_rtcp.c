/* proto/seal/seal_rtcp.c - SRTCP: RFC 3711 3.4 (CM: body, E and index, tag) and RFC 7714 9 (GCM: body, tag, E and index).
 * The first 8 bytes stay readable. What comes must be encrypted: with DTLS-SRTP there is no way to agree on less. */
#include <openssl/crypto.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/seal/seal_internal.h"

#define HEADER_SIZE 8u
#define INDEX_SIZE  4u
#define INDEX_END   0x80000000u    /* RFC 3711 3.4: 31 bits, and the E bit above them */
#define ENCRYPTED   0x80000000u

static bool cm_crypt(const struct seal_keys *keys, uint8_t *packet, size_t size, uint32_t index)
{
    EVP_CIPHER_CTX *cipher = keys->shared->scratch;
    uint8_t iv[16];
    int written;
    if (size == HEADER_SIZE)
        return true;
    seal_iv_cm(iv, keys->rtcp.salt, packet + 4, index);
    return EVP_EncryptInit_ex2(cipher, keys->shared->ctr128, keys->rtcp.key, iv, NULL) == 1 &&
           EVP_EncryptUpdate(cipher, packet + HEADER_SIZE, &written, packet + HEADER_SIZE, (int)(size - HEADER_SIZE)) == 1;
}

/* `word`: E and index as they go over the wire; they are authenticated behind the header (RFC 7714 9.2). */
static bool gcm_crypt(const struct seal_keys *keys, uint8_t *packet, size_t size, const uint8_t word[INDEX_SIZE],
                      uint8_t tag[SEAL_GCM_TAG], bool encrypt)
{
    EVP_CIPHER_CTX *cipher = keys->shared->scratch;
    const EVP_CIPHER *kind = keys->profile == SEAL_AEAD_AES_256_GCM ? keys->shared->gcm256 : keys->shared->gcm128;
    uint8_t iv[12];
    uint8_t nothing[16];
    int n;
    seal_iv_gcm(iv, keys->rtcp.salt, packet + 4, get_u32(word) & ~ENCRYPTED);
    if (EVP_CipherInit_ex2(cipher, kind, keys->rtcp.key, iv, encrypt, NULL) != 1 ||
        EVP_CipherUpdate(cipher, NULL, &n, packet, HEADER_SIZE) != 1 ||
        EVP_CipherUpdate(cipher, NULL, &n, word, INDEX_SIZE) != 1)
        return false;
    if (!encrypt && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, SEAL_GCM_TAG, tag) != 1)
        return false;
    if (size > HEADER_SIZE &&
        EVP_CipherUpdate(cipher, packet + HEADER_SIZE, &n, packet + HEADER_SIZE, (int)(size - HEADER_SIZE)) != 1)
        return false;
    if (EVP_CipherFinal_ex(cipher, nothing, &n) != 1)
        return false;
    return !encrypt || EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, SEAL_GCM_TAG, tag) == 1;
}

size_t seal_rtcp_protect(const struct seal_keys *keys, uint32_t *index, uint8_t *packet, size_t size, size_t room)
{
    size_t overhead = seal_rtcp_overhead(keys->profile);
    if (size < HEADER_SIZE || size > UINT16_MAX || room < size + overhead || *index >= INDEX_END)
        return 0;
    uint32_t used = (*index)++;    /* spent, whatever happens next */
    uint8_t word[INDEX_SIZE];
    put_u32(word, ENCRYPTED | used);
    if (seal_is_gcm(keys->profile)) {
        if (!gcm_crypt(keys, packet, size, word, packet + size, true))
            return 0;
        memcpy(packet + size + SEAL_GCM_TAG, word, INDEX_SIZE);
        return size + overhead;
    }
    if (!cm_crypt(keys, packet, size, used))
        return 0;
    memcpy(packet + size, word, INDEX_SIZE);
    uint8_t tag[SEAL_SHA1_SIZE];
    seal_hmac_run(&keys->rtcp.hmac, VIEW(packet, size + INDEX_SIZE), VIEW(NULL, 0), tag);
    memcpy(packet + size + INDEX_SIZE, tag, SEAL_CM_TAG);
    return size + overhead;
}

static bool authenticate_and_decrypt(const struct seal_keys *keys, uint8_t *packet, size_t size, const uint8_t *word)
{
    if (seal_is_gcm(keys->profile))
        return gcm_crypt(keys, packet, size, word, packet + size, false);
    uint8_t tag[SEAL_SHA1_SIZE];
    seal_hmac_run(&keys->rtcp.hmac, VIEW(packet, size + INDEX_SIZE), VIEW(NULL, 0), tag);
    if (CRYPTO_memcmp(tag, packet + size + INDEX_SIZE, SEAL_CM_TAG) != 0)
        return false;
    return cm_crypt(keys, packet, size, get_u32(word) & ~ENCRYPTED);
}

static const struct seal_rtcp_window *find_window(const struct seal_rtcp_rx *rx, uint32_t ssrc)
{
    for (uint32_t i = 0; i < rx->count; i++)
        if (rx->windows[i].ssrc == ssrc)
            return &rx->windows[i];
    return NULL;
}

/* Brings the sender's window to the front, a new one if need be, and notes the index. Only after authentication, so that
 * strangers push nobody out. */
static void commit(struct seal_rtcp_rx *rx, uint32_t ssrc, uint32_t index)
{
    const struct seal_rtcp_window *known = find_window(rx, ssrc);
    struct seal_rtcp_window window = known != NULL ? *known : (struct seal_rtcp_window){.ssrc = ssrc, .highest = index};
    size_t place;
    if (known != NULL) {
        place = (size_t)(known - rx->windows);
    } else {
        if (rx->count < SEAL_RTCP_SENDERS)
            rx->count++;
        place = rx->count - 1;
    }
    memmove(rx->windows + 1, rx->windows, place * sizeof(rx->windows[0]));
    uint64_t highest = window.highest;
    seal_window_add(window.seen, SEAL_RX_WINDOW, &highest, index);
    window.highest = (uint32_t)highest;
    rx->windows[0] = window;
}

size_t seal_rtcp_open(const struct seal_keys *keys, struct seal_rtcp_rx *rx, uint8_t *packet, size_t size, bool *replay)
{
    *replay = false;
    size_t overhead = seal_rtcp_overhead(keys->profile);
    if (size < HEADER_SIZE + overhead || size > UINT16_MAX)
        return 0;
    size_t body = size - overhead;
    const uint8_t *at = packet + body + (seal_is_gcm(keys->profile) ? SEAL_GCM_TAG : 0);
    uint8_t word[INDEX_SIZE];
    memcpy(word, at, INDEX_SIZE);
    if ((get_u32(word) & ENCRYPTED) == 0)
        return 0;
    uint32_t ssrc = get_u32(packet + 4);
    uint32_t index = get_u32(word) & ~ENCRYPTED;
    const struct seal_rtcp_window *window = find_window(rx, ssrc);
    if (window != NULL && seal_window_has(window->seen, SEAL_RX_WINDOW, window->highest, index)) {
        *replay = true;
        return 0;
    }
    if (!authenticate_and_decrypt(keys, packet, body, word))
        return 0;
    commit(rx, ssrc, index);
    return body;
}
