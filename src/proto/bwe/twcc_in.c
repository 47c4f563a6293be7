/* proto/bwe/twcc_in.c - a ring of arrivals by transport sequence number.
 *
 *      reported already | base ... waiting, with holes ... end |
 *
 * Invariant: 0 <= end - base <= TWCC_IN_WINDOW; if they differ, end - 1 has arrived; slots outside are stale. Ticks are kept
 * modulo 2^32 (12 days): what the wire keeps too, 24 bits of 64 ms. */
#include "proto/bwe/twcc_in.h"

#include "proto/rtcp/twcc.h"
#include "proto/rtp/seq.h"

void twcc_in_init(struct twcc_in *in, usec_t period_us)
{
    *in = (struct twcc_in){.period_us = period_us, .next_at = USEC_NEVER};
}

static uint32_t *slot(struct twcc_in *in, uint64_t number)
{
    return &in->ticks[number % TWCC_IN_WINDOW];
}

static uint32_t tick_of(usec_t now)
{
    uint32_t tick = (uint32_t)(now / TWCC_DELTA_UNIT_US);
    return tick != 0 ? tick : 1;   /* 0 says "not arrived" */
}

static void start_at(struct twcc_in *in, usec_t now, uint16_t seq)
{
    in->base = SEQ_UNWRAP_BASE + (uint64_t)seq;
    in->end = in->base + 1;
    *slot(in, in->base) = tick_of(now);
    in->next_at = usec_add(now, in->period_us);
}

void twcc_in_packet(struct twcc_in *in, usec_t now, uint16_t seq)
{
    if (in->base == 0) {
        start_at(in, now, seq);
        return;
    }
    const struct seq_unwrap unwrap = {in->end - 1};
    uint64_t number = seq_unwrap_peek(&unwrap, seq);
    if (number >= in->base + TWCC_IN_WINDOW || number + TWCC_IN_WINDOW < in->base) {
        in->jumps++;
        start_at(in, now, seq);
        return;
    }
    if (number < in->base) {
        in->skipped++;
        return;
    }
    if (in->base == in->end)
        in->next_at = usec_add(now, in->period_us);
    if (number >= in->end) {
        for (uint64_t lost = in->end; lost < number; lost++)
            *slot(in, lost) = 0;
        in->end = number + 1;
        *slot(in, number) = tick_of(now);
    } else if (*slot(in, number) == 0) {
        *slot(in, number) = tick_of(now);
    }
    if (in->end - in->base >= TWCC_IN_HURRY)
        in->next_at = usec_min(in->next_at, now);
}

usec_t twcc_in_deadline(const struct twcc_in *in)
{
    return in->base == in->end ? USEC_NEVER : in->next_at;
}

bool twcc_in_build(struct twcc_in *in, usec_t now, uint32_t sender_ssrc, uint32_t media_ssrc, struct writer *w)
{
    int64_t ticks[TWCC_IN_MESSAGE_MAX];
    int64_t now_tick = (int64_t)(now / TWCC_DELTA_UNIT_US);
    uint16_t count = 0;
    for (uint64_t number = in->base; number < in->end && count < TWCC_IN_MESSAGE_MAX; number++) {
        uint32_t tick = *slot(in, number);
        ticks[count++] = tick == 0 ? TWCC_LOST : now_tick - (int64_t)((uint32_t)now_tick - tick);
    }
    const struct twcc_out out = {
        .sender_ssrc = sender_ssrc,
        .media_ssrc = media_ssrc,
        .base_seq = (uint16_t)in->base,
        .count = count,
        .feedback_count = in->feedback_count,
        .now_tick = now_tick,
        .ticks = ticks,
    };
    uint16_t written = twcc_write(w, &out);
    if (written == 0)
        return false;
    in->base += written;
    in->feedback_count++;
    return true;
}
