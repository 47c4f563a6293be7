#include "runtime/localaddr.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stddef.h>

#include "base/str.h"
#include "runtime/sockaddr.h"

static bool holds(const struct localaddr_list *list, const struct net_addr *addr)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (net_ip_equal(&list->items[i].addr, addr))
            return true;
    return false;
}

static void add(struct localaddr_list *list, const struct localaddr *item)
{
    if (list->count < LOCALADDR_MAX && !holds(list, &item->addr))
        list->items[list->count++] = *item;
}

static void add_all(struct localaddr_list *all, const struct ifaddrs *first, bool up)
{
    const unsigned wanted = IFF_UP | IFF_RUNNING;
    for (const struct ifaddrs *i = first; i != NULL; i = i->ifa_next) {
        if (i->ifa_addr == NULL || ((i->ifa_flags & wanted) == wanted) != up)
            continue;
        struct localaddr item = {.up = up, .loopback = (i->ifa_flags & IFF_LOOPBACK) != 0};
        sockaddr_to(&item.addr, i->ifa_addr);
        item.addr.port = 0;
        if (item.addr.family != NET_NONE && str_copy(item.interface, sizeof(item.interface), str_of(i->ifa_name)))
            add(all, &item);
    }
}

bool localaddr_read(struct localaddr_list *all)
{
    all->count = 0;
    struct ifaddrs *first;
    if (getifaddrs(&first) != 0)
        return false;
    add_all(all, first, true);
    add_all(all, first, false);
    freeifaddrs(first);
    return true;
}

static bool entry_names_address(const char *entry, const struct net_addr *addr)
{
    char text[NET_IP_TEXT];
    struct net_addr whole;
    if (net_ip_parse(&whole, str_of(entry))) {
        whole.scope = addr->scope;
        return net_ip_equal(&whole, addr);
    }
    return entry[0] != '\0' && str_starts_nocase(str_of(net_ip_text(addr, text)), str_of(entry));
}

static bool on_list(const char *const *list, uint32_t count, const struct localaddr *item, bool by_name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (by_name && list[i][0] != '\0' && str_starts(str_of(item->interface), str_of(list[i])))
            return true;
        if (entry_names_address(list[i], &item->addr))
            return true;
    }
    return false;
}

static bool family_fits(const struct net_addr *addr, const struct localaddr_rules *rules)
{
    if (net_ip_is_any(addr))
        return false;
    if (addr->family == NET_IP4)
        return true;
    return rules->ip6 && (rules->ip6_linklocal || !net_ip_is_linklocal(addr));
}

void localaddr_select(struct localaddr_list *out, const struct localaddr_list *all, const struct localaddr_rules *rules)
{
    bool enforced = rules->enforce_count > 0;
    out->count = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct localaddr *item = &all->items[i];
        if (!item->up || !family_fits(&item->addr, rules))
            continue;
        if (enforced ? !on_list(rules->enforce, rules->enforce_count, item, true) : item->loopback)
            continue;
        if (!on_list(rules->ignore, rules->ignore_count, item, !enforced))
            add(out, item);
    }
    /* Nothing but `lo`: a test machine or a container without a network. Refusing would help nobody. */
    if (enforced || out->count > 0)
        return;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct localaddr *item = &all->items[i];
        if (item->up && item->loopback && family_fits(&item->addr, rules))
            add(out, item);
    }
}

static const struct localaddr *first_usable(const struct localaddr_list *all, const char *interface, bool ip6, enum net_family family)
{
    for (uint32_t i = 0; i < all->count; i++) {
        const struct localaddr *item = &all->items[i];
        if (item->addr.family != family || (family == NET_IP6 && (!ip6 || net_ip_is_linklocal(&item->addr))))
            continue;
        if (interface != NULL ? str_equal(str_of(interface), str_of(item->interface)) : item->up && !item->loopback)
            return item;
    }
    return NULL;
}

bool localaddr_local_ip(struct net_addr *out, const struct localaddr_list *all, const char *interface, bool ip6)
{
    struct net_addr wanted;
    if (interface != NULL && net_ip_parse(&wanted, str_of(interface)) && holds(all, &wanted)) {
        *out = wanted;
        return true;
    }
    for (int pass = interface != NULL ? 0 : 1; pass < 2; pass++) {
        const char *name = pass == 0 ? interface : NULL;
        const struct localaddr *found = first_usable(all, name, ip6, NET_IP4);
        if (found == NULL)
            found = first_usable(all, name, ip6, NET_IP6);
        if (found != NULL) {
            *out = found->addr;
            return name == interface;
        }
    }
    (void)net_ip_parse(out, STR("127.0.0.1"));
    return interface == NULL;
}
