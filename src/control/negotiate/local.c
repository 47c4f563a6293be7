/* control/negotiate/local.c - a plugin's description, resolved into what we say: mids, SSRCs, rtx, directions (webrtc.md 3).
 * The text of it is written by local_write.c. Nothing in the state changes before all of it has succeeded. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "control/negotiate/local.h"
#include "proto/sdp/offer_answer.h"

static const struct local_mline *line_before(const struct merge *m, unsigned index)
{
    const struct local_description *before = m->n->local;
    return before != NULL && index < before->mline_count ? &before->mlines[index] : NULL;
}

static const struct remote_mline *line_of_client(const struct merge *m, unsigned index)
{
    const struct remote_description *remote = m->n->remote;
    return remote != NULL && index < remote->mline_count ? &remote->mlines[index] : NULL;
}

/* ---- how many lines, and of which kinds ---- */

static unsigned count_of(const struct merge *m)
{
    const unsigned remote = m->n->remote == NULL ? 0 : m->n->remote->mline_count;
    const unsigned before = m->n->local == NULL ? 0 : m->n->local->mline_count;
    unsigned count = m->plugin->mline_count;
    if (m->is_answer)
        return remote;
    count = count > remote ? count : remote;
    return count > before ? count : before;          /* RFC 3264 8: lines never go; those left out are rejected */
}

/* RFC 3264 6 for answers; RFC 8829 5.2.2 lets an offer reuse a line that had been rejected. */
static bool is_kind_allowed(const struct merge *m, const struct sdp_mline *mline)
{
    const struct remote_mline *remote = line_of_client(m, mline->index);
    const struct local_mline *before = line_before(m, mline->index);
    if (m->is_answer)
        return remote != NULL && remote->kind == mline->kind;
    return before == NULL || before->disabled || before->kind == mline->kind;
}

static enum err check_lines(const struct merge *m)
{
    if (m->is_answer && m->n->remote == NULL)
        return ERR_STATE;
    for (unsigned i = 0; i < m->plugin->mline_count; i++)
        if (!is_kind_allowed(m, m->plugin->mlines[i]))
            return ERR_INVALID;
    return ERR_NONE;
}

/* ---- one line ---- */

static bool has_mid(const struct merge *m, unsigned count, struct view mid)
{
    for (unsigned i = 0; i < count; i++)
        if (str_equal(str_of(m->local->mlines[i].mid), mid))
            return true;
    return false;
}

/* An answer has the client's; an offer what it had before, then the plugin's, then the index. A plugin's mid that is
 * malformed or taken is as if it had none. */
static bool resolve_mid(struct merge *m, struct local_mline *out, const struct sdp_mline *mline, unsigned index)
{
    const struct remote_mline *remote = line_of_client(m, index);
    const struct local_mline *before = line_before(m, index);
    const struct view own = mline == NULL ? STR("") : str_trim(sdp_attr_value(&mline->attrs, STR("mid")));
    const bool is_own_fine = is_word(own) && own.size <= NEGOTIATE_MID_CHARS_MAX && !has_mid(m, index, own);
    if (m->is_answer)
        memcpy(out->mid, remote->mid, sizeof(out->mid));
    else if (before != NULL && !(before->disabled && is_own_fine))
        memcpy(out->mid, before->mid, sizeof(out->mid));
    else if (is_own_fine)
        str_copy(out->mid, sizeof(out->mid), own);
    else
        snprintf(out->mid, sizeof(out->mid), "%u", index);
    return !has_mid(m, index, str_of(out->mid));
}

static bool has_ssrc(const struct local_description *local, uint32_t ssrc)
{
    for (unsigned i = 0; local != NULL && i < local->mline_count; i++)
        if (local->mlines[i].ssrc == ssrc || local->mlines[i].ssrc_rtx == ssrc)
            return true;
    return false;
}

static uint32_t mint_ssrc(const struct merge *m)
{
    uint32_t ssrc;
    do
        ssrc = rng_u32(m->rng);
    while (ssrc == 0 || has_ssrc(m->local, ssrc) || has_ssrc(m->n->local, ssrc));
    return ssrc;
}

