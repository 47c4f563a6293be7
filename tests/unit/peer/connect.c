/* From nothing to "up", and all the ways in which it ends. */
#include "duo.h"

static struct duo duo;

static void begin(const struct duo_options *options)
{
    duo_init(&duo, options);
    duo_line(&duo, &(struct duo_line){.codec = CODEC_OPUS, .a_sends = true, .b_sends = true});
}

/* Some audio each way; true when it arrives. */
static void assert_audio_flows(void)
{
    struct feed a, b;
    struct fake_port *at_a = duo_ear(&duo, A, 0), *at_b = duo_ear(&duo, B, 0);
    uint32_t before_a = at_a->count, before_b = at_b->count;
    duo_feed(&duo, A, 0, 0, &a);
    duo_feed(&duo, B, 0, 0, &b);
    a.seq = b.seq = (uint16_t)duo_dice(&duo, 65536);
    a.renumbered = b.renumbered = true;
    for (int i = 0; i < 20; i++) {
        a.now = b.now = duo.now;
        feed_packet(&a, false, true, false);
        feed_packet(&b, false, true, false);
        duo_turn(&duo, A);
        duo_turn(&duo, B);
        duo_run_for(&duo, MSEC(20));
    }
    duo_run_for(&duo, MSEC(100));
    assert_int_equal(at_a->count - before_a, 20);
    assert_int_equal(at_b->count - before_b, 20);
}

/* ---- connecting ---- */

static void test_in_every_role_they_connect_and_media_flows(void **state)
{
    (void)state;
    for (int roles = 0; roles < 16; roles++) {
        begin(&(struct duo_options){.a_is_dtls_server = (roles & 1) != 0, .a_controlling = (roles & 2) != 0, .regular = (roles & 4) != 0,
                                    .lite_b = (roles & 8) != 0});
        duo_connect(&duo);
        assert_int_equal(duo.side[A].bound, 1);
        assert_int_equal(duo.side[B].bound, 1);
        assert_audio_flows();
        duo_fini(&duo);
    }
}

static void test_both_believe_to_control(void **state)
{
    (void)state;
    begin(&(struct duo_options){.a_controlling = true});
    peer_free(duo.side[B].peer);
    duo.side[B].open.controlling = true;
    duo.side[B].peer = peer_new(&duo.side[B].env, &duo.side[B].open, duo.now);
    duo_connect(&duo);
    assert_audio_flows();
    duo_fini(&duo);
}

static void test_every_srtp_profile_in_both_directions(void **state)
{
    (void)state;
    static const uint16_t profiles[] = {DTLS_SRTP_AES128_CM_SHA1_80, DTLS_SRTP_AES128_CM_SHA1_32, DTLS_SRTP_AEAD_AES_128_GCM,
                                        DTLS_SRTP_AEAD_AES_256_GCM};
    for (size_t i = 0; i < ARRAY_COUNT(profiles); i++)
        for (int role = 0; role < 2; role++) {
            begin(&(struct duo_options){.profile = profiles[i], .a_is_dtls_server = role != 0});
            duo_connect(&duo);
            for (int side = 0; side < 2; side++) {
                assert_int_equal(seal_keys_profile(duo.side[side].peer->keys_in), profiles[i]);
                assert_int_equal(seal_keys_profile(duo.side[side].peer->keys_out), profiles[i]);
            }
            assert_audio_flows();
            duo_run_for(&duo, SEC(3));                      /* RTCP both ways */
            for (int side = 0; side < 2; side++) {
                assert_int_equal(duo.side[side].env.counters.rtcp_forged, 0);
                assert_int_equal(duo.side[side].env.counters.rtp_forged, 0);
                assert_true(duo.side[side].peer->mlines[0]->report.has_rtt);
            }
            duo_fini(&duo);
        }
}

static enum fate lose_some(struct duo *d, int from, uint8_t *datagram, size_t *size)
{
    (void)from;
    (void)datagram;
    (void)size;
    uint32_t dice = duo_dice(d, 100);
    return dice < d->fate_a ? FATE_DROP : dice < d->fate_a + 10 ? FATE_TWICE : dice < d->fate_a + 20 ? FATE_LATE : FATE_DELIVER;
}

static bool both_up(struct duo *d)
{
    return d->side[A].up && d->side[B].up;
}

