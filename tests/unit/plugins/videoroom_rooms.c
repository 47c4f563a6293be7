/* Rooms are made, changed, listed and ended, and people in them managed: videoroom.md 0, 1 (Admin API) and 5. */
#include <stdio.h>
#include <time.h>

#include "plugins/videoroom/videoroom.h"
#include "rooms.h"

#define NOBODY UINT32_MAX

/* ---- the request itself ---- */

static void test_requests_without_a_good_verb(void **state)
{
    (void)state;
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{}");
    expect_error_text(&h, NOBODY, 429, "Missing mandatory element (request)");
    fake_say(&h, me, "{'request':5}");
    expect_error_text(&h, NOBODY, 430, "Invalid element type (request should be a string)");
    fake_say(&h, me, "{'request':null}");
    expect_error_text(&h, NOBODY, 430, "Invalid element type (request should be a string)");
    fake_say(&h, me, "{'request':'dance'}");
    expect_error_text(&h, NOBODY, 423, "Unknown request 'dance'");
    fake_say(&h, me, "{'request':''}");
    expect_error(&h, NOBODY, 423);
    fake_say(&h, me, "{'request':'EXISTS','room':1234}");
    expect_sync(&h, "{'videoroom':'success','room':1234,'exists':true}");
    expect_nothing(&h);
}

static void test_the_admin_api_knows_synchronous_verbs_only(void **state)
{
    (void)state;
    fake_admin(&h, "{}");
    expect_error_text(&h, NOBODY, 429, "Missing mandatory element (request)");
    static const char *const async[] = {"join", "joinandconfigure", "configure", "publish", "unpublish",   "leave",
                                        "start", "pause",            "switch",    "subscribe", "unsubscribe", "update"};
    for (size_t i = 0; i < ARRAY_COUNT(async); i++) {
        char text[80];
        snprintf(text, sizeof(text), "Unknown request '%s'", async[i]);
        fake_admin(&h, "{'request':'%s','room':1234,'ptype':'publisher'}", async[i]);
        expect_error_text(&h, NOBODY, 423, text);
    }
    fake_admin(&h, "{'request':'exists','room':1}");
    expect_sync(&h, "{'videoroom':'success','room':1,'exists':false}");
}

/* `room` in every wrong shape, for all that need one. */
static void test_a_room_must_be_named_rightly(void **state)
{
    (void)state;
    static const char *const requests[] = {"'request':'exists'", "'request':'listparticipants'", "'request':'edit'", "'request':'destroy'",
                                           "'request':'kick','id':1", "'request':'moderate','id':1,'mid':'0','mute':true",
                                           "'request':'allowed','action':'enable'"};
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        fake_admin(&h, "{%s}", requests[i]);
        expect_error_text(&h, NOBODY, 429, "Missing mandatory element (room)");
        static const char *const wrong[] = {"'1234'", "-1", "1.5", "null", "{}", "true", "[1234]"};
        for (size_t k = 0; k < ARRAY_COUNT(wrong); k++) {
            fake_admin(&h, "{%s,'room':%s}", requests[i], wrong[k]);
            expect_error_text(&h, NOBODY, 430, "Invalid element type (room should be a positive integer)");
        }
        if (i == 0)
            continue;
        fake_admin(&h, "{%s,'room':77}", requests[i]);
        expect_error_text(&h, NOBODY, 426, "No such room (77)");
    }
}

/* ---- create ---- */

