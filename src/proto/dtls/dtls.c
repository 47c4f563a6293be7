/* One peer's DTLS: hands datagrams to the handshake (handshake.c) until that is done, to the record layer (record.c) from
 * then on, and keeps what is to be polled. After the handshake a stranger's datagram can do one thing only: ask the server
 * for its last flight, at a bounded rate, until the client has proven that it is not needed. */
#include "proto/dtls/dtls.h"

#include "proto/dtls/dtls_internal.h"

#define ALERT_WARNING 1u                /* RFC 5246 7.2 */
#define ALERT_FATAL 2u
#define ALERT_CLOSE_NOTIFY 0u
#define ALERT_BAD_CERTIFICATE 42u
#define ALERT_SIZE 2u
#define FINISHED 20u                    /* RFC 5246 7.4 */
#define DATA_PREFIX sizeof(uint16_t)    /* before each record in dtls_shared.data */

void dtls_pool_init(struct pool *pool, uint32_t limit)
{
    pool_init(pool, "dtls", sizeof(struct dtls), limit);
}

struct dtls *dtls_new(struct pool *pool, struct dtls_shared *shared, const struct dtls_config *config, usec_t now)
{
    struct dtls *dtls = pool_get(pool);
    if (dtls == NULL)
        return NULL;
    dtls->shared = shared;
    dtls->pool = pool;
    list_init(&dtls->tx);
    dtls->give_up = usec_add(now, DTLS_GIVE_UP_US);
    dtls->retransmit = USEC_NEVER;
    dtls->remote = config->remote;
    dtls->mtu = config->mtu > 0 ? config->mtu : shared->mtu;
    if (dtls->mtu > DTLS_DATAGRAM_MAX)
        dtls->mtu = DTLS_DATAGRAM_MAX;
    dtls->role = (uint8_t)config->role;
    dtls->state = DTLS_CREATED;
    if (config->role == DTLS_ROLE_CLIENT)
        dtls_handshake_timeout(dtls, now);
    return dtls;
}

static void tx_drop_first(struct dtls *dtls)
{
    struct list *node = list_pop(&dtls->tx);
    if (node != NULL)
        pool_put(&dtls->shared->datagrams, CONTAINER_OF(node, struct dtls_datagram, node));
    dtls->tx_handed = false;
}

void dtls_free(struct dtls *dtls)
{
    if (dtls == NULL)
        return;
    while (!list_is_empty(&dtls->tx))
        tx_drop_first(dtls);
    if (dtls->shared->data_owner == dtls)
        dtls->shared->data_owner = NULL;
    dtls_handshake_end(dtls);
    X509_free(dtls->certificate);
    struct pool *pool = dtls->pool;
    OPENSSL_cleanse(dtls, sizeof(*dtls));
    pool_put(pool, dtls);
}

void dtls_srtp_keys_wipe(struct dtls_srtp_keys *keys)
{
    OPENSSL_cleanse(keys, sizeof(*keys));
}

void dtls_drop(struct dtls *dtls, uint64_t *counter)
{
    (*counter)++;
    dtls->dropped++;
}

/* ---- output ---- */

struct dtls_datagram *dtls_tx_add(struct dtls *dtls)
{
    if (dtls->held && dtls->held_count >= DTLS_HELD_MAX) {
        dtls->shared->counters.held_dropped++;
        return NULL;
    }
    struct dtls_datagram *datagram = pool_get(&dtls->shared->datagrams);
    if (datagram == NULL) {
        dtls->shared->counters.tx_full++;
        return NULL;
    }
    list_add_tail(&dtls->tx, &datagram->node);
    dtls->held_count += dtls->held;
    return datagram;
}

void dtls_hold(struct dtls *dtls, usec_t now, bool held)
{
    if (dtls->held == held)
        return;
    dtls->held = held;
    dtls->held_count = 0;
    const usec_t later = usec_add(now, DTLS_TIMEOUT_FIRST_US);
    if (!held && dtls->retransmit < later)              /* what has waited is sent now, once */
        dtls->retransmit = later;
}

