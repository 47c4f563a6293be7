/* Whose is this datagram (design section 2, security.md)? */
#include "world.h"

#include <string.h>

#include "base/bytes.h"
#include "base/str.h"
#include "proto/rtp/demux.h"

static struct world w;

static const struct worker_counters *counters(void)
{
    return &w.worker[0]->counters;
}

static void receive(const struct net_addr *from, const uint8_t *data, size_t size)
{
    fake_receive(w.sockets[0][0].fd, from, data, size);
    world_settle(&w);
}

static uint32_t from_worker_to(const struct net_addr *to)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w.flight_count; i++)
        n += net_addr_equal(&w.flights[i].to, to);
    return n;
}

static bool media_flows(struct remote *r, struct feed *feed)
{
    uint64_t before = w.worker[r->worker]->media.counters.packets_in;
    remote_frame(r, feed, true, 3);
    world_run_for(&w, MSEC(50));
    return w.worker[r->worker]->media.counters.packets_in == before + 3;
}

static void test_peers_of_one_socket_are_told_apart(void **state)
{
    (void)state;
    struct remote *remotes[6];
    struct feed feeds[6];
    world_init(&w, &(struct world_options){.workers = 1});
    for (unsigned i = 0; i < 6; i++) {
        remotes[i] = world_join(&w, 0);
        remote_feed(remotes[i], 1, 0, &feeds[i]);
    }
    assert_int_equal(w.worker[0]->tuples.count, 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_true(media_flows(remotes[i], &feeds[i]));
        const struct source *source = slots_get(&w.worker[0]->sources, remotes[i]->source[1]);
        assert_true(source->layers[0].started);
    }
    world_fini(&w);
}

static void test_strangers_are_answered_by_nothing(void **state)
{
    (void)state;
    const struct net_addr stranger = {.ip = {10, 9, 9, 9}, .port = 1, .family = NET_IP4};
    uint8_t bytes[200];
    world_init(&w, &(struct world_options){.workers = 1});
    (void)world_join(&w, 0);
    for (unsigned first = 0; first < 256; first++) {
        memset(bytes, 0x42, sizeof(bytes));
        bytes[0] = (uint8_t)first;
        receive(&stranger, bytes, sizeof(bytes));
        receive(&stranger, bytes, 1);
    }
    receive(&stranger, bytes, 0);
    assert_int_equal(from_worker_to(&stranger), 0);
    assert_int_equal(counters()->unknown_tuple, 2 * 252);
    assert_int_equal(counters()->stun_malformed, 8);
    world_fini(&w);
}

/* A check with a user name: `key` signs it. */
static size_t write_check(uint8_t *out, const char *server, const char *client, const char *key, bool use_candidate)
{
    struct net_addr base = {.ip = {10, 9, 9, 9}, .port = 1, .family = NET_IP4};
    struct pool pool;
    struct ice_counters ice_counters = {0};
    struct rng *rng = &w.worker[0]->rng;
    struct ice_config config = {.role = ICE_CONTROLLING, .tie_breaker = UINT64_MAX, .txid_prefix = 9, .bases = &base, .base_count = 1, .rng = rng,
                                .mac = w.worker[0]->env.mac, .counters = &ice_counters};
    struct ice_candidate candidate = {.foundation = "1", .type = ICE_HOST, .addr = world_addr(0, 0), .priority = 77};
    struct ice_tx tx;
    config.nomination = use_candidate ? ICE_NOMINATE_AGGRESSIVE : ICE_NOMINATE_REGULAR;
    (void)str_copy(config.ufrag, sizeof(config.ufrag), str_of(client));
    (void)str_copy(config.pwd, sizeof(config.pwd), STR("passwordpasswordpassword"));
    pool_init(&pool, "ice", ice_size(), 1);
    struct ice *ice = ice_new(&pool, &config, fake.now);
    assert_int_equal(ice_set_remote(ice, str_of(server), str_of(key)), ERR_NONE);
    assert_int_equal(ice_add_remote(ice, &candidate), ERR_NONE);
    ice_timeout(ice, fake.now);
    assert_true(ice_poll_tx(ice, &tx));
    memcpy(out, tx.data, tx.size);
    ice_free(ice);
    pool_fini(&pool);
    return tx.size;
}

