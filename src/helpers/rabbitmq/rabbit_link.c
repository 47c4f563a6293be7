/*   DOWN -(retry_at: everything up to consuming, in one go)-> UP -(a close, an error, a heartbeat missed)-> DOWN
 *
 * A message comes as a method, a header and bodies, each a frame, in any number of turns: `reading` says which is next. */
#include "helpers/rabbitmq/rabbit_link.h"

/* Debian 13's library has moved them, and warns of the old names. */
#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif
#include <string.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "helpers/broker.h"
#include "runtime/log.h"
#include "runtime/sockopt.h"

#define CHANNEL 1

enum reading { READING_METHOD, READING_HEADER, READING_BODY };

struct declared {
    const struct rabbit_queue *queue;
    bool out_only;
};

struct rabbit_link {
    struct actor *actor;
    const char *name;
    uint64_t token;
    struct rabbit_link_config config;
    struct declared queues[RABBIT_QUEUES_MAX];
    uint32_t queue_count;
    amqp_connection_state_t conn;        /* NULL: down */
    int fd;                              /* -1: not watched */
    bool up, paused, blocked, failing, ended;
    bool more;                           /* the library may hold frames that have been read */
    usec_t retry_at, backoff_us, beat_at;
    enum reading reading;
    char routing_key[256];
    uint64_t body_size, body_read;
    struct rabbit_in *in;                /* the one that comes */
    struct list inbox;
    struct rabbit_link_counters counters;
};

struct rabbit_link *rabbit_link_new(struct actor *actor, const char *name, uint64_t token, const struct rabbit_link_config *config)
{
    struct rabbit_link *link = mem_get_zero(sizeof(*link));
    link->actor = actor;
    link->name = name;
    link->token = token;
    link->config = *config;
    link->fd = -1;
    link->backoff_us = RABBIT_RETRY_MIN_US;
    list_init(&link->inbox);
    return link;
}

void rabbit_link_queue(struct rabbit_link *link, const struct rabbit_queue *queue, bool out_only)
{
    CHECK(link->queue_count < RABBIT_QUEUES_MAX);
    link->queues[link->queue_count++] = (struct declared){queue, out_only};
}

struct rabbit_in *rabbit_link_next(struct rabbit_link *link)
{
    struct list *first = list_pop(&link->inbox);
    return first == NULL ? NULL : CONTAINER_OF(first, struct rabbit_in, node);
}

static void let_go(struct rabbit_link *link)
{
    if (link->fd >= 0)
        actor_unwatch(link->actor, link->fd);
    link->fd = -1;
    if (link->conn != NULL)
        amqp_destroy_connection(link->conn);
    link->conn = NULL;
    mem_put(link->in);
    link->in = NULL;
    link->reading = READING_METHOD;
    link->up = link->blocked = link->more = false;
}

void rabbit_link_free(struct rabbit_link *link)
{
    if (link == NULL)
        return;
    let_go(link);
    for (struct rabbit_in *in; (in = rabbit_link_next(link)) != NULL;)
        mem_put(in);
    mem_put(link);
}

static void set_down(struct rabbit_link *link, usec_t now, const char *why)
{
    if (link->up)
        link->counters.lost++;
    else
        link->counters.failed++;
    /* One line when it begins, and one when it works again: a broker that is away must not fill the log. */
    if (!link->failing)
        LOG_WARN(link->actor, "%s: no connection to %s, port %u: %s", link->name, link->config.host, link->config.port, why);
    link->failing = true;
    let_go(link);
    link->retry_at = usec_add(now, link->backoff_us);
    link->backoff_us = usec_min(link->backoff_us * 3 / 2, RABBIT_RETRY_MAX_US);
}

/* ---- connecting ----------------------------------------------------------------------------------------------------- */

static amqp_bytes_t bytes_of(const char *text)
{
    return text == NULL ? amqp_empty_bytes : amqp_cstring_bytes(text);
}

static const char *reply_error(amqp_rpc_reply_t reply, const char *what)
{
    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return NULL;
    return reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION ? amqp_error_string2(reply.library_error) : what;
}

