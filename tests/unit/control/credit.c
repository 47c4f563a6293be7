/* Texts, documents and credits: transports.md 3.6 and msg/io.h. */
#include "control/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/probe_plugin.h"

#define PING(t) "{\"janus\":\"ping\",\"transaction\":\"" t "\"}"

static struct server s;

static int setup(void **state)
{
    (void)state;
    server_init(&s);
    server_start(&s);
    return 0;
}

static void test_one_credit_for_each_text_after_its_replies(void **state)
{
    (void)state;
    server_say(&s, 1, PING("a") "\r\n " PING("b") PING("c") "\n");
    const struct fake_sent *last = &s.actor->sent[s.actor->count - 1];
    assert_int_equal(last->type, IO_CREDIT);
    expect_text(&s, 1, "{\"janus\":\"pong\",\"transaction\":\"a\"}");
    expect_text(&s, 1, "{\"janus\":\"pong\",\"transaction\":\"b\"}");
    expect_text(&s, 1, "{\"janus\":\"pong\",\"transaction\":\"c\"}");
    assert_int_equal(server_credits(&s, 1), 1);
    expect_silence(&s, 1);
    server_end(&s);
}

static void test_one_broken_document_spoils_its_text(void **state)
{
    (void)state;
    server_say(&s, 1, PING("a") "\n{\"janus\":tru}");
    expect_text(&s, 1, "{\"janus\":\"error\",\"error\":{\"code\":454,\"reason\":\"Invalid Janus API request - <string>(2,12): invalid token near 'tru'\"}}");
    expect_silence(&s, 1);
    assert_int_equal(server_credits(&s, 1), 1);
    assert_int_equal(control_counters(s.control)->unparsable, 1);
    server_end(&s);
}

static void test_texts_that_are_no_json(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } texts[] = {
        {"", 0}, {"   \n", 4}, {"5", 1}, {"hello", 5}, {"{\"a\":1", 6}, {"{}x", 3}, {"{\"a\":\"\xff\"}", 9}, {"{}\0{}", 5}, {"\0", 1},
        {"{\"a\":\"\\u0000\"}", 14}, {"{\"a\":99999999999999999999}", 26}, {"{\"a\":1e999}", 11},
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        server_say_bytes(&s, 1, texts[i].text, texts[i].size);
        json_t *document = server_hear_json(&s, 1);
        assert_int_equal(json_integer_value(json_object_get(json_object_get(document, "error"), "code")), 454);
        assert_null(json_object_get(document, "session_id"));
        assert_null(json_object_get(document, "transaction"));
        json_decref(document);
        assert_int_equal(server_credits(&s, 1), 1);
    }
    server_end(&s);
}

static void test_a_depth_bomb_is_an_error(void **state)
{
    (void)state;
    char *bomb = malloc(1000000);
    memset(bomb, '[', 1000000);
    server_say_bytes(&s, 1, bomb, 1000000);
    expect_error(&s, 1, 454, "Invalid Janus API request - more than 50000 values");
    server_say_bytes(&s, 1, bomb, VALUES_PER_TEXT_MAX);
    expect_error(&s, 1, 454, "Invalid Janus API request - <string>(1,2049): maximum parsing depth reached near '['");
    memset(bomb, '[', 2000);
    memset(bomb + 2000, ']', 2000);
    server_say_bytes(&s, 1, bomb, 4000);
    expect_error(&s, 1, 456, "Missing mandatory element (transaction)");
    free(bomb);
    server_end(&s);
}

/* Names that collide in a hash table cost their number squared, if somebody finds them: there are not enough of them. */
static void test_an_object_has_so_many_names(void **state)
{
    (void)state;
    char *text = malloc(200000);
    for (unsigned extra = 0; extra < 2; extra++) {
        size_t size = sizeof(PING("a")) - 2;
        memcpy(text, PING("a"), size);
        for (unsigned i = 0; i < MEMBERS_PER_OBJECT_MAX - 2 + extra; i++)
            size += (size_t)sprintf(text + size, ",\"x%u:\":0", i);
        size += (size_t)sprintf(text + size, "}");
        server_say_bytes(&s, 1, text, size);
        if (extra == 0)
            expect_text(&s, 1, "{\"janus\":\"pong\",\"transaction\":\"a\"}");
        else
            expect_error(&s, 1, 454, "Invalid Janus API request - more than 1024 names in an object");
    }
    assert_int_equal(control_counters(s.control)->too_many_documents, 1);
    free(text);
    server_end(&s);
}

