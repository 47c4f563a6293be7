/* Subscribers whose lines change: feeds that are added and taken away, lines that are used again, offers that wait: videoroom.md 10.4, 14.5, 19.11. */
#include <stdio.h>

#include "rooms.h"

/* ---- update ---- */

static void test_lists_that_cannot_be(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = watcher("[{'feed':1}]");
    static const struct { const char *body; int code; const char *text; } bad[] = {
        {"'request':'subscribe'", 429, "Missing mandatory element (streams)"},
        {"'request':'subscribe','streams':5", 430, "Invalid element type (streams should be an array)"},
        {"'request':'subscribe','streams':[]", 430, "Empty subscription list"},
        {"'request':'subscribe','streams':[{}]", 429, "Missing mandatory element (feed)"},
        {"'request':'subscribe','streams':[{'feed':9}]", 428, "No such feed (9)"},
        {"'request':'subscribe','streams':[{'feed':1,'mid':'9'}]", 428, "No such mid '9' in feed (1)"},
        {"'request':'subscribe','streams':[{'feed':1,'substream':3}]", 430, "Invalid value (substream/spatial_layer should be 0, 1 or 2)"},
        {"'request':'subscribe','streams':[{'feed':1,'temporal_layer':3}]", 430, "Invalid value (temporal/temporal_layer should be 0, 1 or 2)"},
        {"'request':'unsubscribe'", 429, "Missing mandatory element (streams)"},
        {"'request':'unsubscribe','streams':[]", 430, "Empty unsubscription list"},
        {"'request':'unsubscribe','streams':[{'mid':5}]", 430, "Invalid element type (mid should be a string)"},
        {"'request':'unsubscribe','streams':[{'sub_mid':5}]", 430, "Invalid element type (sub_mid should be a string)"},
        {"'request':'unsubscribe','streams':[{'feed':'x'}]", 430, "Invalid element type (feed should be a positive integer)"},
        {"'request':'update'", 429, "At least one of either 'subscribe' or 'unsubscribe' must be present"},
        {"'request':'update','subscribe':5", 430, "Invalid element type (subscribe should be an array)"},
        {"'request':'update','unsubscribe':5", 430, "Invalid element type (unsubscribe should be an array)"},
        {"'request':'update','subscribe':[]", 430, "Empty subscription list"},
        {"'request':'update','subscribe':[{'feed':1}],'unsubscribe':[]", 430, "Empty unsubscription list"},
        {"'request':'update','subscribe':[{'feed':9}],'unsubscribe':[{'sub_mid':5}]", 430, "Invalid element type (sub_mid should be a string)"},
        {"'request':'update','subscribe':[{'feed':9}],'unsubscribe':[{'sub_mid':'0'}]", 428, "No such feed (9)"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        fake_say(&h, me, "{%s}", bad[i].body);
        expect_error_text(&h, me, bad[i].code, bad[i].text);
    }
    assert_non_null(fake_sink(&h, me, 0));
    assert_false(ref_is_none(fake_sink(&h, me, 0)->source));       /* nothing was done by halves */
}

static void test_feeds_are_added(void **state)
{
    (void)state;
    uint32_t one = publisher(1), two = publisher(2), me = watcher("[{'feed':1}]");
    fake_say(&h, me, "{'request':'subscribe','streams':[{'feed':2,'mid':'1','send':false},{'feed':2,'mid':'0','crossrefid':'x'}]}");
    const struct fake_event *event = expect_offer(me,
        "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," VIDEO(1, 1, true)
        ",{'type':'video','active':true,'mindex':2,'mid':'2','ready':false,'send':false,'feed_id':2,'feed_mid':'1','codec':'vp8'},"
        "{'type':'audio','active':true,'mindex':3,'mid':'3','crossrefid':'x','ready':false,'send':true,'feed_id':2,'feed_mid':'0','codec':'opus'}]}");
    assert_int_equal(line_count(event->sdp), 4);
    assert_true(line_is_fed_by(one, 0, me, 0));                      /* what flows goes on flowing */
    assert_false(line_is_paused(me, 0));
    watcher_starts(me);
    assert_true(line_is_fed_by(two, 1, me, 2) && line_is_fed_by(two, 0, me, 3));
    assert_true(line_is_paused(me, 2) && !line_is_paused(me, 3));
    fake_say(&h, me, "{'request':'update','subscribe':[{'feed':1,'mid':'0'}]}");      /* twice is twice */
    expect_offer(me, "{" UPDATED ",'streams':'*'}");
    watcher_starts(me);
    assert_true(line_is_fed_by(one, 0, me, 0) && line_is_fed_by(one, 0, me, 4));
}

static void test_feeds_are_taken_away(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t two = publisher(2), me = watcher("[{'feed':1},{'feed':2},{'feed':2}]");
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'sub_mid':'9'},{'feed':77},{},{'mid':'0'},{'feed':1,'mid':'7'}]}");
    expect_reply(&h, me, "{" UPDATED "}");                  /* unknown ones are passed over */
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'sub_mid':'1','feed':2}]}");
    const struct fake_event *event = expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," IDLE("video", 1) "," AUDIO(2, 2, true) "," VIDEO(3, 2, true) ","
                                                      AUDIO(4, 2, true) "," VIDEO(5, 2, true) "]}");
    assert_true(line_has(event->sdp, 1, "a=inactive"));
    assert_true(ref_is_none(fake_sink(&h, me, 1)->source));
    watcher_starts(me);
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'feed':2,'mid':'1'}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," IDLE("video", 1) "," AUDIO(2, 2, true) "," IDLE("video", 3) "," AUDIO(4, 2, true) "," IDLE("video", 5) "]}");
    watcher_starts(me);
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'feed':2}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," IDLE("video", 1) "," IDLE("audio", 2) "," IDLE("video", 3) "," IDLE("audio", 4) "," IDLE("video", 5) "]}");
    watcher_starts(me);
    assert_true(line_is_paused(me, 2));
    fake_hangup(&h, two);
    expect_silence(&h, me);                                 /* it is nothing to it any more */
}

