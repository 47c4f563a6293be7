/* What is said on data channels: texts to one or to all, and requests that come in (textroom.md 3).
 *
 * A client that does not read costs what the core queues for it, and what one request of its own brings (at most a room's history).
 * Once the core says "full", what others say is lost to it (counted); what it has asked for is never lost: it is held, and no
 * further request is taken from that client before it has gone. */
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugins/textroom/textroom.h"

#define LABEL "JanusDataChannel"        /* webrtc.md 19: what a plugin gets that gives none */

/* ---- out ---- */

static enum err send_text(struct textroom *tr, const struct tr_session *session, struct view text)
{
    const struct data_message message = {.label = STR(LABEL), .bytes = text};
    enum err err = text.size == 0 ? ERR_INVALID : host_data_send(tr->host, session->handle, &message);
    tr->counters.full += err == ERR_FULL;
    tr->counters.refused += err == ERR_INVALID;
    return err;
}

void tr_send(struct textroom *tr, struct tr_session *session, struct view text)
{
    if (!list_is_empty(&session->held))
        tr->counters.full++;            /* it would overtake what waits */
    else
        (void)send_text(tr, session, text);
}

void tr_send_own(struct textroom *tr, struct tr_session *session, struct view text)
{
    if (list_is_empty(&session->held) && send_text(tr, session, text) != ERR_FULL)
        return;
    list_add_tail(&session->held, &tr_said_new(text)->node);
}

void tr_send_held(struct textroom *tr, struct tr_session *session)
{
    LIST_EACH(it, &session->held) {
        struct tr_said *said = CONTAINER_OF(it, struct tr_said, node);
        if (send_text(tr, session, VIEW(said->text, said->size)) == ERR_FULL)
            return;
        list_del(it);
        mem_put(said);
    }
}

void tr_send_all(struct textroom *tr, const struct tr_room *room, const struct tr_member *but, struct view text)
{
    LIST_EACH(it, &room->members) {
        const struct tr_member *member = CONTAINER_OF(it, struct tr_member, of_room);
        if (member != but)
            tr_send(tr, member->session, text);
    }
}

void tr_text_begin(struct textroom *tr, struct tr_text *text, const char *what)
{
    buf_init(&text->buf, TR_DELIVERY_MAX);
    jout_begin(&text->j, &text->buf, tr->layout);
    jout_object(&text->j, NULL);
    jout_string(&text->j, "textroom", what);
}

struct view tr_text_end(struct tr_text *text)
{
    jout_end(&text->j);
    return buf_whole(&text->buf);
}

void tr_text_free(struct tr_text *text)
{
    buf_fini(&text->buf);
}

void tr_user_text(struct textroom *tr, struct tr_text *text, const char *what, const struct tr_member *member, bool display)
{
    tr_text_begin(tr, text, what);
    tr_write_id(tr, &text->j, member->room->id);
    if (display)
        tr_write_user(&text->j, member);
    else
        jout_string(&text->j, "username", member->name);
}

void tr_session_leave_all(struct textroom *tr, struct tr_session *session)
{
    LIST_EACH(it, &session->held) {
        list_del(it);
        mem_put(CONTAINER_OF(it, struct tr_said, node));
    }
    LIST_EACH(it, &session->members) {
        struct tr_member *member = CONTAINER_OF(it, struct tr_member, of_session);
        struct tr_text text;
        tr_user_text(tr, &text, "leave", member, false);
        tr_send_all(tr, member->room, member, tr_text_end(&text));
        tr_text_free(&text);
        tr_member_part(member);
    }
}

/* ---- in ---- */

static const struct schema_field channel_fields[] = {{"textroom", SCHEMA_STRING, true}, {"transaction", SCHEMA_STRING, true}};

static const struct tr_request *find_channel_request(const char *name)
{
    const struct tr_request *found = tr_find_request(tr_talk_requests, tr_talk_request_count, name);
    if (found == NULL)
        found = tr_find_request(tr_room_requests, tr_room_request_count, name);
    if (found == NULL)
        found = tr_find_request(tr_manage_requests, tr_manage_request_count, name);
    return found;
}

static enum tr_error run(struct tr_call *call)
{
    enum tr_error error = tr_check_fields(call, TR_FIELDS(channel_fields));
    if (error != TR_OK)
        return error;
    const char *name = field_text(call->body, "textroom");
    call->transaction = field_text(call->body, "transaction");
    const struct tr_request *request = find_channel_request(name);
    return request != NULL ? tr_run(call, request) : tr_fail(call, TR_INVALID_REQUEST, "Unsupported request %.64s", name);
}

/* False: not now, there is no room for the answer (plugins/plugin.h, `data`). */
bool tr_on_data(struct textroom *tr, struct tr_session *session, const struct data_message *message)
{
    if (!list_is_empty(&session->held))
        return false;
    json_t *body = NULL;
    if (!message->binary && !json_has_more_values(message->bytes, TR_VALUES_MAX))
        body = json_loadb((const char *)message->bytes.data, message->bytes.size, 0, NULL);
    if (body == NULL) {
        tr->counters.not_json++;
        return true;
    }
    struct tr_call call = {.tr = tr, .session = session, .origin = TR_CHANNEL, .body = body, .understood = true};
    tr_call_begin(&call);
    enum tr_error error = run(&call);
    if (error != TR_OK)
        tr_write_error(&call, error, call.error);
    if (error != TR_OK || !call.replied) {
        tr_finish(&call);
        tr_send_own(tr, session, buf_view(&call.text));
    }
    tr_call_end(&call);
    json_decref(body);
    return true;
}
