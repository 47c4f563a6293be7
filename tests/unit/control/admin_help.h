/* tests/unit/control/admin_help.h - the Admin API of the server `s` of a test, as client 9. */
#pragma once

#include "control/server.h"

#include <stdio.h>

#define SECRET "hush"

static struct server s;

static void ask_raw(const char *text)
{
    s.api = CLIENT_API_ADMIN;
    server_say(&s, 9, "%s", text);
    s.api = CLIENT_API_JANUS;
}

/* With the secret and a transaction. */
static void ask(const char *members)
{
    char text[2048];
    snprintf(text, sizeof(text), "{\"transaction\":\"t\",\"admin_secret\":\"" SECRET "\"%s%s}", members[0] == '\0' ? "" : ",", members);
    ask_raw(text);
}

static void expect_bad(const char *members, int code, const char *reason)
{
    ask(members);
    expect_error(&s, 9, code, reason);
}

static void expect_good(const char *members, const char *rest)
{
    ask(members);
    expect_text(&s, 9, "{\"janus\":\"success\",\"transaction\":\"t\"%s}", rest);
}
