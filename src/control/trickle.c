#include "control/trickle.h"

#include "base/mem.h"
#include "base/str.h"
#include "control/notify.h"
#include "control/order.h"
#include "control/pc.h"
#include "proto/sdp/candidate.h"

/* What a candidate object says. The mid has no bound on the wire; a longer one than ours can be fits no m-line of ours. */
struct trickled {
    bool end;                           /* no candidate, but the end of them */
    bool has_mid;
    char mid[NEGOTIATE_MID_ROOM];
    bool other_line;                    /* sdpMLineIndex above 0, or a mid too long */
    struct view text;
};

static int check_candidate(const json_t *object, const struct element **bad, bool *no_line)
{
    static const struct element line[] = {{"sdpMid", ELEMENT_STRING, false}, {"sdpMLineIndex", ELEMENT_POSITIVE, false}};
    static const struct element text[] = {{"candidate", ELEMENT_STRING, true}};
    *no_line = false;
    int code = elements_check(object, line, ARRAY_COUNT(line), bad);
    if (code != 0)
        return code;
    *no_line = json_object_get(object, "sdpMid") == NULL && json_object_get(object, "sdpMLineIndex") == NULL;
    if (*no_line)
        return 456;
    return elements_check(object, text, ARRAY_COUNT(text), bad);
}

static bool is_end(const json_t *value)
{
    return !json_is_object(value) || json_object_get(value, "completed") != NULL;
}

static void read_candidate(const json_t *object, struct trickled *out)
{
    const char *mid = element_string(object, "sdpMid");
    *out = (struct trickled){.text = str_of(element_string(object, "candidate"))};
    out->has_mid = mid != NULL;
    out->other_line = element_integer(object, "sdpMLineIndex") > 0;
    if (mid != NULL && !str_copy(out->mid, sizeof(out->mid), str_of(mid)))
        out->other_line = true;
}

/* False: counted and dropped. */
static bool parse(struct control *c, struct view text, struct ice_candidate *out)
{
    struct view name;
    switch (candidate_parse(out, &name, text)) {
    case CANDIDATE_OK:
        if (!out->tcp)
            return true;
        c->counters.candidates_tcp++;
        return false;
    case CANDIDATE_NAME:
        c->counters.candidates_mdns++;
        return false;
    case CANDIDATE_END:
        return false;
    case CANDIDATE_SKIPPED:
    case CANDIDATE_INVALID:
        break;
    }
    c->counters.candidates_invalid++;
    return false;
}

/* -- to the worker ------------------------------------------------------------------------------------------------------ */

static void take(struct control *c, struct pc *pc, const struct ice_candidate *candidate)
{
    if (pc->candidate_count >= REMOTE_CANDIDATES_MAX) {
        c->counters.candidates_over_limit++;
        return;
    }
    pc->candidate_count++;
    c->counters.candidates_taken++;
    pc_keep_candidate(c, pc, candidate);
    notify_candidate(c, pc, EVENT_REMOTE_CANDIDATE, candidate);
    order_peer_candidate(c, pc, candidate);
}

/* Everything is bundled on the first m-line: candidates for others are of no use (janus-api.md 6.1). */
static bool is_for_first_line(const struct pc *pc, bool other_line, const char *mid)
{
    return !other_line && (mid == NULL || strcmp(mid, pc->negotiation.first_mid) == 0);
}

static void candidates_end(struct control *c, struct pc *pc)
{
    pc->trickle = false;
    pc->story.all_candidates = true;
    order_peer_candidates_end(c, pc);
}

static void candidate_now(struct control *c, struct pc *pc, const json_t *value)
{
    struct trickled trickled;
    struct ice_candidate candidate;
    pc->trickle = true;
    read_candidate(value, &trickled);
    if (!is_for_first_line(pc, trickled.other_line, trickled.has_mid ? trickled.mid : NULL)) {
        c->counters.candidates_invalid++;
        return;
    }
    if (parse(c, trickled.text, &candidate))
        take(c, pc, &candidate);
}

void trickle_from_description(struct control *c, struct pc *pc)
{
    const struct remote_description *remote = pc->negotiation.remote;
    pc->candidate_count = 0;
    buf_clear(&pc->story.candidates);
    pc->story.all_candidates = !pc->trickle;
    for (uint16_t i = 0; i < remote->candidate_count; i++) {
        const struct remote_candidate *candidate = &remote->candidates[i];
        if (candidate->name[0] != '\0')
            c->counters.candidates_mdns++;
        else if (candidate->candidate.tcp)
            c->counters.candidates_tcp++;
        else
            take(c, pc, &candidate->candidate);
    }
    if (!pc->trickle)
        order_peer_candidates_end(c, pc);
}

/* -- before the exchange is complete --------------------------------------------------------------------------------------- */

