/* Datagrams are composed when they are polled, so an agent keeps none. */
#include "base/check.h"
#include "proto/ice/ice_agent.h"

static const char *error_text(uint16_t code)
{
    return code == STUN_ERROR_ROLE_CONFLICT ? "Role Conflict" : "Unknown Attribute";
}

static void write_answer(struct ice *ice, struct ice_tx *out)
{
    const struct ice_answer *a = &ice->answer;
    struct stun_out message;
    stun_begin(&message, out->data, sizeof(out->data), a->code == 0 ? STUN_SUCCESS : STUN_ERROR, STUN_BINDING, a->txid);
    if (a->code == 0)
        stun_add_xor_address(&message, STUN_ATTR_XOR_MAPPED_ADDRESS, &a->to.remote);
    else
        stun_add_error(&message, a->code, error_text(a->code));
    if (a->code == STUN_ERROR_UNKNOWN_ATTRIBUTE)
        stun_add_unknown(&message, a->unknown, a->unknown_count);
    out->size = stun_end(&message, ice->mac, &ice->credentials[a->is_old ? ICE_PREVIOUS : ICE_CURRENT].local_key);
    out->to = a->to;
}

static void add_username(struct stun_out *message, const struct ice_secrets *c)
{
    char text[ICE_CREDENTIAL_MAX + 1 + ICE_LOCAL_CREDENTIAL_MAX];
    memcpy(text, c->remote, c->remote_size);
    text[c->remote_size] = ':';
    memcpy(text + c->remote_size + 1, c->local, c->local_size);
    stun_add(message, STUN_ATTR_USERNAME, VIEW(text, c->remote_size + 1u + c->local_size));
}

/* RFC 8445 7.1: PRIORITY is what a peer-reflexive candidate found by this check would have. */
static void write_check(struct ice *ice, const struct ice_pair *pair, uint64_t random, bool use_candidate, struct ice_tx *out)
{
    const struct ice_secrets *c = &ice->credentials[(pair->flags & ICE_OLD) != 0 ? ICE_PREVIOUS : ICE_CURRENT];
    uint8_t txid[STUN_TXID_BYTES];
    put_u32(txid, ice->txid_prefix);
    put_u32(txid + 4, (uint32_t)(random >> 32));
    put_u32(txid + 8, (uint32_t)random);
    struct stun_out message;
    stun_begin(&message, out->data, sizeof(out->data), STUN_REQUEST, STUN_BINDING, txid);
    add_username(&message, c);
    stun_add_u32(&message, STUN_ATTR_PRIORITY, ice_candidate_priority(ICE_PRFLX, ice_local_preference(pair->local), 1));
    stun_add_u64(&message, ice->role == ICE_CONTROLLING ? STUN_ATTR_ICE_CONTROLLING : STUN_ATTR_ICE_CONTROLLED,
                 ice->tie_breaker);
    if (use_candidate)
        stun_add(&message, STUN_ATTR_USE_CANDIDATE, VIEW(NULL, 0));
    out->size = stun_end(&message, ice->mac, &c->remote_key);
    out->to = ice_pair_tuple(pair);
    ice->counters->checks_sent++;
}

static void write_consent(struct ice *ice, struct ice_tx *out)
{
    const struct ice_pair *pair = &ice->pairs[ice->selected];
    bool use = ice->role == ICE_CONTROLLING && ice->nomination == ICE_NOMINATE_AGGRESSIVE;
    write_check(ice, pair, ice->consent_txids[0], use, out);
}

/* What could not be written (a key that is gone meanwhile) is skipped, so that false always means: drained. */
bool ice_poll_tx(struct ice *ice, struct ice_tx *out)
{
    out->size = 0;
    if (ice->answer.is_pending) {
        ice->answer.is_pending = false;
        write_answer(ice, out);
    }
    if (out->size == 0 && ice->send_consent) {
        ice->send_consent = false;
        CHECK(ice->selected != ICE_NO_PAIR);
        write_consent(ice, out);
    }
    while (out->size == 0 && ice->send_pairs != 0) {
        const struct ice_pair *pair = &ice->pairs[__builtin_ctz(ice->send_pairs)];
        ice->send_pairs &= ice->send_pairs - 1;
        CHECK(pair->state == ICE_PAIR_IN_PROGRESS);
        write_check(ice, pair, pair->txid, (pair->flags & ICE_USE) != 0, out);
    }
    return out->size > 0;
}