/* A line keeps its SSRCs as long as it keeps its mid. */
static void resolve_ssrc(struct merge *m, struct local_mline *out, unsigned index)
{
    const struct local_mline *before = line_before(m, index);
    if (before != NULL && before->kind == out->kind && strcmp(before->mid, out->mid) == 0) {
        out->ssrc = before->ssrc;
        out->ssrc_rtx = before->ssrc_rtx;
    }
    if (out->disabled || out->kind == SDP_APPLICATION)
        return;
    if (out->ssrc == 0)
        out->ssrc = mint_ssrc(m);
    if (out->ssrc_rtx == 0 && out->rtx && sdp_direction_sends(out->direction))
        out->ssrc_rtx = mint_ssrc(m);
}

bool is_ext_offered(const struct merge *m, enum sdp_ext ext)
{
    return m->is_answer || (ext != SDP_EXT_RID && ext != SDP_EXT_REPAIRED_RID);     /* webrtc.md 3.3 */
}

static void resolve_exts(struct merge *m, struct local_mline *out, const struct sdp_mline *mline)
{
    const struct sdp_attr *attr = sdp_attr_find(&mline->attrs, STR("extmap"));
    for (; attr != NULL; attr = sdp_attr_find_next(attr, STR("extmap"))) {
        struct sdp_extmap map;
        if (!sdp_extmap_parse(&map, attr->value) || map.ext == SDP_EXT_UNKNOWN || map.id > UINT8_MAX || !is_ext_offered(m, map.ext))
            continue;
        if (m->local->ext_ids[map.ext] == 0)
            m->local->ext_ids[map.ext] = (uint8_t)map.id;
        if (m->local->ext_ids[map.ext] == map.id)
            out->exts |= SDP_EXT_BIT(map.ext);
    }
}

static bool has_nack(const struct sdp_mline *mline)
{
    const struct sdp_attr *attr = sdp_attr_find(&mline->attrs, STR("rtcp-fb"));
    for (; attr != NULL; attr = sdp_attr_find_next(attr, STR("rtcp-fb")))
        if (str_contains(attr->value, STR("nack")))
            return true;
    return false;
}

/* A media PT that an earlier offer of ours gave to rtx can't be had any more (webrtc.md 3.3). */
bool is_pt_kept(const struct merge *m, uint8_t pt)
{
    return m->is_answer || !m->taken[pt];
}

static void resolve_pts(struct merge *m, struct local_mline *out, const struct sdp_mline *mline)
{
    struct sdp_payload_table table;
    if (out->kind == SDP_AUDIO)                         /* asked for RED only */
        sdp_payloads(mline, &table);
    for (unsigned i = 0; i < mline->pt_count; i++) {
        const uint8_t pt = mline->pts[i];
        if (!is_pt_kept(m, pt))
            continue;
        if (out->pt_count < NEGOTIATE_PTS_MAX)
            out->pts[out->pt_count++] = pt;
        if (out->kind == SDP_AUDIO && table.of[pt].codec == CODEC_RED && out->red_pt == 0)
            out->red_pt = pt;
        if (out->kind != SDP_VIDEO || !m->rtx_wanted)
            continue;
        const uint8_t rtx = m->is_answer ? m->rtx.of[pt] : rtx_give(&m->rtx, pt);
        out->rtx = out->rtx || rtx != 0;
    }
    out->disabled = out->pt_count == 0;
}

static void resolve_media(struct merge *m, struct local_mline *out, const struct sdp_mline *mline, const struct remote_mline *remote)
{
    resolve_pts(m, out, mline);
    if (out->disabled) {
        out->direction = SDP_INACTIVE;
        return;
    }
    out->nack = has_nack(mline);
    resolve_exts(m, out, mline);
    out->simulcast = m->is_answer && remote->rid_count > 0 && (out->exts & SDP_EXT_BIT(SDP_EXT_RID)) != 0 &&
                     sdp_direction_receives(out->direction);
}