static void test_a_bad_network_delays_it_and_no_more(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        begin(&(struct duo_options){.a_is_dtls_server = seed % 2 == 0, .a_controlling = seed % 3 == 0});
        duo.random = seed * 7919;
        duo.fate = lose_some;
        duo.fate_a = 30;
        duo_start(&duo);
        assert_true(duo_run_until(&duo, both_up, duo.now + SEC(15)));
        duo.fate = NULL;
        assert_audio_flows();
        duo_fini(&duo);
    }
}

/* What comes before we know the other side is answered by nobody, and does no harm: DTLS and checks are repeated. */
static void test_the_description_may_come_last(void **state)
{
    (void)state;
    begin(&(struct duo_options){0});
    duo_apply(&duo, A, true, false);
    duo_introduce(&duo, A);
    duo_end_candidates(&duo, A);
    duo_run_for(&duo, SEC(1));
    assert_false(duo.side[B].up);
    duo_apply(&duo, B, false, false);                       /* offered, not answered */
    duo_run_for(&duo, MSEC(500));
    assert_false(duo.side[B].up);
    duo_apply(&duo, B, true, false);                        /* it finds A by its checks alone */
    assert_true(duo_run_until(&duo, both_up, duo.now + SEC(5)));
    assert_audio_flows();
    duo_fini(&duo);
}

static void test_a_second_description_changes_nothing(void **state)
{
    (void)state;
    begin(&(struct duo_options){0});
    duo_connect(&duo);
    for (int i = 0; i < 3; i++) {
        duo_apply(&duo, A, true, false);
        duo_apply(&duo, B, true, false);
        assert_audio_flows();
    }
    duo_fini(&duo);
}

/* ---- ends ---- */

static bool b_ended(struct duo *d)
{
    return d->side[B].ended;
}

static bool both_ended(struct duo *d)
{
    return d->side[A].ended && d->side[B].ended;
}

static void test_a_goodbye_is_a_dtls_alert(void **state)
{
    (void)state;
    begin(&(struct duo_options){0});
    duo_connect(&duo);
    peer_close(duo.side[A].peer, duo.now, true);
    duo_turn(&duo, A);
    assert_true(duo_run_until(&duo, b_ended, duo.now + MSEC(100)));
    assert_int_equal(duo.side[B].reason, HANGUP_DTLS_ALERT);
    duo_fini(&duo);
}

static void test_a_close_without_goodbye_says_nothing(void **state)
{
    (void)state;
    begin(&(struct duo_options){0});
    duo_connect(&duo);
    peer_close(duo.side[A].peer, duo.now, false);
    duo_turn(&duo, A);
    duo_run_for(&duo, SEC(5));
    assert_false(duo.side[B].ended);
    duo_fini(&duo);
}

static enum fate no_dtls(struct duo *d, int from, uint8_t *datagram, size_t *size)
{
    (void)from;
    (void)d;
    return rtp_classify(VIEW(datagram, *size)) == RTP_KIND_DTLS ? FATE_DROP : FATE_DELIVER;
}

static void test_a_peer_silent_in_dtls_times_out_after_twenty_seconds(void **state)
{
    (void)state;
    begin(&(struct duo_options){0});
    duo.fate = no_dtls;
    usec_t start = duo.now;
    duo_start(&duo);
    assert_true(duo_run_until(&duo, both_ended, duo.now + SEC(30)));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(duo.side[i].reason, HANGUP_DTLS_TIMEOUT);
        assert_in_range(duo.side[i].ended_at - start, SEC(20), SEC(20) + MSEC(200));
        assert_false(duo.side[i].up);
    }
    duo_fini(&duo);
}

static void test_a_wrong_fingerprint_is_a_dtls_alert(void **state)
{
    (void)state;
    begin(&(struct duo_options){0});
    duo_apply(&duo, A, true, false);
    size_t size = sizeof(struct peer_apply_order) + sizeof(struct mline_desc);
    struct peer_apply_order *order = test_calloc(1, size);
    order->remote_known = order->start = true;
    order->remote = duo.side[A].open.local;
    order->fingerprint = (struct dtls_fingerprint){.hash = DTLS_HASH_SHA256, .size = 32, .bytes = {1, 2, 3}};
    order->mline_count = 1;
    order->mlines[0] = duo.side[B].lines[0];
    peer_apply(duo.side[B].peer, duo.now, order);
    test_free(order);
    duo_introduce(&duo, A);
    duo_introduce(&duo, B);
    assert_true(duo_run_until(&duo, both_ended, duo.now + SEC(5)));
    assert_int_equal(duo.side[A].reason, HANGUP_DTLS_ALERT);
    assert_int_equal(duo.side[B].reason, HANGUP_DTLS_ALERT);
    assert_false(duo.side[B].up);
    duo_fini(&duo);
}