static struct early_candidates *early_of(struct handle *handle)
{
    if (handle->early == NULL)
        handle->early = mem_get_zero(sizeof(*handle->early));
    return handle->early;
}

/* What does not hold up is dropped in silence: the client has its ack (janus-api.md 6.1). */
static void keep_one(struct control *c, struct handle *handle, const json_t *value)
{
    const struct element *bad;
    struct trickled trickled;
    struct ice_candidate candidate;
    bool no_line;
    if (is_end(value)) {
        early_of(handle)->end = true;
        return;
    }
    if (check_candidate(value, &bad, &no_line) != 0) {
        c->counters.candidates_invalid++;
        return;
    }
    read_candidate(value, &trickled);
    if (trickled.other_line) {
        c->counters.candidates_invalid++;
        return;
    }
    if (!parse(c, trickled.text, &candidate))
        return;
    struct early_candidates *early = early_of(handle);
    if (early->count == REMOTE_CANDIDATES_MAX) {
        c->counters.candidates_over_limit++;
        return;
    }
    struct early_candidate *slot = &early->items[early->count++];
    slot->at = c->now;
    slot->candidate = candidate;
    str_copy(slot->mid, sizeof(slot->mid), str_of(trickled.mid));
}

void trickle_early(struct control *c, struct pc *pc)
{
    struct early_candidates *early = pc->handle->early;
    if (early == NULL)
        return;
    pc->handle->early = NULL;
    for (uint32_t i = 0; i < early->count; i++) {
        const struct early_candidate *item = &early->items[i];
        if (c->now - item->at > SEC(c->settings->candidates_timeout_s))
            c->counters.candidates_late++;
        else if (!is_for_first_line(pc, false, item->mid[0] == '\0' ? NULL : item->mid))
            c->counters.candidates_invalid++;
        else
            take(c, pc, &item->candidate);
    }
    if (early->end)
        candidates_end(c, pc);
    mem_put(early);
}

/* -- the request ----------------------------------------------------------------------------------------------------------- */

static bool exchange_is_complete(const struct handle *handle)
{
    return handle->pc != NULL && handle->pc->negotiated && !handle->pc->restarting;
}

/* False: answered by an error. */
static bool check_single(struct control *c, const struct api_request *request, const json_t *value)
{
    const struct element *bad;
    bool no_line;
    int code = is_end(value) ? 0 : check_candidate(value, &bad, &no_line);
    if (code == 0)
        return true;
    if (no_line)
        reply_error(c, request, 456, "Trickle error: missing mandatory element (sdpMid or sdpMLineIndex)");
    else if (code == 456)
        reply_error(c, request, 456, "Trickle error: missing mandatory element (%s)", bad->key);
    else
        reply_error(c, request, 467, "Trickle error: invalid element type (%s should be %s)", bad->key, element_type_name(bad->type));
    return false;
}

static void keep_early(struct control *c, struct handle *handle, const json_t *single, const json_t *several)
{
    size_t index;
    json_t *value;
    if (single != NULL)
        keep_one(c, handle, single);
    json_array_foreach((json_t *)several, index, value)
        keep_one(c, handle, value);
}

/* The worker is told of the end once, whatever the array holds: a text of 1 MB has room for 500,000 of them, and each would be
 * a message. */
static void trickle_several(struct control *c, struct pc *pc, const json_t *several)
{
    size_t index;
    json_t *value;
    bool end = false;
    json_array_foreach((json_t *)several, index, value) {
        const struct element *bad;
        bool no_line;
        if (is_end(value))
            end = true;
        else if (check_candidate(value, &bad, &no_line) == 0)
            candidate_now(c, pc, value);
        else
            c->counters.candidates_invalid++;
    }
    if (end)
        candidates_end(c, pc);
}

void trickle_request(struct control *c, const struct api_request *request)
{
    const json_t *single = json_object_get(request->root, "candidate");
    const json_t *several = json_object_get(request->root, "candidates");
    struct handle *handle = request->handle;
    if (single == NULL && several == NULL) {
        reply_error(c, request, 456, "Missing mandatory element (candidate|candidates)");
        return;
    }
    if (single != NULL && several != NULL) {
        reply_error(c, request, 454, "Can't have both candidate and candidates");
        return;
    }
    if (!exchange_is_complete(handle)) {
        keep_early(c, handle, single, several);
    } else if (single != NULL) {
        if (!check_single(c, request, single))
            return;
        if (is_end(single))
            candidates_end(c, handle->pc);
        else
            candidate_now(c, handle->pc, single);
    } else if (!json_is_array(several)) {
        reply_error(c, request, 467, "candidates is not an array");
        return;
    } else {
        trickle_several(c, handle->pc, several);
    }
    reply_plain(c, request, "ack");
}
