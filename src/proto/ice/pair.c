/* The table of pairs: finding, making room, and what an address pair has gone through. */
#include "base/check.h"
#include "proto/ice/ice_agent.h"

uint32_t ice_candidate_priority(enum ice_candidate_type type, uint16_t local_preference, unsigned component)
{
    static const uint8_t preference[] = {[ICE_HOST] = 126, [ICE_PRFLX] = 110, [ICE_SRFLX] = 100, [ICE_RELAY] = 0};
    return (uint32_t)preference[type] << 24 | (uint32_t)local_preference << 8 | (256 - component);
}

uint16_t ice_local_preference(uint32_t socket)
{
    return (uint16_t)(UINT16_MAX - socket);
}

/* RFC 8445 6.1.2.3: 2^32 * MIN(G, D) + 2 * MAX(G, D) + (G > D). */
uint64_t ice_pair_priority(const struct ice *ice, const struct ice_pair *pair)
{
    uint32_t local = ice_candidate_priority(ICE_HOST, ice_local_preference(pair->local), 1);
    uint32_t g = ice->role == ICE_CONTROLLING ? local : pair->priority;
    uint32_t d = ice->role == ICE_CONTROLLING ? pair->priority : local;
    return ((uint64_t)(g < d ? g : d) << 32) + 2ull * (g < d ? d : g) + (g > d);
}

struct net_tuple ice_pair_tuple(const struct ice_pair *pair)
{
    return (struct net_tuple){.socket = pair->local, .remote = pair->addr};
}

static bool is_at(const struct ice_pair *pair, const struct net_tuple *tuple)
{
    return ice_pair_is_used(pair) && pair->local == tuple->socket && net_addr_equal(&pair->addr, &tuple->remote);
}

struct ice_pair *ice_pair_find(struct ice *ice, const struct net_tuple *tuple, bool is_old)
{
    ICE_EACH_PAIR(ice, p)
        if (is_at(p, tuple) && ((p->flags & ICE_OLD) != 0) == is_old)
            return p;
    return NULL;
}

bool ice_tuple_is_verified(const struct ice *ice, const struct net_tuple *tuple)
{
    for (const struct ice_pair *p = ice->pairs; p < ice->pairs + ICE_PAIRS_MAX; p++)
        if (is_at(p, tuple) && (p->flags & ICE_VERIFIED) != 0)
            return true;
    return false;
}

bool ice_has_pairs(const struct ice *ice)
{
    for (const struct ice_pair *p = ice->pairs; p < ice->pairs + ICE_PAIRS_MAX; p++)
        if (ice_pair_is_used(p) && (p->flags & ICE_OLD) == 0)
            return true;
    return false;
}

/* Which pair to give up for another: one that failed rather than one to be tried, a closed one (which must be remembered)
 * only for a check, a verified one (the owner's binding) or the selected one never. */
enum { COST_FAILED, COST_UNTRIED, COST_CLOSED, COST_NEVER };

static int cost_of(const struct ice *ice, const struct ice_pair *pair)
{
    if (!ice_pair_is_used(pair) || ice_pair_is_selected(ice, pair) || (pair->flags & (ICE_VERIFIED | ICE_UNTELL)) != 0)
        return COST_NEVER;
    if ((pair->flags & ICE_CLOSED) != 0)
        return COST_CLOSED;
    return pair->state == ICE_PAIR_FAILED ? COST_FAILED : COST_UNTRIED;
}

static struct ice_pair *worst_pair(struct ice *ice, bool must, uint64_t priority)
{
    struct ice_pair *worst = NULL;
    int worst_cost = must ? COST_NEVER : COST_CLOSED;
    uint64_t worst_priority = 0;
    ICE_EACH_PAIR(ice, p) {
        int cost = cost_of(ice, p);
        uint64_t p_priority = ice_pair_priority(ice, p);
        if (cost > worst_cost || (worst == NULL && cost == worst_cost) || (!must && p_priority >= priority))
            continue;
        if (cost < worst_cost || p_priority < worst_priority) {
            worst = p;
            worst_cost = cost;
            worst_priority = p_priority;
        }
    }
    return worst;
}

struct ice_pair *ice_pair_add(struct ice *ice, const struct net_tuple *tuple, enum ice_candidate_type type,
                              uint32_t priority, bool must)
{
    CHECK(tuple->socket < ice->base_count);
    struct ice_pair fresh = {.addr = tuple->remote, .local = (uint8_t)tuple->socket, .type = (uint8_t)type,
                             .priority = priority, .state = ICE_PAIR_WAITING};
    struct ice_pair *slot = NULL;
    ICE_EACH_PAIR(ice, p)
        if (p->state == ICE_PAIR_FREE) {
            slot = p;
            break;
        }
    if (slot == NULL) {
        ice->counters->pairs_dropped++;
        slot = worst_pair(ice, must, ice_pair_priority(ice, &fresh));
        if (slot == NULL)
            return NULL;
        ice_pair_drop(ice, slot);
    }
    *slot = fresh;
    return slot;
}

