/* client/janus.h - the Janus API as a client speaks it (janus-api.md): requests with transactions, their replies, events of
 * handles. Pure: it writes texts through `send` and reads those that it is given. Owner: one connection.
 *
 *   janus_init -> janus_create, janus_attach, janus_message ... -> janus_input per text -> janus_fini
 * Each request calls its `done` exactly once: with the last reply that belongs to it (of a message that is acknowledged, the
 * event), or with NULL when the connection ends first (janus_lost, janus_fini). */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/slots.h"

#define JANUS_REQUEST_BYTES (256u * 1024u)
#define JANUS_PENDING_MAX   65536u

/* Lives during the call. */
struct janus_reply {
    const char *kind;               /* "success", "ack", "event", "error", "webrtcup" ... */
    uint64_t session;
    uint64_t sender;                /* a handle; 0: none */
    uint64_t id;                    /* data.id of create and attach */
    int error;                      /* of the core, or error_code of the plugin; 0: none */
    const char *reason;
    const json_t *data;             /* plugindata.data; NULL: none */
    const char *jsep_type;          /* NULL: no jsep */
    const char *jsep_sdp;
    const json_t *root;
};

typedef void (*janus_done)(void *owner, usec_t now, const struct janus_reply *reply);

/* Embedded by whoever wants the events of a handle that belong to no request. */
struct janus_handle {
    struct map_node node;
    uint64_t session;
    uint64_t id;
    void (*on_event)(struct janus_handle *handle, usec_t now, const struct janus_reply *event);
};

struct janus_counters {
    uint64_t requests;
    uint64_t replies;
    uint64_t events;
    uint64_t errors;                /* replies with a code */
    uint64_t strange;               /* no JSON, or nobody has asked for it */
};

struct janus {
    void (*send)(void *owner, struct view text);
    void *owner;
    struct slots pending;           /* by transaction */
    struct pool requests;
    struct map handles;             /* by id */
    struct hash_key key;
    uint64_t salt;                  /* transactions of two connections differ, as those of real clients: a session may be claimed */
    struct buf text;
    struct janus_counters counters;
};

void janus_init(struct janus *janus, struct rng *rng, void (*send)(void *owner, struct view text), void *owner);
void janus_lost(struct janus *janus, usec_t now);       /* the connection has gone: everything pending is done */
void janus_fini(struct janus *janus, usec_t now);       /* CHECKs that no handle listens */
void janus_input(struct janus *janus, usec_t now, struct view text);

void janus_ping(struct janus *janus, janus_done done, void *owner);
void janus_create(struct janus *janus, janus_done done, void *owner);
void janus_attach(struct janus *janus, uint64_t session, const char *plugin, janus_done done, void *owner);
/* `body` is JSON. `jsep_type` NULL: no description; else `sdp` goes along, complete (trickle: false). */
void janus_message(struct janus *janus, uint64_t session, uint64_t handle, struct view body, const char *jsep_type, struct view sdp,
                   janus_done done, void *owner);
/* The same; its jsep says with `svc` (JSON; NULL: nothing) which m-lines have their layers in one stream. */
void janus_message_svc(struct janus *janus, uint64_t session, uint64_t handle, struct view body, const char *jsep_type, struct view sdp,
                       const char *svc, janus_done done, void *owner);
/* "detach", "hangup", "destroy" (handle 0), "keepalive" (handle 0) */
void janus_plain(struct janus *janus, const char *verb, uint64_t session, uint64_t handle, janus_done done, void *owner);

void janus_listen(struct janus *janus, struct janus_handle *handle);      /* session, id and on_event are set */
void janus_unlisten(struct janus *janus, struct janus_handle *handle);
