#include "boot.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/str.h"
#include "boot_brokers.h"
#include "boot_stun.h"
#include "commit.h"
#include "commit_date.h"
#include "control/control.h"
#include "helpers/disk.h"
#include "helpers/curl_loop.h"
#include "helpers/dns.h"
#include "helpers/events/events.h"
#include "helpers/poster.h"
#include "io/io.h"
#include "io/limits.h"
#include "msg/control.h"
#include "plugins/fields.h"
#include "plugins/plugin.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"
#include "runtime/file.h"
#include "runtime/localaddr.h"
#include "runtime/log.h"
#include "runtime/memory_limit.h"
#include "runtime/process.h"
#include "runtime/udp.h"
#include "settings/budget.h"
#include "settings/module.h"
#include "worker/worker.h"

#define BOOT_PLUGINS_MAX 32u
#define PEM_BYTES_MAX    (256u * 1024u)

struct boot_plugin {
    const char *package;
    struct conf_node *conf;             /* NULL: it has no file */
};

struct boot {
    struct actors *set;
    struct actor *main_actor;
    struct settings *settings;
    struct dtls_identity *identity;
    char fingerprint[DTLS_FINGERPRINT_TEXT];
    struct net_addr local_ip;
    struct net_addr addresses[WORKER_SOCKETS_MAX];
    uint32_t address_count;
    uint32_t worker_count;
    struct udp sockets[ACTOR_WORKERS_MAX][WORKER_SOCKETS_MAX];
    struct control_worker control_workers[ACTOR_WORKERS_MAX];
    struct worker *workers[ACTOR_WORKERS_MAX];
    uint64_t memory_limit;
    struct worker_limits worker_limits;
    struct control_limits control_limits;
    uint32_t partial_bytes_max, queued_bytes_max;
    struct boot_plugin plugins[BOOT_PLUGINS_MAX];
    const struct plugin_desc *enabled[BOOT_PLUGINS_MAX + 1];
    struct conf_node *websockets;
    struct conf_node *http;
    struct conf_node *unix_sockets;
    struct conf_node *nanomsg;
    struct boot_brokers brokers;
    struct control_module transports[6];
    struct events_handler event_handlers[EVENT_HANDLERS_MAX];
    struct control_module event_modules[EVENT_HANDLERS_MAX];
    uint32_t event_handler_count;
    struct events *events;              /* NULL: no event handler is enabled */
    struct io *io;
    struct dns *dns;
    struct poster *poster;
    struct control *control;
    struct disk *disks[DISKS];
    uint32_t running;
    bool stopping;
    bool dns_stopped;
    bool serving_asked;                 /* io and the workers have been asked to stop */
    bool disks_asked;
};

/* ---- memory ---- */

static void plan_memory(struct boot *boot)
{
    const struct worker_limits *w = &worker_limits_default;
    const struct control_limits *c = &control_limits_default;
    struct budget b = {
        .peers = w->peers, .sources = w->sources, .sinks = w->sinks, .mlines = w->mlines, .packets = w->packets, .handshakes = w->handshakes,
        .clients = c->clients, .sessions = c->sessions, .handles = c->handles, .source_names = c->sources, .sink_names = c->sinks,
        .partial_bytes = IO_PARTIAL_BYTES_MAX, .queued_bytes = IO_QUEUED_BYTES_MAX,
    };
    const uint64_t asked = (uint64_t)boot->settings->memory_limit_mb << 20;
    boot->memory_limit = asked > 0 ? asked : memory_limit_bytes();
    if (budget_fit(&b, boot->memory_limit, boot->worker_count))
        LOG_INFO(boot->main_actor, "%llu MB of memory: at most %u PeerConnections a worker, %u sessions, %u handles",
                 (unsigned long long)(boot->memory_limit >> 20), b.peers, b.sessions, b.handles);
    boot->worker_limits = worker_limits_default;
    boot->worker_limits.peers = b.peers;
    boot->worker_limits.sources = b.sources;
    boot->worker_limits.sinks = b.sinks;
    boot->worker_limits.mlines = b.mlines;
    boot->worker_limits.packets = b.packets;
    boot->worker_limits.handshakes = b.handshakes;
    boot->control_limits = (struct control_limits){b.clients, b.sessions, b.handles, b.source_names, b.sink_names};
    boot->partial_bytes_max = b.partial_bytes;
    boot->queued_bytes_max = b.queued_bytes;
}

