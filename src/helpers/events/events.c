#include "helpers/events/events.h"

#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/str.h"
#include "helpers/events/event_text.h"
#include "helpers/events/evhost.h"
#include "msg/control.h"
#include "msg/io.h"
#include "msg/worker.h"

#define BODY_MAX   (1024u * 1024u)      /* of combined statistics */
#define ANSWER_MAX 4096u

/* Whose statistics they are. */
struct owner {
    struct map_node node;               /* in events.owners */
    struct peer_ref peer;
    int64_t session_id, handle_id;
    struct buf combined;                /* what has come of them so far, with events.combine_media_stats */
    struct json_out combining;
    bool begun;
    uint32_t opaque_size;
    char opaque_id[];
};

struct events {
    struct actor *actor;
    struct events_config config;
    struct rng rng;
    struct evhost hosts[EVENT_HANDLERS_MAX];
    struct map owners;
    struct buf body;
    uint16_t mask;                      /* of all handlers together */
    uint32_t taken_bytes;               /* to be told to control at the end of the turn */
    usec_t stop_at;                     /* USEC_NEVER: not stopping */
    struct events_counters counters;
};

/* ---- owners ---- */

static struct map_node *first_owner(const struct events *events, struct peer_ref peer)
{
    /* Only we choose these: nothing to key the hash for. */
    return map_first(&events->owners, ref_pack(peer.ref) * 31 + peer.worker);
}

static struct owner *find_owner(const struct events *events, struct peer_ref peer)
{
    for (struct map_node *node = first_owner(events, peer); node != NULL; node = map_next_same(node)) {
        struct owner *owner = CONTAINER_OF(node, struct owner, node);
        if (ref_equal(owner->peer.ref, peer.ref) && owner->peer.worker == peer.worker)
            return owner;
    }
    return NULL;
}

static void free_owner(struct events *events, struct owner *owner)
{
    map_del(&events->owners, &owner->node);
    buf_fini(&owner->combined);
    mem_put(owner);
}

static void on_peer(struct events *events, const struct event_peer *m, size_t size)
{
    if (size != sizeof(*m) + m->opaque_size) {
        events->counters.malformed++;
        return;
    }
    struct owner *owner = mem_get_zero(sizeof(*owner) + m->opaque_size);
    owner->peer = m->peer;
    owner->session_id = m->session_id;
    owner->handle_id = m->handle_id;
    owner->opaque_size = m->opaque_size;
    buf_init(&owner->combined, BODY_MAX);
    memcpy(owner->opaque_id, m->opaque_id, m->opaque_size);
    map_add(&events->owners, &owner->node, ref_pack(m->peer.ref) * 31 + m->peer.worker);
}

/* ---- events ---- */

static void tell(struct events *events, const struct event *event)
{
    for (uint32_t i = 0; i < events->config.handler_count; i++)
        if ((events->hosts[i].mask & event->type) != 0)
            evhost_take(&events->hosts[i], event);
}

static void on_notice(struct events *events, const struct event_notice *m, size_t size)
{
    if (size != sizeof(*m) + m->opaque_size + m->size) {
        events->counters.malformed++;
        return;
    }
    events->counters.notices++;
    const struct event event = {
        .emitter = events->config.emitter,
        .type = m->type,
        .subtype = m->subtype,
        .wall_us = m->wall_us,
        .session_id = m->session_id,
        .handle_id = m->handle_id,
        .opaque_id = VIEW(m->text, m->opaque_size),
        .body = VIEW(m->text + m->opaque_size, m->size),
    };
    tell(events, &event);
}

/* About a PeerConnection. */
static void tell_owned(struct events *events, const struct owner *owner, enum event_type type, uint16_t subtype, uint64_t wall_us, struct view body)
{
    const struct event event = {
        .emitter = events->config.emitter,
        .type = (uint16_t)type,
        .subtype = subtype,
        .wall_us = wall_us,
        .session_id = owner->session_id,
        .handle_id = owner->handle_id,
        .opaque_id = VIEW(owner->opaque_id, owner->opaque_size),
        .body = body,
    };
    tell(events, &event);
}

