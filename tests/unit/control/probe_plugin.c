#include "control/probe_plugin.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "proto/sdp/offer_answer.h"

#define LOG_LEVEL_LIMIT 8

struct probe_session {
    struct ref handle;
    bool refuse_hangup_event;
};

struct probe_seen probe_seen;
static char diary[4096];
static char diary_read[4096];
static struct host *the_host;
static struct ref last_handle;

static void note(const char *word)
{
    if (diary[0] != '\0')
        strncat(diary, " ", sizeof(diary) - strlen(diary) - 1);
    strncat(diary, word, sizeof(diary) - strlen(diary) - 1);
}

const char *probe_diary(void)
{
    memcpy(diary_read, diary, sizeof(diary));
    diary[0] = '\0';
    return diary_read;
}

void probe_reset(void)
{
    diary[0] = '\0';
    probe_seen = (struct probe_seen){0};
    last_handle = REF_NONE;
}

struct host *probe_host(void)
{
    return the_host;
}

struct ref probe_handle(void)
{
    return last_handle;
}

static void *probe_init(struct host *host, const struct conf_node *conf)
{
    (void)conf;
    the_host = host;
    return host;
}

static void *broken_init(struct host *host, const struct conf_node *conf)
{
    (void)host;
    (void)conf;
    return NULL;
}

static void probe_fini(void *plugin)
{
    (void)plugin;
}

static bool probe_attach(void *plugin, void *state, struct ref handle)
{
    struct probe_session *session = state;
    (void)plugin;
    session->handle = handle;
    last_handle = handle;
    note("attach");
    return true;
}

static bool refuse_attach(void *plugin, void *state, struct ref handle)
{
    (void)state;
    (void)host_event(plugin, handle, NULL, STR("{}"), NULL);
    return false;
}

static void probe_detach(void *plugin, void *state)
{
    struct probe_session *session = state;
    /* The handle can't be told anything any more. */
    if (host_event(plugin, session->handle, NULL, STR("{\"probe\":\"too late\"}"), NULL) == ERR_GONE)
        note("detach");
}

static enum err push(struct host *host, const struct plugin_request *request, const char *text, const struct jsep_out *jsep)
{
    probe_seen.event_result = host_event(host, request->handle, request->transaction, str_of(text), jsep);
    return probe_seen.event_result;
}

static enum err push_sdp(struct host *host, const struct plugin_request *request, const char *type, struct sdp *sdp, bool restart, bool e2ee)
{
    struct buf text;
    buf_init(&text, SDP_TEXT_BYTES_MAX);
    (void)sdp_write(sdp, &text);
    const struct jsep_out jsep = {.type = type, .sdp = buf_view(&text), .restart = restart, .e2ee = e2ee};
    enum err err = push(host, request, "{\"probe\":\"sdp\"}", &jsep);
    buf_fini(&text);
    sdp_free(sdp);
    return err;
}

/* Accepts all it can; the first line's source is remembered. */
static void answer(struct host *host, const struct plugin_request *request)
{
    char reason[SDP_REASON_ROOM];
    struct sdp *offer = sdp_parse(request->jsep->sdp, reason);
    if (offer == NULL)
        return;
    struct sdp *sdp = sdp_answer_new(offer, STR("probe"));
    for (uint16_t i = 0; i < offer->mline_count; i++) {
        const struct sdp_answer_line line = {.direction = SDP_SENDRECV, .exts = SDP_EXTS_ALL};
        (void)sdp_answer_accept(sdp, offer, i, &line, NULL);
    }
    (void)push_sdp(host, request, "answer", sdp, false, false);
    sdp_free(offer);
    probe_seen.source = host_source(host, request->handle, 0);
    (void)host_source_desc(host, probe_seen.source, &probe_seen.desc);
}

static struct sdp_offer_line offer_line(enum sdp_kind kind)
{
    struct sdp_offer_line line = sdp_offer_line_of(kind, SDP_SENDRECV);
    line.codec = kind == SDP_AUDIO ? CODEC_OPUS : CODEC_VP8;
    line.ext_ids[SDP_EXT_MID] = sdp_ext_default_id(SDP_EXT_MID);
    return line;
}

