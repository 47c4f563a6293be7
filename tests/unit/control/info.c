/* `info` (janus-api.md 10), and what stands in our candidates (webrtc.md 6.1, 6.2). */
#include "control/call.h"

#include <stdlib.h>
#include <string.h>

#include "control/candidates.h"
#include "control/probe_plugin.h"
#include "control/sdp_texts.h"
#include "proto/ice/ice.h"

static struct server s;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    return 0;
}

static json_t *ask(void)
{
    server_say(&s, 1, "{\"janus\":\"info\",\"transaction\":\"i\"}");
    return server_hear_json(&s, 1);
}

static struct net_addr ip(const char *text)
{
    struct net_addr addr = {0};
    assert_true(net_ip_parse(&addr, VIEW(text, strlen(text))));
    return addr;
}

static void assert_keys(const json_t *info, const char *const *keys, size_t count)
{
    size_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)info, key, value) {
        assert_true(i < count);
        assert_string_equal(key, keys[i]);
        i++;
    }
    assert_int_equal(i, count);
}

static void test_info_has_its_keys_in_order(void **state)
{
    (void)state;
    static const struct control_module websockets = {"janus.transport.websockets", "WebSockets", "x", "y", "0.0.1", 1};
    static const char *const keys[] = {
        "janus", "transaction", "name", "version", "version_string", "author", "commit-hash", "compile-time", "log-to-stdout", "log-to-file",
        "data_channels", "accepting-new-sessions", "session-timeout", "reclaim-session-timeout", "candidates-timeout", "server-name", "local-ip",
        "ipv6", "ice-lite", "ice-tcp", "ice-nomination", "ice-consent-freshness", "ice-keepalive-conncheck", "hangup-on-failed", "full-trickle",
        "mdns-enabled", "min-nack-queue", "nack-optimizations", "twcc-period", "dtls-mtu", "static-event-loops", "loop-indication", "api_secret",
        "auth_token", "event_handlers", "opaqueid_in_api", "dependencies", "transports", "events", "loggers", "plugins"};
    s.config.transports = (struct control_modules){&websockets, 1};
    s.config.commit = "abc";
    server_start(&s);
    json_t *info = ask();
    assert_keys(info, keys, ARRAY_COUNT(keys));
    assert_int_equal(json_integer_value(json_object_get(info, "version")), 1401);
    assert_string_equal(json_string_value(json_object_get(info, "version_string")), "1.4.1");
    assert_string_equal(json_string_value(json_object_get(info, "commit-hash")), "abc");
    assert_string_equal(json_string_value(json_object_get(info, "local-ip")), "127.0.0.1");
    assert_true(json_is_true(json_object_get(info, "accepting-new-sessions")));
    const json_t *plugins = json_object_get(info, "plugins");
    assert_int_equal(json_object_size(plugins), 3);     /* the broken one is not there */
    assert_int_equal(json_integer_value(json_object_get(json_object_get(plugins, "janus.plugin.probe"), "version")), 3);
    assert_non_null(json_object_get(json_object_get(info, "transports"), "janus.transport.websockets"));
    assert_int_equal(json_object_size(json_object_get(info, "events")), 0);
    json_decref(info);
    server_end(&s);
}

static void test_info_says_no_secrets(void **state)
{
    (void)state;
    s.settings.api_secret = "sesame";
    s.settings.admin_secret = "sesame";
    s.settings.token_auth = true;
    s.settings.token_auth_secret = "sesame";
    s.settings.log_to_file = "/var/log/x";
    s.settings.hide_dependencies = true;
    s.settings.dscp = 46;
    s.settings.ipv6 = true;
    s.settings.stun_server = "stun.example.org";
    s.settings.stun_port = 3478;
    server_start(&s);
    server_say(&s, 1, "{\"janus\":\"info\",\"transaction\":\"i\"}");
    const char *text = server_hear(&s, 1);
    assert_null(strstr(text, "sesame"));
    assert_non_null(strstr(text, "\"api_secret\":true,\"auth_token\":true"));
    assert_non_null(strstr(text, "\"log-to-file\":true,\"log-path\":\"/var/log/x\""));
    assert_non_null(strstr(text, "\"ipv6\":true,\"ipv6-link-local\":false"));
    assert_non_null(strstr(text, "\"dscp\":46"));
    assert_non_null(strstr(text, "\"stun-server\":\"stun.example.org:3478\""));
    assert_null(strstr(text, "dependencies"));
    server_end(&s);
}

/* The candidates in the first line of an answer, joined by blanks. */
static char *candidates(char **connection)
{
    static char out[2048];
    static char address[64];
    struct call call;
    call_begin(&s, &call, 1);
    fake_forget(s.actor);
    call_jsep(&s, &call, "answer", "offer", SDP_CLIENT_OFFER, "");
    json_decref(server_hear_json(&s, 1));
    json_t *event = server_hear_json(&s, 1);
    const char *sdp = json_string_value(json_object_get(json_object_get(event, "jsep"), "sdp"));
    out[0] = '\0';
    const char *end = strstr(sdp, "m=video");
    for (const char *at = strstr(sdp, "a=candidate:"); at != NULL && at < end; at = strstr(at + 1, "a=candidate:")) {
        strcat(out, out[0] == '\0' ? "" : "; ");
        strncat(out, at + strlen("a=candidate:"), strcspn(at, "\r") - strlen("a=candidate:"));
    }
    const char *c = strstr(sdp, "\r\nc=") + 4;
    snprintf(address, sizeof(address), "%.*s", (int)strcspn(c, "\r"), c);
    *connection = address;
    json_decref(event);
    return out;
}

