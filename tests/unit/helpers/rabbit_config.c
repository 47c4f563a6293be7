/* janus.transport.rabbitmq.jcfg, as operators have it. */
#include "support/seams.h"

#include <string.h>

#include "base/str.h"
#include "helpers/rabbitmq/rabbit_config.h"

static struct conf_node *root;
static struct rabbit_config config;
static struct buf notes;

static bool reads(const char *text, bool admin_guarded)
{
    struct conf_error error;
    conf_free(root);
    root = NULL;
    if (text != NULL)
        assert_non_null(root = conf_parse(str_of(text), CONF_JCFG, NULL, &error));
    buf_clear(&notes);
    return rabbit_config_read(&config, root, admin_guarded, &notes);
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

static void test_defaults_are_the_references(void **state)
{
    (void)state;
    assert_true(reads(NULL, true));
    assert_false(config.janus.enabled || config.admin.enabled);
    assert_true(reads("general: {\n enable = true\n to_janus = \"in\"\n from_janus = \"out\"\n janus_exchange = \"x\" }\n", true));
    assert_string_equal(buf_text(&notes), "");
    assert_true(config.janus.enabled);
    assert_string_equal(config.link.host, "localhost");
    assert_int_equal(config.link.port, 5672);
    assert_string_equal(config.link.vhost, "/");
    assert_string_equal(config.link.username, "guest");
    assert_int_equal(config.link.heartbeat_s, 0);
    assert_string_equal(config.link.exchange, "x");
    assert_string_equal(config.link.exchange_type, "fanout");
    assert_null(config.janus.name);
    assert_true(config.janus.declare_out);
    assert_false(config.janus.durable || config.janus.autodelete || config.janus.exclusive);
    assert_false(config.link.tls || config.link.verify_peer || config.link.verify_hostname);
}

static void test_everything_can_be_said(void **state)
{
    (void)state;
    assert_true(reads("general: {\n enabled = true\n host = \"h\"\n port = 7\n username = \"u\"\n password = \"p\"\n vhost = \"v\"\n heartbeat = 9\n"
                      " ssl_enabled = true\n ssl_cacert = \"ca\"\n ssl_cert = \"c\"\n ssl_key = \"k\"\n ssl_verify_peer = true\n"
                      " ssl_verify_hostname = true\n janus_exchange_type = \"topic\"\n queue_name = \"q\"\n to_janus = \"in\"\n from_janus = \"out\"\n"
                      " declare_outgoing_queue = false\n queue_durable = true\n queue_autodelete = true\n queue_exclusive = true\n"
                      " json = \"plain\"\n events = false\n admin_enable = true }\n"
                      "admin: {\n queue_name_admin = \"aq\"\n to_janus_admin = \"ain\"\n from_janus_admin = \"aout\"\n queue_durable_admin = true }\n", true));
    assert_string_equal(buf_text(&notes), "");
    assert_int_equal(config.link.port, 7);
    assert_int_equal(config.link.heartbeat_s, 9);
    assert_true(config.link.tls && config.link.verify_peer && config.link.verify_hostname);
    assert_string_equal(config.janus.name, "q");
    assert_true(config.janus.durable && config.janus.autodelete && config.janus.exclusive && !config.janus.declare_out);
    assert_true(config.admin.enabled && config.admin.durable && !config.admin.exclusive && config.admin.declare_out);
    assert_string_equal(config.admin.name, "aq");
    assert_int_equal(config.layout, LAYOUT_PLAIN);
    assert_false(config.events);
}

static void test_what_cannot_be_used_is_said(void **state)
{
    (void)state;
    assert_false(reads("general: {\n enabled = true\n to_janus = \"in\" }\n", true));
    assert_string_equal(buf_text(&notes), "to_janus or from_janus is missing\n");
    assert_false(reads("admin: {\n admin_enabled = true }\n", true));
    assert_string_equal(buf_text(&notes), "to_janus_admin or from_janus_admin is missing\n");
    assert_true(reads("general: {\n enabled = true\n port = \"x\"\n heartbeat = 70000\n json = \"neat\"\n to_janus = \"in\"\n from_janus = \"out\" }\n", true));
    assert_string_equal(buf_text(&notes), "json = \"neat\" is not known, using compact\n");
    assert_int_equal(config.link.port, 5672);
    assert_int_equal(config.link.heartbeat_s, 0);
}

static void test_a_secret_that_everybody_knows_guards_for_this_machine_only(void **state)
{
    (void)state;
#define ADMIN "admin: {\n admin_enabled = true\n to_janus_admin = \"ain\"\n from_janus_admin = \"aout\" }\n"
    assert_true(reads("general: {\n host = \"127.0.0.1\" }\n" ADMIN, false));
    assert_true(config.admin.enabled);
    assert_true(reads("general: {\n host = \"broker.example\" }\n" ADMIN, false));
    assert_false(config.admin.enabled);
    assert_non_null(strstr(buf_text(&notes), "admin_secret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults_are_the_references, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_everything_can_be_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_used_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_secret_that_everybody_knows_guards_for_this_machine_only, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
