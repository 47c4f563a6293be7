#include "reload.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "io/http_config.h"
#include "io/websocket_config.h"
#include "msg/io.h"
#include "runtime/file.h"
#include "runtime/log.h"
#include "settings/module.h"

#define PEM_BYTES_MAX (256u * 1024u)

struct listener_files {
    bool http;
    const char *cert, *key, *password, *ciphers;        /* NULL: not given */
};

static uint32_t add_text(struct buf *out, const char *text)
{
    if (text == NULL)
        return 0;
    buf_add(out, text, strlen(text) + 1);
    return (uint32_t)strlen(text) + 1;
}

static bool add_file(struct actor *main_actor, struct buf *out, const char *path, uint32_t *size)
{
    const size_t before = out->size;
    if (file_read(path, out) != ERR_NONE) {
        LOG_ERR(main_actor, "Reload: can't read %s (%s): the certificate stays", path, strerror(errno));
        return false;
    }
    *size = (uint32_t)(out->size - before);
    return true;
}

static void send_certificate(struct actor *main_actor, const struct listener_files *files)
{
    struct io_certificate head = {.http = files->http};
    struct buf texts;
    if (files->cert == NULL || files->key == NULL)
        return;
    buf_init(&texts, 3 * PEM_BYTES_MAX);
    if (add_file(main_actor, &texts, files->cert, &head.cert_size) && add_file(main_actor, &texts, files->key, &head.key_size)) {
        head.password_size = add_text(&texts, files->password);
        head.ciphers_size = add_text(&texts, files->ciphers);
        actor_send_parts(main_actor, ACTOR_IO, IO_CERTIFICATE, REF_NONE, VIEW(&head, sizeof(head)), buf_view(&texts));
    }
    if (texts.data != NULL)
        explicit_bzero(texts.data, texts.room);
    buf_fini(&texts);
}

/* The files of the listeners may have other names now; nothing else of their configuration is read. */
static void reload_certificates(struct actor *main_actor, struct settings *fresh)
{
    struct websocket_config websockets;
    struct http_config http;
    struct buf notes;
    bool found;
    struct conf_node *websockets_conf = module_conf_load(fresh, "janus.transport.websockets", &found);
    struct conf_node *http_conf = module_conf_load(fresh, "janus.transport.http", &found);
    buf_init(&notes, 65536);
    if (websockets_conf != NULL) {
        websocket_config_read(&websockets, websockets_conf, &notes);
        send_certificate(main_actor, &(struct listener_files){false, websockets.cert_pem, websockets.cert_key, websockets.cert_password, websockets.ciphers});
    }
    if (http_conf != NULL) {
        http_config_read(&http, http_conf, &notes);
        send_certificate(main_actor, &(struct listener_files){true, http.cert_pem, http.cert_key, http.cert_password, NULL});
    }
    buf_fini(&notes);
    conf_free(websockets_conf);
    conf_free(http_conf);
}

static void say_notes(struct actor *main_actor, const struct settings *fresh)
{
    for (uint32_t i = 0; i < settings_note_count(fresh); i++) {
        int level;
        const char *text = settings_note_at(fresh, i, &level);
        LOG_AT(main_actor, level < LOG_LEVEL_ERR ? LOG_LEVEL_ERR : (enum log_level)level, "Reload: %s", text);
    }
}

void reload(struct actor *main_actor, struct settings *running, int argc, char **argv)
{
    struct settings fresh;
    if (settings_load_again(&fresh, running, argc, argv) != SETTINGS_RUN) {
        say_notes(main_actor, &fresh);
        LOG_ERR(main_actor, "Reload: the configuration can't be used; nothing has changed");
        settings_fini(&fresh);
        return;
    }
    say_notes(main_actor, &fresh);
    running->debug_level = fresh.debug_level;
    running->drain_timeout_s = fresh.drain_timeout_s;
    log_set_level(actor_set(main_actor), (enum log_level)fresh.debug_level);
    reload_certificates(main_actor, &fresh);
    LOG_INFO(main_actor, "Reloaded: debug_level %d, drain_timeout %u s, certificates of the listeners", fresh.debug_level, fresh.drain_timeout_s);
    settings_fini(&fresh);
}
