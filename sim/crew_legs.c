/* What goes on on a member's PeerConnections: sending, hearing, new descriptions, and the view of who publishes. */
#include <string.h>

#include "base/json_out.h"
#include "base/str.h"
#include "sim/crew.h"
#include "sim/network.h"

#define GONE_US      SEC(5)         /* after a publisher has left in order nothing of it may come */
#define SILENCE_US   SEC(4)         /* of a stream that is sent */
#define VIEW_US      SEC(5)         /* that a participant may be behind */
#define LAYER_US     SEC(2)         /* from the event to the last packet of a layer above, sent again at worst */

/* ---- sending ---- */

static void start_synth(struct leg *leg, uint32_t place, enum sdp_kind kind, uint8_t layer, uint32_t pps)
{
    struct net *net = &leg->member->crew->net;
    const uint32_t bytes = (uint32_t)leg->member->crew->plan->knobs[KNOB_video_bytes];
    const uint32_t stream = leg->port * 8u + place;
    struct synth *synth = kind == SDP_AUDIO      ? synth_audio(net->rtc, stream, 80, sim->now)
                          : leg->call.config.svc ? synth_svc(net->rtc, stream, bytes * 8u * pps, pps, sim->now)
                                                 : synth_video(net->rtc, stream, bytes * 8u * (layer + 1u) * pps, pps, sim->now);
    if (synth == NULL)
        return;
    synth->every_us = SEC(1) / pps;
    if (!call_send(&leg->call, kind, layer, synth)) {
        synth_free(synth);
        return;
    }
    leg->synths[place] = net_synth_start(net, synth);
}

static void start_sending(struct leg *leg)
{
    const uint64_t *knobs = leg->member->crew->plan->knobs;
    if (leg->synths[0] != NULL || leg->synths[1] != NULL)
        return;
    start_synth(leg, 0, SDP_AUDIO, 0, (uint32_t)knobs[KNOB_audio_pps]);
    for (uint8_t layer = 0; layer < leg->call.config.layers && layer + 1u < LEG_SYNTHS; layer++)
        start_synth(leg, layer + 1u, SDP_VIDEO, layer, (uint32_t)knobs[KNOB_video_pps]);
}

void leg_stop_sending(struct leg *leg)
{
    for (uint32_t i = 0; i < LEG_SYNTHS; i++) {
        net_synth_stop(leg->synths[i]);
        leg->synths[i] = NULL;
    }
}

/* Who watches what this one has published is owed silence from now on. */
void leg_feed_gone(const struct leg *gone)
{
    struct crew *crew = gone->member->crew;
    /* What a client says into a connection that breaks may never arrive. */
    const bool sure = gone->member->hear_at == USEC_NEVER && sim->now >= gone->member->calm_at;
    if (gone->call.config.kind != CALL_PUBLISH || gone->member->vanished)
        return;
    for (uint32_t i = 0; i < crew->member_count; i++)
        LIST_EACH(it, &crew->members[i].legs) {
            struct leg *leg = CONTAINER_OF(it, struct leg, node);
            if (leg->call.config.kind == CALL_VIEW && leg->call.config.feed == gone->call.user && leg->room == gone->room) {
                leg->feed_gone_at = sim->now;
                leg->feed_gone_sure = sure;
            }
        }
}

void leg_on_state(void *owner, usec_t now, struct call *call)
{
    struct leg *leg = owner;
    struct member *m = leg->member;
    leg->changed_at = now;
    if (call->peer != NULL)
        leg->port = call->peer->udp.local.port;
    if (call->attached && !leg->listening) {
        leg->listening = true;
        leg->call_event = call->handle.on_event;
        call->handle.on_event = leg_on_event;
    }
    if (call->state == CALL_UP) {
        m->crew->counters.ups++;
        leg->heard_at[0] = leg->heard_at[1] = now;
        if (call->config.kind != CALL_VIEW)
            start_sending(leg);
    } else if (call->state == CALL_FAILED || call->state == CALL_ENDED) {
        m->crew->counters.failures++;
        sim_say("member %u: a call of kind %d has ended: %s", m->index, (int)call->config.kind, call->error);
        leg_stop_sending(leg);
        if (call->state == CALL_ENDED)
            leg_feed_gone(leg);
    }
}

