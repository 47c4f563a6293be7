/* bench/packet.c - a packet's whole way through a worker, from the batch that udp_recv_batch gives to the runs that
 * udp_send_batch gets, over real keys, without the kernel: ns of CPU per packet sent, by number of viewers and backend.
 *
 * It asserts what the design promises (docs/ARCHITECTURE.md, walk 1): once a stream runs, forwarding allocates nothing and
 * takes no lock, in our code and in the libraries. And that what comes out is right: viewers get what was sent. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "bench/seams.h"
#include "bench/watch.h"
#include "bench/world.h"

#define FRAME_US      MSEC(40)
#define WARM_FRAMES   75u           /* 3 s: pools have grown to what a second of packets needs, and given back */
#define WATCH_FRAMES  100u          /* 4 s of the stream: several ticks of every peer */
#define TIMED_FRAMES  50u
#define ROUNDS        5u
#define SHOWN_FRAMES  25u           /* delivered and verified */

struct result {
    double ns;                      /* per packet sent */
    double packets_per_run;
};

static uint64_t sent(const struct world *world)
{
    return world_counters(world)->rtp_sent;
}

static void deliver(struct world *world, uint32_t viewers)
{
    world_prepare(world, SHOWN_FRAMES);
    while (world_turn(world, true))
        world_pass(world, FRAME_US);
    for (uint32_t i = 0; i < viewers; i++) {
        const struct verify *video = world_video(world, i);
        CHECK(video != NULL && video->packets > 0);
        CHECK(video->strange == 0 && video->renumbered == 0 && verify_lost(video) == 0);
    }
}

/* Time stands still in a turn and moves between turns; only the turns with packets are watched. */
static void watch(struct world *world)
{
    uint64_t allocations = 0, locks = 0;
    const uint64_t before = sent(world);
    world_prepare(world, WATCH_FRAMES);
    for (bool more = true; more;) {
        const struct watch_counts start = watch_now();
        more = world_turn(world, false);
        allocations += watch_now().allocations - start.allocations;
        locks += watch_now().locks - start.locks;
        world_pass(world, FRAME_US);
    }
    printf("  %" PRIu64 " packets: %" PRIu64 " allocations, %" PRIu64 " locks\n", sent(world) - before, allocations, locks);
    fflush(stdout);
    CHECK(sent(world) > before);
    CHECK(allocations == 0);
    CHECK(locks == 0);
}

static struct result measure(struct world *world)
{
    struct result result = {.ns = 1e18};
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t ns = 0;
        uint64_t runs = 0, packets = 0;
        world_prepare(world, TIMED_FRAMES);
        for (bool more = true; more;) {
            const uint64_t packets_before = sent(world), runs_before = world_counters(world)->runs, began = cpu_ns();
            more = world_turn(world, false);
            ns += cpu_ns() - began;
            packets += sent(world) - packets_before;
            runs += world_counters(world)->runs - runs_before;
            world_pass(world, FRAME_US);
        }
        CHECK(packets > 0);
        const double per_packet = (double)ns / (double)packets;
        result.ns = per_packet < result.ns ? per_packet : result.ns;
        result.packets_per_run = (double)packets / (double)runs;
    }
    return result;
}

static void run(uint32_t viewers, enum seal_backend backend)
{
    struct world *world = world_new(&(struct world_config){.viewers = viewers, .seal = backend, .audio_too = true});
    CHECK(world != NULL);
    deliver(world, viewers);
    world_prepare(world, WARM_FRAMES);
    while (world_turn(world, false))
        world_pass(world, FRAME_US);
    struct result result = measure(world);
    printf("%-18s %4u viewers  %6.0f ns per packet  %4.1f packets per run\n", world_seal_name(world), viewers, result.ns,
           result.packets_per_run);
    watch(world);
    world_free(world);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const uint32_t counts[] = {1, 5, 20, 100};
    const bool full = argc > 1 && argv[1][0] == 'f';
    for (unsigned i = 0; i < ARRAY_COUNT(counts); i++)
        run(counts[i], SEAL_BACKEND_AUTO);
    if (!full)
        return 0;
    run(1000, SEAL_BACKEND_AUTO);       /* more packets in a turn than EGRESS_STOP_AT: flushed in between, none lost */
    for (unsigned i = 0; i < ARRAY_COUNT(counts); i++)
        run(counts[i], SEAL_BACKEND_OPENSSL);
    return 0;
}
