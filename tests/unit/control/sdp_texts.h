/* tests/unit/control/sdp_texts.h - descriptions as clients send them, short but whole. */
#pragma once

#define SDP_REMOTE_FINGERPRINT "AA:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:01"

#define SDP_HEAD(ufrag, version)                                                                                         \
    "v=0\r\no=- 4611732043 " version " IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"                        \
    "a=ice-ufrag:" ufrag "\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=ice-options:trickle\r\n"                              \
    "a=fingerprint:sha-256 " SDP_REMOTE_FINGERPRINT "\r\n"

#define SDP_AUDIO_LINE(setup, direction, ssrc)                                                                           \
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=setup:" setup "\r\na=mid:0\r\na=" direction "\r\n"          \
    "a=rtcp-mux\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtpmap:111 opus/48000/2\r\n"                       \
    "a=fmtp:111 minptime=10\r\na=ssrc:" ssrc " cname:x\r\n"

#define SDP_VIDEO_LINE(setup, direction)                                                                                 \
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=setup:" setup "\r\na=mid:1\r\na=" direction "\r\n"        \
    "a=rtcp-mux\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n"      \
    "a=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"

#define SDP_VIDEO_SSRCS "a=ssrc-group:FID 2001 2002\r\na=ssrc:2001 cname:x\r\na=ssrc:2002 cname:x\r\n"

#define SDP_SIMULCAST                                                                                                    \
    "a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"                                                        \
    "a=extmap:6 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n"                                               \
    "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;m;l\r\n"

#define SDP_CANDIDATES                                                                                                   \
    "a=candidate:1 1 udp 2122260223 10.0.0.5 50001 typ host\r\n"                                                          \
    "a=candidate:2 1 udp 2122260222 5f0f8a2e-31b5-4b1e-8d6c-9a5a3f7bd0d1.local 50002 typ host\r\n"                        \
    "a=candidate:3 1 tcp 1518280447 10.0.0.5 9 typ host tcptype active\r\n"

#define SDP_CLIENT_OFFER                                                                                                 \
    SDP_HEAD("wxyz", "1") SDP_AUDIO_LINE("actpass", "sendrecv", "1001") SDP_CANDIDATES                                    \
        SDP_VIDEO_LINE("actpass", "sendrecv") SDP_VIDEO_SSRCS

#define SDP_CLIENT_ANSWER                                                                                                \
    SDP_HEAD("wxyz", "1") SDP_AUDIO_LINE("active", "sendrecv", "1001") SDP_VIDEO_LINE("active", "sendrecv") SDP_VIDEO_SSRCS
