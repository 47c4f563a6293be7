/* helpers/events: masks, the envelope, a handler's queue and groups, its queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/str.h"
#include "helpers/events/event_text.h"
#include "helpers/events/evhost.h"
#include "helpers/events/evmask.h"
#include "helpers/events/gzip.h"
#include "proto/dtls/dtls_types.h"
#include "proto/ice/ice_types.h"
#include "proto/rtp/codec_types.h"

/* ---- masks ---- */

static void test_mask_words(void **state)
{
    (void)state;
    assert_int_equal(evmask_parse(NULL), 0);
    assert_int_equal(evmask_parse(""), 0);
    assert_int_equal(evmask_parse("none"), 0);
    assert_int_equal(evmask_parse("all"), EVENT_ALL);
    assert_int_equal(evmask_parse("sessions, handles"), EVENT_SESSION | EVENT_HANDLE);
    assert_int_equal(evmask_parse("sessions ,handles"), EVENT_HANDLE);            /* a blank behind a word makes it another */
    assert_int_equal(evmask_parse("sessions,all"), EVENT_SESSION);                /* `all` is no word of a list */
    assert_int_equal(evmask_parse("WebRTC,unknown,,CORE"), EVENT_WEBRTC | EVENT_CORE);
    assert_int_equal(evmask_parse("external,jsep,media,plugins,transports"),
                     EVENT_EXTERNAL | EVENT_JSEP | EVENT_MEDIA | EVENT_PLUGIN | EVENT_TRANSPORT);
    for (uint16_t type = 1; type <= EVENT_CORE; type = (uint16_t)(type * 2))
        assert_int_equal(evmask_parse(event_label(type)), type);
    assert_string_equal(event_name(EVENT_WEBRTC), "WebRTC");
    assert_string_equal(event_name(3), "No events");
}

/* ---- texts ---- */

static const char *envelope(struct buf *buf, const struct event *event)
{
    struct json_out j;
    buf_clear(buf);
    jout_begin(&j, buf, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    event_write(&j, event);
    jout_end(&j);
    return buf_text(buf);
}

static void test_envelope_has_what_belongs_to_its_type(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 4096);
    struct event e = {.emitter = "me", .type = EVENT_SESSION, .wall_us = 5, .session_id = 7, .handle_id = 8, .opaque_id = STR("mine"), .body = STR("{}")};
    assert_string_equal(envelope(&buf, &e), "{\"emitter\":\"me\",\"type\":1,\"timestamp\":5,\"session_id\":7,\"event\":{}}");
    e.type = EVENT_WEBRTC;
    e.subtype = EVENT_PAIR;
    assert_string_equal(envelope(&buf, &e),
                        "{\"emitter\":\"me\",\"type\":16,\"subtype\":4,\"timestamp\":5,\"session_id\":7,\"handle_id\":8,\"opaque_id\":\"mine\",\"event\":{}}");
    e.type = EVENT_PLUGIN;
    e.subtype = 0;
    e.session_id = e.handle_id = 0;
    e.opaque_id = VIEW(NULL, 0);
    assert_string_equal(envelope(&buf, &e), "{\"emitter\":\"me\",\"type\":64,\"timestamp\":5,\"event\":{}}");
    e.type = EVENT_TRANSPORT;
    e.session_id = 7;
    assert_string_equal(envelope(&buf, &e), "{\"emitter\":\"me\",\"type\":128,\"timestamp\":5,\"event\":{}}");
    buf_fini(&buf);
}

static const char *stats_text(struct buf *buf, const struct media_stats *stats)
{
    struct json_out j;
    buf_clear(buf);
    jout_begin(&j, buf, LAYOUT_COMPACT);
    event_text_stats(&j, stats);
    return buf_text(buf);
}

