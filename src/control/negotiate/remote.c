/* control/negotiate/remote.c - a client's description, compiled (webrtc.md 1.2 to 1.4). Lines: remote_mline.c. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "control/negotiate/negotiate_internal.h"

struct compile {
    const struct negotiation *n;
    const struct sdp *sdp;
    const struct negotiate_remote_options *options;
    struct remote_description *remote;
    const struct sdp_mline *transport;     /* the line whose ICE and DTLS attributes count */
    bool is_answer;
    bool has_data;
};

bool is_word(struct view text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.size > 0;
}

/* ---- ports ---- */

/* Is `mid` in the BUNDLE group? Also true when there is no group, or no mid to look for. */
static bool is_bundled(const struct sdp *sdp, struct view mid)
{
    const struct sdp_attr *attr = sdp_attr_find(&sdp->attrs, STR("group"));
    for (; attr != NULL && mid.size > 0; attr = sdp_attr_find_next(attr, STR("group"))) {
        struct view rest = attr->value;
        struct view word = sdp_field(&rest);
        if (!str_equal(word, STR("BUNDLE")))
            continue;
        while (word.size > 0 && !str_equal(word, mid))
            word = sdp_field(&rest);
        return word.size > 0;
    }
    return true;
}

static bool has_ufrag(const struct sdp_attrs *attrs)
{
    return sdp_attr_find(attrs, STR("ice-ufrag")) != NULL;
}

/* webrtc.md 1.2: the first line is enabled whatever its port says: it carries the transport. Not so once a browser has
 * stopped it and another line has taken that over: Firefox then leaves out its credentials, Chromium takes it out of the
 * group (RFC 8829 5.3.1, RFC 9143 7.2). The reference can't renegotiate after that. */
static bool is_first_dropped(const struct sdp *sdp)
{
    const struct sdp_mline *first = sdp->mlines[0];
    const bool has_own = has_ufrag(&first->attrs) || has_ufrag(&sdp->attrs);
    if (has_own && is_bundled(sdp, str_trim(sdp_attr_value(&first->attrs, STR("mid")))))
        return false;
    for (unsigned i = 1; i < sdp->mline_count; i++)
        if (sdp->mlines[i]->port != 0 && has_ufrag(&sdp->mlines[i]->attrs))
            return true;
    return false;
}

static void mend_ports(struct sdp *sdp)
{
    for (unsigned i = 0; i < sdp->mline_count; i++) {
        struct sdp_mline *mline = sdp->mlines[i];
        if (mline->port == 0 && sdp_attr_find(&mline->attrs, STR("bundle-only")) != NULL)
            mline->port = 9;
    }
    if (sdp->mlines[0]->port == 0 && !is_first_dropped(sdp))
        sdp->mlines[0]->port = 9;
}

static const struct sdp_mline *transport_line(const struct sdp *sdp)
{
    for (unsigned i = 0; i < sdp->mline_count; i++)
        if (sdp->mlines[i]->port != 0 && (i == 0 || has_ufrag(&sdp->mlines[i]->attrs)))
            return sdp->mlines[i];
    return sdp->mlines[0];
}

/* ---- what the PeerConnection as a whole needs ---- */

/* The media level overrides the session level (webrtc.md 1.3). */
static struct view transport_value(const struct compile *c, struct view name)
{
    struct view value = sdp_attr_value(&c->transport->attrs, name);
    return value.size > 0 ? value : sdp_attr_value(&c->sdp->attrs, name);
}

/* Of several in one level (RFC 8122 5) the strongest hash that we can compute; malformed and unknown ones don't count. */
static void best_fingerprint(struct dtls_fingerprint *out, const struct sdp_attrs *attrs)
{
    const struct sdp_attr *attr = sdp_attr_find(attrs, STR("fingerprint"));
    for (; attr != NULL; attr = sdp_attr_find_next(attr, STR("fingerprint"))) {
        struct dtls_fingerprint found;
        struct view hex = attr->value;
        struct view hash = sdp_field(&hex);
        if (dtls_fingerprint_parse(&found, hash, str_trim(hex)) && found.hash > out->hash)
            *out = found;
    }
}

