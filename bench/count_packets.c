/* bench/count_packets.c - forwards a fixed number of packets and ends: for scripts/instructions.py, which counts the
 * instructions. usage: count_packets VIEWERS FRAMES */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "bench/world.h"

#define FRAME_US MSEC(40)

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    const uint32_t viewers = (uint32_t)strtoul(argv[1], NULL, 10), frames = (uint32_t)strtoul(argv[2], NULL, 10);
    struct world *world = world_new(&(struct world_config){.viewers = viewers, .seal = SEAL_BACKEND_OPENSSL, .audio_too = true});
    CHECK(world != NULL);
    world_prepare(world, frames);
    while (world_turn(world, false))
        world_pass(world, FRAME_US);
    printf("%" PRIu64 "\n", world_counters(world)->rtp_sent);
    world_free(world);
    return 0;
}
