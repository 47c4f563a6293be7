/* control/crypto.h - what control needs of libcrypto. Apart, since OpenSSL's headers have an ERR_STATE of their own. */
#pragma once

#include "base/types.h"

#define HMAC_SHA1_TEXT 29u              /* base64 of 20 bytes, padded, and a NUL (RFC 2104, RFC 4648 4) */

/* False: the library refused. */
bool crypto_hmac_sha1(struct view key, struct view data, char out[HMAC_SHA1_TEXT]);
const char *crypto_version(void);
