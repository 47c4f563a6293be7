#include "client/rtc.h"

#include <string.h>

#include "base/mem.h"
#include "client/endpoint.h"
#include "client/synth.h"

#define TWCC_PERIOD_US MSEC(100)

static bool open_crypto(struct rtc *rtc, const struct rtc_config *config, char error[DTLS_ERROR_TEXT])
{
    const struct dtls_identity_config certificate = {.rsa = false};
    rtc->identity = dtls_identity_new(&certificate, error);
    if (rtc->identity == NULL)
        return false;
    dtls_fingerprint_text(dtls_identity_fingerprint(rtc->identity), rtc->fingerprint);
    rtc->env.seal = seal_shared_new(config->seal, config->endpoints * 2);
    if (rtc->env.seal == NULL) {
        memcpy(error, "no SRTP backend", sizeof("no SRTP backend"));
        return false;
    }
    const struct dtls_shared_config shared = {.identity = rtc->identity, .accept_selfsigned = true, .seal = rtc->env.seal};
    rtc->env.dtls = dtls_shared_open(&shared, error);
    return rtc->env.dtls != NULL;
}

static void close_crypto(struct rtc *rtc)
{
    if (rtc->env.dtls != NULL)
        dtls_shared_close(rtc->env.dtls);
    seal_shared_free(rtc->env.seal);
    if (rtc->identity != NULL)
        dtls_identity_free(rtc->identity);
    mem_put(rtc);
}

struct rtc *rtc_new(const struct rtc_config *config, char error[DTLS_ERROR_TEXT])
{
    struct rtc *rtc = mem_get_zero(sizeof(*rtc));
    rng_init(&rtc->rng, config->entropy, config->entropy_source);
    if (!open_crypto(rtc, config, error)) {
        close_crypto(rtc);
        return NULL;
    }
    rtc->env.media = &rtc->media;
    rtc->env.sources = &rtc->sources;
    rtc->env.sinks = &rtc->sinks;
    rtc->env.data_sources = &rtc->data_sources;
    rtc->env.data_sinks = &rtc->data_sinks;
    rtc->env.rng = &rtc->rng;
    rtc->env.settings = (struct peer_settings){
        .twcc_period_us = config->twcc_period_us == 0 ? TWCC_PERIOD_US : config->twcc_period_us,
    };
    if (!peer_env_init(&rtc->env, &(struct peer_limits){config->endpoints, config->lines, config->packets})) {
        memcpy(error, "no HMAC-SHA1 in libcrypto", sizeof("no HMAC-SHA1 in libcrypto"));
        close_crypto(rtc);
        return NULL;
    }
    media_init(&rtc->media, &(struct media_limits){config->lines * 2, config->lines * 2, config->packets});
    slots_init(&rtc->endpoints, config->endpoints);
    slots_init(&rtc->names, UINT32_MAX);
    slots_init(&rtc->sources, UINT32_MAX);
    slots_init(&rtc->sinks, UINT32_MAX);
    slots_init(&rtc->data_sources, UINT32_MAX);
    slots_init(&rtc->data_sinks, UINT32_MAX);
    pool_init(&rtc->pool, "endpoints", sizeof(struct endpoint), config->endpoints);
    pool_init(&rtc->lines, "lines", sizeof(struct endpoint_line), config->lines);
    return rtc;
}

void rtc_free(struct rtc *rtc)
{
    if (rtc == NULL)
        return;
    rtc_settle(rtc, NULL);
    mem_put(rtc->packet);
    pool_fini(&rtc->lines);
    pool_fini(&rtc->pool);
    peer_env_fini(&rtc->env);
    media_fini(&rtc->media);
    slots_fini(&rtc->endpoints);
    slots_fini(&rtc->names);
    slots_fini(&rtc->sources);
    slots_fini(&rtc->sinks);
    slots_fini(&rtc->data_sources);
    slots_fini(&rtc->data_sinks);
    close_crypto(rtc);
}

void rtc_set_wall(struct rtc *rtc, uint64_t wall_us)
{
    rtc->env.wall_us = wall_us;
}

void rtc_settle(struct rtc *rtc, struct endpoint *endpoint)
{
    for (; rtc->tagged < rtc->env.egress.count; rtc->tagged++)
        rtc->owner_of[rtc->tagged] = endpoint == NULL ? REF_NONE : endpoint->name;
    while (list_pop(&rtc->media.layers) != NULL)
        ;                                           /* which layer a receiver gets is the server's choice here */
    for (struct list *it; (it = list_pop(&rtc->media.orphans)) != NULL;) {
        struct source *source = CONTAINER_OF(it, struct source, wanting);
        slots_del(&rtc->names, source->name);
        source_free(source);
    }
}

/* Ours: the synth begins a keyframe. A remote one's: its sender is asked. */
static void ask_keyframe(struct rtc *rtc, usec_t now, struct source *source)
{
    void *owner = slots_get(&rtc->names, source->name);
    if (owner == NULL)
        return;
    if (source->origin == NULL) {
        synth_want_keyframe(owner);
        return;
    }
    peer_ask_keyframe(source, now);
    rtc_settle(rtc, owner);
}

