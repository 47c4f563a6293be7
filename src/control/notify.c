#include "control/notify.h"

#include <stdio.h>

#include "base/json_splice.h"
#include "base/mem.h"
#include "base/str.h"
#include "control/info.h"
#include "control/out.h"
#include "control/pc.h"
#include "proto/sdp/candidate.h"

#define CANDIDATE_TEXT_MAX 1024u

/* False: nobody wants it. One at a time: there is one scratch buffer. */
static bool begin(struct control *c, struct json_out *j, enum event_type type)
{
    if (!notify_wants(c, type) || c->freeing)
        return false;
    buf_clear(&c->notice);
    jout_begin(j, &c->notice, LAYOUT_COMPACT);
    jout_object(j, NULL);
    return true;
}

/* In the window with control's own notices: a client can make pairs change as fast as it checks. */
static bool take_room(struct control *c, size_t size)
{
    if (c->notices_unread + size > EVENTS_WINDOW) {
        c->counters.notices_dropped++;
        return false;
    }
    c->notices_unread += (uint32_t)size;
    c->counters.notices++;
    return true;
}

static void send(struct control *c, const struct event_notice *about, const char *opaque_id)
{
    const struct view opaque = str_of(opaque_id), body = buf_view(&c->notice);
    const size_t size = sizeof(*about) + opaque.size + body.size;
    if (c->notice.failed || !take_room(c, size)) {
        c->counters.notices_dropped += c->notice.failed;
        return;
    }
    struct event_notice *notice = mem_get(size);
    *notice = *about;
    notice->wall_us = actor_wall_us(c->actor);
    notice->opaque_size = (uint32_t)opaque.size;
    notice->size = (uint32_t)body.size;
    if (opaque.size > 0)
        memcpy(notice->text, opaque.data, opaque.size);
    memcpy(notice->text + opaque.size, body.data, body.size);
    out_block(c, ACTOR_EVENTS, EVENTS_NOTICE, notice, size);
}

static void end(struct control *c, struct json_out *j, enum event_type type, uint16_t subtype)
{
    jout_end(j);
    send(c, &(struct event_notice){.type = (uint16_t)type, .subtype = subtype}, NULL);
}

static void end_of_session(struct control *c, struct json_out *j, enum event_type type, const struct session *session)
{
    jout_end(j);
    send(c, &(struct event_notice){.type = (uint16_t)type, .session_id = session->id}, NULL);
}

static void end_of_handle(struct control *c, struct json_out *j, enum event_type type, uint16_t subtype, const struct handle *handle)
{
    jout_end(j);
    const struct event_notice about = {
        .type = (uint16_t)type, .subtype = subtype, .session_id = handle->session->id, .handle_id = handle->id};
    send(c, &about, handle->opaque_id);
}

/* -- sessions and handles --------------------------------------------------------------------------------------------------- */

void notify_session(struct control *c, const struct session *session, const char *name)
{
    struct json_out j;
    if (!begin(c, &j, EVENT_SESSION))
        return;
    jout_string(&j, "name", name);
    end_of_session(c, &j, EVENT_SESSION, session);
}

/* `id` is opaque: the client's name, as io tells it of its connection. */
void notify_session_created(struct control *c, const struct session *session, struct ref client, enum transport_kind transport)
{
    struct json_out j;
    char id[24];
    if (!begin(c, &j, EVENT_SESSION))
        return;
    snprintf(id, sizeof(id), "%llu", (unsigned long long)ref_pack(client));
    jout_string(&j, "name", "created");
    jout_object(&j, "transport");
    jout_string(&j, "transport", info_transport((uint8_t)transport));
    jout_string(&j, "id", id);
    jout_end(&j);
    end_of_session(c, &j, EVENT_SESSION, session);
}

void notify_handle(struct control *c, const struct handle *handle, const char *name)
{
    struct json_out j;
    if (!begin(c, &j, EVENT_HANDLE))
        return;
    jout_string(&j, "name", name);
    jout_string(&j, "plugin", handle->host->desc->package);
    if (handle->opaque_id != NULL)
        jout_string(&j, "opaque_id", handle->opaque_id);
    end_of_handle(c, &j, EVENT_HANDLE, 0, handle);
}

/* -- PeerConnections ---------------------------------------------------------------------------------------------------------- */

