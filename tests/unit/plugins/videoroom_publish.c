/* Publishers: joining, publishing, changing and going, and what others hear of it: videoroom.md 9, 11, 14.3, 18, 19. */
#include <stdio.h>

#include "rooms.h"

#define JOINED "'videoroom':'joined','room':1234,'description':'Room 1234','private_id':'*'"
#define CONFIGURED "{'videoroom':'event','room':1234,'configured':'ok'}"
#define AV_ANSWERED "'audio_codec':'opus','video_codec':'vp8','streams':" AV_OWN
#define AV_PUBLISHER(id) "{'id':" #id ",'audio_codec':'opus','video_codec':'vp8','streams':" AV_STREAMS "}"

/* ---- join ---- */

static void test_joining_is_answered_with_who_is_there(void **state)
{
    (void)state;
    uint32_t first = fake_attach(&h), second = fake_attach(&h);
    fake_say(&h, first, "{'request':'join','room':1234,'ptype':'publisher','id':77,'display':'Bob','metadata':{'a':[1,{'b':null}]}}");
    expect_reply(&h, first, "{" JOINED ",'id':77,'publishers':[]}");
    assert_int_not_equal(h.handles[first].group, 0);
    fake_say(&h, second, "{'request':'join','room':1234,'ptype':'PUBLISHER','id':1}");
    expect_reply(&h, second, "{" JOINED ",'id':1,'publishers':[]}");       /* who does not publish is no publisher */
    assert_true(h.handles[first].group == h.handles[second].group);
    publish(first, offer_av(), NULL);
    uint32_t third = fake_attach(&h);
    fake_say(&h, third, "{'request':'join','room':1234,'ptype':'publisher','id':2}");
    expect_reply(&h, third, "{" JOINED ",'id':2,'publishers':[{'id':77,'display':'Bob','metadata':{'a':[1,{'b':null}]},'audio_codec':'opus',"
                            "'video_codec':'vp8','streams':" AV_JOINED ",'talking':false}]}");
    expect_nothing(&h);
}

static void test_ids_are_drawn_when_none_is_given(void **state)
{
    (void)state;
    int64_t ids[10];
    for (unsigned i = 0; i < 10; i++) {
        uint32_t me = fake_attach(&h);
        fake_say(&h, me, "{'request':'join','room':1234,'ptype':'publisher'%s}", i % 2 == 0 ? "" : ",'id':0");
        const struct fake_event *event = fake_hear(&h, me);
        ids[i] = fake_int(event->data, "id");
        assert_true(ids[i] > 0 && ids[i] < INT64_C(1) << 53);
        int64_t private_id = fake_int(event->data, "private_id");
        assert_true(private_id > 0 && private_id <= UINT32_MAX);
        for (unsigned k = 0; k < i; k++)
            assert_true(ids[k] != ids[i]);
    }
}

static void test_joins_are_told_where_a_room_wants_it(void **state)
{
    (void)state;
    room_create(5, "'notify_joining':true");
    uint32_t ann = fake_attach(&h), bob = fake_attach(&h), cid = fake_attach(&h);
    fake_say(&h, ann, "{'request':'join','room':5,'ptype':'publisher','id':1,'display':'Ann'}");
    expect_reply(&h, ann, "{'videoroom':'joined','room':5,'description':'Room 5','id':1,'private_id':'*','publishers':[],'attendees':[]}");
    fake_say(&h, bob, "{'request':'join','room':5,'ptype':'publisher','id':2,'display':'Bob','metadata':{'x':1}}");
    expect_told(&h, ann, "{'videoroom':'event','room':5,'joining':{'id':2,'display':'Bob','metadata':{'x':1}}}");
    expect_reply(&h, bob, "{'videoroom':'joined','room':5,'description':'Room 5','id':2,'private_id':'*','publishers':[],"
                          "'attendees':[{'id':1,'display':'Ann'}]}");
    publish(ann, offer_av(), NULL);
    fake_say(&h, cid, "{'request':'join','room':5,'ptype':'publisher','id':3}");
    expect_told(&h, ann, "{'videoroom':'event','room':5,'joining':{'id':3}}");
    expect_reply(&h, cid, "{'videoroom':'joined','room':5,'description':'Room 5','id':3,'private_id':'*','publishers':'*',"
                          "'attendees':[{'id':2,'display':'Bob','metadata':{'x':1}}]}");
    (void)fake_hear(&h, bob);
    uint32_t seen = fake_attach(&h);
    fake_say(&h, seen, "{'request':'join','room':5,'ptype':'subscriber','feed':1}");
    assert_non_null(fake_hear(&h, seen));
    expect_nothing(&h);                                     /* viewers are never announced */
}

