/* Forwards while they are being made: names looked up, sockets opened one by one, and everything else going on meanwhile. What
 * does not become a forward leaves no socket behind. */
#include "rooms.h"

#include "base/str.h"

#define ASK "'request':'rtp_forward','room':1234,'publisher_id':1,'host':'10.0.0.9'"

static uint32_t admin;

static void begin(void)
{
    admin = fake_attach(&h);
    publisher(1);
}

static int wait_of(const char *fields)
{
    return (int)fake_say(&h, admin, "{" ASK ",%s}", fields)->outcome;
}

static void test_two_streams_and_an_rtcp_port_take_two_sockets(void **state)
{
    (void)state;
    begin();
    assert_int_equal(wait_of("'streams':[{'mid':'0','port':5002},{'mid':'1','port':5004,'rtcp_port':5005,'pt':120,'ssrc':7}]"), PLUGIN_WAIT);
    assert_int_equal(fake_plain_count(&h), 1);
    assert_int_equal(h.plains[0].options.use, PLAIN_SEND);
    assert_int_equal(fake_end_op_at(&h, "0.0.0.0", 40000)->outcome, PLUGIN_WAIT);
    assert_int_equal(h.plains[1].options.use, PLAIN_ASK);
    assert_int_equal(h.plains[1].options.latch.port, 5005);
    assert_int_equal(fake_end_op_at(&h, "0.0.0.0", 40001)->outcome, PLUGIN_SYNC);
    expect_sync(&h, "{'videoroom':'rtp_forward','room':1234,'publisher_id':1,'forwarders':["
                    "{'stream_id':'*','host':'10.0.0.9','port':5002,'type':'audio'},"
                    "{'stream_id':'*','host':'10.0.0.9','port':5004,'type':'video','local_rtcp_port':40001,'remote_rtcp_port':5005,'pt':120,'ssrc':7}]}");
    assert_int_equal(fake_forward_count(&h), 2);
    assert_true(ref_equal(fake_forward_at(&h, 1)->way.rtcp, h.plains[1].ref));
    assert_int_equal(fake_forward_at(&h, 1)->options.ssrc, 7);
}

static void test_the_second_request_uses_the_sockets_of_the_first(void **state)
{
    (void)state;
    begin();
    wait_of("'streams':[{'mid':'0','port':5002}]");
    fake_end_op_at(&h, "0.0.0.0", 40000);
    assert_int_equal(wait_of("'streams':[{'mid':'1','port':5004}]"), PLUGIN_SYNC);
    assert_int_equal(fake_plain_count(&h), 1);
    assert_int_equal(wait_of("'streams':[{'mid':'1','port':5004,'host':'2001:db8::1'}]"), PLUGIN_WAIT);
    assert_int_equal(h.plains[1].options.local.family, NET_IP6);
    fake_end_op_at(&h, "::", 40001);
    assert_int_equal(fake_forward_count(&h), 3);
}

/* Messages, in both forms of the request: no type, SSRC, key or RTCP are theirs. */
static void test_messages_are_forwarded(void **state)
{
    static const struct offer_line lines[] = {{.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "opus"}, {.kind = "application", .mid = "1"}};
    (void)state;
    admin = fake_attach(&h);
    publisher_of(1, offer_of(lines, 2), NULL);
    assert_int_equal(wait_of("'srtp_suite':80,'srtp_crypto':'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk',"
                             "'streams':[{'mid':'1','port':5006,'pt':96,'ssrc':7,'rtcp_port':5007,'port_2':5008,'simulcast':true}]"), PLUGIN_WAIT);
    fake_end_op_at(&h, "0.0.0.0", 40000);
    expect_sync(&h, "{'videoroom':'rtp_forward','room':1234,'publisher_id':1,'forwarders':[{'stream_id':'*','host':'10.0.0.9','port':5006,'type':'data'}]}");
    assert_int_equal(fake_plain_count(&h), 1);
    assert_int_equal(fake_forward_count(&h), 1);
    assert_int_equal(fake_forward_at(&h, 0)->options.srtp.suite, 0);
    assert_false(fake_forward_at(&h, 0)->options.enveloped);
    assert_int_equal(wait_of("'data_port':5010,'audio_port':5012"), PLUGIN_SYNC);
    expect_sync(&h, "{'videoroom':'rtp_forward','room':1234,'publisher_id':1,'rtp_stream':{'audio_stream_id':'*','audio':5012,"
                    "'data_stream_id':'*','data':5010,'host':'10.0.0.9','warning':'deprecated_api'}}");
    assert_int_equal(fake_forward_count(&h), 3);
    fake_say(&h, admin, "{" ASK ",'data_port':70000}");
    expect_error(&h, UINT32_MAX, 430);
}

