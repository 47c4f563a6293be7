/* plugins/textroom/textroom.h - the inside of the TextRoom plugin (textroom.md): text to everybody in a room, or to some of them,
 * over data channels.
 *
 *   textroom -> rooms -> members <- sessions (handles)
 *
 * A handle is one PeerConnection with a data channel, and may be in many rooms: a member is a handle in a room. Requests come
 * over the data channel, over the Janus API and over the Admin API; one table says what each way may ask. Whatever is said on a
 * data channel leaves by channel.c.
 *
 * Owner: the control actor; everything runs to the end, so lists and pointers hold for the length of a call. tr_member_part and
 * tr_room_free are the only places that cut links. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "plugins/acl.h"
#include "plugins/fields.h"
#include "plugins/plugin.h"
#include "plugins/schema.h"

#define TR_ROOMS_MAX             100000u
#define TR_ROOMS_OF_HANDLE_MAX   1000u
#define TR_ID_TEXT_MAX           256u       /* string ids */
#define TR_NAME_MAX              1024u      /* user names and display names: repeated to everybody */
#define TR_TEXT_MAX              65536u     /* description, secret, pin of a room */
#define TR_URL_MAX               2048u
#define TR_VALUES_MAX            10000u     /* JSON values in one message of a data channel */
#define TR_ANSWER_BYTES          (8u * 1024u * 1024u)
#define TR_DELIVERY_MAX          262144u    /* one message as it is delivered: what every peer takes (max-message-size) */
#define TR_HELD_BYTES_MAX        (512u * 1024u)     /* of what others say to one client, beyond what the core queues */
#define TR_PATIENCE_US           SEC(5)     /* who speaks waits that long for who does not read */
#define TR_HISTORY_BYTES_MAX     (1024u * 1024u)    /* of one room: the oldest goes first */
#define TR_HISTORY_ALL_BYTES_MAX (256u * 1024u * 1024u)     /* of all rooms */

enum tr_error {                     /* textroom.md 2 */
    TR_OK = 0,
    TR_NO_MESSAGE = 411,
    TR_INVALID_JSON = 412,
    TR_MISSING = 413,
    TR_INVALID_ELEMENT = 414,
    TR_INVALID_REQUEST = 415,
    TR_SETUP = 416,
    TR_NO_SUCH_ROOM = 417,
    TR_ROOM_EXISTS = 418,
    TR_UNAUTHORIZED = 419,
    TR_NAME_TAKEN = 420,
    TR_ALREADY_IN_ROOM = 421,
    TR_NOT_IN_ROOM = 422,
    TR_NO_SUCH_USER = 423,
    TR_UNKNOWN = 499,
};

/* Every drop by cause. */
struct tr_counters {
    uint64_t not_json;              /* texts on data channels that are none, or have too many values; and binary messages */
    uint64_t full;                  /* messages lost to clients that don't read theirs */
    uint64_t refused;               /* longer than the client takes */
    uint64_t forgotten;             /* left out of a room's history for want of room */
};

struct textroom {
    struct host *host;
    struct map rooms;
    char *admin_key;
    bool admin_key_closed;          /* it is one that everybody knows (security.md) */
    bool string_ids;
    bool events;                    /* event handlers are told */
    enum json_layout layout;        /* of what goes over data channels */
    size_t history_bytes;           /* of all rooms */
    struct list full;               /* tr_session.of_full */
    struct list pressed;            /* tr_session.of_pressed */
    bool press;                     /* what the request in hand says has found somebody full */
    struct tr_counters counters;
};

/* One message as it is delivered: that a room remembers for who joins, or that waits for room. */
struct tr_said {
    struct list node;
    size_t size;
    uint8_t text[];
};

struct tr_room {
    struct map_node node;           /* in textroom.rooms, by id */
    char *id;                       /* a number in decimal, or with `string_ids` any text */
    char *description;
    char *secret;                   /* NULL: none; an empty one has to be given, too */
    char *pin;
    char *post;                     /* URL: what is said to all is posted there */
    bool post_public_only;          /* it came from somebody who need not be trusted */
    bool is_private;
    bool management_closed;         /* its secret is one that everybody knows (security.md) */
    struct acl acl;
    struct list members;            /* tr_member.of_room, in order of joining */
    struct map by_name;             /* tr_member.by_name */
    struct map by_handle;           /* tr_member.by_handle */
    uint16_t history_max;
    uint32_t history_count;
    size_t history_bytes;
    struct list history;            /* struct tr_said, oldest first */
};

