/* The agent's life: making, credentials, candidates, restart, timers, events. */
#include "base/check.h"
#include "base/str.h"
#include "proto/ice/ice_agent.h"

_Static_assert(offsetof(struct ice, face) == 0, "ice_selected reads the agent's beginning");
_Static_assert(sizeof(struct ice) <= 3328, "an agent is small: there are ten thousand of them");
_Static_assert(ICE_PAIRS_MAX <= 32 && ICE_VERIFIED_MAX < ICE_PAIRS_MAX / 2, "pair masks; room beside the verified ones");

size_t ice_size(void)
{
    return sizeof(struct ice);
}

/* RFC 8839 5.4 allows letters, digits, '+' and '/'. Others are let pass where they cannot confuse a USERNAME. */
static bool is_credential(struct view text, size_t min, size_t max)
{
    if (text.size < min || text.size > max)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == ':')
            return false;
    return true;
}

static bool is_local_pair(struct view ufrag, struct view pwd)
{
    return is_credential(ufrag, ICE_UFRAG_MIN, ICE_LOCAL_CREDENTIAL_MAX) && is_credential(pwd, ICE_PWD_MIN, ICE_LOCAL_CREDENTIAL_MAX);
}

static void set_local(struct ice_secrets *c, struct view ufrag, struct view pwd)
{
    *c = (struct ice_secrets){.local_size = (uint8_t)ufrag.size};
    memcpy(c->local, ufrag.data, ufrag.size);
    stun_key_set(&c->local_key, pwd);
}

struct ice *ice_new(struct pool *pool, const struct ice_config *config, usec_t now)
{
    CHECK(config->base_count > 0 && config->base_count <= ICE_BASES_MAX);
    CHECK(is_local_pair(str_of(config->ufrag), str_of(config->pwd)));
    struct ice *ice = pool_get(pool);
    if (ice == NULL)
        return NULL;
    ice->role = (uint8_t)(config->lite ? ICE_CONTROLLED : config->role);
    ice->nomination = (uint8_t)config->nomination;
    ice->lite = config->lite;
    ice->state = ICE_NEW;
    ice->selected = ICE_NO_PAIR;
    ice->base_count = (uint8_t)config->base_count;
    ice->bases = config->bases;
    ice->txid_prefix = config->txid_prefix;
    ice->tie_breaker = config->tie_breaker;
    ice->born = now;
    ice->pace_us = config->pace_us > 0 ? config->pace_us : ICE_PACE_US;
    ice->rng = config->rng;
    ice->mac = config->mac;
    ice->counters = config->counters;
    ice->pool = pool;
    for (int i = 0; i < ICE_TIMER_COUNT; i++)
        ice->timers[i] = USEC_NEVER;
    set_local(&ice->credentials[ICE_CURRENT], str_of(config->ufrag), str_of(config->pwd));
    return ice;
}

void ice_free(struct ice *ice)
{
    if (ice != NULL)
        pool_put(ice->pool, ice);
}

/* These calls have no `now`: the next ice_timeout, due at once, does the rest. */
static void wake(struct ice *ice)
{
    ice->timers[ICE_TIMER_CHECK] = 0;
}

/* The remote has other credentials in the same generation: what was tried with the old ones says nothing. */
static void start_over(struct ice *ice)
{
    ICE_EACH_PAIR(ice, p)
        if (ice_pair_is_used(p) && !ice_pair_is_selected(ice, p) && (p->flags & (ICE_OLD | ICE_CLOSED)) == 0)
            ice_pair_wait(ice, p, 0);
}

enum err ice_set_remote(struct ice *ice, struct view ufrag, struct view pwd)
{
    if (!is_credential(ufrag, ICE_UFRAG_MIN, ICE_CREDENTIAL_MAX) || !is_credential(pwd, ICE_PWD_MIN, ICE_CREDENTIAL_MAX))
        return ERR_INVALID;
    struct ice_secrets *c = &ice->credentials[ICE_CURRENT];
    struct stun_key key = {0};
    stun_key_set(&key, pwd);
    if (str_equal(ufrag, VIEW(c->remote, c->remote_size)) && memcmp(&key, &c->remote_key, sizeof(key)) == 0)
        return ERR_NONE;
    if (c->remote_size > 0)
        start_over(ice);
    c->remote_key = key;
    c->remote_size = (uint16_t)ufrag.size;
    memcpy(c->remote, ufrag.data, ufrag.size);
    wake(ice);
    return ERR_NONE;
}

/* Addresses that a stranger must not make us send to, and zones: 0.0.0.0/8, multicast and broadcast, our own loopback
 * from elsewhere, link-local from a base that is not (RFC 8445 6.1.2.2). */
