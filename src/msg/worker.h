/* msg/worker.h - all that a media worker can be told. Reading this table is reading its concurrency.
 * Orders from control cannot be refused: what they name may be gone (then they are counted and dropped), and what fails
 * later is a fact (msg/control.h). Each order about a peer or sink carries the full new state, so a repeated one is harmless. */
#pragma once

#include "base/limits.h"
#include "msg/disk.h"
#include "msg/events.h"
#include "peer/peer_types.h"

#define WORKER_MESSAGES(X)                                                                    \
    /* name               from      answer              payload                            */ \
    X(PEER_OPEN,          CONTROL,  NONE,               struct peer_open_order)               \
    X(PEER_APPLY,         CONTROL,  NONE,               struct peer_apply_order)              \
    X(PEER_CANDIDATE,     CONTROL,  NONE,               struct peer_candidate_order)          \
    X(PEER_CANDIDATES_END, CONTROL, NONE,               struct peer_end_order)                \
    X(PEER_CLOSE,         CONTROL,  PEER_CLOSED,        struct peer_close_order)              \
    X(SINK_ADD,           CONTROL,  NONE,               struct sink_add_order)                \
    X(SINK_SET,           CONTROL,  NONE,               struct sink_set_order)                \
    X(SINK_SWITCH,        CONTROL,  NONE,               struct sink_switch_order)             \
    X(SINK_DEL,           CONTROL,  NONE,               struct sink_del_order)                \
    X(SOURCE_SET,         CONTROL,  NONE,               struct source_set_order)              \
    X(SOURCE_CAP,         CONTROL,  NONE,               struct source_cap_order)              \
    X(SOURCE_LEVELS,      CONTROL,  NONE,               struct source_levels_order)           \
    X(KEYFRAME_ASK,       CONTROL_OR_WORKER, NONE,      struct keyframe_ask)                  \
    X(PLAIN_OPEN,         CONTROL,  PLAIN_OPENED,       struct plain_open_order)              \
    X(PLAIN_CLOSE,        CONTROL,  NONE,               struct plain_close_order)             \
    X(FORWARD_ADD,        CONTROL,  NONE,               struct forward_add_order)             \
    X(FORWARD_DEL,        CONTROL,  NONE,               struct forward_del_order)             \
    X(INLET_OPEN,         CONTROL,  NONE,               struct inlet_open_order)              \
    X(INLET_CLOSE,        CONTROL,  NONE,               struct inlet_close_order)             \
    X(RELAY_OPEN,         WORKER,   NONE,               struct relay_order)                   \
    X(RELAY_CLOSE,        WORKER,   NONE,               struct relay_order)                   \
    X(RELAY_STATE,        WORKER,   NONE,               struct relay_state)                   \
    X(DATA_SEND,          CONTROL,  PEER_DATA_TAKEN,    struct data_packet)                   \
    X(DATA_CAST,          CONTROL,  PEER_DATA_TAKEN,    struct data_cast)                     \
    X(DATA_CREDIT,        CONTROL,  NONE,               struct data_credit)                   \
    X(DATA_SINK_ADD,      CONTROL,  NONE,               struct data_sink_add_order)           \
    X(DATA_SINK_SET,      CONTROL,  NONE,               struct data_sink_set_order)           \
    X(RELAY_DATA,         WORKER,   RELAY_DATA_DONE,    struct relay_data)                    \
    X(RELAY_DATA_DONE,    WORKER,   NONE,               struct relay_data_done)                \
    X(RECORD_START,       CONTROL,  RECORD_DONE,        struct record_start_order)            \
    X(RECORD_STOP,        CONTROL,  NONE,               struct record_stop_order)             \
    X(RECORD_WRITTEN,     DISK,     NONE,               struct record_written)                \
    X(ADJUST,             CONTROL,  NONE,               struct worker_adjust_order)           \
    X(EVENTS_WANTED,      EVENTS,   NONE,               struct events_wanted)                 \
    X(COLLECT,            CONTROL,  COLLECTED,          struct collect_order)

enum worker_message {
    WORKER_NONE,
#define X(name, from, answer, payload) WORKER_##name,
    WORKER_MESSAGES(X)
#undef X
};

/* Settings that the Admin API has changed: for all its PeerConnections, from now on. */
struct worker_adjust_order {
    uint32_t no_media_timer_s;      /* 0: off */
    uint32_t slowlink_threshold;    /* the same */
};

