/* control/notify.h - what event handlers are told by control (event-handlers.md 3). Cheap when nobody listens: every function looks at
 * the mask first, and writes nothing.
 *
 * Notices wait in a window (EVENTS_WINDOW); what does not fit is dropped and counted, and nobody waits. */
#pragma once

#include "control/state.h"
#include "msg/events.h"

static inline bool notify_wants(const struct control *c, uint16_t type)
{
    return (c->events_mask & type) != 0;
}

void notify_session(struct control *c, const struct session *session, const char *name);
void notify_session_created(struct control *c, const struct session *session, struct ref client, enum transport_kind transport);
void notify_handle(struct control *c, const struct handle *handle, const char *name);
/* `owner` is local or remote. */
void notify_jsep(struct control *c, const struct handle *handle, const char *owner, const char *type, struct view sdp);

/* A PeerConnection is opened, and gone for good: the events actor knows meanwhile whose it is. pc->ended_by is told. */
void notify_peer(struct control *c, const struct pc *pc);
void notify_peer_gone(struct control *c, const struct pc *pc);
/* `state` as the reference names it; a candidate without the prefix `candidate:`. */
void notify_ice(struct control *c, const struct pc *pc, const char *state);
void notify_candidate(struct control *c, const struct pc *pc, enum event_webrtc kind, const struct ice_candidate *candidate);
void notify_up(struct control *c, const struct pc *pc);
/* `line`: of our description. */
void notify_media(struct control *c, const struct pc *pc, const struct local_mline *line, const struct peer_media_fact *fact);
void notify_slowlink(struct control *c, const struct pc *pc, const struct local_mline *line, const struct peer_slowlink_fact *fact);

/* `schema` and `data` of custom_event: JSON of the Admin API's client. */
void notify_external(struct control *c, const char *schema, struct view data);
/* `json` is a plugin's object; `handle` may be NULL. */
void notify_plugin(struct control *c, const struct host *host, const struct handle *handle, struct view json);

/* core */
void notify_started(struct control *c);
void notify_tick(struct control *c);                    /* once a second: an update every NOTIFY_UPDATE_US */
void notify_shutdown(struct control *c, int signal_number);
#define NOTIFY_UPDATE_US SEC(15)

/* Asks a handler by its package (query_eventhandler): `request` is JSON. False: there is no such handler; else the answer comes as
 * CONTROL_EVENTS_ANSWER with the op. A handler that is not running answers {}; *at_once is set when nobody has to be asked for that. */
bool notify_query(struct control *c, struct ref op, const char *package, struct view request, bool *at_once);

/* msg/control.h: of workers, and of the events actor. What is about a PeerConnection is passed on. */
void notify_webrtc(struct control *c, const struct event_webrtc_fact *fact);
void notify_stats(struct control *c, const struct message *m);
void notify_wanted(struct control *c, const struct events_wanted *fact);
void notify_taken(struct control *c, const struct events_taken *fact);
