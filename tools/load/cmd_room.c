/* One publisher to many viewers: what does a packet that a viewer gets cost the server, are they all there, and are they
 * what was sent? */
#include <unistd.h>

#include "load/peers.h"
#include "load/sink_count.h"
#include "runtime/clock.h"

#define AUDIO_BYTES 100u            /* 40 kb/s */
#define SETTLE_US   SEC(1)

/* The publisher's streams, and what there is before and after the look. */
struct show {
    struct peers *peers;
    struct synth *synths[2];
    struct net_synth *running[2];
    uint64_t sent[2];               /* packets of the publisher */
    struct sink_count dropped[2];
    uint64_t rss_before_viewers;
};

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

static bool hears(const struct call *call, enum sdp_kind kind, bool sent)
{
    const struct verify *verify = call_received(call, kind);
    return !sent || (verify != NULL && verify->packets > 0);
}

/* Behind a sink, all who are to. */
static bool all_see(const void *context)
{
    const struct peers *peers = context;
    const struct options *options = peers->load->options;
    for (uint32_t i = 0; i < peers->up; i++)
        if ((!options->sink || peers_is_witness(peers, i)) &&
            !(hears(&peers->calls[i], SDP_VIDEO, options->media != MEDIA_ONLY_AUDIO) && hears(&peers->calls[i], SDP_AUDIO, options->media != MEDIA_ONLY_VIDEO)))
            return false;
    return true;
}

/* What was dropped on its way to those who verify nothing: none of it may be missing. One datagram of the kernel's count is up to
 * 16 packets of a GSO run, so the bytes tell: they have to be those of all packets, sealed. */
static double report_sink(struct show *show)
{
    struct load *load = show->peers->load;
    const uint32_t witnesses = (show->peers->up + show->peers->witness_every - 1) / show->peers->witness_every;
    const double sent = (double)(show->sent[1] - show->sent[0]), packets = sent * (show->peers->up - witnesses);
    const double datagrams = (double)(show->dropped[1].datagrams - show->dropped[0].datagrams);
    const double bytes = (double)(show->dropped[1].bytes - show->dropped[0].bytes) - datagrams * SINK_HEADERS;
    report_add(&load->report, "sink_datagrams_per_packet", datagrams / packets, "", 3);
    report_add(&load->report, "sink_bytes_per_packet", bytes / packets, "B", 1);
    return sent * show->peers->up;
}

static void report(struct show *show, const struct total *before, struct total *after, const struct proc_sample samples[4], usec_t looked)
{
    const struct peers *peers = show->peers;
    struct load *load = peers->load;
    const double seconds = (double)looked / 1e6;
    struct report *out = &load->report;
    double packets = (double)(after->packets - before->packets);
    if (load->options->sink)
        packets = report_sink(show);
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
    report_add(out, "bytes_per_viewer", ((double)samples[1].rss_bytes - (double)show->rss_before_viewers) / peers->up, "B", 0);
}

static uint64_t sent_by(const struct show *show)
{
    return (show->synths[0] == NULL ? 0 : show->synths[0]->packets) + (show->synths[1] == NULL ? 0 : show->synths[1]->packets);
}

static bool mark(struct show *show, unsigned when)
{
    show->sent[when] = sent_by(show);
    return !show->peers->load->options->sink || sink_count(&show->dropped[when]);
}

static bool look(struct show *show)
{
    struct peers *peers = show->peers;
    struct load *load = peers->load;
    struct total before, after;
    struct proc_sample samples[4];
    loop_run(&load->loop, clock_now() + SETTLE_US);
    if (!mark(show, 0))
        return load_fail(load, "there is no sink: is this the far namespace of scripts/nullsink.sh?");
    proc_sample(&samples[0], load->options->pid);
    proc_sample(&samples[2], getpid());
    sum(peers, &before);
    usec_t began = clock_now();
    loop_run(&load->loop, began + SEC(load->options->seconds));
    proc_sample(&samples[1], load->options->pid);
    proc_sample(&samples[3], getpid());
    usec_t looked = clock_now() - began;
    sum(peers, &after);
    if (peers->failed > 0 || !mark(show, 1))
        return false;
    report(show, &before, &after, samples, looked);
    return true;
}

static bool start(struct show *show, unsigned which, enum sdp_kind kind, struct synth *synth)
{
    show->synths[which] = synth;
    if (!call_send(&show->peers->publisher, kind, 0, synth)) {
        synth_free(synth);
        return load_fail(show->peers->load, "the publisher's lines don't send");
    }
    show->running[which] = net_synth_start(&show->peers->net, synth);
    return true;
}

static bool start_video(struct show *show, const struct options *options, usec_t now)
{
    struct synth *synth = synth_video(show->peers->net.rtc, 1, options->kbps * 1000u, options->fps, now);
    if (options->burst > 0)
        synth_shape(synth, options->burst, options->bytes, options->gap_us);
    return start(show, 0, SDP_VIDEO, synth);
}

static bool start_audio(struct show *show, const struct options *options, usec_t now)
{
    const bool alone = options->media == MEDIA_ONLY_AUDIO;
    struct synth *synth = synth_audio(show->peers->net.rtc, 2, alone ? options->bytes : AUDIO_BYTES, now);
    if (alone) {                                /* at the rate that was asked for */
        synth->every_us = SEC(1) / options->fps;
        synth->ts_step = 48000u / options->fps;
    }
    return start(show, 1, SDP_AUDIO, synth);
}

static bool run(struct show *show, uint32_t count)
{
    struct peers *peers = show->peers;
    struct load *load = peers->load;
    const struct options *options = load->options;
    struct proc_sample sample;
    if (!peers_publish(peers))
        return false;
    if (options->media != MEDIA_ONLY_AUDIO && !start_video(show, options, load->loop.now))
        return false;
    if (options->media != MEDIA_ONLY_VIDEO && !start_audio(show, options, load->loop.now))
        return false;
    load_sample(load, &sample);
    show->rss_before_viewers = sample.rss_bytes;
    peers->witness_every = !options->sink ? 0 : count > options->witnesses ? count / options->witnesses : 1;
    peers->config = (struct call_config){.kind = CALL_VIEW, .room = options->room, .feed = peers->publisher.user};
    if (!peers_call(peers, count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        peers->calls[i].peer->loss_percent = (uint8_t)options->loss_percent;
    if (!load_wait(load, all_see, peers, &peers->up))
        return load_fail(load, "not all viewers get audio and video");
    return look(show);
}

bool cmd_room(struct load *load)
{
    struct peers peers;
    struct show show = {.peers = &peers};
    const uint32_t count = load->options->count > 0 ? load->options->count : 20;
    bool fine = peers_init(&peers, load, count) && run(&show, count);
    net_synth_stop(show.running[0]);
    net_synth_stop(show.running[1]);
    peers_fini(&peers);
    return fine;
}
