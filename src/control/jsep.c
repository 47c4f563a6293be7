#include "control/jsep.h"

#include <stdio.h>

#include "base/str.h"
#include "control/api_reply.h"
#include "control/api_parse.h"
#include "control/candidates.h"
#include "control/notify.h"
#include "control/order.h"
#include "control/pc.h"
#include "control/trickle.h"
#include "proto/sdp/candidate.h"

static bool fail(struct jsep_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool fail(struct jsep_error *error, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error->code = code;
    vsnprintf(error->reason, sizeof(error->reason), format, args);
    va_end(args);
    return false;
}

/* -- what the client says of its description --------------------------------------------------------------------------- */

struct client_jsep {
    enum negotiate_type type;
    struct view sdp;
    bool trickle;
    bool rid_lowest_first;
    bool e2ee;
    const json_t *svc;
};

static bool type_of(struct view text, enum negotiate_type *out)
{
    if (str_equal_nocase(text, STR("offer")))
        *out = NEGOTIATE_OFFER;
    else if (str_equal_nocase(text, STR("answer")))
        *out = NEGOTIATE_ANSWER;
    else
        return false;
    return true;
}

/* janus-api.md 5.1: each element names an m-line and a mode; a list with one that does not is as if it were not there. */
static bool svc_is_fine(const json_t *svc)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(svc, index, entry) {
        const json_t *mindex = json_object_get(entry, "mindex"), *mid = json_object_get(entry, "mid");
        if (!json_is_string(json_object_get(entry, "svc")) || (mindex == NULL && mid == NULL) || (mindex != NULL && !json_is_integer(mindex)) ||
            (mid != NULL && !json_is_string(mid)))
            return false;
    }
    return json_array_size(svc) > 0;
}

static bool read_jsep(const json_t *jsep, struct client_jsep *out, struct jsep_error *error)
{
    static const struct element elements[] = {
        {"type", ELEMENT_STRING, true},       {"sdp", ELEMENT_STRING, true},       {"trickle", ELEMENT_BOOL, false},
        {"rid_order", ELEMENT_STRING, false}, {"force_relay", ELEMENT_BOOL, false}, {"e2ee", ELEMENT_BOOL, false},
    };
    const struct element *bad;
    if (!json_is_object(jsep))
        return fail(error, 455, "Invalid jsep object");
    int code = elements_check(jsep, elements, ARRAY_COUNT(elements), &bad);
    if (code == 456)
        return fail(error, code, "JSEP error: missing mandatory element (%s)", bad->key);
    if (code != 0)
        return fail(error, code, "JSEP error: invalid element type (%s should be %s)", bad->key, element_type_name(bad->type));

    const char *type = element_string(jsep, "type");
    if (!type_of(str_of(type), &out->type))
        return fail(error, 464, "JSEP error: unknown message type '%s'", type);
    const json_t *trickle = json_object_get(jsep, "trickle");
    const char *rid_order = element_string(jsep, "rid_order");
    const json_t *svc = json_object_get(jsep, "svc");
    out->sdp = str_of(element_string(jsep, "sdp"));
    out->trickle = trickle == NULL || json_is_true(trickle);
    out->rid_lowest_first = rid_order != NULL && strcmp(rid_order, "lmh") == 0;
    out->e2ee = json_is_true(json_object_get(jsep, "e2ee"));
    out->svc = svc_is_fine(svc) ? svc : NULL;
    return true;
}

/* -- what the plugin gets --------------------------------------------------------------------------------------------------- */

static size_t list_simulcast(struct control *c, const struct remote_description *remote)
{
    size_t count = 0;
    for (uint16_t i = 0; i < remote->mline_count; i++) {
        const struct remote_mline *line = &remote->mlines[i];
        bool by_rid = line->rid_count > 0;
        if (line->disabled || (!by_rid && line->ssrc_count < 2))
            continue;
        struct jsep_simulcast *item = &c->simulcast[count++];
        *item = (struct jsep_simulcast){
            .mindex = line->index, .layer_count = by_rid ? line->rid_count : line->ssrc_count, .by_rid = by_rid};
        str_copy(item->mid, sizeof(item->mid), str_of(line->mid));
    }
    return count;
}