static void offer(struct host *host, const struct plugin_request *request, bool restart, bool more)
{
    struct sdp *sdp = sdp_offer_new(STR("probe"), 77, more ? 2 : 1);
    struct sdp_offer_line audio = offer_line(SDP_AUDIO), video = offer_line(SDP_VIDEO);
    (void)sdp_offer_add(sdp, &audio);
    (void)sdp_offer_add(sdp, &video);
    if (more)
        (void)sdp_offer_add(sdp, &video);
    (void)push_sdp(host, request, "offer", sdp, restart, json_is_true(json_object_get(request->body, "e2ee")));
}

static void offer_data(struct host *host, const struct plugin_request *request)
{
    struct sdp *sdp = sdp_offer_new(STR("probe"), 77, 1);
    const struct sdp_offer_line audio = offer_line(SDP_AUDIO), data = sdp_offer_line_of(SDP_APPLICATION, SDP_SENDONLY);
    (void)sdp_offer_add(sdp, &audio);
    (void)sdp_offer_add(sdp, &data);
    (void)push_sdp(host, request, "offer", sdp, false, false);
}

static void see_jsep(const struct jsep_in *jsep)
{
    probe_seen.has_jsep = jsep != NULL;
    if (jsep == NULL)
        return;
    snprintf(probe_seen.type, sizeof(probe_seen.type), "%s", jsep->type);
    snprintf(probe_seen.sdp, sizeof(probe_seen.sdp), "%.*s", (int)jsep->sdp.size, (const char *)jsep->sdp.data);
    probe_seen.update = jsep->update;
    probe_seen.e2ee = jsep->e2ee;
    probe_seen.has_svc = jsep->svc != NULL;
    probe_seen.simulcast_count = jsep->simulcast_count;
    for (size_t i = 0; i < jsep->simulcast_count && i < ARRAY_COUNT(probe_seen.simulcast); i++)
        probe_seen.simulcast[i] = jsep->simulcast[i];
}

static bool body_has(const struct plugin_request *request, const char *key)
{
    return json_is_true(json_object_get(request->body, key));
}

static enum plugin_outcome save(struct host *host, const struct plugin_request *request, uintptr_t step)
{
    const char *path = json_string_value(json_object_get(request->body, "path"));
    if (body_has(request, "unasked")) {
        enum err err = host_file_save(host, NULL, "/x", STR("text"), NULL);
        buf_addf(host_reply(host), "{\"unasked\":\"%s\"}", err_name(err));
        return PLUGIN_SYNC;
    }
    probe_seen.begin_result = host_file_save(host, request, path != NULL ? path : "/x", STR("text"), (void *)step);
    if (probe_seen.begin_result == ERR_NONE)
        return body_has(request, "ack") ? PLUGIN_ACK : PLUGIN_WAIT;
    buf_add_text(host_reply(host), "{\"refused\":true}");
    return PLUGIN_SYNC;
}

static enum plugin_outcome probe_resume(void *plugin, void *state, const struct plugin_request *request, const struct plugin_answer *answer)
{
    struct host *host = plugin;
    char text[64];
    const uintptr_t step = (uintptr_t)answer->data;
    const char *then = json_string_value(json_object_get(request->body, "then"));
    (void)state;
    snprintf(text, sizeof(text), "resumed:%s", err_name(answer->status));
    note(text);
    probe_seen.steps = (uint32_t)step;
    if ((json_int_t)step < json_integer_value(json_object_get(request->body, "steps"))) {
        (void)push(host, request, "{\"probe\":\"more\"}", NULL);
        enum plugin_outcome outcome = save(host, request, step + 1);
        if (probe_seen.begin_result == ERR_NONE)
            return outcome;
        buf_clear(host_reply(host));
    }
    snprintf(text, sizeof(text), "{\"saved\":\"%s\",\"why\":\"%s\"}", err_name(answer->status), answer->text != NULL ? answer->text : "");
    if (then != NULL && strcmp(then, "error") == 0) {
        buf_add_text(host_reply(host), "not saved");
        return PLUGIN_ERROR;
    }
    if (body_has(request, "ack") || then != NULL) {
        (void)push(host, request, text, NULL);
        return PLUGIN_ACK;
    }
    (void)push(host, request, "{\"probe\":\"pushed while it was resumed\"}", NULL);
    buf_add_text(host_reply(host), text);
    return PLUGIN_SYNC;
}

