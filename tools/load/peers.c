#include "load/peers.h"

#include "base/mem.h"

#define SPARE 8u

static void call_more(struct peers *peers);

bool peers_init(struct peers *peers, struct load *load, uint32_t count)
{
    const struct options *options = load->options;
    char error[DTLS_ERROR_TEXT] = "";
    uint32_t connections = options->connections > 0 ? options->connections : 16;
    if (connections > count)
        connections = count;
    *peers = (struct peers){.load = load, .size = count};
    const struct rtc_config config = {
        .endpoints = count + SPARE,
        .lines = (count + SPARE) * 4,
        .packets = (count + SPARE) * 1024,
    };
    if (!load_connect(load, connections, true))
        return false;
    if (!net_init(&peers->net, &load->loop, &options->local, &config, error))
        return load_fail(load, "%s", error);
    peers->calls = mem_get_zero(count * sizeof(*peers->calls));
    return true;
}

void peers_fini(struct peers *peers)
{
    if (peers->calls == NULL)
        return;
    for (uint32_t i = 0; i < peers->begun; i++)
        call_stop(&peers->calls[i]);
    if (peers->publisher.net != NULL)
        call_stop(&peers->publisher);
    for (uint32_t i = 0; i < peers->load->user_count; i++)
        janus_lost(&peers->load->users[i].janus, peers->load->loop.now);
    net_fini(&peers->net);
    mem_put(peers->calls);
}

bool peers_is_witness(const struct peers *peers, uint32_t call)
{
    return peers->witness_every > 0 && call % peers->witness_every == 0;
}

static bool publisher_done(const void *context)
{
    const struct peers *peers = context;
    return peers->publisher_done > 0;
}

static void on_publisher(void *owner, usec_t now, struct call *call)
{
    struct peers *peers = owner;
    (void)now;
    peers->publisher_done += call->state == CALL_UP || call->state == CALL_FAILED;
}

bool peers_publish(struct peers *peers)
{
    const struct call_config config = {
        .kind = CALL_PUBLISH,
        .session = peers->load->users[0].session,
        .room = peers->load->options->room,
        .audio = true,
        .video = true,
        .port = peers->load->options->sink ? WITNESS_PORT : 0,
    };
    call_start(&peers->publisher, &peers->net, &peers->load->users[0].janus, &config, on_publisher, peers);
    if (load_wait(peers->load, publisher_done, peers, &peers->publisher_done) && peers->publisher.state == CALL_UP)
        return true;
    return load_fail(peers->load, "the publisher: %s", peers->publisher.state == CALL_FAILED ? peers->publisher.error : "time is up");
}

static void on_call(void *owner, usec_t now, struct call *call)
{
    struct peers *peers = owner;
    (void)now;
    if (call->state == CALL_UP) {
        peers->up++;
        call_more(peers);
    } else if (call->state == CALL_FAILED || call->state == CALL_ENDED) {
        if (peers->failed++ == 0)
            (void)load_fail(peers->load, "call %u: %s", (unsigned)(call - peers->calls), call->error);
    }
}

static void call_more(struct peers *peers)
{
    struct load *load = peers->load;
    while (peers->failed == 0 && peers->begun < peers->wanted && peers->begun < peers->up + load->options->parallel) {
        struct user *user = &load->users[peers->begun % load->user_count];
        struct call_config config = peers->config;
        config.session = user->session;
        config.name = peers->begun;
        config.port = peers_is_witness(peers, peers->begun) ? WITNESS_PORT : 0;
        struct call *call = &peers->calls[peers->begun++];
        call_start(call, &peers->net, &user->janus, &config, on_call, peers);
        call->on_text = peers->on_text;
    }
}

static bool all_called(const void *context)
{
    const struct peers *peers = context;
    return peers->failed > 0 || peers->up >= peers->wanted;
}

bool peers_call(struct peers *peers, uint32_t count)
{
    peers->wanted = count;
    call_more(peers);
    bool waited = load_wait(peers->load, all_called, peers, &peers->up);
    if (waited && peers->failed == 0)
        return true;
    return peers->failed > 0 ? false : load_fail(peers->load, "%u of %u calls are up, and time is", peers->up, count);
}
