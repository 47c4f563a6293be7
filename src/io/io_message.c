/* The glue between connections and control. */
#include "base/check.h"
#include "io/io_private.h"
#include "msg/control.h"
#include "msg/io.h"

void io_tell_request(struct io *io, struct client *c, struct view text)
{
    struct client_request request = {
        .client = c->ref,
        .addr = c->addr,
        .transport = TRANSPORT_WEBSOCKETS,
        .api = c->origin->api,
        .layout = (uint8_t)io->clients.rules.layout,
        .size = (uint32_t)text.size,
    };
    c->announced = true;
    actor_send_parts(io->self, ACTOR_CONTROL, CONTROL_CLIENT_REQUEST, REF_NONE,
                     VIEW(&request, offsetof(struct client_request, text)), text);
}

void io_tell_gone(struct io *io, const struct client *c)
{
    struct client_gone gone = {c->ref};
    actor_send(io->self, ACTOR_CONTROL, CONTROL_CLIENT_GONE, &gone, sizeof(gone));
}

static struct client *find(struct io *io, struct ref ref)
{
    struct client *c = slots_get(&io->slots, ref);
    if (c == NULL)
        io->counters.stale++;
    return c;
}

static void on_send(struct io *io, usec_t now, const struct message *m)
{
    const struct io_send *order = m->payload;
    CHECK(m->size >= offsetof(struct io_send, text));
    CHECK(m->size - offsetof(struct io_send, text) == order->size);
    struct client *c = find(io, order->client);
    if (c == NULL)
        return;
    void *block = NULL;
    if (order->size > IO_COPY_BYTES)
        order = block = message_take(m);
    client_send(&io->clients, c, now, order->event ? OUT_EVENT : OUT_REPLY, VIEW(order->text, order->size), block);
    io_touch(io, c);
}

static void on_credit(struct io *io, const struct io_credit *order)
{
    struct client *c = find(io, order->client);
    if (c == NULL)
        return;
    client_credit(&io->clients, c);
    io_touch(io, c);
}

static void on_close(struct io *io, usec_t now, const struct io_close *order)
{
    struct client *c = find(io, order->client);
    if (c == NULL)
        return;
    client_close(&io->clients, c, now, WS_CODE_NORMAL);
    io_touch(io, c);
}

void io_on_message(void *owner, usec_t now, const struct message *m)
{
    struct io *io = owner;
    switch ((enum io_message)m->type) {
    case IO_SEND:
        on_send(io, now, m);
        break;
    case IO_CREDIT:
        on_credit(io, m->payload);
        break;
    case IO_CLOSE:
        on_close(io, now, m->payload);
        break;
    case IO_NONE:
        break;
    }
}

const char *io_type_name(uint16_t type)
{
    static const char *const names[] = {
        "NONE",
#define X(name, from, payload) #name,
        IO_MESSAGES(X)
#undef X
    };
    return type < ARRAY_COUNT(names) ? names[type] : "?";
}
