/* The glue between connections and control. */
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/io_private.h"
#include "msg/control.h"
#include "msg/io.h"

static struct client_request request_of(const struct client *c, usec_t now, size_t size)
{
    return (struct client_request){
        .client = c->ref,
        .addr = c->addr,
        .asked_us = now,
        .api = c->origin->api,
        .size = (uint32_t)size,
    };
}

/* The queue of the session that the request names; else a new one, in case that it creates or claims a session. */
static bool put_queue(struct io *io, struct client_ask *ask, struct client_request *request)
{
    struct eventqs *all = &io->clients.events;
    struct eventq *q = ask->session_id == 0 ? NULL : eventq_of_session(all, ask->session_id);
    if (q == NULL) {
        q = eventq_new(all);
        if (q == NULL) {
            io->counters.queues_refused++;
            return false;
        }
        ask->queue = q->ref;
    }
    request->owner = q->ref;
    return true;
}

void io_tell_request(struct io *io, struct client *c, usec_t now, struct view text)
{
    struct client_request request = request_of(c, now, text.size);
    struct client_ask *ask = client_ask(c);
    const struct packets_origin *packets = c->origin->packets;
    request.transport = packets != NULL ? packets->transport : ask == NULL ? TRANSPORT_WEBSOCKETS : TRANSPORT_HTTP;
    request.layout = (uint8_t)(packets != NULL ? packets->layout : ask == NULL ? io->clients.rules.layout : c->origin->http->layout);
    if (ask != NULL) {
        request.session_id = ask->session_id;
        request.handle_id = ask->handle_id;
        request.path_ids = ask->path_ids;
        if (!ask->is_poll && request.api == CLIENT_API_JANUS && !put_queue(io, ask, &request)) {
            client_reply(&io->clients, c, now, STR("{\"janus\":\"error\",\"error\":{\"code\":490,\"reason\":\"Memory error\"}}"), 490);
            io_touch(io, c);
            return;
        }
    }
    request.tag = c->tag;
    c->announced = true;
    actor_send_parts(io->self, ACTOR_CONTROL, CONTROL_CLIENT_REQUEST, REF_NONE,
                     VIEW(&request, offsetof(struct client_request, text)), text);
}

void io_tell_gone(struct io *io, struct ref owner)
{
    struct client_gone gone = {owner};
    actor_send(io->self, ACTOR_CONTROL, CONTROL_CLIENT_GONE, &gone, sizeof(gone));
}

void io_settle_ask(struct io *io, struct client_ask *ask)
{
    struct eventq *q = eventq_get(&io->clients.events, ask->queue);
    ask->queue = REF_NONE;
    if (q != NULL && q->session_id == 0)
        eventq_free(&io->clients.events, q);
}

static struct client *find(struct io *io, struct ref ref)
{
    struct client *c = slots_get(&io->slots, ref);
    if (c == NULL)
        io->counters.stale++;
    return c;
}

/* Nobody fetches the events of that session: it has lost its client (design rule 3). */
static void give_up(struct io *io, struct eventq *q)
{
    io->counters.queues_piled++;
    io_tell_gone(io, q->ref);
    client_poll_forget(q);
    eventq_free(&io->clients.events, q);
}

static void on_queued_event(struct io *io, usec_t now, const struct io_send *order)
{
    struct eventq *q = eventq_get(&io->clients.events, order->client);
    if (q == NULL)
        io->counters.stale++;
    else if (!eventq_add(&io->clients.events, q, VIEW(order->text, order->size)))
        give_up(io, q);
    else
        client_poll_wake(&io->clients, q, now, &io->turn);
}

static void on_session(struct io *io, const struct io_session *news)
{
    struct eventqs *all = &io->clients.events;
    struct eventq *q = eventq_get(all, news->owner);
    if (q != NULL && q->session_id == 0 && !news->over) {
        eventq_bind(all, q, news->session_id);
    } else if (q != NULL && q->session_id == news->session_id && news->over) {
        client_poll_forget(q);
        eventq_free(all, q);
    } else if (!news->over) {
        /* The connection that asked for it has gone in between; or it has one already, which no request of ours makes. */
        io->counters.stale++;
        if (q == NULL)
            io_tell_gone(io, news->owner);
    }
}

static void on_send(struct io *io, usec_t now, const struct message *m)
{
    const struct io_send *order = m->payload;
    CHECK(m->size >= offsetof(struct io_send, text));
    CHECK(m->size - offsetof(struct io_send, text) == order->size);
    if ((order->client.slot & IO_QUEUE_BIT) != 0) {
        on_queued_event(io, now, order);
        return;
    }
    struct client *c = find(io, order->client);
    if (c == NULL)
        return;
    if (client_ask(c) != NULL) {
        io_settle_ask(io, client_ask(c));
        if (client_is_gone(c))
            return;
        client_reply(&io->clients, c, now, VIEW(order->text, order->size), order->error);
        io_touch(io, c);
        return;
    }
    void *block = NULL;
    if (order->size > IO_COPY_BYTES)
        order = block = message_take(m);
    client_send_tagged(&io->clients, c, now, order->event ? OUT_EVENT : OUT_REPLY, order->tag, VIEW(order->text, order->size), block);
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

static void on_certificate(struct io *io, const struct message *m)
{
    struct io_certificate head;
    CHECK(m->size >= sizeof(head));
    uint8_t *block = message_take(m);
    memcpy(&head, block, sizeof(head));
    CHECK(m->size - sizeof(head) == (size_t)head.cert_size + head.key_size + head.password_size + head.ciphers_size);
    io_listen_renew(io, &head, block + sizeof(head));
    explicit_bzero(block, m->size);
    mem_put(block);
}

void io_on_message(void *owner, usec_t now, const struct message *m)
{
    struct io *io = owner;
    if (m->type == ACTOR_MEASURED) {
        io_monitor_measured(io, now, m);
        return;
    }
    switch ((enum io_message)m->type) {
    case IO_SEND:
        on_send(io, now, m);
        break;
    case IO_CREDIT:
        on_credit(io, m->payload);
        break;
    case IO_SESSION:
        on_session(io, m->payload);
        break;
    case IO_CLOSE:
        on_close(io, now, m->payload);
        break;
    case IO_HEALTH:
        io->clients.health = *(const struct io_health *)m->payload;
        io->clients.health_at = now;
        break;
    case IO_LINES:
        io_monitor_lines(io, now, m);
        break;
    case IO_CERTIFICATE:
        on_certificate(io, m);
        break;
    case IO_EVENTS_WANTED:
        io->events_mask = ((const struct events_wanted *)m->payload)->mask;
        break;
    case IO_BROKER_TEXT:
        io_broker_text(io, now, m);
        break;
    case IO_BROKER_TAKEN:
        io_broker_taken(io, m->payload);
        break;
    case IO_BROKER_STATE:
        io_broker_state(io, m->payload);
        break;
    case IO_QUERY:
        io_on_query(io, m->from, m->op, m->payload);
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
