/* Which request may come from whom: videoroom.md 1. */
#include <stdio.h>

#include "rooms.h"

static const char *const async_verbs[] = {"configure", "publish",   "unpublish",   "leave",  "start",
                                          "pause",     "subscribe", "unsubscribe", "update", "switch"};

static void test_a_fresh_handle_joins_first(void **state)
{
    (void)state;
    uint32_t me = fake_attach(&h);
    for (size_t i = 0; i < ARRAY_COUNT(async_verbs); i++) {
        fake_say(&h, me, "{'request':'%s'}", async_verbs[i]);
        expect_error_text(&h, me, 424, "Invalid request on unconfigured participant");
    }
    const struct fake_say say = {.jsep = "offer", .sdp = offer_av()};
    fake_say_jsep(&h, me, &say, "{'request':'publish'}");
    expect_error(&h, me, 424);
    expect_nothing(&h);
}

static void test_a_publisher_stays_one(void **state)
{
    (void)state;
    uint32_t me = guest(1, NULL);
    static const char *const joins[] = {"join", "joinandconfigure", "JOIN"};
    for (size_t i = 0; i < ARRAY_COUNT(joins); i++) {
        fake_say(&h, me, "{'request':'%s'}", joins[i]);
        expect_error_text(&h, me, 425, "Already in as a publisher on this handle");
    }
    for (size_t i = 4; i < ARRAY_COUNT(async_verbs); i++) {
        char text[64];
        snprintf(text, sizeof(text), "Unknown request '%s'", async_verbs[i]);
        fake_say(&h, me, "{'request':'%s'}", async_verbs[i]);
        expect_error_text(&h, me, 423, text);
    }
    fake_say(&h, me, "{'request':'listparticipants','room':1234}");       /* synchronous ones are for everybody */
    expect_sync(&h, "{'videoroom':'participants','room':1234,'participants':[{'id':1,'publisher':false}]}");
}

static void test_who_has_left_can_only_go(void **state)
{
    (void)state;
    uint32_t me = guest(1, NULL);
    fake_say(&h, me, "{'request':'leave'}");
    expect_reply(&h, me, "{'videoroom':'event','room':1234,'leaving':'ok'}");
    for (size_t i = 0; i < ARRAY_COUNT(async_verbs); i++) {
        fake_say(&h, me, "{'request':'%s'}", async_verbs[i]);
        expect_error_text(&h, me, 426, "No such room");
    }
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'publisher'}");
    expect_error_text(&h, me, 425, "Not in a room (create a new handle)");
    fake_say(&h, me, "{'request':'joinandconfigure','room':1234,'ptype':'subscriber'}");
    expect_error_text(&h, me, 425, "Not in a room (create a new handle)");
}

static void test_a_subscriber_stays_one(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = viewer("[{'feed':1}]");
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'publisher'}");
    expect_error_text(&h, me, 425, "Already in as a subscriber on this handle");
    static const char *const others[] = {"joinandconfigure", "publish", "unpublish"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        char text[64];
        snprintf(text, sizeof(text), "Unknown request '%s'", others[i]);
        fake_say(&h, me, "{'request':'%s'}", others[i]);
        expect_error_text(&h, me, 423, text);
    }
    fake_say(&h, me, "{'request':'exists','room':1234}");
    expect_sync(&h, "{'videoroom':'success','room':1234,'exists':true}");
    fake_say(&h, me, "{'request':'leave'}");
    expect_reply(&h, me, "{'videoroom':'event','room':1234,'left':'ok'}");
    static const char *const mine[] = {"start", "pause", "configure", "subscribe", "unsubscribe", "update", "switch", "leave"};
    for (size_t i = 0; i < ARRAY_COUNT(mine); i++) {
        fake_say(&h, me, "{'request':'%s','streams':[{'feed':1}]}", mine[i]);
        expect_error_text(&h, me, 426, "No such room ");
    }
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'publisher'}");
    expect_error(&h, me, 425);
}