static void test_create_checks_every_field(void **state)
{
    (void)state;
    static const struct { const char *name, *wrong, *type; } fields[] = {
        {"description", "1", "a string"},         {"is_private", "'yes'", "a boolean"},      {"allowed", "{}", "an array"},
        {"secret", "[]", "a string"},             {"pin", "4321", "a string"},               {"require_pvtid", "1", "a boolean"},
        {"signed_tokens", "0", "a boolean"},      {"bitrate", "-1", "a positive integer"},   {"bitrate_cap", "1", "a boolean"},
        {"fir_freq", "'1'", "a positive integer"}, {"publishers", "1.0", "a positive integer"}, {"audiocodec", "[]", "a string"},
        {"videocodec", "true", "a string"},       {"vp9_profile", "0", "a string"},          {"h264_profile", "42", "a string"},
        {"opus_fec", "1", "a boolean"},           {"opus_dtx", "'true'", "a boolean"},       {"audiolevel_ext", "1", "a boolean"},
        {"audiolevel_event", "1", "a boolean"},   {"audio_active_packets", "-5", "a positive integer"},
        {"audio_level_average", "'x'", "a positive integer"},                                {"videoorient_ext", "1", "a boolean"},
        {"playoutdelay_ext", "1", "a boolean"},   {"transport_wide_cc_ext", "1", "a boolean"}, {"record", "1", "a boolean"},
        {"rec_dir", "1", "a string"},             {"lock_record", "1", "a boolean"},         {"permanent", "'no'", "a boolean"},
        {"notify_joining", "1", "a boolean"},     {"require_e2ee", "1", "a boolean"},        {"dummy_publisher", "1", "a boolean"},
        {"dummy_streams", "{}", "an array"},      {"dummy_e2ee", "1", "a boolean"},          {"threads", "-1", "a positive integer"},
        {"room", "'9'", "a positive integer"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        char text[100];
        snprintf(text, sizeof(text), "Invalid element type (%s should be %s)", fields[i].name, fields[i].type);
        fake_admin(&h, "{'request':'create','%s':%s}", fields[i].name, fields[i].wrong);
        expect_error_text(&h, NOBODY, 430, text);
        fake_admin(&h, "{'request':'create','%s':null}", fields[i].name);
        expect_error_text(&h, NOBODY, 430, text);
        for (size_t k = 0; k < i; k++) {             /* of two that are wrong, the first of the table is named */
            fake_admin(&h, "{'request':'create','%s':%s,'%s':%s}", fields[i].name, fields[i].wrong, fields[k].name, fields[k].wrong);
            snprintf(text, sizeof(text), "Invalid element type (%s should be %s)", fields[k].name, fields[k].type);
            expect_error_text(&h, NOBODY, 430, text);
        }
    }
    fake_admin(&h, "{'request':'create','room':1234,'audiocodec':'mp3'}");
    expect_error_text(&h, NOBODY, 430, "Invalid element (audiocodec can only be or contain opus, isac32, isac16, pcmu, pcma or g722)");
    fake_admin(&h, "{'request':'list'}");
    assert_int_equal(json_array_size(json_object_get(h.last.body, "list")), 1);
}

static void test_create_answers_with_the_id(void **state)
{
    (void)state;
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'create','room':4821,'permanent':false}");
    expect_sync(&h, "{'videoroom':'created','room':4821,'permanent':false}");
    fake_say(&h, me, "{'request':'create','room':4821}");
    expect_error_text(&h, NOBODY, 427, "Room 4821 already exists");
    fake_say(&h, me, "{'request':'create','room':9223372036854775807}");
    expect_sync(&h, "{'videoroom':'created','room':9223372036854775807,'permanent':false}");
    int64_t last = 0;
    for (unsigned i = 0; i < 20; i++) {
        fake_say(&h, me, i % 2 == 0 ? "{'request':'create'}" : "{'request':'create','room':0}");
        expect_sync(&h, "{'videoroom':'created','room':'*','permanent':false}");
        int64_t id = fake_int(h.last.body, "room");
        assert_true(id > 0 && id < INT64_C(1) << 53 && id != last);
        last = id;
    }
    fake_say(&h, me, "{'request':'create','permanent':true}");
    expect_error_text(&h, NOBODY, 499, "No configuration file, can't create permanent room");
    expect_nothing(&h);
}

#define LISTED_TAIL                                                                                                                   \
    "'num_participants':0,'audiolevel_ext':true,'audiolevel_event':false,'videoorient_ext':true,'playoutdelay_ext':true,"             \
    "'transport_wide_cc_ext':true}"

static void test_a_room_is_listed_with_its_defaults(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'list'}");
    expect_sync(&h, "{'videoroom':'success','list':[{'room':1234,'description':'Room 1234','pin_required':false,'is_private':false,"
                    "'max_publishers':3,'bitrate':0,'fir_freq':0,'require_pvtid':false,'require_e2ee':false,'dummy_publisher':false,"
                    "'notify_joining':false,'audiocodec':'opus','videocodec':'vp8','opus_fec':true,'record':false,'lock_record':false,"
                    LISTED_TAIL "]}");
    (void)guest(1, NULL);
    fake_admin(&h, "{'request':'list'}");
    assert_int_equal(fake_int(json_array_get(json_object_get(h.last.body, "list"), 0), "num_participants"), 1);
}

static const json_t *listed(uint64_t room)
{
    size_t index;
    const json_t *entry;
    fake_admin(&h, "{'request':'list'}");
    json_array_foreach(json_object_get(h.last.body, "list"), index, entry)
        if (fake_int(entry, "room") == (int64_t)room)
            return entry;
    return NULL;
}

static void test_a_room_is_listed_with_all_that_it_was_given(void **state)
{
    (void)state;
    room_create(5, "'description':'Demo','is_private':false,'secret':'s','pin':'p','require_pvtid':true,'signed_tokens':true,'bitrate':128000,"
                   "'bitrate_cap':true,'fir_freq':10,'publishers':6,'audiocodec':'opus,pcmu','videocodec':'VP8,h264,vp9','vp9_profile':'2',"
                   "'h264_profile':'42e01f','opus_fec':false,'opus_dtx':true,'audiolevel_ext':false,'audiolevel_event':true,"
                   "'audio_active_packets':50,'audio_level_average':30,'videoorient_ext':false,'playoutdelay_ext':false,"
                   "'transport_wide_cc_ext':false,'record':true,'rec_dir':'/recs','lock_record':true,'notify_joining':true,'require_e2ee':true,"
                   "'dummy_publisher':true,'dummy_streams':[],'dummy_e2ee':true,'threads':4,'allowed':['x']");
    json_t *wanted = json_loads(
        "{\"room\":5,\"description\":\"Demo\",\"pin_required\":true,\"is_private\":false,\"max_publishers\":6,\"bitrate\":128000,\"bitrate_cap\":true,"
        "\"fir_freq\":10,\"require_pvtid\":true,\"require_e2ee\":true,\"dummy_publisher\":true,\"notify_joining\":true,"
        "\"audiocodec\":\"opus,pcmu\",\"videocodec\":\"vp8,h264,vp9\",\"opus_dtx\":true,\"record\":true,\"rec_dir\":\"/recs\",\"lock_record\":true,"
        "\"num_participants\":1,\"audiolevel_ext\":false,\"audiolevel_event\":true,\"audio_active_packets\":50,\"audio_level_average\":30,"
        "\"videoorient_ext\":false,\"playoutdelay_ext\":false,\"transport_wide_cc_ext\":false}", 0, NULL);
    assert_non_null(wanted);
    assert_true(json_fits(listed(5), wanted));
    json_decref(wanted);
}

