/* What strangers, and authentic but hostile peers, can send (security.md): nothing of it ends a call or changes what is heard.
 * Each test ends with media that still flows. */
#include "craft.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static struct duo duo;
static uint16_t audio, video, back;
static struct feed voice, pictures;

static void begin(void)
{
    duo_init(&duo, &(struct duo_options){0});
    audio = duo_line(&duo, &(struct duo_line){.codec = CODEC_OPUS, .a_sends = true});
    video = duo_line(&duo, &(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true, .layers = 2});
    back = duo_line(&duo, &(struct duo_line){.codec = CODEC_VP8, .b_sends = true, .nack = true, .rtx = true});
    duo.taped = true;
    duo_connect(&duo);
    duo_feed(&duo, A, audio, 0, &voice);
    duo_feed(&duo, A, video, 0, &pictures);
    duo_ear(&duo, B, audio);
    duo_ear(&duo, B, video);
}

static void flow(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        voice.now = pictures.now = duo.now;
        feed_packet(&voice, false, true, false);
        voice.ts += 960;
        feed_frame(&pictures, i == 0, 3);
        duo_turn(&duo, A);
        duo_run_for(&duo, FRAME_US);
    }
}

/* Whatever has been thrown at them: neither has ended, and media arrives as before. */
static void still_flows(void)
{
    flow(15);                               /* whatever layer the ear was led to is silent: it falls back */
    flow(2);
    uint32_t heard = duo.side[B].port[audio].count, seen = duo.side[B].port[video].count;
    flow(10);
    assert_false(duo.side[A].ended);
    assert_false(duo.side[B].ended);
    assert_int_equal(duo.side[B].port[audio].count - heard, 10);
    assert_int_equal(duo.side[B].port[video].count - seen, 30);
    duo_fini(&duo);
}

/* What B would tell and show of itself; forged things must leave it as it is. */
struct picture {
    uint32_t heard, seen, media, bound, plis;
    uint32_t ssrc[3];
    uint64_t recovered, nacks;
};

static struct picture of_b(void)
{
    const struct side *side = &duo.side[B];
    struct picture p = {
        .heard = side->port[audio].count, .seen = side->port[video].count, .media = side->media_count, .bound = side->bound + side->unbound,
        .plis = (uint32_t)side->env.counters.plis_in, .recovered = side->env.counters.rtx_recovered, .nacks = side->env.counters.nacks_in,
    };
    for (uint16_t i = 0; i < 2; i++)
        p.ssrc[i] = side->peer->mlines[i]->layers[0].ssrc;
    return p;
}

static void assert_same_picture(const struct picture *before)
{
    struct picture after = of_b();
    assert_memory_equal(&after, before, sizeof(after));
}

static void each_of_a(void (*throw)(const struct flight *sent))
{
    uint32_t count = duo.tape_count[A];
    for (uint32_t i = 0; i < count; i++)
        throw(&duo.tape[A][i]);
}

/* ---- amplification ---- */

static enum fate a_answers_no_check(struct duo *d, int from, uint8_t *datagram, size_t *size)
{
    const struct view view = {datagram, *size};
    (void)d;
    return from == A && rtp_classify(view) == RTP_KIND_STUN && stun_class_of(view) == STUN_SUCCESS ? FATE_DROP : FATE_DELIVER;
}

/* Bytes that a side has sent of a kind; of STUN only requests, or only answers. */
static size_t sent_bytes(int side, enum rtp_kind kind, bool requests)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < duo.tape_count[side]; i++) {
        const struct view view = {duo.tape[side][i].data, duo.tape[side][i].size};
        if (rtp_classify(view) == kind && (kind != RTP_KIND_STUN || (stun_class_of(view) == STUN_REQUEST) == requests))
            bytes += view.size;
    }
    return bytes;
}

static bool both_are_up(struct duo *d)
{
    return d->side[A].up && d->side[B].up;
}

/* A knows B's password, but the address may be anybody's: it answers no check. Its checks are answered by less than they were,
 * and its ClientHellos by nothing, in both roles. As soon as it has answered once, all goes its way. */
