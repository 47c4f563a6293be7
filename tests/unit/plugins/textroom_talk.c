/* TextRoom over data channels: who hears what, in which order (textroom.md 3, 5.6 - 5.14, 8), and what hostile clients cost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chats.h"

#include "base/str.h"
#include "plugins/textroom/textroom.h"

static const struct tr_counters *counters(void)
{
    const struct textroom *tr = t.plugin;
    return &tr->counters;
}

/* ---- the envelope ---- */

static void test_what_is_no_request(void **state)
{
    (void)state;
    uint32_t me = talker();
    static const char *const broken[] = {"", "x", "{", "{'textroom':'list','transaction':'t'", "{'textroom':'list'}x", "'list'", "5", "{'a':1e999}"};
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++)
        assert_true(say(me, "%s", broken[i]));
    assert_true(fake_data(&t, me, "JanusDataChannel", "", true, STR("{\"textroom\":\"list\",\"transaction\":\"t\"}")));
    expect_quiet(me);
    assert_int_equal(counters()->not_json, ARRAY_COUNT(broken) + 1);
    static const char *const unnamed[] = {"{}", "{'transaction':'t'}", "[]", "[{'textroom':'list','transaction':'t'}]"};
    for (size_t i = 0; i < ARRAY_COUNT(unnamed); i++) {
        say(me, "%s", unnamed[i]);
        expect_text(me, "{'textroom':'error','error_code':413,'error':'Missing mandatory element (textroom)'}");
    }
    say(me, "{'textroom':5,'transaction':'t'}");
    expect_text(me, "{'textroom':'error','error_code':414,'error':'Invalid element type (textroom should be a string)'}");
    say(me, "{'textroom':'list'}");
    expect_text(me, "{'textroom':'error','error_code':413,'error':'Missing mandatory element (transaction)'}");
    say(me, "{'textroom':'list','transaction':5}");
    expect_text(me, "{'textroom':'error','error_code':414,'error':'Invalid element type (transaction should be a string)'}");
    static const char *const unknown[] = {"dance", "setup", "restart", "ack", ""};
    for (size_t i = 0; i < ARRAY_COUNT(unknown); i++) {
        char text[80];
        snprintf(text, sizeof(text), "Unsupported request %s", unknown[i]);
        say(me, "{'textroom':'%s','transaction':'t'}", unknown[i]);
        expect_text_error(me, 415, text);
    }
}

/* The same requests as over the API; the answer says "success" for all, and ends with the transaction. */
static void test_rooms_are_managed_on_the_channel(void **state)
{
    (void)state;
    uint32_t me = talker();
    say(me, "{'textroom':'create','transaction':'t','room':8,'history':2}");
    const struct fake_data *data = fake_take_data(&t, me);
    assert_non_null(data);
    assert_string_equal((const char *)data->bytes, "{\"textroom\":\"success\",\"room\":8,\"permanent\":false,\"transaction\":\"t\"}");
    say(me, "{'textroom':'CREATE','transaction':'t','room':8}");
    expect_text_error(me, 418, "Room 8 already exists");
    say(me, "{'textroom':'edit','transaction':'t','room':8,'new_description':'Eight'}");
    expect_text(me, "{'textroom':'success','room':8,'permanent':false,'transaction':'t'}");
    say(me, "{'textroom':'list','transaction':'t'}");
    expect_text(me, "{'textroom':'success','list':['*','*'],'transaction':'t'}");
    say(me, "{'textroom':'exists','transaction':'t','room':9}");
    expect_text(me, "{'textroom':'success','room':9,'exists':false,'transaction':'t'}");
    say(me, "{'textroom':'allowed','transaction':'t','room':8,'action':'add','allowed':['x']}");
    expect_text(me, "{'textroom':'success','room':8,'allowed':['x'],'transaction':'t'}");
    say(me, "{'textroom':'listparticipants','transaction':'t','room':8}");
    expect_text(me, "{'textroom':'success','room':8,'participants':[],'transaction':'t'}");
    say(me, "{'textroom':'destroy','transaction':'t','room':8}");
    expect_text(me, "{'textroom':'destroyed','room':8}");
    expect_text(me, "{'textroom':'success','room':8,'permanent':false,'transaction':'t'}");
    expect_quiet(me);
}

/* ---- join ---- */