static bool compile_credentials(struct compile *c)
{
    struct remote_description *remote = c->remote;
    const struct view ufrag = transport_value(c, STR("ice-ufrag"));
    const struct view pwd = transport_value(c, STR("ice-pwd"));
    if (!is_word(ufrag) || !is_word(pwd) || !str_copy(remote->ufrag, sizeof(remote->ufrag), ufrag) ||
        !str_copy(remote->pwd, sizeof(remote->pwd), pwd))
        return false;
    best_fingerprint(&remote->fingerprint, &c->transport->attrs);
    if (remote->fingerprint.hash == DTLS_HASH_NONE)
        best_fingerprint(&remote->fingerprint, &c->sdp->attrs);
    return remote->fingerprint.hash != DTLS_HASH_NONE || !c->options->encrypted;
}

static void compile_candidates(struct compile *c)
{
    struct remote_description *remote = c->remote;
    const struct sdp_attr *attr = c->transport->attrs.first;
    for (; attr != NULL && remote->candidate_count < REMOTE_CANDIDATES_MAX; attr = attr->next) {
        struct ice_candidate candidate;
        struct view name;
        if (!str_equal(attr->name, STR("candidate")))
            continue;
        const enum candidate_result result = candidate_parse(&candidate, &name, attr->value);
        if (result != CANDIDATE_OK && result != CANDIDATE_NAME)
            continue;
        if (remote->candidates == NULL)
            remote->candidates = mem_get(REMOTE_CANDIDATES_MAX * sizeof(*remote->candidates));
        struct remote_candidate *kept = &remote->candidates[remote->candidate_count++];
        kept->candidate = candidate;
        str_copy(kept->name, sizeof(kept->name), name);
    }
    if (remote->candidates != NULL)             /* most clients have a few; this is kept as long as the PeerConnection */
        remote->candidates = mem_resize(remote->candidates, remote->candidate_count * sizeof(*remote->candidates));
    remote->end_of_candidates = sdp_attr_find(&c->transport->attrs, STR("end-of-candidates")) != NULL ||
                                sdp_attr_find(&c->sdp->attrs, STR("end-of-candidates")) != NULL;
}

/* webrtc.md 1.2: actpass and passive make us the DTLS client, active makes us the server. */
static enum dtls_role our_role(const struct sdp *sdp)
{
    const struct view name = STR("setup");
    struct view setup = sdp_attr_value(&sdp->attrs, name);
    for (unsigned i = 0; i < sdp->mline_count && setup.size == 0; i++)
        setup = sdp_attr_value(&sdp->mlines[i]->attrs, name);
    return str_equal_nocase(str_trim(setup), STR("active")) ? DTLS_ROLE_SERVER : DTLS_ROLE_CLIENT;
}

/* ---- lines ---- */

/* webrtc.md 1.1, last row: mid and setup must say something. */
static bool has_bare_attribute(const struct sdp_attrs *attrs)
{
    for (const struct sdp_attr *attr = attrs->first; attr != NULL; attr = attr->next)
        if (attr->value.size == 0 && (str_equal(attr->name, STR("mid")) || str_equal(attr->name, STR("setup"))))
            return true;
    return false;
}

static const struct local_mline *local_line(const struct negotiation *n, unsigned index)
{
    return n->local != NULL && index < n->local->mline_count ? &n->local->mlines[index] : NULL;
}

/* A line's mid is fixed, and a different one later is ignored, but for a line that had been rejected: browsers reuse those
 * for new media (RFC 8829 5.2.2). In an answer our own mid counts. */
