#include "control/host.h"

#include <stdio.h>

#include "base/date.h"
#include "base/mem.h"
#include "base/str.h"
#include "control/api_reply.h"
#include "control/auth.h"
#include "control/handle.h"
#include "control/jsep.h"
#include "control/notify.h"

#define LOG_TEXT_ROOM 1024u

/* -- starting and stopping ----------------------------------------------------------------------------------------------- */

static bool is_disabled(const struct settings *settings, const struct plugin_desc *desc)
{
    for (uint32_t i = 0; i < settings->plugins_disable.count; i++)
        if (desc->file_name != NULL && strcmp(settings->plugins_disable.items[i], desc->file_name) == 0)
            return true;
    return false;
}

static void start_one(struct control *c, const struct plugin_desc *desc)
{
    const struct control_config *config = &c->config;
    struct host *host = &c->hosts[c->host_count];
    struct conf_node *conf = config->plugin_conf != NULL ? config->plugin_conf(config->plugin_conf_owner, desc->package) : NULL;
    if (is_disabled(c->settings, desc)) {
        LOG_INFO(c->actor, "Plugin %s is disabled", desc->package);
        return;
    }
    *host = (struct host){.control = c, .desc = desc, .conf = conf};
    pool_init(&host->states, desc->package, desc->session_size, config->limits.handles);
    host->plugin = desc->init(host, conf);
    if (host->plugin == NULL) {
        LOG_WARN(c->actor, "Plugin %s could not be started and is left out", desc->package);
        pool_fini(&host->states);
        return;
    }
    c->host_count++;
    LOG_INFO(c->actor, "Plugin %s started", desc->package);
}

void hosts_start(struct control *c)
{
    const struct plugin_desc *const *table = c->config.plugins;
    uint32_t count = 0;
    while (table != NULL && table[count] != NULL)
        count++;
    CHECK(count <= REQUEST_HOSTS_MAX);
    c->hosts = mem_get_zero(count * sizeof(*c->hosts));         /* plugins keep pointers to theirs: it never moves */
    for (uint32_t i = 0; i < count; i++)
        start_one(c, table[i]);
}

void hosts_stop(struct control *c)
{
    for (uint32_t i = 0; i < c->host_count; i++) {
        c->hosts[i].desc->fini(c->hosts[i].plugin);
        pool_fini(&c->hosts[i].states);
    }
    mem_put(c->hosts);
    c->host_count = 0;
}

struct host *host_find(const struct control *c, const char *package)
{
    for (uint32_t i = 0; i < c->host_count; i++)
        if (strcmp(c->hosts[i].desc->package, package) == 0)
            return &c->hosts[i];
    return NULL;
}

void hosts_tick(struct control *c)
{
    for (uint32_t i = 0; i < c->host_count; i++)
        if (c->hosts[i].desc->tick != NULL)
            c->hosts[i].desc->tick(c->hosts[i].plugin, c->now);
}

void hosts_turn(struct control *c)
{
    if (!c->hosts_again)
        return;
    c->hosts_again = false;
    for (uint32_t i = 0; i < c->host_count; i++) {
        struct host *host = &c->hosts[i];
        if (!host->again)
            continue;
        host->again = false;
        host->desc->turn(host->plugin);
    }
}

void host_again(struct host *host)
{
    host->again = true;
    host->control->hosts_again = true;
}

/* -- words to clients ------------------------------------------------------------------------------------------------------ */

struct buf *host_reply(struct host *host)
{
    return &host->control->reply;
}

/* The handle of one of the plugin's own attachments; NULL (counted) when it is gone. */
static struct handle *own_handle(struct host *host, struct ref ref)
{
    struct handle *handle = handle_get(host->control, ref);
    if (handle != NULL && handle->host == host)
        return handle;
    if (!ref_is_none(ref))
        host->control->counters.verbs_stale++;
    return NULL;
}

