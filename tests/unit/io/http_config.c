/* janus.transport.http.jcfg, as operators have it. */
#include "support/seams.h"

#include <string.h>

#include "base/str.h"
#include "io/http_config.h"

static struct conf_node *root;
static struct http_config config;
static struct buf notes;

static const char *read_text(const char *text)
{
    struct conf_error error;
    conf_free(root);
    root = NULL;
    if (text != NULL)
        assert_non_null(root = conf_parse(str_of(text), CONF_JCFG, NULL, &error));
    buf_clear(&notes);
    http_config_read(&config, root, &notes);
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
    assert_false(config.http.enabled || config.https.enabled);
    assert_int_equal(config.http.port, 8088);
    assert_int_equal(config.https.port, 8089);
    assert_string_equal(config.base_path, "/janus");
}

static void test_every_key(void **state)
{
    (void)state;
    assert_string_equal(read_text("general: { json = \"plain\" base_path = \"/a/\" http = true port = 81 interface = \"lo\" ip = \"::1\" https = true secure_port = 82\n"
                                  "secure_interface = \"eth0\" secure_ip = \"10.0.0.1\" acl = \"127.\" acl_forwarded = true }\n"
                                  "cors: { allow_origin = \"http://a\" enforce_cors = true }\n"
                                  "certificates: { cert_pem = \"/c\" cert_key = \"/k\" cert_pwd = \"p\" }"), "");
    assert_int_equal(config.layout, LAYOUT_PLAIN);
    assert_int_equal(config.base_path_size, 2);
    assert_true(config.http.enabled && config.https.enabled && config.acl_forwarded && config.enforce_cors);
    assert_int_equal(config.http.port, 81);
    assert_int_equal(config.https.port, 82);
    assert_string_equal(config.http.interface, "lo");
    assert_string_equal(config.http.ip, "::1");
    assert_string_equal(config.https.interface, "eth0");
    assert_string_equal(config.https.ip, "10.0.0.1");
    assert_string_equal(config.acl, "127.");
    assert_string_equal(config.allow_origin, "http://a");
    assert_string_equal(config.cert_pem, "/c");
    assert_string_equal(config.cert_key, "/k");
    assert_string_equal(config.cert_password, "p");
}

static void test_what_guards_fails_closed(void **state)
{
    (void)state;
    assert_non_null(strstr(read_text("general: { http = true acl = [\"10.\"] }"), "no port is opened"));
    assert_false(config.http.enabled);
    assert_non_null(strstr(read_text("general: { https = true base_path = \"janus\" }"), "no port is opened"));
    assert_false(config.https.enabled);
    read_text("cors: { enforce_cors = true }");
    assert_false(config.enforce_cors);                          /* only with an origin to enforce (transports.md 2.1) */
}

static const char *read_admin(const char *text)
{
    struct conf_error error;
    conf_free(root);
    assert_non_null(root = conf_parse(str_of(text), CONF_JCFG, NULL, &error));
    buf_clear(&notes);
    http_config_read_admin(&config, root, &notes);
    return buf_text(&notes);
}

static void test_the_admin_api_has_keys_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(read_admin("general: { http = true acl = \"10.\" json = \"plain\" }"), "");
    assert_false(config.http.enabled || config.https.enabled || config.acl_forwarded);
    assert_null(config.acl);
    assert_int_equal(config.layout, LAYOUT_PLAIN);
    assert_int_equal(config.http.port, 7088);
    assert_int_equal(config.https.port, 7889);
    assert_string_equal(config.base_path, "/admin");
    assert_string_equal(read_admin("admin: { admin_base_path = \"/a/\" admin_http = true admin_port = 81 admin_interface = \"lo\" admin_ip = \"::1\"\n"
                                   "admin_https = \"yes\" admin_secure_port = 82 admin_secure_interface = \"eth0\" admin_secure_ip = \"10.0.0.1\"\n"
                                   "admin_acl = \"127.\" }"), "");
    assert_true(config.http.enabled && config.https.enabled);
    assert_int_equal(config.base_path_size, 2);
    assert_int_equal(config.http.port, 81);
    assert_int_equal(config.https.port, 82);
    assert_string_equal(config.http.interface, "lo");
    assert_string_equal(config.http.ip, "::1");
    assert_string_equal(config.https.interface, "eth0");
    assert_string_equal(config.https.ip, "10.0.0.1");
    assert_string_equal(config.acl, "127.");
    /* The reference reads it from one group and shows it in another: what guards counts in both. */
    read_admin("general: { admin_acl_forwarded = true }");
    assert_true(config.acl_forwarded);
    read_admin("admin: { admin_acl_forwarded = true }");
    assert_true(config.acl_forwarded);
    assert_non_null(strstr(read_admin("admin: { admin_http = true admin_acl = [\"10.\"] }"), "admin_acl must be one text"));
    assert_false(config.http.enabled);
    assert_non_null(strstr(read_admin("admin: { admin_http = true admin_base_path = \"a\" }"), "admin_base_path must begin"));
    assert_false(config.http.enabled);
    assert_non_null(strstr(read_admin("admin: { admin_http = true admin_port = 70000 }"), "admin_port is no port number, using 7088"));
}

static void test_nothing_is_ignored_in_silence(void **state)
{
    (void)state;
    assert_non_null(strstr(read_text("general: { mhd_connection_limit = 5 mhd_debug = true port = \"x\" json = \"y\" } certificates: { ciphers = \"NORMAL\" }"), "mhd_connection_limit"));
    const char *const words[] = {"mhd_debug", "port is no port number, using 8088", "json = \"y\"", "ciphers"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        assert_non_null(strstr(buf_text(&notes), words[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_without_a_file_nothing_is_enabled),
        TEST(test_the_admin_api_has_keys_of_its_own),
        TEST(test_every_key),
        TEST(test_what_guards_fails_closed),
        TEST(test_nothing_is_ignored_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
