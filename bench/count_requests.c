/* bench/count_requests.c - serves a fixed number of requests and ends: for scripts/instructions.py, which counts the
 * instructions. The control actor and the plugins of the server, on the tests' double of the runtime.
 *
 * usage: count_requests cycle|join|list COUNT
 *   cycle  create, attach, join, detach, destroy
 *   join   COUNT publishers join one room: each is told to all others
 *   list   of a hundred rooms */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "control/server.h"
#include "plugins/plugin.h"

static struct server s;

static int64_t attach(uint32_t client, int64_t session)
{
    server_say(&s, client, "{\"janus\":\"attach\",\"transaction\":\"a\",\"session_id\":%lld,\"plugin\":\"janus.plugin.videoroom\"}", (long long)session);
    json_t *reply = server_hear_json(&s, client);
    int64_t handle = json_integer_value(json_object_get(json_object_get(reply, "data"), "id"));
    json_decref(reply);
    return handle;
}

static void hear_all(uint32_t clients)
{
    for (uint32_t n = 0; n <= clients; n++)
        while (server_hear(&s, n) != NULL) {}
}

static void message(uint32_t client, int64_t session, int64_t handle, const char *body)
{
    server_say(&s, client, "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":%s}", (long long)session, (long long)handle, body);
}

#define JOIN "{\"request\":\"join\",\"ptype\":\"publisher\",\"room\":1234,\"display\":\"somebody\"}"

static void cycle(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int64_t session = server_create(&s, 1), handle = attach(1, session);
        message(1, session, handle, JOIN);
        server_say(&s, 1, "{\"janus\":\"detach\",\"transaction\":\"d\",\"session_id\":%lld,\"handle_id\":%lld}", (long long)session, (long long)handle);
        server_say(&s, 1, "{\"janus\":\"destroy\",\"transaction\":\"d\",\"session_id\":%lld}", (long long)session);
        hear_all(1);
    }
}

static void join(unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        int64_t session = server_create(&s, i);
        message(i, session, attach(i, session), JOIN);
        hear_all(i);
    }
}

static void list(unsigned count)
{
    int64_t session = server_create(&s, 1), handle = attach(1, session);
    for (unsigned i = 0; i < 100; i++)
        message(1, session, handle, "{\"request\":\"create\",\"description\":\"A room of many\"}");
    for (unsigned i = 0; i < count; i++)
        message(1, session, handle, "{\"request\":\"list\"}");
    hear_all(1);
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*run)(unsigned count); } what[] = {{"cycle", cycle}, {"join", join}, {"list", list}};
    CHECK(argc == 3);
    server_init(&s);
    s.config.plugins = plugin_table;
    server_start(&s);
    int64_t session = server_create(&s, 0), handle = attach(0, session);
    message(0, session, handle, "{\"request\":\"create\",\"room\":1234,\"publishers\":1000,\"notify_joining\":true}");
    hear_all(0);
    bool known = false;
    for (size_t i = 0; i < ARRAY_COUNT(what); i++)
        if (strcmp(argv[1], what[i].name) == 0) {
            what[i].run((unsigned)strtoul(argv[2], NULL, 10));
            known = true;
        }
    CHECK(known);
    puts(argv[2]);
    server_end(&s);
    return 0;
}
