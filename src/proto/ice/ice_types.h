/* proto/ice/ice_types.h - ICE's vocabulary as plain values: fit for messages between actors. */
#pragma once

#include "base/net.h"

#define ICE_FOUNDATION_MAX 32u      /* characters (RFC 8839 5.1) */
#define ICE_UFRAG_MIN      4u       /* characters (RFC 8839 5.4) */
#define ICE_PWD_MIN        22u
#define ICE_CREDENTIAL_MAX 256u     /* longest that a remote may have */
#define ICE_LOCAL_CREDENTIAL_MAX 32u   /* longest of ours: RFC 8839 5.4 asks senders to stay below */

enum ice_candidate_type { ICE_HOST, ICE_SRFLX, ICE_PRFLX, ICE_RELAY };

enum ice_tcptype { ICE_TCP_NONE, ICE_TCP_ACTIVE, ICE_TCP_PASSIVE, ICE_TCP_SO };    /* RFC 6544 4.5 */

struct ice_candidate {
    char foundation[ICE_FOUNDATION_MAX + 1];
    uint8_t type;                   /* enum ice_candidate_type */
    bool tcp;
    uint8_t tcptype;                /* enum ice_tcptype */
    uint32_t priority;
    struct net_addr addr;
    struct net_addr related;        /* raddr and rport; NET_NONE: absent */
};

enum ice_role { ICE_CONTROLLING, ICE_CONTROLLED };

enum ice_nomination { ICE_NOMINATE_AGGRESSIVE, ICE_NOMINATE_REGULAR };

enum ice_state {
    ICE_NEW,                        /* waits for the remote's credentials, or for something to check */
    ICE_CHECKING,
    ICE_CONNECTED,                  /* a pair is selected and answers */
    ICE_DISCONNECTED,               /* the selected pair has been silent for ICE_QUIET_US; may come back */
    ICE_FAILED,                     /* nothing to send on; a new candidate, check or restart may still mend it */
};

enum ice_failure {
    ICE_FAIL_NONE,
    ICE_FAIL_CHECKS,                /* every pair has been tried in vain */
    ICE_FAIL_NO_PAIRS,              /* there was nothing to try, and patience (RFC 8863) has ended */
    ICE_FAIL_CONSENT,               /* the selected pair fell silent for 30 s (RFC 7675) */
    ICE_FAIL_LOST,                  /* the selected address was taken over by another peer */
};
