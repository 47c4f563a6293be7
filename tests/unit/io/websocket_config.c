/* janus.transport.websockets.jcfg, as operators have it. */
#include "support/seams.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "io/limits.h"
#include "io/websocket_config.h"

static struct conf_node *root;
static struct websocket_config config;
static struct buf notes;

static const char *read_text(const char *text)
{
    struct conf_error error;
    conf_free(root);
    root = NULL;
    if (text != NULL)
        assert_non_null(root = conf_parse(str_of(text), CONF_JCFG, NULL, &error));
    buf_clear(&notes);
    websocket_config_read(&config, root, &notes);
    return buf_text(&notes);
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

static void test_without_a_file_nothing_is_enabled(void **state)
{
    (void)state;
    assert_string_equal(read_text(NULL), "");
    assert_false(config.ws.enabled);
    assert_false(config.wss.enabled);
    assert_int_equal(config.layout, LAYOUT_COMPACT);
    assert_int_equal(config.ping_trigger_us, IO_PING_TRIGGER_US);
    assert_int_equal(config.ws.port, 8188);
    assert_int_equal(config.wss.port, 8989);
    assert_null(config.acl);
}

static void test_the_sample_file_reads_without_a_remark(void **state)
{
    (void)state;
    assert_string_equal(read_text(
        "general: {\n json = \"indented\"\n ws = true\n ws_port = 8188\n wss = false\n ws_logging = \"err,warn\"\n events = true }\n"
        "admin: {\n admin_ws = false\n admin_ws_port = 7188\n admin_wss = false\n admin_ws_acl = \"127.\" }\n"
        "cors: {\n }\ncertificates: {\n cert_pem = \"/a/cert.pem\"\n cert_key = \"/a/key.pem\" }\n"), "");
    assert_true(config.ws.enabled);
    assert_false(config.wss.enabled);
    assert_int_equal(config.layout, LAYOUT_INDENTED);
    assert_string_equal(config.cert_key, "/a/key.pem");
    assert_false(config.enforce_cors);
}

static void test_every_key_is_read(void **state)
{
    (void)state;
    assert_string_equal(read_text(
        "general: {\n json = \"Plain\"\n pingpong_trigger = 30\n pingpong_timeout = 10\n ws = \"yes\"\n ws_port = \"9000\"\n"
        " ws_interface = \"eth0\"\n ws_ip = \"192.0.2.1\"\n ws_unix = \"/run/ws.sock\"\n wss = true\n wss_port = 9001\n"
        " wss_interface = \"lo\"\n wss_ip = \"::1\"\n wss_unix = \"/run/wss.sock\"\n ws_acl = \"127.,192.168.0.\"\n"
        " ws_acl_forwarded = true\n web_folder = \"/web\"\n max_clients = 500\n max_clients_per_address = 20\n something_else = 1 }\n"
        "cors: {\n allow_origin = \"https://a.example\"\n enforce_cors = true }\n"
        "certificates: {\n cert_pem = \"/c.pem\"\n cert_pwd = \"secret\"\n ciphers = \"HIGH\" }\n"), "");
    assert_int_equal(config.layout, LAYOUT_PLAIN);
    assert_int_equal(config.ping_trigger_us, SEC(30));
    assert_int_equal(config.ping_timeout_us, SEC(10));
    assert_int_equal(config.ws.port, 9000);
    assert_string_equal(config.ws.interface, "eth0");
    assert_string_equal(config.ws.ip, "192.0.2.1");
    assert_string_equal(config.ws.unix_path, "/run/ws.sock");
    assert_true(config.wss.enabled);
    assert_int_equal(config.wss.port, 9001);
    assert_string_equal(config.wss.ip, "::1");
    assert_string_equal(config.acl, "127.,192.168.0.");
    assert_true(config.acl_forwarded);
    assert_string_equal(config.allow_origin, "https://a.example");
    assert_true(config.enforce_cors);
    assert_string_equal(config.cert_pem, "/c.pem");
    assert_string_equal(config.cert_key, "/c.pem");          /* the certificate's file when no other is given */
    assert_string_equal(config.cert_password, "secret");
    assert_string_equal(config.ciphers, "HIGH");
    assert_string_equal(config.web_folder, "/web");
    assert_int_equal(config.max_clients, 500);
    assert_int_equal(config.max_clients_per_address, 20);
}

static void test_wrong_values_are_told_and_replaced(void **state)
{
    (void)state;
    const char *said = read_text("general: {\n json = \"pretty\"\n ws_port = \"many\"\n wss_port = 70000\n pingpong_trigger = 30\n max_clients = 1000000\n max_clients_per_address = -1 }\n");
    assert_non_null(strstr(said, "json = \"pretty\""));
    assert_non_null(strstr(said, "ws_port is no port number, using 8188"));
    assert_non_null(strstr(said, "wss_port is no port number, using 8989"));
    assert_non_null(strstr(said, "pingpong_trigger and pingpong_timeout"));
    assert_non_null(strstr(said, "max_clients must"));
    assert_non_null(strstr(said, "max_clients_per_address must"));
    assert_int_equal(config.layout, LAYOUT_COMPACT);
    assert_int_equal(config.ping_trigger_us, IO_PING_TRIGGER_US);
    assert_int_equal(config.max_clients, 0);
    said = read_text("general: {\n pingpong_trigger = -5\n pingpong_timeout = 10 }\n");
    assert_non_null(strstr(said, "pingpong"));
    assert_int_equal(config.ping_trigger_us, IO_PING_TRIGGER_US);
    read_text("cors: {\n enforce_cors = true }\n");          /* only with an origin to compare with */
    assert_false(config.enforce_cors);
}

static void test_the_admin_api_has_ports_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(read_text("general: { ws = true }"), "");
    assert_false(config.admin_ws.enabled || config.admin_wss.enabled || config.admin_acl_forwarded);
    assert_int_equal(config.admin_ws.port, 7188);
    assert_int_equal(config.admin_wss.port, 7989);
    assert_string_equal(read_text("admin: {\n admin_ws = true\n admin_ws_port = 81\n admin_ws_interface = \"lo\"\n admin_ws_ip = \"::1\"\n"
                                  "admin_ws_unix = \"/a\"\n admin_wss = \"yes\"\n admin_wss_port = 82\n admin_wss_interface = \"eth0\"\n"
                                  "admin_wss_ip = \"10.0.0.1\"\n admin_wss_unix = \"/b\"\n admin_ws_acl = \"127.\" }\n"
                                  "general: {\n admin_ws_acl_forwarded = true }\n"), "");
    assert_true(config.admin_ws.enabled && config.admin_wss.enabled && config.admin_acl_forwarded);
    assert_false(config.ws.enabled || config.wss.enabled);
    assert_int_equal(config.admin_ws.port, 81);
    assert_int_equal(config.admin_wss.port, 82);
    assert_string_equal(config.admin_ws.interface, "lo");
    assert_string_equal(config.admin_ws.ip, "::1");
    assert_string_equal(config.admin_ws.unix_path, "/a");
    assert_string_equal(config.admin_wss.interface, "eth0");
    assert_string_equal(config.admin_wss.ip, "10.0.0.1");
    assert_string_equal(config.admin_wss.unix_path, "/b");
    assert_string_equal(config.admin_acl, "127.");
    assert_null(config.acl);
    read_text("admin: { admin_ws_acl_forwarded = true }");
    assert_true(config.admin_acl_forwarded);
    assert_non_null(strstr(read_text("general: { ws = true } admin: { admin_ws = true admin_wss = true admin_ws_acl = [\"10.\"] }"), "admin_ws_acl"));
    assert_true(config.ws.enabled);
    assert_false(config.admin_ws.enabled || config.admin_wss.enabled);
    assert_non_null(strstr(read_text("admin: { admin_ws = true admin_ws_port = -1 }"), "admin_ws_port is no port number, using 7188"));
}

/* A list that can't be read must not let everybody in. */
static void test_an_access_list_of_another_kind_keeps_the_ports_closed(void **state)
{
    (void)state;
    static const char *const kinds[] = {"[ \"10.\" ]", "( \"10.\" )", "{ a = \"10.\"; }"};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        char text[200];
        snprintf(text, sizeof(text), "general: { ws = true; wss = true; ws_acl = %s; }", kinds[i]);
        assert_non_null(strstr(read_text(text), "ws_acl"));
        assert_false(config.ws.enabled);
        assert_false(config.wss.enabled);
    }
    assert_string_equal(read_text("general: { ws = true; ws_acl = \"\"; }"), "");
    assert_true(config.ws.enabled);
    assert_null(config.acl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_access_list_of_another_kind_keeps_the_ports_closed),
        cmocka_unit_test(test_without_a_file_nothing_is_enabled),
        cmocka_unit_test(test_the_sample_file_reads_without_a_remark),
        cmocka_unit_test(test_every_key_is_read),
        cmocka_unit_test(test_wrong_values_are_told_and_replaced),
        cmocka_unit_test(test_the_admin_api_has_ports_of_its_own),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
