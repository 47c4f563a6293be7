/* Subscribers: what is offered when, lines that come, go and are used again, layers: videoroom.md 10, 11.2, 14.5, 19.11. */
#include <stdio.h>

#include "plugins/videoroom/videoroom.h"
#include "rooms.h"

/* ---- join ---- */

static void test_a_whole_feed_is_offered(void **state)
{
    (void)state;
    uint32_t bob = guest(77, "'display':'Bob','metadata':{'a':1}"), me = fake_attach(&h), ann = guest(1, NULL);
    publish(bob, offer_av(), "'descriptions':[{'mid':'1','description':'cam'}]");
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','streams':[{'feed':77}]}");
    const struct fake_event *event = expect_offer(me,
        "{" ATTACHED ",'streams':[{'type':'audio','active':true,'mindex':0,'mid':'0','ready':false,'send':true,'feed_id':77,'feed_display':'Bob',"
        "'feed_metadata':{'a':1},'feed_mid':'0','codec':'opus'},{'type':'video','active':true,'mindex':1,'mid':'1','ready':false,'send':true,'feed_id':77,"
        "'feed_display':'Bob','feed_metadata':{'a':1},'feed_mid':'1','feed_description':'cam','codec':'vp8'}]}");
    assert_int_equal(line_count(event->sdp), 2);
    assert_false(event->restart);
    assert_int_equal(fake_sinks_alive(&h), 0);
    uint32_t keyframes = fake_source(&h, bob, 1)->keyframes;
    assert_true(keyframes > 0);                             /* asked for before the viewer is there */
    watcher_starts(me);
    assert_true(line_is_fed_by(bob, 0, me, 0) && line_is_fed_by(bob, 1, me, 1));
    assert_false(line_is_paused(me, 0) || line_is_paused(me, 1));
    assert_int_equal(fake_sink(&h, me, 0)->options.pt, 111);
    assert_int_equal(fake_sink(&h, me, 1)->options.pt, 96);
    fake_up(&h, me);
    assert_int_equal(h.handles[me].group, h.handles[bob].group);
    expect_nothing(&h);
    (void)ann;
}

static void test_streams_are_offered_as_they_are_named(void **state)
{
    (void)state;
    (void)publisher(1);
    (void)publisher(2);
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'joinandconfigure','room':1234,'ptype':'subscriber','use_msid':true,'streams':[{'feed':2,'mid':'1','crossrefid':'tile-3'},{'feed':1},"
                     "{'feed':2,'mid':'1','crossrefid':'again','send':false,'min_delay':5,'max_delay':10}]}");
    const struct fake_event *event = expect_offer(me,
        "{" ATTACHED ",'streams':[{'type':'video','active':true,'mindex':0,'mid':'0','crossrefid':'tile-3','ready':false,'send':true,'feed_id':2,'feed_mid':'1','codec':'vp8'},"
        AUDIO(1, 1, false) "," VIDEO(2, 1, false)
        ",{'type':'video','active':true,'mindex':3,'mid':'3','crossrefid':'again','ready':false,'send':true,'feed_id':2,'feed_mid':'1','codec':'vp8',"
        "'playout-delay':{'min-delay':5,'max-delay':10}}]}");
    static const char *const msids[] = {"a=msid:2 0", "a=msid:1 1", "a=msid:1 2", "a=msid:2 3"};
    for (unsigned i = 0; i < 4; i++)
        assert_true(line_has(event->sdp, i, msids[i]));
    watcher_starts(me);
    assert_int_equal(fake_sink(&h, me, 3)->options.min_delay, 5);
    assert_int_equal(fake_sink(&h, me, 3)->options.max_delay, 10);
    assert_int_equal(fake_sink(&h, me, 0)->options.min_delay, -1);
}

static void test_the_old_way_names_one_feed(void **state)
{
    (void)state;
    uint32_t bob = guest(77, "'display':'Bob','metadata':{}"), me = fake_attach(&h), empty = fake_attach(&h);
    publish(bob, offer_av(), NULL);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','feed':77,'offer_video':false,'audio':false}");
    expect_offer(me, "{" ATTACHED ",'id':77,'warning':'deprecated_api','display':'Bob','metadata':{},'streams':[{'type':'audio','active':true,'mindex':0,'mid':'0',"
                     "'ready':false,'send':true,'feed_id':77,'feed_display':'Bob','feed_metadata':{},'feed_mid':'0','codec':'opus'}]}");
    fake_say(&h, empty, "{'request':'join','room':1234,'ptype':'subscriber','streams':[],'feed':77,'offer_audio':false,'offer_data':false}");
    expect_offer(empty, "{" ATTACHED ",'id':77,'warning':'deprecated_api','display':'Bob','metadata':{},'streams':[{'type':'video','active':true,'mindex':0,'mid':'0',"
                        "'ready':false,'send':true,'feed_id':77,'feed_display':'Bob','feed_metadata':{},'feed_mid':'1','codec':'vp8'}]}");
}

