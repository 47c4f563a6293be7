/* janus.transport.pfunix.jcfg, as operators have it. */
#include "support/seams.h"

#include "base/str.h"
#include "io/unix_config.h"

static struct conf_node *root;
static struct unix_config config;
static struct buf notes;

static const char *read_text(const char *text)
{
    struct conf_error error;
    conf_free(root);
    root = NULL;
    if (text != NULL)
        assert_non_null(root = conf_parse(str_of(text), CONF_JCFG, NULL, &error));
    buf_clear(&notes);
    unix_config_read(&config, root, &notes);
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
    assert_false(config.janus.enabled);
    assert_false(config.admin.enabled);
    assert_int_equal(config.layout, LAYOUT_COMPACT);
    assert_true(config.events);
}

static void test_both_apis_have_their_own_path_and_type(void **state)
{
    (void)state;
    assert_string_equal(read_text("general: {\n enabled = true\n json = \"plain\"\n events = false\n path = \"/tmp/a\"\n type = \"sock_dgram\" }\n"
                                  "admin: {\n admin_enabled = true\n admin_path = \"/tmp/b\" }\n"), "");
    assert_true(config.janus.enabled && config.janus.datagrams);
    assert_string_equal(config.janus.path, "/tmp/a");
    assert_true(config.admin.enabled && !config.admin.datagrams);
    assert_string_equal(config.admin.path, "/tmp/b");
    assert_int_equal(config.layout, LAYOUT_PLAIN);
    assert_false(config.events);
}

static void test_what_cannot_be_used_is_said(void **state)
{
    (void)state;
    assert_string_equal(read_text("general: {\n enabled = true\n json = \"neat\"\n type = \"SOCK_STREAM\"\n path = \"/tmp/a\" }\n"
                                  "admin: {\n admin_enabled = true }\n"),
                        "json = \"neat\" is not known, using compact\n"
                        "type = \"SOCK_STREAM\" is not known, using SOCK_SEQPACKET\n"
                        "admin_path is missing: no Unix socket is opened for it\n");
    assert_true(config.janus.enabled && !config.janus.datagrams);
    assert_false(config.admin.enabled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_without_a_file_nothing_is_enabled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_both_apis_have_their_own_path_and_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_used_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
