/* The rest of what the server asks its machine for: addresses and names. */
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "runtime/sockaddr.h"
#include "sim/network.h"
#include "sim/actor.h"

/* The server's machine has one address. */
int getifaddrs(struct ifaddrs **first)
{
    static char name[] = "sim0";
    static struct sockaddr_storage address;
    static struct ifaddrs one = {.ifa_name = name, .ifa_flags = IFF_UP | IFF_RUNNING, .ifa_addr = (struct sockaddr *)&address};
    struct net_addr ip;
    (void)net_ip_parse(&ip, STR(SERVER_IP));
    (void)sockaddr_of(&address, &ip);
    *first = &one;
    return 0;
}

void freeifaddrs(struct ifaddrs *first)
{
    (void)first;
}

/* No name is asked for on the machine that runs this. Names whose first letter comes early are known; a resolver may be slow, and
 * with faults it is wrong or says nothing. */
int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
    static struct sockaddr_storage address;
    static struct addrinfo one = {.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&address};
    struct net_addr ip;
    (void)service;
    (void)hints;
    actor_block(sim_below(&sim->system, sim->faults.dns_us));
    *out = NULL;
    if (node == NULL || node[0] > 'm' || (sim->faults.dns_us > 0 && sim_below(&sim->system, 4) == 0))
        return EAI_NONAME;
    (void)net_ip_parse(&ip, STR(CLIENT_IP));
    if (sim->faults.dns_us > 0 && sim_below(&sim->system, 4) == 0)
        ip.ip[3] = (uint8_t)sim_draw(&sim->system);
    one.ai_addrlen = sockaddr_of(&address, &ip);
    *out = &one;
    return 0;
}

void freeaddrinfo(struct addrinfo *first)
{
    (void)first;
}