static void combine(struct events *events, struct owner *owner, const struct event_stats *m)
{
    if (!owner->begun) {
        buf_clear(&owner->combined);
        jout_begin(&owner->combining, &owner->combined, LAYOUT_COMPACT);
        jout_array(&owner->combining, NULL);
        owner->begun = true;
    }
    event_text_stats(&owner->combining, &m->stats);
    if (!m->last)
        return;
    jout_end(&owner->combining);
    owner->begun = false;
    if (!owner->combined.failed)
        tell_owned(events, owner, EVENT_MEDIA, EVENT_STATS, m->wall_us, buf_view(&owner->combined));
}

static void on_stats(struct events *events, const struct event_stats *m)
{
    struct owner *owner = find_owner(events, m->peer);
    if (owner == NULL) {
        events->counters.stats_stale++;
        return;
    }
    events->counters.stats++;
    if (events->config.combine_stats) {
        combine(events, owner, m);
        return;
    }
    struct json_out j;
    buf_clear(&events->body);
    jout_begin(&j, &events->body, LAYOUT_COMPACT);
    event_text_stats(&j, &m->stats);
    tell_owned(events, owner, EVENT_MEDIA, EVENT_STATS, m->wall_us, buf_view(&events->body));
}

/* An array, of one PeerConnection. */
static void on_last_stats(struct events *events, const struct event_stats *m, size_t size)
{
    for (size_t i = 0; i < size / sizeof(*m); i++)
        on_stats(events, &m[i]);
}

static void on_webrtc(struct events *events, const struct event_webrtc_fact *m)
{
    const struct owner *owner = find_owner(events, m->peer);
    struct json_out j;
    buf_clear(&events->body);
    jout_begin(&j, &events->body, LAYOUT_COMPACT);
    if (owner != NULL && event_text_webrtc(&j, m))
        tell_owned(events, owner, EVENT_WEBRTC, m->kind, m->wall_us, buf_view(&events->body));
}

static void on_peer_gone(struct events *events, const struct event_peer_gone *m)
{
    struct owner *owner = find_owner(events, m->peer);
    struct json_out j;
    if (owner == NULL)
        return;
    if (m->reason[0] != '\0') {
        buf_clear(&events->body);
        jout_begin(&j, &events->body, LAYOUT_COMPACT);
        jout_object(&j, NULL);
        jout_string(&j, "connection", "hangup");
        jout_string(&j, "reason", m->reason);
        jout_end(&j);
        tell_owned(events, owner, EVENT_WEBRTC, EVENT_CONNECTION, m->wall_us, buf_view(&events->body));
    }
    free_owner(events, owner);
}

/* ---- who wants what ---- */

static uint16_t all_masks(const struct events *events)
{
    uint16_t mask = 0;
    for (uint32_t i = 0; i < events->config.handler_count; i++)
        mask |= events->hosts[i].mask;
    return mask;
}

static void announce(struct events *events)
{
    const struct events_wanted wanted = {all_masks(events)};
    if (wanted.mask == events->mask)
        return;
    events->mask = wanted.mask;
    actor_send(events->actor, ACTOR_CONTROL, CONTROL_EVENTS_WANTED, &wanted, sizeof(wanted));
    actor_send(events->actor, ACTOR_IO, IO_EVENTS_WANTED, &wanted, sizeof(wanted));
    for (uint32_t i = 0; i < events->config.worker_count; i++)
        actor_send(events->actor, (actor_id)(ACTOR_WORKER_0 + i), WORKER_EVENTS_WANTED, &wanted, sizeof(wanted));
}

static struct evhost *host_of(struct events *events, struct view package)
{
    for (uint32_t i = 0; i < events->config.handler_count; i++)
        if (str_equal(package, str_of(events->hosts[i].desc->package)))
            return &events->hosts[i];
    return NULL;
}

static void on_query(struct events *events, struct ref op, const struct event_query *m, size_t size)
{
    struct buf text;
    if (size != sizeof(*m) + m->package_size + m->size) {
        events->counters.malformed++;
        return;
    }
    struct evhost *host = host_of(events, VIEW(m->text, m->package_size));
    buf_init(&text, ANSWER_MAX);
    if (host != NULL)
        evhost_query(host, VIEW(m->text + m->package_size, m->size), &text);
    else
        buf_add_text(&text, "{}");
    buf_add_char(&text, '\0');
    announce(events);
    actor_send_op(events->actor, ACTOR_CONTROL, CONTROL_EVENTS_ANSWER, op, text.data, text.size);
    buf_fini(&text);
}

