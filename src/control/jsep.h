/* control/jsep.h - descriptions on their way between client and plugin (janus-api.md 5): checked, compiled, stripped one way;
 * completed the other. Drives control/negotiate and the PeerConnection's life. */
#pragma once

#include "control/state.h"

struct jsep_error {
    int code;
    char reason[SDP_REASON_ROOM];
};

/* A client's jsep, for the plugin: *out is valid until the next call. False: *error is the reply. An answer completes the
 * exchange: the worker gets its orders before the plugin sees it. */
bool jsep_from_client(struct control *c, struct handle *handle, const json_t *jsep, struct jsep_in *out, struct jsep_error *error);

/* The plugin has handled the request that brought a jsep. An offer that it did not answer in it is forgotten, so the client
 * may offer again (the reference keeps its agent and answers 490 until a hangup). */
void jsep_settle(struct control *c, struct handle *handle);

/* A plugin's jsep, completed for the client: the text is in c->wire. ERR_INVALID: it could not be merged; ERR_FULL: no
 * room for a PeerConnection. Nothing has changed then. `full_trickle` says whether candidates must follow as events. */
enum err jsep_from_plugin(struct control *c, struct handle *handle, const struct jsep_out *jsep, bool *full_trickle);
/* The events that follow in full-trickle mode (janus-api.md 6.2). */
void jsep_trickle_events(struct control *c, struct handle *handle);