/* The first idle line of the kind and codec is used again, its mid stays, and nothing flows before it is answered. */
static void test_lines_are_used_again(void **state)
{
    (void)state;
    room_create(5, "'videocodec':'vp8,h264'");
    uint32_t one = publisher(1), two = publisher(2), me = watcher("[{'feed':1},{'feed':1,'mid':'1','crossrefid':'old','substream':0}]");
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'feed':1,'mid':'1'}]}");
    fake_forget(&h);
    watcher_starts(me);
    fake_say(&h, me, "{'request':'update','subscribe':[{'feed':2,'mid':'1'}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," VIDEO(1, 2, false)
                     ",{'type':'video','active':false,'mindex':2,'mid':'2','crossrefid':'old','ready':false,'send':true}]}");
    assert_true(line_is_paused(me, 1));
    watcher_starts(me);
    assert_true(line_is_fed_by(two, 1, me, 1));
    assert_false(line_is_paused(me, 1));
    fake_say(&h, me, "{'request':'update','subscribe':[{'feed':1,'mid':'1'}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," VIDEO(1, 2, true) "," VIDEO(2, 1, false) "]}");      /* crossrefid and targets are gone */
    watcher_starts(me);
    assert_int_equal(fake_sink(&h, me, 2)->options.substream_target, 2);
    assert_true(line_is_fed_by(one, 1, me, 2));
    fake_say(&h, me, "{'request':'update','unsubscribe':[{'sub_mid':'2'}],'subscribe':[{'feed':2,'mid':'1'}]}");     /* unsubscribing comes first */
    expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," VIDEO(1, 2, true) "," VIDEO(2, 2, false) "]}");
    assert_true(line_is_paused(me, 2));
    watcher_starts(me);
    assert_true(line_is_fed_by(two, 1, me, 2));
}

