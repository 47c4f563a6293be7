/* What io tells when it is asked for its numbers (base/metrics.h). */
#include "base/metrics.h"
#include "io/io_private.h"

#define IO(id, label, name) {METRIC_##id, label, offsetof(struct io_counters, name)}
static const struct metric_field io_fields[] = {
    IO(IO_REFUSED, "full", refused_full), IO(IO_REFUSED, "address", refused_address), IO(IO_REFUSED, "no_room", refused_no_room),
    IO(IO_REFUSED, "gone", accept_failed), IO(IO_REFUSED, "no_descriptor", accept_paused), IO(IO_REFUSED, "event_queues", queues_refused),
    IO(IO_EVENTS_DROPPED, "http", queues_piled), IO(IO_STALE, NULL, stale),
};

#define CLIENT(id, label, name) {METRIC_##id, label, offsetof(struct client_counters, name)}
static const struct metric_field client_fields[] = {
    CLIENT(IO_OPENED, NULL, opened), CLIENT(IO_WEBSOCKETS, NULL, websockets), CLIENT(IO_HTTP_REQUESTS, NULL, http_requests),
    CLIENT(IO_TEXTS, "in", texts), CLIENT(IO_TEXTS, "out", sent_texts), CLIENT(IO_PAUSED, NULL, paused),
    CLIENT(IO_REFUSED, "unauthorized", unauthorized), CLIENT(IO_EVENTS_DROPPED, "websocket", ended[CLIENT_END_EVENTS_PILED]),
};

void io_measure(void *owner, usec_t now, struct metrics *out)
{
    const struct io *io = owner;
    const struct clients *clients = &io->clients;
    (void)now;
    metrics_add(out, METRIC_IO_CLIENTS, NULL, NULL, io->slots.count);
    metrics_add(out, METRIC_IO_BYTES, "partial", NULL, clients->partial_bytes);
    metrics_add(out, METRIC_IO_BYTES, "queued", NULL, clients->queued_bytes);
    metrics_add(out, METRIC_IO_QUEUES, NULL, NULL, clients->events.pool.used);
    metrics_add_fields(out, io_fields, ARRAY_COUNT(io_fields), &io->counters);
    metrics_add_fields(out, client_fields, ARRAY_COUNT(client_fields), &clients->counters);
    for (unsigned end = 1; end < CLIENT_END_COUNT; end++)
        metrics_add(out, METRIC_IO_ENDED, client_end_name((enum client_end)end), NULL, clients->counters.ended[end]);
    metrics_add_pool(out, &io->client_pool);
    metrics_add_pool(out, &clients->http_pool);
    metrics_add_pool(out, &clients->tls_pool);
    metrics_add_pool(out, &clients->events.pool);
}
