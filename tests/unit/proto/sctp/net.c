#include "net.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "craft.h"
#include "foreign.h"
#include "foreign_frames.h"
#include "support/seams.h"

struct flight {
    struct list node;
    usec_t at;
    int to;
    size_t size;
    uint8_t data[];
};

/* xorshift64*: a test draws the same in every run. */
static uint64_t draw(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(0x2545F4914F6CDD1D);
}

static void fill(void *source, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(draw(source) >> 56);
}

uint32_t net_random(struct net *net)
{
    return (uint32_t)(draw(&net->seed) >> 32);
}

void net_init(struct net *net, uint64_t seed, const struct sctp_config *config)
{
    *net = (struct net){.seed = seed * 2 + 1, .now = SEC(1000)};
    pool_init(&net->pool, "sctp", sctp_size(), 8);
    rng_init(&net->rng, fill, &net->seed);
    list_init(&net->flying);
    for (int i = 0; i < 2; i++) {
        struct sctp_config c = config != NULL ? *config : (struct sctp_config){0};
        c.rng = &net->rng;
        c.shared = &net->side[i].shared;
        net->side[i].sctp = sctp_new(&net->pool, &c, net->now);
        assert_non_null(net->side[i].sctp);
        net->side[i].link.delay_us = MSEC(10);
    }
}

void net_fini(struct net *net)
{
    while (!list_is_empty(&net->flying))
        free(CONTAINER_OF(list_pop(&net->flying), struct flight, node));
    for (int i = 0; i < 2; i++) {
        if (net->side[i].foreign != NULL)
            foreign_stop(net, i);
        sctp_free(net->side[i].sctp);
        assert_int_equal(net->side[i].shared.memory_bytes, 0);
    }
    pool_fini(&net->pool);
    assert_int_equal(seam_mem_outstanding(), 0);
}

void net_link_both(struct net *net, struct net_link link)
{
    net->side[0].link = net->side[1].link = link;
}

/* ---- the network ---- */

static void fly(struct net *net, int to, usec_t at, struct view packet)
{
    struct flight *flight = malloc(sizeof(*flight) + packet.size);
    *flight = (struct flight){.at = at, .to = to, .size = packet.size};
    memcpy(flight->data, packet.data, packet.size);
    struct list *after = net->flying.prev;
    while (after != &net->flying && CONTAINER_OF(after, struct flight, node)->at > at)
        after = after->prev;
    list_add_head(after, &flight->node);
}

void net_carry(struct net *net, int from, struct view packet)
{
    struct net_link *link = &net->side[from].link;
    net->side[from].packets++;
    if (net->on_packet != NULL)
        net->on_packet(net, from, packet);
    usec_t leaves = net->now;
    if (link->rate_bps > 0) {
        leaves = leaves > link->free_at ? leaves : link->free_at;
        leaves += packet.size * 8 * SEC(1) / link->rate_bps;
        link->free_at = leaves;
    }
    const uint32_t copies = net_random(net) % 1000 < link->repeat_pm ? 2 : 1;
    for (uint32_t i = 0; i < copies; i++) {
        const usec_t jitter = link->jitter_us > 0 ? net_random(net) % link->jitter_us : 0;
        if (!link->is_cut && net_random(net) % 1000 >= link->loss_pm)
            fly(net, 1 - from, leaves + link->delay_us + jitter, packet);
    }
}

/* ---- the application ---- */

static uint8_t pattern(uint32_t number, uint16_t stream, size_t at)
{
    return (uint8_t)(number * 31 + stream * 17 + at * 7 + at / 251);
}

static void check_message(struct net *net, struct net_side *side, const struct sctp_event *event)
{
    side->received_bytes += event->data.size;
    if (net->allow_junk) {
        side->received[event->stream % NET_STREAMS]++;
        return;
    }
    assert_true(event->data.size >= 4 && event->stream < NET_STREAMS);
    const uint32_t number = get_u32(event->data.data);
    for (size_t at = 4; at < event->data.size; at++)
        if (event->data.data[at] != pattern(number, event->stream, at)) {
            side->wrong++;
            break;
        }
    uint32_t *expected = &side->expected[event->stream];
    if (number != *expected && !net->allow_any_order) {
        if (net->allow_gaps && number > *expected)
            side->gone += number - *expected;
        else
            side->wrong++;
    }
    *expected = number + 1;
    side->received[event->stream]++;
}

void net_event(struct net *net, int id, const struct sctp_event *event)
{
    struct net_side *side = &net->side[id];
    assert_false(side->is_closed);
    switch (event->kind) {
    case SCTP_EVENT_UP:
        side->ups++;
        break;
    case SCTP_EVENT_MESSAGE:
        check_message(net, side, event);
        break;
    case SCTP_EVENT_RESET_IN:
        side->resets_in++;
        side->last_reset = event->stream;
        break;
    case SCTP_EVENT_RESET_OUT:
        side->resets_out++;
        side->refused += !event->ok;
        break;
    case SCTP_EVENT_STREAMS:
        side->stream_changes++;
        side->refused += !event->ok;
        break;
    case SCTP_EVENT_WRITABLE:
        side->writables++;
        break;
    case SCTP_EVENT_RESTARTED:
        side->restarts++;
        break;
    case SCTP_EVENT_CLOSED:
        side->is_closed = true;
        side->reason = event->reason;
        break;
    default:
        fail();
    }
    side->streams_in = event->streams_in;
    side->streams_out = event->streams_out;
}

