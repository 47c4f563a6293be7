/* A client's WebSocket from the first byte to the last: cuts, floods, credits, limits, deadlines, closes. */
#include "support/seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/limits.h"
#include "rig.h"

/* A block as messages come in: the client's from the moment it is sent. */
static uint8_t *block_of(size_t size)
{
    uint8_t *own = mem_get(size);
    memset(own, 'x', size);
    return own;
}

static void send_text(struct rig *r, enum out_kind kind, const char *text)
{
    client_send(&r->env, &r->c, r->now, kind, str_of(text), NULL);
}

static void test_a_conversation_at_every_cut(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    buf_add_text(&b, UPGRADE "\r\n");
    frame_of_client(&b, 0x01, STR("{\"ja"));
    frame_of_client(&b, 0x89, STR("x"));
    frame_of_client(&b, 0x80, STR("nus\":1}"));
    frame_of_client(&b, 0x82, STR("{} {}"));
    frame_of_client(&b, 0x81, STR(""));
    for (size_t step = 1; step <= b.size; step++) {
        struct rig r;
        rig_init(&r);
        r.step = step;
        rig_open(&r, NULL);
        rig_say(&r, buf_view(&b));
        assert_string_equal(rig_texts(&r), "{\"janus\":1}\n{} {}\n\n");
        size_t head = strstr(buf_text(&r.heard), "\r\n\r\n") + 4 - buf_text(&r.heard);
        buf_drop(&r.heard, head);
        assert_string_equal(rig_frames(&r), "p:x");
        assert_int_equal(r.c.state, CLIENT_WEBSOCKET);
        rig_fini(&r);
    }
    buf_fini(&b);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_an_idle_client_holds_no_memory_of_its_own(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, NULL);
    size_t before = seam_mem_outstanding();
    rig_upgrade(&r);
    rig_message(&r, "{\"janus\":\"ping\"}");
    r.step = 7;                                   /* in pieces too */
    rig_message(&r, "{\"janus\":\"ping\"}");
    assert_int_equal(r.text_count, 2);
    send_text(&r, OUT_REPLY, "{\"janus\":\"pong\"}");
    client_credit(&r.env, &r.c);
    client_credit(&r.env, &r.c);
    rig_settle(&r);
    buf_fini(&r.texts);
    buf_fini(&r.heard);
    assert_int_equal(seam_mem_outstanding(), before);
    assert_int_equal(r.env.http_pool.used, 0);
    assert_null(r.c.held);
    assert_true(sizeof(struct client) <= 400);
    rig_fini(&r);
}

static void test_reading_stops_at_the_credits_and_goes_on_in_order(void **state)
{
    (void)state;
    struct rig r;
    struct buf b;
    char text[16];
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    buf_init(&b, 1u << 20);
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "%d", i);
        frame_of_client(&b, 0x81, str_of(text));
    }
    rig_say(&r, buf_view(&b));
    assert_int_equal(r.text_count, IO_CREDITS);
    assert_false(client_wants_input(&r.c));
    assert_int_equal(client_deadline(&r.env, &r.c), USEC_NEVER);   /* its silence is ours */
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(r.text_count, i + IO_CREDITS < 1000 ? i + IO_CREDITS : 1000);
        client_credit(&r.env, &r.c);
        rig_settle(&r);
    }
    assert_true(client_wants_input(&r.c));
    const char *at = rig_texts(&r);
    for (int i = 0; i < 1000; i++, at = strchr(at, '\n') + 1)
        assert_int_equal(atoi(at), i);
    assert_int_equal(r.env.counters.stray_credits, 0);
    client_credit(&r.env, &r.c);
    assert_int_equal(r.env.counters.stray_credits, 1);
    buf_fini(&b);
    rig_fini(&r);
}

static void test_long_texts_count_by_their_bytes(void **state)
{
    (void)state;
    struct rig r;
    struct buf b;
    char *text = malloc(400001);
    assert_non_null(text);
    memset(text, ' ', 400000);
    text[400000] = '\0';
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    buf_init(&b, 1u << 23);
    for (int i = 0; i < 10; i++)
        frame_of_client(&b, 0x81, str_of(text));
    for (size_t at = 0; at < b.size; at += IO_READ_BYTES) {         /* as a socket has it: when it is read */
        while (!client_wants_input(&r.c)) {
            assert_in_range(r.c.credits_used, 1, 3);
            client_credit(&r.env, &r.c);
            rig_settle(&r);
        }
        rig_say(&r, VIEW(b.data + at, b.size - at < IO_READ_BYTES ? b.size - at : IO_READ_BYTES));
    }
    assert_int_equal(r.text_count, 10);
    while (r.c.credits_used > 0)
        client_credit(&r.env, &r.c);
    assert_int_equal(r.c.request_bytes, 0);
    free(text);
    buf_fini(&b);
    rig_fini(&r);
}