void notify_jsep(struct control *c, const struct handle *handle, const char *owner, const char *type, struct view sdp)
{
    struct json_out j;
    if (!begin(c, &j, EVENT_JSEP))
        return;
    jout_string(&j, "owner", owner);
    jout_object(&j, "jsep");
    jout_string(&j, "type", type);
    jout_string_view(&j, "sdp", sdp);
    jout_end(&j);
    end_of_handle(c, &j, EVENT_JSEP, 0, handle);
}

void notify_peer(struct control *c, const struct pc *pc)
{
    const struct handle *handle = pc->handle;
    const struct view opaque = str_of(handle->opaque_id);
    if (!c->config.events_running)
        return;
    struct event_peer *about = mem_get_zero(sizeof(*about) + opaque.size);
    *about = (struct event_peer){
        .peer = pc->peer, .session_id = handle->session->id, .handle_id = handle->id, .opaque_size = (uint32_t)opaque.size};
    if (opaque.size > 0)
        memcpy(about->opaque_id, opaque.data, opaque.size);
    out_block(c, ACTOR_EVENTS, EVENTS_PEER, about, sizeof(*about) + opaque.size);
}

void notify_peer_gone(struct control *c, const struct pc *pc)
{
    struct event_peer_gone about = {.peer = pc->peer, .wall_us = actor_wall_us(c->actor)};
    if (!c->config.events_running || ref_is_none(pc->peer.ref))
        return;
    str_copy(about.reason, sizeof(about.reason), str_of(pc->ended_by));
    out_send(c, ACTOR_EVENTS, EVENTS_PEER_GONE, &about, sizeof(about));
}

void notify_ice(struct control *c, const struct pc *pc, const char *state)
{
    struct json_out j;
    if (!begin(c, &j, EVENT_WEBRTC))
        return;
    jout_string(&j, "ice", state);
    jout_int(&j, "stream_id", 1);
    jout_int(&j, "component_id", 1);
    end_of_handle(c, &j, EVENT_WEBRTC, EVENT_ICE, pc->handle);
}

/* The reference has its component only once a candidate of the client has come (event-handlers.md 3.5). */
void notify_candidate(struct control *c, const struct pc *pc, enum event_webrtc kind, const struct ice_candidate *candidate)
{
    const struct remote_description *remote = pc->negotiation.remote;
    const bool local = kind == EVENT_LOCAL_CANDIDATE;
    struct json_out j;
    struct buf text;
    if (!begin(c, &j, EVENT_WEBRTC))
        return;
    buf_init(&text, CANDIDATE_TEXT_MAX);
    candidate_write(candidate, &text);
    jout_string_view(&j, local ? "local-candidate" : "remote-candidate", buf_view(&text));
    jout_int(&j, "stream_id", 1);
    jout_int(&j, "component_id", local && (remote == NULL || remote->candidate_count == 0) ? 0 : 1);
    end_of_handle(c, &j, EVENT_WEBRTC, kind, pc->handle);
    buf_fini(&text);
}

void notify_up(struct control *c, const struct pc *pc)
{
    struct json_out j;
    if (!begin(c, &j, EVENT_WEBRTC))
        return;
    jout_string(&j, "connection", "webrtcup");
    end_of_handle(c, &j, EVENT_WEBRTC, EVENT_CONNECTION, pc->handle);
    notify_ice(c, pc, "ready");
}

void notify_media(struct control *c, const struct pc *pc, const struct local_mline *line, const struct peer_media_fact *fact)
{
    struct json_out j;
    if (!begin(c, &j, EVENT_MEDIA))
        return;
    jout_string(&j, "media", sdp_kind_name(line->kind));
    jout_string(&j, "mid", line->mid);
    if (fact->substream >= 0)
        jout_int(&j, "substream", fact->substream);
    jout_bool(&j, "receiving", fact->receiving);
    if (fact->seconds > 0)
        jout_uint(&j, "seconds", fact->seconds);
    end_of_handle(c, &j, EVENT_MEDIA, EVENT_MEDIA_STATE, pc->handle);
}

void notify_slowlink(struct control *c, const struct pc *pc, const struct local_mline *line, const struct peer_slowlink_fact *fact)
{
    struct json_out j;
    if (!begin(c, &j, EVENT_MEDIA))
        return;
    jout_string(&j, "mid", line->mid);
    jout_string(&j, "media", sdp_kind_name(line->kind));
    jout_string(&j, "slow_link", fact->uplink ? "uplink" : "downlink");
    jout_uint(&j, "lost_lastsec", fact->lost);
    end_of_handle(c, &j, EVENT_MEDIA, EVENT_SLOWLINK, pc->handle);
}