static void test_nothing_but_answers_to_checks_goes_to_an_address_that_is_not_proven(void **state)
{
    (void)state;
    for (int a_is_dtls_server = 0; a_is_dtls_server < 2; a_is_dtls_server++) {
        duo_init(&duo, &(struct duo_options){.a_is_dtls_server = a_is_dtls_server != 0});
        audio = duo_line(&duo, &(struct duo_line){.codec = CODEC_OPUS, .a_sends = true});
        duo.taped = true;
        duo.fate = a_answers_no_check;
        duo_start(&duo);
        duo_run_for(&duo, SEC(3));
        if (a_is_dtls_server == 0)
            assert_true(duo.side[A].kinds[RTP_KIND_DTLS] > 3);
        assert_int_equal(duo.side[B].kinds[RTP_KIND_DTLS], 0);
        assert_int_equal(duo.side[B].kinds[RTP_KIND_RTP] + duo.side[B].kinds[RTP_KIND_RTCP], 0);
        assert_true(sent_bytes(B, RTP_KIND_STUN, false) > 0);
        assert_true(sent_bytes(B, RTP_KIND_STUN, false) <= sent_bytes(A, RTP_KIND_STUN, true));
        duo.fate = NULL;
        assert_true(duo_run_until(&duo, both_are_up, duo.now + SEC(2)));
        assert_true(duo.side[B].kinds[RTP_KIND_DTLS] <= 2 * DTLS_HELD_MAX);     /* what waited, and the rest of the handshake */
        duo_fini(&duo);
    }
}

/* ---- cut, changed, repeated ---- */

static void throw_cut(const struct flight *sent)
{
    static uint32_t limits[RTP_KIND_RTCP + 1];
    enum rtp_kind kind = rtp_classify(VIEW(sent->data, sent->size));
    if (limits[kind]++ > 12)
        return;                             /* a few of each kind are enough */
    for (size_t size = 0; size < sent->size; size++)
        duo_inject(&duo, B, sent->data, size);
}

static void test_truncated_at_every_byte(void **state)
{
    (void)state;
    begin();
    flow(20);
    duo_run_for(&duo, MSEC(500));
    struct picture before = of_b();
    each_of_a(throw_cut);
    assert_same_picture(&before);
    still_flows();
}

/* Somebody on the way sends changed copies of each packet, and they are there first. */
static enum fate flipped_first(struct duo *d, int from, uint8_t *datagram, size_t *size)
{
    uint8_t bytes[2048];
    enum rtp_kind kind = rtp_classify(VIEW(datagram, *size));
    if (from != A || (kind != RTP_KIND_RTP && kind != RTP_KIND_RTCP))
        return FATE_DELIVER;
    for (int i = 0; i < 10; i++) {
        memcpy(bytes, datagram, *size);
        bytes[duo_dice(d, (uint32_t)*size)] ^= (uint8_t)(1u << duo_dice(d, 8));
        duo_inject(d, B, bytes, *size);
        d->fate_a++;
    }
    return FATE_DELIVER;
}

static void test_one_changed_bit_is_a_forgery(void **state)
{
    (void)state;
    begin();
    flow(5);
    duo.fate = flipped_first;
    struct picture before = of_b();
    flow(70);
    duo.fate = NULL;
    struct picture after = of_b();
    assert_int_equal(after.heard - before.heard, 70);
    assert_int_equal(after.seen - before.seen, 210);
    assert_int_equal(after.media, before.media);
    assert_int_equal(after.recovered, before.recovered);
    assert_memory_equal(after.ssrc, before.ssrc, sizeof(after.ssrc));
    const struct peer_counters *c = &duo.side[B].env.counters;
    uint64_t refused = c->rtp_forged + c->rtcp_forged + c->rtp_malformed + c->rtp_unknown_ssrc + c->rtp_replay + c->rtcp_replay + c->datagrams_odd +
                       c->rtp_too_large;
    assert_true(refused >= duo.fate_a - 10);                /* those whose first bits made it DTLS or STUN are counted there */
    assert_true(c->rtp_forged > 1500);
    assert_true(c->rtcp_forged > 10);
    still_flows();
}

static void throw_again(const struct flight *sent)
{
    duo_inject(&duo, B, sent->data, sent->size);
}

/* All that A ever sent, checks and handshake too, comes again: at once, and much later. */
static void test_all_of_it_replayed(void **state)
{
    (void)state;
    begin();
    flow(30);
    duo_run_for(&duo, MSEC(500));
    for (int round = 0; round < 3; round++) {
        struct picture before = of_b();
        each_of_a(throw_again);
        assert_same_picture(&before);
        flow(20);
        duo_run_for(&duo, SEC(round == 1 ? 20 : 1));
    }
    assert_true(duo.side[B].env.counters.rtp_replay > 100);
    assert_true(duo.side[B].env.counters.rtcp_replay > 0);
    still_flows();
}

