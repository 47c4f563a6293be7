/* runtime/actor.h in virtual time. Who has the next turn follows from when something happened for it and from how long the
 * seed lets it wait; what one actor sends is seen by another after a delay of that pair's own, in order within the pair and
 * in no order across pairs, as design section 6 promises. */
#include "sim/actor.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "base/str.h"

#define RING_CELLS        1024u         /* as the runtime's */
#define TURN_MESSAGES_MAX 256u
#define TURN_RECORDS_MAX  256u
#define SPILL_RETRY_US    MSEC(1)
#define WAKE_US           40u           /* at most, from the cause to the turn */
#define TURN_US           20u           /* at most, a turn takes */
#define CROSS_US          60u           /* at most, until a message is seen */
#define PART_PPM          50000u        /* of the rings are read in part only */

/* ---- set-up ---- */

struct actors *actors_new(void)
{
    struct actors *set = mem_get_zero(sizeof(*set));
    set->log_level = LOG_LEVEL_INFO;
    return set;
}

struct actor *actor_new(struct actors *set, actor_id id, const char *name)
{
    CHECK(!set->wired);
    CHECK(id < ACTOR_LIMIT);
    CHECK(set->by_id[id] == NULL);
    struct actor *actor = mem_get_zero(sizeof(*actor));
    actor->set = set;
    actor->id = id;
    actor->wake_at = USEC_NEVER;
    CHECK(str_copy(actor->name, sizeof(actor->name), str_of(name)));
    set->by_id[id] = actor;
    set->ids[set->count++] = id;
    CHECK(sim->actor_count < ARRAY_COUNT(sim->actors));
    sim->actors[sim->actor_count++] = actor;
    return actor;
}

void actor_serve(struct actor *actor, const struct actor_ops *ops, void *owner)
{
    actor->ops = ops;
    actor->owner = owner;
}

void actors_lane(struct actors *set, actor_id from, actor_id to, size_t bytes)
{
    struct pipe *pipe = &actors_get(set, from)->out[to];
    pipe->lane_room = sim->faults.lane_bytes > 0 ? sim->faults.lane_bytes : bytes;
}

void actors_wire(struct actors *set)
{
    set->wired = true;
    for (uint32_t i = 0; i < set->count; i++)
        for (uint32_t k = 0; k < set->count; k++)
            set->by_id[set->ids[i]]->out[set->ids[k]].to = set->by_id[set->ids[k]];
}

static void drop_cells(struct cell **first)
{
    for (struct cell *cell; (cell = *first) != NULL;) {
        *first = cell->next;
        mem_put(cell->block);
        mem_put(cell);
    }
}

void actors_free(struct actors *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        struct actor *actor = set->by_id[set->ids[i]];
        for (uint32_t to = 0; to < ACTOR_LIMIT; to++) {
            drop_cells(&actor->out[to].cells.first);
            drop_cells(&actor->out[to].records.first);
        }
        mem_put(actor->reading);
        mem_put(actor->ready.fds);
    }
    for (uint32_t i = 0; i < set->count; i++)
        mem_put(set->by_id[set->ids[i]]);
    sim->actor_count = 0;
    mem_put(set);
}

/* ---- when ---- */

void actor_wake(struct actor *actor, usec_t cause)
{
    if (!actor->started || actor->gone)
        return;
    usec_t at = cause + sim_below(&sim->scheduler, WAKE_US);
    if (at < actor->busy_until)
        at = actor->busy_until;
    if (at < actor->wake_at)
        actor->wake_at = at;
}

void actor_block(usec_t us)
{
    if (sim->running != NULL)
        sim->running->blocked_us += us;
}

usec_t actors_next(struct actor **which)
{
    usec_t first = USEC_NEVER;
    for (uint32_t i = 0; i < sim->actor_count; i++)
        if (sim->actors[i]->wake_at < first) {
            first = sim->actors[i]->wake_at;
            *which = sim->actors[i];
        }
    return first;
}

static void plan_next(struct actor *self)
{
    usec_t busy = sim->now + 1 + sim_below(&sim->scheduler, TURN_US);
    if (sim_chance(&sim->scheduler, sim->faults.late_ppm))
        busy += sim_below(&sim->scheduler, sim->faults.late_us);
    busy += self->blocked_us;
    self->blocked_us = 0;
    self->busy_until = busy;
    self->wake_at = USEC_NEVER;
    if (self->gone)
        return;
    const usec_t due = self->ops->deadline == NULL ? USEC_NEVER : self->ops->deadline(self->owner);
    bool idle = due > sim->now;
    if (due != USEC_NEVER)
        actor_wake(self, due);
    for (uint32_t i = 0; i < self->set->count; i++) {
        const struct pipe *pipe = &self->set->by_id[self->set->ids[i]]->out[self->id];
        if (pipe->cells.first != NULL && pipe->cells.first->seen_at != USEC_NEVER)
            actor_wake(self, pipe->cells.first->seen_at);
        if (pipe->records.first != NULL && pipe->records.first->seen_at != USEC_NEVER)
            actor_wake(self, pipe->records.first->seen_at);
    }
    if (watch_any_ready(&self->ready))
        actor_wake(self, busy);
    self->idle_turns = idle || self->worked ? 0 : self->idle_turns + 1;
    if (self->idle_turns > IDLE_TURNS_MAX)
        sim_fail("spin", "%s has had %u turns in a row with a deadline that had passed and nothing to read", self->name, self->idle_turns);
}