static void test_texts_that_are_not_whole_are_bounded_in_sum(void **state)
{
    (void)state;
    struct rig r;
    struct buf b;
    char *text = malloc(200001);
    assert_non_null(text);
    memset(text, ' ', 200000);
    text[200000] = '\0';
    buf_init(&b, 1u << 20);
    frame_of_client(&b, 0x81, str_of(text));
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    rig_say(&r, VIEW(b.data, b.size - 1));
    assert_true(r.env.partial_bytes >= 200000 && r.env.partial_bytes < 600000);
    rig_say(&r, VIEW(b.data + b.size - 1, 1));
    assert_int_equal(r.text_count, 1);
    assert_int_equal(r.env.partial_bytes, 0);

    r.env.partial_bytes = IO_PARTIAL_BYTES_MAX - 1000;              /* others hold that */
    rig_say(&r, VIEW(b.data, 20000));
    assert_false(client_is_gone(&r.c));                             /* short ones pass */
    rig_say(&r, VIEW(b.data + 20000, 60000));
    assert_true(client_is_gone(&r.c));
    assert_string_equal(rig_frames(&r), "C:1009");
    assert_int_equal(r.env.counters.ended[CLIENT_END_PARTIALS_PILED], 1);
    assert_int_equal(r.env.partial_bytes, IO_PARTIAL_BYTES_MAX - 1000);
    rig_say(&r, VIEW(b.data + 80000, 100000));                      /* the peer goes on while we wait for its close */
    assert_null(r.c.ws.text.data);
    free(text);
    buf_fini(&b);
    client_fini(&r.env, &r.c);
    assert_int_equal(r.env.partial_bytes, IO_PARTIAL_BYTES_MAX - 1000);
    r.env.partial_bytes = 0;
    rig_fini(&r);
    assert_int_equal(seam_mem_outstanding(), 0);
}

/* While it isn't read a client can't show that it lives; the clock starts again when it may. */
static void test_waiting_for_credits_is_no_silence(void **state)
{
    (void)state;
    struct rig r;
    struct buf b;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    buf_init(&b, 4096);
    for (unsigned i = 0; i <= IO_CREDITS; i++)
        frame_of_client(&b, 0x81, STR("{}"));
    frame_of_client(&b, 0x81, STR("[]"));
    rig_say(&r, VIEW(b.data, b.size - 1));                          /* the last one is partial */
    rig_run_to(&r, r.now + SEC(500));
    for (unsigned i = 0; i <= IO_CREDITS; i++)
        client_credit(&r.env, &r.c);
    rig_settle(&r);
    assert_int_equal(r.text_count, IO_CREDITS + 1);
    rig_run_to(&r, r.now + SEC(29));
    assert_string_equal(rig_frames(&r), "");
    assert_false(client_is_dead(&r.c));
    rig_say(&r, VIEW(b.data + b.size - 1, 1));
    assert_int_equal(r.text_count, IO_CREDITS + 2);
    buf_fini(&b);
    rig_fini(&r);
}

static void test_replies_that_are_not_read_keep_their_credits(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    r.reads = false;
    for (unsigned i = 0; i < IO_CREDITS; i++) {
        rig_message(&r, "{}");
        send_text(&r, OUT_REPLY, "one");
        send_text(&r, OUT_REPLY, "two");          /* a text of two documents has two replies, and one credit */
        client_credit(&r.env, &r.c);
    }
    assert_int_equal(r.text_count, IO_CREDITS);
    assert_false(client_wants_input(&r.c));
    r.reads = true;
    rig_settle(&r);
    assert_true(client_wants_input(&r.c));
    assert_int_equal(r.c.credits_used, 0);
    assert_int_equal(r.env.counters.stray_credits, 0);
    rig_fini(&r);
}

