#include "settings/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/net.h"
#include "base/str.h"

enum option_kind {
    OPTION_SWITCH,          /* no argument: sets the key to `on` */
    OPTION_TEXT,
    OPTION_INTEGER,         /* must be a number */
    OPTION_NATURAL,         /* the same; a negative one counts as not given */
    OPTION_SERVER,          /* host[:port]: two keys */
    OPTION_FOLDER_F,        /* the rest are no keys of the file */
    OPTION_FILE_C,
    OPTION_CWD,
    OPTION_WEB,
    OPTION_LOG_STDOUT,
    OPTION_HELP,
    OPTION_VERSION,
};

struct option_desc {
    int letter;             /* 0: long only */
    const char *name;
    enum option_kind kind;
    const char *argument;   /* NULL: none */
    const char *section;
    const char *key;
    const char *on;
    const char *help;
};

#define SWITCH(letter, name, section, key, on, help) {letter, name, OPTION_SWITCH, NULL, section, key, on, help}
#define VALUE(letter, name, kind, argument, section, key, help) {letter, name, kind, argument, section, key, NULL, help}
#define OTHER(letter, name, kind, argument, help) {letter, name, kind, argument, NULL, NULL, NULL, help}

/* Reading this table is reading the command line. */
static const struct option_desc table[] = {
    OTHER('h', "help", OPTION_HELP, NULL, "Print this help and exit"),
    OTHER('V', "version", OPTION_VERSION, NULL, "Print the version and exit"),
    SWITCH('b', "daemon", "general", "daemonize", "yes", "Run in the background"),
    VALUE('p', "pid-file", OPTION_TEXT, "path", "general", "pid_file", "Write the process id to this file"),
    SWITCH('N', "disable-stdout", "general", "log_to_stdout", "no", "Do not log to standard output"),
    OTHER(0, "log-stdout", OPTION_LOG_STDOUT, NULL, "Log to standard output even in the background"),
    VALUE('L', "log-file", OPTION_TEXT, "path", "general", "log_to_file", "Append the log to this file"),
    VALUE('R', "log-rotate-sig", OPTION_TEXT, "signal", "general", "log_rotate_sig", "Re-open the log file on SIGUSR1 or SIGHUP"),
    VALUE('l', "check-openfiles-limits", OPTION_INTEGER, "count", "general", "check_openfiles_limit",
        "Do not start with fewer descriptors allowed"),
    OTHER('H', "cwd-path", OPTION_CWD, "path", "Working folder in the background (default: /)"),
    VALUE('i', "interface", OPTION_TEXT, "ip", "general", "interface", "Address or interface to put into SDP"),
    VALUE('P', "plugins-folder", OPTION_TEXT, "path", "general", "plugins_folder", "Accepted; plugins are built in"),
    OTHER('C', "config", OPTION_FILE_C, "file", "Configuration file"),
    OTHER('F', "configs-folder", OPTION_FOLDER_F, "path", "Folder of the configuration files"),
    VALUE('c', "cert-pem", OPTION_TEXT, "file", "certificates", "cert_pem", "DTLS certificate"),
    VALUE('k', "cert-key", OPTION_TEXT, "file", "certificates", "cert_key", "DTLS certificate's key"),
    VALUE('K', "cert-pwd", OPTION_TEXT, "text", "certificates", "cert_pwd", "Passphrase of the key"),
    VALUE('S', "stun-server", OPTION_SERVER, "host[:port]", "nat", "stun_server", "STUN server (default port: 3478)"),
    VALUE('1', "nat-1-1", OPTION_TEXT, "ips", "nat", "nat_1_1_mapping", "Public addresses to put into candidates"),
    SWITCH('2', "keep-private-host", "nat", "keep_private_host", "yes", "With -1, offer the private address too"),
    VALUE('E', "ice-enforce-list", OPTION_TEXT, "list", "nat", "ice_enforce_list", "Interfaces or addresses to use, no others"),
    VALUE('X', "ice-ignore-list", OPTION_TEXT, "list", "nat", "ice_ignore_list", "Interfaces or addresses not to use"),
    SWITCH('6', "ipv6-candidates", "media", "ipv6", "yes", "Use IPv6"),
    SWITCH('O', "ipv6-link-local", "media", "ipv6_linklocal", "yes", "Use IPv6 link-local addresses too"),
    SWITCH('f', "full-trickle", "nat", "full_trickle", "yes", "Trickle our candidates"),
    SWITCH('I', "ice-lite", "nat", "ice_lite", "yes", "Be ICE lite"),
    SWITCH('T', "ice-tcp", "nat", "ice_tcp", "yes", "Use ICE-TCP"),
    VALUE('Q', "min-nack-queue", OPTION_NATURAL, "ms", "media", "min_nack_queue", "Least time to keep packets for retransmission"),
    VALUE('t', "no-media-timer", OPTION_NATURAL, "seconds", "media", "no_media_timer", "When to tell that no media arrives"),
    VALUE('W', "slowlink-threshold", OPTION_NATURAL, "packets", "media", "slowlink_threshold", "Lost packets a second to tell of"),
    VALUE('r', "rtp-port-range", OPTION_TEXT, "min-max", "media", "rtp_port_range", "Ports to use for media"),
    VALUE('B', "twcc-period", OPTION_NATURAL, "ms", "media", "twcc_period", "How often to send TWCC feedback"),
    VALUE('n', "server-name", OPTION_TEXT, "name", "general", "server_name", "Name of this instance"),
    VALUE('s', "session-timeout", OPTION_NATURAL, "seconds", "general", "session_timeout", "When a silent session ends"),
    VALUE('m', "reclaim-session-timeout", OPTION_NATURAL, "seconds", "general", "reclaim_session_timeout",
        "How long a session may be claimed after its transport has gone"),
    VALUE('d', "debug-level", OPTION_NATURAL, "0-7", "general", "debug_level", "Level of the log"),
    SWITCH('D', "debug-timestamps", "general", "debug_timestamps", "yes", "Timestamps in the log"),
    SWITCH('o', "disable-colors", "general", "debug_colors", "no", "No colours in the log"),
    SWITCH('M', "debug-locks", "general", "debug_locks", "yes", "Accepted; there are no locks"),
    VALUE('a', "apisecret", OPTION_TEXT, "text", "general", "api_secret", "Secret that every request must carry"),
    SWITCH('A', "token-auth", "general", "token_auth", "yes", "Requests must carry a token"),
    VALUE(0, "token-auth-secret", OPTION_TEXT, "text", "general", "token_auth_secret", "Tokens are signed with this secret"),
    SWITCH('e', "event-handlers", "events", "broadcast", "yes", "Enable event handlers"),
    SWITCH('w', "no-webrtc-encryption", "general", "no_webrtc_encryption", "yes", "Plain RTP instead of SRTP (not built)"),
    OTHER(0, "web-folder", OPTION_WEB, "path", "Serve the pages of this folder over HTTP"),
};

