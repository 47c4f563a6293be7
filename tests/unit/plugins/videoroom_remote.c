/* Publishers that are on two servers: ours elsewhere, others' here (videoroom.md 7). */
#include "rooms.h"

#define STREAMS "'streams':[{'mid':'a','mindex':7,'type':'audio','codec':'opus','fec':true,'audiolevel_ext_id':1},"                   \
                "{'mid':'b','mindex':9,'type':'video','codec':'vp8','simulcast':true,'description':'cam'}]"
#define REMOTE  "[{'type':'audio','mindex':0,'mid':'0','codec':'opus','fec':true},"                                                    \
                "{'type':'video','mindex':1,'mid':'1','description':'cam','codec':'vp8','simulcast':true}]"

static uint32_t admin;

static void add_remote(unsigned id, const char *fields)
{
    fake_say(&h, admin, "{'request':'add_remote_publisher','room':1234,'id':%u,%s}", id, fields);
    assert_int_equal(h.last.outcome, PLUGIN_WAIT);
    assert_int_equal(fake_end_op_at(&h, "0.0.0.0", 10000)->outcome, PLUGIN_WAIT);
    assert_int_equal(fake_end_op_at(&h, "0.0.0.0", 10001)->outcome, PLUGIN_SYNC);
}

static void test_a_remote_publisher_is_one_like_others(void **state)
{
    (void)state;
    admin = fake_attach(&h);
    uint32_t other = guest(1, NULL);
    add_remote(901, "'display':'Far','metadata':{'x':1}," STREAMS);
    expect_sync(&h, "{'videoroom':'success','room':1234,'id':901,'port':10000,'rtcp_port':10001}");
    expect_told(&h, other, "{" EVENT ",'publishers':[{'id':901,'display':'Far','metadata':{'x':1},'audio_codec':'opus','video_codec':'vp8','streams':" REMOTE "}]}");
    assert_int_equal(fake_inlet_count(&h), 2);
    assert_int_equal(fake_inlet_at(&h, 0)->inlet.ssrc, 1000);
    assert_int_equal(fake_inlet_at(&h, 0)->inlet.ext.audio_level, 1);
    assert_int_equal(fake_inlet_at(&h, 1)->inlet.ssrc, 1010);
    assert_int_equal(fake_inlet_at(&h, 1)->desc.layer_count, 3);
    fake_say(&h, admin, "{'request':'listparticipants','room':1234}");
    expect_sync(&h, "{'videoroom':'participants','room':1234,'participants':[{'id':1,'publisher':false},"
                    "{'id':901,'display':'Far','metadata':{'x':1},'remote':true,'publisher':true,'talking':false}]}");
    uint32_t viewer_handle = watcher("[{'feed':901}]");
    assert_true(ref_equal(fake_sink(&h, viewer_handle, 1)->source, fake_inlet_at(&h, 1)->ref));
    fake_forget(&h);
    fake_say(&h, admin, "{'request':'remove_remote_publisher','room':1234,'id':901}");
    expect_sync(&h, "{'videoroom':'success'}");
    expect_told(&h, other, "{" EVENT ",'leaving':901,'display':'Far','metadata':{'x':1}}");
    expect_offer_told(viewer_handle, "{" UPDATED ",'streams':[" IDLE("audio", 0) "," IDLE("video", 1) "]}");
    assert_int_equal(fake_inlet_count(&h), 0);
    assert_int_equal(fake_plain_count(&h), 0);
    fake_say(&h, admin, "{'request':'remove_remote_publisher','room':1234,'id':901}");
    expect_sync(&h, "{'videoroom':'event','error_code':428,'error':'No such remote publisher (901)'}");
}

