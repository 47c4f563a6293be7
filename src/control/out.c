#include "control/out.h"

#include "base/mem.h"

void out_send(struct control *c, actor_id to, uint16_t type, const void *payload, size_t size)
{
    if (!c->freeing)
        actor_send(c->actor, to, type, payload, size);
}

void out_op(struct control *c, actor_id to, uint16_t type, struct ref op, const void *payload, size_t size)
{
    if (!c->freeing)
        actor_send_op(c->actor, to, type, op, payload, size);
}

void out_parts(struct control *c, actor_id to, uint16_t type, struct view head, struct view tail)
{
    if (!c->freeing)
        actor_send_parts(c->actor, to, type, REF_NONE, head, tail);
}

void out_block(struct control *c, actor_id to, uint16_t type, void *block, size_t size)
{
    out_op_block(c, to, type, REF_NONE, block, size);
}

void out_op_block(struct control *c, actor_id to, uint16_t type, struct ref op, void *block, size_t size)
{
    if (c->freeing)
        mem_put(block);
    else
        actor_send_block(c->actor, to, type, op, block, size);
}
