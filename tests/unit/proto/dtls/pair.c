#include "pair.h"

#include <sys/time.h>

#include "base/list.h"
#include "base/mem.h"

#define EPOCH_S 1700000000

usec_t virtual_now;
unsigned clock_reads;

/* libssl's retransmission timers read this one and nothing else. */
__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    (void)zone;
    clock_reads++;
    tv->tv_sec = (time_t)(EPOCH_S + virtual_now / SEC(1));
    tv->tv_usec = (suseconds_t)(virtual_now % SEC(1));
    return 0;
}

struct packet {
    struct list node;
    int to;
    usec_t due;
    size_t size;
    uint8_t bytes[];
};

static struct dtls_identity *generated[2];

const struct dtls_identity *identity_p256(int side)
{
    char error[DTLS_ERROR_TEXT];
    if (generated[side] == NULL)
        generated[side] = dtls_identity_new(&(struct dtls_identity_config){0}, error);
    assert_non_null(generated[side]);
    return generated[side];
}

void identities_fini(void)
{
    for (int i = 0; i < 2; i++) {
        dtls_identity_free(generated[i]);
        generated[i] = NULL;
    }
}

void pair_open(struct pair *pair, const struct pair_options *o)
{
    *pair = (struct pair){.latency = MSEC(5), .random = 1};
    list_init(&pair->wire);
    virtual_now = SEC(1000);
    for (int i = 0; i < 2; i++) {
        struct side *s = &pair->side[i];
        s->identity = o->identity[i] != NULL ? o->identity[i] : identity_p256(i);
        const struct dtls_shared_config config = {
            .identity = s->identity,
            .ciphers = o->ciphers,
            .accept_selfsigned = !o->refuse_selfsigned[i],
            .trust_pem = o->trust_pem,
            .mtu = o->mtu,
            .datagrams_max = o->datagrams_max,
            .handshakes_max = o->handshakes_max,
        };
        char error[DTLS_ERROR_TEXT];
        s->shared = dtls_shared_open(&config, error);
        assert_string_equal(error, "");
        assert_non_null(s->shared);
        dtls_pool_init(&s->pool, 10);
    }
}

void pair_start(struct pair *pair, const struct pair_options *o)
{
    for (int i = 0; i < 2; i++) {
        struct side *s = &pair->side[i];
        struct dtls_config config = {
            .role = i == CLIENT ? DTLS_ROLE_CLIENT : DTLS_ROLE_SERVER,
            .remote = o->expect[i].hash != DTLS_HASH_NONE ? o->expect[i]
                                                          : *dtls_identity_fingerprint(pair->side[1 - i].identity),
        };
        if (o->no_fingerprint[i])
            config.remote = (struct dtls_fingerprint){0};
        s->dtls = dtls_new(&s->pool, s->shared, &config, virtual_now);
    }
}

void pair_init(struct pair *pair, const struct pair_options *options)
{
    pair_open(pair, options);
    pair_start(pair, options);
    for (int i = 0; i < 2; i++)
        assert_non_null(pair->side[i].dtls);
}

void pair_fini(struct pair *pair)
{
    for (struct list *node; (node = list_pop(&pair->wire)) != NULL;)
        mem_put(CONTAINER_OF(node, struct packet, node));
    for (int i = 0; i < 2; i++) {
        dtls_free(pair->side[i].dtls);
        pool_fini(&pair->side[i].pool);
        dtls_shared_close(pair->side[i].shared);
    }
}

static void put_on_wire(struct pair *pair, int to, usec_t delay, struct view datagram)
{
    struct packet *packet = mem_get(sizeof(*packet) + datagram.size);
    packet->to = to;
    packet->due = virtual_now + pair->latency + delay;
    packet->size = datagram.size;
    memcpy(packet->bytes, datagram.data, datagram.size);
    list_add_tail(&pair->wire, &packet->node);
}

static void send_one(struct pair *pair, int from, struct view datagram)
{
    struct side *s = &pair->side[from];
    const unsigned n = s->sent++;
    if (datagram.size > s->largest)
        s->largest = datagram.size;
    switch (pair->fate == NULL ? FATE_DELIVER : pair->fate(pair, from, n, datagram)) {
    case FATE_TWICE:
        put_on_wire(pair, 1 - from, 0, datagram);
        put_on_wire(pair, 1 - from, MSEC(1), datagram);
        break;
    case FATE_DELIVER:
        put_on_wire(pair, 1 - from, 0, datagram);
        break;
    case FATE_LATE:
        put_on_wire(pair, 1 - from, MSEC(7), datagram);
        break;
    case FATE_DROP:
        break;
    }
}

