#include "fake_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static void fill(void *source, uint8_t *out, size_t size)
{
    uint64_t *x = source;
    for (size_t i = 0; i < size; i++) {
        *x = *x * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(*x >> 40);
    }
}

/* TRACE=1 shows all that is said and done. */
static void trace(const struct host *host, uint32_t handle, const char *what, struct view text)
{
    if (host->traces)
        print_message("%d %s %.*s\n", (int)handle, what, (int)text.size, (const char *)text.data);
}

/* ---- life ---- */

void fake_start(struct host *host, const struct plugin_desc *desc, const char *conf)
{
    struct conf_error error;
    *host = (struct host){.desc = desc, .seed = 5, .key = {1, 2}, .now = SEC(1000), .wall_us = 1800000000u * UINT64_C(1000000)};
    host->outstanding = seam_mem_outstanding();
    host->traces = getenv("TRACE") != NULL;
    rng_init(&host->rng, fill, &host->seed);
    buf_init(&host->reply, 64u * 1024 * 1024);
    if (conf != NULL) {
        host->conf = conf_parse(str_of(conf), CONF_JCFG, NULL, &error);
        assert_non_null(host->conf);
    }
    host->plugin = desc->init(host, host->conf);
    assert_non_null(host->plugin);
}

static void drop_events(struct fake_handle *handle)
{
    for (uint32_t i = 0; i < handle->event_count; i++) {
        json_decref(handle->events[i].data);
        free(handle->events[i].sdp);
    }
    handle->event_count = 0;
}

static void drop_data(struct fake_handle *handle)
{
    for (uint32_t i = 0; i < handle->data_count; i++)
        free(handle->data[i].bytes);
    free(handle->data);
    handle->data = NULL;
    handle->data_count = handle->data_room = 0;
}

void fake_stop(struct host *host)
{
    fake_turn(host);
    for (uint32_t i = 0; i < FAKE_HANDLES; i++)
        if (host->handles[i].used)
            fake_detach(host, i);
    host->desc->fini(host->plugin);
    assert_int_equal(fake_plain_count(host), 0);
    assert_int_equal(fake_inlet_count(host), 0);
    for (uint32_t i = 0; i < FAKE_HANDLES; i++) {
        drop_events(&host->handles[i]);
        drop_data(&host->handles[i]);
        free(host->handles[i].events);
        free(host->handles[i].offer);
    }
    (void)fake_take_data(host, 0);
    conf_free(host->conf);
    buf_fini(&host->reply);
    json_decref(host->last.body);
    free(host->sources);
    free(host->sinks);
    assert_int_equal(seam_mem_outstanding(), host->outstanding);
}

uint32_t fake_attach(struct host *host)
{
    for (uint32_t i = 0; i < FAKE_HANDLES; i++) {
        struct fake_handle *handle = &host->handles[i];
        if (handle->used)
            continue;
        drop_events(handle);
        drop_data(handle);
        free(handle->events);
        free(handle->offer);
        *handle = (struct fake_handle){.used = true, .ref = {i, ++host->generation}, .state = calloc(1, host->desc->session_size)};
        assert_true(host->desc->attach(host->plugin, handle->state, handle->ref));
        return i;
    }
    fail_msg("too many handles");
    return 0;
}

/* ---- the graph ---- */

static struct fake_handle *by_ref(struct host *host, struct ref ref)
{
    struct fake_handle *handle = ref.slot < FAKE_HANDLES ? &host->handles[ref.slot] : NULL;
    if (handle != NULL && handle->used && ref_equal(handle->ref, ref))
        return handle;
    host->stale += !ref_is_none(ref);
    return NULL;
}

static struct fake_source *source_by_ref(struct host *host, struct ref ref)
{
    for (uint32_t i = 0; i < host->source_count; i++)
        if (host->sources[i].used && ref_equal(host->sources[i].ref, ref))
            return &host->sources[i];
    host->stale += !ref_is_none(ref);
    return NULL;
}

static struct fake_sink *sink_by_ref(struct host *host, struct ref ref)
{
    for (uint32_t i = 0; i < host->sink_count; i++)
        if (host->sinks[i].used && ref_equal(host->sinks[i].ref, ref))
            return &host->sinks[i];
    host->stale += !ref_is_none(ref);
    return NULL;
}

