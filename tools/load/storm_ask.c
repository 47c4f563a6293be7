#include <math.h>

#include "base/json_out.h"
#include "base/str.h"
#include "load/storm.h"

#define SECRET     "storm"
#define BIN_MIN_US 100.0
#define BINS_AN_OCTAVE 4.0

static const char *const names[ASK_KINDS] = {
    [ASK_CREATE] = "create", [ASK_CLAIM] = "claim", [ASK_KEEPALIVE] = "keepalive", [ASK_ATTACH] = "attach", [ASK_DETACH] = "detach",
    [ASK_HANGUP] = "hangup", [ASK_DESTROY] = "destroy", [ASK_ROOM_CREATE] = "room create", [ASK_ROOM_DESTROY] = "room destroy",
    [ASK_ROOM_LIST] = "room list", [ASK_PARTICIPANTS] = "listparticipants", [ASK_KICK] = "kick", [ASK_JOIN] = "join",
    [ASK_PUBLISH] = "publish", [ASK_UNPUBLISH] = "unpublish", [ASK_LEAVE] = "leave", [ASK_WATCH] = "join as subscriber", [ASK_START] = "start",
};

const char *storm_ask_name(enum storm_ask kind)
{
    return names[kind];
}

/* ---- the books ---- */

static void note_time(struct storm *storm, enum storm_ask kind, usec_t took)
{
    const double octaves = took <= BIN_MIN_US ? 0 : log2((double)took / BIN_MIN_US);
    const uint32_t bin = (uint32_t)(octaves * BINS_AN_OCTAVE);
    storm->bins[bin < STORM_BINS ? bin : STORM_BINS - 1]++;
    if (took <= storm->worst_us)
        return;
    storm->worst_us = took;
    storm->worst_kind = kind;
}

usec_t storm_quantile(const struct storm *storm, double share)
{
    uint64_t all = 0, seen = 0;
    for (uint32_t i = 0; i < STORM_BINS; i++)
        all += storm->bins[i];
    for (uint32_t i = 0; i < STORM_BINS; i++) {
        seen += storm->bins[i];
        if ((double)seen >= share * (double)all)
            return usec_min((usec_t)(BIN_MIN_US * exp2((i + 1) / BINS_AN_OCTAVE)), storm->worst_us);
    }
    return storm->worst_us;
}

static void note_missing(struct storm *storm, enum storm_ask kind)
{
    storm->missing++;
    storm->missing_kind = kind;
}

static void on_done(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct storm_request *request = owner;
    struct storm_client *client = request->client;
    struct storm *storm = client->storm;
    const enum storm_ask kind = request->kind;
    if (reply != NULL) {
        storm->answered++;
        storm->errors += reply->error != 0;
        note_time(storm, kind, now - request->at);
    } else if (!client->dropped) {
        storm->abandoned++;             /* it was us who left */
    } else if (!request->late) {
        note_missing(storm, kind);
    }
    list_del(&request->node);
    pool_put(&storm->requests, request);
    client->in_flight--;
    if (reply != NULL)
        storm_answered(client, now, kind, reply);
}

void storm_look_for_missing(struct storm *storm, usec_t now)
{
    LIST_EACH(it, &storm->waiting) {
        struct storm_request *request = CONTAINER_OF(it, struct storm_request, node);
        if (request->at + STORM_PATIENCE_US > now)
            return;
        if (!request->late)
            note_missing(storm, request->kind);
        request->late = true;
    }
}

/* ---- the requests ---- */

static uint64_t pick_room(struct storm *storm)
{
    return storm->rooms[rng_u32(&storm->load->rng) % STORM_ROOMS];
}

static const struct storm_feed *pick_feed(struct storm *storm)
{
    return &storm->feeds[rng_u32(&storm->load->rng) % STORM_FEEDS];
}

static void write_streams(struct json_out *j, const struct storm_feed *feed)
{
    jout_uint(j, "room", feed->room);
    jout_string(j, "ptype", "subscriber");
    jout_array(j, "streams");
    jout_object(j, NULL);
    jout_uint(j, "feed", feed->id);
    jout_end(j);
    jout_end(j);
}

static void write_body(struct storm_client *client, enum storm_ask kind, struct json_out *j)
{
    struct storm *storm = client->storm;
    const struct storm_feed *feed = pick_feed(storm);
    switch ((unsigned)kind) {
    case ASK_ROOM_CREATE:
        jout_string(j, "request", "create");
        jout_uint(j, "room", pick_room(storm));
        jout_string(j, "secret", SECRET);
        jout_uint(j, "publishers", 1000);
        break;
    case ASK_ROOM_DESTROY:
        jout_string(j, "request", "destroy");
        jout_uint(j, "room", pick_room(storm));
        jout_string(j, "secret", SECRET);
        break;
    case ASK_ROOM_LIST:
        jout_string(j, "request", "list");
        break;
    case ASK_PARTICIPANTS:
        jout_string(j, "request", "listparticipants");
        jout_uint(j, "room", pick_room(storm));
        break;
    case ASK_KICK:
        jout_string(j, "request", "kick");
        jout_uint(j, "room", feed->room);
        jout_string(j, "secret", SECRET);
        jout_uint(j, "id", feed->id);
        break;
    case ASK_JOIN:
        jout_string(j, "request", "join");
        jout_string(j, "ptype", "publisher");
        jout_uint(j, "room", pick_room(storm));
        break;
    case ASK_WATCH:
        jout_string(j, "request", "join");
        write_streams(j, feed);
        break;
    default:
        jout_string(j, "request", names[kind]);
        break;
    }
}

static void ask_plugin(struct storm_client *client, struct storm_request *request, const char *jsep_type, struct view sdp)
{
    struct storm *storm = client->storm;
    struct json_out j;
    buf_clear(&storm->body);
    jout_begin(&j, &storm->body, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    write_body(client, request->kind, &j);
    jout_end(&j);
    janus_message(&client->janus, client->session, client->handle, buf_view(&storm->body), jsep_type, sdp, on_done, request);
}

void storm_ask(struct storm_client *client, enum storm_ask kind)
{
    struct storm *storm = client->storm;
    struct storm_request *request = pool_get(&storm->requests);
    if (request == NULL)
        return;
    *request = (struct storm_request){.client = client, .kind = kind, .at = storm->load->loop.now};
    list_add_tail(&storm->waiting, &request->node);
    client->in_flight++;
    storm->asked++;
    switch ((unsigned)kind) {
    case ASK_CREATE:
        janus_create(&client->janus, on_done, request);
        break;
    case ASK_CLAIM:
        janus_plain(&client->janus, "claim", client->lost_session, 0, on_done, request);
        break;
    case ASK_ATTACH:
        janus_attach(&client->janus, client->session, "janus.plugin.videoroom", on_done, request);
        break;
    case ASK_KEEPALIVE:
    case ASK_DESTROY:
        janus_plain(&client->janus, names[kind], client->session, 0, on_done, request);
        break;
    case ASK_DETACH:
    case ASK_HANGUP:
        janus_plain(&client->janus, names[kind], client->session, client->handle, on_done, request);
        break;
    case ASK_PUBLISH:
        ask_plugin(client, request, "offer", buf_view(&storm->sdp));
        break;
    case ASK_START:
        ask_plugin(client, request, "answer", buf_view(&storm->sdp));
        break;
    default:
        ask_plugin(client, request, NULL, STR(""));
        break;
    }
}
