/* settings/settings.h - everything the operator has said about the core, in one plain struct: defaults, then janus.jcfg,
 * then the command line (config-core.md 3-8). Made by main before any thread runs; read-only afterwards, so every actor
 * may hold a const pointer to it. Modules (plugins, transports) read their own files: see settings/module.h.
 *
 * Texts are NULL when not given. They live in the struct until settings_fini. */
#pragma once

#include "base/conf.h"
#include "base/net.h"

#define SETTINGS_ADDRESSES_MAX 16u
#define SETTINGS_LIST_MAX      64u

struct text_list {
    const char *items[SETTINGS_LIST_MAX];
    uint32_t count;
};

struct address_list {
    struct net_addr items[SETTINGS_ADDRESSES_MAX];
    uint32_t count;
};

struct settings {
    /* folders and files */
    const char *configs_folder;         /* never NULL */
    const char *config_file;            /* what was read; NULL: built-in defaults */
    const char *web_folder;             /* ours: static pages (--web-folder); NULL: none */
    struct text_list protected_folders;
    const char *recordings_tmp_ext;     /* NULL: recordings have their name from the beginning */

    /* process */
    bool daemonize;
    bool log_to_stdout_forced;          /* --log-stdout: keep it when daemonized */
    const char *cwd_path;               /* -H */
    const char *pid_file;
    int64_t openfiles_min;              /* check_openfiles_limit; 0: not checked */
    uint32_t workers;                   /* ours (general.workers); 0: one per core */
    bool random_placement;              /* ours (general.placement = "random"): peers go to any worker, to try the lanes */

    /* logging */
    bool log_to_stdout;
    const char *log_to_file;
    int log_rotate_signal;              /* 0, SIGUSR1, SIGHUP */
    int debug_level;                    /* 0-7, enum log_level */
    bool debug_timestamps;
    bool debug_colors;
    const char *log_prefix;

    /* API */
    const char *api_secret;
    const char *admin_secret;
    const char *metrics_token;          /* ours; NULL: numbers are for this machine only */
    bool token_auth;
    const char *token_auth_secret;      /* with token_auth: signed mode; without: ignored */
    const char *server_name;            /* never NULL */
    uint32_t session_timeout_s;         /* 0: never */
    uint32_t reclaim_session_timeout_s; /* 0: destroyed at once */
    uint32_t memory_limit_mb;           /* ours; 0: what the machine and the control groups allow */
    uint32_t max_sessions_per_address;  /* ours; 0: no such limit */
    uint32_t drain_timeout_s;           /* ours; 0: SIGTERM stops at once */
    uint32_t candidates_timeout_s;
    bool opaqueid_in_api;
    bool hide_dependencies;
    const char *interface;              /* -i: an address or an interface's name */

    /* certificates */
    const char *cert_pem;
    const char *cert_key;
    const char *cert_password;
    bool dtls_accept_selfsigned;
    const char *dtls_ciphers;
    bool rsa_private_key;

    /* event handlers */
    bool event_handlers;                /* events.broadcast, -e */
    uint32_t stats_period_s;            /* 0: no statistics */
    bool combine_media_stats;

    /* media */
    bool ipv6;
    bool ipv6_linklocal;                /* only with ipv6 */
    uint32_t min_nack_queue_ms;
    uint16_t rtp_port_min, rtp_port_max;    /* both 0: ephemeral */
    uint32_t dtls_mtu;
    uint32_t max_message_bytes;         /* ours (media.max_message_size): of one message of a data channel */
    uint32_t no_media_timer_s;          /* 0: off */
    uint32_t slowlink_threshold;        /* lost packets a second; 0: off */
    uint32_t twcc_period_ms;
    bool nack_optimizations;
    bool hold_video;                    /* ours: media/hold.h */
    bool pad_video;
    uint8_t dscp;

    /* nat */
    const char *stun_server;            /* host or address */
    uint16_t stun_port;
    bool full_trickle;
    bool ice_nomination_regular;        /* else aggressive */
    bool ice_consent_freshness;
    bool ice_keepalive_conncheck;
    bool ice_lite;
    bool hangup_on_failed;
    bool ignore_mdns;
    struct address_list nat_1_1_mapping;
    bool keep_private_host;             /* only with a mapping */
    struct text_list ice_enforce_list;
    struct text_list ice_ignore_list;
    bool ignore_unreachable_ice_server;

    /* modules: shared-object names as the reference has them, for example "libjanus_videoroom.so" */
    struct text_list plugins_disable;
    struct text_list transports_disable;
    struct text_list loggers_disable;
    struct text_list events_disable;

    /* what the struct owns, and what start-up has to say once there is a log */
    struct settings_memory *memory;
};

enum settings_outcome { SETTINGS_RUN, SETTINGS_EXIT_DONE, SETTINGS_EXIT_FAILED };

/* Reads the command line and the file it leads to. Answers of --help and --version, and fatal messages, are on stdout and
 * stderr already; EXIT_DONE is exit code 0, EXIT_FAILED is 1. */
enum settings_outcome settings_load(struct settings *settings, int argc, char **argv);
/* The same once more, with the files that `running` was read from: for what can be changed without a restart. */
enum settings_outcome settings_load_again(struct settings *settings, const struct settings *running, int argc, char **argv);
void settings_fini(struct settings *settings);

/* Whether a module's name ("videoroom") is on a disable list ("libjanus_videoroom.so"). */
bool settings_is_disabled(const struct text_list *list, const char *module);

/* Remarks collected while loading (unknown values, keys that are not built yet): enum log_level and a line of text, in order. */
uint32_t settings_note_count(const struct settings *settings);
const char *settings_note_at(const struct settings *settings, uint32_t index, int *level);
void settings_note(struct settings *settings, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));
