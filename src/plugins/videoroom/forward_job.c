#include "plugins/videoroom/forward_job.h"

#include "base/mem.h"
#include "base/str.h"

static vr_request_fn go_on;

struct forward_job *forward_job_new(const struct vr_participant *p, uint32_t room_for, forward_done_fn *done)
{
    struct forward_job *job = mem_get_zero(sizeof(*job) + room_for * sizeof(job->targets[0]));
    job->base.go_on = go_on;
    job->room = vr_id_copy(&p->room->id);
    job->id = vr_id_copy(&p->id);
    job->publication = p->publication;
    job->done = done;
    return job;
}

/* What has been opened and not been taken over is closed. */
void forward_job_drop(struct videoroom *vr, struct forward_job *job)
{
    for (unsigned i = 0; i < ARRAY_COUNT(job->plain); i++)
        host_plain_close(vr->host, job->plain[i]);
    for (uint32_t i = 0; i < job->count; i++)
        host_plain_close(vr->host, job->targets[i].like.way.rtcp);
    vr_id_free(&job->room);
    vr_id_free(&job->id);
    mem_put(job);
}

/* The publisher as it was when the request came; NULL: gone, or its media has ended. */
static struct vr_participant *find_publisher(struct videoroom *vr, const struct forward_job *job)
{
    const struct vr_room *room = vr_room_find(vr, &job->room);
    struct vr_participant *p = room == NULL ? NULL : vr_room_participant(vr, room, &job->id);
    return p != NULL && p->publication == job->publication ? p : NULL;
}

static enum vr_error begun(struct vr_call *call, enum err err, const char *what)
{
    if (err != ERR_NONE)
        return vr_fail(call, VR_UNKNOWN, "%s", what);
    call->waits = true;
    return VR_OK;
}

/* -- the steps: each does nothing when its work is done ------------------------------------------------------------------------ */

static enum vr_error unresolved(struct vr_call *call, const char *host)
{
    return vr_fail(call, VR_INVALID_ELEMENT, "Could not resolve address (%.64s)...", host);
}

/* An address that is written as one. */
static bool literal(const struct forward_target *target, struct net_addr *addr)
{
    if (!net_ip_parse(addr, str_of(target->host)))
        return false;
    addr->port = target->like.way.to.port;
    return true;
}

static enum vr_error look_up(struct vr_call *call, struct forward_job *job)
{
    for (uint32_t i = 0; i < job->count; i++) {
        struct forward_target *target = &job->targets[i];
        struct net_addr addr;
        if (target->like.way.to.family != NET_NONE)
            continue;
        if (literal(target, &addr)) {
            if (target->family != NET_NONE && target->family != (enum net_family)addr.family)
                return unresolved(call, target->host);
            target->like.way.to = addr;
            continue;
        }
        enum err err = host_name_find(call->vr->host, call->request, target->host, target->family, job);
        if (err == ERR_INVALID)
            return unresolved(call, target->host);
        return begun(call, err, "Too many requests are waiting");
    }
    return VR_OK;
}

static enum vr_error open_socket(struct vr_call *call, struct forward_job *job, struct ref source, const struct plain_options *options,
                                 struct ref *name)
{
    enum err err = host_plain_open(call->vr->host, call->request, source, options, job, name);
    job->opening = name;
    return begun(call, err, "Could not open UDP socket for RTP stream");
}

static struct net_addr any_address(uint8_t family)
{
    return (struct net_addr){.family = family};
}

static enum vr_error open_senders(struct vr_call *call, struct forward_job *job, const struct vr_participant *p)
{
    for (uint32_t i = 0; i < job->count; i++) {
        const struct forward_target *target = &job->targets[i];
        const unsigned which = target->like.way.to.family == NET_IP6;
        const struct plain_options options = {.use = PLAIN_SEND, .local = any_address(target->like.way.to.family)};
        if (target->mindex == FORWARD_NO_STREAM || !ref_is_none(p->plain[which]) || !ref_is_none(job->plain[which]))
            continue;
        return open_socket(call, job, p->streams[target->mindex]->source, &options, &job->plain[which]);
    }
    return VR_OK;
}

