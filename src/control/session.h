/* control/session.h - sessions: made by `create`, kept alive by requests, moved by `claim`, ended by `destroy`, by time or
 * with their transport (janus-api.md 3, 8). Owner: the control actor. */
#pragma once

#include "control/state.h"

struct session *session_find(const struct control *c, int64_t id);
/* `id` 0: a random one; else one that is not in use. NULL: at SESSIONS_MAX, or at SESSIONS_PER_CLIENT_MAX. */
struct session *session_new(struct control *c, struct caller *owner, int64_t id);

/* An authenticated request has named it. */
void session_touch(struct control *c, struct session *session);
/* How long it may be silent, in the end: 0 for ever. */
int64_t session_timeout_s(const struct control *c, const struct session *session);
void session_set_timeout(struct control *c, struct session *session, int64_t timeout_s);     /* -1: that of all */
void sessions_set_timeout(struct control *c, uint32_t timeout_s);                            /* that of all */
/* False: `owner` has SESSIONS_PER_CLIENT_MAX, and the session stays where it is. */
bool session_claim(struct control *c, struct session *session, struct caller *owner);
/* Its transport has gone: ends it, or leaves it to a claim for reclaim_session_timeout. */
void session_lose_owner(struct control *c, struct session *session);

/* Nobody finds it from now on. Its handles are closed without events: at once as far as this turn's budget goes. May free
 * the session, and the caller that owned it. */
void session_end(struct control *c, struct session *session);
/* Goes on with sessions whose handles were too many for one turn. */
void sessions_end_some(struct control *c);
/* The watchdog: ends what has been silent for too long. True: there may be more than one turn can do. */
bool sessions_expire(struct control *c);
void sessions_end_all(struct control *c);       /* STOP: every session begins to end */
