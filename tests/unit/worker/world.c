#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "base/mem.h"
#include "base/bytes.h"
#include "base/str.h"
#include "proto/rtp/demux.h"
#include "proto/sdp/ufrag.h"

#define EPOCH_S 1700000000u

usec_t virtual_now;

/* libssl's retransmission timers read this one and nothing else. */
__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    (void)zone;
    tv->tv_sec = (time_t)(EPOCH_S + virtual_now / SEC(1));
    tv->tv_usec = (suseconds_t)(virtual_now % SEC(1));
    return 0;
}

static void fill(void *source, uint8_t *out, size_t size)
{
    uint64_t *x = source;
    for (size_t i = 0; i < size; i++) {
        *x = *x * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(*x >> 40);
    }
}

uint32_t world_dice(struct world *w, uint32_t sides)
{
    w->random = w->random * 1664525u + 1013904223u;
    return (w->random >> 8) % sides;
}

static struct dtls_identity *identities[2];             /* ours, the clients' */
static struct dtls_shared *client_dtls;
static struct seal_shared *client_seal;
static uint64_t worker_seed;

static const struct dtls_identity *identity(int which)
{
    char error[DTLS_ERROR_TEXT];
    if (identities[which] == NULL)
        identities[which] = dtls_identity_new(&(struct dtls_identity_config){0}, error);
    assert_non_null(identities[which]);
    return identities[which];
}

struct net_addr world_addr(uint32_t worker, uint32_t socket)
{
    return (struct net_addr){.ip = {10, 1, (uint8_t)socket, (uint8_t)(1 + worker)}, .port = 7000, .family = NET_IP4};
}

/* ---- datagrams ---- */

static void launch(struct world *w, const struct net_addr *from, const struct net_addr *to, const uint8_t *data, size_t size)
{
    if (w->flight_count == w->flight_room) {
        w->flight_room = w->flight_room == 0 ? 256 : w->flight_room * 2;
        w->flights = realloc(w->flights, w->flight_room * sizeof(*w->flights));
    }
    struct world_flight *flight = &w->flights[w->flight_count++];
    *flight = (struct world_flight){fake.now + w->delay_us, *from, *to, size, malloc(size + SEAL_ROOM)};
    memcpy(flight->data, data, size);
}

static void on_run(void *owner, const struct udp *udp, const struct udp_run *run)
{
    struct world *w = owner;
    w->runs++;
    w->packets += run->packet_count;
    if (run->packet_count > w->longest_run)
        w->longest_run = run->packet_count;
    for (uint32_t i = 0; i < run->packet_count; i++)
        launch(w, &udp->local, &run->to, run->packets[i].data, run->packets[i].size);
}

static struct remote *remote_at(struct world *w, const struct net_addr *addr)
{
    for (unsigned i = 0; i < WORLD_REMOTES; i++)
        if (w->remotes[i].used && net_addr_equal(&w->remotes[i].addr, addr))
            return &w->remotes[i];
    return NULL;
}

/* ---- clients ---- */

static void remote_flush(struct remote *r)
{
    struct egress_batch *batch = &r->env.egress;
    assert_int_equal(egress_seal(batch, r->env.seal), 0);
    for (uint32_t i = 0; i < batch->count; i++)
        if (!r->cut)
            launch(r->world, &r->addr, &batch->items[i].to.remote, batch->bytes + batch->items[i].offset, batch->items[i].size);
    egress_clear(batch);
}

static void remote_hears(struct remote *r, struct data_packet *packet)
{
    const uint8_t *text = packet->bytes + packet->label_size + packet->protocol_size;
    r->data_count++;
    r->data_bytes += packet->size;
    snprintf(r->data_label, sizeof(r->data_label), "%.*s", packet->label_size, (const char *)packet->bytes);
    snprintf(r->data_text, sizeof(r->data_text), "%.*s", (int)(packet->size < 60 ? packet->size : 60), (const char *)text);
    if (r->hoards)
        r->data_cost += packet->cost;
    else
        peer_data_credit(r->peer, packet->cost);
    mem_put(packet);
}

static void remote_flush_data(struct remote *r)
{
    while (peer_data_flush(&r->env, fake.now))
        remote_flush(r);
    remote_flush(r);
}