/* ---- sending ---- */

static void put_cell(struct cells *cells, struct cell *cell)
{
    cell->seen_at = USEC_NEVER;
    cell->next = NULL;
    if (cells->first == NULL)
        cells->first = cell;
    else
        cells->last->next = cell;
    cells->last = cell;
    if (cells->unseen == NULL)
        cells->unseen = cell;
    cells->pushed++;
}

static struct cell *take_cell(struct cells *cells)
{
    struct cell *cell = cells->first;
    cells->first = cell->next;
    cells->popped++;
    return cell;
}

static void send_cell(struct actor *self, actor_id to, struct cell *cell)
{
    CHECK_OWNER(self);
    CHECK(self->set->wired);
    struct pipe *pipe = to < ACTOR_LIMIT ? &self->out[to] : NULL;
    self->work.sent++;
    if (pipe == NULL || pipe->to == NULL || pipe->to->gone) {
        mem_put(cell->block);
        mem_put(cell);
        self->counters.sent_to_nobody++;
        return;
    }
    cell->from = self->id;
    tap_message(self, to, cell);
    put_cell(&pipe->cells, cell);
}

static struct cell *new_cell(uint16_t type, struct ref op, size_t size)
{
    struct cell *cell = mem_get(sizeof(*cell));
    *cell = (struct cell){.type = type, .op = op, .size = size};
    return cell;
}

void actor_send_block(struct actor *self, actor_id to, uint16_t type, struct ref op, void *block, size_t size)
{
    struct cell *cell = new_cell(type, op, size);
    cell->block = block;
    send_cell(self, to, cell);
}

void actor_send_parts(struct actor *self, actor_id to, uint16_t type, struct ref op, struct view head, struct view tail)
{
    struct cell *cell = new_cell(type, op, head.size + tail.size);
    uint8_t *bytes = cell->bytes;
    if (cell->size > MESSAGE_INLINE_MAX)
        cell->block = bytes = mem_get(cell->size);
    if (head.size > 0)
        memcpy(bytes, head.data, head.size);
    if (tail.size > 0)
        memcpy(bytes + head.size, tail.data, tail.size);
    send_cell(self, to, cell);
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
    struct pipe *pipe = &self->out[to];
    const size_t size = head.size + body.size;
    CHECK(size <= RELAY_RECORD_MAX);
    if (pipe->to == NULL || pipe->to->gone || pipe->lane_used + size > pipe->lane_room) {
        self->counters.relay_dropped++;
        return false;
    }
    struct cell *cell = new_cell(0, REF_NONE, size);
    cell->from = self->id;
    cell->block = mem_get(size);
    memcpy(cell->block, head.data, head.size);
    if (body.size > 0)
        memcpy((uint8_t *)cell->block + head.size, body.data, body.size);
    put_cell(&pipe->records, cell);
    pipe->lane_used += size;
    return true;
}

/* Makes what waits visible, as far as the ring has room. True: some does not fit. */
static bool show(struct actor *self, struct pipe *pipe, struct cells *cells, uint64_t room, usec_t *last_seen)
{
    if (cells->unseen == NULL)
        return false;
    usec_t at = (self->busy_until > sim->now ? self->busy_until : sim->now) + sim_below(&sim->scheduler, CROSS_US);
    if (sim_chance(&sim->scheduler, sim->faults.cross_ppm))
        at += sim_below(&sim->scheduler, sim->faults.cross_us);
    if (at < *last_seen)
        at = *last_seen;
    bool shown = false;
    while (cells->unseen != NULL && cells->shown - cells->popped < room) {
        cells->unseen->seen_at = at;
        cells->unseen = cells->unseen->next;
        cells->shown++;
        shown = true;
    }
    if (shown) {
        *last_seen = at;
        actor_wake(pipe->to, at);
    }
    return cells->unseen != NULL;
}