static void test_statistics_of_data_and_of_layers(void **state)
{
    struct buf buf;
    struct media_stats stats = {.mid = "d", .mindex = 2, .kind = MEDIA_DATA, .packets_in = 1, .bytes_in = 2, .remb_bps = 9};
    (void)state;
    buf_init(&buf, 4096);
    assert_string_equal(stats_text(&buf, &stats),
                        "{\"mid\":\"d\",\"mindex\":2,\"media\":\"data\",\"packets-received\":1,\"packets-sent\":0,\"bytes-received\":2,\"bytes-sent\":0}");
    stats = (struct media_stats){.mid = "0", .kind = MEDIA_VIDEO, .codec = CODEC_VP8, .layer = 1, .clock_hz = 90000, .rtt_ms = 5};
    assert_non_null(strstr(stats_text(&buf, &stats), "\"media\":\"video-sim1\",\"codec\":\"vp8\",\"base\":90000,\"lost\":0"));
    stats.layer = 0;
    stats.remb_bps = 800000;
    assert_non_null(strstr(stats_text(&buf, &stats), "\"media\":\"video\",\"codec\":\"vp8\",\"base\":90000,\"rtt\":5,\"rtt-values\":{\"ntp\":0,"));
    assert_non_null(strstr(stats_text(&buf, &stats), "\"retransmissions-received\":0,\"remb-bitrate\":800000}"));
    stats.mindex = 1;
    assert_null(strstr(stats_text(&buf, &stats), "remb"));
    buf_fini(&buf);
}

static const char *webrtc_text(struct buf *buf, const struct event_webrtc_fact *fact)
{
    struct json_out j;
    buf_clear(buf);
    jout_begin(&j, buf, LAYOUT_COMPACT);
    return event_text_webrtc(&j, fact) ? buf_text(buf) : NULL;
}

static void test_ice_dtls_and_pairs(void **state)
{
    struct buf buf;
    struct event_webrtc_fact fact = {.kind = EVENT_ICE, .state = ICE_CHECKING};
    (void)state;
    buf_init(&buf, 4096);
    assert_string_equal(webrtc_text(&buf, &fact), "{\"ice\":\"connecting\",\"stream_id\":1,\"component_id\":1}");
    fact.state = ICE_NEW;
    assert_null(webrtc_text(&buf, &fact));
    fact = (struct event_webrtc_fact){.kind = EVENT_DTLS, .state = DTLS_TRYING, .retransmissions = 2};
    assert_string_equal(webrtc_text(&buf, &fact), "{\"dtls\":\"trying\",\"stream_id\":1,\"component_id\":1,\"retransmissions\":2}");
    fact.state = DTLS_CLOSED;
    assert_null(webrtc_text(&buf, &fact));
    fact = (struct event_webrtc_fact){.kind = EVENT_PAIR, .state = ICE_PRFLX};
    assert_true(net_ip_parse(&fact.local, STR("2001:db8::1")));
    assert_true(net_ip_parse(&fact.remote, STR("192.0.2.1")));
    fact.local.port = 5;
    fact.remote.port = 6;
    assert_string_equal(webrtc_text(&buf, &fact),
                        "{\"selected-pair\":\"2001:db8::1:5 [host,udp] <-> 192.0.2.1:6 [prflx,udp]\",\"candidates\":{"
                        "\"local\":{\"address\":\"2001:db8::1\",\"port\":5,\"type\":\"host\",\"transport\":\"udp\",\"family\":6},"
                        "\"remote\":{\"address\":\"192.0.2.1\",\"port\":6,\"type\":\"prflx\",\"transport\":\"udp\",\"family\":4}},"
                        "\"stream_id\":1,\"component_id\":1}");
    buf_fini(&buf);
}

/* ---- a handler's queue ---- */

static void *open_probe(struct evhost *host, const struct conf_node *general)
{
    return conf_bool(general, "works", true) ? host : NULL;
}

static void close_probe(void *handler)
{
    (void)handler;
}

static bool tweak_probe(void *handler, const json_t *request, char reason[EVHANDLER_REASON_ROOM])
{
    (void)handler;
    if (json_object_get(request, "bad") == NULL)
        return true;
    snprintf(reason, EVHANDLER_REASON_ROOM, "Bad it is");
    return false;
}

static const struct evfield probe_fields[] = {{"bad", EVFIELD_STRING}, {"number", EVFIELD_POSITIVE}};
static const struct evhandler_desc probe = {
    .package = "probe", .groups = true, .open = open_probe, .close = close_probe,
    .fields = probe_fields, .field_count = ARRAY_COUNT(probe_fields), .tweak = tweak_probe,
};

struct place {
    struct actors *set;
    struct conf_node *conf;
    struct evhost host;
    struct evpayload payload;
};

