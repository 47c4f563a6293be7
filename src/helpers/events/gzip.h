/* helpers/events/gzip.h - a text as gzip (RFC 1952), by zlib. Pure. */
#pragma once

#include "base/buf.h"

#define GZIP_LEVEL_DEFAULT 6
#define GZIP_BYTES_MAX     (64u * 1024u * 1024u)

/* Appends to `out`. False: it does not fit, or there is no memory. */
bool gzip_pack(struct buf *out, struct view text, int level);
