/* The end of a turn: seal the whole batch over all keys at once, then send it. A frame's packets lie in the batch packet by
 * packet, each for all receivers; they are sent receiver by receiver, so that those of one size travel as one GSO send, which
 * a shorter one may end (design section 5). Towards one address the order stays. */
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "worker/worker_private.h"

#define SEND_RUNS UDP_SEND_BATCH

struct outbox {
    struct worker *w;
    uint32_t socket;
    uint32_t run_count;
    uint32_t packet_count;
    struct udp_run runs[SEND_RUNS];
    struct view packets[SEND_RUNS * UDP_RUN_MAX];
};

static void outbox_flush(struct outbox *box)
{
    if (box->run_count == 0)
        return;
    struct udp *udp = &box->w->config.sockets[box->socket];
    (void)udp_send_batch(udp, box->runs, box->run_count);       /* what a full socket refuses is lost, and counted there */
    box->w->counters.sent_runs += box->run_count;
    box->run_count = 0;
    box->packet_count = 0;
}

static bool joins_run(const struct udp_run *run, const struct net_addr *to, size_t size)
{
    const struct view *packets = run->packets;
    return run->packet_count < UDP_RUN_MAX && net_addr_equal(&run->to, to) && packets[0].size >= size &&
           packets[run->packet_count - 1].size == packets[0].size;
}

static void outbox_add(struct outbox *box, const struct net_tuple *to, struct view packet)
{
    if (box->run_count > 0 && box->socket != to->socket)
        outbox_flush(box);
    box->socket = to->socket;
    struct udp_run *last = box->run_count == 0 ? NULL : &box->runs[box->run_count - 1];
    if (last == NULL || !joins_run(last, &to->remote, packet.size)) {
        if (box->run_count == SEND_RUNS)
            outbox_flush(box);
        last = &box->runs[box->run_count++];
        *last = (struct udp_run){.to = to->remote, .packets = &box->packets[box->packet_count]};
    }
    box->packets[box->packet_count++] = packet;
    last->packet_count++;
    box->w->counters.sent_packets++;
}

static uint32_t destination_hash(const struct worker *w, const struct net_tuple *to)
{
    const struct net_addr *remote = &to->remote;
    uint32_t mixed = get_u32(remote->ip) ^ get_u32(remote->ip + 4) * 31u ^ get_u32(remote->ip + 8) * 37u ^ get_u32(remote->ip + 12) * 41u;
    mixed ^= ((uint32_t)remote->port << 8 ^ to->socket) * 0x85EBCA6Bu ^ (uint32_t)w->hash_key.k0;
    mixed *= 0x9E3779B1u;
    return mixed ^ mixed >> 15;
}

/* The group of the item's destination: one that is there, or a new one. */
static uint16_t group_of(struct worker *w, uint16_t index, uint32_t mask)
{
    struct egress_groups *groups = &w->groups;
    const struct egress_item *items = w->env.egress.items;
    uint32_t at = destination_hash(w, &items[index].to) & mask;
    for (; groups->table[at] != 0; at = (at + 1) & mask)
        if (net_tuple_equal(&items[groups->head[groups->table[at] - 1u]].to, &items[index].to))
            return groups->table[at] - 1u;
    groups->head[groups->count] = groups->tail[groups->count] = index;
    groups->table[at] = (uint16_t)(groups->count + 1u);
    return (uint16_t)groups->count++;
}

static void group_items(struct worker *w)
{
    const uint32_t count = w->env.egress.count;
    uint32_t size = 16;
    CHECK(count <= EGRESS_ITEMS);
    while (size < count * 2)
        size *= 2;
    memset(w->groups.table, 0, size * sizeof(w->groups.table[0]));
    w->groups.count = 0;
    struct egress_groups *groups = &w->groups;
    uint16_t group = 0;
    for (uint32_t i = 0; i < count; i++) {
        /* A frame's packets mostly lie together already (media/hold.h). */
        if (i == 0 || !net_tuple_equal(&w->env.egress.items[i - 1].to, &w->env.egress.items[i].to))
            group = group_of(w, (uint16_t)i, size - 1);
        groups->next[groups->tail[group]] = (uint16_t)i;
        groups->tail[group] = (uint16_t)i;
    }
}

static void send_item(struct outbox *box, usec_t now, const struct egress_item *item)
{
    const struct view packet = {box->w->env.egress.bytes + item->offset, item->size};
    if (item->size == 0 || item->to.socket >= box->w->config.socket_count)
        return;
    if (item->keep != NULL)
        mline_keep_sealed(item->keep, now, packet);
    outbox_add(box, &item->to, packet);
}

void egress_flush(struct worker *w, usec_t now)
{
    struct egress_batch *batch = &w->env.egress;
    const struct egress_groups *groups = &w->groups;
    struct outbox box;                          /* its arrays are 13 KB: they are written as far as they are used */
    if (batch->count == 0)
        return;
    box.w = w;
    box.run_count = box.packet_count = 0;
    w->counters.seal_failed += egress_seal(batch, w->env.seal);
    group_items(w);
    for (uint32_t g = 0; g < groups->count; g++)
        for (uint16_t i = groups->head[g];; i = groups->next[i]) {
            send_item(&box, now, &batch->items[i]);
            if (i == groups->tail[g])
                break;
        }
    outbox_flush(&box);
    egress_clear(batch);
}

void egress_drain_worker(void *owner)
{
    struct worker *w = owner;
    egress_flush(w, w->now);
}
