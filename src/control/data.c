#include "control/data.h"

#include "base/mem.h"
#include "control/out.h"
#include "msg/worker.h"

const struct local_mline *data_line(const struct pc *pc)
{
    const struct local_description *local = pc->negotiation.local;
    for (uint16_t i = 0; local != NULL && i < local->mline_count; i++)
        if (local->mlines[i].kind == SDP_APPLICATION && !local->mlines[i].disabled)
            return &local->mlines[i];
    return NULL;
}

/* False: not now. */
static bool offer(struct pc *pc, const struct data_packet *packet)
{
    const struct handle *handle = pc->handle;
    const struct plugin_desc *desc = handle->host->desc;
    const uint8_t *at = packet->bytes;
    const struct data_message message = {
        .label = VIEW(at, packet->label_size),
        .protocol = VIEW(at + packet->label_size, packet->protocol_size),
        .binary = packet->binary,
        .bytes = VIEW(at + packet->label_size + packet->protocol_size, packet->size),
    };
    return desc->data == NULL || desc->data(handle->host->plugin, handle->state, &message);
}

static void done_with(struct control *c, const struct pc *pc, uint32_t cost)
{
    const struct data_credit credit = {pc->peer.ref, cost};
    out_send(c, (actor_id)(ACTOR_WORKER_0 + pc->peer.worker), WORKER_DATA_CREDIT, &credit, sizeof(credit));
}

void data_arrived(struct control *c, struct pc *pc, const struct message *m)
{
    const struct data_packet *packet = m->payload;
    CHECK(m->size >= sizeof(*packet) + packet->label_size + packet->protocol_size + packet->size);
    if (list_is_empty(&pc->data.put_off) && offer(pc, packet)) {
        done_with(c, pc, packet->cost);
        return;
    }
    struct put_off *put_off = mem_get(sizeof(*put_off));
    put_off->packet = message_take(m);
    list_add_tail(&pc->data.put_off, &put_off->node);
}

static void drop(struct put_off *put_off)
{
    list_del(&put_off->node);
    mem_put(put_off->packet);
    mem_put(put_off);
}

void data_offer_again(struct control *c, struct pc *pc)
{
    while (!list_is_empty(&pc->data.put_off)) {
        struct put_off *first = CONTAINER_OF(pc->data.put_off.next, struct put_off, node);
        if (!offer(pc, first->packet))
            break;
        done_with(c, pc, first->packet->cost);
        drop(first);
    }
}

void data_ready(struct control *c, struct pc *pc)
{
    struct handle *handle = pc->handle;
    if (handle->host->desc->data_ready != NULL)
        handle->host->desc->data_ready(handle->host->plugin, handle->state);
    data_offer_again(c, pc);
}

void data_taken(struct control *c, struct pc *pc, uint32_t cost)
{
    struct pc_data *data = &pc->data;
    CHECK(cost <= data->queued);
    data->queued -= cost;
    if (!data->refused || data->queued > DATA_OUT_WINDOW / 2)
        return;
    data->refused = false;
    data_ready(c, pc);
}

bool data_has_room(const struct pc *pc, size_t bytes)
{
    const uint32_t queued = pc->data.queued;
    return queued < DATA_TAKEN_STEP || queued + bytes + DATA_COST_EXTRA <= DATA_OUT_WINDOW;
}

void data_forget(struct pc *pc)
{
    LIST_EACH(it, &pc->data.put_off)
        drop(CONTAINER_OF(it, struct put_off, node));
}
