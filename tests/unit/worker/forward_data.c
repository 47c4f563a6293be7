/* Messages of a data line as datagrams, bare and to another server; and datagrams of another server as messages. */
#include "world.h"

#include <string.h>

static struct world w;
static const struct net_addr far = {.ip = {10, 9, 9, 9}, .port = 5004, .family = NET_IP4};
static const struct ref inlet_name = {500, 1};

static void open_plain(uint32_t slot, uint8_t use)
{
    const struct plain_open_order order = {.plain = {slot, 1}, .options = {.use = use, .local = {.family = NET_IP4}}};
    world_order(&w, 0, WORKER_PLAIN_OPEN, &order, sizeof(order));
    world_settle(&w);
}

static struct remote *join(uint32_t worker)
{
    struct remote *r = world_open(&w, worker);
    r->has_data = true;
    remote_apply(r, true);
    remote_introduce(r);
    const uint32_t ups = world_fact_count(&w, CONTROL_PEER_DATA_UP);
    for (unsigned i = 0; i < 1000 && world_fact_count(&w, CONTROL_PEER_DATA_UP) == ups; i++)
        world_run_for(&w, MSEC(5));
    assert_int_equal(world_fact_count(&w, CONTROL_PEER_DATA_UP), ups + 1);
    return r;
}

static void forward(uint32_t slot, struct ref source, bool enveloped, uint32_t ssrc)
{
    const struct forward_add_order order = {.forward = {slot, 1}, .source = source, .way = {.plain = {0, 1}, .to = far},
                                            .options = {.enveloped = enveloped, .ssrc = ssrc}};
    world_order(&w, 0, WORKER_FORWARD_ADD, &order, sizeof(order));
    world_settle(&w);
}

static void say(struct remote *r, bool binary, const void *bytes, size_t size)
{
    remote_say(r, "mine", binary, bytes, size);
    world_run_for(&w, MSEC(100));
}

static void assert_outside(uint32_t n, const void *bytes, size_t size)
{
    assert_in_range(n, 0, w.outside_count - 1);
    assert_int_equal(w.outside[n].size, size);
    assert_memory_equal(w.outside[n].data, bytes, size);
}

static void test_each_message_is_a_datagram(void **state)
{
    (void)state;
    static uint8_t big[EGRESS_PACKET];
    memset(big, 7, sizeof(big));
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *publisher = join(0);
    open_plain(0, PLAIN_SEND);
    forward(0, publisher->data_source, false, 0);
    say(publisher, false, "hello", 5);
    say(publisher, true, big, sizeof(big));
    say(publisher, false, "", 0);                       /* nothing to send */
    assert_int_equal(w.outside_count, 2);
    assert_outside(0, "hello", 5);
    assert_outside(1, big, sizeof(big));
    assert_int_equal(w.worker[0]->counters.plain_sent, 2);
    static uint8_t huge[100000];
    say(publisher, true, huge, sizeof(huge));           /* no datagram is so long */
    assert_int_equal(w.worker[0]->counters.plain_too_large, 1);
    const struct source_set_order mute = {.source = publisher->data_source, .active = false};
    world_order(&w, 0, WORKER_SOURCE_SET, &mute, sizeof(mute));
    say(publisher, false, "muted", 5);
    assert_int_equal(w.outside_count, 2);
    const struct forward_del_order del = {{0, 1}};
    world_order(&w, 0, WORKER_FORWARD_DEL, &del, sizeof(del));
    world_settle(&w);
    assert_int_equal(w.worker[0]->outlet_pool.used, 0);
    forward(1, publisher->data_source, false, 0);       /* and one that ends with its source */
    world_leave(&w, publisher);
    world_run_for(&w, MSEC(100));
    world_fini(&w);
}

static void test_to_another_server_with_a_header_and_cut(void **state)
{
    (void)state;
    const uint8_t text[] = {0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x03, 0xF2, 'h', 'i'}, binary[] = {0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x03, 0xF2, 0xFF};
    uint8_t long_text[2001];
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *publisher = join(0);
    open_plain(0, PLAIN_SEND);
    forward(0, publisher->data_source, true, 1010);
    say(publisher, false, "hi", 2);
    say(publisher, true, &binary[12], 1);
    say(publisher, false, "", 0);
    assert_outside(0, text, sizeof(text));
    assert_outside(1, binary, sizeof(binary));
    assert_int_equal(w.outside[2].size, DATA_ENVELOPE_BYTES);
    long_text[0] = 'x';
    for (size_t i = 1; i < sizeof(long_text); i += 2)
        memcpy(&long_text[i], "\xC3\xA4", 2);            /* the limit falls into a character */
    say(publisher, false, long_text, sizeof(long_text));
    assert_int_equal(w.outside[3].size, DATA_ENVELOPED_MAX - 1);
    assert_memory_equal(w.outside[3].data + DATA_ENVELOPE_BYTES, long_text, DATA_ENVELOPED_MAX - DATA_ENVELOPE_BYTES - 1);
    say(publisher, true, long_text, sizeof(long_text));
    assert_int_equal(w.outside[4].size, DATA_ENVELOPED_MAX);
    assert_int_equal(w.worker[0]->counters.plain_data_cut, 2);
    world_fini(&w);
}