static void test_a_join_is_told_in_order(void **state)
{
    (void)state;
    uint32_t ann = talker(), bob = member("bob"), cyd = member("cyd");
    say(ann, "{'textroom':'join','transaction':'j1','room':7,'username':'ann','display':'Ann'}");
    const struct fake_data *data = fake_take_data(&t, ann);
    assert_string_equal((const char *)data->bytes, "{\"textroom\":\"join\",\"room\":7,\"username\":\"ann\",\"display\":\"Ann\"}");
    expect_text(ann, "{'textroom':'success','participants':[{'username':'bob'},{'username':'cyd'}],'transaction':'j1'}");
    expect_quiet(ann);
    expect_text(bob, "{'textroom':'join','room':7,'username':'ann','display':'Ann'}");
    expect_quiet(bob);
    expect_text(cyd, "{'textroom':'join','room':7,'username':'ann','display':'Ann'}");
    chat_admin("{'request':'listparticipants','room':7}");
    expect_sync(&t, "{'textroom':'success','room':7,'participants':[{'username':'bob'},{'username':'cyd'},{'username':'ann','display':'Ann'}]}");
}

static void test_who_may_not_join(void **state)
{
    (void)state;
    chat_create(8, "'pin':'p','allowed':[]");
    uint32_t ann = talker(), bob = talker();
    say(ann, "{'textroom':'join','transaction':'t','room':8}");
    expect_text_error(ann, 413, "Missing mandatory element (username)");
    say(ann, "{'textroom':'join','transaction':'t','username':'ann'}");
    expect_text_error(ann, 413, "Missing mandatory element (room)");
    say(ann, "{'textroom':'join','transaction':'t','username':'ann','room':99}");
    expect_text_error(ann, 417, "No such room (99)");
    static const char *const fields[] = {"pin", "token", "display"};
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        char text[80];
        snprintf(text, sizeof(text), "Invalid element type (%s should be a string)", fields[i]);
        say(ann, "{'textroom':'join','transaction':'t','username':'ann','room':8,'%s':1}", fields[i]);
        expect_text_error(ann, 414, text);
    }
    say(ann, "{'textroom':'join','transaction':'t','username':'ann','room':8,'history':1}");
    expect_text_error(ann, 414, "Invalid element type (history should be a boolean)");
    say(ann, "{'textroom':'join','transaction':'t','username':'ann','room':8}");
    expect_text_error(ann, 413, "Missing mandatory element (pin)");
    say(ann, "{'textroom':'join','transaction':'t','username':'ann','room':8,'pin':'x'}");
    expect_text_error(ann, 419, "Unauthorized (wrong pin)");
    say(ann, "{'textroom':'join','transaction':'t','username':'ann','room':8,'pin':'p'}");
    expect_text_error(ann, 419, "Unauthorized (not in the allowed list)");         /* an empty list lets nobody in */
    chat_admin("{'request':'allowed','room':8,'action':'add','allowed':['key']}");
    say(ann, "{'textroom':'join','transaction':'t','username':'ann','room':8,'pin':'p','token':'kez'}");
    expect_text_error(ann, 419, "Unauthorized (not in the allowed list)");
    say(ann, "{'textroom':'join','transaction':'t','username':'ann','room':8,'pin':'p','token':'key'}");
    chats_forget();
    say(ann, "{'textroom':'join','transaction':'t','username':'other','room':8,'pin':'p'}");
    expect_text_error(ann, 421, "Already in room 8");
    say(bob, "{'textroom':'join','transaction':'t','username':'ann','room':8,'pin':'p'}");
    expect_text_error(bob, 420, "Username already taken");                          /* before the token is looked at */
    expect_quiet(ann);
    char *name = malloc(TR_NAME_MAX + 2);
    memset(name, 'x', TR_NAME_MAX + 1);
    name[TR_NAME_MAX + 1] = '\0';
    say(bob, "{'textroom':'join','transaction':'t','username':'%s','room':7}", name);
    expect_text_error(bob, 414, "Invalid element value (username is too long)");
    say(bob, "{'textroom':'join','transaction':'t','username':'b','display':'%s','room':7}", name);
    expect_text_error(bob, 414, "Invalid element value (display is too long)");
    free(name);
}

static void test_one_handle_in_many_rooms(void **state)
{
    (void)state;
    chat_create(8, NULL);
    uint32_t ann = member("ann"), bob = member("bob");
    member_joins(ann, 8, "ann");
    say(ann, "{'textroom':'message','transaction':'t','room':8,'text':'alone here'}");
    expect_text(ann, "{'textroom':'message','room':8,'from':'ann','date':'*','text':'alone here'}");
    expect_text(ann, "{'textroom':'success','transaction':'t'}");
    expect_quiet(bob);
    say(bob, "{'textroom':'message','transaction':'t','room':8,'text':'x'}");
    expect_text_error(bob, 422, "Not in room 8");
    say(bob, "{'textroom':'leave','transaction':'t','room':8}");
    expect_text_error(bob, 422, "Not in room 8");
    fake_hangup(&t, ann);
    expect_text(bob, "{'textroom':'leave','room':7,'username':'ann'}");
    expect_quiet(bob);
    chat_admin("{'request':'listparticipants','room':8}");
    expect_sync(&t, "{'textroom':'success','room':8,'participants':[]}");
}

