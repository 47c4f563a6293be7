#include "helpers/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "helpers/log_ring.h"
#include "msg/io.h"
#include "runtime/clock.h"
#include "runtime/log.h"

#define BATCH_BYTES  (64u * 1024u)      /* written at the end of a turn, or when so much has come together */
#define STDOUT_WAIT_MS 1000
#define LOG_TAIL_BYTES_MAX (8u * 1024u * 1024u)     /* of LOG_RING_BYTES, as JSON */

struct logger {
    struct actor *actor;
    struct logger_options options;
    int file;                           /* -1: none, or lost */
    struct buf to_stdout;
    struct buf to_file;
    struct log_ring ring;
    uint64_t dropped_told;              /* lines lost to full lanes that have been told of */
    uint64_t unwritten;                 /* batches that an output did not take */
    uint64_t unwritten_told;
};

/* ---- lines */

struct tag {
    const char *text;
    const char *color;
};

static struct tag tag_of(uint8_t level)
{
    switch (level) {
    case LOG_LEVEL_FATAL:
        return (struct tag){"[FATAL]", "\x1b[35m"};
    case LOG_LEVEL_ERR:
        return (struct tag){"[ERR]", "\x1b[31m"};
    case LOG_LEVEL_WARN:
        return (struct tag){"[WARN]", "\x1b[33m"};
    default:
        return (struct tag){NULL, NULL};
    }
}

static void add_line(const struct logger *l, struct buf *out, const struct log_record *record, struct view text, bool colors)
{
    if (l->options.prefix != NULL)
        buf_add_text(out, l->options.prefix);
    if (l->options.timestamps) {
        time_t seconds = (time_t)(record->wall_us / 1000000u);
        struct tm tm;
        char stamp[64];
        localtime_r(&seconds, &tm);
        buf_add(out, stamp, strftime(stamp, sizeof(stamp), "[%a %b %e %H:%M:%S %Y] ", &tm));
    }
    struct tag tag = tag_of(record->level);
    if (tag.text != NULL && colors)
        buf_addf(out, "%s%s\x1b[0m ", tag.color, tag.text);
    else if (tag.text != NULL)
        buf_addf(out, "%s ", tag.text);
    if (record->level == LOG_LEVEL_FATAL || record->level == LOG_LEVEL_ERR || record->level == LOG_LEVEL_DBG)
        buf_addf(out, "[%.*s] ", (int)sizeof(record->where), record->where);
    buf_add_view(out, text);
    buf_add_char(out, '\n');
}

static void take_line(struct logger *l, const struct log_record *record, struct view text)
{
    log_ring_add(&l->ring, record, text);
    if (l->options.to_stdout)
        add_line(l, &l->to_stdout, record, text, l->options.colors);
    if (l->file >= 0)
        add_line(l, &l->to_file, record, text, false);
}

static void say(struct logger *l, const char *text)
{
    struct log_record record = {.wall_us = clock_wall_us(), .level = LOG_LEVEL_WARN};
    take_line(l, &record, VIEW(text, strlen(text)));
}

/* ---- outputs */

/* A pipe that is polled as writable takes PIPE_BUF bytes without blocking, so a reader that stands still can't hold us. */
static bool write_stdout(struct view text)
{
    while (text.size > 0) {
        struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (poll(&p, 1, STDOUT_WAIT_MS) != 1 || !(p.revents & POLLOUT))
            return false;
        ssize_t written = write(STDOUT_FILENO, text.data, text.size < PIPE_BUF ? text.size : PIPE_BUF);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text = VIEW(text.data + written, text.size - (size_t)written);
    }
    return true;
}

