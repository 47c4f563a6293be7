/* What the Admin API asks of transports (transports.md 1.6): who is connected; and how answers are laid out from now on. */
#include "io/io_private.h"
#include "msg/control.h"

static uint8_t kind_of(const struct client_origin *origin)
{
    return origin->http != NULL ? TRANSPORT_HTTP : origin->packets != NULL ? origin->packets->transport : TRANSPORT_WEBSOCKETS;
}

/* http, https, and the same of the Admin API. */
static unsigned server_of(const struct client_origin *origin)
{
    return (origin->api == CLIENT_API_ADMIN ? 2u : 0u) + (origin->tls != NULL ? 1u : 0u);
}

static void count(const struct io *io, uint8_t kind, struct io_answer *answer)
{
    for (uint32_t i = 0; i < io->listener_count; i++)
        if (io->listeners[i].origin.http != NULL)
            answer->runs[server_of(&io->listeners[i].origin)] = true;
    for (uint32_t i = slots_next(&io->slots, 0); i != UINT32_MAX; i = slots_next(&io->slots, i + 1)) {
        const struct client *c = io->slots.table[i].object;
        if (client_is_gone(c) || kind_of(c->origin) != kind)
            continue;
        answer->connections++;
        answer->of_server[server_of(c->origin)]++;
        answer->messages += client_is_asking(c);
    }
}

static void configure(struct io *io, const struct io_query *query)
{
    const enum json_layout layout = (enum json_layout)query->layout;
    if (!query->sets_layout)
        return;
    switch ((enum transport_kind)query->transport) {
    case TRANSPORT_WEBSOCKETS:
        io->clients.rules.layout = layout;
        break;
    case TRANSPORT_HTTP:
        io->http.layout = io->http_admin.layout = layout;
        break;
    case TRANSPORT_UNIX:
        io->packets[0].layout = io->packets[1].layout = layout;
        break;
    case TRANSPORT_NANOMSG:
    case TRANSPORT_MQTT:
    case TRANSPORT_RABBITMQ:
        break;                          /* not io's */
    }
}

void io_on_query(struct io *io, actor_id from, struct ref op, const struct io_query *query)
{
    struct io_answer answer = {.transport = query->transport};
    if (query->configure)
        configure(io, query);
    else
        count(io, query->transport, &answer);
    actor_send_op(io->self, from, CONTROL_ADMIN_ANSWER, op, &answer, sizeof(answer));
}
