/* TextRoom over the Janus API and the Admin API, and from its file: textroom.md 1 - 4, 5.1 - 5.9, 6. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chats.h"

#include "plugins/textroom/textroom.h"

#define NOBODY UINT32_MAX

/* expect_error_text knows VideoRoom's key only: here the envelope is looked at, too. */
static void expect_refusal(const char *envelope, int code, const char *text)
{
    assert_int_equal(t.last.outcome, PLUGIN_SYNC);
    assert_string_equal(json_string_value(json_object_get(t.last.body, "textroom")), envelope);
    assert_int_equal(fake_int(t.last.body, "error_code"), code);
    assert_string_equal(json_string_value(json_object_get(t.last.body, "error")), text);
    assert_int_equal(json_object_size(t.last.body), 3);
}

static void expect_async_refusal(uint32_t handle, int code, const char *text)
{
    expect_reply(&t, handle, "{'textroom':'error','error_code':%d,'error':'%s'}", code, text);
}

/* ---- the request itself ---- */

static void test_requests_without_a_good_verb(void **state)
{
    (void)state;
    uint32_t me = fake_attach(&t);
    fake_say(&t, me, "{}");
    expect_refusal("event", 413, "Missing mandatory element (request)");
    fake_say(&t, me, "{'request':5}");
    expect_refusal("event", 414, "Invalid element type (request should be a string)");
    fake_say(&t, me, "{'request':null}");
    expect_refusal("event", 414, "Invalid element type (request should be a string)");
    fake_say(&t, me, "{'request':'dance'}");
    expect_refusal("event", 415, "Unknown request 'dance'");
    fake_say(&t, me, "{'request':'EXISTS','room':7}");
    expect_sync(&t, "{'textroom':'success','room':7,'exists':true}");
    static const char *const channel_only[] = {"join", "leave", "message"};
    for (size_t i = 0; i < ARRAY_COUNT(channel_only); i++) {
        char text[80];
        snprintf(text, sizeof(text), "Unknown request '%s'", channel_only[i]);
        fake_say(&t, me, "{'request':'%s','room':7,'username':'u','text':'x'}", channel_only[i]);
        expect_refusal("event", 415, text);
        /* What the reference would run instead of the request is not looked at. */
        fake_say(&t, me, "{'request':'exists','textroom':'%s','room':7,'username':'u','text':'x'}", channel_only[i]);
        expect_sync(&t, "{'textroom':'success','room':7,'exists':true}");
    }
    expect_nothing(&t);
}

static void test_the_admin_api_brings_a_transaction(void **state)
{
    (void)state;
    fake_admin(&t, "{'request':'list'}");
    expect_refusal("error", 413, "Missing mandatory element (transaction)");
    fake_admin(&t, "{'request':'list','transaction':5}");
    expect_refusal("error", 414, "Invalid element type (transaction should be a string)");
    fake_admin(&t, "{'request':'dance'}");
    expect_refusal("event", 415, "Unknown request 'dance'");
    fake_admin(&t, "{'request':'exists','transaction':'x','room':7}");
    expect_sync(&t, "{'textroom':'success','room':7,'exists':true}");
    static const char *const others[] = {"setup", "restart", "ack", "join", "leave", "message"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        char text[80];
        snprintf(text, sizeof(text), "Unknown request '%s'", others[i]);
        fake_admin(&t, "{'request':'%s','transaction':'x'}", others[i]);
        expect_refusal("event", 415, text);
    }
}

