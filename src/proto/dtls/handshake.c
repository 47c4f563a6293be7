/* The handshake: OpenSSL, fed one datagram at a time, between a filter and a BIO.
 *
 *     dtls_input -> screen -> input (one view) -> BIO read  -> SSL_do_handshake
 *                                tx (a list)   <- BIO write <-
 *
 * BIO_s_mem glues datagrams together; ours gives each read exactly one datagram and makes each write one. The BIO also sees
 * what record.c needs to go on where OpenSSL stops: the last sequence number and explicit nonce written in epoch 1, and
 * the server's last flight. */
#include "base/check.h"
#include "proto/dtls/dtls_internal.h"

#define EXPORTER_LABEL "EXTRACTOR-dtls_srtp"    /* RFC 5764 4.2 */
#define CLIENT_HELLO 1u                         /* RFC 5246 7.4, and the next three */
#define CERTIFICATE 11u
#define CERTIFICATE_VERIFY 15u
#define CLIENT_KEY_EXCHANGE 16u
#define EPOCH1_BODY_MIN (DTLS_TAG_SIZE + 1u)    /* shorter than any suite's tag and one byte */
#define ALERT_FATAL 2u                          /* RFC 5246 7.2 */
#define ALERT_HANDSHAKE_FAILURE 40u

/* ---- the datagram BIO ---- */

/* OpenSSL has written these records: go on behind them. */
static void flight_note(struct dtls *dtls, struct view datagram)
{
    struct reader r = reader_of(datagram);
    struct dtls_header h;
    while (dtls_header_next(&r, &h)) {
        if (h.epoch == DTLS_EPOCH) {
            dtls->record.write_seq = h.seq + 1;
            struct reader body = reader_of(h.body);
            dtls->record.write_explicit = read_u64(&body) + 1;
        }
        if (h.epoch != DTLS_EPOCH && h.type != DTLS_TYPE_CCS)
            continue;
        const size_t size = DTLS_HEADER_SIZE + h.body.size;
        if (dtls->flight_size + size <= sizeof(dtls->flight)) {
            memcpy(dtls->flight + dtls->flight_size, h.body.data - DTLS_HEADER_SIZE, size);
            dtls->flight_size = (uint8_t)(dtls->flight_size + size);
        }
    }
}

/* A datagram that finds no buffer is lost, as on any network; saying so would end the handshake. */
static int on_bio_write(BIO *bio, const char *bytes, int size)
{
    struct dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0 || (size_t)size > DTLS_DATAGRAM_MAX)
        return size;
    flight_note(dtls, VIEW(bytes, size));
    struct dtls_datagram *datagram = dtls_tx_add(dtls);
    if (datagram != NULL) {
        memcpy(datagram->bytes, bytes, (size_t)size);
        datagram->size = (uint16_t)size;
    }
    return size;
}

static int on_bio_read(BIO *bio, char *out, int room)
{
    struct dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    const struct view input = dtls->input;
    dtls->input = VIEW(NULL, 0);
    if (input.size == 0 || room <= 0 || input.size > (size_t)room) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(out, input.data, input.size);
    return (int)input.size;
}