static void test_checks_for_nobody_are_dropped_in_silence(void **state)
{
    (void)state;
    const struct net_addr stranger = {.ip = {10, 9, 9, 9}, .port = 1, .family = NET_IP4};
    uint8_t check[400];
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *r = world_join(&w, 0);
    char ufrag[UFRAG_TEXT];
    memcpy(ufrag, r->server.ufrag, sizeof(ufrag));
    size_t size = write_check(check, "notafragmentofours", "clientclient", r->server.pwd, true);
    receive(&stranger, check, size);
    ufrag[7] = ufrag[7] == 'A' ? 'B' : 'A';                 /* another generation */
    size = write_check(check, ufrag, "clientclient", r->server.pwd, true);
    receive(&stranger, check, size);
    assert_int_equal(counters()->stun_unknown_ufrag, 2);
    size = write_check(check, r->server.ufrag, "clientclient", "wrongwrongwrongwrongwrong", true);
    receive(&stranger, check, size);
    memcpy(ufrag, r->server.ufrag, sizeof(ufrag));
    ufrag[11] = ufrag[11] == 'A' ? 'B' : 'A';               /* the random part */
    size = write_check(check, ufrag, "clientclient", r->server.pwd, true);
    receive(&stranger, check, size);
    assert_int_equal(w.worker[0]->env.ice.wrong_key, 1);
    assert_int_equal(w.worker[0]->env.ice.wrong_user, 1);
    assert_int_equal(from_worker_to(&stranger), 0);
    assert_int_equal(w.worker[0]->tuples.count, 1);
    world_fini(&w);
}

/* Enable Security 2024, GHSA-hxj9, GHSA-39gv: a ClientHello from an address that ICE has not verified, before and during the
 * handshake. */
static void test_dtls_from_a_foreign_address_is_nobodys(void **state)
{
    (void)state;
    const struct net_addr stranger = {.ip = {10, 9, 9, 9}, .port = 1, .family = NET_IP4};
    static const uint8_t hello[] = {22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *r = world_open(&w, 0);
    struct feed feed;
    remote_apply(r, true);
    receive(&stranger, hello, sizeof(hello));
    remote_introduce(r);
    for (int i = 0; i < 60 && !r->up; i++) {
        world_run_for(&w, MSEC(3));
        receive(&stranger, hello, sizeof(hello));           /* throughout the handshake */
    }
    assert_true(r->up);
    receive(&stranger, hello, sizeof(hello));
    world_run_for(&w, MSEC(50));
    assert_true(counters()->unknown_tuple > 5);
    assert_int_equal(from_worker_to(&stranger), 0);
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_HANGUP), 0);
    remote_feed(r, 1, 0, &feed);
    assert_true(media_flows(r, &feed));
    world_fini(&w);
}

/* The address of one who has gone is given to another (a NAT): the newest that proves to be there has it. */
static void test_an_address_that_changes_hands(void **state)
{
    (void)state;
    struct feed feed, before;
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *first = world_join(&w, 0);
    struct net_addr addr = first->addr;
    remote_feed(first, 1, 0, &before);
    assert_true(media_flows(first, &before));
    first->cut = true;
    first->addr.port = 1;                                   /* it hears nothing any more */
    struct remote *second = world_open(&w, 0);
    second->addr = addr;
    remote_apply(second, true);
    remote_introduce(second);
    world_run_for(&w, SEC(2));
    assert_true(second->up);
    assert_int_equal(counters()->bindings_stolen, 1);
    assert_int_equal(w.worker[0]->tuples.count, 1);
    remote_feed(second, 1, 0, &feed);
    assert_true(media_flows(second, &feed));
    world_run_for(&w, SEC(10));
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_HANGUP), 1);        /* the loser */
    assert_true(ref_equal(world_fact(&w, CONTROL_PEER_HANGUP, 0)->hangup.peer.ref, first->name));
    assert_true(media_flows(second, &feed));
    world_fini(&w);
}

/* Whoever has a call of his own here can sign a check and send it in another's name. It takes nothing away: only who answers
 * there as well is believed to be there. */
static void test_a_check_from_a_forged_address_takes_nothing_away(void **state)
{
    (void)state;
    struct feed feed;
    uint8_t check[400];
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *victim = world_join(&w, 0), *attacker = world_join(&w, 0);
    remote_feed(victim, 1, 0, &feed);
    assert_true(media_flows(victim, &feed));
    for (int i = 0; i < 20; i++) {
        size_t size = write_check(check, attacker->server.ufrag, attacker->local.ufrag, attacker->server.pwd, true);
        receive(&victim->addr, check, size);
        world_run_for(&w, MSEC(500));
        assert_true(media_flows(victim, &feed));
    }
    assert_int_equal(counters()->bindings_stolen, 0);
    world_run_for(&w, SEC(30));
    assert_true(media_flows(victim, &feed));
    assert_false(victim->ended || attacker->ended);
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_HANGUP), 0);
    world_fini(&w);
}