bool dtls_poll_tx(struct dtls *dtls, struct dtls_tx *out)
{
    if (dtls->tx_handed)
        tx_drop_first(dtls);
    if (list_is_empty(&dtls->tx) || dtls->held)
        return false;
    const struct dtls_datagram *first = CONTAINER_OF(dtls->tx.next, struct dtls_datagram, node);
    dtls->tx_handed = true;
    out->datagram = VIEW(first->bytes, first->size);
    return true;
}

static enum err queue_record(struct dtls *dtls, uint8_t type, struct view data)
{
    struct dtls_datagram *datagram = dtls_tx_add(dtls);
    if (datagram == NULL)
        return ERR_FULL;
    struct writer w = writer_of(datagram->bytes, sizeof(datagram->bytes));
    if (dtls_record_seal(&dtls->record, &dtls->shared->crypto, type, data, &w)) {
        datagram->size = (uint16_t)writer_size(&w);
        return ERR_NONE;
    }
    list_del(&datagram->node);
    pool_put(&dtls->shared->datagrams, datagram);
    return ERR_IO;
}

void dtls_alert(struct dtls *dtls, uint8_t level, uint8_t description)
{
    const uint8_t alert[ALERT_SIZE] = {level, description};
    (void)queue_record(dtls, DTLS_TYPE_ALERT, VIEW(alert, sizeof(alert)));     /* lost: as on any network */
}

enum err dtls_send(struct dtls *dtls, struct view data)
{
    if (dtls->state != DTLS_CONNECTED)
        return ERR_STATE;
    if (data.size == 0 || data.size > DTLS_DATA_MAX)
        return ERR_INVALID;
    return queue_record(dtls, DTLS_TYPE_DATA, data);
}

bool dtls_seal(struct dtls *dtls, struct view data, struct writer *out)
{
    return dtls->state == DTLS_CONNECTED && list_is_empty(&dtls->tx) && data.size > 0 && data.size <= DTLS_DATA_MAX &&
           dtls_record_seal(&dtls->record, &dtls->shared->crypto, DTLS_TYPE_DATA, data, out);
}

/* ---- states ---- */

static void finish(struct dtls *dtls, enum dtls_state state)
{
    dtls->state = (uint8_t)state;
    dtls->give_up = dtls->retransmit = USEC_NEVER;
    dtls->flight_size = 0;
    dtls_handshake_end(dtls);
    X509_free(dtls->certificate);
    dtls->certificate = NULL;
    OPENSSL_cleanse(&dtls->record, sizeof(dtls->record));
    if (!dtls->tell_connected)
        dtls_srtp_keys_wipe(&dtls->keys);
}

/* The end, for whatever cause: CLOSED where there was a connection, FAILED where there was none. */
void dtls_fail(struct dtls *dtls, const char *reason, const char *detail)
{
    if (dtls->state >= DTLS_CLOSED)
        return;
    if (dtls->detail == NULL)
        dtls->detail = detail;
    dtls->reason = reason;
    dtls->tell_end = true;
    if (dtls->state != DTLS_CONNECTED)
        dtls->shared->counters.failed++;
    finish(dtls, dtls->state == DTLS_CONNECTED ? DTLS_CLOSED : DTLS_FAILED);
}

void dtls_settle(struct dtls *dtls)
{
    if (dtls->remote.hash == DTLS_HASH_NONE)
        return;
    if (!dtls_certificate_matches(dtls->certificate, &dtls->remote)) {
        dtls_alert(dtls, ALERT_FATAL, ALERT_BAD_CERTIFICATE);
        dtls_fail(dtls, DTLS_REASON_ALERT, "the remote certificate has another fingerprint");
        return;
    }
    X509_free(dtls->certificate);
    dtls->certificate = NULL;
    dtls->state = DTLS_CONNECTED;
    dtls->give_up = USEC_NEVER;
    dtls->tell_connected = true;
    dtls->shared->counters.connected++;
}

void dtls_set_fingerprint(struct dtls *dtls, usec_t now, const struct dtls_fingerprint *remote)
{
    (void)now;
    if (dtls->state >= DTLS_CONNECTED)
        return;
    dtls->remote = *remote;
    if (dtls->done)
        dtls_settle(dtls);
}

