/* msg/poster.h - what the actor that speaks HTTP to others can be told. */
#pragma once

#include "msg/dns.h"

#define POSTER_MESSAGES(X)                                             \
    /* name        from           payload                         */ \
    X(POST,        CONTROL,       struct poster_post)                  \
    X(ADDRESSES,   DNS,           struct dns_answer)

enum poster_message {
    POSTER_NONE,
#define X(name, from, payload) POSTER_##name,
    POSTER_MESSAGES(X)
#undef X
};

#define POSTER_URL_MAX 2048u

/* A JSON text for somebody's web server. Nobody is told what became of it. `url_size` bytes of URL follow, then the body. */
struct poster_post {
    uint32_t url_size;
    uint32_t body_size;
    bool public_only;                   /* the URL came from a stranger: to public addresses only (docs/DECISIONS.md) */
    char text[];
};