/* Seen on 3.0 and 3.5: only FLUSH needs an answer (traps.md). */
static long on_bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int on_bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *dtls_bio_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "one write, one datagram");
    if (method == NULL)
        return NULL;
    if (BIO_meth_set_write(method, on_bio_write) == 1 && BIO_meth_set_read(method, on_bio_read) == 1 &&
        BIO_meth_set_ctrl(method, on_bio_ctrl) == 1 && BIO_meth_set_create(method, on_bio_create) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

void dtls_on_ssl_info(const SSL *ssl, int where, int value)
{
    if ((where & SSL_CB_ALERT) == 0 || (where & SSL_CB_READ) == 0)
        return;
    struct dtls *dtls = SSL_get_app_data(ssl);
    dtls->alerted = true;
    dtls->detail = SSL_alert_desc_string_long(value);
}

/* Asked with 0 for the first time-out, then with the one that has passed. */
static unsigned int on_timer(SSL *ssl, unsigned int us)
{
    (void)ssl;
    if (us == 0)
        return (unsigned int)DTLS_TIMEOUT_FIRST_US;
    return (unsigned int)usec_min((usec_t)us * 2, DTLS_TIMEOUT_LAST_US);
}

/* ---- begin and end ---- */

static SSL *ssl_new(struct dtls *dtls)
{
    SSL *ssl = SSL_new(dtls->shared->ctx);
    BIO *bio = BIO_new(dtls->shared->bio_method);
    if (ssl == NULL || bio == NULL) {
        SSL_free(ssl);
        BIO_free(bio);
        return NULL;
    }
    BIO_set_data(bio, dtls);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_app_data(ssl, dtls);
    DTLS_set_timer_cb(ssl, on_timer);
    if (SSL_set_mtu(ssl, dtls->mtu) != dtls->mtu) {
        SSL_free(ssl);
        return NULL;
    }
    if (dtls->role == DTLS_ROLE_CLIENT)
        SSL_set_connect_state(ssl);
    else
        SSL_set_accept_state(ssl);
    return ssl;
}

void dtls_handshake_end(struct dtls *dtls)
{
    if (dtls->ssl == NULL)
        return;
    SSL_free(dtls->ssl);
    dtls->ssl = NULL;
    CHECK(dtls->shared->handshakes > 0);
    dtls->shared->handshakes--;
}

/* ---- done ---- */

static enum dtls_suite suite_of(const SSL_CIPHER *cipher)
{
    switch (SSL_CIPHER_get_cipher_nid(cipher)) {
    case NID_aes_128_gcm: return DTLS_SUITE_AES128_GCM;
    case NID_aes_256_gcm: return DTLS_SUITE_AES256_GCM;
    case NID_chacha20_poly1305: return DTLS_SUITE_CHACHA20;
    default: return DTLS_SUITE_NONE;
    }
}

static bool take_record_keys(struct dtls *dtls)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(dtls->ssl);
    const EVP_MD *md = cipher == NULL ? NULL : SSL_CIPHER_get_handshake_digest(cipher);
    const SSL_SESSION *session = SSL_get_session(dtls->ssl);
    if (md == NULL || session == NULL)
        return false;
    uint8_t master[SSL_MAX_MASTER_KEY_LENGTH], client[SSL3_RANDOM_SIZE], server[SSL3_RANDOM_SIZE];
    const size_t size = SSL_SESSION_get_master_key(session, master, sizeof(master));
    SSL_get_client_random(dtls->ssl, client, sizeof(client));
    SSL_get_server_random(dtls->ssl, server, sizeof(server));
    const struct dtls_secrets secrets = {
        .suite = suite_of(cipher),
        .digest = EVP_MD_get0_name(md),
        .master = VIEW(master, size),
        .client_random = VIEW(client, sizeof(client)),
        .server_random = VIEW(server, sizeof(server)),
    };
    bool fine = dtls_record_derive(&dtls->record, &dtls->shared->crypto, &secrets, dtls->role == DTLS_ROLE_CLIENT);
    OPENSSL_cleanse(master, sizeof(master));
    return fine;
}

/* RFC 5764 4.2: client key, server key, client salt, server salt. */
static bool take_srtp_keys(struct dtls *dtls)
{
    struct dtls_srtp_keys *keys = &dtls->keys;
    const bool is_cm = dtls->profile == DTLS_SRTP_AES128_CM_SHA1_80 || dtls->profile == DTLS_SRTP_AES128_CM_SHA1_32;
    keys->profile = dtls->profile;
    keys->key_size = dtls->profile == DTLS_SRTP_AEAD_AES_256_GCM ? 32 : 16;
    keys->salt_size = is_cm ? 14 : 12;
    uint8_t out[2 * (sizeof(keys->local_key) + sizeof(keys->local_salt))];
    const size_t size = 2u * ((size_t)keys->key_size + keys->salt_size);
    if (SSL_export_keying_material(dtls->ssl, out, size, EXPORTER_LABEL, strlen(EXPORTER_LABEL), NULL, 0, 0) != 1)
        return false;
    const bool is_client = dtls->role == DTLS_ROLE_CLIENT;
    struct reader r = reader_of(VIEW(out, size));
    read_copy(&r, is_client ? keys->local_key : keys->remote_key, keys->key_size);
    read_copy(&r, is_client ? keys->remote_key : keys->local_key, keys->key_size);
    read_copy(&r, is_client ? keys->local_salt : keys->remote_salt, keys->salt_size);
    read_copy(&r, is_client ? keys->remote_salt : keys->local_salt, keys->salt_size);
    OPENSSL_cleanse(out, sizeof(out));
    return true;
}

