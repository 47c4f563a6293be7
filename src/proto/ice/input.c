/* What comes in: checks of the remote (RFC 8445 7.3) and answers to ours (7.2.5). What does not authenticate changes
 * nothing and is answered by nothing: a STUN flood costs one HMAC a message at most and is never reflected. */
#include "base/check.h"
#include "base/str.h"
#include "proto/ice/ice_agent.h"

static bool is_local_user(const struct ice_secrets *credentials, struct view user)
{
    return credentials->local_size > 0 && str_equal(user, VIEW(credentials->local, credentials->local_size));
}

/* Which generation a request speaks to, authenticated; false: it is dropped, and counted. */
static bool authenticate(struct ice *ice, const struct stun_message *m, enum ice_generation *generation)
{
    struct view user;
    struct view remote_user;
    if (m->username.size == 0 || m->integrity_at == 0) {
        ice->counters->no_credentials++;
        return false;
    }
    if (!stun_split_username(m->username, &user, &remote_user)) {
        ice->counters->wrong_user++;
        return false;
    }
    if (is_local_user(&ice->credentials[ICE_CURRENT], user)) {
        *generation = ICE_CURRENT;
    } else if (is_local_user(&ice->credentials[ICE_PREVIOUS], user)) {
        *generation = ICE_PREVIOUS;
    } else {
        ice->counters->wrong_user++;
        return false;
    }
    if (!stun_is_authentic(m, ice->mac, &ice->credentials[*generation].local_key)) {
        ice->counters->wrong_key++;
        return false;
    }
    return true;
}

static void answer(struct ice *ice, const struct stun_message *m, const struct net_tuple *to, enum ice_generation generation,
                   uint16_t code)
{
    if (ice->answer.is_pending)
        ice->counters->answers_overrun++;
    ice->answer = (struct ice_answer){.to = *to, .code = code, .is_old = generation == ICE_PREVIOUS, .is_pending = true};
    memcpy(ice->answer.txid, m->txid, STUN_TXID_BYTES);
    if (code != STUN_ERROR_UNKNOWN_ATTRIBUTE)
        return;
    ice->answer.unknown_count = (uint8_t)(m->unknown_count < STUN_UNKNOWN_MAX ? m->unknown_count : STUN_UNKNOWN_MAX);
    memcpy(ice->answer.unknown, m->unknown, sizeof(m->unknown));
}

/* RFC 8445 7.3.1.1: both sides believe to have the same role. The larger tie-breaker controls; a lite agent never does.
 * True: the request is answered by 487, and that is all. */
static bool is_refused_for_role(struct ice *ice, const struct stun_message *m)
{
    bool conflict = ice->role == ICE_CONTROLLING ? m->has_controlling : m->has_controlled;
    if (!conflict)
        return false;
    ice->counters->role_conflicts++;
    bool we_win = ice->tie_breaker >= m->tie_breaker;
    if (ice->lite || (ice->role == ICE_CONTROLLING) == we_win)
        return true;
    ice_switch_role(ice);
    return false;
}

/* A check without PRIORITY breaks RFC 8445 7.1.1, but keepalives of old agents look like this. */
static uint32_t reflexive_priority(const struct stun_message *m)
{
    return m->has_priority ? m->priority : ice_candidate_priority(ICE_PRFLX, 0, 1);
}

static void on_nomination(struct ice *ice, usec_t now, struct ice_pair *pair, bool use_candidate)
{
    if (ice->role == ICE_CONTROLLING)
        return;
    if (!use_candidate) {
        ice->remote_is_regular = true;
        return;
    }
    /* RFC 8445 7.3.1.5: a pair that has not been checked (lately) is nominated when our own check succeeds. */
    if (ice->lite || (ice_is_fresh(ice, pair, now) && !ice_is_quiet(ice, pair, now)))
        ice_nominate(ice, pair);
    else
        pair->flags |= ICE_NOMINATE;
}

static void on_check(struct ice *ice, usec_t now, const struct stun_message *m, const struct net_tuple *from,
                     struct ice_pair *pair)
{
    if (pair == NULL)
        pair = ice_pair_add(ice, from, ICE_PRFLX, reflexive_priority(m), true);
    if (pair == NULL)
        return;
    pair->seen = ice_stamp(ice, now);
    ice_pair_verify(ice, pair);
    if (ice->lite) {
        pair->state = ICE_PAIR_SUCCEEDED;
        pair->flags |= ICE_VALID;
    }
    on_nomination(ice, now, pair, m->use_candidate);
    ice_pair_trigger(ice, now, pair);
}

