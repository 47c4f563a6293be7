/* Recordings of the VideoRoom: videoroom.md 15, 5.10, and `record` and `filename` of 9. */
#include <string.h>

#include "base/str.h"
#include "rooms.h"

static void expect_count(uint32_t count)
{
    assert_int_equal(fake_recordings(&h), count);
}

static void configure(uint32_t handle, const char *fields)
{
    fake_say(&h, handle, "{'request':'configure',%s}", fields);
    expect_reply(&h, handle, "{" EVENT ",'configured':'ok'}");
}

static void test_a_room_that_records_records_each_stream(void **state)
{
    (void)state;
    room_create(5, "'record':true,'rec_dir':'/rec'");
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','id':7}");
    fake_forget(&h);
    (void)say_offer(me, "{'request':'publish','descriptions':[{'mid':'1','description':'the door'}]}", offer_av());
    fake_forget(&h);
    expect_count(0);                                    /* not before the media is up */
    fake_up(&h, me);
    expect_count(2);
    const struct fake_recording *audio = fake_recording(&h, "videoroom-5-user-7-1800000000"), *video = &h.recordings[1];
    assert_non_null(audio);
    assert_true(str_starts(str_of(video->name), STR("videoroom-5-user-7-1800000000")));
    assert_non_null(strstr(audio->name, "-audio-0"));
    assert_non_null(strstr(video->name, "-video-1"));
    assert_string_equal(video->folder, "/rec");
    assert_int_equal(audio->pt, 111);
    assert_int_equal(video->pt, 96);
    assert_true(video->orientation);
    assert_false(audio->orientation);
    assert_string_equal(video->description, "the door");
    fake_hangup(&h, me);
    expect_count(0);
}

static void test_who_configures_is_recorded_under_its_name(void **state)
{
    (void)state;
    uint32_t me = publisher(1);
    fake_forget(&h);
    configure(me, "'record':true,'filename':'/tmp/me'");
    assert_non_null(fake_recording(&h, "/tmp/me-audio-0"));
    assert_non_null(fake_recording(&h, "/tmp/me-video-1"));
    assert_string_equal(h.recordings[0].folder, "");
    configure(me, "'record':true");                     /* goes on */
    assert_int_equal(h.recording_count, 2);
    configure(me, "'record':false");
    expect_count(0);
    configure(me, "'record':true,'filename':''");       /* no name of its own any more */
    assert_non_null(fake_recording(&h, "videoroom-1234-user-1-"));
    fake_hangup(&h, me);
    expect_count(0);
    fake_forget(&h);
    publish(me, offer_av(), NULL);
    expect_count(0);                                    /* forgotten with the media */
}

static void test_asked_for_with_the_offer(void **state)
{
    (void)state;
    uint32_t me = fake_attach(&h);
    const struct fake_say say = {.jsep = "offer", .sdp = offer_av()};
    fake_say_jsep(&h, me, &say, "{'request':'joinandconfigure','room':1234,'ptype':'publisher','id':3,'record':true,'filename':'j'}");
    fake_up(&h, me);
    assert_non_null(fake_recording(&h, "j-video-1"));
    expect_count(2);
    fake_forget(&h);
    fake_say(&h, me, "{'request':'unpublish'}");
    expect_count(0);
    fake_turn(&h);
    fake_forget(&h);
}

/* A stream that is added is recorded too; one that is rejected is not any more. */
static void test_a_renegotiation(void **state)
{
    (void)state;
    static const struct offer_line lines[] = {{.kind = "audio", .mid = "0", .codecs = "opus"}, {.kind = "video", .mid = "1", .codecs = "vp8"}};
    uint32_t me = publisher_of(1, offer_of(lines, 1), "'record':true,'filename':'r'");
    expect_count(1);
    fake_forget(&h);
    (void)say_offer(me, "{'request':'configure'}", offer_of(lines, 2));
    expect_count(2);
    fake_say(&h, me, "{'request':'leave'}");
    expect_count(0);
    fake_forget(&h);
}

