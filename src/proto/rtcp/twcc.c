/* proto/rtcp/twcc.c - draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1:
 *
 *   sender SSRC | media SSRC | base seq, status count | reference time (24), feedback count (8) | chunks | deltas | padding
 *
 * A chunk (3.1.3, 3.1.4) is 16 bits: 0SSLLLLLLLLLLLLL, a run of L symbols S; or 10 and 14 one-bit symbols; or 11 and 7
 * two-bit symbols. A symbol says how many bytes of delta (3.1.5) follow for its packet: 0 lost, 1 small, 2 large. */
#include "proto/rtcp/twcc.h"

#include "base/check.h"

#define SYMBOL_LOST     0u
#define SYMBOL_SMALL    1u         /* 8 bits, unsigned */
#define SYMBOL_LARGE    2u         /* 16 bits, signed */
#define SYMBOL_RESERVED 3u

#define CHUNK_VECTOR    0x8000u
#define CHUNK_TWO_BIT   0x4000u
#define RUN_MAX         0x1FFFu
#define ONE_BIT_SYMBOLS 14u
#define TWO_BIT_SYMBOLS 7u
#define FIXED_SIZE      20u        /* RTCP header, SSRCs, base, count, reference, feedback count */

static unsigned chunk_symbols(uint16_t chunk)
{
    if ((chunk & CHUNK_VECTOR) == 0)
        return chunk & RUN_MAX;
    return (chunk & CHUNK_TWO_BIT) != 0 ? TWO_BIT_SYMBOLS : ONE_BIT_SYMBOLS;
}

static unsigned chunk_symbol(uint16_t chunk, unsigned index)
{
    if ((chunk & CHUNK_VECTOR) == 0)
        return chunk >> 13 & 3u;
    if ((chunk & CHUNK_TWO_BIT) != 0)
        return chunk >> (2 * (TWO_BIT_SYMBOLS - 1 - index)) & 3u;
    return chunk >> (ONE_BIT_SYMBOLS - 1 - index) & 1u;
}

/* Adds up one chunk, of which `count` symbols matter. False: a reserved symbol is among them. */
static bool measure_chunk(uint16_t chunk, unsigned count, size_t *delta_bytes, unsigned *received)
{
    if ((chunk & CHUNK_VECTOR) == 0) {
        unsigned symbol = chunk_symbol(chunk, 0);
        *delta_bytes += (size_t)symbol * count;
        *received += symbol != SYMBOL_LOST ? count : 0;
        return symbol != SYMBOL_RESERVED || count == 0;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned symbol = chunk_symbol(chunk, i);
        if (symbol == SYMBOL_RESERVED)
            return false;
        *delta_bytes += symbol;
        *received += symbol != SYMBOL_LOST;
    }
    return true;
}

bool twcc_parse(struct twcc *out, const struct rtcp_packet *packet)
{
    struct rtcp_feedback feedback;
    if (!rtcp_is_twcc(packet) || !rtcp_feedback_parse(&feedback, packet))
        return false;
    struct reader r = reader_of(feedback.fci);
    struct twcc t = {.sender_ssrc = feedback.sender_ssrc, .media_ssrc = feedback.media_ssrc, .base_seq = read_u16(&r)};
    t.count = read_u16(&r);
    t.reference_time = read_u24(&r);
    t.feedback_count = read_u8(&r);
    if (t.count > TWCC_READ_MAX)
        return false;

    const struct reader chunks = r;
    size_t delta_bytes = 0;
    unsigned received = 0;
    for (unsigned left = t.count; left > 0;) {
        uint16_t chunk = read_u16(&r);
        if (reader_failed(&r))
            return false;
        unsigned symbols = chunk_symbols(chunk);
        if (symbols > left)
            symbols = left;        /* the last one may say more than there is */
        if (!measure_chunk(chunk, symbols, &delta_bytes, &received))
            return false;
        left -= symbols;
    }
    t.received = (uint16_t)received;
    t.chunks = (struct view){chunks.at, (size_t)(r.at - chunks.at)};
    t.deltas = read_view(&r, delta_bytes);
    if (reader_failed(&r) || t.count == 0)
        return false;
    *out = t;
    return true;
}

struct twcc_iter twcc_iter_of(const struct twcc *twcc)
{
    return (struct twcc_iter){
        .chunks = reader_of(twcc->chunks),
        .deltas = reader_of(twcc->deltas),
        .seq = twcc->base_seq,
        .left = twcc->count,
    };
}

bool twcc_next(struct twcc_iter *iter, struct twcc_status *out)
{
    if (iter->left == 0)
        return false;
    while (iter->chunk_left == 0) {
        iter->chunk = read_u16(&iter->chunks);
        iter->chunk_left = (uint16_t)chunk_symbols(iter->chunk);
        if (reader_failed(&iter->chunks))
            return false;
    }
    unsigned symbol = chunk_symbol(iter->chunk, chunk_symbols(iter->chunk) - iter->chunk_left);
    iter->chunk_left--;
    iter->left--;
    if (symbol == SYMBOL_SMALL)
        iter->arrival_us += (int64_t)read_u8(&iter->deltas) * TWCC_DELTA_UNIT_US;
    else if (symbol == SYMBOL_LARGE)
        iter->arrival_us += (int64_t)(int16_t)read_u16(&iter->deltas) * TWCC_DELTA_UNIT_US;
    *out = (struct twcc_status){.seq = iter->seq++, .received = symbol != SYMBOL_LOST, .arrival_us = iter->arrival_us};
    return true;
}

