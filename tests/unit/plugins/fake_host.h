/* tests/unit/plugins/fake_host.h - the server's side of plugins/plugin.h as a double: handles and their PeerConnections, what is
 * pushed to clients, sources and sinks. It holds plugins to their part of the contract: events are JSON objects, descriptions
 * can be parsed, lines are never lost, at most one offer of ours is open, nothing is pushed to handles that are gone.
 *
 * Clients speak by fake_say, hear by fake_hear; their answers and the moments when media comes up or ends are the test's. */
#pragma once

#include "support/seams.h"

#include <jansson.h>

#include "base/hash.h"
#include "plugins/plugin.h"
#include "proto/sdp/offer_answer.h"

#define FAKE_HANDLES 96
#define FAKE_LINES   SDP_MLINES_MAX
#define FAKE_DATA_MAX 65536u            /* what each client takes as one message */

struct fake_event {
    char transaction[16];               /* "" unsolicited */
    json_t *data;
    char jsep[8];                       /* "", "offer" or "answer" */
    char *sdp;
    bool restart, e2ee;
};

/* A message that a plugin has sent by host_data_send. */
struct fake_data {
    char label[DATA_LABEL_MAX + 1], protocol[DATA_PROTOCOL_MAX + 1];
    bool binary;
    uint8_t *bytes;
    size_t size;
};

struct fake_source {
    bool used;
    struct ref ref;
    uint32_t handle;
    struct source_desc desc;
    bool active;
    struct level_window window;
    struct inlet_options inlet;         /* of one that plain RTP feeds; else zeros */
    struct rate_cap cap;
    uint32_t caps;
    uint32_t keyframes;
};

struct fake_sink {
    bool used;
    struct ref ref;
    uint32_t handle;
    uint16_t mindex;
    struct ref source;
    struct sink_options options;
    uint32_t orders;                    /* set and switch */
    bool data;                          /* of a data line: no mindex, but a label */
    char label[DATA_LABEL_MAX + 1];
};

/* Sockets and forwards of plain RTP. */
struct fake_plain {
    bool used;
    struct ref ref;
    struct plain_options options;
};

struct fake_forward {
    bool used;
    struct ref ref, source;
    struct forward_way way;
    struct forward_options options;
};

#define FAKE_PLAINS   64
#define FAKE_FORWARDS 1024

struct fake_recording {
    bool used;
    struct ref ref;
    struct ref source;
    char folder[128], name[256], description[64];
    uint8_t pt, red_pt;
    bool orientation;
};

struct fake_handle {
    bool used;
    struct ref ref;
    void *state;
    bool gone;                          /* its client is: events are lost */
    uint64_t group;
    struct fake_event *events;          /* not heard yet */
    uint32_t event_count, event_room;
    /* the PeerConnection */
    bool has_pc, negotiated, up;
    bool client_offers;                 /* an offer of the client's is being worked on */
    bool we_offered;                    /* an offer of ours is not answered */
    bool closing;                       /* host_peer_close was called */
    uint16_t line_count;
    uint32_t source[FAKE_LINES];        /* index + 1 */
    uint32_t sink[FAKE_LINES];
    uint32_t descriptions;              /* of ours so far */
    char *offer;                        /* our last one */
    bool has_data;                      /* a data line is negotiated */
    uint32_t data_again;                /* calls of host_data_again */
    bool full;                          /* the test's: host_data_send says ERR_FULL */
    struct fake_data *data;             /* sent, not taken yet */
    uint32_t data_count, data_room;
};

struct fake_reply {
    enum plugin_outcome outcome;
    json_t *body;                       /* of PLUGIN_SYNC; NULL else. The next fake_say frees it */
};

/* An operation that a plugin has begun (plugin.h, "operations"). */
struct fake_op {
    bool open;
    uint32_t handle;
    char transaction[16];
    json_t *body;
    void *data;
    bool acked, over;
    char *path;                         /* host_file_save */
    char *bytes;
    size_t size;
};

#define FAKE_OPS 32

struct host {
    const struct plugin_desc *desc;
    void *plugin;
    struct conf_node *conf;
    struct rng rng;
    uint64_t seed;
    struct hash_key key;
    usec_t now;
    uint64_t wall_us;
    struct buf reply;
    struct fake_handle handles[FAKE_HANDLES];
    uint32_t generation;
    struct fake_source *sources;
    uint32_t source_count, source_room;
    struct fake_sink *sinks;
    uint32_t sink_count, sink_room;
    enum err refuse;                    /* the next description gets this */
    char posted_url[256], posted[512];  /* the last text for another web server, cut */
    bool posted_public_only;
    bool deaf;                          /* no event handler listens */
    uint32_t notices;
    struct ref noticed_handle;
    char noticed[2048];                 /* the last text for event handlers, cut */
    uint32_t posts;
    bool offers_again;                  /* the plugin may offer over its own unanswered offer */
    bool tokens_signed;
    const char *token, *token_descriptor;   /* the one that is valid, and what it contains */
    uint32_t saves_unasked;             /* by host_file_save without a request; and the last one's bytes */
    char saved_unasked[2048];
    struct fake_recording recordings[64];       /* used ones run */
    uint32_t recording_count;                   /* begun so far */
    bool refuse_recording;                      /* the next ones get REF_NONE */
    struct fake_op ops[FAKE_OPS];       /* oldest first */
    uint32_t op_count;
    const struct plugin_request *in_hand;
    struct fake_op *op_in_hand;
    struct net_addr answer_addr;        /* of the next operation that ends */
    char asked_name[DATA_LABEL_MAX + 1];        /* by host_name_find */
    struct fake_plain plains[FAKE_PLAINS];
    struct fake_forward forwards[FAKE_FORWARDS];
    enum err refuse_op;                 /* the next one gets this */
    bool again;                         /* the plugin's `turn` is wanted */
    struct fake_reply last;
    uint32_t transactions;
    char last_transaction[16];          /* of what was said last, or ended last */
    uint32_t logged;
    char last_log[512];
    uint32_t stale;                     /* verbs about nobody */
    uint32_t events;
    size_t outstanding;
    bool traces;
};

