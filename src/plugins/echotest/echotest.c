/* plugins/echotest - one unnamed request that sets what is echoed and, with an offer, makes the PeerConnection.
 * Effects are applied in the order of echotest.md 2.2: a later error does not undo earlier ones. */
#include "plugins/echotest/echotest.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/schema.h"
#include "plugins/table.h"

#define LAYER_MAX      2
#define DELAY_MAX      4095         /* 12 bits of the playout-delay extension */
#define BITRATE_MAX    UINT32_MAX

static const struct schema_field request_schema[] = {
    {"audio", SCHEMA_BOOL, false},           {"video", SCHEMA_BOOL, false},          {"bitrate", SCHEMA_POSINT, false},
    {"record", SCHEMA_BOOL, false},          {"filename", SCHEMA_STRING, false},     {"substream", SCHEMA_POSINT, false},
    {"temporal", SCHEMA_POSINT, false},      {"fallback", SCHEMA_POSINT, false},     {"svc", SCHEMA_BOOL, false},
    {"spatial_layer", SCHEMA_POSINT, false}, {"temporal_layer", SCHEMA_POSINT, false}, {"audiocodec", SCHEMA_STRING, false},
    {"videocodec", SCHEMA_STRING, false},    {"videoprofile", SCHEMA_STRING, false}, {"opusred", SCHEMA_BOOL, false},
    {"min_delay", SCHEMA_INT, false},        {"max_delay", SCHEMA_INT, false},
};

/* One of these, or a jsep, makes a request useful; `audiocodec`, `filename` and `svc` alone do not (echotest.md 2.1). */
static const char *const useful[] = {"audio",    "video",         "videocodec",     "videoprofile", "opusred",   "bitrate",  "substream",
                                     "temporal", "fallback",      "spatial_layer",  "temporal_layer", "record",  "min_delay", "max_delay"};

static void reset_session(struct echo_session *session)
{
    const struct ref handle = session->handle;
    const bool svc = session->svc;
    echo_unwire(session);
    *session = (struct echo_session){
        .handle = handle,
        .audio_active = true,
        .video_active = true,
        .svc = svc,
        .substream_target = LAYER_MAX,
        .temporal_target = LAYER_MAX,
        .spatial_layer_target = LAYER_MAX,
        .temporal_layer_target = LAYER_MAX,
        .min_delay = -1,
        .max_delay = -1,
        .substream = -1,
        .temporal = -1,
        .spatial_layer = -1,
        .temporal_layer = -1,
    };
}

static void *echo_init(struct host *host, const struct conf_node *conf)
{
    struct echotest *echo = mem_get_zero(sizeof(*echo));
    echo->host = host;
    echo->events = conf_bool(conf_get(conf, "general"), "events", true);
    return echo;
}

static void echo_fini(void *plugin)
{
    mem_put(plugin);
}

static bool echo_attach(void *plugin, void *state, struct ref handle)
{
    struct echo_session *session = state;
    (void)plugin;
    session->handle = handle;
    reset_session(session);
    return true;
}

static void echo_detach(void *plugin, void *state)
{
    (void)plugin;
    echo_unwire(state);
}

static void push_error(struct echotest *echo, const struct plugin_request *request, int code, const char *text)
{
    struct buf body;
    struct json_out j;
    buf_init(&body, ECHO_EVENT_BYTES);
    jout_begin(&j, &body, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "echotest", "event");
    jout_int(&j, "error_code", code);
    jout_string(&j, "error", text);
    jout_end(&j);
    (void)host_event(echo->host, request->handle, request->transaction, buf_view(&body), NULL);
    buf_fini(&body);
}

/* {"echotest":"event","videocodec":..., name: value}: the layer that was asked for is the one already there. */
static void push_layer(struct echotest *echo, const struct echo_session *session, const char *name, int value)
{
    struct buf body;
    struct json_out j;
    buf_init(&body, ECHO_EVENT_BYTES);
    jout_begin(&j, &body, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "echotest", "event");
    jout_string(&j, "videocodec", codec_info(session->video_codec)->name);
    jout_int(&j, name, value);
    jout_end(&j);
    (void)host_event(echo->host, session->handle, NULL, buf_view(&body), NULL);
    buf_fini(&body);
}

static enum err push_ok(struct echotest *echo, const struct plugin_request *request, const struct jsep_out *jsep)
{
    return host_event(echo->host, request->handle, request->transaction, STR("{\"echotest\":\"event\",\"result\":\"ok\"}"), jsep);
}