/* `room` in every wrong shape, for all that need one; a room that is not there. */
static void test_a_room_must_be_named_rightly(void **state)
{
    (void)state;
    static const char *const requests[] = {"'request':'exists'", "'request':'listparticipants'", "'request':'edit'", "'request':'destroy'",
                                           "'request':'kick','username':'u'", "'request':'announcement','text':'x'",
                                           "'request':'allowed','action':'enable'"};
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        chat_admin("{%s}", requests[i]);
        expect_refusal("error", 413, "Missing mandatory element (room)");
        static const char *const wrong[] = {"'7'", "-1", "1.5", "null", "{}", "true", "[7]"};
        for (size_t k = 0; k < ARRAY_COUNT(wrong); k++) {
            chat_admin("{%s,'room':%s}", requests[i], wrong[k]);
            expect_refusal("error", 414, "Invalid element type (room should be a positive integer)");
        }
        if (i == 0)
            continue;
        chat_admin("{%s,'room':77}", requests[i]);
        expect_refusal("error", 417, "No such room (77)");
    }
}

static void test_fields_are_checked_in_order(void **state)
{
    (void)state;
    static const struct { const char *request, *name, *wrong, *type; } fields[] = {
        {"create", "description", "1", "a string"},     {"create", "secret", "[]", "a string"},
        {"create", "pin", "4321", "a string"},          {"create", "post", "{}", "a string"},
        {"create", "is_private", "'yes'", "a boolean"}, {"create", "history", "-1", "a positive integer"},
        {"create", "allowed", "{}", "an array"},        {"create", "permanent", "1", "a boolean"},
        {"edit", "secret", "1", "a string"},            {"edit", "new_description", "1", "a string"},
        {"edit", "new_secret", "1", "a string"},        {"edit", "new_pin", "1", "a string"},
        {"edit", "new_post", "1", "a string"},          {"edit", "new_is_private", "1", "a boolean"},
        {"edit", "permanent", "1", "a boolean"},        {"destroy", "permanent", "1", "a boolean"},
        {"allowed", "secret", "1", "a string"},         {"allowed", "action", "1", "a string"},
        {"kick", "secret", "1", "a string"},            {"kick", "username", "1", "a string"},
        {"announcement", "secret", "1", "a string"},    {"announcement", "text", "1", "a string"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        char text[100];
        snprintf(text, sizeof(text), "Invalid element type (%s should be %s)", fields[i].name, fields[i].type);
        chat_admin("{'request':'%s','%s':%s}", fields[i].request, fields[i].name, fields[i].wrong);
        expect_refusal("error", 414, text);
        chat_admin("{'request':'%s','%s':null,'room':'x'}", fields[i].request, fields[i].name);      /* before `room` */
        expect_refusal("error", 414, text);
    }
    chat_admin("{'request':'allowed','room':7}");
    expect_refusal("error", 413, "Missing mandatory element (action)");
    chat_admin("{'request':'kick','room':7}");
    expect_refusal("error", 413, "Missing mandatory element (username)");
    chat_admin("{'request':'announcement','room':7}");
    expect_refusal("error", 413, "Missing mandatory element (text)");
}

/* ---- create, list, exists ---- */

static void test_create_answers_with_the_id(void **state)
{
    (void)state;
    uint32_t me = fake_attach(&t);
    fake_say(&t, me, "{'request':'create','room':8}");
    expect_sync(&t, "{'textroom':'created','room':8,'permanent':false}");
    fake_say(&t, me, "{'request':'create','room':8}");
    expect_refusal("error", 418, "Room 8 already exists");
    int64_t last = 0;
    for (unsigned i = 0; i < 20; i++) {
        fake_say(&t, me, i % 2 == 0 ? "{'request':'create'}" : "{'request':'create','room':0}");
        expect_sync(&t, "{'textroom':'created','room':'*','permanent':false}");
        int64_t id = fake_int(t.last.body, "room");
        assert_true(id > 0 && id < INT64_C(1) << 53 && id != last);
        last = id;
    }
    fake_say(&t, me, "{'request':'create','room':9,'permanent':true}");
    expect_refusal("error", 499, "No configuration file, can't create permanent room");
    fake_say(&t, me, "{'request':'create','room':9,'allowed':['a',1]}");
    expect_refusal("error", 414, "Invalid element in the allowed array (not a string)");
    fake_say(&t, me, "{'request':'exists','room':9}");
    expect_sync(&t, "{'textroom':'success','room':9,'exists':false}");
}

static void test_list_shows_public_rooms(void **state)
{
    (void)state;
    chat_create(8, "'description':'','is_private':true,'history':70000,'pin':''");
    chat_admin("{'request':'list'}");
    expect_sync(&t, "{'textroom':'success','list':[{'room':7,'description':'Room 7','pin_required':false,'num_participants':0,'history':0}]}");
    chat_admin("{'request':'edit','room':8,'new_is_private':false}");
    chat_admin("{'request':'destroy','room':7}");
    /* 16 bits of a history; an empty pin is one */
    chat_admin("{'request':'list','admin_key':'no key is set, so none is looked at'}");
    expect_sync(&t, "{'textroom':'success','list':[{'room':8,'description':'Room 8','pin_required':true,'num_participants':0,'history':4464}]}");
}

static void test_the_admin_key_guards_create_and_private_rooms(void **state)
{
    (void)state;
    chats_start("general: { admin_key = \"k\" }\nroom-5: { is_private = true; }");
    chat_admin("{'request':'create','room':1}");
    expect_refusal("error", 413, "Missing mandatory element (admin_key)");
    chat_admin("{'request':'create','room':1,'admin_key':5}");
    expect_refusal("error", 414, "Invalid element type (admin_key should be a string)");
    chat_admin("{'request':'create','room':1,'admin_key':'x','allowed':[1]}");
    expect_refusal("error", 419, "Unauthorized (wrong admin_key)");
    chat_admin("{'request':'create','room':'1','admin_key':'x'}");
    expect_refusal("error", 414, "Invalid element type (room should be a positive integer)");
    chat_admin("{'request':'create','room':5,'admin_key':'k','allowed':[1]}");
    expect_refusal("error", 414, "Invalid element in the allowed array (not a string)");
    chat_admin("{'request':'create','room':5,'admin_key':'k'}");
    expect_refusal("error", 418, "Room 5 already exists");
    static const char *const keys[] = {"5", "''", "null"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        chat_admin("{'request':'list','admin_key':%s}", keys[i]);
        expect_sync(&t, "{'textroom':'success','list':[]}");
    }
    chat_admin("{'request':'list','admin_key':'x'}");
    expect_refusal("error", 419, "Unauthorized (wrong admin_key)");
    chat_admin("{'request':'list','admin_key':'k'}");
    expect_sync(&t, "{'textroom':'success','list':[{'room':5,'description':'room-5','pin_required':false,'num_participants':0,'history':0}]}");
}

/* ---- secrets; edit, destroy, allowed ---- */

static void test_a_secret_is_asked_for_by_all_that_manage(void **state)
{
    (void)state;
    chat_create(8, "'secret':'s'");
    chat_create(9, "'secret':''");
    static const char *const requests[] = {"'request':'edit'", "'request':'kick','username':'u'", "'request':'announcement','text':'x'",
                                           "'request':'allowed','action':'disable'", "'request':'destroy'"};
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        chat_admin("{%s,'room':8}", requests[i]);
        expect_refusal("error", 413, "Missing mandatory element (secret)");
        chat_admin("{%s,'room':8,'secret':'x'}", requests[i]);
        expect_refusal("error", 419, "Unauthorized (wrong secret)");
        chat_admin("{%s,'room':9}", requests[i]);           /* an empty one has to be given, too */
        expect_refusal("error", 413, "Missing mandatory element (secret)");
    }
    chat_admin("{'request':'kick','username':'u','room':8,'secret':'s'}");
    expect_refusal("error", 423, "No such user u in room 8");
    chat_admin("{'request':'announcement','text':'','room':9,'secret':''}");
    expect_sync(&t, "{'textroom':'success'}");
    chat_admin("{'request':'listparticipants','room':8}");
    expect_sync(&t, "{'textroom':'success','room':8,'participants':[]}");
}

