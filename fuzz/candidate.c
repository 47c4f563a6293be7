/* One ICE candidate, as a browser or a stranger writes it; what is whole is written, and reads the same again. */
#include "base/check.h"
#include "proto/sdp/candidate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ice_candidate first, second;
    struct view name;
    if (candidate_parse(&first, &name, VIEW(data, size)) != CANDIDATE_OK)
        return 0;
    struct buf text;
    buf_init(&text, 1024);
    buf_add_text(&text, "candidate:");      /* as it is written in a description or a trickle; a foundation may be anything */
    candidate_write(&first, &text);
    CHECK(!text.failed);
    CHECK(candidate_parse(&second, &name, buf_view(&text)) == CANDIDATE_OK);
    CHECK(net_addr_equal(&first.addr, &second.addr));
    CHECK(first.priority == second.priority && first.type == second.type);
    buf_fini(&text);
    return 0;
}