static bool probe_may_overtake(void *plugin, void *state, const json_t *body)
{
    (void)plugin;
    (void)state;
    return json_is_true(json_object_get(body, "free"));
}

static enum plugin_outcome probe_message(void *plugin, void *state, const struct plugin_request *request)
{
    struct host *host = plugin;
    const char *text = json_string_value(json_object_get(request->body, "do"));
    struct view what = str_of(text != NULL ? text : "ack");
    (void)state;
    see_jsep(request->jsep);
    if (str_equal(what, STR("sync"))) {
        (void)push(host, request, "{\"probe\":\"pushed during a sync request\"}", NULL);
        buf_add_text(host_reply(host), "{\"probe\":\"ok\",\"list\":[1,{\"a\":\"b:,{}\"}],\"none\":{}}");
        return PLUGIN_SYNC;
    }
    if (str_equal(what, STR("empty")))
        return PLUGIN_SYNC;
    if (str_equal(what, STR("save")))
        return save(host, request, 1);
    if (str_equal(what, STR("error"))) {
        buf_add_text(host_reply(host), "the probe says no");
        return PLUGIN_ERROR;
    }
    if (str_equal(what, STR("silent")))
        return PLUGIN_ERROR;
    if (str_equal(what, STR("events")))
        for (int i = 1; i <= 3; i++) {
            char event[32];
            snprintf(event, sizeof(event), "{\"n\":%d}", i);
            (void)push(host, request, event, NULL);
        }
    if (str_equal(what, STR("answer")) && request->jsep != NULL)
        answer(host, request);
    if (str_equal(what, STR("answer-twice")) && request->jsep != NULL) {
        answer(host, request);
        answer(host, request);
    }
    if (str_equal(what, STR("bad-answer"))) {
        const struct jsep_out jsep = {.type = "answer", .sdp = STR("v=0\r\nnonsense\r\n")};
        (void)push(host, request, "{}", &jsep);
    }
    if (str_equal(what, STR("wrong-answer")) || str_equal(what, STR("bad-offer"))) {
        /* More lines than were offered; an offer that no line can be kept of. */
        bool answers = str_equal(what, STR("wrong-answer"));
        const struct jsep_out jsep = {
            .type = answers ? "answer" : "offer",
            .sdp = STR("v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:x\r\na=rtpmap:96 VP8/90000\r\n"
                       "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n"),
            .e2ee = true,
        };
        (void)push(host, request, "{}", &jsep);
    }
    if (str_equal(what, STR("huge"))) {
        struct buf *reply = host_reply(host);
        json_int_t size = json_integer_value(json_object_get(request->body, "size"));
        buf_add_text(reply, "{\"x\":\"");
        for (json_int_t i = 0; i < size; i++)
            buf_add_char(reply, 'x');
        buf_add_text(reply, "\"}");
        (void)host_event(host, request->handle, NULL, buf_view(reply), NULL);
        return PLUGIN_SYNC;
    }
    if (str_equal(what, STR("offer")))
        offer(host, request, false, false);
    if (str_equal(what, STR("offer-data")))
        offer_data(host, request);
    if (str_equal(what, STR("restart")))
        offer(host, request, true, false);
    if (str_equal(what, STR("add-line")))
        offer(host, request, false, true);
    if (str_equal(what, STR("echo"))) {
        const struct sink_options options = {.pt = 111};
        probe_seen.source = host_source(host, request->handle, 0);
        probe_seen.sink = host_sink_add(host, probe_seen.source, request->handle, 0, &options);
    }
    if (str_equal(what, STR("group")))
        host_peer_group(host, request->handle, (uint64_t)json_integer_value(json_object_get(request->body, "group")));
    if (str_equal(what, STR("log"))) {
        host_log(host, LOG_LEVEL_LIMIT, "never said");
        host_log(host, 3, "%s at %llu in %s", "warned", (unsigned long long)host_now(host), host_config_path(host));
    }
    if (str_equal(what, STR("close")) || str_equal(what, STR("close-and-detach")))
        host_peer_close(host, request->handle);
    if (str_equal(what, STR("detach")) || str_equal(what, STR("close-and-detach")))
        host_detach(host, request->handle);
    return PLUGIN_ACK;
}

