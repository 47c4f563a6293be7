#include "bench/world.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/control.h"
#include "msg/worker.h"
#include "proto/rtp/demux.h"
#include "proto/sdp/ufrag.h"
#include "runtime/entropy.h"
#include "runtime/log.h"
#include "worker/worker_private.h"

#define STEP_US          MSEC(5)
#define CONNECT_US       SEC(5)
#define SERVER_PORT      5000u
#define CLIENT_PORT      10000u         /* of the publisher; viewers follow */
#define DATAGRAM_BYTES   1600u
#define QUEUE_DATAGRAMS  4096u
#define VIDEO_BPS        2200000u       /* ten packets of 1,100 bytes a frame at 25 frames/s, as the reference was measured */
#define VIDEO_FPS        25u

struct datagram {
    struct net_addr from;
    uint32_t size;
    uint8_t bytes[DATAGRAM_BYTES];
};

struct queue {
    uint32_t head;
    uint32_t count;
    struct datagram *items;
};

/* One client and what the control actor would know of it. `shadow` writes the server's descriptions and orders; its own peer
 * is never used. */
struct pair {
    struct endpoint *client;
    struct endpoint *shadow;
};

struct world {
    struct world_config config;
    usec_t now;
    struct worker *worker;
    struct udp socket;
    struct rtc *clients;
    struct rtc *shadows;
    struct pair publisher;
    struct pair viewers[WORLD_VIEWERS_MAX];
    struct queue to_worker;
    struct queue prepared;
    uint32_t *batch_sizes;
    uint32_t batch_count;
    uint32_t batch_at;
    struct synth *video;
    struct synth *audio;
    bool deliver;
    struct world_counters counters;
};

/* The functions below stand in for src/runtime; they have no argument that leads to a world, and a bench has one. */
static struct world *current;

/* ---- in place of src/runtime ---- */

void actor_send(struct actor *self, actor_id to, uint16_t type, const void *payload, size_t size)
{
    (void)self, (void)to, (void)type, (void)payload, (void)size;       /* facts for control: nobody listens */
}

void actor_send_op(struct actor *self, actor_id to, uint16_t type, struct ref op, const void *payload, size_t size)
{
    (void)self, (void)to, (void)type, (void)op, (void)payload, (void)size;
}

void actor_send_parts(struct actor *self, actor_id to, uint16_t type, struct ref op, struct view head, struct view tail)
{
    (void)self, (void)to, (void)type, (void)op, (void)head, (void)tail;
}

void actor_send_block(struct actor *self, actor_id to, uint16_t type, struct ref op, void *block, size_t size)
{
    (void)self, (void)to, (void)type, (void)op, (void)size;
    mem_put(block);
}

void *message_take(const struct message *m)
{
    return memcpy(mem_get(m->size), m->payload, m->size);
}

bool actor_watch(struct actor *self, int fd, uint32_t events, uint64_t token)
{
    (void)self, (void)fd, (void)events, (void)token;
    return true;
}

void actor_unwatch(struct actor *self, int fd)
{
    (void)self, (void)fd;
}

void actor_stop(struct actor *self)
{
    (void)self;
}

uint64_t actor_wall_us(const struct actor *self)
{
    (void)self;
    return SEC(1700000000) + current->now;
}

bool relay_push(struct actor *self, actor_id to, struct view head, struct view body)
{
    (void)self, (void)to, (void)head, (void)body;
    return false;
}

bool log_wanted(const struct actor *self, enum log_level level)
{
    (void)self, (void)level;
    return false;
}

void log_write(struct actor *self, enum log_level level, const char *file, const char *function, int line, const char *format, ...)
{
    (void)self, (void)level, (void)file, (void)function, (void)line, (void)format;
}

enum err udp_open(struct udp *udp, const struct udp_options *options, uint32_t seed)
{
    (void)options, (void)seed;
    udp->fd = -1;
    return ERR_IO;              /* nothing here opens a socket */
}

void udp_close(struct udp *udp)
{
    udp->fd = -1;
}

static void queue_push(struct queue *queue, const struct net_addr *from, struct view bytes)
{
    CHECK(queue->count < QUEUE_DATAGRAMS && bytes.size <= DATAGRAM_BYTES);
    struct datagram *datagram = &queue->items[(queue->head + queue->count++) % QUEUE_DATAGRAMS];
    datagram->from = *from;
    datagram->size = (uint32_t)bytes.size;
    memcpy(datagram->bytes, bytes.data, bytes.size);
}

