#include "helpers/events/evhost.h"

#include <stdio.h>
#include <string.h>

#include "base/json_splice.h"
#include "base/mem.h"
#include "base/str.h"
#include "helpers/events/evmask.h"

/* Both bounded by EVENTS_QUEUED_BYTES_MAX anyway. */
#define EVENT_TEXT_MAX   (20u * 1024u * 1024u)
#define PAYLOAD_TEXT_MAX (64u * 1024u * 1024u)

struct queued {
    struct list node;
    uint64_t wall_us;
    uint16_t type;
    uint32_t size;
    char text[];                        /* compact */
};

/* ---- its life ---- */

void evhost_open(struct evhost *host, const struct conf_node *general)
{
    const char *json = conf_text(general, "json", "compact");
    list_init(&host->queue);
    buf_init(&host->scratch, EVENT_TEXT_MAX);
    host->mask = evmask_parse(conf_text(general, "events", NULL));
    host->grouping = host->desc->groups && conf_bool(general, "grouping", true);
    if (!host->desc->compact && !jout_layout_parse(&host->layout, str_of(json)))
        LOG_WARN(host->actor, "%s: json = %s is none of compact, plain and indented", host->desc->package, json);
    if (conf_bool(general, "enabled", false))
        host->handler = host->desc->open(host, general);
    if (host->handler == NULL)
        host->mask = 0;
    else
        LOG_INFO(host->actor, "Event handler %s started", host->desc->package);
}

static void drop_oldest(struct evhost *host)
{
    struct queued *item = CONTAINER_OF(list_pop(&host->queue), struct queued, node);
    host->queued--;
    host->queued_bytes -= item->size;
    mem_put(item);
}

void evhost_close(struct evhost *host)
{
    if (host->handler != NULL)
        host->desc->close(host->handler);
    while (host->queued > 0)
        drop_oldest(host);
    buf_fini(&host->scratch);
}

/* ---- the queue ---- */

void evhost_cap(struct evhost *host, uint32_t most)
{
    while (host->queued > most) {
        drop_oldest(host);
        host->counters.dropped++;
    }
}

/* One line when it begins and one when it ends. */
static void say_full(struct evhost *host, bool full)
{
    if (full && !host->full)
        LOG_WARN(host->actor, "%s does not keep up: its oldest events are dropped", host->desc->package);
    if (!full && host->full)
        LOG_INFO(host->actor, "%s keeps up again; %llu events have been dropped so far", host->desc->package,
                 (unsigned long long)host->counters.dropped);
    host->full = full;
}

static void make_room(struct evhost *host, size_t size)
{
    while (host->queued > 0 && (host->queued >= EVENTS_QUEUED_MAX || host->queued_bytes + size > EVENTS_QUEUED_BYTES_MAX)) {
        say_full(host, true);
        evhost_cap(host, host->queued - 1);
    }
}

void evhost_take(struct evhost *host, const struct event *event)
{
    struct json_out j;
    host->counters.events++;
    buf_clear(&host->scratch);
    jout_begin(&j, &host->scratch, LAYOUT_COMPACT);
    if (host->desc->write != NULL) {
        host->desc->write(host->handler, &j, event);
    } else {
        jout_object(&j, NULL);
        event_write(&j, event);
        jout_end(&j);
    }
    if (host->scratch.failed) {
        host->counters.dropped++;
        return;
    }
    const size_t size = host->scratch.size;
    make_room(host, size);
    struct queued *item = mem_get(sizeof(*item) + size);
    *item = (struct queued){.wall_us = event->wall_us, .type = event->type, .size = (uint32_t)size};
    memcpy(item->text, host->scratch.data, size);
    list_init(&item->node);
    list_add_tail(&host->queue, &item->node);
    host->queued++;
    host->queued_bytes += size;
}

uint32_t evhost_waiting(const struct evhost *host)
{
    return host->queued;
}

/* ---- payloads ---- */

void evpayload_init(struct evpayload *payload)
{
    *payload = (struct evpayload){0};
    buf_init(&payload->text, PAYLOAD_TEXT_MAX);
}

void evpayload_fini(struct evpayload *payload)
{
    buf_fini(&payload->text);
}

static void write_first(struct evhost *host, struct json_out *j)
{
    struct queued *item = CONTAINER_OF(list_pop(&host->queue), struct queued, node);
    json_splice(j, NULL, VIEW(item->text, item->size));
    host->queued--;
    host->queued_bytes -= item->size;
    mem_put(item);
}

bool evhost_next(struct evhost *host, struct evpayload *payload)
{
    struct json_out j;
    CHECK(payload->events == 0);
    if (host->queued == 0)
        return false;
    const struct queued *first = CONTAINER_OF(host->queue.next, struct queued, node);
    payload->type = host->grouping ? 0 : first->type;
    payload->wall_us = first->wall_us;
    buf_clear(&payload->text);
    jout_begin(&j, &payload->text, host->layout);
    if (host->grouping)
        jout_array(&j, NULL);
    do {
        write_first(host, &j);
        payload->events++;
    } while (host->grouping && host->queued > 0 && payload->events < EVENTS_GROUP_MAX && payload->text.size < EVENTS_GROUP_BYTES_MAX);
    if (host->grouping)
        jout_end(&j);
    if (host->queued < EVENTS_QUEUED_MAX / 2 && host->queued_bytes < EVENTS_QUEUED_BYTES_MAX / 2)
        say_full(host, false);
    if (!payload->text.failed)
        return true;
    evhost_lost(host, payload);
    return false;
}