static bool may_send(const struct net_addr *base, const struct net_addr *addr)
{
    if (net_ip_is_loopback(addr) && !net_ip_is_loopback(base))
        return false;
    return addr->family == NET_IP4 || net_ip_is_linklocal(addr) == net_ip_is_linklocal(base);
}

static bool is_unicast(const struct net_addr *addr)
{
    if (addr->port == 0 || net_ip_is_any(addr))
        return false;
    return addr->family == NET_IP4 ? addr->ip[0] != 0 && addr->ip[0] < 224 : addr->ip[0] != 0xFF;
}

/* A signalled candidate names the zone of our interface at best by chance (RFC 4007 6): it gets the base's. */
static struct net_tuple tuple_from_base(const struct ice *ice, uint32_t socket, const struct net_addr *addr)
{
    struct net_tuple tuple = {.socket = socket, .remote = *addr};
    tuple.remote.scope = net_ip_is_linklocal(addr) && addr->family == NET_IP6 ? ice->bases[socket].scope : 0;
    return tuple;
}

static enum err refuse(struct ice *ice, enum err why)
{
    ice->counters->candidates_refused++;
    return why;
}

enum err ice_add_remote(struct ice *ice, const struct ice_candidate *candidate)
{
    const struct net_addr *addr = &candidate->addr;
    if (candidate->tcp || candidate->type > ICE_RELAY)
        return refuse(ice, ERR_UNSUPPORTED);
    if (!is_unicast(addr) || candidate->priority == 0)
        return refuse(ice, ERR_INVALID);
    if (ice->remote_count >= ICE_REMOTES_MAX)
        return refuse(ice, ERR_FULL);
    bool fits = false;
    bool added = false;
    for (uint32_t socket = 0; socket < ice->base_count; socket++) {
        if (ice->bases[socket].family != addr->family || !may_send(&ice->bases[socket], addr))
            continue;
        fits = true;
        struct net_tuple tuple = tuple_from_base(ice, socket, addr);
        struct ice_pair *pair = ice_pair_find(ice, &tuple, false);
        if (pair == NULL) {
            added |= ice_pair_add(ice, &tuple, (enum ice_candidate_type)candidate->type, candidate->priority, false) != NULL;
        } else if (pair->type == ICE_PRFLX || candidate->priority > pair->priority) {
            /* Known by a check, or signalled twice: what was signalled is what both sides compute with (RFC 8838 11.4). */
            pair->type = candidate->type;
            pair->priority = candidate->priority;
        }
    }
    if (!fits)
        return refuse(ice, ERR_UNSUPPORTED);
    ice->remote_count += added;
    wake(ice);
    return ERR_NONE;
}

void ice_end_of_candidates(struct ice *ice)
{
    ice->ended = true;
    wake(ice);
}

static void drop_previous(struct ice *ice)
{
    ICE_EACH_PAIR(ice, p)
        if (ice_pair_is_used(p) && (p->flags & ICE_OLD) != 0)
            ice_pair_drop(ice, p);
    ice->credentials[ICE_PREVIOUS] = (struct ice_secrets){0};
    ice->timers[ICE_TIMER_OLD] = USEC_NEVER;
}

/* What was current becomes the previous generation, unless that one still carries the data: then the current one, which
 * has selected nothing, is the one to go. Of the new previous generation only the owner's bindings are kept. */
static void age_generation(struct ice *ice, usec_t now)
{
    const struct ice_pair *selected = ice_selected_pair(ice);
    bool keep_previous = selected != NULL && (selected->flags & ICE_OLD) != 0;
    if (!keep_previous) {
        drop_previous(ice);
        ice->credentials[ICE_PREVIOUS] = ice->credentials[ICE_CURRENT];
        ice->timers[ICE_TIMER_OLD] = selected == NULL ? now + ICE_OLD_US : USEC_NEVER;
    }
    ICE_EACH_PAIR(ice, p) {
        if (!ice_pair_is_used(p) || (p->flags & ICE_OLD) != 0)
            continue;
        if (keep_previous || (p->flags & (ICE_VERIFIED | ICE_UNTELL)) == 0) {
            ice_pair_drop(ice, p);
            continue;
        }
        ice->send_pairs &= ~(1u << (p - ice->pairs));
        p->state = ICE_PAIR_SUCCEEDED;
        p->flags = (uint16_t)((p->flags | ICE_OLD) & ~(ICE_TRIGGERED | ICE_NOMINATE | ICE_USE));
    }
}

enum err ice_restart(struct ice *ice, usec_t now, struct view ufrag, struct view pwd)
{
    if (!is_local_pair(ufrag, pwd))
        return ERR_INVALID;
    age_generation(ice, now);
    set_local(&ice->credentials[ICE_CURRENT], ufrag, pwd);
    ice->remote_count = 0;
    ice->ended = ice->begun = false;
    ice->remote_is_regular = false;
    ice->failure = ICE_FAIL_NONE;
    ice->timers[ICE_TIMER_NOMINATE] = USEC_NEVER;
    ice_settle(ice, now);
    return ERR_NONE;
}