static void test_lost_consent_hangs_up_within_thirty_five_seconds(void **state)
{
    (void)state;
    for (int immediate = 0; immediate < 2; immediate++) {
        begin(&(struct duo_options){.settings = {.hangup_on_failed = immediate != 0}});
        duo_connect(&duo);
        duo_run_for(&duo, SEC(7));
        usec_t cut_at = duo.now;
        duo.cut[A] = duo.cut[B] = true;
        assert_true(duo_run_until(&duo, both_ended, duo.now + SEC(60)));
        for (int i = 0; i < 2; i++) {
            assert_int_equal(duo.side[i].reason, HANGUP_ICE_FAILED);
            assert_in_range(duo.side[i].ended_at - cut_at, SEC(24), SEC(35));
            assert_int_equal(duo.side[i].ice_failed, 1);
            usec_t grace = duo.side[i].ended_at - duo.side[i].ice_failed_at;
            assert_int_equal(grace, immediate != 0 ? 0 : ICE_GRACE_CONSENT_US);
        }
        duo_fini(&duo);
    }
}

static void test_a_short_silence_is_forgiven(void **state)
{
    (void)state;
    begin(&(struct duo_options){0});
    duo_connect(&duo);
    duo.cut[A] = duo.cut[B] = true;
    duo_run_for(&duo, SEC(20));
    duo.cut[A] = duo.cut[B] = false;
    duo_run_for(&duo, SEC(30));
    assert_false(duo.side[A].ended);
    assert_false(duo.side[B].ended);
    assert_audio_flows();
    duo_fini(&duo);
}

/* ---- ICE that never gets there (webrtc.md 6, Failure) ---- */

static enum ice_state state_of_b(void)
{
    struct ice_info info;
    ice_describe(duo.side[B].peer->ice, &info);
    return info.state;
}

static bool b_failed(struct duo *d)
{
    (void)d;
    return state_of_b() == ICE_FAILED;
}

static void start_in_vain(bool end)
{
    begin(&(struct duo_options){0});
    duo.cut[A] = duo.cut[B] = true;
    duo_apply(&duo, B, true, false);
    duo_introduce(&duo, B);
    if (end)
        duo_end_candidates(&duo, B);
    assert_true(duo_run_until(&duo, b_failed, duo.now + SEC(60)));
}

static void test_ice_fails_five_seconds_after_all_candidates_were_tried(void **state)
{
    (void)state;
    start_in_vain(true);
    usec_t failed_at = duo.now;
    assert_true(duo_run_until(&duo, b_ended, duo.now + SEC(60)));
    assert_int_equal(duo.side[B].reason, HANGUP_ICE_FAILED);
    assert_int_equal(duo.side[B].ended_at - failed_at, SEC(5));
    assert_int_equal(duo.side[B].ice_failed, 0);            /* it never was connected */
    duo_fini(&duo);
}

static void test_ice_waits_fifteen_seconds_for_more_candidates(void **state)
{
    (void)state;
    start_in_vain(false);
    usec_t failed_at = duo.now;
    assert_true(duo_run_until(&duo, b_ended, duo.now + SEC(60)));
    assert_int_equal(duo.side[B].reason, HANGUP_ICE_FAILED);
    assert_int_equal(duo.side[B].ended_at - failed_at, SEC(15));
    duo_fini(&duo);
}

static void test_the_end_of_candidates_shortens_the_wait(void **state)
{
    (void)state;
    start_in_vain(false);
    usec_t failed_at = duo.now;
    duo_run_for(&duo, SEC(2));
    duo_end_candidates(&duo, B);
    assert_true(duo_run_until(&duo, b_ended, duo.now + SEC(60)));
    assert_int_equal(duo.side[B].ended_at - failed_at, SEC(5));
    duo_fini(&duo);
    start_in_vain(false);
    duo_run_for(&duo, SEC(8));
    usec_t told_at = duo.now;
    duo_end_candidates(&duo, B);
    assert_true(duo_run_until(&duo, b_ended, duo.now + SEC(60)));
    assert_in_range(duo.side[B].ended_at - told_at, 0, MSEC(1));
    duo_fini(&duo);
}

