/* Life, timers and events of an association. */
#include "proto/sctp/sctp_internal.h"

size_t sctp_size(void)
{
    return sizeof(struct sctp);
}

static struct sctp_config with_defaults(const struct sctp_config *config)
{
    struct sctp_config c = *config;
    if (c.local_port == 0)
        c.local_port = SCTP_PORT;
    if (c.remote_port == 0)
        c.remote_port = SCTP_PORT;
    if (c.mtu == 0)
        c.mtu = SCTP_MTU_DEFAULT;
    c.mtu = (uint16_t)(c.mtu & ~3u);
    CHECK(c.mtu >= SCTP_MTU_MIN && c.mtu <= SCTP_PACKET_MAX);
    if (c.streams_in == 0)
        c.streams_in = SCTP_STREAMS_DEFAULT;
    if (c.streams_out == 0)
        c.streams_out = SCTP_STREAMS_DEFAULT;
    if (c.max_message_bytes == 0)
        c.max_message_bytes = SCTP_MESSAGE_MAX_DEFAULT;
    CHECK(c.max_message_bytes <= SCTP_MESSAGE_MAX_LIMIT);
    if (c.remote_max_message_bytes == 0)
        c.remote_max_message_bytes = SCTP_REMOTE_MAX_DEFAULT;
    if (c.window_bytes == 0)
        c.window_bytes = SCTP_WINDOW_DEFAULT;
    /* A message is whole before it is given out, so the window must hold the longest, with the headers of its parts. */
    if (c.window_bytes < 2 * c.max_message_bytes)
        c.window_bytes = 2 * c.max_message_bytes;
    if (c.buffer_bytes == 0)
        c.buffer_bytes = SCTP_BUFFER_DEFAULT;
    return c;
}

struct sctp *sctp_new(struct pool *pool, const struct sctp_config *config, usec_t now)
{
    struct sctp *sctp = pool_get(pool);
    if (sctp == NULL)
        return NULL;
    sctp->pool = pool;
    sctp->config = with_defaults(config);
    sctp->shared = config->shared;
    sctp->now = now;
    for (int i = 0; i < SCTP_TIMER_COUNT; i++)
        sctp->timers[i] = USEC_NEVER;
    while (sctp->local_tag == 0)                 /* RFC 9260 5.3.1 */
        sctp->local_tag = rng_u32(config->rng);
    sctp->local_tsn = rng_u32(config->rng);
    rng_bytes(config->rng, sctp->cookie_keys, sizeof(sctp->cookie_keys));
    rng_bytes(config->rng, &sctp->map_key, sizeof(sctp->map_key));
    sctp->tx.base = sctp->tx.next = sctp->tx.lost_from = sctp->tx.gap_end = sctp->local_tsn;
    sctp->tx.ack_point = sctp->local_tsn - 1;
    sctp->reconfig.seq = sctp->local_tsn;
    sctp->rx.window = sctp->config.window_bytes;
    map_init(&sctp->rx.waiting);
    sctp_path_init(sctp);
    return sctp;
}

static void free_list(struct sctp *sctp, struct sctp_rx *rx)
{
    while (rx != NULL) {
        struct sctp_rx *next = rx->next;
        sctp_rx_free(sctp, rx);
        rx = next;
    }
}

static void free_replies(struct sctp *sctp)
{
    while (sctp->replies != NULL) {
        struct sctp_reply *reply = sctp->replies;
        sctp->replies = reply->next;
        sctp_put_memory(sctp, reply, sizeof(*reply) + reply->size);
    }
    sctp->replies_last = NULL;
    sctp->reply_count = 0;
}

void sctp_free(struct sctp *sctp)
{
    if (sctp == NULL)
        return;
    sctp_clear(sctp);
    free_list(sctp, sctp->rx.ready);
    free_list(sctp, sctp->rx.notes);
    free_list(sctp, sctp->rx.taken);
    free_replies(sctp);
    CHECK(sctp->memory_bytes == 0);
    pool_put(sctp->pool, sctp);
}

void sctp_clear(struct sctp *sctp)
{
    sctp_queue_clear(sctp);
    sctp_rx_clear(sctp);
    sctp_reconfig_clear(sctp);
    sctp_put_memory(sctp, sctp->cookie, sctp->cookie_size);
    sctp->cookie = NULL;
    sctp->cookie_size = 0;
}

void *sctp_get_memory(struct sctp *sctp, size_t size)
{
    sctp->memory_bytes += size;
    sctp->shared->memory_bytes += size;
    return mem_get(size);
}

