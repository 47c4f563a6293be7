/* settings: which file is read, what the command line changes, what is refused or noted (config-core.md 1.2, 3-9). */
#include "support/seams.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/log.h"
#include "settings/module.h"

static char folder[64];

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/cardea-settings-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"janus.jcfg", "janus.cfg", "other.jcfg", "janus.plugin.x.jcfg", "janus.plugin.x.cfg", "inner"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        unlink(path_of(names[i]));
    return rmdir(folder);
}

/* Arguments end with NULL; `-F folder` comes first unless they bring their own. */
static enum settings_outcome load(struct settings *settings, const char *const *arguments)
{
    static char store[32][128];
    char *argv[32] = {store[0], store[1], store[2]};
    int argc = 3;
    snprintf(store[0], sizeof(store[0]), "cardea");
    snprintf(store[1], sizeof(store[1]), "-F");
    snprintf(store[2], sizeof(store[2]), "%s", folder);
    for (; *arguments != NULL; arguments++) {
        snprintf(store[argc], sizeof(store[argc]), "%s", *arguments);
        argv[argc] = store[argc];
        argc++;
    }
    argv[argc] = NULL;
    return settings_load(settings, argc, argv);
}

#define LOAD(settings, ...) load((settings), (const char *const[]){__VA_ARGS__ __VA_OPT__(,) NULL})

static void assert_load(enum settings_outcome expected, const char *file, const char *const *arguments)
{
    struct settings s;
    if (file != NULL)
        put_file("janus.jcfg", file);
    assert_int_equal(load(&s, arguments), expected);
    settings_fini(&s);
    assert_int_equal(seam_mem_outstanding(), 0);
}

#define ASSERT_LOAD(expected, file, ...) assert_load((expected), (file), (const char *const[]){__VA_ARGS__ __VA_OPT__(,) NULL})

static bool is_noted(const struct settings *s, int level, const char *part)
{
    for (uint32_t i = 0; i < settings_note_count(s); i++) {
        int its;
        const char *text = settings_note_at(s, i, &its);
        if (its == level && strstr(text, part) != NULL)
            return true;
    }
    return false;
}

static void test_without_a_file_the_defaults_hold(void **state)
{
    (void)state;
    struct settings s;
    assert_int_equal(LOAD(&s), SETTINGS_RUN);
    assert_null(s.config_file);
    assert_true(s.log_to_stdout && s.debug_colors && s.dtls_accept_selfsigned);
    assert_false(s.daemonize || s.debug_timestamps || s.ipv6 || s.full_trickle || s.ice_lite || s.token_auth || s.ice_nomination_regular);
    assert_int_equal(s.debug_level, 4);
    assert_int_equal(s.session_timeout_s, 60);
    assert_int_equal(s.reclaim_session_timeout_s, 0);
    assert_int_equal(s.max_sessions_per_address, 0);
    assert_int_equal(s.candidates_timeout_s, 45);
    assert_int_equal(s.min_nack_queue_ms, 200);
    assert_int_equal(s.dtls_mtu, 1200);
    assert_int_equal(s.no_media_timer_s, 1);
    assert_int_equal(s.slowlink_threshold, 0);
    assert_int_equal(s.twcc_period_ms, 200);
    assert_int_equal(s.rtp_port_min, 0);
    assert_int_equal(s.rtp_port_max, 0);
    assert_int_equal(s.stun_port, 3478);
    assert_string_equal(s.server_name, "MyJanusInstance");
    assert_null(s.api_secret);
    assert_null(s.stun_server);
    assert_int_equal(s.ice_ignore_list.count, 0);
    settings_fini(&s);
}