static void test_no_socket_no_publisher(void **state)
{
    (void)state;
    admin = fake_attach(&h);
    uint32_t other = guest(1, NULL);
    for (unsigned n = 0; n < 2; n++) {
        fake_say(&h, admin, "{'request':'add_remote_publisher','room':1234,'id':901," STREAMS "}");
        if (n == 1)
            fake_end_op_at(&h, "0.0.0.0", 10000);
        fake_end_op(&h, ERR_FULL, NULL);
        expect_sync(&h, "{'videoroom':'event','error_code':499,'error':'Could not open UDP socket for RTP stream'}");
        assert_int_equal(fake_plain_count(&h), 0);
    }
    fake_say(&h, admin, "{'request':'add_remote_publisher','room':1234,'id':901," STREAMS "}");
    fake_end_op_at(&h, "0.0.0.0", 10000);
    (void)guest(901, NULL);                     /* somebody takes the id meanwhile */
    fake_end_op_at(&h, "0.0.0.0", 10001);
    expect_sync(&h, "{'videoroom':'event','error_code':436,'error':'User ID 901 already exists'}");
    assert_int_equal(fake_plain_count(&h), 0);
    fake_say(&h, admin, "{'request':'add_remote_publisher','room':1234,'id':902," STREAMS "}");
    fake_end_op_at(&h, "0.0.0.0", 10000);
    fake_say(&h, other, "{'request':'destroy','room':1234}");
    fake_end_op_at(&h, "0.0.0.0", 10001);
    expect_sync(&h, "{'videoroom':'event','error_code':426,'error':'No such room (1234)'}");
    assert_int_equal(fake_plain_count(&h), 0);
}

static void test_what_add_checks(void **state)
{
    static const struct {
        const char *fields;
        int code;
    } cases[] = {
        {"'streams':[]", 430},
        {"'streams':[{'mid':'0','mindex':0,'type':'smell'}]", 430},
        {"'streams':[{'mid':'0','mindex':0,'type':'audio'}]", 429},
        {"'streams':[{'mid':'0','mindex':0,'type':'audio','codec':'vp8'}]", 429},
        {"'streams':[{'mid':'0','mindex':0,'type':'audio','codec':'mp3'}]", 429},
        {"'streams':[{'mid':'0','type':'audio','codec':'opus'}]", 429},
        {"'streams':[5]", 430},
        {"'srtp_suite':64,'srtp_crypto':'AAAA'," STREAMS, 430},
        {"'port':70000," STREAMS, 430},
        {"'iface':'a-name-of-an-interface-that-is-too-long'," STREAMS, 499},
        {"'iface':''," STREAMS, 499},
        {"'iface':'::1','mcast':'239.0.0.1'," STREAMS, 499},
        {"'id':1," STREAMS, 436},
    };
    (void)state;
    admin = fake_attach(&h);
    guest(1, NULL);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        fake_say(&h, admin, "{'request':'add_remote_publisher','room':1234,%s}", cases[i].fields);
        expect_error(&h, UINT32_MAX, cases[i].code);
    }
    assert_int_equal(fake_plain_count(&h), 0);
}