static void test_values_of_rooms_have_bounds(void **state)
{
    (void)state;
    room_create(1, "'bitrate':1,'fir_freq':65535,'audiolevel_event':true,'audio_active_packets':0,'audio_level_average':0,'description':''");
    assert_int_equal(fake_int(listed(1), "bitrate"), 64000);
    assert_int_equal(fake_int(listed(1), "fir_freq"), 65535);
    assert_int_equal(fake_int(listed(1), "audio_active_packets"), 100);
    assert_int_equal(fake_int(listed(1), "audio_level_average"), 25);
    assert_string_equal(json_string_value(json_object_get(listed(1), "description")), "Room 1");
    room_create(2, "'bitrate':63999,'fir_freq':70000,'publishers':0");
    assert_int_equal(fake_int(listed(2), "bitrate"), 64000);
    assert_int_equal(fake_int(listed(2), "fir_freq"), 65535);        /* 16 bits: not 70000 - 65536 */
    assert_int_equal(fake_int(listed(2), "max_publishers"), 0);
    room_create(3, "'bitrate':64000,'fir_freq':65536,'publishers':9007199254740993");
    assert_int_equal(fake_int(listed(3), "bitrate"), 64000);
    assert_int_equal(fake_int(listed(3), "fir_freq"), 65535);
    assert_int_equal(fake_int(listed(3), "max_publishers"), UINT32_MAX);
}

/* A text that is there and empty is there: a secret that has to be given, a folder that is listed. */
static void test_empty_texts_are_kept(void **state)
{
    (void)state;
    room_create(1, "'secret':'','pin':'','rec_dir':''");
    assert_true(json_is_true(json_object_get(listed(1), "pin_required")));
    assert_string_equal(json_string_value(json_object_get(listed(1), "rec_dir")), "");
    fake_admin(&h, "{'request':'edit','room':1}");
    expect_error_text(&h, NOBODY, 429, "Missing mandatory element (secret)");
    fake_admin(&h, "{'request':'edit','room':1,'secret':' '}");
    expect_error_text(&h, NOBODY, 433, "Unauthorized (wrong secret)");
    fake_admin(&h, "{'request':'edit','room':1,'secret':''}");
    expect_sync(&h, "{'videoroom':'edited','room':1,'permanent':false}");
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1,'ptype':'publisher'}");
    fake_turn(&h);
    expect_error(&h, me, 429);
    fake_say(&h, me, "{'request':'join','room':1,'ptype':'publisher','pin':''}");
    fake_turn(&h);
    expect_reply(&h, me, "{'videoroom':'joined','room':1,'description':'Room 1','id':'*','private_id':'*','publishers':[]}");
}

static void test_codec_lists(void **state)
{
    (void)state;
    static const struct { const char *audio, *video; } good[] = {
        {"opus", "vp8"}, {"pcmu,pcma,g722,opus,red", "vp8,vp9,h264,av1,h265"}, {"multiopus,isac32,isac16,l16-48,l16,nonsense", "vp8,vp8,vp8,vp8,vp8,x"},
        {"OPUS", "VP8"}, {"", ""},
    };
    static const char *const shown[][2] = {
        {"opus", "vp8"}, {"pcmu,pcma,g722,opus,red", "vp8,vp9,h264,av1,h265"}, {"multiopus,isac32,isac16,l16-48,l16", "vp8,vp8,vp8,vp8,vp8"},
        {"opus", "vp8"}, {"opus", "vp8"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        char fields[200];
        snprintf(fields, sizeof(fields), "'audiocodec':'%s','videocodec':'%s'", good[i].audio, good[i].video);
        room_create(100 + i, fields);
        assert_string_equal(json_string_value(json_object_get(listed(100 + i), "audiocodec")), shown[i][0]);
        assert_string_equal(json_string_value(json_object_get(listed(100 + i), "videocodec")), shown[i][1]);
    }
    static const char *const bad_audio[] = {"opus,", ",opus", "opus,,pcmu", "vp8", "mp3", "opus;pcmu", " ", "opus,pcmu,g722,pcma,x", "none", "opus, pcmu"};
    for (size_t i = 0; i < ARRAY_COUNT(bad_audio); i++) {
        fake_admin(&h, "{'request':'create','audiocodec':'%s'}", bad_audio[i]);
        expect_error_text(&h, NOBODY, 430, "Invalid element (audiocodec can only be or contain opus, isac32, isac16, pcmu, pcma or g722)");
    }
    static const char *const bad_video[] = {"vp8,", ",", "opus", "vp10", "none", "vp8,rtx"};
    for (size_t i = 0; i < ARRAY_COUNT(bad_video); i++) {
        fake_admin(&h, "{'request':'create','videocodec':'%s'}", bad_video[i]);
        expect_error_text(&h, NOBODY, 430, "Invalid element (videocodec can only be or contain vp8, vp9, av1, h264 or h265)");
    }
}

/* opus_fec and opus_dtx are forced off where there is no Opus, the first only when it is given. */
static void test_opus_flags_need_opus(void **state)
{
    (void)state;
    room_create(1, "'audiocodec':'pcmu','opus_fec':true,'opus_dtx':true");
    assert_null(json_object_get(listed(1), "opus_fec"));
    assert_null(json_object_get(listed(1), "opus_dtx"));
    room_create(2, "'audiocodec':'pcmu'");
    assert_true(json_is_true(json_object_get(listed(2), "opus_fec")));
}

static void test_what_create_will_not_hold(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'create','allowed':['a',1]}");
    expect_error_text(&h, NOBODY, 430, "Invalid element in the allowed array (not a string)");
    char *text = malloc(65536 + 2);
    memset(text, 'x', 65537);
    text[65537] = '\0';
    fake_admin(&h, "{'request':'create','description':'%s'}", text);
    expect_error(&h, NOBODY, 430);
    text[65536] = '\0';
    fake_admin(&h, "{'request':'create','description':'%s'}", text);
    expect_sync(&h, "{'videoroom':'created','room':'*','permanent':false}");
    free(text);
}