static void read_jsep(struct echo_session *session, const struct jsep_in *jsep)
{
    if (jsep == NULL)
        return;
    if (jsep->simulcast_count > 0) {
        session->has_simulcast = true;
        session->simulcast_mindex = jsep->simulcast[0].mindex;
        session->substream_target = LAYER_MAX;
        session->temporal_target = LAYER_MAX;
    }
    if (jsep->svc != NULL && !session->svc) {
        session->svc = true;
        session->spatial_layer_target = LAYER_MAX;
        session->temporal_layer_target = LAYER_MAX;
    }
    session->e2ee = session->e2ee || jsep->e2ee;
}

/* Every layer field first: a value above 2 is refused before anything takes effect. */
static bool layers_are_in_range(const json_t *body, char text[SCHEMA_TEXT])
{
    static const char *const fields[] = {"substream", "temporal", "spatial_layer", "temporal_layer"};
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        const json_t *value = json_object_get(body, fields[i]);
        if (value == NULL || json_integer_value(value) <= LAYER_MAX)
            continue;
        snprintf(text, SCHEMA_TEXT, "Invalid value (%s should be 0, 1 or 2)", fields[i]);
        return false;
    }
    return true;
}

static void set_layer(struct echotest *echo, struct echo_session *session, const json_t *body, const char *name, uint8_t *target,
                      int current, bool asks)
{
    const json_t *value = json_object_get(body, name);
    if (value == NULL)
        return;
    *target = (uint8_t)json_integer_value(value);
    if (*target == current)
        push_layer(echo, session, name, current);
    else if (asks)
        echo_keyframe(echo, session);
}

static void set_layers(struct echotest *echo, struct echo_session *session, const json_t *body)
{
    const json_t *fallback = json_object_get(body, "fallback");
    if (fallback != NULL) {
        json_int_t us = json_integer_value(fallback);
        session->fallback_us = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
    }
    set_layer(echo, session, body, "substream", &session->substream_target, session->substream, true);
    set_layer(echo, session, body, "temporal", &session->temporal_target, session->temporal, true);
    /* Of SVC the sink asks, and only when it goes up. */
    set_layer(echo, session, body, "spatial_layer", &session->spatial_layer_target, session->spatial_layer, !session->svc);
    set_layer(echo, session, body, "temporal_layer", &session->temporal_layer_target, session->temporal_layer, !session->svc);
}

static int16_t clamp_delay(json_int_t v)
{
    return v < 0 ? -1 : v > DELAY_MAX ? DELAY_MAX : (int16_t)v;
}

/* Units of 10 ms; a negative one resets both; setting one drags the other along, so that min <= max. */
static void set_delays(struct echo_session *session, const json_t *body)
{
    const json_t *min = json_object_get(body, "min_delay"), *max = json_object_get(body, "max_delay");
    if (min != NULL) {
        session->min_delay = clamp_delay(json_integer_value(min));
        if (session->min_delay < 0)
            session->max_delay = -1;
        else if (session->max_delay < session->min_delay)
            session->max_delay = session->min_delay;
    }
    if (max != NULL) {
        session->max_delay = clamp_delay(json_integer_value(max));
        if (session->max_delay < 0)
            session->min_delay = -1;
        else if (session->min_delay < 0 || session->min_delay > session->max_delay)
            session->min_delay = session->max_delay;
    }
}

static void apply_effects(struct echotest *echo, struct echo_session *session, const json_t *body)
{
    const json_t *audio = json_object_get(body, "audio"), *video = json_object_get(body, "video");
    const json_t *bitrate = json_object_get(body, "bitrate");
    if (audio != NULL)
        session->audio_active = json_is_true(audio);
    if (video != NULL) {
        if (json_is_true(video) && !session->video_active)
            echo_keyframe(echo, session);
        session->video_active = json_is_true(video);
    }
    if (bitrate != NULL) {
        json_int_t bps = json_integer_value(bitrate);
        session->bitrate_bps = bps > BITRATE_MAX ? BITRATE_MAX : (uint32_t)bps;
        echo_cap(echo, session, true);
    }
    set_layers(echo, session, body);
    set_delays(session, body);
    echo_apply(echo, session);
}

static bool is_useful(const struct plugin_request *request)
{
    for (size_t i = 0; i < ARRAY_COUNT(useful); i++)
        if (json_object_get(request->body, useful[i]) != NULL)
            return true;
    return request->jsep != NULL;
}

