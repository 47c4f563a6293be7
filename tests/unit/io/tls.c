/* A client behind TLS: the same connection, with records in between. */
#include "support/seams.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/limits.h"
#include "rig.h"
#include "tls_pair.h"

static struct tls_shared *shared;
static SSL_CTX *ctx;

static int make_tls(void **state)
{
    (void)state;
    char *cert, *key, error[TLS_ERROR_TEXT];
    make_identity(&cert, &key, NULL);
    struct tls_config config = {.cert_pem = str_of(cert), .key_pem = str_of(key)};
    shared = tls_shared_new(&config, error);
    free(cert);
    free(key);
    ctx = SSL_CTX_new(TLS_client_method());
    return shared != NULL && ctx != NULL ? 0 : -1;
}

static int drop_tls(void **state)
{
    (void)state;
    SSL_CTX_free(ctx);
    tls_shared_free(shared);
    return 0;
}

struct peer {
    struct rig r;
    SSL *ssl;
    BIO *in, *out;
};

static void peer_open(struct peer *p)
{
    rig_init(&p->r);
    p->r.origin.tls = shared;
    rig_open(&p->r, NULL);
    p->ssl = SSL_new(ctx);
    p->in = BIO_new(BIO_s_mem());
    p->out = BIO_new(BIO_s_mem());
    SSL_set_bio(p->ssl, p->in, p->out);
    SSL_set_connect_state(p->ssl);
}

static void peer_close(struct peer *p)
{
    SSL_free(p->ssl);
    rig_fini(&p->r);
}

/* What either side has goes to the other. */
static void pump(struct peer *p)
{
    uint8_t bytes[16384];
    for (int size; (size = BIO_read(p->out, bytes, sizeof(bytes))) > 0;)
        rig_say(&p->r, VIEW(bytes, size));
    rig_settle(&p->r);
    if (p->r.heard.size > 0)
        BIO_write(p->in, p->r.heard.data, (int)p->r.heard.size);
    buf_clear(&p->r.heard);
}

static bool handshake(struct peer *p)
{
    for (int i = 0; i < 10; i++) {
        int result = SSL_do_handshake(p->ssl);
        if (result != 1 && SSL_get_error(p->ssl, result) != SSL_ERROR_WANT_READ)
            return false;
        pump(p);
        if (result == 1 && !client_in_handshake(&p->r.c))
            return true;
    }
    return false;
}

static void say(struct peer *p, struct view bytes)
{
    size_t done;
    assert_int_equal(SSL_write_ex(p->ssl, bytes.data, bytes.size, &done), 1);
    pump(p);
}

/* Clear bytes that came; they replace what is in `heard` so that rig_frames reads them. */
static void hear(struct peer *p)
{
    uint8_t bytes[16384];
    size_t size;
    pump(p);
    while (SSL_read_ex(p->ssl, bytes, sizeof(bytes), &size) == 1)
        buf_add(&p->r.heard, bytes, size);
}

static void upgrade(struct peer *p)
{
    assert_true(handshake(p));
    say(p, str_of(UPGRADE "\r\n"));
    hear(p);
    assert_int_equal(p->r.c.state, CLIENT_WEBSOCKET);
    buf_clear(&p->r.heard);
}

static void test_a_conversation_in_pieces(void **state)
{
    (void)state;
    static const size_t steps[] = {0, 1, 2, 3, 7, 50, 1000};
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        struct peer p;
        struct buf b;
        buf_init(&b, 4096);
        peer_open(&p);
        p.r.step = steps[i];
        upgrade(&p);
        frame_of_client(&b, 0x81, STR("{\"a\":1}"));
        frame_of_client(&b, 0x81, STR("{\"b\":2}"));
        say(&p, buf_view(&b));
        assert_string_equal(rig_texts(&p.r), "{\"a\":1}\n{\"b\":2}\n");
        client_send(&p.r.env, &p.r.c, p.r.now, OUT_REPLY, STR("answer"), NULL);
        hear(&p);
        assert_string_equal(rig_frames(&p.r), "T:answer");
        buf_fini(&b);
        peer_close(&p);
    }
    assert_int_equal(seam_mem_outstanding(), 1);             /* the shared context */
}

static void test_what_is_decrypted_counts_against_the_credits(void **state)
{
    (void)state;
    struct peer p;
    struct buf b;
    buf_init(&b, 1u << 20);
    for (int i = 0; i < 1500; i++)
        frame_of_client(&b, 0x81, STR("{}"));                /* 12,000 bytes: one record */
    peer_open(&p);
    upgrade(&p);
    say(&p, buf_view(&b));
    assert_int_equal(p.r.text_count, IO_CREDITS);
    assert_false(client_wants_input(&p.r.c));
    for (unsigned i = 0; i < 1500; i++) {
        client_credit(&p.r.env, &p.r.c);
        pump(&p);
    }
    assert_int_equal(p.r.text_count, 1500);
    assert_true(client_wants_input(&p.r.c));
    buf_fini(&b);
    peer_close(&p);
}