static void open_place(struct place *p, const char *text)
{
    struct conf_error error;
    p->set = actors_new();
    p->conf = conf_parse(str_of(text), CONF_JCFG, NULL, &error);
    assert_non_null(p->conf);
    p->host = (struct evhost){.actor = actor_new(p->set, ACTOR_EVENTS, "events"), .emitter = "me", .desc = &probe};
    evhost_open(&p->host, conf_get(p->conf, "general"));
    evpayload_init(&p->payload);
}

static void close_place(struct place *p)
{
    evpayload_fini(&p->payload);
    evhost_close(&p->host);
    conf_free(p->conf);
    actors_free(p->set);
}

static void take(struct place *p, uint32_t number, size_t size)
{
    char text[2048];
    assert_true(size < sizeof(text) - 32);
    snprintf(text, sizeof(text), "{\"n\":%u,\"pad\":\"%0*d\"}", number, (int)size, 0);
    evhost_take(&p->host, &(struct event){.emitter = "me", .type = EVENT_CORE, .wall_us = number, .body = str_of(text)});
}

static void test_events_are_grouped_up_to_a_hundred(void **state)
{
    struct place p;
    (void)state;
    open_place(&p, "general: { enabled = true events = \"all\" }");
    assert_false(evhost_next(&p.host, &p.payload));
    for (uint32_t i = 0; i < 150; i++)
        take(&p, i, 1);
    assert_true(evhost_next(&p.host, &p.payload));
    assert_int_equal(p.payload.events, 100);
    assert_int_equal(p.payload.text.data[0], '[');
    assert_int_equal(p.payload.wall_us, 0);
    json_t *array = json_loadb((const char *)p.payload.text.data, p.payload.text.size, 0, NULL);
    assert_int_equal(json_array_size(array), 100);
    json_decref(array);
    evhost_sent(&p.host, &p.payload);
    assert_true(evhost_next(&p.host, &p.payload));
    assert_int_equal(p.payload.events, 50);
    evhost_lost(&p.host, &p.payload);
    assert_int_equal(p.host.counters.sent, 100);
    assert_int_equal(p.host.counters.lost, 50);
    close_place(&p);
}

static void test_without_grouping_an_event_is_bare_in_its_layout(void **state)
{
    struct place p;
    (void)state;
    open_place(&p, "general: { enabled = true events = \"all\" grouping = false json = \"plain\" }");
    take(&p, 1, 1);
    take(&p, 2, 1);
    assert_true(evhost_next(&p.host, &p.payload));
    assert_int_equal(p.payload.events, 1);
    assert_int_equal(p.payload.type, EVENT_CORE);
    assert_string_equal(buf_text(&p.payload.text), "{\"emitter\": \"me\", \"type\": 256, \"timestamp\": 1, \"event\": {\"n\": 1, \"pad\": \"0\"}}");
    evhost_sent(&p.host, &p.payload);
    assert_int_equal(evhost_waiting(&p.host), 1);
    close_place(&p);
}

static void test_a_full_queue_drops_the_oldest_and_counts(void **state)
{
    struct place p;
    (void)state;
    open_place(&p, "general: { enabled = true events = \"all\" grouping = false }");
    for (uint32_t i = 0; i < EVENTS_QUEUED_MAX + 3; i++)
        take(&p, i, 1);
    assert_int_equal(evhost_waiting(&p.host), EVENTS_QUEUED_MAX);
    assert_int_equal(p.host.counters.dropped, 3);
    assert_true(evhost_next(&p.host, &p.payload));
    assert_int_equal(p.payload.wall_us, 3);
    evhost_sent(&p.host, &p.payload);
    evhost_cap(&p.host, 5);
    assert_int_equal(evhost_waiting(&p.host), 5);
    close_place(&p);
}

static void test_bytes_are_bounded_too(void **state)
{
    struct place p;
    (void)state;
    open_place(&p, "general: { enabled = true events = \"all\" }");
    for (uint32_t i = 0; i < 19999; i++)
        take(&p, i, 2000);
    assert_true(p.host.queued_bytes <= EVENTS_QUEUED_BYTES_MAX);
    assert_true(p.host.counters.dropped > 1000);
    assert_true(evhost_next(&p.host, &p.payload));
    assert_true(p.payload.text.size < EVENTS_GROUP_BYTES_MAX + 4096);
    evhost_sent(&p.host, &p.payload);
    close_place(&p);
}