static void test_where_the_sockets_are(void **state)
{
    static const struct {
        const char *fields;
        const char *interface, *local, *multicast;
    } cases[] = {
        {"'display':'x',", "", "0.0.0.0", NULL},
        {"'iface':'127.0.0.1',", "", "127.0.0.1", NULL},
        {"'iface':'::1',", "", "::1", NULL},
        {"'iface':'eth0',", "eth0", "0.0.0.0", NULL},
        {"'mcast':'239.1.2.3',", "", "0.0.0.0", "239.1.2.3"},
        {"'mcast':'239.1.2.3','iface':'lo',", "lo", "0.0.0.0", "239.1.2.3"},
        {"'mcast':'ff02::1:5',", "", "::", "ff02::1:5"},
        {"'mcast':'10.0.0.1',", "", "0.0.0.0", NULL},           /* no group: as in the reference, nothing */
        {"'mcast':'hello',", "", "0.0.0.0", NULL},
    };
    (void)state;
    admin = fake_attach(&h);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[NET_IP_TEXT];
        fake_say(&h, admin, "{'request':'add_remote_publisher','room':1234,%s" STREAMS "}", cases[i].fields);
        const struct plain_options *first = &h.plains[2 * i].options, *second = &h.plains[2 * i + 1].options;
        assert_string_equal(first->interface, cases[i].interface);
        assert_string_equal(net_ip_text(&first->local, text), cases[i].local);
        assert_int_equal(first->multicast.family != NET_NONE, cases[i].multicast != NULL);
        if (cases[i].multicast != NULL)
            assert_string_equal(net_ip_text(&first->multicast, text), cases[i].multicast);
        fake_end_op_at(&h, "239.1.2.3", 10000);
        assert_string_equal(second->interface, cases[i].interface);
        assert_int_equal(second->multicast.family, NET_NONE);
        fake_end_op_at(&h, "192.0.2.1", 10001);
        expect_sync(&h, "{'videoroom':'success','room':1234,'id':'*','ip':'192.0.2.1','port':10000,'rtcp_port':10001}");
    }
    fake_say(&h, admin, "{'request':'add_remote_publisher','room':1234,'iface':'nowhere'," STREAMS "}");
    fake_end_op(&h, ERR_INVALID, NULL);
    expect_sync(&h, "{'videoroom':'event','error_code':499,'error':'Invalid network interface configuration for remote publisher'}");
}

/* Messages have no codec and no key, and go by the same port as the rest. */
static void test_data_streams_of_remote_publishers(void **state)
{
    (void)state;
    admin = fake_attach(&h);
    uint32_t other = guest(1, NULL);
    add_remote(901, "'srtp_suite':80,'srtp_crypto':'c2hvcnQ=','streams':[{'mid':'a','mindex':0,'type':'audio','codec':'opus'},"
                    "{'mid':'d','mindex':1,'type':'data','description':'chat'}]");
    expect_told(&h, other, "{" EVENT ",'publishers':[{'id':901,'streams':[{'type':'audio','mindex':0,'mid':'0','disabled':true},"
                           "{'type':'data','mindex':1,'mid':'1','description':'chat'}]}]}");
    assert_int_equal(fake_inlet_count(&h), 1);
    assert_int_equal(fake_inlet_at(&h, 0)->desc.kind, MEDIA_DATA);
    assert_int_equal(fake_inlet_at(&h, 0)->inlet.ssrc, 1010);
    uint32_t me = watcher("[{'feed':901,'mid':'1'}]");
    const struct fake_sink *sink = fake_data_sink(&h, me, "901");
    assert_non_null(sink);
    assert_true(ref_equal(sink->source, fake_inlet_at(&h, 0)->ref));
    fake_say(&h, admin, "{'request':'update_remote_publisher','room':1234,'id':901,'streams':[{'mid':'1','mindex':1,'type':'data','disabled':true}]}");
    assert_false(fake_inlet_at(&h, 0)->active);
    fake_say(&h, admin, "{'request':'update_remote_publisher','room':1234,'id':901,'streams':[{'mid':'1','mindex':1,'type':'data','disabled':false}]}");
    assert_true(fake_inlet_at(&h, 0)->active);
    fake_say(&h, admin, "{'request':'remove_remote_publisher','room':1234,'id':901}");
    assert_int_equal(fake_inlet_count(&h), 0);
}

