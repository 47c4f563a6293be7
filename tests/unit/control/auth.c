/* Secrets and signed tokens: janus-api.md 7. Tokens were made with another HMAC implementation. */
#include "control/server.h"

#include <string.h>

#include "control/crypto.h"
#include "control/probe_plugin.h"

#define TOKEN_PLAIN   "1893456000,janus:bK8QlwKbZcwfsNAft+NJaDHeNwc="
#define TOKEN_NOW     "1800000000,janus:r+5GYzw9+yFjrQO4zpH1CUjBGcQ="
#define TOKEN_EXPIRED "1799999999,janus:YVd8sRSrmJNlTwn6gK5xGG4PbG4="
#define TOKEN_PLUGINS "1893456000,janus,janus.plugin.probe,janus.plugin.x:jGwrjZn0SdZx4SEwO/dyc4GGots="
#define TOKEN_OTHER   "1893456000,other:9H283zNaOHYmiGKdShJmoFwOmn8="
#define TOKEN_ROOM    "1893456000,janus.plugin.videoroom,room=1234:6GmrAqWVV21o7TdjMg/ph1K8nq0="
#define REFUSAL       "Unauthorized request (wrong or missing secret/token)"

static struct server s;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    s.settings.token_auth = true;
    s.settings.token_auth_secret = "secret";
    return 0;
}

static void create(const char *rest)
{
    server_say(&s, 1, "{\"janus\":\"create\",\"transaction\":\"c\",\"id\":7%s}", rest);
}

static void expect_created(void)
{
    expect_text(&s, 1, "{\"janus\":\"success\",\"transaction\":\"c\",\"data\":{\"id\":7}}");
    server_gone(&s, 1);
}

static void test_hmac_sha1_vector_of_rfc_2202(void **state)
{
    (void)state;
    char text[HMAC_SHA1_TEXT];
    assert_true(crypto_hmac_sha1(VIEW("Jefe", 4), VIEW("what do ya want for nothing?", 28), text));
    assert_string_equal(text, "7/zfauXrL6LSdBbV8YTfnCWafHk=");
}

static void test_signed_tokens(void **state)
{
    (void)state;
    server_start(&s);
    create(",\"token\":\"" TOKEN_PLAIN "\"");
    expect_created();
    create(",\"token\":\"" TOKEN_NOW "\"");              /* this very second is still valid */
    expect_created();
    create(",\"token\":\"" TOKEN_PLUGINS "\"");
    expect_created();
    static const char *const wrong[] = {
        "", ",\"token\":5", ",\"token\":\"\"", ",\"token\":\":\"", ",\"token\":\"" TOKEN_EXPIRED "\"", ",\"token\":\"" TOKEN_OTHER "\"",
        ",\"token\":\"" TOKEN_PLAIN ":\"", ",\"token\":\"1893456000,janus\"", ",\"token\":\"1893456000,janus:\"",
        ",\"token\":\"1893456001,janus:bK8QlwKbZcwfsNAft+NJaDHeNwc=\"", ",\"token\":\"1893456000:bK8QlwKbZcwfsNAft+NJaDHeNwc=\"", ",\"token\":\",janus:bK8QlwKbZcwfsNAft+NJaDHeNwc=\"",
        ",\"token\":\"-5,janus:KXHvDcSYC27UFE9SyhrAJbFwUnc=\"", ",\"token\":\"99999999999999999999,janus:bK8QlwKbZcwfsNAft+NJaDHeNwc=\"",
        ",\"token\":\"1893456000,janus:bK8QlwKbZcwfsNAft+NJaDHeNwc==\"",
    };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        create(wrong[i]);
        expect_error(&s, 1, 403, REFUSAL);
    }
    server_end(&s);
}

static void test_a_token_expires_in_the_midst_of_a_session(void **state)
{
    (void)state;
    server_start(&s);
    create(",\"token\":\"" TOKEN_NOW "\"");
    server_hear(&s, 1);
    s.actor->wall_us += 1000000;
    server_say(&s, 1, "{\"janus\":\"keepalive\",\"transaction\":\"k\",\"session_id\":7,\"token\":\"" TOKEN_NOW "\"}");
    expect_error(&s, 1, 403, REFUSAL);
    assert_int_equal(control_sizes(s.control).sessions, 1);
    server_end(&s);
}