static void test_long_replies_stop_reading_before_the_credits_do(void **state)
{
    (void)state;
    struct rig r;
    char *big = malloc(IO_REPLY_BYTES_STOP + 2);
    assert_non_null(big);
    memset(big, 'x', IO_REPLY_BYTES_STOP + 1);
    big[IO_REPLY_BYTES_STOP + 1] = '\0';
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    r.reads = false;
    rig_message(&r, "{}");
    send_text(&r, OUT_REPLY, big);
    client_credit(&r.env, &r.c);
    assert_false(client_wants_input(&r.c));
    r.reads = true;
    rig_settle(&r);
    assert_true(client_wants_input(&r.c));
    free(big);
    rig_fini(&r);
}

static void test_a_client_that_reads_no_events_is_closed_at_2000(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    r.reads = false;
    for (unsigned i = 0; i < IO_EVENTS_MAX; i++)
        send_text(&r, OUT_EVENT, "event");
    assert_false(client_is_gone(&r.c));
    send_text(&r, OUT_REPLY, "a reply doesn't count");
    assert_false(client_is_gone(&r.c));
    send_text(&r, OUT_EVENT, "event");
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.env.counters.ended[CLIENT_END_EVENTS_PILED], 1);
    send_text(&r, OUT_EVENT, "later");
    assert_int_equal(r.env.counters.sent_to_gone, 1);
    rig_fini(&r);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_a_client_that_reads_no_events_is_closed_at_4_mib(void **state)
{
    (void)state;
    struct rig r;
    size_t size = 1024 * 1024;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    r.reads = false;
    unsigned count = 0;
    for (; !client_is_gone(&r.c) && count < 10; count++) {
        uint8_t *own = block_of(size);
        client_send(&r.env, &r.c, r.now, OUT_EVENT, VIEW(own, size), own);
    }
    assert_int_equal(count, 4);                   /* the fourth, with its head, would be beyond */
    assert_int_equal(r.env.counters.ended[CLIENT_END_EVENTS_PILED], 1);
    rig_fini(&r);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_one_huge_event_is_delivered(void **state)
{
    (void)state;
    struct rig r;
    size_t size = IO_EVENT_BYTES_MAX + 1000;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    uint8_t *own = block_of(size);
    client_send(&r.env, &r.c, r.now, OUT_EVENT, VIEW(own, size), own);
    assert_false(client_is_gone(&r.c));
    rig_settle(&r);
    assert_int_equal(r.heard.size, size + 10);
    rig_fini(&r);
}

static void test_no_event_passes_behind_a_huge_one(void **state)
{
    (void)state;
    struct rig r;
    size_t size = IO_EVENT_BYTES_MAX + 1000;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    r.reads = false;
    uint8_t *own = block_of(size);
    client_send(&r.env, &r.c, r.now, OUT_EVENT, VIEW(own, size), own);
    assert_false(client_is_gone(&r.c));
    send_text(&r, OUT_EVENT, "event");
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.env.counters.ended[CLIENT_END_EVENTS_PILED], 1);
    rig_fini(&r);
    assert_int_equal(seam_mem_outstanding(), 0);
}

/* A thousand clients that ask for long lists and read none: the sum is bounded, and those who read go on. */
static void test_output_that_waits_is_bounded_in_sum(void **state)
{
    (void)state;
    static const enum out_kind kinds[] = {OUT_REPLY, OUT_EVENT};
    static const enum client_end ends[] = {CLIENT_END_REPLIES_PILED, CLIENT_END_EVENTS_PILED};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct rig r;
        size_t others = IO_QUEUED_BYTES_MAX - 100000, size = IO_QUEUED_BYTES_FREE - 100;
        rig_init(&r);
        rig_open(&r, NULL);
        rig_upgrade(&r);
        r.env.queued_bytes = others;
        uint8_t *own = block_of(size);
        client_send(&r.env, &r.c, r.now, kinds[i], VIEW(own, size), own);
        assert_false(client_is_gone(&r.c));                         /* so much each may have */
        assert_true(r.env.queued_bytes > others + size);
        rig_settle(&r);
        assert_int_equal(r.env.queued_bytes, others);
        r.reads = false;
        own = block_of(size);
        client_send(&r.env, &r.c, r.now, kinds[i], VIEW(own, size), own);
        assert_false(client_is_gone(&r.c));
        own = block_of(1000);
        client_send(&r.env, &r.c, r.now, kinds[i], VIEW(own, 1000), own);
        assert_true(client_is_dead(&r.c));
        assert_int_equal(r.env.counters.ended[ends[i]], 1);
        assert_int_equal(r.env.queued_bytes, others);
        rig_fini(&r);
        assert_int_equal(seam_mem_outstanding(), 0);
    }
}

