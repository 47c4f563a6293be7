/* Reading STUN messages (RFC 8489 5, 14). All bounds are the reader's; no function keeps state. */
#include "proto/stun/stun.h"
#include "proto/stun/stun_inner.h"

#define LENGTH_AT 2u
#define COOKIE_AT 4u
#define TXID_AT   8u

#define FAMILY_IP4 1u      /* RFC 8489 14.1 */
#define FAMILY_IP6 2u

bool stun_is_message(struct view datagram)
{
    if (datagram.size < STUN_HEADER_BYTES || datagram.size > STUN_MESSAGE_MAX || (datagram.data[0] & 0xC0) != 0)
        return false;
    size_t length = get_u16(datagram.data + LENGTH_AT);
    return length % 4 == 0 && length + STUN_HEADER_BYTES == datagram.size && get_u32(datagram.data + COOKIE_AT) == STUN_COOKIE;
}

/* RFC 8489 5: the class bits lie between those of the method: M11-7 C1 M6-4 C0 M3-0. */
enum stun_class stun_class_of(struct view datagram)
{
    uint16_t type = get_u16(datagram.data);
    return (enum stun_class)((type >> 7 & 2) | (type >> 4 & 1));
}

uint16_t stun_method_of(struct view datagram)
{
    uint16_t type = get_u16(datagram.data);
    return (uint16_t)((type >> 2 & 0x0F80) | (type >> 1 & 0x0070) | (type & 0x000F));
}

const uint8_t *stun_txid_of(struct view datagram)
{
    return datagram.data + TXID_AT;
}

struct reader stun_attrs(struct view datagram)
{
    struct reader r = reader_of(datagram);
    read_skip(&r, STUN_HEADER_BYTES);
    return r;
}

bool stun_next_attr(struct reader *attrs, struct view datagram, struct stun_attr *out)
{
    if (reader_failed(attrs) || reader_left(attrs) == 0)
        return false;
    uint32_t at = (uint32_t)(attrs->at - datagram.data);
    uint16_t type = read_u16(attrs);
    uint16_t size = read_u16(attrs);
    struct view value = read_view(attrs, size);
    read_skip(attrs, (4u - size % 4u) % 4u);
    if (reader_failed(attrs))
        return false;
    *out = (struct stun_attr){type, at, value};
    return true;
}

bool stun_split_username(struct view username, struct view *local, struct view *remote)
{
    const uint8_t *colon = username.size == 0 ? NULL : memchr(username.data, ':', username.size);
    if (colon == NULL)
        return false;
    *local = VIEW(username.data, colon - username.data);
    *remote = VIEW(colon + 1, username.size - local->size - 1);
    return true;
}

bool stun_peek_local_ufrag(struct view datagram, struct view *ufrag)
{
    struct reader r = stun_attrs(datagram);
    struct stun_attr attr;
    struct view rest;
    for (unsigned i = 0; i < STUN_ATTRIBUTES_MAX && stun_next_attr(&r, datagram, &attr); i++)
        if (attr.type == STUN_ATTR_USERNAME)
            return stun_split_username(attr.value, ufrag, &rest);
    return false;
}

/* ::ffff:a.b.c.d means a.b.c.d (security.md: canonicalise before anything compares). */
static void unmap(struct net_addr *addr)
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (addr->family != NET_IP6 || memcmp(addr->ip, prefix, sizeof(prefix)) != 0)
        return;
    memmove(addr->ip, addr->ip + 12, 4);
    memset(addr->ip + 4, 0, 12);
    addr->family = NET_IP4;
}

/* Both address attributes (RFC 8489 14.1, 14.2); without `mask` nothing is masked. */
static bool read_address(struct net_addr *out, struct view value, const uint8_t mask[16])
{
    struct reader r = reader_of(value);
    struct net_addr addr = {0};
    read_skip(&r, 1);
    uint8_t family = read_u8(&r);
    addr.port = read_u16(&r);
    size_t ip_size = family == FAMILY_IP4 ? 4 : 16;
    read_copy(&r, addr.ip, ip_size);
    if (reader_failed(&r) || reader_left(&r) != 0 || (family != FAMILY_IP4 && family != FAMILY_IP6))
        return false;
    addr.family = family == FAMILY_IP4 ? NET_IP4 : NET_IP6;
    if (mask != NULL) {
        addr.port ^= get_u16(mask);
        for (size_t i = 0; i < ip_size; i++)
            addr.ip[i] ^= mask[i];
    }
    unmap(&addr);
    *out = addr;
    return true;
}

bool stun_read_xor_address(struct net_addr *out, struct view value, const uint8_t txid[STUN_TXID_BYTES])
{
    uint8_t mask[16];
    put_u32(mask, STUN_COOKIE);
    memcpy(mask + 4, txid, STUN_TXID_BYTES);
    return read_address(out, value, mask);
}

