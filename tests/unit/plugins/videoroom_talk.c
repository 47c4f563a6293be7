/* Who talks (videoroom.md 14.4), and the one who never does: the dummy (14.8). */
#include "rooms.h"

static uint32_t join_room(uint64_t room, unsigned id, const char *fields)
{
    uint32_t handle = fake_attach(&h);
    fake_say(&h, handle, "{'request':'join','room':%llu,'ptype':'publisher','id':%u%s}", (unsigned long long)room, id, fields);
    return handle;
}

static void level(uint32_t handle, bool talking, double average)
{
    h.desc->source_level(h.plugin, h.handles[handle].state, fake_source(&h, handle, 0)->ref, talking, average);
}

static void test_talking_is_told_to_all(void **state)
{
    (void)state;
    room_create(7, "'audiolevel_event':true,'audio_active_packets':50,'audio_level_average':30");
    uint32_t me = join_room(7, 1, ""), other = join_room(7, 2, "");
    fake_forget(&h);
    publish(me, offer_av(), NULL);
    assert_int_equal(fake_source(&h, me, 0)->window.packets, 50);
    assert_int_equal(fake_source(&h, me, 0)->window.average, 30);
    fake_forget(&h);
    level(me, true, 21.4);
    expect_told(&h, me, "{'videoroom':'talking','room':7,'id':1,'mindex':0,'mid':'0','audio-level-dBov-avg':21.4}");
    expect_told(&h, other, "{'videoroom':'talking','room':7,'id':1,'mindex':0,'mid':'0','audio-level-dBov-avg':21.4}");
    level(me, true, 20);
    expect_nothing(&h);                         /* no news */
    fake_say(&h, other, "{'request':'listparticipants','room':7}");
    expect_sync(&h, "{'videoroom':'participants','room':7,'participants':[{'id':1,'publisher':true,'talking':true},{'id':2,'publisher':false}]}");
    uint32_t late = join_room(7, 3, "");
    const struct fake_event *joined = fake_hear(&h, late);
    const json_t *publisher_object = json_array_get(json_object_get(joined->data, "publishers"), 0);
    assert_true(json_is_true(json_object_get(publisher_object, "talking")));
    assert_true(json_is_true(json_object_get(json_array_get(json_object_get(publisher_object, "streams"), 0), "talking")));
    fake_forget(&h);
    level(me, false, 90);
    expect_told(&h, other, "{'videoroom':'stopped-talking','room':7,'id':1,'mindex':0,'mid':'0','audio-level-dBov-avg':90.0}");
    h.desc->source_level(h.plugin, h.handles[late].state, fake_source(&h, me, 0)->ref, true, 1);       /* has no such stream */
    expect_silence(&h, other);
}

static void test_windows_are_the_persons_own(void **state)
{
    (void)state;
    room_create(7, "'audiolevel_event':true");
    uint32_t me = join_room(7, 1, ",'audio_active_packets':20,'audio_level_average':60");
    fake_forget(&h);
    publish(me, offer_av(), NULL);
    assert_int_equal(fake_source(&h, me, 0)->window.packets, 20);
    fake_say(&h, me, "{'request':'configure','audio_level_average':70}");
    assert_int_equal(fake_source(&h, me, 0)->window.packets, 20);
    assert_int_equal(fake_source(&h, me, 0)->window.average, 70);
}

static void test_rooms_without_events_ask_for_none(void **state)
{
    (void)state;
    uint32_t me = publisher(1);
    assert_int_equal(fake_source(&h, me, 0)->window.packets, 0);
    fake_forget(&h);
    level(me, true, 1);
    expect_nothing(&h);
}

