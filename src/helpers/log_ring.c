#include "helpers/log_ring.h"

#include <string.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "base/str.h"

struct line {
    struct list node;
    uint64_t serial;
    struct log_record record;
    uint32_t size;
    char text[];
};

void log_ring_init(struct log_ring *ring)
{
    *ring = (struct log_ring){0};
    list_init(&ring->lines);
}

static void drop_oldest(struct log_ring *ring)
{
    struct line *line = CONTAINER_OF(list_pop(&ring->lines), struct line, node);
    ring->count--;
    ring->bytes -= sizeof(*line) + line->size;
    mem_put(line);
}

void log_ring_fini(struct log_ring *ring)
{
    while (ring->count > 0)
        drop_oldest(ring);
}

void log_ring_add(struct log_ring *ring, const struct log_record *record, struct view text)
{
    struct line *line = mem_get(sizeof(*line) + text.size);
    line->serial = ++ring->serial;
    line->record = *record;
    line->size = (uint32_t)text.size;
    memcpy(line->text, text.data, text.size);
    list_init(&line->node);
    list_add_tail(&ring->lines, &line->node);
    ring->count++;
    ring->bytes += sizeof(*line) + line->size;
    while (ring->count > LOG_RING_LINES || ring->bytes > LOG_RING_BYTES)
        drop_oldest(ring);
}

/* A line may hold what a client has sent, cut in the middle of a character. */
static void write_text(struct json_out *j, const char *key, struct view text)
{
    char clean[LOG_LINE_MAX];
    if (utf8_is_valid(text)) {
        jout_string_view(j, key, text);
        return;
    }
    size_t size = text.size < sizeof(clean) ? text.size : sizeof(clean);
    for (size_t i = 0; i < size; i++)
        clean[i] = text.data[i] < 0x80 ? (char)text.data[i] : '?';
    jout_string_view(j, key, VIEW(clean, size));
}

void log_ring_write(const struct log_ring *ring, uint64_t after, struct buf *out)
{
    struct json_out j;
    if (after > ring->serial)
        after = 0;
    jout_begin(&j, out, LAYOUT_COMPACT);
    jout_object(&j, NULL);
    jout_int(&j, "last", (int64_t)ring->serial);
    jout_array(&j, "lines");
    LIST_EACH(it, &ring->lines) {
        const struct line *line = CONTAINER_OF(it, struct line, node);
        if (line->serial <= after)
            continue;
        jout_object(&j, NULL);
        jout_int(&j, "serial", (int64_t)line->serial);
        jout_int(&j, "time", (int64_t)(line->record.wall_us / 1000u));
        jout_int(&j, "level", line->record.level);
        write_text(&j, "where", VIEW(line->record.where, strnlen(line->record.where, sizeof(line->record.where))));
        write_text(&j, "text", VIEW(line->text, line->size));
        jout_end(&j);
    }
    jout_end(&j);
    jout_end(&j);
}