/* `conf`: text of the plugin's .jcfg; NULL: it has none. */
void fake_start(struct host *host, const struct plugin_desc *desc, const char *conf);
/* Detaches all (which ends what they have open), ends the plugin, and fails unless all memory is home. */
void fake_stop(struct host *host);

uint32_t fake_attach(struct host *host);            /* a handle, by its number from here on */
void fake_detach(struct host *host, uint32_t handle);

/* `body` with ' for ". `jsep`: "offer", "answer" or NULL; then `sdp` as webrtc.md 2 leaves it. ACK is "" here. */
struct fake_say {
    const char *jsep, *sdp;
    bool e2ee;
    const struct jsep_simulcast *simulcast;
    size_t simulcast_count;
    const char *svc;                    /* JSON array */
};
const struct fake_reply *fake_say_jsep(struct host *host, uint32_t handle, const struct fake_say *jsep, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
const struct fake_reply *fake_say(struct host *host, uint32_t handle, const char *format, ...) __attribute__((format(printf, 3, 4)));
const struct fake_reply *fake_admin(struct host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The oldest operation that is open; NULL: none. */
const struct fake_op *fake_op(struct host *host);
enum err fake_begin_op(struct host *host, const struct plugin_request *request, void *data, struct fake_op **out);
/* Opened sockets and running forwards; and the end of the oldest operation with an address ("10.0.0.9"), or as refused. */
uint32_t fake_plain_count(const struct host *host);
uint32_t fake_forward_count(const struct host *host);
const struct fake_forward *fake_forward_at(const struct host *host, uint32_t n);
uint32_t fake_inlet_count(const struct host *host);
const struct fake_source *fake_inlet_at(const struct host *host, uint32_t n);
uint32_t fake_new_source(struct host *host, uint32_t handle, const struct source_desc *desc);       /* its index */
const struct fake_reply *fake_end_op_at(struct host *host, const char *ip, uint16_t port);
/* Its end. What the plugin says then is the outcome; ERR_TIMEOUT and ERR_GONE are endings like others. */
const struct fake_reply *fake_end_op(struct host *host, enum err status, const char *text);
/* Between the two halves of this double: what `message` or `resume` returned; the end of a handle. */
void fake_take_outcome(struct host *host, enum plugin_outcome outcome);
void fake_end_ops_of(struct host *host, uint32_t handle);

/* The recording that runs and whose name begins with that; NULL: none. */
const struct fake_recording *fake_recording(const struct host *host, const char *prefix);
uint32_t fake_recordings(const struct host *host);          /* that run */
void fake_break_recording(struct host *host, const char *prefix, const char *why);

/* What happens to PeerConnections: closes that plugins asked for are done by fake_turn. */
void fake_turn(struct host *host);
void fake_up(struct host *host, uint32_t handle);
void fake_hangup(struct host *host, uint32_t handle);
/* An answer to our last offer; the caller frees it. */
char *fake_answer_text(struct host *host, uint32_t handle, uint64_t rejected);
/* The client answers our last offer, by the request `verb` ("start"); lines whose bit is set are rejected. */
void fake_answer_but(struct host *host, uint32_t handle, const char *verb, uint64_t rejected);
void fake_answer(struct host *host, uint32_t handle, const char *verb);

/* The next event of a handle; NULL: none. Owned by the host until the next call. */
const struct fake_event *fake_hear(struct host *host, uint32_t handle);
/* It must be that one: JSON with ' for ", where "*" as a value fits anything. `*_reply`: it has the last request's transaction;
 * `*_told`: it has none. The event is returned for its jsep. */
const struct fake_event *expect_reply(struct host *host, uint32_t handle, const char *format, ...) __attribute__((format(printf, 3, 4)));
const struct fake_event *expect_told(struct host *host, uint32_t handle, const char *format, ...) __attribute__((format(printf, 3, 4)));
void expect_sync(struct host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));
void expect_silence(struct host *host, uint32_t handle);
void expect_nothing(struct host *host);             /* nobody hears anything more */
void fake_forget(struct host *host);                /* all that was not heard */
/* An error: the code alone, in a reply or (`handle` UINT32_MAX) in the synchronous answer. */
void expect_error(struct host *host, uint32_t handle, int code);
void expect_error_text(struct host *host, uint32_t handle, int code, const char *text);

struct fake_source *fake_source(struct host *host, uint32_t handle, uint16_t mindex);      /* NULL: the line receives nothing */
struct fake_sink *fake_sink(struct host *host, uint32_t handle, uint16_t mindex);
uint32_t fake_sinks_alive(const struct host *host);
void fake_layer(struct host *host, uint32_t handle, uint16_t mindex, int substream, int temporal);
/* A client's message; what the plugin's `data` said about it. */
bool fake_data(struct host *host, uint32_t handle, const char *label, const char *protocol, bool binary, struct view bytes);
/* Its channels can be written to (again): `full` ends, the plugin is told. */
void fake_data_ready(struct host *host, uint32_t handle);
/* The next message sent to a handle; NULL: none. Owned by the host until the next call. */
const struct fake_data *fake_take_data(struct host *host, uint32_t handle);
struct fake_sink *fake_data_sink(struct host *host, uint32_t handle, const char *label);      /* NULL: none */
bool json_fits(const json_t *got, const json_t *wanted);
int64_t fake_int(const json_t *object, const char *name);      /* fails when it is not there */