/* GHSA-jh42: a hundred bad packets ended the call. Here a thousand. */
static void test_bad_packets_are_never_counted_against_the_call(void **state)
{
    (void)state;
    begin();
    flow(5);
    for (uint32_t i = 0; i < 1000; i++) {
        uint8_t bytes[200];
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)duo_dice(&duo, 256);
        bytes[0] = 0x80;
        bytes[1] = i % 2 == 0 ? 96 : 201;
        put_u32(bytes + (i % 2 == 0 ? 8 : 4), duo_ssrc(A, video, 0));
        duo_inject(&duo, B, bytes, sizeof(bytes));
    }
    assert_int_equal(duo.side[B].env.counters.rtp_forged + duo.side[B].env.counters.rtcp_forged + duo.side[B].env.counters.rtp_replay, 1000);
    still_flows();
}

static void test_noise_of_every_kind(void **state)
{
    (void)state;
    begin();
    flow(5);
    for (uint32_t i = 0; i < 50000; i++) {
        uint8_t bytes[1600];
        size_t size = duo_dice(&duo, i % 50 == 0 ? 1600 : 120);
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)duo_dice(&duo, 256);
        static const uint8_t firsts[] = {0, 1, 20, 22, 23, 63, 128, 144, 191, 255};
        if (size > 0 && i % 3 != 0)
            bytes[0] = firsts[duo_dice(&duo, sizeof(firsts))];
        duo_inject(&duo, (int)(i % 2), bytes, size);
    }
    still_flows();
}

/* ---- before there are keys ---- */

static void test_media_and_dtls_before_their_time(void **state)
{
    (void)state;
    uint8_t bytes[64] = {0x80, 96}, hello[64] = {22, 0xFE, 0xFD};
    duo_init(&duo, &(struct duo_options){0});
    audio = duo_line(&duo, &(struct duo_line){.codec = CODEC_OPUS, .a_sends = true});
    video = duo_line(&duo, &(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true, .rtx = true});
    for (int i = 0; i < 2; i++) {
        bytes[1] = i == 0 ? 96 : 200;
        duo_inject(&duo, B, bytes, sizeof(bytes));
        duo_inject(&duo, B, hello, sizeof(hello));
    }
    assert_int_equal(duo.side[B].env.counters.rtp_early, 2);
    assert_int_equal(duo.side[B].env.egress.count, 0);      /* nothing is answered */
    duo.taped = true;
    duo_connect(&duo);
    duo_feed(&duo, A, audio, 0, &voice);
    duo_feed(&duo, A, video, 0, &pictures);
    duo_ear(&duo, B, audio);
    duo_ear(&duo, B, video);
    still_flows();
}

/* ---- authentic, and hostile ---- */

static void test_rtx_of_nothing(void **state)
{
    (void)state;
    begin();
    flow(5);
    duo.fate = NULL;
    uint16_t seq = 10;
    for (size_t size = 0; size < 4; size++)                 /* security.md, PR 3636: payloads of 0 and 1 bytes */
        craft_send(&duo, A, &(struct craft){.ssrc = duo_rtx_ssrc(A, video, 0), .pt = 97, .seq = seq++, .osn = -1, .payload = (const uint8_t *)"abcd",
                                            .payload_size = size});
    assert_int_equal(duo.side[B].env.counters.rtx_unwanted, 4);
    still_flows();
}

