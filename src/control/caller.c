#include "control/caller.h"

#include "base/mem.h"
#include "control/api_dispatch.h"
#include "control/api_reply.h"
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
        list_init(&caller->sessions);
        list_init(&caller->waiting);
        list_init(&caller->busy);
        map_add(&c->callers_by_ref, &caller->by_ref, hash_u64(&c->key, ref_pack(client)));
    }
    caller->layout = (uint8_t)layout;
    return caller;
}

void caller_settle(struct control *c, struct caller *caller)
{
    if (!list_is_empty(&caller->sessions) || !list_is_empty(&caller->waiting))
        return;
    list_del(&caller->busy);
    map_del(&c->callers_by_ref, &caller->by_ref);
    pool_put(&c->callers, caller);
}

/* Exactly one for each text, after all its documents have been answered (msg/io.h). */
static void give_credit(struct control *c, struct ref client)
{
    struct io_credit credit = {client};
    actor_send(c->actor, ACTOR_IO, IO_CREDIT, &credit, sizeof(credit));
}

/* Documents from `first` on wait for a later turn. */
static void keep_rest(struct control *c, struct caller *caller, const struct parsed *text, uint32_t first)
{
    uint32_t count = text->count - first;
    struct waiting_text *rest = mem_get(sizeof(*rest) + count * sizeof(rest->documents[0]));
    rest->count = count;
    rest->next = 0;
    memcpy(rest->documents, text->documents + first, count * sizeof(rest->documents[0]));
    list_add_tail(&caller->waiting, &rest->node);
    if (list_is_empty(&caller->busy))
        list_add_tail(&c->busy, &caller->busy);
}

static void serve_one(struct control *c, struct ref client, enum json_layout layout, json_t *document)
{
    c->counters.documents++;
    if (c->documents_left > 0)
        c->documents_left--;
    api_dispatch(c, client, layout, document);
    json_decref(document);
}

static void answer_unparsable(struct control *c, struct ref client, enum json_layout layout, enum parse_result result, const char *reason)
{
    struct api_request nobody = {.client = client, .layout = layout};
    if (result == PARSE_TOO_MANY)
        c->counters.too_many_documents++;
    else
        c->counters.unparsable++;
    reply_error(c, &nobody, 454, "%s", reason);
    give_credit(c, client);
}

void caller_text(struct control *c, const struct client_request *request)
{
    enum json_layout layout = request->layout <= LAYOUT_INDENTED ? (enum json_layout)request->layout : LAYOUT_COMPACT;
    struct parsed text;
    char reason[PARSE_REASON_ROOM];
    c->counters.texts++;
    if (request->api != CLIENT_API_JANUS) {
        c->counters.wrong_api++;
        give_credit(c, request->client);
        return;
    }
    enum parse_result result = api_parse(&text, VIEW(request->text, request->size), reason);
    if (result != PARSE_OK) {
        answer_unparsable(c, request->client, layout, result, reason);
        return;
    }
    struct caller *caller = caller_find(c, request->client);
    bool must_wait = caller != NULL && !list_is_empty(&caller->waiting);
    uint32_t done = 0;
    /* One document is always served at once unless others of its client wait: the actor bounds the texts of a turn. */
    while (!must_wait && done < text.count && (done == 0 || c->documents_left > 0))
        serve_one(c, request->client, layout, text.documents[done++]);
    if (done == text.count) {
        give_credit(c, request->client);
        return;
    }
    caller = caller_get(c, request->client, layout);
    if (caller != NULL) {
        keep_rest(c, caller, &text, done);
        return;
    }
    for (; done < text.count; done++) {          /* no room to remember them */
        struct api_request nobody = {.client = request->client, .layout = layout};
        reply_error(c, &nobody, 490, "Memory error");
        json_decref(text.documents[done]);
    }
    give_credit(c, request->client);
}

void callers_serve(struct control *c)
{
    while (c->documents_left > 0 && !list_is_empty(&c->busy)) {
        struct caller *caller = CONTAINER_OF(list_pop(&c->busy), struct caller, busy);
        struct waiting_text *text = CONTAINER_OF(caller->waiting.next, struct waiting_text, node);
        struct ref client = caller->client;
        json_t *document = text->documents[text->next++];
        bool last = text->next == text->count;
        if (last) {
            list_del(&text->node);
            mem_put(text);
        }
        if (!list_is_empty(&caller->waiting))
            list_add_tail(&c->busy, &caller->busy);
        serve_one(c, client, (enum json_layout)caller->layout, document);       /* may end sessions, and so the caller */
        if (last)
            give_credit(c, client);
        caller = caller_find(c, client);
        if (caller != NULL)
            caller_settle(c, caller);
    }
}

static void drop_waiting(struct control *c, struct caller *caller)
{
    list_del(&caller->busy);
    while (!list_is_empty(&caller->waiting)) {
        struct waiting_text *text = CONTAINER_OF(list_pop(&caller->waiting), struct waiting_text, node);
        for (; text->next < text->count; text->next++) {
            json_decref(text->documents[text->next]);
            c->counters.documents_dropped++;
        }
        mem_put(text);
        give_credit(c, caller->client);
    }
}

void caller_gone(struct control *c, struct ref client)
{
    struct caller *caller = caller_find(c, client);
    if (caller == NULL)
        return;
    drop_waiting(c, caller);
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