static bool write_file(int fd, struct view text)
{
    while (text.size > 0) {
        ssize_t written = write(fd, text.data, text.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text = VIEW(text.data + written, text.size - (size_t)written);
    }
    return true;
}

static void flush(struct logger *l)
{
    if (l->to_stdout.size > 0 && (l->to_stdout.failed || !write_stdout(buf_view(&l->to_stdout))))
        l->unwritten++;
    if (l->to_file.size > 0 && (l->to_file.failed || !write_file(l->file, buf_view(&l->to_file))))
        l->unwritten++;
    buf_clear(&l->to_stdout);
    buf_clear(&l->to_file);
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

static void rotate(struct logger *l)
{
    if (l->options.file == NULL)
        return;
    flush(l);
    if (l->file >= 0)
        close(l->file);
    l->file = open_file(l->options.file);
    if (l->file < 0)
        say(l, "The log file can't be opened again: logging to it has ended");
}

/* ---- the actor */

static void tell_tail(struct logger *l, const struct message *m)
{
    struct log_tail tail;
    struct buf text;
    CHECK(m->size == sizeof(tail));
    memcpy(&tail, m->payload, sizeof(tail));
    buf_init(&text, LOG_TAIL_BYTES_MAX);
    log_ring_write(&l->ring, tail.after, &text);
    const struct io_lines head = {(uint32_t)buf_whole(&text).size};
    actor_send_parts(l->actor, m->from, IO_LINES, m->op, VIEW(&head, sizeof(head)), buf_whole(&text));
    buf_fini(&text);
}

static void on_message(void *owner, usec_t now, const struct message *m)
{
    struct logger *l = owner;
    (void)now;
    if (m->type == LOG_ROTATE) {
        rotate(l);
    } else if (m->type == LOG_TAIL) {
        tell_tail(l, m);
    } else if (m->type == LOG_CONFIGURE) {
        struct log_configure configure;
        CHECK(m->size == sizeof(configure));
        memcpy(&configure, m->payload, sizeof(configure));
        l->options.timestamps = configure.timestamps;
        l->options.colors = configure.colors;
    }
}

static void on_relay(void *owner, usec_t now, actor_id from, struct view bytes)
{
    struct logger *l = owner;
    struct log_record record;
    (void)now;
    (void)from;
    CHECK(bytes.size >= sizeof(record));
    memcpy(&record, bytes.data, sizeof(record));
    take_line(l, &record, VIEW(bytes.data + sizeof(record), bytes.size - sizeof(record)));
    if (l->to_stdout.size > BATCH_BYTES || l->to_file.size > BATCH_BYTES)
        flush(l);
}

static void on_turn(void *owner, usec_t now)
{
    struct logger *l = owner;
    char text[100];
    (void)now;
    uint64_t dropped = log_dropped(actor_set(l->actor));
    if (dropped != l->dropped_told) {
        snprintf(text, sizeof(text), "%llu log lines were lost: they came faster than they could be written",
            (unsigned long long)(dropped - l->dropped_told));
        l->dropped_told = dropped;
        say(l, text);
    }
    if (l->unwritten != l->unwritten_told) {
        snprintf(text, sizeof(text), "%llu batches of log lines could not be written", (unsigned long long)(l->unwritten - l->unwritten_told));
        l->unwritten_told = l->unwritten;
        say(l, text);
    }
    flush(l);
}

const struct actor_ops logger_ops = {.on_message = on_message, .on_relay = on_relay, .on_turn = on_turn, .may_block = true};

struct logger *logger_new(struct actor *actor, const struct logger_options *options)
{
    int file = -1;
    if (options->file != NULL) {
        file = open_file(options->file);
        if (file < 0)
            return NULL;
    }
    struct logger *l = mem_get_zero(sizeof(*l));
    l->actor = actor;
    l->options = *options;
    l->file = file;
    log_ring_init(&l->ring);
    buf_init(&l->to_stdout, 2 * BATCH_BYTES);
    buf_init(&l->to_file, 2 * BATCH_BYTES);
    return l;
}

void logger_free(struct logger *logger)
{
    if (logger == NULL)
        return;
    buf_fini(&logger->to_stdout);
    buf_fini(&logger->to_file);
    log_ring_fini(&logger->ring);
    if (logger->file >= 0)
        close(logger->file);
    mem_put(logger);
}
