/* The shell's part of what client_monitor.c shows: actors are asked for it by message, and clients answered when it is there. */
#include "base/check.h"
#include "base/str.h"
#include "io/io_private.h"
#include "msg/log.h"
#include "runtime/log.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define TEXT_TYPE    "text/plain; charset=utf-8"

static void answer(struct io *io, struct client *c, usec_t now, unsigned status, const char *type, struct view text)
{
    client_show(&io->clients, c, now, status, type, text);
    io_touch(io, c);
}

/* --- Numbers, and readiness, which is one of them ---------------------------------------------------------------------- */

static void answer_ready(struct io *io, struct client *c, usec_t now, const struct metrics *control)
{
    uint64_t accepting = 0, draining = 0;
    if (control == NULL || !metrics_get(control, METRIC_ACCEPTING, &accepting))
        answer(io, c, now, 503, TEXT_TYPE, STR("control does not answer\n"));
    else if (accepting != 0)
        answer(io, c, now, 200, TEXT_TYPE, STR("ready\n"));
    else if (metrics_get(control, METRIC_DRAINING, &draining) && draining != 0)
        answer(io, c, now, 503, TEXT_TYPE, STR("draining\n"));
    else
        answer(io, c, now, 503, TEXT_TYPE, STR("new sessions are refused\n"));
}

static void finish_scrape(struct io *io, usec_t now)
{
    struct monitor *monitor = &io->monitor;
    struct buf text;
    buf_init(&text, SCRAPE_BYTES_MAX);
    for (struct list *it = monitor->scraping.next, *next; it != &monitor->scraping; it = next) {
        next = it->next;
        if (client_want(client_asking(it)) == CLIENT_WANTS_READY)
            answer_ready(io, client_asking(it), now, scrape_of(&monitor->scrape, ACTOR_CONTROL));
    }
    scrape_write(&monitor->scrape, io->self, &text);
    while (!list_is_empty(&monitor->scraping))
        answer(io, client_asking(monitor->scraping.next), now, text.failed ? 500 : 200, METRICS_TYPE, buf_whole(&text));
    buf_fini(&text);
}

void io_monitor_measured(struct io *io, usec_t now, const struct message *m)
{
    if (scrape_take(&io->monitor.scrape, m))
        finish_scrape(io, now);
}

/* --- The log's last lines ------------------------------------------------------------------------------------------------ */

static void ask_log(struct io *io, struct client *c, usec_t now)
{
    const struct log_tail tail = {client_wants_after(c)};
    c->phase_deadline = usec_add(now, IO_TAIL_US);
    actor_send_op(io->self, ACTOR_LOG, LOG_TAIL, c->ref, &tail, sizeof(tail));
}

void io_monitor_lines(struct io *io, usec_t now, const struct message *m)
{
    const struct io_lines *lines = m->payload;
    struct client *c = slots_get(&io->slots, m->op);
    CHECK(m->size - offsetof(struct io_lines, text) == lines->size);
    if (c == NULL || client_want(c) != CLIENT_WANTS_LOG)
        io->counters.stale++;
    else
        answer(io, c, now, 200, "application/json", VIEW(lines->text, lines->size));
}

static void give_up_tails(struct io *io, usec_t now)
{
    struct list *tailing = &io->monitor.tailing;
    while (!list_is_empty(tailing) && now >= client_asking(tailing->next)->phase_deadline)
        answer(io, client_asking(tailing->next), now, 503, TEXT_TYPE, STR("the log does not answer\n"));
}

/* --- Turns ------------------------------------------------------------------------------------------------------------------ */

void io_monitor_turn(struct io *io, usec_t now)
{
    struct monitor *monitor = &io->monitor;
    for (struct list *it; (it = list_pop(&io->clients.asking)) != NULL;) {
        if (client_want(client_asking(it)) == CLIENT_WANTS_LOG) {
            ask_log(io, client_asking(it), now);
            list_add_tail(&monitor->tailing, it);
            continue;
        }
        list_add_tail(&monitor->scraping, it);
        if (!monitor->scrape.open)
            scrape_begin(&monitor->scrape, io->self, now);
    }
    if (now >= scrape_deadline(&monitor->scrape))
        finish_scrape(io, now);
    give_up_tails(io, now);
}

usec_t io_monitor_deadline(const struct io *io)
{
    const struct list *tailing = &io->monitor.tailing;
    usec_t at = list_is_empty(tailing) ? USEC_NEVER : client_asking(tailing->next)->phase_deadline;
    return usec_min(at, scrape_deadline(&io->monitor.scrape));
}

void io_monitor_init(struct io *io)
{
    list_init(&io->monitor.scraping);
    list_init(&io->monitor.tailing);
}

void io_monitor_fini(struct io *io)
{
    scrape_fini(&io->monitor.scrape);
}