struct sctp_message net_message(uint16_t stream)
{
    return (struct sctp_message){.stream = stream, .ppid = 53};
}

enum err net_send(struct net *net, int side, const struct sctp_message *message, size_t size)
{
    struct net_side *from = &net->side[side];
    const uint32_t number = from->sent[message->stream];
    uint8_t *data = malloc(size);
    put_u32(data, number);
    for (size_t at = 4; at < size; at++)
        data[at] = pattern(number, message->stream, at);
    enum err err;
    if (from->foreign != NULL) {
        const struct foreign_send head = {.ppid = message->ppid, .limit = message->limit, .stream = message->stream,
                                          .unordered = message->unordered, .policy = message->reliability};
        foreign_command(net, side, FOREIGN_SEND, VIEW(&head, sizeof(head)), VIEW(data, size));
        err = from->foreign->last_result ? ERR_NONE : ERR_FULL;
    } else {
        err = sctp_send(from->sctp, net->now, message, VIEW(data, size));
    }
    free(data);
    if (err == ERR_NONE)
        from->sent[message->stream]++;
    return err;
}

/* ---- time ---- */

void net_drain(struct net *net, int side)
{
    struct sctp_event event;
    struct sctp_tx tx;
    if (net->side[side].foreign != NULL)
        return;
    while (!net->hands_off && sctp_poll_event(net->side[side].sctp, &event))
        net_event(net, side, &event);
    while (sctp_poll_tx(net->side[side].sctp, &tx))
        net_carry(net, side, VIEW(tx.data, tx.size));
    craft_check(net->side[side].sctp);
}

static usec_t side_deadline(const struct net_side *side)
{
    return side->foreign != NULL ? side->foreign->tick_at : sctp_deadline(side->sctp);
}

static void side_input(struct net *net, int side, struct view packet)
{
    if (net->side[side].foreign != NULL)
        foreign_command(net, side, FOREIGN_PACKET, VIEW(NULL, 0), packet);
    else
        sctp_input(net->side[side].sctp, net->now, packet);
}

static void side_timeout(struct net *net, int side)
{
    if (net->side[side].foreign != NULL)
        foreign_command(net, side, FOREIGN_TICK, VIEW(NULL, 0), VIEW(NULL, 0));
    else
        sctp_timeout(net->side[side].sctp, net->now);
}

static usec_t next_time(const struct net *net)
{
    usec_t next = list_is_empty(&net->flying) ? USEC_NEVER : CONTAINER_OF(net->flying.next, struct flight, node)->at;
    for (int i = 0; i < 2; i++)
        next = usec_min(next, side_deadline(&net->side[i]));
    return next;
}

static void step(struct net *net)
{
    while (!list_is_empty(&net->flying)) {
        struct flight *flight = CONTAINER_OF(net->flying.next, struct flight, node);
        if (flight->at > net->now)
            break;
        list_del(&flight->node);
        side_input(net, flight->to, VIEW(flight->data, flight->size));
        net_drain(net, flight->to);
        free(flight);
    }
    for (int i = 0; i < 2; i++) {
        if (side_deadline(&net->side[i]) > net->now)
            continue;
        side_timeout(net, i);
        net_drain(net, i);
    }
}

void net_run(struct net *net, usec_t for_us)
{
    const usec_t end = net->now + for_us;
    for (int i = 0; i < 2; i++)
        net_drain(net, i);
    for (usec_t next; (next = next_time(net)) <= end;) {
        net->now = next > net->now ? next : net->now;
        step(net);
    }
    net->now = end;
}

static uint32_t total(const uint32_t *counts)
{
    uint32_t sum = 0;
    for (int i = 0; i < (int)NET_STREAMS; i++)
        sum += counts[i];
    return sum;
}

static bool has_delivered(const struct net *net, int side)
{
    if (net->side[side].foreign == NULL)
        return sctp_buffered(net->side[side].sctp) == 0;
    return total(net->side[side].sent) == total(net->side[1 - side].received) + net->side[1 - side].gone;
}

static bool is_idle(const struct net *net)
{
    return list_is_empty(&net->flying) && has_delivered(net, 0) && has_delivered(net, 1);
}

bool net_run_until_idle(struct net *net, usec_t most_us)
{
    const usec_t end = net->now + most_us;
    do
        net_run(net, MSEC(20));
    while (!is_idle(net) && net->now < end);
    return is_idle(net);
}

void net_connect(struct net *net)
{
    for (int i = 0; i < 2; i++)
        if (net->side[i].foreign != NULL)
            foreign_command(net, i, FOREIGN_CONNECT, VIEW(NULL, 0), VIEW(NULL, 0));
        else
            sctp_connect(net->side[i].sctp, net->now);
    for (int i = 0; i < 2000 && !(net->side[0].ups > 0 && net->side[1].ups > 0); i++)
        net_run(net, MSEC(20));
    assert_int_equal(net->side[0].ups, 1);
    assert_int_equal(net->side[1].ups, 1);
}
