/* proto/dtls/openssl.h - OpenSSL's headers beside ours: its types.h names a type ERR_STATE, base/err.h an enumerator. Nothing
 * here uses that type, so it goes by another name. Include this one and no <openssl/...>, before base/err.h or after. */
#pragma once

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#undef ERR_STATE
