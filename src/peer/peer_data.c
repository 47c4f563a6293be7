/* peer/peer_data.c - the data line of a peer: SCTP over its DTLS, channels over that (RFC 8831), and the two ways that messages
 * take: to and from control (plugins), and through the media graph (rooms).
 *
 * What holds them back:
 *   in    SCTP is not read while control has DATA_IN_WINDOW in hand, or while the graph waits (data_source_waits)
 *   out   what SCTP does not take lies in the outbox: control's part of it is bounded by control (DATA_OUT_WINDOW), the graph's
 *         by DATA_OUTBOX_FULL, where sources begin to wait. They wait DATA_PATIENCE_US at most; then this receiver loses messages
 * So a client that never reads costs SCTP's buffer and the outbox, and holds up nobody for long. */
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "peer/peer_private.h"

#define RECORD_OVERHEAD 37u                 /* of DTLS: header, explicit nonce, tag */

static void mark_dirty(struct peer_data *data)
{
    if (list_is_empty(&data->dirty))
        list_add_tail(&data->peer->env->data_dirty, &data->dirty);
}

/* ---- the association ---- */

static uint16_t mtu_of(const struct peer_env *env)
{
    const uint32_t mtu = (env->settings.dtls_mtu > 0 ? env->settings.dtls_mtu : DTLS_MTU_DEFAULT) - RECORD_OVERHEAD;
    return (uint16_t)((mtu < SCTP_PACKET_MAX ? mtu : SCTP_PACKET_MAX) & ~3u);
}

/* False: at the limit (counted). */
static bool open_association(struct peer_data *data, usec_t now)
{
    struct peer_env *env = data->peer->env;
    const struct sctp_config config = {
        .remote_port = data->desc.remote_port,
        .mtu = mtu_of(env),
        .max_message_bytes = data->desc.receive_max,
        .remote_max_message_bytes = data->desc.send_max,
        .rng = env->rng,
        .shared = &env->sctp,
    };
    data->sctp = sctp_new(&env->associations, &config, now);
    if (data->sctp == NULL) {
        env->counters.data_refused++;
        return false;
    }
    dcep_init(&data->dcep, data->sctp, data->peer->dtls_client, data->desc.receive_max, &env->dcep);
    return true;
}

static void close_association(struct peer_data *data)
{
    if (data->sctp == NULL)
        return;
    dcep_fini(&data->dcep);
    sctp_free(data->sctp);
    data->sctp = NULL;
    data->up = data->held = false;
}

void peer_data_start(struct peer *peer, usec_t now)
{
    struct peer_data *data = peer->data;
    if (data == NULL || data->desc.state != DATA_AGREED || peer->phase != PEER_UP || data->sctp != NULL)
        return;
    if (!open_association(data, now))
        return;
    sctp_connect(data->sctp, now);
    mark_dirty(data);
}

/* ---- out ---- */

static void now_free(struct peer_data *data)
{
    data->full = false;
    data_port_free(&data->port);
}

static void drop_out(struct peer_data *data, struct data_out *out)
{
    list_del(&out->node);
    if (out->cost > 0)
        data->taken += out->cost;
    else
        data->outbox_bytes -= data_cost(out->size);
    mem_put(out);
}

static void empty_outbox(struct peer_data *data)
{
    LIST_EACH(it, &data->outbox)
        drop_out(data, CONTAINER_OF(it, struct data_out, node));
    data->given_up = false;
    now_free(data);
}

/* The channel of that label (webrtc.md 19): whoever opened it; of several the one with the protocol. `closing`: there is one, but
 * it is on its way out, and what was meant for it is not for the next of that name. */
