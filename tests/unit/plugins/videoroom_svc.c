/* A stream with its layers in it: who says so, who is told, and what viewers get of it (videoroom.md 8, 10, 14.6). */
#include <stdio.h>

#include "rooms.h"

#define DD_URI "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
#define TWCC_URI "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

static int setup(void **state)
{
    (void)state;
    rooms_start(NULL);
    room_create(1234, "'videocodec':'vp9,av1,vp8','publishers':20");
    return 0;
}

static const struct offer_line vp9[] = {{.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "opus"},
                                        {.kind = "video", .direction = "sendonly", .mid = "1", .codecs = "vp9 vp8"}};
static const struct offer_line av1[] = {{.kind = "video", .direction = "sendonly", .mid = "0", .codecs = "av1 vp8"}};
static const struct offer_line vp8[] = {{.kind = "video", .direction = "sendonly", .mid = "0", .codecs = "vp8"}};

static void publish_svc(uint32_t handle, const char *offer, const char *svc)
{
    const struct fake_say say = {.jsep = "offer", .sdp = offer, .svc = svc};
    fake_say_jsep(&h, handle, &say, "{'request':'publish'}");
    fake_up(&h, handle);
    fake_forget(&h);
}

static uint32_t svc_publisher(unsigned id)
{
    uint32_t handle = guest(id, NULL);
    publish_svc(handle, offer_of(vp9, 2), "[{\"mindex\":1,\"svc\":\"L3T3\"}]");
    return handle;
}

/* Does a viewer of publisher `id` see the stream as one of SVC? */
static bool is_told(unsigned id)
{
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'publisher'}");
    const struct fake_event *joined = fake_hear(&h, me);
    size_t i, k;
    const json_t *p, *stream;
    bool found = false;
    json_array_foreach(json_object_get(joined->data, "publishers"), i, p)
        json_array_foreach(json_object_get(p, "streams"), k, stream)
            if (json_integer_value(json_object_get(p, "id")) == (json_int_t)id && json_object_get(stream, "svc") != NULL) {
                assert_true(json_is_true(json_object_get(stream, "svc")));
                found = true;
            }
    fake_detach(&h, me);
    fake_forget(&h);
    return found;
}

static void test_the_publisher_says_so_in_its_jsep(void **state)
{
    (void)state;
    static const struct { const struct offer_line *lines; unsigned count; const char *svc; bool is; } cases[] = {
        {vp9, 2, "[{\"mindex\":1,\"svc\":\"L3T3\"}]", true},
        {vp9, 2, "[{\"mindex\":0,\"svc\":\"L1T1\"},{\"mindex\":1,\"svc\":\"L3T3\"}]", true},
        {vp9, 2, NULL, false},
        {vp9, 2, "[{\"mindex\":0,\"svc\":\"L3T3\"}]", false},
        {vp9, 2, "[{\"mid\":\"1\",\"svc\":\"L3T3\"}]", false},          /* no mindex is 0 */
        {av1, 1, "[{\"mid\":\"x\",\"svc\":\"L3T3\"}]", true},
        {vp8, 1, "[{\"mindex\":0,\"svc\":\"L1T3\"}]", false},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        uint32_t handle = guest(10 + i, NULL);
        publish_svc(handle, offer_of(cases[i].lines, cases[i].count), cases[i].svc);
        assert_int_equal(is_told(10 + i), cases[i].is);
    }
}

static void test_simulcast_rules_it_out(void **state)
{
    (void)state;
    static const struct jsep_simulcast layers[] = {{.mindex = 1, .mid = "1", .layer_count = 3, .by_rid = true}};
    const struct fake_say say = {.jsep = "offer", .sdp = offer_of(vp9, 2), .simulcast = layers, .simulcast_count = 1, .svc = "[{\"mindex\":1,\"svc\":\"L1T3\"}]"};
    uint32_t handle = guest(1, NULL);
    fake_say_jsep(&h, handle, &say, "{'request':'publish'}");
    fake_up(&h, handle);
    fake_forget(&h);
    assert_false(is_told(1));
}

#define SVC(s, st, t, tt) "'svc':{'spatial-layer':" #s ",'target-spatial-layer':" #st ",'temporal-layer':" #t ",'target-temporal-layer':" #tt "}"
#define STREAM(ready, svc) "'streams':[{'type':'video','active':true,'mindex':0,'mid':'0','ready':" ready ",'send':true,'feed_id':1,'feed_mid':'1','codec':'vp9'," svc "}]"

static uint32_t svc_watcher(const char *fields)
{
    char streams[256];
    snprintf(streams, sizeof(streams), "[{'feed':1,'mid':'1'%s}]", fields);
    return watcher(streams);
}