static void test_a_candidate_that_works_saves_it(void **state)
{
    (void)state;
    start_in_vain(false);
    duo_run_for(&duo, SEC(10));
    duo.cut[A] = duo.cut[B] = false;
    duo_apply(&duo, A, true, false);
    duo_introduce(&duo, A);
    assert_true(duo_run_until(&duo, both_up, duo.now + SEC(5)));
    duo_run_for(&duo, SEC(30));
    assert_false(duo.side[B].ended);
    duo_fini(&duo);
}

/* ---- restart ---- */

static void restart_both(void)
{
    for (int i = 0; i < 2; i++) {
        struct ice_credentials *local = &duo.side[i].open.local;
        local->ufrag[0]++;
        local->pwd[0]++;
    }
    for (int i = 0; i < 2; i++)
        duo_apply(&duo, i, true, true);
    for (int i = 0; i < 2; i++) {
        duo_introduce(&duo, i);
        duo_end_candidates(&duo, i);
    }
}

static void test_media_flows_through_a_restart(void **state)
{
    (void)state;
    begin(&(struct duo_options){.a_controlling = true});
    duo_connect(&duo);
    for (int i = 0; i < 3; i++) {
        restart_both();
        assert_audio_flows();
        duo_run_for(&duo, SEC(20));
        assert_audio_flows();
    }
    assert_false(duo.side[A].ended || duo.side[B].ended);
    duo_fini(&duo);
}

static void test_a_restart_gives_a_failed_one_its_time_again(void **state)
{
    (void)state;
    begin(&(struct duo_options){0});
    duo_connect(&duo);
    duo.cut[A] = duo.cut[B] = true;
    duo_run_for(&duo, SEC(31) + MSEC(500));
    assert_int_equal(duo.side[A].ice_failed, 1);
    assert_int_equal(duo.side[B].ice_failed, 1);
    assert_false(duo.side[A].ended || duo.side[B].ended);
    restart_both();                                         /* the new network is not there at once */
    duo_run_for(&duo, SEC(4));
    assert_false(duo.side[A].ended || duo.side[B].ended);
    duo.cut[A] = duo.cut[B] = false;
    duo_run_for(&duo, SEC(10));
    assert_false(duo.side[A].ended || duo.side[B].ended);
    assert_audio_flows();
    duo_fini(&duo);
}

/* ---- after the end ---- */

static void test_after_the_end_every_call_is_harmless(void **state)
{
    (void)state;
    begin(&(struct duo_options){0});
    duo_connect(&duo);
    duo.taped = true;
    assert_audio_flows();
    peer_close(duo.side[A].peer, duo.now, true);
    duo_turn(&duo, A);
    assert_true(duo_run_until(&duo, b_ended, duo.now + SEC(1)));
    for (uint32_t i = 0; i < duo.tape_count[A]; i++)
        duo_inject(&duo, B, duo.tape[A][i].data, duo.tape[A][i].size);
    duo_apply(&duo, B, true, false);
    duo_introduce(&duo, B);
    duo_end_candidates(&duo, B);
    peer_lose_tuple(duo.side[B].peer, duo.now, &(struct net_tuple){0, duo.side[A].base});
    peer_timeout(duo.side[B].peer, duo.now + SEC(100));
    assert_int_equal(peer_deadline(duo.side[B].peer, duo.now), USEC_NEVER);
    peer_close(duo.side[B].peer, duo.now, true);
    duo_turn(&duo, B);
    duo_fini(&duo);
}

/* What an idle peer still does (ticks, consent) wakes its worker together with that of all other idle peers. */
static void test_idle_peers_share_their_wake_ups(void **state)
{
    (void)state;
    begin(&(struct duo_options){0});
    duo_connect(&duo);
    duo_run_for(&duo, SEC(3));
    for (int i = 0; i < 50; i++) {
        usec_t next = peer_deadline(duo.side[A].peer, duo.now);
        assert_true(next > duo.now && next != USEC_NEVER);
        assert_int_equal(next % USEC_GRID, 0);
        duo_run(&duo, next);
    }
    duo_fini(&duo);
}

