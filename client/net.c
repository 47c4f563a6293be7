#include "client/net.h"

#include "base/mem.h"
#include "proto/rtp/demux.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"

#define BUFFER_BYTES (512u * 1024u)         /* of a socket: half a second of a 5 Mb/s stream and more */
#define PORTS        1000u

static void on_turn(struct loop_hook *hook, usec_t now);
static void on_keyframes(struct loop_timer *timer, usec_t now);
static void on_ready(struct loop_source *source, usec_t now, uint32_t events);
static void on_deadline(struct loop_timer *timer, usec_t now);
static void on_frame(struct loop_timer *timer, usec_t now);

bool net_init(struct net *net, struct loop *loop, const struct net_addr *local, const struct rtc_config *config, char error[DTLS_ERROR_TEXT])
{
    struct rtc_config filled = *config;
    filled.entropy = entropy_fill;
    *net = (struct net){.loop = loop, .local = *local, .hook = {.on_turn = on_turn}, .timer = {.on_due = on_keyframes}};
    net->local.port = 0;
    list_init(&net->touched);
    net->rtc = rtc_new(&filled, error);
    if (net->rtc == NULL)
        return false;
    rtc_set_wall(net->rtc, clock_wall_us());
    net->inbox = mem_get(sizeof(*net->inbox));
    loop_hook(loop, &net->hook);
    return true;
}

void net_fini(struct net *net)
{
    loop_unhook(&net->hook);
    loop_set(net->loop, &net->timer, USEC_NEVER);
    rtc_free(net->rtc);
    mem_put(net->inbox);
}

void net_touch(struct net_endpoint *peer)
{
    if (peer->touched)
        return;
    peer->touched = true;
    list_add_tail(&peer->net->touched, &peer->touch);
}

struct net_endpoint *net_open(struct net *net, bool offers, uint16_t port, net_changed on_changed, void *owner)
{
    struct net_endpoint *peer = mem_get_zero(sizeof(*peer));
    const uint16_t last = port == 0 ? 0 : (uint16_t)(port + PORTS - 1u);
    const struct udp_options options = {.local = net->local, .port_min = port, .port_max = last, .receive_bytes = BUFFER_BYTES, .send_bytes = BUFFER_BYTES};
    *peer = (struct net_endpoint){.net = net, .on_changed = on_changed, .owner = owner};
    list_init(&peer->touch);
    if (udp_open(&peer->udp, &options, 0) == ERR_NONE) {
        peer->source = (struct loop_source){.fd = peer->udp.fd, .on_ready = on_ready};
        peer->timer.on_due = on_deadline;
        peer->endpoint = endpoint_new(net->rtc, &peer->udp.local, offers, net->loop->now);
    }
    if (peer->endpoint == NULL || !loop_watch(net->loop, &peer->source, EPOLLIN)) {
        endpoint_free(peer->endpoint, net->loop->now);
        udp_close(&peer->udp);
        mem_put(peer);
        return NULL;
    }
    peer->endpoint->owner = peer;
    net_touch(peer);
    return peer;
}

/* ---- what the endpoints have to say ---- */

static void send_all(struct net *net, usec_t now)
{
    struct rtc_tx tx;
    struct view packets[UDP_SEND_BATCH];
    struct udp_run runs[UDP_SEND_BATCH];
    uint32_t count = 0;
    struct net_endpoint *last = NULL;
    bool more;
    do {
        more = rtc_poll_tx(net->rtc, now, &tx);
        struct net_endpoint *peer = more ? tx.endpoint->owner : NULL;
        if (count > 0 && (peer != last || count == UDP_SEND_BATCH)) {
            size_t sent = udp_send_batch(&last->udp, runs, count);
            net->send_failed += count - sent;
            count = 0;
        }
        last = peer;
        if (!more)
            break;
        packets[count] = tx.datagram;
        runs[count] = (struct udp_run){.to = tx.to, .packets = &packets[count], .packet_count = 1};
        count++;
    } while (more);
}

