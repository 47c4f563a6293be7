#include "boot_stun.h"

#include <netdb.h>
#include <string.h>

#include "helpers/stun_ask.h"
#include "runtime/log.h"
#include "runtime/sockaddr.h"

#define STUN_PORT        3478u

/* Main thread, before any other runs: the one place where a name may be waited for. */
static bool resolve(const struct settings *settings, struct net_addr *out)
{
    const struct addrinfo hints = {.ai_family = settings->ipv6 ? AF_UNSPEC : AF_INET, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    if (net_ip_parse(out, VIEW(settings->stun_server, strlen(settings->stun_server))))
        return true;
    if (getaddrinfo(settings->stun_server, NULL, &hints, &found) != 0 || found == NULL)
        return false;
    sockaddr_to(out, found->ai_addr);
    freeaddrinfo(found);
    return out->family != NET_NONE;
}

bool boot_stun(struct actor *main_actor, const struct settings *settings, struct net_addr *server)
{
    struct net_addr mapped;
    char text[NET_IP_TEXT];
    if (!resolve(settings, server)) {
        LOG_ERR(main_actor, "can't resolve the STUN server %s", settings->stun_server);
        return false;
    }
    server->port = settings->stun_port == 0 ? STUN_PORT : settings->stun_port;
    const bool answered = stun_ask(server, 0, &mapped);
    if (answered)
        LOG_INFO(main_actor, "STUN server %s: we are seen as %s", settings->stun_server, net_ip_text(&mapped, text));
    else
        LOG_ERR(main_actor, "no answer from the STUN server %s port %u", settings->stun_server, server->port);
    return answered;
}
