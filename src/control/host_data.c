/* control/host_data.c - the verbs about data channels (plugins/plugin.h). */
#include "base/mem.h"
#include "control/data.h"
#include "control/graph.h"
#include "control/handle.h"
#include "control/out.h"
#include "msg/worker.h"

/* The PeerConnection of a handle, once its data line is agreed on; else NULL. */
static struct pc *find_pc(struct control *c, struct ref ref, struct negotiated_line *line)
{
    const struct handle *handle = handle_get(c, ref);
    if (handle == NULL) {
        c->counters.verbs_stale += !ref_is_none(ref);
        return NULL;
    }
    const struct local_mline *local = handle->pc == NULL ? NULL : data_line(handle->pc);
    if (local == NULL)
        return NULL;
    const uint16_t mindex = (uint16_t)(local - handle->pc->negotiation.local->mlines);
    return negotiation_line(&handle->pc->negotiation, mindex, line) ? handle->pc : NULL;
}

static void send(struct control *c, struct pc *pc, const struct data_message *message)
{
    const size_t size = sizeof(struct data_packet) + message->label.size + message->protocol.size + message->bytes.size;
    struct data_packet *packet = mem_get(size);
    *packet = (struct data_packet){
        .peer = pc->peer,
        .cost = (uint32_t)message->bytes.size + DATA_COST_EXTRA,
        .size = (uint32_t)message->bytes.size,
        .label_size = (uint8_t)message->label.size,
        .protocol_size = (uint8_t)message->protocol.size,
        .binary = message->binary,
    };
    uint8_t *at = packet->bytes;
    const struct view parts[] = {message->label, message->protocol, message->bytes};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (parts[i].size > 0)
            memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    pc->data.queued += packet->cost;
    out_block(c, (actor_id)(ACTOR_WORKER_0 + pc->peer.worker), WORKER_DATA_SEND, packet, size);
}

enum err host_data_send(struct host *host, struct ref handle, const struct data_message *message)
{
    struct negotiated_line line;
    struct pc *pc = find_pc(host->control, handle, &line);
    if (pc == NULL || pc->state != PC_UP)
        return ERR_GONE;
    if (message->label.size > DATA_LABEL_MAX || message->protocol.size > DATA_PROTOCOL_MAX ||
        message->bytes.size > line.max_message_bytes || message->bytes.size > DATA_MESSAGE_LIMIT)
        return ERR_INVALID;
    if (pc->data.queued > 0 && pc->data.queued + message->bytes.size + DATA_COST_EXTRA > DATA_OUT_WINDOW) {
        pc->data.refused = true;
        return ERR_FULL;
    }
    send(host->control, pc, message);
    return ERR_NONE;
}

void host_data_again(struct host *host, struct ref ref)
{
    struct handle *handle = handle_get(host->control, ref);
    if (handle == NULL) {
        host->control->counters.verbs_stale += !ref_is_none(ref);
        return;
    }
    handle->wants_data = true;
    handle_defer(host->control, handle);
}

size_t host_data_max(struct host *host, struct ref handle)
{
    struct negotiated_line line;
    if (find_pc(host->control, handle, &line) == NULL)
        return 0;
    return line.max_message_bytes < DATA_MESSAGE_LIMIT ? line.max_message_bytes : DATA_MESSAGE_LIMIT;
}

struct ref host_data_sink_add(struct host *host, struct ref source, struct ref ref, struct view label, bool paused)
{
    struct control *c = host->control;
    const struct handle *handle = handle_get(c, ref);
    if (handle == NULL || handle->pc == NULL) {
        c->counters.verbs_refused++;
        return REF_NONE;
    }
    if (label.size > DATA_LABEL_MAX)
        label.size = DATA_LABEL_MAX;
    const struct sink *sink = graph_add_data_sink(c, graph_source(c, source), handle->pc, label, paused);
    return sink == NULL ? REF_NONE : sink->ref;
}