/* False: it was dropped, and nothing has changed. */
static bool on_request(struct ice *ice, usec_t now, const struct stun_message *m, const struct net_tuple *from)
{
    enum ice_generation generation;
    if (!authenticate(ice, m, &generation))
        return false;
    ice->counters->requests++;
    if (m->unknown_count > 0) {
        ice->counters->unknown_attributes++;
        answer(ice, m, from, generation, STUN_ERROR_UNKNOWN_ATTRIBUTE);
        return true;
    }
    struct ice_pair *pair = ice_pair_find(ice, from, generation == ICE_PREVIOUS);
    if (pair != NULL && (pair->flags & ICE_CLOSED) != 0) {
        ice->counters->expired_pair++;
        return false;
    }
    if (generation == ICE_PREVIOUS) {
        if (pair != NULL)
            pair->seen = ice_stamp(ice, now);
        answer(ice, m, from, generation, 0);
        return true;
    }
    if (is_refused_for_role(ice, m)) {
        answer(ice, m, from, generation, STUN_ERROR_ROLE_CONFLICT);
        return true;
    }
    answer(ice, m, from, generation, 0);
    on_check(ice, now, m, from, pair);
    return true;
}

/* The check or consent check that a response answers. */
static struct ice_pair *find_transaction(struct ice *ice, const uint8_t *txid, bool *is_consent)
{
    uint64_t random = (uint64_t)get_u32(txid + 4) << 32 | get_u32(txid + 8);
    struct ice_pair *selected = ice_selected_pair(ice);
    if (get_u32(txid) != ice->txid_prefix)
        return NULL;
    *is_consent = selected != NULL && random != 0 && (random == ice->consent_txids[0] || random == ice->consent_txids[1]);
    if (*is_consent)
        return selected;
    ICE_EACH_PAIR(ice, p)
        if (p->state == ICE_PAIR_IN_PROGRESS && p->txid == random)
            return p;
    return NULL;
}

/* RFC 8445 7.2.5.1: the remote insists on the role that we had when we asked; the check goes out again in the other. */
static void on_role_conflict(struct ice *ice, struct ice_pair *pair, bool is_consent)
{
    bool asked_controlling = is_consent ? ice->role == ICE_CONTROLLING : (pair->flags & ICE_SENT_CONTROLLING) != 0;
    ice->counters->role_conflicts++;
    if (asked_controlling == (ice->role == ICE_CONTROLLING)) {
        ice_switch_role(ice);
        ice->tie_breaker = rng_u64(ice->rng);
    }
    if (is_consent)
        return;
    ice_pair_wait(ice, pair, ICE_TRIGGERED);
}

static void on_success(struct ice *ice, usec_t now, struct ice_pair *pair, bool is_consent)
{
    pair->heard = pair->seen = ice_stamp(ice, now);
    pair->flags |= ICE_VALID | ICE_PROVEN;
    ice_pair_verify(ice, pair);
    if (is_consent)
        return;
    bool nominates = ice->role == ICE_CONTROLLING ? (pair->flags & ICE_USE) != 0 : (pair->flags & ICE_NOMINATE) != 0;
    pair->state = ICE_PAIR_SUCCEEDED;
    pair->flags &= (uint16_t)~(ICE_USE | ICE_NOMINATE | ICE_TRIGGERED);
    ice->send_pairs &= ~(1u << (pair - ice->pairs));
    if (nominates)
        ice_nominate(ice, pair);
}

static bool on_response(struct ice *ice, usec_t now, const struct stun_message *m, const struct net_tuple *from)
{
    bool is_consent = false;
    struct ice_pair *pair = find_transaction(ice, m->txid, &is_consent);
    if (pair == NULL) {
        ice->counters->stray_responses++;
        return false;
    }
    enum ice_generation generation = (pair->flags & ICE_OLD) != 0 ? ICE_PREVIOUS : ICE_CURRENT;
    if (!stun_is_authentic(m, ice->mac, &ice->credentials[generation].remote_key)) {
        ice->counters->wrong_key++;     /* the true answer may still come */
        return false;
    }
    ice->counters->responses++;
    struct net_tuple asked = ice_pair_tuple(pair);
    if (!net_tuple_equal(from, &asked)) {
        ice->counters->asymmetric++;    /* RFC 8445 7.2.5.2.1 */
        ice_pair_fail(ice, pair);
    } else if (m->class == STUN_ERROR && m->error_code == STUN_ERROR_ROLE_CONFLICT) {
        on_role_conflict(ice, pair, is_consent);
    } else if (m->class == STUN_ERROR || m->unknown_count > 0 || !m->has_mapped) {
        ice->counters->errors++;
        if (!is_consent)
            ice_pair_fail(ice, pair);
    } else {
        on_success(ice, now, pair, is_consent);
    }
    return true;
}

void ice_input(struct ice *ice, usec_t now, const struct net_tuple *from, struct view datagram)
{
    CHECK(from->socket < ice->base_count);
    struct stun_message m;
    if (!stun_parse(&m, datagram)) {
        ice->counters->malformed++;
        return;
    }
    if (m.method != STUN_BINDING) {
        ice->counters->wrong_method++;
        return;
    }
    bool changed = false;
    switch (m.class) {
    case STUN_REQUEST:
        changed = on_request(ice, now, &m, from);
        break;
    case STUN_SUCCESS:
    case STUN_ERROR:
        changed = on_response(ice, now, &m, from);
        break;
    case STUN_INDICATION:
    default:
        ice->counters->indications++;   /* a keepalive: RFC 8445 11 */
    }
    if (changed)
        ice_settle(ice, now);
}
