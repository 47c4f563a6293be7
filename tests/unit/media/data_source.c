/* Messages from a data line to those who get them, and who waits for whom. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#include "media/data_source.h"

struct box {
    struct data_port port;
    uint32_t count;
    bool full;
    bool binary;
    char label[16], text[32];
};

static struct rig rig;
static struct data_source *source;
static struct box ann, bob;
static struct { uint32_t count, worker; struct ref source; bool binary; char text[32]; } relayed;

static bool box_send(struct data_port *port, usec_t now, struct view label, bool binary, struct view bytes)
{
    struct box *box = CONTAINER_OF(port, struct box, port);
    (void)now;
    box->count++;
    box->binary = binary;
    snprintf(box->label, sizeof(box->label), "%.*s", (int)label.size, (const char *)label.data);
    snprintf(box->text, sizeof(box->text), "%.*s", (int)bytes.size, (const char *)bytes.data);
    return box->full;
}

static const struct data_port_ops box_ops = {.send = box_send};

static void relay(void *owner, uint32_t worker, struct ref name, bool binary, struct view bytes)
{
    (void)owner;
    relayed.count++;
    relayed.worker = worker;
    relayed.source = name;
    relayed.binary = binary;
    snprintf(relayed.text, sizeof(relayed.text), "%.*s", (int)(bytes.size < 31 ? bytes.size : 31), (const char *)bytes.data);
}

static int setup(void **state)
{
    (void)state;
    memset(&relayed, 0, sizeof(relayed));
    rig_init(&rig);
    rig.media.relay.data = relay;
    ann = bob = (struct box){0};
    data_port_init(&ann.port, &box_ops);
    data_port_init(&bob.port, &box_ops);
    source = data_source_new(&rig.media, (struct ref){7, 1});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    struct box *boxes[] = {&ann, &bob};
    for (unsigned i = 0; i < 2; i++)
        LIST_EACH(it, &boxes[i]->port.sinks)
            data_sink_free(CONTAINER_OF(it, struct data_sink, by_port));
    if (source != NULL)
        data_source_free(source);
    rig_fini(&rig);
    return 0;
}

static struct data_sink *join(struct box *box, const char *label)
{
    struct data_sink *sink = data_sink_new(&rig.media, (struct ref){rig.names++, 2}, &box->port, VIEW(label, strlen(label)));
    assert_non_null(sink);
    data_sink_set(sink, source, false);
    return sink;
}

static void say(const char *text)
{
    data_source_input(source, SEC(1), false, VIEW(text, strlen(text)));
}

static struct data_source *freed(void)
{
    struct list *it = list_pop(&rig.media.data_freed);
    return it == NULL ? NULL : CONTAINER_OF(it, struct data_source, freed);
}

static void test_everybody_gets_it_under_their_label(void **state)
{
    (void)state;
    join(&ann, "77");
    join(&bob, "x");
    data_source_input(source, SEC(1), true, VIEW("hi", 2));
    assert_string_equal(ann.label, "77");
    assert_string_equal(bob.label, "x");
    assert_string_equal(bob.text, "hi");
    assert_true(ann.binary);
    say("again");
    assert_false(ann.binary);
    assert_int_equal(ann.count + bob.count, 4);
}

static void test_who_is_paused_or_muted_gets_nothing(void **state)
{
    (void)state;
    struct data_sink *sink = join(&ann, "1");
    data_sink_set(sink, source, true);
    say("a");
    data_sink_set(sink, source, false);
    source->active = false;
    say("b");
    assert_int_equal(ann.count, 0);
    assert_int_equal(rig.media.counters.data_dropped_inactive, 1);
    source->active = true;
    say("c");
    assert_string_equal(ann.text, "c");
}

static void test_a_full_receiver_is_waited_for(void **state)
{
    (void)state;
    join(&ann, "1");
    join(&bob, "1");
    ann.full = true;
    say("a");
    assert_true(data_source_waits(source));
    say("b");                               /* what was under way */
    assert_null(freed());
    data_port_free(&ann.port);
    assert_false(data_source_waits(source));
    assert_ptr_equal(freed(), source);
    assert_null(freed());
    data_port_free(&ann.port);              /* nobody waits: nothing to tell */
    assert_null(freed());
}