void notify_webrtc(struct control *c, const struct event_webrtc_fact *fact)
{
    struct event_webrtc_fact passed = *fact;
    if (pc_find(c, fact->peer) == NULL || !notify_wants(c, EVENT_WEBRTC) || !take_room(c, sizeof(passed)))
        return;
    passed.wall_us = actor_wall_us(c->actor);
    out_send(c, ACTOR_EVENTS, EVENTS_WEBRTC, &passed, sizeof(passed));
}

/* The last statistics of a PeerConnection: one block, once. */
void notify_stats(struct control *c, const struct message *m)
{
    if (notify_wants(c, EVENT_MEDIA))
        out_block(c, ACTOR_EVENTS, EVENTS_STATS, message_take(m), m->size);
}

/* -- others --------------------------------------------------------------------------------------------------------------------- */

void notify_external(struct control *c, const char *schema, struct view data)
{
    struct json_out j;
    if (!begin(c, &j, EVENT_EXTERNAL))
        return;
    jout_string(&j, "schema", schema);
    json_splice(&j, "data", data);
    end(c, &j, EVENT_EXTERNAL, 0);
}

void notify_plugin(struct control *c, const struct host *host, const struct handle *handle, struct view json)
{
    struct json_out j;
    if (!begin(c, &j, EVENT_PLUGIN))
        return;
    jout_string(&j, "plugin", host->desc->package);
    json_splice(&j, "data", json);
    if (handle != NULL)
        end_of_handle(c, &j, EVENT_PLUGIN, 0, handle);
    else
        end(c, &j, EVENT_PLUGIN, 0);
}

/* -- core ------------------------------------------------------------------------------------------------------------------------- */

void notify_started(struct control *c)
{
    struct json_out j;
    c->next_update = c->now + NOTIFY_UPDATE_US;
    if (!begin(c, &j, EVENT_CORE))
        return;
    jout_string(&j, "status", "started");
    jout_object(&j, "info");
    jout_string(&j, "janus", "server_info");
    info_write(c, &j);
    jout_end(&j);
    end(c, &j, EVENT_CORE, EVENT_STATUS);
}

void notify_tick(struct control *c)
{
    struct json_out j;
    if (c->now < c->next_update)
        return;
    c->next_update += NOTIFY_UPDATE_US;
    if (!begin(c, &j, EVENT_CORE))
        return;
    jout_string(&j, "status", "update");
    jout_object(&j, "info");
    jout_uint(&j, "sessions", c->sessions.used);
    jout_uint(&j, "handles", c->handles.used);
    jout_uint(&j, "peerconnections", c->pcs_up);
    jout_uint(&j, "stats-period", c->settings->stats_period_s);
    jout_end(&j);
    end(c, &j, EVENT_CORE, EVENT_STATUS);
}

void notify_shutdown(struct control *c, int signal_number)
{
    struct json_out j;
    if (!begin(c, &j, EVENT_CORE))
        return;
    jout_string(&j, "status", "shutdown");
    jout_int(&j, "signum", signal_number);
    end(c, &j, EVENT_CORE, EVENT_SHUTDOWN);
}

/* -- handlers ------------------------------------------------------------------------------------------------------------------------ */

bool notify_query(struct control *c, struct ref op, const char *package, struct view request, bool *at_once)
{
    const struct control_modules *handlers = &c->config.event_handlers;
    uint32_t i = 0;
    while (i < handlers->count && strcmp(handlers->items[i].package, package) != 0)
        i++;
    if (i == handlers->count)
        return false;
    *at_once = !c->config.events_running;
    if (*at_once)
        return true;
    const size_t name = strlen(package);
    struct event_query *query = mem_get(sizeof(*query) + name + request.size);
    *query = (struct event_query){.package_size = (uint32_t)name, .size = (uint32_t)request.size};
    memcpy(query->text, package, name);
    memcpy(query->text + name, request.data, request.size);
    out_op_block(c, ACTOR_EVENTS, EVENTS_QUERY, op, query, sizeof(*query) + name + request.size);
    return true;
}

void notify_wanted(struct control *c, const struct events_wanted *fact)
{
    c->events_mask = fact->mask;
}

void notify_taken(struct control *c, const struct events_taken *fact)
{
    CHECK(fact->bytes <= c->notices_unread);
    c->notices_unread -= fact->bytes;
}