static void attach(const char *plugin, const char *rest)
{
    server_say(&s, 1, "{\"janus\":\"attach\",\"transaction\":\"a\",\"session_id\":7,\"plugin\":\"%s\"%s}", plugin, rest);
}

static void test_a_token_names_the_plugins_it_opens(void **state)
{
    (void)state;
    s.settings.api_secret = "sesame";
    server_start(&s);
    create(",\"token\":\"" TOKEN_PLUGINS "\"");
    server_hear(&s, 1);
    attach("janus.plugin.plain", ",\"token\":\"" TOKEN_PLUGINS "\"");
    expect_error(&s, 1, 405, "Provided token can't access plugin 'janus.plugin.plain'");
    attach("janus.plugin.probe", ",\"token\":\"" TOKEN_PLAIN "\"");
    expect_error(&s, 1, 405, "Provided token can't access plugin 'janus.plugin.probe'");
    attach("janus.plugin.probe", ",\"token\":\"" TOKEN_PLUGINS "\"");
    assert_non_null(strstr(server_hear(&s, 1), "success"));
    /* By the secret alone every plugin is open. */
    attach("janus.plugin.plain", ",\"apisecret\":\"sesame\"");
    assert_non_null(strstr(server_hear(&s, 1), "success"));
    server_end(&s);
}

static void test_either_of_secret_and_token_will_do(void **state)
{
    (void)state;
    s.settings.api_secret = "sesame";
    server_start(&s);
    create(",\"apisecret\":\"wrong\",\"token\":\"" TOKEN_PLAIN "\"");
    expect_created();
    create(",\"apisecret\":\"sesame\",\"token\":\"wrong\"");
    expect_created();
    create(",\"apisecret\":\"wrong\",\"token\":\"wrong\"");
    expect_error(&s, 1, 403, REFUSAL);
    server_end(&s);
}

/* Stored tokens come with the Admin API: until then nobody has one, and nothing is open (security.md). */
static void test_token_auth_without_a_secret_stays_closed(void **state)
{
    (void)state;
    s.settings.token_auth_secret = NULL;
    server_start(&s);
    create(",\"token\":\"" TOKEN_PLAIN "\"");
    expect_error(&s, 1, 403, REFUSAL);
    create("");
    expect_error(&s, 1, 403, REFUSAL);
    server_end(&s);
}

static void test_plugins_check_tokens_of_their_own_realm(void **state)
{
    (void)state;
    server_start(&s);
    struct host *host = probe_host();
    assert_true(host_token_mode_signed(host));
    assert_true(host_token_is_valid(host, TOKEN_ROOM, "janus.plugin.videoroom"));
    assert_false(host_token_is_valid(host, TOKEN_ROOM, "janus"));
    assert_false(host_token_is_valid(host, NULL, "janus"));
    assert_true(host_token_contains(host, TOKEN_ROOM, "janus.plugin.videoroom", "room=1234"));
    assert_false(host_token_contains(host, TOKEN_ROOM, "janus.plugin.videoroom", "room=12"));
    server_end(&s);
    server_init(&s);
    server_start(&s);
    assert_false(host_token_mode_signed(probe_host()));
    assert_false(host_token_is_valid(probe_host(), TOKEN_ROOM, "janus.plugin.videoroom"));
    assert_true(host_token_contains(probe_host(), "anything", "janus.plugin.videoroom", "room=12"));
    server_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hmac_sha1_vector_of_rfc_2202),
        cmocka_unit_test_setup(test_signed_tokens, setup),
        cmocka_unit_test_setup(test_a_token_expires_in_the_midst_of_a_session, setup),
        cmocka_unit_test_setup(test_a_token_names_the_plugins_it_opens, setup),
        cmocka_unit_test_setup(test_either_of_secret_and_token_will_do, setup),
        cmocka_unit_test_setup(test_token_auth_without_a_secret_stays_closed, setup),
        cmocka_unit_test_setup(test_plugins_check_tokens_of_their_own_realm, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