static const struct dcep_channel *find_channel(const struct peer_data *data, struct view label, struct view protocol, bool *closing)
{
    const struct dcep_channel *found = NULL;
    *closing = false;
    for (const struct dcep_channel *channel = NULL; (channel = dcep_next(&data->dcep, channel)) != NULL;) {
        if (channel->label.size != label.size || (label.size > 0 && memcmp(channel->label.data, label.data, label.size) != 0))
            continue;
        if (channel->state == DCEP_CLOSING) {
            *closing = true;
            continue;
        }
        const bool same = channel->protocol.size == protocol.size &&
                          (protocol.size == 0 || memcmp(channel->protocol.data, protocol.data, protocol.size) == 0);
        if (found == NULL || same)
            found = channel;
        if (same)
            break;
    }
    return found;
}

/* ERR_FULL: later; other errors: never. */
static enum err send_now(struct peer_data *data, usec_t now, struct view label, struct view protocol, bool binary, struct view bytes)
{
    bool closing;
    uint16_t stream;
    const struct dcep_channel *channel = find_channel(data, label, protocol, &closing);
    if (channel == NULL && closing)
        return ERR_GONE;
    if (channel != NULL) {
        stream = channel->stream;
    } else {
        const struct dcep_open open = {.type = DCEP_RELIABLE, .priority = DCEP_PRIORITY_NORMAL, .label = label, .protocol = protocol};
        const enum err err = dcep_open(&data->dcep, now, &open, &stream);
        if (err == ERR_FULL && sctp_buffered(data->sctp) == 0)
            return ERR_GONE;                        /* no stream left: waiting would not help */
        if (err != ERR_NONE)
            return err;
    }
    return dcep_send(&data->dcep, now, stream, !binary, bytes);
}

static struct data_out *out_new(uint32_t cost, struct view label, struct view protocol, bool binary, struct view bytes)
{
    struct data_out *out = mem_get(sizeof(*out) + label.size + protocol.size + bytes.size);
    *out = (struct data_out){.cost = cost, .size = (uint32_t)bytes.size, .label_size = (uint8_t)label.size,
                             .protocol_size = (uint8_t)protocol.size, .binary = binary};
    uint8_t *at = out->bytes;
    const struct view parts[] = {label, protocol, bytes};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (parts[i].size > 0)
            memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    return out;
}

/* Sends what it can; what it can't goes into the outbox. False: lost. */
static bool send_or_keep(struct peer_data *data, usec_t now, uint32_t cost, struct view label, struct view protocol, bool binary,
                         struct view bytes)
{
    if (data->sctp == NULL)
        return false;
    mark_dirty(data);
    if (!data->reading && list_is_empty(&data->outbox)) {
        const enum err err = send_now(data, now, label, protocol, binary, bytes);
        if (err == ERR_NONE)
            data->taken += cost;
        if (err != ERR_FULL)
            return err == ERR_NONE;
    }
    struct data_out *out = out_new(cost, label, protocol, binary, bytes);
    list_add_tail(&data->outbox, &out->node);
    if (cost == 0)
        data->outbox_bytes += data_cost(bytes.size);
    return true;
}

static void serve_outbox(struct peer_data *data, usec_t now)
{
    while (!list_is_empty(&data->outbox)) {
        struct data_out *out = CONTAINER_OF(data->outbox.next, struct data_out, node);
        const struct view label = VIEW(out->bytes, out->label_size);
        const struct view protocol = VIEW(out->bytes + out->label_size, out->protocol_size);
        const struct view bytes = VIEW(out->bytes + out->label_size + out->protocol_size, out->size);
        const enum err err = send_now(data, now, label, protocol, out->binary, bytes);
        if (err == ERR_FULL)
            break;
        if (err != ERR_NONE)
            data->peer->env->counters.data_lost++;
        drop_out(data, out);
    }
    if (data->outbox_bytes > DATA_OUTBOX_FULL / 2)
        return;
    data->given_up = false;
    if (data->full)
        now_free(data);
}

