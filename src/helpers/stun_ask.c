#include "helpers/stun_ask.h"

#include <poll.h>

#include "base/mem.h"
#include "proto/stun/stun_query.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"
#include "runtime/udp.h"

static bool ask(struct udp *udp, struct stun_query *query)
{
    struct udp_inbox *inbox = mem_get(sizeof(*inbox));
    uint8_t bytes[STUN_QUERY_BYTES];
    size_t size;
    usec_t end = clock_now() + STUN_ASK_US;
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

bool stun_ask(const struct net_addr *server, uint16_t local_port, struct net_addr *mapped)
{
    struct stun_query query = {0};
    struct rng rng;
    struct udp udp = {.fd = -1};
    const struct udp_options options = {.local = {.family = server->family}, .port_min = local_port, .port_max = local_port};
    if (udp_open(&udp, &options, 0) != ERR_NONE)
        return false;
    rng_init(&rng, entropy_fill, NULL);
    stun_query_start(&query, &rng, 0, server, clock_now());
    const bool answered = ask(&udp, &query);
    udp_close(&udp);
    *mapped = query.mapped;
    return answered;
}