static void test_replies_have_a_last_limit_too(void **state)
{
    (void)state;
    struct rig r;
    size_t size = 8u * 1024 * 1024;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    r.reads = false;
    for (int i = 0; i < 8; i++) {
        assert_false(client_is_gone(&r.c));
        uint8_t *own = block_of(size);
        client_send(&r.env, &r.c, r.now, OUT_REPLY, VIEW(own, size), own);
    }
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.env.counters.ended[CLIENT_END_REPLIES_PILED], 1);
    rig_fini(&r);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_pings_without_reading_are_bounded(void **state)
{
    (void)state;
    struct rig r;
    struct buf b;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    r.reads = false;
    buf_init(&b, 1u << 20);
    for (unsigned i = 0; i <= IO_EVENTS_MAX; i++)
        frame_of_client(&b, 0x89, STR("p"));
    rig_say(&r, buf_view(&b));
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.env.counters.ended[CLIENT_END_EVENTS_PILED], 1);
    buf_fini(&b);
    rig_fini(&r);
}

static void test_output_taken_byte_by_byte_is_the_same_stream(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    send_text(&r, OUT_REPLY, "first");
    send_text(&r, OUT_EVENT, "");
    send_text(&r, OUT_EVENT, "third");
    uint8_t *own = block_of(40000);
    client_send(&r.env, &r.c, r.now, OUT_EVENT, VIEW(own, 40000), own);
    struct view parts[OUTQ_PARTS];
    while (client_output(&r.env, &r.c, r.now, parts) > 0) {
        buf_add(&r.heard, parts[0].data, 1);
        client_sent(&r.env, &r.c, r.now, 1);
    }
    const char *frames = rig_frames(&r);
    assert_int_equal(strncmp(frames, "T:first|T:|T:third|T:xxx", 24), 0);
    assert_int_equal(strlen(frames), 21 + 40000);
    assert_true(outq_is_empty(&r.c.out));
    assert_int_equal(r.c.out.event_bytes + r.c.out.reply_bytes + r.c.out.events, 0);
    rig_fini(&r);
}

static void test_small_texts_leave_together(void **state)
{
    (void)state;
    struct rig r;
    struct view parts[OUTQ_PARTS];
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    for (int i = 0; i < 500; i++)
        send_text(&r, OUT_EVENT, "0123456789");
    assert_int_equal(client_output(&r.env, &r.c, r.now, parts), 1);
    assert_int_equal(parts[0].size, 500 * 12);
    rig_fini(&r);
}

/* --- Breaking rules --------------------------------------------------------------------------------------------- */

static void assert_ends(struct view bytes, const char *frames, enum client_end end)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    send_text(&r, OUT_EVENT, "queued");
    rig_say(&r, bytes);
    char expected[64];
    snprintf(expected, sizeof(expected), "T:queued|%s", frames);
    assert_string_equal(rig_frames(&r), expected);
    assert_int_equal(r.c.state, CLIENT_CLOSING);
    assert_int_equal(r.c.end, end);
    assert_int_equal(r.env.counters.ended[end], 1);
    rig_say_text(&r, "whatever comes now is dropped");
    rig_run_to(&r, r.now + IO_LINGER_US);
    assert_true(client_is_dead(&r.c));
    rig_fini(&r);
}

static void test_broken_frames_are_answered_by_their_code(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    assert_ends(STR("\x81\x02{}"), "C:1002", CLIENT_END_BROKE_FRAMES);                /* unmasked */
    frame_of_client(&b, 0xC1, STR("{}"));
    assert_ends(buf_view(&b), "C:1002", CLIENT_END_BROKE_FRAMES);
    buf_clear(&b);
    frame_of_client(&b, 0x81, STR("\xFF"));
    assert_ends(buf_view(&b), "C:1007", CLIENT_END_NOT_UTF8);
    assert_ends(VIEW("\x81\xFF\x00\x00\x00\x00\x00\x10\x00\x01\x01\x02\x03\x04", 14), "C:1009", CLIENT_END_TOO_BIG);
    buf_fini(&b);
}

