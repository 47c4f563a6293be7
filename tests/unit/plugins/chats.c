#include "chats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "plugins/table.h"

struct host t;

void chats_start(const char *conf)
{
    fake_start(&t, &textroom_plugin, conf);
}

int chats_setup(void **state)
{
    (void)state;
    chats_start(NULL);
    chat_create(7, NULL);
    return 0;
}

int chats_teardown(void **state)
{
    (void)state;
    fake_stop(&t);
    return 0;
}

static char *with_quotes(const char *format, va_list args)
{
    char *text = NULL;
    assert_true(vasprintf(&text, format, args) >= 0);
    for (char *p = text; *p != '\0'; p++)
        *p = *p == '\'' ? '"' : *p;
    return text;
}

const struct fake_reply *chat_admin(const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    assert_true(vasprintf(&text, format, args) >= 0);
    va_end(args);
    assert_int_equal(text[0], '{');
    const struct fake_reply *reply = fake_admin(&t, "{'transaction':'a'%s%s", text[1] == '}' ? "" : ",", text + 1);
    free(text);
    return reply;
}

void chat_create(uint64_t room, const char *fields)
{
    chat_admin("{'request':'create','room':%" PRIu64 "%s%s}", room, fields == NULL ? "" : ",", fields == NULL ? "" : fields);
    expect_sync(&t, "{'textroom':'created','room':%" PRIu64 ",'permanent':false}", room);
}

uint32_t talker(void)
{
    uint32_t handle = fake_attach(&t);
    fake_say(&t, handle, "{'request':'setup'}");
    expect_reply(&t, handle, "{'textroom':'event','result':'ok'}");
    fake_answer(&t, handle, "ack");
    expect_reply(&t, handle, "{'textroom':'event','result':'ok'}");
    fake_up(&t, handle);
    fake_data_ready(&t, handle);
    return handle;
}

void member_joins(uint32_t handle, uint64_t room, const char *name)
{
    assert_true(say(handle, "{'textroom':'join','transaction':'j','room':%" PRIu64 ",'username':'%s'}", room, name));
    expect_text(handle, "{'textroom':'join','room':%" PRIu64 ",'username':'%s'}", room, name);
    expect_text(handle, "{'textroom':'success','participants':'*','transaction':'j'}");
    chats_forget();
}

uint32_t member(const char *name)
{
    uint32_t handle = talker();
    member_joins(handle, 7, name);
    return handle;
}

bool say(uint32_t handle, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = with_quotes(format, args);
    va_end(args);
    bool taken = fake_data(&t, handle, "JanusDataChannel", "", false, str_of(text));
    free(text);
    return taken;
}

void expect_text(uint32_t handle, const char *format, ...)
{
    va_list args;
    json_error_t error;
    va_start(args, format);
    char *text = with_quotes(format, args);
    va_end(args);
    const struct fake_data *data = fake_take_data(&t, handle);
    if (data == NULL)
        fail_msg("handle %u hears nothing; wanted: %s", handle, text);
    assert_string_equal(data->label, "JanusDataChannel");
    assert_string_equal(data->protocol, "");
    assert_false(data->binary);
    json_t *got = json_loadb((const char *)data->bytes, data->size, 0, &error), *wanted = json_loads(text, 0, NULL);
    assert_non_null(wanted);
    if (got == NULL || !json_fits(got, wanted))
        fail_msg("handle %u hears: %s\nwanted: %s", handle, (const char *)data->bytes, text);
    json_decref(got);
    json_decref(wanted);
    free(text);
}

void expect_text_error(uint32_t handle, int code, const char *text)
{
    expect_text(handle, "{'textroom':'error','error_code':%d,'error':\"%s\",'transaction':'t'}", code, text);
}

void expect_quiet(uint32_t handle)
{
    const struct fake_data *data = fake_take_data(&t, handle);
    if (data != NULL)
        fail_msg("handle %u hears: %s", handle, (const char *)data->bytes);
}

void chats_forget(void)
{
    for (uint32_t i = 0; i < FAKE_HANDLES; i++)
        while (fake_take_data(&t, i) != NULL)
            ;
    fake_forget(&t);
}