uint64_t boot_memory_limit(const struct boot *boot)
{
    return boot->memory_limit;
}

void boot_tell_memory(struct boot *boot, bool is_short)
{
    const struct memory_state state = {is_short};
    actor_send(boot->main_actor, ACTOR_CONTROL, CONTROL_MEMORY, &state, sizeof(state));
}

/* ---- told while it runs ---- */

void boot_drain(struct boot *boot, uint32_t seconds)
{
    const struct drain_order order = {seconds};
    actor_send(boot->main_actor, ACTOR_CONTROL, CONTROL_DRAIN, &order, sizeof(order));
}

void boot_tell_health(struct boot *boot, const struct io_health *health)
{
    actor_send(boot->main_actor, ACTOR_IO, IO_HEALTH, health, sizeof(*health));
}

/* ---- addresses and sockets ---- */

static bool find_addresses(struct boot *boot)
{
    const struct settings *s = boot->settings;
    struct localaddr_list all, some;
    const struct localaddr_rules rules = {
        .ip6 = s->ipv6,
        .ip6_linklocal = s->ipv6_linklocal,
        .enforce = s->ice_enforce_list.items,
        .enforce_count = s->ice_enforce_list.count,
        .ignore = s->ice_ignore_list.items,
        .ignore_count = s->ice_ignore_list.count,
    };
    if (!localaddr_read(&all)) {
        LOG_FATAL(boot->main_actor, "can't read this machine's addresses: %s", strerror(errno));
        return false;
    }
    localaddr_select(&some, &all, &rules);
    if (some.count == 0)
        LOG_WARN(boot->main_actor, "no local address may be offered: media will not flow");
    for (uint32_t i = 0; i < some.count && boot->address_count < WORKER_SOCKETS_MAX; i++)
        boot->addresses[boot->address_count++] = some.items[i].addr;
    if (some.count > WORKER_SOCKETS_MAX)
        LOG_WARN(boot->main_actor, "%u local addresses; the first %u are offered (ice_enforce_list chooses)", some.count, WORKER_SOCKETS_MAX);
    if (!localaddr_local_ip(&boot->local_ip, &all, s->interface, s->ipv6) && s->interface != NULL)
        LOG_WARN(boot->main_actor, "'%s' is no address or interface of this machine", s->interface);
    return true;
}

static bool open_sockets(struct boot *boot)
{
    const struct settings *s = boot->settings;
    char text[NET_IP_TEXT];
    for (uint32_t w = 0; w < boot->worker_count; w++)
        for (uint32_t i = 0; i < boot->address_count; i++) {
            const struct udp_options options = {
                .local = boot->addresses[i],
                .port_min = s->rtp_port_min,
                .port_max = s->rtp_port_max,
                .dscp = s->dscp,
                .receive_bytes = UDP_RECEIVE_BYTES,
                .send_bytes = UDP_RECEIVE_BYTES,
            };
            struct udp *udp = &boot->sockets[w][i];
            uint32_t seed;
            entropy_fill(NULL, (uint8_t *)&seed, sizeof(seed));
            if (udp_open(udp, &options, seed) != ERR_NONE) {
                LOG_FATAL(boot->main_actor, "can't open a UDP socket on %s (ports %u-%u): %s", net_ip_text(&boot->addresses[i], text),
                          s->rtp_port_min, s->rtp_port_max, strerror(errno));
                return false;
            }
            boot->control_workers[w].sockets[i] = udp->local;
            boot->control_workers[w].socket_count = i + 1;
            LOG_INFO(boot->main_actor, "worker %u: %s port %u, receive buffer %u bytes", w, net_ip_text(&udp->local, text), udp->local.port,
                     udp->receive_bytes);
        }
    return true;
}

/* ---- certificate ---- */

static bool read_pem(struct boot *boot, const char *path, struct buf *out)
{
    if (path == NULL)
        return true;
    if (file_read(path, out) == ERR_NONE)
        return true;
    LOG_FATAL(boot->main_actor, "can't read %s: %s", path, strerror(errno));
    return false;
}