/* The alert and the media behind it come in one batch of datagrams: HANGUP is the last that is told of a peer. */
static void test_media_behind_the_goodbye_is_nobodys(void **state)
{
    (void)state;
    struct feed feed;
    begin(&(struct duo_options){0});
    duo_connect(&duo);
    duo_feed(&duo, A, 0, 0, &feed);
    duo.taped = true;
    feed.now = duo.now;
    feed_packet(&feed, false, true, false);
    duo_turn(&duo, A);
    peer_close(duo.side[A].peer, duo.now, true);
    duo_turn(&duo, A);
    assert_int_equal(duo.tape_count[A], 2);
    const struct net_tuple from = {0, duo.side[A].base};
    for (uint32_t i = 0; i < 2; i++)
        peer_input(duo.side[B].peer, duo.now, &from, duo.tape[A][i].data, duo.tape[A][i].size);
    (void)peer_receive_flush(&duo.side[B].env, duo.now);
    duo_turn(&duo, B);
    assert_true(duo.side[B].ended);
    assert_int_equal(duo.side[B].after_end, 0);
    duo_fini(&duo);
}

static void test_a_worker_without_addresses_refuses(void **state)
{
    (void)state;
    duo_init(&duo, &(struct duo_options){0});
    duo.side[A].env.base_count = 0;
    assert_null(peer_new(&duo.side[A].env, &duo.side[A].open, duo.now));
    duo.side[A].env.base_count = 1;
    duo_fini(&duo);
}

static void test_full_pools_refuse_and_leave_nothing_behind(void **state)
{
    (void)state;
    struct peer *more[8];
    uint32_t count = 0;
    duo_init(&duo, &(struct duo_options){0});
    struct peer_open_order order = duo.side[A].open;
    for (order.peer.slot = 50; count < 8 && (more[count] = peer_new(&duo.side[A].env, &order, duo.now)) != NULL; count++)
        order.peer.slot++;
    assert_int_equal(count, 3);                             /* of four */
    while (count > 0)
        peer_free(more[--count]);
    duo_fini(&duo);
}

/* Whatever pool refuses on the way: it connects or it ends, and all memory comes home. */
static void test_any_refusal_is_survived(void **state)
{
    (void)state;
    bool refused = true;
    for (long n = 0; refused; n++) {
        begin(&(struct duo_options){0});
        duo_line(&duo, &(struct duo_line){.codec = CODEC_VP8, .a_sends = true, .nack = true});
        seam_refuse_pool_at(n);
        duo_start(&duo);
        duo_run_for(&duo, SEC(2));
        refused = seam_pool_was_refused();
        seam_refuse_pool_at(-1);
        duo_fini(&duo);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_every_role_they_connect_and_media_flows),
        cmocka_unit_test(test_both_believe_to_control),
        cmocka_unit_test(test_every_srtp_profile_in_both_directions),
        cmocka_unit_test(test_a_bad_network_delays_it_and_no_more),
        cmocka_unit_test(test_the_description_may_come_last),
        cmocka_unit_test(test_a_second_description_changes_nothing),
        cmocka_unit_test(test_a_goodbye_is_a_dtls_alert),
        cmocka_unit_test(test_a_close_without_goodbye_says_nothing),
        cmocka_unit_test(test_a_peer_silent_in_dtls_times_out_after_twenty_seconds),
        cmocka_unit_test(test_a_wrong_fingerprint_is_a_dtls_alert),
        cmocka_unit_test(test_lost_consent_hangs_up_within_thirty_five_seconds),
        cmocka_unit_test(test_a_short_silence_is_forgiven),
        cmocka_unit_test(test_ice_fails_five_seconds_after_all_candidates_were_tried),
        cmocka_unit_test(test_ice_waits_fifteen_seconds_for_more_candidates),
        cmocka_unit_test(test_the_end_of_candidates_shortens_the_wait),
        cmocka_unit_test(test_a_candidate_that_works_saves_it),
        cmocka_unit_test(test_media_flows_through_a_restart),
        cmocka_unit_test(test_a_restart_gives_a_failed_one_its_time_again),
        cmocka_unit_test(test_after_the_end_every_call_is_harmless),
        cmocka_unit_test(test_idle_peers_share_their_wake_ups),
        cmocka_unit_test(test_media_behind_the_goodbye_is_nobodys),
        cmocka_unit_test(test_a_worker_without_addresses_refuses),
        cmocka_unit_test(test_full_pools_refuse_and_leave_nothing_behind),
        cmocka_unit_test(test_any_refusal_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
