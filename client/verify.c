#include "client/verify.h"

#include "client/synth.h"

/* The upper end of a bin: 16, 24, 32, 48, 64 ... us. */
static usec_t bin_end(unsigned bin)
{
    usec_t base = 16ull << (bin / 2);
    return bin % 2 == 0 ? base : base + base / 2;
}

static unsigned bin_of(usec_t delay)
{
    unsigned bin = 0;
    while (bin + 1 < VERIFY_BINS && delay > bin_end(bin))
        bin++;
    return bin;
}

usec_t verify_delay(const uint64_t bins[VERIFY_BINS], double share)
{
    uint64_t total = 0, sum = 0;
    for (unsigned i = 0; i < VERIFY_BINS; i++)
        total += bins[i];
    if (total == 0)
        return 0;
    for (unsigned i = 0; i < VERIFY_BINS; i++) {
        sum += bins[i];
        if ((double)sum >= share * (double)total)
            return bin_end(i);
    }
    return bin_end(VERIFY_BINS - 1);
}

static bool is_ready(const struct port *port)
{
    (void)port;
    return true;
}

static bool was_seen(struct verify *verify, uint32_t counter)
{
    uint64_t *word = &verify->seen[counter % VERIFY_WINDOW / 64];
    const uint64_t bit = 1ull << (counter % 64);
    bool seen = (*word & bit) != 0;
    *word |= bit;
    return seen;
}

/* Counters between the old and the new highest have not been seen yet. */
static void move_window(struct verify *verify, uint32_t counter)
{
    uint32_t steps = counter - verify->highest;
    for (uint32_t i = 1; i <= steps && i <= VERIFY_WINDOW; i++) {
        uint32_t next = verify->highest + i;
        verify->seen[next % VERIFY_WINDOW / 64] &= ~(1ull << (next % 64));
    }
    verify->highest = counter;
}

static void take(struct verify *verify, usec_t now, const struct port_packet *packet, const struct synth_stamp *stamp)
{
    const uint16_t shift = (uint16_t)(packet->seq - stamp->counter);
    if (!verify->started) {
        verify->started = true;
        verify->first = verify->highest = stamp->counter;
        verify->first_at = now;
        verify->stream = stamp->stream;
        verify->shift = shift;
        verify->ts = packet->ts;
        (void)was_seen(verify, stamp->counter);
    } else if ((int32_t)(stamp->counter - verify->highest) > 0) {
        verify->out_of_time += (int32_t)(packet->ts - verify->ts) < 0;
        verify->ts = packet->ts;
        move_window(verify, stamp->counter);
        (void)was_seen(verify, stamp->counter);
    } else if (verify->highest - stamp->counter >= VERIFY_WINDOW || (int32_t)(stamp->counter - verify->first) < 0 ||
               was_seen(verify, stamp->counter)) {
        verify->repeated++;
        return;
    }
    if (shift != verify->shift)
        verify->renumbered++;
    verify->shift = shift;
    verify->packets++;
    verify->bytes += packet->payload.size;
    verify->last_at = now;
    verify->delay_bins[bin_of(now > stamp->sent_at ? now - stamp->sent_at : 0)]++;
}

static void on_packet(struct port *port, usec_t now, const struct port_packet *packet)
{
    struct verify *verify = (void *)port;
    struct synth_stamp stamp;
    bool first, keyframe;
    uint8_t spatial;
    size_t header = synth_header_size(packet->payload, verify->video, &first, &keyframe);
    const struct view body = {packet->payload.data + header, packet->payload.size - header};
    if (header == 0 || !synth_read(&stamp, body) || (verify->started && stamp.stream != verify->stream)) {
        verify->strange++;
        return;
    }
    verify->keyframes += keyframe;
    if (verify->video && synth_layer(packet->payload, &spatial) && spatial < VERIFY_LAYERS)
        verify->layer_at[spatial] = now;
    take(verify, now, packet, &stamp);
}

static const struct port_ops verify_ops = {.send = on_packet, .is_ready = is_ready};

void verify_init(struct verify *verify, bool video)
{
    *verify = (struct verify){.port = {.ops = &verify_ops}, .video = video};
}

uint64_t verify_lost(const struct verify *verify)
{
    uint64_t span = verify->started ? (uint64_t)(verify->highest - verify->first) + 1 : 0;
    return span > verify->packets ? span - verify->packets : 0;
}