static void note_event(struct side *s, const struct dtls_event *event)
{
    assert_false(s->closed || s->failed);
    switch (event->kind) {
    case DTLS_EVENT_CONNECTED:
        assert_false(s->connected);
        s->connected = true;
        s->keys = event->keys;
        break;
    case DTLS_EVENT_DATA:
        assert_true(s->connected);
        assert_true(s->data_size + event->data.size <= DATA_ROOM);
        memcpy(s->data + s->data_size, event->data.data, event->data.size);
        s->data_size += event->data.size;
        s->data_events++;
        break;
    case DTLS_EVENT_CLOSED:
    case DTLS_EVENT_FAILED:
        assert_int_equal(s->connected, event->kind == DTLS_EVENT_CLOSED);
        s->closed = event->kind == DTLS_EVENT_CLOSED;
        s->failed = event->kind == DTLS_EVENT_FAILED;
        s->ended_at = virtual_now;
        s->reason = event->reason;
        s->detail = event->detail;
        assert_non_null(event->reason);
        assert_non_null(event->detail);
        break;
    }
}

void pair_drain(struct pair *pair, int side)
{
    struct side *s = &pair->side[side];
    struct dtls_event event;
    struct dtls_tx tx;
    while (dtls_poll_event(s->dtls, &event))
        note_event(s, &event);
    while (dtls_poll_tx(s->dtls, &tx))
        send_one(pair, side, tx.datagram);
}

void pair_input(struct pair *pair, int side, struct view datagram)
{
    dtls_input(pair->side[side].dtls, virtual_now, datagram);
    pair_drain(pair, side);
}

static struct packet *first_due(struct pair *pair)
{
    struct packet *first = NULL;
    LIST_EACH(it, &pair->wire) {
        struct packet *packet = CONTAINER_OF(it, struct packet, node);
        if (first == NULL || packet->due < first->due)
            first = packet;
    }
    return first;
}

void pair_run(struct pair *pair, usec_t until)
{
    for (int i = 0; i < 2; i++)
        pair_drain(pair, i);
    for (unsigned rounds = 0;; rounds++) {
        assert_true(rounds < 100000);           /* a deadline that never moves would spin */
        struct packet *packet = first_due(pair);
        usec_t next = packet != NULL ? packet->due : USEC_NEVER;
        for (int i = 0; i < 2; i++)
            next = usec_min(next, dtls_deadline(pair->side[i].dtls));
        if (next > until)
            break;
        if (next > virtual_now)
            virtual_now = next;
        if (packet != NULL && packet->due <= virtual_now) {
            list_del(&packet->node);
            pair_input(pair, packet->to, VIEW(packet->bytes, packet->size));
            mem_put(packet);
        }
        for (int i = 0; i < 2; i++) {
            if (dtls_deadline(pair->side[i].dtls) <= virtual_now)
                dtls_timeout(pair->side[i].dtls, virtual_now);
            pair_drain(pair, i);
        }
    }
    virtual_now = until;
}

void assert_connected(struct pair *pair)
{
    const struct dtls_srtp_keys *a = &pair->side[CLIENT].keys, *b = &pair->side[SERVER].keys;
    for (int i = 0; i < 2; i++) {
        assert_true(pair->side[i].connected);
        assert_false(pair->side[i].closed || pair->side[i].failed);
    }
    assert_int_equal(a->profile, b->profile);
    assert_int_equal(a->key_size, b->key_size);
    assert_int_equal(a->salt_size, b->salt_size);
    assert_memory_equal(a->local_key, b->remote_key, a->key_size);
    assert_memory_equal(a->remote_key, b->local_key, a->key_size);
    assert_memory_equal(a->local_salt, b->remote_salt, a->salt_size);
    assert_memory_equal(a->remote_salt, b->local_salt, a->salt_size);
    assert_memory_not_equal(a->local_key, a->remote_key, a->key_size);
}

size_t take_tx(struct dtls *dtls, uint8_t out[DTLS_DATAGRAM_MAX])
{
    struct dtls_tx tx;
    if (!dtls_poll_tx(dtls, &tx))
        return 0;
    memcpy(out, tx.datagram.data, tx.datagram.size);
    return tx.datagram.size;
}
