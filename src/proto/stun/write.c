/* Writing STUN messages (RFC 8489 5, 14). The length in the header is kept right at every step. */
#include "base/str.h"
#include "proto/stun/stun.h"
#include "proto/stun/stun_inner.h"

static void set_length(struct stun_out *out, size_t more)
{
    if (!writer_failed(&out->w))
        put_u16(out->w.start + 2, (uint16_t)(writer_size(&out->w) + more - STUN_HEADER_BYTES));
}

void stun_begin(struct stun_out *out, uint8_t *bytes, size_t room, enum stun_class class, uint16_t method,
                const uint8_t txid[STUN_TXID_BYTES])
{
    out->w = writer_of(bytes, room < STUN_MESSAGE_MAX ? room : STUN_MESSAGE_MAX);
    write_u16(&out->w, (uint16_t)((method & 0x0F80) << 2 | (method & 0x0070) << 1 | (method & 0x000F) | (class & 2) << 7 |
                                  (class & 1) << 4));
    write_u16(&out->w, 0);
    write_u32(&out->w, STUN_COOKIE);
    write_bytes(&out->w, txid, STUN_TXID_BYTES);
}

void stun_add(struct stun_out *out, uint16_t type, struct view value)
{
    write_u16(&out->w, type);
    write_u16(&out->w, (uint16_t)value.size);
    write_bytes(&out->w, value.data, value.size);
    write_zeros(&out->w, (4 - value.size % 4) % 4);
}

void stun_add_u32(struct stun_out *out, uint16_t type, uint32_t value)
{
    uint8_t bytes[4];
    put_u32(bytes, value);
    stun_add(out, type, VIEW(bytes, sizeof(bytes)));
}

void stun_add_u64(struct stun_out *out, uint16_t type, uint64_t value)
{
    uint8_t bytes[8];
    put_u32(bytes, (uint32_t)(value >> 32));
    put_u32(bytes + 4, (uint32_t)value);
    stun_add(out, type, VIEW(bytes, sizeof(bytes)));
}

void stun_add_xor_address(struct stun_out *out, uint16_t type, const struct net_addr *addr)
{
    if (writer_failed(&out->w))
        return;
    const uint8_t *mask = out->w.start + 4;             /* cookie and transaction id (RFC 8489 14.2) */
    size_t ip_size = addr->family == NET_IP4 ? 4 : 16;
    uint8_t value[20] = {0, addr->family == NET_IP4 ? 1 : 2};
    put_u16(value + 2, addr->port ^ get_u16(mask));
    for (size_t i = 0; i < ip_size; i++)
        value[4 + i] = addr->ip[i] ^ mask[i];
    stun_add(out, type, VIEW(value, 4 + ip_size));
}

void stun_add_error(struct stun_out *out, uint16_t code, const char *reason)
{
    uint8_t value[64] = {0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100)};
    struct writer w = writer_of(value + 4, sizeof(value) - 4);
    struct view text = str_of(reason);
    write_bytes(&w, text.data, text.size);
    stun_add(out, STUN_ATTR_ERROR_CODE, VIEW(value, 4 + writer_size(&w)));
}

void stun_add_unknown(struct stun_out *out, const uint16_t *types, size_t count)
{
    uint8_t value[2 * STUN_UNKNOWN_MAX];
    size_t named = count < STUN_UNKNOWN_MAX ? count : STUN_UNKNOWN_MAX;
    for (size_t i = 0; i < named; i++)
        put_u16(value + 2 * i, types[i]);
    stun_add(out, STUN_ATTR_UNKNOWN_ATTRIBUTES, VIEW(value, 2 * named));
}

size_t stun_end(struct stun_out *out, struct stun_mac *mac, const struct stun_key *key)
{
    if (key != NULL) {
        uint8_t hmac[STUN_HMAC_BYTES];
        set_length(out, 4 + STUN_HMAC_BYTES);
        if (writer_failed(&out->w) || !stun_hmac(mac, key, VIEW(out->w.start, writer_size(&out->w)), VIEW(NULL, 0), hmac))
            return 0;
        stun_add(out, STUN_ATTR_MESSAGE_INTEGRITY, VIEW(hmac, sizeof(hmac)));
    }
    set_length(out, 8);
    if (writer_failed(&out->w))
        return 0;
    stun_add_u32(out, STUN_ATTR_FINGERPRINT, stun_crc32(VIEW(out->w.start, writer_size(&out->w))) ^ STUN_FINGERPRINT_XOR);
    return writer_failed(&out->w) ? 0 : writer_size(&out->w);
}
