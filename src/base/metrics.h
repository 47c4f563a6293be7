/* base/metrics.h - what the server tells of itself in numbers: the list of all metrics, and the snapshot that an actor fills when it
 * is asked (runtime/actor.h, measure). Counters stay where they are counted; a snapshot copies them. Pure.
 *
 *   metrics_add(s, METRIC_CONTROL_SESSIONS, NULL, NULL, count);
 *   metrics_add(s, METRIC_IO_ENDED, "TOO_BIG", NULL, count);      label values: words of ours, never what a client chose
 *   metrics_write(&text, parts, part_count);                      the text format of Prometheus, version 0.0.4 */
#pragma once

#include "base/buf.h"
#include "base/histogram.h"
#include "base/pool.h"

/* SECONDS: a counter of microseconds that is told in seconds. */
enum metric_kind { METRIC_KIND_COUNTER, METRIC_KIND_GAUGE, METRIC_KIND_SECONDS, METRIC_KIND_HISTOGRAM };

/* name in C, kind, does it say which actor, name outside, its two labels (NULL: none), help */
#define METRICS(X)                                                                                                                     \
    X(INFO, GAUGE, false, "cardea_info", "version", "commit", "Always 1; which build this is.")                                        \
    X(PROCESS_MEMORY, GAUGE, false, "process_resident_memory_bytes", NULL, NULL, "Memory in use.")                                     \
    X(MEMORY_LIMIT, GAUGE, false, "cardea_memory_limit_bytes", NULL, NULL, "What the pools were sized for.")                           \
    X(PROCESS_FDS, GAUGE, false, "process_open_fds", NULL, NULL, "Descriptors in use.")                                                \
    X(PROCESS_FDS_MAX, GAUGE, false, "process_max_fds", NULL, NULL, "Descriptors allowed.")                                            \
    X(PROCESS_CPU, SECONDS, false, "process_cpu_seconds_total", NULL, NULL, "Time of all cores, system calls included.")               \
    X(PROCESS_START, GAUGE, false, "process_start_time_seconds", NULL, NULL, "Since 1970.")                                            \
    X(DRAINING, GAUGE, false, "cardea_draining", NULL, NULL, "1 while the server waits for its sessions to end.")                      \
    X(LOG_LOST, COUNTER, false, "cardea_log_lines_lost_total", NULL, NULL, "Lines that came faster than they could be written.")       \
    /* every actor */                                                                                                                  \
    X(ACTOR_TURN, HISTOGRAM, true, "cardea_actor_turn_seconds", NULL, NULL, "How long turns took; the sum is the time at work.")       \
    X(ACTOR_MESSAGES, COUNTER, true, "cardea_actor_messages_total", NULL, NULL, "Messages handled.")                                   \
    X(ACTOR_SPILLED, COUNTER, true, "cardea_actor_messages_spilled_total", NULL, NULL, "Messages sent while the ring was full.")       \
    X(ACTOR_SPILL_NOW, GAUGE, true, "cardea_actor_messages_spilled_now", NULL, NULL, "Messages that wait for room in a ring.")         \
    X(ACTOR_RING, GAUGE, true, "cardea_actor_ring_messages", NULL, NULL, "Messages unread in its fullest ring.")                       \
    X(ACTOR_RING_SIZE, GAUGE, true, "cardea_actor_ring_messages_max", NULL, NULL, "Room of a ring.")                                   \
    X(ACTOR_LANE, GAUGE, true, "cardea_actor_lane_bytes", NULL, NULL, "Bytes unread in its fullest lane (media, log lines).")          \
    X(ACTOR_RELAY_DROPPED, COUNTER, true, "cardea_actor_records_dropped_total", NULL, NULL, "Records that found a lane full.")         \
    X(ACTOR_TO_NOBODY, COUNTER, true, "cardea_actor_messages_to_nobody_total", NULL, NULL, "Messages to an actor that is not there.")  \
    X(ACTOR_WAKES, COUNTER, true, "cardea_actor_wakes_total", NULL, NULL, "Other actors woken.")                                       \
    X(ACTOR_LONG, COUNTER, true, "cardea_actor_long_turns_total", NULL, NULL, "Turns above 1 ms.")                                     \
    X(POOL_USED, GAUGE, true, "cardea_pool_used", "pool", NULL, "Objects in use.")                                                     \
    X(POOL_LIMIT, GAUGE, true, "cardea_pool_limit", "pool", NULL, "Objects that there may be.")                                        \
    X(POOL_REFUSED, COUNTER, true, "cardea_pool_refused_total", "pool", NULL, "Objects that found the pool full.")                     \
    /* io */                                                                                                                           \
    X(IO_CLIENTS, GAUGE, false, "cardea_client_connections", NULL, NULL, "Connections of clients.")                                    \
    X(IO_OPENED, COUNTER, false, "cardea_client_connections_total", NULL, NULL, "Connections taken.")                                  \
    X(IO_ENDED, COUNTER, false, "cardea_client_connections_ended_total", "cause", NULL, "Connections that have ended.")                \
    X(IO_REFUSED, COUNTER, false, "cardea_client_connections_refused_total", "cause", NULL, "Connections or requests refused, or waiting.") \
    X(IO_WEBSOCKETS, COUNTER, false, "cardea_websocket_handshakes_total", NULL, NULL, "WebSockets opened.")                            \
    X(IO_HTTP_REQUESTS, COUNTER, false, "cardea_http_requests_total", NULL, NULL, "Heads of HTTP requests, upgrades included.")        \
    X(IO_TEXTS, COUNTER, false, "cardea_client_texts_total", "direction", NULL, "API texts from and to clients.")                      \
    X(IO_PAUSED, COUNTER, false, "cardea_client_pauses_total", NULL, NULL, "Times that a client was not read on for want of credits.") \
    X(IO_BYTES, GAUGE, false, "cardea_client_waiting_bytes", "where", NULL, "Texts that are not whole yet, or not written yet.")       \
    X(IO_QUEUES, GAUGE, false, "cardea_event_queues", NULL, NULL, "Sessions that are driven over HTTP.")                               \
    X(IO_EVENTS_DROPPED, COUNTER, false, "cardea_event_queues_dropped_total", "cause", NULL, "Clients given up with their events.")     \
    X(IO_STALE, COUNTER, false, "cardea_client_stale_total", NULL, NULL, "Messages for clients that were gone.")                       \
    /* control */                                                                                                                      \
    X(SESSIONS, GAUGE, false, "cardea_sessions", NULL, NULL, "Sessions.")                                                              \
    X(HANDLES, GAUGE, false, "cardea_handles", "plugin", NULL, "Handles.")                                                             \
    X(ROOMS, GAUGE, false, "cardea_rooms", "plugin", NULL, "Rooms.")                                                                   \
    X(PCS, GAUGE, false, "cardea_peerconnections", NULL, NULL, "PeerConnections, closing ones included.")                              \
    X(STREAMS, GAUGE, false, "cardea_streams", "kind", NULL, "What is received, sent, forwarded and recorded.")                        \
    X(ACCEPTING, GAUGE, false, "cardea_accepting_sessions", NULL, NULL, "1 when new sessions are accepted.")                           \
    X(SESSIONS_TOTAL, COUNTER, false, "cardea_sessions_total", "what", NULL, "What has become of sessions.")                           \
    X(PCS_TOTAL, COUNTER, false, "cardea_peerconnections_total", "what", NULL, "PeerConnections opened and closed.")                   \
    X(REQUEST, HISTOGRAM, false, "cardea_request_seconds", "verb", "plugin", "From the arrival of a request to its reply.")            \
    X(REQUEST_ERRORS, COUNTER, false, "cardea_request_errors_total", "code", NULL, "Replies that are errors.")                         \
    X(REFUSED, COUNTER, false, "cardea_refused_total", "cause", NULL, "What was refused.")                                             \
    X(EVENTS, COUNTER, false, "cardea_events_total", NULL, NULL, "Events sent to clients.")                                            \
    X(CONTROL_DROPS, COUNTER, false, "cardea_control_drops_total", "cause", NULL, "What found nobody.")                                \
    X(OPERATIONS, COUNTER, false, "cardea_operations_total", "what", NULL, "Requests that had to wait.")                               \
    X(CANDIDATES, COUNTER, false, "cardea_candidates_total", "what", NULL, "ICE candidates of clients.")                               \
    X(RECORDINGS, COUNTER, false, "cardea_recordings_total", "what", NULL, "Recordings of streams.")                                   \
    /* event handlers */                                                                                                               \
    X(HANDLER_EVENTS, COUNTER, false, "cardea_event_handler_events_total", "handler", "what", "Events for event handlers.")            \
    X(HANDLER_QUEUED, GAUGE, false, "cardea_event_handler_queue", "handler", NULL, "Events that wait for an event handler.")           \
    /* workers */                                                                                                                      \
    X(UDP_PACKETS, COUNTER, true, "cardea_udp_packets_total", "direction", NULL, "Datagrams of PeerConnections.")                      \
    X(UDP_BYTES, COUNTER, true, "cardea_udp_bytes_total", "direction", NULL, "Their bytes.")                                           \
    X(UDP_DROPS, COUNTER, true, "cardea_udp_drops_total", "cause", NULL, "Datagrams lost at our sockets.")                             \
    X(MEDIA_PACKETS, COUNTER, true, "cardea_media_packets_total", "direction", NULL, "RTP packets into and out of the media graph.")   \
    X(MEDIA_DROPS, COUNTER, true, "cardea_media_drops_total", "cause", NULL, "RTP packets that a receiver did not get.")               \
    X(MEDIA_LOST, COUNTER, true, "cardea_media_lost_total", "direction", NULL, "RTP packets lost in the network.")                     \
    X(NACKS, COUNTER, true, "cardea_nacks_total", "what", NULL, "Packets asked for again.")                                            \
    X(KEYFRAMES, COUNTER, true, "cardea_keyframe_requests_total", "what", NULL, "Keyframes asked for.")                                \
    X(RTT, HISTOGRAM, true, "cardea_rtt_seconds", NULL, NULL, "Round trips, as receivers' reports give them.")                         \
    X(JITTER, HISTOGRAM, true, "cardea_jitter_seconds", "direction", NULL, "Jitter: ours each second, the others' as reported.")       \
    X(PEER_DROPS, COUNTER, true, "cardea_peer_drops_total", "cause", NULL, "Packets of PeerConnections not used.")                     \
    X(WORKER_DROPS, COUNTER, true, "cardea_worker_drops_total", "cause", NULL, "Datagrams and orders not used.")                       \
    X(STUN, COUNTER, true, "cardea_stun_total", "what", NULL, "ICE checks.")                                                           \
    X(DATA_MESSAGES, COUNTER, true, "cardea_data_messages_total", "what", NULL, "Messages of data channels in the media graph.")       \
    X(RELAYED, COUNTER, true, "cardea_relay_packets_total", NULL, NULL, "Packets from other workers.")                                 \
    /* of the scrape itself: written by who has made it */                                                                             \
    X(SCRAPE_MISSING, COUNTER, false, "cardea_scrape_missing_total", NULL, NULL, "Actors that did not answer a scrape in time.")       \
    X(SCRAPE_UP, GAUGE, true, "cardea_actor_up", NULL, NULL, "1: the actor has answered this scrape.")                                 \
    X(SCRAPE_LEFT_OUT, COUNTER, false, "cardea_scrape_left_out_total", NULL, NULL, "Values that found no room in a snapshot.")