static void on_turn(struct loop_hook *hook, usec_t now)
{
    struct net *net = CONTAINER_OF(hook, struct net, hook);
    struct rtc_event event;
    rtc_set_wall(net->rtc, clock_wall_us());
    rtc_timeout(net->rtc, now);
    while (rtc_poll_event(net->rtc, &event)) {
        struct net_endpoint *peer = event.endpoint->owner;
        net_touch(peer);            /* a message that is paid back may move its deadline */
        peer->on_changed(peer->owner, now, peer, &event);
    }
    send_all(net, now);
    for (struct list *it; (it = list_pop(&net->touched)) != NULL;) {
        struct net_endpoint *peer = CONTAINER_OF(it, struct net_endpoint, touch);
        peer->touched = false;
        loop_set(net->loop, &peer->timer, endpoint_deadline(peer->endpoint, now));
    }
    loop_set(net->loop, &net->timer, rtc_deadline(net->rtc));
}

static void on_keyframes(struct loop_timer *timer, usec_t now)
{
    (void)timer;                    /* it only ends the wait: on_turn does the rest */
    (void)now;
}

static bool is_lost(struct net_endpoint *peer, const struct udp_datagram *datagram)
{
    if (peer->loss_percent == 0 || rtp_classify(VIEW(datagram->data, datagram->size)) != RTP_KIND_RTP ||
        rng_u32(&peer->net->rtc->rng) % 100u >= peer->loss_percent)
        return false;
    peer->net->thrown_away++;
    return true;
}

static void on_ready(struct loop_source *source, usec_t now, uint32_t events)
{
    struct net_endpoint *peer = CONTAINER_OF(source, struct net_endpoint, source);
    struct udp_inbox *inbox = peer->net->inbox;
    (void)events;
    bool more;
    do {
        more = udp_recv_batch(&peer->udp, inbox);
        for (uint32_t i = 0; i < inbox->count; i++)
            if (!is_lost(peer, &inbox->items[i]))
                endpoint_input(peer->endpoint, now, &inbox->items[i].from, inbox->items[i].data, inbox->items[i].size);
        endpoint_received(peer->endpoint, now);
    } while (more);
    net_touch(peer);
}

static void on_deadline(struct loop_timer *timer, usec_t now)
{
    struct net_endpoint *peer = CONTAINER_OF(timer, struct net_endpoint, timer);
    endpoint_timeout(peer->endpoint, now);
    net_touch(peer);
}

void net_close(struct net_endpoint *peer)
{
    if (peer == NULL)
        return;
    struct net *net = peer->net;
    endpoint_close(peer->endpoint, net->loop->now);
    send_all(net, net->loop->now);
    endpoint_free(peer->endpoint, net->loop->now);
    list_del(&peer->touch);
    loop_set(net->loop, &peer->timer, USEC_NEVER);
    loop_unwatch(net->loop, &peer->source);
    udp_close(&peer->udp);
    mem_put(peer);
}

/* ---- synths ---- */

struct net_synth *net_synth_start(struct net *net, struct synth *synth)
{
    struct net_synth *running = mem_get_zero(sizeof(*running));
    running->net = net;
    running->synth = synth;
    running->timer.on_due = on_frame;
    loop_set(net->loop, &running->timer, net->loop->now);
    return running;
}

static void on_frame(struct loop_timer *timer, usec_t now)
{
    struct net_synth *running = CONTAINER_OF(timer, struct net_synth, timer);
    synth_timeout(running->synth, now);
    loop_set(running->net->loop, timer, synth_deadline(running->synth));
}

void net_synth_stop(struct net_synth *running)
{
    if (running == NULL)
        return;
    loop_set(running->net->loop, &running->timer, USEC_NEVER);
    synth_free(running->synth);
    mem_put(running);
}
