/* Sessions with a VideoRoom handle each that do nothing: what does one more cost? */
#include "base/mem.h"
#include "load/load.h"

struct bench {
    struct load *load;
    uint32_t wanted;
    uint32_t begun;
    uint32_t done;
    uint32_t errors;
};

/* One session at a time per connection. */
struct lane {
    struct bench *bench;
    struct user *user;
};

static void begin(struct lane *lane);

static void on_attached(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct lane *lane = owner;
    (void)now;
    if (reply == NULL || reply->error != 0)
        lane->bench->errors++;
    lane->bench->done++;
    if (reply != NULL)
        begin(lane);
}

static void on_created(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct lane *lane = owner;
    if (reply == NULL || reply->error != 0)
        on_attached(lane, now, reply);
    else
        janus_attach(&lane->user->janus, reply->id, "janus.plugin.videoroom", on_attached, lane);
}

static void begin(struct lane *lane)
{
    if (lane->bench->begun >= lane->bench->wanted)
        return;
    lane->bench->begun++;
    janus_create(&lane->user->janus, on_created, lane);
}

static bool all_done(const void *context)
{
    const struct bench *bench = context;
    return bench->done >= bench->wanted;
}

static bool make(struct load *load, struct bench *bench, struct lane *lanes, uint32_t wanted)
{
    bench->wanted = wanted;
    for (uint32_t i = 0; i < load->user_count; i++)
        begin(&lanes[i]);
    return load_wait(load, all_done, bench, &bench->done) && bench->errors == 0;
}

bool cmd_idle(struct load *load)
{
    struct proc_sample one, all;
    struct bench bench = {.load = load};
    const uint32_t count = load->options->count > 0 ? load->options->count : 10000;
    const uint32_t connections = load->options->connections > 0 ? load->options->connections : 100;
    if (!load_connect(load, connections, false))
        return false;
    struct lane *lanes = mem_get_zero(connections * sizeof(*lanes));
    for (uint32_t i = 0; i < connections; i++)
        lanes[i] = (struct lane){&bench, &load->users[i]};
    bool fine = make(load, &bench, lanes, 1);
    load_sample(load, &one);
    fine = fine && make(load, &bench, lanes, count);
    load_sample(load, &all);
    for (uint32_t i = 0; i < load->user_count; i++)
        janus_lost(&load->users[i].janus, load->loop.now);
    mem_put(lanes);
    if (!fine)
        return load_fail(load, "%u of %u sessions, %u refused", bench.done, count, bench.errors);
    report_add(&load->report, "sessions", count, "", 0);
    report_add(&load->report, "connections", connections, "", 0);
    if (load->options->pid != 0)
        report_add(&load->report, "bytes_per_session", ((double)all.rss_bytes - (double)one.rss_bytes) / (count - 1.0), "B", 0);
    load_report_constants(load, &one, &all);
    return true;
}
