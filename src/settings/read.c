/* The tree of janus.jcfg, section by section (config-core.md 3-7). Unknown keys are ignored, unusable values are noted. */
#include <signal.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "runtime/log.h"
#include "settings/settings_impl.h"

#define NACK_QUEUE_MAX_MS  1000u
#define WORKERS_MAX        64
#define DRAIN_MAX_S        (7u * 24u * 3600u)
#define STATS_PERIOD_S     1u
#define STUN_PORT          3478         /* RFC 8489 18.6 */

/* A number that counts only when it is at least `least`; else the default stays. */
static uint32_t at_least(const struct conf_node *group, const char *key, int least, uint32_t fallback)
{
    int value = conf_int(group, key, -1);
    return conf_get(group, key) == NULL || value < least ? fallback : (uint32_t)value;
}

/* An empty text is as good as none. */
static const char *text_or_null(const struct conf_node *group, const char *key)
{
    const char *text = conf_text(group, key, NULL);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void read_list(struct settings *s, struct text_list *list, const struct conf_node *group, const char *key)
{
    struct view rest = str_of(conf_text(group, key, ""));
    list->count = 0;
    while (rest.size > 0) {
        struct view item = str_trim(str_split(&rest, ','));
        if (item.size == 0)
            continue;
        if (list->count == SETTINGS_LIST_MAX) {
            settings_note(s, LOG_LEVEL_WARN, "%s: only the first %u entries are used", key, SETTINGS_LIST_MAX);
            return;
        }
        list->items[list->count++] = settings_keep(s, item);
    }
}

static void read_array(struct settings *s, struct text_list *list, const struct conf_node *group, const char *key)
{
    const struct conf_node *array = conf_get(group, key);
    list->count = 0;
    for (uint32_t i = 0; i < conf_count(array); i++) {
        if (list->count == SETTINGS_LIST_MAX) {
            settings_note(s, LOG_LEVEL_WARN, "%s: only the first %u entries are used", key, SETTINGS_LIST_MAX);
            return;
        }
        if (conf_is_scalar(conf_at(array, i)))
            list->items[list->count++] = conf_value(conf_at(array, i));
    }
}

/* ---- general */

static void read_logging(struct settings *s, const struct conf_node *g)
{
    s->log_to_stdout = conf_bool(g, "log_to_stdout", true);
    s->log_to_file = text_or_null(g, "log_to_file");
    s->debug_timestamps = conf_bool(g, "debug_timestamps", false);
    s->debug_colors = conf_bool(g, "debug_colors", true);
    s->log_prefix = text_or_null(g, "log_prefix");
    const char *level = conf_text(g, "debug_level", "4");
    bool number = level[0] != '\0' && strspn(level, "+-0123456789") == strlen(level);
    if (!number)
        settings_note(s, LOG_LEVEL_WARN, "debug_level %s is no number: 4 is used", level);
    int value = number ? conf_int(g, "debug_level", LOG_LEVEL_INFO) : LOG_LEVEL_INFO;
    s->debug_level = value < LOG_LEVEL_NONE ? LOG_LEVEL_NONE : value > LOG_LEVEL_DBG ? LOG_LEVEL_DBG : value;
    const char *signal = text_or_null(g, "log_rotate_sig");
    if (signal != NULL && strcmp(signal, "SIGUSR1") == 0)
        s->log_rotate_signal = SIGUSR1;
    else if (signal != NULL && strcmp(signal, "SIGHUP") == 0)
        s->log_rotate_signal = SIGHUP;
    else if (signal != NULL)
        settings_note(s, LOG_LEVEL_WARN, "log_rotate_sig %s is neither SIGUSR1 nor SIGHUP: ignored", signal);
}

static void read_process(struct settings *s, const struct conf_node *g)
{
    s->daemonize = conf_bool(g, "daemonize", false);
    s->pid_file = text_or_null(g, "pid_file");
    s->openfiles_min = conf_i64(g, "check_openfiles_limit", 0);
    s->workers = at_least(g, "workers", 0, 0);
    if (s->workers > WORKERS_MAX) {
        settings_note(s, LOG_LEVEL_WARN, "workers: %d at most", WORKERS_MAX);
        s->workers = WORKERS_MAX;
    }
    s->random_placement = str_equal_nocase(str_of(conf_text(g, "placement", "room")), STR("random"));
    read_array(s, &s->protected_folders, g, "protected_folders");
    s->recordings_tmp_ext = text_or_null(g, "recordings_tmp_ext");
}

static bool read_api(struct settings *s, const struct conf_node *g)
{
    s->api_secret = text_or_null(g, "api_secret");
    s->admin_secret = text_or_null(g, "admin_secret");
    s->metrics_token = text_or_null(g, "metrics_token");
    s->token_auth = conf_bool(g, "token_auth", false);
    s->token_auth_secret = text_or_null(g, "token_auth_secret");
    s->server_name = text_or_null(g, "server_name");
    if (s->server_name == NULL)
        s->server_name = "MyJanusInstance";
    s->session_timeout_s = at_least(g, "session_timeout", 0, 60);
    s->reclaim_session_timeout_s = at_least(g, "reclaim_session_timeout", 0, 0);
    s->memory_limit_mb = at_least(g, "memory_limit", 0, 0);
    s->max_sessions_per_address = at_least(g, "max_sessions_per_address", 0, 0);
    s->drain_timeout_s = at_least(g, "drain_timeout", 0, 0);
    if (s->drain_timeout_s > DRAIN_MAX_S)
        s->drain_timeout_s = DRAIN_MAX_S;
    s->candidates_timeout_s = at_least(g, "candidates_timeout", 1, 45);
    s->opaqueid_in_api = conf_bool(g, "opaqueid_in_api", false);
    s->hide_dependencies = conf_bool(g, "hide_dependencies", false);
    s->interface = text_or_null(g, "interface");
    if (conf_get(g, "api_secret") != NULL && s->api_secret == NULL) {
        settings_note(s, LOG_LEVEL_FATAL, "api_secret is there but empty, and without one everybody is let in: set it, or take the key out");
        return false;
    }
    if (!s->token_auth && s->token_auth_secret != NULL)
        settings_note(s, LOG_LEVEL_WARN, "token_auth_secret has no effect without token_auth");
    return true;
}

/* ---- certificates, media */

static bool read_certificates(struct settings *s, const struct conf_node *g)
{
    s->cert_pem = text_or_null(g, "cert_pem");
    s->cert_key = text_or_null(g, "cert_key");
    s->cert_password = text_or_null(g, "cert_pwd");
    s->dtls_accept_selfsigned = conf_bool(g, "dtls_accept_selfsigned", true);
    s->dtls_ciphers = text_or_null(g, "dtls_ciphers");
    s->rsa_private_key = conf_bool(g, "rsa_private_key", false);
    if ((s->cert_pem == NULL) == (s->cert_key == NULL))
        return true;
    settings_note(s, LOG_LEVEL_FATAL, "cert_pem and cert_key belong together: only one of them is set");
    return false;
}

static void read_port_range(struct settings *s, const struct conf_node *g)
{
    const char *text = text_or_null(g, "rtp_port_range");
    s->rtp_port_min = s->rtp_port_max = 0;
    if (text == NULL || strchr(text, '-') == NULL)
        return;
    struct view rest = str_of(text);
    struct view first = str_trim(str_split(&rest, '-'));
    uint16_t min = 0, max = 0;
    if (!str_u16(first, &min) || !str_u16(str_trim(rest), &max)) {
        settings_note(s, LOG_LEVEL_WARN, "rtp_port_range %s is no min-max: any port is used", text);
        return;
    }
    if (max == 0)
        max = UINT16_MAX;
    if (min > max) {
        uint16_t swapped = min;
        min = max;
        max = swapped;
    }
    if (min == 0 && max == UINT16_MAX)
        return;
    s->rtp_port_min = min == 0 ? 1 : min;
    s->rtp_port_max = max;
}

static void read_media(struct settings *s, const struct conf_node *g)
{
    s->ipv6 = conf_bool(g, "ipv6", false);
    s->ipv6_linklocal = conf_bool(g, "ipv6_linklocal", false);
    s->min_nack_queue_ms = at_least(g, "min_nack_queue", 0, 200);
    if (s->min_nack_queue_ms > NACK_QUEUE_MAX_MS)
        s->min_nack_queue_ms = NACK_QUEUE_MAX_MS;
    read_port_range(s, g);
    s->dtls_mtu = at_least(g, "dtls_mtu", 0, 1200);
    s->max_message_bytes = at_least(g, "max_message_size", DATA_MESSAGE_MIN, DATA_MESSAGE_DEFAULT);
    if (s->max_message_bytes > DATA_MESSAGE_LIMIT)
        s->max_message_bytes = DATA_MESSAGE_LIMIT;
    s->no_media_timer_s = at_least(g, "no_media_timer", 0, 1);
    s->slowlink_threshold = at_least(g, "slowlink_threshold", 0, 0);
    s->twcc_period_ms = at_least(g, "twcc_period", 1, 200);
    s->nack_optimizations = conf_bool(g, "nack_optimizations", false);
    s->hold_video = conf_bool(g, "hold_video", true);
    s->pad_video = conf_bool(g, "pad_video", true);
    int dscp = conf_int(g, conf_get(g, "dscp") != NULL ? "dscp" : "dscp_tos", 0);
    if (dscp < 0 || dscp > 63)      /* six bits: RFC 2474 3 */
        settings_note(s, LOG_LEVEL_WARN, "dscp %d is not within 0-63: ignored", dscp);
    else
        s->dscp = (uint8_t)dscp;
}

/* ---- nat */

static void read_mapping(struct settings *s, const struct conf_node *g)
{
    struct text_list texts;
    read_list(s, &texts, g, "nat_1_1_mapping");
    struct address_list *list = &s->nat_1_1_mapping;
    for (uint32_t i = 0; i < texts.count; i++) {
        if (list->count < SETTINGS_ADDRESSES_MAX && net_ip_parse(&list->items[list->count], str_of(texts.items[i])))
            list->count++;
        else
            settings_note(s, LOG_LEVEL_WARN, "nat_1_1_mapping: %s is not used (no address, or one too many)", texts.items[i]);
    }
    s->keep_private_host = conf_bool(g, "keep_private_host", false) && list->count > 0;
}

static void read_stun(struct settings *s, const struct conf_node *g)
{
    s->stun_server = text_or_null(g, "stun_server");
    uint16_t port;
    if (!conf_port(g, "stun_port", STUN_PORT, &port)) {
        settings_note(s, LOG_LEVEL_WARN, "stun_port %s is no port: STUN is off", conf_text(g, "stun_port", ""));
        s->stun_server = NULL;
    }
    s->stun_port = port == 0 ? STUN_PORT : port;
}

static void read_nat(struct settings *s, const struct conf_node *g)
{
    read_stun(s, g);
    s->full_trickle = conf_bool(g, "full_trickle", false);
    const char *nomination = conf_text(g, "ice_nomination", "aggressive");
    s->ice_nomination_regular = str_equal_nocase(str_of(nomination), STR("regular"));
    if (!s->ice_nomination_regular && !str_equal_nocase(str_of(nomination), STR("aggressive")))
        settings_note(s, LOG_LEVEL_WARN, "ice_nomination %s is neither regular nor aggressive: aggressive is used", nomination);
    s->ice_consent_freshness = conf_bool(g, "ice_consent_freshness", false);
    s->ice_keepalive_conncheck = conf_bool(g, "ice_keepalive_conncheck", false) || s->ice_consent_freshness;
    s->ice_lite = conf_bool(g, "ice_lite", false);
    s->hangup_on_failed = conf_bool(g, "hangup_on_failed", false);
    s->ignore_mdns = conf_bool(g, "ignore_mdns", false);
    read_mapping(s, g);
    read_list(s, &s->ice_enforce_list, g, "ice_enforce_list");
    read_list(s, &s->ice_ignore_list, g, "ice_ignore_list");
    s->ignore_unreachable_ice_server = conf_bool(g, "ignore_unreachable_ice_server", false);
}

bool settings_read(struct settings *s, const struct conf_node *root)
{
    const struct conf_node *general = conf_get(root, "general");
    read_logging(s, general);
    read_process(s, general);
    bool fine = read_api(s, general);
    fine = read_certificates(s, conf_get(root, "certificates")) && fine;
    read_media(s, conf_get(root, "media"));
    read_nat(s, conf_get(root, "nat"));
    const struct conf_node *events = conf_get(root, "events");
    s->event_handlers = conf_bool(events, "broadcast", false);
    s->combine_media_stats = conf_bool(events, "combine_media_stats", false);
    s->stats_period_s = at_least(events, "stats_period", 0, STATS_PERIOD_S);
    read_list(s, &s->plugins_disable, conf_get(root, "plugins"), "disable");
    read_list(s, &s->transports_disable, conf_get(root, "transports"), "disable");
    read_list(s, &s->loggers_disable, conf_get(root, "loggers"), "disable");
    read_list(s, &s->events_disable, conf_get(root, "events"), "disable");
    return fine;
}
