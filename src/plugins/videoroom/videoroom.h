/* plugins/videoroom/videoroom.h - the inside of the VideoRoom plugin (videoroom.md): many publishers, many subscribers.
 *
 *   videoroom -> rooms -> participants (publisher role) -> pub_streams  <- sub_streams <- subscribers
 *
 * Owner: the control actor; everything runs to the end, so lists and pointers hold for the length of a call. A handle has
 * one role for life (videoroom.md 1). Who goes takes its links along: participant_leave, subscriber_leave and stream_drop
 * are the only places that cut them. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "plugins/acl.h"
#include "plugins/fields.h"
#include "plugins/plugin.h"
#include "plugins/schema.h"
#include "proto/sdp/offer_answer.h"

#define VR_CODECS_MAX       5       /* of one kind in a room's list (videoroom.md 2.3) */
#define VR_ROOMS_MAX        100000u
#define VR_SUB_STREAMS_MAX  SDP_MLINES_MAX
#define VR_ID_TEXT_MAX      256u    /* string ids */
#define VR_TEXT_MAX         65536u  /* display, metadata, all descriptions together: what is repeated to everybody */
#define VR_EVENT_BYTES      (8u * 1024u * 1024u)
#define VR_BITRATE_FLOOR    64000u
#define VR_PUBLISHERS       3
#define VR_FORWARDS_MAX     256u    /* of one publisher */
#define VR_REMOTIZATIONS_MAX 64u    /* of one publisher */
#define VR_REMOTE_STREAMS_MAX 64u   /* of a remote publisher */
#define VR_OFFERS_A_TURN    64u     /* unasked, about 15 us each */
#define VR_LISTED_A_TURN    500u    /* rooms, 3 us each that has changed */
#define VR_LISTS_MAX        8u      /* long ones being written; more wait for their turn */

enum vr_error {                     /* videoroom.md 18 */
    VR_OK = 0,
    VR_NO_MESSAGE = 421,
    VR_INVALID_JSON = 422,
    VR_INVALID_REQUEST = 423,
    VR_JOIN_FIRST = 424,
    VR_ALREADY_JOINED = 425,
    VR_NO_SUCH_ROOM = 426,
    VR_ROOM_EXISTS = 427,
    VR_NO_SUCH_FEED = 428,
    VR_MISSING = 429,
    VR_INVALID_ELEMENT = 430,
    VR_INVALID_SDP_TYPE = 431,
    VR_PUBLISHERS_FULL = 432,
    VR_UNAUTHORIZED = 433,
    VR_ALREADY_PUBLISHED = 434,
    VR_NOT_PUBLISHED = 435,
    VR_ID_EXISTS = 436,
    VR_INVALID_SDP = 437,
    VR_INVALID_FEED = 438,
    VR_UNKNOWN = 499,
};

/* A room's or a participant's name: a number, or with `string_ids` a text. */
struct vr_id {
    uint64_t number;
    char *text;                     /* NULL in integer mode */
};

struct videoroom {
    struct host *host;
    struct map rooms;
    struct map forwards;            /* vr_forward.by_id */
    char *admin_key;
    bool admin_key_closed;          /* it is one that everybody knows (security.md) */
    bool lock_rtp_forward;
    bool string_ids;
    struct list owed;               /* vr_subscriber.owed: what has changed for them is offered in turns to come */
    uint32_t lists_open;            /* `list` requests that are being written */
};

struct vr_room {
    struct map_node node;           /* in videoroom.rooms, by id */
    struct vr_id id;
    char *description;
    char *secret;
    char *pin;
    char *vp9_profile;
    char *h264_profile;
    char *rec_dir;
    bool is_private, require_pvtid, signed_tokens, require_e2ee, bitrate_cap, opus_fec, opus_dtx, audiolevel_ext, audiolevel_event;
    bool videoorient_ext, playoutdelay_ext, twcc_ext, record, lock_record, notify_joining, dummy_publisher;
    uint32_t publishers_max;
    uint32_t bitrate_bps;
    uint16_t fir_freq_s;
    uint32_t audio_active_packets;
    uint32_t audio_level_average;
    uint8_t audio_codecs[VR_CODECS_MAX];    /* enum codec, in order of preference; CODEC_NONE: an empty slot */
    uint8_t video_codecs[VR_CODECS_MAX];
    bool management_closed;         /* its secret is one that everybody knows (security.md) */
    struct acl acl;
    struct list participants;       /* vr_participant.of_room */
    struct map by_id;               /* vr_participant.node */
    struct map by_private_id;       /* vr_participant.private_node */
    struct list subscribers;        /* vr_subscriber.of_room */
    uint32_t participant_count;
    char *listed;                   /* its object in `list`, dropped on change */
    usec_t fir_at;                  /* fir_freq: last time asked */
};

