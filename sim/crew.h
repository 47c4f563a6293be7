/* sim/crew.h - the clients of a world: members that come, publish, view, ask, lie and vanish as the plan says, made of the
 * client library; and what they expect: each keeps a ledger of its requests, and a view of who publishes.
 *
 *   crew_open -> (the world runs; steps happen by themselves) -> crew_settle -> crew_look -> crew_dismiss -> crew_close
 *
 * One loop, one `struct net`, a socket for each PeerConnection. */
#pragma once

#include "client/call.h"
#include "client/door.h"
#include "sim/plan.h"
#include "sim/server.h"

#define LEGS_MAX        8u      /* PeerConnections of one member at a time */
#define VIEW_MAX        64u     /* publishers that one can know of */
#define ASKED_MAX       1024u   /* requests of one member that wait for their answer */
#define LEG_SYNTHS      4u

/* One PeerConnection of a member: a call, and what it sends. */
struct leg {
    struct list node;               /* in member.legs, or member.retired until no reply can come any more */
    struct member *member;
    struct call call;
    void (*call_event)(struct janus_handle *handle, usec_t now, const struct janus_reply *event);
    bool listening;                 /* events come here first */
    bool renegotiating;
    bool stopped;
    bool muted;                     /* its video, by its own wish */
    bool paused;
    bool switched;                  /* to another feed, or its stream may be another one */
    bool missed;                    /* events went into a connection that was lost: nobody repeats them */
    bool disturbed;                 /* its path was cut or moved: media may have gone */
    usec_t changed_at;              /* of call.state */
    usec_t heard_at[2];             /* audio, video: when verify last counted more */
    uint64_t heard[2];
    uint32_t said;                  /* messages sent on its data channel */
    uint32_t messages_seen;         /* of call.messages, in the counters already */
    usec_t feed_gone_at;            /* when the publisher left in order; 0: has not */
    bool feed_gone_sure;            /* the server has been told, for all we know */
    uint16_t port;
    uint64_t room;
    uint64_t view[VIEW_MAX];        /* CALL_PUBLISH: who publishes, as the server has said */
    uint32_t view_count;
    usec_t view_wrong_at;           /* since when it is not what the server holds; USEC_NEVER: it is */
    bool joined;
    uint8_t layer_told;             /* CALL_VIEW: the spatial layer that it gets, as the server has said */
    usec_t layer_told_at;           /* 0: it has not */
    struct net_synth *synths[LEG_SYNTHS];
};

/* A request as it went out. */
struct asked {
    uint64_t transaction;
    uint64_t handle;                /* 0: of the session, or of none */
    usec_t at;
    bool free;                      /* management of rooms may overtake, and be overtaken (plugin_desc.may_overtake) */
    bool answered;                  /* directly: an ack is one */
};

enum member_state { MEMBER_AWAY, MEMBER_CONNECTING, MEMBER_CREATING, MEMBER_CLAIMING, MEMBER_HERE };

/* Nobody listens there: forwarders send to it what is sealed for nobody, with the publisher's numbers. */
#define CREW_FORWARD_PORT  5000u
#define CREW_FORWARD_PORTS 1000u

struct member {
    struct crew *crew;
    uint32_t index;
    enum member_state state;
    struct door door;
    struct janus janus;
    uint64_t session;               /* 0: none */
    bool vanished;
    bool robbed;                    /* somebody else has claimed its session: its events go there */
    usec_t calm_at;                 /* not before may answers be expected: its connection was disturbed until then */
    usec_t hear_at;                 /* USEC_NEVER: it is not deaf */
    usec_t heal_at;                 /* its media is cut off until then; USEC_NEVER: it is not */
    struct list legs, retired;
    uint32_t leg_count;
    struct asked asked[ASKED_MAX];
    uint32_t asked_first, asked_count;
    usec_t keepalive_at;
};

struct crew {
    const struct plan *plan;
    struct loop loop;
    struct conn_set conns;
    struct rng rng;
    struct net net;
    struct loop_timer timer;
    struct list strangers;
    uint32_t next_step;
    bool clean;                     /* plan_is_clean */
    bool dismissed;
    uint32_t member_count;
    struct member *members;
    usec_t *closed_at;              /* by port: when its socket was closed in order; 0: it was not */
    usec_t burst_until;
    struct {
        uint64_t steps, done, asked, answered, ups, failures, views_checked, legs, heard;
        uint64_t errors;
    } counters;
};

bool crew_open(struct crew *crew, const struct plan *plan);
/* Nothing disturbs any more; who is away stays so. */
void crew_settle(struct crew *crew);
/* After some calm: is the view of each what the server holds, does media flow? */
void crew_look(struct crew *crew);
/* Everybody leaves. */
void crew_dismiss(struct crew *crew);
void crew_close(struct crew *crew);

/* crew.c, for the other files */
struct leg *leg_new(struct member *m, enum call_kind kind);
void leg_stop(struct leg *leg);
struct leg *crew_find(struct member *m, enum call_kind kind, uint32_t pick, bool up);
void member_lost(struct member *m, usec_t now);
void member_connect(struct member *m);
void member_send(void *owner, struct view text);
bool member_can_ask(const struct member *m);
/* Does that to each of its connections: it has two with HTTP. */
void member_each_socket(const struct member *m, void (*disturb)(int fd, bool on), bool on);

/* crew_legs.c: media */
void leg_on_state(void *owner, usec_t now, struct call *call);
void leg_on_event(struct janus_handle *handle, usec_t now, const struct janus_reply *event);
void leg_take_text(struct member *m, const json_t *root);
void leg_look(struct leg *leg, usec_t now);
void leg_stop_sending(struct leg *leg);
void leg_feed_gone(const struct leg *gone);       /* a publisher's: it ends in order, or is cut off */
void leg_renegotiate(struct leg *leg);
void leg_answer_offer(struct leg *leg, usec_t now, const char *sdp);

/* crew_steps.c */
void crew_step(struct crew *crew, const struct step *step);
void crew_strangers_end(struct crew *crew);
/* crew_blows.c: what comes over the network from those who play no part */
void blow_forge(struct crew *crew, uint32_t arg);
void blow_replay(uint32_t arg);
void blow_knock(uint32_t arg);
void blow_stranger(struct crew *crew, uint32_t arg);