static void empty(struct evpayload *payload)
{
    payload->events = 0;
    if (payload->text.room > EVENTS_GROUP_BYTES_MAX)
        buf_fini(&payload->text);
}

void evhost_sent(struct evhost *host, struct evpayload *payload)
{
    host->counters.sent += payload->events;
    empty(payload);
}

void evhost_lost(struct evhost *host, struct evpayload *payload)
{
    host->counters.lost += payload->events;
    empty(payload);
}

void evhost_retried(struct evhost *host)
{
    host->counters.retries++;
}

/* ---- query_eventhandler ---- */

static void answer(struct buf *out, int code, const char *text)
{
    struct json_out j;
    jout_begin(&j, out, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    if (code == 0) {
        jout_int(&j, "result", 200);
    } else {
        jout_int(&j, "error_code", code);
        jout_string_view(&j, "error", str_of(text));
    }
    jout_end(&j);
}

static const char *type_name(enum evfield_type type)
{
    switch (type) {
    case EVFIELD_STRING: return "string";
    case EVFIELD_BOOL: return "boolean";
    case EVFIELD_POSITIVE: break;
    }
    return "positive integer";
}

static bool has_type(const json_t *value, enum evfield_type type)
{
    switch (type) {
    case EVFIELD_STRING: return json_is_string(value);
    case EVFIELD_BOOL: return json_is_boolean(value);
    case EVFIELD_POSITIVE: break;
    }
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool field_is_fine(const json_t *request, const struct evfield *field, char reason[EVHANDLER_REASON_ROOM])
{
    const json_t *value = json_object_get(request, field->name);
    if (value == NULL || has_type(value, field->type))
        return true;
    snprintf(reason, EVHANDLER_REASON_ROOM, "Invalid element type (%s should be a %s)", field->name, type_name(field->type));
    return false;
}

static bool tweak(struct evhost *host, const json_t *request, char reason[EVHANDLER_REASON_ROOM])
{
    static const struct evfield events = {"events", EVFIELD_STRING}, grouping = {"grouping", EVFIELD_BOOL};
    const struct evhandler_desc *desc = host->desc;
    if (!field_is_fine(request, &events, reason) || (desc->groups && !field_is_fine(request, &grouping, reason)))
        return false;
    for (uint32_t i = 0; i < desc->field_count; i++)
        if (!field_is_fine(request, &desc->fields[i], reason))
            return false;
    if (desc->tweak != NULL && !desc->tweak(host->handler, request, reason))
        return false;
    const json_t *mask = json_object_get(request, "events"), *group = json_object_get(request, "grouping");
    if (mask != NULL)
        host->mask = evmask_parse(json_string_value(mask));
    if (group != NULL && desc->groups)
        host->grouping = json_is_true(group);
    return true;
}

void evhost_query(struct evhost *host, struct view text, struct buf *out)
{
    char reason[EVHANDLER_REASON_ROOM] = "";
    if (host->handler == NULL) {
        buf_add_text(out, "{}");
        return;
    }
    json_t *request = json_loadb((const char *)text.data, text.size, 0, NULL);
    const json_t *verb = json_object_get(request, "request");
    if (verb == NULL) {
        answer(out, 412, "Missing mandatory element (request)");
    } else if (!json_is_string(verb)) {
        answer(out, 413, "Invalid element type (request should be a string)");
    } else if (!str_equal_nocase(str_of(json_string_value(verb)), STR("tweak"))) {
        snprintf(reason, sizeof(reason), "Unknown request '%.*s'", (int)(sizeof(reason) - 32), json_string_value(verb));
        answer(out, 411, utf8_is_valid(str_of(reason)) ? reason : "Unknown request");
    } else if (!tweak(host, request, reason)) {
        answer(out, 413, utf8_is_valid(str_of(reason)) ? reason : "Invalid element type");
    } else {
        answer(out, 0, NULL);
    }
    json_decref(request);
}

/* ---- the rest of what a handler can ask ---- */

struct actor *evhost_actor(struct evhost *host)
{
    return host->actor;
}

uint32_t evhost_index(const struct evhost *host)
{
    return host->index;
}

struct rng *evhost_rng(struct evhost *host)
{
    return host->rng;
}

const char *evhost_emitter(const struct evhost *host)
{
    return host->emitter;
}

/* The token of a descriptor says whose it is. */
bool evhost_watch(struct evhost *host, int fd, uint32_t events)
{
    return actor_watch(host->actor, fd, events, (uint64_t)host->index << 32 | (uint32_t)fd);
}

void evhost_unwatch(struct evhost *host, int fd)
{
    actor_unwatch(host->actor, fd);
}

bool evhost_resolve(struct evhost *host, struct view name, uint16_t port, enum net_family family, uint32_t tag)
{
    struct dns_ask ask = {.answer = EVENTS_ADDRESSES, .port = port, .family = (uint8_t)family};
    if (name.size == 0 || !str_copy(ask.name, sizeof(ask.name), name))
        return false;
    actor_send_op(host->actor, ACTOR_DNS, DNS_ASK, (struct ref){host->index, tag}, &ask, sizeof(ask));
    return true;
}