/* Only where there is one: a room that is not there, or has none, is looked at first. */
static void test_the_secret_of_destroy(void **state)
{
    (void)state;
    chat_create(8, "'secret':'s'");
    chat_admin("{'request':'destroy','room':8,'secret':5}");
    expect_refusal("error", 414, "Invalid element type (secret should be a string)");
    chat_admin("{'request':'destroy','room':99,'secret':5}");
    expect_refusal("error", 417, "No such room (99)");
    chat_admin("{'request':'destroy','room':7,'secret':5}");
    expect_sync(&t, "{'textroom':'destroyed','room':7,'permanent':false}");
}

static void test_edit_ignores_empty_texts(void **state)
{
    (void)state;
    chat_create(8, "'secret':'s','pin':'p','description':'d'");
    chat_admin("{'request':'edit','room':8,'secret':'s','new_description':'','new_secret':'','new_pin':'','new_post':''}");
    expect_sync(&t, "{'textroom':'edited','room':8,'permanent':false}");
    chat_admin("{'request':'edit','room':8,'secret':'s','new_description':'D','new_secret':'S','new_pin':'P'}");
    expect_sync(&t, "{'textroom':'edited','room':8,'permanent':false}");
    chat_admin("{'request':'edit','room':8,'secret':'s'}");
    expect_refusal("error", 419, "Unauthorized (wrong secret)");
    chat_admin("{'request':'edit','room':8,'secret':'S','permanent':true}");
    expect_refusal("error", 499, "No configuration file, can't edit room permanently");
    chat_admin("{'request':'edit','room':99,'permanent':true}");
    expect_refusal("error", 499, "No configuration file, can't edit room permanently");      /* before the room is looked for */
    chat_admin("{'request':'destroy','room':99,'permanent':true}");
    expect_refusal("error", 499, "No configuration file, can't destroy room permanently");
    chat_admin("{'request':'destroy','room':8,'secret':5}");
    expect_refusal("error", 414, "Invalid element type (secret should be a string)");
    chat_admin("{'request':'destroy','room':8,'secret':'S'}");
    expect_sync(&t, "{'textroom':'destroyed','room':8,'permanent':false}");
    chat_admin("{'request':'destroy','room':8,'secret':'S'}");
    expect_refusal("error", 417, "No such room (8)");
    chat_admin("{'request':'create','room':9}");
    chat_admin("{'request':'destroy','room':9,'secret':5}");         /* nobody asked for one */
    expect_sync(&t, "{'textroom':'destroyed','room':9,'permanent':false}");
}

