#include "control/control.h"

#include "base/mem.h"
#include "base/str.h"
#include "control/admin_wait.h"
#include "control/caller.h"
#include "control/drain.h"
#include "control/fact.h"
#include "control/handle.h"
#include "control/host.h"
#include "control/measure.h"
#include "control/notify.h"
#include "control/op.h"
#include "control/pc.h"
#include "control/plain.h"
#include "control/record.h"
#include "control/session.h"
#include "control/state.h"
#include "control/tokens.h"
#include "msg/io.h"

static void renew_budgets(struct control *c)
{
    c->documents_left = DOCUMENTS_PER_TURN;
    c->long_parsed = false;
    c->bytes_left = PARSE_BYTES_PER_TURN;
    c->closings_left = HANDLES_CLOSED_PER_TURN;
}

/* -- made and freed on the main thread ------------------------------------------------------------------------------------- */

#define FINGERPRINT_BYTES 32u           /* SHA-256 */

/* "AB:CD:.." */
static bool is_fingerprint(const char *text)
{
    struct view left = str_of(text);
    uint32_t bytes = 0;
    while (left.size > 0) {
        uint64_t byte;
        struct view pair = str_split(&left, ':');
        if (pair.size != 2 || !str_hex_u64(pair, &byte))
            return false;
        bytes++;
    }
    return bytes == FINGERPRINT_BYTES;
}

static bool config_is_usable(const struct control_config *config)
{
    if (config->worker_count == 0 || config->worker_count > ACTOR_WORKERS_MAX)
        return false;
    for (uint32_t i = 0; i < config->worker_count; i++)
        if (config->workers[i].socket_count > CONTROL_SOCKETS_MAX)
            return false;
    return is_fingerprint(config->fingerprint);
}

/* Without any address a description still needs one (config-core.md 3, `interface`). */
static struct net_addr find_local_ip(const struct control_config *config)
{
    struct net_addr ip = config->local_ip;
    if (ip.family == NET_NONE && config->workers[0].socket_count > 0)
        ip = config->workers[0].sockets[0];
    if (ip.family == NET_NONE)
        (void)net_ip_parse(&ip, STR("127.0.0.1"));
    return ip;
}

const struct control_limits control_limits_default = {
    .clients = CLIENTS_MAX, .sessions = SESSIONS_MAX, .handles = HANDLES_MAX, .sources = SOURCES_MAX, .sinks = SINKS_MAX,
};

static void init_tables(struct control *c)
{
    const struct control_limits *limits = &c->config.limits;
    uint32_t workers = c->config.worker_count;
    uint32_t peers = c->config.peers_per_worker > 0 ? c->config.peers_per_worker : PEERS_PER_WORKER_MAX;
    pool_init(&c->callers, "clients", sizeof(struct caller), limits->clients);
    pool_init(&c->sessions, "sessions", sizeof(struct session), limits->sessions);
    pool_init(&c->handles, "handles", sizeof(struct handle), limits->handles);
    pool_init(&c->pcs, "PeerConnections", sizeof(struct pc), workers * peers);
    pool_init(&c->sources, "sources", sizeof(struct source), limits->sources);
    pool_init(&c->sinks, "sinks", sizeof(struct sink), limits->sinks);
    pool_init(&c->plains, "plain sockets", sizeof(struct plain), PLAINS_MAX);
    pool_init(&c->forwards, "forwards", sizeof(struct forward), FORWARDS_MAX);
    pool_init(&c->recordings, "recordings", sizeof(struct recording), RECORDINGS_MAX);
    map_init(&c->callers_by_ref);
    map_init(&c->tokens);
    map_init(&c->sessions_by_id);
    map_init(&c->handles_by_id);
    slots_init(&c->handle_names, limits->handles);
    slots_init(&c->source_names, limits->sources);
    slots_init(&c->sink_names, limits->sinks);
    slots_init(&c->plain_names, PLAINS_MAX);
    slots_init(&c->forward_names, FORWARDS_MAX);
    slots_init(&c->recording_names, RECORDINGS_MAX);
    timerq_init(&c->expiries);
    ops_init(c);
    admin_waits_init(c);
    list_init(&c->busy);
    list_init(&c->busy_long);
    list_init(&c->ending);
    list_init(&c->deferred);
    buf_init(&c->text, sizeof(struct io_send) + TEXT_BYTES_MAX);
    buf_init(&c->reply, TEXT_BYTES_MAX);
    buf_init(&c->sdp, SDP_TEXT_BYTES_MAX);
    buf_init(&c->wire, NEGOTIATE_WIRE_BYTES_MAX);
    buf_init(&c->notice, TEXT_BYTES_MAX);
    c->seats = mem_get_zero(workers * sizeof(*c->seats));
    for (uint32_t i = 0; i < workers; i++)
        slots_init(&c->seats[i].peers, peers);
}

