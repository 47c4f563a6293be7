/* Two associations, whose applications, network and clock the input decides: what is sent, lost, repeated, changed, held,
 * reset and closed. Afterwards all memory is back. */
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/sctp/crc32c.h"
#include "proto/sctp/sctp_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLIGHTS 16u

struct world {
    struct sctp *sctp[2];
    struct sctp_tx flying[2][FLIGHTS];           /* to each */
    uint32_t count[2];
    usec_t now;
    struct reader in;
};

static void fill(void *source, uint8_t *out, size_t size)
{
    uint32_t *seed = source;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)((*seed = *seed * 1664525u + 1013904223u) >> 24);
}

static void drain(struct world *w, unsigned side)
{
    struct sctp_event event;
    while (sctp_poll_event(w->sctp[side], &event))
        if (event.kind == SCTP_EVENT_MESSAGE && event.data.size == 0)
            __builtin_trap();
    struct sctp_tx tx;
    while (sctp_poll_tx(w->sctp[side], &tx))
        if (w->count[1 - side] < FLIGHTS)
            w->flying[1 - side][w->count[1 - side]++] = tx;
}

/* One packet, changed where the input says so, with the right checksum again. */
static void deliver(struct world *w, unsigned side, uint8_t changes)
{
    if (w->count[side] == 0)
        return;
    const uint32_t pick = read_u8(&w->in) % w->count[side];
    struct sctp_tx tx = w->flying[side][pick];
    w->flying[side][pick] = w->flying[side][--w->count[side]];
    for (; changes > 0; changes--) {
        const uint16_t at = read_u16(&w->in);
        tx.data[SCTP_HEADER + at % (tx.size - SCTP_HEADER)] = read_u8(&w->in);
    }
    memset(tx.data + 8, 0, 4);
    const uint32_t crc = crc32c(0, VIEW(tx.data, tx.size));
    for (int i = 0; i < 4; i++)
        tx.data[8 + i] = (uint8_t)(crc >> 8 * i);
    sctp_input(w->sctp[side], w->now, VIEW(tx.data, tx.size));
}

static void speak(struct world *w, unsigned side)
{
    static const uint8_t bytes[65536];
    const uint8_t how = read_u8(&w->in);
    const struct sctp_message message = {.stream = how % 8, .unordered = (how & 8) != 0, .reliability = (uint8_t)((how >> 4) % 3),
                                         .limit = read_u8(&w->in), .ppid = 53};
    (void)sctp_send(w->sctp[side], w->now, &message, VIEW(bytes, read_u16(&w->in)));
}

static void step(struct world *w)
{
    const uint8_t op = read_u8(&w->in);
    const unsigned side = op & 1;
    switch (op >> 1 & 7) {
    case 0:
        speak(w, side);
        break;
    case 1:
    case 2:
        deliver(w, side, 0);
        break;
    case 3:
        deliver(w, side, op >> 6);
        break;
    case 4:
        w->now += MSEC(1) << read_u8(&w->in) % 16;
        sctp_timeout(w->sctp[side], w->now);
        break;
    case 5:
        w->count[side] = op < 128 ? w->count[side] / 2 : w->count[side];     /* some are lost */
        break;
    case 6:
        if (op < 64)
            (void)sctp_reset_stream(w->sctp[side], w->now, read_u8(&w->in) % 8);
        else if (op < 128)
            (void)sctp_add_streams(w->sctp[side], w->now, read_u8(&w->in));
        else
            sctp_hold(w->sctp[side], w->now, op < 192);
        break;
    default:
        if (op < 64)
            sctp_connect(w->sctp[side], w->now);
        else if (op > 240)
            sctp_shutdown(w->sctp[side], w->now);
        else if (op > 230)
            sctp_abort(w->sctp[side], w->now);
        break;
    }
    drain(w, side);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t seed = 1;
    struct rng rng;
    rng_init(&rng, fill, &seed);
    struct pool pool;
    pool_init(&pool, "sctp", sctp_size(), 2);
    struct sctp_shared shared = {0};
    const struct sctp_config config = {.rng = &rng, .shared = &shared, .streams_in = 16, .streams_out = 8, .mtu = 512,
                                       .max_message_bytes = 20000, .window_bytes = 60000, .buffer_bytes = 60000};
    struct world w = {.now = SEC(1000), .in = reader_of(VIEW(data, size))};
    for (int i = 0; i < 2; i++)
        w.sctp[i] = sctp_new(&pool, &config, w.now);
    sctp_connect(w.sctp[0], w.now);
    drain(&w, 0);
    for (int i = 0; i < 4; i++) {                /* up, before the input has its say */
        const unsigned to = (unsigned)(1 - i % 2);
        while (w.count[to] > 0) {
            sctp_input(w.sctp[to], w.now, VIEW(w.flying[to][0].data, w.flying[to][0].size));
            w.count[to]--;
        }
        drain(&w, to);
    }
    while (!reader_failed(&w.in) && reader_left(&w.in) > 0)
        step(&w);
    for (int i = 0; i < 2; i++)
        sctp_free(w.sctp[i]);
    if (shared.memory_bytes != 0)
        __builtin_trap();
    pool_fini(&pool);
    return 0;
}