static void test_the_file_is_read(void **state)
{
    (void)state;
    struct settings s;
    put_file("janus.jcfg",
        "General: { debug_level = 9, api_secret = \"x\", SESSION_TIMEOUT = 0, reclaim_session_timeout = -3, log_rotate_sig = \"SIGHUP\"\n"
        "  protected_folders = [ \"/bin\", \"/boot\" ] token_auth = true token_auth_secret = \"s\" interface = \"eth0\" workers = 3 }\n"
        "media: { rtp_port_range = \"50000-40000\" min_nack_queue = 5000 ipv6 = \"yes\" dscp_tos = 46 twcc_period = 0 dtls_mtu = -1 }\n"
        "nat: { nat_1_1_mapping = \"203.0.113.1, nonsense,2001:db8::1\" keep_private_host = true ice_nomination = \"Regular\"\n"
        "  ice_ignore_list = \"vmnet, docker\" stun_server = \"stun.example.org\" stun_port = 19302 ice_consent_freshness = true }\n"
        "plugins: { disable = \"libjanus_sip.so, libjanus_videoroom.so\" }\n");
    assert_int_equal(LOAD(&s), SETTINGS_RUN);
    assert_string_equal(s.config_file, path_of("janus.jcfg"));
    assert_int_equal(s.debug_level, 7);
    assert_int_equal(s.session_timeout_s, 0);
    assert_int_equal(s.reclaim_session_timeout_s, 0);
    assert_int_equal(s.log_rotate_signal, SIGHUP);
    assert_string_equal(s.api_secret, "x");
    assert_true(s.token_auth);
    assert_int_equal(s.workers, 3);
    assert_int_equal(s.protected_folders.count, 2);
    assert_string_equal(s.protected_folders.items[1], "/boot");
    assert_int_equal(s.rtp_port_min, 40000);
    assert_int_equal(s.rtp_port_max, 50000);
    assert_int_equal(s.min_nack_queue_ms, 1000);
    assert_true(s.ipv6);
    assert_int_equal(s.dscp, 46);
    assert_int_equal(s.twcc_period_ms, 200);
    assert_int_equal(s.dtls_mtu, 1200);
    assert_int_equal(s.nat_1_1_mapping.count, 2);
    assert_int_equal(s.nat_1_1_mapping.items[1].family, NET_IP6);
    assert_true(is_noted(&s, LOG_LEVEL_WARN, "nonsense"));
    assert_true(s.keep_private_host && s.ice_nomination_regular && s.ice_keepalive_conncheck);
    assert_int_equal(s.ice_ignore_list.count, 2);
    assert_string_equal(s.ice_ignore_list.items[1], "docker");
    assert_int_equal(s.stun_port, 19302);
    assert_true(settings_is_disabled(&s.plugins_disable, "videoroom"));
    assert_false(settings_is_disabled(&s.plugins_disable, "echotest"));
    settings_fini(&s);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_the_command_line_has_the_last_word(void **state)
{
    (void)state;
    struct settings s;
    put_file("janus.jcfg", "general: { debug_level = 3 api_secret = \"file\" log_to_stdout = true session_timeout = 30 server_name = \"file\" }\n"
        "nat: { stun_server = \"file\" stun_port = 1 } media: { no_media_timer = 7 }");
    assert_int_equal(LOAD(&s, "-d", "6", "--apisecret=cli", "-N", "-s", "-1", "-S", "stun.example.org:19302", "-n", "a", "--server-name", "b",
        "-Q", "300", "-6", "-O", "-f", "-I", "-r", "1000-2000", "-H", "/tmp", "--web-folder", "/srv/web", "-o", "-D"), SETTINGS_RUN);
    assert_int_equal(s.debug_level, 6);
    assert_string_equal(s.api_secret, "cli");
    assert_false(s.log_to_stdout);
    assert_int_equal(s.session_timeout_s, 30);          /* -1: not given */
    assert_string_equal(s.stun_server, "stun.example.org");
    assert_int_equal(s.stun_port, 19302);
    assert_string_equal(s.server_name, "b");
    assert_int_equal(s.min_nack_queue_ms, 300);
    assert_int_equal(s.no_media_timer_s, 7);
    assert_true(s.ipv6 && s.ipv6_linklocal && s.full_trickle && s.ice_lite && s.debug_timestamps && !s.debug_colors);
    assert_int_equal(s.rtp_port_max, 2000);
    assert_string_equal(s.cwd_path, "/tmp");
    assert_string_equal(s.web_folder, "/srv/web");
    settings_fini(&s);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void assert_stun(const char *argument, const char *host, uint16_t port)
{
    struct settings s;
    assert_int_equal(LOAD(&s, "-S", argument), SETTINGS_RUN);
    if (host == NULL)
        assert_null(s.stun_server);
    else
        assert_string_equal(s.stun_server, host);
    assert_int_equal(s.stun_port, port);
    settings_fini(&s);
}

static void test_a_stun_server_is_split_at_its_last_colon(void **state)
{
    (void)state;
    assert_stun("host", "host", 3478);
    assert_stun("host:1", "host", 1);
    assert_stun("2001:db8::1", "2001:db8::1", 3478);
    assert_stun("[2001:db8::1]:99", "2001:db8::1", 99);
    assert_stun("host:0", "host", 3478);
    assert_stun("host:99999", NULL, 3478);
}

static void test_files_fall_back_and_broken_ones_never_mean_defaults(void **state)
{
    (void)state;
    struct settings s;
    put_file("janus.cfg", "[general]\nserver_name = ini\n");
    assert_int_equal(LOAD(&s), SETTINGS_RUN);
    assert_string_equal(s.server_name, "ini");
    settings_fini(&s);
    put_file("janus.jcfg", "general: { api_secret = \n");
    assert_int_equal(LOAD(&s), SETTINGS_RUN);           /* broken, but there is the INI file */
    assert_string_equal(s.server_name, "ini");
    assert_true(is_noted(&s, LOG_LEVEL_ERR, "line 2"));
    settings_fini(&s);
    assert_int_equal(LOAD(&s, "-C", "/nonexistent/janus.jcfg"), SETTINGS_RUN);
    assert_string_equal(s.server_name, "ini");
    settings_fini(&s);
    unlink(path_of("janus.cfg"));
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, NULL);
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, NULL, "-C", "/nonexistent/janus.jcfg");
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, NULL, "-C", "/tmp");
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, "\x7F" "ELF\x02\x01\x01");
    put_file("other.jcfg", "general: { server_name = \"other\" }");
    assert_int_equal(LOAD(&s, "--config", path_of("other.jcfg")), SETTINGS_RUN);
    assert_string_equal(s.server_name, "other");
    settings_fini(&s);
}

