/* bench/control.c - what a big room costs the control actor, and how long it ever runs in one go. The control actor and the plugins of
 * the server on the tests' double of the runtime, CPU time of the thread; answers of clients are not counted.
 *
 * usage: bench_control [SUBSCRIBERS [ROOMS [ROUNDS]]]      500 10000 10
 *
 *   room   a publisher comes: all are told, all subscribe to it (`update`, an offer for each); it goes: all are told and offered what
 *          is left. Each of SUBSCRIBERS clients has a participant and a subscription with a PeerConnection that is up.
 *   list   of ROOMS rooms, while somebody else pings */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "control/sdp_texts.h"
#include "control/server.h"
#include "plugins/plugin.h"

#define PEERS_MAX 4096u
#define SDP_ROOM  65536u

static struct server s;

struct person {
    int64_t session, handle, watch;
    struct peer_ref peer;               /* of the subscription */
};

static struct person people[PEERS_MAX];

/* -- time of the actor --------------------------------------------------------------------------------------------------------- */

static struct {
    uint64_t sum_ns, longest_ns;
    const char *longest_of;
} spent;

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void account(const char *what, uint64_t begun)
{
    const uint64_t ns = cpu_ns() - begun;
    spent.sum_ns += ns;
    if (ns > spent.longest_ns) {
        spent.longest_ns = ns;
        spent.longest_of = what;
    }
}

static uint64_t take(void)
{
    const uint64_t sum = spent.sum_ns;
    spent.sum_ns = 0;
    return sum;
}

/* Turns until nothing is left to do at this time. */
static void settle(const char *what)
{
    while (control_ops.deadline(s.control) <= s.now) {
        const uint64_t begun = cpu_ns();
        server_turn(&s);
        account(what, begun);
    }
}

static void say(const char *what, uint32_t client, const char *text)
{
    const uint64_t begun = cpu_ns();
    server_post(&s, client, text);
    server_turn(&s);
    account(what, begun);
    settle(what);
}

static void fact(const char *what, uint16_t type, struct peer_ref peer)
{
    const struct peer_fact told = {peer};
    const uint64_t begun = cpu_ns();
    server_fact(&s, type, &told, sizeof(told));
    account(what, begun);
    settle(what);
}

/* -- what clients say ------------------------------------------------------------------------------------------------------------ */

static char text[2 * SDP_ROOM];

static void message(const char *what, uint32_t client, int64_t handle, const char *body, const char *jsep)
{
    snprintf(text, sizeof(text), "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":%s%s%s}",
             (long long)people[client].session, (long long)handle, body, jsep == NULL ? "" : ",\"jsep\":", jsep == NULL ? "" : jsep);
    say(what, client, text);
}

static int64_t attach(uint32_t client)
{
    server_say(&s, client, "{\"janus\":\"attach\",\"transaction\":\"a\",\"session_id\":%lld,\"plugin\":\"janus.plugin.videoroom\"}",
               (long long)people[client].session);
    json_t *reply = server_hear_json(&s, client);
    const int64_t handle = json_integer_value(json_object_get(json_object_get(reply, "data"), "id"));
    json_decref(reply);
    return handle;
}

static void replace(char *sdp, const char *from, const char *to)
{
    CHECK(strlen(from) >= strlen(to));
    for (char *at = sdp; (at = strstr(at, from)) != NULL; at += strlen(to)) {
        memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
        memcpy(at, to, strlen(to));
    }
}

