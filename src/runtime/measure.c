/* An actor tells what it has counted: its own counters, then its owner's. On its own thread, in a turn of its own: nothing is shared. */
#include "base/mem.h"
#include "base/metrics.h"
#include "runtime/actor_impl.h"

static void fill_rings(struct actor *self, struct metrics *out)
{
    uint32_t messages = 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < self->set->count; i++) {
        const actor_id from = self->set->ids[i];
        const uint32_t used = ring_used(self->in[from]);
        const uint64_t held = self->lanes_in[from] == NULL ? 0 : lane_used(self->lanes_in[from]);
        messages = used > messages ? used : messages;
        bytes = held > bytes ? held : bytes;
    }
    metrics_add(out, METRIC_ACTOR_RING, NULL, NULL, messages);
    metrics_add(out, METRIC_ACTOR_RING_SIZE, NULL, NULL, RING_CELLS);
    metrics_add(out, METRIC_ACTOR_LANE, NULL, NULL, bytes);
}

static void fill_counters(const struct actor_counters *c, struct metrics *out)
{
    metrics_add_times(out, METRIC_ACTOR_TURN, NULL, NULL, &c->turn_us);
    metrics_add(out, METRIC_ACTOR_MESSAGES, NULL, NULL, c->messages);
    metrics_add(out, METRIC_ACTOR_SPILLED, NULL, NULL, c->spilled);
    metrics_add(out, METRIC_ACTOR_SPILL_NOW, NULL, NULL, c->spill_now);
    metrics_add(out, METRIC_ACTOR_RELAY_DROPPED, NULL, NULL, c->relay_dropped);
    metrics_add(out, METRIC_ACTOR_TO_NOBODY, NULL, NULL, c->sent_to_nobody);
    metrics_add(out, METRIC_ACTOR_WAKES, NULL, NULL, c->wakes);
    metrics_add(out, METRIC_ACTOR_LONG, NULL, NULL, c->long_turns);
}

void measure_answer(struct actor *self, const struct message *question)
{
    struct metrics *out = mem_get_zero(sizeof(*out));
    fill_counters(&self->counters, out);
    fill_rings(self, out);
    if (self->ops->measure != NULL)
        self->ops->measure(self->owner, self->now, out);
    actor_send_block(self, question->from, ACTOR_MEASURED, question->op, out, sizeof(*out));
}

void actor_ask_measure(struct actor *self, actor_id to, struct ref op)
{
    actor_send_op(self, to, ACTOR_MEASURE, op, NULL, 0);
}
