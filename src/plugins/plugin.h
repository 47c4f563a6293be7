/* plugins/plugin.h - what a plugin is, and all that it can ask of the server.
 *
 * A plugin is control-side code: it runs on the control actor, to the end, and waits for nothing. It answers requests and
 * programs the media graph through the verbs below; what happens to peers comes back as facts (the callbacks of
 * plugin_desc). No verb calls back into the plugin: facts that a verb causes arrive in a later turn. So a plugin's state
 * needs no protection, and a handler may use its pointers until it returns.
 *
 * Names: a handle, a source and a sink are refs. A verb given a stale ref does nothing and is counted: a plugin may use
 * what it remembers without asking first whether it still exists.
 *
 * Order on the wire is the order of calls, per handle: `ack` first, then events in the order they were pushed.
 *
 * Verbs used per request are listed in docs/PLUGINS.md; a request that needs a new verb changes that table first. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/date.h"
#include "base/json_out.h"
#include "base/limits.h"
#include "base/rng.h"
#include "base/types.h"
#include "media/media_types.h"

struct host;                     /* the server's side; owned by control */

/* Descriptions of simulcast in a client's jsep, one per m-line that has it (janus-api.md 5.3). */
struct jsep_simulcast {
    uint16_t mindex;
    char mid[MID_TEXT];
    uint8_t layer_count;         /* 1..3 */
    bool by_rid;                 /* false: by SSRC */
};

/* What came with a request, after the core has checked, anonymised and compiled it. NULL in plugin_request: no jsep. */
struct jsep_in {
    const char *type;            /* "offer" or "answer", lower case */
    struct view sdp;             /* as webrtc.md section 2 leaves it */
    bool update;                 /* a renegotiation */
    bool e2ee;
    const struct jsep_simulcast *simulcast;
    size_t simulcast_count;
    const json_t *svc;           /* array as sent: objects with `svc` and `mindex` or `mid`; NULL: none */
};

/* What goes out with an event. The core completes the SDP (webrtc.md section 3). */
struct jsep_out {
    const char *type;            /* "offer" or "answer" */
    struct view sdp;
    bool restart;                /* ICE restart (offers only) */
    bool e2ee;
};

struct plugin_request {
    struct ref handle;
    const char *transaction;
    json_t *body;                /* an object; borrowed, valid during the call */
    const struct jsep_in *jsep;
    bool admin;                  /* came through the Admin API's message_plugin: no handle, replies only */
};

/* What became of a request. The reply text of PLUGIN_SYNC is what the plugin wrote into host_reply's buffer. */
enum plugin_outcome {
    PLUGIN_SYNC,                 /* answered now: host_reply() was filled with one JSON object (compact) */
    PLUGIN_ACK,                  /* accepted: the core sends `ack`; events with this transaction were or will be pushed */
    PLUGIN_ERROR,                /* core error 462; the text is what host_reply() holds */
    PLUGIN_WAIT,                 /* an operation has been begun for it: `resume` will say more; the client hears nothing yet */
};

/* What an operation ended with. Which members have a meaning is said by the verb that began it. */
struct plugin_answer {
    enum err status;             /* ERR_NONE; ERR_TIMEOUT its time was up; ERR_GONE the handle, its client or the server goes; or why not */
    void *data;                  /* as given to the verb */
    const char *text;            /* more about a failure; NULL: nothing */
    struct net_addr addr;
};

/* One message of a data channel (webrtc.md 19). Views are valid during the call. */
struct data_message {
    struct view label;           /* at most DATA_LABEL_MAX bytes, anything may be in them */
    struct view protocol;        /* at most DATA_PROTOCOL_MAX; empty: none. Sending: only a channel that is opened for it gets it */
    bool binary;
    struct view bytes;           /* may be empty */
};

struct plugin_desc {
    const char *package;         /* "janus.plugin.videoroom" */
    const char *name;
    const char *description;
    const char *author;
    const char *version_string;
    int version;
    const char *file_name;       /* "libjanus_videoroom.so": what `plugins.disable` lists say */
    const char *ack_hint;        /* `hint` of every ack, or NULL */
    size_t session_size;         /* bytes of per-handle state; zeroed, owned by control, given to every call below */

    /* `conf` is the plugin's own file, NULL when there is none. NULL result: the plugin is left out, with a logged reason. */
    void *(*init)(struct host *host, const struct conf_node *conf);
    void (*fini)(void *plugin);