/* ---- descriptions that change ---- */

static void on_started(void *owner, usec_t now, const struct janus_reply *reply)
{
    (void)owner;
    (void)now;
    (void)reply;
}

void leg_answer_offer(struct leg *leg, usec_t now, const char *text)
{
    struct buf sdp;
    if (leg->call.peer == NULL || leg->stopped || !member_can_ask(leg->member))
        return;
    buf_init(&sdp, ENDPOINT_SDP_BYTES);
    if (endpoint_answer(leg->call.peer->endpoint, now, str_of(text), SDP_RECVONLY, &sdp)) {
        net_touch(leg->call.peer);
        janus_message(leg->call.janus, leg->call.handle.session, leg->call.handle.id, STR("{\"request\":\"start\"}"), "answer", buf_view(&sdp),
                      on_started, leg);
    }
    buf_fini(&sdp);
}

static void on_reanswered(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct leg *leg = owner;
    leg->renegotiating = false;
    if (reply == NULL || reply->jsep_sdp == NULL || leg->stopped || leg->call.peer == NULL)
        return;
    if (!endpoint_take_answer(leg->call.peer->endpoint, now, str_of(reply->jsep_sdp)))
        sim_say("member %u: can't take the answer to a second offer", leg->member->index);
    net_touch(leg->call.peer);
}

void leg_renegotiate(struct leg *leg)
{
    const struct endpoint_offer what = {
        .audio = SDP_SENDONLY, .video = SDP_SENDONLY, .layers = leg->call.config.layers, .svc = leg->call.config.svc,
        .data = leg->call.config.data};
    struct buf sdp;
    if (leg->renegotiating || leg->call.config.layers > 1)
        return;
    buf_init(&sdp, ENDPOINT_SDP_BYTES);
    if (endpoint_offer(leg->call.peer->endpoint, &what, &sdp)) {
        leg->renegotiating = true;
        janus_message(leg->call.janus, leg->call.handle.session, leg->call.handle.id, STR("{\"request\":\"configure\"}"), "offer", buf_view(&sdp),
                      on_reanswered, leg);
    }
    buf_fini(&sdp);
}

void leg_on_event(struct janus_handle *handle, usec_t now, const struct janus_reply *event)
{
    struct leg *leg = CONTAINER_OF(CONTAINER_OF(handle, struct call, handle), struct leg, call);
    if (event->jsep_sdp != NULL && event->jsep_type != NULL && strcmp(event->jsep_type, "offer") == 0)
        leg_answer_offer(leg, now, event->jsep_sdp);
    leg->call_event(handle, now, event);
}

/* ---- the view: who publishes, by what the server says ---- */

static void view_del(struct leg *leg, uint64_t id)
{
    for (uint32_t i = 0; i < leg->view_count; i++)
        if (leg->view[i] == id) {
            leg->view[i] = leg->view[--leg->view_count];
            return;
        }
}

static void view_add(struct leg *leg, uint64_t id)
{
    view_del(leg, id);
    if (leg->view_count < VIEW_MAX)
        leg->view[leg->view_count++] = id;
}

static void take_publishers(struct leg *leg, const json_t *list)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(list, index, entry)
        view_add(leg, (uint64_t)json_integer_value(json_object_get(entry, "id")));
}

static void take_layer(struct leg *leg, const json_t *layer)
{
    if (!json_is_integer(layer))
        return;
    leg->layer_told = (uint8_t)json_integer_value(layer);
    leg->layer_told_at = sim->now;
}

void leg_take_text(struct member *m, const json_t *root)
{
    const uint64_t sender = (uint64_t)json_integer_value(json_object_get(root, "sender"));
    const json_t *data = json_object_get(json_object_get(root, "plugindata"), "data");
    const char *what = json_string_value(json_object_get(data, "videoroom"));
    struct leg *leg = NULL;
    LIST_EACH(it, &m->legs) {
        struct leg *one = CONTAINER_OF(it, struct leg, node);
        if (one->call.attached && one->call.handle.id == sender)
            leg = one;
    }
    if (leg != NULL && leg->call.config.kind == CALL_VIEW)
        take_layer(leg, json_object_get(data, "spatial_layer"));
    if (leg == NULL || what == NULL || leg->call.config.kind != CALL_PUBLISH)
        return;
    if (strcmp(what, "joined") == 0) {
        leg->joined = true;
        leg->view_count = 0;
    } else if (strcmp(what, "destroyed") == 0) {
        leg->joined = false;
    }
    take_publishers(leg, json_object_get(data, "publishers"));
    static const char *const ends[] = {"unpublished", "leaving", "kicked"};
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        const json_t *id = json_object_get(data, ends[i]);
        if (json_is_integer(id))
            view_del(leg, (uint64_t)json_integer_value(id));
        if (json_is_string(id) && strcmp(json_string_value(id), "ok") == 0 && i > 0)
            leg->joined = false;
    }
}

