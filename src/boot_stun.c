#include "boot_stun.h"

#include <netdb.h>
#include <poll.h>
#include <string.h>

#include "base/mem.h"
#include "proto/stun/stun_query.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"
#include "runtime/log.h"
#include "runtime/sockaddr.h"
#include "runtime/udp.h"

#define STUN_PATIENCE_US SEC(5)
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

static bool ask(struct udp *udp, struct stun_query *query)
{
    struct udp_inbox *inbox = mem_get(sizeof(*inbox));
    uint8_t bytes[STUN_QUERY_BYTES];
    size_t size;
    usec_t end = clock_now() + STUN_PATIENCE_US;
    while (query->state == STUN_QUERY_ASKING && clock_now() < end) {
        while (stun_query_poll_tx(query, clock_now(), bytes, &size)) {
            const struct view packet = {bytes, size};
            const struct udp_run run = {.to = query->server, .packets = &packet, .packet_count = 1};
            (void)udp_send_batch(udp, &run, 1);
        }
        struct pollfd ready = {.fd = udp->fd, .events = POLLIN};
        if (poll(&ready, 1, 50) <= 0)
            continue;
        (void)udp_recv_batch(udp, inbox);
        for (uint32_t i = 0; i < inbox->count; i++)
            (void)stun_query_input(query, &inbox->items[i].from, VIEW(inbox->items[i].data, inbox->items[i].size));
    }
    mem_put(inbox);
    return query->state == STUN_QUERY_DONE;
}

bool boot_stun(struct actor *main_actor, const struct settings *settings, struct net_addr *server)
{
    struct stun_query query = {0};
    struct rng rng;
    struct udp udp = {.fd = -1};
    char text[NET_IP_TEXT];
    if (!resolve(settings, server)) {
        LOG_ERR(main_actor, "can't resolve the STUN server %s", settings->stun_server);
        return false;
    }
    server->port = settings->stun_port == 0 ? STUN_PORT : settings->stun_port;
    const struct udp_options options = {.local = {.family = server->family}};
    if (udp_open(&udp, &options, 0) != ERR_NONE) {
        LOG_ERR(main_actor, "can't open a socket for the STUN server %s", settings->stun_server);
        return false;
    }
    rng_init(&rng, entropy_fill, NULL);
    stun_query_start(&query, &rng, 0, server, clock_now());
    bool answered = ask(&udp, &query);
    udp_close(&udp);
    if (answered)
        LOG_INFO(main_actor, "STUN server %s: we are seen as %s", settings->stun_server, net_ip_text(&query.mapped, text));
    else
        LOG_ERR(main_actor, "no answer from the STUN server %s port %u", settings->stun_server, server->port);
    return answered;
}
