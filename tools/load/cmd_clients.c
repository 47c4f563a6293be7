/* WebSocket clients that say nothing. Some of them ping at the end: they must still be served. */
#include "load/load.h"

#define PING_EVERY 100u

struct pings {
    uint32_t sent;
    uint32_t answered;
    uint32_t failed;
};

static void on_pong(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct pings *pings = owner;
    (void)now;
    if (reply != NULL && reply->error == 0)
        pings->answered++;
    else
        pings->failed++;
}

static bool all_answered(const void *context)
{
    const struct pings *pings = context;
    return pings->answered + pings->failed >= pings->sent;
}

/* Connections are opened by one call, so that the first is there alone while it is looked at. */
static bool open_one(struct load *load)
{
    return load_connect(load, 1, false);
}

bool cmd_clients(struct load *load)
{
    struct proc_sample one, all, later;
    struct pings pings = {0};
    struct load first;
    const uint32_t count = load->options->count > 0 ? load->options->count : 10000;
    bool fine = load_init(&first, load->options) && open_one(&first);
    if (!fine)
        (void)load_fail(load, "%s", first.error);
    load_sample(load, &one);
    fine = fine && load_connect(load, count, false);
    load_sample(load, &all);
    for (uint32_t i = 0; fine && i < count; i += PING_EVERY) {
        pings.sent++;
        janus_ping(&load->users[i].janus, on_pong, &pings);
    }
    if (fine && (!load_wait(load, all_answered, &pings, &pings.answered) || pings.failed > 0))
        fine = load_fail(load, "%u of %u pings answered", pings.answered, pings.sent);
    for (uint32_t i = 0; fine && i < count; i++)
        janus_lost(&load->users[i].janus, load->loop.now);
    load_sample(load, &later);
    load_fini(&first);
    if (!fine)
        return false;
    report_add(&load->report, "clients", count, "", 0);
    report_add(&load->report, "pings_answered", pings.answered, "", 0);
    if (load->options->pid != 0) {
        report_add(&load->report, "bytes_per_client", ((double)all.rss_bytes - (double)one.rss_bytes) / count, "B", 0);
        report_add(&load->report, "heap_bytes_per_client", ((double)all.anon_bytes - (double)one.anon_bytes) / count, "B", 0);
        report_add(&load->report, "bytes_per_client_after_pings", ((double)later.rss_bytes - (double)one.rss_bytes) / count, "B", 0);
    }
    load_report_constants(load, &one, &all);
    return true;
}
