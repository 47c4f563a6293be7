#include "proto/ws/handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

#define KEY_TEXT 24u                                             /* base64 of WS_KEY_BYTES */
#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"       /* RFC 6455 1.3 */

/* base64 of 16 bytes: 22 digits and "==". */
static bool is_key(struct view key)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (key.size != KEY_TEXT || memcmp(key.data + 22, "==", 2) != 0)
        return false;
    for (size_t i = 0; i < 22; i++)
        if (key.data[i] == 0 || strchr(digits, key.data[i]) == NULL)
            return false;
    return true;
}

enum ws_handshake ws_handshake_check(const struct http_request *request, const char *protocol)
{
    const struct http_fields *fields = &request->fields;
    if (!http_field_has_token(fields, "Upgrade", "websocket") || !http_field_has_token(fields, "Connection", "Upgrade"))
        return WS_NOT_ASKED;
    /* 4.2.1: GET of HTTP/1.1, and a body has no place in front of frames. */
    if (request->method != HTTP_GET || request->minor != 1 || request->chunked || request->content_length > 0)
        return WS_BAD;
    if (http_field_count(fields, "Sec-WebSocket-Key") != 1 || !is_key(http_field(fields, "Sec-WebSocket-Key")))
        return WS_BAD;
    if (http_field_count(fields, "Sec-WebSocket-Version") != 1 || !str_equal(http_field(fields, "Sec-WebSocket-Version"), STR("13")))
        return WS_BAD_VERSION;
    return http_field_has_token(fields, "Sec-WebSocket-Protocol", protocol) ? WS_ACCEPTED : WS_NO_PROTOCOL;
}

void ws_accept_text(struct view key, char out[WS_ACCEPT_TEXT])
{
    unsigned char text[KEY_TEXT + sizeof(ACCEPT_GUID) - 1], digest[SHA_DIGEST_LENGTH];
    CHECK(key.size == KEY_TEXT);
    memcpy(text, key.data, KEY_TEXT);
    memcpy(text + KEY_TEXT, ACCEPT_GUID, sizeof(ACCEPT_GUID) - 1);
    SHA1(text, sizeof(text), digest);
    EVP_EncodeBlock((unsigned char *)out, digest, sizeof(digest));
}

void ws_handshake_write(struct buf *out, const struct http_request *request, const char *protocol)
{
    char accept[WS_ACCEPT_TEXT];
    ws_accept_text(http_field(&request->fields, "Sec-WebSocket-Key"), accept);
    http_write_text(out, "Upgrade", "websocket");
    http_write_text(out, "Connection", "Upgrade");
    http_write_text(out, "Sec-WebSocket-Accept", accept);
    http_write_text(out, "Sec-WebSocket-Protocol", protocol);
}

static void key_text(const uint8_t key[WS_KEY_BYTES], char out[KEY_TEXT + 1])
{
    EVP_EncodeBlock((unsigned char *)out, key, WS_KEY_BYTES);
}

void ws_request_write(struct buf *out, const char *host, const char *path, const char *protocol, const uint8_t key[WS_KEY_BYTES])
{
    char text[KEY_TEXT + 1];
    key_text(key, text);
    buf_addf(out, "GET %s HTTP/1.1\r\n", path);
    http_write_text(out, "Host", host);
    http_write_text(out, "Upgrade", "websocket");
    http_write_text(out, "Connection", "Upgrade");
    http_write_text(out, "Sec-WebSocket-Key", text);
    http_write_number(out, "Sec-WebSocket-Version", WS_VERSION);
    http_write_text(out, "Sec-WebSocket-Protocol", protocol);
    http_write_end(out);
}

bool ws_response_check(const struct http_response *response, const char *protocol, const uint8_t key[WS_KEY_BYTES])
{
    const struct http_fields *fields = &response->fields;
    char text[KEY_TEXT + 1], accept[WS_ACCEPT_TEXT];
    key_text(key, text);
    ws_accept_text(str_of(text), accept);
    return response->status == 101 && http_field_has_token(fields, "Upgrade", "websocket") &&
           http_field_has_token(fields, "Connection", "Upgrade") &&
           http_field_count(fields, "Sec-WebSocket-Accept") == 1 &&
           str_equal(http_field(fields, "Sec-WebSocket-Accept"), str_of(accept)) &&
           http_field_count(fields, "Sec-WebSocket-Extensions") == 0 &&
           str_equal(http_field(fields, "Sec-WebSocket-Protocol"), str_of(protocol));
}
