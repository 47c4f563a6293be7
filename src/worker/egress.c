/* The end of a turn: seal the whole batch over all keys at once, then send it. Neighbours to one peer that have one size
 * travel as one GSO send; a shorter one may end the run (design section 5). */
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

void egress_flush(struct worker *w, usec_t now)
{
    struct egress_batch *batch = &w->env.egress;
    struct outbox box = {.w = w, .run_count = 0, .packet_count = 0};
    if (batch->count == 0)
        return;
    w->counters.seal_failed += egress_seal(batch, w->env.seal);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct egress_item *item = &batch->items[i];
        struct view packet = {batch->bytes + item->offset, item->size};
        if (item->size == 0 || item->to.socket >= w->config.socket_count)
            continue;
        if (item->keep != NULL)
            mline_keep_sealed(item->keep, now, packet);
        outbox_add(&box, &item->to, packet);
    }
    outbox_flush(&box);
    egress_clear(batch);
}