static void test_lock_record_asks_for_the_secret(void **state)
{
    (void)state;
    room_create(5, "'lock_record':true,'secret':'key'");
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','id':7}");
    fake_forget(&h);
    publish(me, offer_av(), NULL);
    static const char *const wrong[] = {"'record':true", "'record':true,'secret':'no'", "'filename':'x','secret':''"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        fake_say(&h, me, "{'request':'configure',%s}", wrong[i]);
        expect_reply(&h, me, "{'videoroom':'event','room':5,'configured':'ok'}");       /* not a word about it */
        expect_count(0);
    }
    fake_say(&h, me, "{'request':'configure','record':true,'filename':'mine','secret':'key'}");
    expect_reply(&h, me, "{'videoroom':'event','room':5,'configured':'ok'}");
    assert_non_null(fake_recording(&h, "mine-audio-0"));
    fake_say(&h, me, "{'request':'configure','record':false}");
    expect_reply(&h, me, "{'videoroom':'event','room':5,'configured':'ok'}");
    expect_count(2);
    /* joining with it is no way around */
    uint32_t other = fake_attach(&h);
    const struct fake_say say = {.jsep = "offer", .sdp = offer_av()};
    fake_say_jsep(&h, other, &say, "{'request':'joinandconfigure','room':5,'ptype':'publisher','id':8,'record':true}");
    fake_up(&h, other);
    expect_count(2);
    fake_forget(&h);
}

static void test_enable_recording(void **state)
{
    (void)state;
    room_create(5, "'secret':'key'");
    uint32_t me = fake_attach(&h), late = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','id':7}");
    fake_say(&h, late, "{'request':'join','room':5,'ptype':'publisher','id':8}");
    fake_forget(&h);
    publish(me, offer_av(), NULL);
    fake_say(&h, me, "{'request':'enable_recording','room':5,'secret':'key'}");
    expect_error(&h, UINT32_MAX, 429);
    fake_say(&h, me, "{'request':'enable_recording','room':5,'secret':'key','record':1}");
    expect_error(&h, UINT32_MAX, 430);
    fake_say(&h, me, "{'request':'enable_recording','room':5,'record':true}");
    expect_error(&h, UINT32_MAX, 429);
    fake_say(&h, me, "{'request':'enable_recording','room':5,'record':true,'secret':'no'}");
    expect_error(&h, UINT32_MAX, 433);
    fake_say(&h, me, "{'request':'enable_recording','room':6,'record':true}");
    expect_error(&h, UINT32_MAX, 426);
    expect_count(0);
    fake_say(&h, me, "{'request':'enable_recording','room':5,'record':true,'secret':'key'}");
    expect_sync(&h, "{'videoroom':'success','record':true}");
    expect_count(2);
    fake_say(&h, me, "{'request':'enable_recording','room':5,'record':true,'secret':'key'}");
    assert_int_equal(h.recording_count, 2);             /* the same value: nothing */
    publish(late, offer_av(), NULL);
    expect_count(4);
    fake_say(&h, me, "{'request':'enable_recording','room':5,'record':false,'secret':'key'}");
    expect_sync(&h, "{'videoroom':'success','record':false}");
    expect_count(0);
    fake_forget(&h);
}

/* Told to who is recorded; the call goes on; not tried again until it is asked for anew. */
static void test_a_recording_that_breaks(void **state)
{
    (void)state;
    uint32_t me = publisher(1), other = guest(2, NULL);
    fake_forget(&h);
    configure(me, "'record':true,'filename':'b'");
    fake_break_recording(&h, "b-video-1", "No space left on device");
    expect_told(&h, me, "{" EVENT ",'id':1,'mid':'1','recording':'failed','reason':'No space left on device'}");
    expect_silence(&h, other);
    expect_count(1);
    configure(me, "'bitrate':128000");
    assert_int_equal(h.recording_count, 2);
    configure(me, "'record':false");
    configure(me, "'record':true");
    expect_count(2);
    h.refuse_recording = true;                          /* refused at once: silently, the core has said it in the log */
    configure(me, "'record':false");
    configure(me, "'record':true");
    expect_count(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_a_room_that_records_records_each_stream),
        ROOM_TEST(test_who_configures_is_recorded_under_its_name),
        ROOM_TEST(test_asked_for_with_the_offer),
        ROOM_TEST(test_a_renegotiation),
        ROOM_TEST(test_lock_record_asks_for_the_secret),
        ROOM_TEST(test_enable_recording),
        ROOM_TEST(test_a_recording_that_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
