/* What the plugin's file says: videoroom.md 2, and security.md on secrets that everybody knows. */
#include <stdio.h>

#include "rooms.h"

#define NOBODY UINT32_MAX

static const json_t *listed(const char *room)
{
    size_t index;
    const json_t *entry;
    fake_admin(&h, "{'request':'list'}");
    json_array_foreach(json_object_get(h.last.body, "list"), index, entry) {
        const json_t *id = json_object_get(entry, "room");
        char text[32] = "";
        if (json_is_integer(id))
            snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(id));
        if (strcmp(json_is_string(id) ? json_string_value(id) : text, room) == 0)
            return entry;
    }
    return NULL;
}

static const char *text_of(const char *room, const char *key)
{
    const json_t *entry = listed(room);
    assert_non_null(entry);
    return json_string_value(json_object_get(entry, key));
}

static void test_without_a_file_there_are_no_rooms(void **state)
{
    (void)state;
    rooms_start(NULL);
    fake_admin(&h, "{'request':'list'}");
    expect_sync(&h, "{'videoroom':'success','list':[]}");
}

static void test_every_category_is_a_room(void **state)
{
    (void)state;
    rooms_start("general: { string_ids = false }\n"
                "room-1234: { description = \"Demo\", publishers = 6, bitrate = 128000, fir_freq = 10 }\n"
                "\"5678\": { }\n"
                "room-9223372036854775807: { }\n");
    fake_admin(&h, "{'request':'list'}");
    assert_int_equal(json_array_size(json_object_get(h.last.body, "list")), 3);
    assert_string_equal(text_of("1234", "description"), "Demo");
    assert_int_equal(fake_int(listed("1234"), "max_publishers"), 6);
    assert_int_equal(fake_int(listed("1234"), "bitrate"), 128000);
    assert_int_equal(fake_int(listed("1234"), "fir_freq"), 10);
    assert_string_equal(text_of("5678", "description"), "5678");     /* the category's name */
    fake_admin(&h, "{'request':'exists','room':9223372036854775807}");
    assert_true(json_is_true(json_object_get(h.last.body, "exists")));
}

static void test_a_category_that_names_no_room_is_left_out(void **state)
{
    (void)state;
    static const char *const names[] = {"room-", "room-0", "0", "room-007", "room-x", "room-12x", "room--1", "room-99999999999999999999"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char conf[100];
        snprintf(conf, sizeof(conf), "\"%s\": { }\nroom-1: { }", names[i]);
        rooms_start(conf);
        fake_admin(&h, "{'request':'list'}");
        assert_int_equal(json_array_size(json_object_get(h.last.body, "list")), 1);
        assert_int_equal(h.logged, 1);
        if (i + 1 < ARRAY_COUNT(names))
            fake_stop(&h);
    }
}

static void test_the_first_of_two_rooms_stays(void **state)
{
    (void)state;
    rooms_start("room-1: { description = \"first\" }\n\"1\": { description = \"second\" }\nname = \"not a category\"\n");
    fake_admin(&h, "{'request':'list'}");
    assert_int_equal(json_array_size(json_object_get(h.last.body, "list")), 1);
    assert_string_equal(text_of("1", "description"), "first");
    assert_non_null(strstr(h.last_log, "exists already"));
}

static void test_what_a_room_gets_when_nothing_is_said(void **state)
{
    (void)state;
    rooms_start("room-1: { }");
    fake_admin(&h, "{'request':'list'}");
    expect_sync(&h, "{'videoroom':'success','list':[{'room':1,'description':'room-1','pin_required':false,'is_private':false,'max_publishers':3,"
                    "'bitrate':0,'fir_freq':0,'require_pvtid':false,'require_e2ee':false,'dummy_publisher':false,'notify_joining':false,"
                    "'audiocodec':'opus','videocodec':'vp8','opus_fec':true,'record':false,'lock_record':false,'num_participants':0,"
                    "'audiolevel_ext':true,'audiolevel_event':false,'videoorient_ext':true,'playoutdelay_ext':true,"
                    "'transport_wide_cc_ext':true}]}");
}

