/* A whole client connection: the first byte says in what pieces the rest comes, how often control answers and whether the
 * peer reads. Whatever comes, limits hold and nothing is left behind. */
#include <string.h>

#include "base/check.h"
#include "base/str.h"
#include "io/client.h"
#include "io/http_config.h"
#include "io/limits.h"
#include "msg/control.h"

static void fill(void *source, uint8_t *out, size_t size)
{
    (void)source;
    memset(out, 0x5A, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void settle(struct clients *env, struct client *c, usec_t now, bool reads)
{
    struct view text, parts[OUTQ_PARTS];
    do {
        while (client_next(env, c, now, &text)) {
            CHECK(text.size <= env->rules.text_bytes_max);
            CHECK(c->credits_used <= IO_CREDITS);
            if (client_ask(c) != NULL)
                client_reply(env, c, now, text, text.size % 3 == 0 ? 403 : 0);
            else
                client_send(env, c, now, OUT_REPLY, text, NULL);
        }
        while (reads && client_output(env, c, now, parts) > 0)
            client_sent(env, c, now, parts[0].size);
    } while (client_resume(env, c, now));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct clients env;
    const struct client_rules rules = {.text_bytes_max = 5000, .ping_trigger_us = SEC(5), .ping_timeout_us = SEC(5),
                                       .allow_origin = "http://a", .enforce_cors = size > 0 && (data[0] & 8) != 0};
    const struct http_config http = {.base_path = "/janus", .base_path_size = 6};
    const struct client_origin origin = {.api = size > 0 && (data[0] & 32) != 0 ? CLIENT_API_ADMIN : CLIENT_API_JANUS,
                                         .subprotocol = "janus-protocol", .acl = "192.0.2.", .acl_forwarded = true,
                                         .http = size > 0 && (data[0] & 16) != 0 ? &http : NULL};
    const struct net_addr addr = {.ip = {192, 0, 2, 1}, .family = NET_IP4};
    struct client c = {0};
    struct list touched;
    usec_t now = SEC(1);
    uint8_t piece[64];
    if (size == 0)
        return 0;
    size_t step = 1u + data[0] % 61u;
    list_init(&touched);
    list_init(&c.turn);
    clients_init(&env, &rules, NULL, 1, fill, NULL);
    CHECK(client_open(&env, &c, &origin, &addr, now));
    struct eventq *q = eventq_new(&env.events);
    eventq_bind(&env.events, q, 5);
    for (size_t at = 1; at < size && !client_is_dead(&c); at += step) {
        size_t part = size - at < step ? size - at : step;
        memcpy(piece, data + at, part);
        if (client_wants_input(&c))
            client_feed(&env, &c, now, piece, part);
        settle(&env, &c, now, (data[0] & 64) != 0);
        if ((data[at] & 3) == 0)
            client_credit(&env, &c);
        if ((data[at] & 7) == 1 && eventq_add(&env.events, q, STR("{}")))
            client_poll_wake(&env, q, now, &touched);
        now += MSEC(100);
        client_timeout(&env, &c, now);
    }
    client_poll_forget(q);
    client_fini(&env, &c);
    clients_fini(&env);
    return 0;
}
