/* proto/ice/ice.h - one ICE agent, one component (RFC 8445, 8838 trickle, 7675 consent; rtcp-mux and BUNDLE only), full
 * or lite. Owner: one peer. Pure: no clock, socket, thread or malloc; one pool object per agent, of ice_size() bytes.
 *
 * Local addresses are the owner's sockets ("bases", by socket number): server-reflexive and mapped ones are text of the
 * SDP only, since checks leave from their base anyway (RFC 8445 6.1.2.4).
 *
 * After each call that takes a `struct ice *` without const: drain ice_poll_tx and ice_poll_event until both say false,
 * then look at ice_deadline (it may lie in the past: call ice_timeout at once).
 * Order: ice_new, any time ice_set_remote and ice_add_remote in either order (for a restart: ice_restart first). Checks
 * that come before the remote's credentials are answered at once, and their sources tried when the credentials come. */
#pragma once

#include "base/err.h"
#include "base/pool.h"
#include "base/rng.h"
#include "proto/ice/ice_types.h"
#include "proto/stun/stun.h"

/* What strangers can raise, and where it ends. */
#define ICE_BASES_MAX    8u          /* local sockets */
#define ICE_REMOTES_MAX  32u         /* signalled candidates per generation (peer-reflexive ones come by checks) */
#define ICE_PAIRS_MAX    32u         /* the best by priority; an authenticated check always finds room */
#define ICE_VERIFIED_MAX 12u         /* address pairs announced by ICE_EVENT_VERIFIED and not yet forgotten */
#define ICE_UNPROVEN_MAX 300u        /* checks to addresses that never answered: this many, then one more per second */

#define ICE_PACE_US      MSEC(50)    /* Ta: RFC 8445 14.2 */
#define ICE_QUIET_US     SEC(13)     /* two unanswered consent checks (at most 6 s apart) and a second: disconnected */
#define ICE_CONSENT_US   SEC(30)     /* RFC 7675 5.1 */

/* Drops and refusals by cause. Owner: the worker; its agents share one. */
struct ice_counters {
    uint64_t requests;               /* authenticated ones */
    uint64_t responses;              /* authenticated ones that belong to a check of ours */
    uint64_t checks_sent;            /* consent included */
    uint64_t malformed;
    uint64_t wrong_method;
    uint64_t indications;
    uint64_t no_credentials;         /* a request without USERNAME or MESSAGE-INTEGRITY */
    uint64_t wrong_user;             /* a USERNAME that is not ours */
    uint64_t wrong_key;              /* integrity failed: dropped in silence (security.md, row k) */
    uint64_t unknown_attributes;     /* answered by 420 */
    uint64_t role_conflicts;
    uint64_t stray_responses;        /* no such transaction */
    uint64_t asymmetric;             /* answered from another address than we asked */
    uint64_t errors;                 /* authenticated error responses but 487 */
    uint64_t answers_overrun;        /* an answer nobody drained before the next request came */
    uint64_t expired_pair;           /* checks on an address pair whose consent has ended, or that was lost */
    uint64_t candidates_refused;     /* full, unusable address, TCP, no base of that family */
    uint64_t pairs_dropped;          /* the worst pair made room for a better one, or was never made */
    uint64_t tuples_dropped;         /* the verified address pair heard longest ago made room (ICE_VERIFIED_MAX) */
    uint64_t consent_lost;
};

struct ice_config {
    char ufrag[ICE_LOCAL_CREDENTIAL_MAX + 1];   /* at least 12 characters: it names the peer (design section 2) */
    char pwd[ICE_LOCAL_CREDENTIAL_MAX + 1];
    enum ice_role role;              /* lite: always ICE_CONTROLLED */
    bool lite;
    enum ice_nomination nomination;
    uint64_t tie_breaker;
    uint32_t txid_prefix;            /* begins all our transaction ids: the demultiplexer's way back */
    usec_t pace_us;                  /* 0: ICE_PACE_US. The first check goes at once, triggered ones may run ahead */
    const struct net_addr *bases;    /* by socket number, best first; must outlive the agent */
    uint32_t base_count;             /* 1..ICE_BASES_MAX */
    struct rng *rng;
    struct stun_mac *mac;
    struct ice_counters *counters;
};