void peer_data_send(struct peer *peer, usec_t now, const struct data_packet *packet)
{
    struct peer_data *data = peer->data;
    const struct view label = VIEW(packet->bytes, packet->label_size);
    const struct view protocol = VIEW(packet->bytes + packet->label_size, packet->protocol_size);
    const struct view bytes = VIEW(packet->bytes + packet->label_size + packet->protocol_size, packet->size);
    if (data != NULL && send_or_keep(data, now, packet->cost, label, protocol, packet->binary, bytes))
        return;
    peer->env->counters.data_lost++;
    if (data == NULL) {
        peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_DATA_TAKEN, .count = packet->cost});
        return;
    }
    data->taken += packet->cost;
    mark_dirty(data);
}

/* From the graph. Who has not come up yet, or has gone down, is no receiver. */
static bool port_send(struct data_port *port, usec_t now, struct view label, bool binary, struct view bytes)
{
    struct peer_data *data = CONTAINER_OF(port, struct peer_data, port);
    struct media_counters *counters = &data->peer->env->media->counters;
    const uint32_t most = data->given_up ? DATA_OUTBOX_FULL : DATA_OUTBOX_MAX;
    if (!data->up || !peer_is_up(data->peer))
        return false;
    if (data->outbox_bytes >= most || !send_or_keep(data, now, 0, label, VIEW(NULL, 0), binary, bytes))
        counters->data_lost++;
    else
        counters->data_out++;
    if (data->outbox_bytes < DATA_OUTBOX_FULL || data->given_up)
        return false;
    if (!data->full)
        data->full_since = now;
    data->full = true;
    return true;
}

static const struct data_port_ops port_ops = {.send = port_send};

struct data_port *peer_data_port(struct peer *peer)
{
    return peer->data == NULL ? NULL : &peer->data->port;
}

/* ---- in ---- */

static void update_hold(struct peer_data *data, usec_t now)
{
    if (data->sctp == NULL)
        return;
    const uint32_t window = data->held ? DATA_IN_WINDOW / 2 : DATA_IN_WINDOW;       /* opens again when half of it is free */
    const bool wanted = data->unread >= window || (data->source != NULL && data_source_waits(data->source));
    if (wanted == data->held)
        return;
    data->held = wanted;
    sctp_hold(data->sctp, now, wanted);
}

static void tell_control(struct peer_data *data, const struct dcep_event *event)
{
    const struct view label = event->channel->label, protocol = event->channel->protocol;
    struct data_packet *packet = mem_get(sizeof(*packet) + label.size + protocol.size + event->data.size);
    *packet = (struct data_packet){
        .cost = data_cost(event->data.size),
        .size = (uint32_t)event->data.size,
        .label_size = (uint8_t)label.size,
        .protocol_size = (uint8_t)protocol.size,
        .binary = !event->is_text,
    };
    uint8_t *at = packet->bytes;
    const struct view parts[] = {label, protocol, event->data};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (parts[i].size > 0)
            memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    data->unread += packet->cost;
    peer_tell(data->peer, &(struct peer_event){.kind = PEER_EVENT_DATA, .packet = packet});
}

static void on_message(struct peer_data *data, usec_t now, const struct dcep_event *event)
{
    data->reading = true;                           /* a sink of ours may be among the receivers */
    if (data->source != NULL)
        data_source_input(data->source, now, !event->is_text, event->data);
    data->reading = false;
    if (data->desc.to_control)
        tell_control(data, event);
    update_hold(data, now);
}

/* True: the egress batch is filling up, and there is more. */
static bool send_packets(struct peer_data *data, usec_t now)
{
    struct peer *peer = data->peer;
    struct sctp_tx tx;
    for (;;) {
        if (peer->env->egress.count >= EGRESS_FLUSH_AT)
            return true;
        if (!sctp_poll_tx(data->sctp, &tx))
            return false;
        (void)peer_send_record(peer, now, VIEW(tx.data, tx.size));
    }
}

static void on_up(struct peer_data *data)
{
    data->up = true;
    if (!data->told_up)
        peer_tell(data->peer, &(struct peer_event){.kind = PEER_EVENT_DATA_UP});
    data->told_up = true;
}