static void test_an_unquoted_secret_is_not_repeated(void **state)
{
    (void)state;
    struct settings s;
    put_file("janus.jcfg", "general: { api_secret = hunter2 }");
    put_file("janus.cfg", "[general]\n");
    assert_int_equal(LOAD(&s), SETTINGS_RUN);
    assert_true(is_noted(&s, LOG_LEVEL_ERR, "api_secret"));
    assert_false(is_noted(&s, LOG_LEVEL_ERR, "hunter2"));
    settings_fini(&s);
}

static void test_what_must_not_start_does_not(void **state)
{
    (void)state;
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, "", "--no-such-option");
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, "", "-Z");
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, "", "-d", "many");
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, "", "-d");
    ASSERT_LOAD(SETTINGS_RUN, "general: { token_auth = true }");        /* stored tokens: whether they can be is boot's to see */
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, "general: { api_secret = \"\" }");
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, "general: { api_secret = [ \"a\" ] }");
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, "", "--apisecret=");
    ASSERT_LOAD(SETTINGS_RUN, "", "-A");
    ASSERT_LOAD(SETTINGS_RUN, "", "-A", "--token-auth-secret", "s");
    ASSERT_LOAD(SETTINGS_EXIT_FAILED, "certificates: { cert_pem = \"/x\" }");
    ASSERT_LOAD(SETTINGS_RUN, "certificates: { cert_pem = \"/x\" cert_key = \"/y\" }");
}

static void test_help_and_version_are_answers(void **state)
{
    (void)state;
    ASSERT_LOAD(SETTINGS_EXIT_DONE, "broken {", "-h");
    ASSERT_LOAD(SETTINGS_EXIT_DONE, "broken {", "--version");
}

static void test_keys_without_effect_are_told_once(void **state)
{
    (void)state;
    struct settings s;
    put_file("janus.jcfg", "general: { admin_secret = \"janusoverlord\" event_loops = 0 no_webrtc_encryption = true plugins_folder = \"/x\"\n"
        " debug_level = \"high\" log_rotate_sig = \"SIGINT\" unknown = 1 }\n nat: { ice_tcp = true turn_server = \"t\" ice_nomination = \"x\" }\n"
        "events: { broadcast = false }\n");
    assert_int_equal(LOAD(&s), SETTINGS_RUN);
    static const char *const told[] = {"no_webrtc_encryption", "ice_tcp", "turn_server", "debug_level", "SIGINT", "ice_nomination"};
    for (size_t i = 0; i < ARRAY_COUNT(told); i++)
        assert_true(is_noted(&s, LOG_LEVEL_WARN, told[i]));
    assert_true(is_noted(&s, LOG_LEVEL_VERB, "plugins_folder"));
    assert_int_equal(settings_note_count(&s), ARRAY_COUNT(told) + 1);
    assert_false(is_noted(&s, LOG_LEVEL_WARN, "janusoverlord"));
    assert_int_equal(s.debug_level, 4);
    assert_int_equal(s.log_rotate_signal, 0);
    settings_fini(&s);
}