static void test_values_of_the_file(void **state)
{
    (void)state;
    rooms_start("room-1: { description = \"\", pin = \"\", secret = \"\", publishers = -4, bitrate = 5, fir_freq = 70000,\n"
                "  audiocodec = \"opus,nonsense,pcmu\", videocodec = \"vp9,,h264\", opus_dtx = \"yes\", require_pvtid = 1, notify_joining = \"TRUE\",\n"
                "  require_e2ee = \"on\", audiolevel_event = true, audio_active_packets = -3, audio_level_average = 0, rec_dir = \"/r\" }\n"
                "room-2: { audiocodec = \"pcmu\", opus_fec = true, opus_dtx = true, transport_wide_cc_ext = \"no\", audiolevel_ext = false }\n"
                "room-3: { audiocodec = \"pcmu\", bitrate = -1 }\n");
    const json_t *room = listed("1");
    assert_string_equal(text_of("1", "description"), "room-1");
    assert_string_equal(text_of("1", "audiocodec"), "opus,pcmu");
    assert_string_equal(text_of("1", "videocodec"), "vp9,h264");
    assert_string_equal(text_of("1", "rec_dir"), "/r");
    room = listed("1");
    assert_true(json_is_false(json_object_get(room, "pin_required")));
    assert_int_equal(fake_int(room, "max_publishers"), 3);
    assert_int_equal(fake_int(room, "bitrate"), 64000);
    assert_int_equal(fake_int(room, "fir_freq"), 65535);
    assert_true(json_is_true(json_object_get(room, "opus_dtx")));
    assert_true(json_is_true(json_object_get(room, "require_pvtid")));
    assert_true(json_is_true(json_object_get(room, "notify_joining")));
    assert_true(json_is_false(json_object_get(room, "require_e2ee")));
    assert_int_equal(fake_int(room, "audio_active_packets"), 100);
    assert_int_equal(fake_int(room, "audio_level_average"), 25);
    room = listed("2");
    assert_null(json_object_get(room, "opus_fec"));
    assert_null(json_object_get(room, "opus_dtx"));
    assert_true(json_is_false(json_object_get(room, "transport_wide_cc_ext")));
    assert_true(json_is_false(json_object_get(room, "audiolevel_ext")));
    room = listed("3");
    assert_true(json_is_true(json_object_get(room, "opus_fec")));
    assert_int_equal(fake_int(room, "bitrate"), 0);
}

static void test_private_rooms_are_there_but_not_shown(void **state)
{
    (void)state;
    rooms_start("general: { admin_key = \"k\" }\nroom-1: { is_private = true, pin = \"4\" }");
    assert_null(listed("1"));
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1,'ptype':'publisher','pin':'4','id':1}");
    expect_reply(&h, me, "{'videoroom':'joined','room':1,'description':'room-1','id':1,'private_id':'*','publishers':[]}");
    fake_admin(&h, "{'request':'list','admin_key':'k'}");
    assert_int_equal(json_array_size(json_object_get(h.last.body, "list")), 1);
}

/* What such a secret guards stays closed until somebody sets another one. */
static void test_secrets_from_sample_files_open_nothing(void **state)
{
    (void)state;
    rooms_start("room-1: { secret = \"adminpwd\" }\nroom-2: { secret = \"supersecret\" }\nroom-3: { secret = \"janusoverlord\" }\nroom-4: { secret = \"mine\" }");
    assert_int_equal(h.logged, 3);
    assert_null(strstr(h.last_log, "janusoverlord"));       /* secrets are never logged */
    static const char *const secrets[] = {"adminpwd", "supersecret", "janusoverlord"};
    static const char *const requests[] = {"'request':'edit','new_secret':'x'", "'request':'destroy'", "'request':'allowed','action':'disable'",
                                           "'request':'kick','id':1", "'request':'moderate','id':1,'mid':'0','mute':true"};
    for (unsigned i = 0; i < 3; i++)
        for (unsigned k = 0; k < ARRAY_COUNT(requests); k++) {
            fake_admin(&h, "{%s,'room':%u,'secret':'%s'}", requests[k], i + 1, secrets[i]);
            expect_error_text(&h, NOBODY, 433, "Unauthorized (wrong secret)");
        }
    fake_admin(&h, "{'request':'edit','room':4,'secret':'mine'}");
    expect_sync(&h, "{'videoroom':'edited','room':4,'permanent':false}");
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1,'ptype':'publisher','id':1}");
    expect_reply(&h, me, "{'videoroom':'joined','room':1,'description':'room-1','id':1,'private_id':'*','publishers':[]}");
}