void remote_say(struct remote *r, const char *label, bool binary, const void *bytes, size_t size)
{
    const size_t label_size = strlen(label);
    struct data_packet *packet = malloc(sizeof(*packet) + label_size + size);
    *packet = (struct data_packet){.cost = (uint32_t)size + DATA_COST_EXTRA, .size = (uint32_t)size, .label_size = (uint8_t)label_size, .binary = binary};
    memcpy(packet->bytes, label, label_size);
    memcpy(packet->bytes + label_size, bytes, size);
    peer_data_send(r->peer, fake.now, packet);
    free(packet);
    remote_turn(r);
}

void remote_turn(struct remote *r)
{
    for (uint32_t i = 0; i < r->env.events.count; i++) {
        const struct peer_event *event = &r->env.events.items[i];
        r->up = r->up || event->kind == PEER_EVENT_UP;
        if (event->kind == PEER_EVENT_HANGUP) {
            r->ended = true;
            r->reason = (enum hangup_reason)event->reason;
        }
        if (event->kind == PEER_EVENT_DATA)
            remote_hears(r, event->packet);
    }
    r->env.events.count = 0;
    LIST_EACH(it, &r->media.keyframes) {
        struct source *source = CONTAINER_OF(it, struct source, wanting);
        if (source_keyframe_due(source, fake.now) && source->origin != NULL)
            peer_ask_keyframe(source, fake.now);
    }
    for (struct list *it; (it = list_pop(&r->media.orphans)) != NULL;)
        source_free(CONTAINER_OF(it, struct source, wanting));
    while (list_pop(&r->media.layers) != NULL)
        ;
    remote_flush_data(r);
}

static void remote_receive(struct remote *r, const struct net_addr *from, uint8_t *data, size_t size)
{
    const struct net_tuple tuple = {0, *from};
    r->env.wall_us = fake.wall_us;
    peer_input(r->peer, fake.now, &tuple, data, size);
    (void)peer_receive_flush(&r->env, fake.now);
    remote_turn(r);
}

static void open_client(struct remote *r, uint32_t index)
{
    r->seed = 1000 + index;
    rng_init(&r->rng, fill, &r->seed);
    media_init(&r->media, &(struct media_limits){.sources = 16, .sinks = 16, .packets = 2048});
    slots_init(&r->sources, 64);
    slots_init(&r->sinks, 64);
    slots_init(&r->data_sources, 64);
    slots_init(&r->data_sinks, 64);
    r->env.media = &r->media;
    r->env.sources = &r->sources;
    r->env.sinks = &r->sinks;
    r->env.data_sources = &r->data_sources;
    r->env.data_sinks = &r->data_sinks;
    r->env.rng = &r->rng;
    r->env.bases = &r->addr;
    r->env.base_count = 1;
    r->env.settings.twcc_period_us = MSEC(200);
    r->env.dtls = client_dtls;
    r->env.seal = client_seal;
    assert_true(peer_env_init(&r->env, &(struct peer_limits){.peers = 1, .mlines = 4, .sealed = 256}));
    const struct peer_open_order open = {.peer = {0, 1}, .local = r->local, .controlling = true};
    r->peer = peer_new(&r->env, &open, fake.now);
    assert_non_null(r->peer);
}

static void close_client(struct remote *r)
{
    if (r->ear != NULL)
        sink_free(r->ear);
    peer_free(r->peer);
    for (unsigned i = 0; i < REMOTE_LINES; i++)
        if (r->feed_source[i] != NULL)
            source_free(r->feed_source[i]);
    for (struct list *it; (it = list_pop(&r->media.orphans)) != NULL;)
        source_free(CONTAINER_OF(it, struct source, wanting));
    fake_port_fini(&r->port);
    peer_env_fini(&r->env);
    media_fini(&r->media);
    slots_fini(&r->sources);
    slots_fini(&r->sinks);
    slots_fini(&r->data_sources);
    slots_fini(&r->data_sinks);
    *r = (struct remote){0};
}

static uint32_t ssrc_of(const struct remote *r, bool ours, uint16_t line, uint8_t layer)
{
    return (ours ? 0xB0000000u : 0xA0000000u) + (uint32_t)(r - r->world->remotes) * 4096u + line * 16u + layer;
}