static void test_layers_are_asked_for_and_told(void **state)
{
    (void)state;
    uint32_t bob = svc_publisher(1), me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','streams':[{'feed':1,'mid':'1','spatial_layer':1,'temporal_layer':0,'substream':0}]}");
    const struct fake_event *event = expect_offer(me, "{" ATTACHED "," STREAM("false", SVC(-1, 1, -1, 0)) "}");
    assert_true(line_has(event->sdp, 0, "a=extmap:3 " TWCC_URI));
    assert_false(line_has(event->sdp, 0, "a=extmap:8 " DD_URI));
    watcher_starts(me);
    fake_up(&h, me);
    assert_true(fake_sink(&h, me, 0)->options.svc);
    assert_int_equal(fake_sink(&h, me, 0)->options.substream_target, 1);
    assert_int_equal(fake_sink(&h, me, 0)->options.temporal_target, 0);

    fake_layer(&h, me, 0, 0, 0);
    expect_told(&h, me, "{" EVENT ",'mid':'0','spatial_layer':0}");
    expect_told(&h, me, "{" EVENT ",'mid':'0','temporal_layer':0}");
    fake_layer(&h, me, 0, 1, 0);
    expect_told(&h, me, "{" EVENT ",'mid':'0','spatial_layer':1}");
    expect_nothing(&h);

    const uint32_t keyframes = fake_source(&h, bob, 1)->keyframes;
    fake_say(&h, me, "{'request':'configure','spatial_layer':1,'temporal_layer':0}");
    expect_told(&h, me, "{" EVENT ",'mid':'0','spatial_layer':1}");         /* it is so already: told at once, before the reply */
    expect_told(&h, me, "{" EVENT ",'mid':'0','temporal_layer':0}");
    expect_reply(&h, me, "{" EVENT ",'configured':'ok'}");
    fake_say(&h, me, "{'request':'configure','streams':[{'mid':'0','spatial_layer':2,'temporal_layer':2,'substream':0,'temporal':0}]}");
    expect_reply(&h, me, "{" EVENT ",'configured':'ok'}");
    assert_int_equal(fake_sink(&h, me, 0)->options.substream_target, 2);
    assert_int_equal(fake_sink(&h, me, 0)->options.temporal_target, 2);
    assert_int_equal(fake_source(&h, bob, 1)->keyframes, keyframes);         /* the sink asks */
}

static void test_it_is_chosen_in_every_way(void **state)
{
    (void)state;
    (void)svc_publisher(1);
    (void)svc_publisher(2);
    (void)publisher_of(3, offer_of(vp8, 1), NULL);
    uint32_t me = svc_watcher("");
    assert_int_equal(fake_sink(&h, me, 0)->options.substream_target, 2);
    fake_say(&h, me, "{'request':'switch','streams':[{'feed':2,'mid':'1','sub_mid':'0','spatial_layer':0,'temporal_layer':1}]}");
    fake_forget(&h);
    assert_true(fake_sink(&h, me, 0)->options.svc);
    assert_int_equal(fake_sink(&h, me, 0)->options.substream_target, 0);
    assert_int_equal(fake_sink(&h, me, 0)->options.temporal_target, 1);
    fake_say(&h, me, "{'request':'subscribe','streams':[{'feed':1,'mid':'1','spatial_layer':1},{'feed':3,'mid':'0','spatial_layer':1}]}");
    fake_answer(&h, me, "start");
    fake_forget(&h);
    assert_true(fake_sink(&h, me, 1)->options.svc);
    assert_int_equal(fake_sink(&h, me, 1)->options.substream_target, 1);
    assert_int_equal(fake_sink(&h, me, 1)->options.temporal_target, 2);
    assert_false(fake_sink(&h, me, 2)->options.svc);
    assert_int_equal(fake_sink(&h, me, 2)->options.substream_target, 2);
    fake_forget(&h);
    fake_layer(&h, me, 2, 0, 1);
    expect_nothing(&h);                                                     /* it has neither */
}

static void test_av1_is_offered_with_its_descriptor(void **state)
{
    (void)state;
    uint32_t one = guest(1, NULL), two = guest(2, NULL), three = guest(3, NULL);
    static const struct offer_line bare[] = {{.kind = "video", .direction = "sendonly", .mid = "0", .codecs = "av1", .bare = true}};
    publish_svc(one, offer_of(av1, 1), "[{\"mindex\":0,\"svc\":\"L3T3\"}]");
    publish_svc(two, offer_of(av1, 1), NULL);
    publish_svc(three, offer_of(bare, 1), "[{\"mindex\":0,\"svc\":\"L3T3\"}]");
    for (unsigned feed = 1; feed <= 3; feed++) {
        uint32_t me = fake_attach(&h);
        fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','streams':[{'feed':%u}]}", feed);
        const struct fake_event *event = fake_hear(&h, me);
        assert_int_equal(line_has(event->sdp, 0, "a=extmap:8 " DD_URI), feed == 1);
    }
}

/* A renegotiation that says nothing of it leaves it as it is; one that says it is something else ends it, for those who watch too. */
static void test_a_renegotiation_may_change_it(void **state)
{
    (void)state;
    uint32_t bob = svc_publisher(1), me = svc_watcher("");
    fake_layer(&h, me, 0, 2, 2);
    fake_forget(&h);
    static const struct { const char *svc; bool is; } steps[] = {{NULL, true}, {"[{\"mindex\":0,\"svc\":\"L3T3\"}]", false},
        {NULL, false}, {"[{\"mindex\":1,\"svc\":\"L2T1\"}]", true}};
    for (unsigned i = 0; i < ARRAY_COUNT(steps); i++) {
        const struct fake_say say = {.jsep = "offer", .sdp = offer_of(vp9, 2), .svc = steps[i].svc};
        fake_say_jsep(&h, bob, &say, "{'request':'configure'}");
        assert_int_equal(fake_sink(&h, me, 0)->options.svc, steps[i].is);
        assert_int_equal(is_told(1), steps[i].is);
    }
}

int main(void)
{
#define SVC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, rooms_teardown)
    const struct CMUnitTest tests[] = {
        SVC_TEST(test_the_publisher_says_so_in_its_jsep),
        SVC_TEST(test_simulcast_rules_it_out),
        SVC_TEST(test_layers_are_asked_for_and_told),
        SVC_TEST(test_it_is_chosen_in_every_way),
        SVC_TEST(test_av1_is_offered_with_its_descriptor),
        SVC_TEST(test_a_renegotiation_may_change_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
