/* Frames, as a server and as a client; the first byte says in what pieces they come. */
#include <string.h>

#include "base/check.h"
#include "proto/ws/ws.h"

#define LIMIT 5000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(enum ws_side side, const uint8_t *data, size_t size, size_t step)
{
    uint8_t piece[256];
    struct ws ws;
    struct ws_event event;
    ws_init(&ws, side, LIMIT);
    for (size_t at = 0; at < size; at += step) {
        size_t part = size - at < step ? size - at : step;
        memcpy(piece, data + at, part);
        struct ws_input input = {piece, part};
        while (ws_read(&ws, &input, &event))
            CHECK(event.data.size <= LIMIT);
        CHECK(input.size == 0);
    }
    ws_fini(&ws);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    run(WS_SERVER, data + 1, size - 1, 1u + data[0]);
    run(WS_CLIENT, data + 1, size - 1, 1u + data[0]);
    return 0;
}