/* One m-line of a publisher. */
struct vr_pub_stream {
    struct vr_participant *owner;
    uint16_t mindex;
    char mid[MID_TEXT];
    uint8_t kind;                   /* enum media_kind */
    bool disabled;
    bool active;                    /* the publisher's own choice (`send`) */
    bool moderated;
    bool simulcast;
    bool svc;                       /* its layers come in one stream */
    bool described;                 /* by dependency descriptors */
    bool fec, dtx, stereo;
    uint8_t codec;                  /* enum codec; CODEC_NONE */
    char profile[16];               /* h264 or vp9; "" unknown */
    bool talking;
    bool level_known;               /* a whole window has been heard */
    double level;                   /* its average, in -dBov */
    uint8_t audiolevel_id, videoorient_id, playoutdelay_id;
    int16_t min_delay, max_delay;
    char *description;
    struct ref source;
    struct ref recording;           /* REF_NONE: none, or it has failed */
    struct ref recorded;            /* the source that it was begun for */
    char *record_name;
    struct list subs;               /* vr_sub_stream.of_source */
    struct list data_feeds;         /* MEDIA_DATA: vr_data_feed.of_source */
};

/* Where a publisher's stream goes outside (videoroom.md 6). It goes with its stream. */
struct vr_forward {
    struct map_node by_id;
    struct list of_owner;           /* in participant.forwards, in order of making */
    struct vr_pub_stream *stream;
    struct vr_remotization *remote; /* NULL: made by rtp_forward */
    uint32_t stream_id;             /* random, one of all in the plugin */
    struct forward_way way;
    struct forward_options options;
    uint32_t ssrc;                  /* that was asked for; 0: none */
    uint16_t rtcp_port;             /* theirs; 0: no RTCP */
    uint16_t local_rtcp_port;
    struct ref ref;                 /* REF_NONE: nothing flows */
};

/* A publisher that is published on another server as well (videoroom.md 7.4): each of its streams goes there, whenever it publishes,
 * until unpublish_remotely or its leaving. */
struct vr_remotization {
    struct list of_owner;           /* in participant.remotizations */
    struct vr_participant *owner;
    char *remote_id;
    char *host;                     /* as it was given */
    struct net_addr to;
    uint16_t rtcp_port;             /* theirs; 0: none */
    struct ref rtcp;                /* where they ask for keyframes; REF_NONE: nowhere, or there is no media yet */
    struct srtp_master srtp;
};

/* What a dummy is said to send (`dummy_streams`). */
struct vr_dummy_stream {
    uint8_t codec;
    const char *fmtp;               /* NULL: none */
};

#define VR_DUMMY_STREAMS_MAX 32u

/* Somebody in a room: a handle that joined as publisher, publishing or not; a publisher of another server; or nobody at all, who
 * is there to be subscribed to until somebody comes (videoroom.md 14.8). The last two have no handle, and have started for good. */
struct vr_participant {
    struct map_node node;           /* in room.by_id */
    struct map_node private_node;
    struct list of_room;
    struct vr_session *session;     /* NULL: remote or dummy */
    bool remote;
    bool dummy;
    struct ref inlets[2];           /* remote: the sockets that it comes through: RTP, RTCP */
    struct srtp_master srtp;        /* remote: what it is sealed with */
    struct vr_room *room;           /* NULL: left, kicked, or the room is gone */
    struct vr_id id;
    uint32_t private_id;
    char *display;
    char *metadata;                 /* compact JSON */
    bool started;                   /* its PeerConnection is up */
    bool kicked;
    bool e2ee;
    bool record;                    /* asked for by its owner or by enable_recording */
    char *record_base;              /* `filename` */
    uint32_t bitrate_bps;
    uint32_t audio_active_packets;  /* 0: the room's */
    uint32_t audio_level_average;
    uint8_t audio_codec;            /* forced by a request; CODEC_NONE */
    uint8_t video_codec;
    uint16_t stream_count;
    struct vr_pub_stream **streams; /* by m-line index */
    char *joined;                   /* its object in others' `joined`, dropped on change */
    uint32_t publication;           /* raised when its media ends: what waited for it is too late then */
    struct list forwards;           /* struct vr_forward */
    struct list remotizations;      /* struct vr_remotization */
    struct ref plain[2];            /* that these go through: IPv4, IPv6; REF_NONE: not needed yet */
    struct list own_subs;           /* vr_subscriber.of_owner: subscriptions made with its private_id */
};