void sctp_put_memory(struct sctp *sctp, void *ptr, size_t size)
{
    if (ptr == NULL)
        return;
    CHECK(sctp->memory_bytes >= size);
    sctp->memory_bytes -= size;
    sctp->shared->memory_bytes -= size;
    mem_put(ptr);
}

bool sctp_has_budget(const struct sctp *sctp, size_t size)
{
    const struct sctp_shared *shared = sctp->shared;
    return shared->memory_bytes_max == 0 || shared->memory_bytes + size <= shared->memory_bytes_max;
}

/* ---- timers ---- */

void sctp_timer_set(struct sctp *sctp, enum sctp_timer timer, usec_t after_us)
{
    sctp->timers[timer] = usec_add(sctp->now, after_us);
}

void sctp_timer_stop(struct sctp *sctp, enum sctp_timer timer)
{
    sctp->timers[timer] = USEC_NEVER;
}

static bool timer_due(struct sctp *sctp, enum sctp_timer timer)
{
    if (sctp->timers[timer] > sctp->now)
        return false;
    sctp->timers[timer] = USEC_NEVER;
    return true;
}

usec_t sctp_deadline(const struct sctp *sctp)
{
    usec_t first = USEC_NEVER;
    for (int i = 0; i < SCTP_TIMER_COUNT; i++)
        first = usec_min(first, sctp->timers[i]);
    return first;
}

void sctp_error(struct sctp *sctp, bool is_silent)
{
    if (is_silent && ++sctp->path.errors > SCTP_MAX_RETRANS)
        sctp_close(sctp, SCTP_REASON_UNREACHABLE);
}

static void heartbeat_timeout(struct sctp *sctp)
{
    if (sctp->path.heartbeat_open)
        sctp_error(sctp, true);
    if (sctp->state == SCTP_STATE_CLOSED)
        return;
    sctp->wants |= SCTP_WANT_HEARTBEAT;
    sctp_timer_set(sctp, SCTP_TIMER_HEARTBEAT, SCTP_HEARTBEAT_US + sctp->path.rto_us);
}

void sctp_timeout(struct sctp *sctp, usec_t now)
{
    sctp->now = now;
    if (timer_due(sctp, SCTP_TIMER_INIT))
        sctp_setup_timeout(sctp);
    if (timer_due(sctp, SCTP_TIMER_SACK))
        sctp->wants |= SCTP_WANT_SACK;
    if (timer_due(sctp, SCTP_TIMER_RETRANSMIT))
        sctp_retransmit_timeout(sctp);
    if (timer_due(sctp, SCTP_TIMER_PROBE))
        sctp_probe_timeout(sctp);
    if (timer_due(sctp, SCTP_TIMER_RECONFIG))
        sctp_reconfig_timeout(sctp);
    if (timer_due(sctp, SCTP_TIMER_SHUTDOWN))
        sctp_shutdown_timeout(sctp);
    if (timer_due(sctp, SCTP_TIMER_HEARTBEAT))
        heartbeat_timeout(sctp);
    if (timer_due(sctp, SCTP_TIMER_GUARD)) {
        sctp_send_abort(sctp, sctp->peer.tag, 0, VIEW(NULL, 0));
        sctp_close(sctp, SCTP_REASON_UNREACHABLE);
    }
}

/* ---- the end ---- */

void sctp_close(struct sctp *sctp, enum sctp_reason reason)
{
    if (sctp->state == SCTP_STATE_CLOSED)
        return;
    sctp->state = SCTP_STATE_CLOSED;
    sctp->reason = reason;
    sctp->wants = 0;
    sctp->tells |= SCTP_TELL_CLOSED;
    for (int i = 0; i < SCTP_TIMER_COUNT; i++)
        sctp->timers[i] = USEC_NEVER;
    sctp_clear(sctp);
}

void sctp_abort(struct sctp *sctp, usec_t now)
{
    sctp->now = now;
    if (sctp->state == SCTP_STATE_CLOSED)
        return;
    if (sctp->peer.tag != 0)
        sctp_send_abort(sctp, sctp->peer.tag, SCTP_CAUSE_USER, VIEW(NULL, 0));
    sctp_close(sctp, SCTP_REASON_ABORTED);
}

/* ---- what the application sees ---- */

enum sctp_state sctp_get_state(const struct sctp *sctp)
{
    return sctp->state;
}

bool sctp_may_send_data(const struct sctp *sctp)
{
    return sctp->state == SCTP_STATE_ESTABLISHED || sctp->state == SCTP_STATE_SHUTDOWN_PENDING ||
           sctp->state == SCTP_STATE_SHUTDOWN_RECEIVED;
}