static void test_an_admin_key_guards_create(void **state)
{
    (void)state;
    rooms_start("general: { admin_key = \"open sesame\" }");
    fake_admin(&h, "{'request':'create'}");
    expect_error_text(&h, NOBODY, 429, "Missing mandatory element (admin_key)");
    fake_admin(&h, "{'request':'create','admin_key':5}");
    expect_error_text(&h, NOBODY, 430, "Invalid element type (admin_key should be a string)");
    fake_admin(&h, "{'request':'create','admin_key':'open'}");
    expect_error_text(&h, NOBODY, 433, "Unauthorized (wrong admin_key)");
    fake_admin(&h, "{'request':'create','admin_key':'x','audiocodec':'x'}");
    expect_error(&h, NOBODY, 433);                          /* asked for before the lists are looked at */
    fake_admin(&h, "{'request':'create','admin_key':'open sesame','room':1,'is_private':true}");
    expect_sync(&h, "{'videoroom':'created','room':1,'permanent':false}");

    fake_admin(&h, "{'request':'list'}");
    expect_sync(&h, "{'videoroom':'success','list':[]}");
    fake_admin(&h, "{'request':'list','admin_key':''}");
    expect_sync(&h, "{'videoroom':'success','list':[]}");
    fake_admin(&h, "{'request':'list','admin_key':5}");
    expect_sync(&h, "{'videoroom':'success','list':[]}");
    fake_admin(&h, "{'request':'list','admin_key':'x'}");
    expect_error_text(&h, NOBODY, 433, "Unauthorized (wrong admin_key)");
    fake_admin(&h, "{'request':'list','admin_key':'open sesame'}");
    assert_int_equal(json_array_size(json_object_get(h.last.body, "list")), 1);
}

static void test_without_an_admin_key_none_is_looked_at(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'create','room':5,'admin_key':5,'is_private':true}");
    expect_sync(&h, "{'videoroom':'created','room':5,'permanent':false}");
    fake_admin(&h, "{'request':'list','admin_key':'x'}");
    assert_int_equal(json_array_size(json_object_get(h.last.body, "list")), 1);
}

/* ---- secrets ---- */

static void test_a_secret_guards_what_manages(void **state)
{
    (void)state;
    static const char *const requests[] = {"'request':'edit'", "'request':'kick','id':7", "'request':'moderate','id':7,'mid':'0','mute':true",
                                           "'request':'allowed','action':'disable'", "'request':'destroy'"};
    room_create(5, "'secret':'adminpwd'");      /* a secret given now is the room's own, whatever sample files say */
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        fake_admin(&h, "{%s,'room':5}", requests[i]);
        expect_error_text(&h, NOBODY, 429, "Missing mandatory element (secret)");
        fake_admin(&h, "{%s,'room':5,'secret':1}", requests[i]);
        expect_error_text(&h, NOBODY, 430, "Invalid element type (secret should be a string)");
        fake_admin(&h, "{%s,'room':5,'secret':'adminpw'}", requests[i]);
        expect_error_text(&h, NOBODY, 433, "Unauthorized (wrong secret)");
        fake_admin(&h, "{%s,'room':5,'secret':'adminpwd'}", requests[i]);
        if (i == 1 || i == 2)
            expect_error_text(&h, NOBODY, 428, "No such user 7 in room 5");
        else
            assert_null(json_object_get(h.last.body, "error_code"));
    }
    fake_admin(&h, "{'request':'exists','room':5}");
    expect_sync(&h, "{'videoroom':'success','room':5,'exists':false}");
}

static void test_no_secret_is_needed_where_none_is_set(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'edit','room':1234,'secret':'anything'}");
    expect_sync(&h, "{'videoroom':'edited','room':1234,'permanent':false}");
    fake_admin(&h, "{'request':'listparticipants','room':1234,'secret':5}");
    expect_sync(&h, "{'videoroom':'participants','room':1234,'participants':[]}");
}

/* ---- edit, destroy ---- */

static void test_edit_changes_what_it_names(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'edit','room':1234,'new_description':'New','new_is_private':false,'new_secret':'s','new_pin':'p','new_require_pvtid':true,"
                   "'new_bitrate':5,'new_fir_freq':70000,'new_publishers':9,'new_lock_record':true,'new_rec_dir':'/r','permanent':false}");
    expect_sync(&h, "{'videoroom':'edited','room':1234,'permanent':false}");
    const json_t *room = listed(1234);
    assert_string_equal(json_string_value(json_object_get(room, "description")), "New");
    assert_true(json_is_true(json_object_get(room, "pin_required")));
    assert_true(json_is_true(json_object_get(room, "require_pvtid")));
    assert_int_equal(fake_int(room, "bitrate"), 64000);
    assert_int_equal(fake_int(room, "fir_freq"), 65535);
    assert_int_equal(fake_int(room, "max_publishers"), 9);
    assert_true(json_is_true(json_object_get(room, "lock_record")));
    assert_string_equal(json_string_value(json_object_get(room, "rec_dir")), "/r");

    fake_admin(&h, "{'request':'edit','room':1234,'new_secret':'','new_pin':'','new_description':'','new_rec_dir':''}");
    expect_error(&h, NOBODY, 429);                          /* the new secret counts already */
    fake_admin(&h, "{'request':'edit','room':1234,'secret':'s','new_secret':'','new_pin':'','new_description':'','new_bitrate':0}");
    expect_sync(&h, "{'videoroom':'edited','room':1234,'permanent':false}");
    room = listed(1234);
    assert_string_equal(json_string_value(json_object_get(room, "description")), "New");
    assert_true(json_is_true(json_object_get(room, "pin_required")));
    assert_int_equal(fake_int(room, "bitrate"), 0);
    fake_admin(&h, "{'request':'edit','room':1234,'secret':'s','new_is_private':true}");
    assert_null(listed(1234));
}

