/* proto/rtcp/report.c - RFC 3550 A.3 (loss), A.8 (jitter), 6.4.1 (LSR, DLSR and the round trip). */
#include "proto/rtcp/report.h"

#include "proto/rtcp/ntp.h"
#include "proto/rtp/seq.h"

#define RESTART_JUMP 3000u         /* RFC 3550 A.1, MAX_DROPOUT: a larger jump means the source began anew */
#define QUALITY_FULL 100u
#define RATED_NTP    (2ull << 32)  /* out-qualities are renewed at most so often: 2 s, in NTP units */
#define RTT_MAX_US   SEC(60)       /* more than that is a clock that was set, not a round trip */

/* Whole seconds apart, so that long pauses don't overflow. */
static uint32_t us_to_clock(usec_t us, uint32_t clock_hz)
{
    return (uint32_t)(us / SEC(1) * clock_hz + us % SEC(1) * clock_hz / SEC(1));
}

static uint32_t clock_to_us(uint32_t units, uint32_t clock_hz)
{
    uint64_t us = clock_hz == 0 ? 0 : (uint64_t)units * 1000000u / clock_hz;
    return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

void report_in_init(struct report_in *report, uint32_t clock_hz)
{
    *report = (struct report_in){.clock_hz = clock_hz, .quality = QUALITY_FULL, .media_quality = QUALITY_FULL};
}

/* Counting starts again from this packet; SRs and jitter stay (the clock is the same). */
static void restart(struct report_in *report, uint16_t seq)
{
    report->started = true;
    report->base_seq = SEQ_UNWRAP_BASE + (uint64_t)seq;
    report->newest_seq = report->base_seq;
    report->received = 0;
    report->recovered = 0;
    report->recovered_prior = 0;
    report->expected_prior = 0;
    report->received_prior = 0;
    report->lost_seen = 0;
}

/* True when it is the newest so far. */
static bool note_seq(struct report_in *report, uint16_t seq)
{
    const struct seq_unwrap unwrap = {report->newest_seq};
    uint64_t extended = seq_unwrap_peek(&unwrap, seq);
    uint64_t distance = extended > report->newest_seq ? extended - report->newest_seq : report->newest_seq - extended;
    if (!report->started || distance > RESTART_JUMP) {
        restart(report, seq);
        return true;
    }
    if (extended > report->newest_seq) {
        report->newest_seq = extended;
        return true;
    }
    if (extended < report->base_seq)
        report->base_seq = extended;   /* from before our first packet: expected too, then */
    return false;
}

void report_in_packet(struct report_in *report, usec_t now, uint16_t seq, uint32_t ts, uint16_t size)
{
    bool first = !report->started;
    bool in_order = note_seq(report, seq);
    report->received++;
    report->bytes += size;
    uint32_t transit = us_to_clock(now, report->clock_hz) - ts;
    if (!first && in_order) {
        int32_t d = (int32_t)(transit - report->transit);
        uint32_t distance = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;
        /* a jump of more than a minute is a new timestamp base, not jitter */
        if (distance < 60 * report->clock_hz)
            report->jitter_q4 += distance - ((report->jitter_q4 + 8) >> 4);
    }
    if (in_order)
        report->transit = transit;
}

void report_in_recovered(struct report_in *report, uint16_t seq, uint16_t size)
{
    (void)note_seq(report, seq);
    report->received++;
    report->recovered++;
    report->bytes += size;
}

void report_in_sr(struct report_in *report, usec_t now, const struct rtcp_sr *sr)
{
    report->lsr = ntp_middle(sr->ntp);
    report->sr_at = now;
    report->sr_ntp = sr->ntp;
    report->sr_rtp_ts = sr->rtp_ts;
}

static uint64_t expected(const struct report_in *report)
{
    return report->started ? report->newest_seq - report->base_seq + 1 : 0;
}

int64_t report_in_lost(const struct report_in *report)
{
    return (int64_t)expected(report) - (int64_t)report->received;
}

uint32_t report_in_lost_since(struct report_in *report)
{
    int64_t lost = report_in_lost(report);
    uint64_t total = lost > 0 ? (uint64_t)lost : 0;
    uint64_t since = total > report->lost_seen ? total - report->lost_seen : 0;
    report->lost_seen = total;
    return since > UINT32_MAX ? UINT32_MAX : (uint32_t)since;
}

uint32_t report_in_jitter_us(const struct report_in *report)
{
    return clock_to_us(report->jitter_q4 >> 4, report->clock_hz);
}

/* `arrived` of `expected`, smoothed: two thirds of what it was and one of what it is; zero counts at once (admin-api.md 6.4). */
static uint8_t rate(uint8_t before, int64_t arrived, int64_t due)
{
    int64_t sample = due <= 0 || arrived <= 0 ? 0 : arrived >= due ? QUALITY_FULL : (arrived * QUALITY_FULL + due / 2) / due;
    if (before == 0 || sample == 0)
        return (uint8_t)sample;
    return (uint8_t)((2 * before + sample + 1) / 3);
}

bool report_in_block(struct report_in *report, usec_t now, uint32_t ssrc, struct rtcp_block *out)
{
    if (!report->started)
        return false;
    uint64_t all = expected(report);
    int64_t expected_now = (int64_t)(all - report->expected_prior);
    int64_t lost_now = expected_now - (int64_t)(report->received - report->received_prior);
    const int64_t received_now = (int64_t)(report->received - report->received_prior);
    report->quality = rate(report->quality, received_now - (int64_t)(report->recovered - report->recovered_prior), expected_now);
    report->media_quality = rate(report->media_quality, received_now, expected_now);
    report->expected_prior = all;
    report->received_prior = report->received;
    report->recovered_prior = report->recovered;

    int64_t lost = report_in_lost(report);
    *out = (struct rtcp_block){
        .ssrc = ssrc,
        .fraction_lost = expected_now <= 0 || lost_now <= 0 ? 0 :
            (uint8_t)(lost_now * 256 / expected_now > 255 ? 255 : lost_now * 256 / expected_now),
        .lost = lost > 0x7FFFFF ? 0x7FFFFF : lost < -0x800000 ? -0x800000 : (int32_t)lost,
        .highest_seq = (uint32_t)(report->newest_seq - SEQ_UNWRAP_BASE),
        .jitter = report->jitter_q4 >> 4,
        .lsr = report->lsr,
        .dlsr = report->sr_at == 0 ? 0 : ntp_short_from_us(now - report->sr_at),
    };
    return true;
}

void report_out_init(struct report_out *report, uint32_t clock_hz)
{
    *report = (struct report_out){.clock_hz = clock_hz, .quality = QUALITY_FULL, .media_quality = QUALITY_FULL};
}

void report_out_packet(struct report_out *report, usec_t now, uint32_t ts, uint16_t payload_size)
{
    report->started = true;
    report->packets++;
    report->octets += payload_size;
    report->last_ts = ts;
    report->last_at = now;
}

bool report_out_sr(const struct report_out *report, usec_t now, uint64_t ntp_now, uint32_t ssrc, struct rtcp_sr *out)
{
    if (!report->started)
        return false;
    usec_t since = now > report->last_at ? now - report->last_at : 0;
    *out = (struct rtcp_sr){
        .ssrc = ssrc,
        .ntp = ntp_now,
        .rtp_ts = report->last_ts + us_to_clock(since, report->clock_hz),
        .packets = report->packets,
        .octets = report->octets,
    };
    return true;
}

static void rate_out(struct report_out *report, uint64_t ntp_now)
{
    if (report->rated_at != 0 && ntp_now - report->rated_at < RATED_NTP)
        return;
    if (report->rated_at != 0) {
        const int64_t sent = report->packets - report->packets_prior, asked = report->nacks - report->nacks_prior;
        const int64_t due = report->highest_seq - report->highest_prior, lost = report->lost - report->lost_prior;
        report->quality = rate(report->quality, asked == 0 ? 1 : sent - asked, asked == 0 ? 1 : sent);
        report->media_quality = rate(report->media_quality, lost <= 0 ? 1 : due - lost, lost <= 0 ? 1 : due);
    }
    report->rated_at = ntp_now;
    report->nacks_prior = report->nacks;
    report->packets_prior = report->packets;
    report->highest_prior = report->highest_seq;
    report->lost_prior = report->lost;
}

void report_out_block(struct report_out *report, uint64_t ntp_now, const struct rtcp_block *block)
{
    report->fraction_lost = block->fraction_lost;
    report->lost = block->lost;
    report->jitter = block->jitter;
    report->highest_seq = block->highest_seq;
    rate_out(report, ntp_now);
    if (block->lsr == 0)
        return;
    /* RFC 3550 6.4.1: A - LSR - DLSR. A little below zero is rounding on a fast path: call it the least there is. */
    int32_t rtt = (int32_t)(ntp_middle(ntp_now) - block->lsr - block->dlsr);
    if (rtt < 0 && rtt > -(int32_t)ntp_short_from_us(MSEC(100)))
        rtt = 1;
    if (rtt < 0 || ntp_short_to_us((uint32_t)rtt) > RTT_MAX_US)
        return;
    report->has_rtt = true;
    report->rtt_us = (uint32_t)ntp_short_to_us(rtt == 0 ? 1 : (uint32_t)rtt);
    report->rtt_lsr = block->lsr;
    report->rtt_dlsr = block->dlsr;
    report->rtt_ntp = ntp_middle(ntp_now);
}

uint32_t report_out_lost_since(struct report_out *report)
{
    int32_t since = report->lost - report->lost_seen;
    report->lost_seen = report->lost;
    return since > 0 ? (uint32_t)since : 0;
}

uint32_t report_out_jitter_us(const struct report_out *report)
{
    return clock_to_us(report->jitter, report->clock_hz);
}