static void test_allowed_changes_the_list(void **state)
{
    (void)state;
    chat_admin("{'request':'allowed','room':99,'action':'x'}");
    expect_refusal("error", 414, "Unsupported action 'x' (allowed)");
    chat_admin("{'request':'allowed','room':'x','action':'x'}");
    expect_refusal("error", 414, "Invalid element type (room should be a positive integer)");
    chat_admin("{'request':'allowed','room':99,'action':'add'}");
    expect_refusal("error", 417, "No such room (99)");
    chat_admin("{'request':'allowed','room':7,'action':'add','allowed':['a','b','a']}");
    expect_sync(&t, "{'textroom':'success','room':7,'allowed':['a','b']}");
    chat_admin("{'request':'allowed','room':7,'action':'ADD'}");
    expect_sync(&t, "{'textroom':'success','room':7,'allowed':['a','b']}");
    chat_admin("{'request':'allowed','room':7,'action':'add','allowed':['c',2]}");
    expect_refusal("error", 414, "Invalid element in the allowed array (not a string)");
    chat_admin("{'request':'allowed','room':7,'action':'remove','allowed':['a','zed']}");
    expect_sync(&t, "{'textroom':'success','room':7,'allowed':['b']}");
    chat_admin("{'request':'allowed','room':7,'action':'disable'}");
    expect_sync(&t, "{'textroom':'success','room':7}");
    chat_admin("{'request':'allowed','room':7,'action':'enable'}");
    expect_sync(&t, "{'textroom':'success','room':7,'allowed':['b']}");
}

