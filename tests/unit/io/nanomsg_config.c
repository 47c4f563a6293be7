/* janus.transport.nanomsg.jcfg, as operators have it. */
#include "support/seams.h"

#include <stdio.h>

#include "base/str.h"
#include "io/nanomsg_config.h"

static struct conf_node *root;
static struct nanomsg_config config;
static struct buf notes;

static const char *read_text(const char *text, bool admin_guarded)
{
    struct conf_error error;
    conf_free(root);
    root = NULL;
    if (text != NULL)
        assert_non_null(root = conf_parse(str_of(text), CONF_JCFG, NULL, &error));
    buf_clear(&notes);
    nanomsg_config_read(&config, root, admin_guarded, &notes);
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

static void test_both_apis_have_their_own_address_and_mode(void **state)
{
    (void)state;
    assert_string_equal(read_text(NULL, true), "");
    assert_false(config.janus.enabled || config.admin.enabled);
    assert_string_equal(read_text("general: {\n enabled = true\n json = \"plain\"\n events = false\n address = \"tcp://*:5555\"\n mode = \"Connect\" }\n"
                                  "admin: {\n admin_enabled = true\n admin_address = \"ipc:///x\" }\n", true), "");
    assert_true(config.janus.enabled && config.janus.connects);
    assert_string_equal(config.janus.address, "tcp://*:5555");
    assert_true(config.admin.enabled && !config.admin.connects);
    assert_int_equal(config.layout, LAYOUT_PLAIN);
    assert_false(config.events);
}

static void test_what_cannot_be_used_is_said(void **state)
{
    (void)state;
    assert_string_equal(read_text("general: {\n enabled = true\n json = \"neat\" }\nadmin: {\n admin_enabled = true\n admin_mode = \"x\" }\n", true),
                        "json = \"neat\" is not known, using compact\naddress is missing: this side is off\n"
                        "admin_mode = \"x\" is neither bind nor connect: this side is off\n");
    assert_false(config.janus.enabled || config.admin.enabled);
}

static void test_a_secret_that_everybody_knows_guards_for_this_machine_only(void **state)
{
    (void)state;
    static const struct { const char *address; bool opened; } cases[] = {
        {"ipc:///x", true}, {"tcp://127.0.0.1:1", true}, {"tcp://localhost:1", true}, {"inproc://x", true},
        {"tcp://*:1", false}, {"tcp://192.0.2.1:1", false}, {"ws://0.0.0.0:1", false}, {"x", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[128];
        snprintf(text, sizeof(text), "admin: {\n admin_enabled = true\n admin_address = \"%s\" }\n", cases[i].address);
        read_text(text, false);
        assert_int_equal(config.admin.enabled, cases[i].opened);
        read_text(text, true);
        assert_true(config.admin.enabled);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_both_apis_have_their_own_address_and_mode, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_used_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_secret_that_everybody_knows_guards_for_this_machine_only, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
