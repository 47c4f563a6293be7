/* Clients whose texts come and go whole: credits, tags, limits, the end. */
#include "support/seams.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/limits.h"
#include "rig.h"

static struct clients env;
static struct client client;
static struct packets_origin packets;
static struct client_origin origin;

static void fill(void *source, uint8_t *out, size_t size)
{
    (void)source;
    memset(out, 7, size);
}

static void open_client(bool lasting, bool tagged)
{
    const struct client_rules rules = {.text_bytes_max = IO_TEXT_BYTES_MAX};
    const struct net_addr nowhere = {0};
    packets = (struct packets_origin){.way = PACKETS_SOCKET, .lasting = lasting, .tagged = tagged};
    origin = (struct client_origin){.packets = &packets};
    client = (struct client){0};
    clients_init(&env, &rules, NULL, 10, fill, NULL);
    assert_true(client_open(&env, &client, &origin, &nowhere, SEC(1)));
}

static int close_client(void **state)
{
    (void)state;
    client_fini(&env, &client);
    clients_fini(&env);
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

/* The next packet out, as text; NULL: none. */
static const char *packet_out(void)
{
    static char out[256];
    struct view parts[OUTQ_PARTS];
    size_t size = 0, count = client_output(&env, &client, SEC(1), parts);
    if (count == 0)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        memcpy(out + size, parts[i].data, parts[i].size);
        size += parts[i].size;
    }
    out[size] = '\0';
    client_sent(&env, &client, SEC(1), size);
    return out;
}

static bool ask(const char *text)
{
    char in[64];
    struct view got;
    memcpy(in, text, strlen(text));
    client_feed(&env, &client, SEC(1), (uint8_t *)in, strlen(text));
    bool asked = client_next(&env, &client, SEC(1), &got) && str_equal(got, str_of(text));
    assert_false(asked && client_next(&env, &client, SEC(1), &got));
    return asked;
}

static void test_what_is_fed_is_one_text_and_goes_out_as_one(void **state)
{
    (void)state;
    open_client(false, false);
    assert_true(ask("{\"janus\":\"ping\"} and \n more"));
    client_send(&env, &client, SEC(1), OUT_REPLY, STR("one"), NULL);
    client_send(&env, &client, SEC(1), OUT_EVENT, STR("two"), NULL);
    assert_string_equal(packet_out(), "one");
    assert_string_equal(packet_out(), "two");
    assert_null(packet_out());
}

static void test_a_tag_goes_in_front(void **state)
{
    (void)state;
    open_client(true, true);
    client_send_tagged(&env, &client, SEC(1), OUT_REPLY, 0x44434241, STR("reply"), NULL);
    assert_string_equal(packet_out(), "ABCDreply");
}

static void test_without_credit_one_text_is_held_back(void **state)
{
    (void)state;
    struct view text;
    open_client(false, false);
    for (uint32_t i = 0; i < IO_CREDITS; i++)
        assert_true(ask("{}"));
    assert_false(client_wants_input(&client));
    assert_false(ask("held"));
    assert_false(client_resume(&env, &client, SEC(1)));
    client_credit(&env, &client);
    assert_true(client_resume(&env, &client, SEC(1)));
    assert_true(client_next(&env, &client, SEC(1), &text));
    assert_true(str_equal(text, STR("held")));
    assert_false(client_next(&env, &client, SEC(1), &text));
}

static void test_a_lasting_client_loses_events_but_stays(void **state)
{
    (void)state;
    open_client(true, false);
    for (uint32_t i = 0; i < IO_EVENTS_MAX + 5; i++)
        client_send(&env, &client, SEC(1), OUT_EVENT, STR("event"), NULL);
    assert_int_equal(env.counters.dropped_events, 5);
    assert_int_equal(client.state, CLIENT_PACKETS);
    /* And it may be away for as long as it likes. */
    assert_int_equal(client_deadline(&env, &client), USEC_NEVER);
    client_send(&env, &client, SEC(1), OUT_REPLY, STR("reply"), NULL);
    assert_int_equal(env.counters.dropped_replies, 0);
    /* At the end what waits may still leave, within a bound. */
    client_close(&env, &client, SEC(1), WS_CODE_GOING_AWAY);
    assert_int_equal(client.state, CLIENT_CLOSING);
    assert_string_equal(packet_out(), "event");
    client_timeout(&env, &client, client_deadline(&env, &client));
    assert_true(client_is_dead(&client));
}

static void test_one_that_takes_nothing_is_gone(void **state)
{
    (void)state;
    open_client(false, false);
    for (uint32_t i = 0; i < IO_EVENTS_MAX + 1; i++)
        client_send(&env, &client, SEC(1), OUT_EVENT, STR("event"), NULL);
    assert_true(client_is_dead(&client));
    assert_int_equal(client.end, CLIENT_END_EVENTS_PILED);
}

static void test_a_reply_that_no_packet_holds_becomes_an_error(void **state)
{
    (void)state;
    open_client(false, false);
    client_send(&env, &client, SEC(1), OUT_REPLY, STR("too long"), NULL);
    client_skip(&env, &client, SEC(1));
    assert_non_null(strstr(packet_out(), "\"code\":490"));
    client_send(&env, &client, SEC(1), OUT_EVENT, STR("too long"), NULL);
    client_skip(&env, &client, SEC(1));
    assert_null(packet_out());
    assert_int_equal(env.counters.too_long, 2);
}

static void test_the_end_of_input_is_the_end(void **state)
{
    (void)state;
    open_client(false, false);
    client_send(&env, &client, SEC(1), OUT_REPLY, STR("reply"), NULL);
    client_input_ended(&env, &client, false);
    assert_true(client_is_dead(&client));
    assert_int_equal(client.end, CLIENT_END_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_what_is_fed_is_one_text_and_goes_out_as_one, close_client),
        cmocka_unit_test_teardown(test_a_tag_goes_in_front, close_client),
        cmocka_unit_test_teardown(test_without_credit_one_text_is_held_back, close_client),
        cmocka_unit_test_teardown(test_a_lasting_client_loses_events_but_stays, close_client),
        cmocka_unit_test_teardown(test_one_that_takes_nothing_is_gone, close_client),
        cmocka_unit_test_teardown(test_a_reply_that_no_packet_holds_becomes_an_error, close_client),
        cmocka_unit_test_teardown(test_the_end_of_input_is_the_end, close_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
