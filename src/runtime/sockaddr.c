#include "runtime/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

#include "base/check.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static socklen_t ip4_of(struct sockaddr_storage *out, const struct net_addr *addr)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
    memcpy(&in.sin_addr, addr->ip, 4);
    memcpy(out, &in, sizeof(in));
    return sizeof(in);
}

static socklen_t ip6_of(struct sockaddr_storage *out, const uint8_t ip[16], uint16_t port, uint32_t scope)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope};
    memcpy(&in6.sin6_addr, ip, 16);
    memcpy(out, &in6, sizeof(in6));
    return sizeof(in6);
}

socklen_t sockaddr_of(struct sockaddr_storage *out, const struct net_addr *addr)
{
    CHECK(addr->family != NET_NONE);
    return addr->family == NET_IP4 ? ip4_of(out, addr) : ip6_of(out, addr->ip, addr->port, addr->scope);
}

socklen_t sockaddr_of_mapped(struct sockaddr_storage *out, const struct net_addr *addr)
{
    if (addr->family != NET_IP4)
        return sockaddr_of(out, addr);
    uint8_t ip[16];
    memcpy(ip, mapped_prefix, sizeof(mapped_prefix));
    memcpy(ip + sizeof(mapped_prefix), addr->ip, 4);
    return ip6_of(out, ip, addr->port, 0);
}

void sockaddr_to(struct net_addr *out, const struct sockaddr *addr)
{
    *out = (struct net_addr){0};
    if (addr->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, addr, sizeof(in));
        out->family = NET_IP4;
        out->port = ntohs(in.sin_port);
        memcpy(out->ip, &in.sin_addr, 4);
    } else if (addr->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, addr, sizeof(in6));
        out->port = ntohs(in6.sin6_port);
        if (memcmp(&in6.sin6_addr, mapped_prefix, sizeof(mapped_prefix)) == 0) {
            out->family = NET_IP4;
            memcpy(out->ip, (const uint8_t *)&in6.sin6_addr + sizeof(mapped_prefix), 4);
        } else {
            out->family = NET_IP6;
            out->scope = in6.sin6_scope_id;
            memcpy(out->ip, &in6.sin6_addr, 16);
        }
    }
}
