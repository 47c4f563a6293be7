#include "control/info.h"

#include <stdio.h>

#include "control/crypto.h"

const char *info_transport(uint8_t kind)
{
    switch ((enum transport_kind)kind) {
    case TRANSPORT_WEBSOCKETS: return "janus.transport.websockets";
    case TRANSPORT_HTTP: return "janus.transport.http";
    case TRANSPORT_UNIX: return "janus.transport.pfunix";
    case TRANSPORT_NANOMSG: return "janus.transport.nanomsg";
    case TRANSPORT_MQTT: return "janus.transport.mqtt";
    case TRANSPORT_RABBITMQ: return "janus.transport.rabbitmq";
    }
    return "";
}

static const char *text_or(const char *text, const char *fallback)
{
    return text != NULL ? text : fallback;
}

static void write_identity(const struct control *c, struct json_out *j)
{
    const struct settings *settings = c->settings;
    jout_string(j, "name", "Cardea WebRTC Server");
    jout_int(j, "version", INFO_VERSION);
    jout_string(j, "version_string", INFO_VERSION_TEXT);
    jout_string(j, "author", "The Cardea authors");
    jout_string(j, "commit-hash", text_or(c->config.commit, "unknown"));
    jout_string(j, "compile-time", text_or(c->config.compile_time, "unknown"));
    jout_bool(j, "log-to-stdout", settings->log_to_stdout);
    jout_bool(j, "log-to-file", settings->log_to_file != NULL);
    if (settings->log_to_file != NULL)
        jout_string(j, "log-path", settings->log_to_file);
    jout_bool(j, "data_channels", true);
    jout_bool(j, "accepting-new-sessions", !c->draining && c->adjustable.accepting);
    jout_int(j, "session-timeout", c->adjustable.session_timeout_s);
    jout_int(j, "reclaim-session-timeout", settings->reclaim_session_timeout_s);
    jout_int(j, "candidates-timeout", settings->candidates_timeout_s);
    jout_string(j, "server-name", settings->server_name);
}

static void write_addresses(const struct control *c, struct json_out *j)
{
    const struct address_list *ips = &c->public_ips;
    char text[NET_IP_TEXT];
    jout_string(j, "local-ip", net_ip_text(&c->local_ip, text));
    if (ips->count > 0)
        jout_string(j, "public-ip", net_ip_text(&ips->items[0], text));
    if (ips->count > 1) {
        jout_array(j, "public-ips");
        for (uint32_t i = 0; i < ips->count; i++)
            jout_string(j, NULL, net_ip_text(&ips->items[i], text));
        jout_end(j);
    }
    jout_bool(j, "ipv6", c->settings->ipv6);
    if (c->settings->ipv6)
        jout_bool(j, "ipv6-link-local", c->settings->ipv6_linklocal);
}

static void write_media(const struct control *c, struct json_out *j)
{
    const struct settings *settings = c->settings;
    jout_bool(j, "ice-lite", settings->ice_lite);
    jout_bool(j, "ice-tcp", false);
    jout_string(j, "ice-nomination", settings->ice_nomination_regular ? "regular" : "aggressive");
    jout_bool(j, "ice-consent-freshness", settings->ice_consent_freshness);
    jout_bool(j, "ice-keepalive-conncheck", settings->ice_keepalive_conncheck);
    jout_bool(j, "hangup-on-failed", settings->hangup_on_failed);
    jout_bool(j, "full-trickle", settings->full_trickle);
    jout_bool(j, "mdns-enabled", false);                /* names are dropped: the peer's own checks find us */
    jout_int(j, "min-nack-queue", c->adjustable.min_nack_queue_ms);
    jout_bool(j, "nack-optimizations", c->adjustable.nack_optimizations);
    jout_int(j, "twcc-period", settings->twcc_period_ms);
    if (settings->dscp > 0)
        jout_int(j, "dscp", settings->dscp);
    jout_int(j, "dtls-mtu", settings->dtls_mtu);
    if (settings->stun_server != NULL) {
        char text[300];
        snprintf(text, sizeof(text), "%s:%u", settings->stun_server, settings->stun_port);
        jout_string(j, "stun-server", text);
    }
    jout_int(j, "static-event-loops", c->config.worker_count);
    jout_bool(j, "loop-indication", false);
    jout_bool(j, "api_secret", settings->api_secret != NULL);
    jout_bool(j, "auth_token", settings->token_auth);
    jout_bool(j, "event_handlers", c->config.event_handlers.count > 0);
    jout_bool(j, "opaqueid_in_api", settings->opaqueid_in_api);
}

static void write_dependencies(const struct control *c, struct json_out *j)
{
    if (c->settings->hide_dependencies)
        return;
    jout_object(j, "dependencies");
    jout_string(j, "jansson", jansson_version_str());
    jout_string(j, "crypto", crypto_version());
    jout_end(j);
}

static void write_module(struct json_out *j, const struct control_module *module)
{
    jout_object(j, module->package);
    jout_string(j, "name", module->name);
    jout_string(j, "author", module->author);
    jout_string(j, "description", module->description);
    jout_string(j, "version_string", module->version_string);
    jout_int(j, "version", module->version);
    jout_end(j);
}

static void write_modules(struct json_out *j, const char *key, const struct control_modules *modules)
{
    jout_object(j, key);
    for (uint32_t i = 0; i < modules->count; i++)
        write_module(j, &modules->items[i]);
    jout_end(j);
}

static void write_plugins(const struct control *c, struct json_out *j)
{
    jout_object(j, "plugins");
    for (uint32_t i = 0; i < c->host_count; i++) {
        const struct plugin_desc *desc = c->hosts[i].desc;
        struct control_module module = {desc->package, desc->name, desc->author, desc->description, desc->version_string, desc->version};
        write_module(j, &module);
    }
    jout_end(j);
}

void info_write(const struct control *c, struct json_out *j)
{
    write_identity(c, j);
    write_addresses(c, j);
    write_media(c, j);
    write_dependencies(c, j);
    write_modules(j, "transports", &c->config.transports);
    write_modules(j, "events", &c->config.event_handlers);
    write_modules(j, "loggers", &c->config.loggers);
    write_plugins(c, j);
}

void info_reply(struct control *c, const struct api_request *request)
{
    struct json_out j;
    reply_begin(c, &j, request, "server_info");
    info_write(c, &j);
    reply_end(c, &j, request);
}
