/* Request cycles: create, attach to the VideoRoom, join as publisher, detach, destroy; one cycle at a time per connection. */
#include "base/mem.h"
#include "base/str.h"
#include "load/load.h"
#include "runtime/clock.h"

struct cycle {
    struct bench *bench;
    struct user *user;
    uint64_t session;
    uint64_t handle;
};

struct bench {
    struct load *load;
    struct buf join;
    uint32_t begun;
    uint32_t done;
    uint32_t errors;
};

static void begin(struct cycle *cycle);

/* Each step checks the last one's reply; a failed cycle is counted and ends there. */
static bool is_fine(struct cycle *cycle, const struct janus_reply *reply)
{
    if (reply != NULL && reply->error == 0)
        return true;
    cycle->bench->errors++;
    cycle->bench->done++;
    if (reply != NULL)
        begin(cycle);
    return false;
}

static void on_destroyed(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct cycle *cycle = owner;
    (void)now;
    if (!is_fine(cycle, reply))
        return;
    cycle->bench->done++;
    begin(cycle);
}

static void on_detached(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct cycle *cycle = owner;
    (void)now;
    if (is_fine(cycle, reply))
        janus_plain(&cycle->user->janus, "destroy", cycle->session, 0, on_destroyed, cycle);
}

static void on_joined(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct cycle *cycle = owner;
    (void)now;
    if (is_fine(cycle, reply))
        janus_plain(&cycle->user->janus, "detach", cycle->session, cycle->handle, on_detached, cycle);
}

static void on_attached(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct cycle *cycle = owner;
    (void)now;
    if (!is_fine(cycle, reply))
        return;
    cycle->handle = reply->id;
    janus_message(&cycle->user->janus, cycle->session, cycle->handle, buf_view(&cycle->bench->join), NULL, STR(""), on_joined, cycle);
}

static void on_created(void *owner, usec_t now, const struct janus_reply *reply)
{
    struct cycle *cycle = owner;
    (void)now;
    if (!is_fine(cycle, reply))
        return;
    cycle->session = reply->id;
    janus_attach(&cycle->user->janus, cycle->session, "janus.plugin.videoroom", on_attached, cycle);
}

static void begin(struct cycle *cycle)
{
    struct bench *bench = cycle->bench;
    if (bench->begun >= bench->load->options->cycles)
        return;
    bench->begun++;
    janus_create(&cycle->user->janus, on_created, cycle);
}

static bool all_done(const void *context)
{
    const struct bench *bench = context;
    return bench->done >= bench->load->options->cycles;
}

static void report(struct load *load, const struct bench *bench, usec_t took, const struct proc_sample *before, const struct proc_sample *after)
{
    const double cycles = bench->done;
    report_add(&load->report, "cycles", cycles, "", 0);
    report_add(&load->report, "connections", load->user_count, "", 0);
    report_add(&load->report, "errors", bench->errors, "", 0);
    report_add(&load->report, "cycles_per_s", cycles * 1e6 / (double)took, "", 0);
    if (load->options->pid != 0)
        report_add(&load->report, "server_cpu_per_cycle", (double)(after->cpu_us - before->cpu_us) / cycles, "us", 1);
}

bool cmd_api(struct load *load)
{
    struct proc_sample before, after;
    struct bench bench = {.load = load};
    const uint32_t connections = load->options->connections > 0 ? load->options->connections : 16;
    if (!load_connect(load, connections, false))
        return false;
    buf_init(&bench.join, 256);
    buf_addf(&bench.join, "{\"request\":\"join\",\"ptype\":\"publisher\",\"room\":%llu}", (unsigned long long)load->options->room);
    struct cycle *cycles = mem_get_zero(connections * sizeof(*cycles));
    load_sample(load, &before);
    usec_t began = clock_now();
    for (uint32_t i = 0; i < connections; i++) {
        cycles[i] = (struct cycle){.bench = &bench, .user = &load->users[i]};
        begin(&cycles[i]);
    }
    bool fine = load_wait(load, all_done, &bench, &bench.done);
    usec_t took = clock_now() - began;
    proc_sample(&after, load->options->pid);
    for (uint32_t i = 0; i < load->user_count; i++)
        janus_lost(&load->users[i].janus, load->loop.now);
    if (fine && bench.errors == 0)
        report(load, &bench, took, &before, &after);
    else
        (void)load_fail(load, "%u of %u cycles done, %u failed", bench.done, load->options->cycles, bench.errors);
    mem_put(cycles);
    buf_fini(&bench.join);
    return fine && bench.errors == 0;
}
