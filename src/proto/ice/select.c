/* Which pair carries the data, and what state that makes. The rule, best first (see tier):
 *   nominated and seen lately > nominated > the previous generation's > valid, and known the longest > gone quiet.
 * Among nominated ones the highest priority wins (RFC 8445 8.1.1, RFC 5245 8.1.1.2: aggressive nomination); where the
 * controlling side is regular, only its newest nomination is kept. "Seen lately" is ours: a phone that leaves its Wi-Fi
 * nominates a pair of lower priority, and the old one would carry the media into the void until consent ends. */
#include "base/check.h"
#include "proto/ice/ice_agent.h"

/* A lite agent asks nobody, so what it receives has to count. */
static uint32_t life_sign(const struct ice *ice, const struct ice_pair *pair)
{
    return ice->lite ? pair->seen : pair->heard;
}

bool ice_is_quiet(const struct ice *ice, const struct ice_pair *pair, usec_t now)
{
    return now >= ice_stamp_due(ice, life_sign(ice, pair), ICE_QUIET_US);
}

bool ice_is_fresh(const struct ice *ice, const struct ice_pair *pair, usec_t now)
{
    uint16_t needed = ice->lite ? ICE_VALID | ICE_NOMINATED : ICE_VALID;
    return ice_pair_is_used(pair) && (pair->flags & needed) == needed && (pair->flags & ICE_CLOSED) == 0 &&
           now < ice_stamp_due(ice, life_sign(ice, pair), ICE_CONSENT_US);
}

enum { TIER_NONE, TIER_QUIET, TIER_OLD, TIER_VALID, TIER_OLD_NOMINATED, TIER_NOMINATED, TIER_NOMINATED_ALIVE };

static int tier(const struct ice *ice, const struct ice_pair *pair, usec_t now)
{
    if (!ice_is_fresh(ice, pair, now))
        return TIER_NONE;
    if (ice_is_quiet(ice, pair, now))
        return TIER_QUIET;
    bool is_nominated = (pair->flags & ICE_NOMINATED) != 0;
    if ((pair->flags & ICE_OLD) != 0)
        return is_nominated ? TIER_OLD_NOMINATED : TIER_OLD;
    if (!is_nominated)
        return TIER_VALID;
    return now < ice_stamp_due(ice, pair->seen, ICE_ALIVE_US) ? TIER_NOMINATED_ALIVE : TIER_NOMINATED;
}

static struct ice_pair *best_pair(struct ice *ice, usec_t now)
{
    struct ice_pair *best = ice_selected_pair(ice);
    int best_tier = best == NULL ? TIER_NONE : tier(ice, best, now);
    if (best_tier == TIER_NONE)
        best = NULL;
    ICE_EACH_PAIR(ice, p) {
        int t = tier(ice, p, now);
        if (t == TIER_NONE || t < best_tier || p == best)
            continue;
        bool keeps = t < TIER_NOMINATED && best != NULL && ice_pair_is_selected(ice, best);
        if (t > best_tier || (!keeps && ice_pair_priority(ice, p) > ice_pair_priority(ice, best))) {
            best = p;
            best_tier = t;
        }
    }
    return best;
}

void ice_deselect(struct ice *ice)
{
    ice->selected = ICE_NO_PAIR;
    ice->face.has_selected = false;
    ice->timers[ICE_TIMER_CONSENT] = USEC_NEVER;
    ice->send_consent = false;
}

static void select_pair(struct ice *ice, usec_t now, struct ice_pair *pair)
{
    if (pair == ice_selected_pair(ice))
        return;
    ice_deselect(ice);
    if (pair == NULL)
        return;
    ice->selected = (int8_t)(pair - ice->pairs);
    ice->face = (struct ice_face){.selected = ice_pair_tuple(pair), .has_selected = true};
    ice->tell_selected = true;
    ice_consent_start(ice, now);
    if (ice->credentials[ICE_PREVIOUS].local_size > 0)
        ice->timers[ICE_TIMER_OLD] = (pair->flags & ICE_OLD) != 0 ? USEC_NEVER : now + ICE_OLD_US;
}

/* RFC 7675 5.1. A lite agent sends no checks: there the remote's own consent checks (5 s apart) are the sign of life,
 * and their absence for the same 30 s ends it; that remote may come back, since no consent of ours was refused. */
static void end_consent(struct ice *ice, usec_t now)
{
    struct ice_pair *pair = ice_selected_pair(ice);
    if (pair == NULL || now < ice_stamp_due(ice, life_sign(ice, pair), ICE_CONSENT_US))
        return;
    ice->counters->consent_lost++;
    ice_pair_close(ice, pair, ICE_FAIL_CONSENT);
}

void ice_nominate(struct ice *ice, struct ice_pair *pair)
{
    bool only_one = ice->role == ICE_CONTROLLING ? ice->nomination == ICE_NOMINATE_REGULAR : ice->remote_is_regular;
    if (only_one)
        ICE_EACH_PAIR(ice, p)
            if ((p->flags & ICE_OLD) == 0)
                p->flags &= (uint16_t)~ICE_NOMINATED;
    pair->flags = (uint16_t)((pair->flags | ICE_NOMINATED) & ~ICE_NOMINATE);
}