/* False: answered by an error. */
static bool answer_offer(struct echotest *echo, struct echo_session *session, const struct plugin_request *request)
{
    struct sdp_accepted accepted[SDP_MLINES_MAX];
    char reason[SDP_REASON_ROOM], text[SDP_REASON_ROOM + 32];
    struct sdp *answer = echo_answer(request, accepted, reason);
    if (answer == NULL) {
        snprintf(text, sizeof(text), "Error parsing offer: %s", reason);
        push_error(echo, request, ECHO_ERROR_SDP, text);
        return false;
    }
    struct buf wire;
    buf_init(&wire, SDP_TEXT_BYTES_MAX);
    bool written = sdp_write(answer, &wire);
    const struct jsep_out jsep = {.type = "answer", .sdp = buf_view(&wire), .e2ee = session->e2ee};
    enum err sent = written ? push_ok(echo, request, &jsep) : ERR_INVALID;
    const bool fine = sent == ERR_NONE || sent == ERR_GONE;
    if (!fine)
        push_error(echo, request, ECHO_ERROR_SDP, "Error parsing offer: it can't be answered");
    else
        echo_wire(echo, session, answer, accepted);
    buf_fini(&wire);
    sdp_free(answer);
    return fine;
}

static enum plugin_outcome echo_admin(struct echotest *echo, const struct plugin_request *request)
{
    char *text = json_dumps(request->body, JSON_COMPACT);
    buf_add_text(host_reply(echo->host), text == NULL ? "{}" : text);
    free(text);
    return PLUGIN_SYNC;
}

static void set_recording(struct echotest *echo, struct echo_session *session, const json_t *body)
{
    const json_t *record = json_object_get(body, "record");
    if (json_is_true(record))
        echo_record_start(echo, session, json_string_value(json_object_get(body, "filename")));
    else if (record != NULL)
        echo_record_stop(echo, session);
}

