#include "proto/sdp/sdp_internal.h"

#include <stdalign.h>
#include <string.h>

#include "base/fmt.h"
#include "base/mem.h"

#define CHUNK_BYTES 4096u

struct sdp_chunk {
    struct sdp_chunk *next;
    size_t used;
    size_t room;
    alignas(max_align_t) uint8_t bytes[];
};

static size_t aligned(size_t size)
{
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static struct sdp_chunk *chunk_new(size_t room)
{
    struct sdp_chunk *chunk = mem_get(sizeof(*chunk) + room);
    chunk->next = NULL;
    chunk->used = 0;
    chunk->room = room;
    return chunk;
}

/* A large block gets a chunk of its own, behind the newest, which may still have room. */
static void *get_large(struct sdp *sdp, size_t size)
{
    struct sdp_chunk *chunk = chunk_new(size);
    chunk->used = size;
    chunk->next = sdp->chunks->next;
    sdp->chunks->next = chunk;
    return chunk->bytes;
}

void *sdp_get(struct sdp *sdp, size_t size)
{
    size = aligned(size);
    if (size > CHUNK_BYTES / 4)
        return get_large(sdp, size);
    struct sdp_chunk *chunk = sdp->chunks;
    if (size > chunk->room - chunk->used) {
        chunk = chunk_new(CHUNK_BYTES);
        chunk->next = sdp->chunks;
        sdp->chunks = chunk;
    }
    void *at = chunk->bytes + chunk->used;
    chunk->used += size;
    return at;
}

/* The sdp itself is the first block of its oldest chunk. */
struct sdp *sdp_new(void)
{
    struct sdp_chunk *chunk = chunk_new(CHUNK_BYTES);
    struct sdp *sdp = (void *)chunk->bytes;
    chunk->used = aligned(sizeof(*sdp));
    *sdp = (struct sdp){
        .origin_name = STR("-"),
        .origin.address = STR("1.1.1.1"),
        .session_name = STR("-"),
        .chunks = chunk,
    };
    return sdp;
}

void sdp_free(struct sdp *sdp)
{
    struct sdp_chunk *chunk = sdp == NULL ? NULL : sdp->chunks;
    while (chunk != NULL) {
        struct sdp_chunk *next = chunk->next;
        mem_put(chunk);
        chunk = next;
    }
}

struct view sdp_text(struct sdp *sdp, struct view text)
{
    if (text.size == 0)
        return STR("");
    uint8_t *copy = sdp_get(sdp, text.size);
    memcpy(copy, text.data, text.size);
    return (struct view){copy, text.size};
}

struct view sdp_textv(struct sdp *sdp, const char *format, va_list args)
{
    char line[160];                             /* what fits is formatted once */
    va_list again;
    va_copy(again, args);
    const size_t size = fmt_text(line, sizeof(line), format, again);
    va_end(again);
    if (size <= sizeof(line))
        return sdp_text(sdp, VIEW(line, size));
    char *copy = sdp_get(sdp, size);
    (void)fmt_text(copy, size, format, args);
    return VIEW(copy, size);
}

struct view sdp_textf(struct sdp *sdp, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct view text = sdp_textv(sdp, format, args);
    va_end(args);
    return text;
}
