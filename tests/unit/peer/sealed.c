/* Receivers without RTX: what is asked for again goes out as the very bytes that were sent (design section 5). duo checks all
 * along that no key, SSRC and index are sealed twice. */
#include "craft.h"

#include <string.h>

#include "base/bytes.h"

static struct duo duo;
static uint16_t line;

static void begin(const struct duo_options *options)
{
    duo_init(&duo, options);
    line = duo_line(&duo, &(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true});
    duo_connect(&duo);
}

static bool is_media(const struct flight *sent)
{
    return rtp_classify(VIEW(sent->data, sent->size)) == RTP_KIND_RTP;
}

static enum fate lose_third(struct duo *d, int from, uint8_t *datagram, size_t *size)
{
    if (from != A || rtp_classify(VIEW(datagram, *size)) != RTP_KIND_RTP || get_u16(datagram + 2) != 3)
        return FATE_DELIVER;
    return ++d->fate_b == 1 ? FATE_DROP : FATE_DELIVER;
}

static void test_the_same_bytes_go_out_again(void **state)
{
    (void)state;
    static const uint16_t profiles[] = {DTLS_SRTP_AES128_CM_SHA1_80, DTLS_SRTP_AEAD_AES_128_GCM};
    for (size_t p = 0; p < ARRAY_COUNT(profiles); p++) {
        struct feed feed;
        begin(&(struct duo_options){.profile = profiles[p]});
        struct fake_port *seen = duo_ear(&duo, B, line);
        duo_feed(&duo, A, line, 0, &feed);
        duo.taped = true;
        duo.fate = lose_third;
        for (int i = 0; i < 4; i++) {
            feed.now = duo.now;
            feed_frame(&feed, i == 0, 3);
            duo_turn(&duo, A);
            duo_run_for(&duo, FRAME_US);
        }
        const struct flight *first = NULL, *again = NULL;
        for (uint32_t i = 0; i < duo.tape_count[A]; i++) {
            const struct flight *sent = &duo.tape[A][i];
            if (!is_media(sent) || get_u16(sent->data + 2) != 3)
                continue;
            if (first == NULL)
                first = sent;
            else
                again = sent;
        }
        assert_non_null(again);
        assert_int_equal(again->size, first->size);
        assert_memory_equal(again->data, first->data, first->size);
        assert_int_equal(seen->count, 12);
        assert_int_equal(duo.side[B].env.counters.rtp_forged, 0);
        duo_fini(&duo);
    }
}

static void test_asked_for_twice_it_goes_out_once_in_a_while(void **state)
{
    (void)state;
    struct feed feed;
    uint8_t bytes[128];
    begin(&(struct duo_options){0});
    duo_feed(&duo, A, line, 0, &feed);
    feed_frame(&feed, true, 3);
    duo_turn(&duo, A);
    duo.taped = true;
    for (int i = 0; i < 5; i++) {
        const uint16_t seqs[] = {1, 2};
        struct writer w = writer_of(bytes, 100);
        rtcp_write_nack(&w, duo_ssrc(B, line, 0), duo_ssrc(A, line, 0), seqs, 2);
        duo_inject(&duo, A, bytes, duo_seal_rtcp(&duo, B, bytes, writer_size(&w)));
    }
    uint32_t media = 0;
    for (uint32_t i = 0; i < duo.tape_count[A]; i++)
        media += is_media(&duo.tape[A][i]);
    assert_int_equal(media, 2);
    duo_fini(&duo);
}

static void test_what_is_kept_goes_back_after_a_second(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){0});
    duo_feed(&duo, A, line, 0, &feed);
    for (int i = 0; i < 300; i++) {
        feed.now = duo.now;
        feed_frame(&feed, i == 0, 3);
        duo_turn(&duo, A);
        duo_run_for(&duo, MSEC(10));
        assert_in_range(duo.side[A].env.sealed.used, 0, SEALED_RING);
    }
    assert_int_equal(duo.side[A].env.sealed.used, SEALED_RING);
    duo_run_for(&duo, SEC(3));
    assert_int_equal(duo.side[A].env.sealed.used, 0);
    duo_fini(&duo);
}

static void test_a_full_pool_keeps_no_more_and_sends_all(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){.sealed_limit = 5});
    struct fake_port *seen = duo_ear(&duo, B, line);
    duo_feed(&duo, A, line, 0, &feed);
    for (int i = 0; i < 10; i++) {
        feed.now = duo.now;
        feed_frame(&feed, i == 0, 3);
        duo_turn(&duo, A);
        duo_run_for(&duo, FRAME_US);
    }
    assert_int_equal(seen->count, 30);
    assert_int_equal(duo.side[A].env.counters.sealed_full, 25);
    duo_fini(&duo);
}

/* Sequence numbers wrap, and the roll-over counter with them, on both sides. */
static void test_ninety_thousand_packets_are_one_stream(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){0});
    struct fake_port *seen = duo_ear(&duo, B, line);
    duo_feed(&duo, A, line, 0, &feed);
    uint32_t total = 0;
    uint16_t expected = 1;
    for (uint32_t i = 0; total < 90000; i++) {
        feed.now = duo.now;
        feed_frame(&feed, i % 100 == 0, 30);
        duo_turn(&duo, A);
        duo_run_for(&duo, FRAME_US);
        for (uint32_t k = 0; k < seen->count; k++)
            assert_int_equal(seen->sent[k].seq, expected++);
        total += seen->count;
        fake_port_forget(seen);
    }
    assert_int_equal(duo.side[B].env.counters.rtp_forged, 0);
    assert_int_equal(duo.side[A].env.counters.sent_index_used, 0);
    duo_fini(&duo);
}

/* RTCP has one counter for the whole peer: no index word comes twice. */
static void test_rtcp_indexes_are_used_once(void **state)
{
    (void)state;
    static const uint16_t profiles[] = {DTLS_SRTP_AES128_CM_SHA1_80, DTLS_SRTP_AEAD_AES_256_GCM};
    for (size_t p = 0; p < ARRAY_COUNT(profiles); p++) {
        struct feed feed;
        begin(&(struct duo_options){.profile = profiles[p]});
        duo_feed(&duo, A, line, 0, &feed);
        duo.taped = true;
        for (int i = 0; i < 100; i++) {
            feed.now = duo.now;
            feed_frame(&feed, i == 0, 2);
            duo_turn(&duo, A);
            duo_run_for(&duo, FRAME_US);
        }
        for (int side = 0; side < 2; side++) {
            uint32_t count = 0, before = 0;
            for (uint32_t i = 0; i < duo.tape_count[side]; i++) {
                const struct flight *sent = &duo.tape[side][i];
                if (rtp_classify(VIEW(sent->data, sent->size)) != RTP_KIND_RTCP)
                    continue;
                uint32_t index = get_u32(sent->data + sent->size - (p == 0 ? 14 : 4)) & 0x7FFFFFFFu;   /* RFC 3711 3.4, RFC 7714 9.2 */
                assert_true(count == 0 || index == before + 1);
                before = index;
                count++;
            }
            assert_true(count >= 3);
        }
        duo_fini(&duo);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_bytes_go_out_again),
        cmocka_unit_test(test_asked_for_twice_it_goes_out_once_in_a_while),
        cmocka_unit_test(test_what_is_kept_goes_back_after_a_second),
        cmocka_unit_test(test_a_full_pool_keeps_no_more_and_sends_all),
        cmocka_unit_test(test_ninety_thousand_packets_are_one_stream),
        cmocka_unit_test(test_rtcp_indexes_are_used_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