    bool (*attach)(void *plugin, void *session, struct ref handle);          /* false: 461 */
    void (*detach)(void *plugin, void *session);                             /* last call; hangup_media came before it */
    enum plugin_outcome (*message)(void *plugin, void *session, const struct plugin_request *request);  /* session NULL: admin */
    /* An operation that the plugin began for `request` has ended; see "operations" below. NULL: it begins none. */
    enum plugin_outcome (*resume)(void *plugin, void *session, const struct plugin_request *request, const struct plugin_answer *answer);
    /* May this body (no jsep came with it) be served while an earlier request of its handle waits? Then it holds up no later
     * ones either. NULL: never. */
    bool (*may_overtake)(void *plugin, void *session, const json_t *body);

    void (*setup_media)(void *plugin, void *session);                        /* before `webrtcup` is sent; once per PeerConnection */
    void (*hangup_media)(void *plugin, void *session);                       /* idempotent: see plugin-model.md A.2 */
    void (*slow_link)(void *plugin, void *session, uint16_t mindex, bool video, bool uplink);     /* NULL: not interested */
    /* The layer that a sink relays has changed (-1: nothing yet). With sink_options.svc `substream` is the spatial layer. */
    void (*sink_layer)(void *plugin, void *session, struct ref sink, int substream, int temporal);
    /* A message came in. False: not now; the core keeps it, and what follows it, and offers it again after each data_ready of this
     * handle. Nothing more is read from the client meanwhile. NULL: messages only feed the graph (host_data_sink_add). */
    bool (*data)(void *plugin, void *session, const struct data_message *message);
    /* Messages can be sent: the channel has come up, or after ERR_FULL there is room again. NULL: not interested. */
    void (*data_ready)(void *plugin, void *session);
    /* Whoever speaks on this source has begun to, or has ended (host_source_levels). `session` NULL: host_source_open made it. */
    void (*source_level)(void *plugin, void *session, struct ref source, bool talking, double average);
    /* A recording has ended by itself: its file could not be opened, or written on. What is in it so far can be read. */
    void (*record_failed)(void *plugin, void *session, struct ref recording, const char *why);
    void (*tick)(void *plugin, usec_t now);                                  /* about once a second; NULL: none */
    /* In the next turn after host_again: what was left of long work that nobody waits for. At most a millisecond of it, then
     * host_again for the rest. NULL: never asked for. */
    void (*turn)(void *plugin);
    uint32_t (*count_rooms)(const void *plugin);                             /* NULL: it has none */
    void (*query)(void *plugin, void *session, struct json_out *out);        /* members of an object that the caller opened */
};

/* The static table of plugins, generated by the build; ends with NULL. */
extern const struct plugin_desc *const plugin_table[];

/* ---- words to clients ---------------------------------------------------------------------------------------------- */

/* The buffer for a synchronous answer or an error text; empty at the start of each message call. */
struct buf *host_reply(struct host *host);

/* Pushes `event` to the client of `handle`: `data` is one compact JSON object (spliced in the client's layout), `transaction`
 * ties it to a request (NULL: unsolicited). With `jsep` the SDP is completed and the PeerConnection created or updated first.
 * Result: ERR_NONE; ERR_GONE the handle is no more (or has no client: the event is dropped); ERR_INVALID the SDP could not be
 * merged (nothing was sent: the plugin answers with its own error). */
enum err host_event(struct host *host, struct ref handle, const char *transaction, struct view data, const struct jsep_out *jsep);

/* What the plugin tells event handlers (event-handlers.md 3.7): one compact JSON object, about a handle or, with REF_NONE, about none.
 * Ask first: nothing need be written when nobody listens. Secrets, tokens, pins never go in. */
bool host_notify_wanted(struct host *host);
void host_notify(struct host *host, struct ref handle, struct view json);

/* ---- peers ------------------------------------------------------------------------------------------------------------ */

void host_peer_close(struct host *host, struct ref handle);      /* "Close PC"; hangup_media follows */
bool host_peer_is_up(struct host *host, struct ref handle);      /* between setup_media and hangup_media */
void host_detach(struct host *host, struct ref handle);          /* ends the handle; the client gets `detached` */

/* A hint for placement, given before the first jsep: peers with equal group prefer one worker (a room's id hash). */
void host_peer_group(struct host *host, struct ref handle, uint64_t group);

/* ---- the media graph ---------------------------------------------------------------------------------------------------- */

/* What m-line `mindex` of the handle's PeerConnection receives, REF_NONE before its answer or when it does not receive. A data
 * line has a source like any other (kind MEDIA_DATA): all messages of all its channels. */