static void test_short_vp8_payloads_with_simulcast(void **state)
{
    (void)state;
    static const uint8_t worst[] = {0x90, 0xF0, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x9D, 0x01, 0x2A, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    begin();
    flow(5);
    uint16_t seq = 100;
    for (int first = 0; first < 256; first++)
        for (size_t size = 0; size < 8; size++) {
            uint8_t payload[8];
            memcpy(payload, worst, sizeof(payload));
            payload[0] = (uint8_t)first;
            craft_send(&duo, A, &(struct craft){.ssrc = duo_ssrc(A, video, 1), .pt = 96, .seq = seq++, .osn = -1, .payload = payload, .payload_size = size});
        }
    still_flows();
}

static void test_padding_and_extensions_that_lie(void **state)
{
    (void)state;
    begin();
    flow(5);
    uint64_t index = 100;
    for (uint32_t i = 0; i < 3000; i++) {
        uint8_t packet[300];
        size_t size = 12 + duo_dice(&duo, 100);
        for (size_t k = 0; k < size; k++)
            packet[k] = (uint8_t)duo_dice(&duo, 256);
        packet[0] = (uint8_t)(0x80 | duo_dice(&duo, 64));   /* padding, extension, CSRCs as it comes */
        packet[1] = 96;
        put_u16(packet + 2, (uint16_t)index);
        put_u32(packet + 8, duo_ssrc(A, video, 1));
        struct rtp_packet parsed;
        size_t header = rtp_parse_header(&parsed, VIEW(packet, size)) ? parsed.payload_offset : 12;
        size = duo_seal_rtp(&duo, A, packet, header, size, index++);
        duo_inject(&duo, B, packet, size);
    }
    assert_true(duo.side[B].env.counters.rtp_malformed > 0);
    still_flows();
}

static void test_packets_of_the_largest_size_and_above(void **state)
{
    (void)state;
    static uint8_t payload[2000];
    begin();
    flow(5);
    duo.side[B].port[video].count = 0;
    for (size_t size = 1400; size < 1488; size++) {
        uint8_t packet[2100] = {0x80, 96};
        put_u16(packet + 2, (uint16_t)size);
        put_u32(packet + 8, duo_ssrc(A, video, 1));
        memcpy(packet + 12, payload, size);
        size_t sealed = duo_seal_rtp(&duo, A, packet, 12, size, size);
        duo_inject(&duo, B, packet, sealed);
    }
    duo_inject(&duo, B, payload, 1501);                     /* no kind at all */
    payload[0] = 0x80;
    payload[1] = 96;
    duo_inject(&duo, B, payload, 1501);
    payload[1] = 200;
    duo_inject(&duo, B, payload, 1501);
    payload[0] = payload[1] = 0;
    assert_true(duo.side[B].env.counters.rtp_too_large >= 2);
    still_flows();
}

static void send_compound(uint8_t *bytes, size_t size)
{
    duo_inject(&duo, B, bytes, duo_seal_rtcp(&duo, A, bytes, size));
}

/* security.md: RTCP with a thousand report blocks, and requests for everything there is. */
static void test_rtcp_without_measure(void **state)
{
    (void)state;
    static uint8_t bytes[1600];
    struct rtcp_block blocks[RTCP_BLOCKS_MAX];
    begin();
    flow(5);
    for (unsigned i = 0; i < RTCP_BLOCKS_MAX; i++)
        blocks[i] = (struct rtcp_block){.ssrc = duo_ssrc(B, back, 0), .fraction_lost = 255, .lost = INT32_MIN, .highest_seq = UINT32_MAX,
                                        .jitter = UINT32_MAX, .lsr = 0x80000000u + i, .dlsr = UINT32_MAX};
    for (int round = 0; round < 20; round++) {
        struct writer w = writer_of(bytes, 1400);
        while (rtcp_write_rr(&w, duo_ssrc(A, video, 0), blocks, RTCP_BLOCKS_MAX))
            ;
        send_compound(bytes, writer_size(&w));
    }
    for (int round = 0; round < 20; round++) {
        uint16_t seqs[17];
        struct writer w = writer_of(bytes, 1400);
        for (uint16_t from = 0; ; from = (uint16_t)(from + 17)) {
            for (uint16_t k = 0; k < 17; k++)
                seqs[k] = (uint16_t)(from + k);
            if (rtcp_write_nack(&w, 1, duo_ssrc(B, back, 0), seqs, 17) == 0)
                break;
        }
        send_compound(bytes, writer_size(&w));
        w = writer_of(bytes, 1400);
        while (rtcp_write_pli(&w, 1, duo_ssrc(B, back, 0)))
            ;
        send_compound(bytes, writer_size(&w));
    }
    assert_true(duo.side[B].keyframes_asked <= 20);
    still_flows();
}

static void test_rtcp_of_random_bytes(void **state)
{
    (void)state;
    begin();
    flow(5);
    for (uint32_t i = 0; i < 20000; i++) {
        uint8_t bytes[400];
        size_t size = 8 + 4 * duo_dice(&duo, 60);
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)duo_dice(&duo, 256);
        for (size_t at = 0; at + 8 <= size;) {              /* plausible packets in a row */
            size_t words = duo_dice(&duo, 12);
            bytes[at] = (uint8_t)(0x80 | (bytes[at] & 0x3F));
            bytes[at + 1] = (uint8_t)(200 + duo_dice(&duo, 8));
            put_u16(bytes + at + 2, (uint16_t)words);
            if (duo_dice(&duo, 2) == 0)
                put_u32(bytes + at + 4, duo_ssrc((int)duo_dice(&duo, 2), (uint16_t)duo_dice(&duo, 3), 0));
            if (at + 12 <= size && duo_dice(&duo, 2) == 0)
                put_u32(bytes + at + 8, duo_ssrc((int)duo_dice(&duo, 2), (uint16_t)duo_dice(&duo, 3), 0));
            at += 4 * (words + 1);
        }
        send_compound(bytes, size);
        if (i % 1000 == 0)
            duo_run_for(&duo, MSEC(300));
    }
    duo.side[B].slowlink_count = 0;
    still_flows();
}