/* What is known of a PeerConnection; the answer has the order's op, and comes also when there is no such. */
struct collect_order {
    struct ref peer;
};

struct peer_candidate_order {
    struct ref peer;
    struct ice_candidate candidate;
};

struct peer_end_order {
    struct ref peer;
};

struct peer_close_order {
    struct ref peer;
    bool notify;                    /* say goodbye with a close_notify */
};

struct source_name {
    struct ref ref;                 /* minted by control */
    uint32_t worker;                /* where it is received */
};

struct sink_add_order {
    struct ref sink;
    struct source_name source;      /* ref REF_NONE: silent until a switch */
    struct source_desc desc;
    struct ref peer;
    uint16_t mindex;
    struct sink_options options;
};

struct sink_set_order {
    struct ref sink;
    struct sink_options options;
};

struct sink_switch_order {
    struct ref sink;
    struct source_name source;      /* ref REF_NONE: falls silent */
    struct source_desc desc;
};

struct sink_del_order {
    struct ref sink;
};

struct source_set_order {
    struct ref source;
    bool active;
};

struct source_cap_order {
    struct ref source;
    struct rate_cap cap;
};

struct source_levels_order {
    struct ref source;
    struct level_window window;
};

struct keyframe_ask {
    struct ref source;
};

/* -- plain RTP: sockets of their own, outside of any PeerConnection (design rule 4) ------------------------------------------ */

/* The one order that can be refused: the answer (with the order's op) says what became of it. A refused one leaves nothing. */
struct plain_open_order {
    struct ref plain;               /* minted by control */
    struct plain_options options;
};

struct plain_close_order {
    struct ref plain;
};

/* Sent to the worker of the source, where its socket is too. Falls silent when the source goes; ends by FORWARD_DEL. */
struct forward_add_order {
    struct ref forward;
    struct ref source;
    struct forward_way way;
    struct forward_options options;
};

struct forward_del_order {
    struct ref forward;
};

/* A source without a PeerConnection. Its sockets are open on this worker. */
struct inlet_open_order {
    struct ref source;
    struct inlet_options options;
};

struct inlet_close_order {
    struct ref source;
};

/* From the worker of some sinks to the worker of their source: one copy of each packet per worker, please. */
struct relay_order {
    struct ref source;
};

/* The answer, also sent when the source goes: present false means that nothing will come. The asker asks again while it has
 * sinks for it (its order may have overtaken the source's own creation: no order is promised across pairs). */
struct relay_state {
    struct ref source;
    bool present;
};

/* Data lines have sinks of their own, one per source; SINK_DEL, SOURCE_SET, RELAY_OPEN, RELAY_CLOSE and RELAY_STATE are for both
 * kinds. The whole state again each time, but for the label. */
struct data_sink_set_order {
    struct ref sink;
    struct source_name source;      /* ref REF_NONE: silent */
    bool paused;
};

struct data_sink_add_order {
    struct data_sink_set_order state;
    struct ref peer;
    uint8_t label_size;
    uint8_t label[DATA_LABEL_MAX];
};

struct data_credit {
    struct ref peer;
    uint32_t cost;                  /* of PEER_DATA that control is done with */
};

/* One message, once per worker; `size` bytes follow. Never dropped: it is bounded by DATA_RELAY_WINDOW, which RELAY_DATA_DONE
 * opens again. */
struct relay_data {
    struct ref source;
    bool binary;
    uint32_t size;                  /* last, so that the bytes begin at sizeof(struct relay_data) */
    uint8_t bytes[];
};

struct relay_data_done {
    struct ref source;
    uint32_t cost;
};

/* Records what a source sends, on the source's worker. RECORD_DONE comes from the disk helper, or from the worker when it has no room.
 * A source that is gone already is no failure: control stops the recording then anyway. */
struct record_start_order {
    struct ref record;              /* minted by control */
    struct ref source;
    uint8_t disk;                   /* which helper (disk_of the path) */
    uint8_t pt;                     /* of the packets in the file */
    uint8_t red_pt;                 /* 0: they are no RED */
    bool orientation;               /* keep the video-orientation extension */
    bool e2ee;
    char text[];                    /* NUL-ended: folder, name, codec, fmtp, description */
};

struct record_stop_order {
    struct ref record;
};