static void test_a_text_of_the_limit_passes(void **state)
{
    (void)state;
    struct rig r;
    char *text = malloc(IO_TEXT_BYTES_MAX + 1);
    assert_non_null(text);
    memset(text, ' ', IO_TEXT_BYTES_MAX);
    text[IO_TEXT_BYTES_MAX] = '\0';
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    rig_message(&r, text);
    assert_int_equal(r.text_count, 1);
    assert_int_equal(r.texts.size, IO_TEXT_BYTES_MAX + 1);
    free(text);
    rig_fini(&r);
}

/* --- Closing ---------------------------------------------------------------------------------------------------- */

static void test_the_peers_close_comes_back_behind_what_is_queued(void **state)
{
    (void)state;
    struct rig r;
    struct buf b;
    buf_init(&b, 4096);
    frame_of_client(&b, 0x88, VIEW("\x0D\xB0" "timeout", 9));       /* 3504: what janus.js sends */
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    send_text(&r, OUT_EVENT, "queued");
    rig_say(&r, buf_view(&b));
    assert_string_equal(rig_frames(&r), "T:queued|C:3504");
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.env.counters.ended[CLIENT_END_PEER], 1);
    rig_fini(&r);

    buf_clear(&b);
    frame_of_client(&b, 0x88, STR(""));
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    rig_say(&r, buf_view(&b));
    assert_string_equal(rig_frames(&r), "C:1005");                  /* empty, as it came */
    assert_true(client_is_dead(&r.c));
    buf_fini(&b);
    rig_fini(&r);
}

static void test_our_close_waits_for_the_peers(void **state)
{
    (void)state;
    struct rig r;
    struct buf b;
    buf_init(&b, 4096);
    frame_of_client(&b, 0x81, STR("{}"));
    frame_of_client(&b, 0x88, VIEW("\x03\xE9", 2));
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    send_text(&r, OUT_EVENT, "queued");
    client_close(&r.env, &r.c, r.now, WS_CODE_GOING_AWAY);
    assert_true(client_is_gone(&r.c));
    send_text(&r, OUT_EVENT, "too late");
    rig_settle(&r);
    assert_string_equal(rig_frames(&r), "T:queued|C:1001");
    assert_false(client_is_dead(&r.c));
    rig_say(&r, buf_view(&b));
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.text_count, 0);
    assert_int_equal(r.env.counters.ended[CLIENT_END_ASKED], 1);
    rig_fini(&r);

    rig_init(&r);                                                   /* the other order: the peer's comes while ours still waits */
    rig_open(&r, NULL);
    rig_upgrade(&r);
    r.reads = false;
    client_close(&r.env, &r.c, r.now, WS_CODE_GOING_AWAY);
    rig_say(&r, buf_view(&b));
    assert_false(client_is_dead(&r.c));
    r.reads = true;
    rig_settle(&r);
    assert_string_equal(rig_frames(&r), "C:1001");
    assert_true(client_is_dead(&r.c));
    buf_fini(&b);
    rig_fini(&r);
}

static void test_our_close_has_timers_of_its_own(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    client_close(&r.env, &r.c, r.now, WS_CODE_NORMAL);
    rig_settle(&r);
    rig_run_to(&r, r.now + IO_LINGER_US - 1);
    assert_false(client_is_dead(&r.c));
    rig_run_to(&r, r.now + 1);
    assert_true(client_is_dead(&r.c));                              /* the peer said nothing */
    rig_fini(&r);

    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    r.reads = false;
    client_close(&r.env, &r.c, r.now, WS_CODE_NORMAL);
    rig_run_to(&r, r.now + IO_CLOSE_US - 1);
    assert_false(client_is_dead(&r.c));
    rig_run_to(&r, r.now + 1);
    assert_true(client_is_dead(&r.c));                              /* the close never got out */
    rig_fini(&r);
}

static void test_a_lost_connection_is_gone_at_once(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct rig r;
        rig_init(&r);
        rig_open(&r, NULL);
        rig_upgrade(&r);
        r.reads = false;
        send_text(&r, OUT_EVENT, "nobody reads it");
        client_input_ended(&r.env, &r.c, broken == 1);
        assert_true(client_is_dead(&r.c));
        assert_int_equal(r.env.counters.ended[CLIENT_END_PEER], 1);
        rig_fini(&r);
    }
    assert_int_equal(seam_mem_outstanding(), 0);
}

