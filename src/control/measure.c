#include "control/measure.h"

#include <stdio.h>

#include "control/api_reply.h"

/* ---- requests ---- */

/* Those that were answered in the turn before: its end is known now. */
static void settle(struct control *c)
{
    const usec_t ended = actor_turn_ended(c->actor);
    struct request_times *times = &c->times;
    for (uint32_t i = 0; i < times->count; i++) {
        const usec_t since = times->answered[i].since;
        histogram_add(&times->kinds[times->answered[i].kind], ended > since ? ended - since : 0);
    }
    times->count = 0;
}

void measure_reply(struct control *c, const struct api_request *request, int code)
{
    struct request_times *times = &c->times;
    if (code >= ERROR_CODE_FIRST && code < ERROR_CODE_FIRST + (int)ERROR_CODES)
        times->errors[code - ERROR_CODE_FIRST]++;
    if (request->since == 0)
        return;
    if (times->count > 0 && times->turn != c->now)
        settle(c);
    times->turn = c->now;
    if (times->count < REQUESTS_TIMED_PER_TURN)
        times->answered[times->count++] = (struct request_answered){request->kind, request->since};
    else
        histogram_add(&times->kinds[request->kind], c->now > request->since ? c->now - request->since : 0);
}

void measure_turn(struct control *c)
{
    if (c->times.count > 0 && c->times.turn != c->now)
        settle(c);
}

/* ---- numbers ---- */

#define CONTROL(id, label, name) {METRIC_##id, label, offsetof(struct control_counters, name)}
static const struct metric_field fields[] = {
    CONTROL(SESSIONS_TOTAL, "created", sessions_created), CONTROL(SESSIONS_TOTAL, "timed_out", sessions_timed_out),
    CONTROL(SESSIONS_TOTAL, "reclaimable", sessions_reclaimable), CONTROL(SESSIONS_TOTAL, "claimed", sessions_claimed),
    CONTROL(PCS_TOTAL, "opened", pcs_opened), CONTROL(PCS_TOTAL, "closed", pcs_closed),
    CONTROL(REFUSED, "unauthorized", unauthorized), CONTROL(REFUSED, "unparsable", unparsable),
    CONTROL(REFUSED, "too_many_documents", too_many_documents), CONTROL(REFUSED, "wrong_api", wrong_api),
    CONTROL(REFUSED, "sessions", sessions_refused), CONTROL(REFUSED, "handles", handles_refused), CONTROL(REFUSED, "clients", clients_refused),
    CONTROL(REFUSED, "memory", memory_refused), CONTROL(REFUSED, "operations", ops_refused), CONTROL(REFUSED, "peerconnections", pcs_refused),
    CONTROL(REFUSED, "recordings", records_refused), CONTROL(REFUSED, "verbs", verbs_refused), CONTROL(REFUSED, "sdp", sdp_refused),
    CONTROL(EVENTS, NULL, events), CONTROL(CONTROL_DROPS, "events_lost", events_lost),
    CONTROL(CONTROL_DROPS, "documents", documents_dropped), CONTROL(CONTROL_DROPS, "texts_too_long", texts_too_long),
    CONTROL(CONTROL_DROPS, "malformed_messages", malformed_messages), CONTROL(CONTROL_DROPS, "facts_stale", facts_stale),
    CONTROL(CONTROL_DROPS, "verbs_stale", verbs_stale), CONTROL(CONTROL_DROPS, "answers_stale", answers_stale),
    CONTROL(OPERATIONS, "begun", ops_begun), CONTROL(OPERATIONS, "timed_out", ops_timed_out), CONTROL(OPERATIONS, "cut_short", ops_cut_short),
    CONTROL(OPERATIONS, "queued", requests_queued), CONTROL(CANDIDATES, "taken", candidates_taken), CONTROL(CANDIDATES, "mdns", candidates_mdns),
    CONTROL(CANDIDATES, "tcp", candidates_tcp), CONTROL(CANDIDATES, "over_limit", candidates_over_limit),
    CONTROL(CANDIDATES, "late", candidates_late), CONTROL(CANDIDATES, "invalid", candidates_invalid),
    CONTROL(RECORDINGS, "started", records_started), CONTROL(RECORDINGS, "failed", records_failed), CONTROL(RECORDINGS, "gaps", records_gaps),
};

static void fill_gauges(const struct control *c, struct metrics *out)
{
    const struct control_sizes sizes = control_sizes(c);
    metrics_add(out, METRIC_SESSIONS, NULL, NULL, sizes.sessions);
    metrics_add(out, METRIC_PCS, NULL, NULL, sizes.pcs);
    metrics_add(out, METRIC_STREAMS, "received", NULL, sizes.sources);
    metrics_add(out, METRIC_STREAMS, "sent", NULL, sizes.sinks);
    metrics_add(out, METRIC_STREAMS, "forwarded", NULL, sizes.forwards);
    metrics_add(out, METRIC_STREAMS, "recorded", NULL, sizes.recordings);
    metrics_add(out, METRIC_ACCEPTING, NULL, NULL, control_is_accepting(c) ? 1 : 0);
    metrics_add(out, METRIC_DRAINING, NULL, NULL, c->draining && !c->stopping ? 1 : 0);
    for (uint32_t i = 0; i < c->host_count; i++) {
        const struct host *host = &c->hosts[i];
        metrics_add(out, METRIC_HANDLES, host->desc->package, NULL, host->states.used);
        if (host->desc->count_rooms != NULL)
            metrics_add(out, METRIC_ROOMS, host->desc->package, NULL, host->desc->count_rooms(host->plugin));
    }
}

static void fill_requests(struct control *c, struct metrics *out)
{
    static const char *const names[] = {"other", "ping", "info", "create", "attach", "detach", "hangup", "destroy", "claim", "keepalive", "trickle", "admin"};
    char code[8];
    measure_turn(c);
    for (unsigned kind = 0; kind < REQUEST_MESSAGE; kind++)
        metrics_add_times(out, METRIC_REQUEST, names[kind], "", &c->times.kinds[kind]);
    for (uint32_t i = 0; i < c->host_count && i < REQUEST_HOSTS_MAX; i++)
        metrics_add_times(out, METRIC_REQUEST, "message", c->hosts[i].desc->package, &c->times.kinds[REQUEST_MESSAGE + i]);
    for (unsigned i = 0; i < ERROR_CODES; i++) {
        if (c->times.errors[i] == 0)
            continue;
        snprintf(code, sizeof(code), "%u", ERROR_CODE_FIRST + i);
        metrics_add(out, METRIC_REQUEST_ERRORS, code, NULL, c->times.errors[i]);
    }
}

void measure_fill(void *owner, usec_t now, struct metrics *out)
{
    struct control *c = owner;
    const struct pool *const pools[] = {
        &c->callers, &c->sessions, &c->handles, &c->pcs, &c->sources, &c->sinks, &c->plains, &c->forwards, &c->recordings, &c->ops,
    };
    c->now = now;
    metrics_add_fields(out, fields, ARRAY_COUNT(fields), &c->counters);
    fill_gauges(c, out);
    fill_requests(c, out);
    for (size_t i = 0; i < ARRAY_COUNT(pools); i++)
        metrics_add_pool(out, pools[i]);
}
