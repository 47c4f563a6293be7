/* The Admin API's requests about the server as a whole: its settings, and messages to its modules (admin-api.md 3). */
#include "base/json_splice.h"
#include "control/admin.h"
#include "control/host.h"
#include "control/out.h"
#include "control/session.h"
#include "msg/log.h"
#include "msg/worker.h"

#define NACK_QUEUE_MAX_MS 1000u         /* admin-api.md 3.1 */

static bool bool_of(const struct api_request *request, const char *key)
{
    return json_is_true(json_object_get(request->root, key));
}

static void reply_int(struct control *c, const struct api_request *request, const char *key, int64_t value)
{
    struct json_out j;
    reply_begin(c, &j, request, "success");
    jout_int(&j, key, value);
    reply_end(c, &j, request);
}

static void reply_bool(struct control *c, const struct api_request *request, const char *key, bool value)
{
    struct json_out j;
    reply_begin(c, &j, request, "success");
    jout_bool(&j, key, value);
    reply_end(c, &j, request);
}

static void run_get_status(struct control *c, struct api_request *request)
{
    const struct settings *settings = c->settings;
    const struct adjustable *now = &c->adjustable;
    struct json_out j;
    reply_begin(c, &j, request, "success");
    jout_object(&j, "status");
    jout_bool(&j, "token_auth", settings->token_auth);
    jout_int(&j, "session_timeout", now->session_timeout_s);
    jout_int(&j, "reclaim_session_timeout", settings->reclaim_session_timeout_s);
    jout_int(&j, "candidates_timeout", settings->candidates_timeout_s);
    jout_int(&j, "log_level", (int)log_get_level(actor_set(c->actor)));
    jout_bool(&j, "log_timestamps", now->log_timestamps);
    jout_bool(&j, "log_colors", now->log_colors);
    jout_int(&j, "log_rotate_sig", settings->log_rotate_signal);
    jout_bool(&j, "locking_debug", now->locking_debug);
    jout_bool(&j, "refcount_debug", now->refcount_debug);
    jout_int(&j, "min_nack_queue", now->min_nack_queue_ms);
    jout_bool(&j, "nack-optimizations", now->nack_optimizations);
    jout_int(&j, "no_media_timer", now->no_media_timer_s);
    jout_int(&j, "slowlink_threshold", now->slowlink_threshold);
    jout_end(&j);
    reply_end(c, &j, request);
}

/* The reference keeps such numbers in 32 bits; more seconds than these are no different from never. */
static uint32_t seconds_of(const struct api_request *request, const char *key)
{
    const int64_t value = element_integer(request->root, key);
    return value > INT32_MAX ? INT32_MAX : (uint32_t)value;
}

static void run_set_session_timeout(struct control *c, struct api_request *request)
{
    sessions_set_timeout(c, seconds_of(request, "timeout"));
    reply_int(c, request, "timeout", c->adjustable.session_timeout_s);
}

static void run_set_log_level(struct control *c, struct api_request *request)
{
    const int64_t level = element_integer(request->root, "level");
    if (level > LOG_LEVEL_DBG) {
        reply_error(c, request, 467, "Invalid element type (level should be between %d and %d)", LOG_LEVEL_NONE, LOG_LEVEL_DBG);
        return;
    }
    log_set_level(actor_set(c->actor), (enum log_level)level);
    reply_int(c, request, "level", level);
}

/* There are no locks and no references whose changes could be told: the switch is kept and means nothing. */
static void run_set_locking_debug(struct control *c, struct api_request *request)
{
    c->adjustable.locking_debug = bool_of(request, "debug");
    reply_bool(c, request, "locking_debug", c->adjustable.locking_debug);
}

static void run_set_refcount_debug(struct control *c, struct api_request *request)
{
    c->adjustable.refcount_debug = bool_of(request, "debug");
    reply_bool(c, request, "refcount_debug", c->adjustable.refcount_debug);
}

static void tell_log(struct control *c)
{
    const struct log_configure order = {.timestamps = c->adjustable.log_timestamps, .colors = c->adjustable.log_colors};
    out_send(c, ACTOR_LOG, LOG_CONFIGURE, &order, sizeof(order));
}

static void run_set_log_timestamps(struct control *c, struct api_request *request)
{
    c->adjustable.log_timestamps = bool_of(request, "timestamps");
    tell_log(c);
    reply_bool(c, request, "log_timestamps", c->adjustable.log_timestamps);
}

static void run_set_log_colors(struct control *c, struct api_request *request)
{
    c->adjustable.log_colors = bool_of(request, "colors");
    tell_log(c);
    reply_bool(c, request, "log_colors", c->adjustable.log_colors);
}

/* Packets are kept for a second, once per source, whatever this says: it is kept for those who ask. */
static void run_set_min_nack_queue(struct control *c, struct api_request *request)
{
    const uint16_t asked = (uint16_t)element_integer(request->root, "min_nack_queue");
    c->adjustable.min_nack_queue_ms = asked > NACK_QUEUE_MAX_MS ? NACK_QUEUE_MAX_MS : asked;
    reply_int(c, request, "min_nack_queue", c->adjustable.min_nack_queue_ms);
}

