/* The steps of a plan, one function for those that are more than a line. A step that can't be taken now is left out. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "sim/crew.h"
#include "sim/network.h"

#define FLOOD     200u
#define CALM_US   SEC(12)

static uint64_t room_of(uint32_t arg)
{
    return SERVER_ROOM_FIRST + arg % SERVER_ROOMS;
}

static void on_nothing(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct crew *crew = owner;
    (void)now;
    if (reply != NULL && reply->error != 0)
        crew->counters.errors++;
}

/* A reply that brings an offer wants its answer. */
static void on_leg_answer(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct leg *leg = owner;
    on_nothing(leg->member->crew, now, reply);
    if (reply != NULL && reply->jsep_type != NULL && strcmp(reply->jsep_type, "offer") == 0)
        leg_answer_offer(leg, now, reply->jsep_sdp);
}

/* False: not now. */
static bool ask(struct leg *leg, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool ask(struct leg *leg, const char *format, ...)
{
    char body[512];
    va_list args;
    va_start(args, format);
    vsnprintf(body, sizeof(body), format, args);
    va_end(args);
    if (!leg->call.attached || !member_can_ask(leg->member))
        return false;
    janus_message(leg->call.janus, leg->call.handle.session, leg->call.handle.id, str_of(body), NULL, STR(""), on_leg_answer, leg);
    return true;
}

/* ---- calls ---- */

static void start_call(struct member *m, enum call_kind kind, uint64_t room, uint64_t feed)
{
    struct crew *crew = m->crew;
    struct leg *leg = leg_new(m, kind);
    if (leg == NULL)
        return;
    leg->room = room;
    const struct call_config config = {
        .kind = kind,
        .session = m->session,
        .room = room,
        .feed = feed,
        .audio = true,
        .video = true,
        .layers = kind == CALL_PUBLISH ? (uint8_t)crew->plan->knobs[KNOB_layers] : 1,
        .svc = kind == CALL_PUBLISH && crew->plan->knobs[KNOB_svc] != 0,
        .data = kind == CALL_ECHO || (kind == CALL_PUBLISH && crew->plan->knobs[KNOB_layers] == 1),
    };
    call_start(&leg->call, &crew->net, &m->janus, &config, leg_on_state, leg);
}

static void publish(struct member *m, uint32_t arg)
{
    if (crew_find(m, CALL_PUBLISH, 0, false) == NULL)
        start_call(m, CALL_PUBLISH, strncmp(m->crew->plan->name, "ten", 3) == 0 ? SERVER_ROOM_FIRST : room_of(arg), 0);
}

/* Anybody's call that publishes; not this member's if it can be helped. */
static struct leg *pick_publisher(struct crew *crew, uint32_t arg, const struct leg *room_of_leg)
{
    for (uint32_t i = 0; i < crew->member_count; i++) {
        struct leg *leg = crew_find(&crew->members[(arg + i) % crew->member_count], CALL_PUBLISH, 0, true);
        if (leg != NULL && (room_of_leg == NULL || leg->room == room_of_leg->room))
            return leg;
    }
    return NULL;
}

static void view(struct member *m, uint32_t arg)
{
    const struct leg *publisher = pick_publisher(m->crew, arg, NULL);
    if (publisher != NULL)
        start_call(m, CALL_VIEW, publisher->room, publisher->call.user);
}

static struct leg *any_leg(struct member *m, uint32_t arg)
{
    uint32_t at = m->leg_count == 0 ? 0 : arg % m->leg_count;
    LIST_EACH(it, &m->legs)
        if (at-- == 0)
            return CONTAINER_OF(it, struct leg, node);
    return NULL;
}

static void stop(struct member *m, uint32_t arg)
{
    struct leg *leg = any_leg(m, arg);
    if (leg == NULL || leg->call.state < CALL_NEGOTIATING || m->state != MEMBER_HERE)
        return;
    leg_feed_gone(leg);
    leg_stop(leg);
}

static void leave(struct member *m)
{
    if (!member_can_ask(m))
        return;
    LIST_EACH(it, &m->legs)
        leg_feed_gone(CONTAINER_OF(it, struct leg, node));
    janus_plain(&m->janus, "destroy", m->session, 0, NULL, NULL);
    m->session = 0;
    member_lost(m, sim->now);
}

/* ---- disturbances ---- */

static void vanish(struct member *m)
{
    if (m->state != MEMBER_HERE)
        return;
    m->vanished = true;
    member_each_socket(m, network_tcp_partition, true);
    LIST_EACH(it, &m->legs) {
        struct leg *leg = CONTAINER_OF(it, struct leg, node);
        leg->disturbed = true;
        if (leg->port != 0)
            network_partition(leg->port, true);
    }
}

static void back(struct member *m)
{
    if (m->vanished) {
        m->vanished = false;
        member_each_socket(m, network_tcp_partition, false);
        m->heal_at = sim->now;
        if (m->state != MEMBER_AWAY)
            member_lost(m, sim->now);
    }
    member_connect(m);
}

static void part(struct member *m, uint32_t arg)
{
    struct leg *leg = any_leg(m, arg);
    if (leg == NULL || leg->port == 0 || m->heal_at != USEC_NEVER)
        return;
    leg->disturbed = true;
    network_partition(leg->port, true);
    m->heal_at = sim->now + sim_between(&sim->crew, MSEC(100), SEC(6));
}

static void move(struct member *m, uint32_t arg)
{
    struct leg *leg = any_leg(m, arg);
    if (leg == NULL || leg->port == 0)
        return;
    leg->disturbed = true;
    network_move(leg->port);
}

static void deafen(struct member *m, uint32_t arg)
{
    if (m->state != MEMBER_HERE)
        return;
    member_each_socket(m, network_tcp_deaf, true);
    m->hear_at = sim->now + MSEC(100) + arg % SEC(20);
}

static void burst(struct member *m)
{
    struct leg *leg = crew_find(m, CALL_PUBLISH, 0, true);
    for (uint32_t i = 0; leg != NULL && i < LEG_SYNTHS; i++)
        if (leg->synths[i] != NULL && leg->synths[i]->synth->every_us > 2000)
            leg->synths[i]->synth->every_us /= 10;
}

/* ---- requests ---- */

static void ask_something(struct member *m, uint32_t arg)
{
    static const char *const bodies[] = {"{\"request\":\"list\"}", "{\"request\":\"listparticipants\",\"room\":1001}",
                                         "{\"request\":\"exists\",\"room\":1002}", "{\"request\":\"exists\",\"room\":7}",
                                         "{\"request\":\"configure\",\"bitrate\":300000}", "{\"request\":\"listforwarders\",\"room\":1001}"};
    static const char *const verbs[] = {"ping", "info", "keepalive"};
    struct leg *leg = any_leg(m, arg >> 8);
    if (!member_can_ask(m))
        return;
    if (leg != NULL && arg % 4 != 0)
        ask(leg, "%s", bodies[arg % ARRAY_COUNT(bodies)]);
    else
        janus_plain(&m->janus, verbs[arg % ARRAY_COUNT(verbs)], m->session, 0, on_nothing, m->crew);
}

static void publish_again(struct member *m)
{
    struct leg *leg = crew_find(m, CALL_PUBLISH, 0, false);
    if (leg == NULL)
        publish(m, 0);
    else if (leg->call.state == CALL_UP)
        ask(leg, "{\"request\":\"publish\"}");
}

static void choose(struct member *m, uint32_t arg)
{
    struct leg *leg = crew_find(m, CALL_VIEW, arg, true);
    const struct leg *publisher = leg == NULL ? NULL : pick_publisher(m->crew, arg >> 4, leg);
    if (publisher == NULL)
        return;
    leg->switched = true;
    ask(leg, "{\"request\":\"switch\",\"streams\":[{\"feed\":%llu,\"mid\":\"%u\",\"sub_mid\":\"%u\"}]}",
        (unsigned long long)publisher->call.user, arg % 2, arg % 2);
}

static void pause_or_start(struct member *m, uint32_t arg)
{
    struct leg *leg = crew_find(m, CALL_VIEW, arg, true);
    if (leg == NULL)
        return;
    leg->paused = !leg->paused;
    leg->heard_at[0] = leg->heard_at[1] = leg->changed_at = sim->now;
    ask(leg, leg->paused ? "{\"request\":\"pause\"}" : "{\"request\":\"start\"}");
}

static void mute(struct member *m, uint32_t arg)
{
    struct leg *leg = crew_find(m, arg % 3 == 0 ? CALL_ECHO : CALL_PUBLISH, arg, true);
    if (leg == NULL)
        return;
    leg->muted = true;
    if (leg->call.config.kind == CALL_ECHO)
        ask(leg, "{\"%s\":%s}", arg % 2 == 0 ? "audio" : "video", (arg & 16) != 0 ? "true" : "false");
    else
        ask(leg, "{\"request\":\"configure\",\"streams\":[{\"mid\":\"%u\",\"send\":%s}]}", arg % 2, (arg & 16) != 0 ? "true" : "false");
}

static void restart(struct member *m, uint32_t arg)
{
    struct leg *leg = crew_find(m, CALL_VIEW, arg, true);
    if (leg != NULL)
        ask(leg, "{\"request\":\"configure\",\"restart\":true}");
}

static void subscribe(struct member *m, uint32_t arg, bool more)
{
    struct leg *leg = crew_find(m, CALL_VIEW, arg, true);
    const struct leg *publisher = leg == NULL ? NULL : pick_publisher(m->crew, arg >> 4, leg);
    if (publisher == NULL)
        return;
    leg->switched = true;
    ask(leg, "{\"request\":\"%s\",\"streams\":[{\"feed\":%llu}]}", more ? "subscribe" : "unsubscribe",
        (unsigned long long)publisher->call.user);
}

static void trickle(struct member *m, uint32_t arg)
{
    static const char *const candidates[] = {
        "{\"candidate\":\"candidate:1 1 udp 2130706431 10.2.0.1 9 typ host\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0}", "{\"completed\":true}", "null", "{}", "7",
        "{\"candidate\":\"candidate:1 1 udp 1 10.2.0.1 9 typ srflx raddr 10.9.0.1 rport 7\",\"sdpMLineIndex\":99}",
        "{\"candidate\":\"candidate:x y z\",\"sdpMid\":\"0\"}", "{\"candidate\":\"candidate:1 1 udp 1 somebody.local 9 typ host\",\"sdpMid\":\"0\"}",
        "{\"candidate\":\"candidate:1 1 tcp 1 10.2.0.1 9 typ host tcptype active\",\"sdpMid\":\"0\"}"};
    const struct leg *leg = any_leg(m, arg);
    char text[512];
    if (leg == NULL || !member_can_ask(m) || !leg->call.attached)
        return;
    snprintf(text, sizeof(text), "{\"janus\":\"trickle\",\"transaction\":\"t\",\"session_id\":%llu,\"handle_id\":%llu,\"candidate\":%s}",
             (unsigned long long)m->session, (unsigned long long)leg->call.handle.id, candidates[arg % ARRAY_COUNT(candidates)]);
    door_send(&m->door, str_of(text));
}

static void end_by_api(struct member *m, uint32_t arg, const char *verb)
{
    struct leg *leg = any_leg(m, arg);
    if (leg == NULL || !member_can_ask(m) || !leg->call.attached)
        return;
    leg_feed_gone(leg);
    leg->disturbed = true;
    leg->missed = leg->missed || strcmp(verb, "detach") == 0;        /* nothing is said to a handle that is no more */
    janus_plain(&m->janus, verb, m->session, leg->call.handle.id, on_nothing, m->crew);
}

/* From then on the victim's events go to the thief. */
static void steal(struct member *m, uint32_t arg)
{
    struct member *victim = &m->crew->members[arg % m->crew->member_count];
    if (victim == m || victim->session == 0 || !member_can_ask(m))
        return;
    LIST_EACH(it, &victim->legs)
        CONTAINER_OF(it, struct leg, node)->missed = true;
    victim->robbed = true;
    janus_plain(&m->janus, "claim", victim->session, 0, on_nothing, m->crew);
}

static void kick(struct member *m, uint32_t arg)
{
    const struct leg *victim = pick_publisher(m->crew, arg, NULL);
    struct leg *leg = any_leg(m, arg >> 8);
    if (victim == NULL || leg == NULL)
        return;
    ask(leg, "{\"request\":\"kick\",\"room\":%llu,\"id\":%llu}", (unsigned long long)victim->room, (unsigned long long)victim->call.user);
}

static void choose_layers(struct member *m, uint32_t arg)
{
    struct leg *leg = crew_find(m, CALL_VIEW, arg, true);
    const bool svc = m->crew->plan->knobs[KNOB_svc] != 0;
    if (leg != NULL)
        ask(leg, "{\"request\":\"configure\",\"streams\":[{\"mid\":\"1\",\"%s\":%u,\"%s\":%u}]}", svc ? "spatial_layer" : "substream", arg % 3,
            svc ? "temporal_layer" : "temporal", arg / 3 % 3);
}

static void change_room(struct member *m, uint32_t arg)
{
    struct leg *leg = any_leg(m, arg >> 8);
    if (leg == NULL)
        return;
    const unsigned long long room = room_of(arg >> 4);
    const char *permanent = (arg & 0x1000) != 0 ? "true" : "false";
    if (arg % 4 == 0)
        ask(leg, "{\"request\":\"destroy\",\"room\":%llu,\"permanent\":%s}", room, permanent);
    else if (arg % 4 == 1)
        ask(leg, "{\"request\":\"edit\",\"room\":%llu,\"new_description\":\"%u\",\"permanent\":%s}", room, arg, permanent);
    else
        ask(leg, "{\"request\":\"create\",\"room\":%llu,\"publishers\":%u,\"videocodec\":\"vp8,vp9\",\"permanent\":%s}", room, 1 + arg % 5, permanent);
}

static void record(struct member *m, uint32_t arg)
{
    struct leg *leg = crew_find(m, CALL_PUBLISH, arg, true);
    if (leg != NULL && arg % 4 == 0)
        ask(leg, "{\"request\":\"configure\",\"record\":false}");
    else if (leg != NULL)
        ask(leg, "{\"request\":\"configure\",\"record\":true,\"filename\":\"/sim/recordings/%u-%u\"}", m->index, arg % 8);
}

static void forward(struct member *m, uint32_t arg)
{
    struct leg *leg = crew_find(m, CALL_PUBLISH, arg, true);
    const unsigned long long user = leg == NULL ? 0 : (unsigned long long)leg->call.user, room = leg == NULL ? 0 : (unsigned long long)leg->room;
    if (leg != NULL && arg % 4 == 0)
        ask(leg, "{\"request\":\"stop_rtp_forward\",\"room\":%llu,\"publisher_id\":%llu,\"stream_id\":%u}", room, user, arg);
    else if (leg != NULL)
        ask(leg, "{\"request\":\"rtp_forward\",\"room\":%llu,\"publisher_id\":%llu,\"host\":\"%s\",\"streams\":[{\"mid\":\"%u\",\"port\":%u}]}", room, user,
            arg % 5 == 0 ? "somewhere.example" : CLIENT_IP, arg % 2, CREW_FORWARD_PORT + arg % CREW_FORWARD_PORTS);
}

static void lie(struct member *m, uint32_t arg)
{
    static const char *const bodies[] = {
        "{}", "{\"request\":7}", "{\"request\":\"join\"}", "{\"request\":\"join\",\"ptype\":\"publisher\",\"room\":99999}",
        "{\"request\":\"join\",\"ptype\":\"subscriber\",\"room\":1001,\"streams\":[{\"feed\":12}]}", "{\"request\":\"start\"}",
        "{\"request\":\"switch\",\"streams\":[{\"feed\":1,\"sub_mid\":\"99\",\"mid\":\"x\"}]}", "{\"request\":\"unsubscribe\",\"streams\":[{\"feed\":9}]}",
        "{\"request\":\"configure\",\"streams\":[{\"mid\":\"77\",\"send\":true}]}", "{\"request\":\"leave\"}", "{\"request\":\"moderate\",\"room\":1001}",
    };
    static const char *const verbs[] = {"attach", "claim", "detach", "hangup", "nonsense", "create", "message", "trickle"};
    struct leg *leg = any_leg(m, arg >> 8);
    if (!member_can_ask(m))
        return;
    if (leg != NULL && arg % 3 != 0) {
        const char *body = bodies[arg % ARRAY_COUNT(bodies)];
        if (ask(leg, "%s", body) && strstr(body, "leave") != NULL)
            leg_feed_gone(leg);
        return;
    }
    janus_plain(&m->janus, verbs[(arg >> 4) % ARRAY_COUNT(verbs)], m->session + (arg % 2), (arg >> 16) % 3, on_nothing, m->crew);
}

static void garble(struct member *m, uint32_t arg)
{
    static const char *const texts[] = {"", "{", "[]", "{\"janus\":", "null", "\"\\ud800\"", "{\"janus\":\"ping\"", "[[[[[[[[[[[[[[[[", "{}{}{}", "\xC3"};
    if (member_can_ask(m))
        door_send(&m->door, str_of(texts[arg % (ARRAY_COUNT(texts) - 1)]));
}

static void flood(struct member *m, uint32_t arg)
{
    for (uint32_t i = 0; i < FLOOD && member_can_ask(m); i++)
        ask_something(m, arg + i * 7919u);
}

static void bounce(struct member *m, uint32_t arg)
{
    if (m->vanished)
        return;
    for (uint32_t i = 0; i < 8 + arg % 32 && member_can_ask(m); i++)
        ask_something(m, arg + i * 7919u);
    if (m->state == MEMBER_HERE)
        member_lost(m, sim->now);
    member_connect(m);
}

static void reset(int fd, bool on)
{
    (void)on;
    network_tcp_reset(fd);
}

/* ---- */

void crew_step(struct crew *crew, const struct step *step)
{
    struct member *m = &crew->members[step->member];
    struct leg *leg;
    sim_say("member %u: %s %u", step->member, step_name(step->kind), step->arg);
    switch ((enum step_kind)step->kind) {
    case STEP_come: member_connect(m); break;
    case STEP_publish: publish(m, step->arg); break;
    case STEP_view: view(m, step->arg); break;
    case STEP_echo: start_call(m, CALL_ECHO, 0, 0); break;
    case STEP_stop: stop(m, step->arg); break;
    case STEP_leave: leave(m); break;
    case STEP_drop:
        if (m->state == MEMBER_HERE && !m->vanished)
            member_lost(m, sim->now);
        break;
    case STEP_bounce: bounce(m, step->arg); break;
    case STEP_vanish: vanish(m); break;
    case STEP_back: back(m); break;
    case STEP_ask: ask_something(m, step->arg); break;
    case STEP_mute: mute(m, step->arg); break;
    case STEP_unpublish:
        leg = crew_find(m, CALL_PUBLISH, step->arg, true);
        if (leg != NULL && ask(leg, "{\"request\":\"unpublish\"}"))
            leg_feed_gone(leg);
        break;
    case STEP_again: publish_again(m); break;
    case STEP_renegotiate:
        leg = crew_find(m, CALL_PUBLISH, step->arg, true);
        if (leg != NULL && member_can_ask(m))
            leg_renegotiate(leg);
        break;
    case STEP_restart: restart(m, step->arg); break;
    case STEP_choose: choose(m, step->arg); break;
    case STEP_pause: pause_or_start(m, step->arg); break;
    case STEP_layer: choose_layers(m, step->arg); break;
    case STEP_more: subscribe(m, step->arg, true); break;
    case STEP_less: subscribe(m, step->arg, false); break;
    case STEP_trickle: trickle(m, step->arg); break;
    case STEP_hangup: end_by_api(m, step->arg, "hangup"); break;
    case STEP_detach: end_by_api(m, step->arg, "detach"); break;
    case STEP_steal: steal(m, step->arg); break;
    case STEP_kick: kick(m, step->arg); break;
    case STEP_room: change_room(m, step->arg); break;
    case STEP_lie: lie(m, step->arg); break;
    case STEP_garble: garble(m, step->arg); break;
    case STEP_flood: flood(m, step->arg); break;
    case STEP_deaf: deafen(m, step->arg); break;
    case STEP_reset:
        if (m->state != MEMBER_AWAY && !m->vanished) {
            member_each_socket(m, reset, true);
            m->calm_at = sim->now + CALM_US;
        }
        break;
    case STEP_part: part(m, step->arg); break;
    case STEP_move: move(m, step->arg); break;
    case STEP_burst: burst(m); break;
    case STEP_forge: blow_forge(crew, step->arg); break;
    case STEP_replay: blow_replay(step->arg); break;
    case STEP_knock: blow_knock(step->arg); break;
    case STEP_clock: sim->wall_shift_us += (int64_t)(step->arg % 7200u) * 1000000 - 3600000000; break;
    case STEP_stranger: blow_stranger(crew, step->arg); break;
    case STEP_record: record(m, step->arg); break;
    case STEP_forward: forward(m, step->arg); break;
    case STEP_COUNT: break;
    }
    crew->counters.done++;
}