/* A sender report with a clock from anywhere moves nobody but its own sender, and overflows nothing. */
static void test_clocks_from_anywhere(void **state)
{
    (void)state;
    static const uint64_t times[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(0x83AA7E8000000000), UINT64_C(0x7FFFFFFFFFFFFFFF),
                                     UINT64_C(0xE000000000000000), 5};
    uint8_t bytes[128];
    begin();
    const struct ref name = {300, 1};
    struct sink *sink = sink_new(&duo.side[B].media, name, &rig_options, duo.now);
    assert_true(slots_put(&duo.side[B].sinks, name, sink));
    sink_set_source(sink, slots_get(&duo.side[B].sources, duo.side[B].lines[video].source), duo.now);
    assert_true(peer_attach_sink(duo.side[B].peer, duo.now, back, sink));
    flow(5);
    for (size_t i = 0; i < 5 * ARRAY_COUNT(times); i++) {
        const struct rtcp_sr sr = {.ssrc = duo_ssrc(A, video, 0), .ntp = times[i % ARRAY_COUNT(times)], .rtp_ts = (uint32_t)i * 0x12345678u,
                                   .packets = UINT32_MAX, .octets = UINT32_MAX};
        struct writer w = writer_of(bytes, 100);
        rtcp_write_sr(&w, &sr, NULL, 0);
        send_compound(bytes, writer_size(&w));
        duo_run_for(&duo, MSEC(700));
    }
    still_flows();
}

/* ---- STUN (security.md, row k) ---- */

static void test_checks_with_wrong_keys_are_answered_by_nothing(void **state)
{
    (void)state;
    begin();
    flow(5);
    uint32_t sent = duo.side[B].kinds[RTP_KIND_STUN];
    uint32_t thrown = 0;
    for (uint32_t i = 0; i < duo.tape_count[A]; i++) {
        const struct flight *flight = &duo.tape[A][i];
        uint8_t bytes[2048];
        if (rtp_classify(VIEW(flight->data, flight->size)) != RTP_KIND_STUN)
            continue;
        for (int k = 0; k < 100; k++, thrown++) {
            memcpy(bytes, flight->data, flight->size);
            bytes[8 + duo_dice(&duo, 12)] ^= 1;             /* another transaction: neither fingerprint nor integrity hold */
            duo_inject(&duo, B, bytes, flight->size);
        }
    }
    assert_true(thrown >= 200);
    assert_int_equal(duo.side[B].kinds[RTP_KIND_STUN], sent);
    still_flows();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_but_answers_to_checks_goes_to_an_address_that_is_not_proven),
        cmocka_unit_test(test_truncated_at_every_byte),
        cmocka_unit_test(test_one_changed_bit_is_a_forgery),
        cmocka_unit_test(test_all_of_it_replayed),
        cmocka_unit_test(test_bad_packets_are_never_counted_against_the_call),
        cmocka_unit_test(test_noise_of_every_kind),
        cmocka_unit_test(test_media_and_dtls_before_their_time),
        cmocka_unit_test(test_rtx_of_nothing),
        cmocka_unit_test(test_short_vp8_payloads_with_simulcast),
        cmocka_unit_test(test_padding_and_extensions_that_lie),
        cmocka_unit_test(test_packets_of_the_largest_size_and_above),
        cmocka_unit_test(test_rtcp_without_measure),
        cmocka_unit_test(test_rtcp_of_random_bytes),
        cmocka_unit_test(test_clocks_from_anywhere),
        cmocka_unit_test(test_checks_with_wrong_keys_are_answered_by_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
