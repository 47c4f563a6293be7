/* Chunks as a stranger may write them, in a packet whose tag and checksum are right: for an association in the state that the
 * first byte names, with messages on the way in both directions. */
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/sctp/crc32c.h"
#include "proto/sctp/sctp_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(void *source, uint8_t *out, size_t size)
{
    uint32_t *seed = source;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)((*seed = *seed * 1664525u + 1013904223u) >> 24);
}

static void drain(struct sctp *sctp, struct sctp *peer, usec_t now)
{
    struct sctp_event event;
    struct sctp_tx tx;
    while (sctp_poll_event(sctp, &event))
        ;
    while (sctp_poll_tx(sctp, &tx))
        if (peer != NULL)
            sctp_input(peer, now, VIEW(tx.data, tx.size));
}

static void inject(struct sctp *sctp, usec_t now, const uint8_t *data, size_t size)
{
    uint8_t packet[SCTP_HEADER + 4096] = {0};
    if (size > sizeof(packet) - SCTP_HEADER)
        return;
    put_u16(packet, SCTP_PORT);
    put_u16(packet + 2, SCTP_PORT);
    put_u32(packet + 4, size > 0 && data[0] == SCTP_INIT ? 0 : sctp->local_tag);
    memcpy(packet + SCTP_HEADER, data, size);
    const uint32_t crc = crc32c(0, VIEW(packet, SCTP_HEADER + size));
    for (int i = 0; i < 4; i++)
        packet[8 + i] = (uint8_t)(crc >> 8 * i);
    sctp_input(sctp, now, VIEW(packet, SCTP_HEADER + size));
}

/* 0: new; 1: waits for a cookie; 2, 3: up, in 3 with data on the way; 4: shutting down. */
static void prepare(struct sctp *a, struct sctp *b, unsigned state, usec_t now)
{
    static const uint8_t message[5000];
    if (state == 0)
        return;
    sctp_connect(a, now);
    drain(a, state == 1 ? NULL : b, now);
    for (int i = 0; state > 1 && i < 3; i++) {
        drain(b, a, now);
        drain(a, b, now);
    }
    if (state == 3)
        for (uint16_t i = 0; i < 8; i++)
            (void)sctp_send(a, now, &(struct sctp_message){.stream = i, .unordered = i % 2 == 1, .reliability = (uint8_t)(i % 3)}, VIEW(message, 1 + 700u * i));
    drain(a, NULL, now);
    if (state == 4)
        sctp_shutdown(a, now);
    drain(a, NULL, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint32_t seed = 1;
    struct rng rng;
    rng_init(&rng, fill, &seed);
    struct pool pool;
    pool_init(&pool, "sctp", sctp_size(), 2);
    struct sctp_shared shared = {0};
    const struct sctp_config config = {.rng = &rng, .shared = &shared, .streams_in = 64, .streams_out = 64};
    usec_t now = SEC(1000);
    struct sctp *a = sctp_new(&pool, &config, now), *b = sctp_new(&pool, &config, now);
    if (a == NULL || b == NULL)
        __builtin_trap();
    prepare(a, b, data[0] % 5, now);
    inject(a, now, data + 1, size - 1);
    drain(a, NULL, now);
    for (int i = 0; i < 30 && sctp_deadline(a) != USEC_NEVER; i++) {
        now = sctp_deadline(a) > now ? sctp_deadline(a) : now;
        sctp_timeout(a, now);
        drain(a, NULL, now);
        if (i == 5)
            inject(a, now, data + 1, size - 1);
    }
    sctp_free(a);
    sctp_free(b);
    if (shared.memory_bytes != 0)
        __builtin_trap();
    pool_fini(&pool);
    return 0;
}