void actor_flush(struct actor *self)
{
    const uint64_t cells = sim->faults.ring_cells > 0 ? sim->faults.ring_cells : RING_CELLS;
    const uint64_t room = self->gone ? UINT64_MAX : cells;      /* who stops goes on until all of it has left */
    self->counters.spill_now = 0;
    for (uint32_t i = 0; i < self->set->count; i++) {
        struct pipe *pipe = &self->out[self->set->ids[i]];
        if (show(self, pipe, &pipe->cells, room, &pipe->seen_at))
            self->counters.spill_now += pipe->cells.pushed - pipe->cells.shown;
        (void)show(self, pipe, &pipe->records, UINT64_MAX, &pipe->lane_seen_at);
    }
    self->counters.spilled += self->counters.spill_now;
    if (self->counters.spill_now > self->counters.spill_max)
        self->counters.spill_max = self->counters.spill_now;
    if (self->counters.spill_now > 0)
        actor_wake(self, self->busy_until + SPILL_RETRY_US);
}

/* ---- receiving ---- */

void *message_take(const struct message *m)
{
    if (m->block != NULL) {
        void *block = *m->block;
        CHECK(block != NULL);
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
        struct actor *from = self->set->by_id[self->set->ids[i]];
        self->stop_marks[from->id] = from->out[self->id].cells.shown;
        self->stop_lane_marks[from->id] = from->out[self->id].records.shown;
    }
}

static bool is_past_stop(const struct actor *self)
{
    for (uint32_t i = 0; i < self->set->count; i++) {
        const struct actor *from = self->set->by_id[self->set->ids[i]];
        if (from->out[self->id].cells.popped < self->stop_marks[from->id] || from->out[self->id].records.popped < self->stop_lane_marks[from->id])
            return false;
    }
    return true;
}

static void answer_measure(struct actor *self, const struct cell *question)
{
    struct metrics *out = mem_get_zero(sizeof(*out));
    metrics_add(out, METRIC_ACTOR_MESSAGES, NULL, NULL, self->counters.messages);
    if (self->ops->measure != NULL)
        self->ops->measure(self->owner, self->now, out);
    actor_send_block(self, question->from, ACTOR_MEASURED, question->op, out, sizeof(*out));
}

void actor_ask_measure(struct actor *self, actor_id to, struct ref op)
{
    actor_send_op(self, to, ACTOR_MEASURE, op, NULL, 0);
}

static void deliver(struct actor *self, struct cell *cell)
{
    struct message m = {
        .from = cell->from,
        .type = cell->type,
        .op = cell->op,
        .payload = cell->block != NULL ? cell->block : cell->size > 0 ? cell->bytes : NULL,
        .size = cell->size,
        .block = cell->block != NULL ? &cell->block : NULL,
    };
    self->counters.messages++;
    self->work.handled++;
    if (cell->type == ACTOR_STOP)
        on_stop_asked(self);
    else if (cell->type == ACTOR_MEASURE)
        answer_measure(self, cell);
    else if (self->ops->on_message != NULL)
        self->ops->on_message(self->owner, self->now, &m);
    mem_put(cell->block);
    mem_put(cell);
}

static void read_messages(struct actor *self)
{
    const uint32_t count = self->set->count;
    const uint32_t first = (uint32_t)sim_below(&sim->scheduler, count);
    for (uint32_t i = 0; i < count; i++) {
        struct cells *cells = &self->set->by_id[self->set->ids[(first + i) % count]]->out[self->id].cells;
        uint64_t limit = TURN_MESSAGES_MAX;
        if (cells->first != NULL && sim_chance(&sim->scheduler, PART_PPM))
            limit = 1 + sim_below(&sim->scheduler, 4);
        for (; limit > 0 && cells->first != NULL && cells->first->seen_at <= self->now; limit--)
            deliver(self, take_cell(cells));
    }
}

bool relay_pop(struct actor *self, actor_id from, struct view *record)
{
    struct pipe *pipe = &actors_get(self->set, from)->out[self->id];
    mem_put(self->reading);
    self->reading = NULL;
    if (pipe->records.first == NULL || pipe->records.first->seen_at > self->now)
        return false;
    struct cell *cell = take_cell(&pipe->records);
    pipe->lane_used -= cell->size;
    self->reading = cell->block;
    *record = VIEW(cell->block, cell->size);
    mem_put(cell);
    return true;
}

static void read_relay(struct actor *self)
{
    struct view record;
    for (uint32_t i = 0; i < self->set->count; i++) {
        const actor_id from = self->set->ids[i];
        if (self->set->by_id[from]->out[self->id].lane_room == 0)
            continue;
        for (uint32_t n = 0; n < TURN_RECORDS_MAX && relay_pop(self, from, &record); n++) {
            self->work.handled++;
            if (self->ops->on_relay != NULL)
                self->ops->on_relay(self->owner, self->now, from, record);
        }
    }
    mem_put(self->reading);
    self->reading = NULL;
}