/* What the Admin API shows of a handle (videoroom.md 17). */
static void test_a_session_can_be_looked_into(void **state)
{
    (void)state;
    struct buf text;
    struct json_out j;
    json_error_t error;
    room_create(7, "'audiolevel_event':true");
    uint32_t me = join_room(7, 1, ",'display':'Al'"), watching = fake_attach(&h);
    fake_forget(&h);
    publish(me, offer_av(), NULL);
    level(me, true, 12.5);
    fake_say(&h, watching, "{'request':'join','room':7,'ptype':'subscriber','streams':[{'feed':1}]}");
    for (unsigned i = 0; i < 2; i++) {
        buf_init(&text, 65536);
        jout_begin(&j, &text, LAYOUT_COMPACT);
        jout_object(&j, NULL);
        h.desc->query(h.plugin, h.handles[i == 0 ? me : watching].state, &j);
        jout_end(&j);
        json_t *seen = json_loadb((const char *)text.data, text.size, 0, &error);
        assert_non_null(seen);
        const json_t *streams = json_object_get(seen, "streams");
        assert_string_equal(json_string_value(json_object_get(seen, "type")), i == 0 ? "publisher" : "subscriber");
        assert_int_equal(json_array_size(streams), 2);
        if (i == 0) {
            assert_true(json_is_true(json_object_get(json_array_get(streams, 0), "talking")));
            assert_int_equal(json_integer_value(json_object_get(json_array_get(streams, 0), "subscribers")), 1);
            assert_true(json_real_value(json_object_get(json_array_get(streams, 0), "audio-level-dBov")) > 12.4);
        } else {
            assert_true(json_is_false(json_object_get(seen, "answered")));
        }
        json_decref(seen);
        buf_fini(&text);
    }
    fake_forget(&h);
}

/* ---- RED for Opus ---- */

