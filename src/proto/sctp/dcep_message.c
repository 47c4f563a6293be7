/* The two messages of DCEP (RFC 8832 5). The ACK is one byte. */
#include "base/bytes.h"
#include "proto/sctp/dcep.h"
#include "proto/sctp/dcep_internal.h"

static bool type_is_known(uint8_t type)
{
    uint8_t kind = type & (uint8_t)~DCEP_UNORDERED;
    return kind == DCEP_RELIABLE || kind == DCEP_RETRANSMITS || kind == DCEP_LIFETIME;
}

bool dcep_open_parse(struct dcep_open *out, struct view message)
{
    struct reader r = reader_of(message);
    if (read_u8(&r) != DCEP_MESSAGE_OPEN)
        return false;
    struct dcep_open open = {.type = read_u8(&r), .priority = read_u16(&r), .limit = read_u32(&r)};
    const uint16_t label_size = read_u16(&r);
    const uint16_t protocol_size = read_u16(&r);
    open.label = read_view(&r, label_size);
    open.protocol = read_view(&r, protocol_size);
    /* Bytes after the protocol are no concern of ours: RFC 8832 5.1 does not forbid them. */
    if (reader_failed(&r) || !type_is_known(open.type))
        return false;
    *out = open;
    return true;
}

size_t dcep_open_write(uint8_t *out, size_t room, const struct dcep_open *open)
{
    if (open->label.size > UINT16_MAX || open->protocol.size > UINT16_MAX || !type_is_known(open->type))
        return 0;
    struct writer w = writer_of(out, room);
    write_u8(&w, DCEP_MESSAGE_OPEN);
    write_u8(&w, open->type);
    write_u16(&w, open->priority);
    write_u32(&w, open->limit);
    write_u16(&w, (uint16_t)open->label.size);
    write_u16(&w, (uint16_t)open->protocol.size);
    write_bytes(&w, open->label.data, open->label.size);
    write_bytes(&w, open->protocol.data, open->protocol.size);
    return writer_failed(&w) ? 0 : writer_size(&w);
}
