/* control/out.h - the one way out: messages to io and to workers. Silent while the actor is being freed: its thread is gone,
 * and the others' too. */
#pragma once

#include "control/state.h"

void out_send(struct control *c, actor_id to, uint16_t type, const void *payload, size_t size);
void out_op(struct control *c, actor_id to, uint16_t type, struct ref op, const void *payload, size_t size);
/* Two parts become one payload. */
void out_parts(struct control *c, actor_id to, uint16_t type, struct view head, struct view tail);
/* `block` comes from mem_get, and is not the caller's any more. */
void out_block(struct control *c, actor_id to, uint16_t type, void *block, size_t size);
void out_op_block(struct control *c, actor_id to, uint16_t type, struct ref op, void *block, size_t size);