/* 350,000 empty objects in 1 MB are 70 ms of parsing and 100 MB, and everybody else waits. What stands inside strings counts
 * for nothing: a description or a message may be long. */
static void test_a_width_bomb_is_an_error(void **state)
{
    (void)state;
    static const char head[] = "{\"janus\":\"ping\",\"transaction\":\"a\",\"text\":\"\\\"[[[{{{,,,";
    char *text = malloc(1000100);
    memcpy(text, head, sizeof(head) - 1);
    memset(text + sizeof(head) - 1, ',', 1000000);
    memcpy(text + 1000000, "\\\\\"}", 4);
    server_say_bytes(&s, 1, text, 1000004);
    expect_text(&s, 1, "{\"janus\":\"pong\",\"transaction\":\"a\"}");
    size_t size = sizeof(PING("a")) - 2;
    memcpy(text, PING("a"), size);
    size += (size_t)sprintf(text + size, ",\"x\":[0");
    for (unsigned i = 0; i < VALUES_PER_TEXT_MAX; i++)
        size += (size_t)sprintf(text + size, ",{}");
    size += (size_t)sprintf(text + size, "]}");
    server_say_bytes(&s, 1, text, size);
    expect_error(&s, 1, 454, "Invalid Janus API request - more than 50000 values");
    assert_int_equal(server_credits(&s, 1), 2);
    assert_int_equal(control_counters(s.control)->too_many_documents, 1);
    free(text);
    server_end(&s);
}

/* Every prefix of a text is answered once, whatever it is. */
static void test_a_text_cut_anywhere_is_answered_once(void **state)
{
    (void)state;
    static const char text[] = "{\"janus\":\"create\",\"transaction\":\"t\\u00e4\\n\",\"id\":123,\"x\":[1,2.5e3,null,{}]}";
    for (size_t size = 0; size < sizeof(text); size++) {
        server_say_bytes(&s, 1, text, size);
        assert_non_null(server_hear(&s, 1));
        expect_silence(&s, 1);
        assert_int_equal(server_credits(&s, 1), 1);
    }
    server_end(&s);
}

static char *many(unsigned count)
{
    char *text = calloc(count + 1, 64);
    size_t at = 0;
    for (unsigned i = 0; i < count; i++)
        at += (size_t)sprintf(text + at, "{\"janus\":\"ping\",\"transaction\":\"%u\"}", i);
    return text;
}

/* The rest of the turn's work, and all later ones that are due at once; how many there were. */
static unsigned settle(void)
{
    unsigned turns = 0;
    do {
        server_turn(&s);
        assert_true(++turns < 1000);
    } while (control_ops.deadline(s.control) <= s.now);
    return turns;
}

static void test_many_documents_take_several_turns_in_order(void **state)
{
    (void)state;
    char *text = many(DOCUMENTS_PER_TEXT_MAX), expected[64];
    server_post(&s, 1, text);
    server_post(&s, 1, PING("last"));
    server_post(&s, 2, PING("other"));
    server_turn(&s);                                    /* the budget of this turn has gone to the first text */
    expect_silence(&s, 2);
    server_turn(&s);                                    /* from now on they take turns */
    expect_text(&s, 2, "{\"janus\":\"pong\",\"transaction\":\"other\"}");
    assert_true(settle() <= DOCUMENTS_PER_TEXT_MAX / DOCUMENTS_PER_TURN + 1);
    for (unsigned i = 0; i < DOCUMENTS_PER_TEXT_MAX; i++) {
        snprintf(expected, sizeof(expected), "{\"janus\":\"pong\",\"transaction\":\"%u\"}", i);
        expect_text(&s, 1, "%s", expected);
    }
    expect_text(&s, 1, "{\"janus\":\"pong\",\"transaction\":\"last\"}");
    assert_int_equal(server_credits(&s, 1), 2);
    assert_int_equal(server_credits(&s, 2), 1);
    assert_int_equal(control_sizes(s.control).clients, 0);
    assert_int_equal(control_counters(s.control)->replies, DOCUMENTS_PER_TEXT_MAX + 2);
    free(text);
    server_end(&s);
}

static void test_clients_with_many_documents_take_turns(void **state)
{
    (void)state;
    char *text = many(200);
    for (uint32_t n = 1; n <= 4; n++)
        server_post(&s, n, text);
    server_turn(&s);
    server_turn(&s);
    for (uint32_t n = 2; n <= 4; n++)
        assert_non_null(server_hear(&s, n));
    settle();
    for (uint32_t n = 1; n <= 4; n++)
        assert_int_equal(server_credits(&s, n), 1);
    assert_int_equal(control_counters(s.control)->replies, 800);
    free(text);
    server_end(&s);
}