static void test_what_strangers_grow_is_bounded(void **state)
{
    (void)state;
    char *text = malloc(TR_TEXT_MAX + 2);
    memset(text, 'x', TR_TEXT_MAX + 1);
    text[TR_TEXT_MAX + 1] = '\0';
    static const char *const names[] = {"description", "secret", "pin"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char wanted[80];
        snprintf(wanted, sizeof(wanted), "Invalid element value (%s is too long)", names[i]);
        chat_admin("{'request':'create','%s':'%s'}", names[i], text);
        expect_refusal("error", 414, wanted);
        snprintf(wanted, sizeof(wanted), "Invalid element value (new_%s is too long)", names[i]);
        chat_admin("{'request':'edit','room':7,'new_%s':'%s'}", names[i], text);
        expect_refusal("error", 414, wanted);
    }
    text[TR_TEXT_MAX] = '\0';
    chat_admin("{'request':'create','room':8,'description':'%s'}", text);
    expect_sync(&t, "{'textroom':'created','room':8,'permanent':false}");
    text[TR_URL_MAX + 1] = '\0';
    chat_admin("{'request':'create','post':'%s'}", text);
    expect_refusal("error", 414, "Invalid element value (post is too long)");
    chat_admin("{'request':'edit','room':7,'new_post':'%s'}", text);
    expect_refusal("error", 414, "Invalid element value (new_post is too long)");
    free(text);

    struct buf body;
    buf_init(&body, 1u << 20);
    buf_add_text(&body, "{'request':'create','room':9,'allowed':['t0'");
    for (unsigned i = 1; i <= ACL_TOKENS_MAX; i++)
        buf_addf(&body, ",'t%u'", i);
    buf_add_text(&body, "]}");
    chat_admin("%s", buf_text(&body));
    expect_refusal("error", 414, "Invalid element (at most 10000 tokens in the allowed array)");
    buf_fini(&body);
    chat_admin("{'request':'exists','room':9}");
    expect_sync(&t, "{'textroom':'success','room':9,'exists':false}");
}

/* ---- configuration ---- */

static void test_rooms_of_the_file(void **state)
{
    (void)state;
    chats_start("general: { json = \"nonsense\"; events = true }\n"
                "room-7: { description = \"Seven\"; history = 3; pin = \"p\"; secret = \"\" }\n"
                "\"8\": { description = \"\"; history = \"many\"; is_private = \"yes\" }\n"
                "\"room-07\": { }\n\"room-0\": { }\n\"room-x\": { }\n\"room-\": { }\n\"7\": { description = \"again\" }\n"
                "\"room-18446744073709551616\": { }\n\"room-9007199254740993\": { history = 70000 }\n");
    assert_int_equal(t.logged, 6);
    chat_admin("{'request':'edit','room':8,'new_is_private':false}");
    expect_sync(&t, "{'textroom':'edited','room':8,'permanent':false}");
    chat_admin("{'request':'list'}");
    assert_int_equal(json_array_size(json_object_get(t.last.body, "list")), 3);
    size_t index;
    const json_t *room;
    json_array_foreach(json_object_get(t.last.body, "list"), index, room) {
        const char *description = json_string_value(json_object_get(room, "description"));
        if (fake_int(room, "room") == 7) {
            assert_string_equal(description, "Seven");
            assert_int_equal(fake_int(room, "history"), 3);
            assert_true(json_is_true(json_object_get(room, "pin_required")));
        } else {
            assert_int_equal(fake_int(room, "history"), 0);
            assert_false(json_is_true(json_object_get(room, "pin_required")));
        }
        if (fake_int(room, "room") == 8)
            assert_string_equal(description, "8");
    }
}

