/* What strangers may send, through all of it: parsed, compiled, anonymised, answered and offered on to somebody else. */
#include "negotiate_help.h"

#include <time.h>

#include "base/mem.h"
#include "proto/sdp/sdp_files.h"

static void assert_well_formed(struct buf *text)
{
    char reason[SDP_REASON_ROOM];
    struct sdp *sdp = sdp_parse(buf_view(text), reason);
    if (sdp == NULL && strstr(reason, "too long") == NULL && strstr(reason, "Too many") == NULL)
        fail_msg("we wrote what we refuse (%s):\n%s", reason, buf_text(text));
    sdp_free(sdp);
}

static struct sdp *answer_all(const struct sdp *offer)
{
    struct sdp *answer = sdp_answer_new(offer, STR("x"));
    const struct sdp_answer_line how = {.direction = SDP_SENDRECV, .exts = SDP_EXTS_ALL, .red = true, .dtmf = true};
    for (uint16_t i = 0; i < offer->mline_count; i++)
        sdp_answer_accept(answer, offer, i, &how, NULL);
    return answer;
}

static void reply(struct negotiation *n, enum negotiate_type type, struct sdp *plugin)
{
    struct local l;
    local_init(&l);
    l.in.half_trickle = true;
    l.in.candidates = l.candidates;
    l.in.candidate_count = 1;
    anonymise(plugin);
    const enum err err = negotiate_local(n, type, plugin, &l.in, &l.rng, &l.text);
    if (err == ERR_NONE)
        assert_well_formed(&l.text);
    assert_true(err == ERR_NONE || err == ERR_INVALID || err == ERR_FULL);
    for (uint16_t i = 0; err == ERR_NONE && i < n->local->mline_count; i++) {
        struct negotiated_line line;
        negotiation_line(n, i, &line);
    }
    local_fini(&l);
}

/* True when the text was taken. */
static bool put_through(struct view text)
{
    char reason[SDP_REASON_ROOM];
    const struct negotiate_remote_options options = {.encrypted = true};
    struct negotiation client, other;
    struct sdp *sdp = sdp_parse(text, reason);
    if (sdp == NULL)
        return false;
    negotiation_init(&client);
    negotiation_init(&other);
    const bool fine = negotiate_remote(&client, NEGOTIATE_OFFER, sdp, &options, NULL) == NEGOTIATE_OK;
    struct buf seen;
    buf_init(&seen, 4 * SDP_TEXT_BYTES_MAX);
    anonymise(sdp);
    assert_true(sdp_write(sdp, &seen));
    assert_well_formed(&seen);
    if (fine) {
        struct sdp *answer = answer_all(sdp);
        reply(&client, NEGOTIATE_ANSWER, answer);
        reply(&client, NEGOTIATE_OFFER, answer);
        sdp_free(answer);
    }
    reply(&other, NEGOTIATE_OFFER, sdp);
    buf_fini(&seen);
    negotiation_fini(&client);
    negotiation_fini(&other);
    sdp_free(sdp);
    return fine;
}

static void test_browsers_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(browser_files); i++)
        assert_true(put_through(sdp_file(browser_files[i])));
}

static void test_truncated_at_every_byte(void **state)
{
    (void)state;
    static const char *const files[] = {"chromium-offer-simulcast.sdp", "firefox-offer-simulcast.sdp"};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        struct view text = sdp_file(files[i]);
        for (size_t size = 0; size < text.size; size++) {
            uint8_t *copy = mem_get(size);
            memcpy(copy, text.data, size);
            put_through(VIEW(copy, size));
            mem_put(copy);
        }
    }
}

/* security.md, CVE-2020-13898 and -13900: every line missing, doubled, without its value, with an empty one, with another
 * line's value, and cut by one character. */
static void mutate(struct view text, size_t victim, int what, struct buf *out)
{
    size_t at = 0;
    for (struct view rest = text; rest.size > 0; at++) {
        struct view line = str_split(&rest, '\n');
        line = str_split(&line, '\r');
        struct view name = line;
        name = str_split(&name, ':');
        if (at == victim && what == 0)
            continue;
        if (at == victim && what == 1)
            buf_addf(out, "%.*s\r\n", (int)line.size, (const char *)line.data);
        if (at != victim || what == 1)
            buf_addf(out, "%.*s\r\n", (int)line.size, (const char *)line.data);
        else if (what == 2)
            buf_addf(out, "%.*s\r\n", (int)name.size, (const char *)name.data);
        else if (what == 3)
            buf_addf(out, "%.*s: \r\n", (int)name.size, (const char *)name.data);
        else if (what == 4)
            buf_addf(out, "%.*s:-1 4294967296 / ; = \xc3\xa9 %%s %%n send ~ ~;,~ IN\r\n", (int)name.size, (const char *)name.data);
        else
            buf_addf(out, "%.*s\r\n", (int)(line.size > 0 ? line.size - 1 : 0), (const char *)line.data);
    }
}