static bool load_identity(struct boot *boot)
{
    const struct settings *s = boot->settings;
    char error[DTLS_ERROR_TEXT];
    struct buf cert, key;
    buf_init(&cert, PEM_BYTES_MAX);
    buf_init(&key, PEM_BYTES_MAX);
    if ((s->cert_pem == NULL) != (s->cert_key == NULL))
        LOG_FATAL(boot->main_actor, "cert_pem and cert_key must be given together");
    else if (read_pem(boot, s->cert_pem, &cert) && read_pem(boot, s->cert_key, &key)) {
        const struct dtls_identity_config config = {
            .cert_pem = buf_view(&cert),
            .key_pem = buf_view(&key),
            .passphrase = s->cert_password,
            .rsa = s->rsa_private_key,
        };
        boot->identity = dtls_identity_new(&config, error);
        if (boot->identity == NULL)
            LOG_FATAL(boot->main_actor, "DTLS certificate: %s", error);
    }
    if (key.size > 0)
        explicit_bzero(key.data, key.size);
    buf_fini(&key);
    buf_fini(&cert);
    const char *warning = dtls_library_warning(dtls_library_version());
    if (warning != NULL)
        LOG_WARN(boot->main_actor, "%s", warning);
    if (boot->identity == NULL)
        return false;
    dtls_fingerprint_text(dtls_identity_fingerprint(boot->identity), boot->fingerprint);
    return true;
}

/* ---- actors ---- */

static struct actor *make_actor(struct boot *boot, actor_id id, const char *name)
{
    struct actor *actor = actor_new(boot->set, id, name);
    if (actor == NULL)
        LOG_FATAL(boot->main_actor, "can't make the actor %s: %s", name, strerror(errno));
    return actor;
}

static bool open_worker(struct boot *boot, uint32_t index, const struct net_addr *stun)
{
    const struct settings *s = boot->settings;
    char name[24], error[DTLS_ERROR_TEXT] = "";
    snprintf(name, sizeof(name), "worker-%u", index);
    struct actor *actor = make_actor(boot, (actor_id)(ACTOR_WORKER_0 + index), name);
    if (actor == NULL)
        return false;
    const struct worker_config config = {
        .index = index,
        .sockets = boot->sockets[index],
        .socket_count = boot->address_count,
        .identity = boot->identity,
        .dtls_ciphers = s->dtls_ciphers,
        .dtls_accept_selfsigned = s->dtls_accept_selfsigned,
        .dtls_mtu = (uint16_t)(s->dtls_mtu < DTLS_DATAGRAM_MAX ? s->dtls_mtu : DTLS_DATAGRAM_MAX),
        .no_media_us = SEC(s->no_media_timer_s),
        .slowlink_threshold = s->slowlink_threshold,
        .twcc_period_us = MSEC(s->twcc_period_ms),
        .hangup_on_failed = s->hangup_on_failed,
        .hold_us = s->hold_video ? WORKER_HOLD_US : 0,
        .pads = s->pad_video,
        .stun_server = *stun,
        .events_mask = boot->events != NULL ? events_mask(boot->events) : 0,
        .stats_period_us = SEC(s->stats_period_s),
        .limits = boot->worker_limits,
        .seal = SEAL_BACKEND_AUTO,
        .entropy = entropy_fill,
    };
    boot->workers[index] = worker_new(actor, &config, error);
    if (boot->workers[index] == NULL) {
        LOG_FATAL(boot->main_actor, "worker %u: %s", index, error);
        return false;
    }
    actor_serve(actor, &worker_ops, boot->workers[index]);
    return true;
}

static bool open_workers(struct boot *boot)
{
    const struct settings *s = boot->settings;
    struct net_addr stun = {0};
    if (s->stun_server != NULL && !boot_stun(boot->main_actor, s, &stun)) {
        if (!s->ignore_unreachable_ice_server)
            return false;
        stun = (struct net_addr){0};
        boot->settings->stun_server = NULL;        /* nor does info name what is not used */
    }
    for (uint32_t i = 0; i < boot->worker_count; i++)
        if (!open_worker(boot, i, &stun))
            return false;
    for (uint32_t i = 0; i < boot->worker_count; i++)
        for (uint32_t k = 0; k < boot->worker_count; k++)
            if (i != k)
                actors_lane(boot->set, (actor_id)(ACTOR_WORKER_0 + i), (actor_id)(ACTOR_WORKER_0 + k), LANE_RELAY_BYTES);
    return true;
}