/* ---- looking ---- */

static const enum sdp_kind kinds[] = {SDP_AUDIO, SDP_VIDEO};

static const struct verify *hears(const struct leg *leg, enum sdp_kind kind)
{
    return leg->stopped || leg->call.peer == NULL ? NULL : call_received(&leg->call, kind);
}

/* Who is told that it gets layer 1 gets no layer 2. */
static void look_layers(const struct leg *leg, const struct verify *verify)
{
    const struct member *m = leg->member;
    if (!m->crew->clean || leg->layer_told_at == 0 || leg->switched || leg->missed || m->robbed || m->hear_at != USEC_NEVER)
        return;
    for (uint32_t i = leg->layer_told + 1u; i < VERIFY_LAYERS; i++)
        if (verify->layer_at[i] > leg->layer_told_at + LAYER_US)
            sim_fail("layer", "member %u has been told that it gets layer %u, and gets layer %u", m->index, leg->layer_told, i);
}

static void look_stream(struct leg *leg, const struct verify *verify, usec_t now)
{
    const struct member *m = leg->member;
    const struct crew *crew = m->crew;
    /* With layers each has a stream and numbers of its own: a change of layer looks like another stream. */
    if (verify->strange > 0 && !leg->switched && crew->plan->knobs[KNOB_layers] == 1)
        sim_fail("media", "member %u: %llu packets are not what was sent", m->index, (unsigned long long)verify->strange);
    if (crew->clean && verify->repeated > 0)
        sim_fail("media", "member %u: %llu packets came twice over a network that doubles none", m->index, (unsigned long long)verify->repeated);
    if (leg->feed_gone_at != 0 && leg->feed_gone_sure && !leg->switched && verify->last_at > leg->feed_gone_at + GONE_US && now > leg->feed_gone_at + GONE_US)
        sim_fail("left", "member %u still hears feed %llu, which has left %llu ms ago", m->index, (unsigned long long)leg->call.config.feed,
                 (unsigned long long)((verify->last_at - leg->feed_gone_at) / 1000));
    if (crew->clean && verify->video && verify->packets > 20 && verify->keyframes == 0)
        sim_fail("keyframe", "member %u: %llu packets of video and no keyframe", m->index, (unsigned long long)verify->packets);
    look_layers(leg, verify);
}

#define TALK_BYTES 3000u            /* more than a packet holds */
#define TALK_AHEAD 20u              /* messages whose echo is still under way, at most */
#define TALK_LATE  10u              /* the same after some calm */

/* A message, now and then. Nothing is lost on a channel, whatever the network does: an echo comes for each, and for no other. */
static void talk(struct leg *leg)
{
    static const uint8_t text[TALK_BYTES];
    struct call *call = &leg->call;
    if (leg->stopped || call->state != CALL_UP || !call->data_up)
        return;
    if (call->config.kind == CALL_ECHO && call->messages > leg->said)
        sim_fail("data", "member %u: %u messages have come back of %u", leg->member->index, call->messages, leg->said);
    if (leg->said < call->messages + TALK_AHEAD || call->config.kind == CALL_PUBLISH)
        leg->said += call_send_data(call, STR("sim"), true, VIEW(text, leg->said % 2 == 0 ? TALK_BYTES : 1)) == ERR_NONE;
    leg->member->crew->counters.heard += call->messages - leg->messages_seen;
    leg->messages_seen = call->messages;
}

static bool knows(const struct leg *leg, uint64_t id)
{
    for (uint32_t i = 0; i < leg->view_count; i++)
        if (leg->view[i] == id)
            return true;
    return false;
}