/* One source of a subscription's data line: each comes on a channel of its own, whose label is the publisher's id. */
struct vr_data_feed {
    struct list of_line;            /* in sub_stream.data_feeds */
    struct list of_source;          /* in pub_stream.data_feeds */
    struct vr_sub_stream *line;
    struct vr_pub_stream *source;
    struct ref sink;
};

/* One m-line of a subscription. Never removed: without a source it is inactive, and may be used again. */
struct vr_sub_stream {
    struct vr_subscriber *owner;
    struct list of_source;          /* in pub_stream.subs while it has one */
    struct vr_pub_stream *source;   /* NULL on a data line */
    struct list data_feeds;         /* on a data line, of which there is one: struct vr_data_feed */
    uint16_t mindex;
    uint8_t kind;
    uint8_t codec;
    bool ready;                     /* an answer took it */
    bool red;                       /* and takes redundant audio */
    bool send;
    char *crossrefid;
    struct ref sink;
    uint8_t substream_target, temporal_target;
    uint8_t spatial_target, temporal_layer_target;      /* the same of SVC */
    uint32_t fallback_us;
    int16_t min_delay, max_delay;
    int8_t substream, temporal;     /* relayed now; of SVC the spatial and the temporal layer */
};

struct vr_subscriber {
    struct list of_room;
    struct list of_owner;
    struct vr_session *session;
    struct vr_room *room;
    struct vr_participant *owner;   /* with require_pvtid: whose private_id it came with */
    uint32_t private_id;
    bool autoupdate;
    bool use_msid;
    bool paused;
    bool answered;                  /* no offer is out that waits for its answer */
    bool down;                      /* its PeerConnection has ended: nothing is offered unasked */
    bool pending_offer;             /* something has changed while an offer was out */
    bool pending_restart;
    bool skipped_autoupdate;        /* something has changed that was not offered: the next change makes up for it */
    bool kicked;                    /* its owner was: media is cut for good */
    bool e2ee;
    bool left;
    struct list owed;               /* in videoroom.owed */
    uint64_t offer_version;
    uint16_t stream_count;
    struct vr_sub_stream **streams; /* by m-line index */
};

enum vr_role { VR_ROLE_NONE, VR_ROLE_PUBLISHER, VR_ROLE_SUBSCRIBER };

/* The state of a handle; zeroed when it is attached. */
struct vr_session {
    struct ref handle;
    uint8_t role;                   /* enum vr_role */
    struct vr_participant *participant;
    struct vr_subscriber *subscriber;
};

struct vr_job;

/* One request while it is worked on. A function returns VR_OK and has written its answer's members to `j`, or an error code
 * and has filled `error`. */
struct vr_call {
    struct videoroom *vr;
    struct vr_session *session;     /* NULL: Admin API */
    const struct plugin_request *request;
    json_t *body;
    struct json_out j;
    struct buf text;                /* what j writes to */
    bool replied;                   /* the function has pushed its answer itself */
    bool waits;                     /* it has begun an operation; its job goes on with the answer */
    struct vr_job *job;             /* of a request that goes on */
    const struct plugin_answer *answer;
    char error[SDP_REASON_ROOM + 64];
};

typedef enum vr_error vr_request_fn(struct vr_call *call);

enum vr_credential { VR_FREE, VR_ROOM_SECRET };

/* One request, one function, one row (design section 8). */
struct vr_request {
    const char *name;
    const struct schema_field *fields;      /* checked in order, before anything else */
    size_t field_count;
    vr_request_fn *run;
};

extern const struct vr_request vr_sync_requests[];
extern const size_t vr_sync_request_count;
extern const struct vr_request vr_publisher_requests[];
extern const size_t vr_publisher_request_count;
extern const struct vr_request vr_subscriber_requests[];
extern const size_t vr_subscriber_request_count;

#define VR_FIELDS(table) (table), ARRAY_COUNT(table)

/* A request that waits for an operation: embedded first in what it has to remember, and freed by its own `go_on`, which is called
 * with the answer. Rooms and participants may have gone meanwhile: it finds them anew, by name. */
struct vr_job {
    vr_request_fn *go_on;
};

