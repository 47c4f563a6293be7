#include "offers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct format {
    const char *name;
    unsigned pt;
    const char *rtpmap;
};

static const struct format formats[] = {
    {"opus", 111, "opus/48000/2"}, {"red", 63, "red/48000/2"},   {"pcmu", 0, "PCMU/8000"},   {"pcma", 8, "PCMA/8000"},   {"g722", 9, "G722/8000"},
    {"vp8", 96, "VP8/90000"},      {"vp9", 98, "VP9/90000"},     {"h264", 102, "H264/90000"}, {"av1", 45, "AV1/90000"},  {"h265", 49, "H265/90000"},
    {"multiopus", 112, "multiopus/48000/6"},
};

static const struct format *format_of(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (strlen(formats[i].name) == size && memcmp(formats[i].name, name, size) == 0)
            return &formats[i];
    fail_msg("no format %s", name);
    return NULL;
}

static const char *next_word(const char *text, size_t *size)
{
    text += strspn(text, " ");
    *size = strcspn(text, " ");
    return text;
}

static const char *const audio_exts[] = {"1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
                                         "2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
                                         "3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
                                         "4 urn:ietf:params:rtp-hdrext:sdes:mid"};
static const char *const video_exts[] = {"14 urn:ietf:params:rtp-hdrext:toffset",
                                         "2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
                                         "13 urn:3gpp:video-orientation",
                                         "3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
                                         "5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
                                         "6 http://www.webrtc.org/experiments/rtp-hdrext/video-content-type",
                                         "4 urn:ietf:params:rtp-hdrext:sdes:mid",
                                         "10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
                                         "11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
                                         "12 https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"};

#define ADD(...) (at += (size_t)snprintf(out + at, OFFER_ROOM - at, __VA_ARGS__))

static size_t write_formats(char *out, size_t at, const struct offer_line *line)
{
    size_t size;
    bool video = strcmp(line->kind, "video") == 0, first = true;
    for (const char *word = next_word(line->codecs, &size); size > 0; word = next_word(word + size, &size)) {
        const struct format *format = format_of(word, size);
        ADD("a=rtpmap:%u %s\r\n", format->pt, format->rtpmap);
        if (strcmp(format->name, "red") == 0)
            ADD("a=fmtp:63 111/111\r\n");
        else if (first && line->fmtp != NULL)
            ADD("a=fmtp:%u %s\r\n", format->pt, line->fmtp);
        if (strcmp(format->name, "red") != 0)
            first = false;
        if (line->bare)
            continue;
        ADD("a=rtcp-fb:%u transport-cc\r\n", format->pt);
        if (video)
            ADD("a=rtcp-fb:%u goog-remb\r\na=rtcp-fb:%u ccm fir\r\na=rtcp-fb:%u nack\r\na=rtcp-fb:%u nack pli\r\n", format->pt, format->pt,
                format->pt, format->pt);
    }
    return at;
}

static size_t write_line(char *out, size_t at, const struct offer_line *line)
{
    size_t size;
    if (strcmp(line->kind, "application") == 0) {
        ADD("m=application %u UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 1.1.1.1\r\n", line->rejected ? 0u : 9u);
        if (line->mid != NULL)
            ADD("a=mid:%s\r\n", line->mid);
        return at;
    }
    ADD("m=%s %u UDP/TLS/RTP/SAVPF", line->kind, line->rejected ? 0u : 9u);
    for (const char *word = next_word(line->codecs, &size); size > 0; word = next_word(word + size, &size))
        ADD(" %u", format_of(word, size)->pt);
    ADD("\r\nc=IN IP4 1.1.1.1\r\n");
    if (line->direction != NULL)
        ADD("a=%s\r\n", line->direction);
    if (line->mid != NULL)
        ADD("a=mid:%s\r\n", line->mid);
    at = write_formats(out, at, line);
    const bool video = strcmp(line->kind, "video") == 0;
    for (size_t i = 0; !line->bare && i < (video ? sizeof(video_exts) : sizeof(audio_exts)) / sizeof(char *); i++)
        ADD("a=extmap:%s\r\n", video ? video_exts[i] : audio_exts[i]);
    return at;
}

const char *offer_of(const struct offer_line *lines, unsigned count)
{
    static char texts[2][OFFER_ROOM];
    static unsigned turn;
    char *out = texts[turn++ % 2];
    size_t at = 0;
    ADD("v=0\r\no=- 7012 2 IN IP4 1.1.1.1\r\ns=-\r\nt=0 0\r\n");
    for (unsigned i = 0; i < count; i++)
        at = write_line(out, at, &lines[i]);
    assert_true(at < OFFER_ROOM);
    return out;
}

const char *offer_av(void)
{
    static const struct offer_line lines[] = {
        {.kind = "audio", .direction = "sendonly", .mid = "0", .codecs = "opus red pcmu", .fmtp = "minptime=10;useinbandfec=1"},
        {.kind = "video", .direction = "sendonly", .mid = "1", .codecs = "vp8 vp9 h264"},
    };
    return offer_of(lines, 2);
}

/* ---- looking ---- */

/* The part of m-line `index`; its size in *size. */
static const char *part_of(const char *sdp, unsigned index, size_t *size)
{
    const char *at = sdp;
    for (unsigned i = 0; i <= index; i++) {
        at = strstr(at, "\r\nm=");
        if (at == NULL)
            fail_msg("no m-line %u", index);
        at += 2;
    }
    const char *end = strstr(at, "\r\nm=");
    *size = end == NULL ? strlen(at) : (size_t)(end - at) + 2;
    return at;
}

static bool part_has(const char *part, size_t size, const char *line, size_t line_size)
{
    for (const char *at = part; at < part + size;) {
        size_t length = strcspn(at, "\r\n");
        if (length == line_size && memcmp(at, line, length) == 0)
            return true;
        at += length;
        at += strspn(at, "\r\n");
    }
    return false;
}

bool line_has(const char *sdp, unsigned index, const char *line)
{
    size_t size;
    const char *part = part_of(sdp, index, &size);
    return part_has(part, size, line, strlen(line));
}

bool session_has(const char *sdp, const char *line)
{
    const char *end = strstr(sdp, "\r\nm=");
    return part_has(sdp, end == NULL ? strlen(sdp) : (size_t)(end - sdp), line, strlen(line));
}

static unsigned lines_in(const char *text, size_t size)
{
    unsigned count = 0;
    for (const char *at = text; at < text + size;) {
        size_t length = strcspn(at, "\r\n");
        if (length == 0)
            break;
        count++;
        at += length;
        at += strspn(at, "\r\n");
    }
    return count;
}

void expect_line(const char *sdp, unsigned index, const char *lines)
{
    size_t size;
    const char *part = part_of(sdp, index, &size);
    for (const char *at = lines; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        if (!part_has(part, size, at, length)) {
            print_message("m-line %u lacks %.*s:\n%.*s\n", index, (int)length, at, (int)size, part);
            fail();
        }
        at += length;
        at += *at == '\n';
    }
    if (lines_in(part, size) != lines_in(lines, strlen(lines))) {
        print_message("m-line %u has more than\n%s\n:\n%.*s\n", index, lines, (int)size, part);
        fail();
    }
}

unsigned line_count(const char *sdp)
{
    unsigned count = 0;
    for (const char *at = sdp; (at = strstr(at, "\r\nm=")) != NULL; at += 2)
        count++;
    return count;
}