static void test_what_a_subscription_needs(void **state)
{
    (void)state;
    (void)publisher(1);
    (void)guest(2, NULL);
    uint32_t me = fake_attach(&h);
    static const struct { const char *fields; int code; const char *text; } bad[] = {
        {"'streams':{}", 430, "Invalid element type (streams should be an array)"},
        {"'feed':1,'private_id':-1", 430, "Invalid element type (private_id should be a positive integer)"},
        {"'feed':1,'autoupdate':1", 430, "Invalid element type (autoupdate should be a boolean)"},
        {"'feed':1,'offer_audio':1", 430, "Invalid element type (offer_audio should be a boolean)"},
        {"'feed':1,'offer_video':1", 430, "Invalid element type (offer_video should be a boolean)"},
        {"'feed':1,'offer_data':1", 430, "Invalid element type (offer_data should be a boolean)"},
        {"'feed':1,'substream':'x'", 430, "Invalid element type (substream should be a positive integer)"},
        {"'feed':1,'temporal':'x'", 430, "Invalid element type (temporal should be a positive integer)"},
        {"'feed':1,'fallback':'x'", 430, "Invalid element type (fallback should be a positive integer)"},
        {"'feed':1,'spatial_layer':'x'", 430, "Invalid element type (spatial_layer should be a positive integer)"},
        {"'feed':1,'temporal_layer':'x'", 430, "Invalid element type (temporal_layer should be a positive integer)"},
        {"'other':1", 429, "Missing mandatory element (feed)"},
        {"'streams':[]", 429, "Missing mandatory element (feed)"},
        {"'feed':'1'", 430, "Invalid element type (feed should be a positive integer)"},
        {"'feed':9", 428, "No such feed (9)"},
        {"'feed':2", 428, "No such feed (2)"},
        {"'streams':[{}]", 429, "Missing mandatory element (feed)"},
        {"'streams':[7]", 429, "Missing mandatory element (feed)"},
        {"'streams':[{'feed':1,'mid':1}]", 430, "Invalid element type (mid should be a string)"},
        {"'streams':[{'feed':1,'crossrefid':1}]", 430, "Invalid element type (crossrefid should be a string)"},
        {"'streams':[{'feed':1,'send':1}]", 430, "Invalid element type (send should be a boolean)"},
        {"'streams':[{'feed':1,'substream':-1}]", 430, "Invalid element type (substream should be a positive integer)"},
        {"'streams':[{'feed':1,'min_delay':'x'}]", 430, "Invalid element type (min_delay should be an integer)"},
        {"'streams':[{'feed':1,'mid':'1'},{'feed':2}]", 428, "No such feed (2)"},
        {"'streams':[{'feed':1,'mid':'7'}]", 428, "No such mid '7' in feed (1)"},
        {"'streams':[{'feed':1,'substream':3}]", 430, "Invalid value (substream/spatial_layer should be 0, 1 or 2)"},
        {"'streams':[{'feed':1,'spatial_layer':3}]", 430, "Invalid value (substream/spatial_layer should be 0, 1 or 2)"},
        {"'streams':[{'feed':1,'temporal':3}]", 430, "Invalid value (temporal/temporal_layer should be 0, 1 or 2)"},
        {"'streams':[{'feed':1,'temporal_layer':9007199254740993}]", 430, "Invalid value (temporal/temporal_layer should be 0, 1 or 2)"},
        {"'feed':1,'offer_audio':false,'offer_video':false", 437, "Can't offer an SDP with no stream"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber',%s}", bad[i].fields);
        expect_error_text(&h, me, bad[i].code, bad[i].text);
    }
    say_offer(me, "{'request':'join','room':1234,'ptype':'subscriber','feed':9}", offer_av());
    expect_error_text(&h, me, 423, "Can't send an offer to create subscribers");
    expect_nothing(&h);
}

static void test_a_room_may_want_to_know_who_lets_them_in(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'edit','room':1234,'new_require_pvtid':true}");
    uint32_t owner = fake_attach(&h), me = fake_attach(&h);
    fake_say(&h, owner, "{'request':'join','room':1234,'ptype':'publisher','id':1}");
    int64_t id = fake_int(fake_hear(&h, owner)->data, "private_id");
    publish(owner, offer_av(), NULL);
    static const char *const wrong[] = {"", ",'private_id':0", ",'private_id':1", ",'private_id':4294967296"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','feed':1%s}", wrong[i]);
        expect_error_text(&h, me, 433, "Unauthorized (this room requires a valid private_id)");
    }
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','feed':1,'private_id':%lld}", (long long)(id + (INT64_C(1) << 32)));
    expect_error(&h, me, 433);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','feed':9,'private_id':1}");
    expect_error(&h, me, 428);                              /* entries come first */
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','feed':1,'private_id':%lld}", (long long)id);
    assert_string_equal(fake_hear(&h, me)->jsep, "offer");
    watcher_starts(me);
    fake_say(&h, owner, "{'request':'leave'}");             /* who only leaves does not cut what was let in */
    fake_forget(&h);
    assert_false(line_is_paused(me, 0));
    fake_detach(&h, owner);
}