static enum err resolve_line(struct merge *m, unsigned index)
{
    const struct sdp_mline *mline = index < m->plugin->mline_count ? m->plugin->mlines[index] : NULL;
    const struct remote_mline *remote = line_of_client(m, index);
    const struct local_mline *before = line_before(m, index);
    struct local_mline *out = &m->local->mlines[index];
    out->kind = mline != NULL ? mline->kind : m->is_answer || before == NULL ? remote->kind : before->kind;
    out->disabled = mline == NULL || mline->port == 0 || (m->is_answer && remote->disabled) ||
                    (mline->kind == SDP_APPLICATION && !is_data_line(mline));
    out->direction = out->disabled ? SDP_INACTIVE : mline->direction;
    if (!out->disabled && m->is_answer)
        out->direction = sdp_direction_answer(remote->direction, out->direction);
    if (!resolve_mid(m, out, mline, index))
        return ERR_INVALID;
    if (!out->disabled && out->kind != SDP_APPLICATION)
        resolve_media(m, out, mline, remote);
    resolve_ssrc(m, out, index);
    return ERR_NONE;
}

/* ---- all of it ---- */

/* What must not be given out as an rtx PT: what this offer uses, what the client has used, what was given before. */
static void find_used_pts(struct merge *m)
{
    for (unsigned i = 0; i < m->plugin->mline_count; i++)
        for (unsigned k = 0; k < m->plugin->mlines[i]->pt_count; k++)
            m->rtx.used[m->plugin->mlines[i]->pts[k]] = true;
    for (unsigned i = 0; m->n->remote != NULL && i < m->n->remote->mline_count; i++)
        for (unsigned k = 0; k < m->n->remote->mlines[i].pt_count; k++)
            m->rtx.used[m->n->remote->mlines[i].pts[k].pt] = true;
    for (unsigned pt = 0; pt < SDP_PTS_MAX; pt++) {
        const uint8_t given = m->rtx.of[pt];
        if (given == 0)
            continue;
        m->rtx.used[given] = true;
        m->taken[given] = m->rtx_wanted;
    }
}

static enum err resolve(struct merge *m)
{
    const unsigned count = count_of(m);
    m->local->mlines = mem_get_zero(count * sizeof(*m->local->mlines));
    m->local->mline_count = (uint16_t)count;
    memcpy(m->rtx.of, m->is_answer ? m->n->remote->rtx_of : m->n->rtx_of, sizeof(m->rtx.of));
    m->rtx_wanted = m->is_answer ? m->n->remote->has_rtx : m->n->rtx;
    find_used_pts(m);
    for (unsigned i = 0; i < count; i++) {
        const enum err err = resolve_line(m, i);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

static void adopt(struct negotiation *n, const struct merge *m)
{
    local_free(n->local);
    n->local = m->local;
    if (!m->is_answer)
        memcpy(n->rtx_of, m->rtx.of, sizeof(n->rtx_of));
    for (unsigned i = 0; i < n->local->mline_count && n->first_mid[0] == '\0'; i++)
        if (!n->local->mlines[i].disabled)
            memcpy(n->first_mid, n->local->mlines[i].mid, sizeof(n->first_mid));
}

enum err negotiate_local(struct negotiation *n, enum negotiate_type type, const struct sdp *plugin,
                         const struct negotiate_local_input *in, struct rng *rng, struct buf *out)
{
    struct merge m = {.n = n, .plugin = plugin, .in = in, .rng = rng, .is_answer = type == NEGOTIATE_ANSWER};
    enum err err = check_lines(&m);
    if (err != ERR_NONE)
        return err;
    m.local = mem_get_zero(sizeof(*m.local));
    err = resolve(&m);
    if (err == ERR_NONE) {
        local_write(&m, out);
        err = out->failed ? ERR_FULL : ERR_NONE;
    }
    if (err == ERR_NONE)
        adopt(n, &m);
    else
        local_free(m.local);
    return err;
}