/* *missing: somebody it does not know of, 0 when it knows of too many; NULL: nobody wants to know. */
static bool view_is_right(const struct leg *leg, uint64_t *missing)
{
    uint64_t ids[INSIDE_PUBLISHERS_MAX];
    uint32_t count;
    if (!leg->joined || leg->missed || leg->member->robbed || leg->member->vanished || leg->member->state != MEMBER_HERE ||
        !inside_publishers(leg->room, leg->call.user, ids, &count))
        return true;
    for (uint32_t i = 0; i < count; i++) {
        if (knows(leg, ids[i]))
            continue;
        if (missing != NULL)
            *missing = ids[i];
        return false;
    }
    return count == leg->view_count;
}

static void look_view(const struct leg *leg)
{
    uint64_t missing = 0;
    leg->member->crew->counters.views_checked++;
    if (view_is_right(leg, &missing))
        return;
    if (missing != 0)
        sim_fail("view", "member %u does not know of publisher %llu in room %llu", leg->member->index, (unsigned long long)missing,
                 (unsigned long long)leg->room);
    else
        sim_fail("view", "member %u knows of %u publishers; in room %llu there are fewer", leg->member->index, leg->view_count,
                 (unsigned long long)leg->room);
}

/* Somebody sends what this one has asked for? */
static const struct leg *feed_of(const struct leg *leg)
{
    struct crew *crew = leg->member->crew;
    for (uint32_t i = 0; i < crew->member_count; i++)
        LIST_EACH(it, &crew->members[i].legs) {
            const struct leg *other = CONTAINER_OF(it, struct leg, node);
            if (other->call.config.kind == CALL_PUBLISH && other->call.state == CALL_UP && other->call.user == leg->call.config.feed &&
                other->room == leg->room && other->synths[0] != NULL && !crew->members[i].vanished)
                return other;
        }
    return NULL;
}

static void look_flow(const struct leg *leg)
{
    if (leg->call.state != CALL_UP || leg->paused || leg->switched || leg->disturbed || leg->member->vanished || leg->feed_gone_at != 0)
        return;
    const struct leg *feed = leg->call.config.kind == CALL_ECHO ? leg : leg->call.config.kind == CALL_VIEW ? feed_of(leg) : NULL;
    if (feed == NULL || feed->disturbed || feed->muted || sim->now < leg->changed_at + SILENCE_US || sim->now < feed->changed_at + SILENCE_US)
        return;
    if (leg == feed && leg->said > leg->call.messages + TALK_LATE)
        sim_fail("data", "member %u: %u of %u messages have come back", leg->member->index, leg->call.messages, leg->said);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (sim->now > leg->heard_at[i] + SILENCE_US)
            sim_fail("flow", "member %u gets no %s on a call of kind %d (feed %llu), whose sender sends, for %llu ms", leg->member->index,
                     i == 0 ? "audio" : "video", (int)leg->call.config.kind, (unsigned long long)leg->call.config.feed,
                     (unsigned long long)((sim->now - leg->heard_at[i]) / 1000));
}

void leg_look(struct leg *leg, usec_t now)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        const struct verify *verify = hears(leg, kinds[i]);
        const uint64_t packets = verify == NULL ? 0 : verify->packets + verify->strange + verify->repeated;
        if (verify != NULL)
            look_stream(leg, verify, now);
        if (packets != leg->heard[i])
            leg->heard_at[i] = now;
        leg->heard[i] = packets;
    }
    talk(leg);
    if (!leg->member->crew->clean)
        return;                         /* only at the end, then: crew_look */
    look_flow(leg);
    if (leg->call.config.kind == CALL_PUBLISH && !view_is_right(leg, NULL))
        leg->view_wrong_at = usec_min(leg->view_wrong_at, now);
    else
        leg->view_wrong_at = USEC_NEVER;
    if (leg->view_wrong_at != USEC_NEVER && now > leg->view_wrong_at + VIEW_US)
        look_view(leg);
}

void crew_look(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->member_count; i++)
        LIST_EACH(it, &crew->members[i].legs) {
            struct leg *leg = CONTAINER_OF(it, struct leg, node);
            if (leg->call.config.kind == CALL_PUBLISH && sim->now > crew->members[i].calm_at)
                look_view(leg);
            look_flow(leg);
        }
}