/* --- Deadlines -------------------------------------------------------------------------------------------------- */

static void test_the_first_request_has_ten_seconds(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, NULL);
    const char *dribble = UPGRADE;
    usec_t start = r.now;
    for (int i = 0; i < 9; i++) {                                   /* a byte a second doesn't wind the clock */
        rig_run_to(&r, start + SEC(i + 1));
        rig_say(&r, VIEW(dribble + i, 1));
    }
    assert_false(client_is_dead(&r.c));
    rig_run_to(&r, start + IO_FIRST_REQUEST_US);
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.env.counters.ended[CLIENT_END_NO_REQUEST], 1);
    rig_fini(&r);
}

static void test_a_message_has_a_minute(void **state)
{
    (void)state;
    struct rig r;
    struct buf b;
    buf_init(&b, 4096);
    frame_of_client(&b, 0x01, STR("a"));
    frame_of_client(&b, 0x00, STR("b"));
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    usec_t start = r.now;
    rig_say(&r, buf_view(&b));
    for (int i = 1; i < 6; i++) {
        rig_run_to(&r, start + SEC(10 * i));
        rig_say(&r, VIEW(b.data + 7, 7));                           /* more fragments don't wind it */
    }
    assert_false(client_is_dead(&r.c));
    rig_run_to(&r, start + IO_PARTIAL_US);
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.env.counters.ended[CLIENT_END_PARTIAL], 1);
    rig_fini(&r);

    rig_init(&r);                                                   /* whole messages, the next one begun each time: no trouble */
    rig_open(&r, NULL);
    rig_upgrade(&r);
    buf_clear(&b);
    frame_of_client(&b, 0x81, STR("{}"));
    rig_say(&r, VIEW(b.data, 1));
    for (int i = 0; i < 10; i++) {
        rig_run_to(&r, r.now + SEC(20));
        rig_say(&r, VIEW(b.data + 1, b.size - 1));
        client_credit(&r.env, &r.c);
        rig_say(&r, VIEW(b.data, 1));
    }
    assert_int_equal(r.text_count, 10);
    assert_false(client_is_dead(&r.c));
    buf_fini(&b);
    rig_fini(&r);
}

static void test_silence_brings_a_ping_and_then_the_end(void **state)
{
    (void)state;
    struct rig r;
    struct buf b;
    buf_init(&b, 64);
    frame_of_client(&b, 0x8A, STR(""));
    rig_init(&r);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    usec_t start = r.now;
    rig_run_to(&r, start + SEC(30) - 1);
    assert_string_equal(rig_frames(&r), "");
    rig_run_to(&r, start + SEC(30));
    assert_string_equal(rig_frames(&r), "P:");
    rig_run_to(&r, start + SEC(35));
    rig_say(&r, buf_view(&b));                                      /* a pong is proof of life */
    rig_run_to(&r, start + SEC(65));
    assert_string_equal(rig_frames(&r), "P:");
    rig_run_to(&r, start + SEC(75) - 1);
    assert_false(client_is_dead(&r.c));
    rig_run_to(&r, start + SEC(75));
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.env.counters.ended[CLIENT_END_NO_PONG], 1);
    buf_fini(&b);
    rig_fini(&r);
}

static void test_output_that_never_leaves_ends_the_client(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.rules.ping_trigger_us = SEC(3000);
    rig_open(&r, NULL);
    rig_upgrade(&r);
    rig_run_to(&r, r.now + SEC(500));
    r.reads = false;
    usec_t start = r.now;
    send_text(&r, OUT_EVENT, "event");
    rig_run_to(&r, start + SEC(30));
    send_text(&r, OUT_EVENT, "another doesn't wind the clock");
    rig_run_to(&r, start + IO_STALL_US - 1);
    assert_false(client_is_dead(&r.c));
    rig_run_to(&r, start + IO_STALL_US);
    assert_true(client_is_dead(&r.c));
    assert_int_equal(r.env.counters.ended[CLIENT_END_STALLED], 1);
    rig_fini(&r);
}

/* --- Handshakes ------------------------------------------------------------------------------------------------- */

