/* What is said on data channels: texts to one or to all, and requests that come in (textroom.md 3).
 *
 * Nothing is lost between those who read. When the core says "full" the text is held for that client, and who has said it is not
 * read from until it has gone: so a room is as fast as its slowest reader. One that has not read for TR_PATIENCE_US is deaf: what
 * others say is lost to it (counted), and nobody waits for it any more. It costs what the core queues for it, TR_HELD_BYTES_MAX of
 * what others say, and what one request of its own brings (at most a room's history). */
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugins/textroom/textroom.h"

#define LABEL "JanusDataChannel"        /* webrtc.md 19: what a plugin gets that gives none */

/* ---- out ---- */

static struct data_message message_of(struct view text)
{
    return (struct data_message){.label = STR(LABEL), .bytes = text};
}

static enum err send_text(struct textroom *tr, const struct tr_session *session, struct view text)
{
    const struct data_message message = message_of(text);
    enum err err = text.size == 0 ? ERR_INVALID : host_data_send(tr->host, session->handle, &message);
    tr->counters.refused += err == ERR_INVALID;
    return err;
}

/* Who has been kept waiting may speak again; one that fills somebody once more waits once more. */
static void release_pressed(struct textroom *tr)
{
    LIST_EACH(it, &tr->pressed) {
        list_del(it);
        host_data_again(tr->host, CONTAINER_OF(it, struct tr_session, of_pressed)->handle);
    }
}

static void hold(struct textroom *tr, struct tr_session *session, struct view text)
{
    if (list_is_empty(&session->held)) {
        session->full_since = host_now(tr->host);
        list_add_tail(&tr->full, &session->of_full);
    }
    list_add_tail(&session->held, &tr_said_new(text)->node);
    session->held_bytes += text.size;
}

static void let_go(struct tr_session *session, struct tr_said *said)
{
    list_del(&said->node);
    session->held_bytes -= said->size;
    mem_put(said);
}

static bool has_room(struct textroom *tr, struct tr_session *session, struct view text)
{
    return list_is_empty(&session->held) && send_text(tr, session, text) != ERR_FULL;
}

/* What others say, for one who is full. */
static void hold_or_drop(struct textroom *tr, struct tr_session *session, struct view text)
{
    if (session->deaf || session->held_bytes + text.size > TR_HELD_BYTES_MAX) {
        tr->counters.full++;
        return;
    }
    hold(tr, session, text);
    tr->press = true;
}

void tr_send(struct textroom *tr, struct tr_session *session, struct view text)
{
    if (!has_room(tr, session, text))
        hold_or_drop(tr, session, text);
}

void tr_send_own(struct textroom *tr, struct tr_session *session, struct view text)
{
    if (!has_room(tr, session, text))
        hold(tr, session, text);
}

/* All that is held has gone, or is given up. */
static void no_longer_full(struct textroom *tr, struct tr_session *session)
{
    session->deaf = false;
    list_del(&session->of_full);
    release_pressed(tr);
}

void tr_send_held(struct textroom *tr, struct tr_session *session)
{
    if (list_is_empty(&session->held))
        return;
    session->full_since = host_now(tr->host);
    LIST_EACH(it, &session->held) {
        struct tr_said *said = CONTAINER_OF(it, struct tr_said, node);
        if (send_text(tr, session, VIEW(said->text, said->size)) == ERR_FULL)
            return;
        let_go(session, said);
    }
    no_longer_full(tr, session);
}

void tr_look_for_deaf(struct textroom *tr, usec_t now)
{
    bool found = false;
    LIST_EACH(it, &tr->full) {
        struct tr_session *session = CONTAINER_OF(it, struct tr_session, of_full);
        if (session->deaf || now - session->full_since < TR_PATIENCE_US)
            continue;
        session->deaf = found = true;
    }
    if (found)
        release_pressed(tr);
}

struct tr_hearers {
    size_t count;
    struct tr_session *sessions[DATA_CAST_SIZE];
    struct ref handles[DATA_CAST_SIZE];
};

static void tell_hearers(struct textroom *tr, struct tr_hearers *hearers, struct view text)
{
    const struct data_message message = message_of(text);
    enum err results[DATA_CAST_SIZE];
    host_data_send_all(tr->host, &message, hearers->handles, hearers->count, results);
    for (size_t i = 0; i < hearers->count; i++) {
        tr->counters.refused += results[i] == ERR_INVALID;
        if (results[i] == ERR_FULL)
            hold_or_drop(tr, hearers->sessions[i], text);
    }
    hearers->count = 0;
}

void tr_send_all(struct textroom *tr, const struct tr_room *room, const struct tr_member *but, struct view text)
{
    struct tr_hearers hearers;
    hearers.count = 0;
    LIST_EACH(it, &room->members) {
        const struct tr_member *member = CONTAINER_OF(it, struct tr_member, of_room);
        struct tr_session *session = member->session;
        if (member == but)
            continue;
        if (text.size == 0 || !list_is_empty(&session->held)) {
            tr_send(tr, session, text);
            continue;
        }
        hearers.sessions[hearers.count] = session;
        hearers.handles[hearers.count++] = session->handle;
        if (hearers.count == DATA_CAST_SIZE)
            tell_hearers(tr, &hearers, text);
    }
    if (hearers.count > 0)
        tell_hearers(tr, &hearers, text);
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
    list_del(&session->of_pressed);
    if (!list_is_empty(&session->held)) {
        LIST_EACH(it, &session->held)
            let_go(session, CONTAINER_OF(it, struct tr_said, node));
        no_longer_full(tr, session);
    }
    LIST_EACH(it, &session->members) {
        struct tr_member *member = CONTAINER_OF(it, struct tr_member, of_session);
        struct tr_text text;
        tr_notify_user(tr, "leave", member);
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

/* False: not now: what it is to hear has not gone yet, or what it has said (plugins/plugin.h, `data`). */
bool tr_on_data(struct textroom *tr, struct tr_session *session, const struct data_message *message)
{
    if (!list_is_empty(&session->held) || !list_is_empty(&session->of_pressed))
        return false;
    json_t *body = NULL;
    if (!message->binary && !json_has_more_values(message->bytes, TR_VALUES_MAX))
        body = json_loadb((const char *)message->bytes.data, message->bytes.size, 0, NULL);
    if (body == NULL) {
        tr->counters.not_json++;
        return true;
    }
    struct tr_call call = {.tr = tr, .session = session, .origin = TR_CHANNEL, .body = body, .understood = true};
    tr->press = false;
    tr_call_begin(&call);
    enum tr_error error = run(&call);
    if (error != TR_OK)
        tr_write_error(&call, error, call.error);
    if (error != TR_OK || !call.replied) {
        tr_finish(&call);
        tr_send_own(tr, session, buf_view(&call.text));
    }
    if (tr->press)
        list_add_tail(&tr->pressed, &session->of_pressed);
    tr_call_end(&call);
    json_decref(body);
    return true;
}
