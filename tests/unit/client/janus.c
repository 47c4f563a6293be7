/* The Janus API from the client's side: who gets which reply. */
#include "support/seams.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "client/janus.h"

static void fill(void *source, uint8_t *out, size_t size)
{
    (void)source;
    memset(out, 0x37, size);
}

static struct janus janus;
static char sent[4096];
static unsigned sends;

static void send_text(void *owner, struct view text)
{
    (void)owner;
    assert_true(text.size < sizeof(sent));
    memcpy(sent, text.data, text.size);
    sent[text.size] = '\0';
    sends++;
}

/* What a request's end brought. */
struct outcome {
    unsigned calls;
    bool lost;
    char kind[32];
    uint64_t id;
    int error;
    bool has_sdp;
};

static void note(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct outcome *outcome = owner;
    (void)now;
    outcome->calls++;
    outcome->lost = reply == NULL;
    if (reply == NULL)
        return;
    snprintf(outcome->kind, sizeof(outcome->kind), "%s", reply->kind);
    outcome->id = reply->id;
    outcome->error = reply->error;
    outcome->has_sdp = reply->jsep_sdp != NULL;
}

static int setup(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, fill, NULL);
    janus_init(&janus, &rng, send_text, NULL);
    sends = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    janus_fini(&janus, 0);
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

/* The transaction of the last request, as it stands there. */
static const char *transaction(void)
{
    static char out[32];
    const char *at = strstr(sent, "\"transaction\":\"");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"transaction\":\"%31[^\"]\"", out), 1);
    return out;
}

static void receive(const char *format, const char *text)
{
    char message[4096];
    snprintf(message, sizeof(message), format, text);
    janus_input(&janus, 0, str_of(message));
}

static void test_a_reply_finds_its_request(void **state)
{
    struct outcome first = {0}, second = {0};
    char name[32];
    (void)state;
    janus_create(&janus, note, &first);
    snprintf(name, sizeof(name), "%s", transaction());
    janus_attach(&janus, 41, "janus.plugin.echotest", note, &second);
    assert_non_null(strstr(sent, "\"session_id\":41,\"plugin\":\"janus.plugin.echotest\""));
    receive("{\"janus\":\"success\",\"session_id\":41,\"transaction\":\"%s\",\"data\":{\"id\":905}}", transaction());
    receive("{\"janus\":\"success\",\"transaction\":\"%s\",\"data\":{\"id\":41}}", name);
    assert_int_equal(first.id, 41);
    assert_int_equal(second.id, 905);
    assert_int_equal(first.calls + second.calls, 2);
}

static void test_a_message_ends_with_its_event(void **state)
{
    struct outcome outcome = {0};
    (void)state;
    janus_message(&janus, 1, 2, STR("{\"audio\":true}"), "offer", STR("v=0\r\n"), note, &outcome);
    assert_non_null(strstr(sent, "\"body\":{\"audio\":true},\"jsep\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\",\"trickle\":false}"));
    receive("{\"janus\":\"ack\",\"session_id\":1,\"transaction\":\"%s\"}", transaction());
    assert_int_equal(outcome.calls, 0);
    receive("{\"janus\":\"event\",\"session_id\":1,\"transaction\":\"%s\",\"sender\":2,\"plugindata\":{\"plugin\":\"p\",\"data\":{}},"
            "\"jsep\":{\"type\":\"answer\",\"sdp\":\"v=0\"}}", transaction());
    assert_int_equal(outcome.calls, 1);
    assert_true(outcome.has_sdp);
    assert_string_equal(outcome.kind, "event");
}

static void test_errors_of_core_and_plugin_are_told(void **state)
{
    struct outcome core = {0}, plugin = {0};
    (void)state;
    janus_plain(&janus, "detach", 1, 2, note, &core);
    receive("{\"janus\":\"error\",\"session_id\":1,\"transaction\":\"%s\",\"error\":{\"code\":459,\"reason\":\"none\"}}", transaction());
    janus_message(&janus, 1, 2, STR("{}"), NULL, STR(""), note, &plugin);
    receive("{\"janus\":\"event\",\"transaction\":\"%s\",\"sender\":2,\"plugindata\":{\"data\":{\"error_code\":426,\"error\":\"no room\"}}}", transaction());
    assert_int_equal(core.error, 459);
    assert_int_equal(plugin.error, 426);
    assert_int_equal(janus.counters.errors, 2);
}

struct listener {
    struct janus_handle handle;
    unsigned calls;
    char kind[32];
};

static void on_event(struct janus_handle *handle, usec_t now, const struct janus_reply *event)
{
    struct listener *listener = CONTAINER_OF(handle, struct listener, handle);
    (void)now;
    listener->calls++;
    snprintf(listener->kind, sizeof(listener->kind), "%s", event->kind);
}

static void test_events_go_to_their_handle(void **state)
{
    struct listener ours = {.handle = {.session = 1, .id = 2, .on_event = on_event}};
    (void)state;
    janus_listen(&janus, &ours.handle);
    receive("{\"janus\":\"webrtcup\",\"session_id\":1,\"sender\":%s}", "2");
    receive("{\"janus\":\"webrtcup\",\"session_id\":3,\"sender\":%s}", "2");
    receive("{\"janus\":\"timeout\",\"session_id\":%s}", "1");
    assert_int_equal(ours.calls, 1);
    assert_string_equal(ours.kind, "webrtcup");
    janus_unlisten(&janus, &ours.handle);
    receive("{\"janus\":\"webrtcup\",\"session_id\":1,\"sender\":%s}", "2");
    assert_int_equal(ours.calls, 1);
}

static void test_what_is_pending_ends_with_the_connection(void **state)
{
    struct outcome outcomes[3] = {0};
    (void)state;
    for (int i = 0; i < 3; i++)
        janus_ping(&janus, note, &outcomes[i]);
    janus_lost(&janus, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(outcomes[i].calls, 1);
        assert_true(outcomes[i].lost);
    }
    receive("{\"janus\":\"pong\",\"transaction\":\"%s\"}", transaction());
    assert_int_equal(outcomes[2].calls, 1);
}

static void test_strange_texts_harm_nobody(void **state)
{
    static const char *const texts[] = {"", "{", "[]", "5", "null", "{\"janus\":5}", "{\"transaction\":\"x\"}", "{\"transaction\":7,\"sender\":\"a\"}",
        "{\"janus\":\"success\",\"transaction\":\"99999999999999999999\"}", "{\"janus\":\"event\",\"transaction\":\"4294967297\"}",
        "{\"janus\":\"event\",\"sender\":-1,\"session_id\":[],\"plugindata\":3,\"jsep\":[]}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        receive("%s", texts[i]);
    assert_int_equal(janus.counters.replies, 0);
    assert_true(janus.counters.strange >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_reply_finds_its_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_message_ends_with_its_event, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors_of_core_and_plugin_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events_go_to_their_handle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_pending_ends_with_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strange_texts_harm_nobody, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