static void test_a_handle_is_in_so_many_rooms_only(void **state)
{
    (void)state;
    uint32_t ann = talker();
    for (unsigned i = 0; i <= TR_ROOMS_OF_HANDLE_MAX; i++) {
        chat_create(1000 + i, NULL);
        say(ann, "{'textroom':'join','transaction':'t','room':%u,'username':'a','history':false}", 1000 + i);
        if (i < TR_ROOMS_OF_HANDLE_MAX)
            chats_forget();
    }
    expect_text_error(ann, 499, "Too many rooms");
}

/* ---- messages ---- */

static void test_a_message_reaches_all_and_its_sender(void **state)
{
    (void)state;
    uint32_t ann = member("ann"), bob = member("bob");
    t.wall_us = UINT64_C(1953875350) * 1000000;
    say(ann, "{'textroom':'message','transaction':'m1','room':7,'text':'h\\u00e9 \\\"you\\\"'}");
    const struct fake_data *data = fake_take_data(&t, bob);
    assert_non_null(data);
    assert_string_equal((const char *)data->bytes,
                        "{\"textroom\":\"message\",\"room\":7,\"from\":\"ann\",\"date\":\"2031-12-01T07:09:10+0000\",\"text\":\"h\303\251 \\\"you\\\"\"}");
    expect_text(ann, "{'textroom':'message','room':7,'from':'ann','date':'*','text':'h\303\251 \\\"you\\\"'}");
    expect_text(ann, "{'textroom':'success','transaction':'m1'}");
    expect_quiet(ann);
    expect_quiet(bob);
    say(ann, "{'textroom':'message','transaction':'m2','room':7,'text':'','ack':false}");
    expect_text(ann, "{'textroom':'message','room':7,'from':'ann','date':'*','text':''}");
    expect_quiet(ann);
    say(ann, "{'textroom':'message','transaction':'t','room':7,'ack':false}");
    expect_text_error(ann, 413, "Missing mandatory element (text)");                /* errors are always told */
    say(ann, "{'textroom':'message','transaction':'t','room':9,'text':'x','ack':false}");
    expect_text_error(ann, 417, "No such room (9)");
}

static void test_whispers(void **state)
{
    (void)state;
    uint32_t ann = member("ann"), bob = member("bob"), cyd = member("cyd");
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'psst','to':'bob'}");
    expect_text(bob, "{'textroom':'message','room':7,'from':'ann','date':'*','text':'psst','whisper':true}");
    expect_text(ann, "{'textroom':'success','sent':{'bob':true},'transaction':'t'}");
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'psst','tos':['cyd','nobody','bob','cyd','nobody']}");
    expect_text(cyd, "{'textroom':'message','room':7,'from':'ann','date':'*','text':'psst','whisper':true}");
    expect_quiet(cyd);                                                              /* named twice, told once */
    expect_text(bob, "{'textroom':'message','room':7,'from':'ann','date':'*','text':'psst','whisper':true}");
    expect_text(ann, "{'textroom':'success','sent':{'cyd':true,'nobody':false,'bob':true},'transaction':'t'}");
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'me','to':'ann'}");
    expect_text(ann, "{'textroom':'message','room':7,'from':'ann','date':'*','text':'me','whisper':true}");
    expect_text(ann, "{'textroom':'success','sent':{'ann':true},'transaction':'t'}");
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'x','tos':[]}");
    expect_text(ann, "{'textroom':'success','sent':{},'transaction':'t'}");
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'x','to':'bob','ack':false}");
    expect_quiet(ann);
    chats_forget();
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'x','to':'bob','tos':['bob']}");
    expect_text_error(ann, 414, "Both to and tos array provided");
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'x','tos':['bob',5]}");
    expect_text_error(ann, 414, "Invalid element in the tos array (not a string)");
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'x','tos':'bob'}");
    expect_text_error(ann, 414, "Invalid element type (tos should be an array)");
    expect_quiet(bob);
}

static void test_leave_is_told_to_the_leaver_first(void **state)
{
    (void)state;
    uint32_t ann = member("ann"), bob = member("bob");
    say(ann, "{'textroom':'leave','transaction':'l','room':7}");
    expect_text(ann, "{'textroom':'leave','room':7,'username':'ann'}");
    expect_text(ann, "{'textroom':'success','transaction':'l'}");
    expect_text(bob, "{'textroom':'leave','room':7,'username':'ann'}");
    expect_quiet(ann);
    expect_quiet(bob);
    member_joins(ann, 7, "ann");
    fake_detach(&t, ann);
    expect_text(bob, "{'textroom':'leave','room':7,'username':'ann'}");
}

