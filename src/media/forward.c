#include "media/forward.h"

#include "media/source.h"

void forward_attach(struct forward *forward, struct source *source, uint8_t layer, struct port *port)
{
    *forward = (struct forward){.source = source, .port = port, .layer = layer};
    list_add_tail(&source->forwards, &forward->by_source);
}

void forward_detach(struct forward *forward)
{
    if (forward->source == NULL)
        return;
    list_del(&forward->by_source);
    forward->source = NULL;
}

/* A new epoch's numbers have nothing to do with the old one's: they go out as they are. */
static void begin(struct forward *forward, const struct media_packet *packet)
{
    if (forward->started && forward->epoch == packet->epoch)
        return;
    forward->started = true;
    forward->epoch = packet->epoch;
    seqmap_rebase(&forward->seqs, packet->seq, packet->seq);
}

void forward_offer(struct forward *forward, const struct media_packet *packet)
{
    if (packet->layer != forward->layer || !forward->port->ops->is_ready(forward->port))
        return;
    begin(forward, packet);
    struct port_packet out = {
        .ts = packet->ts,
        .pt = packet->pt,
        .marker = packet->marker,
        .source_pt = packet->pt,
        .raw = packet->raw,
        .payload = {packet->payload, packet->payload_size},
        .ext = &packet->ext,
    };
    if (packet->payload_size == 0)
        seqmap_drop(&forward->seqs, packet->seq);
    else if (seqmap_get(&forward->seqs, packet->seq, &out.seq))
        forward->port->ops->send(forward->port, packet->arrived, &out);
    else
        forward->source->media->counters.dropped_late++;
}
