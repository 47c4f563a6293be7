/* One client: at each turn of its timer it does the next thing that its state allows, whether or not the last one is answered. */
#include "base/str.h"
#include "load/storm.h"

/* ---- its PeerConnection ---- */

static void on_changed(void *owner, usec_t now, struct net_endpoint *peer, const struct rtc_event *event)
{
    struct storm_client *client = owner;
    (void)now;
    (void)peer;
    client->storm->calls_up += event->kind == RTC_UP;
    client->call_over |= event->kind == RTC_ENDED;
}

static void end_call(struct storm_client *client)
{
    net_close(client->peer);
    client->peer = NULL;
    client->call_over = false;
}

static bool begin_call(struct storm_client *client, bool offers)
{
    end_call(client);
    client->peer = net_open(&client->storm->net, offers, 0, on_changed, client);
    return client->peer != NULL;
}

static void publish(struct storm_client *client)
{
    const struct endpoint_offer what = {.audio = SDP_SENDONLY, .video = SDP_SENDONLY};
    buf_clear(&client->storm->sdp);
    if (begin_call(client, true) && endpoint_offer(client->peer->endpoint, &what, &client->storm->sdp))
        storm_ask(client, ASK_PUBLISH);
    else
        end_call(client);
}

static void watch(struct storm_client *client, usec_t now, const char *offer)
{
    buf_clear(&client->storm->sdp);
    if (begin_call(client, false) && endpoint_answer(client->peer->endpoint, now, str_of(offer), SDP_RECVONLY, &client->storm->sdp)) {
        net_touch(client->peer);
        storm_ask(client, ASK_START);
    } else {
        end_call(client);
    }
}

/* ---- answers ---- */

static void forget_handle(struct storm_client *client)
{
    end_call(client);
    client->handle = client->room = 0;
    client->publishing = client->watching = false;
}

static void note_publisher(struct storm_client *client, const struct janus_reply *reply)
{
    struct storm *storm = client->storm;
    const json_t *id = json_object_get(reply->data, "id"), *room = json_object_get(reply->data, "room");
    client->room = (uint64_t)json_integer_value(room);
    storm->feeds[storm->feed_next++ % STORM_FEEDS] = (struct storm_feed){client->room, (uint64_t)json_integer_value(id)};
}

static void take_answer(struct storm_client *client, usec_t now, const struct janus_reply *reply)
{
    if (client->peer == NULL)
        return;
    if (reply->jsep_sdp == NULL || !endpoint_take_answer(client->peer->endpoint, now, str_of(reply->jsep_sdp))) {
        end_call(client);
        return;
    }
    client->publishing = true;
    net_touch(client->peer);
}

/* What it asked for may be undone by what it asked for since; then the next request gets an error, which is an answer too. */
void storm_answered(struct storm_client *client, usec_t now, enum storm_ask kind, const struct janus_reply *reply)
{
    if (reply->error != 0) {
        if (kind == ASK_PUBLISH || kind == ASK_START)
            end_call(client);
        else if (kind == ASK_ATTACH || kind == ASK_KEEPALIVE)
            client->session = 0;
        return;
    }
    switch ((unsigned)kind) {
    case ASK_CREATE:
        client->session = reply->id;
        break;
    case ASK_CLAIM:
        client->session = reply->session != 0 ? reply->session : client->lost_session;
        break;
    case ASK_ATTACH:
        client->handle = reply->id;
        break;
    case ASK_DETACH:
        forget_handle(client);
        break;
    case ASK_DESTROY:
        forget_handle(client);
        client->session = 0;
        break;
    case ASK_JOIN:
        note_publisher(client, reply);
        break;
    case ASK_PUBLISH:
        take_answer(client, now, reply);
        break;
    case ASK_UNPUBLISH:
    case ASK_HANGUP:
        end_call(client);
        client->publishing = false;
        break;
    case ASK_LEAVE:
        end_call(client);
        client->room = 0;
        client->publishing = false;
        break;
    case ASK_WATCH:
        client->watching = true;
        if (reply->jsep_sdp != NULL && !client->storm->over)
            watch(client, now, reply->jsep_sdp);
        break;
    default:
        break;
    }
}

/* ---- its connection ---- */

static void send_text(void *owner, struct view text)
{
    struct storm_client *client = owner;
    conn_send(&client->conn, text);
}

static void on_open(struct conn *conn, usec_t now)
{
    struct storm_client *client = CONTAINER_OF(conn, struct storm_client, conn);
    struct storm *storm = client->storm;
    client->connecting = false;
    client->open = true;
    storm->connects++;
    if (now - client->connect_at > storm->connect_worst_us)
        storm->connect_worst_us = now - client->connect_at;
}

static void on_text(struct conn *conn, usec_t now, struct view text)
{
    struct storm_client *client = CONTAINER_OF(conn, struct storm_client, conn);
    janus_input(&client->janus, now, text);
}

