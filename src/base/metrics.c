#include "base/metrics.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"

static const struct {
    enum metric_kind kind;
    bool by_actor;
    const char *name;
    const char *labels[2];
    const char *help;
} table[METRIC_COUNT] = {
#define X(id, kind, by_actor, name, label1, label2, help) {METRIC_KIND_##kind, by_actor, name, {label1, label2}, help},
    METRICS(X)
#undef X
};

/* ---- a snapshot is filled ---- */

static void set_label(char out[METRIC_LABEL_ROOM], const char *value)
{
    size_t size = value == NULL ? 0 : strlen(value);
    if (size >= METRIC_LABEL_ROOM)
        size = METRIC_LABEL_ROOM - 1;
    memcpy(out, value == NULL ? "" : value, size);
    out[size] = '\0';
}

void metrics_add(struct metrics *m, enum metric metric, const char *label1, const char *label2, uint64_t value)
{
    CHECK(table[metric].kind != METRIC_KIND_HISTOGRAM);
    if (m->count == METRICS_VALUES_MAX) {
        m->left_out++;
        return;
    }
    struct metric_value *v = &m->values[m->count++];
    v->metric = (uint16_t)metric;
    v->value = value;
    set_label(v->labels[0], label1);
    set_label(v->labels[1], label2);
}

void metrics_add_times(struct metrics *m, enum metric metric, const char *label1, const char *label2, const struct histogram *times)
{
    CHECK(table[metric].kind == METRIC_KIND_HISTOGRAM);
    if (m->times_count == METRICS_TIMES_MAX) {
        m->left_out++;
        return;
    }
    struct metric_times *t = &m->times[m->times_count++];
    t->metric = (uint16_t)metric;
    t->times = *times;
    set_label(t->labels[0], label1);
    set_label(t->labels[1], label2);
}

void metrics_add_pool(struct metrics *m, const struct pool *pool)
{
    metrics_add(m, METRIC_POOL_USED, pool->name, NULL, pool->used);
    metrics_add(m, METRIC_POOL_LIMIT, pool->name, NULL, pool->limit);
    metrics_add(m, METRIC_POOL_REFUSED, pool->name, NULL, pool->refused);
}

void metrics_add_fields(struct metrics *m, const struct metric_field *fields, size_t count, const void *counters)
{
    uint64_t value;
    for (size_t i = 0; i < count; i++) {
        memcpy(&value, (const char *)counters + fields[i].offset, sizeof(value));
        metrics_add(m, fields[i].metric, fields[i].label, NULL, value);
    }
}

bool metrics_get(const struct metrics *m, enum metric metric, uint64_t *value)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (m->values[i].metric == metric) {
            *value = m->values[i].value;
            return true;
        }
    return false;
}

/* ---- and written ---- */

/* One value's place in the text: after all of its metric that came before it. */
struct line {
    const char *actor;
    const struct metric_value *value;       /* or */
    const struct metric_times *times;
};

static uint16_t metric_of(const struct line *line)
{
    return line->value != NULL ? line->value->metric : line->times->metric;
}

/* Quote, backslash and newline are escaped; what is no visible ASCII has no business in a label of ours. */
static void add_label_value(struct buf *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, *value >= 0x20 && *value < 0x7F ? *value : '?');
    }
}

static bool add_label(struct buf *out, bool first, const char *name, const char *value)
{
    if (name == NULL)
        return first;
    buf_add_char(out, first ? '{' : ',');
    buf_add_text(out, name);
    buf_add_text(out, "=\"");
    add_label_value(out, value);
    buf_add_char(out, '"');
    return false;
}

static void add_labels(struct buf *out, const struct line *line, const char *bound)
{
    const uint16_t metric = metric_of(line);
    const char (*labels)[METRIC_LABEL_ROOM] = line->value != NULL ? line->value->labels : line->times->labels;
    bool first = add_label(out, true, table[metric].by_actor ? "actor" : NULL, line->actor);
    first = add_label(out, first, table[metric].labels[0], labels[0]);
    first = add_label(out, first, table[metric].labels[1], labels[1]);
    first = add_label(out, first, bound == NULL ? NULL : "le", bound);
    if (!first)
        buf_add_char(out, '}');
    buf_add_char(out, ' ');
}