struct control *control_new(struct actor *actor, const struct control_config *config)
{
    struct control *c = mem_get_zero(sizeof(*c));
    c->actor = actor;
    c->config = *config;
    c->settings = config->settings;
    if (c->config.limits.handles == 0)
        c->config.limits = control_limits_default;
    if (!config_is_usable(config)) {
        LOG_ERR(actor, "Control can't start: no worker, too many of them or of their sockets, or no certificate fingerprint");
        mem_put(c);
        return NULL;
    }
    c->local_ip = find_local_ip(config);
    c->public_ips = c->settings->nat_1_1_mapping;
    c->adjustable = (struct adjustable){
        .session_timeout_s = c->settings->session_timeout_s,
        .min_nack_queue_ms = c->settings->min_nack_queue_ms,
        .no_media_timer_s = c->settings->no_media_timer_s,
        .slowlink_threshold = c->settings->slowlink_threshold,
        .nack_optimizations = c->settings->nack_optimizations,
        .log_timestamps = c->settings->debug_timestamps,
        .log_colors = c->settings->debug_colors,
        .accepting = true,
    };
    rng_init(&c->rng, config->entropy, config->entropy_source);
    rng_bytes(&c->rng, &c->key, sizeof(c->key));
    tally_init(&c->per_address, &c->key, c->settings->max_sessions_per_address, c->config.limits.sessions);
    renew_budgets(c);
    c->next_tick = USEC_NEVER;
    c->events_mask = config->events_mask;
    c->stop_deadline = USEC_NEVER;
    init_tables(c);
    hosts_start(c);
    return c;
}

static void close_everything(struct control *c)
{
    c->freeing = true;
    sessions_end_all(c);
    c->closings_left = UINT32_MAX;
    sessions_end_some(c);
    callers_drop(c);
}

/* Workers are gone: PeerConnections that still wait for their PEER_CLOSED end here. */
static void drop_closing(struct control *c)
{
    for (uint32_t i = 0; i < c->config.worker_count; i++) {
        struct slots *peers = &c->seats[i].peers;
        for (uint32_t at = slots_next(peers, 0); at != UINT32_MAX; at = slots_next(peers, at + 1))
            pc_free(c, peers->table[at].object);
        CHECK(peers->count == 0);
        slots_fini(peers);
    }
    mem_put(c->seats);
}

void control_free(struct control *c)
{
    if (c == NULL)
        return;
    close_everything(c);
    drop_closing(c);
    hosts_stop(c);
    CHECK(c->held_count == 0);
    mem_put(c->held);
    buf_fini(&c->text);
    buf_fini(&c->reply);
    buf_fini(&c->sdp);
    buf_fini(&c->wire);
    drain_fini(c);
    buf_fini(&c->notice);
    ops_fini(c);
    admin_waits_fini(c);
    timerq_fini(&c->expiries);
    tally_fini(&c->per_address);
    slots_fini(&c->handle_names);
    slots_fini(&c->source_names);
    slots_fini(&c->sink_names);
    slots_fini(&c->plain_names);
    slots_fini(&c->forward_names);
    slots_fini(&c->recording_names);
    map_fini(&c->callers_by_ref);
    tokens_drop(c);
    map_fini(&c->tokens);
    map_fini(&c->sessions_by_id);
    map_fini(&c->handles_by_id);
    pool_fini(&c->callers);
    pool_fini(&c->sessions);
    pool_fini(&c->handles);
    pool_fini(&c->pcs);
    pool_fini(&c->sources);
    pool_fini(&c->sinks);
    pool_fini(&c->plains);
    pool_fini(&c->forwards);
    pool_fini(&c->recordings);
    mem_put(c);
}