struct tr_member {
    struct list of_room;
    struct list of_session;
    struct map_node by_name;
    struct map_node by_handle;
    struct tr_room *room;
    struct tr_session *session;
    char *name;
    char *display;                  /* NULL: none */
};

/* The state of a handle; zeroed when it is attached. */
struct tr_session {
    struct ref handle;
    bool set_up;                    /* an offer of ours has gone out: once for the life of the handle */
    uint64_t offer_id, offer_version;
    struct list members;            /* tr_member.of_session: the rooms it is in */
    uint32_t member_count;
    struct list held;               /* struct tr_said: what there was no room for; no request of its own is taken before that has gone */
    size_t held_bytes;
    struct list of_full;            /* in textroom.full while something is held */
    usec_t full_since;              /* or since some of it has gone */
    bool deaf;                      /* full for TR_PATIENCE_US: what others say is lost to it until it has caught up */
    struct list of_pressed;         /* in textroom.pressed: what it says has filled somebody, so nothing more is taken from it */
};

enum tr_origin { TR_API, TR_ADMIN, TR_CHANNEL };

/* One request while it is worked on. A function returns TR_OK and has written its answer's members to `j`, or an error code and
 * has filled `error`. */
struct tr_call {
    struct textroom *tr;
    struct tr_session *session;     /* NULL: Admin API */
    const struct plugin_request *request;   /* NULL: data channel */
    enum tr_origin origin;
    json_t *body;
    const char *transaction;        /* of a data channel's request, once it is known */
    char room_id[TR_ID_TEXT_MAX + 1];
    struct tr_room *room;           /* of TR_ROOM and TR_ROOM_SECRET */
    struct json_out j;
    struct buf text;                /* what j writes to */
    bool understood;                /* a row was found: errors say "error" from here on, and not "event" */
    bool waits;                     /* for the disk: the answer follows */
    bool replied;                   /* the function has pushed its answer itself, or none is wanted */
    char error[256];
};

typedef enum tr_error tr_request_fn(struct tr_call *call);

/* What is asked of `room` before the function runs: nothing; a good id, in call->room_id; a room that is there; its secret too. */
enum tr_needs { TR_NOTHING, TR_ID, TR_ROOM, TR_ROOM_SECRET };

/* One request, one function, one row (design section 8). */
struct tr_request {
    const char *name;
    enum tr_needs needs;
    const struct schema_field *fields;      /* checked in order, before anything else */
    size_t field_count;
    tr_request_fn *run;
};

extern const struct tr_request tr_room_requests[];          /* req_room.c: any way in */
extern const size_t tr_room_request_count;
extern const struct tr_request tr_manage_requests[];        /* req_manage.c: any way in */
extern const size_t tr_manage_request_count;
extern const struct tr_request tr_talk_requests[];          /* req_talk.c: data channels only */
extern const size_t tr_talk_request_count;
extern const struct tr_request tr_setup_requests[];         /* req_setup.c: Janus API only, answered by an event */
extern const size_t tr_setup_request_count;

#define TR_FIELDS(table) (table), ARRAY_COUNT(table)

