/* Messages of data channels as datagrams (videoroom.md 6.1, 7). A forward of a data line sends each as it is; to another server
 * with an RTP header in front, whose SSRC says whose it is and whose type what it is, and cut to a packet. No datagram can be
 * told to wait: nobody is held up for the sake of a forward, and what comes in while a receiver is full is lost. */
#include <string.h>

#include "worker/worker_private.h"

#define UDP_PAYLOAD_MAX 65507u          /* RFC 768 in IPv4: 65,535 less both headers */
#define PT_TEXT         0u              /* videoroom.md 7 */
#define PT_BINARY       1u

/* -- out --------------------------------------------------------------------------------------------------------------------- */

/* A text ends with a whole character (RFC 3629 3: continuation bytes are 10xxxxxx). */
static size_t cut(bool binary, struct view bytes, size_t max)
{
    size_t size = bytes.size < max ? bytes.size : max;
    while (!binary && size > 0 && size < bytes.size && (bytes.data[size] & 0xC0) == 0x80)
        size--;
    return size;
}

static void send_enveloped(const struct outlet *outlet, bool binary, struct view bytes)
{
    struct worker *w = outlet->worker;
    const size_t size = cut(binary, bytes, DATA_ENVELOPED_MAX - DATA_ENVELOPE_BYTES);
    const struct rtp_header header = {.pt = binary ? PT_BINARY : PT_TEXT, .ssrc = outlet->order.options.ssrc};
    uint8_t *out = plain_reserve(w);
    rtp_write_header(out, RTP_HEADER_SIZE, &header);
    if (size > 0)
        memcpy(out + RTP_HEADER_SIZE, bytes.data, size);
    w->counters.plain_data_cut += size < bytes.size;
    plain_commit(w, &(struct plain_item){.plain = outlet->order.way.plain, .to = outlet->order.way.to, .size = (uint16_t)(RTP_HEADER_SIZE + size)});
}

static void send_bare(const struct outlet *outlet, struct view bytes)
{
    struct worker *w = outlet->worker;
    if (bytes.size > UDP_PAYLOAD_MAX) {
        w->counters.plain_too_large++;
        return;
    }
    if (bytes.size > EGRESS_PACKET) {
        plain_send_now(w, outlet->order.way.plain, &outlet->order.way.to, bytes);
        return;
    }
    uint8_t *out = plain_reserve(w);
    if (bytes.size > 0)
        memcpy(out, bytes.data, bytes.size);
    plain_commit(w, &(struct plain_item){.plain = outlet->order.way.plain, .to = outlet->order.way.to, .size = (uint16_t)bytes.size});
}

static bool outlet_send_data(struct data_port *port, usec_t now, struct view label, bool binary, struct view bytes)
{
    const struct outlet *outlet = CONTAINER_OF(port, struct outlet, data_port);
    (void)now;
    (void)label;
    if (outlet->order.options.enveloped)
        send_enveloped(outlet, binary, bytes);
    else if (bytes.size > 0)
        send_bare(outlet, bytes);
    return false;
}

static const struct data_port_ops outlet_data_ops = {.send = outlet_send_data};

bool outlet_start_data(struct outlet *outlet, struct data_source *source)
{
    data_port_init(&outlet->data_port, &outlet_data_ops);
    outlet->data = data_sink_new(&outlet->worker->media, REF_NONE, &outlet->data_port, VIEW(NULL, 0));
    if (outlet->data == NULL)
        return false;
    data_sink_set(outlet->data, source, false);
    return true;
}

/* -- in ---------------------------------------------------------------------------------------------------------------------- */

void inlet_data_input(struct inlet *inlet, usec_t now, const struct rtp_packet *packet)
{
    struct worker *w = inlet->worker;
    if (packet->pt > PT_BINARY) {
        w->counters.plain_strange++;
        return;
    }
    if (data_source_waits(inlet->data)) {
        w->counters.plain_data_lost++;
        return;
    }
    data_source_input(inlet->data, now, packet->pt == PT_BINARY, VIEW(packet->data + packet->payload_offset, packet->payload_size));
}