static void test_streams_that_cannot_be_are_disabled(void **state)
{
    (void)state;
    admin = fake_attach(&h);
    uint32_t other = guest(1, NULL);
    add_remote(901, "'streams':[{'mid':'0','mindex':0,'type':'video','codec':'h264'},{'mid':'1','mindex':1,'type':'audio','codec':'opus','disabled':true}]");
    expect_told(&h, other, "{" EVENT ",'publishers':[{'id':901,'streams':[{'type':'video','mindex':0,'mid':'0','disabled':true},"
                           "{'type':'audio','mindex':1,'mid':'1','disabled':true}]}]}");
    assert_int_equal(fake_inlet_count(&h), 0);
    add_remote(902, "'srtp_suite':80,'srtp_crypto':'c2hvcnQ='," STREAMS);
    assert_int_equal(fake_inlet_count(&h), 0);
    fake_forget(&h);
    fake_say(&h, admin, "{'request':'update_remote_publisher','room':1234,'id':901,'streams':[{'mid':'1','mindex':1,'type':'audio','codec':'opus','disabled':false},"
                        "{'mid':'2','mindex':2,'type':'video','codec':'vp8'},{'mid':'9','mindex':9,'type':'video','codec':'vp8'}]}");
    expect_sync(&h, "{'videoroom':'success'}");
    expect_told(&h, other, "{" EVENT ",'publishers':[{'id':901,'audio_codec':'opus','video_codec':'vp8','streams':[{'type':'video','mindex':0,'mid':'0','disabled':true},"
                           "{'type':'audio','mindex':1,'mid':'1','codec':'opus'},{'type':'video','mindex':2,'mid':'2','codec':'vp8'}]}]}");
    assert_int_equal(fake_inlet_count(&h), 2);
    assert_int_equal(fake_inlet_at(&h, 1)->inlet.ssrc, 1020);
    fake_say(&h, admin, "{'request':'update_remote_publisher','room':1234,'id':901,'streams':[],'display':'Renamed'}");
    expect_sync(&h, "{'videoroom':'success'}");
    expect_silence(&h, other);                  /* names are replaced silently */
    fake_say(&h, admin, "{'request':'update_remote_publisher','room':1234,'id':1,'streams':[]}");
    expect_error(&h, UINT32_MAX, 428);
}

static void test_a_remote_publisher_can_be_kicked_and_goes_with_its_room(void **state)
{
    (void)state;
    admin = fake_attach(&h);
    uint32_t other = guest(1, NULL);
    add_remote(901, STREAMS);
    add_remote(902, STREAMS);
    fake_forget(&h);
    fake_say(&h, admin, "{'request':'kick','room':1234,'id':901}");
    expect_sync(&h, "{'videoroom':'success'}");
    expect_told(&h, other, "{" EVENT ",'kicked':901}");
    assert_int_equal(fake_plain_count(&h), 2);
    fake_say(&h, admin, "{'request':'moderate','room':1234,'id':902,'mid':'0','mute':true}");
    assert_false(fake_inlet_at(&h, 0)->active);
    fake_say(&h, admin, "{'request':'destroy','room':1234}");
    expect_sync(&h, "{'videoroom':'destroyed','room':1234,'permanent':false}");
    assert_int_equal(fake_plain_count(&h), 0);
    assert_int_equal(fake_inlet_count(&h), 0);
}

static void test_remote_publishers_count(void **state)
{
    (void)state;
    admin = fake_attach(&h);
    room_create(7, "'publishers':1");
    fake_say(&h, admin, "{'request':'add_remote_publisher','room':7,'id':901," STREAMS "}");
    fake_end_op_at(&h, "0.0.0.0", 10000);
    fake_end_op_at(&h, "0.0.0.0", 10001);
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':7,'ptype':'publisher'}");
    fake_forget(&h);
    const struct fake_say offer = {.jsep = "offer", .sdp = offer_av()};
    fake_say_jsep(&h, me, &offer, "{'request':'publish'}");
    expect_error(&h, me, 432);
}

/* ---- ours elsewhere ---- */

#define REMOTIZE "'request':'publish_remotely','room':1234,'publisher_id':1,'remote_id':'B','host':'10.0.0.2','port':10000"