static void read_descriptors(struct actor *self)
{
    struct watch_ready ready[WATCH_READY_MAX];
    const uint32_t count = watch_collect(&self->ready, ready);
    for (uint32_t i = 0; i < count; i++) {
        self->work.handled++;
        if (self->ops->on_ready != NULL)
            self->ops->on_ready(self->owner, self->now, ready[i].token, ready[i].events);
    }
}

static void handle_stop(struct actor *self)
{
    if (!self->stop_asked || self->stop_told || !is_past_stop(self))
        return;
    self->stop_told = true;
    if (self->ops->on_stop != NULL)
        self->ops->on_stop(self->owner, self->now);
    else
        actor_stop(self);
}

void actor_stop(struct actor *self)
{
    CHECK_OWNER(self);
    self->stopping = true;
}

/* Counted, not timed: what a turn does is bounded whatever clients do (design section 6). */
static void check_work(struct actor *self, uint64_t memory_before)
{
    const uint64_t taken = sim->memory_taken - memory_before;
    if (self->work.handled > self->most.handled)
        self->most.handled = self->work.handled;
    if (self->work.sent > self->most.sent)
        self->most.sent = self->work.sent;
    if (taken > self->most.taken)
        self->most.taken = taken;
    if (self->work.sent > TURN_SENT_MAX || taken > TURN_TAKEN_MAX)
        sim_fail("turn", "a turn of %s handled %llu things, sent %llu messages and took memory %llu times", self->name,
                 (unsigned long long)self->work.handled, (unsigned long long)self->work.sent, (unsigned long long)taken);
}

void actors_turn(struct actor *self)
{
    const uint64_t memory_before = sim->memory_taken;
    self->now = sim->now;
    self->work = (struct actor_work){0};
    sim->running = self;
    sim->in_server = self->id != ACTOR_MAIN;
    if (!self->begun) {
        self->begun = true;
        if (self->ops->on_start != NULL)
            self->ops->on_start(self->owner, self->now);
    } else {
        read_messages(self);
        read_relay(self);
        read_descriptors(self);
        self->worked = self->work.handled > 0;
        if (self->ops->on_turn != NULL)
            self->ops->on_turn(self->owner, self->now);
        handle_stop(self);
    }
    self->counters.turns++;
    if (self->stopping) {
        if (self->id != ACTOR_MAIN)
            actor_send(self, ACTOR_MAIN, ACTOR_STOPPED, NULL, 0);
        self->gone = true;
    }
    plan_next(self);
    actor_flush(self);
    check_work(self, memory_before);
    sim->in_server = false;
    sim->running = NULL;
}

bool actor_start(struct actor *actor)
{
    actor->started = true;
    actor_wake(actor, sim->now);
    return true;
}

void actor_run(struct actor *actor)
{
    (void)actor;
    CHECK(!"the simulator runs them all");
}

void actor_join(struct actor *actor)
{
    CHECK(!actor->started || actor->gone);
    actor->started = false;
}

/* ---- who and how ---- */

struct actor *actors_get(struct actors *set, actor_id id)
{
    return id < ACTOR_LIMIT ? set->by_id[id] : NULL;
}

actor_id actor_self(const struct actor *self)
{
    return self->id;
}

const char *actor_name(const struct actor *self)
{
    return self->name;
}

struct actors *actor_set(const struct actor *self)
{
    return self->set;
}

struct actor *actor_current(void)
{
    return sim->running;
}

usec_t actor_now(const struct actor *self)
{
    return self->now;
}

usec_t actor_turn_ended(const struct actor *self)
{
    return self->busy_until;
}

uint64_t actor_wall_us(const struct actor *self)
{
    (void)self;
    return sim_wall_us();
}

const struct actor_counters *actor_counters(const struct actor *self)
{
    return &self->counters;
}

struct actor_pulse actor_pulse(const struct actor *actor)
{
    return (struct actor_pulse){.beat = actor->counters.turns * 2, .running = actor->started && !actor->gone};
}

/* ---- runtime/log.h ---- */

bool log_wanted(const struct actor *self, enum log_level level)
{
    return self == NULL || level <= self->set->log_level;
}

void log_set_level(struct actors *set, enum log_level level)
{
    set->log_level = level;
}

enum log_level log_get_level(const struct actors *set)
{
    return set->log_level;
}

uint64_t log_dropped(const struct actors *set)
{
    (void)set;
    return 0;
}

void log_write(struct actor *self, enum log_level level, const char *file, const char *function, int line, const char *format, ...)
{
    char text[LOG_LINE_MAX + 1];
    va_list args;
    (void)file;
    (void)level;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sim_say("%s: %s:%d: %s", self == NULL ? "-" : self->name, function, line, text);
}