static void test_join_checks_in_order(void **state)
{
    (void)state;
    room_create(5, "'pin':'4711','allowed':['t']");
    uint32_t me = fake_attach(&h);
    (void)fake_attach(&h);
    static const struct { const char *fields; int code; const char *text; } bad[] = {
        {"'ptype':1", 429, "Missing mandatory element (room)"},
        {"'room':'5'", 430, "Invalid element type (room should be a positive integer)"},
        {"'room':9", 429, "Missing mandatory element (ptype)"},
        {"'room':9,'ptype':1", 430, "Invalid element type (ptype should be a string)"},
        {"'room':9,'ptype':'x','audio':1", 430, "Invalid element type (audio should be a boolean)"},
        {"'room':9,'ptype':'x','video':1", 430, "Invalid element type (video should be a boolean)"},
        {"'room':9,'ptype':'x','data':1", 430, "Invalid element type (data should be a boolean)"},
        {"'room':9,'ptype':'x','bitrate':-1", 430, "Invalid element type (bitrate should be a positive integer)"},
        {"'room':9,'ptype':'x','record':1", 430, "Invalid element type (record should be a boolean)"},
        {"'room':9,'ptype':'x','filename':1", 430, "Invalid element type (filename should be a string)"},
        {"'room':9,'ptype':'x','token':1", 430, "Invalid element type (token should be a string)"},
        {"'room':9,'ptype':'x'", 426, "No such room (9)"},
        {"'room':5,'ptype':'x'", 429, "Missing mandatory element (pin)"},
        {"'room':5,'ptype':'x','pin':4711", 430, "Invalid element type (pin should be a string)"},
        {"'room':5,'ptype':'x','pin':'4712'", 433, "Unauthorized (wrong pin)"},
        {"'room':5,'pin':'4711','ptype':'x'", 430, "Invalid element (ptype)"},
        {"'room':5,'pin':'4711','ptype':'publisher','display':1,'id':'x'", 430, "Invalid element type (display should be a string)"},
        {"'room':5,'pin':'4711','ptype':'publisher','metadata':[],'id':'x'", 430, "Invalid element type (metadata should be an object)"},
        {"'room':5,'pin':'4711','ptype':'publisher','id':'x','descriptions':[{}]", 430, "Invalid element type (id should be a positive integer)"},
        {"'room':5,'pin':'4711','ptype':'publisher','descriptions':[{}]", 429, "Missing mandatory element (mid)"},
        {"'room':5,'pin':'4711','ptype':'publisher','descriptions':[{'mid':'0'}]", 429, "Missing mandatory element (description)"},
        {"'room':5,'pin':'4711','ptype':'publisher','descriptions':[{'mid':'0','description':1}]", 430,
         "Invalid element type (description should be a string)"},
        {"'room':5,'pin':'4711','ptype':'publisher','descriptions':[7]", 429, "Missing mandatory element (mid)"},
        {"'room':5,'pin':'4711','ptype':'publisher'", 433, "Unauthorized (not in the allowed list)"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        fake_say(&h, me, "{'request':'join',%s}", bad[i].fields);
        expect_error_text(&h, me, bad[i].code, bad[i].text);
    }
    fake_say(&h, me, "{'request':'join','room':5,'pin':'4711','ptype':'publisher','token':'t','descriptions':5,'audiocodec':5,'id':1}");
    assert_non_null(fake_hear(&h, me));
    uint32_t other = fake_attach(&h);
    fake_say(&h, other, "{'request':'join','room':5,'pin':'4711','ptype':'publisher','token':'x','id':1}");
    expect_error(&h, other, 433);                           /* the list before the id */
    fake_say(&h, other, "{'request':'join','room':5,'pin':'4711','ptype':'publisher','token':'t','id':1}");
    expect_error_text(&h, other, 436, "User ID 1 already exists");
    fake_say(&h, other, "{'request':'join','room':5,'ptype':'subscriber','feed':1}");
    expect_error_text(&h, other, 429, "Missing mandatory element (pin)");
}

static void test_signed_tokens(void **state)
{
    (void)state;
    room_create(5, "'signed_tokens':true,'pin':'p'");
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher'}");
    expect_error(&h, me, 429);                              /* not in signed mode: no token is asked for */
    h.tokens_signed = true;
    h.token = "good";
    h.token_descriptor = "room=5";
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher'}");
    expect_error_text(&h, me, 433, "Unauthorized (wrong token)");      /* before the pin */
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'subscriber','token':'bad','feed':1}");
    expect_error_text(&h, me, 433, "Unauthorized (wrong token)");
    h.token_descriptor = "room=55";
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','token':'good'}");
    expect_error_text(&h, me, 433, "Unauthorized (wrong token)");
    h.token_descriptor = "room=5";
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','token':'good'}");
    expect_error(&h, me, 429);
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','token':'good','pin':'p','id':1}");
    expect_reply(&h, me, "{'videoroom':'joined','room':5,'description':'Room 5','id':1,'private_id':'*','publishers':[]}");
    (void)guest(1, NULL);                                   /* other rooms don't ask */
}

/* ---- joining with an offer ---- */

static void test_joinandconfigure_publishes_at_once(void **state)
{
    (void)state;
    uint32_t other = guest(1, NULL), me = fake_attach(&h);
    offer_as(me, "{'request':'joinandconfigure','room':1234,'ptype':'publisher','id':2,'bitrate':99000,'audio_active_packets':50,'audio_level_average':30,"
                 "'descriptions':[{'mid':'1','description':'cam'}]}", offer_av(),
             "{" JOINED ",'id':2,'publishers':[],'audio_active_packets':50,'audio_level_average':30,'audio_codec':'opus','video_codec':'vp8','streams':"
             "[{'type':'audio','mindex':0,'mid':'0','codec':'opus','fec':true,'audiolevel_ext_id':1},"
             "{'type':'video','mindex':1,'mid':'1','description':'cam','codec':'vp8','videoorient_ext_id':13,'playoutdelay_ext_id':5}]}");
    assert_int_equal(fake_source(&h, me, 1)->cap.bps, 99000);
    assert_true(fake_source(&h, me, 1)->cap.ramp);
    expect_nothing(&h);                                     /* nobody is told before its media is up */
    fake_up(&h, me);
    expect_told(&h, other, "{'videoroom':'event','room':1234,'publishers':[{'id':2,'audio_codec':'opus','video_codec':'vp8','streams':"
                           "[{'type':'audio','mindex':0,'mid':'0','codec':'opus','fec':true},"
                           "{'type':'video','mindex':1,'mid':'1','description':'cam','codec':'vp8'}]}]}");
    expect_nothing(&h);
}

static void test_join_with_an_offer_publishes_too(void **state)
{
    (void)state;
    uint32_t me = fake_attach(&h);
    offer_as(me, "{'request':'join','room':1234,'ptype':'publisher','id':2,'bitrate':99000,'videocodec':'h264'}", offer_av(),
             "{" JOINED ",'id':2,'publishers':[]," AV_ANSWERED "}");
    assert_int_equal(fake_source(&h, me, 1)->cap.bps, 0);   /* the bit rate and codecs are joinandconfigure's */
}

/* The error is all that is said, and yet the handle has joined (videoroom.md 9.1). */
static void test_a_bad_offer_does_not_undo_the_join(void **state)
{
    (void)state;
    room_create(5, "'notify_joining':true,'publishers':0");
    uint32_t other = fake_attach(&h), me = fake_attach(&h);
    fake_say(&h, other, "{'request':'join','room':5,'ptype':'publisher','id':1}");
    fake_forget(&h);
    say_offer(me, "{'request':'joinandconfigure','room':5,'ptype':'publisher','id':2}", offer_av());
    expect_told(&h, other, "{'videoroom':'event','room':5,'joining':{'id':2}}");
    expect_error_text(&h, me, 432, "Maximum number of publishers (0) already reached");
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher'}");
    expect_error(&h, me, 425);
    fake_admin(&h, "{'request':'edit','room':5,'new_publishers':1}");
    offer_as(me, "{'request':'publish'}", offer_av(), "{'videoroom':'event','room':5,'configured':'ok'," AV_ANSWERED "}");
}

