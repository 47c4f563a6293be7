/* A worker, seen from inside. */
#include "sim/server.h"
#include "sim/world.h"
#include "worker/worker_private.h"

void inside_worker_quiet(uint32_t index)
{
    const struct worker *w = server_owner((actor_id)(ACTOR_WORKER_0 + index));
    const struct pool *const pools[] = {&w->media.sources, &w->media.sinks, &w->media.packets, &w->media.rings, &w->media.maps, &w->bindings, &w->proxy_pool};
    for (size_t i = 0; i < ARRAY_COUNT(pools); i++)
        sim_expect_none(pools[i]->name, pools[i]->used);
    sim_expect_none("peers of a worker", w->peers.count);
    sim_expect_none("sources of a worker", w->sources.count);
    sim_expect_none("sinks of a worker", w->sinks.count);
    if (w->counters.orders_malformed != 0)
        sim_fail("message", "worker %u got %llu malformed orders", index, (unsigned long long)w->counters.orders_malformed);
    if (w->counters.seal_failed != 0)
        sim_fail("message", "worker %u could not seal %llu packets", index, (unsigned long long)w->counters.seal_failed);
}