/* ---- managers ---- */

static void test_a_kick_is_told_to_all(void **state)
{
    (void)state;
    uint32_t ann = member("ann"), bob = member("bob");
    chat_admin("{'request':'kick','room':7,'username':'ann'}");
    expect_sync(&t, "{'textroom':'success'}");
    expect_text(ann, "{'textroom':'kicked','room':7,'username':'ann'}");
    expect_text(bob, "{'textroom':'kicked','room':7,'username':'ann'}");
    expect_quiet(bob);
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'x'}");
    expect_text_error(ann, 422, "Not in room 7");
    member_joins(ann, 7, "ann");                            /* nothing keeps it out */
    say(bob, "{'textroom':'kick','transaction':'t','room':7,'username':'bob'}");
    expect_text(bob, "{'textroom':'kicked','room':7,'username':'bob'}");
    expect_text(bob, "{'textroom':'success','transaction':'t'}");
}

static void test_event_handlers_hear_of_rooms_and_who_is_in_them(void **state)
{
    (void)state;
    uint32_t ann = talker();
    t.notices = 0;
    say(ann, "{'textroom':'join','transaction':'t','room':7,'username':'ann','display':'Ann'}");
    assert_string_equal(t.noticed, "{\"event\":\"join\",\"room\":7,\"username\":\"ann\",\"display\":\"Ann\"}");
    assert_false(ref_is_none(t.noticed_handle));
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'x'}");
    assert_int_equal(t.notices, 1);                         /* what is said is nobody's business */
    say(ann, "{'textroom':'leave','transaction':'t','room':7}");
    assert_string_equal(t.noticed, "{\"event\":\"leave\",\"room\":7,\"username\":\"ann\"}");
    chats_forget();
    member_joins(ann, 7, "ann");
    chat_admin("{'request':'kick','room':7,'username':'ann'}");
    assert_string_equal(t.noticed, "{\"textroom\":\"kicked\",\"room\":7,\"username\":\"ann\"}");
    chats_forget();
    member_joins(ann, 7, "ann");
    fake_detach(&t, ann);
    assert_string_equal(t.noticed, "{\"event\":\"leave\",\"room\":7,\"username\":\"ann\"}");
    chat_create(8, "'pin':'mark'");
    assert_string_equal(t.noticed, "{\"event\":\"created\",\"room\":8}");
    chat_admin("{'request':'edit','room':8,'new_description':'x'}");
    assert_string_equal(t.noticed, "{\"event\":\"edited\",\"room\":8}");
    chat_admin("{'request':'destroy','room':8}");
    assert_string_equal(t.noticed, "{\"event\":\"destroyed\",\"room\":8}");
    assert_true(ref_is_none(t.noticed_handle));
    t.deaf = true;                                          /* the double refuses what is written for nobody */
    chat_create(9, NULL);
    chats_forget();
}

static void test_an_announcement_needs_nobody_in_the_room(void **state)
{
    (void)state;
    uint32_t ann = member("ann"), me = talker();
    say(me, "{'textroom':'announcement','transaction':'t','room':7,'text':'hear'}");
    expect_text(me, "{'textroom':'success','transaction':'t'}");
    const struct fake_data *data = fake_take_data(&t, ann);
    assert_non_null(strstr((const char *)data->bytes, "{\"textroom\":\"announcement\",\"room\":7,\"date\":\""));
    chat_admin("{'request':'announcement','room':7,'text':'hear'}");
    expect_sync(&t, "{'textroom':'success'}");
    expect_text(ann, "{'textroom':'announcement','room':7,'date':'*','text':'hear'}");
    expect_quiet(ann);
}

/* Who asks and is in the room is told twice, then answered. */
static void test_destroy_tells_everybody(void **state)
{
    (void)state;
    uint32_t ann = member("ann"), bob = member("bob");
    say(ann, "{'textroom':'destroy','transaction':'t','room':7}");
    expect_text(ann, "{'textroom':'destroyed','room':7}");
    expect_text(ann, "{'textroom':'destroyed','room':7}");
    expect_text(ann, "{'textroom':'success','room':7,'permanent':false,'transaction':'t'}");
    expect_text(bob, "{'textroom':'destroyed','room':7}");
    expect_quiet(bob);
    say(bob, "{'textroom':'message','transaction':'t','room':7,'text':'x'}");
    expect_text_error(bob, 417, "No such room (7)");
    fake_hangup(&t, bob);
    expect_quiet(ann);
}