static void test_joinandconfigure_refuses_codecs_before_it_joins(void **state)
{
    (void)state;
    uint32_t me = fake_attach(&h);
    say_offer(me, "{'request':'joinandconfigure','room':1234,'ptype':'publisher','audiocodec':'pcmu'}", offer_av());
    expect_error_text(&h, me, 430, "Audio codec unavailable in this room");
    say_offer(me, "{'request':'joinandconfigure','room':1234,'ptype':'publisher','videocodec':'none'}", offer_av());
    expect_error_text(&h, me, 430, "Video codec unavailable in this room");
    fake_say(&h, me, "{'request':'configure'}");
    expect_error(&h, me, 424);
    fake_say(&h, me, "{'request':'joinandconfigure','room':1234,'ptype':'publisher','audiocodec':'pcmu','id':4}");      /* no offer, no check */
    expect_reply(&h, me, "{" JOINED ",'id':4,'publishers':[]}");
}

/* ---- publish ---- */

static void test_a_publisher_is_told_when_its_media_is_up(void **state)
{
    (void)state;
    uint32_t bob = guest(77, "'display':'Bob'"), ann = guest(1, NULL), seen;
    offer_as(bob, "{'request':'publish'}", offer_av(), "{'videoroom':'event','room':1234,'configured':'ok'," AV_ANSWERED "}");
    expect_nothing(&h);
    fake_say(&h, ann, "{'request':'join','room':1234,'ptype':'subscriber','feed':77}");
    fake_forget(&h);
    seen = fake_attach(&h);
    fake_say(&h, seen, "{'request':'join','room':1234,'ptype':'subscriber','feed':77}");
    expect_error_text(&h, seen, 428, "No such feed (77)");
    fake_up(&h, bob);
    expect_told(&h, ann, "{'videoroom':'event','room':1234,'publishers':[{'id':77,'display':'Bob','audio_codec':'opus','video_codec':'vp8','streams':"
                         AV_STREAMS "}]}");
    expect_nothing(&h);
    say_offer(bob, "{'request':'publish'}", offer_av());
    expect_error_text(&h, bob, 434, "Can't publish, already published");
    fake_say(&h, bob, "{'request':'publish'}");
    expect_error(&h, bob, 434);
}

static void test_a_room_is_full(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'edit','room':1234,'new_publishers':2}");
    uint32_t one = publisher(1), two = publisher(2), three = guest(3, NULL);
    (void)two;
    say_offer(three, "{'request':'publish'}", offer_av());
    expect_error_text(&h, three, 432, "Maximum number of publishers (2) already reached");
    say_offer(one, "{'request':'configure'}", offer_av());                  /* who is in may renegotiate */
    assert_string_equal(fake_hear(&h, one)->jsep, "answer");
    fake_say(&h, one, "{'request':'unpublish'}");
    fake_turn(&h);
    fake_forget(&h);
    offer_as(three, "{'request':'publish'}", offer_av(), "{'videoroom':'event','room':1234,'configured':'ok'," AV_ANSWERED "}");
    fake_up(&h, three);
    fake_forget(&h);
    fake_admin(&h, "{'request':'edit','room':1234,'new_publishers':1}");    /* nobody is thrown out */
    say_offer(three, "{'request':'configure'}", offer_av());
    assert_string_equal(fake_hear(&h, three)->jsep, "answer");
}

static void test_the_first_line_names_the_codec(void **state)
{
    (void)state;
    const struct offer_line no_video[] = {{.kind = "audio", .direction = "sendonly", .mid = "a", .codecs = "opus"}};
    offer_as(guest(1, NULL), "{'request':'publish'}", offer_of(no_video, 1),
             "{'videoroom':'event','room':1234,'configured':'ok','audio_codec':'opus','streams':"
             "[{'type':'audio','mindex':0,'mid':'a','codec':'opus','audiolevel_ext_id':1}]}");
    const struct offer_line foreign[] = {{.kind = "audio", .direction = "sendonly", .mid = "a", .codecs = "pcmu"},
                                         {.kind = "video", .direction = "sendonly", .mid = "b", .codecs = "h264"},
                                         {.kind = "video", .direction = "sendonly", .mid = "c", .codecs = "vp8"}};
    uint32_t me = guest(2, NULL), other = guest(3, NULL);
    const struct fake_event *event = offer_as(me, "{'request':'publish'}", offer_of(foreign, 3),
             "{'videoroom':'event','room':1234,'configured':'ok','audio_codec':'none','video_codec':'none','streams':["
             "{'type':'audio','mindex':0,'mid':'a','disabled':true},{'type':'video','mindex':1,'mid':'b','disabled':true},"
             "{'type':'video','mindex':2,'mid':'c','codec':'vp8','videoorient_ext_id':13,'playoutdelay_ext_id':5}]}");
    assert_true(line_has(event->sdp, 0, "m=audio 0 UDP/TLS/RTP/SAVPF 0"));
    assert_null(fake_source(&h, me, 1));
    assert_non_null(fake_source(&h, me, 2));
    fake_up(&h, me);
    expect_told(&h, other, "{'videoroom':'event','room':1234,'publishers':[{'id':2,'video_codec':'vp8','streams':["
                           "{'type':'audio','mindex':0,'mid':'a','disabled':true},{'type':'video','mindex':1,'mid':'b','disabled':true},"
                           "{'type':'video','mindex':2,'mid':'c','codec':'vp8'}]}]}");
}

static void test_lines_that_only_receive_are_disabled(void **state)
{
    (void)state;
    const struct offer_line lines[] = {{.kind = "audio", .direction = "recvonly", .mid = "0", .codecs = "opus"},
                                       {.kind = "video", .direction = "inactive", .mid = "1", .codecs = "vp8"},
                                       {.kind = "video", .mid = "2", .codecs = "vp8"}};
    uint32_t me = guest(1, NULL);
    const struct fake_event *event = offer_as(me, "{'request':'configure'}", offer_of(lines, 3),
             "{'videoroom':'event','room':1234,'configured':'ok','audio_codec':'opus','video_codec':'vp8','streams':["
             "{'type':'audio','mindex':0,'mid':'0','disabled':true},{'type':'video','mindex':1,'mid':'1','disabled':true},"
             "{'type':'video','mindex':2,'mid':'2','codec':'vp8','videoorient_ext_id':13,'playoutdelay_ext_id':5}]}");
    assert_true(line_has(event->sdp, 0, "a=inactive"));
    assert_true(line_has(event->sdp, 1, "a=inactive"));
    assert_true(line_has(event->sdp, 2, "a=recvonly"));
}