static void test_long_output_comes_in_records_and_credits_follow(void **state)
{
    (void)state;
    struct peer p;
    struct buf b;
    buf_init(&b, 64);
    frame_of_client(&b, 0x81, STR("{}"));
    peer_open(&p);
    upgrade(&p);
    say(&p, buf_view(&b));
    p.r.reads = false;
    uint8_t *own = mem_get(300000);
    memset(own, 'x', 300000);
    client_send(&p.r.env, &p.r.c, p.r.now, OUT_REPLY, VIEW(own, 300000), own);
    client_credit(&p.r.env, &p.r.c);
    assert_int_equal(p.r.c.credits_used, 1);
    assert_false(client_wants_input(&p.r.c));                /* IO_REPLY_BYTES_STOP */
    p.r.reads = true;
    hear(&p);
    assert_int_equal(p.r.c.credits_used, 0);
    assert_int_equal(p.r.heard.size, 300000 + 10);
    assert_int_equal(strncmp(rig_frames(&p.r), "T:xxxx", 6), 0);
    buf_fini(&b);
    peer_close(&p);
}

static void test_a_reader_that_stops_is_bounded_behind_tls_too(void **state)
{
    (void)state;
    struct peer p;
    peer_open(&p);
    upgrade(&p);
    p.r.reads = false;
    for (unsigned i = 0; i <= IO_EVENTS_MAX; i++)
        client_send(&p.r.env, &p.r.c, p.r.now, OUT_EVENT, STR("event"), NULL);
    assert_true(client_is_dead(&p.r.c));
    assert_int_equal(p.r.env.counters.ended[CLIENT_END_EVENTS_PILED], 1);
    peer_close(&p);
}

static void test_our_close_ends_tls_too(void **state)
{
    (void)state;
    struct peer p;
    struct buf b;
    buf_init(&b, 64);
    frame_of_client(&b, 0x88, VIEW("\x03\xE8", 2));
    peer_open(&p);
    upgrade(&p);
    say(&p, buf_view(&b));
    hear(&p);
    assert_string_equal(rig_frames(&p.r), "C:1000");
    assert_int_equal(SSL_get_shutdown(p.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    assert_true(client_is_dead(&p.r.c));
    buf_fini(&b);
    peer_close(&p);
}

static void test_the_peers_close_notify_is_the_end(void **state)
{
    (void)state;
    struct peer p;
    peer_open(&p);
    upgrade(&p);
    SSL_shutdown(p.ssl);
    pump(&p);
    assert_true(client_is_dead(&p.r.c));
    assert_int_equal(p.r.env.counters.ended[CLIENT_END_PEER], 1);
    peer_close(&p);
}

static void test_no_tls_is_no_client(void **state)
{
    (void)state;
    struct peer p;
    peer_open(&p);
    rig_say_text(&p.r, UPGRADE "\r\n");
    assert_true(client_is_dead(&p.r.c));
    assert_int_equal(p.r.env.counters.ended[CLIENT_END_TLS_FAILED], 1);
    peer_close(&p);
}

static void test_a_handshake_has_ten_seconds_with_its_request(void **state)
{
    (void)state;
    struct peer p;
    peer_open(&p);
    SSL_do_handshake(p.ssl);
    usec_t start = p.r.now;
    rig_run_to(&p.r, start + SEC(9));
    pump(&p);
    assert_false(client_is_dead(&p.r.c));
    rig_run_to(&p.r, start + IO_FIRST_REQUEST_US);
    assert_true(client_is_dead(&p.r.c));
    assert_int_equal(p.r.env.counters.ended[CLIENT_END_NO_REQUEST], 1);
    peer_close(&p);
}

static void test_an_idle_client_holds_no_buffer_of_ours(void **state)
{
    (void)state;
    struct peer p;
    peer_open(&p);
    size_t before = seam_mem_outstanding();
    upgrade(&p);
    buf_fini(&p.r.heard);
    buf_fini(&p.r.texts);
    assert_int_equal(seam_mem_outstanding(), before);
    peer_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_conversation_in_pieces),
        cmocka_unit_test(test_what_is_decrypted_counts_against_the_credits),
        cmocka_unit_test(test_long_output_comes_in_records_and_credits_follow),
        cmocka_unit_test(test_a_reader_that_stops_is_bounded_behind_tls_too),
        cmocka_unit_test(test_our_close_ends_tls_too),
        cmocka_unit_test(test_the_peers_close_notify_is_the_end),
        cmocka_unit_test(test_no_tls_is_no_client),
        cmocka_unit_test(test_a_handshake_has_ten_seconds_with_its_request),
        cmocka_unit_test(test_an_idle_client_holds_no_buffer_of_ours),
    };
    return cmocka_run_group_tests(tests, make_tls, drop_tls);
}