struct ref host_source(struct host *host, struct ref handle, uint16_t mindex);
bool host_source_desc(struct host *host, struct ref source, struct source_desc *out);

/* false: packets are dropped before fan-out (muted by their owner or by a moderator). Sinks keep continuity. */
void host_source_set_active(struct host *host, struct ref source, bool active);
void host_source_rate_cap(struct host *host, struct ref source, const struct rate_cap *cap);
/* From now on source_level tells when its audio levels change between talking and not; `packets` 0: no more. */
void host_source_levels(struct host *host, struct ref source, const struct level_window *window);
/* Asks the publisher for a keyframe; merged with other asks (design section 5). */
void host_keyframe(struct host *host, struct ref source);

/* From now on m-line `mindex` of `handle` sends what `source` receives. At most one sink per m-line: a second replaces it.
 * The sink dies with its handle's PeerConnection; when its source dies it falls silent and may be switched to another. */
struct ref host_sink_add(struct host *host, struct ref source, struct ref handle, uint16_t mindex, const struct sink_options *options);
void host_sink_set(struct host *host, struct ref sink, const struct sink_options *options);
void host_sink_switch(struct host *host, struct ref sink, struct ref source);   /* seamless; asks for a keyframe */
void host_sink_del(struct host *host, struct ref sink);

/* ---- recordings (recording.md) -------------------------------------------------------------------------------------------- */

/* Texts may be NULL: none. */
struct record_options {
    const char *folder;          /* made when it isn't there; NULL: the one that `name` begins with, else the working directory */
    const char *name;            /* of the file, without ".mjr"; NULL: a random one */
    uint8_t pt;                  /* payload type of its packets */
    uint8_t red_pt;              /* of those that are redundant audio; 0: there are none */
    bool orientation;            /* keep the video orientation */
    const char *fmtp;            /* of the header */
    const char *description;
};

/* What `source` sends is written to a file from now on, until host_record_stop or its end; video from the next keyframe on, which is
 * asked for; of several layers the best. Nothing waits: what can't be opened or written is told by record_failed, and the call goes
 * on. REF_NONE: the codec can't be recorded, the name can't be, or too many are. */
struct ref host_record_start(struct host *host, struct ref source, const struct record_options *options);
void host_record_stop(struct host *host, struct ref recording);

/* ---- data channels ------------------------------------------------------------------------------------------------------ */

/* Sends one message on the channel of that label; it is opened (reliable, ordered) when no side has opened it yet. Messages of one
 * handle arrive in the order of the calls, unless its channel is unordered. Result: ERR_NONE it is queued; ERR_GONE there is no
 * PeerConnection with data channels, or it is not up; ERR_FULL too much is queued for this client already: data_ready follows;
 * ERR_INVALID label or protocol too long, or more bytes than the client takes (host_data_max). */
enum err host_data_send(struct host *host, struct ref handle, const struct data_message *message);
/* The same to many handles, DATA_CAST_SIZE at most: one copy of it travels to each worker. `results[i]` is that of handles[i]. */
void host_data_send_all(struct host *host, const struct data_message *message, const struct ref *handles, size_t count, enum err *results);
/* What `data` has put off for this handle is offered again, in a later turn: the reason has gone. */
void host_data_again(struct host *host, struct ref handle);
size_t host_data_max(struct host *host, struct ref handle);       /* bytes of one message that the client takes; 0: no data channels */

/* From now on what the data line `source` receives goes to the data line of `handle`, on a channel with that label (cut to
 * DATA_LABEL_MAX), text as text and binary as binary. A data line may have many of these, one per source. Other verbs about sinks
 * take it too; of the options only `paused` means something. REF_NONE: the handle has no data line. */
struct ref host_data_sink_add(struct host *host, struct ref source, struct ref handle, struct view label, bool paused);

/* ---- operations: what can fail elsewhere or takes its time ----------------------------------------------------------------
 *
 * A verb that begins one takes the request, which waits from now on, and `data`, which is the plugin's own. ERR_NONE: `resume`
 * will be called exactly once for it, before the handle is detached; the request is given again, its body unchanged. ERR_FULL: too
 * much waits already, ERR_STATE: not from here (a jsep came with the request, an operation of it is open, or it is over):
 * nothing has begun, and the plugin answers now.
 *
 * `message` and `resume` end with PLUGIN_WAIT when they have begun one and have not answered; or with PLUGIN_ACK, when the client
 * shall have its ack at once: then `resume` must end with PLUGIN_ACK (or PLUGIN_WAIT) too. Any other outcome is the answer.
 * `resume` may begin the next operation of the request, unless it is told ERR_TIMEOUT or ERR_GONE: then it takes back what was
 * begun, by the names that it has, and answers with an error. All operations of a request have OP_TIME together (10 s).
 *
 * Other requests go on meanwhile, those of other handles always: what `resume` remembers of a room must be found anew by name. */

