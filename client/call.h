/* client/call.h - the three calls that stock pages make: EchoTest, publish in a VideoRoom, watch a publisher of a VideoRoom.
 * A handle and a PeerConnection, from attach to up. Owner: the program; the struct must outlive its connection's requests
 * (janus_lost or janus_fini ends them).
 *
 *   call_start -> on_state CALL_UP or CALL_FAILED ... CALL_ENDED -> call_stop */
#pragma once

#include "client/janus.h"
#include "client/net.h"

enum call_kind { CALL_ECHO, CALL_PUBLISH, CALL_VIEW };

enum call_state {
    CALL_NEW,
    CALL_ATTACHING,
    CALL_JOINING,               /* rooms only */
    CALL_NEGOTIATING,
    CALL_CONNECTING,
    CALL_UP,                    /* both sides say so */
    CALL_FAILED,                /* `error` says why */
    CALL_ENDED,                 /* was up */
};

struct call_config {
    enum call_kind kind;
    uint64_t session;
    uint64_t room;
    uint64_t feed;              /* CALL_VIEW */
    bool audio, video;          /* CALL_ECHO, CALL_PUBLISH */
    uint8_t layers;             /* CALL_PUBLISH, CALL_ECHO: simulcast when above 1 */
};

struct call {
    struct net *net;
    struct janus *janus;
    struct call_config config;
    void (*on_state)(void *owner, usec_t now, struct call *call);
    void *owner;
    enum call_state state;
    struct janus_handle handle;
    bool attached;
    bool local_up, server_up;
    uint64_t user;              /* CALL_PUBLISH: our id in the room, what viewers name as feed */
    struct net_endpoint *peer;
    usec_t asked_at;            /* the first request of the call proper: join, or the echo's offer */
    usec_t up_at;
    char error[160];
};

/* `on_state` may be NULL. */
void call_start(struct call *call, struct net *net, struct janus *janus, const struct call_config *config,
                void (*on_state)(void *owner, usec_t now, struct call *call), void *owner);
void call_stop(struct call *call);          /* closes the PeerConnection and detaches; harmless when repeated */
/* What came in, of a kind (verify.h); NULL: nothing. */
const struct verify *call_received(const struct call *call, enum sdp_kind kind);
/* Sends the synth on the line of that kind, layer 0 being the lowest. False: it does not send. */
bool call_send(struct call *call, enum sdp_kind kind, uint8_t layer, struct synth *synth);