/* Its last word unless the other side has begun anew. Then ours is still there; else a new one is made that answers when it is
 * asked, and nothing of the old one is kept. */
static void on_down(struct peer_data *data, usec_t now, enum sctp_reason reason)
{
    data->up = false;
    empty_outbox(data);
    if (reason == SCTP_REASON_NONE)
        return;
    (void)send_packets(data, now);                  /* an ABORT of ours is its last word */
    close_association(data);
    if (data->desc.state != DATA_AGREED)
        return;
    (void)open_association(data, now);
    update_hold(data, now);
}

static void on_event(struct peer_data *data, usec_t now, const struct dcep_event *event)
{
    switch (event->kind) {
    case DCEP_EVENT_UP:
        on_up(data);
        break;
    case DCEP_EVENT_MESSAGE:
        on_message(data, now, event);
        break;
    case DCEP_EVENT_DOWN:
        on_down(data, now, event->reason);
        break;
    case DCEP_EVENT_CHANNEL_OPEN:
    case DCEP_EVENT_CHANNEL_CLOSED:
    case DCEP_EVENT_WRITABLE:
        break;                                      /* the outbox is looked at after every drain */
    }
}

/* Everything that the association has to say and to send. True: the egress batch is filling up, and there is more. */
static bool drain(struct peer_data *data, usec_t now)
{
    struct peer *peer = data->peer;
    struct dcep_event event;
    while (data->sctp != NULL && dcep_poll_event(&data->dcep, now, &event))
        on_event(data, now, &event);
    if (data->sctp != NULL)
        serve_outbox(data, now);
    if (data->taken >= DATA_TAKEN_STEP) {
        peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_DATA_TAKEN, .count = data->taken});
        data->taken = 0;
    }
    return data->sctp != NULL && send_packets(data, now);
}

void peer_data_input(struct peer *peer, usec_t now, struct view packet)
{
    struct peer_data *data = peer->data;
    if (data == NULL || data->sctp == NULL) {
        peer->env->counters.data_early++;
        return;
    }
    sctp_input(data->sctp, now, packet);
    if (drain(data, now))
        mark_dirty(data);
}

bool peer_data_turn(struct peer *peer, usec_t now)
{
    struct peer_data *data = peer->data;
    const struct peer_env *env = peer->env;
    if (data == NULL)
        return false;
    list_del(&data->dirty);
    if (env->touched != NULL && list_is_empty(&peer->face.touched))
        list_add_tail(env->touched, &peer->face.touched);
    update_hold(data, now);
    if (!drain(data, now))
        return false;
    mark_dirty(data);
    return true;
}

struct ref peer_data_waiting(const struct peer_env *env)
{
    if (list_is_empty(&env->data_dirty))
        return REF_NONE;
    return CONTAINER_OF(env->data_dirty.next, struct peer_data, dirty)->peer->face.name;
}

bool peer_data_flush(struct peer_env *env, usec_t now)
{
    while (!list_is_empty(&env->data_dirty))
        if (peer_data_turn(CONTAINER_OF(env->data_dirty.next, struct peer_data, dirty)->peer, now))
            return true;
    return false;
}

void peer_data_credit(struct peer *peer, uint32_t cost)
{
    struct peer_data *data = peer->data;
    if (data == NULL)
        return;
    data->unread -= cost < data->unread ? cost : data->unread;
    mark_dirty(data);
}

void peer_data_go_on(struct data_source *source)
{
    mark_dirty(source->origin);
}

/* ---- time ---- */

static usec_t patience_ends(const struct peer_data *data)
{
    return data->full && !data->given_up ? data->full_since + DATA_PATIENCE_US : USEC_NEVER;
}