static void test_edit_checks_its_fields(void **state)
{
    (void)state;
    static const char *const wrong[] = {"'secret':1",         "'new_description':1",  "'new_is_private':1", "'new_secret':1",     "'new_pin':1",       "'new_require_pvtid':1",
                                        "'new_bitrate':-1",   "'new_fir_freq':-1",    "'new_publishers':-1", "'new_lock_record':1", "'new_rec_dir':1", "'permanent':1"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        fake_admin(&h, "{'request':'edit','room':1234,%s}", wrong[i]);
        expect_error(&h, NOBODY, 430);
    }
    fake_admin(&h, "{'request':'edit','room':1234,'new_description':'X','permanent':true}");
    expect_error_text(&h, NOBODY, 499, "No configuration file, can't edit room permanently");
    assert_string_equal(json_string_value(json_object_get(listed(1234), "description")), "Room 1234");
    fake_admin(&h, "{'request':'destroy','room':1234,'permanent':true}");
    expect_error_text(&h, NOBODY, 499, "No configuration file, can't destroy room permanently");
    fake_admin(&h, "{'request':'destroy','room':1234,'permanent':1}");
    expect_error(&h, NOBODY, 430);
    assert_non_null(listed(1234));
}

/* Participants are told and their media ends; viewers hear nothing; nobody `leaves`. */
static void test_a_destroyed_room_tells_its_participants(void **state)
{
    (void)state;
    uint32_t active = publisher(1), passive = guest(2, NULL), seen = watcher("[{'feed':1}]"), other = fake_attach(&h);
    assert_true(fake_sinks_alive(&h) == 2);
    fake_say(&h, passive, "{'request':'destroy','room':1234}");
    expect_sync(&h, "{'videoroom':'destroyed','room':1234,'permanent':false}");
    expect_told(&h, active, "{'videoroom':'destroyed','room':1234}");
    expect_told(&h, passive, "{'videoroom':'destroyed','room':1234}");
    assert_false(fake_source(&h, active, 0)->active);
    fake_turn(&h);
    assert_false(h.handles[active].has_pc);
    assert_true(h.handles[seen].has_pc);
    expect_nothing(&h);

    /* Its name is free at once, and old handles have no part in the new room. */
    room_create(1234, NULL);
    fake_say(&h, passive, "{'request':'publish'}");
    expect_error_text(&h, passive, 426, "No such room");
    fake_say(&h, passive, "{'request':'join','room':1234,'ptype':'publisher'}");
    expect_error_text(&h, passive, 425, "Not in a room (create a new handle)");
    fake_say(&h, seen, "{'request':'pause'}");
    expect_error(&h, seen, 426);
    fake_say(&h, other, "{'request':'join','room':1234,'ptype':'publisher','id':1}");
    expect_reply(&h, other, "{'videoroom':'joined','room':1234,'description':'Room 1234','id':1,'private_id':'*','publishers':[]}");
    fake_detach(&h, active);
    fake_detach(&h, passive);
    fake_detach(&h, seen);
    expect_nothing(&h);
}

/* ---- allowed ---- */

static void test_the_access_list(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'allowed','room':1234,'action':'add','allowed':['a','b','a']}");
    expect_sync(&h, "{'videoroom':'success','room':1234,'allowed':['a','b']}");
    fake_admin(&h, "{'request':'allowed','room':1234,'action':'Remove','allowed':['a','zz']}");
    expect_sync(&h, "{'videoroom':'success','room':1234,'allowed':['b']}");
    fake_admin(&h, "{'request':'allowed','room':1234,'action':'add'}");
    expect_sync(&h, "{'videoroom':'success','room':1234,'allowed':['b']}");
    uint32_t before = guest(1, NULL);                       /* the list alone closes nothing */
    fake_admin(&h, "{'request':'allowed','room':1234,'action':'enable'}");
    expect_sync(&h, "{'videoroom':'success','room':1234,'allowed':['b']}");
    uint32_t me = fake_attach(&h);
    static const char *const refused[] = {"", ",'token':'a'", ",'token':''", ",'token':'bb'"};
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        fake_say(&h, me, "{'request':'join','room':1234,'ptype':'publisher'%s}", refused[i]);
        expect_error_text(&h, me, 433, "Unauthorized (not in the allowed list)");
    }
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'publisher','token':'b','id':2}");
    expect_reply(&h, me, "{'videoroom':'joined','room':1234,'description':'Room 1234','id':2,'private_id':'*','publishers':[]}");
    fake_admin(&h, "{'request':'allowed','room':1234,'action':'disable'}");
    expect_sync(&h, "{'videoroom':'success','room':1234}");
    (void)guest(3, NULL);
    fake_admin(&h, "{'request':'allowed','room':1234,'action':'enable','allowed':['c']}");
    expect_sync(&h, "{'videoroom':'success','room':1234,'allowed':['b']}");      /* kept; others are not added by this */
    publish(before, offer_av(), NULL);
    (void)viewer("[{'feed':1}]");                           /* viewers are not asked */
}

