/* control/host_data.c - the verbs about data channels (plugins/plugin.h). */
#include "base/mem.h"
#include "control/data.h"
#include "control/graph.h"
#include "control/handle.h"
#include "control/out.h"
#include "msg/worker.h"

/* The PeerConnection of a handle, once its data line is agreed on; else NULL. */
static struct pc *find_pc(struct control *c, struct ref ref, size_t *max_bytes)
{
    const struct handle *handle = handle_get(c, ref);
    if (handle == NULL) {
        c->counters.verbs_stale += !ref_is_none(ref);
        return NULL;
    }
    const struct local_mline *local = handle->pc == NULL ? NULL : data_line(handle->pc);
    if (local == NULL)
        return NULL;
    const struct negotiation *negotiation = &handle->pc->negotiation;
    const uint32_t most = negotiation_data_max(negotiation, (uint16_t)(local - negotiation->local->mlines));
    *max_bytes = most < DATA_MESSAGE_LIMIT ? most : DATA_MESSAGE_LIMIT;
    return most > 0 ? handle->pc : NULL;
}

static size_t packet_size(const struct data_message *message)
{
    return sizeof(struct data_packet) + message->label.size + message->protocol.size + message->bytes.size;
}

static void write_packet(struct data_packet *packet, struct peer_ref peer, const struct data_message *message)
{
    *packet = (struct data_packet){
        .peer = peer,
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
}

/* ERR_NONE: it will be sent, and is in `queued` already. */
static enum err reserve(struct control *c, struct ref handle, const struct data_message *message, struct peer_ref *peer)
{
    size_t most;
    struct pc *pc = find_pc(c, handle, &most);
    if (pc == NULL || pc->state != PC_UP)
        return ERR_GONE;
    if (message->label.size > DATA_LABEL_MAX || message->protocol.size > DATA_PROTOCOL_MAX || message->bytes.size > most)
        return ERR_INVALID;
    if (!data_has_room(pc, message->bytes.size)) {
        pc->data.refused = true;
        return ERR_FULL;
    }
    pc->data.queued += (uint32_t)message->bytes.size + DATA_COST_EXTRA;
    *peer = pc->peer;
    return ERR_NONE;
}

enum err host_data_send(struct host *host, struct ref handle, const struct data_message *message)
{
    struct peer_ref peer;
    const enum err err = reserve(host->control, handle, message, &peer);
    if (err != ERR_NONE)
        return err;
    struct data_packet *packet = mem_get(packet_size(message));
    write_packet(packet, peer, message);
    out_block(host->control, (actor_id)(ACTOR_WORKER_0 + peer.worker), WORKER_DATA_SEND, packet, packet_size(message));
    return ERR_NONE;
}

/* One order for all that are on the worker of the first; what is left of them is moved up. */
static size_t cast_one(struct control *c, const struct data_message *message, struct peer_ref *peers, size_t count)
{
    const struct peer_ref first = peers[0];
    struct data_cast *cast = mem_get(sizeof(*cast) + count * sizeof(cast->peers[0]) + packet_size(message));
    size_t left = 0;
    cast->count = 0;
    for (size_t i = 0; i < count; i++)
        if (peers[i].worker == first.worker)
            cast->peers[cast->count++] = peers[i].ref;
        else
            peers[left++] = peers[i];
    write_packet((struct data_packet *)&cast->peers[cast->count], (struct peer_ref){.ref = REF_NONE}, message);
    out_block(c, (actor_id)(ACTOR_WORKER_0 + first.worker), WORKER_DATA_CAST, cast,
              sizeof(*cast) + cast->count * sizeof(cast->peers[0]) + packet_size(message));
    return left;
}

void host_data_send_all(struct host *host, const struct data_message *message, const struct ref *handles, size_t count, enum err *results)
{
    struct peer_ref peers[DATA_CAST_SIZE];
    size_t found = 0;
    CHECK(count <= DATA_CAST_SIZE);
    for (size_t i = 0; i < count; i++) {
        results[i] = reserve(host->control, handles[i], message, &peers[found]);
        found += results[i] == ERR_NONE;
    }
    while (found > 0)
        found = cast_one(host->control, message, peers, found);
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
    size_t most;
    return find_pc(host->control, handle, &most) == NULL ? 0 : most;
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
