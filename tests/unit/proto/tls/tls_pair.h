/* tests/unit/proto/tls/tls_pair.h - our TLS server and OpenSSL's client, joined by memory. */
#pragma once

#include <openssl/ssl.h>

#include "identity.h"
#include "proto/tls/tls.h"

struct pair {
    struct tls_shared *shared;
    struct pool pool;
    struct tls *tls;             /* our side */
    SSL_CTX *client_ctx;
    SSL *client;
    BIO *to_client;
    BIO *from_client;
    uint8_t heard[262144];       /* what the last *_hears got */
    bool over;                   /* our side said TLS_OVER */
};

/* A client of exactly that version. `alpn`: as on the wire, or NULL. `ciphers`: the server's list, or NULL. */
void pair_open(struct pair *p, int version, const unsigned char *alpn, unsigned alpn_size, const char *ciphers);
void pair_close(struct pair *p);

/* Moves bytes until both are done; at most `step` at a time towards our side. False: it failed on either side. */
bool pair_handshake(struct pair *p, size_t step);

void pair_to_client(struct pair *p);             /* our output to the client's input */
void pair_client_says(struct pair *p, const char *text);
size_t pair_server_hears(struct pair *p);        /* clear bytes that come out on our side */
size_t pair_client_hears(struct pair *p);
