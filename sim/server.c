#include "sim/server.h"

#include <string.h>

#include "base/metrics.h"
#include "base/str.h"
#include "boot.h"
#include "settings/settings.h"
#include "sim/actor.h"
#include "sim/network.h"

#define SCRAPE_PERIOD_US MSEC(700)

static struct {
    struct settings settings;
    struct actors *set;
    struct actor *main_actor;
    struct boot *boot;
    uint32_t workers;
    bool down;
    usec_t scrape_at;
    char main_file[512];
    char rooms_file[1024];
} server;

static const char websockets_file[] =
    "general: { json = \"compact\" ws = true ws_port = 8188 ws_ip = \"" SERVER_IP "\" pingpong_trigger = 20 pingpong_timeout = 10 }";

static const char http_file[] = "general: { json = \"compact\" http = true port = 8088 ip = \"" SERVER_IP "\" }";

const char *server_file(const char *path)
{
    const struct {
        const char *path, *text;
    } files[] = {
        {"/sim/janus.jcfg", server.main_file},
        {"/sim/janus.transport.websockets.jcfg", websockets_file},
        {"/sim/janus.transport.http.jcfg", http_file},
        {"/sim/janus.plugin.videoroom.jcfg", server.rooms_file},
    };
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        if (strcmp(files[i].path, path) == 0)
            return files[i].text;
    return NULL;
}

static void write_files(const struct server_options *options)
{
    snprintf(server.main_file, sizeof(server.main_file),
             "general: { workers = %u placement = \"random\" session_timeout = %u reclaim_session_timeout = %u daemonize = false }\n"
             "media: { rtp_port_range = \"%u-%u\" }\n",
             options->workers, options->session_timeout_s, options->reclaim_s, SERVER_UDP_FIRST, SERVER_UDP_FIRST + 99);
    int size = 0;
    for (uint32_t i = 0; i < SERVER_ROOMS; i++)
        size += snprintf(server.rooms_file + size, sizeof(server.rooms_file) - (size_t)size,
                         "room-%u: { description = \"room %u\" publishers = 20 bitrate = 0 videocodec = \"vp8,vp9\" notify_joining = %s }\n", SERVER_ROOM_FIRST + i, i,
                         i == 1 ? "true" : "false");
}

static void on_message(void *owner, usec_t now, const struct message *m)
{
    (void)owner;
    (void)now;
    if (m->type == ACTOR_STOPPED && boot_stopped(server.boot, m->from))
        server.down = true;
    if (m->type == ACTOR_MEASURED) {
        CHECK(m->size == sizeof(struct metrics));
        CHECK(((const struct metrics *)m->payload)->left_out == 0);
    }
}

/* Somebody scrapes the numbers (io/scrape.h); whoever is there is asked, in whatever state it is. */
static void on_turn(void *owner, usec_t now)
{
    (void)owner;
    if (now < server.scrape_at)
        return;
    server.scrape_at = now + SCRAPE_PERIOD_US;
    for (uint32_t i = 0; i < server.set->count; i++)
        actor_ask_measure(server.main_actor, server.set->ids[i], REF_NONE);
}

static usec_t deadline(void *owner)
{
    (void)owner;
    return server.scrape_at;
}

static const struct actor_ops main_ops = {.on_message = on_message, .on_turn = on_turn, .deadline = deadline};

bool server_open(const struct server_options *options)
{
    static char program[] = "cardea-sim", flag[] = "-F", folder[] = "/sim";      /* the settings keep them */
    char *arguments[] = {program, flag, folder, NULL};
    write_files(options);
    server.workers = options->workers;
    server.down = false;
    server.scrape_at = 0;
    if (settings_load(&server.settings, 3, arguments) != SETTINGS_RUN)
        return false;
    server.set = actors_new();
    server.main_actor = actor_new(server.set, ACTOR_MAIN, "main");
    actor_serve(server.main_actor, &main_ops, NULL);
    server.boot = boot_open(server.set, server.main_actor, &server.settings);
    if (server.boot == NULL)
        return false;
    actors_wire(server.set);
    actor_start(server.main_actor);
    return boot_start(server.boot);
}

void server_stop(void)
{
    server.scrape_at = USEC_NEVER;
    boot_drain(server.boot, 5);             /* the time is up before anybody has read it */
    boot_stop(server.boot, 0);
    actor_flush(server.main_actor);
}

bool server_is_down(void)
{
    return server.down;
}

void server_close(void)
{
    boot_close(server.boot);
    actors_free(server.set);
    settings_fini(&server.settings);
}

struct net_addr server_address(void)
{
    struct net_addr address = {0};
    (void)net_ip_parse(&address, STR(SERVER_IP));
    address.port = SERVER_PORT;
    return address;
}

struct net_addr server_http_address(void)
{
    struct net_addr address = server_address();
    address.port = SERVER_HTTP_PORT;
    return address;
}

void *server_owner(actor_id id)
{
    return actors_get(server.set, id)->owner;
}

uint32_t server_worker_count(void)
{
    return server.workers;
}
