/* Sending and receiving: rings, what spills over them, lanes, and the bells rung at the end of a turn. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "runtime/actor_impl.h"
#include "runtime/clock.h"

void mailbox_init(struct actor *self)
{
    for (uint32_t to = 0; to < ACTOR_LIMIT; to++)
        list_init(&self->out[to].spilled);
}

static void drop_cell(struct ring_cell *cell)
{
    if (cell->flags & CELL_BLOCK)
        mem_put(cell->block);
}

static void drop_spill(struct actor *self, struct outbox *out)
{
    for (struct list *node; (node = list_pop(&out->spilled)) != NULL;) {
        struct spill *spill = CONTAINER_OF(node, struct spill, node);
        drop_cell(&spill->cell);
        mem_put(spill);
        self->counters.spill_now--;
        self->counters.sent_to_nobody++;
    }
}

void mailbox_fini(struct actor *self)
{
    for (uint32_t to = 0; to < ACTOR_LIMIT; to++)
        drop_spill(self, &self->out[to]);
}

/* ---- sending */

static void spill_cell(struct actor *self, struct outbox *out, const struct ring_cell *cell)
{
    struct spill *spill = mem_get(sizeof(*spill));
    spill->cell = *cell;
    list_init(&spill->node);
    list_add_tail(&out->spilled, &spill->node);
    self->counters.spilled++;
    self->counters.spill_now++;
    if (self->counters.spill_now > self->counters.spill_max)
        self->counters.spill_max = self->counters.spill_now;
}

static void send_cell(struct actor *self, actor_id to, struct ring_cell *cell)
{
    CHECK_OWNER(self);
    CHECK(self->set->wired);
    struct outbox *out = to < ACTOR_LIMIT ? &self->out[to] : NULL;
    if (out == NULL || out->ring == NULL || atomic_load_explicit(out->gone, memory_order_relaxed)) {
        drop_cell(cell);
        self->counters.sent_to_nobody++;
        return;
    }
    cell->from = self->id;
    if (!list_is_empty(&out->spilled) || !ring_push(out->ring, cell))
        spill_cell(self, out, cell);
    out->dirty = true;
}

void actor_send_block(struct actor *self, actor_id to, uint16_t type, struct ref op, void *block, size_t size)
{
    CHECK(size <= UINT32_MAX);
    struct ring_cell cell = {.type = type, .flags = CELL_BLOCK, .size = (uint32_t)size, .op = op};
    cell.block = block;
    send_cell(self, to, &cell);
}

void actor_send_parts(struct actor *self, actor_id to, uint16_t type, struct ref op, struct view head, struct view tail)
{
    size_t size = head.size + tail.size;
    CHECK(size <= UINT32_MAX);
    struct ring_cell cell = {.type = type, .size = (uint32_t)size, .op = op};
    uint8_t *bytes = cell.bytes;
    if (size > MESSAGE_INLINE_MAX) {
        cell.flags = CELL_BLOCK;
        cell.block = bytes = mem_get(size);
    }
    if (head.size > 0)
        memcpy(bytes, head.data, head.size);
    if (tail.size > 0)
        memcpy(bytes + head.size, tail.data, tail.size);
    send_cell(self, to, &cell);
}

void actor_send_op(struct actor *self, actor_id to, uint16_t type, struct ref op, const void *payload, size_t size)
{
    actor_send_parts(self, to, type, op, VIEW(payload, size), VIEW(NULL, 0));
}

void actor_send(struct actor *self, actor_id to, uint16_t type, const void *payload, size_t size)
{
    actor_send_op(self, to, type, REF_NONE, payload, size);
}

void actor_ask_stop(struct actor *self, actor_id to)
{
    actor_send(self, to, ACTOR_STOP, NULL, 0);
}

bool relay_push(struct actor *self, actor_id to, struct view head, struct view body)
{
    CHECK(to < ACTOR_LIMIT);
    struct outbox *out = &self->out[to];
    if (out->lane == NULL || !lane_push(out->lane, head, body)) {
        self->counters.relay_dropped++;
        return false;
    }
    out->dirty = true;
    return true;
}

static bool flush_outbox(struct actor *self, struct outbox *out)
{
    if (list_is_empty(&out->spilled))
        return false;
    if (atomic_load_explicit(out->gone, memory_order_relaxed)) {
        drop_spill(self, out);
        return false;
    }
    out->dirty = true;
    while (!list_is_empty(&out->spilled)) {
        struct spill *spill = CONTAINER_OF(out->spilled.next, struct spill, node);
        if (!ring_push(out->ring, &spill->cell))
            return true;
        list_del(&spill->node);
        mem_put(spill);
        self->counters.spill_now--;
    }
    return false;
}

bool mailbox_flush_spill(struct actor *self)
{
    if (self->counters.spill_now == 0)
        return false;
    bool left = false;
    for (uint32_t i = 0; i < self->set->count; i++)
        left = flush_outbox(self, &self->out[self->set->ids[i]]) || left;
    return left;
}