static void test_an_empty_list_lets_nobody_in(void **state)
{
    (void)state;
    room_create(5, "'allowed':[]");
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','token':''}");
    expect_error(&h, me, 433);
}

static void test_the_access_list_checks_in_order(void **state)
{
    (void)state;
    room_create(5, "'secret':'s'");
    fake_admin(&h, "{'request':'allowed','room':5}");
    expect_error_text(&h, NOBODY, 429, "Missing mandatory element (action)");
    fake_admin(&h, "{'request':'allowed','room':5,'action':1}");
    expect_error_text(&h, NOBODY, 430, "Invalid element type (action should be a string)");
    fake_admin(&h, "{'request':'allowed','room':5,'action':'x','allowed':'y'}");
    expect_error_text(&h, NOBODY, 430, "Invalid element type (allowed should be an array)");
    fake_admin(&h, "{'request':'allowed','room':5,'action':'dance'}");
    expect_error_text(&h, NOBODY, 430, "Unsupported action 'dance' (allowed)");
    fake_admin(&h, "{'request':'allowed','room':9,'action':'dance'}");
    expect_error_text(&h, NOBODY, 430, "Unsupported action 'dance' (allowed)");
    fake_admin(&h, "{'request':'allowed','room':9,'action':'add'}");
    expect_error_text(&h, NOBODY, 426, "No such room (9)");
    fake_admin(&h, "{'request':'allowed','room':5,'action':'add','allowed':[1]}");
    expect_error(&h, NOBODY, 429);
    fake_admin(&h, "{'request':'allowed','room':5,'secret':'s','action':'add','allowed':['a',1]}");
    expect_error_text(&h, NOBODY, 430, "Invalid element in the allowed array (not a string)");
    fake_admin(&h, "{'request':'allowed','room':5,'secret':'s','action':'remove','allowed':[1]}");
    expect_error(&h, NOBODY, 430);
    fake_admin(&h, "{'request':'allowed','room':5,'secret':'s','action':'add','allowed':[]}");
    expect_sync(&h, "{'videoroom':'success','room':5,'allowed':[]}");
}

/* Ten thousand tokens are kept, and no more; comparing them takes no time worth speaking of. */
static void test_the_access_list_has_an_end(void **state)
{
    (void)state;
    const unsigned most = 10000;
    const clock_t began = clock();
    char *text = malloc(most * 12 + 64);
    size_t at = (size_t)sprintf(text, "{'request':'allowed','room':1234,'action':'add','allowed':[");
    for (unsigned i = 0; i < most; i++)
        at += (size_t)sprintf(text + at, "%s'%u'", i == 0 ? "" : ",", i);
    sprintf(text + at, "]}");
    for (unsigned round = 0; round < 20; round++) {         /* again and again: all of them are there already */
        fake_admin(&h, "%s", text);
        assert_int_equal(json_array_size(json_object_get(h.last.body, "allowed")), most);
    }
    fake_admin(&h, "{'request':'allowed','room':1234,'action':'add','allowed':['one more']}");
    expect_error(&h, NOBODY, 430);
    fake_admin(&h, "{'request':'allowed','room':1234,'action':'remove','allowed':['77']}");
    assert_int_equal(json_array_size(json_object_get(h.last.body, "allowed")), most - 1);
    fake_admin(&h, "{'request':'allowed','room':1234,'action':'add','allowed':['one more']}");
    assert_int_equal(json_array_size(json_object_get(h.last.body, "allowed")), most);
    at = (size_t)sprintf(text, "{'request':'create','room':5,'allowed':[");
    for (unsigned i = 0; i <= most; i++)
        at += (size_t)sprintf(text + at, "%s'%u'", i == 0 ? "" : ",", i);
    sprintf(text + at, "]}");
    fake_admin(&h, "%s", text);
    expect_error(&h, NOBODY, 430);
    assert_null(listed(5));
    free(text);
    assert_true(clock() - began < 5 * CLOCKS_PER_SEC);
}

/* ---- kick, moderate, listparticipants ---- */

static void test_who_is_kicked_is_out_for_good(void **state)
{
    (void)state;
    uint32_t bob = guest(77, "'display':'Bob','metadata':{'a':1}"), ann = guest(1, NULL), seen;
    publish(bob, offer_av(), NULL);
    seen = watcher("[{'feed':77}]");
    fake_say(&h, ann, "{'request':'kick','room':1234,'id':77}");
    expect_sync(&h, "{'videoroom':'success'}");
    expect_told(&h, bob, "{'videoroom':'event','room':1234,'leaving':'ok','reason':'kicked'}");
    expect_told(&h, ann, "{'videoroom':'event','room':1234,'kicked':77,'display':'Bob','metadata':{'a':1}}");
    expect_nothing(&h);
    fake_turn(&h);
    assert_false(h.handles[bob].has_pc);
    expect_nothing(&h);                                     /* no offer for viewers, no `unpublished` */
    fake_say(&h, bob, "{'request':'configure','bitrate':1}");
    expect_error_text(&h, bob, 426, "No such room");
    fake_say(&h, bob, "{'request':'join','room':1234,'ptype':'publisher'}");
    expect_error_text(&h, bob, 425, "Not in a room (create a new handle)");
    fake_say(&h, ann, "{'request':'kick','room':1234,'id':77}");
    expect_error_text(&h, NOBODY, 428, "No such user 77 in room 1234");
    uint32_t again = guest(77, NULL);                       /* the id is free */
    fake_detach(&h, bob);
    expect_nothing(&h);
    fake_say(&h, seen, "{'request':'unsubscribe','streams':[{'sub_mid':'0'}]}");
    expect_reply(&h, seen, "{'videoroom':'updated','room':1234,'streams':'*'}");
    (void)again;
}

