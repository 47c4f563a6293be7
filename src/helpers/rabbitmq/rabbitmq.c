/* Requests go to io as they come, at most BROKER_WINDOW ahead of it; meanwhile nothing more is read. What io has to say waits here while
 * the broker is away or blocked, at most BROKER_AHEAD texts: the rest waits there. A request's correlation id is kept under the tag that
 * it gets, until its reply. */
#include "helpers/rabbitmq/rabbitmq.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "helpers/broker.h"
#include "helpers/rabbitmq/rabbit_link.h"
#include "msg/control.h"

#define LINK_TOKEN    1u
#define SENDS_PER_TURN 64u

struct ask {
    uint32_t tag;                            /* 0: free */
    uint8_t size;
    char correlation[RABBIT_CORRELATION_MAX];
};

struct rabbitmq {
    struct actor *actor;
    struct rabbit_config config;
    struct broker_desk desk;
    struct rabbit_link *link;
    struct ask asks[RABBITMQ_ASKS_MAX];      /* by tag */
    bool more;                               /* there is more to be sent, and it could be */
    usec_t stop_by;                          /* USEC_NEVER: not stopping */
    struct rabbitmq_counters counters;
};

struct rabbitmq *rabbitmq_new(struct actor *actor, const struct rabbit_config *config)
{
    struct rabbitmq *r = mem_get_zero(sizeof(*r));
    r->actor = actor;
    r->config = *config;
    r->stop_by = USEC_NEVER;
    broker_desk_init(&r->desk, actor, TRANSPORT_RABBITMQ);
    r->link = rabbit_link_new(actor, "RabbitMQ", LINK_TOKEN, &r->config.link);
    if (r->config.janus.enabled)
        rabbit_link_queue(r->link, &r->config.janus, false);
    if (r->config.admin.enabled)
        rabbit_link_queue(r->link, &r->config.admin, false);
    return r;
}

void rabbitmq_free(struct rabbitmq *r)
{
    if (r == NULL)
        return;
    broker_desk_fini(&r->desk);
    rabbit_link_free(r->link);
    mem_put(r);
}

const struct rabbitmq_counters *rabbitmq_counters(const struct rabbitmq *r)
{
    return &r->counters;
}

static void publish(struct rabbitmq *r, usec_t now, bool admin, struct view text, const char *correlation, uint8_t correlation_size)
{
    const struct rabbit_out out = {
        .routing_key = admin ? r->config.admin.out : r->config.janus.out,
        .reply_to = "Janus",                 /* transports.md 5.3 */
        .correlation = correlation,
        .correlation_size = correlation_size,
        .text = text,
    };
    (void)rabbit_link_publish(r->link, now, &out);
}

static void take_request(struct rabbitmq *r, usec_t now, const struct rabbit_in *in)
{
    const bool admin = r->config.admin.enabled && strcmp(in->routing_key, r->config.admin.in) == 0;
    const struct view text = in->size > 0 ? VIEW(in->text, in->size) : STR(" ");     /* an empty one is no JSON, and told so */
    if (in->too_long) {
        r->counters.too_long++;
        publish(r, now, admin, broker_refusal(), in->has_correlation ? in->correlation : NULL, in->correlation_size);
        return;
    }
    if (!admin && !r->config.janus.enabled)
        return;
    const uint32_t tag = broker_desk_tag(&r->desk);
    struct ask *ask = &r->asks[tag % RABBITMQ_ASKS_MAX];
    ask->tag = in->has_correlation ? tag : 0;
    ask->size = in->correlation_size;
    memcpy(ask->correlation, in->correlation, in->correlation_size);
    r->counters.requests++;
    broker_desk_ask(&r->desk, tag, admin, text);
}

static void send_waiting(struct rabbitmq *r, usec_t now)
{
    const struct broker_send *order;
    r->more = false;
    for (unsigned i = 0; rabbit_link_has_room(r->link) && (order = broker_desk_first(&r->desk)) != NULL; i++) {
        struct ask *ask = &r->asks[order->tag % RABBITMQ_ASKS_MAX];
        const bool known = order->tag != 0 && ask->tag == order->tag;
        if (i == SENDS_PER_TURN) {
            r->more = true;
            return;
        }
        publish(r, now, order->admin, VIEW(order->text, order->size), known ? ask->correlation : NULL, ask->size);
        if (!rabbit_link_is_up(r->link))
            return;                          /* it goes out again when the broker is back */
        r->counters.replies += order->tag != 0;
        r->counters.events += order->tag == 0;
        if (known)
            ask->tag = 0;
        broker_desk_done(&r->desk);
    }
}

static void on_message(void *owner, usec_t now, const struct message *m)
{
    struct rabbitmq *r = owner;
    (void)now;
    broker_desk_message(&r->desk, m);
}

static void on_ready(void *owner, usec_t now, uint64_t token, uint32_t events)
{
    struct rabbitmq *r = owner;
    if (token == LINK_TOKEN)
        rabbit_link_ready(r->link, now, events);
}

static void on_turn(void *owner, usec_t now)
{
    struct rabbitmq *r = owner;
    rabbit_link_pause(r->link, r->desk.window == 0);
    if (r->stop_by == USEC_NEVER || rabbit_link_is_up(r->link))
        rabbit_link_turn(r->link, now);
    for (struct rabbit_in *in; r->desk.window > 0 && (in = rabbit_link_next(r->link)) != NULL; mem_put(in))
        take_request(r, now, in);
    send_waiting(r, now);
    broker_desk_tell(&r->desk, rabbit_link_is_up(r->link));
    if (r->stop_by == USEC_NEVER || (now < r->stop_by && rabbit_link_has_room(r->link) && broker_desk_first(&r->desk) != NULL))
        return;
    rabbit_link_end(r->link);
    r->stop_by = USEC_NEVER;
    actor_stop(r->actor);
}

static usec_t deadline(void *owner)
{
    const struct rabbitmq *r = owner;
    return r->more ? 0 : usec_min(r->stop_by, rabbit_link_deadline(r->link));
}

static void on_stop(void *owner, usec_t now)
{
    struct rabbitmq *r = owner;
    r->stop_by = usec_add(now, RABBITMQ_STOP_US);
}

const struct actor_ops rabbitmq_ops = {
    .on_message = on_message,
    .on_ready = on_ready,
    .on_turn = on_turn,
    .deadline = deadline,
    .on_stop = on_stop,
    .type_name = broker_type_name,
    .may_block = true,                       /* librabbitmq waits for the broker's answers while it connects */
};