/* A join that fails leaves the handle as it was: the next may succeed, in either role. */
static void test_a_failed_join_gives_no_role(void **state)
{
    (void)state;
    uint32_t source = publisher(1), me = fake_attach(&h);
    static const struct { const char *fields; int code; } bad[] = {
        {"'room':1234,'ptype':'publisher','id':1", 436},
        {"'room':1234,'ptype':'spectator'", 430},
        {"'room':1234,'ptype':'subscriber'", 429},
        {"'room':1234,'ptype':'subscriber','feed':9", 428},
        {"'room':1234,'ptype':'subscriber','streams':[{'feed':1,'mid':'7'}]", 428},
        {"'room':1234,'ptype':'subscriber','feed':1,'offer_audio':false,'offer_video':false", 437},
        {"'room':9,'ptype':'publisher'", 426},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        fake_say(&h, me, "{'request':'join',%s}", bad[i].fields);
        expect_error(&h, me, bad[i].code);
        fake_say(&h, me, "{'request':'start'}");
        expect_error(&h, me, 424);
    }
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'Subscriber','feed':1}");
    assert_string_equal(fake_hear(&h, me)->jsep, "offer");
    assert_false(h.handles[source].closing);
}

static void test_an_offer_that_cannot_be_sent_gives_no_role(void **state)
{
    (void)state;
    (void)publisher(1);
    uint32_t me = fake_attach(&h);
    static const enum err errors[] = {ERR_INVALID, ERR_FULL};
    for (size_t i = 0; i < ARRAY_COUNT(errors); i++) {
        h.refuse = errors[i];
        fake_say(&h, me, "{'request':'join','room':1234,'ptype':'subscriber','feed':1}");
        expect_error(&h, me, 437);
    }
    fake_say(&h, me, "{'request':'join','room':1234,'ptype':'publisher','id':2}");
    expect_reply(&h, me, "{'videoroom':'joined','room':1234,'description':'Room 1234','id':2,'private_id':'*','publishers':[{'id':1,"
                         "'audio_codec':'opus','video_codec':'vp8','streams':" AV_JOINED ",'talking':false}]}");
}

static void test_what_the_admin_sees_of_a_handle(void **state)
{
    (void)state;
    uint32_t none = fake_attach(&h), pub = publisher(1), sub = watcher("[{'feed':1,'mid':'0'}]");
    static const char *const wanted[] = {
        "{\"hangingup\":0,\"destroyed\":0}",
        "{\"type\":\"publisher\",\"room\":1234,\"id\":1,\"private_id\":\"*\",\"bitrate\":0,\"streams\":\"*\",\"hangingup\":0,\"destroyed\":0}",
        "{\"type\":\"subscriber\",\"room\":1234,\"private_id\":0,\"answered\":true,\"pending_offer\":false,\"pending_restart\":false,"
        "\"paused\":false,\"streams\":[{\"type\":\"audio\",\"active\":true,\"mindex\":0,\"mid\":\"0\",\"ready\":true,\"send\":true,"
        "\"feed_id\":1,\"feed_mid\":\"0\",\"codec\":\"opus\"}],\"hangingup\":0,\"destroyed\":0}",
    };
    const uint32_t handles[] = {none, pub, sub};
    for (unsigned i = 0; i < 3; i++) {
        struct buf text;
        struct json_out j;
        buf_init(&text, 65536);
        jout_begin(&j, &text, LAYOUT_COMPACT);
        jout_object(&j, NULL);
        h.desc->query(h.plugin, h.handles[handles[i]].state, &j);
        jout_end(&j);
        json_t *got = json_loadb((const char *)text.data, text.size, 0, NULL), *want = json_loads(wanted[i], 0, NULL);
        assert_non_null(want);
        if (!json_fits(got, want))
            fail_msg("%.*s", (int)text.size, (const char *)text.data);
        json_decref(got);
        json_decref(want);
        buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_a_fresh_handle_joins_first),
        ROOM_TEST(test_a_publisher_stays_one),
        ROOM_TEST(test_who_has_left_can_only_go),
        ROOM_TEST(test_a_subscriber_stays_one),
        ROOM_TEST(test_a_failed_join_gives_no_role),
        ROOM_TEST(test_an_offer_that_cannot_be_sent_gives_no_role),
        ROOM_TEST(test_what_the_admin_sees_of_a_handle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