/* ---- call.c: errors, answers, checks ---- */
enum tr_error tr_fail(struct tr_call *call, enum tr_error code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void tr_call_begin(struct tr_call *call);
void tr_call_end(struct tr_call *call);
void tr_write_error(struct tr_call *call, enum tr_error error, const char *text);
void tr_finish(struct tr_call *call);                       /* closes the answer; one that has grown too long becomes an error */
enum tr_error tr_run(struct tr_call *call, const struct tr_request *request);       /* schema, what it needs, its function */
enum tr_error tr_check_fields(struct tr_call *call, const struct schema_field *fields, size_t count);
enum tr_error tr_check_secret(struct tr_call *call, const char *name, const char *expected);
enum tr_error tr_check_admin_key(struct tr_call *call);
enum tr_error tr_check_length(struct tr_call *call, const char *name, size_t max);
enum tr_error tr_read_id(struct tr_call *call, bool required);      /* into call->room_id; "" when it is not there */
enum tr_error tr_find_room(struct tr_call *call);           /* call->room of call->room_id */
enum tr_error tr_find_managed_room(struct tr_call *call);   /* and its secret */
/* `textroom` of an answer: over a data channel it is always "success". */
void tr_answer(struct tr_call *call, const char *what);

/* ---- room.c ---- */
bool tr_id_is_fine(struct view text);
struct tr_room *tr_room_get(const struct textroom *tr, const char *id);     /* NULL: no such room */
struct tr_room *tr_room_new(const char *id);
void tr_room_add(struct textroom *tr, struct tr_room *room);
void tr_room_free(struct textroom *tr, struct tr_room *room);               /* nobody may be in it */
struct tr_member *tr_room_member(const struct textroom *tr, const struct tr_room *room, const struct tr_session *session);
struct tr_member *tr_room_user(const struct textroom *tr, const struct tr_room *room, const char *name);
struct tr_said *tr_said_new(struct view text);
void tr_room_remember(struct textroom *tr, struct tr_room *room, struct view text);
struct tr_member *tr_member_join(struct textroom *tr, struct tr_session *session, struct tr_room *room, const char *name, const char *display);
void tr_member_part(struct tr_member *member);              /* out of its room, and gone; nobody is told here */
void tr_write_id(const struct textroom *tr, struct json_out *j, const char *id);    /* "room" */
void tr_write_user(struct json_out *j, const struct tr_member *member);             /* `username` and `display` */
void tr_rooms_from_conf(struct textroom *tr, const struct conf_node *conf);         /* conf_rooms.c */

/* ---- channel.c: what is said on data channels ---- */
/* A text of its own: tr_text_begin, members, tr_text_end. The view is empty when it has grown beyond TR_DELIVERY_MAX. */
struct tr_text {
    struct buf buf;
    struct json_out j;
};
void tr_text_begin(struct textroom *tr, struct tr_text *text, const char *what);
struct view tr_text_end(struct tr_text *text);
void tr_text_free(struct tr_text *text);

void tr_send(struct textroom *tr, struct tr_session *session, struct view text);            /* what others do */
void tr_send_own(struct textroom *tr, struct tr_session *session, struct view text);        /* what its own request brings; held then */
void tr_send_all(struct textroom *tr, const struct tr_room *room, const struct tr_member *but, struct view text);
void tr_send_held(struct textroom *tr, struct tr_session *session);         /* there is room again */
void tr_look_for_deaf(struct textroom *tr, usec_t now);                     /* about once a second */
/* {"textroom":`what`,"room":..,"username":..,"display":..}: join, leave, kicked. */
void tr_user_text(struct textroom *tr, struct tr_text *text, const char *what, const struct tr_member *member, bool display);
bool tr_on_data(struct textroom *tr, struct tr_session *session, const struct data_message *message);
/* Out of every room, the others told; what was held is dropped. */
void tr_session_leave_all(struct textroom *tr, struct tr_session *session);

/* ---- permanent.c ---- */
enum tr_error tr_check_permanent(struct tr_call *call, const char *what);       /* 499 when nothing can be made permanent */
/* The answer to create, edit and destroy (`gone`: the room leaves the file); with `permanent` it may have to wait for the disk. */
void tr_answer_room(struct tr_call *call, const char *what, const struct tr_room *room, bool gone);
enum plugin_outcome tr_resume(void *plugin, void *state, const struct plugin_request *request, const struct plugin_answer *answer);

/* ---- notify.c: what event handlers are told: created, edited, destroyed; join, leave, kicked (before the member parts) ---- */
void tr_notify_room(const struct tr_call *call, const char *what, const struct tr_room *room);
void tr_notify_user(struct textroom *tr, const char *what, const struct tr_member *member);

/* ---- say.c: `text` of the body, to all of call->room (`from` NULL: an announcement), or to `to` and `tos` ---- */
enum tr_error tr_say(struct tr_call *call, const char *what, const struct tr_member *from);
enum tr_error tr_whisper(struct tr_call *call, const struct tr_member *from);      /* writes the answer, too */

/* A row of a table by the name of its request, in any case; NULL: none. */
const struct tr_request *tr_find_request(const struct tr_request *table, size_t count, const char *name);
