/* proto/ws/handshake.h - the opening handshake (RFC 6455 section 4), both sides. Pure; SHA-1 and base64 by libcrypto. */
#pragma once

#include "base/buf.h"
#include "proto/http/http.h"

#define WS_VERSION     13            /* RFC 6455 4.1 */
#define WS_KEY_BYTES   16u           /* the random bytes in Sec-WebSocket-Key */
#define WS_ACCEPT_TEXT 29u           /* base64 of a SHA-1, and NUL */

enum ws_handshake {
    WS_NOT_ASKED,        /* no WebSocket upgrade: an ordinary request */
    WS_ACCEPTED,
    WS_BAD,              /* 400 */
    WS_BAD_VERSION,      /* 426, with Sec-WebSocket-Version: 13 */
    WS_NO_PROTOCOL,      /* `protocol` isn't among those offered, or none is */
};

/* `protocol`: the only subprotocol that is spoken here. */
enum ws_handshake ws_handshake_check(const struct http_request *request, const char *protocol);

void ws_accept_text(struct view key, char out[WS_ACCEPT_TEXT]);

/* The fields of the 101 that belong to the handshake; status line, other fields and the end are the caller's. */
void ws_handshake_write(struct buf *out, const struct http_request *request, const char *protocol);

/* A client's request; `key` is random. What is asked is checked by ws_response_check with the same key and protocol. */
void ws_request_write(struct buf *out, const char *host, const char *path, const char *protocol, const uint8_t key[WS_KEY_BYTES]);
bool ws_response_check(const struct http_response *response, const char *protocol, const uint8_t key[WS_KEY_BYTES]);
