#include "control/caller.h"

#include "base/mem.h"
#include "control/admin.h"
#include "control/api_dispatch.h"
#include "control/api_reply.h"
#include "control/op.h"
#include "control/out.h"
#include "control/session.h"
#include "msg/io.h"

struct caller *caller_find(const struct control *c, struct ref client)
{
    uint64_t hash = hash_u64(&c->key, ref_pack(client));
    for (struct map_node *node = map_first(&c->callers_by_ref, hash); node != NULL; node = map_next_same(node)) {
        struct caller *caller = CONTAINER_OF(node, struct caller, by_ref);
        if (ref_equal(caller->client, client))
            return caller;
    }
    return NULL;
}

struct caller *caller_get(struct control *c, struct ref client, enum json_layout layout)
{
    struct caller *caller = caller_find(c, client);
    if (caller == NULL) {
        caller = pool_get(&c->callers);
        if (caller == NULL) {
            c->counters.clients_refused++;
            return NULL;
        }
        caller->client = client;
        caller->addr = c->from;
        caller->transport = c->from_transport;
        list_init(&caller->sessions);
        list_init(&caller->waiting);
        list_init(&caller->parked);
        list_init(&caller->busy);
        map_add(&c->callers_by_ref, &caller->by_ref, hash_u64(&c->key, ref_pack(client)));
    }
    caller->layout = (uint8_t)layout;
    return caller;
}

void caller_settle(struct control *c, struct caller *caller)
{
    if (!list_is_empty(&caller->sessions) || !list_is_empty(&caller->waiting) || !list_is_empty(&caller->parked))
        return;
    list_del(&caller->busy);
    map_del(&c->callers_by_ref, &caller->by_ref);
    pool_put(&c->callers, caller);
}

/* Exactly one for each text, after all its documents have been answered (msg/io.h). */
static void give_credit(struct control *c, struct ref client)
{
    struct io_credit credit = {client};
    out_send(c, ACTOR_IO, IO_CREDIT, &credit, sizeof(credit));
}

struct credit *credit_take(struct control *c, struct ref client)
{
    if (c->credit_in_hand == NULL) {
        c->credit_in_hand = mem_get(sizeof(*c->credit_in_hand));
        *c->credit_in_hand = (struct credit){.client = client, .open = 1};
    }
    c->credit_in_hand->open++;
    return c->credit_in_hand;
}

void credit_put(struct control *c, struct credit *credit)
{
    CHECK(credit->open > 0);
    if (--credit->open > 0)
        return;
    give_credit(c, credit->client);
    mem_put(credit);
}

/* All documents of a text have been looked at; `credit` NULL: and answered. */
static void text_done(struct control *c, struct ref client, struct credit *credit)
{
    if (credit == NULL)
        give_credit(c, client);
    else
        credit_put(c, credit);
}

/* -- what waits for a later turn ----------------------------------------------------------------------------------------- */

static bool is_long(const struct client_request *request)
{
    return request->size > TEXT_BYTES_SHORT;
}

/* Behind the others whose next text is as long: a short one doesn't wait for the long ones of other clients. */
static void queue_up(struct control *c, struct caller *caller)
{
    const struct waiting_text *text = CONTAINER_OF(caller->waiting.next, struct waiting_text, node);
    list_add_tail(text->raw != NULL && is_long(text->raw) ? &c->busy_long : &c->busy, &caller->busy);
}

bool callers_wait(const struct control *c)
{
    return !list_is_empty(&c->busy) || !list_is_empty(&c->busy_long);
}

static void wait_behind(struct control *c, struct caller *caller, struct waiting_text *text)
{
    list_add_tail(&caller->waiting, &text->node);
    if (list_is_empty(&caller->busy))
        queue_up(c, caller);
}

static struct waiting_text *waiting_of(const struct request_from *from, const struct parsed *parsed, uint32_t first, struct credit *credit)
{
    uint32_t count = parsed->count - first;
    struct waiting_text *text = mem_get(sizeof(*text) + count * sizeof(text->documents[0]));
    *text = (struct waiting_text){.from = *from, .count = count, .credit = credit};
    memcpy(text->documents, parsed->documents + first, count * sizeof(text->documents[0]));
    return text;
}

/* What is still in it will not be answered; a text that was not parsed counts as one document. */
static void waiting_free(struct control *c, struct waiting_text *text)
{
    for (; text->next < text->count; text->next++) {
        json_decref(text->documents[text->next]);
        c->counters.documents_dropped++;
    }
    if (text->raw != NULL)
        c->counters.documents_dropped++;
    mem_put(text->raw);
    mem_put(text);
}

/* -- one at a time ---------------------------------------------------------------------------------------------------------- */