/* ---- history ---- */

static void test_history_is_the_last_public_messages(void **state)
{
    (void)state;
    chat_create(8, "'history':3");
    uint32_t ann = talker(), bob = talker();
    say(ann, "{'textroom':'join','transaction':'t','room':8,'username':'ann','display':'Ann'}");
    for (unsigned i = 0; i < 4; i++)
        say(ann, "{'textroom':'message','transaction':'t','room':8,'text':'%u'}", i);
    say(ann, "{'textroom':'message','transaction':'t','room':8,'text':'secret','to':'ann'}");
    chat_admin("{'request':'announcement','room':8,'text':'all'}");
    chats_forget();
    say(bob, "{'textroom':'join','transaction':'t','room':8,'username':'bob'}");
    const struct fake_data *data = fake_take_data(&t, bob);
    assert_non_null(strstr((const char *)data->bytes, ",\"text\":\"2\",\"display\":\"Ann\"}"));
    expect_text(bob, "{'textroom':'message','room':8,'from':'ann','date':'*','text':'3','display':'Ann'}");
    expect_text(bob, "{'textroom':'announcement','room':8,'date':'*','text':'all'}");
    expect_text(bob, "{'textroom':'join','room':8,'username':'bob'}");
    expect_text(bob, "{'textroom':'success','participants':[{'username':'ann','display':'Ann'}],'transaction':'t'}");
    say(bob, "{'textroom':'message','transaction':'t','room':8,'text':'no display'}");
    say(bob, "{'textroom':'leave','transaction':'t','room':8}");
    chats_forget();
    say(bob, "{'textroom':'join','transaction':'t','room':8,'username':'bob','history':false}");
    expect_text(bob, "{'textroom':'join','room':8,'username':'bob'}");
    const struct textroom *tr = t.plugin;
    struct tr_room *room = tr_room_get(tr, "8");
    assert_int_equal(room->history_count, 3);
    assert_int_equal(tr->history_bytes, room->history_bytes);
    assert_int_equal(counters()->forgotten, 0);
}

static void test_history_is_bounded_in_bytes(void **state)
{
    (void)state;
    chat_create(8, "'history':65535");
    char *text = malloc(60001);
    memset(text, 'x', 60000);
    text[60000] = '\0';
    for (unsigned i = 0; i < 200; i++)
        chat_admin("{'request':'announcement','room':8,'text':'%s'}", text);
    free(text);
    const struct textroom *tr = t.plugin;
    struct tr_room *room = tr_room_get(tr, "8");
    assert_true(room->history_bytes <= TR_HISTORY_BYTES_MAX && room->history_bytes > TR_HISTORY_BYTES_MAX - 61000);
    assert_int_equal(counters()->forgotten, 200 - room->history_count);
    chat_admin("{'request':'destroy','room':8}");
    assert_int_equal(tr->history_bytes, 0);
}

/* ---- posts ---- */

static void test_what_is_said_to_all_is_posted(void **state)
{
    (void)state;
    chat_create(8, "'post':'http://example.com/a','history':5");
    uint32_t ann = talker();
    say(ann, "{'textroom':'join','transaction':'t','room':8,'username':'ann','display':'Ann'}");
    assert_int_equal(t.posts, 0);
    say(ann, "{'textroom':'message','transaction':'t','room':8,'text':'hi'}");
    assert_int_equal(t.posts, 1);
    assert_string_equal(t.posted_url, "http://example.com/a");
    assert_non_null(strstr(t.posted, "{\"textroom\":\"message\",\"room\":8,\"from\":\"ann\",\"date\":\""));
    assert_non_null(strstr(t.posted, "\",\"text\":\"hi\"}"));              /* as it is delivered: without display */
    assert_true(t.posted_public_only);                                  /* no admin_key: anybody may have said where to */
    say(ann, "{'textroom':'message','transaction':'t','room':8,'text':'hi','to':'ann'}");
    assert_int_equal(t.posts, 1);
    chat_admin("{'request':'edit','room':8,'new_post':'http://example.com/b'}");
    chat_admin("{'request':'announcement','room':8,'text':'all'}");
    assert_int_equal(t.posts, 2);
    assert_string_equal(t.posted_url, "http://example.com/b");
    say(ann, "{'textroom':'leave','transaction':'t','room':8}");
    chat_admin("{'request':'announcement','room':7,'text':'all'}");
    assert_int_equal(t.posts, 2);
}