void ice_lose_tuple(struct ice *ice, usec_t now, const struct net_tuple *tuple)
{
    for (int is_old = 0; is_old <= 1; is_old++) {
        struct ice_pair *pair = ice_pair_find(ice, tuple, is_old != 0);
        if (pair != NULL)
            ice_pair_close(ice, pair, ICE_FAIL_LOST);
    }
    ice_settle(ice, now);
}

usec_t ice_deadline(const struct ice *ice)
{
    usec_t first = USEC_NEVER;
    for (int i = 0; i < ICE_TIMER_COUNT; i++)
        first = usec_min(first, ice->timers[i]);
    return first;
}

void ice_timeout(struct ice *ice, usec_t now)
{
    if (ice_deadline(ice) > now)
        return;
    if (ice->timers[ICE_TIMER_CONSENT] <= now && ice->selected != ICE_NO_PAIR)
        ice_consent_send(ice, now);
    if (ice->timers[ICE_TIMER_OLD] <= now) {
        ice->timers[ICE_TIMER_OLD] = USEC_NEVER;
        const struct ice_pair *selected = ice_selected_pair(ice);
        if (selected == NULL || (selected->flags & ICE_OLD) == 0)
            drop_previous(ice);
    }
    ice_settle(ice, now);       /* all other timers only say when to look again */
}

static enum ice_failure failure_now(const struct ice *ice)
{
    if (ice->state != ICE_FAILED)
        return ICE_FAIL_NONE;
    if (ice->failure != ICE_FAIL_NONE)
        return (enum ice_failure)ice->failure;
    return ice_has_pairs(ice) ? ICE_FAIL_CHECKS : ICE_FAIL_NO_PAIRS;
}

/* FORGOTTEN before VERIFIED: the same addresses may be verified anew meanwhile (and then are not forgotten at all). */
static bool poll_pair_event(struct ice *ice, struct ice_event *out)
{
    ICE_EACH_PAIR(ice, p) {
        bool gone = p->state == ICE_PAIR_GONE;
        if (!gone && (p->flags & ICE_UNTELL) == 0)
            continue;
        p->flags &= (uint16_t)~ICE_UNTELL;
        if (gone)
            p->state = ICE_PAIR_FREE;
        out->tuple = ice_pair_tuple(p);
        out->kind = ICE_EVENT_FORGOTTEN;
        if (!ice_tuple_is_verified(ice, &out->tuple))
            return true;
    }
    ICE_EACH_PAIR(ice, p) {
        if (!ice_pair_is_used(p) || (p->flags & ICE_TELL) == 0)
            continue;
        p->flags &= (uint16_t)~ICE_TELL;
        out->tuple = ice_pair_tuple(p);
        out->kind = ICE_EVENT_VERIFIED;
        return true;
    }
    return false;
}

static bool take(bool *flag)
{
    bool was = *flag;
    *flag = false;
    return was;
}

bool ice_poll_event(struct ice *ice, struct ice_event *out)
{
    *out = (struct ice_event){.state = (enum ice_state)ice->state, .failure = failure_now(ice), .role = (enum ice_role)ice->role};
    if (poll_pair_event(ice, out))
        return true;
    if (take(&ice->tell_selected) && ice->face.has_selected) {
        out->kind = ice->had_selected ? ICE_EVENT_SELECTED_CHANGED : ICE_EVENT_SELECTED;
        out->tuple = ice->face.selected;
        return ice->had_selected = true;
    }
    out->tuple = (struct net_tuple){0};
    out->kind = ICE_EVENT_ROLE;
    if (take(&ice->tell_role))
        return true;
    out->kind = ICE_EVENT_STATE;
    return take(&ice->tell_state);
}

void ice_describe(const struct ice *ice, struct ice_info *out)
{
    *out = (struct ice_info){
        .state = (enum ice_state)ice->state,
        .role = (enum ice_role)ice->role,
        .has_selected = ice->face.has_selected,
        .selected = ice->face.selected,
        .remote_count = ice->remote_count,
    };
    for (const struct ice_pair *p = ice->pairs; p < ice->pairs + ICE_PAIRS_MAX; p++)
        out->pair_count += ice_pair_is_used(p);
    if (ice->selected == ICE_NO_PAIR)
        return;
    const struct ice_pair *selected = &ice->pairs[ice->selected];
    out->remote_type = (enum ice_candidate_type)selected->type;
    out->is_nominated = (selected->flags & ICE_NOMINATED) != 0;
}