void rtc_timeout(struct rtc *rtc, usec_t now)
{
    LIST_EACH(it, &rtc->media.keyframes) {
        struct source *source = CONTAINER_OF(it, struct source, wanting);
        if (source_keyframe_due(source, now))
            ask_keyframe(rtc, now, source);
    }
}

usec_t rtc_deadline(const struct rtc *rtc)
{
    usec_t first = USEC_NEVER;
    LIST_EACH(it, &rtc->media.keyframes)
        first = usec_min(first, source_keyframe_deadline(CONTAINER_OF(it, struct source, wanting)));
    return first;
}

void rtc_seal(struct rtc *rtc, usec_t now)
{
    struct egress_batch *batch = &rtc->env.egress;
    (void)egress_seal(batch, rtc->env.seal);
    for (uint32_t i = 0; i < batch->count; i++) {
        struct egress_item *item = &batch->items[i];
        item->keys = NULL;
        if (item->keep != NULL && item->size > 0)
            mline_keep_sealed(item->keep, now, VIEW(batch->bytes + item->offset, item->size));
        item->keep = NULL;
    }
}

void rtc_turn_data(struct rtc *rtc, usec_t now, struct endpoint *endpoint)
{
    (void)peer_data_turn(endpoint->peer, now);      /* more: it waits, and rtc_poll_tx comes back to it */
    rtc_settle(rtc, endpoint);
}

/* True: somebody's data line had more than the last batch took. */
static bool refill(struct rtc *rtc, usec_t now)
{
    struct endpoint *endpoint = slots_get(&rtc->endpoints, peer_data_waiting(&rtc->env));
    if (endpoint != NULL)
        rtc_turn_data(rtc, now, endpoint);
    return rtc->env.egress.count > 0;
}

static bool take_tx(struct rtc *rtc, struct rtc_tx *out)
{
    struct egress_batch *batch = &rtc->env.egress;
    while (rtc->tx_at < batch->count) {
        const struct egress_item *item = &batch->items[rtc->tx_at];
        struct endpoint *endpoint = slots_get(&rtc->endpoints, rtc->owner_of[rtc->tx_at]);
        rtc->tx_at++;
        if (endpoint == NULL || item->size == 0) {
            rtc->refused++;
            continue;
        }
        *out = (struct rtc_tx){endpoint, item->to.remote, {batch->bytes + item->offset, item->size}};
        return true;
    }
    return false;
}

bool rtc_poll_tx(struct rtc *rtc, usec_t now, struct rtc_tx *out)
{
    struct egress_batch *batch = &rtc->env.egress;
    rtc_settle(rtc, NULL);
    do {
        if (rtc->tx_at == 0 && batch->count > 0)
            rtc_seal(rtc, now);
        if (take_tx(rtc, out))
            return true;
        egress_clear(batch);
        rtc->tagged = 0;
        rtc->tx_at = 0;
    } while (refill(rtc, now));
    return false;
}

static void pay_back(struct rtc *rtc)
{
    struct endpoint *endpoint = slots_get(&rtc->endpoints, rtc->packet_of);
    if (rtc->packet != NULL && endpoint != NULL && !endpoint->hoards)
        peer_data_credit(endpoint->peer, rtc->packet->cost);
    mem_put(rtc->packet);
    rtc->packet = NULL;
}

static bool is_news(enum peer_event_kind kind, enum rtc_event_kind *out)
{
    switch (kind) {
    case PEER_EVENT_UP: *out = RTC_UP; return true;
    case PEER_EVENT_HANGUP: *out = RTC_ENDED; return true;
    case PEER_EVENT_DATA_UP: *out = RTC_DATA_UP; return true;
    case PEER_EVENT_DATA: *out = RTC_DATA; return true;
    case PEER_EVENT_DATA_TAKEN: *out = RTC_DATA_ROOM; return true;
    case PEER_EVENT_BIND:
    case PEER_EVENT_CLAIM:
    case PEER_EVENT_UNBIND:
    case PEER_EVENT_ICE_FAILED:
    case PEER_EVENT_MEDIA:
    case PEER_EVENT_SLOWLINK:
    case PEER_EVENT_STATS:
    case PEER_EVENT_ICE_STATE:
    case PEER_EVENT_PAIR:
    case PEER_EVENT_DTLS:
        break;
    }
    return false;
}

bool rtc_poll_event(struct rtc *rtc, struct rtc_event *out)
{
    struct peer_events *events = &rtc->env.events;
    enum rtc_event_kind kind;
    pay_back(rtc);
    while (rtc->event_at < events->count) {
        struct peer_event *event = &events->items[rtc->event_at++];
        struct endpoint *endpoint = slots_get(&rtc->endpoints, event->peer);
        pay_back(rtc);
        rtc->packet = event->packet;
        rtc->packet_of = event->peer;
        event->packet = NULL;
        if (endpoint == NULL || !is_news((enum peer_event_kind)event->kind, &kind))
            continue;
        if (kind == RTC_DATA_ROOM)
            endpoint->data_queued -= event->count;
        *out = (struct rtc_event){endpoint, kind, (enum hangup_reason)event->reason, rtc->packet};
        return true;
    }
    events->count = 0;
    rtc->event_at = 0;
    return false;
}