static void describe(const struct remote *r, bool ours, struct mline_desc lines[REMOTE_LINES])
{
    for (uint16_t i = 0; i < REMOTE_LINES; i++) {
        const bool video = i > 0, sends = ours ? i == 2 : i != 2, rtx = video && !r->no_rtx;
        struct mline_desc *desc = &lines[i];
        *desc = (struct mline_desc){.mindex = i, .kind = video ? MEDIA_VIDEO : MEDIA_AUDIO, .send = sends, .recv = !sends, .nack = video,
                                    .layer_count = 1, .pt_count = 1, .ssrc = ssrc_of(r, ours, i, 0)};
        snprintf(desc->mid, sizeof(desc->mid), "%u", i);
        desc->pts[0] = (struct mline_pt){.pt = video ? 96 : 111, .rtx_pt = rtx ? 97 : 0, .codec = video ? CODEC_VP8 : CODEC_OPUS,
                                         .clock_hz = video ? 90000 : 48000};
        desc->rtx_ssrc = rtx ? desc->ssrc + 0x01000000u : 0;
        if (sends)
            continue;
        desc->layer_count = i == 1 && r->layers > 0 ? r->layers : 1;
        for (uint8_t k = 0; k < desc->layer_count; k++) {
            desc->remote_ssrc[k] = ssrc_of(r, !ours, i, k);
            desc->remote_rtx_ssrc[k] = rtx ? desc->remote_ssrc[k] + 0x01000000u : 0;
        }
        desc->source = ours ? r->source[i] : (struct ref){i, 1};
        desc->source_desc = (struct source_desc){.kind = desc->kind, .codec = desc->pts[0].codec, .layer_count = desc->layer_count,
                                                 .clock_hz = desc->pts[0].clock_hz};
    }
}

static struct peer_apply_order *apply_order(const struct remote *r, bool ours, bool start, size_t *size)
{
    *size = sizeof(struct peer_apply_order) + REMOTE_LINES * sizeof(struct mline_desc);
    struct peer_apply_order *order = calloc(1, *size);
    order->peer = ours ? r->name : (struct ref){0, 1};
    order->remote_known = true;
    order->dtls_client = !ours;
    order->remote = ours ? r->local : r->server;
    order->fingerprint = *dtls_identity_fingerprint(identity(ours ? 1 : 0));
    order->start = start;
    order->ext = (struct rtp_ext_ids){.mid = 4, .twcc = 3, .abs_send_time = 2, .audio_level = 1};
    if (r->has_data)
        order->data = (struct peer_data_desc){.state = DATA_AGREED, .to_control = ours ? r->data_to_control : true, .mindex = 3, .remote_port = 5000,
                                              .receive_max = 262144, .send_max = 262144, .source = ours ? r->data_source : REF_NONE};
    order->mline_count = REMOTE_LINES;
    describe(r, ours, order->mlines);
    return order;
}

void remote_apply(struct remote *r, bool start)
{
    size_t size;
    struct peer_apply_order *order = apply_order(r, true, start, &size);
    world_order(r->world, r->worker, WORKER_PEER_APPLY, order, size);
    free(order);
    order = apply_order(r, false, start, &size);
    peer_apply(r->peer, fake.now, order);
    free(order);
    remote_turn(r);
}

/* The client is told where we are; it is found by its checks. */
void remote_introduce(struct remote *r)
{
    struct ice_candidate candidate = {.foundation = "1", .type = ICE_HOST, .addr = world_addr(r->worker, r->socket)};
    candidate.priority = ice_candidate_priority(ICE_HOST, ice_local_preference(0), 1);
    peer_add_candidate(r->peer, fake.now, &candidate);
    peer_end_of_candidates(r->peer, fake.now);
    remote_turn(r);
}

