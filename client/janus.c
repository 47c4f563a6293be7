#include "client/janus.h"

#include "base/check.h"
#include "base/json_out.h"
#include "base/str.h"

struct janus_request {
    janus_done done;
    void *owner;
    bool is_message;                /* an ack is not its last reply */
};

void janus_init(struct janus *janus, struct rng *rng, void (*send)(void *owner, struct view text), void *owner)
{
    *janus = (struct janus){.send = send, .owner = owner};
    slots_init(&janus->pending, JANUS_PENDING_MAX);
    pool_init(&janus->requests, "requests", sizeof(struct janus_request), JANUS_PENDING_MAX);
    map_init(&janus->handles);
    buf_init(&janus->text, JANUS_REQUEST_BYTES);
    rng_bytes(rng, &janus->key, sizeof(janus->key));
    rng_bytes(rng, &janus->salt, sizeof(janus->salt));
}

static void finish(struct janus *janus, usec_t now, struct ref ref, const struct janus_reply *reply)
{
    struct janus_request *request = slots_get(&janus->pending, ref);
    const struct janus_request copy = *request;
    slots_del(&janus->pending, ref);
    pool_put(&janus->requests, request);
    if (copy.done != NULL)
        copy.done(copy.owner, now, reply);
}

void janus_lost(struct janus *janus, usec_t now)
{
    for (uint32_t i = slots_next(&janus->pending, 0); i != UINT32_MAX; i = slots_next(&janus->pending, i + 1))
        finish(janus, now, (struct ref){i, janus->pending.table[i].generation}, NULL);
}

void janus_fini(struct janus *janus, usec_t now)
{
    janus_lost(janus, now);
    slots_fini(&janus->pending);
    pool_fini(&janus->requests);
    map_fini(&janus->handles);
    buf_fini(&janus->text);
}

/* ---- requests ---- */

static void begin(struct janus *janus, struct json_out *j, const char *verb, bool is_message, janus_done done, void *owner)
{
    struct janus_request *request = pool_get(&janus->requests);
    CHECK(request != NULL);
    *request = (struct janus_request){.done = done, .owner = owner, .is_message = is_message};
    struct ref ref = slots_add(&janus->pending, request);
    CHECK(!ref_is_none(ref));
    char transaction[24];
    struct buf name;
    buf_init(&name, sizeof(transaction));
    buf_add_u64(&name, ref_pack(ref) ^ janus->salt);
    CHECK(str_copy(transaction, sizeof(transaction), buf_view(&name)));
    buf_fini(&name);
    buf_clear(&janus->text);
    jout_begin(j, &janus->text, LAYOUT_COMPACT);
    jout_object(j, NULL);
    jout_string(j, "janus", verb);
    jout_string(j, "transaction", transaction);
}

static void address(struct json_out *j, uint64_t session, uint64_t handle)
{
    jout_uint(j, "session_id", session);
    if (handle != 0)
        jout_uint(j, "handle_id", handle);
}

static void end(struct janus *janus, struct json_out *j)
{
    jout_end(j);
    CHECK(!janus->text.failed);
    janus->counters.requests++;
    janus->send(janus->owner, buf_view(&janus->text));
}

void janus_ping(struct janus *janus, janus_done done, void *owner)
{
    struct json_out j;
    begin(janus, &j, "ping", false, done, owner);
    end(janus, &j);
}

void janus_create(struct janus *janus, janus_done done, void *owner)
{
    struct json_out j;
    begin(janus, &j, "create", false, done, owner);
    end(janus, &j);
}

void janus_attach(struct janus *janus, uint64_t session, const char *plugin, janus_done done, void *owner)
{
    struct json_out j;
    begin(janus, &j, "attach", false, done, owner);
    address(&j, session, 0);
    jout_string(&j, "plugin", plugin);
    end(janus, &j);
}

void janus_message(struct janus *janus, uint64_t session, uint64_t handle, struct view body, const char *jsep_type, struct view sdp,
                   janus_done done, void *owner)
{
    janus_message_svc(janus, session, handle, body, jsep_type, sdp, NULL, done, owner);
}

