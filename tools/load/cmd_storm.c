/* The storm: hundreds of clients for some seconds, then calm, then somebody new who wants to be served. */
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "load/storm.h"
#include "runtime/clock.h"

#define BODY_BYTES    4096u
#define PROGRESS_US   SEC(1)
#define CALM_US       SEC(2)

enum verdict { SURVIVED, WEDGED, DIED };
static const char *const verdicts[] = {[SURVIVED] = "survived", [WEDGED] = "wedged", [DIED] = "died"};

static void say_progress(const struct storm *storm, usec_t began, usec_t now)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%3u s  %llu asked, %llu answered, %llu missing, worst %.1f ms (%s)   ", (unsigned)((now - began) / SEC(1)),
                (unsigned long long)storm->asked, (unsigned long long)storm->answered, (unsigned long long)storm->missing,
                (double)storm->worst_us / 1e3, storm_ask_name(storm->worst_kind));
}

static bool nothing_waits(const void *context)
{
    const struct storm *storm = context;
    return list_is_empty(&storm->waiting);
}

static void rage(struct storm *storm)
{
    struct load *load = storm->load;
    const usec_t began = clock_now(), end = began + SEC(load->options->seconds);
    for (uint32_t i = 0; i < storm->count; i++)
        storm_client_start(&storm->clients[i], storm, began + rng_u32(&load->rng) % SEC(1));
    for (usec_t now = began; now < end; now = clock_now()) {
        loop_run(&load->loop, usec_min(now + PROGRESS_US, end));
        storm_look_for_missing(storm, load->loop.now);
        say_progress(storm, began, load->loop.now);
    }
    storm->over = true;
    (void)loop_until(&load->loop, nothing_waits, storm, clock_now() + STORM_PATIENCE_US);
    storm_look_for_missing(storm, clock_now() + STORM_PATIENCE_US);      /* what is left now has had its time */
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

/* ---- afterwards ---- */

/* Somebody new, with a session, a handle and a list of rooms. */
struct probe {
    struct user *user;
    uint64_t session;
    bool done;
    bool fine;
};

static void on_listed(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct probe *probe = owner;
    (void)now;
    probe->done = true;
    probe->fine = reply != NULL && reply->error == 0;
}

static void on_attached(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct probe *probe = owner;
    if (reply == NULL || reply->error != 0)
        on_listed(owner, now, NULL);
    else
        janus_message(&probe->user->janus, probe->session, reply->id, STR("{\"request\":\"list\"}"), NULL, STR(""), on_listed, owner);
}

static bool probe_is_done(const void *context)
{
    return ((const struct probe *)context)->done;
}

static enum verdict judge(struct storm *storm)
{
    struct load *load = storm->load;
    struct probe probe = {.fine = false};
    loop_run(&load->loop, clock_now() + CALM_US);
    if (load_connect(load, 1, true)) {
        probe.user = &load->users[0];
        probe.session = probe.user->session;
        janus_attach(&probe.user->janus, probe.session, "janus.plugin.videoroom", on_attached, &probe);
        (void)loop_until(&load->loop, probe_is_done, &probe, clock_now() + STORM_PATIENCE_US);
        janus_lost(&probe.user->janus, load->loop.now);
    }
    if (load->options->pid != 0 && !proc_is_alive(load->options->pid))
        return DIED;
    return probe.fine ? SURVIVED : WEDGED;
}

static void report(struct storm *storm, enum verdict verdict, const struct proc_sample samples[2])
{
    struct report *out = &storm->load->report;
    const struct options *options = storm->load->options;
    report_add_text(out, "verdict", verdicts[verdict]);
    report_add(out, "clients", storm->count, "", 0);
    report_add(out, "seconds", options->seconds, "s", 0);
    report_add(out, "requests", (double)storm->asked, "", 0);
    report_add(out, "answered", (double)storm->answered, "", 0);
    report_add(out, "missing", (double)storm->missing, "", 0);
    report_add_text(out, "missing_request", storm->missing > 0 ? storm_ask_name(storm->missing_kind) : "none");
    report_add(out, "abandoned", (double)storm->abandoned, "", 0);
    report_add(out, "errors", (double)storm->errors, "", 0);
    report_add(out, "answer_p50", (double)storm_quantile(storm, 0.5) / 1e3, "ms", 2);
    report_add(out, "answer_p99", (double)storm_quantile(storm, 0.99) / 1e3, "ms", 2);
    report_add(out, "answer_worst", (double)storm->worst_us / 1e3, "ms", 1);
    report_add_text(out, "worst_request", storm_ask_name(storm->worst_kind));
    report_add(out, "connects", (double)storm->connects, "", 0);
    report_add(out, "connects_refused", (double)storm->connect_refused, "", 0);
    report_add(out, "connect_worst", (double)storm->connect_worst_us / 1e3, "ms", 1);
    report_add(out, "vanished", (double)storm->vanished, "", 0);
    report_add(out, "calls_up", (double)storm->calls_up, "", 0);
    if (options->pid == 0)
        return;
    report_add(out, "descriptors_before", samples[0].descriptors, "", 0);
    report_add(out, "descriptors_after", samples[1].descriptors, "", 0);
    report_add(out, "rss_before", (double)samples[0].rss_bytes / 1e6, "MB", 1);
    report_add(out, "rss_after", (double)samples[1].rss_bytes / 1e6, "MB", 1);
}

static bool open_storm(struct storm *storm)
{
    struct load *load = storm->load;
    char error[DTLS_ERROR_TEXT] = "";
    const struct rtc_config config = {.endpoints = storm->count, .lines = storm->count * 4, .packets = storm->count * 64};
    if (!net_init(&storm->net, &load->loop, &load->options->local, &config, error))
        return load_fail(load, "%s", error);
    storm->clients = mem_get_zero(storm->count * sizeof(*storm->clients));
    list_init(&storm->waiting);
    pool_init(&storm->requests, "requests", sizeof(struct storm_request), storm->count * STORM_IN_FLIGHT * 2);
    buf_init(&storm->body, BODY_BYTES);
    buf_init(&storm->sdp, ENDPOINT_SDP_BYTES);
    for (uint32_t i = 0; i < STORM_ROOMS; i++)
        storm->rooms[i] = 1 + rng_u32(&load->rng);
    return true;
}

static void close_storm(struct storm *storm)
{
    net_fini(&storm->net);
    mem_put(storm->clients);
    pool_fini(&storm->requests);
    buf_fini(&storm->body);
    buf_fini(&storm->sdp);
}

bool cmd_storm(struct load *load)
{
    struct proc_sample samples[2];
    struct storm storm = {.load = load, .count = load->options->count > 0 ? load->options->count : 200};
    if (!open_storm(&storm))
        return false;
    proc_sample(&samples[0], load->options->pid);
    rage(&storm);
    for (uint32_t i = 0; i < storm.count; i++)
        storm_client_stop(&storm.clients[i]);
    const enum verdict verdict = judge(&storm);
    proc_sample(&samples[1], load->options->pid);
    report(&storm, verdict, samples);
    load->unwanted = verdict != SURVIVED || storm.missing > 0;
    close_storm(&storm);
    return true;
}