/* The newest offer to that client, taken as it is; not counted. */
static void answer(uint32_t client)
{
    static char sdp[SDP_ROOM];
    const char *heard, *last = NULL;
    while ((heard = server_hear(&s, client)) != NULL)
        last = strstr(heard, "\"offer\"") != NULL ? heard : last;
    if (last == NULL)
        return;
    json_t *event = json_loads(last, 0, NULL);
    snprintf(sdp, sizeof(sdp), "%s", json_string_value(json_object_get(json_object_get(event, "jsep"), "sdp")));
    json_decref(event);
    replace(sdp, "a=setup:actpass", "a=setup:active");
    replace(sdp, "a=sendonly", "a=recvonly");
    char *quoted = json_quoted(sdp);
    snprintf(text, sizeof(text), "{\"janus\":\"message\",\"transaction\":\"m\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":{\"request\":\"start\"},"
                                 "\"jsep\":{\"type\":\"answer\",\"sdp\":%s}}", (long long)people[client].session, (long long)people[client].watch, quoted);
    free(quoted);
    const uint64_t sum = spent.sum_ns;
    say("answer", client, text);
    spent.sum_ns = sum;
}

static struct peer_ref opened(void)
{
    struct peer_ref peer = {0};
    const struct peer_open_order *open = server_order(&s, WORKER_PEER_OPEN, &peer.worker);
    CHECK(open != NULL);
    peer.ref = open->peer;
    return peer;
}

/* A publisher with its media up; told to whoever is there. */
static struct peer_ref publish(uint32_t client, const char *what)
{
    char *quoted = json_quoted(SDP_CLIENT_OFFER), *jsep;
    CHECK(asprintf(&jsep, "{\"type\":\"offer\",\"sdp\":%s}", quoted) > 0);
    message(what, client, people[client].handle, "{\"request\":\"publish\"}", jsep);
    const struct peer_ref peer = opened();
    fake_forget(s.actor);
    fact(what, CONTROL_PEER_UP, peer);
    free(jsep);
    free(quoted);
    return peer;
}

static void enter(uint32_t client, unsigned id)
{
    char body[128];
    if (people[client].session == 0) {
        people[client].session = server_create(&s, client);
        people[client].handle = attach(client);
    }
    snprintf(body, sizeof(body), "{\"request\":\"join\",\"ptype\":\"publisher\",\"room\":1234,\"id\":%u,\"display\":\"somebody\"}", id);
    message("enter", client, people[client].handle, body, NULL);
    fake_forget(s.actor);
}

static void watch(uint32_t client, unsigned feed)
{
    char body[128];
    people[client].watch = attach(client);
    fake_forget(s.actor);
    snprintf(body, sizeof(body), "{\"request\":\"join\",\"ptype\":\"subscriber\",\"room\":1234,\"streams\":[{\"feed\":%u}]}", feed);
    message("watch", client, people[client].watch, body, NULL);
    people[client].peer = opened();
    answer(client);
    fact("watch", CONTROL_PEER_UP, people[client].peer);
    fake_forget(s.actor);
}

/* -- the two -------------------------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double median_us(uint64_t *ns, unsigned rounds, unsigned per)
{
    qsort(ns, rounds, sizeof(*ns), compare);
    return (double)ns[rounds / 2] / 1000.0 / per;
}

static void big_room(unsigned subscribers, unsigned rounds)
{
    const uint32_t first = 2;
    uint64_t notify[64], update[64], leave[64], all[64];
    enter(0, 1);
    (void)publish(0, "base");
    for (uint32_t n = first; n < first + subscribers; n++) {
        enter(n, 10 + n);
        watch(n, 1);
    }
    enter(1, 2);
    for (unsigned round = 0; round < rounds; round++) {
        fake_forget(s.actor);
        (void)take();
        spent.longest_ns = round == 0 ? 0 : spent.longest_ns;
        (void)publish(1, "publisher comes");
        notify[round] = take();
        fake_forget(s.actor);
        for (uint32_t n = first; n < first + subscribers; n++) {
            message("update", n, people[n].watch, "{\"request\":\"update\",\"subscribe\":[{\"feed\":2}]}", NULL);
            answer(n);
            fake_forget(s.actor);
        }
        update[round] = take();
        message("publisher goes", 1, people[1].handle, "{\"request\":\"unpublish\"}", NULL);
        leave[round] = take();
        for (uint32_t n = first; n < first + subscribers; n++)
            answer(n);
        all[round] = notify[round] + update[round] + leave[round];
    }
    printf("a publisher comes to %u subscribers and goes: %.1f us of control per subscriber: told that it comes %.1f, update and offer %.1f, told that it goes and offered what is left %.1f; "
           "longest turn %.2f ms (%s)\n", subscribers, median_us(all, rounds, subscribers), median_us(notify, rounds, subscribers), median_us(update, rounds, subscribers),
           median_us(leave, rounds, subscribers), (double)spent.longest_ns / 1e6, spent.longest_of);
}

static void long_list(unsigned rooms, unsigned rounds)
{
    uint64_t ns[64];
    for (unsigned i = 0; i < rooms; i++) {
        message("create", 0, people[0].handle, "{\"request\":\"create\",\"description\":\"A room of many, with a name of a usual length\"}", NULL);
        fake_forget(s.actor);
    }
    spent.longest_ns = 0;
    for (unsigned round = 0; round < rounds; round++) {
        (void)take();
        message("list", 0, people[0].handle, "{\"request\":\"list\"}", NULL);
        ns[round] = take();
        const char *heard = NULL, *next;
        while ((next = server_hear(&s, 0)) != NULL)
            heard = next;
        CHECK(heard != NULL && strlen(heard) > 100u * rooms);
        fake_forget(s.actor);
    }
    printf("list of %u rooms: %.2f ms of control, longest turn %.2f ms (%s)\n", rooms, median_us(ns, rounds, 1) / 1000.0, (double)spent.longest_ns / 1e6, spent.longest_of);
}

int main(int argc, char **argv)
{
    const unsigned subscribers = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 500, rooms = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 10000,
                   rounds = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 10;
    CHECK(subscribers > 0 && subscribers < PEERS_MAX - 2 && rounds > 0 && rounds <= 64);
    server_init(&s);
    s.config.plugins = plugin_table;
    server_start(&s);
    people[0].session = server_create(&s, 0);
    people[0].handle = attach(0);
    message("create", 0, people[0].handle, "{\"request\":\"create\",\"room\":1234,\"publishers\":1000}", NULL);
    fake_forget(s.actor);
    big_room(subscribers, rounds);
    long_list(rooms, rounds);
    server_end(&s);
    return 0;
}