/* A handshake without a common profile succeeds, with none (traps.md): say so in a protected alert, and end. */
static void complete(struct dtls *dtls)
{
    if (!take_record_keys(dtls)) {
        dtls_fail(dtls, DTLS_REASON_STACK, "the record keys could not be derived");
        return;
    }
    const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(dtls->ssl);
    if (profile == NULL) {
        dtls_alert(dtls, ALERT_FATAL, ALERT_HANDSHAKE_FAILURE);
        dtls_fail(dtls, DTLS_REASON_ALERT, "no common SRTP profile");
        return;
    }
    dtls->profile = (uint16_t)profile->id;
    dtls->certificate = SSL_get1_peer_certificate(dtls->ssl);
    if (dtls->certificate == NULL || !take_srtp_keys(dtls)) {
        dtls_fail(dtls, DTLS_REASON_STACK, "the SRTP keys could not be exported");
        return;
    }
    dtls->done = true;
    dtls->retransmit = USEC_NEVER;
    if (dtls->role == DTLS_ROLE_CLIENT)
        dtls->flight_size = 0;          /* only the server may have to repeat it: the client was the last to receive */
    dtls_handshake_end(dtls);
    dtls_settle(dtls);
}

/* ---- steps ---- */

static void read_timer(struct dtls *dtls, usec_t now)
{
    struct timeval left;
    dtls->retransmit = USEC_NEVER;
    if (DTLSv1_get_timeout(dtls->ssl, &left) == 1)
        dtls->retransmit = usec_add(now, SEC(left.tv_sec) + (usec_t)left.tv_usec);
}

static const char *library_detail(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return text == NULL ? "" : text;
}

static void step(struct dtls *dtls, usec_t now)
{
    dtls->flight_size = 0;              /* what this step writes may be the last flight */
    ERR_clear_error();
    const int result = SSL_do_handshake(dtls->ssl);
    const int error = SSL_get_error(dtls->ssl, result);
    if (dtls->alerted)
        dtls_fail(dtls, DTLS_REASON_ALERT, dtls->detail);
    else if (result == 1)
        complete(dtls);
    else if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        read_timer(dtls, now);
    else
        dtls_fail(dtls, error == SSL_ERROR_SSL ? DTLS_REASON_ALERT : DTLS_REASON_STACK, library_detail());
    ERR_clear_error();
}

bool dtls_handshake_begin(struct dtls *dtls, usec_t now)
{
    struct dtls_shared *shared = dtls->shared;
    if (shared->handshakes >= shared->handshakes_max) {
        shared->counters.handshakes_deferred++;
        return false;
    }
    ERR_clear_error();
    dtls->ssl = ssl_new(dtls);
    if (dtls->ssl == NULL) {
        dtls_fail(dtls, DTLS_REASON_STACK, library_detail());
        return false;
    }
    shared->handshakes++;
    dtls->state = DTLS_TRYING;
    if (dtls->role == DTLS_ROLE_CLIENT)
        step(dtls, now);
    return dtls->ssl != NULL;
}

/* A clear message that only the other role may be sent: OpenSSL would end the handshake over it, and anybody can forge it
 * (a ClientHello for a client, say). */
static bool is_for_role(const struct dtls *dtls, uint8_t message)
{
    const bool from_client = message == CLIENT_HELLO || message == CERTIFICATE_VERIFY || message == CLIENT_KEY_EXCHANGE;
    return message == CERTIFICATE || from_client == (dtls->role == DTLS_ROLE_SERVER);
}

