/* Snapshots of numbers, and the text that Prometheus reads. */
#include "base/metrics.h"

#include "base/histogram.h"
#include "base/mem.h"
#include "base/str.h"
#include "support/seams.h"

static void test_a_value_lies_in_the_bucket_whose_bound_it_does_not_exceed(void **state)
{
    (void)state;
    const struct {
        usec_t us;
        unsigned bucket;
    } cases[] = {{0, 0}, {1, 0}, {16, 0}, {17, 1}, {32, 1}, {33, 2}, {1024, 6}, {1025, 7}, {4194304, 18}, {4194305, 19}, {USEC_NEVER - 1, 19}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct histogram h = {0};
        histogram_add(&h, cases[i].us);
        assert_int_equal(h.buckets[cases[i].bucket], 1);
        assert_int_equal(histogram_count(&h), 1);
        assert_true(h.sum_us == cases[i].us);
        assert_true(cases[i].us <= histogram_bound_us(cases[i].bucket));
        assert_true(cases[i].bucket == 0 || cases[i].us > histogram_bound_us(cases[i].bucket - 1));
    }
}

static void assert_text(const struct metrics_part *parts, uint32_t count, const char *expected)
{
    struct buf out;
    buf_init(&out, 65536);
    metrics_write(&out, parts, count);
    assert_string_equal(buf_text(&out), expected);
    buf_fini(&out);
}

static void test_all_of_one_metric_stand_together_under_one_head(void **state)
{
    (void)state;
    struct metrics *a = mem_get_zero(sizeof(*a)), *b = mem_get_zero(sizeof(*b));
    metrics_add(a, METRIC_UDP_PACKETS, "in", NULL, 7);
    metrics_add(a, METRIC_SESSIONS, NULL, NULL, 3);
    metrics_add(b, METRIC_UDP_PACKETS, "in", NULL, UINT64_MAX);
    const struct metrics_part parts[] = {{"worker-0", a}, {"worker-1", b}};
    assert_text(parts, 2,
                "# HELP cardea_sessions Sessions.\n# TYPE cardea_sessions gauge\ncardea_sessions 3\n"
                "# HELP cardea_udp_packets_total Datagrams of PeerConnections.\n# TYPE cardea_udp_packets_total counter\n"
                "cardea_udp_packets_total{actor=\"worker-0\",direction=\"in\"} 7\n"
                "cardea_udp_packets_total{actor=\"worker-1\",direction=\"in\"} 18446744073709551615\n");
    mem_put(a);
    mem_put(b);
}

static void test_a_histogram_is_cumulative_and_ends_at_infinity(void **state)
{
    (void)state;
    struct metrics *m = mem_get_zero(sizeof(*m));
    struct histogram h = {0};
    struct buf out;
    histogram_add(&h, 20);
    histogram_add(&h, 1000000);
    histogram_add(&h, SEC(60));
    metrics_add_times(m, METRIC_REQUEST, "message", "janus.plugin.echotest", &h);
    buf_init(&out, 65536);
    metrics_write(&out, &(struct metrics_part){"control", m}, 1);
    const char *text = buf_text(&out);
    static const char *const lines[] = {
        "# TYPE cardea_request_seconds histogram\n",
        "cardea_request_seconds_bucket{verb=\"message\",plugin=\"janus.plugin.echotest\",le=\"0.000016\"} 0\n",
        "cardea_request_seconds_bucket{verb=\"message\",plugin=\"janus.plugin.echotest\",le=\"0.000032\"} 1\n",
        "cardea_request_seconds_bucket{verb=\"message\",plugin=\"janus.plugin.echotest\",le=\"4.194304\"} 2\n",
        "cardea_request_seconds_bucket{verb=\"message\",plugin=\"janus.plugin.echotest\",le=\"+Inf\"} 3\n",
        "cardea_request_seconds_sum{verb=\"message\",plugin=\"janus.plugin.echotest\"} 61.000020\n",
        "cardea_request_seconds_count{verb=\"message\",plugin=\"janus.plugin.echotest\"} 3\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
        assert_non_null(strstr(text, lines[i]));
    buf_fini(&out);
    mem_put(m);
}

static void test_labels_are_cut_and_can_not_break_out(void **state)
{
    (void)state;
    struct metrics *m = mem_get_zero(sizeof(*m));
    metrics_add(m, METRIC_REFUSED, "a\"b\\c\nd", NULL, 1);
    metrics_add(m, METRIC_REFUSED, "0123456789012345678901234567890123456789", NULL, 2);
    assert_text(&(struct metrics_part){"control", m}, 1,
                "# HELP cardea_refused_total What was refused.\n# TYPE cardea_refused_total counter\n"
                "cardea_refused_total{cause=\"a\\\"b\\\\c?d\"} 1\ncardea_refused_total{cause=\"01234567890123456789012345678901234\"} 2\n");
    mem_put(m);
}

static void test_a_full_snapshot_counts_what_it_leaves_out(void **state)
{
    (void)state;
    struct metrics *m = mem_get_zero(sizeof(*m));
    struct histogram h = {0};
    for (uint32_t i = 0; i < METRICS_VALUES_MAX + 3; i++)
        metrics_add(m, METRIC_SESSIONS, NULL, NULL, i);
    for (uint32_t i = 0; i < METRICS_TIMES_MAX + 2; i++)
        metrics_add_times(m, METRIC_RTT, NULL, NULL, &h);
    assert_int_equal(m->count, METRICS_VALUES_MAX);
    assert_int_equal(m->times_count, METRICS_TIMES_MAX);
    assert_int_equal(m->left_out, 5);
    mem_put(m);
}

static void test_a_pool_says_how_full_it_is(void **state)
{
    (void)state;
    struct metrics *m = mem_get_zero(sizeof(*m));
    struct pool pool;
    uint64_t used = 0;
    pool_init(&pool, "things", 16, 1);
    void *thing = pool_get(&pool);
    assert_null(pool_get(&pool));
    metrics_add_pool(m, &pool);
    assert_true(metrics_get(m, METRIC_POOL_USED, &used) && used == 1);
    assert_true(metrics_get(m, METRIC_POOL_REFUSED, &used) && used == 1);
    assert_false(metrics_get(m, METRIC_SESSIONS, &used));
    pool_put(&pool, thing);
    pool_fini(&pool);
    mem_put(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_value_lies_in_the_bucket_whose_bound_it_does_not_exceed),
        cmocka_unit_test(test_all_of_one_metric_stand_together_under_one_head),
        cmocka_unit_test(test_a_histogram_is_cumulative_and_ends_at_infinity),
        cmocka_unit_test(test_labels_are_cut_and_can_not_break_out),
        cmocka_unit_test(test_a_full_snapshot_counts_what_it_leaves_out),
        cmocka_unit_test(test_a_pool_says_how_full_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
