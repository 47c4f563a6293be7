/* tests/unit/control/negotiate_help.h - a client's offer or answer through the whole of control/negotiate. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "control/negotiate/negotiate.h"
#include "proto/sdp/offer_answer.h"
#include "support/seams.h"

#define FINGERPRINT "3A:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:9F"
#define HEAD        "v=0\r\no=- 4611732043 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define SECURITY    "a=ice-ufrag:clnt\r\na=ice-pwd:clientclientclientclient\r\na=fingerprint:sha-256 " FINGERPRINT "\r\na=setup:actpass\r\n"
#define OPUS        "a=rtpmap:111 opus/48000/2\r\n"
#define AUDIO(mid)  "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=sendrecv\r\na=mid:" mid "\r\n" OPUS
#define VIDEO(mid)  "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=sendrecv\r\na=mid:" mid "\r\n" \
                    "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
#define DATA(mid)   "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:" mid "\r\na=sctp-port:5000\r\n"

static inline int is_empty(void **state)
{
    (void)state;
    return seam_mem_outstanding() == 0 ? 0 : -1;
}

static inline struct sdp *parse_view(struct view text)
{
    char reason[SDP_REASON_ROOM];
    struct sdp *sdp = sdp_parse(text, reason);
    if (sdp == NULL)
        fail_msg("refused: %s", reason);
    return sdp;
}

static inline enum negotiate_result remote_says_view(struct negotiation *n, enum negotiate_type type, struct view text,
                                                     struct negotiate_changes *changes)
{
    const struct negotiate_remote_options options = {.encrypted = true};
    struct sdp *sdp = parse_view(text);
    const enum negotiate_result result = negotiate_remote(n, type, sdp, &options, changes);
    sdp_free(sdp);
    return result;
}

static inline enum negotiate_result remote_says(struct negotiation *n, enum negotiate_type type, const char *text)
{
    return remote_says_view(n, type, str_of(text), NULL);
}

/* Draws 1, 2, 3 ...: SSRCs in the order in which they are minted. */
static inline void fill_counting(void *source, uint8_t *out, size_t size)
{
    uint32_t *next = source;
    for (size_t i = 0; i + 4 <= size; i += 4, (*next)++)
        memcpy(out + i, next, 4);
}

struct local {
    uint32_t next;
    struct rng rng;
    struct net_addr address;
    struct ice_candidate candidates[2];
    struct negotiate_local_input in;
    struct buf text;
};

static inline void local_init(struct local *l)
{
    memset(l, 0, sizeof(*l));
    l->next = 1;
    rng_init(&l->rng, fill_counting, &l->next);
    assert_true(net_ip_parse(&l->address, STR("203.0.113.9")));
    struct view name;
    assert_int_equal(candidate_parse(&l->candidates[0], &name, STR("1 1 udp 2015363327 203.0.113.9 20014 typ host")), CANDIDATE_OK);
    assert_int_equal(candidate_parse(&l->candidates[1], &name, STR("2 1 udp 7 203.0.113.9 20015 typ srflx raddr 10.0.0.1 rport 9")), CANDIDATE_OK);
    buf_init(&l->text, NEGOTIATE_WIRE_BYTES_MAX);
    l->in = (struct negotiate_local_input){.ufrag = "9gQk", .pwd = "8UrnV1zMtrcvgYCcZq0mzE", .fingerprint = "3A:9F", .address = &l->address,
                                           .session_id = 1700000000000000, .max_message_bytes = 262144};
}

static inline void local_fini(struct local *l)
{
    buf_fini(&l->text);
}

/* The plugin's text through parser and anonymiser, as the core does it. */
static inline enum err we_say(struct negotiation *n, enum negotiate_type type, struct local *l, const char *text)
{
    struct sdp *sdp = parse_view(str_of(text));
    anonymise(sdp);
    buf_clear(&l->text);
    const enum err err = negotiate_local(n, type, sdp, &l->in, &l->rng, &l->text);
    sdp_free(sdp);
    return err;
}

static inline void assert_text(struct local *l, const char *expected)
{
    assert_string_equal(buf_text(&l->text), expected);
}

static inline void assert_has(struct local *l, const char *line)
{
    if (strstr(buf_text(&l->text), line) == NULL)
        fail_msg("missing: %s\nin:\n%s", line, buf_text(&l->text));
}

static inline void assert_lacks(struct local *l, const char *line)
{
    if (strstr(buf_text(&l->text), line) != NULL)
        fail_msg("unexpected: %s\nin:\n%s", line, buf_text(&l->text));
}