struct remote *world_open(struct world *w, uint32_t worker)
{
    uint32_t index = 0;
    while (index < WORLD_REMOTES && w->remotes[index].used)
        index++;
    assert_in_range(index, 0, WORLD_REMOTES - 1);
    struct remote *r = &w->remotes[index];
    *r = (struct remote){.world = w, .used = true, .worker = worker, .name = {w->next_peer[worker]++, 1}};
    r->addr = (struct net_addr){.ip = {10, 2, 0, (uint8_t)(1 + index)}, .port = 9000, .family = NET_IP4};
    struct rng rng;
    rng_init(&rng, fill, &worker_seed);
    struct peer_open_order open = {.peer = r->name};
    ufrag_write(open.local.ufrag, r->name, &rng);
    rng_text(&rng, open.local.pwd, 24);
    r->server = open.local;
    rng_text(&rng, r->local.ufrag, 12);
    rng_text(&rng, r->local.pwd, 24);
    for (uint16_t i = 0; i < 2; i++)
        r->source[i] = (struct ref){w->next_source++, 1};
    r->data_source = (struct ref){w->next_source++, 1};
    world_order(w, worker, WORKER_PEER_OPEN, &open, sizeof(open));
    open_client(r, index);
    return r;
}

struct remote *world_join(struct world *w, uint32_t worker)
{
    struct remote *r = world_open(w, worker);
    usec_t limit = fake.now + SEC(5);
    uint32_t ups = world_fact_count(w, CONTROL_PEER_UP);
    remote_apply(r, true);
    remote_introduce(r);
    while ((!r->up || world_fact_count(w, CONTROL_PEER_UP) == ups) && fake.now < limit)
        world_run_for(w, MSEC(5));
    assert_true(r->up);
    assert_int_equal(world_fact_count(w, CONTROL_PEER_UP), ups + 1);
    return r;
}

void world_leave(struct world *w, struct remote *r)
{
    const struct peer_close_order order = {.peer = r->name, .notify = true};
    world_order(w, r->worker, WORKER_PEER_CLOSE, &order, sizeof(order));
    close_client(r);
}

/* ---- media ---- */

void remote_feed(struct remote *r, uint16_t line, uint8_t layer, struct feed *feed)
{
    struct mline_desc lines[REMOTE_LINES];
    describe(r, false, lines);
    if (r->feed_source[line] == NULL) {
        const struct source_desc what = {.kind = lines[line].kind, .codec = lines[line].pts[0].codec, .layer_count = 1,
                                         .clock_hz = lines[line].pts[0].clock_hz};
        struct sink_options options = rig_options;
        options.pt = lines[line].pts[0].pt;
        r->feed_source[line] = source_new(&r->media, (struct ref){20u + line, 1}, &what);
        struct sink *sink = sink_new(&r->media, (struct ref){20u + line, 1}, &options, fake.now);
        assert_true(slots_put(&r->sinks, sink->name, sink));
        sink_set_source(sink, r->feed_source[line], fake.now);
        assert_true(peer_attach_sink(r->peer, fake.now, line, sink));
    }
    feed_init(feed, r->feed_source[line], layer, fake.now);
    feed->codec = (enum codec)lines[line].pts[0].codec;
}

void remote_frame(struct remote *r, struct feed *feed, bool key, unsigned packets)
{
    feed->now = fake.now;
    feed_frame(feed, key, packets);
    remote_turn(r);
}

struct source_name remote_source(const struct remote *r, uint16_t line)
{
    return (struct source_name){r->source[line], r->worker};
}

struct source_desc remote_desc(const struct remote *r, uint16_t line)
{
    struct mline_desc lines[REMOTE_LINES];
    describe(r, true, lines);
    return lines[line].source_desc;
}

struct ref world_join_data(struct world *w, struct remote *viewer, const struct remote *publisher, const char *label)
{
    struct data_sink_add_order order = {.peer = viewer->name, .label_size = (uint8_t)strlen(label)};
    order.state = (struct data_sink_set_order){.sink = {w->next_sink++, 1}, .source = {publisher->data_source, publisher->worker}};
    memcpy(order.label, label, order.label_size);
    world_order(w, viewer->worker, WORKER_DATA_SINK_ADD, &order, sizeof(order));
    return order.state.sink;
}

static void listen(struct remote *viewer)
{
    struct source *source = slots_get(&viewer->sources, (struct ref){2, 1});
    assert_non_null(source);
    if (viewer->ear != NULL)
        return;
    fake_port_init(&viewer->port);
    viewer->ear = sink_new(&viewer->media, (struct ref){40, 1}, &rig_options, fake.now);
    sink_set_port(viewer->ear, &viewer->port.port, false, 90000);
    sink_set_source(viewer->ear, source, fake.now);
}

