#include "control/drain.h"

#include "base/mem.h"
#include "control/api_reply.h"
#include "control/session.h"
#include "msg/main.h"

#define TOLD_PER_TURN 256u              /* clients; a server may have a hundred thousand */

/* Sessions may end while others are still to be told: their ids are what is kept. */
void drain_begin(struct control *c, const struct drain_order *order)
{
    struct drain *drain = &c->drain;
    if (c->draining)
        return;
    LOG_INFO(c->actor, "Draining: no new sessions; %u sessions, %u handles", c->sessions_by_id.count, c->handles.used);
    c->draining = true;
    drain->seconds = order->seconds;
    drain->ids = mem_get((c->sessions_by_id.count + 1) * sizeof(*drain->ids));
    for (struct map_node *node = map_each(&c->sessions_by_id, NULL); node != NULL; node = map_each(&c->sessions_by_id, node))
        drain->ids[drain->count++] = CONTAINER_OF(node, struct session, by_id)->id;
}

static void tell(struct control *c, struct session *session)
{
    struct json_out j;
    if (!event_begin(c, &j, session, NULL, "draining", NULL))
        return;
    jout_int(&j, "seconds", c->drain.seconds);
    event_end(c, &j, session);
}

bool drain_has_work(const struct control *c)
{
    return c->drain.next < c->drain.count;
}

void drain_turn(struct control *c)
{
    struct drain *drain = &c->drain;
    for (uint32_t n = 0; n < TOLD_PER_TURN && drain->next < drain->count; n++) {
        struct session *session = session_find(c, drain->ids[drain->next++]);
        if (session != NULL)
            tell(c, session);
    }
    if (drain_has_work(c) || drain->over || c->sessions.used > 0)
        return;
    drain->over = true;
    actor_send(c->actor, ACTOR_MAIN, MAIN_DRAINED, NULL, 0);
}

void drain_fini(struct control *c)
{
    mem_put(c->drain.ids);
}
