/* Message brokers: the actor that owns one's library tells us texts, we tell it texts (msg/broker.h). To control a broker is one client
 * for each API, which never goes: what can't wait any more while it is away is dropped and counted. */
#include <string.h>

#include "base/check.h"
#include "base/list.h"
#include "base/mem.h"
#include "io/io_private.h"
#include "msg/broker.h"
#include "msg/control.h"
#include "msg/io.h"
#include "runtime/log.h"

/* One that came while its client may ask nothing more. */
struct waiting {
    struct list node;
    struct io_broker_text *text;
};

static struct io_broker *broker_of(struct io *io, uint8_t transport)
{
    for (uint32_t i = 0; i < IO_BROKERS_MAX; i++)
        if (io->brokers[i].options.transport == transport && transport != 0)
            return &io->brokers[i];
    return NULL;
}

static void open_side(struct io *io, struct io_broker *b, uint8_t api, usec_t now)
{
    const struct net_addr nowhere = {0};
    b->origins[api] = (struct client_origin){.api = api, .packets = &b->packets};
    struct client *c = io_add(io, -1, &b->origins[api], &nowhere, now);
    if (c == NULL) {
        LOG_ERR(io->self, "no room for the client of a broker (max_clients)");
        return;
    }
    c->through = b;
    b->clients[api] = c;
}

void io_broker_init(struct io *io, const struct io_broker_options *options)
{
    for (uint32_t i = 0; i < IO_BROKERS_MAX; i++) {
        struct io_broker *b = &io->brokers[i];
        *b = (struct io_broker){.options = options[i]};
        list_init(&b->waiting);
        b->packets = (struct packets_origin){.way = PACKETS_BROKER, .transport = options[i].transport, .layout = options[i].layout,
                                             .package = options[i].package, .events = options[i].events,
                                             .lasting = true, .tagged = true};
    }
}

void io_broker_start(struct io *io, usec_t now)
{
    for (uint32_t i = 0; i < IO_BROKERS_MAX; i++) {
        if (io->brokers[i].options.janus)
            open_side(io, &io->brokers[i], CLIENT_API_JANUS, now);
        if (io->brokers[i].options.admin)
            open_side(io, &io->brokers[i], CLIENT_API_ADMIN, now);
    }
}

void io_broker_drop(struct client *c)
{
    struct io_broker *b = c->through;
    b->clients[c->origin->api] = NULL;
}

static void waiting_free(struct waiting *w)
{
    list_del(&w->node);
    mem_put(w->text);
    mem_put(w);
}

void io_broker_fini(struct io *io)
{
    for (uint32_t i = 0; i < IO_BROKERS_MAX; i++)
        while (!list_is_empty(&io->brokers[i].waiting))
            waiting_free(CONTAINER_OF(io->brokers[i].waiting.next, struct waiting, node));
}

/* --- In ------------------------------------------------------------------------------------------------------------- */

static struct client *side_of(struct io_broker *b, const struct io_broker_text *text)
{
    return b->clients[text->admin ? CLIENT_API_ADMIN : CLIENT_API_JANUS];
}

static void read_one(struct io *io, struct io_broker *b, struct client *c, usec_t now, struct io_broker_text *text)
{
    const struct broker_read read = {1};
    if (c != NULL) {
        c->tag = text->tag;
        client_feed(&io->clients, c, now, (uint8_t *)text->text, text->size);
        io_deliver(io, c, now);
        c->tag = 0;
        io_touch(io, c);
    }
    actor_send(io->self, b->options.actor, BROKER_READ, &read, sizeof(read));
}

void io_broker_text(struct io *io, usec_t now, const struct message *m)
{
    const struct io_broker_text *head = m->payload;
    struct io_broker *b = broker_of(io, head->transport);
    CHECK(b != NULL && m->size == sizeof(*head) + head->size);
    struct waiting *w = mem_get(sizeof(*w));
    *w = (struct waiting){.text = message_take(m)};
    list_init(&w->node);
    list_add_tail(&b->waiting, &w->node);
    io_broker_resume(io, b, now);
}

void io_broker_resume(struct io *io, struct io_broker *b, usec_t now)
{
    LIST_EACH(it, &b->waiting) {
        struct waiting *w = CONTAINER_OF(it, struct waiting, node);
        struct client *c = side_of(b, w->text);
        if (c != NULL && !client_wants_input(c))
            continue;            /* the other API's may go on */
        read_one(io, b, c, now, w->text);
        waiting_free(w);
    }
}

/* --- Out ------------------------------------------------------------------------------------------------------------ */

void io_broker_write(struct io *io, struct client *c, usec_t now)
{
    struct io_broker *b = c->through;
    struct view parts[OUTQ_PARTS];
    while (b->ahead < BROKER_AHEAD && b->ahead_bytes < BROKER_AHEAD_BYTES && client_output(&io->clients, c, now, parts) > 0) {
        struct broker_send head = {.admin = c->origin->api == CLIENT_API_ADMIN, .size = (uint32_t)parts[1].size};
        CHECK(parts[0].size == sizeof(head.tag));
        memcpy(&head.tag, parts[0].data, sizeof(head.tag));
        b->ahead++;
        b->ahead_bytes += head.size;
        b->sent++;
        actor_send_parts(io->self, b->options.actor, BROKER_SEND, REF_NONE, VIEW(&head, sizeof(head)), parts[1]);
        client_sent(&io->clients, c, now, sizeof(head.tag) + head.size);
    }
}

void io_broker_taken(struct io *io, const struct io_broker_taken *news)
{
    struct io_broker *b = broker_of(io, news->transport);
    CHECK(b != NULL && news->count <= b->ahead && news->bytes <= b->ahead_bytes);
    b->ahead -= news->count;
    b->ahead_bytes -= news->bytes;
    for (unsigned api = 0; api < 2; api++)
        if (b->clients[api] != NULL)
            io_touch(io, b->clients[api]);
}

void io_broker_state(struct io *io, const struct io_broker_state *news)
{
    struct io_broker *b = broker_of(io, news->transport);
    CHECK(b != NULL);
    const struct client *c = b->clients[CLIENT_API_JANUS] != NULL ? b->clients[CLIENT_API_JANUS] : b->clients[CLIENT_API_ADMIN];
    b->connections += news->up && !b->up;
    b->up = news->up;
    if (c != NULL)
        io_notify_broker(io, c, news->up);
}