struct ref world_view(struct world *w, struct remote *viewer, const struct remote *publisher, uint16_t line)
{
    struct sink_add_order order = {.sink = {w->next_sink++, 1}, .peer = viewer->name, .mindex = 2, .options = rig_options};
    if (publisher != NULL) {
        order.source = remote_source(publisher, line);
        order.desc = remote_desc(publisher, line);
    }
    listen(viewer);
    world_order(w, viewer->worker, WORKER_SINK_ADD, &order, sizeof(order));
    return order.sink;
}

void world_switch(struct world *w, struct remote *viewer, struct ref sink, const struct remote *publisher)
{
    struct sink_switch_order order = {.sink = sink};
    if (publisher != NULL) {
        order.source = remote_source(publisher, 1);
        order.desc = remote_desc(publisher, 1);
    }
    world_order(w, viewer->worker, WORKER_SINK_SWITCH, &order, sizeof(order));
}

/* ---- control ---- */

void world_order(struct world *w, uint32_t worker, uint16_t type, const void *payload, size_t size)
{
    (void)w;
    fake_post(ACTOR_CONTROL, (actor_id)(ACTOR_WORKER_0 + worker), type, payload, size);
}

void world_order_op(struct world *w, uint32_t worker, uint16_t type, struct ref op, const void *payload, size_t size)
{
    world_order(w, worker, type, payload, size);
    struct fake_queue *queue = &fake.queues[ACTOR_CONTROL][ACTOR_WORKER_0 + worker];
    queue->items[queue->count - 1].op = op;
}

static void note_facts(struct world *w)
{
    for (uint32_t i = 0; i < w->worker_count; i++) {
        struct fake_message m;
        while (fake_take((actor_id)(ACTOR_WORKER_0 + i), ACTOR_CONTROL, &m)) {
            if (w->fact_count == w->fact_room) {
                w->fact_room = w->fact_room == 0 ? 64 : w->fact_room * 2;
                w->facts = realloc(w->facts, w->fact_room * sizeof(*w->facts));
            }
            struct fact *fact = &w->facts[w->fact_count++];
            *fact = (struct fact){.type = m.type, .from = m.from, .op = m.op};
            size_t room = sizeof(*fact) - offsetof(struct fact, peer);
            assert_true(m.size > 0 && (m.size <= room || m.type == CONTROL_PEER_DATA || m.type == CONTROL_COLLECTED));     /* of a message its head will do */
            memcpy((char *)fact + offsetof(struct fact, peer), m.payload, m.size < room ? m.size : room);
            fake_done(&m);
        }
    }
}

const struct fact *world_fact(const struct world *w, uint16_t type, uint32_t n)
{
    for (uint32_t i = 0; i < w->fact_count; i++)
        if (w->facts[i].type == type && n-- == 0)
            return &w->facts[i];
    return NULL;
}

uint32_t world_fact_count(const struct world *w, uint16_t type)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->fact_count; i++)
        n += w->facts[i].type == type;
    return n;
}

/* ---- turns and time ---- */

/* One message from each sender in a random order, until there is none; lanes in between. */
static bool hand_messages(struct world *w, uint32_t worker)
{
    const actor_id self = (actor_id)(ACTOR_WORKER_0 + worker);
    bool any = false;
    for (;;) {
        actor_id from[FAKE_ACTORS * 2];
        uint32_t count = 0;
        for (actor_id i = 0; i < FAKE_ACTORS; i++) {
            if (fake.queues[i][self].count > 0)
                from[count++] = i;
            if (fake.lanes[i][self].count > 0)
                from[count++] = (actor_id)(i + FAKE_ACTORS);
        }
        if (count == 0)
            return any;
        any = true;
        actor_id chosen = from[world_dice(w, count)];
        if (chosen < FAKE_ACTORS) {
            struct fake_message m;
            fake_take(chosen, self, &m);
            const struct message message = {.from = m.from, .type = m.type, .op = m.op, .payload = m.payload, .size = m.size};
            worker_ops.on_message(w->worker[worker], fake.now, &message);
            fake_done(&m);
        } else {
            struct fake_record record;
            fake_take_record((actor_id)(chosen - FAKE_ACTORS), self, &record);
            worker_ops.on_relay(w->worker[worker], fake.now, (actor_id)(chosen - FAKE_ACTORS), VIEW(record.bytes, record.size));
            free(record.bytes);
        }
    }
}

