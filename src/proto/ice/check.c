/* What is sent when: pacing, retransmission, consent. Every check takes a place in one rhythm (RFC 8445 14.2): ordinary
 * ones strictly, triggered ones and retransmissions up to ICE_AHEAD places early, so that a joining peer does not wait.
 * Checks to addresses that never answered are bounded on top: who knows our password could name anybody's. */
#include "proto/ice/ice_agent.h"

#define UNPROVEN_US SEC(1)

static usec_t less(usec_t at, usec_t by)
{
    return at > by ? at - by : 0;
}

/* A pair below the selected one is kept in reserve, not checked, while that one works (RFC 8445 8.1.1). */
static bool is_reserve(const struct ice *ice, const struct ice_pair *pair)
{
    if (ice->state != ICE_CONNECTED || ice->selected == ICE_NO_PAIR)
        return false;
    const struct ice_pair *selected = &ice->pairs[ice->selected];
    return (selected->flags & ICE_NOMINATED) != 0 && (selected->flags & ICE_OLD) == 0 &&
           (pair->flags & (ICE_TRIGGERED | ICE_NOMINATE)) == 0 &&
           ice_pair_priority(ice, pair) < ice_pair_priority(ice, selected);
}

/* RFC 8445 14.3: the more checks are under way, the longer each waits. */
static usec_t retransmit_after(const struct ice *ice, unsigned sends)
{
    usec_t busy = 0;
    for (const struct ice_pair *p = ice->pairs; p < ice->pairs + ICE_PAIRS_MAX; p++)
        busy += ice_pair_is_live(p) && !is_reserve(ice, p) ? ice->pace_us : 0;
    usec_t first = busy > ICE_RTO_US ? busy : ICE_RTO_US;
    usec_t cap = first > ICE_RTO_MAX_US ? first : ICE_RTO_MAX_US;
    return usec_min(first * sends, cap);
}

/* When something is to be done about a pair: a check sent, repeated, or given up. */
static usec_t ready_at(const struct ice *ice, const struct ice_pair *pair)
{
    usec_t at = 0;
    usec_t ahead = ICE_AHEAD * ice->pace_us;
    if (!ice_pair_is_live(pair) || (pair->flags & ICE_CLOSED) != 0)
        return USEC_NEVER;
    if (pair->state == ICE_PAIR_IN_PROGRESS) {
        at = pair->due;
        if (pair->sends >= ICE_SENDS_MAX || is_reserve(ice, pair))
            return at;
    } else if (is_reserve(ice, pair)) {
        return USEC_NEVER;
    } else if ((pair->flags & ICE_TRIGGERED) == 0) {
        ahead = 0;
    }
    usec_t paced = less(ice->pace_at, ahead);
    usec_t allowed = (pair->flags & ICE_PROVEN) != 0 ? 0 : less(ice->unproven_at, ICE_UNPROVEN_MAX * UNPROVEN_US);
    at = at > paced ? at : paced;
    return at > allowed ? at : allowed;
}

static bool can_check(const struct ice *ice)
{
    return !ice->lite && ice->credentials[ICE_CURRENT].remote_key.size > 0;
}

usec_t ice_checks_due(const struct ice *ice)
{
    usec_t first = USEC_NEVER;
    if (can_check(ice))
        for (const struct ice_pair *p = ice->pairs; p < ice->pairs + ICE_PAIRS_MAX; p++)
            first = usec_min(first, ready_at(ice, p));
    return first;
}

/* Triggered checks first, then what is under way, then new ones; the highest priority first. */
static struct ice_pair *next_ready(struct ice *ice, usec_t now)
{
    struct ice_pair *next = NULL;
    int next_class = 0;
    ICE_EACH_PAIR(ice, p) {
        if (ready_at(ice, p) > now)
            continue;
        int class = p->state == ICE_PAIR_IN_PROGRESS ? 1 : (p->flags & ICE_TRIGGERED) != 0 ? 2 : 0;
        if (next == NULL || class > next_class ||
            (class == next_class && ice_pair_priority(ice, p) > ice_pair_priority(ice, next))) {
            next = p;
            next_class = class;
        }
    }
    return next;
}

static uint64_t new_txid(struct ice *ice)
{
    return rng_u64(ice->rng);
}

static void send_check(struct ice *ice, usec_t now, struct ice_pair *pair)
{
    if (pair->state == ICE_PAIR_WAITING) {
        bool controlling = ice->role == ICE_CONTROLLING;
        bool use = controlling && (ice->nomination == ICE_NOMINATE_AGGRESSIVE || (pair->flags & ICE_NOMINATE) != 0);
        pair->flags &= (uint16_t)~(ICE_TRIGGERED | ICE_USE | ICE_SENT_CONTROLLING);
        pair->flags |= (uint16_t)((use ? ICE_USE : 0) | (controlling ? ICE_SENT_CONTROLLING : 0));
        pair->state = ICE_PAIR_IN_PROGRESS;
        pair->txid = new_txid(ice);
        pair->sends = 0;
    }
    pair->sends++;
    pair->sent = ice_stamp(ice, now);
    pair->due = now + retransmit_after(ice, pair->sends);
    ice->send_pairs |= 1u << (pair - ice->pairs);
    ice->pace_at = (ice->pace_at > now ? ice->pace_at : now) + ice->pace_us;
    if ((pair->flags & ICE_PROVEN) == 0)
        ice->unproven_at = (ice->unproven_at > now ? ice->unproven_at : now) + UNPROVEN_US;
}

/* Ends: each turn of the loop fails a pair, puts it in reserve, or sends and moves its next time past `now`. */
void ice_checks_run(struct ice *ice, usec_t now)
{
    struct ice_pair *pair;
    while (can_check(ice) && (pair = next_ready(ice, now)) != NULL) {
        if (pair->state == ICE_PAIR_IN_PROGRESS && is_reserve(ice, pair))
            ice_pair_wait(ice, pair, 0);
        else if (pair->state == ICE_PAIR_IN_PROGRESS && pair->sends >= ICE_SENDS_MAX)
            ice_pair_fail(ice, pair);
        else
            send_check(ice, now, pair);
    }
}

static usec_t next_consent(struct ice *ice, usec_t now)
{
    return usec_on_grid(now + ICE_CONSENT_MIN_US + rng_u32(ice->rng) % (ICE_CONSENT_SPAN_US - USEC_GRID));
}

void ice_consent_start(struct ice *ice, usec_t now)
{
    ice->send_consent = false;
    ice->timers[ICE_TIMER_CONSENT] = ice->lite ? USEC_NEVER : next_consent(ice, now);
    ice->consent_txids[0] = ice->consent_txids[1] = 0;
}

/* Not retransmitted: each is a transaction of its own (RFC 7675 5.1). */
void ice_consent_send(struct ice *ice, usec_t now)
{
    ice->consent_txids[1] = ice->consent_txids[0];
    ice->consent_txids[0] = new_txid(ice) | 1;      /* 0 means none */
    ice->send_consent = true;
    ice->timers[ICE_TIMER_CONSENT] = next_consent(ice, now);
}
