/* PeerConnections with audio and video that send nothing: memory, threads, sockets, and the CPU time of being there. */
#include "load/peers.h"
#include "runtime/clock.h"

static void report(struct load *load, const struct proc_sample samples[4], uint32_t count, usec_t took, usec_t looked)
{
    const struct proc_sample *one = &samples[0], *all = &samples[1], *idle = &samples[2], *end = &samples[3];
    report_add(&load->report, "peers", count, "", 0);
    report_add(&load->report, "set_up_per_s", (count - 1.0) * 1e6 / (double)took, "", 0);
    if (load->options->pid == 0)
        return;
    report_add(&load->report, "bytes_per_peer", ((double)all->rss_bytes - (double)one->rss_bytes) / (count - 1.0), "B", 0);
    report_add(&load->report, "server_cpu_to_set_up", (double)(all->cpu_us - one->cpu_us) / (count - 1.0), "us", 0);
    report_add(&load->report, "idle_cpu", 100.0 * (double)(end->run_us - idle->run_us) / (double)looked, "% of a core", 2);
    load_report_constants(load, one, all);
}

/* A message each, there and back: associations that have been used are what is idle afterwards. */
static bool all_say(struct peers *peers)
{
    struct load *load = peers->load;
    uint32_t back = 0;
    for (uint32_t i = 0; i < peers->up; i++)
        (void)call_send_data(&peers->calls[i], STR("load"), false, STR("hello"));
    loop_run(&load->loop, clock_now() + SEC(2));
    for (uint32_t i = 0; i < peers->up; i++)
        back += peers->calls[i].messages > 0;
    load_sample(load, &peers->after_talk);
    return back == peers->up || load_fail(load, "%u of %u messages came back", back, peers->up);
}

static bool run(struct peers *peers, uint32_t count)
{
    struct load *load = peers->load;
    struct proc_sample samples[4];
    if (load->options->mode == MODE_ROOM && !peers_publish(peers))
        return false;
    peers->config = (struct call_config){
        .kind = load->options->mode == MODE_ROOM ? CALL_VIEW : CALL_ECHO,
        .room = load->options->room,
        .feed = peers->publisher.user,
        .audio = true,
        .video = true,
        .data = load->options->mode == MODE_DATA,
    };
    if (!peers_call(peers, 1))
        return false;
    load_sample(load, &samples[0]);
    usec_t began = clock_now();
    if (!peers_call(peers, count))
        return false;
    usec_t took = clock_now() - began;
    load_sample(load, &samples[1]);
    loop_run(&load->loop, clock_now() + SEC(1));            /* the last handshakes' leftovers */
    if (load->options->mode == MODE_DATA && !all_say(peers))
        return false;
    proc_sample(&samples[2], load->options->pid);
    began = clock_now();
    loop_run(&load->loop, began + SEC(load->options->seconds));
    proc_sample(&samples[3], load->options->pid);
    usec_t looked = clock_now() - began;
    if (peers->failed > 0)
        return false;
    if (load->options->mode == MODE_DATA)
        samples[1] = peers->after_talk;
    report(load, samples, count, took, looked);
    return true;
}

bool cmd_peers(struct load *load)
{
    struct peers peers;
    const uint32_t count = load->options->count > 1 ? load->options->count : 500;
    bool fine = peers_init(&peers, load, count) && run(&peers, count);
    peers_fini(&peers);
    return fine;
}
