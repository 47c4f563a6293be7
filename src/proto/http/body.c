/* Request bodies: a known length, or chunks (RFC 9112 7.1). All sizes are bounded before a byte of them is taken. */
#include "base/check.h"
#include "proto/http/http.h"

enum body_state {
    BODY_DONE,
    BODY_LENGTH,         /* `left` bytes of content */
    BODY_SIZE,           /* hexadecimal digits of a chunk's size */
    BODY_EXTENSION,      /* from a ';' to the CR: dropped */
    BODY_SIZE_LF,
    BODY_CHUNK,          /* `left` bytes of a chunk */
    BODY_CHUNK_CR,
    BODY_CHUNK_LF,
    BODY_TRAILERS,       /* fields up to the empty line: dropped */
};

enum http_result http_body_start(struct http_body *body, const struct http_request *request, uint64_t limit)
{
    *body = (struct http_body){.room = limit};
    if (request->chunked) {
        body->state = BODY_SIZE;
        return HTTP_MORE;
    }
    if (request->content_length == 0)
        return HTTP_DONE;
    if (request->content_length > limit)
        return HTTP_TOO_LARGE;
    body->state = BODY_LENGTH;
    body->left = request->content_length;
    return HTTP_MORE;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    uint8_t low = c | 0x20;
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

static enum http_result on_size_byte(struct http_body *body, uint8_t c)
{
    int digit = hex_value(c);
    if (digit >= 0) {
        if (body->digits == HTTP_CHUNK_DIGITS_MAX)
            return HTTP_BAD;
        body->digits++;
        body->left = body->left << 4 | (uint64_t)digit;
        return HTTP_MORE;
    }
    if (body->digits == 0 || (c != '\r' && c != ';'))
        return HTTP_BAD;
    body->state = c == ';' ? BODY_EXTENSION : BODY_SIZE_LF;
    return body->left > body->room ? HTTP_TOO_LARGE : HTTP_MORE;
}

static enum http_result on_extension_byte(struct http_body *body, uint8_t c)
{
    if (c == '\r') {
        body->state = BODY_SIZE_LF;
        return HTTP_MORE;
    }
    if (c != '\t' && (c < ' ' || c == 0x7F))
        return HTTP_BAD;
    return ++body->overhead > HTTP_OVERHEAD_BYTES_MAX ? HTTP_TOO_LARGE : HTTP_MORE;
}

/* Everything of a chunked body that isn't content, byte by byte. */
static enum http_result on_frame_byte(struct http_body *body, uint8_t c)
{
    switch ((enum body_state)body->state) {
    case BODY_SIZE:
        return on_size_byte(body, c);
    case BODY_EXTENSION:
        return on_extension_byte(body, c);
    case BODY_SIZE_LF:
        if (c != '\n')
            return HTTP_BAD;
        body->state = body->left > 0 ? BODY_CHUNK : BODY_TRAILERS;
        /* The scan's leave to skip a first empty line is for request lines: here such a line is the end. */
        body->trailers = (struct http_scan){.started = true};
        return HTTP_MORE;
    case BODY_CHUNK_CR:
        body->state = BODY_CHUNK_LF;
        return c == '\r' ? HTTP_MORE : HTTP_BAD;
    case BODY_CHUNK_LF:
        body->state = BODY_SIZE;
        body->digits = 0;
        return c == '\n' ? HTTP_MORE : HTTP_BAD;
    case BODY_DONE:
    case BODY_LENGTH:
    case BODY_CHUNK:
    case BODY_TRAILERS:
        break;
    }
    return HTTP_BAD;
}

static struct view take(struct http_body *body, struct view *input)
{
    size_t size = input->size < body->left ? input->size : (size_t)body->left;
    struct view piece = {input->data, size};
    *input = VIEW(input->data + size, input->size - size);
    body->left -= size;
    body->room -= size;
    return piece;
}

enum http_result http_body_read(struct http_body *body, struct view *input, struct view *piece)
{
    *piece = VIEW(NULL, 0);
    CHECK(body->state != BODY_DONE);
    while (input->size > 0) {
        enum http_result result = HTTP_MORE;
        if (body->state == BODY_LENGTH) {
            *piece = take(body, input);
            if (body->left > 0)
                return HTTP_MORE;
            result = HTTP_DONE;
        } else if (body->state == BODY_CHUNK) {
            *piece = take(body, input);
            if (body->left == 0)
                body->state = BODY_CHUNK_CR;
            return HTTP_MORE;
        } else if (body->state == BODY_TRAILERS) {
            size_t used = 0;
            result = http_scan(&body->trailers, *input, &used);
            *input = VIEW(input->data + used, input->size - used);
        } else {
            result = on_frame_byte(body, input->data[0]);
            *input = VIEW(input->data + 1, input->size - 1);
        }
        if (result == HTTP_DONE)
            body->state = BODY_DONE;
        if (result != HTTP_MORE)
            return result;
    }
    return HTTP_MORE;
}
