#include "base/net.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/fmt.h"
#include "base/str.h"

bool net_ip_equal(const struct net_addr *a, const struct net_addr *b)
{
    return a->family == b->family && a->scope == b->scope && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
    return a->port == b->port && net_ip_equal(a, b);
}

bool net_tuple_equal(const struct net_tuple *a, const struct net_tuple *b)
{
    return a->socket == b->socket && net_addr_equal(&a->remote, &b->remote);
}

static void unmap(struct net_addr *addr)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (addr->family != NET_IP6 || memcmp(addr->ip, mapped, sizeof(mapped)) != 0)
        return;
    memmove(addr->ip, addr->ip + 12, 4);
    memset(addr->ip + 4, 0, 12);
    addr->family = NET_IP4;
    addr->scope = 0;
}

bool net_ip_parse(struct net_addr *out, struct view text)
{
    char copy[NET_IP_TEXT];
    *out = (struct net_addr){0};
    if (text.size == 0 || !str_copy(copy, sizeof(copy), text))
        return false;
    if (inet_pton(AF_INET, copy, out->ip) == 1) {
        out->family = NET_IP4;
        return true;
    }
    if (inet_pton(AF_INET6, copy, out->ip) == 1) {
        out->family = NET_IP6;
        unmap(out);
        return true;
    }
    *out = (struct net_addr){0};
    return false;
}

/* libc's takes a microsecond, and a description has an address in each line. */
static void write_ip4(const uint8_t ip[4], char *out)
{
    for (unsigned i = 0; i < 4; i++) {
        (void)fmt_uint(out, ip[i]);
        out += strlen(out);
        *out++ = i < 3 ? '.' : '\0';
    }
}

const char *net_ip_text(const struct net_addr *addr, char out[NET_IP_TEXT])
{
    if (addr->family == NET_IP4)
        write_ip4(addr->ip, out);
    else if (addr->family == NET_NONE || inet_ntop(AF_INET6, addr->ip, out, NET_IP_TEXT) == NULL)
        memcpy(out, "none", 5);
    return out;
}

bool net_ip_is_any(const struct net_addr *addr)
{
    static const uint8_t zero[16];
    return memcmp(addr->ip, zero, sizeof(zero)) == 0;
}

bool net_ip_is_multicast(const struct net_addr *addr)
{
    return addr->family == NET_IP4 ? addr->ip[0] >> 4 == 14 : addr->family == NET_IP6 && addr->ip[0] == 0xFF;
}

bool net_ip_is_loopback(const struct net_addr *addr)
{
    static const uint8_t one[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return addr->family == NET_IP4 ? addr->ip[0] == 127 : memcmp(addr->ip, one, sizeof(one)) == 0;
}

bool net_ip_is_linklocal(const struct net_addr *addr)
{
    if (addr->family == NET_IP4)
        return addr->ip[0] == 169 && addr->ip[1] == 254;
    return addr->ip[0] == 0xFE && (addr->ip[1] & 0xC0) == 0x80;
}

bool net_ip_is_private(const struct net_addr *addr)
{
    if (addr->family == NET_IP6)
        return (addr->ip[0] & 0xFE) == 0xFC;
    return addr->ip[0] == 10 || (addr->ip[0] == 172 && (addr->ip[1] & 0xF0) == 16) || (addr->ip[0] == 192 && addr->ip[1] == 168);
}

bool net_ip_in(const struct net_addr *ip, const struct net_addr *prefix, unsigned bits)
{
    if (ip->family != prefix->family || bits > (ip->family == NET_IP4 ? 32u : 128u))
        return false;
    unsigned whole = bits / 8;
    if (memcmp(ip->ip, prefix->ip, whole) != 0)
        return false;
    unsigned rest = bits % 8;
    return rest == 0 || ((ip->ip[whole] ^ prefix->ip[whole]) & (0xFF00u >> rest & 0xFF)) == 0;
}

bool net_ip_is_public(const struct net_addr *addr)
{
    static const struct { struct net_addr prefix; unsigned bits; } others[] = {
        {{.family = NET_IP4, .ip = {0}}, 8},                          /* this network */
        {{.family = NET_IP4, .ip = {100, 64}}, 10},                   /* carriers' NAT, RFC 6598 */
        {{.family = NET_IP4, .ip = {192, 0, 0}}, 24},                 /* RFC 6890 */
        {{.family = NET_IP4, .ip = {192, 0, 2}}, 24},                 /* documentation, RFC 5737 */
        {{.family = NET_IP4, .ip = {198, 18}}, 15},                   /* benchmarks, RFC 2544 */
        {{.family = NET_IP4, .ip = {198, 51, 100}}, 24},
        {{.family = NET_IP4, .ip = {203, 0, 113}}, 24},
        {{.family = NET_IP4, .ip = {224}}, 3},                        /* multicast, reserved, broadcast */
        {{.family = NET_IP6, .ip = {0}}, 8},                          /* ::, ::1, IPv4-compatible, RFC 4291 */
        {{.family = NET_IP6, .ip = {0, 0x64, 0xFF, 0x9B}}, 32},       /* translated, RFC 6052 and 8215 */
        {{.family = NET_IP6, .ip = {0x20, 0x01, 0}}, 32},             /* Teredo, RFC 4380 */
        {{.family = NET_IP6, .ip = {0x20, 0x01, 0x0D, 0xB8}}, 32},    /* documentation, RFC 3849 */
        {{.family = NET_IP6, .ip = {0x20, 0x02}}, 16},                /* 6to4, RFC 3056 */
        {{.family = NET_IP6, .ip = {0xFE, 0xC0}}, 10},                /* site-local, RFC 3879 */
        {{.family = NET_IP6, .ip = {0xFF}}, 8},                       /* multicast */
    };
    if (addr->family == NET_NONE || net_ip_is_any(addr) || net_ip_is_loopback(addr) || net_ip_is_linklocal(addr) || net_ip_is_private(addr))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        if (net_ip_in(addr, &others[i].prefix, others[i].bits))
            return false;
    return true;
}

static bool entry_admits(struct view entry, const struct net_addr *addr, struct view addr_text)
{
    struct net_addr whole;
    if (net_ip_parse(&whole, entry)) {
        whole.scope = addr->scope;
        return net_ip_equal(&whole, addr);
    }
    struct view rest = entry;
    struct view base = str_split(&rest, '/');
    uint32_t bits;
    if (base.size < entry.size)
        return net_ip_parse(&whole, base) && str_u32(rest, &bits) && net_ip_in(addr, &whole, bits);
    uint8_t last = entry.data[entry.size - 1];
    return (last == '.' || last == ':') && str_starts_nocase(addr_text, entry);
}

bool net_acl_admits(struct view list, const struct net_addr *addr)
{
    char text[NET_IP_TEXT];
    struct view addr_text = str_of(net_ip_text(addr, text));
    bool any = false;
    while (list.size > 0) {
        struct view entry = str_trim(str_split(&list, ','));
        if (entry.size == 0)
            continue;
        any = true;
        if (entry_admits(entry, addr, addr_text))
            return true;
    }
    return !any;
}