static void on_closed(struct conn *conn, usec_t now)
{
    struct storm_client *client = CONTAINER_OF(conn, struct storm_client, conn);
    client->dropped = true;
    client->storm->connect_refused += client->connecting;
    janus_lost(&client->janus, now);
}

static const struct conn_ops ops = {.on_open = on_open, .on_text = on_text, .on_closed = on_closed};

static void connect_anew(struct storm_client *client, usec_t now)
{
    struct storm *storm = client->storm;
    client->connect_at = now;
    client->dropped = false;
    janus_init(&client->janus, &storm->load->rng, send_text, client);
    client->connecting = conn_open(&client->conn, &storm->load->conns, &storm->load->options->server, "janus-protocol", &ops);
    if (client->connecting)
        return;
    storm->connect_refused++;
    janus_fini(&client->janus, now);
}

/* With a close frame, or by a reset. */
static void disconnect(struct storm_client *client, usec_t now)
{
    if (client->session != 0)
        client->lost_session = client->session;
    forget_handle(client);
    client->session = 0;
    if (rng_u32(&client->storm->load->rng) % 2 == 0)
        conn_close(&client->conn);
    else
        conn_drop(&client->conn);
    janus_fini(&client->janus, now);
    client->connecting = client->open = client->dropped = false;
}

/* ---- its life ---- */

static void act_in_room(struct storm_client *client, uint32_t dice)
{
    if (dice < 35 && !client->publishing)
        publish(client);
    else if (dice < 35)
        storm_ask(client, ASK_UNPUBLISH);
    else if (dice < 50)
        storm_ask(client, ASK_ROOM_LIST);
    else if (dice < 65)
        storm_ask(client, ASK_PARTICIPANTS);
    else if (dice < 72)
        storm_ask(client, ASK_KICK);
    else if (dice < 74)
        storm_ask(client, ASK_ROOM_DESTROY);
    else if (dice < 78)
        storm_ask(client, ASK_ROOM_CREATE);
    else if (dice < 84)
        storm_ask(client, ASK_LEAVE);
    else if (dice < 88)
        storm_ask(client, ASK_HANGUP);
    else if (dice < 93)
        storm_ask(client, ASK_DETACH);
    else
        storm_ask(client, ASK_DESTROY);
}

static void act_with_handle(struct storm_client *client, uint32_t dice)
{
    if (client->watching || dice < 10)
        storm_ask(client, dice < 50 ? ASK_DETACH : ASK_ROOM_LIST);
    else if (dice < 25)
        storm_ask(client, ASK_ROOM_CREATE);
    else if (dice < 50)
        storm_ask(client, ASK_WATCH);
    else
        storm_ask(client, ASK_JOIN);
}

/* Half of those who go of themselves have just asked for something. */
static void vanish(struct storm_client *client, usec_t now, uint32_t dice)
{
    if (!client->dropped) {
        client->storm->vanished++;
        if (dice % 2 == 0)
            storm_ask(client, client->session == 0 ? ASK_CREATE : client->handle == 0 ? ASK_ATTACH : ASK_JOIN);
    }
    disconnect(client, now);
}

static void act(struct storm_client *client, usec_t now, uint32_t dice)
{
    struct storm *storm = client->storm;
    if (client->call_over)
        end_call(client);
    if (client->dropped || (client->open && dice >= 94)) {
        vanish(client, now, dice);
    } else if (client->connecting) {
        if (now - client->connect_at > STORM_CONNECT_US) {
            storm->connect_refused++;
            disconnect(client, now);
        }
    } else if (!client->open) {
        connect_anew(client, now);
    } else if (client->in_flight >= STORM_IN_FLIGHT) {
        return;
    } else if (client->session == 0) {
        storm_ask(client, client->lost_session != 0 && dice < 40 ? ASK_CLAIM : ASK_CREATE);
    } else if (client->handle == 0) {
        storm_ask(client, dice < 5 ? ASK_DESTROY : dice < 10 ? ASK_KEEPALIVE : ASK_ATTACH);
    } else if (client->room == 0) {
        act_with_handle(client, dice);
    } else {
        act_in_room(client, dice * 100 / 94);
    }
}

static void on_due(struct loop_timer *timer, usec_t now)
{
    struct storm_client *client = CONTAINER_OF(timer, struct storm_client, timer);
    struct load *load = client->storm->load;
    if (client->storm->over)
        return;
    act(client, now, rng_u32(&load->rng) % 100);
    loop_set(&load->loop, timer, now + rng_u32(&load->rng) % (2 * MSEC(load->options->pause_ms)));
}

void storm_client_start(struct storm_client *client, struct storm *storm, usec_t at)
{
    *client = (struct storm_client){.storm = storm, .conn = {.source = {.fd = -1}}, .timer = {.on_due = on_due}};
    loop_set(&storm->load->loop, &client->timer, at);
}

void storm_client_stop(struct storm_client *client)
{
    loop_set(&client->storm->load->loop, &client->timer, USEC_NEVER);
    if (client->connecting || client->open || client->dropped)
        disconnect(client, client->storm->load->loop.now);
}
