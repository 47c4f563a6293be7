/* plugins/videoroom/forward_job.h - making forwards takes its time: host names are looked up, sockets are opened. A job goes through
 * that step by step, and holds what it has opened until all is there; what it can't finish it takes back.
 *
 *   forward_job_new -> fill targets -> forward_job_start (an answer, or the request waits; either way the job is not the caller's
 *   any more) -> ... -> `done`, which takes the sockets over and answers */
#pragma once

#include "plugins/videoroom/videoroom.h"

#define FORWARD_NO_STREAM UINT16_MAX

/* One forward that is to be. */
struct forward_target {
    uint16_t mindex;                /* FORWARD_NO_STREAM: there is none yet, so only the name is looked up */
    const char *host;               /* of the request's body, which outlives the job */
    enum net_family family;         /* NET_NONE: any */
    const char *tag;                /* what the answer calls it; NULL */
    struct vr_forward like;         /* way.to.family NET_NONE: not looked up yet */
};

struct forward_job;
typedef enum vr_error forward_done_fn(struct vr_call *call, struct forward_job *job, struct vr_participant *p);

struct forward_job {
    struct vr_job base;
    struct vr_id room, id;
    uint32_t publication;
    forward_done_fn *done;
    struct ref plain[2];            /* opened for this job: IPv4, IPv6 */
    struct ref *opening;            /* where the name of the socket that is being opened stands */
    uint16_t *opened_port;          /* where its port is wanted; NULL: nowhere */
    uint32_t count;
    struct forward_target targets[];
};

struct forward_job *forward_job_new(const struct vr_participant *p, uint32_t room_for, forward_done_fn *done);
void forward_job_drop(struct videoroom *vr, struct forward_job *job);        /* instead: nothing has begun */
enum vr_error forward_job_start(struct vr_call *call, struct forward_job *job);