/* Microseconds as seconds, exactly: "0.000016". */
static void add_seconds(struct buf *out, uint64_t us)
{
    char digits[7];
    uint64_t rest = us % 1000000u;
    for (int i = 5; i >= 0; i--, rest /= 10)
        digits[i] = (char)('0' + rest % 10);
    digits[6] = '\0';
    buf_add_u64(out, us / 1000000u);
    buf_add_char(out, '.');
    buf_add_text(out, digits);
}

static void write_times(struct buf *out, const struct line *line)
{
    const char *name = table[metric_of(line)].name;
    const struct histogram *h = &line->times->times;
    struct buf bound;
    uint64_t count = 0;
    buf_init(&bound, 64);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += h->buckets[i];
        buf_clear(&bound);
        if (i + 1 == HISTOGRAM_BUCKETS)
            buf_add_text(&bound, "+Inf");
        else
            add_seconds(&bound, histogram_bound_us(i));
        buf_add_text(out, name);
        buf_add_text(out, "_bucket");
        add_labels(out, line, buf_text(&bound));
        buf_add_u64(out, count);
        buf_add_char(out, '\n');
    }
    buf_fini(&bound);
    buf_add_text(out, name);
    buf_add_text(out, "_sum");
    add_labels(out, line, NULL);
    add_seconds(out, h->sum_us);
    buf_add_char(out, '\n');
    buf_add_text(out, name);
    buf_add_text(out, "_count");
    add_labels(out, line, NULL);
    buf_add_u64(out, count);
    buf_add_char(out, '\n');
}

static void write_line(struct buf *out, const struct line *line)
{
    if (line->times != NULL) {
        write_times(out, line);
        return;
    }
    buf_add_text(out, table[line->value->metric].name);
    add_labels(out, line, NULL);
    if (table[line->value->metric].kind == METRIC_KIND_SECONDS)
        add_seconds(out, line->value->value);
    else
        buf_add_u64(out, line->value->value);
    buf_add_char(out, '\n');
}

static void write_head(struct buf *out, uint16_t metric)
{
    static const char *const kinds[] = {"counter", "gauge", "counter", "histogram"};
    buf_add_text(out, "# HELP ");
    buf_add_text(out, table[metric].name);
    buf_add_char(out, ' ');
    buf_add_text(out, table[metric].help);
    buf_add_text(out, "\n# TYPE ");
    buf_add_text(out, table[metric].name);
    buf_add_char(out, ' ');
    buf_add_text(out, kinds[table[metric].kind]);
    buf_add_char(out, '\n');
}

/* All of one metric stand together, whoever said them: sorted by counting. */
void metrics_write(struct buf *out, const struct metrics_part *parts, uint32_t part_count)
{
    uint32_t at[METRIC_COUNT + 1] = {0};
    uint32_t total = 0;
    for (uint32_t p = 0; p < part_count; p++) {
        const struct metrics *m = parts[p].metrics;
        for (uint32_t i = 0; i < m->count; i++)
            at[m->values[i].metric + 1]++;
        for (uint32_t i = 0; i < m->times_count; i++)
            at[m->times[i].metric + 1]++;
        total += m->count + m->times_count;
    }
    for (uint32_t i = 0; i < METRIC_COUNT; i++)
        at[i + 1] += at[i];
    struct line *lines = mem_get((total + 1) * sizeof(*lines));
    for (uint32_t p = 0; p < part_count; p++) {
        const struct metrics *m = parts[p].metrics;
        for (uint32_t i = 0; i < m->count; i++)
            lines[at[m->values[i].metric]++] = (struct line){parts[p].actor, &m->values[i], NULL};
        for (uint32_t i = 0; i < m->times_count; i++)
            lines[at[m->times[i].metric]++] = (struct line){parts[p].actor, NULL, &m->times[i]};
    }
    for (uint32_t i = 0; i < total; i++) {
        if (i == 0 || metric_of(&lines[i]) != metric_of(&lines[i - 1]))
            write_head(out, metric_of(&lines[i]));
        write_line(out, &lines[i]);
    }
    mem_put(lines);
}