static const char *open_socket(struct rabbit_link *link)
{
    const struct rabbit_link_config *c = &link->config;
    const struct timeval patience = {.tv_sec = RABBIT_CONNECT_US / SEC(1)};
    amqp_socket_t *socket = c->tls ? amqp_ssl_socket_new(link->conn) : amqp_tcp_socket_new(link->conn);
    if (socket == NULL)
        return "no memory";
    if (c->tls) {
        amqp_ssl_socket_set_verify_peer(socket, c->verify_peer);
        amqp_ssl_socket_set_verify_hostname(socket, c->verify_hostname);
        if (c->ca_file != NULL && amqp_ssl_socket_set_cacert(socket, c->ca_file) != AMQP_STATUS_OK)
            return "ssl_cacert can't be used";
        if (c->cert_file != NULL && c->key_file != NULL && amqp_ssl_socket_set_key(socket, c->cert_file, c->key_file) != AMQP_STATUS_OK)
            return "ssl_cert and ssl_key can't be used";
    }
    int status = amqp_socket_open_noblock(socket, c->host, c->port, &patience);
    return status == AMQP_STATUS_OK ? NULL : amqp_error_string2(status);
}

/* We say that we want to know when the broker takes nothing more (RabbitMQ's extension of AMQP). */
static const char *log_in(struct rabbit_link *link)
{
    const struct rabbit_link_config *c = &link->config;
    amqp_table_entry_t can[] = {{.key = amqp_cstring_bytes("connection.blocked"), .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value = {.boolean = 1}}},
                                {.key = amqp_cstring_bytes("consumer_cancel_notify"), .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value = {.boolean = 1}}}};
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("capabilities"),
                                .value = {.kind = AMQP_FIELD_KIND_TABLE, .value = {.table = {.num_entries = 2, .entries = can}}}};
    const amqp_table_t properties = {.num_entries = 1, .entries = &entry};
    const char *why = reply_error(amqp_login_with_properties(link->conn, c->vhost, 0, RABBIT_FRAME_BYTES, c->heartbeat_s, &properties,
                                                             AMQP_SASL_METHOD_PLAIN, c->username, c->password), "the broker refuses the login");
    if (why != NULL)
        return why;
    amqp_channel_open(link->conn, CHANNEL);
    return reply_error(amqp_get_rpc_reply(link->conn), "no channel");
}

static bool is_bound(const struct rabbit_link *link, const struct rabbit_queue *queue)
{
    const char *type = link->config.exchange_type;
    return queue->name != NULL && link->config.exchange != NULL && type != NULL && (strcmp(type, "topic") == 0 || strcmp(type, "direct") == 0);
}

/* transports.md 5.2 */
static const char *declare(struct rabbit_link *link, const struct declared *d)
{
    const struct rabbit_queue *queue = d->queue;
    const char *why = NULL, *name = queue->name != NULL ? queue->name : queue->in;
    if (!d->out_only) {
        amqp_queue_declare(link->conn, CHANNEL, bytes_of(name), 0, queue->durable, queue->exclusive, queue->autodelete, amqp_empty_table);
        why = reply_error(amqp_get_rpc_reply(link->conn), "the incoming queue can't be declared");
    }
    if (why == NULL && !d->out_only && is_bound(link, queue)) {
        amqp_queue_bind(link->conn, CHANNEL, bytes_of(name), bytes_of(link->config.exchange), bytes_of(queue->in), amqp_empty_table);
        why = reply_error(amqp_get_rpc_reply(link->conn), "the incoming queue can't be bound");
    }
    if (why == NULL && queue->declare_out) {
        amqp_queue_declare(link->conn, CHANNEL, bytes_of(queue->out), 0, 0, 0, 0, amqp_empty_table);
        why = reply_error(amqp_get_rpc_reply(link->conn), "the outgoing queue can't be declared");
    }
    if (why == NULL && !d->out_only) {
        amqp_basic_consume(link->conn, CHANNEL, bytes_of(name), amqp_empty_bytes, 0, 1, 0, amqp_empty_table);
        why = reply_error(amqp_get_rpc_reply(link->conn), "the incoming queue can't be read");
    }
    return why;
}

static const char *connect_all(struct rabbit_link *link)
{
    const struct timeval patience = {.tv_sec = RABBIT_CONNECT_US / SEC(1)};
    link->conn = amqp_new_connection();
    if (link->conn == NULL)
        return "no memory";
    (void)amqp_set_handshake_timeout(link->conn, &patience);
    (void)amqp_set_rpc_timeout(link->conn, &patience);
    const char *why = open_socket(link);
    if (why == NULL) {
        sockopt_patience(amqp_get_sockfd(link->conn), RABBIT_PATIENCE_US);
        why = log_in(link);
    }
    if (why == NULL && link->config.exchange != NULL) {
        amqp_exchange_declare(link->conn, CHANNEL, bytes_of(link->config.exchange), bytes_of(link->config.exchange_type), 0, 0, 0, 0, amqp_empty_table);
        why = reply_error(amqp_get_rpc_reply(link->conn), "the exchange can't be declared");
    }
    for (uint32_t i = 0; why == NULL && i < link->queue_count; i++)
        why = declare(link, &link->queues[i]);
    return why;
}