/* The first, the second, the third socket. */
static void test_a_socket_that_cannot_be_had_is_499_and_leaves_nothing(void **state)
{
    (void)state;
    begin();
    for (unsigned n = 0; n < 3; n++) {
        wait_of("'streams':[{'mid':'0','port':5002,'rtcp_port':5003},{'mid':'1','port':5004,'rtcp_port':5005}]");
        for (unsigned i = 0; i < n; i++)
            assert_int_equal(fake_end_op_at(&h, "0.0.0.0", 40000)->outcome, PLUGIN_WAIT);
        fake_end_op(&h, ERR_FULL, NULL);
        expect_sync(&h, "{'videoroom':'event','error_code':499,'error':'Could not open UDP socket for RTP stream'}");
        assert_int_equal(fake_plain_count(&h), 0);
        assert_int_equal(fake_forward_count(&h), 0);
    }
    h.refuse_op = ERR_FULL;
    assert_int_equal(wait_of("'streams':[{'mid':'0','port':5002}]"), PLUGIN_SYNC);
    expect_sync(&h, "{'videoroom':'event','error_code':499,'error':'Could not open UDP socket for RTP stream'}");
    assert_int_equal(fake_plain_count(&h), 0);
}

static void test_whatever_ends_a_step_takes_all_back(void **state)
{
    static const enum err ends[] = {ERR_TIMEOUT, ERR_GONE, ERR_IO};
    (void)state;
    begin();
    for (unsigned i = 0; i < ARRAY_COUNT(ends); i++) {
        wait_of("'streams':[{'mid':'0','port':5002,'rtcp_port':5003}]");
        fake_end_op_at(&h, "0.0.0.0", 40000);
        assert_int_equal(fake_plain_count(&h), 2);
        assert_int_equal(fake_end_op(&h, ends[i], NULL)->outcome, PLUGIN_SYNC);
        assert_int_equal(fake_plain_count(&h), 0);
    }
    wait_of("'streams':[{'mid':'0','port':5002}]");
    fake_detach(&h, admin);                     /* ends what it has open */
    assert_int_equal(fake_plain_count(&h), 0);
}

/* Unpublishes, leaves, is kicked, its room goes; and it publishes again before the answer comes. */
static void test_a_publisher_that_ends_meanwhile_is_no_feed(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 5; n++) {
        uint32_t boss = fake_attach(&h), me = publisher(10 + n);
        fake_say(&h, boss, "{'request':'rtp_forward','room':1234,'publisher_id':%u,'host':'10.0.0.9','streams':[{'mid':'0','port':5002,'rtcp_port':1}]}",
                 10 + n);
        fake_end_op_at(&h, "0.0.0.0", 40000);
        if (n == 0)
            fake_hangup(&h, me);
        else if (n == 1)
            fake_detach(&h, me);
        else if (n == 2)
            fake_say(&h, admin, "{'request':'kick','room':1234,'id':%u}", 10 + n);
        else if (n == 3)
            fake_say(&h, me, "{'request':'leave'}");
        else
            fake_say(&h, admin, "{'request':'destroy','room':1234}");
        fake_turn(&h);
        assert_int_equal(fake_end_op_at(&h, "0.0.0.0", 40001)->outcome, PLUGIN_SYNC);
        assert_int_equal(json_integer_value(json_object_get(h.last.body, "error_code")), 428);
        assert_int_equal(fake_plain_count(&h), 0);
        assert_int_equal(fake_forward_count(&h), 0);
    }
}

static void test_two_requests_at_once_share_what_one_has_opened(void **state)
{
    (void)state;
    begin();
    uint32_t other = fake_attach(&h);
    wait_of("'streams':[{'mid':'0','port':5002}]");
    fake_say(&h, other, "{" ASK ",'streams':[{'mid':'1','port':5004}]}");
    assert_int_equal(fake_plain_count(&h), 2);
    fake_end_op_at(&h, "0.0.0.0", 40000);
    fake_end_op_at(&h, "0.0.0.0", 40001);
    assert_int_equal(fake_forward_count(&h), 2);
    assert_int_equal(fake_plain_count(&h), 1);
    assert_true(ref_equal(fake_forward_at(&h, 0)->way.plain, fake_forward_at(&h, 1)->way.plain));
}

static void test_a_name_is_asked_for_once_for_all_who_have_it(void **state)
{
    (void)state;
    begin();
    wait_of("'host_family':'ipv4','streams':[{'mid':'0','port':5002,'host':'a.example'},{'mid':'1','port':5004,'host':'a.example'}]");
    assert_string_equal(h.asked_name, "a.example");
    assert_int_equal(fake_plain_count(&h), 0);
    assert_int_equal(fake_end_op_at(&h, "10.1.1.1", 0)->outcome, PLUGIN_WAIT);
    fake_end_op_at(&h, "0.0.0.0", 40000);
    expect_sync(&h, "{'videoroom':'rtp_forward','room':1234,'publisher_id':1,'forwarders':["
                    "{'stream_id':'*','host':'10.1.1.1','port':5002,'type':'audio'},{'stream_id':'*','host':'10.1.1.1','port':5004,'type':'video'}]}");
    wait_of("'streams':[{'mid':'0','port':5002,'host':'b.example'}]");
    fake_end_op(&h, ERR_IO, "no such name");
    expect_sync(&h, "{'videoroom':'event','error_code':430,'error':'Could not resolve address (b.example)...'}");
}