static void test_a_line_of_another_codec_is_not_used(void **state)
{
    (void)state;
    const struct offer_line h264[] = {{.kind = "video", .direction = "sendonly", .mid = "0", .codecs = "h264"}};
    fake_admin(&h, "{'request':'destroy','room':1234}");
    room_create(1234, "'videocodec':'vp8,h264'");
    (void)publisher(1);
    uint32_t two = publisher_of(2, offer_of(h264, 1), NULL), me = watcher("[{'feed':1,'mid':'1'}]");
    fake_say(&h, me, "{'request':'update','unsubscribe':[{'feed':1}],'subscribe':[{'feed':2}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" IDLE("video", 0) ",{'type':'video','active':true,'mindex':1,'mid':'1','ready':false,'send':true,'feed_id':2,"
                     "'feed_mid':'0','codec':'h264'}]}");
    watcher_starts(me);
    assert_true(line_is_fed_by(two, 0, me, 1));
    assert_int_equal(fake_sink(&h, me, 1)->options.pt, 107);
}

/* One offer at a time; what changes meanwhile is offered together once it is answered. */
static void test_changes_wait_for_the_answer(void **state)
{
    (void)state;
    uint32_t one = publisher(1), two = publisher(2), me = viewer("[{'feed':1}]");
    fake_say(&h, me, "{'request':'subscribe','streams':[{'feed':2}]}");
    assert_string_equal(expect_reply(&h, me, "{'videoroom':'updating','room':1234}")->jsep, "");
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'feed':1,'mid':'0'}]}");
    expect_reply(&h, me, "{'videoroom':'updating','room':1234}");
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'feed':9}]}");
    expect_reply(&h, me, "{" UPDATED "}");                  /* nothing has changed */
    fake_answer(&h, me, "start");
    expect_reply(&h, me, "{" EVENT ",'started':'ok'}");
    const struct fake_event *event = expect_told(&h, me, "{" UPDATED ",'streams':[" ANSWERED_IDLE("audio", 0) "," VIDEO(1, 1, true) "," AUDIO(2, 2, false) "," VIDEO(3, 2, false) "]}");
    assert_string_equal(event->jsep, "offer");
    watcher_starts(me);
    assert_true(line_is_fed_by(one, 1, me, 1) && line_is_fed_by(two, 0, me, 2) && line_is_fed_by(two, 1, me, 3));
    expect_nothing(&h);
}

static void test_what_goes_is_offered_by_itself(void **state)
{
    (void)state;
    uint32_t one = publisher(1), two = publisher(2), me = watcher("[{'feed':1},{'feed':2}]"), still = fake_attach(&h), late = viewer("[{'feed':1},{'feed':2}]");
    fake_say(&h, still, "{'request':'join','room':1234,'ptype':'subscriber','autoupdate':false,'streams':[{'feed':1},{'feed':2}]}");
    fake_forget(&h);
    watcher_starts(still);
    fake_hangup(&h, one);
    const struct fake_event *event = expect_told(&h, me, "{" UPDATED ",'streams':[" IDLE("audio", 0) "," IDLE("video", 1) "," AUDIO(2, 2, true) "," VIDEO(3, 2, true) "]}");
    assert_string_equal(event->jsep, "offer");
    assert_true(line_has(event->sdp, 0, "a=inactive"));
    assert_true(line_has(event->sdp, 2, "a=sendonly"));
    expect_silence(&h, still);
    expect_silence(&h, late);
    fake_forget(&h);
    fake_say(&h, two, "{'request':'unpublish'}");           /* while an offer is out: later */
    fake_turn(&h);
    expect_silence(&h, me);
    fake_answer(&h, me, "start");
    expect_reply(&h, me, "{" EVENT ",'started':'ok'}");
    expect_offer_told(me, "{" UPDATED ",'streams':[" IDLE("audio", 0) "," IDLE("video", 1) "," ANSWERED_IDLE("audio", 2) "," ANSWERED_IDLE("video", 3) "]}");
    fake_answer(&h, late, "start");
    expect_reply(&h, late, "{" EVENT ",'started':'ok'}");
    expect_offer_told(late, "{" UPDATED ",'streams':[" ANSWERED_IDLE("audio", 0) "," ANSWERED_IDLE("video", 1) "," ANSWERED_IDLE("audio", 2) "," ANSWERED_IDLE("video", 3) "]}");
    fake_say(&h, still, "{'request':'unsubscribe','streams':[{'feed':9}]}");        /* any change makes up for what was skipped */
    expect_offer(still, "{" UPDATED ",'streams':[" IDLE("audio", 0) "," IDLE("video", 1) "," IDLE("audio", 2) "," IDLE("video", 3) "]}");
    watcher_starts(still);
    fake_say(&h, still, "{'request':'unsubscribe','streams':[{'feed':9}]}");
    expect_reply(&h, still, "{" UPDATED "}");
    expect_silence(&h, still);
}

