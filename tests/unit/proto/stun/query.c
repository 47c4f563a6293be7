/* Server-reflexive discovery against a server that answers, answers late, wrongly, or never. */
#include "support/seams.h"

#include <string.h>

#include "base/str.h"
#include "proto/stun/stun_query.h"

static void fill(void *source, uint8_t *out, size_t size)
{
    uint8_t *next = source;
    for (size_t i = 0; i < size; i++)
        out[i] = (*next)++;
}

struct bench {
    uint8_t seed;
    struct rng rng;
    struct stun_query query;
    struct net_addr server;
    uint8_t sent[STUN_QUERY_BYTES];
    size_t sent_size;
};

static void start(struct bench *b)
{
    *b = (struct bench){0};
    rng_init(&b->rng, fill, &b->seed);
    assert_true(net_ip_parse(&b->server, STR("198.51.100.3")));
    b->server.port = 3478;
    stun_query_start(&b->query, &b->rng, 0xC0DE0001, &b->server, SEC(1));
    assert_true(stun_query_deadline(&b->query) == SEC(1));
    assert_true(stun_query_poll_tx(&b->query, SEC(1), b->sent, &b->sent_size));
    assert_false(stun_query_poll_tx(&b->query, SEC(1), b->sent, &b->sent_size));
}

static size_t reply(const struct bench *b, uint8_t out[100], enum stun_class class, uint16_t type)
{
    struct net_addr mapped = {.ip = {203, 0, 113, 7}, .port = 4242, .family = NET_IP4};
    struct stun_out message;
    stun_begin(&message, out, 100, class, STUN_BINDING, stun_txid_of(VIEW(b->sent, b->sent_size)));
    if (class == STUN_ERROR)
        stun_add_error(&message, 500, "Server Error");
    else
        stun_add_xor_address(&message, type, &mapped);
    return stun_end(&message, NULL, NULL);
}

static void test_mapped_address_is_learned(void **state)
{
    (void)state;
    struct bench b;
    uint8_t bytes[100];
    start(&b);
    assert_int_equal(b.sent_size, 28);
    assert_int_equal(get_u32(stun_txid_of(VIEW(b.sent, b.sent_size))), 0xC0DE0001);
    size_t size = reply(&b, bytes, STUN_SUCCESS, STUN_ATTR_XOR_MAPPED_ADDRESS);
    assert_true(stun_query_input(&b.query, &b.server, VIEW(bytes, size)));
    assert_int_equal(b.query.state, STUN_QUERY_DONE);
    assert_int_equal(b.query.mapped.port, 4242);
    assert_int_equal(b.query.mapped.ip[3], 7);
    assert_true(stun_query_deadline(&b.query) == USEC_NEVER);
    assert_false(stun_query_input(&b.query, &b.server, VIEW(bytes, size)));
}

static void test_other_sources_and_transactions_are_no_answer(void **state)
{
    (void)state;
    struct bench b;
    uint8_t bytes[100];
    start(&b);
    size_t size = reply(&b, bytes, STUN_SUCCESS, STUN_ATTR_XOR_MAPPED_ADDRESS);
    struct net_addr other = b.server;
    other.port++;
    assert_false(stun_query_input(&b.query, &other, VIEW(bytes, size)));
    assert_false(stun_query_input(&b.query, &b.server, VIEW(b.sent, b.sent_size)));
    b.query.txid[11]++;
    assert_false(stun_query_input(&b.query, &b.server, VIEW(bytes, size)));
    assert_int_equal(b.query.state, STUN_QUERY_ASKING);
}

static void test_errors_and_answers_without_address_fail(void **state)
{
    (void)state;
    struct bench b;
    uint8_t bytes[100];
    start(&b);
    size_t size = reply(&b, bytes, STUN_ERROR, 0);
    assert_true(stun_query_input(&b.query, &b.server, VIEW(bytes, size)));
    assert_int_equal(b.query.state, STUN_QUERY_FAILED);
    start(&b);
    size = reply(&b, bytes, STUN_SUCCESS, 0x8020);
    assert_true(stun_query_input(&b.query, &b.server, VIEW(bytes, size)));
    assert_int_equal(b.query.state, STUN_QUERY_FAILED);
}

/* RFC 8489 6.2.1's own example: requests at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms, given up at 39500. */
static void test_silence_is_asked_seven_times_then_given_up(void **state)
{
    (void)state;
    static const unsigned at_ms[] = {500, 1500, 3500, 7500, 15500, 31500, 39500};
    struct bench b;
    uint8_t again[STUN_QUERY_BYTES];
    size_t size;
    start(&b);
    for (size_t i = 0; i < ARRAY_COUNT(at_ms); i++) {
        usec_t due = SEC(1) + MSEC(at_ms[i]);
        assert_true(stun_query_deadline(&b.query) == due);
        assert_false(stun_query_poll_tx(&b.query, due - 1, again, &size));
        assert_true(stun_query_poll_tx(&b.query, due, again, &size) == (i < 6));
        if (i < 6)
            assert_memory_equal(again, b.sent, size);
    }
    assert_int_equal(b.query.state, STUN_QUERY_FAILED);
    assert_true(stun_query_deadline(&b.query) == USEC_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapped_address_is_learned),
        cmocka_unit_test(test_other_sources_and_transactions_are_no_answer),
        cmocka_unit_test(test_errors_and_answers_without_address_fail),
        cmocka_unit_test(test_silence_is_asked_seven_times_then_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