/* A turn parses a bounded number of bytes; what is broken is told when its turn comes, in order. */
static void test_long_texts_are_parsed_in_later_turns(void **state)
{
    (void)state;
    char *text = malloc(PARSE_BYTES_PER_TURN + 100);
    memset(text, ' ', PARSE_BYTES_PER_TURN);
    strcpy(text + PARSE_BYTES_PER_TURN, PING("long"));
    for (uint32_t n = 1; n <= 3; n++)
        server_post(&s, n, text);
    server_post(&s, 2, "{broken");
    server_post(&s, 2, PING("after"));
    expect_silence(&s, 1);                              /* the ring is read on first */
    server_turn(&s);
    expect_text(&s, 1, "{\"janus\":\"pong\",\"transaction\":\"long\"}");
    expect_silence(&s, 2);
    server_turn(&s);
    expect_text(&s, 2, "{\"janus\":\"pong\",\"transaction\":\"long\"}");
    expect_silence(&s, 2);
    expect_silence(&s, 3);
    settle();
    expect_text(&s, 3, "{\"janus\":\"pong\",\"transaction\":\"long\"}");
    expect_error(&s, 2, 454, "Invalid Janus API request - <string>(1,7): string or '}' expected near 'broken'");
    expect_text(&s, 2, "{\"janus\":\"pong\",\"transaction\":\"after\"}");
    assert_int_equal(server_credits(&s, 2), 3);
    assert_int_equal(control_sizes(s.control).clients, 0);
    /* One that goes meanwhile takes its texts with it. */
    server_post(&s, 1, text);
    server_post(&s, 2, text);
    server_gone(&s, 2);
    expect_silence(&s, 2);
    assert_int_equal(control_counters(s.control)->documents_dropped, 1);
    assert_int_equal(server_credits(&s, 2), 1);
    free(text);
    server_end(&s);
}

/* Whoever sends megabytes waits for others who do, not they for them. */
static void test_a_short_text_does_not_wait_for_other_clients_long_ones(void **state)
{
    (void)state;
    char *text = malloc(PARSE_BYTES_PER_TURN + 100);
    memset(text, ' ', PARSE_BYTES_PER_TURN);
    strcpy(text + PARSE_BYTES_PER_TURN, PING("long"));
    for (uint32_t n = 1; n <= 50; n++)
        server_post(&s, n, text);
    server_post(&s, 60, PING("short"));
    server_post(&s, 60, text);
    server_post(&s, 60, PING("behind"));
    server_turn(&s);
    server_turn(&s);
    expect_text(&s, 60, "{\"janus\":\"pong\",\"transaction\":\"short\"}");
    expect_silence(&s, 60);                             /* its own order stays */
    /* And the long ones don't wait for ever for the short ones of others. */
    char *pings = many(200);
    unsigned heard = 0;
    for (unsigned turn = 0; turn < 60; turn++) {
        server_post(&s, 70, pings);
        server_turn(&s);
    }
    for (uint32_t n = 1; n <= 50; n++)
        heard += server_hear(&s, n) != NULL;
    assert_true(heard >= 45);
    settle();
    expect_text(&s, 60, "{\"janus\":\"pong\",\"transaction\":\"long\"}");
    expect_text(&s, 60, "{\"janus\":\"pong\",\"transaction\":\"behind\"}");
    free(pings);
    free(text);
    server_end(&s);
}

/* A flood of one client that came first: the turn reads on, and others have theirs by turns. */
static void test_what_came_first_from_one_client_holds_up_no_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++)
        server_post(&s, 1, PING("flood"));
    server_post(&s, 2, PING("one"));
    server_turn(&s);
    expect_text(&s, 2, "{\"janus\":\"pong\",\"transaction\":\"one\"}");
    assert_true(control_ops.deadline(s.control) <= s.now);        /* the flood isn't through */
    settle();
    for (unsigned i = 0; i < 200; i++)
        assert_non_null(server_hear(&s, 1));
    assert_int_equal(server_credits(&s, 1), 200);
    server_end(&s);
}

