#include "control/fake_actor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "runtime/log.h"

#define LONG_BLOCK (256u * 1024u)

static void drop(const struct fake_sent *sent)
{
    if (sent->taken)
        mem_put(sent->payload);
    else
        free(sent->payload);
}

struct actor *fake_actor_new(void)
{
    struct actor *actor = calloc(1, sizeof(*actor));
    actor->log_level = LOG_LEVEL_INFO;
    actor->wall_us = 1800000000u * UINT64_C(1000000);
    return actor;
}

void fake_forget(struct actor *actor)
{
    for (size_t i = 0; i < actor->count; i++)
        drop(&actor->sent[i]);
    actor->count = 0;
}

void fake_actor_free(struct actor *actor)
{
    fake_forget(actor);
    free(actor->sent);
    free(actor);
}

static void keep(struct actor *actor, actor_id to, uint16_t type, struct ref op, struct view head, struct view tail)
{
    if (actor->count == actor->room) {
        actor->room = actor->room == 0 ? 64 : actor->room * 2;
        actor->sent = realloc(actor->sent, actor->room * sizeof(*actor->sent));
    }
    struct fake_sent *sent = &actor->sent[actor->count++];
    *sent = (struct fake_sent){.to = to, .type = type, .size = head.size + tail.size, .op = op};
    sent->payload = malloc(sent->size + 1);     /* its own block, so a sanitizer sees whoever reads past it */
    if (head.size > 0)
        memcpy(sent->payload, head.data, head.size);
    if (tail.size > 0)
        memcpy((char *)sent->payload + head.size, tail.data, tail.size);
    ((char *)sent->payload)[sent->size] = '\0';
}

struct fake_sent *fake_peek(struct actor *actor, actor_id to)
{
    for (size_t i = 0; i < actor->count; i++)
        if (!actor->sent[i].read && actor->sent[i].to == to)
            return &actor->sent[i];
    return NULL;
}

const struct fake_sent *fake_next(struct actor *actor, actor_id to, uint16_t type)
{
    for (size_t i = 0; i < actor->count; i++) {
        struct fake_sent *sent = &actor->sent[i];
        if (sent->read || sent->to != to || sent->type != type)
            continue;
        sent->read = true;
        return sent;
    }
    return NULL;
}

/* -- runtime/actor.h ------------------------------------------------------------------------------------------------- */

void actor_send(struct actor *self, actor_id to, uint16_t type, const void *payload, size_t size)
{
    keep(self, to, type, REF_NONE, VIEW(payload, size), VIEW(NULL, 0));
}

void actor_send_parts(struct actor *self, actor_id to, uint16_t type, struct ref op, struct view head, struct view tail)
{
    keep(self, to, type, op, head, tail);
}

void actor_send_op(struct actor *self, actor_id to, uint16_t type, struct ref op, const void *payload, size_t size)
{
    keep(self, to, type, op, VIEW(payload, size), VIEW(NULL, 0));
}

void actor_send_block(struct actor *self, actor_id to, uint16_t type, struct ref op, void *block, size_t size)
{
    if (size >= LONG_BLOCK) {               /* kept as it is: a copy would be most of what a long answer costs */
        keep(self, to, type, op, VIEW(NULL, 0), VIEW(NULL, 0));
        struct fake_sent *sent = &self->sent[self->count - 1];
        free(sent->payload);
        sent->taken = true;
        sent->size = size;
        sent->payload = mem_resize(block, size + 1);
        ((char *)sent->payload)[size] = '\0';
        return;
    }
    keep(self, to, type, op, VIEW(block, size), VIEW(NULL, 0));
    mem_put(block);
}

void *message_take(const struct message *m)
{
    return memcpy(mem_get(m->size), m->payload, m->size);
}

void actor_stop(struct actor *self)
{
    self->stopped = true;
}

struct actor *actor_current(void)
{
    return NULL;
}

/* The set of one actor is the actor. */
struct actors *actor_set(const struct actor *self)
{
    return (struct actors *)(uintptr_t)self;
}

usec_t actor_turn_ended(const struct actor *self)
{
    return self->turn_ended;
}

uint64_t actor_wall_us(const struct actor *self)
{
    return self->wall_us;
}

/* -- runtime/log.h --------------------------------------------------------------------------------------------------- */

void log_set_level(struct actors *set, enum log_level level)
{
    ((struct actor *)set)->log_level = level;
}

enum log_level log_get_level(const struct actors *set)
{
    return ((const struct actor *)set)->log_level;
}

bool log_wanted(const struct actor *self, enum log_level level)
{
    (void)self;
    (void)level;
    return true;                /* so every line is formatted, and its arguments are seen by the sanitizers */
}

void log_write(struct actor *self, enum log_level level, const char *file, const char *function, int line, const char *format, ...)
{
    va_list args;
    (void)file;
    (void)function;
    (void)line;
    if (level <= LOG_LEVEL_WARN)
        self->warnings++;
    va_start(args, format);
    vsnprintf(self->last_log, sizeof(self->last_log), format, args);
    va_end(args);
}