static bool open_io(struct boot *boot)
{
    struct rlimit limit = {.rlim_cur = 1024};
    bool found;
    struct actor *actor = make_actor(boot, ACTOR_IO, "io");
    if (actor == NULL)
        return false;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (!settings_is_disabled(&boot->settings->transports_disable, "websockets"))
        boot->websockets = module_conf_load(boot->settings, "janus.transport.websockets", &found);
    if (!settings_is_disabled(&boot->settings->transports_disable, "http"))
        boot->http = module_conf_load(boot->settings, "janus.transport.http", &found);
    if (!settings_is_disabled(&boot->settings->transports_disable, "pfunix"))
        boot->unix_sockets = module_conf_load(boot->settings, "janus.transport.pfunix", &found);
    const bool admin_guarded = !secret_is_sample(boot->settings->admin_secret);
    if (!boot_brokers_open(&boot->brokers, boot->set, boot->main_actor, boot->settings, admin_guarded))
        return false;
    if (!settings_is_disabled(&boot->settings->transports_disable, "nanomsg"))
        boot->nanomsg = module_conf_load(boot->settings, "janus.transport.nanomsg", &found);
    const struct io_options options = {
        .nanomsg = boot->nanomsg,
        .brokers = {boot->brokers.io[0], boot->brokers.io[1]},
        .websockets = boot->websockets,
        .http = boot->http,
        .admin_guarded = admin_guarded,
        .unix_sockets = boot->unix_sockets,
        .admin_secret = boot->settings->admin_secret,
        .metrics_token = boot->settings->metrics_token,
        .web_folder = boot->settings->web_folder,
        .descriptors = limit.rlim_cur,
        .events_mask = boot->events != NULL ? events_mask(boot->events) : 0,
        .partial_bytes_max = boot->partial_bytes_max,
        .queued_bytes_max = boot->queued_bytes_max,
    };
    if (!options.admin_guarded)
        LOG_WARN(boot->main_actor, "admin_secret is the one of the sample files, which everybody knows: the Admin API is served to this machine only");
    boot->io = io_new(actor, &options);
    if (boot->io == NULL || io_serves(boot->io, CLIENT_API_JANUS) == 0) {
        LOG_FATAL(boot->main_actor, "no transport serves the Janus API: enable ws or wss in janus.transport.websockets.jcfg, "
                                    "http or https in janus.transport.http.jcfg, or another transport in its file");
        return false;
    }
    /* Nobody could be given a token: everybody would be kept out (janus-api.md 7.1). */
    if (boot->settings->token_auth && boot->settings->token_auth_secret == NULL && io_serves(boot->io, CLIENT_API_ADMIN) == 0) {
        LOG_FATAL(boot->main_actor, "token_auth without token_auth_secret needs the Admin API, which gives out the tokens: enable it on a transport "
                                    "(admin_http, admin_ws), or set token_auth_secret (signed tokens), or turn token_auth off");
        return false;
    }
    actor_serve(actor, &io_ops, boot->io);
    return true;
}

static bool open_disks(struct boot *boot)
{
    const struct settings *s = boot->settings;
    const struct disk_options options = {
        .recordings_tmp_ext = s->recordings_tmp_ext,
        .protected_folders = s->protected_folders.items,
        .protected_count = s->protected_folders.count,
    };
    for (uint32_t i = 0; i < DISKS; i++) {
        struct actor *actor = make_actor(boot, (actor_id)(ACTOR_DISK_0 + i), i == 0 ? "disk-0" : "disk-1");
        if (actor == NULL)
            return false;
        boot->disks[i] = disk_new(actor, &options);
        actor_serve(actor, &disk_ops, boot->disks[i]);
    }
    return true;
}

static bool open_poster(struct boot *boot)
{
    struct actor *actor = make_actor(boot, ACTOR_POSTER, "poster");
    if (actor == NULL)
        return false;
    boot->poster = poster_new(actor);
    if (boot->poster == NULL) {
        LOG_FATAL(boot->main_actor, "libcurl can't be used");
        return false;
    }
    actor_serve(actor, &poster_ops, boot->poster);
    return true;
}