static void test_each_line_mutated(void **state)
{
    (void)state;
    static const char *const files[] = {"chromium-offer-av-data.sdp", "chromium-offer-simulcast.sdp", "firefox-offer-simulcast.sdp"};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        struct view text = sdp_file(files[i]);
        size_t lines = 0;
        for (size_t k = 0; k < text.size; k++)
            lines += text.data[k] == '\n';
        for (size_t victim = 0; victim < lines; victim++) {
            for (int what = 0; what < 6; what++) {
                struct buf out;
                buf_init(&out, SDP_TEXT_BYTES_MAX);
                mutate(text, victim, what, &out);
                put_through(buf_view(&out));
                buf_fini(&out);
            }
        }
    }
}

/* CVE-2020-14034: 10^5 characters in each attribute of a line that is taken. */
static void test_long_values(void **state)
{
    (void)state;
    static const char *const names[] = {
        "mid:", "msid:", "msid:a ", "rid:", "simulcast:send ", "simulcast:", "ssrc:", "ssrc-group:SIM ", "ssrc-group:FID 1 ", "rtcp-fb:96 nack ", "extmap:1 ", "extmap:",
        "rtpmap:96 ", "rtpmap:", "fmtp:97 apt=", "fmtp:", "candidate:", "ice-ufrag:", "ice-pwd:", "fingerprint:sha-256 ", "setup:", "group:BUNDLE ", "sctp-port:",
    };
    char *filler = mem_get(100001);
    static const char fills[] = {'7', 'x', ' ', ';', ','};
    for (size_t i = 0; i < ARRAY_COUNT(names) * ARRAY_COUNT(fills); i++) {
        struct buf text;
        memset(filler, fills[i % ARRAY_COUNT(fills)], 100000);
        filler[100000] = '\0';
        for (int session = 0; session < 2; session++) {
            buf_init(&text, SDP_TEXT_BYTES_MAX);
            buf_addf(&text, "%s%sa=%s%s\r\n%s", HEAD, session ? SECURITY : VIDEO("0") SECURITY, names[i / ARRAY_COUNT(fills)], filler, session ? VIDEO("0") : "");
            put_through(buf_view(&text));
            buf_fini(&text);
        }
    }
    mem_put(filler);
}

/* As much as the limits allow, in the places where a careless search would be quadratic. 10^4 lines must not hold control
 * up: the whole round (parsed, compiled, stripped, answered, offered twice) stays far below a second on any machine. */
static void test_floods_take_linear_time(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "a=rtpmap:%zu VP8/90000\r\n", "a=fmtp:%zu apt=96\r\n", "a=rtcp-fb:%zu nack\r\n", "a=extmap:%zu urn:ietf:params:rtp-hdrext:sdes:mid\r\n", "a=ssrc:%zu cname:x\r\n",
        "a=ssrc-group:FID %zu 5\r\n", "a=rid:r%zu send\r\n", "a=candidate:%zu 2 udp 1 1.2.3.4 5 typ host\r\n", "a=x%zu\r\n", "m=video 9 P 96 97 98 %zu\r\na=rtpmap:96 VP8/90000\r\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        const size_t count = lines[i][0] == 'm' ? 120 : 20000;
        struct buf text;
        buf_init(&text, SDP_TEXT_BYTES_MAX);
        buf_add_text(&text, HEAD SECURITY "m=video 9 P 96 97 98 99 100 101 102 103 104 105 106 107 108 109 110 111 112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 127\r\n");
        for (size_t k = 0; k < count; k++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            buf_addf(&text, lines[i], k % 127 + 1);
#pragma GCC diagnostic pop
        }
        assert_false(text.failed);
        const clock_t start = clock();
        put_through(buf_view(&text));
        assert_true(clock() - start < CLOCKS_PER_SEC);
        buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_browsers_pass, is_empty),
        cmocka_unit_test_teardown(test_truncated_at_every_byte, is_empty),
        cmocka_unit_test_teardown(test_each_line_mutated, is_empty),
        cmocka_unit_test_teardown(test_long_values, is_empty),
        cmocka_unit_test_teardown(test_floods_take_linear_time, is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