const struct control_counters *control_counters(const struct control *c)
{
    return &c->counters;
}

bool control_is_accepting(const struct control *c)
{
    return c->adjustable.accepting && !c->draining && !c->stopping && !c->memory_short;
}

struct control_sizes control_sizes(const struct control *c)
{
    return (struct control_sizes){
        .clients = c->callers.used,
        .sessions = c->sessions.used,
        .handles = c->handles.used,
        .sources = c->sources.used,
        .sinks = c->sinks.used,
        .plains = c->plains.used,
        .forwards = c->forwards.used,
        .pcs = c->pcs.used,
        .pcs_closing = c->pcs_closing,
        .ops = c->ops.used,
        .recordings = c->recordings.used,
    };
}

/* -- messages ---------------------------------------------------------------------------------------------------------------- */

static void on_client_request(struct control *c, const struct message *m)
{
    const struct client_request *request = m->payload;
    if (request->size != m->size - sizeof(*request))
        c->counters.malformed_messages++;
    else
        caller_text(c, m);
}

static void on_memory(struct control *c, const struct memory_state *state)
{
    c->memory_short = state->is_short;
}

static void on_message(void *owner, usec_t now, const struct message *m)
{
    struct control *c = owner;
    CHECK_OWNER(c->actor);
    c->now = now;
    /* A payload that is too short would be our own mistake; it must not be read all the same. */
    static const size_t sizes[] = {
#define X(name, from, payload) [CONTROL_##name] = sizeof(payload),
        CONTROL_MESSAGES(X)
#undef X
    };
    if (m->type >= ARRAY_COUNT(sizes) || m->type == CONTROL_NONE || m->size < sizes[m->type]) {
        c->counters.malformed_messages++;
        return;
    }
    switch ((enum control_message)m->type) {
    case CONTROL_NONE: break;
    case CONTROL_CLIENT_REQUEST: on_client_request(c, m); break;
    case CONTROL_CLIENT_GONE: caller_gone(c, ((const struct client_gone *)m->payload)->client); break;
    case CONTROL_PEER_UP: fact_peer_up(c, m->payload); break;
    case CONTROL_PEER_HANGUP: fact_peer_hangup(c, m->payload); break;
    case CONTROL_PEER_CLOSED: fact_peer_closed(c, m->payload); break;
    case CONTROL_PEER_ICE_FAILED: fact_peer_ice_failed(c, m->payload); break;
    case CONTROL_PEER_MEDIA: fact_peer_media(c, m->payload); break;
    case CONTROL_PEER_SLOWLINK: fact_peer_slowlink(c, m->payload); break;
    case CONTROL_SINK_LAYER: fact_sink_layer(c, m->payload); break;
    case CONTROL_SOURCE_LEVEL: fact_source_level(c, m->payload); break;
    case CONTROL_WORKER_SRFLX: fact_worker_srflx(c, m->payload); break;
    case CONTROL_PLAIN_OPENED: fact_plain_opened(c, m->op, m->payload); break;
    case CONTROL_NAME_FOUND: fact_name_found(c, m->op, m->payload); break;
    case CONTROL_DRAIN: drain_begin(c, m->payload); break;
    case CONTROL_MEMORY: on_memory(c, m->payload); break;
    case CONTROL_DISK_DONE: fact_disk_done(c, m->op, m->payload); break;
    case CONTROL_PEER_DATA_UP: fact_peer_data_up(c, m->payload); break;
    case CONTROL_PEER_DATA: fact_peer_data(c, m); break;
    case CONTROL_PEER_DATA_TAKEN: fact_peer_data_taken(c, m->payload); break;
    case CONTROL_RECORD_DONE: fact_record_done(c, m->payload); break;
    case CONTROL_PEER_WEBRTC: notify_webrtc(c, m->payload); break;
    case CONTROL_PEER_STATS: notify_stats(c, m); break;
    case CONTROL_EVENTS_WANTED: notify_wanted(c, m->payload); break;
    case CONTROL_EVENTS_TAKEN: notify_taken(c, m->payload); break;
    case CONTROL_EVENTS_ANSWER: admin_wait_answer(c, m->op, m->payload, m->size); break;
    case CONTROL_SIGNAL: c->stop_signal = ((const struct stop_signal *)m->payload)->number; break;
    case CONTROL_ADMIN_ANSWER: admin_wait_answer(c, m->op, m->payload, m->size); break;
    case CONTROL_COLLECTED: admin_wait_answer(c, m->op, m->payload, m->size); break;
    }
}

