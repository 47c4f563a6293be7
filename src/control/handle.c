#include "control/data.h"
#include "control/handle.h"

#include "base/mem.h"
#include "base/str.h"
#include "control/graph.h"
#include "control/jsep.h"
#include "control/notify.h"
#include "control/op.h"
#include "control/pc.h"

#define REPLY_KEPT_BYTES (64u * 1024u)     /* a plugin's text that grew beyond this is given back */

struct handle_key {
    int64_t session, handle;
};

static uint64_t key_hash(const struct control *c, int64_t session, int64_t handle)
{
    struct handle_key key = {session, handle};
    return hash_bytes(&c->key, VIEW(&key, sizeof(key)));
}

struct handle *handle_find(const struct control *c, const struct session *session, int64_t id)
{
    uint64_t hash = key_hash(c, session->id, id);
    for (struct map_node *node = map_first(&c->handles_by_id, hash); node != NULL; node = map_next_same(node)) {
        struct handle *handle = CONTAINER_OF(node, struct handle, by_id);
        if (handle->id == id && handle->session == session)
            return handle;
    }
    return NULL;
}

struct handle *handle_get(const struct control *c, struct ref ref)
{
    struct handle *handle = slots_get(&c->handle_names, ref);
    return handle == NULL || handle->closing ? NULL : handle;
}

/* -- making and ending -------------------------------------------------------------------------------------------------- */

static void discard(struct control *c, struct handle *handle)
{
    list_del(&handle->deferred);
    list_del(&handle->resuming);
    list_del(&handle->in_session);
    handle->session->handle_count--;
    map_del(&c->handles_by_id, &handle->by_id);
    slots_del(&c->handle_names, handle->ref);
    pool_put(&handle->host->states, handle->state);
    mem_put(handle->opaque_id);
    mem_put(handle->token);
    mem_put(handle->early);
    pool_put(&c->handles, handle);
}

static struct handle *make(struct control *c, struct session *session, struct host *host, const char *opaque_id)
{
    struct handle *handle = pool_get(&c->handles);
    void *state = pool_get(&host->states);
    struct ref ref = handle == NULL || state == NULL ? REF_NONE : slots_add(&c->handle_names, handle);
    if (ref_is_none(ref)) {
        pool_put(&c->handles, handle);
        pool_put(&host->states, state);
        return NULL;
    }
    handle->ref = ref;
    handle->session = session;
    handle->host = host;
    handle->created_at = c->now;
    handle->state = state;
    list_init(&handle->deferred);
    list_init(&handle->resuming);
    list_init(&handle->ops_open);
    list_init(&handle->ops_waiting);
    do
        handle->id = (int64_t)rng_id53(&c->rng);
    while (handle_find(c, session, handle->id) != NULL);
    map_add(&c->handles_by_id, &handle->by_id, key_hash(c, session->id, handle->id));
    list_add_tail(&session->handles, &handle->in_session);
    session->handle_count++;
    if (opaque_id != NULL) {
        size_t size = strlen(opaque_id) + 1;
        handle->opaque_id = memcpy(mem_get(size), opaque_id, size);
    }
    return handle;
}

enum attach_result handle_new(struct control *c, struct session *session, struct host *host, const char *opaque_id,
                              struct handle **out)
{
    const bool refused = c->memory_short || session->handle_count >= HANDLES_PER_SESSION_MAX;
    struct handle *handle = refused ? NULL : make(c, session, host, opaque_id);
    c->counters.memory_refused += c->memory_short;
    if (handle == NULL) {
        c->counters.handles_refused++;
        return ATTACH_FULL;
    }
    if (!host->desc->attach(host->plugin, handle->state, handle->ref)) {
        if (handle->pc != NULL)
            pc_close(c, handle->pc, false);
        discard(c, handle);
        return ATTACH_REFUSED;
    }
    *out = handle;
    notify_handle(c, handle, "attached");
    return ATTACH_OK;
}

static void tell_plugin_hangup(struct handle *handle)
{
    handle->hung_up = true;
    handle->host->desc->hangup_media(handle->host->plugin, handle->state);
}

/* Nothing of the negotiation that has ended goes over into the next (webrtc.md 21). */
static struct pc *part_with_pc(struct handle *handle)
{
    struct pc *pc = handle->pc;
    handle->pc = NULL;
    handle->wants_pc_closed = false;
    mem_put(handle->early);
    handle->early = NULL;
    return pc;
}

void handle_close(struct control *c, struct handle *handle, bool tell)
{
    struct json_out j;
    ops_end_of_handle(c, handle);
    handle->closing = true;
    struct pc *pc = part_with_pc(handle);
    if (pc != NULL)
        pc_close(c, pc, true);
    if (!handle->hung_up)
        tell_plugin_hangup(handle);
    handle->host->desc->detach(handle->host->plugin, handle->state);
    if (tell && event_begin(c, &j, handle->session, handle, "detached", NULL))
        event_end(c, &j, handle->session);
    notify_handle(c, handle, "detached");
    discard(c, handle);
}

/* janus-api.md 4.3 */
static const char *reason_text(enum hangup_reason reason)
{
    switch (reason) {
    case HANGUP_JANUS_API: return "Janus API";
    case HANGUP_ADMIN_API: return "Admin API";
    case HANGUP_CLOSE_PC: return "Close PC";
    case HANGUP_ICE_FAILED: return "ICE failed";
    case HANGUP_DTLS_STACK: return "DTLS-SRTP stack error";
    case HANGUP_DTLS_ALERT: return "DTLS alert";
    case HANGUP_DTLS_TIMEOUT: return "DTLS timeout";
    case HANGUP_DTLS_ERROR: return "DTLS error";
    case HANGUP_DETACH: return "Detach";
    }
    return "DTLS error";
}