static void run_set_nack_optimizations(struct control *c, struct api_request *request)
{
    c->adjustable.nack_optimizations = bool_of(request, "nack_optimizations");
    reply_bool(c, request, "nack-optimizations", c->adjustable.nack_optimizations);
}

static void tell_workers(struct control *c)
{
    const struct worker_adjust_order order = {.no_media_timer_s = c->adjustable.no_media_timer_s,
                                              .slowlink_threshold = c->adjustable.slowlink_threshold};
    for (uint32_t i = 0; i < c->config.worker_count; i++)
        out_send(c, (actor_id)(ACTOR_WORKER_0 + i), WORKER_ADJUST, &order, sizeof(order));
}

static void run_set_no_media_timer(struct control *c, struct api_request *request)
{
    c->adjustable.no_media_timer_s = seconds_of(request, "no_media_timer");
    tell_workers(c);
    reply_int(c, request, "no_media_timer", c->adjustable.no_media_timer_s);
}

static void run_set_slowlink_threshold(struct control *c, struct api_request *request)
{
    c->adjustable.slowlink_threshold = seconds_of(request, "slowlink_threshold");
    tell_workers(c);
    reply_int(c, request, "slowlink_threshold", c->adjustable.slowlink_threshold);
}

static void run_accept_new_sessions(struct control *c, struct api_request *request)
{
    c->adjustable.accepting = bool_of(request, "accept");
    reply_bool(c, request, "accept", c->adjustable.accepting);
}

static void run_loops_info(struct control *c, struct api_request *request)
{
    struct json_out j;
    reply_begin(c, &j, request, "success");
    jout_array(&j, "loops");
    for (uint32_t i = 0; i < c->config.worker_count; i++) {
        jout_object(&j, NULL);
        jout_int(&j, "id", i);
        jout_int(&j, "handles", c->seats[i].peers.count);
        jout_end(&j);
    }
    jout_end(&j);
    reply_end(c, &j, request);
}

/* -- messages to modules ------------------------------------------------------------------------------------------------------ */

/* The answer comes in this turn: nothing that a plugin is asked here waits for another actor (plugin.h, `admin`). */
static void run_message_plugin(struct control *c, struct api_request *request)
{
    struct host *host = host_find(c, element_string(request->root, "plugin"));
    json_t *body = json_object_get(request->root, "request");
    struct json_out j;
    if (host == NULL) {
        reply_error(c, request, 460, "Invalid plugin");
        return;
    }
    body = body == NULL ? json_object() : json_incref(body);
    struct plugin_request message = {.transaction = request->transaction, .body = body, .admin = true};
    buf_clear(&c->reply);
    events_hold(c);
    const enum plugin_outcome outcome = host->desc->message(host->plugin, NULL, &message);
    CHECK(outcome != PLUGIN_WAIT);
    reply_begin(c, &j, request, "success");
    if (outcome == PLUGIN_SYNC && c->reply.size > 0 && !c->reply.failed)
        json_splice(&j, "response", buf_view(&c->reply));
    else
        jout_raw(&j, "response", STR("{}"));
    reply_end(c, &j, request);
    events_release(c);
    json_decref(body);
}

const struct admin_verb admin_core_verbs[] = {
    {"get_status", ADMIN_ROOT, run_get_status, {{0}}},
    {"set_session_timeout", ADMIN_ROOT, run_set_session_timeout, {{"timeout", ELEMENT_POSITIVE, true}}},
    {"set_log_level", ADMIN_ROOT, run_set_log_level, {{"level", ELEMENT_POSITIVE, true}}},
    {"set_locking_debug", ADMIN_ROOT, run_set_locking_debug, {{"debug", ELEMENT_BOOL, true}}},
    {"set_refcount_debug", ADMIN_ROOT, run_set_refcount_debug, {{"debug", ELEMENT_BOOL, true}}},
    {"set_log_timestamps", ADMIN_ROOT, run_set_log_timestamps, {{"timestamps", ELEMENT_BOOL, true}}},
    {"set_log_colors", ADMIN_ROOT, run_set_log_colors, {{"colors", ELEMENT_BOOL, true}}},
    {"set_min_nack_queue", ADMIN_ROOT, run_set_min_nack_queue, {{"min_nack_queue", ELEMENT_POSITIVE, true}}},
    {"set_nack_optimizations", ADMIN_ROOT, run_set_nack_optimizations, {{"nack_optimizations", ELEMENT_BOOL, true}}},
    {"set_no_media_timer", ADMIN_ROOT, run_set_no_media_timer, {{"no_media_timer", ELEMENT_POSITIVE, true}}},
    {"set_slowlink_threshold", ADMIN_ROOT, run_set_slowlink_threshold, {{"slowlink_threshold", ELEMENT_POSITIVE, true}}},
    {"accept_new_sessions", ADMIN_ROOT, run_accept_new_sessions, {{"accept", ELEMENT_BOOL, true}}},
    {"loops_info", ADMIN_ROOT, run_loops_info, {{0}}},
    {"message_plugin", ADMIN_ROOT, run_message_plugin, {{"plugin", ELEMENT_STRING, true}, {"request", ELEMENT_OBJECT, false}}},
    {0},
};