/* Whoever writes the file, or has the key, may point at servers behind our own walls. */
static void test_who_may_post_anywhere(void **state)
{
    (void)state;
    chats_start("general: { admin_key = \"k\"; }\nroom-7: { post = \"http://127.0.0.1/\"; }");
    chat_admin("{'request':'announcement','room':7,'text':'x'}");
    assert_int_equal(t.posts, 1);
    assert_false(t.posted_public_only);
    chat_admin("{'request':'create','admin_key':'k','room':8,'post':'http://10.0.0.1/'}");
    chat_admin("{'request':'announcement','room':8,'text':'x'}");
    assert_int_equal(t.posts, 2);
    assert_false(t.posted_public_only);
    chats_teardown(NULL);
    chats_start("room-7: { post = \"http://127.0.0.1/\"; }");
    chat_admin("{'request':'announcement','room':7,'text':'x'}");
    assert_false(t.posted_public_only);
    chat_admin("{'request':'edit','room':7,'new_description':'x'}");
    chat_admin("{'request':'announcement','room':7,'text':'x'}");
    assert_false(t.posted_public_only);
    chat_admin("{'request':'edit','room':7,'new_post':'http://127.0.0.1/'}");
    chat_admin("{'request':'announcement','room':7,'text':'x'}");
    assert_true(t.posted_public_only);
}

/* ---- layouts ---- */

static void test_the_layout_of_the_file(void **state)
{
    (void)state;
    chats_start("general: { json = \"indented\"; }\nroom-7: { }");
    uint32_t ann = talker();
    say(ann, "{'textroom':'exists','transaction':'t','room':7}");
    const struct fake_data *data = fake_take_data(&t, ann);
    assert_string_equal((const char *)data->bytes,
                        "{\n   \"textroom\": \"success\",\n   \"room\": 7,\n   \"exists\": true,\n   \"transaction\": \"t\"\n}");
    fake_say(&t, ann, "{'request':'exists','room':7}");     /* over the API the client's own layout counts */
    assert_string_equal(buf_text(&t.reply), "{\"textroom\":\"success\",\"room\":7,\"exists\":true}");
}

/* ---- hostile clients ---- */

/* A request cut at every byte, and with every byte changed, is answered or dropped; nothing breaks. */
static void test_mangled_requests(void **state)
{
    (void)state;
    uint32_t ann = member("ann"), bob = member("bob");
    static const char request[] = "{\"textroom\":\"message\",\"transaction\":\"t\",\"room\":7,\"tos\":[\"ann\",\"zed\"],\"text\":\"\\u00e9\",\"ack\":true}";
    uint8_t text[sizeof(request)];
    for (size_t cut = 0; cut < sizeof(request) - 1; cut++) {
        assert_true(fake_data(&t, bob, "JanusDataChannel", "", false, VIEW(request, cut)));
        static const uint8_t others[] = {0, '"', '{', '}', '[', '\\', 0x7F, 0x80, 0xC0, 0xFF, '9', 'n'};
        for (size_t k = 0; k < sizeof(others); k++) {
            memcpy(text, request, sizeof(text));
            text[cut] = others[k];
            assert_true(fake_data(&t, bob, "x", "y", false, VIEW(text, sizeof(request) - 1)));
        }
        chats_forget();
    }
    say(ann, "{'textroom':'exists','transaction':'t','room':7}");
    expect_text(ann, "{'textroom':'success','room':7,'exists':true,'transaction':'t'}");
}

static void test_too_much_json_is_not_parsed(void **state)
{
    (void)state;
    uint32_t me = talker();
    struct buf text;
    buf_init(&text, 1u << 20);
    buf_add_text(&text, "{\"textroom\":\"list\",\"transaction\":\"t\",\"x\":[0");
    for (unsigned i = 0; i < TR_VALUES_MAX; i++)
        buf_add_text(&text, ",0");
    buf_add_text(&text, "]}");
    assert_true(fake_data(&t, me, "JanusDataChannel", "", false, buf_view(&text)));
    expect_quiet(me);
    buf_clear(&text);
    for (unsigned i = 0; i < 100000; i++)
        buf_add_char(&text, '[');
    assert_true(fake_data(&t, me, "JanusDataChannel", "", false, buf_view(&text)));
    expect_quiet(me);
    assert_int_equal(counters()->not_json, 2);
    buf_fini(&text);
}

