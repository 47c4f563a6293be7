/* bench/sctp.c - CPU of one association pair in memory: both sides' work for a message, from sctp_send to the event at the
 * other end, checksums and SACKs included; DTLS is not. The comparison with usrsctp in a lossy network is a test:
 * tests/unit/proto/sctp/race.c. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "bench/seams.h"
#include "proto/sctp/sctp.h"

#define TOTAL_BYTES 64000000u
#define MESSAGES_MAX 200000u

struct pair {
    struct sctp *a, *b;
    usec_t now;
    size_t size;
    uint64_t messages;               /* of one round */
    uint64_t received;
    uint64_t packets;
    uint8_t bytes[65536];
};

static void fill(void *source, uint8_t *out, size_t size)
{
    uint32_t *seed = source;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)((*seed = *seed * 1664525u + 1013904223u) >> 24);
}

static bool pass(struct pair *pair, struct sctp *from, struct sctp *to)
{
    struct sctp_event event;
    struct sctp_tx tx;
    bool any = false;
    while (sctp_poll_event(from, &event))
        pair->received += event.kind == SCTP_EVENT_MESSAGE;
    while (sctp_poll_tx(from, &tx)) {
        sctp_input(to, pair->now, VIEW(tx.data, tx.size));
        pair->packets++;
        any = true;
    }
    return any;
}

/* Each turn takes 100 us, so that the round trip is one, too. */
static void turn(struct pair *pair)
{
    pair->now += 100;
    sctp_timeout(pair->a, pair->now);
    sctp_timeout(pair->b, pair->now);
    const bool a = pass(pair, pair->a, pair->b);
    const bool b = pass(pair, pair->b, pair->a);
    if (!a && !b)
        pair->now += MSEC(10);       /* a SACK that waits */
}

static void round_of(void *context)
{
    struct pair *pair = context;
    const struct sctp_message message = {.stream = 1, .ppid = 53};
    const uint64_t end = pair->received + pair->messages;
    uint64_t sent = 0;
    while (pair->received < end) {
        while (sent < pair->messages && sctp_send(pair->a, pair->now, &message, VIEW(pair->bytes, pair->size)) == ERR_NONE)
            sent++;
        turn(pair);
    }
}

static void measure(size_t size)
{
    uint32_t seed = 1;
    struct rng rng;
    rng_init(&rng, fill, &seed);
    struct pool pool;
    pool_init(&pool, "sctp", sctp_size(), 2);
    struct sctp_shared shared = {0};
    const struct sctp_config config = {.rng = &rng, .shared = &shared, .remote_max_message_bytes = 262144};
    static struct pair pair;
    pair = (struct pair){.now = SEC(1), .size = size};
    pair.a = sctp_new(&pool, &config, pair.now);
    pair.b = sctp_new(&pool, &config, pair.now);
    sctp_connect(pair.a, pair.now);
    sctp_connect(pair.b, pair.now);
    for (int i = 0; i < 10; i++)
        turn(&pair);
    CHECK(sctp_get_state(pair.a) == SCTP_STATE_ESTABLISHED);
    pair.messages = TOTAL_BYTES / size < MESSAGES_MAX ? TOTAL_BYTES / size : MESSAGES_MAX;
    pair.packets = 0;
    const unsigned rounds = 5;
    const double ns = best_ns(rounds, pair.messages, round_of, &pair);
    printf("| %6zu | %8.2f | %8.1f | %8.2f |\n", size, ns / 1000, (double)size * 1000 / ns,
           (double)pair.packets / (double)(rounds * pair.messages));
    sctp_free(pair.a);
    sctp_free(pair.b);
    CHECK(shared.memory_bytes == 0);
    pool_fini(&pool);
}

int main(void)
{
    const size_t sizes[] = {20, 100, 1000, 10000, 60000};
    printf("sctp: one association, both sides, without DTLS; an idle one is %zu bytes\n", sctp_size());
    printf("| bytes | us/message | MB/s | packets |\n|---|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++)
        measure(sizes[i]);
    return 0;
}