static void test_the_last_one_closes_the_sockets(void **state)
{
    (void)state;
    begin();
    wait_of("'streams':[{'mid':'0','port':5002},{'mid':'1','port':5004}]");
    fake_end_op_at(&h, "0.0.0.0", 40000);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(fake_plain_count(&h), 1);
        fake_say(&h, admin, "{'request':'listforwarders','room':1234}");
        const json_t *publishers = json_object_get(h.last.body, "publishers"), *list = json_object_get(json_array_get(publishers, 0), "forwarders");
        long long id = json_integer_value(json_object_get(json_array_get(list, 0), "stream_id"));
        fake_say(&h, admin, "{'request':'stop_rtp_forward','room':1234,'publisher_id':1,'stream_id':%lld}", id);
        expect_sync(&h, "{'videoroom':'stop_rtp_forward','room':1234,'publisher_id':1,'stream_id':'*'}");
    }
    assert_int_equal(fake_plain_count(&h), 0);
    fake_say(&h, admin, "{'request':'listforwarders','room':1234}");
    expect_sync(&h, "{'videoroom':'forwarders','room':1234,'publishers':[]}");
}

static void test_nothing_to_forward_opens_nothing(void **state)
{
    (void)state;
    begin();
    guest(2, NULL);
    assert_int_equal(wait_of("'streams':[]"), PLUGIN_SYNC);
    assert_int_equal(wait_of("'streams':[{'mid':'9','port':5002},{'mid':'0','port':0}]"), PLUGIN_SYNC);
    expect_sync(&h, "{'videoroom':'rtp_forward','room':1234,'publisher_id':1,'forwarders':[]}");
    fake_say(&h, admin, "{'request':'rtp_forward','room':1234,'publisher_id':2,'host':'10.0.0.9','audio_port':5002}");
    expect_sync(&h, "{'videoroom':'rtp_forward','room':1234,'publisher_id':2,'rtp_stream':{'host':'10.0.0.9','warning':'deprecated_api'}}");
    assert_int_equal(fake_plain_count(&h), 0);
}

/* With layers it is another source. */
static void replace_the_video(uint32_t me)
{
    static const struct jsep_simulcast layers[] = {{.mindex = 1, .mid = "1", .layer_count = 3, .by_rid = true}};
    const struct fake_source *before = fake_source(&h, me, 1);
    const struct fake_say again = {.jsep = "offer", .sdp = offer_av(), .simulcast = layers, .simulcast_count = 1};
    fake_say_jsep(&h, me, &again, "{'request':'configure'}");
    assert_ptr_not_equal(fake_source(&h, me, 1), before);
}

/* A line that comes back as something else has another source: what was forwarded goes on with it. */
static void test_a_renegotiated_stream_goes_on(void **state)
{
    (void)state;
    uint32_t me = publisher(1);
    admin = fake_attach(&h);
    wait_of("'streams':[{'mid':'0','port':5002},{'mid':'1','port':5004}]");
    fake_end_op_at(&h, "0.0.0.0", 40000);
    replace_the_video(me);
    assert_int_equal(fake_forward_count(&h), 2);
    fake_say(&h, me, "{'request':'unpublish'}");
    fake_turn(&h);
    assert_int_equal(fake_forward_count(&h), 0);
    assert_int_equal(fake_plain_count(&h), 0);
}

/* Its key has sealed the numbers of the source that is gone, and the new one's may be the same. */
static void test_a_forward_with_a_key_ends_with_its_source(void **state)
{
    (void)state;
    uint32_t me = publisher(1);
    admin = fake_attach(&h);
    wait_of("'streams':[{'mid':'0','port':5002},{'mid':'1','port':5004}],'srtp_suite':80,'srtp_crypto':'MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5'");
    fake_end_op_at(&h, "0.0.0.0", 40000);
    assert_int_equal(fake_forward_count(&h), 2);
    replace_the_video(me);
    assert_int_equal(fake_forward_count(&h), 1);
    fake_say(&h, me, "{'request':'unpublish'}");
    fake_turn(&h);
    assert_int_equal(fake_forward_count(&h), 0);
    assert_int_equal(fake_plain_count(&h), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_two_streams_and_an_rtcp_port_take_two_sockets),
        ROOM_TEST(test_messages_are_forwarded),
        ROOM_TEST(test_the_second_request_uses_the_sockets_of_the_first),
        ROOM_TEST(test_a_socket_that_cannot_be_had_is_499_and_leaves_nothing),
        ROOM_TEST(test_whatever_ends_a_step_takes_all_back),
        ROOM_TEST(test_a_publisher_that_ends_meanwhile_is_no_feed),
        ROOM_TEST(test_two_requests_at_once_share_what_one_has_opened),
        ROOM_TEST(test_a_name_is_asked_for_once_for_all_who_have_it),
        ROOM_TEST(test_the_last_one_closes_the_sockets),
        ROOM_TEST(test_nothing_to_forward_opens_nothing),
        ROOM_TEST(test_a_renegotiated_stream_goes_on),
        ROOM_TEST(test_a_forward_with_a_key_ends_with_its_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
