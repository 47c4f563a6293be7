/* proto/ice/ice_agent.h - the inside of an agent, shared by the files of this folder only.
 *
 *   pair = (our socket, remote address), unique per generation; a remote candidate exists only as its pairs.
 *
 *              add_remote, check received                     answer authenticated
 *      FREE ----------------------------> WAITING --> IN_PROGRESS ----------> SUCCEEDED (VALID)
 *       ^                                   ^  ^______________|  487, or parked below the selected pair
 *       |  event drained                    |                 | no answer, error, asymmetric
 *      GONE <-- evicted, old generation     +---- FAILED <----+
 *                                            check received: TRIGGERED
 *
 * Invariants: the selected pair is VALID and not CLOSED. A pair of the previous generation is OLD; no other checks than
 * consent leave from it. Unless an agent is lite, VALID means that an authenticated answer came less than ICE_CONSENT_US ago.
 * There is no Frozen state (RFC 8445 6.1.2.6): with one component and one checklist it would only reorder checks. */
#pragma once

#include "proto/ice/ice.h"

#define ICE_RTO_US          MSEC(500)     /* RFC 8445 14.3: not below */
#define ICE_RTO_MAX_US      MSEC(1500)
#define ICE_SENDS_MAX       6u            /* at 0, 0.5, 1.5, 3, 4.5, 6 s; failed at 7.5 s */
#define ICE_AHEAD           4u            /* triggered checks and retransmissions may run this many Ta ahead */
#define ICE_RETRIGGER_US    MSEC(200)     /* a check received repeats ours when it is older than this */
#define ICE_ALIVE_US        SEC(5)        /* nothing seen for longer: another nominated pair that is alive goes first */
#define ICE_NOMINATE_US     MSEC(200)     /* regular nomination waits this long for a better pair */
#define ICE_CONSENT_MIN_US  SEC(4)        /* RFC 7675 5.1: 5 s, times 0.8 to 1.2 */
#define ICE_CONSENT_SPAN_US SEC(2)
#define ICE_PATIENCE_US     MSEC(7500)    /* nothing left to try: not failed before this much after the start */
#define ICE_PATIENCE_MAX_US MSEC(39500)   /* RFC 8863 4: while candidates may still come, and when lite */
#define ICE_OLD_US          SEC(10)       /* checks of the previous generation are answered this long */
#define ICE_STAMP_US        MSEC(10)

enum ice_pair_state { ICE_PAIR_FREE, ICE_PAIR_WAITING, ICE_PAIR_IN_PROGRESS, ICE_PAIR_SUCCEEDED, ICE_PAIR_FAILED, ICE_PAIR_GONE };

enum ice_pair_flag {
    ICE_TRIGGERED = 1 << 0,      /* goes before ordinary checks (RFC 8445 7.3.1.4) */
    ICE_VALID = 1 << 1,          /* usable for data */
    ICE_NOMINATED = 1 << 2,
    ICE_NOMINATE = 1 << 3,       /* controlled: nominated once its check succeeds; controlling: its check nominates */
    ICE_USE = 1 << 4,            /* the check in progress carries USE-CANDIDATE */
    ICE_SENT_CONTROLLING = 1 << 5,   /* and was sent in this role */
    ICE_VERIFIED = 1 << 6,       /* announced, or about to be (ICE_TELL) */
    ICE_TELL = 1 << 7,
    ICE_PROVEN = 1 << 8,         /* has answered a check: not an address somebody made up */
    ICE_OLD = 1 << 9,            /* of the previous generation */
    ICE_CLOSED = 1 << 10,        /* consent ended (RFC 7675 5.1: not again with these credentials) or lost to another peer */
    ICE_UNTELL = 1 << 11,        /* still here, but its binding shall go: ICE_EVENT_FORGOTTEN is due */
};

/* Times as stamps: 10 ms units since the agent was made, 0: never. */
struct ice_pair {
    struct net_addr addr;        /* the remote's */
    usec_t due;                  /* IN_PROGRESS: next retransmission, or the end */
    uint64_t txid;               /* behind the prefix */
    uint32_t priority;           /* of the remote candidate */
    uint32_t sent;               /* last check */
    uint32_t heard;              /* last authenticated answer */
    uint32_t seen;               /* last authenticated answer or check */
    uint16_t flags;
    uint8_t local;               /* socket, and so base */
    uint8_t state;
    uint8_t sends;
    uint8_t type;                /* enum ice_candidate_type, of the remote candidate */
};

struct ice_secrets {
    struct stun_key local_key;
    struct stun_key remote_key;  /* size 0: not known yet */
    uint8_t local_size;
    uint16_t remote_size;
    char local[ICE_LOCAL_CREDENTIAL_MAX];
    char remote[ICE_CREDENTIAL_MAX];
};

struct ice_answer {
    struct net_tuple to;
    uint8_t txid[STUN_TXID_BYTES];
    uint16_t code;               /* 0: success */
    bool is_old;                 /* generation whose key signs it */
    bool is_pending;
    uint8_t unknown_count;
    uint16_t unknown[STUN_UNKNOWN_MAX];
};

enum ice_timer {
    ICE_TIMER_CHECK,             /* something may be sent, or a check ends */
    ICE_TIMER_CONSENT,           /* next consent check */
    ICE_TIMER_SILENCE,           /* the selected pair turns quiet, or its consent ends */
    ICE_TIMER_PATIENCE,
    ICE_TIMER_NOMINATE,
    ICE_TIMER_OLD,               /* the previous generation is dropped */
    ICE_TIMER_COUNT,
};

