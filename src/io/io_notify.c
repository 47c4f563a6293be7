/* What event handlers are told of transports (transports.md 9): records of io's lane to the events actor, which drops and counts when it is
 * full. `id` is the connection's name, as control tells it with the sessions that are created through it. */
#include <stdio.h>

#include "base/json_out.h"
#include "base/str.h"
#include "io/io_private.h"
#include "msg/control.h"

#define BODY_MAX 512u

static const char *package_of(const struct client *c)
{
    if (c->origin->packets != NULL)
        return c->origin->packets->package;
    return c->origin->http != NULL ? "janus.transport.http" : "janus.transport.websockets";
}

static bool is_wanted(const struct io *io, const struct client *c)
{
    if ((io->events_mask & EVENT_TRANSPORT) == 0)
        return false;
    if (c->origin->packets != NULL)
        return c->origin->packets->events;
    return c->origin->http != NULL ? io->http.events : io->config.events;
}

static void begin(struct json_out *j, struct buf *body, const struct client *c, const char *event)
{
    char id[24];
    snprintf(id, sizeof(id), "%llu", (unsigned long long)ref_pack(c->ref));
    buf_init(body, BODY_MAX);
    jout_begin(j, body, LAYOUT_COMPACT);
    jout_object(j, NULL);
    jout_string(j, "transport", package_of(c));
    jout_string(j, "id", id);
    jout_object(j, "data");
    jout_string(j, "event", event);
}

static void end(struct io *io, struct json_out *j, struct buf *body)
{
    jout_end(j);
    jout_end(j);
    const struct event_notice head = {.type = EVENT_TRANSPORT, .wall_us = actor_wall_us(io->self), .size = (uint32_t)body->size};
    if (!body->failed)
        (void)relay_push(io->self, ACTOR_EVENTS, VIEW(&head, sizeof(head)), buf_view(body));
    buf_fini(body);
}

static void write_who(struct json_out *j, const struct client *c)
{
    char ip[NET_IP_TEXT];
    jout_bool(j, "admin_api", c->origin->api == CLIENT_API_ADMIN);
    if (c->origin->packets != NULL) {
        const bool datagrams = c->origin->packets->way == PACKETS_DATAGRAM;
        if (c->origin->packets->way == PACKETS_NANOMSG) {
            jout_int(j, "socket", ((const struct io_nanomsg *)c->through)->socket);
            return;
        }
        jout_int(j, "fd", datagrams ? -1 : c->fd);
        if (datagrams)
            jout_string(j, "type", "SOCK_DGRAM");
        return;
    }
    jout_string(j, "ip", c->addr.family == NET_NONE ? "" : net_ip_text(&c->addr, ip));
    if (c->origin->http != NULL)
        jout_uint(j, "port", c->addr.port);
}

static void tell(struct io *io, const struct client *c, const char *event)
{
    struct json_out j;
    struct buf body;
    begin(&j, &body, c, event);
    write_who(&j, c);
    end(io, &j, &body);
}

/* Brokers are told of by their state; both APIs are one client there (transports.md 9). */
void io_notify_broker(struct io *io, const struct client *c, bool up)
{
    struct json_out j;
    struct buf body;
    if (!is_wanted(io, c) || (!up && c->origin->packets->transport != TRANSPORT_MQTT))
        return;
    begin(&j, &body, c, up ? "connected" : "reconnecting");
    end(io, &j, &body);
}

static bool is_nanomsg(const struct client *c)
{
    return c->origin->packets != NULL && c->origin->packets->way == PACKETS_NANOMSG;
}

static bool is_broker(const struct client *c)
{
    return c->origin->packets != NULL && c->origin->packets->way == PACKETS_BROKER;
}

void io_notify(struct io *io, struct client *c)
{
    if (is_broker(c))
        return;
    if (c->origin->http != NULL) {
        for (; c->requests_told != c->requests; c->requests_told++)
            if (is_wanted(io, c))
                tell(io, c, "request");
    } else if (!c->opened_told && (c->state == CLIENT_WEBSOCKET || c->state == CLIENT_PACKETS)) {
        c->opened_told = true;
        if (is_wanted(io, c))
            tell(io, c, is_nanomsg(c) ? "created" : "connected");
    }
}

void io_notify_gone(struct io *io, const struct client *c)
{
    const bool datagrams = c->origin->packets != NULL && c->origin->packets->way == PACKETS_DATAGRAM;
    struct json_out j;
    struct buf body;
    if (!c->opened_told || datagrams || is_nanomsg(c) || !is_wanted(io, c))
        return;
    begin(&j, &body, c, "disconnected");
    end(io, &j, &body);
}
