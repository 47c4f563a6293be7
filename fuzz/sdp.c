/* A client's description: parsed, compiled, stripped, answered, and offered on to somebody else. What we write must be what
 * we can read. */
#include "base/check.h"
#include "base/str.h"
#include "control/negotiate/negotiate.h"
#include "proto/sdp/offer_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(void *source, uint8_t *out, size_t size)
{
    uint8_t *next = source;
    for (size_t i = 0; i < size; i++)
        out[i] = (*next)++;
}

static void say(struct negotiation *n, enum negotiate_type type, struct sdp *plugin)
{
    static const struct net_addr address = {.ip = {192, 0, 2, 1}, .family = NET_IP4};
    const struct negotiate_local_input in = {.ufrag = "abcd", .pwd = "abcdefghijklmnopqrstuv", .fingerprint = "AB:CD", .address = &address, .half_trickle = true};
    uint8_t seed = 1;
    struct rng rng;
    struct buf out;
    rng_init(&rng, fill, &seed);
    buf_init(&out, NEGOTIATE_WIRE_BYTES_MAX);
    anonymise(plugin);
    if (negotiate_local(n, type, plugin, &in, &rng, &out) == ERR_NONE)
        CHECK(str_starts(buf_view(&out), STR("v=0\r\no=")));
    buf_fini(&out);
}

static void answer(struct negotiation *n, const struct sdp *offer)
{
    const struct sdp_answer_line how = {.direction = SDP_SENDRECV, .exts = SDP_EXTS_ALL, .red = true, .dtmf = true};
    struct sdp *plugin = sdp_answer_new(offer, STR("x"));
    for (uint16_t i = 0; i < offer->mline_count; i++)
        sdp_answer_accept(plugin, offer, i, &how, NULL);
    say(n, NEGOTIATE_ANSWER, plugin);
    for (uint16_t i = 0; i < offer->mline_count; i++) {
        struct negotiated_line line;
        negotiation_line(n, i, &line);
    }
    sdp_free(plugin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct negotiate_remote_options options = {.encrypted = true, .rid_lowest_first = size % 2 == 0};
    char reason[SDP_REASON_ROOM];
    struct ice_candidate candidate;
    struct view name;
    candidate_parse(&candidate, &name, VIEW(data, size));
    struct sdp *sdp = sdp_parse(VIEW(data, size), reason);
    if (sdp == NULL)
        return 0;
    struct negotiation client, other;
    negotiation_init(&client);
    negotiation_init(&other);
    const bool fine = negotiate_remote(&client, NEGOTIATE_OFFER, sdp, &options, NULL) == NEGOTIATE_OK;
    anonymise(sdp);
    struct buf seen;
    buf_init(&seen, 2 * SDP_TEXT_BYTES_MAX);
    CHECK(sdp_write(sdp, &seen));
    struct sdp *again = sdp_parse(buf_view(&seen), reason);
    CHECK(again != NULL || size > SDP_TEXT_BYTES_MAX / 2);
    if (fine)
        answer(&client, sdp);
    say(&other, NEGOTIATE_OFFER, sdp);
    buf_fini(&seen);
    sdp_free(again);
    sdp_free(sdp);
    negotiation_fini(&client);
    negotiation_fini(&other);
    return 0;
}
