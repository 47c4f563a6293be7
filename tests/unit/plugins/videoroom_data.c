/* Data streams: one line for all sources, a channel for each (videoroom.md 10.1, 10.5, 13.3, 14.10). */
#include "rooms.h"

static const struct offer_line audio_data[] = {{.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "opus"},
                                               {.kind = "application", .mid = "1"}};

static uint32_t data_publisher(unsigned id)
{
    return publisher_of(id, offer_of(audio_data, 2), NULL);
}

static uint32_t data_only(unsigned id)
{
    return publisher_of(id, offer_of(&audio_data[1], 1), NULL);
}

#define DATA(index, ready, count, ids)                                                                                            \
    LINE("data", index) "'ready':" #ready ",'send':true,'sources':" #count ",'source_ids':[" ids "]}"

static bool data_is_fed_by(uint32_t from, uint16_t mindex, uint32_t to, const char *label)
{
    const struct fake_sink *sink = fake_data_sink(&h, to, label);
    const struct fake_source *source = fake_source(&h, from, mindex);
    return sink != NULL && source != NULL && ref_equal(sink->source, source->ref);
}

static void test_a_data_line_is_offered_and_fed(void **state)
{
    (void)state;
    uint32_t bob = data_publisher(77), me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','streams':[{'feed':77}]}");
    const struct fake_event *event = expect_offer(me, "{" ATTACHED ",'streams':[" AUDIO(0, 77, false) "," DATA(1, false, 1, "77") "]}");
    assert_true(line_has(event->sdp, 1, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"));
    assert_true(line_has(event->sdp, 1, "a=sctp-port:5000"));
    assert_true(line_has(event->sdp, 1, "a=sendonly"));
    assert_null(fake_data_sink(&h, me, "77"));
    watcher_starts(me);
    assert_true(data_is_fed_by(bob, 1, me, "77"));
    assert_false(fake_data_sink(&h, me, "77")->options.paused);
}

static void test_all_sources_share_one_line(void **state)
{
    (void)state;
    uint32_t one = data_only(1), two = data_publisher(2), me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','streams':[{'feed':1},{'feed':2},{'feed':1,'mid':'0'}]}");
    expect_offer(me, "{" ATTACHED ",'streams':[" DATA(0, false, 2, "1,2") "," AUDIO(1, 2, false) "]}");
    watcher_starts(me);
    assert_true(data_is_fed_by(one, 0, me, "1") && data_is_fed_by(two, 1, me, "2"));
    assert_int_equal(fake_sinks_alive(&h), 3);
}

static void test_another_source_needs_no_offer(void **state)
{
    (void)state;
    (void)data_only(1);
    uint32_t two = data_only(2), me = watcher("[{'feed':1}]");
    fake_say(&h, me, "{'request':'subscribe','streams':[{'feed':2}]}");
    expect_reply(&h, me, "{" UPDATED "}");
    assert_true(data_is_fed_by(two, 0, me, "2"));
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'feed':1}]}");
    expect_reply(&h, me, "{" UPDATED "}");
    assert_null(fake_data_sink(&h, me, "1"));
    assert_non_null(fake_data_sink(&h, me, "2"));
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'sub_mid':'0'}]}");      /* named like that it counts */
    expect_offer(me, "{" UPDATED ",'streams':[{'type':'data','active':true,'mindex':0,'mid':'0','ready':true,'send':true}]}");
    assert_null(fake_data_sink(&h, me, "2"));
}

