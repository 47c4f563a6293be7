/* A recording, of any age: what is read lies inside the file, and reading ends. */
#include "base/check.h"
#include "proto/mjr/mjr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mjr_reader reader;
    struct mjr_frame frame;
    size_t seen = 0;
    if (!mjr_open(&reader, VIEW(data, size)))
        return 0;
    while (mjr_next(&reader, &frame)) {
        CHECK(frame.payload.data >= data && frame.payload.data + frame.payload.size <= data + size);
        seen += MJR_OVERHEAD + frame.payload.size;
    }
    CHECK(seen <= size);
    return 0;
}
