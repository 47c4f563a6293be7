/* Control and io, seen from inside. */
#include <string.h>

#include "control/state.h"
#include "io/io_private.h"
#include "plugins/videoroom/videoroom.h"
#include "sim/server.h"
#include "sim/world.h"

static struct vr_room *find_room(uint64_t id)
{
    const struct control *c = server_owner(ACTOR_CONTROL);
    for (uint32_t i = 0; i < c->host_count; i++) {
        const struct vr_id wanted = {.number = id};
        if (c->hosts[i].plugin != NULL && strcmp(c->hosts[i].desc->package, "janus.plugin.videoroom") == 0)
            return vr_room_find(c->hosts[i].plugin, &wanted);
    }
    return NULL;
}

bool inside_publishers(uint64_t id, uint64_t but, uint64_t ids[INSIDE_PUBLISHERS_MAX], uint32_t *count)
{
    const struct vr_room *room = find_room(id);
    *count = 0;
    if (room == NULL)
        return false;
    LIST_EACH(it, &room->participants) {
        const struct vr_participant *p = CONTAINER_OF(it, struct vr_participant, of_room);
        if (p->started && p->stream_count > 0 && p->id.number != but && *count < INSIDE_PUBLISHERS_MAX)
            ids[(*count)++] = p->id.number;
    }
    return true;
}

static void io_quiet(void)
{
    const struct io *io = server_owner(ACTOR_IO);
    sim_expect_none("clients of io", io->slots.count);
    sim_expect_none("bytes queued by io", io->clients.queued_bytes);
    sim_expect_none("bytes of partial messages", io->clients.partial_bytes);
    if (io->clients.counters.stray_credits != 0)
        sim_fail("credit", "io got %llu credits that nobody held", (unsigned long long)io->clients.counters.stray_credits);
}

void inside_control_quiet(void)
{
    const struct control *c = server_owner(ACTOR_CONTROL);
    const struct pool *const pools[] = {&c->callers, &c->sessions, &c->handles, &c->pcs, &c->sources, &c->sinks};
    for (size_t i = 0; i < ARRAY_COUNT(pools); i++)
        sim_expect_none(pools[i]->name, pools[i]->used);
    for (uint32_t i = 0; i < c->host_count; i++)
        sim_expect_none(c->hosts[i].desc->package, c->hosts[i].states.used);
    if (c->counters.malformed_messages != 0)
        sim_fail("message", "control got %llu malformed messages", (unsigned long long)c->counters.malformed_messages);
    io_quiet();
}
