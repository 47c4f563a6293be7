/* proto/seal/stream.c - packet indexes (RFC 3711 3.3.1) and replay lists (3.3.2), for what we send and what we receive.
 * A window is a bitmap by index modulo its size: bits of (highest - size, highest] mean something. */
#include <string.h>

#include "base/check.h"
#include "proto/seal/seal_internal.h"

#define INDEX_END (1ull << 48)

bool seal_window_has(const uint64_t *bits, uint64_t size, uint64_t highest, uint64_t index)
{
    if (index > highest)
        return false;
    if (highest - index >= size)
        return true;
    uint64_t at = index % size;
    return (bits[at / 64] >> (at % 64) & 1u) != 0;
}

void seal_window_add(uint64_t *bits, uint64_t size, uint64_t *highest, uint64_t index)
{
    if (index > *highest) {
        if (index - *highest >= size)
            memset(bits, 0, (size_t)(size / 8));
        else
            for (uint64_t i = *highest + 1; i < index; i++)
                bits[i % size / 64] &= ~(1ull << i % 64);
        *highest = index;
    }
    bits[index % size / 64] |= 1ull << index % 64;
}

bool seal_tx_index(struct seal_tx_stream *stream, uint16_t seq, uint64_t *index)
{
    if (!stream->started) {
        stream->started = true;
        stream->highest = seq;
        memset(stream->used, 0, sizeof(stream->used));
        seal_window_add(stream->used, SEAL_TX_WINDOW, &stream->highest, seq);
        *index = seq;
        return true;
    }
    /* Nearest to the highest; what would lie before the first index of all is refused, not wrapped. */
    int64_t candidate = (int64_t)stream->highest + (int16_t)(uint16_t)(seq - (uint16_t)stream->highest);
    if (candidate < 0 || (uint64_t)candidate >= INDEX_END)
        return false;
    if (seal_window_has(stream->used, SEAL_TX_WINDOW, stream->highest, (uint64_t)candidate))
        return false;
    seal_window_add(stream->used, SEAL_TX_WINDOW, &stream->highest, (uint64_t)candidate);
    *index = (uint64_t)candidate;
    return true;
}

bool seal_rx_guess(const struct seal_rx_stream *stream, uint16_t seq, uint64_t *index)
{
    if (!stream->started) {
        *index = seq;
        return true;
    }
    uint32_t last = stream->highest & 0xFFFF;
    uint64_t roc = stream->highest >> 16;
    if (last < 0x8000) {
        if (seq > last + 0x8000 && roc > 0)    /* there is nothing before ROC 0: it can only be ahead */
            roc--;
    } else if (last - 0x8000 > seq) {
        roc++;
    }
    uint64_t guess = roc << 16 | seq;
    if (guess >= INDEX_END || seal_window_has(stream->seen, SEAL_RX_WINDOW, stream->highest, guess))
        return false;
    *index = guess;
    return true;
}

bool seal_rx_commit(struct seal_rx_stream *stream, uint64_t index)
{
    CHECK(index < INDEX_END);
    if (!stream->started) {
        stream->started = true;
        stream->highest = index;
        memset(stream->seen, 0, sizeof(stream->seen));
    } else if (seal_window_has(stream->seen, SEAL_RX_WINDOW, stream->highest, index)) {
        return false;
    }
    seal_window_add(stream->seen, SEAL_RX_WINDOW, &stream->highest, index);
    return true;
}