static void test_a_daemons_paths_are_absolute(void **state)
{
    (void)state;
    struct settings s;
    assert_int_equal(chdir("/tmp"), 0);
    assert_int_equal(LOAD(&s, "-b", "-L", "some.log", "-p", "/run/x.pid", "--web-folder=web"), SETTINGS_RUN);
    assert_string_equal(s.log_to_file, "/tmp/some.log");
    assert_string_equal(s.pid_file, "/run/x.pid");
    assert_string_equal(s.web_folder, "/tmp/web");
    settings_fini(&s);
    assert_int_equal(LOAD(&s, "-L", "some.log"), SETTINGS_RUN);
    assert_string_equal(s.log_to_file, "some.log");
    settings_fini(&s);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_odd_port_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint16_t min, max;
    } cases[] = {{"10000-60000", 10000, 60000}, {"60000-10000", 10000, 60000}, {"20000-0", 20000, 65535}, {"5000", 0, 0}, {"0-65535", 0, 0},
        {"a-b", 0, 0}, {"1-99999", 0, 0}, {" 7 - 9 ", 7, 9}, {"0-100", 1, 100}, {"-", 0, 0}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct settings s;
        char argument[40];
        snprintf(argument, sizeof(argument), "--rtp-port-range=%s", cases[i].text);
        assert_int_equal(LOAD(&s, argument), SETTINGS_RUN);
        assert_int_equal(s.rtp_port_min, cases[i].min);
        assert_int_equal(s.rtp_port_max, cases[i].max);
        settings_fini(&s);
    }
}

static void test_a_modules_file_falls_back_and_never_stops_the_start(void **state)
{
    (void)state;
    struct settings s;
    bool found;
    assert_int_equal(LOAD(&s), SETTINGS_RUN);
    struct conf_node *conf = module_conf_load(&s, "janus.plugin.x", &found);
    assert_false(found);
    assert_int_equal(conf_count(conf), 0);
    conf_free(conf);
    put_file("janus.plugin.x.cfg", "[general]\na = ini\n");
    conf = module_conf_load(&s, "janus.plugin.x", &found);
    assert_true(found);
    assert_string_equal(conf_text(conf_get(conf, "general"), "a", ""), "ini");
    conf_free(conf);
    put_file("inner", "b = 2");
    char text[200];
    snprintf(text, sizeof(text), "general: { a = \"j\"; @include \"%s\" }", path_of("inner"));
    put_file("janus.plugin.x.jcfg", text);
    conf = module_conf_load(&s, "janus.plugin.x", &found);
    assert_int_equal(conf_int(conf_get(conf, "general"), "b", 0), 2);
    conf_free(conf);
    settings_fini(&s);
}

/* Defaults in place of a file that can't be read would be a room server without the secrets that the file sets. */
static void test_a_modules_broken_file_is_not_taken_for_none(void **state)
{
    (void)state;
    struct settings s;
    bool found;
    assert_int_equal(LOAD(&s), SETTINGS_RUN);
    put_file("janus.plugin.x.jcfg", "general: { admin_key = \"k\"");
    uint32_t notes = settings_note_count(&s);
    assert_null(module_conf_load(&s, "janus.plugin.x", &found));
    assert_false(found);
    assert_int_equal(settings_note_count(&s), notes + 1);
    settings_fini(&s);
    assert_int_equal(seam_mem_outstanding(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_without_a_file_the_defaults_hold),
        TEST(test_the_file_is_read),
        TEST(test_the_command_line_has_the_last_word),
        TEST(test_a_stun_server_is_split_at_its_last_colon),
        TEST(test_files_fall_back_and_broken_ones_never_mean_defaults),
        TEST(test_an_unquoted_secret_is_not_repeated),
        TEST(test_what_must_not_start_does_not),
        TEST(test_help_and_version_are_answers),
        TEST(test_keys_without_effect_are_told_once),
        TEST(test_a_daemons_paths_are_absolute),
        TEST(test_odd_port_ranges),
        TEST(test_a_modules_file_falls_back_and_never_stops_the_start),
        TEST(test_a_modules_broken_file_is_not_taken_for_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