static void one_worker(void)
{
    s.config.worker_count = 1;
    s.workers[0].sockets[0] = ip("192.168.1.5");
    s.workers[0].sockets[0].port = 20000;
}

static void test_a_mapping_replaces_the_private_address(void **state)
{
    (void)state;
    char *connection;
    one_worker();
    s.settings.nat_1_1_mapping.items[0] = ip("203.0.113.9");
    s.settings.nat_1_1_mapping.count = 1;
    server_start(&s);
    assert_string_equal(candidates(&connection), "1 1 udp 2130706431 203.0.113.9 20000 typ host");
    assert_string_equal(connection, "IN IP4 203.0.113.9");
    json_t *info = ask();
    assert_string_equal(json_string_value(json_object_get(info, "public-ip")), "203.0.113.9");
    assert_null(json_object_get(info, "public-ips"));
    json_decref(info);
    server_end(&s);
}

static void test_two_public_addresses_and_the_private_one_beside_the_first(void **state)
{
    (void)state;
    char *connection;
    one_worker();
    s.workers[0].sockets[1] = ip("fd00::5");
    s.workers[0].sockets[1].port = 20002;
    s.workers[0].socket_count = 2;
    s.settings.nat_1_1_mapping.items[0] = ip("203.0.113.9");
    s.settings.nat_1_1_mapping.items[1] = ip("203.0.113.10");
    s.settings.nat_1_1_mapping.count = 2;
    s.settings.keep_private_host = true;
    server_start(&s);
    assert_string_equal(candidates(&connection), "1 1 udp 2130706431 203.0.113.9 20000 typ host; 1 1 udp 2130706431 192.168.1.5 20000 typ host; "
                                                 "1 1 udp 2130706431 203.0.113.10 20000 typ host; 2 1 udp 2130706175 fd00::5 20002 typ host");
    json_t *info = ask();
    assert_int_equal(json_array_size(json_object_get(info, "public-ips")), 2);
    json_decref(info);
    server_end(&s);
}

static void test_reflexive_addresses_stand_in_later_descriptions(void **state)
{
    (void)state;
    char *connection;
    one_worker();
    server_start(&s);
    assert_string_equal(candidates(&connection), "1 1 udp 2130706431 192.168.1.5 20000 typ host");
    assert_string_equal(connection, "IN IP4 192.168.1.5");
    struct worker_srflx_fact fact = {.worker = 0, .socket = 0, .mapped = ip("198.51.100.7")};
    fact.mapped.port = 31000;
    server_fact(&s, CONTROL_WORKER_SRFLX, &fact, sizeof(fact));
    assert_string_equal(candidates(&connection), "1 1 udp 2130706431 192.168.1.5 20000 typ host; "
                                                 "9 1 udp 1694498815 198.51.100.7 31000 typ srflx raddr 192.168.1.5 rport 20000");
    assert_string_equal(connection, "IN IP4 198.51.100.7");
    json_t *info = ask();
    assert_string_equal(json_string_value(json_object_get(info, "public-ip")), "198.51.100.7");
    json_decref(info);
    fact.socket = 1;                                    /* no such socket, no such worker */
    server_fact(&s, CONTROL_WORKER_SRFLX, &fact, sizeof(fact));
    fact.socket = 0;
    fact.worker = 1;
    server_fact(&s, CONTROL_WORKER_SRFLX, &fact, sizeof(fact));
    assert_int_equal(control_counters(s.control)->facts_stale, 2);
    server_end(&s);
}

/* A machine with loopback only: media can't flow, but the API answers. */
static void test_without_any_socket_there_are_no_candidates(void **state)
{
    (void)state;
    char *connection;
    one_worker();
    s.workers[0].socket_count = 0;
    server_start(&s);
    assert_string_equal(candidates(&connection), "");
    assert_string_equal(connection, "IN IP4 127.0.0.1");
    server_end(&s);
}

/* The worker's agent and our texts must say the same. */
static void test_priorities_are_the_ice_agents(void **state)
{
    (void)state;
    for (uint32_t socket = 0; socket < CONTROL_SOCKETS_MAX; socket++) {
        assert_int_equal(candidates_priority(ICE_HOST, socket), ice_candidate_priority(ICE_HOST, ice_local_preference(socket), 1));
        assert_int_equal(candidates_priority(ICE_SRFLX, socket), ice_candidate_priority(ICE_SRFLX, ice_local_preference(socket), 1));
    }
}

static void test_an_unusable_configuration_is_refused(void **state)
{
    (void)state;
    struct actor *actor = fake_actor_new();
    static const char *const wrong[] = {"", "AA:BB", "nonsense", FINGERPRINT ":00"};
    s.config.entropy_source = &s.seed;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        s.config.fingerprint = wrong[i];
        assert_null(control_new(actor, &s.config));
    }
    s.config.fingerprint = FINGERPRINT;
    s.config.worker_count = 0;
    assert_null(control_new(actor, &s.config));
    assert_int_equal(actor->warnings, ARRAY_COUNT(wrong) + 1);
    assert_int_equal(seam_mem_outstanding(), 0);
    fake_actor_free(actor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_info_has_its_keys_in_order, setup),
        cmocka_unit_test_setup(test_info_says_no_secrets, setup),
        cmocka_unit_test_setup(test_a_mapping_replaces_the_private_address, setup),
        cmocka_unit_test_setup(test_two_public_addresses_and_the_private_one_beside_the_first, setup),
        cmocka_unit_test_setup(test_reflexive_addresses_stand_in_later_descriptions, setup),
        cmocka_unit_test_setup(test_without_any_socket_there_are_no_candidates, setup),
        cmocka_unit_test(test_priorities_are_the_ice_agents),
        cmocka_unit_test_setup(test_an_unusable_configuration_is_refused, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
