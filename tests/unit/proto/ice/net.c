#include "net.h"

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void fill(void *source, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(next(source) >> 32);
}

struct net_addr net_ip(const char *text, uint16_t port)
{
    struct net_addr addr;
    assert_true(net_ip_parse(&addr, str_of(text)));
    addr.port = port;
    return addr;
}

struct ice_candidate net_host_candidate(const char *ip, uint16_t port)
{
    return (struct ice_candidate){.foundation = "1", .type = ICE_HOST, .priority = ice_candidate_priority(ICE_HOST, 65535, 1),
                                  .addr = net_ip(ip, port)};
}

static void init_host(struct net *net, int i)
{
    struct host *h = &net->host[i];
    h->seed = (net->seed + 77) * (i + 1) * 0x9E3779B97F4A7C15ull | 1;
    rng_init(&h->rng, fill, &h->seed);
    h->bases[0] = net_ip(i == 0 ? "192.0.2.10" : "198.51.100.20", 5000);
    h->bases[1] = net_ip(i == 0 ? "2001:db8::10" : "2001:db8::20", 5000);
    h->config = (struct ice_config){
        .role = i == 0 ? ICE_CONTROLLED : ICE_CONTROLLING,
        .tie_breaker = 1000 + i,
        .txid_prefix = 0xAAAA0000u + i,
        .bases = h->bases,
        .base_count = SOCKETS,
        .rng = &h->rng,
        .mac = net->mac,
        .counters = &h->counters,
    };
    memcpy(h->config.ufrag, i == 0 ? "ufragofhost0" : "ufragofhost1", 13);
    memcpy(h->config.pwd, i == 0 ? "passwordofhost0123456789" : "passwordofhost1123456789", 25);
}

void net_init(struct net *net, uint64_t seed)
{
    *net = (struct net){.now = SEC(1000), .delay_us = MSEC(20), .seed = (seed + 1) * 0xD1342543DE82EF95ull | 1};
    net->mac = stun_mac_new();
    assert_non_null(net->mac);
    for (int i = 0; i < 2; i++)
        init_host(net, i);
}

void net_start(struct net *net)
{
    for (int i = 0; i < 2; i++) {
        struct host *h = &net->host[i];
        pool_init(&h->pool, "ice", ice_size(), 1);
        h->ice = ice_new(&h->pool, &h->config, net->now);
        assert_non_null(h->ice);
    }
}

void net_fini(struct net *net)
{
    for (int i = 0; i < 2; i++) {
        ice_free(net->host[i].ice);
        pool_fini(&net->host[i].pool);
    }
    stun_mac_free(net->mac);
    assert_int_equal(seam_mem_outstanding(), 0);
}

void net_credentials(struct net *net, int host)
{
    const struct ice_config *other = &net->host[1 - host].config;
    assert_int_equal(ice_set_remote(net->host[host].ice, str_of(other->ufrag), str_of(other->pwd)), ERR_NONE);
}

void net_candidate(struct net *net, int host, int socket)
{
    struct ice_candidate c = {.foundation = "1", .type = ICE_HOST, .addr = net->host[1 - host].bases[socket],
                              .priority = ice_candidate_priority(ICE_HOST, ice_local_preference((uint32_t)socket), 1)};
    assert_int_equal(ice_add_remote(net->host[host].ice, &c), ERR_NONE);
}

void net_introduce(struct net *net)
{
    for (int i = 0; i < 2; i++) {
        net_credentials(net, i);
        for (uint32_t s = 0; s < net->host[1 - i].config.base_count; s++)
            if (net->host[i].config.base_count > s)
                net_candidate(net, i, (int)s);
        ice_end_of_candidates(net->host[i].ice);
    }
}

static const struct net_addr *public_of(const struct host *h, uint32_t socket)
{
    return h->mapped[socket].family != NET_NONE ? &h->mapped[socket] : &h->bases[socket];
}

static bool is_lost(struct net *net, int from, uint32_t socket)
{
    if (net->cut[from] || net->dead[from][socket])
        return true;
    if (net->burst_every_us > 0 && net->now % net->burst_every_us < MSEC(500))
        return true;
    return next(&net->seed) % 100 < net->loss_percent;
}