static bool for_plugin(struct control *c, const struct pc *pc, struct sdp *sdp, const struct client_jsep *client, bool update,
                       struct jsep_in *out, struct jsep_error *error)
{
    anonymise(sdp);
    buf_clear(&c->sdp);
    if (!sdp_write(sdp, &c->sdp))
        return fail(error, 465, "Error processing SDP");
    *out = (struct jsep_in){
        .type = client->type == NEGOTIATE_OFFER ? "offer" : "answer",
        .sdp = buf_view(&c->sdp),
        .update = update,
        .e2ee = pc->e2ee,
        .simulcast = c->simulcast,
        .simulcast_count = list_simulcast(c, pc->negotiation.remote),
        .svc = client->svc,
    };
    return true;
}

/* -- from the client ---------------------------------------------------------------------------------------------------------- */

/* Offer and answer have both passed: from now on the worker may check, and candidates go to it. */
static void complete(struct control *c, struct pc *pc, bool restart)
{
    negotiation_settle(&pc->negotiation, true);
    pc->negotiated = true;
    pc->story.started_at = pc->story.started_at == 0 ? c->now : pc->story.started_at;
    pc->offer = pc->offer_before = PC_OFFER_NONE;
    pc->client_restarts = false;
    pc->restarting = false;
    pc_update_sources(c, pc, true);
    order_peer_apply(c, pc, restart);
    trickle_from_description(c, pc);
    trickle_early(c, pc);
}

/* Whether this description may come now; makes the PeerConnection for a first offer. */
static bool admit(struct control *c, struct handle *handle, enum negotiate_type type, struct jsep_error *error)
{
    const struct pc *pc = handle->pc;
    if (type == NEGOTIATE_ANSWER)
        return pc != NULL && pc->offer == PC_OFFER_PLUGIN ? true : fail(error, 469, "Unexpected ANSWER (did we offer?)");
    if (pc != NULL)
        return pc->negotiated ? true : fail(error, 490, "Error setting ICE locally");
    return pc_new(c, handle) != NULL ? true : fail(error, 490, "Error setting ICE locally");
}

/* Lines are rejected, never left out (RFC 3264 8): sources and sinks hang on them. */
static bool loses_lines(const struct pc *pc, const struct sdp *sdp)
{
    return pc->negotiation.local != NULL && sdp->mline_count < pc->negotiation.local->mline_count;
}

static bool compile(struct control *c, struct handle *handle, struct sdp *sdp, const struct client_jsep *client, struct jsep_in *out,
                    struct jsep_error *error)
{
    if (!admit(c, handle, client->type, error))
        return false;
    struct pc *pc = handle->pc;
    bool update = pc->negotiated;
    if (client->type == NEGOTIATE_OFFER && loses_lines(pc, sdp))
        return fail(error, 469, "Error processing SDP");
    struct negotiate_remote_options options = {.rid_lowest_first = client->rid_lowest_first, .encrypted = true};
    struct negotiate_changes changes = {0};
    enum negotiate_result result = negotiate_remote(&pc->negotiation, client->type, sdp, &options, &changes);
    if (result != NEGOTIATE_OK)
        return result == NEGOTIATE_BAD_MID ? fail(error, 465, "%s", "") : fail(error, update ? 469 : 465, "Error processing SDP");
    pc->e2ee = pc->e2ee || client->e2ee;
    pc->trickle = client->trickle;
    pc_keep_description(c, pc, false, client->sdp);
    if (!for_plugin(c, pc, sdp, client, update, out, error)) {
        negotiation_settle(&pc->negotiation, client->type == NEGOTIATE_ANSWER);
        return false;
    }
    if (client->type == NEGOTIATE_OFFER) {
        pc->offer_before = pc->offer;
        pc->offer = PC_OFFER_CLIENT;
        pc->client_restarts = pc->client_restarts || changes.ice_restart;
    } else {
        complete(c, pc, false);
    }
    return true;
}