void sctp_set_remote_max(struct sctp *sctp, uint32_t remote_max_message_bytes)
{
    sctp->config.remote_max_message_bytes = remote_max_message_bytes != 0 ? remote_max_message_bytes : SCTP_REMOTE_MAX_DEFAULT;
}

void sctp_hold(struct sctp *sctp, usec_t now, bool on)
{
    sctp->now = now;
    sctp->rx.is_held = on;
}

void sctp_note(struct sctp *sctp, enum sctp_rx_kind kind, uint16_t stream, bool ok)
{
    struct sctp_rx *rx = sctp_rx_new(sctp, 0);
    rx->kind = (uint8_t)kind;
    rx->stream = stream;
    rx->ok = ok;
    if (sctp->rx.notes_last != NULL)
        sctp->rx.notes_last->next = rx;
    else
        sctp->rx.notes = rx;
    sctp->rx.notes_last = rx;
}

static bool take_flag(struct sctp *sctp, uint32_t flag, enum sctp_event_kind kind, struct sctp_event *out)
{
    if ((sctp->tells & flag) == 0)
        return false;
    sctp->tells &= ~flag;
    out->kind = kind;
    return true;
}

static struct sctp_rx *take_first(struct sctp_rx **first, struct sctp_rx **last)
{
    struct sctp_rx *rx = *first;
    if (rx == NULL)
        return NULL;
    *first = rx->next;
    if (rx->next == NULL)
        *last = NULL;
    rx->next = NULL;
    return rx;
}

static void event_of(struct sctp_event *out, const struct sctp_rx *rx)
{
    static const enum sctp_event_kind kinds[] = {
        [SCTP_RX_DATA] = SCTP_EVENT_MESSAGE,
        [SCTP_RX_RESET_IN] = SCTP_EVENT_RESET_IN,
        [SCTP_RX_RESET_OUT] = SCTP_EVENT_RESET_OUT,
        [SCTP_RX_STREAMS] = SCTP_EVENT_STREAMS,
    };
    out->kind = kinds[rx->kind];
    out->stream = rx->stream;
    out->ok = rx->ok;
    out->unordered = (rx->flags & SCTP_FLAG_U) != 0;
    out->ppid = rx->ppid;
    out->data = VIEW(rx->data, rx->size);
}

bool sctp_poll_event(struct sctp *sctp, struct sctp_event *out)
{
    *out = (struct sctp_event){.ok = true, .streams_in = sctp->streams_in, .streams_out = sctp->streams_out};
    sctp_rx_free(sctp, sctp->rx.taken);
    sctp->rx.taken = NULL;
    if (take_flag(sctp, SCTP_TELL_RESTARTED, SCTP_EVENT_RESTARTED, out) || take_flag(sctp, SCTP_TELL_UP, SCTP_EVENT_UP, out))
        return true;
    struct sctp_rx *rx = take_first(&sctp->rx.notes, &sctp->rx.notes_last);
    if (rx == NULL && !sctp->rx.is_held)
        rx = take_first(&sctp->rx.ready, &sctp->rx.ready_last);
    if (rx != NULL) {
        event_of(out, rx);
        sctp->rx.taken = rx;
        return true;
    }
    if (sctp->state != SCTP_STATE_CLOSED) {
        sctp_rx_window_opened(sctp);
        return take_flag(sctp, SCTP_TELL_WRITABLE, SCTP_EVENT_WRITABLE, out);
    }
    out->reason = sctp->reason;
    return sctp->rx.ready == NULL && take_flag(sctp, SCTP_TELL_CLOSED, SCTP_EVENT_CLOSED, out);
}

void sctp_describe(const struct sctp *sctp, struct sctp_info *out)
{
    *out = (struct sctp_info){
        .state = sctp->state,
        .streams_in = sctp->streams_in,
        .streams_out = sctp->streams_out,
        .mtu = sctp->config.mtu,
        .cwnd_bytes = sctp->path.cwnd,
        .ssthresh_bytes = sctp->path.ssthresh,
        .flight_bytes = sctp->path.flight,
        .peer_window_bytes = sctp->tx.peer_window,
        .srtt_us = sctp->path.srtt_us,
        .rto_us = sctp->path.rto_us,
        .buffered_bytes = sctp->tx.buffered_bytes,
        .held_bytes = sctp->rx.held_bytes,
        .memory_bytes = sizeof(*sctp) + sctp->memory_bytes,
        .retransmits = sctp->retransmits,
    };
}
