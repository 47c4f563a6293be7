/* tests/unit/control/call.h - a session, a handle at the probe and a PeerConnection, for tests that need one to stand on. */
#pragma once

#include "control/server.h"

struct call {
    uint32_t client;
    long long session, handle;
    struct ref name;                    /* of the handle, as the plugin knows it */
    struct peer_ref peer;
    struct ref sources[2];              /* of the audio and video line */
};

/* Session and handle. */
void call_begin(struct server *s, struct call *call, uint32_t client);
/* A message that carries a jsep; `extra` are more members of the jsep. */
void call_jsep(struct server *s, const struct call *call, const char *what, const char *type, const char *sdp, const char *extra);
/* The client offers audio and video, the probe answers: `peer` and `sources` are known then. Forgets what was sent. */
void call_connect(struct server *s, struct call *call, const char *sdp, const char *extra);
void call_fact(struct server *s, const struct call *call, uint16_t type);     /* one that names the peer only */
/* janus, session_id, sender, then `rest`. */
void call_expect(struct server *s, const struct call *call, const char *janus, const char *rest);