void dtls_close(struct dtls *dtls)
{
    if (dtls->state >= DTLS_CLOSED)
        return;
    if (dtls->done)
        dtls_alert(dtls, ALERT_WARNING, ALERT_CLOSE_NOTIFY);
    dtls->tell_connected = false;
    if (dtls->shared->data_owner == dtls)
        dtls->shared->data_owner = NULL;
    finish(dtls, DTLS_CLOSED);
}

void dtls_confirm(struct dtls *dtls)
{
    dtls->flight_size = 0;
}

/* ---- input ---- */

/* RFC 6347 4.2.4: the client that asks again has not seen our CCS and Finished. Verbatim: same sequence number, same nonce,
 * same bytes, so nothing is sealed twice. */
static void repeat_flight(struct dtls *dtls, usec_t now)
{
    if (dtls->flight_size == 0) {
        dtls_drop(dtls, &dtls->shared->counters.drop_state);
        return;
    }
    if (now < usec_add(dtls->flight_repeated, DTLS_LAST_FLIGHT_EVERY_US))
        return;
    struct dtls_datagram *datagram = dtls_tx_add(dtls);
    if (datagram == NULL)
        return;
    memcpy(datagram->bytes, dtls->flight, dtls->flight_size);
    datagram->size = dtls->flight_size;
    dtls->flight_repeated = now;
    dtls->shared->counters.flights_repeated++;
}

static void on_clear_record(struct dtls *dtls, usec_t now, const struct dtls_header *h)
{
    if (h->type == DTLS_TYPE_HANDSHAKE || h->type == DTLS_TYPE_CCS)
        repeat_flight(dtls, now);
    else
        dtls_drop(dtls, &dtls->shared->counters.drop_clear);
}

/* Any alert ends the PeerConnection, whatever its level (webrtc.md 8). */
static void on_alert(struct dtls *dtls, struct view alert)
{
    if (alert.size != ALERT_SIZE) {
        dtls_drop(dtls, &dtls->shared->counters.drop_content);
        return;
    }
    if (alert.data[1] == ALERT_CLOSE_NOTIFY)
        dtls_alert(dtls, ALERT_WARNING, ALERT_CLOSE_NOTIFY);    /* RFC 5246 7.2.1 */
    dtls_fail(dtls, DTLS_REASON_ALERT, SSL_alert_desc_string_long(alert.data[1]));
}

/* `content` lies in the shared buffer already, behind room for its size: data only has to be counted in. */
static void on_data(struct dtls *dtls, struct view content)
{
    struct dtls_shared *shared = dtls->shared;
    dtls_confirm(dtls);
    if (dtls->state != DTLS_CONNECTED || content.size == 0) {
        dtls_drop(dtls, dtls->state != DTLS_CONNECTED ? &shared->counters.drop_state : &shared->counters.drop_content);
        return;
    }
    write_u16(&shared->data_in, (uint16_t)content.size);
    (void)write_room(&shared->data_in, content.size);
    shared->data_out.end = shared->data_in.at;
}

static void on_content(struct dtls *dtls, usec_t now, uint8_t type, struct view content)
{
    if (type == DTLS_TYPE_DATA) {
        on_data(dtls, content);
    } else if (type == DTLS_TYPE_ALERT) {
        dtls_confirm(dtls);
        on_alert(dtls, content);
    } else if (type == DTLS_TYPE_HANDSHAKE && content.size > 0 && content.data[0] == FINISHED) {
        if (dtls->role == DTLS_ROLE_SERVER)     /* a client has nothing to repeat: the server's Finished was the last word */
            repeat_flight(dtls, now);
    } else {
        dtls_drop(dtls, &dtls->shared->counters.drop_content);      /* renegotiation is not on offer */
    }
}

static void on_protected_record(struct dtls *dtls, usec_t now, const struct dtls_header *h)
{
    struct dtls_shared *shared = dtls->shared;
    struct dtls_counters *c = &shared->counters;
    uint8_t *content = shared->data_in.at + DATA_PREFIX;
    size_t size = 0;
    const enum err err = dtls_record_open(&dtls->record, &shared->crypto, h, content, &size);
    if (err == ERR_NONE)
        on_content(dtls, now, h->type, VIEW(content, size));
    else if (err == ERR_REPLAY)
        dtls_drop(dtls, &c->drop_replay);
    else if (err == ERR_INVALID)
        dtls_drop(dtls, &c->drop_malformed);
    else
        dtls_drop(dtls, &c->drop_auth);
}