static void test_sealed_and_plain_feeds_do_not_mix(void **state)
{
    (void)state;
    uint32_t plain = publisher(1), sealed = guest(2, NULL), me = fake_attach(&h), other = fake_attach(&h);
    const struct fake_say say = {.jsep = "offer", .sdp = offer_av(), .e2ee = true};
    fake_say_jsep(&h, sealed, &say, "{'request':'publish'}");
    fake_up(&h, sealed);
    fake_forget(&h);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','streams':[{'feed':1},{'feed':2}]}");
    expect_error_text(&h, me, 438, "Can't have end-to-end encrypted feed in this subscription (2)");
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','streams':[{'feed':2},{'feed':1}]}");
    expect_error_text(&h, me, 438, "Can't have not end-to-end encrypted feed in this subscription (1)");
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','streams':[{'feed':2,'mid':'1'}]}");
    assert_true(expect_offer(me, "{" ATTACHED ",'streams':[" VIDEO(0, 2, false) "]}")->e2ee);
    watcher_starts(me);
    fake_say(&h, me, "{'request':'subscribe','streams':[{'feed':1}]}");
    expect_error(&h, me, 438);
    fake_say(&h, me, "{'request':'update','subscribe':[{'feed':1}]}");
    expect_error(&h, me, 438);
    fake_say(&h, me, "{'request':'switch','streams':[{'feed':1,'mid':'1','sub_mid':'0'}]}");
    expect_error(&h, me, 438);
    fake_say(&h, me, "{'request':'switch','feed':1}");
    expect_error(&h, me, 438);
    fake_say(&h, other, "{'request':'join','room':1234,'ptype':'subscriber','feed':1}");
    assert_false(fake_hear(&h, other)->e2ee);
    watcher_starts(other);
    fake_say(&h, other, "{'request':'subscribe','streams':[{'feed':2}]}");
    expect_error(&h, other, 438);
    (void)plain;
}

static void test_a_disabled_stream_is_offered_inactive(void **state)
{
    (void)state;
    const struct offer_line lines[] = {{.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "pcmu"},
                                       {.kind = "video", .direction = "recvonly", .mid = "1", .codecs = "vp8"},
                                       {.kind = "video", .direction = "sendonly", .mid = "2", .codecs = "vp8"}};
    uint32_t bob = publisher_of(1, offer_of(lines, 3), NULL), me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','use_msid':true,'streams':[{'feed':1}]}");
    const struct fake_event *event = fake_hear(&h, me);
    assert_string_equal(event->jsep, "offer");
    assert_int_equal(line_count(event->sdp), 3);
    assert_true(line_has(event->sdp, 0, "a=inactive"));
    assert_true(line_has(event->sdp, 1, "a=inactive"));
    assert_true(line_has(event->sdp, 2, "a=sendonly"));
    watcher_starts(me);
    assert_null(fake_sink(&h, me, 0));
    assert_null(fake_sink(&h, me, 1));
    assert_true(line_is_fed_by(bob, 2, me, 2));
    fake_say(&h, me, "{'request':'subscribe','streams':[{'feed':1,'mid':'1'}]}");      /* passed over here */
    expect_reply(&h, me, "{" UPDATED "}");
}

/* ---- start, pause, configure ---- */

static void test_pause_and_start(void **state)
{
    (void)state;
    uint32_t bob = publisher(1), me = watcher("[{'feed':1}]");
    fake_say(&h, me, "{'request':'pause'}");
    expect_reply(&h, me, "{" EVENT ",'paused':'ok'}");
    assert_true(line_is_paused(me, 0) && line_is_paused(me, 1));
    uint32_t audio = fake_source(&h, bob, 0)->keyframes, video = fake_source(&h, bob, 1)->keyframes;
    fake_say(&h, me, "{'request':'start','room':5}");
    expect_reply(&h, me, "{" EVENT ",'started':'ok'}");
    assert_false(line_is_paused(me, 0) || line_is_paused(me, 1));
    assert_int_equal(fake_source(&h, bob, 1)->keyframes, video + 1);
    fake_say(&h, me, "{'request':'start'}");
    expect_reply(&h, me, "{" EVENT ",'started':'ok'}");
    assert_int_equal(fake_source(&h, bob, 1)->keyframes, video + 1);     /* it was not paused */
    assert_int_equal(fake_source(&h, bob, 0)->keyframes, audio);
}

static void test_only_publishers_offer(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = watcher("[{'feed':1}]");
    static const char *const verbs[] = {"start", "pause", "configure", "switch", "subscribe", "unsubscribe", "update"};
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
        char body[120];
        snprintf(body, sizeof(body), "{'request':'%s','streams':[{'feed':1,'mid':'0','sub_mid':'0'}],'subscribe':[{'feed':1}]}", verbs[i]);
        say_offer(me, body, offer_av());
        expect_error_text(&h, me, 431, "Only publishers send offers");
    }
}