/* Copies, as the kernel does. */
bool udp_recv_batch(struct udp *udp, struct udp_inbox *inbox)
{
    struct queue *queue = &current->to_worker;
    (void)udp;
    for (inbox->count = 0; inbox->count < UDP_BATCH && queue->count > 0; inbox->count++) {
        const struct datagram *datagram = &queue->items[queue->head];
        memcpy(inbox->bytes[inbox->count], datagram->bytes, datagram->size);
        inbox->items[inbox->count] = (struct udp_datagram){datagram->from, inbox->bytes[inbox->count], datagram->size};
        queue->head = (queue->head + 1) % QUEUE_DATAGRAMS;
        queue->count--;
    }
    return queue->count > 0;
}

static struct endpoint *client_at(struct world *world, uint16_t port)
{
    uint32_t index = (uint32_t)port - CLIENT_PORT;
    if (index == 0)
        return world->publisher.client;
    return index <= world->config.viewers ? world->viewers[index - 1].client : NULL;
}

static void to_client(struct world *world, struct endpoint *client, struct view packet)
{
    uint8_t bytes[UDP_DATAGRAM_BYTES];
    if (client == NULL)
        return;
    memcpy(bytes, packet.data, packet.size);
    endpoint_input(client, world->now, &world->socket.local, bytes, packet.size);
    endpoint_received(client, world->now);
}

size_t udp_send_batch(struct udp *udp, const struct udp_run *runs, size_t count)
{
    struct world *world = current;
    (void)udp;
    world->counters.runs += count;
    for (size_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < runs[i].packet_count; k++) {
            const struct view packet = runs[i].packets[k];
            const bool is_rtp = packet.data[0] >= 128 && packet.data[0] < 192 && !rtp_is_rtcp(packet.data);
            if (is_rtp) {
                world->counters.rtp_sent++;
                world->counters.rtp_bytes += packet.size;
            } else {
                world->counters.other_sent++;
            }
            if (world->deliver || !is_rtp)
                to_client(world, client_at(world, runs[i].to.port), packet);
        }
    return count;
}

/* ---- turns ---- */

static void worker_turn(struct world *world)
{
    if (world->to_worker.count > 0)
        worker_ops.on_ready(world->worker, world->now, 0, 0);
    worker_ops.on_turn(world->worker, world->now);
}

static void clients_turn(struct world *world)
{
    struct rtc_tx tx;
    struct rtc_event event;
    rtc_set_wall(world->clients, actor_wall_us(NULL));
    for (uint32_t i = 0; i <= world->config.viewers; i++) {
        struct endpoint *client = client_at(world, (uint16_t)(CLIENT_PORT + i));
        if (client != NULL && endpoint_deadline(client, world->now) <= world->now)
            endpoint_timeout(client, world->now);
    }
    rtc_timeout(world->clients, world->now);
    while (rtc_poll_event(world->clients, &event))
        CHECK(event.kind == RTC_UP);
    while (rtc_poll_tx(world->clients, world->now, &tx))
        queue_push(&world->to_worker, &tx.endpoint->base, tx.datagram);
}

void world_pass(struct world *world, usec_t us)
{
    const usec_t until = world->now + us;
    while (world->now < until) {
        world->now += STEP_US;
        clients_turn(world);
        worker_turn(world);
    }
}

bool world_turn(struct world *world, bool deliver)
{
    if (world->batch_at == world->batch_count)
        return false;
    struct queue *prepared = &world->prepared;
    for (uint32_t i = 0; i < world->batch_sizes[world->batch_at]; i++) {
        const struct datagram *datagram = &prepared->items[prepared->head++];
        queue_push(&world->to_worker, &datagram->from, VIEW(datagram->bytes, datagram->size));
    }
    world->batch_at++;
    world->deliver = deliver;
    worker_turn(world);
    world->deliver = true;
    return true;
}

void world_prepare(struct world *world, uint32_t frames)
{
    struct rtc_tx tx;
    const uint32_t most = frames * 16;
    world_pass(world, STEP_US);                 /* what the clients still have to say is no part of it */
    while (rtc_poll_tx(world->clients, world->now, &tx))
        queue_push(&world->to_worker, &tx.endpoint->base, tx.datagram);
    worker_turn(world);
    mem_put(world->prepared.items);
    mem_put(world->batch_sizes);
    world->prepared = (struct queue){.items = mem_get(most * sizeof(struct datagram))};
    world->batch_sizes = mem_get_zero(frames * sizeof(uint32_t));
    world->batch_count = frames;
    world->batch_at = 0;
    for (uint32_t i = 0; i < frames; i++) {
        synth_timeout(world->video, world->video->next_at);
        if (world->audio != NULL && i % 2 == 0)
            synth_timeout(world->audio, world->audio->next_at);
        while (rtc_poll_tx(world->clients, world->now, &tx)) {
            struct datagram *datagram = &world->prepared.items[world->prepared.count++];
            CHECK(world->prepared.count <= most);
            datagram->from = tx.endpoint->base;
            datagram->size = (uint32_t)tx.datagram.size;
            memcpy(datagram->bytes, tx.datagram.data, tx.datagram.size);
            world->batch_sizes[i]++;
        }
    }
}

