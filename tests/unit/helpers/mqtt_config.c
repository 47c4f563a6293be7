/* janus.transport.mqtt.jcfg, as operators have it. */
#include "support/seams.h"

#include <string.h>

#include "base/str.h"
#include "helpers/mqtt/mqtt_config.h"

static struct conf_node *root;
static struct mqtt_config config;
static struct buf notes;

static bool reads(const char *text, bool admin_guarded)
{
    struct conf_error error;
    conf_free(root);
    root = NULL;
    if (text != NULL)
        assert_non_null(root = conf_parse(str_of(text), CONF_JCFG, NULL, &error));
    buf_clear(&notes);
    return mqtt_config_read(&config, root, admin_guarded, &notes);
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&notes, 65536);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    conf_free(root);
    root = NULL;
    buf_fini(&notes);
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

#define SIDE " subscribe_topic = \"in\"\n publish_topic = \"out\"\n"

static void test_without_a_file_nothing_is_enabled(void **state)
{
    (void)state;
    assert_true(reads(NULL, true));
    assert_false(config.janus.enabled);
    assert_false(config.admin.enabled);
}

static void test_defaults_are_the_references(void **state)
{
    (void)state;
    assert_true(reads("general: {\n enable = true\n" SIDE "}\n", true));      /* the old name of the key */
    assert_string_equal(buf_text(&notes), "");
    assert_true(config.janus.enabled);
    assert_string_equal(config.link.host, "localhost");
    assert_int_equal(config.link.port, 1883);
    assert_int_equal(config.link.version, MQTT_3_1_1);
    assert_string_equal(config.link.client_id, "guest");
    assert_string_equal(config.link.username, "guest");
    assert_string_equal(config.link.password, "guest");
    assert_int_equal(config.link.keep_alive_s, 20);
    assert_int_equal(config.link.inflight_max, 10);
    assert_false(config.link.clean);
    assert_false(config.link.tls);
    assert_null(config.link.will_topic);
    assert_int_equal(config.janus.subscribe_qos, 1);
    assert_int_equal(config.publish_qos, 1);
    assert_int_equal(config.vacuum_us, SEC(60));
    assert_true(config.events);
}

static void test_everything_can_be_said(void **state)
{
    (void)state;
    assert_true(reads("general: {\n enabled = true\n url = \"ssl://[::1]:8884\"\n mqtt_version = \"5\"\n client_id = \"me\"\n username = \"u\"\n"
                      " password = \"p\"\n keep_alive_interval = 5\n cleansession = 1\n max_inflight = 3\n subscribe_qos = 2\n publish_qos = 0\n"
                      " ssl_enabled = true\n cacertfile = \"ca\"\n certfile = \"c\"\n keyfile = \"k\"\n verify_peer = true\n vacuum_interval = 9\n"
                      " json = \"indented\"\n events = false\n" SIDE
                      " proxy_transaction_user_properties = [\"a\", \"b\"]\n"
                      " add_transaction_user_properties = ( [\"x\", \"1\"], [\"y\"] )\n}\n"
                      "admin: {\n admin_enabled = true\n subscribe_qos = -4\n" SIDE "}\n"
                      "status: {\n enabled = true\n disconnect_message = \"gone\"\n qos = 2\n retain = true\n topic = \"s\" }\n", true));
    assert_string_equal(buf_text(&notes), "add_transaction_user_properties: item 2 is left out\n");
    assert_string_equal(config.link.host, "::1");
    assert_int_equal(config.link.port, 8884);
    assert_int_equal(config.link.version, MQTT_5);
    assert_true(config.link.tls && config.link.verify_peer && config.link.clean);
    assert_string_equal(config.link.cert_file, "c");
    assert_int_equal(config.janus.subscribe_qos, 2);
    assert_int_equal(config.admin.subscribe_qos, 1);
    assert_int_equal(config.publish_qos, 0);
    assert_int_equal(config.proxied_count, 2);
    assert_int_equal(config.added_count, 1);
    assert_string_equal(config.added[0].value, "1");
    assert_string_equal(config.link.will_topic, "s");
    assert_string_equal(config.link.will_text, "gone");
    assert_true(config.link.will_retain && config.link.will_qos == 2);
}

static void test_what_cannot_be_used_is_said(void **state)
{
    (void)state;
    static const struct { const char *text, *note; } cases[] = {
        {"general: {\n enabled = true\n}\n", "general: subscribe_topic or publish_topic is missing\n"},
        {"general: {\n enabled = true\n mqtt_version = \"4\"\n" SIDE "}\n", "mqtt_version = \"4\" is not known (3.1, 3.1.1 or 5)\n"},
        {"general: {\n enabled = true\n url = \"tcp://:1883\"\n" SIDE "}\n", "url = \"tcp://:1883\" can't be read\n"},
        {"general: {\n enabled = true\n url = \"tcp://host:0\"\n" SIDE "}\n", "url = \"tcp://host:0\" can't be read\n"},
        {"general: {\n enabled = true\n url = \"tcp://host:99999\"\n" SIDE "}\n", "url = \"tcp://host:99999\" can't be read\n"},
        {"general: {\n enabled = true\n url = \"ssl://h\"\n ssl_enabled = true\n certfile = \"x\"\n" SIDE "}\n", "certfile and keyfile must be given together\n"},
        {"admin: {\n admin_enabled = true\n subscribe_topic = \"x\" }\n", "admin: subscribe_topic or publish_topic is missing\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_false(reads(cases[i].text, true));
        assert_string_equal(buf_text(&notes), cases[i].note);
    }
    assert_true(reads("general: {\n enabled = true\n url = \"ssl://h\"\n json = \"neat\"\n" SIDE "}\n", true));
    assert_string_equal(buf_text(&notes), "json = \"neat\" is not known, using compact\nssl_enabled says false, the url something else: ssl_enabled counts\n");
}

static void test_a_secret_that_everybody_knows_guards_for_this_machine_only(void **state)
{
    (void)state;
    assert_true(reads("general: {\n url = \"tcp://127.0.0.1\" }\nadmin: {\n admin_enabled = true\n" SIDE "}\n", false));
    assert_true(config.admin.enabled);
    assert_int_equal(config.publish_qos, 0);                 /* as the reference has it without the other API */
    assert_true(reads("general: {\n url = \"tcp://broker.example\" }\nadmin: {\n admin_enabled = true\n" SIDE "}\n", false));
    assert_false(config.admin.enabled);
    assert_non_null(strstr(buf_text(&notes), "admin_secret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_without_a_file_nothing_is_enabled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_defaults_are_the_references, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_everything_can_be_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_used_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_secret_that_everybody_knows_guards_for_this_machine_only, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