/* An admin_key that everybody knows is no key: rooms can't be made and private ones not seen with it. */
static void test_an_admin_key_from_a_sample_file_opens_nothing(void **state)
{
    (void)state;
    rooms_start("general: { admin_key = \"supersecret\" }\nroom-1: { is_private = true }");
    assert_int_equal(h.logged, 1);
    assert_null(strstr(h.last_log, "supersecret"));
    fake_admin(&h, "{'request':'create','admin_key':'supersecret'}");
    expect_error_text(&h, NOBODY, 433, "Unauthorized (wrong admin_key)");
    fake_admin(&h, "{'request':'create'}");
    expect_error(&h, NOBODY, 429);
    fake_admin(&h, "{'request':'list','admin_key':'supersecret'}");
    expect_error_text(&h, NOBODY, 433, "Unauthorized (wrong admin_key)");
}

static void test_a_key_without_effect_is_named(void **state)
{
    (void)state;
    rooms_start("room-1: { signed_tokens = true }");
    assert_non_null(strstr(h.last_log, "signed"));
}

/* ---- names that are texts ---- */

static void test_string_ids_are_strings_everywhere(void **state)
{
    (void)state;
    rooms_start("general: { string_ids = true }\nroom-garden: { notify_joining = true }\nkitchen: { }");
    assert_non_null(listed("garden"));
    assert_non_null(listed("kitchen"));
    fake_admin(&h, "{'request':'exists','room':'garden'}");
    expect_sync(&h, "{'videoroom':'success','room':'garden','exists':true}");
    fake_admin(&h, "{'request':'exists','room':5}");
    expect_error_text(&h, NOBODY, 430, "Invalid element type (room should be a string)");
    fake_admin(&h, "{'request':'create','room':'attic'}");
    expect_sync(&h, "{'videoroom':'created','room':'attic','permanent':false}");
    fake_admin(&h, "{'request':'create','room':'attic'}");
    expect_error_text(&h, NOBODY, 427, "Room attic already exists");
    fake_admin(&h, "{'request':'create'}");
    expect_sync(&h, "{'videoroom':'created','room':'*','permanent':false}");
    const char *id = json_string_value(json_object_get(h.last.body, "room"));
    assert_int_equal(strlen(id), 36);
    assert_int_equal(id[14], '4');                          /* UUIDv4 */
    assert_true(strchr("89ab", id[19]) != NULL);

    uint32_t ann = fake_attach(&h), bob = fake_attach(&h), seen = fake_attach(&h);
    fake_say(&h, ann, "{'request':'join','room':'garden','ptype':'publisher','id':5}");
    expect_error_text(&h, ann, 430, "Invalid element type (id should be a string)");
    fake_say(&h, ann, "{'request':'join','room':'garden','ptype':'publisher','id':'ann'}");
    expect_reply(&h, ann, "{'videoroom':'joined','room':'garden','description':'room-garden','id':'ann','private_id':'*','publishers':[],'attendees':[]}");
    fake_say(&h, bob, "{'request':'join','room':'garden','ptype':'publisher','id':'ann'}");
    expect_error_text(&h, bob, 436, "User ID ann already exists");
    fake_say(&h, bob, "{'request':'join','room':'garden','ptype':'publisher'}");
    expect_told(&h, ann, "{'videoroom':'event','room':'garden','joining':{'id':'*'}}");
    expect_reply(&h, bob, "{'videoroom':'joined','room':'garden','description':'room-garden','id':'*','private_id':'*','publishers':[],"
                          "'attendees':[{'id':'ann'}]}");
    offer_as(ann, "{'request':'publish'}", offer_av(),
             "{'videoroom':'event','room':'garden','configured':'ok','audio_codec':'opus','video_codec':'vp8','streams':" AV_OWN "}");
    fake_up(&h, ann);
    expect_told(&h, bob, "{'videoroom':'event','room':'garden','publishers':[{'id':'ann','audio_codec':'opus','video_codec':'vp8','streams':" AV_STREAMS "}]}");
    fake_say(&h, seen, "{'request':'join','room':'garden','ptype':'subscriber','use_msid':true,'streams':[{'feed':'ann','mid':'1'}]}");
    const struct fake_event *event = expect_reply(&h, seen,
        "{'videoroom':'attached','room':'garden','streams':[{'type':'video','active':true,'mindex':0,'mid':'0','ready':false,'send':true,"
        "'feed_id':'ann','feed_mid':'1','codec':'vp8'}]}");
    assert_true(session_has(event->sdp, "s=VideoRoom garden"));
    assert_true(line_has(event->sdp, 0, "a=msid:ann 0"));
    fake_say(&h, ann, "{'request':'leave'}");
    expect_told(&h, bob, "{'videoroom':'event','room':'garden','leaving':'ann'}");
    expect_reply(&h, ann, "{'videoroom':'event','room':'garden','leaving':'ok'}");
}