static void test_without_room_to_wait_everything_is_answered_at_once(void **state)
{
    (void)state;
    char *text = many(100);
    seam_refuse_pool_at(0);
    server_post(&s, 1, text);
    assert_true(seam_pool_was_refused());
    for (unsigned i = 0; i < DOCUMENTS_PER_TURN; i++)
        assert_non_null(server_hear(&s, 1));
    for (unsigned i = DOCUMENTS_PER_TURN; i < 100; i++)
        expect_error(&s, 1, 490, "Memory error");
    seam_refuse_pool_at(0);
    server_post(&s, 2, text);                           /* the turn's budget is used up */
    expect_error(&s, 2, 490, "Memory error");
    seam_refuse_pool_at(-1);
    settle();
    expect_silence(&s, 1);
    expect_silence(&s, 2);
    assert_int_equal(server_credits(&s, 1), 1);
    assert_int_equal(server_credits(&s, 2), 1);
    assert_int_equal(control_counters(s.control)->clients_refused, 2);
    free(text);
    server_end(&s);
}

static void test_too_many_documents_are_refused_whole(void **state)
{
    (void)state;
    char *text = many(DOCUMENTS_PER_TEXT_MAX + 1);
    server_say(&s, 1, "%s", text);
    expect_error(&s, 1, 454, "Invalid Janus API request - more than 256 documents");
    expect_silence(&s, 1);
    assert_int_equal(server_credits(&s, 1), 1);
    free(text);
    server_end(&s);
}

/* `create`s in flight when their transport goes leave no session behind (janus-api.md, corrections). */
static void test_documents_of_a_client_that_left_are_dropped(void **state)
{
    (void)state;
    char *text = calloc(200, 64);
    for (unsigned i = 0; i < 200; i++)
        strcat(text, "{\"janus\":\"create\",\"transaction\":\"x\"}");
    server_post(&s, 1, text);
    server_gone(&s, 1);
    settle();
    assert_int_equal(control_sizes(s.control).sessions, 0);
    assert_int_equal(control_sizes(s.control).clients, 0);
    assert_int_equal(server_credits(&s, 1), 1);
    assert_int_equal(control_counters(s.control)->documents_dropped, 200 - DOCUMENTS_PER_TURN);
    free(text);
    server_end(&s);
}

static void test_the_end_with_documents_waiting_frees_them(void **state)
{
    (void)state;
    char *text = many(DOCUMENTS_PER_TEXT_MAX);
    server_post(&s, 1, text);                           /* partly done */
    server_post(&s, 1, text);                           /* not even parsed */
    free(text);
    server_end(&s);
}

static void test_an_api_that_does_not_exist_gets_its_credit_and_nothing_else(void **state)
{
    (void)state;
    struct client_request request = {.client = {1, 1}, .api = CLIENT_API_ADMIN + 1};
    server_fact(&s, CONTROL_CLIENT_REQUEST, &request, sizeof(request));
    expect_silence(&s, 1);
    assert_int_equal(server_credits(&s, 1), 1);
    server_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_one_credit_for_each_text_after_its_replies, setup),
        cmocka_unit_test_setup(test_one_broken_document_spoils_its_text, setup),
        cmocka_unit_test_setup(test_texts_that_are_no_json, setup),
        cmocka_unit_test_setup(test_a_depth_bomb_is_an_error, setup),
        cmocka_unit_test_setup(test_an_object_has_so_many_names, setup),
        cmocka_unit_test_setup(test_a_width_bomb_is_an_error, setup),
        cmocka_unit_test_setup(test_a_text_cut_anywhere_is_answered_once, setup),
        cmocka_unit_test_setup(test_many_documents_take_several_turns_in_order, setup),
        cmocka_unit_test_setup(test_clients_with_many_documents_take_turns, setup),
        cmocka_unit_test_setup(test_long_texts_are_parsed_in_later_turns, setup),
        cmocka_unit_test_setup(test_a_short_text_does_not_wait_for_other_clients_long_ones, setup),
        cmocka_unit_test_setup(test_what_came_first_from_one_client_holds_up_no_other, setup),
        cmocka_unit_test_setup(test_without_room_to_wait_everything_is_answered_at_once, setup),
        cmocka_unit_test_setup(test_too_many_documents_are_refused_whole, setup),
        cmocka_unit_test_setup(test_documents_of_a_client_that_left_are_dropped, setup),
        cmocka_unit_test_setup(test_the_end_with_documents_waiting_frees_them, setup),
        cmocka_unit_test_setup(test_an_api_that_does_not_exist_gets_its_credit_and_nothing_else, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