struct ice;                          /* known only to ice_agent.h; everybody else uses the pool */

/* The part that the hot path may read: an agent begins with it. */
struct ice_face {
    struct net_tuple selected;
    bool has_selected;
};

size_t      ice_size(void);          /* for pool_init */
struct ice *ice_new(struct pool *pool, const struct ice_config *config, usec_t now);   /* NULL: the pool is full */
void        ice_free(struct ice *ice);                                                 /* NULL is fine */

/* ERR_INVALID: too short, too long or other than ICE characters. The same ones again change nothing. */
enum err ice_set_remote(struct ice *ice, struct view ufrag, struct view pwd);
/* ERR_UNSUPPORTED: TCP, or no base of its family. ERR_INVALID: an address nobody may send to. ERR_FULL. */
enum err ice_add_remote(struct ice *ice, const struct ice_candidate *candidate);
void     ice_end_of_candidates(struct ice *ice);

/* New credentials on our side; the remote's follow by ice_set_remote. The selected pair is used until the new generation
 * has one, and checks of the old one are answered until 10 s after. ERR_INVALID: as above. */
enum err ice_restart(struct ice *ice, usec_t now, struct view ufrag, struct view pwd);

/* `from->socket` is below base_count, `datagram` is any datagram; what is no STUN is counted as malformed. */
void   ice_input(struct ice *ice, usec_t now, const struct net_tuple *from, struct view datagram);
void   ice_timeout(struct ice *ice, usec_t now);             /* early or repeated calls are harmless */
usec_t ice_deadline(const struct ice *ice);                  /* USEC_NEVER when idle */

/* Another peer has nominated this address pair, and the newest wins (design section 2): forget it, for this generation. */
void ice_lose_tuple(struct ice *ice, usec_t now, const struct net_tuple *tuple);

#define ICE_TX_BYTES 400u            /* the longest check: USERNAME 292 of it */
struct ice_tx {
    struct net_tuple to;
    size_t size;
    uint8_t data[ICE_TX_BYTES];
};

bool ice_poll_tx(struct ice *ice, struct ice_tx *out);

enum ice_event_kind {
    ICE_EVENT_FORGOTTEN,             /* `tuple` is no longer in use: unbind it */
    ICE_EVENT_VERIFIED,              /* `tuple` proved to be the peer's by an authenticated check or answer: bind it. DTLS
                                        may be answered there from now on, media may come from there */
    ICE_EVENT_SELECTED,              /* the first selected pair: `tuple` */
    ICE_EVENT_SELECTED_CHANGED,      /* another one */
    ICE_EVENT_ROLE,                  /* `role` after a conflict */
    ICE_EVENT_STATE,                 /* `state`; with ICE_FAILED also `failure` */
};

struct ice_event {
    enum ice_event_kind kind;
    enum ice_state state;
    enum ice_failure failure;
    enum ice_role role;
    struct net_tuple tuple;
};

/* What has changed since the last drain, in the order of the kinds; a state that changed twice is told once, as it is.
 * `state`, `role` and `failure` are filled in always, `tuple` where the kind says so. */
bool ice_poll_event(struct ice *ice, struct ice_event *out);

/* Where to send media and DTLS; NULL: nowhere (yet, or no more). Valid until the next call that changes the agent. */
static inline const struct net_tuple *ice_selected(const struct ice *ice)
{
    const struct ice_face *face = (const void *)ice;
    return face->has_selected ? &face->selected : NULL;
}

/* For handle_info and the admin API. */
struct ice_info {
    enum ice_state state;
    enum ice_role role;
    bool has_selected;
    bool is_nominated;
    struct net_tuple selected;
    enum ice_candidate_type remote_type;
    uint32_t remote_count;
    uint32_t pair_count;
};

void ice_describe(const struct ice *ice, struct ice_info *out);

/* RFC 8445 5.1.2.1, with the recommended type preferences (126, 110, 100, 0); component 1..256. */
uint32_t ice_candidate_priority(enum ice_candidate_type type, uint16_t local_preference, unsigned component);
/* Of a base: unique, falling with the socket number. The SDP's candidates must use the same one. */
uint16_t ice_local_preference(uint32_t socket);