/* What event handlers are told (echotest.md 6). */
static void notify(struct echotest *echo, const struct echo_session *session)
{
    static const char *const kinds[] = {[MEDIA_AUDIO] = "audio", [MEDIA_VIDEO] = "video", [MEDIA_DATA] = "data"};
    struct json_out j;
    struct buf body;
    bool recording = false;
    if (!echo->events || !host_notify_wanted(echo->host))
        return;
    buf_init(&body, ECHO_EVENT_BYTES);
    jout_begin(&j, &body, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_bool(&j, "audio_active", session->audio_active);
    jout_bool(&j, "video_active", session->video_active);
    jout_uint(&j, "bitrate", session->bitrate_bps);
    if (session->has_simulcast) {
        jout_object(&j, "simulcast");
        jout_uint(&j, "substream", session->substream_target);
        jout_uint(&j, "temporal-layer", session->temporal_target);
        jout_end(&j);
    }
    for (size_t kind = 0; kind < ARRAY_COUNT(kinds); kind++) {
        if (ref_is_none(session->recordings[kind].ref))
            continue;
        if (!recording)
            jout_object(&j, "recording");
        recording = true;
        jout_string(&j, kinds[kind], session->recordings[kind].name);
    }
    if (recording)
        jout_end(&j);
    jout_end(&j);
    host_notify(echo->host, session->handle, buf_view(&body));
    buf_fini(&body);
}

static enum plugin_outcome echo_message(void *plugin, void *state, const struct plugin_request *request)
{
    struct echotest *echo = plugin;
    struct echo_session *session = state;
    char text[SCHEMA_TEXT];
    if (session == NULL)
        return echo_admin(echo, request);
    if (schema_check(request_schema, ARRAY_COUNT(request_schema), request->body, text) != SCHEMA_FINE) {
        push_error(echo, request, ECHO_ERROR_ELEMENT, text);
        return PLUGIN_ACK;
    }
    read_jsep(session, request->jsep);
    if (!layers_are_in_range(request->body, text)) {
        push_error(echo, request, ECHO_ERROR_ELEMENT, text);
        return PLUGIN_ACK;
    }
    apply_effects(echo, session, request->body);
    if (!is_useful(request)) {
        push_error(echo, request, ECHO_ERROR_ELEMENT, "Message error: no supported attributes found");
        return PLUGIN_ACK;
    }
    bool fine = true;
    if (request->jsep != NULL)
        fine = answer_offer(echo, session, request);
    else
        (void)push_ok(echo, request, NULL);
    set_recording(echo, session, request->body);
    if (fine)
        notify(echo, session);
    return PLUGIN_ACK;
}

static void echo_hangup_media(void *plugin, void *state)
{
    struct echotest *echo = plugin;
    struct echo_session *session = state;
    echo_record_stop(echo, session);
    reset_session(session);
    (void)host_event(echo->host, session->handle, NULL, STR("{\"echotest\":\"event\",\"result\":\"done\"}"), NULL);
}

static void echo_slow_link(void *plugin, void *state, uint16_t mindex, bool video, bool uplink)
{
    struct echotest *echo = plugin;
    struct echo_session *session = state;
    struct buf body;
    struct json_out j;
    (void)mindex;
    session->slowlink_count++;
    if (uplink)
        return;                     /* losses on what we send are not told (echotest.md 2.4) */
    buf_init(&body, ECHO_EVENT_BYTES);
    jout_begin(&j, &body, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "echotest", "event");
    jout_string(&j, "event", "slow_link");
    jout_string(&j, "media", video ? "video" : "audio");
    if (video)
        jout_uint(&j, "current-bitrate", session->bitrate_bps);
    jout_end(&j);
    (void)host_event(echo->host, session->handle, NULL, buf_view(&body), NULL);
    buf_fini(&body);
}

static const struct echo_line *line_of(const struct echo_session *session, struct ref sink)
{
    for (uint16_t i = 0; i < session->line_count; i++)
        if (ref_equal(session->lines[i].sink, sink))
            return &session->lines[i];
    return NULL;
}

static void echo_sink_layer(void *plugin, void *state, struct ref sink, int substream, int temporal)
{
    struct echotest *echo = plugin;
    struct echo_session *session = state;
    const struct echo_line *line = line_of(session, sink);
    struct buf body;
    struct json_out j;
    if (line == NULL || (!line->simulcast && !line->svc))
        return;
    *(line->svc ? &session->spatial_layer : &session->substream) = (int8_t)substream;
    *(line->svc ? &session->temporal_layer : &session->temporal) = (int8_t)temporal;
    buf_init(&body, ECHO_EVENT_BYTES);
    jout_begin(&j, &body, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_string(&j, "echotest", "event");
    jout_string(&j, "videocodec", codec_info(session->video_codec)->name);
    jout_int(&j, line->svc ? "spatial_layer" : "substream", substream);
    jout_int(&j, line->svc ? "temporal_layer" : "temporal", temporal);
    jout_end(&j);
    (void)host_event(echo->host, session->handle, NULL, buf_view(&body), NULL);
    buf_fini(&body);
}

static void echo_query(void *plugin, void *state, struct json_out *out)
{
    const struct echo_session *session = state;
    (void)plugin;
    jout_bool(out, "audio_active", session->audio_active);
    jout_bool(out, "video_active", session->video_active);
    if (session->audio_codec != CODEC_NONE)
        jout_string(out, "audio_codec", codec_info(session->audio_codec)->name);
    if (session->video_codec != CODEC_NONE)
        jout_string(out, "video_codec", codec_info(session->video_codec)->name);
    jout_uint(out, "bitrate", session->bitrate_bps);
    if (session->has_simulcast) {
        jout_bool(out, "simulcast", true);
        jout_int(out, "substream", session->substream);
        jout_int(out, "substream-target", session->substream_target);
        if (!session->svc) {
            jout_int(out, "temporal-layer", session->temporal);
            jout_int(out, "temporal-layer-target", session->temporal_target);
        }
        if (session->fallback_us > 0)
            jout_uint(out, "fallback", session->fallback_us);
    }
    if (session->svc) {                 /* with both, the temporal layers are these */
        jout_bool(out, "svc", true);
        jout_int(out, "spatial-layer", session->spatial_layer);
        jout_int(out, "spatial-layer-target", session->spatial_layer_target);
        jout_int(out, "temporal-layer", session->temporal_layer);
        jout_int(out, "temporal-layer-target", session->temporal_layer_target);
    }
    if (session->e2ee)
        jout_bool(out, "e2ee", true);
    jout_uint(out, "slowlink_count", session->slowlink_count);
    jout_int(out, "hangingup", 0);
    jout_int(out, "destroyed", 0);
}

const struct plugin_desc echotest_plugin = {
    .package = "janus.plugin.echotest",
    .name = "Cardea EchoTest",
    .description = "Sends back what it gets, to try a connection",
    .author = "The Cardea project",
    .version_string = "0.0.7",
    .version = 7,
    .file_name = "libjanus_echotest.so",
    .ack_hint = "I'm taking my time!",
    .session_size = sizeof(struct echo_session),
    .init = echo_init,
    .fini = echo_fini,
    .attach = echo_attach,
    .detach = echo_detach,
    .message = echo_message,
    .hangup_media = echo_hangup_media,
    .slow_link = echo_slow_link,
    .sink_layer = echo_sink_layer,
    .data = echo_data,
    .record_failed = echo_record_failed,
    .query = echo_query,
};
