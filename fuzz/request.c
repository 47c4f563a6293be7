/* A request to a plugin, through the real control: the first byte says to which plugin and from where (attached, in a room, with a
 * PeerConnection), the rest is the body of its message. Whatever it is, it is answered exactly once. */
#include "control/sdp_texts.h"
#include "control/server.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/plugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct server s;
static const char *const plugins[] = {"echotest", "videoroom"};

static int64_t attach(int64_t session, const char *plugin)
{
    server_say(&s, 1, "{\"janus\":\"attach\",\"session_id\":%lld,\"transaction\":\"a\",\"plugin\":\"janus.plugin.%s\"}", (long long)session, plugin);
    json_t *reply = server_hear_json(&s, 1);
    int64_t handle = json_integer_value(json_object_get(json_object_get(reply, "data"), "id"));
    json_decref(reply);
    return handle;
}

static void ask(int64_t session, int64_t handle, const char *body, const char *offer)
{
    char *quoted = json_quoted(offer);
    server_say(&s, 1, "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":%s,\"jsep\":{\"type\":\"offer\",\"sdp\":%s}}",
               (long long)session, (long long)handle, body, quoted);
    free(quoted);
}

/* Answers with that transaction and no others: an ack with its event, or one reply. */
static void check_answers(void)
{
    uint32_t direct = 0;
    for (const char *text; (text = server_hear(&s, 1)) != NULL;) {
        json_t *reply = json_loads(text, 0, NULL);
        assert_non_null(reply);
        const char *transaction = json_string_value(json_object_get(reply, "transaction"));
        direct += transaction != NULL && strcmp(transaction, "fuzz") == 0 && strcmp(json_string_value(json_object_get(reply, "janus")), "event") != 0;
        json_decref(reply);
    }
    assert_int_equal(direct, 1);
    assert_int_equal(server_credits(&s, 1), 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    json_t *body = json_loadb((const char *)data + 1, size - 1, 0, NULL);
    if (body == NULL)
        return 0;                       /* the envelope is api_text's */
    server_init(&s);
    s.config.plugins = plugin_table;
    server_start(&s);
    const int64_t session = server_create(&s, 1), handle = attach(session, plugins[data[0] % 2]);
    if (data[0] % 2 == 1)
        server_message(&s, 1, session, handle, "{\"request\":\"create\",\"room\":1234,\"secret\":\"s\",\"permanent\":false}");
    if (data[0] & 2)
        ask(session, handle, data[0] % 2 == 1 ? "{\"request\":\"joinandconfigure\",\"room\":1234,\"ptype\":\"publisher\",\"id\":7}" : "{\"audio\":true}",
            SDP_CLIENT_OFFER);
    fake_forget(s.actor);
    char *text = json_dumps(body, JSON_ENCODE_ANY | JSON_COMPACT);
    json_decref(body);
    server_say(&s, 1, "{\"janus\":\"message\",\"transaction\":\"fuzz\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":%s}", (long long)session,
               (long long)handle, text);
    free(text);
    while (server_save_done(&s, data[0] & 4 ? "no room" : NULL))
        server_turn(&s);
    server_advance(&s, SEC(30));        /* what waits for something is answered when its time is up */
    check_answers();
    server_end(&s);
    return 0;
}