static void test_data_is_named_by_its_index(void **state)
{
    (void)state;
    const struct offer_line lines[] = {{.kind = "application", .mid = "data"}, {.kind = "audio", .mid = "x", .codecs = "opus"}};
    const struct fake_event *event = offer_as(guest(1, NULL), "{'request':'configure'}", offer_of(lines, 2),
             "{'videoroom':'event','room':1234,'configured':'ok','audio_codec':'opus','streams':["
             "{'type':'data','mindex':0,'mid':'0'},{'type':'audio','mindex':1,'mid':'x','codec':'opus','audiolevel_ext_id':1}]}");
    assert_true(line_has(event->sdp, 0, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"));
}

static void test_codecs_can_be_asked_for(void **state)
{
    (void)state;
    room_create(5, "'audiocodec':'opus,pcmu','videocodec':'vp8,h264,vp9'");
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','id':1}");
    fake_forget(&h);
    say_offer(me, "{'request':'publish','audiocodec':1}", offer_av());
    expect_error_text(&h, me, 430, "Invalid element type (audiocodec should be a string)");
    say_offer(me, "{'request':'publish','audiocodec':'g722'}", offer_av());
    expect_error_text(&h, me, 430, "Audio codec unavailable in this room");
    say_offer(me, "{'request':'publish','videocodec':'av1'}", offer_av());
    expect_error_text(&h, me, 430, "Video codec unavailable in this room");
    fake_say(&h, me, "{'request':'configure','videocodec':'av1'}");
    expect_reply(&h, me, "{'videoroom':'event','room':5,'configured':'ok'}");        /* only with an offer */
    const struct fake_event *event = offer_as(me, "{'request':'publish','audiocodec':'PCMU','videocodec':'vp9'}", offer_av(),
        "{'videoroom':'event','room':5,'configured':'ok','audio_codec':'pcmu','video_codec':'vp9','streams':'*'}");
    assert_true(line_has(event->sdp, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 0"));
    assert_true(line_has(event->sdp, 1, "m=video 9 UDP/TLS/RTP/SAVPF 98"));
    fake_up(&h, me);
    fake_hangup(&h, me);
    offer_as(me, "{'request':'publish'}", offer_av(),        /* the choice was that publication's */
             "{'videoroom':'event','room':5,'configured':'ok','audio_codec':'opus','video_codec':'vp8','streams':'*'}");
}

static void test_the_rooms_order_decides(void **state)
{
    (void)state;
    room_create(5, "'audiocodec':'g722,pcmu,opus','videocodec':'h265,h264,vp8'");
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','id':1}");
    fake_forget(&h);
    offer_as(me, "{'request':'publish'}", offer_av(), "{'videoroom':'event','room':5,'configured':'ok','audio_codec':'pcmu','video_codec':'h264','streams':'*'}");
}

static void test_what_is_no_offer(void **state)
{
    (void)state;
    uint32_t me = guest(1, NULL);
    h.handles[me].we_offered = true;                        /* so that the core would let an answer through */
    const struct fake_say answer = {.jsep = "answer", .sdp = offer_av()};
    fake_say_jsep(&h, me, &answer, "{'request':'configure'}");
    expect_error_text(&h, me, 431, "Unknown SDP type 'answer'");
    say_offer(me, "{'request':'publish'}", "v=0\r\nthis is none\r\n");
    expect_error(&h, me, 437);
    offer_as(me, "{'request':'publish'}", offer_av(), "{'videoroom':'event','room':1234,'configured':'ok'," AV_ANSWERED "}");
}

/* An answer that the core refuses was never given: nothing of it may show later. */
static void test_a_refused_answer_leaves_nothing_behind(void **state)
{
    (void)state;
    const struct offer_line audio[] = {{.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "opus"}};
    uint32_t me = guest(1, NULL), other = guest(2, NULL);
    static const enum err errors[] = {ERR_INVALID, ERR_FULL};
    for (size_t i = 0; i < ARRAY_COUNT(errors); i++) {
        h.refuse = errors[i];
        say_offer(me, "{'request':'publish'}", offer_av());
        expect_error(&h, me, 437);
    }
    fake_detach(&h, guest(3, NULL));
    fake_forget(&h);
    fake_say(&h, me, "{'request':'configure','mid':'1','send':true}");
    expect_error(&h, me, 428);
    offer_as(me, "{'request':'publish'}", offer_of(audio, 1),
             "{'videoroom':'event','room':1234,'configured':'ok','audio_codec':'opus','streams':"
             "[{'type':'audio','mindex':0,'mid':'0','codec':'opus','audiolevel_ext_id':1}]}");
    fake_up(&h, me);
    expect_told(&h, other, "{'videoroom':'event','room':1234,'publishers':[{'id':1,'audio_codec':'opus','streams':"
                           "[{'type':'audio','mindex':0,'mid':'0','codec':'opus'}]}]}");
}

/* The same in a renegotiation: what was agreed before stays. */
static void test_a_refused_renegotiation_changes_nothing(void **state)
{
    (void)state;
    const struct offer_line less[] = {{.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "opus"},
                                      {.kind = "video", .direction = "inactive", .mid = "1", .codecs = "vp8"},
                                      {.kind = "video", .direction = "sendonly", .mid = "2", .codecs = "vp8"}};
    uint32_t me = publisher(1), other = guest(2, NULL);
    h.refuse = ERR_INVALID;
    say_offer(me, "{'request':'configure'}", offer_of(less, 3));
    expect_error(&h, me, 437);
    expect_nothing(&h);
    fake_say(&h, other, "{'request':'leave'}");
    fake_forget(&h);
    uint32_t third = fake_attach(&h);
    fake_say(&h, third, "{'request':'join','room':1234,'ptype':'publisher','id':3}");
    expect_reply(&h, third, "{" JOINED ",'id':3,'publishers':[{'id':1,'audio_codec':'opus','video_codec':'vp8','streams':" AV_JOINED ",'talking':false}]}");
}

static void test_end_to_end_encryption(void **state)
{
    (void)state;
    room_create(5, "'require_e2ee':true");
    uint32_t me = fake_attach(&h);
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','id':1}");
    fake_forget(&h);
    say_offer(me, "{'request':'publish'}", offer_av());
    expect_error_text(&h, me, 433, "Room requires end-to-end encrypted media");
    const struct fake_say sealed = {.jsep = "offer", .sdp = offer_av(), .e2ee = true};
    fake_say_jsep(&h, me, &sealed, "{'request':'publish'}");
    const struct fake_event *event = expect_reply(&h, me, "{'videoroom':'event','room':5,'configured':'ok'," AV_ANSWERED "}");
    assert_true(event->e2ee);
    fake_up(&h, me);
    say_offer(me, "{'request':'configure'}", offer_av());   /* it was sealed before */
    assert_true(fake_hear(&h, me)->e2ee);
    fake_hangup(&h, me);
    fake_forget(&h);
    say_offer(me, "{'request':'publish'}", offer_av());
    expect_error(&h, me, 433);
}

/* ---- configure ---- */

static void test_configure_checks_its_fields(void **state)
{
    (void)state;
    uint32_t me = publisher(1);
    static const struct { const char *fields; int code; const char *text; } bad[] = {
        {"'bitrate':-1", 430, "Invalid element type (bitrate should be a positive integer)"},
        {"'keyframe':1", 430, "Invalid element type (keyframe should be a boolean)"},
        {"'record':1", 430, "Invalid element type (record should be a boolean)"},
        {"'filename':1", 430, "Invalid element type (filename should be a string)"},
        {"'display':1", 430, "Invalid element type (display should be a string)"},
        {"'metadata':1", 430, "Invalid element type (metadata should be an object)"},
        {"'secret':1", 430, "Invalid element type (secret should be a string)"},
        {"'audio':1", 430, "Invalid element type (audio should be a boolean)"},
        {"'video':1", 430, "Invalid element type (video should be a boolean)"},
        {"'data':1", 430, "Invalid element type (data should be a boolean)"},
        {"'update':1", 430, "Invalid element type (update should be a boolean)"},
        {"'restart':1", 430, "Invalid element type (restart should be a boolean)"},
        {"'streams':[{'mid':1}]", 430, "Invalid element type (mid should be a string)"},
        {"'streams':[{'mid':'1','send':1}]", 430, "Invalid element type (send should be a boolean)"},
        {"'streams':[{'send':true},{'mid':'1','send':true}]", 430, "Invalid value (mid can't be null in a streams array)"},
        {"'streams':[{'mid':'0'},{'mid':'9'}]", 428, "No such mid '9' published"},
        {"'mid':'9','send':false", 428, "No such mid '9' published"},
        {"'descriptions':[{'mid':'0'}]", 429, "Missing mandatory element (description)"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        fake_say(&h, me, "{'request':'configure','audio':true,%s}", bad[i].fields);
        expect_error_text(&h, me, bad[i].code, bad[i].text);
    }
    /* Types that the reference does not look at are not refused here either. */
    static const char *const fine[] = {"'streams':5", "'streams':[]", "'streams':{}", "'descriptions':5", "'mid':5", "'send':5", "'min_delay':'x'", "'max_delay':true",
                                       "'streams':[{'mid':'1','keyframe':5}]", "'audio_level_average':'x'", "'audio_active_packets':-5", "'nonsense':[]"};
    for (size_t i = 0; i < ARRAY_COUNT(fine); i++) {
        fake_say(&h, me, "{'request':'configure',%s}", fine[i]);
        expect_reply(&h, me, CONFIGURED);
    }
    expect_nothing(&h);
}

static void test_streams_are_stopped_and_resumed(void **state)
{
    (void)state;
    uint32_t me = publisher(1);
    fake_say(&h, me, "{'request':'configure','streams':[{'mid':'0','send':false},{'mid':'1','send':true}]}");
    expect_reply(&h, me, CONFIGURED);
    assert_false(fake_source(&h, me, 0)->active);
    assert_true(fake_source(&h, me, 1)->active);
    fake_say(&h, me, "{'request':'configure','mid':'1','send':false}");
    assert_false(fake_source(&h, me, 1)->active);
    fake_say(&h, me, "{'request':'configure','audio':true}");
    assert_true(fake_source(&h, me, 0)->active);
    assert_false(fake_source(&h, me, 1)->active);
    fake_say(&h, me, "{'request':'configure','audio':false,'streams':[{'mid':'1'}]}");       /* a mid: the booleans don't count */
    assert_true(fake_source(&h, me, 0)->active);
    fake_say(&h, me, "{'request':'configure','video':true,'send':false}");                   /* `send` without mid says nothing */
    assert_true(fake_source(&h, me, 0)->active);
    assert_true(fake_source(&h, me, 1)->active);
}

static void test_keyframes_can_be_asked_for(void **state)
{
    (void)state;
    uint32_t me = publisher(1);
    uint32_t before = fake_source(&h, me, 1)->keyframes;
    fake_say(&h, me, "{'request':'configure','keyframe':true}");
    assert_int_equal(fake_source(&h, me, 1)->keyframes, before + 1);
    fake_say(&h, me, "{'request':'configure','streams':[{'mid':'1','keyframe':true}]}");
    assert_int_equal(fake_source(&h, me, 1)->keyframes, before + 2);
    fake_say(&h, me, "{'request':'configure','streams':[{'mid':'0'}],'keyframe':true}");
    assert_int_equal(fake_source(&h, me, 1)->keyframes, before + 2);
    assert_int_equal(fake_source(&h, me, 0)->keyframes, 0);         /* audio has none */
}

static void test_the_bit_rate_is_the_rooms_or_its_own(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'edit','room':1234,'new_bitrate':200000}");
    uint32_t me = publisher(1);
    assert_int_equal(fake_source(&h, me, 1)->cap.bps, 200000);
    assert_true(fake_source(&h, me, 1)->cap.ramp);
    assert_false(fake_source(&h, me, 1)->cap.send_now);
    fake_say(&h, me, "{'request':'configure','bitrate':77}");       /* no floor for a personal one */
    expect_reply(&h, me, CONFIGURED);
    assert_int_equal(fake_source(&h, me, 1)->cap.bps, 77);
    assert_true(fake_source(&h, me, 1)->cap.send_now);
    assert_false(fake_source(&h, me, 1)->cap.ramp);
    fake_say(&h, me, "{'request':'configure','bitrate':0}");
    assert_int_equal(fake_source(&h, me, 1)->cap.bps, 0);
    assert_true(fake_source(&h, me, 1)->cap.send_now);
    fake_say(&h, me, "{'request':'configure','bitrate':9007199254740993}");
    assert_int_equal(fake_source(&h, me, 1)->cap.bps, UINT32_MAX);
    fake_say(&h, me, "{'request':'configure','bitrate':500000}");
    fake_say(&h, me, "{'request':'unpublish'}");
    fake_turn(&h);
    fake_forget(&h);
    publish(me, offer_av(), NULL);                                  /* kept over an unpublish */
    assert_int_equal(fake_source(&h, me, 1)->cap.bps, 500000);
    fake_admin(&h, "{'request':'edit','room':1234,'new_bitrate':64000}");
    assert_int_equal(fake_source(&h, me, 1)->cap.bps, 500000);      /* for later joins */
}

static void test_a_new_name_is_told_if_there_was_one(void **state)
{
    (void)state;
    uint32_t bob = guest(77, NULL), ann = guest(1, NULL);
    (void)publisher(2);
    (void)watcher("[{'feed':2}]");
    fake_say(&h, bob, "{'request':'configure','display':'Bob'}");
    expect_reply(&h, bob, CONFIGURED);
    fake_say(&h, bob, "{'request':'configure','metadata':{}}");
    expect_reply(&h, bob, CONFIGURED);
    expect_silence(&h, ann);
    fake_say(&h, bob, "{'request':'configure','display':'Bobby','metadata':{'a':1}}");
    expect_reply(&h, bob, CONFIGURED);
    expect_told(&h, ann, "{'videoroom':'event','id':77,'display':'Bobby','metadata':{}}");
    expect_told(&h, ann, "{'videoroom':'event','id':77,'metadata':{'a':1}}");
    expect_silence(&h, ann);
    fake_forget(&h);
    fake_say(&h, ann, "{'request':'listparticipants','room':1234}");
    expect_sync(&h, "{'videoroom':'participants','room':1234,'participants':[{'id':77,'display':'Bobby','metadata':{'a':1},'publisher':false},"
                    "{'id':1,'publisher':false},{'id':2,'publisher':true,'talking':false}]}");
}

static char *text_of(size_t size)
{
    char *text = malloc(size + 1);
    memset(text, 'x', size);
    text[size] = '\0';
    return text;
}

/* What is repeated to everybody has limits, and a request beyond them does nothing at all. */
static void test_names_have_an_end(void **state)
{
    (void)state;
    uint32_t me = guest(1, "'display':'Al','metadata':{}"), other = guest(2, NULL), fresh = fake_attach(&h);
    char *most = text_of(65536), *more = text_of(65537);
    fake_say(&h, me, "{'request':'configure','display':'%s'}", more);
    expect_error_text(&h, me, 430, "Invalid element value (display is too long)");
    fake_say(&h, me, "{'request':'configure','display':'X','bitrate':5,'metadata':{'a':'%s'}}", most);
    expect_error_text(&h, me, 430, "Invalid element value (metadata is too long)");
    expect_nothing(&h);
    fake_say(&h, fresh, "{'request':'join','room':1234,'ptype':'publisher','display':'%s'}", more);
    expect_error(&h, fresh, 430);
    fake_say(&h, fresh, "{'request':'join','room':1234,'ptype':'publisher','metadata':{'a':'%s'}}", most);
    expect_error(&h, fresh, 430);
    fake_say(&h, me, "{'request':'configure','display':'%s'}", most);
    expect_reply(&h, me, CONFIGURED);
    const struct fake_event *event = fake_hear(&h, other);
    assert_int_equal(json_string_length(json_object_get(event->data, "display")), 65536);
    free(most);
    free(more);
}

/* A publisher's descriptions together are as long as one text at most: each change of one is told to everybody with all others. */
static void test_descriptions_together_have_an_end(void **state)
{
    (void)state;
    uint32_t me = publisher(1), other = guest(2, NULL);
    char *half = text_of(40000), *rest = text_of(25536);
    fake_say(&h, me, "{'request':'configure','descriptions':[{'mid':'0','description':'%s'},{'mid':'1','description':'%s'}]}", half, half);
    expect_error_text(&h, me, 430, "Invalid element value (description is too long)");
    fake_say(&h, me, "{'request':'configure','descriptions':[{'mid':'0','description':'%s'}]}", half);
    expect_reply(&h, me, CONFIGURED);
    assert_non_null(fake_hear(&h, other));
    fake_say(&h, me, "{'request':'configure','descriptions':[{'mid':'1','description':'%s'}]}", half);
    expect_error(&h, me, 430);
    fake_say(&h, me, "{'request':'configure','descriptions':[{'mid':'1','description':'%s'}]}", rest);
    expect_reply(&h, me, CONFIGURED);
    assert_non_null(fake_hear(&h, other));
    fake_say(&h, me, "{'request':'configure','descriptions':[{'mid':'1','description':''},{'mid':'0','description':'%s'}]}", half);
    expect_reply(&h, me, CONFIGURED);
    fake_say(&h, me, "{'request':'configure','descriptions':[{'mid':'1','description':'%s'},{'mid':'1','description':'x'}]}", rest);
    expect_error(&h, me, 430);                              /* 40,000 and 25,537 */
    free(half);
    free(rest);
}

static void test_descriptions_are_told(void **state)
{
    (void)state;
    uint32_t me = guest(1, NULL), other = guest(2, NULL);
    fake_say(&h, me, "{'request':'configure','descriptions':[{'mid':'0','description':'nothing yet'}]}");
    expect_reply(&h, me, CONFIGURED);
    publish(me, offer_av(), "'descriptions':[{'mid':'0','description':'mic'},{'mid':'7','description':'none'}]");
    fake_say(&h, me, "{'request':'configure','descriptions':[{'mid':'1','description':'cam'},{'mid':'7','description':'none'}]}");
    expect_reply(&h, me, CONFIGURED);
    expect_told(&h, other, "{'videoroom':'event','room':1234,'publishers':[{'id':1,'audio_codec':'opus','video_codec':'vp8','streams':["
                           "{'type':'audio','mindex':0,'mid':'0','description':'mic','codec':'opus','fec':true},"
                           "{'type':'video','mindex':1,'mid':'1','description':'cam','codec':'vp8'}]}]}");
    fake_say(&h, me, "{'request':'configure','descriptions':[{'mid':'7','description':'none'}]}");
    expect_reply(&h, me, CONFIGURED);
    expect_nothing(&h);
}

/* ---- renegotiation ---- */

static void test_lines_come_and_go(void **state)
{
    (void)state;
    uint32_t me = publisher(1), other = guest(2, NULL);
    const struct offer_line three[] = {{.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "opus"},
                                       {.kind = "video", .rejected = true, .mid = "1", .codecs = "vp8"},
                                       {.kind = "video", .direction = "sendonly", .mid = "2", .codecs = "vp9 vp8"}};
    offer_as(me, "{'request':'configure','descriptions':[{'mid':'2','description':'screen'}]}", offer_of(three, 3),
             "{'videoroom':'event','room':1234,'configured':'ok','audio_codec':'opus','video_codec':'none','streams':["
             "{'type':'audio','mindex':0,'mid':'0','codec':'opus','audiolevel_ext_id':1},{'type':'video','mindex':1,'mid':'1','disabled':true},"
             "{'type':'video','mindex':2,'mid':'2','description':'screen','codec':'vp8','videoorient_ext_id':13,'playoutdelay_ext_id':5}]}");
    expect_told(&h, other, "{'videoroom':'event','room':1234,'publishers':[{'id':1,'audio_codec':'opus','video_codec':'vp8','streams':["
                           "{'type':'audio','mindex':0,'mid':'0','codec':'opus'},{'type':'video','mindex':1,'mid':'1','disabled':true},"
                           "{'type':'video','mindex':2,'mid':'2','description':'screen','codec':'vp8'}]}]}");
    assert_null(fake_source(&h, me, 1));
    assert_non_null(fake_source(&h, me, 2));
    expect_nothing(&h);
    const struct offer_line back[] = {three[0], {.kind = "video", .direction = "sendonly", .mid = "1", .codecs = "vp8"}, three[2]};
    offer_as(me, "{'request':'configure'}", offer_of(back, 3),
             "{'videoroom':'event','room':1234,'configured':'ok','audio_codec':'opus','video_codec':'vp8','streams':'*'}");
    assert_non_null(fake_source(&h, me, 1));
    assert_non_null(fake_hear(&h, other));
}

/* A codec that was chosen stays, even if others would be preferred now; without it the line is rejected. */
static void test_a_codec_stays(void **state)
{
    (void)state;
    room_create(5, "'videocodec':'vp8,h264'");
    uint32_t me = fake_attach(&h);
    const struct offer_line h264[] = {{.kind = "video", .direction = "sendonly", .mid = "0", .codecs = "h264"}};
    const struct offer_line both[] = {{.kind = "video", .direction = "sendonly", .mid = "0", .codecs = "vp8 h264"}};
    const struct offer_line vp8[] = {{.kind = "video", .direction = "sendonly", .mid = "0", .codecs = "vp8"}};
    fake_say(&h, me, "{'request':'join','room':5,'ptype':'publisher','id':1}");
    fake_forget(&h);
    publish(me, offer_of(h264, 1), NULL);
    offer_as(me, "{'request':'configure'}", offer_of(both, 1), "{'videoroom':'event','room':5,'configured':'ok','video_codec':'h264','streams':'*'}");
    offer_as(me, "{'request':'configure'}", offer_of(vp8, 1),
             "{'videoroom':'event','room':5,'configured':'ok','video_codec':'none','streams':[{'type':'video','mindex':0,'mid':'0','disabled':true}]}");
}

static const struct jsep_simulcast layers[] = {{.mindex = 1, .mid = "1", .layer_count = 3, .by_rid = true}};

static const struct fake_event *offer_simulcast(uint32_t handle, const char *body)
{
    const struct fake_say say = {.jsep = "offer", .sdp = offer_av(), .simulcast = layers, .simulcast_count = 1};
    fake_say_jsep(&h, handle, &say, "%s", body);
    return fake_hear(&h, handle);
}

static bool second_is_simulcast(const json_t *object)
{
    return json_is_true(json_object_get(json_array_get(json_object_get(object, "streams"), 1), "simulcast"));
}

static void test_simulcast_is_told_while_it_lasts(void **state)
{
    (void)state;
    uint32_t me = guest(1, NULL), other = guest(2, NULL);
    assert_true(second_is_simulcast(offer_simulcast(me, "{'request':'publish'}")->data));
    fake_up(&h, me);
    assert_true(second_is_simulcast(json_array_get(json_object_get(fake_hear(&h, other)->data, "publishers"), 0)));
    say_offer(me, "{'request':'configure'}", offer_av());   /* now one layer only */
    assert_false(second_is_simulcast(fake_hear(&h, me)->data));
    assert_false(second_is_simulcast(json_array_get(json_object_get(fake_hear(&h, other)->data, "publishers"), 0)));
    assert_true(second_is_simulcast(offer_simulcast(me, "{'request':'configure'}")->data));
}

/* ---- going ---- */

static void test_unpublish(void **state)
{
    (void)state;
    uint32_t bob = guest(77, "'display':'Bob'"), ann = guest(1, NULL);
    fake_say(&h, bob, "{'request':'unpublish'}");
    expect_error_text(&h, bob, 435, "Can't unpublish, not published");
    publish(bob, offer_av(), NULL);
    fake_say(&h, bob, "{'request':'unpublish'}");
    expect_told(&h, ann, "{'videoroom':'event','room':1234,'unpublished':77,'display':'Bob'}");
    expect_reply(&h, bob, "{'videoroom':'event','room':1234,'unpublished':'ok'}");
    fake_turn(&h);
    assert_false(h.handles[bob].has_pc);
    expect_nothing(&h);                                     /* once */
    fake_say(&h, bob, "{'request':'unpublish'}");
    expect_error(&h, bob, 435);
    offer_as(bob, "{'request':'publish'}", offer_av(), "{'videoroom':'event','room':1234,'configured':'ok'," AV_ANSWERED "}");
    fake_up(&h, bob);
    expect_told(&h, ann, "{'videoroom':'event','room':1234,'publishers':[{'id':77,'display':'Bob','audio_codec':'opus','video_codec':'vp8','streams':"
                         AV_STREAMS "}]}");
}

static void test_leave_ends_the_relaying_not_the_connection(void **state)
{
    (void)state;
    uint32_t bob = guest(77, "'metadata':{'a':1}"), ann = guest(1, NULL), seen;
    publish(bob, offer_av(), NULL);
    seen = watcher("[{'feed':77}]");
    fake_say(&h, bob, "{'request':'leave'}");
    expect_told(&h, ann, "{'videoroom':'event','room':1234,'leaving':77,'metadata':{'a':1}}");
    expect_reply(&h, bob, "{'videoroom':'event','room':1234,'leaving':'ok'}");
    fake_turn(&h);
    expect_nothing(&h);
    assert_true(h.handles[bob].up);
    assert_false(fake_source(&h, bob, 0)->active);
    fake_hangup(&h, bob);
    fake_detach(&h, bob);
    expect_nothing(&h);
    fake_say(&h, seen, "{'request':'unsubscribe','streams':[{'feed':9}]}");      /* the skipped update is made up for */
    expect_reply(&h, seen, "{'videoroom':'updated','room':1234,'streams':[{'type':'audio','active':false,'mindex':0,'mid':'0','ready':false,'send':true},"
                           "{'type':'video','active':false,'mindex':1,'mid':'1','ready':false,'send':true}]}");
}

static void test_who_detaches_is_said_to_leave(void **state)
{
    (void)state;
    uint32_t bob = guest(77, "'display':'Bob'"), ann = guest(1, NULL), passive = guest(2, NULL);
    publish(bob, offer_av(), NULL);
    fake_detach(&h, bob);
    expect_told(&h, ann, "{'videoroom':'event','room':1234,'unpublished':77,'display':'Bob'}");
    expect_told(&h, ann, "{'videoroom':'event','room':1234,'leaving':77,'display':'Bob'}");
    fake_detach(&h, passive);
    expect_told(&h, ann, "{'videoroom':'event','room':1234,'leaving':2}");
    expect_silence(&h, ann);
    fake_forget(&h);
    fake_say(&h, ann, "{'request':'leave'}");
    fake_forget(&h);
    fake_detach(&h, ann);
    expect_nothing(&h);
}

static void test_media_that_ends_is_told(void **state)
{
    (void)state;
    uint32_t bob = publisher(77), ann = guest(1, NULL);
    fake_hangup(&h, bob);
    expect_told(&h, ann, "{'videoroom':'event','room':1234,'unpublished':77}");
    fake_hangup(&h, bob);
    expect_nothing(&h);
    fake_hangup(&h, ann);                                   /* who never sent is not said to have stopped */
    expect_nothing(&h);
    say_offer(bob, "{'request':'publish'}", offer_av());    /* never comes up: never announced */
    fake_forget(&h);
    fake_hangup(&h, bob);
    fake_forget(&h);
    uint32_t late = fake_attach(&h);
    fake_say(&h, late, "{'request':'join','room':1234,'ptype':'publisher','id':5}");
    expect_reply(&h, late, "{" JOINED ",'id':5,'publishers':[]}");
}

static void test_a_slow_link_is_told_to_who_sends(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'edit','room':1234,'new_bitrate':128000}");
    uint32_t me = publisher(1), seen = watcher("[{'feed':1}]");
    h.desc->slow_link(h.plugin, h.handles[me].state, 1, true, false);
    expect_told(&h, me, "{'videoroom':'slow_link','current-bitrate':128000}");
    h.desc->slow_link(h.plugin, h.handles[me].state, 1, true, true);
    h.desc->slow_link(h.plugin, h.handles[seen].state, 1, true, false);
    expect_nothing(&h);
    h.desc->slow_link(h.plugin, h.handles[seen].state, 0, true, true);
    expect_told(&h, seen, "{'videoroom':'slow_link'}");
    uint32_t none = fake_attach(&h);
    h.desc->slow_link(h.plugin, h.handles[none].state, 0, true, true);
    expect_nothing(&h);
}

/* Whose client is gone for now is in the room all the same. */
static void test_a_client_that_is_gone_loses_events_only(void **state)
{
    (void)state;
    uint32_t bob = guest(77, NULL), ann = guest(1, NULL);
    h.handles[bob].gone = true;
    say_offer(bob, "{'request':'publish'}", offer_av());
    expect_silence(&h, bob);
    h.handles[bob].gone = false;
    fake_up(&h, bob);
    const struct offer_line audio[] = {{.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "opus"}};
    offer_as(bob, "{'request':'publish'}", offer_of(audio, 1),         /* of the answer that was lost nothing is left */
             "{'videoroom':'event','room':1234,'configured':'ok','audio_codec':'opus','streams':"
             "[{'type':'audio','mindex':0,'mid':'0','codec':'opus','audiolevel_ext_id':1}]}");
    fake_say(&h, ann, "{'request':'listparticipants','room':1234}");
    expect_sync(&h, "{'videoroom':'participants','room':1234,'participants':[{'id':77,'publisher':false},{'id':1,'publisher':false}]}");
}

static void test_keyframes_come_as_often_as_the_room_wants(void **state)
{
    (void)state;
    fake_admin(&h, "{'request':'edit','room':1234,'new_fir_freq':10}");
    uint32_t me = publisher(1), passive = guest(2, NULL);
    uint32_t before = fake_source(&h, me, 1)->keyframes;
    for (unsigned i = 0; i < 100; i++)
        h.desc->tick(h.plugin, h.now += SEC(1));
    assert_in_range(fake_source(&h, me, 1)->keyframes - before, 10, 11);
    assert_int_equal(fake_source(&h, me, 0)->keyframes, 0);
    (void)passive;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_joining_is_answered_with_who_is_there),
        ROOM_TEST(test_ids_are_drawn_when_none_is_given),
        ROOM_TEST(test_joins_are_told_where_a_room_wants_it),
        ROOM_TEST(test_join_checks_in_order),
        ROOM_TEST(test_signed_tokens),
        ROOM_TEST(test_joinandconfigure_publishes_at_once),
        ROOM_TEST(test_join_with_an_offer_publishes_too),
        ROOM_TEST(test_a_bad_offer_does_not_undo_the_join),
        ROOM_TEST(test_joinandconfigure_refuses_codecs_before_it_joins),
        ROOM_TEST(test_a_publisher_is_told_when_its_media_is_up),
        ROOM_TEST(test_a_room_is_full),
        ROOM_TEST(test_the_first_line_names_the_codec),
        ROOM_TEST(test_lines_that_only_receive_are_disabled),
        ROOM_TEST(test_data_is_named_by_its_index),
        ROOM_TEST(test_codecs_can_be_asked_for),
        ROOM_TEST(test_the_rooms_order_decides),
        ROOM_TEST(test_what_is_no_offer),
        ROOM_TEST(test_a_refused_answer_leaves_nothing_behind),
        ROOM_TEST(test_a_refused_renegotiation_changes_nothing),
        ROOM_TEST(test_end_to_end_encryption),
        ROOM_TEST(test_configure_checks_its_fields),
        ROOM_TEST(test_streams_are_stopped_and_resumed),
        ROOM_TEST(test_keyframes_can_be_asked_for),
        ROOM_TEST(test_the_bit_rate_is_the_rooms_or_its_own),
        ROOM_TEST(test_a_new_name_is_told_if_there_was_one),
        ROOM_TEST(test_names_have_an_end),
        ROOM_TEST(test_descriptions_together_have_an_end),
        ROOM_TEST(test_descriptions_are_told),
        ROOM_TEST(test_lines_come_and_go),
        ROOM_TEST(test_a_codec_stays),
        ROOM_TEST(test_simulcast_is_told_while_it_lasts),
        ROOM_TEST(test_unpublish),
        ROOM_TEST(test_leave_ends_the_relaying_not_the_connection),
        ROOM_TEST(test_who_detaches_is_said_to_leave),
        ROOM_TEST(test_media_that_ends_is_told),
        ROOM_TEST(test_a_slow_link_is_told_to_who_sends),
        ROOM_TEST(test_a_client_that_is_gone_loses_events_only),
        ROOM_TEST(test_keyframes_come_as_often_as_the_room_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