/* ---- writing ---- */

/* The statuses that will go in, before they are packed. */
struct plan {
    unsigned count;
    int64_t reference;             /* in ticks, a multiple of the reference unit */
    size_t delta_bytes;
    uint8_t symbols[TWCC_STATUS_MAX];
};

/* Every chunk but the last takes at least TWO_BIT_SYMBOLS: see next_chunk. */
static size_t size_bound(unsigned count, size_t delta_bytes)
{
    size_t chunks = (count + TWO_BIT_SYMBOLS - 1) / TWO_BIT_SYMBOLS;
    return (FIXED_SIZE + 2 * chunks + delta_bytes + 3) / 4 * 4;
}

/* Stops at the first status that does not fit the room, or whose delta does not fit 16 bits. */
static void make_plan(struct plan *plan, const struct twcc_out *out, size_t room)
{
    int64_t first = out->now_tick;
    for (unsigned i = out->count; i > 0; i--)
        if (out->ticks[i - 1] != TWCC_LOST)
            first = out->ticks[i - 1];
    plan->reference = first & ~(int64_t)(TWCC_TICKS_PER_REFERENCE - 1);
    plan->count = 0;
    plan->delta_bytes = 0;
    int64_t last = plan->reference;
    for (unsigned i = 0; i < out->count; i++) {
        uint8_t symbol = SYMBOL_LOST;
        if (out->ticks[i] != TWCC_LOST) {
            int64_t delta = out->ticks[i] - last;
            if (delta < INT16_MIN || delta > INT16_MAX)
                return;
            symbol = delta >= 0 && delta <= UINT8_MAX ? SYMBOL_SMALL : SYMBOL_LARGE;
            last = out->ticks[i];
        }
        if (size_bound(i + 1, plan->delta_bytes + symbol) > room)
            return;
        plan->symbols[i] = symbol;
        plan->delta_bytes += symbol;
        plan->count = i + 1;
    }
}

/* The chunk that takes most from the front of `symbols`; all of them, or at least TWO_BIT_SYMBOLS. */
static uint16_t next_chunk(const uint8_t *symbols, unsigned count, unsigned *taken)
{
    unsigned run = 1;
    while (run < count && run < RUN_MAX && symbols[run] == symbols[0])
        run++;
    unsigned one_bit = 0;
    while (one_bit < count && one_bit < ONE_BIT_SYMBOLS && symbols[one_bit] != SYMBOL_LARGE)
        one_bit++;
    bool fits_one_bit = one_bit == count || one_bit == ONE_BIT_SYMBOLS;

    if (run == count || run >= ONE_BIT_SYMBOLS || (run >= TWO_BIT_SYMBOLS && !fits_one_bit)) {
        *taken = run;
        return (uint16_t)((unsigned)symbols[0] << 13 | run);
    }
    unsigned wide = fits_one_bit ? ONE_BIT_SYMBOLS : TWO_BIT_SYMBOLS;
    unsigned bits = fits_one_bit ? 1 : 2;
    *taken = count < wide ? count : wide;
    unsigned chunk = 0;
    for (unsigned i = 0; i < wide; i++)
        chunk = chunk << bits | (i < *taken ? symbols[i] : SYMBOL_LOST);
    return (uint16_t)(CHUNK_VECTOR | (fits_one_bit ? 0 : CHUNK_TWO_BIT) | chunk);
}

static void write_deltas(struct writer *w, const struct plan *plan, const int64_t *ticks)
{
    int64_t last = plan->reference;
    for (unsigned i = 0; i < plan->count; i++) {
        if (plan->symbols[i] == SYMBOL_LOST)
            continue;
        int64_t delta = ticks[i] - last;
        last = ticks[i];
        if (plan->symbols[i] == SYMBOL_SMALL)
            write_u8(w, (uint8_t)delta);
        else
            write_u16(w, (uint16_t)delta);
    }
}

uint16_t twcc_write(struct writer *w, const struct twcc_out *out)
{
    CHECK(out->count <= TWCC_STATUS_MAX);
    struct plan plan;
    make_plan(&plan, out, writer_failed(w) ? 0 : writer_left(w));
    if (plan.count == 0)
        return 0;

    uint8_t *start = w->at;
    write_u8(w, 0x80u | RTCP_FMT_TWCC);
    write_u8(w, RTCP_RTPFB);
    write_u16(w, 0);               /* the length, once it is known */
    write_u32(w, out->sender_ssrc);
    write_u32(w, out->media_ssrc);
    write_u16(w, out->base_seq);
    write_u16(w, (uint16_t)plan.count);
    write_u24(w, (uint32_t)(plan.reference / TWCC_TICKS_PER_REFERENCE) & 0xFFFFFFu);
    write_u8(w, out->feedback_count);
    for (unsigned at = 0, taken; at < plan.count; at += taken)
        write_u16(w, next_chunk(plan.symbols + at, plan.count - at, &taken));
    write_deltas(w, &plan, out->ticks);

    size_t size = (size_t)(w->at - start);
    size_t padding = (4 - size % 4) % 4;
    if (padding > 0) {             /* RFC 3550 6.4.1: the P bit, and the count in the last byte */
        start[0] |= 0x20;
        write_zeros(w, padding - 1);
        write_u8(w, (uint8_t)padding);
    }
    put_u16(start + 2, (uint16_t)((size + padding) / 4 - 1));
    CHECK(!writer_failed(w));
    return (uint16_t)plan.count;
}