static bool has_budget(const struct control *c)
{
    return c->documents_left > 0 && c->bytes_left > 0;
}

/* `credit` is the text's, and so is the result: it is made when this document has to wait. */
static struct credit *serve(struct control *c, const struct request_from *from, json_t *document, struct credit *credit)
{
    c->counters.documents++;
    c->documents_left -= c->documents_left > 0 ? 1 : 0;
    c->credit_in_hand = credit;
    if (from->api == CLIENT_API_ADMIN)
        admin_dispatch(c, from, document);
    else
        api_dispatch(c, from, document);
    credit = c->credit_in_hand;
    c->credit_in_hand = NULL;
    json_decref(document);
    return credit;
}

static enum parse_result parse_by(enum transport_kind transport, struct parsed *out, struct view text, char reason[PARSE_REASON_ROOM])
{
    switch (transport) {
    case TRANSPORT_WEBSOCKETS: break;
    case TRANSPORT_HTTP: return api_parse_body(out, text, reason);
    case TRANSPORT_UNIX:
    case TRANSPORT_NANOMSG: return api_parse_one(out, text, "<string>", reason);       /* transports.md 1.3 */
    case TRANSPORT_MQTT:
    case TRANSPORT_RABBITMQ: return api_parse_one(out, text, "<buffer>", reason);
    }
    return api_parse(out, text, reason);
}

/* False: answered by a 454 or 455, and its credit given back. */
static bool parse(struct control *c, const struct client_request *request, const struct request_from *from, struct parsed *out)
{
    struct api_request nobody = {.client = from->client, .layout = from->layout, .tag = from->tag};
    struct view text = VIEW(request->text, request->size);
    char reason[PARSE_REASON_ROOM];
    int code = 454;
    c->long_parsed = c->long_parsed || is_long(request);
    c->bytes_left -= c->bytes_left < request->size ? c->bytes_left : request->size;
    switch (parse_by((enum transport_kind)from->transport, out, text, reason)) {
    case PARSE_OK: return true;
    case PARSE_BROKEN: c->counters.unparsable++; break;
    case PARSE_TOO_MANY: c->counters.too_many_documents++; break;
    case PARSE_NO_OBJECT:
        c->counters.unparsable++;
        code = 455;
        break;
    }
    /* The Admin API looks into what is none all the same, and misses what must be in it first (admin-api.md 1). */
    if (code == 454 && from->api == CLIENT_API_ADMIN && from->transport != TRANSPORT_HTTP)
        reply_error(c, &nobody, 456, "Missing mandatory element (transaction)");
    else
        reply_error(c, &nobody, code, "%s", reason);
    give_credit(c, from->client);
    return false;
}

/* -- texts ------------------------------------------------------------------------------------------------------------------ */

static enum json_layout layout_of(const struct client_request *request)
{
    return request->layout <= LAYOUT_INDENTED ? (enum json_layout)request->layout : LAYOUT_COMPACT;
}

static struct request_from from_of(const struct client_request *request)
{
    return (struct request_from){
        .client = request->client,
        .owner = ref_is_none(request->owner) ? request->client : request->owner,
        .layout = layout_of(request),
        .api = request->api,
        .transport = request->transport,
        .tag = request->tag,
        .path_ids = request->path_ids,
        .session_id = request->session_id,
        .handle_id = request->handle_id,
        .since = request->asked_us,
    };
}

/* No room to remember that something waits: answered once for each document, or for the text when it was not read yet. */
static void refuse(struct control *c, const struct client_request *request, uint32_t documents, struct credit *credit)
{
    struct api_request nobody = {.client = request->client, .layout = layout_of(request), .tag = request->tag};
    for (uint32_t i = 0; i < documents; i++)
        reply_error(c, &nobody, 490, "Memory error");
    text_done(c, request->client, credit);
}

static void keep_for_later(struct control *c, const struct message *m)
{
    const struct client_request *request = m->payload;
    struct caller *caller = caller_get(c, request->client, layout_of(request));
    if (caller == NULL) {
        refuse(c, request, 1, NULL);
        return;
    }
    struct waiting_text *text = mem_get(sizeof(*text));
    *text = (struct waiting_text){.raw = message_take(m)};
    wait_behind(c, caller, text);
}

/* Only the first of a turn are served as they come: what follows is sorted by clients, so that it matters to nobody how much
 * of others lies in front of it in the ring. A long text would end the reading of the ring for this turn. */
static bool may_be_served_now(const struct control *c, const struct client_request *request)
{
    return !callers_wait(c) && !is_long(request) && c->documents_left > DOCUMENTS_PER_TURN - DOCUMENTS_AT_ONCE &&
           c->bytes_left > PARSE_BYTES_PER_TURN - TEXT_BYTES_SHORT;
}