static void test_string_ids(void **state)
{
    (void)state;
    chats_start("general: { string_ids = true }\n\"room-a b\": { }\n\"room-\": { }\n\"room-007\": { }");
    assert_int_equal(t.logged, 1);
    chat_admin("{'request':'exists','room':'a b'}");
    expect_sync(&t, "{'textroom':'success','room':'a b','exists':true}");
    chat_admin("{'request':'exists','room':'007'}");
    expect_sync(&t, "{'textroom':'success','room':'007','exists':true}");
    chat_admin("{'request':'exists','room':7}");
    expect_refusal("error", 414, "Invalid element type (room should be a string)");
    chat_admin("{'request':'create','room':'x\\\"y'}");
    expect_sync(&t, "{'textroom':'created','room':'x\\\"y','permanent':false}");
    chat_admin("{'request':'create','room':'a\\nb'}");
    expect_refusal("error", 414, "Invalid element type (room should be at most 256 characters, all of them visible)");
    chat_admin("{'request':'create','room':''}");
    expect_sync(&t, "{'textroom':'created','room':'*','permanent':false}");
    assert_int_equal(json_string_length(json_object_get(t.last.body, "room")), 36);
    chat_admin("{'request':'create','room':'0'}");          /* a name like any other */
    expect_sync(&t, "{'textroom':'created','room':'0','permanent':false}");
    chat_admin("{'request':'kick','room':'none','username':'u'}");
    expect_refusal("error", 417, "No such room (none)");
}

/* security.md: what everybody knows guards nothing. */
static void test_sample_secrets_stay_closed(void **state)
{
    (void)state;
    chats_start("general: { admin_key = \"supersecret\" }\nroom-5: { secret = \"adminpwd\"; }");
    assert_int_equal(t.logged, 2);
    chat_admin("{'request':'create','admin_key':'supersecret'}");
    expect_refusal("error", 419, "Unauthorized (wrong admin_key)");
    chat_admin("{'request':'list','admin_key':'supersecret'}");
    expect_refusal("error", 419, "Unauthorized (wrong admin_key)");
    chat_admin("{'request':'destroy','room':5,'secret':'adminpwd'}");
    expect_refusal("error", 419, "Unauthorized (wrong secret)");
}

/* ---- permanent rooms ---- */

static void expect_saved(const char *part)
{
    assert_non_null(fake_op(&t));
    assert_string_equal(fake_op(&t)->path, "/nonexistent/janus.plugin.textroom.jcfg");
    struct conf_error error;
    struct conf_node *again = conf_parse(VIEW(fake_op(&t)->bytes, fake_op(&t)->size), CONF_JCFG, NULL, &error);
    assert_non_null(again);                             /* what we write can be read */
    conf_free(again);
    if (strstr(fake_op(&t)->bytes, part) == NULL)
        fail_msg("not in the file: %s\n%s", part, fake_op(&t)->bytes);
}

static bool file_has(const char *group)
{
    return conf_get(t.conf, group) != NULL;
}

static void test_a_room_is_made_permanent(void **state)
{
    (void)state;
    chats_start("general: { events = false; }\nroom-7: { description = \"Seven\"; }");
    uint32_t me = fake_attach(&t);
    fake_say(&t, me, "{'request':'create','room':8,'permanent':true,'description':'a \\\"b\\\"\\n','secret':'s','pin':'p','history':5,"
                     "'is_private':true,'post':'http://x/','allowed':['token']}");
    assert_int_equal(t.last.outcome, PLUGIN_WAIT);
    expect_saved("\nroom-8");
    expect_saved("Seven");
    assert_string_equal(conf_text(conf_get(t.conf, "room-8"), "description", ""), "a \"b\"\n");
    assert_string_equal(conf_text(conf_get(t.conf, "room-8"), "post", ""), "http://x/");
    assert_int_equal(conf_int(conf_get(t.conf, "room-8"), "history", 0), 5);
    assert_true(conf_bool(conf_get(t.conf, "room-8"), "is_private", false));
    assert_null(conf_get(conf_get(t.conf, "room-8"), "allowed"));
    fake_end_op(&t, ERR_NONE, NULL);
    expect_sync(&t, "{'textroom':'created','room':8,'permanent':true}");

    fake_say(&t, me, "{'request':'edit','room':8,'secret':'s','permanent':true,'new_description':'Eight','new_is_private':false}");
    expect_saved("Eight");
    assert_null(conf_get(conf_get(t.conf, "room-8"), "is_private"));
    fake_end_op(&t, ERR_NONE, NULL);
    expect_sync(&t, "{'textroom':'edited','room':8,'permanent':true}");

    fake_say(&t, me, "{'request':'edit','room':8,'secret':'s','new_description':'Not saved'}");
    expect_sync(&t, "{'textroom':'edited','room':8,'permanent':false}");
    fake_say(&t, me, "{'request':'destroy','room':8,'secret':'s','permanent':true}");
    assert_false(file_has("room-8"));
    fake_say(&t, me, "{'request':'exists','room':8}");
    fake_end_op(&t, ERR_NONE, NULL);
    expect_sync(&t, "{'textroom':'destroyed','room':8,'permanent':true}");
    assert_true(file_has("room-7"));
}

