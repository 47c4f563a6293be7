/* bench/parsers.c - ns of CPU for reading one message of each protocol, as a server gets it: messages of the fuzz corpora and
 * of browsers. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "bench/seams.h"
#include "proto/http/http.h"
#include "proto/rtcp/rtcp.h"
#include "proto/rtp/ext.h"
#include "proto/rtp/rtp.h"
#include "proto/rtp/vp8.h"
#include "proto/sdp/sdp.h"
#include "proto/stun/stun.h"
#include "proto/ws/ws.h"

#define ROUNDS     7u
#define INPUT_MAX  (64u * 1024u)

static const char api_text[] =
    "{\"janus\":\"message\",\"session_id\":1234567890123456,\"handle_id\":6543210987654321,\"transaction\":\"aBcDeFgHiJkL\","
    "\"body\":{\"request\":\"join\",\"room\":1234,\"ptype\":\"publisher\",\"display\":\"somebody\"}}";

struct bench {
    struct view input;
    uint32_t times;
    struct stun_mac *mac;
    struct stun_key key;
    struct rng rng;
};

static void read_stun(struct view input, struct bench *bench)
{
    struct stun_message message;
    CHECK(stun_parse(&message, input));
    (void)stun_is_authentic(&message, bench->mac, &bench->key);
}

static void read_rtp(struct view input, struct bench *bench)
{
    static const struct rtp_ext_ids ids = {.mid = 1, .abs_send_time = 2, .twcc = 3};
    struct rtp_packet packet;
    struct rtp_ext_values values;
    struct vp8_descriptor vp8;
    (void)bench;
    CHECK(rtp_parse(&packet, input));
    rtp_ext_read(&values, &packet, &ids);
    (void)vp8_parse(&vp8, rtp_payload(&packet));
}

static void read_rtcp(struct view input, struct bench *bench)
{
    struct rtcp_iter it = rtcp_iter_of(input);
    struct rtcp_packet packet;
    struct rtcp_sr sr;
    (void)bench;
    while (rtcp_next(&it, &packet))
        if (packet.pt == RTCP_SR)
            CHECK(rtcp_sr_parse(&sr, &packet));
}

static void read_http(struct view input, struct bench *bench)
{
    struct http_scan scan = {0};
    struct http_request request;
    size_t used;
    (void)bench;
    CHECK(http_scan(&scan, input, &used) == HTTP_DONE);
    CHECK(http_request_parse(&request, (struct view){input.data, used}) == 0);
}

static void read_ws(struct view input, struct bench *bench)
{
    uint8_t frame[1024];
    struct ws ws;
    struct ws_event event;
    (void)bench;
    CHECK(input.size <= sizeof(frame));
    memcpy(frame, input.data, input.size);
    ws_init(&ws, WS_SERVER, 65536);
    CHECK(ws_read(&ws, &(struct ws_input){frame, input.size}, &event));
    CHECK(event.kind == WS_TEXT);
    ws_fini(&ws);
}

static void read_sdp(struct view input, struct bench *bench)
{
    char reason[SDP_REASON_ROOM];
    struct sdp *sdp = sdp_parse(input, reason);
    (void)bench;
    CHECK(sdp != NULL);
    sdp_free(sdp);
}

static void read_json(struct view input, struct bench *bench)
{
    json_t *root = json_loadb((const char *)input.data, input.size, 0, NULL);
    (void)bench;
    CHECK(root != NULL);
    json_decref(root);
}

struct row {
    const char *name;
    const char *file;               /* from the root of the clone; NULL: api_text */
    size_t skip;                    /* bytes of the corpus file that are the fuzz target's own */
    uint32_t times;
    void (*read)(struct view input, struct bench *bench);
};

static const struct row rows[] = {
    {"STUN check, authenticated", "fuzz/corpus/stun/rfc5769-request", 0, 20000, read_stun},
    {"RTP header, extensions, VP8", "fuzz/corpus/rtp/vp8_one_byte", 0, 200000, read_rtp},
    {"RTCP sender report and SDES", "fuzz/corpus/rtcp/sr_sdes", 0, 200000, read_rtcp},
    {"HTTP upgrade request", "fuzz/corpus/http/upgrade", 0, 50000, read_http},
    {"WebSocket frame of an API request", NULL, 0, 50000, read_ws},
    {"API request, JSON", NULL, 0, 20000, read_json},
    {"Chromium's offer (audio, video, data)", "tests/data/sdp/chromium-offer-av-data.sdp", 0, 500, read_sdp},
    {"Firefox's offer (audio, video, data)", "tests/data/sdp/firefox-offer-av-data.sdp", 0, 500, read_sdp},
};

static const struct row *current;

static void body(void *context)
{
    struct bench *bench = context;
    for (uint32_t i = 0; i < bench->times; i++)
        current->read(bench->input, bench);
}

static size_t load(const char *path, uint8_t out[INPUT_MAX])
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        fprintf(stderr, "bench_parsers: can't open %s (run it from the root of the clone)\n", path);
        exit(1);
    }
    size_t size = fread(out, 1, INPUT_MAX, file);
    fclose(file);
    return size;
}

static void fill_zeros(void *source, uint8_t *out, size_t size)
{
    (void)source;
    memset(out, 0x5A, size);
}

static size_t load_api(const struct row *row, struct bench *bench, uint8_t out[INPUT_MAX])
{
    struct buf buf;
    buf_init(&buf, INPUT_MAX);
    if (row->read == read_ws)
        ws_write(&buf, WS_OP_TEXT, VIEW(api_text, sizeof(api_text) - 1), &bench->rng);
    else
        buf_add_text(&buf, api_text);
    size_t size = buf.size;
    memcpy(out, buf.data, size);
    buf_fini(&buf);
    return size;
}

int main(void)
{
    static uint8_t input[INPUT_MAX];
    struct bench bench = {.mac = stun_mac_new()};
    CHECK(bench.mac != NULL);
    rng_init(&bench.rng, fill_zeros, NULL);
    stun_key_set(&bench.key, VIEW("VOkJxbRl1RmTxUk/WvJxBt", 22));       /* RFC 5769 2.1 */
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        current = &rows[i];
        size_t size = current->file == NULL ? load_api(current, &bench, input) : load(current->file, input);
        bench.input = VIEW(input + current->skip, size - current->skip);
        bench.times = current->times;
        double ns = best_ns(ROUNDS, bench.times, body, &bench);
        printf("%-40s %6zu bytes %10.0f ns\n", current->name, bench.input.size, ns);
    }
    stun_mac_free(bench.mac);
    return 0;
}
