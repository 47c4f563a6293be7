/* TextRoom's requests as they come over data channels, through the real control: three clients in two rooms; each line of the input is
 * one message, of the client that its first byte names. Every message is done with in the end, whatever it is and however full its
 * hearers are, and what is sent is whole JSON. */
#include "control/sdp_texts.h"
#include "control/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/plugin.h"

#define TALKERS   3u
#define LINES_MAX 60u
#define LINE_MAX  60000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct talker {
    long long session, handle;
    struct peer_ref peer;
    uint32_t said, done;                    /* cost of its messages, and of those that control is done with */
    uint32_t queued;                        /* cost of what was sent to it and is not told as taken */
};

static struct server s;
static struct talker talkers[TALKERS];

static void begin_talker(struct talker *talker)
{
    static const char answer[] =
        "v=0\r\no=- 4611732043 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-ufrag:wxyz\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
        "a=fingerprint:sha-256 " SDP_REMOTE_FINGERPRINT "\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
        "a=setup:active\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";
    *talker = (struct talker){.session = server_create(&s, 1)};
    server_say(&s, 1, "{\"janus\":\"attach\",\"session_id\":%lld,\"transaction\":\"a\",\"plugin\":\"janus.plugin.textroom\"}", talker->session);
    json_t *reply = server_hear_json(&s, 1);
    talker->handle = json_integer_value(json_object_get(json_object_get(reply, "data"), "id"));
    json_decref(reply);
    fake_forget(s.actor);
    server_message(&s, 1, talker->session, talker->handle, "{\"request\":\"setup\"}");
    const struct peer_open_order *open = server_order(&s, WORKER_PEER_OPEN, &talker->peer.worker);
    assert_non_null(open);
    talker->peer.ref = open->peer;
    char *sdp = json_quoted(answer);
    server_say(&s, 1, "{\"janus\":\"message\",\"transaction\":\"k\",\"session_id\":%lld,\"handle_id\":%lld,\"body\":{\"request\":\"ack\"},"
                      "\"jsep\":{\"type\":\"answer\",\"sdp\":%s}}", talker->session, talker->handle, sdp);
    free(sdp);
    const struct peer_fact fact = {talker->peer};
    server_fact(&s, CONTROL_PEER_UP, &fact, sizeof(fact));
    server_fact(&s, CONTROL_PEER_DATA_UP, &fact, sizeof(fact));
    fake_forget(s.actor);
}

static struct talker *find(struct ref peer, uint32_t worker)
{
    for (uint32_t i = 0; i < TALKERS; i++)
        if (talkers[i].peer.worker == worker && ref_equal(talkers[i].peer.ref, peer))
            return &talkers[i];
    fail();
    return NULL;
}

static void check(const struct data_packet *packet)
{
    const char *text = (const char *)packet->bytes + packet->label_size + packet->protocol_size;
    json_t *json = json_loadb(text, packet->size, 0, NULL);
    assert_true(json_is_string(json_object_get(json, "textroom")));
    json_decref(json);
    assert_false(packet->binary);
}

/* What has been sent, and what is done with. */
static void hear_all(void)
{
    uint32_t worker;
    const struct data_cast *cast;
    const struct data_packet *packet;
    const struct data_credit *credit;
    while ((cast = server_order(&s, WORKER_DATA_CAST, &worker)) != NULL) {
        check(data_cast_packet(cast));
        for (uint32_t i = 0; i < cast->count; i++)
            find(cast->peers[i], worker)->queued += data_cast_packet(cast)->cost;
    }
    while ((packet = server_order(&s, WORKER_DATA_SEND, &worker)) != NULL) {
        check(packet);
        find(packet->peer.ref, worker)->queued += packet->cost;
    }
    while ((credit = server_order(&s, WORKER_DATA_CREDIT, &worker)) != NULL)
        find(credit->peer, worker)->done += credit->cost;
    fake_forget(s.actor);
}

/* Whatever was sent has been taken by SCTP. */
static void take_all(void)
{
    for (uint32_t i = 0; i < TALKERS; i++) {
        const struct peer_data_taken_fact fact = {talkers[i].peer, talkers[i].queued};
        talkers[i].queued = 0;
        if (fact.cost > 0)
            server_fact(&s, CONTROL_PEER_DATA_TAKEN, &fact, sizeof(fact));
    }
    server_turn(&s);
    while (server_save_done(&s, NULL))
        server_turn(&s);
    hear_all();
}

static void say(struct talker *talker, bool binary, struct view text)
{
    static const char label[] = "JanusDataChannel";
    const size_t label_size = sizeof(label) - 1;
    struct data_packet *packet = mem_get(sizeof(*packet) + label_size + text.size);
    *packet = (struct data_packet){.peer = talker->peer, .cost = (uint32_t)text.size + DATA_COST_EXTRA, .size = (uint32_t)text.size,
                                   .label_size = (uint8_t)label_size, .binary = binary};
    memcpy(packet->bytes, label, label_size);
    if (text.size > 0)
        memcpy(packet->bytes + label_size, text.data, text.size);
    talker->said += packet->cost;
    server_fact(&s, CONTROL_PEER_DATA, packet, sizeof(*packet) + label_size + text.size);
    mem_put(packet);
    hear_all();
}

/* First byte: who, 8: nobody takes what is sent to them, 64: 800 times, 128: as binary. The rest up to the end of the line is the message. */
static void say_lines(struct view input)
{
    for (uint32_t i = 0; i < LINES_MAX && input.size > 0; i++) {
        const uint8_t *end = memchr(input.data, '\n', input.size);
        const size_t line = end == NULL ? input.size : (size_t)(end - input.data);
        if (line > 0) {
            const uint8_t head = input.data[0];
            const struct view text = VIEW(input.data + 1, line - 1 < LINE_MAX ? line - 1 : LINE_MAX);
            for (int n = (head & 64) != 0 ? 800 : 1; n > 0; n--)
                say(&talkers[head % TALKERS], (head & 128) != 0, text);
            if ((head & 8) == 0)
                take_all();
        }
        const size_t used = end == NULL ? line : line + 1;
        input = VIEW(input.data + used, input.size - used);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    server_init(&s);
    s.config.plugins = plugin_table;
    s.settings.max_message_bytes = DATA_MESSAGE_DEFAULT;
    server_start(&s);
    for (uint32_t i = 0; i < TALKERS; i++)
        begin_talker(&talkers[i]);
    say(&talkers[0], false, STR("{\"textroom\":\"create\",\"transaction\":\"c\",\"room\":1,\"history\":3,\"secret\":\"s\"}"));
    say(&talkers[0], false, STR("{\"textroom\":\"join\",\"transaction\":\"j\",\"room\":1,\"username\":\"a\"}"));
    say(&talkers[1], false, STR("{\"textroom\":\"join\",\"transaction\":\"j\",\"room\":1,\"username\":\"b\",\"display\":\"B\"}"));
    say_lines(VIEW(data, size));
    for (int i = 0; i < 100; i++) {     /* what was put off comes when there is room, or when who is deaf has been given up */
        take_all();
        server_advance(&s, MSEC(200));
    }
    hear_all();
    for (uint32_t i = 0; i < TALKERS; i++)
        assert_int_equal(talkers[i].done, talkers[i].said);
    server_end(&s);
    return 0;
}