enum err host_event(struct host *host, struct ref ref, const char *transaction, struct view data, const struct jsep_out *jsep)
{
    struct control *c = host->control;
    struct handle *handle = own_handle(host, ref);
    struct json_out j;
    bool full_trickle = false;
    if (handle == NULL)
        return ERR_GONE;
    if (handle->session->owner == NULL) {
        c->counters.events_lost++;
        return ERR_GONE;
    }
    if (jsep != NULL) {
        enum err err = jsep_from_plugin(c, handle, jsep, &full_trickle);
        if (err != ERR_NONE)
            return err;
    }
    if (!event_begin(c, &j, handle->session, handle, "event", transaction))
        return ERR_GONE;
    reply_plugindata(&j, handle, data);
    if (jsep != NULL) {
        jout_object(&j, "jsep");
        jout_string(&j, "type", jsep->type);
        jout_string_view(&j, "sdp", buf_view(&c->wire));
        if (handle->pc->e2ee)
            jout_bool(&j, "e2ee", true);
        jout_end(&j);
    }
    event_end(c, &j, handle->session);
    if (full_trickle)
        jsep_trickle_events(c, handle);
    return ERR_NONE;
}

bool host_notify_wanted(struct host *host)
{
    return notify_wants(host->control, EVENT_PLUGIN);
}

void host_notify(struct host *host, struct ref ref, struct view json)
{
    notify_plugin(host->control, host, slots_get(&host->control->handle_names, ref), json);
}

/* -- peers ------------------------------------------------------------------------------------------------------------------- */

void host_peer_close(struct host *host, struct ref ref)
{
    struct handle *handle = own_handle(host, ref);
    if (handle == NULL)
        return;
    handle_wish_pc_closed(host->control, handle);
}

bool host_peer_is_up(struct host *host, struct ref ref)
{
    const struct handle *handle = own_handle(host, ref);
    return handle != NULL && handle->pc != NULL && handle->pc->state == PC_UP;
}

void host_detach(struct host *host, struct ref ref)
{
    struct handle *handle = own_handle(host, ref);
    if (handle == NULL)
        return;
    handle->wants_detach = true;
    handle_defer(host->control, handle);
}

void host_peer_group(struct host *host, struct ref ref, uint64_t group)
{
    struct handle *handle = own_handle(host, ref);
    if (handle != NULL)
        handle->group = group;
}

/* -- the rest ------------------------------------------------------------------------------------------------------------------ */

struct rng *host_rng(struct host *host)
{
    return &host->control->rng;
}

const struct hash_key *host_hash_key(struct host *host)
{
    return &host->control->key;
}

bool host_memory_short(struct host *host)
{
    return host->control->memory_short;
}

usec_t host_now(struct host *host)
{
    return host->control->now;
}

uint64_t host_wall_us(struct host *host)
{
    return actor_wall_us(host->control->actor);
}

void host_date(struct host *host, char out[DATE_TEXT])
{
    const struct control_config *config = &host->control->config;
    const uint64_t wall_us = host_wall_us(host);
    date_text(wall_us / SEC(1), config->utc_offset_s == NULL ? 0 : config->utc_offset_s(wall_us), out);
}

const char *host_config_path(struct host *host)
{
    return host->control->settings->configs_folder;
}

bool host_token_mode_signed(struct host *host)
{
    return auth_is_signed(host->control);
}

bool host_token_is_valid(struct host *host, const char *token, const char *realm)
{
    return auth_token(host->control, token, realm, NULL);
}

/* True when tokens are not signed (janus-api.md 7.2). */
bool host_token_contains(struct host *host, const char *token, const char *realm, const char *descriptor)
{
    return !auth_is_signed(host->control) || auth_token(host->control, token, realm, descriptor);
}

void host_log(struct host *host, int level, const char *format, ...)
{
    struct actor *actor = host->control->actor;
    char text[LOG_TEXT_ROOM];
    va_list args;
    if (level < LOG_LEVEL_FATAL || level > LOG_LEVEL_DBG || !log_wanted(actor, (enum log_level)level))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_write(actor, (enum log_level)level, host->desc->package, "plugin", 0, "%s", text);
}