static bool worker_turn(struct world *w, uint32_t index)
{
    struct worker *worker = w->worker[index];
    bool any = hand_messages(w, index);
    for (uint32_t i = 0; i < worker->config.socket_count; i++)
        if (fake.sockets[w->sockets[index][i].fd].count > 0) {
            worker_ops.on_ready(worker, fake.now, i, EPOLLIN);
            any = true;
        }
    for (int fd = FAKE_FD_FIRST; fd < FAKE_FDS; fd++)
        if (fake.sockets[fd].count > 0 && (w->actor[index].watched & 1u << fd) != 0) {
            worker_ops.on_ready(worker, fake.now, w->actor[index].tokens[fd], EPOLLIN);
            any = true;
        }
    if (!any && worker_ops.deadline(worker) > fake.now)
        return false;
    worker_ops.on_turn(worker, fake.now);
    return true;
}

void world_settle(struct world *w)
{
    uint32_t rounds = 0;
    for (bool any = true; any;) {
        any = false;
        for (uint32_t i = 0; i < w->worker_count; i++)
            any = worker_turn(w, i) || any;
        note_facts(w);
        assert_in_range(rounds++, 0, 10000);                /* a deadline that does not move is a busy loop */
    }
}

/* To a plain socket, or out of this world. */
static void leave(struct world *w, const struct world_flight *flight)
{
    for (uint32_t i = 0; i < w->worker_count; i++) {
        const struct slots *plains = &w->worker[i]->plains;
        for (uint32_t k = slots_next(plains, 0); k != UINT32_MAX; k = slots_next(plains, k + 1)) {
            const struct plain *plain = slots_at(plains, k);
            if (plain->udp.local.port != flight->to.port)
                continue;
            fake_receive(plain->udp.fd, &flight->from, flight->data, flight->size);
            return;
        }
    }
    if (w->outside_count == w->outside_room) {
        w->outside_room = w->outside_room == 0 ? 64 : w->outside_room * 2;
        w->outside = realloc(w->outside, w->outside_room * sizeof(*w->outside));
    }
    struct outside *out = &w->outside[w->outside_count++];
    assert_in_range(flight->size, 1, sizeof(out->data));
    *out = (struct outside){.from = flight->from, .to = flight->to, .size = flight->size};
    memcpy(out->data, flight->data, flight->size);
}

void world_send_in(struct world *w, const struct net_addr *from, const struct net_addr *to, const void *data, size_t size)
{
    launch(w, from, to, data, size);
}

static void land(struct world *w, struct world_flight *flight)
{
    for (uint32_t i = 0; i < w->worker_count; i++)
        for (uint32_t k = 0; k < w->worker[i]->config.socket_count; k++)
            if (net_addr_equal(&flight->to, &w->sockets[i][k].local)) {
                fake_receive(w->sockets[i][k].fd, &flight->from, flight->data, flight->size);
                return;
            }
    struct remote *r = remote_at(w, &flight->to);
    if (r == NULL)
        leave(w, flight);
    else if (!r->cut)
        remote_receive(r, &flight->from, flight->data, flight->size);
}

/* Everything that lands now; a worker then finds all of it in its sockets at once. */
static void land_due(struct world *w)
{
    for (uint32_t i = 0; i < w->flight_count;) {
        if (w->flights[i].at > fake.now) {
            i++;
            continue;
        }
        struct world_flight flight = w->flights[i];
        memmove(&w->flights[i], &w->flights[i + 1], (--w->flight_count - i) * sizeof(flight));
        land(w, &flight);
        free(flight.data);
    }
}

static usec_t remote_deadline(const struct remote *r)
{
    usec_t first = peer_deadline(r->peer, fake.now);
    LIST_EACH(it, &r->media.keyframes)
        first = usec_min(first, source_keyframe_deadline(CONTAINER_OF(it, struct source, wanting)));
    return first;
}

static usec_t next_event(struct world *w)
{
    usec_t first = USEC_NEVER;
    for (uint32_t i = 0; i < w->worker_count; i++)
        first = usec_min(first, worker_ops.deadline(w->worker[i]));
    for (unsigned i = 0; i < WORLD_REMOTES; i++)
        if (w->remotes[i].used)
            first = usec_min(first, remote_deadline(&w->remotes[i]));
    for (uint32_t i = 0; i < w->flight_count; i++)
        first = usec_min(first, w->flights[i].at);
    return first;
}