static bool read_error(struct stun_message *m, struct view value)
{
    struct reader r = reader_of(value);
    read_skip(&r, 2);
    unsigned hundreds = read_u8(&r) & 7u;
    unsigned rest = read_u8(&r);
    if (reader_failed(&r) || hundreds < 3 || hundreds > 6 || rest > 99)     /* RFC 8489 14.8 */
        return false;
    m->error_code = (uint16_t)(hundreds * 100 + rest);
    return true;
}

static bool read_role(struct stun_message *m, bool *has, struct view value)
{
    if (value.size != 8)
        return false;
    struct reader r = reader_of(value);
    if (!m->has_controlling && !m->has_controlled)
        m->tie_breaker = read_u64(&r);
    *has = true;
    return true;
}

static void note_unknown(struct stun_message *m, uint16_t type)
{
    if (type >= 0x8000)
        return;                     /* comprehension-optional: skipped (RFC 8489 14) */
    if (m->unknown_count < STUN_UNKNOWN_MAX)
        m->unknown[m->unknown_count] = type;
    m->unknown_count++;
}

/* One attribute before the integrity. False: malformed. */
static bool read_attr(struct stun_message *m, const struct stun_attr *attr, bool *mapped_is_xor)
{
    struct view v = attr->value;
    switch (attr->type) {
    case STUN_ATTR_USERNAME:
        if (v.size == 0 || v.size > 513)        /* RFC 8489 14.3: fewer than 509 bytes; ICE's own bound: 256 + ':' + 256 */
            return false;
        if (m->username.size == 0)
            m->username = v;
        return true;
    case STUN_ATTR_MAPPED_ADDRESS:
        if (m->has_mapped)
            return true;
        return m->has_mapped = read_address(&m->mapped, v, NULL);
    case STUN_ATTR_XOR_MAPPED_ADDRESS:
        if (*mapped_is_xor)
            return true;
        return *mapped_is_xor = m->has_mapped = stun_read_xor_address(&m->mapped, v, m->txid);
    case STUN_ATTR_ERROR_CODE:
        return m->error_code != 0 || read_error(m, v);
    case STUN_ATTR_PRIORITY:
        if (v.size != 4)
            return false;
        if (!m->has_priority)
            m->priority = get_u32(v.data);
        return m->has_priority = true;
    case STUN_ATTR_USE_CANDIDATE:
        return m->use_candidate = v.size == 0;
    case STUN_ATTR_ICE_CONTROLLED:
        return read_role(m, &m->has_controlled, v);
    case STUN_ATTR_ICE_CONTROLLING:
        return read_role(m, &m->has_controlling, v);
    case STUN_ATTR_UNKNOWN_ATTRIBUTES:
    case STUN_ATTR_REALM:
    case STUN_ATTR_NONCE:
    case STUN_ATTR_MESSAGE_INTEGRITY_SHA256:
        return true;                /* known, of no use here */
    default:
        note_unknown(m, attr->type);
        return true;
    }
}

/* RFC 8489 14.7: the last attribute; the CRC covers what stands before it. */
static bool fingerprint_is_right(struct view datagram, const struct stun_attr *attr)
{
    return attr->value.size == 4 && attr->at + 8u == datagram.size &&
           get_u32(attr->value.data) == (stun_crc32(VIEW(datagram.data, attr->at)) ^ STUN_FINGERPRINT_XOR);
}

bool stun_parse(struct stun_message *out, struct view datagram)
{
    if (!stun_is_message(datagram))
        return false;
    struct stun_message m = {
        .class = stun_class_of(datagram),
        .method = stun_method_of(datagram),
        .txid = stun_txid_of(datagram),
        .datagram = datagram,
    };
    struct reader r = stun_attrs(datagram);
    struct stun_attr attr;
    bool mapped_is_xor = false;
    unsigned count = 0;
    while (stun_next_attr(&r, datagram, &attr)) {
        if (++count > STUN_ATTRIBUTES_MAX)
            return false;
        if (attr.type == STUN_ATTR_FINGERPRINT) {
            if (!fingerprint_is_right(datagram, &attr))
                return false;
            m.has_fingerprint = true;
        } else if (m.integrity_at != 0) {
            continue;
        } else if (attr.type == STUN_ATTR_MESSAGE_INTEGRITY) {
            if (attr.value.size != STUN_HMAC_BYTES)
                return false;
            m.integrity_at = attr.at;
        } else if (!read_attr(&m, &attr, &mapped_is_xor)) {
            return false;
        }
    }
    if (reader_failed(&r) || (m.has_controlling && m.has_controlled))
        return false;
    *out = m;
    return true;
}
