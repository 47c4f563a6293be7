/* proto/tls/tls_private.h - between the files of this folder only. */
#pragma once

#include <openssl/ssl.h>

#include "proto/tls/tls.h"

struct tls_shared {
    SSL_CTX *ctx;
    BIO_METHOD *method;
};

/* The end that OpenSSL sees: reads from what was fed, writes to the output. Never blocks, never refuses within the limit. */
BIO_METHOD *tls_bio_method(void);
