/* proto/rtp/red.c - RFC 2198 section 3:
 *
 *   |1| block PT (7) | timestamp offset (14) | block length (10) |   of each redundant block
 *   |0| block PT (7) |                                               of the primary one, last
 *   then the blocks' data in the same order */
#include "proto/rtp/red.h"

#include "base/bytes.h"

static bool read_blocks(struct view payload, uint8_t *pt, struct view *out)
{
    struct reader r = reader_of(payload);
    size_t redundant = 0;
    uint8_t first;
    while (((first = read_u8(&r)) & 0x80) != 0) {
        read_u8(&r);
        redundant += read_u16(&r) & 0x3FFu;
    }
    read_skip(&r, redundant);
    if (reader_failed(&r) || reader_left(&r) == 0)
        return false;
    *pt = first;
    *out = (struct view){r.at, reader_left(&r)};
    return true;
}

bool red_primary(struct view payload, struct view *out)
{
    uint8_t pt;
    return read_blocks(payload, &pt, out);
}

bool red_primary_pt(struct view payload, uint8_t *pt)
{
    struct view primary;
    return read_blocks(payload, pt, &primary);
}
