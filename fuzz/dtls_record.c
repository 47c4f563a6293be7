/* One datagram after another, each with a 16-bit size before it. The first byte says for whom: a server that has seen
 * nothing, one that is connected, or one that is connected to a client who seals what the fuzzer wants said. */
#include "base/check.h"
#include "proto/dtls/dtls_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dtls_shared *shared;

static void set_up(void)
{
    static struct dtls_identity *identity;
    char error[DTLS_ERROR_TEXT];
    identity = dtls_identity_new(&(struct dtls_identity_config){0}, error);
    CHECK(identity != NULL);
    shared = dtls_shared_open(&(struct dtls_shared_config){.identity = identity, .accept_selfsigned = true}, error);
    CHECK(shared != NULL);
}

static void derive(struct dtls_record *record, uint8_t mode, bool is_client)
{
    static const uint8_t secret[48];
    const enum dtls_suite suite = (enum dtls_suite)(DTLS_SUITE_AES128_GCM + mode / 3 % 3);
    const struct dtls_secrets secrets = {suite, "SHA256", VIEW(secret, 48), VIEW(secret, 32), VIEW(secret, 32)};
    CHECK(dtls_record_derive(record, &shared->crypto, &secrets, is_client));
}

static void drain(struct dtls *dtls)
{
    struct dtls_tx tx;
    struct dtls_event event;
    while (dtls_poll_tx(dtls, &tx))
        CHECK(tx.datagram.size <= DTLS_DATAGRAM_MAX);
    while (dtls_poll_event(dtls, &event))
        CHECK(event.kind != DTLS_EVENT_DATA || event.data.size > 0);
}

static void one(struct dtls *dtls, struct dtls_record *client, struct view datagram)
{
    uint8_t sealed[DTLS_INPUT_MAX];
    struct writer w = writer_of(sealed, sizeof(sealed));
    if (client != NULL && datagram.size > 0) {
        const struct view said = VIEW(datagram.data + 1, datagram.size - 1);
        const bool fits = dtls_record_seal(client, &shared->crypto, datagram.data[0], said, &w);
        CHECK(fits || said.size > sizeof(sealed) - 64);
        datagram = VIEW(sealed, writer_size(&w));
    }
    dtls_input(dtls, 0, datagram);
    drain(dtls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (shared == NULL)
        set_up();
    struct pool pool;
    struct dtls_record client = {0};
    struct reader r = reader_of(VIEW(data, size));
    const uint8_t mode = read_u8(&r);
    dtls_pool_init(&pool, 1);
    struct dtls *dtls = dtls_new(&pool, shared, &(struct dtls_config){.role = DTLS_ROLE_SERVER}, 0);
    CHECK(dtls != NULL);
    if (mode % 3 > 0) {
        derive(&dtls->record, mode, false);
        derive(&client, mode, true);
        dtls->done = true;
        dtls->state = DTLS_CONNECTED;
        dtls->flight_size = 75;
    }
    while (reader_left(&r) > 2 && !reader_failed(&r)) {
        const size_t want = read_u16(&r), left = reader_left(&r);
        one(dtls, mode % 3 == 2 ? &client : NULL, read_view(&r, want < left ? want : left));
    }
    dtls_free(dtls);
    pool_fini(&pool);
    return 0;
}
