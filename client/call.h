/* client/call.h - the calls that stock pages make: EchoTest, publish in a VideoRoom, watch a publisher of a VideoRoom, talk in a TextRoom.
 * A handle and a PeerConnection, from attach to up. Owner: the program; the struct must outlive its connection's requests
 * (janus_lost or janus_fini ends them).
 *
 *   call_start -> on_state CALL_UP or CALL_FAILED ... CALL_ENDED -> call_stop */
#pragma once

#include "client/janus.h"
#include "client/net.h"

enum call_kind { CALL_ECHO, CALL_PUBLISH, CALL_VIEW, CALL_CHAT };

enum call_state {
    CALL_NEW,
    CALL_ATTACHING,
    CALL_JOINING,               /* rooms only */
    CALL_NEGOTIATING,
    CALL_CONNECTING,
    CALL_UP,                    /* both sides say so; CALL_CHAT: it is in the room */
    CALL_FAILED,                /* `error` says why */
    CALL_ENDED,                 /* was up */
};

struct call_config {
    enum call_kind kind;
    uint64_t session;
    uint64_t room;
    uint64_t feed;              /* CALL_VIEW */
    bool audio, video;          /* CALL_ECHO, CALL_PUBLISH */
    uint64_t name;              /* CALL_CHAT: of the user */
    uint8_t layers;             /* CALL_PUBLISH, CALL_ECHO: simulcast when above 1 */
    bool svc;                   /* CALL_PUBLISH with audio and video: VP9 with its layers in one stream; not with layers */
    uint16_t port;              /* of its socket (net.h) */
    bool data;                  /* CALL_PUBLISH, CALL_ECHO: a data line, too; not with layers */
};

struct call {
    struct net *net;
    struct janus *janus;
    struct call_config config;
    void (*on_state)(void *owner, usec_t now, struct call *call);
    /* CALL_CHAT: what comes once it is in the room; NULL: nobody listens. */
    void (*on_text)(void *owner, usec_t now, struct call *call, struct view text);
    void *owner;
    enum call_state state;
    struct janus_handle handle;
    bool attached;
    bool local_up, server_up;
    bool data_up;               /* call_send_data works */
    uint32_t messages;          /* that have come on data channels */
    uint64_t message_bytes;
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
/* CALL_CHAT, up: a text, as it is. */
void call_say(struct call *call, struct view text);
/* A message on the data channel of that label. ERR_FULL: later; other errors: never. */
enum err call_send_data(struct call *call, struct view label, bool binary, struct view bytes);
/* Sends the synth on the line of that kind, layer 0 being the lowest. False: it does not send. */
bool call_send(struct call *call, enum sdp_kind kind, uint8_t layer, struct synth *synth);
