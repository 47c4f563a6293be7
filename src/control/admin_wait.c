#include "control/admin_wait.h"

#include "control/caller.h"

void admin_waits_init(struct control *c)
{
    pool_init(&c->admin_waits, "waiting admin requests", sizeof(struct admin_wait), ADMIN_WAITS_MAX);
    slots_init(&c->admin_wait_names, ADMIN_WAITS_MAX);
    timerq_init(&c->admin_wait_deadlines);
}

static void forget(struct control *c, struct admin_wait *wait)
{
    credit_put(c, wait->credit);
    json_decref(wait->request.root);
    pool_put(&c->admin_waits, wait);
}

/* The answer's name is void from here on. */
static void close(struct control *c, struct admin_wait *wait)
{
    timerq_stop(&c->admin_wait_deadlines, &wait->deadline);
    slots_del(&c->admin_wait_names, wait->ref);
    wait->ref = REF_NONE;
}

void admin_waits_fini(struct control *c)
{
    struct slots *names = &c->admin_wait_names;
    for (uint32_t at = slots_next(names, 0); at != UINT32_MAX; at = slots_next(names, at + 1)) {
        struct admin_wait *wait = names->table[at].object;
        close(c, wait);
        forget(c, wait);
    }
    timerq_fini(&c->admin_wait_deadlines);
    slots_fini(names);
    pool_fini(&c->admin_waits);
}

void admin_wait_again(struct control *c, struct admin_wait *wait, usec_t patience_us,
                      void (*done)(struct control *c, struct admin_wait *wait, const void *answer, size_t size))
{
    CHECK(ref_is_none(wait->ref));
    wait->done = done;
    wait->ref = slots_add(&c->admin_wait_names, wait);
    CHECK(!ref_is_none(wait->ref));             /* as many names as there are waits */
    timerq_set(&c->admin_wait_deadlines, &wait->deadline, c->now + patience_us);
}

struct admin_wait *admin_wait_begin(struct control *c, const struct api_request *request, usec_t patience_us,
                                    void (*done)(struct control *c, struct admin_wait *wait, const void *answer, size_t size))
{
    struct admin_wait *wait = pool_get(&c->admin_waits);
    if (wait == NULL) {
        c->counters.ops_refused++;
        reply_error(c, request, 490, "Too many requests are waiting");
        return NULL;
    }
    wait->request = *request;
    wait->request.session = NULL;
    wait->request.handle = NULL;
    json_incref(wait->request.root);
    wait->credit = credit_take(c, request->client);
    wait->begun_at = c->now;
    wait->ref = REF_NONE;
    admin_wait_again(c, wait, patience_us, done);
    c->counters.ops_begun++;
    return wait;
}

static void end(struct control *c, struct admin_wait *wait, const void *answer, size_t size)
{
    close(c, wait);
    wait->done(c, wait, answer, size);
    if (ref_is_none(wait->ref))
        forget(c, wait);
}

void admin_wait_answer(struct control *c, struct ref ref, const void *answer, size_t size)
{
    struct admin_wait *wait = slots_get(&c->admin_wait_names, ref);
    if (wait == NULL)
        c->counters.answers_stale++;
    else
        end(c, wait, answer, size);
}

void admin_waits_serve(struct control *c)
{
    for (struct timer *timer; (timer = timerq_pop(&c->admin_wait_deadlines, c->now)) != NULL;) {
        c->counters.ops_timed_out++;
        end(c, CONTAINER_OF(timer, struct admin_wait, deadline), NULL, 0);
    }
}
