/* proto/http/http.h - HTTP/1.1 messages, strict (RFC 9110, RFC 9112): what two parsers could read differently is refused.
 * Owner: one connection. Pure: no clock, socket, thread; no memory of its own (writers append to the caller's buffer).
 *
 * A server reads a request in this order:
 *   http_scan            over the bytes as they come, until it says DONE: the head is what was used so far
 *   http_request_parse   the whole head at once; views point into it
 *   http_body_start, http_body_read   until DONE
 * and answers with http_write_status, http_write_field ..., http_write_end, then the body.
 * A client scans the answer's head the same way and reads it with http_response_parse. */
#pragma once

#include "base/buf.h"

#define HTTP_HEAD_BYTES_MAX     8192u   /* request line and fields, both CRLFs of the end included: past it 431 */
#define HTTP_FIELDS_MAX         64u     /* more of them: 431 */
#define HTTP_CHUNK_DIGITS_MAX   8u      /* a chunk size of more digits is refused, whatever its value */
#define HTTP_OVERHEAD_BYTES_MAX 8192u   /* chunk extensions and trailers of one body, all dropped */

enum http_result {
    HTTP_MORE,         /* go on when there are more bytes */
    HTTP_DONE,
    HTTP_BAD,          /* 400, then close */
    HTTP_TOO_LARGE,    /* a head: 431; a body: 413; then close */
};

/* --- Heads ------------------------------------------------------------------------------------------------------ */

/* Looks for the empty line. Bare CR, bare LF and NUL are refused at the byte where they stand, not at the deadline.
 * A zeroed one is ready to use. */
struct http_scan {
    uint16_t size;           /* bytes of the head so far */
    uint16_t line_size;      /* of the line being read */
    bool after_cr;
    bool started;            /* a line that isn't empty was seen */
};

/* `used` bytes of `bytes` belong to the head: all of them, unless DONE. */
enum http_result http_scan(struct http_scan *scan, struct view bytes, size_t *used);

struct http_field {
    struct view name;
    struct view value;       /* without the blanks around it */
};

struct http_fields {
    uint32_t count;
    struct http_field list[HTTP_FIELDS_MAX];
};

/* The first value of that name (any case); .data is NULL when there is none. */
struct view http_field(const struct http_fields *fields, const char *name);
uint32_t http_field_count(const struct http_fields *fields, const char *name);
/* Whether `token` (any case) stands in the comma separated list that all fields of that name make together. */
bool http_field_has_token(const struct http_fields *fields, const char *name, const char *token);

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS };

const char *http_method_name(enum http_method method);

struct http_request {
    enum http_method method;
    uint8_t minor;               /* HTTP/1.0 or HTTP/1.1 */
    bool keep_alive;             /* the connection may carry another request (RFC 9112 9.3) */
    bool chunked;
    bool expect_continue;        /* the client waits for a 100 before it sends the body */
    uint64_t content_length;     /* 0 when chunked */
    struct view path;            /* starts with '/'; "*" for OPTIONS; still percent-encoded */
    struct view query;           /* what stands after the first '?'; empty when nothing does */
    struct http_fields fields;
};

/* 0, or the status of the refusal (400, 417, 431): answer it and close. */
unsigned http_request_parse(struct http_request *out, struct view head);

struct http_response {
    unsigned status;
    struct http_fields fields;
};

bool http_response_parse(struct http_response *out, struct view head);

/* Undoes percent-encoding (RFC 3986 2.1). False: a broken escape, a decoded '/', control character or NUL, or no room. */
bool http_path_decode(struct view path, char *out, size_t room, size_t *size);

/* --- Request bodies --------------------------------------------------------------------------------------------- */

struct http_body {
    uint64_t left;           /* of the content, or of the chunk */
    uint64_t room;           /* body bytes that may still come */
    uint32_t overhead;       /* extension and trailer bytes so far */
    uint8_t state;
    uint8_t digits;
    struct http_scan trailers;
};

/* DONE: there is no body. TOO_LARGE: its announced length is above `limit`. */
enum http_result http_body_start(struct http_body *body, const struct http_request *request, uint64_t limit);

/* Takes bytes off `input`, and leaves in `piece` the body bytes among them (a part of what `input` was; may be empty).
 * Call it while it says MORE and `input` isn't empty. After DONE, `input` holds what follows the body. */
enum http_result http_body_read(struct http_body *body, struct view *input, struct view *piece);

/* --- Response heads --------------------------------------------------------------------------------------------- */

const char *http_reason(unsigned status);        /* "" when we never answer that */
void http_write_status(struct buf *out, unsigned status);
/* A value with a control character in it is left out, and false: no header is ever split by what a client sent. */
bool http_write_field(struct buf *out, const char *name, struct view value);
void http_write_text(struct buf *out, const char *name, const char *value);
void http_write_number(struct buf *out, const char *name, uint64_t value);
void http_write_end(struct buf *out);

#define HTTP_DATE_TEXT 30    /* "Sun, 06 Nov 1994 08:49:37 GMT" and NUL (RFC 9110 5.6.7) */
const char *http_date(uint64_t unix_seconds, char out[HTTP_DATE_TEXT]);