static void test_a_wrong_subprotocol_is_closed_without_a_word(void **state)
{
    (void)state;
    static const char *const fields[] = {"", "Sec-WebSocket-Protocol: janus-admin-protocol\r\n", "Sec-WebSocket-Protocol: http-only\r\n"};
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        struct rig r;
        char text[512];
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", fields[i]);
        rig_init(&r);
        rig_open(&r, NULL);
        rig_say_text(&r, text);
        assert_true(client_is_dead(&r.c));
        assert_string_equal(rig_heard(&r), "");
        assert_int_equal(r.env.counters.ended[CLIENT_END_NO_SUBPROTOCOL], 1);
        rig_fini(&r);
    }
}

static void test_the_101_carries_cors_fields(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, NULL);
    rig_say_text(&r, UPGRADE "Origin: http://b.example\r\nAccess-Control-Request-Headers: x-a\r\n\r\n");
    const char *heard = rig_heard(&r);
    assert_non_null(strstr(heard, "Access-Control-Allow-Origin: *\r\n"));
    assert_null(strstr(heard, "Access-Control-Allow-Headers"));
    assert_null(strstr(heard, "Extensions"));
    rig_fini(&r);

    rig_init(&r);
    r.rules.allow_origin = "http://a.example";
    rig_open(&r, NULL);
    rig_say_text(&r, UPGRADE "Access-Control-Request-Headers: x-a\r\nAccess-Control-Request-Methods: GET\r\n\r\n");
    heard = rig_heard(&r);
    assert_non_null(strstr(heard, "Access-Control-Allow-Origin: http://a.example\r\n"));
    assert_non_null(strstr(heard, "Access-Control-Allow-Headers: x-a\r\n"));
    assert_non_null(strstr(heard, "Access-Control-Allow-Methods: GET\r\n"));
    rig_fini(&r);
}

static bool origin_passes(const char *allowed, const char *field)
{
    struct rig r;
    char text[1024];
    snprintf(text, sizeof(text), UPGRADE "%s\r\n", field);
    rig_init(&r);
    r.rules.allow_origin = allowed;
    r.rules.enforce_cors = true;
    rig_open(&r, NULL);
    rig_say_text(&r, text);
    bool passes = r.c.state == CLIENT_WEBSOCKET;
    assert_true(passes || (client_is_dead(&r.c) && r.heard.size == 0));
    assert_int_equal(r.env.counters.ended[CLIENT_END_WRONG_ORIGIN], passes ? 0 : 1);
    rig_fini(&r);
    return passes;
}

static void test_enforced_origins(void **state)
{
    (void)state;
    char longest[400] = "Origin: http://a.example:";
    memset(longest + strlen(longest), '1', 255);
    strcat(longest, "\r\n");
    assert_true(origin_passes("http://a.example", "Origin: http://a.example\r\n"));
    assert_true(origin_passes("http://a.example", "Origin: http://a.example:8080\r\n"));
    assert_true(origin_passes("https://", "Origin: https://b.example\r\n"));
    assert_true(origin_passes("http", "Origin: http://b.example\r\n"));
    assert_false(origin_passes("http://a.example", "Origin: http://a.example.evil\r\n"));
    assert_false(origin_passes("http://a.example", "Origin: http://b.example\r\n"));
    assert_false(origin_passes("http://a.example", "Origin:\r\n"));
    assert_false(origin_passes("http://a.example", ""));
    assert_false(origin_passes("http://a.example", longest));
}

static bool acl_passes(const char *acl, const char *addr, bool forwarded, const char *field)
{
    struct rig r;
    char text[2048];
    snprintf(text, sizeof(text), UPGRADE "%s\r\n", field);
    rig_init(&r);
    r.origin.acl = acl;
    r.origin.acl_forwarded = forwarded;
    if (addr == NULL)
        r.addr = (struct net_addr){0};
    else
        assert_true(net_ip_parse(&r.addr, str_of(addr)));
    rig_open(&r, NULL);
    rig_say_text(&r, text);
    assert_true(str_starts(buf_view(&r.heard), STR("HTTP/1.1 101 ")));      /* refused or not (transports.md 3.3) */
    bool passes = r.c.state == CLIENT_WEBSOCKET;
    assert_true(passes || client_is_dead(&r.c));
    rig_fini(&r);
    return passes;
}