static void copy(char *out, size_t room, struct view text)
{
    snprintf(out, room, "%.*s", (int)text.size, (const char *)text.data);
}

static bool probe_data(void *plugin, void *state, const struct data_message *message)
{
    (void)plugin;
    (void)state;
    note(probe_seen.puts_off ? "data-put-off" : "data");
    if (probe_seen.puts_off)
        return false;
    probe_seen.data_count++;
    copy(probe_seen.label, sizeof(probe_seen.label), message->label);
    copy(probe_seen.protocol, sizeof(probe_seen.protocol), message->protocol);
    copy(probe_seen.data, sizeof(probe_seen.data), message->bytes);
    probe_seen.binary = message->binary;
    return true;
}

static void probe_data_ready(void *plugin, void *state)
{
    (void)plugin;
    (void)state;
    note("data-ready");
}

static void probe_setup(void *plugin, void *state)
{
    const struct probe_session *session = state;
    note(host_peer_is_up(plugin, session->handle) ? "setup" : "setup-but-down");
}

static void probe_hangup(void *plugin, void *state)
{
    const struct probe_session *session = state;
    note(host_peer_is_up(plugin, session->handle) ? "hangup-but-up" : "hangup");
    (void)host_event(plugin, session->handle, NULL, STR("{\"probe\":\"done\"}"), NULL);
}

static void probe_slow_link(void *plugin, void *state, uint16_t mindex, bool video, bool uplink)
{
    char word[32];
    (void)plugin;
    (void)state;
    snprintf(word, sizeof(word), "slow:%u%s%s", mindex, video ? "v" : "a", uplink ? "up" : "down");
    note(word);
}

static void probe_sink_layer(void *plugin, void *state, struct ref sink, int substream, int temporal)
{
    char word[48];
    (void)plugin;
    (void)state;
    snprintf(word, sizeof(word), "layer:%s%d/%d", ref_equal(sink, probe_seen.sink) ? "" : "other-", substream, temporal);
    note(word);
}

static void probe_record_failed(void *plugin, void *state, struct ref recording, const char *why)
{
    char word[100];
    (void)plugin;
    (void)state;
    (void)recording;
    snprintf(word, sizeof(word), "broken:%s", why);
    note(word);
}

static void probe_tick(void *plugin, usec_t now)
{
    (void)plugin;
    (void)now;
    if (strstr(diary, "tick") == NULL)
        note("tick");
}

#define PROBE_COMMON                                                                                                     \
    .author = "tests", .description = "does as it is told", .version_string = "0.0.3", .version = 3,                      \
    .session_size = sizeof(struct probe_session), .fini = probe_fini, .detach = probe_detach, .message = probe_message,   \
    .hangup_media = probe_hangup

static const struct plugin_desc probe = {
    PROBE_COMMON, .package = "janus.plugin.probe", .name = "Probe", .file_name = "libjanus_probe.so", .ack_hint = "wait for it",
    .init = probe_init, .attach = probe_attach, .setup_media = probe_setup, .slow_link = probe_slow_link,
    .data = probe_data, .data_ready = probe_data_ready,
    .sink_layer = probe_sink_layer, .tick = probe_tick, .record_failed = probe_record_failed, .resume = probe_resume, .may_overtake = probe_may_overtake,
};
static const struct plugin_desc shy = {
    PROBE_COMMON, .package = "janus.plugin.shy", .name = "Shy", .file_name = "libjanus_shy.so", .init = probe_init, .attach = refuse_attach,
};
/* No hint, and no callback that may be left out. */
static const struct plugin_desc plain = {
    PROBE_COMMON, .package = "janus.plugin.plain", .name = "Plain", .file_name = "libjanus_plain.so", .init = probe_init, .attach = probe_attach,
};
static const struct plugin_desc broken = {
    PROBE_COMMON, .package = "janus.plugin.broken", .name = "Broken", .file_name = "libjanus_broken.so", .init = broken_init,
    .attach = probe_attach,
};

const struct plugin_desc *const probe_table[] = {&broken, &shy, &plain, &probe, NULL};