static enum negotiate_result compile_mid(struct compile *c, struct remote_mline *out, const struct sdp_mline *mline)
{
    const struct local_mline *ours = local_line(c->n, out->index);
    const struct view mid = str_trim(sdp_attr_value(&mline->attrs, STR("mid")));
    const bool is_media = out->kind != SDP_APPLICATION && !out->disabled;
    if (mid.size >= sizeof(out->mid) || (is_media && mid.size > NEGOTIATE_MID_CHARS_MAX))
        return NEGOTIATE_BAD_MID;
    if (mid.size > 0 && !is_word(mid))
        return NEGOTIATE_UNUSABLE;
    out->has_mid = mid.size > 0;
    if (ours != NULL && (c->is_answer || !ours->disabled || mid.size == 0))
        memcpy(out->mid, ours->mid, sizeof(out->mid));
    else if (mid.size > 0)
        str_copy(out->mid, sizeof(out->mid), mid);
    else
        snprintf(out->mid, sizeof(out->mid), "%u", out->index);
    return NEGOTIATE_OK;
}

static bool has_twin(const struct remote_description *remote, const struct remote_mline *mline)
{
    for (unsigned i = 0; i < mline->index; i++)
        if (strcmp(remote->mlines[i].mid, mline->mid) == 0)
            return true;
    return false;
}

static bool is_kind_allowed(const struct compile *c, const struct remote_mline *line)
{
    const struct local_mline *ours = local_line(c->n, line->index);
    return ours == NULL || ours->kind == line->kind || (!c->is_answer && ours->disabled);
}

static enum negotiate_result compile_line(struct compile *c, struct remote_mline *out, const struct sdp_mline *mline)
{
    out->kind = mline->kind;
    out->index = mline->index;
    out->disabled = mline->port == 0 || (mline->kind == SDP_APPLICATION && (c->has_data || !is_data_line(mline)));
    out->direction = out->disabled ? SDP_INACTIVE : mline->direction;
    const enum negotiate_result result = compile_mid(c, out, mline);
    if (result != NEGOTIATE_OK)
        return result;
    if (!is_kind_allowed(c, out) || has_twin(c->remote, out))
        return NEGOTIATE_UNUSABLE;
    if (out->disabled)
        return NEGOTIATE_OK;
    c->has_data = c->has_data || out->kind == SDP_APPLICATION;
    if (c->remote->first_mid[0] == '\0')
        memcpy(c->remote->first_mid, out->mid, sizeof(c->remote->first_mid));
    return remote_compile_mline(c->remote, out, mline, c->options->rid_lowest_first) ? NEGOTIATE_OK : NEGOTIATE_UNUSABLE;
}

/* The rtx map is common to all lines, and complete only when the last has been read. */
static void spread_rtx(struct remote_description *remote)
{
    for (unsigned i = 0; i < remote->mline_count; i++) {
        struct remote_mline *line = &remote->mlines[i];
        for (unsigned k = 0; k < line->pt_count && line->kind == SDP_VIDEO; k++)
            line->pts[k].rtx_pt = remote->rtx_of[line->pts[k].pt];
    }
}

static enum negotiate_result compile_lines(struct compile *c)
{
    struct remote_description *remote = c->remote;
    const struct sdp *sdp = c->sdp;
    remote->mlines = mem_get_zero(sdp->mline_count * sizeof(*remote->mlines));
    remote->mline_count = sdp->mline_count;
    for (unsigned i = 0; i < sdp->mline_count; i++) {
        const struct sdp_mline *mline = sdp->mlines[i];
        const enum negotiate_result result = compile_line(c, &remote->mlines[i], mline);
        if (result != NEGOTIATE_OK)
            return result;
        if (mline->kind != SDP_APPLICATION && remote->rtp_proto[0] == '\0')
            str_copy(remote->rtp_proto, sizeof(remote->rtp_proto), mline->proto);
    }
    spread_rtx(remote);
    return NEGOTIATE_OK;
}

static bool is_count_allowed(const struct compile *c)
{
    const struct negotiation *n = c->n;
    if (c->is_answer)
        return n->local != NULL && c->sdp->mline_count <= n->local->mline_count;
    return n->remote == NULL || c->sdp->mline_count >= n->remote->mline_count;     /* RFC 3264 8: lines never go */
}