/* Whether a disable list has "libjanus_videoroom.so". */
static bool file_is_listed(const struct text_list *list, const char *file_name)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], file_name) == 0)
            return true;
    return false;
}

/* ---- event handlers ---- */

/* Disabled ones are listed too, and answer queries by {}. */
static void list_event_handlers(struct boot *boot)
{
    struct settings *s = boot->settings;
    for (size_t i = 0; s->event_handlers && evhandler_table[i] != NULL && boot->event_handler_count < EVENT_HANDLERS_MAX; i++) {
        const struct evhandler_desc *desc = evhandler_table[i];
        bool found;
        if (file_is_listed(&s->events_disable, desc->file_name)) {
            LOG_INFO(boot->main_actor, "event handler %s is disabled", desc->package);
            continue;
        }
        struct conf_node *conf = module_conf_load(s, desc->package, &found);
        if (conf == NULL)
            LOG_ERR(boot->main_actor, "event handler %s does not run: its configuration can't be used", desc->package);
        boot->event_modules[boot->event_handler_count] = (struct control_module){
            desc->package, desc->name, desc->author, desc->description, desc->version_string, desc->version};
        boot->event_handlers[boot->event_handler_count++] = (struct events_handler){desc, conf};
    }
}

static bool open_events(struct boot *boot)
{
    struct events_config config = {
        .handler_count = boot->event_handler_count,
        .worker_count = boot->worker_count,
        .emitter = boot->settings->server_name,
        .combine_stats = boot->settings->combine_media_stats,
        .entropy = entropy_fill,
    };
    memcpy(config.handlers, boot->event_handlers, sizeof(config.handlers));
    if (!events_wanted_by(&config))
        return true;
    struct actor *actor = make_actor(boot, ACTOR_EVENTS, "events");
    if (actor == NULL)
        return false;
    boot->events = events_new(actor, &config);
    actor_serve(actor, &events_ops, boot->events);
    return true;
}

/* io and the workers exist: records about media and connections have lanes of their own. */
static void open_event_lanes(struct boot *boot)
{
    if (boot->events == NULL)
        return;
    actors_lane(boot->set, ACTOR_IO, ACTOR_EVENTS, EVENTS_LANE_BYTES);
    for (uint32_t i = 0; i < boot->worker_count; i++)
        actors_lane(boot->set, (actor_id)(ACTOR_WORKER_0 + i), ACTOR_EVENTS, EVENTS_LANE_BYTES);
}

static struct conf_node *plugin_conf(void *owner, const char *package)
{
    const struct boot *boot = owner;
    for (uint32_t i = 0; i < BOOT_PLUGINS_MAX && boot->plugins[i].package != NULL; i++)
        if (strcmp(boot->plugins[i].package, package) == 0)
            return boot->plugins[i].conf;
    return NULL;
}

static void load_plugin_files(struct boot *boot)
{
    uint32_t count = 0;
    for (size_t i = 0; plugin_table[i] != NULL && count < BOOT_PLUGINS_MAX; i++) {
        const struct plugin_desc *desc = plugin_table[i];
        bool found;
        if (file_is_listed(&boot->settings->plugins_disable, desc->file_name)) {
            LOG_INFO(boot->main_actor, "plugin %s is disabled", desc->package);
            continue;
        }
        struct conf_node *conf = module_conf_load(boot->settings, desc->package, &found);
        if (conf == NULL) {
            LOG_ERR(boot->main_actor, "plugin %s is left out: its configuration can't be used", desc->package);
            continue;
        }
        if (!found) {
            conf_free(conf);
            conf = NULL;
        }
        boot->enabled[count] = desc;
        boot->plugins[count++] = (struct boot_plugin){desc->package, conf};
    }
}

