/* Permanent rooms of the VideoRoom: videoroom.md 2.4. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "rooms.h"

static uint32_t me;

static int setup(void **state)
{
    (void)state;
    rooms_start("general: { admin_key = \"key\"; events = false }\nroom-1: { description = \"kept\"; pin = \"1\" }\n\"77\": { description = \"old style\" }");
    me = fake_attach(&h);
    return 0;
}

/* The file as it would be written now: what the open save has. Read again, so that it is one. */
static struct conf_node *written(void)
{
    struct conf_error error;
    const struct fake_op *op = fake_op(&h);
    assert_non_null(op);
    assert_string_equal(op->path, "/nonexistent/janus.plugin.videoroom.jcfg");
    struct conf_node *conf = conf_parse(VIEW(op->bytes, op->size), CONF_JCFG, NULL, &error);
    if (conf == NULL)
        fail_msg("%s in line %u of\n%s", error.text, error.line, op->bytes);
    return conf;
}

static void say_permanent(const char *body)
{
    assert_int_equal(fake_say(&h, me, "%s", body)->outcome, PLUGIN_WAIT);
    expect_silence(&h, me);
}

static void test_a_room_is_created_and_kept(void **state)
{
    (void)state;
    say_permanent("{'request':'create','room':5,'admin_key':'key','permanent':true,'description':'a b','secret':'s','publishers':9,'bitrate':100000,"
                  "'audiocodec':'opus,pcmu','videocodec':'h264,vp8','h264_profile':'42e01f','opus_fec':false,'is_private':true,'record':true,"
                  "'rec_dir':'/r','audiolevel_ext':false,'fir_freq':7,'notify_joining':true}");
    struct conf_node *conf = written();
    assert_string_equal(conf_text(conf_get(conf, "general"), "admin_key", ""), "key");     /* the rest is as it was */
    assert_string_equal(conf_text(conf_get(conf, "room-1"), "pin", ""), "1");
    const struct conf_node *room = conf_get(conf, "room-5");
    static const char *const values[][2] = {
        {"description", "a b"}, {"secret", "s"},           {"publishers", "9"},        {"bitrate", "100000"},         {"audiocodec", "opus,pcmu"},
        {"videocodec", "h264,vp8"}, {"h264_profile", "42e01f"}, {"opus_fec", "false"}, {"is_private", "true"},        {"record", "true"},
        {"rec_dir", "/r"},      {"audiolevel_ext", "no"},  {"fir_freq", "7"},          {"notify_joining", "true"},    {"videoorient_ext", "true"},
        {"playoutdelay_ext", "true"}, {"transport_wide_cc_ext", "true"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        assert_string_equal(conf_text(room, values[i][0], "(none)"), values[i][1]);
    assert_int_equal(conf_count(room), ARRAY_COUNT(values));       /* and no pin, no lock, ... */
    conf_free(conf);
    fake_say(&h, me, "{'request':'exists','room':5}");             /* it is there while the disk is not done */
    expect_sync(&h, "{'videoroom':'success','room':5,'exists':true}");
    fake_end_op(&h, ERR_NONE, NULL);
    expect_sync(&h, "{'videoroom':'created','room':5,'permanent':true}");
}

/* What was written makes the same room again. */
static void test_a_kept_room_comes_back_as_it_was(void **state)
{
    (void)state;
    say_permanent("{'request':'create','room':5,'admin_key':'key','permanent':true,'description':'x\\\"\\\\y','audiocodec':'opus','videocodec':'vp9',"
                  "'vp9_profile':'2','opus_fec':false,'opus_dtx':true,'bitrate_cap':true,'bitrate':70000,'audiolevel_event':true,"
                  "'audio_active_packets':7,'audio_level_average':8,'require_e2ee':true,'require_pvtid':true,'lock_record':true,'secret':'s'}");
    char *file = strdup(fake_op(&h)->bytes);
    fake_end_op(&h, ERR_NONE, NULL);
    fake_say(&h, me, "{'request':'list'}");
    json_t *before = NULL, *after = NULL;
    size_t index;
    json_t *room;
    json_array_foreach(json_object_get(h.last.body, "list"), index, room)
        if (fake_int(room, "room") == 5)
            before = json_incref(room);
    fake_stop(&h);
    rooms_start(file);
    free(file);
    me = fake_attach(&h);
    fake_say(&h, me, "{'request':'list'}");
    json_array_foreach(json_object_get(h.last.body, "list"), index, room)
        if (fake_int(room, "room") == 5)
            after = json_incref(room);
    assert_non_null(before);
    assert_non_null(after);
    assert_true(json_equal(before, after));
    fake_say(&h, me, "{'request':'edit','room':5,'secret':'no'}");
    expect_error(&h, UINT32_MAX, 433);
    json_decref(before);
    json_decref(after);
}

static void test_edit_and_destroy(void **state)
{
    (void)state;
    say_permanent("{'request':'edit','room':1,'new_description':'other','new_pin':'2','permanent':true}");
    struct conf_node *conf = written();
    assert_string_equal(conf_text(conf_get(conf, "room-1"), "description", ""), "other");
    assert_string_equal(conf_text(conf_get(conf, "room-1"), "pin", ""), "2");
    conf_free(conf);
    fake_end_op(&h, ERR_NONE, NULL);
    expect_sync(&h, "{'videoroom':'edited','room':1,'permanent':true}");
    fake_say(&h, me, "{'request':'edit','room':1,'new_description':'not kept'}");
    expect_sync(&h, "{'videoroom':'edited','room':1,'permanent':false}");
    say_permanent("{'request':'destroy','room':77,'permanent':true}");     /* its group has no "room-" */
    conf = written();
    assert_null(conf_get(conf, "77"));
    assert_null(conf_get(conf, "room-77"));
    assert_string_equal(conf_text(conf_get(conf, "room-1"), "description", ""), "other");
    conf_free(conf);
    fake_end_op(&h, ERR_NONE, NULL);
    expect_sync(&h, "{'videoroom':'destroyed','room':77,'permanent':true}");
    fake_say(&h, me, "{'request':'destroy','room':1}");
    expect_sync(&h, "{'videoroom':'destroyed','room':1,'permanent':false}");
}

static void test_what_cant_be_saved_is_not_claimed(void **state)
{
    (void)state;
    static const enum err errors[] = {ERR_IO, ERR_TIMEOUT};
    for (size_t i = 0; i < ARRAY_COUNT(errors); i++) {
        say_permanent("{'request':'create','room':5,'admin_key':'key','permanent':true}");
        fake_end_op(&h, errors[i], "No space left on device");
        expect_sync(&h, "{'videoroom':'created','room':5,'permanent':false}");
        fake_say(&h, me, "{'request':'destroy','room':5}");
    }
    h.refuse_op = ERR_FULL;
    fake_say(&h, me, "{'request':'create','room':6,'admin_key':'key','permanent':true}");
    expect_sync(&h, "{'videoroom':'created','room':6,'permanent':false}");
    /* Nothing of the failed ones is left for the next save, but for the one that may be on the disk already. */
    say_permanent("{'request':'create','room':7,'admin_key':'key','permanent':true}");
    struct conf_node *conf = written();
    assert_null(conf_get(conf, "room-6"));
    assert_non_null(conf_get(conf, "room-7"));
    conf_free(conf);
    fake_detach(&h, me);                                /* ends what it waits for; nothing leaks */
    me = fake_attach(&h);
}

static void test_the_admin_api_does_not_wait(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'create','room':5,'admin_key':'key','permanent':true}");
    expect_sync(&h, "{'videoroom':'created','room':5,'permanent':true}");
    assert_non_null(conf_get(host_conf(&h), "room-5"));
}

static void test_without_a_file_nothing_is_permanent(void **state)
{
    (void)state;
    rooms_start(NULL);
    me = fake_attach(&h);
    fake_say(&h, me, "{'request':'create','room':5,'permanent':true}");
    expect_error_text(&h, UINT32_MAX, 499, "No configuration file, can't create permanent room");
    fake_say(&h, me, "{'request':'create','room':5}");
    fake_say(&h, me, "{'request':'edit','room':5,'permanent':true}");
    expect_error_text(&h, UINT32_MAX, 499, "No configuration file, can't edit room permanently");
    fake_say(&h, me, "{'request':'destroy','room':5,'permanent':true}");
    expect_error_text(&h, UINT32_MAX, 499, "No configuration file, can't destroy room permanently");
}

static void test_names_that_are_texts(void **state)
{
    (void)state;
    static const char *const ids[] = {"attic", "a b.c", "\xc3\xa4\xe2\x82\xac", "general", "\\\"quoted\\\"", "room-x", "1234"};
    rooms_start("general: { string_ids = true }");
    me = fake_attach(&h);
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
        assert_int_equal(fake_say(&h, me, "{'request':'create','room':'%s','permanent':true}", ids[i])->outcome, PLUGIN_WAIT);
        if (i + 1 < ARRAY_COUNT(ids))
            fake_end_op(&h, ERR_NONE, NULL);
    }
    char *file = strdup(fake_op(&h)->bytes);
    fake_end_op(&h, ERR_NONE, NULL);
    /* Names in the file have no case: a room that would take another's group is not kept. */
    fake_say(&h, me, "{'request':'create','room':'Attic','permanent':true}");
    expect_sync(&h, "{'videoroom':'created','room':'Attic','permanent':false}");
    fake_stop(&h);
    rooms_start(file);
    free(file);
    me = fake_attach(&h);
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
        fake_say(&h, me, "{'request':'exists','room':'%s'}", ids[i]);
        expect_sync(&h, "{'videoroom':'success','room':'*','exists':true}");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_room_is_created_and_kept, setup, rooms_teardown),
        cmocka_unit_test_setup_teardown(test_a_kept_room_comes_back_as_it_was, setup, rooms_teardown),
        cmocka_unit_test_setup_teardown(test_edit_and_destroy, setup, rooms_teardown),
        cmocka_unit_test_setup_teardown(test_what_cant_be_saved_is_not_claimed, setup, rooms_teardown),
        cmocka_unit_test_setup_teardown(test_the_admin_api_does_not_wait, setup, rooms_teardown),
        BARE_TEST(test_without_a_file_nothing_is_permanent),
        BARE_TEST(test_names_that_are_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