usec_t peer_data_deadline(const struct peer *peer)
{
    const struct peer_data *data = peer->data;
    if (data == NULL || peer->phase != PEER_UP)
        return USEC_NEVER;
    return usec_min(patience_ends(data), data->sctp == NULL ? USEC_NEVER : sctp_deadline(data->sctp));
}

void peer_data_timeout(struct peer *peer, usec_t now)
{
    struct peer_data *data = peer->data;
    if (data == NULL)
        return;
    if (now >= patience_ends(data)) {
        data->given_up = true;
        now_free(data);
    }
    if (data->sctp == NULL || now < sctp_deadline(data->sctp))
        return;
    sctp_timeout(data->sctp, now);
    mark_dirty(data);
}

/* ---- what has been negotiated ---- */

static void drop_source(struct peer_data *data)
{
    if (data->source == NULL)
        return;
    slots_del(data->peer->env->data_sources, data->source->name);
    data_source_orphan(data->source);
    data->source = NULL;
}

static void apply_source(struct peer_data *data)
{
    struct peer_env *env = data->peer->env;
    if (data->source != NULL && !ref_equal(data->source->name, data->desc.source))
        drop_source(data);
    if (ref_is_none(data->desc.source) || data->source != NULL)
        return;
    struct data_source *source = data_source_new(env->media, data->desc.source);
    if (source == NULL) {
        env->counters.apply_full++;
        return;
    }
    if (!data_source_put(env->data_sources, source)) {
        data_source_free(source);
        env->counters.apply_full++;
        return;
    }
    source->origin = data;
    data->source = source;
}

static struct peer_data *data_new(struct peer *peer)
{
    struct peer_data *data = pool_get(&peer->env->datas);
    if (data == NULL) {
        peer->env->counters.data_refused++;
        return NULL;
    }
    data->peer = peer;
    data_port_init(&data->port, &port_ops);
    list_init(&data->outbox);
    list_init(&data->dirty);
    return data;
}

void peer_data_free(struct peer *peer)
{
    struct peer_data *data = peer->data;
    if (data == NULL)
        return;
    drop_source(data);
    LIST_EACH(it, &data->port.sinks) {
        struct data_sink *sink = CONTAINER_OF(it, struct data_sink, by_port);
        slots_del(peer->env->data_sinks, sink->name);
        data_sink_free(sink);
    }
    empty_outbox(data);
    close_association(data);
    list_del(&data->dirty);
    pool_put(&peer->env->datas, data);
    peer->data = NULL;
}

/* The line is gone, the PeerConnection is not. The other side is told; control gets its window back. Sinks stay, silent: control
 * has their names, and the line may come again. */
static void drop_line(struct peer *peer, usec_t now)
{
    struct peer_data *data = peer->data;
    data->desc = (struct peer_data_desc){.state = DATA_NONE};
    if (data->sctp != NULL) {
        sctp_abort(data->sctp, now);
        (void)drain(data, now);
    }
    close_association(data);
    drop_source(data);
    empty_outbox(data);
    data->unread = 0;
    data->told_up = false;
    if (data->taken > 0)
        peer_tell(peer, &(struct peer_event){.kind = PEER_EVENT_DATA_TAKEN, .count = data->taken});
    data->taken = 0;
    if (list_is_empty(&data->port.sinks))
        peer_data_free(peer);
}

void peer_data_apply(struct peer *peer, usec_t now, const struct peer_data_desc *desc)
{
    if (desc->state == DATA_NONE) {
        if (peer->data != NULL)
            drop_line(peer, now);
        return;
    }
    if (peer->data == NULL)
        peer->data = data_new(peer);
    struct peer_data *data = peer->data;
    if (data == NULL)
        return;
    const bool agreed = data->desc.state == DATA_AGREED;
    data->desc = *desc;
    if (agreed)
        data->desc.state = DATA_AGREED;             /* an offer of ours that waits does not end what there is */
    apply_source(data);
    if (data->sctp != NULL)
        sctp_set_remote_max(data->sctp, desc->send_max);
    peer_data_start(peer, now);
}