enum ice_generation { ICE_CURRENT, ICE_PREVIOUS };

#define ICE_NO_PAIR (-1)

struct ice {
    struct ice_face face;        /* first: ice_selected reads it */
    uint8_t state;               /* enum ice_state */
    uint8_t failure;             /* enum ice_failure: why the last selected pair was given up */
    uint8_t role;
    uint8_t nomination;
    uint8_t base_count;
    uint8_t remote_count;        /* signalled, this generation */
    int8_t selected;             /* pair index, or ICE_NO_PAIR */
    bool lite;
    bool ended;                  /* end-of-candidates */
    bool begun;                  /* patience runs since begun_at */
    bool remote_is_regular;      /* has checked without USE-CANDIDATE: its newest nomination wins, not the best one */
    bool had_selected;
    bool tell_selected;
    bool tell_role;
    bool tell_state;
    bool send_consent;
    uint32_t send_pairs;         /* bit per pair whose check waits for ice_poll_tx */
    uint32_t txid_prefix;
    uint64_t tie_breaker;
    usec_t born;
    usec_t begun_at;
    usec_t pace_us;
    usec_t pace_at;              /* next check in strict rhythm (GCRA: `now` or later means no debt) */
    usec_t unproven_at;          /* the same for checks to unproven addresses, one per second */
    usec_t timers[ICE_TIMER_COUNT];
    uint64_t consent_txids[2];   /* newest first; on the selected pair */
    const struct net_addr *bases;
    struct rng *rng;
    struct stun_mac *mac;
    struct ice_counters *counters;
    struct pool *pool;
    struct ice_answer answer;
    struct ice_secrets credentials[2];   /* enum ice_generation */
    struct ice_pair pairs[ICE_PAIRS_MAX];
};

/* ---- pair.c: the table ---------------------------------------------------------------------------------------------- */

uint64_t ice_pair_priority(const struct ice *ice, const struct ice_pair *pair);
struct net_tuple ice_pair_tuple(const struct ice_pair *pair);
struct ice_pair *ice_pair_find(struct ice *ice, const struct net_tuple *tuple, bool is_old);

/* A new WAITING pair, or NULL: there is no room, or (unless `must`) only better pairs could make room. */
struct ice_pair *ice_pair_add(struct ice *ice, const struct net_tuple *tuple, enum ice_candidate_type type,
                              uint32_t priority, bool must);
void ice_pair_drop(struct ice *ice, struct ice_pair *pair);      /* FREE, or GONE until its event is drained */
void ice_pair_wait(struct ice *ice, struct ice_pair *pair, enum ice_pair_flag flags);   /* to be checked, with `flags` on top */
void ice_pair_fail(struct ice *ice, struct ice_pair *pair);
void ice_pair_close(struct ice *ice, struct ice_pair *pair, enum ice_failure why);    /* a lite agent may use it again */
void ice_pair_verify(struct ice *ice, struct ice_pair *pair);
void ice_pair_trigger(struct ice *ice, usec_t now, struct ice_pair *pair);
bool ice_tuple_is_verified(const struct ice *ice, const struct net_tuple *tuple);
bool ice_has_pairs(const struct ice *ice);                       /* of this generation */

static inline struct ice_pair *ice_selected_pair(struct ice *ice)
{
    return ice->selected == ICE_NO_PAIR ? NULL : &ice->pairs[ice->selected];
}

static inline bool ice_pair_is_selected(const struct ice *ice, const struct ice_pair *pair)
{
    return ice->selected != ICE_NO_PAIR && pair == &ice->pairs[ice->selected];
}

static inline bool ice_pair_is_live(const struct ice_pair *pair)
{
    return (pair->state == ICE_PAIR_WAITING || pair->state == ICE_PAIR_IN_PROGRESS) && (pair->flags & ICE_OLD) == 0;
}

static inline bool ice_pair_is_used(const struct ice_pair *pair)
{
    return pair->state != ICE_PAIR_FREE && pair->state != ICE_PAIR_GONE;
}

static inline uint32_t ice_stamp(const struct ice *ice, usec_t now)
{
    return now <= ice->born ? 1 : (uint32_t)((now - ice->born) / ICE_STAMP_US) + 1;
}

/* When `stamp` will be `age_us` old, rounded up to a stamp's unit. */
static inline usec_t ice_stamp_due(const struct ice *ice, uint32_t stamp, usec_t age_us)
{
    return stamp == 0 ? 0 : ice->born + stamp * ICE_STAMP_US + age_us;
}

#define ICE_EACH_PAIR(ice, p) for (struct ice_pair *p = (ice)->pairs; p < (ice)->pairs + ICE_PAIRS_MAX; p++)

/* ---- select.c: which pair carries the data, and what state that makes ------------------------------------------------ */

void ice_deselect(struct ice *ice);
void ice_nominate(struct ice *ice, struct ice_pair *pair);
void ice_switch_role(struct ice *ice);
/* After every change: consent that has ended, selection, nomination, checks that are due, state, timers. */
void ice_settle(struct ice *ice, usec_t now);
bool ice_is_quiet(const struct ice *ice, const struct ice_pair *pair, usec_t now);
bool ice_is_fresh(const struct ice *ice, const struct ice_pair *pair, usec_t now);

/* ---- check.c: what is sent when --------------------------------------------------------------------------------------- */

void   ice_checks_run(struct ice *ice, usec_t now);
usec_t ice_checks_due(const struct ice *ice);
void   ice_consent_start(struct ice *ice, usec_t now);
void   ice_consent_send(struct ice *ice, usec_t now);