/* ---- messages and turns ---- */

static struct evhost *running(struct events *events, uint32_t index)
{
    return index < events->config.handler_count && events->hosts[index].handler != NULL ? &events->hosts[index] : NULL;
}

static void on_addresses(struct events *events, usec_t now, const struct message *m)
{
    struct evhost *host = running(events, m->op.slot);
    if (host != NULL && host->desc->on_addresses != NULL)
        host->desc->on_addresses(host->handler, now, m->op.generation, m->payload);
}

static void on_shell(struct events *events, usec_t now, const struct message *m)
{
    struct evhost *host = running(events, m->op.slot);
    if (host != NULL && host->desc->on_message != NULL)
        host->desc->on_message(host->handler, now, m);
}

static void on_message(void *owner, usec_t now, const struct message *m)
{
    struct events *events = owner;
    static const size_t sizes[] = {
#define X(name, from, payload) [EVENTS_##name] = sizeof(payload),
        EVENTS_MESSAGES(X)
#undef X
    };
    if (m->type >= ARRAY_COUNT(sizes) || (m->size < sizes[m->type] && m->type != EVENTS_SHELL)) {
        events->counters.malformed++;
        return;
    }
    switch ((enum events_message)m->type) {
    case EVENTS_NONE: break;
    case EVENTS_NOTICE:
        on_notice(events, m->payload, m->size);
        events->taken_bytes += (uint32_t)m->size;
        break;
    case EVENTS_PEER: on_peer(events, m->payload, m->size); break;
    case EVENTS_PEER_GONE: on_peer_gone(events, m->payload); break;
    case EVENTS_STATS: on_last_stats(events, m->payload, m->size); break;
    case EVENTS_WEBRTC:
        on_webrtc(events, m->payload);
        events->taken_bytes += (uint32_t)m->size;
        break;
    case EVENTS_QUERY: on_query(events, m->op, m->payload, m->size); break;
    case EVENTS_ADDRESSES: on_addresses(events, now, m); break;
    case EVENTS_SHELL: on_shell(events, now, m); break;
    }
}

static void on_relay(void *owner, usec_t now, actor_id from, struct view record)
{
    struct events *events = owner;
    struct {
        _Alignas(8) uint8_t bytes[RELAY_RECORD_MAX];
    } copy;                             /* records need not be aligned */
    (void)now;
    const size_t least = from == ACTOR_IO ? sizeof(struct event_notice) : sizeof(struct event_stats);
    if (record.size < least || record.size > sizeof(copy)) {
        events->counters.malformed++;
        return;
    }
    memcpy(copy.bytes, record.data, record.size);
    if (from == ACTOR_IO)
        on_notice(events, (const void *)copy.bytes, record.size);
    else
        on_stats(events, (const void *)copy.bytes);
}

static void on_ready(void *owner, usec_t now, uint64_t token, uint32_t what)
{
    struct events *events = owner;
    struct evhost *host = running(events, (uint32_t)(token >> 32));
    if (host != NULL && host->desc->on_ready != NULL)
        host->desc->on_ready(host->handler, now, (int)(uint32_t)token, what);
}

static bool is_finished(struct evhost *host, usec_t now)
{
    const bool finished = host->desc->finish == NULL || host->desc->finish(host->handler, now);
    return finished && host->queued == 0;
}

static void on_turn(void *owner, usec_t now)
{
    struct events *events = owner;
    bool finished = events->stop_at != USEC_NEVER;
    for (uint32_t i = 0; i < events->config.handler_count; i++) {
        struct evhost *host = running(events, i);
        if (host == NULL)
            continue;
        if (host->desc->turn != NULL)
            host->desc->turn(host->handler, now);
        if (events->stop_at != USEC_NEVER)
            finished = is_finished(host, now) && finished;
    }
    if (events->taken_bytes > 0) {
        const struct events_taken taken = {events->taken_bytes};
        actor_send(events->actor, ACTOR_CONTROL, CONTROL_EVENTS_TAKEN, &taken, sizeof(taken));
        events->taken_bytes = 0;
    }
    if (finished || now >= events->stop_at)
        actor_stop(events->actor);
}

static usec_t deadline(void *owner)
{
    const struct events *events = owner;
    usec_t first = events->stop_at;
    for (uint32_t i = 0; i < events->config.handler_count; i++) {
        const struct evhost *host = &events->hosts[i];
        if (host->handler != NULL && host->desc->deadline != NULL)
            first = usec_min(first, host->desc->deadline(host->handler));
    }
    return first;
}

