/* A publisher never waits for its subscribers: who isn't there, or is slow, misses what is published meanwhile (nn_pubsub(7)). So there is
 * nothing to be watched, and every payload goes at once. */
#include "helpers/events/nanomsg.h"

#include <nanomsg/nn.h>
#include <nanomsg/pubsub.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define PAYLOADS_PER_TURN 64u

struct publisher {
    struct evhost *host;
    int socket;
    struct evpayload payload;
};

static void *open_publisher(struct evhost *host, const struct conf_node *general)
{
    const char *address = conf_text_given(general, "address"), *mode = conf_text(general, "mode", "connect");
    const bool binds = str_equal_nocase(str_of(mode), STR("bind"));
    if (address == NULL || (!binds && !str_equal_nocase(str_of(mode), STR("connect")))) {
        LOG_ERR(evhost_actor(host), "Nanomsg event handler: address is missing, or mode = \"%s\" is neither connect nor bind", mode);
        return NULL;
    }
    const int socket = nn_socket(AF_SP, NN_PUB);
    if (socket < 0 || (binds ? nn_bind(socket, address) : nn_connect(socket, address)) < 0) {
        LOG_ERR(evhost_actor(host), "Nanomsg event handler: can't use %s: %s", address, nn_strerror(nn_errno()));
        if (socket >= 0)
            nn_close(socket);
        return NULL;
    }
    struct publisher *p = mem_get_zero(sizeof(*p));
    p->host = host;
    p->socket = socket;
    evpayload_init(&p->payload);
    LOG_INFO(evhost_actor(host), "Events are published by Nanomsg, %s %s", binds ? "at" : "to", address);
    return p;
}

static void close_publisher(void *handler)
{
    struct publisher *p = handler;
    nn_close(p->socket);
    evpayload_fini(&p->payload);
    mem_put(p);
}

static void turn(void *handler, usec_t now)
{
    struct publisher *p = handler;
    (void)now;
    for (unsigned i = 0; i < PAYLOADS_PER_TURN && evhost_next(p->host, &p->payload); i++) {
        if (nn_send(p->socket, p->payload.text.data, p->payload.text.size, NN_DONTWAIT) >= 0)
            evhost_sent(p->host, &p->payload);
        else
            evhost_lost(p->host, &p->payload);
    }
}

static usec_t deadline(const void *handler)
{
    const struct publisher *p = handler;
    return evhost_waiting(p->host) > 0 ? 0 : USEC_NEVER;
}

static bool finish(void *handler, usec_t now)
{
    struct publisher *p = handler;
    (void)now;
    return evhost_waiting(p->host) == 0;
}

const struct evhandler_desc evhandler_nanomsg = {
    .package = "janus.eventhandler.nanomsgevh",
    .file_name = "libjanus_nanomsgevh.so",
    .name = "Cardea Nanomsg event handler",
    .description = "Publishes events by Nanomsg",
    .author = "The Cardea project",
    .version_string = "0.0.1",
    .version = 1,
    .groups = true,
    .open = open_publisher,
    .close = close_publisher,
    .turn = turn,
    .deadline = deadline,
    .finish = finish,
};