static void open_inlet(uint32_t ssrc)
{
    const struct inlet_open_order order = {.source = inlet_name, .options = {.plain = {0, 1}, .desc = {.kind = MEDIA_DATA, .layer_count = 3}, .ssrc = ssrc}};
    world_order(&w, 0, WORKER_INLET_OPEN, &order, sizeof(order));
    world_settle(&w);
}

static void feed(const void *bytes, size_t size)
{
    const struct net_addr to = world_fact(&w, CONTROL_PLAIN_OPENED, 0)->plain.local;
    world_send_in(&w, &far, &to, bytes, size);
    world_run_for(&w, MSEC(100));
}

static void test_from_another_server_to_viewers_of_both_workers(void **state)
{
    (void)state;
    uint8_t packet[] = {0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x03, 0xF2, 'h', 'i'};
    world_init(&w, &(struct world_options){.seed = 4});
    struct remote *near = join(0), *away = join(1);
    const struct remote source = {.data_source = inlet_name, .worker = 0};
    open_plain(0, PLAIN_RECEIVE);
    open_inlet(1010);
    world_join_data(&w, near, &source, "901");
    world_join_data(&w, away, &source, "901");
    world_run_for(&w, MSEC(500));
    feed(packet, sizeof(packet));
    assert_string_equal(near->data_text, "hi");
    assert_string_equal(near->data_label, "901");
    assert_string_equal(away->data_text, "hi");
    packet[1] = 1;
    feed(packet, sizeof(packet));
    feed(packet, 12);                                   /* empty messages are messages */
    assert_int_equal(near->data_count, 3);
    assert_int_equal(away->data_count, 3);
    const uint64_t strange = w.worker[0]->counters.plain_strange;
    packet[1] = 2;                                      /* neither text nor binary */
    feed(packet, sizeof(packet));
    packet[1] = 0;
    packet[11]++;                                       /* nobody's SSRC: one stream has one */
    feed(packet, sizeof(packet));
    packet[11]--;
    packet[0] = 0xA0;                                   /* padding of more than there is */
    packet[13] = 99;
    feed(packet, sizeof(packet));
    for (size_t size = 0; size < 12; size++)
        feed(packet, size);
    assert_int_equal(near->data_count, 3);
    assert_true(w.worker[0]->counters.plain_strange >= strange + 14);
    const struct inlet_close_order close = {inlet_name};
    world_order(&w, 0, WORKER_INLET_CLOSE, &close, sizeof(close));
    world_run_for(&w, SEC(1));
    assert_int_equal(w.worker[0]->inlet_pool.used, 0);
    assert_int_equal(w.worker[1]->data_proxy_pool.used, 0);
    world_fini(&w);
}

/* Nothing can be told to wait: while a viewer is full, what comes is lost for everybody, counted, and nothing grows. */
static void test_a_full_viewer_holds_no_memory(void **state)
{
    (void)state;
    uint8_t packet[1400] = {0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x03, 0xF2};
    world_init(&w, &(struct world_options){.workers = 1});
    struct remote *slow = join(0);
    const struct remote source = {.data_source = inlet_name, .worker = 0};
    open_plain(0, PLAIN_RECEIVE);
    open_inlet(1010);
    world_join_data(&w, slow, &source, "901");
    slow->hoards = true;
    const struct net_addr to = world_fact(&w, CONTROL_PLAIN_OPENED, 0)->plain.local;
    for (unsigned i = 0; i < 5000; i++) {
        world_send_in(&w, &far, &to, packet, sizeof(packet));
        world_run_for(&w, MSEC(1));
        assert_true(w.worker[0]->env.sctp.memory_bytes < 4u << 20);
    }
    assert_true(w.worker[0]->counters.plain_data_lost > 0);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_message_is_a_datagram),
        cmocka_unit_test(test_to_another_server_with_a_header_and_cut),
        cmocka_unit_test(test_from_another_server_to_viewers_of_both_workers),
        cmocka_unit_test(test_a_full_viewer_holds_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