static void test_a_second_address_of_the_same_peer_is_bound_too(void **state)
{
    (void)state;
    struct feed feed;
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *r = world_join(&w, 0);
    remote_feed(r, 1, 0, &feed);
    r->addr.port = 9999;                                    /* its NAT has forgotten it */
    world_run_for(&w, SEC(8));                              /* its consent checks come from there */
    assert_true(media_flows(r, &feed));
    assert_int_equal(w.worker[0]->tuples.count, 2);
    world_run_for(&w, SEC(60));
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_HANGUP), 0);
    assert_true(media_flows(r, &feed));
    world_fini(&w);
}

static void test_answers_to_nobodys_questions(void **state)
{
    (void)state;
    const struct net_addr stranger = {.ip = {10, 9, 9, 9}, .port = 1, .family = NET_IP4};
    uint8_t answer[20] = {1, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42};
    world_init(&w, &(struct world_options){.workers = 1});
    (void)world_join(&w, 0);
    static const uint32_t prefixes[] = {5, UINT32_MAX, 0xFFFFFF00u, 0xFFFFFFFEu, 0};
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
        put_u32(answer + 8, prefixes[i]);
        receive(&stranger, answer, sizeof(answer));
    }
    assert_int_equal(counters()->stun_unknown_txid, 4);
    assert_int_equal(w.worker[0]->env.ice.stray_responses, 1);             /* slot 0 is a peer's */
    world_fini(&w);
}

/* ---- the server-reflexive address ---- */

static const struct net_addr stun_server = {.ip = {10, 8, 8, 8}, .port = 3478, .family = NET_IP4};

static void answer_queries(uint16_t mapped_port)
{
    for (uint32_t i = 0; i < w.flight_count; i++) {
        if (!net_addr_equal(&w.flights[i].to, &stun_server))
            continue;
        uint8_t answer[32] = {1, 1, 0, 12};
        memcpy(answer + 4, w.flights[i].data + 4, 16);      /* magic cookie and transaction */
        put_u16(answer + 20, 0x0020);                       /* XOR-MAPPED-ADDRESS (RFC 8489 14.2) */
        put_u16(answer + 22, 8);
        put_u16(answer + 24, 1);
        put_u16(answer + 26, (uint16_t)(mapped_port ^ 0x2112));
        put_u32(answer + 28, 0xCB007109u ^ 0x2112A442u);    /* 203.0.113.9 */
        fake_receive(w.sockets[0][0].fd, &stun_server, answer, sizeof(answer));
    }
    world_settle(&w);
}

static void test_the_reflexive_address_is_learnt_and_refreshed(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.workers = 1, .stun_server = stun_server});
    world_settle(&w);
    assert_int_equal(from_worker_to(&stun_server), 1);
    answer_queries(4000);
    const struct fact *fact = world_fact(&w, CONTROL_WORKER_SRFLX, 0);
    assert_non_null(fact);
    assert_int_equal(fact->srflx.mapped.port, 4000);
    assert_int_equal(fact->srflx.mapped.ip[0], 203);
    assert_int_equal(fact->srflx.worker, 0);
    for (int i = 0; i < 3; i++) {                           /* asked again every 25 s, told when it changes */
        world_run_for(&w, SEC(25) - 1);
        assert_int_equal(from_worker_to(&stun_server), 0);
        world_run_for(&w, 1);
        assert_int_equal(from_worker_to(&stun_server), 1);
        answer_queries(i < 2 ? 4000 : 4001);
    }
    assert_int_equal(world_fact_count(&w, CONTROL_WORKER_SRFLX), 2);
    assert_int_equal(world_fact(&w, CONTROL_WORKER_SRFLX, 1)->srflx.mapped.port, 4001);
    world_fini(&w);
}

static void test_a_stun_server_that_does_not_answer_is_asked_again(void **state)
{
    (void)state;
    world_init(&w, &(struct world_options){.workers = 1, .stun_server = stun_server});
    uint32_t packets = w.packets;
    world_run_for(&w, SEC(300));
    assert_in_range(w.packets - packets, 20, 60);           /* seven a query, every minute or so */
    assert_int_equal(world_fact_count(&w, CONTROL_WORKER_SRFLX), 0);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peers_of_one_socket_are_told_apart),
        cmocka_unit_test(test_strangers_are_answered_by_nothing),
        cmocka_unit_test(test_checks_for_nobody_are_dropped_in_silence),
        cmocka_unit_test(test_dtls_from_a_foreign_address_is_nobodys),
        cmocka_unit_test(test_an_address_that_changes_hands),
        cmocka_unit_test(test_a_check_from_a_forged_address_takes_nothing_away),
        cmocka_unit_test(test_a_second_address_of_the_same_peer_is_bound_too),
        cmocka_unit_test(test_answers_to_nobodys_questions),
        cmocka_unit_test(test_the_reflexive_address_is_learnt_and_refreshed),
        cmocka_unit_test(test_a_stun_server_that_does_not_answer_is_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
