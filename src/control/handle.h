/* control/handle.h - handles: a session's attachment to a plugin, with at most one PeerConnection in use (plugin-model.md
 * A.2). Owner: the control actor.
 *
 * What the plugin is told, in order: attach; message, setup_media and facts; hangup_media once for each negotiation that
 * ends (and once for a handle that never had one); detach, the last. */
#pragma once

#include "control/api_reply.h"
#include "control/state.h"
#include "peer/peer_types.h"

struct handle *handle_find(const struct control *c, const struct session *session, int64_t id);
/* By the name that plugins use; NULL when it is gone or going (verbs do nothing then). */
struct handle *handle_get(const struct control *c, struct ref ref);

enum attach_result { ATTACH_OK, ATTACH_FULL, ATTACH_REFUSED };
/* `opaque_id` may be NULL; at most OPAQUE_ID_BYTES_MAX. */
enum attach_result handle_new(struct control *c, struct session *session, struct host *host, const char *opaque_id,
                              struct handle **out);
/* Closes its PeerConnection, takes leave of the plugin, frees it. `tell`: the client gets `detached`. */
void handle_close(struct control *c, struct handle *handle, bool tell);

/* Ends the PeerConnection (if there is one, the client gets `hangup`) and tells the plugin; nothing when that has been done
 * since the last negotiation began. */
void handle_hangup(struct control *c, struct handle *handle, enum hangup_reason reason);

/* A `message`: answered with one direct reply, here and now unless the plugin begins an operation for it or it has to wait
 * behind another one of its handle (op.h). */
void handle_submit(struct control *c, const struct api_request *request);
/* The same for one that has waited for its turn, and for one whose operation has ended. */
void handle_serve(struct control *c, const struct api_request *request);
void handle_resume(struct control *c, const struct api_request *request, const struct plugin_answer *answer);

/* A plugin's wish, done in a later turn: no verb calls back into a plugin. */
void handle_defer(struct control *c, struct handle *handle);
/* The same, and the wish is that its PeerConnection ends: the client gets `hangup`. */
void handle_wish_pc_closed(struct control *c, struct handle *handle);
void handles_serve_deferred(struct control *c);