void caller_text(struct control *c, const struct message *m)
{
    const struct client_request *request = m->payload;
    const struct request_from from = from_of(request);
    struct parsed parsed;
    uint32_t done = 0;
    c->counters.texts++;
    c->from = request->addr;
    c->from_transport = request->transport;
    if (request->api > CLIENT_API_ADMIN) {
        c->counters.wrong_api++;
        give_credit(c, request->client);
        return;
    }
    if (!may_be_served_now(c, request)) {
        keep_for_later(c, m);
        return;
    }
    if (!parse(c, request, &from, &parsed))
        return;
    struct credit *credit = NULL;
    do
        credit = serve(c, &from, parsed.documents[done++], credit);
    while (done < parsed.count && c->documents_left > 0);
    if (done == parsed.count) {
        text_done(c, request->client, credit);
        return;
    }
    struct caller *caller = caller_get(c, request->client, layout_of(request));
    struct waiting_text *rest = waiting_of(&from, &parsed, done, credit);
    if (caller != NULL) {
        wait_behind(c, caller, rest);
        return;
    }
    refuse(c, request, rest->count, credit);
    waiting_free(c, rest);
}

/* The caller's first text, parsed; NULL: it was broken, has been answered and is gone. */
static struct waiting_text *next_text(struct control *c, struct caller *caller)
{
    struct waiting_text *text = CONTAINER_OF(caller->waiting.next, struct waiting_text, node);
    struct parsed parsed;
    if (text->raw == NULL)
        return text;
    const struct request_from from = from_of(text->raw);
    bool fine = parse(c, text->raw, &from, &parsed);
    list_del(&text->node);
    mem_put(text->raw);
    mem_put(text);
    if (!fine)
        return NULL;
    text = waiting_of(&from, &parsed, 0, NULL);
    list_add_head(&caller->waiting, &text->node);
    return text;
}

/* One document of one caller. */
static void serve_caller(struct control *c, struct caller *caller)
{
    struct ref client = caller->client;
    c->from = caller->addr;
    c->from_transport = caller->transport;
    struct waiting_text *text = next_text(c, caller);
    struct request_from from = {0};
    json_t *document = NULL;
    struct credit *credit = NULL;
    bool last = false;
    if (text != NULL) {
        document = text->documents[text->next++];
        credit = text->credit;
        from = text->from;
        last = text->next == text->count;
    }
    if (last) {
        list_del(&text->node);
        waiting_free(c, text);
    }
    if (!list_is_empty(&caller->waiting))
        queue_up(c, caller);
    if (document != NULL)       /* may end sessions, and so the caller, but for what it has waiting */
        credit = serve(c, &from, document, credit);
    if (last)
        text_done(c, client, credit);
    else if (text != NULL)
        text->credit = credit;
    caller = caller_find(c, client);
    if (caller != NULL)
        caller_settle(c, caller);
}

void callers_serve(struct control *c)
{
    while (has_budget(c) && !list_is_empty(&c->busy))
        serve_caller(c, CONTAINER_OF(list_pop(&c->busy), struct caller, busy));
    /* One long text a turn whatever the short ones have used, more while there is room. */
    while (!list_is_empty(&c->busy_long) && (has_budget(c) || !c->long_parsed))
        serve_caller(c, CONTAINER_OF(list_pop(&c->busy_long), struct caller, busy));
}

/* -- the end of a connection -------------------------------------------------------------------------------------------------- */

static void drop_waiting(struct control *c, struct caller *caller)
{
    list_del(&caller->busy);
    while (!list_is_empty(&caller->waiting)) {
        struct waiting_text *text = CONTAINER_OF(list_pop(&caller->waiting), struct waiting_text, node);
        struct credit *credit = text->credit;
        waiting_free(c, text);
        text_done(c, caller->client, credit);
    }
}

void caller_gone(struct control *c, struct ref client)
{
    struct caller *caller = caller_find(c, client);
    if (caller == NULL)
        return;
    drop_waiting(c, caller);
    ops_end_of_client(c, caller);
    LIST_EACH(it, &caller->sessions)
        session_lose_owner(c, CONTAINER_OF(it, struct session, node));
    CHECK(list_is_empty(&caller->sessions));
    caller_settle(c, caller);
}

void callers_drop(struct control *c)
{
    struct map_node *next;
    for (struct map_node *node = map_each(&c->callers_by_ref, NULL); node != NULL; node = next) {
        next = map_each(&c->callers_by_ref, node);
        struct caller *caller = CONTAINER_OF(node, struct caller, by_ref);
        CHECK(list_is_empty(&caller->sessions));
        drop_waiting(c, caller);
        caller_settle(c, caller);
    }
}