bool jsep_from_client(struct control *c, struct handle *handle, const json_t *jsep, struct jsep_in *out, struct jsep_error *error)
{
    struct client_jsep client = {0};
    char reason[SDP_REASON_ROOM];
    if (!read_jsep(jsep, &client, error))
        return false;
    struct sdp *sdp = sdp_parse(client.sdp, reason);
    if (sdp == NULL)
        return fail(error, 465, "%s", reason);
    notify_jsep(c, handle, "remote", client.type == NEGOTIATE_OFFER ? "offer" : "answer", client.sdp);
    bool ok = compile(c, handle, sdp, &client, out, error);
    if (!ok && handle->pc != NULL && handle->pc->state == PC_OFFERED)
        pc_free(c, handle->pc);
    sdp_free(sdp);
    return ok;
}

/* The offer was not answered: it is as if it had never been made, and an offer of ours that waits still does. */
static void take_back(struct pc *pc)
{
    negotiation_settle(&pc->negotiation, false);
    pc->offer = pc->offer_before;
    pc->offer_before = PC_OFFER_NONE;
    pc->client_restarts = false;
}

void jsep_settle(struct control *c, struct handle *handle)
{
    struct pc *pc = handle->pc;
    if (pc == NULL)
        return;
    if (pc->state == PC_OFFERED)
        pc_free(c, pc);
    else if (pc->offer == PC_OFFER_CLIENT)
        take_back(pc);
}

/* -- from the plugin ------------------------------------------------------------------------------------------------------------ */

struct credentials {
    char ufrag[UFRAG_CHARS + 1];
    char pwd[PWD_CHARS + 1];
};

/* Writes the client's description into c->wire and compiles our side of it. */
static enum err describe(struct control *c, struct pc *pc, enum negotiate_type type, const struct sdp *sdp, const struct credentials *ice)
{
    struct ice_candidate candidates[LOCAL_CANDIDATES_MAX];
    struct negotiate_local_input in = {
        .ufrag = ice->ufrag,
        .pwd = ice->pwd,
        .fingerprint = c->config.fingerprint,
        .address = candidates_address(c),
        .candidates = candidates,
        .candidate_count = candidates_of_worker(c, pc->peer.worker, candidates),
        .half_trickle = !c->settings->full_trickle,
        .lite = c->settings->ice_lite,
        .max_message_bytes = c->settings->max_message_bytes,
        .session_id = actor_wall_us(c->actor),
    };
    buf_clear(&c->wire);
    return negotiate_local(&pc->negotiation, type, sdp, &in, &c->rng, &c->wire);
}

/* The plugin may offer at any time but into the client's unanswered first offer, and answer only an offer. */
static bool may_say(const struct handle *handle, enum negotiate_type type)
{
    const struct pc *pc = handle->pc;
    if (type == NEGOTIATE_ANSWER)
        return pc != NULL && pc->offer == PC_OFFER_CLIENT;
    return pc == NULL || pc->state != PC_OFFERED;
}

static void after_description(struct control *c, struct pc *pc, enum negotiate_type type, bool restart)
{
    if (type == NEGOTIATE_ANSWER) {
        complete(c, pc, restart);
        return;
    }
    pc->offer = PC_OFFER_PLUGIN;
    pc->restarting = pc->restarting || restart;
    pc_update_sources(c, pc, false);
    order_peer_apply(c, pc, restart);
}

/* There is nothing to gather: the candidates of a worker are known. */
static void notify_gathering(struct control *c, const struct pc *pc)
{
    struct ice_candidate candidates[LOCAL_CANDIDATES_MAX];
    if (!notify_wants(c, EVENT_WEBRTC))
        return;
    const size_t count = candidates_of_worker(c, pc->peer.worker, candidates);
    notify_ice(c, pc, "gathering");
    for (size_t i = 0; i < count; i++)
        notify_candidate(c, pc, EVENT_LOCAL_CANDIDATE, &candidates[i]);
}