/* ---- setting it up: what control does ---- */

static void order(struct world *world, enum worker_message type, const void *payload, size_t size)
{
    const struct message message = {.from = ACTOR_CONTROL, .type = (uint16_t)type, .payload = payload, .size = size};
    worker_ops.on_message(world->worker, world->now, &message);
}

static void tell_worker(struct world *world, const struct endpoint *shadow)
{
    const uint16_t count = endpoint_described(shadow);
    const size_t size = sizeof(struct peer_apply_order) + count * sizeof(struct mline_desc);
    struct peer_apply_order *apply = mem_get_zero(size);
    apply->mline_count = count;
    endpoint_write_order(shadow, apply);
    order(world, WORKER_PEER_APPLY, apply, size);
    mem_put(apply);
    for (uint16_t i = 0; i < shadow->negotiation.remote->candidate_count; i++) {
        const struct peer_candidate_order candidate = {shadow->name, shadow->negotiation.remote->candidates[i].candidate};
        order(world, WORKER_PEER_CANDIDATE, &candidate, sizeof(candidate));
    }
}

static void open_pair(struct world *world, struct pair *pair, uint16_t port, bool client_offers)
{
    struct net_addr base = {.ip = {10, 0, 0, 1}, .family = NET_IP4, .port = port};
    pair->client = endpoint_new(world->clients, &base, client_offers, world->now);
    pair->shadow = endpoint_new(world->shadows, &world->socket.local, !client_offers, world->now);
    CHECK(pair->client != NULL);
    CHECK(pair->shadow != NULL);
    ufrag_write(pair->shadow->local.ufrag, pair->shadow->name, &world->shadows->rng);
    const struct peer_open_order open = {.peer = pair->shadow->name, .local = pair->shadow->local, .controlling = !client_offers};
    order(world, WORKER_PEER_OPEN, &open, sizeof(open));
}

static void negotiate(struct world *world, struct pair *pair, bool client_offers)
{
    const enum sdp_direction audio = world->config.audio_too ? SDP_SENDONLY : SDP_INACTIVE;
    const struct endpoint_offer what = {.audio = audio, .video = SDP_SENDONLY};
    struct endpoint *offerer = client_offers ? pair->client : pair->shadow;
    struct endpoint *answerer = client_offers ? pair->shadow : pair->client;
    struct buf offer, answer;
    buf_init(&offer, ENDPOINT_SDP_BYTES);
    buf_init(&answer, ENDPOINT_SDP_BYTES);
    CHECK(endpoint_offer(offerer, &what, &offer));
    CHECK(endpoint_answer(answerer, world->now, buf_view(&offer), SDP_RECVONLY, &answer));
    CHECK(endpoint_take_answer(offerer, world->now, buf_view(&answer)));
    tell_worker(world, pair->shadow);
    buf_fini(&offer);
    buf_fini(&answer);
}

static void add_sink(struct world *world, const struct pair *viewer, enum sdp_kind kind)
{
    const struct endpoint *publisher = world->publisher.shadow;
    const uint16_t from = endpoint_line_of(publisher, kind, false), to = endpoint_line_of(viewer->shadow, kind, true);
    struct negotiated_line line;
    const struct source *source = slots_get(&world->worker->sources, publisher->lines[from]->source);
    CHECK(source != NULL);
    CHECK(negotiation_line(&viewer->shadow->negotiation, to, &line));
    const struct sink_add_order add = {
        .sink = slots_add(&world->shadows->names, viewer->shadow),
        .source = {.ref = source->name},
        .desc = source->desc,
        .peer = viewer->shadow->name,
        .mindex = to,
        .options = {.pt = line.pts[0].pt, .substream_target = 2, .temporal_target = 2, .min_delay = -1, .max_delay = -1},
    };
    order(world, WORKER_SINK_ADD, &add, sizeof(add));
}