/* What `info` names (transports.md 1.7): those that have a port open. */
static uint32_t list_transports(struct boot *boot)
{
    uint32_t count = 0;
    if (io_serves_http(boot->io))
        boot->transports[count++] = (struct control_module){
            .package = "janus.transport.http",
            .name = "Cardea HTTP transport",
            .author = "The Cardea project",
            .description = "The Janus API over HTTP, with long polls",
            .version_string = "0.0.2",
            .version = 2,
        };
    if (io_serves_websockets(boot->io))
        boot->transports[count++] = (struct control_module){
            .package = "janus.transport.websockets",
            .name = "Cardea WebSockets transport",
            .author = "The Cardea project",
            .description = "The Janus API over WebSockets",
            .version_string = "0.0.1",
            .version = 1,
        };
    if (io_serves_unix(boot->io))
        boot->transports[count++] = (struct control_module){
            .package = "janus.transport.pfunix",
            .name = "Cardea Unix sockets transport",
            .author = "The Cardea project",
            .description = "The Janus API over Unix sockets",
            .version_string = "0.0.1",
            .version = 1,
        };
    if (io_serves_nanomsg(boot->io))
        boot->transports[count++] = (struct control_module){
            .package = "janus.transport.nanomsg",
            .name = "Cardea Nanomsg transport",
            .author = "The Cardea project",
            .description = "The Janus API over Nanomsg",
            .version_string = "0.0.1",
            .version = 1,
        };
    return count + boot_brokers_list(&boot->brokers, &boot->transports[count]);
}

static bool open_control(struct boot *boot)
{
    struct actor *actor = make_actor(boot, ACTOR_CONTROL, "control");
    if (actor == NULL)
        return false;
    load_plugin_files(boot);
    uint32_t transport_count = list_transports(boot);
    const struct control_config config = {
        .settings = boot->settings,
        .workers = boot->control_workers,
        .worker_count = boot->worker_count,
        .local_ip = boot->local_ip,
        .fingerprint = boot->fingerprint,
        .plugins = boot->enabled,
        .shows_peers = io_serves(boot->io, CLIENT_API_ADMIN) > 0,
        .plugin_conf = plugin_conf,
        .plugin_conf_owner = boot,
        .transports = {boot->transports, transport_count},
        .event_handlers = {boot->event_modules, boot->event_handler_count},
        .events_running = boot->events != NULL,
        .events_mask = boot->events != NULL ? events_mask(boot->events) : 0,
        .commit = CARDEA_COMMIT,
        .compile_time = CARDEA_COMMIT_DATE,
        .utc_offset_s = clock_utc_offset_s,
        .entropy = entropy_fill,
        .random_placement = boot->settings->random_placement,
        .peers_per_worker = boot->worker_limits.peers,
        .limits = boot->control_limits,
    };
    boot->control = control_new(actor, &config);
    if (boot->control == NULL)
        return false;
    actor_serve(actor, &control_ops, boot->control);
    return true;
}

/* The one that may wait for a resolver. */
static bool open_dns(struct boot *boot)
{
    struct actor *actor = actor_new(boot->set, ACTOR_DNS, "dns");
    if (actor == NULL) {
        LOG_FATAL(boot->main_actor, "can't make the actor of names: %s", strerror(errno));
        return false;
    }
    boot->dns = dns_new(actor);
    actor_serve(actor, &dns_ops, boot->dns);
    return true;
}

struct boot *boot_open(struct actors *set, struct actor *main_actor, struct settings *settings)
{
    struct boot *boot = mem_get_zero(sizeof(*boot));
    boot->set = set;
    boot->main_actor = main_actor;
    boot->settings = settings;
    for (uint32_t w = 0; w < ACTOR_WORKERS_MAX; w++)
        for (uint32_t i = 0; i < WORKER_SOCKETS_MAX; i++)
            boot->sockets[w][i].fd = -1;
    json_object_seed(0);        /* of random bytes, before threads and strangers: names in JSON are a stranger's choice */
    boot->worker_count = settings->workers > 0 ? settings->workers : process_cores();
    if (boot->worker_count > ACTOR_WORKERS_MAX)
        boot->worker_count = ACTOR_WORKERS_MAX;
    curl_loop_library_init();
    plan_memory(boot);
    list_event_handlers(boot);
    if (open_events(boot) && find_addresses(boot) && load_identity(boot) && open_sockets(boot) && open_io(boot) && open_dns(boot) && open_workers(boot) &&
        open_disks(boot) && open_poster(boot) && open_control(boot)) {
        open_event_lanes(boot);
        return boot;
    }
    boot_close(boot);
    return NULL;
}