/* With require_pvtid a viewer's media ends with who let it in. */
static void test_who_is_kicked_takes_its_viewers_media_along(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'edit','room':1234,'new_require_pvtid':true}");
    uint32_t source = publisher(1), owner = fake_attach(&h), seen = fake_attach(&h);
    fake_say(&h, owner, "{'request':'join','room':1234,'ptype':'publisher','id':2}");
    int64_t private_id = fake_int(fake_hear(&h, owner)->data, "private_id");
    fake_say(&h, seen, "{'request':'join','room':1234,'ptype':'subscriber','streams':[{'feed':1}],'private_id':%lld}", (long long)private_id);
    assert_non_null(fake_hear(&h, seen));
    fake_answer(&h, seen, "start");
    fake_up(&h, seen);
    assert_false(fake_sink(&h, seen, 0)->options.paused);
    fake_admin(&h, "{'request':'kick','room':1234,'id':2}");
    fake_turn(&h);
    fake_forget(&h);
    assert_true(h.handles[seen].up);
    assert_true(fake_sink(&h, seen, 0)->options.paused);
    fake_say(&h, seen, "{'request':'start'}");
    expect_reply(&h, seen, "{'videoroom':'event','room':1234,'started':'ok'}");
    assert_true(fake_sink(&h, seen, 0)->options.paused);
    fake_say(&h, seen, "{'request':'configure','send':true}");
    expect_error_text(&h, seen, 433, "Unauthorized, you have been kicked");
    (void)source;
}

static void test_moderators_mute_streams(void **state)
{
    (void)state;
    uint32_t bob = publisher(77), ann = guest(1, NULL), seen = watcher("[{'feed':77}]");
    fake_say(&h, ann, "{'request':'moderate','room':1234,'id':77,'mid':'1','mute':true}");
    expect_sync(&h, "{'videoroom':'success'}");
    for (unsigned i = 0; i < 2; i++)
        expect_told(&h, i == 0 ? bob : ann, "{'videoroom':'event','room':1234,'id':77,'mid':'1','moderation':'muted'}");
    expect_nothing(&h);
    assert_true(fake_source(&h, bob, 0)->active);
    assert_false(fake_source(&h, bob, 1)->active);
    fake_say(&h, bob, "{'request':'configure','mid':'1','send':true}");      /* its own choice is another one */
    expect_reply(&h, bob, "{'videoroom':'event','room':1234,'configured':'ok'}");
    assert_false(fake_source(&h, bob, 1)->active);
    fake_say(&h, bob, "{'request':'configure','mid':'1','send':false}");
    fake_forget(&h);
    uint32_t keyframes = fake_source(&h, bob, 1)->keyframes;
    fake_admin(&h, "{'request':'moderate','room':1234,'id':77,'mid':'1','mute':false}");
    expect_told(&h, bob, "{'videoroom':'event','room':1234,'id':77,'mid':'1','moderation':'unmuted'}");
    expect_told(&h, ann, "{'videoroom':'event','room':1234,'id':77,'mid':'1','moderation':'unmuted'}");
    assert_false(fake_source(&h, bob, 1)->active);
    assert_int_equal(fake_source(&h, bob, 1)->keyframes, keyframes);
    fake_say(&h, bob, "{'request':'configure','mid':'1','send':true}");
    fake_forget(&h);
    assert_true(fake_source(&h, bob, 1)->active);
    fake_admin(&h, "{'request':'moderate','room':1234,'id':77,'mid':'1','mute':false}");     /* told all the same */
    expect_told(&h, ann, "{'videoroom':'event','room':1234,'id':77,'mid':'1','moderation':'unmuted'}");
    (void)seen;
}