/* Lines that the client did not take stay silent. */
static void test_a_line_can_be_refused(void **state)
{
    (void)state;
    uint32_t bob = publisher(1), me = viewer("[{'feed':1}]");
    fake_answer_but(&h, me, "start", 1);
    fake_forget(&h);
    assert_null(fake_sink(&h, me, 0));
    assert_true(line_is_fed_by(bob, 1, me, 1));
    assert_false(line_is_paused(me, 1));
    fake_say(&h, me, "{'request':'configure','update':true}");
    expect_offer(me, "{" EVENT ",'configured':'ok'}");
    watcher_starts(me);
    assert_true(line_is_fed_by(bob, 0, me, 0));
}

static void test_an_answer_may_come_with_any_request(void **state)
{
    (void)state;
    uint32_t bob = publisher(1), cid = publisher(2);
    static const struct { const char *body, *reply; bool paused; } ways[] = {
        {"{'request':'pause'}", "{" EVENT ",'paused':'ok'}", true},
        {"{'request':'configure'}", "{" EVENT ",'configured':'ok'}", true},
        {"{'request':'switch','streams':[{'feed':2,'mid':'1','sub_mid':'1'}]}", "{" EVENT ",'switched':'ok','changes':1,'streams':'*'}", true},
        {"{'request':'subscribe','streams':[]}", NULL, true},
        {"{'request':'join'}", NULL, true},
        {"{'request':'publish'}", NULL, true},
        {"{'request':'start'}", "{" EVENT ",'started':'ok'}", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        uint32_t me = viewer("[{'feed':1}]");
        say_answer(me, ways[i].body);
        if (ways[i].reply != NULL)
            expect_reply(&h, me, "%s", ways[i].reply);
        fake_forget(&h);
        assert_non_null(fake_sink(&h, me, 0));
        assert_int_equal(line_is_paused(me, 0), ways[i].paused);
        fake_say(&h, me, "{'request':'configure','update':true}");       /* our offer is answered: the next may come */
        expect_offer(me, "{" EVENT ",'configured':'ok'}");
        fake_detach(&h, me);
    }
    /* With `update` the answer counts for the old offer, and the change makes a new one. */
    uint32_t me = viewer("[{'feed':1}]");
    say_answer(me, "{'request':'update','subscribe':[{'feed':2,'mid':'1'}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," VIDEO(1, 1, true) "," VIDEO(2, 2, false) "]}");
    watcher_starts(me);
    assert_true(line_is_fed_by(bob, 1, me, 1) && line_is_fed_by(cid, 1, me, 2));
}

static void test_configure_checks_first(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = watcher("[{'feed':1}]");
    static const struct { const char *fields; int code; const char *text; } bad[] = {
        {"'streams':{}", 430, "Invalid element type (streams should be an array)"},
        {"'update':1", 430, "Invalid element type (update should be a boolean)"},
        {"'restart':1", 430, "Invalid element type (restart should be a boolean)"},
        {"'audio':1", 430, "Invalid element type (audio should be a boolean)"},
        {"'video':1", 430, "Invalid element type (video should be a boolean)"},
        {"'data':1", 430, "Invalid element type (data should be a boolean)"},
        {"'mid':1", 430, "Invalid element type (mid should be a string)"},
        {"'send':1", 430, "Invalid element type (send should be a boolean)"},
        {"'substream':-1", 430, "Invalid element type (substream should be a positive integer)"},
        {"'substream':3", 430, "Invalid value (substream/spatial_layer should be 0, 1 or 2)"},
        {"'spatial_layer':3", 430, "Invalid value (substream/spatial_layer should be 0, 1 or 2)"},
        {"'temporal':3", 430, "Invalid value (temporal/temporal_layer should be 0, 1 or 2)"},
        {"'temporal_layer':3", 430, "Invalid value (temporal/temporal_layer should be 0, 1 or 2)"},
        {"'mid':'7'", 428, "No such mid '7' in subscription"},
        {"'mid':'x'", 428, "No such mid 'x' in subscription"},
        {"'streams':[{'mid':'0'},{'mid':'2'}]", 428, "No such mid '2' in subscription"},
        {"'streams':[{'send':true},{'mid':'0'}]", 430, "Invalid value (mid can't be null in a streams array)"},
        {"'streams':[{'mid':'0','send':false},{'mid':'1','substream':7}]", 430, "Invalid value (substream/spatial_layer should be 0, 1 or 2)"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        fake_say(&h, me, "{'request':'configure','send':false,%s}", bad[i].fields);
        expect_error_text(&h, me, bad[i].code, bad[i].text);
    }
    assert_false(line_is_paused(me, 0) || line_is_paused(me, 1));
}

static void test_lines_are_stopped_and_resumed(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = watcher("[{'feed':1}]");
    fake_say(&h, me, "{'request':'configure','mid':'0','send':false}");
    expect_reply(&h, me, "{" EVENT ",'configured':'ok'}");
    assert_true(line_is_paused(me, 0) && !line_is_paused(me, 1));
    fake_say(&h, me, "{'request':'configure','streams':[{'mid':'0','send':true},{'mid':'1','send':false}]}");
    assert_true(!line_is_paused(me, 0) && line_is_paused(me, 1));
    fake_say(&h, me, "{'request':'configure','send':true}");             /* no mid: all */
    assert_true(!line_is_paused(me, 0) && !line_is_paused(me, 1));
    fake_say(&h, me, "{'request':'configure','audio':false}");
    assert_true(line_is_paused(me, 0) && !line_is_paused(me, 1));
    fake_say(&h, me, "{'request':'configure','audio':true,'video':false}");
    assert_true(!line_is_paused(me, 0) && line_is_paused(me, 1));
    fake_say(&h, me, "{'request':'configure','audio':false,'mid':'1','send':true}");    /* a mid: the kinds don't count */
    assert_true(!line_is_paused(me, 0) && !line_is_paused(me, 1));
    fake_say(&h, me, "{'request':'configure','streams':[]}");
    fake_say(&h, me, "{'request':'configure','mid':'1','min_delay':7}");
    assert_int_equal(fake_sink(&h, me, 1)->options.min_delay, 7);
    assert_int_equal(fake_sink(&h, me, 1)->options.max_delay, 7);
    fake_say(&h, me, "{'request':'configure','mid':'1','max_delay':-1}");
    assert_int_equal(fake_sink(&h, me, 1)->options.min_delay, -1);
    assert_int_equal(fake_sink(&h, me, 1)->options.max_delay, -1);
}

static void test_delays_of_a_publisher_reach_who_has_none(void **state)
{
    (void)state;
    uint32_t bob = publisher(1), me = watcher("[{'feed':1,'mid':'1'},{'feed':1,'mid':'1','min_delay':3,'max_delay':4}]");
    fake_say(&h, bob, "{'request':'configure','mid':'1','min_delay':20,'max_delay':10}");
    assert_int_equal(fake_sink(&h, me, 0)->options.min_delay, 10);
    assert_int_equal(fake_sink(&h, me, 0)->options.max_delay, 10);
    assert_int_equal(fake_sink(&h, me, 1)->options.min_delay, 3);
    assert_int_equal(fake_sink(&h, me, 1)->options.max_delay, 4);
    uint32_t orders = fake_sink(&h, me, 0)->orders;
    static const char *const others[] = {"'bitrate':5", "'display':'x'", "'mid':'1','send':true", "'max_delay':10", "'video':true"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        fake_say(&h, bob, "{'request':'configure',%s}", others[i]);
    assert_int_equal(fake_sink(&h, me, 0)->orders, orders); /* viewers are not bothered with what does not change for them */
}

static void test_a_restart_is_offered(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = watcher("[{'feed':1}]");
    fake_say(&h, me, "{'request':'configure','restart':true}");
    assert_true(expect_offer(me, "{" EVENT ",'configured':'ok'}")->restart);
    fake_say(&h, me, "{'request':'configure','restart':true}");         /* one at a time */
    assert_string_equal(expect_reply(&h, me, "{" EVENT ",'configured':'ok'}")->jsep, "");
    fake_say(&h, me, "{'request':'configure','update':true}");
    expect_reply(&h, me, "{" EVENT ",'configured':'ok'}");
    fake_answer(&h, me, "start");
    expect_reply(&h, me, "{" EVENT ",'started':'ok'}");
    assert_true(expect_offer_told(me, "{" UPDATED ",'streams':[" AUDIO(0, 1, true) "," VIDEO(1, 1, true) "]}")->restart);
    watcher_starts(me);
    fake_say(&h, me, "{'request':'configure','update':true}");
    assert_false(expect_offer(me, "{" EVENT ",'configured':'ok'}")->restart);
    watcher_starts(me);
    expect_nothing(&h);
}

static void test_versions_of_offers_rise(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = viewer("[{'feed':1}]");
    unsigned long long last = 0;
    for (unsigned i = 0; i < 5; i++) {
        unsigned long long version = 0;
        assert_int_equal(sscanf(strstr(h.handles[me].offer, "o="), "o=%*s %*s %llu", &version), 1);
        assert_true(version > last);
        last = version;
        watcher_starts(me);
        fake_say(&h, me, "{'request':'configure','update':true}");
        fake_forget(&h);
    }
}

/* ---- layers ---- */

static uint32_t simulcaster(unsigned id)
{
    static const struct jsep_simulcast layers[] = {{.mindex = 1, .mid = "1", .layer_count = 3, .by_rid = true}};
    const struct fake_say say = {.jsep = "offer", .sdp = offer_av(), .simulcast = layers, .simulcast_count = 1};
    uint32_t handle = guest(id, NULL);
    fake_say_jsep(&h, handle, &say, "{'request':'publish'}");
    fake_up(&h, handle);
    fake_forget(&h);
    return handle;
}

#define LAYERS(s, st, t, tt) "'simulcast':{'substream':" #s ",'substream-target':" #st ",'temporal-layer':" #t ",'temporal-layer-target':" #tt "}"

static void test_layers_are_chosen(void **state)
{
    (void)state;
    uint32_t bob = simulcaster(1), me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','streams':[{'feed':1,'mid':'1','substream':1,'temporal':0,'fallback':5000}]}");
    expect_offer(me, "{" ATTACHED ",'streams':[{'type':'video','active':true,'mindex':0,'mid':'0','ready':false,'send':true,'feed_id':1,'feed_mid':'1','codec':'vp8',"
                     "'simulcast':{'substream':-1,'substream-target':1,'temporal-layer':-1,'temporal-layer-target':0,'fallback':5000}}]}");
    watcher_starts(me);
    fake_up(&h, me);
    assert_int_equal(fake_sink(&h, me, 0)->options.substream_target, 1);
    assert_int_equal(fake_sink(&h, me, 0)->options.temporal_target, 0);
    assert_int_equal(fake_sink(&h, me, 0)->options.fallback_us, 5000);
    fake_layer(&h, me, 0, 0, -1);
    expect_told(&h, me, "{" EVENT ",'mid':'0','substream':0}");
    fake_layer(&h, me, 0, 1, 0);
    expect_told(&h, me, "{" EVENT ",'mid':'0','substream':1}");
    expect_told(&h, me, "{" EVENT ",'mid':'0','temporal':0}");
    expect_nothing(&h);
    fake_layer(&h, me, 0, 1, 0);
    fake_layer(&h, me, 0, -1, -1);
    fake_layer(&h, me, 0, 1, 0);
    expect_nothing(&h);                                     /* nothing new */

    uint32_t keyframes = fake_source(&h, bob, 1)->keyframes;
    fake_say(&h, me, "{'request':'configure','substream':1,'temporal':0}");
    expect_told(&h, me, "{" EVENT ",'mid':'0','substream':1}");         /* it is so already: told at once, before the reply */
    expect_told(&h, me, "{" EVENT ",'mid':'0','temporal':0}");
    expect_reply(&h, me, "{" EVENT ",'configured':'ok'}");
    assert_int_equal(fake_source(&h, bob, 1)->keyframes, keyframes);
    fake_say(&h, me, "{'request':'configure','mid':'0','substream':2,'temporal':2,'fallback':0}");
    expect_reply(&h, me, "{" EVENT ",'configured':'ok'}");
    assert_true(fake_source(&h, bob, 1)->keyframes > keyframes);
    assert_int_equal(fake_sink(&h, me, 0)->options.substream_target, 2);
    assert_int_equal(fake_sink(&h, me, 0)->options.temporal_target, 2);
    assert_int_equal(fake_sink(&h, me, 0)->options.fallback_us, 0);
    fake_say(&h, me, "{'request':'configure','update':true}");
    expect_offer(me, "{" EVENT ",'configured':'ok'}");
}

static void test_layers_mean_nothing_without_simulcast(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = watcher("[{'feed':1}]");
    fake_layer(&h, me, 1, 0, 0);
    fake_say(&h, me, "{'request':'configure','substream':0,'temporal':0}");
    expect_reply(&h, me, "{" EVENT ",'configured':'ok'}");
    expect_nothing(&h);
    h.desc->sink_layer(h.plugin, h.handles[me].state, (struct ref){4000, 1}, 1, 1);
    h.desc->sink_layer(h.plugin, h.handles[me].state, REF_NONE, 1, 1);
    expect_nothing(&h);
}

/* ---- switch ---- */

static void test_sources_are_switched(void **state)
{
    (void)state;
    uint32_t one = publisher(1), two = publisher(2), me = watcher("[{'feed':1,'crossrefid':'x'}]");
    uint32_t keyframes = fake_source(&h, two, 1)->keyframes;
    fake_say(&h, me, "{'request':'configure','mid':'1','send':false}");
    fake_forget(&h);
    fake_say(&h, me, "{'request':'switch','streams':[{'feed':2,'mid':'1','sub_mid':'1','substream':1,'temporal':9},{'feed':2,'mid':'0','sub_mid':'7'}]}");
    const struct fake_event *event = expect_reply(&h, me, "{" EVENT ",'switched':'ok','changes':1,'streams':["
        "{'type':'audio','active':true,'mindex':0,'mid':'0','crossrefid':'x','ready':true,'send':true,'feed_id':1,'feed_mid':'0','codec':'opus'},"
        "{'type':'video','active':true,'mindex':1,'mid':'1','crossrefid':'x','ready':true,'send':true,'feed_id':2,'feed_mid':'1','codec':'vp8'}]}");
    assert_string_equal(event->jsep, "");
    assert_true(line_is_fed_by(one, 0, me, 0) && line_is_fed_by(two, 1, me, 1));
    assert_false(line_is_paused(me, 1));                         /* a switch resumes */
    assert_int_equal(fake_source(&h, two, 1)->keyframes, keyframes + 1);
    assert_int_equal(fake_sink(&h, me, 1)->options.substream_target, 1);
    assert_int_equal(fake_sink(&h, me, 1)->options.temporal_target, 2);
    fake_say(&h, me, "{'request':'switch','streams':[{'feed':2,'mid':'1','sub_mid':'1'},{'feed':2,'mid':'1','sub_mid':'0'}]}");
    expect_reply(&h, me, "{" EVENT ",'switched':'ok','changes':0,'streams':'*'}");      /* the same; another kind */
    fake_hangup(&h, one);
    fake_forget(&h);
    assert_true(line_is_fed_by(two, 1, me, 1));                      /* the old source is nothing to it any more */
}

static void test_what_a_switch_needs(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = watcher("[{'feed':1}]");
    static const struct { const char *fields; int code; const char *text; } bad[] = {
        {"'streams':5", 430, "Invalid element type (streams should be an array)"},
        {"'streams':[{}]", 429, "Missing mandatory element (mid)"},
        {"'streams':[{'mid':'0'}]", 429, "Missing mandatory element (sub_mid)"},
        {"'streams':[{'mid':'0','sub_mid':'0'}]", 429, "Missing mandatory element (feed)"},
        {"'streams':[{'mid':0,'sub_mid':'0','feed':1}]", 430, "Invalid element type (mid should be a string)"},
        {"'streams':[{'mid':'0','sub_mid':0,'feed':1}]", 430, "Invalid element type (sub_mid should be a string)"},
        {"'streams':[{'mid':'0','sub_mid':'0','feed':'1'}]", 430, "Invalid element type (feed should be a positive integer)"},
        {"'streams':[{'mid':'0','sub_mid':'0','feed':1,'substream':-1}]", 430, "Invalid element type (substream should be a positive integer)"},
        {"'streams':[{'mid':'0','sub_mid':'0','feed':9}]", 428, "No such feed (9)"},
        {"'streams':[{'mid':'9','sub_mid':'0','feed':1}]", 428, "No such mid '9' in feed (1)"},
        {"'streams':[{'mid':'0','sub_mid':'0','feed':1},{'mid':'0','sub_mid':'0','feed':9}]", 428, "No such feed (9)"},
        {"'streams':[]", 428, "No such feed (0)"},
        {"'feed':9", 428, "No such feed (9)"},
        {"'other':1", 428, "No such feed (0)"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        fake_say(&h, me, "{'request':'switch',%s}", bad[i].fields);
        expect_error_text(&h, me, bad[i].code, bad[i].text);
    }
}

static void test_an_idle_line_is_woken_by_a_switch(void **state)
{
    (void)state;
    uint32_t two = publisher(2), one = publisher(1), me = watcher("[{'feed':1}]");
    fake_hangup(&h, one);
    fake_forget(&h);
    watcher_starts(me);
    fake_say(&h, me, "{'request':'switch','streams':[{'feed':2,'mid':'1','sub_mid':'1'}]}");
    expect_offer(me, "{" UPDATED ",'streams':[" IDLE("audio", 0) "," VIDEO(1, 2, false) "]}");      /* with the switch's transaction, and first */
    expect_reply(&h, me, "{" EVENT ",'switched':'ok','changes':1,'streams':[" IDLE("audio", 0) "," VIDEO(1, 2, false) "]}");
    assert_true(line_is_paused(me, 1));
    watcher_starts(me);
    assert_true(line_is_fed_by(two, 1, me, 1));
    assert_false(line_is_paused(me, 1));
    fake_say(&h, me, "{'request':'configure','update':true}");
    fake_forget(&h);
    fake_say(&h, me, "{'request':'switch','streams':[{'feed':2,'mid':'0','sub_mid':'0'}]}");         /* while an offer is out: later */
    expect_reply(&h, me, "{" EVENT ",'switched':'ok','changes':1,'streams':'*'}");
    fake_answer(&h, me, "start");
    expect_reply(&h, me, "{" EVENT ",'started':'ok'}");
    expect_offer_told(me, "{" UPDATED ",'streams':[" AUDIO(0, 2, false) "," VIDEO(1, 2, true) "]}");
}

/* {"feed":X}: each of its streams to the first line that fits and that none of them is on. */
static void test_the_old_switch_takes_a_whole_feed(void **state)
{
    (void)state;
    const struct offer_line two_videos[] = {{.kind = "video", .direction = "sendonly", .mid = "cam", .codecs = "vp8"},
                                            {.kind = "video", .direction = "sendonly", .mid = "screen", .codecs = "vp8"},
                                            {.kind = "audio", .direction = "sendonly", .mid = "mic", .codecs = "opus"}};
    uint32_t one = publisher(1), two = publisher_of(2, offer_of(two_videos, 3), NULL), me = watcher("[{'feed':1},{'feed':1,'mid':'1'}]");
    fake_say(&h, me, "{'request':'switch','feed':2}");
    expect_reply(&h, me, "{" EVENT ",'switched':'ok','changes':3,'streams':'*'}");
    assert_true(line_is_fed_by(two, 2, me, 0) && line_is_fed_by(two, 0, me, 1) && line_is_fed_by(two, 1, me, 2));
    fake_say(&h, me, "{'request':'switch','feed':2}");
    expect_reply(&h, me, "{" EVENT ",'switched':'ok','changes':0,'streams':'*'}");
    fake_say(&h, me, "{'request':'switch','streams':[{'feed':1,'mid':'1','sub_mid':'1'}]}");
    fake_forget(&h);
    assert_true(line_is_fed_by(one, 1, me, 1) && line_is_fed_by(two, 1, me, 2));
    fake_say(&h, me, "{'request':'switch','feed':2}");      /* the screen stays where it is */
    expect_reply(&h, me, "{" EVENT ",'switched':'ok','changes':1,'streams':'*'}");
    assert_true(line_is_fed_by(two, 0, me, 1) && line_is_fed_by(two, 1, me, 2));
}

/* ---- leave ---- */

static void test_leaving_ends_the_connection(void **state)
{
    (void)state;
    uint32_t one = publisher(1), me = watcher("[{'feed':1}]");
    fake_say(&h, me, "{'request':'leave'}");
    expect_reply(&h, me, "{" EVENT ",'left':'ok'}");
    assert_true(ref_is_none(fake_sink(&h, me, 0)->source));
    fake_turn(&h);
    assert_false(h.handles[me].has_pc);
    fake_hangup(&h, one);
    fake_forget(&h);
    expect_nothing(&h);
}

/* Whoever goes has many subscribers: what does not fit in a turn is offered in the next ones, once for everybody; who asks for a change
 * first, or has gone, is owed nothing. */
static void test_many_are_offered_in_turns(void **state)
{
    (void)state;
    uint32_t bob = publisher(77), me[VR_OFFERS_A_TURN + 4];
    for (unsigned i = 0; i < ARRAY_COUNT(me); i++)
        me[i] = watcher("[{'feed':77}]");
    fake_forget(&h);
    fake_hangup(&h, bob);
    unsigned told = 0;
    for (unsigned i = 0; i < ARRAY_COUNT(me); i++)
        told += h.handles[me[i]].event_count > 0;
    assert_int_equal(told, VR_OFFERS_A_TURN);
    assert_true(h.again);
    const uint32_t asks = me[VR_OFFERS_A_TURN], goes = me[VR_OFFERS_A_TURN + 1];
    fake_say(&h, asks, "{'request':'update','unsubscribe':[{'feed':77}]}");
    expect_offer(asks, "{" UPDATED ",'streams':[" IDLE("audio", 0) "," IDLE("video", 1) "]}");
    fake_detach(&h, goes);
    fake_turn(&h);
    expect_silence(&h, asks);
    for (unsigned i = VR_OFFERS_A_TURN + 2; i < ARRAY_COUNT(me); i++)
        expect_offer_told(me[i], "{" UPDATED ",'streams':[" IDLE("audio", 0) "," IDLE("video", 1) "]}");
    assert_false(h.again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_many_are_offered_in_turns),
        ROOM_TEST(test_a_whole_feed_is_offered),
        ROOM_TEST(test_streams_are_offered_as_they_are_named),
        ROOM_TEST(test_the_old_way_names_one_feed),
        ROOM_TEST(test_what_a_subscription_needs),
        ROOM_TEST(test_a_room_may_want_to_know_who_lets_them_in),
        ROOM_TEST(test_sealed_and_plain_feeds_do_not_mix),
        ROOM_TEST(test_a_disabled_stream_is_offered_inactive),
        ROOM_TEST(test_pause_and_start),
        ROOM_TEST(test_only_publishers_offer),
        ROOM_TEST(test_a_line_can_be_refused),
        ROOM_TEST(test_an_answer_may_come_with_any_request),
        ROOM_TEST(test_configure_checks_first),
        ROOM_TEST(test_lines_are_stopped_and_resumed),
        ROOM_TEST(test_delays_of_a_publisher_reach_who_has_none),
        ROOM_TEST(test_a_restart_is_offered),
        ROOM_TEST(test_versions_of_offers_rise),
        ROOM_TEST(test_layers_are_chosen),
        ROOM_TEST(test_layers_mean_nothing_without_simulcast),
        ROOM_TEST(test_sources_are_switched),
        ROOM_TEST(test_what_a_switch_needs),
        ROOM_TEST(test_an_idle_line_is_woken_by_a_switch),
        ROOM_TEST(test_the_old_switch_takes_a_whole_feed),
        ROOM_TEST(test_leaving_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
