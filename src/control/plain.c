#include "control/plain.h"

#include "control/graph.h"
#include "control/order.h"

struct ref plain_open(struct control *c, uint32_t worker, const struct plain_options *options, struct ref op)
{
    struct plain *plain = pool_get(&c->plains);
    if (plain == NULL) {
        c->counters.verbs_refused++;
        return REF_NONE;
    }
    plain->ref = slots_add(&c->plain_names, plain);
    CHECK(!ref_is_none(plain->ref));            /* the pool has the same limit */
    plain->worker = worker;
    order_plain_open(c, plain, options, op);
    return plain->ref;
}

void plain_close(struct control *c, struct ref ref)
{
    struct plain *plain = slots_get(&c->plain_names, ref);
    if (plain == NULL) {
        c->counters.verbs_stale += !ref_is_none(ref);
        return;
    }
    order_plain_close(c, plain);
    slots_del(&c->plain_names, ref);
    pool_put(&c->plains, plain);
}

struct ref forward_add(struct control *c, struct source *source, const struct forward_way *way, const struct forward_options *options)
{
    const struct plain *plain = slots_get(&c->plain_names, way->plain);
    struct forward *forward = plain == NULL || plain->worker != source_worker(source) ? NULL : pool_get(&c->forwards);
    if (forward == NULL) {
        c->counters.verbs_refused++;
        return REF_NONE;
    }
    forward->ref = slots_add(&c->forward_names, forward);
    CHECK(!ref_is_none(forward->ref));          /* the pool has the same limit */
    forward->source = source;
    list_add_tail(&source->forwards, &forward->in_source);
    order_forward_add(c, forward, way, options);
    return forward->ref;
}

static void end(struct control *c, struct forward *forward)
{
    order_forward_del(c, forward);
    list_del(&forward->in_source);
    slots_del(&c->forward_names, forward->ref);
    pool_put(&c->forwards, forward);
}

void forward_del(struct control *c, struct ref ref)
{
    struct forward *forward = slots_get(&c->forward_names, ref);
    if (forward != NULL)
        end(c, forward);
    else
        c->counters.verbs_stale += !ref_is_none(ref);
}

void forwards_end(struct control *c, struct source *source)
{
    LIST_EACH(it, &source->forwards)
        end(c, CONTAINER_OF(it, struct forward, in_source));
}