static void test_what_moderate_needs(void **state)
{
    (void)state;
    (void)publisher(77);
    static const struct { const char *fields; int code; const char *text; } bad[] = {
        {"'room':1234", 429, "Missing mandatory element (id)"},
        {"'room':1234,'id':'x'", 430, "Invalid element type (id should be a positive integer)"},
        {"'room':1234,'id':77", 429, "Missing mandatory element (mid)"},
        {"'room':1234,'id':77,'mid':1", 430, "Invalid element type (mid should be a string)"},
        {"'room':1234,'id':77,'mid':'1'", 429, "Missing mandatory element (mute)"},
        {"'room':1234,'id':77,'mid':'1','mute':1", 430, "Invalid element type (mute should be a boolean)"},
        {"'room':1234,'id':77,'secret':1,'mid':1", 430, "Invalid element type (secret should be a string)"},
        {"'room':1234,'id':78,'mid':'1','mute':true", 428, "No such user 78 in room 1234"},
        {"'room':1234,'id':77,'mid':'9','mute':true", 428, "No such stream 9"},
        {"'room':9,'id':77,'mid':'1','mute':true", 426, "No such room (9)"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        fake_admin(&h, "{'request':'moderate',%s}", bad[i].fields);
        expect_error_text(&h, NOBODY, bad[i].code, bad[i].text);
    }
    fake_admin(&h, "{'request':'kick','room':1234}");
    expect_error_text(&h, NOBODY, 429, "Missing mandatory element (id)");
    fake_admin(&h, "{'request':'kick','room':1234,'id':-4}");
    expect_error_text(&h, NOBODY, 430, "Invalid element type (id should be a positive integer)");
    expect_nothing(&h);
}

static void test_participants_are_listed(void **state)
{
    (void)state;
    (void)guest(1, "'display':'Al'");
    (void)publisher(2);
    (void)guest(3, "'metadata':{'x':[1,2]},'display':''");
    (void)viewer("[{'feed':2}]");
    uint32_t asked = fake_attach(&h);
    fake_say(&h, asked, "{'request':'listparticipants','room':1234}");
    expect_sync(&h, "{'videoroom':'participants','room':1234,'participants':[{'id':1,'display':'Al','publisher':false},"
                    "{'id':2,'publisher':true,'talking':false},{'id':3,'display':'','metadata':{'x':[1,2]},'publisher':false}]}");
}

/* Many rooms are listed in turns, over the names as they were: one that goes meanwhile is left out, one that comes is not in it. */
static void test_a_long_list_is_written_in_turns(void **state)
{
    (void)state;
    uint32_t me = fake_attach(&h), other = fake_attach(&h);
    for (uint64_t id = 1; id <= VR_LISTED_A_TURN; id++)
        room_create(10000 + id, NULL);
    fake_say(&h, me, "{'request':'list'}");
    assert_int_equal(h.last.outcome, PLUGIN_WAIT);
    assert_int_equal(fake_end_op(&h, ERR_NONE, NULL)->outcome, PLUGIN_WAIT);        /* the names are taken */
    room_create(20000, NULL);
    fake_say(&h, other, "{'request':'destroy','room':10001}");
    unsigned turns = 1;
    while (fake_end_op(&h, ERR_NONE, NULL)->outcome == PLUGIN_WAIT)
        turns++;
    assert_int_equal(turns, 2);
    const json_t *list = json_object_get(h.last.body, "list"), *room;
    size_t i;
    assert_int_equal(json_array_size(list), VR_LISTED_A_TURN);                      /* 501 with the first, less the one that went */
    json_array_foreach(list, i, room) {
        const json_int_t id = json_integer_value(json_object_get(room, "room"));
        assert_true(id != 20000 && id != 10001);
    }
    for (unsigned n = 0; n < 2; n++) {                                              /* its client goes, or its time is up */
        fake_say(&h, me, "{'request':'list'}");
        fake_end_op(&h, ERR_NONE, NULL);
        fake_end_op(&h, n == 0 ? ERR_GONE : ERR_TIMEOUT, NULL);
        expect_error(&h, UINT32_MAX, 499);
    }
}

/* So many are written at a time; the others begin when one of them has ended. */
static void test_long_lists_wait_for_each_other(void **state)
{
    (void)state;
    uint32_t me[VR_LISTS_MAX + 2];
    for (uint64_t id = 1; id <= VR_LISTED_A_TURN; id++)
        room_create(10000 + id, NULL);
    for (unsigned i = 0; i < ARRAY_COUNT(me); i++) {
        me[i] = fake_attach(&h);
        fake_say(&h, me[i], "{'request':'list'}");
    }
    unsigned answered = 0;
    for (unsigned turns = 0; answered < ARRAY_COUNT(me); turns++) {
        assert_in_range(turns, 0, 100);
        const struct fake_reply *reply = fake_end_op(&h, ERR_NONE, NULL);
        answered += reply->outcome == PLUGIN_SYNC && json_array_size(json_object_get(reply->body, "list")) == VR_LISTED_A_TURN + 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_a_long_list_is_written_in_turns),
        ROOM_TEST(test_long_lists_wait_for_each_other),
        ROOM_TEST(test_requests_without_a_good_verb),
        ROOM_TEST(test_the_admin_api_knows_synchronous_verbs_only),
        ROOM_TEST(test_a_room_must_be_named_rightly),
        ROOM_TEST(test_create_checks_every_field),
        ROOM_TEST(test_create_answers_with_the_id),
        ROOM_TEST(test_a_room_is_listed_with_its_defaults),
        ROOM_TEST(test_a_room_is_listed_with_all_that_it_was_given),
        ROOM_TEST(test_values_of_rooms_have_bounds),
        ROOM_TEST(test_empty_texts_are_kept),
        ROOM_TEST(test_codec_lists),
        ROOM_TEST(test_opus_flags_need_opus),
        ROOM_TEST(test_what_create_will_not_hold),
        BARE_TEST(test_an_admin_key_guards_create),
        ROOM_TEST(test_without_an_admin_key_none_is_looked_at),
        ROOM_TEST(test_a_secret_guards_what_manages),
        ROOM_TEST(test_no_secret_is_needed_where_none_is_set),
        ROOM_TEST(test_edit_changes_what_it_names),
        ROOM_TEST(test_edit_checks_its_fields),
        ROOM_TEST(test_a_destroyed_room_tells_its_participants),
        ROOM_TEST(test_the_access_list),
        ROOM_TEST(test_an_empty_list_lets_nobody_in),
        ROOM_TEST(test_the_access_list_checks_in_order),
        ROOM_TEST(test_the_access_list_has_an_end),
        ROOM_TEST(test_who_is_kicked_is_out_for_good),
        ROOM_TEST(test_who_is_kicked_takes_its_viewers_media_along),
        ROOM_TEST(test_moderators_mute_streams),
        ROOM_TEST(test_what_moderate_needs),
        ROOM_TEST(test_participants_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
