#include "live_server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/io.h"
#include "msg/control.h"
#include "msg/io.h"

struct live {
    struct actors *set;
    struct actor *main_actor, *io_actor, *control_actor;
    struct io *io;
    struct conf_node *root;
    uint32_t gone;               /* control's thread only */
    int stopped;
    char folder[64], cert[96], key[96], page[96];
};

/* --- Control: an echo ------------------------------------------------------------------------------------------- */

static void on_control_message(void *owner, usec_t now, const struct message *m)
{
    struct live *live = owner;
    (void)now;
    if (m->type == CONTROL_CLIENT_GONE)
        live->gone++;
    if (m->type != CONTROL_CLIENT_REQUEST)
        return;
    const struct client_request *request = m->payload;
    struct io_send send = {.client = request->client, .size = request->size};
    struct io_credit credit = {request->client};
    actor_send_parts(live->control_actor, ACTOR_IO, IO_SEND, REF_NONE, VIEW(&send, offsetof(struct io_send, text)),
                     VIEW(request->text, request->size));
    actor_send(live->control_actor, ACTOR_IO, IO_CREDIT, &credit, sizeof(credit));
}

static const struct actor_ops control_ops = {.on_message = on_control_message};

/* --- Main: asks one after the other to stop ---------------------------------------------------------------------- */

static void on_main_message(void *owner, usec_t now, const struct message *m)
{
    struct live *live = owner;
    (void)now;
    if (m->type != ACTOR_STOPPED)
        return;
    live->stopped++;
    if (m->from == ACTOR_CONTROL)
        actor_ask_stop(live->main_actor, ACTOR_IO);
    else
        actor_stop(live->main_actor);
}

static const struct actor_ops main_ops = {.on_message = on_main_message};

/* --- Start and stop --------------------------------------------------------------------------------------------- */

static bool put(char *name, size_t room, const char *folder, const char *file, const char *text)
{
    snprintf(name, room, "%s/%s", folder, file);
    FILE *f = fopen(name, "w");
    return f != NULL && fputs(text, f) >= 0 && fclose(f) == 0;
}

static bool open_io(struct live *live)
{
    char text[600];
    struct conf_error error;
    snprintf(text, sizeof(text),
             "general: {\n ws = true\n ws_port = 0\n ws_ip = \"127.0.0.1\"\n wss = true\n wss_port = 0\n wss_ip = \"127.0.0.1\"\n"
             " web_folder = \"%s\" }\ncertificates: {\n cert_pem = \"%s\"\n cert_key = \"%s\" }\n", live->folder, live->cert, live->key);
    live->root = conf_parse(str_of(text), CONF_JCFG, NULL, &error);
    if (live->root == NULL)
        return false;
    live->io = io_new(live->io_actor, &(struct io_options){.websockets = live->root, .descriptors = 1024});
    return io_listening(live->io) == 2;
}

struct live *live_start(const char *cert_pem, const char *key_pem, const char *page)
{
    struct live *live = calloc(1, sizeof(*live));
    if (live == NULL)
        return NULL;
    snprintf(live->folder, sizeof(live->folder), "/tmp/io-live-XXXXXX");
    if (mkdtemp(live->folder) == NULL || !put(live->cert, sizeof(live->cert), live->folder, "cert.pem", cert_pem) ||
        !put(live->key, sizeof(live->key), live->folder, "key.pem", key_pem) ||
        !put(live->page, sizeof(live->page), live->folder, "index.html", page))
        return NULL;
    live->set = actors_new();
    live->main_actor = actor_new(live->set, ACTOR_MAIN, "main");
    live->io_actor = actor_new(live->set, ACTOR_IO, "io");
    live->control_actor = actor_new(live->set, ACTOR_CONTROL, "control");
    if (live->main_actor == NULL || live->io_actor == NULL || live->control_actor == NULL || !open_io(live))
        return NULL;
    actor_serve(live->main_actor, &main_ops, live);
    actor_serve(live->io_actor, &io_ops, live->io);
    actor_serve(live->control_actor, &control_ops, live);
    actors_wire(live->set);
    return actor_start(live->io_actor) && actor_start(live->control_actor) ? live : NULL;
}

bool live_stop(struct live *live)
{
    actor_ask_stop(live->main_actor, ACTOR_CONTROL);
    actor_run(live->main_actor);
    actor_join(live->control_actor);
    actor_join(live->io_actor);
    bool fine = live->stopped == 2 && io_client_count(live->io) == 0;
    io_free(live->io);
    conf_free(live->root);
    actors_free(live->set);
    unlink(live->cert);
    unlink(live->key);
    unlink(live->page);
    rmdir(live->folder);
    free(live);
    return fine;
}

int live_connect(struct live *live, unsigned listener)
{
    struct net_addr local;
    if (!io_local(live->io, listener, &local))
        return -1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(local.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}