/* `since_done`: the datagram in which the handshake came to its end. OpenSSL has read its clear part; what follows Finished
 * in it is ours. Its Finished must not call for our own once more. */
static void record_input(struct dtls *dtls, usec_t now, struct view datagram, bool since_done)
{
    struct dtls_counters *c = &dtls->shared->counters;
    struct reader r = reader_of(datagram);
    struct dtls_header h;
    while (dtls->state < DTLS_CLOSED && dtls_header_next(&r, &h)) {
        if (h.epoch == 0 && !since_done)
            on_clear_record(dtls, now, &h);
        else if (h.epoch == DTLS_EPOCH && h.version == DTLS_VERSION_1_2)
            on_protected_record(dtls, now, &h);
        else if (h.epoch == DTLS_EPOCH)
            dtls_drop(dtls, &c->drop_malformed);
        else if (h.epoch > DTLS_EPOCH)
            dtls_drop(dtls, &c->drop_epoch);
    }
    if (reader_failed(&r))
        dtls_drop(dtls, &c->drop_malformed);
}

void dtls_input(struct dtls *dtls, usec_t now, struct view datagram)
{
    struct dtls_shared *shared = dtls->shared;
    shared->data_owner = dtls;
    shared->data_in = writer_of(shared->data, sizeof(shared->data));
    shared->data_out = reader_of(VIEW(shared->data, 0));
    if (dtls->state >= DTLS_CLOSED) {
        dtls_drop(dtls, &shared->counters.drop_state);
        return;
    }
    if (datagram.size < DTLS_HEADER_SIZE || datagram.size > DTLS_INPUT_MAX) {
        dtls_drop(dtls, &shared->counters.drop_size);
        return;
    }
    if (dtls->done) {
        record_input(dtls, now, datagram, false);
        return;
    }
    dtls_handshake_input(dtls, now, datagram);
    if (dtls->done) {
        dtls->flight_repeated = now;    /* just sent: the Finished in this datagram is no call for it */
        record_input(dtls, now, datagram, true);
    }
}

/* ---- time ---- */

void dtls_timeout(struct dtls *dtls, usec_t now)
{
    if (now >= dtls->give_up) {
        dtls->shared->counters.timed_out++;
        dtls_fail(dtls, DTLS_REASON_TIMEOUT, dtls->done ? "no fingerprint came" : "the handshake was not done in time");
        return;
    }
    if (now >= dtls->retransmit && !dtls->held)
        dtls_handshake_timeout(dtls, now);
}

usec_t dtls_deadline(const struct dtls *dtls)
{
    return dtls->held ? dtls->give_up : usec_min(dtls->give_up, dtls->retransmit);
}

/* ---- events ---- */

static bool take_data(struct dtls *dtls, struct dtls_event *out)
{
    struct dtls_shared *shared = dtls->shared;
    if (shared->data_owner != dtls || reader_left(&shared->data_out) == 0)
        return false;
    out->kind = DTLS_EVENT_DATA;
    out->data = read_view(&shared->data_out, read_u16(&shared->data_out));
    return true;
}

bool dtls_poll_event(struct dtls *dtls, struct dtls_event *out)
{
    *out = (struct dtls_event){0};
    if (dtls->tell_connected) {
        dtls->tell_connected = false;
        out->kind = DTLS_EVENT_CONNECTED;
        out->keys = dtls->keys;
        dtls_srtp_keys_wipe(&dtls->keys);
        return true;
    }
    if (take_data(dtls, out))
        return true;
    if (!dtls->tell_end)
        return false;
    dtls->tell_end = false;
    out->kind = dtls->state == DTLS_CLOSED ? DTLS_EVENT_CLOSED : DTLS_EVENT_FAILED;
    out->reason = dtls->reason;
    out->detail = dtls->detail != NULL ? dtls->detail : "";
    return true;
}

void dtls_get_info(const struct dtls *dtls, struct dtls_info *out)
{
    *out = (struct dtls_info){
        .role = dtls->role,
        .state = dtls->state,
        .profile = dtls->profile,
        .remote = dtls->remote,
        .retransmissions = dtls->retransmissions,
        .dropped = dtls->dropped,
    };
}