/* The disk fails, or takes too long, or who asked has gone: the room is there all the same, and not called permanent. */
static void test_a_save_that_fails(void **state)
{
    (void)state;
    chats_start("general: { }");
    uint32_t me = fake_attach(&t);
    fake_say(&t, me, "{'request':'create','room':8,'permanent':true}");
    fake_end_op(&t, ERR_IO, "No space left on device");
    expect_sync(&t, "{'textroom':'created','room':8,'permanent':false}");
    assert_false(file_has("room-8"));                   /* the next save shall not bring it back */
    assert_non_null(strstr(t.last_log, "No space left"));
    fake_say(&t, me, "{'request':'create','room':9,'permanent':true}");
    fake_end_op(&t, ERR_TIMEOUT, NULL);
    expect_sync(&t, "{'textroom':'created','room':9,'permanent':false}");
    t.refuse_op = ERR_FULL;
    fake_say(&t, me, "{'request':'create','room':10,'permanent':true}");
    expect_sync(&t, "{'textroom':'created','room':10,'permanent':false}");
    assert_false(file_has("room-10"));
    fake_say(&t, me, "{'request':'create','room':11,'permanent':true}");
    fake_detach(&t, me);
    chat_admin("{'request':'exists','room':11}");
    expect_sync(&t, "{'textroom':'success','room':11,'exists':true}");
}

/* Where no request can wait, the answer does not. */
static void test_the_admin_api_and_channels_save_without_waiting(void **state)
{
    (void)state;
    chats_start("general: { string_ids = true; }");
    chat_admin("{'request':'create','room':'a b','permanent':true}");
    expect_sync(&t, "{'textroom':'created','room':'a b','permanent':true}");
    assert_int_equal(t.saves_unasked, 1);
    assert_non_null(strstr(t.saved_unasked, "room-a b"));
    uint32_t me = talker();
    say(me, "{'textroom':'create','transaction':'t','room':'c','permanent':true}");
    expect_text(me, "{'textroom':'success','room':'c','permanent':true,'transaction':'t'}");
    assert_int_equal(t.saves_unasked, 2);
    say(me, "{'textroom':'destroy','transaction':'t','room':'a b','permanent':true}");
    expect_text(me, "{'textroom':'destroyed','room':'a b'}");
    expect_text(me, "{'textroom':'success','room':'a b','permanent':true,'transaction':'t'}");
    assert_null(strstr(t.saved_unasked, "room-a b"));
    t.refuse_op = ERR_FULL;
    say(me, "{'textroom':'create','transaction':'t','room':'d','permanent':true}");
    expect_text(me, "{'textroom':'success','room':'d','permanent':false,'transaction':'t'}");
    assert_false(file_has("room-d"));
}

/* ---- the PeerConnection ---- */

