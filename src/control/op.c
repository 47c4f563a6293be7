#include "control/op.h"

#include "control/caller.h"
#include "control/handle.h"

void ops_init(struct control *c)
{
    pool_init(&c->ops, "waiting requests", sizeof(struct op), OPS_MAX);
    slots_init(&c->op_names, OPS_MAX);
    timerq_init(&c->op_deadlines);
    list_init(&c->resuming);
    list_init(&c->yielding);
}

void ops_fini(struct control *c)
{
    CHECK(c->op_names.count == 0);
    timerq_fini(&c->op_deadlines);
    slots_fini(&c->op_names);
    pool_fini(&c->ops);
}

/* -- requests that are kept ------------------------------------------------------------------------------------------------ */

static struct op *keep(struct control *c, const struct api_request *request, struct list *where)
{
    struct handle *handle = request->handle;
    struct caller *caller = handle->op_count < OPS_PER_HANDLE_MAX ? caller_get(c, request->client, request->layout) : NULL;
    struct op *op = caller == NULL ? NULL : pool_get(&c->ops);
    if (op == NULL) {
        c->counters.ops_refused++;
        if (caller != NULL)
            caller_settle(c, caller);
        return NULL;
    }
    op->request = *request;
    list_init(&op->yielding);
    json_incref(op->request.root);
    op->credit = credit_take(c, request->client);
    list_add_tail(where, &op->in_handle);
    list_add_tail(&caller->parked, &op->in_caller);
    handle->op_count++;
    return op;
}

/* Lists it for ops_serve exactly when the first that waits may be served. */
static void go_on(struct control *c, struct handle *handle)
{
    list_del(&handle->resuming);
    if (handle->ordered == NULL && !list_is_empty(&handle->ops_waiting))
        list_add_tail(&c->resuming, &handle->resuming);
}

/* It has been answered, or never will be. The caller is not settled: it may be the one that goes. */
static void forget(struct control *c, struct op *op)
{
    struct handle *handle = op->request.handle;
    CHECK(!op->open);
    list_del(&op->in_handle);
    list_del(&op->in_caller);
    handle->op_count--;
    if (handle->ordered == op)
        handle->ordered = NULL;
    go_on(c, handle);
    credit_put(c, op->credit);
    json_decref(op->request.root);
    pool_put(&c->ops, op);
}

static void finish(struct control *c, struct op *op)
{
    struct ref client = op->request.client;
    forget(c, op);
    struct caller *caller = caller_find(c, client);
    if (caller != NULL)
        caller_settle(c, caller);
}

/* -- operations --------------------------------------------------------------------------------------------------------------- */

static bool may_overtake(const struct api_request *request)
{
    const struct handle *handle = request->handle;
    const struct plugin_desc *desc = handle->host->desc;
    return desc->may_overtake != NULL && json_object_get(request->root, "jsep") == NULL &&
           desc->may_overtake(handle->host->plugin, handle->state, json_object_get(request->root, "body"));
}

static void open_op(struct control *c, struct op *op, struct ref ref, void *data)
{
    struct handle *handle = op->request.handle;
    op->ref = ref;
    op->data = data;
    op->open = true;
    if (op->give_up_at == 0) {
        op->give_up_at = c->now + OP_TIME_US;
        list_del(&op->in_handle);
        list_add_tail(&handle->ops_open, &op->in_handle);
        if (!may_overtake(&op->request))
            handle->ordered = op;
    }
    timerq_set(&c->op_deadlines, &op->deadline, op->give_up_at);
    c->counters.ops_begun++;
}

enum err op_begin(struct control *c, const struct handle *handle, void *data, struct ref *out)
{
    struct op *op = c->op_in_hand;
    const struct api_request *request = c->in_hand;
    if (request == NULL || request->handle != handle || json_object_get(request->root, "jsep") != NULL)
        return ERR_STATE;
    if (op != NULL && (op->open || op->over))
        return ERR_STATE;
    if (op == NULL)
        op = keep(c, request, &request->handle->ops_open);
    if (op == NULL)
        return ERR_FULL;
    *out = slots_add(&c->op_names, op);
    CHECK(!ref_is_none(*out));          /* as many names as there are ops */
    c->op_in_hand = op;
    open_op(c, op, *out, data);
    return ERR_NONE;
}

enum err op_begin_yield(struct control *c, const struct handle *handle, void *data)
{
    struct ref ref;
    enum err err = op_begin(c, handle, data, &ref);
    if (err == ERR_NONE)
        list_add_tail(&c->yielding, &c->op_in_hand->yielding);
    return err;
}