static void test_redundant_audio_wraps_opus(void **state)
{
    (void)state;
    room_create(7, "'audiocodec':'red,opus'");
    uint32_t me = join_room(7, 1, ""), watching = fake_attach(&h);
    const struct offer_line line = {.kind = "audio", .mid = "0", .direction = "sendonly", .codecs = "opus red", .fmtp = "minptime=10;useinbandfec=1"};
    fake_forget(&h);
    publish(me, offer_of(&line, 1), NULL);
    fake_say(&h, watching, "{'request':'join','room':7,'ptype':'subscriber','streams':[{'feed':1}]}");
    const struct fake_event *attached = fake_hear(&h, watching);
    assert_true(line_has(attached->sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 120 111"));
    assert_true(line_has(attached->sdp, 0, "a=rtpmap:120 red/48000/2"));
    assert_true(line_has(attached->sdp, 0, "a=fmtp:120 111/111"));
    fake_answer(&h, watching, "start");
    fake_up(&h, watching);
    assert_int_equal(fake_sink(&h, watching, 0)->options.pt, 111);
    assert_int_equal(fake_sink(&h, watching, 0)->options.red_pt, 120);
    fake_forget(&h);
}

/* Who offers no RED gets plain Opus, by the next codec of the room. */
static void test_without_red_there_is_opus(void **state)
{
    (void)state;
    room_create(7, "'audiocodec':'red,opus'");
    uint32_t me = join_room(7, 1, "");
    const struct offer_line line = {.kind = "audio", .mid = "0", .direction = "sendonly", .codecs = "opus", .fmtp = "useinbandfec=1"};
    fake_forget(&h);
    publish(me, offer_of(&line, 1), NULL);
    fake_say(&h, me, "{'request':'listparticipants','room':7}");
    assert_true(fake_source(&h, me, 0) != NULL);
}

/* ---- the dummy ---- */

#define DUMMY "'display':'Dummy publisher'"

static void test_a_dummy_is_there_for_all_codecs_of_its_room(void **state)
{
    (void)state;
    room_create(7, "'dummy_publisher':true,'publishers':1,'audiocodec':'opus,pcmu','videocodec':'h264,vp8','h264_profile':'42e01f'");
    uint32_t me = join_room(7, 1, "");
    expect_reply(&h, me, "{'videoroom':'joined','room':7,'description':'Room 7','id':1,'private_id':'*','publishers':[{'id':'*'," DUMMY ",'dummy':true,"
                         "'audio_codec':'opus','video_codec':'h264','streams':[{'type':'audio','mindex':0,'mid':'0','codec':'opus'},"
                         "{'type':'audio','mindex':1,'mid':'1','codec':'pcmu'},{'type':'video','mindex':2,'mid':'2','codec':'h264','h264_profile':'42e01f'},"
                         "{'type':'video','mindex':3,'mid':'3','codec':'vp8'}]}]}");
    fake_forget(&h);
    publish(me, offer_av(), NULL);              /* the one place is not taken by it */
    fake_say(&h, me, "{'request':'listparticipants','room':7}");
    const json_t *list = json_object_get(h.last.body, "participants"), *dummy = json_array_get(list, 0);
    assert_true(json_is_true(json_object_get(dummy, "dummy")) && json_is_true(json_object_get(dummy, "publisher")));
    const long long id = json_integer_value(json_object_get(dummy, "id"));
    fake_say(&h, me, "{'request':'kick','room':7,'id':%lld}", id);
    expect_sync(&h, "{'videoroom':'event','error_code':428,'error':'Can\\u0027t kick dummy users'}");

    /* A place that is kept, and filled by `switch`. */
    uint32_t viewer_handle = fake_attach(&h);
    fake_say(&h, viewer_handle, "{'request':'join','room':7,'ptype':'subscriber','streams':[{'feed':%lld,'mid':'2'}]}", id);
    fake_forget(&h);
    fake_answer(&h, viewer_handle, "start");
    fake_up(&h, viewer_handle);
    fake_forget(&h);
    fake_say(&h, viewer_handle, "{'request':'switch','streams':[{'feed':1,'mid':'1','sub_mid':'0'}]}");
    assert_true(line_is_fed_by(me, 1, viewer_handle, 0));
}

static void test_listed_streams_alone_are_there(void **state)
{
    (void)state;
    room_create(7, "'dummy_publisher':true,'videocodec':'vp8,vp9','opus_dtx':true,'dummy_streams':[{'codec':'vp9','fmtp':'profile-id=2'},{'codec':'opus','fmtp':'usedtx=1;stereo=1'},"
                   "{'codec':'av1'},{'codec':5},5,{'codec':'vp8','fmtp':7}]");
    uint32_t me = join_room(7, 1, "");
    expect_reply(&h, me, "{'videoroom':'joined','room':7,'description':'Room 7','id':1,'private_id':'*','publishers':[{'id':'*'," DUMMY ",'dummy':true,"
                         "'audio_codec':'opus','video_codec':'vp9','streams':[{'type':'video','mindex':0,'mid':'0','codec':'vp9','vp9_profile':'2'},"
                         "{'type':'audio','mindex':1,'mid':'1','codec':'opus','stereo':true,'dtx':true}]}]}");
    fake_say(&h, me, "{'request':'destroy','room':7}");
    expect_sync(&h, "{'videoroom':'destroyed','room':7,'permanent':false}");
}

static void test_a_room_of_the_file_has_one_too(void **state)
{
    (void)state;
    rooms_start("general: {}\nroom-7: { dummy_publisher = true\n dummy_e2ee = true\n dummy_streams = ( { codec = \"vp8\" } )\n threads = 3 }\n");
    uint32_t me = join_room(7, 1, "");
    expect_reply(&h, me, "{'videoroom':'joined','room':7,'description':'room-7','id':1,'private_id':'*','publishers':[{'id':'*'," DUMMY ",'dummy':true,"
                         "'video_codec':'vp8','streams':[{'type':'video','mindex':0,'mid':'0','codec':'vp8'}]}]}");
    assert_non_null(strstr(h.last_log, "threads"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_talking_is_told_to_all),
        ROOM_TEST(test_windows_are_the_persons_own),
        ROOM_TEST(test_rooms_without_events_ask_for_none),
        ROOM_TEST(test_a_session_can_be_looked_into),
        ROOM_TEST(test_redundant_audio_wraps_opus),
        ROOM_TEST(test_without_red_there_is_opus),
        ROOM_TEST(test_a_dummy_is_there_for_all_codecs_of_its_room),
        ROOM_TEST(test_listed_streams_alone_are_there),
        BARE_TEST(test_a_room_of_the_file_has_one_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