static void test_setup_is_once_and_restart_after_it(void **state)
{
    (void)state;
    uint32_t me = fake_attach(&t);
    fake_say(&t, me, "{'request':'restart'}");
    expect_async_refusal(me, 416, "PeerConnection not setup");
    fake_say(&t, me, "{'request':'ack'}");
    expect_reply(&t, me, "{'textroom':'event','result':'ok'}");
    fake_say(&t, me, "{'request':'setup'}");
    const struct fake_event *event = expect_reply(&t, me, "{'textroom':'event','result':'ok'}");
    assert_string_equal(event->jsep, "offer");
    assert_false(event->restart);
    assert_non_null(strstr(event->sdp, "\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    assert_non_null(strstr(event->sdp, "\r\na=sctp-port:5000\r\n"));
    assert_non_null(strstr(event->sdp, " 1 IN IP4 1.1.1.1\r\ns=Cardea TextRoom\r\n"));
    assert_null(strstr(event->sdp, "m=audio"));
    fake_say(&t, me, "{'request':'SETUP'}");
    expect_async_refusal(me, 416, "PeerConnection already setup");
    fake_answer(&t, me, "ack");
    expect_reply(&t, me, "{'textroom':'event','result':'ok'}");
    fake_up(&t, me);
    fake_say(&t, me, "{'request':'restart'}");
    event = expect_reply(&t, me, "{'textroom':'event','result':'ok'}");
    assert_true(event->restart);
    assert_non_null(strstr(event->sdp, " 2 IN IP4 1.1.1.1\r\n"));
    fake_answer(&t, me, "ack");
    expect_reply(&t, me, "{'textroom':'event','result':'ok'}");
    fake_hangup(&t, me);
    fake_say(&t, me, "{'request':'setup'}");                /* the flag stays, even after a hangup */
    expect_async_refusal(me, 416, "PeerConnection already setup");
    fake_say(&t, me, "{'request':'restart'}");
    assert_string_equal(expect_reply(&t, me, "{'textroom':'event','result':'ok'}")->jsep, "offer");
}

static void test_an_offer_that_the_core_refuses_is_an_error(void **state)
{
    (void)state;
    uint32_t me = fake_attach(&t);
    t.refuse = ERR_FULL;
    fake_say(&t, me, "{'request':'setup'}");
    expect_async_refusal(me, 499, "The offer could not be made");
    fake_say(&t, me, "{'request':'setup'}");                /* nothing has been set up, so it may be tried again */
    assert_string_equal(expect_reply(&t, me, "{'textroom':'event','result':'ok'}")->jsep, "offer");
    t.offers_again = true;
    fake_say(&t, me, "{'request':'restart'}");              /* over the first offer, which nobody has answered */
    assert_string_equal(expect_reply(&t, me, "{'textroom':'event','result':'ok'}")->jsep, "offer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHAT_TEST(test_requests_without_a_good_verb),
        CHAT_TEST(test_the_admin_api_brings_a_transaction),
        CHAT_TEST(test_a_room_must_be_named_rightly),
        CHAT_TEST(test_fields_are_checked_in_order),
        CHAT_TEST(test_create_answers_with_the_id),
        CHAT_TEST(test_list_shows_public_rooms),
        BARE_TEST(test_the_admin_key_guards_create_and_private_rooms),
        CHAT_TEST(test_a_secret_is_asked_for_by_all_that_manage),
        CHAT_TEST(test_the_secret_of_destroy),
        CHAT_TEST(test_edit_ignores_empty_texts),
        CHAT_TEST(test_allowed_changes_the_list),
        CHAT_TEST(test_what_strangers_grow_is_bounded),
        BARE_TEST(test_rooms_of_the_file),
        BARE_TEST(test_string_ids),
        BARE_TEST(test_sample_secrets_stay_closed),
        BARE_TEST(test_a_room_is_made_permanent),
        BARE_TEST(test_a_save_that_fails),
        BARE_TEST(test_the_admin_api_and_channels_save_without_waiting),
        CHAT_TEST(test_setup_is_once_and_restart_after_it),
        CHAT_TEST(test_an_offer_that_the_core_refuses_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
