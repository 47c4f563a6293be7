#include "control/fact.h"

#include "control/api_reply.h"
#include "control/candidates.h"
#include "control/data.h"
#include "control/graph.h"
#include "control/handle.h"
#include "control/notify.h"
#include "control/op.h"
#include "control/pc.h"

/* NULL (counted): stale. One that is not closing has a handle. */
static struct pc *find(struct control *c, struct peer_ref peer)
{
    struct pc *pc = pc_find(c, peer);
    if (pc == NULL)
        c->counters.facts_stale++;
    return pc;
}

static void plain_event(struct control *c, const struct handle *handle, const char *janus)
{
    struct json_out j;
    if (event_begin(c, &j, handle->session, handle, janus, NULL))
        event_end(c, &j, handle->session);
}

void fact_peer_up(struct control *c, const struct peer_fact *fact)
{
    struct pc *pc = find(c, fact->peer);
    if (pc == NULL || pc->state == PC_UP)
        return;
    struct handle *handle = pc->handle;
    pc->state = PC_UP;
    c->pcs_up++;
    if (handle->host->desc->setup_media != NULL)
        handle->host->desc->setup_media(handle->host->plugin, handle->state);
    notify_up(c, pc);
    plain_event(c, handle, "webrtcup");
}

void fact_peer_hangup(struct control *c, const struct peer_hangup_fact *fact)
{
    const struct pc *pc = find(c, fact->peer);
    if (pc != NULL)
        handle_hangup(c, pc->handle, (enum hangup_reason)fact->reason);
}

void fact_peer_closed(struct control *c, const struct peer_fact *fact)
{
    if (!pc_closed(c, fact->peer))
        c->counters.facts_stale++;
}

void fact_peer_ice_failed(struct control *c, const struct peer_fact *fact)
{
    const struct pc *pc = find(c, fact->peer);
    if (pc != NULL)
        plain_event(c, pc->handle, "ice-failed");
}

/* The line that a fact is about; NULL (counted) for one that we don't have, and for data: it has no such events. */
static const struct local_mline *line_of(struct control *c, const struct pc *pc, uint16_t mindex)
{
    const struct local_description *local = pc->negotiation.local;
    if (local != NULL && mindex < local->mline_count && local->mlines[mindex].kind != SDP_APPLICATION)
        return &local->mlines[mindex];
    c->counters.facts_stale++;
    return NULL;
}

void fact_peer_media(struct control *c, const struct peer_media_fact *fact)
{
    struct json_out j;
    const struct pc *pc = find(c, fact->peer);
    const struct local_mline *line = pc == NULL ? NULL : line_of(c, pc, fact->mindex);
    if (line == NULL)
        return;
    notify_media(c, pc, line, fact);
    if (!event_begin(c, &j, pc->handle->session, pc->handle, "media", NULL))
        return;
    jout_string(&j, "mid", line->mid);
    jout_string(&j, "type", sdp_kind_name(line->kind));
    if (fact->substream >= 0)
        jout_int(&j, "substream", fact->substream);
    jout_bool(&j, "receiving", fact->receiving);
    if (fact->seconds > 0)
        jout_int(&j, "seconds", fact->seconds);
    event_end(c, &j, pc->handle->session);
}

void fact_peer_slowlink(struct control *c, const struct peer_slowlink_fact *fact)
{
    struct json_out j;
    const struct pc *pc = find(c, fact->peer);
    const struct local_mline *line = pc == NULL ? NULL : line_of(c, pc, fact->mindex);
    if (line == NULL)
        return;
    struct handle *handle = pc->handle;
    if (handle->host->desc->slow_link != NULL)
        handle->host->desc->slow_link(handle->host->plugin, handle->state, fact->mindex, line->kind == SDP_VIDEO, fact->uplink);
    notify_slowlink(c, pc, line, fact);
    if (!event_begin(c, &j, handle->session, handle, "slowlink", NULL))
        return;
    jout_string(&j, "mid", line->mid);
    jout_string(&j, "media", sdp_kind_name(line->kind));
    jout_bool(&j, "uplink", fact->uplink);
    jout_int(&j, "lost", fact->lost);
    event_end(c, &j, handle->session);
}

void fact_sink_layer(struct control *c, const struct sink_layer_fact *fact)
{
    const struct sink *sink = graph_sink(c, fact->sink);
    if (sink == NULL) {
        c->counters.facts_stale++;
        return;
    }
    struct handle *handle = sink->pc->handle;
    if (handle->host->desc->sink_layer != NULL)
        handle->host->desc->sink_layer(handle->host->plugin, handle->state, fact->sink, fact->substream, fact->temporal);
}

void fact_peer_data_up(struct control *c, const struct peer_fact *fact)
{
    struct pc *pc = find(c, fact->peer);
    if (pc != NULL)
        data_ready(c, pc);
}

void fact_peer_data(struct control *c, const struct message *m)
{
    const struct data_packet *packet = m->payload;
    struct pc *pc = find(c, packet->peer);
    if (pc != NULL)
        data_arrived(c, pc, m);
}

void fact_peer_data_taken(struct control *c, const struct peer_data_taken_fact *fact)
{
    struct pc *pc = find(c, fact->peer);
    if (pc != NULL)
        data_taken(c, pc, fact->cost);
}

void fact_source_level(struct control *c, const struct source_level_fact *fact)
{
    const struct source *source = graph_source(c, fact->source);
    if (source == NULL) {
        c->counters.facts_stale++;
        return;
    }
    struct host *host = source->pc == NULL ? source->host : source->pc->handle->host;
    void *state = source->pc == NULL ? NULL : source->pc->handle->state;
    if (host->desc->source_level != NULL)
        host->desc->source_level(host->plugin, state, fact->source, fact->talking, fact->average);
}

void fact_worker_srflx(struct control *c, const struct worker_srflx_fact *fact)
{
    if (fact->worker >= c->config.worker_count || fact->socket >= c->config.workers[fact->worker].socket_count) {
        c->counters.facts_stale++;
        return;
    }
    candidates_learn(c, fact->worker, fact->socket, &fact->mapped);
}

void fact_disk_done(struct control *c, struct ref op, const struct disk_done *fact)
{
    if (ref_is_none(op)) {
        CHECK(c->saves_unasked > 0);
        c->saves_unasked--;
        if (!fact->fine)
            LOG_WARN(c->actor, "A file could not be saved: %s", fact->error);
        return;
    }
    struct plugin_answer answer = {.status = fact->fine ? ERR_NONE : ERR_IO, .text = fact->fine ? NULL : fact->error};
    op_answer(c, op, &answer);
}

void fact_plain_opened(struct control *c, struct ref op, const struct plain_opened_fact *fact)
{
    struct plugin_answer answer = {.status = (enum err)fact->error, .addr = fact->local};
    if (!ref_is_none(op))                       /* else nobody waits for it */
        op_answer(c, op, &answer);
}

void fact_name_found(struct control *c, struct ref op, const struct dns_answer *fact)
{
    struct plugin_answer answer = {.status = ERR_NONE, .addr = fact->addrs[0]};
    if (fact->count == 0)
        answer = (struct plugin_answer){.status = ERR_IO, .text = fact->error};
    op_answer(c, op, &answer);
}