enum metric {
#define X(id, kind, by_actor, name, label1, label2, help) METRIC_##id,
    METRICS(X)
#undef X
    METRIC_COUNT,
};

#define METRIC_LABEL_ROOM  36u          /* a longer label value is cut */
#define METRICS_VALUES_MAX 384u         /* of one actor; more are left out, and counted */
#define METRICS_TIMES_MAX  96u
#define METRICS_PARTS_MAX  80u          /* actors */

struct metric_value {
    uint16_t metric;                    /* enum metric */
    char labels[2][METRIC_LABEL_ROOM];
    uint64_t value;
};

struct metric_times {
    uint16_t metric;
    char labels[2][METRIC_LABEL_ROOM];
    struct histogram times;
};

/* What an actor says at one moment. Comes zeroed. */
struct metrics {
    uint32_t count, times_count;
    uint32_t left_out;
    struct metric_value values[METRICS_VALUES_MAX];
    struct metric_times times[METRICS_TIMES_MAX];
};

/* A label that the metric does not have is NULL. */
void metrics_add(struct metrics *m, enum metric metric, const char *label1, const char *label2, uint64_t value);
void metrics_add_times(struct metrics *m, enum metric metric, const char *label1, const char *label2, const struct histogram *times);
void metrics_add_pool(struct metrics *m, const struct pool *pool);

/* Counters that stand in a struct, by name: all of one metric. */
struct metric_field {
    enum metric metric;
    const char *label;                  /* NULL: none */
    size_t offset;                      /* of a uint64_t */
};
void metrics_add_fields(struct metrics *m, const struct metric_field *fields, size_t count, const void *counters);

struct metrics_part {
    const char *actor;                  /* its name */
    const struct metrics *metrics;
};

/* The value of one that has no labels; false: it isn't there. */
bool metrics_get(const struct metrics *m, enum metric metric, uint64_t *value);

void metrics_write(struct buf *out, const struct metrics_part *parts, uint32_t part_count);
