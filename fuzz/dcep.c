/* DCEP's OPEN as a stranger may write it: what is read is written back the same. */
#include <stdint.h>
#include <string.h>

#include "proto/sctp/dcep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dcep_open open;
    if (!dcep_open_parse(&open, VIEW(data, size)))
        return 0;
    uint8_t again[DCEP_OPEN_HEADER + 2 * UINT16_MAX];
    const size_t written = dcep_open_write(again, sizeof(again), &open);
    if (written == 0 || written > size || memcmp(again, data, written) != 0)
        __builtin_trap();
    return 0;
}