void mailbox_ring_bells(struct actor *self)
{
    bool fenced = false;
    for (uint32_t i = 0; i < self->set->count; i++) {
        struct outbox *out = &self->out[self->set->ids[i]];
        if (!out->dirty || out->bell == NULL)
            continue;
        out->dirty = false;
        if (!fenced)
            doorbell_fence();
        fenced = true;
        if (doorbell_ring(out->bell))
            self->counters.wakes++;
    }
}

void actor_flush(struct actor *self)
{
    mailbox_flush_spill(self);
    mailbox_ring_bells(self);
}

/* ---- receiving */

bool mailbox_has_messages(struct actor *self)
{
    for (uint32_t i = 0; i < self->set->count; i++)
        if (ring_peek(self->in[self->set->ids[i]]) != NULL)
            return true;
    return false;
}

bool mailbox_has_records(struct actor *self)
{
    for (uint32_t i = 0; i < self->set->count; i++) {
        struct lane *lane = self->lanes_in[self->set->ids[i]];
        if (lane != NULL && !lane_is_empty(lane))
            return true;
    }
    return false;
}

void *message_take(const struct message *m)
{
    if (m->block != NULL) {
        void *block = *m->block;
        CHECK(block != NULL);           /* taken once only */
        *m->block = NULL;
        return block;
    }
    void *copy = mem_get(m->size);
    if (m->size > 0)
        memcpy(copy, m->payload, m->size);
    return copy;
}

static void on_stop_asked(struct actor *self)
{
    if (self->stop_asked)
        return;
    self->stop_asked = true;
    for (uint32_t i = 0; i < self->set->count; i++) {
        actor_id from = self->set->ids[i];
        self->stop_marks[from] = ring_mark(self->in[from]);
        if (self->lanes_in[from] != NULL)
            self->stop_lane_marks[from] = lane_mark(self->lanes_in[from]);
    }
}

bool mailbox_is_past_stop(struct actor *self)
{
    for (uint32_t i = 0; i < self->set->count; i++) {
        actor_id from = self->set->ids[i];
        if (!ring_is_past(self->in[from], self->stop_marks[from]))
            return false;
        if (self->lanes_in[from] != NULL && !lane_is_past(self->lanes_in[from], self->stop_lane_marks[from]))
            return false;
    }
    return true;
}

static void deliver(struct actor *self, struct ring_cell *cell)
{
    void *block = cell->flags & CELL_BLOCK ? cell->block : NULL;
    struct message m = {
        .from = cell->from,
        .type = cell->type,
        .op = cell->op,
        .payload = block != NULL ? block : cell->size > 0 ? cell->bytes : NULL,
        .size = cell->size,
        .block = block != NULL ? &block : NULL,
    };
    atomic_store_explicit(&self->last_type, cell->type, memory_order_relaxed);
    self->counters.messages++;
    if (cell->type == ACTOR_STOP)
        on_stop_asked(self);
    else if (cell->type == ACTOR_MEASURE)
        measure_answer(self, &m);
    else if (self->ops->on_message != NULL)
        self->ops->on_message(self->owner, self->now, &m);
    mem_put(block);
}

/* One sender's messages, up to the bound. False: the turn's time is used up. */
static bool read_ring(struct actor *self, struct ring *ring, usec_t *clock)
{
    for (uint32_t n = 0; n < TURN_MESSAGES_MAX; n++) {
        struct ring_cell *cell = ring_peek(ring);
        if (cell == NULL)
            return true;
        uint16_t type = cell->type;
        deliver(self, cell);
        ring_pop(ring);
        usec_t after = clock_now();
        if (after - *clock > self->worst_message_us) {
            self->worst_message_us = after - *clock;
            self->worst_type = type;
        }
        *clock = after;
        if (after - self->now > TURN_BUDGET_US) {
            self->more = true;
            return false;
        }
    }
    self->more = true;
    return true;
}

void mailbox_read_messages(struct actor *self)
{
    usec_t clock = self->now;
    uint32_t count = self->set->count;
    uint32_t first = self->first_sender++ % count;
    for (uint32_t i = 0; i < count; i++) {
        actor_id from = self->set->ids[(first + i) % count];
        if (!read_ring(self, self->in[from], &clock))
            return;
    }
}

bool relay_pop(struct actor *self, actor_id from, struct view *record)
{
    struct lane *lane = self->lanes_in[from];
    if (lane == NULL)
        return false;
    if (lane->reading > 0)
        lane_pop(lane);                 /* the one before: it was in use until now */
    return lane_peek(lane, record);
}

static void read_lane(struct actor *self, actor_id from)
{
    struct view record;
    for (uint32_t n = 0; n < TURN_RECORDS_MAX; n++) {
        if (!relay_pop(self, from, &record))
            return;
        if (self->ops->on_relay != NULL)
            self->ops->on_relay(self->owner, self->now, from, record);
    }
    lane_pop(self->lanes_in[from]);
    self->more = true;
}

void mailbox_read_relay(struct actor *self)
{
    for (uint32_t i = 0; i < self->set->count; i++)
        if (self->lanes_in[self->set->ids[i]] != NULL)
            read_lane(self, self->set->ids[i]);
}