static void connect_now(struct rabbit_link *link, usec_t now)
{
    const char *why = connect_all(link);
    if (why != NULL) {
        set_down(link, now, why);
        return;
    }
    LOG_INFO(link->actor, "%s: connected to %s, port %u", link->name, link->config.host, link->config.port);
    link->failing = false;
    link->up = link->more = true;            /* frames may have come behind the last answer */
    link->backoff_us = RABBIT_RETRY_MIN_US;
    link->beat_at = link->config.heartbeat_s > 0 ? now : USEC_NEVER;
    link->counters.connected++;
}

/* ---- what comes --------------------------------------------------------------------------------------------------------- */

static void copy_name(char out[256], amqp_bytes_t bytes)
{
    size_t size = bytes.len < 255 ? bytes.len : 255;
    if (size > 0)
        memcpy(out, bytes.bytes, size);
    out[size] = '\0';
}

static void finish_message(struct rabbit_link *link)
{
    struct rabbit_in *in = link->in;
    link->in = NULL;
    link->reading = READING_METHOD;
    memcpy(in->routing_key, link->routing_key, sizeof(in->routing_key));
    list_add_tail(&link->inbox, &in->node);
    link->counters.received++;
}

static void begin_message(struct rabbit_link *link, const amqp_frame_t *frame)
{
    const amqp_basic_properties_t *p = frame->payload.properties.decoded;
    link->body_size = frame->payload.properties.body_size;
    link->body_read = 0;
    const bool too_long = link->body_size > BROKER_TEXT_BYTES_MAX;
    struct rabbit_in *in = link->in = mem_get(sizeof(*in) + (too_long ? 0 : (size_t)link->body_size));
    *in = (struct rabbit_in){.too_long = too_long, .size = too_long ? 0 : (uint32_t)link->body_size};
    list_init(&in->node);
    if ((p->_flags & AMQP_BASIC_CORRELATION_ID_FLAG) != 0 && p->correlation_id.len <= RABBIT_CORRELATION_MAX) {
        in->has_correlation = true;
        in->correlation_size = (uint8_t)p->correlation_id.len;
        memcpy(in->correlation, p->correlation_id.bytes, p->correlation_id.len);
    }
    link->reading = READING_BODY;
    if (link->body_size == 0)
        finish_message(link);
}

static bool add_body(struct rabbit_link *link, amqp_bytes_t body)
{
    if (body.len > link->body_size - link->body_read)
        return false;
    if (!link->in->too_long)
        memcpy(link->in->text + link->body_read, body.bytes, body.len);
    link->body_read += body.len;
    if (link->body_read == link->body_size)
        finish_message(link);
    return true;
}

/* NULL: fine; else the connection is over, and why. */
static const char *take_method(struct rabbit_link *link, const amqp_method_t *method)
{
    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
        copy_name(link->routing_key, ((const amqp_basic_deliver_t *)method->decoded)->routing_key);
        link->reading = READING_HEADER;
        return NULL;
    case AMQP_CONNECTION_BLOCKED_METHOD:
        LOG_WARN(link->actor, "%s: the broker takes nothing for now", link->name);
        link->blocked = true;
        link->counters.blocked++;
        return NULL;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        link->blocked = false;
        return NULL;
    case AMQP_BASIC_CANCEL_METHOD:
        return "a queue was deleted";
    case AMQP_CHANNEL_CLOSE_METHOD:
    case AMQP_CONNECTION_CLOSE_METHOD:
        return "the broker has closed it";
    default:
        return NULL;
    }
}

static const char *take_frame(struct rabbit_link *link, const amqp_frame_t *frame)
{
    if (frame->frame_type == AMQP_FRAME_METHOD)
        return link->reading == READING_METHOD ? take_method(link, &frame->payload.method) : "frames out of order";
    if (frame->frame_type == AMQP_FRAME_HEADER && link->reading == READING_HEADER) {
        begin_message(link, frame);
        return NULL;
    }
    if (frame->frame_type == AMQP_FRAME_BODY && link->reading == READING_BODY)
        return add_body(link, frame->payload.body_fragment) ? NULL : "a body longer than it was said to be";
    return frame->frame_type == AMQP_FRAME_HEARTBEAT ? NULL : "frames out of order";
}

