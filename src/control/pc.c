#include "control/pc.h"

#include "base/mem.h"
#include "control/data.h"
#include "control/graph.h"
#include "control/notify.h"
#include "control/order.h"
#include "control/place.h"
#include "proto/sdp/candidate.h"

#define CANDIDATE_LINE_MAX 256u

struct pc *pc_new(struct control *c, struct handle *handle)
{
    CHECK(handle->pc == NULL);
    struct pc *pc = c->memory_short ? NULL : pool_get(&c->pcs);
    if (pc == NULL) {
        c->counters.memory_refused += c->memory_short;
        c->counters.pcs_refused++;
        return NULL;
    }
    pc->handle = handle;
    pc->state = PC_OFFERED;
    pc->trickle = true;
    negotiation_init(&pc->negotiation);
    list_init(&pc->data.sinks);
    list_init(&pc->data.put_off);
    pc->story.created_at = c->now;
    buf_init(&pc->story.candidates, REMOTE_CANDIDATES_MAX * CANDIDATE_LINE_MAX);
    handle->pc = pc;
    handle->hung_up = false;
    return pc;
}

static struct pc *by_name(const struct control *c, struct peer_ref peer)
{
    return peer.worker < c->config.worker_count ? slots_get(&c->seats[peer.worker].peers, peer.ref) : NULL;
}

struct pc *pc_find(const struct control *c, struct peer_ref peer)
{
    struct pc *pc = by_name(c, peer);
    return pc == NULL || pc->state == PC_CLOSING ? NULL : pc;
}

void pc_mint_credentials(struct control *c, const struct pc *pc, char ufrag[UFRAG_CHARS + 1], char pwd[PWD_CHARS + 1])
{
    ufrag_write(ufrag, pc->peer.ref, &c->rng);
    rng_text(&c->rng, pwd, PWD_CHARS);
}

enum err pc_seat(struct control *c, struct pc *pc)
{
    uint32_t worker = place_peer(c, pc->handle->group);
    struct ref ref = slots_add(&c->seats[worker].peers, pc);
    if (ref_is_none(ref)) {
        c->counters.pcs_refused++;
        return ERR_FULL;
    }
    pc->peer = (struct peer_ref){.ref = ref, .worker = worker};
    pc_mint_credentials(c, pc, pc->ufrag, pc->pwd);
    return ERR_NONE;
}

void pc_unseat(struct control *c, struct pc *pc)
{
    slots_del(&c->seats[pc->peer.worker].peers, pc->peer.ref);
    pc->peer = (struct peer_ref){.ref = REF_NONE};
}

/* -- sources ----------------------------------------------------------------------------------------------------------- */

static struct source_desc describe(const struct pc *pc, const struct negotiated_line *line)
{
    struct source_desc desc = {
        .kind = line->kind == SDP_AUDIO ? MEDIA_AUDIO : line->kind == SDP_VIDEO ? MEDIA_VIDEO : MEDIA_DATA,
        .layer_count = line->layer_count > 0 ? line->layer_count : 1,
        .opaque = pc->e2ee,
    };
    /* RED wraps the codec that is listed behind it; what has no name (telephone-event) is no codec. */
    for (unsigned i = 0; i < line->pt_count; i++) {
        const struct remote_pt *pt = &line->pts[i];
        if (pt->codec == CODEC_NONE || pt->codec == CODEC_RED)
            continue;
        desc.codec = pt->codec;
        desc.clock_hz = pt->clock_hz;
        break;
    }
    return desc;
}

void pc_update_sources(struct control *c, struct pc *pc, bool complete)
{
    uint16_t count = pc->negotiation.local->mline_count;
    for (uint16_t i = 0; i < count; i++) {
        struct negotiated_line line;
        bool receives = negotiation_line(&pc->negotiation, i, &line) && line.recv;
        bool has_source = i < pc->line_count && pc->lines[i].source != NULL;
        if (!receives && has_source)
            graph_set_source(c, pc, i, NULL);
        if (!receives || (!has_source && !complete))
            continue;
        struct source_desc desc = describe(pc, &line);
        graph_set_source(c, pc, i, &desc);
    }
}

/* -- what is kept to be shown -------------------------------------------------------------------------------------------- */

static void keep_text(char **to, struct view text)
{
    mem_put(*to);
    *to = mem_get(text.size + 1);
    memcpy(*to, text.data, text.size);
    (*to)[text.size] = '\0';
}

void pc_keep_description(const struct control *c, struct pc *pc, bool local, struct view text)
{
    if (!c->config.shows_peers)
        return;
    keep_text(local ? &pc->story.local : &pc->story.remote, text);
}

void pc_keep_candidate(const struct control *c, struct pc *pc, const struct ice_candidate *candidate)
{
    if (!c->config.shows_peers)
        return;
    candidate_write(candidate, &pc->story.candidates);
    buf_add_char(&pc->story.candidates, '\n');
}

static void forget_story(struct pc *pc)
{
    mem_put(pc->story.local);
    mem_put(pc->story.remote);
    pc->story.local = pc->story.remote = NULL;
    buf_fini(&pc->story.candidates);
}

/* -- the end ------------------------------------------------------------------------------------------------------------ */

void pc_close(struct control *c, struct pc *pc, bool notify)
{
    CHECK(pc->state != PC_CLOSING);
    if (pc->handle != NULL && pc->handle->pc == pc)
        pc->handle->pc = NULL;
    if (pc->state == PC_OFFERED) {
        pc_free(c, pc);
        return;
    }
    c->pcs_up -= pc->state == PC_UP;
    /* Each sink is ended by an order of its own, so its name may be given out again at once. */
    graph_silence(c, pc);
    data_forget(pc);
    forget_story(pc);
    order_peer_close(c, pc, notify);
    pc->handle = NULL;
    pc->state = PC_CLOSING;
    negotiation_fini(&pc->negotiation);
    c->pcs_closing++;
}

void pc_free(struct control *c, struct pc *pc)
{
    if (pc->handle != NULL && pc->handle->pc == pc)
        pc->handle->pc = NULL;
    graph_drop(c, pc);
    data_forget(pc);
    forget_story(pc);
    negotiation_fini(&pc->negotiation);
    if (pc->state != PC_OFFERED)
        notify_peer_gone(c, pc);
    if (!ref_is_none(pc->peer.ref))
        pc_unseat(c, pc);
    pool_put(&c->pcs, pc);
}

bool pc_closed(struct control *c, struct peer_ref peer)
{
    struct pc *pc = by_name(c, peer);
    if (pc == NULL || pc->state != PC_CLOSING)
        return false;
    c->pcs_closing--;
    c->counters.pcs_closed++;
    pc_free(c, pc);
    return true;
}