/* ---- call.c: errors, answers, fields ---- */
enum vr_error vr_fail(struct vr_call *call, enum vr_error code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void vr_write_error(struct vr_call *call, enum vr_error error, const char *text);
void vr_call_begin(struct vr_call *call);
void vr_call_end(struct vr_call *call);
enum vr_error vr_check_fields(struct vr_call *call, const struct schema_field *fields, size_t count, const json_t *object);
/* SECRET(name) of videoroom.md 0. `expected` NULL: nothing is asked for. */
enum vr_error vr_check_secret(struct vr_call *call, const char *name, const char *expected);
enum vr_error vr_check_admin_key(struct vr_call *call);
void vr_reply(struct vr_call *call, const struct jsep_out *jsep, enum err *sent);      /* pushes the answer of an async request now */
/* The core could not make or merge the description (its client being gone is no refusal). */
static inline bool vr_was_refused(enum err sent)
{
    return sent != ERR_NONE && sent != ERR_GONE;
}
static inline char *vr_strdup(const char *text)
{
    return text_copy(text);
}
static inline bool vr_bool(const json_t *object, const char *name, bool fallback)
{
    return field_bool(object, name, fallback);
}
static inline int64_t vr_int(const json_t *object, const char *name, int64_t fallback)
{
    return field_int(object, name, fallback);
}
static inline const char *vr_text(const json_t *object, const char *name)
{
    return field_text(object, name);
}
uint32_t vr_u32(const json_t *object, const char *name, uint32_t fallback);
uint16_t vr_u16(const json_t *object, const char *name, uint16_t fallback);
void vr_set_delays(const json_t *object, int16_t *min_delay, int16_t *max_delay);

/* ---- id.c ---- */
/* The id in `object`.`name`; text borrowed. `required` false: absent is fine and gives number 0. */
enum vr_error vr_id_read(struct vr_call *call, const json_t *object, const char *name, bool required, struct vr_id *out);
bool vr_id_text_is_fine(struct view text);
bool vr_id_is_unset(const struct vr_id *id);
struct vr_id vr_id_copy(const struct vr_id *id);
struct vr_id vr_id_random(struct videoroom *vr);
void vr_id_free(struct vr_id *id);
bool vr_id_equal(const struct vr_id *a, const struct vr_id *b);
uint64_t vr_id_hash(const struct videoroom *vr, const struct vr_id *id);
void vr_id_write(struct json_out *j, const char *key, const struct vr_id *id);
#define VR_ID_SHOWN (VR_ID_TEXT_MAX + 1)
const char *vr_id_show(const struct vr_id *id, char out[VR_ID_SHOWN]);

/* ---- room.c ---- */
struct vr_room *vr_room_find(struct videoroom *vr, const struct vr_id *id);
/* ROOM of videoroom.md 0: field `room`. */
enum vr_error vr_room_of(struct vr_call *call, struct vr_room **out);
struct vr_room *vr_room_new(struct videoroom *vr, const struct vr_id *id);     /* defaults of 2.3 */
void vr_room_add(struct videoroom *vr, struct vr_room *room);
void vr_room_free(struct videoroom *vr, struct vr_room *room);                  /* nobody may be in it */
bool vr_room_codecs(uint8_t out[VR_CODECS_MAX], const char *list, bool video, bool strict);
void vr_room_allows(const uint8_t codecs[VR_CODECS_MAX], enum codec codec, bool *out);
void vr_room_changed(struct vr_room *room);
const char *vr_room_listed(struct videoroom *vr, struct vr_room *room);
struct vr_participant *vr_room_participant(const struct videoroom *vr, const struct vr_room *room, const struct vr_id *id);
struct vr_participant *vr_room_feed(const struct videoroom *vr, const struct vr_room *room, const struct vr_id *id);  /* started only */
uint32_t vr_room_started(const struct vr_room *room);
void vr_rooms_from_conf(struct videoroom *vr, const struct conf_node *conf);
void vr_floor_bitrate(uint32_t *bps);
/* req_room.c: ROOM and its secret; and everybody out of a room that goes. */
enum vr_error vr_managed_room(struct vr_call *call, struct vr_room **room);
void vr_room_empty(struct videoroom *vr, struct vr_room *room);

/* ---- participant.c ---- */
struct vr_participant *vr_participant_new(struct vr_session *session);
/* `wanted`, or when it is unset a random one that nobody has. */
struct vr_id vr_new_user_id(struct videoroom *vr, const struct vr_room *room, const struct vr_id *wanted);
void vr_participant_join(struct videoroom *vr, struct vr_participant *p, struct vr_room *room);
/* Out of its room for good; others are not told here. Media it sends is relayed no longer. */
void vr_participant_part(struct videoroom *vr, struct vr_participant *p);
void vr_participant_free(struct videoroom *vr, struct vr_participant *p);
void vr_participant_changed(struct vr_participant *p);
/* The media has ended: streams go, subscribers are offered what is left, `unpublished` is told (videoroom.md 4). */
void vr_participant_unpublish(struct videoroom *vr, struct vr_participant *p);
struct vr_pub_stream *vr_stream_by_mid(const struct vr_participant *p, const char *mid);
struct vr_pub_stream *vr_stream_add(struct vr_participant *p, uint16_t mindex);
void vr_streams_cut(struct videoroom *vr, struct vr_participant *p, uint16_t count);     /* the first `count` stay */
void vr_stream_apply(struct videoroom *vr, struct vr_pub_stream *stream);      /* active and moderated, to the media graph */
void vr_participant_caps(struct videoroom *vr, struct vr_participant *p, bool ramp, bool now);

/* ---- forward.c ---- */
/* Its socket and its RTCP socket are the forward's from now on, or (false: at a limit, or its stream has no media) still the caller's. */
bool vr_forward_add(struct videoroom *vr, struct vr_pub_stream *stream, const struct vr_forward *like);
void vr_forward_free(struct videoroom *vr, struct vr_forward *forward);
struct vr_forward *vr_forward_find(struct videoroom *vr, const struct vr_participant *p, uint32_t stream_id);
void vr_forwards_of_stream_free(struct videoroom *vr, struct vr_pub_stream *stream);
void vr_forwards_go_on(struct videoroom *vr, struct vr_pub_stream *stream);      /* its source has been replaced; those with a key end */
/* dummy.c: somebody who is there to be subscribed to until somebody comes. */
void vr_dummy_join(struct videoroom *vr, struct vr_room *room, const struct vr_dummy_stream *streams, uint32_t count, bool e2ee);
/* talk.c */
void vr_talk_apply(struct videoroom *vr, struct vr_participant *p);        /* windows, to the media graph */
void vr_source_level(void *plugin, void *state, struct ref source, bool talking, double average);
bool vr_has_levels(const struct vr_participant *p);
bool vr_is_talking(const struct vr_participant *p);
/* remote.c: publishers of other servers, here and there */
void vr_remotization_free(struct videoroom *vr, struct vr_remotization *remote);
void vr_remotizations_free(struct videoroom *vr, struct vr_participant *p);
void vr_remotizations_pause(struct videoroom *vr, struct vr_participant *p);         /* its media ends; its streams' forwards go with them */
void vr_remotizations_extend(struct videoroom *vr, struct vr_participant *p);        /* streams that have come since */
struct vr_remotization *vr_remotization_find(const struct vr_participant *p, const char *remote_id);
/* A stream of the far side's has media, or none any more. */
void vr_remote_stream_open(struct videoroom *vr, struct vr_pub_stream *stream, uint8_t layers);
/* Gone for good; subscribers and participants are told. */
void vr_remote_leave(struct videoroom *vr, struct vr_participant *p, const char *key);
void vr_write_forward(struct json_out *j, const struct vr_forward *forward);

/* ---- record.c ---- */
/* Begins and ends recordings as room and participant want them now. */
void vr_record_apply(struct videoroom *vr, struct vr_participant *p);
void vr_record_stop(struct videoroom *vr, struct vr_pub_stream *stream);
void vr_record_forget(struct vr_pub_stream *stream);               /* its source has ended, and the recording with it */
/* `record` and `filename` of a request. */
void vr_record_configure(struct vr_call *call, struct vr_participant *p);
void vr_record_failed(void *plugin, void *state, struct ref recording, const char *why);
enum vr_error vr_req_enable_recording(struct vr_call *call);

/* ---- subscriber.c ---- */
struct vr_subscriber *vr_subscriber_new(struct vr_session *session, struct vr_room *room);
void vr_subscriber_free(struct videoroom *vr, struct vr_subscriber *s);
/* An m-line for `source`: the first inactive one of its kind and codec, else a new one. NULL: too many. */
struct vr_sub_stream *vr_sub_add(struct vr_subscriber *s, struct vr_pub_stream *source, bool recycle);
void vr_sub_set_source(struct videoroom *vr, struct vr_sub_stream *sub, struct vr_pub_stream *source);
void vr_sub_apply(struct videoroom *vr, struct vr_sub_stream *sub);             /* options and pauses, to the media graph */
void vr_subscriber_apply(struct videoroom *vr, struct vr_subscriber *s);
/* After an answer: which m-lines it took; their sinks are made. */
void vr_subscriber_answered(struct videoroom *vr, struct vr_subscriber *s, struct view answer);
/* The PeerConnection has gone, and the sinks with it. */
void vr_subscriber_hangup(struct vr_subscriber *s);
struct vr_sub_stream *vr_sub_by_mid(const struct vr_subscriber *s, const char *mid);
struct vr_sub_stream *vr_sub_by_sink(const struct vr_subscriber *s, struct ref sink);
bool vr_subscriber_has_source(const struct vr_subscriber *s);
/* A source has gone: the same unasked, if that is wanted; at once, or when `at_once` are used up in a later turn. */
void vr_subscriber_autoupdate(struct videoroom *vr, struct vr_subscriber *s, uint32_t *at_once);
void vr_subscribers_turn(void *plugin);
/* `updated` with all streams and a new offer, or remembered until the last offer is answered. */
void vr_subscriber_update(struct videoroom *vr, struct vr_subscriber *s, const char *transaction);
/* The same, with the reply begun in call->j; 437 when it can't be offered. */
enum vr_error vr_subscriber_reply_offer(struct vr_call *call, struct vr_subscriber *s, bool restart);

/* ---- data.c: the data line of a subscription ---- */
/* One more source. `line_changed`: an offer has to tell. False: it is among them already, or there are too many m-lines. */
bool vr_data_add(struct videoroom *vr, struct vr_subscriber *s, struct vr_pub_stream *source, bool *line_changed);
void vr_data_apply(struct videoroom *vr, struct vr_sub_stream *line);           /* pauses, to the media graph; makes what sinks are due */
void vr_data_del(struct videoroom *vr, struct vr_data_feed *feed);
void vr_data_clear(struct videoroom *vr, struct vr_sub_stream *line);
void vr_data_hangup(struct vr_sub_stream *line);                                /* its sinks are gone */
/* Its owner publishes it anew (another source), or no longer. */
void vr_data_rewire(struct videoroom *vr, struct vr_pub_stream *source);
void vr_data_drop_source(struct videoroom *vr, struct vr_pub_stream *source);
void vr_data_write(struct json_out *j, const struct vr_sub_stream *line);

/* ---- sdp_publish.c, sdp_subscribe.c ---- */
/* Answers the offer of a publisher, updating its streams; pushes the reply begun in call->j with it. */
enum vr_error vr_answer_publisher(struct vr_call *call, struct vr_participant *p);
/* The offer for what the subscription holds now. False: it can't be written. */
bool vr_offer_subscriber(struct videoroom *vr, struct vr_subscriber *s, struct buf *out);

/* ---- describe.c: objects of videoroom.md 8 and 11 ---- */
enum vr_form { VR_FORM_JOINED, VR_FORM_EVENT, VR_FORM_OWN };
void vr_write_stream(struct json_out *j, const struct vr_pub_stream *stream, enum vr_form form);
void vr_write_streams(struct json_out *j, const struct vr_participant *p, enum vr_form form);
void vr_write_session_streams(struct json_out *j, const struct vr_participant *p);       /* videoroom.md 17 */
void vr_write_codecs(struct json_out *j, const struct vr_participant *p);
void vr_write_publisher(struct json_out *j, const struct vr_participant *p, enum vr_form form);
const char *vr_joined_text(struct vr_participant *p);
void vr_write_sub_streams(struct json_out *j, const struct vr_subscriber *s);
void vr_write_name(struct json_out *j, const struct vr_participant *p);         /* display and metadata, if set */

/* ---- notify.c: events to others ---- */
void vr_tell(struct videoroom *vr, const struct vr_session *session, struct view body);
void vr_tell_others(struct videoroom *vr, const struct vr_room *room, const struct vr_participant *but, struct view body);
void vr_notify_publishers(struct videoroom *vr, const struct vr_participant *p);
void vr_notify_joining(struct videoroom *vr, const struct vr_participant *p);
/* {"videoroom":"event","room":R,<key>:ID,display,metadata}: unpublished, leaving, kicked. */
void vr_notify_gone(struct videoroom *vr, const struct vr_room *room, const struct vr_participant *p, const char *key);
void vr_notify_layer(struct videoroom *vr, const struct vr_sub_stream *sub, const char *key, int value);