static void test_access_lists(void **state)
{
    (void)state;
    assert_true(acl_passes(NULL, "192.0.2.7", true, "X-Forwarded-For: 203.0.113.9\r\n"));
    assert_true(acl_passes("10.,192.0.2.7", "192.0.2.7", false, ""));
    assert_false(acl_passes("10.0.0.1", "10.0.0.10", false, ""));            /* PR 3637: never a substring */
    assert_true(acl_passes("10.0.0.1", "::ffff:10.0.0.1", false, ""));
    assert_true(acl_passes("10.0.0.1", NULL, false, ""));                    /* a unix socket */
    assert_true(acl_passes("192.0.2.,203.0.113.9", "192.0.2.7", true, "X-Forwarded-For: 203.0.113.9, 10.1.1.1\r\n"));
    assert_true(acl_passes("192.0.2.", "192.0.2.7", true, ""));
    assert_false(acl_passes("192.0.2.", "192.0.2.7", true, "X-Forwarded-For: 203.0.113.9\r\n"));
    assert_false(acl_passes("192.0.2.", "192.0.2.7", true, "X-Forwarded-For: unknown\r\n"));
    assert_false(acl_passes("192.0.2.", "192.0.2.7", true, "X-Forwarded-For:\r\n"));
    assert_false(acl_passes("192.0.2.", NULL, true, "X-Forwarded-For: 203.0.113.9\r\n"));
    assert_true(acl_passes("192.0.2.", "192.0.2.7", false, "X-Forwarded-For: 203.0.113.9\r\n"));
}

static void test_a_full_pool_refuses_the_client(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r, NULL);
    struct client other = {0};
    seam_refuse_pool_at(0);
    assert_false(client_open(&r.env, &other, &r.origin, &r.addr, r.now));
    seam_refuse_pool_at(-1);
    assert_true(client_open(&r.env, &other, &r.origin, &r.addr, r.now));
    client_fini(&r.env, &other);
    rig_fini(&r);
    assert_int_equal(seam_mem_outstanding(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_conversation_at_every_cut),
        cmocka_unit_test(test_an_idle_client_holds_no_memory_of_its_own),
        cmocka_unit_test(test_reading_stops_at_the_credits_and_goes_on_in_order),
        cmocka_unit_test(test_long_texts_count_by_their_bytes),
        cmocka_unit_test(test_texts_that_are_not_whole_are_bounded_in_sum),
        cmocka_unit_test(test_waiting_for_credits_is_no_silence),
        cmocka_unit_test(test_replies_that_are_not_read_keep_their_credits),
        cmocka_unit_test(test_long_replies_stop_reading_before_the_credits_do),
        cmocka_unit_test(test_a_client_that_reads_no_events_is_closed_at_2000),
        cmocka_unit_test(test_a_client_that_reads_no_events_is_closed_at_4_mib),
        cmocka_unit_test(test_one_huge_event_is_delivered),
        cmocka_unit_test(test_no_event_passes_behind_a_huge_one),
        cmocka_unit_test(test_output_that_waits_is_bounded_in_sum),
        cmocka_unit_test(test_replies_have_a_last_limit_too),
        cmocka_unit_test(test_pings_without_reading_are_bounded),
        cmocka_unit_test(test_output_taken_byte_by_byte_is_the_same_stream),
        cmocka_unit_test(test_small_texts_leave_together),
        cmocka_unit_test(test_broken_frames_are_answered_by_their_code),
        cmocka_unit_test(test_a_text_of_the_limit_passes),
        cmocka_unit_test(test_the_peers_close_comes_back_behind_what_is_queued),
        cmocka_unit_test(test_our_close_waits_for_the_peers),
        cmocka_unit_test(test_our_close_has_timers_of_its_own),
        cmocka_unit_test(test_a_lost_connection_is_gone_at_once),
        cmocka_unit_test(test_the_first_request_has_ten_seconds),
        cmocka_unit_test(test_a_message_has_a_minute),
        cmocka_unit_test(test_silence_brings_a_ping_and_then_the_end),
        cmocka_unit_test(test_output_that_never_leaves_ends_the_client),
        cmocka_unit_test(test_a_wrong_subprotocol_is_closed_without_a_word),
        cmocka_unit_test(test_the_101_carries_cors_fields),
        cmocka_unit_test(test_enforced_origins),
        cmocka_unit_test(test_access_lists),
        cmocka_unit_test(test_a_full_pool_refuses_the_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