void janus_message_svc(struct janus *janus, uint64_t session, uint64_t handle, struct view body, const char *jsep_type, struct view sdp,
                       const char *svc, janus_done done, void *owner)
{
    struct json_out j;
    begin(janus, &j, "message", true, done, owner);
    address(&j, session, handle);
    jout_raw(&j, "body", body);
    if (jsep_type != NULL) {
        jout_object(&j, "jsep");
        jout_string(&j, "type", jsep_type);
        jout_string_view(&j, "sdp", sdp);
        jout_bool(&j, "trickle", false);
        if (svc != NULL)
            jout_raw(&j, "svc", str_of(svc));
        jout_end(&j);
    }
    end(janus, &j);
}

void janus_plain(struct janus *janus, const char *verb, uint64_t session, uint64_t handle, janus_done done, void *owner)
{
    struct json_out j;
    begin(janus, &j, verb, false, done, owner);
    address(&j, session, handle);
    end(janus, &j);
}

/* ---- handles ---- */

static uint64_t hash_of(const struct janus *janus, uint64_t session, uint64_t id)
{
    return hash_u64(&janus->key, session ^ id << 7);
}

void janus_listen(struct janus *janus, struct janus_handle *handle)
{
    map_add(&janus->handles, &handle->node, hash_of(janus, handle->session, handle->id));
}

void janus_unlisten(struct janus *janus, struct janus_handle *handle)
{
    map_del(&janus->handles, &handle->node);
}

static struct janus_handle *find_handle(const struct janus *janus, uint64_t session, uint64_t id)
{
    struct map_node *node = map_first(&janus->handles, hash_of(janus, session, id));
    for (; node != NULL; node = map_next_same(node)) {
        struct janus_handle *handle = CONTAINER_OF(node, struct janus_handle, node);
        if (handle->id == id && handle->session == session)
            return handle;
    }
    return NULL;
}

/* ---- replies ---- */

static uint64_t number(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void read_reply(struct janus_reply *out, const json_t *root)
{
    const json_t *error = json_object_get(root, "error");
    const json_t *jsep = json_object_get(root, "jsep");
    *out = (struct janus_reply){
        .kind = json_string_value(json_object_get(root, "janus")),
        .session = number(root, "session_id"),
        .sender = number(root, "sender"),
        .id = number(json_object_get(root, "data"), "id"),
        .data = json_object_get(json_object_get(root, "plugindata"), "data"),
        .jsep_type = json_string_value(json_object_get(jsep, "type")),
        .jsep_sdp = json_string_value(json_object_get(jsep, "sdp")),
        .root = root,
    };
    if (out->kind == NULL)
        out->kind = "";
    if (error != NULL) {
        out->error = (int)number(error, "code");
        out->reason = json_string_value(json_object_get(error, "reason"));
    } else if (out->data != NULL && json_object_get(out->data, "error_code") != NULL) {
        out->error = (int)number(out->data, "error_code");
        out->reason = json_string_value(json_object_get(out->data, "error"));
    }
}

static void on_reply(struct janus *janus, usec_t now, struct ref ref, const struct janus_reply *reply)
{
    const struct janus_request *request = slots_get(&janus->pending, ref);
    if (request == NULL) {
        janus->counters.strange++;
        return;
    }
    if (request->is_message && strcmp(reply->kind, "ack") == 0)
        return;
    janus->counters.replies++;
    janus->counters.errors += reply->error != 0;
    finish(janus, now, ref, reply);
}

static void on_event(struct janus *janus, usec_t now, const struct janus_reply *event)
{
    struct janus_handle *handle = event->sender == 0 ? NULL : find_handle(janus, event->session, event->sender);
    janus->counters.events++;
    if (handle != NULL)
        handle->on_event(handle, now, event);
}

void janus_input(struct janus *janus, usec_t now, struct view text)
{
    struct janus_reply reply;
    uint64_t transaction;
    json_t *root = json_loadb((const char *)text.data, text.size, 0, NULL);
    if (!json_is_object(root)) {
        janus->counters.strange++;
        json_decref(root);
        return;
    }
    read_reply(&reply, root);
    const char *name = json_string_value(json_object_get(root, "transaction"));
    if (name != NULL && str_u64(str_of(name), &transaction))
        on_reply(janus, now, ref_unpack(transaction ^ janus->salt), &reply);
    else
        on_event(janus, now, &reply);
    json_decref(root);
}