void handle_hangup(struct control *c, struct handle *handle, enum hangup_reason reason)
{
    struct json_out j;
    struct pc *pc = part_with_pc(handle);
    if (pc != NULL) {
        pc->ended_by = reason_text(reason);
        pc_close(c, pc, true);
    }
    if (handle->hung_up)
        return;
    tell_plugin_hangup(handle);
    if (pc == NULL || !event_begin(c, &j, handle->session, handle, "hangup", NULL))
        return;
    jout_string(&j, "reason", reason_text(reason));
    event_end(c, &j, handle->session);
}

/* -- messages ------------------------------------------------------------------------------------------------------------- */

static void reply_sync(struct control *c, const struct api_request *request)
{
    struct handle *handle = request->handle;
    struct json_out j;
    if (c->reply.failed || c->reply.size == 0) {
        reply_error(c, request, 462, "Plugin didn't provide any content for this synchronous response");
        return;
    }
    reply_begin(c, &j, request, "success");
    jout_int(&j, "sender", handle->id);
    if (handle->opaque_id != NULL && c->settings->opaqueid_in_api)
        jout_string(&j, "opaque_id", handle->opaque_id);
    reply_plugindata(&j, handle, buf_view(&c->reply));
    reply_end(c, &j, request);
    if (c->reply.room > REPLY_KEPT_BYTES)
        buf_fini(&c->reply);
}

static void reply_ack(struct control *c, const struct api_request *request)
{
    struct json_out j;
    reply_begin(c, &j, request, "ack");
    if (request->handle->host->desc->ack_hint != NULL)
        jout_string(&j, "hint", request->handle->host->desc->ack_hint);
    reply_end(c, &j, request);
}

static void reply_outcome(struct control *c, const struct api_request *request, enum plugin_outcome outcome)
{
    switch (outcome) {
    case PLUGIN_SYNC:
        reply_sync(c, request);
        break;
    case PLUGIN_ACK:
        reply_ack(c, request);
        break;
    case PLUGIN_ERROR:
        reply_error(c, request, 462, "%s", c->reply.size > 0 ? buf_text(&c->reply) : "Plugin returned a severe (unknown) error");
        break;
    case PLUGIN_WAIT:
        break;
    }
}

/* `answer`: of an operation that the request has begun; NULL: it is new. */
static void hand_to_plugin(struct control *c, const struct api_request *request, const struct jsep_in *jsep, const struct plugin_answer *answer)
{
    struct handle *handle = request->handle;
    struct host *host = handle->host;
    struct plugin_request message = {.handle = handle->ref, .transaction = request->transaction,
                                     .body = json_object_get(request->root, "body"), .jsep = jsep};

    buf_clear(&c->reply);
    events_hold(c);
    c->in_hand = request;
    enum plugin_outcome outcome = answer == NULL ? host->desc->message(host->plugin, handle->state, &message)
                                                 : host->desc->resume(host->plugin, handle->state, &message, answer);
    c->in_hand = NULL;
    if (op_take_outcome(c, outcome))
        reply_outcome(c, request, outcome);
    events_release(c);
}

void handle_resume(struct control *c, const struct api_request *request, const struct plugin_answer *answer)
{
    hand_to_plugin(c, request, NULL, answer);
}

void handle_serve(struct control *c, const struct api_request *request)
{
    struct jsep_in jsep;
    struct jsep_error error;
    const json_t *text = json_object_get(request->root, "jsep");
    if (text == NULL) {
        hand_to_plugin(c, request, NULL, NULL);
        return;
    }
    if (!jsep_from_client(c, request->handle, text, &jsep, &error)) {
        reply_error(c, request, error.code, "%s", error.reason);
        return;
    }
    hand_to_plugin(c, request, &jsep, NULL);
    jsep_settle(c, request->handle);
}

void handle_submit(struct control *c, const struct api_request *request)
{
    static const struct element elements[] = {{"body", ELEMENT_OBJECT, true}};
    if (!request_has(c, request, elements, ARRAY_COUNT(elements)))
        return;
    if (op_must_wait(request)) {
        op_queue(c, request);
        return;
    }
    handle_serve(c, request);
    c->op_in_hand = NULL;
}

/* -- wishes of plugins ------------------------------------------------------------------------------------------------------ */

void handle_defer(struct control *c, struct handle *handle)
{
    if (list_is_empty(&handle->deferred))
        list_add_tail(&c->deferred, &handle->deferred);
}

void handle_wish_pc_closed(struct control *c, struct handle *handle)
{
    handle->wants_pc_closed = true;
    handle_defer(c, handle);
}

void handles_serve_deferred(struct control *c)
{
    for (uint32_t n = 0; n < DEFERRED_PER_TURN && !list_is_empty(&c->deferred); n++) {
        struct handle *handle = CONTAINER_OF(list_pop(&c->deferred), struct handle, deferred);
        bool detach = handle->wants_detach, close = handle->wants_pc_closed, data = handle->wants_data;
        handle->wants_detach = handle->wants_pc_closed = handle->wants_data = false;
        if (data && !close && !detach && handle->pc != NULL)
            data_offer_again(c, handle->pc);
        if (close)
            handle_hangup(c, handle, HANGUP_CLOSE_PC);
        if (detach)
            handle_close(c, handle, true);
    }
}
