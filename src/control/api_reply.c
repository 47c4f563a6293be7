#include "control/api_reply.h"

#include <stdio.h>

#include "base/json_splice.h"
#include "base/mem.h"
#include "base/str.h"
#include "control/measure.h"
#include "control/out.h"
#include "msg/io.h"

#define REASON_BYTES_MAX 511u           /* janus-api.md 2 */
#define TEXT_KEPT_BYTES  (256u * 1024u)     /* a longer text's memory goes with it, instead of a copy */

static void begin(struct control *c, struct json_out *j, enum json_layout layout, const char *janus, int64_t session_id,
                  const char *transaction)
{
    const struct io_send room = {.size = 0};    /* the message's head, filled in when it leaves */
    buf_clear(&c->text);
    buf_add(&c->text, &room, sizeof(room));
    jout_begin(j, &c->text, layout);
    jout_object(j, NULL);
    jout_string(j, "janus", janus);
    if (session_id > 0)
        jout_int(j, "session_id", session_id);
    if (transaction != NULL)
        jout_string(j, "transaction", transaction);
}

static void hold(struct control *c, void *block, size_t size)
{
    if (c->held_count == c->held_room) {
        c->held_room = c->held_room == 0 ? 16 : c->held_room * 2;
        c->held = mem_resize(c->held, c->held_room * sizeof(*c->held));
    }
    c->held[c->held_count++] = (struct held_text){block, size};
}

/* What is to be sent as a block of its own. */
static void *take_text(struct control *c, size_t *size)
{
    if (c->text.room > TEXT_KEPT_BYTES)
        return buf_take(&c->text, size);
    *size = c->text.size;
    return memcpy(mem_get(*size), c->text.data, *size);
}

static void send_text(struct control *c, struct ref client, uint32_t tag, bool event, int error)
{
    const struct io_send head = {.client = client, .event = event, .error = (uint16_t)error, .tag = tag, .size = (uint32_t)(c->text.size - sizeof(head))};
    const bool held = event && c->holding > 0;
    memcpy(c->text.data, &head, sizeof(head));
    if (!held && c->text.room <= TEXT_KEPT_BYTES) {
        out_send(c, ACTOR_IO, IO_SEND, c->text.data, c->text.size);
        return;
    }
    size_t size;
    void *block = take_text(c, &size);
    if (held)
        hold(c, block, size);
    else
        out_block(c, ACTOR_IO, IO_SEND, block, size);
}

/* -- replies ----------------------------------------------------------------------------------------------------------- */

void reply_begin(struct control *c, struct json_out *j, const struct api_request *request, const char *janus)
{
    begin(c, j, request->layout, janus, request->session_id, request->transaction);
}

void reply_end(struct control *c, struct json_out *j, const struct api_request *request)
{
    jout_end(j);
    if (c->text.failed) {
        c->counters.texts_too_long++;
        reply_error(c, request, 490, "Memory error");
        return;
    }
    c->counters.replies++;
    measure_reply(c, request, 0);
    send_text(c, request->client, request->tag, false, 0);
}

void reply_plain(struct control *c, const struct api_request *request, const char *janus)
{
    struct json_out j;
    reply_begin(c, &j, request, janus);
    reply_end(c, &j, request);
}

/* Cuts a text that vsnprintf may have cut inside a character, and whatever else is no UTF-8 at its end. */
static struct view whole_characters(const char *text)
{
    struct view v = str_of(text);
    for (unsigned i = 0; i < 4 && v.size > 0 && !utf8_is_valid(v); i++)
        v.size--;
    return utf8_is_valid(v) ? v : STR("Unprintable reason");
}

void reply_error(struct control *c, const struct api_request *request, int code, const char *format, ...)
{
    char reason[REASON_BYTES_MAX + 1];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);

    struct json_out j;
    begin(c, &j, request->layout, "error", request->session_id, request->transaction);
    jout_object(&j, "error");
    jout_int(&j, "code", code);
    jout_string_view(&j, "reason", whole_characters(reason));
    jout_end(&j);
    jout_end(&j);
    c->counters.replies++;
    c->counters.errors++;
    measure_reply(c, request, code);
    send_text(c, request->client, request->tag, false, code);
}

bool request_has(struct control *c, const struct api_request *request, const struct element *list, size_t count)
{
    const struct element *bad;
    int code = elements_check(request->root, list, count, &bad);
    if (code == 456)
        reply_error(c, request, code, "Missing mandatory element (%s)", bad->key);
    else if (code != 0)
        reply_error(c, request, code, "Invalid element type (%s should be %s)", bad->key, element_type_name(bad->type));
    return code == 0;
}

void reply_plugindata(struct json_out *j, const struct handle *handle, struct view data)
{
    jout_object(j, "plugindata");
    jout_string(j, "plugin", handle->host->desc->package);
    json_splice(j, "data", data);
    jout_end(j);
}

/* -- events ------------------------------------------------------------------------------------------------------------ */

bool event_begin(struct control *c, struct json_out *j, const struct session *session, const struct handle *handle,
                 const char *janus, const char *transaction)
{
    if (session->owner == NULL) {
        c->counters.events_lost++;
        return false;
    }
    begin(c, j, (enum json_layout)session->owner->layout, janus, session->id, transaction);
    if (handle == NULL)
        return true;
    jout_int(j, "sender", handle->id);
    if (handle->opaque_id != NULL && c->settings->opaqueid_in_api)
        jout_string(j, "opaque_id", handle->opaque_id);
    return true;
}

void event_end(struct control *c, struct json_out *j, const struct session *session)
{
    jout_end(j);
    if (c->text.failed) {
        c->counters.texts_too_long++;
        LOG_WARN(c->actor, "An event of more than %u bytes was dropped", TEXT_BYTES_MAX);
        return;
    }
    c->counters.events++;
    send_text(c, session->owner->client, 0, true, 0);
}

void events_hold(struct control *c)
{
    c->holding++;
}

void events_release(struct control *c)
{
    CHECK(c->holding > 0);
    if (--c->holding > 0)
        return;
    for (uint32_t i = 0; i < c->held_count; i++)
        out_block(c, ACTOR_IO, IO_SEND, c->held[i].block, c->held[i].size);
    c->held_count = 0;
}