static enum negotiate_result compile(struct compile *c)
{
    bool is_bare = has_bare_attribute(&c->sdp->attrs);
    for (unsigned i = 0; i < c->sdp->mline_count && !is_bare; i++)
        is_bare = has_bare_attribute(&c->sdp->mlines[i]->attrs);
    if (is_bare)
        return NEGOTIATE_BAD_MID;
    const enum negotiate_result result = compile_lines(c);
    if (result != NEGOTIATE_OK)
        return result;
    if (!is_count_allowed(c) || !compile_credentials(c))
        return NEGOTIATE_UNUSABLE;
    compile_candidates(c);
    return NEGOTIATE_OK;
}

/* ---- into the state ---- */

static bool has_video(const struct remote_description *remote)
{
    for (unsigned i = 0; i < remote->mline_count; i++)
        if (remote->mlines[i].kind == SDP_VIDEO && !remote->mlines[i].disabled)
            return true;
    return false;
}

static bool has_local_rtx(const struct local_description *local)
{
    for (unsigned i = 0; i < local->mline_count; i++)
        if (local->mlines[i].rtx)
            return true;
    return false;
}

/* An offer's map is taken over. Somebody who was offered rtx, or could have, and names no apt, does not want it. */
static void adopt_rtx(struct negotiation *n, enum negotiate_type type)
{
    const struct remote_description *remote = n->remote;
    if (type == NEGOTIATE_OFFER && remote->has_rtx)
        memcpy(n->rtx_of, remote->rtx_of, sizeof(n->rtx_of));
    if (remote->has_rtx)
        n->rtx = true;
    else if (type == NEGOTIATE_ANSWER ? has_local_rtx(n->local) : has_video(remote))
        n->rtx = false;
}

static void adopt(struct negotiation *n, enum negotiate_type type, const struct sdp *sdp, struct remote_description *remote,
                  const struct negotiate_remote_options *options)
{
    negotiation_settle(n, true);                        /* of an offer that another has overtaken */
    if (type == NEGOTIATE_OFFER)
        negotiation_keep(n);
    else
        remote_free(n->remote);
    n->remote = remote;
    adopt_rtx(n, type);
    if (!n->has_role && options->encrypted) {
        n->role = our_role(sdp);
        n->has_role = true;
    }
    if (remote->rtp_proto[0] != '\0')
        memcpy(n->rtp_proto, remote->rtp_proto, sizeof(n->rtp_proto));
    if (remote->first_mid[0] != '\0')
        memcpy(n->first_mid, remote->first_mid, sizeof(n->first_mid));
}

static struct negotiate_changes changes_between(const struct remote_description *was, const struct remote_description *is)
{
    if (was == NULL)
        return (struct negotiate_changes){0};
    return (struct negotiate_changes){
        .ice_restart = strcmp(was->ufrag, is->ufrag) != 0 || strcmp(was->pwd, is->pwd) != 0,
        .fingerprint = memcmp(&was->fingerprint, &is->fingerprint, sizeof(is->fingerprint)) != 0,
    };
}

enum negotiate_result negotiate_remote(struct negotiation *n, enum negotiate_type type, struct sdp *sdp,
                                       const struct negotiate_remote_options *options, struct negotiate_changes *changes)
{
    if (sdp->mline_count == 0)
        return NEGOTIATE_UNUSABLE;
    mend_ports(sdp);
    struct compile c = {
        .n = n,
        .sdp = sdp,
        .options = options,
        .remote = mem_get_zero(sizeof(*c.remote)),
        .transport = transport_line(sdp),
        .is_answer = type == NEGOTIATE_ANSWER,
    };
    const enum negotiate_result result = compile(&c);
    if (result != NEGOTIATE_OK) {
        remote_free(c.remote);
        return result;
    }
    if (changes != NULL)
        *changes = changes_between(n->remote, c.remote);
    adopt(n, type, sdp, c.remote, options);
    return NEGOTIATE_OK;
}
