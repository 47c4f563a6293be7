/* The operations of fake_host.h: begun by verbs, ended by the test. */
#include "fake_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err fake_begin_op(struct host *host, const struct plugin_request *request, void *data, struct fake_op **out)
{
    assert_ptr_equal(request, host->in_hand);               /* a verb is about the request that the plugin was called for */
    if (request->admin || request->jsep != NULL || (host->op_in_hand != NULL && (host->op_in_hand->open || host->op_in_hand->over)))
        return ERR_STATE;
    if (host->refuse_op != ERR_NONE || (host->op_in_hand == NULL && host->op_count == FAKE_OPS)) {
        enum err err = host->refuse_op != ERR_NONE ? host->refuse_op : ERR_FULL;
        host->refuse_op = ERR_NONE;
        return err;
    }
    if (host->op_in_hand == NULL) {
        host->op_in_hand = &host->ops[host->op_count++];
        *host->op_in_hand = (struct fake_op){.handle = request->handle.slot, .body = json_incref(request->body)};
        snprintf(host->op_in_hand->transaction, sizeof(host->op_in_hand->transaction), "%s", request->transaction);
    }
    host->op_in_hand->open = true;
    host->op_in_hand->data = data;
    *out = host->op_in_hand;
    return ERR_NONE;
}

static void forget_order(struct fake_op *op)
{
    free(op->path);
    free(op->bytes);
    op->path = op->bytes = NULL;
}

enum err host_file_save(struct host *host, const struct plugin_request *request, const char *path, struct view bytes, void *data)
{
    struct fake_op *op;
    if (request == NULL) {
        host->saves_unasked += host->refuse_op == ERR_NONE;
        snprintf(host->saved_unasked, sizeof(host->saved_unasked), "%.*s", (int)bytes.size, (const char *)bytes.data);
        return host->refuse_op;
    }
    enum err err = fake_begin_op(host, request, data, &op);
    if (err != ERR_NONE)
        return err;
    op->path = strdup(path);
    op->size = bytes.size;
    op->bytes = memcpy(calloc(1, bytes.size + 1), bytes.data, bytes.size);
    return ERR_NONE;
}

enum err host_yield(struct host *host, const struct plugin_request *request, void *data)
{
    struct fake_op *op;
    return fake_begin_op(host, request, data, &op);
}

struct conf_node *host_conf(struct host *host)
{
    return host->conf;
}

enum err host_conf_save(struct host *host, const struct plugin_request *request, void *data)
{
    struct buf text;
    char path[128];
    assert_non_null(host->conf);
    snprintf(path, sizeof(path), "/nonexistent/%s.jcfg", host->desc->package);
    buf_init(&text, CONF_TEXT_MAX);
    conf_write(host->conf, &text);
    enum err err = host_file_save(host, request, path, buf_view(&text), data);
    buf_fini(&text);
    return err;
}

const struct fake_op *fake_op(struct host *host)
{
    return host->op_count == 0 ? NULL : &host->ops[0];
}

void fake_take_outcome(struct host *host, enum plugin_outcome outcome)
{
    json_error_t error;
    struct fake_op *op = host->op_in_hand;
    json_decref(host->last.body);
    host->last = (struct fake_reply){.outcome = outcome};
    assert_true(outcome != PLUGIN_WAIT || (op != NULL && op->open));
    if (outcome == PLUGIN_ACK && op != NULL)
        op->acked = true;
    if (outcome == PLUGIN_SYNC || outcome == PLUGIN_ERROR)
        assert_true(op == NULL || (!op->open && !op->acked));   /* one direct reply for each request */
    if (outcome != PLUGIN_SYNC)
        return;
    host->last.body = json_loadb((const char *)host->reply.data, host->reply.size, 0, &error);
    if (host->last.body == NULL || !json_is_object(host->last.body))
        fail_msg("an answer that is no JSON object: %.*s", (int)host->reply.size, (const char *)host->reply.data);
}

static void end_op(struct host *host, struct fake_op *op, enum err status, const char *text)
{
    const struct plugin_request request = {.handle = host->handles[op->handle].ref, .transaction = op->transaction, .body = op->body};
    const struct plugin_answer answer = {.status = status, .data = op->data, .text = text, .addr = host->answer_addr};
    host->answer_addr = (struct net_addr){0};
    op->open = false;
    op->over = op->over || status == ERR_GONE || status == ERR_TIMEOUT;
    forget_order(op);
    buf_clear(&host->reply);
    host->in_hand = &request;
    host->op_in_hand = op;
    fake_take_outcome(host, host->desc->resume(host->plugin, host->handles[op->handle].state, &request, &answer));
    host->in_hand = NULL;
    host->op_in_hand = NULL;
    if (op->open)
        return;
    json_decref(op->body);
    memmove(op, op + 1, (size_t)(&host->ops[--host->op_count] - op) * sizeof(*op));
}

const struct fake_reply *fake_end_op(struct host *host, enum err status, const char *text)
{
    assert_true(host->op_count > 0);
    snprintf(host->last_transaction, sizeof(host->last_transaction), "%s", host->ops[0].transaction);
    end_op(host, &host->ops[0], status, text);
    return &host->last;
}

void fake_end_ops_of(struct host *host, uint32_t handle)
{
    for (uint32_t i = host->op_count; i-- > 0;)
        if (host->ops[i].handle == handle)
            end_op(host, &host->ops[i], ERR_GONE, NULL);
}