static void on_start(void *owner, usec_t now)
{
    struct events *events = owner;
    for (uint32_t i = 0; i < events->config.handler_count; i++) {
        struct evhost *host = running(events, i);
        if (host != NULL && host->desc->start != NULL)
            host->desc->start(host->handler, now);
    }
}

static void on_stop(void *owner, usec_t now)
{
    struct events *events = owner;
    events->stop_at = now + EVENTS_STOP_US;
    on_turn(events, now);
}

static const char *type_name(uint16_t type)
{
    static const char *const names[] = {
        [EVENTS_NONE] = "NONE",
#define X(name, from, payload) [EVENTS_##name] = #name,
        EVENTS_MESSAGES(X)
#undef X
    };
    return type < ARRAY_COUNT(names) ? names[type] : "?";
}

static void measure(void *owner, usec_t now, struct metrics *out)
{
    const struct events *events = owner;
    (void)now;
    for (uint32_t i = 0; i < events->config.handler_count; i++) {
        const struct evhost *host = &events->hosts[i];
        const char *package = host->desc->package;
        metrics_add(out, METRIC_HANDLER_EVENTS, package, "wanted", host->counters.events);
        metrics_add(out, METRIC_HANDLER_EVENTS, package, "sent", host->counters.sent);
        metrics_add(out, METRIC_HANDLER_EVENTS, package, "dropped", host->counters.dropped);
        metrics_add(out, METRIC_HANDLER_EVENTS, package, "lost", host->counters.lost);
        metrics_add(out, METRIC_HANDLER_EVENTS, package, "retries", host->counters.retries);
        metrics_add(out, METRIC_HANDLER_QUEUED, package, NULL, host->queued);
    }
}

const struct actor_ops events_ops = {
    .on_start = on_start,
    .on_message = on_message,
    .on_relay = on_relay,
    .on_ready = on_ready,
    .on_turn = on_turn,
    .deadline = deadline,
    .on_stop = on_stop,
    .type_name = type_name,
    .measure = measure,
};

/* ---- life ---- */

static const struct conf_node *general_of(const struct events_handler *handler)
{
    return conf_get(handler->conf, "general");
}

bool events_wanted_by(const struct events_config *config)
{
    for (uint32_t i = 0; i < config->handler_count; i++)
        if (conf_bool(general_of(&config->handlers[i]), "enabled", false))
            return true;
    return false;
}

struct events *events_new(struct actor *actor, const struct events_config *config)
{
    struct events *events = mem_get_zero(sizeof(*events));
    events->actor = actor;
    events->config = *config;
    events->stop_at = USEC_NEVER;
    rng_init(&events->rng, config->entropy, config->entropy_source);
    map_init(&events->owners);
    buf_init(&events->body, BODY_MAX);
    for (uint32_t i = 0; i < config->handler_count; i++) {
        struct evhost *host = &events->hosts[i];
        *host = (struct evhost){
            .events = events,
            .actor = actor,
            .rng = &events->rng,
            .emitter = config->emitter,
            .desc = config->handlers[i].desc,
            .index = i,
        };
        evhost_open(host, general_of(&config->handlers[i]));
    }
    events->mask = all_masks(events);
    return events;
}

void events_free(struct events *events)
{
    if (events == NULL)
        return;
    for (uint32_t i = 0; i < events->config.handler_count; i++)
        evhost_close(&events->hosts[i]);
    struct map_node *next;
    for (struct map_node *node = map_each(&events->owners, NULL); node != NULL; node = next) {
        next = map_each(&events->owners, node);
        free_owner(events, CONTAINER_OF(node, struct owner, node));
    }
    map_fini(&events->owners);
    buf_fini(&events->body);
    mem_put(events);
}

uint16_t events_mask(const struct events *events)
{
    return events->mask;
}

const struct events_counters *events_counters(const struct events *events)
{
    return &events->counters;
}

const struct evhost_counters *events_handler_counters(const struct events *events, const char *package)
{
    for (uint32_t i = 0; i < events->config.handler_count; i++)
        if (strcmp(events->hosts[i].desc->package, package) == 0)
            return &events->hosts[i].counters;
    return NULL;
}