#define TABLE_COUNT ARRAY_COUNT(table)
#define LONG_ONLY   256                     /* getopt's value of the table's n-th row is LONG_ONLY + n */

static void set(struct options *options, const char *section, const char *key, const char *value)
{
    if (options->set_count == OPTIONS_SET_MAX)
        options->set_count--;               /* nobody has a hundred options; the last word still counts */
    options->set[options->set_count++] = (struct option_value){section, key, value};
}

static bool is_integer(const char *text)
{
    size_t sign = text[0] == '-' || text[0] == '+';
    size_t digits = strspn(text + sign, "0123456789");
    return digits > 0 && digits < 19 && text[sign + digits] == '\0';
}

/* The last colon splits, unless all of it is an address. The argument itself is cut: it is ours since main began. */
static void set_server(struct options *options, const struct option_desc *desc, char *value)
{
    struct net_addr address;
    char *colon = strrchr(value, ':');
    if (colon != NULL && !net_ip_parse(&address, str_of(value))) {
        *colon = '\0';
        set(options, desc->section, "stun_port", colon + 1);
    }
    size_t size = strlen(value);
    if (size > 2 && value[0] == '[' && value[size - 1] == ']') {
        value[size - 1] = '\0';
        value++;
    }
    set(options, desc->section, desc->key, value);
}

static bool take(struct options *options, const struct option_desc *desc, char *value)
{
    switch (desc->kind) {
    case OPTION_SWITCH:
        set(options, desc->section, desc->key, desc->on);
        break;
    case OPTION_INTEGER:
    case OPTION_NATURAL:
        if (!is_integer(value)) {
            snprintf(options->error, sizeof(options->error), "--%s needs a number, not %.60s", desc->name, value);
            return false;
        }
        if (desc->kind == OPTION_INTEGER || value[0] != '-')
            set(options, desc->section, desc->key, value);
        break;
    case OPTION_TEXT:
        set(options, desc->section, desc->key, value);
        break;
    case OPTION_SERVER:
        set_server(options, desc, value);
        break;
    case OPTION_FOLDER_F:
        options->configs_folder = value;
        break;
    case OPTION_FILE_C:
        options->config_file = value;
        break;
    case OPTION_CWD:
        options->cwd_path = value;
        break;
    case OPTION_WEB:
        options->web_folder = value;
        break;
    case OPTION_LOG_STDOUT:
        options->log_stdout_forced = true;
        set(options, "general", "log_to_stdout", "yes");
        break;
    case OPTION_HELP:
        options->help = true;
        break;
    case OPTION_VERSION:
        options->version = true;
        break;
    }
    return true;
}

static void describe(char *letters, struct option *names)
{
    *letters++ = ':';                       /* tell a missing argument from an unknown option */
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        names[i] = (struct option){table[i].name, table[i].argument != NULL ? required_argument : no_argument, NULL, LONG_ONLY + (int)i};
        if (table[i].letter == 0)
            continue;
        *letters++ = (char)table[i].letter;
        if (table[i].argument != NULL)
            *letters++ = ':';
    }
    *letters = '\0';
    names[TABLE_COUNT] = (struct option){0};
}

static const struct option_desc *find(int code)
{
    if (code >= LONG_ONLY)
        return &table[code - LONG_ONLY];
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (table[i].letter == code)
            return &table[i];
    return NULL;
}

bool options_parse(struct options *options, int argc, char **argv)
{
    char letters[2 * TABLE_COUNT + 2];
    struct option names[TABLE_COUNT + 1];
    *options = (struct options){.set_count = 0};
    describe(letters, names);
    optind = 0;                             /* getopt's own state starts anew (tests parse many times) */
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, letters, names, NULL)) != -1;) {
        if (code == '?' || code == ':') {
            snprintf(options->error, sizeof(options->error), code == '?' ? "unknown option %.80s" : "%.80s needs a value", argv[optind - 1]);
            return false;
        }
        const struct option_desc *desc = find(code);
        CHECK(desc != NULL);
        if (!take(options, desc, optarg))
            return false;
    }
    return true;
}

void options_print_help(const char *program)
{
    printf("Usage: %s [OPTIONS]\n\n", program);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        char left[48];
        snprintf(left, sizeof(left), "--%s%s%s", table[i].name, table[i].argument != NULL ? "=" : "",
            table[i].argument != NULL ? table[i].argument : "");
        if (table[i].letter != 0)
            printf("  -%c, %-36s %s\n", table[i].letter, left, table[i].help);
        else
            printf("      %-36s %s\n", left, table[i].help);
    }
}