static void test_a_publisher_goes_elsewhere_as_well(void **state)
{
    (void)state;
    admin = fake_attach(&h);
    uint32_t me = publisher(1);
    fake_say(&h, admin, "{" REMOTIZE ",'rtcp_port':10001}");
    fake_end_op_at(&h, "0.0.0.0", 40000);
    assert_int_equal(h.plains[1].options.use, PLAIN_ASK);
    fake_end_op_at(&h, "0.0.0.0", 40001);
    expect_sync(&h, "{'videoroom':'success','room':1234,'id':1,'remote_id':'B'}");
    assert_int_equal(fake_forward_count(&h), 2);
    assert_int_equal(fake_forward_at(&h, 0)->options.ssrc, 1000);
    assert_true(ref_is_none(fake_forward_at(&h, 0)->way.rtcp));
    assert_int_equal(fake_forward_at(&h, 1)->options.ssrc, 1010);
    assert_true(fake_forward_at(&h, 1)->options.match_ssrc && !ref_is_none(fake_forward_at(&h, 1)->way.rtcp));
    assert_true(fake_source(&h, me, 1)->keyframes > 0);
    fake_say(&h, admin, "{" REMOTIZE "}");
    expect_sync(&h, "{'videoroom':'event','error_code':436,'error':'Remotization already exists (B)'}");
    fake_say(&h, admin, "{'request':'list_remotes','room':1234,'publisher_id':1}");
    expect_sync(&h, "{'videoroom':'success','room':1234,'id':1,'list':[{'remote_id':'B','host':'10.0.0.2','port':10000,'rtcp_port':10001}]}");
    fake_say(&h, admin, "{'request':'listforwarders','room':1234}");
    expect_sync(&h, "{'videoroom':'forwarders','room':1234,'publishers':[{'publisher_id':1,'forwarders':[]}]}");
    fake_say(&h, admin, "{'request':'unpublish_remotely','room':1234,'publisher_id':1,'remote_id':'B'}");
    expect_sync(&h, "{'videoroom':'success','room':1234,'id':1}");
    assert_int_equal(fake_forward_count(&h), 0);
    assert_int_equal(fake_plain_count(&h), 0);
    fake_say(&h, admin, "{'request':'unpublish_remotely','room':1234,'publisher_id':1,'remote_id':'B'}");
    expect_sync(&h, "{'videoroom':'event','error_code':428,'error':'No such remotization (B)'}");
}

static void test_streams_that_come_later_go_there_too(void **state)
{
    (void)state;
    admin = fake_attach(&h);
    const struct offer_line audio = {.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "opus"};
    uint32_t me = publisher_of(1, offer_of(&audio, 1), NULL);
    fake_say(&h, admin, "{" REMOTIZE "}");
    fake_end_op_at(&h, "0.0.0.0", 40000);
    assert_int_equal(fake_forward_count(&h), 1);
    const struct fake_say more = {.jsep = "offer", .sdp = offer_av()};
    fake_say_jsep(&h, me, &more, "{'request':'configure'}");
    assert_int_equal(fake_forward_count(&h), 2);
}

/* Asked for once, it holds: before there is media, from one publication to the next, until its publisher leaves. */
static void test_a_remotization_outlives_the_media(void **state)
{
    (void)state;
    admin = fake_attach(&h);
    uint32_t me = guest(1, NULL);
    fake_say(&h, admin, "{" REMOTIZE ",'rtcp_port':10001}");
    expect_sync(&h, "{'videoroom':'success','room':1234,'id':1,'remote_id':'B'}");
    assert_int_equal(fake_plain_count(&h), 0);
    for (unsigned round = 0; round < 2; round++) {
        fake_forget(&h);
        publish(me, offer_av(), NULL);
        assert_int_equal(fake_plain_count(&h), 2);          /* opened with nobody waiting for them */
        assert_int_equal(fake_forward_count(&h), 2);
        assert_int_equal(fake_forward_at(&h, 1)->options.ssrc, 1010);
        assert_false(ref_is_none(fake_forward_at(&h, 1)->way.rtcp));
        fake_say(&h, me, "{'request':'unpublish'}");
        fake_turn(&h);
        assert_int_equal(fake_plain_count(&h), 0);
        fake_say(&h, admin, "{'request':'listremotes','room':1234,'publisher_id':1}");
        expect_sync(&h, "{'videoroom':'success','room':1234,'id':1,'list':[{'remote_id':'B','host':'10.0.0.2','port':10000,'rtcp_port':10001}]}");
    }
    fake_say(&h, me, "{'request':'leave'}");
    fake_say(&h, admin, "{'request':'listremotes','room':1234,'publisher_id':1}");
    expect_error(&h, UINT32_MAX, 428);
}

