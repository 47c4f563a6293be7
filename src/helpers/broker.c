#include "helpers/broker.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/net.h"
#include "base/str.h"
#include "msg/io.h"

struct sending {
    struct list node;
    struct broker_send *order;
};

void broker_desk_init(struct broker_desk *desk, struct actor *actor, uint8_t transport)
{
    *desk = (struct broker_desk){.actor = actor, .transport = transport, .window = BROKER_WINDOW};
    list_init(&desk->out);
}

void broker_desk_fini(struct broker_desk *desk)
{
    while (!list_is_empty(&desk->out))
        broker_desk_done(desk);
}

void broker_desk_message(struct broker_desk *desk, const struct message *m)
{
    switch ((enum broker_message)m->type) {
    case BROKER_SEND: {
        struct sending *s = mem_get(sizeof(*s));
        *s = (struct sending){.order = message_take(m)};
        list_init(&s->node);
        list_add_tail(&desk->out, &s->node);
        desk->out_count++;
        break;
    }
    case BROKER_READ:
        desk->window += ((const struct broker_read *)m->payload)->count;
        CHECK(desk->window <= BROKER_WINDOW);
        break;
    case BROKER_NONE:
        break;
    }
}

uint32_t broker_desk_tag(struct broker_desk *desk)
{
    desk->last_tag += desk->last_tag == UINT32_MAX ? 2 : 1;      /* never 0 */
    return desk->last_tag;
}

void broker_desk_ask(struct broker_desk *desk, uint32_t tag, bool admin, struct view text)
{
    const struct io_broker_text head = {.transport = desk->transport, .admin = admin, .tag = tag, .size = (uint32_t)text.size};
    CHECK(desk->window > 0 && text.size > 0 && text.size <= BROKER_TEXT_BYTES_MAX);
    desk->window--;
    actor_send_parts(desk->actor, ACTOR_IO, IO_BROKER_TEXT, REF_NONE, VIEW(&head, sizeof(head)), text);
}

static struct sending *first(const struct broker_desk *desk)
{
    return list_is_empty(&desk->out) ? NULL : CONTAINER_OF(desk->out.next, struct sending, node);
}

const struct broker_send *broker_desk_first(const struct broker_desk *desk)
{
    return first(desk) == NULL ? NULL : first(desk)->order;
}

void broker_desk_done(struct broker_desk *desk)
{
    struct sending *s = first(desk);
    list_del(&s->node);
    desk->out_count--;
    desk->taken++;
    desk->taken_bytes += s->order->size;
    mem_put(s->order);
    mem_put(s);
}

void broker_desk_tell(struct broker_desk *desk, bool up)
{
    if (desk->taken > 0) {
        const struct io_broker_taken news = {desk->transport, desk->taken, desk->taken_bytes};
        desk->taken = desk->taken_bytes = 0;
        actor_send(desk->actor, ACTOR_IO, IO_BROKER_TAKEN, &news, sizeof(news));
    }
    if (desk->up != up) {
        const struct io_broker_state news = {desk->transport, up};
        desk->up = up;
        actor_send(desk->actor, ACTOR_IO, IO_BROKER_STATE, &news, sizeof(news));
    }
}

const char *broker_type_name(uint16_t type)
{
    static const char *const names[] = {
        "NONE",
#define X(name, from, payload) #name,
        BROKER_MESSAGES(X)
#undef X
    };
    return type < ARRAY_COUNT(names) ? names[type] : "?";
}

struct view broker_refusal(void)
{
    return STR("{\"janus\":\"error\",\"error\":{\"code\":454,\"reason\":\"Invalid Janus API request - it is too long\"}}");
}

bool broker_host_is_local(const char *host)
{
    struct net_addr addr;
    return str_equal_nocase(str_of(host), STR("localhost")) || (net_ip_parse(&addr, str_of(host)) && net_ip_is_loopback(&addr));
}