static void end_source(struct host *host, struct fake_handle *handle, uint16_t mindex)
{
    if (handle->source[mindex] == 0)
        return;
    struct fake_source *source = &host->sources[handle->source[mindex] - 1];
    for (uint32_t i = 0; i < host->sink_count; i++)
        if (host->sinks[i].used && ref_equal(host->sinks[i].source, source->ref))
            host->sinks[i].source = REF_NONE;               /* it falls silent */
    for (uint32_t i = 0; i < ARRAY_COUNT(host->recordings); i++)
        if (host->recordings[i].used && ref_equal(host->recordings[i].source, source->ref))
            host->recordings[i].used = false;               /* it ends */
    source->used = false;
    handle->source[mindex] = 0;
}

static void end_sink(struct host *host, struct fake_handle *handle, uint16_t mindex)
{
    if (handle->sink[mindex] == 0)
        return;
    host->sinks[handle->sink[mindex] - 1].used = false;
    handle->sink[mindex] = 0;
}

uint32_t fake_new_source(struct host *host, uint32_t handle, const struct source_desc *desc)
{
    if (host->source_count == host->source_room) {
        host->source_room = host->source_room == 0 ? 64 : host->source_room * 2;
        host->sources = realloc(host->sources, host->source_room * sizeof(*host->sources));
    }
    host->sources[host->source_count] = (struct fake_source){
        .used = true, .ref = {host->source_count, 1}, .handle = handle, .desc = *desc, .active = true};
    return host->source_count++;
}

static void make_source(struct host *host, struct fake_handle *handle, uint16_t mindex, const struct source_desc *desc)
{
    if (handle->source[mindex] != 0) {
        if (memcmp(&host->sources[handle->source[mindex] - 1].desc, desc, sizeof(*desc)) == 0)
            return;
        end_source(host, handle, mindex);
    }
    handle->source[mindex] = fake_new_source(host, (uint32_t)(handle - host->handles), desc) + 1;
}

static void end_pc(struct host *host, struct fake_handle *handle)
{
    for (uint16_t i = 0; i < FAKE_LINES; i++)
        end_sink(host, handle, i);
    for (uint16_t i = 0; i < FAKE_LINES; i++)
        end_source(host, handle, i);
    for (uint32_t i = 0; i < host->sink_count; i++)
        if (host->sinks[i].data && host->sinks[i].handle == (uint32_t)(handle - host->handles))
            host->sinks[i].used = false;
    handle->has_data = handle->full = false;
    handle->has_pc = handle->negotiated = handle->up = handle->we_offered = handle->client_offers = handle->closing = false;
    handle->line_count = 0;
}

static bool has_data_line(const struct sdp *sdp)
{
    for (uint16_t i = 0; i < sdp->mline_count; i++)
        if (sdp->mlines[i]->kind == SDP_APPLICATION && sdp->mlines[i]->port != 0)
            return true;
    return false;
}

/* Sources of the lines that an answer of ours lets come in. */
static void take_answer(struct host *host, struct fake_handle *handle, const struct sdp *sdp, const struct fake_say *from)
{
    for (uint16_t i = 0; i < sdp->mline_count; i++) {
        const struct sdp_mline *mline = sdp->mlines[i];
        if (mline->port == 0 || !sdp_direction_receives(mline->direction)) {
            end_source(host, handle, i);
            continue;
        }
        if (mline->kind == SDP_APPLICATION) {
            struct source_desc data;
            memset(&data, 0, sizeof(data));
            data.kind = MEDIA_DATA;
            data.layer_count = 1;
            make_source(host, handle, i, &data);
            continue;
        }
        struct sdp_payload_table *table = malloc(sizeof(*table));
        struct source_desc desc;
        memset(&desc, 0, sizeof(desc));
        sdp_payloads(mline, table);
        desc.kind = mline->kind == SDP_AUDIO ? MEDIA_AUDIO : MEDIA_VIDEO;
        desc.codec = (uint8_t)table->of[mline->pts[mline->pt_count - 1]].codec;
        desc.clock_hz = codec_info((enum codec)desc.codec)->clock_hz;
        desc.layer_count = 1;
        for (size_t k = 0; from != NULL && k < from->simulcast_count; k++)
            if (from->simulcast[k].mindex == i)
                desc.layer_count = from->simulcast[k].layer_count;
        free(table);
        make_source(host, handle, i, &desc);
    }
}