/* What a publisher changes by renegotiating is for viewers to ask for. */
static void test_a_renegotiation_offers_nothing(void **state)
{
    (void)state;
    uint32_t one = publisher(1), me = watcher("[{'feed':1}]");
    const struct offer_line more[] = {{.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "opus"},
                                      {.kind = "video", .direction = "sendonly", .mid = "1", .codecs = "vp8"},
                                      {.kind = "video", .direction = "sendonly", .mid = "2", .codecs = "vp8"}};
    say_offer(one, "{'request':'configure'}", offer_of(more, 3));
    fake_forget(&h);
    expect_silence(&h, me);
    assert_true(line_is_fed_by(one, 0, me, 0) && line_is_fed_by(one, 1, me, 1));
    fake_say(&h, me, "{'request':'update','subscribe':[{'feed':1,'mid':'2'}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," VIDEO(1, 1, true)
                     ",{'type':'video','active':true,'mindex':2,'mid':'2','ready':false,'send':true,'feed_id':1,'feed_mid':'2','codec':'vp8'}]}");
    watcher_starts(me);
    assert_true(line_is_fed_by(one, 2, me, 2));
    const struct offer_line less[] = {more[0], {.kind = "video", .rejected = true, .mid = "1", .codecs = "vp8"}, more[2]};
    say_offer(one, "{'request':'configure'}", offer_of(less, 3));
    fake_forget(&h);
    assert_true(ref_is_none(fake_sink(&h, me, 1)->source));
    say_offer(one, "{'request':'configure'}", offer_of(more, 3));
    fake_forget(&h);
    assert_true(line_is_fed_by(one, 1, me, 1));                      /* it is back, and so is its picture */
}