/* What would be longer than anybody takes, once delivered, is an error; what one client does not take is lost to that one. */
static void test_huge_texts(void **state)
{
    (void)state;
    uint32_t ann = member("ann"), bob = member("bob");
    char *text = malloc(TR_DELIVERY_MAX + 1);
    memset(text, 'x', TR_DELIVERY_MAX);
    text[TR_DELIVERY_MAX] = '\0';
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'%s'}", text);
    expect_text_error(ann, 414, "Invalid element value (text is too long)");
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'%s','to':'bob'}", text);
    expect_text_error(ann, 414, "Invalid element value (text is too long)");
    chat_admin("{'request':'announcement','room':7,'text':'%s'}", text);
    assert_int_equal(fake_int(t.last.body, "error_code"), 414);
    expect_quiet(bob);
    text[FAKE_DATA_MAX] = '\0';
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'%s'}", text);
    expect_text(ann, "{'textroom':'success','transaction':'t'}");
    expect_quiet(bob);
    assert_int_equal(counters()->refused, 2);
    say(ann, "{'textroom':'%s','transaction':'%s'}", "list", text);     /* an answer that the asker would not take itself */
    expect_quiet(ann);
    free(text);
}

static void test_an_answer_that_is_too_long(void **state)
{
    (void)state;
    uint32_t me = talker();
    char *text = malloc(TR_TEXT_MAX + 1);
    memset(text, 'x', TR_TEXT_MAX);
    text[TR_TEXT_MAX] = '\0';
    chat_create(8, NULL);
    chat_admin("{'request':'edit','room':8,'new_description':'%s'}", text);
    free(text);
    say(me, "{'textroom':'list','transaction':'t'}");
    expect_text_error(me, 499, "The answer is too long");
    fake_say(&t, me, "{'request':'list'}");                 /* over the API it fits */
    assert_int_equal(json_array_size(json_object_get(t.last.body, "list")), 2);
}

static void pass(usec_t us)
{
    t.now += us;
    t.desc->tick(t.plugin, t.now);
}

/* Who fills somebody waits until that one has read; between those who read nothing is lost. */
static void test_who_speaks_waits_for_who_reads_slowly(void **state)
{
    (void)state;
    uint32_t ann = member("ann"), bob = member("bob"), cyd = member("cyd");
    t.handles[bob].full = true;
    for (unsigned round = 0; round < 3; round++) {
        assert_true(say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'kept'}"));
        assert_false(say(ann, "{'textroom':'exists','transaction':'t','room':7}"));
        assert_true(say(cyd, "{'textroom':'exists','transaction':'t','room':7}"));      /* who says nothing waits for nobody */
        assert_int_equal(t.handles[ann].data_again, round);
        pass(SEC(4));                                       /* slow, but not deaf */
        chats_forget();
        fake_data_ready(&t, bob);
        expect_text(bob, "{'textroom':'message','room':7,'from':'ann','date':'*','text':'kept'}");
        expect_quiet(bob);
        assert_int_equal(t.handles[ann].data_again, round + 1);
        t.handles[bob].full = true;
    }
    assert_int_equal(counters()->full, 0);
    assert_true(say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'x'}"));
    fake_hangup(&t, bob);                                   /* nobody waits for who has gone */
    assert_true(say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'x'}"));
}

/* Who does not read at all is deaf after a while: it alone loses what is said. */
static void test_a_client_that_reads_nothing(void **state)
{
    (void)state;
    uint32_t ann = member("ann"), bob = member("bob");
    t.handles[bob].full = true;
    assert_true(say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'kept'}"));
    pass(TR_PATIENCE_US - 1);
    assert_false(say(ann, "{'textroom':'exists','transaction':'t','room':7}"));
    pass(1);
    assert_int_equal(t.handles[ann].data_again, 1);
    for (unsigned i = 0; i < 10; i++)
        assert_true(say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'lost'}"));
    assert_int_equal(counters()->full, 10);
    expect_quiet(bob);
    fake_data_ready(&t, bob);
    expect_text(bob, "{'textroom':'message','room':7,'from':'ann','date':'*','text':'kept'}");
    expect_quiet(bob);
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'heard'}");
    expect_text(bob, "{'textroom':'message','room':7,'from':'ann','date':'*','text':'heard'}");
}

/* What was asked for is never lost, and no more is taken from who has not heard the answer. */
static void test_an_answer_waits_for_its_client(void **state)
{
    (void)state;
    uint32_t ann = member("ann"), bob = member("bob");
    t.handles[bob].full = true;
    assert_true(say(bob, "{'textroom':'exists','transaction':'mine','room':7}"));
    assert_false(say(bob, "{'textroom':'exists','transaction':'later','room':7}"));
    t.handles[bob].full = false;
    say(ann, "{'textroom':'message','transaction':'t','room':7,'text':'may not overtake'}");
    expect_quiet(bob);
    fake_data_ready(&t, bob);
    expect_text(bob, "{'textroom':'success','room':7,'exists':true,'transaction':'mine'}");
    expect_text(bob, "{'textroom':'message','room':7,'from':'ann','date':'*','text':'may not overtake'}");
    assert_true(say(bob, "{'textroom':'exists','transaction':'later','room':7}"));
    expect_text(bob, "{'textroom':'success','room':7,'exists':true,'transaction':'later'}");
    t.handles[bob].full = true;
    assert_true(say(bob, "{'textroom':'message','transaction':'t','room':7,'text':'to myself, too'}"));
    assert_false(say(bob, "{'textroom':'exists','transaction':'t','room':7}"));
    fake_hangup(&t, bob);                                   /* fake_stop looks for what is left behind */
    assert_true(say(ann, "{'textroom':'exists','transaction':'t','room':7}"));
}

