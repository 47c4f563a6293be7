#include "settings/budget.h"

uint64_t budget_bytes(const struct budget *b, uint32_t workers)
{
    const uint64_t worker = (uint64_t)b->peers * BUDGET_PEER_BYTES + (uint64_t)b->sources * BUDGET_SOURCE_BYTES +
                            (uint64_t)b->sinks * BUDGET_SINK_BYTES + (uint64_t)b->mlines * BUDGET_MLINE_BYTES +
                            (uint64_t)b->packets * BUDGET_PACKET_BYTES + (uint64_t)b->handshakes * BUDGET_HANDSHAKE_BYTES;
    const uint64_t control = (uint64_t)b->clients * BUDGET_CLIENT_BYTES + (uint64_t)b->sessions * BUDGET_SESSION_BYTES +
                             (uint64_t)b->handles * BUDGET_HANDLE_BYTES + ((uint64_t)b->source_names + b->sink_names) * BUDGET_NAME_BYTES;
    return workers * worker + control + b->partial_bytes + b->queued_bytes;
}

static void take_down(uint32_t *value, double share, uint32_t floor)
{
    const uint32_t down = (uint32_t)((double)*value * share);
    if (*value > floor)
        *value = down > floor ? down : floor;
}

bool budget_fit(struct budget *b, uint64_t limit_bytes, uint32_t workers)
{
    const uint64_t pools = limit_bytes / 8 * BUDGET_USED_OF_8, left = pools > BUDGET_BASE_BYTES ? pools - BUDGET_BASE_BYTES : 0;
    const uint64_t all = budget_bytes(b, workers);
    if (all <= left)
        return false;
    const double share = (double)left / (double)all;
    take_down(&b->peers, share, 16);
    take_down(&b->sources, share, 64);
    take_down(&b->sinks, share, 128);
    take_down(&b->mlines, share, 128);
    take_down(&b->packets, share, 1024);
    take_down(&b->handshakes, share, 16);
    take_down(&b->clients, share, 256);
    take_down(&b->sessions, share, 256);
    take_down(&b->handles, share, 256);
    take_down(&b->source_names, share, 256);
    take_down(&b->sink_names, share, 512);
    take_down(&b->partial_bytes, share, 4u << 20);
    take_down(&b->queued_bytes, share, 8u << 20);
    return true;
}

bool budget_is_short(bool was_short, uint64_t used_bytes, uint64_t limit_bytes)
{
    return used_bytes >= limit_bytes / 100 * (was_short ? BUDGET_EASE_PERCENT : BUDGET_SHORT_PERCENT);
}