static enum vr_error open_askers(struct vr_call *call, struct forward_job *job, const struct vr_participant *p)
{
    for (uint32_t i = 0; i < job->count; i++) {
        struct forward_target *target = &job->targets[i];
        struct plain_options options = {.use = PLAIN_ASK, .local = any_address(target->like.way.to.family), .latch = target->like.way.to};
        if (target->mindex == FORWARD_NO_STREAM || target->like.rtcp_port == 0 || !ref_is_none(target->like.way.rtcp))
            continue;
        options.latch.port = target->like.rtcp_port;
        job->opened_port = &target->like.local_rtcp_port;
        return open_socket(call, job, p->streams[target->mindex]->source, &options, &target->like.way.rtcp);
    }
    return VR_OK;
}

/* VR_OK and call->waits, or all is done, or the error that ends it. */
static enum vr_error next_step(struct vr_call *call, struct forward_job *job)
{
    char shown[VR_ID_SHOWN];
    enum vr_error error = look_up(call, job);
    if (error != VR_OK || call->waits)
        return error;
    struct vr_participant *p = find_publisher(call->vr, job);
    if (p == NULL)
        return vr_fail(call, VR_NO_SUCH_FEED, "No such feed (%s)", vr_id_show(&job->id, shown));
    error = open_senders(call, job, p);
    if (error == VR_OK && !call->waits)
        error = open_askers(call, job, p);
    if (error != VR_OK || call->waits)
        return error;
    for (unsigned i = 0; i < ARRAY_COUNT(p->plain); i++) {
        if (ref_is_none(p->plain[i])) {
            p->plain[i] = job->plain[i];
            job->plain[i] = REF_NONE;
        }
    }
    for (uint32_t i = 0; i < job->count; i++)
        job->targets[i].like.way.plain = p->plain[job->targets[i].like.way.to.family == NET_IP6];
    error = job->done(call, job, p);
    for (unsigned i = 0; i < ARRAY_COUNT(p->plain) && list_is_empty(&p->forwards); i++) {
        host_plain_close(call->vr->host, p->plain[i]);      /* nothing came of it */
        p->plain[i] = REF_NONE;
    }
    return error;
}

static enum vr_error step(struct vr_call *call, struct forward_job *job)
{
    enum vr_error error = next_step(call, job);
    if (error != VR_OK || !call->waits)
        forward_job_drop(call->vr, job);
    return error;
}

enum vr_error forward_job_start(struct vr_call *call, struct forward_job *job)
{
    return step(call, job);
}

/* -- answers ------------------------------------------------------------------------------------------------------------------- */

static void found(struct forward_job *job, const struct net_addr *addr)
{
    const struct forward_target *asked = NULL;
    for (uint32_t i = 0; i < job->count; i++) {
        struct forward_target *target = &job->targets[i];
        if (target->like.way.to.family != NET_NONE)
            continue;
        asked = asked == NULL ? target : asked;
        if (target->family != asked->family || strcmp(target->host, asked->host) != 0)
            continue;
        const uint16_t port = target->like.way.to.port;
        target->like.way.to = *addr;
        target->like.way.to.port = port;
    }
}

static const char *first_unresolved(const struct forward_job *job)
{
    for (uint32_t i = 0; i < job->count; i++)
        if (job->targets[i].like.way.to.family == NET_NONE)
            return job->targets[i].host;
    return "";
}

static enum vr_error fail_step(struct vr_call *call, struct forward_job *job)
{
    enum vr_error error = job->opening != NULL ? vr_fail(call, VR_UNKNOWN, "Could not open UDP socket for RTP stream")
                                               : unresolved(call, first_unresolved(job));
    forward_job_drop(call->vr, job);
    return error;
}

static enum vr_error go_on(struct vr_call *call)
{
    struct forward_job *job = CONTAINER_OF(call->job, struct forward_job, base);
    const struct plugin_answer *answer = call->answer;
    if (answer->status != ERR_NONE || (job->opening == NULL && answer->addr.family == NET_NONE))
        return fail_step(call, job);
    if (job->opening == NULL)
        found(job, &answer->addr);
    else if (job->opened_port != NULL)
        *job->opened_port = answer->addr.port;
    job->opening = NULL;
    job->opened_port = NULL;
    return step(call, job);
}