static void test_string_ids_that_are_missing(void **state)
{
    (void)state;
    rooms_start("general: { string_ids = true }\ngarden: { }");
    static const char *const requests[] = {"kick", "moderate", "edit", "destroy", "listparticipants", "exists"};
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        fake_admin(&h, "{'request':'%s'}", requests[i]);
        expect_error_text(&h, NOBODY, 429, "Missing mandatory element (room)");
    }
    fake_admin(&h, "{'request':'kick','room':'garden'}");
    expect_error_text(&h, NOBODY, 429, "Missing mandatory element (id)");
    fake_admin(&h, "{'request':'exists','room':''}");
    expect_sync(&h, "{'videoroom':'success','room':'','exists':false}");
}

/* 256 bytes, and nothing that would end a line of a description. */
static void test_string_ids_have_bounds(void **state)
{
    (void)state;
    char id[300];
    rooms_start("general: { string_ids = true }");
    memset(id, 'x', sizeof(id));
    id[256] = '\0';
    fake_admin(&h, "{'request':'create','room':'%s'}", id);
    expect_sync(&h, "{'videoroom':'created','room':'%s','permanent':false}", id);
    id[256] = 'x';
    id[257] = '\0';
    fake_admin(&h, "{'request':'create','room':'%s'}", id);
    expect_error(&h, NOBODY, 430);
    static const char *const bad[] = {"a\\r\\na=ice-lite", "a\\nb", "\\r", "a\\u0001", "tab\\there"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        fake_admin(&h, "{'request':'create','room':'%s'}", bad[i]);
        expect_error(&h, NOBODY, 430);
    }
    fake_admin(&h, "{'request':'create','room':'garden'}");
    uint32_t me = fake_attach(&h);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        fake_say(&h, me, "{'request':'join','room':'garden','ptype':'publisher','id':'%s'}", bad[i]);
        expect_error(&h, me, 430);
    }
}

/* A name with blanks is one, but no msid: an id there is one word (RFC 8830 2). */
static void test_blanks_in_a_name_do_not_reach_the_msid(void **state)
{
    (void)state;
    rooms_start("general: { string_ids = true }\ngarden: { }");
    uint32_t ann = fake_attach(&h), seen = fake_attach(&h);
    fake_say(&h, ann, "{'request':'join','room':'garden','ptype':'publisher','id':'ann of green gables'}");
    assert_non_null(fake_hear(&h, ann));
    say_offer(ann, "{'request':'publish'}", offer_av());
    assert_non_null(fake_hear(&h, ann));
    fake_up(&h, ann);
    fake_say(&h, seen, "{'request':'join','room':'garden','ptype':'subscriber','use_msid':true,'streams':[{'feed':'ann of green gables','mid':'1'}]}");
    const struct fake_event *event = fake_hear(&h, seen);
    assert_non_null(event);
    assert_true(line_has(event->sdp, 0, "a=msid:ann_of_green_gables 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BARE_TEST(test_without_a_file_there_are_no_rooms),
        BARE_TEST(test_every_category_is_a_room),
        BARE_TEST(test_a_category_that_names_no_room_is_left_out),
        BARE_TEST(test_the_first_of_two_rooms_stays),
        BARE_TEST(test_what_a_room_gets_when_nothing_is_said),
        BARE_TEST(test_values_of_the_file),
        BARE_TEST(test_private_rooms_are_there_but_not_shown),
        BARE_TEST(test_secrets_from_sample_files_open_nothing),
        BARE_TEST(test_an_admin_key_from_a_sample_file_opens_nothing),
        BARE_TEST(test_a_key_without_effect_is_named),
        BARE_TEST(test_string_ids_are_strings_everywhere),
        BARE_TEST(test_string_ids_that_are_missing),
        BARE_TEST(test_string_ids_have_bounds),
        BARE_TEST(test_blanks_in_a_name_do_not_reach_the_msid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
