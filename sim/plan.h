/* sim/plan.h - what a run does: knobs (how many, how fast, which weather, which faults) and steps (who does what, when). Made
 * from a seed and a scenario's name, or read from a file; written to a file when a run has failed, so that it can be cut down
 * to the steps that matter (shrink.c) and kept (sim/scenarios). */
#pragma once

#include <stdio.h>

#include "base/types.h"

#define KNOBS(X)                                                                            \
    /* name             default */                                                          \
    X(seconds,          30)         /* of steps; what follows is the settling */            \
    X(members,          6)                                                                  \
    X(workers,          2)                                                                  \
    X(session_timeout,  60)                                                                 \
    X(reclaim,          0)          /* seconds */                                           \
    X(audio_pps,        10)                                                                 \
    X(video_pps,        10)                                                                 \
    X(video_bytes,      900)        /* of a frame */                                        \
    X(layers,           1)                                                                  \
    X(svc,              0)          /* those who publish send VP9, its layers in one stream */ \
    X(delay_us,         10000)                                                              \
    X(jitter_us,        0)                                                                  \
    X(loss_ppm,         0)                                                                  \
    X(duplicate_ppm,    0)                                                                  \
    X(reorder_ppm,      0)                                                                  \
    X(mtu,              0)                                                                  \
    X(tcp_loss_ppm,     0)                                                                  \
    X(tcp_cut_ppm,      0)                                                                  \
    X(tcp_reset_ppm,    0)                                                                  \
    X(descriptor_ppm,   0)                                                                  \
    X(pool_ppm,         0)                                                                  \
    X(late_ppm,         0)                                                                  \
    X(late_us,          0)                                                                  \
    X(cross_ppm,        20000)      /* of the messages between actors take longer: */       \
    X(cross_us,         3000)       /* so much at most */                                   \
    X(ring_cells,       0)                                                                  \
    X(lane_bytes,       0)                                                                  \
    X(disk_ppm,         0)                                                                  \
    X(disk_us,          0)                                                                  \
    X(dns_us,           0)                                                                  \
    X(http,             0)          /* the members that speak HTTP, a bit each */

enum knob {
#define X(name, value) KNOB_##name,
    KNOBS(X)
#undef X
    KNOB_COUNT,
};

#define STEPS(X)                                                                            \
    X(come)             /* connects, makes a session */                                     \
    X(publish)                                                                              \
    X(view)             /* somebody who publishes */                                        \
    X(echo)                                                                                 \
    X(stop)             /* one of its PeerConnections, politely */                          \
    X(leave)            /* destroys the session, and closes */                              \
    X(drop)             /* the connection only */                                           \
    X(bounce)           /* asks a lot, drops the connection, and comes again at once */     \
    X(vanish)           /* nothing of it passes the network any more */                     \
    X(back)             /* after that */                                                    \
    X(ask)              /* a request that changes nothing */                                \
    X(mute)             /* configure: a stream off or on */                                 \
    X(unpublish)                                                                            \
    X(again)            /* publish with a new offer on the same handle */                   \
    X(renegotiate)      /* a publisher's second offer */                                    \
    X(restart)          /* a viewer's ICE */                                                \
    X(choose)           /* a viewer's switch to another publisher */                        \
    X(pause)            /* a viewer's pause or start */                                     \
    X(layer)            /* a viewer's choice of layers */                                   \
    X(more)             /* subscribes to one more publisher, on the same PeerConnection */  \
    X(less)             /* and to one less */                                               \
    X(trickle)          /* candidates, late, wrong or for nobody */                         \
    X(hangup)           /* of one of its PeerConnections, by the API */                     \
    X(detach)           /* a handle is detached under its PeerConnection */                 \
    X(steal)            /* claims somebody else's session */                                \
    X(kick)                                                                                 \
    X(room)             /* creates or destroys one */                                       \
    X(lie)              /* a request that is wrong somehow */                               \
    X(garble)           /* no JSON at all */                                                \
    X(flood)            /* two hundred requests at once */                                  \
    X(deaf)             /* reads nothing for some seconds */                                \
    X(reset)            /* its connection breaks */                                         \
    X(part)             /* its media is cut off for some seconds */                         \
    X(move)             /* its media comes from another port */                             \
    X(burst)            /* sends ten times as much for a while */                           \
    X(forge)            /* datagrams from nowhere */                                        \
    X(replay)           /* datagrams once more */                                           \
    X(knock)            /* a flood of ClientHellos and STUN requests */                     \
    X(clock)            /* the wall clock jumps */                                          \
    X(stranger)         /* a connection that says nothing sensible */                       \
    X(record)           /* what it publishes is recorded, or not any more */                \
    X(forward)          /* what it publishes is forwarded, to where nobody listens */

enum step_kind {
#define X(name) STEP_##name,
    STEPS(X)
#undef X
    STEP_COUNT,
};

struct step {
    usec_t at;                      /* after the start */
    uint32_t member;
    uint32_t kind;
    uint32_t arg;                   /* for choices within the step */
};

struct plan {
    uint64_t seed;
    char name[64];
    uint64_t knobs[KNOB_COUNT];
    struct step *steps;
    uint32_t step_count, step_room;
};

/* False: no scenario of that name. `seconds` 0: the scenario's own. */
bool plan_make(struct plan *plan, const char *name, uint64_t seed, uint64_t seconds);
bool plan_read(struct plan *plan, FILE *in);
void plan_write(const struct plan *plan, FILE *out);
void plan_copy(struct plan *to, const struct plan *from);
void plan_fini(struct plan *plan);
const char *step_name(uint32_t kind);
const char *plan_names(void);                   /* of the scenarios, one blank between two */
uint64_t knob_default(uint32_t knob);
bool plan_is_clean(const struct plan *plan);    /* nothing is lost in it: what arrives is whole */
