/* One publisher to many viewers: what does a packet that a viewer gets cost the server, are they all there, and are they
 * what was sent? */
#include <unistd.h>

#include "load/peers.h"
#include "runtime/clock.h"

#define AUDIO_BYTES 100u            /* 40 kb/s */
#define SETTLE_US   SEC(1)

/* Of all viewers, audio and video. */
struct total {
    uint64_t packets;
    uint64_t bytes;
    uint64_t lost_audio;            /* nobody asks for audio again */
    uint64_t lost_video;            /* after retransmissions */
    uint64_t repeated;
    uint64_t strange;
    uint64_t renumbered;
    uint64_t out_of_time;
    uint64_t keyframes;
    uint64_t bins[VERIFY_BINS];
};

static void add(struct total *total, const struct verify *verify)
{
    if (verify == NULL)
        return;
    total->packets += verify->packets;
    total->bytes += verify->bytes;
    *(verify->video ? &total->lost_video : &total->lost_audio) += verify_lost(verify);
    total->repeated += verify->repeated;
    total->strange += verify->strange;
    total->renumbered += verify->renumbered;
    total->out_of_time += verify->out_of_time;
    total->keyframes += verify->keyframes;
    for (unsigned i = 0; i < VERIFY_BINS; i++)
        total->bins[i] += verify->delay_bins[i];
}

static void sum(const struct peers *peers, struct total *total)
{
    *total = (struct total){0};
    for (uint32_t i = 0; i < peers->up; i++) {
        add(total, call_received(&peers->calls[i], SDP_AUDIO));
        add(total, call_received(&peers->calls[i], SDP_VIDEO));
    }
}

static bool all_see(const void *context)
{
    const struct peers *peers = context;
    for (uint32_t i = 0; i < peers->up; i++) {
        const struct verify *video = call_received(&peers->calls[i], SDP_VIDEO), *audio = call_received(&peers->calls[i], SDP_AUDIO);
        if (video == NULL || audio == NULL || video->packets == 0 || audio->packets == 0)
            return false;
    }
    return true;
}

static void report(struct load *load, const struct peers *peers, const struct total *before, struct total *after,
                   const struct proc_sample samples[4], usec_t looked)
{
    const double packets = (double)(after->packets - before->packets), seconds = (double)looked / 1e6;
    struct report *out = &load->report;
    for (unsigned i = 0; i < VERIFY_BINS; i++)
        after->bins[i] -= before->bins[i];
    report_add(out, "viewers", peers->up, "", 0);
    report_add(out, "packets_per_s", packets / seconds, "", 0);
    report_add(out, "mbit_per_s", (double)(after->bytes - before->bytes) * 8 / seconds / 1e6, "", 1);
    report_add(out, "lost_video", (double)after->lost_video, "", 0);
    report_add(out, "lost_audio", (double)after->lost_audio, "", 0);
    report_add(out, "repeated", (double)after->repeated, "", 0);
    report_add(out, "wrong_bytes", (double)after->strange, "", 0);
    report_add(out, "wrong_numbers", (double)(after->renumbered + after->out_of_time), "", 0);
    report_add(out, "thrown_away", (double)peers->net.thrown_away, "", 0);
    report_add(out, "nacks_sent", (double)peers->net.rtc->env.counters.nacks_out, "", 0);
    report_add(out, "recovered_by_rtx", (double)peers->net.rtc->env.counters.rtx_recovered, "", 0);
    report_add(out, "keyframes_per_viewer", (double)after->keyframes / peers->up, "", 1);
    report_add(out, "delay_p50", (double)verify_delay(after->bins, 0.5) / 1e3, "ms", 2);
    report_add(out, "delay_p99", (double)verify_delay(after->bins, 0.99) / 1e3, "ms", 2);
    report_add(out, "our_cpu", 100.0 * (double)(samples[3].run_us - samples[2].run_us) / (double)looked, "% of a core", 0);
    if (load->options->pid == 0)
        return;
    const double cpu_us = (double)(samples[1].run_us - samples[0].run_us);
    report_add(out, "server_cpu", 100.0 * cpu_us / (double)looked, "% of a core", 1);
    report_add(out, "server_cpu_per_packet", cpu_us / packets, "us", 2);
    report_add(out, "server_rss", (double)samples[1].rss_bytes / 1e6, "MB", 1);
}

static bool look(struct peers *peers)
{
    struct load *load = peers->load;
    struct total before, after;
    struct proc_sample samples[4];
    loop_run(&load->loop, clock_now() + SETTLE_US);
    proc_sample(&samples[0], load->options->pid);
    proc_sample(&samples[2], getpid());
    sum(peers, &before);
    usec_t began = clock_now();
    loop_run(&load->loop, began + SEC(load->options->seconds));
    proc_sample(&samples[1], load->options->pid);
    proc_sample(&samples[3], getpid());
    usec_t looked = clock_now() - began;
    sum(peers, &after);
    if (peers->failed > 0)
        return false;
    report(load, peers, &before, &after, samples, looked);
    return true;
}

static bool run(struct peers *peers, uint32_t count, struct net_synth *running[2])
{
    struct load *load = peers->load;
    const struct options *options = load->options;
    if (!peers_publish(peers))
        return false;
    struct synth *video = synth_video(peers->net.rtc, 1, options->kbps * 1000u, options->fps, load->loop.now);
    struct synth *audio = synth_audio(peers->net.rtc, 2, AUDIO_BYTES, load->loop.now);
    if (!call_send(&peers->publisher, SDP_VIDEO, 0, video) || !call_send(&peers->publisher, SDP_AUDIO, 0, audio)) {
        synth_free(video);
        synth_free(audio);
        return load_fail(load, "the publisher's lines don't send");
    }
    running[0] = net_synth_start(&peers->net, video);
    running[1] = net_synth_start(&peers->net, audio);
    peers->config = (struct call_config){.kind = CALL_VIEW, .room = options->room, .feed = peers->publisher.user};
    if (!peers_call(peers, count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        peers->calls[i].peer->loss_percent = (uint8_t)options->loss_percent;
    if (!load_wait(load, all_see, peers, &peers->up))
        return load_fail(load, "not all viewers get audio and video");
    return look(peers);
}

bool cmd_room(struct load *load)
{
    struct peers peers;
    struct net_synth *running[2] = {NULL, NULL};
    const uint32_t count = load->options->count > 0 ? load->options->count : 20;
    bool fine = peers_init(&peers, load, count) && run(&peers, count, running);
    net_synth_stop(running[0]);
    net_synth_stop(running[1]);
    peers_fini(&peers);
    return fine;
}