static void test_one_that_is_off_or_fails_wants_nothing(void **state)
{
    struct place p;
    struct buf out;
    (void)state;
    buf_init(&out, 1024);
    open_place(&p, "general: { events = \"all\" }");
    assert_int_equal(p.host.mask, 0);
    evhost_query(&p.host, STR("{\"request\":\"tweak\"}"), &out);
    assert_string_equal(buf_text(&out), "{}");
    close_place(&p);
    open_place(&p, "general: { enabled = true events = \"all\" works = false }");
    assert_int_equal(p.host.mask, 0);
    close_place(&p);
    buf_fini(&out);
}

static void test_queries(void **state)
{
    static const struct {
        const char *request, *answer;
    } cases[] = {
        {"{\"request\":\"TWEAK\",\"events\":\"core\",\"grouping\":false}", "{\"result\":200}"},
        {"{}", "{\"error_code\":412,\"error\":\"Missing mandatory element (request)\"}"},
        {"nonsense", "{\"error_code\":412,\"error\":\"Missing mandatory element (request)\"}"},
        {"{\"request\":5}", "{\"error_code\":413,\"error\":\"Invalid element type (request should be a string)\"}"},
        {"{\"request\":\"twist\"}", "{\"error_code\":411,\"error\":\"Unknown request 'twist'\"}"},
        {"{\"request\":\"tweak\",\"events\":5}", "{\"error_code\":413,\"error\":\"Invalid element type (events should be a string)\"}"},
        {"{\"request\":\"tweak\",\"grouping\":5}", "{\"error_code\":413,\"error\":\"Invalid element type (grouping should be a boolean)\"}"},
        {"{\"request\":\"tweak\",\"number\":-1}", "{\"error_code\":413,\"error\":\"Invalid element type (number should be a positive integer)\"}"},
        {"{\"request\":\"tweak\",\"bad\":\"x\",\"events\":\"all\"}", "{\"error_code\":413,\"error\":\"Bad it is\"}"},
    };
    struct place p;
    struct buf out;
    (void)state;
    buf_init(&out, 1024);
    open_place(&p, "general: { enabled = true events = \"all\" }");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        buf_clear(&out);
        evhost_query(&p.host, str_of(cases[i].request), &out);
        assert_string_equal(buf_text(&out), cases[i].answer);
        assert_int_equal(p.host.mask, EVENT_CORE);                  /* the first has changed it, those refused have not */
        assert_false(p.host.grouping);
    }
    close_place(&p);
    buf_fini(&out);
}

static void test_gzip_comes_back(void **state)
{
    static uint8_t text[200000];
    static uint8_t back[sizeof(text)];
    struct buf out;
    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)("abcdefgh"[i * i % 7] + i / 50000);
    for (int level = 0; level <= 9; level++) {
        buf_init(&out, sizeof(text) * 2);
        assert_true(gzip_pack(&out, VIEW(text, sizeof(text)), level));
        z_stream z = {.next_in = out.data, .avail_in = (uInt)out.size, .next_out = back, .avail_out = sizeof(back)};
        assert_int_equal(inflateInit2(&z, 31), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        inflateEnd(&z);
        assert_memory_equal(text, back, sizeof(text));
        buf_fini(&out);
    }
    buf_init(&out, 100);
    assert_false(gzip_pack(&out, VIEW(text, sizeof(text)), 1));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mask_words),
        cmocka_unit_test(test_envelope_has_what_belongs_to_its_type),
        cmocka_unit_test(test_statistics_of_data_and_of_layers),
        cmocka_unit_test(test_ice_dtls_and_pairs),
        cmocka_unit_test(test_events_are_grouped_up_to_a_hundred),
        cmocka_unit_test(test_without_grouping_an_event_is_bare_in_its_layout),
        cmocka_unit_test(test_a_full_queue_drops_the_oldest_and_counts),
        cmocka_unit_test(test_bytes_are_bounded_too),
        cmocka_unit_test(test_one_that_is_off_or_fails_wants_nothing),
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_gzip_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
