#include "proto/sctp/packet.h"

#include "base/check.h"
#include "proto/sctp/crc32c.h"

#define CHECKSUM_AT 8u

static size_t padding(size_t size)
{
    return (4 - size % 4) % 4;
}

/* The last chunk's or parameter's padding may be missing: some stacks leave a parameter's out of its chunk's length. */
static void skip_padding(struct reader *r, size_t size)
{
    const size_t pad = padding(size);
    read_skip(r, pad < reader_left(r) ? pad : reader_left(r));
}

bool sctp_chunk_next(struct reader *r, struct sctp_chunk *out)
{
    if (reader_left(r) == 0 || reader_failed(r))
        return false;
    const uint8_t *start = r->at;
    out->type = read_u8(r);
    out->flags = read_u8(r);
    const uint16_t length = read_u16(r);
    if (length < SCTP_CHUNK_HEADER)
        r->failed = true;
    else
        out->value = read_view(r, length - SCTP_CHUNK_HEADER);
    if (reader_failed(r))
        return false;
    out->whole = VIEW(start, length);
    skip_padding(r, length);
    return true;
}

bool sctp_param_next(struct reader *r, struct sctp_param *out)
{
    if (reader_left(r) == 0 || reader_failed(r))
        return false;
    const uint8_t *start = r->at;
    out->type = read_u16(r);
    const uint16_t length = read_u16(r);
    if (length < 4)
        r->failed = true;
    else
        out->value = read_view(r, length - 4u);
    if (reader_failed(r))
        return false;
    out->whole = VIEW(start, length);
    skip_padding(r, length);
    return true;
}

void sctp_pack_begin(struct sctp_packer *p, uint8_t *out, size_t room, uint16_t from, uint16_t to, uint32_t tag)
{
    *p = (struct sctp_packer){.w = writer_of(out, room)};
    write_u16(&p->w, from);
    write_u16(&p->w, to);
    write_u32(&p->w, tag);
    write_u32(&p->w, 0);
}

void sctp_pack_chunk(struct sctp_packer *p, uint8_t type, uint8_t flags)
{
    CHECK(p->chunk == NULL);
    p->chunk = p->w.at;
    write_u8(&p->w, type);
    write_u8(&p->w, flags);
    write_u16(&p->w, 0);
}

static void put_length(struct writer *w, uint8_t *start)
{
    if (!writer_failed(w))
        put_u16(start + 2, (uint16_t)(w->at - start));
}

void sctp_pack_chunk_end(struct sctp_packer *p)
{
    CHECK(p->chunk != NULL && p->param == NULL);
    put_length(&p->w, p->chunk);
    write_zeros(&p->w, padding(writer_size(&p->w)));
    p->chunk = NULL;
}

/* A chunk's length counts the padding of its parameters but the last one's (RFC 9260 3.2): it is written by what follows. */
void sctp_pack_param(struct sctp_packer *p, uint16_t type)
{
    CHECK(p->chunk != NULL && p->param == NULL);
    write_zeros(&p->w, padding(writer_size(&p->w)));
    p->param = p->w.at;
    write_u16(&p->w, type);
    write_u16(&p->w, 0);
}

void sctp_pack_param_end(struct sctp_packer *p)
{
    CHECK(p->param != NULL);
    put_length(&p->w, p->param);
    p->param = NULL;
}

/* Least significant byte first (RFC 9260 appendix A). */
static void put_checksum(uint8_t *at, uint32_t crc)
{
    at[0] = (uint8_t)crc;
    at[1] = (uint8_t)(crc >> 8);
    at[2] = (uint8_t)(crc >> 16);
    at[3] = (uint8_t)(crc >> 24);
}

static uint32_t checksum(struct view packet)
{
    static const uint8_t zeros[4];
    uint32_t crc = crc32c(0, VIEW(packet.data, CHECKSUM_AT));
    crc = crc32c(crc, VIEW(zeros, sizeof(zeros)));
    return crc32c(crc, VIEW(packet.data + SCTP_HEADER, packet.size - SCTP_HEADER));
}

size_t sctp_pack_end(struct sctp_packer *p)
{
    CHECK(p->chunk == NULL);
    if (writer_failed(&p->w))
        return 0;
    const size_t size = writer_size(&p->w);
    put_checksum(p->w.start + CHECKSUM_AT, checksum(VIEW(p->w.start, size)));
    return size;
}

bool sctp_checksum_is_right(struct view packet)
{
    uint8_t right[4];
    put_checksum(right, checksum(packet));
    return memcmp(right, packet.data + CHECKSUM_AT, sizeof(right)) == 0;
}