/* A rejected line of a publisher may come back as one of another kind or codec: that is no picture for who watched the old one. */
static void test_a_line_that_becomes_another_feeds_nobody(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'destroy','room':1234}");
    room_create(1234, "'videocodec':'h264,vp8'");
    const struct offer_line first[] = {{.kind = "video", .direction = "recvonly", .rejected = true, .mid = "0", .codecs = "vp8"},
                                       {.kind = "audio", .direction = "sendonly", .mid = "1", .codecs = "opus"}};
    const struct offer_line then[] = {{.kind = "video", .direction = "sendonly", .mid = "0", .codecs = "h264"},
                                      {.kind = "video", .direction = "sendonly", .mid = "1", .codecs = "h264"}};
    uint32_t one = publisher_of(1, offer_of(first, 2), NULL), me = watcher("[{'feed':1}]");
    assert_true(line_is_fed_by(one, 1, me, 1));
    say_offer(one, "{'request':'configure'}", offer_of(then, 2));
    const struct fake_event *event = expect_reply(&h, one, "{" EVENT ",'configured':'ok','video_codec':'h264','streams':["
        "{'type':'video','mindex':0,'mid':'0','codec':'h264','videoorient_ext_id':13,'playoutdelay_ext_id':5},"
        "{'type':'video','mindex':1,'mid':'1','codec':'h264','videoorient_ext_id':13,'playoutdelay_ext_id':5}]}");
    assert_true(line_has(event->sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 102"));
    fake_forget(&h);
    assert_true(ref_is_none(fake_sink(&h, me, 1)->source));
    fake_say(&h, me, "{'request':'update','subscribe':[{'feed':1,'mid':'1'}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" IDLE("video", 0) "," IDLE("audio", 1)
                     ",{'type':'video','active':true,'mindex':2,'mid':'2','ready':false,'send':true,'feed_id':1,'feed_mid':'1','codec':'h264'}]}");
}

static void test_an_offer_that_is_refused_is_made_up_for(void **state)
{
    (void)state;
    uint32_t one = publisher(1), two = publisher(2), me = watcher("[{'feed':1}]");
    h.refuse = ERR_FULL;
    fake_say(&h, me, "{'request':'subscribe','streams':[{'feed':2}]}");
    expect_error_text(&h, me, 437, "Can't offer an SDP for this subscription");
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'feed':9}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," VIDEO(1, 1, true) "," AUDIO(2, 2, false) "," VIDEO(3, 2, false) "]}");
    watcher_starts(me);
    h.refuse = ERR_INVALID;
    fake_say(&h, me, "{'request':'configure','update':true}");
    expect_error(&h, me, 437);
    fake_say(&h, me, "{'request':'configure','update':true}");
    expect_offer(me, "{" EVENT ",'configured':'ok'}");
    watcher_starts(me);
    h.refuse = ERR_FULL;                                    /* nobody asked for this one */
    fake_hangup(&h, two);
    expect_silence(&h, me);
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'feed':9}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," VIDEO(1, 1, true) "," IDLE("audio", 2) "," IDLE("video", 3) "]}");
    (void)one;
}

/* A client that was away when something was offered is offered it with the next change. */
static void test_an_offer_that_nobody_heard_is_made_up_for(void **state)
{
    (void)state;
    uint32_t one = publisher(1), me = watcher("[{'feed':1}]"), lost = fake_attach(&h);
    h.handles[me].gone = true;
    fake_hangup(&h, one);
    fake_forget(&h);
    h.handles[me].gone = false;
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'feed':9}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" IDLE("audio", 0) "," IDLE("video", 1) "]}");
    publish(one, offer_av(), NULL);
    h.handles[lost].gone = true;
    fake_say(&h, lost, "{'request':'join','room':1234,'ptype':'subscriber','feed':1}");
    h.handles[lost].gone = false;
    fake_say(&h, lost, "{'request':'join','room':1234,'ptype':'subscriber','feed':1}");      /* it never heard that it had joined */
    assert_string_equal(fake_hear(&h, lost)->jsep, "offer");
}

/* After its connection has ended a subscription is still there: asked for, it is offered anew; unasked, nothing comes. */
static void test_a_subscription_outlives_its_connection(void **state)
{
    (void)state;
    uint32_t one = publisher(1), two = publisher(2), me = watcher("[{'feed':1}]");
    fake_hangup(&h, me);
    assert_int_equal(fake_sinks_alive(&h), 0);
    fake_say(&h, me, "{'request':'start'}");
    expect_reply(&h, me, "{" EVENT ",'started':'ok'}");
    assert_int_equal(fake_sinks_alive(&h), 0);
    fake_hangup(&h, one);
    expect_silence(&h, me);
    fake_say(&h, me, "{'request':'update','subscribe':[{'feed':2}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 2, false) "," VIDEO(1, 2, false) "]}");
    watcher_starts(me);
    fake_up(&h, me);
    assert_true(line_is_fed_by(two, 0, me, 0) && line_is_fed_by(two, 1, me, 1));
    assert_false(line_is_paused(me, 0));
    fake_hangup(&h, me);                                    /* also one that ends with an offer out */
    fake_say(&h, me, "{'request':'configure','update':true}");
    expect_offer(me, "{" EVENT ",'configured':'ok'}");
    fake_hangup(&h, me);
    fake_say(&h, me, "{'request':'configure','restart':true}");
    expect_offer(me, "{" EVENT ",'configured':'ok'}");
    watcher_starts(me);
    assert_false(line_is_paused(me, 1));
    fake_forget(&h);
    fake_hangup(&h, two);
    expect_offer_told(me, "{" UPDATED ",'streams':[" IDLE("audio", 0) "," IDLE("video", 1) "]}");
}