static void read_frames(struct rabbit_link *link, usec_t now)
{
    const struct timeval none = {0};
    link->more = false;
    for (unsigned i = 0; link->up && !link->paused; i++) {
        amqp_frame_t frame;
        if (i == RABBIT_FRAMES_PER_TURN) {
            link->more = true;
            return;
        }
        amqp_maybe_release_buffers(link->conn);
        int status = amqp_simple_wait_frame_noblock(link->conn, &frame, &none);
        if (status == AMQP_STATUS_TIMEOUT)
            return;
        const char *why = status == AMQP_STATUS_OK ? take_frame(link, &frame) : amqp_error_string2(status);
        if (why != NULL)
            set_down(link, now, why);
    }
    link->more = link->up;                   /* paused: look again when reading goes on */
}

/* ---- the loop ------------------------------------------------------------------------------------------------------------ */

void rabbit_link_ready(struct rabbit_link *link, usec_t now, uint32_t events)
{
    (void)events;
    if (link->up)
        read_frames(link, now);
}

static void renew_watch(struct rabbit_link *link)
{
    int fd = link->up ? amqp_get_sockfd(link->conn) : -1;
    if (link->fd >= 0 && (link->paused || fd != link->fd)) {
        actor_unwatch(link->actor, link->fd);
        link->fd = -1;
    }
    if (fd >= 0 && link->fd < 0 && !link->paused && actor_watch(link->actor, fd, EPOLLIN, link->token))
        link->fd = fd;
}

void rabbit_link_turn(struct rabbit_link *link, usec_t now)
{
    if (!link->up && !link->ended && now >= link->retry_at)
        connect_now(link, now);
    /* The library sends and checks heartbeats while it is asked for frames. */
    if (link->up && (link->more || now >= link->beat_at))
        read_frames(link, now);
    if (link->up && now >= link->beat_at)
        link->beat_at = usec_add(now, SEC(link->config.heartbeat_s) / 2);
    renew_watch(link);
}

usec_t rabbit_link_deadline(const struct rabbit_link *link)
{
    if (link->ended)
        return USEC_NEVER;
    if (!link->up)
        return link->retry_at;
    return link->more && !link->paused ? 0 : link->beat_at;
}

void rabbit_link_pause(struct rabbit_link *link, bool paused)
{
    link->paused = paused;
}

bool rabbit_link_is_up(const struct rabbit_link *link)
{
    return link->up;
}

bool rabbit_link_has_room(const struct rabbit_link *link)
{
    return link->up && !link->blocked;
}

bool rabbit_link_publish(struct rabbit_link *link, usec_t now, const struct rabbit_out *out)
{
    amqp_basic_properties_t p = {._flags = AMQP_BASIC_CONTENT_TYPE_FLAG, .content_type = amqp_cstring_bytes("application/json")};
    const amqp_bytes_t body = {.len = out->text.size, .bytes = (void *)(uintptr_t)out->text.data};
    if (!link->up)
        return false;
    if (out->reply_to != NULL) {
        p._flags |= AMQP_BASIC_REPLY_TO_FLAG;
        p.reply_to = bytes_of(out->reply_to);
    }
    if (out->correlation != NULL) {
        p._flags |= AMQP_BASIC_CORRELATION_ID_FLAG;
        p.correlation_id = (amqp_bytes_t){.len = out->correlation_size, .bytes = (void *)(uintptr_t)out->correlation};
    }
    int status = amqp_basic_publish(link->conn, CHANNEL, bytes_of(link->config.exchange), bytes_of(out->routing_key), 0, 0, &p, body);
    if (status != AMQP_STATUS_OK) {
        set_down(link, now, amqp_error_string2(status));
        return false;
    }
    link->more = true;                       /* it may have read while it wrote */
    link->counters.published++;
    return true;
}

void rabbit_link_end(struct rabbit_link *link)
{
    const struct timeval patience = {.tv_sec = 1};
    link->ended = true;
    if (link->up) {
        (void)amqp_set_rpc_timeout(link->conn, &patience);
        (void)amqp_connection_close(link->conn, AMQP_REPLY_SUCCESS);
    }
    let_go(link);
}

const struct rabbit_link_counters *rabbit_link_counters(const struct rabbit_link *link)
{
    return &link->counters;
}