static void set_time(usec_t now)
{
    fake.now = virtual_now = now;
    fake.wall_us = (uint64_t)EPOCH_S * 1000000u + now;
}

static void run_remotes(struct world *w)
{
    for (unsigned i = 0; i < WORLD_REMOTES; i++) {
        struct remote *r = &w->remotes[i];
        if (!r->used || remote_deadline(r) > fake.now)
            continue;
        r->env.wall_us = fake.wall_us;
        peer_timeout(r->peer, fake.now);
        remote_turn(r);
    }
}

void world_run(struct world *w, usec_t until)
{
    uint32_t at_once = 0;
    world_settle(w);
    for (usec_t next; (next = next_event(w)) <= until;) {
        at_once = next > fake.now ? 0 : at_once + 1;
        assert_in_range(at_once, 0, 100000);
        if (next > fake.now)
            set_time(next);
        land_due(w);
        run_remotes(w);
        world_settle(w);
    }
    set_time(until);
}

void world_run_for(struct world *w, usec_t us)
{
    world_run(w, fake.now + us);
}

/* ---- life ---- */

static void open_worker(struct world *w, uint32_t index, const struct world_options *options)
{
    char error[DTLS_ERROR_TEXT];
    uint32_t sockets = options->sockets == UINT32_MAX ? 0 : options->sockets == 0 ? 1 : options->sockets;
    for (uint32_t i = 0; i < sockets; i++)
        w->sockets[index][i] = (struct udp){.fd = (int)(index * 2 + i), .local = world_addr(index, i)};
    w->actor[index] = (struct actor){.id = (actor_id)(ACTOR_WORKER_0 + index)};
    struct worker_config config = {
        .index = index,
        .sockets = w->sockets[index],
        .socket_count = sockets,
        .identity = identity(0),
        .dtls_accept_selfsigned = true,
        .no_media_us = SEC(1),
        .twcc_period_us = MSEC(200),
        .stun_server = options->stun_server,
        .limits = options->limits,
        .entropy = fill,
        .entropy_source = &worker_seed,
    };
    if (config.limits.peers == 0)
        config.limits = (struct worker_limits){.peers = 64, .sources = 256, .sinks = 512, .mlines = 256, .packets = 8192, .plains = 8, .forwards = 16};
    w->worker[index] = worker_new(&w->actor[index], &config, error);
    assert_non_null(w->worker[index]);
    worker_ops.on_start(w->worker[index], fake.now);
}

void world_init(struct world *w, const struct world_options *options)
{
    struct dtls_shared_config config = {.accept_selfsigned = true};
    char error[DTLS_ERROR_TEXT];
    *w = (struct world){.random = options->seed + 1, .delay_us = MSEC(10), .worker_count = options->workers == 0 ? 2 : options->workers};
    fake_init();
    set_time(SEC(1000));
    fake.on_run = on_run;
    fake.owner = w;
    worker_seed = 77;
    (void)identity(0);
    config.identity = identity(1);
    w->outstanding = seam_mem_outstanding();
    client_dtls = dtls_shared_open(&config, error);
    client_seal = seal_shared_new(SEAL_BACKEND_OPENSSL, 4 * WORLD_REMOTES);
    for (uint32_t i = 0; i < w->worker_count; i++)
        open_worker(w, i, options);
}

void world_fini(struct world *w)
{
    for (unsigned i = 0; i < WORLD_REMOTES; i++)
        if (w->remotes[i].used)
            close_client(&w->remotes[i]);
    for (uint32_t i = 0; i < w->worker_count; i++) {
        worker_ops.on_stop(w->worker[i], fake.now);
        assert_true(w->actor[i].stopped);
        assert_int_equal(w->actor[i].watched, 0);
    }
    for (uint32_t i = 0; i < w->worker_count; i++)
        worker_free(w->worker[i]);                          /* CHECKs its pools */
    for (uint32_t i = 0; i < w->flight_count; i++)
        free(w->flights[i].data);
    free(w->flights);
    free(w->facts);
    free(w->outside);
    fake_fini();
    dtls_shared_close(client_dtls);
    seal_shared_free(client_seal);
    assert_int_equal(seam_mem_outstanding(), w->outstanding);
}