static void test_messages_go_elsewhere_in_the_clear(void **state)
{
    static const struct offer_line lines[] = {{.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "opus"}, {.kind = "application", .mid = "1"}};
    (void)state;
    admin = fake_attach(&h);
    uint32_t me = publisher_of(1, offer_of(lines, 2), NULL);
    fake_say(&h, admin, "{" REMOTIZE ",'rtcp_port':10001,'srtp_suite':80,'srtp_crypto':'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk'}");
    fake_end_op_at(&h, "0.0.0.0", 40000);
    fake_end_op_at(&h, "0.0.0.0", 40001);
    expect_sync(&h, "{'videoroom':'success','room':1234,'id':1,'remote_id':'B'}");
    assert_int_equal(fake_forward_count(&h), 2);
    assert_int_equal(fake_forward_at(&h, 0)->options.srtp.suite, 80);
    assert_false(fake_forward_at(&h, 0)->options.enveloped);
    const struct fake_forward *data = fake_forward_at(&h, 1);
    assert_int_equal(data->options.srtp.suite, 0);
    assert_true(data->options.enveloped);
    assert_int_equal(data->options.ssrc, 1010);
    assert_true(ref_is_none(data->way.rtcp));
    fake_say(&h, me, "{'request':'unpublish'}");            /* a key is for one publication: numbers may come again in the next */
    fake_turn(&h);
    assert_int_equal(fake_plain_count(&h), 0);
    fake_say(&h, admin, "{'request':'listremotes','room':1234,'publisher_id':1}");
    expect_sync(&h, "{'videoroom':'success','room':1234,'id':1,'list':[]}");
}

static void test_what_publish_remotely_checks(void **state)
{
    (void)state;
    admin = fake_attach(&h);
    add_remote(901, STREAMS);
    fake_say(&h, admin, "{'request':'publish_remotely','room':1234,'publisher_id':901,'remote_id':'B','host':'10.0.0.2','port':10000}");
    expect_sync(&h, "{'videoroom':'event','error_code':430,'error':'Only local publishers can be remotized'}");
    fake_say(&h, admin, "{" REMOTIZE "}");
    expect_error(&h, UINT32_MAX, 428);          /* nobody of that id */
    fake_say(&h, admin, "{'request':'publish_remotely','room':1234,'publisher_id':1,'remote_id':'B','host':'10.0.0.2','port':0}");
    expect_sync(&h, "{'videoroom':'event','error_code':430,'error':'Invalid element (port must be a non-zero positive integer)'}");
    fake_say(&h, admin, "{'request':'publish_remotely','room':1234,'publisher_id':77,'remote_id':'B','host':'10.0.0.2','port':1}");
    expect_error(&h, UINT32_MAX, 428);
    fake_say(&h, admin, "{'request':'listremotes','room':1234,'publisher_id':77}");
    expect_error(&h, UINT32_MAX, 428);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_a_remote_publisher_is_one_like_others),
        ROOM_TEST(test_no_socket_no_publisher),
        ROOM_TEST(test_what_add_checks),
        ROOM_TEST(test_where_the_sockets_are),
        ROOM_TEST(test_data_streams_of_remote_publishers),
        ROOM_TEST(test_a_remotization_outlives_the_media),
        ROOM_TEST(test_messages_go_elsewhere_in_the_clear),
        ROOM_TEST(test_streams_that_cannot_be_are_disabled),
        ROOM_TEST(test_a_remote_publisher_can_be_kicked_and_goes_with_its_room),
        ROOM_TEST(test_remote_publishers_count),
        ROOM_TEST(test_a_publisher_goes_elsewhere_as_well),
        ROOM_TEST(test_streams_that_come_later_go_there_too),
        ROOM_TEST(test_what_publish_remotely_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
