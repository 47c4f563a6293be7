/* plugins/textroom - the descriptor, the way of an API request through the tables, and what the core has to tell. */
#include "plugins/textroom/textroom.h"

#include "base/mem.h"
#include "base/str.h"
#include "plugins/table.h"

/* ---- requests over the Janus API and the Admin API ---- */

static const struct schema_field request_field[] = {{"request", SCHEMA_STRING, true}};
/* The Admin API's inner request has to bring it, as if it came over a data channel; it is not given back (textroom.md 3). */
static const struct schema_field transaction_field[] = {{"transaction", SCHEMA_STRING, true}};

static enum tr_error run_sync(struct tr_call *call, const struct tr_request *request)
{
    call->understood = true;
    enum tr_error error = call->origin == TR_ADMIN ? tr_check_fields(call, TR_FIELDS(transaction_field)) : TR_OK;
    return error == TR_OK ? tr_run(call, request) : error;
}

static enum tr_error run(struct tr_call *call, enum plugin_outcome *outcome)
{
    enum tr_error error = tr_check_fields(call, TR_FIELDS(request_field));
    if (error != TR_OK)
        return error;
    const char *name = field_text(call->body, "request");
    const struct tr_request *request = tr_find_request(tr_room_requests, tr_room_request_count, name);
    if (request == NULL)
        request = tr_find_request(tr_manage_requests, tr_manage_request_count, name);
    if (request != NULL)
        return run_sync(call, request);
    request = call->origin == TR_API ? tr_find_request(tr_setup_requests, tr_setup_request_count, name) : NULL;
    if (request == NULL)
        return tr_fail(call, TR_INVALID_REQUEST, "Unknown request '%.64s'", name);
    *outcome = PLUGIN_ACK;
    call->understood = true;
    return tr_run(call, request);
}

static enum plugin_outcome tr_message(void *plugin, void *state, const struct plugin_request *request)
{
    struct textroom *tr = plugin;
    struct tr_call call = {.tr = tr, .session = state, .request = request, .body = request->body,
                           .origin = request->admin ? TR_ADMIN : TR_API};
    enum plugin_outcome outcome = PLUGIN_SYNC;
    tr_call_begin(&call);
    enum tr_error error = run(&call, &outcome);
    if (error != TR_OK)
        tr_write_error(&call, error, call.error);
    else if (call.waits)
        outcome = PLUGIN_WAIT;
    if (error != TR_OK || !(call.replied || call.waits))
        tr_finish(&call);
    if (outcome == PLUGIN_SYNC)
        buf_add_view(host_reply(tr->host), buf_view(&call.text));
    else if (outcome == PLUGIN_ACK && !call.replied)
        (void)host_event(tr->host, request->handle, request->transaction, buf_view(&call.text), NULL);
    tr_call_end(&call);
    return outcome;
}

/* ---- what the core tells ---- */

static bool tr_attach(void *plugin, void *state, struct ref handle)
{
    struct tr_session *session = state;
    (void)plugin;
    session->handle = handle;
    list_init(&session->members);
    list_init(&session->held);
    list_init(&session->of_full);
    list_init(&session->of_pressed);
    return true;
}

static bool tr_data(void *plugin, void *state, const struct data_message *message)
{
    return tr_on_data(plugin, state, message);
}

static void tr_data_ready(void *plugin, void *state)
{
    tr_send_held(plugin, state);
}

static void tr_tick(void *plugin, usec_t now)
{
    tr_look_for_deaf(plugin, now);
}

static void tr_hangup_media(void *plugin, void *state)
{
    tr_session_leave_all(plugin, state);
}

static void tr_detach(void *plugin, void *state)
{
    tr_session_leave_all(plugin, state);
}

static void tr_query(void *plugin, void *state, struct json_out *out)
{
    (void)plugin;
    (void)state;
    jout_int(out, "destroyed", 0);
}

/* ---- life ---- */

static void *tr_init(struct host *host, const struct conf_node *conf)
{
    struct textroom *tr = mem_get_zero(sizeof(*tr));
    const struct conf_node *general = conf_get(conf, "general");
    const char *admin_key = conf_text(general, "admin_key", "");
    tr->host = host;
    map_init(&tr->rooms);
    list_init(&tr->full);
    list_init(&tr->pressed);
    tr->admin_key = admin_key[0] == '\0' ? NULL : text_copy(admin_key);
    tr->admin_key_closed = secret_is_sample(tr->admin_key);
    if (tr->admin_key_closed)
        host_log(host, 3, "TextRoom: admin_key is one from a sample file; requests that need it are refused until you set your own");
    tr->string_ids = conf_bool(general, "string_ids", false);
    tr->events = conf_bool(general, "events", true);
    tr->layout = LAYOUT_COMPACT;
    (void)jout_layout_parse(&tr->layout, str_of(conf_text(general, "json", "compact")));
    tr_rooms_from_conf(tr, conf);
    return tr;
}

static void tr_fini(void *plugin)
{
    struct textroom *tr = plugin;
    for (struct map_node *n; (n = map_each(&tr->rooms, NULL)) != NULL;) {
        struct tr_room *room = CONTAINER_OF(n, struct tr_room, node);
        map_del(&tr->rooms, n);
        tr_room_free(tr, room);
    }
    map_fini(&tr->rooms);
    mem_put(tr->admin_key);
    mem_put(tr);
}

static uint32_t tr_count_rooms(const void *plugin)
{
    return ((const struct textroom *)plugin)->rooms.count;
}

const struct plugin_desc textroom_plugin = {
    .package = "janus.plugin.textroom",
    .name = "Cardea TextRoom",
    .description = "Rooms in which text goes to everybody, or to some",
    .author = "The Cardea project",
    .version_string = "0.0.2",
    .version = 2,
    .file_name = "libjanus_textroom.so",
    .session_size = sizeof(struct tr_session),
    .init = tr_init,
    .fini = tr_fini,
    .attach = tr_attach,
    .detach = tr_detach,
    .message = tr_message,
    .resume = tr_resume,
    .hangup_media = tr_hangup_media,
    .data = tr_data,
    .data_ready = tr_data_ready,
    .tick = tr_tick,
    .count_rooms = tr_count_rooms,
    .query = tr_query,
};