static void test_all_that_are_full_are_waited_for(void **state)
{
    (void)state;
    join(&ann, "1");
    join(&bob, "1");
    ann.full = bob.full = true;
    say("a");
    data_port_free(&ann.port);
    assert_true(data_source_waits(source));
    assert_null(freed());
    data_port_free(&bob.port);
    assert_ptr_equal(freed(), source);
}

static void hold_and(void (*end)(struct data_sink *sink))
{
    struct data_sink *sink = join(&ann, "1");
    ann.full = true;
    say("a");
    assert_true(data_source_waits(source));
    end(sink);
    assert_false(data_source_waits(source));
    assert_ptr_equal(freed(), source);
}

static void pause_it(struct data_sink *sink)
{
    data_sink_set(sink, source, true);
}

static void silence_it(struct data_sink *sink)
{
    data_sink_set(sink, NULL, false);
}

static void test_nobody_waits_for_who_pauses_or_goes(void **state)
{
    (void)state;
    hold_and(pause_it);
    hold_and(silence_it);
    hold_and(data_sink_free);
}

static void test_one_copy_for_each_worker_within_a_window(void **state)
{
    (void)state;
    static uint8_t big[DATA_RELAY_WINDOW / 2];
    data_source_relay_open(source, 3);
    say("far");
    assert_int_equal(relayed.count, 1);
    assert_int_equal(relayed.worker, 3);
    assert_true(ref_equal(relayed.source, source->name));
    assert_string_equal(relayed.text, "far");
    assert_false(data_source_waits(source));
    data_source_input(source, SEC(1), true, VIEW(big, sizeof(big)));
    assert_false(data_source_waits(source));
    data_source_input(source, SEC(1), true, VIEW(big, sizeof(big)));
    assert_true(data_source_waits(source));
    data_source_relay_done(source, 3, data_cost(3));
    assert_true(data_source_waits(source));
    data_source_relay_done(source, 3, data_cost(sizeof(big)));
    assert_true(data_source_waits(source));         /* a bit more than half of the window is left */
    data_source_relay_done(source, 3, data_cost(sizeof(big)));
    assert_ptr_equal(freed(), source);
    data_source_relay_done(source, 3, UINT32_MAX);  /* more than there is */
    data_source_relay_done(source, 5, 1);           /* of a worker that gets nothing */
    assert_false(data_source_waits(source));
}

static void test_a_worker_that_lets_go_is_not_waited_for(void **state)
{
    (void)state;
    static uint8_t big[DATA_RELAY_WINDOW];
    data_source_relay_open(source, 0);
    data_source_relay_open(source, 63);
    data_source_input(source, SEC(1), true, VIEW(big, sizeof(big)));
    assert_int_equal(relayed.count, 2);
    data_source_relay_close(source, 63);
    assert_true(data_source_waits(source));
    data_source_relay_close(source, 0);
    assert_false(data_source_waits(source));
    assert_ptr_equal(freed(), source);
    say("x");
    assert_int_equal(relayed.count, 2);
}

static void test_the_end_of_a_source_silences(void **state)
{
    (void)state;
    struct slots table;
    struct data_sink *sink = join(&ann, "1");
    ann.full = true;
    say("a");
    slots_init(&table, UINT32_MAX);
    assert_true(data_source_put(&table, source));
    struct data_source *next = data_source_new(&rig.media, (struct ref){7, 2});
    assert_true(data_source_put(&table, next));     /* the same slot, anew: the one before is an orphan */
    assert_null(sink->source);
    assert_ptr_equal(list_pop(&rig.media.data_orphans), &source->freed);
    assert_null(freed());
    data_source_free(source);
    source = next;
    slots_fini(&table);
}

static void test_pools_end(void **state)
{
    (void)state;
    rig.media.data_sources.limit = 1;
    rig.media.data_sinks.limit = 1;
    assert_null(data_source_new(&rig.media, (struct ref){8, 1}));
    join(&ann, "1");
    assert_null(data_sink_new(&rig.media, (struct ref){9, 1}, &ann.port, VIEW("x", 1)));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_everybody_gets_it_under_their_label),
        T(test_who_is_paused_or_muted_gets_nothing),
        T(test_a_full_receiver_is_waited_for),
        T(test_all_that_are_full_are_waited_for),
        T(test_nobody_waits_for_who_pauses_or_goes),
        T(test_one_copy_for_each_worker_within_a_window),
        T(test_a_worker_that_lets_go_is_not_waited_for),
        T(test_the_end_of_a_source_silences),
        T(test_pools_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