/* -- turns and time ------------------------------------------------------------------------------------------------------------ */

static void on_start(void *owner, usec_t now)
{
    struct control *c = owner;
    c->now = now;
    c->started_at = now;
    c->next_tick = now + TICK_US;
    notify_started(c);
}

static void tick(struct control *c)
{
    if (c->now >= c->next_tick) {
        c->next_tick = c->now + TICK_US;
        hosts_tick(c);
        notify_tick(c);
        if (++c->ticks % WATCHDOG_TICKS == 0)
            c->expiring = true;
    }
    if (c->expiring)
        c->expiring = sessions_expire(c);
}

/* After STOP: done when every PeerConnection has been confirmed closed and every request answered, or at the deadline. Requests have
 * one of their own: clients that go on asking would hold up the end, and what was there before STOP is long answered by then. */
static void finish_stopping(struct control *c)
{
    if (!c->stopping || c->stopped || !list_is_empty(&c->ending))
        return;
    const bool asked = callers_wait(c) && c->now + STOP_WAIT_US < c->stop_deadline + STOP_ANSWER_US;
    if ((c->pcs_closing > 0 && c->now < c->stop_deadline) || asked)
        return;
    if (c->pcs_closing > 0)
        LOG_WARN(c->actor, "%u PeerConnections were not confirmed closed in time", c->pcs_closing);
    c->stopped = true;
    actor_stop(c->actor);
}

static void on_turn(void *owner, usec_t now)
{
    struct control *c = owner;
    c->now = now;
    ops_serve(c);
    admin_waits_serve(c);
    callers_serve(c);
    hosts_turn(c);
    sessions_end_some(c);
    handles_serve_deferred(c);
    tick(c);
    finish_stopping(c);
    if (c->drain.ids != NULL)
        drain_turn(c);
    measure_turn(c);
    renew_budgets(c);
}

static usec_t deadline(void *owner)
{
    const struct control *c = owner;
    if (callers_wait(c) || !list_is_empty(&c->resuming) || !list_is_empty(&c->ending) || !list_is_empty(&c->deferred) || c->expiring ||
        !list_is_empty(&c->yielding) || c->hosts_again || drain_has_work(c))
        return c->now;
    usec_t next = usec_min(c->next_tick, usec_min(timerq_next(&c->op_deadlines), timerq_next(&c->admin_wait_deadlines)));
    return usec_min(next, c->stopped ? USEC_NEVER : c->stop_deadline);
}

static void on_stop(void *owner, usec_t now)
{
    struct control *c = owner;
    c->now = now;
    LOG_INFO(c->actor, "Stopping: %u sessions, %u handles", c->sessions.used, c->handles.used);
    notify_shutdown(c, c->stop_signal);
    c->draining = true;
    c->stopping = true;
    c->stop_deadline = now + STOP_WAIT_US;
    sessions_end_all(c);
    finish_stopping(c);         /* nothing to wait for: no later turn would come before the next tick */
}

static const char *type_name(uint16_t type)
{
    static const char *const names[] = {
        [CONTROL_NONE] = "NONE",
#define X(name, from, payload) [CONTROL_##name] = #name,
        CONTROL_MESSAGES(X)
#undef X
    };
    return type < ARRAY_COUNT(names) ? names[type] : "?";
}

const struct actor_ops control_ops = {
    .on_start = on_start,
    .on_message = on_message,
    .on_turn = on_turn,
    .deadline = deadline,
    .on_stop = on_stop,
    .type_name = type_name,
    .measure = measure_fill,
};
