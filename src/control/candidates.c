#include "control/candidates.h"
#include "base/fmt.h"

#include <stdio.h>

/* RFC 8445 5.1.2.2: recommended type preferences. */
static uint32_t type_preference(enum ice_candidate_type type)
{
    switch (type) {
    case ICE_HOST: return 126;
    case ICE_PRFLX: return 110;
    case ICE_SRFLX: return 100;
    case ICE_RELAY: break;
    }
    return 0;
}

uint32_t candidates_priority(enum ice_candidate_type type, uint32_t socket)
{
    uint32_t local_preference = 65535u - socket;        /* ice_local_preference (proto/ice/ice.h) */
    return type_preference(type) << 24 | local_preference << 8 | (256u - 1u);
}

struct candidate_list {
    struct ice_candidate *items;
    size_t count;
};

/* Candidates of one type and base share a foundation (RFC 8445 5.1.1.3). */
static void add(struct candidate_list *list, enum ice_candidate_type type, uint32_t socket, const struct net_addr *addr,
                const struct net_addr *base)
{
    if (list->count == LOCAL_CANDIDATES_MAX)
        return;
    struct ice_candidate *item = &list->items[list->count++];
    *item = (struct ice_candidate){.type = (uint8_t)type, .priority = candidates_priority(type, socket), .addr = *addr};
    (void)fmt_uint(item->foundation, type == ICE_HOST ? socket + 1 : CONTROL_SOCKETS_MAX + socket + 1);
    if (type != ICE_HOST)
        item->related = *base;
}

static void add_host(const struct control *c, struct candidate_list *list, uint32_t socket, const struct net_addr *addr)
{
    const struct address_list *mapping = &c->settings->nat_1_1_mapping;
    bool mapped = false;
    for (uint32_t i = 0; i < mapping->count; i++) {
        if (mapping->items[i].family != addr->family)
            continue;
        struct net_addr public = mapping->items[i];
        public.port = addr->port;
        public.scope = 0;
        add(list, ICE_HOST, socket, &public, addr);
        if (!mapped && c->settings->keep_private_host)
            add(list, ICE_HOST, socket, addr, addr);
        mapped = true;
    }
    if (!mapped)
        add(list, ICE_HOST, socket, addr, addr);
}

size_t candidates_of_worker(const struct control *c, uint32_t worker, struct ice_candidate out[LOCAL_CANDIDATES_MAX])
{
    const struct control_worker *sockets = &c->config.workers[worker];
    struct candidate_list list = {.items = out};
    for (uint32_t i = 0; i < sockets->socket_count; i++)
        add_host(c, &list, i, &sockets->sockets[i]);
    for (uint32_t i = 0; i < sockets->socket_count; i++) {
        const struct net_addr *mapped = &c->seats[worker].mapped[i];
        if (mapped->family != NET_NONE && !net_addr_equal(mapped, &sockets->sockets[i]))
            add(&list, ICE_SRFLX, i, mapped, &sockets->sockets[i]);
    }
    return list.count;
}

const struct net_addr *candidates_address(const struct control *c)
{
    return c->public_ips.count > 0 ? &c->public_ips.items[0] : &c->local_ip;
}

void candidates_learn(struct control *c, uint32_t worker, uint32_t socket, const struct net_addr *mapped)
{
    c->seats[worker].mapped[socket] = *mapped;
    if (c->settings->nat_1_1_mapping.count > 0)
        return;                                         /* the operator knows better */
    struct address_list *ips = &c->public_ips;
    for (uint32_t i = 0; i < ips->count; i++)
        if (net_ip_equal(&ips->items[i], mapped))
            return;
    if (ips->count < SETTINGS_ADDRESSES_MAX)
        ips->items[ips->count++] = *mapped;
}
