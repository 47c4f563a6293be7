/* What crosses is looked at here: each message between actors, each datagram. It all goes into the digest, and:
 *
 *   - a request that io hands to control gets exactly one credit back, in time ("credit");
 *   - a (key, SSRC, index) is sealed once: the same number of the same stream is the same packet ("nonce");
 *   - the numbers of a stream that the server sends have no gaps, when nothing has been lost on the way to it ("sequence");
 *   - who has left in order is sent nothing ("left"). */
#include <stdlib.h>
#include <string.h>

#include "msg/control.h"
#include "msg/io.h"
#include "proto/rtp/demux.h"
#include "sim/actor.h"
#include "sim/checks.h"
#include "sim/network.h"

#define CLIENTS_SEEN   8192u
#define CREDITS_MAX    128u
#define CREDIT_US      SEC(4)       /* from a request's way to control to its credit */
#define STREAMS_MAX    65536u       /* a power of two */
#define STREAM_WINDOW  2048u
#define LEFT_US        SEC(6)       /* from a polite end to the last datagram */

struct ledger {
    uint32_t generation;
    bool gone;
    uint32_t first, count;
    usec_t at[CREDITS_MAX];
};

struct stream {
    uint32_t ssrc;
    uint32_t highest;               /* extended by hand */
    uint32_t packets;
    uint64_t seen[STREAM_WINDOW];   /* what went under each number: a hash, 0: nothing */
};

static struct {
    struct checks *checks;
    struct ledger *clients;
    struct stream **streams;
    uint32_t stream_count;
} taps;

void checks_open(struct checks *checks)
{
    taps.checks = checks;
    taps.clients = calloc(CLIENTS_SEEN, sizeof(*taps.clients));
    taps.streams = calloc(STREAMS_MAX, sizeof(*taps.streams));
    taps.stream_count = 0;
    CHECK(taps.clients != NULL);
    CHECK(taps.streams != NULL);
}

void checks_close(void)
{
    for (uint32_t i = 0; i < STREAMS_MAX; i++)
        free(taps.streams[i]);
    free(taps.streams);
    free(taps.clients);
    taps.checks = NULL;
}

/* ---- credits ---- */

/* NULL: it is gone, and another has its slot. */
static struct ledger *ledger_of(struct ref client)
{
    struct ledger *ledger = client.slot < CLIENTS_SEEN ? &taps.clients[client.slot] : NULL;
    return ledger != NULL && ledger->generation == client.generation ? ledger : NULL;
}

static void on_request(struct ref client)
{
    struct ledger *ledger = client.slot < CLIENTS_SEEN ? &taps.clients[client.slot] : NULL;
    if (ledger == NULL)
        return;
    if (ledger->generation != client.generation)
        *ledger = (struct ledger){.generation = client.generation};
    if (ledger->count == CREDITS_MAX) {
        sim_fail("credit", "client %u has more than %u requests open", client.slot, CREDITS_MAX);
        return;
    }
    ledger->at[(ledger->first + ledger->count++) % CREDITS_MAX] = sim->now;
}

static void on_gone(struct ref client)
{
    struct ledger *ledger = ledger_of(client);
    if (ledger != NULL)
        ledger->gone = true;
}

static void on_credit(struct ref client)
{
    struct ledger *ledger = ledger_of(client);
    if (ledger == NULL)
        return;
    if (ledger->count == 0) {
        sim_fail("credit", "client %u got a credit for a request that it has not sent", client.slot);
        return;
    }
    ledger->first = (ledger->first + 1) % CREDITS_MAX;
    ledger->count--;
}

void tap_message(const struct actor *from, actor_id to, const struct cell *cell)
{
    const void *payload = cell->block != NULL ? cell->block : cell->bytes;
    sim_note(sim->now ^ (uint64_t)from->id << 56 ^ (uint64_t)to << 48 ^ (uint64_t)cell->type << 32 ^ cell->size);
    if (taps.checks == NULL)
        return;
    if (from->id == ACTOR_IO && to == ACTOR_CONTROL && cell->type == CONTROL_CLIENT_REQUEST)
        on_request(((const struct client_request *)payload)->client);
    else if (from->id == ACTOR_IO && to == ACTOR_CONTROL && cell->type == CONTROL_CLIENT_GONE)
        on_gone(((const struct client_gone *)payload)->client);
    else if (from->id == ACTOR_CONTROL && to == ACTOR_IO && cell->type == IO_CREDIT)
        on_credit(((const struct io_credit *)payload)->client);
}

void checks_tick(usec_t now)
{
    const usec_t patience = CREDIT_US + sim->faults.late_us * 4 + sim->patience_us;
    for (uint32_t i = 0; i < CLIENTS_SEEN; i++) {
        const struct ledger *ledger = &taps.clients[i];
        if (ledger->count > 0 && !ledger->gone && now > ledger->at[ledger->first] + patience)
            sim_fail("credit", "a request of client %u has had no credit for %llu ms", i,
                     (unsigned long long)((now - ledger->at[ledger->first]) / 1000));
    }
}