static enum err say(struct control *c, struct pc *pc, enum negotiate_type type, const struct sdp *sdp, bool restart)
{
    struct credentials ice;
    bool fresh = ref_is_none(pc->peer.ref);
    if (fresh && pc_seat(c, pc) != ERR_NONE)
        return ERR_FULL;
    memcpy(ice.ufrag, pc->ufrag, sizeof(ice.ufrag));
    memcpy(ice.pwd, pc->pwd, sizeof(ice.pwd));
    if (restart)
        pc_mint_credentials(c, pc, ice.ufrag, ice.pwd);
    enum err err = describe(c, pc, type, sdp, &ice);
    if (err != ERR_NONE) {
        if (fresh)
            pc_unseat(c, pc);
        return ERR_INVALID;
    }
    pc_keep_description(c, pc, true, buf_view(&c->wire));
    memcpy(pc->ufrag, ice.ufrag, sizeof(ice.ufrag));
    memcpy(pc->pwd, ice.pwd, sizeof(ice.pwd));
    if (fresh) {
        pc->state = PC_OPEN;
        pc->controlling = type == NEGOTIATE_OFFER;
        notify_peer(c, pc);
        order_peer_open(c, pc);
    }
    if (fresh || restart)
        notify_gathering(c, pc);
    notify_jsep(c, pc->handle, "local", type == NEGOTIATE_OFFER ? "offer" : "answer", buf_view(&c->wire));
    after_description(c, pc, type, restart);
    return ERR_NONE;
}

static enum err merge(struct control *c, struct handle *handle, const struct jsep_out *jsep, bool *full_trickle)
{
    enum negotiate_type type;
    char reason[SDP_REASON_ROOM];
    if (!type_of(str_of(jsep->type), &type) || !may_say(handle, type))
        return ERR_INVALID;
    struct sdp *sdp = sdp_parse(jsep->sdp, reason);
    if (sdp == NULL) {
        LOG_WARN(c->actor, "%s wrote an SDP that can't be parsed: %s", handle->host->desc->package, reason);
        return ERR_INVALID;
    }
    anonymise(sdp);
    struct pc *pc = handle->pc != NULL ? handle->pc : pc_new(c, handle);
    enum err err = ERR_FULL;
    if (pc != NULL) {
        bool e2ee_before = pc->e2ee, first = pc->state == PC_OFFERED;
        bool restart = pc->negotiated && (type == NEGOTIATE_OFFER ? jsep->restart : pc->client_restarts);
        pc->e2ee = pc->e2ee || jsep->e2ee;
        err = say(c, pc, type, sdp, restart);
        if (err == ERR_NONE)
            *full_trickle = c->settings->full_trickle && (first || restart);
        else if (first && type == NEGOTIATE_OFFER)
            pc_free(c, pc);
        else
            pc->e2ee = e2ee_before;
    }
    sdp_free(sdp);
    return err;
}

enum err jsep_from_plugin(struct control *c, struct handle *handle, const struct jsep_out *jsep, bool *full_trickle)
{
    *full_trickle = false;
    enum err err = merge(c, handle, jsep, full_trickle);
    if (err != ERR_NONE)
        c->counters.sdp_refused++;
    return err;
}

/* -- full trickle ------------------------------------------------------------------------------------------------------------- */

void jsep_trickle_events(struct control *c, struct handle *handle)
{
    struct ice_candidate candidates[LOCAL_CANDIDATES_MAX];
    const struct pc *pc = handle->pc;
    size_t count = candidates_of_worker(c, pc->peer.worker, candidates);
    for (size_t i = 0; i <= count; i++) {
        struct json_out j;
        if (!event_begin(c, &j, handle->session, handle, "trickle", NULL))
            return;
        jout_object(&j, "candidate");
        if (i < count) {
            buf_clear(&c->wire);
            buf_add_text(&c->wire, "candidate:");
            candidate_write(&candidates[i], &c->wire);
            jout_string(&j, "sdpMid", pc->negotiation.first_mid);
            jout_int(&j, "sdpMLineIndex", 0);
            jout_string_view(&j, "candidate", buf_view(&c->wire));
        } else {
            jout_bool(&j, "completed", true);
        }
        jout_end(&j);
        event_end(c, &j, handle->session);
    }
}