static const struct fake_say *current_say;

static enum err merge(struct host *host, struct fake_handle *handle, const struct jsep_out *jsep)
{
    char reason[SDP_REASON_ROOM];
    const bool offer = strcmp(jsep->type, "offer") == 0;
    assert_true(offer || strcmp(jsep->type, "answer") == 0);
    struct sdp *sdp = sdp_parse(jsep->sdp, reason);
    if (sdp == NULL)
        fail_msg("a description that can't be parsed: %s\n%.*s", reason, (int)jsep->sdp.size, (const char *)jsep->sdp.data);
    assert_true(sdp->mline_count >= handle->line_count);    /* lines are rejected, never left out (RFC 3264 8) */
    if (host->refuse != ERR_NONE) {
        enum err err = host->refuse;
        host->refuse = ERR_NONE;
        sdp_free(sdp);
        return err;
    }
    if (offer) {
        assert_true(host->offers_again || !handle->we_offered);     /* one at a time (videoroom.md 19.11) */
        handle->we_offered = true;
        free(handle->offer);
        handle->offer = strndup((const char *)jsep->sdp.data, jsep->sdp.size);
    } else {
        assert_true(handle->client_offers);
        handle->client_offers = false;
        handle->negotiated = true;
        take_answer(host, handle, sdp, current_say);
    }
    handle->has_pc = true;
    handle->has_data = has_data_line(sdp);
    handle->line_count = sdp->mline_count;
    handle->descriptions++;
    sdp_free(sdp);
    return ERR_NONE;
}

/* ---- verbs ---- */

struct buf *host_reply(struct host *host)
{
    return &host->reply;
}

enum err host_event(struct host *host, struct ref ref, const char *transaction, struct view data, const struct jsep_out *jsep)
{
    json_error_t error;
    struct fake_handle *handle = by_ref(host, ref);
    if (handle == NULL)
        return ERR_GONE;
    json_t *json = json_loadb((const char *)data.data, data.size, 0, &error);
    if (json == NULL || !json_is_object(json))
        fail_msg("an event that is no JSON object: %s: %.*s", error.text, (int)data.size, (const char *)data.data);
    if (handle->gone) {
        json_decref(json);
        return ERR_GONE;
    }
    if (jsep != NULL) {
        enum err err = merge(host, handle, jsep);
        if (err != ERR_NONE) {
            json_decref(json);
            return err;
        }
    }
    if (handle->event_count == handle->event_room) {
        handle->event_room = handle->event_room == 0 ? 16 : handle->event_room * 2;
        handle->events = realloc(handle->events, handle->event_room * sizeof(*handle->events));
    }
    trace(host, ref.slot, jsep == NULL ? "hears" : jsep->type, data);
    struct fake_event *event = &handle->events[handle->event_count++];
    *event = (struct fake_event){.data = json};
    host->events++;
    if (transaction != NULL)
        snprintf(event->transaction, sizeof(event->transaction), "%s", transaction);
    if (jsep != NULL) {
        snprintf(event->jsep, sizeof(event->jsep), "%s", jsep->type);
        event->sdp = strndup((const char *)jsep->sdp.data, jsep->sdp.size);
        event->restart = jsep->restart;
        event->e2ee = jsep->e2ee;
    }
    return ERR_NONE;
}

void host_peer_close(struct host *host, struct ref ref)
{
    struct fake_handle *handle = by_ref(host, ref);
    if (handle != NULL)
        handle->closing = true;
}

bool host_peer_is_up(struct host *host, struct ref ref)
{
    const struct fake_handle *handle = by_ref(host, ref);
    return handle != NULL && handle->up;
}

void host_detach(struct host *host, struct ref ref)
{
    (void)host;
    (void)ref;
    fail_msg("no plugin here detaches");
}

void host_peer_group(struct host *host, struct ref ref, uint64_t group)
{
    struct fake_handle *handle = by_ref(host, ref);
    if (handle != NULL)
        handle->group = group;
}

struct ref host_source(struct host *host, struct ref ref, uint16_t mindex)
{
    const struct fake_handle *handle = by_ref(host, ref);
    if (handle == NULL || mindex >= FAKE_LINES || handle->source[mindex] == 0)
        return REF_NONE;
    return host->sources[handle->source[mindex] - 1].ref;
}