static void note_sent(struct net *net, struct host *h, const struct ice_tx *tx)
{
    struct stun_message m;
    assert_true(stun_parse(&m, VIEW(tx->data, tx->size)));
    assert_true(m.has_fingerprint && m.integrity_at != 0);
    h->last_sent_at = net->now;
    if (m.class != STUN_REQUEST) {
        h->answers++;
        h->errors += m.class == STUN_ERROR;
        h->last_answer = *tx;
        return;
    }
    assert_int_equal(get_u32(m.txid), h->config.txid_prefix);
    h->requests++;
    h->checks_in_a_row = h->last_check_at == net->now ? h->checks_in_a_row + 1 : 1;
    if (h->checks_in_a_row > h->checks_in_a_row_max)
        h->checks_in_a_row_max = h->checks_in_a_row;
    h->last_check_at = net->now;
    h->last_request = *tx;
}

/* Drops what leads nowhere, like a network does. */
static void launch(struct net *net, int from, const struct ice_tx *tx)
{
    struct host *other = &net->host[1 - from];
    if (is_lost(net, from, tx->to.socket))
        return;
    for (uint32_t s = 0; s < other->config.base_count; s++) {
        if (!net_addr_equal(public_of(other, s), &tx->to.remote) || net->dead[1 - from][s])
            continue;
        assert_true(net->flight_count < FLIGHTS);
        struct flight *f = &net->flights[net->flight_count++];
        *f = (struct flight){.at = net->now + net->delay_us, .to = 1 - from, .size = tx->size,
                             .tuple = {.socket = s, .remote = *public_of(&net->host[from], tx->to.socket)}};
        memcpy(f->data, tx->data, tx->size);
        return;
    }
}

static int find_bound(const struct host *h, const struct net_tuple *tuple)
{
    for (unsigned i = 0; i < h->bound_count; i++)
        if (net_tuple_equal(&h->bound[i], tuple))
            return (int)i;
    return -1;
}

static void note_event(struct net *net, struct host *h, const struct ice_event *event)
{
    int at = find_bound(h, &event->tuple);
    switch (event->kind) {
    case ICE_EVENT_VERIFIED:
        h->verified++;
        if (h->first_verified_at == 0)
            h->first_verified_at = net->now;
        if (at < 0) {
            assert_true(h->bound_count < TUPLES);
            h->bound[h->bound_count++] = event->tuple;
        }
        break;
    case ICE_EVENT_FORGOTTEN:
        h->forgotten++;
        assert_true(at >= 0);
        h->bound[at] = h->bound[--h->bound_count];
        break;
    case ICE_EVENT_SELECTED:
    case ICE_EVENT_SELECTED_CHANGED:
        assert_int_equal(event->kind == ICE_EVENT_SELECTED, h->selected + h->changed == 0);
        h->selected += event->kind == ICE_EVENT_SELECTED;
        h->changed += event->kind == ICE_EVENT_SELECTED_CHANGED;
        assert_true(net_tuple_equal(&event->tuple, ice_selected(h->ice)));
        break;
    case ICE_EVENT_ROLE:
        h->roles++;
        break;
    case ICE_EVENT_STATE:
        h->state = event->state;
        h->failure = event->failure;
        usec_t *at_time = event->state == ICE_CONNECTED ? &h->connected_at : event->state == ICE_DISCONNECTED
                              ? &h->disconnected_at : event->state == ICE_FAILED ? &h->failed_at : NULL;
        if (at_time != NULL && *at_time == 0)
            *at_time = net->now;
        break;
    default:
        fail();
    }
}

void net_drain(struct net *net, int host)
{
    struct host *h = &net->host[host];
    struct ice_tx tx;
    struct ice_event event;
    while (ice_poll_tx(h->ice, &tx)) {
        note_sent(net, h, &tx);
        launch(net, host, &tx);
    }
    while (ice_poll_event(h->ice, &event))
        note_event(net, h, &event);
    const struct net_tuple *selected = ice_selected(h->ice);
    assert_true(h->bound_count <= ICE_VERIFIED_MAX);
    assert_true(selected == NULL || find_bound(h, selected) >= 0);      /* where we send is bound */
}

void net_lose(struct net *net, int host, const struct net_tuple *tuple)
{
    struct host *h = &net->host[host];
    int at = find_bound(h, tuple);
    if (at >= 0)
        h->bound[at] = h->bound[--h->bound_count];
    ice_lose_tuple(h->ice, net->now, tuple);
    net_drain(net, host);
}

static usec_t next_time(const struct net *net)
{
    usec_t first = USEC_NEVER;
    for (int i = 0; i < 2; i++)
        first = usec_min(first, ice_deadline(net->host[i].ice));
    for (unsigned i = 0; i < net->flight_count; i++)
        first = usec_min(first, net->flights[i].at);
    return first;
}