static void unschedule(struct ice *ice, const struct ice_pair *pair)
{
    ice->send_pairs &= ~(1u << (pair - ice->pairs));
}

/* The owner has been told about this address pair, and not yet that it is over. */
static bool is_bound(const struct ice_pair *pair)
{
    return (pair->flags & ICE_UNTELL) != 0 || (pair->flags & (ICE_VERIFIED | ICE_TELL)) == ICE_VERIFIED;
}

void ice_pair_drop(struct ice *ice, struct ice_pair *pair)
{
    CHECK(!ice_pair_is_selected(ice, pair));
    unschedule(ice, pair);
    pair->state = is_bound(pair) ? ICE_PAIR_GONE : ICE_PAIR_FREE;
    pair->flags = 0;
}

void ice_pair_wait(struct ice *ice, struct ice_pair *pair, enum ice_pair_flag flags)
{
    unschedule(ice, pair);
    pair->state = ICE_PAIR_WAITING;
    pair->flags |= (uint16_t)flags;
}

void ice_pair_fail(struct ice *ice, struct ice_pair *pair)
{
    unschedule(ice, pair);
    pair->flags &= (uint16_t)~(ICE_TRIGGERED | ICE_NOMINATE | ICE_USE);
    if (ice_pair_is_selected(ice, pair)) {
        pair->state = ICE_PAIR_SUCCEEDED;       /* an extra check got lost: consent decides about a selected pair */
        return;
    }
    pair->state = ICE_PAIR_FAILED;
    pair->flags &= (uint16_t)~(ICE_VALID | ICE_NOMINATED);
}

void ice_pair_close(struct ice *ice, struct ice_pair *pair, enum ice_failure why)
{
    if (ice_pair_is_selected(ice, pair)) {
        ice_deselect(ice);
        ice->failure = (uint8_t)why;
    }
    ice_pair_fail(ice, pair);
    bool was_told = is_bound(pair);
    pair->flags &= (uint16_t)~(ICE_VERIFIED | ICE_TELL | ICE_PROVEN);
    if (was_told && why != ICE_FAIL_LOST)       /* a lost one's binding is another peer's already */
        pair->flags |= ICE_UNTELL;
    if (!ice->lite || why == ICE_FAIL_LOST)
        pair->flags |= ICE_CLOSED;
}

/* The bindings of the owner are bounded: the pair that has been silent for longest is given up for a new one. */
void ice_pair_verify(struct ice *ice, struct ice_pair *pair)
{
    if ((pair->flags & ICE_VERIFIED) != 0)
        return;
    unsigned count = 0;
    struct ice_pair *oldest = NULL;
    ICE_EACH_PAIR(ice, p) {
        if (!ice_pair_is_used(p) || (p->flags & ICE_VERIFIED) == 0)
            continue;
        count++;
        if (!ice_pair_is_selected(ice, p) && (oldest == NULL || p->seen < oldest->seen))
            oldest = p;
    }
    if (count >= ICE_VERIFIED_MAX && oldest != NULL) {
        ice->counters->tuples_dropped++;
        ice_pair_drop(ice, oldest);
    }
    pair->flags = (uint16_t)((pair->flags | ICE_VERIFIED | ICE_TELL) & ~ICE_UNTELL);
}

/* RFC 8445 7.3.1.4. A check in progress is repeated rather than cancelled: with a remote that checks more often than a
 * round trip takes, a cancelled one would never see its answer. */
void ice_pair_trigger(struct ice *ice, usec_t now, struct ice_pair *pair)
{
    if (ice->lite || (pair->flags & (ICE_CLOSED | ICE_OLD)) != 0)
        return;
    switch ((enum ice_pair_state)pair->state) {
    case ICE_PAIR_IN_PROGRESS:
        if (now >= ice_stamp_due(ice, pair->sent, ICE_RETRIGGER_US)) {
            pair->sends = 1;
            pair->due = now;
        }
        return;
    case ICE_PAIR_SUCCEEDED:
        if (!ice_is_quiet(ice, pair, now))
            return;
        break;
    case ICE_PAIR_WAITING:
    case ICE_PAIR_FAILED:
        break;
    case ICE_PAIR_FREE:
    case ICE_PAIR_GONE:
    default:
        CHECK(ice_pair_is_used(pair));
    }
    ice_pair_wait(ice, pair, ICE_TRIGGERED);
}