bool host_source_desc(struct host *host, struct ref ref, struct source_desc *out)
{
    const struct fake_source *source = source_by_ref(host, ref);
    if (source != NULL)
        *out = source->desc;
    return source != NULL;
}

void host_source_set_active(struct host *host, struct ref ref, bool active)
{
    struct fake_source *source = source_by_ref(host, ref);
    if (source != NULL)
        source->active = active;
}

void host_source_rate_cap(struct host *host, struct ref ref, const struct rate_cap *cap)
{
    struct fake_source *source = source_by_ref(host, ref);
    if (source == NULL)
        return;
    source->cap = *cap;
    source->caps++;
}

void host_keyframe(struct host *host, struct ref ref)
{
    struct fake_source *source = source_by_ref(host, ref);
    if (source != NULL)
        source->keyframes++;
}

static struct fake_sink *new_sink(struct host *host, const struct fake_handle *handle, struct ref source)
{
    if (host->sink_count == host->sink_room) {
        host->sink_room = host->sink_room == 0 ? 64 : host->sink_room * 2;
        host->sinks = realloc(host->sinks, host->sink_room * sizeof(*host->sinks));
    }
    const struct fake_source *from = source_by_ref(host, source);
    struct fake_sink *sink = &host->sinks[host->sink_count];
    *sink = (struct fake_sink){.used = true, .ref = {host->sink_count++, 1}, .handle = (uint32_t)(handle - host->handles),
                               .source = from == NULL ? REF_NONE : source};
    return sink;
}

struct ref host_sink_add(struct host *host, struct ref source, struct ref ref, uint16_t mindex, const struct sink_options *options)
{
    struct fake_handle *handle = by_ref(host, ref);
    if (handle == NULL || !handle->has_pc || mindex >= handle->line_count)
        return REF_NONE;
    end_sink(host, handle, mindex);
    struct fake_sink *sink = new_sink(host, handle, source);
    sink->mindex = mindex;
    sink->options = *options;
    handle->sink[mindex] = host->sink_count;
    return sink->ref;
}

void host_sink_set(struct host *host, struct ref ref, const struct sink_options *options)
{
    struct fake_sink *sink = sink_by_ref(host, ref);
    if (sink == NULL)
        return;
    sink->options = *options;
    sink->orders++;
}

void host_sink_switch(struct host *host, struct ref ref, struct ref source)
{
    struct fake_sink *sink = sink_by_ref(host, ref);
    const struct fake_source *from = source_by_ref(host, source);
    if (sink == NULL)
        return;
    sink->source = from == NULL ? REF_NONE : source;
    sink->orders++;
}

void host_sink_del(struct host *host, struct ref ref)
{
    struct fake_sink *sink = sink_by_ref(host, ref);
    if (sink != NULL && sink->data)
        sink->used = false;
    else if (sink != NULL)
        end_sink(host, &host->handles[sink->handle], sink->mindex);
}

void host_http_post(struct host *host, const char *url, struct view json, bool public_only)
{
    json_t *body = json_loadb((const char *)json.data, json.size, 0, NULL);
    assert_true(json_is_object(body));
    json_decref(body);
    host->posts++;
    host->posted_public_only = public_only;
    snprintf(host->posted_url, sizeof(host->posted_url), "%s", url);
    snprintf(host->posted, sizeof(host->posted), "%.*s", (int)json.size, (const char *)json.data);
}

bool host_notify_wanted(struct host *host)
{
    return !host->deaf;
}

void host_notify(struct host *host, struct ref handle, struct view json)
{
    json_t *body = json_loadb((const char *)json.data, json.size, 0, NULL);
    assert_true(json_is_object(body));
    json_decref(body);
    assert_false(host->deaf);
    host->notices++;
    host->noticed_handle = handle;
    snprintf(host->noticed, sizeof(host->noticed), "%.*s", (int)json.size, (const char *)json.data);
}

struct rng *host_rng(struct host *host)
{
    return &host->rng;
}

const struct hash_key *host_hash_key(struct host *host)
{
    return &host->key;
}

bool host_memory_short(struct host *host)
{
    (void)host;
    return false;
}

