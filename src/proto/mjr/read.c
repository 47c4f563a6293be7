#include "proto/mjr/mjr.h"

#include "base/bytes.h"
#include "base/str.h"

static bool take_block(struct view *left, struct view *out)
{
    struct reader r = reader_of(*left);
    const uint16_t size = read_u16(&r);
    *out = read_view(&r, size);
    if (reader_failed(&r))
        return false;
    left->data += 2u + size;
    left->size -= 2u + size;
    return true;
}

static bool starts(struct view left, const char *text)
{
    return str_starts(left, str_of(text));
}

static void skip(struct view *left, size_t size)
{
    left->data += size;
    left->size -= size;
}

/* "MEETECHO" and the first letter of `audio`, `video` or `data` (recording.md 1.2). */
static bool open_oldest(struct mjr_reader *reader)
{
    struct view kind;
    skip(&reader->left, MJR_MAGIC_BYTES);
    if (!take_block(&reader->left, &kind) || kind.size != 5)
        return false;
    reader->kind = (char)kind.data[0];
    return reader->kind == 'a' || reader->kind == 'v' || reader->kind == 'd';
}

bool mjr_open(struct mjr_reader *reader, struct view file)
{
    *reader = (struct mjr_reader){.left = file};
    if (file.size < MJR_MAGIC_BYTES)
        return false;
    if (starts(file, "MEETECHO"))
        return open_oldest(reader);
    if (!starts(file, "MJ"))
        return false;
    reader->timed = starts(file, "MJR00002");
    skip(&reader->left, MJR_MAGIC_BYTES);
    return reader->left.size == 0 || take_block(&reader->left, &reader->json);
}

bool mjr_next(struct mjr_reader *reader, struct mjr_frame *out)
{
    struct view left = reader->left;
    struct reader r = reader_of(left);
    const size_t prefix = MJR_MAGIC_BYTES;              /* "MEET" and a time, or "MEETECHO" */
    if (!starts(left, "ME"))
        return false;
    read_skip(&r, 4);
    const uint32_t ms = read_u32(&r);
    if (reader_failed(&r))
        return false;
    skip(&left, prefix);
    if (!take_block(&left, &out->payload))
        return false;
    out->ms = reader->timed ? ms : 0;
    reader->left = left;
    return true;
}