static void test_lines_have_an_end(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = fake_attach(&h);
    char body[8192];
    size_t at = (size_t)sprintf(body, "{'request':'join','room':1234,'ptype':'subscriber','streams':[");
    for (unsigned i = 0; i < 100; i++)
        at += (size_t)sprintf(body + at, "%s{'feed':1}", i == 0 ? "" : ",");
    sprintf(body + at, "]}");
    fake_say(&h, me, "%s", body);
    const struct fake_event *event = fake_hear(&h, me);
    assert_int_equal(line_count(event->sdp), SDP_MLINES_MAX);
    assert_int_equal(json_array_size(json_object_get(event->data, "streams")), SDP_MLINES_MAX);
    watcher_starts(me);
    fake_say(&h, me, "{'request':'subscribe','streams':[{'feed':1}]}");
    expect_reply(&h, me, "{" UPDATED "}");
}

/* What would be longer than an event may be is not offered: neither without its event nor with half of it. */
static void test_descriptions_of_lines_have_an_end(void **state)
{
    (void)state;
    uint32_t one = publisher(1), two = publisher(2), me = fake_attach(&h), late = fake_attach(&h);
    char body[4096], *text = malloc(65537);
    size_t at = (size_t)sprintf(body, "{'request':'join','room':1234,'ptype':'subscriber','streams':[{'feed':2,'mid':'0'}");
    for (unsigned i = 0; i < 126; i++)
        at += (size_t)sprintf(body + at, ",{'feed':1,'mid':'0'}");
    sprintf(body + at, "]}");
    memset(text, 'x', 65536);
    text[65536] = '\0';
    fake_say(&h, me, "%s", body);
    assert_string_equal(fake_hear(&h, me)->jsep, "offer");
    watcher_starts(me);
    fake_say(&h, one, "{'request':'configure','display':'%s','metadata':{'a':'%.65000s'}}", text, text);
    fake_forget(&h);
    fake_say(&h, late, "%s", body);
    expect_error(&h, late, 437);
    fake_say(&h, late, "{'request':'start'}");
    expect_error(&h, late, 424);
    fake_hangup(&h, two);
    expect_silence(&h, me);
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'feed':9}]}");
    expect_error(&h, me, 437);
    fake_say(&h, me, "{'request':'unsubscribe','streams':[{'feed':1}]}");
    assert_string_equal(expect_reply(&h, me, "{" UPDATED ",'streams':'*'}")->jsep, "offer");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_lists_that_cannot_be),
        ROOM_TEST(test_feeds_are_added),
        ROOM_TEST(test_feeds_are_taken_away),
        ROOM_TEST(test_lines_are_used_again),
        ROOM_TEST(test_a_line_of_another_codec_is_not_used),
        ROOM_TEST(test_changes_wait_for_the_answer),
        ROOM_TEST(test_what_goes_is_offered_by_itself),
        ROOM_TEST(test_a_renegotiation_offers_nothing),
        ROOM_TEST(test_a_line_that_becomes_another_feeds_nobody),
        ROOM_TEST(test_an_offer_that_is_refused_is_made_up_for),
        ROOM_TEST(test_an_offer_that_nobody_heard_is_made_up_for),
        ROOM_TEST(test_a_subscription_outlives_its_connection),
        ROOM_TEST(test_lines_have_an_end),
        ROOM_TEST(test_descriptions_of_lines_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