static struct rtc *open_rtc(const struct world_config *config)
{
    char error[DTLS_ERROR_TEXT];
    const struct rtc_config rtc = {
        .endpoints = config->viewers + 1,
        .lines = (config->viewers + 1) * 2,
        .packets = (config->viewers + 1) * 1024,
        .seal = config->seal,
        .entropy = entropy_fill,
    };
    struct rtc *made = rtc_new(&rtc, error);
    CHECK(made != NULL);
    return made;
}

static void open_worker(struct world *world)
{
    char error[DTLS_ERROR_TEXT];
    world->socket = (struct udp){.local = {.ip = {10, 0, 0, 2}, .family = NET_IP4, .port = SERVER_PORT}, .gso = true};
    const struct worker_config config = {
        .sockets = &world->socket,
        .socket_count = 1,
        .identity = world->shadows->identity,
        .dtls_accept_selfsigned = true,
        .twcc_period_us = MSEC(200),
        .hold_us = WORKER_HOLD_US,
        .pads = true,
        .seal = world->config.seal,
        .entropy = entropy_fill,
    };
    world->worker = worker_new(NULL, &config, error);
    CHECK(world->worker != NULL);
    worker_ops.on_start(world->worker, world->now);
}

static bool all_up(const struct world *world)
{
    for (uint32_t i = 0; i < world->config.viewers; i++)
        if (!endpoint_is_up(world->viewers[i].client))
            return false;
    return endpoint_is_up(world->publisher.client);
}

static void start_media(struct world *world)
{
    struct endpoint *client = world->publisher.client;
    world->video = synth_video(world->clients, 1, VIDEO_BPS, VIDEO_FPS, world->now);
    CHECK(endpoint_send(client, world->now, endpoint_line_of(client, SDP_VIDEO, true), 0, world->video));
    if (!world->config.audio_too)
        return;
    world->audio = synth_audio(world->clients, 2, 100, world->now);
    CHECK(endpoint_send(client, world->now, endpoint_line_of(client, SDP_AUDIO, true), 0, world->audio));
}

struct world *world_new(const struct world_config *config)
{
    CHECK(config->viewers <= WORLD_VIEWERS_MAX);
    struct world *world = mem_get_zero(sizeof(*world));
    current = world;
    world->config = *config;
    world->now = SEC(1000);
    world->deliver = true;
    world->to_worker.items = mem_get(QUEUE_DATAGRAMS * sizeof(struct datagram));
    world->clients = open_rtc(config);
    world->shadows = open_rtc(config);
    open_worker(world);
    open_pair(world, &world->publisher, CLIENT_PORT, true);
    negotiate(world, &world->publisher, true);
    for (uint32_t i = 0; i < config->viewers; i++) {
        open_pair(world, &world->viewers[i], (uint16_t)(CLIENT_PORT + 1 + i), false);
        negotiate(world, &world->viewers[i], false);
        add_sink(world, &world->viewers[i], SDP_VIDEO);
        if (config->audio_too)
            add_sink(world, &world->viewers[i], SDP_AUDIO);
        world_pass(world, STEP_US);
    }
    const usec_t limit = world->now + CONNECT_US;
    while (!all_up(world) && world->now < limit)
        world_pass(world, STEP_US);
    if (!all_up(world)) {
        world_free(world);
        return NULL;
    }
    start_media(world);
    return world;
}

static void close_pair(struct world *world, struct pair *pair)
{
    endpoint_free(pair->client, world->now);
    endpoint_free(pair->shadow, world->now);
}

void world_free(struct world *world)
{
    struct rtc_tx tx;
    worker_free(world->worker);
    synth_free(world->video);
    synth_free(world->audio);
    close_pair(world, &world->publisher);
    for (uint32_t i = 0; i < world->config.viewers; i++)
        close_pair(world, &world->viewers[i]);
    while (rtc_poll_tx(world->clients, world->now, &tx) || rtc_poll_tx(world->shadows, world->now, &tx))
        ;                               /* nobody is there to get it */
    rtc_free(world->clients);
    rtc_free(world->shadows);
    mem_put(world->to_worker.items);
    mem_put(world->prepared.items);
    mem_put(world->batch_sizes);
    mem_put(world);
}

const struct world_counters *world_counters(const struct world *world)
{
    return &world->counters;
}

const struct verify *world_video(const struct world *world, uint32_t viewer)
{
    const struct endpoint *client = world->viewers[viewer].client;
    return endpoint_verify(client, endpoint_line_of(client, SDP_VIDEO, false));
}

const char *world_seal_name(const struct world *world)
{
    return seal_backend_name(world->worker->env.seal);
}
