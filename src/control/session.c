#include "control/session.h"

#include "control/api_reply.h"
#include "control/caller.h"
#include "control/handle.h"
#include "control/notify.h"
#include "control/out.h"
#include "msg/io.h"

struct session *session_find(const struct control *c, int64_t id)
{
    uint64_t hash = hash_u64(&c->key, (uint64_t)id);
    for (struct map_node *node = map_first(&c->sessions_by_id, hash); node != NULL; node = map_next_same(node)) {
        struct session *session = CONTAINER_OF(node, struct session, by_id);
        if (session->id == id)
            return session;
    }
    return NULL;
}

/* When it expires if nothing happens until then. */
static usec_t due(const struct control *c, const struct session *session)
{
    const int64_t timeout_s = session_timeout_s(c, session);
    usec_t at = timeout_s == 0 ? USEC_NEVER : session->active_at + SEC(timeout_s);
    if (session->owner == NULL)
        at = usec_min(at, session->active_at + SEC(c->settings->reclaim_session_timeout_s));
    return at;
}

int64_t session_timeout_s(const struct control *c, const struct session *session)
{
    return session->timeout_s >= 0 ? session->timeout_s : c->adjustable.session_timeout_s;
}

void session_set_timeout(struct control *c, struct session *session, int64_t timeout_s)
{
    session->timeout_s = timeout_s;
    timerq_set(&c->expiries, &session->expiry, due(c, session));
}

/* All at once, since a shorter time shall count from now on: some tens of milliseconds with as many as there may be. */
void sessions_set_timeout(struct control *c, uint32_t timeout_s)
{
    c->adjustable.session_timeout_s = timeout_s;
    for (struct map_node *node = map_each(&c->sessions_by_id, NULL); node != NULL; node = map_each(&c->sessions_by_id, node)) {
        struct session *session = CONTAINER_OF(node, struct session, by_id);
        timerq_set(&c->expiries, &session->expiry, due(c, session));
    }
}

static bool has_room(const struct caller *owner)
{
    return owner->session_count < SESSIONS_PER_CLIENT_MAX;
}

/* A queue of events has to know which session's it is. */
static void tell_queue(struct control *c, const struct caller *owner, const struct session *session, bool over)
{
    if (owner == NULL || (owner->client.slot & IO_QUEUE_BIT) == 0)
        return;
    struct io_session news = {.owner = owner->client, .session_id = session->id, .over = over};
    out_send(c, ACTOR_IO, IO_SESSION, &news, sizeof(news));
}

/* NULL: under nobody. */
static void put_under(struct control *c, struct session *session, struct caller *owner)
{
    list_del(&session->node);
    tell_queue(c, session->owner, session, true);
    tell_queue(c, owner, session, false);
    if (session->owner != NULL)
        session->owner->session_count--;
    session->owner = owner;
    if (owner == NULL)
        return;
    owner->session_count++;
    list_add_tail(&owner->sessions, &session->node);
}

struct session *session_new(struct control *c, struct caller *owner, int64_t id)
{
    if (c->memory_short) {
        c->counters.memory_refused++;
        return NULL;
    }
    if (!tally_take(&c->per_address, &owner->addr)) {
        c->counters.sessions_refused++;
        return NULL;
    }
    struct session *session = has_room(owner) ? pool_get(&c->sessions) : NULL;
    if (session == NULL) {
        c->counters.sessions_refused++;
        tally_give(&c->per_address, &owner->addr);
        return NULL;
    }
    session->counted = owner->addr;
    while (id == 0 || session_find(c, id) != NULL)
        id = (int64_t)rng_id53(&c->rng);
    session->id = id;
    session->active_at = c->now;
    session->timeout_s = -1;
    list_init(&session->handles);
    list_init(&session->node);
    put_under(c, session, owner);
    map_add(&c->sessions_by_id, &session->by_id, hash_u64(&c->key, (uint64_t)id));
    timerq_set(&c->expiries, &session->expiry, due(c, session));
    c->counters.sessions_created++;
    LOG_VERB(c->actor, "Session %lld created", (long long)id);
    return session;
}

/* The timer stays where it is: when it fires, sessions_expire sees that there is time left and sets it anew. */
void session_touch(struct control *c, struct session *session)
{
    session->active_at = c->now;
}

static void set_owner(struct control *c, struct session *session, struct caller *owner)
{
    put_under(c, session, owner);
    timerq_set(&c->expiries, &session->expiry, due(c, session));
}

bool session_claim(struct control *c, struct session *session, struct caller *owner)
{
    struct caller *before = session->owner;
    if (before == owner)
        return true;
    if (!has_room(owner)) {
        c->counters.sessions_refused++;
        return false;
    }
    set_owner(c, session, owner);
    c->counters.sessions_claimed++;
    if (before != NULL)
        caller_settle(c, before);
    return true;
}

void session_lose_owner(struct control *c, struct session *session)
{
    set_owner(c, session, NULL);
    if (c->settings->reclaim_session_timeout_s == 0) {
        session_end(c, session);
        return;
    }
    c->counters.sessions_reclaimable++;
}

/* Frees the session with its last handle. */
static void close_handles(struct control *c, struct session *session)
{
    while (!list_is_empty(&session->handles)) {
        if (c->closings_left == 0)
            return;
        c->closings_left--;
        handle_close(c, CONTAINER_OF(session->handles.next, struct handle, in_session), false);
    }
    if (!session->told_over)
        notify_session(c, session, "destroyed");
    list_del(&session->node);
    pool_put(&c->sessions, session);
}

void session_end(struct control *c, struct session *session)
{
    struct caller *owner = session->owner;
    LOG_VERB(c->actor, "Session %lld ends", (long long)session->id);
    map_del(&c->sessions_by_id, &session->by_id);
    timerq_stop(&c->expiries, &session->expiry);
    session->ending = true;
    tally_give(&c->per_address, &session->counted);
    put_under(c, session, NULL);
    list_add_tail(&c->ending, &session->node);
    if (owner != NULL)
        caller_settle(c, owner);
    close_handles(c, session);
}

void sessions_end_some(struct control *c)
{
    while (c->closings_left > 0 && !list_is_empty(&c->ending))
        close_handles(c, CONTAINER_OF(c->ending.next, struct session, node));
}

static void expire(struct control *c, struct session *session)
{
    struct json_out j;
    c->counters.sessions_timed_out++;
    if (event_begin(c, &j, session, NULL, "timeout", NULL))
        event_end(c, &j, session);
    notify_session(c, session, "timeout");
    session->told_over = true;
    session_end(c, session);
}

bool sessions_expire(struct control *c)
{
    for (uint32_t n = 0; n < SESSIONS_EXPIRED_PER_TURN; n++) {
        struct timer *timer = timerq_pop(&c->expiries, c->now);
        if (timer == NULL)
            return false;
        struct session *session = CONTAINER_OF(timer, struct session, expiry);
        usec_t at = due(c, session);
        if (at > c->now)
            timerq_set(&c->expiries, &session->expiry, at);
        else
            expire(c, session);
    }
    return true;
}

void sessions_end_all(struct control *c)
{
    struct map_node *next;
    for (struct map_node *node = map_each(&c->sessions_by_id, NULL); node != NULL; node = next) {
        next = map_each(&c->sessions_by_id, node);
        session_end(c, CONTAINER_OF(node, struct session, by_id));
    }
}