static void test_the_line_comes_with_the_first_source(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t two = data_only(2), me = watcher("[{'feed':1}]");
    fake_say(&h, me, "{'request':'subscribe','streams':[{'feed':2}]}");
    const struct fake_event *event = expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," VIDEO(1, 1, true) "," DATA(2, false, 1, "2") "]}");
    assert_true(line_has(event->sdp, 2, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"));
    watcher_starts(me);
    assert_true(data_is_fed_by(two, 0, me, "2"));
}

static void test_pauses_are_for_data_too(void **state)
{
    (void)state;
    (void)data_only(1);
    uint32_t me = watcher("[{'feed':1}]");
    fake_say(&h, me, "{'request':'pause'}");
    assert_true(fake_data_sink(&h, me, "1")->options.paused);
    fake_say(&h, me, "{'request':'start'}");
    assert_false(fake_data_sink(&h, me, "1")->options.paused);
    fake_say(&h, me, "{'request':'configure','data':false}");
    assert_true(fake_data_sink(&h, me, "1")->options.paused);
    fake_say(&h, me, "{'request':'configure','mid':'0','send':true}");
    assert_false(fake_data_sink(&h, me, "1")->options.paused);
}

static void test_a_publisher_may_stop_its_data(void **state)
{
    (void)state;
    uint32_t bob = data_publisher(1);
    fake_say(&h, bob, "{'request':'configure','data':false}");
    assert_false(fake_source(&h, bob, 1)->active);
    fake_say(&h, bob, "{'request':'configure','streams':[{'mid':'1','send':true}]}");
    assert_true(fake_source(&h, bob, 1)->active);
}

static void test_a_source_that_goes_is_no_reason_for_an_offer(void **state)
{
    (void)state;
    uint32_t bob = data_only(1), me = watcher("[{'feed':1}]");
    fake_hangup(&h, bob);
    expect_silence(&h, bob);
    expect_silence(&h, me);
    assert_null(fake_data_sink(&h, me, "1"));
}

static void test_the_viewer_goes_and_comes_again(void **state)
{
    (void)state;
    uint32_t bob = data_only(1), me = watcher("[{'feed':1}]");
    fake_hangup(&h, me);
    assert_null(fake_data_sink(&h, me, "1"));
    fake_say(&h, me, "{'request':'configure','update':true}");
    expect_offer(me, "{" EVENT ",'configured':'ok'}");
    watcher_starts(me);
    assert_true(data_is_fed_by(bob, 0, me, "1"));
    fake_detach(&h, me);
    assert_int_equal(fake_sinks_alive(&h), 0);
}

static void test_a_line_dropped_and_taken_up_again_feeds_as_before(void **state)
{
    (void)state;
    struct offer_line lines[2] = {audio_data[0], audio_data[1]};
    uint32_t bob = data_publisher(1), me = watcher("[{'feed':1}]");
    lines[1].rejected = true;
    say_offer(bob, "{'request':'configure'}", offer_of(lines, 2));
    assert_non_null(fake_data_sink(&h, me, "1"));
    assert_true(ref_is_none(fake_data_sink(&h, me, "1")->source));
    lines[1].rejected = false;
    say_offer(bob, "{'request':'configure'}", offer_of(lines, 2));
    assert_true(data_is_fed_by(bob, 1, me, "1"));
}

static void test_data_is_not_switched(void **state)
{
    (void)state;
    uint32_t bob = data_only(1), me = watcher("[{'feed':1}]");
    (void)data_only(2);
    fake_say(&h, me, "{'request':'switch','streams':[{'feed':2,'mid':'0','sub_mid':'0'}]}");
    expect_reply(&h, me, "{" EVENT ",'switched':'ok','changes':0,'streams':[" DATA(0, true, 1, "1") "]}");
    assert_true(data_is_fed_by(bob, 0, me, "1"));
}

static void test_the_old_way_may_leave_data_out(void **state)
{
    (void)state;
    (void)data_publisher(1);
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','feed':1,'offer_data':false}");
    expect_offer(me, "{" ATTACHED ",'id':1,'warning':'deprecated_api','streams':[" AUDIO(0, 1, false) "]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_a_data_line_is_offered_and_fed),
        ROOM_TEST(test_all_sources_share_one_line),
        ROOM_TEST(test_another_source_needs_no_offer),
        ROOM_TEST(test_the_line_comes_with_the_first_source),
        ROOM_TEST(test_pauses_are_for_data_too),
        ROOM_TEST(test_a_publisher_may_stop_its_data),
        ROOM_TEST(test_a_source_that_goes_is_no_reason_for_an_offer),
        ROOM_TEST(test_the_viewer_goes_and_comes_again),
        ROOM_TEST(test_a_line_dropped_and_taken_up_again_feeds_as_before),
        ROOM_TEST(test_data_is_not_switched),
        ROOM_TEST(test_the_old_way_may_leave_data_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