/* False, and counted, unless this record may be shown to OpenSSL. */
static bool screen_record(struct dtls *dtls, const struct dtls_header *h)
{
    struct dtls_counters *c = &dtls->shared->counters;
    const bool known_version = h->version == DTLS_VERSION_1_2 || h->version == DTLS_VERSION_1_0;
    if (!known_version || h->type < DTLS_TYPE_CCS || h->type > DTLS_TYPE_DATA || h->body.size == 0)
        dtls_drop(dtls, &c->drop_malformed);
    else if (h->epoch > DTLS_EPOCH)
        dtls_drop(dtls, &c->drop_epoch);
    else if (h->epoch == 0 && h->type == DTLS_TYPE_DATA)
        dtls_drop(dtls, &c->drop_clear);
    else if (h->epoch == DTLS_EPOCH && h->body.size < EPOCH1_BODY_MIN)
        dtls_drop(dtls, &c->drop_malformed);
    else if (h->epoch == 0 && h->type == DTLS_TYPE_HANDSHAKE && !is_for_role(dtls, h->body.data[0]))
        dtls_drop(dtls, &c->drop_state);
    else
        return true;
    return false;
}

/* One bad record spoils its datagram: no honest sender mixes them, and OpenSSL reads whole datagrams. Data that overtook
 * Finished is dropped too, where nothing of the handshake travels with it: OpenSSL would keep it, and we free OpenSSL. */
static bool screen(struct dtls *dtls, struct view datagram)
{
    struct dtls_counters *c = &dtls->shared->counters;
    struct reader r = reader_of(datagram);
    struct dtls_header h;
    bool has_handshake = false, is_opening = false;
    unsigned protected = 0;
    while (dtls_header_next(&r, &h)) {
        if (!screen_record(dtls, &h))
            return false;
        protected += h.epoch == DTLS_EPOCH;
        has_handshake = has_handshake || h.type != DTLS_TYPE_DATA;
        is_opening = is_opening || (h.epoch == 0 && h.type == DTLS_TYPE_HANDSHAKE && h.body.data[0] == CLIENT_HELLO);
    }
    if (reader_failed(&r)) {
        dtls_drop(dtls, &c->drop_malformed);
        return false;
    }
    /* A server spends nothing before something that at least says ClientHello. */
    if (!has_handshake || (dtls->ssl == NULL && !(dtls->role == DTLS_ROLE_SERVER && is_opening))) {
        dtls_drop(dtls, &c->drop_state);
        return false;
    }
    if (dtls->handshake_datagrams >= DTLS_HANDSHAKE_DATAGRAMS_MAX ||
        (protected > 0 && dtls->handshake_epoch1 + protected > DTLS_HANDSHAKE_EPOCH1_MAX)) {
        dtls_drop(dtls, &c->drop_flood);
        return false;
    }
    dtls->handshake_datagrams++;
    dtls->handshake_epoch1 = (uint8_t)(dtls->handshake_epoch1 + protected);
    return true;
}

void dtls_handshake_input(struct dtls *dtls, usec_t now, struct view datagram)
{
    if (!screen(dtls, datagram) || (dtls->ssl == NULL && !dtls_handshake_begin(dtls, now)))
        return;
    dtls->input = datagram;
    step(dtls, now);
    dtls->input = VIEW(NULL, 0);
}

void dtls_handshake_timeout(struct dtls *dtls, usec_t now)
{
    if (dtls->ssl == NULL) {            /* a client that found no room to begin */
        dtls->retransmit = usec_add(now, DTLS_TIMEOUT_FIRST_US);
        (void)dtls_handshake_begin(dtls, now);
        return;
    }
    ERR_clear_error();
    const long result = DTLSv1_handle_timeout(dtls->ssl);
    if (result > 0)
        dtls->retransmissions++;
    if (result < 0)
        dtls_fail(dtls, DTLS_REASON_ERROR, library_detail());
    else
        read_timer(dtls, now);
    ERR_clear_error();
}