static void land(struct net *net)
{
    for (unsigned i = 0; i < net->flight_count;) {
        if (net->flights[i].at > net->now) {
            i++;
            continue;
        }
        struct flight f = net->flights[i];
        memmove(&net->flights[i], &net->flights[i + 1], (net->flight_count - i - 1) * sizeof(f));
        net->flight_count--;
        ice_input(net->host[f.to].ice, net->now, &f.tuple, VIEW(f.data, f.size));
        net_drain(net, f.to);
    }
}

static void step(struct net *net, usec_t until)
{
    usec_t first = next_time(net);
    if (first > net->now)
        net->now = usec_min(first, until);
    land(net);
    for (int i = 0; i < 2; i++) {
        ice_timeout(net->host[i].ice, net->now);
        net_drain(net, i);
        assert_true(ice_deadline(net->host[i].ice) > net->now);          /* or the owner would spin */
    }
}

void net_run(struct net *net, usec_t until)
{
    while (net->now < until)
        step(net, until);
}

bool net_run_until_connected(struct net *net, usec_t until)
{
    while (net->now < until && (net->host[0].state != ICE_CONNECTED || net->host[1].state != ICE_CONNECTED))
        step(net, until);
    return net->host[0].state == ICE_CONNECTED && net->host[1].state == ICE_CONNECTED;
}

void net_assert_same_pair(const struct net *net)
{
    const struct net_tuple *a = ice_selected(net->host[0].ice);
    const struct net_tuple *b = ice_selected(net->host[1].ice);
    assert_non_null(a);
    assert_non_null(b);
    assert_true(net_addr_equal(&a->remote, public_of(&net->host[1], b->socket)));
    assert_true(net_addr_equal(&b->remote, public_of(&net->host[0], a->socket)));
}

size_t net_write_check(struct net *net, const struct check *check, uint8_t *out, size_t room)
{
    static const uint8_t zeros[STUN_MESSAGE_MAX];
    uint8_t txid[STUN_TXID_BYTES] = {'c', 'h', 'e', 'c', 'k'};
    struct stun_out message;
    struct stun_key key = {0};
    put_u32(txid + 8, (uint32_t)next(&net->seed));
    stun_begin(&message, out, room, STUN_REQUEST, STUN_BINDING, txid);
    if (check->username != NULL)
        stun_add(&message, STUN_ATTR_USERNAME, str_of(check->username));
    if (check->priority != 0)
        stun_add_u32(&message, STUN_ATTR_PRIORITY, check->priority);
    if (check->controlling)
        stun_add_u64(&message, STUN_ATTR_ICE_CONTROLLING, check->tie_breaker);
    if (check->controlled)
        stun_add_u64(&message, STUN_ATTR_ICE_CONTROLLED, check->tie_breaker);
    if (check->use_candidate)
        stun_add(&message, STUN_ATTR_USE_CANDIDATE, VIEW(NULL, 0));
    if (check->extra_type != 0)
        stun_add(&message, check->extra_type, VIEW(zeros, check->extra_size));
    if (check->pwd != NULL)
        stun_key_set(&key, str_of(check->pwd));
    return stun_end(&message, net->mac, check->pwd != NULL ? &key : NULL);
}

void net_send_check(struct net *net, int host, const struct check *check, struct net_tuple from)
{
    uint8_t bytes[STUN_MESSAGE_MAX];
    size_t size = net_write_check(net, check, bytes, sizeof(bytes));
    assert_true(size > 0);
    ice_input(net->host[host].ice, net->now, &from, VIEW(bytes, size));
    net_drain(net, host);
}

void net_answer(struct net *net, int host, enum stun_class class, uint16_t code, const char *pwd, struct net_tuple from)
{
    uint8_t bytes[200];
    struct stun_out out;
    struct stun_key key = {0};
    struct host *h = &net->host[host];
    stun_begin(&out, bytes, sizeof(bytes), class, STUN_BINDING, stun_txid_of(VIEW(h->last_request.data, h->last_request.size)));
    if (class == STUN_ERROR)
        stun_add_error(&out, code, "no");
    else
        stun_add_xor_address(&out, STUN_ATTR_XOR_MAPPED_ADDRESS, &h->bases[0]);
    if (pwd != NULL)
        stun_key_set(&key, str_of(pwd));
    size_t size = stun_end(&out, net->mac, pwd != NULL ? &key : NULL);
    ice_input(h->ice, net->now, &from, VIEW(bytes, size));
    net_drain(net, host);
}
