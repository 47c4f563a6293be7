#include "helpers/events/gzip.h"

#include <zlib.h>

#define GZIP_WINDOW 31              /* 15, and 16 for gzip's head and tail instead of zlib's */
#define CHUNK       16384u

bool gzip_pack(struct buf *out, struct view text, int level)
{
    uint8_t chunk[CHUNK];
    z_stream z = {.next_in = (Bytef *)(uintptr_t)text.data, .avail_in = (uInt)text.size};
    if (text.size > UINT32_MAX || deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    int result;
    do {
        z.next_out = chunk;
        z.avail_out = CHUNK;
        result = deflate(&z, Z_FINISH);
        buf_add(out, chunk, CHUNK - z.avail_out);
    } while (result == Z_OK);
    deflateEnd(&z);
    return result == Z_STREAM_END && !out->failed;
}