usec_t host_now(struct host *host)
{
    return host->now;
}

uint64_t host_wall_us(struct host *host)
{
    return host->wall_us++;
}

/* Of UTC, whatever zone the test runs in. */
void host_date(struct host *host, char out[DATE_TEXT])
{
    date_text(host->wall_us / SEC(1), 0, out);
}

const char *host_config_path(struct host *host)
{
    (void)host;
    return "/nonexistent";
}

bool host_token_mode_signed(struct host *host)
{
    return host->tokens_signed;
}

bool host_token_is_valid(struct host *host, const char *token, const char *realm)
{
    assert_string_equal(realm, host->desc->package);
    return host->token != NULL && strcmp(token, host->token) == 0;
}

bool host_token_contains(struct host *host, const char *token, const char *realm, const char *descriptor)
{
    return host_token_is_valid(host, token, realm) && strcmp(descriptor, host->token_descriptor) == 0;
}

void host_log(struct host *host, int level, const char *format, ...)
{
    va_list args;
    (void)level;
    va_start(args, format);
    vsnprintf(host->last_log, sizeof(host->last_log), format, args);
    va_end(args);
    host->logged++;
}

/* ---- clients ---- */

static char *with_quotes(const char *format, va_list args)
{
    char *text = NULL;
    assert_true(vasprintf(&text, format, args) >= 0);
    for (char *p = text; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    return text;
}

static const struct fake_reply *submit(struct host *host, struct fake_handle *handle, const struct fake_say *jsep, char *text)
{
    json_error_t error;
    char transaction[16];
    json_t *body = json_loads(text, 0, &error), *svc = NULL;
    if (body == NULL)
        fail_msg("the test's own JSON: %s: %s", error.text, text);
    trace(host, handle == NULL ? UINT32_MAX : handle->ref.slot, jsep == NULL ? "says" : jsep->jsep, str_of(text));
    free(text);
    snprintf(transaction, sizeof(transaction), "t%u", ++host->transactions);
    struct jsep_in in = {0};
    struct plugin_request request = {.handle = handle == NULL ? REF_NONE : handle->ref, .transaction = transaction, .body = body,
                                     .admin = handle == NULL};
    if (jsep != NULL && jsep->jsep != NULL) {
        svc = jsep->svc == NULL ? NULL : json_loads(jsep->svc, 0, NULL);
        in = (struct jsep_in){.type = jsep->jsep, .sdp = str_of(jsep->sdp), .update = handle->negotiated, .e2ee = jsep->e2ee,
                              .simulcast = jsep->simulcast, .simulcast_count = jsep->simulcast_count, .svc = svc};
        request.jsep = &in;
        if (strcmp(jsep->jsep, "offer") == 0) {
            handle->client_offers = handle->has_pc = true;
        } else {
            assert_true(handle->we_offered);                /* else the core says 469 */
            handle->we_offered = false;
            handle->negotiated = true;
        }
    }
    snprintf(host->last_transaction, sizeof(host->last_transaction), "%s", transaction);
    buf_clear(&host->reply);
    current_say = jsep;
    host->in_hand = &request;
    fake_take_outcome(host, host->desc->message(host->plugin, handle == NULL ? NULL : handle->state, &request));
    host->in_hand = NULL;
    host->op_in_hand = NULL;
    current_say = NULL;
    if (handle != NULL && !handle->negotiated && handle->client_offers) {
        handle->has_pc = handle->we_offered;                /* the core settles an offer that was not answered */
    }
    if (handle != NULL)
        handle->client_offers = false;
    json_decref(body);
    json_decref(svc);
    return &host->last;
}

const struct fake_reply *fake_say_jsep(struct host *host, uint32_t handle, const struct fake_say *jsep, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = with_quotes(format, args);
    va_end(args);
    return submit(host, &host->handles[handle], jsep, text);
}

const struct fake_reply *fake_say(struct host *host, uint32_t handle, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = with_quotes(format, args);
    va_end(args);
    return submit(host, &host->handles[handle], NULL, text);
}

const struct fake_reply *fake_admin(struct host *host, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = with_quotes(format, args);
    va_end(args);
    return submit(host, NULL, NULL, text);
}

/* ---- PeerConnections ---- */

void fake_up(struct host *host, uint32_t index)
{
    struct fake_handle *handle = &host->handles[index];
    if (!handle->used || !handle->negotiated || handle->up)
        return;
    handle->up = true;
    trace(host, index, "is", STR("up"));
    if (host->desc->setup_media != NULL)
        host->desc->setup_media(host->plugin, handle->state);
}

/* As control/handle.c does it: the PeerConnection is gone first, then the plugin is told. */
void fake_hangup(struct host *host, uint32_t index)
{
    struct fake_handle *handle = &host->handles[index];
    if (!handle->used)
        return;
    trace(host, index, "hangs", STR("up"));
    end_pc(host, handle);
    host->desc->hangup_media(host->plugin, handle->state);
}

void fake_turn(struct host *host)
{
    for (uint32_t i = 0; i < FAKE_HANDLES; i++)
        if (host->handles[i].used && host->handles[i].closing)
            fake_hangup(host, i);
    while (host->again) {
        host->again = false;
        host->desc->turn(host->plugin);
    }
}

void host_again(struct host *host)
{
    host->again = true;
}

void fake_detach(struct host *host, uint32_t index)
{
    struct fake_handle *handle = &host->handles[index];
    void *state = handle->state;
    trace(host, index, "is", STR("detached"));
    fake_end_ops_of(host, index);
    handle->ref.generation = ++host->generation;            /* its name is nobody's from here on, as in the core */
    end_pc(host, handle);
    host->desc->hangup_media(host->plugin, state);
    host->desc->detach(host->plugin, state);
    free(state);
    handle->used = false;
}

char *fake_answer_text(struct host *host, uint32_t index, uint64_t rejected)
{
    char reason[SDP_REASON_ROOM];
    assert_non_null(host->handles[index].offer);
    struct sdp *sdp = sdp_parse(str_of(host->handles[index].offer), reason);
    struct buf text;
    buf_init(&text, SDP_TEXT_BYTES_MAX);
    for (uint16_t i = 0; i < sdp->mline_count; i++) {
        const bool none = i < 64 && (rejected >> i & 1) != 0;
        sdp->mlines[i]->direction = none ? SDP_INACTIVE : sdp_direction_mirror(sdp->mlines[i]->direction);
        sdp->mlines[i]->port = none ? 0 : sdp->mlines[i]->port;
    }
    assert_true(sdp_write(sdp, &text));
    char *copy = strdup(buf_text(&text));
    buf_fini(&text);
    sdp_free(sdp);
    return copy;
}

void fake_answer_but(struct host *host, uint32_t index, const char *verb, uint64_t rejected)
{
    char *sdp = fake_answer_text(host, index, rejected);
    const struct fake_say say = {.jsep = "answer", .sdp = sdp};
    fake_say_jsep(host, index, &say, "{'request':'%s'}", verb);
    free(sdp);
}

void fake_answer(struct host *host, uint32_t index, const char *verb)
{
    fake_answer_but(host, index, verb, 0);
}

/* ---- what is heard ---- */

const struct fake_event *fake_hear(struct host *host, uint32_t index)
{
    static struct fake_event heard;
    struct fake_handle *handle = &host->handles[index];
    json_decref(heard.data);
    free(heard.sdp);
    heard = (struct fake_event){0};
    if (handle->event_count == 0)
        return NULL;
    heard = handle->events[0];
    memmove(handle->events, handle->events + 1, --handle->event_count * sizeof(*handle->events));
    return &heard;
}

void fake_forget(struct host *host)
{
    (void)fake_hear(host, 0);
    for (uint32_t i = 0; i < FAKE_HANDLES; i++)
        drop_events(&host->handles[i]);
}

bool json_fits(const json_t *got, const json_t *wanted)
{
    const char *key;
    json_t *value;
    if (json_is_string(wanted) && strcmp(json_string_value(wanted), "*") == 0)
        return got != NULL;
    if (json_is_object(wanted)) {
        if (!json_is_object(got) || json_object_size(got) != json_object_size(wanted))
            return false;
        json_object_foreach((json_t *)(uintptr_t)wanted, key, value)
            if (!json_fits(json_object_get(got, key), value))
                return false;
        return true;
    }
    if (json_is_array(wanted)) {
        if (!json_is_array(got) || json_array_size(got) != json_array_size(wanted))
            return false;
        for (size_t i = 0; i < json_array_size(wanted); i++)
            if (!json_fits(json_array_get(got, i), json_array_get(wanted, i)))
                return false;
        return true;
    }
    return json_equal((json_t *)(uintptr_t)got, (json_t *)(uintptr_t)wanted);
}

static void assert_fits(const json_t *got, char *text)
{
    json_error_t error;
    json_t *wanted = json_loads(text, 0, &error);
    if (wanted == NULL)
        fail_msg("the test's own JSON: %s: %s", error.text, text);
    if (!json_fits(got, wanted)) {
        char *is = json_dumps(got, JSON_COMPACT);
        print_message("expected %s\ngot      %s\n", text, is);
        free(is);
        fail();
    }
    json_decref(wanted);
    free(text);
}

static const struct fake_event *expect(struct host *host, uint32_t index, bool tied, char *text)
{
    char last[16];
    const struct fake_event *event = fake_hear(host, index);
    if (event == NULL)
        fail_msg("nothing heard; expected %s", text);
    snprintf(last, sizeof(last), "t%u", host->transactions);
    if (strcmp(event->transaction, tied ? last : "") != 0) {
        char *is = json_dumps(event->data, JSON_COMPACT);
        print_message("%s: expected %s\ngot '%s' %s\n", tied ? "a reply" : "unsolicited", text, event->transaction, is);
        fail();
    }
    assert_fits(event->data, text);
    return event;
}

const struct fake_event *expect_reply(struct host *host, uint32_t handle, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = with_quotes(format, args);
    va_end(args);
    return expect(host, handle, true, text);
}

const struct fake_event *expect_told(struct host *host, uint32_t handle, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = with_quotes(format, args);
    va_end(args);
    return expect(host, handle, false, text);
}

void expect_sync(struct host *host, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = with_quotes(format, args);
    va_end(args);
    assert_int_equal(host->last.outcome, PLUGIN_SYNC);
    assert_fits(host->last.body, text);
}

void expect_silence(struct host *host, uint32_t handle)
{
    const struct fake_event *event = fake_hear(host, handle);
    if (event == NULL)
        return;
    char *is = json_dumps(event->data, JSON_COMPACT);
    print_message("handle %u heard '%s' %s\n", handle, event->transaction, is);
    fail();
}

void expect_nothing(struct host *host)
{
    for (uint32_t i = 0; i < FAKE_HANDLES; i++)
        if (host->handles[i].used)
            expect_silence(host, i);
}

void expect_error_text(struct host *host, uint32_t handle, int code, const char *text)
{
    const json_t *body = host->last.body;
    if (handle != UINT32_MAX) {
        char last[16];
        const struct fake_event *event = fake_hear(host, handle);
        assert_int_equal(host->last.outcome, PLUGIN_ACK);
        if (event == NULL)
            fail_msg("nothing heard; expected error %d", code);
        snprintf(last, sizeof(last), "%s", host->last_transaction);
        assert_string_equal(event->transaction, last);
        assert_string_equal(event->jsep, "");
        body = event->data;
    } else {
        assert_int_equal(host->last.outcome, PLUGIN_SYNC);
    }
    if (json_integer_value(json_object_get(body, "error_code")) != code) {
        char *is = json_dumps(body, JSON_COMPACT);
        print_message("expected error %d, got %s\n", code, is);
        fail();
    }
    assert_int_equal(json_object_size(body), 3);
    if (text != NULL)
        assert_string_equal(json_string_value(json_object_get(body, "error")), text);
}

void expect_error(struct host *host, uint32_t handle, int code)
{
    expect_error_text(host, handle, code, NULL);
}

static struct view fits(struct view text, size_t max)
{
    return text.size > max ? VIEW(text.data, max) : text;
}

struct fake_sink *fake_data_sink(struct host *host, uint32_t handle, const char *label)
{
    for (uint32_t i = 0; i < host->sink_count; i++) {
        struct fake_sink *sink = &host->sinks[i];
        if (sink->used && sink->data && sink->handle == handle && strcmp(sink->label, label) == 0)
            return sink;
    }
    return NULL;
}

bool fake_data(struct host *host, uint32_t index, const char *label, const char *protocol, bool binary, struct view bytes)
{
    const struct data_message message = {.label = str_of(label), .protocol = str_of(protocol), .binary = binary, .bytes = bytes};
    assert_true(host->handles[index].up && host->handles[index].has_data);
    return host->desc->data(host->plugin, host->handles[index].state, &message);
}

void fake_data_ready(struct host *host, uint32_t index)
{
    host->handles[index].full = false;
    if (host->desc->data_ready != NULL)
        host->desc->data_ready(host->plugin, host->handles[index].state);
}

const struct fake_data *fake_take_data(struct host *host, uint32_t index)
{
    static struct fake_data taken;
    struct fake_handle *handle = &host->handles[index];
    free(taken.bytes);
    taken = (struct fake_data){0};
    if (handle->data_count == 0)
        return NULL;
    taken = handle->data[0];
    memmove(handle->data, handle->data + 1, --handle->data_count * sizeof(*handle->data));
    return &taken;
}

enum err host_data_send(struct host *host, struct ref ref, const struct data_message *message)
{
    struct fake_handle *handle = by_ref(host, ref);
    if (handle == NULL || !handle->up || !handle->has_data)
        return ERR_GONE;
    if (message->label.size > DATA_LABEL_MAX || message->protocol.size > DATA_PROTOCOL_MAX || message->bytes.size > FAKE_DATA_MAX)
        return ERR_INVALID;
    if (handle->full)
        return ERR_FULL;
    if (handle->data_count == handle->data_room) {
        handle->data_room = handle->data_room == 0 ? 16 : handle->data_room * 2;
        handle->data = realloc(handle->data, handle->data_room * sizeof(*handle->data));
    }
    struct fake_data *sent = &handle->data[handle->data_count++];
    *sent = (struct fake_data){.binary = message->binary, .bytes = malloc(message->bytes.size + 1), .size = message->bytes.size};
    (void)str_copy(sent->label, sizeof(sent->label), message->label);
    (void)str_copy(sent->protocol, sizeof(sent->protocol), message->protocol);
    if (sent->size > 0)
        memcpy(sent->bytes, message->bytes.data, sent->size);
    sent->bytes[sent->size] = 0;                            /* text can be compared as it is */
    trace(host, ref.slot, "gets", message->bytes);
    return ERR_NONE;
}

void host_data_send_all(struct host *host, const struct data_message *message, const struct ref *handles, size_t count, enum err *results)
{
    assert_true(count <= DATA_CAST_SIZE);
    for (size_t i = 0; i < count; i++)
        results[i] = host_data_send(host, handles[i], message);
}

void host_data_again(struct host *host, struct ref ref)
{
    struct fake_handle *handle = by_ref(host, ref);
    if (handle != NULL)
        handle->data_again++;
}

size_t host_data_max(struct host *host, struct ref ref)
{
    const struct fake_handle *handle = by_ref(host, ref);
    return handle != NULL && handle->has_data ? FAKE_DATA_MAX : 0;
}

struct ref host_data_sink_add(struct host *host, struct ref source, struct ref ref, struct view label, bool paused)
{
    struct fake_handle *handle = by_ref(host, ref);
    if (handle == NULL || !handle->has_data)
        return REF_NONE;
    struct fake_sink *sink = new_sink(host, handle, source);
    sink->data = true;
    sink->options.paused = paused;
    (void)str_copy(sink->label, sizeof(sink->label), fits(label, DATA_LABEL_MAX));
    return sink->ref;
}

struct fake_source *fake_source(struct host *host, uint32_t handle, uint16_t mindex)
{
    uint32_t index = host->handles[handle].source[mindex];
    return index == 0 ? NULL : &host->sources[index - 1];
}

struct fake_sink *fake_sink(struct host *host, uint32_t handle, uint16_t mindex)
{
    uint32_t index = host->handles[handle].sink[mindex];
    return index == 0 ? NULL : &host->sinks[index - 1];
}

uint32_t fake_sinks_alive(const struct host *host)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < host->sink_count; i++)
        count += host->sinks[i].used;
    return count;
}

void fake_layer(struct host *host, uint32_t handle, uint16_t mindex, int substream, int temporal)
{
    const struct fake_sink *sink = fake_sink(host, handle, mindex);
    assert_non_null(sink);
    host->desc->sink_layer(host->plugin, host->handles[handle].state, sink->ref, substream, temporal);
}

int64_t fake_int(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}