void ice_switch_role(struct ice *ice)
{
    ice->role = ice->role == ICE_CONTROLLING ? ICE_CONTROLLED : ICE_CONTROLLING;
    ice->remote_is_regular = false;
    ice->tell_role = true;
    ICE_EACH_PAIR(ice, p)
        if ((p->flags & ICE_OLD) == 0)
            p->flags &= (uint16_t)~(ICE_NOMINATED | ICE_NOMINATE | ICE_USE);
}

static bool is_better_one_pending(const struct ice *ice, const struct ice_pair *pair)
{
    for (const struct ice_pair *p = ice->pairs; p < ice->pairs + ICE_PAIRS_MAX; p++)
        if (ice_pair_is_live(p) && ice_pair_priority(ice, p) > ice_pair_priority(ice, pair))
            return true;
    return false;
}

/* When controlling and no usable pair is nominated: check the best one again, with USE-CANDIDATE (RFC 8445 8.1.1). For
 * regular nomination this is the normal way; for aggressive it mends what a change of roles or a quiet pair left. */
static void nominate_when_due(struct ice *ice, usec_t now)
{
    struct ice_pair *best = NULL;
    bool is_done = ice->role != ICE_CONTROLLING;
    ICE_EACH_PAIR(ice, p) {
        if (!ice_pair_is_used(p) || (p->flags & ICE_OLD) != 0)
            continue;
        bool usable = ice_is_fresh(ice, p, now) && !ice_is_quiet(ice, p, now);
        if ((p->flags & ICE_NOMINATE) != 0 || (usable && (p->flags & ICE_NOMINATED) != 0))
            is_done = true;
        if (usable && (best == NULL || ice_pair_priority(ice, p) > ice_pair_priority(ice, best)))
            best = p;
    }
    usec_t *timer = &ice->timers[ICE_TIMER_NOMINATE];
    if (is_done || best == NULL) {
        *timer = USEC_NEVER;
        return;
    }
    if (*timer == USEC_NEVER)
        *timer = now + (ice->nomination == ICE_NOMINATE_REGULAR ? ICE_NOMINATE_US : 0);
    if (now < *timer && is_better_one_pending(ice, best))
        return;
    *timer = USEC_NEVER;
    ice_pair_wait(ice, best, ICE_NOMINATE | ICE_TRIGGERED);
}

static usec_t patience_ends(const struct ice *ice)
{
    bool may_get_more = ice->lite || (!ice->ended && !ice_has_pairs(ice));
    return ice->begun_at + (may_get_more ? ICE_PATIENCE_MAX_US : ICE_PATIENCE_US);
}

static bool has_live_pair(const struct ice *ice)
{
    if (ice->lite || ice->credentials[ICE_CURRENT].remote_key.size == 0)
        return false;
    for (const struct ice_pair *p = ice->pairs; p < ice->pairs + ICE_PAIRS_MAX; p++)
        if (ice_pair_is_live(p))
            return true;
    return false;
}

static enum ice_state state_now(struct ice *ice, usec_t now)
{
    struct ice_pair *pair = ice_selected_pair(ice);
    if (pair != NULL)
        return ice_is_quiet(ice, pair, now) ? ICE_DISCONNECTED : ICE_CONNECTED;
    if (has_live_pair(ice))
        return ICE_CHECKING;
    if (ice->failure != ICE_FAIL_NONE)
        return ICE_FAILED;
    if (!ice->begun)
        return ICE_NEW;
    return now >= patience_ends(ice) ? ICE_FAILED : ICE_CHECKING;
}

/* The selected pair has gone quiet: see whether another one works, before consent ends. */
static void check_others_again(struct ice *ice)
{
    ICE_EACH_PAIR(ice, p) {
        bool idle = p->state == ICE_PAIR_SUCCEEDED || p->state == ICE_PAIR_FAILED;
        if (idle && !ice_pair_is_selected(ice, p) && (p->flags & (ICE_OLD | ICE_CLOSED)) == 0)
            ice_pair_wait(ice, p, 0);
    }
}

static void set_state(struct ice *ice, usec_t now)
{
    enum ice_state state = state_now(ice, now);
    if (state == ice->state)
        return;
    ice->state = (uint8_t)state;
    ice->tell_state = true;
    if (state == ICE_DISCONNECTED)
        check_others_again(ice);
}

static void set_timers(struct ice *ice)
{
    const struct ice_pair *pair = ice_selected_pair(ice);
    usec_t silence = ice->state == ICE_DISCONNECTED ? ICE_CONSENT_US : ICE_QUIET_US;
    ice->timers[ICE_TIMER_SILENCE] = pair == NULL ? USEC_NEVER : ice_stamp_due(ice, life_sign(ice, pair), silence);
    bool is_waiting = ice->begun && pair == NULL && ice->state == ICE_CHECKING && !has_live_pair(ice);
    ice->timers[ICE_TIMER_PATIENCE] = is_waiting ? patience_ends(ice) : USEC_NEVER;
    ice->timers[ICE_TIMER_CHECK] = ice_checks_due(ice);
}

void ice_settle(struct ice *ice, usec_t now)
{
    if (!ice->begun && ice->credentials[ICE_CURRENT].remote_key.size > 0) {
        ice->begun = true;
        ice->begun_at = now;
    }
    ice_checks_run(ice, now);
    end_consent(ice, now);
    select_pair(ice, now, best_pair(ice, now));
    nominate_when_due(ice, now);
    set_state(ice, now);
    ice_checks_run(ice, now);       /* again: nomination and a quiet pair want checks of their own */
    set_timers(ice);
}
