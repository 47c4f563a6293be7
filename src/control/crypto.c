#include "control/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define SHA1_BYTES 20u

bool crypto_hmac_sha1(struct view key, struct view data, char out[HMAC_SHA1_TEXT])
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (HMAC(EVP_sha1(), key.data, (int)key.size, data.data, data.size, mac, &size) == NULL || size != SHA1_BYTES)
        return false;
    return EVP_EncodeBlock((unsigned char *)out, mac, SHA1_BYTES) == HMAC_SHA1_TEXT - 1;
}

const char *crypto_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