/* Long work is cut up: the operation is answered (ERR_NONE) in a later turn, and others are served in between. One a turn, in order. */
enum err host_yield(struct host *host, const struct plugin_request *request, void *data);

/* Writes `bytes` as the file `path`: whole or not at all, the old file stays until the new one is safe on the disk. Its folder
 * must exist. Saves of one path happen in the order of the calls. Answer: status, and text when it is ERR_IO. */
enum err host_file_save(struct host *host, const struct plugin_request *request, const char *path, struct view bytes, void *data);

/* The plugin's configuration file as it was read, to be changed (a group for each permanent room); NULL: there is no file, and
 * nothing can be made permanent. What it holds is written by host_conf_save, as host_file_save does it, into
 * <package>.jcfg: comments and @includes of the old file are gone then. ERR_INVALID: it has become too long to be read again. */
struct conf_node *host_conf(struct host *host);
enum err host_conf_save(struct host *host, const struct plugin_request *request, void *data);
/* Both verbs with `request` NULL, where there is none (a data channel): nobody waits, and a failure is logged only. */

/* ---- plain RTP ---------------------------------------------------------------------------------------------------------- */

/* An operation. Opens a socket on the worker of `source` (REF_NONE: as the options say); *plain is its name, which is the plugin's to close, whatever the answer
 * is. Answer: status, and in `addr` what was bound; ERR_INVALID: no such interface. Also ERR_GONE: there is no such source.
 * `request` NULL, where there is none (a publisher's own offer): nobody waits, and what goes through a socket that could not be had is
 * lost, with a warning in the log. */
enum err host_plain_open(struct host *host, const struct plugin_request *request, struct ref source, const struct plain_options *options,
                         void *data, struct ref *plain);
void host_plain_close(struct host *host, struct ref plain);

/* A source that such a socket feeds, like any other until it is closed: it is the plugin's to close. REF_NONE: at a limit, or a socket
 * is gone. Both sockets must be of one worker: the second is opened `beside` the first. */
struct ref host_source_open(struct host *host, const struct inlet_options *options);
void host_source_close(struct host *host, struct ref source);

/* From now on what `source` receives goes to an address outside as well. Dies with its source. REF_NONE: at a limit, or a name is
 * of somebody gone. */
struct ref host_forward_add(struct host *host, struct ref source, const struct forward_way *way, const struct forward_options *options);
void host_forward_del(struct host *host, struct ref forward);

/* An operation. The address of a host name: `addr` of the answer. ERR_INVALID: it is too long for a name. */
enum err host_name_find(struct host *host, const struct plugin_request *request, const char *name, enum net_family family, void *data);

/* ---- other servers ------------------------------------------------------------------------------------------------------ */

/* Posts a JSON text to a web server, in the order of the calls for one URL. Nobody hears what became of it; what can't be sent is
 * dropped, counted and logged. `public_only`: the URL came from somebody who need not be trusted, so it must not reach what is
 * behind our own walls: public addresses only. */
void host_http_post(struct host *host, const char *url, struct view json, bool public_only);

/* ---- the rest -------------------------------------------------------------------------------------------------------------- */

void host_again(struct host *host);                               /* `turn` is called in the next turn */
struct rng *host_rng(struct host *host);
const struct hash_key *host_hash_key(struct host *host);
bool host_memory_short(struct host *host);                        /* refuse what would be kept: the kernel ends us else */
usec_t host_now(struct host *host);                               /* monotonic, of this turn */
uint64_t host_wall_us(struct host *host);                         /* since the epoch, of this turn */
void host_date(struct host *host, char out[DATE_TEXT]);               /* the same as local time: "2031-12-01T08:09:10+0100" */
const char *host_config_path(struct host *host);                  /* folder of the configuration files */

/* Signed tokens (janus-api.md 7.2): `realm` is the package. */
bool host_token_mode_signed(struct host *host);
bool host_token_is_valid(struct host *host, const char *token, const char *realm);
bool host_token_contains(struct host *host, const char *token, const char *realm, const char *descriptor);

/* Levels of config-core.md 10. Secrets, tokens, pins never go in. */
void host_log(struct host *host, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));