/* What is held for one client is bounded, whoever speaks, and by whichever way. */
static void test_what_is_held_is_bounded(void **state)
{
    (void)state;
    uint32_t bob = member("bob");
    char *text = malloc(50001);
    memset(text, 'x', 50000);
    text[50000] = '\0';
    t.handles[bob].full = true;
    for (unsigned i = 0; i < 30; i++)
        chat_admin("{'request':'announcement','room':7,'text':'%s'}", text);
    free(text);
    assert_int_equal(counters()->full, 30 - TR_HELD_BYTES_MAX / 50070);
    const struct tr_session *session = t.handles[bob].state;
    assert_true(session->held_bytes <= TR_HELD_BYTES_MAX);
}

/* A join brings more than there is room for: all of it comes, in order, once the client reads; who joins and reads nothing costs that
 * much and no more. */
static void test_a_history_waits_for_who_joins(void **state)
{
    (void)state;
    chat_create(8, "'history':100");
    for (unsigned i = 0; i < 100; i++)
        chat_admin("{'request':'announcement','room':8,'text':'%u'}", i);
    uint32_t ann = talker();
    t.handles[ann].full = true;
    assert_true(say(ann, "{'textroom':'join','transaction':'j','room':8,'username':'ann'}"));
    assert_false(say(ann, "{'textroom':'message','transaction':'m','room':8,'text':'x'}"));
    expect_quiet(ann);
    fake_data_ready(&t, ann);
    for (unsigned i = 0; i < 100; i++)
        expect_text(ann, "{'textroom':'announcement','room':8,'date':'*','text':'%u'}", i);
    expect_text(ann, "{'textroom':'join','room':8,'username':'ann'}");
    expect_text(ann, "{'textroom':'success','participants':[],'transaction':'j'}");
    expect_quiet(ann);
    assert_true(say(ann, "{'textroom':'message','transaction':'m','room':8,'text':'x'}"));
    expect_text(ann, "{'textroom':'message','room':8,'from':'ann','date':'*','text':'x'}");
    t.handles[ann].full = true;
    assert_true(say(ann, "{'textroom':'leave','transaction':'l','room':8}"));
    fake_detach(&t, ann);                                   /* fake_stop looks for what is left behind */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHAT_TEST(test_what_is_no_request),
        CHAT_TEST(test_rooms_are_managed_on_the_channel),
        CHAT_TEST(test_a_join_is_told_in_order),
        CHAT_TEST(test_who_may_not_join),
        CHAT_TEST(test_one_handle_in_many_rooms),
        CHAT_TEST(test_a_handle_is_in_so_many_rooms_only),
        CHAT_TEST(test_a_message_reaches_all_and_its_sender),
        CHAT_TEST(test_whispers),
        CHAT_TEST(test_leave_is_told_to_the_leaver_first),
        CHAT_TEST(test_a_kick_is_told_to_all),
        CHAT_TEST(test_event_handlers_hear_of_rooms_and_who_is_in_them),
        CHAT_TEST(test_an_announcement_needs_nobody_in_the_room),
        CHAT_TEST(test_destroy_tells_everybody),
        CHAT_TEST(test_history_is_the_last_public_messages),
        CHAT_TEST(test_history_is_bounded_in_bytes),
        CHAT_TEST(test_what_is_said_to_all_is_posted),
        BARE_TEST(test_who_may_post_anywhere),
        BARE_TEST(test_the_layout_of_the_file),
        CHAT_TEST(test_mangled_requests),
        CHAT_TEST(test_too_much_json_is_not_parsed),
        CHAT_TEST(test_huge_texts),
        CHAT_TEST(test_an_answer_that_is_too_long),
        CHAT_TEST(test_who_speaks_waits_for_who_reads_slowly),
        CHAT_TEST(test_a_client_that_reads_nothing),
        CHAT_TEST(test_an_answer_waits_for_its_client),
        CHAT_TEST(test_what_is_held_is_bounded),
        CHAT_TEST(test_a_history_waits_for_who_joins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
