/* tests/unit/plugins/chats.h - the TextRoom behind the double of the server, and people who talk in its rooms. */
#pragma once

#include "fake_host.h"

extern struct host t;

void chats_start(const char *conf);             /* NULL: no configuration file */
int chats_setup(void **state);                  /* with room 7 */
int chats_teardown(void **state);
#define CHAT_TEST(name) cmocka_unit_test_setup_teardown(name, chats_setup, chats_teardown)
#define BARE_TEST(name) cmocka_unit_test_teardown(name, chats_teardown)     /* it calls chats_start itself */

/* `fields`: more members, "'pin':'x'"; NULL: none. */
void chat_create(uint64_t room, const char *fields);
const struct fake_reply *chat_admin(const char *format, ...) __attribute__((format(printf, 1, 2)));     /* with a transaction */
uint32_t talker(void);                          /* its data channel is up; in no room */
uint32_t member(const char *name);              /* the same, in room 7; nobody hears of it */
void member_joins(uint32_t handle, uint64_t room, const char *name);

/* A text on the handle's data channel, with ' for "; false: not taken. */
bool say(uint32_t handle, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The next text on it: JSON with ' for ", where "*" as a value fits anything. */
void expect_text(uint32_t handle, const char *format, ...) __attribute__((format(printf, 2, 3)));
void expect_text_error(uint32_t handle, int code, const char *text);        /* with transaction "t" */
void expect_quiet(uint32_t handle);
void chats_forget(void);                        /* all that nobody has read */