/* ---- datagrams ---- */

static struct stream *stream_of(uint32_t ssrc)
{
    uint32_t at = (uint32_t)(ssrc * 0x9E3779B1u) & (STREAMS_MAX - 1);
    while (taps.streams[at] != NULL && taps.streams[at]->ssrc != ssrc)
        at = (at + 1) & (STREAMS_MAX - 1);
    if (taps.streams[at] == NULL) {
        if (++taps.stream_count > STREAMS_MAX / 2)
            return NULL;
        taps.streams[at] = calloc(1, sizeof(struct stream));
        CHECK(taps.streams[at] != NULL);
        taps.streams[at]->ssrc = ssrc;
    }
    return taps.streams[at];
}

static void look_rtp(struct view datagram, bool by_server)
{
    const uint8_t *p = datagram.data;
    const uint32_t ssrc = (uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11];
    const uint16_t seq = (uint16_t)(p[2] << 8 | p[3]);
    struct stream *stream = stream_of(ssrc);
    if (stream == NULL)
        return;
    const int16_t ahead = (int16_t)(seq - (uint16_t)stream->highest);
    const uint32_t whole = stream->packets == 0 ? 0x10000u + seq : stream->highest + (uint32_t)ahead;
    if (stream->packets == 0)
        stream->highest = whole - 1;
    if (stream->packets > 0 && ahead > 1 && by_server && taps.checks->strict)
        sim_fail("sequence", "the server's stream %08x goes from %u to %u though nothing was lost", ssrc, (uint16_t)stream->highest, seq);
    stream->packets++;
    if (stream->highest >= STREAM_WINDOW && whole + STREAM_WINDOW <= stream->highest)
        return;                                         /* too old to be told */
    uint32_t n = stream->highest + 1;
    if ((int32_t)(whole - n) >= (int32_t)STREAM_WINDOW)
        n = whole - STREAM_WINDOW + 1;
    for (; (int32_t)(whole - n) > 0; n++)
        stream->seen[n % STREAM_WINDOW] = 0;
    uint64_t *seen = &stream->seen[whole % STREAM_WINDOW];
    const uint64_t hash = sim_hash_bytes(datagram.data, datagram.size) | 1u;
    if ((int32_t)(whole - stream->highest) > 0) {
        stream->highest = whole;
        *seen = hash;
    } else if (*seen == 0) {
        *seen = hash;
    } else if (*seen != hash) {
        sim_fail("nonce", "%s stream %08x: number %u (the newest is %u) was sealed twice with different bytes, %zu this time", by_server ? "the server's" : "a client's",
                 ssrc, seq, (uint16_t)stream->highest, datagram.size);
    }
}

static void look_left(const struct net_addr *to, struct view datagram)
{
    const usec_t closed = taps.checks->crew->closed_at[to->port];
    if (closed != 0 && sim->now > closed + LEFT_US && rtp_classify(datagram) == RTP_KIND_RTP)
        sim_fail("left", "the server sends media to port %u, whose PeerConnection was closed %llu ms ago", to->port,
                 (unsigned long long)((sim->now - closed) / 1000));
}

void tap_datagram(const struct net_addr *from, const struct net_addr *to, struct view datagram, bool by_server)
{
    (void)from;
    if (taps.checks == NULL || datagram.size < 12)
        return;
    const bool forwarded = to->port >= CREW_FORWARD_PORT && to->port < CREW_FORWARD_PORT + CREW_FORWARD_PORTS;
    if (rtp_classify(datagram) == RTP_KIND_RTP && !forwarded)
        look_rtp(datagram, by_server);
    if (by_server && taps.checks->crew->closed_at != NULL)
        look_left(to, datagram);
}

/* ---- the end ---- */

void checks_quiet(void)
{
    inside_control_quiet();
    for (uint32_t i = 0; i < server_worker_count(); i++)
        inside_worker_quiet(i);
}

/* All that was sent has arrived, or was lost for a reason that has a name; and what arrived was read. */
static void conserve(void)
{
    const struct network_counters *n = &network.counters;
    const uint64_t in = n->sent + n->duplicated + n->injected;
    const uint64_t out = n->delivered + n->lost + n->lost_partition + n->lost_mtu + n->lost_nobody + n->lost_full + n->under_way;
    if (in != out)
        sim_fail("conservation", "%llu datagrams were sent, and of %llu it is known what became of them", (unsigned long long)in,
                 (unsigned long long)out);
}

void checks_closed(uint64_t blocks)
{
    conserve();
    if (sim->memory_blocks != blocks)
        sim_fail("memory", "%lld blocks of memory have not come home", (long long)(sim->memory_blocks - blocks));
    if (descriptors_open() != 0)
        sim_fail("descriptors", "%u descriptors are open at the end", descriptors_open());
}