/* The answer's name is void from here on. */
static void resume(struct control *c, struct op *op, struct plugin_answer *answer)
{
    answer->data = op->data;
    slots_del(&c->op_names, op->ref);
    list_del(&op->yielding);
    timerq_stop(&c->op_deadlines, &op->deadline);
    op->open = false;
    op->over = op->over || answer->status == ERR_GONE || answer->status == ERR_TIMEOUT;
    c->op_in_hand = op;
    handle_resume(c, &op->request, answer);
    c->op_in_hand = NULL;
}

void op_answer(struct control *c, struct ref ref, struct plugin_answer *answer)
{
    struct op *op = slots_get(&c->op_names, ref);
    if (op == NULL) {
        c->counters.answers_stale++;
        return;
    }
    resume(c, op, answer);
    if (!op->open)
        finish(c, op);
}

bool op_take_outcome(struct control *c, enum plugin_outcome outcome)
{
    struct op *op = c->op_in_hand;
    bool open = op != NULL && op->open, acked = op != NULL && op->acked;
    switch (outcome) {
    case PLUGIN_WAIT:
        CHECK(open);
        break;
    case PLUGIN_ACK:
        if (op != NULL)
            op->acked = true;
        break;
    case PLUGIN_SYNC:
    case PLUGIN_ERROR:
        CHECK(!open);
        CHECK(!acked);                  /* one direct reply for each request */
        break;
    }
    return !acked;
}

/* -- order per handle ----------------------------------------------------------------------------------------------------------- */

bool op_must_wait(const struct api_request *request)
{
    const struct handle *handle = request->handle;
    return (handle->ordered != NULL || !list_is_empty(&handle->ops_waiting)) && !may_overtake(request);
}

void op_queue(struct control *c, const struct api_request *request)
{
    if (keep(c, request, &request->handle->ops_waiting) == NULL)
        reply_error(c, request, 490, "Too many requests are waiting on this handle");
    else
        c->counters.requests_queued++;
}

/* The first that waits, as if it had come now. */
static void serve_next(struct control *c, struct handle *handle)
{
    struct op *op = CONTAINER_OF(handle->ops_waiting.next, struct op, in_handle);
    c->op_in_hand = op;
    handle_serve(c, &op->request);
    c->op_in_hand = NULL;
    if (op->open)
        go_on(c, handle);               /* one that lets others overtake */
    else
        finish(c, op);
}

void ops_serve(struct control *c)
{
    struct plugin_answer late = {.status = ERR_TIMEOUT};
    for (uint32_t n = 0; n < OPS_TIMED_OUT_PER_TURN && timerq_next(&c->op_deadlines) <= c->now; n++) {
        struct op *op = CONTAINER_OF(timerq_pop(&c->op_deadlines, c->now), struct op, deadline);
        c->counters.ops_timed_out++;
        op_answer(c, op->ref, &late);
    }
    if (!list_is_empty(&c->yielding)) {
        struct plugin_answer on = {.status = ERR_NONE};
        op_answer(c, CONTAINER_OF(c->yielding.next, struct op, yielding)->ref, &on);
    }
    while (c->documents_left > 0 && !list_is_empty(&c->resuming)) {
        c->documents_left--;
        serve_next(c, CONTAINER_OF(list_pop(&c->resuming), struct handle, resuming));
    }
}

/* -- what ends them ---------------------------------------------------------------------------------------------------------------- */

static void cut_short(struct control *c, struct op *op)
{
    struct plugin_answer gone = {.status = ERR_GONE};
    c->counters.ops_cut_short++;
    resume(c, op, &gone);
}

void ops_end_of_handle(struct control *c, struct handle *handle)
{
    while (!list_is_empty(&handle->ops_open)) {
        struct op *op = CONTAINER_OF(handle->ops_open.next, struct op, in_handle);
        cut_short(c, op);
        finish(c, op);
    }
    while (!list_is_empty(&handle->ops_waiting)) {
        struct op *op = CONTAINER_OF(handle->ops_waiting.next, struct op, in_handle);
        reply_error(c, &op->request, 459, "The handle was detached before this request was served");
        finish(c, op);
    }
}

void ops_end_of_client(struct control *c, struct caller *caller)
{
    while (!list_is_empty(&caller->parked)) {
        struct op *op = CONTAINER_OF(caller->parked.next, struct op, in_caller);
        if (op->open)
            cut_short(c, op);
        else
            c->counters.documents_dropped++;
        forget(c, op);
    }
}