bool boot_start(struct boot *boot)
{
    if (boot->events != NULL) {
        if (!actor_start(actors_get(boot->set, ACTOR_EVENTS)))
            return false;
        boot->running++;
    }
    const actor_id first[] = {ACTOR_DISK_0, ACTOR_DISK_1, ACTOR_POSTER, ACTOR_CONTROL, ACTOR_IO, ACTOR_DNS};
    for (uint32_t i = 0; i < boot->worker_count; i++) {
        if (!actor_start(actors_get(boot->set, (actor_id)(ACTOR_WORKER_0 + i))))
            return false;
        boot->running++;
    }
    for (size_t i = 0; i < ARRAY_COUNT(first); i++) {
        if (!actor_start(actors_get(boot->set, first[i])))
            return false;
        boot->running++;
    }
    return boot_brokers_start(&boot->brokers, boot->set, &boot->running);
}

void boot_stop(struct boot *boot, int signal_number)
{
    const struct stop_signal signal = {signal_number};
    if (boot->stopping)
        return;
    boot->stopping = true;
    actor_send(boot->main_actor, ACTOR_CONTROL, CONTROL_SIGNAL, &signal, sizeof(signal));
    actor_ask_stop(boot->main_actor, ACTOR_CONTROL);
}

bool boot_stopped(struct boot *boot, actor_id who)
{
    boot->running--;
    boot->dns_stopped = boot->dns_stopped || who == ACTOR_DNS;
    actor_join(actors_get(boot->set, who));
    if (who == ACTOR_IO)
        boot_brokers_stop(&boot->brokers, boot->main_actor);
    if (who == ACTOR_CONTROL && !boot->serving_asked) {
        boot->serving_asked = true;
        actor_ask_stop(boot->main_actor, ACTOR_IO);
        actor_ask_stop(boot->main_actor, ACTOR_POSTER);
        if (boot->events != NULL)
            actor_ask_stop(boot->main_actor, ACTOR_EVENTS);
        else
            actor_ask_stop(boot->main_actor, ACTOR_DNS);
        for (uint32_t i = 0; i < boot->worker_count; i++)
            actor_ask_stop(boot->main_actor, (actor_id)(ACTOR_WORKER_0 + i));
    }
    if (who == ACTOR_EVENTS)
        actor_ask_stop(boot->main_actor, ACTOR_DNS);      /* it may still have had a name to ask for */
    /* What the others have handed over is on the disk before the process ends. */
    if (boot->running == DISKS + (boot->dns_stopped ? 0 : 1) && !boot->disks_asked) {
        boot->disks_asked = true;
        for (uint32_t i = 0; i < DISKS; i++)
            actor_ask_stop(boot->main_actor, (actor_id)(ACTOR_DISK_0 + i));
    }
    return boot->running == 0;
}

bool boot_waits_for_names(const struct boot *boot)
{
    return boot->running == 1 && !boot->dns_stopped;
}

void boot_close(struct boot *boot)
{
    if (boot == NULL)
        return;
    if (boot->control != NULL)
        control_free(boot->control);
    if (boot->io != NULL)
        io_free(boot->io);
    boot_brokers_close(&boot->brokers);
    for (uint32_t i = 0; i < DISKS; i++)
        disk_free(boot->disks[i]);
    dns_free(boot->dns);
    if (boot->poster != NULL)
        poster_free(boot->poster);
    for (uint32_t i = 0; i < boot->worker_count; i++) {
        if (boot->workers[i] != NULL)
            worker_free(boot->workers[i]);
        else
            for (uint32_t k = 0; k < WORKER_SOCKETS_MAX; k++)
                udp_close(&boot->sockets[i][k]);
    }
    for (uint32_t i = 0; i < BOOT_PLUGINS_MAX; i++)
        conf_free(boot->plugins[i].conf);
    events_free(boot->events);
    for (uint32_t i = 0; i < boot->event_handler_count; i++)
        conf_free(boot->event_handlers[i].conf);
    conf_free(boot->websockets);
    conf_free(boot->http);
    conf_free(boot->unix_sockets);
    conf_free(boot->nanomsg);
    dtls_identity_free(boot->identity);
    mem_put(boot);
}
